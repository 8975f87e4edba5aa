//! A design: one revision of a file that an order may name, known by its content.

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::units::{Millimeters, Timestamp};

/// The SHA-256 of a file's bytes, 64 lower-case hex digits. Names designs and blobs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sha256Hex(String);

impl Sha256Hex {
    /// Reads the text form; upper case is accepted. `None` if it isn't 64 hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        well_formed.then(|| Self(text.to_ascii_lowercase()))
    }

    /// The text form of a digest.
    #[must_use]
    pub fn from_digest(digest: &[u8]) -> Self {
        use std::fmt::Write;
        let mut text = String::with_capacity(64);
        for byte in digest {
            // Writing to a String can't fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// The 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Sha256Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A stored design with the facts that the check measured. Only files that can be read are stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// Its content.
    pub sha256: Sha256Hex,
    /// `model/stl`, `model/3mf` or `model/obj`, as recognised from the bytes.
    pub media_type: String,
    /// Its size.
    pub bytes: u64,
    /// Who sent it (name of the API key).
    pub by: String,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// What the check measured.
    pub part: PartFacts,
}

/// What the mesh check measured, without scaling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartFacts {
    /// Faces.
    pub triangles: u64,
    /// Whether every edge has two faces.
    pub watertight: bool,
    /// Connected surfaces.
    pub shells: u32,
    /// Enclosed volume, mm³.
    pub volume_mm3: f64,
    /// Lowest and highest corner, mm.
    pub bounds_mm: [[f64; 3]; 2],
    /// Inner diameter, if it is a ring.
    pub ring_inner_diameter: Option<Millimeters>,
    /// What the check noticed.
    pub findings: Vec<Finding>,
}

impl PartFacts {
    /// Size along x, y and z, mm.
    #[must_use]
    pub fn size_mm(&self) -> [f64; 3] {
        let [low, high] = self.bounds_mm;
        [high[0] - low[0], high[1] - low[1], high[2] - low[2]]
    }
}
