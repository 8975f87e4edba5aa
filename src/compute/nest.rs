//! Where pieces go on a plate.
//!
//! Pieces are laid by their silhouettes ([`Outline`]): the union of all faces seen from above, with supports and
//! raft. Two pieces whose silhouettes keep a distance keep it at every height, so nothing can touch in space.
//!
//! The first answer comes from a bitmap of the plate that is filled from the left (`fill`). A guided local search
//! (`search`) then adds and exchanges pieces: it lets them overlap, moves whichever overlaps to the place where it
//! does least, and raises the weight of pairs that stay stubborn. Both ask signed distances (`body`). Every
//! answer is proved by other code on the polygons themselves (`proof`) before it counts. Work is counted in
//! questions asked, never in seconds: the same input and seed give the same plate on any machine.

mod body;
mod fill;
mod outline;
mod plane;
mod proof;
mod random;
mod search;
mod table;

use serde::{Deserialize, Serialize};

use crate::units::Microns;
use table::{Layout, Table};

pub use outline::Outline;
pub use proof::{Fault, faults};

/// A piece that wants a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// What it covers, as an index into the list of outlines. Equal pieces share one.
    pub outline: usize,
    /// How it may be turned.
    pub turns: Turns,
    /// Its height with supports. All pieces of a plate pay for the tallest.
    pub height: Microns,
    /// What it loses by missing this plate: 0 if it can wait for the next one without harm. The sum over the pieces
    /// of a plate counts before everything else.
    pub priority: u32,
    /// Pieces with the same number belong together and better leave on one plate.
    pub order: u32,
}

/// How a piece may be turned about the vertical axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turns {
    /// Not at all: the peel direction or the strands demand it.
    Fixed,
    /// In steps of this many degrees from where it stands; zero is as `Fixed`.
    Every(u16),
}

impl Turns {
    /// Steps of 15 degrees: finer ones gain little (`geometry.md` section 8).
    pub const FINE: Self = Self::Every(15);

    fn degrees(self) -> Vec<u16> {
        match self {
            Turns::Fixed | Turns::Every(0) => vec![0],
            Turns::Every(step) => (0..360).step_by(usize::from(step)).collect(),
        }
    }
}

/// The area of a plate.
#[derive(Debug, Clone, PartialEq)]
pub struct Plate {
    /// Along x.
    pub width: Microns,
    /// Along y.
    pub depth: Microns,
    /// Distance of pieces from the edge.
    pub border: Microns,
    /// Distance of pieces from each other and from dead zones.
    pub gap: Microns,
    /// Areas that must stay free (screws, worn film), as closed lines in millimetres from the corner of the plate.
    pub dead_zones: Vec<Vec<[f64; 2]>>,
}

/// How long is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Pairs of pieces that are compared, at most; about two million take a second of one processor. With 0 the first answer counts.
    pub work: u64,
    /// Where the random numbers start.
    pub seed: u64,
}

/// A piece in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Which piece, as an index into the given list.
    pub index: usize,
    /// Lowest corner of the box around its turned outline, from the corner of the plate.
    pub x: Microns,
    /// See `x`.
    pub y: Microns,
    /// How far it is turned, counter-clockwise seen from above: 0 to 359.
    pub degrees: u16,
}

/// The outcome for one plate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Placements {
    /// Pieces on the plate, by index.
    pub placed: Vec<Placement>,
    /// Pieces that did not fit any more, by index. A piece that fits no empty plate is always among them.
    pub left_over: Vec<usize>,
}

/// Places as much as fits on one plate.
///
/// What counts, in this order: priorities, the covered area in steps of two hundredths of the plate, the height of
/// the tallest piece in steps of a tenth, the covered area, whole orders. The area and not the count of one plate,
/// because small pieces first would leave the large ones for more plates than are needed. A negative border or gap places nothing, nor does a
/// piece without outline.
#[must_use]
pub fn place(outlines: &[Outline], pieces: &[Piece], plate: &Plate, effort: Effort) -> Placements {
    place_beside(outlines, pieces, plate, &[], effort)
}

/// As [`place`], but what is in `kept` stays exactly where it is: when some pieces of a plate drop out, the others
/// keep their places and new ones go into the room that was left.
#[must_use]
pub fn place_beside(
    outlines: &[Outline],
    pieces: &[Piece],
    plate: &Plate,
    kept: &[Placement],
    effort: Effort,
) -> Placements {
    let Some(table) = Table::new(outlines, pieces, plate, kept) else {
        return Placements { placed: Vec::new(), left_over: (0..pieces.len()).collect() };
    };
    let first = fill::first(&table, effort);
    let best = if table.is_all(&first) { first } else { search::improve(&table, first, effort) };
    answer(&table, best)
}

/// Places everything on as many plates as it takes, one after the other, with this effort for each.
///
/// What fits no empty plate is returned apart.
#[must_use]
pub fn place_all(
    outlines: &[Outline],
    pieces: &[Piece],
    plate: &Plate,
    effort: Effort,
) -> (Vec<Vec<Placement>>, Vec<usize>) {
    let mut plates = Vec::new();
    let mut waiting: Vec<usize> = (0..pieces.len()).collect();
    loop {
        let open: Vec<Piece> = waiting.iter().map(|&index| pieces[index]).collect();
        let placements = place(outlines, &open, plate, effort);
        if placements.placed.is_empty() {
            return (plates, waiting);
        }
        let name = |placement: &Placement| Placement { index: waiting[placement.index], ..*placement };
        plates.push(placements.placed.iter().map(name).collect());
        waiting = placements.left_over.iter().map(|&index| waiting[index]).collect();
    }
}

fn answer(table: &Table<'_>, layout: Layout) -> Placements {
    let mut placed = table.placements(&layout);
    placed.sort_unstable_by_key(|placement| placement.index);
    let is_left = |index: &usize| placed.binary_search_by_key(index, |placement| placement.index).is_err();
    let left_over = (0..table.pieces.len()).filter(is_left).collect();
    Placements { placed, left_over }
}

#[cfg(test)]
mod tests;
