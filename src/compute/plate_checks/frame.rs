//! From pixels back to the plate.

use super::Scene;
use crate::slice::{Display, Orientation};

/// The way from the picture (px) to the plate (mm): the inverse of what the slicer does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// Which plate axis runs along the columns; the other runs along the rows.
    column_axis: usize,
    scale: [f64; 2],
    shift: [f64; 2],
    origin_mm: [f64; 2],
}

impl Frame {
    pub(super) fn of(display: &Display, origin_mm: [f64; 2]) -> Self {
        let (column_axis, mirror_columns) = match display.orientation {
            Orientation::Landscape => (0, display.mirror_x),
            Orientation::Portrait => (1, !display.mirror_x),
        };
        let mirrored = [mirror_columns, !display.mirror_y];
        let size = [display.width_px, display.height_px].map(f64::from);
        let sign = |side: usize| if mirrored[side] { -1.0 } else { 1.0 };
        let shift = |side: usize| if mirrored[side] { size[side] * display.pitch_mm[side] } else { 0.0 };
        Self {
            column_axis,
            scale: [0, 1].map(|side| sign(side) * display.pitch_mm[side]),
            shift: [0, 1].map(shift),
            origin_mm,
        }
    }

    /// Plate coordinates of a point of the picture, counted in pixels from its top left corner.
    pub(super) fn plate_mm(&self, point: [f64; 2]) -> [f64; 2] {
        let along = |side: usize| point[side] * self.scale[side] + self.shift[side];
        let mut plate = [0.0; 2];
        plate[self.column_axis] = along(0) - self.origin_mm[self.column_axis];
        plate[1 - self.column_axis] = along(1) - self.origin_mm[1 - self.column_axis];
        plate.map(round_micron)
    }

    /// The middle of a pixel.
    pub(super) fn pixel_mm(&self, [column, row]: [u32; 2]) -> [f64; 2] {
        self.plate_mm([f64::from(column) + 0.5, f64::from(row) + 0.5])
    }
}

/// Nobody looks for a place on the plate by nanometres.
pub(super) fn round_micron(mm: f64) -> f64 {
    (mm * 1000.0).round() / 1000.0
}

/// The part whose box holds a point, if there is exactly one.
pub(super) fn part_at(scene: &Scene, [x, y]: [f64; 2], z: f64) -> Option<String> {
    let point = [x, y, z];
    let holds = |low: &[f64; 3], high: &[f64; 3]| {
        // A pixel or a layer may stick out of the part by its own size.
        (0..3).all(|axis| low[axis] - SLACK_MM <= point[axis] && point[axis] <= high[axis] + SLACK_MM)
    };
    let mut found = scene.parts.iter().filter(|part| holds(&part.low_mm, &part.high_mm));
    match (found.next(), found.next()) {
        (Some(part), None) => Some(part.name.clone()),
        (Some(_), Some(_)) | (None, _) => None,
    }
}

/// Larger than any pixel or layer of a jeweller's printer, smaller than the gap between parts.
const SLACK_MM: f64 = 0.2;
