//! A printer with Marlin firmware, answering as real Marlin 2.0 was recorded to answer.
//!
//! Order of checks as in `queue.cpp`: line number, then checksum; on any error the received bytes are thrown
//! away and `Error:`, `Resend:` and `ok` follow. A line that doesn't start with `N` is executed unchecked.

use std::collections::VecDeque;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::faults::{Fault, seconds};
use super::record::{Entry, hex};
use super::{Device, Faults, MachineClock, Record, Speed};
use crate::units::Tick;

/// `MAX_CMD_SIZE`: a longer line is cut, which costs it its checksum.
const LINE_BYTES_MAX: usize = 95;
/// What a deaf machine buffers.
const UNHEARD_BYTES_MAX: usize = 4096;
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
const QUESTIONS: &[&str] = &["M105", "M113", "M114", "M115", "M400"];

/// A simulated printer.
pub struct MarlinSim {
    clock: MachineClock,
    faults: Faults,
    record: Record,
    output: Vec<u8>,
    received: VecDeque<u8>,
    line: Vec<u8>,
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
        let room = UNHEARD_BYTES_MAX.saturating_sub(self.received.len());
        self.received.extend(bytes.iter().take(room));
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
        self.end_work(now, ms);
        self.hear(now, ms);
    }

    fn wake_at(&self) -> Option<Tick> {
        if self.deaf_until.is_some() {
            return self.deaf_until;
        }
        let work = self.work.as_ref()?;
        let end = match work.until {
            Until::Ms(ms) => self.clock.tick_of(ms),
            Until::Real(tick) => Some(tick),
            Until::PlannerHasRoom => self.moves.front().and_then(|end| self.clock.tick_of(*end)),
            Until::MovesEnd => self.moves.back().and_then(|end| self.clock.tick_of(*end)),
            Until::HotendReady => self.clock.tick_of(self.hotend.ready_ms()),
            Until::BedReady => self.clock.tick_of(self.bed.ready_ms()),
        };
        Some(end.map_or(work.busy_at, |end| end.min(work.busy_at)))
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
    /// A printer that has just been switched on.
    #[must_use]
    pub fn new(faults: Faults, record: Record, speed: Speed) -> Self {
        let mut sim = Self {
            clock: MachineClock::new(speed),
            faults,
            record,
            output: Vec::new(),
            received: VecDeque::new(),
            line: Vec::new(),
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

    fn hear(&mut self, now: Tick, ms: u64) {
        while self.deaf_until.is_none() && !self.is_halted {
            if self.work.is_some() {
                let Some(line) = self.take_urgent() else { return };
                self.execute(now, ms, &line);
                continue;
            }
            let Some(byte) = self.received.pop_front() else { return };
            if byte != b'\n' && byte != b'\r' {
                if self.line.len() < LINE_BYTES_MAX {
                    self.line.push(byte);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            if !line.is_empty() {
                self.on_line(now, ms, line);
            }
        }
        if self.is_halted {
            self.received.clear();
        }
    }

    /// The emergency parser sees `M108` and `M112` while a command runs.
    fn take_urgent(&mut self) -> Option<String> {
        let waiting: Vec<u8> = self.received.iter().copied().collect();
        let at =
            waiting.split_inclusive(|&byte| byte == b'\n').take_while(|line| line.trim_ascii().is_empty());
        let blank: usize = at.map(<[u8]>::len).sum();
        let next = waiting.get(blank..)?;
        let urgent = [b"M108\n", b"M112\n"].into_iter().find(|word| next.starts_with(*word))?;
        self.received.drain(..blank + urgent.len());
        Some(String::from_utf8_lossy(urgent).trim().to_owned())
    }

    fn on_line(&mut self, now: Tick, ms: u64, mut line: Vec<u8>) {
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
            Some(rest) => self.on_numbered(now, ms, rest, &line),
            None => self.execute(now, ms, text.split('*').next().unwrap_or_default()),
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
        if let Some(argument) = self.faults.strikes(Fault::Silence, count) {
            self.deaf_until = Some(now.after(seconds(argument)));
        }
        false
    }

    fn on_numbered(&mut self, now: Tick, ms: u64, rest: &str, line: &[u8]) {
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
        if is_count {
            self.set_count(number, command);
        } else {
            self.last_number = number;
        }
        self.execute(now, ms, command);
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

    fn set_count(&mut self, number: i64, command: &str) {
        let inner = command.split_once('N').and_then(|(_, n)| n.trim().parse().ok());
        self.end_stream("count");
        self.last_number = inner.unwrap_or(number);
    }

    // ---- doing -----------------------------------------------------------------------------------------

    fn execute(&mut self, now: Tick, ms: u64, command: &str) {
        let mut words = command.split_whitespace();
        let Some(code) = words.next() else { return };
        let words: Vec<&str> = words.collect();
        if is_known(code) {
            self.note(code, command);
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
            "M108" => self.break_wait(),
            _ => self.execute_at_once(code, command, &words),
        }
    }

    fn execute_at_once(&mut self, code: &str, command: &str, words: &[&str]) {
        match code {
            "M105" => {
                let temperatures = self.temperatures();
                self.say_ok(&format!(" {temperatures}"));
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
                self.say("FIRMWARE_NAME:Marlin sprue-sim (simulated) PROTOCOL_VERSION:1.0 MACHINE_TYPE:Simulated EXTRUDER_COUNT:1");
                self.say("Cap:EEPROM:0");
                self.say("Cap:AUTOREPORT_TEMP:0");
                self.say("Cap:EMERGENCY_PARSER:1");
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
        self.say_ok("");
    }

    fn plan_move(&mut self, now: Tick, ms: u64, words: &[&str]) {
        let took_ms = self.axes.go(words);
        let begin = self.moves.back().copied().unwrap_or(ms).max(ms);
        self.moves.push_back(begin.saturating_add(took_ms));
        if self.moves.len() > PLANNED_MOVES_MAX {
            self.start_work(now, Until::PlannerHasRoom);
        } else {
            self.say_ok("");
        }
    }

    fn heat(&mut self, now: Tick, waits: bool, words: &[&str], until: Until) {
        let heater = if matches!(until, Until::HotendReady) { &mut self.hotend } else { &mut self.bed };
        heater.target = value(words, 'S').unwrap_or(0.0).clamp(0.0, 400.0);
        if waits {
            self.start_work(now, until);
        } else {
            self.say_ok("");
        }
    }

    fn break_wait(&mut self) {
        if let Some(Work { until: Until::HotendReady | Until::BedReady, .. }) = self.work {
            self.work = None;
            self.say_ok("");
        }
        self.say_ok("");
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
            self.say_ok("");
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
    }

    fn cool_down(&mut self) {
        self.work = None;
        self.moves.clear();
        self.hotend.target = 0.0;
        self.bed.target = 0.0;
    }

    // ---- telling ---------------------------------------------------------------------------------------

    fn note(&mut self, code: &str, command: &str) {
        if QUESTIONS.contains(&code) || matches!(code, "M110" | "M108" | "M112") {
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

    fn say_ok(&mut self, rest: &str) {
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
        "M204", "M205", "M220", "M221", "M400", "T0",
    ];
    KNOWN.contains(&code)
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
