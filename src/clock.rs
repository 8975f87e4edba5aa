//! The only code that asks the operating system for the time.
//!
//! Shop time (`Timestamp`) may run faster than the world where a workshop is simulated: `anchor + elapsed x
//! speed`. Ticks are always real, because what a wire takes doesn't scale.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::units::{Span, Tick, Timestamp};

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Shop time.
    pub at: Timestamp,
    /// Monotonic time of this process.
    pub tick: Tick,
}

/// Hands out the time. Cheap to clone; all clones share the speed.
#[derive(Debug, Clone)]
pub struct Clock {
    start: Instant,
    pace: Arc<Mutex<Pace>>,
    simulated: bool,
}

#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Shop time at `tick`.
    at: Timestamp,
    tick: Tick,
    speed: u32,
}

impl Clock {
    /// The clock of a real workshop.
    #[must_use]
    pub fn real() -> Self {
        Self { simulated: false, ..Self::starting(Self::system_time(), 1) }
    }

    /// A clock that shows `at` now and runs `speed` times as fast as the world.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the OS")]
    pub fn starting(at: Timestamp, speed: u32) -> Self {
        let pace = Pace { at, tick: Tick(0), speed: speed.max(1) };
        Self { start: Instant::now(), pace: Arc::new(Mutex::new(pace)), simulated: true }
    }

    /// The time of the operating system, whatever shop time is.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the OS")]
    pub fn system_time() -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Both clocks now.
    #[must_use]
    pub fn now(&self) -> Now {
        let tick = self.tick();
        let pace = *self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        Now { at: pace.at_tick(tick), tick }
    }

    /// Shop time now.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.now().at
    }

    /// Monotonic time since the clock was made.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the OS")]
    pub fn tick(&self) -> Tick {
        let elapsed = Instant::now().duration_since(self.start);
        Tick(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
    }

    /// How many times faster than the world shop time runs; 1 in a real workshop.
    #[must_use]
    pub fn speed(&self) -> u32 {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).speed
    }

    /// Whether shop time is made up, at whatever speed it runs now.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// Changes the speed of a simulated workshop from now on; shop time never jumps.
    pub fn set_speed(&self, speed: u32) {
        let tick = self.tick();
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        *pace = Pace { at: pace.at_tick(tick), tick, speed: speed.max(1) };
    }

    /// How long a span of shop time lasts in the world; at least one millisecond.
    #[must_use]
    pub fn real_wait(&self, span: Span) -> Duration {
        Duration::from_millis((span.0 / u64::from(self.speed())).max(1))
    }
}

impl Pace {
    fn at_tick(&self, tick: Tick) -> Timestamp {
        let elapsed = u64::try_from(tick.since(self.tick).as_millis()).unwrap_or(u64::MAX);
        self.at.after(Span(elapsed.saturating_mul(u64::from(self.speed))))
    }
}
