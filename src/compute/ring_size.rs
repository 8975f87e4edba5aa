//! Ring sizes of the systems in use, as inner diameters.
//!
//! Formulas: EN ISO 8653:2014 (size = inner circumference in mm), the customary US rule
//! D = (0.458 + 0.032 n) inch, UK letters with A = 37.5 mm and 1.25 mm a letter, Swiss numbers = circumference
//! minus 40, Japanese D = 13 + (n - 1) / 3. UK and Japanese charts differ by up to half a size: a shop that uses
//! another chart orders by diameter.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// Circumferences that a finger ring can have, mm: size 0 of the US to beyond Z+6 of the UK, with room for
/// children's and signet rings.
const CIRCUMFERENCE_MM: std::ops::RangeInclusive<f64> = 30.0..=90.0;
const INCH_MM: f64 = 25.4;

/// How a ring size is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RingSystem {
    /// ISO 8653: inner circumference, mm.
    Iso,
    /// United States and Canada: numbers with quarters.
    Us,
    /// United Kingdom, Ireland, Australia: letters, halves, `Z+1` and so on.
    Uk,
    /// Germany, Austria, Scandinavia: inner circumference, mm.
    Eu,
    /// Switzerland, Italy, Spain: inner circumference in mm, minus 40.
    Ch,
    /// Japan: numbers.
    Jp,
    /// Inner diameter, mm.
    Diameter,
}

/// A ring size as ordered, for example `us` `"7"`, `uk` `"N½"`, `iso` `"54"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingSize {
    /// The system.
    pub system: RingSystem,
    /// The size as written in it.
    pub value: String,
}

/// Why a ring size has no meaning. The text says the accepted form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RingSizeError {
    /// `SYS:VALUE` with an unknown system or without the colon.
    #[error(
        "\"{text}\" is not a ring size; write SYSTEM:VALUE with iso, us, uk, eu, ch, jp or diameter, like us:7"
    )]
    FindSystem {
        /// What was written.
        text: String,
    },
    /// A value that the system doesn't have.
    #[error("\"{value}\" is not a ring size of this system; write {form}")]
    ReadValue {
        /// What was written.
        value: String,
        /// How it is written.
        form: &'static str,
    },
    /// A size that no finger has.
    #[error(
        "ring size \"{value}\" would be {circumference} mm around, fingers are 30 to 90 mm; check system and value"
    )]
    FitFinger {
        /// What was written.
        value: String,
        /// Circumference in whole mm.
        circumference: i64,
    },
}

impl RingSize {
    /// The inner diameter, mm, before any scaling for shrinkage.
    ///
    /// # Errors
    /// A [`RingSizeError`] if the value isn't one of the system, or fits no finger.
    pub fn inner_diameter_mm(&self) -> Result<f64, RingSizeError> {
        let read = |form: &'static str, number: Option<f64>| {
            number.ok_or_else(|| RingSizeError::ReadValue { value: self.shown(), form })
        };
        let written = number(&self.value);
        let circumference = match self.system {
            RingSystem::Iso | RingSystem::Eu => {
                read("the inner circumference in mm, like 54 or 54.5", written)?
            }
            RingSystem::Ch => 40.0 + read("the circumference in mm less 40, like 14 or 14.5", written)?,
            RingSystem::Us => {
                let size = written.filter(|size| (0.0..=20.0).contains(size) && (size * 4.0).fract() == 0.0);
                (0.458 + 0.032 * read("a number with quarters from 0 to 20, like 7, 7.25 or 7 1/2", size)?)
                    * INCH_MM
                    * PI
            }
            RingSystem::Uk => {
                37.5 + 1.25
                    * read(
                        "a letter A to Z, with ½ or Z+1 to Z+6 if needed, like N, N½ or Z+1",
                        letters(&self.value),
                    )?
            }
            RingSystem::Jp => {
                (13.0
                    + (read("a number from 1 to 35, like 14", written.filter(|size| *size >= 1.0))? - 1.0)
                        / 3.0)
                    * PI
            }
            RingSystem::Diameter => read("the inner diameter in mm, like 17.3", written)? * PI,
        };
        if CIRCUMFERENCE_MM.contains(&circumference) {
            Ok(circumference / PI)
        } else {
            Err(RingSizeError::FitFinger {
                value: self.shown(),
                circumference: crate::mesh::cast::floor(circumference + 0.5),
            })
        }
    }

    /// The inner circumference, mm: the ISO 8653 size.
    ///
    /// # Errors
    /// As [`RingSize::inner_diameter_mm`].
    pub fn circumference_mm(&self) -> Result<f64, RingSizeError> {
        Ok(self.inner_diameter_mm()? * PI)
    }

    fn shown(&self) -> String {
        self.value.chars().take(20).collect()
    }
}

impl std::str::FromStr for RingSize {
    type Err = RingSizeError;

    fn from_str(text: &str) -> Result<Self, RingSizeError> {
        let unknown = || RingSizeError::FindSystem { text: text.chars().take(30).collect() };
        let (system, value) = text.split_once(':').ok_or_else(unknown)?;
        let system = match system.trim().to_ascii_lowercase().as_str() {
            "iso" => RingSystem::Iso,
            "us" => RingSystem::Us,
            "uk" => RingSystem::Uk,
            "eu" => RingSystem::Eu,
            "ch" => RingSystem::Ch,
            "jp" => RingSystem::Jp,
            "diameter" => RingSystem::Diameter,
            _ => return Err(unknown()),
        };
        let size = Self { system, value: value.trim().to_owned() };
        size.inner_diameter_mm()?;
        Ok(size)
    }
}

/// A number with a decimal point or comma, or with a fraction behind: `7.25`, `7,25`, `7 1/4`, `7¼`.
fn number(text: &str) -> Option<f64> {
    let text = text.trim().replace(',', ".").replace('¼', " 1/4").replace('½', " 1/2").replace('¾', " 3/4");
    let mut words = text.split_ascii_whitespace();
    let first = words.next()?;
    let whole = match fraction(first) {
        Some(part) => part,
        None => decimal(first)? + words.next().map_or(Some(0.0), fraction)?,
    };
    words.next().is_none().then_some(whole)
}

fn decimal(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|_| is_plain && text.len() <= 9)
}

fn fraction(text: &str) -> Option<f64> {
    match text {
        "1/4" => Some(0.25),
        "1/2" => Some(0.5),
        "3/4" => Some(0.75),
        _ => None,
    }
}

/// The number of a UK letter: A = 0, A½ = 0.5, Z = 25, Z+1 = 26.
fn letters(text: &str) -> Option<f64> {
    let text = text.trim().to_uppercase();
    let mut rest = text.chars();
    let letter = rest.next().filter(char::is_ascii_uppercase)?;
    let step = f64::from(u32::from(letter) - u32::from('A'));
    let rest = rest.as_str().trim();
    if let (Some(beyond), 'Z') = (rest.strip_prefix('+'), letter) {
        return number(beyond)
            .filter(|beyond| (0.5..=6.0).contains(beyond) && (beyond * 2.0).fract() == 0.0)
            .map(|beyond| step + beyond);
    }
    match rest {
        "" => Some(step),
        "½" | "1/2" | ".5" => Some(step + 0.5),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diameter(text: &str) -> f64 {
        text.parse::<RingSize>().unwrap().inner_diameter_mm().unwrap()
    }

    fn circumference(text: &str) -> f64 {
        text.parse::<RingSize>().unwrap().circumference_mm().unwrap()
    }

    #[test]
    fn us_sizes_follow_the_published_vectors() {
        assert!((diameter("us:7") - 17.323).abs() < 5e-4);
        assert!((circumference("us:7") - 54.42).abs() < 5e-3);
        assert!((diameter("us:0") - 11.633).abs() < 5e-4);
        assert!((diameter("us:13") - 22.200).abs() < 5e-4);
    }

    #[test]
    fn the_same_finger_has_about_the_same_size_everywhere() {
        for text in ["iso:54", "eu:54.4", "uk:N½", "ch:14.4", "jp:14", "diameter:17.32"] {
            assert!((diameter(text) - 17.323).abs() < 0.2, "{text}: {}", diameter(text));
        }
    }

    #[test]
    fn uk_letters_run_from_a_to_beyond_z() {
        assert!((circumference("uk:A") - 37.5).abs() < 1e-9);
        assert!((circumference("uk:Z") - 68.75).abs() < 1e-9);
        assert!((circumference("uk:z+1") - 70.0).abs() < 1e-9);
        assert!((circumference("uk:n 1/2") - 54.375).abs() < 1e-9);
    }

    #[test]
    fn japanese_sizes_follow_the_published_vectors() {
        assert!((diameter("jp:1") - 13.0).abs() < 1e-9);
        assert!((diameter("jp:14") - 17.33).abs() < 5e-3);
    }

    #[test]
    fn quarters_are_read_in_every_spelling() {
        for text in ["us:7.25", "us:7,25", "us:7 1/4", "us:7¼"] {
            assert!((diameter(text) - diameter("us:7") - 0.2032).abs() < 1e-9, "{text}");
        }
    }

    #[test]
    fn a_wrong_size_is_refused_with_the_accepted_form() {
        for (text, hint) in [
            ("7", "SYSTEM:VALUE"),
            ("fr:54", "iso, us, uk"),
            ("us:7.1", "quarters"),
            ("us:-1", "quarters"),
            ("uk:7", "letter"),
            ("uk:NN", "letter"),
            ("iso:540", "check system"),
            ("iso:17.3", "check system"),
            ("diameter:nan", "17.3"),
        ] {
            let error = text.parse::<RingSize>().unwrap_err().to_string();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }
}
