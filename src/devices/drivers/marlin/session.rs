//! One conversation with a Marlin-like printer.
//!
//! ```text
//!   Closed --Opened--> Settling --quiet--> Asking --> Greeting --> Ready
//!     ^                   ^  ^                           |           |
//!     +------Lost---------+  +------- no answer ---------+-----------+-- start, silence
//!                         |                                          |
//!                         +---- start ---- Halted <-- Stopping <-----+-- kill, emergency stop
//! ```
//!
//! While `Ready` a stream goes `Numbering -> Feeding <-> Pausing/Paused -> Draining -> Proving`, or
//! `Cancelling`. The end is proved by the answer to an `M114` that is numbered after an `M400`: it can only come
//! when every line before it was taken in order and every movement is over.

use std::collections::VecDeque;
use std::time::Duration;

use crate::devices::drivers::marlin::channel::{Channel, Event};
use crate::devices::drivers::marlin::identity::{self, Abilities};
use crate::devices::drivers::marlin::program::{Check, Program};
use crate::devices::drivers::marlin::prompt::Prompt;
use crate::devices::drivers::marlin::readings::Readings;
use crate::devices::drivers::marlin::window::Limits;
use crate::devices::drivers::marlin::{Dialect, Settings};
use crate::devices::session::{Command, Doing, Fact, Input, JobName, Output, Session, Temperature};
use crate::devices::wire::gcode::{self, Reply};
use crate::devices::wire::lines::LineSplitter;
use crate::units::Tick;

mod card;

use card::{CardPrint, Found};

/// Line numbers outside prints start here, and those of prints there. A firmware that was reset counts from 0,
/// so its resends can never be taken for one of ours, and its count tells whether it was in a print.
const IDLE_BASE: u32 = 1000;
const JOB_BASE: u32 = 1_000_000;

/// The line must be quiet this long before the first word: a board that resets on opening prints its banner.
const SETTLE_QUIET: Duration = Duration::from_millis(200);
const SETTLE_MAX: Duration = Duration::from_secs(3);
/// How long the firmware has to say its last line number; it is no loss if it doesn't.
const ASK_WAIT: Duration = Duration::from_millis(500);
/// After this long without an answer the printer is called offline and greeted anew.
const GREETING_MAX: Duration = Duration::from_secs(5);
/// When the effect of an emergency stop is asked for, and when the answer must have come.
const STOP_CHECK: Duration = Duration::from_millis(500);
const STOP_VERDICT: Duration = Duration::from_millis(1500);
/// Bytes of a program that are checked in one step, so that other lines aren't held up.
const CHECK_BYTES: usize = 256 * 1024;
/// Progress and temperatures are told this often at most.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// Messages of the printer that stop nothing are passed on this often at most.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);
/// Tries to set the count before a print, and to get the proof after it.
const NUMBERING_TRIES: u32 = 5;
const PROOF_TRIES: u32 = 5;
/// Further questions which machine it is.
const MACHINE_TRIES: usize = 4;
/// Of an identity, so much is kept.
const IDENTITY_CHARS: usize = 120;

/// One conversation.
#[derive(Debug)]
pub struct MarlinSession {
    settings: Settings,
    phase: Phase,
    lines: LineSplitter,
    channel: Channel,
    outputs: VecDeque<Output>,
    /// The program being checked, and the one that is ready to start.
    loading: Option<Program>,
    loaded: Option<Program>,
    stream: Option<Stream>,
    /// A print on the printer's own card.
    card: Option<CardPrint>,
    found_on_card: Found,
    is_online: bool,
    identity: String,
    /// The name of the machine that answered first on this line; another one is refused.
    machine: Option<String>,
    /// What answered since the line was opened. A garbled name comes once, a true one again.
    machines: Vec<String>,
    asked_machine: usize,
    abilities: Abilities,
    readings: Readings,
    prompt: Prompt,
    offline_reason: Option<String>,
    /// What was found on the last connect.
    found: Doing,
    /// When the firmware last said something that makes sense, and when it last got on.
    heard_at: Tick,
    moved_at: Tick,
    poll_at: Tick,
    told_progress_at: Option<Tick>,
    told_temperatures_at: Option<Tick>,
    told_complaint_at: Option<Tick>,
    /// An error text whose resend or ok hasn't come yet.
    complaint: Option<String>,
    noise: Noise,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Closed,
    Settling { quiet_at: Tick, until: Tick },
    Asking { until: Tick },
    Greeting { since: Tick, step: Step },
    Ready,
    Stopping { since: Tick, asked: bool },
    Halted,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Number,
    Identify,
    KeepAlive,
    AutoReport,
    CardClosed,
    CardName,
    CardState,
}

#[derive(Debug)]
struct Stream {
    program: Program,
    stage: Stage,
    started: bool,
    numbering_tries: u32,
    /// The printer says that it waits for a person.
    waits_for_person: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Stage {
    Numbering,
    Feeding,
    Pausing { reason: String },
    Paused,
    Draining,
    Proving { tries: u32, proved: bool },
    Cancelling { step: usize, reason: String },
}

/// What came in while nobody answered properly: it tells a wrong baud rate from a dead printer.
#[derive(Debug, Default)]
struct Noise {
    bytes: u64,
    unprintable: u64,
}

impl Session for MarlinSession {
    fn handle(&mut self, now: Tick, input: Input<'_>) {
        match input {
            Input::Opened => self.on_opened(now),
            Input::Received(bytes) => self.on_bytes(now, bytes),
            Input::Command(command) => self.on_command(now, command),
            Input::Timeout => self.on_timeout(now),
            Input::Lost(reason) => self.on_lost(reason),
        }
        self.advance(now);
    }

    fn poll(&mut self) -> Output {
        if let Some(bytes) = self.channel.take_transmit() {
            return Output::Transmit(bytes);
        }
        self.outputs.pop_front().unwrap_or_else(|| Output::Wait(self.deadline()))
    }
}

impl MarlinSession {
    /// A conversation on a line that is still closed.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            phase: Phase::Closed,
            lines: LineSplitter::default(),
            channel: Channel::new(
                Duration::from_millis(settings.probe_ms),
                Limits { lines: settings.window_lines, buffer_bytes: settings.buffer_bytes },
            ),
            outputs: VecDeque::new(),
            loading: None,
            loaded: None,
            stream: None,
            card: None,
            found_on_card: Found::default(),
            is_online: false,
            identity: String::new(),
            machine: settings.machine.clone(),
            machines: Vec::new(),
            asked_machine: 0,
            abilities: Abilities::default(),
            readings: Readings::default(),
            prompt: Prompt::default(),
            offline_reason: None,
            found: Doing::Idle { selected: None },
            heard_at: Tick(0),
            moved_at: Tick(0),
            poll_at: Tick(0),
            told_progress_at: None,
            told_temperatures_at: None,
            told_complaint_at: None,
            complaint: None,
            noise: Noise::default(),
            settings,
        }
    }

    fn on_opened(&mut self, now: Tick) {
        self.channel.set_probing(self.settings.dialect.checks_lines);
        self.lines.clear();
        self.settle(now);
    }

    fn settle(&mut self, now: Tick) {
        self.channel.close();
        self.noise = Noise::default();
        self.abilities = Abilities::default();
        self.machines.clear();
        self.found_on_card = Found::default();
        self.asked_machine = 0;
        self.found = Doing::Idle { selected: None };
        self.phase = Phase::Settling { quiet_at: now.after(SETTLE_QUIET), until: now.after(SETTLE_MAX) };
    }

    fn on_lost(&mut self, reason: &str) {
        self.interrupt("the line to the printer was lost");
        self.leave_card("the line to the printer was lost");
        self.channel.close();
        self.lines.clear();
        self.phase = Phase::Closed;
        self.go_offline(reason.to_owned());
    }

    // ---- what the printer says -------------------------------------------------------------------------

    fn on_bytes(&mut self, now: Tick, bytes: &[u8]) {
        self.noise.count(bytes);
        if let Phase::Settling { quiet_at, .. } = &mut self.phase {
            *quiet_at = now.after(SETTLE_QUIET);
        }
        for line in self.lines.push(bytes) {
            self.on_reply(now, &line);
        }
    }

    fn on_reply(&mut self, now: Tick, line: &str) {
        let reply = gcode::parse(line);
        if !matches!(reply, Reply::Mangled | Reply::Other) {
            self.heard_at = now;
        }
        let is_at_work =
            matches!(reply, Reply::Ok { .. } | Reply::Busy | Reply::Temperatures(_) | Reply::Wait);
        if is_at_work && matches!(self.phase, Phase::Stopping { asked: true, .. }) {
            self.on_stop_denied();
            return;
        }
        match reply {
            Reply::Ok { line: number, free, temperatures } => {
                self.tell_temperatures(now, temperatures);
                if line.contains("FIRMWARE_NAME:") {
                    // Klipper says it in the `ok` itself.
                    self.on_firmware(line);
                }
                self.on_ok(now, number, free);
            }
            Reply::Resend(number) => self.on_resend(now, number),
            Reply::Busy => self.on_busy(now),
            Reply::PausedForUser => self.on_waits_for_person(now),
            Reply::Wait | Reply::Mangled => self.channel.on_mangled(now),
            Reply::Start => self.on_start(now),
            Reply::Fatal(text) => self.on_fatal(now, &text),
            Reply::Error(text) => self.complaint = Some(text),
            Reply::Temperatures(temperatures) => {
                // It reports by itself and need not be asked.
                self.poll_at = self.poll_at.max(now.after(Duration::from_millis(self.settings.poll_ms) * 2));
                self.tell_temperatures(now, temperatures);
            }
            Reply::Position(_) => self.on_position(),
            Reply::Firmware(text) => self.on_firmware(&text),
            Reply::Capability { name, has } => self.abilities.note(&name, has),
            Reply::ColdExtrusion => self.on_cold_extrusion(),
            Reply::Action(action) => self.on_action(&action),
            Reply::Card(said) => self.on_card(said),
            Reply::Other => {}
        }
    }

    fn on_ok(&mut self, now: Tick, line: Option<u32>, free: Option<u32>) {
        if let Some(text) = self.complaint.take() {
            // Errors about lines come with a resend; this one stands alone.
            self.tell_complaint(now, &text);
        }
        let event = self.channel.on_ok(now, line, free);
        self.on_event(now, event);
    }

    fn on_stop_denied(&mut self) {
        self.say(Fact::Fault {
            code: "emergency-stop-not-confirmed".into(),
            text: "the printer still answers after the emergency stop: switch it off at the mains".into(),
        });
        self.halt("the printer did not confirm the emergency stop: switch it off and on".into());
    }

    fn on_resend(&mut self, now: Tick, number: i64) {
        self.complaint = None;
        if let Phase::Asking { .. } = self.phase {
            let last = number - 1;
            self.found_on_card.is_fresh = (0..i64::from(IDLE_BASE)).contains(&last);
            if last > i64::from(JOB_BASE) {
                let lines = last - i64::from(JOB_BASE);
                self.found = Doing::Unclear {
                    reason: format!(
                        "the printer has taken {lines} lines of a print that was streamed to it and then broke \
                         off: look at the plate, switch heaters off"
                    ),
                };
            }
            self.phase = Phase::Asking { until: now.after(SETTLE_QUIET) };
            return;
        }
        self.channel.on_resend(now, number);
    }

    fn on_busy(&mut self, now: Tick) {
        self.moved_at = now;
        // It works on the first line, which may be a long one.
        self.tell_started();
        self.channel.on_busy(now);
        if let Phase::Asking { until } = &mut self.phase {
            *until = now.after(GREETING_MAX);
        } else if let Phase::Greeting { since, .. } = &mut self.phase {
            *since = now;
        }
    }

    fn on_waits_for_person(&mut self, now: Tick) {
        self.on_busy(now);
        let Some(stream) = self.stream.as_mut().filter(|stream| !stream.waits_for_person) else { return };
        stream.waits_for_person = true;
        let job = stream.program.job.clone();
        let reason = "the printer waits for a person: answer at its display".into();
        self.say(Fact::Paused { job, reason });
    }

    /// The firmware has just booted. Whatever ran is over, and its axes are not homed: no job line may follow.
    fn on_start(&mut self, now: Tick) {
        match self.phase {
            Phase::Closed => {}
            Phase::Ready => {
                if self.stream.is_some() {
                    self.say(Fact::Fault {
                        code: "printer-reset".into(),
                        text: "the printer restarted during a print: check its power supply and cable".into(),
                    });
                }
                if self.card_is_printing() {
                    self.say(Fact::Fault {
                        code: "printer-reset".into(),
                        text: "the printer restarted during a print: check its power supply and cable".into(),
                    });
                }
                let why = "the printer was reset during the print: clear the plate and print again";
                self.stop_stream(why);
                self.stop_card(why);
                self.settle(now);
            }
            Phase::Settling { .. }
            | Phase::Asking { .. }
            | Phase::Greeting { .. }
            | Phase::Stopping { .. }
            | Phase::Halted => self.settle(now),
        }
    }

    fn on_fatal(&mut self, now: Tick, text: &str) {
        if self.settings.dialect.goes_on_after_errors && !matches!(self.phase, Phase::Stopping { .. }) {
            self.on_passing_error(now, text);
            return;
        }
        match self.phase {
            Phase::Closed | Phase::Halted => {}
            Phase::Stopping { .. } => {
                self.halt("the printer was stopped by an emergency stop: switch it off and on".into());
            }
            Phase::Settling { .. } | Phase::Asking { .. } | Phase::Greeting { .. } | Phase::Ready => {
                self.say(Fact::Fault {
                    code: "printer-halted".into(),
                    text: format!(
                        "the printer stopped itself, \"{text}\": find the cause, then switch it off and on"
                    ),
                });
                self.channel.close();
                self.outputs.push_back(Output::Transmit(b"M112\n".to_vec()));
                self.stop_stream("the printer stopped itself: see its fault");
                self.stop_card("the printer stopped itself: see its fault");
                self.halt(format!("the printer has stopped itself (\"{text}\"): switch it off and on"));
            }
        }
    }

    /// The line wasn't executed, whatever its `ok` says, and the firmware would go on with the next one.
    fn on_passing_error(&mut self, now: Tick, text: &str) {
        match self.phase {
            Phase::Ready if self.stream.is_some() => {
                let told = format!("the printer refused a line, \"{text}\": look at its console");
                self.say(Fact::Fault { code: "printer-error".into(), text: told });
                self.cancel(&format!(
                    "the printer refused a line (\"{text}\"): clear the plate and print again"
                ));
            }
            Phase::Ready => self.tell_complaint(now, text),
            Phase::Greeting { .. } => {
                self.go_offline(format!("the printer is not ready (\"{text}\"): look at its console"));
                self.settle(now);
            }
            Phase::Closed
            | Phase::Settling { .. }
            | Phase::Asking { .. }
            | Phase::Stopping { .. }
            | Phase::Halted => {}
        }
    }

    fn on_position(&mut self) {
        if let Some(Stream { stage: Stage::Proving { proved, .. }, .. }) = &mut self.stream {
            *proved = true;
        }
    }

    fn on_firmware(&mut self, text: &str) {
        let Phase::Greeting { step: Step::Identify, .. } = self.phase else { return };
        let text = text.strip_prefix("ok ").unwrap_or(text);
        self.identity = text.chars().filter(|c| !c.is_control()).take(IDENTITY_CHARS).collect();
        self.machines.push(identity::machine_of(text));
        let dialect = Dialect::of_answer(text);
        if dialect.checks_lines != self.settings.dialect.checks_lines {
            let (name, other) = (dialect.name, self.settings.dialect.name);
            self.halt(format!(
                "the printer speaks {name} and the station is set up for {other}: set `dialect` of the station"
            ));
        }
    }

    /// What is printed from now on lacks material.
    fn on_cold_extrusion(&mut self) {
        let is_cancelling =
            self.stream.as_ref().is_none_or(|stream| matches!(stream.stage, Stage::Cancelling { .. }));
        if is_cancelling {
            return;
        }
        self.say(Fact::Fault {
            code: "cold-extrusion".into(),
            text: "the nozzle is too cold to push material: check the heater, and that the program heats it"
                .into(),
        });
        self.cancel("the nozzle was too cold to push material: clear the plate and print again");
    }

    fn on_action(&mut self, action: &str) {
        if let Some(text) = self.prompt.on_action(action) {
            self.say(Fact::Fault { code: "printer-asks".into(), text });
        }
        if self.stream.is_none() {
            return;
        }
        let word = action.split_whitespace().next().unwrap_or_default();
        match word {
            "pause" | "paused" => self.pause("paused at the printer"),
            "resume" | "resumed" => self.resume(),
            "cancel" => self.cancel("cancelled at the printer"),
            _ => tracing::debug!(action, "the printer says"),
        }
    }

    // ---- what the daemon wants -------------------------------------------------------------------------

    fn on_command(&mut self, now: Tick, command: Command) {
        match command {
            Command::Load { job, file } => self.load(job, file),
            Command::Start { job, .. } => self.start(now, &job),
            Command::Query => self.report(),
            Command::Pause => self.pause("asked for"),
            Command::Resume => self.resume(),
            Command::Cancel => self.cancel("cancelled"),
            Command::EmergencyStop => self.emergency_stop(now),
        }
    }

    fn load(&mut self, job: JobName, file: std::sync::Arc<[u8]>) {
        if self.stream.is_some() || self.card_is_printing() {
            let reason = "another print is running: wait for its end".into();
            self.say(Fact::LoadFailed { job, reason });
            return;
        }
        if !self.is_online {
            let reason = "the printer is offline: see its status".into();
            self.say(Fact::LoadFailed { job, reason });
            return;
        }
        self.loaded = None;
        self.card = None;
        self.loading = Some(Program::new(job, file));
    }

    fn start(&mut self, now: Tick, job: &JobName) {
        if self.stream.as_ref().is_some_and(|stream| stream.program.job == *job) {
            return;
        }
        if self.phase == Phase::Ready && self.start_from_card(job) {
            return;
        }
        if self.phase != Phase::Ready || self.stream.is_some() {
            self.refuse("start", "the printer is not ready");
            return;
        }
        let Some(program) = self.loaded.take_if(|program| program.job == *job) else {
            self.refuse("start", "this print is not loaded");
            return;
        };
        self.found = Doing::Idle { selected: None };
        self.moved_at = now;
        self.heard_at = now;
        self.channel.restart(now, JOB_BASE);
        self.stream = Some(Stream {
            program,
            stage: Stage::Numbering,
            started: false,
            numbering_tries: 1,
            waits_for_person: false,
        });
    }

    fn report(&mut self) {
        if !self.is_online {
            return;
        }
        let doing = match &self.stream {
            Some(stream) => Doing::Printing {
                job: Some(stream.program.job.clone()),
                paused: stream.stage == Stage::Paused || stream.waits_for_person,
            },
            None => self.card_doing().unwrap_or_else(|| self.found.clone()),
        };
        self.say(Fact::Report(doing));
    }

    fn pause(&mut self, reason: &str) {
        if self.pause_card(reason) {
            return;
        }
        match &mut self.stream {
            Some(stream) if stream.stage == Stage::Feeding => {
                stream.stage = Stage::Pausing { reason: reason.to_owned() };
            }
            Some(_) => {}
            None => self.refuse("pause", "no print is running"),
        }
    }

    fn resume(&mut self) {
        if self.resume_card() {
            return;
        }
        let Some(stream) = &mut self.stream else {
            self.refuse("resume", "no print is running");
            return;
        };
        let was_paused = stream.stage == Stage::Paused;
        if was_paused || matches!(stream.stage, Stage::Pausing { .. }) {
            stream.stage = Stage::Feeding;
        }
        if was_paused {
            let job = stream.program.job.clone();
            self.say(Fact::Resumed { job });
        }
    }

    fn cancel(&mut self, reason: &str) {
        if self.cancel_card(reason) {
            return;
        }
        let Some(stream) = &mut self.stream else {
            self.refuse("cancel", "no print is running");
            return;
        };
        if matches!(stream.stage, Stage::Cancelling { .. }) {
            return;
        }
        stream.stage = Stage::Cancelling { step: 0, reason: reason.to_owned() };
        if !self.channel.is_ready() && self.channel.last().starts_with(['M']) {
            // Ends a wait for heat; every other command takes no notice.
            self.outputs.push_back(Output::Transmit(b"M108\n".to_vec()));
        }
    }

    /// Goes out ahead of everything: bare and numbered, on a line of its own whatever was being sent.
    fn emergency_stop(&mut self, now: Tick) {
        if self.phase == Phase::Closed {
            self.say(Fact::Fault {
                code: "emergency-stop-not-sent".into(),
                text: "the printer can't be reached: switch it off at the mains".into(),
            });
            return;
        }
        self.channel.close();
        self.outputs
            .push_front(Output::Transmit([b"\nM112\n", gcode::encode(0, "M112").as_slice()].concat()));
        self.say(Fact::Fault { code: "emergency-stop".into(), text: "emergency stop was pressed".into() });
        self.loaded = None;
        self.stop_stream("emergency stop");
        self.stop_card("emergency stop");
        self.phase = Phase::Stopping { since: now, asked: false };
    }

    // ---- what comes next -------------------------------------------------------------------------------

    fn on_event(&mut self, now: Tick, event: Option<Event>) {
        match event {
            None => {}
            Some(Event::Accepted | Event::Taken) => self.on_accepted(now),
            Some(Event::Refused) => self.on_refused(now),
            Some(Event::CountLost) => self.on_count_lost(now),
        }
    }

    fn on_accepted(&mut self, now: Tick) {
        self.moved_at = now;
        let Some(stream) = self.stream.as_mut().filter(|stream| stream.waits_for_person) else { return };
        stream.waits_for_person = false;
        let job = stream.program.job.clone();
        self.say(Fact::Resumed { job });
    }

    fn on_refused(&mut self, now: Tick) {
        let is_cancelling =
            self.stream.as_ref().is_some_and(|stream| matches!(stream.stage, Stage::Cancelling { .. }));
        let why = "the printer refused one line again and again: check the cable and its shielding";
        if self.stream.is_some() && !is_cancelling {
            self.say(Fact::Fault { code: "line-refused".into(), text: why.into() });
            self.channel.restart(now, JOB_BASE);
            self.cancel(why);
        } else {
            self.stop_stream(why);
            self.leave_card(why);
            self.settle(now);
        }
    }

    fn on_count_lost(&mut self, now: Tick) {
        if let Some(stream) = &mut self.stream {
            let untouched = !stream.started && stream.program.done <= 1;
            if untouched && stream.numbering_tries < NUMBERING_TRIES {
                // The firmware has not taken the new count, so it has taken no line of the print either.
                stream.numbering_tries += 1;
                stream.program.rewind();
                stream.stage = Stage::Numbering;
                self.channel.restart(now, JOB_BASE);
                return;
            }
        }
        self.leave_card("the printer lost count of the lines");
        self.stop_stream(
            "the printer lost count of the lines, most likely it was reset: clear the plate and print again",
        );
        self.settle(now);
    }

    fn on_timeout(&mut self, now: Tick) {
        self.check_program(now);
        let event = self.channel.on_timeout(now);
        self.on_event(now, event);
        match self.phase {
            Phase::Closed | Phase::Halted => {}
            Phase::Settling { quiet_at, until } => {
                if now >= quiet_at || now >= until {
                    self.ask(now);
                }
            }
            Phase::Asking { until } => {
                if now >= until {
                    self.channel.restart(now, IDLE_BASE);
                    self.phase = Phase::Greeting { since: now, step: Step::Number };
                }
            }
            Phase::Greeting { since, .. } => {
                if now.since(since) >= GREETING_MAX {
                    self.go_offline(self.noise.verdict());
                    self.settle(now);
                }
            }
            Phase::Ready => self.check_silence(now),
            Phase::Stopping { since, asked } => self.check_stop(now, since, asked),
        }
    }

    fn check_program(&mut self, now: Tick) {
        let Some(mut program) = self.loading.take() else { return };
        let job = program.job.clone();
        match program.check_some(CHECK_BYTES) {
            Check::Going { bytes_done } => {
                if self.may_tell_progress(now) {
                    let bytes_total = program.bytes();
                    self.say(Fact::LoadProgress { job, bytes_done, bytes_total });
                }
                self.loading = Some(program);
            }
            Check::Passed if self.settings.card => self.write_to_card(now, program),
            Check::Passed => {
                self.loaded = Some(program);
                self.say(Fact::Loaded { job });
            }
            Check::Failed(reason) => self.say(Fact::LoadFailed { job, reason }),
        }
    }

    /// Asks for the last line number, by a line that every firmware refuses unless it has just been reset, and
    /// that does no harm then.
    fn ask(&mut self, now: Tick) {
        let question = [b"\n", gcode::encode(0, "M105").as_slice()].concat();
        self.outputs.push_back(Output::Transmit(question));
        self.phase = Phase::Asking { until: now.after(ASK_WAIT) };
    }

    fn check_silence(&mut self, now: Tick) {
        let limit = Duration::from_secs(self.settings.silence_s);
        // What waits for heat or homes may do so without a word where `busy` is switched off.
        let limit = if self.channel.is_long() { limit * 10 } else { limit };
        let is_stuck = now.since(self.moved_at) > limit * 5;
        if self.channel.is_ready() || (now.since(self.heard_at) <= limit && !is_stuck) {
            return;
        }
        self.interrupt("the printer stopped answering");
        self.leave_card("the printer stopped answering");
        self.go_offline("the printer has stopped answering: look at it, check power and cable".into());
        self.settle(now);
    }

    fn check_stop(&mut self, now: Tick, since: Tick, asked: bool) {
        if now.since(since) >= STOP_VERDICT {
            self.halt(
                "the emergency stop was sent and the printer is silent: see that it stands still, then switch it \
                 off and on"
                    .into(),
            );
        } else if !asked && now.since(since) >= STOP_CHECK {
            self.outputs.push_back(Output::Transmit(b"M105\n".to_vec()));
            self.phase = Phase::Stopping { since, asked: true };
        }
    }

    /// Sends the next line, if the last one was accepted and there is one.
    fn advance(&mut self, now: Tick) {
        while self.channel.is_ready() && self.push_next(now) {}
        while self.push_ahead(now) {}
    }

    /// Sends the next line of the program behind those in flight, where the firmware has room for it.
    fn push_ahead(&mut self, now: Tick) -> bool {
        if self.phase != Phase::Ready || now >= self.poll_at {
            return false;
        }
        let Some(stream) = &mut self.stream else { return false };
        let is_feeding = stream.started && stream.stage == Stage::Feeding;
        if !is_feeding || !stream.program.peek().is_some_and(|line| self.channel.has_room(line)) {
            return false;
        }
        self.feed(now)
    }

    fn push_next(&mut self, now: Tick) -> bool {
        match self.phase {
            Phase::Greeting { since, step } => self.greet(now, since, step),
            Phase::Ready if self.card_is_exclusive() => self.push_of_card(now),
            Phase::Ready if now >= self.poll_at && !self.is_proving() => {
                self.poll_at = now.after(Duration::from_millis(self.settings.poll_ms));
                self.push(now, "M105".into())
            }
            Phase::Ready if self.card.is_some() => self.push_of_card(now),
            Phase::Ready => self.push_of_stream(now),
            Phase::Closed
            | Phase::Settling { .. }
            | Phase::Asking { .. }
            | Phase::Stopping { .. }
            | Phase::Halted => false,
        }
    }

    fn greet(&mut self, now: Tick, since: Tick, step: Step) -> bool {
        match step {
            Step::Number if self.settings.card => {
                self.phase = Phase::Greeting { since, step: Step::CardClosed };
                // If a file was being written when the line went, everything would go into it.
                self.push(now, "M29".into())
            }
            Step::Number | Step::CardClosed => {
                self.phase = Phase::Greeting { since, step: Step::Identify };
                self.push(now, "M115".into())
            }
            Step::Identify if !self.is_identified() => {
                if self.phase == Phase::Halted {
                    return false;
                }
                self.asked_machine += 1;
                self.push(now, "M115".into())
            }
            Step::Identify => {
                self.phase = Phase::Greeting { since, step: Step::KeepAlive };
                // `busy` every second, so that a long command is told from a lost one early.
                self.push(now, "M113 S1".into())
            }
            Step::KeepAlive if self.abilities.reports_temperatures => {
                self.phase = Phase::Greeting { since, step: Step::AutoReport };
                self.push(now, format!("M155 S{}", self.settings.poll_ms.div_ceil(1000).max(1)))
            }
            Step::KeepAlive | Step::AutoReport if self.settings.card => {
                self.phase = Phase::Greeting { since, step: Step::CardName };
                self.push(now, "M27 C".into())
            }
            Step::CardName => {
                self.phase = Phase::Greeting { since, step: Step::CardState };
                self.push(now, "M27".into())
            }
            Step::KeepAlive | Step::AutoReport | Step::CardState => {
                if step == Step::CardState {
                    self.settle_card(now);
                }
                self.phase = Phase::Ready;
                self.go_online(now);
                true
            }
        }
    }

    /// True once it is clear which machine answers, or that it doesn't say so clearly.
    fn is_identified(&mut self) -> bool {
        if self.machine.as_ref().is_some_and(|known| self.machines.contains(known)) {
            return true;
        }
        let is_double = |found: &&String| self.machines.iter().filter(|other| other == found).count() > 1;
        let Some(found) = self.machines.iter().find(is_double).cloned() else {
            return self.asked_machine >= MACHINE_TRIES;
        };
        let Some(known) = &self.machine else {
            self.machine = Some(found);
            return true;
        };
        self.halt(format!(
            "another device is on this port: \"{found}\" answers instead of \"{known}\"; plug them back, or correct \
             `machine` of the station and restart sprue"
        ));
        false
    }

    fn push_of_stream(&mut self, now: Tick) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        match stream.stage.clone() {
            Stage::Numbering => {
                stream.stage = Stage::Feeding;
                true
            }
            Stage::Feeding => self.feed(now),
            Stage::Pausing { reason } if self.channel.last() == "M400" => {
                stream.stage = Stage::Paused;
                let job = stream.program.job.clone();
                self.say(Fact::Paused { job, reason });
                true
            }
            Stage::Pausing { .. } => self.push(now, "M400".into()),
            Stage::Paused => false,
            Stage::Draining => {
                stream.stage = Stage::Proving { tries: 1, proved: false };
                self.push(now, "M114".into())
            }
            Stage::Proving { proved: true, .. } => self.finish(now),
            Stage::Proving { tries, .. } => self.prove_again(now, tries),
            Stage::Cancelling { step, reason } => self.clean_up(now, step, &reason),
        }
    }

    fn feed(&mut self, now: Tick) -> bool {
        self.tell_started();
        if self.may_tell_progress(now) {
            self.tell_progress();
        }
        let Some(stream) = &mut self.stream else { return false };
        match stream.program.next_line() {
            Some(line) => self.push(now, line),
            None => {
                stream.stage = Stage::Draining;
                self.push(now, "M400".into())
            }
        }
    }

    fn prove_again(&mut self, now: Tick, tries: u32) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        if tries < PROOF_TRIES {
            stream.stage = Stage::Proving { tries: tries + 1, proved: false };
            return self.push(now, "M114".into());
        }
        let job = stream.program.job.clone();
        self.stream = None;
        let reason = "all lines were taken, but the printer doesn't confirm its position: look at the print";
        self.say(Fact::Unclear { job, reason: reason.into() });
        self.channel.restart(now, IDLE_BASE);
        true
    }

    fn finish(&mut self, now: Tick) -> bool {
        self.tell_started();
        self.tell_progress();
        if let Some(stream) = self.stream.take() {
            self.say(Fact::Finished { job: stream.program.job });
        }
        self.channel.restart(now, IDLE_BASE);
        true
    }

    fn clean_up(&mut self, now: Tick, step: usize, reason: &str) -> bool {
        let line = self.settings.after_cancel.get(step).cloned();
        let is_last = step == self.settings.after_cancel.len();
        let Some(stream) = &mut self.stream else { return false };
        stream.stage = Stage::Cancelling { step: step + 1, reason: reason.to_owned() };
        if let Some(line) = line {
            return self.push(now, line);
        }
        if is_last {
            return self.push(now, "M400".into());
        }
        self.stop_stream(reason);
        self.channel.restart(now, IDLE_BASE);
        true
    }

    fn push(&mut self, now: Tick, text: String) -> bool {
        self.channel.push(now, text);
        true
    }

    fn is_proving(&self) -> bool {
        // No other line may come between `M400` and its `M114`, nor between a pause and its `M400`.
        self.stream.as_ref().is_some_and(|stream| {
            matches!(stream.stage, Stage::Draining | Stage::Proving { .. } | Stage::Pausing { .. })
        })
    }

    // ---- what the daemon is told -----------------------------------------------------------------------

    fn say(&mut self, fact: Fact) {
        self.outputs.push_back(Output::Fact(fact));
    }

    fn refuse(&mut self, command: &'static str, reason: &str) {
        self.say(Fact::Refused { command, reason: reason.into() });
    }

    fn go_online(&mut self, now: Tick) {
        self.heard_at = now;
        self.moved_at = now;
        self.offline_reason = None;
        if !self.is_online {
            self.is_online = true;
            let identity = self.identity.clone();
            self.say(Fact::Online { identity });
        }
        self.report();
    }

    fn go_offline(&mut self, reason: String) {
        self.is_online = false;
        if self.offline_reason.as_ref() != Some(&reason) {
            self.offline_reason = Some(reason.clone());
            self.say(Fact::Offline { reason });
        }
    }

    fn halt(&mut self, reason: String) {
        self.channel.close();
        self.phase = Phase::Halted;
        self.go_offline(reason);
    }

    fn stop_stream(&mut self, reason: &str) {
        if let Some(stream) = self.stream.take() {
            self.say(Fact::Stopped { job: stream.program.job, reason: reason.to_owned() });
        }
    }

    /// The stream can't go on and the printer can't be asked. If it still lacked lines the print has ended
    /// early; if it had them all, only a person can tell.
    fn interrupt(&mut self, why: &str) {
        let Some(stream) = self.stream.take() else { return };
        let job = stream.program.job;
        match stream.stage {
            Stage::Draining | Stage::Proving { .. } => {
                let reason = format!("{why} at the very end of the print: look at the print");
                self.say(Fact::Unclear { job, reason });
            }
            Stage::Numbering
            | Stage::Feeding
            | Stage::Pausing { .. }
            | Stage::Paused
            | Stage::Cancelling { .. } => {
                let (done, total) = (stream.program.done, stream.program.total);
                let reason = format!(
                    "{why} at line {done} of {total}: heaters may still be on; clear the plate and print again"
                );
                self.say(Fact::Stopped { job, reason });
            }
        }
    }

    fn tell_started(&mut self) {
        let Some(stream) = self.stream.as_mut().filter(|stream| !stream.started && stream.program.done > 0)
        else {
            return;
        };
        stream.started = true;
        let job = stream.program.job.clone();
        self.say(Fact::Started { job });
    }

    fn may_tell_progress(&mut self, now: Tick) -> bool {
        let may = self.told_progress_at.is_none_or(|told| now.since(told) >= TELL_EVERY);
        if may {
            self.told_progress_at = Some(now);
        }
        may
    }

    fn tell_progress(&mut self) {
        let Some(program) = self.stream.as_ref().map(|stream| &stream.program) else { return };
        let done = program.done.saturating_sub(u64::from(self.channel.unconfirmed()));
        let fact = Fact::Progress { job: program.job.clone(), done, total: program.total };
        self.say(fact);
    }

    fn tell_temperatures(&mut self, now: Tick, temperatures: Vec<Temperature>) {
        let temperatures = self.readings.credible(now, temperatures);
        let is_due = self.told_temperatures_at.is_none_or(|told| now.since(told) >= TELL_EVERY);
        if self.is_online && is_due && !temperatures.is_empty() {
            self.told_temperatures_at = Some(now);
            self.say(Fact::Temperatures(temperatures));
        }
    }

    /// A printer that complains without end is heard now and then.
    fn tell_complaint(&mut self, now: Tick, text: &str) {
        let is_due = self.told_complaint_at.is_none_or(|told| now.since(told) >= COMPLAIN_EVERY);
        if is_due {
            self.told_complaint_at = Some(now);
            let text = format!("the printer reports \"{text}\": look at its display");
            self.say(Fact::Fault { code: "printer-message".into(), text });
        }
    }

    fn deadline(&self) -> Option<Tick> {
        let phase = match self.phase {
            Phase::Closed | Phase::Halted => None,
            Phase::Settling { quiet_at, until } => Some(quiet_at.min(until)),
            Phase::Asking { until } => Some(until),
            Phase::Greeting { since, .. } => Some(since.after(GREETING_MAX)),
            Phase::Ready if self.channel.is_ready() && !self.card_is_exclusive() => {
                Some(self.poll_at.min(self.card_ask_at().unwrap_or(self.poll_at)))
            }
            Phase::Ready => None,
            Phase::Stopping { since, asked: false } => Some(since.after(STOP_CHECK)),
            Phase::Stopping { since, asked: true } => Some(since.after(STOP_VERDICT)),
        };
        let check = self.loading.as_ref().map(|_| Tick(0));
        [phase, check, self.channel.deadline()].into_iter().flatten().min()
    }
}

impl Noise {
    fn count(&mut self, bytes: &[u8]) {
        let odd = bytes.iter().filter(|byte| !matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t')).count();
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.unprintable = self.unprintable.saturating_add(u64::try_from(odd).unwrap_or(u64::MAX));
    }

    fn verdict(&self) -> String {
        let text = if self.bytes == 0 {
            "the printer doesn't answer: check its power and cable, and `port` and `baud` of the line"
        } else if self.unprintable * 10 > self.bytes * 3 {
            "the printer answers nonsense: check `baud` of the line, then the cable"
        } else {
            "something answers, but not like a Marlin printer: check `port` and `driver`"
        };
        text.to_owned()
    }
}
