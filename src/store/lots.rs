//! Lots and the metal books.

use rusqlite::params;

use super::rows::encode;
use super::{Error, Rows};
use crate::ids::{LotId, OperationId};
use crate::shop::lot::Lot;
use crate::shop::metal::{Account, Balance, MetalEntry, MetalKind, Movement};
use crate::units::Milligrams;

impl Rows<'_> {
    /// A lot.
    ///
    /// # Errors
    /// `Error::Statement`, `Error::ReadRow`, as for every function here.
    pub fn lot(&self, id: &LotId) -> Result<Option<Lot>, Error> {
        self.one("lots", "SELECT body FROM lots WHERE id = ?", [id.as_str()])
    }

    /// The open lot with this label.
    pub fn open_lot(&self, label: &str) -> Result<Option<Lot>, Error> {
        self.one("lots", "SELECT body FROM lots WHERE label = ? AND open = 1", [label])
    }

    /// Lots, the newest first, at most `limit`; only those before an id, if one is given.
    pub fn lots(&self, before: Option<&str>, limit: u32) -> Result<Vec<Lot>, Error> {
        let query = "SELECT body FROM lots WHERE id < ? ORDER BY id DESC LIMIT ?";
        // Every id is lower case; `~` sorts after it.
        self.many("lots", query, params![before.unwrap_or("~"), limit])
    }

    /// Lines of the metal books, the newest first, at most `limit`; only those before an id, if one is given.
    pub fn metal_entries(&self, before: Option<&str>, limit: u32) -> Result<Vec<MetalEntry>, Error> {
        let query = "SELECT body FROM metal_entries WHERE id < ? ORDER BY id DESC LIMIT ?";
        self.many("metal_entries", query, params![before.unwrap_or("~"), limit])
    }

    /// What the recorded values of an operation booked, oldest first.
    pub fn metal_entries_of(&self, operation: &OperationId) -> Result<Vec<MetalEntry>, Error> {
        let query = "SELECT body FROM metal_entries WHERE operation = ? ORDER BY id";
        self.many("metal_entries", query, [operation.as_str()])
    }

    /// What a place holds of a kind; nothing has no row.
    pub fn metal_at(&self, kind: &MetalKind, account: &Account) -> Result<Milligrams, Error> {
        let id = balance_id(kind, account)?;
        let mut statement = self.0.prepare_cached("SELECT milligrams FROM metal_balances WHERE id = ?")?;
        let mut rows = statement.query([id])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?.map_or(Milligrams(0), Milligrams))
    }

    /// Every kind that a place holds.
    pub fn metal_in(&self, account: &Account) -> Result<Vec<Balance>, Error> {
        let account = encode("metal_balances", account)?;
        self.balances(
            "SELECT kind, account, fineness, milligrams FROM metal_balances WHERE account = ? ORDER BY id",
            [account],
        )
    }

    /// Every balance that is not nothing.
    pub fn metal_balances(&self) -> Result<Vec<Balance>, Error> {
        self.balances("SELECT kind, account, fineness, milligrams FROM metal_balances ORDER BY id", [])
    }

    fn balances(&self, query: &str, values: impl rusqlite::Params) -> Result<Vec<Balance>, Error> {
        let mut statement = self.0.prepare_cached(query)?;
        let mut rows = statement.query(values)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let read = |source| Error::ReadRow { table: "metal_balances", source };
            found.push(Balance {
                kind: serde_json::from_str(&row.get::<_, String>(0)?).map_err(read)?,
                account: serde_json::from_str(&row.get::<_, String>(1)?).map_err(read)?,
                fineness: row.get(2)?,
                mass: Milligrams(row.get(3)?),
            });
        }
        Ok(found)
    }

    pub(super) fn put_lot(&self, lot: &Lot) -> Result<(), Error> {
        let body = encode("lots", lot)?;
        self.run(
            "INSERT OR REPLACE INTO lots (id, label, open, body) VALUES (?, ?, ?, ?)",
            params![lot.id.as_str(), lot.label, lot.closed.is_none(), body],
        )
    }

    /// Writes the line and moves the balances.
    pub(super) fn book_metal(&self, entry: &MetalEntry) -> Result<(), Error> {
        let body = encode("metal_entries", entry)?;
        let operation = entry.movement.operation.as_ref().map_or("", OperationId::as_str);
        let Movement { from, to, mass, .. } = &entry.movement;
        let (source, target) = (encode("metal_entries", from)?, encode("metal_entries", to)?);
        self.run(
            "INSERT INTO metal_entries (id, operation, source, target, body) VALUES (?, ?, ?, ?, ?)",
            params![entry.id.as_str(), operation, source, target, body],
        )?;
        self.add_metal(&entry.movement, from, -mass.0)?;
        self.add_metal(&entry.movement, to, mass.0)
    }

    fn add_metal(&self, movement: &Movement, account: &Account, milligrams: i64) -> Result<(), Error> {
        let id = balance_id(&movement.kind, account)?;
        let (kind, place) = (encode("metal_balances", &movement.kind)?, encode("metal_balances", account)?);
        self.run(
            "INSERT INTO metal_balances (id, kind, account, fineness, milligrams) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET milligrams = milligrams + excluded.milligrams",
            params![id, kind, place, movement.fineness, milligrams],
        )?;
        self.run("DELETE FROM metal_balances WHERE id = ? AND milligrams = 0", [id])
    }
}

fn balance_id(kind: &MetalKind, account: &Account) -> Result<String, Error> {
    encode("metal_balances", &(kind, account))
}
