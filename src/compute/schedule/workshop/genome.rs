//! What the search decides: which lots share a kiln run, in which order work is urgent, and what waits.

use super::Kind;
use super::compile::Shop;
use super::front::NEVER;
use super::steps::{Chain, Flask, Given};

/// Pieces that stay together: of one order, program and alloy; or a flask whose tree is fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lot {
    pub(super) pieces: Vec<usize>,
    pub(super) orders: Vec<usize>,
    pub(super) program: usize,
    pub(super) alloy: usize,
    /// The fixed flask.
    pub(super) flask: Option<usize>,
    /// When its last order is released.
    pub(super) release: i64,
}

/// Until when printing a run's pieces waits, so that plates fill up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Not at all.
    No,
    /// Until the evening of the release.
    Evening,
    /// Until the last piece of the run is released.
    Together,
    /// Until the evening of that.
    TogetherEvening,
}

impl Hold {
    pub(super) const ALL: [Hold; 4] = [Hold::No, Hold::Evening, Hold::Together, Hold::TogetherEvening];
}

/// One kiln run to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) program: usize,
    pub(super) lots: Vec<usize>,
    /// Minutes that it is less urgent than its most urgent order.
    pub(super) shift: i64,
    pub(super) hold: Hold,
    /// Which alloy is poured first.
    pub(super) twist: usize,
    /// Investing doesn't begin before this.
    pub(super) not_before: i64,
    /// When it was ready in the last decode; neighbours in time are found by it.
    pub(super) at: i64,
}

impl Run {
    /// A run for one lot that waits for nothing.
    pub(super) fn alone(program: usize, lot: usize) -> Self {
        Self { program, lots: vec![lot], shift: 0, hold: Hold::No, twist: 0, not_before: 0, at: 0 }
    }
}

/// Decisions that hold for everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Knobs {
    pub(super) reluctance: i64,
    pub(super) extension: i64,
    /// How many minutes more urgent work before the kiln is than finishing.
    pub(super) upstream: i64,
}

/// A point of the search space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Genome {
    pub(super) runs: Vec<Run>,
    /// The smaller, the sooner; by order, minutes.
    pub(super) rank: Vec<i64>,
    pub(super) knobs: Knobs,
}

/// What a genome says in the words of the decoder.
#[derive(Debug, Clone, Default)]
pub(super) struct Batches {
    pub(super) flasks: Vec<Flask>,
    /// Flasks of each kiln run.
    pub(super) runs: Vec<Vec<usize>>,
    /// The genome's run behind each kiln run.
    pub(super) gene: Vec<usize>,
    /// By flask: its kiln run, or [`usize::MAX`].
    pub(super) run_of: Vec<usize>,
    /// By piece: its flask, or [`usize::MAX`].
    pub(super) flask_of: Vec<usize>,
    /// By piece: how urgent it is before the kiln.
    pub(super) early: Vec<i64>,
    /// By piece: how urgent it is after.
    pub(super) late: Vec<i64>,
    /// By piece: no plate is begun for it sooner.
    pub(super) hold: Vec<i64>,
}

/// The lots of what isn't fixed.
pub(super) fn lots(shop: &Shop, given: &Given) -> Vec<Lot> {
    let mut lots: Vec<Lot> = Vec::new();
    for (index, fixed) in given.flasks.iter().enumerate() {
        if fixed.chain != Chain::Treed {
            continue;
        }
        let mut orders: Vec<usize> = fixed.flask.pieces.iter().map(|&p| shop.pieces[p].order).collect();
        orders.sort_unstable();
        orders.dedup();
        let (program, alloy) = (fixed.flask.program, fixed.flask.alloy);
        let pieces = fixed.flask.pieces.clone();
        lots.push(Lot { pieces, orders, program, alloy, flask: Some(index), release: fixed.treed });
    }
    for (order, job) in shop.orders.iter().enumerate() {
        let first = lots.len();
        for &piece in &job.pieces {
            let part = &shop.pieces[piece];
            let span = given.spans[piece];
            if !span.includes(Kind::Tree) || !part.can_be_made {
                continue;
            }
            let same = |lot: &&mut Lot| lot.program == part.program && lot.alloy == part.alloy;
            match lots[first..].iter_mut().find(same) {
                Some(lot) => lot.pieces.push(piece),
                None => lots.push(Lot {
                    pieces: vec![piece],
                    orders: vec![order],
                    program: part.program,
                    alloy: part.alloy,
                    flask: None,
                    release: job.release.max(given.now),
                }),
            }
        }
    }
    lots
}

impl Genome {
    /// How urgent an order is.
    pub(super) fn order_key(&self, shop: &Shop, order: usize) -> i64 {
        shop.orders[order].due + self.rank[order]
    }

    pub(super) fn lot_key(&self, shop: &Shop, lot: &Lot) -> i64 {
        lot.orders.iter().map(|&order| self.order_key(shop, order)).min().unwrap_or(NEVER)
    }

    pub(super) fn run_key(&self, shop: &Shop, lots: &[Lot], run: &Run) -> i64 {
        let first = run.lots.iter().map(|&lot| self.lot_key(shop, &lots[lot])).min();
        first.unwrap_or(NEVER) + run.shift
    }
}

impl Batches {
    /// Packs every run's lots into flasks, and says how urgent each piece is.
    pub(super) fn fill(&mut self, shop: &Shop, given: &Given, lots: &[Lot], genome: &Genome) {
        let pieces = shop.pieces.len();
        self.flasks.clear();
        self.flasks.extend(given.flasks.iter().map(|fixed| fixed.flask.clone()));
        self.runs.clear();
        self.gene.clear();
        self.run_of.clear();
        self.run_of.resize(self.flasks.len(), usize::MAX);
        self.flask_of.clear();
        self.flask_of.resize(pieces, usize::MAX);
        self.early.clear();
        self.late.clear();
        self.hold.clear();
        self.hold.resize(pieces, 0);
        for part in &shop.pieces {
            let key = genome.order_key(shop, part.order);
            self.late.push(key);
            self.early.push(key - genome.knobs.upstream);
        }
        for (gene, run) in genome.runs.iter().enumerate() {
            if run.lots.is_empty() {
                continue;
            }
            let key = genome.run_key(shop, lots, run);
            self.hold_pieces(shop, lots, run);
            for &lot in &run.lots {
                for &piece in &lots[lot].pieces {
                    self.early[piece] = key - genome.knobs.upstream;
                }
            }
            self.pack(shop, lots, genome, gene);
        }
    }

    fn hold_pieces(&mut self, shop: &Shop, lots: &[Lot], run: &Run) {
        let evening = |at: i64| shop.staffed.from(at).map_or(at, |(_, end)| at.max(end - EVENING));
        let last = run.lots.iter().map(|&lot| lots[lot].release).max().unwrap_or(0);
        for &lot in &run.lots {
            let until = match run.hold {
                Hold::No => 0,
                Hold::Evening => evening(lots[lot].release),
                Hold::Together => last,
                Hold::TogetherEvening => evening(last),
            };
            for &piece in &lots[lot].pieces {
                self.hold[piece] = until;
            }
        }
    }

    /// First fit, alloy by alloy, the most urgent lots first; more flasks than a kiln takes become another run.
    fn pack(&mut self, shop: &Shop, lots: &[Lot], genome: &Genome, gene: usize) {
        let run = &genome.runs[gene];
        let mut order: Vec<(usize, i64, usize)> = Vec::with_capacity(run.lots.len());
        for &lot in &run.lots {
            order.push((lots[lot].alloy, genome.lot_key(shop, &lots[lot]), lot));
        }
        order.sort_unstable();
        let mut members: Vec<usize> = Vec::new();
        let mut open = self.flasks.len();
        let mut alloy = usize::MAX;
        for &(of, _, lot) in &order {
            if of != alloy {
                alloy = of;
                open = self.flasks.len();
            }
            if let Some(flask) = lots[lot].flask {
                members.push(flask);
                continue;
            }
            for &piece in &lots[lot].pieces {
                self.put(shop, run.program, piece, open, &mut members);
            }
        }
        let capacity = shop.kiln_capacity().max(1);
        for chunk in members.chunks(capacity) {
            for &flask in chunk {
                self.run_of[flask] = self.runs.len();
            }
            self.runs.push(chunk.to_vec());
            self.gene.push(gene);
        }
    }

    fn put(&mut self, shop: &Shop, program: usize, piece: usize, open: usize, members: &mut Vec<usize>) {
        let part = &shop.pieces[piece];
        let rules = &shop.rules;
        let fits = |flask: &Flask| {
            flask.pieces.len() < rules.tree_max_pieces && flask.mass + part.mass <= rules.tree_max_mass
        };
        let found = (open..self.flasks.len()).find(|&flask| fits(&self.flasks[flask]));
        let flask = found.unwrap_or_else(|| {
            members.push(self.flasks.len());
            self.flasks.push(Flask { pieces: Vec::new(), alloy: part.alloy, program, mass: 0 });
            self.run_of.push(usize::MAX);
            self.flasks.len() - 1
        });
        self.flasks[flask].pieces.push(piece);
        self.flasks[flask].mass += part.mass;
        self.flask_of[piece] = flask;
    }
}

/// Minutes before the shop closes at which plates for the night are begun.
const EVENING: i64 = 60;
