//! A pixel is as light as it is covered.
//!
//! What each piece of outline opens or closes to its right is added up, pixel by pixel, in whole parts of
//! 1/65,536: a closed outline sums up to exactly nothing. That is the covered area as long as the winding is 0
//! or 1. Where solids overlap, a shell is reversed or the outline is open, a sum leaves that range: that row and
//! its neighbours (an overlap may begin or end inside them without such a sum) are done again by the union.

use std::ops::Range;

use super::union::{Piece, Union};
use super::{Painter, Places, downwards, whole};
use crate::slice::edges::Segment;
use crate::slice::intervals::usize_of;
use crate::slice::watch::{Stopped, Watch};

/// Parts of a pixel, and of the height of a row.
pub(super) const ONE: i32 = 1 << 16;

/// How far a sum of areas may leave 0..1 by rounding: half a part for each mark within one pixel.
const ROUNDING: i32 = ONE / 1024;

/// Bits of a key below the column: 20 for what opens for all pixels to the right, 20 for what opens within.
const COLUMN_SHIFT: u32 = 40;
const COVER_SHIFT: u32 = 20;
const PART_MASK: u64 = (1 << COVER_SHIFT) - 1;

/// What the outline does within one pixel of a row: column, cover and area, so that keys sort by column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Mark(u64);

impl Mark {
    #[inline]
    fn new(column: u32, cover: i32, area: i32) -> Self {
        let biased = |part: i32| u64::from(part.wrapping_add(ONE).unsigned_abs());
        Self(u64::from(column) << COLUMN_SHIFT | biased(cover) << COVER_SHIFT | biased(area))
    }

    #[inline]
    fn column(self) -> u32 {
        (self.0 >> COLUMN_SHIFT) as u32
    }

    #[inline]
    fn cover(self) -> i32 {
        Self::part(self.0 >> COVER_SHIFT)
    }

    #[inline]
    fn area(self) -> i32 {
        Self::part(self.0)
    }

    #[inline]
    fn part(bits: u64) -> i32 {
        (bits & PART_MASK) as i32 - ONE
    }
}

/// The marks of a band.
#[derive(Default)]
pub(super) struct Marks {
    places: Places,
    loose: Vec<(u32, Mark)>,
    marks: Vec<Mark>,
    doubtful: Vec<bool>,
    union: Union,
}

impl Marks {
    pub(super) fn paint(
        &mut self,
        segments: &[Segment],
        band: Range<u32>,
        painter: &mut Painter,
        watch: &mut Watch<'_>,
    ) -> Result<(), Stopped> {
        let rows = band.end - band.start;
        self.mark(segments, &band, watch)?;
        self.doubtful.clear();
        self.doubtful.resize(usize_of(rows), false);
        for row in 0..rows {
            let marks = &mut self.marks[self.places.taken(row)];
            marks.sort_unstable();
            if is_doubtful(marks) {
                let row = usize_of(row);
                let end = self.doubtful.len().min(row + 2);
                self.doubtful[row.saturating_sub(1)..end].fill(true);
            }
        }
        self.union.collect(segments, &band, &self.doubtful, watch)?;
        for row in 0..rows {
            if self.doubtful[usize_of(row)] {
                let (marks, is_closed) = self.union.row(row, watch)?;
                painter.open_rows += u32::from(!is_closed);
                painter.cover(marks);
            } else {
                painter.cover(&self.marks[self.places.taken(row)]);
            }
        }
        Ok(())
    }

    fn mark(
        &mut self,
        segments: &[Segment],
        band: &Range<u32>,
        watch: &mut Watch<'_>,
    ) -> Result<(), Stopped> {
        self.loose.clear();
        for segment in segments {
            let loose = &mut self.loose;
            let before = loose.len();
            each_piece(segment, band, |row, piece| piece.mark(|mark| loose.push((row, mark))));
            watch.steps(u32::try_from(1 + loose.len() - before).unwrap_or(u32::MAX))?;
        }
        self.places.reset(band.end - band.start);
        self.loose.iter().for_each(|&(row, _)| self.places.count(row));
        let total = self.places.allot();
        self.marks.clear();
        self.marks.resize(total, Mark::default());
        for &(row, mark) in &self.loose {
            self.marks[self.places.take(row)] = mark;
        }
        Ok(())
    }
}

/// Calls `visit` with each row of the band that a segment touches (counted from the band's first) and with
/// what lies in it.
#[inline]
pub(super) fn each_piece(segment: &Segment, band: &Range<u32>, mut visit: impl FnMut(u32, Piece)) {
    let (low, high, closes) = downwards(segment);
    let (from, to) = (fixed(low[1]), fixed(high[1]));
    if from == to {
        return;
    }
    #[expect(clippy::cast_precision_loss, reason = "2^28 rows of 2^16 parts are exact")]
    let (width, height) = (high[0] - low[0], (to - from) as f64);
    let (left, right) = (low[0].min(high[0]), low[0].max(high[0]));
    let per_part = width / height;
    let column_at = |part: i64| {
        #[expect(clippy::cast_precision_loss, reason = "2^28 rows of 2^16 parts are exact")]
        let x = low[0] + per_part * (part - from) as f64;
        x.clamp(left, right)
    };
    let (rows, last) = (row_of(from).max(band.start), row_of(to - 1).min(band.end - 1));
    let mut y = from.max(i64::from(rows) << 16);
    let mut x = if y == from { low[0] } else { column_at(y) };
    for row in rows..=last {
        let top = i64::from(row) << 16;
        let y_end = to.min(top + i64::from(ONE));
        let x_end = if y_end == to { high[0] } else { column_at(y_end) };
        visit(row - band.start, Piece { y: part(y - top)..part(y_end - top), x: [x, x_end], closes });
        (x, y) = (x_end, y_end);
    }
}

/// A row coordinate in parts, rounded to nearest: segments that share an end agree on it.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "2^28 rows of 2^16 parts fit 44 bits")]
fn fixed(y: f64) -> i64 {
    (y * f64::from(ONE) + 0.5) as i64
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rows are not negative, below 2^28"
)]
fn row_of(y: i64) -> u32 {
    (y >> 16) as u32
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "within one row")]
fn part(y: i64) -> i32 {
    y as i32
}

impl Piece {
    /// Calls `mark` with the mark of each pixel that the piece passes.
    #[inline]
    pub(super) fn mark(&self, mut mark: impl FnMut(Mark)) {
        let height = self.y.end - self.y.start;
        let sign = if self.closes { -1 } else { 1 };
        let (left, right) = (self.x[0].min(self.x[1]), self.x[0].max(self.x[1]));
        let (first, last) = (whole(left), whole(right));
        let mut add = |column: u32, height: i32, middle: f64| {
            if height > 0 {
                let area = rounded(f64::from(height) * (f64::from(column) + 1.0 - middle));
                mark(Mark::new(column, sign * height, sign * area));
            }
        };
        if first == last {
            add(first, height, (left + right) * 0.5);
            return;
        }
        // What has opened so far is rounded, not each step: the steps sum up to the height.
        let per_column = f64::from(height) / (right - left);
        let (mut start, mut opened) = (left, 0);
        for column in first..last {
            let end = f64::from(column + 1);
            let upto = rounded(per_column * (end - left)).min(height);
            add(column, upto - opened, (start + end) * 0.5);
            (start, opened) = (end, upto);
        }
        add(last, height - opened, (start + right) * 0.5);
    }
}

/// A share of a pixel that is not negative, rounded to nearest.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
fn rounded(share: f64) -> i32 {
    (share + 0.5) as i32
}

/// Whether sums of a row leave 0..1, or something is open at its end.
fn is_doubtful(marks: &[Mark]) -> bool {
    let off = |sum: i32| !(-ROUNDING..=ONE + ROUNDING).contains(&sum);
    let mut cover = 0_i32;
    let mut at = 0;
    let mut doubtful = false;
    while let Some(first) = marks.get(at) {
        let mut area = cover;
        while let Some(mark) = marks.get(at).filter(|mark| mark.column() == first.column()) {
            area = area.saturating_add(mark.area());
            cover = cover.saturating_add(mark.cover());
            at += 1;
        }
        doubtful |= off(area) | off(cover);
    }
    doubtful || cover != 0
}

impl Painter {
    /// Paints a row from its marks, which are sorted.
    fn cover(&mut self, marks: &[Mark]) {
        let (mut cursor, mut cover, mut at) = (0, 0_i32, 0);
        while let Some(column) = marks.get(at).map(|mark| mark.column()).filter(|&x| x < self.width) {
            self.out.push(grey(cover), column - cursor);
            let mut area = cover;
            while let Some(mark) = marks.get(at).filter(|mark| mark.column() == column) {
                area += mark.area();
                cover += mark.cover();
                at += 1;
            }
            self.out.push(grey(area), 1);
            cursor = column + 1;
        }
        self.out.push(grey(cover), self.width - cursor);
    }
}

/// Coverage to grey, rounded to nearest: cutting off would cost 150 ppm of volume.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255 after the clamp")]
fn grey(cover: i32) -> u8 {
    ((cover.clamp(0, ONE) * 255 + ONE / 2) >> 16) as u8
}
