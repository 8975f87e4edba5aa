//! What the checks of a plate cost beside its slicing.
//!
//! ```text
//! check_cost FILE.stl 12k|2k centre|coverage [THIN_MM]
//! ```
//!
//! Prints processor seconds (user and system, all threads) of making every layer, and of making and checking
//! every layer, in turns, and what was found.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a measuring program")]

use std::fs;
use std::sync::atomic::AtomicBool;

use nalgebra::Vector3;
use sprue_compute::mesh::transform;
use sprue_compute::mesh_files::{self, Limits};
use sprue_compute::plate_checks::{Base, Rules, Scene, check};
use sprue_compute::slice::{
    Control, Display, Heights, LayerSource, Orientation, Part, Plate, Sampling, Settings, stream,
};
use sprue_compute::units::Microns;

/// Turns of both: the middle one counts.
const TURNS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [path, display, sampling] => run(path, display, sampling, None),
        [path, display, sampling, thin] => run(path, display, sampling, thin.parse().ok()),
        _ => println!("see the head of the file"),
    }
}

fn run(path: &str, display: &str, sampling: &str, thin_mm: Option<f64>) {
    let (width_px, height_px, pitch) =
        if display == "12k" { (11520, 5120, 0.019) } else { (2560, 1440, 0.04725) };
    let display = Display {
        width_px,
        height_px,
        pitch_mm: [pitch; 2],
        orientation: Orientation::Landscape,
        mirror_x: false,
        mirror_y: false,
    };
    let sampling = if sampling == "centre" { Sampling::Centre } else { Sampling::Coverage };
    let heights = Heights::uniform(Microns(50));
    let settings = Settings { display, height_max_mm: 260.0, heights: heights.clone(), sampling };
    let bytes = fs::read(path).expect("a mesh file");
    let mut mesh = mesh_files::read(&bytes, None, &Limits::DESIGN).expect("a mesh").mesh;
    transform::lay_flat(&mut mesh);
    let middle = mesh.bounds().expect("a size").center();
    let [x, y] = display.plate_mm();
    transform::translate(&mut mesh, Vector3::new(x / 2.0 - middle.x, y / 2.0 - middle.y, 0.0));

    let parts = [Part { name: "plate", mesh: &mesh, offset_mm: [0.0; 3] }];
    let plate = Plate::prepare(&parts, settings).expect("a plate that fits");
    let scene = Scene::of(&heights, plate.layer_count());
    let rules = Rules { thin_mm, ..Rules::GEOMETRY };
    let raised = Rules { base: Base::Raised, ..rules.clone() };
    let cancel = AtomicBool::new(false);
    let control = Control { cancel: &cancel, progress: &|_, _| {} };
    let (mut slicing, mut both) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        slicing.push(cost(|| {
            stream(&plate, control, |_| (), |()| Ok::<(), ()>(())).expect("layers");
        }));
        both.push(cost(|| {
            let _ = check(&plate, &scene, &rules, control).expect("a report");
        }));
    }
    println!("prepared layers {:?} s, with checks {:?} s", middle_of(slicing), middle_of(both));
    for rules in [rules, raised] {
        let report = check(&plate, &scene, &rules, control).expect("a report");
        println!("{:?}: {:?}, {} layers", rules.base, report.counts, report.area_curve.len());
    }
}

/// Processor seconds of the process while `work` runs, by the kernel's count of 10 ms.
fn cost(work: impl FnOnce()) -> f64 {
    let before = ticks();
    work();
    f64::from(ticks() - before) / 100.0
}

fn ticks() -> u32 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    fields.get(11..13).unwrap_or_default().iter().filter_map(|field| field.parse::<u32>().ok()).sum()
}

fn middle_of(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
