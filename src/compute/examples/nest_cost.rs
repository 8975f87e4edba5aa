//! How densely a plate is filled for how much work.
//!
//! ```text
//! nest_cost WORK[,WORK…] SEED COUNT STEP KIND… [--outlines FILE.json]
//! ```
//!
//! A kind is `FILE.stl@TILT`, `band@TILT`, `signet@TILT` or `solitaire@TILT`, the tilt about x in degrees. COUNT
//! pieces of each kind compete for one plate of 153.36 x 77.76 mm with a gap of 1.6 mm, turned in steps of STEP
//! degrees. Prints processor seconds (user and system) of laying the plate and the part of it that the pieces take,
//! each grown by half the gap, and proves the plate by the true outlines.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a measuring program")]

use std::fs;

use nalgebra::Vector3;
use sprue_compute::mesh::{Mesh, transform};
use sprue_compute::mesh_files::{self, Limits};
use sprue_compute::nest::{self, Effort, Outline, Piece, Plate, Turns};
use sprue_compute::rings::{BandProfile, RingDesign};
use sprue_compute::units::Microns;

/// Half of the gap between pieces, mm.
const HALF_GAP_MM: f64 = 0.8;
/// Clock ticks in a second of `/proc`.
const TICKS: f64 = 100.0;

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let file = words.iter().position(|word| word == "--outlines").map(|at| words.split_off(at));
    let [works, seed, count, step, kinds @ ..] = &words[..] else {
        println!("see the head of the file");
        return;
    };
    let outlines: Vec<Outline> = kinds.iter().map(|kind| outline(kind)).collect();
    if let Some([_, path]) = file.as_deref() {
        let grown: Vec<_> = outlines.iter().map(Outline::simple).collect();
        fs::write(path, serde_json::to_vec(&grown).expect("JSON")).expect("a file");
    }
    println!("{:.3} processor seconds for {} outlines", cpu_s(), outlines.len());
    let (seed, count) = (seed.parse().expect("a seed"), count.parse().expect("a count"));
    for work in works.split(',') {
        let effort = Effort { work: work.parse().expect("a work count"), seed };
        run(&outlines, count, Turns::Every(step.parse().expect("degrees")), effort);
    }
}

fn run(outlines: &[Outline], count: usize, turns: Turns, effort: Effort) {
    let plate = Plate {
        width: Microns(153_360),
        depth: Microns(77_760),
        border: Microns(800),
        gap: Microns(1600),
        dead_zones: Vec::new(),
    };
    let piece = |outline: usize| Piece { outline, turns, height: Microns(25_000), priority: 0, order: 0 };
    let pieces: Vec<Piece> = (0..count).flat_map(|_| (0..outlines.len()).map(piece)).collect();
    let begun = cpu_s();
    let placements = nest::place(outlines, &pieces, &plate, effort);
    let spent = cpu_s() - begun;
    let faults = nest::faults(outlines, &pieces, &plate, &placements.placed);
    let taken: Vec<f64> = outlines.iter().map(|outline| outline.area_grown_mm2(HALF_GAP_MM)).collect();
    let all: f64 = pieces.iter().map(|piece| taken[piece.outline]).sum();
    let placed: f64 = placements.placed.iter().map(|spot| taken[pieces[spot.index].outline]).sum();
    println!(
        "work {:>9}: {spent:6.2} processor seconds, density {:.4}, {} of {} pieces ({all:.0} mm2 in all), {} faults",
        effort.work,
        placed / (153.36 * 77.76),
        placements.placed.len(),
        pieces.len(),
        faults.len()
    );
}

fn outline(kind: &str) -> Outline {
    let (name, tilt) = kind.rsplit_once('@').expect("KIND@TILT");
    let mut mesh = mesh_of(name);
    let radians = tilt.parse::<f64>().expect("degrees").to_radians();
    transform::rotate(&mut mesh, Vector3::x(), radians);
    Outline::of(&mesh).expect("an outline")
}

fn mesh_of(name: &str) -> Mesh {
    let made = match name {
        "band" => RingDesign::band(17.3, 5.0, 1.8, BandProfile::Comfort),
        "signet" => RingDesign::signet(18.1),
        "solitaire" => RingDesign::solitaire(16.5, 6, 6.5),
        path => {
            let bytes = fs::read(path).expect("a mesh file");
            return mesh_files::read(&bytes, None, &Limits::DESIGN).expect("a mesh").mesh;
        }
    };
    made.generate().expect("a ring")
}

/// Processor seconds of this process so far.
fn cpu_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("the process table");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("fields").split_whitespace().collect();
    [11, 12].iter().map(|field| fields[*field].parse::<f64>().expect("ticks")).sum::<f64>() / TICKS
}
