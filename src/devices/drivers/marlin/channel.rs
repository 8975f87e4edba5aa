//! Carries numbered lines to the firmware one at a time, each executed exactly once, however bad the wire is.
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

use std::collections::VecDeque;
use std::time::Duration;

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
/// The same for commands that take their time and may do so without a word.
const LONG_PROBE_WAIT: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(60));
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

/// What became of what was pushed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Everything pushed was accepted; the next line may come.
    Accepted,
    /// The firmware refuses a line again and again.
    Refused,
    /// The firmware counts otherwise than we do: it was reset, or somebody else talked to it.
    CountLost,
}

#[derive(Debug)]
pub(super) struct Channel {
    probe: Duration,
    /// The number of the next new line.
    next: u32,
    /// The lines before `next`, the last ones.
    history: VecDeque<String>,
    flight: Option<Flight>,
    drain: Option<Drain>,
    /// The slowest `ok` of late.
    slowest: Duration,
    refusals: Refusals,
    strange: Strange,
    transmit: VecDeque<Vec<u8>>,
}

#[derive(Debug)]
struct Flight {
    number: u32,
    sent_at: Tick,
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
    pub(super) fn new(probe: Duration) -> Self {
        Self {
            probe,
            next: 0,
            history: VecDeque::new(),
            flight: None,
            drain: None,
            slowest: Duration::ZERO,
            refusals: Refusals::default(),
            strange: Strange::default(),
            transmit: VecDeque::new(),
        }
    }

    /// Forgets everything; nothing is in flight.
    pub(super) fn close(&mut self) {
        *self = Self::new(self.probe);
    }

    /// Sets the firmware's count: the next line pushed gets `base + 1`.
    pub(super) fn restart(&mut self, now: Tick, base: u32) {
        self.close();
        self.next = base;
        self.push(now, format!("M110 N{base}"));
    }

    /// True if a line may be pushed.
    pub(super) fn is_ready(&self) -> bool {
        self.flight.is_none() && self.drain.is_none()
    }

    /// True if the line in flight waits for something of the real world.
    pub(super) fn is_long(&self) -> bool {
        self.flight.as_ref().and_then(|flight| self.text_of(flight.number)).is_some_and(is_long)
    }

    /// The text of the line that was pushed last.
    pub(super) fn last(&self) -> &str {
        self.history.back().map_or("", String::as_str)
    }

    /// Sends a new line; only when ready.
    pub(super) fn push(&mut self, now: Tick, text: String) {
        debug_assert!(self.is_ready(), "one line at a time");
        self.history.push_back(text);
        if self.history.len() > HISTORY_LINES {
            self.history.pop_front();
        }
        self.next += 1;
        self.send(now, self.next - 1);
    }

    pub(super) fn take_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmit.pop_front()
    }

    pub(super) fn deadline(&self) -> Option<Tick> {
        match (&self.drain, &self.flight) {
            (Some(drain), _) => Some(drain.quiet_at.min(drain.since.after(DRAIN_MAX))),
            (None, Some(flight)) => Some(flight.probe_at),
            (None, None) => None,
        }
    }

    pub(super) fn on_ok(&mut self, now: Tick, confirms: Option<u32>) -> Option<Event> {
        if self.is_draining(now) {
            return None;
        }
        let number = self.flight.as_ref()?.number;
        match confirms {
            Some(other) if other < number => None,
            Some(other) if other > number => {
                self.on_mangled(now);
                None
            }
            Some(_) | None => self.accept(now, number),
        }
    }

    pub(super) fn on_resend(&mut self, now: Tick, resend: i64) {
        let since = self.drain.as_ref().map_or(now, |drain| drain.since);
        self.drain = Some(Drain { resend, since, quiet_at: now.after(QUIET) });
    }

    pub(super) fn on_busy(&mut self, now: Tick) {
        if let Some(flight) = &mut self.flight {
            flight.probe_at = flight.probe_at.max(now.after(BUSY_WAIT));
        }
    }

    /// Something that may have been our `ok`, or a sign that the firmware has nothing to do.
    pub(super) fn on_mangled(&mut self, now: Tick) {
        if self.is_draining(now) {
            return;
        }
        if let Some(flight) = &mut self.flight {
            flight.probe_at = flight.probe_at.min(now.after(MANGLED_WAIT));
        }
    }

    pub(super) fn on_timeout(&mut self, now: Tick) -> Option<Event> {
        if let Some(drain) = &self.drain {
            let over = now >= drain.quiet_at || now >= drain.since.after(DRAIN_MAX);
            let resend = drain.resend;
            return if over { self.end_drain(now, resend) } else { None };
        }
        let flight = self.flight.as_mut().filter(|flight| now >= flight.probe_at)?;
        flight.probed = true;
        flight.wait = (flight.wait * 2).min(flight.wait_max);
        flight.probe_at = now.after(flight.wait);
        let number = flight.number;
        self.transmit_line(number);
        None
    }

    fn is_draining(&mut self, now: Tick) -> bool {
        if let Some(drain) = &mut self.drain {
            drain.quiet_at = now.after(QUIET);
        }
        self.drain.is_some()
    }

    fn accept(&mut self, now: Tick, number: u32) -> Option<Event> {
        let flight = self.flight.take()?;
        if !flight.probed {
            let took = now.since(flight.sent_at);
            self.slowest = took.max(self.slowest * 7 / 8);
        }
        self.strange = Strange::default();
        if number + 1 < self.next {
            self.send(now, number + 1);
            return None;
        }
        Some(Event::Accepted)
    }

    fn end_drain(&mut self, now: Tick, resend: i64) -> Option<Event> {
        self.drain = None;
        let first = self.next.saturating_sub(u32::try_from(self.history.len()).unwrap_or(u32::MAX));
        match u32::try_from(resend) {
            Ok(number) if number == self.next && self.flight.is_some() => self.accept(now, number - 1),
            Ok(number) if (first..self.next).contains(&number) => self.send_again(now, number),
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
            self.flight = None;
            return Some(Event::Refused);
        }
        self.send(now, number);
        None
    }

    /// A number that was never sent or is long gone: garbled digits, or a firmware that counts anew. The line in
    /// flight is sent again, which a firmware that counts anew refuses, and that tells the two apart.
    fn on_strange(&mut self, now: Tick, resend: i64) -> Option<Event> {
        let same = if self.strange.resend == resend { self.strange.same + 1 } else { 1 };
        self.strange = Strange { resend, same, any: self.strange.any + 1 };
        if same >= SAME_STRANGE_MAX || self.strange.any >= ANY_STRANGE_MAX {
            self.flight = None;
            return Some(Event::CountLost);
        }
        if let Some(flight) = &self.flight {
            let number = flight.number;
            self.send(now, number);
        }
        None
    }

    fn send(&mut self, now: Tick, number: u32) {
        self.transmit_line(number);
        let is_long = self.text_of(number).is_some_and(is_long);
        let quick = (self.slowest * 4).clamp(self.probe, PROBE_WAIT_MAX.max(self.probe));
        let (wait, wait_max) = if is_long { LONG_PROBE_WAIT } else { (quick, PROBE_WAIT_MAX.max(quick)) };
        self.flight =
            Some(Flight { number, sent_at: now, probe_at: now.after(wait), wait, wait_max, probed: false });
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

fn is_long(text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or_default();
    LONG.contains(&word)
}
