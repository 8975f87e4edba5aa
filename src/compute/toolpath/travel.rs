//! Ways without wax that stay over the piece: straight if that is inside, else along its outline.

use super::plane::{Contour, Point, contains, distance_mm, length_mm};

/// Where a straight way meets an outline.
struct Meeting {
    share: f64,
    contour: usize,
    /// The edge that begins at this point of the contour.
    edge: usize,
    at: Point,
}

/// The points after `from` on a way to `to` that never leaves `inside`; `None` if there is none that is at most
/// `detour_mm` longer than the straight one.
pub(super) fn route(from: Point, to: Point, inside: &[Contour], detour_mm: f64) -> Option<Vec<Point>> {
    if !contains(inside, from) || !contains(inside, to) {
        return None;
    }
    let meetings = meetings(from, to, inside);
    let mut way = Vec::new();
    for pair in meetings.chunks(2) {
        let [out, back] = pair else { return None };
        if out.contour != back.contour {
            return None;
        }
        way.push(out.at);
        way.extend(along(&inside[out.contour], out, back));
        way.push(back.at);
    }
    way.push(to);
    let long_mm = distance_mm(from, *way.first()?) + length_mm(&way, false);
    (long_mm <= distance_mm(from, to) + detour_mm).then_some(way)
}

/// Whether a straight way crosses or touches any of the contours.
pub(super) fn crosses<'a>(from: Point, to: Point, mut contours: impl Iterator<Item = &'a Contour>) -> bool {
    contours.any(|contour| !meetings(from, to, std::slice::from_ref(contour)).is_empty())
}

/// All meetings, in the order of the way.
fn meetings(from: Point, to: Point, contours: &[Contour]) -> Vec<Meeting> {
    let (low, high) =
        (Point::new(from.x.min(to.x), from.y.min(to.y)), Point::new(from.x.max(to.x), from.y.max(to.y)));
    let mut meetings = Vec::new();
    for (number, contour) in contours.iter().enumerate() {
        for (edge, &start) in contour.iter().enumerate() {
            let end = contour[if edge + 1 == contour.len() { 0 } else { edge + 1 }];
            let is_apart = start.x.max(end.x) < low.x
                || start.x.min(end.x) > high.x
                || start.y.max(end.y) < low.y
                || start.y.min(end.y) > high.y;
            if !is_apart && let Some(share) = meeting(from, to, start, end) {
                meetings.push(Meeting { share, contour: number, edge, at: between(from, to, share) });
            }
        }
    }
    meetings.sort_by(|a, b| a.share.total_cmp(&b.share).then(a.edge.cmp(&b.edge)));
    meetings
}

/// The share of the way at which it crosses an edge. An end of the edge belongs to it only on one side, so a way
/// through a corner crosses an outline as often as it should.
fn meeting(from: Point, to: Point, start: Point, end: Point) -> Option<f64> {
    let (first, last) = (side(from, to, start), side(from, to, end));
    let (begin, finish) = (side(start, end, from), side(start, end, to));
    if (first > 0) == (last > 0) || (begin > 0) == (finish > 0) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a share of a way")]
    let share = begin as f64 / (begin - finish) as f64;
    Some(share.clamp(0.0, 1.0))
}

/// Above 0 if the point lies to the left of the line.
fn side(from: Point, to: Point, point: Point) -> i128 {
    let [ax, ay] = [i64::from(to.x) - i64::from(from.x), i64::from(to.y) - i64::from(from.y)];
    let [bx, by] = [i64::from(point.x) - i64::from(from.x), i64::from(point.y) - i64::from(from.y)];
    i128::from(ax) * i128::from(by) - i128::from(ay) * i128::from(bx)
}

#[expect(clippy::cast_possible_truncation, reason = "between two points of the grid")]
fn between(from: Point, to: Point, share: f64) -> Point {
    let along = |a: i32, b: i32| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as i32;
    Point::new(along(from.x, to.x), along(from.y, to.y))
}

/// The corners of a contour between two meetings, the shorter way round.
fn along(contour: &Contour, out: &Meeting, back: &Meeting) -> Vec<Point> {
    let count = contour.len();
    let forward: Vec<Point> = corners(contour, out.edge + 1, (back.edge + count - out.edge) % count);
    let mut backward: Vec<Point> = corners(contour, back.edge + 1, (out.edge + count - back.edge) % count);
    backward.reverse();
    let long_mm = |way: &[Point]| match (way.first(), way.last()) {
        (Some(&first), Some(&last)) => {
            distance_mm(out.at, first) + length_mm(way, false) + distance_mm(last, back.at)
        }
        _ => distance_mm(out.at, back.at),
    };
    // On one edge the way back is the whole contour; the other one has no corners.
    if long_mm(&forward) <= long_mm(&backward) { forward } else { backward }
}

fn corners(contour: &Contour, first: usize, count: usize) -> Vec<Point> {
    (0..count).map(|i| contour[(first + i) % contour.len()]).collect()
}
