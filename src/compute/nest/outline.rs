//! What a piece covers of the plate, seen from above.

use super::plane::{self, Contour};
use super::{Plate, Turns};
use crate::mesh::Mesh;

/// Corners of the simplified outline at most (`geometry.md` section 8).
const CORNERS_MAX: usize = 60;
/// How far the simplified outline may lie outside, mm, in the order in which they are tried. Only an outline that
/// keeps more than 60 corners at a tenth of a millimetre is drawn more coarsely.
const TOLERANCES_MM: [f64; 8] = [0.02, 0.04, 0.07, 0.1, 0.2, 0.4, 0.8, 1.6];
/// Coordinates beyond this are no piece for any plate.
const SIZE_MAX_MM: f64 = 2000.0;
/// What a grid of 10 nm may lose along an outline, mm².
const ROUNDING_MM2: f64 = 1e-6;

/// The silhouette of a piece with its supports: outer contours only, holes are filled. Coordinates are in
/// millimetres, the middle of the surrounding box is the origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    exact: Vec<Contour>,
    simple: Vec<Contour>,
    area_mm2: f64,
}

impl Outline {
    /// The silhouette of a mesh as it stands: the union of all faces, projected. Nothing for a mesh that covers no
    /// area or is wider than two metres.
    #[must_use]
    pub fn of(mesh: &Mesh) -> Option<Self> {
        let faces = (0..mesh.triangles.len()).map(|face| mesh.corners(face));
        let flat = faces.map(|corners| corners.map(|corner| [corner.x, corner.y]).to_vec());
        Self::around(&flat.filter(|face| plane::area_mm2(face) != 0.0).collect::<Vec<_>>())
    }

    /// A box; nothing unless both sides are above zero and below two metres.
    #[must_use]
    pub fn rectangle(width_mm: f64, depth_mm: f64) -> Option<Self> {
        let [x, y] = [width_mm / 2.0, depth_mm / 2.0];
        Self::around(&[vec![[-x, -y], [x, -y], [x, y], [-x, y]]])
    }

    /// What contours enclose, in whichever sense they run.
    #[must_use]
    pub fn around(contours: &[Vec<[f64; 2]>]) -> Option<Self> {
        let is_sound = |side: &f64| side.is_finite() && side.abs() <= SIZE_MAX_MM;
        if !contours.iter().flatten().flatten().all(is_sound) {
            return None;
        }
        let mut exact = plane::silhouette(contours);
        exact.retain(|contour| plane::area_mm2(contour).abs() > ROUNDING_MM2);
        let [low, high] = bounds(&exact)?;
        let middle = [0, 1].map(|axis| f64::midpoint(low[axis], high[axis]));
        for point in exact.iter_mut().flatten() {
            *point = [point[0] - middle[0], point[1] - middle[1]];
        }
        Some(Self::with_exact(exact))
    }

    /// The same outline, scaled along x and y.
    #[must_use]
    pub fn scaled(&self, factors: [f64; 2]) -> Option<Self> {
        let scale = |point: &[f64; 2]| [point[0] * factors[0], point[1] * factors[1]];
        let exact: Vec<Contour> = self.exact.iter().map(|line| line.iter().map(scale).collect()).collect();
        Self::around(&exact)
    }

    /// Whether it has room on an empty plate, dead zones aside.
    #[must_use]
    pub fn fits(&self, turns: Turns, plate: &Plate) -> bool {
        let border = 2.0 * plate.border.to_millimeters().0;
        let room = [plate.width, plate.depth].map(|side| side.to_millimeters().0 - border);
        turns.degrees().into_iter().any(|degrees| {
            let size = bounds(&turned(&self.simple, degrees))
                .map_or([0.0; 2], |[low, high]| [high[0] - low[0], high[1] - low[1]]);
            (0..2).all(|axis| size[axis] <= room[axis])
        })
    }

    /// Area of the silhouette, mm².
    #[must_use]
    pub fn area_mm2(&self) -> f64 {
        self.area_mm2
    }

    /// Area of everything within a distance of the silhouette, mm²: what the piece takes when `by_mm` is half the
    /// gap.
    #[must_use]
    pub fn area_grown_mm2(&self, by_mm: f64) -> f64 {
        plane::grown(&self.exact, by_mm).iter().map(|contour| plane::area_mm2(contour).abs()).sum()
    }

    /// The true silhouette.
    #[must_use]
    pub fn exact(&self) -> &[Vec<[f64; 2]>] {
        &self.exact
    }

    /// An outline with few corners that holds the true one.
    #[must_use]
    pub fn simple(&self) -> &[Vec<[f64; 2]>] {
        &self.simple
    }

    /// The true silhouette, turned by whole degrees and moved so that its lowest corner lies at `corner`.
    #[must_use]
    pub fn placed(&self, degrees: u16, corner: [f64; 2]) -> Vec<Vec<[f64; 2]>> {
        let mut turned = turned(&self.exact, degrees);
        let low = bounds(&turned).map_or([0.0; 2], |[low, _]| low);
        for point in turned.iter_mut().flatten() {
            *point = [point[0] - low[0] + corner[0], point[1] - low[1] + corner[1]];
        }
        turned
    }

    fn with_exact(exact: Vec<Contour>) -> Self {
        let area_mm2 = exact.iter().map(|contour| plane::area_mm2(contour).abs()).sum();
        let corners: usize = exact.iter().map(Vec::len).sum();
        let simple = if corners <= CORNERS_MAX / 2 { exact.clone() } else { simplified(&exact) };
        Self { exact, simple, area_mm2 }
    }
}

/// Contours, turned counter-clockwise about the origin. Quarter turns are exact.
pub(super) fn turned(contours: &[Contour], degrees: u16) -> Vec<Contour> {
    let (sin, cos) = sin_cos(degrees);
    let turn = |[x, y]: &[f64; 2]| [cos * x - sin * y, sin * x + cos * y];
    contours.iter().map(|contour| contour.iter().map(turn).collect()).collect()
}

/// Sine and cosine of whole degrees.
pub(super) fn sin_cos(degrees: u16) -> (f64, f64) {
    match degrees % 360 {
        0 => (0.0, 1.0),
        90 => (1.0, 0.0),
        180 => (0.0, -1.0),
        270 => (-1.0, 0.0),
        other => f64::from(other).to_radians().sin_cos(),
    }
}

/// Lowest and highest corner.
pub(super) fn bounds(contours: &[Contour]) -> Option<[[f64; 2]; 2]> {
    let mut points = contours.iter().flatten();
    let first = *points.next()?;
    Some(points.fold([first, first], |[low, high], point| {
        [[low[0].min(point[0]), low[1].min(point[1])], [high[0].max(point[0]), high[1].max(point[1])]]
    }))
}

/// Grown by half the tolerance, then drawn with chords that stray by no more than that: the result lies outside, by
/// the tolerance at most. That it holds the true outline is checked all the same.
fn simplified(exact: &[Contour]) -> Vec<Contour> {
    for tolerance in TOLERANCES_MM {
        let grown = plane::grown(exact, tolerance / 2.0 + 0.001);
        let chords: Vec<Contour> =
            grown.iter().map(|contour| with_chords(contour, tolerance / 2.0)).collect();
        let simple = plane::silhouette(&chords);
        let corners: usize = simple.iter().map(Vec::len).sum();
        if corners <= CORNERS_MAX && plane::missing_mm2(exact, &simple) <= ROUNDING_MM2 {
            return simple;
        }
    }
    let [low, high] = bounds(exact).unwrap_or_default();
    vec![vec![low, [high[0], low[1]], high, [low[0], high[1]]]]
}

/// Ramer, Douglas and Peucker's choice of corners for a closed line.
fn with_chords(contour: &[[f64; 2]], tolerance: f64) -> Contour {
    let count = contour.len();
    let from = contour[0];
    let far = |index: &usize| {
        let [x, y] = contour[*index];
        (x - from[0]).hypot(y - from[1])
    };
    let half = (0..count).max_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(0);
    let mut is_kept = vec![false; count + 1];
    is_kept[0] = true;
    is_kept[half] = true;
    let mut open = vec![(0, half), (half, count)];
    while let Some((first, last)) = open.pop() {
        let stray = |index: &usize| to_segment(contour[*index], contour[first], contour[last % count]);
        let worst = (first + 1..last).max_by(|a, b| stray(a).total_cmp(&stray(b)));
        if let Some(worst) = worst.filter(|worst| stray(worst) > tolerance) {
            is_kept[worst] = true;
            open.extend([(first, worst), (worst, last)]);
        }
    }
    (0..count).filter(|&index| is_kept[index]).map(|index| contour[index]).collect()
}

/// Distance of a point from a segment.
pub(super) fn to_segment(point: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let [x, y] = [b[0] - a[0], b[1] - a[1]];
    let [u, v] = [point[0] - a[0], point[1] - a[1]];
    let squared = x * x + y * y;
    let along = if squared > 0.0 { ((u * x + v * y) / squared).clamp(0.0, 1.0) } else { 0.0 };
    (u - along * x).hypot(v - along * y)
}
