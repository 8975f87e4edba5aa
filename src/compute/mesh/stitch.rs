//! Closes cracks of no width: where one face has a long edge and its neighbours have several short ones.
//!
//! Boolean operations of design programs leave such T-junctions by the thousand. The long edge gets the corners
//! of its neighbours, as exact copies; no vertex moves.

use nalgebra::{Point3, Vector3};

use super::edges::EdgeTable;
use super::{Mesh, cast};

/// New edges can lie on further corners; real files need one or two rounds.
const ROUNDS_MAX: usize = 8;
/// Cells are not smaller than this, mm.
const CELL_MM_MIN: f64 = 0.05;
/// Cells along the longest side of the box.
const CELLS_MAX: f64 = 2000.0;
/// Cells along all open edges; real designs have a hundred thousand, soup of long faces has many millions.
const CELLS_ALONG_MAX: f64 = 2.0e6;
/// Tests of a corner against an edge in one round; a file that needs more was made to take long.
const TESTS_MAX: usize = 50_000_000;

/// Splits faces at corners that lie on their open edges within `reach_mm`; returns how many corners were put in.
pub(crate) fn stitch(mesh: &mut Mesh, reach_mm: f64) -> usize {
    let mut all = 0;
    for _ in 0..ROUNDS_MAX {
        let splits = find(mesh, reach_mm);
        if splits.is_empty() {
            break;
        }
        all += splits.len();
        split(mesh, &splits);
    }
    all
}

/// A corner to put into an edge of a face.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    /// The half-edge.
    pub(super) half: u32,
    /// Part of the way along the half-edge.
    pub(super) at: f64,
    /// What to put in.
    pub(super) vertex: u32,
}

/// Everything to split, by half-edge and along it.
fn find(mesh: &Mesh, reach_mm: f64) -> Vec<Split> {
    let mut open = Vec::new();
    EdgeTable::of(mesh).for_each(mesh, |_, uses| {
        if let [only] = uses {
            open.push(only.half);
        }
    });
    let Some(grid) = Grid::over(mesh, &open, reach_mm) else { return Vec::new() };
    let length = |&half: &u32| {
        let [from, to] = ends(mesh, half).map(|index| mesh.vertices[index as usize].cast::<f64>());
        (to - from).norm()
    };
    if open.iter().map(length).sum::<f64>() > CELLS_ALONG_MAX * grid.cell {
        return Vec::new();
    }
    let mut splits = Vec::new();
    let mut tests = 0;
    for &half in &open {
        let face = mesh.triangles[half as usize / 3];
        let [from, to] = ends(mesh, half).map(|index| mesh.vertices[index as usize].cast::<f64>());
        grid.along(from, to, |vertex| {
            tests += 1;
            if !face.contains(&vertex) {
                let point = mesh.vertices[vertex as usize].cast();
                splits.extend(on_edge(from, to, point, reach_mm).map(|at| Split { half, at, vertex }));
            }
        });
        if tests > TESTS_MAX {
            return Vec::new();
        }
    }
    splits.sort_unstable_by(|a, b| {
        a.half.cmp(&b.half).then(a.at.total_cmp(&b.at)).then(a.vertex.cmp(&b.vertex))
    });
    splits.dedup_by_key(|split| (split.half, split.vertex));
    splits
}

fn ends(mesh: &Mesh, half: u32) -> [u32; 2] {
    let face = mesh.triangles[half as usize / 3];
    [face[half as usize % 3], face[(half as usize + 1) % 3]]
}

/// How far along an edge a point lies, if it lies on it and between its ends.
fn on_edge(from: Point3<f64>, to: Point3<f64>, point: Point3<f64>, reach: f64) -> Option<f64> {
    let along = to - from;
    let at = (point - from).dot(&along) / along.norm_squared();
    let off = (point - (from + along * at)).norm_squared();
    (at > 0.0 && at < 1.0 && off <= reach * reach).then_some(at)
}

/// Replaces every face that is split by a fan on each of its split edges. `splits` are sorted by half-edge and
/// along it.
pub(super) fn split(mesh: &mut Mesh, splits: &[Split]) {
    for of_face in splits.chunk_by(|a, b| a.half / 3 == b.half / 3) {
        let face = of_face[0].half as usize / 3;
        let corners = mesh.triangles[face];
        let mut parts = vec![corners];
        for of_edge in of_face.chunk_by(|a, b| a.half == b.half) {
            let corner = of_edge[0].half as usize % 3;
            let [from, to] = [corners[corner], corners[(corner + 1) % 3]];
            fan(&mut parts, from, to, of_edge);
        }
        mesh.triangles[face] = parts[0];
        mesh.triangles.extend_from_slice(&parts[1..]);
    }
}

/// Splits the part that has the whole edge.
fn fan(parts: &mut Vec<[u32; 3]>, from: u32, to: u32, splits: &[Split]) {
    let with_edge = parts.iter().enumerate().find_map(|(index, part)| {
        let corner = (0..3).find(|&at| part[at] == from && part[(at + 1) % 3] == to)?;
        Some((index, part[(corner + 2) % 3]))
    });
    let Some((index, apex)) = with_edge else { return };
    let mut last = from;
    let mut fresh = Vec::with_capacity(splits.len() + 1);
    for vertex in splits.iter().map(|split| split.vertex).chain([to]) {
        fresh.push([last, vertex, apex]);
        last = vertex;
    }
    parts[index] = fresh[0];
    parts.extend_from_slice(&fresh[1..]);
}

/// The corners at open edges, sorted by cell.
struct Grid {
    cell: f64,
    reach: f64,
    origin: Point3<f64>,
    corners: Vec<([i32; 3], u32)>,
}

impl Grid {
    fn over(mesh: &Mesh, open: &[u32], reach: f64) -> Option<Self> {
        let bounds = mesh.bounds().filter(|_| !open.is_empty())?;
        let mut lengths: Vec<f64> = open
            .iter()
            .map(|&half| {
                let [from, to] = ends(mesh, half).map(|index| mesh.vertices[index as usize].cast::<f64>());
                (to - from).norm()
            })
            .collect();
        lengths.sort_unstable_by(f64::total_cmp);
        let median = lengths[lengths.len() / 2];
        let cell = median.max(CELL_MM_MIN).max(bounds.size().max() / CELLS_MAX);
        let mut grid = Self { cell, reach, origin: bounds.min, corners: Vec::new() };
        let mut indices: Vec<u32> = open.iter().flat_map(|&half| ends(mesh, half)).collect();
        indices.sort_unstable();
        indices.dedup();
        let place = |index: u32| (grid.cell_of(mesh.vertices[index as usize].cast()), index);
        let mut corners: Vec<([i32; 3], u32)> = indices.into_iter().map(place).collect();
        corners.sort_unstable();
        grid.corners = corners;
        Some(grid)
    }

    fn cell_of(&self, point: Point3<f64>) -> [i32; 3] {
        [0, 1, 2].map(|axis| self.step(point[axis], axis))
    }

    fn step(&self, coordinate: f64, axis: usize) -> i32 {
        i32::try_from(cast::floor((coordinate - self.origin[axis]) / self.cell)).unwrap_or(i32::MAX)
    }

    /// Visits the corners in the cells around a segment, slab by slab along its longest direction. A corner
    /// may come twice.
    fn along(&self, from: Point3<f64>, to: Point3<f64>, mut visit: impl FnMut(u32)) {
        let way = to - from;
        let main = way.iamax();
        let (first, last) = if way[main] < 0.0 { (to, from) } else { (from, to) };
        let (low, high) =
            (self.step(first[main] - self.reach, main), self.step(last[main] + self.reach, main));
        for slab in low..=high {
            let edge = |slab: i32| self.origin[main] + f64::from(slab) * self.cell;
            let point_at = |coordinate: f64| {
                let length = last[main] - first[main];
                let at =
                    if length > 0.0 { ((coordinate - first[main]) / length).clamp(0.0, 1.0) } else { 0.0 };
                first + (last - first) * at
            };
            let (a, b) = (point_at(edge(slab) - self.reach), point_at(edge(slab + 1) + self.reach));
            self.in_box(a.inf(&b), a.sup(&b), main, slab, &mut visit);
        }
    }

    fn in_box(
        &self,
        low: Point3<f64>,
        high: Point3<f64>,
        main: usize,
        slab: i32,
        visit: &mut impl FnMut(u32),
    ) {
        let reach = Vector3::repeat(self.reach);
        let (mut low, mut high) = (self.cell_of(low - reach), self.cell_of(high + reach));
        (low[main], high[main]) = (slab, slab);
        for x in low[0]..=high[0] {
            for y in low[1]..=high[1] {
                let start = self.corners.partition_point(|(cell, _)| *cell < [x, y, low[2]]);
                let inside =
                    |(cell, _): &&([i32; 3], u32)| cell[0] == x && cell[1] == y && cell[2] <= high[2];
                self.corners[start..].iter().take_while(inside).for_each(|&(_, vertex)| visit(vertex));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::cube;
    use crate::mesh::topology::Topology;

    /// A cube whose first face is cut in three at its centre of one edge and one point more, while the
    /// neighbour over that edge stays whole.
    fn cube_with_t_junction(off: f32) -> Mesh {
        let mut mesh = cube(Point3::new(0.0, 0.0, 0.0), 4.0);
        let [a, b, c] = mesh.triangles[0];
        let at = |part: f32| {
            let (a, b) = (mesh.vertices[a as usize], mesh.vertices[b as usize]);
            a + (b - a) * part + Vector3::repeat(off)
        };
        let (one, two) = (at(0.25), at(0.5));
        mesh.vertices.extend([one, two]);
        mesh.triangles[0] = [a, 8, c];
        mesh.triangles.extend([[8, 9, c], [9, b, c]]);
        mesh
    }

    #[test]
    fn corners_on_an_edge_are_put_into_the_neighbour_and_nothing_moves() {
        let mut mesh = cube_with_t_junction(0.0);
        let vertices = mesh.vertices.clone();
        assert_eq!(Topology::of(&mesh).boundary_edges, 4);

        let count = stitch(&mut mesh, 0.002);

        assert_eq!(count, 2);
        assert!(Topology::of(&mesh).is_clean());
        assert_eq!(mesh.vertices, vertices);
        assert!((mesh.signed_volume() - 64.0).abs() < 1e-9);
    }

    #[test]
    fn a_corner_beside_the_edge_is_no_junction() {
        let mut mesh = cube_with_t_junction(0.01);
        let before = mesh.clone();

        assert_eq!(stitch(&mut mesh, 0.002), 0);
        assert_eq!(mesh, before);
    }
}
