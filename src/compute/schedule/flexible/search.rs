//! Two tabu chains that restart from the best plans found, with the same answer on any number of threads.

use super::graph::{Shop, Solution};
use super::tabu::Walk;
use super::{Instance, Plan};
use crate::schedule::random::Random;

/// How much a search may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Moves of both chains together.
    pub moves: u64,
    /// The seed of every random choice.
    pub seed: u64,
}

/// Moves of a chain between two looks at the clock.
const ROUND: u64 = 256;
/// Rounds between two meetings of the chains.
const MEETING: u64 = 32;
/// Elites that a chain keeps.
const ELITES: usize = 6;
/// Moves without a better plan after which a chain restarts.
const PATIENCE: u64 = 2_500;

/// A search under way.
#[derive(Debug)]
pub struct Search {
    shop: Shop,
    best: Solution,
    makespan: i64,
    chains: Option<[Chain; 2]>,
    rounds: u64,
}

#[derive(Debug, Clone)]
struct Chain {
    random: Random,
    walk: Walk,
    /// The best since the last restart.
    local: i64,
    idle: u64,
    patience: u64,
    best: Solution,
    makespan: i64,
    elites: Vec<(i64, Solution)>,
}

impl Search {
    /// Makes a first plan.
    #[must_use]
    pub fn new(instance: &Instance) -> Self {
        let shop = Shop::of(instance);
        let best = Solution::first(&shop, &mut Random(0));
        let makespan = Walk::new(&shop, best.clone()).paths.makespan;
        Self { shop, best, makespan, chains: None, rounds: 0 }
    }

    /// When the best plan is over.
    #[must_use]
    pub fn makespan(&self) -> i64 {
        self.makespan
    }

    /// Moves made so far.
    #[must_use]
    pub fn moves(&self) -> u64 {
        self.rounds * 2 * ROUND
    }

    /// Improves the best plan; never makes it worse. `go_on` is asked now and then with the moves made so far.
    pub fn improve(&mut self, budget: Budget, go_on: &mut dyn FnMut(u64) -> bool) {
        if self.shop.operations() == 0 {
            return;
        }
        let shop = &self.shop;
        let mut chains = self.chains.take().unwrap_or_else(|| {
            [0, 1].map(|salt| {
                Chain::new(shop, Random(budget.seed.wrapping_mul(2).wrapping_add(salt)), &self.best)
            })
        });
        let mut made = 0;
        while made < budget.moves {
            let [one, two] = &mut chains;
            rayon::join(|| one.run(shop, ROUND), || two.run(shop, ROUND));
            made += 2 * ROUND;
            self.rounds += 1;
            if self.rounds.is_multiple_of(MEETING) {
                exchange(&mut chains);
            }
            if !go_on(made) {
                break;
            }
        }
        for chain in &chains {
            if chain.makespan < self.makespan {
                self.makespan = chain.makespan;
                self.best.clone_from(&chain.best);
            }
        }
        self.chains = Some(chains);
    }

    /// The best plan so far.
    pub fn plan(&self) -> Plan {
        let walk = Walk::new(&self.shop, self.best.clone());
        walk.paths.plan(&self.shop, &walk.solution)
    }
}

impl Chain {
    fn new(shop: &Shop, mut random: Random, best: &Solution) -> Self {
        let first = if random.once_in(2) { best.clone() } else { Solution::first(shop, &mut random) };
        let walk = Walk::new(shop, first);
        let makespan = walk.paths.makespan;
        Self {
            random,
            local: makespan,
            idle: 0,
            patience: PATIENCE,
            best: walk.solution.clone(),
            makespan,
            elites: Vec::new(),
            walk,
        }
    }

    fn run(&mut self, shop: &Shop, moves: u64) {
        for _ in 0..moves {
            self.walk.step(shop, self.local, &mut self.random);
            self.idle += 1;
            let makespan = self.walk.paths.makespan;
            if makespan < self.local {
                self.local = makespan;
                self.idle = 0;
                self.keep(makespan);
            }
            if self.idle > self.patience {
                self.restart(shop);
            }
        }
    }

    fn keep(&mut self, makespan: i64) {
        if makespan < self.makespan {
            self.makespan = makespan;
            self.best.clone_from(&self.walk.solution);
        }
        let solution = self.walk.solution.clone();
        self.learn((makespan, solution));
    }

    fn learn(&mut self, elite: (i64, Solution)) {
        let place = self.elites.partition_point(|known| known.0 <= elite.0);
        if place < ELITES && self.elites.iter().all(|known| known.1 != elite.1) {
            self.elites.insert(place, elite);
            self.elites.truncate(ELITES);
        }
    }

    /// Goes on from one of the best, after a few random moves.
    fn restart(&mut self, shop: &Shop) {
        let elite = self.random.below(self.elites.len().max(1));
        let from = self.elites.get(elite).map_or(&self.best, |elite| &elite.1);
        self.walk.jump(shop, from);
        let shakes = 3 + self.random.below(8 + shop.operations() / 10);
        for _ in 0..shakes {
            self.walk.shake(shop, &mut self.random);
        }
        self.local = self.walk.paths.makespan;
        self.idle = 0;
        self.patience = (self.patience + PATIENCE / 4).min(8 * PATIENCE);
    }
}

/// Each chain learns the other's best.
fn exchange(chains: &mut [Chain; 2]) {
    let [one, two] = chains;
    let (first, second) = ((one.makespan, one.best.clone()), (two.makespan, two.best.clone()));
    two.learn(first);
    one.learn(second);
}
