//! Shifts of people as text, and the times when somebody is there.
//!
//! Local time exists only here: a shift is meant in the shop's zone, what comes out are points in time. Where a
//! clock change swallows a local time, the time after the change counts; where it repeats one, the first.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span as CivilSpan, ToSpan};
use thiserror::Error;

use crate::units::Timestamp;

/// Times of the week when a person works: `mon-fri 08:00-16:30`.
///
/// Days are `mon` to `sun`, joined by `-` or `,`, or `daily`. A shift that ends at or before its start runs into
/// the next day (`22:00-06:00`); `24:00` is the end of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Whether it starts on this day; Monday first.
    days: [bool; 7],
    /// Minutes after local midnight, 0 to 1439.
    start: u16,
    /// Minutes after local midnight of the first day, above `start`, at most 2879.
    end: u16,
}

/// Why a text is not a shift. The text says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ShiftError {
    /// Not two words.
    #[error("\"{0}\" is not a shift; write days and times, for example \"mon-fri 08:00-16:30\"")]
    ReadShift(String),
    /// Not a day.
    #[error("\"{0}\" is not a day; write mon, tue, wed, thu, fri, sat, sun or daily")]
    ReadDay(String),
    /// Not a time of day.
    #[error("\"{0}\" is not a time of day; write 00:00 to 24:00")]
    ReadTime(String),
    /// Starts when it ends.
    #[error("the shift \"{0}\" has no length; for a whole day write 00:00-24:00")]
    Empty(String),
}

/// A stretch of time, the end not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// The first moment in it.
    pub start: Timestamp,
    /// The first moment after it.
    pub end: Timestamp,
}

impl Shift {
    /// Reads one shift.
    ///
    /// # Errors
    /// `ShiftError` with the word that is wrong.
    pub fn parse(text: &str) -> Result<Self, ShiftError> {
        let unreadable = || ShiftError::ReadShift(text.to_owned());
        let mut words = text.split_whitespace();
        let (Some(days), Some(times), None) = (words.next(), words.next(), words.next()) else {
            return Err(unreadable());
        };
        let days = parse_days(days)?;
        let (start, end) = times.split_once('-').ok_or_else(unreadable)?;
        let (start, end) = (parse_time(start)?, parse_time(end)?);
        if start == end || start == MINUTES_OF_DAY {
            return Err(ShiftError::Empty(text.to_owned()));
        }
        let end = if end > start { end } else { end + MINUTES_OF_DAY };
        Ok(Self { days, start, end })
    }
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

const MINUTES_OF_DAY: u16 = 24 * 60;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

fn parse_days(text: &str) -> Result<[bool; 7], ShiftError> {
    if text == "daily" {
        return Ok([true; 7]);
    }
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (parse_day(first)?, parse_day(last)?);
        // `sat-mon` runs over the end of the week.
        let length = (last + 7 - first) % 7;
        for (i, day) in days.iter_mut().enumerate() {
            *day |= (i + 7 - first) % 7 <= length;
        }
    }
    Ok(days)
}

fn parse_day(text: &str) -> Result<usize, ShiftError> {
    DAYS.iter().position(|(name, _)| *name == text).ok_or_else(|| ShiftError::ReadDay(text.to_owned()))
}

fn parse_time(text: &str) -> Result<u16, ShiftError> {
    let unreadable = || ShiftError::ReadTime(text.to_owned());
    let (hours, minutes) = text.split_once(':').ok_or_else(unreadable)?;
    let two_digits = |part: &str| {
        let well_formed = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        if well_formed { part.parse::<u16>().ok() } else { None }
    };
    let (Some(hours), Some(minutes)) = (two_digits(hours), two_digits(minutes)) else {
        return Err(unreadable());
    };
    let time = hours * 60 + minutes;
    if minutes < 60 && time <= MINUTES_OF_DAY { Ok(time) } else { Err(unreadable()) }
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

    #[test]
    fn a_bad_shift_says_which_word_is_wrong() {
        let error = |text: &str| Shift::parse(text).unwrap_err().to_string();

        assert!(error("mon-fri").contains("mon-fri 08:00-16:30"));
        assert!(error("mon-fir 08:00-16:30").contains("\"fir\" is not a day"));
        assert!(error("mon 8:00-16:30").contains("\"8:00\" is not a time"));
        assert!(error("mon 08:00-24:01").contains("\"24:01\" is not a time"));
        assert!(error("mon 08:60-09:00").contains("\"08:60\" is not a time"));
        assert!(error("mon 08:00-08:00").contains("no length"));
        assert!(error("mon 24:00-08:00").contains("no length"));
        assert!(error("mon 08:00-16:30 tue").contains("is not a shift"));
    }
}
