//! In which order groups of tasks get their places: whoever comes first finds the best ones.

use serde::{Deserialize, Serialize};

use super::chains::Groups;
use super::{Problem, Task};

/// A priority rule for the order in which tasks are placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Earliest due date of anything that comes after.
    Edd,
    /// Apparent tardiness cost: weight for length, discounted by slack (Vepsalainen, Morton 1987).
    Atc,
    /// Least slack: due date less the shortest time that the rest takes.
    Slack,
    /// First come, first served.
    Fifo,
}

impl Rule {
    /// Every rule, in the order they are tried; of equal plans the first wins.
    pub const ALL: [Rule; 4] = [Rule::Edd, Rule::Atc, Rule::Slack, Rule::Fifo];
}

/// What lies ahead of a task (or a group of them) on its way to the due dates that depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outlook {
    /// The first due time of anything after it; [`NEVER`] if there is none.
    pub(super) due: i64,
    /// When it has to start so that nothing after it is late, if nothing ever waits.
    pub(super) latest_start: i64,
    /// The largest weight of anything that is due after it.
    pub(super) weight: u32,
    /// Its release.
    pub(super) release: i64,
}

/// Later than any due time that [`super::check`] lets pass.
pub(super) const NEVER: i64 = 1 << 52;

impl Outlook {
    /// Sorts before or after everything else.
    const NOTHING: Self = Self { due: NEVER, latest_start: NEVER, weight: 0, release: NEVER };

    /// What holds for both.
    fn and(self, other: Self) -> Self {
        Self {
            due: self.due.min(other.due),
            latest_start: self.latest_start.min(other.latest_start),
            weight: self.weight.max(other.weight),
            release: self.release.min(other.release),
        }
    }
}

/// The outlook of every group, from the tasks that come last back to the first.
pub(super) fn outlooks(problem: &Problem, order: &[usize], groups: &Groups) -> Vec<Outlook> {
    let mut tasks: Vec<Outlook> = problem.tasks.iter().map(own_outlook).collect();
    for &task in order.iter().rev() {
        let shortest = shortest(&problem.tasks[task]);
        let (due, weight) = (tasks[task].due, tasks[task].weight);
        let latest_start = tasks[task].latest_start.saturating_sub(shortest);
        tasks[task].latest_start = latest_start;
        for link in &problem.tasks[task].predecessors {
            let before = &mut tasks[link.task];
            before.due = before.due.min(due);
            before.weight = before.weight.max(weight);
            before.latest_start = before.latest_start.min(latest_start.saturating_sub(link.min_s));
        }
    }
    let together = |members: &Vec<usize>| members.iter().fold(Outlook::NOTHING, |all, &t| all.and(tasks[t]));
    groups.members.iter().map(together).collect()
}

fn own_outlook(task: &Task) -> Outlook {
    let due = task.due.unwrap_or(NEVER);
    let weight = task.due.map_or(0, |_| task.weight);
    Outlook { due, latest_start: due, weight, release: task.release }
}

fn shortest(task: &Task) -> i64 {
    task.choices.iter().map(|choice| choice.elapsed_s).min().unwrap_or(0)
}

/// How the ATC rule looks ahead: slack of so many average remaining lengths costs a factor e.
///
/// Vepsalainen and Morton (Management Science 33, 1987) use 2 for flow shops and 3 for job shops.
const ATC_LOOK_AHEAD: i64 = 3;

impl Rule {
    /// The smaller, the sooner. `ready` is when the group could start, `average_s` the mean remaining length.
    pub(super) fn key(self, outlook: &Outlook, ready: i64, average_s: i64) -> i64 {
        match self {
            Rule::Edd => outlook.due,
            Rule::Slack => outlook.latest_start,
            Rule::Fifo => outlook.release,
            Rule::Atc => atc(outlook, ready, average_s),
        }
    }
}

/// The negative binary logarithm of the ATC index, in 1/1024: whole numbers are the same on every machine.
fn atc(outlook: &Outlook, ready: i64, average_s: i64) -> i64 {
    const LOG2_E_1024: i64 = 1477;
    let slack = outlook.latest_start.saturating_sub(ready).clamp(0, NEVER) / 1024;
    let discount = slack.saturating_mul(1024 * LOG2_E_1024 / ATC_LOOK_AHEAD) / average_s.max(1);
    let cost = log2_1024(remaining(outlook)) - log2_1024(i64::from(outlook.weight));
    discount.saturating_add(cost)
}

/// The shortest time from the start to the due task's end.
pub(super) fn remaining(outlook: &Outlook) -> i64 {
    outlook.due.saturating_sub(outlook.latest_start).max(1)
}

/// 1024 times the binary logarithm, linear between powers of two; of 0 as of 1.
fn log2_1024(x: i64) -> i64 {
    let x = x.max(1);
    let power = x.ilog2();
    let fraction = ((x - (1 << power)) << 10) >> power;
    i64::from(power) * 1024 + fraction
}
