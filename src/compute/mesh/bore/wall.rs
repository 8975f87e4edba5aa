//! What most of the wall of a finger hole measures, by rays from its axis.

use nalgebra::{Point2, Point3};

use super::{Line, turn};
use crate::mesh::{Mesh, cast};

/// Rays around the axis and heights along it.
const AROUND: usize = 180;
const HEIGHTS: usize = 25;
/// Width of the classes that the lengths of the rays are counted in, mm.
const CLASS_MM: f64 = 0.02;
/// A class with fewer of the rays is no wall.
const WALL_PART: f64 = 0.25;
/// What lies within this of the free cylinder bounds the hole, mm.
const FINGER_MM: f64 = 0.15;

/// The wall of a finger hole.
pub(super) struct Wall {
    /// The diameter that most rays measure.
    pub(super) diameter_mm: f64,
    /// How long the hole is along the finger.
    pub(super) length_mm: f64,
}

/// Sends rays from the axis to the nearest faces; nothing if they agree on no diameter.
pub(super) fn measure(mesh: &Mesh, line: &Line, radius: f64) -> Option<Wall> {
    let axis = line.axis();
    let seen = |corner: Point3<f64>| (line.flat(corner), (corner - line.point).dot(&axis));
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    let bounding = (radius + FINGER_MM) * (radius + FINGER_MM);
    for face in 0..mesh.triangles.len() {
        for (flat, height) in mesh.corners(face).map(seen) {
            if flat.coords.norm_squared() <= bounding {
                (low, high) = (low.min(height), high.max(height));
            }
        }
    }
    let step = (high - low) / HEIGHTS as f64;
    if step.is_nan() || step <= 0.0 {
        return None;
    }
    let mut rays = vec![f64::INFINITY; AROUND * HEIGHTS];
    for face in 0..mesh.triangles.len() {
        let corners = mesh.corners(face).map(seen);
        let bottom = corners.iter().fold(f64::INFINITY, |low, corner| low.min(corner.1));
        let top = corners.iter().fold(f64::NEG_INFINITY, |high, corner| high.max(corner.1));
        let first = cast::index(((bottom - low) / step - 0.5).ceil());
        let end = cast::index(((top - low) / step - 0.5).floor() + 1.0).min(HEIGHTS);
        for index in first..end {
            if let Some(cut) = cut(&corners, low + (index as f64 + 0.5) * step) {
                shorten(&mut rays[index * AROUND..(index + 1) * AROUND], cut);
            }
        }
    }
    let diameter_mm = 2.0 * most(&rays, radius)?;
    Some(Wall { diameter_mm, length_mm: high - low })
}

/// The two points of a face at a height.
fn cut(corners: &[(Point2<f64>, f64); 3], height: f64) -> Option<[Point2<f64>; 2]> {
    let mut found = [None; 2];
    for side in 0..3 {
        let ((a, low), (b, high)) = (corners[side], corners[(side + 1) % 3]);
        if (low > height) != (high > height) {
            let point = a + (b - a) * ((height - low) / (high - low));
            found[usize::from(high > low)] = Some(point);
        }
    }
    Some([found[0]?, found[1]?])
}

/// Ends the rays that meet a segment.
fn shorten(rays: &mut [f64], [a, b]: [Point2<f64>; 2]) {
    let (one, two) = (turn(a).min(turn(b)), turn(a).max(turn(b)));
    // The shorter way round; a segment never spans half of the turn as seen from the axis.
    let spans = if two - one <= 0.5 { [(one, two), (1.0, 0.0)] } else { [(two, 1.0), (0.0, one)] };
    let count = rays.len() as f64;
    for (from, to) in spans {
        let end = cast::index((to * count - 0.5).floor() + 1.0).min(rays.len());
        let first = cast::index((from * count - 0.5).ceil()).min(end);
        for (index, length) in (first..).zip(&mut rays[first..end]) {
            let ray = direction((index as f64 + 0.5) / count);
            let along = b - a;
            let across = ray.x * along.y - ray.y * along.x;
            let at = (a.x * along.y - a.y * along.x) / across;
            if at > 0.0 && at < *length {
                *length = at;
            }
        }
    }
}

/// The direction, of length 1, that a [`turn`] stands for.
fn direction(turn: f64) -> Point2<f64> {
    let (x, y) = if turn < 0.5 {
        let x = 1.0 - 4.0 * turn;
        (x, 1.0 - x.abs())
    } else {
        let x = 4.0 * turn - 3.0;
        (x, x.abs() - 1.0)
    };
    let length = x.hypot(y);
    Point2::new(x / length, y / length)
}

/// The length that most rays agree on.
fn most(rays: &[f64], radius: f64) -> Option<f64> {
    let lengths: Vec<f64> = rays.iter().copied().filter(|length| *length <= 1.25 * radius).collect();
    let class = |length: f64| cast::index(((length - 0.9 * radius).max(0.0)) / CLASS_MM);
    let mut counts = vec![0_usize; class(1.25 * radius) + 2];
    lengths.iter().for_each(|&length| counts[class(length)] += 1);
    let peak = (0..counts.len()).max_by_key(|&index| (counts[index], std::cmp::Reverse(index)))?;
    let agreeing: Vec<f64> =
        lengths.iter().copied().filter(|&length| class(length).abs_diff(peak) <= 1).collect();
    let is_wall = agreeing.len() as f64 >= WALL_PART * lengths.len() as f64;
    (is_wall && !agreeing.is_empty()).then(|| agreeing.iter().sum::<f64>() / agreeing.len() as f64)
}
