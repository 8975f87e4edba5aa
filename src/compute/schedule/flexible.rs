//! The flexible job shop: operations in jobs, each with a choice of machines, as short as possible.
//!
//! The classic public problem; it measures the sequencing core against published bounds. Tabu search that takes
//! a critical operation out and puts it back at the best place on any of its machines (Mastrolilli and
//! Gambardella, Journal of Scheduling 3, 2000), in two chains that restart from the best plans found.

use serde::{Deserialize, Serialize};

mod graph;
mod read;
mod search;
mod tabu;
#[cfg(test)]
mod tests;

pub use read::{Error, read};
pub use search::{Budget, Search};

/// Jobs in indices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// How many machines there are.
    pub machines: usize,
    /// Operations of each job, in their order.
    pub jobs: Vec<Vec<Operation>>,
}

/// Something to be done on one of several machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Machines and how long each takes; never empty.
    pub choices: Vec<Choice>,
}

/// A machine and how long it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// From 0.
    pub machine: usize,
    /// In the instance's unit of time.
    pub duration: i64,
}

/// An operation's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The job, from 0.
    pub job: usize,
    /// The operation in the job, from 0.
    pub operation: usize,
    /// The machine, from 0.
    pub machine: usize,
    /// When.
    pub start: i64,
    /// The first moment after.
    pub end: i64,
}

/// Every operation's place, by job and operation.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// When the last operation is over.
    pub makespan: i64,
    /// Every operation once.
    pub places: Vec<Place>,
}

/// No plan is shorter: the longest job, the work that only one machine can do, and all work spread evenly.
#[must_use]
pub fn lower_bound(instance: &Instance) -> i64 {
    let least = |operation: &Operation| operation.choices.iter().map(|c| c.duration).min().unwrap_or(0);
    let job = |job: &Vec<Operation>| job.iter().map(least).sum::<i64>();
    let mut forced = vec![0_i64; instance.machines];
    for operation in instance.jobs.iter().flatten() {
        if let [only] = operation.choices[..] {
            forced[only.machine] += only.duration;
        }
    }
    let longest = instance.jobs.iter().map(job).max().unwrap_or(0);
    let all: i64 = instance.jobs.iter().map(job).sum();
    let machines = i64::try_from(instance.machines.max(1)).unwrap_or(i64::MAX);
    longest.max(forced.into_iter().max().unwrap_or(0)).max((all + machines - 1) / machines)
}

/// What is wrong with a plan, in words; nothing if it can be carried out. Other code than the search.
#[must_use]
pub fn verify(instance: &Instance, plan: &Plan) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut places = plan.places.iter();
    let mut busy: Vec<Vec<(i64, i64)>> = vec![Vec::new(); instance.machines];
    let mut last = 0;
    for (j, job) in instance.jobs.iter().enumerate() {
        let mut before = 0;
        for (o, operation) in job.iter().enumerate() {
            let Some(place) = places.next().filter(|place| (place.job, place.operation) == (j, o)) else {
                return vec![format!("operation {o} of job {j} is missing")];
            };
            let choice = operation.choices.iter().find(|choice| choice.machine == place.machine);
            if choice.map(|choice| choice.duration) != Some(place.end - place.start) {
                wrong.push(format!("operation {o} of job {j} has a wrong machine or length"));
            }
            if place.start < before {
                wrong.push(format!("operation {o} of job {j} starts before the one before it is over"));
            }
            before = place.end;
            last = last.max(place.end);
            if let Some(line) = busy.get_mut(place.machine) {
                line.push((place.start, place.end));
            }
        }
    }
    if places.next().is_some() {
        wrong.push("there are more operations than the instance has".to_owned());
    }
    for (machine, line) in busy.iter_mut().enumerate() {
        line.sort_unstable();
        if line.windows(2).any(|pair| pair[0].1 > pair[1].0) {
            wrong.push(format!("machine {machine} does two things at once"));
        }
    }
    if last != plan.makespan {
        wrong.push(format!("the makespan is {last}, not {}", plan.makespan));
    }
    wrong
}
