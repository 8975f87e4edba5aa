//! Lengths that cross module borders.

use serde::{Deserialize, Serialize};

/// A length in whole micrometres: plate coordinates, layer heights, pixel pitches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Microns(pub i32);

impl Microns {
    /// The same length in millimetres.
    #[must_use]
    pub fn to_millimeters(self) -> Millimeters {
        Millimeters(f64::from(self.0) / 1000.0)
    }
}

/// A length in millimetres, as measured or as written in a profile.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millimeters(pub f64);
