//! The public stream of events, for whoever may hear all of it or only what concerns its own orders.

use tokio::sync::watch;

use crate::services::{Error, Shop};

/// One public event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicEvent {
    /// Its place in the stream.
    pub seq: i64,
    /// One of `shop::notice::EVENT_TYPES`.
    pub event_type: String,
    /// The notice as stored JSON: the same bytes that webhooks sign.
    pub body: String,
}

/// A part of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// Oldest first.
    pub events: Vec<PublicEvent>,
    /// Everything up to here was looked at: where the next page begins.
    pub looked_to: i64,
    /// The newest event of the whole stream.
    pub newest: i64,
}

/// Events after a number, at most `limit`; with a `source`, only those of orders that it sent.
///
/// # Errors
/// `Store`.
pub async fn after(shop: &Shop, source: Option<String>, seq: i64, limit: u32) -> Result<EventPage, Error> {
    shop.store
        .read(move |rows| {
            let newest = rows.last_notice()?;
            let found = match &source {
                None => rows.notices_after(seq, limit)?,
                Some(source) => rows.notices_of_source(source, seq, limit)?,
            };
            let events: Vec<PublicEvent> = found
                .into_iter()
                .map(|(seq, event_type, body)| PublicEvent { seq, event_type, body })
                .collect();
            let full = events.len() >= limit as usize;
            let last = events.last().map_or(seq, |event| event.seq);
            let looked_to = if full { last } else { newest.max(seq) };
            Ok(EventPage { events, looked_to, newest })
        })
        .await
}

/// The newest events, oldest of them first.
///
/// # Errors
/// `Store`.
pub async fn latest(shop: &Shop, count: u32) -> Result<Vec<PublicEvent>, Error> {
    let newest = *shop.store.newest_notice().borrow();
    Ok(after(shop, None, newest.saturating_sub(i64::from(count)), count).await?.events)
}

/// Wakes at each commit that adds an event.
#[must_use]
pub fn watch(shop: &Shop) -> watch::Receiver<i64> {
    shop.store.newest_notice()
}
