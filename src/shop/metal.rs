//! Metal as the books see it: what kind, where, and how it moved.

use serde::{Deserialize, Serialize};

use crate::ids::{LotId, MetalEntryId, OperationId, PieceId, TreeId};
use crate::units::{Milligrams, Timestamp};

/// Metal that is never mixed with any other: one alloy, one owner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MetalKind {
    /// Stem of the alloy's profile: the recipe, not only the karat.
    pub alloy: String,
    /// Whose, and what may be said of it later.
    pub custody: Custody,
}

/// Whose metal it is, and what may be said of it later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "class", content = "name", rename_all = "snake_case")]
pub enum Custody {
    /// The shop's own.
    House,
    /// Recycled, with papers.
    Recycled,
    /// A chain of custody with a name.
    Chain(String),
    /// A customer's own metal, by the order system's number; never mixed with anything.
    Customer(String),
}

/// A place where metal can be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "place", content = "name", rename_all = "snake_case")]
pub enum Account {
    /// Where metal comes from and goes to: suppliers, customers, refiners.
    Outside,
    /// A lot of grain or scrap in the safe.
    Lot(LotId),
    /// A melt, from the crucible to the weighed tree.
    Melt(TreeId),
    /// Sprues, trunk and button that were cut off.
    TreeScrap(TreeId),
    /// A piece, wherever it is.
    Piece(PieceId),
    /// Filings and sweeps of a station, waiting for the refiner.
    Dust(String),
    /// Delivered with a piece.
    Delivered(PieceId),
    /// Lost for a reason that a person has given: spilled, burnt off, stuck in the crucible.
    Lost(String),
    /// Missing, or more than there should be, without a reason yet: at this place.
    Unexplained(String),
}

impl Account {
    /// The words that name it in sentences.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Account::Outside => "outside".to_owned(),
            Account::Lot(id) => format!("lot {id}"),
            Account::Melt(tree) => format!("the melt of tree {tree}"),
            Account::TreeScrap(tree) => format!("the scrap of tree {tree}"),
            Account::Piece(id) => format!("piece {id}"),
            Account::Dust(station) => format!("the dust of {station}"),
            Account::Delivered(id) => format!("delivered with piece {id}"),
            Account::Lost(reason) => format!("lost: {reason}"),
            Account::Unexplained(place) => place.clone(),
        }
    }

    /// Whether it may owe: what comes from outside was never counted there, and a hole can be filled before it is
    /// found.
    #[must_use]
    pub fn may_owe(&self) -> bool {
        match self {
            Account::Outside | Account::Unexplained(_) => true,
            Account::Lot(_)
            | Account::Melt(_)
            | Account::TreeScrap(_)
            | Account::Piece(_)
            | Account::Dust(_)
            | Account::Delivered(_)
            | Account::Lost(_) => false,
        }
    }
}

/// One line of the metal books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetalEntry {
    /// Our id.
    pub id: MetalEntryId,
    /// When it was recorded.
    pub at: Timestamp,
    /// Who weighed it.
    pub by: String,
    /// What moved.
    #[serde(flatten)]
    pub movement: Movement,
}

/// One movement of metal. Metal never appears or goes, it moves from one place to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// What metal.
    pub kind: MetalKind,
    /// Parts of the fine metal in a thousand, as the alloy's profile said then.
    pub fineness: u16,
    /// From where.
    pub from: Account,
    /// To where.
    pub to: Account,
    /// How much; never nothing, never less.
    pub mass: Milligrams,
    /// The task whose recorded values it follows from.
    pub operation: Option<OperationId>,
    /// Why, in a person's words.
    pub note: Option<String>,
}

/// What a place holds of one kind, as the books have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// What metal.
    pub kind: MetalKind,
    /// Parts of the fine metal in a thousand.
    pub fineness: u16,
    /// Where.
    pub account: Account,
    /// How much; below nothing only where a place may owe.
    pub mass: Milligrams,
}
