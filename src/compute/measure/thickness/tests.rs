use std::f64::consts::TAU;

use nalgebra::Vector3;

use super::*;
use crate::mesh::check::tests::{cube, inside_out, merged};
use crate::rings::{BandProfile, RingDesign};

const LIMITS: [f64; 5] = [0.4, 0.5, 0.6, 0.7, 0.8];

/// A closed bar with `sides` flats of the given width across flats, from one point to another.
fn bar(from: Point3<f64>, to: Point3<f64>, across_mm: f64, sides: u32) -> Mesh {
    let along = (to - from).normalize();
    let first = along.cross(&Vector3::ith(along.iamin(), 1.0)).normalize();
    let second = along.cross(&first);
    let radius = across_mm / 2.0 / (TAU / f64::from(sides) / 2.0).cos();
    let mut mesh = Mesh::default();
    for end in [from, to] {
        mesh.vertices.push(end.cast());
        for side in 0..sides {
            let (sin, cos) = (TAU * f64::from(side) / f64::from(sides)).sin_cos();
            mesh.vertices.push((end + (first * cos + second * sin) * radius).cast());
        }
    }
    for side in 0..sides {
        let (a, b) = (1 + side, 1 + (side + 1) % sides);
        let (c, d) = (a + sides + 1, b + sides + 1);
        mesh.triangles.extend([[0, b, a], [sides + 1, c, d], [a, b, d], [a, d, c]]);
    }
    mesh
}

fn block(low: [f32; 3], high: [f32; 3]) -> Mesh {
    let mut mesh = cube(Point3::origin(), 1.0);
    for vertex in &mut mesh.vertices {
        for axis in 0..3 {
            vertex[axis] = low[axis] + vertex[axis] * (high[axis] - low[axis]);
        }
    }
    mesh
}

#[test]
fn the_thinnest_place_of_made_parts_is_right_within_two_hundredths() {
    for made in [0.35, 0.42, 0.55, 0.63, 0.78] {
        let band = RingDesign {
            thickness_mm: 0.6_f64.max(made),
            ..RingDesign::band(17.3, 4.0, 1.8, BandProfile::Flat)
        };
        let made_band = band.thickness_mm;
        let wall = thickness(&band.generate().unwrap(), &LIMITS).unwrap();
        assert!((wall.places[0].thickness_mm - made_band).abs() < 0.02, "{made_band}: {:?}", wall.places);
        assert_eq!(wall.places[0].kind, ThinKind::Wall);

        // A bar between two blocks, at odd angles to the grid.
        let wire = merged(&[
            block([0.0, 0.0, 0.0], [3.0, 3.0, 3.0]),
            block([7.0, 4.0, 1.0], [10.0, 7.0, 4.0]),
            bar(Point3::new(2.0, 1.7, 1.3), Point3::new(8.0, 5.3, 2.6), made, 24),
        ]);
        let found = thickness(&wire, &LIMITS).unwrap();
        let thinnest = &found.places[0];
        assert!((thinnest.thickness_mm - made).abs() < 0.02, "{made}: {:?}", found.places);
        assert_eq!((found.places.len(), thinnest.kind), (1, ThinKind::Wire), "{found:?}");

        let prong = merged(&[
            block([0.0, 0.0, 0.0], [3.0, 3.0, 3.0]),
            bar(Point3::new(2.0, 1.7, 1.3), Point3::new(6.0, 5.3, 2.6), made, 24),
        ]);
        let found = thickness(&prong, &LIMITS).unwrap();
        assert!((found.places[0].thickness_mm - made).abs() < 0.02, "{made}: {:?}", found.places);
        assert_eq!((found.places.len(), found.places[0].kind), (1, ThinKind::Prong), "{found:?}");

        for level in &found.levels {
            assert_eq!(level.places > 0, made < level.limit_mm, "{level:?}");
        }
    }
}

#[test]
fn a_dent_in_a_wall_is_found_at_its_place() {
    let hollow = merged(&[
        cube(Point3::new(0.0, 0.0, 0.0), 10.0),
        inside_out(block([0.7, 2.0, 2.0], [6.0, 8.0, 8.0])),
    ]);

    let found = thickness(&hollow, &LIMITS).unwrap();

    assert_eq!(found.places.len(), 1);
    assert_eq!(found.places[0].kind, ThinKind::Wall);
    assert!((found.places[0].thickness_mm - 0.7).abs() < 1e-3 && found.places[0].at.x < 0.7);
}

#[test]
fn sound_rings_have_no_thin_places() {
    for inner in [13.0, 17.3, 21.0] {
        for design in [
            RingDesign::signet(inner),
            RingDesign::band(inner, 4.0, 1.8, BandProfile::Flat),
            RingDesign::band(inner, 6.0, 1.8, BandProfile::HalfRound),
            RingDesign::band(inner, 3.0, 1.5, BandProfile::Comfort),
        ] {
            let found = thickness(&design.generate().unwrap(), &LIMITS).unwrap();
            assert_eq!(found.places, [], "{design:?}");
        }
    }
}

/// Name, thinnest metal and its tolerance, and how many places below 0.8 mm.
#[test]
fn real_and_made_files_are_thin_where_they_are() {
    for (name, thinnest, tolerance, places) in [
        // Wires of 16 flats with corners 0.55 mm apart.
        ("ring_filigree_wire0.55.stl.xz", 0.55, 0.02, 20..=60),
        // Each of six prongs ends in what the seat left of it.
        ("ring_solitaire_6prong_us7.stl.gz", 0.35, 0.1, 6..=12),
        ("earring_stud_post0.8.stl", 0.55, 0.02, 7..=7),
    ] {
        let Some(mesh) = crate::measure::tests::load(name) else { continue };
        let found = thickness(&mesh, &LIMITS).unwrap();
        assert!(places.contains(&found.places.len()), "{name}: {} places", found.places.len());
        let measured = found.places[0].thickness_mm;
        assert!((measured - thinnest).abs() <= tolerance, "{name}: {measured}");
    }
}
