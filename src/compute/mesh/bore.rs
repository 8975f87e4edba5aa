//! Finds and measures the finger hole of a ring: the largest cylinder that goes through it.
//!
//! That is how ISO 8653 defines a ring size. No inside test is needed, so open and crossing surfaces can be
//! measured too. Seen along the right axis the hole is free background that nothing connects with the outside:
//! a coarse picture for each likely axis finds it, then axis and centre are moved until the nearest edge is as
//! far away as it can be.

use std::f64::consts::TAU;

use nalgebra::{Matrix3, Point2, Point3, SymmetricEigen, Vector2, Vector3};

use super::report::RingMeasure;
use super::{Bounds, Mesh, cast, triangle_area};

mod wall;

/// Inner diameters of finger rings, mm: ISO 8653 lists 13.1 to 24.2, real orders go a little beyond.
const FINGER_MM: std::ops::RangeInclusive<f64> = 11.0..=26.0;
/// The hole takes at least this part of the ring's silhouette; 0.64 is the smallest of the rings measured.
const HOLE_PART_MIN: f64 = 0.45;
/// Cells across the coarse picture: one row is one machine word of 128 bits.
const CELLS: usize = 128;

/// Whether an inner diameter, mm, is one of a finger ring.
#[must_use]
pub fn is_finger(diameter_mm: f64) -> bool {
    FINGER_MM.contains(&diameter_mm)
}

/// Measures the largest free cylinder through a ring-shaped mesh, at any size.
///
/// Nothing if no hole takes about half of the silhouette. A bore meshed with `n` flats measures
/// `D cos(pi / n)`: the flats are what a finger meets, so that is not corrected. Repeats to 0.005 mm.
#[must_use]
pub fn measure(mesh: &Mesh) -> Option<RingMeasure> {
    let bounds = mesh.bounds()?;
    let mut views: Vec<View> =
        likely_axes(mesh, &bounds).into_iter().filter_map(|axis| View::along(mesh, &bounds, axis)).collect();
    views.sort_by(|a, b| b.radius.total_cmp(&a.radius));
    let worth_a_look = views.first()?.radius * 0.85;
    let lines = views.iter().take(3).filter(|view| view.radius >= worth_a_look);
    let best = lines.map(|view| refine(mesh, view)).max_by(|a, b| a.radius.total_cmp(&b.radius))?;
    (2.0 * best.radius >= HOLE_PART_MIN * best.silhouette).then(|| {
        let wall = wall::measure(mesh, &best.line, best.radius);
        RingMeasure {
            inner_diameter_mm: 2.0 * best.radius,
            center_mm: best.line.point.coords.into(),
            axis: best.line.axis().into(),
            wall_diameter_mm: wall.as_ref().map(|wall| wall.diameter_mm),
            hole_length_mm: wall.as_ref().map(|wall| wall.length_mm),
        }
    })
}

/// The coordinate axes, and the main directions of the face normals and of the face centres.
fn likely_axes(mesh: &Mesh, bounds: &Bounds) -> Vec<Vector3<f64>> {
    let (mut normals, mut places) = (Matrix3::zeros(), Matrix3::zeros());
    let (mut mean, mut area) = (Vector3::zeros(), 0.0);
    for face in 0..mesh.triangles.len() {
        let [a, b, c] = mesh.corners(face);
        let weight = triangle_area([a, b, c]);
        let middle = (a.coords + b.coords + c.coords) / 3.0 - bounds.center().coords;
        if let Some(normal) = (b - a).cross(&(c - a)).try_normalize(0.0) {
            normals += weight * normal * normal.transpose();
        }
        places += weight * middle * middle.transpose();
        mean += weight * middle;
        area += weight;
    }
    if area > 0.0 {
        places -= mean * mean.transpose() / area;
    }
    let mut axes = vec![Vector3::x(), Vector3::y(), Vector3::z()];
    for tensor in [normals, places] {
        if tensor.iter().all(|value: &f64| value.is_finite()) {
            for axis in SymmetricEigen::new(tensor).eigenvectors.column_iter() {
                let is_new = axes.iter().all(|known| known.dot(&axis).abs() < 0.999_99);
                if is_new {
                    axes.push(axis.into());
                }
            }
        }
    }
    axes
}

/// A line through space with a frame across it.
#[derive(Debug, Clone, Copy)]
struct Line {
    point: Point3<f64>,
    across: [Vector3<f64>; 2],
}

impl Line {
    fn along(point: Point3<f64>, axis: Vector3<f64>) -> Self {
        let away = Vector3::ith(axis.iamin(), 1.0);
        let first = axis.cross(&away).normalize();
        Self { point, across: [first, axis.cross(&first).normalize()] }
    }

    fn axis(&self) -> Vector3<f64> {
        self.across[0].cross(&self.across[1])
    }

    /// Where a point lies seen along the line.
    fn flat(&self, point: Point3<f64>) -> Point2<f64> {
        let from = point - self.point;
        Point2::new(from.dot(&self.across[0]), from.dot(&self.across[1]))
    }

    /// The line moved across itself by the first two numbers and tilted by the others.
    fn moved(&self, [x, y, tilt_x, tilt_y]: [f64; 4]) -> Self {
        let [first, second] = self.across;
        let axis = (self.axis() + first * tilt_x + second * tilt_y).normalize();
        let first = (first - axis * first.dot(&axis)).normalize();
        Self { point: self.point + self.across[0] * x + second * y, across: [first, axis.cross(&first)] }
    }

    /// The distance from the line to an edge.
    fn distance(&self, [a, b]: [Point3<f64>; 2]) -> f64 {
        nearest(self.flat(a), self.flat(b)).coords.norm()
    }
}

/// The point of a flat edge that is nearest to the origin.
fn nearest(a: Point2<f64>, b: Point2<f64>) -> Point2<f64> {
    let along = b - a;
    let length = along.norm_squared();
    let part = if length > 0.0 { (-a.coords.dot(&along) / length).clamp(0.0, 1.0) } else { 0.0 };
    a + along * part
}

/// The coarse picture along one axis.
struct View {
    line: Line,
    radius: f64,
    cell: f64,
    silhouette: f64,
}

impl View {
    fn along(mesh: &Mesh, bounds: &Bounds, axis: Vector3<f64>) -> Option<Self> {
        let line = Line::along(bounds.center(), axis);
        let flat: Vec<Point2<f64>> = mesh.vertices.iter().map(|vertex| line.flat(vertex.cast())).collect();
        let used = || mesh.triangles.iter().flatten().map(|&index| flat[index as usize]);
        let low = used().fold(flat[0], |low, point| low.inf(&point));
        let high = used().fold(flat[0], |high, point| high.sup(&point));
        let silhouette = (high - low).max();
        let cell = silhouette / (CELLS - 4) as f64;
        if cell <= 0.0 {
            return None;
        }
        let origin = low - Vector2::new(2.0, 2.0) * cell;
        let mut picture = [0_u128; CELLS];
        for face in &mesh.triangles {
            let corners = face.map(|index| Point2::from((flat[index as usize] - origin) / cell));
            paint(&mut picture, corners);
        }
        let (column, row, steps) = deepest(enclosed(&picture))?;
        let middle = origin.coords + Vector2::new(column as f64 + 0.5, row as f64 + 0.5) * cell;
        let point = line.point + line.across[0] * middle.x + line.across[1] * middle.y;
        Some(Self { line: Line { point, ..line }, radius: steps as f64 * cell, cell, silhouette })
    }
}

/// Blackens every cell that a triangle touches, row by row.
fn paint(picture: &mut [u128; CELLS], corners: [Point2<f64>; 3]) {
    let low = corners.iter().fold(f64::INFINITY, |low, corner| low.min(corner.y));
    let high = corners.iter().fold(f64::NEG_INFINITY, |high, corner| high.max(corner.y));
    let rows = cast::index(low)..=cast::index(high).min(CELLS - 1);
    for row in rows {
        let (bottom, top) = (row as f64, row as f64 + 1.0);
        let (mut left, mut right) = (f64::INFINITY, f64::NEG_INFINITY);
        for side in 0..3 {
            let (a, b) = (corners[side], corners[(side + 1) % 3]);
            let rise = b.y - a.y;
            let at = |y: f64| if rise == 0.0 { 0.0 } else { ((y - a.y) / rise).clamp(0.0, 1.0) };
            if a.y.max(b.y) < bottom || a.y.min(b.y) > top {
                continue;
            }
            let (from, to) = if rise == 0.0 { (0.0, 1.0) } else { (at(bottom), at(top)) };
            for part in [from, to] {
                let x = a.x + part * (b.x - a.x);
                left = left.min(x);
                right = right.max(x);
            }
        }
        if left <= right {
            let (first, last) = (cast::index(left), cast::index(right).min(CELLS - 1));
            picture[row] |= (u128::MAX >> (CELLS - 1 - last)) & (u128::MAX << first.min(CELLS - 1));
        }
    }
}

/// The white cells that no white path connects with the border.
fn enclosed(picture: &[u128; CELLS]) -> [u128; CELLS] {
    let mut outside = [0_u128; CELLS];
    outside[0] = !picture[0];
    let mut grows = true;
    while grows {
        grows = false;
        for row in (0..CELLS).chain((0..CELLS).rev()) {
            let above = if row + 1 < CELLS { outside[row + 1] } else { u128::MAX };
            let below = if row > 0 { outside[row - 1] } else { u128::MAX };
            let border = 1 | 1 << (CELLS - 1);
            let mut reached = outside[row] | ((above | below | border) & !picture[row]);
            loop {
                let wider = reached | ((reached << 1 | reached >> 1) & !picture[row]);
                if wider == reached {
                    break;
                }
                reached = wider;
            }
            grows |= reached != outside[row];
            outside[row] = reached;
        }
    }
    std::array::from_fn(|row| !(picture[row] | outside[row]))
}

/// The cell farthest from the rim of an area, as column, row and distance in cells: the area is worn off from
/// its rim, by diamonds and squares in turn (an octagon), until nothing is left.
fn deepest(mut area: [u128; CELLS]) -> Option<(usize, usize, usize)> {
    let mut found = None;
    for step in 0..CELLS {
        let row = (0..CELLS).filter(|&row| area[row] != 0).max_by_key(|&row| area[row].count_ones());
        let Some(row) = row else { break };
        let columns: Vec<usize> = (0..CELLS).filter(|column| area[row] >> column & 1 == 1).collect();
        found = Some((columns[columns.len() / 2], row, step));
        let before = area;
        let at = |row: Option<usize>| row.and_then(|row| before.get(row)).copied().unwrap_or(0);
        for (row, cells) in area.iter_mut().enumerate() {
            let (above, below) = (at(row.checked_sub(1)), at(Some(row + 1)));
            let slim = |cells: u128| cells & cells << 1 & cells >> 1;
            let keep = if step % 2 == 0 { above & below } else { slim(above) & slim(below) };
            *cells = slim(*cells) & keep;
        }
    }
    found
}

/// The best line found.
struct Found {
    line: Line,
    radius: f64,
    silhouette: f64,
}

/// Moves a line until the nearest edge is as far away as possible.
fn refine(mesh: &Mesh, view: &View) -> Found {
    let mut line = view.line;
    let mut step = 2.0 * view.cell;
    for _ in 0..4 {
        let rim = Rim::of(mesh, line);
        line = rim.widen(line, step);
        step /= 4.0;
    }
    let rim = Rim::of(mesh, line);
    let point = line.point + line.axis() * rim.middle;
    Found { line: Line { point, ..line }, radius: rim.radius, silhouette: view.silhouette }
}

/// The edges that can touch a cylinder: in each small sector around the line the nearest one.
struct Rim {
    edges: Vec<[Point3<f64>; 2]>,
    radius: f64,
    /// Half of the length of the hole.
    half_length: f64,
    /// The middle of the hole along the line.
    middle: f64,
}

impl Rim {
    const SECTORS: usize = 360;
    const SLICES: usize = 24;

    fn of(mesh: &Mesh, line: Line) -> Self {
        let axis = line.axis();
        let height = |point: Point3<f64>| (point - line.point).dot(&axis);
        let all = || mesh.triangles.iter().flatten().map(|&index| mesh.vertices[index as usize].cast());
        let (low, high) = all()
            .map(height)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)));
        let mut nearest_in = vec![None::<(f64, [Point3<f64>; 2])>; Self::SECTORS * Self::SLICES];
        for face in 0..mesh.triangles.len() {
            let corners = mesh.corners(face);
            for side in 0..3 {
                let edge = [corners[side], corners[(side + 1) % 3]];
                let touch = nearest(line.flat(edge[0]), line.flat(edge[1]));
                let distance = touch.coords.norm();
                let sector = cast::index((touch.y.atan2(touch.x) / TAU + 0.5) * Self::SECTORS as f64);
                let middle = height(nalgebra::center(&edge[0], &edge[1]));
                let slice = cast::index((middle - low) / (high - low) * Self::SLICES as f64);
                let bin = sector.min(Self::SECTORS - 1) * Self::SLICES + slice.min(Self::SLICES - 1);
                if nearest_in[bin].is_none_or(|(known, _)| distance < known) {
                    nearest_in[bin] = Some((distance, edge));
                }
            }
        }
        let mut near: Vec<(f64, [Point3<f64>; 2])> = nearest_in.into_iter().flatten().collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        let radius = near.first().map_or(0.0, |(distance, _)| *distance);
        let edges = near.into_iter().map(|(_, edge)| edge).collect();
        Self { edges, radius, half_length: (high - low) / 2.0, middle: (high + low) / 2.0 }
    }

    /// Tries all combinations of small moves and tilts, halving the step whenever none helps.
    fn widen(&self, start: Line, step: f64) -> Line {
        const MOVES_MAX: usize = 400;
        let (mut line, mut radius) = (start, self.radius);
        let (mut step, finest) = (step, self.radius * 1.0e-5);
        let mut moves = 0;
        while step > finest && moves < MOVES_MAX {
            let tilt = (step / self.half_length.max(step)).min(0.1);
            let better = combinations()
                .map(|[x, y, a, b]| line.moved([x * step, y * step, a * tilt, b * tilt]))
                .filter_map(|line| self.radius_above(&line, radius).map(|radius| (radius, line)))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            match better {
                Some((wider, moved)) => (line, radius) = (moved, wider),
                None => step /= 2.0,
            }
            moves += 1;
        }
        line
    }

    /// The distance of the nearest edge, if it is above a bound.
    fn radius_above(&self, line: &Line, bound: f64) -> Option<f64> {
        let mut nearest = f64::INFINITY;
        for &edge in &self.edges {
            nearest = nearest.min(line.distance(edge));
            if nearest <= bound {
                return None;
            }
        }
        Some(nearest)
    }
}

/// How far around a direction points, 0 to 1, in steps of a square: no angle, but as good and cheaper.
fn turn(direction: Point2<f64>) -> f64 {
    let size = direction.x.abs() + direction.y.abs();
    if size == 0.0 {
        return 0.0;
    }
    let along = direction.x / size;
    if direction.y >= 0.0 { (1.0 - along) / 4.0 } else { (3.0 + along) / 4.0 }
}

/// All 80 ways to step back, stay or step forward in four directions.
fn combinations() -> impl Iterator<Item = [f64; 4]> {
    let digit = |index: u8, place: u32| f64::from(index / 3_u8.pow(place) % 3) - 1.0;
    (0..81_u8).filter(|&index| index != 40).map(move |index| [0, 1, 2, 3].map(|place| digit(index, place)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::cube;
    use crate::mesh::transform;
    use crate::rings::{BandProfile, RingDesign};

    #[test]
    fn a_cube_has_no_finger_hole() {
        assert_eq!(measure(&cube(Point3::new(0.0, 0.0, 0.0), 20.0)), None);
    }

    #[test]
    fn a_ring_measures_the_same_in_any_pose() {
        let band = RingDesign::band(17.3, 4.0, 1.8, BandProfile::HalfRound).generate().unwrap();
        for (axis, angle) in [(Vector3::z(), 0.0), (Vector3::new(1.0, 2.0, 0.5), 0.7), (Vector3::x(), 1.2)] {
            let mut mesh = band.clone();
            transform::rotate(&mut mesh, axis, angle);
            transform::translate(&mut mesh, Vector3::new(30.0, -12.0, 5.0));

            let ring = measure(&mesh).unwrap();

            assert!((ring.inner_diameter_mm - 17.3).abs() < 0.01, "{}", ring.inner_diameter_mm);
        }
    }
}
