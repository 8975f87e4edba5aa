//! The faces along every edge of a mesh, in buckets by the lower vertex of the edge.
//!
//! A half-edge is named `3 * face + corner`; it runs from that corner to the next one of the face.

use super::{Mesh, cast};

/// All half-edges, sorted by lower vertex, higher vertex and name.
pub(crate) struct EdgeTable {
    starts: Vec<u32>,
    /// The higher vertex above the name of the half-edge.
    entries: Vec<u64>,
}

/// One face along an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EdgeUse {
    /// `3 * face + corner`.
    pub(crate) half: u32,
    /// Whether the face runs from the lower vertex to the higher.
    pub(crate) forward: bool,
}

impl EdgeUse {
    /// The face of the half-edge.
    pub(crate) fn face(self) -> usize {
        self.half as usize / 3
    }
}

impl EdgeTable {
    /// Sorts the half-edges of a mesh without collapsed faces.
    pub(crate) fn of(mesh: &Mesh) -> Self {
        let mut starts = vec![0_u32; mesh.vertices.len() + 2];
        for face in &mesh.triangles {
            for corner in 0..3 {
                starts[face[corner].min(face[(corner + 1) % 3]) as usize + 2] += 1;
            }
        }
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut entries = vec![0_u64; mesh.triangles.len() * 3];
        for (face, corners) in mesh.triangles.iter().enumerate() {
            for corner in 0..3 {
                let (from, to) = (corners[corner], corners[(corner + 1) % 3]);
                let next = &mut starts[from.min(to) as usize + 1];
                entries[*next as usize] =
                    u64::from(from.max(to)) << 32 | u64::from(cast::vertex(3 * face + corner));
                *next += 1;
            }
        }
        for bounds in starts.windows(2) {
            entries[bounds[0] as usize..bounds[1] as usize].sort_unstable();
        }
        Self { starts, entries }
    }

    /// Visits every edge with its faces, in the order of the vertices. `mesh` is the one that was sorted.
    pub(crate) fn for_each(&self, mesh: &Mesh, mut visit: impl FnMut([u32; 2], &[EdgeUse])) {
        let mut uses = Vec::new();
        for low in 0..mesh.vertices.len() {
            for edge in self.bucket(low).chunk_by(|a, b| a >> 32 == b >> 32) {
                let low = cast::vertex(low);
                uses.clear();
                uses.extend(edge.iter().map(|&entry| {
                    let half = half_of(entry);
                    let forward = mesh.triangles[half as usize / 3][half as usize % 3] == low;
                    EdgeUse { half, forward }
                }));
                visit([low, high_of(edge[0])], &uses);
            }
        }
    }

    /// Whether any face has the edge.
    pub(crate) fn has(&self, a: u32, b: u32) -> bool {
        let (low, high) = (a.min(b), a.max(b));
        self.bucket(low as usize).binary_search_by_key(&high, |&entry| high_of(entry)).is_ok()
    }

    fn bucket(&self, low: usize) -> &[u64] {
        &self.entries[self.starts[low] as usize..self.starts[low + 1] as usize]
    }
}

fn high_of(entry: u64) -> u32 {
    u32::try_from(entry >> 32).unwrap_or(u32::MAX)
}

fn half_of(entry: u64) -> u32 {
    u32::try_from(entry & 0xffff_ffff).unwrap_or(u32::MAX)
}
