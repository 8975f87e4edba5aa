//! The metal books in use: what the values of a task book by themselves, what a person books, and the account of it.

use std::collections::BTreeMap;

use crate::casting::ledger;
use crate::finding::Finding;
use crate::ids::{MetalEntryId, OperationId, PieceId, TreeId};
use crate::services::query::PAGE_MAX;
use crate::services::tasks::Recorded;
use crate::services::{Error, Shop};
use crate::shop::event::Event;
use crate::shop::lot::LotContent;
use crate::shop::metal::{Account, Balance, Custody, MetalEntry, MetalKind, Movement};
use crate::shop::operation::{Batch, Operation};
use crate::shop::profile::Profiles;
use crate::store::Tx;
use crate::units::Milligrams;

/// All that is held of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// What metal.
    pub kind: MetalKind,
    /// Alloy that is in the house, lost or missing included: what came in and has not gone out.
    pub mass: Milligrams,
    /// Fine metal of it, in micrograms.
    pub fine_micrograms: i64,
    /// Where it is.
    pub places: Vec<Balance>,
}

/// The books as of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// For each kind.
    pub holdings: Vec<Holding>,
    /// What is missing, too much, or came from nowhere.
    pub findings: Vec<Finding>,
}

/// The books as of now.
///
/// # Errors
/// `Store`.
pub async fn statement(shop: &Shop) -> Result<Statement, Error> {
    let balances = shop.store.read(|rows| Ok::<_, Error>(rows.metal_balances()?)).await?;
    let findings = ledger::holes(&balances);
    let mut by_kind: BTreeMap<MetalKind, Vec<Balance>> = BTreeMap::new();
    for balance in balances {
        by_kind.entry(balance.kind.clone()).or_default().push(balance);
    }
    let holdings = by_kind.into_iter().map(|(kind, places)| {
        let (mass, fine_micrograms) = ledger::held(&places);
        Holding { kind, mass, fine_micrograms, places }
    });
    Ok(Statement { holdings: holdings.collect(), findings })
}

/// Lines of the books, the newest first, and where the next page begins.
///
/// # Errors
/// `Store`.
pub async fn entries(
    shop: &Shop,
    before: Option<String>,
    limit: u32,
) -> Result<(Vec<MetalEntry>, Option<String>), Error> {
    let limit = limit.clamp(1, PAGE_MAX);
    let read = move |rows: &crate::store::Rows<'_>| {
        Ok::<_, Error>(rows.metal_entries(before.as_deref(), limit + 1)?)
    };
    let mut lines = shop.store.read(read).await?;
    let more = lines.len() > limit as usize;
    lines.truncate(limit as usize);
    let next = lines.last().filter(|_| more).map(|line| line.id.to_string());
    Ok((lines, next))
}

/// A movement as a person asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What metal.
    pub kind: MetalKind,
    /// From where.
    pub from: Account,
    /// To where.
    pub to: Account,
    /// How much.
    pub mass: Milligrams,
    /// Why.
    pub note: Option<String>,
}

/// A person books a movement.
///
/// # Errors
/// `Conflict` if there is not so much there; `Invalid` for an unknown alloy.
pub async fn move_by_hand(shop: &Shop, actor: &str, wish: Wish) -> Result<MetalEntry, Error> {
    let fineness = fineness(shop, &wish.kind.alloy)?;
    let by = actor.to_owned();
    let Wish { kind, from, to, mass, note } = wish;
    let movement = Movement { kind, fineness, from, to, mass, operation: None, note };
    shop.store.transact(actor, move |tx| book(tx, &by, movement)).await
}

/// A person weighs what is at a place; a difference is booked as unexplained. Nothing is booked if it agrees.
///
/// # Errors
/// `Invalid` for an unknown alloy.
pub async fn count(
    shop: &Shop,
    actor: &str,
    kind: MetalKind,
    account: Account,
    weighed: Milligrams,
) -> Result<Option<MetalEntry>, Error> {
    let fineness = fineness(shop, &kind.alloy)?;
    let by = actor.to_owned();
    shop.store
        .transact(actor, move |tx| {
            let mass = tx.metal_at(&kind, &account)?;
            let place = Balance { kind, fineness, account, mass };
            ledger::count(&place, weighed).map(|movement| book(tx, &by, movement)).transpose()
        })
        .await
}

/// Parts of fine metal in a thousand of an alloy.
pub(super) fn fineness(shop: &Shop, alloy: &str) -> Result<u16, Error> {
    let profile = shop.profiles.alloy(alloy);
    let profile = profile.map_err(|unknown| {
        Error::Invalid(vec![Finding::error("ALLOY_UNKNOWN", "/alloy", unknown.to_string())])
    })?;
    Ok(profile.fineness)
}

/// Writes one line, if the rules of the books let it.
pub(super) fn book(tx: &mut Tx<'_>, by: &str, movement: Movement) -> Result<MetalEntry, Error> {
    let held = tx.metal_at(&movement.kind, &movement.from)?;
    ledger::check(&movement, held).map_err(|refusal| Error::conflict(refusal.to_string()))?;
    let at = tx.at();
    let entry = MetalEntry { id: MetalEntryId::next(tx.ids(), at), at, by: by.to_owned(), movement };
    tx.record(&Event::MetalMoved { entry: entry.clone() })?;
    Ok(entry)
}

/// What people record at a task that moves metal, by the names in the routing's profile.
mod names {
    pub(super) const LOT: &str = "metal_lot";
    pub(super) const CHARGE: &str = "metal_charge_g";
    pub(super) const TREE: &str = "tree_metal_mass_g";
    pub(super) const SCRAP: &str = "tree_scrap_g";
    pub(super) const ISSUE: &str = "issue_mass_g";
    pub(super) const RETURN: &str = "return_mass_g";
    pub(super) const FINAL: &str = "final_mass_g";
}

/// Books what the recorded values of a task say, in the transaction that completes it.
///
/// # Errors
/// `Invalid` if the metal can't be what was written: another alloy, a closed lot, more than the lot holds.
pub(super) fn of_task(
    tx: &mut Tx<'_>,
    profiles: &Profiles,
    by: &str,
    operation: &Operation,
    recorded: &Recorded,
) -> Result<(), Error> {
    let task = Task { operation, recorded, by };
    match &operation.batch {
        Batch::Plate(_) => Ok(()),
        Batch::Tree(tree) => {
            task.charge(tx, profiles, tree)?;
            task.weigh_tree(tx, tree)?;
            task.cut(tx, tree)
        }
        Batch::Piece(piece) => {
            task.issue(tx, piece)?;
            task.take_back(tx, piece)?;
            task.release(tx, piece)
        }
    }
}

struct Task<'a> {
    operation: &'a Operation,
    recorded: &'a Recorded,
    by: &'a str,
}

impl Task<'_> {
    fn mass(&self, name: &str) -> Option<Milligrams> {
        let grams = self.recorded.get(name)?.as_f64()?;
        Some(Milligrams::rounded(grams * 1000.0))
    }

    /// Metal goes from its lot into the melt.
    fn charge(&self, tx: &mut Tx<'_>, profiles: &Profiles, tree: &TreeId) -> Result<(), Error> {
        let Some(mass) = self.mass(names::CHARGE).filter(|mass| mass.0 > 0) else { return Ok(()) };
        let wrong = |code: &str, text: String| {
            Error::Invalid(vec![Finding::error(code, format!("/recorded/{}", names::LOT), text)])
        };
        let alloy = self.alloy(tx)?;
        let fineness = profiles.alloy(&alloy).map(|profile| profile.fineness).unwrap_or(0);
        let label = self.recorded.get(names::LOT).and_then(|value| value.as_str()).unwrap_or("").trim();
        let Some(lot) = tx.open_lot(label)? else {
            // The cast has happened: it is booked, and the books say that nobody knows where the metal came from.
            let from = Account::Unexplained(format!("lot \"{label}\", which is not in the books"));
            let kind = MetalKind { alloy, custody: Custody::House };
            return self.book(tx, kind, fineness, from, Account::Melt(tree.clone()), mass);
        };
        let LotContent::Metal { metal, .. } = &lot.content else {
            return Err(wrong(
                "LOT_NO_METAL",
                format!("lot {label} is {}; write the lot of the metal", lot.kind_word()),
            ));
        };
        if metal.alloy != alloy {
            let text = format!(
                "lot {label} is {}, the tree is {alloy}; if it was cast so, fail the task",
                metal.alloy
            );
            return Err(wrong("LOT_WRONG_ALLOY", text));
        }
        if let Some(refusal) = lot.refusal(tx.at()) {
            return Err(wrong("LOT_REFUSED", refusal));
        }
        let held = tx.metal_at(metal, &Account::Lot(lot.id.clone()))?;
        if held < mass {
            let text =
                format!("lot {label} holds {held}, not {mass}; weigh the lot and book the count first");
            return Err(wrong("LOT_TOO_SMALL", text));
        }
        self.book(tx, metal.clone(), fineness, Account::Lot(lot.id), Account::Melt(tree.clone()), mass)
    }

    /// The cast tree is weighed: what is not in it is missing.
    fn weigh_tree(&self, tx: &mut Tx<'_>, tree: &TreeId) -> Result<(), Error> {
        let Some(weighed) = self.mass(names::TREE) else { return Ok(()) };
        self.count(tx, &Account::Melt(tree.clone()), weighed)
    }

    /// Sprues and button leave the tree.
    fn cut(&self, tx: &mut Tx<'_>, tree: &TreeId) -> Result<(), Error> {
        let Some(scrap) = self.mass(names::SCRAP) else { return Ok(()) };
        self.take(tx, &Account::Melt(tree.clone()), &Account::TreeScrap(tree.clone()), scrap)
    }

    /// A casting goes to the bench: it leaves the tree, which is weighed with the last of its pieces.
    fn issue(&self, tx: &mut Tx<'_>, piece: &PieceId) -> Result<(), Error> {
        let Some(issued) = self.mass(names::ISSUE) else { return Ok(()) };
        let Some((tree, is_last)) = self.tree_of(tx, piece)? else { return Ok(()) };
        let melt = Account::Melt(tree);
        self.take(tx, &melt, &Account::Piece(piece.clone()), issued)?;
        if is_last { self.count(tx, &melt, Milligrams(0)) } else { Ok(()) }
    }

    /// It comes back lighter: the difference is dust of that bench.
    fn take_back(&self, tx: &mut Tx<'_>, piece: &PieceId) -> Result<(), Error> {
        let (Some(issued), Some(returned)) = (self.mass(names::ISSUE), self.mass(names::RETURN)) else {
            return Ok(());
        };
        if returned > issued {
            let text = format!(
                "{returned} came back of {issued}; a piece doesn't grow at the bench: weigh it again"
            );
            let place = format!("/recorded/{}", names::RETURN);
            return Err(Error::Invalid(vec![Finding::error("RETURN_TOO_HEAVY", place, text)]));
        }
        let dust = Account::Dust(self.operation.state.occupies().unwrap_or("bench").to_owned());
        self.take(tx, &Account::Piece(piece.clone()), &dust, Milligrams(issued.0 - returned.0))
    }

    /// It leaves the house.
    fn release(&self, tx: &mut Tx<'_>, piece: &PieceId) -> Result<(), Error> {
        let Some(weighed) = self.mass(names::FINAL) else { return Ok(()) };
        let account = Account::Piece(piece.clone());
        self.count(tx, &account, weighed)?;
        self.take(tx, &account, &Account::Delivered(piece.clone()), weighed)
    }

    /// The alloy of the pieces; a tree has one.
    fn alloy(&self, tx: &Tx<'_>) -> Result<String, Error> {
        for piece in &self.operation.pieces {
            if let Some(piece) = tx.piece(piece)? {
                return Ok(piece.alloy);
            }
        }
        Err(Error::conflict("the tree has no piece left"))
    }

    /// The tree that a piece was cast on, and whether all others on it have left it.
    fn tree_of(&self, tx: &Tx<'_>, piece: &PieceId) -> Result<Option<(TreeId, bool)>, Error> {
        let operations = tx.operations_of(piece)?;
        let on_tree = operations.iter().rev().find_map(|other| match &other.batch {
            Batch::Tree(tree) if other.plate == self.operation.plate => Some((tree.clone(), other)),
            Batch::Tree(_) | Batch::Plate(_) | Batch::Piece(_) => None,
        });
        let Some((tree, cut)) = on_tree else { return Ok(None) };
        for other in cut.pieces.iter().filter(|other| *other != piece) {
            let issued = |operation: &Operation| {
                operation.plate == self.operation.plate
                    && operation.stage == self.operation.stage
                    && operation.state.is_open()
            };
            if tx.operations_of(other)?.iter().any(issued) {
                return Ok(Some((tree, false)));
            }
        }
        Ok(Some((tree, true)))
    }

    /// Takes metal from a place that was weighed together: what is missing there is a hole, found before it is taken.
    fn take(&self, tx: &mut Tx<'_>, from: &Account, to: &Account, mass: Milligrams) -> Result<(), Error> {
        let Some(place) = tx.metal_in(from)?.into_iter().next() else { return Ok(()) };
        if place.mass < mass {
            self.count(tx, from, mass)?;
        }
        if mass.0 <= 0 {
            return Ok(());
        }
        self.book(tx, place.kind, place.fineness, from.clone(), to.clone(), mass)
    }

    /// A scale says what is at a place. A place that the books don't know is left alone: no lot was ever received.
    fn count(&self, tx: &mut Tx<'_>, account: &Account, weighed: Milligrams) -> Result<(), Error> {
        let Some(place) = tx.metal_in(account)?.into_iter().next() else { return Ok(()) };
        let Some(movement) = ledger::count(&place, weighed) else { return Ok(()) };
        self.book(tx, movement.kind, movement.fineness, movement.from, movement.to, movement.mass)
    }

    fn book(
        &self,
        tx: &mut Tx<'_>,
        kind: MetalKind,
        fineness: u16,
        from: Account,
        to: Account,
        mass: Milligrams,
    ) -> Result<(), Error> {
        let operation: Option<OperationId> = Some(self.operation.id.clone());
        book(tx, self.by, Movement { kind, fineness, from, to, mass, operation, note: None }).map(drop)
    }
}
