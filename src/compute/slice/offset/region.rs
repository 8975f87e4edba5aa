//! Areas with whole coordinates: union, difference, and outlines moved by a distance.
//!
//! Moving is exact but for arcs: the raw outline (each edge moved, joined by an arc where that leaves a gap, and
//! by way of the corner itself where it overlaps) winds once around what belongs to the result and not at all,
//! or the other way round, around the rest. For growth that is because edge strips and corner sectors only add
//! to the winding, for shrinkage because they only take from the winding of 1 inside.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::{Overlay, ShapeType};
use i_overlay::core::overlay_rule::OverlayRule;

use super::outline::Point;

/// Bodies, each an outer contour (counterclockwise) and its holes (clockwise), that don't overlap; nm.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Region {
    shapes: Vec<Vec<Vec<Point>>>,
}

impl Region {
    /// Everything that any contours wind around, however often and in whichever direction.
    pub(super) fn union(contours: &[Vec<Point>]) -> Self {
        let mut overlay = Overlay::new(contours.iter().map(Vec::len).sum());
        overlay.add_source(contours, ShapeType::Subject);
        Self { shapes: overlay.overlay(OverlayRule::Subject, FillRule::NonZero) }
    }

    /// All of several regions.
    pub(super) fn union_of(regions: &[Region]) -> Self {
        let contours: Vec<Vec<Point>> = regions.iter().flat_map(Region::contours).cloned().collect();
        Self::union(&contours)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    pub(super) fn contours(&self) -> impl Iterator<Item = &Vec<Point>> {
        self.shapes.iter().flatten()
    }

    /// Each connected body on its own.
    pub(super) fn bodies(&self) -> impl Iterator<Item = Region> + '_ {
        self.shapes.iter().map(|shape| Region { shapes: vec![shape.clone()] })
    }

    /// What of this lies outside of another.
    pub(super) fn without(&self, other: &Region) -> Region {
        self.combined(other, OverlayRule::Difference)
    }

    /// What of this lies inside another.
    pub(super) fn within(&self, other: &Region) -> Region {
        self.combined(other, OverlayRule::Intersect)
    }

    fn combined(&self, other: &Region, rule: OverlayRule) -> Region {
        let mut overlay = Overlay::from_subj_and_clip(&self.shapes, &other.shapes);
        Region { shapes: overlay.overlay(rule, FillRule::NonZero) }
    }

    /// The rectangle around all of it, wider by a margin on each side; nothing if it is empty.
    pub(super) fn frame(&self, margin_nm: f64) -> Option<Region> {
        let (low, high) = self.bounds()?;
        #[expect(clippy::cast_possible_truncation, reason = "saturates; margins are millimetres")]
        let margin = margin_nm.ceil() as i32;
        let (low, high) =
            (low.map(|side| side.saturating_sub(margin)), high.map(|side| side.saturating_add(margin)));
        let corners = [[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]];
        Some(Region { shapes: vec![vec![corners.map(|[x, y]| Point::new(x, y)).to_vec()]] })
    }

    /// The middle of the rectangle around all of it, nm.
    pub(super) fn middle(&self) -> [f64; 2] {
        let (low, high) = self.bounds().unwrap_or_default();
        [0, 1].map(|axis| f64::midpoint(f64::from(low[axis]), f64::from(high[axis])))
    }

    fn bounds(&self) -> Option<([i32; 2], [i32; 2])> {
        let sides = || self.contours().flatten().map(|point| [point.x, point.y]);
        let low = sides().reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1])])?;
        let high = sides().reduce(|a, b| [a[0].max(b[0]), a[1].max(b[1])])?;
        Some((low, high))
    }

    /// Twice the area, nm².
    #[cfg(test)]
    pub(super) fn doubled_area(&self) -> i128 {
        let cross =
            |a: &Point, b: &Point| i128::from(a.x) * i128::from(b.y) - i128::from(b.x) * i128::from(a.y);
        self.contours()
            .map(|contour| {
                let following = contour.iter().cycle().skip(1);
                contour.iter().zip(following).map(|(a, b)| cross(a, b)).sum::<i128>()
            })
            .sum()
    }

    /// The outline moved outwards by a distance (inwards below zero), with round joins.
    ///
    /// Arcs become chords that stay within `tolerance_nm` of them.
    pub(super) fn moved(&self, distance_nm: f64, tolerance_nm: f64) -> Region {
        if distance_nm == 0.0 {
            return self.clone();
        }
        let step = 2.0 * (1.0 - (tolerance_nm / distance_nm.abs()).min(1.0)).acos();
        let raw: Vec<Vec<Point>> =
            self.contours().map(|contour| raw_outline(contour, distance_nm, step)).collect();
        let mut overlay = Overlay::new(raw.iter().map(Vec::len).sum());
        overlay.add_source(&raw, ShapeType::Subject);
        Region { shapes: overlay.overlay(OverlayRule::Subject, FillRule::Positive) }
    }
}

/// An edge of a contour: its length, and the direction out of the body.
#[derive(Clone, Copy)]
struct Edge {
    length: f64,
    out: [f64; 2],
}

fn raw_outline(contour: &[Point], distance: f64, step: f64) -> Vec<Point> {
    let following = contour.iter().cycle().skip(1);
    let edges: Vec<Edge> = contour.iter().zip(following).map(|(from, to)| edge(from, to)).collect();
    let before = edges.iter().cycle().skip(edges.len().saturating_sub(1));
    let mut raw = Vec::with_capacity(contour.len() * 3);
    for ((point, arriving), leaving) in contour.iter().zip(before).zip(&edges) {
        corner(point, *arriving, *leaving, distance, step, &mut raw);
    }
    raw
}

fn edge(from: &Point, to: &Point) -> Edge {
    let (x, y) = (f64::from(to.x) - f64::from(from.x), f64::from(to.y) - f64::from(from.y));
    let length = x.hypot(y);
    if length > 0.0 {
        Edge { length, out: [y / length, -x / length] }
    } else {
        Edge { length, out: [0.0; 2] }
    }
}

/// The way from the end of one moved edge to the start of the next.
fn corner(point: &Point, arriving: Edge, leaving: Edge, distance: f64, step: f64, raw: &mut Vec<Point>) {
    let (a, b) = (arriving.out, leaving.out);
    let (sine, cosine) = (a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1]);
    let at = |out: [f64; 2]| rounded(point, out, distance);
    if sine * distance > 0.0 || cosine < -1.0 + 1e-12 {
        let angle =
            if sine * distance > 0.0 { sine.atan2(cosine) } else { std::f64::consts::PI * distance.signum() };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few hundred at most; saturates"
        )]
        let steps = (angle.abs() / step.max(1e-3)).ceil().max(1.0) as u32;
        for index in 0..=steps {
            let (sine, cosine) = (angle * f64::from(index) / f64::from(steps)).sin_cos();
            raw.push(at([a[0] * cosine - a[1] * sine, a[0] * sine + a[1] * cosine]));
        }
        return;
    }
    raw.push(at(a));
    // Where both edges are long against the overlap, the triangle that is cut off lies in both of their strips
    // and takes nothing away; going by way of the corner would only make needles.
    let smooth = cosine > 0.0 && sine.abs() * distance.abs() <= arriving.length.min(leaving.length);
    if !smooth {
        raw.push(*point);
    }
    raw.push(at(b));
}

#[expect(clippy::cast_possible_truncation, reason = "saturates; plates are below a metre")]
fn rounded(point: &Point, out: [f64; 2], distance: f64) -> Point {
    let moved = |coordinate: i32, out: f64| (f64::from(coordinate) + out * distance).round() as i32;
    Point::new(moved(point.x, out[0]), moved(point.y, out[1]))
}
