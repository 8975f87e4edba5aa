//! The one async loop between a session and a port. It opens the line, moves bytes, and opens it again when it
//! was lost; it knows no protocol.
//!
//! ```text
//!            open fails: Lost(why), back off 200 ms .. 2 s
//!           +------------------------------+
//!           v                              |
//!   --> opening --Opened--> conversing ----+ read of 0 bytes, error, or bytes not taken: Lost(why)
//! ```

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::devices::port::{LineSettings, Port};
use crate::devices::session::{Command, Fact, Input, Output, Session};
use crate::devices::status::StationStatus;
use crate::units::Tick;

/// Where ticks come from.
pub type Ticks = Arc<dyn Fn() -> Tick + Send + Sync>;

/// First and longest wait before a lost line is opened again. The longest keeps the promise that a device is
/// back within 3 s of being plugged in.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

/// Bytes that may wait for the device to take them. A session sends a line or a packet at a time, so this much
/// means that the device has stopped taking bytes.
const UNSENT_BYTES_MAX: usize = 64 * 1024;

/// One read; the size of a tty's kernel buffer.
const READ_BYTES: usize = 4096;

/// Facts that may wait for the daemon before the device has to wait too.
const WAITING_FACTS_MAX: usize = 64;

/// A session, its line, and what connects it with the fleet.
pub struct Pump {
    /// The line.
    pub line: LineSettings,
    /// The conversation.
    pub session: Box<dyn Session>,
    /// The monotonic clock.
    pub ticks: Ticks,
    /// What the daemon wants; when the sender is gone the pump ends.
    pub commands: mpsc::Receiver<Command>,
    /// Where facts go.
    pub facts: FactSink,
    /// Ends the pump.
    pub shutdown: CancellationToken,
}

/// Where the facts of one station go: into its status, and to the daemon.
pub struct FactSink {
    station: String,
    status: Arc<Mutex<StationStatus>>,
    sender: mpsc::Sender<(String, Fact)>,
    /// Facts for which the daemon has no room yet.
    waiting: VecDeque<Fact>,
}

enum Ended {
    Shutdown,
    Lost(String),
}

impl Pump {
    /// Runs until shutdown.
    pub async fn run(mut self) {
        let mut back_off = BACK_OFF.0;
        loop {
            let reason = match self.open().await {
                Ok(None) => return,
                Ok(Some(port)) => match self.converse(port, &mut back_off).await {
                    Ended::Shutdown => return,
                    Ended::Lost(reason) => reason,
                },
                Err(reason) => reason,
            };
            let now = self.now();
            tracing::debug!(line.name = %self.line.name, reason, "line lost");
            self.session.handle(now, Input::Lost(&reason));
            self.drain(&mut VecDeque::new());
            if self.rest(back_off).await {
                return;
            }
            back_off = (back_off * 2).min(BACK_OFF.1);
        }
    }

    /// `None` at shutdown.
    async fn open(&mut self) -> Result<Option<Port>, String> {
        let opened = tokio::select! {
            biased;
            () = self.shutdown.cancelled() => return Ok(None),
            opened = self.line.port.open() => opened,
        };
        opened.map(Some).map_err(|error| format!("line {}: {error}", self.line.name))
    }

    async fn converse(&mut self, port: Port, back_off: &mut Duration) -> Ended {
        let (mut reader, mut writer) = tokio::io::split(port);
        let mut unsent = VecDeque::new();
        let mut received = vec![0; READ_BYTES];
        self.session.handle(self.now(), Input::Opened);
        let ended = loop {
            let deadline = self.drain(&mut unsent);
            if unsent.len() > UNSENT_BYTES_MAX {
                break Ended::Lost(self.gone("the device takes no bytes"));
            }
            let now = self.now();
            let can_write = !unsent.is_empty();
            let can_read = self.facts.waiting.len() < WAITING_FACTS_MAX;
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => break Ended::Shutdown,
                command = self.commands.recv() => match command {
                    Some(command) => self.session.handle(now, Input::Command(command)),
                    None => break Ended::Shutdown,
                },
                () = sleep_until(now, deadline) => {
                    let now = self.now();
                    self.session.handle(now, Input::Timeout);
                }
                written = writer.write(unsent.as_slices().0), if can_write => match written {
                    Ok(0) => break Ended::Lost(self.gone("the line is closed")),
                    Ok(count) => drop(unsent.drain(..count)),
                    Err(error) => break Ended::Lost(self.gone_by(&error)),
                },
                read = reader.read(&mut received), if can_read => match read {
                    Ok(0) => break Ended::Lost(self.gone("the device is gone")),
                    Ok(count) => {
                        *back_off = BACK_OFF.0;
                        let now = self.now();
                        self.session.handle(now, Input::Received(received.get(..count).unwrap_or_default()));
                    }
                    Err(error) => break Ended::Lost(self.gone_by(&error)),
                },
                () = self.facts.send_one_waiting() => {}
            }
        };
        close(reader.unsplit(writer)).await;
        ended
    }

    /// Takes commands while there is no line; true at shutdown.
    async fn rest(&mut self, wait: Duration) -> bool {
        let over = tokio::time::sleep(wait);
        tokio::pin!(over);
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return true,
                command = self.commands.recv() => match command {
                    Some(command) => {
                        let now = self.now();
                        self.session.handle(now, Input::Command(command));
                        self.drain(&mut VecDeque::new());
                    }
                    None => return true,
                },
                () = &mut over => return false,
                () = self.facts.send_one_waiting() => {}
            }
        }
    }

    /// Takes everything the session has to say; the tick it waits for.
    fn drain(&mut self, unsent: &mut VecDeque<u8>) -> Option<Tick> {
        loop {
            match self.session.poll() {
                Output::Transmit(bytes) => unsent.extend(bytes),
                Output::Fact(fact) => {
                    let now = self.now();
                    self.facts.put(now, fact);
                }
                Output::Wait(deadline) => return deadline,
            }
        }
    }

    fn now(&self) -> Tick {
        (self.ticks)()
    }

    fn gone(&self, what: &str) -> String {
        format!(
            "line {}: {what} ({}): check the cable, the plug and that the device has power",
            self.line.name, self.line.port
        )
    }

    fn gone_by(&self, error: &io::Error) -> String {
        self.gone(&format!("the device is gone, {error}"))
    }
}

impl FactSink {
    /// A sink for one station.
    #[must_use]
    pub fn new(
        station: String,
        status: Arc<Mutex<StationStatus>>,
        sender: mpsc::Sender<(String, Fact)>,
    ) -> Self {
        Self { station, status, sender, waiting: VecDeque::new() }
    }

    /// Never blocks. Telemetry for which the daemon has no room is dropped, since the status has it.
    pub fn put(&mut self, now: Tick, fact: Fact) {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).observe(now, &fact);
        if !self.waiting.is_empty() {
            self.wait_unless_telemetry(fact);
            return;
        }
        match self.sender.try_send((self.station.clone(), fact)) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full((_, fact))) => self.wait_unless_telemetry(fact),
        }
    }

    fn wait_unless_telemetry(&mut self, fact: Fact) {
        let is_telemetry =
            matches!(fact, Fact::LoadProgress { .. } | Fact::Progress { .. } | Fact::Temperatures(_));
        if !is_telemetry {
            self.waiting.push_back(fact);
        }
    }

    /// Sends one fact that had to wait; pends for ever if there is none. Safe to drop.
    async fn send_one_waiting(&mut self) {
        if self.waiting.is_empty() {
            std::future::pending::<()>().await;
        }
        let Ok(permit) = self.sender.reserve().await else {
            self.waiting.clear();
            return;
        };
        if let Some(fact) = self.waiting.pop_front() {
            permit.send((self.station.clone(), fact));
        }
    }
}

async fn sleep_until(now: Tick, deadline: Option<Tick>) {
    match deadline {
        Some(deadline) => tokio::time::sleep(deadline.since(now)).await,
        None => std::future::pending().await,
    }
}

/// Closing a tty waits for its unsent bytes; that must not hold up the other lines.
async fn close(port: Port) {
    if tokio::task::spawn_blocking(move || drop(port)).await.is_err() {
        tracing::warn!("closing a port failed");
    }
}
