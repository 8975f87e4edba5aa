//! Which pieces may hang on one tree, and a proposal of trees.

use crate::finding::Finding;
use crate::shop::metal::Custody;
use crate::shop::profile::burnout::InvestmentKind;
use crate::units::{CubicMillimeters, Density, Milligrams, Timestamp};

use super::firing::Band;

/// A piece that waits for a tree, with all that the rules ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct PieceToTree {
    /// Its label.
    pub label: String,
    /// Stem of the alloy's profile: the recipe, not only the karat.
    pub alloy: String,
    /// Whose metal.
    pub custody: Custody,
    /// The investment that it needs.
    pub investment: InvestmentKind,
    /// What it was printed in.
    pub pattern_family: String,
    /// Stones in place.
    pub stones_in_place: bool,
    /// Flask temperatures for its sections.
    pub flask_at: Band,
    /// The pattern with its sprue: nominal volume times the cube of the scale.
    pub volume: CubicMillimeters,
    /// Area that it takes of the tree's surface, in the shop's own measure of places: 1 for an ordinary ring.
    pub places: u32,
    /// When it must be cast at the latest.
    pub cast_by: Timestamp,
    /// The order, so that pieces of one order stay together.
    pub order: String,
}

/// What one tree can carry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreeLimits {
    /// Places.
    pub places: u32,
    /// Metal of crucible or machine, whichever is less.
    pub charge: Milligrams,
    /// Metal for trunk and button, whatever hangs on it.
    pub trunk_and_button: Milligrams,
}

/// A proposed tree: places in the list of pieces.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposedTree {
    /// The pieces.
    pub pieces: Vec<usize>,
    /// Flask temperatures that all of them allow.
    pub flask_at: Band,
    /// Metal for all of it.
    pub charge: Milligrams,
}

/// A proposal, and the pieces for which there is no tree.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Proposal {
    /// The trees, soonest first.
    pub trees: Vec<ProposedTree>,
    /// Pieces that fit no tree even alone, each with the reason.
    pub left: Vec<Finding>,
}

/// The hard rules that two pieces on one tree would break (`casting-domain.md` 5.2); empty if they may share.
#[must_use]
pub fn broken_rules(a: &PieceToTree, b: &PieceToTree) -> Vec<Finding> {
    let rule = |broken: bool, code: &str, what: &str| {
        broken.then(|| {
            let text = format!("{} and {} differ in {what}; put them on different trees", a.label, b.label);
            Finding::error(code, b.label.clone(), text)
        })
    };
    [
        rule(a.alloy != b.alloy, "TREE_ALLOY", "their alloy, and alloys are never mixed even at one karat"),
        rule(a.custody != b.custody, "TREE_CUSTODY", "whose metal they are made of"),
        rule(a.investment != b.investment, "TREE_INVESTMENT", "the investment that they need"),
        rule(a.pattern_family != b.pattern_family, "TREE_PATTERN", "what they were printed in"),
        rule(a.stones_in_place != b.stones_in_place, "TREE_STONES", "stones in place"),
        rule(
            a.flask_at.shared(b.flask_at).is_none(),
            "TREE_TEMPERATURE",
            "the flask temperature that they need",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Proposes trees: soonest pieces first, each on the tree that it may join with the most of its own order and then the
/// fullest one. The same pieces give the same trees, in whatever order they come.
#[must_use]
pub fn propose(pieces: &[PieceToTree], alloy: Density, limits: TreeLimits) -> Proposal {
    let mut soonest: Vec<usize> = (0..pieces.len()).collect();
    soonest.sort_by(|&a, &b| key(&pieces[a]).cmp(&key(&pieces[b])));
    let mut proposal = Proposal::default();
    for place in soonest {
        let piece = &pieces[place];
        let metal = alloy.mass(piece.volume);
        if let Some(reason) = too_large(piece, metal, limits) {
            proposal.left.push(reason);
            continue;
        }
        let best = (0..proposal.trees.len())
            .filter(|&tree| joins(&proposal.trees[tree], pieces, piece, metal, limits))
            .max_by_key(|&tree| {
                (
                    same_order(&proposal.trees[tree], pieces, piece),
                    used(&proposal.trees[tree], pieces),
                    std::cmp::Reverse(tree),
                )
            });
        match best {
            Some(tree) => hang(&mut proposal.trees[tree], place, piece, metal),
            None => proposal.trees.push(ProposedTree {
                pieces: vec![place],
                flask_at: piece.flask_at,
                charge: Milligrams(metal.0 + limits.trunk_and_button.0),
            }),
        }
    }
    proposal
}

fn key(piece: &PieceToTree) -> (Timestamp, &str, &str) {
    (piece.cast_by, &piece.order, &piece.label)
}

fn too_large(piece: &PieceToTree, metal: Milligrams, limits: TreeLimits) -> Option<Finding> {
    let charge = Milligrams(metal.0 + limits.trunk_and_button.0);
    if charge > limits.charge {
        let text = format!(
            "{} alone takes a charge of {charge}, the crucible holds {}; cast it on a larger machine",
            piece.label, limits.charge
        );
        return Some(Finding::error("CRUCIBLE_TOO_SMALL", piece.label.clone(), text));
    }
    (piece.places > limits.places).then(|| {
        let text = format!("{} takes more room than a tree has; use a larger flask", piece.label);
        Finding::error("TREE_TOO_SMALL", piece.label.clone(), text)
    })
}

fn joins(
    tree: &ProposedTree,
    pieces: &[PieceToTree],
    piece: &PieceToTree,
    metal: Milligrams,
    limits: TreeLimits,
) -> bool {
    used(tree, pieces) + piece.places <= limits.places
        && tree.charge.0 + metal.0 <= limits.charge.0
        && tree.flask_at.shared(piece.flask_at).is_some()
        && tree.pieces.iter().all(|&other| broken_rules(&pieces[other], piece).is_empty())
}

fn used(tree: &ProposedTree, pieces: &[PieceToTree]) -> u32 {
    tree.pieces.iter().map(|&place| pieces[place].places).sum()
}

fn same_order(tree: &ProposedTree, pieces: &[PieceToTree], piece: &PieceToTree) -> usize {
    tree.pieces.iter().filter(|&&place| pieces[place].order == piece.order).count()
}

fn hang(tree: &mut ProposedTree, place: usize, piece: &PieceToTree, metal: Milligrams) {
    tree.pieces.push(place);
    tree.charge.0 += metal.0;
    if let Some(shared) = tree.flask_at.shared(piece.flask_at) {
        tree.flask_at = shared;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Celsius;
    use proptest::prelude::*;

    const LIMITS: TreeLimits =
        TreeLimits { places: 6, charge: Milligrams(80_000), trunk_and_button: Milligrams(20_000) };
    const GOLD: Density = Density(15.6);

    fn piece(label: &str, cast_by: i64) -> PieceToTree {
        PieceToTree {
            label: label.into(),
            alloy: "au750-yellow".into(),
            custody: Custody::House,
            investment: InvestmentKind::Gypsum,
            pattern_family: "castable resin".into(),
            stones_in_place: false,
            flask_at: Band { min: Celsius(427.0), max: Celsius(538.0) },
            volume: CubicMillimeters(400.0),
            places: 1,
            cast_by: Timestamp(cast_by),
            order: "ord".into(),
        }
    }

    #[test]
    fn every_hard_rule_that_two_pieces_break_is_named() {
        let a = piece("A", 0);
        let mut b = piece("B", 0);
        assert!(broken_rules(&a, &b).is_empty());
        b.alloy = "au750-white-pd".into();
        b.custody = Custody::Customer("ord_7".into());
        b.investment = InvestmentKind::Phosphate;
        b.pattern_family = "wax".into();
        b.stones_in_place = true;
        b.flask_at = Band { min: Celsius(593.0), max: Celsius(704.0) };
        let codes: Vec<_> = broken_rules(&a, &b).into_iter().map(|finding| finding.code).collect();
        assert_eq!(
            codes,
            [
                "TREE_ALLOY",
                "TREE_CUSTODY",
                "TREE_INVESTMENT",
                "TREE_PATTERN",
                "TREE_STONES",
                "TREE_TEMPERATURE"
            ]
        );
    }

    #[test]
    fn a_piece_that_no_crucible_holds_is_left_with_the_reason() {
        let heavy = PieceToTree { volume: CubicMillimeters(4_000.0), ..piece("heavy", 0) };
        let proposal = propose(&[heavy, piece("ring", 1)], GOLD, LIMITS);
        assert_eq!(proposal.trees.len(), 1);
        assert_eq!(proposal.left[0].code, "CRUCIBLE_TOO_SMALL");
        assert!(proposal.left[0].text.contains("82.40 g"), "{}", proposal.left[0]);
    }

    #[test]
    fn pieces_of_one_order_stay_together_where_they_can() {
        let of = |label: &str, order: &str| PieceToTree { order: order.into(), places: 3, ..piece(label, 0) };
        let proposal = propose(&[of("a1", "A"), of("b1", "B"), of("a2", "A"), of("b2", "B")], GOLD, LIMITS);
        let orders: Vec<Vec<usize>> = proposal.trees.iter().map(|tree| tree.pieces.clone()).collect();
        assert_eq!(orders, [vec![0, 2], vec![1, 3]]);
    }

    prop_compose! {
        fn any_piece()(
            number in 0_u32..1_000_000, alloy in 0..3, customer in 0..4, wax in any::<bool>(), hot in 0..3,
            volume in 50.0..4_000.0, places in 1_u32..8, cast_by in 0_i64..5, order in 0..6
        ) -> PieceToTree {
            let (min, max) = [(427.0, 538.0), (500.0, 600.0), (593.0, 704.0)][usize::try_from(hot).unwrap()];
            PieceToTree {
                label: format!("p{number}"),
                alloy: format!("alloy-{alloy}"),
                custody: if customer == 0 { Custody::Customer("c".into()) } else { Custody::House },
                pattern_family: if wax { "wax".into() } else { "castable resin".into() },
                flask_at: Band { min: Celsius(min), max: Celsius(max) },
                volume: CubicMillimeters(volume),
                places,
                cast_by: Timestamp(cast_by),
                order: format!("o{order}"),
                ..piece("", 0)
            }
        }
    }

    proptest! {
        #[test]
        fn no_proposed_tree_breaks_a_hard_rule_and_no_piece_is_lost(pieces in prop::collection::vec(any_piece(), 0..40)) {
            let proposal = propose(&pieces, GOLD, LIMITS);
            let mut seen = proposal.left.len();
            for tree in &proposal.trees {
                seen += tree.pieces.len();
                prop_assert!(used(tree, &pieces) <= LIMITS.places);
                let metal: i64 = tree.pieces.iter().map(|&place| GOLD.mass(pieces[place].volume).0).sum();
                prop_assert_eq!(tree.charge.0, metal + LIMITS.trunk_and_button.0);
                prop_assert!(tree.charge <= LIMITS.charge);
                for &a in &tree.pieces {
                    prop_assert!(pieces[a].flask_at.min.0 <= tree.flask_at.min.0 && tree.flask_at.max.0 <= pieces[a].flask_at.max.0);
                    for &b in &tree.pieces {
                        prop_assert!(broken_rules(&pieces[a], &pieces[b]).is_empty());
                    }
                }
            }
            prop_assert_eq!(seen, pieces.len());
        }

        #[test]
        fn the_order_in_which_pieces_come_does_not_matter(pieces in prop::collection::vec(any_piece(), 0..20)) {
            let trees = |pieces: &[PieceToTree]| {
                let mut trees: Vec<Vec<String>> = propose(pieces, GOLD, LIMITS).trees.iter()
                    .map(|tree| tree.pieces.iter().map(|&place| pieces[place].label.clone()).collect()).collect();
                trees.sort();
                trees
            };
            let backwards: Vec<_> = pieces.iter().rev().cloned().collect();
            let mut labels: Vec<_> = pieces.iter().map(|piece| &piece.label).collect();
            labels.sort();
            labels.dedup();
            prop_assume!(labels.len() == pieces.len());
            prop_assert_eq!(trees(&pieces), trees(&backwards));
        }
    }
}
