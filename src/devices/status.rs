//! What is known of a station at this moment, for the panel and for metrics. Folded from facts.

use serde::Serialize;
use sprue_station_protocol::Celsius;

use crate::devices::session::{Doing, Fact, JobName, Temperature};
use crate::units::Tick;

/// The last known state of one station.
#[derive(Debug, Clone, PartialEq)]
pub struct StationStatus {
    /// The station.
    pub station: String,
    /// The line it sits on.
    pub line: String,
    /// Its driver.
    pub driver: &'static str,
    /// Whether it can be talked to.
    pub link: Link,
    /// Since when `link` is as it is.
    pub link_since: Tick,
    /// What it is doing, as far as it has said.
    pub activity: Activity,
    /// Latest temperatures; empty if the device has none or is away.
    pub temperatures: Vec<Temperature>,
    /// The latest complaint of the device; a new print clears it.
    pub fault: Option<StationFault>,
}

/// Whether a station can be talked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "link", rename_all = "snake_case")]
pub enum Link {
    /// Not yet known; the daemon has just started.
    Connecting,
    /// It answers.
    Online {
        /// Firmware name and version.
        identity: String,
    },
    /// It doesn't.
    Offline {
        /// A sentence for a technician that says what to do.
        reason: String,
    },
    /// The driver broke; the daemon goes on without this station until it is restarted.
    Faulted {
        /// A sentence for a technician that says what to do.
        reason: String,
    },
}

/// What a station is doing. Last known while it is offline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "activity", rename_all = "snake_case")]
pub enum Activity {
    /// It hasn't said.
    Unknown,
    /// Nothing.
    Idle,
    /// It takes a file.
    Loading {
        /// The print.
        job: JobName,
        /// Bytes that the device has confirmed.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// It holds a checked file and waits to be started.
    Loaded {
        /// The print.
        job: JobName,
    },
    /// It prints.
    Printing {
        /// The print; `None` if the device can't say.
        job: Option<JobName>,
        /// Layers, bytes or lines done.
        done: u64,
        /// Layers, bytes or lines in all; 0 if not known.
        total: u64,
        /// It is paused.
        paused: bool,
    },
    /// A person must look.
    Unclear {
        /// What was seen.
        reason: String,
    },
}

/// A complaint of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StationFault {
    /// Stable code.
    pub code: String,
    /// A sentence for a technician.
    pub text: String,
}

impl StationStatus {
    /// A station of which nothing is known yet.
    #[must_use]
    pub fn new(station: String, line: String, driver: &'static str, now: Tick) -> Self {
        Self {
            station,
            line,
            driver,
            link: Link::Connecting,
            link_since: now,
            activity: Activity::Unknown,
            temperatures: Vec::new(),
            fault: None,
        }
    }

    /// True if commands reach the device.
    #[must_use]
    pub fn is_online(&self) -> bool {
        matches!(self.link, Link::Online { .. })
    }

    /// True if the driver broke and the station is out of use until a restart.
    #[must_use]
    pub fn is_faulted(&self) -> bool {
        matches!(self.link, Link::Faulted { .. })
    }

    /// The temperature of a sensor.
    #[must_use]
    pub fn temperature(&self, sensor: &str) -> Option<Celsius> {
        self.temperatures.iter().find(|t| t.sensor == sensor).map(|t| t.actual)
    }

    /// Takes one fact into account.
    pub fn observe(&mut self, now: Tick, fact: &Fact) {
        match fact {
            Fact::Online { identity } => self.set_link(now, Link::Online { identity: identity.clone() }),
            Fact::Offline { reason } => {
                self.temperatures.clear();
                self.set_link(now, Link::Offline { reason: reason.clone() });
            }
            Fact::Report(doing) => self.activity = self.found(doing),
            Fact::LoadProgress { job, bytes_done, bytes_total } => {
                self.activity =
                    Activity::Loading { job: job.clone(), done: *bytes_done, total: *bytes_total };
            }
            Fact::Loaded { job } => self.activity = Activity::Loaded { job: job.clone() },
            Fact::Started { job } => {
                self.fault = None;
                self.activity = printing(job, 0, 0, false);
            }
            Fact::Progress { job, done, total } => {
                let paused = matches!(self.activity, Activity::Printing { paused: true, .. });
                self.activity = printing(job, *done, *total, paused);
            }
            Fact::Paused { .. } => self.set_paused(true),
            Fact::Resumed { .. } => self.set_paused(false),
            Fact::LoadFailed { .. } | Fact::Finished { .. } | Fact::Stopped { .. } => {
                self.activity = Activity::Idle;
            }
            Fact::Unclear { reason, .. } => self.activity = Activity::Unclear { reason: reason.clone() },
            Fact::Temperatures(all) => self.temperatures.clone_from(all),
            Fact::Fault { code, text } => {
                self.fault = Some(StationFault { code: code.clone(), text: text.clone() });
            }
            Fact::Refused { .. } => {}
        }
    }

    /// Marks the driver as broken.
    pub fn set_faulted(&mut self, now: Tick, reason: &str) {
        self.temperatures.clear();
        self.set_link(now, Link::Faulted { reason: reason.to_owned() });
    }

    fn set_link(&mut self, now: Tick, link: Link) {
        if self.link != link {
            self.link = link;
            self.link_since = now;
        }
    }

    fn set_paused(&mut self, is_paused: bool) {
        if let Activity::Printing { paused, .. } = &mut self.activity {
            *paused = is_paused;
        }
    }

    fn found(&self, doing: &Doing) -> Activity {
        match doing {
            Doing::Idle { .. } => Activity::Idle,
            Doing::Unclear { reason } => Activity::Unclear { reason: reason.clone() },
            Doing::Printing { job, paused } => match &self.activity {
                Activity::Printing { job: known, done, total, .. } if known == job => {
                    Activity::Printing { job: job.clone(), done: *done, total: *total, paused: *paused }
                }
                Activity::Unknown
                | Activity::Idle
                | Activity::Loading { .. }
                | Activity::Loaded { .. }
                | Activity::Printing { .. }
                | Activity::Unclear { .. } => {
                    Activity::Printing { job: job.clone(), done: 0, total: 0, paused: *paused }
                }
            },
        }
    }
}

fn printing(job: &JobName, done: u64, total: u64, paused: bool) -> Activity {
    Activity::Printing { job: Some(job.clone()), done, total, paused }
}
