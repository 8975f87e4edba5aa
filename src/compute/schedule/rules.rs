//! In which order groups of tasks get their places: whoever comes first finds the best ones.

use serde::{Deserialize, Serialize};

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
