//! An operation: one step of the work at one station, and its state machine.
//!
//! ```text
//!            Start              Sent, Run              Finish
//!  Planned --------> Starting ------------> Running ----------> Done
//!     |  \    Begin (a person)                ^ |  Hold
//!     |   `-----------------------------------' |------> Held --Resume--> Running
//!     |        Starting, Running, Held --LoseSight--> Unknown --Run, Hold, Finish, Fail-->
//!     |        Starting, Running, Held --Fail--> Failed --Retry--> Planned (attempt + 1)
//!     |        Starting --Requeue--> Planned (attempt + 1), only while nothing was sent
//!     `--Abandon--> Abandoned      (Planned and Failed)
//! ```
//!
//! An operation whose inputs are present shows as ready; that is derived, never stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{OperationId, PieceId, PlateId, TreeId};
use crate::units::{Span, Timestamp};

/// One step for one batch of pieces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Our id; also the id of the task that people see.
    pub id: OperationId,
    /// The plate whose pieces go through it.
    pub plate: PlateId,
    /// What moves together.
    pub batch: Batch,
    /// The pieces in it.
    pub pieces: Vec<PieceId>,
    /// Name of the step in its routing: `print`, `wash`, …
    pub stage: String,
    /// Place of the step in its routing.
    pub step: u32,
    /// What a person reads.
    pub title: String,
    /// What a station must be able to do.
    pub ability: String,
    /// For a print: which printer and material it was prepared for.
    pub print_on: Option<PrintOn>,
    /// The operations that must be done before.
    pub after: Vec<OperationId>,
    /// Shortest wait after the last of them.
    pub min_wait: Span,
    /// Longest wait after the last of them.
    pub max_wait: Option<Span>,
    /// Hands-on time.
    pub attended: Span,
    /// From start to finish.
    pub elapsed: Span,
    /// Whether it may run while nobody is there.
    pub unattended: bool,
    /// What a person records when it is done.
    pub records: Vec<RecordSpec>,
    /// What a failure means for its pieces.
    pub on_failure: OnFailure,
    /// One for the first try.
    pub attempt: u32,
    /// Where it is.
    pub state: OperationState,
    /// What was recorded.
    pub recorded: BTreeMap<String, serde_json::Value>,
    /// By how much its longest wait was exceeded when it began; a person decided to go on.
    pub window_exceeded: Option<Span>,
}

/// What moves together through an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Batch {
    /// A plate.
    Plate(PlateId),
    /// A tree, and after investing its flask.
    Tree(TreeId),
    /// One piece.
    Piece(PieceId),
}

/// The printer profile and material that a plate was prepared for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintOn {
    /// Stem of the printer's profile.
    pub printer: String,
    /// Stem of the material's profile.
    pub material: String,
    /// The plate's label.
    pub label: String,
}

/// One value that a person records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSpec {
    /// Key in the recorded values, unit included: `pattern_mass_g`.
    pub name: String,
    /// The unit, as shown.
    pub unit: String,
}

/// What a failure means for the pieces of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The same operation can be tried again.
    Retry,
    /// The pattern or casting is lost: back to print.
    Remake,
}

/// Where an operation is. See the picture at the head of this file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OperationState {
    /// Waits for its inputs, its time, its station.
    Planned,
    /// The intent to run it on a device is recorded. `sent` is recorded before the start command leaves.
    Starting {
        /// Where.
        station: String,
        /// When the intent was recorded.
        since: Timestamp,
        /// Whether the start command may have left; until then nothing can have begun.
        sent: bool,
    },
    /// Under way.
    Running {
        /// Where.
        station: String,
        /// Since when.
        since: Timestamp,
        /// How far the device said it is, in thousandths.
        permille: u16,
    },
    /// Paused by a person or the device.
    Held {
        /// Where.
        station: String,
        /// Since when it ran.
        since: Timestamp,
        /// Why.
        reason: String,
        /// How far the device said it was, in thousandths.
        permille: u16,
    },
    /// The daemon lost sight of it. Only the device or a person can say what became of it.
    Unknown {
        /// Where.
        station: String,
        /// Since when it ran, or should have.
        since: Timestamp,
        /// What is known, and what to look at.
        reason: String,
        /// How far the device said it was, in thousandths.
        permille: u16,
    },
    /// Finished.
    Done {
        /// Where.
        station: String,
        /// When it began.
        since: Timestamp,
        /// When it ended.
        at: Timestamp,
    },
    /// Ended badly.
    Failed {
        /// Where.
        station: String,
        /// When.
        at: Timestamp,
        /// Why.
        cause: String,
    },
    /// Not needed any more.
    Abandoned {
        /// Why.
        reason: String,
    },
}

/// What happens to an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The intent to run it on a device.
    Start {
        /// Where.
        station: String,
    },
    /// The start command is about to leave.
    Sent,
    /// A person begins it.
    Begin {
        /// Where.
        station: String,
        /// By how much the longest wait was exceeded.
        window_exceeded: Option<Span>,
    },
    /// The device confirmed that it runs.
    Run,
    /// The device said how far it is, in thousandths.
    Progress {
        /// Thousandths.
        permille: u16,
    },
    /// Paused.
    Hold {
        /// Why.
        reason: String,
    },
    /// Goes on.
    Resume,
    /// Done.
    Finish {
        /// What was recorded.
        recorded: BTreeMap<String, serde_json::Value>,
    },
    /// Ended badly.
    Fail {
        /// Why.
        cause: String,
    },
    /// The daemon can't say any more what it is doing.
    LoseSight {
        /// What is known, and what to look at.
        reason: String,
    },
    /// Nothing was sent; back to the queue.
    Requeue {
        /// Why.
        reason: String,
    },
    /// Try again.
    Retry,
    /// Not needed any more.
    Abandon {
        /// Why.
        reason: String,
    },
    /// Some of its pieces went elsewhere.
    DropPieces {
        /// The pieces that left.
        pieces: Vec<PieceId>,
    },
}

impl Change {
    /// The word in the journal.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Change::Start { .. } => "start",
            Change::Sent => "sent",
            Change::Begin { .. } => "begin",
            Change::Run => "run",
            Change::Progress { .. } => "progress",
            Change::Hold { .. } => "hold",
            Change::Resume => "resume",
            Change::Finish { .. } => "finish",
            Change::Fail { .. } => "fail",
            Change::LoseSight { .. } => "lose_sight",
            Change::Requeue { .. } => "requeue",
            Change::Retry => "retry",
            Change::Abandon { .. } => "abandon",
            Change::DropPieces { .. } => "drop_pieces",
        }
    }
}

/// A change that an operation can't make from where it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an operation that is {state} can't {change}")]
pub struct Refusal {
    /// The state it is in.
    pub state: &'static str,
    /// What was wanted.
    pub change: &'static str,
}

impl Operation {
    /// The operation after a change.
    ///
    /// # Errors
    /// `Refusal` if the change isn't in the picture at the head of this file.
    pub fn apply(mut self, change: &Change, at: Timestamp) -> Result<Self, Refusal> {
        if let Change::DropPieces { pieces } = change {
            self.pieces.retain(|piece| !pieces.contains(piece));
            return Ok(self);
        }
        let next = self.state.after(change, at)?;
        match change {
            Change::Retry | Change::Requeue { .. } => self.attempt += 1,
            Change::Finish { recorded } => self.recorded.extend(recorded.clone()),
            Change::Begin { window_exceeded, .. } => self.window_exceeded = *window_exceeded,
            Change::Start { .. }
            | Change::Sent
            | Change::Run
            | Change::Progress { .. }
            | Change::Hold { .. }
            | Change::Resume
            | Change::Fail { .. }
            | Change::LoseSight { .. }
            | Change::Abandon { .. }
            | Change::DropPieces { .. } => {}
        }
        self.state = next;
        Ok(self)
    }

    /// The name of this attempt's print on a device, if it is one: never the same for two attempts.
    #[must_use]
    pub fn print_job(&self) -> Option<String> {
        self.print_on.as_ref().map(|on| format!("{}-{}", on.label.to_ascii_lowercase(), self.attempt))
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what isn't in the picture is refused, whatever is added")]
impl OperationState {
    /// The word that is shown and sent.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            OperationState::Planned => "planned",
            OperationState::Starting { .. } => "starting",
            OperationState::Running { .. } => "running",
            OperationState::Held { .. } => "held",
            OperationState::Unknown { .. } => "unknown",
            OperationState::Done { .. } => "done",
            OperationState::Failed { .. } => "failed",
            OperationState::Abandoned { .. } => "abandoned",
        }
    }

    /// Whether work may still come.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self, OperationState::Done { .. } | OperationState::Abandoned { .. })
    }

    /// Since when it runs, or ran.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            OperationState::Starting { since, .. }
            | OperationState::Running { since, .. }
            | OperationState::Held { since, .. }
            | OperationState::Unknown { since, .. }
            | OperationState::Done { since, .. } => Some(*since),
            OperationState::Planned | OperationState::Failed { .. } | OperationState::Abandoned { .. } => {
                None
            }
        }
    }

    /// The station that it occupies now, if any.
    #[must_use]
    pub fn occupies(&self) -> Option<&str> {
        match self {
            OperationState::Starting { station, .. }
            | OperationState::Running { station, .. }
            | OperationState::Held { station, .. }
            | OperationState::Unknown { station, .. } => Some(station),
            OperationState::Planned
            | OperationState::Done { .. }
            | OperationState::Failed { .. }
            | OperationState::Abandoned { .. } => None,
        }
    }

    fn after(&self, change: &Change, at: Timestamp) -> Result<Self, Refusal> {
        let refused = || Refusal { state: self.word(), change: change.word() };
        match self {
            Self::Planned => Self::after_planned(change, at).ok_or_else(refused),
            Self::Starting { station, since, sent } => {
                Self::after_starting(change, at, station, *since, *sent).ok_or_else(refused)
            }
            Self::Running { station, since, permille } => {
                Self::after_running(change, at, station, *since, *permille).ok_or_else(refused)
            }
            Self::Held { station, since, permille, .. } => {
                Self::after_held(change, at, station, *since, *permille).ok_or_else(refused)
            }
            Self::Unknown { station, since, permille, .. } => {
                Self::after_unknown(change, at, station, *since, *permille).ok_or_else(refused)
            }
            Self::Failed { .. } => match change {
                Change::Retry => Ok(Self::Planned),
                Change::Abandon { reason } => Ok(Self::Abandoned { reason: reason.clone() }),
                _ => Err(refused()),
            },
            Self::Done { .. } | Self::Abandoned { .. } => Err(refused()),
        }
    }

    fn after_planned(change: &Change, at: Timestamp) -> Option<Self> {
        match change {
            Change::Start { station } => {
                Some(Self::Starting { station: station.clone(), since: at, sent: false })
            }
            Change::Begin { station, .. } => {
                Some(Self::Running { station: station.clone(), since: at, permille: 0 })
            }
            Change::Abandon { reason } => Some(Self::Abandoned { reason: reason.clone() }),
            _ => None,
        }
    }

    fn after_starting(
        change: &Change,
        at: Timestamp,
        station: &str,
        since: Timestamp,
        sent: bool,
    ) -> Option<Self> {
        match change {
            Change::Sent if !sent => Some(Self::Starting { station: station.to_owned(), since, sent: true }),
            Change::Run if sent => {
                Some(Self::Running { station: station.to_owned(), since: at, permille: 0 })
            }
            Change::Requeue { .. } if !sent => Some(Self::Planned),
            Change::Hold { .. } if sent => Self::after_running(change, at, station, since, 0),
            Change::Fail { .. } | Change::LoseSight { .. } => {
                Self::after_running(change, at, station, since, 0)
            }
            _ => None,
        }
    }

    fn after_running(
        change: &Change,
        at: Timestamp,
        station: &str,
        since: Timestamp,
        permille: u16,
    ) -> Option<Self> {
        let station = station.to_owned();
        match change {
            Change::Progress { permille } => Some(Self::Running { station, since, permille: *permille }),
            Change::Hold { reason } => Some(Self::Held { station, since, permille, reason: reason.clone() }),
            Change::Finish { .. } => Some(Self::Done { station, since, at }),
            Change::Fail { cause } => Some(Self::Failed { station, at, cause: cause.clone() }),
            Change::LoseSight { reason } => {
                Some(Self::Unknown { station, since, permille, reason: reason.clone() })
            }
            _ => None,
        }
    }

    fn after_held(
        change: &Change,
        at: Timestamp,
        station: &str,
        since: Timestamp,
        permille: u16,
    ) -> Option<Self> {
        match change {
            Change::Resume => Some(Self::Running { station: station.to_owned(), since, permille }),
            Change::Finish { .. } | Change::Fail { .. } | Change::LoseSight { .. } => {
                Self::after_running(change, at, station, since, permille)
            }
            _ => None,
        }
    }

    fn after_unknown(
        change: &Change,
        at: Timestamp,
        station: &str,
        since: Timestamp,
        permille: u16,
    ) -> Option<Self> {
        match change {
            Change::Run => Some(Self::Running { station: station.to_owned(), since, permille }),
            Change::Hold { .. } | Change::Finish { .. } | Change::Fail { .. } => {
                Self::after_running(change, at, station, since, permille)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_000);

    fn walk(changes: &[Change]) -> Result<OperationState, Refusal> {
        changes.iter().try_fold(OperationState::Planned, |state, change| state.after(change, AT))
    }

    fn start() -> Change {
        Change::Start { station: "resin-1".into() }
    }

    fn lose_sight() -> Change {
        Change::LoseSight { reason: "line lost".into() }
    }

    #[test]
    fn a_print_runs_only_after_its_start_was_recorded_and_sent() {
        assert!(walk(&[start(), Change::Run]).is_err());
        assert!(walk(&[Change::Run]).is_err());
        assert!(matches!(walk(&[start(), Change::Sent, Change::Run]), Ok(OperationState::Running { .. })));
    }

    #[test]
    fn a_start_that_may_have_left_is_never_queued_again_by_itself() {
        let requeue = Change::Requeue { reason: "restart".into() };
        assert_eq!(walk(&[start(), requeue.clone()]), Ok(OperationState::Planned));
        assert!(walk(&[start(), Change::Sent, requeue]).is_err());
    }

    #[test]
    fn an_unknown_operation_leaves_only_by_device_or_person() {
        let unknown = [start(), Change::Sent, lose_sight()];
        for change in [start(), Change::Retry, Change::Resume, Change::Abandon { reason: "new plan".into() }]
        {
            let mut walk_on = unknown.to_vec();
            walk_on.push(change);
            assert!(walk(&walk_on).is_err(), "{walk_on:?}");
        }
        let mut finished = unknown.to_vec();
        finished.push(Change::Finish { recorded: BTreeMap::new() });
        assert!(matches!(walk(&finished), Ok(OperationState::Done { .. })));
    }

    #[test]
    fn nothing_happens_to_a_done_operation() {
        let done = [
            Change::Begin { station: "bench".into(), window_exceeded: None },
            Change::Finish { recorded: BTreeMap::new() },
        ];
        for change in [Change::Retry, Change::Fail { cause: "x".into() }, start(), lose_sight()] {
            let mut walk_on = done.to_vec();
            walk_on.push(change);
            assert!(walk(&walk_on).is_err(), "{walk_on:?}");
        }
    }
}
