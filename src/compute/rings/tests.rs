use std::f64::consts::{PI, TAU};

use super::*;
use crate::mesh::{CheckSettings, bore, check};
use crate::mesh_files::{MeshFormat, ReadMesh};

const SETTINGS: CheckSettings =
    CheckSettings { pieces_expected: 1, inner_diameter_mm: None, wall_samples: 0, wall_mm_min: None };

fn every_kind() -> Vec<RingDesign> {
    vec![
        RingDesign::band(17.3, 4.0, 1.8, BandProfile::Flat),
        RingDesign::band(16.5, 2.4, 1.5, BandProfile::HalfRound),
        RingDesign::band(21.0, 6.0, 2.0, BandProfile::Comfort),
        RingDesign::signet(20.6),
        RingDesign::solitaire(17.3, 6, 6.5),
        RingDesign::solitaire(15.7, 4, 4.0),
        RingDesign::solitaire(18.9, 8, 8.0),
    ]
}

#[test]
fn every_ring_is_one_sound_shell_with_the_exact_hole() {
    for design in every_kind() {
        let mesh = design.generate().unwrap();
        assert!((20_000..80_000).contains(&mesh.triangles.len()), "{design:?}: {}", mesh.triangles.len());
        let read = ReadMesh { mesh, format: MeshFormat::Stl, declared_unit: None, findings: Vec::new() };

        let report = check(read, &SETTINGS).report;

        assert!(report.watertight && report.shells == 1, "{design:?}: {report:?}");
        assert_eq!(report.repairs, []);
        assert_eq!(report.findings, []);
        let hole = report.ring.unwrap();
        assert!((hole.inner_diameter_mm - design.inner_diameter_mm).abs() < 0.01, "{design:?}: {hole:?}");
        assert!(hole.axis[2].abs() > 0.9999);
    }
}

#[test]
fn a_flat_band_has_the_volume_of_its_polygon_ring() {
    let mesh = RingDesign::band(17.3, 4.0, 1.8, BandProfile::Flat).generate().unwrap();

    let segments = (TAU * (8.65 + 1.8) / RESOLUTION_MM).ceil();
    let polygon = segments / TAU * (TAU / segments).sin();
    let exact = PI * ((8.65_f64 + 1.8).powi(2) - 8.65_f64.powi(2)) * 4.0 * polygon;
    assert!((mesh.signed_volume() - exact).abs() < 1e-4, "{} {exact}", mesh.signed_volume());
}

#[test]
fn a_signet_has_a_flat_face_of_the_wanted_size() {
    let mesh = RingDesign::signet(20.6).generate().unwrap();

    let top = mesh.bounds().unwrap().max.y;
    let face: Vec<_> = mesh.vertices.iter().filter(|vertex| f64::from(vertex.y) > top - 1e-4).collect();
    let reach = |axis: usize| {
        let along = |vertex: &&nalgebra::Point3<f32>| f64::from(vertex[axis]);
        let low = face.iter().map(along).fold(f64::INFINITY, f64::min);
        face.iter().map(along).fold(f64::NEG_INFINITY, f64::max) - low
    };
    assert!((top - (10.3 + 2.4)).abs() < 1e-5);
    assert!((reach(0) - 12.0).abs() < 0.3, "{}", reach(0));
    assert!((reach(2) - 10.0).abs() < 1e-5);
}

#[test]
fn a_solitaire_has_its_prongs_around_the_stone() {
    let mesh = RingDesign::solitaire(17.3, 6, 6.5).generate().unwrap();

    let top = mesh.bounds().unwrap().max.y;
    let mut is_held = [false; 6];
    for vertex in mesh.vertices.iter().filter(|vertex| f64::from(vertex.y) > top - 0.3) {
        let angle = f64::from(vertex.z).atan2(f64::from(vertex.x)) + PI;
        is_held[crate::mesh::cast::index(angle / TAU * 6.0).min(5)] = true;
        assert!(f64::from(vertex.x).hypot(f64::from(vertex.z)) > 2.4, "metal over the middle of the stone");
    }
    assert_eq!(is_held, [true; 6]);
}

#[test]
fn every_solitaire_that_is_accepted_is_one_shell() {
    for prongs in [3, 4, 6, 12] {
        for stone in [2.0, 4.0, 12.0] {
            for (inner, width, thickness) in [(11.0, 1.5, 1.0), (22.0, 4.0, 2.5)] {
                let design = RingDesign {
                    width_mm: width,
                    thickness_mm: thickness,
                    ..RingDesign::solitaire(inner, prongs, stone)
                };
                let read = ReadMesh {
                    mesh: design.generate().unwrap(),
                    format: MeshFormat::Stl,
                    declared_unit: None,
                    findings: Vec::new(),
                };

                let report = check(read, &SETTINGS).report;

                assert!(report.watertight && report.shells == 1, "{design:?}: {} shells", report.shells);
                assert_eq!(report.findings, [], "{design:?}");
            }
        }
    }
}

#[test]
fn numbers_out_of_range_are_refused_by_name() {
    let error = RingDesign::band(170.0, 4.0, 1.8, BandProfile::Flat).generate().unwrap_err();
    assert!(error.to_string().contains("the inner diameter is 170 mm"));
    assert!(RingDesign::solitaire(17.3, 2, 6.5).generate().is_err());
    assert!(bore::measure(&Mesh::default()).is_none());
}
