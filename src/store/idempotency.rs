//! What a repeated request was answered the first time.

use rusqlite::{OptionalExtension, params};

use super::{Error, Rows, Tx};

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// SHA-256 of the request's body.
    pub body_sha256: [u8; 32],
    /// HTTP status.
    pub status: u16,
    /// The body of the answer.
    pub response: String,
}

impl Rows<'_> {
    /// What this principal was answered on this route with this key.
    ///
    /// # Errors
    /// `Error::Statement`.
    pub fn answer(&self, principal: &str, route: &str, key: &str) -> Result<Option<Answer>, Error> {
        let mut statement = self.0.prepare_cached(
            "SELECT body_sha256, status, response FROM idempotency
             WHERE principal = ? AND route = ? AND key = ?",
        )?;
        let answer = statement.query_row(params![principal, route, key], |row| {
            Ok(Answer { body_sha256: row.get(0)?, status: row.get(1)?, response: row.get(2)? })
        });
        Ok(answer.optional()?)
    }
}

impl Tx<'_> {
    /// Keeps an answer, in the transaction of its effect.
    ///
    /// # Errors
    /// `Error::Statement`.
    pub fn keep_answer(&self, principal: &str, route: &str, key: &str, answer: &Answer) -> Result<(), Error> {
        self.run(
            "INSERT INTO idempotency (principal, route, key, body_sha256, status, response, at)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![principal, route, key, answer.body_sha256, answer.status, answer.response, self.at().0],
        )
    }
}
