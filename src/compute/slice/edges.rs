//! The outline of one layer as directed segments, in pixels of the display.

use nalgebra::Point3;

use super::intervals::{Intervals, usize_of};
use super::watch::{Stopped, Watch};
use super::{Display, Orientation, Part};

/// One piece of outline: column and row coordinates in pixels, from the top left corner.
///
/// A segment that runs down the picture (`y` grows) opens solid to its right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Segment {
    pub(super) from: [f64; 2],
    pub(super) to: [f64; 2],
}

/// Cuts all triangles that cross a plane of a layer. Segments without height are left out: they open nothing.
pub(super) fn cut(
    parts: &[Part<'_>],
    intervals: &Intervals,
    display: &Display,
    layer: u32,
    plane_mm: f64,
    watch: &mut Watch<'_>,
) -> Result<Vec<Segment>, Stopped> {
    let frame = Frame::of(display);
    let mut segments = Vec::with_capacity(intervals.count(layer));
    intervals.visit(layer, |part, triangle| {
        watch.step()?;
        let Part { mesh, offset_mm, .. } = &parts[part];
        let corners = mesh.triangles[triangle].map(|corner| &mesh.vertices[usize_of(corner)]);
        if let Some((start, end)) = section(corners, offset_mm, plane_mm) {
            let segment = frame.segment(start, end);
            if segment.from[1].to_bits() != segment.to[1].to_bits() {
                segments.push(segment);
            }
        }
        Ok(())
    })?;
    Ok(segments)
}

/// Where a triangle crosses a plane, directed so that the solid lies to the left as seen from above.
///
/// Going round an outward face the outline starts where the border comes down through the plane and ends where
/// it goes up. One corner lies alone on its side of the plane; both ends are on its edges.
pub(super) fn section(
    corners: [&Point3<f32>; 3],
    offset_mm: &[f64; 3],
    plane_mm: f64,
) -> Option<([f64; 2], [f64; 2])> {
    let above = corners.map(|corner| f64::from(corner.z) + offset_mm[2] > plane_mm);
    let pattern = above.iter().fold(0, |bits, &above| bits << 1 | usize::from(above));
    // Which corner is alone, by the bits of `above`; 3 if none is.
    let alone = [3, 2, 1, 0, 0, 1, 2, 3][pattern];
    if alone == 3 {
        return None;
    }
    // Going round from the lone corner, the border leaves it to `next` and comes back from `last`.
    let [tip, next, last] = [alone, TURN[alone], TURN[TURN[alone]]];
    let is_up = above[tip];
    let (start, end) = if is_up { (next, last) } else { (last, next) };
    let crossing = |other: usize| {
        let (low, high) = if is_up { (other, tip) } else { (tip, other) };
        crossing(&placed(corners[low], offset_mm), &placed(corners[high], offset_mm), plane_mm)
    };
    Some((crossing(start), crossing(end)))
}

/// The corner after each corner.
const TURN: [usize; 3] = [1, 2, 0];

fn placed(vertex: &Point3<f32>, offset_mm: &[f64; 3]) -> [f64; 3] {
    [
        f64::from(vertex.x) + offset_mm[0],
        f64::from(vertex.y) + offset_mm[1],
        f64::from(vertex.z) + offset_mm[2],
    ]
}

/// The point of an edge at the height of the plane, always reckoned from the lower end.
fn crossing(low: &[f64; 3], high: &[f64; 3], plane: f64) -> [f64; 2] {
    let share = (plane - low[2]) / (high[2] - low[2]);
    [low[0] + (high[0] - low[0]) * share, low[1] + (high[1] - low[1]) * share]
}

/// The way from the plate (mm) to the picture (px).
struct Frame {
    /// Which plate axis runs along the columns; the other runs along the rows.
    column_axis: usize,
    scale: [f64; 2],
    shift: [f64; 2],
    size: [f64; 2],
    /// Whether the way turns left into left, so that the ends must change places.
    keeps_hand: bool,
}

impl Frame {
    fn of(display: &Display) -> Self {
        // The quarter turn of a portrait picture mirrors its columns too, or it would be a mirror image.
        let (column_axis, mirror_columns) = match display.orientation {
            Orientation::Landscape => (0, display.mirror_x),
            Orientation::Portrait => (1, !display.mirror_x),
        };
        // Rows count from the top, the plate's y from the front: unmirrored rows run against the axis.
        let mirror_rows = !display.mirror_y;
        let size = [f64::from(display.width_px), f64::from(display.height_px)];
        let axis = |mirrored: bool, side: usize| {
            let scale = 1.0 / display.pitch_mm[side];
            if mirrored { (-scale, size[side]) } else { (scale, 0.0) }
        };
        let (columns, rows) = (axis(mirror_columns, 0), axis(mirror_rows, 1));
        let swaps = column_axis == 1;
        Self {
            column_axis,
            scale: [columns.0, rows.0],
            shift: [columns.1, rows.1],
            size,
            keeps_hand: (mirror_columns != mirror_rows) == swaps,
        }
    }

    fn segment(&self, start: [f64; 2], end: [f64; 2]) -> Segment {
        let (start, end) = (self.pixel(start), self.pixel(end));
        if self.keeps_hand { Segment { from: end, to: start } } else { Segment { from: start, to: end } }
    }

    /// Clamped to the display: parts may stick out by the placement tolerance.
    fn pixel(&self, point: [f64; 2]) -> [f64; 2] {
        let plate = [point[self.column_axis], point[1 - self.column_axis]];
        let along =
            |side: usize| (plate[side] * self.scale[side] + self.shift[side]).clamp(0.0, self.size[side]);
        [along(0), along(1)]
    }
}
