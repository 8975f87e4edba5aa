//! Which station sits on which line; takes commands for stations, hands out facts, knows the last status.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::devices::drivers;
use crate::devices::port::LineSettings;
use crate::devices::pump::{FactSink, Pump, Ticks};
use crate::devices::session::{Command, Fact, Session};
use crate::devices::status::{Activity, StationStatus};

/// Facts that the daemon may leave unread before the fleet drops telemetry and holds the rest back.
const UNREAD_FACTS_MAX: usize = 1024;

/// Commands that may wait for one station; more than a few means that nobody takes them.
const WAITING_COMMANDS_MAX: usize = 32;

/// One station with a device, as the shop file has it.
#[derive(Debug, Clone)]
pub struct StationSettings {
    /// The name of the station.
    pub name: String,
    /// The name of its line.
    pub line: String,
    /// The name of its driver.
    pub driver: String,
    /// The settings of the driver: keys and units are documented at the driver's `Settings`.
    pub settings: toml::Table,
}

/// A station whose session is already made. `Fleet::start` makes these from the shop file.
pub struct Seat {
    /// The name of the station.
    pub station: String,
    /// Its line.
    pub line: LineSettings,
    /// The name of its driver.
    pub driver: &'static str,
    /// The conversation.
    pub session: Box<dyn Session>,
}

/// The fleet can't be made, or can't take a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A station names a line that isn't there.
    #[error(
        "station {station} is on line {line}, which the shop file doesn't have: add it or correct the name"
    )]
    UnknownLine {
        /// The station.
        station: String,
        /// The line.
        line: String,
    },
    /// Two stations name the same line and their drivers need it alone.
    #[error("stations {first} and {second} are both on line {line}: give each its own line")]
    LineTaken {
        /// The line.
        line: String,
        /// Who has it.
        first: String,
        /// Who wants it.
        second: String,
    },
    /// Two stations have one name.
    #[error("there are two stations named {station}: rename one")]
    DuplicateStation {
        /// The name.
        station: String,
    },
    /// The driver or its settings are wrong.
    #[error("station {station}")]
    MakeSession {
        /// The station.
        station: String,
        /// Why.
        source: Box<drivers::Error>,
    },
    /// No such station, or it has no device.
    #[error("station {station} has no device")]
    UnknownStation {
        /// The name.
        station: String,
    },
    /// The driver of the station broke.
    #[error("the driver of station {station} has failed: restart sprue")]
    Faulted {
        /// The station.
        station: String,
    },
    /// The station takes no more commands now.
    #[error("station {station} doesn't take commands at the moment: try again in a few seconds")]
    Busy {
        /// The station.
        station: String,
    },
}

/// All stations with devices. Dropping it ends the conversations; prints that are stored on devices go on.
pub struct Fleet {
    stations: BTreeMap<String, Entry>,
    shutdown: CancellationToken,
    pumps: TaskTracker,
}

struct Entry {
    commands: mpsc::Sender<Command>,
    status: Arc<Mutex<StationStatus>>,
}

impl Fleet {
    /// Opens every line and starts to talk; must be called within a tokio runtime.
    ///
    /// Facts arrive in order per station. `ticks` is the monotonic clock.
    ///
    /// # Errors
    /// If stations, lines and drivers don't fit together. A line that can't be opened is no error: its station
    /// is offline until it can.
    pub fn start(
        lines: &[LineSettings],
        stations: &[StationSettings],
        ticks: Ticks,
    ) -> Result<(Self, mpsc::Receiver<(String, Fact)>), Error> {
        let mut seats = Vec::new();
        for station in stations {
            seats.push(make_seat(lines, station)?);
        }
        Self::start_seats(seats, ticks)
    }

    /// Like `start`, for sessions that are already made.
    ///
    /// # Errors
    /// If two stations have one name or one line.
    pub fn start_seats(
        seats: Vec<Seat>,
        ticks: Ticks,
    ) -> Result<(Self, mpsc::Receiver<(String, Fact)>), Error> {
        refuse_doubles(&seats)?;
        let (sender, receiver) = mpsc::channel(UNREAD_FACTS_MAX);
        let mut fleet =
            Self { stations: BTreeMap::new(), shutdown: CancellationToken::new(), pumps: TaskTracker::new() };
        for seat in seats {
            fleet.seat(seat, &ticks, &sender);
        }
        fleet.pumps.close();
        Ok((fleet, receiver))
    }

    /// Hands a command to a station; what comes of it arrives as facts. Never blocks.
    ///
    /// # Errors
    /// If the station has no device, or its driver failed or takes no commands.
    pub fn send(&self, station: &str, command: Command) -> Result<(), Error> {
        let name = || station.to_owned();
        let entry = self.stations.get(station).ok_or_else(|| Error::UnknownStation { station: name() })?;
        entry.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Busy { station: name() },
            mpsc::error::TrySendError::Closed(_) => Error::Faulted { station: name() },
        })
    }

    /// The last known status of a station; `None` if it has no device.
    #[must_use]
    pub fn status(&self, station: &str) -> Option<StationStatus> {
        self.stations.get(station).map(Entry::status)
    }

    /// Ends all conversations and waits until the lines are closed. Prints that are stored on devices go on.
    pub async fn shutdown(&self) {
        self.shutdown.cancel();
        self.pumps.wait().await;
    }

    fn seat(&mut self, seat: Seat, ticks: &Ticks, sender: &mpsc::Sender<(String, Fact)>) {
        let (commands, receiver) = mpsc::channel(WAITING_COMMANDS_MAX);
        let status = StationStatus::new(seat.station.clone(), seat.line.name.clone(), seat.driver, ticks());
        let status = Arc::new(Mutex::new(status));
        let pump = Pump {
            line: seat.line,
            session: seat.session,
            ticks: Arc::clone(ticks),
            commands: receiver,
            facts: FactSink::new(seat.station.clone(), Arc::clone(&status), sender.clone()),
            shutdown: self.shutdown.clone(),
        };
        let watch = watch(seat.station.clone(), pump, Arc::clone(&status), Arc::clone(ticks), sender.clone());
        self.pumps.spawn(watch);
        self.stations.insert(seat.station, Entry { commands, status });
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Entry {
    fn status(&self) -> StationStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn make_seat(lines: &[LineSettings], station: &StationSettings) -> Result<Seat, Error> {
    let line = lines
        .iter()
        .find(|line| line.name == station.line)
        .ok_or_else(|| Error::UnknownLine { station: station.name.clone(), line: station.line.clone() })?;
    let failed = |error| Error::MakeSession { station: station.name.clone(), source: Box::new(error) };
    let driver = drivers::find(&station.driver).map_err(failed)?;
    let session = driver.session(&station.settings).map_err(failed)?;
    Ok(Seat { station: station.name.clone(), line: line.clone(), driver: driver.name, session })
}

fn refuse_doubles(seats: &[Seat]) -> Result<(), Error> {
    let mut on_line = BTreeMap::new();
    let mut names = std::collections::BTreeSet::new();
    for seat in seats {
        if !names.insert(&seat.station) {
            return Err(Error::DuplicateStation { station: seat.station.clone() });
        }
        if let Some(first) = on_line.insert(&seat.line.name, &seat.station) {
            return Err(Error::LineTaken {
                line: seat.line.name.clone(),
                first: first.clone(),
                second: seat.station.clone(),
            });
        }
    }
    Ok(())
}

/// Runs a pump. A panic in it is a bug of ours: the station is marked, a running print becomes unclear, and the
/// rest of the workshop goes on.
async fn watch(
    station: String,
    pump: Pump,
    status: Arc<Mutex<StationStatus>>,
    ticks: Ticks,
    sender: mpsc::Sender<(String, Fact)>,
) {
    if tokio::spawn(pump.run()).await.is_ok() {
        return;
    }
    tracing::error!(station.name = %station, "the driver panicked");
    let reason = "the driver has failed (a fault in sprue): look at the device, then restart sprue";
    let mut facts = vec![
        Fact::Fault { code: "driver-failed".into(), text: reason.into() },
        Fact::Offline { reason: reason.into() },
    ];
    {
        let mut status = status.lock().unwrap_or_else(PoisonError::into_inner);
        if let Activity::Printing { job: Some(job), .. } = &status.activity {
            facts.push(Fact::Unclear { job: job.clone(), reason: reason.into() });
        }
        for fact in &facts {
            status.observe(ticks(), fact);
        }
        status.set_faulted(ticks(), reason);
    }
    for fact in facts {
        if sender.send((station.clone(), fact)).await.is_err() {
            return;
        }
    }
}
