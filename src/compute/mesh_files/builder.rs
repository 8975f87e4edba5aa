//! Collects the faces of a file under its limits.

use super::{Limits, ReadError, within};
use crate::mesh::Mesh;
use crate::mesh::weld::{BLOCK, Welder};

/// Farthest coordinate: beyond it single precision is coarser than 8 µm.
const LIMIT_MM: u32 = 100_000;

/// A mesh in the making: refuses numbers that aren't finite and more faces than allowed.
#[derive(Debug)]
pub(crate) struct MeshBuilder {
    welder: Welder,
    triangles: Vec<[u32; 3]>,
    triangles_max: usize,
}

impl MeshBuilder {
    /// A builder with room for `expected` faces; the caller has checked that the file can hold so many.
    pub(crate) fn new(expected: usize, limits: &Limits) -> Self {
        let expected = expected.min(limits.triangles_max);
        Self {
            // A closed surface has half as many corners as faces.
            welder: Welder::new(expected / 2 + 2),
            triangles: Vec::with_capacity(expected),
            triangles_max: limits.triangles_max,
        }
    }

    /// Adds a face.
    pub(crate) fn add(&mut self, corners: [[f32; 3]; 3]) -> Result<(), ReadError> {
        let triangle = u64::try_from(self.triangles.len()).unwrap_or(u64::MAX).saturating_add(1);
        if !corners.iter().flatten().all(|coordinate| coordinate.is_finite()) {
            return Err(ReadError::UseCoordinate { triangle });
        }
        if corners.iter().flatten().any(|coordinate| f64::from(coordinate.abs()) > f64::from(LIMIT_MM)) {
            return Err(ReadError::StayNear { triangle, limit_mm: LIMIT_MM });
        }
        if self.triangles.len() >= self.triangles_max {
            let limit = u64::try_from(self.triangles_max).unwrap_or(u64::MAX);
            within("the number of triangles", limit.saturating_add(1), limit)?;
        }
        self.triangles.push(corners.map(|corner| self.welder.add(corner)));
        Ok(())
    }

    /// Adds as many faces as a block of corners has. All of it is refused if one is wrong.
    pub(crate) fn add_block(&mut self, corners: &[[f32; 3]; BLOCK]) -> Result<(), ReadError> {
        let is_sound =
            |corner: &[f32; 3]| corner.iter().all(|&side| f64::from(side.abs()) <= f64::from(LIMIT_MM));
        let room = self.triangles_max.saturating_sub(self.triangles.len());
        if room < BLOCK / 3 || !corners.iter().all(is_sound) {
            // One by one, for the number of the face in the error.
            return corners.as_chunks::<3>().0.iter().try_for_each(|face| self.add(*face));
        }
        let indices = self.welder.add_block(corners);
        self.triangles.extend_from_slice(indices.as_chunks::<3>().0);
        Ok(())
    }

    /// Faces so far.
    pub(crate) fn len(&self) -> usize {
        self.triangles.len()
    }

    /// The mesh.
    pub(crate) fn finish(self) -> Result<Mesh, ReadError> {
        if self.triangles.is_empty() {
            return Err(ReadError::FindTriangles);
        }
        Ok(Mesh { vertices: self.welder.into_vertices(), triangles: self.triangles })
    }
}
