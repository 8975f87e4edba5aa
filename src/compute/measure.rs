//! What a design measures, beyond its mesh report: thickness, stones, zones of a ring, weight of metal.
//!
//! Everything here reads a mesh and changes nothing. Limits of alloys and materials are parameters.

mod components;
mod samples;
pub mod stones;
#[cfg(test)]
pub(crate) mod tests;
pub mod thickness;
mod voxels;
pub mod weight;
pub mod zones;

pub use stones::Stone;
pub use thickness::{Level, Thickness, ThinKind, ThinPlace, thickness};
pub use weight::{Density, MetalVolume, Weight, weight};
pub use zones::{Known, Zone, ZoneWeights, zones};
