//! What answers on a port: asked for its name at one baud rate after the other.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::{Dtr, Error, PortAddress};
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
    let end = Instant::now() + patience;
    let mut lines = LineSplitter::default();
    let (mut heard, mut odd, mut bytes) = (0, 0, [0; 512]);
    while Instant::now() < end && heard < ANSWER_BYTES_MAX {
        if port.write_all(b"\nM115\n").await.is_err() {
            return Ok(None);
        }
        let next = end.min(Instant::now() + ASK_EVERY);
        while let Ok(read) = timeout_at(next, port.read(&mut bytes)).await {
            let count = read.unwrap_or(0);
            if count == 0 {
                return Ok(None);
            }
            let part = bytes.get(..count).unwrap_or_default();
            heard += count;
            odd += part.iter().filter(|byte| !matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t')).count();
            if let Some(name) = lines.push(part).into_iter().find(|line| line.contains("FIRMWARE_NAME:")) {
                return Ok(Some(name));
            }
            if heard >= ANSWER_BYTES_MAX || (heard >= NOISE_BYTES && odd * 10 > heard * 3) {
                return Ok(None);
            }
        }
    }
    Ok(None)
}
