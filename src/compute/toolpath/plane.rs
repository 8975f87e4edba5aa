//! Areas of a plane on a grid of whole numbers: growing, shrinking, uniting, cutting.
//!
//! A thin layer over the polygon library, so that every other file speaks of millimetres and areas. Whole numbers
//! make the results the same on every machine.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::Overlay;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::i_float::int::angle::Angle;
use i_overlay::i_float::int::point::IntPoint;
use i_overlay::mesh::int::outline::offset::IntOutlineOffset;
use i_overlay::mesh::int::style::{IntLineJoin, IntOutlineStyle};

/// Steps of the grid in a millimetre: 10 nm, a hundredth of what G-code says. The library wants coordinates below
/// 2^30, which is a bed of ten metres.
pub(super) const STEPS_PER_MM: f64 = 100_000.0;

/// Corners sharper than this are cut off when an area grows: the tip then sticks out by the offset at most.
const MITER_DEGREES_MIN: f64 = 60.0;

/// Bends flatter than this are no corners.
const TURN_DEGREES_MIN: f64 = 0.5;

/// A way there and back whose ends are this near, in steps, has no width.
const SPIKE_STEPS: u32 = 8;

/// A point of the grid.
pub(super) type Point = IntPoint<i32>;

/// A closed line; the last point is followed by the first.
pub(super) type Contour = Vec<Point>;

/// One connected area: its outer contour counter-clockwise, then its holes clockwise.
pub(super) type Shape = Vec<Contour>;

/// Areas that don't overlap.
pub(super) type Region = Vec<Shape>;

/// The next point of the grid. Coordinates were checked against the bed before.
#[expect(clippy::cast_possible_truncation, reason = "saturates; the bed is far below 21 m")]
pub(super) fn point(mm: [f64; 2]) -> Point {
    let [x, y] = mm.map(|side| (side * STEPS_PER_MM).round() as i32);
    Point::new(x, y)
}

/// A length in steps of the grid.
#[expect(clippy::cast_possible_truncation, reason = "saturates; lengths are below 10 m")]
pub(super) fn steps(mm: f64) -> i32 {
    (mm * STEPS_PER_MM).round() as i32
}

/// Back to millimetres.
pub(super) fn mm(point: Point) -> [f64; 2] {
    [f64::from(point.x) / STEPS_PER_MM, f64::from(point.y) / STEPS_PER_MM]
}

/// Distance of two points, mm.
pub(super) fn distance_mm(a: Point, b: Point) -> f64 {
    let [x, y] = [f64::from(b.x) - f64::from(a.x), f64::from(b.y) - f64::from(a.y)];
    x.hypot(y) / STEPS_PER_MM
}

/// Length of a line, with the way back to its start if it is closed, mm.
pub(super) fn length_mm(points: &[Point], is_closed: bool) -> f64 {
    let open: f64 = points.windows(2).map(|pair| distance_mm(pair[0], pair[1])).sum();
    match (points.first(), points.last()) {
        (Some(&first), Some(&last)) if is_closed => open + distance_mm(last, first),
        _ => open,
    }
}

/// Signed area of a contour, mm²; counter-clockwise is positive.
#[expect(clippy::cast_precision_loss, reason = "one part in 2^53 of a bed")]
pub(super) fn contour_mm2(contour: &[Point]) -> f64 {
    let Some(&last) = contour.last() else { return 0.0 };
    let mut before = last;
    let mut doubled = 0_i128;
    for &point in contour {
        doubled += i128::from(before.x) * i128::from(point.y) - i128::from(point.x) * i128::from(before.y);
        before = point;
    }
    doubled as f64 / 2.0 / (STEPS_PER_MM * STEPS_PER_MM)
}

/// Area, mm².
pub(super) fn shape_mm2(shape: &[Contour]) -> f64 {
    shape.iter().map(|contour| contour_mm2(contour)).sum()
}

/// Area, mm².
pub(super) fn region_mm2(region: &[Shape]) -> f64 {
    region.iter().map(|shape| shape_mm2(shape)).sum()
}

/// Length of all outlines of a shape, mm.
pub(super) fn outline_mm(shape: &[Contour]) -> f64 {
    shape.iter().map(|contour| length_mm(contour, true)).sum()
}

/// Every point within `by_mm` of the region; a negative number shrinks it. Corners stay corners.
pub(super) fn grown(region: &[Shape], by_mm: f64) -> Region {
    if region.is_empty() {
        return Region::new();
    }
    let angle = |degrees: f64| Angle::from_radians(degrees.to_radians()).unwrap_or(Angle::from_bits(0));
    let style = IntOutlineStyle::new(steps(by_mm))
        .line_join(IntLineJoin::Miter(angle(MITER_DEGREES_MIN)))
        .miter_min_turn(angle(TURN_DEGREES_MIN));
    let mut grown = region.outline(&style).unwrap_or_default();
    for shape in &mut grown {
        shape.iter_mut().for_each(drop_spikes);
        // A shape without its outer contour is none; a hole without area is none either.
        if shape.first().is_some_and(|outer| outer.len() < 3) {
            shape.clear();
        }
        shape.retain(|contour| contour.len() > 2);
    }
    grown.retain(|shape| !shape.is_empty());
    grown
}

/// Takes out ways there and back without width: the library leaves some where an edge shrinks to nothing, as long
/// as the offset. Grown again they would reach out of the part.
fn drop_spikes(contour: &mut Contour) {
    while contour.len() > 2 {
        let count = contour.len();
        let returns = |i: &usize| {
            let (before, after) = (contour[(i + count - 1) % count], contour[(i + 1) % count]);
            before.x.abs_diff(after.x) <= SPIKE_STEPS && before.y.abs_diff(after.y) <= SPIKE_STEPS
        };
        let Some(tip) = (0..count).find(returns) else { return };
        let after = (tip + 1) % count;
        contour.remove(tip.max(after));
        contour.remove(tip.min(after));
    }
}

/// What contours enclose: where they overlap counts once, whatever their sense.
pub(super) fn enclosed(contours: &[Contour]) -> Region {
    Overlay::from_subj(contours).overlay(OverlayRule::Subject, FillRule::NonZero)
}

/// All of both.
pub(super) fn united(a: &[Shape], b: &[Shape]) -> Region {
    combined(a, b, OverlayRule::Union)
}

/// What both share.
pub(super) fn shared(a: &[Shape], b: &[Shape]) -> Region {
    if a.is_empty() || b.is_empty() { Region::new() } else { combined(a, b, OverlayRule::Intersect) }
}

/// What `a` has and `b` has not.
pub(super) fn without(a: &[Shape], b: &[Shape]) -> Region {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => Region::new(),
        (false, true) => a.to_vec(),
        (false, false) => combined(a, b, OverlayRule::Difference),
    }
}

fn combined(a: &[Shape], b: &[Shape], rule: OverlayRule) -> Region {
    Overlay::from_subj_and_clip(a, b).overlay(rule, FillRule::NonZero)
}

/// Lowest and highest corner of a shape; `None` if it has no points.
pub(super) fn bounds(shape: &[Contour]) -> Option<(Point, Point)> {
    let mut points = shape.iter().flatten();
    let first = *points.next()?;
    let widen = |(low, high): (Point, Point), point: &Point| {
        let low = Point::new(low.x.min(point.x), low.y.min(point.y));
        (low, Point::new(high.x.max(point.x), high.y.max(point.y)))
    };
    Some(points.fold((first, first), widen))
}

/// Fewer points: none that lies within `tolerance_mm` of the line between those that stay (Douglas and Peucker).
/// The ends of an open line stay.
pub(super) fn simplified(points: &[Point], is_closed: bool, tolerance_mm: f64) -> Vec<Point> {
    if points.len() < 4 {
        return points.to_vec();
    }
    let last = points.len() - 1;
    let mut keep = vec![false; points.len()];
    keep[0] = true;
    let tolerance2 = (tolerance_mm * STEPS_PER_MM).powi(2);
    if is_closed {
        let away = |i: &usize| distance2(points[*i], points[0], points[0]);
        let far = (1..=last).max_by(|a, b| away(a).total_cmp(&away(b))).unwrap_or(last);
        keep[far] = true;
        keep_between(points, 0, far, tolerance2, &mut keep);
        keep_between(points, far, points.len(), tolerance2, &mut keep);
    } else {
        keep[last] = true;
        keep_between(points, 0, last, tolerance2, &mut keep);
    }
    points.iter().zip(&keep).filter(|(_, kept)| **kept).map(|(point, _)| *point).collect()
}

/// Marks what must stay between two kept points; the index after the last stands for the first.
fn keep_between(points: &[Point], from: usize, to: usize, tolerance2: f64, keep: &mut [bool]) {
    let mut open = vec![(from, to)];
    while let Some((from, to)) = open.pop() {
        let (start, end) = (points[from], points[to % points.len()]);
        let mut worst = (tolerance2, None);
        for (i, &point) in points.iter().enumerate().take(to).skip(from + 1) {
            let off = distance2(point, start, end);
            if off > worst.0 {
                worst = (off, Some(i));
            }
        }
        if let (_, Some(split)) = worst {
            keep[split] = true;
            open.extend([(from, split), (split, to)]);
        }
    }
}

/// Squared distance of a point from a piece of line, in steps.
fn distance2(point: Point, start: Point, end: Point) -> f64 {
    let [px, py] = [f64::from(point.x) - f64::from(start.x), f64::from(point.y) - f64::from(start.y)];
    let [ex, ey] = [f64::from(end.x) - f64::from(start.x), f64::from(end.y) - f64::from(start.y)];
    let long2 = ex * ex + ey * ey;
    let share = if long2 > 0.0 { ((px * ex + py * ey) / long2).clamp(0.0, 1.0) } else { 0.0 };
    (px - share * ex).powi(2) + (py - share * ey).powi(2)
}

/// Whether a point lies inside contours: an odd number of them around it.
pub(super) fn contains(contours: &[Contour], at: Point) -> bool {
    let mut is_inside = false;
    for contour in contours {
        let Some(&last) = contour.last() else { continue };
        let mut before = last;
        for &point in contour {
            if (before.y > at.y) != (point.y > at.y) {
                let rise = i64::from(point.y) - i64::from(before.y);
                let [along, up] =
                    [i64::from(point.x) - i64::from(before.x), i64::from(at.y) - i64::from(before.y)];
                // The crossing is to the right of the point if (x_before - x) * rise + along * up has rise's sign.
                let side = i128::from(i64::from(before.x) - i64::from(at.x)) * i128::from(rise)
                    + i128::from(along) * i128::from(up);
                is_inside ^= (side > 0) == (rise > 0);
            }
            before = point;
        }
    }
    is_inside
}

/// Whether a shape and a region share any area.
pub(super) fn touches(shape: &[Contour], region: &[Shape]) -> bool {
    let corners = shape.iter().flatten().take(8);
    for &corner in corners {
        if region.iter().any(|other| contains(other, corner)) {
            return true;
        }
    }
    !shared(&[shape.to_vec()], region).is_empty()
}
