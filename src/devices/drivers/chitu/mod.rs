//! Resin printers with ChiTu boards: the printer stores the sliced file and prints it by itself.
//!
//! * `transfer` brings a file over and proves that it arrived: upload, size, read-back.
//! * `session` asks one thing at a time, watches the print and recognises it after a restart.
//!
//! Protocol: "ChituClientWifiProtocol" of the Photonsters project; the same commands over the serial line at
//! 115200 8N1. Commands and replies carry no checksum, so nothing important is believed when it was seen once.

use serde::Deserialize;

use crate::devices::drivers::{Capabilities, Delivery, Driver, read};

mod reply;
mod session;
mod transfer;

pub use session::ChituSession;

/// The driver.
pub const DRIVER: Driver = Driver {
    name: "chitu",
    capabilities: Capabilities {
        delivery: Delivery::Stored,
        pause: true,
        cancel: true,
        names_its_print: true,
    },
    make: |settings| Ok(Box::new(ChituSession::new(read(settings)?))),
};

/// The settings of a station with this driver.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The extension of the printer's file format, without dot. Files are named after the print.
    pub extension: String,
    /// How a file is checked after the upload.
    #[serde(default)]
    pub verify: Verify,
    /// How often the state is asked for: "about once in 2 s", says the protocol text.
    #[serde(default = "poll_ms")]
    pub poll_ms: u64,
    /// How long a reply may take. Starting a print takes up to 2 s, public hosts found.
    #[serde(default = "reply_ms")]
    pub reply_ms: u64,
}

/// How a file is checked after the upload. Its size is always checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// Read back and compared byte by byte; takes as long as the upload.
    #[default]
    ReadBack,
    /// Size alone; every packet had an 8-bit checksum.
    Size,
}

impl Settings {
    /// The usual settings for a file format.
    #[must_use]
    pub fn new(extension: &str) -> Self {
        Self {
            extension: extension.to_owned(),
            verify: Verify::default(),
            poll_ms: poll_ms(),
            reply_ms: reply_ms(),
        }
    }
}

fn poll_ms() -> u64 {
    2000
}

fn reply_ms() -> u64 {
    3000
}
