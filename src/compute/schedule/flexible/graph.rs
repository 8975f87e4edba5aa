//! A plan as a graph: operations in sequence on machines and in jobs, with longest paths.

use super::{Instance, Place, Plan};
use crate::schedule::random::Random;

/// No operation.
pub(super) const NONE: usize = usize::MAX;

/// What doesn't change: operations in one row.
#[derive(Debug, Clone)]
pub(super) struct Shop {
    pub(super) machines: usize,
    /// Per operation: (machine, duration).
    pub(super) choices: Vec<Vec<(usize, i64)>>,
    pub(super) job_before: Vec<usize>,
    pub(super) job_after: Vec<usize>,
    job_of: Vec<usize>,
}

impl Shop {
    pub(super) fn of(instance: &Instance) -> Self {
        let mut shop = Self {
            machines: instance.machines,
            choices: Vec::new(),
            job_before: Vec::new(),
            job_after: Vec::new(),
            job_of: Vec::new(),
        };
        for (j, job) in instance.jobs.iter().enumerate() {
            for (o, operation) in job.iter().enumerate() {
                let index = shop.choices.len();
                let pairs = operation.choices.iter().map(|choice| (choice.machine, choice.duration));
                shop.choices.push(pairs.collect());
                shop.job_of.push(j);
                shop.job_before.push(if o > 0 { index - 1 } else { NONE });
                shop.job_after.push(if o + 1 < job.len() { index + 1 } else { NONE });
            }
        }
        shop
    }

    pub(super) fn operations(&self) -> usize {
        self.choices.len()
    }
}

/// Where everything is done, in which sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Solution {
    pub(super) machine: Vec<usize>,
    pub(super) length: Vec<i64>,
    pub(super) sequences: Vec<Vec<usize>>,
}

impl Solution {
    /// A first plan: always the job with most work left, on the machine that is through first.
    pub(super) fn first(shop: &Shop, random: &mut Random) -> Self {
        let count = shop.operations();
        let mut solution = Self {
            machine: vec![0; count],
            length: vec![0; count],
            sequences: vec![Vec::new(); shop.machines],
        };
        let shortest = |op: usize| shop.choices[op].iter().map(|choice| choice.1).min().unwrap_or(0);
        let mut left = vec![0; count];
        for op in (0..count).rev() {
            let after = shop.job_after[op];
            left[op] = shortest(op) + if after == NONE { 0 } else { left[after] };
        }
        let mut free = vec![0_i64; shop.machines];
        let mut ready: Vec<(i64, usize)> =
            (0..count).filter(|&op| shop.job_before[op] == NONE).map(|op| (0, op)).collect();
        while !ready.is_empty() {
            let jitter = |random: &mut Random| i64::try_from(random.below(2)).unwrap_or(0);
            let best = (0..ready.len()).max_by_key(|&index| {
                let (at, op) = ready[index];
                (left[op] - at / 2 + jitter(random), usize::MAX - op)
            });
            let (at, op) = ready.swap_remove(best.unwrap_or(0));
            let ends = shop.choices[op].iter().map(|&(m, d)| (free[m].max(at) + d, d, m));
            let Some((end, duration, machine)) = ends.min() else { continue };
            free[machine] = end;
            solution.machine[op] = machine;
            solution.length[op] = duration;
            solution.sequences[machine].push(op);
            if shop.job_after[op] != NONE {
                ready.push((end, shop.job_after[op]));
            }
        }
        solution
    }
}

/// Longest paths of a solution.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths {
    /// Operations so that each comes after what it waits for.
    pub(super) order: Vec<usize>,
    /// By operation: its place in the order.
    pub(super) rank: Vec<usize>,
    pub(super) head: Vec<i64>,
    /// From the operation's end to the end of everything.
    pub(super) tail: Vec<i64>,
    pub(super) before: Vec<usize>,
    pub(super) after: Vec<usize>,
    pub(super) makespan: i64,
    waiting: Vec<u8>,
}

impl Paths {
    /// Measures a solution; false if it waits for itself in a circle.
    pub(super) fn measure(&mut self, shop: &Shop, solution: &Solution) -> bool {
        let count = shop.operations();
        self.head.resize(count, 0);
        self.tail.resize(count, 0);
        self.rank.resize(count, 0);
        self.waiting.resize(count, 0);
        self.before.clear();
        self.before.resize(count, NONE);
        self.after.clear();
        self.after.resize(count, NONE);
        for sequence in &solution.sequences {
            for pair in sequence.windows(2) {
                self.after[pair[0]] = pair[1];
                self.before[pair[1]] = pair[0];
            }
        }
        self.order.clear();
        for op in 0..count {
            let waits = u8::from(shop.job_before[op] != NONE) + u8::from(self.before[op] != NONE);
            self.waiting[op] = waits;
            if waits == 0 {
                self.order.push(op);
            }
        }
        let mut place = 0;
        self.makespan = 0;
        while place < self.order.len() {
            let op = self.order[place];
            self.rank[op] = place;
            place += 1;
            let of = |other: usize| if other == NONE { 0 } else { self.head[other] + solution.length[other] };
            self.head[op] = of(shop.job_before[op]).max(of(self.before[op]));
            self.makespan = self.makespan.max(self.head[op] + solution.length[op]);
            for next in [shop.job_after[op], self.after[op]] {
                if next != NONE {
                    self.waiting[next] -= 1;
                    if self.waiting[next] == 0 {
                        self.order.push(next);
                    }
                }
            }
        }
        if place < count {
            return false;
        }
        for &op in self.order.iter().rev() {
            let of = |other: usize| if other == NONE { 0 } else { self.tail[other] + solution.length[other] };
            self.tail[op] = of(shop.job_after[op]).max(of(self.after[op]));
        }
        true
    }

    pub(super) fn plan(&self, shop: &Shop, solution: &Solution) -> Plan {
        let mut places = Vec::with_capacity(shop.operations());
        let mut operation = 0;
        for op in 0..shop.operations() {
            operation = if shop.job_before[op] == NONE { 0 } else { operation + 1 };
            places.push(Place {
                job: shop.job_of[op],
                operation,
                machine: solution.machine[op],
                start: self.head[op],
                end: self.head[op] + solution.length[op],
            });
        }
        Plan { makespan: self.makespan, places }
    }
}
