//! `sprue inspect`: what a printer's file holds, ours or foreign.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use serde::Serialize;
use sprue_compute::plate_checks::{self, PlateReport, Rules, Scene};
use sprue_compute::print_files::{self, Inspection, Limits, PrintFile};
use sprue_compute::slice::{Control, LayerError, StreamError};

use super::{Failure, print, print_json, read_file};
use crate::finding::Finding;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A printer's file.
    file: PathBuf,
    /// A layer, counted from 0.
    #[arg(long, requires = "png")]
    layer: Option<u32>,
    /// Where to write the layer's picture.
    #[arg(long, requires = "layer")]
    png: Option<PathBuf>,
    /// Look for islands, suction cups and trapped resin, and at the area of each layer.
    #[arg(long)]
    checks: bool,
    /// Look for features narrower than this, too, in µm.
    #[arg(long, requires = "checks")]
    thin_um: Option<f64>,
    /// Largest area that peels off the film, in mm²; larger layers are told.
    #[arg(long, requires = "checks")]
    peel_mm2: Option<f64>,
    /// Largest growth of the area from a layer to the next, in mm²; larger steps are told.
    #[arg(long, requires = "checks")]
    jump_mm2: Option<f64>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    inspection: Inspection,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<PlateReport>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let bytes = read_file(&arguments.file)?;
    let refused = |text: String| {
        let place = arguments.file.display().to_string();
        Failure::Refused(vec![Finding::error("FILE_DAMAGED", place, text)])
    };
    let file =
        print_files::open(&bytes, &Limits::GENEROUS).map_err(|failure| refused(failure.to_string()))?;
    if let (Some(index), Some(path)) = (arguments.layer, &arguments.png) {
        let layer = file.layer(index).map_err(|failure| refused(failure.to_string()))?;
        let picture = print_files::png_of(&layer, &file.display());
        std::fs::write(path, picture).with_context(|| format!("can't write {}", path.display()))?;
    }
    let never = AtomicBool::new(false);
    let control = Control { cancel: &never, progress: &|_, _| {} };
    let inspection =
        print_files::inspect(file.as_ref(), control).map_err(|failure| refused(failure.to_string()))?;
    let checks = arguments.checks.then(|| check(file.as_ref(), arguments, control)).transpose();
    let checks = checks.map_err(|failure| refused(failure.to_string()))?;
    if arguments.json {
        return print_json(&Answer { inspection, checks });
    }
    show(file.as_ref());
    for finding in checks.iter().flat_map(|report| &report.findings) {
        print(&finding.to_string());
    }
    Ok(())
}

/// Places are counted from the corner of the display: a file does not say where the build area lies.
fn check(
    file: &dyn PrintFile,
    arguments: &Arguments,
    control: Control<'_>,
) -> Result<PlateReport, StreamError<LayerError>> {
    let tops_mm = file.facts().layers.iter().map(|layer| layer.z_um / 1000.0).collect();
    let scene = Scene { tops_mm, ..Scene::default() };
    let rules = Rules {
        thin_mm: arguments.thin_um.map(|limit| limit / 1000.0),
        peel_mm2: arguments.peel_mm2,
        jump_mm2: arguments.jump_mm2,
        ..Rules::GEOMETRY
    };
    plate_checks::check(file, &scene, &rules, control)
}

fn show(file: &dyn PrintFile) {
    let facts = file.facts();
    let [width, height] = facts.resolution_px;
    print(&format!("{} {} for {}", facts.format.name(), facts.version, facts.machine));
    print(&format!("  {width} x {height} px, {} µm layers, {} layers", facts.layer_um, facts.layers.len()));
    print(&format!("  {:.2} ml of {}, {:.0} min", facts.volume_ml, facts.resin, facts.print_s / 60.0));
}
