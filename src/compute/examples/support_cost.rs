//! What supports of a part cost, and whether they hold.
//!
//! ```text
//! support_cost PARAMS.json FILE.stl TILT_DEGREES [prove] [OUT.stl]
//! ```
//!
//! Prints processor seconds (user and system, all threads) of making supports, slicing included, and the proof.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a measuring program")]

use std::fs;
use std::sync::atomic::AtomicBool;

use nalgebra::Vector3;
use sprue_compute::mesh::{Mesh, transform};
use sprue_compute::mesh_files::{self, Limits};
use sprue_compute::slice::Control;
use sprue_compute::support::{Params, generate};
use sprue_compute::support_proof::{Print, prove};
use sprue_compute::units::Microns;

/// Turns: the middle one counts.
const TURNS: usize = 3;

/// Height of the part above the plate, mm.
const RAISED_MM: f64 = 4.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [params, path, tilt, rest @ ..] = &words[..] else {
        println!("see the head of the file");
        return;
    };
    let params: Params =
        serde_json::from_slice(&fs::read(params).expect("a file of parameters")).expect("parameters");
    let part = part(path, tilt.parse().expect("degrees"));
    let cancel = AtomicBool::new(false);
    let control = Control { cancel: &cancel, progress: &|_, _| {} };
    let mut costs = Vec::new();
    let before = ticks();
    let supports = generate(&part, None, &params, "R-1047", control).expect("supports");
    costs.push(ticks() - before);
    for _ in 1..TURNS {
        let before = ticks();
        let _ = generate(&part, None, &params, "R-1047", control).expect("supports");
        costs.push(ticks() - before);
    }
    costs.sort_unstable();
    println!(
        "{path} at {tilt}: {} triangles, {:.2} s, {:?}",
        part.triangles.len(),
        f64::from(costs[TURNS / 2]) / 100.0,
        supports.stats
    );
    supports.findings.iter().take(5).for_each(|finding| println!("  {finding}"));
    if rest.contains(&"prove") {
        let print = Print {
            layer: Microns(params.layer_um),
            pixel_mm: params.pixel_mm,
            clearance_mm: 0.25,
            jump_mm2: 40.0,
        };
        let mut proof = prove(&part, None, &supports, &params, &print, control).expect("a proof");
        let faults = std::mem::take(&mut proof.faults);
        println!("  {proof:?}");
        for claim in 1..=7 {
            let of_claim: Vec<_> = faults.iter().filter(|fault| fault.claim == claim).collect();
            of_claim.iter().take(3).for_each(|fault| println!("  P{claim} {:.2?}", fault.at_mm));
        }
    }
    if let Some(out) = rest.iter().find(|word| word.ends_with(".stl")) {
        fs::write(out, stl(&[&part, &supports.mesh])).expect("a file");
    }
}

fn part(path: &str, tilt: f64) -> Mesh {
    let bytes = fs::read(path).expect("a mesh file");
    let mut mesh = mesh_files::read(&bytes, None, &Limits::DESIGN).expect("a mesh").mesh;
    transform::rotate(&mut mesh, Vector3::x(), f64::to_radians(tilt));
    transform::lay_flat(&mut mesh);
    let middle = mesh.bounds().expect("a size").center();
    transform::translate(&mut mesh, Vector3::new(-middle.x, -middle.y, RAISED_MM));
    mesh
}

fn stl(meshes: &[&Mesh]) -> Vec<u8> {
    let count: usize = meshes.iter().map(|mesh| mesh.triangles.len()).sum();
    let mut bytes = vec![b' '; 80];
    bytes.extend(u32::try_from(count).expect("a count").to_le_bytes());
    for mesh in meshes {
        for triangle in &mesh.triangles {
            bytes.extend([0; 12]);
            for corner in triangle {
                let point = mesh.vertices[*corner as usize];
                [point.x, point.y, point.z].iter().for_each(|value| bytes.extend(value.to_le_bytes()));
            }
            bytes.extend([0; 2]);
        }
    }
    bytes
}

fn ticks() -> u32 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    fields.get(11..13).unwrap_or_default().iter().filter_map(|field| field.parse::<u32>().ok()).sum()
}
