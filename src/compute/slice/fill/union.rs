//! The union of solids within one row, exactly.
//!
//! ```text
//!  piece ends    slabs        outline of the union
//!   \   /        \   /          \   /
//!  ..\./.......   \ /            \ /
//!     X          --X--  crossing  V
//!  ../.\.......   / \
//!   /   \        /   \         (what lies inside leaves no mark)
//! ```
//!
//! The row is cut into slabs at the ends of all pieces, and where neighbours cross. Within a slab every piece
//! runs from top to bottom and the order of pieces is fixed, so the winding says which of them are outline.

use std::ops::Range;

use super::coverage::{Mark, ONE, each_piece};
use super::{Places, row_span};
use crate::slice::edges::Segment;
use crate::slice::intervals::usize_of;
use crate::slice::watch::{Stopped, Watch};

/// Slabs that the ends of pieces may make in a row. Finer sections than this are cut evenly.
const SLABS_MAX: usize = 256;

/// Slabs below this height, in parts of a row, are not cut where neighbours cross.
const HEIGHT_MIN: i32 = ONE / 256;

/// Further slabs that crossings may make in a row.
const CROSSINGS_MAX: u32 = 256;

/// Neighbours that cross by less than this, px, only touch.
const TOUCH_PX: f64 = 1e-7;

/// A piece of outline inside one row, or the part of it in one slab.
#[derive(Debug, Clone, Default)]
pub(super) struct Piece {
    /// From top to bottom, in parts of the row.
    pub(super) y: Range<i32>,
    /// Columns at the top and at the bottom.
    pub(super) x: [f64; 2],
    /// Whether solid closes to its right.
    pub(super) closes: bool,
}

/// The pieces of the rows that hold overlap.
#[derive(Default)]
pub(super) struct Union {
    places: Places,
    pieces: Vec<Piece>,
    borders: Vec<i32>,
    todo: Vec<Range<i32>>,
    active: Vec<Piece>,
    marks: Vec<Mark>,
}

impl Union {
    /// Gathers what lies in the rows that are marked in `wanted`, which counts from the start of the band.
    pub(super) fn collect(
        &mut self,
        segments: &[Segment],
        band: &Range<u32>,
        wanted: &[bool],
        watch: &mut Watch<'_>,
    ) -> Result<(), Stopped> {
        if !wanted.contains(&true) {
            return Ok(());
        }
        self.places.reset(band.end - band.start);
        each_wanted(segments, band, wanted, watch, |row, _| self.places.count(row))?;
        let total = self.places.allot();
        self.pieces.clear();
        self.pieces.resize(total, Piece::default());
        each_wanted(segments, band, wanted, watch, |row, piece| {
            self.pieces[self.places.take(row)] = piece;
        })
    }

    /// The marks of a row by column, and whether the outline closes in all of it.
    pub(super) fn row(&mut self, row: u32, watch: &mut Watch<'_>) -> Result<(&[Mark], bool), Stopped> {
        let pieces = &self.pieces[self.places.taken(row)];
        self.marks.clear();
        cut_at_ends(pieces, &mut self.borders, &mut self.todo);
        let mut crossings_left = CROSSINGS_MAX;
        let mut is_closed = true;
        while let Some(slab) = self.todo.pop() {
            watch.steps(u32::try_from(pieces.len()).unwrap_or(u32::MAX))?;
            self.active.clear();
            self.active.extend(pieces.iter().filter_map(|piece| piece.within(&slab)));
            // Openings before closings, so that solids that touch are not parted.
            let middle = |piece: &Piece| piece.x[0] + piece.x[1];
            self.active
                .sort_unstable_by(|a, b| middle(a).total_cmp(&middle(b)).then(a.closes.cmp(&b.closes)));
            let crossing = if crossings_left > 0 { first_crossing(&self.active, &slab) } else { None };
            if let Some(y) = crossing {
                crossings_left -= 1;
                self.todo.extend([slab.start..y, y..slab.end]);
            } else {
                is_closed &= mark_outline(&self.active, &mut self.marks);
            }
        }
        self.marks.sort_unstable();
        Ok((&self.marks, is_closed))
    }
}

fn each_wanted(
    segments: &[Segment],
    band: &Range<u32>,
    wanted: &[bool],
    watch: &mut Watch<'_>,
    mut visit: impl FnMut(u32, Piece),
) -> Result<(), Stopped> {
    for segment in segments {
        let (low, high) = row_span(segment);
        let (low, high) = (low.max(band.start), high.min(band.end));
        watch.step()?;
        if low < high && wanted[usize_of(low - band.start)..usize_of(high - band.start)].contains(&true) {
            watch.steps(high - low)?;
            each_piece(segment, band, |row, piece| {
                if wanted[usize_of(row)] {
                    visit(row, piece);
                }
            });
        }
    }
    Ok(())
}

/// Slabs between the ends of all pieces; even ones if there are too many.
fn cut_at_ends(pieces: &[Piece], borders: &mut Vec<i32>, slabs: &mut Vec<Range<i32>>) {
    borders.clear();
    borders.extend(pieces.iter().flat_map(|piece| [piece.y.start, piece.y.end]));
    borders.sort_unstable();
    borders.dedup();
    if borders.len() > SLABS_MAX {
        borders.clear();
        borders.extend((0..=ONE).step_by(usize_of(ONE.unsigned_abs()) / SLABS_MAX));
    }
    slabs.clear();
    slabs.extend(borders.windows(2).map(|pair| pair[0]..pair[1]));
}

impl Piece {
    /// Its part in a slab, if it passes the middle. One that ends inside keeps to its ends.
    fn within(&self, slab: &Range<i32>) -> Option<Self> {
        let middle = i32::midpoint(slab.start, slab.end);
        if !self.y.contains(&middle) {
            return None;
        }
        let height = f64::from(self.y.end - self.y.start);
        let at = |y: i32| {
            let share = (f64::from(y - self.y.start) / height).clamp(0.0, 1.0);
            self.x[0] * (1.0 - share) + self.x[1] * share
        };
        Some(Self { y: slab.clone(), x: [at(slab.start), at(slab.end)], closes: self.closes })
    }
}

/// Where in a slab two neighbours cross, if they do and the slab is high enough to be cut there.
fn first_crossing(active: &[Piece], slab: &Range<i32>) -> Option<i32> {
    let height = slab.end - slab.start;
    if height < HEIGHT_MIN {
        return None;
    }
    active.windows(2).find_map(|pair| {
        let (top, bottom) = (pair[1].x[0] - pair[0].x[0], pair[1].x[1] - pair[0].x[1]);
        if top >= -TOUCH_PX && bottom >= -TOUCH_PX {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and it is clamped")]
        let down = (f64::from(height) * (top / (top - bottom))) as i32;
        Some(slab.start + down.clamp(1, height - 1))
    })
}

/// Marks the pieces between which the winding is not 0; whether it is 0 in the end.
fn mark_outline(active: &[Piece], marks: &mut Vec<Mark>) -> bool {
    let mut winding = 0_i32;
    let mut opening: Option<&Piece> = None;
    for piece in active {
        let before = winding;
        winding += if piece.closes { -1 } else { 1 };
        if before == 0 {
            opening = Some(piece);
        } else if let Some(opening) = opening.filter(|_| winding == 0) {
            // A reversed solid opens with a closing piece: what counts is left and right.
            Piece { closes: false, ..opening.clone() }.mark(|mark| marks.push(mark));
            Piece { closes: true, ..piece.clone() }.mark(|mark| marks.push(mark));
        }
    }
    winding == 0
}
