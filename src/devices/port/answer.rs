//! What answers on a port: asked for its name at one baud rate after the other.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Dtr, Error, Port, PortAddress};
use crate::devices::wire::lines::LineSplitter;

/// Baud rates of printers, the commonest first (the order of OctoPrint).
pub const BAUDS: &[u32] = &[115_200, 250_000, 230_400, 57_600, 38_400, 19_200, 9600];

/// A board that resets when it is opened boots for up to this long.
const FIRST_PATIENCE: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_millis(1500);
const ASK_EVERY: Duration = Duration::from_millis(500);
/// So many bytes decide whether a baud rate is wrong: over 30 % of them unprintable.
const NOISE_BYTES: usize = 64;
/// A device that talks without end is given up.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// A device that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The baud rate at which it answered.
    pub baud: u32,
    /// Its answer to `M115`, cleaned, at most 512 characters.
    pub text: String,
}

/// Asks for a name at these baud rates; `None` if nothing that speaks G-code answers.
///
/// # Errors
/// If the port can't be opened.
pub async fn ask(path: &str, bauds: &[u32]) -> Result<Option<Answer>, Error> {
    let mut patience = FIRST_PATIENCE;
    for &baud in bauds {
        if let Some(text) = ask_at(path, baud, patience).await? {
            return Ok(Some(Answer { baud, text }));
        }
        patience = PATIENCE;
    }
    Ok(None)
}

async fn ask_at(path: &str, baud: u32, patience: Duration) -> Result<Option<String>, Error> {
    let address = PortAddress::Tty { path: path.to_owned(), baud, dtr: Dtr::Leave };
    let mut port = address.open().await?;
    let mut hearing = Hearing::default();
    for _ in 0..patience.as_millis() / ASK_EVERY.as_millis() {
        if port.write_all(b"\nM115\n").await.is_err() {
            return Ok(None);
        }
        // Silence is asked again; all else is a verdict.
        if let Ok(verdict) = timeout(ASK_EVERY, hearing.listen(&mut port)).await {
            return Ok(verdict);
        }
    }
    Ok(None)
}

/// What was heard at one rate.
#[derive(Default)]
struct Hearing {
    lines: LineSplitter,
    bytes: usize,
    unprintable: usize,
}

impl Hearing {
    /// The name, or `None` if the device is gone or speaks nonsense. Safe to drop between bytes.
    async fn listen(&mut self, port: &mut Port) -> Option<String> {
        let mut bytes = [0; 512];
        loop {
            let count = port.read(&mut bytes).await.ok().filter(|count| *count > 0)?;
            let part = bytes.get(..count)?;
            self.bytes += count;
            self.unprintable +=
                part.iter().filter(|byte| !matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t')).count();
            let name = self.lines.push(part).into_iter().find(|line| line.contains("FIRMWARE_NAME:"));
            if name.is_some() {
                return name;
            }
            let is_noise = self.bytes >= NOISE_BYTES && self.unprintable * 10 > self.bytes * 3;
            if is_noise || self.bytes >= ANSWER_BYTES_MAX {
                return None;
            }
        }
    }
}
