//! Makes rings from a few numbers: for demonstrations, examples and tests that need a real design.
//!
//! Every ring is one closed shell that faces outward, with the axis of the finger hole along z and the head
//! towards +y. Bands and signets are swept profiles; a solitaire is the zero surface of a distance field.

mod field;
mod sweep;

use serde::{Deserialize, Serialize};

use crate::mesh::Mesh;

/// What to make. Lengths in mm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RingDesign {
    /// Diameter of the finger hole; 10 to 40.
    pub inner_diameter_mm: f64,
    /// Width along the finger; 0.8 to 20. A signet's shank opposite the face.
    pub width_mm: f64,
    /// Thickness of the shank; 0.6 to 6.
    pub thickness_mm: f64,
    /// Length of the edges of the faces that the surface is made of; 0.05 to 1.
    pub resolution_mm: f64,
    /// Which kind of ring.
    pub style: RingStyle,
}

/// The kinds of ring.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingStyle {
    /// The same profile all around.
    Band(BandProfile),
    /// A shank that widens to a flat face.
    Signet {
        /// Size of the face along the finger.
        face_width_mm: f64,
        /// Size of the face across the finger.
        face_length_mm: f64,
        /// Metal between the finger and the face.
        face_height_mm: f64,
    },
    /// A shank with a head of prongs around a round stone, with the seat cut.
    Solitaire {
        /// How many prongs; 3 to 12.
        prongs: u8,
        /// Girdle diameter of the stone; 2 to 12.
        stone_diameter_mm: f64,
    },
}

/// The cross section of a band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BandProfile {
    /// A rectangle.
    Flat,
    /// Flat inside, an arc outside.
    HalfRound,
    /// An arc outside and a slight one inside; the hole is measured at the middle.
    Comfort,
}

/// Why a ring can't be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RingError {
    /// A number outside of its range.
    #[error("{what} is {value} mm, it must be {low} to {high} mm")]
    TakeLength {
        /// Which number.
        what: &'static str,
        /// As given.
        value: f64,
        /// Lowest.
        low: f64,
        /// Highest.
        high: f64,
    },
    /// Too few or too many prongs.
    #[error("{prongs} prongs do not hold a stone, it must be 3 to 12")]
    CountProngs {
        /// As given.
        prongs: u8,
    },
}

/// Good for 20,000 to 80,000 faces on a normal ring.
const RESOLUTION_MM: f64 = 0.2;
/// A signet has more surface.
const SIGNET_RESOLUTION_MM: f64 = 0.25;
/// Tetrahedra make about five times as many faces as squares.
const SOLITAIRE_RESOLUTION_MM: f64 = 0.28;

impl RingDesign {
    /// A plain band.
    #[must_use]
    pub fn band(inner_diameter_mm: f64, width_mm: f64, thickness_mm: f64, profile: BandProfile) -> Self {
        let style = RingStyle::Band(profile);
        Self { inner_diameter_mm, width_mm, thickness_mm, resolution_mm: RESOLUTION_MM, style }
    }

    /// A signet ring with a face of 12 x 10 mm, 2.4 mm above the finger, on a shank 4 mm wide and 1.8 mm thick.
    #[must_use]
    pub fn signet(inner_diameter_mm: f64) -> Self {
        let style = RingStyle::Signet { face_width_mm: 10.0, face_length_mm: 12.0, face_height_mm: 2.4 };
        Self {
            inner_diameter_mm,
            width_mm: 4.0,
            thickness_mm: 1.8,
            resolution_mm: SIGNET_RESOLUTION_MM,
            style,
        }
    }

    /// A solitaire on a shank 2.4 mm wide and 1.8 mm thick.
    #[must_use]
    pub fn solitaire(inner_diameter_mm: f64, prongs: u8, stone_diameter_mm: f64) -> Self {
        let style = RingStyle::Solitaire { prongs, stone_diameter_mm };
        Self {
            inner_diameter_mm,
            width_mm: 2.4,
            thickness_mm: 1.8,
            resolution_mm: SOLITAIRE_RESOLUTION_MM,
            style,
        }
    }

    /// Makes the mesh.
    ///
    /// The finger hole is exact within 0.01 mm.
    ///
    /// # Errors
    /// A [`RingError`] if a number is out of its range.
    pub fn generate(&self) -> Result<Mesh, RingError> {
        self.validate()?;
        Ok(match self.style {
            RingStyle::Band(profile) => sweep::band(self, profile),
            RingStyle::Signet { face_width_mm, face_length_mm, face_height_mm } => {
                sweep::signet(self, face_width_mm, face_length_mm, face_height_mm)
            }
            RingStyle::Solitaire { prongs, stone_diameter_mm } => {
                field::solitaire(self, prongs, stone_diameter_mm)
            }
        })
    }

    fn validate(&self) -> Result<(), RingError> {
        within("the inner diameter", self.inner_diameter_mm, 10.0, 40.0)?;
        within("the width", self.width_mm, 0.8, 20.0)?;
        within("the thickness", self.thickness_mm, 0.6, 6.0)?;
        within("the resolution", self.resolution_mm, 0.05, 1.0)?;
        match self.style {
            RingStyle::Band(_) => Ok(()),
            RingStyle::Signet { face_width_mm, face_length_mm, face_height_mm } => {
                within("the width of the face", face_width_mm, self.width_mm, 25.0)?;
                within("the length of the face", face_length_mm, 2.0, 25.0)?;
                within("the height of the face", face_height_mm, self.thickness_mm, 8.0)
            }
            RingStyle::Solitaire { prongs, stone_diameter_mm } => {
                within("the stone", stone_diameter_mm, 2.0, 12.0)?;
                if (3..=12).contains(&prongs) { Ok(()) } else { Err(RingError::CountProngs { prongs }) }
            }
        }
    }
}

fn within(what: &'static str, value: f64, low: f64, high: f64) -> Result<(), RingError> {
    if (low..=high).contains(&value) { Ok(()) } else { Err(RingError::TakeLength { what, value, low, high }) }
}

#[cfg(test)]
mod tests;
