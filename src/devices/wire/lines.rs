//! Cuts a stream of bytes into lines of text.

/// The longest line that is kept. Replies of printers stay far below; a longer run without a line end is noise.
pub const LINE_BYTES_MAX: usize = 512;

/// Collects bytes until a line end. Holds at most one line.
#[derive(Debug, Default)]
pub struct LineSplitter {
    line: Vec<u8>,
    overlong: bool,
}

impl LineSplitter {
    /// Takes bytes and gives the lines they complete: without line ends, empty lines left out, control
    /// characters removed, bytes above ASCII as Latin-1. An over-long line is dropped whole.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in bytes {
            if byte == b'\n' || byte == b'\r' {
                lines.extend(self.end_line());
            } else if self.line.len() < LINE_BYTES_MAX {
                self.line.push(byte);
            } else {
                self.overlong = true;
            }
        }
        lines
    }

    /// Forgets an unfinished line.
    pub fn clear(&mut self) {
        self.line.clear();
        self.overlong = false;
    }

    /// Bytes of the unfinished line.
    #[must_use]
    pub fn unfinished(&self) -> &[u8] {
        &self.line
    }

    fn end_line(&mut self) -> Option<String> {
        let dropped = std::mem::take(&mut self.overlong);
        let line = std::mem::take(&mut self.line);
        if dropped {
            tracing::debug!(bytes = line.len(), "an over-long line was dropped");
            return None;
        }
        let text: String = line.iter().map(|&byte| char::from(byte)).filter(|c| !c.is_control()).collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_come_out_whole_however_the_bytes_are_cut() {
        let mut splitter = LineSplitter::default();

        let mut lines = splitter.push(b"ok T:1");
        lines.extend(splitter.push(b"9\r\n\r\n\x00o\x00k"));
        lines.extend(splitter.push(b"\n"));

        assert_eq!(lines, ["ok T:19", "ok"]);
    }

    #[test]
    fn an_overlong_line_is_dropped_and_the_next_one_is_whole() {
        let mut splitter = LineSplitter::default();

        let lines = splitter.push(&[&[b'x'; 100_000][..], b"\nok\n"].concat());

        assert_eq!(lines, ["ok"]);
    }

    proptest! {
        #[test]
        fn any_bytes_keep_the_buffer_bounded(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 0..20)) {
            let mut splitter = LineSplitter::default();
            for chunk in chunks {
                for line in splitter.push(&chunk) {
                    prop_assert!(!line.is_empty() && line.chars().count() <= LINE_BYTES_MAX);
                }
                prop_assert!(splitter.unfinished().len() <= LINE_BYTES_MAX);
            }
        }
    }
}
