//! Free time of people and places, and how to find the next stretch of it.

use super::{Calendar, Interval};

/// Stretches of free time: sorted, apart, none touching the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FreeTime(Vec<Interval>);

impl FreeTime {
    /// What a calendar leaves between two times. Touching intervals count as one.
    pub(super) fn new(calendar: &Calendar, from: i64, until: i64) -> Self {
        let always = [Interval { start: i64::MIN, end: i64::MAX }];
        let intervals = match calendar {
            Calendar::Always => &always[..],
            Calendar::Open(intervals) => intervals,
        };
        let mut free: Vec<Interval> = vec![];
        for interval in intervals {
            let cut = Interval { start: interval.start.max(from), end: interval.end.min(until) };
            match free.last_mut() {
                Some(last) if last.end == cut.start => last.end = last.end.max(cut.end),
                Some(_) | None if cut.start < cut.end => free.push(cut),
                Some(_) | None => {}
            }
        }
        Self(free)
    }

    /// The earliest start, not before `from`, of `length` seconds in one stretch.
    pub(super) fn next_fit(&self, from: i64, length: i64) -> Option<i64> {
        let first = self.0.partition_point(|stretch| stretch.end < from + length);
        let fits = |stretch: &&Interval| stretch.end - stretch.start.max(from) >= length;
        self.0[first..].iter().find(fits).map(|stretch| stretch.start.max(from))
    }

    /// The end of the stretch that `at` lies in.
    pub(super) fn open_until(&self, at: i64) -> Option<i64> {
        let stretch = self.0.get(self.0.partition_point(|stretch| stretch.end <= at))?;
        (stretch.start <= at).then_some(stretch.end)
    }

    /// Takes `[start, end)` out, however much of it is free.
    pub(super) fn take(&mut self, start: i64, end: i64) {
        if start >= end {
            return;
        }
        let first = self.0.partition_point(|stretch| stretch.end <= start);
        let last = self.0.partition_point(|stretch| stretch.start < end);
        let parts = self.0.get(first..last).unwrap_or_default();
        let (Some(head), Some(tail)) = (parts.first(), parts.last()) else { return };
        let left = Interval { start: head.start, end: start };
        let right = Interval { start: end, end: tail.end };
        self.0.splice(first..last, [left, right].into_iter().filter(|part| part.start < part.end));
    }

    /// Puts back `[start, end)`, which one call of [`Self::take`] took out of one stretch.
    pub(super) fn give_back(&mut self, start: i64, end: i64) {
        let mut stretch = Interval { start, end };
        let mut first = self.0.partition_point(|other| other.end < start);
        let last = self.0.partition_point(|other| other.start <= end);
        for other in self.0.get(first..last).unwrap_or_default() {
            stretch = Interval { start: stretch.start.min(other.start), end: stretch.end.max(other.end) };
        }
        first = first.min(last);
        self.0.splice(first..last, [stretch]);
    }
}

/// A stretch in which a place is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// From the start of the material change, if there is one.
    pub(super) start: i64,
    pub(super) end: i64,
    /// By what; `None` if closed.
    pub(super) task: Option<usize>,
    /// What is loaded afterwards; `None` if that doesn't change.
    pub(super) material: Option<usize>,
    /// Whether the material change belongs to it.
    pub(super) changed: bool,
}

/// One place of a station: what takes it, in order, never overlapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    taken: Vec<Taken>,
    loaded: Option<usize>,
}

/// The free time that a place has around some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// What comes after, as an index.
    pub(super) index: usize,
    /// When the gap opens.
    pub(super) start: i64,
}

impl Place {
    pub(super) fn new(loaded: Option<usize>) -> Self {
        Self { taken: vec![], loaded }
    }

    /// When the last thing on it is over.
    pub(super) fn last_end(&self) -> i64 {
        self.taken.last().map_or(i64::MIN, |taken| taken.end)
    }

    /// Adds a pin or a closure behind everything else; facts may overlap, so it is shortened if need be.
    pub(super) fn push(&mut self, mut taken: Taken) {
        taken.start = taken.start.max(self.last_end());
        taken.end = taken.end.max(taken.start);
        self.taken.push(taken);
    }

    /// The gap that `at` lies in, or what takes the place then.
    pub(super) fn gap(&self, at: i64) -> Result<Gap, Taken> {
        let index = self.taken.partition_point(|taken| taken.end <= at);
        match self.taken.get(index) {
            Some(taken) if taken.start <= at => Err(*taken),
            Some(_) | None => {
                let start = index.checked_sub(1).map_or(i64::MIN, |before| self.taken[before].end);
                Ok(Gap { index, start })
            }
        }
    }

    /// What ends the gap.
    pub(super) fn after(&self, gap: Gap) -> Option<&Taken> {
        self.taken.get(gap.index)
    }

    /// What is loaded in the gap.
    pub(super) fn loaded(&self, gap: Gap) -> Option<usize> {
        self.taken[..gap.index].iter().rev().find_map(|taken| taken.material).or(self.loaded)
    }

    /// Whether loading another material in the gap leaves what comes later as it is.
    pub(super) fn may_change(&self, gap: Gap, material: usize) -> bool {
        let next = self.taken[gap.index..].iter().find(|taken| taken.material.is_some());
        next.is_none_or(|next| next.changed == (next.material != Some(material)))
    }

    pub(super) fn insert(&mut self, taken: Taken) {
        let index = self.taken.partition_point(|other| other.end <= taken.start);
        self.taken.insert(index, taken);
    }

    pub(super) fn remove(&mut self, taken: Taken) {
        let index = self.taken.partition_point(|other| other.end < taken.end);
        if let Some(found) = self.taken[index..].iter().position(|other| *other == taken) {
            self.taken.remove(index + found);
        }
    }
}
