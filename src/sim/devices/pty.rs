//! Serves a simulated device on a pseudo-terminal, as if it were plugged into a USB port.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;
use tokio::io::unix::AsyncFd;
use tokio_util::sync::CancellationToken;

use super::{Device, Error, Kind, Options, Speed};
use crate::units::Tick;

/// How often the mark of an exclusive opener is taken off our pty. Where a host was killed, its mark would stay
/// as long as we hold the terminal, and keep the host out after its restart; a USB port forgets it.
const FORGET_OPENER_EVERY: Duration = Duration::from_millis(200);
/// Bytes the device may say while the host doesn't listen; more are lost, as on a wire.
const UNHEARD_BYTES_MAX: usize = 64 * 1024;

/// Simulates a device until `stop`; calls `ready` with its path (the link, if there is one) each time it is
/// plugged in. Needs a tokio runtime. The machine keeps its state while hosts come and go.
///
/// # Errors
/// If the record, the pseudo-terminal or the link can't be made, or the terminal fails.
pub async fn run_device(
    kind: Kind,
    options: &Options,
    speed: Speed,
    ticks: &(dyn Fn() -> Tick + Send + Sync),
    stop: &CancellationToken,
    ready: &mut (dyn FnMut(&Path) + Send),
) -> Result<(), Error> {
    let mut device = kind.build(options, speed)?;
    let served = serve(device.as_mut(), options.link.as_deref(), ticks, stop, ready).await;
    device.switch_off();
    served
}

/// Like `run_device`, for a device that is already made.
///
/// # Errors
/// If the pseudo-terminal or the link can't be made, or the terminal fails.
pub async fn serve(
    device: &mut dyn Device,
    link: Option<&Path>,
    ticks: &(dyn Fn() -> Tick + Send + Sync),
    stop: &CancellationToken,
    ready: &mut (dyn FnMut(&Path) + Send),
) -> Result<(), Error> {
    loop {
        let socket = Socket::open(link)?;
        ready(link.unwrap_or(&socket.path));
        let Some(away) = serve_plugged(device, &socket, ticks, stop).await? else { return Ok(()) };
        drop(socket);
        if stop.run_until_cancelled(tokio::time::sleep(away)).await.is_none() {
            return Ok(());
        }
    }
}

/// `None` at the end, or how long the plug is pulled.
async fn serve_plugged(
    device: &mut dyn Device,
    socket: &Socket,
    ticks: &(dyn Fn() -> Tick + Send + Sync),
    stop: &CancellationToken,
) -> Result<Option<Duration>, Error> {
    let failed = |source| Error::ServePty { source };
    let mut said = Vec::new();
    let mut forget = tokio::time::interval(FORGET_OPENER_EVERY);
    loop {
        let now = ticks();
        device.advance(now);
        said.extend(device.take_output());
        said.truncate(UNHEARD_BYTES_MAX);
        if let Some(away) = device.take_unplugged() {
            return Ok(Some(away));
        }
        let wait = device.wake_at().map(|tick| tick.since(now));
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(None),
            written = socket.write(&said), if !said.is_empty() => {
                said.drain(..written.map_err(failed)?);
            }
            read = socket.read() => device.receive(ticks(), &read.map_err(failed)?),
            () = sleep(wait) => {}
            _ = forget.tick() => socket.forget_opener(),
        }
    }
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

/// Our end of a pseudo-terminal. We hold the other end open too, so that the device doesn't notice hosts coming
/// and going, as a board behind a USB chip doesn't.
struct Socket {
    master: AsyncFd<OwnedFd>,
    slave: OwnedFd,
    path: PathBuf,
    link: Option<PathBuf>,
}

impl Socket {
    fn open(link: Option<&Path>) -> Result<Self, Error> {
        let (master, slave, path) = open_pty().map_err(|error| Error::OpenPty { source: error.into() })?;
        let master = register(master).map_err(|source| Error::OpenPty { source })?;
        if let Some(link) = link {
            make_link(&path, link).map_err(|source| Error::MakeLink { path: link.to_owned(), source })?;
        }
        Ok(Self { master, slave, path, link: link.map(Path::to_owned) })
    }

    async fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = [0; 4096];
        let count = self
            .master
            .async_io(tokio::io::Interest::READABLE, |fd| Ok(rustix::io::read(fd, &mut bytes)?))
            .await?;
        Ok(bytes.get(..count).unwrap_or_default().to_vec())
    }

    async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.master.async_io(tokio::io::Interest::WRITABLE, |fd| Ok(rustix::io::write(fd, bytes)?)).await
    }

    fn forget_opener(&self) {
        if let Err(error) = rustix::termios::ioctl_tiocnxcl(&self.slave) {
            tracing::debug!(%error, "the mark of an exclusive opener stays");
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(link) = &self.link
            && let Err(error) = std::fs::remove_file(link)
        {
            tracing::debug!(%error, "the link to a simulated device stays");
        }
    }
}

#[expect(deprecated, reason = "its successor is unsafe code; an `OwnedFd` keeps the promise it asks for")]
fn register(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}

fn open_pty() -> Result<(OwnedFd, OwnedFd, PathBuf), Errno> {
    let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?;
    let path = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = rustix::fs::open(&path, flags, Mode::empty())?;
    // Raw from the start: a cooked terminal would echo what the device says back to it.
    let mut settings = rustix::termios::tcgetattr(&slave)?;
    settings.make_raw();
    rustix::termios::tcsetattr(&slave, OptionalActions::Now, &settings)?;
    let status = rustix::fs::fcntl_getfl(&master)?;
    rustix::fs::fcntl_setfl(&master, status | OFlags::NONBLOCK)?;
    Ok((master, slave, path))
}

/// Replaces an old link in one step, so that a host never sees half of it.
fn make_link(path: &Path, link: &Path) -> io::Result<()> {
    let mut fresh = link.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    match std::fs::remove_file(&fresh) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    std::os::unix::fs::symlink(path, &fresh)?;
    std::fs::rename(&fresh, link)
}
