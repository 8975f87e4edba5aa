//! A G-code file that is checked once and then read line by line, without a second copy in memory.

use std::sync::Arc;

use crate::devices::session::JobName;
use crate::devices::wire::gcode::COMMAND_BYTES_MAX;

/// The largest program. Marlin wax prints are a few megabytes; this is a bound, not a wish.
const PROGRAM_BYTES_MAX: usize = 256 * 1024 * 1024;

/// `N` with ten digits, a space, `*` and three digits of checksum.
const FRAME_BYTES: usize = 16;

/// What a program must not contain: it would end the printer, wait for a button, change the numbering that the
/// stream rests on, or write to and print from the card.
const REFUSED: &[&str] = &[
    "M0", "M1", "M23", "M24", "M28", "M29", "M30", "M32", "M108", "M110", "M112", "M410", "M928", "M997",
    "M999",
];

/// A program and how far it has been handed out.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) job: JobName,
    file: Arc<[u8]>,
    /// Where the next line starts, or the one after `ahead`.
    at: usize,
    /// A line that was looked at and not yet handed out.
    ahead: Option<String>,
    /// Lines handed out.
    pub(super) done: u64,
    /// Lines in all; complete once the check is.
    pub(super) total: u64,
}

/// How the check of a program stands.
#[derive(Debug, PartialEq)]
pub(super) enum Check {
    Going { bytes_done: u64 },
    Passed,
    Failed(String),
}

impl Program {
    pub(super) fn new(job: JobName, file: Arc<[u8]>) -> Self {
        Self { job, file, at: 0, ahead: None, done: 0, total: 0 }
    }

    pub(super) fn bytes(&self) -> u64 {
        u64::try_from(self.file.len()).unwrap_or(u64::MAX)
    }

    /// Checks the next `bytes` of the program. Afterwards `next_line` starts from the beginning.
    pub(super) fn check_some(&mut self, bytes: usize) -> Check {
        if self.file.len() > PROGRAM_BYTES_MAX {
            return Check::Failed("the program is larger than 256 MB: split the plate".into());
        }
        let end = self.at.saturating_add(bytes);
        while self.at < end {
            match self.cut_line() {
                Ok(Some(_)) => self.total += 1,
                Ok(None) => return self.end_check(),
                Err(reason) => return Check::Failed(reason),
            }
        }
        Check::Going { bytes_done: u64::try_from(self.at).unwrap_or(u64::MAX) }
    }

    fn end_check(&mut self) -> Check {
        self.rewind();
        if self.total == 0 {
            return Check::Failed("the program holds no commands: slice the plate again".into());
        }
        Check::Passed
    }

    pub(super) fn rewind(&mut self) {
        self.at = 0;
        self.ahead = None;
        self.done = 0;
    }

    /// The next command, without comment; `None` at the end.
    pub(super) fn next_line(&mut self) -> Option<String> {
        self.peek()?;
        self.done += 1;
        self.ahead.take()
    }

    /// The line that `next_line` will give.
    pub(super) fn peek(&mut self) -> Option<&str> {
        if self.ahead.is_none() {
            // The check has seen every line, so an error can't come.
            self.ahead = self.cut_line().ok().flatten();
        }
        self.ahead.as_deref()
    }

    fn cut_line(&mut self) -> Result<Option<String>, String> {
        while let Some(rest) = self.file.get(self.at..).filter(|rest| !rest.is_empty()) {
            let start = self.at;
            let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
            self.at += length + 1;
            let raw = rest.get(..length).unwrap_or_default();
            let command = raw.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
            if !command.is_empty() {
                return accept(command)
                    .map(Some)
                    .map_err(|why| format!("byte {start} of the program: {why}: slice the plate again"));
            }
        }
        Ok(None)
    }
}

fn accept(command: &[u8]) -> Result<String, String> {
    let printable = command.iter().all(|byte| (b' '..=b'~').contains(byte) || *byte == b'\t');
    let text = std::str::from_utf8(command).ok().filter(|_| printable);
    let Some(text) = text else {
        return Err("a line is not plain text".into());
    };
    if text.len() + FRAME_BYTES > COMMAND_BYTES_MAX {
        return Err(format!("a line is longer than {} characters", COMMAND_BYTES_MAX - FRAME_BYTES));
    }
    if !text.starts_with(['G', 'M', 'T']) || text.contains('*') {
        return Err(format!("\"{text}\" is no G-code command"));
    }
    let word = text.split_whitespace().next().unwrap_or_default();
    let end =
        word.get(1..).unwrap_or_default().find(|c: char| !c.is_ascii_digit()).map_or(word.len(), |at| at + 1);
    if REFUSED.contains(&word.get(..end).unwrap_or_default()) {
        return Err(format!("{word} must not be in a program that is streamed"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Vec<String>, String> {
        let mut program = Program::new(JobName("j".into()), text.as_bytes().into());
        loop {
            match program.check_some(7) {
                Check::Going { .. } => {}
                Check::Failed(reason) => return Err(reason),
                Check::Passed => break,
            }
        }
        let lines: Vec<String> = std::iter::from_fn(|| program.next_line()).collect();
        assert_eq!(u64::try_from(lines.len()), Ok(program.total));
        Ok(lines)
    }

    #[test]
    fn comments_and_blanks_are_left_out_and_the_last_line_needs_no_end() {
        let lines = checked("; head\r\n\r\nG28 ; home\r\n  G1 X1 Y2\n;tail\nM400").unwrap();

        assert_eq!(lines, ["G28", "G1 X1 Y2", "M400"]);
    }

    #[test]
    fn what_would_break_the_stream_is_refused_with_its_place() {
        for bad in
            ["G28\nM112\n", "M0", "M110 N5", "g1 x1", "N5 G1*3", "G1 X1*5", "G28\n\u{e9}\n", "", ";only"]
        {
            assert!(checked(bad).is_err(), "{bad:?} was taken");
        }
        assert!(checked(&format!("G1 X{}", "1".repeat(90))).is_err());
        assert!(checked("G28\nM112\n").unwrap_err().contains("byte 4"));
        assert!(checked("M1000 S1\nM109 S60\nM104.1\n").is_ok());
    }
}
