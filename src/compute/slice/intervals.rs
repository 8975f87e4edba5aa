//! Which triangles cross which layer.
//!
//! Most triangles of a jewel are lower than a few layers: they are listed with each layer that they cross.
//! The few tall ones (straight walls of coarse models) would make those lists long; they stand in one list that
//! every layer looks through, so that memory stays within [`TALL_LAYERS`] entries for each triangle.

use super::{Heights, Part};

/// A triangle over more layers than this is tall.
const TALL_LAYERS: u32 = 32;

/// Triangles by layer. A triangle is named by its place in the parts' lists put one after the other.
#[derive(Debug)]
pub(super) struct Intervals {
    layers: u32,
    /// First triangle of each part, and the end.
    part_starts: Vec<u32>,
    /// First entry of each layer, and the end.
    starts: Vec<usize>,
    entries: Vec<u32>,
    tall: Vec<u32>,
}

impl Intervals {
    /// Sorts the triangles of all parts into `layers` layers (counting sort: order of the parts is kept).
    pub(super) fn build(parts: &[Part<'_>], heights: &Heights, layers: u32) -> Self {
        let grid = Grid { heights, layers };
        let mut counts = vec![0_usize; usize_of(layers) + 1];
        let mut tall = Vec::new();
        let part_starts = part_starts(parts);
        each_interval(parts, grid, |triangle, low, high| {
            if high - low > TALL_LAYERS {
                tall.push(triangle);
            } else {
                (low..high).for_each(|layer| counts[usize_of(layer)] += 1);
            }
        });
        let mut total = 0;
        for count in &mut counts {
            (*count, total) = (total, total + *count);
        }
        let starts = counts.clone();
        let mut entries = vec![0_u32; total];
        each_interval(parts, grid, |triangle, low, high| {
            if high - low <= TALL_LAYERS {
                for layer in low..high {
                    let place = &mut counts[usize_of(layer)];
                    entries[*place] = triangle;
                    *place += 1;
                }
            }
        });
        Self { layers, part_starts, starts, entries, tall }
    }

    /// How many layers there are.
    pub(super) fn layers(&self) -> u32 {
        self.layers
    }

    /// Calls `visit` with part and triangle for each triangle that may cross the layer.
    pub(super) fn visit(&self, layer: u32, mut visit: impl FnMut(usize, usize)) {
        let index = usize_of(layer);
        for list in [&self.tall[..], &self.entries[self.starts[index]..self.starts[index + 1]]] {
            let mut part = 0;
            for &triangle in list {
                while triangle >= self.part_starts[part + 1] {
                    part += 1;
                }
                visit(part, usize_of(triangle - self.part_starts[part]));
            }
        }
    }
}

/// The planes of all layers.
#[derive(Clone, Copy)]
struct Grid<'a> {
    heights: &'a Heights,
    layers: u32,
}

impl Grid<'_> {
    /// The first layer whose plane is at `z_mm` or above.
    fn first_at_or_above(self, z_mm: f64) -> u32 {
        self.heights.first_plane_at_or_above(z_mm).min(self.layers)
    }
}

fn part_starts(parts: &[Part<'_>]) -> Vec<u32> {
    let mut starts = vec![0_u32];
    let mut end = 0_u32;
    for part in parts {
        end = end.saturating_add(u32::try_from(part.mesh.triangles.len()).unwrap_or(u32::MAX));
        starts.push(end);
    }
    starts
}

/// Calls `visit` with each triangle that crosses a plane, and its layers `low..high`.
fn each_interval(parts: &[Part<'_>], grid: Grid<'_>, mut visit: impl FnMut(u32, u32, u32)) {
    let mut triangle = 0_u32;
    for part in parts {
        let z_of = |corner: u32| f64::from(part.mesh.vertices[usize_of(corner)].z) + part.offset_mm[2];
        for corners in &part.mesh.triangles {
            let [a, b, c] = corners.map(z_of);
            let low = grid.first_at_or_above(a.min(b).min(c));
            let high = grid.first_at_or_above(a.max(b).max(c));
            if low < high {
                visit(triangle, low, high);
            }
            triangle = triangle.saturating_add(1);
        }
    }
}

/// Widens an index; `u32` fits `usize` on every target that the daemon runs on.
pub(crate) const fn usize_of(index: u32) -> usize {
    index as usize
}
