//! The outbox: what must still be told to whom.
//!
//! Its rows are made in the transaction of the event; what happens to them afterwards (attempts) is no event
//! of the shop and lies here alone.

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

use super::{Error, Rows, Tx};
use crate::ids::{DeliveryId, WebhookId};
use crate::shop::notice::Notice;
use crate::units::Timestamp;

/// One delivery that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id, sent as `webhook-id` with every try.
    pub id: DeliveryId,
    /// To whom.
    pub webhook: WebhookId,
    /// Tries so far.
    pub attempts: u32,
    /// The notice as JSON; exactly these bytes are signed and sent.
    pub body: String,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Real time.
    pub at: Timestamp,
    /// HTTP status; `None` if there was no answer.
    pub status: Option<u16>,
    /// First bytes of the answer, or what went wrong.
    pub text: String,
}

/// What follows from a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// Try again at this real time.
    Again(Timestamp),
    /// Given up; a person can replay it.
    Failed,
}

/// A delivery as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryRow {
    /// Its id.
    pub id: String,
    /// Number of the notice.
    pub seq: i64,
    /// `pending`, `delivered` or `failed`.
    pub state: String,
    /// Tries so far.
    pub attempts: u32,
    /// When the next try is due, real time.
    pub next_at: Timestamp,
    /// HTTP status of the last try.
    pub last_status: Option<u16>,
    /// First bytes of the last answer, or what went wrong.
    pub last_text: Option<String>,
}

impl Rows<'_> {
    /// Deliveries that may be tried now: of each order only the oldest that is still pending, so that a
    /// receiver never hears the later before the earlier.
    ///
    /// # Errors
    /// `Error::Statement`.
    pub fn due_deliveries(&self, now: Timestamp, limit: u32) -> Result<Vec<Delivery>, Error> {
        let mut statement = self.0.prepare_cached(
            "SELECT d.id, d.webhook, d.attempts, n.body
             FROM deliveries d JOIN notices n ON n.seq = d.notice_seq
             WHERE d.state = 'pending' AND d.next_at <= ?1 AND NOT EXISTS (
                 SELECT 1 FROM deliveries e WHERE e.state = 'pending' AND e.webhook = d.webhook
                 AND e.order_id = d.order_id AND e.notice_seq < d.notice_seq)
             ORDER BY d.notice_seq LIMIT ?2",
        )?;
        let mut found = statement.query(params![now.0, limit])?;
        let mut due = Vec::new();
        while let Some(row) = found.next()? {
            due.push(Self::delivery(row)?);
        }
        Ok(due)
    }

    /// When the next try is due, if anything is pending.
    ///
    /// # Errors
    /// `Error::Statement`.
    pub fn next_delivery_at(&self) -> Result<Option<Timestamp>, Error> {
        let query = "SELECT min(next_at) FROM deliveries WHERE state = 'pending'";
        let at: Option<i64> = self.0.prepare_cached(query)?.query_row([], |row| row.get(0))?;
        Ok(at.map(Timestamp))
    }

    /// How many deliveries are in each state.
    ///
    /// # Errors
    /// `Error::Statement`.
    pub fn count_deliveries(&self) -> Result<Vec<(String, i64)>, Error> {
        let mut statement = self.0.prepare_cached("SELECT state, count(*) FROM deliveries GROUP BY state")?;
        let counts = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(counts.collect::<Result<_, _>>()?)
    }

    /// The deliveries to an endpoint after a notice number, oldest first.
    ///
    /// # Errors
    /// `Error::Statement`.
    pub fn deliveries_of(
        &self,
        webhook: &WebhookId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, Error> {
        let mut statement = self.0.prepare_cached(
            "SELECT d.id, d.notice_seq, d.state, d.attempts, d.next_at, a.status, a.text
             FROM deliveries d LEFT JOIN delivery_attempts a ON a.delivery = d.id AND a.attempt = d.attempts
             WHERE d.webhook = ? AND d.notice_seq > ? ORDER BY d.notice_seq LIMIT ?",
        )?;
        let rows = statement.query_map(params![webhook.as_str(), after, limit], |row| {
            Ok(DeliveryRow {
                id: row.get(0)?,
                seq: row.get(1)?,
                state: row.get(2)?,
                attempts: row.get(3)?,
                next_at: Timestamp(row.get(4)?),
                last_status: row.get(5)?,
                last_text: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn insert_delivery(
        &self,
        id: &DeliveryId,
        webhook: &WebhookId,
        notice: &Notice,
        next_at: Timestamp,
    ) -> Result<(), Error> {
        self.run(
            "INSERT INTO deliveries (id, webhook, notice_seq, order_id, state, attempts, next_at)
             VALUES (?, ?, ?, ?, 'pending', 0, ?)",
            params![
                id.as_str(),
                webhook.as_str(),
                notice.data.seq,
                notice.data.order_id.as_ref().map_or("", |order| order.as_str()),
                next_at.0
            ],
        )
    }

    fn delivery(row: &Row<'_>) -> Result<Delivery, Error> {
        let (id, webhook): (String, String) = (row.get(0)?, row.get(1)?);
        let dangling = || Error::Dangling { subject: "a delivery".to_owned() };
        Ok(Delivery {
            id: DeliveryId::parse(&id).ok_or_else(dangling)?,
            webhook: WebhookId::parse(&webhook).ok_or_else(dangling)?,
            attempts: row.get(2)?,
            body: row.get(3)?,
        })
    }
}

impl Tx<'_> {
    /// Writes down a try and what follows from it.
    ///
    /// # Errors
    /// `Error::Statement`.
    pub fn keep_attempt(
        &self,
        delivery: &DeliveryId,
        attempt: &Attempt,
        outcome: Outcome,
    ) -> Result<(), Error> {
        let (state, next_at) = match outcome {
            Outcome::Delivered => ("delivered", attempt.at),
            Outcome::Again(at) => ("pending", at),
            Outcome::Failed => ("failed", attempt.at),
        };
        self.run(
            "UPDATE deliveries SET state = ?, attempts = attempts + 1, next_at = ? WHERE id = ?",
            params![state, next_at.0, delivery.as_str()],
        )?;
        self.run(
            "INSERT INTO delivery_attempts (delivery, attempt, at, status, text)
             SELECT id, attempts, ?, ?, ? FROM deliveries WHERE id = ?",
            params![attempt.at.0, attempt.status, attempt.text, delivery.as_str()],
        )
    }

    /// Makes a delivery due again, whatever became of it. `false` if there is none with this id.
    ///
    /// # Errors
    /// `Error::Statement`.
    pub fn replay_delivery(&self, delivery: &DeliveryId, now: Timestamp) -> Result<bool, Error> {
        let found: Option<i64> = self
            .0
            .prepare_cached("SELECT 1 FROM deliveries WHERE id = ?")?
            .query_row([delivery.as_str()], |row| row.get(0))
            .optional()?;
        self.run(
            "UPDATE deliveries SET state = 'pending', next_at = ? WHERE id = ?",
            params![now.0, delivery.as_str()],
        )?;
        Ok(found.is_some())
    }

    /// Hands what is still pending for one endpoint to another with the same address.
    ///
    /// # Errors
    /// `Error::Statement`.
    pub fn inherit_deliveries(&self, old: &WebhookId, heir: &WebhookId) -> Result<(), Error> {
        self.run(
            "UPDATE deliveries SET webhook = ? WHERE webhook = ? AND state = 'pending'",
            params![heir.as_str(), old.as_str()],
        )
    }

    /// Gives up what is still pending for an endpoint.
    ///
    /// # Errors
    /// `Error::Statement`.
    pub fn fail_deliveries(&self, webhook: &WebhookId) -> Result<(), Error> {
        self.run(
            "UPDATE deliveries SET state = 'failed' WHERE webhook = ? AND state = 'pending'",
            [webhook.as_str()],
        )
    }
}
