//! A ring in every printer format, for readers by other people; and what we read in their files.
//!
//! ```text
//! every_format write FOLDER     one file for each format, and FOLDER/layers.txt
//! every_format read FILE        facts as JSON on the first line, then the layers
//! ```
//! Layers are lines of `value:length`, row by row from the top left: no coding to get wrong.

use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail};
use sprue_compute::preview;
use sprue_compute::print_files::{
    self, Exposure, Format, Job, LayerMotion, Light, Limits, Machine, Move, Origin, Resin, Separation,
    Sl1Names, Waits,
};
use sprue_compute::rings::{BandProfile, RingDesign};
use sprue_compute::slice::{
    Control, Display, Heights, LayerSource, Orientation, Part, Plate, Sampling, Settings,
};
use sprue_compute::units::Microns;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["write", folder] => write(Path::new(folder)),
        ["read", file] => read(file),
        _ => bail!("use: write FOLDER, or read FILE"),
    }
}

fn write(folder: &Path) -> Result<()> {
    let mut design = RingDesign::band(16.0, 2.5, 1.5, BandProfile::HalfRound);
    design.resolution_mm = 0.1;
    let mesh = design.generate()?;
    let lowest =
        |side: usize| mesh.vertices.iter().map(|corner| f64::from(corner[side])).fold(f64::MAX, f64::min);
    // Off the centre, so that a mirrored or turned picture is noticed.
    let offset_mm = [20.0 - lowest(0), 35.0 - lowest(1), -lowest(2)];
    let parts = [Part { name: "band", mesh: &mesh, offset_mm }];
    let job = job();
    let settings = Settings {
        display: job.display,
        height_max_mm: job.machine.build_mm[2],
        heights: job.heights.clone(),
        sampling: Sampling::Coverage,
    };
    let plate = Plate::prepare(&parts, settings)?;
    let cancel = AtomicBool::new(false);
    let control = Control { cancel: &cancel, progress: &|_, _| {} };
    fs::write(folder.join("layers.txt"), layers(&plate)?)?;
    for format in Format::ALL {
        let pictures: Vec<_> = format
            .preview_sizes()
            .iter()
            .map(|&(width, height)| preview::draw(&parts, width, height))
            .collect();
        let mut bytes = Cursor::new(Vec::new());
        let written = print_files::write(format, &job, &plate, &pictures, &mut bytes, control)?;
        let name = format!("{}.{}", format.name(), format.extension());
        fs::write(folder.join(&name), bytes.into_inner())?;
        println!("{name} {} {:.4} {:.0}", written.layers, written.volume_ml, written.print_s);
    }
    Ok(())
}

fn read(file: &str) -> Result<()> {
    let bytes = fs::read(file).with_context(|| format!("reading {file}"))?;
    let opened = print_files::open(&bytes, &Limits::GENEROUS)?;
    println!("{}", serde_json::to_string(opened.facts())?);
    print!("{}", layers(opened.as_ref())?);
    Ok(())
}

fn layers<S: LayerSource + ?Sized>(source: &S) -> Result<String> {
    let mut text = String::new();
    for index in 0..source.layer_count() {
        let layer = source.layer(index)?;
        let runs: Vec<String> =
            layer.runs.iter().map(|run| format!("{}:{}", run.value, run.length)).collect();
        writeln!(text, "{}", runs.join(" "))?;
    }
    Ok(text)
}

/// A display that every reader knows; another number in each field.
fn job() -> Job {
    let stage = |mm: f64, mm_per_min: f64| Move { mm, mm_per_min };
    let motion = |more: f64| LayerMotion {
        lift: stage(2.0 + more, 30.0 + more),
        lift_second: stage(3.0 + more, 120.0 + more),
        retract: stage(3.0 + more, 150.0 + more),
        retract_second: stage(2.0 + more, 60.0 + more),
        waits: Waits { before_lift_s: 0.5 + more, after_lift_s: 0.25 + more, after_retract_s: 1.0 + more },
    };
    Job {
        machine: Machine {
            name: "Photon".to_owned(),
            kind: "MSLA".to_owned(),
            build_mm: [68.04, 120.96, 150.0],
        },
        display: Display {
            width_px: 1440,
            height_px: 2560,
            pitch_mm: [0.04725; 2],
            orientation: Orientation::Landscape,
            mirror_x: true,
            mirror_y: false,
        },
        heights: Heights::uniform(Microns(200)),
        exposure: Exposure {
            normal_s: 2.5,
            bottom_s: 30.0,
            bottom_layers: 3,
            transition_layers: 4,
            ranges: Vec::new(),
        },
        separation: Separation::Lift { bottom: motion(1.0), normal: motion(0.0) },
        light: Light { bottom_pwm: 200, pwm: 220 },
        anti_aliasing: 4,
        resin: Resin {
            name: "Castable".to_owned(),
            density_g_per_ml: Some(1.125),
            price_per_ml: Some(0.25),
            currency: "EUR".to_owned(),
        },
        origin: Origin {
            software: "sprue".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            written_at_s: 1_709_251_199,
        },
        sl1: Some(Sl1Names {
            job: "band".to_owned(),
            printer_model: "SL1".to_owned(),
            printer_variant: "default".to_owned(),
            printer_profile: "SL1".to_owned(),
            print_profile: "0.2 Normal".to_owned(),
            user_profile: 0,
        }),
    }
}
