//! The outbox from the side of whoever sends: what is due, what came of a try, and the endpoints.

use crate::clock::Clock;
use crate::finding::Finding;
use crate::ids::{DeliveryId, WebhookId};
use crate::services::access::KeyRing;
use crate::services::{Error, Shop};
use crate::shop::event::Event;
use crate::shop::notice::EVENT_TYPES;
use crate::shop::webhook::matches;
pub use crate::shop::webhook::{Webhook, parse_secret};
pub use crate::store::{Attempt, Delivery, DeliveryRow, Outcome};
use crate::units::Timestamp;

/// Deliveries that may be tried now, of each order only the oldest.
///
/// # Errors
/// `Store`.
pub async fn due(shop: &Shop, limit: u32) -> Result<Vec<(Webhook, Delivery)>, Error> {
    let now = Clock::system_time();
    shop.store
        .read(move |rows| {
            let webhooks = rows.webhooks()?;
            let mut due = Vec::new();
            for delivery in rows.due_deliveries(now, limit)? {
                let webhook = webhooks.iter().find(|webhook| webhook.id == delivery.webhook);
                due.extend(webhook.map(|webhook| (webhook.clone(), delivery)));
            }
            Ok(due)
        })
        .await
}

/// When the next try is due; real time.
///
/// # Errors
/// `Store`.
pub async fn next_at(shop: &Shop) -> Result<Option<Timestamp>, Error> {
    shop.store.read(|rows| rows.next_delivery_at().map_err(Error::from)).await
}

/// Writes down what came of tries.
///
/// # Errors
/// `Store`.
pub async fn attempted(shop: &Shop, tries: Vec<(DeliveryId, Attempt, Outcome)>) -> Result<(), Error> {
    shop.store
        .transact("sprue", move |tx| {
            for (delivery, attempt, outcome) in &tries {
                tx.keep_attempt(delivery, attempt, *outcome)?;
            }
            Ok(())
        })
        .await
}

/// Registers an endpoint.
///
/// # Errors
/// `Invalid` with everything that is wrong with it.
pub async fn add(
    shop: &Shop,
    actor: &str,
    url: String,
    events: Vec<String>,
    from_config: bool,
) -> Result<Webhook, Error> {
    let findings = check(&url, &events);
    if !findings.is_empty() {
        return Err(Error::Invalid(findings));
    }
    shop.store
        .transact(actor, move |tx| {
            let at = tx.at();
            let id = WebhookId::next(tx.ids(), at);
            let webhook = Webhook { id, url, events, from_config, disabled: None };
            tx.record(&Event::WebhookAdded { webhook: webhook.clone() })?;
            Ok(webhook)
        })
        .await
}

/// Registers an endpoint for whoever asks over the API, and returns it with its new secret, which is shown once.
///
/// The secret lies on the disk before the endpoint is in the record, so that nothing is ever sent unsigned.
///
/// # Errors
/// `Invalid` with everything that is wrong with it; `Keys`.
pub async fn register(
    shop: &Shop,
    keys: KeyRing,
    actor: &str,
    url: String,
    events: Vec<String>,
) -> Result<(Webhook, String), Error> {
    let findings = check(&url, &events);
    if !findings.is_empty() {
        return Err(Error::Invalid(findings));
    }
    shop.store
        .transact(actor, move |tx| {
            let at = tx.at();
            let id = WebhookId::next(tx.ids(), at);
            let secret = keys.create_webhook_secret(&id)?;
            let webhook = Webhook { id, url, events, from_config: false, disabled: None };
            tx.record(&Event::WebhookAdded { webhook: webhook.clone() })?;
            Ok((webhook, secret))
        })
        .await
}

fn check(url: &str, events: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let known_scheme = url.starts_with("http://") || url.starts_with("https://");
    if !known_scheme || url.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_none()) {
        findings.push(Finding::error(
            "URL_INVALID",
            "/url",
            "write an address like http://orders.local:9000/hook",
        ));
    }
    if events.is_empty() {
        findings.push(Finding::error("EVENTS_EMPTY", "/events", "name at least one event type, or \"*\""));
    }
    for (index, pattern) in events.iter().enumerate() {
        if !EVENT_TYPES.iter().any(|event_type| matches(pattern, event_type)) {
            let text = format!("\"{pattern}\" covers no event type; known are {}", EVENT_TYPES.join(", "));
            findings.push(Finding::error("EVENT_UNKNOWN", format!("/events/{index}"), text));
        }
    }
    findings
}

/// Brings the endpoints of the shop file into the record: new ones are added, those that are gone are disabled.
/// Where only the list of events of an address has changed, what is pending for it is sent all the same.
///
/// # Errors
/// `Invalid` if an endpoint is wrong; `Store`.
pub async fn adopt_config(shop: &Shop, wanted: Vec<(String, Vec<String>)>) -> Result<Vec<Webhook>, Error> {
    let before = list(shop).await?;
    let in_force = |known: &&Webhook| known.from_config && known.disabled.is_none();
    for (url, events) in &wanted {
        if !before.iter().filter(in_force).any(|known| known.url == *url && known.events == *events) {
            add(shop, "shop file", url.clone(), events.clone(), true).await?;
        }
    }
    let known = list(shop).await?;
    for old in before.iter().filter(in_force) {
        if !wanted.iter().any(|(url, events)| *url == old.url && *events == old.events) {
            let heir = known.iter().filter(in_force).find(|new| new.url == old.url && new.id != old.id);
            retire(shop, old.id.clone(), heir.map(|heir| heir.id.clone())).await?;
        }
    }
    list(shop).await
}

/// Disables an endpoint of the shop file; what is pending goes to its heir, or is given up.
async fn retire(shop: &Shop, old: WebhookId, heir: Option<WebhookId>) -> Result<(), Error> {
    shop.store
        .transact("shop file", move |tx| {
            let reason = "not in the shop file any more".to_owned();
            tx.record(&Event::WebhookDisabled { webhook: old.clone(), reason })?;
            match heir {
                Some(heir) => tx.inherit_deliveries(&old, &heir)?,
                None => tx.fail_deliveries(&old)?,
            }
            Ok(())
        })
        .await
}

/// All endpoints.
///
/// # Errors
/// `Store`.
pub async fn list(shop: &Shop) -> Result<Vec<Webhook>, Error> {
    shop.store.read(|rows| rows.webhooks().map_err(Error::from)).await
}

/// Stops sending to an endpoint; what is pending is given up and can be replayed.
///
/// # Errors
/// `NotFound`.
pub async fn disable(shop: &Shop, actor: &str, id: WebhookId, reason: String) -> Result<(), Error> {
    shop.store
        .transact(actor, move |tx| {
            let known = tx.webhook(&id)?.ok_or_else(|| Error::not_found(format!("webhook {id}")))?;
            if known.disabled.is_none() {
                tx.record(&Event::WebhookDisabled { webhook: id.clone(), reason })?;
            }
            tx.fail_deliveries(&id).map_err(Error::from)
        })
        .await
}

/// The deliveries to an endpoint after a notice number.
///
/// # Errors
/// `NotFound`.
pub async fn deliveries(
    shop: &Shop,
    id: WebhookId,
    after: i64,
    limit: u32,
) -> Result<Vec<DeliveryRow>, Error> {
    shop.store
        .read(move |rows| {
            rows.webhook(&id)?.ok_or_else(|| Error::not_found(format!("webhook {id}")))?;
            rows.deliveries_of(&id, after, limit).map_err(Error::from)
        })
        .await
}

/// Sends a delivery again, whatever became of it.
///
/// # Errors
/// `NotFound`.
pub async fn replay(shop: &Shop, actor: &str, id: DeliveryId) -> Result<(), Error> {
    let now = Clock::system_time();
    shop.store
        .transact(actor, move |tx| {
            if tx.replay_delivery(&id, now)? {
                return Ok(());
            }
            Err(Error::not_found(format!("delivery {id}")))
        })
        .await?;
    shop.wake.deliver.notify_one();
    Ok(())
}
