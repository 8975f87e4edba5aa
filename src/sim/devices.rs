//! Simulated devices: what real firmware was seen to answer, byte for byte, with faults on demand and a record
//! of what the machine did, kept apart from what the daemon believes.
//!
//! A device is a value without I/O, like the session it talks to; `pty` serves one on a pseudo-terminal.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::units::Tick;

pub mod chitu;
pub mod faults;
pub mod marlin;
pub mod pty;
pub mod record;
#[cfg(test)]
mod tests;

pub use chitu::ChituSim;
pub use faults::Faults;
pub use marlin::MarlinSim;
pub use pty::run_device;
pub use record::Record;

/// A simulated machine at the far end of a line.
pub trait Device: Send {
    /// Takes bytes from the host.
    fn receive(&mut self, now: Tick, bytes: &[u8]);

    /// Lets time pass.
    fn advance(&mut self, now: Tick);

    /// When it next wants `advance`; `None` if only bytes can change anything.
    fn wake_at(&self) -> Option<Tick>;

    /// What it says; empties the buffer.
    fn take_output(&mut self) -> Vec<u8>;

    /// Whether somebody has pulled the plug, and for how long.
    fn take_unplugged(&mut self) -> Option<Duration>;

    /// Its power goes off for good; what it was doing goes into its record.
    fn switch_off(&mut self) {}
}

/// How many times faster than the world a machine works. What a wire takes doesn't scale.
pub type Speed = Arc<dyn Fn() -> u32 + Send + Sync>;

/// The kinds of devices that can be simulated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A filament or wax printer with Marlin firmware.
    Marlin,
    /// A resin printer with a ChiTu board.
    Chitu,
}

/// What to simulate and how to be reached.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A symbolic link to the pty; removed while the device is unplugged.
    pub link: Option<PathBuf>,
    /// Repeats the same faults.
    pub seed: u64,
    /// What goes wrong.
    pub faults: Faults,
    /// An append-only file of what the machine did.
    pub record: Option<PathBuf>,
    /// A folder for the files that a resin printer received.
    pub keep: Option<PathBuf>,
}

/// A device can't be simulated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such kind of device.
    #[error("there is no simulated device \"{name}\": use marlin or chitu")]
    UnknownDevice {
        /// The name.
        name: String,
    },
    /// The record can't be opened.
    #[error("record {} can't be opened: check that its folder exists and may be written", path.display())]
    OpenRecord {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No pseudo-terminal.
    #[error("no pseudo-terminal to be had")]
    OpenPty {
        /// Why.
        source: std::io::Error,
    },
    /// The link can't be made.
    #[error("link {} can't be made: check that its folder exists and may be written", path.display())]
    MakeLink {
        /// Where it should be.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The pseudo-terminal broke.
    #[error("the pseudo-terminal failed")]
    ServePty {
        /// Why.
        source: std::io::Error,
    },
}

impl Kind {
    /// The kind of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn parse(name: &str) -> Result<Self, Error> {
        match name {
            "marlin" => Ok(Self::Marlin),
            "chitu" => Ok(Self::Chitu),
            _ => Err(Error::UnknownDevice { name: name.to_owned() }),
        }
    }

    /// Builds the machine, just switched on.
    ///
    /// # Errors
    /// If its record can't be opened.
    pub fn build(self, options: &Options, speed: Speed) -> Result<Box<dyn Device>, Error> {
        let record = match &options.record {
            Some(path) => Record::open(path)?,
            None => Record::default(),
        };
        let faults = options.faults.clone().seeded(options.seed);
        Ok(match self {
            Self::Marlin => Box::new(MarlinSim::new(faults, record, speed)),
            Self::Chitu => Box::new(ChituSim::new(faults, record, speed, options.keep.clone())),
        })
    }
}

/// The time of a machine, which runs faster than the world.
struct MachineClock {
    speed: Speed,
    last: Option<Tick>,
    ms: u64,
}

impl MachineClock {
    fn new(speed: Speed) -> Self {
        Self { speed, last: None, ms: 0 }
    }

    /// Machine milliseconds since it was switched on.
    fn advance(&mut self, now: Tick) -> u64 {
        if let Some(last) = self.last {
            let passed = u64::try_from(now.since(last).as_millis()).unwrap_or(u64::MAX);
            self.ms = self.ms.saturating_add(passed.saturating_mul(u64::from((self.speed)().max(1))));
        }
        self.last = Some(self.last.map_or(now, |last| last.max(now)));
        self.ms
    }

    /// The tick at which the machine's time will be `ms`, at the present speed; at least one tick ahead.
    fn tick_of(&self, ms: u64) -> Option<Tick> {
        let wait = ms.saturating_sub(self.ms).div_ceil(u64::from((self.speed)().max(1)));
        self.last.map(|last| last.after(Duration::from_millis(wait.max(1))))
    }
}
