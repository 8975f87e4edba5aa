//! Where the metal is: double entry in whole milligrams, of alloy and of fine metal, for each owner.
//!
//! Metal never appears or goes, it moves from one account to another. What a scale shows is a count of an account:
//! where it differs from the books, the difference is booked to [`Account::Unexplained`] with its place, so that
//! books and scales agree again and the hole stays visible until somebody explains it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::grouping::Custody;
use crate::finding::Finding;
use crate::units::{Milligrams, Timestamp};

/// Metal that is never mixed with any other: one alloy, one owner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// Stem of the alloy's profile.
    pub alloy: String,
    /// Parts of the fine metal in a thousand.
    pub fineness: u16,
    /// Whose.
    pub custody: Custody,
}

/// A place where metal can be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Where metal comes from: suppliers, customers, refiners.
    Outside,
    /// The safe: a lot of grain or scrap.
    Lot(String),
    /// A melt, from the crucible to the weighed tree.
    Melt(String),
    /// Sprues, trunk and button that were cut off.
    TreeScrap(String),
    /// A piece, wherever it is.
    Piece(String),
    /// Filings and sweeps of a bench, waiting for the refiner.
    Dust(String),
    /// Delivered in a piece.
    Delivered,
    /// Lost for a reason that a person has given: spilled, evaporated, in the crucible.
    Lost(String),
    /// Lost without a reason yet, at this place.
    Unexplained(String),
}

/// One movement of metal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who weighed it.
    pub by: String,
    /// What metal.
    pub kind: Kind,
    /// From where.
    pub from: Account,
    /// To where.
    pub to: Account,
    /// How much.
    pub mass: Milligrams,
}

/// Why an entry can't be booked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing, or less than nothing.
    #[error("a movement of {0} is none; book the mass that moved, and the other way round if it went back")]
    NotPositive(Milligrams),
    /// From an account to itself.
    #[error("metal can't move from a place to itself")]
    SamePlace,
    /// More than there is.
    #[error("{from:?} holds {held}, not {asked}; weigh it and book the count first")]
    NotThere {
        /// From where.
        from: Account,
        /// What is there.
        held: Milligrams,
        /// What was asked for.
        asked: Milligrams,
    },
}

/// The books.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    balances: BTreeMap<(Kind, Account), Milligrams>,
}

impl Ledger {
    /// Books a movement.
    ///
    /// # Errors
    /// If nothing moves, or more than the account holds; the outside is the only account that may go below nothing.
    pub fn book(&mut self, entry: &Entry) -> Result<(), Refusal> {
        if entry.mass.0 <= 0 {
            return Err(Refusal::NotPositive(entry.mass));
        }
        if entry.from == entry.to {
            return Err(Refusal::SamePlace);
        }
        let held = self.balance(&entry.kind, &entry.from);
        if entry.from != Account::Outside && held < entry.mass {
            return Err(Refusal::NotThere { from: entry.from.clone(), held, asked: entry.mass });
        }
        self.add(&entry.kind, &entry.from, -entry.mass.0);
        self.add(&entry.kind, &entry.to, entry.mass.0);
        Ok(())
    }

    fn add(&mut self, kind: &Kind, account: &Account, milligrams: i64) {
        let key = (kind.clone(), account.clone());
        let balance = self.balances.entry(key.clone()).or_insert(Milligrams(0));
        balance.0 += milligrams;
        if balance.0 == 0 {
            self.balances.remove(&key);
        }
    }

    /// What an account holds of one kind.
    #[must_use]
    pub fn balance(&self, kind: &Kind, account: &Account) -> Milligrams {
        self.balances.get(&(kind.clone(), account.clone())).copied().unwrap_or(Milligrams(0))
    }

    /// The entry that brings an account to what the scale shows; nothing if it agrees.
    #[must_use]
    pub fn count(
        &self,
        at: Timestamp,
        by: &str,
        kind: &Kind,
        account: &Account,
        weighed: Milligrams,
    ) -> Option<Entry> {
        let off = self.balance(kind, account).0 - weighed.0;
        let hole = Account::Unexplained(place_of(account));
        let (from, to) = if off > 0 { (account.clone(), hole) } else { (Account::Outside, account.clone()) };
        (off != 0).then(|| Entry {
            at,
            by: by.to_owned(),
            kind: kind.clone(),
            from,
            to,
            mass: Milligrams(off.abs()),
        })
    }

    /// Everything that is held anywhere, of one kind, the outside left out.
    #[must_use]
    pub fn held(&self, kind: &Kind) -> Milligrams {
        let of_kind = self
            .balances
            .iter()
            .filter(|((other, account), _)| other == kind && *account != Account::Outside);
        Milligrams(of_kind.map(|(_, mass)| mass.0).sum())
    }

    /// What is missing without a reason, place by place.
    #[must_use]
    pub fn holes(&self) -> Vec<Finding> {
        self.balances
            .iter()
            .filter_map(|((kind, account), mass)| match account {
                Account::Unexplained(place) => Some(hole(kind, place, *mass)),
                Account::Outside
                | Account::Lot(_)
                | Account::Melt(_)
                | Account::TreeScrap(_)
                | Account::Piece(_)
                | Account::Dust(_)
                | Account::Delivered
                | Account::Lost(_) => None,
            })
            .collect()
    }

    /// Fine metal of everything that is held, in micrograms so that nothing is rounded: `mass * fineness`.
    #[must_use]
    pub fn fine_micrograms(&self) -> i64 {
        self.balances
            .iter()
            .filter(|((_, account), _)| *account != Account::Outside)
            .map(|((kind, _), mass)| mass.0 * i64::from(kind.fineness))
            .sum()
    }
}

fn hole(kind: &Kind, place: &str, mass: Milligrams) -> Finding {
    let text = format!(
        "{mass} of {} are missing at {place}; search there, or book the reason with your name",
        kind.alloy
    );
    Finding::warning("METAL_MISSING", place, text)
}

/// The words for a place, as they stand in findings.
fn place_of(account: &Account) -> String {
    match account {
        Account::Outside => "outside".to_owned(),
        Account::Lot(id) => format!("lot {id}"),
        Account::Melt(id) => format!("melt {id}"),
        Account::TreeScrap(id) => format!("scrap of tree {id}"),
        Account::Piece(id) => format!("piece {id}"),
        Account::Dust(bench) => format!("dust of {bench}"),
        Account::Delivered => "delivered".to_owned(),
        Account::Lost(reason) | Account::Unexplained(reason) => reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gold(custody: Custody) -> Kind {
        Kind { alloy: "au750-yellow".into(), fineness: 750, custody }
    }

    fn entry(kind: &Kind, from: Account, to: Account, milligrams: i64) -> Entry {
        Entry {
            at: Timestamp(0),
            by: "ann".into(),
            kind: kind.clone(),
            from,
            to,
            mass: Milligrams(milligrams),
        }
    }

    fn lot() -> Account {
        Account::Lot("L1".into())
    }

    fn melt() -> Account {
        Account::Melt("M1".into())
    }

    #[test]
    fn a_planted_leak_of_a_third_of_a_gram_is_found_and_placed() {
        let (mut books, kind) = (Ledger::default(), gold(Custody::House));
        books.book(&entry(&kind, Account::Outside, lot(), 100_000)).unwrap();
        books.book(&entry(&kind, lot(), melt(), 46_300)).unwrap();
        // The cast tree weighs 0.3 g less than what was melted.
        let count = books.count(Timestamp(1), "ann", &kind, &melt(), Milligrams(46_000)).unwrap();
        books.book(&count).unwrap();
        assert_eq!(books.balance(&kind, &melt()), Milligrams(46_000));
        let holes = books.holes();
        assert_eq!(holes.len(), 1);
        assert_eq!((holes[0].code.as_str(), holes[0].place.as_str()), ("METAL_MISSING", "melt M1"));
        assert!(holes[0].text.starts_with("0.30 g of au750-yellow are missing at melt M1"), "{}", holes[0]);
        assert_eq!(books.held(&kind), Milligrams(100_000));
    }

    #[test]
    fn an_explained_loss_closes_the_hole() {
        let (mut books, kind) = (Ledger::default(), gold(Custody::House));
        books.book(&entry(&kind, Account::Outside, melt(), 1_000)).unwrap();
        let count = books.count(Timestamp(1), "ann", &kind, &melt(), Milligrams(900)).unwrap();
        books.book(&count).unwrap();
        let (hole, reason) =
            (Account::Unexplained("melt M1".into()), Account::Lost("left in the crucible".into()));
        books.book(&entry(&kind, hole, reason.clone(), 100)).unwrap();
        assert!(books.holes().is_empty());
        assert_eq!(books.balance(&kind, &reason), Milligrams(100));
        assert_eq!(books.count(Timestamp(2), "ann", &kind, &melt(), Milligrams(900)), None);
    }

    #[test]
    fn a_customers_metal_cannot_be_taken_for_another_piece() {
        let mut books = Ledger::default();
        let customer = gold(Custody::Customer("ord_9".into()));
        books.book(&entry(&customer, Account::Outside, lot(), 5_000)).unwrap();
        let house = entry(&gold(Custody::House), lot(), melt(), 1);
        assert!(matches!(books.book(&house), Err(Refusal::NotThere { held: Milligrams(0), .. })));
    }

    #[test]
    fn what_makes_no_movement_is_refused() {
        let (mut books, kind) = (Ledger::default(), gold(Custody::House));
        assert_eq!(
            books.book(&entry(&kind, Account::Outside, lot(), 0)),
            Err(Refusal::NotPositive(Milligrams(0)))
        );
        assert_eq!(books.book(&entry(&kind, lot(), lot(), 1)), Err(Refusal::SamePlace));
        let refusal = books.book(&entry(&kind, lot(), melt(), 1)).unwrap_err().to_string();
        assert!(refusal.contains("weigh it and book the count first"), "{refusal}");
    }

    fn any_account() -> impl Strategy<Value = Account> {
        prop_oneof![
            Just(Account::Outside),
            (0..3).prop_map(|n| Account::Lot(format!("L{n}"))),
            (0..3).prop_map(|n| Account::Melt(format!("M{n}"))),
            (0..3).prop_map(|n| Account::Piece(format!("P{n}"))),
            Just(Account::Dust("bench".into())),
            Just(Account::Delivered),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_booked_grams_in_are_grams_out_plus_what_is_held(
            moves in prop::collection::vec((any_account(), any_account(), 0_i64..10_000, any::<bool>()), 0..200)
        ) {
            let mut books = Ledger::default();
            let kinds = [gold(Custody::House), gold(Custody::Customer("c".into()))];
            for (from, to, milligrams, house) in moves {
                let before = books.clone();
                let kind = &kinds[usize::from(house)];
                if books.book(&entry(kind, from, to, milligrams)).is_err() {
                    prop_assert_eq!(&before.balances, &books.balances);
                }
            }
            let mut fine = 0;
            for kind in &kinds {
                prop_assert_eq!(books.held(kind).0, -books.balance(kind, &Account::Outside).0);
                fine += books.held(kind).0 * 750;
            }
            prop_assert!(books.balances.iter().all(|((_, account), mass)| *account == Account::Outside || mass.0 > 0));
            prop_assert_eq!(books.fine_micrograms(), fine);
        }
    }
}
