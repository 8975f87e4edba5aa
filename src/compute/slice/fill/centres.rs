//! A pixel is lit if its middle is inside.
//!
//! A crossing of the middle of a row is marked by the first column whose middle lies right of it. That is all
//! that the picture depends on: between two columns the order of crossings changes nothing.

use std::ops::Range;

use super::{Painter, Places, ceiling, downwards};
use crate::slice::edges::Segment;
use crate::slice::watch::{Stopped, Watch};

/// The crossings of a band. A key is the column, times two, plus one if solid closes there.
#[derive(Default)]
pub(super) struct Marks {
    falls: Vec<Fall>,
    places: Places,
    keys: Vec<u32>,
}

/// A segment that crosses the middle of at least one row.
struct Fall {
    /// Where it crosses the first of its rows, less half a column.
    x: f64,
    per_row: f64,
    rows: Range<u32>,
    closes: bool,
}

impl Marks {
    pub(super) fn paint(
        &mut self,
        segments: &[Segment],
        band: Range<u32>,
        painter: &mut Painter,
        watch: &mut Watch<'_>,
    ) -> Result<(), Stopped> {
        self.cross(segments, &band, painter.width, watch)?;
        for row in 0..band.end - band.start {
            let keys = &mut self.keys[self.places.taken(row)];
            keys.sort_unstable();
            painter.spans(keys);
        }
        Ok(())
    }

    fn cross(
        &mut self,
        segments: &[Segment],
        band: &Range<u32>,
        width: u32,
        watch: &mut Watch<'_>,
    ) -> Result<(), Stopped> {
        self.falls.clear();
        self.places.reset(band.end - band.start);
        for segment in segments {
            watch.step()?;
            if let Some(fall) = Fall::of(segment, band) {
                self.places.count_rows(fall.rows.start - band.start..fall.rows.end - band.start);
                self.falls.push(fall);
            }
        }
        self.places.sum_steps();
        let total = self.places.allot();
        self.keys.clear();
        self.keys.resize(total, 0);
        for fall in &self.falls {
            watch.steps(fall.rows.end - fall.rows.start)?;
            for row in 0..fall.rows.end - fall.rows.start {
                let column = ceiling(fall.x + fall.per_row * f64::from(row)).min(width);
                let place = self.places.take(fall.rows.start - band.start + row);
                self.keys[place] = column << 1 | u32::from(fall.closes);
            }
        }
        Ok(())
    }
}

impl Fall {
    /// Half-open: an end in the middle of a row belongs to the part below.
    #[inline]
    fn of(segment: &Segment, band: &Range<u32>) -> Option<Self> {
        let (low, high, closes) = downwards(segment);
        let rows = ceiling(low[1] - 0.5).max(band.start)..ceiling(high[1] - 0.5).min(band.end);
        if rows.is_empty() {
            return None;
        }
        let per_row = (high[0] - low[0]) / (high[1] - low[1]);
        let x = low[0] + per_row * (f64::from(rows.start) + 0.5 - low[1]) - 0.5;
        Some(Self { x, per_row, rows, closes })
    }
}

impl Painter {
    /// Lights each stretch with a winding that is not 0, up to the end of the row.
    fn spans(&mut self, keys: &[u32]) {
        let (mut winding, mut from, mut cursor) = (0_i32, 0, 0);
        for &key in keys {
            let before = winding;
            winding += if key & 1 == 0 { 1 } else { -1 };
            if before == 0 {
                from = key >> 1;
            } else if winding == 0 {
                let to = key >> 1;
                if to > from {
                    self.out.push(0, from - cursor);
                    self.out.push(255, to - from);
                    cursor = to;
                }
            }
        }
        self.out.push(0, self.width - cursor);
        self.open_rows += u32::from(winding != 0);
    }
}
