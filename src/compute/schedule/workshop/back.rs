//! Hands: from cured to done, in the order of time. Whoever is free does the most urgent thing that fits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Kind;
use super::casting::Casting;
use super::compile::Shop;
use super::front::{Front, NEVER};
use super::genome::{Batches, Genome};
use super::steps::{Chain, Given, NOBODY, Rest, Step, Steps};

/// How many tasks a hand looks at before it waits.
const LOOK: usize = 10;

/// What a decoded genome comes to.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    pub(super) cost: i64,
    /// Pieces without an end.
    pub(super) unplaced: usize,
    /// By order: when it is done.
    pub(super) done: Vec<i64>,
    /// By kiln run: when it was ready to be invested.
    pub(super) launched: Vec<i64>,
    /// The last minute of everything.
    pub(super) makespan: i64,
}

/// Tasks that somebody could do now, the most urgent last.
type Queue = Vec<Reverse<(i64, usize)>>;

/// What becomes ready later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Support(usize),
    Tree(usize),
    Treed(usize),
    Cleaned(usize),
    Finish(usize),
    Qc(usize),
}

/// The simulation of the hands; kept between decodes for its memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Back {
    pub(super) steps: Steps,
    pub(super) casting: Casting,
    pub(super) outcome: Outcome,
    wake: Vec<i64>,
    queues: [Queue; 4],
    events: BinaryHeap<Reverse<(i64, Event)>>,
    /// By flask: pieces that aren't supported yet.
    unsupported: Vec<usize>,
    /// By flask: when its last piece was supported.
    supported: Vec<i64>,
    /// By kiln run: flasks that aren't treed yet.
    untreed: Vec<usize>,
    treed: Vec<i64>,
}

const SUPPORT: usize = 0;
const TREE: usize = 1;
const FINISH: usize = 2;
const QC: usize = 3;

impl Back {
    /// Decides everything after the baths.
    pub(super) fn decode(
        &mut self,
        shop: &Shop,
        given: &Given,
        genome: &Genome,
        batches: &Batches,
        front: &Front,
    ) {
        self.begin(shop, given, batches, front);
        loop {
            let event = self.events.peek().map_or(NEVER, |Reverse((at, _))| *at);
            let now = self.wake.iter().copied().min().unwrap_or(NEVER).min(event);
            if now >= NEVER {
                break;
            }
            if event <= now {
                self.take_events(shop, genome, batches, now);
            }
            for hand in 0..shop.hands.len() {
                while self.wake[hand] <= now {
                    self.work(shop, batches, hand, now);
                }
            }
        }
        self.close(shop, given, front);
    }

    fn begin(&mut self, shop: &Shop, given: &Given, batches: &Batches, front: &Front) {
        self.steps.clear();
        self.casting.begin(given);
        self.wake.clear();
        self.wake.resize(shop.hands.len(), NEVER);
        self.queues.iter_mut().for_each(Vec::clear);
        self.events.clear();
        self.outcome.unplaced = 0;
        self.outcome.done.clone_from(&given.done);
        self.outcome.launched.clear();
        self.outcome.launched.resize(batches.runs.len(), NEVER);
        self.unsupported.clear();
        self.unsupported.extend(batches.flasks.iter().map(|flask| flask.pieces.len()));
        self.supported.clear();
        self.supported.resize(batches.flasks.len(), given.now);
        self.treed.clear();
        self.treed.resize(batches.flasks.len(), given.now);
        self.untreed.clear();
        self.untreed.extend(batches.runs.iter().map(Vec::len));
        self.casting.finish_fixed(shop, given, &mut self.steps);
        for &(flask, cleaned) in &self.casting.cleaned {
            self.events.push(Reverse((cleaned, Event::Cleaned(flask))));
        }
        for (index, fixed) in given.flasks.iter().enumerate() {
            if fixed.chain == Chain::Treed {
                self.events.push(Reverse((fixed.treed.max(given.now), Event::Treed(index))));
            }
        }
        for (piece, span) in given.spans.iter().enumerate() {
            let (at, event) = match span.from {
                Kind::Print | Kind::Wash | Kind::Cure => (front.cured[piece], Event::Support(piece)),
                Kind::Support => (span.ready, Event::Support(piece)),
                Kind::Tree => (span.ready, Event::Tree(piece)),
                Kind::Invest | Kind::Burnout | Kind::Cast | Kind::Clean | Kind::Finish | Kind::Qc => continue,
            };
            if at < NEVER {
                self.events.push(Reverse((at.max(given.now), event)));
            }
        }
        for (piece, rest) in given.rest.iter().enumerate() {
            let (at, event) = match rest {
                Rest::Finish(at) => (*at, Event::Finish(piece)),
                Rest::Qc(at) => (*at, Event::Qc(piece)),
                Rest::Kept | Rest::AfterClean => continue,
            };
            self.events.push(Reverse((at.max(given.now), event)));
        }
    }

    fn take_events(&mut self, shop: &Shop, genome: &Genome, batches: &Batches, now: i64) {
        while let Some(Reverse((at, event))) = self.events.peek().copied() {
            if at > now {
                break;
            }
            self.events.pop();
            match event {
                Event::Support(piece) => self.offer(SUPPORT, batches.early[piece], piece, now),
                Event::Tree(piece) => self.supported_piece(batches, piece, now),
                Event::Treed(flask) => {
                    self.treed[flask] = now;
                    self.treed_flask(shop, genome, batches, flask, now);
                }
                Event::Cleaned(flask) => {
                    for &piece in &batches.flasks[flask].pieces {
                        if self.casting.goes_on[piece] {
                            self.offer(FINISH, batches.late[piece], piece, now);
                        }
                    }
                }
                Event::Finish(piece) => self.offer(FINISH, batches.late[piece], piece, now),
                Event::Qc(piece) => self.offer(QC, batches.late[piece], piece, now),
            }
        }
    }

    /// Something more to do; whoever waits looks again.
    fn offer(&mut self, queue: usize, key: i64, item: usize, now: i64) {
        let entry = Reverse((key, item));
        let queue = &mut self.queues[queue];
        queue.insert(queue.partition_point(|other| *other < entry), entry);
        for wake in &mut self.wake {
            *wake = (*wake).min(now);
        }
    }

    fn supported_piece(&mut self, batches: &Batches, piece: usize, now: i64) {
        let flask = batches.flask_of[piece];
        if flask == usize::MAX {
            return;
        }
        self.unsupported[flask] -= 1;
        if self.unsupported[flask] == 0 {
            self.offer(TREE, batches.early[piece], flask, now);
        }
    }

    fn treed_flask(&mut self, shop: &Shop, genome: &Genome, batches: &Batches, flask: usize, now: i64) {
        let run = batches.run_of[flask];
        if run == usize::MAX {
            return;
        }
        self.untreed[run] -= 1;
        if self.untreed[run] > 0 {
            return;
        }
        let gene = &genome.runs[batches.gene[run]];
        self.outcome.launched[run] = now;
        let from = self.casting.cleaned.len();
        self.casting.launch(shop, batches, run, gene.twist, now.max(gene.not_before), &mut self.steps);
        for &(flask, cleaned) in &self.casting.cleaned[from..] {
            self.events.push(Reverse((cleaned, Event::Cleaned(flask))));
        }
    }

    /// One hand that is free now: the most urgent thing that fits before it has to be elsewhere.
    fn work(&mut self, shop: &Shop, batches: &Batches, hand: usize, now: i64) {
        let line = &mut self.casting.hands[hand];
        line.forget(now);
        let Some((opens, closes)) = shop.hands[hand].windows.from(now) else {
            self.wake[hand] = NEVER;
            return;
        };
        if opens > now {
            self.wake[hand] = opens;
            return;
        }
        let mut until = closes;
        if let Some((start, end)) = line.next(now) {
            if start <= now {
                self.wake[hand] = end.max(now + 1);
                return;
            }
            until = until.min(start);
        }
        match self.most_urgent(shop, batches, hand, until - now) {
            Some(pick) => self.perform(shop, batches, hand, now, pick),
            None if self.queues.iter().all(Vec::is_empty) => self.wake[hand] = NEVER,
            None => self.wake[hand] = until.max(now + 1),
        }
    }

    fn most_urgent(
        &self,
        shop: &Shop,
        batches: &Batches,
        hand: usize,
        room: i64,
    ) -> Option<(usize, usize, i64)> {
        let mut best: Option<((i64, usize), usize, usize, i64)> = None;
        for (queue, tasks) in self.queues.iter().enumerate() {
            if !shop.hands[hand].can[KINDS[queue]] {
                continue;
            }
            for (back, Reverse((key, item))) in tasks.iter().rev().take(LOOK).enumerate() {
                if best.is_some_and(|known| known.0 <= (*key, queue)) {
                    break;
                }
                let length = length(shop, batches, queue, *item);
                if length <= room {
                    best = Some(((*key, queue), queue, tasks.len() - 1 - back, length));
                    break;
                }
            }
        }
        best.map(|(_, queue, position, length)| (queue, position, length))
    }

    fn perform(
        &mut self,
        shop: &Shop,
        batches: &Batches,
        hand: usize,
        now: i64,
        (queue, position, length): (usize, usize, i64),
    ) {
        let Reverse((_, item)) = self.queues[queue].remove(position);
        let end = now + length;
        self.casting.hands[hand].book(now, end);
        self.wake[hand] = end;
        match queue {
            SUPPORT => {
                self.steps.single(Kind::Support, now, end, hand, item);
                if self.casting.to_tree[item] {
                    self.events.push(Reverse((end, Event::Tree(item))));
                }
            }
            TREE => {
                let step =
                    Step { kind: Kind::Tree, start: now, end, machine: NOBODY, hand, item, members: (0, 0) };
                self.steps.batch(step, &batches.flasks[item].pieces);
                self.events.push(Reverse((end, Event::Treed(item))));
            }
            FINISH => {
                self.steps.single(Kind::Finish, now, end, hand, item);
                if self.casting.to_qc[item] {
                    self.events.push(Reverse((end, Event::Qc(item))));
                }
            }
            _ => {
                self.steps.single(Kind::Qc, now, end, hand, item);
                let order = shop.pieces[item].order;
                self.outcome.done[order] = self.outcome.done[order].max(end);
            }
        }
    }

    /// What it all costs.
    fn close(&mut self, shop: &Shop, given: &Given, front: &Front) {
        let all = given.steps.steps.iter().chain(&front.steps.steps).chain(&self.steps.steps);
        let (mut makespan, mut plates, mut runs, mut checked) = (0, 0, 0, 0);
        for step in all {
            makespan = makespan.max(step.end);
            plates += i64::from(step.kind == Kind::Print);
            runs += i64::from(step.kind == Kind::Burnout);
            checked += usize::from(step.kind == Kind::Qc);
        }
        let late = |(job, done): (&super::compile::Job, &i64)| {
            job.weight.saturating_mul((done - job.due).max(0).min(shop.horizon))
        };
        let tardiness: i64 = shop.orders.iter().zip(&self.outcome.done).map(late).sum();
        let resins = shop.presses.iter().zip(&front.presses).map(|(press, line)| line.changes(press.loaded));
        let alloys = shop.casters.iter().zip(&self.casting.casters).map(|(c, line)| line.changes(c.loaded));
        let w = &shop.weights;
        self.outcome.unplaced = shop.pieces.len().saturating_sub(checked);
        self.outcome.makespan = makespan;
        self.outcome.cost = w.tardiness.saturating_mul(tardiness)
            + w.kiln_run * runs
            + w.resin_change * resins.sum::<i64>()
            + w.alloy_change * alloys.sum::<i64>()
            + w.print_run * plates
            + w.makespan * makespan;
    }

    /// What a plan costs for the search: a piece without a place is worse than anything else.
    pub(super) fn price(&self) -> i64 {
        let missing = i64::try_from(self.outcome.unplaced).unwrap_or(1 << 20);
        self.outcome.cost.saturating_add(missing.saturating_mul(1 << 32))
    }
}

/// The stages of the queues as numbers of [`Kind`].
const KINDS: [usize; 4] =
    [Kind::Support as usize, Kind::Tree as usize, Kind::Finish as usize, Kind::Qc as usize];

fn length(shop: &Shop, batches: &Batches, queue: usize, item: usize) -> i64 {
    match queue {
        SUPPORT => shop.pieces[item].support,
        TREE => shop.tree(batches.flasks[item].pieces.len()),
        FINISH => shop.pieces[item].finish,
        _ => shop.pieces[item].qc,
    }
}
