//! Solids that overlap, contain, touch or repeat each other, as designers leave them.

use super::super::{Layer, Sampling};
use super::{layers_of, settings, solids};
use crate::mesh::Mesh;

fn cube(x: f64, y: f64, side: f64) -> Mesh {
    solids::cuboid([x, y, 0.0], [x + side, y + side, 2.0])
}

fn areas(mesh: &Mesh) -> Vec<f64> {
    let coverage = layers_of(mesh, settings(Sampling::Coverage));
    coverage[19..=21].iter().map(|layer| layer.area_mm2).collect()
}

fn check(name: &str, mesh: &Mesh, expected_mm2: f64) {
    for area in areas(mesh) {
        assert!((area - expected_mm2).abs() < 0.0025 * expected_mm2, "{name}: {area}, not {expected_mm2}");
    }
    for layer in &layers_of(mesh, settings(Sampling::Centre))[19..=21] {
        let Layer { area_mm2, open_rows, .. } = layer;
        assert!((area_mm2 - expected_mm2).abs() < 0.025 * expected_mm2, "{name}, centres: {area_mm2}");
        assert_eq!(*open_rows, 0, "{name}");
    }
}

#[test]
fn overlapping_bodies_unite() {
    // 4 x 4 and 4 x 4 with 2 x 2 in common.
    check("overlapping boxes", &solids::joined(&cube(0.0, 0.0, 4.0), &cube(2.0, 2.0, 4.0)), 28.0);
    check("box in box", &solids::joined(&cube(0.0, 0.0, 6.0), &cube(1.0, 1.0, 2.0)), 36.0);
    check("same body twice", &solids::joined(&cube(0.0, 0.0, 4.0), &cube(0.0, 0.0, 4.0)), 16.0);
}

#[test]
fn a_cavity_stays_dark() {
    let inner = solids::reversed(&solids::cuboid([1.0, 1.0, 0.5], [3.0, 3.0, 1.5]));
    check("cavity", &solids::joined(&cube(0.0, 0.0, 6.0), &inner), 32.0);
}

#[test]
fn bodies_that_touch_are_not_parted_and_not_doubled() {
    let touching = solids::joined(&cube(0.0, 0.0, 4.0), &solids::cuboid([4.0, 0.0, 0.0], [8.0, 4.0, 2.0]));
    check("touching boxes", &touching, 32.0);
    for layer in layers_of(&touching, settings(Sampling::Coverage)) {
        let lit = layer.runs.iter().filter(|run| run.value == 255 && run.length > 80).count();
        assert_eq!(lit, 84, "one run for each of the rows that are full");
        assert!(layer.runs.iter().all(|run| run.value != 255 || run.length > 160), "no seam");
    }
}

#[test]
fn an_inverted_body_and_doubled_or_flat_faces_change_nothing() {
    check("inside out", &solids::reversed(&cube(0.0, 0.0, 4.0)), 16.0);

    let mut doubled = cube(0.0, 0.0, 4.0);
    doubled.triangles.extend_from_within(..);
    check("every face twice", &doubled, 16.0);

    let sheet = solids::cuboid([6.0, 0.0, 0.0], [6.0, 4.0, 2.0]);
    check("sheet without thickness", &solids::joined(&cube(0.0, 0.0, 4.0), &sheet), 16.0);
}

#[test]
fn an_open_surface_is_counted_and_does_not_run_across_the_plate() {
    for missing in 0..12 {
        let mut open = cube(0.0, 0.0, 4.0);
        open.triangles.remove(missing);
        for sampling in [Sampling::Coverage, Sampling::Centre] {
            let layers = layers_of(&open, settings(sampling));
            assert!(layers.iter().all(|layer| layer.area_mm2 < 16.1), "face {missing}");
            // Faces 8 to 11 close rows; the others are horizontal or run along the rows.
            let counted = layers.iter().any(|layer| layer.open_rows > 0);
            assert_eq!(counted, missing >= 8, "face {missing}");
        }
    }
}

#[test]
fn a_step_exactly_on_a_plane_belongs_to_the_layer_above() {
    // The plane of layer 20 with 50 µm is 1.025; in f32 that is 1.0249999762: just below the plane.
    let wide = solids::cuboid([0.0, 0.0, 0.0], [6.0, 6.0, 1.025]);
    let narrow = solids::cuboid([1.0, 1.0, 1.025], [5.0, 5.0, 2.0]);
    let stepped = areas(&solids::joined(&wide, &narrow));

    for (area, expected) in stepped.iter().zip([36.0, 16.0, 16.0]) {
        assert!((area - expected).abs() < 0.04, "{stepped:?}");
    }
}

#[test]
fn an_equator_on_a_plane_closes_every_row() {
    // 4.5 layers of 0.5 mm: a height that single precision holds exactly.
    let mut coarse = settings(Sampling::Coverage);
    coarse.heights = crate::slice::Heights::uniform(crate::units::Microns(500));
    let equator = 2.25;
    let body = solids::turned(&[[0.0, 0.0], [4.0, equator], [0.0, 2.0 * equator]], 4);

    let layers = layers_of(&body, coarse);

    assert_eq!(layers.len(), 9);
    assert!(layers.iter().all(|layer| layer.open_rows == 0));
    assert!((layers[4].area_mm2 - 32.0).abs() < 0.01, "{}", layers[4].area_mm2);
}
