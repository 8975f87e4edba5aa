use std::f64::consts::PI;
use std::sync::atomic::AtomicBool;

use super::{LINE_MAX, WaxError, WaxJob, WaxWritten, write};
use crate::mesh::Mesh;
use crate::slice::Part;
use crate::slice::tests::{solids, unwatched};
use crate::units::Microns;

fn job() -> WaxJob {
    WaxJob {
        build_mm: [120.0, 100.0, 80.0],
        layer_height: Microns(100),
        extrusion_width_mm: 0.4,
        filament_mm: 1.75,
        nozzle_celsius: 145.0,
        bed_celsius: Some(45.0),
        fan_pwm: 128,
        print_mm_per_s: 20.0,
        first_layer_mm_per_s: 10.0,
        travel_mm_per_s: 80.0,
        retract_mm: 1.5,
        retract_mm_per_s: 25.0,
        retract_from_mm: 2.0,
        end_lift_mm: 10.0,
        start_script: vec!["G28".to_owned()],
        software: "sprue 1.2.3".to_owned(),
    }
}

fn printed(job: &WaxJob, mesh: &Mesh) -> (String, WaxWritten) {
    let parts = [Part { name: "ring", mesh, offset_mm: [60.0, 50.0, 0.0] }];
    let cancel = AtomicBool::new(false);
    let mut out = Vec::new();
    let outcome = write(job, &parts, &mut out, unwatched(&cancel)).unwrap();
    (String::from_utf8(out).unwrap(), outcome)
}

/// A machine that only knows absolute moves: follows the text and adds up what it does.
#[derive(Default)]
struct Machine {
    at: [f64; 4],
    /// Wax laid in each layer, mm³, and the longest way laid along x and along y.
    laid: Vec<[f64; 3]>,
    drawn_back: f64,
}

impl Machine {
    fn follow(text: &str) -> Self {
        let mut machine = Machine::default();
        for line in text.lines() {
            if line.starts_with(";LAYER:") {
                machine.laid.push([0.0; 3]);
            }
            let words: Vec<&str> = line.split(' ').collect();
            match words[0] {
                "G92" => machine.at[3] = 0.0,
                "G0" | "G1" => machine.go(&words),
                _ => {}
            }
        }
        machine
    }

    fn go(&mut self, words: &[&str]) {
        let before = self.at;
        for word in &words[1..] {
            if let Some(axis) = "XYZE".find(&word[..1]) {
                self.at[axis] = word[1..].parse().unwrap();
            }
        }
        let pressed = self.at[3] - before[3];
        let [x, y] = [0, 1].map(|axis| (self.at[axis] - before[axis]).abs());
        if x + y == 0.0 {
            self.drawn_back -= pressed;
            return;
        }
        assert!(pressed >= 0.0 && (pressed == 0.0 || self.drawn_back.abs() < 1e-6), "{words:?}");
        let layer = self.laid.last_mut().unwrap();
        if pressed > 0.0 {
            layer[0] += pressed * PI * 1.75 * 1.75 / 4.0;
            layer[1] += x;
            layer[2] += y;
        }
    }
}

#[test]
fn the_wax_is_the_volume_of_the_solid() {
    let (radius, height) = (8.0, 5.0);
    let mesh = solids::cylinder(radius, height, 360);
    let (text, outcome) = printed(&job(), &mesh);

    let machine = Machine::follow(&text);

    let exact = PI * radius * radius * height;
    let laid: f64 = machine.laid.iter().map(|layer| layer[0]).sum();
    assert!((laid / exact - 1.0).abs() < 0.01, "{laid} mm³, not {exact}");
    assert!((outcome.volume_ml * 1000.0 / laid - 1.0).abs() < 1e-4);
    assert_eq!(outcome.layers, 50);
    for layer in &machine.laid {
        assert!((layer[0] / (exact / 50.0) - 1.0).abs() < 0.01, "{} mm³ in a layer", layer[0]);
    }
}

#[test]
fn the_wax_of_a_ring_is_its_volume() {
    let mesh = solids::torus(9.0, 1.5, 180, 60);
    let (text, _) = printed(&job(), &mesh);

    let laid: f64 = Machine::follow(&text).laid.iter().map(|layer| layer[0]).sum();

    let exact = 2.0 * PI * PI * 9.0 * 1.5 * 1.5;
    assert!((laid / exact - 1.0).abs() < 0.01, "{laid} mm³, not {exact}");
}

#[test]
fn layers_alternate_and_the_part_stands_where_it_was_put() {
    let mesh = solids::cuboid([0.0, 0.0, 0.0], [10.0, 4.0, 0.4]);
    let (text, _) = printed(&job(), &mesh);

    let machine = Machine::follow(&text);

    for (index, [_, along_x, along_y]) in machine.laid.iter().enumerate() {
        assert_eq!(*along_x > 0.0, index % 2 == 0, "layer {index}");
        assert_eq!(*along_y > 0.0, index % 2 == 1, "layer {index}");
    }
    let numbers = |axis: char| -> Vec<f64> {
        let words = text.lines().filter(|line| line.contains('E')).flat_map(|line| line.split(' '));
        words.filter_map(|word| word.strip_prefix(axis)).map(|n| n.parse().unwrap()).collect()
    };
    for (axis, low, high) in [('X', 60.0, 70.0), ('Y', 50.0, 54.0)] {
        let all = numbers(axis);
        let (least, most) = all.iter().fold((f64::MAX, f64::MIN), |(a, b), &n| (a.min(n), b.max(n)));
        assert!((least - low).abs() < 0.21 && (most - high).abs() < 0.21, "{axis} {least}..{most}");
    }
}

#[test]
fn rows_are_walked_to_and_fro() {
    let mesh = solids::cuboid([0.0, 0.0, 0.0], [10.0, 4.0, 0.1]);
    let (text, _) = printed(&job(), &mesh);

    let travels = text.lines().filter(|line| line.starts_with("G0 X")).count();
    let retracts = text.lines().filter(|line| line.starts_with("G1 E")).count();

    assert_eq!(travels, 10, "one short step for each row");
    assert_eq!(retracts, 1, "only at the end");
}

#[test]
fn the_text_is_what_the_firmware_takes() {
    let (text, outcome) = printed(&job(), &solids::torus(9.0, 1.5, 60, 24));
    let lines: Vec<&str> = text.lines().collect();

    assert!(text.is_ascii() && lines.iter().all(|line| line.len() <= LINE_MAX));
    assert_eq!(outcome.bytes, u64::try_from(text.len()).unwrap());
    assert_eq!(lines[lines.len() - 2..], ["M400", "M84"]);
    let place = |wanted: &str| lines.iter().position(|line| *line == wanted).unwrap();
    let heated = place("M109 S145");
    assert!(place("M190 S45") < heated && heated < place("G28") && place("G28") < place(";LAYER:0"));
    let last_press = lines.iter().rposition(|line| line.starts_with("G1 X")).unwrap();
    assert!(last_press < place("M104 S0") && place("M140 S0") < place("M400"));
    assert_eq!(lines.iter().filter(|line| line.starts_with(";LAYER:")).count(), 30);
    let known = [
        "G0", "G1", "G21", "G28", "G90", "G92", "M82", "M84", "M104", "M106", "M107", "M109", "M140", "M190",
        "M400",
    ];
    for line in lines.iter().filter(|line| !line.starts_with(';')) {
        assert!(known.contains(&line.split(' ').next().unwrap()), "{line}");
    }
}

#[test]
fn a_number_or_script_that_makes_no_sense_is_refused() {
    let mesh = solids::cuboid([0.0; 3], [1.0; 3]);
    let refused = |job: &WaxJob| {
        let parts = [Part { name: "ring", mesh: &mesh, offset_mm: [9.0, 9.0, 0.0] }];
        let cancel = AtomicBool::new(false);
        write(job, &parts, Vec::new(), unwatched(&cancel)).unwrap_err()
    };

    assert!(matches!(
        refused(&WaxJob { extrusion_width_mm: 0.0, ..job() }),
        WaxError::Range { field: "extrusion width" }
    ));
    assert!(matches!(refused(&WaxJob { retract_mm: f64::NAN, ..job() }), WaxError::Range { .. }));
    for line in ["G1 X1\nM104 S400".to_owned(), "x".repeat(80)] {
        assert!(matches!(refused(&WaxJob { start_script: vec![line], ..job() }), WaxError::Script { .. }));
    }
    assert!(matches!(refused(&WaxJob { build_mm: [9.5, 20.0, 20.0], ..job() }), WaxError::Prepare(_)));
}
