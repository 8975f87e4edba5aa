//! A plan: who does what, when. Made once, never changed; acting makes no choices.

use serde::{Deserialize, Serialize};

use crate::ids::{OperationId, OrderId, PlanId};
use crate::shop::design::Sha256Hex;
use crate::units::Timestamp;

/// The whole plan; lies in a blob.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// `sprue/plan/1`.
    pub schema: String,
    /// Our id.
    pub id: PlanId,
    /// When it was made.
    pub made_at: Timestamp,
    /// Digest of everything it was made from.
    pub inputs: Sha256Hex,
    /// One step for each open operation that has a place, by start.
    pub steps: Vec<Step>,
    /// Operations without a place, each with the reason.
    pub unplaced: Vec<Unplaced>,
    /// When each open order is finished by this plan.
    pub orders: Vec<PlannedOrder>,
}

/// One operation's place in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The operation.
    pub operation: OperationId,
    /// Where.
    pub station: String,
    /// Who attends it.
    pub person: Option<String>,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// What fixed its start.
    pub cause: Cause,
}

/// What fixed the start of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Cause {
    /// Nothing: it begins as soon as it can.
    Now,
    /// It is under way or fixed by a person.
    Fixed,
    /// An operation before it (with the shortest wait after it).
    After {
        /// That operation.
        operation: OperationId,
    },
    /// The station works on something else.
    StationBusy {
        /// On this.
        operation: OperationId,
    },
    /// Nobody who can do it is free.
    PersonBusy {
        /// Busy with this.
        operation: OperationId,
    },
    /// The workshop is closed.
    Closed,
    /// It waits so that a later step keeps its longest wait.
    WindowOf {
        /// That step.
        operation: OperationId,
    },
    /// The station changes its material first.
    MaterialChange,
}

/// An operation without a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unplaced {
    /// The operation.
    pub operation: OperationId,
    /// Why, and what would help.
    pub reason: String,
}

/// What a plan promises of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedOrder {
    /// The order.
    pub order: OrderId,
    /// When its last piece is finished.
    pub finished: Timestamp,
    /// Whether that is after its due date.
    pub late: bool,
}

/// What the journal keeps of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// Our id.
    pub id: PlanId,
    /// When it was made.
    pub made_at: Timestamp,
    /// The blob with the whole plan.
    pub blob: Sha256Hex,
    /// Digest of everything it was made from.
    pub inputs: Sha256Hex,
    /// Steps in it.
    pub steps: u32,
    /// Operations without a place.
    pub unplaced: u32,
    /// Orders that it finishes late.
    pub late: u32,
}
