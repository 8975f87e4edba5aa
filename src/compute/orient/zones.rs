//! What a contact on each place of the surface costs.

use nalgebra::{Point3, Vector3};
use serde::{Deserialize, Serialize};

use crate::mesh::{Mesh, RingMeasure, triangle_area};

/// A kind of place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ZoneClass {
    /// Its name, for reasons: lower case, as in "12 mm² of overhang on the head".
    pub name: String,
    /// What a support there costs; 1 is the inside of a ring, which is polished anyway.
    pub weight: f64,
    /// Whether no support may touch it: seats of stones, engravings.
    pub is_forbidden: bool,
}

/// The zone of each face of a mesh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ZoneMap {
    /// For each face, a place in `classes`.
    pub of_face: Vec<u8>,
    /// The kinds of place; at most 256.
    pub classes: Vec<ZoneClass>,
}

/// The inside of a ring reaches this far beyond the free cylinder, mm.
const FINGER_MM: f64 = 0.15;
/// Half the angle of the head, and of the lowest part of the shank, seen from the middle of the finger hole.
const HEAD_DEGREES: f64 = 35.0;
const BOTTOM_DEGREES: f64 = 30.0;
/// A head that moves the centre of the surface by less than this part of the hole's radius is no head.
const HEAD_PART_MIN: f64 = 0.01;

impl ZoneMap {
    /// One zone for the whole surface, with the weight of the sides of a ring.
    #[must_use]
    pub fn plain(faces: usize) -> Self {
        Self { of_face: vec![0; faces], classes: vec![class("surface", 1.5)] }
    }

    /// The plain zones of a ring: finger side, head, bottom of the shank, sides.
    ///
    /// Seats, prongs and engravings are not looked for. Weights are assumptions, to be calibrated by the shop.
    #[must_use]
    pub fn of_ring(mesh: &Mesh, ring: &RingMeasure) -> Self {
        let classes = vec![
            class("the finger side", 1.0),
            class("the head", 4.0),
            class("the bottom of the shank", 0.3),
            class("the sides", 1.5),
        ];
        let (axis, center) = (Vector3::from(ring.axis), Point3::from(ring.center_mm));
        let head = head_direction(mesh, ring);
        let inside = ring.inner_diameter_mm / 2.0 + FINGER_MM;
        let (near_head, near_bottom) = (HEAD_DEGREES.to_radians().cos(), -BOTTOM_DEGREES.to_radians().cos());
        let zone = |face: usize| {
            let [a, b, c] = mesh.corners(face);
            let from = (a.coords + b.coords + c.coords) / 3.0 - center.coords;
            let out = from - axis * from.dot(&axis);
            let normal = (b - a).cross(&(c - a));
            let towards = head.map_or(0.0, |head| out.dot(&head) / out.norm());
            match towards {
                _ if out.norm() < inside && normal.dot(&out) <= 0.0 => 0,
                part if part > near_head => 1,
                part if part < near_bottom => 2,
                _ => 3,
            }
        };
        Self { of_face: (0..mesh.triangles.len()).map(zone).collect(), classes }
    }

    /// The class of a face.
    pub(super) fn class(&self, zone: u8) -> &ZoneClass {
        &self.classes[usize::from(zone)]
    }
}

/// From the middle of the finger hole to where most of the surface is, across the axis; nothing for a ring that
/// is the same all around.
pub(crate) fn head_direction(mesh: &Mesh, ring: &RingMeasure) -> Option<Vector3<f64>> {
    let (axis, center) = (Vector3::from(ring.axis), Point3::from(ring.center_mm));
    let (mut moment, mut area) = (Vector3::zeros(), 0.0);
    for face in 0..mesh.triangles.len() {
        let [a, b, c] = mesh.corners(face);
        let weight = triangle_area([a, b, c]);
        moment += ((a.coords + b.coords + c.coords) / 3.0 - center.coords) * weight;
        area += weight;
    }
    let offset = moment / area;
    let across = offset - axis * offset.dot(&axis);
    (across.norm() > HEAD_PART_MIN * ring.inner_diameter_mm / 2.0).then(|| across.normalize())
}

fn class(name: &str, weight: f64) -> ZoneClass {
    ZoneClass { name: name.to_owned(), weight, is_forbidden: false }
}
