//! Which exposure a print gets: what the shop entered beats what the profile has, and the answer says which it was.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::correction::{Correction, HeightEntry};
use super::material::MaterialProfile;
use super::{Tag, not_blank};
use crate::units::Microns;

/// An exposure that a named person of the shop entered: `[[exposure]]` in `workshop.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExposureOverride {
    /// Stem of the printer's profile.
    pub printer: String,
    /// Stem of the material's profile.
    pub material: String,
    /// Layer height.
    pub layer_um: Microns,
    /// Exposure of a normal layer: s.
    pub exposure_s: f64,
    /// Exposure of a bottom layer: s.
    pub bottom_exposure_s: f64,
    /// How many bottom layers.
    pub bottom_layers: u32,
    /// Over how many layers the exposure falls from bottom to normal.
    pub transition_layers: u32,
    /// What else was measured with it; absent, sections and rests are as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Correction>,
    /// Who entered it.
    #[serde(deserialize_with = "not_blank")]
    pub by: String,
    /// Where it comes from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

/// The exposure of a print, with where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolvedExposure {
    /// Layer height.
    pub layer_um: Microns,
    /// Exposure of a normal layer: s.
    pub exposure_s: f64,
    /// Exposure of a bottom layer: s.
    pub bottom_exposure_s: f64,
    /// How many bottom layers.
    pub bottom_layers: u32,
    /// Over how many layers the exposure falls from bottom to normal.
    pub transition_layers: u32,
    /// What else was measured with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Box<Correction>>,
    /// Who or what says so, for the passport: one sentence.
    pub origin: String,
}

impl ResolvedExposure {
    /// Adds another exposure from a height on; among ranges from the same height the last one holds.
    pub fn add_range(&mut self, from: Microns, exposure_s: f64, layer: Option<Microns>) {
        let origin = &self.origin;
        let correction = self.correction.get_or_insert_with(|| Box::new(Correction::none(origin)));
        let place = correction.range.partition_point(|range| range.from_um <= from);
        correction.range.insert(place, HeightEntry { from_um: from, exposure_s, layer_um: layer });
    }
}

/// Why a print has no exposure.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExposureError {
    /// Nobody published one and the shop entered none.
    #[error(
        "no exposure is known for material {material} on printer {printer} at {layer_um} µm layers (known: {known}); \
         print a test and enter it as [[exposure]] in workshop.toml"
    )]
    Missing {
        /// Stem of the printer's profile.
        printer: String,
        /// Stem of the material's profile.
        material: String,
        /// Layer height asked for.
        layer_um: i32,
        /// What is there instead.
        known: String,
    },
    /// There is one, but it is a guess.
    #[error(
        "the exposure for material {material} on printer {printer} at {layer_um} µm layers is a draft (tag {tag}); \
         print a test and enter it as [[exposure]] in workshop.toml"
    )]
    Draft {
        /// Stem of the printer's profile.
        printer: String,
        /// Stem of the material's profile.
        material: String,
        /// Layer height asked for.
        layer_um: i32,
        /// The tag that makes it a draft.
        tag: &'static str,
    },
}

impl ExposureError {
    /// The stable code of the finding that this becomes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ExposureError::Missing { .. } => "EXPOSURE_MISSING",
            ExposureError::Draft { .. } => "EXPOSURE_DRAFT",
        }
    }
}

/// Finds the exposure of a material on a printer at a layer height.
///
/// The shop's own entries are looked at first, the last one of equal ones wins; then the material's profile.
/// Nothing is interpolated between layer heights and nothing is taken from another printer.
///
/// # Errors
/// `Missing` names the entry that is not there; `Draft` if the profile's entry is a guess.
pub fn resolve_exposure(
    printer: &str,
    material: (&str, &MaterialProfile),
    layer: Microns,
    overrides: &[ExposureOverride],
) -> Result<ResolvedExposure, ExposureError> {
    let (stem, profile) = material;
    let is_asked = |entry: &&ExposureOverride| {
        entry.printer == printer && entry.material == stem && entry.layer_um == layer
    };
    if let Some(own) = overrides.iter().rev().find(is_asked) {
        return Ok(from_shop(own));
    }
    let entry = profile.exposure.iter().find(|entry| entry.printer == printer && entry.layer_um == layer);
    let Some(entry) = entry else {
        return Err(ExposureError::Missing {
            printer: printer.to_owned(),
            material: stem.to_owned(),
            layer_um: layer.0,
            known: known_entries(profile),
        });
    };
    if entry.tag.is_draft() {
        return Err(ExposureError::Draft {
            printer: printer.to_owned(),
            material: stem.to_owned(),
            layer_um: layer.0,
            tag: entry.tag.letter(),
        });
    }
    Ok(ResolvedExposure {
        layer_um: layer,
        exposure_s: entry.exposure_s,
        bottom_exposure_s: entry.bottom_exposure_s,
        bottom_layers: entry.bottom_layers,
        transition_layers: entry.transition_layers,
        correction: entry.correction.clone().map(Box::new),
        origin: origin_of_profile(stem, entry.tag, &entry.source),
    })
}

fn from_shop(own: &ExposureOverride) -> ResolvedExposure {
    ResolvedExposure {
        layer_um: own.layer_um,
        exposure_s: own.exposure_s,
        bottom_exposure_s: own.bottom_exposure_s,
        bottom_layers: own.bottom_layers,
        transition_layers: own.transition_layers,
        correction: own.correction.clone().map(Box::new),
        origin: format!("entered for this workshop by {}: {}", own.by, own.source),
    }
}

fn origin_of_profile(stem: &str, tag: Tag, source: &str) -> String {
    format!("profile {stem}, tag {}: {source}", tag.letter())
}

fn known_entries(profile: &MaterialProfile) -> String {
    let entries: Vec<String> = profile
        .exposure
        .iter()
        .map(|entry| format!("{} at {} µm", entry.printer, entry.layer_um.0))
        .collect();
    if entries.is_empty() { "nothing".to_owned() } else { entries.join(", ") }
}
