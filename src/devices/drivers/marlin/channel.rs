//! Carries numbered lines to the firmware, each executed exactly once, however bad the wire is.
//!
//! ```text
//!   push --> in flight --ok------------------------------> accepted
//!              |  ^ |
//!   overdue:   |  | +-- Resend --> draining (30 ms quiet) --> the line it asked for
//!   same line -+  |                      |                    (the next one: accepted)
//!   again --------+                      +--> again and again: refused, or the count is lost
//! ```
//!
//! An overdue `ok` is answered by the *same* line with the *same* number: had it been lost, it is executed now;
//! had only its `ok` been lost, the firmware refuses it and names the line it expects, which is exact news.
//! Every resend is answered only after the line has been quiet, since each line that was in flight brings its
//! own resend, and answering each of them would never end.
//!
//! Several lines are in flight only where the firmware says which line an `ok` is for (`window`).

use std::collections::VecDeque;
use std::time::Duration;

use crate::devices::drivers::marlin::window::{Limits, Window};
use crate::devices::wire::gcode;
use crate::units::Tick;

/// Lines kept for resends. Hosts with 50 were seen to run out; a stray `ok` costs one.
const HISTORY_LINES: usize = 256;

/// No byte for this long ends a drain: several times a line's time at 115200 baud.
const QUIET: Duration = Duration::from_millis(30);
/// A drain never lasts longer, whatever chatters.
const DRAIN_MAX: Duration = Duration::from_secs(1);

/// Probing slows down to this.
const PROBE_WAIT_MAX: Duration = Duration::from_secs(4);
/// The same for commands that take their time. Where the firmware says `busy` every second, as it is asked to, so
/// much silence means a lost `ok`; elsewhere the few lines that are sent again only wait their turn.
const LONG_PROBE_WAIT: (Duration, Duration) = (Duration::from_millis(1500), Duration::from_secs(60));
/// Firmware says `busy` every 2 s by default; while it does, it is not probed.
const BUSY_WAIT: Duration = Duration::from_secs(6);
/// After a mangled reply a probe is due at once.
const MANGLED_WAIT: Duration = Duration::from_millis(30);

/// One line refused this often within the time means that it will never pass.
const REFUSALS_MAX: u32 = 10;
const REFUSALS_WITHIN: Duration = Duration::from_secs(30);

/// The same impossible resend this often, or any this often, means that the firmware counts otherwise.
const SAME_STRANGE_MAX: u32 = 3;
const ANY_STRANGE_MAX: u32 = 10;

/// Commands that wait for something of the real world.
const LONG: &[&str] = &[
    "G4", "G28", "G29", "G30", "G32", "G33", "G34", "M109", "M116", "M190", "M191", "M226", "M303", "M400",
    "M600",
];

/// Commands that the firmware takes at once into its plan; only these are sent behind each other. Everything that
/// asks, waits, counts or heats is sent alone, so that its answer is its own.
const QUICK: &[&str] = &[
    "G0", "G1", "G2", "G3", "G90", "G91", "G92", "M73", "M82", "M83", "M106", "M107", "M117", "M204", "M205",
    "M220", "M221",
];

/// What became of what was pushed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Everything pushed was accepted; any line may come.
    Accepted,
    /// Some of what is in flight was accepted.
    Taken,
    /// The firmware refuses a line again and again.
    Refused,
    /// The firmware counts otherwise than we do: it was reset, or somebody else talked to it.
    CountLost,
}

#[derive(Debug)]
pub(super) struct Channel {
    probe: Duration,
    /// False where the firmware doesn't check numbers: a line that is sent again would be executed again.
    probes: bool,
    /// The number of the next new line.
    next: u32,
    /// The first line that isn't confirmed; all before it were taken.
    first: u32,
    /// The next line to go out; behind `next` after a resend. What lies from `first` to here is in flight.
    cursor: u32,
    /// The lines before `next`, the last ones.
    history: VecDeque<String>,
    window: Window,
    /// When the lines in flight are asked for; set while there are any.
    watch: Option<Watch>,
    drain: Option<Drain>,
    /// The slowest `ok` of late.
    slowest: Duration,
    refusals: Refusals,
    strange: Strange,
    transmit: VecDeque<Vec<u8>>,
}

/// Watches over the first line in flight.
#[derive(Debug)]
struct Watch {
    since: Tick,
    probe_at: Tick,
    wait: Duration,
    wait_max: Duration,
    probed: bool,
}

#[derive(Debug)]
struct Drain {
    resend: i64,
    since: Tick,
    quiet_at: Tick,
}

#[derive(Debug, Default)]
struct Refusals {
    number: u32,
    count: u32,
    since: Option<Tick>,
}

#[derive(Debug, Default)]
struct Strange {
    resend: i64,
    same: u32,
    any: u32,
}

impl Channel {
    pub(super) fn new(probe: Duration, limits: Limits) -> Self {
        Self {
            probe,
            probes: true,
            next: 0,
            first: 0,
            cursor: 0,
            history: VecDeque::new(),
            window: Window::new(limits),
            watch: None,
            drain: None,
            slowest: Duration::ZERO,
            refusals: Refusals::default(),
            strange: Strange::default(),
            transmit: VecDeque::new(),
        }
    }

    /// Forgets everything; nothing is in flight.
    pub(super) fn close(&mut self) {
        let probes = self.probes;
        *self = Self::new(self.probe, self.window.limits());
        self.probes = probes;
    }

    /// Whether an overdue line is sent again; never for firmware that doesn't check numbers.
    pub(super) fn set_probing(&mut self, probes: bool) {
        self.probes = probes;
    }

    /// Sets the firmware's count: the next line pushed gets `base + 1`.
    pub(super) fn restart(&mut self, now: Tick, base: u32) {
        self.close();
        (self.next, self.first, self.cursor) = (base, base, base);
        self.push(now, format!("M110 N{base}"));
    }

    /// True if everything pushed was accepted; any line may be pushed.
    pub(super) fn is_ready(&self) -> bool {
        self.first == self.next && self.drain.is_none()
    }

    /// True if this line may be pushed behind those that are in flight. A line that asks, waits or counts needs
    /// a channel that is ready.
    pub(super) fn has_room(&self, text: &str) -> bool {
        let is_sent = self.cursor == self.next && self.drain.is_none();
        is_sent && self.may_follow(text)
    }

    /// Lines that were pushed and aren't confirmed yet.
    pub(super) fn unconfirmed(&self) -> u32 {
        self.next - self.first
    }

    /// True if the line in flight waits for something of the real world.
    pub(super) fn is_long(&self) -> bool {
        self.watch.is_some() && self.text_of(self.first).is_some_and(is_long)
    }

    /// The text of the line that was pushed last.
    pub(super) fn last(&self) -> &str {
        self.history.back().map_or("", String::as_str)
    }

    /// Sends a new line; only when ready, or when there is room for it.
    pub(super) fn push(&mut self, now: Tick, text: String) {
        debug_assert!(self.cursor == self.next && self.drain.is_none(), "lines go out in order");
        self.history.push_back(text);
        if self.history.len() > HISTORY_LINES {
            self.history.pop_front();
        }
        self.next += 1;
        self.fill(now);
    }

    pub(super) fn take_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmit.pop_front()
    }

    pub(super) fn deadline(&self) -> Option<Tick> {
        match (&self.drain, &self.watch) {
            (Some(drain), _) => Some(drain.quiet_at.min(drain.since.after(DRAIN_MAX))),
            (None, Some(watch)) => Some(watch.probe_at),
            (None, None) => None,
        }
    }

    /// An `ok`, with the line it is for and the free places in the firmware's line buffer, if it says them.
    pub(super) fn on_ok(&mut self, now: Tick, confirms: Option<u32>, free: Option<u32>) -> Option<Event> {
        if self.is_draining(now) || self.first == self.cursor {
            return None;
        }
        let last = self.cursor - 1;
        match confirms {
            Some(number) if number < self.first => None,
            Some(number) if number > last => {
                self.on_mangled(now);
                None
            }
            Some(number) => {
                self.window.on_numbered_ok(free);
                self.accept(now, number)
            }
            None if self.first == last => self.accept(now, last),
            // Whose it is can't be told; the next one that says its number covers it.
            None => None,
        }
    }

    pub(super) fn on_resend(&mut self, now: Tick, resend: i64) {
        let since = self.drain.as_ref().map_or(now, |drain| drain.since);
        self.drain = Some(Drain { resend, since, quiet_at: now.after(QUIET) });
    }

    pub(super) fn on_busy(&mut self, now: Tick) {
        if let Some(watch) = &mut self.watch {
            watch.probe_at = watch.probe_at.max(now.after(BUSY_WAIT));
        }
    }

    /// Something that may have been our `ok`, or a sign that the firmware has nothing to do.
    pub(super) fn on_mangled(&mut self, now: Tick) {
        if self.is_draining(now) {
            return;
        }
        if let Some(watch) = &mut self.watch {
            watch.probe_at = watch.probe_at.min(now.after(MANGLED_WAIT));
        }
    }

    pub(super) fn on_timeout(&mut self, now: Tick) -> Option<Event> {
        if let Some(drain) = &self.drain {
            let over = now >= drain.quiet_at || now >= drain.since.after(DRAIN_MAX);
            let resend = drain.resend;
            return if over { self.end_drain(now, resend) } else { None };
        }
        let watch = self.watch.as_mut().filter(|watch| now >= watch.probe_at)?;
        watch.probed = self.probes;
        watch.wait = (watch.wait * 2).min(watch.wait_max);
        watch.probe_at = now.after(watch.wait);
        if self.probes {
            self.transmit_line(self.first);
        }
        None
    }

    fn is_draining(&mut self, now: Tick) -> bool {
        if let Some(drain) = &mut self.drain {
            drain.quiet_at = now.after(QUIET);
        }
        self.drain.is_some()
    }

    /// All lines up to this one were taken.
    fn accept(&mut self, now: Tick, number: u32) -> Option<Event> {
        let watch = self.watch.take()?;
        if watch.probed {
            // The firmware took the first line only when it came again. What was sent behind it the first time
            // stood before it on the wire, so it wasn't taken either.
            self.cursor = number + 1;
        } else {
            let took = now.since(watch.since);
            self.slowest = took.max(self.slowest * 7 / 8);
        }
        self.window.on_accepted(number + 1 - self.first);
        self.first = number + 1;
        self.strange = Strange::default();
        self.fill(now);
        Some(if self.first == self.next { Event::Accepted } else { Event::Taken })
    }

    fn end_drain(&mut self, now: Tick, resend: i64) -> Option<Event> {
        self.drain = None;
        let oldest = self.next.saturating_sub(u32::try_from(self.history.len()).unwrap_or(u32::MAX));
        match u32::try_from(resend) {
            Ok(number) if number == self.next && self.first < self.next => {
                self.cursor = self.next;
                self.accept(now, number - 1)
            }
            Ok(number) if (oldest..self.next).contains(&number) => self.send_again(now, number),
            Ok(number) if number == self.next => None,
            Ok(_) | Err(_) => self.on_strange(now, resend),
        }
    }

    fn send_again(&mut self, now: Tick, number: u32) -> Option<Event> {
        let since = self.refusals.since.filter(|since| now.since(*since) <= REFUSALS_WITHIN);
        if self.refusals.number == number && since.is_some() {
            self.refusals.count += 1;
        } else {
            self.refusals = Refusals { number, count: 1, since: Some(now) };
        }
        if self.refusals.count > REFUSALS_MAX {
            self.watch = None;
            return Some(Event::Refused);
        }
        self.window.on_loss();
        self.go_back(now, number);
        None
    }

    /// A number that was never sent or is long gone: garbled digits, or a firmware that counts anew. The first
    /// line in flight is sent again, which a firmware that counts anew refuses, and that tells the two apart.
    fn on_strange(&mut self, now: Tick, resend: i64) -> Option<Event> {
        let same = if self.strange.resend == resend { self.strange.same + 1 } else { 1 };
        self.strange = Strange { resend, same, any: self.strange.any + 1 };
        if same >= SAME_STRANGE_MAX || self.strange.any >= ANY_STRANGE_MAX {
            self.watch = None;
            return Some(Event::CountLost);
        }
        if self.first < self.next {
            self.window.on_loss();
            self.go_back(now, self.first);
        }
        None
    }

    /// Sends from this line on; those before it were taken.
    fn go_back(&mut self, now: Tick, number: u32) {
        self.watch = None;
        (self.first, self.cursor) = (number, number);
        self.fill(now);
    }

    /// Sends what the window has room for.
    fn fill(&mut self, now: Tick) {
        while self.cursor < self.next
            && self
                .text_of(self.cursor)
                .is_some_and(|text| self.first == self.cursor || self.may_follow(text))
        {
            self.transmit_line(self.cursor);
            self.cursor += 1;
        }
        if self.watch.is_none() && self.first < self.cursor {
            self.watch = Some(self.new_watch(now));
        }
    }

    fn new_watch(&self, now: Tick) -> Watch {
        let is_long = self.text_of(self.first).is_some_and(is_long);
        let quick = (self.slowest * 4).clamp(self.probe, PROBE_WAIT_MAX.max(self.probe));
        let (wait, wait_max) = if is_long { LONG_PROBE_WAIT } else { (quick, PROBE_WAIT_MAX.max(quick)) };
        Watch { since: now, probe_at: now.after(wait), wait, wait_max, probed: false }
    }

    fn may_follow(&self, text: &str) -> bool {
        self.text_of(self.first).is_none_or(is_quick) && is_quick(text) && self.has_room_for(text)
    }

    fn has_room_for(&self, text: &str) -> bool {
        let lines = self.cursor - self.first;
        let bytes = (self.first..self.cursor).filter_map(|number| self.text_of(number)).map(line_bytes).sum();
        self.window.has_room(lines, bytes, line_bytes(text))
    }

    fn transmit_line(&mut self, number: u32) {
        if let Some(text) = self.text_of(number) {
            let line = gcode::encode(number, text);
            self.transmit.push_back(line);
        }
    }

    fn text_of(&self, number: u32) -> Option<&str> {
        let back = usize::try_from(self.next.checked_sub(number)?).ok()?;
        let index = self.history.len().checked_sub(back)?;
        self.history.get(index).map(String::as_str)
    }
}

/// Of a line on the wire: its text, `N` with ten digits, a blank, `*` with three digits, and the line end.
fn line_bytes(text: &str) -> usize {
    text.len() + 17
}

fn word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

fn is_long(text: &str) -> bool {
    LONG.contains(&word(text))
}

fn is_quick(text: &str) -> bool {
    QUICK.contains(&word(text))
}
