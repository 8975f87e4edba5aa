//! What a design measures, beyond its mesh report: thickness, stones, zones of a ring, weight of metal.
//!
//! Everything here reads a mesh and changes nothing. Limits of alloys and materials are parameters.

mod components;
mod samples;
#[cfg(test)]
pub(crate) mod tests;
pub mod thickness;
mod voxels;
pub mod zones;


pub use thickness::{Level, ThinKind, ThinPlace, Thickness, thickness};
pub use zones::{Known, Zone, ZoneWeights, zones};
