//! Supports for parts that are cured layer by layer: what holds every piece of a layer until it has grown on.
//!
//! ```text
//! layers as bit maps -> what is held so far -> points     bits.rs, held.rs
//!        |                                       |
//!        v                                       v  surface, zone, normal      surface.rs
//! distance to the part ->  space.rs        tips, paths, pillars, braces        route.rs, brace.rs
//!                                                |
//!                                     convex pieces, raft, label               solids.rs, raft.rs, label.rs
//! ```
//!
//! The model: a layer is held where it grows out of what is held below, by no more than the angle that the resin
//! holds by itself, or within the reach of a contact. Whatever lies further out than [`Params::overhang_mm`] gets
//! a contact; an island gets one whatever its size.
//!
//! Decisions are made on a mask of whole pixels, never on greys. Whether the result holds is proved by
//! [`crate::support_proof`], which shares nothing with this module but the types below.
//!
//! Sources: the numbers are parameters and carry their source in the material's profile. The idea that reach
//! comes from strength: area of a tip x strength of the green resin = pull of the film x area x safety.

mod bits;
mod brace;
mod held;
mod label;
mod pick;
mod raft;
mod route;
mod solids;
mod space;
mod surface;
#[cfg(test)]
pub(crate) mod tests;

use nalgebra::{Point3, Unit, Vector3};
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
pub use crate::measure::Zone;
use crate::mesh::Mesh;
use crate::slice::{Control, LayerError, PrepareError, StreamError};

/// How supports are made for one material at one layer height. There is no default: the material's profile says
/// each number and where it comes from. Lengths and diameters in mm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Layer height of the print, µm.
    pub layer_um: i32,
    /// Pixels in which layers are looked at, mm; the printer's, or 0.05 if that is smaller.
    pub pixel_mm: f64,
    /// Faces steeper than this hold themselves, degrees from the horizontal.
    pub self_support_degrees: f64,
    /// What may hang free, measured from the nearest place that is held.
    pub overhang_mm: f64,
    /// Strength of the green resin in tension, MPa.
    pub green_strength_mpa: f64,
    /// Pull of the film on a cured layer, kPa.
    pub peel_kpa: f64,
    /// Tips hold this many times the pull.
    pub safety: f64,
    /// Contact on claws.
    pub tip_fine_mm: f64,
    /// Contact elsewhere.
    pub tip_mm: f64,
    /// Contact within [`Params::heavy_height_mm`] of the lowest point.
    pub tip_heavy_mm: f64,
    /// See [`Params::tip_heavy_mm`].
    pub heavy_height_mm: f64,
    /// How deep a tip reaches into the part.
    pub penetration_mm: f64,
    /// Length of the cone between contact and pillar.
    pub cone_mm: f64,
    /// Diameter of a pillar.
    pub pillar_mm: f64,
    /// Diameter of a pillar in places too narrow for another.
    pub pillar_fine_mm: f64,
    /// Diameter of a pillar that is longer than [`Params::long_mm`].
    pub pillar_long_mm: f64,
    /// See [`Params::pillar_long_mm`].
    pub long_mm: f64,
    /// Flattest direction of tips and branches, degrees from straight down.
    pub tilt_degrees_max: f64,
    /// Distance that supports keep from the part, away from their contact. Thinner pillars keep less, by their
    /// diameter, but never less than three quarters of it.
    pub clearance_mm: f64,
    /// Within this distance of its contact a support may come nearer.
    pub near_mm: f64,
    /// Pillars this many times longer than wide are braced.
    pub slenderness_max: f64,
    /// Braces of a pillar lie this far apart in height.
    pub brace_step_mm: f64,
    /// Pillars at most this far apart are braced to each other.
    pub brace_reach_mm: f64,
    /// How pillars stand on the plate.
    pub base: BaseParams,
}

/// What pillars stand on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseParams {
    /// Diameter of a pillar's foot, mm.
    pub foot_mm: f64,
    /// Height of a pillar's foot, mm.
    pub foot_height_mm: f64,
    /// The raft below all feet; without it each foot stands on the plate.
    pub raft: Option<RaftParams>,
}

/// The sheet below all feet. Lengths in mm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaftParams {
    /// Thickness; its edge is cut back by as much, so that a scraper gets below.
    pub thickness_mm: f64,
    /// How far it reaches beyond the feet.
    pub margin_mm: f64,
    /// Width of the bars that join what stands apart.
    pub bar_mm: f64,
    /// Height of the letters of a label.
    pub letter_mm: f64,
    /// Width of their strokes.
    pub stroke_mm: f64,
    /// How far they stand out.
    pub relief_mm: f64,
}

impl Params {
    /// Area that one contact holds against the film, mm²: strength x section / (safety x pull).
    #[must_use]
    pub fn cell_mm2(&self, contact_mm: f64) -> f64 {
        let section_mm2 = std::f64::consts::PI * contact_mm * contact_mm / 4.0;
        section_mm2 / self.held_share()
    }

    /// Section of contacts that an area needs, as a share of it.
    #[must_use]
    pub fn held_share(&self) -> f64 {
        self.safety * self.peel_kpa / (1000.0 * self.green_strength_mpa)
    }

    /// Distance that one contact holds, mm.
    #[must_use]
    pub fn reach_mm(&self, contact_mm: f64) -> f64 {
        (self.cell_mm2(contact_mm) / std::f64::consts::PI).sqrt()
    }

    /// By how much a layer may grow beyond the one below, mm.
    fn growth_mm(&self) -> f64 {
        self.layer_mm() / self.self_support_degrees.to_radians().tan()
    }

    fn layer_mm(&self) -> f64 {
        f64::from(self.layer_um) / 1000.0
    }

    /// The first number that makes no sense.
    fn flaw(&self) -> Option<&'static str> {
        let raft = self.base.raft.as_ref();
        let lengths = [
            ("layer_um", f64::from(self.layer_um), 500.0),
            ("pixel_mm", self.pixel_mm, 0.2),
            ("overhang_mm", self.overhang_mm, 5.0),
            ("green_strength_mpa", self.green_strength_mpa, 200.0),
            ("peel_kpa", self.peel_kpa, 200.0),
            ("safety", self.safety, 100.0),
            ("tip_fine_mm", self.tip_fine_mm, 2.0),
            ("tip_mm", self.tip_mm, 2.0),
            ("tip_heavy_mm", self.tip_heavy_mm, 2.0),
            ("penetration_mm", self.penetration_mm, 1.0),
            ("cone_mm", self.cone_mm, 10.0),
            ("pillar_mm", self.pillar_mm, 10.0),
            ("pillar_fine_mm", self.pillar_fine_mm, 10.0),
            ("pillar_long_mm", self.pillar_long_mm, 10.0),
            ("clearance_mm", self.clearance_mm, 5.0),
            ("brace_step_mm", self.brace_step_mm, 100.0),
            ("base.foot_mm", self.base.foot_mm, 20.0),
            ("base.raft.thickness_mm", raft.map_or(1.0, |raft| raft.thickness_mm), 5.0),
            ("base.raft.bar_mm", raft.map_or(1.0, |raft| raft.bar_mm), 20.0),
            ("base.raft.letter_mm", raft.map_or(1.0, |raft| raft.letter_mm), 20.0),
            ("base.raft.stroke_mm", raft.map_or(1.0, |raft| raft.stroke_mm), 5.0),
        ];
        let wrong = |&(_, value, most): &(&str, f64, f64)| !(value > 0.0 && value <= most);
        let angle = (10.0..=80.0).contains(&self.self_support_degrees);
        let tilt = (0.0..=60.0).contains(&self.tilt_degrees_max);
        let named = lengths.iter().find(|entry| wrong(entry)).map(|entry| entry.0);
        named
            .or((!angle).then_some("self_support_degrees"))
            .or((!tilt).then_some("tilt_degrees_max"))
            .or((self.layer_um < 5 || self.pixel_mm < 0.01).then_some("layer_um or pixel_mm"))
    }
}

/// Where a support touches the part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contact {
    /// On the surface, plate frame, mm.
    pub point: Point3<f64>,
    /// Outward normal of the surface.
    pub normal: Unit<Vector3<f64>>,
    /// Diameter of the contact, mm.
    pub diameter_mm: f64,
    /// What it touches.
    pub zone: Zone,
    /// Why it is there.
    pub cause: Cause,
}

/// Why a contact is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Holds an area that begins on nothing.
    Island,
    /// Holds what hangs too far out.
    Overhang,
    /// Takes its share of the pull of the film.
    Strength,
    /// Carries a pillar that can't reach the plate.
    Foot,
}

/// What was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Supports {
    /// Closed convex pieces in the plate frame, each turned outward; they overlap and are united when sliced.
    pub mesh: Mesh,
    /// Every contact with the part.
    pub contacts: Vec<Contact>,
    /// Upper side of the raft, mm; 0 without one.
    pub raft_top_mm: f64,
    /// How much there is of what.
    pub stats: Stats,
    /// What could not be held, or not as it should be.
    pub findings: Vec<Finding>,
}

/// How much there is of what.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Stats {
    /// Contacts that hold the part.
    pub tips: u32,
    /// Contacts that pillars stand on.
    pub feet_on_part: u32,
    /// Pillars that stand on the plate or raft.
    pub pillars: u32,
    /// Braces.
    pub braces: u32,
    /// Section of all contacts, mm².
    pub contact_mm2: f64,
    /// Contacts on islands.
    pub islands: u32,
    /// Places that should be held and are not.
    pub left: u32,
}

/// Why no supports can be made.
#[derive(Debug, thiserror::Error)]
pub enum SupportError {
    /// A number of the material makes no sense.
    #[error("supports.{name} is out of range; correct the material's profile")]
    Parameter {
        /// Which one.
        name: &'static str,
    },
    /// A table of zones that is not the part's.
    #[error("{zones} zones for {triangles} faces; measure the part again")]
    Zones {
        /// How many zones there are.
        zones: usize,
        /// How many faces the part has.
        triangles: usize,
    },
    /// The part can't be sliced.
    #[error("the part can't be sliced: {0}")]
    Prepare(#[from] PrepareError),
    /// A layer can't be had.
    #[error("a layer can't be made: {0}")]
    Layer(#[from] LayerError),
    /// The caller asked to stop.
    #[error("stopped")]
    Cancelled,
}

impl From<StreamError<std::convert::Infallible>> for SupportError {
    fn from(error: StreamError<std::convert::Infallible>) -> Self {
        match error {
            StreamError::Cancelled => Self::Cancelled,
            StreamError::Layer(error) => Self::Layer(error),
            StreamError::Deliver(never) => match never {},
        }
    }
}

/// Makes supports for a part as it will be printed: scaled, turned, and raised above the plate (plate frame, mm).
///
/// `zones` has an entry for each face; without it every place is [`Zone::Side`], so nothing is forbidden.
/// `label` is written on the raft.
///
/// # Errors
/// If a parameter is out of range, the part can't be sliced, or the caller asked to stop. What can't be held is a
/// finding, not an error.
pub fn generate(
    part: &Mesh,
    zones: Option<&[Zone]>,
    params: &Params,
    label: &str,
    control: Control<'_>,
) -> Result<Supports, SupportError> {
    if let Some(name) = params.flaw() {
        return Err(SupportError::Parameter { name });
    }
    if let Some(zones) = zones.filter(|zones| zones.len() != part.triangles.len()) {
        return Err(SupportError::Zones { zones: zones.len(), triangles: part.triangles.len() });
    }
    let surface = surface::Surface::of(part, zones);
    let seen = held::look(part, &surface, params, control)?;
    let picked = pick::strengthen(seen.wanted, &surface, &seen.areas, params);
    let routed = route::route(&picked, &surface, &seen.space, params);
    let built = route::build(routed, &seen.space, params, label);
    Ok(built.finish(seen.left, params))
}
