//! What the machine does with the text: read back by a small interpreter that shares nothing with the writer.

mod machine;
mod section;

use std::sync::atomic::AtomicBool;

use machine::{Machine, Stroke};
use section::{Section, cross, outside_mm};

use super::{Climate, LINE_MAX, Motion, PREVIEW_SIZE, Speeds, WaxError, WaxJob, WaxWritten, write};
use crate::mesh::{CheckSettings, Mesh, check};
use crate::preview;
use crate::slice::tests::{solids, unwatched};
use crate::slice::{Control, HeightRange, Heights, Part};
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

/// A torus that stands: 12 mm bore in the middle of its wire, 2.4 mm thick.
fn upright_ring() -> Mesh {
    let mut mesh = solids::torus(6.0, 1.2, 120, 40);
    for vertex in &mut mesh.vertices {
        // A quarter turn about x, then up on the plate.
        (vertex.y, vertex.z) = (1.2 - vertex.z, vertex.y + 7.2);
    }
    mesh
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

/// The last digit of `E` is worth 0.000024 mm³.
fn assert_near(laid: f64, exact: f64, share: f64, what: &str) {
    assert!((laid - exact).abs() < share * exact + 2.5e-5, "{what}: {laid} mm³, not {exact}");
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

#[test]
fn concentric_filling_and_layers_of_two_thicknesses_keep_the_volume() {
    let mesh = solids::cylinder(4.0, 2.0, 90);
    let range = HeightRange { from: Microns(1000), layer: Microns(50) };
    let heights = Heights::with_ranges(Microns(100), &[range]).unwrap();
    for pattern in [Pattern::Rectilinear, Pattern::Concentric] {
        let mut job = with_rules(|rules| rules.filling.pattern = pattern);
        job.heights = heights.clone();
        let (machine, outcome, _) = printed(&job, &mesh);

        assert_eq!(outcome.layers, 30);
        let area_mm2 = Section::of(&mesh, MIDDLE).area_mm2(1.0);
        for (index, laid_mm3) in part_mm3(&machine).iter().enumerate() {
            let thick_mm = if index < 10 { 0.1 } else { 0.05 };
            assert_near(*laid_mm3, area_mm2 * thick_mm, 0.01, &format!("{pattern:?} layer {index}"));
        }
        assert!((machine.layers[29].z_mm - 2.0).abs() < 1e-9);
    }
}

#[test]
fn no_strand_lies_outside_the_part() {
    let upright = upright_ring();
    for mesh in [solids::torus(6.0, 1.2, 120, 40), solids::cone(3.0, 4.0, 60), upright] {
        let (machine, ..) = printed(&job(), &mesh);

        let section = Section::of(&mesh, MIDDLE);
        for layer in &machine.layers {
            let outline = section.outline(layer.z_mm - 0.05);
            for stroke in &layer.strokes {
                let middle = [0, 1].map(|axis| f64::midpoint(stroke.from[axis], stroke.to[axis]));
                for at in [stroke.from, middle, stroke.to] {
                    let outside_mm = outside_mm(&outline, at);
                    // The middle of a strand stays inside but for rounding: then the strand reaches half out at most.
                    assert!(outside_mm < 0.02, "{outside_mm} mm at {at:?}, z {}: {stroke:?}", layer.z_mm);
                }
            }
        }
    }
}

#[test]
fn no_way_without_wax_crosses_an_outline_unless_the_filament_is_drawn_back() {
    let mut crossings = 0;
    for mesh in [solids::torus(6.0, 1.2, 90, 30), upright_ring()] {
        let (machine, ..) = printed(&job(), &mesh);

        let section = Section::of(&mesh, MIDDLE);
        for layer in &machine.layers {
            let outline = section.outline(layer.z_mm - 0.05);
            for hop in &layer.hops {
                let is_crossing = outline.iter().any(|piece| cross([hop.from, hop.to], *piece));
                crossings += u32::from(is_crossing);
                assert!(!is_crossing || hop.is_drawn_back, "{hop:?} at z {}", layer.z_mm);
            }
        }
    }
    assert!(crossings > 0, "the two legs of a ring that stands are apart");
}

#[test]
fn inside_a_ring_the_nozzle_goes_along_it_rather_than_across_the_hole() {
    let (machine, ..) = printed(&job(), &solids::torus(6.0, 1.2, 90, 30));

    let hops = machine.layers[12].hops.len();
    let drawn_back = machine.layers[12].hops.iter().filter(|hop| hop.is_drawn_back).count();

    assert!(hops > 4 && drawn_back <= 1, "{drawn_back} of {hops}");
}

#[test]
fn the_first_layer_has_a_climate_and_a_speed_of_its_own() {
    let (machine, ..) = printed(&job(), &solids::cuboid([0.0; 3], [20.0, 20.0, 0.5]));

    assert_eq!(machine.climates[0].map(|number| format!("{number}")), ["150", "45", "0"]);
    let others = machine.climates[1..].iter().map(|climate| climate.map(|number| format!("{number}")));
    assert!(others.clone().count() > 3 && others.into_iter().all(|climate| climate == ["145", "45", "128"]));
    assert_eq!((machine.nozzle, machine.bed, machine.fan), (0.0, 0.0, 0.0), "all is off at the end");
    assert!(machine.layers[0].strokes.iter().all(|stroke| (stroke.mm_per_s - 10.0).abs() < 0.01));
    let speeds = [("External perimeter", 15.0), ("Perimeter", 20.0), ("Solid infill", 25.0)];
    for (kind, mm_per_s) in speeds {
        let strokes: Vec<&Stroke> = machine.layers[2].strokes.iter().filter(|s| s.kind == kind).collect();
        assert!(!strokes.is_empty(), "{kind}");
        assert!(strokes.iter().all(|stroke| (stroke.mm_per_s - mm_per_s).abs() < 0.02), "{kind}");
    }
}

#[test]
fn a_small_layer_is_laid_slowly_so_that_it_sets() {
    let (machine, outcome, text) = printed(&job(), &solids::cuboid([0.0; 3], [3.0, 3.0, 2.0]));

    assert!(outcome.print_s > 0.95 * 5.0 * 20.0, "{} s for 20 layers", outcome.print_s);
    let slowest =
        machine.layers.iter().flat_map(|layer| &layer.strokes).map(|s| s.mm_per_s).fold(99.0, f64::min);
    assert!((4.0..15.0).contains(&slowest), "{slowest} mm/s");
    let seconds = outcome.print_s.round();
    let told = format!("0h {}m {}s", (seconds / 60.0).floor(), seconds % 60.0);
    assert!(text.contains(&format!("; estimated printing time (normal mode) = {told}\n")), "{told}");
}

#[test]
fn an_open_filling_is_closed_where_it_is_seen() {
    let job = with_rules(|rules| {
        rules.filling.percent = 20.0;
        rules.walls = 1;
    });
    let (machine, ..) = printed(&job, &solids::cuboid([0.0; 3], [10.0, 10.0, 2.0]));

    let laid = part_mm3(&machine);
    for (index, laid_mm3) in laid.iter().enumerate() {
        let share = laid_mm3 / 10.0;
        if (3..17).contains(&index) {
            assert!((0.2..0.35).contains(&share), "layer {index} holds {share}");
        } else {
            assert!((share - 1.0).abs() < 0.01, "layer {index} holds {share}");
        }
    }
}

#[test]
fn a_step_is_closed_above_and_below() {
    let job = with_rules(|rules| {
        rules.filling.percent = 10.0;
        rules.walls = 1;
    });
    // A broad foot with a narrow tower on it: the foot's shoulder is seen from above.
    let (machine, ..) = printed(
        &job,
        &solids::turned(&[[0.0, 0.0], [8.0, 0.0], [8.0, 2.0], [4.0, 2.0], [4.0, 4.0], [0.0, 4.0]], 60),
    );

    let outer_mm3 = |index: usize| -> f64 {
        let is_outer = |stroke: &&Stroke| {
            let middle = [0, 1].map(|axis| f64::midpoint(stroke.from[axis], stroke.to[axis]) - MIDDLE[axis]);
            (4.5..7.5).contains(&middle[0].hypot(middle[1])) && stroke.kind == "Solid infill"
        };
        machine.layers[index].strokes.iter().filter(is_outer).map(|stroke| stroke.mm3).sum()
    };
    assert!(outer_mm3(18) > 8.0 && outer_mm3(10) < 0.5, "{} and {}", outer_mm3(18), outer_mm3(10));
}

#[test]
fn an_island_is_held_from_below_or_told() {
    let floating = solids::cuboid([0.0, 0.0, 3.0], [0.4, 0.4, 4.0]);
    let mut mesh = solids::cuboid([5.0, 0.0, 0.0], [8.0, 3.0, 4.0]);
    let first = u32::try_from(mesh.vertices.len()).unwrap();
    mesh.vertices.extend(&floating.vertices);
    mesh.triangles.extend(floating.triangles.iter().map(|corners| corners.map(|corner| corner + first)));

    let (_, alone, _) = printed(&job(), &mesh);
    let (machine, held, _) = printed(&supported(), &mesh);

    let told = alone.findings.iter().find(|finding| finding.code == "WAX_ISLAND").unwrap();
    assert_eq!(told.place, "layer 30, x 60.20 y 50.20 z 3.00 mm");
    assert!(held.findings.iter().all(|finding| finding.code != "WAX_ISLAND"), "{:?}", held.findings);
    for (index, layer) in machine.layers.iter().enumerate() {
        let below = |stroke: &&Stroke| {
            let near = |at: [f64; 2]| (at[0] - 60.2).hypot(at[1] - 50.2) < 1.5;
            stroke.kind == "Support material" && (near(stroke.from) || near(stroke.to))
        };
        let mm3: f64 = layer.strokes.iter().filter(below).map(|stroke| stroke.mm3).sum();
        // One layer stays free: 0.1 mm.
        assert_eq!(mm3 > 0.0, index < 29, "layer {index}: {mm3} mm³");
    }
}

#[test]
fn supports_hold_overhangs_and_keep_their_distance() {
    let mesh = upright_ring();
    let (machine, outcome, _) = printed(&supported(), &mesh);

    let section = Section::of(&mesh, MIDDLE);
    let mut held = 0;
    for layer in &machine.layers {
        let outline = section.outline(layer.z_mm - 0.05);
        for stroke in layer.strokes.iter().filter(|stroke| stroke.kind == "Support material") {
            held += 1;
            let middle = [0, 1].map(|axis| f64::midpoint(stroke.from[axis], stroke.to[axis]));
            let away_mm = outside_mm(&outline, middle);
            let half_mm = stroke.mm3 / stroke.long_mm() / 0.1 / 2.0;
            assert!(away_mm > 0.15 + half_mm - 0.04, "{away_mm} mm from the part at z {}", layer.z_mm);
        }
    }
    assert!(held > 100, "{held} strands");
    assert!(outcome.volume_ml > outcome.part_ml * 1.05);
    // The bore's crown is held: it begins at 12 mm in the middle and rises to its edges; one layer stays free.
    let crown = machine.layers.iter().rev().find(|layer| {
        layer.strokes.iter().any(|stroke| {
            stroke.kind == "Support material" && (stroke.from[0] - MIDDLE[0]).abs() < 2.0 && layer.z_mm > 8.0
        })
    });
    let z_mm = crown.unwrap().z_mm;
    assert!((11.85..=12.55).contains(&z_mm), "{z_mm}");
    let exact: f64 = part_mm3(&machine).iter().sum();
    assert_near(outcome.part_ml * 1000.0, exact, 1e-3, "the part");
}

#[test]
fn brim_and_skirt_lie_around_the_first_layer_only() {
    let job = with_rules(|rules| {
        rules.brim_mm = 0.66;
        rules.skirt_loops = 2;
    });
    let (machine, ..) = printed(&job, &solids::cuboid([0.0; 3], [5.0, 5.0, 0.3]));

    let lying = |layer: &machine::Layer| {
        layer.strokes.iter().filter(|stroke| stroke.kind == "Skirt/Brim").map(Stroke::long_mm).sum::<f64>()
    };
    // Three loops of brim at 0.11, 0.33, 0.55 mm, two of skirt 3 mm further out.
    let loops = [0.11, 0.33, 0.55, 0.66 + 3.11, 0.66 + 3.33].map(|off: f64| 4.0 * (5.0 + 2.0 * off));
    let exact: f64 = loops.iter().sum();
    assert!((lying(&machine.layers[0]) / exact - 1.0).abs() < 0.01, "{} {exact}", lying(&machine.layers[0]));
    assert!(machine.layers[1..].iter().all(|layer| lying(layer) == 0.0));
    assert_eq!(
        machine.layers[0].strokes[0].kind, "Skirt/Brim",
        "the nozzle is filled before the part begins"
    );
}

#[test]
fn a_seam_goes_where_the_profile_says() {
    let job = with_rules(|rules| rules.seam = Seam::Rear);
    let (machine, ..) = printed(&job, &solids::cylinder(4.0, 1.0, 60));

    for layer in &machine.layers {
        let first = layer.strokes.iter().find(|stroke| stroke.kind == "External perimeter").unwrap();
        assert!(first.from[1] > MIDDLE[1] + 3.85, "{first:?}");
    }
}

#[test]
fn a_thin_wire_ring_is_not_lost() {
    let Some(bytes) = shared_mesh("ring_filigree_wire0.55.stl.xz") else { return };
    let read = crate::mesh_files::read(&bytes, None, &crate::mesh_files::Limits::DESIGN).unwrap();
    let settings =
        CheckSettings { pieces_expected: 1, inner_diameter_mm: None, wall_samples: 0, wall_mm_min: None };
    let mut mesh = check(read, &settings).mesh;
    crate::mesh::transform::lay_flat(&mut mesh);

    let (machine, outcome, _) = printed(&job(), &mesh);

    let section = Section::of(&mesh, MIDDLE);
    for layer in &machine.layers {
        for [from, to] in section.outline(layer.z_mm - 0.05) {
            let middle = [f64::midpoint(from[0], to[0]), f64::midpoint(from[1], to[1])];
            let near =
                layer.strokes.iter().any(|stroke| section::off_line_mm(stroke.from, stroke.to, middle) < 0.3);
            assert!(near, "nothing is laid beside {middle:?} at z {}", layer.z_mm);
        }
    }
    assert_near(outcome.part_ml, outcome.section_ml, 0.002, "all layers");
}

/// A mesh of the shared collection, unpacked; `None` with a word if it isn't here.
fn shared_mesh(name: &str) -> Option<Vec<u8>> {
    let root = std::env::var("SPRUE_SHARED").unwrap_or_else(|_| "../../../shared".to_owned());
    let path = std::path::Path::new(&root).join("meshes").join(name);
    let unpacked = std::process::Command::new("xz").arg("-dc").arg(&path).output();
    let bytes = unpacked.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    if bytes.is_none() {
        println!("skipped: {} can't be unpacked", path.display());
    }
    bytes
}

#[test]
fn an_outline_that_does_not_close_is_told_and_laid() {
    let mut mesh = solids::cuboid([0.0; 3], [6.0, 6.0, 1.0]);
    let is_upright = |corners: &[u32; 3]| {
        let z = corners.map(|corner| mesh.vertices[crate::slice::usize_of(corner)].z);
        (z[0] - z[1]).abs() > 0.1 || (z[1] - z[2]).abs() > 0.1
    };
    let torn = mesh.triangles.iter().position(is_upright).unwrap();
    mesh.triangles.remove(torn);

    let (machine, outcome, _) = printed(&job(), &mesh);

    assert!(outcome.findings.iter().any(|finding| finding.code == "WAX_OPEN_OUTLINE"));
    assert!(part_mm3(&machine).iter().all(|mm3| *mm3 > 1.5));
}

#[test]
fn the_same_parts_give_the_same_bytes_on_any_number_of_threads() {
    let mesh = upright_ring();
    let bytes = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| printed(&supported(), &mesh).2)
    };

    assert!(bytes(1) == bytes(3));
}

#[test]
fn who_asks_to_stop_is_heard() {
    let mesh = solids::torus(9.0, 1.5, 60, 24);
    let parts = [Part { name: "ring", mesh: &mesh, offset_mm: MIDDLE }];
    let cancel = AtomicBool::new(false);
    let stop = |done: u32, _: u32| cancel.store(done == 5, std::sync::atomic::Ordering::Relaxed);
    let control = Control { cancel: &cancel, progress: &stop };

    let outcome = write(&job(), &parts, &[], Vec::new(), control);

    assert!(matches!(outcome, Err(WaxError::Cancelled)), "{outcome:?}");
}

#[test]
fn the_text_is_what_the_firmware_takes() {
    let mesh = solids::torus(9.0, 1.5, 60, 24);
    let parts = [Part { name: "ring", mesh: &mesh, offset_mm: MIDDLE }];
    let cancel = AtomicBool::new(false);
    let (width, height) = PREVIEW_SIZE;
    let picture = preview::draw(&parts, width, height);
    let mut out = Vec::new();
    let outcome =
        write(&job(), &parts, std::slice::from_ref(&picture), &mut out, unwatched(&cancel)).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();

    assert!(text.is_ascii() && lines.iter().all(|line| line.len() <= LINE_MAX));
    assert_eq!(outcome.bytes, u64::try_from(text.len()).unwrap());
    let place = |wanted: &str| lines.iter().position(|line| *line == wanted).unwrap();
    let heated = place("M109 S150");
    assert!(place("M190 S45") < heated && heated < place("G28") && place("G28") < place(";LAYER:0"));
    let last_press = lines.iter().rposition(|line| line.starts_with("G1 X")).unwrap();
    assert!(
        last_press < place("M104 S0") && place("M140 S0") < place("M400") && place("M400") < place("M84")
    );
    assert_eq!(lines.iter().filter(|line| line.starts_with(";LAYER:")).count(), 30);
    assert_eq!(thumbnail(&lines), picture.rgb);
}

/// The picture in the comments, read back.
fn thumbnail(lines: &[&str]) -> Vec<[u8; 3]> {
    let begin = lines.iter().position(|line| line.starts_with("; thumbnail begin 220x124 ")).unwrap();
    let end = lines.iter().position(|line| *line == "; thumbnail end").unwrap();
    let text: String = lines[begin + 1..end].iter().map(|line| &line[2..]).collect();
    assert!(lines[begin].ends_with(&format!(" {}", text.len())));
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut word, mut bits) = (0_usize, 0);
    for character in text.chars().filter(|c| *c != '=') {
        word = (word << 6 | alphabet.find(character).unwrap()) & 0xFFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(word >> bits & 0xFF).unwrap());
        }
    }
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels.as_chunks::<3>().0.to_vec()
}

#[test]
fn a_number_or_script_that_makes_no_sense_is_refused() {
    let mesh = solids::cuboid([0.0; 3], [1.0; 3]);
    let refused = |job: &WaxJob| {
        let parts = [Part { name: "ring", mesh: &mesh, offset_mm: [9.0, 9.0, 0.0] }];
        let cancel = AtomicBool::new(false);
        write(job, &parts, &[], Vec::new(), unwatched(&cancel)).unwrap_err()
    };

    let changed = |change: &dyn Fn(&mut WaxJob)| {
        let mut job = job();
        change(&mut job);
        refused(&job)
    };
    assert!(matches!(
        changed(&|job| job.rules.strand_mm = 0.0),
        WaxError::Range { field: "extrusion width" }
    ));
    assert!(matches!(changed(&|job| job.motion.retract_mm = f64::NAN), WaxError::Range { .. }));
    assert!(matches!(changed(&|job| job.rules.walls = 0), WaxError::Range { field: "walls" }));
    assert!(matches!(changed(&|job| job.rules.filling.percent = 101.0), WaxError::Range { field: "infill" }));
    for line in ["G1 X1\nM104 S400".to_owned(), "x".repeat(80)] {
        assert!(matches!(changed(&|job| job.start_script = vec![line.clone()]), WaxError::Script { .. }));
    }
    assert!(matches!(changed(&|job| job.build_mm = [9.5, 20.0, 20.0]), WaxError::Prepare(_)));
}
