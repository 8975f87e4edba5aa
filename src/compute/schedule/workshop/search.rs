//! Many plans, and the best of them: two chains of simulated annealing over genomes.
//!
//! The chains always are two and meet after the same number of decodes, so that the answer is the same on any
//! number of threads. A time limit only says after which meeting to stop.

use super::back::Back;
use super::compile::{Shop, compile};
use super::front::{Front, NEVER, Wishes};
use super::genome::{Batches, Genome, Lot, Run, lots};
use super::moves::{Scene, change};
use super::start::{CUTS, cut};
use super::steps::{Given, NOBODY, Step, Steps};
use super::{Error, Instance, Kind, Plan, Task};
use crate::schedule::random::Random;

/// How much a search may do, counted in complete plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Complete plans to make. The acceptance of worse plans falls over the whole of it.
    pub decodes: u64,
    /// The seed of every random choice.
    pub seed: u64,
}

/// Decodes of a chain between two looks at the clock.
const ROUND: u64 = 16;
/// How often the chains meet.
const MEETINGS: u64 = 12;

/// A search under way: it has a plan from the start, and a better one after each [`Search::improve`].
#[derive(Debug)]
pub struct Search<'a> {
    instance: &'a Instance,
    shop: Shop,
    given: Given,
    lots: Vec<Lot>,
    lots_of: Vec<Vec<usize>>,
    best: Genome,
    price: i64,
    decodes: u64,
}

/// Everything a decode needs, kept for its memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Decoder {
    pub(super) batches: Batches,
    pub(super) front: Front,
    pub(super) back: Back,
}

impl Decoder {
    pub(super) fn decode(&mut self, shop: &Shop, given: &Given, lots: &[Lot], genome: &Genome) -> i64 {
        self.batches.fill(shop, given, lots, genome);
        let wishes = Wishes {
            keys: &self.batches.early,
            hold: &self.batches.hold,
            reluctance: genome.knobs.reluctance,
            extension: genome.knobs.extension,
        };
        self.front.decode(shop, given, &wishes);
        self.back.decode(shop, given, genome, &self.batches, &self.front);
        self.back.price()
    }

    /// Notes when each run was ready.
    fn note(&self, genome: &mut Genome) {
        for (run, &gene) in self.batches.gene.iter().enumerate() {
            let launched = self.back.outcome.launched[run];
            if launched < NEVER {
                genome.runs[gene].at = launched;
            }
        }
    }
}

impl<'a> Search<'a> {
    /// Checks the instance and makes the first plan.
    ///
    /// # Errors
    /// If the instance contradicts itself.
    pub fn new(instance: &'a Instance) -> Result<Self, Error> {
        let shop = compile(instance)?;
        let given = Given::nothing(&shop);
        Ok(Self::begin(instance, shop, given))
    }

    pub(super) fn begin(instance: &'a Instance, shop: Shop, given: Given) -> Self {
        let lots = lots(&shop, &given);
        let mut lots_of = vec![Vec::new(); shop.orders.len()];
        for (index, lot) in lots.iter().enumerate() {
            for &order in &lot.orders {
                lots_of[order].push(index);
            }
        }
        let mut decoder = Decoder::default();
        let mut best = cut(&shop, &lots, CUTS[0]);
        let price = decoder.decode(&shop, &given, &lots, &best);
        decoder.note(&mut best);
        Self { instance, shop, given, lots, lots_of, best, price, decodes: 1 }
    }

    /// Tries the other simple ways to a first plan.
    pub fn settle(&mut self) {
        let mut decoder = Decoder::default();
        for how in &CUTS[1..] {
            let mut genome = cut(&self.shop, &self.lots, *how);
            let price = decoder.decode(&self.shop, &self.given, &self.lots, &genome);
            self.decodes += 1;
            if price < self.price {
                decoder.note(&mut genome);
                (self.best, self.price) = (genome, price);
            }
        }
    }

    pub(super) fn genome(&self) -> &Genome {
        &self.best
    }

    pub(super) fn lots(&self) -> &[Lot] {
        &self.lots
    }

    /// Takes another genome if its plan is better.
    pub(super) fn offer(&mut self, mut genome: Genome) {
        let mut decoder = Decoder::default();
        let price = decoder.decode(&self.shop, &self.given, &self.lots, &genome);
        self.decodes += 1;
        if price < self.price {
            decoder.note(&mut genome);
            (self.best, self.price) = (genome, price);
        }
    }

    /// Weighted minutes late in the best plan.
    pub(super) fn lateness(&self) -> i64 {
        let mut decoder = Decoder::default();
        decoder.decode(&self.shop, &self.given, &self.lots, &self.best);
        let late = |(job, done): (&super::compile::Job, &i64)| job.weight * (done - job.due).max(0);
        self.shop.orders.iter().zip(&decoder.back.outcome.done).map(late).sum()
    }

    /// Puts an order before everything that isn't fixed, in a kiln run of its own if that is sooner.
    pub(super) fn hurry(&mut self, order: usize) {
        let mut decoder = Decoder::default();
        let mut chosen: Option<(i64, Genome, i64)> = None;
        for alone in [false, true] {
            let mut genome = self.best.clone();
            genome.rank[order] -= self.shop.horizon;
            if alone {
                let own = &self.lots_of[order];
                for &lot in own {
                    genome.runs.iter_mut().for_each(|run| run.lots.retain(|other| *other != lot));
                    genome.runs.push(Run::alone(self.lots[lot].program, lot));
                }
                genome.runs.retain(|run| !run.lots.is_empty());
            }
            let price = decoder.decode(&self.shop, &self.given, &self.lots, &genome);
            self.decodes += 1;
            let done = decoder.back.outcome.done[order];
            if chosen.as_ref().is_none_or(|known| (done, price) < (known.0, known.2)) {
                decoder.note(&mut genome);
                chosen = Some((done, genome, price));
            }
        }
        if let Some((_, genome, price)) = chosen {
            (self.best, self.price) = (genome, price);
        }
    }

    /// Complete plans made so far.
    #[must_use]
    pub fn decodes(&self) -> u64 {
        self.decodes
    }

    /// What the best plan costs; a piece without a place counts 2^32.
    #[must_use]
    pub fn price(&self) -> i64 {
        self.price
    }

    /// Improves the best plan; never makes it worse.
    ///
    /// `go_on` is asked now and then with the number of decodes made so far; after a no the search ends early.
    pub fn improve(&mut self, budget: Budget, go_on: &mut dyn FnMut(u64) -> bool) {
        if self.lots.is_empty() {
            return;
        }
        let chain = |salt: u64| Walk {
            random: Random(budget.seed.wrapping_mul(2).wrapping_add(salt)),
            current: self.best.clone(),
            price: self.price,
            best: self.best.clone(),
            best_price: self.price,
            done: Vec::new(),
            decoder: Decoder::default(),
            candidate: self.best.clone(),
        };
        let mut walks = [chain(0), chain(1)];
        let mut made: u64 = 0;
        let mut met = 0;
        let (shop, given, lots, lots_of) = (&self.shop, &self.given, &self.lots[..], &self.lots_of[..]);
        for walk in &mut walks {
            walk.decoder.decode(shop, given, lots, &walk.current);
            walk.done.clone_from(&walk.decoder.back.outcome.done);
        }
        let heat = Heat::of(shop);
        while made < budget.decodes {
            let temperature = heat.at(made, budget.decodes);
            let place = Place { shop, given, lots, lots_of, temperature };
            let [one, two] = &mut walks;
            rayon::join(|| one.walk(&place, ROUND), || two.walk(&place, ROUND));
            made += 2 * ROUND;
            if made * MEETINGS / budget.decodes.max(1) > met {
                met = made * MEETINGS / budget.decodes.max(1);
                meet(&mut walks);
            }
            if !go_on(made) {
                break;
            }
        }
        self.decodes += made;
        for walk in walks {
            if walk.best_price < self.price {
                (self.best, self.price) = (walk.best, walk.best_price);
            }
        }
    }

    /// By piece and stage: start and end in the best plan.
    pub(super) fn piece_times(&self) -> Vec<[Option<(i64, i64)>; Kind::ALL.len()]> {
        let mut decoder = Decoder::default();
        decoder.decode(&self.shop, &self.given, &self.lots, &self.best);
        let mut times = vec![[None; Kind::ALL.len()]; self.shop.pieces.len()];
        for steps in [&self.given.steps, &decoder.front.steps, &decoder.back.steps] {
            for step in &steps.steps {
                let at = Some((step.start, step.end));
                match step.kind {
                    Kind::Print | Kind::Wash | Kind::Cure | Kind::Tree => {
                        steps.members(step).iter().for_each(|&piece| times[piece][step.kind as usize] = at);
                    }
                    Kind::Support | Kind::Finish | Kind::Qc => times[step.item][step.kind as usize] = at,
                    Kind::Invest | Kind::Cast | Kind::Clean => {
                        let pieces = &decoder.batches.flasks[step.item].pieces;
                        pieces.iter().for_each(|&piece| times[piece][step.kind as usize] = at);
                    }
                    Kind::Burnout => {
                        let flasks = steps.members(step).iter();
                        let pieces = flasks.flat_map(|&flask| &decoder.batches.flasks[flask].pieces);
                        pieces.for_each(|&piece| times[piece][step.kind as usize] = at);
                    }
                }
            }
        }
        times
    }

    /// The best plan so far.
    pub fn plan(&self) -> Plan {
        let mut decoder = Decoder::default();
        decoder.decode(&self.shop, &self.given, &self.lots, &self.best);
        write(self.instance, &self.shop, &self.given, &decoder)
    }
}

/// What all walks share.
struct Place<'a> {
    shop: &'a Shop,
    given: &'a Given,
    lots: &'a [Lot],
    lots_of: &'a [Vec<usize>],
    temperature: i64,
}

/// One chain.
struct Walk {
    random: Random,
    current: Genome,
    price: i64,
    best: Genome,
    best_price: i64,
    /// By order: when it is done in the current plan.
    done: Vec<i64>,
    decoder: Decoder,
    candidate: Genome,
}

impl Walk {
    fn walk(&mut self, place: &Place<'_>, decodes: u64) {
        for _ in 0..decodes {
            self.step(place);
        }
    }

    fn step(&mut self, place: &Place<'_>) {
        self.candidate.clone_from(&self.current);
        let scene = Scene { shop: place.shop, lots: place.lots, done: &self.done, lots_of: place.lots_of };
        change(&mut self.candidate, &scene, &mut self.random);
        let price = self.decoder.decode(place.shop, place.given, place.lots, &self.candidate);
        let allowed = place.temperature.saturating_mul(self.random.courage()) / 1024;
        if price <= self.price.saturating_add(allowed) {
            self.decoder.note(&mut self.candidate);
            std::mem::swap(&mut self.current, &mut self.candidate);
            self.price = price;
            self.done.clone_from(&self.decoder.back.outcome.done);
            if price < self.best_price {
                self.best_price = price;
                self.best.clone_from(&self.current);
            }
        }
    }
}

/// The chain that is behind goes on from the other's best.
fn meet(walks: &mut [Walk; 2]) {
    let [one, two] = walks;
    let (behind, ahead) = if one.best_price > two.best_price { (one, two) } else { (two, one) };
    if ahead.best_price < behind.best_price {
        behind.current.clone_from(&ahead.best);
        behind.price = ahead.best_price;
        behind.best.clone_from(&ahead.best);
        behind.best_price = ahead.best_price;
        behind.done.clone_from(&ahead.done);
    }
}

/// How much worse a plan may be at first and at last.
struct Heat {
    first: i64,
    last: i64,
}

impl Heat {
    /// In units of what a kiln run costs, the largest single decision.
    fn of(shop: &Shop) -> Self {
        let unit = shop.weights.kiln_run.max(shop.weights.tardiness * 60).max(1);
        Self { first: unit / 5, last: unit / 100 }
    }

    fn at(&self, made: u64, of: u64) -> i64 {
        let left = i64::try_from((of - made.min(of)) * 1024 / of.max(1)).unwrap_or(0);
        self.last + (self.first - self.last) * left / 1024 * left / 1024
    }
}

/// Steps with names again.
fn write(instance: &Instance, shop: &Shop, given: &Given, decoder: &Decoder) -> Plan {
    let flasks = flask_names(given, decoder);
    let mut tasks = Vec::new();
    let mut checked = vec![false; shop.pieces.len()];
    for steps in [&given.steps, &decoder.front.steps, &decoder.back.steps] {
        for step in &steps.steps {
            if step.kind == Kind::Qc {
                checked[step.item] = true;
            }
            tasks.push(task(instance, steps, step, &flasks));
        }
    }
    tasks.sort_by(|a, b| {
        (a.start, a.end, a.kind, &a.machine, &a.worker).cmp(&(b.start, b.end, b.kind, &b.machine, &b.worker))
    });
    let missing = checked.iter().enumerate().filter(|(_, done)| !**done);
    let unplaced = missing.map(|(piece, _)| instance.pieces[piece].id.clone()).collect();
    Plan { tasks, unplaced }
}

fn flask_names(given: &Given, decoder: &Decoder) -> Vec<String> {
    let mut names = given.names.clone();
    let mut next = 1;
    while names.len() < decoder.batches.flasks.len() {
        let name = format!("f{next}");
        next += 1;
        if !given.names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn task(instance: &Instance, steps: &Steps, step: &Step, flasks: &[String]) -> Task {
    let named = |step: &Step| steps.members(step).iter();
    let pieces = |step: &Step| named(step).map(|&piece| instance.pieces[piece].id.clone()).collect();
    let bath = |baths: &[super::Bath]| baths.get(step.machine).map(|bath| bath.id.clone());
    let machine = match step.kind {
        Kind::Print => instance.printers.get(step.machine).map(|printer| printer.id.clone()),
        Kind::Wash => bath(&instance.washers),
        Kind::Cure => bath(&instance.curers),
        Kind::Burnout => bath(&instance.kilns),
        Kind::Cast => instance.casters.get(step.machine).map(|caster| caster.id.clone()),
        Kind::Support | Kind::Tree | Kind::Invest | Kind::Clean | Kind::Finish | Kind::Qc => None,
    };
    let mut task = Task {
        kind: step.kind,
        start: step.start,
        end: step.end,
        machine,
        worker: if step.hand == NOBODY { None } else { Some(instance.workers[step.hand].id.clone()) },
        pieces: Vec::new(),
        piece: None,
        flasks: Vec::new(),
        flask: None,
    };
    match step.kind {
        Kind::Print | Kind::Wash | Kind::Cure => task.pieces = pieces(step),
        Kind::Tree => {
            task.pieces = pieces(step);
            task.flask = Some(flasks[step.item].clone());
        }
        Kind::Burnout => task.flasks = named(step).map(|&flask| flasks[flask].clone()).collect(),
        Kind::Invest | Kind::Cast | Kind::Clean => task.flask = Some(flasks[step.item].clone()),
        Kind::Support | Kind::Finish | Kind::Qc => task.piece = Some(instance.pieces[step.item].id.clone()),
    }
    task
}
