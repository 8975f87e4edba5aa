//! What the shop file says, checked and resolved: plain data for the rest of the program.

use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::tz::TimeZone;

use crate::shop::profile::{ExposureOverride, Profiles};
pub use crate::shop::workshop::{Limits, MaterialPrice, Person, Station};
use crate::units::Timestamp;

/// One workshop: `workshop.toml`.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// `[workshop] name`.
    pub name: String,
    /// `[workshop] time_zone`, an IANA name: the zone that shifts are meant in.
    pub time_zone: TimeZone,
    /// `[workshop] listen`: where the panel and the API answer. Without it 127.0.0.1:7373.
    pub listen: SocketAddr,
    /// `[workshop] data_dir`: journal, blobs, keys. Without it `./data` beside the file.
    pub data_dir: PathBuf,
    /// `[workshop] routing`: stem of the routing of an order that names none.
    pub routing: String,
    /// All profiles: those of `[workshop] profiles`, then the built-in ones.
    pub profiles: Profiles,
    /// `[[line]]`, in the order of the file.
    pub lines: Vec<Line>,
    /// `[[station]]`, in the order of the file.
    pub stations: Vec<Station>,
    /// `[[person]]`, in the order of the file.
    pub people: Vec<Person>,
    /// `[[webhook]]`, in the order of the file.
    pub webhooks: Vec<Webhook>,
    /// `[[exposure]]`: exposures that the shop tested itself.
    pub exposure: Vec<ExposureOverride>,
    /// `[[price]]`: what materials cost this shop.
    pub prices: Vec<MaterialPrice>,
    /// `[simulation]`: set if shop time runs faster than the world.
    pub simulation: Option<Simulation>,
    /// `[limits]`.
    pub limits: Limits,
    /// `[panel]`.
    pub panel: Panel,
}

/// One serial line, with one or more devices on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// A tty, a pty, or `tcp://host:port`. Whether it is there shows at run time.
    pub port: String,
    /// Bits per second; absent, it is what the boards of the known drivers use (115200).
    pub baud: Option<u32>,
}

/// Somebody who wants to hear of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where to.
    pub url: String,
    /// What messages are signed with.
    pub secret: Secret,
    /// Which events: `order.*`, `piece.finished`, `*`.
    pub events: Vec<String>,
}

/// A signing key: 24 to 64 bytes. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Shop time that runs faster than the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Simulation {
    /// How many times faster.
    pub speed: u32,
    /// Shop time when the simulation started.
    pub started_at: Timestamp,
    /// Time of the world when the simulation started.
    pub started_real: Timestamp,
}

/// The panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Panel {
    /// Whether the panel needs no key where it is opened on the same machine. Without it: it needs one.
    pub open_on_loopback: bool,
}
