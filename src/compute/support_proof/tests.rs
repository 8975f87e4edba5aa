//! The proof finds every fault that is planted.

use nalgebra::{Point3, Vector3};

use crate::mesh::Mesh;
use crate::rings::RingDesign;
use crate::support::tests::{block, joined, params, placed, proof, supports};
use crate::support::{Params, Supports, Zone};

struct Case {
    params: Params,
    part: Mesh,
    supports: Supports,
}

fn case() -> Case {
    let params = params();
    let design = RingDesign { resolution_mm: 0.4, ..RingDesign::signet(18.0) };
    let part = placed(design.generate().unwrap(), 40.0);
    let supports = supports(&part, None, &params);
    Case { params, part, supports }
}

impl Case {
    fn fails(&self, claim: u8) -> bool {
        !proof(&self.part, None, &self.supports, &self.params).holds_claim(claim)
    }

    /// Adds a piece to the supports.
    fn plant(&mut self, piece: &Mesh) {
        self.supports.mesh = joined(std::mem::take(&mut self.supports.mesh), piece);
    }
}

#[test]
fn sound_supports_hold_every_claim_but_the_step_of_a_flat_face() {
    let case = case();

    let proof = proof(&case.part, None, &case.supports, &case.params);

    assert_eq!((1..=6).find(|&claim| !proof.holds_claim(claim)), None, "{:?}", proof.faults);
    assert!(proof.support_mm3 > 1.0 && proof.contact_mm2.values().sum::<f64>() > 0.1);
}

#[test]
fn a_missing_tip_leaves_an_island() {
    let mut case = case();
    let low = |contacts: &[crate::support::Contact]| {
        contacts.iter().map(|contact| contact.point.z).fold(f64::INFINITY, f64::min)
    };
    let lowest = low(&case.supports.contacts);
    // Everything that ends at the lowest contacts goes.
    let tips: Vec<Point3<f64>> = case
        .supports
        .contacts
        .iter()
        .filter(|contact| contact.point.z < lowest + 0.3)
        .map(|contact| contact.point)
        .collect();
    let is_gone = |face: usize| {
        let mesh = &case.supports.mesh;
        mesh.corners(face).iter().any(|corner| tips.iter().any(|tip| (corner - tip).norm() < 0.6))
    };
    let faces = case.supports.mesh.triangles.len();
    let pieces: Vec<usize> = (0..faces).filter(|&face| is_gone(face)).collect();
    assert!(!pieces.is_empty());
    // Whole cones: their corners are numbered one after the other.
    let gone: Vec<u32> = pieces.iter().flat_map(|&face| case.supports.mesh.triangles[face]).collect();
    let cones: Vec<std::ops::Range<u32>> =
        gone.iter().map(|&corner| corner.saturating_sub(24)..corner + 25).collect();
    case.supports
        .mesh
        .triangles
        .retain(|corners| !corners.iter().all(|corner| cones.iter().any(|cone| cone.contains(corner))));

    assert!(case.fails(1));
}

#[test]
fn a_pillar_through_the_part_is_seen() {
    let mut case = case();
    let middle = case.part.bounds().unwrap();
    let [x, y] = [middle.center().x, middle.max.y - 1.0];
    case.plant(&block([x - 5.0, y - 0.4, 0.0], [x + 5.0, y + 0.4, 20.0]));

    assert!(case.fails(2));
}

#[test]
fn a_contact_beside_the_surface_or_in_a_seat_is_seen() {
    let mut beside = case();
    beside.supports.contacts[0].point += Vector3::new(0.0, 0.0, -0.3);
    assert!(beside.fails(3));

    let case = case();
    let zones = vec![Zone::Seat; case.part.triangles.len()];
    let proof = proof(&case.part, Some(&zones), &case.supports, &case.params);
    assert_eq!(proof.bad_contacts as usize, case.supports.contacts.len());
}

#[test]
fn a_pillar_too_near_is_seen() {
    let mut case = case();
    let bounds = case.part.bounds().unwrap();
    let [x, y] = [bounds.max.x, bounds.center().y];
    case.plant(&block([x + 0.1, y - 5.0, 0.0], [x + 0.5, y + 5.0, 25.0]));

    assert!(case.fails(4));
    assert!(!case.fails(2));
}

#[test]
fn a_piece_in_the_air_is_seen() {
    let mut case = case();
    case.plant(&block([-0.5, -0.5, 30.0], [0.5, 0.5, 31.0]));

    assert!(case.fails(5));
    assert!(case.fails(1));
}

#[test]
fn a_tube_on_the_plate_is_a_cup() {
    let mut case = case();
    for (low, high) in [
        ([30.0, 0.0], [31.0, 5.0]),
        ([34.0, 0.0], [35.0, 5.0]),
        ([30.0, 0.0], [35.0, 1.0]),
        ([30.0, 4.0], [35.0, 5.0]),
    ] {
        case.plant(&block([low[0], low[1], 0.0], [high[0], high[1], 3.0]));
    }

    assert!(case.fails(6));
}

#[test]
fn a_wide_plate_above_the_raft_is_a_step() {
    let mut case = case();
    case.plant(&block([30.0, 0.0, 0.0], [31.0, 1.0, 10.0]));
    case.plant(&block([30.0, 0.0, 9.0], [38.0, 8.0, 10.0]));

    assert!(case.fails(7));
}
