//! What the shop remembers of a station: what a person said about it. What its device says lives with the
//! devices and is asked anew after each start.

use serde::{Deserialize, Serialize};

use crate::units::Timestamp;

/// What a print records by itself: the label of the lot that was loaded on its station.
pub const MATERIAL_LOT: &str = "material_lot";

/// A station as the record has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StationRecord {
    /// Its name in the shop file.
    pub name: String,
    /// Whether the build plate is clear, who said so and when. A print takes it away; only a person gives it.
    pub clear: Option<Cleared>,
    /// Why nothing new is started on it, if a person paused it.
    pub paused: Option<String>,
    /// Label of the lot that a person put on it: the bottle in the vat, the spool on the holder.
    #[serde(default)]
    pub material_lot: Option<String>,
}

/// A person's word that a plate is clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl StationRecord {
    /// A station nobody has said anything about yet: nothing may be assumed of its plate.
    #[must_use]
    pub fn unseen(name: &str) -> Self {
        Self { name: name.to_owned(), clear: None, paused: None, material_lot: None }
    }
}
