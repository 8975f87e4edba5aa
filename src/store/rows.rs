//! The state tables: one row holds one noun as JSON, with columns for what is searched by.

use rusqlite::{Connection, OptionalExtension, Params, ToSql, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use crate::ids::{OperationId, OrderId, PieceId, PlanId, PlateId, WebhookId};
use crate::shop::design::{Design, Sha256Hex};
use crate::shop::notice::Notice;
use crate::shop::operation::Operation;
use crate::shop::order::Order;
use crate::shop::piece::Piece;
use crate::shop::plan::PlanRecord;
use crate::shop::plate::Plate;
use crate::shop::station::StationRecord;
use crate::shop::webhook::Webhook;
use crate::units::Timestamp;

/// A consistent picture of the tables, for reading; only an event writes.
pub struct Rows<'c>(pub(super) &'c Connection);

/// Which orders a list shows.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// The word of `Order::state_word`.
    pub state: Option<String>,
    /// Due before this time.
    pub due_before: Option<Timestamp>,
    /// The order system's number.
    pub external_ref: Option<String>,
    /// Who sent it (name of the API key).
    pub source: Option<String>,
    /// Only after this id.
    pub after: Option<String>,
}

impl Rows<'_> {
    /// A design.
    ///
    /// # Errors
    /// `Error::Statement`, `Error::ReadRow`, as for every function here.
    pub fn design(&self, hash: &Sha256Hex) -> Result<Option<Design>, Error> {
        self.one("designs", "SELECT body FROM designs WHERE id = ?", [hash.as_str()])
    }

    /// An order.
    pub fn order(&self, id: &OrderId) -> Result<Option<Order>, Error> {
        self.one("orders", "SELECT body FROM orders WHERE id = ?", [id.as_str()])
    }

    /// Orders by id (that is, by arrival), at most `limit`.
    pub fn orders(&self, filter: &OrderFilter, limit: u32) -> Result<Vec<Order>, Error> {
        let due_before = filter.due_before.map(|at| at.0);
        let after = filter.after.as_deref().unwrap_or("");
        // Only what is asked for stands in the query: an `OR` that is always true keeps SQLite from its indexes.
        let mut query = "SELECT body FROM orders WHERE id > :after".to_owned();
        let mut values: Vec<(&str, &dyn ToSql)> = vec![(":after", &after), (":limit", &limit)];
        let mut restrict = |given: bool, condition: &str, name: &'static str, value| {
            if given {
                query.push_str(condition);
                values.push((name, value));
            }
        };
        restrict(filter.state.is_some(), " AND state = :state", ":state", &filter.state);
        restrict(due_before.is_some(), " AND due < :due", ":due", &due_before);
        restrict(filter.external_ref.is_some(), " AND external_ref = :ref", ":ref", &filter.external_ref);
        restrict(filter.source.is_some(), " AND source = :source", ":source", &filter.source);
        query.push_str(" ORDER BY id LIMIT :limit");
        self.many("orders", &query, values.as_slice())
    }

    /// Orders that still have work, by arrival.
    pub fn open_orders(&self) -> Result<Vec<Order>, Error> {
        let query = "SELECT body FROM orders WHERE state IN ('accepted', 'held') ORDER BY id";
        self.many("orders", query, [])
    }

    /// Orders that still have work, the most urgent first, at most `limit`.
    pub fn orders_by_due(&self, limit: u32) -> Result<Vec<Order>, Error> {
        let query = "SELECT body FROM orders WHERE state IN ('accepted', 'held') ORDER BY due, id LIMIT ?";
        self.many("orders", query, [limit])
    }

    /// Orders without work left, the newest first, at most `limit`.
    pub fn orders_ended(&self, limit: u32) -> Result<Vec<Order>, Error> {
        let query =
            "SELECT body FROM orders WHERE state IN ('completed', 'cancelled') ORDER BY id DESC LIMIT ?";
        self.many("orders", query, [limit])
    }

    /// How many orders there are in each state.
    pub fn count_orders(&self) -> Result<Vec<(String, i64)>, Error> {
        self.counts("SELECT state, count(*) FROM orders GROUP BY state")
    }

    /// A piece.
    pub fn piece(&self, id: &PieceId) -> Result<Option<Piece>, Error> {
        self.one("pieces", "SELECT body FROM pieces WHERE id = ?", [id.as_str()])
    }

    /// The pieces of an order.
    pub fn pieces_of(&self, order: &OrderId) -> Result<Vec<Piece>, Error> {
        self.many("pieces", "SELECT body FROM pieces WHERE order_id = ? ORDER BY id", [order.as_str()])
    }

    /// Pieces in one state (the word of `Piece::state_word`), by arrival, at most `limit`.
    pub fn pieces_in(&self, state: &str, limit: u32) -> Result<Vec<Piece>, Error> {
        let query = "SELECT body FROM pieces WHERE state = ? ORDER BY id LIMIT ?";
        self.many("pieces", query, params![state, limit])
    }

    /// How many pieces there are in each state.
    pub fn count_pieces(&self) -> Result<Vec<(String, i64)>, Error> {
        self.counts("SELECT state, count(*) FROM pieces GROUP BY state")
    }

    /// A plate.
    pub fn plate(&self, id: &PlateId) -> Result<Option<Plate>, Error> {
        self.one("plates", "SELECT body FROM plates WHERE id = ?", [id.as_str()])
    }

    /// An operation.
    pub fn operation(&self, id: &OperationId) -> Result<Option<Operation>, Error> {
        self.one("operations", "SELECT body FROM operations WHERE id = ?", [id.as_str()])
    }

    /// Operations that are neither done nor abandoned.
    pub fn open_operations(&self) -> Result<Vec<Operation>, Error> {
        self.many("operations", "SELECT body FROM operations WHERE open = 1 ORDER BY id", [])
    }

    /// All operations that a piece went through or will.
    pub fn operations_of(&self, piece: &PieceId) -> Result<Vec<Operation>, Error> {
        self.many(
            "operations",
            "SELECT o.body FROM operation_pieces p JOIN operations o ON o.id = p.operation
             WHERE p.piece = ? ORDER BY o.id",
            [piece.as_str()],
        )
    }

    /// All operations of a plate and what became of its pieces.
    pub fn operations_of_plate(&self, plate: &PlateId) -> Result<Vec<Operation>, Error> {
        let query = "SELECT body FROM operations WHERE plate = ? ORDER BY id";
        self.many("operations", query, [plate.as_str()])
    }

    /// The plan in force.
    pub fn current_plan(&self) -> Result<Option<PlanRecord>, Error> {
        self.one("plans", "SELECT body FROM plans ORDER BY id DESC LIMIT 1", [])
    }

    /// A plan.
    pub fn plan(&self, id: &PlanId) -> Result<Option<PlanRecord>, Error> {
        self.one("plans", "SELECT body FROM plans WHERE id = ?", [id.as_str()])
    }

    /// What is remembered of a station.
    pub fn station(&self, name: &str) -> Result<StationRecord, Error> {
        let found = self.one("stations", "SELECT body FROM stations WHERE id = ?", [name])?;
        Ok(found.unwrap_or_else(|| StationRecord::unseen(name)))
    }

    /// Everything that is remembered of stations.
    pub fn stations(&self) -> Result<Vec<StationRecord>, Error> {
        self.many("stations", "SELECT body FROM stations ORDER BY id", [])
    }

    /// All endpoints, disabled ones included.
    pub fn webhooks(&self) -> Result<Vec<Webhook>, Error> {
        self.many("webhooks", "SELECT body FROM webhooks ORDER BY id", [])
    }

    /// An endpoint.
    pub fn webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, Error> {
        self.one("webhooks", "SELECT body FROM webhooks WHERE id = ?", [id.as_str()])
    }

    /// The number of the newest notice; 0 if there is none.
    pub fn last_notice(&self) -> Result<i64, Error> {
        Ok(self.0.query_row("SELECT coalesce(max(seq), 0) FROM notices", [], |row| row.get(0))?)
    }

    /// Notices after a number, oldest first, as stored JSON.
    pub fn notices_after(&self, seq: i64, limit: u32) -> Result<Vec<(i64, String, String)>, Error> {
        let mut statement = self
            .0
            .prepare_cached("SELECT seq, event_type, body FROM notices WHERE seq > ? ORDER BY seq LIMIT ?")?;
        let found = statement
            .query_map(params![seq, limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        Ok(found)
    }

    /// Notices after a number about orders of one sender, refused ones included; oldest first, as stored JSON.
    pub fn notices_of_source(
        &self,
        source: &str,
        seq: i64,
        limit: u32,
    ) -> Result<Vec<(i64, String, String)>, Error> {
        // A refused order has no row; the journal says who sent it.
        let mut statement = self.0.prepare_cached(
            "SELECT n.seq, n.event_type, n.body FROM notices n
             LEFT JOIN orders o ON o.id = n.order_id LEFT JOIN journal j ON j.seq = n.journal_seq
             WHERE n.seq > ? AND coalesce(o.source, j.actor) = ? ORDER BY n.seq LIMIT ?",
        )?;
        let found = statement
            .query_map(params![seq, source, limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        Ok(found)
    }

    /// The notices about one piece, oldest first.
    pub fn notices_of(&self, piece: &PieceId) -> Result<Vec<Notice>, Error> {
        self.many("notices", "SELECT body FROM notices WHERE piece_id = ? ORDER BY seq", [piece.as_str()])
    }

    pub(super) fn put_design(&self, design: &Design) -> Result<(), Error> {
        let body = encode("designs", design)?;
        self.run(
            "INSERT OR REPLACE INTO designs (id, body) VALUES (?, ?)",
            params![design.sha256.as_str(), body],
        )
    }

    pub(super) fn put_order(&self, order: &Order) -> Result<(), Error> {
        let body = encode("orders", order)?;
        self.run(
            "INSERT OR REPLACE INTO orders (id, external_ref, source, state, due, body) VALUES (?, ?, ?, ?, ?, ?)",
            params![order.id.as_str(), order.external_ref, order.source, order.state_word(), order.due.0, body],
        )
    }

    pub(super) fn put_piece(&self, piece: &Piece) -> Result<(), Error> {
        let body = encode("pieces", piece)?;
        self.run(
            "INSERT OR REPLACE INTO pieces (id, order_id, state, body) VALUES (?, ?, ?, ?)",
            params![piece.id.as_str(), piece.order.as_str(), piece.state_word(), body],
        )
    }

    pub(super) fn put_plate(&self, plate: &Plate) -> Result<(), Error> {
        let state = plate.state.word();
        let body = encode("plates", plate)?;
        self.run(
            "INSERT OR REPLACE INTO plates (id, state, body) VALUES (?, ?, ?)",
            params![plate.id.as_str(), state, body],
        )
    }

    pub(super) fn put_operation(&self, operation: &Operation) -> Result<(), Error> {
        let body = encode("operations", operation)?;
        self.run(
            "INSERT OR REPLACE INTO operations (id, plate, open, body) VALUES (?, ?, ?, ?)",
            params![operation.id.as_str(), operation.plate.as_str(), operation.state.is_open(), body],
        )
    }

    pub(super) fn link_pieces(&self, operation: &Operation) -> Result<(), Error> {
        for piece in &operation.pieces {
            self.run(
                "INSERT INTO operation_pieces (piece, operation) VALUES (?, ?)",
                params![piece.as_str(), operation.id.as_str()],
            )?;
        }
        Ok(())
    }

    pub(super) fn put_plan(&self, plan: &PlanRecord) -> Result<(), Error> {
        let body = encode("plans", plan)?;
        self.run("INSERT INTO plans (id, body) VALUES (?, ?)", params![plan.id.as_str(), body])
    }

    pub(super) fn put_station(&self, station: &StationRecord) -> Result<(), Error> {
        let body = encode("stations", station)?;
        self.run("INSERT OR REPLACE INTO stations (id, body) VALUES (?, ?)", params![station.name, body])
    }

    pub(super) fn put_webhook(&self, webhook: &Webhook) -> Result<(), Error> {
        let body = encode("webhooks", webhook)?;
        self.run(
            "INSERT OR REPLACE INTO webhooks (id, body) VALUES (?, ?)",
            params![webhook.id.as_str(), body],
        )
    }

    pub(super) fn insert_notice(&self, journal_seq: i64, notice: &Notice) -> Result<(), Error> {
        let body = encode("notices", notice)?;
        self.run(
            "INSERT INTO notices (seq, journal_seq, order_id, piece_id, event_type, body) VALUES (?, ?, ?, ?, ?, ?)",
            params![
                notice.data.seq,
                journal_seq,
                notice.data.order_id.as_ref().map_or("", OrderId::as_str),
                notice.data.piece_id.as_ref().map_or("", PieceId::as_str),
                notice.event_type,
                body
            ],
        )
    }

    pub(super) fn run(&self, statement: &str, values: impl Params) -> Result<(), Error> {
        self.0.prepare_cached(statement)?.execute(values)?;
        Ok(())
    }

    pub(super) fn one<T: DeserializeOwned>(
        &self,
        table: &'static str,
        query: &str,
        values: impl Params,
    ) -> Result<Option<T>, Error> {
        let body: Option<String> =
            self.0.prepare_cached(query)?.query_row(values, |row| row.get(0)).optional()?;
        body.map(|body| decode(table, &body)).transpose()
    }

    pub(super) fn many<T: DeserializeOwned>(
        &self,
        table: &'static str,
        query: &str,
        values: impl Params,
    ) -> Result<Vec<T>, Error> {
        let mut statement = self.0.prepare_cached(query)?;
        let mut found = statement.query(values)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let body = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            rows.push(decode(table, body)?);
        }
        Ok(rows)
    }

    fn counts(&self, query: &str) -> Result<Vec<(String, i64)>, Error> {
        let mut statement = self.0.prepare_cached(query)?;
        let counts = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(counts.collect::<Result<_, _>>()?)
    }
}

pub(super) fn encode<T: Serialize>(table: &'static str, row: &T) -> Result<String, Error> {
    serde_json::to_string(row).map_err(|source| Error::WriteRow { table, source })
}

pub(super) fn decode<T: DeserializeOwned>(table: &'static str, body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|source| Error::ReadRow { table, source })
}
