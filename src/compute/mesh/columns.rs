//! Looks through a closed mesh along a grid of vertical lines, to see where bodies overlap.
//!
//! Along each line the crossings with the surface are sorted; the number of bodies at a place is the running
//! sum of their signs. Where that number is 1 the plain signed volume is right; where it is 2 the volume is
//! counted twice. Only the *difference* is integrated on the grid, so a mesh without overlap gets exactly zero,
//! whatever the pitch.

use std::collections::BTreeMap;

use nalgebra::Point3;

use super::{Mesh, cast};

/// Lines along the longer side of the box: 20 mm of ring at 0.05 mm.
const LINES: f64 = 400.0;
/// Shifts the grid off the round coordinates that designs are made of (fraction of the golden ratio).
const SHIFT: f64 = 0.618_033_988_749_895;
/// Crossings are rounded to this, mm, so that faces which lie on each other are at the same height.
const HEIGHT_STEP: f64 = 1.0e-6;
/// Line and box tests that may be spent, and for each face besides; a normal ring needs about a million.
const WORK_MAX: f64 = 1.5e7;
const WORK_PER_FACE: f64 = 4.0;
/// So often the lines may be taken twice as far apart to stay within that. Farther apart they miss wires.
const COARSER_MAX: usize = 1;

/// Where bodies overlap.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Overlap {
    /// What the plain signed volume has too much, mm3.
    pub(crate) excess_mm3: f64,
    /// The middle of the longest overlap found.
    pub(crate) place: Option<Point3<f64>>,
    /// For each shell a representative of the group of solids that it overlaps with.
    pub(crate) piece_of: Vec<u32>,
}

/// Integrates the overlap of the shells of a closed mesh; nothing if that would take too long.
pub(crate) fn overlap(mesh: &Mesh, shell_of: &[u32], shells: usize) -> Option<Overlap> {
    let grid = Grid::over(mesh)?;
    let mut crossings = grid.crossings(mesh, shell_of);
    // Entering comes before leaving at the same height: bodies that touch are one piece.
    crossings.sort_unstable_by(|a, b| {
        (a.line.cmp(&b.line).then(a.z.total_cmp(&b.z)))
            .then(b.rises.cmp(&a.rises))
            .then(a.shell.cmp(&b.shell))
    });
    let mut found =
        Found { excess_mm: 0.0, longest_mm: 0.0, place: None, parents: (0..cast::vertex(shells)).collect() };
    for line in crossings.chunk_by(|a, b| a.line == b.line) {
        found.walk(&grid, line);
    }
    let piece_of = (0..cast::vertex(shells)).map(|shell| found.piece(shell)).collect();
    Some(Overlap { excess_mm3: found.excess_mm * grid.pitch * grid.pitch, place: found.place, piece_of })
}

/// One crossing of a line with the surface.
#[derive(Debug, Clone, Copy)]
struct Crossing {
    line: u32,
    shell: u32,
    z: f64,
    /// Whether the line enters a body here, going up.
    rises: bool,
}

#[derive(Debug, Clone, Copy)]
struct Grid {
    x: f64,
    y: f64,
    pitch: f64,
    columns: usize,
    rows: usize,
}

impl Grid {
    fn over(mesh: &Mesh) -> Option<Self> {
        let bounds = mesh.bounds()?;
        let size = bounds.size();
        let mut pitch = size.x.max(size.y) / LINES;
        let work_max = WORK_MAX + WORK_PER_FACE * mesh.triangles.len() as f64;
        for _ in 0..=COARSER_MAX {
            let grid = Self {
                x: bounds.min.x + (SHIFT - 1.0) * pitch,
                y: bounds.min.y + (SHIFT * SHIFT - 1.0) * pitch,
                pitch,
                columns: cast::index(size.x / pitch) + 3,
                rows: cast::index(size.y / pitch) + 3,
            };
            if pitch > 0.0 && grid.work(mesh) <= work_max {
                return Some(grid);
            }
            pitch *= 2.0;
        }
        None
    }

    /// How many line tests the faces need on this grid.
    fn work(&self, mesh: &Mesh) -> f64 {
        let cells = |face: usize| {
            let [a, b, c] = mesh.corners(face);
            let width = a.x.max(b.x).max(c.x) - a.x.min(b.x).min(c.x);
            let depth = a.y.max(b.y).max(c.y) - a.y.min(b.y).min(c.y);
            (width / self.pitch + 1.0) * (depth / self.pitch + 1.0)
        };
        (0..mesh.triangles.len()).map(cells).sum()
    }

    fn crossings(&self, mesh: &Mesh, shell_of: &[u32]) -> Vec<Crossing> {
        let mut crossings = Vec::new();
        for (face, &shell) in shell_of.iter().enumerate() {
            let corners = mesh.corners(face);
            let doubled = turn(corners[0], corners[1], corners[2].x, corners[2].y);
            if doubled == 0.0 {
                continue;
            }
            let (columns, rows) = self.reach(corners);
            for row in rows {
                for column in columns.clone() {
                    if let Some(z) = self.height(corners, doubled, column, row) {
                        let line = cast::vertex(row * self.columns + column);
                        crossings.push(Crossing { line, shell, z, rises: doubled < 0.0 });
                    }
                }
            }
        }
        crossings
    }

    fn reach(&self, [a, b, c]: [Point3<f64>; 3]) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let range = |low: f64, high: f64, count: usize| {
            let first = cast::index((low / self.pitch).ceil());
            first..(cast::index((high / self.pitch).floor()) + 1).min(count)
        };
        let x = range(a.x.min(b.x).min(c.x) - self.x, a.x.max(b.x).max(c.x) - self.x, self.columns);
        let y = range(a.y.min(b.y).min(c.y) - self.y, a.y.max(b.y).max(c.y) - self.y, self.rows);
        (x, y)
    }

    /// The height of a face over a grid line, if the line goes through it. A line through a shared edge goes
    /// through exactly one of its two faces.
    fn height(&self, [a, b, c]: [Point3<f64>; 3], doubled: f64, column: usize, row: usize) -> Option<f64> {
        let (x, y) = (self.x + column as f64 * self.pitch, self.y + row as f64 * self.pitch);
        let inside = side(a, b, x, y) == side(b, c, x, y) && side(b, c, x, y) == side(c, a, x, y);
        if !inside {
            return None;
        }
        let (of_a, of_b) = (turn(b, c, x, y) / doubled, turn(c, a, x, y) / doubled);
        let z = of_a * a.z + of_b * b.z + (1.0 - of_a - of_b) * c.z;
        Some((z / HEIGHT_STEP).round() * HEIGHT_STEP)
    }

    fn place(&self, line: u32, z: f64) -> Point3<f64> {
        let (row, column) = (line as usize / self.columns, line as usize % self.columns);
        Point3::new(self.x + column as f64 * self.pitch, self.y + row as f64 * self.pitch, z)
    }
}

/// Twice the signed area of a, b and (x, y), seen from above.
fn turn(a: Point3<f64>, b: Point3<f64>, x: f64, y: f64) -> f64 {
    (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x)
}

/// On which side of an edge (x, y) lies. Calculated from the lower end of the edge, so that both faces of the
/// edge get the same answer.
fn side(a: Point3<f64>, b: Point3<f64>, x: f64, y: f64) -> bool {
    if (a.x, a.y) < (b.x, b.y) { turn(a, b, x, y) > 0.0 } else { turn(b, a, x, y) <= 0.0 }
}

struct Found {
    excess_mm: f64,
    longest_mm: f64,
    place: Option<Point3<f64>>,
    parents: Vec<u32>,
}

impl Found {
    fn walk(&mut self, grid: &Grid, line: &[Crossing]) {
        let mut depth_of: BTreeMap<u32, i64> = BTreeMap::new();
        let (mut depth, mut below) = (0_i64, 0.0);
        for crossing in line {
            let excess = depth - i64::from(depth != 0);
            if excess != 0 {
                let length = crossing.z - below;
                self.excess_mm += excess as f64 * length;
                if excess > 0 && length > self.longest_mm {
                    self.longest_mm = length;
                    self.place = Some(grid.place(crossing.line, below + length / 2.0));
                }
            }
            below = crossing.z;
            if crossing.rises && depth > 0 {
                self.join_any(crossing.shell, &depth_of);
            }
            let step = if crossing.rises { 1 } else { -1 };
            depth += step;
            let own = depth_of.entry(crossing.shell).or_insert(0);
            *own += step;
            if *own == 0 {
                depth_of.remove(&crossing.shell);
            }
        }
    }

    fn join_any(&mut self, shell: u32, depth_of: &BTreeMap<u32, i64>) {
        let host = depth_of.iter().find(|&(&other, &depth)| other != shell && depth > 0);
        if let Some((&host, _)) = host {
            let (a, b) = (self.piece(shell), self.piece(host));
            self.parents[a.max(b) as usize] = a.min(b);
        }
    }

    fn piece(&mut self, shell: u32) -> u32 {
        let mut at = shell as usize;
        while self.parents[at] as usize != at {
            self.parents[at] = self.parents[self.parents[at] as usize];
            at = self.parents[at] as usize;
        }
        cast::vertex(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::{cube, merged};

    #[test]
    fn a_cube_alone_has_no_excess_at_all() {
        let mesh = cube(Point3::new(0.0, 0.0, 0.0), 2.0);

        let found = overlap(&mesh, &[0; 12], 1).unwrap();

        assert!(found.excess_mm3.abs() < 1e-12);
        assert_eq!(found.place, None);
    }

    #[test]
    fn two_cubes_that_overlap_by_a_corner_are_one_piece_and_the_corner_counts_once() {
        let mesh = merged(&[
            cube(Point3::new(0.0, 0.0, 0.0), 2.0),
            cube(Point3::new(1.0, 1.0, 1.0), 2.0),
            cube(Point3::new(5.0, 0.0, 0.0), 2.0),
        ]);
        let shell_of: Vec<u32> = (0..36).map(|face| face / 12).collect();

        let found = overlap(&mesh, &shell_of, 3).unwrap();

        assert!((found.excess_mm3 - 1.0).abs() < 0.02, "{}", found.excess_mm3);
        assert_eq!(found.piece_of, [0, 0, 2]);
    }
}
