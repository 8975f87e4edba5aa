//! What the faces alone say about a way to stand.

use nalgebra::{Point3, UnitQuaternion, Vector3};
use rayon::prelude::*;

use super::ZoneMap;
use crate::mesh::{Mesh, cast};

/// Samples of the surface for the first look at each candidate.
const SAMPLES: usize = 20_000;
/// The first look counts faces that lie flatter than this, degrees from the horizontal.
const FLAT_DEGREES: f64 = 50.0;
/// The first look weighs 40 mm of height, and 400 mm² of shadow times 0.2, like one unit of overhang.
const HEIGHT_MM: f64 = 40.0;
const SHADOW_MM2: f64 = 400.0;
const SHADOW_PART: f64 = 0.2;
/// In the first look a place that no support may touch counts this much; a head counts 4. A guess: four contacts
/// on a protected place are never worth one that is free.
const FORBIDDEN_WEIGHT: f64 = 16.0;
/// Faces summed together; fixed, so that sums do not depend on the number of threads.
const BATCH: usize = 16_384;

/// Normals, areas and heights of all faces.
pub(super) struct Faces {
    faces: Vec<Face>,
    classes: usize,
}

#[derive(Clone, Copy)]
struct Face {
    /// Outward, as long as the area.
    area: Vector3<f64>,
    middle: Point3<f64>,
    zone: u8,
    weight: f64,
}

/// Overhang of one zone.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Overhang {
    /// Area that does not carry itself, seen from above, mm².
    pub(super) mm2: f64,
    /// The same times its place along the direction that was asked for, mm³.
    pub(super) moment_mm3: f64,
}

impl Faces {
    pub(super) fn of(mesh: &Mesh, zones: &ZoneMap) -> Self {
        let face = |face: usize| {
            let [a, b, c] = mesh.corners(face);
            let zone = zones.of_face[face];
            let class = zones.class(zone);
            Face {
                area: (b - a).cross(&(c - a)) / 2.0,
                middle: Point3::from((a.coords + b.coords + c.coords) / 3.0),
                zone,
                weight: if class.is_forbidden { FORBIDDEN_WEIGHT } else { class.weight },
            }
        };
        let faces = (0..mesh.triangles.len()).into_par_iter().map(face).collect();
        Self { faces, classes: zones.classes.len() }
    }

    pub(super) fn has_area(&self) -> bool {
        self.faces.iter().any(|face| face.area.norm() > 0.0)
    }

    /// Overhang of each zone if `up` points away from the plate.
    ///
    /// A layer of height h reaches h / tan(angle) beyond the one below it; what goes further hangs. On a face of
    /// slope s that is the part 1 - tan(s) / tan(angle) of its area seen from above.
    pub(super) fn overhang(&self, up: &Vector3<f64>, self_support_degrees: f64) -> Vec<Overhang> {
        let steepest = self_support_degrees.to_radians().tan();
        let batches = self.faces.par_chunks(BATCH).map(|batch| {
            let mut found = vec![Overhang::default(); self.classes];
            for face in batch {
                let shadow = -face.area.dot(up);
                if shadow > 0.0 {
                    let rise = (face.area.norm_squared() - shadow * shadow).max(0.0).sqrt();
                    let hanging = shadow - rise / steepest;
                    if hanging > 0.0 {
                        let zone = &mut found[usize::from(face.zone)];
                        zone.mm2 += hanging;
                        zone.moment_mm3 += hanging * face.middle.coords.dot(up);
                    }
                }
            }
            found
        });
        let mut total = vec![Overhang::default(); self.classes];
        for batch in batches.collect::<Vec<_>>() {
            for (total, part) in total.iter_mut().zip(batch) {
                total.mm2 += part.mm2;
                total.moment_mm3 += part.moment_mm3;
            }
        }
        total
    }

    /// Even samples of the surface: one for each equal share of the area, in order of the faces.
    pub(super) fn samples(&self) -> Samples {
        let total: f64 = self.faces.iter().map(|face| face.area.norm()).sum();
        let share = total / SAMPLES as f64;
        let (mut passed, mut taken) = (0.0, 0_usize);
        let mut samples = Samples { normals: Vec::new(), shares: Vec::new(), weights: Vec::new() };
        for face in &self.faces {
            let area = face.area.norm();
            passed += area;
            let reached = cast::index((passed / share - 0.5).ceil()).min(SAMPLES);
            if reached > taken && area > 0.0 {
                samples.normals.push(face.area / area);
                samples.shares.push((reached - taken) as f64 * share);
                samples.weights.push(face.weight);
                taken = reached;
            }
        }
        samples
    }
}

/// Some of the surface, each sample standing for as much of it as `shares` says.
pub(super) struct Samples {
    normals: Vec<Vector3<f64>>,
    shares: Vec<f64>,
    weights: Vec<f64>,
}

impl Samples {
    /// The first look: flat faces downward by weight, height, and the area of the shadow.
    pub(super) fn cost(&self, up: &Vector3<f64>, extremes: &[Point3<f64>]) -> f64 {
        let flat = FLAT_DEGREES.to_radians().cos();
        let (mut hanging, mut shadow) = (0.0, 0.0);
        for ((normal, share), weight) in self.normals.iter().zip(&self.shares).zip(&self.weights) {
            let down = -normal.dot(up);
            let beyond = (down - flat).max(0.0);
            hanging += weight * share * beyond * beyond;
            shadow += share * down.abs() / 2.0;
        }
        let heights = || extremes.iter().map(|point| point.coords.dot(up));
        let height = heights().fold(f64::NEG_INFINITY, f64::max) - heights().fold(f64::INFINITY, f64::min);
        hanging + height / HEIGHT_MM + SHADOW_PART * shadow / SHADOW_MM2
    }
}

/// Overhang of each zone class in a way to stand, mm² seen from above: what the layers reach beyond what they
/// can carry themselves, the lowest faces included. One number for each of `zones.classes`.
#[must_use]
pub fn overhang_mm2(
    mesh: &Mesh,
    zones: &ZoneMap,
    rotation: &UnitQuaternion<f64>,
    self_support_degrees: f64,
) -> Vec<f64> {
    let up = rotation.inverse() * Vector3::z();
    let found = Faces::of(mesh, zones).overhang(&up, self_support_degrees);
    found.into_iter().map(|zone| zone.mm2).collect()
}
