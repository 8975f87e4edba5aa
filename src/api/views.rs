//! The shapes that are sent: orders, pieces, tasks, stations. Names and units as in the public contract.

use serde::Serialize;
use utoipa::ToSchema;

/// One thing that a check noticed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FindingView {
    /// `error`, `warning` or `note`.
    severity: String,
    /// Stable code.
    code: String,
    /// What is wrong, and what to do.
    text: String,
    /// Where: a JSON pointer, or a place in the design.
    place: String,
}
