//! What ties pieces together: lots, trees, plates, stations; and what was written about one operation.

use rusqlite::params;

use super::{Error, Rows};
use crate::ids::{OperationId, PieceId};
use crate::shop::lot::Lot;
use crate::shop::metal::{Account, MetalEntry};
use crate::units::Timestamp;

/// One line of the journal, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What happened.
    pub kind: String,
}

impl Rows<'_> {
    /// What was written about an operation after it was planned, oldest first.
    ///
    /// # Errors
    /// `Error::Statement`, as for every function here.
    pub fn history_of(&self, operation: &OperationId) -> Result<Vec<HistoryLine>, Error> {
        let query = "SELECT at, actor, kind FROM journal WHERE subject = ? ORDER BY seq";
        let mut statement = self.0.prepare_cached(query)?;
        let line = |row: &rusqlite::Row<'_>| {
            Ok(HistoryLine { at: Timestamp(row.get(0)?), actor: row.get(1)?, kind: row.get(2)? })
        };
        Ok(statement.query_map([operation.as_str()], line)?.collect::<Result<_, _>>()?)
    }

    /// Number and hash of the last journal line.
    pub fn journal_end(&self) -> Result<(i64, [u8; 32]), Error> {
        let mut statement =
            self.0.prepare_cached("SELECT seq, chain FROM journal ORDER BY seq DESC LIMIT 1")?;
        let mut rows = statement.query([])?;
        Ok(match rows.next()? {
            Some(row) => (row.get(0)?, row.get(1)?),
            None => (0, [0; 32]),
        })
    }

    /// The lot with this label: the open one, else the last that was closed.
    pub fn lot_by_label(&self, label: &str) -> Result<Option<Lot>, Error> {
        self.one("lots", "SELECT body FROM lots WHERE label = ? ORDER BY open DESC, id DESC LIMIT 1", [label])
    }

    /// Lines of the metal books that name a piece, oldest first.
    pub fn metal_entries_of_piece(&self, piece: &PieceId) -> Result<Vec<MetalEntry>, Error> {
        let places = [Account::Piece(piece.clone()), Account::Delivered(piece.clone())];
        let mut entries = Vec::new();
        for place in &places {
            let place = super::rows::encode("metal_entries", place)?;
            let query = "SELECT body FROM metal_entries WHERE source = ?1 OR target = ?1 ORDER BY id";
            entries.extend(self.many::<MetalEntry>("metal_entries", query, [place])?);
        }
        Ok(entries)
    }

    /// Pieces of operations that recorded this label under any name that ends in `_lot`.
    pub fn pieces_with_lot(&self, label: &str) -> Result<Vec<PieceId>, Error> {
        self.ids(
            "SELECT DISTINCT p.piece FROM operation_lots l JOIN operation_pieces p ON p.operation = l.operation
             WHERE l.label = ? ORDER BY p.piece",
            label,
        )
    }

    /// Pieces made from a design.
    pub fn pieces_of_design(&self, hash: &str) -> Result<Vec<PieceId>, Error> {
        self.ids("SELECT id FROM pieces WHERE json_extract(body, '$.design') = ? ORDER BY id", hash)
    }

    /// Pieces that were on a tree.
    pub fn pieces_of_tree(&self, tree: &str) -> Result<Vec<PieceId>, Error> {
        self.ids(
            "SELECT DISTINCT p.piece FROM operations o JOIN operation_pieces p ON p.operation = o.id
             WHERE json_extract(o.body, '$.batch.id') = ? ORDER BY p.piece",
            tree,
        )
    }

    /// Pieces that were on a plate, by its id or label.
    pub fn pieces_of_plate(&self, name: &str) -> Result<Vec<PieceId>, Error> {
        self.ids(
            "SELECT DISTINCT p.piece FROM plates t JOIN operations o ON o.plate = t.id
             JOIN operation_pieces p ON p.operation = o.id
             WHERE t.id = ?1 OR json_extract(t.body, '$.label') = ?1 ORDER BY p.piece",
            name,
        )
    }

    /// Pieces that went through an operation.
    pub fn pieces_of_operation(&self, operation: &OperationId) -> Result<Vec<PieceId>, Error> {
        self.ids("SELECT piece FROM operation_pieces WHERE operation = ? ORDER BY piece", operation.as_str())
    }

    /// Pieces of operations that were done at a station.
    pub fn pieces_at_station(&self, station: &str) -> Result<Vec<PieceId>, Error> {
        self.ids(
            "SELECT DISTINCT p.piece FROM operations o JOIN operation_pieces p ON p.operation = o.id
             WHERE json_extract(o.body, '$.state.station') = ? ORDER BY p.piece",
            station,
        )
    }

    /// Keeps the labels of lots that an operation recorded.
    pub(super) fn link_lots(&self, operation: &crate::shop::operation::Operation) -> Result<(), Error> {
        for (name, value) in &operation.recorded {
            if let (true, Some(label)) = (name.ends_with("_lot"), value.as_str()) {
                self.run(
                    "INSERT OR IGNORE INTO operation_lots (label, operation) VALUES (?, ?)",
                    params![label, operation.id.as_str()],
                )?;
            }
        }
        Ok(())
    }

    fn ids(&self, query: &str, value: &str) -> Result<Vec<PieceId>, Error> {
        let mut statement = self.0.prepare_cached(query)?;
        let texts: Vec<String> = statement.query_map([value], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(texts.iter().filter_map(|text| PieceId::parse(text)).collect())
    }
}
