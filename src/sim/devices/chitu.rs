//! A resin printer with a ChiTu board: it stores a file, prints it by itself, and goes on when the host goes.
//!
//! Replies follow the published protocol text and what public hosts found on real boards.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::faults::{Fault, seconds};
use super::record::{Entry, hex};
use super::{Device, Faults, MachineClock, Record, Speed};
use crate::devices::wire::transfer;
use crate::units::Tick;

/// What fits on the card.
const CARD_BYTES_MAX: usize = 512 * 1024 * 1024;
/// A pause this long ends a packet or a command that came while a file is written; ten bytes' time at 9600 baud.
const PAUSE: Duration = Duration::from_millis(12);
/// A broken packet is asked for again after this pause.
const BROKEN_PAUSE: Duration = Duration::from_millis(40);
const LINE_BYTES_MAX: usize = 256;
/// `.goo`: places of the numbers of layers and of seconds (Elegoo's specification V1.2).
const GOO_LAYERS_AT: usize = 195_310;
const GOO_SECONDS_AT: usize = 195_446;
/// How long a file takes that doesn't say it.
const UNKNOWN_PRINT_MS: u64 = 600_000;
/// After the last layer the platform rises; the board still shows the file at its end. In machine time, but at
/// least so much real time that a host which asks twice a second sees it.
const RISE_MS: u64 = 20_000;
const RISE_AT_LEAST: Duration = Duration::from_millis(1000);

/// A simulated resin printer.
pub struct ChituSim {
    clock: MachineClock,
    faults: Faults,
    record: Record,
    keep: Option<PathBuf>,
    output: Vec<u8>,
    line: Vec<u8>,
    files: BTreeMap<String, Vec<u8>>,
    selected: Option<String>,
    print: Option<Print>,
    mode: Mode,
    unplugged: Option<Duration>,
    deaf_until: Option<Tick>,
    heard_at: Tick,
    packets: u64,
}

enum Mode {
    Commands,
    Upload { name: String, file: Vec<u8>, packet: Vec<u8> },
    Download { name: String, offset: usize },
}

struct Print {
    name: String,
    bytes: u64,
    layers: u32,
    total_ms: u64,
    done_ms: u64,
    at_ms: u64,
    is_paused: bool,
    /// The platform rises until then: machine time, and real time.
    rising: Option<(u64, Tick)>,
}

impl Device for ChituSim {
    fn receive(&mut self, now: Tick, bytes: &[u8]) {
        self.advance(now);
        self.heard_at = now;
        if self.deaf_until.is_some() {
            return;
        }
        if matches!(self.mode, Mode::Upload { .. }) {
            self.on_packet_bytes(bytes);
            return;
        }
        for &byte in bytes {
            if byte != b'\n' && byte != b'\r' {
                if self.line.len() < LINE_BYTES_MAX {
                    self.line.push(byte);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            self.on_line(now, &line);
        }
    }

    fn advance(&mut self, now: Tick) {
        let ms = self.clock.advance(now);
        if self.deaf_until.is_some_and(|until| now >= until) {
            self.deaf_until = None;
        }
        self.print_on(now, ms);
        self.end_packet(now);
    }

    fn wake_at(&self) -> Option<Tick> {
        let packet = match &self.mode {
            Mode::Upload { packet, .. } if !packet.is_empty() => {
                Some(self.heard_at.after(if upload_command(packet).is_some() { PAUSE } else { BROKEN_PAUSE }))
            }
            Mode::Upload { .. } | Mode::Commands | Mode::Download { .. } => None,
        };
        let print =
            self.print.as_ref().filter(|print| !print.is_paused).and_then(|print| match print.rising {
                Some((ms, tick)) => self.clock.tick_of(ms).map(|by_ms| by_ms.max(tick)),
                None => self.clock.tick_of(print.at_ms + (print.total_ms - print.done_ms)),
            });
        [packet, print].into_iter().flatten().min()
    }

    fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    fn take_unplugged(&mut self) -> Option<Duration> {
        self.unplugged.take()
    }

    fn switch_off(&mut self) {
        self.stop_print();
    }
}

impl ChituSim {
    /// A printer with an empty card. Files it receives are also kept in `keep`.
    #[must_use]
    pub fn new(faults: Faults, record: Record, speed: Speed, keep: Option<PathBuf>) -> Self {
        Self {
            clock: MachineClock::new(speed),
            faults,
            record,
            keep,
            output: Vec::new(),
            line: Vec::new(),
            files: BTreeMap::new(),
            selected: None,
            print: None,
            mode: Mode::Commands,
            unplugged: None,
            deaf_until: None,
            heard_at: Tick(0),
            packets: 0,
        }
    }

    /// What it did.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// A file on its card.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// From now on other things go wrong.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// From `now` on it works at another speed.
    pub fn set_speed(&mut self, now: Tick, speed: Speed) {
        self.clock.advance(now);
        self.clock.speed = speed;
    }

    /// Somebody changes a byte of a stored file: a worn card.
    pub fn spoil(&mut self, name: &str, at: usize) {
        if let Some(byte) = self.files.get_mut(name).and_then(|file| file.get_mut(at)) {
            *byte ^= 0x10;
        }
    }

    /// Somebody presses stop at the display.
    pub fn press_stop(&mut self) {
        self.stop_print();
    }

    /// Somebody switches it off and on: the print is over, the files stay.
    pub fn power_cycle(&mut self) {
        self.stop_print();
        self.mode = Mode::Commands;
        self.selected = None;
        self.line.clear();
    }

    // ---- files in --------------------------------------------------------------------------------------

    fn on_packet_bytes(&mut self, bytes: &[u8]) {
        let Mode::Upload { file, packet, .. } = &mut self.mode else { return };
        packet.extend_from_slice(bytes);
        packet.truncate(2 * (transfer::DATA_BYTES_MAX + transfer::FRAME_BYTES));
        let offset = u32::try_from(file.len()).unwrap_or(u32::MAX);
        let Some(data) = transfer::decode(packet, offset).map(<[u8]>::to_vec) else { return };
        packet.clear();
        self.packets += 1;
        let count = self.packets;
        if let Some(argument) = self.faults.strikes(Fault::Unplug, count) {
            self.unplugged = Some(seconds(argument));
        }
        if self.faults.strikes(Fault::LoseLine, count).is_some() {
            return;
        }
        if self.faults.strikes(Fault::Corrupt, count).is_some() {
            self.resend();
            return;
        }
        self.append(&data);
    }

    fn append(&mut self, data: &[u8]) {
        let used: usize = self.files.values().map(Vec::len).sum();
        let Mode::Upload { file, .. } = &mut self.mode else { return };
        if used + file.len() + data.len() > CARD_BYTES_MAX {
            self.say("Error:write dat");
            return;
        }
        file.extend_from_slice(data);
        self.say_ok("ok");
    }

    /// After a pause: a command, or a packet that is broken or for another place.
    fn end_packet(&mut self, now: Tick) {
        let quiet = now.since(self.heard_at);
        let Mode::Upload { packet, .. } = &mut self.mode else { return };
        if packet.is_empty() || quiet < PAUSE {
            return;
        }
        if let Some(command) = upload_command(packet) {
            packet.clear();
            self.on_upload_command(command);
        } else if quiet >= BROKEN_PAUSE {
            packet.clear();
            self.resend();
        }
    }

    fn on_upload_command(&mut self, command: &str) {
        if command == "M4000" {
            self.say_status();
            return;
        }
        if let Mode::Upload { name, file, .. } = std::mem::replace(&mut self.mode, Mode::Commands) {
            self.store(name, file);
        }
        self.say_ok("ok");
    }

    fn store(&mut self, name: String, file: Vec<u8>) {
        if let Some(folder) = &self.keep
            && let Err(error) = keep(folder, &name, &file)
        {
            tracing::error!(%error, "a received file can't be kept");
        }
        self.record.add(Entry::UploadCompleted {
            name: name.clone(),
            bytes: u64::try_from(file.len()).unwrap_or(u64::MAX),
            sha256: hex(Sha256::new_with_prefix(&file)),
        });
        self.files.insert(name, file);
    }

    fn resend(&mut self) {
        let Mode::Upload { file, .. } = &self.mode else { return };
        let offset = file.len();
        self.say(&format!("resend {offset}"));
    }

    // ---- commands --------------------------------------------------------------------------------------

    fn on_line(&mut self, now: Tick, line: &[u8]) {
        let mut line = line.to_vec();
        if self.faults.strikes(Fault::LoseLine, self.packets).is_some() {
            return;
        }
        if self.faults.strikes(Fault::Corrupt, self.packets).is_some() {
            self.faults.flip(&mut line);
        }
        if let Some(argument) = self.faults.strikes(Fault::Silence, self.packets) {
            self.deaf_until = Some(now.after(seconds(argument)));
            return;
        }
        let text: String = line.iter().map(|&byte| char::from(byte)).collect();
        let text = text.trim();
        let (code, rest) = text.split_once(' ').unwrap_or((text, ""));
        let name = rest.trim().trim_matches('\'').trim_start_matches('/').to_owned();
        match code {
            "" => {}
            "M4002" => self.say_ok("ok V4.2.20.3_LCDM"),
            "M4001" => self.say_ok("ok X:0.0127 Y:0.0127 Z:0.00125 E:0.00225 T:0/200/200/200/1 U:'GBK' B:1"),
            "M4000" => self.say_status(),
            "M4004" => self.say_ok("ok"),
            "M4006" => {
                let name = self.selected.clone().unwrap_or_default();
                self.say_ok(&format!("ok '/{name}'"));
            }
            "M20" => self.say_files(),
            "M27" => self.say_position(),
            "M28" => self.create(name),
            "M29" => self.say_ok("ok"),
            "M30" => self.delete(&name),
            "M6030" => self.start(&name),
            "M24" => self.set_paused(false),
            "M25" => self.set_paused(true),
            "M33" => {
                self.stop_print();
                self.say_ok("ok");
            }
            "M112" => self.say_ok("ok"),
            "M6032" => self.open(name),
            "M3000" => self.send_packet(None),
            "M3001" => self.send_packet(name.strip_prefix('I').and_then(|at| at.parse().ok())),
            _ => self.say("Error:unknown command"),
        }
    }

    fn create(&mut self, name: String) {
        if let Some(print) = &self.print {
            let open = print.name.clone();
            self.say(&format!("Error!File: {open} is opened"));
            return;
        }
        self.files.remove(&name);
        self.mode = Mode::Upload { name, file: Vec::new(), packet: Vec::new() };
        self.say_ok("ok");
    }

    fn delete(&mut self, name: &str) {
        let is_there = self.files.remove(name).is_some();
        if is_there { self.say_ok("ok") } else { self.say("Error:file is not exist") }
    }

    fn open(&mut self, name: String) {
        let Some(length) = self.files.get(&name).map(Vec::len) else {
            self.say("Error:cann't open file");
            return;
        };
        self.mode = Mode::Download { name, offset: 0 };
        self.say_ok(&format!("ok L:{length}"));
    }

    fn send_packet(&mut self, from: Option<usize>) {
        let Mode::Download { name, offset } = &mut self.mode else {
            self.say("Error:no file is open");
            return;
        };
        let start = from.unwrap_or(*offset);
        let data = self.files.get(name).and_then(|file| file.get(start..)).unwrap_or_default();
        let data = data.get(..transfer::DATA_BYTES_MAX).unwrap_or(data);
        if data.is_empty() {
            self.say("Error:end of file");
            return;
        }
        *offset = start + data.len();
        let mut packet = transfer::encode(u32::try_from(start).unwrap_or(u32::MAX), data);
        self.packets += 1;
        if self.faults.strikes(Fault::LoseOk, self.packets).is_some() {
            return;
        }
        if self.faults.strikes(Fault::Corrupt, self.packets).is_some() {
            self.faults.flip(&mut packet);
        }
        self.output.extend(packet);
    }

    // ---- printing --------------------------------------------------------------------------------------

    fn start(&mut self, name: &str) {
        if self.print.is_some() {
            self.say("Error:it's printing now");
            return;
        }
        let Some(file) = self.files.get(name) else {
            self.say("Error:cann't open file");
            return;
        };
        let layers = goo_number(file, GOO_LAYERS_AT).unwrap_or(0);
        let total_ms =
            goo_number(file, GOO_SECONDS_AT).map_or(UNKNOWN_PRINT_MS, |s| u64::from(s).max(1) * 1000);
        let bytes = u64::try_from(file.len()).unwrap_or(u64::MAX);
        let at_ms = self.clock.ms;
        self.mode = Mode::Commands;
        self.selected = Some(name.to_owned());
        self.record.add(Entry::PrintStarted { name: name.to_owned(), layers });
        self.print = Some(Print {
            name: name.to_owned(),
            bytes,
            layers,
            total_ms,
            done_ms: 0,
            at_ms,
            is_paused: false,
            rising: None,
        });
        self.say_ok("ok");
    }

    fn set_paused(&mut self, is_paused: bool) {
        if let Some(print) = self.print.as_mut().filter(|print| print.rising.is_none()) {
            print.is_paused = is_paused;
        }
        self.say_ok("ok");
    }

    fn stop_print(&mut self) {
        let Some(print) = self.print.take() else { return };
        if print.rising.is_none() {
            self.record.add(Entry::PrintStopped {
                layers_done: print.layers_done(),
                layers: print.layers,
                name: print.name,
            });
        }
    }

    fn print_on(&mut self, now: Tick, ms: u64) {
        let Some(print) = &mut self.print else { return };
        let passed = ms.saturating_sub(print.at_ms);
        print.at_ms = ms;
        if let Some((until_ms, until)) = print.rising {
            if ms >= until_ms && now >= until {
                self.print = None;
            }
            return;
        }
        if !print.is_paused {
            print.done_ms = print.done_ms.saturating_add(passed).min(print.total_ms);
        }
        let layers_done = u64::from(print.layers_done());
        if print.done_ms == print.total_ms {
            print.rising = Some((ms.saturating_add(RISE_MS), now.after(RISE_AT_LEAST)));
            let (name, layers) = (print.name.clone(), print.layers);
            self.record.add(Entry::PrintFinished { name, layers });
        }
        self.strike_print(layers_done);
    }

    fn strike_print(&mut self, layers_done: u64) {
        if self.faults.strikes(Fault::Reset, layers_done).is_some()
            || self.faults.strikes(Fault::Kill, layers_done).is_some()
        {
            self.power_cycle();
        }
    }

    // ---- telling ---------------------------------------------------------------------------------------

    fn say_status(&mut self) {
        let (done, total, paused) = self
            .print
            .as_ref()
            .map_or((0, 0, 0), |print| (print.bytes_done(), print.bytes, u8::from(print.is_paused)));
        let seconds = self.print.as_ref().map_or(0, |print| print.done_ms / 1000);
        self.say_ok(&format!(
            "ok B:0/0 E1:0/0 E2:0/0 X:0.000 Y:0.000 Z:0.000 F:0/0 D:{done}/{total}/{paused} T:{seconds}"
        ));
    }

    fn say_position(&mut self) {
        match &self.print {
            Some(print) => {
                let text = format!("SD printing byte {}/{}", print.bytes_done(), print.bytes);
                self.say_ok(&text);
            }
            None => self.say_ok("Not SD printing"),
        }
    }

    fn say_files(&mut self) {
        let list: Vec<String> =
            self.files.iter().map(|(name, file)| format!("{name} {}", file.len())).collect();
        self.say("Begin file list");
        for entry in list {
            self.say(&entry);
        }
        self.say("End file list");
        self.say_ok("ok");
    }

    fn say_ok(&mut self, text: &str) {
        if self.faults.strikes(Fault::LoseOk, self.packets).is_some() {
            return;
        }
        if self.faults.strikes(Fault::MangleOk, self.packets).is_some() {
            self.say("k");
            return;
        }
        if self.faults.strikes(Fault::GarbageOk, self.packets).is_some() {
            self.output.extend([0xff, 0xfe, 0x9c, 0x80]);
        }
        self.say(text);
        if self.faults.strikes(Fault::DoubleOk, self.packets).is_some() {
            self.say(text);
        }
    }

    fn say(&mut self, text: &str) {
        let mut line = [text.as_bytes(), b"\r\n"].concat();
        if self.faults.strikes(Fault::Corrupt, self.packets).is_some() {
            self.faults.flip(&mut line);
        }
        self.output.extend(line);
    }
}

impl Print {
    fn bytes_done(&self) -> u64 {
        share(self.bytes, self.done_ms, self.total_ms)
    }

    fn layers_done(&self) -> u32 {
        u32::try_from(share(u64::from(self.layers), self.done_ms, self.total_ms)).unwrap_or(u32::MAX)
    }
}

fn share(whole: u64, done: u64, total: u64) -> u64 {
    let share = u128::from(whole) * u128::from(done) / u128::from(total.max(1));
    u64::try_from(share).unwrap_or(whole).min(whole)
}

/// The two commands that a board understands while it writes a file.
fn upload_command(packet: &[u8]) -> Option<&'static str> {
    match packet.strip_suffix(b"\r\n")? {
        b"M29" => Some("M29"),
        b"M4000" => Some("M4000"),
        _ => None,
    }
}

fn goo_number(file: &[u8], at: usize) -> Option<u32> {
    let is_goo = file.get(4..12) == Some(&[7, 0, 0, 0, 0x44, 0x4c, 0x50, 0]);
    let bytes = file.get(at..at + 4).filter(|_| is_goo)?;
    bytes.try_into().ok().map(u32::from_be_bytes)
}

fn keep(folder: &std::path::Path, name: &str, file: &[u8]) -> std::io::Result<()> {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let name = if is_plain && !name.starts_with('.') { name } else { "unnamed" };
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(name), file)
}
