//! An endpoint that wants to hear of events.

use serde::{Deserialize, Serialize};

use crate::ids::WebhookId;

/// A registered endpoint. Its secret lies in the `keys` directory, never in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Our id.
    pub id: WebhookId,
    /// Where to post to.
    pub url: String,
    /// Event types it wants: exact, or with a trailing `*`.
    pub events: Vec<String>,
    /// Whether it stands in the shop file (then the shop file rules) or was registered by the API.
    pub from_config: bool,
    /// Why nothing is sent to it any more.
    pub disabled: Option<String>,
}

impl Webhook {
    /// Whether it wants events of this type.
    #[must_use]
    pub fn wants(&self, event_type: &str) -> bool {
        self.disabled.is_none() && self.events.iter().any(|pattern| matches(pattern, event_type))
    }
}

/// Whether a subscription pattern covers an event type: exact, `*`, or a prefix such as `order.*`.
#[must_use]
pub fn matches(pattern: &str, event_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => event_type.starts_with(prefix),
        None => pattern == event_type,
    }
}
