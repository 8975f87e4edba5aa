//! What measuring costs.
//!
//! ```text
//! measure_cost FILE.stl bore|thickness
//! ```
//!
//! Prints processor seconds of each of some turns, and what was measured.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a measuring program")]

use std::fs;

use sprue_compute::measure;
use sprue_compute::mesh::bore;
use sprue_compute::mesh_files::{self, Limits};

/// Five thresholds, as the figures name them.
const LIMITS_MM: [f64; 5] = [0.4, 0.5, 0.6, 0.7, 0.8];
const TURNS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, what] = &arguments[..] else {
        println!("see the head of the file");
        return;
    };
    let bytes = fs::read(path).expect("a mesh file");
    let mesh = mesh_files::read(&bytes, None, &Limits::DESIGN).expect("a mesh").mesh;
    println!("{} triangles", mesh.triangles.len());
    for _ in 0..TURNS {
        let before = ticks();
        let found = if what == "bore" {
            format!("{:?}", bore::measure(&mesh))
        } else {
            let found = measure::thickness(&mesh, &LIMITS_MM);
            found.map_or_else(String::new, |found| format!("{:?} {:?}", found.levels, found.places.first()))
        };
        println!("{:.2} s {found}", f64::from(ticks() - before) / 100.0);
    }
}

/// Processor time of the process, all threads, by the kernel's count of 10 ms.
fn ticks() -> u32 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    fields.get(11..13).unwrap_or_default().iter().filter_map(|field| field.parse::<u32>().ok()).sum()
}
