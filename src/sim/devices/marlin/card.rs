//! The card of a simulated printer: files that are written and printed line by line, as Marlin does.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Entry, Fault, MarlinSim, hex};

/// Bytes that all files may have together.
const CARD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A card and what is done with it.
#[derive(Debug, Default)]
pub(super) struct Card {
    files: BTreeMap<String, Vec<u8>>,
    writing: Option<(String, Vec<u8>)>,
    selected: Option<String>,
    at: usize,
    is_printing: bool,
    has_started: bool,
}

impl Card {
    /// The next command of the file that is being printed.
    pub(super) fn next_line(&mut self) -> Option<String> {
        let name = self.selected.as_ref().filter(|_| self.is_printing)?;
        let rest = self.files.get(name)?.get(self.at..)?;
        let length = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |end| end + 1);
        let line = String::from_utf8_lossy(rest.get(..length)?).trim().to_owned();
        self.at += length;
        // The end of the file is seen by whoever executes its last line, which may be an empty one.
        Some(line)
    }

    fn bytes(&self) -> usize {
        self.files.values().map(Vec::len).sum::<usize>()
            + self.writing.as_ref().map_or(0, |(_, bytes)| bytes.len())
    }

    fn selected_bytes(&self) -> usize {
        self.selected.as_ref().and_then(|name| self.files.get(name)).map_or(0, Vec::len)
    }
}

impl MarlinSim {
    /// What lies on the card: names in capitals, and the bytes.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.card.files
    }

    /// True if the line was written to the card instead of being executed.
    pub(super) fn is_stored(&mut self, code: &str, command: &str) -> bool {
        if self.is_from_card || code == "M29" {
            return false;
        }
        let is_full = self.card.bytes() > CARD_BYTES_MAX
            || (self.card.writing.is_some() && {
                let lines = self.card.writing.as_ref().map_or(0, |(_, bytes)| count_lines(bytes));
                self.faults.strikes(Fault::CardFull, lines).is_some()
            });
        let Some((_, bytes)) = &mut self.card.writing else { return false };
        if is_full {
            self.say("Error:error writing to file");
        } else {
            bytes.extend(command.as_bytes());
            bytes.extend(b"\r\n");
        }
        self.say_ok();
        true
    }

    pub(super) fn use_card(&mut self, code: &str, command: &str) {
        let name =
            command.split_once(' ').map(|(_, name)| name.trim().to_ascii_uppercase()).unwrap_or_default();
        match code {
            "M20" => self.list_files(),
            "M23" => self.select(name),
            "M24" => self.start_card_print(),
            "M25" => self.card.is_printing = false,
            "M27" if name == "C" => {
                let current = self.card.selected.clone().unwrap_or_else(|| "(no file)".into());
                self.say(&format!("Current file: {current}"));
            }
            "M27" => self.say_card_progress(),
            "M28" => {
                self.say(&format!("echo:Now fresh file: {name}"));
                self.say(&format!("Writing to file: {name}"));
                self.card.writing = Some((name, Vec::new()));
            }
            "M29" => self.end_file(),
            "M30" => {
                let is_there = self.card.files.remove(&name).is_some();
                self.say(&format!(
                    "{}:{name}",
                    if is_there { "File deleted" } else { "Deletion failed, File" }
                ));
            }
            _ => {
                self.stop_card_print();
                self.moves.clear();
                self.work = None;
            }
        }
    }

    /// At the end of the file the print is over.
    pub(super) fn end_card_print(&mut self) {
        if !self.card.is_printing || self.card.at < self.card.selected_bytes() {
            return;
        }
        self.card.is_printing = false;
        self.card.has_started = false;
        self.say("Done printing file");
        if let Some(name) = self.card.selected.clone() {
            self.end_stream("count");
            self.record.add(Entry::PrintFinished { name, layers: 0 });
        }
    }

    pub(super) fn stop_card_print(&mut self) {
        self.card.is_printing = false;
        self.card.writing = None;
        if let Some(name) = self.card.selected.take().filter(|_| std::mem::take(&mut self.card.has_started)) {
            self.record.add(Entry::PrintStopped { name, layers_done: 0, layers: 0 });
        }
    }

    fn list_files(&mut self) {
        self.say("Begin file list");
        let files: Vec<String> =
            self.card.files.iter().map(|(name, bytes)| format!("{name} {}", bytes.len())).collect();
        for file in files {
            self.say(&file);
        }
        self.say("End file list");
    }

    fn select(&mut self, name: String) {
        let Some(bytes) = self.card.files.get(&name) else {
            self.say(&format!("open failed, File: {name}."));
            return;
        };
        self.say(&format!("echo:File opened: {name} Size: {}", bytes.len()));
        self.say("File selected");
        self.card.selected = Some(name);
        self.card.at = 0;
        self.card.is_printing = false;
        self.card.has_started = false;
    }

    fn start_card_print(&mut self) {
        let Some(name) = self.card.selected.clone() else { return };
        self.card.is_printing = true;
        if !std::mem::replace(&mut self.card.has_started, true) {
            self.end_stream("count");
            self.record.add(Entry::PrintStarted { name, layers: 0 });
        }
    }

    fn say_card_progress(&mut self) {
        let (at, total) = (self.card.at, self.card.selected_bytes());
        if self.card.is_printing {
            self.say(&format!("SD printing byte {at}/{total}"));
        } else {
            self.say("Not SD printing");
        }
    }

    fn end_file(&mut self) {
        let Some((name, bytes)) = self.card.writing.take() else { return };
        self.record.add(Entry::UploadCompleted {
            name: name.clone(),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            sha256: hex(Sha256::new_with_prefix(&bytes)),
        });
        self.card.files.insert(name, bytes);
        self.say("Done saving file.");
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    let ends = bytes.iter().filter(|&&byte| byte == b'\n').count();
    u64::try_from(ends).unwrap_or(u64::MAX)
}
