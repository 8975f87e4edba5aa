//! Makes one vertex of vertices: exactly equal ones while a file is read, nearly equal ones along cracks.

use std::collections::BTreeMap;

use nalgebra::Point3;

use super::{Mesh, cast};

const EMPTY: u32 = u32::MAX;

/// Corners that are looked up together: those of eight faces.
pub const BLOCK: usize = 24;

/// Entries of the table of recent vertices: it fits the first cache of the processor.
const RECENT: usize = 8192;

/// Collects vertices so that equal coordinates get the same index, in the order of first appearance.
///
/// -0.0 and 0.0 are equal. An open-addressing table of indices keeps it at 8 to 16 bytes a vertex beside the
/// vertices themselves.
#[derive(Debug)]
pub struct Welder {
    vertices: Vec<Point3<f32>>,
    table: Vec<u32>,
    /// The vertex that was last seen with each of the lowest bits of the hash.
    recent: Vec<u32>,
}

impl Welder {
    /// A welder with room for about `vertices` different vertices; it grows if there are more.
    #[must_use]
    pub fn new(vertices: usize) -> Self {
        let slots = slots_for(vertices.max(BLOCK));
        Self {
            vertices: Vec::with_capacity(vertices),
            table: vec![EMPTY; slots],
            recent: vec![EMPTY; RECENT],
        }
    }

    /// The index of the vertex with these coordinates.
    pub fn add(&mut self, corner: [f32; 3]) -> u32 {
        if self.vertices.len() * 4 >= self.table.len() * 3 {
            self.grow();
        }
        let vertex = plain(corner);
        self.find_or_add(vertex, hash(&vertex))
    }

    /// Replaces corners by indices; the same as [`Welder::add`] for each, at a fraction of the time.
    ///
    /// The table is larger than the processor's caches. Most corners were seen a moment ago: a small table of
    /// recent ones answers for them. The places of all others are looked at first, so that the memory can answer
    /// many questions at once.
    pub fn add_block(&mut self, corners: &[[f32; 3]; BLOCK]) -> [u32; BLOCK] {
        while (self.vertices.len() + BLOCK) * 4 >= self.table.len() * 3 {
            self.grow();
        }
        let mut indices = [EMPTY; BLOCK];
        let mut hashes = [0; BLOCK];
        let mut missing = 0_u32;
        for at in 0..BLOCK {
            let vertex = plain(corners[at]);
            hashes[at] = hash(&vertex);
            indices[at] = self.recent[hashes[at] % RECENT];
            let is_known = self.vertices.get(indices[at] as usize).is_some_and(|known| same(known, &vertex));
            missing |= u32::from(!is_known) << at;
        }
        let mut left = missing;
        while left != 0 {
            let at = left.trailing_zeros() as usize;
            left &= left - 1;
            indices[at] = self.table[place(hashes[at], self.table.len())];
        }
        while missing != 0 {
            let at = missing.trailing_zeros() as usize;
            missing &= missing - 1;
            let vertex = plain(corners[at]);
            let is_known = self.vertices.get(indices[at] as usize).is_some_and(|known| same(known, &vertex));
            if !is_known {
                indices[at] = self.find_or_add(vertex, hashes[at]);
            }
            self.recent[hashes[at] % RECENT] = indices[at];
        }
        indices
    }

    /// The different vertices.
    #[must_use]
    pub fn into_vertices(self) -> Vec<Point3<f32>> {
        self.vertices
    }

    /// There must be room.
    fn find_or_add(&mut self, vertex: Point3<f32>, hash: usize) -> u32 {
        let slot = self.slot_of(&vertex, hash);
        if self.table[slot] == EMPTY {
            self.table[slot] = cast::vertex(self.vertices.len());
            self.vertices.push(vertex);
        }
        self.table[slot]
    }

    fn slot_of(&self, vertex: &Point3<f32>, hash: usize) -> usize {
        let mut slot = place(hash, self.table.len());
        while self.table[slot] != EMPTY && !same(&self.vertices[self.table[slot] as usize], vertex) {
            slot = if slot + 1 == self.table.len() { 0 } else { slot + 1 };
        }
        slot
    }

    fn grow(&mut self) {
        self.table = vec![EMPTY; self.table.len() * 2];
        for index in 0..self.vertices.len() {
            let vertex = self.vertices[index];
            let slot = self.slot_of(&vertex, hash(&vertex));
            self.table[slot] = cast::vertex(index);
        }
    }
}

/// So many that two of three are taken.
fn slots_for(vertices: usize) -> usize {
    vertices.saturating_mul(3) / 2 + BLOCK
}

/// Where a hash of 31 bits belongs in a table of any length.
#[inline]
fn place(hash: usize, slots: usize) -> usize {
    (hash * slots) >> 31
}

/// Adding +0.0 turns -0.0 into 0.0 and leaves every other number alone.
#[inline]
fn plain([x, y, z]: [f32; 3]) -> Point3<f32> {
    Point3::new(x + 0.0, y + 0.0, z + 0.0)
}

fn same(a: &Point3<f32>, b: &Point3<f32>) -> bool {
    (0..3).all(|axis| a[axis].to_bits() == b[axis].to_bits())
}

/// The finaliser of SplitMix64 over the coordinate bits.
fn hash(vertex: &Point3<f32>) -> usize {
    let bits = |axis: usize| u64::from(vertex[axis].to_bits());
    let mut mixed = (bits(0) | bits(1) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ bits(2);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((mixed ^ (mixed >> 31)) & 0x7fff_ffff).unwrap_or(0)
}

/// A mesh after near vertices were merged.
pub(crate) struct NearWeld {
    pub(crate) mesh: Mesh,
    pub(crate) merged: usize,
    pub(crate) moved_mm_max: f64,
}

/// Merges each of `candidates` (vertex indices, ascending) into an earlier candidate not farther than
/// `reach_mm`. Faces may become degenerate.
///
/// Representatives lie more than `reach_mm` apart, so a cell holds only a few, whatever the file does.
pub(crate) fn weld_near(mesh: &Mesh, candidates: &[u32], reach_mm: f64) -> NearWeld {
    let mut target: Vec<u32> = (0..cast::vertex(mesh.vertices.len())).collect();
    let mut cells: BTreeMap<[i64; 3], Vec<u32>> = BTreeMap::new();
    let (mut merged, mut moved_mm_max) = (0, 0.0_f64);
    for &index in candidates {
        let vertex: Point3<f64> = mesh.vertices[index as usize].cast();
        match nearest(mesh, &cells, vertex, reach_mm) {
            Some((distance, other)) => {
                target[index as usize] = other;
                merged += 1;
                moved_mm_max = moved_mm_max.max(distance);
            }
            None => {
                let cell = [0, 1, 2].map(|axis| cell(vertex[axis], reach_mm));
                cells.entry(cell).or_default().push(index);
            }
        }
    }
    let triangles =
        mesh.triangles.iter().map(|face| face.map(|index| target[index as usize])).collect::<Vec<_>>();
    NearWeld { mesh: Mesh { vertices: mesh.vertices.clone(), triangles }, merged, moved_mm_max }
}

/// Cells are eight reaches wide: the ball around a vertex then seldom leaves its cell.
fn cell(coordinate: f64, reach_mm: f64) -> i64 {
    cast::floor(coordinate / (8.0 * reach_mm))
}

fn nearest(
    mesh: &Mesh,
    cells: &BTreeMap<[i64; 3], Vec<u32>>,
    vertex: Point3<f64>,
    reach_mm: f64,
) -> Option<(f64, u32)> {
    let along =
        |axis: usize| cell(vertex[axis] - reach_mm, reach_mm)..=cell(vertex[axis] + reach_mm, reach_mm);
    let around = along(0).flat_map(|x| along(1).flat_map(move |y| along(2).map(move |z| [x, y, z])));
    around
        .filter_map(|place| cells.get(&place))
        .flatten()
        .map(|&other| ((mesh.vertices[other as usize].cast() - vertex).norm(), other))
        .filter(|(distance, _)| *distance <= reach_mm)
        .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_coordinates_get_one_index_and_minus_zero_is_zero() {
        let mut welder = Welder::new(1);

        let first = welder.add([0.0, 1.0, -0.0]);
        for step in 0..1000_u16 {
            welder.add([f32::from(step), 2.0, 3.0]);
        }

        assert_eq!(welder.add([-0.0, 1.0, 0.0]), first);
        assert_eq!(welder.add([999.0, 2.0, 3.0]), 1000);
        assert_eq!(welder.into_vertices().len(), 1001);
    }

    #[test]
    fn a_block_gets_the_indices_that_its_corners_would_get_one_by_one() {
        let (mut single, mut blocks) = (Welder::new(1), Welder::new(1));
        for block in 0..400_u16 {
            // Repeats within a block, of earlier blocks, and new ones.
            let corners: [[f32; 3]; BLOCK] = std::array::from_fn(|at| {
                let at = u16::try_from(at).unwrap();
                [f32::from((block * 7 + at * 3) % 501 + block / 50 * 100), f32::from(at % 2) * -0.0, 1.0]
            });

            assert_eq!(blocks.add_block(&corners), corners.map(|corner| single.add(corner)));
        }
        assert_eq!(blocks.into_vertices(), single.into_vertices());
    }
}
