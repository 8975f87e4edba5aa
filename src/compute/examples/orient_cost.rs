//! What orienting costs in processor time, and what it finds: `orient_cost FILE.stl...`, and generated rings.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for a developer")]

use std::fs;
use std::sync::atomic::AtomicBool;

use nalgebra::{UnitQuaternion, Vector3};
use sprue_compute::mesh::{CheckSettings, Mesh, bore, check};
use sprue_compute::mesh_files::{Limits, read};
use sprue_compute::orient::{Settings, Weights, ZoneMap, orient, overhang_mm2};
use sprue_compute::rings::RingDesign;

/// A castable resin on a printer of this size; for comparison of times only.
const SETTINGS: Settings = Settings {
    weights: Weights::ASSUMED,
    self_support_degrees: 40.0,
    peel_mm2: 120.0,
    tip_diameter_mm: 0.3,
    mm2_per_tip: 8.8,
    pillar_diameter_mm: 0.7,
    lift_mm: 4.0,
};

fn main() {
    for path in std::env::args().skip(1) {
        let bytes = fs::read(&path).expect("a file");
        let read = read(&bytes, None, &Limits::DESIGN).expect("a mesh");
        let mesh = check(
            read,
            &CheckSettings {
                pieces_expected: 1,
                inner_diameter_mm: None,
                wall_samples: 0,
                wall_mm_min: None,
            },
        )
        .mesh;
        show(&path, &mesh);
    }
    for resolution_mm in [0.28, 0.05] {
        let design = RingDesign { resolution_mm, ..RingDesign::solitaire(17.3, 6, 6.5) };
        show(&format!("solitaire, {resolution_mm} mm"), &design.generate().expect("a ring"));
    }
}

fn show(name: &str, mesh: &Mesh) {
    let ring = bore::measure(mesh);
    let zones = ring
        .as_ref()
        .map_or_else(|| ZoneMap::plain(mesh.triangles.len()), |ring| ZoneMap::of_ring(mesh, ring));
    let before = ticks();
    let choice =
        orient(mesh, ring.as_ref(), &zones, &SETTINGS, None, &AtomicBool::new(false)).expect("an answer");
    let seconds = f64::from(ticks() - before) / 100.0;
    println!("{name}: {} faces, {seconds:.2} s", mesh.triangles.len());
    let cost = |rotation: &UnitQuaternion<f64>| -> f64 {
        let found = overhang_mm2(mesh, &zones, rotation, SETTINGS.self_support_degrees);
        found.iter().zip(&zones.classes).map(|(mm2, class)| mm2 * class.weight).sum()
    };
    for answer in &choice.orientations {
        let up = answer.up();
        let place = format!("up {:.3} {:.3} {:.3}", up.x, up.y, up.z);
        println!("   {place}, zone overhang {:.2}, {}", cost(&answer.rotation), answer.score.summary());
    }
    for (what, up) in [("as designed", Vector3::z()), ("on x", Vector3::x()), ("on y", Vector3::y())] {
        for (sign, sense) in [(1.0, "+"), (-1.0, "-")] {
            let turn = UnitQuaternion::rotation_between(&(up * sign), &Vector3::z())
                .unwrap_or_else(|| UnitQuaternion::from_axis_angle(&Vector3::x_axis(), std::f64::consts::PI));
            println!("   {sense}{what}: zone overhang {:.2}", cost(&turn));
        }
    }
}

fn ticks() -> u32 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    fields.get(11..13).unwrap_or_default().iter().filter_map(|field| field.parse::<u32>().ok()).sum()
}
