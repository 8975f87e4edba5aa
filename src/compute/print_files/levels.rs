//! Grey in formats that hold fewer than 256 levels: rounded to the nearest, and said.

use std::borrow::Cow;

use super::Format;
use crate::finding::Finding;
use crate::slice::{Layer, RunList};

/// What each of the 256 grey values becomes in a file.
pub(super) struct Levels([u8; 256]);

impl Levels {
    /// Of a function that gives the value that is read back.
    pub(super) fn new(read_back: impl Fn(u8) -> u8) -> Self {
        let mut levels = [0; 256];
        for (level, value) in levels.iter_mut().zip(0..=u8::MAX) {
            *level = read_back(value);
        }
        Self(levels)
    }

    /// How many different levels a file holds.
    fn count(&self) -> usize {
        (0..=u8::MAX).filter(|&value| self.of(value) == value).count()
    }

    fn of(&self, value: u8) -> u8 {
        self.0[usize::from(value)]
    }

    /// The layer as a file shows it, and what that changed.
    pub(super) fn round<'a>(&self, layer: &'a Layer, pixel_mm2: f64) -> (Cow<'a, Layer>, Rounding) {
        let mut rounding = Rounding::default();
        for run in &layer.runs {
            rounding.add_run(run.value.abs_diff(self.of(run.value)), run.length);
        }
        if rounding.pixels == 0 {
            return (Cow::Borrowed(layer), rounding);
        }
        let mut runs = RunList::new();
        for run in &layer.runs {
            runs.push(self.of(run.value), run.length);
        }
        (Cow::Owned(runs.finish(layer.index, pixel_mm2, layer.open_rows)), rounding)
    }

    /// What a person should know about the rounding of all layers; nothing if nothing was rounded.
    pub(super) fn finding(&self, format: Format, rounding: Rounding) -> Option<Finding> {
        let Rounding { pixels, most } = rounding;
        let text = format!(
            "{} files hold {} grey levels; {pixels} pixels were rounded to the nearest, by {most} of 255 at most",
            format.name(),
            self.count()
        );
        match most {
            0 => None,
            // Below what any resin or panel shows.
            1 => Some(Finding::note("GREY_ROUNDED", "layers", text + "; nothing to do")),
            _ => Some(Finding::warning(
                "GREY_ROUNDED",
                "layers",
                text + "; check thin details on the first print",
            )),
        }
    }
}

/// How much grey was changed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rounding {
    /// Pixels that changed.
    pub(super) pixels: u64,
    /// Largest change, of 255.
    pub(super) most: u8,
}

impl Rounding {
    fn add_run(&mut self, change: u8, length: u32) {
        if change > 0 {
            self.pixels += u64::from(length);
            self.most = self.most.max(change);
        }
    }

    /// Both together.
    pub(super) fn add(&mut self, other: Rounding) {
        self.pixels += other.pixels;
        self.most = self.most.max(other.most);
    }
}
