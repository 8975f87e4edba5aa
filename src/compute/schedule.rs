//! Who does what, where and when: a planning kernel over indices and whole seconds.
//!
//! Tasks are operations on fixed batches; forming batches is the caller's work. Stations, people, skills and
//! materials are indices into what the caller numbered; times are seconds from an epoch of the caller's choice.
//! [`plan`] is a list scheduler: it places task after task by a priority rule, each as early as everything
//! allows, and places tasks that are tied by a longest wait together or not at all. [`verify()`] shares only
//! the types of this file with it.
//!
//! [`workshop`] decides the batches of a whole casting workshop too, [`flexible`] is the classic job shop, [`gantt`]
//! draws plans.
//!
//! Never here: a clock, time zones, random numbers from outside, shop nouns.

use serde::{Deserialize, Serialize};

mod chains;
mod check;
mod decode;
pub mod flexible;
pub mod gantt;
mod place;
mod random;
mod rules;
#[cfg(test)]
mod samples;
mod search;
mod state;
#[cfg(test)]
mod tests;
mod timeline;
mod verify;
mod why;
pub mod workshop;

pub use check::Error;
pub use rules::Rule;
pub use verify::{Violation, verify};
pub use why::{Reason, Step, chain};

/// Everything the planner knows. The same problem, seed and budget give the same plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Nothing that isn't pinned starts earlier.
    pub now: i64,
    /// Nothing that isn't pinned ends later.
    pub horizon: i64,
    /// What is to be done.
    pub tasks: Vec<Task>,
    /// Where.
    pub stations: Vec<Station>,
    /// By whom.
    pub people: Vec<Person>,
}

/// One operation on one fixed batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The stations that are able to do it, each with its own times.
    pub choices: Vec<Choice>,
    /// The skill that attended time asks for; `None` if anybody will do.
    pub skill: Option<usize>,
    /// The material that has to be loaded on the station, if any.
    pub material: Option<usize>,
    /// What has to be over before, and for how long at least and at most.
    pub predecessors: Vec<Link>,
    /// Not before this time.
    pub release: i64,
    /// When somebody expects it to be over. Tardiness is counted for tasks with a due time: usually the last
    /// one of a piece or an order.
    pub due: Option<i64>,
    /// How much a second of tardiness counts; a rush order has more. Also passed on to what has to come before.
    pub weight: u32,
    /// Whether it may go on while the station's hours are closed.
    pub hours: Hours,
    /// Fixed by a person or by the facts: under way, over, or promised.
    pub pin: Option<Pin>,
}

/// A station that is able to do a task, and how long it takes there.
///
/// ```text
///  start                                     start + elapsed_s          end
///    | attended_start_s |    unattended    | .. waits for a person .. | attended_end_s |
/// ```
/// Without waiting `end = start + elapsed_s`. `attended_start_s + attended_end_s <= elapsed_s`; work that is
/// attended throughout has `attended_start_s = elapsed_s`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The station.
    pub station: usize,
    /// From start to end, if nobody is waited for.
    pub elapsed_s: i64,
    /// A person is needed for this long from the start.
    pub attended_start_s: i64,
    /// A person is needed for this long before the end.
    pub attended_end_s: i64,
    /// How long the finished work may stay on the station until a person comes for the attended end (a plate
    /// that is ready at night). The station is taken meanwhile. Zero if the attended end must follow at once.
    pub end_wait_max_s: i64,
}

/// A task that has to be over before another starts: `end + min_s <= start <= end + max_s`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The task that comes first.
    pub task: usize,
    /// The shortest wait.
    pub min_s: i64,
    /// The longest wait, if there is one (the window).
    pub max_s: Option<i64>,
}

/// Which part of a task has to lie in the open hours of its station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hours {
    /// All of it, in one open interval.
    Open,
    /// The start and the attended parts; the rest may go on at night (a print, a burnout).
    Across,
}

/// A task that isn't the planner's to move: running, over but still the start of a window, or promised.
///
/// A pin is a fact. It isn't held against calendars, abilities, materials or other pins; everything else has
/// to go around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Where.
    pub station: usize,
    /// When it started or will start.
    pub start: i64,
    /// When it ended or is expected to end.
    pub end: i64,
    /// Who attends the start, if known.
    pub start_person: Option<usize>,
    /// Who attends the end, if known.
    pub end_person: Option<usize>,
    /// The material change before it, if one was planned.
    pub setup: Option<Setup>,
}

/// Half-open: `start <= t < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    /// The first second inside.
    pub start: i64,
    /// The first second after.
    pub end: i64,
}

/// When something is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    /// Day and night.
    Always,
    /// In these intervals only: sorted, not empty, not overlapping. Touching ones count as one.
    Open(Vec<Interval>),
}

/// A place where tasks are done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Station {
    /// When tasks may be started and attended.
    pub calendar: Calendar,
    /// When nothing at all may be on it (maintenance): sorted, not empty, not overlapping.
    pub closures: Vec<Interval>,
    /// Tasks at once. More than one means independent places; such a station can't change its material.
    pub capacity: u32,
    /// What is loaded now.
    pub loaded: Option<usize>,
    /// What it takes to load another material; `None` if it can't be changed.
    pub change: Option<Change>,
    /// Whether and from when new tasks may go there.
    pub state: StationState,
}

/// Whether new tasks may go to a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StationState {
    /// From this time on.
    Free {
        /// The first second.
        from: i64,
    },
    /// Out of order with no known end.
    Down,
}

/// What it takes to load another material.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// How long the station and a person are taken.
    pub duration_s: i64,
    /// The skill that is needed; `None` if anybody will do.
    pub skill: Option<usize>,
}

/// Somebody who attends tasks, one thing at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The shifts, already expanded; an attended part never goes across a break between them.
    pub calendar: Calendar,
    /// What the person is able to do, sorted.
    pub skills: Vec<usize>,
}

/// How much work `plan` may spend, counted in complete plans: never in seconds, so that a plan can be repeated.
///
/// The first decodes try the rules of [`Rule::ALL`]; later ones vary the best rule at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Complete plans to make; at least one is always made.
    pub decodes: u32,
}

/// What is to happen when. Every task of the problem is either placed or unplaced, in the problem's order.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Per task of the problem.
    pub tasks: Vec<Outcome>,
    /// The sum over tasks of `weight x seconds late`, placed tasks only.
    pub weighted_tardiness: i64,
    /// When the last placed task ends; `now` if there is none.
    pub makespan: i64,
    /// The rule whose order gave this plan (varied, if the budget allowed more than the rules).
    pub rule: Rule,
}

impl Plan {
    /// Where and when a task is placed, if it is.
    #[must_use]
    pub fn placement(&self, task: usize) -> Option<&Placement> {
        match self.tasks.get(task)? {
            Outcome::Placed(placement) => Some(placement),
            Outcome::Unplaced(_) => None,
        }
    }

    /// How many tasks found no place.
    #[must_use]
    pub fn unplaced(&self) -> usize {
        self.tasks.iter().filter(|outcome| matches!(outcome, Outcome::Unplaced(_))).count()
    }
}

/// What became of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It has a place.
    Placed(Placement),
    /// It has none, and why.
    Unplaced(Unplaced),
}

/// Where, when and by whom a task is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The station.
    pub station: usize,
    /// The first second.
    pub start: i64,
    /// The first second after.
    pub end: i64,
    /// Who attends the start, where the choice asks for somebody.
    pub start_person: Option<usize>,
    /// Who attends the end, where the choice asks for somebody.
    pub end_person: Option<usize>,
    /// The material change before it, if one is needed.
    pub setup: Option<Setup>,
    /// What kept it from starting earlier.
    pub cause: Cause,
}

/// A material change on the station of the task it belongs to; takes the station and the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// The first second.
    pub start: i64,
    /// The first second after; not after the task's start.
    pub end: i64,
    /// Who does it.
    pub person: usize,
}

/// What kept a placed task from starting earlier. [`chain`] follows causes back to a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Nothing: it starts at `now`.
    Now,
    /// Its release time.
    Released,
    /// A predecessor's end and the shortest wait after it.
    Predecessor {
        /// The predecessor.
        task: usize,
    },
    /// The station was taken by another task (or by the change before it).
    StationBusy {
        /// That task.
        task: usize,
    },
    /// The station is not free for new tasks before this time, or out for maintenance.
    StationClosed {
        /// When it opens.
        until: i64,
    },
    /// The station's hours are closed when the start or the attended end would be.
    HoursClosed {
        /// When they open.
        until: i64,
    },
    /// Somebody with the skill is on shift, but busy.
    PersonBusy {
        /// The one who then does it.
        person: usize,
        /// What that person does before, if it is known.
        task: Option<usize>,
    },
    /// Nobody with the skill is on shift.
    PeopleAway {
        /// When somebody comes.
        until: i64,
    },
    /// A successor could not start early enough for the longest wait after this task.
    SuccessorWindow {
        /// The successor.
        task: usize,
    },
    /// Another material had to be loaded.
    MaterialChange {
        /// When the change is over.
        until: i64,
    },
    /// It is pinned there.
    Pinned,
}

/// Why a task has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unplaced {
    /// No station is able to do it, or all that are able are down.
    NoStation,
    /// No able station has its material loaded or can load it.
    NoMaterial {
        /// The material.
        material: usize,
    },
    /// Nobody has the skill.
    NoPerson {
        /// The skill; `None` if there is nobody at all.
        skill: Option<usize>,
    },
    /// It doesn't fit before the horizon: too much other work, or no open time that is long enough.
    NoTime,
    /// A predecessor has no place.
    Predecessor {
        /// The predecessor.
        task: usize,
    },
    /// It can't start within the longest wait after a predecessor, and the predecessor can't wait either.
    Window {
        /// The predecessor.
        task: usize,
    },
    /// It can't be over in time for a pinned successor, or would be over too early for it.
    PinnedSuccessor {
        /// The successor.
        task: usize,
    },
    /// It is tied by a longest wait to a task that has no place, and must not be begun without it.
    Companion {
        /// That task.
        task: usize,
    },
}

/// Plans everything that can be planned.
///
/// Every longest wait is kept, pins stay where they are, and what has no place is left out with a reason. Of
/// the plans made within the budget the best wins: fewest unplaced tasks, then least weighted tardiness, then
/// earliest makespan.
///
/// # Errors
/// If the problem contradicts itself: an index out of range, an unsorted calendar, a circle of predecessors.
pub fn plan(problem: &Problem, seed: u64, budget: Budget) -> Result<Plan, Error> {
    check::check(problem)?;
    let order = chains::topological(problem)?;
    Ok(search::best(problem, &order, seed, budget))
}
