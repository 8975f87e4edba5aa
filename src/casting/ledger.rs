//! The metal books: double entry in whole milligrams, of alloy and of fine metal, for each owner.
//!
//! Metal never appears or goes, it moves from one place to another. What a scale shows is a count of a place: where
//! it differs from the books, the difference is booked to [`Account::Unexplained`] with that place, so that books
//! and scales agree again and the hole stays visible until somebody explains it.

use crate::finding::Finding;
use crate::shop::metal::{Account, Balance, Movement};
use crate::units::Milligrams;

/// Why a movement can't be booked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing, or less than nothing.
    #[error("a movement of {0} is none; book what moved, the other way round if it went back")]
    NotPositive(Milligrams),
    /// From a place to itself.
    #[error("metal can't move from {} to itself", .0.words())]
    SamePlace(Account),
    /// More than there is.
    #[error("{} holds {held} of this metal, not {asked}; weigh it and book the count first", from.words())]
    NotThere {
        /// From where.
        from: Account,
        /// What the books have there.
        held: Milligrams,
        /// What was asked for.
        asked: Milligrams,
    },
}

/// Whether a movement can be booked when its source holds `held` of that kind.
///
/// # Errors
/// If nothing moves, or more than there is.
pub fn check(movement: &Movement, held: Milligrams) -> Result<(), Refusal> {
    if movement.mass.0 <= 0 {
        return Err(Refusal::NotPositive(movement.mass));
    }
    if movement.from == movement.to {
        return Err(Refusal::SamePlace(movement.from.clone()));
    }
    if !movement.from.may_owe() && held < movement.mass {
        return Err(Refusal::NotThere { from: movement.from.clone(), held, asked: movement.mass });
    }
    Ok(())
}

/// The movement that brings a place to what the scale shows; nothing if it agrees.
#[must_use]
pub fn count(place: &Balance, weighed: Milligrams) -> Option<Movement> {
    let off = place.mass.0 - weighed.0;
    let hole = Account::Unexplained(place.account.words());
    let (from, to) = if off > 0 { (place.account.clone(), hole) } else { (hole, place.account.clone()) };
    (off != 0).then(|| Movement {
        kind: place.kind.clone(),
        fineness: place.fineness,
        from,
        to,
        mass: Milligrams(off.abs()),
        operation: None,
        note: None,
    })
}

/// What is missing, or too much, without a reason: place by place.
#[must_use]
pub fn holes(balances: &[Balance]) -> Vec<Finding> {
    let unexplained = balances.iter().filter(|balance| matches!(balance.account, Account::Unexplained(_)));
    unexplained
        .filter(|balance| balance.mass.0 != 0)
        .map(|balance| {
            let (place, alloy) = (balance.account.words(), &balance.kind.alloy);
            let mass = Milligrams(balance.mass.0.abs());
            if balance.mass.0 > 0 {
                let text = format!(
                    "{mass} of {alloy} are missing at {place}; search there, or book the reason under your name"
                );
                Finding::warning("METAL_MISSING", place, text)
            } else {
                let text = format!(
                    "{mass} of {alloy} more than the books have lie at {place}; find the movement that nobody booked"
                );
                Finding::warning("METAL_SURPLUS", place, text)
            }
        })
        .collect()
}

/// Everything that is held anywhere, the outside left out: alloy, and fine metal in micrograms, so that nothing is
/// rounded.
#[must_use]
pub fn held(balances: &[Balance]) -> (Milligrams, i64) {
    let inside = balances.iter().filter(|balance| balance.account != Account::Outside);
    inside.fold((Milligrams(0), 0), |(mass, fine), balance| {
        (Milligrams(mass.0 + balance.mass.0), fine + balance.mass.0 * i64::from(balance.fineness))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ids::{IdSource, LotId, PieceId, TreeId};
    use crate::shop::metal::{Custody, MetalKind};
    use crate::units::Timestamp;
    use proptest::prelude::*;

    /// Books in memory, kept by the rules under test.
    #[derive(Default, Clone, PartialEq, Debug)]
    struct Books(BTreeMap<(MetalKind, Account), i64>);

    impl Books {
        fn place(&self, kind: &MetalKind, account: &Account) -> Balance {
            let milligrams = self.0.get(&(kind.clone(), account.clone())).copied().unwrap_or(0);
            let mass = Milligrams(milligrams);
            Balance { kind: kind.clone(), fineness: 750, account: account.clone(), mass }
        }

        fn book(&mut self, movement: &Movement) -> Result<(), Refusal> {
            check(movement, self.place(&movement.kind, &movement.from).mass)?;
            *self.0.entry((movement.kind.clone(), movement.from.clone())).or_default() -= movement.mass.0;
            *self.0.entry((movement.kind.clone(), movement.to.clone())).or_default() += movement.mass.0;
            Ok(())
        }

        fn balances(&self) -> Vec<Balance> {
            self.0.keys().map(|(kind, account)| self.place(kind, account)).collect()
        }
    }

    fn gold(custody: Custody) -> MetalKind {
        MetalKind { alloy: "au750-yellow".into(), custody }
    }

    fn moved(kind: &MetalKind, from: &Account, to: &Account, milligrams: i64) -> Movement {
        Movement {
            kind: kind.clone(),
            fineness: 750,
            from: from.clone(),
            to: to.clone(),
            mass: Milligrams(milligrams),
            operation: None,
            note: None,
        }
    }

    struct Places {
        lot: Account,
        melt: Account,
        piece: Account,
    }

    fn places() -> Places {
        let (mut ids, now) = (IdSource::seeded(1), Timestamp(0));
        Places {
            lot: Account::Lot(LotId::next(&mut ids, now)),
            melt: Account::Melt(TreeId::next(&mut ids, now)),
            piece: Account::Piece(PieceId::next(&mut ids, now)),
        }
    }

    #[test]
    fn a_leak_of_a_third_of_a_gram_is_found_and_placed() {
        let (mut books, kind, at) = (Books::default(), gold(Custody::House), places());
        books.book(&moved(&kind, &Account::Outside, &at.lot, 100_000)).unwrap();
        books.book(&moved(&kind, &at.lot, &at.melt, 46_300)).unwrap();
        // The cast tree weighs 0.3 g less than what was melted.
        let difference = count(&books.place(&kind, &at.melt), Milligrams(46_000)).unwrap();
        books.book(&difference).unwrap();
        assert_eq!(books.place(&kind, &at.melt).mass, Milligrams(46_000));
        let found = holes(&books.balances());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].code.as_str(), &found[0].place), ("METAL_MISSING", &at.melt.words()));
        assert!(
            found[0].text.starts_with("0.30 g of au750-yellow are missing at the melt of tree"),
            "{}",
            found[0]
        );
        assert_eq!(held(&books.balances()), (Milligrams(100_000), 75_000_000));
    }

    #[test]
    fn an_explained_loss_closes_the_hole() {
        let (mut books, kind, at) = (Books::default(), gold(Custody::House), places());
        books.book(&moved(&kind, &Account::Outside, &at.melt, 1_000)).unwrap();
        books.book(&count(&books.place(&kind, &at.melt), Milligrams(900)).unwrap()).unwrap();
        let hole = Account::Unexplained(at.melt.words());
        books.book(&moved(&kind, &hole, &Account::Lost("in the crucible".into()), 100)).unwrap();
        assert!(holes(&books.balances()).is_empty());
        assert_eq!(count(&books.place(&kind, &at.melt), Milligrams(900)), None);
    }

    #[test]
    fn metal_that_nobody_booked_is_a_surplus_and_not_ignored() {
        let (mut books, kind, at) = (Books::default(), gold(Custody::House), places());
        books.book(&count(&books.place(&kind, &at.piece), Milligrams(50)).unwrap()).unwrap();
        assert_eq!(holes(&books.balances())[0].code, "METAL_SURPLUS");
        assert_eq!(held(&books.balances()).0, Milligrams(0));
    }

    #[test]
    fn a_customers_metal_cannot_be_taken_for_another_piece() {
        let (mut books, at) = (Books::default(), places());
        let customer = gold(Custody::Customer("SO-9".into()));
        books.book(&moved(&customer, &Account::Outside, &at.lot, 5_000)).unwrap();
        let house = moved(&gold(Custody::House), &at.lot, &at.melt, 1);
        assert!(matches!(books.book(&house), Err(Refusal::NotThere { held: Milligrams(0), .. })));
    }

    #[test]
    fn what_is_no_movement_is_refused() {
        let (mut books, kind, at) = (Books::default(), gold(Custody::House), places());
        let nothing = books.book(&moved(&kind, &Account::Outside, &at.lot, 0));
        assert_eq!(nothing, Err(Refusal::NotPositive(Milligrams(0))));
        assert_eq!(books.book(&moved(&kind, &at.lot, &at.lot, 1)), Err(Refusal::SamePlace(at.lot.clone())));
        let refusal = books.book(&moved(&kind, &at.lot, &at.melt, 1)).unwrap_err().to_string();
        assert!(refusal.contains("holds 0.00 g of this metal, not 0.001 g; weigh it"), "{refusal}");
    }

    proptest! {
        #[test]
        fn whatever_is_booked_grams_in_are_grams_held(
            moves in prop::collection::vec((0_usize..7, 0_usize..7, -5_i64..10_000, any::<bool>()), 0..200)
        ) {
            let mut books = Books::default();
            let Places { lot, melt, piece } = places();
            let dust = Account::Dust("bench".into());
            let all = [Account::Outside, lot, melt, piece, dust, Account::Lost("x".into()), Account::Unexplained("y".into())];
            let kinds = [gold(Custody::House), gold(Custody::Customer("c".into()))];
            for (from, to, milligrams, house) in moves {
                let before = books.clone();
                let movement = moved(&kinds[usize::from(house)], &all[from], &all[to], milligrams);
                if books.book(&movement).is_err() {
                    prop_assert_eq!(&before, &books);
                }
            }
            let balances = books.balances();
            let outside: i64 = balances.iter().filter(|b| b.account == Account::Outside).map(|b| b.mass.0).sum();
            prop_assert_eq!(held(&balances), (Milligrams(-outside), -outside * 750));
            prop_assert!(balances.iter().all(|balance| balance.account.may_owe() || balance.mass.0 >= 0));
        }
    }
}
