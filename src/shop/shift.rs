//! Shifts of people as text.

use thiserror::Error;

/// Times of the week when a person works: `mon-fri 08:00-16:30`.
///
/// Days are `mon` to `sun`, joined by `-` or `,`, or `daily`. A shift that ends at or before its start runs into
/// the next day (`22:00-06:00`); `24:00` is the end of the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Whether it starts on this day; Monday first.
    pub days: [bool; 7],
    /// Minutes after local midnight, 0 to 1439.
    pub start: u16,
    /// Minutes after local midnight of the first day, above `start`, at most 2879.
    pub end: u16,
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

/// Minutes in a day.
pub const MINUTES_OF_DAY: u16 = 24 * 60;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

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
    DAYS.iter().position(|name| *name == text).ok_or_else(|| ShiftError::ReadDay(text.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

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
