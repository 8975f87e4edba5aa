//! An outline made ready for many questions: how deep two pieces lie in each other, at any place and turn.
//!
//! A grid holds the signed distance from the outline. Two outlines keep a distance exactly if every corner of each
//! does from the other, as the nearest points of two separate polygons are a corner and an edge; discs inside make
//! the answer grow with the depth where one lies deep in the other.

use super::outline::{Outline, bounds, sin_cos, turned};
use crate::mesh::cast;

/// Spacing of the distance grid, mm; larger only for pieces of more than 60 mm.
const STEP_MM: f64 = 0.25;
/// Cells along the longer side at most.
const CELLS_MAX: f64 = 300.0;
/// The grid reaches this much farther than the gap, mm.
const PAD_MM: f64 = 1.5;
/// Discs inside an outline.
const DISCS_MAX: usize = 10;
/// Smaller discs than this part of the largest tell nothing new.
const DISC_PART_MIN: f32 = 0.25;
/// Corners that are looked at together.
const BUNDLE: usize = 6;
/// Edges longer than this get points between, mm: two pieces may cross without a corner of one in the other.
const EDGE_MM: f64 = 3.0;

/// A disc around a point.
#[derive(Debug, Clone, Copy)]
struct Disc {
    x: f32,
    y: f32,
    radius: f32,
}

/// Corners with the disc that holds them.
#[derive(Debug, Clone)]
struct Bundle {
    around: Disc,
    points: Vec<[f32; 2]>,
}

/// Where a piece is: the middle of its unturned box, mm, and its turn in whole degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pose {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) degrees: u16,
}

/// Half of an outline's box at one turn, as its lowest and highest corner relative to the pose.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Extent {
    pub(super) low: [f32; 2],
    pub(super) high: [f32; 2],
}

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Body {
    /// Farthest corner from the origin.
    pub(super) radius: f32,
    /// Boxes at 0, 1, .. 359 degrees.
    pub(super) extents: Vec<Extent>,
    columns: usize,
    rows: usize,
    low: [f32; 2],
    per_mm: f32,
    pad: f32,
    distances: Vec<f32>,
    discs: Vec<Disc>,
    bundles: Vec<Bundle>,
}

impl Body {
    pub(super) fn new(outline: &Outline, gap_mm: f64) -> Self {
        let simple = outline.simple();
        let [low, high] = bounds(simple).unwrap_or_default();
        let size = (high[0] - low[0]).max(high[1] - low[1]);
        let step = STEP_MM.max(size / CELLS_MAX);
        let pad = gap_mm + PAD_MM.max(2.0 * step);
        let cells = |axis: usize| cast::index(((high[axis] - low[axis] + 2.0 * pad) / step).ceil()) + 2;
        let radius = simple.iter().flatten().map(|[x, y]| x.hypot(*y)).fold(0.0, f64::max);
        let mut body = Self {
            radius: cast::single(radius),
            extents: extents(simple),
            columns: cells(0),
            rows: cells(1),
            low: [cast::single(low[0] - pad), cast::single(low[1] - pad)],
            per_mm: cast::single(1.0 / step),
            pad: cast::single(pad),
            distances: Vec::new(),
            discs: Vec::new(),
            bundles: bundles(simple),
        };
        body.distances = body.measured(simple, step);
        body.discs = body.inner_discs(cast::single(step));
        body
    }

    /// Signed distance of a point from the outline, mm, negative inside; farther out a bound from below.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "compared with the grid before; its sides are below a thousand"
    )]
    pub(super) fn distance(&self, x: f32, y: f32) -> f32 {
        let [u, v] = [(x - self.low[0]) * self.per_mm, (y - self.low[1]) * self.per_mm];
        let [last_u, last_v] = [(self.columns - 1) as f32, (self.rows - 1) as f32];
        if !(u >= 0.0 && v >= 0.0 && u < last_u && v < last_v) {
            let beyond = (-u).max(u - last_u).max(-v).max(v - last_v).max(0.0);
            return self.pad + beyond / self.per_mm;
        }
        let (column, row) = (u as usize, v as usize);
        let [part_u, part_v] = [u - column as f32, v - row as f32];
        let at = row * self.columns + column;
        let [a, b] = [self.distances[at], self.distances[at + 1]];
        let [c, d] = [self.distances[at + self.columns], self.distances[at + self.columns + 1]];
        let [lower, upper] = [a + (b - a) * part_u, c + (d - c) * part_u];
        lower + (upper - lower) * part_v
    }

    /// Distances at the nodes. The sign is by even crossings, contours don't overlap.
    fn measured(&self, contours: &[Vec<[f64; 2]>], step: f64) -> Vec<f32> {
        let mut edges = Vec::new();
        for contour in contours {
            edges.extend(contour.iter().zip(contour.iter().cycle().skip(1)).map(|(a, b)| (*a, *b)));
        }
        let mut distances = Vec::with_capacity(self.columns * self.rows);
        for row in 0..self.rows {
            for column in 0..self.columns {
                let node = |low: f32, index: usize| f64::from(low) + step * f64::from(cast::vertex(index));
                let point = [node(self.low[0], column), node(self.low[1], row)];
                let away = edges.iter().map(|(a, b)| to_segment_squared(point, *a, *b));
                let away = away.fold(f64::INFINITY, f64::min).sqrt();
                let is_inside = edges.iter().filter(|(a, b)| crosses(point, *a, *b)).count() % 2 == 1;
                distances.push(cast::single(if is_inside { -away } else { away }));
            }
        }
        distances
    }

    /// The deepest places, each outside of the discs before it.
    fn inner_discs(&self, step: f32) -> Vec<Disc> {
        let mut discs: Vec<Disc> = Vec::new();
        let mut left: Vec<Disc> = Vec::new();
        for (index, &distance) in self.distances.iter().enumerate().filter(|(_, distance)| **distance < 0.0) {
            let place = |low: f32, at: usize| low + step * cast::single(f64::from(cast::vertex(at)));
            let (column, row) = (index % self.columns, index / self.columns);
            left.push(Disc { x: place(self.low[0], column), y: place(self.low[1], row), radius: -distance });
        }
        while discs.len() < DISCS_MAX {
            let Some(&next) = left.iter().max_by(|a, b| a.radius.total_cmp(&b.radius)) else { break };
            if discs.first().is_some_and(|first| next.radius < first.radius * DISC_PART_MIN) {
                break;
            }
            left.retain(|disc| (disc.x - next.x).hypot(disc.y - next.y) > next.radius);
            discs.push(next);
        }
        discs
    }
}

/// Turns of one body seen from another.
#[derive(Debug)]
pub(super) struct Turns(Vec<[f32; 2]>);

impl Turns {
    pub(super) fn new() -> Self {
        let pair = |degrees: u16| {
            let (sin, cos) = sin_cos(degrees);
            [cast::single(sin), cast::single(cos)]
        };
        Self((0..360).map(pair).collect())
    }

    fn of(&self, degrees: u16) -> [f32; 2] {
        self.0[usize::from(degrees)]
    }

    /// By how much the distance of two bodies stays below `limit`, mm; zero if they keep it.
    pub(super) fn depth(&self, (a, at): (&Body, Pose), (b, bt): (&Body, Pose), limit: f32) -> f32 {
        let [x, y] = [bt.x - at.x, bt.y - at.y];
        let reach = a.radius + b.radius + limit;
        if x * x + y * y >= reach * reach {
            return 0.0;
        }
        let [sin, cos] = self.of((bt.degrees + 360 - at.degrees) % 360);
        let [sin_a, cos_a] = self.of(at.degrees);
        let [sin_b, cos_b] = self.of(bt.degrees);
        let b_in_a = Frame { sin, cos, x: cos_a * x + sin_a * y, y: cos_a * y - sin_a * x };
        let a_in_b = Frame { sin: -sin, cos, x: -cos_b * x - sin_b * y, y: -cos_b * y + sin_b * x };
        if a.distance(b_in_a.x, b_in_a.y) >= b.radius + limit
            || b.distance(a_in_b.x, a_in_b.y) >= a.radius + limit
        {
            return 0.0;
        }
        let low = a.nearest(b, &b_in_a, limit);
        limit - b.nearest(a, &a_in_b, low)
    }
}

/// A turn, then a move.
struct Frame {
    sin: f32,
    cos: f32,
    x: f32,
    y: f32,
}

impl Frame {
    fn take(&self, x: f32, y: f32) -> [f32; 2] {
        [self.cos * x - self.sin * y + self.x, self.sin * x + self.cos * y + self.y]
    }
}

impl Body {
    /// The least distance of the other's discs and corners, if it is below `low`.
    fn nearest(&self, other: &Self, frame: &Frame, mut low: f32) -> f32 {
        for disc in &other.discs {
            let [x, y] = frame.take(disc.x, disc.y);
            low = low.min(self.distance(x, y) - disc.radius);
        }
        for bundle in &other.bundles {
            let [x, y] = frame.take(bundle.around.x, bundle.around.y);
            if self.distance(x, y) - bundle.around.radius >= low {
                continue;
            }
            for &[x, y] in &bundle.points {
                let [x, y] = frame.take(x, y);
                low = low.min(self.distance(x, y));
            }
        }
        low
    }
}

fn to_segment_squared(point: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let [x, y] = [b[0] - a[0], b[1] - a[1]];
    let [u, v] = [point[0] - a[0], point[1] - a[1]];
    let along = ((u * x + v * y) / (x * x + y * y).max(1e-30)).clamp(0.0, 1.0);
    let [u, v] = [u - along * x, v - along * y];
    u * u + v * v
}

fn crosses(point: [f64; 2], a: [f64; 2], b: [f64; 2]) -> bool {
    (a[1] > point[1]) != (b[1] > point[1])
        && point[0] < a[0] + (point[1] - a[1]) * (b[0] - a[0]) / (b[1] - a[1])
}

fn extents(contours: &[Vec<[f64; 2]>]) -> Vec<Extent> {
    let extent = |degrees: u16| {
        let [low, high] = bounds(&turned(contours, degrees)).unwrap_or_default();
        Extent { low: low.map(cast::single), high: high.map(cast::single) }
    };
    (0..360).map(extent).collect()
}

fn bundles(contours: &[Vec<[f64; 2]>]) -> Vec<Bundle> {
    let mut bundles = Vec::new();
    for contour in contours {
        let points = with_points_between(contour);
        bundles.extend(points.chunks(BUNDLE).map(bundle));
    }
    bundles
}

fn with_points_between(contour: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut points = Vec::new();
    for (a, b) in contour.iter().zip(contour.iter().cycle().skip(1)) {
        let parts = ((b[0] - a[0]).hypot(b[1] - a[1]) / EDGE_MM).ceil().clamp(1.0, 20.0);
        let mut part = 0.0;
        while part < parts {
            let along = part / parts;
            points.push([a[0] + (b[0] - a[0]) * along, a[1] + (b[1] - a[1]) * along]);
            part += 1.0;
        }
    }
    points
}

fn bundle(points: &[[f64; 2]]) -> Bundle {
    let [low, high] = bounds(&[points.to_vec()]).unwrap_or_default();
    let [x, y] = [f64::midpoint(low[0], high[0]), f64::midpoint(low[1], high[1])];
    let radius = points.iter().map(|point| (point[0] - x).hypot(point[1] - y)).fold(0.0, f64::max);
    let around = Disc { x: cast::single(x), y: cast::single(y), radius: cast::single(radius) };
    Bundle { around, points: points.iter().map(|point| point.map(cast::single)).collect() }
}
