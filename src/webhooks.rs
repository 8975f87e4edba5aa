//! Sends the outbox: signed by Standard Webhooks 1.0.0, at least once, in order per order, every try recorded.
//!
//! Takes what is due from `services::notify`, posts it, and reports what came of it. Never here: deciding what is
//! told to whom; that was decided in the transaction of the event.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, StatusCode};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::ids::DeliveryId;
use crate::services::notify::{Attempt, Delivery, Outcome, Webhook};
use crate::services::{Error, Shop, notify, with_causes};

use crate::units::{Span, Timestamp};

pub mod signature;

/// Finds the secret of an endpoint; `None` if its file is gone.
pub type SecretOf = Arc<dyn Fn(&Webhook) -> Option<Vec<u8>> + Send + Sync>;

/// Waits between tries (Standard Webhooks 1.0.0, "Deliverability and reliability"); about 75 hours in all.
const WAITS: [Span; 9] = [
    Span::seconds(5),
    Span::minutes(5),
    Span::minutes(30),
    Span::minutes(2 * 60),
    Span::minutes(5 * 60),
    Span::minutes(10 * 60),
    Span::minutes(14 * 60),
    Span::minutes(20 * 60),
    Span::minutes(24 * 60),
];
/// How long a receiver may take (the specification: 15 to 30 s).
const TIMEOUT: Duration = Duration::from_secs(20);
/// Posts at once.
const AT_ONCE: usize = 16;
/// Deliveries taken from the outbox at once.
const BATCH: u32 = 64;
/// How much of an answer is kept for people.
const EXCERPT: usize = 200;
/// The longest `Retry-After` that is obeyed.
const RETRY_AFTER_MAX: u64 = 24 * 3600;

/// The sender.
pub struct Sender {
    shop: Shop,
    client: Client,
    secret_of: SecretOf,
}

impl Sender {
    /// A sender; redirects are not followed and proxies of the environment are not used.
    ///
    /// # Errors
    /// If the TLS roots of the system can't be read.
    pub fn new(shop: Shop, secret_of: SecretOf) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .user_agent(concat!("sprue/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { shop, client, secret_of })
    }

    /// Delivers until told to stop. Woken by new notices, by due tries, and every ten seconds.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut notices = self.shop.store.newest_notice();
        loop {
            let wait = match self.deliver_due().await {
                Ok(true) => continue,
                Ok(false) => self.until_next().await,
                Err(failure) => {
                    tracing::error!(
                        error = &failure as &dyn std::error::Error,
                        "webhooks wait for the record"
                    );
                    Duration::from_secs(5)
                }
            };
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                () = self.shop.wake.deliver.notified() => {}
                changed = notices.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Tries everything that is due once; returns whether anything was.
    ///
    /// # Errors
    /// If the record can't be used.
    pub async fn deliver_due(&self) -> Result<bool, Error> {
        let due = notify::due(&self.shop, BATCH).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let tries = stream::iter(due).map(|(webhook, delivery)| self.attempt(webhook, delivery));
        let tries: Vec<Try> = tries.buffer_unordered(AT_ONCE).collect().await;
        for gone in tries.iter().filter(|made| made.gone) {
            let reason = "the receiver answered 410 Gone".to_owned();
            notify::disable(&self.shop, "webhooks", gone.webhook.id.clone(), reason).await?;
        }
        let rows = tries.into_iter().map(|made| (made.delivery, made.attempt, made.outcome)).collect();
        notify::attempted(&self.shop, rows).await?;
        Ok(true)
    }

    async fn until_next(&self) -> Duration {
        let patience = Duration::from_secs(10);
        match notify::next_at(&self.shop).await {
            Ok(Some(at)) => {
                at.since(Clock::system_time()).to_duration().clamp(Duration::from_millis(50), patience)
            }
            Ok(None) | Err(_) => patience,
        }
    }

    async fn attempt(&self, webhook: Webhook, delivery: Delivery) -> Try {
        let answer = match (self.secret_of)(&webhook) {
            Some(secret) => self.post(&webhook, &delivery, &secret).await,
            None => Answer::failed("its secret file is missing; register the webhook again"),
        };
        let at = Clock::system_time();
        let outcome = answer.outcome(&delivery, at);
        let attempt = Attempt { at, status: answer.status.map(|status| status.as_u16()), text: answer.text };
        Try {
            gone: answer.status == Some(StatusCode::GONE),
            webhook,
            delivery: delivery.id,
            attempt,
            outcome,
        }
    }

    async fn post(&self, webhook: &Webhook, delivery: &Delivery, secret: &[u8]) -> Answer {
        let seconds = Clock::system_time().0.div_euclid(1000);
        let signature = signature::sign(secret, delivery.id.as_str(), seconds, delivery.body.as_bytes());
        let request = self
            .client
            .post(&webhook.url)
            .header("content-type", "application/json")
            .header("webhook-id", delivery.id.as_str())
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .body(delivery.body.clone());
        match request.send().await {
            Ok(response) => Answer::read(response).await,
            Err(failure) => Answer::failed(&with_causes(&failure)),
        }
    }
}

struct Try {
    webhook: Webhook,
    delivery: DeliveryId,
    attempt: Attempt,
    outcome: Outcome,
    gone: bool,
}

/// What a receiver answered.
struct Answer {
    status: Option<StatusCode>,
    text: String,
    retry_after: Option<Span>,
}

impl Answer {
    fn failed(text: &str) -> Self {
        Self { status: None, text: text.chars().take(EXCERPT).collect(), retry_after: None }
    }

    async fn read(mut response: reqwest::Response) -> Self {
        let status = response.status();
        let seconds =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let retry_after = seconds.map(|seconds| Span::seconds(seconds.min(RETRY_AFTER_MAX)));
        // One chunk is enough for people, and a receiver can't fill our memory.
        let start = response.chunk().await.ok().flatten().unwrap_or_default();
        let text = String::from_utf8_lossy(&start[..start.len().min(EXCERPT)]).into_owned();
        Self { status: Some(status), text, retry_after }
    }

    /// Only 2xx is success; a redirect is not followed and counts as failure.
    fn outcome(&self, delivery: &Delivery, at: Timestamp) -> Outcome {
        if self.status.is_some_and(|status| status.is_success()) {
            return Outcome::Delivered;
        }
        let wait = usize::try_from(delivery.attempts).ok().and_then(|made| WAITS.get(made));
        match wait {
            Some(wait) => {
                Outcome::Again(at.after(self.retry_after.unwrap_or_default().max(jitter(*wait, delivery))))
            }
            None => Outcome::Failed,
        }
    }
}

/// Up to a tenth more, by the id, so that endpoints that failed together are not hit together again.
fn jitter(wait: Span, delivery: &Delivery) -> Span {
    let share =
        delivery.id.as_str().bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    Span(wait.0 + wait.0 / 10 * (share % 100) / 100)
}
