//! Prints that the printer reads from its own card: written with `M28`, checked by their size, started and
//! watched; they go on while the daemon or the line is away.
//!
//! ```text
//!   Numbering -> Opening -> Writing -> Closing -> Selecting -> Loaded -> Starting -> Running <-> Paused
//!                   |          |                     |                                  |
//!                   +----------+------ Failing ------+                     Ending or Cancelling
//! ```

use std::time::Duration;

use super::{IDLE_BASE, JOB_BASE, MarlinSession};
use crate::devices::drivers::marlin::program::Program;
use crate::devices::session::{Doing, Fact, JobName};
use crate::devices::wire::gcode::Card;
use crate::units::Tick;

/// How often progress is asked for.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Times that a printer must say that it prints nothing: replies have no checksum.
const IDLE_TWICE: u32 = 2;
/// Tries to have a file opened.
const SELECT_TRIES: u32 = 3;
/// Stock firmware reads names of eight letters.
const NAME_CHARS: usize = 8;

/// What the card is used for.
#[derive(Debug)]
pub(super) struct CardPrint {
    job: JobName,
    name: String,
    stage: Stage,
    /// What is being written; none for a print that was found running.
    program: Option<Program>,
    /// Sizes that the file may have: with line ends of one and of two bytes.
    sizes: [u64; 2],
    is_writing: bool,
    opened: Option<u64>,
    trouble: Option<String>,
    done: u64,
    total: u64,
    idle: u32,
    is_done: bool,
    ask_at: Tick,
}

#[derive(Debug, Clone, PartialEq)]
enum Stage {
    Numbering,
    Opening,
    Writing,
    Closing,
    Selecting { tries: u32 },
    Failing { step: u32, reason: String },
    Loaded,
    Starting { step: u32 },
    Running,
    Pausing { sent: bool, reason: String },
    Paused,
    Resuming { sent: bool },
    Ending,
    Cancelling { step: usize, reason: String },
}

/// What the card said while the printer was greeted.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) name: Option<String>,
    pub(super) printing: Option<(u64, u64)>,
    /// The firmware counts from the beginning: it was reset.
    pub(super) is_fresh: bool,
}

impl CardPrint {
    fn new(job: JobName, name: String, stage: Stage) -> Self {
        Self {
            job,
            name,
            stage,
            program: None,
            sizes: [0; 2],
            is_writing: false,
            opened: None,
            trouble: None,
            done: 0,
            total: 0,
            idle: 0,
            is_done: false,
            ask_at: Tick(0),
        }
    }

    /// No other line may come between these: it would be written into the file.
    fn is_exclusive(&self) -> bool {
        matches!(
            self.stage,
            Stage::Numbering | Stage::Opening | Stage::Writing | Stage::Closing | Stage::Failing { .. }
        )
    }

    /// The printer works on it by itself.
    fn is_running(&self) -> bool {
        match self.stage {
            Stage::Starting { .. }
            | Stage::Running
            | Stage::Pausing { .. }
            | Stage::Paused
            | Stage::Resuming { .. }
            | Stage::Ending
            | Stage::Cancelling { .. } => true,
            Stage::Numbering
            | Stage::Opening
            | Stage::Writing
            | Stage::Closing
            | Stage::Selecting { .. }
            | Stage::Failing { .. }
            | Stage::Loaded => false,
        }
    }

    fn permille(&self) -> u64 {
        (self.done * 1000).checked_div(self.total).unwrap_or(0)
    }
}

impl MarlinSession {
    pub(super) fn card_is_exclusive(&self) -> bool {
        self.card.as_ref().is_some_and(CardPrint::is_exclusive)
    }

    pub(super) fn card_is_printing(&self) -> bool {
        self.card.as_ref().is_some_and(CardPrint::is_running)
    }

    pub(super) fn card_ask_at(&self) -> Option<Tick> {
        self.card.as_ref().filter(|card| card.stage == Stage::Running).map(|card| card.ask_at)
    }

    pub(super) fn card_doing(&self) -> Option<Doing> {
        let card = self.card.as_ref().filter(|card| card.is_running())?;
        Some(Doing::Printing { job: Some(card.job.clone()), paused: card.stage == Stage::Paused })
    }

    // ---- what the daemon wants -------------------------------------------------------------------------

    /// Writes a program that was checked to the card.
    pub(super) fn write_to_card(&mut self, now: Tick, mut program: Program) {
        let job = program.job.clone();
        if job.0.len() > NAME_CHARS {
            let reason = format!("the card takes names of {NAME_CHARS} letters and \"{}\" has more", job.0);
            self.say(Fact::LoadFailed { job, reason });
            return;
        }
        let (mut lines, mut bytes) = (0, 0);
        while let Some(line) = program.next_line() {
            lines += 1;
            bytes += u64::try_from(line.len()).unwrap_or(u64::MAX);
        }
        program.rewind();
        let mut card =
            CardPrint::new(job, format!("{}.GCO", program.job.0.to_ascii_uppercase()), Stage::Numbering);
        card.sizes = [bytes + lines, bytes + 2 * lines];
        card.program = Some(program);
        self.card = Some(card);
        self.heard_at = now;
        self.moved_at = now;
        self.channel.restart(now, JOB_BASE);
    }

    /// False if this print isn't loaded.
    pub(super) fn start_from_card(&mut self, job: &JobName) -> bool {
        let Some(card) = self.card.as_mut().filter(|card| card.job == *job) else { return false };
        if card.stage == Stage::Loaded {
            card.stage = Stage::Starting { step: 0 };
        }
        card.is_running()
    }

    pub(super) fn pause_card(&mut self, reason: &str) -> bool {
        let Some(card) = self.card.as_mut().filter(|card| card.is_running()) else { return false };
        if card.stage == Stage::Running {
            card.stage = Stage::Pausing { sent: false, reason: reason.to_owned() };
        }
        true
    }

    pub(super) fn resume_card(&mut self) -> bool {
        let Some(card) = self.card.as_mut().filter(|card| card.is_running()) else { return false };
        if card.stage == Stage::Paused {
            card.stage = Stage::Resuming { sent: false };
        }
        true
    }

    pub(super) fn cancel_card(&mut self, reason: &str) -> bool {
        let Some(card) = self.card.as_mut().filter(|card| card.is_running()) else { return false };
        if !matches!(card.stage, Stage::Cancelling { .. }) {
            card.stage = Stage::Cancelling { step: 0, reason: reason.to_owned() };
        }
        true
    }

    // ---- what the printer says -------------------------------------------------------------------------

    pub(super) fn on_card(&mut self, said: Card) {
        if let Card::Current(name) = &said {
            self.found_on_card.name.clone_from(name);
        }
        if let Card::Printing { done, total } = said {
            self.found_on_card.printing = Some((done, total));
        }
        let Some(card) = &mut self.card else { return };
        match said {
            Card::Writing => card.is_writing = true,
            Card::OpenFailed => card.trouble = Some("the card can't open the file".into()),
            Card::Failed(text) => card.trouble = Some(format!("the card says \"{text}\"")),
            Card::Opened { name, bytes } if name.ends_with(&card.name) => card.opened = Some(bytes),
            Card::Printing { done, total } if card.stage == Stage::Running => {
                card.idle = 0;
                (card.done, card.total) = (done, total);
                let fact = Fact::Progress { job: card.job.clone(), done, total };
                self.say(fact);
            }
            Card::Idle if card.stage == Stage::Running => card.idle += 1,
            Card::Done if card.stage == Stage::Running => card.is_done = true,
            Card::Saved
            | Card::ListBegins
            | Card::ListEnds
            | Card::File { .. }
            | Card::Opened { .. }
            | Card::Printing { .. }
            | Card::Idle
            | Card::Current(_)
            | Card::Done => {}
        }
    }

    /// The firmware can't go on with what it did: it was reset or killed, or counts otherwise.
    pub(super) fn stop_card(&mut self, reason: &str) {
        let Some(card) = self.card.take() else { return };
        let (job, reason) = (card.job.clone(), reason.to_owned());
        if card.is_running() {
            self.say(Fact::Stopped { job, reason });
        } else if card.stage != Stage::Loaded {
            self.say(Fact::LoadFailed { job, reason });
        }
    }

    /// The line is gone. What the printer does by itself goes on; a file that is half written doesn't.
    pub(super) fn leave_card(&mut self, why: &str) {
        let Some(card) = &mut self.card else { return };
        match &card.stage {
            Stage::Cancelling { .. } => {
                card.stage = Stage::Cancelling { step: 0, reason: "cancelled".into() }
            }
            Stage::Resuming { .. } | Stage::Ending => card.stage = Stage::Running,
            Stage::Pausing { reason, .. } => {
                card.stage = Stage::Pausing { sent: false, reason: reason.clone() };
            }
            Stage::Starting { .. } => card.stage = Stage::Running,
            Stage::Running | Stage::Paused | Stage::Loaded => {}
            Stage::Numbering
            | Stage::Opening
            | Stage::Writing
            | Stage::Closing
            | Stage::Selecting { .. }
            | Stage::Failing { .. } => {
                self.stop_card(&format!("{why} while the file was written: load it again"))
            }
        }
    }

    /// After the greeting: goes on with the print that the printer is doing.
    pub(super) fn settle_card(&mut self, now: Tick) {
        let found = std::mem::take(&mut self.found_on_card);
        if found.is_fresh && self.card_is_printing() {
            self.stop_card("the printer was reset during the print: clear the plate and print again");
        }
        if let Some(card) = &mut self.card {
            card.ask_at = now;
            card.idle = 0;
            if found.printing.is_some() && card.stage == Stage::Paused {
                card.stage = Stage::Running;
            }
            return;
        }
        let stem = found.name.as_deref().and_then(|name| name.split('.').next()).map(str::to_ascii_lowercase);
        match (found.printing, stem) {
            (Some(_), Some(stem)) => {
                let card = CardPrint::new(JobName(stem), found.name.unwrap_or_default(), Stage::Running);
                self.card = Some(card);
            }
            (Some(_), None) => self.found = Doing::Printing { job: None, paused: false },
            (None, selected) => self.found = Doing::Idle { selected },
        }
    }

    // ---- what comes next -------------------------------------------------------------------------------

    /// The next line, now that everything before it was taken; false if there is none.
    pub(super) fn push_of_card(&mut self, now: Tick) -> bool {
        let Some(card) = &mut self.card else { return false };
        let name = card.name.clone();
        match card.stage.clone() {
            Stage::Numbering => self.enter(now, Stage::Opening, format!("M28 {name}")),
            Stage::Opening if card.is_writing && card.trouble.is_none() => {
                card.stage = Stage::Writing;
                true
            }
            Stage::Opening => self.fail("the card can't be written: check that it is in the printer"),
            Stage::Writing => self.write_next(now),
            Stage::Closing => self.enter(now, Stage::Selecting { tries: 1 }, format!("M23 {name}")),
            Stage::Selecting { tries } => self.check_size(now, tries),
            Stage::Failing { step: 0, reason } => {
                self.enter(now, Stage::Failing { step: 1, reason }, "M29".into())
            }
            Stage::Failing { step: 1, reason } => {
                self.enter(now, Stage::Failing { step: 2, reason }, format!("M30 {name}"))
            }
            Stage::Failing { reason, .. } => {
                self.stop_card(&reason);
                self.channel.restart(now, IDLE_BASE);
                true
            }
            Stage::Loaded | Stage::Paused => false,
            Stage::Starting { step: 0 } => {
                self.enter(now, Stage::Starting { step: 1 }, format!("M23 {name}"))
            }
            Stage::Starting { step: 1 } => self.enter(now, Stage::Starting { step: 2 }, "M24".into()),
            Stage::Starting { .. } => self.run_card(now, |job| Fact::Started { job }),
            Stage::Running => self.watch_card(now),
            Stage::Pausing { sent: false, reason } => {
                self.enter(now, Stage::Pausing { sent: true, reason }, "M25".into())
            }
            Stage::Pausing { reason, .. } => {
                card.stage = Stage::Paused;
                let job = card.job.clone();
                self.say(Fact::Paused { job, reason });
                true
            }
            Stage::Resuming { sent: false } => self.enter(now, Stage::Resuming { sent: true }, "M24".into()),
            Stage::Resuming { .. } => self.run_card(now, |job| Fact::Resumed { job }),
            Stage::Ending => {
                let job = card.job.clone();
                self.card = None;
                self.say(Fact::Finished { job });
                true
            }
            Stage::Cancelling { step, reason } => self.cancel_next(now, step, reason),
        }
    }

    fn enter(&mut self, now: Tick, stage: Stage, line: String) -> bool {
        if let Some(card) = &mut self.card {
            card.stage = stage;
        }
        self.push(now, line)
    }

    fn fail(&mut self, reason: &str) -> bool {
        if let Some(card) = &mut self.card {
            let trouble = card.trouble.take().map(|text| format!(" ({text})")).unwrap_or_default();
            card.stage = Stage::Failing { step: 0, reason: format!("{reason}{trouble}") };
        }
        true
    }

    fn write_next(&mut self, now: Tick) -> bool {
        let may_tell = self.may_tell_progress(now);
        let Some(card) = &mut self.card else { return false };
        if card.trouble.is_some() {
            return self.fail("the card can't be written: see that it has room and isn't locked");
        }
        let line = card.program.as_mut().and_then(Program::next_line);
        if let Some(program) = card.program.as_ref().filter(|_| may_tell) {
            let (job, bytes_total) = (card.job.clone(), program.bytes());
            let bytes_done = (bytes_total * program.done).checked_div(program.total).unwrap_or(0);
            self.say(Fact::LoadProgress { job, bytes_done, bytes_total });
        }
        match line {
            Some(line) => self.push(now, line),
            None => self.enter(now, Stage::Closing, "M29".into()),
        }
    }

    /// The file has arrived if it has the size of what was sent.
    fn check_size(&mut self, now: Tick, tries: u32) -> bool {
        let Some(card) = &mut self.card else { return false };
        match card.opened.take() {
            Some(bytes) if card.sizes.contains(&bytes) => {
                card.stage = Stage::Loaded;
                card.program = None;
                let job = card.job.clone();
                self.say(Fact::Loaded { job });
                self.channel.restart(now, IDLE_BASE);
                true
            }
            None if tries < SELECT_TRIES => {
                let line = format!("M23 {}", card.name);
                self.enter(now, Stage::Selecting { tries: tries + 1 }, line)
            }
            Some(bytes) => {
                let expected = card.sizes[1];
                self.fail(&format!(
                    "the file has {bytes} bytes on the card instead of {expected}: load it again"
                ))
            }
            None => self.fail("the card doesn't show the file that was written: check the card"),
        }
    }

    fn run_card(&mut self, now: Tick, fact: impl FnOnce(JobName) -> Fact) -> bool {
        let Some(card) = &mut self.card else { return false };
        card.stage = Stage::Running;
        card.ask_at = now;
        let fact = fact(card.job.clone());
        self.say(fact);
        true
    }

    fn watch_card(&mut self, now: Tick) -> bool {
        let Some(card) = &mut self.card else { return false };
        if card.is_done {
            // The file is read; the movements may still go on.
            return self.enter(now, Stage::Ending, "M400".into());
        }
        if card.idle >= IDLE_TWICE {
            return self.end_by_idle(now);
        }
        if now < card.ask_at {
            return false;
        }
        card.ask_at = now.after(ASK_EVERY);
        self.push(now, "M27".into())
    }

    /// It prints no more and didn't say why, or the line was away when it did.
    fn end_by_idle(&mut self, now: Tick) -> bool {
        let Some(card) = &mut self.card else { return false };
        let permille = card.permille();
        if permille >= 990 {
            return self.enter(now, Stage::Ending, "M400".into());
        }
        let job = card.job.clone();
        self.card = None;
        let reason = format!(
            "the printer no longer prints, and the print was last seen at {} %: look at the plate",
            permille / 10
        );
        self.say(Fact::Unclear { job, reason });
        true
    }

    fn cancel_next(&mut self, now: Tick, step: usize, reason: String) -> bool {
        let lines = ["M25", "M524"].into_iter().map(str::to_owned);
        let line = lines.chain(self.settings.after_cancel.iter().cloned()).nth(step);
        match line {
            Some(line) => self.enter(now, Stage::Cancelling { step: step + 1, reason }, line),
            None => {
                self.stop_card(&reason);
                true
            }
        }
    }
}
