//! What the check and the repair of a design cost, and what they find.
//!
//! ```text
//! repair_cost FILE [KEPT]
//! ```
//!
//! Reads a mesh, keeps the first `KEPT` thousandths of its faces if that is said, and checks it without measuring
//! walls. Prints processor seconds (user and system) of reading and of each turn of the check, and the report.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a measuring program")]

use std::fs;

use sprue_compute::mesh::{CheckSettings, check};
use sprue_compute::mesh_files::{self, Limits};

const SETTINGS: CheckSettings =
    CheckSettings { pieces_expected: 1, inner_diameter_mm: None, wall_samples: 0, wall_mm_min: None };

/// Turns; the middle one counts.
const TURNS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [path] => run(path, 1000),
        [path, kept] => run(path, kept.parse().expect("a number of thousandths")),
        _ => println!("see the head of the file"),
    }
}

fn run(path: &str, kept: usize) {
    let bytes = fs::read(path).expect("a mesh file");
    for _ in 0..TURNS {
        let start = seconds();
        let mut read = mesh_files::read(&bytes, None, &Limits::DESIGN).expect("a mesh");
        let keep = read.mesh.triangles.len() * kept / 1000;
        read.mesh.triangles.truncate(keep);
        let middle = seconds();
        let report = check(read, &SETTINGS).report;
        let end = seconds();
        println!("read {:.2} s, check {:.2} s", middle - start, end - middle);
        println!(
            "{} faces, {} shells, {} open edges, volume {:.4} mm3, plain sum {:.4} mm3, refused {}",
            report.triangles,
            report.shells,
            report.boundary_edges,
            report.volume_mm3,
            report.signed_volume_mm3,
            report.is_refused()
        );
        for finding in &report.findings {
            println!("{:?} {} at {}: {}", finding.severity, finding.code, finding.place, finding.text);
        }
    }
}

/// Processor seconds of this process (Linux; 100 ticks a second).
fn seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("a process table");
    let (_, after_name) = stat.rsplit_once(')').expect("a line of the table");
    after_name.split_whitespace().skip(11).take(2).flat_map(str::parse::<f64>).sum::<f64>() / 100.0
}
