//! How long work notices that it shall stop.

use std::sync::atomic::{AtomicBool, Ordering};

/// Steps between two looks at the flag: at most a tenth of a microsecond each, so it is seen within a millisecond.
const STEPS: u32 = 8192;

/// The work was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stopped;

/// Looks at a flag now and then.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    cancel: Option<&'a AtomicBool>,
    left: u32,
}

impl<'a> Watch<'a> {
    /// Looks at `cancel` at the first step and then every few thousand; never stops without a flag.
    pub(super) fn over(cancel: Option<&'a AtomicBool>) -> Self {
        Self { cancel, left: 0 }
    }

    /// Counts a small step.
    #[inline]
    pub(super) fn step(&mut self) -> Result<(), Stopped> {
        self.steps(1)
    }

    /// Counts a step that costs as much as `count` small ones.
    #[inline]
    pub(super) fn steps(&mut self, count: u32) -> Result<(), Stopped> {
        if count < self.left {
            self.left -= count;
            return Ok(());
        }
        self.look()
    }

    #[cold]
    fn look(&mut self) -> Result<(), Stopped> {
        self.left = STEPS;
        match self.cancel {
            Some(cancel) if cancel.load(Ordering::Relaxed) => Err(Stopped),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_seen_within_the_stated_steps() {
        let cancel = AtomicBool::new(false);
        let mut watch = Watch::over(Some(&cancel));
        for _ in 0..3 * STEPS + 17 {
            assert_eq!(watch.step(), Ok(()));
        }

        cancel.store(true, Ordering::Relaxed);

        let late = (0..).take_while(|_| watch.step().is_ok()).count();
        assert!(late < STEPS as usize, "{late} steps");
        assert_eq!(Watch::over(None).steps(u32::MAX), Ok(()));
    }
}
