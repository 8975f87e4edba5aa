//! What a design measures, beyond its mesh report: thickness, stones, zones of a ring, weight of metal.
//!
//! Everything here reads a mesh and changes nothing. Limits of alloys and materials are parameters.

pub mod zones;

pub use zones::{Known, Zone, ZoneWeights, zones};
