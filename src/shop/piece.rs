//! A piece: one physical item that a customer gets.

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::ids::{OrderId, PieceId};
use crate::shop::design::Sha256Hex;
use crate::units::{Millimeters, Timestamp};

/// One item to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// Our id.
    pub id: PieceId,
    /// The order it belongs to.
    pub order: OrderId,
    /// The order system's own number; with a quantity above one, `-1`, `-2` … is appended.
    pub external_ref: String,
    /// What to make.
    pub design: Sha256Hex,
    /// Stem of the alloy's profile.
    pub alloy: String,
    /// Stem of the routing's profile.
    pub routing: String,
    /// The ordered ring size, if it is a ring.
    pub ring_size: Option<RingSize>,
    /// What to engrave.
    pub engraving: Option<String>,
    /// Stones to set.
    pub stones: Vec<Stone>,
    /// Who has already scaled the design for shrinkage; then it is never scaled again.
    pub scaled_by: Option<String>,
    /// Where it is in its life.
    pub state: PieceState,
    /// Why nothing new is started for it.
    pub hold: Option<String>,
    /// The stage it is in, or was in last: `print`, `wash`, …
    pub stage: Option<String>,
    /// One for the first making; each re-make adds one.
    pub attempt: u32,
    /// Why it was refused, cancelled or sent back, in words.
    pub reason: Option<String>,
    /// What the check noticed about this piece as ordered.
    pub findings: Vec<Finding>,
}

/// Where a piece is in its life. Holding is separate: `Piece::hold`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PieceState {
    /// Accepted, not checked yet.
    Received,
    /// Checked as ordered; waits for a plate.
    Checked,
    /// On a plate and in a plan; nothing has started.
    Planned,
    /// Its first operation has started.
    InProduction,
    /// Every operation is done.
    Finished {
        /// When.
        at: Timestamp,
    },
    /// Called off.
    Cancelled,
    /// The check says that it can't be made.
    Refused,
}

/// An ordered ring size as the customer named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingSize {
    /// `iso`, `us`, `uk`, `eu`, `ch`, `jp` or `diameter`.
    pub system: String,
    /// The size in that system.
    pub value: String,
}

/// Stones of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stone {
    /// The cut: `round`, `princess`, …
    pub shape: String,
    /// Its diameter or longest side.
    #[serde(rename = "diameter_mm")]
    pub diameter: Millimeters,
    /// How many.
    pub count: u32,
    /// Whether they are cast in place.
    pub cast_in_place: bool,
}

impl Piece {
    /// The word that is shown and sent.
    #[must_use]
    pub fn state_word(&self) -> &'static str {
        match (self.state, &self.hold) {
            (PieceState::Finished { .. }, _) => "finished",
            (PieceState::Cancelled, _) => "cancelled",
            (PieceState::Refused, _) => "refused",
            (_, Some(_)) => "held",
            (PieceState::Received, None) => "received",
            (PieceState::Checked, None) => "checked",
            (PieceState::Planned, None) => "planned",
            (PieceState::InProduction, None) => "in_production",
        }
    }

    /// Whether work on it may still come.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.state {
            PieceState::Received | PieceState::Checked | PieceState::Planned | PieceState::InProduction => {
                true
            }
            PieceState::Finished { .. } | PieceState::Cancelled | PieceState::Refused => false,
        }
    }
}
