//! Triangle meshes: what a design is made of, and what can be said about it.
//!
//! A mesh comes from [`crate::mesh_files`], goes through [`check()`], which measures it and makes the few safe
//! repairs that are listed in its report, and leaves through [`transform`] to the plate. Nothing here moves a
//! vertex of a sound mesh.

pub mod bore;
pub(crate) mod bvh;
pub(crate) mod cast;
pub mod check;
mod columns;
mod debris;
mod edges;
mod fins;
mod holes;
mod intersect;
mod pairing;
pub mod repair;
pub mod report;
pub mod shells;
mod solid;
mod stitch;
mod thickness;
pub(crate) mod topology;
pub mod transform;
mod walls;
pub mod weld;
mod winding;

pub use check::{CheckSettings, Checked, ThinLimits, check, check_surface};
pub use report::{MeshReport, Repair, RingMeasure, ShellKind, ShellReport, ThinReport};

use nalgebra::{Point3, Vector3};

/// A surface of triangles with shared vertices, in millimetres.
///
/// Invariant: every index in `triangles` is below `vertices.len()` and every coordinate is finite; readers
/// and repairs establish it. The outside of a face is where its vertices run counter-clockwise.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mesh {
    /// Corners, mm.
    pub vertices: Vec<Point3<f32>>,
    /// Three indices into `vertices` for each face.
    pub triangles: Vec<[u32; 3]>,
}

/// The axis-parallel box around something, mm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Lowest x, y, z.
    pub min: Point3<f64>,
    /// Highest x, y, z.
    pub max: Point3<f64>,
}

impl Bounds {
    /// The box around points; nothing if there is none.
    #[must_use]
    pub fn around(points: impl IntoIterator<Item = Point3<f64>>) -> Option<Self> {
        points.into_iter().fold(None, |found: Option<Self>, point| match found {
            None => Some(Self { min: point, max: point }),
            Some(bounds) => Some(bounds.with(point)),
        })
    }

    /// The box that also holds `point`.
    #[must_use]
    pub fn with(self, point: Point3<f64>) -> Self {
        Self { min: self.min.inf(&point), max: self.max.sup(&point) }
    }

    /// Edge lengths, mm.
    #[must_use]
    pub fn size(&self) -> Vector3<f64> {
        self.max - self.min
    }

    /// The middle, mm.
    #[must_use]
    pub fn center(&self) -> Point3<f64> {
        nalgebra::center(&self.min, &self.max)
    }

    /// Whether `other` lies in this box, borders included.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        (0..3).all(|axis| self.min[axis] <= other.min[axis] && other.max[axis] <= self.max[axis])
    }
}

impl Mesh {
    /// The three corners of a face in double precision, mm.
    ///
    /// # Panics
    /// If the face or one of its indices does not exist, which the invariant excludes.
    #[must_use]
    pub fn corners(&self, face: usize) -> [Point3<f64>; 3] {
        self.triangles[face].map(|index| self.vertices[index as usize].cast())
    }

    /// The box around the vertices that are used by a face; nothing for a mesh without faces.
    #[must_use]
    pub fn bounds(&self) -> Option<Bounds> {
        Bounds::around(self.triangles.iter().flatten().map(|&index| self.vertices[index as usize].cast()))
    }

    /// Volume enclosed, mm3: the signed sum over all faces, positive if the faces look outward.
    ///
    /// Overlapping bodies count twice and an open surface gives a meaningless number: see [`MeshReport`].
    #[must_use]
    pub fn signed_volume(&self) -> f64 {
        let Some(origin) = self.bounds().map(|bounds| bounds.center()) else { return 0.0 };
        (0..self.triangles.len()).map(|face| tetrahedron(origin, self.corners(face))).sum()
    }

    /// Surface area, mm2.
    #[must_use]
    pub fn area(&self) -> f64 {
        (0..self.triangles.len()).map(|face| triangle_area(self.corners(face))).sum()
    }
}

/// Signed volume of the tetrahedron between a point and a face, mm3.
pub(crate) fn tetrahedron(origin: Point3<f64>, [a, b, c]: [Point3<f64>; 3]) -> f64 {
    (a - origin).dot(&(b - origin).cross(&(c - origin))) / 6.0
}

/// Area of a triangle, mm2.
pub(crate) fn triangle_area([a, b, c]: [Point3<f64>; 3]) -> f64 {
    (b - a).cross(&(c - a)).norm() / 2.0
}

#[cfg(test)]
mod tests;
