//! `sprue slice` as a technician calls it: what the shop knows goes into the file, and what can't be sliced leaves
//! nothing behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const SPRUE: &str = env!("CARGO_BIN_EXE_sprue");

/// A box as text STL, mm; faces outward.
fn cuboid(folder: &Path, name: &str, [x, y, z]: [f64; 3]) -> PathBuf {
    let corner =
        |index: usize| [(index & 1) as f64 * x, (index >> 1 & 1) as f64 * y, (index >> 2) as f64 * z];
    let faces = [
        [0, 2, 3],
        [0, 3, 1],
        [4, 5, 7],
        [4, 7, 6],
        [0, 1, 5],
        [0, 5, 4],
        [2, 6, 7],
        [2, 7, 3],
        [0, 4, 6],
        [0, 6, 2],
        [1, 3, 7],
        [1, 7, 5],
    ];
    let mut text = "solid box\n".to_owned();
    for face in faces {
        text += "facet normal 0 0 0\nouter loop\n";
        for [x, y, z] in face.map(corner) {
            text += &format!("vertex {x} {y} {z}\n");
        }
        text += "endloop\nendfacet\n";
    }
    let path = folder.join(name);
    std::fs::write(&path, text + "endsolid box\n").unwrap();
    path
}

fn slice(design: &Path, printer: &str, out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(SPRUE);
    command.arg("slice").arg(design).args(["--printer", printer, "--material", "bluecast-x-one", "--as-is"]);
    command.arg("-o").arg(out).args(more).output().unwrap()
}

fn answer(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn inspected(file: &Path) -> Value {
    answer(&Command::new(SPRUE).arg("inspect").arg(file).arg("--json").output().unwrap())
}

fn refused(output: &Output, code: &str) -> String {
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(code), "{text}");
    text
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A shop file with a price and corrections that somebody measured.
fn shop(folder: &Path) -> PathBuf {
    let text = r#"
[workshop]
name = "Test"
time_zone = "UTC"
routing = "print-only"

[[exposure]]
printer = "elegoo-mars-4"
material = "bluecast-x-one"
layer_um = 50
exposure_s = 6.5
bottom_exposure_s = 25.0
bottom_layers = 3
transition_layers = 2
by = "Technician A"
source = "exposure test"

[exposure.correction]
xy_um = -50
elephant_foot = { inward_um = 100, layers = 2 }
rest = { before_lift_s = 0.5, after_lift_s = 0.0, after_retract_s = 1.0 }
light_off_s = 20.0
range = [{ from_um = 500, exposure_s = 8.0, layer_um = 25 }]
source = "ring gauge, 2026-11-20"

[[price]]
material = "bluecast-x-one"
per_litre = 500.0
currency = "EUR"
source = "invoice 17"
"#;
    let path = folder.join("workshop.toml");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn what_the_shop_measured_is_in_the_file_and_in_the_estimate() {
    let folder = tempfile::tempdir().unwrap();
    let design = cuboid(folder.path(), "box.stl", [4.0, 4.0, 1.0]);
    let (config, out) = (shop(folder.path()), folder.path().join("box.goo"));

    let sliced = answer(&slice(
        &design,
        "elegoo-mars-4",
        &out,
        &["--config", &config.display().to_string(), "--json"],
    ));
    let file = inspected(&out);

    let layers = file["layers"].as_array().unwrap();
    let number = |layer: usize, key: &str| layers[layer][key].as_f64().unwrap();
    // 0.5 mm in layers of 50 µm, 0.5 mm in layers of 25 µm.
    assert_eq!(layers.len(), 30);
    assert!((number(9, "z_um") - 500.0).abs() < 0.01 && (number(10, "z_um") - 525.0).abs() < 0.01);
    let seconds = |layer| number(layer, "exposure_s");
    assert!((seconds(2) - 25.0).abs() < 1e-4 && (seconds(9) - 6.5).abs() < 1e-4, "{layers:?}");
    assert!((seconds(10) - 8.0).abs() < 1e-4);
    for (layer, side) in [(0, 3.7_f64), (1, 3.8), (2, 3.9), (20, 3.9)] {
        assert!((number(layer, "area_mm2") - side * side).abs() < 2e-3, "layer {layer}");
    }
    // Every move takes longer than the lamp has to be dark, but the normal one: 3 + 2 + 1.5 s are drawn out to 20 s.
    let exposures: f64 = (0..30).map(seconds).sum();
    let print_s = sliced["print_s"].as_f64().unwrap();
    assert!((print_s - exposures - 30.0 * 20.0).abs() < 0.1, "{print_s} for exposures of {exposures}");
    assert!((file["print_s"].as_f64().unwrap() - print_s).abs() <= 0.5);
    let ml = sliced["volume_ml"].as_f64().unwrap();
    assert!((sliced["cost"]["amount"].as_f64().unwrap() - 0.5 * ml).abs() < 1e-9);
    assert_eq!(sliced["cost"]["currency"], "EUR");
    assert_eq!(sliced["weight_g"], Value::Null, "nobody published the density of this resin");
}

#[test]
fn options_of_the_command_line_beat_the_profiles() {
    let folder = tempfile::tempdir().unwrap();
    let design = cuboid(folder.path(), "box.stl", [4.0, 4.0, 1.0]);
    let out = folder.path().join("box.goo");

    let sliced = answer(&slice(
        &design,
        "elegoo-mars-4",
        &out,
        &["--json", "--layer-ranges", "500:25", "--exposure-ranges", "800:9", "--xy-compensation", "-100"],
    ));
    let file = inspected(&out);

    assert_eq!(sliced["layers"], 30);
    let seconds = |layer: usize| file["layers"][layer]["exposure_s"].as_f64().unwrap();
    // The exposure of 25 µm layers is the one that is known for them.
    assert!((seconds(15) - 6.0).abs() < 1e-4 && (seconds(29) - 9.0).abs() < 1e-4, "{file}");
    assert!((file["layers"][4]["area_mm2"].as_f64().unwrap() - 3.8 * 3.8).abs() < 2e-3);
}

#[test]
fn a_wire_that_compensation_would_wipe_out_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let design = cuboid(folder.path(), "wire.stl", [0.08, 3.0, 0.5]);
    let out = folder.path().join("wire.goo");

    let sliced = answer(&slice(&design, "elegoo-mars-4", &out, &["--json", "--xy-compensation", "-50"]));

    assert_eq!(sliced["findings"][0]["code"], "WALL_TOO_THIN", "{sliced}");
    assert!((sliced["volume_ml"].as_f64().unwrap() - 0.08 * 3.0 * 0.5 / 1000.0).abs() < 2e-6, "{sliced}");
}

#[test]
fn a_file_that_the_printer_could_not_follow_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let design = cuboid(folder.path(), "box.stl", [4.0, 4.0, 1.0]);
    let out = |name: &str| folder.path().join(name);

    let tilting = refused(&slice(&design, "prusa-sl1", &out("a.goo"), &[]), "FORMAT_MISMATCH");
    refused(&slice(&design, "prusa-sl1", &out("b.sl1"), &["--layer-ranges", "500:25"]), "one layer height");
    refused(
        &slice(&design, "elegoo-mars-4", &out("c.goo"), &["--layer-ranges", "500:30"]),
        "EXPOSURE_MISSING",
    );
    refused(&slice(&design, "elegoo-mars-4", &out("d.goo"), &["--grey", "9:9,255:255"]), "CORRECTION");

    assert!(tilting.contains("name the file .sl1"), "{tilting}");
    assert_eq!(names(folder.path()), ["box.stl"]);
}

#[test]
fn what_does_not_fit_or_has_no_height_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let wide = cuboid(folder.path(), "wide.stl", [200.0, 4.0, 1.0]);
    let flat = cuboid(folder.path(), "flat.stl", [4.0, 4.0, 0.000_001]);
    let out = folder.path().join("plate.goo");

    let too_wide = refused(&slice(&wide, "elegoo-mars-4", &out, &[]), "PLATE_NOT_SLICED");
    let no_layers = slice(&flat, "elegoo-mars-4", &out, &[]);

    assert!(too_wide.contains("over the left edge of the display"), "{too_wide}");
    assert_eq!(no_layers.status.code(), Some(1));
    assert_eq!(names(folder.path()), ["flat.stl", "wide.stl"]);
}

/// A limit on the size of files stands in for a disk that fills up while the file is written.
#[test]
fn a_full_disk_leaves_no_file_under_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let design = cuboid(folder.path(), "box.stl", [4.0, 4.0, 1.0]);
    let out = folder.path().join("box.goo");
    std::fs::write(&out, "the plate of yesterday").unwrap();

    // Blocks of 512 bytes; the signal that would end the program is ignored, so that the write fails.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    let full = Command::new("sh")
        .args(["-c", script, SPRUE, "slice"])
        .arg(&design)
        .args(["--printer", "elegoo-mars-4", "--material", "bluecast-x-one", "--as-is", "-o"])
        .arg(&out)
        .output()
        .unwrap();

    let text = String::from_utf8_lossy(&full.stderr);
    assert_eq!(full.status.code(), Some(3), "{text}");
    assert!(text.contains("can't write"), "{text}");
    assert_eq!(names(folder.path()), ["box.goo", "box.stl"], "nothing unfinished stays");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "the plate of yesterday");
}
