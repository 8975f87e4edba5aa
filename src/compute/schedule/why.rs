//! Why a task starts when it does, step by step.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Cause, Outcome, Plan, Unplaced};

/// One step back from a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The task.
    pub task: usize,
    /// What kept it.
    pub reason: Reason,
}

/// What kept a task from starting earlier, or at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It has a place.
    Placed(Cause),
    /// It has none.
    Unplaced(Unplaced),
}

/// The reasons behind a task, from the task itself back to a root: a release, a shift, a pin.
///
/// No task appears twice; where two wait for each other's window the chain ends. Empty for an unknown task.
#[must_use]
pub fn chain(plan: &Plan, task: usize) -> Vec<Step> {
    let mut steps: Vec<Step> = vec![];
    let mut seen = BTreeSet::new();
    let mut next = Some(task);
    while let Some(task) = next.filter(|&task| seen.insert(task)) {
        let Some(outcome) = plan.tasks.get(task) else { break };
        let reason = match outcome {
            Outcome::Placed(placement) => Reason::Placed(placement.cause),
            Outcome::Unplaced(unplaced) => Reason::Unplaced(*unplaced),
        };
        steps.push(Step { task, reason });
        next = behind(reason);
    }
    steps
}

fn behind(reason: Reason) -> Option<usize> {
    match reason {
        Reason::Placed(
            Cause::Predecessor { task } | Cause::StationBusy { task } | Cause::SuccessorWindow { task },
        )
        | Reason::Unplaced(
            Unplaced::Predecessor { task }
            | Unplaced::Window { task }
            | Unplaced::PinnedSuccessor { task }
            | Unplaced::Companion { task },
        ) => Some(task),
        Reason::Placed(Cause::PersonBusy { task, .. }) => task,
        Reason::Placed(
            Cause::Now
            | Cause::Released
            | Cause::StationClosed { .. }
            | Cause::HoursClosed { .. }
            | Cause::PeopleAway { .. }
            | Cause::MaterialChange { .. }
            | Cause::Pinned,
        )
        | Reason::Unplaced(
            Unplaced::NoStation | Unplaced::NoMaterial { .. } | Unplaced::NoPerson { .. } | Unplaced::NoTime,
        ) => None,
    }
}
