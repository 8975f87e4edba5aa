//! An endpoint that wants to hear of events.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
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

/// What a secret's text form starts with (Standard Webhooks 1.0.0).
const SECRET_PREFIX: &str = "whsec_";

/// The bytes of a secret in its text form (`whsec_` + base64 of 24 to 64 bytes).
#[must_use]
pub fn parse_secret(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(text.trim().strip_prefix(SECRET_PREFIX)?).ok()?;
    (24..=64).contains(&bytes.len()).then_some(bytes)
}

/// The text form of a secret.
#[must_use]
pub fn format_secret(bytes: &[u8]) -> String {
    format!("{SECRET_PREFIX}{}", BASE64.encode(bytes))
}
