//! The times when somebody is there.
//!
//! Local time exists only here: a shift is meant in the shop's zone, what comes out are points in time. Where a
//! clock change swallows a local time, the time after the change counts; where it repeats one, the first.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span as CivilSpan, ToSpan};

use crate::shop::shift::{MINUTES_OF_DAY, Shift};
use crate::units::Timestamp;

/// A stretch of time, the end not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// The first moment in it.
    pub start: Timestamp,
    /// The first moment after it.
    pub end: Timestamp,
}

/// The times when at least one of the shifts is on, between `from` and `to`: sorted, apart from each other,
/// clipped to that range. Work grows with the number of days in the range.
#[must_use]
pub fn open_intervals(shifts: &[Shift], zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<Interval> {
    if from >= to {
        return Vec::new();
    }
    let last = to.in_zone(zone).date();
    // A shift of the day before may still be on.
    let first = from.in_zone(zone).date().saturating_sub(1.day());
    let mut open: Vec<Interval> = first
        .series(1.day())
        .take_while(|date| *date <= last)
        .flat_map(|date| shifts.iter().filter_map(move |shift| shift_on(shift, date, zone)))
        .filter_map(|interval| clip(interval, from, to))
        .collect();
    open.sort_unstable();
    merge(&open)
}

/// The shift that starts on a date, if one does. `None` also at the end of the calendar, in the year 9999.
fn shift_on(shift: &Shift, date: Date, zone: &TimeZone) -> Option<Interval> {
    let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).ok()?;
    if !*shift.days.get(weekday)? {
        return None;
    }
    let start = local_time(date, shift.start, zone)?;
    let end = local_time(date, shift.end, zone)?;
    // A clock change can swallow a whole short shift.
    (start < end).then_some(Interval { start, end })
}

fn local_time(date: Date, minutes: u16, zone: &TimeZone) -> Option<Timestamp> {
    let day = CivilSpan::new().days(i64::from(minutes / MINUTES_OF_DAY));
    let of_day = minutes % MINUTES_OF_DAY;
    let (hour, minute) = (i8::try_from(of_day / 60).ok()?, i8::try_from(of_day % 60).ok()?);
    let local = date.checked_add(day).ok()?.at(hour, minute, 0, 0);
    let zoned = zone.to_ambiguous_zoned(local).compatible().ok()?;
    Some(Timestamp(zoned.timestamp().as_millisecond()))
}

fn clip(interval: Interval, from: Timestamp, to: Timestamp) -> Option<Interval> {
    let clipped = Interval { start: interval.start.max(from), end: interval.end.min(to) };
    (clipped.start < clipped.end).then_some(clipped)
}

fn merge(sorted: &[Interval]) -> Vec<Interval> {
    let mut merged: Vec<Interval> = Vec::new();
    for next in sorted {
        match merged.last_mut() {
            Some(last) if next.start <= last.end => last.end = last.end.max(next.end),
            Some(_) | None => merged.push(*next),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn open(shifts: &[&str], from: &str, to: &str) -> Vec<String> {
        let shifts: Vec<Shift> = shifts.iter().map(|text| Shift::parse(text).unwrap()).collect();
        let (from, to) = (Timestamp::parse(from).unwrap(), Timestamp::parse(to).unwrap());
        let minute = |at: Timestamp| at.to_string()[..16].to_owned();
        open_intervals(&shifts, &berlin(), from, to)
            .into_iter()
            .map(|interval| format!("{} {}", minute(interval.start), minute(interval.end)))
            .collect()
    }

    #[test]
    fn a_working_week_is_open_on_its_days_only() {
        // 2026-11-20 is a Friday; Berlin is at UTC+1.
        let open =
            open(&["mon-fri 08:00-16:30", "sat 09:00-13:00"], "2026-11-20T00:00:00Z", "2026-11-24T00:00:00Z");

        assert_eq!(
            open,
            [
                "2026-11-20T07:00 2026-11-20T15:30",
                "2026-11-21T08:00 2026-11-21T12:00",
                "2026-11-23T07:00 2026-11-23T15:30"
            ]
        );
    }

    #[test]
    fn a_night_shift_belongs_to_the_day_it_starts_on() {
        let friday_night = open(&["fri 22:00-06:00"], "2026-11-21T00:00:00Z", "2026-11-27T00:00:00Z");

        assert_eq!(friday_night, ["2026-11-21T00:00 2026-11-21T05:00"]);
    }

    #[test]
    fn touching_and_overlapping_shifts_become_one() {
        let whole = open(
            &["mon-sun 22:00-06:00", "daily 06:00-14:00", "daily 13:00-22:00"],
            "2026-11-20T12:00:00Z",
            "2026-11-23T12:00:00Z",
        );

        assert_eq!(whole, ["2026-11-20T12:00 2026-11-23T12:00"]);
    }

    #[test]
    fn the_spring_day_has_23_hours() {
        // Clocks go from 02:00 to 03:00 on 2026-03-29.
        let day = open(&["sun 00:00-24:00"], "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z");
        let night = open(&["sat 22:00-06:00"], "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z");
        let swallowed = open(&["sun 02:00-03:00"], "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z");

        assert_eq!(day, ["2026-03-28T23:00 2026-03-29T22:00"]);
        assert_eq!(night, ["2026-03-28T21:00 2026-03-29T04:00"]);
        assert!(swallowed.is_empty());
    }

    #[test]
    fn the_autumn_day_has_25_hours() {
        // Clocks go from 03:00 back to 02:00 on 2026-10-25.
        let day = open(&["sun 00:00-24:00"], "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z");
        let night = open(&["sat 22:00-06:00"], "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z");

        assert_eq!(day, ["2026-10-24T22:00 2026-10-25T23:00"]);
        assert_eq!(night, ["2026-10-24T20:00 2026-10-25T05:00"]);
    }

    #[test]
    fn an_empty_range_is_closed() {
        assert!(open(&["daily 00:00-24:00"], "2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z").is_empty());
    }
}
