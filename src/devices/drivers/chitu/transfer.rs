//! Brings a file onto a ChiTu board and proves that it arrived.
//!
//! ```text
//!   Closing --> Creating --> Sending <--> Draining
//!   (M29)       (M28)          |  all sent
//!      ^                       v
//!      |  doubt            Finishing --> Listing --> Opening --> Reading --> done
//!      +--------------------(M29)        (M20)       (M6032)     (M3000, M3001)
//! ```
//!
//! One packet is under way at a time. A packet whose `ok` is overdue is sent again unchanged: the board takes it
//! if it was lost, and asks for the next place if only its `ok` was lost, so nothing is written twice.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::devices::drivers::chitu::{Settings, Verify, reply};
use crate::devices::session::JobName;
use crate::devices::wire::lines::LineSplitter;
use crate::devices::wire::transfer::{DATA_BYTES_MAX, FRAME_BYTES, decode, encode};
use crate::units::Tick;

/// How long a packet and its `ok` may take: 112 ms on the wire at 115200 baud, the rest is the card's.
const PACKET_WAIT: Duration = Duration::from_millis(500);
/// After a resend the line must be quiet this long, so that several resends are answered once.
const QUIET: Duration = Duration::from_millis(30);
/// Tries of one packet or question, of the whole upload, and of data that reads back wrong.
const TRIES_MAX: u32 = 20;
const UPLOADS_MAX: u32 = 4;
const QUESTIONS_MAX: u32 = 4;

/// A file under way.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) job: JobName,
    name: String,
    file: Arc<[u8]>,
    verify: Verify,
    reply_wait: Duration,
    stage: Stage,
    uploads: u32,
    tries: u32,
    wrong_reads: u32,
    deadline: Tick,
    lines: LineSplitter,
    transmit: VecDeque<Vec<u8>>,
    failed: Option<String>,
}

#[derive(Debug)]
enum Stage {
    Closing,
    Creating,
    Sending { at: usize },
    Draining { at: usize, resend: u32 },
    Finishing,
    Listing { size: Option<u64> },
    Opening,
    Reading { at: usize, packet: Vec<u8> },
    Done,
}

/// How a transfer stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Going,
    Done,
    Failed(String),
}

impl Transfer {
    pub(super) fn start(now: Tick, settings: &Settings, job: JobName, file: Arc<[u8]>) -> Self {
        let mut transfer = Self {
            name: file_name(settings, &job),
            job,
            file,
            verify: settings.verify,
            reply_wait: Duration::from_millis(settings.reply_ms),
            stage: Stage::Closing,
            uploads: 0,
            tries: 0,
            wrong_reads: 0,
            deadline: now,
            lines: LineSplitter::default(),
            transmit: VecDeque::new(),
            failed: None,
        };
        transfer.create(now);
        transfer
    }

    /// Bytes that the device has confirmed: half of the work is the upload, half reading back.
    pub(super) fn bytes_done(&self) -> u64 {
        let done = match self.stage {
            Stage::Closing | Stage::Creating => 0,
            Stage::Sending { at } | Stage::Draining { at, .. } => at,
            Stage::Finishing
            | Stage::Listing { .. }
            | Stage::Opening
            | Stage::Reading { .. }
            | Stage::Done => self.file.len(),
        };
        u64::try_from(done).unwrap_or(u64::MAX)
    }

    pub(super) fn bytes_total(&self) -> u64 {
        u64::try_from(self.file.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn take_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmit.pop_front()
    }

    pub(super) fn deadline(&self) -> Tick {
        self.deadline
    }

    pub(super) fn outcome(&self) -> Outcome {
        match (&self.failed, &self.stage) {
            (Some(reason), _) => Outcome::Failed(reason.clone()),
            (None, Stage::Done) => Outcome::Done,
            (None, _) => Outcome::Going,
        }
    }

    pub(super) fn on_bytes(&mut self, now: Tick, bytes: &[u8]) {
        if let Stage::Reading { packet, .. } = &mut self.stage {
            let room = (2 * (DATA_BYTES_MAX + FRAME_BYTES)).saturating_sub(packet.len());
            packet.extend(bytes.iter().take(room));
            self.read_packet(now);
            return;
        }
        if let Stage::Draining { .. } = self.stage {
            self.deadline = now.after(QUIET);
        }
        for line in self.lines.push(bytes) {
            self.on_line(now, &line);
        }
    }

    pub(super) fn on_timeout(&mut self, now: Tick) {
        if now < self.deadline {
            return;
        }
        if let Stage::Draining { at, resend } = self.stage {
            self.resume_at(now, at, resend);
            return;
        }
        self.tries += 1;
        if self.tries >= TRIES_MAX {
            self.upload_again(now, "the printer stopped answering");
            return;
        }
        match self.stage {
            Stage::Closing => self.create(now),
            Stage::Creating => self.upload_again(now, "the printer doesn't open a new file"),
            Stage::Sending { at } => self.send(now, at),
            Stage::Finishing => self.ask(now, "M29"),
            Stage::Listing { .. } => self.list(now),
            Stage::Opening => self.open(now),
            Stage::Reading { at, .. } => self.ask_packet(now, at, &format!("M3001 I{at}")),
            Stage::Draining { .. } | Stage::Done => {}
        }
    }

    // ---- upload ----------------------------------------------------------------------------------------

    fn create(&mut self, now: Tick) {
        self.stage = Stage::Creating;
        let command = format!("M28 {}", self.name);
        self.ask(now, &command);
    }

    /// On any doubt whether the board takes data or commands: close the file, which both understand, and begin
    /// anew.
    fn upload_again(&mut self, now: Tick, why: &str) {
        self.uploads += 1;
        self.tries = 0;
        self.wrong_reads = 0;
        if self.uploads >= UPLOADS_MAX {
            self.fail(&format!("{why}, {UPLOADS_MAX} times: check the cable and the printer's storage"));
            return;
        }
        self.stage = Stage::Closing;
        self.ask(now, "M29");
    }

    fn send(&mut self, now: Tick, at: usize) {
        let packet = self.packet(at);
        if packet.is_empty() {
            self.tries = 0;
            self.stage = Stage::Finishing;
            self.ask(now, "M29");
            return;
        }
        let offset = u32::try_from(at).unwrap_or(u32::MAX);
        self.transmit.push_back(encode(offset, packet));
        self.stage = Stage::Sending { at };
        self.lines.clear();
        self.deadline = now.after(PACKET_WAIT);
    }

    fn packet(&self, at: usize) -> &[u8] {
        let rest = self.file.get(at..).unwrap_or_default();
        rest.get(..DATA_BYTES_MAX).unwrap_or(rest)
    }

    fn on_line(&mut self, now: Tick, line: &str) {
        match self.stage {
            Stage::Closing if reply::is_plain_ok(line) || reply::error(line).is_some() => self.create(now),
            Stage::Creating if reply::is_plain_ok(line) => {
                self.tries = 0;
                self.send(now, 0);
            }
            Stage::Creating if reply::error(line).is_some() => self.on_no_file(now, line),
            Stage::Sending { at } => self.on_sending(now, at, line),
            Stage::Draining { ref mut resend, .. } => *resend = reply::resend(line).unwrap_or(*resend),
            Stage::Finishing => self.on_finishing(now, line),
            Stage::Listing { .. } => self.on_listing(now, line),
            Stage::Opening => self.on_opening(now, line),
            Stage::Closing | Stage::Creating | Stage::Reading { .. } | Stage::Done => {}
        }
    }

    fn on_no_file(&mut self, now: Tick, line: &str) {
        let text = format!("the printer doesn't take a file (\"{line}\")");
        self.upload_again(now, &text);
    }

    fn on_sending(&mut self, now: Tick, at: usize, line: &str) {
        if reply::is_plain_ok(line) {
            self.tries = 0;
            self.send(now, at + self.packet(at).len());
        } else if let Some(resend) = reply::resend(line) {
            self.stage = Stage::Draining { at, resend };
            self.deadline = now.after(QUIET);
        } else if let Some(error) = reply::error(line) {
            if error.contains("write") {
                self.fail("the printer can't write the file: its storage is full or broken");
            } else {
                self.upload_again(now, "the printer takes no data");
            }
        }
    }

    /// The board says which place it wants. Garbled digits do no harm: it refuses the wrong place and says it
    /// again.
    fn resume_at(&mut self, now: Tick, at: usize, resend: u32) {
        let wanted = usize::try_from(resend).unwrap_or(usize::MAX);
        let next = at + self.packet(at).len();
        self.tries = if wanted == next { 0 } else { self.tries + 1 };
        if self.tries >= TRIES_MAX {
            self.upload_again(now, "the printer asks for the same data again and again");
        } else if wanted <= next {
            self.send(now, wanted);
        } else {
            self.send(now, at);
        }
    }

    fn on_finishing(&mut self, now: Tick, line: &str) {
        if reply::is_plain_ok(line) {
            self.tries = 0;
            self.list(now);
        } else if let Some(resend) = reply::resend(line) {
            let at = self.file.len();
            self.stage = Stage::Draining { at, resend };
            self.deadline = now.after(QUIET);
        }
    }

    // ---- proof -----------------------------------------------------------------------------------------

    fn list(&mut self, now: Tick) {
        if self.tries >= QUESTIONS_MAX {
            self.upload_again(now, "the printer's file list doesn't show the file in its right size");
            return;
        }
        self.stage = Stage::Listing { size: None };
        self.ask(now, "M20");
    }

    fn on_listing(&mut self, now: Tick, line: &str) {
        let Stage::Listing { size } = &mut self.stage else { return };
        self.deadline = now.after(self.reply_wait);
        if let Some(listed) = reply::listed_size(line, &self.name) {
            *size = Some(listed);
        }
        if line != "End file list" {
            return;
        }
        if *size != Some(u64::try_from(self.file.len()).unwrap_or(u64::MAX)) {
            // Perhaps a garbled list: it is asked for again, and what still comes of this one passed over.
            self.tries += 1;
            self.stage = Stage::Listing { size: None };
            self.deadline = now.after(QUIET);
            return;
        }
        self.tries = 0;
        match self.verify {
            Verify::Size => self.stage = Stage::Done,
            Verify::ReadBack => self.open(now),
        }
    }

    fn open(&mut self, now: Tick) {
        if self.tries >= QUESTIONS_MAX {
            self.upload_again(now, "the printer doesn't give the file back for the check");
            return;
        }
        self.stage = Stage::Opening;
        let command = format!("M6032 '{}'", self.name);
        self.ask(now, &command);
    }

    fn on_opening(&mut self, now: Tick, line: &str) {
        if reply::length(line) == Some(self.bytes_total()) {
            self.tries = 0;
            self.ask_packet(now, 0, "M3000");
        }
    }

    fn ask_packet(&mut self, now: Tick, at: usize, command: &str) {
        if at == self.file.len() {
            self.stage = Stage::Done;
            return;
        }
        self.stage = Stage::Reading { at, packet: Vec::new() };
        self.ask(now, command);
        self.deadline = now.after(PACKET_WAIT);
    }

    fn read_packet(&mut self, now: Tick) {
        let Stage::Reading { at, packet } = &self.stage else { return };
        let at = *at;
        let Some(data) = decode(packet, u32::try_from(at).unwrap_or(u32::MAX)) else { return };
        let end = at + data.len();
        if self.file.get(at..end) == Some(data) {
            self.tries = 0;
            self.ask_packet(now, end, "M3000");
            return;
        }
        self.wrong_reads += 1;
        if self.wrong_reads >= QUESTIONS_MAX {
            self.upload_again(now, "the file reads back with other bytes than were sent");
        } else {
            self.ask_packet(now, at, &format!("M3001 I{at}"));
        }
    }

    fn ask(&mut self, now: Tick, command: &str) {
        self.lines.clear();
        self.transmit.push_back(format!("{command}\r\n").into_bytes());
        self.deadline = now.after(self.reply_wait);
    }

    fn fail(&mut self, reason: &str) {
        self.failed = Some(reason.to_owned());
    }
}

/// The name of a print's file on the device.
pub(super) fn file_name(settings: &Settings, job: &JobName) -> String {
    format!("{}.{}", job.0, settings.extension)
}
