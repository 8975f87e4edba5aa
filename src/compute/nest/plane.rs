//! Areas of a plane for outlines: uniting, growing, cutting, on a grid of whole numbers.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::Overlay;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::i_float::int::angle::Angle;
use i_overlay::i_float::int::point::IntPoint;
use i_overlay::mesh::int::outline::offset::IntOutlineOffset;
use i_overlay::mesh::int::style::{IntLineJoin, IntOutlineStyle};

/// Steps of the grid in a millimetre: 10 nm. The library wants coordinates below 2^30, ten metres.
const STEPS_PER_MM: f64 = 100_000.0;
/// Corners sharper than this are cut off when an area grows.
const MITER_DEGREES_MIN: f64 = 60.0;
/// Bends flatter than this are no corners.
const TURN_DEGREES_MIN: f64 = 0.5;

/// A closed line, mm; the last point is followed by the first.
pub(super) type Contour = Vec<[f64; 2]>;

type Point = IntPoint<i32>;
type Shapes = Vec<Vec<Vec<Point>>>;

/// What contours enclose, without its holes: where they overlap counts once, whatever their sense.
pub(super) fn silhouette(contours: &[Contour]) -> Vec<Contour> {
    let points: Vec<Vec<Point>> = contours.iter().map(|contour| on_grid(contour, true)).collect();
    let shapes = Overlay::from_subj(&points).overlay(OverlayRule::Subject, FillRule::NonZero);
    if shapes.iter().all(|shape| shape.len() == 1) {
        return outer(&shapes);
    }
    let outers: Vec<Vec<Point>> = shapes.into_iter().filter_map(|shape| shape.into_iter().next()).collect();
    outer(&Overlay::from_subj(&outers).overlay(OverlayRule::Subject, FillRule::NonZero))
}

/// Every point within `by_mm`, without holes; corners stay corners.
pub(super) fn grown(contours: &[Contour], by_mm: f64) -> Vec<Contour> {
    let angle = |degrees: f64| Angle::from_radians(degrees.to_radians()).unwrap_or(Angle::from_bits(0));
    let style = IntOutlineStyle::new(steps(by_mm))
        .line_join(IntLineJoin::Miter(angle(MITER_DEGREES_MIN)))
        .miter_min_turn(angle(TURN_DEGREES_MIN));
    let shapes: Shapes = contours.iter().map(|contour| vec![on_grid(contour, true)]).collect();
    silhouette(&outer(&shapes.outline(&style).unwrap_or_default()))
}

/// The area that both have, mm².
pub(super) fn shared_mm2(a: &[Contour], b: &[Contour]) -> f64 {
    combined_mm2(a, b, OverlayRule::Intersect)
}

/// The area that `a` has and `b` doesn't, mm².
pub(super) fn missing_mm2(a: &[Contour], b: &[Contour]) -> f64 {
    combined_mm2(a, b, OverlayRule::Difference)
}

/// Area of a closed line, mm²; counter-clockwise is positive.
pub(super) fn area_mm2(contour: &[[f64; 2]]) -> f64 {
    let next = contour.iter().cycle().skip(1);
    contour.iter().zip(next).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum::<f64>() / 2.0
}

fn combined_mm2(a: &[Contour], b: &[Contour], rule: OverlayRule) -> f64 {
    let [a, b] = [a, b].map(|side| side.iter().map(|line| on_grid(line, true)).collect::<Vec<_>>());
    let shapes = Overlay::from_subj_and_clip(&a, &b).overlay(rule, FillRule::NonZero);
    shapes.iter().flatten().map(|contour| area_mm2(&in_mm(contour))).sum()
}

/// Counter-clockwise if asked for, so that overlapping triangles of both sides add up instead of cancelling.
fn on_grid(contour: &[[f64; 2]], is_ordered: bool) -> Vec<Point> {
    let point = |[x, y]: &[f64; 2]| Point::new(steps(*x), steps(*y));
    match is_ordered && area_mm2(contour) < 0.0 {
        true => contour.iter().rev().map(point).collect(),
        false => contour.iter().map(point).collect(),
    }
}

fn outer(shapes: &Shapes) -> Vec<Contour> {
    let outers = shapes.iter().filter_map(|shape| shape.first());
    outers.filter(|contour| contour.len() > 2).map(|contour| in_mm(contour)).collect()
}

fn in_mm(contour: &[Point]) -> Contour {
    contour.iter().map(|point| [point.x, point.y].map(|side| f64::from(side) / STEPS_PER_MM)).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "saturates; outlines are checked to be below 2 m")]
fn steps(mm: f64) -> i32 {
    (mm * STEPS_PER_MM).round() as i32
}
