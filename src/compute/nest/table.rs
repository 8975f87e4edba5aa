//! The task of one plate, made ready: bodies, turns, where each may be, and what an answer is worth.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::body::{Body, Extent, Pose, Turns};
use super::outline::{bounds, turned};
use super::proof;
use super::{Outline, Piece, Placement, Plate};
use crate::mesh::cast;
use crate::units::Microns;

/// Distances from the grid are this wrong at most where it counts, mm: spacing² / (8 x 0.4 mm) of a curve of the
/// smallest usual gap, and rounding to whole micrometres twice. What is worse is found by the proof.
const DOUBT_MM: f64 = 0.02;
/// A place that misses by less is one: single precision on a plate of half a metre.
const ROUNDING_MM: f32 = 0.000_5;
/// Areas count in steps of this part of a plate before heights do.
const AREA_STEPS: f64 = 50.0;
/// Heights within this factor are alike: what is exchanged for height must save a tenth of the layers.
const HEIGHT_FACTOR: f64 = 1.1;

/// Pieces on a plate with their poses.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    pub(super) members: Vec<(usize, Pose)>,
}

/// What an answer is worth; later fields decide when earlier ones are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Merit {
    priority: u64,
    area_steps: u64,
    height: Reverse<u64>,
    area_um2: u64,
    whole_orders: usize,
}

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) outlines: &'a [Outline],
    pub(super) pieces: &'a [Piece],
    pub(super) plate: &'a Plate,
    pub(super) turns: Turns,
    /// Distance that is kept, with what the grid may be wrong by, mm.
    pub(super) limit: f32,
    pub(super) low: [f32; 2],
    pub(super) high: [f32; 2],
    /// Pieces that must not be moved, with their poses.
    pub(super) kept: Vec<(usize, Pose)>,
    /// Pieces that may be placed and moved.
    pub(super) movable: Vec<usize>,
    bodies: BTreeMap<usize, Body>,
    /// Area with half the gap around, mm², by outline: what a piece takes of the plate.
    areas: BTreeMap<usize, f64>,
    pub(super) degrees: Vec<Vec<u16>>,
    pub(super) dead: Vec<(Body, Pose)>,
    dead_outlines: Vec<(Outline, [f64; 2])>,
}

impl<'a> Table<'a> {
    /// `None` if the plate has no room or a negative border or gap.
    pub(super) fn new(
        outlines: &'a [Outline],
        pieces: &'a [Piece],
        plate: &'a Plate,
        kept: &[Placement],
    ) -> Option<Self> {
        let border = plate.border.0;
        let room = |side: Microns| side.0.checked_sub(border.checked_mul(2)?).filter(|room| *room > 0);
        if border < 0 || plate.gap.0 < 0 {
            return None;
        }
        room(plate.width)?;
        room(plate.depth)?;
        let gap = plate.gap.to_millimeters().0;
        let used: BTreeSet<usize> = pieces.iter().map(|piece| piece.outline).collect();
        let area = |index: usize| Some((index, outlines.get(index)?.area_grown_mm2(gap / 2.0)));
        let areas = used.iter().filter_map(|index| area(*index));
        let bodies =
            used.iter().copied().filter_map(|index| Some((index, Body::new(outlines.get(index)?, gap))));
        let corner = |sides: [i32; 2]| sides.map(|side| cast::single(f64::from(side) / 1000.0));
        let mut table = Self {
            outlines,
            pieces,
            plate,
            turns: Turns::new(),
            limit: cast::single(gap + DOUBT_MM),
            low: corner([border; 2]),
            high: corner([plate.width.0 - border, plate.depth.0 - border]),
            kept: Vec::new(),
            movable: Vec::new(),
            bodies: bodies.collect(),
            areas: areas.collect(),
            degrees: Vec::new(),
            dead: Vec::new(),
            dead_outlines: Vec::new(),
        };
        table.dead_outlines = plate.dead_zones.iter().filter_map(|zone| dead_zone(zone)).collect();
        table.dead =
            table.dead_outlines.iter().map(|(zone, at)| (Body::new(zone, gap), pose_at(*at))).collect();
        table.degrees = pieces.iter().map(|piece| table.allowed(piece)).collect();
        table.kept = kept.iter().filter_map(|placement| table.kept_pose(placement)).collect();
        let is_movable = |index: &usize| {
            !table.degrees[*index].is_empty() && kept.iter().all(|placement| placement.index != *index)
        };
        table.movable = (0..pieces.len()).filter(is_movable).collect();
        Some(table)
    }

    pub(super) fn body(&self, piece: usize) -> &Body {
        &self.bodies[&self.pieces[piece].outline]
    }

    /// Turns at which the piece fits an empty plate.
    fn allowed(&self, piece: &Piece) -> Vec<u16> {
        let Some(body) = self.bodies.get(&piece.outline) else { return Vec::new() };
        let fits = |degrees: &u16| self.range(&body.extents[usize::from(*degrees)]).is_some();
        piece.turns.degrees().into_iter().filter(fits).collect()
    }

    /// Where the middle of a piece may be.
    pub(super) fn range(&self, extent: &Extent) -> Option<[[f32; 2]; 2]> {
        let low = [0, 1].map(|axis| self.low[axis] - extent.low[axis]);
        let high = [0, 1].map(|axis| self.high[axis] - extent.high[axis]);
        let fits = (0..2).all(|axis| high[axis] > low[axis] - ROUNDING_MM);
        fits.then(|| [low, [0, 1].map(|axis| high[axis].max(low[axis]))])
    }

    pub(super) fn area_mm2(&self, piece: usize) -> f64 {
        self.areas.get(&self.pieces[piece].outline).copied().unwrap_or(0.0)
    }

    /// Whether nothing is left over that could be placed.
    pub(super) fn is_all(&self, layout: &Layout) -> bool {
        layout.members.len() == self.movable.len() + self.kept.len()
    }

    pub(super) fn merit(&self, layout: &Layout) -> Merit {
        let members = || layout.members.iter().map(|(piece, _)| *piece);
        let area: f64 = members().map(|piece| self.area_mm2(piece)).sum();
        let whole = self.plate.width.to_millimeters().0 * self.plate.depth.to_millimeters().0;
        let tallest = members().map(|piece| self.pieces[piece].height.0).max().unwrap_or(0);
        let height = f64::from(tallest.max(1)).ln() / HEIGHT_FACTOR.ln();
        let whole_number = |number: f64| cast::floor(number).unsigned_abs();
        Merit {
            priority: members().map(|piece| u64::from(self.pieces[piece].priority)).sum(),
            area_steps: whole_number(area / whole * AREA_STEPS),
            height: Reverse(whole_number(height)),
            area_um2: whole_number(area * 1e6),
            whole_orders: self.whole_orders(layout),
        }
    }

    fn whole_orders(&self, layout: &Layout) -> usize {
        let mut open: BTreeMap<u32, i64> = BTreeMap::new();
        for piece in self.pieces {
            *open.entry(piece.order).or_default() += 1;
        }
        for (piece, _) in &layout.members {
            *open.entry(self.pieces[*piece].order).or_default() -= 1;
        }
        open.values().filter(|left| **left == 0).count()
    }

    /// The layout in whole micrometres.
    pub(super) fn placements(&self, layout: &Layout) -> Vec<Placement> {
        layout.members.iter().filter_map(|(piece, pose)| self.placement(*piece, *pose)).collect()
    }

    fn placement(&self, index: usize, pose: Pose) -> Option<Placement> {
        let outline = &self.outlines[self.pieces[index].outline];
        let [low, _] = bounds(&turned(outline.exact(), pose.degrees))?;
        let microns = |mm: f64| i32::try_from(cast::floor((mm * 1000.0).round())).ok().map(Microns);
        let [x, y] = [f64::from(pose.x) + low[0], f64::from(pose.y) + low[1]];
        Some(Placement { index, x: microns(x)?, y: microns(y)?, degrees: pose.degrees })
    }

    fn kept_pose(&self, placement: &Placement) -> Option<(usize, Pose)> {
        let outline = self.outlines.get(self.pieces.get(placement.index)?.outline)?;
        let degrees = placement.degrees % 360;
        let [low, _] = bounds(&turned(outline.exact(), degrees))?;
        let [x, y] = [placement.x, placement.y].map(|side| side.to_millimeters().0);
        let pose = Pose { x: cast::single(x - low[0]), y: cast::single(y - low[1]), degrees };
        Some((placement.index, pose))
    }

    /// The layout without what the proof finds to be in the way of something else. Kept pieces stay.
    pub(super) fn proved(&self, layout: &Layout) -> Layout {
        let placements = self.placements(layout);
        let dead = self.dead_outlines.iter().map(|(zone, at)| proof::moved(zone.simple(), *at));
        let out =
            proof::in_the_way(self.outlines, self.pieces, self.plate, &dead.collect::<Vec<_>>(), &placements);
        let is_kept = |piece: usize| self.kept.iter().any(|(kept, _)| *kept == piece);
        let members = layout.members.iter().filter(|(piece, _)| !out.contains(piece) || is_kept(*piece));
        Layout { members: members.copied().collect() }
    }
}

fn dead_zone(zone: &[[f64; 2]]) -> Option<(Outline, [f64; 2])> {
    let [low, high] = bounds(&[zone.to_vec()])?;
    let middle = [0, 1].map(|axis| f64::midpoint(low[axis], high[axis]));
    Some((Outline::around(&[zone.to_vec()])?, middle))
}

fn pose_at([x, y]: [f64; 2]) -> Pose {
    Pose { x: cast::single(x), y: cast::single(y), degrees: 0 }
}
