//! A printer with Marlin firmware, answering as real Marlin 2.0 was recorded to answer.
//!
//! Order of checks as in `queue.cpp`: line number, then checksum; on any error the received bytes are thrown
//! away and `Error:`, `Resend:` and `ok` follow. A line that doesn't start with `N` is executed unchecked.

use std::collections::VecDeque;
use std::time::Duration;

use sha2::{Digest, Sha256};

use card::Card;
pub use firmware::{EmergencyParser, Firmware};

use super::faults::{Fault, seconds};
use super::record::{Entry, hex};
use super::{Device, Faults, MachineClock, Record, Speed};
use crate::units::Tick;

/// `MAX_CMD_SIZE`: a longer line is cut, which costs it its checksum.
const LINE_BYTES_MAX: usize = 95;
/// `BLOCK_BUFFER_SIZE`: moves that are planned ahead; with more, an `ok` waits.
const PLANNED_MOVES_MAX: usize = 16;
/// Keep-alive of a long command, in real time, until `M113` changes it.
const BUSY_EVERY: Duration = Duration::from_secs(2);
/// Machine time of homing all axes, as measured on the real firmware.
const HOMING_MS: u64 = 44_000;
/// How fast heaters change, a common rate of hot ends.
const HEATING_CELSIUS_PER_S: f64 = 2.0;
const ROOM_CELSIUS: f64 = 21.0;
/// Feed rate before the first `F`: Marlin's `feedrate_mm_s` of 25.
const FIRST_FEED_MM_S: f64 = 25.0;
/// Lines kept for tests.
const LINES_KEPT_MAX: usize = 100_000;
const QUESTIONS: &[&str] = &["M20", "M27", "M105", "M113", "M114", "M115", "M155", "M400"];

mod card;
mod firmware;

/// A simulated printer.
pub struct MarlinSim {
    firmware: Firmware,
    clock: MachineClock,
    faults: Faults,
    record: Record,
    output: Vec<u8>,
    /// The receive buffer, and the line that is being cut from it.
    received: VecDeque<u8>,
    line: Vec<u8>,
    /// What the emergency parser has seen of a line.
    urgent: Vec<u8>,
    /// Lines that were checked and wait to be executed.
    queue: VecDeque<Queued>,
    /// The line that is being executed.
    current: Option<i64>,
    card: Card,
    /// The line that is being executed came from the card: nobody waits for its `ok`.
    is_from_card: bool,
    report_every: Option<Duration>,
    report_at: Tick,
    must_boot: bool,
    last_number: i64,
    is_halted: bool,
    unplugged: Option<Duration>,
    deaf_until: Option<Tick>,
    refusing: u32,
    work: Option<Work>,
    /// When the planned moves end, in machine time.
    moves: VecDeque<u64>,
    busy_every: Duration,
    axes: Axes,
    hotend: Heater,
    bed: Heater,
    stream: Stream,
    executed: Vec<String>,
}

/// A checked line.
struct Queued {
    number: Option<i64>,
    command: String,
}

/// A command whose `ok` is not out yet.
struct Work {
    until: Until,
    busy_at: Tick,
}

enum Until {
    /// Machine time.
    Ms(u64),
    /// Real time, for injected trouble.
    Real(Tick),
    PlannerHasRoom,
    MovesEnd,
    HotendReady,
    BedReady,
}

#[derive(Debug, Default)]
struct Axes {
    at_mm: [f64; 4],
    feed_mm_s: Option<f64>,
    is_relative: bool,
    is_extruder_relative: bool,
}

#[derive(Debug)]
struct Heater {
    celsius: f64,
    target: f64,
    at_ms: u64,
}

#[derive(Default)]
struct Stream {
    lines: u64,
    hash: Sha256,
}

impl Device for MarlinSim {
    fn receive(&mut self, now: Tick, bytes: &[u8]) {
        for &byte in bytes {
            self.parse_urgent(byte);
            if self.received.len() < self.firmware.receive_bytes {
                self.received.push_back(byte);
            } else {
                self.advance(now);
                if self.received.len() < self.firmware.receive_bytes {
                    self.received.push_back(byte);
                }
            }
        }
        self.advance(now);
    }

    fn advance(&mut self, now: Tick) {
        let ms = self.clock.advance(now);
        self.hotend.advance(ms);
        self.bed.advance(ms);
        while self.moves.front().is_some_and(|end| *end <= ms) {
            self.moves.pop_front();
        }
        if self.deaf_until.is_some_and(|until| now < until) {
            return;
        }
        self.deaf_until = None;
        if std::mem::take(&mut self.must_boot) {
            self.received.clear();
            self.say_banner();
        }
        self.end_work(now, ms);
        self.hear(now, ms);
        self.report(now);
    }

    fn wake_at(&self) -> Option<Tick> {
        if self.deaf_until.is_some() {
            return self.deaf_until;
        }
        let report = self.report_every.filter(|_| !self.is_halted).map(|_| self.report_at);
        let Some(work) = self.work.as_ref() else { return report };
        let end = match work.until {
            Until::Ms(ms) => self.clock.tick_of(ms),
            Until::Real(tick) => Some(tick),
            Until::PlannerHasRoom => self.moves.front().and_then(|end| self.clock.tick_of(*end)),
            Until::MovesEnd => self.moves.back().and_then(|end| self.clock.tick_of(*end)),
            Until::HotendReady => self.clock.tick_of(self.hotend.ready_ms()),
            Until::BedReady => self.clock.tick_of(self.bed.ready_ms()),
        };
        [end, Some(work.busy_at), report].into_iter().flatten().min()
    }

    fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn take_unplugged(&mut self) -> Option<Duration> {
        self.unplugged.take()
    }

    fn switch_off(&mut self) {
        self.end_stream("off");
    }
}

impl MarlinSim {
    /// A printer with stock firmware that has just been switched on.
    #[must_use]
    pub fn new(faults: Faults, record: Record, speed: Speed) -> Self {
        Self::with_firmware(Firmware::default(), faults, record, speed)
    }

    /// A printer that has just been switched on.
    #[must_use]
    pub fn with_firmware(firmware: Firmware, faults: Faults, record: Record, speed: Speed) -> Self {
        let mut sim = Self {
            firmware,
            clock: MachineClock::new(speed),
            faults,
            record,
            output: Vec::new(),
            received: VecDeque::new(),
            line: Vec::new(),
            urgent: Vec::new(),
            queue: VecDeque::new(),
            current: None,
            card: Card::default(),
            is_from_card: false,
            report_every: None,
            report_at: Tick(0),
            must_boot: false,
            last_number: 0,
            is_halted: false,
            unplugged: None,
            deaf_until: None,
            refusing: 0,
            work: None,
            moves: VecDeque::new(),
            busy_every: BUSY_EVERY,
            axes: Axes::default(),
            hotend: Heater::cold(),
            bed: Heater::cold(),
            stream: Stream::default(),
            executed: Vec::new(),
        };
        sim.say_banner();
        sim
    }

    /// What it did.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Every line it executed, questions left out, oldest first.
    #[must_use]
    pub fn executed(&self) -> &[String] {
        &self.executed
    }

    /// True if the firmware has killed itself.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.is_halted
    }

    /// What the heaters are asked to hold: hot end and bed.
    #[must_use]
    pub fn targets_celsius(&self) -> [f64; 2] {
        [self.hotend.target, self.bed.target]
    }

    /// Switches it off and on.
    pub fn power_cycle(&mut self) {
        self.reset("reset");
        self.say_banner();
    }

    // ---- hearing ---------------------------------------------------------------------------------------

    /// Reads what it has room for and executes what it has time for.
    fn hear(&mut self, now: Tick, ms: u64) {
        while self.deaf_until.is_none() && !self.is_halted {
            let has_room = self.queue.len() < self.firmware.command_lines;
            if let Some(line) = has_room.then(|| self.cut_line()).flatten() {
                self.on_line(now, line);
            } else if !(self.work.is_none() && self.execute_next(now, ms)) {
                return;
            }
        }
        if self.is_halted {
            self.received.clear();
        }
    }

    fn cut_line(&mut self) -> Option<Vec<u8>> {
        while let Some(byte) = self.received.pop_front() {
            if byte != b'\n' && byte != b'\r' {
                if self.line.len() < LINE_BYTES_MAX {
                    self.line.push(byte);
                }
            } else if !self.line.is_empty() {
                return Some(std::mem::take(&mut self.line));
            }
        }
        None
    }

    /// False if there is nothing to execute.
    fn execute_next(&mut self, now: Tick, ms: u64) -> bool {
        if let Some(Queued { number, command }) = self.queue.pop_front() {
            self.current = number;
            self.is_from_card = false;
            self.execute(now, ms, &command);
            return true;
        }
        let Some(command) = self.card.next_line() else { return false };
        self.is_from_card = true;
        self.execute(now, ms, &command);
        self.end_card_print();
        true
    }

    /// The emergency parser sees the bytes as they arrive, whatever runs or waits.
    fn parse_urgent(&mut self, byte: u8) {
        if byte != b'\n' && byte != b'\r' {
            if self.urgent.len() < LINE_BYTES_MAX {
                self.urgent.push(byte);
            }
            return;
        }
        let line = std::mem::take(&mut self.urgent);
        if self.firmware.emergency_parser != EmergencyParser::Works
            || self.is_halted
            || self.deaf_until.is_some()
        {
            return;
        }
        match line.trim_ascii() {
            b"M108" => self.break_wait(),
            b"M112" => self.kill(),
            b"M410" => self.stop_moves(),
            _ => {}
        }
    }

    fn on_line(&mut self, now: Tick, mut line: Vec<u8>) {
        let count = self.stream.lines;
        if self.strike_machine(now, count) || self.faults.strikes(Fault::LoseLine, count).is_some() {
            return;
        }
        if self.faults.strikes(Fault::Corrupt, count).is_some() {
            self.faults.flip(&mut line);
        }
        let text: String = line.iter().map(|&byte| char::from(byte)).collect();
        let text = text.trim().to_owned();
        match text.strip_prefix('N') {
            Some(rest) => self.on_numbered(rest, &line),
            None => self.enqueue(None, text.split('*').next().unwrap_or_default()),
        }
    }

    /// Trouble of the whole machine; true if the line is gone with it.
    fn strike_machine(&mut self, now: Tick, count: u64) -> bool {
        if self.faults.strikes(Fault::Reset, count).is_some() {
            self.power_cycle();
            return true;
        }
        if self.faults.strikes(Fault::QuietReset, count).is_some() {
            self.reset("reset");
            return true;
        }
        if self.faults.strikes(Fault::Kill, count).is_some() {
            self.say("Error:Thermal Runaway, system stopped! Heater_ID: 0");
            self.kill();
            return true;
        }
        if let Some(argument) = self.faults.strikes(Fault::Unplug, count) {
            self.unplugged = Some(seconds(argument));
            return true;
        }
        if let Some(argument) = self.faults.strikes(Fault::PowerDip, count) {
            self.reset("reset");
            self.deaf_until = Some(now.after(seconds(argument)));
            self.must_boot = true;
            return true;
        }
        if let Some(argument) = self.faults.strikes(Fault::Silence, count) {
            self.deaf_until = Some(now.after(seconds(argument)));
        }
        false
    }

    fn on_numbered(&mut self, rest: &str, line: &[u8]) {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(rest.len());
        let number: i64 = rest.get(..digits).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let command = rest.get(digits..).unwrap_or_default();
        let star = line.iter().rposition(|&byte| byte == b'*');
        let is_count = command.contains("M110");
        if number != self.last_number + 1 && !is_count {
            self.refuse_line("Line Number is not Last Line Number+1");
            return;
        }
        let Some(star) = star else {
            self.refuse_line("No Checksum with line number");
            return;
        };
        let (body, claimed) = line.split_at(star);
        let sum = body.iter().fold(0_u8, |sum, byte| sum ^ byte);
        let claimed = claimed.get(1..).and_then(|digits| std::str::from_utf8(digits).ok());
        if claimed.and_then(|digits| digits.trim().parse::<i64>().ok()) != Some(i64::from(sum)) {
            self.refuse_line("checksum mismatch");
            return;
        }
        if self.must_refuse() {
            self.refuse_line("checksum mismatch");
            return;
        }
        let command = command.split('*').next().unwrap_or_default().trim();
        let inner = command.split_once('N').filter(|_| is_count).and_then(|(_, n)| n.trim().parse().ok());
        self.last_number = inner.unwrap_or(number);
        self.enqueue(Some(number), command);
    }

    fn enqueue(&mut self, number: Option<i64>, command: &str) {
        self.queue.push_back(Queued { number, command: command.trim().to_owned() });
    }

    fn must_refuse(&mut self) -> bool {
        if let Some(times) = self.faults.strikes(Fault::Refuse, self.stream.lines) {
            self.refusing = if times >= 1000.0 {
                1000
            } else {
                (0..1000).take_while(|n| f64::from(*n) < times).count().try_into().unwrap_or(0)
            };
        }
        let refuses = self.refusing > 0;
        self.refusing = self.refusing.saturating_sub(1);
        refuses
    }

    fn refuse_line(&mut self, why: &str) {
        let last = self.last_number;
        self.received.clear();
        self.line.clear();
        self.say(&format!("Error:{why}, Last Line: {last}"));
        self.say(&format!("Resend: {}", last + 1));
        if self.faults.strikes(Fault::ResendOnly, self.stream.lines).is_none() {
            self.say("ok");
        }
    }

    // ---- doing -----------------------------------------------------------------------------------------

    fn execute(&mut self, now: Tick, ms: u64, command: &str) {
        let mut words = command.split_whitespace();
        let Some(code) = words.next() else { return };
        let words: Vec<&str> = words.collect();
        if self.is_stored(code, command) {
            return;
        }
        if is_known(code) {
            self.note(code, command);
        }
        if self.faults.strikes(Fault::ColdExtrusion, self.stream.lines).is_some() {
            self.say("echo: cold extrusion prevented");
        }
        if let Some(argument) = self.faults.strikes(Fault::Busy, self.stream.lines) {
            self.start_work(now, Until::Real(now.after(seconds(argument))));
            return;
        }
        match code {
            "G0" | "G1" => self.plan_move(now, ms, &words),
            "G28" => {
                self.axes.at_mm = [0.0; 4];
                self.start_work(now, Until::Ms(ms.saturating_add(HOMING_MS)));
            }
            "G4" => {
                self.say("//action:notification Sleep...");
                self.start_work(now, Until::Ms(ms.saturating_add(dwell_ms(&words))));
            }
            "M400" => self.start_work(now, Until::MovesEnd),
            "M109" | "M104" => self.heat(now, code == "M109", &words, Until::HotendReady),
            "M190" | "M140" => self.heat(now, code == "M190", &words, Until::BedReady),
            "M112" => self.kill(),
            "M108" if self.firmware.emergency_parser != EmergencyParser::Works => {
                self.break_wait();
                self.say_ok();
            }
            "M410" => {
                self.stop_moves();
                self.say_ok();
            }
            "M20" | "M23" | "M24" | "M25" | "M27" | "M28" | "M29" | "M30" | "M524" => {
                self.use_card(code, command);
                self.say_ok();
            }
            _ => self.execute_at_once(now, code, command, &words),
        }
    }

    fn execute_at_once(&mut self, now: Tick, code: &str, command: &str, words: &[&str]) {
        match code {
            "M105" => {
                let temperatures = self.temperatures();
                self.say_ok_with(&format!(" {temperatures}"));
                return;
            }
            "M114" => {
                let [x, y, z, e] = self.axes.at_mm;
                self.say(&format!(
                    "X:{x:.2} Y:{y:.2} Z:{z:.2} E:{e:.2} Count X:{:.0} Y:{:.0} Z:{:.0}",
                    x * 80.0,
                    y * 80.0,
                    z * 400.0
                ));
            }
            "M115" => {
                let machine = self.firmware.machine.clone();
                self.say(&format!("FIRMWARE_NAME:Marlin sprue-sim (simulated) PROTOCOL_VERSION:1.0 MACHINE_TYPE:{machine} EXTRUDER_COUNT:1"));
                for capability in self.firmware.capabilities() {
                    self.say(&capability);
                }
            }
            "M110" => self.end_stream("count"),
            "M155" => {
                let every = value(words, 'S').and_then(|s| Duration::try_from_secs_f64(s).ok());
                self.report_every =
                    every.filter(|every| !every.is_zero() && self.firmware.reports_temperatures);
                self.report_at = now.after(every.unwrap_or_default());
            }
            "M113" => {
                self.busy_every =
                    Duration::from_secs(value(words, 'S').map_or(2, |s| if s < 1.5 { 1 } else { 2 }))
            }
            "G90" => self.axes.set_relative(false),
            "G91" => self.axes.set_relative(true),
            "M82" => self.axes.is_extruder_relative = false,
            "M83" => self.axes.is_extruder_relative = true,
            "G92" => self.axes.set_position(words),
            _ if is_known(code) => {}
            _ => self.say(&format!("echo:Unknown command: \"{command}\"")),
        }
        self.say_ok();
    }

    fn plan_move(&mut self, now: Tick, ms: u64, words: &[&str]) {
        let took_ms = self.axes.go(words);
        let begin = self.moves.back().copied().unwrap_or(ms).max(ms);
        self.moves.push_back(begin.saturating_add(took_ms));
        if self.moves.len() > PLANNED_MOVES_MAX {
            self.start_work(now, Until::PlannerHasRoom);
        } else {
            self.say_ok();
        }
    }

    fn heat(&mut self, now: Tick, waits: bool, words: &[&str], until: Until) {
        let heater = if matches!(until, Until::HotendReady) { &mut self.hotend } else { &mut self.bed };
        heater.target = value(words, 'S').unwrap_or(0.0).clamp(0.0, 400.0);
        if waits {
            self.start_work(now, until);
        } else {
            self.say_ok();
        }
    }

    fn break_wait(&mut self) {
        if let Some(Work { until: Until::HotendReady | Until::BedReady, .. }) = self.work {
            self.work = None;
            self.say_ok();
        }
    }

    /// All planned moves are given up where they stand.
    fn stop_moves(&mut self) {
        self.moves.clear();
    }

    fn start_work(&mut self, now: Tick, until: Until) {
        self.work = Some(Work { until, busy_at: now.after(self.busy_every) });
    }

    fn end_work(&mut self, now: Tick, ms: u64) {
        let Some(work) = &mut self.work else { return };
        let is_over = match work.until {
            Until::Ms(end) => ms >= end,
            Until::Real(end) => now >= end,
            Until::PlannerHasRoom => self.moves.len() <= PLANNED_MOVES_MAX,
            Until::MovesEnd => self.moves.is_empty(),
            Until::HotendReady => self.hotend.is_ready(),
            Until::BedReady => self.bed.is_ready(),
        };
        if is_over {
            self.work = None;
            self.say_ok();
        } else if now >= work.busy_at {
            work.busy_at = now.after(self.busy_every);
            self.say("echo:busy: processing");
        }
    }

    fn kill(&mut self) {
        self.end_stream("kill");
        self.say("Error:Printer halted. kill() called!");
        self.cool_down();
        self.is_halted = true;
    }

    fn reset(&mut self, by: &str) {
        self.end_stream(by);
        self.cool_down();
        self.is_halted = false;
        self.last_number = 0;
        self.axes = Axes::default();
        self.received.clear();
        self.line.clear();
        self.deaf_until = None;
        self.refusing = 0;
        self.busy_every = BUSY_EVERY;
        self.report_every = None;
        self.current = None;
    }

    fn cool_down(&mut self) {
        self.work = None;
        self.queue.clear();
        self.moves.clear();
        self.stop_card_print();
        self.hotend.target = 0.0;
        self.bed.target = 0.0;
    }

    // ---- telling ---------------------------------------------------------------------------------------

    fn note(&mut self, code: &str, command: &str) {
        if QUESTIONS.contains(&code) || matches!(code, "M110" | "M108" | "M112" | "M410") || is_of_card(code)
        {
            return;
        }
        if self.stream.lines == 0 {
            self.record.add(Entry::StreamStarted);
        }
        self.stream.lines += 1;
        self.stream.hash.update(command.as_bytes());
        self.stream.hash.update(b"\n");
        if self.executed.len() < LINES_KEPT_MAX {
            self.executed.push(command.to_owned());
        }
    }

    fn end_stream(&mut self, by: &str) {
        let stream = std::mem::take(&mut self.stream);
        if stream.lines > 0 {
            self.record.add(Entry::StreamEnded {
                lines: stream.lines,
                sha256: hex(stream.hash),
                position_mm: self.axes.at_mm,
                by: by.to_owned(),
            });
        }
    }

    fn say_banner(&mut self) {
        for line in
            ["start", "PowerUp", "echo:Marlin sprue-sim", "echo: Free Memory: 4096  PlannerBufferBytes: 1232"]
        {
            self.say(line);
        }
    }

    /// Temperatures by themselves, where the host asked for them.
    fn report(&mut self, now: Tick) {
        let Some(every) = self.report_every.filter(|_| now >= self.report_at && !self.is_halted) else {
            return;
        };
        self.report_at = now.after(every);
        let temperatures = self.temperatures();
        self.say(&format!(" {temperatures}"));
    }

    fn say_ok(&mut self) {
        if !self.firmware.advanced_ok {
            return self.say_ok_with("");
        }
        let number = self.current.map(|number| format!(" N{number}")).unwrap_or_default();
        let planner = PLANNED_MOVES_MAX.saturating_sub(self.moves.len() + 1);
        let lines = self.firmware.command_lines.saturating_sub(self.queue.len() + 1);
        self.say_ok_with(&format!("{number} P{planner} B{lines}"));
    }

    fn say_ok_with(&mut self, rest: &str) {
        if self.is_from_card {
            return;
        }
        let count = self.stream.lines;
        let lost = self.faults.strikes(Fault::LoseOk, count).is_some();
        if lost {
            return;
        }
        if self.faults.strikes(Fault::MangleOk, count).is_some() {
            self.say("k");
            return;
        }
        if self.faults.strikes(Fault::GarbageOk, count).is_some() {
            self.output.extend([0xff, 0xfe, 0x9c, 0x80]);
        }
        self.say(&format!("ok{rest}"));
        if self.faults.strikes(Fault::DoubleOk, count).is_some() {
            self.say("ok");
        }
    }

    fn say(&mut self, text: &str) {
        let mut line = [text.as_bytes(), b"\n"].concat();
        if self.faults.strikes(Fault::Corrupt, self.stream.lines).is_some() {
            self.faults.flip(&mut line);
        }
        self.output.extend(line);
    }

    fn temperatures(&self) -> String {
        format!(
            "T:{:.2} /{:.2} B:{:.2} /{:.2} @:0 B@:0",
            self.hotend.celsius, self.hotend.target, self.bed.celsius, self.bed.target
        )
    }
}

impl Axes {
    /// Moves, and says how long that takes in machine milliseconds.
    fn go(&mut self, words: &[&str]) -> u64 {
        let mut square = 0.0;
        for (axis, letter) in ['X', 'Y', 'Z', 'E'].into_iter().enumerate() {
            let (Some(goal), Some(at)) = (value(words, letter), self.at_mm.get_mut(axis)) else { continue };
            let is_relative = if letter == 'E' { self.is_extruder_relative } else { self.is_relative };
            let goal = if is_relative { *at + goal } else { goal };
            square += if letter == 'E' { 0.0 } else { (goal - *at).powi(2) };
            *at = goal;
        }
        let feed = value(words, 'F').map(|feed| feed / 60.0).filter(|feed| *feed > 0.0).or(self.feed_mm_s);
        self.feed_mm_s = feed;
        milliseconds(square.sqrt() / feed.unwrap_or(FIRST_FEED_MM_S))
    }

    fn set_position(&mut self, words: &[&str]) {
        for (at, letter) in self.at_mm.iter_mut().zip(['X', 'Y', 'Z', 'E']) {
            *at = value(words, letter).unwrap_or(*at);
        }
    }

    fn set_relative(&mut self, is_relative: bool) {
        self.is_relative = is_relative;
        self.is_extruder_relative = is_relative;
    }
}

impl Heater {
    fn cold() -> Self {
        Self { celsius: ROOM_CELSIUS, target: 0.0, at_ms: 0 }
    }

    fn advance(&mut self, ms: u64) {
        let passed_s = Duration::from_millis(ms.saturating_sub(self.at_ms)).as_secs_f64();
        self.at_ms = ms;
        let step = passed_s * HEATING_CELSIUS_PER_S;
        let goal = self.target.max(ROOM_CELSIUS);
        self.celsius += (goal - self.celsius).clamp(-step, step);
    }

    fn is_ready(&self) -> bool {
        self.celsius + 0.5 >= self.target
    }

    fn ready_ms(&self) -> u64 {
        let missing = (self.target - 0.5 - self.celsius).max(0.0);
        self.at_ms.saturating_add(milliseconds(missing / HEATING_CELSIUS_PER_S))
    }
}

/// Commands that this machine knows and that do something, or at least nothing wrong.
fn is_known(code: &str) -> bool {
    const KNOWN: &[&str] = &[
        "G0", "G1", "G4", "G21", "G28", "G90", "G91", "G92", "M18", "M82", "M83", "M84", "M104", "M105",
        "M106", "M107", "M109", "M110", "M113", "M114", "M115", "M117", "M140", "M190", "M201", "M203",
        "M155", "M204", "M205", "M220", "M221", "M400", "M410", "T0",
    ];
    KNOWN.contains(&code)
}

fn is_of_card(code: &str) -> bool {
    matches!(code, "M20" | "M23" | "M24" | "M25" | "M27" | "M28" | "M29" | "M30" | "M524")
}

fn value(words: &[&str], letter: char) -> Option<f64> {
    let word = words.iter().find_map(|word| word.strip_prefix(letter))?;
    word.parse().ok().filter(|value: &f64| value.is_finite() && value.abs() < 1e6)
}

fn dwell_ms(words: &[&str]) -> u64 {
    let from_seconds = value(words, 'S').map(|s| milliseconds(s.max(0.0)));
    from_seconds.or_else(|| value(words, 'P').map(|ms| milliseconds(ms.max(0.0) / 1000.0))).unwrap_or(0)
}

fn milliseconds(seconds: f64) -> u64 {
    let span = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
