//! The clock of an investment: from powder in water to a flask that may not wait longer.

use crate::units::{Span, Timestamp};

/// Vacuum and pour end this long before the powder loses its gloss: 1.5 to 2 minutes (`casting-domain.md` 1.2,
/// Ganoksin "Investment procedures"). The longer one is the deadline, the shorter one the end.
const MARGIN_LONG: Span = Span::seconds(120);
const MARGIN_SHORT: Span = Span::seconds(90);

/// One mix: when powder met water, and when this powder lot glosses off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MixClock {
    /// When powder met water.
    pub wet_at: Timestamp,
    /// From then until the gloss goes, measured for this lot of powder.
    pub gloss_off: Span,
}

/// How a mix stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MixState {
    /// Time is left for vacuum and pour.
    Working {
        /// Until the deadline.
        left: Span,
    },
    /// Finish the movement that is going on; start no other.
    Closing {
        /// Until nothing may move any more.
        left: Span,
    },
    /// It sets: what moves now cracks.
    Over,
}

impl MixClock {
    /// The last pour should have ended by then.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.before_gloss_off(MARGIN_LONG)
    }

    /// Nothing may move from then on.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.before_gloss_off(MARGIN_SHORT)
    }

    fn before_gloss_off(&self, margin: Span) -> Timestamp {
        self.wet_at.after(Span(self.gloss_off.0.saturating_sub(margin.0)))
    }

    /// How it stands now.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> MixState {
        let left = |until: Timestamp| Span(u64::try_from(until.0 - now.0).unwrap_or(0));
        if now < self.deadline() {
            MixState::Working { left: left(self.deadline()) }
        } else if now < self.end() {
            MixState::Closing { left: left(self.end()) }
        } else {
            MixState::Over
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: MixClock = MixClock { wet_at: Timestamp(1_000_000), gloss_off: Span::minutes(13) };

    fn after(seconds: i64) -> MixState {
        CLOCK.state(Timestamp(1_000_000 + seconds * 1000))
    }

    #[test]
    fn the_last_pour_of_a_thirteen_minute_powder_ends_by_eleven_to_eleven_and_a_half() {
        // V19
        assert_eq!(CLOCK.deadline(), Timestamp(1_000_000 + 660_000));
        assert_eq!(CLOCK.end(), Timestamp(1_000_000 + 690_000));
    }

    #[test]
    fn a_mix_works_then_closes_then_is_over() {
        assert_eq!(after(0), MixState::Working { left: Span::minutes(11) });
        assert_eq!(after(659), MixState::Working { left: Span::seconds(1) });
        assert_eq!(after(660), MixState::Closing { left: Span::seconds(30) });
        assert_eq!(after(690), MixState::Over);
    }

    #[test]
    fn a_powder_that_sets_at_once_has_no_working_time() {
        let clock = MixClock { gloss_off: Span::seconds(60), ..CLOCK };
        assert_eq!(clock.state(clock.wet_at), MixState::Over);
    }
}
