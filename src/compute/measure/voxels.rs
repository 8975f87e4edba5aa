//! The inside of a mesh as runs of small cubes, and exact distances between them.

use nalgebra::{Point3, Vector3};

use crate::mesh::{Bounds, Mesh, cast};

/// A squared distance that nothing reaches.
pub(super) const FAR: i16 = i16::MAX / 2;
/// At most so many cubes: 96 MB of distances. Larger designs get larger cubes.
const CUBES_MAX: f64 = 48.0e6;

/// Cubes with their centre inside the surface, as runs along x in rows of equal y and z.
#[derive(Debug)]
pub(super) struct Voxels {
    /// The low corner of the first cube.
    pub(super) origin: Point3<f64>,
    /// Edge of a cube, mm.
    pub(super) edge_mm: f64,
    /// How many cubes along x, y, z.
    pub(super) size: [usize; 3],
    /// Runs from a first cube to the one behind the last, all rows one after the other.
    runs: Vec<[usize; 2]>,
    /// Where the runs of each row start; row = y + z * size y.
    starts: Vec<usize>,
}

impl Voxels {
    /// Fills a closed surface with cubes of about this edge; what lies in two bodies counts once.
    pub(super) fn fill(mesh: &Mesh, edge_mm: f64) -> Option<Self> {
        let bounds = mesh.bounds()?;
        let volume = bounds.size().iter().map(|side| side + 2.0 * edge_mm).product::<f64>();
        let edge_mm = edge_mm.max((volume / CUBES_MAX).cbrt());
        let size = bounds.size().map(|side| cast::index(side / edge_mm) + 3);
        let origin = bounds.min - Vector3::repeat(edge_mm);
        let mut voxels = Self {
            origin,
            edge_mm,
            size: size.into(),
            runs: Vec::new(),
            starts: Vec::with_capacity(size.y * size.z),
        };
        voxels.collect_runs(crossings(mesh, &voxels));
        Some(voxels)
    }

    fn collect_runs(&mut self, mut crossings: Vec<Crossing>) {
        crossings.sort_unstable_by(|a, b| {
            (a.row, a.at).partial_cmp(&(b.row, b.at)).unwrap_or(std::cmp::Ordering::Equal)
        });
        let mut next = crossings.iter().peekable();
        for row in 0..self.size[1] * self.size[2] {
            self.starts.push(self.runs.len());
            let (mut winding, mut start) = (0, 0.0);
            while let Some(crossing) = next.next_if(|crossing| crossing.row as usize == row) {
                let before = winding;
                winding += i32::from(crossing.turn);
                if before <= 0 && winding > 0 {
                    start = crossing.at;
                } else if before > 0 && winding <= 0 {
                    let first_of_row = self.starts[row];
                    let mut run =
                        [start, crossing.at].map(|at| cast::index((at + 0.5).floor()).min(self.size[0] - 1));
                    if self.runs.len() > first_of_row {
                        run[0] = run[0].max(self.runs[self.runs.len() - 1][1]);
                    }
                    if run[0] < run[1] {
                        self.runs.push(run);
                    }
                }
            }
        }
        self.starts.push(self.runs.len());
    }

    pub(super) fn row(&self, row: usize) -> &[[usize; 2]] {
        &self.runs[self.starts[row]..self.starts[row + 1]]
    }

    pub(super) fn rows(&self) -> usize {
        self.size[1] * self.size[2]
    }

    /// The middle of a cube.
    pub(super) fn center(&self, [x, y, z]: [usize; 3]) -> Point3<f64> {
        self.origin + Vector3::new(x as f64 + 0.5, y as f64 + 0.5, z as f64 + 0.5) * self.edge_mm
    }

    /// The cube that a point lies in; the nearest one if it lies in none.
    pub(super) fn cube_at(&self, point: Point3<f64>) -> [usize; 3] {
        let from = (point - self.origin) / self.edge_mm;
        [0, 1, 2].map(|axis| cast::index(from[axis]).min(self.size[axis] - 1))
    }

    /// For each inside cube the squared distance to the nearest outside one, in edges, up to `reach`; 0 outside.
    pub(super) fn depths(&self, reach: usize) -> Vec<i16> {
        let [nx, ny, nz] = self.size;
        let mut field = vec![0_i16; nx * ny * nz];
        for row in 0..self.rows() {
            for &[first, end] in self.row(row) {
                for x in first..end {
                    field[row * nx + x] = square((x - first + 1).min(end - x).min(reach + 1));
                }
            }
        }
        let mut before = vec![0_i16; nx * ny];
        for z in 0..nz {
            let slab = z * ny * nx..(z + 1) * ny * nx;
            before.copy_from_slice(&field[slab.clone()]);
            self.lower(&mut field[slab], &before, reach, (0..ny).map(|y| (y, y + z * ny)), nx);
        }
        let mut before = vec![0_i16; nx * nz];
        let mut after = vec![0_i16; nx * nz];
        for y in 0..ny {
            for z in 0..nz {
                before[z * nx..(z + 1) * nx].copy_from_slice(&field[(y + z * ny) * nx..][..nx]);
            }
            after.copy_from_slice(&before);
            self.lower(&mut after, &before, reach, (0..nz).map(|z| (z, y + z * ny)), nx);
            for z in 0..nz {
                field[(y + z * ny) * nx..][..nx].copy_from_slice(&after[z * nx..(z + 1) * nx]);
            }
        }
        field
    }

    /// One pass across rows: `after = min over steps (before of the row so many steps away + steps squared)`.
    fn lower(
        &self,
        after: &mut [i16],
        before: &[i16],
        reach: usize,
        lines: impl Iterator<Item = (usize, usize)>,
        width: usize,
    ) {
        for (line, row) in lines {
            for &[first, end] in self.row(row) {
                let target = &mut after[line * width + first..line * width + end];
                for steps in 1..=reach {
                    for other in [line.checked_sub(steps), Some(line + steps)].into_iter().flatten() {
                        if let Some(source) = before.get(other * width + first..other * width + end) {
                            nearer(target, source, square(steps));
                        }
                    }
                }
            }
        }
    }

    /// For each inside cube whether a cube with `is_core` lies within `reach` edges (which may be broken).
    pub(super) fn covered(&self, is_core: impl Fn(usize) -> bool, reach: f64) -> Vec<bool> {
        let [nx, ny, nz] = self.size;
        let steps_max = cast::index(reach);
        let limit = reach * reach;
        let mut field = vec![FAR; nx * ny * nz];
        let mut line = vec![FAR; nx * ny];
        let mut filled = vec![None::<[usize; 2]>; ny];
        let mut slab_filled = vec![None::<[usize; 2]>; ny * nz];
        for z in 0..nz {
            for y in 0..ny {
                let row = y + z * ny;
                filled[y] = self.spread(row, &is_core, steps_max, &mut line[y * nx..(y + 1) * nx]);
            }
            for y in 0..ny {
                let target = &mut field[(y + z * ny) * nx..][..nx];
                let near = y.saturating_sub(steps_max)..(y + steps_max + 1).min(ny);
                for other in near {
                    let Some([first, end]) = filled[other] else { continue };
                    nearer(
                        &mut target[first..end],
                        &line[other * nx + first..other * nx + end],
                        square(y.abs_diff(other)),
                    );
                    let known = slab_filled[y + z * ny].unwrap_or([first, end]);
                    slab_filled[y + z * ny] = Some([known[0].min(first), known[1].max(end)]);
                }
            }
        }
        let mut covered = vec![false; nx * ny * nz];
        let mut best = vec![FAR; nx];
        for row in 0..self.rows() {
            let (y, z) = (row % ny, row / ny);
            for &[first, end] in self.row(row) {
                let best = &mut best[first..end];
                best.fill(FAR);
                for other in z.saturating_sub(steps_max)..(z + steps_max + 1).min(nz) {
                    if slab_filled[y + other * ny].is_some_and(|[from, to]| from < end && first < to) {
                        let source = &field[(y + other * ny) * nx + first..][..end - first];
                        nearer(best, source, square(z.abs_diff(other)));
                    }
                }
                for (target, &distance) in covered[row * nx + first..row * nx + end].iter_mut().zip(&*best) {
                    *target = f64::from(distance) <= limit;
                }
            }
        }
        covered
    }

    /// Squared distances along one row to its core cubes; where they are.
    fn spread(
        &self,
        row: usize,
        is_core: &impl Fn(usize) -> bool,
        reach: usize,
        line: &mut [i16],
    ) -> Option<[usize; 2]> {
        let width = line.len();
        line.fill(FAR);
        let mut found: Option<[usize; 2]> = None;
        for &[first, end] in self.row(row) {
            for x in (first..end).filter(|&x| is_core(row * width + x)) {
                line[x] = 0;
                found = Some(found.map_or([x, x + 1], |[from, _]| [from, x + 1]));
            }
        }
        let [first, end] = found?;
        let (from, to) = (first.saturating_sub(reach), (end + reach).min(width));
        let mut since = reach + 1;
        for distance in &mut line[from..to] {
            since = if *distance == 0 { 0 } else { (since + 1).min(reach + 1) };
            *distance = if since <= reach { square(since) } else { FAR };
        }
        let mut since = reach + 1;
        for distance in line[from..to].iter_mut().rev() {
            since = if *distance == 0 { 0 } else { (since + 1).min(reach + 1) };
            *distance = if since <= reach { square(since).min(*distance) } else { *distance };
        }
        Some([from, to])
    }
}

fn nearer(target: &mut [i16], source: &[i16], more: i16) {
    for (target, &source) in target.iter_mut().zip(source) {
        *target = (*target).min(source.saturating_add(more));
    }
}

fn square(steps: usize) -> i16 {
    i16::try_from(steps * steps).unwrap_or(FAR).min(FAR)
}

/// Where a row meets a face.
struct Crossing {
    row: u32,
    /// Cubes from the origin.
    at: f64,
    /// 1 into the solid, -1 out of it.
    turn: i8,
}

/// All faces against all rows, plane by plane. A corner is above a plane only if its z is greater, and an edge
/// is always cut from its lower index, so closed meshes give closed rows without tolerances.
fn crossings(mesh: &Mesh, voxels: &Voxels) -> Vec<Crossing> {
    let [_, ny, nz] = voxels.size;
    let mut found = Vec::new();
    for triangle in &mesh.triangles {
        let corners = triangle.map(|index| {
            let point: Point3<f64> = mesh.vertices[index as usize].cast();
            // Rows go through the middle of the cubes.
            (index, (point - voxels.origin) / voxels.edge_mm - Vector3::new(0.5, 0.5, 0.5))
        });
        let low = corners.iter().fold(f64::INFINITY, |low, (_, corner)| low.min(corner.z));
        let high = corners.iter().fold(f64::NEG_INFINITY, |high, (_, corner)| high.max(corner.z));
        for z in cast::index(low.ceil())..(cast::index(high.ceil())).min(nz) {
            let Some([up, down]) = cut(&corners, z as f64) else { continue };
            let (left, right) = (up.0.min(down.0), up.0.max(down.0));
            for y in cast::index(left.ceil())..cast::index(right.ceil()).min(ny) {
                let part = (y as f64 - up.0) / (down.0 - up.0);
                let at = up.1 + part * (down.1 - up.1) + 0.5;
                let turn = if up.0 > down.0 { -1 } else { 1 };
                found.push(Crossing { row: cast::vertex(y + z * ny), at, turn });
            }
        }
    }
    found
}

/// Where a face is cut at a height: (y, x) on the edge that goes up and on the one that goes down.
fn cut(corners: &[(u32, Vector3<f64>); 3], z: f64) -> Option<[(f64, f64); 2]> {
    let (mut up, mut down) = (None, None);
    for side in 0..3 {
        let (from, to) = (corners[side], corners[(side + 1) % 3]);
        if (from.1.z > z) == (to.1.z > z) {
            continue;
        }
        let (a, b) = if from.0 < to.0 { (from.1, to.1) } else { (to.1, from.1) };
        let part = (z - a.z) / (b.z - a.z);
        let place = (a.y + part * (b.y - a.y), a.x + part * (b.x - a.x));
        if to.1.z > z { up = Some(place) } else { down = Some(place) }
    }
    Some([up?, down?])
}

/// Whether two boxes have a point in common.
pub(super) fn meet(one: &Bounds, two: &Bounds) -> bool {
    (0..3).all(|axis| one.min[axis] <= two.max[axis] && two.min[axis] <= one.max[axis])
}
