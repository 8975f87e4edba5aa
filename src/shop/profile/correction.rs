//! What was measured together with an exposure, beyond the times: how the picture, the rests and single heights
//! have to differ so that the cured part is the drawn one.
//!
//! Everything here is optional and nothing has a default: without an entry a section is shown as it is.

use serde::{Deserialize, Serialize};

use super::{Flaws, not_blank};
use crate::units::Microns;

/// Corrections of one material on one printer at one layer height: `[exposure.correction]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Growth of every section on each side; below zero it shrinks. `xy_um`.
    #[serde(rename = "xy_um", default, skip_serializing_if = "Option::is_none")]
    pub xy: Option<Microns>,
    /// Shrinkage of the first layers, falling to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elephant_foot: Option<ElephantFoot>,
    /// Walls and gaps that would end up thinner than this keep their size. `thinnest_um`.
    #[serde(rename = "thinnest_um", default, skip_serializing_if = "Option::is_none")]
    pub thinnest: Option<Microns>,
    /// Written values for coverages, straight lines between; from coverage 1 to coverage 255.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grey: Vec<GreyPoint>,
    /// Weaker light along outlines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bloom: Option<BloomBorder>,
    /// The lamp stays dark at least this long between two exposures, moves included: s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub light_off_s: Option<f64>,
    /// Rests that hold for this material instead of the printer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rest>,
    /// Other exposures, and other layer heights, from some heights on; lowest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub range: Vec<HeightEntry>,
    /// Where these come from: what was measured, when, on which lot.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

impl Correction {
    /// Nothing to correct, to add to.
    #[must_use]
    pub fn none(source: &str) -> Self {
        Self {
            xy: None,
            elephant_foot: None,
            thinnest: None,
            grey: Vec::new(),
            bloom: None,
            light_off_s: None,
            rest: None,
            range: Vec::new(),
            source: source.to_owned(),
        }
    }
}

/// Shrinkage of the first layers on each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElephantFoot {
    /// Of the first layer.
    pub inward_um: Microns,
    /// Over this many layers it falls in even steps to nothing.
    pub layers: u32,
}

/// One point of a grey curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GreyPoint {
    /// Covered share of a pixel, 1 to 255.
    pub coverage: u8,
    /// What is written for it.
    pub value: u8,
}

/// A border inside the outline with weaker light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BloomBorder {
    /// Its width.
    pub margin_um: Microns,
    /// Its light, where full light is 255.
    pub grey: u8,
}

/// Rests of a layer, named as the printer's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    /// After the cure: s.
    pub before_lift_s: f64,
    /// At the top: s.
    pub after_lift_s: f64,
    /// Before the next cure: s.
    pub after_retract_s: f64,
}

/// From a height on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeightEntry {
    /// Holds for layers whose bottom is here or higher.
    pub from_um: Microns,
    /// Exposure of normal layers: s.
    pub exposure_s: f64,
    /// Layer height; without it as below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer_um: Option<Microns>,
}

// The limits are of what such a number can be, not of a process: they catch a slipped decimal point or a wrong unit.

/// What can't be in these numbers.
pub(crate) fn check_correction(path: &str, correction: &Correction, flaws: &mut Flaws) {
    let mut um = |key: &str, value: Option<Microns>, min: f64, max: f64| {
        if let Some(value) = value {
            flaws.range(format!("{path}.{key}"), f64::from(value.0), min, max);
        }
    };
    um("xy_um", correction.xy, -500.0, 500.0);
    um("thinnest_um", correction.thinnest, 0.0, 1_000.0);
    um("elephant_foot.inward_um", correction.elephant_foot.map(|foot| foot.inward_um), 0.0, 500.0);
    um("bloom.margin_um", correction.bloom.map(|bloom| bloom.margin_um), 1.0, 500.0);
    if let Some(foot) = correction.elephant_foot {
        flaws.range(format!("{path}.elephant_foot.layers"), f64::from(foot.layers), 1.0, 200.0);
    }
    let mut seconds = |key: &str, value: f64| flaws.range(format!("{path}.{key}"), value, 0.0, 120.0);
    seconds("light_off_s", correction.light_off_s.unwrap_or(0.0));
    if let Some(rest) = correction.rest {
        seconds("rest.before_lift_s", rest.before_lift_s);
        seconds("rest.after_lift_s", rest.after_lift_s);
        seconds("rest.after_retract_s", rest.after_retract_s);
    }
    check_grey(&format!("{path}.grey"), &correction.grey, flaws);
    check_ranges(&format!("{path}.range"), &correction.range, flaws);
}

fn check_grey(path: &str, grey: &[GreyPoint], flaws: &mut Flaws) {
    let (Some(first), Some(last)) = (grey.first(), grey.last()) else { return };
    if (first.coverage, last.coverage) != (1, 255) {
        flaws.add(path, "a grey curve runs from coverage 1 to coverage 255; add the point that is missing");
    }
    let falls = |pair: &[GreyPoint]| pair[1].coverage <= pair[0].coverage || pair[1].value < pair[0].value;
    if let Some(place) = grey.windows(2).position(falls) {
        let text = format!("point {} does not rise; sort the points, and never lower the light", place + 1);
        flaws.add(path, text);
    }
}

fn check_ranges(path: &str, ranges: &[HeightEntry], flaws: &mut Flaws) {
    let mut below = None;
    for (i, range) in ranges.iter().enumerate() {
        flaws.range(format!("{path}.{i}.from_um"), f64::from(range.from_um.0), 0.0, 2_000_000.0);
        flaws.range(format!("{path}.{i}.exposure_s"), range.exposure_s, 0.1, 300.0);
        if let Some(layer) = range.layer_um {
            flaws.range(format!("{path}.{i}.layer_um"), f64::from(layer.0), 1.0, 500.0);
        }
        if below.is_some_and(|below| range.from_um <= below) {
            flaws.add(
                format!("{path}.{i}.from_um"),
                "it does not lie above the range before; sort them by height",
            );
        }
        below = Some(range.from_um);
    }
}
