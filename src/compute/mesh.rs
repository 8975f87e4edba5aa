//! Triangle meshes.

use nalgebra::Point3;

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
