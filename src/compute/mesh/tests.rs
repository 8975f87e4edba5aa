//! Sound rings, damaged in known ways: each must come back as it was, or be refused with the right cause.

use nalgebra::{Point3, Vector3};
use proptest::prelude::*;

use super::check::tests::{cube, inside_out, merged};
use super::*;
use crate::finding::Severity;
use crate::mesh_files::{MeshFormat, ReadMesh};
use crate::rings::{BandProfile, RingDesign};

const SETTINGS: CheckSettings =
    CheckSettings { pieces_expected: 1, inner_diameter_mm: None, wall_samples: 0, wall_mm_min: None };

fn checked(mesh: Mesh) -> Checked {
    let read = ReadMesh { mesh, format: MeshFormat::Stl, declared_unit: None, findings: Vec::new() };
    check(read, &SETTINGS)
}

/// The mesh as a file that writes every face on its own would bring it.
fn reread(mesh: &Mesh) -> Mesh {
    let mut welder = weld::Welder::new(mesh.vertices.len());
    let add = |index: u32| welder.add(mesh.vertices[index as usize].coords.into());
    let mut add = add;
    let triangles = mesh.triangles.iter().map(|face| face.map(&mut add)).collect();
    Mesh { vertices: welder.into_vertices(), triangles }
}

fn ring(which: usize) -> Mesh {
    let mut design = [
        RingDesign::band(17.3, 4.0, 1.8, BandProfile::Flat),
        RingDesign::band(14.9, 2.5, 1.4, BandProfile::HalfRound),
        RingDesign::signet(19.8),
        RingDesign::solitaire(16.5, 4, 5.0),
    ][which % 4];
    design.resolution_mm = 0.45;
    design.generate().unwrap()
}

fn codes(report: &MeshReport) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// A small generator of indices, so that a damage is named by one number.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % count
    }

    fn part(&mut self) -> f32 {
        f32::from(u16::try_from(self.below(65_536)).unwrap()) / 65_536.0
    }
}

/// Gives every face corners of its own, moved by up to `reach_mm`.
fn cracked(mesh: &Mesh, reach_mm: f32, random: &mut Random) -> Mesh {
    let mut apart = Mesh::default();
    for face in &mesh.triangles {
        let first = u32::try_from(apart.vertices.len()).unwrap();
        for &index in face {
            let mut step = || (random.part() - 0.5) * 1.15 * reach_mm;
            apart.vertices.push(mesh.vertices[index as usize] + Vector3::new(step(), step(), step()));
        }
        apart.triangles.push([first, first + 1, first + 2]);
    }
    reread(&apart)
}

/// Splits faces at the middle of an edge without telling the neighbour.
fn with_t_junctions(mesh: &Mesh, count: usize, random: &mut Random) -> Mesh {
    let mut split = mesh.clone();
    for _ in 0..count {
        let face = random.below(mesh.triangles.len());
        let [a, b, c] = split.triangles[face];
        let part = 0.2 + 0.6 * random.part();
        let [from, to] = [a, b].map(|index| split.vertices[index as usize]);
        let middle = u32::try_from(split.vertices.len()).unwrap();
        split.vertices.push(from + (to - from) * part);
        split.triangles[face] = [a, middle, c];
        split.triangles.push([middle, b, c]);
    }
    split
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 28, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_ring_comes_back_as_it_was(
        which in 0..4_usize,
        damage in 0..7_usize,
        count in 1..12_usize,
        seed in any::<u64>(),
    ) {
        let sound = ring(which);
        let volume = sound.signed_volume();
        let random = &mut Random(seed);
        let (broken, code, off_part) = match damage {
            0 => {
                let mut broken = sound.clone();
                for _ in 0..count {
                    let face = random.below(broken.triangles.len());
                    broken.triangles.remove(face);
                }
                (broken, "EDGE_OPEN", 2.0e-3)
            }
            1 => {
                let mut broken = sound.clone();
                for _ in 0..count {
                    let face = random.below(broken.triangles.len());
                    broken.triangles[face] = [2, 1, 0].map(|corner: usize| sound.triangles[face][corner]);
                }
                (broken, "WINDING_MIXED", 1.0e-9)
            }
            2 => {
                let mut broken = sound.clone();
                for _ in 0..count {
                    broken.triangles.push(broken.triangles[random.below(sound.triangles.len())]);
                }
                (broken, "TRI_DUPLICATE", 1.0e-9)
            }
            3 => {
                let reach_mm = [0.0002, 0.001, 0.0025][random.below(3)];
                (cracked(&sound, reach_mm, random), "EDGE_CRACK", 2.0e-3)
            }
            4 => (with_t_junctions(&sound, count, random), "EDGE_CRACK", 1.0e-6),
            5 => (inside_out(sound.clone()), "SHELL_INVERTED", 1.0e-9),
            _ => {
                let crumbs = (0..count).map(|at| cube(Point3::new(40.0 + at as f32, 0.0, 0.0), 0.1));
                (merged(&[vec![sound.clone()], crumbs.collect()].concat()), "SHELL_DEBRIS", 1.0e-9)
            }
        };

        let Checked { mesh, report } = checked(broken);

        prop_assert!(report.watertight && !report.is_refused(), "{damage} {:#?}", report.findings);
        prop_assert!((report.volume_mm3 / volume - 1.0).abs() <= off_part, "{} {volume}", report.volume_mm3);
        prop_assert!(codes(&report).contains(&code), "{code} {:#?}", report.findings);
        prop_assert!(report.repairs.iter().all(|repair| repair.moved_mm_max <= 0.0051));
        prop_assert_eq!(report.shells, 1);
        prop_assert!((mesh.signed_volume() / volume - 1.0).abs() <= off_part);
    }
}

#[test]
fn a_sound_ring_comes_back_vertex_for_vertex() {
    for which in 0..4 {
        let sound = reread(&ring(which));
        let Checked { mesh, report } = checked(sound.clone());
        assert_eq!(mesh, sound);
        assert_eq!((report.repairs, report.findings), (Vec::new(), Vec::new()));
    }
}

#[test]
fn bodies_that_touch_along_an_edge_in_a_corner_or_on_a_face_become_sound() {
    let body = cube(Point3::new(0.0, 0.0, 0.0), 4.0);
    for (corner, shells, code, volume) in [
        (Point3::new(4.0, 4.0, 0.0), 2, "EDGE_NONMANIFOLD", 128.0),
        (Point3::new(4.0, 0.0, 0.0), 1, "TRI_DUPLICATE", 128.0),
    ] {
        let touching = reread(&merged(&[body.clone(), cube(corner, 4.0)]));
        let report = checked(touching).report;
        assert!(report.watertight && !report.is_refused(), "{:#?}", report.findings);
        assert_eq!(report.shells, shells);
        assert!(codes(&report).contains(&code), "{:#?}", report.findings);
        assert!((report.volume_mm3 - volume).abs() < 1e-9);
        assert!(report.repairs.iter().any(|repair| repair.severity == Severity::Warning));
    }
}

#[test]
fn a_fin_and_a_sheet_inside_are_dropped_and_shown() {
    let body = cube(Point3::new(0.0, 0.0, 0.0), 4.0);
    let mut with_fin = body.clone();
    with_fin.vertices.push(Point3::new(-2.0, -2.0, 2.0));
    with_fin.triangles.push([0, 4, 8]);

    let report = checked(with_fin).report;

    assert!((report.volume_mm3 - 64.0).abs() < 1e-9 && report.watertight);
    let fin = report.findings.iter().find(|finding| finding.code == "EDGE_NONMANIFOLD").unwrap();
    assert_eq!(fin.severity, Severity::Warning);

    // Two boxes with the wall between them left in once.
    let mut pair = reread(&merged(&[body, cube(Point3::new(4.0, 0.0, 0.0), 4.0)]));
    pair.triangles.retain(|face| {
        !face.iter().all(|&at| pair.vertices[at as usize].x > 3.9 && pair.vertices[at as usize].x < 4.1)
            || face[0] % 2 == 0
    });
    let report = checked(pair).report;
    assert!(report.watertight && (report.volume_mm3 - 128.0).abs() < 1e-6, "{:#?}", report.findings);
}

#[test]
fn overlapping_bodies_count_once_within_a_thousandth() {
    let mesh = merged(&[
        cube(Point3::new(0.0, 0.0, 0.0), 4.0),
        cube(Point3::new(2.7, 1.3, 0.9), 4.0),
        cube(Point3::new(1.1, 1.2, 1.3), 0.7),
    ]);
    let report = checked(mesh).report;

    let union = 128.0 - 1.3 * 2.7 * 3.1;
    assert!((report.volume_mm3 / union - 1.0).abs() < 1e-3, "{} {union}", report.volume_mm3);
    assert!((report.signed_volume_mm3 - 128.343).abs() < 1e-3);
    assert_eq!(codes(&report), ["SHELL_OVERLAP"]);
}

#[test]
fn large_holes_and_surfaces_without_an_inside_are_refused() {
    for which in 0..2 {
        let mut open = ring(which);
        open.triangles.truncate(open.triangles.len() * 4 / 5);
        let report = checked(open).report;
        assert!(report.is_refused() && codes(&report).contains(&"OPEN_SURFACE"), "{:#?}", report.findings);
    }

    // A band that comes back turned over (Moebius), 10 mm wide.
    let strips: Vec<[f32; 3]> = (0..60_u8)
        .flat_map(|step| {
            let angle = f32::from(step) / 60.0 * std::f32::consts::TAU;
            [-5.0_f32, 5.0].map(|out| {
                let far = 20.0 + out * (angle / 2.0).cos();
                [far * angle.cos(), far * angle.sin(), out * (angle / 2.0).sin()]
            })
        })
        .collect();
    let quads = (0..60_u32).flat_map(|step| {
        let (a, b) = (2 * step, 2 * step + 1);
        let (c, d) = if step == 59 { (1, 0) } else { (a + 2, b + 2) };
        [[a, c, b], [b, c, d]]
    });
    let moebius =
        Mesh { vertices: strips.into_iter().map(Point3::from).collect(), triangles: quads.collect() };
    let report = checked(moebius).report;
    let is_error = |code: &str| {
        report.findings.iter().any(|finding| finding.code == code && finding.severity == Severity::Error)
    };
    assert!(is_error("WINDING_MIXED") && is_error("OPEN_SURFACE"), "{:#?}", report.findings);
}

/// Without the faces whose middle lies in a wedge below the finger hole.
fn with_gap(mesh: &Mesh, half_angle: f64) -> Mesh {
    let mut cut = mesh.clone();
    cut.triangles.retain(|face| {
        let middle: Vector3<f64> =
            face.iter().map(|&index| mesh.vertices[index as usize].coords.cast::<f64>()).sum();
        middle.x.atan2(-middle.y).abs() > half_angle
    });
    assert!(cut.triangles.len() < mesh.triangles.len());
    cut
}

/// Gives every `nth` face corners of its own, moved by up to `reach_mm`.
fn loosened(mesh: &Mesh, nth: usize, reach_mm: f32, random: &mut Random) -> Mesh {
    let mut loose = mesh.clone();
    for face in (0..mesh.triangles.len()).step_by(nth) {
        let first = u32::try_from(loose.vertices.len()).unwrap();
        for index in mesh.triangles[face] {
            let mut step = || (random.part() - 0.5) * 1.15 * reach_mm;
            loose.vertices.push(mesh.vertices[index as usize] + Vector3::new(step(), step(), step()));
        }
        loose.triangles[face] = [first, first + 1, first + 2];
    }
    loose
}

#[test]
fn a_missing_piece_is_never_guessed_not_even_of_a_thin_ring_or_a_tangle() {
    let mut wire = RingDesign::band(17.3, 1.0, 0.8, BandProfile::HalfRound);
    wire.resolution_mm = 0.3;
    let rings = [ring(0), ring(1), ring(2), ring(3), wire.generate().unwrap()];
    for (which, sound) in rings.iter().enumerate() {
        for half_angle in [0.1, 0.5, 1.5] {
            let cut = with_gap(sound, half_angle);
            let random = &mut Random(u64::try_from(which).unwrap());
            let loose = loosened(&cut, 10, 0.012, random);
            for broken in [cut, loose] {
                let report = checked(broken).report;
                assert!(
                    report.is_refused() && !report.watertight,
                    "{which} {half_angle} {:#?}",
                    report.findings
                );
                assert!(codes(&report).contains(&"OPEN_SURFACE"), "{which} {:#?}", report.findings);
            }
        }
    }
}

#[test]
fn a_tangle_of_loose_faces_becomes_the_same_solid_or_is_refused() {
    let sound = ring(3);
    for (nth, reach_mm) in [(10, 0.007), (10, 0.012), (30, 0.012), (1, 0.012)] {
        let tangle = loosened(&sound, nth, reach_mm, &mut Random(5));

        let Checked { mesh, report } = checked(tangle);

        if report.is_refused() {
            assert!(codes(&report).contains(&"OPEN_SURFACE"), "{:#?}", report.findings);
            continue;
        }
        assert!(report.watertight && report.shells == 1, "{:#?}", report.findings);
        let part = report.volume_mm3 / sound.signed_volume();
        assert!((part - 1.0).abs() < 0.005, "{nth} {reach_mm} {part}");
        assert!(report.repairs.iter().any(|repair| repair.severity == Severity::Warning));
        assert!((mesh.signed_volume() / sound.signed_volume() - 1.0).abs() < 0.005);
    }
}

#[test]
fn hostile_meshes_end_in_time() {
    let many: Vec<Mesh> = (0..60).map(|_| cube(Point3::new(0.0, 0.0, 0.0), 5.0)).collect();
    let nested: Vec<Mesh> =
        (1..100_u16).map(|at| cube(Point3::new(0.0, 0.0, 0.0), f32::from(at) * 0.01)).collect();
    let fan = Mesh {
        vertices: (0..1_000_u16)
            .map(|at| Point3::new(f32::from(at) * 0.001, 0.0, f32::from(at % 7)))
            .collect(),
        triangles: (1..999).map(|at| [0, at, at + 1]).collect(),
    };
    let random = &mut Random(3);
    let mut corner = || Point3::new(5.0 * random.part(), 5.0 * random.part(), 5.0 * random.part());
    let heap: Vec<Mesh> = (0..3000).map(|_| cube(corner(), 5.0)).collect();
    let close: Vec<Mesh> = (0..3000).map(|_| cube(corner() * 0.002, 5.0)).collect();
    let shells: Vec<Mesh> = (0..1500_u16)
        .map(|at| cube(Point3::from([0.003 * f32::from(at); 3]), 10.0 - 0.006 * f32::from(at)))
        .collect();
    let soup = |faces: u32| {
        let random = &mut Random(u64::from(faces));
        let vertices = (0..3 * faces).map(|_| Point3::from([0; 3].map(|_| 20.0 * random.part()))).collect();
        Mesh { vertices, triangles: (0..faces).map(|face| [3 * face, 3 * face + 1, 3 * face + 2]).collect() }
    };
    let meshes = [merged(&many), merged(&nested), fan, merged(&heap), merged(&close), merged(&shells)];
    let refused = [false, false, true, true, true, true, true, true];
    for (mesh, refused) in meshes.into_iter().chain([soup(2_000), soup(20_000)]).zip(refused) {
        let start = thread_seconds();
        let report = checked(mesh).report;
        let spent = thread_seconds() - start;
        assert!(report.volume_mm3.is_finite());
        assert_eq!(report.is_refused(), refused, "{:#?}", report.findings);
        assert!(spent < 8.0, "{spent} CPU s for {} faces", report.triangles);
    }
}

/// Processor seconds of this thread; 0 where they can't be known (Linux; 100 ticks a second).
fn thread_seconds() -> f64 {
    let Ok(stat) = std::fs::read_to_string("/proc/thread-self/stat") else { return 0.0 };
    let (_, numbers) = stat.rsplit_once(')').unwrap();
    numbers.split_whitespace().skip(11).take(2).flat_map(str::parse::<f64>).sum::<f64>() / 100.0
}
