//! What a simulated machine did, written down by the machine: the witness against which the daemon's own
//! records are checked after crashes.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Error;

/// Entries kept in memory; the file has them all.
const ENTRIES_MAX: usize = 10_000;

/// The record of one machine.
#[derive(Debug, Default)]
pub struct Record {
    file: Option<File>,
    entries: Vec<Entry>,
}

/// One thing that happened at the machine. In the file: one JSON object a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Entry {
    /// A file arrived whole, as far as the machine can tell.
    UploadCompleted {
        /// Its name at the machine.
        name: String,
        /// Its size.
        bytes: u64,
        /// SHA-256 of what arrived, in hexadecimal.
        sha256: String,
    },
    /// A stored file began to print.
    PrintStarted {
        /// Its name.
        name: String,
        /// Layers it says it has; 0 if it isn't a file the machine knows.
        layers: u32,
    },
    /// A stored file was printed to its end.
    PrintFinished {
        /// Its name.
        name: String,
        /// Its layers, all exposed.
        layers: u32,
    },
    /// A print ended early.
    PrintStopped {
        /// Its name.
        name: String,
        /// Layers that were exposed.
        layers_done: u32,
        /// Layers it has.
        layers: u32,
    },
    /// The first line of a streamed program was executed.
    StreamStarted,
    /// No more lines of a streamed program were executed: a new count began, or the machine was
    /// reset, killed or switched off.
    StreamEnded {
        /// Lines executed, questions (`M105`, `M114`, `M115`, `M113`, `M400`) not counted.
        lines: u64,
        /// SHA-256 of these lines, each with a line feed, in hexadecimal.
        sha256: String,
        /// X, Y, Z, E in millimeters.
        position_mm: [f64; 4],
        /// What ended it: `count`, `reset`, `kill` or `off`.
        by: String,
    },
}

impl Record {
    /// A record that is also written to a file, each entry synced before the machine goes on.
    ///
    /// # Errors
    /// If the file can't be opened for appending.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|source| Error::OpenRecord { path: path.to_owned(), source })?;
        Ok(Self { file: Some(file), entries: Vec::new() })
    }

    /// What happened, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn add(&mut self, entry: Entry) {
        if let Some(file) = &mut self.file
            && let Err(error) = append(file, &entry)
        {
            tracing::error!(%error, "the record of a simulated machine can't be written");
        }
        if self.entries.len() < ENTRIES_MAX {
            self.entries.push(entry);
        }
    }
}

fn append(file: &mut File, entry: &Entry) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_data()
}

/// SHA-256 in hexadecimal.
pub(super) fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
