//! A conversation with a device as a value without I/O: bytes, commands and time go in, bytes and facts come
//! out. Only `pump.rs` moves them.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sprue_station_protocol::Celsius;

use crate::units::Tick;

/// One live conversation on one line.
pub trait Session: Send {
    /// Takes one input at time `now`. Afterwards call `poll` until it returns `Output::Wait`.
    fn handle(&mut self, now: Tick, input: Input<'_>);

    /// The next thing to do; never blocks, never reads a clock.
    fn poll(&mut self) -> Output;
}

/// What a session is told.
#[derive(Debug)]
pub enum Input<'a> {
    /// The line was opened; the conversation starts.
    Opened,
    /// Bytes came from the device. Hostile until proved otherwise.
    Received(&'a [u8]),
    /// The daemon wants something.
    Command(Command),
    /// The time that `Output::Wait` asked for has come.
    Timeout,
    /// The line is gone. The session forgets what was in flight and reports `Fact::Offline`.
    Lost(&'a str),
}

/// What a session wants done.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// Write these bytes.
    Transmit(Vec<u8>),
    /// Tell the daemon.
    Fact(Fact),
    /// Nothing until new input, or until this tick.
    Wait(Option<Tick>),
}

/// A print on a device. The name is unique for one attempt of one operation and is what the device is asked
/// about after a crash; at most 24 characters of `a-z 0-9 -`, without the extension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobName(pub String);

/// From the daemon to a device. Few and common; a driver states which it can.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Bring the file of a print to the device and prove that it arrived whole. Starts nothing.
    Load {
        /// The print.
        job: JobName,
        /// The file, as the printer profile's format has it.
        file: Arc<[u8]>,
    },
    /// Start a print that is loaded.
    Start {
        /// The print.
        job: JobName,
        /// How long it should take, in real time; the limit of silence follows from it.
        expected: Duration,
    },
    /// Take up a print again that a former run of the daemon may have started. Never starts anything: the
    /// device is asked, and `Fact::Report` says what it is doing.
    Query,
    /// Pause the running print.
    Pause,
    /// Go on with the paused print.
    Resume,
    /// End the running print; the device stays usable.
    Cancel,
    /// Stop everything at once, ahead of all that waits.
    EmergencyStop,
}

/// What a device was found doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "doing", rename_all = "snake_case")]
pub enum Doing {
    /// Nothing, and the device can say so.
    Idle {
        /// The file it names as the selected one, if it names one.
        selected: Option<String>,
    },
    /// A print.
    Printing {
        /// The file it names, without the extension; `None` if this device can't say.
        job: Option<JobName>,
        /// It is paused.
        paused: bool,
    },
    /// It answers, but not what it is doing; a person must look.
    Unclear {
        /// What was seen.
        reason: String,
    },
}

/// From a device to the daemon.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// The device answers and says what it is.
    Online {
        /// Firmware name and version, as the device gives them, cleaned of control characters.
        identity: String,
    },
    /// The device can't be used; sent once for each change of the reason.
    Offline {
        /// A sentence for a technician that says what to do.
        reason: String,
    },
    /// Answer to `Command::Query`, and what a driver found by itself after a reconnect.
    Report(Doing),
    /// Part of the file has arrived.
    LoadProgress {
        /// The print.
        job: JobName,
        /// Bytes that the device has confirmed.
        bytes_done: u64,
        /// Bytes in all.
        bytes_total: u64,
    },
    /// The file is on the device (or held ready for streaming) and was checked.
    Loaded {
        /// The print.
        job: JobName,
    },
    /// The file could not be brought over; nothing was started.
    LoadFailed {
        /// The print.
        job: JobName,
        /// Why, and what to do.
        reason: String,
    },
    /// The device confirmed that the print runs.
    Started {
        /// The print.
        job: JobName,
    },
    /// How far the running print is.
    Progress {
        /// The print.
        job: JobName,
        /// Layers, bytes or lines done.
        done: u64,
        /// Layers, bytes or lines in all.
        total: u64,
    },
    /// The print is paused.
    Paused {
        /// The print.
        job: JobName,
        /// By whom or why.
        reason: String,
    },
    /// The print goes on.
    Resumed {
        /// The print.
        job: JobName,
    },
    /// The print is complete, and that is proved, not guessed.
    Finished {
        /// The print.
        job: JobName,
    },
    /// The print ended before its end: cancelled, refused, or broken off. The device may hold a spoilt plate.
    Stopped {
        /// The print.
        job: JobName,
        /// Why, and what to do.
        reason: String,
    },
    /// What became of the print can't be known from here; a person must look.
    Unclear {
        /// The print.
        job: JobName,
        /// What was seen.
        reason: String,
    },
    /// Temperatures.
    Temperatures(Vec<Temperature>),
    /// The device complains.
    Fault {
        /// Stable code.
        code: String,
        /// A sentence for a technician that says what to do.
        text: String,
    },
    /// The device can't do this command; refused in planning, so this is a bug or a race.
    Refused {
        /// What was asked.
        command: &'static str,
        /// Why.
        reason: String,
    },
}

/// One temperature reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Temperature {
    /// The device's own name of the sensor (`T0`, `B`, …).
    pub sensor: String,
    /// What it reads.
    pub actual: Celsius,
    /// What it is asked to hold; `None` if the device doesn't say.
    pub target: Option<Celsius>,
}
