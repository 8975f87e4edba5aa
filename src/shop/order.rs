//! An order: what the order system approved, and how it stands.

use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, PieceId};
use crate::shop::design::Sha256Hex;
use crate::units::Timestamp;

/// An accepted order. Its pieces carry the work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Our id.
    pub id: OrderId,
    /// The order system that sent it (name of its API key).
    pub source: String,
    /// The order system's own number.
    pub external_ref: String,
    /// SHA-256 of the request, to recognise a repeat.
    pub request_sha256: Sha256Hex,
    /// When the customer wants it.
    pub due: Timestamp,
    /// How it competes.
    pub priority: Priority,
    /// Who approved which design bytes.
    pub approval: Approval,
    /// Its pieces, in the order of the request.
    pub pieces: Vec<PieceId>,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// How it stands.
    pub state: OrderState,
    /// Why nothing new is started for it, if a person holds it.
    pub hold: Option<String>,
    /// When the current plan finishes it; `None` until it is planned.
    pub promised: Option<Timestamp>,
    /// Whether the current plan finishes it after `due`.
    pub late: bool,
}

/// How an order competes with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// By its due date.
    Normal,
    /// Before others.
    Rush,
}

/// Where an order is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderState {
    /// Being made.
    Accepted,
    /// Every piece that was not cancelled is finished.
    Completed,
    /// Called off.
    Cancelled,
}

/// Who approved what. A design whose hash isn't named here is not approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The approved bytes.
    pub design_sha256: Vec<Sha256Hex>,
    /// Ed25519 over the RFC 8785 form of the other three members, base64; checked at intake.
    pub signature: Option<String>,
}

impl Order {
    /// The word that is shown and filtered by: `held` where a person holds an open order.
    #[must_use]
    pub fn state_word(&self) -> &'static str {
        match (self.state, &self.hold) {
            (OrderState::Accepted, Some(_)) => "held",
            (OrderState::Accepted, None) => "accepted",
            (OrderState::Completed, _) => "completed",
            (OrderState::Cancelled, _) => "cancelled",
        }
    }
}
