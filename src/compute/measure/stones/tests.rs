use std::f64::consts::TAU;

use super::*;
use crate::measure::tests::load;
use crate::mesh::check::tests::merged;
use crate::mesh::shells::measure;
use crate::rings::RingDesign;

/// A cut stone: table, crown, girdle and pavilion with `sides` facets each, girdle at `center`, table towards +y.
fn brilliant(center: Point3<f64>, diameter_mm: f64, sides: u32) -> Mesh {
    let mut mesh = Mesh::default();
    // Part of the radius and height of each ring of corners: table, girdle top, girdle bottom (usual proportions).
    for (radius, height) in [(0.56, 0.16), (1.0, 0.015), (1.0, -0.015)] {
        for side in 0..sides {
            let (sin, cos) = (TAU * f64::from(side) / f64::from(sides)).sin_cos();
            let out = radius * diameter_mm / 2.0;
            let point = center + Vector3::new(cos * out, height * diameter_mm, sin * out);
            mesh.vertices.push(point.cast());
        }
    }
    mesh.vertices.push((center + Vector3::new(0.0, -0.43 * diameter_mm, 0.0)).cast());
    for side in 0..sides {
        let next = (side + 1) % sides;
        if side > 0 && next > 0 {
            mesh.triangles.push([0, next, side]);
        }
        for ring in [0, sides] {
            let [a, b, c, d] = [ring + side, ring + next, ring + sides + side, ring + sides + next];
            mesh.triangles.extend([[a, b, d], [a, d, c]]);
        }
        mesh.triangles.push([2 * sides + side, 2 * sides + next, 3 * sides]);
    }
    mesh
}

fn stones(mesh: &Mesh) -> Vec<Stone> {
    let topology = Topology::of(mesh);
    find(mesh, &topology, &measure(mesh, &topology))
}

#[test]
fn every_stone_put_into_a_ring_is_found_and_measured() {
    for (prongs, diameter) in [(4, 4.0), (6, 6.5), (12, 9.0)] {
        let ring = RingDesign::solitaire(17.3, prongs, diameter).generate().unwrap();
        assert_eq!(stones(&ring), []);
        let top = ring.bounds().unwrap().max.y;
        // Below the tips of the prongs, where the seat is.
        let stone = brilliant(Point3::new(0.0, top - 0.25 * diameter, 0.0), diameter, 16);
        assert!(stone.signed_volume() > 0.0);
        let small = brilliant(Point3::new(0.0, -10.0, 0.0), 1.3, 8);

        let found = stones(&merged(&[ring, stone.clone(), small]));

        assert_eq!(found.len(), 2, "{prongs} prongs, {diameter} mm");
        assert!((found[0].outline_mm - diameter).abs() < 0.02, "{found:?}");
        assert!((found[0].depth_mm / diameter - 0.59).abs() < 0.02, "{found:?}");
        // The quick form (D / 6.5)^3 carat holds within a sixth for any brilliant.
        let carat = (diameter / 6.5).powi(3);
        assert!((found[0].diamond_carat / carat - 1.0).abs() < 0.17, "{found:?}");
    }
}

#[test]
fn a_convex_body_away_from_metal_is_no_stone() {
    let ring = RingDesign::signet(17.3).generate().unwrap();
    let free = brilliant(Point3::new(0.0, 0.0, 0.0), 3.0, 16);

    assert_eq!(stones(&merged(&[ring, free])), []);
}

#[test]
fn in_the_shared_set_the_stone_is_found_and_none_is_invented() {
    for (name, count) in [
        ("bad_stone_left_in_setting.stl.gz", 1),
        ("bad_overlapping_shells_8.stl", 0),
        ("good_earring_pair_two_pieces.stl", 0),
        ("pendant_heart_closed_void.stl", 0),
        ("trimesh_multibody.stl", 0),
        ("trimesh_two_objects.stl", 0),
        ("3mfc_dodeca_chain_loop.3mf", 0),
        ("good_charm_components_x2.3mf", 0),
        ("bad_shared_edge_two_boxes.stl", 0),
        ("real_bartmassey_ring_prong.stl.gz", 0),
        ("real_flower_ring_30mm.stl.gz", 0),
        ("ring_solitaire_6prong_us7.stl.gz", 0),
    ] {
        let Some(mesh) = load(name) else { continue };
        let found = stones(&mesh);
        assert_eq!(found.len(), count, "{name}: {found:?}");
        if let [stone] = &found[..] {
            assert!(
                (stone.volume_mm3 - 50.165).abs() < 0.01 && (stone.diamond_carat - 0.883).abs() < 0.01,
                "{stone:?}"
            );
        }
    }
}
