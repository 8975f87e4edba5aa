//! What the machine does with the text: read back by a small interpreter that shares nothing with the writer.

mod machine;
mod section;

use std::f64::consts::PI;
use std::sync::atomic::AtomicBool;

use machine::{Machine, Stroke};
use section::Section;

use super::{Climate, LINE_MAX, Motion, PREVIEW_SIZE, Speeds, WaxError, WaxJob, WaxWritten, write};
use crate::mesh::Mesh;
use crate::preview;
use crate::slice::tests::{solids, unwatched};
use crate::slice::{Heights, Part};
use crate::toolpath::{Filling, Pattern, Rules, Seam, Support};
use crate::units::Microns;

/// A machine of the class that prints jewellery: 0.2 mm nozzle, 0.1 mm layers.
fn job() -> WaxJob {
    let climate = Climate { nozzle_celsius: 145.0, bed_celsius: Some(45.0), fan_pwm: 128 };
    WaxJob {
        build_mm: [120.0, 100.0, 80.0],
        heights: Heights::uniform(Microns(100)),
        rules: Rules {
            strand_mm: 0.22,
            strand_mm_min: 0.12,
            walls: 2,
            filling: Filling {
                percent: 100.0,
                pattern: Pattern::Rectilinear,
                degrees: 45.0,
                top_layers: 3,
                bottom_layers: 3,
            },
            seam: Seam::Nearest,
            tolerance_mm: 0.005,
            hop_mm: 2.0,
            support: None,
            brim_mm: 0.0,
            skirt_loops: 0,
            skirt_gap_mm: 3.0,
        },
        filament_mm: 1.75,
        first_layer: Climate { nozzle_celsius: 150.0, fan_pwm: 0, ..climate },
        other_layers: climate,
        speeds: Speeds {
            first_layer: 10.0,
            outer_wall: 15.0,
            inner_wall: 20.0,
            thin: 12.0,
            solid: 25.0,
            infill: 30.0,
            support: 22.0,
            travel: 80.0,
            lift: 10.0,
            mm3_per_s_max: 8.0,
            layer_s_min: 5.0,
            slowest: 4.0,
        },
        motion: Motion {
            press_mm_per_s2: 500.0,
            travel_mm_per_s2: 500.0,
            retract_mm_per_s2: 1000.0,
            jerk_mm_per_s: 8.0,
            retract_mm: 1.5,
            retract_mm_per_s: 25.0,
        },
        end_lift_mm: 10.0,
        start_script: vec!["G28".to_owned()],
        software: "sprue 1.2.3".to_owned(),
    }
}

fn with_rules(change: impl Fn(&mut Rules)) -> WaxJob {
    let mut job = job();
    change(&mut job.rules);
    job
}

fn supported() -> WaxJob {
    with_rules(|rules| {
        rules.support = Some(Support {
            degrees_max: 50.0,
            gap_mm: 0.1,
            side_gap_mm: 0.15,
            spacing_mm: 1.0,
            interface_layers: 2,
            interface_gap_mm: 0.2,
            column_mm: 1.5,
        });
    })
}

/// In the middle of the bed.
const MIDDLE: [f64; 3] = [60.0, 50.0, 0.0];

fn printed(job: &WaxJob, mesh: &Mesh) -> (Machine, WaxWritten, String) {
    let parts = [Part { name: "ring", mesh, offset_mm: MIDDLE }];
    let cancel = AtomicBool::new(false);
    let mut out = Vec::new();
    let outcome = write(job, &parts, &[], &mut out, unwatched(&cancel)).unwrap();
    let text = String::from_utf8(out).unwrap();
    (Machine::follow(&text, job.filament_mm), outcome, text)
}

/// Wax of the part in each layer, mm³.
fn part_mm3(machine: &Machine) -> Vec<f64> {
    machine
        .layers
        .iter()
        .map(|layer| layer.strokes.iter().filter(|s| s.is_part()).map(|s| s.mm3).sum())
        .collect()
}

fn assert_near(laid: f64, exact: f64, share: f64, what: &str) {
    assert!((laid / exact - 1.0).abs() < share, "{what}: {laid} mm³, not {exact}");
}

#[test]
fn the_wax_of_each_layer_is_the_volume_of_its_section() {
    let shank = solids::torus(9.0, 1.5, 180, 60);
    let cone = solids::cone(4.0, 6.0, 90);
    let block = solids::cuboid([0.0; 3], [7.3, 3.1, 1.0]);
    let wire = solids::torus(5.0, 0.16, 120, 24);
    let meshes = [("torus", shank), ("cone", cone), ("block", block), ("wire", wire)];
    for (name, mesh) in meshes {
        let (machine, outcome, _) = printed(&job(), &mesh);

        let section = Section::of(&mesh, MIDDLE);
        let laid = part_mm3(&machine);
        for (index, laid_mm3) in laid.iter().enumerate() {
            let plane_mm = (f64::from(u32::try_from(index).unwrap()) + 0.5) * 0.1;
            let exact = section.area_mm2(plane_mm) * 0.1;
            assert_near(*laid_mm3, exact, 0.01, &format!("{name}, layer {index}"));
        }
        let total: f64 = laid.iter().sum();
        assert_near(outcome.part_ml * 1000.0, total, 1e-3, name);
        assert_near(outcome.section_ml * 1000.0, total, 0.005, name);
    }
}
