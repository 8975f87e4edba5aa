//! What is wrong with a plate is told by the slicer, by `sprue inspect` and to the shop.

use std::process::Command;
use std::sync::atomic::AtomicBool;

use nalgebra::Point3;
use serde_json::{Value, json};
use sprue::config::profiles;
use sprue::services::slicing;
use sprue::shop::plate::SlicedFile;
use sprue::units::{Microns, Timestamp};
use sprue_compute::mesh::Mesh;
use sprue_compute::plate_checks::{Closed, PlateReport};
use sprue_compute::slice::Control;

/// A box, its faces outward; or inward, as the wall of a hollow.
fn cuboid(mesh: &mut Mesh, low: [f32; 3], high: [f32; 3], outward: bool) {
    let first = u32::try_from(mesh.vertices.len()).unwrap();
    for corner in 0..8 {
        let side = |axis: usize| if corner >> axis & 1 == 1 { high[axis] } else { low[axis] };
        mesh.vertices.push(Point3::new(side(0), side(1), side(2)));
    }
    let quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
    for [a, b, c, d] in quads.map(|quad| quad.map(|corner: u32| corner + first)) {
        let faces = if outward { [[a, b, c], [a, c, d]] } else { [[a, c, b], [a, d, c]] };
        mesh.triangles.extend(faces);
    }
}

/// A post with a hollow of 8 mm³, an arm, and a tip that hangs down from it to 3 mm above the plate.
fn hook() -> Mesh {
    let mut mesh = Mesh::default();
    cuboid(&mut mesh, [20.0, 20.0, 0.0], [26.0, 24.0, 8.0], true);
    cuboid(&mut mesh, [21.0, 21.0, 1.0], [23.0, 23.0, 3.0], false);
    cuboid(&mut mesh, [25.0, 21.0, 6.0], [32.0, 23.0, 8.0], true);
    cuboid(&mut mesh, [30.0, 21.0, 3.0], [31.0, 23.0, 7.0], true);
    mesh
}

fn sliced() -> slicing::PrintFile {
    let profiles = profiles::built_in().unwrap();
    let settings =
        slicing::resolve(&profiles, &[], "elegoo-mars-4", "bluecast-x-one", Some(Microns(50))).unwrap();
    let never = AtomicBool::new(false);
    let control = Control { cancel: &never, progress: &|_, _| {} };
    settings.slice(&[("pc_hook".to_owned(), hook())], "hook", Timestamp(0), control).unwrap()
}

fn has_both_faults(report: &PlateReport) {
    let [island] = &report.islands[..] else { panic!("{:?}", report.islands) };
    assert_eq!((island.layer, island.joins_layer), (60, Some(120)));
    let [trap] = &report.pockets[..] else { panic!("{:?}", report.pockets) };
    assert_eq!((trap.closed, trap.first_layer, trap.last_layer), (Closed::ForEver, 20, 59));
    assert!((trap.volume_ml - 0.008).abs() < 0.0004, "{}", trap.volume_ml);
    assert_eq!(report.area_curve.len(), 160);
}

#[test]
fn the_slicer_names_the_piece_with_an_island_and_where_on_the_build_area_it_is() {
    let file = sliced();

    let report = file.report.unwrap();
    has_both_faults(&report);
    let island = report.findings.iter().find(|finding| finding.code == "ISLAND").unwrap();
    assert!(island.place.starts_with("pc_hook layer 60 at 30."), "{}", island.place);
    let [x, y] = report.islands[0].centroid_mm;
    assert!((x - 30.5).abs() < 0.05 && (y - 22.0).abs() < 0.05, "{x} {y}");
    assert!(report.findings.iter().any(|finding| finding.code == "PEEL_UNCHECKED"));
}

#[test]
fn inspect_finds_in_the_file_what_the_slicer_found_on_the_layers() {
    let file = sliced();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hook.goo");
    std::fs::write(&path, &file.bytes).unwrap();
    let inspect = |more: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_sprue")).arg("inspect").arg(&path).args(more).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };

    let answer: Value = serde_json::from_str(&inspect(&["--json", "--checks", "--peel-mm2", "20"])).unwrap();
    let report: PlateReport = serde_json::from_value(answer["checks"].clone()).unwrap();
    has_both_faults(&report);
    for (read, made) in report.area_curve.iter().zip(&file.report.unwrap().area_curve) {
        assert!((read.area_mm2 - made.area_mm2).abs() < 1e-6 && read.areas == made.areas);
    }
    assert!(report.findings.iter().any(|finding| finding.code == "PEEL_AREA"));
    let plain: Value = serde_json::from_str(&inspect(&["--json"])).unwrap();
    assert!(plain.get("checks").is_none() && plain["layers"] == answer["layers"]);
    let text = inspect(&["--checks"]);
    assert!(text.contains("warning TRAPPED_RESIN layer 20 at "), "{text}");
}

#[test]
fn print_files_that_were_recorded_before_there_were_checks_have_no_findings() {
    let recorded = json!({
        "sha256": "0".repeat(64), "bytes": 1, "format": "goo", "layers": 1, "print_time": 1000, "volume_ml": 0.1
    });
    let file: SlicedFile = serde_json::from_value(recorded).unwrap();
    assert!(file.findings.is_empty());
}
