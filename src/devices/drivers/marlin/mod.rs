//! Printers with Marlin-like firmware: every line numbered and checked, the program streamed from memory.
//!
//! * `program` checks a G-code file and hands out its lines.
//! * `channel` carries numbered lines, each exactly once, over a bad line; `window` says how many at a time.
//! * `identity`, `readings` and `prompt` make sense of what the printer says of itself.
//! * `session` greets, identifies, streams, pauses, cancels and proves the end.
//!
//! * `dialect` holds what other firmware does otherwise; Klipper, which ignores line numbers, must be named in
//!   the settings, since a lossy line can't be told there.

use serde::Deserialize;

use crate::devices::drivers::{Capabilities, Delivery, Driver, read};

mod channel;
mod dialect;
mod identity;
mod program;
mod prompt;
mod readings;
mod session;
mod window;

pub use dialect::Dialect;
pub use identity::machine_of;
pub use session::MarlinSession;

/// The driver.
pub const DRIVER: Driver = Driver {
    name: "marlin",
    capabilities: Capabilities {
        delivery: Delivery::Streamed,
        pause: true,
        cancel: true,
        names_its_print: false,
    },
    make: |settings| Ok(Box::new(MarlinSession::new(read(settings)?))),
};

/// The same printers, where the program is written to the printer's own card and printed from there: it goes on
/// while the daemon or the line is away.
pub const CARD_DRIVER: Driver = Driver {
    name: "marlin-card",
    capabilities: Capabilities {
        delivery: Delivery::Stored,
        pause: true,
        cancel: true,
        names_its_print: true,
    },
    make: |settings| {
        let settings = Settings { card: true, ..read(settings)? };
        Ok(Box::new(MarlinSession::new(settings)))
    },
};

/// The settings of a station with this driver. All have values from measurements on real firmware.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How often temperatures are asked for. 2 s is what hosts commonly use.
    pub poll_ms: u64,
    /// After how much silence a line is sent again with the same number; grows with the printer's own answer
    /// times. 250 ms was measured as safe on a loaded machine.
    pub probe_ms: u64,
    /// After how much silence a printer that doesn't say `busy` is taken as gone. Over the 20 s that healthy
    /// printers were seen silent.
    pub silence_s: u64,
    /// Lines in flight at most. More than one only where the firmware says with each `ok` which line it is for
    /// and how much room it has (`ADVANCED_OK`).
    pub window_lines: u32,
    /// What the board's receive buffer holds; no more than half of it is in flight. 128 is the buffer of a stock
    /// Marlin board with an ATmega2560; boards with 32 bits have up to 4096.
    pub buffer_bytes: usize,
    /// The machine that must answer on the line: the `UUID`, or else the `MACHINE_TYPE`, of its answer to `M115`.
    /// Without it the first machine that answers after a start of the daemon is the one.
    pub machine: Option<String>,
    /// The firmware family: "marlin", "klipper" or "reprapfirmware".
    pub dialect: Dialect,
    /// Print from the printer's card; what `CARD_DRIVER` sets.
    #[serde(skip)]
    pub card: bool,
    /// What is sent after a print was cancelled. Heaters and fan off: the one state that is safe to leave alone.
    pub after_cancel: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let after_cancel = ["M104 S0", "M140 S0", "M107"].map(str::to_owned).to_vec();
        Self {
            poll_ms: 2000,
            probe_ms: 250,
            silence_s: 60,
            window_lines: 16,
            buffer_bytes: 128,
            machine: None,
            dialect: Dialect::default(),
            card: false,
            after_cancel,
        }
    }
}
