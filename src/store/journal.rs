//! The append-only journal with its chain of hashes.

use rusqlite::params;
use sha2::{Digest, Sha256};

use super::{Error, Rows};
use crate::shop::event::Event;
use crate::units::Timestamp;

/// Where the journal ends.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) last_at: Timestamp,
    pub(super) last_notice: i64,
    chain: [u8; 32],
}

impl Head {
    pub(super) fn load(rows: &Rows<'_>) -> Result<Self, Error> {
        let last_notice = rows.last_notice()?;
        let mut statement = rows.0.prepare("SELECT seq, at, chain FROM journal ORDER BY seq DESC LIMIT 1")?;
        let mut found = statement.query([])?;
        match found.next()? {
            None => Ok(Self { seq: 0, last_at: Timestamp(0), last_notice, chain: [0; 32] }),
            Some(row) => Ok(Self {
                seq: row.get(0)?,
                last_at: Timestamp(row.get(1)?),
                last_notice,
                chain: row.get(2)?,
            }),
        }
    }
}

pub(super) fn append(
    rows: &Rows<'_>,
    head: &mut Head,
    at: Timestamp,
    actor: &str,
    event: &Event,
) -> Result<(), Error> {
    let body = serde_json::to_string(event).map_err(|source| Error::WriteRow { table: "journal", source })?;
    head.seq += 1;
    head.chain = link(&head.chain, head.seq, at, actor, &body);
    rows.0
        .prepare_cached(
            "INSERT INTO journal (seq, at, kind, subject, actor, body, chain) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![head.seq, at.0, event.kind(), event.subject(), actor, body, head.chain])?;
    Ok(())
}

/// The hash that ties a line to all lines before it.
pub(super) fn link(previous: &[u8; 32], seq: i64, at: Timestamp, actor: &str, body: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(seq.to_be_bytes());
    hash.update(at.0.to_be_bytes());
    hash.update((actor.len() as u64).to_be_bytes());
    hash.update(actor.as_bytes());
    hash.update(body.as_bytes());
    hash.finalize().into()
}

impl Rows<'_> {
    /// The number of the last journal line; 0 in an empty journal.
    ///
    /// # Errors
    /// `Error::Statement`.
    pub fn last_seq(&self) -> Result<i64, Error> {
        Ok(self.0.query_row("SELECT coalesce(max(seq), 0) FROM journal", [], |row| row.get(0))?)
    }

    /// The shop time of the last journal line.
    ///
    /// # Errors
    /// `Error::Statement`.
    pub fn last_at(&self) -> Result<Option<Timestamp>, Error> {
        Head::load(self).map(|head| (head.seq > 0).then_some(head.last_at))
    }
}
