//! First genomes: lots in the order in which they should be cast, cut into kiln runs.

use std::collections::BTreeMap;

use super::compile::Shop;
use super::genome::{Genome, Hold, Knobs, Lot, Run};

/// How a first plan is cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Minutes before its due date at which a lot should be on its way.
    lead: i64,
    /// Minutes that the first lot of a run may wait for the last.
    window: i64,
    /// Minutes that doubling an order's weight makes it more urgent.
    favour: i64,
    /// Minutes that work before the kiln is more urgent than finishing.
    upstream: i64,
}

/// The best plan wins. Chosen greedily from a grid of 840 so that together they are best over six generated
/// instances of 200 and six of 1,000 pieces; the first alone is the best single one.
pub(super) const CUTS: [Cut; 8] = [
    Cut { lead: 8_640, window: 2_160, favour: 480, upstream: 1_440 },
    Cut { lead: 8_640, window: 4_320, favour: 480, upstream: 0 },
    Cut { lead: 8_640, window: 2_880, favour: 0, upstream: 1_440 },
    Cut { lead: 14_400, window: 2_160, favour: 1_440, upstream: -1_440 },
    Cut { lead: 8_640, window: 4_320, favour: 480, upstream: 5_760 },
    Cut { lead: 8_640, window: 2_880, favour: 480, upstream: 1_440 },
    Cut { lead: 8_640, window: 4_320, favour: 1_440, upstream: -1_440 },
    Cut { lead: 14_400, window: 2_160, favour: 480, upstream: 1_440 },
];

/// Cuts all lots into runs.
pub(super) fn cut(shop: &Shop, lots: &[Lot], how: Cut) -> Genome {
    let favour = |weight: i64| -how.favour * i64::from(weight.max(1).ilog2());
    let rank = shop.orders.iter().map(|order| favour(order.weight)).collect();
    let knobs = Knobs { reluctance: 120, extension: 240, upstream: how.upstream };
    let mut genome = Genome { runs: Vec::new(), rank, knobs };
    let mut order: Vec<(usize, i64, usize)> = Vec::new();
    for (index, lot) in lots.iter().enumerate() {
        let wanted = (genome.lot_key(shop, lot) - how.lead).max(lot.release);
        order.push((lot.program, wanted, index));
    }
    order.sort_unstable();
    let mut open: Option<Open> = None;
    for (program, wanted, lot) in order {
        let fits = |open: &Open| {
            open.program == program && wanted - open.since <= how.window && open.has_room(shop, &lots[lot])
        };
        if !open.as_ref().is_some_and(fits) {
            genome.runs.push(Run {
                program,
                lots: Vec::new(),
                shift: 0,
                hold: Hold::No,
                twist: 0,
                not_before: 0,
                at: wanted,
            });
            open = Some(Open { program, since: wanted, alloys: BTreeMap::new() });
        }
        if let (Some(open), Some(run)) = (&mut open, genome.runs.last_mut()) {
            open.add(shop, &lots[lot]);
            run.lots.push(lot);
        }
    }
    genome
}

/// The run that is being filled.
struct Open {
    program: usize,
    since: i64,
    /// Pieces and mass; by alloy.
    alloys: BTreeMap<usize, (usize, i64)>,
}

impl Open {
    fn add(&mut self, shop: &Shop, lot: &Lot) {
        let entry = self.alloys.entry(lot.alloy).or_default();
        entry.0 += lot.pieces.len();
        entry.1 += lot.pieces.iter().map(|&piece| shop.pieces[piece].mass).sum::<i64>();
    }

    fn has_room(&self, shop: &Shop, lot: &Lot) -> bool {
        let mass: i64 = lot.pieces.iter().map(|&piece| shop.pieces[piece].mass).sum();
        let mut flasks = 0;
        let mut joined = false;
        for (&alloy, &(pieces, grams)) in &self.alloys {
            let joins = alloy == lot.alloy;
            joined |= joins;
            flasks += if joins {
                flasks_for(shop, pieces + lot.pieces.len(), grams + mass)
            } else {
                flasks_for(shop, pieces, grams)
            };
        }
        if !joined {
            flasks += flasks_for(shop, lot.pieces.len(), mass);
        }
        flasks <= shop.kiln_capacity()
    }
}

fn flasks_for(shop: &Shop, pieces: usize, mass: i64) -> usize {
    let by_count = pieces.div_ceil(shop.rules.tree_max_pieces.max(1));
    let limit = shop.rules.tree_max_mass.max(1);
    by_count.max(usize::try_from((mass + limit - 1) / limit).unwrap_or(usize::MAX))
}
