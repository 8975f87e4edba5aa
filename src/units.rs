//! Measures that cross module borders. No number with a unit crosses one bare.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use sprue_compute::units::{Microns, Millimeters};
pub use sprue_station_protocol::Celsius;

/// A mass in whole milligrams; metal and powder are counted, so that they balance exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Milligrams(pub i64);

impl Milligrams {
    /// The nearest whole number of milligrams; 0 for what is no number, the ends of the range beyond them.
    #[must_use]
    pub fn rounded(milligrams: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and not-a-number becomes 0")]
        Self(milligrams.round() as i64)
    }

    /// The same mass in grams, for formulas and screens; sums are made of whole milligrams.
    #[must_use]
    pub fn grams(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 9,000 tonnes")]
        let milligrams = self.0 as f64;
        milligrams / 1000.0
    }

    /// Share of `whole`, percent; nothing if the whole is nothing.
    #[must_use]
    pub fn percent_of(self, whole: Milligrams) -> Option<f64> {
        (whole.0 != 0).then(|| self.grams() / whole.grams() * 100.0)
    }
}

impl std::fmt::Display for Milligrams {
    /// Grams to the hundredth, as scales in workshops show them; to the thousandth where that says more.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimals = if self.0 % 10 == 0 { 2 } else { 3 };
        write!(f, "{:.decimals$} g", self.grams())
    }
}

/// A volume in cubic millimetres.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CubicMillimeters(pub f64);

/// Mass per volume in g/cm³, which is mg/mm³.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Density(pub f64);

impl Density {
    /// The same number for formulas in mm and mg.
    #[must_use]
    pub fn milligrams_per_mm3(self) -> f64 {
        self.0
    }

    /// What a volume weighs.
    #[must_use]
    pub fn mass(self, volume: CubicMillimeters) -> Milligrams {
        Milligrams::rounded(volume.0 * self.0)
    }

    /// The volume of a mass; nothing if the density is nothing.
    #[must_use]
    pub fn volume(self, mass: Milligrams) -> CubicMillimeters {
        if self.0 > 0.0 { CubicMillimeters(mass.grams() * 1000.0 / self.0) } else { CubicMillimeters(0.0) }
    }
}

/// A length of shop time in milliseconds: operation durations, windows, back-offs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

impl Span {
    /// A span of whole seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds * 1000)
    }

    /// A span of whole minutes.
    #[must_use]
    pub const fn minutes(minutes: u64) -> Self {
        Self(minutes * 60_000)
    }

    /// The same span for APIs that want a `Duration`.
    #[must_use]
    pub fn to_duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

/// A point in wall-clock time: milliseconds since 1970 UTC. Written as RFC 3339 with `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This time plus a span; saturates at the end of time.
    #[must_use]
    pub fn after(self, span: Span) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.0).unwrap_or(i64::MAX)))
    }

    /// How long this time lies after `earlier`; zero if it doesn't.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Span {
        Span(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339, any offset.
    ///
    /// # Errors
    /// A sentence for the sender, if the text is not a time or out of range.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse::<jiff::Timestamp>()
            .map(|at| Self(at.as_millisecond()))
            .map_err(|_| format!("\"{text}\" is not a time; write it like 2026-12-18T17:00:00Z"))
    }

    /// The time in a zone, for calendars and screens.
    #[must_use]
    pub fn in_zone(self, zone: &TimeZone) -> jiff::Zoned {
        self.to_jiff().to_zoned(zone.clone())
    }

    /// The same time for `jiff`; clamped to its range (years -9999 to 9999).
    #[must_use]
    pub fn to_jiff(self) -> jiff::Timestamp {
        let clamped = self
            .0
            .clamp(jiff::Timestamp::MIN.as_millisecond() + 1, jiff::Timestamp::MAX.as_millisecond() - 1);
        jiff::Timestamp::from_millisecond(clamped).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = jiff::fmt::temporal::DateTimePrinter::new().precision(Some(3));
        f.write_str(&text.timestamp_to_string(&self.to_jiff()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A point on the monotonic clock in milliseconds, for device sessions and pumps only.
///
/// Always real time, also where shop time is simulated: what a wire takes doesn't scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u64);

impl Tick {
    /// This tick plus a wait.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long this tick lies after `earlier`; zero if it doesn't.
    #[must_use]
    pub fn since(self, earlier: Tick) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}
