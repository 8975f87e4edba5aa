//! Facts about ways to stand.

mod peers;

use std::sync::atomic::AtomicBool;

use nalgebra::{Point3, Rotation3, UnitQuaternion, Vector3};

use super::*;
use crate::mesh::bore;
use crate::mesh::check::tests::merged;
use crate::rings::{BandProfile, RingDesign};
use crate::slice::LayerSource;
use crate::slice::tests::solids;

/// A castable resin.
pub(super) const SETTINGS: Settings = Settings {
    weights: Weights::ASSUMED,
    self_support_degrees: 40.0,
    peel_mm2: 120.0,
    tip_diameter_mm: 0.3,
    mm2_per_tip: 8.8,
    pillar_diameter_mm: 0.7,
    lift_mm: 4.0,
};

pub(super) fn answer(mesh: &Mesh, zones: &ZoneMap) -> Choice {
    let ring = bore::measure(mesh);
    orient(mesh, ring.as_ref(), zones, &SETTINGS, None, &AtomicBool::new(false)).unwrap()
}

fn solitaire() -> Mesh {
    RingDesign { resolution_mm: 0.4, ..RingDesign::solitaire(17.3, 4, 6.0) }.generate().unwrap()
}

pub(super) fn ring_zones(mesh: &Mesh) -> ZoneMap {
    bore::measure(mesh)
        .map_or_else(|| ZoneMap::plain(mesh.triangles.len()), |ring| ZoneMap::of_ring(mesh, &ring))
}

fn amount(answer: &Orientation, name: &str) -> f64 {
    answer.score.terms.iter().find(|term| term.name == name).unwrap().amount
}

/// A box without a lid, of walls that overlap.
fn open_box() -> Mesh {
    let wall = solids::cuboid;
    merged(&[
        wall([0.0, 0.0, 0.0], [10.0, 8.0, 1.0]),
        wall([0.0, 0.0, 0.0], [1.0, 8.0, 6.0]),
        wall([9.0, 0.0, 0.0], [10.0, 8.0, 6.0]),
        wall([0.0, 0.0, 0.0], [10.0, 1.0, 6.0]),
        wall([0.0, 7.0, 0.0], [10.0, 8.0, 6.0]),
    ])
}

#[test]
fn coarse_layers_hold_the_volume_of_a_part_however_it_is_turned() {
    let mesh = solitaire();
    let zones = vec![0; mesh.triangles.len()];
    for angles in [[0.0, 0.0, 0.0], [0.3, 0.2, 0.1], [1.0, -0.7, 2.0], [1.6, 0.0, 0.0]] {
        let turn = UnitQuaternion::from_euler_angles(angles[0], angles[1], angles[2]);

        let grid = grid::Grid::of(&mesh, &turn, &zones).unwrap();

        let layers = (0..grid.layer_count()).map(|index| grid.layer(index).unwrap());
        let volume: f64 = layers.map(|layer| layer.area_mm2 * grid.cell_mm).sum();
        let share = volume / mesh.signed_volume();
        assert!((0.99..1.01).contains(&share), "{share} at {angles:?}");
    }
}

#[test]
fn walls_that_overlap_count_once_in_coarse_layers() {
    let mesh = open_box();
    let grid = grid::Grid::of(&mesh, &UnitQuaternion::identity(), &vec![0; mesh.triangles.len()]).unwrap();

    let area = grid.layer(30).unwrap().area_mm2;

    assert!((area - (80.0 - 48.0)).abs() < 0.5, "{area}");
}

#[test]
fn a_floor_hangs_whole_a_slope_by_a_part_and_a_steep_one_not() {
    let slab = solids::cuboid([0.0, 0.0, 0.0], [20.0, 10.0, 0.001]);
    let zones = ZoneMap::plain(slab.triangles.len());
    let hanging = |degrees: f64| {
        let turn = UnitQuaternion::from_axis_angle(&Vector3::x_axis(), degrees.to_radians());
        overhang_mm2(&slab, &zones, &turn, 40.0)[0]
    };
    let slope = 200.0
        * 20.0_f64.to_radians().cos()
        * (1.0 - 20.0_f64.to_radians().tan() / 40.0_f64.to_radians().tan());

    assert!((hanging(0.0) - 200.0).abs() < 0.01);
    assert!((hanging(20.0) - slope).abs() < 0.05, "{} {slope}", hanging(20.0));
    assert!(hanging(41.0) < 0.05, "{}", hanging(41.0));
}

#[test]
fn turning_the_design_turns_the_answer() {
    let mesh = solitaire();
    let first = answer(&mesh, &ring_zones(&mesh));
    let best = &first.orientations[0];
    for angles in [[0.4, 1.1, -0.3], [2.0, 0.1, 0.9], [-1.3, 0.6, 2.4]] {
        let turn = Rotation3::from_euler_angles(angles[0], angles[1], angles[2]);
        let vertices = mesh.vertices.iter().map(|vertex| (turn * vertex.cast::<f64>()).cast()).collect();
        let turned = Mesh { vertices, triangles: mesh.triangles.clone() };

        let zones = ring_zones(&turned);
        let again = answer(&turned, &zones).orientations.remove(0);

        // The first answer, turned along, is as good as the new one: cells lie elsewhere, so that an island
        // more or less may be seen.
        let along = best.rotation * UnitQuaternion::from_rotation_matrix(&turn.inverse());
        let faces = Faces::of(&turned, &zones);
        let same = layers::analyse(&turned, along, &faces, &zones, &SETTINGS);
        let same = Score::of(&same.amounts, &zones, &SETTINGS).total;
        assert!((same - best.score.total).abs() < 3.1, "{same} {}", best.score.total);
        assert!(
            (again.score.total - best.score.total).abs() < 3.1,
            "{} {}",
            again.score.total,
            best.score.total
        );
    }
}

#[test]
fn a_ring_is_tilted_and_costs_less_than_upright_or_flat() {
    for mesh in [solitaire(), RingDesign::signet(18.0).generate().unwrap()] {
        let ring = bore::measure(&mesh).unwrap();

        let best = answer(&mesh, &ring_zones(&mesh)).orientations.remove(0);

        let tilt = Vector3::from(ring.axis).dot(&best.up()).abs().asin().to_degrees();
        assert!((5.0..75.0).contains(&tilt), "{tilt}");
    }
}

#[test]
fn a_band_gives_one_answer_for_all_its_rolls() {
    let mesh = RingDesign::band(18.0, 4.0, 1.8, BandProfile::HalfRound).generate().unwrap();

    let choice = answer(&mesh, &ZoneMap::plain(mesh.triangles.len()));

    let tilts: Vec<i64> = choice
        .orientations
        .iter()
        .map(|answer| cast::floor(answer.up().z.abs().asin().to_degrees() + 0.5))
        .collect();
    let mut different = tilts.clone();
    different.dedup();
    assert_eq!(different, tilts);
}

#[test]
fn a_protected_face_is_not_printed_downward() {
    let mesh = RingDesign::signet(18.0).generate().unwrap();
    let mut zones = ring_zones(&mesh);
    zones.classes.push(ZoneClass { name: "the engraving".to_owned(), weight: 4.0, is_forbidden: true });
    for (face, zone) in zones.of_face.iter_mut().enumerate() {
        let [a, b, c] = mesh.corners(face);
        let normal = (b - a).cross(&(c - a)).normalize();
        if normal.y > 0.99 && a.y > 11.0 {
            *zone = 4;
        }
    }
    assert!(zones.of_face.contains(&4));

    let choice = answer(&mesh, &zones);

    for answer in &choice.orientations {
        assert!(amount(answer, "refused contacts") < 0.5, "{}", answer.score.summary());
        assert!(answer.up().y > -0.77, "{}", answer.up());
    }
    assert_eq!(choice.findings, []);
}

#[test]
fn an_open_box_is_not_printed_as_a_cup() {
    let mesh = open_box();
    let zones = ZoneMap::plain(mesh.triangles.len());
    let faces = Faces::of(&mesh, &zones);
    let upright = layers::analyse(&mesh, UnitQuaternion::identity(), &faces, &zones, &SETTINGS);

    let best = answer(&mesh, &zones).orientations.remove(0);

    assert_eq!(upright.amounts.cups, 1);
    assert!(amount(&best, "cups") < 0.5);
}

#[test]
fn the_answer_is_the_same_on_any_number_of_threads() {
    let mesh = solitaire();
    let zones = ring_zones(&mesh);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| answer(&mesh, &zones))
    };

    let one = with(1);

    assert_eq!(one, with(2));
    assert_eq!(one, with(5));
}

#[test]
fn real_supports_decide_among_the_finalists() {
    let mesh = solitaire();
    let (zones, ring) = (ring_zones(&mesh), bore::measure(&mesh));
    let guessed = answer(&mesh, &zones);
    let best = apply(&mesh, &guessed.orientations[0]);
    let refuses_the_best = |part: &Mesh| {
        let refused = u32::from(*part == best);
        Ok(SupportCost { islands: None, contact_mm2: vec![0.1; 4], refused, volume_mm3: 50.0 })
    };
    let fails_for_the_best = |part: &Mesh| {
        if *part == best { Err("no pillar reaches it".to_owned()) } else { refuses_the_best(part) }
    };
    let with = |supports: &SupportEvaluator<'_>| {
        orient(&mesh, ring.as_ref(), &zones, &SETTINGS, Some(supports), &AtomicBool::new(false)).unwrap()
    };

    let refused = with(&refuses_the_best);
    let failed = with(&fails_for_the_best);

    let last = refused.orientations.last().unwrap();
    assert_eq!((last.rotation, amount(last, "refused contacts")), (guessed.orientations[0].rotation, 1.0));
    assert!(refused.orientations.iter().all(|answer| answer.has_real_supports));
    let last = failed.orientations.last().unwrap();
    assert_eq!((last.rotation, last.has_real_supports), (guessed.orientations[0].rotation, false));
    assert_eq!(failed.findings[0].code, "ORIENT_NO_SUPPORTS");
}

#[test]
fn terms_add_up_to_the_total() {
    let mesh = solitaire();
    for answer in answer(&mesh, &ring_zones(&mesh)).orientations {
        let sum: f64 = answer.score.terms.iter().map(|term| term.weight * term.amount).sum();

        assert!((sum - answer.score.total).abs() < 1e-9);
    }
}

#[test]
fn what_is_applied_stands_on_the_plate_and_looks_like_its_picture() {
    let mesh = solitaire();
    let best = answer(&mesh, &ring_zones(&mesh)).orientations.remove(0);

    let part = apply(&mesh, &best);
    let picture = picture(&mesh, &best, 64, 48);

    let bounds = part.bounds().unwrap();
    assert!(bounds.min.z.abs() < 1e-5 && bounds.center().x.abs() < 1e-5, "{bounds:?}");
    assert!((part.signed_volume() / mesh.signed_volume() - 1.0).abs() < 1e-4);
    assert_eq!(picture.rgb.len(), 64 * 48);
    assert_ne!(picture.rgb.iter().filter(|pixel| **pixel != picture.rgb[0]).count(), 0);
}

#[test]
fn odd_meshes_get_an_answer_or_a_refusal() {
    let ask =
        |mesh: &Mesh, zones: &ZoneMap| orient(mesh, None, zones, &SETTINGS, None, &AtomicBool::new(false));
    let triangle = |size: f32| Mesh {
        vertices: vec![Point3::origin(), Point3::new(size, 0.0, 0.0), Point3::new(0.0, size, 0.0)],
        triangles: vec![[0, 1, 2]],
    };
    let flat = ZoneMap::plain(1);

    assert_eq!(ask(&Mesh::default(), &ZoneMap::plain(0)), Err(OrientError::FindSurface));
    assert_eq!(ask(&triangle(0.0), &flat), Err(OrientError::FindSurface));
    assert_eq!(ask(&triangle(1.0), &ZoneMap::plain(2)), Err(OrientError::MatchZones { faces: 1, zones: 2 }));
    assert!(ask(&triangle(1.0), &flat).is_ok());
    assert!(ask(&triangle(1e5), &flat).is_ok());
    let stopped = orient(&triangle(1.0), None, &flat, &SETTINGS, None, &AtomicBool::new(true));
    assert_eq!(stopped, Err(OrientError::Cancelled));
    let steep = Settings { self_support_degrees: f64::NAN, ..SETTINGS };
    assert!(orient(&triangle(1.0), None, &flat, &steep, None, &AtomicBool::new(false)).is_err());
}
