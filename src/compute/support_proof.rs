//! Whether supports hold a part and leave it whole, proved on the layers that will be printed.
//!
//! Shares nothing with [`crate::support`] but its types: sections are compared as spans of pixels, islands and
//! cups are those of [`crate::plate_checks`], contacts are looked for on the faces of the part. What is proved:
//!
//! * P1 nothing begins on nothing, and what stands on little is strong enough;
//! * P2 supports are inside of the part only at their contacts;
//! * P3 contacts lie on the surface, and none where nothing may touch;
//! * P4 away from contacts supports keep their distance;
//! * P5 every piece of support stands on the plate, or on a foot that is a contact;
//! * P6 supports close no cup and no trap;
//! * P7 above the raft the area grows in small steps.

mod bodies;
mod spans;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use nalgebra::{Point3, Vector3};
use rayon::prelude::*;
use serde::Serialize;

use crate::mesh::Mesh;
use crate::plate_checks::{
    self, Base, Island, IslandKind, IslandRule, PlateReport, Pocket, PocketRule, Rules, Scene,
};
use crate::slice::{
    Control, Display, Heights, LayerError, LayerSource, Orientation, Part, Plate, PrepareError, Sampling,
    Settings, StreamError, usize_of,
};
use crate::support::{Cause, Contact, Params, Supports, Zone};
use crate::units::Microns;
use spans::Spans;

/// Pixels round everything.
const RIM_PX: f64 = 4.0;

/// A contact is this near to the surface it lies on, mm.
const ON_SURFACE_MM: f64 = 0.02;

/// Faults listed of each kind.
const LISTED_MAX: usize = 50;

/// How the plate will be printed, and what the shop allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Print {
    /// Layer height.
    pub layer: Microns,
    /// Pixel of the printer, mm.
    pub pixel_mm: f64,
    /// Least distance between support and part away from contacts, mm.
    pub clearance_mm: f64,
    /// By how much the area of a layer may exceed that of the one below, mm².
    pub jump_mm2: f64,
}

/// What was proved.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ProofReport {
    /// P1: areas that begin on nothing.
    pub free_islands: u64,
    /// P1: areas that stand on too little to be pulled off the film.
    pub weak_islands: u64,
    /// Areas that stand on less than a quarter of themselves, but on enough.
    pub hung_islands: u64,
    /// P2: volume of supports inside of the part, away from contacts, mm³.
    pub inside_mm3: f64,
    /// P3: contacts beside the surface or where nothing may touch.
    pub bad_contacts: u32,
    /// P4: pixels of layers in which a support is too near to the part.
    pub too_near_px: u64,
    /// P5: pieces of support that stand on nothing.
    pub floating: u32,
    /// P6: cups and traps that the part alone has not.
    pub cups: u32,
    /// P7: greatest growth of the area between two layers above the raft, mm².
    pub jump_mm2: f64,
    /// P8: contacts that hold the part.
    pub tips: u32,
    /// P8: volume of supports outside of the part, mm³.
    pub support_mm3: f64,
    /// P8: section of contacts by zone, mm².
    pub contact_mm2: BTreeMap<Zone, f64>,
    /// The first faults of each kind, with places in mm.
    pub faults: Vec<Fault>,
}

/// A thing that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Fault {
    /// Which claim it breaks: 1 to 7.
    pub claim: u8,
    /// Where, plate frame.
    pub at_mm: [f64; 3],
}

impl ProofReport {
    /// Whether every claim holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether a claim holds.
    #[must_use]
    pub fn holds_claim(&self, claim: u8) -> bool {
        self.faults.iter().all(|fault| fault.claim != claim)
    }

    fn fault(&mut self, claim: u8, at_mm: [f64; 3]) {
        if self.faults.iter().filter(|fault| fault.claim == claim).count() < LISTED_MAX {
            self.faults.push(Fault { claim, at_mm });
        }
    }
}

/// Why nothing can be proved.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Part or supports can't be sliced.
    #[error("part and supports can't be sliced: {0}")]
    Prepare(#[from] PrepareError),
    /// A layer can't be had.
    #[error("a layer can't be made: {0}")]
    Layer(#[from] LayerError),
    /// The caller asked to stop.
    #[error("stopped")]
    Cancelled,
}

/// Proves that supports hold a part (plate frame, mm; `zones` for each face, or every place may be touched).
///
/// # Errors
/// If part and supports can't be sliced, or the caller asked to stop.
pub fn prove(
    part: &Mesh,
    zones: Option<&[Zone]>,
    supports: &Supports,
    params: &Params,
    print: &Print,
    control: Control<'_>,
) -> Result<ProofReport, ProofError> {
    let bench = Bench::around(part, supports, params, print);
    let both = bench.report(&[part, &supports.mesh], Base::OnPlate, control)?;
    let alone = bench.report(&[part], Base::Raised, control)?;
    let parts = bench.layers(part)?;
    let held = bench.layers(&supports.mesh)?;
    let mut proof = ProofReport::default();
    bench.islands(&both, &mut proof);
    bench.inside(&parts, &held, &mut proof);
    bench.contacts(part, zones, &mut proof);
    bench.near(&parts, &held, &mut proof);
    bench.floating(&held, &mut proof);
    bench.cups(&both, &alone, &mut proof);
    bench.jumps(&both, &mut proof);
    Ok(proof)
}

/// The layers that everything is proved on.
struct Bench<'a> {
    supports: &'a Supports,
    params: &'a Params,
    print: &'a Print,
    low: [f64; 2],
    settings: Settings,
}

impl<'a> Bench<'a> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates; checked by the slicer"
    )]
    fn around(part: &Mesh, supports: &'a Supports, params: &'a Params, print: &'a Print) -> Self {
        let bounds = [part.bounds(), supports.mesh.bounds()].into_iter().flatten();
        let bounds = bounds.fold(None, |all: Option<crate::mesh::Bounds>, one| match all {
            None => Some(one),
            Some(all) => Some(all.with(one.min).with(one.max)),
        });
        let px = print.pixel_mm;
        let (min, max) = bounds.map_or((Point3::origin(), Point3::origin()), |all| (all.min, all.max));
        let low = [0, 1].map(|axis| ((min[axis] / px).floor() - RIM_PX) * px);
        let [width_px, height_px] =
            [0, 1].map(|axis| (((max[axis] - low[axis]) / px).ceil() + RIM_PX) as u32);
        let display = Display {
            width_px,
            height_px,
            pitch_mm: [px; 2],
            orientation: Orientation::Landscape,
            mirror_x: false,
            // Rows run like plate y.
            mirror_y: true,
        };
        let heights = Heights::uniform(print.layer);
        let settings = Settings { display, height_max_mm: max.z + 1.0, heights, sampling: Sampling::Centre };
        Self { supports, params, print, low, settings }
    }

    fn offset(&self) -> [f64; 3] {
        [-self.low[0], -self.low[1], 0.0]
    }

    fn report(&self, meshes: &[&Mesh], base: Base, control: Control<'_>) -> Result<PlateReport, ProofError> {
        let offset_mm = self.offset();
        let parts: Vec<Part<'_>> = meshes.iter().map(|mesh| Part { name: "part", mesh, offset_mm }).collect();
        let plate = Plate::prepare(&parts, self.settings.clone())?;
        let mut scene = Scene::of(&self.settings.heights, plate.layer_count());
        scene.origin_mm = [-self.low[0], -self.low[1]];
        let islands = IslandRule::UVTOOLS;
        let rules = Rules { base, islands, pockets: PocketRule::UVTOOLS, ..Rules::GEOMETRY };
        plate_checks::check(&plate, &scene, &rules, control).map_err(|error| match error {
            StreamError::Cancelled => ProofError::Cancelled,
            StreamError::Layer(error) | StreamError::Deliver(error) => ProofError::Layer(error),
        })
    }

    fn layers(&self, mesh: &Mesh) -> Result<Vec<Spans>, ProofError> {
        if mesh.triangles.is_empty() {
            return Ok(Vec::new());
        }
        let parts = [Part { name: "part", mesh, offset_mm: self.offset() }];
        let plate = Plate::prepare(&parts, self.settings.clone())?;
        let size = [self.settings.display.width_px, self.settings.display.height_px];
        let spans = |index| Ok(Spans::of_runs(&plate.layer(index)?.runs, size));
        (0..plate.layer_count()).into_par_iter().map(spans).collect()
    }

    /// Where the middle of a pixel of a layer is.
    fn place(&self, layer: usize, row: u32, column: u32) -> Point3<f64> {
        let px = self.print.pixel_mm;
        let along = |axis: usize, index: u32| self.low[axis] + (f64::from(index) + 0.5) * px;
        let layer = u32::try_from(layer).unwrap_or(u32::MAX);
        Point3::new(along(0, column), along(1, row), self.settings.heights.plane_mm(layer))
    }

    fn pixel_mm3(&self) -> f64 {
        self.print.pixel_mm * self.print.pixel_mm * self.print.layer.to_millimeters().0
    }

    /// P1. A contact that is strong enough may be a small share of what it holds.
    fn islands(&self, both: &PlateReport, proof: &mut ProofReport) {
        let raft_mm = self.supports.raft_top_mm;
        for island in &both.islands {
            let at = [island.at_mm[0], island.at_mm[1], island.z_mm];
            match island.kind {
                IslandKind::Free => {
                    proof.free_islands += 1;
                    proof.fault(1, at);
                }
                // Letters and feet stand on the raft.
                IslandKind::Weak if island.z_mm <= raft_mm || self.is_strong(island) => {
                    proof.hung_islands += 1
                }
                IslandKind::Weak => {
                    proof.weak_islands += 1;
                    proof.fault(1, at);
                }
            }
        }
        let listed = proof.free_islands + proof.weak_islands + proof.hung_islands;
        if listed < both.counts.free_islands + both.counts.weak_islands {
            // Too many to list is too many.
            proof.free_islands = proof.free_islands.max(both.counts.free_islands);
            proof.fault(1, [0.0; 3]);
        }
    }

    fn is_strong(&self, island: &Island) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "pixels of a layer")]
        let (overlap, px) = (island.overlap_px as f64, island.px as f64);
        overlap >= px * self.params.held_share() && overlap >= 1.0
    }

    /// P2 and P8.
    fn inside(&self, parts: &[Spans], held: &[Spans], proof: &mut ProofReport) {
        let (mut inside_px, mut shared_px) = (0_u64, 0_u64);
        for (layer, (part, support)) in parts.iter().zip(held).enumerate() {
            part.meet(support, |row, from, to| {
                shared_px += u64::from(to - from);
                for column in from..to {
                    let at = self.place(layer, row, column);
                    if !self.in_ball(&at) {
                        inside_px += 1;
                        proof.fault(2, [at.x, at.y, at.z]);
                    }
                }
            });
        }
        let support_px: u64 = held.iter().map(Spans::pixels).sum();
        #[expect(clippy::cast_precision_loss, reason = "pixels of a plate, far below 2^53")]
        let volume = |px: u64| px as f64 * self.pixel_mm3();
        proof.inside_mm3 = volume(inside_px);
        proof.support_mm3 = volume(support_px.saturating_sub(shared_px));
    }

    /// Whether a point lies where a contact may reach into the part.
    fn in_ball(&self, at: &Point3<f64>) -> bool {
        self.supports.contacts.iter().any(|contact| {
            let reach = contact.diameter_mm / 2.0 + self.params.penetration_mm + self.print.pixel_mm;
            (at - contact.point).norm() <= reach
        })
    }

    /// P3 and P8.
    fn contacts(&self, part: &Mesh, zones: Option<&[Zone]>, proof: &mut ProofReport) {
        let bad: Vec<bool> =
            self.supports.contacts.par_iter().map(|contact| is_bad(contact, part, zones)).collect();
        for (contact, is_bad) in self.supports.contacts.iter().zip(bad) {
            proof.tips += u32::from(contact.cause != Cause::Foot);
            *proof.contact_mm2.entry(contact.zone).or_default() +=
                std::f64::consts::PI * contact.diameter_mm.powi(2) / 4.0;
            if is_bad {
                proof.bad_contacts += 1;
                proof.fault(3, [contact.point.x, contact.point.y, contact.point.z]);
            }
        }
    }

    /// P4. Each layer of supports against the layers of the part within reach, above and below.
    fn near(&self, parts: &[Spans], held: &[Spans], proof: &mut ProofReport) {
        let (px, layer_mm) = (self.print.pixel_mm, self.print.layer.to_millimeters().0);
        let reach_mm = self.print.clearance_mm;
        let found: Vec<Vec<Point3<f64>>> = held
            .par_iter()
            .enumerate()
            .map(|(layer, support)| {
                let mut found = Vec::new();
                for (other, part) in parts.iter().enumerate() {
                    let rise = distance(layer, other) * layer_mm;
                    if rise < reach_mm {
                        let reach_px = (reach_mm * reach_mm - rise * rise).sqrt() / px;
                        support.near(part, reach_px, |row, from, to| {
                            let places = (from..to).map(|column| self.place(other, row, column));
                            found.extend(places.filter(|at| !self.near_contact(at)));
                        });
                    }
                }
                found
            })
            .collect();
        for at in found.iter().flatten() {
            proof.too_near_px += 1;
            proof.fault(4, [at.x, at.y, at.z]);
        }
    }

    fn near_contact(&self, at: &Point3<f64>) -> bool {
        let near_mm = self.params.near_mm + self.print.pixel_mm;
        self.supports.contacts.iter().any(|contact| (at - contact.point).norm() <= near_mm)
    }

    /// P5.
    fn floating(&self, held: &[Spans], proof: &mut ProofReport) {
        let is_foot = |layer: usize, row: u32, column: u32| {
            let at = self.place(layer, row, column);
            self.supports.contacts.iter().any(|contact| {
                let reach = contact.diameter_mm / 2.0 + self.params.penetration_mm + self.print.pixel_mm;
                contact.cause == Cause::Foot && (at - contact.point).norm() <= reach
            })
        };
        for [layer, row, column] in bodies::floating(held, is_foot) {
            let at = self.place(usize_of(layer), row, column);
            proof.floating += 1;
            proof.fault(5, [at.x, at.y, at.z]);
        }
    }

    /// P6. A pocket of the part alone is the part's own.
    fn cups(&self, both: &PlateReport, alone: &PlateReport, proof: &mut ProofReport) {
        let same = |one: &Pocket, other: &Pocket| {
            let away = |a: [f64; 3], b: [f64; 3]| (Point3::from(a) - Point3::from(b)).norm();
            away(one.highest_mm, other.highest_mm) < 1.0 || away(one.lowest_mm, other.lowest_mm) < 1.0
        };
        for pocket in &both.pockets {
            if !alone.pockets.iter().any(|own| same(own, pocket)) {
                proof.cups += 1;
                proof.fault(6, pocket.lowest_mm);
            }
        }
    }

    /// P7.
    fn jumps(&self, both: &PlateReport, proof: &mut ProofReport) {
        let mut worst = (0.0, 0.0);
        for (index, pair) in (0_u32..).zip(both.area_curve.windows(2)) {
            let bottom_mm = self.settings.heights.bottom(index).to_millimeters().0;
            let jump = pair[1].area_mm2 - pair[0].area_mm2;
            if bottom_mm >= self.supports.raft_top_mm && jump > worst.0 {
                worst = (jump, self.settings.heights.plane_mm(index + 1));
            }
        }
        proof.jump_mm2 = worst.0;
        if worst.0 > self.print.jump_mm2 {
            proof.fault(7, [0.0, 0.0, worst.1]);
        }
    }
}

/// Whether a contact is beside the surface, or on a face that may not be touched.
fn is_bad(contact: &Contact, part: &Mesh, zones: Option<&[Zone]>) -> bool {
    let mut nearest = (f64::INFINITY, 0);
    for face in 0..part.triangles.len() {
        let corners = part.corners(face);
        let is_far = (0..3).any(|axis| {
            let at = contact.point[axis];
            corners.iter().all(|corner| corner[axis] > at + ON_SURFACE_MM)
                || corners.iter().all(|corner| corner[axis] < at - ON_SURFACE_MM)
        });
        if !is_far {
            let away = away_from(&contact.point, corners);
            if away < nearest.0 {
                nearest = (away, face);
            }
        }
    }
    let zone = zones.and_then(|zones| zones.get(nearest.1)).copied().unwrap_or(Zone::Side);
    nearest.0 > ON_SURFACE_MM || !zone.may_touch()
}

/// Distance of a point to a triangle.
fn away_from(point: &Point3<f64>, [a, b, c]: [Point3<f64>; 3]) -> f64 {
    let normal = (b - a).cross(&(c - a));
    let side = |from: Point3<f64>, to: Point3<f64>| (to - from).cross(&(point - from)).dot(&normal);
    if normal.norm() > 0.0 && side(a, b) >= 0.0 && side(b, c) >= 0.0 && side(c, a) >= 0.0 {
        return ((point - a).dot(&normal) / normal.norm()).abs();
    }
    let edge = |from: Point3<f64>, to: Point3<f64>| {
        let along: Vector3<f64> = to - from;
        let at = (point - from).dot(&along) / along.norm_squared().max(1e-18);
        (point - (from + along * at.clamp(0.0, 1.0))).norm()
    };
    edge(a, b).min(edge(b, c)).min(edge(c, a))
}

fn distance(one: usize, other: usize) -> f64 {
    u32::try_from(one.abs_diff(other)).map_or(f64::INFINITY, f64::from)
}
