//! Seconds since 1970 as date and time, UTC.

/// A point of time as people write it, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

impl Civil {
    /// From seconds since 1970; clamped to the years 1970 to 9999, which every format can write.
    ///
    /// Source of the day arithmetic: Howard Hinnant, "chrono-compatible low-level date algorithms",
    /// `civil_from_days`: years that begin in March, in eras of 400 years (146,097 days).
    pub(super) fn from_unix(seconds: i64) -> Self {
        const END_OF_9999: i64 = 253_402_300_799;
        let seconds = seconds.clamp(0, END_OF_9999);
        let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * from_march + 2) / 5 + 1,
            hour: second_of_day / 3600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
        }
    }

    /// Seconds since 1970 of `2026-11-21` and `23:40:46`; `None` if they are no such texts or before 1970.
    ///
    /// Source of the day arithmetic: Howard Hinnant, as above, `days_from_civil`.
    pub(super) fn parse_unix(date: &str, time: &str) -> Option<i64> {
        let [year, month, day] = numbers(date, '-')?;
        let [hour, minute, second] = numbers(time, ':')?;
        let known = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        if !known || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let year_from_march = if month <= 2 { year - 1 } else { year };
        let era = year_from_march / 400;
        let year_of_era = year_from_march % 400;
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        Some(days * 86_400 + hour * 3600 + minute * 60 + second)
    }

    /// `2026-11-21`
    pub(super) fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `23:40:46`
    pub(super) fn time(&self) -> String {
        format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }
}

/// Three unsigned numbers.
fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let parts: Vec<i64> = text
        .trim()
        .split(between)
        .map(|part| part.parse::<u16>().ok().map(i64::from))
        .collect::<Option<_>>()?;
    parts.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::Civil;

    #[test]
    fn known_seconds_give_known_dates() {
        // From `date -u -d @N '+%F %T'`.
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_709_251_199, "2024-02-29 23:59:59"),
            (1_798_761_600, "2027-01-01 00:00:00"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            let civil = Civil::from_unix(seconds);
            assert_eq!(format!("{} {}", civil.date(), civil.time()), expected);
            assert_eq!(Civil::parse_unix(&civil.date(), &civil.time()), Some(seconds));
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for (date, time) in
            [("", ""), ("2026-13-01", "00:00:00"), ("2026-01-01", "24:00:00"), ("1-1", "0:0:0")]
        {
            assert_eq!(Civil::parse_unix(date, time), None, "{date} {time}");
        }
    }
}
