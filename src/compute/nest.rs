//! Where pieces go on a plate.
//!
//! This first version packs axis-parallel boxes: maximal free rectangles (Jylänki 2010), every combination of
//! five orders and two rules of choice, the best result counts. A finer search takes its place behind the same function.
//! Positions are whole micrometres, the plate frame has its origin at the corner of the plate.

mod max_rects;

use serde::{Deserialize, Serialize};

use crate::mesh::{Mesh, cast};
use crate::units::Microns;
use max_rects::{Choice, FreeSpace, Rectangle};

/// The box that a piece with its supports takes on the plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// Along x; above zero.
    pub width: Microns,
    /// Along y; above zero.
    pub depth: Microns,
    /// Whether the piece may be turned by 90 degrees.
    pub may_turn: bool,
}

impl Footprint {
    /// The footprint of a mesh as it stands, rounded up to whole micrometres; nothing for an empty or a
    /// kilometre-wide mesh.
    #[must_use]
    pub fn of(mesh: &Mesh, may_turn: bool) -> Option<Self> {
        let size = mesh.bounds()?.size();
        // Half a nanometre is the noise of single precision, not a micrometre more.
        let up = |length_mm: f64| microns(cast::floor((length_mm * 1000.0 - 5.0e-4).ceil()).max(1));
        Some(Self { width: up(size.x)?, depth: up(size.y)?, may_turn })
    }
}

/// The usable area of a plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlateSize {
    /// Along x.
    pub width: Microns,
    /// Along y.
    pub depth: Microns,
}

/// A piece in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Which footprint, as an index into the given list.
    pub index: usize,
    /// The corner of its box that is nearest to the origin.
    pub x: Microns,
    /// See `x`.
    pub y: Microns,
    /// Whether it is turned by 90 degrees, so that width and depth change places.
    pub is_turned: bool,
}

/// The outcome for one plate.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Placements {
    /// Pieces on the plate, by index.
    pub placed: Vec<Placement>,
    /// Pieces that did not fit any more, by index. A piece that fits no empty plate is always among them.
    pub left_over: Vec<usize>,
}

/// Places as much as fits on one plate, keeping `margin` between pieces and to the rim of the plate.
///
/// Of all results the one with the largest placed area counts, then the one with most pieces, then the one that
/// reaches least far in y. Footprints without area, and a negative margin, place nothing.
#[must_use]
pub fn place(footprints: &[Footprint], plate: PlateSize, margin: Microns) -> Placements {
    let mut best: Option<(Merit, Placements)> = None;
    for order in orders(footprints) {
        for choice in [Choice::ShortSide, Choice::BottomLeft] {
            let placements = place_in_order(footprints, &order, choice, plate, margin);
            let merit = Merit::of(&placements, footprints);
            if best.as_ref().is_none_or(|(known, _)| merit > *known) {
                best = Some((merit, placements));
            }
        }
    }
    best.map(|(_, placements)| placements).unwrap_or_default()
}

/// Places everything on as many plates as it takes, one after the other.
///
/// What fits no empty plate is returned apart.
#[must_use]
pub fn place_all(
    footprints: &[Footprint],
    plate: PlateSize,
    margin: Microns,
) -> (Vec<Vec<Placement>>, Vec<usize>) {
    let mut plates = Vec::new();
    let mut waiting: Vec<usize> = (0..footprints.len()).collect();
    loop {
        let open: Vec<Footprint> = waiting.iter().map(|&index| footprints[index]).collect();
        let placements = place(&open, plate, margin);
        if placements.placed.is_empty() {
            return (plates, waiting);
        }
        let name = |placement: &Placement| Placement { index: waiting[placement.index], ..*placement };
        plates.push(placements.placed.iter().map(name).collect());
        waiting = placements.left_over.iter().map(|&index| waiting[index]).collect();
    }
}

/// How good a result is; later fields decide when earlier ones are equal.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Merit {
    area: i64,
    pieces: usize,
    free_depth: i64,
}

impl Merit {
    fn of(placements: &Placements, footprints: &[Footprint]) -> Self {
        let reach = |placement: &Placement| {
            let footprint = footprints[placement.index];
            let depth = if placement.is_turned { footprint.width } else { footprint.depth };
            i64::from(placement.y.0) + i64::from(depth.0)
        };
        Self {
            area: placements.placed.iter().map(|placement| area(&footprints[placement.index])).sum(),
            pieces: placements.placed.len(),
            free_depth: -placements.placed.iter().map(reach).max().unwrap_or(0),
        }
    }
}

fn area(footprint: &Footprint) -> i64 {
    i64::from(footprint.width.0) * i64::from(footprint.depth.0)
}

/// Largest first, by area, by longer side, by shorter side, by circumference, and as given.
fn orders(footprints: &[Footprint]) -> [Vec<usize>; 5] {
    let long = |footprint: &Footprint| i64::from(footprint.width.0.max(footprint.depth.0));
    let short = |footprint: &Footprint| i64::from(footprint.width.0.min(footprint.depth.0));
    let by = |key: &dyn Fn(&Footprint) -> (i64, i64)| {
        let mut order: Vec<usize> = (0..footprints.len()).collect();
        order.sort_by_key(|&index| (std::cmp::Reverse(key(&footprints[index])), index));
        order
    };
    [
        by(&|footprint| (area(footprint), long(footprint))),
        by(&|footprint| (long(footprint), short(footprint))),
        by(&|footprint| (short(footprint), long(footprint))),
        by(&|footprint| (long(footprint) + short(footprint), long(footprint))),
        (0..footprints.len()).collect(),
    ]
}

/// Every box grows by the margin to the right and up; so do the borders of the plate.
fn place_in_order(
    footprints: &[Footprint],
    order: &[usize],
    choice: Choice,
    plate: PlateSize,
    margin: Microns,
) -> Placements {
    let margin = i64::from(margin.0);
    let (width, depth) = (i64::from(plate.width.0) - margin, i64::from(plate.depth.0) - margin);
    let mut space = FreeSpace::new(Rectangle { x: margin, y: margin, width, depth });
    let mut placements = Placements::default();
    for &index in order {
        let footprint = footprints[index];
        let is_sound = margin >= 0 && footprint.width.0 > 0 && footprint.depth.0 > 0;
        let (width, depth) = (i64::from(footprint.width.0) + margin, i64::from(footprint.depth.0) + margin);
        let found = if is_sound { space.take(width, depth, footprint.may_turn, choice) } else { None };
        match found.and_then(|found| Some((microns(found.x)?, microns(found.y)?, found.is_turned))) {
            Some((x, y, is_turned)) => placements.placed.push(Placement { index, x, y, is_turned }),
            None => placements.left_over.push(index),
        }
    }
    placements.placed.sort_unstable_by_key(|placement| placement.index);
    placements.left_over.sort_unstable();
    placements
}

fn microns(length: i64) -> Option<Microns> {
    i32::try_from(length).ok().map(Microns)
}

#[cfg(test)]
mod tests;
