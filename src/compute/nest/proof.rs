//! Whether pieces keep their distance: asked of the polygons, by code that shares nothing with the search.

use std::collections::BTreeSet;

use super::outline::{bounds, to_segment, turned};
use super::plane::{self, Contour};
use super::{Outline, Piece, Placement, Plate};

/// Places are whole micrometres; a gap that is short by less is none.
const ROUNDING_MM: f64 = 0.001;
/// What a grid of 10 nm may add along an outline, mm².
const ROUNDING_MM2: f64 = 1e-5;

/// What is wrong with a plate.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// A piece is nearer to the edge than the border allows, or beyond it.
    Border {
        /// The piece.
        piece: usize,
    },
    /// A piece is nearer to a dead zone than the gap allows, or in it.
    DeadZone {
        /// The piece.
        piece: usize,
    },
    /// Two pieces are nearer to each other than the gap allows.
    Gap {
        /// The two pieces.
        pieces: [usize; 2],
        /// Their distance, mm; 0 if they overlap.
        distance_mm: f64,
        /// Area that both cover, mm².
        shared_mm2: f64,
    },
    /// A placement names a piece or an outline that does not exist, or a piece twice.
    Unknown {
        /// The piece.
        piece: usize,
    },
}

/// Everything that is wrong with a plate, by the true outlines.
#[must_use]
pub fn faults(outlines: &[Outline], pieces: &[Piece], plate: &Plate, placements: &[Placement]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut laid: Vec<(usize, Vec<Contour>)> = Vec::new();
    for placement in placements {
        let piece = placement.index;
        let outline = pieces.get(piece).and_then(|piece| outlines.get(piece.outline));
        match outline.filter(|_| laid.iter().all(|(other, _)| *other != piece)) {
            Some(outline) => laid.push((piece, outline.placed(placement.degrees, corner(placement)))),
            None => faults.push(Fault::Unknown { piece }),
        }
    }
    faults.extend(of_areas(
        plate,
        &plate.dead_zones.iter().map(|zone| vec![zone.clone()]).collect::<Vec<_>>(),
        &laid,
    ));
    faults
}

/// Pieces to take away so that the others keep their distance, by the simplified outlines, which hold the true ones.
pub(super) fn in_the_way(
    outlines: &[Outline],
    pieces: &[Piece],
    plate: &Plate,
    dead: &[Vec<Contour>],
    placements: &[Placement],
) -> BTreeSet<usize> {
    let lay = |placement: &Placement| {
        let outline = &outlines[pieces[placement.index].outline];
        let low = bounds(&turned(outline.exact(), placement.degrees)).map_or([0.0; 2], |[low, _]| low);
        let [x, y] = corner(placement);
        let simple = turned(outline.simple(), placement.degrees);
        (placement.index, moved(&simple, [x - low[0], y - low[1]]))
    };
    let laid: Vec<_> = placements.iter().map(lay).collect();
    let mut out = BTreeSet::new();
    for fault in of_areas(plate, dead, &laid) {
        match fault {
            Fault::Border { piece } | Fault::DeadZone { piece } | Fault::Unknown { piece } => {
                out.insert(piece);
            }
            Fault::Gap { pieces: [a, b], .. } if !out.contains(&a) && !out.contains(&b) => {
                out.insert(b);
            }
            Fault::Gap { .. } => {}
        }
    }
    out
}

pub(super) fn moved(contours: &[Contour], [x, y]: [f64; 2]) -> Vec<Contour> {
    contours
        .iter()
        .map(|contour| contour.iter().map(|point| [point[0] + x, point[1] + y]).collect())
        .collect()
}

fn corner(placement: &Placement) -> [f64; 2] {
    [placement.x, placement.y].map(|side| side.to_millimeters().0)
}

fn of_areas(plate: &Plate, dead: &[Vec<Contour>], laid: &[(usize, Vec<Contour>)]) -> Vec<Fault> {
    let gap = plate.gap.to_millimeters().0;
    let mut faults = Vec::new();
    for (at, (piece, area)) in laid.iter().enumerate() {
        if is_over_border(plate, area) {
            faults.push(Fault::Border { piece: *piece });
        }
        if dead.iter().any(|zone| too_near(area, zone, gap).is_some()) {
            faults.push(Fault::DeadZone { piece: *piece });
        }
        for (other, other_area) in &laid[..at] {
            if let Some([distance_mm, shared_mm2]) = too_near(other_area, area, gap) {
                faults.push(Fault::Gap { pieces: [*other, *piece], distance_mm, shared_mm2 });
            }
        }
    }
    faults
}

fn is_over_border(plate: &Plate, area: &[Contour]) -> bool {
    let border = plate.border.to_millimeters().0 - ROUNDING_MM;
    let sides = [plate.width, plate.depth].map(|side| side.to_millimeters().0);
    let Some([low, high]) = bounds(area) else { return true };
    (0..2).any(|axis| low[axis] < border || high[axis] > sides[axis] - border)
}

/// Distance and shared area of two areas that are nearer than the gap.
fn too_near(a: &[Contour], b: &[Contour], gap: f64) -> Option<[f64; 2]> {
    let [a_low, a_high] = bounds(a)?;
    let [b_low, b_high] = bounds(b)?;
    if (0..2).any(|axis| a_low[axis] > b_high[axis] + gap || b_low[axis] > a_high[axis] + gap) {
        return None;
    }
    let shared = plane::shared_mm2(a, b);
    if shared > ROUNDING_MM2 {
        return Some([0.0, shared]);
    }
    // Separate areas are nearest at a corner of one of them.
    let distance = corners_to_edges(a, b, gap).min(corners_to_edges(b, a, gap));
    (distance < gap - ROUNDING_MM).then_some([distance, shared])
}

/// The least distance of `a`'s corners from `b`'s edges; only below `gap` is it right.
fn corners_to_edges(a: &[Contour], b: &[Contour], gap: f64) -> f64 {
    let Some([low, high]) = bounds(b) else { return f64::INFINITY };
    let is_near = |point: &&[f64; 2]| {
        (0..2).all(|axis| point[axis] > low[axis] - gap && point[axis] < high[axis] + gap)
    };
    let near: Vec<[f64; 2]> = a.iter().flatten().filter(is_near).copied().collect();
    let Some([low, high]) = bounds(std::slice::from_ref(&near)) else { return f64::INFINITY };
    let mut least = f64::INFINITY;
    for contour in b {
        for (from, to) in contour.iter().zip(contour.iter().cycle().skip(1)) {
            let is_far = |axis: usize| {
                from[axis].min(to[axis]) > high[axis] + gap || from[axis].max(to[axis]) < low[axis] - gap
            };
            if !is_far(0) && !is_far(1) {
                least = near.iter().map(|point| to_segment(*point, *from, *to)).fold(least, f64::min);
            }
        }
    }
    least
}
