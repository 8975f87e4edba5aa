//! Braces between slender pillars, and legs beside those that stand alone.

use std::collections::BTreeSet;

use nalgebra::{Point3, Vector3};

use super::Params;
use super::route::{End, Leg};
use super::space::Space;

/// A pillar alone gets a leg on each of this many sides, evenly turned.
const LEGS: u32 = 3;

/// Directions tried for the first leg.
const TURNS: u32 = 8;

/// A leg goes down by this much for each length aside.
const LEG_SLOPE: f64 = 1.7;

/// A leg reaches a pillar at this share of its height.
const LEG_AT: f64 = 0.6;

/// A bar that holds pillars.
#[derive(Debug, Clone, Copy)]
pub(super) struct Brace {
    pub(super) from: Point3<f64>,
    pub(super) to: Point3<f64>,
    pub(super) radius: f64,
    /// Whether its lower end stands on the plate.
    pub(super) stands: bool,
}

/// The upright part of a support.
struct Pillar {
    top: Point3<f64>,
    radius: f64,
    is_slender: bool,
}

/// Braces for all pillars that need them.
pub(super) fn braces(legs: &[Leg], space: &Space, params: &Params) -> Vec<Brace> {
    let pillars: Vec<Pillar> = legs.iter().filter_map(|leg| Pillar::of(leg, params)).collect();
    let mut braces = Vec::new();
    let mut joined: BTreeSet<[usize; 2]> = BTreeSet::new();
    let mut is_braced = vec![false; pillars.len()];
    for (index, pillar) in pillars.iter().enumerate().filter(|(_, pillar)| pillar.is_slender) {
        let mut near: Vec<(f64, usize)> = pillars
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(other, neighbour)| ((neighbour.top.xy() - pillar.top.xy()).norm(), other))
            .filter(|(away, _)| *away > 2.0 * pillar.radius && *away <= params.brace_reach_mm)
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        for &(away, other) in near.iter().take(2) {
            let pair = [index.min(other), index.max(other)];
            if joined.contains(&pair) {
                is_braced[index] = true;
                continue;
            }
            let made = between(pillar, &pillars[other], away, space, params);
            if !made.is_empty() {
                is_braced[index] = true;
                joined.insert(pair);
            }
            braces.extend(made);
        }
        if !is_braced[index] {
            braces.extend(tripod(pillar, space, params));
        }
    }
    braces
}

impl Pillar {
    fn of(leg: &Leg, params: &Params) -> Option<Self> {
        let [.., top, _] = leg.nodes[..] else { return None };
        let is_slender = top.z > params.slenderness_max * 2.0 * leg.radius;
        matches!(leg.end, End::Plate).then_some(Self { top, radius: leg.radius, is_slender })
    }
}

/// Bars at 45 degrees from one pillar down to another, one for each step of height.
fn between(pillar: &Pillar, other: &Pillar, away: f64, space: &Space, params: &Params) -> Vec<Brace> {
    let radius = pillar.radius.min(other.radius);
    let mut made = Vec::new();
    let mut z = pillar.top.z.min(other.top.z + away) - radius;
    while z - away > params.base.foot_height_mm {
        let from = Point3::new(pillar.top.x, pillar.top.y, z);
        let to = Point3::new(other.top.x, other.top.y, z - away);
        if space.is_clear(&from, &to, radius + params.clearance_mm) {
            made.push(Brace { from, to, radius, stands: false });
        }
        z -= params.brace_step_mm;
    }
    made
}

/// Legs from the plate to a pillar that stands alone.
fn tripod(pillar: &Pillar, space: &Space, params: &Params) -> Vec<Brace> {
    let from = Point3::new(pillar.top.x, pillar.top.y, pillar.top.z * LEG_AT);
    let leg = |angle: f64| {
        let aside = Vector3::new(angle.cos(), angle.sin(), 0.0) * (from.z / LEG_SLOPE);
        // It ends upright, so that nothing of its round end lies below the plate.
        let to = Point3::new(from.x + aside.x, from.y + aside.y, pillar.radius);
        space.is_clear(&from, &to, pillar.radius + params.clearance_mm).then_some(Brace {
            from,
            to,
            radius: pillar.radius,
            stands: true,
        })
    };
    let third = std::f64::consts::TAU / f64::from(LEGS);
    let sets = (0..TURNS).map(|turn| {
        let first = third * f64::from(turn) / f64::from(TURNS);
        (0..LEGS).filter_map(|index| leg(first + third * f64::from(index))).collect::<Vec<Brace>>()
    });
    // The first of the sets with the most legs.
    sets.fold(Vec::new(), |best, set| if set.len() > best.len() { set } else { best })
}
