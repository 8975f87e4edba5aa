//! The section of a layer: pieces of outline joined into contours and united into areas.

use super::plane::{Contour, Point, Region, enclosed, point, region_mm2, simplified};
use crate::slice::Plate;

/// What a layer shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    /// Areas without overlap, with the points that matter.
    pub(super) region: Region,
    /// Area before points were left out, mm².
    pub(super) area_mm2: f64,
    /// Outlines that didn't close by themselves.
    pub(super) open: u32,
}

/// Cuts a plate at the middle of a layer. An outline that doesn't close is closed by a straight line and counted.
pub(super) fn section(plate: &Plate<'_>, layer: u32, tolerance_mm: f64) -> Section {
    let (contours, open) = joined(&plate.outline(layer));
    let mut region = enclosed(&contours);
    let area_mm2 = region_mm2(&region);
    for contour in region.iter_mut().flatten() {
        *contour = simplified(contour, true, tolerance_mm);
    }
    Section { region, area_mm2, open }
}

/// A piece of outline between two points of the grid.
#[derive(Clone, Copy)]
struct Piece {
    from: u64,
    to: u64,
}

/// Joins pieces end to start. Gives the contours, and how many of them were open.
fn joined(outline: &[[[f64; 2]; 2]]) -> (Vec<Contour>, u32) {
    let keys = outline.iter().map(|&[from, to]| Piece { from: key(point(from)), to: key(point(to)) });
    let mut pieces: Vec<Piece> = keys.filter(|piece| piece.from != piece.to).collect();
    pieces.sort_unstable_by_key(|piece| (piece.from, piece.to));
    let mut ends: Vec<u64> = pieces.iter().map(|piece| piece.to).collect();
    ends.sort_unstable();
    let mut is_used = vec![false; pieces.len()];
    let mut contours = Vec::new();
    let mut open = 0;
    // Lines that begin at a gap first, or a walk would start in their middle.
    let begins_at_gap = |piece: &Piece| ends.binary_search(&piece.from).is_err();
    let order = (0..pieces.len()).filter(|&i| begins_at_gap(&pieces[i])).chain(0..pieces.len());
    for first in order {
        if !is_used[first] {
            let (contour, is_open) = walk(&pieces, &mut is_used, first);
            open += u32::from(is_open);
            if contour.len() > 2 {
                contours.push(contour);
            }
        }
    }
    (contours, open)
}

/// Follows unused pieces until the start is reached again or nothing goes on.
fn walk(pieces: &[Piece], is_used: &mut [bool], first: usize) -> (Contour, bool) {
    let start = pieces[first].from;
    let mut contour = vec![unkey(start)];
    let mut at = first;
    loop {
        is_used[at] = true;
        let end = pieces[at].to;
        if end == start {
            return (contour, false);
        }
        contour.push(unkey(end));
        let begin = pieces.partition_point(|piece| piece.from < end);
        let goes_on = |i: &usize| !is_used[*i];
        let last = begin + pieces[begin..].iter().take_while(|piece| piece.from == end).count();
        match (begin..last).find(goes_on) {
            Some(next) => at = next,
            None => return (contour, true),
        }
    }
}

/// A point as one number that sorts and compares fast.
fn key(point: Point) -> u64 {
    u64::from(point.x.cast_unsigned()) << 32 | u64::from(point.y.cast_unsigned())
}

#[expect(clippy::cast_possible_truncation, reason = "takes the two halves apart")]
fn unkey(key: u64) -> Point {
    Point::new(((key >> 32) as u32).cast_signed(), (key as u32).cast_signed())
}
