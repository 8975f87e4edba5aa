//! How many lines may be in flight at once.
//!
//! One, unless the firmware says with each `ok` which line it is for and how much room it has (`ADVANCED_OK`): a
//! bare `ok` can't be told from a doubled one. After a loss it is one again for a while, since every line behind
//! a lost one is thrown away with it.

/// The longest that unsent bytes may hold up an emergency stop is 50 ms: 576 bytes at 115200 baud. A board of
/// 250000 baud is faster, and those below 115200 have buffers of 128 bytes.
const BYTES_MAX: usize = 400;

/// Lines that go one by one after a loss.
const NARROW_LINES: u32 = 200;

/// What the shop file allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Lines in flight.
    pub(super) lines: u32,
    /// Bytes that the board's receive buffer holds.
    pub(super) buffer_bytes: usize,
}

#[derive(Debug)]
pub(super) struct Window {
    limits: Limits,
    /// What the firmware's line buffer has room for, by its last word; 0 if it has never said so.
    free: u32,
    /// Lines to go one by one.
    narrow: u32,
}

impl Window {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, free: 0, narrow: 0 }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// The firmware named the line of an `ok`.
    pub(super) fn on_numbered_ok(&mut self, free: Option<u32>) {
        self.free = free.unwrap_or(0);
    }

    /// So many lines were taken.
    pub(super) fn on_accepted(&mut self, lines: u32) {
        self.narrow = self.narrow.saturating_sub(lines);
    }

    /// A line was lost or refused.
    pub(super) fn on_loss(&mut self) {
        self.narrow = NARROW_LINES;
    }

    /// True if one more line of `more` bytes may go out behind these.
    pub(super) fn has_room(&self, lines: u32, bytes: usize, more: usize) -> bool {
        let lines_max = if self.narrow > 0 { 1 } else { self.limits.lines.min(self.free).max(1) };
        // Half of the buffer: the firmware may be slow to empty it.
        let bytes_max = (self.limits.buffer_bytes / 2).min(BYTES_MAX);
        lines == 0 || (lines < lines_max && bytes + more <= bytes_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_line_goes_out_only_where_the_firmware_names_lines_and_has_room() {
        let mut window = Window::new(Limits { lines: 8, buffer_bytes: 256 });
        assert!(window.has_room(0, 0, 500) && !window.has_room(1, 40, 40));

        window.on_numbered_ok(Some(3));
        assert!(window.has_room(2, 80, 40) && !window.has_room(3, 90, 10) && !window.has_room(2, 100, 40));

        window.on_loss();
        window.on_accepted(199);
        assert!(!window.has_room(1, 40, 40));
        window.on_accepted(1);
        assert!(window.has_room(1, 40, 40));

        window.on_numbered_ok(None);
        assert!(!window.has_room(1, 40, 40));
    }

    #[test]
    fn a_huge_buffer_does_not_hold_up_an_emergency_stop() {
        let mut window = Window::new(Limits { lines: 100, buffer_bytes: 65_536 });
        window.on_numbered_ok(Some(100));
        assert!(!window.has_room(10, 390, 40));
    }
}
