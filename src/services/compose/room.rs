//! Which pieces lie where on one plate.

use std::collections::{BTreeMap, BTreeSet};

use sprue_compute::nest::{self, Effort, Outline, Turns};

use super::outlines;
use crate::ids::{OrderId, PieceId};
use crate::services::Shop;
use crate::services::slicing::{self, PrintSettings};
use crate::shop::design::{PartFacts, Sha256Hex};
use crate::shop::order::Priority;
use crate::shop::piece::Piece;
use crate::shop::plate::Placement;
use crate::units::Timestamp;

/// A tenth of a second of search for a plate that is too small for what waits; a plate that has room takes none.
const EFFORT: Effort = Effort { work: 200_000, seed: 1 };
/// Pieces that compete for one plate cover so many plates at most: the rest waits for the next plate.
const COMPETING_PLATES: f64 = 1.5;

/// What an order asks of its pieces' plates.
pub(super) type Urgency = BTreeMap<OrderId, (Priority, Timestamp)>;

/// Pieces with their outlines, in the order in which they claim room.
pub(super) struct Room<'a> {
    settings: &'a PrintSettings,
    plate: nest::Plate,
    outlines: Vec<Outline>,
    claims: BTreeMap<PieceId, Claim>,
    urgency: &'a Urgency,
}

#[derive(Clone)]
struct Claim {
    /// Among the outlines; none if it covers nothing.
    outline: Option<usize>,
    factors: [f64; 3],
    origin: String,
    height_mm: f64,
}

impl<'a> Room<'a> {
    pub(super) fn new(
        shop: &Shop,
        settings: &'a PrintSettings,
        parts: &BTreeMap<Sha256Hex, PartFacts>,
        urgency: &'a Urgency,
        pieces: &[Piece],
    ) -> Self {
        let (plate, outlines, claims) = (settings.plate(), Vec::new(), BTreeMap::new());
        let mut room = Self { settings, plate, outlines, claims, urgency };
        let mut known: BTreeMap<(Sha256Hex, [u64; 2]), Option<usize>> = BTreeMap::new();
        for piece in pieces {
            let (factors, origin) = slicing::scale_of(shop, settings, piece);
            let part = parts.get(&piece.design);
            let key = (piece.design.clone(), [factors[0].to_bits(), factors[1].to_bits()]);
            let outline = *known.entry(key).or_insert_with(|| {
                let outline = outlines::scaled(shop.store.blobs(), &piece.design, part, factors)?;
                room.outlines.push(outline);
                Some(room.outlines.len() - 1)
            });
            let height_mm = part.map_or(0.0, |part| part.size_mm()[2] * factors[2]);
            room.claims.insert(piece.id.clone(), Claim { outline, factors, origin, height_mm });
        }
        room
    }

    /// Whether a piece has room on an empty plate.
    pub(super) fn fits(&self, piece: &Piece) -> bool {
        let Some(claim) = self.claims.get(&piece.id) else { return false };
        let outline = claim.outline.map(|index| &self.outlines[index]);
        claim.height_mm <= self.settings.printer.build.size_mm[2]
            && outline.is_some_and(|outline| outline.fits(Turns::FINE, &self.plate))
    }

    /// Rush orders before others, then by due date, then by arrival: ids sort so.
    pub(super) fn sort(&self, pieces: &mut [Piece]) {
        let key = |piece: &Piece| {
            let (priority, due) = self.urgency_of(piece);
            (std::cmp::Reverse(priority), due, piece.id.clone())
        };
        pieces.sort_by_cached_key(key);
    }

    /// Lays one plate: pieces of a plate that is replaced keep a place on it, the others compete. What is not on
    /// the plate is returned in its order.
    pub(super) fn lay(&self, pieces: &[Piece], before: &[Placement]) -> (Vec<Placement>, Vec<Piece>) {
        let stays: BTreeSet<_> = before.iter().map(|placement| &placement.piece).collect();
        let competing = self.competing(pieces, &stays);
        let numbered = self.numbered(&competing, pieces);
        let fresh = nest::place(&self.outlines, &numbered, &self.plate, EFFORT);
        let is_on = |found: &nest::Placements, id: &PieceId| {
            found.placed.iter().any(|spot| competing[spot.index].id == *id)
        };
        let found = match stays.iter().all(|id| is_on(&fresh, id)) {
            true => fresh,
            false => self.beside(&competing, &numbered, before).unwrap_or(fresh),
        };
        let placements: Vec<Placement> =
            found.placed.iter().filter_map(|spot| self.placement(competing[spot.index], spot)).collect();
        let on: BTreeSet<_> = placements.iter().map(|placement| &placement.piece).collect();
        let left = pieces.iter().filter(|piece| !on.contains(&piece.id)).cloned().collect();
        (placements, left)
    }

    /// The plate as it was with others beside; nothing if it can't stay, because something changed its scale.
    fn beside(
        &self,
        competing: &[&Piece],
        numbered: &[nest::Piece],
        before: &[Placement],
    ) -> Option<nest::Placements> {
        let spot = |placement: &Placement| {
            let index = competing.iter().position(|piece| piece.id == placement.piece)?;
            let degrees = u16::try_from(placement.turn_mdeg / 1000).ok()?;
            Some(nest::Placement { index, x: placement.x, y: placement.y, degrees })
        };
        let kept: Vec<_> = before.iter().filter_map(spot).collect();
        let found = nest::place_beside(&self.outlines, numbered, &self.plate, &kept, EFFORT);
        nest::faults(&self.outlines, numbered, &self.plate, &found.placed).is_empty().then_some(found)
    }

    fn competing<'p>(&self, pieces: &'p [Piece], stays: &BTreeSet<&PieceId>) -> Vec<&'p Piece> {
        let area = self.plate.width.to_millimeters().0 * self.plate.depth.to_millimeters().0;
        let mut claimed = 0.0;
        let mut competing = Vec::new();
        for piece in pieces {
            let outline = self.claims.get(&piece.id).and_then(|claim| claim.outline);
            claimed += outline.map_or(0.0, |index| self.outlines[index].area_mm2());
            if stays.contains(&piece.id) || claimed <= area * COMPETING_PLATES {
                competing.push(piece);
            }
        }
        competing
    }

    fn numbered(&self, competing: &[&Piece], pieces: &[Piece]) -> Vec<nest::Piece> {
        let orders: BTreeSet<&OrderId> = pieces.iter().map(|piece| &piece.order).collect();
        let orders: BTreeMap<&OrderId, u32> = orders.into_iter().zip(0..).collect();
        let number = |piece: &&Piece| {
            let claim = self.claims.get(&piece.id);
            nest::Piece {
                outline: claim.and_then(|claim| claim.outline).unwrap_or(usize::MAX),
                turns: Turns::FINE,
                height: super::microns_up(claim.map_or(0.0, |claim| claim.height_mm)),
                priority: u32::from(self.urgency_of(piece).0 == Priority::Rush),
                order: orders.get(&piece.order).copied().unwrap_or(0),
            }
        };
        competing.iter().map(number).collect()
    }

    fn urgency_of(&self, piece: &Piece) -> (Priority, Timestamp) {
        self.urgency.get(&piece.order).copied().unwrap_or((Priority::Normal, Timestamp(i64::MAX)))
    }

    fn placement(&self, piece: &Piece, spot: &nest::Placement) -> Option<Placement> {
        let claim = self.claims.get(&piece.id)?;
        Some(Placement {
            piece: piece.id.clone(),
            design: piece.design.clone(),
            scale: claim.factors,
            scale_origin: claim.origin.clone(),
            turn_mdeg: i32::from(spot.degrees) * 1000,
            x: spot.x,
            y: spot.y,
        })
    }
}
