//! Straight strands to and fro.

use super::plane::{Contour, Point, STEPS_PER_MM, length_mm};

/// Strands of neighbouring rows are joined if their ends are at most this many rows apart.
const JOIN_ROWS: f64 = 2.0;

/// A line of several rows, in the turned frame, steps.
struct Line {
    points: Vec<[f64; 2]>,
    row: i64,
}

/// Fills a shape with straight lines `spacing_mm` apart in the direction `degrees`; neighbours are joined to one
/// way. Rows lie on a grid of the plate, so that those of different layers lie above each other.
pub(super) fn lines(shape: &[Contour], spacing_mm: f64, degrees: f64) -> Vec<Vec<Point>> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let spacing = spacing_mm * STEPS_PER_MM;
    let turned = |point: &Point| {
        let [x, y] = [f64::from(point.x), f64::from(point.y)];
        [x * cos + y * sin, y * cos - x * sin]
    };
    let contours: Vec<Vec<[f64; 2]>> =
        shape.iter().map(|contour| contour.iter().map(turned).collect()).collect();
    let back = |at: &[f64; 2]| near([at[0] * cos - at[1] * sin, at[0] * sin + at[1] * cos]);
    let joined = joined(&crossings(&contours, spacing), spacing);
    let ways = joined.iter().map(|line| line.points.iter().map(back).collect::<Vec<Point>>());
    ways.filter(|way| length_mm(way, false) > 0.0).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "turned between points of the grid")]
fn near(at: [f64; 2]) -> Point {
    Point::new(at[0].round() as i32, at[1].round() as i32)
}

/// Where rows cross the outline: row and place, sorted. A point is above a row only if it is strictly above, so
/// every row is crossed an even number of times.
#[expect(clippy::cast_possible_truncation, reason = "rows of a bed fit i64")]
#[expect(clippy::cast_precision_loss, reason = "rows of a bed are few")]
fn crossings(contours: &[Vec<[f64; 2]>], spacing: f64) -> Vec<(i64, f64)> {
    let row_above = |y: f64| (y / spacing).floor() as i64 + 1;
    let mut crossings = Vec::new();
    for contour in contours {
        let Some(&last) = contour.last() else { continue };
        let mut before = last;
        for &point in contour {
            let (low, high) = if before[1] < point[1] { (before, point) } else { (point, before) };
            for row in row_above(low[1])..row_above(high[1]) {
                let share = (row as f64 * spacing - low[1]) / (high[1] - low[1]);
                crossings.push((row, low[0] + (high[0] - low[0]) * share));
            }
            before = point;
        }
    }
    crossings.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    crossings
}

/// Joins the pieces of neighbouring rows end to end.
#[expect(clippy::cast_precision_loss, reason = "rows of a bed are few")]
fn joined(crossings: &[(i64, f64)], spacing: f64) -> Vec<Line> {
    let mut done: Vec<Line> = Vec::new();
    let mut open: Vec<Line> = Vec::new();
    for pair in crossings.chunks_exact(2) {
        let [(row, left), (_, right)] = *pair else { continue };
        let (left, right) = ([left, row as f64 * spacing], [right, row as f64 * spacing]);
        let (old, kept): (Vec<Line>, Vec<Line>) = open.into_iter().partition(|line| line.row + 1 < row);
        done.extend(old);
        open = kept;
        let reach = spacing * JOIN_ROWS;
        let gap = |line: &Line, to: [f64; 2]| {
            let end = line.points[line.points.len() - 1];
            (end[0] - to[0]).hypot(end[1] - to[1])
        };
        let nearest = open
            .iter()
            .enumerate()
            .filter(|(_, line)| line.row + 1 == row)
            .map(|(i, line)| (gap(line, left).min(gap(line, right)), i))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match nearest.filter(|(gap, _)| *gap <= reach) {
            Some((_, i)) => {
                let line = &mut open[i];
                let (near, far) =
                    if gap(line, left) <= gap(line, right) { (left, right) } else { (right, left) };
                line.points.extend([near, far]);
                line.row = row;
            }
            None => open.push(Line { points: vec![left, right], row }),
        }
    }
    done.extend(open);
    done
}
