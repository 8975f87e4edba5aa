//! Against the answers of other programs, on rings that lie beside the repository.
//!
//! Tweaker-3 3.9 was run in extended mode with either of its aims (it draws random numbers, so some rings have
//! several answers); PrusaSlicer's is the best of its 31 x 31 turns by its published score (the square root of
//! each face's area times the cube of its downwardness), computed apart. Upright and flat are added.

use std::path::{Path, PathBuf};
use std::process::Command;

use nalgebra::{UnitQuaternion, Vector3};

use super::{SETTINGS, answer, ring_zones};
use crate::mesh::{CheckSettings, Mesh, bore, check};
use crate::mesh_files::{Limits, read};
use crate::orient::{ZoneMap, overhang_mm2};

/// A ring, and the directions of the design that point up, of any length.
struct Row {
    file: &'static str,
    tweaker: &'static [[f64; 3]],
    rotfinder: [f64; 3],
}

const ROWS: &[Row] = &[
    Row {
        file: "real_bartmassey_ring_prong.stl.gz",
        tweaker: &[[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]],
        rotfinder: [0.7431, 0.3933, -0.5413],
    },
    Row {
        file: "real_embossed_band_us9_126k.stl.xz",
        tweaker: &[[0.0, 0.0, -1.0]],
        rotfinder: [0.2079, 0.2034, -0.9568],
    },
    Row {
        file: "real_engraved_band_us7_open_cracks.stl.xz",
        tweaker: &[[-0.7918, -0.6108, 0.0], [-1.0, -1.0, 0.0], [-0.9925, -0.1219, 0.0]],
        rotfinder: [0.0, 0.4067, 0.9135],
    },
    Row {
        file: "real_flower_ring_30mm.stl.gz",
        tweaker: &[[-1.0, 0.0, 0.0]],
        rotfinder: [0.4067, 0.0, 0.9135],
    },
    Row {
        file: "ring_eternity_28stone.stl.xz",
        tweaker: &[[0.0, 1.0, 0.0]],
        rotfinder: [0.4067, -0.1899, -0.8936],
    },
    Row {
        file: "ring_filigree_wire0.55.stl.xz",
        tweaker: &[[0.0, -1.0, 0.0], [0.0, 0.0, -1.0]],
        rotfinder: [0.7431, -0.6364, 0.2068],
    },
    Row {
        file: "ring_solitaire_6prong_us7.stl.gz",
        tweaker: &[[0.5711, -0.6512, 0.4997], [-0.5711, 0.6512, 0.4997], [0.7928, -0.6072, 0.052]],
        rotfinder: [0.0, -0.866, 0.5],
    },
];

#[test]
fn no_other_program_leaves_less_overhang_on_what_shows() {
    let Some(folder) = folder() else {
        println!("skipped: the shared meshes are not there");
        return;
    };
    let mut worse = Vec::new();
    for row in ROWS {
        let Some(mesh) = load(&folder.join(row.file)) else {
            println!("skipped: {} can't be unpacked here", row.file);
            continue;
        };
        let zones = ring_zones(&mesh);
        let ours = zone_cost(&mesh, &zones, &answer(&mesh, &zones).orientations[0].rotation);
        let axis = Vector3::from(bore::measure(&mesh).unwrap().axis);
        let flat = [[axis.x, axis.y, axis.z], [-axis.x, -axis.y, -axis.z]];
        let ups = row.tweaker.iter().chain([&row.rotfinder]).chain(&flat);
        let theirs: Vec<f64> = ups.map(|up| zone_cost(&mesh, &zones, &standing(up))).collect();
        println!("{}: {ours:.2} against {theirs:.2?}", row.file);
        if theirs.iter().any(|their| *their <= ours) {
            worse.push(row.file);
        }
    }
    assert_eq!(worse, Vec::<&str>::new());
}

fn zone_cost(mesh: &Mesh, zones: &ZoneMap, rotation: &UnitQuaternion<f64>) -> f64 {
    let found = overhang_mm2(mesh, zones, rotation, SETTINGS.self_support_degrees);
    found.iter().zip(&zones.classes).map(|(mm2, class)| mm2 * class.weight).sum()
}

fn standing(&[x, y, z]: &[f64; 3]) -> UnitQuaternion<f64> {
    UnitQuaternion::rotation_between(&Vector3::new(x, y, z), &Vector3::z())
        .unwrap_or_else(|| UnitQuaternion::from_axis_angle(&Vector3::x_axis(), std::f64::consts::PI))
}

fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("SPRUE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    Some(shared.join("meshes")).filter(|folder| folder.is_dir())
}

fn load(path: &Path) -> Option<Mesh> {
    let packer = if path.extension()? == "xz" { "xz" } else { "gzip" };
    let bytes = Command::new(packer).arg("-dc").arg(path).output().ok()?.stdout;
    let settings =
        CheckSettings { pieces_expected: 1, inner_diameter_mm: None, wall_samples: 0, wall_mm_min: None };
    Some(check(read(&bytes, None, &Limits::DESIGN).ok()?, &settings).mesh)
}
