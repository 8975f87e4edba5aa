//! The box around the lit pixels of a plate.

use crate::slice::{Display, Layer};

/// Columns and rows that hold light, over some layers; nothing while `least` is above `greatest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    least: [u64; 2],
    /// The first column and row beyond.
    greatest: [u64; 2],
}

impl Bounds {
    /// Around nothing.
    pub(super) const NONE: Bounds = Bounds { least: [u64::MAX; 2], greatest: [0; 2] };

    /// Around the lit pixels of a layer.
    pub(super) fn of(layer: &Layer, display: &Display) -> Self {
        let width = u64::from(display.width_px).max(1);
        let mut bounds = Self::NONE;
        let mut at = 0;
        for run in &layer.runs {
            let end = at + u64::from(run.length);
            if run.value > 0 {
                let (first, last) = (at / width, (end - 1) / width);
                let columns = if first == last { [at % width, (end - 1) % width + 1] } else { [0, width] };
                bounds.add(&Self { least: [columns[0], first], greatest: [columns[1], last + 1] });
            }
            at = end;
        }
        bounds
    }

    /// Around both.
    pub(super) fn add(&mut self, other: &Bounds) {
        for side in 0..2 {
            self.least[side] = self.least[side].min(other.least[side]);
            self.greatest[side] = self.greatest[side].max(other.greatest[side]);
        }
    }

    /// Least and greatest x and y, mm from the centre of the display; zeros if nothing is lit.
    #[expect(clippy::cast_precision_loss, reason = "columns and rows are far below 2^53")]
    pub(super) fn corners_mm(&self, display: &Display) -> [[f64; 2]; 2] {
        if self.least[0] >= self.greatest[0] {
            return [[0.0; 2]; 2];
        }
        let sides = [display.width_px, display.height_px];
        [self.least, self.greatest].map(|corner| {
            let mm =
                |side: usize| (corner[side] as f64 - f64::from(sides[side]) / 2.0) * display.pitch_mm[side];
            [mm(0), mm(1)]
        })
    }
}
