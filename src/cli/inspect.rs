//! `sprue inspect`: what a printer's file holds, ours or foreign.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use sprue_compute::print_files::{self, Limits, PrintFile};
use sprue_compute::slice::Control;

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
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
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
    if arguments.json {
        return print_json(&inspection);
    }
    show(file.as_ref());
    Ok(())
}

fn show(file: &dyn PrintFile) {
    let facts = file.facts();
    let [width, height] = facts.resolution_px;
    print(&format!("{} {} for {}", facts.format.name(), facts.version, facts.machine));
    print(&format!("  {width} x {height} px, {} µm layers, {} layers", facts.layer_um, facts.layers.len()));
    print(&format!("  {:.2} ml of {}, {:.0} min", facts.volume_ml, facts.resin, facts.print_s / 60.0));
}
