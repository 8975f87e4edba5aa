//! Lines of time: when somebody is there, and what is already booked.

use super::compile::Error;

/// Sorted half-open intervals that don't overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Windows(Vec<(i64, i64)>);

impl Windows {
    /// Intervals from 0 to the horizon.
    pub(super) fn of(name: &str, intervals: &[[i64; 2]], horizon: i64) -> Result<Self, Error> {
        let mut sorted: Vec<(i64, i64)> = intervals.iter().map(|[start, end]| (*start, *end)).collect();
        sorted.sort_unstable();
        let is_apart = sorted.iter().all(|(start, end)| start < end)
            && sorted.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        if !is_apart {
            return Err(Error::Intervals { of: name.to_owned() });
        }
        let clipped = sorted.iter().map(|&(start, end)| (start.max(0), end.min(horizon)));
        Ok(Self(clipped.filter(|(start, end)| start < end).collect()))
    }

    /// Touching intervals become one.
    pub(super) fn merged(self) -> Self {
        let mut merged: Vec<(i64, i64)> = Vec::new();
        for (start, end) in self.0 {
            match merged.last_mut() {
                Some(last) if last.1 >= start => last.1 = end,
                Some(_) | None => merged.push((start, end)),
            }
        }
        Self(merged)
    }

    /// The first minute inside, not before `at`.
    pub(super) fn next(&self, at: i64) -> Option<i64> {
        self.from(at).map(|(start, _)| start.max(at))
    }

    /// The interval that holds `at`, or the next one.
    pub(super) fn from(&self, at: i64) -> Option<(i64, i64)> {
        self.0.get(self.0.partition_point(|window| window.1 <= at)).copied()
    }

    /// Every interval that ends after `at`.
    pub(super) fn after(&self, at: i64) -> impl Iterator<Item = (i64, i64)> {
        self.0[self.0.partition_point(|window| window.1 <= at)..].iter().copied()
    }
}

/// What is booked on one thing, sorted, not overlapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    busy: Vec<(i64, i64)>,
}

impl Line {
    pub(super) fn with(mut closed: Vec<(i64, i64)>) -> Self {
        closed.sort_unstable();
        Self { busy: closed }
    }

    /// The booking that `at` falls into, or the next one.
    pub(super) fn next(&self, at: i64) -> Option<(i64, i64)> {
        self.busy.get(self.busy.partition_point(|booking| booking.1 <= at)).copied()
    }

    pub(super) fn is_free(&self, start: i64, end: i64) -> bool {
        self.next(start).is_none_or(|booking| booking.0 >= end)
    }

    /// Whether a booking ends exactly at `at`.
    pub(super) fn ends_at(&self, at: i64) -> bool {
        let position = self.busy.partition_point(|booking| booking.1 < at);
        self.busy.get(position).is_some_and(|booking| booking.1 == at)
    }

    pub(super) fn book(&mut self, start: i64, end: i64) {
        let mut position = self.busy.len();
        while position > 0 && self.busy[position - 1] > (start, end) {
            position -= 1;
        }
        self.busy.insert(position, (start, end));
    }

    pub(super) fn cancel(&mut self, start: i64, end: i64) {
        if let Some(position) = self.busy.iter().rposition(|booking| *booking == (start, end)) {
            self.busy.remove(position);
        }
    }

    /// The first start from `from` to `latest` with `length` minutes free.
    pub(super) fn earliest(&self, from: i64, length: i64, latest: i64) -> Option<i64> {
        let mut at = from;
        while at <= latest {
            match self.next(at) {
                Some(booking) if booking.0 < at + length => at = booking.1,
                Some(_) | None => return Some(at),
            }
        }
        None
    }

    /// As [`Line::earliest`], inside one of the windows.
    pub(super) fn earliest_within(
        &self,
        windows: &Windows,
        from: i64,
        length: i64,
        latest: i64,
    ) -> Option<i64> {
        for (start, end) in windows.after(from) {
            let first = start.max(from);
            if first > latest {
                return None;
            }
            if let Some(at) = self.earliest(first, length, latest.min(end - length)) {
                return Some(at);
            }
        }
        None
    }

    /// Forgets bookings that are over.
    pub(super) fn forget(&mut self, before: i64) {
        let gone = self.busy.partition_point(|booking| booking.1 <= before);
        if gone > 24 {
            self.busy.drain(..gone);
        }
    }
}
