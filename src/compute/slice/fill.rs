//! From the outline of a layer to its pixels, row by row.
//!
//! Both ways of sampling work alike: each piece of outline leaves marks in the rows that it touches, the marks
//! are put into rows by counting, each row is sorted by column and walked once. What differs is the mark: a
//! crossing of the row's middle (`centres.rs`), or what opens and closes within one pixel (`coverage.rs`; where
//! solids overlap, with the help of `union.rs`).
//!
//! Rows are done in bands, so that memory is bounded even for a mesh of which every triangle reaches across the
//! whole display.

mod centres;
mod coverage;
mod union;

use std::cell::RefCell;
use std::ops::Range;

use super::edges::Segment;
use super::intervals::usize_of;
use super::watch::{Stopped, Watch};
use super::{Display, Layer, RunList};

/// Marks that a band may have, of 16 bytes at most: 64 MB. A full plate at 12K has a tenth of it.
const BAND_MARKS: u64 = 4 << 20;

/// What one layer needs; kept for the next one that the thread makes.
#[derive(Default)]
struct Scratch {
    bands: Bands,
    centres: centres::Marks,
    coverage: coverage::Marks,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// How the pixels of a layer get their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Centre,
    Coverage,
}

/// Makes the pixels of one layer.
pub(super) fn fill(
    segments: &[Segment],
    display: &Display,
    rule: Rule,
    index: u32,
    watch: &mut Watch<'_>,
) -> Result<Layer, Stopped> {
    SCRATCH.with_borrow_mut(|scratch| {
        let Scratch { bands, centres, coverage } = scratch;
        let mut painter = Painter { width: display.width_px, out: RunList::new(), open_rows: 0 };
        bands.plan(segments, watch)?;
        painter.dark_rows(bands.rows.start);
        for band in &bands.bands {
            match rule {
                Rule::Centre => centres.paint(segments, band.clone(), &mut painter, watch)?,
                Rule::Coverage => coverage.paint(segments, band.clone(), &mut painter, watch)?,
            }
        }
        painter.dark_rows(display.height_px - bands.rows.end);
        Ok(painter.out.finish(index, display.pixel_mm2(), painter.open_rows))
    })
}

/// Where pixels go.
struct Painter {
    width: u32,
    out: RunList,
    open_rows: u32,
}

impl Painter {
    fn dark_rows(&mut self, rows: u32) {
        // Pixels of a display fit 28 bits.
        self.out.push(0, rows.saturating_mul(self.width));
    }
}

/// The rows with outline, cut into bands of bounded work.
#[derive(Default)]
struct Bands {
    rows: Range<u32>,
    bands: Vec<Range<u32>>,
    weights: Vec<i64>,
}

impl Bands {
    /// Each segment costs two steps to weigh, whatever its height.
    fn plan(&mut self, segments: &[Segment], watch: &mut Watch<'_>) -> Result<(), Stopped> {
        let start = segments.iter().map(|segment| row_span(segment).0).min().unwrap_or(0);
        let end = segments.iter().map(|segment| row_span(segment).1).max().unwrap_or(0);
        self.rows = start..end;
        self.weights.clear();
        self.weights.resize(usize_of(end - start) + 1, 0);
        for segment in segments {
            watch.step()?;
            let (low, high) = row_span(segment);
            let marks = marks_of(segment);
            self.weights[usize_of(low - start)] += marks;
            self.weights[usize_of(high - start)] -= marks;
        }
        self.bands.clear();
        let (mut from, mut open, mut total) = (start, 0_i64, 0_u64);
        for (row, weight) in (start..end).zip(&self.weights) {
            open += weight;
            if total + open.unsigned_abs() > BAND_MARKS && row > from {
                self.bands.push(from..row);
                (from, total) = (row, 0);
            }
            total += open.unsigned_abs();
        }
        if from < end {
            self.bands.push(from..end);
        }
        Ok(())
    }
}

/// The most marks that a segment leaves in one row: two ends, and each column that it passes.
fn marks_of(segment: &Segment) -> i64 {
    let width = (segment.to[0] - segment.from[0]).abs();
    let height = (segment.to[1] - segment.from[1]).abs();
    2 + i64::from(whole((width / height.max(1.0)).min(f64::from(u32::MAX))))
}

/// The rows `low..high` that a segment touches with some height.
fn row_span(segment: &Segment) -> (u32, u32) {
    let (low, high) = (segment.from[1].min(segment.to[1]), segment.from[1].max(segment.to[1]));
    (whole(low), ceiling(high))
}

/// Upper end, lower end (in the picture), and whether the segment runs up and so closes solid.
#[inline]
fn downwards(segment: &Segment) -> ([f64; 2], [f64; 2], bool) {
    if segment.from[1] < segment.to[1] {
        (segment.from, segment.to, false)
    } else {
        (segment.to, segment.from, true)
    }
}

/// The whole part of a coordinate of the display; 0 for what rounding left of it.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn whole(coordinate: f64) -> u32 {
    coordinate as u32
}

/// The next whole number that is not below a coordinate; without the call that `f64::ceil` is on older processors.
#[inline]
fn ceiling(coordinate: f64) -> u32 {
    let whole = whole(coordinate);
    whole + u32::from(f64::from(whole) < coordinate)
}

/// Marks in rows: counted, then put into their places. Rows count from the first one of a band.
#[derive(Default)]
struct Places {
    /// During counting the steps at each row; then the first free place of each row; then the end of each.
    places: Vec<u32>,
}

impl Places {
    fn reset(&mut self, rows: u32) {
        self.places.clear();
        self.places.resize(usize_of(rows) + 1, 0);
    }

    /// Counts a mark for each of `rows`.
    #[inline]
    fn count_rows(&mut self, rows: Range<u32>) {
        // Steps down wrap round; their running sum doesn't.
        let (first, end) = (usize_of(rows.start), usize_of(rows.end));
        self.places[first] = self.places[first].wrapping_add(1);
        self.places[end] = self.places[end].wrapping_sub(1);
    }

    /// Counts a mark for one row.
    #[inline]
    fn count(&mut self, row: u32) {
        self.places[usize_of(row)] += 1;
    }

    /// From steps to counts.
    fn sum_steps(&mut self) {
        let mut open = 0_u32;
        for place in &mut self.places {
            open = open.wrapping_add(*place);
            *place = open;
        }
    }

    /// From counts to the first place of each row; how many marks there are.
    fn allot(&mut self) -> usize {
        let mut total = 0_u32;
        for place in &mut self.places {
            (*place, total) = (total, total + *place);
        }
        usize_of(total)
    }

    /// The next free place of a row.
    #[inline]
    fn take(&mut self, row: u32) -> usize {
        let place = &mut self.places[usize_of(row)];
        *place += 1;
        usize_of(*place - 1)
    }

    /// The places of a row, once all are taken.
    fn taken(&self, row: u32) -> Range<usize> {
        let row = usize_of(row);
        let start = if row == 0 { 0 } else { self.places[row - 1] };
        usize_of(start)..usize_of(self.places[row])
    }
}
