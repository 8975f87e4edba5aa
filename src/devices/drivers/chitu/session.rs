//! One conversation with a ChiTu board: one question, one answer; what comes late is passed over.
//!
//! ```text
//!   Closed --Opened--> Hello --version--> Ready --three questions unanswered--> Hello
//!
//!   a print:  Starting --total > 0, our file--> Running --idle, 99 % seen before--> Finished
//!                |  idle for 5 s                   |  idle, 99 % not seen
//!                v                                 v
//!          asked again, or Unclear              Stopped (Unclear if the line was lost meanwhile)
//! ```
//!
//! Since replies have no checksum, a change (idle, paused, near the end) counts when it was read twice running.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::devices::drivers::chitu::Settings;
use crate::devices::drivers::chitu::reply::{self, Status};
use crate::devices::drivers::chitu::transfer::{Outcome, Transfer, file_name};
use crate::devices::session::{Command, Doing, Fact, Input, JobName, Output, Session};
use crate::devices::wire::lines::LineSplitter;
use crate::units::Tick;

/// Readings in a row that make a change believed.
const TWICE: u32 = 2;
/// After an unanswered question the next one waits this long, so that a late answer isn't taken for its own.
const QUIET: Duration = Duration::from_millis(100);
/// Unanswered questions until the printer counts as offline.
const UNANSWERED_MAX: u32 = 3;
/// A started print must show within this time; boards take up to 2 s, public hosts found.
const START_SETTLE: Duration = Duration::from_secs(5);
/// A start whose answer was lost is sent again only where the print can't have come and gone meanwhile.
const START_AGAIN_IF_LONGER: Duration = Duration::from_secs(60);
/// Tries of a start, pause, resume or stop.
const COMMAND_TRIES: u32 = 3;
const COMMAND_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// Some boards show the file at its end until somebody touches the display. Our choice.
const COMPLETE_AFTER: Duration = Duration::from_secs(60);
/// Upload progress is told this often at most.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// One conversation.
#[derive(Debug)]
pub struct ChituSession {
    settings: Settings,
    phase: Phase,
    lines: LineSplitter,
    outputs: VecDeque<Output>,
    asked: Option<Asked>,
    /// No question before this tick.
    quiet_until: Tick,
    unanswered: u32,
    poll_at: Tick,
    transfer: Option<Transfer>,
    loaded: Option<JobName>,
    print: Option<Print>,
    last: Option<Status>,
    selected: Option<String>,
    /// A report is due; it needs a fresh status and a fresh name.
    report: Report,
    /// This board's status has no `D:`; `M27` is asked instead.
    lacks_progress: bool,
    is_online: bool,
    offline_reason: Option<String>,
    told_progress_at: Option<Tick>,
    heard_noise: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Hello { tries: u32 },
    Ready,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Version,
    Status,
    Position,
    Selected,
    CloseFile,
    Start,
    Pause,
    Resume,
    Stop,
}

#[derive(Debug)]
struct Asked {
    what: Ask,
    until: Tick,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    No,
    NeedsStatus,
    NeedsName,
    Due,
}

#[derive(Debug)]
struct Print {
    job: JobName,
    stage: Stage,
    paused: bool,
    /// Readings in a row of: idle, near the end, the other state of `paused`.
    idle: u32,
    near_end: u32,
    other_paused: u32,
    complete_since: Option<Tick>,
    /// When nine tenths of the expected time will be over; unknown for a print that was found running.
    due_at: Option<Tick>,
    /// The line was lost since the print was last seen.
    blind: bool,
    wish: Option<Wish>,
    stop_reason: Option<String>,
}

#[derive(Debug)]
enum Stage {
    Starting {
        expected: Duration,
        since: Tick,
        tries: u32,
        answer: Answer,
    },
    /// Something prints; its name is being asked for.
    Naming {
        tries: u32,
    },
    Running,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// The start must be sent.
    ToSend,
    None,
    Ok,
    Error(String),
}

/// A command that the status must confirm.
#[derive(Debug)]
struct Wish {
    what: Ask,
    tries: u32,
    next_at: Tick,
}

impl Session for ChituSession {
    fn handle(&mut self, now: Tick, input: Input<'_>) {
        match input {
            Input::Opened => self.on_opened(now),
            Input::Received(bytes) => self.on_bytes(now, bytes),
            Input::Command(command) => self.on_command(now, command),
            Input::Timeout => self.on_timeout(now),
            Input::Lost(reason) => self.on_lost(reason),
        }
        self.follow_transfer(now);
        self.ask_next(now);
    }

    fn poll(&mut self) -> Output {
        if let Some(bytes) = self.transfer.as_mut().and_then(Transfer::take_transmit) {
            return Output::Transmit(bytes);
        }
        self.outputs.pop_front().unwrap_or_else(|| Output::Wait(self.deadline()))
    }
}

impl ChituSession {
    /// A conversation on a line that is still closed.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            phase: Phase::Closed,
            lines: LineSplitter::default(),
            outputs: VecDeque::new(),
            asked: None,
            quiet_until: Tick(0),
            unanswered: 0,
            poll_at: Tick(0),
            transfer: None,
            loaded: None,
            print: None,
            last: None,
            selected: None,
            report: Report::No,
            lacks_progress: false,
            is_online: false,
            offline_reason: None,
            told_progress_at: None,
            heard_noise: false,
        }
    }

    fn on_opened(&mut self, now: Tick) {
        self.lines.clear();
        self.greet(now);
    }

    fn greet(&mut self, now: Tick) {
        self.asked = None;
        self.unanswered = 0;
        self.heard_noise = false;
        self.report = Report::NeedsStatus;
        self.quiet_until = now.after(QUIET);
        self.phase = Phase::Hello { tries: 0 };
    }

    fn on_lost(&mut self, reason: &str) {
        self.phase = Phase::Closed;
        self.asked = None;
        self.lines.clear();
        self.last = None;
        if let Some(print) = &mut self.print {
            print.go_blind();
        }
        self.fail_transfer("the line to the printer was lost: load the file again");
        self.go_offline(reason.to_owned());
    }

    // ---- what the printer says -------------------------------------------------------------------------

    fn on_bytes(&mut self, now: Tick, bytes: &[u8]) {
        if let Some(transfer) = &mut self.transfer {
            transfer.on_bytes(now, bytes);
            return;
        }
        self.heard_noise |= !bytes.is_empty();
        for line in self.lines.push(bytes) {
            self.on_line(now, &line);
        }
    }

    fn on_line(&mut self, now: Tick, line: &str) {
        let Some(asked) = &mut self.asked else { return };
        if line == "wait" {
            // Busy here; with Repetier firmware it would mean the opposite.
            asked.until = now.after(Duration::from_millis(self.settings.reply_ms));
            return;
        }
        let what = asked.what;
        let is_answer = match what {
            Ask::Version => self.on_version(line),
            Ask::Status => self.on_status_line(now, line),
            Ask::Position => self.on_position_line(now, line),
            Ask::Selected => self.on_selected(line),
            Ask::CloseFile | Ask::Pause | Ask::Resume | Ask::Stop => {
                reply::is_plain_ok(line) || reply::error(line).is_some()
            }
            Ask::Start => self.on_start_answer(line),
        };
        if is_answer {
            self.asked = None;
            self.unanswered = 0;
            if matches!(what, Ask::Start | Ask::Pause | Ask::Resume | Ask::Stop) {
                self.poll_at = now;
            }
        }
    }

    fn on_version(&mut self, line: &str) -> bool {
        let Some(version) = reply::version(line) else { return false };
        self.phase = Phase::Ready;
        self.offline_reason = None;
        self.poll_at = Tick(0);
        if !self.is_online {
            self.is_online = true;
            self.say(Fact::Online { identity: version.to_owned() });
        }
        true
    }

    fn on_status_line(&mut self, now: Tick, line: &str) -> bool {
        if let Some(status) = reply::status(line) {
            self.on_status(now, status);
            return true;
        }
        if line.starts_with("ok B:") && !line.contains(" D:") {
            self.lacks_progress = true;
            return true;
        }
        false
    }

    fn on_position_line(&mut self, now: Tick, line: &str) -> bool {
        let Some(status) = reply::position(line) else { return false };
        self.on_status(now, status);
        true
    }

    fn on_selected(&mut self, line: &str) -> bool {
        let Some(name) = reply::selected(line) else { return false };
        self.selected = (!name.is_empty()).then_some(name);
        self.on_named();
        true
    }

    fn on_start_answer(&mut self, line: &str) -> bool {
        let given = match reply::error(line) {
            Some(text) => Answer::Error(text.to_owned()),
            None if reply::is_plain_ok(line) => Answer::Ok,
            None => return false,
        };
        if let Some(Print { stage: Stage::Starting { answer, .. }, .. }) = &mut self.print {
            *answer = given;
        }
        true
    }

    // ---- the print -------------------------------------------------------------------------------------

    fn on_status(&mut self, now: Tick, status: Status) {
        let before = self.last.replace(status);
        if let Phase::Hello { .. } = self.phase {
            return;
        }
        if self.report == Report::NeedsStatus {
            self.report = Report::NeedsName;
        }
        let Some(print) = &mut self.print else {
            let is_new = !status.is_idle() && before.is_some_and(|before| !before.is_idle());
            if is_new && self.report == Report::No {
                // Somebody started a print at the display.
                self.report = Report::NeedsName;
            }
            return;
        };
        print.count(now, status);
        match print.stage {
            Stage::Starting { .. } => self.on_starting(now, status),
            Stage::Naming { .. } => {}
            Stage::Running => self.on_running(now, status),
        }
    }

    fn on_starting(&mut self, now: Tick, status: Status) {
        let Some(print) = &mut self.print else { return };
        let Stage::Starting { expected, since, tries, answer } = &mut print.stage else { return };
        if !status.is_idle() {
            print.blind = false;
            print.stage = Stage::Naming { tries: 0 };
            return;
        }
        if *answer == Answer::ToSend || now.since(*since) < START_SETTLE || print.idle < TWICE {
            return;
        }
        let cannot_have_run = match answer {
            // A garbled command is refused too.
            Answer::Error(_) => true,
            Answer::None => *expected >= START_AGAIN_IF_LONGER,
            Answer::Ok | Answer::ToSend => false,
        };
        if cannot_have_run && !print.blind && *tries < COMMAND_TRIES {
            *answer = Answer::ToSend;
            return;
        }
        let answer = answer.clone();
        match answer {
            Answer::Error(text) => {
                self.end_stopped(&format!("the printer refuses to start (\"{text}\"): look at its display"));
            }
            Answer::Ok | Answer::None | Answer::ToSend => {
                self.end_unclear("the printer was told to start and shows no print: look at the plate");
            }
        }
    }

    /// The name of the selected file has come, or never will.
    fn on_named(&mut self) {
        if self.report == Report::NeedsName {
            self.report = Report::Due;
        }
        let selected = self.selected.clone();
        let Some(print) = &mut self.print else { return };
        let Stage::Naming { .. } = print.stage else { return };
        let is_ours =
            selected.is_none_or(|name| name.eq_ignore_ascii_case(&file_name(&self.settings, &print.job)));
        if is_ours {
            print.stage = Stage::Running;
            let job = print.job.clone();
            self.say(Fact::Started { job });
        } else {
            self.end_unclear("the printer prints another file than it was told: look at its display");
        }
    }

    fn on_running(&mut self, now: Tick, status: Status) {
        let Some(print) = &mut self.print else { return };
        let job = print.job.clone();
        if !status.is_idle() {
            print.blind = false;
            if print.other_paused >= TWICE {
                self.on_paused_changed(status.paused);
            }
            self.say(Fact::Progress { job, done: status.done, total: status.total });
        }
        let Some(print) = &self.print else { return };
        let is_complete = print.complete_since.is_some_and(|since| now.since(since) >= COMPLETE_AFTER);
        if print.idle < TWICE && !is_complete {
            return;
        }
        if let Some(reason) = print.stop_reason.clone() {
            self.end_stopped(&reason);
        } else if print.near_end >= TWICE {
            let job = print.job.clone();
            self.print = None;
            self.say(Fact::Finished { job });
        } else if print.blind {
            self.end_unclear("the print ended while the line to the printer was lost: look at the plate");
        } else if print.near_end > 0 || self.may_have_ended(now) {
            self.end_unclear(
                "the print ended about when it should, but its end was not seen: look at the plate",
            );
        } else {
            self.end_stopped(
                "the print was stopped at the printer, or the printer was switched off: clear the plate",
            );
        }
    }

    /// True if the print was due to end before the printer was looked at again; also where it was taken up in the
    /// middle and nobody knows when it is due.
    fn may_have_ended(&self, now: Tick) -> bool {
        let between_looks = Duration::from_millis(self.settings.poll_ms) * 2;
        let due = self.print.as_ref().and_then(|print| print.due_at);
        due.is_none_or(|due| now.after(between_looks) >= due)
    }

    fn on_paused_changed(&mut self, paused: bool) {
        let Some(print) = &mut self.print else { return };
        print.paused = paused;
        print.other_paused = 0;
        let was_asked =
            print.wish.take_if(|wish| wish.what == (if paused { Ask::Pause } else { Ask::Resume }));
        let job = print.job.clone();
        let by = if was_asked.is_some() { "asked for" } else { "paused at the printer" };
        let fact = if paused { Fact::Paused { job, reason: by.into() } } else { Fact::Resumed { job } };
        self.say(fact);
    }

    fn end_stopped(&mut self, reason: &str) {
        if let Some(print) = self.print.take() {
            self.say(Fact::Stopped { job: print.job, reason: reason.to_owned() });
        }
    }

    fn end_unclear(&mut self, reason: &str) {
        if let Some(print) = self.print.take() {
            self.say(Fact::Unclear { job: print.job, reason: reason.to_owned() });
        }
    }

    fn say_report(&mut self) {
        self.report = Report::No;
        let Some(status) = self.last else { return };
        let job = self.selected.as_ref().map(|name| self.job_of(name));
        if status.is_idle() {
            self.say(Fact::Report(Doing::Idle { selected: job.map(|job| job.0) }));
            return;
        }
        if self.print.is_none()
            && let Some(job) = job.clone()
        {
            self.print = Some(Print::running(job, status.paused));
        }
        self.say(Fact::Report(Doing::Printing { job, paused: status.paused }));
        let is_other = self.print.as_ref().is_some_and(|print| {
            matches!(print.stage, Stage::Running)
                && self.selected.as_ref().is_some_and(|name| self.job_of(name) != print.job)
        });
        if is_other {
            self.end_unclear("the printer now prints another file: look at its display and at the plate");
        }
    }

    fn job_of(&self, name: &str) -> JobName {
        let stem = name.strip_suffix(&format!(".{}", self.settings.extension)).unwrap_or(name);
        JobName(stem.to_owned())
    }

    // ---- what the daemon wants -------------------------------------------------------------------------

    fn on_command(&mut self, now: Tick, command: Command) {
        match command {
            Command::Load { job, file } => self.load(now, job, file),
            Command::Start { job, expected } => self.start(now, &job, expected),
            Command::Query => {
                if self.report == Report::No {
                    self.report = Report::NeedsStatus;
                }
            }
            Command::Pause => self.wish(now, Ask::Pause, "pause"),
            Command::Resume => self.wish(now, Ask::Resume, "resume"),
            Command::Cancel => self.stop(now, "cancelled"),
            Command::EmergencyStop => self.emergency_stop(now),
        }
    }

    fn load(&mut self, now: Tick, job: JobName, file: Arc<[u8]>) {
        let is_printing = self.print.is_some() || self.last.is_some_and(|status| !status.is_idle());
        let refused = if !self.is_online {
            Some("the printer is offline: see its status")
        } else if self.transfer.is_some() {
            Some("another file is being loaded: wait for its end")
        } else if is_printing {
            Some("a print is running: wait for its end")
        } else if file.is_empty() || u32::try_from(file.len()).is_err() {
            Some("the file is empty or larger than the printer can take: slice the plate again")
        } else {
            None
        };
        if let Some(reason) = refused {
            self.say(Fact::LoadFailed { job, reason: reason.into() });
            return;
        }
        self.loaded = None;
        self.asked = None;
        self.transfer = Some(Transfer::start(now, &self.settings, job, file));
    }

    fn start(&mut self, now: Tick, job: &JobName, expected: Duration) {
        if self.print.as_ref().is_some_and(|print| print.job == *job) {
            return;
        }
        if !self.is_online || self.print.is_some() || self.transfer.is_some() {
            self.refuse("start", "the printer is not ready");
            return;
        }
        if self.loaded.as_ref() != Some(job) {
            self.refuse("start", "this print is not loaded");
            return;
        }
        self.loaded = None;
        self.print = Some(Print::starting(job.clone(), expected, now));
    }

    fn wish(&mut self, now: Tick, what: Ask, command: &'static str) {
        let is_running = self.print.as_ref().is_some_and(|print| matches!(print.stage, Stage::Running));
        match self.print.as_mut().filter(|_| is_running) {
            Some(print) => print.wish = Some(Wish { what, tries: 0, next_at: now }),
            None => self.refuse(command, "no print is running"),
        }
    }

    fn stop(&mut self, now: Tick, reason: &str) {
        if let Some(transfer) = self.transfer.take() {
            self.outputs.push_back(Output::Transmit(b"M29\r\n".to_vec()));
            self.quiet_until = now.after(QUIET);
            self.say(Fact::LoadFailed { job: transfer.job, reason: reason.to_owned() });
            return;
        }
        let Some(print) = &mut self.print else {
            self.refuse("cancel", "no print is running");
            return;
        };
        print.stop_reason = Some(reason.to_owned());
        if let Stage::Starting { answer: Answer::ToSend, tries: 0, .. } = print.stage {
            self.end_stopped(reason);
            return;
        }
        print.stage = Stage::Running;
        print.wish = Some(Wish { what: Ask::Stop, tries: 0, next_at: now });
    }

    fn emergency_stop(&mut self, now: Tick) {
        let (code, text) = if self.phase == Phase::Closed {
            ("emergency-stop-not-sent", "the printer can't be reached: switch it off at the mains")
        } else {
            ("emergency-stop", "emergency stop was pressed: it stops the motors; see that the lamp is off")
        };
        self.say(Fact::Fault { code: code.into(), text: text.into() });
        let is_busy = self.print.is_some() || self.transfer.is_some();
        if self.phase != Phase::Closed && self.transfer.is_none() {
            self.outputs.push_front(Output::Transmit(b"M112\r\nM33\r\n".to_vec()));
            self.asked = None;
            self.quiet_until = now.after(QUIET);
        }
        if is_busy {
            self.stop(now, "emergency stop");
        }
    }

    // ---- what comes next -------------------------------------------------------------------------------

    fn on_timeout(&mut self, now: Tick) {
        if let Some(transfer) = &mut self.transfer {
            transfer.on_timeout(now);
            return;
        }
        let Some(asked) = self.asked.take_if(|asked| now >= asked.until) else { return };
        self.quiet_until = now.after(QUIET);
        self.unanswered += 1;
        match asked.what {
            Ask::Start | Ask::Pause | Ask::Resume | Ask::Stop => self.poll_at = now,
            Ask::Selected => self.on_no_name(),
            Ask::Version | Ask::Status | Ask::Position | Ask::CloseFile => {}
        }
        if let Phase::Hello { tries } = &mut self.phase {
            *tries += 1;
        }
        if self.unanswered >= UNANSWERED_MAX {
            self.on_unanswered(now);
        }
    }

    /// Boards without `M4006` exist; then the name stays unknown.
    fn on_no_name(&mut self) {
        if self.unanswered + 1 >= UNANSWERED_MAX {
            self.unanswered = 0;
            self.selected = None;
            self.on_named();
        }
    }

    fn on_unanswered(&mut self, now: Tick) {
        self.unanswered = 0;
        let reason = if self.heard_noise {
            "something answers, but not like a ChiTu printer: check `baud`, `port` and `driver`, then the cable"
        } else {
            "the printer doesn't answer: check its power and cable, and `port` and `baud` of the line"
        };
        self.go_offline(reason.to_owned());
        if self.phase == Phase::Ready {
            if let Some(print) = &mut self.print {
                print.go_blind();
            }
            self.last = None;
            self.greet(now);
        }
        self.heard_noise = false;
    }

    fn follow_transfer(&mut self, now: Tick) {
        let Some(transfer) = &self.transfer else { return };
        match transfer.outcome() {
            Outcome::Going => {
                let fact = Fact::LoadProgress {
                    job: transfer.job.clone(),
                    bytes_done: transfer.bytes_done(),
                    bytes_total: transfer.bytes_total(),
                };
                if self.told_progress_at.is_none_or(|told| now.since(told) >= TELL_EVERY) {
                    self.told_progress_at = Some(now);
                    self.say(fact);
                }
            }
            Outcome::Done => {
                let job = transfer.job.clone();
                self.transfer = None;
                self.loaded = Some(job.clone());
                self.end_transfer(now);
                self.say(Fact::Loaded { job });
            }
            Outcome::Failed(reason) => {
                self.fail_transfer(&reason);
                self.end_transfer(now);
            }
        }
    }

    fn end_transfer(&mut self, now: Tick) {
        self.told_progress_at = None;
        self.lines.clear();
        self.quiet_until = now.after(QUIET);
        self.poll_at = now;
    }

    fn fail_transfer(&mut self, reason: &str) {
        if let Some(transfer) = self.transfer.take() {
            self.say(Fact::LoadFailed { job: transfer.job, reason: reason.to_owned() });
        }
    }

    fn ask_next(&mut self, now: Tick) {
        if self.report == Report::Due && self.transfer.is_none() {
            self.say_report();
        }
        if self.asked.is_some() || self.transfer.is_some() || now < self.quiet_until {
            return;
        }
        let what = match self.phase {
            Phase::Closed => None,
            Phase::Hello { tries } => Some(self.next_hello(tries)),
            Phase::Ready => self.next_question(now),
        };
        if let Some(what) = what {
            self.ask(now, what);
        }
    }

    /// A board that was left in the middle of an upload understands nothing but `M4000` and `M29`; the file is
    /// closed only where nothing prints.
    fn next_hello(&mut self, tries: u32) -> Ask {
        match tries % 3 {
            1 => {
                self.phase = Phase::Hello { tries: tries + 1 };
                Ask::Status
            }
            2 if self.last.take().is_some_and(Status::is_idle) => {
                self.phase = Phase::Hello { tries: tries + 1 };
                Ask::CloseFile
            }
            _ => Ask::Version,
        }
    }

    fn next_question(&mut self, now: Tick) -> Option<Ask> {
        if let Some(print) = &mut self.print {
            if let Stage::Starting { answer, tries, since, .. } = &mut print.stage
                && *answer == Answer::ToSend
            {
                *answer = Answer::None;
                *tries += 1;
                *since = now;
                print.idle = 0;
                return Some(Ask::Start);
            }
            if let Stage::Naming { tries } = &mut print.stage {
                *tries += 1;
                return Some(Ask::Selected);
            }
        }
        if let Some(what) = self.next_wish(now) {
            return Some(what);
        }
        match self.report {
            Report::NeedsStatus => Some(self.status_question(now)),
            Report::NeedsName => Some(Ask::Selected),
            Report::No | Report::Due if now >= self.poll_at => Some(self.status_question(now)),
            Report::No | Report::Due => None,
        }
    }

    fn next_wish(&mut self, now: Tick) -> Option<Ask> {
        let print = self.print.as_mut()?;
        let wish = print.wish.as_mut().filter(|wish| now >= wish.next_at)?;
        if wish.tries >= COMMAND_TRIES {
            print.wish = None;
            let text = "the printer doesn't do what it is told: use its display, and check the cable";
            self.say(Fact::Fault { code: "command-without-effect".into(), text: text.into() });
            return None;
        }
        wish.tries += 1;
        wish.next_at = now.after(COMMAND_AGAIN_AFTER);
        Some(wish.what)
    }

    fn status_question(&mut self, now: Tick) -> Ask {
        self.poll_at = now.after(Duration::from_millis(self.settings.poll_ms));
        if self.lacks_progress { Ask::Position } else { Ask::Status }
    }

    fn ask(&mut self, now: Tick, what: Ask) {
        let command = match what {
            Ask::Version => "M4002".to_owned(),
            Ask::Status => "M4000".to_owned(),
            Ask::Position => "M27".to_owned(),
            Ask::Selected => "M4006".to_owned(),
            Ask::CloseFile => "M29".to_owned(),
            Ask::Pause => "M25".to_owned(),
            Ask::Resume => "M24".to_owned(),
            Ask::Stop => "M33".to_owned(),
            Ask::Start => {
                let Some(print) = &self.print else { return };
                format!("M6030 '{}'", file_name(&self.settings, &print.job))
            }
        };
        self.lines.clear();
        self.outputs.push_back(Output::Transmit(format!("{command}\r\n").into_bytes()));
        self.asked = Some(Asked { what, until: now.after(Duration::from_millis(self.settings.reply_ms)) });
    }

    fn deadline(&self) -> Option<Tick> {
        if let Some(transfer) = &self.transfer {
            return Some(transfer.deadline());
        }
        if self.phase == Phase::Closed {
            return None;
        }
        if let Some(asked) = &self.asked {
            return Some(asked.until);
        }
        let wish = self.print.as_ref().and_then(|print| print.wish.as_ref()).map(|wish| wish.next_at);
        let next = wish.map_or(self.poll_at, |wish| wish.min(self.poll_at));
        Some(next.max(self.quiet_until))
    }

    // ---- what the daemon is told -----------------------------------------------------------------------

    fn say(&mut self, fact: Fact) {
        self.outputs.push_back(Output::Fact(fact));
    }

    fn refuse(&mut self, command: &'static str, reason: &str) {
        self.say(Fact::Refused { command, reason: reason.into() });
    }

    fn go_offline(&mut self, reason: String) {
        self.is_online = false;
        if self.offline_reason.as_ref() != Some(&reason) {
            self.offline_reason = Some(reason.clone());
            self.say(Fact::Offline { reason });
        }
    }
}

impl Print {
    fn starting(job: JobName, expected: Duration, now: Tick) -> Self {
        let stage = Stage::Starting { expected, since: now, tries: 0, answer: Answer::ToSend };
        Self { stage, due_at: Some(now.after(expected * 9 / 10)), ..Self::running(job, false) }
    }

    fn running(job: JobName, paused: bool) -> Self {
        Self {
            job,
            stage: Stage::Running,
            paused,
            idle: 0,
            near_end: 0,
            other_paused: 0,
            complete_since: None,
            due_at: None,
            blind: false,
            wish: None,
            stop_reason: None,
        }
    }

    fn go_blind(&mut self) {
        self.blind = true;
        self.idle = 0;
        self.other_paused = 0;
    }

    fn count(&mut self, now: Tick, status: Status) {
        self.idle = if status.is_idle() { self.idle + 1 } else { 0 };
        if status.is_idle() {
            self.complete_since = None;
            return;
        }
        let is_other = status.paused != self.paused;
        self.other_paused = if is_other { self.other_paused + 1 } else { 0 };
        if status.is_near_end() {
            self.near_end += 1;
        } else {
            self.near_end = 0;
        }
        let is_complete = status.done == status.total;
        self.complete_since = if is_complete { self.complete_since.or(Some(now)) } else { None };
    }
}
