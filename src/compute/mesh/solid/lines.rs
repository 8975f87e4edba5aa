//! The grid lines along one axis and their crossings with a surface.

use nalgebra::Point3;

use super::Grid;
use crate::mesh::{Mesh, cast};

/// Tests of a line against a face for all axes; a normal ring needs ten million.
pub(super) const WORK_MAX: f64 = 2.0e8;

/// All grid lines along one axis.
pub(super) struct Lines {
    axis: usize,
    /// Lines along the second axis across, for the index.
    across: usize,
    starts: Vec<u32>,
    crossings: Vec<Crossing>,
    /// Lines whose crossings do not cancel out.
    doubted: Vec<bool>,
}

/// Where a line meets a face.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crossing {
    /// Along the line, in cells from the first sample.
    pub(super) at: f32,
    pub(super) face: u32,
    /// Whether the line enters metal here.
    rises: bool,
}

impl Lines {
    pub(super) fn of(mesh: &Mesh, grid: &Grid, axis: usize) -> Self {
        let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
        let across = grid.counts[v];
        let mut hits: Vec<(u32, Crossing)> = Vec::new();
        for face in 0..mesh.triangles.len() {
            let corners = mesh.corners(face).map(|corner| (corner - grid.origin) / grid.cell);
            let flat = corners.map(|corner| [corner[u], corner[v]]);
            let doubled = turn(flat[0], flat[1], flat[2]);
            if doubled == 0.0 {
                continue;
            }
            for line_u in range(flat.map(|corner| corner[0])) {
                for line_v in range(flat.map(|corner| corner[1])) {
                    let point = [line_u as f64, line_v as f64];
                    let [ab, bc, ca] =
                        [(0, 1), (1, 2), (2, 0)].map(|(from, to)| side(flat[from], flat[to], point));
                    if ab == bc && bc == ca {
                        let of_a = turn(flat[1], flat[2], point) / doubled;
                        let of_b = turn(flat[2], flat[0], point) / doubled;
                        let at = of_a * corners[0][axis]
                            + of_b * corners[1][axis]
                            + (1.0 - of_a - of_b) * corners[2][axis];
                        let line = cast::vertex(line_u * across + line_v);
                        let face = cast::vertex(face);
                        hits.push((line, Crossing { at: cast::single(at), face, rises: doubled < 0.0 }));
                    }
                }
            }
        }
        Self::sorted(axis, across, grid.counts[u] * across, &hits)
    }

    fn sorted(axis: usize, across: usize, lines: usize, hits: &[(u32, Crossing)]) -> Self {
        let mut starts = vec![0_u32; lines + 2];
        hits.iter().for_each(|(line, _)| starts[*line as usize + 2] += 1);
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut crossings = vec![Crossing { at: 0.0, face: 0, rises: false }; hits.len()];
        for (line, crossing) in hits {
            let next = &mut starts[*line as usize + 1];
            crossings[*next as usize] = *crossing;
            *next += 1;
        }
        let mut doubted = Vec::with_capacity(lines);
        for bounds in starts[..=lines].windows(2) {
            let line = &mut crossings[bounds[0] as usize..bounds[1] as usize];
            line.sort_unstable_by(|a, b| {
                a.at.total_cmp(&b.at).then(b.rises.cmp(&a.rises)).then(a.face.cmp(&b.face))
            });
            doubted.push(line.iter().map(|one| if one.rises { 1 } else { -1 }).sum::<i64>() != 0);
        }
        Self { axis, across, starts, crossings, doubted }
    }

    /// Whether few lines meet a gap, and no gap is wide.
    pub(super) fn is_trusted(&self, cell: f64) -> bool {
        let met =
            self.starts[..=self.doubted.len()].windows(2).filter(|bounds| bounds[0] < bounds[1]).count();
        let doubted = self.doubted.iter().filter(|&&doubted| doubted).count();
        let widest = self.widest_gap() as f64 * cell * cell;
        doubted as f64 <= super::DOUBT_PART_MAX * met as f64 && widest <= super::GAP_MM2_MAX
    }

    /// Lines in the largest group of neighbours that meet a gap.
    fn widest_gap(&self) -> usize {
        let mut left = self.doubted.clone();
        let mut widest = 0;
        for start in 0..left.len() {
            let mut open = vec![start];
            let mut count = 0;
            while let Some(at) = open.pop() {
                if left.get_mut(at).is_some_and(std::mem::take) {
                    count += 1;
                    open.extend([at + 1, at + self.across, at.wrapping_sub(1), at.wrapping_sub(self.across)]);
                }
            }
            widest = widest.max(count);
        }
        widest
    }

    /// Adds a vote to every sample that lies in metal by its line.
    pub(super) fn vote(&self, grid: &Grid, votes: &mut [u8]) {
        let step = grid.index([0, 1, 2].map(|axis| usize::from(axis == self.axis)));
        for (line, &doubted) in self.doubted.iter().enumerate() {
            let crossings = self.on(line);
            if doubted || crossings.is_empty() {
                continue;
            }
            let first = grid.index(self.sample(line, 0));
            let (mut depth, mut from) = (0_i64, 0.0_f32);
            for crossing in crossings {
                if depth > 0 {
                    for at in above(from)..above(crossing.at).min(grid.counts[self.axis]) {
                        votes[first + at * step] += 1;
                    }
                }
                depth += if crossing.rises { 1 } else { -1 };
                from = crossing.at;
            }
        }
    }

    /// Whether the line through a sample has no vote.
    pub(super) fn is_doubted(&self, at: [usize; 3]) -> bool {
        self.doubted[self.line(at)]
    }

    /// The crossing between a sample and the next one on its line, if there is one: the middle one of several.
    pub(super) fn between(&self, at: [usize; 3]) -> Option<Crossing> {
        let crossings = self.on(self.line(at));
        let (low, high) = (at[self.axis] as f64, at[self.axis] as f64 + 1.0);
        let first = crossings.partition_point(|crossing| f64::from(crossing.at) < low);
        let last = crossings.partition_point(|crossing| f64::from(crossing.at) <= high);
        crossings[first..last].get((last - first) / 2).copied()
    }

    fn on(&self, line: usize) -> &[Crossing] {
        &self.crossings[self.starts[line] as usize..self.starts[line + 1] as usize]
    }

    fn line(&self, at: [usize; 3]) -> usize {
        at[(self.axis + 1) % 3] * self.across + at[(self.axis + 2) % 3]
    }

    fn sample(&self, line: usize, along: usize) -> [usize; 3] {
        let mut at = [0; 3];
        at[self.axis] = along;
        at[(self.axis + 1) % 3] = line / self.across;
        at[(self.axis + 2) % 3] = line % self.across;
        at
    }
}

/// How many tests of a line against a face one axis needs.
pub(super) fn work(mesh: &Mesh, grid: &Grid, axis: usize) -> f64 {
    let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
    let cells = |face: usize| {
        let corners: [Point3<f64>; 3] = mesh.corners(face);
        let width = |axis: usize| {
            let [a, b, c] = corners.map(|corner| corner[axis]);
            (a.max(b).max(c) - a.min(b).min(c)) / grid.cell + 1.0
        };
        width(u) * width(v)
    };
    (0..mesh.triangles.len()).map(cells).sum()
}

/// The first sample at or above a place on a line.
fn above(at: f32) -> usize {
    cast::index(f64::from(at).ceil())
}

fn range([a, b, c]: [f64; 3]) -> std::ops::RangeInclusive<usize> {
    cast::index(a.min(b).min(c).ceil())..=cast::index(a.max(b).max(c).floor())
}

/// Twice the signed area of three points.
fn turn(a: [f64; 2], b: [f64; 2], c: [f64; 2]) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// On which side of an edge a point lies. Calculated from the lower end of the edge, so that both faces of the
/// edge get the same answer.
fn side(a: [f64; 2], b: [f64; 2], point: [f64; 2]) -> bool {
    if (a[0], a[1]) < (b[0], b[1]) { turn(a, b, point) > 0.0 } else { turn(b, a, point) <= 0.0 }
}
