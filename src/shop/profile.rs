//! What is known of the outside world: printers, materials, alloys, kilns, burnout programs, routings.
//!
//! Pure data, read from `profiles/**.toml` by `config`. Units stand in the key. Every number of a process says
//! where it comes from; a guess (`K`) or a figure from somebody's code (`C`) is a draft, which nothing uses as a
//! setpoint until a person enters a real one.

pub mod alloy;
pub mod burnout;
pub mod correction;
pub mod exposure;
pub mod kiln;
pub mod library;
pub mod material;
pub mod printer;
pub mod routing;

use serde::{Deserialize, Deserializer, Serialize};

pub use alloy::AlloyProfile;
pub use burnout::BurnoutProfile;
pub use correction::Correction;
pub use exposure::{ExposureError, ExposureOverride, ResolvedExposure, resolve_exposure};
pub use kiln::KilnProfile;
pub use library::{ProfileKind, Profiles, UnknownProfile};
pub use material::MaterialProfile;
pub use printer::PrinterProfile;
pub use routing::RoutingProfile;

/// How well a number is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tag {
    /// Published by the maker of the product, a standards body or a regulator.
    M,
    /// Measured in a published test or paper.
    T,
    /// House practice published by a casting house, refiner, supplier or trade body; the shop should confirm.
    H,
    /// Rule of thumb of a practitioner. Good for warnings only.
    R,
    /// Found in software whose sources were not checked. A draft.
    C,
    /// Background knowledge without a source. A draft.
    K,
    /// Derived by calculation from other numbers.
    D,
}

impl Tag {
    /// Whether a number with this tag must not be used as a setpoint.
    #[must_use]
    pub fn is_draft(self) -> bool {
        match self {
            Tag::C | Tag::K => true,
            Tag::M | Tag::T | Tag::H | Tag::R | Tag::D => false,
        }
    }

    /// The letter that stands in the files.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Tag::M => "M",
            Tag::T => "T",
            Tag::H => "H",
            Tag::R => "R",
            Tag::C => "C",
            Tag::K => "K",
            Tag::D => "D",
        }
    }
}

/// A number with how well it is known and where it comes from; the unit stands in the key that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tagged<T> {
    /// The number.
    pub value: T,
    /// How well it is known.
    pub tag: Tag,
    /// Where it comes from; never empty.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

/// A range of a number, both ends included; the unit stands in the key that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaggedRange<T> {
    /// The lowest value.
    pub min: T,
    /// The highest value.
    pub max: T,
    /// How well it is known.
    pub tag: Tag,
    /// Where it comes from; never empty.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

/// Something in a profile that can't be: the path of its key, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Keys from the root of the file, joined by dots; an index for a table of an array.
    pub path: String,
    /// What is wrong, and what to write instead.
    pub text: String,
}

/// Collects flaws under one path.
#[derive(Debug, Default)]
pub struct Flaws(pub Vec<Flaw>);

impl Flaws {
    /// Notes one flaw.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.0.push(Flaw { path: path.into(), text: text.into() });
    }

    /// Demands a number from `min` to `max`, both included. Not-a-number lies outside.
    pub fn range(&mut self, path: impl Into<String>, value: f64, min: f64, max: f64) {
        if !(min..=max).contains(&value) {
            self.add(path, format!("{value} is out of range; write a number from {min} to {max}"));
        }
    }

    /// Demands an ordered range within `min` to `max`.
    pub fn ordered(&mut self, path: &str, low: f64, high: f64, min: f64, max: f64) {
        self.range(path, low, min, max);
        self.range(path, high, min, max);
        if low > high {
            self.add(path, format!("the range runs backwards, from {low} to {high}; swap min and max"));
        }
    }
}

/// Reads text that must say something.
pub(crate) fn not_blank<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Err(serde::de::Error::custom("this text must not be empty; say where the number comes from"));
    }
    Ok(text)
}
