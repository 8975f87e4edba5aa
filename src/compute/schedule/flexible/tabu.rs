//! One step of the tabu search: take a critical operation out, put it back where the longest path through it is
//! shortest.

use super::graph::{NONE, Paths, Shop, Solution};
use crate::schedule::random::Random;

/// A place for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    op: usize,
    machine: usize,
    length: i64,
    /// In the machine's sequence without the operation.
    place: usize,
    /// The makespan after it, and the longest path through the operation with a price for slow machines.
    value: (i64, i64),
}

/// A solution with its paths, and what must not be undone for a while.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    pub(super) solution: Solution,
    pub(super) paths: Paths,
    tabu: Vec<u64>,
    clock: u64,
    critical: Vec<usize>,
    /// Heads of what comes after the operation that is out, and tails of what comes before it.
    head: Vec<i64>,
    tail: Vec<i64>,
    most: Vec<i64>,
}

impl Walk {
    pub(super) fn new(shop: &Shop, solution: Solution) -> Self {
        let count = shop.operations();
        let mut walk = Self {
            solution,
            paths: Paths::default(),
            tabu: vec![0; count * shop.machines],
            clock: 0,
            critical: Vec::new(),
            head: vec![0; count],
            tail: vec![0; count],
            most: vec![0; count + 1],
        };
        walk.paths.measure(shop, &walk.solution);
        walk
    }

    /// Goes on from another solution; nothing is forbidden.
    pub(super) fn jump(&mut self, shop: &Shop, solution: &Solution) {
        self.solution.clone_from(solution);
        self.tabu.fill(0);
        self.paths.measure(shop, &self.solution);
    }

    /// The best move that isn't forbidden, or that beats `best`.
    pub(super) fn step(&mut self, shop: &Shop, best: i64, random: &mut Random) {
        self.clock += 1;
        self.find_critical(shop, random);
        self.measure_most();
        let mut chosen: Option<Move> = None;
        let mut last_resort: Option<Move> = None;
        let (mut equals, mut forbidden) = (1, 1);
        for index in 0..self.critical.len() {
            let op = self.critical[index];
            let rest = self.take_out(shop, op);
            for &(machine, length) in &shop.choices[op] {
                let free = self.tabu[op * shop.machines + machine] <= self.clock;
                let Some(found) = self.best_place(op, machine, length, rest, random) else { continue };
                if free || found.value.0 < best {
                    better(&mut chosen, found, &mut equals, random);
                } else if random.below(forbidden) == 0 {
                    last_resort = Some(found);
                    forbidden += 1;
                }
            }
        }
        if let Some(found) = chosen.or(last_resort) {
            self.apply(shop, found, random);
        }
    }

    /// A random move, for variety.
    pub(super) fn shake(&mut self, shop: &Shop, random: &mut Random) {
        self.clock += 1;
        let op = random.below(shop.operations());
        self.measure_most();
        let rest = self.take_out(shop, op);
        let (machine, length) = shop.choices[op][random.below(shop.choices[op].len())];
        if let Some(found) = self.best_place(op, machine, length, rest, random) {
            self.apply(shop, found, random);
        }
    }

    /// One longest path, chosen at random where it forks.
    fn find_critical(&mut self, shop: &Shop, random: &mut Random) {
        let paths = &self.paths;
        let length = &self.solution.length;
        self.critical.clear();
        let (mut at, mut ends) = (NONE, 0);
        for (op, length) in length.iter().enumerate() {
            if paths.head[op] + length == paths.makespan && paths.tail[op] == 0 {
                ends += 1;
                if random.below(ends) == 0 {
                    at = op;
                }
            }
        }
        while at != NONE {
            self.critical.push(at);
            let fits = |other: usize| other != NONE && paths.head[other] + length[other] == paths.head[at];
            let (job, machine) = (shop.job_before[at], paths.before[at]);
            at = match (paths.head[at] > 0, fits(job), fits(machine)) {
                (true, true, true) if random.once_in(2) => job,
                (true, true, true) => machine,
                (true, true, false) => job,
                (true, false, true) => machine,
                (true | false, _, _) => NONE,
            };
        }
    }

    /// For each place of the order, the longest end so far.
    fn measure_most(&mut self) {
        let mut most = 0;
        for (place, &op) in self.paths.order.iter().enumerate() {
            self.most[place] = most;
            most = most.max(self.paths.head[op] + self.solution.length[op]);
        }
    }

    /// Measures heads after and tails before an operation as if it took no time and no machine; returns the
    /// makespan then.
    fn take_out(&mut self, shop: &Shop, out: usize) -> i64 {
        let paths = &self.paths;
        let length = &self.solution.length;
        let rank = paths.rank[out];
        let (mut most, before, after) = (self.most[rank], paths.before[out], paths.after[out]);
        self.head[out] = {
            let job = shop.job_before[out];
            if job == NONE { 0 } else { paths.head[job] + length[job] }
        };
        for place in rank + 1..paths.order.len() {
            let op = paths.order[place];
            let end = |other: usize| {
                if other == NONE {
                    0
                } else if other == out {
                    self.head[out]
                } else if paths.rank[other] > rank {
                    self.head[other] + length[other]
                } else {
                    paths.head[other] + length[other]
                }
            };
            let machine = if paths.before[op] == out { before } else { paths.before[op] };
            let head = end(shop.job_before[op]).max(end(machine));
            self.head[op] = head;
            most = most.max(head + length[op]);
        }
        self.tail[out] = {
            let job = shop.job_after[out];
            if job == NONE { 0 } else { paths.tail[job] + length[job] }
        };
        for place in (0..rank).rev() {
            let op = paths.order[place];
            let rest = |other: usize| {
                if other == NONE {
                    0
                } else if other == out {
                    self.tail[out]
                } else if paths.rank[other] < rank {
                    self.tail[other] + length[other]
                } else {
                    paths.tail[other] + length[other]
                }
            };
            let machine = if paths.after[op] == out { after } else { paths.after[op] };
            self.tail[op] = rest(shop.job_after[op]).max(rest(machine));
        }
        most
    }

    fn head_without(&self, out: usize, op: usize) -> i64 {
        if self.paths.rank[op] > self.paths.rank[out] { self.head[op] } else { self.paths.head[op] }
    }

    fn tail_without(&self, out: usize, op: usize) -> i64 {
        if self.paths.rank[op] < self.paths.rank[out] { self.tail[op] } else { self.paths.tail[op] }
    }

    /// The best place on one machine, between what must come before and what must come after.
    fn best_place(
        &self,
        op: usize,
        machine: usize,
        length: i64,
        rest: i64,
        random: &mut Random,
    ) -> Option<Move> {
        let sequence = &self.solution.sequences[machine];
        let own = if self.solution.machine[op] == machine {
            sequence.iter().position(|other| *other == op)
        } else {
            None
        };
        let count = sequence.len() - usize::from(own.is_some());
        let at = |place: usize| sequence[place + usize::from(own.is_some_and(|own| place >= own))];
        let end = |other: usize| self.head_without(op, other) + self.solution.length[other];
        let left = |other: usize| self.tail_without(op, other) + self.solution.length[other];
        let (job_head, job_tail) = (self.head[op], self.tail[op]);
        let mut late = 0;
        while late < count && end(at(late)) <= job_head {
            late += 1;
        }
        let mut early = count;
        while early > 0 && left(at(early - 1)) <= job_tail {
            early -= 1;
        }
        // Of equal makespans, the shorter path; but time on a slow machine is lost to everything else on it.
        let slower = length - self.solution.length[op];
        let value = |through: i64| (through.max(rest), through + 2 * slower);
        let found = |place: usize, through: i64| Move { op, machine, length, place, value: value(through) };
        if late >= early {
            let width = late - early + 1;
            let place = early + random.below(width);
            let place = if own == Some(place) { early + (place - early + 1) % width } else { place };
            return (own != Some(place)).then(|| found(place, job_head + length + job_tail));
        }
        let mut best: Option<Move> = None;
        for place in late..=early {
            if own == Some(place) {
                continue;
            }
            let head = if place > 0 { job_head.max(end(at(place - 1))) } else { job_head };
            let tail = if place < count { job_tail.max(left(at(place))) } else { job_tail };
            let through = head + length + tail;
            if best.is_none_or(|known| value(through) < known.value) {
                best = Some(found(place, through));
            }
        }
        best
    }

    fn apply(&mut self, shop: &Shop, found: Move, random: &mut Random) {
        let op = found.op;
        let from = self.solution.machine[op];
        let Some(old) = self.solution.sequences[from].iter().position(|other| *other == op) else { return };
        let old_length = self.solution.length[op];
        self.solution.sequences[from].remove(old);
        self.solution.sequences[found.machine].insert(found.place, op);
        self.solution.machine[op] = found.machine;
        self.solution.length[op] = found.length;
        if !self.paths.measure(shop, &self.solution) {
            // Only operations without length can close a circle; take it back.
            self.solution.sequences[found.machine].remove(found.place);
            self.solution.sequences[from].insert(old, op);
            self.solution.machine[op] = from;
            self.solution.length[op] = old_length;
            self.paths.measure(shop, &self.solution);
        }
        let tenure = self.critical.len() + shop.choices[op].len() + random.below(4);
        self.tabu[op * shop.machines + from] = self.clock + u64::try_from(tenure).unwrap_or(64);
    }
}

fn better(chosen: &mut Option<Move>, found: Move, equals: &mut usize, random: &mut Random) {
    match chosen {
        Some(known) if found.value > known.value => {}
        Some(known) if found.value == known.value => {
            *equals += 1;
            if random.below(*equals) == 0 {
                *chosen = Some(found);
            }
        }
        Some(_) | None => {
            *equals = 1;
            *chosen = Some(found);
        }
    }
}
