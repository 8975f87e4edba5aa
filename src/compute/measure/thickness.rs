//! Where a design is thinner than it may be: walls, wires, prongs and knife edges.
//!
//! Two tests must agree. *Opening residue*: a place is suspect if no ball of the threshold's diameter comes near
//! it inside the metal (a ball in a corner of 60 degrees or more comes near enough, so plain edges are never
//! suspect). *Opposite faces*: a suspect place is thin if rays straight inward meet a face that looks the other
//! way within the threshold; that length is exact. Source: `geometry.md` section 5.4.

use nalgebra::Point3;
use serde::{Deserialize, Serialize};

use super::components::{self, Component, Components};
use super::samples::{self, Chord};
use super::voxels::Voxels;
use crate::mesh::{Bounds, Mesh, cast};

/// Cubes are at most this large, mm, and at most this part of the smallest threshold.
const CUBE_MM_MAX: f64 = 0.07;
const CUBE_PART: f64 = 1.0 / 6.0;
/// So much of a place's surface, as part of it and in mm2, may measure thinner: noise of the faces.
const NOISE_PART: f64 = 0.1;
const NOISE_MM2: f64 = 0.05;

/// What is thin.
#[derive(Debug, Clone, PartialEq)]
pub struct Thickness {
    /// One for each threshold, thinnest first.
    pub levels: Vec<Level>,
    /// Thin places, thinnest first.
    pub places: Vec<ThinPlace>,
    /// Edge of the cubes that were searched, mm: details below about three of them are not seen.
    pub cube_mm: f64,
}

/// What is thinner than one threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The threshold, mm.
    pub limit_mm: f64,
    /// How many places have metal below it.
    pub places: usize,
    /// Surface of walls below it, mm2.
    pub area_mm2: f64,
}

/// One connected thin place.
#[derive(Debug, Clone, PartialEq)]
pub struct ThinPlace {
    /// What it is.
    pub kind: ThinKind,
    /// Thickness where it is thinnest, mm.
    pub thickness_mm: f64,
    /// In the middle of the metal there.
    pub at: Point3<f64>,
    /// The box around all of it.
    pub bounds: Bounds,
    /// Metal of the place, mm3.
    pub volume_mm3: f64,
}

/// What a thin place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThinKind {
    /// Fixed at one end and longer than twice the threshold.
    Prong,
    /// Fixed at both ends, or free.
    Wire,
    /// Thin in one direction only.
    Wall,
    /// Runs out to nothing at less than 60 degrees.
    KnifeEdge,
}

impl ThinKind {
    /// The word for a person.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Prong => "prong",
            Self::Wire => "wire",
            Self::Wall => "wall",
            Self::KnifeEdge => "knife edge",
        }
    }
}

/// Finds every place of a closed surface that is thinner than the largest of the thresholds, mm.
///
/// Costs one search for each threshold; nothing is searched for thresholds below a clean one. Memory is bounded:
/// large designs are searched with larger cubes. Nothing for a mesh without faces or without thresholds.
#[must_use]
pub fn thickness(mesh: &Mesh, limits_mm: &[f64]) -> Option<Thickness> {
    let mut limits: Vec<f64> = limits_mm.iter().copied().filter(|limit| *limit > 0.0).collect();
    limits.sort_by(f64::total_cmp);
    let (finest, coarsest) = (*limits.first()?, *limits.last()?);
    let voxels = Voxels::fill(mesh, CUBE_MM_MAX.min(finest * CUBE_PART))?;
    let suspects = suspects(&voxels, &limits);
    let groups: Vec<Components> = (0..limits.len())
        .map(|level| components::of(&voxels, |cube| usize::from(suspects[cube]) <= level))
        .collect();
    let widest = groups.last()?;
    let chords = samples::chords(mesh, &voxels, widest, coarsest);
    let mut places = grown_places(&voxels, &groups, &chords, &limits);
    places.sort_by(|a, b| a.thickness_mm.total_cmp(&b.thickness_mm));
    let levels = limits.iter().map(|&limit_mm| level(limit_mm, &places, &chords)).collect();
    Some(Thickness { levels, places, cube_mm: voxels.edge_mm })
}

/// For each cube the index of the smallest threshold whose opening leaves it as residue, or 255.
fn suspects(voxels: &Voxels, limits: &[f64]) -> Vec<u8> {
    let edges = |limit: f64| limit / 2.0 / voxels.edge_mm;
    let reach = limits.iter().fold(0.0_f64, |reach, &limit| reach.max(edges(limit)));
    let depths = voxels.depths(cast::index(reach) + 2);
    let mut suspects = vec![u8::MAX; depths.len()];
    for (level, &limit) in (0..u8::MAX).zip(limits).rev() {
        // A cube whose centre lies so deep is the middle of a ball; the surface is half a cube before the next.
        let radius = edges(limit);
        let core = (radius + 0.5) * (radius + 0.5);
        let covered = voxels.covered(|cube| f64::from(depths[cube]) >= core, 2.0 * radius);
        let mut is_clean = true;
        for ((suspect, covered), &depth) in suspects.iter_mut().zip(covered).zip(&depths) {
            if depth > 0 && !covered {
                *suspect = level;
                is_clean = false;
            }
        }
        if is_clean {
            break;
        }
    }
    suspects
}

/// A place starts at the smallest threshold that finds it and grows with the thresholds until it would unite
/// with another: prongs on a thin rail are places of their own.
fn grown_places(voxels: &Voxels, groups: &[Components], chords: &[Chord], limits: &[f64]) -> Vec<ThinPlace> {
    let mut places: Vec<([usize; 3], ThinPlace)> = Vec::new();
    for (group, &limit) in groups.iter().zip(limits) {
        let mut inside = vec![Vec::new(); group.places.len()];
        for chord in chords.iter().filter(|chord| chord.length_mm < limit) {
            if let Some(index) = group.place_at(voxels, chord.cube) {
                inside[index].push(chord);
            }
        }
        let mut held = vec![Vec::new(); group.places.len()];
        for (index, (cube, _)) in places.iter().enumerate() {
            if let Some(component) = group.place_at(voxels, *cube) {
                held[component].push(index);
            }
        }
        for ((component, chords), held) in group.places.iter().zip(inside).zip(held) {
            let Some(found) = thin_place(component, chords) else { continue };
            match held[..] {
                [] => places.push((component.cube, found)),
                [only] => {
                    let before = &mut places[only].1;
                    let (thickness_mm, at) = (before.thickness_mm, before.at);
                    *before = ThinPlace { thickness_mm, at, ..found };
                }
                [..] => {}
            }
        }
    }
    places.into_iter().map(|(_, place)| place).collect()
}

fn thin_place(place: &Component, mut sorted: Vec<&Chord>) -> Option<ThinPlace> {
    let sampled: f64 = sorted.iter().map(|chord| chord.area_mm2).sum();
    sorted.sort_by(|a, b| a.length_mm.total_cmp(&b.length_mm));
    let thinnest = at_area(&sorted, (NOISE_PART * sampled).min(NOISE_MM2))?;
    let bulk = at_area(&sorted, 0.9 * sampled)?;
    let is_edge = at_area(&sorted, 0.1 * sampled)?.length_mm < 0.3 * bulk.length_mm;
    // Metal over surface and thickness: a half for a plate, a quarter for a round or square bar.
    let plate = place.volume_mm3 / (sampled * bulk.length_mm);
    let kind = if is_edge {
        ThinKind::KnifeEdge
    } else if plate > 0.38 && place.longest_mm() > 3.0 * bulk.length_mm {
        ThinKind::Wall
    } else if place.necks == 1 && place.longest_mm() > bulk.length_mm {
        ThinKind::Prong
    } else if place.necks == 1 {
        ThinKind::Wall
    } else {
        ThinKind::Wire
    };
    Some(ThinPlace {
        kind,
        thickness_mm: thinnest.length_mm,
        at: thinnest.middle,
        bounds: place.bounds,
        volume_mm3: place.volume_mm3,
    })
}

/// The first chord at which so much area is reached.
fn at_area<'a>(sorted: &[&'a Chord], area_mm2: f64) -> Option<&'a Chord> {
    let mut reached = 0.0;
    sorted
        .iter()
        .find(|chord| {
            reached += chord.area_mm2;
            reached >= area_mm2
        })
        .copied()
}

fn level(limit_mm: f64, places: &[ThinPlace], chords: &[Chord]) -> Level {
    let thin = chords.iter().filter(|chord| chord.length_mm < limit_mm);
    Level {
        limit_mm,
        places: places.iter().filter(|place| place.thickness_mm < limit_mm).count(),
        area_mm2: thin.map(|chord| chord.area_mm2).sum(),
    }
}

#[cfg(test)]
mod tests;
