//! A line as a stream of bytes: a tty or pty, a raw TCP serial server, or memory.
//!
//! When the far end of a tty vanishes, a read gives `Ok(0)` for ever and never an error: whoever reads a port
//! takes zero bytes as "the line is gone".

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::termios::{ControlModes, OptionalActions};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;

pub mod answer;
pub mod faults;
pub mod found;

use faults::{FaultSettings, FaultyStream};

/// An open line.
pub type Port = Box<dyn Stream>;

/// What an open line can do.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// One serial line of the workshop.
#[derive(Debug, Clone)]
pub struct LineSettings {
    /// The name in the shop file.
    pub name: String,
    /// Where it is.
    pub port: PortAddress,
}

/// Where a line is.
#[derive(Debug, Clone)]
pub enum PortAddress {
    /// A tty or pty, opened for us alone.
    Tty {
        /// Its path.
        path: String,
        /// Bits per second, 8N1.
        baud: u32,
        /// What happens to the DTR wire; many boards reset when it changes.
        dtr: Dtr,
    },
    /// A raw serial server.
    Tcp {
        /// `host:port`.
        address: String,
    },
    /// A line within this process, for tests and simulations.
    Memory(MemoryLine),
    /// A line that loses and garbles bytes, for tests and simulations.
    Faulty {
        /// The line behind it.
        inner: Box<PortAddress>,
        /// What goes wrong.
        faults: FaultSettings,
    },
}

/// What opening a tty does to its DTR wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dtr {
    /// Whatever the operating system does; the wire is not touched afterwards. Right where a print may be
    /// running on the device.
    #[default]
    Leave,
    /// Raised after opening.
    Raise,
    /// Lowered after opening.
    Lower,
}

/// A line could not be opened. The texts tell a technician what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such device.
    #[error("no such port {path}: plug the device in, or check `port` of the line")]
    NoSuchPort {
        /// The path.
        path: String,
    },
    /// The operating system refuses.
    #[error(
        "no permission for port {path}: add the user that runs sprue to the group of the port (often dialout)"
    )]
    NotPermitted {
        /// The path.
        path: String,
    },
    /// Somebody else has it.
    #[error("port {path} is in use by another program: close that program")]
    InUse {
        /// The path.
        path: String,
    },
    /// Something else went wrong while opening a tty.
    #[error("port {path} can't be opened ({what}): check that `port` of the line names a serial port")]
    OpenTty {
        /// The path.
        path: String,
        /// What the system says.
        what: String,
    },
    /// The serial server can't be reached.
    #[error("serial server {address} doesn't answer ({source}): check its power, network and address")]
    Connect {
        /// Its address.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing is plugged into a memory line.
    #[error("nothing is plugged into the memory line: plug the simulated device in")]
    NothingPlugged,
}

/// How long a serial server has to accept a connection; a technician's patience, not a protocol number.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl PortAddress {
    /// Reads the `port` of a line: `tcp://host:port`, anything else is the path of a tty.
    #[must_use]
    pub fn parse(port: &str, baud: u32) -> Self {
        match port.strip_prefix("tcp://") {
            Some(address) => Self::Tcp { address: address.to_owned() },
            None => Self::Tty { path: port.to_owned(), baud, dtr: Dtr::Leave },
        }
    }

    /// Opens the line.
    ///
    /// # Errors
    /// A sentence for a technician.
    pub async fn open(&self) -> Result<Port, Error> {
        match self {
            Self::Tty { path, baud, dtr } => open_tty(path, *baud, *dtr),
            Self::Tcp { address } => open_tcp(address).await,
            Self::Memory(line) => {
                line.take().map_or(Err(Error::NothingPlugged), |end| Ok(Box::new(end) as Port))
            }
            Self::Faulty { inner, faults } => {
                let port = Box::pin(inner.open()).await?;
                Ok(Box::new(FaultyStream::new(port, faults.next_opening())))
            }
        }
    }
}

impl std::fmt::Display for PortAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tty { path, .. } => f.write_str(path),
            Self::Tcp { address } => write!(f, "tcp://{address}"),
            Self::Memory(_) => f.write_str("memory"),
            Self::Faulty { inner, .. } => write!(f, "{inner} (with faults)"),
        }
    }
}

fn open_tty(path: &str, baud: u32, dtr: Dtr) -> Result<Port, Error> {
    clear_hangup_on_close(path)?;
    let builder = tokio_serial::new(path, baud);
    let builder = match dtr {
        Dtr::Leave => builder.preserve_dtr_on_open(),
        Dtr::Raise => builder.dtr_on_open(true),
        Dtr::Lower => builder.dtr_on_open(false),
    };
    let port = tokio_serial::SerialStream::open(&builder).map_err(|error| tty_error(path, &error))?;
    Ok(Box::new(port))
}

/// Without this the kernel lowers DTR when we close the port, and many boards reset then: a restart of the
/// daemon would kill a print that runs on the device.
fn clear_hangup_on_close(path: &str) -> Result<(), Error> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let failed = |error: rustix::io::Errno| os_error(path, &io::Error::from(error));
    let tty = rustix::fs::open(path, flags, Mode::empty()).map_err(failed)?;
    let mut settings = rustix::termios::tcgetattr(&tty).map_err(failed)?;
    settings.control_modes.remove(ControlModes::HUPCL);
    rustix::termios::tcsetattr(&tty, OptionalActions::Now, &settings).map_err(failed)
}

async fn open_tcp(address: &str) -> Result<Port, Error> {
    let failed = |source| Error::Connect { address: address.to_owned(), source };
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
        .await
        .map_err(|_| failed(io::ErrorKind::TimedOut.into()))?
        .map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    Ok(Box::new(stream))
}

fn tty_error(path: &str, error: &tokio_serial::Error) -> Error {
    let path = path.to_owned();
    match error.kind {
        tokio_serial::ErrorKind::NoDevice => Error::InUse { path },
        tokio_serial::ErrorKind::Io(kind) => os_error(&path, &kind.into()),
        tokio_serial::ErrorKind::InvalidInput | tokio_serial::ErrorKind::Unknown => {
            Error::OpenTty { path, what: error.description.clone() }
        }
    }
}

fn os_error(path: &str, error: &io::Error) -> Error {
    let path = path.to_owned();
    if error.kind() == io::ErrorKind::NotFound {
        Error::NoSuchPort { path }
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        Error::NotPermitted { path }
    } else if error.kind() == io::ErrorKind::ResourceBusy {
        Error::InUse { path }
    } else {
        Error::OpenTty { path, what: error.to_string() }
    }
}

/// A line within this process: a device plugs an end in, and the next opening takes the other end.
#[derive(Debug, Clone, Default)]
pub struct MemoryLine {
    waiting: Arc<Mutex<Option<DuplexStream>>>,
}

/// Bytes that a memory line holds in each direction: the usual size of a tty's kernel buffer.
const MEMORY_LINE_BYTES: usize = 4096;

impl MemoryLine {
    /// Plugs a device in; what was plugged in before and not yet opened is gone.
    #[must_use]
    pub fn plug_in(&self) -> DuplexStream {
        let (host, device) = tokio::io::duplex(MEMORY_LINE_BYTES);
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(host);
        device
    }

    fn take(&self) -> Option<DuplexStream> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
