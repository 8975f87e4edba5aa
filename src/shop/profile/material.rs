//! A material that patterns are printed from: a castable resin or a wax-like filament.
//!
//! Process settings are keyed by printer model and layer height: the same resin wants 27 s on one printer and 7 s
//! on the next. There is no setting "of the resin alone", and no default for an entry that is missing.

use serde::{Deserialize, Serialize};

use super::correction::{Correction, check_correction};
use super::printer::WaxPrinter;
use super::{Flaws, Tag, Tagged, TaggedRange, not_blank};
use crate::units::Microns;

/// One material.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaterialProfile {
    /// What people call it.
    #[serde(deserialize_with = "not_blank")]
    pub name: String,
    /// Who makes it.
    #[serde(deserialize_with = "not_blank")]
    pub maker: String,
    /// How it is printed.
    pub kind: MaterialKind,
    /// Mass per volume of the printed pattern, g/cm³; absent if nobody published it.
    pub density_g_per_cm3: Option<Tagged<f64>>,
    /// Narrowest feature that prints and is handled safely, mm. Without it thin features are not looked for on
    /// plates.
    pub feature_mm_min: Option<Tagged<f64>>,
    /// Linear loss of the pattern by printing and curing, percent: `p` of the scale `1 / ((1 - p)(1 - m))`.
    pub shrink_percent: Tagged<f64>,
    /// Layer height that is used if nobody asks for another.
    pub preferred_layer_um: Tagged<Microns>,
    /// What a litre costs, for the estimates; absent, they have no cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_litre: Option<Price>,
    /// What to do with a pattern after the print, as far as it is published.
    #[serde(default)]
    pub after_print: AfterPrint,
    /// Exposures of a resin, one for each printer and layer height.
    #[serde(default)]
    pub exposure: Vec<ExposureEntry>,
    /// Temperatures of a filament, one for each printer.
    #[serde(default)]
    pub extrusion: Vec<ExtrusionEntry>,
}

/// What a litre of a material costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of one litre.
    pub value: f64,
    /// Sign or code, at most 7 bytes: print files have no room for more.
    #[serde(deserialize_with = "not_blank")]
    pub currency: String,
    /// Where this comes from: an invoice, a price list.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

/// How a material is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaterialKind {
    /// Cured by light. Folder `profiles/resins`.
    Resin,
    /// Laid as a strand. Folder `profiles/waxes`.
    Wax,
}

/// Steps between print and tree. What is absent is not published: the shop decides.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AfterPrint {
    /// What to wash in, and how.
    pub wash: Option<Tagged<String>>,
    /// Minutes in the bath.
    pub wash_minutes: Option<TaggedRange<f64>>,
    /// How to dry.
    pub dry: Option<Tagged<String>>,
    /// Whether and how to cure.
    pub cure: Option<Tagged<String>>,
    /// Minutes in the cure unit.
    pub cure_minutes: Option<TaggedRange<f64>>,
}

/// The exposure of one resin on one printer model at one layer height.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExposureEntry {
    /// Stem of the printer's profile.
    pub printer: String,
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
    /// How well this is known.
    pub tag: Tag,
    /// Where this comes from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

/// The temperatures of one filament on one printer model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtrusionEntry {
    /// Stem of the printer's profile.
    pub printer: String,
    /// Lowest layer height that these hold for.
    pub layer_um_min: Microns,
    /// Highest layer height that these hold for.
    pub layer_um_max: Microns,
    /// Nozzle: °C.
    pub nozzle_celsius: f64,
    /// Plate: °C; 0 leaves it cold.
    pub bed_celsius: f64,
    /// Speed while a strand is laid: mm/s; the printer's own limit holds as well.
    pub print_mm_per_s: f64,
    /// How well this is known.
    pub tag: Tag,
    /// Where this comes from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

impl MaterialProfile {
    /// The temperatures for a printer at a layer height.
    #[must_use]
    pub fn extrusion_for(&self, printer: &str, layer: Microns) -> Option<&ExtrusionEntry> {
        let fits = |entry: &&ExtrusionEntry| {
            entry.printer == printer && (entry.layer_um_min..=entry.layer_um_max).contains(&layer)
        };
        self.extrusion.iter().find(fits)
    }

    /// What a filament's settings for a printer ask that the machine may not do: one sentence.
    #[must_use]
    pub fn too_hot_for(&self, printer: &str, limits: &WaxPrinter) -> Option<String> {
        let entries = self.extrusion.iter().filter(|entry| entry.printer == printer);
        let is_too_hot = |entry: &&ExtrusionEntry| {
            entry.nozzle_celsius > limits.nozzle_celsius_max || entry.bed_celsius > limits.bed_celsius_max
        };
        entries.rev().find(is_too_hot).map(|entry| {
            format!(
                "the settings ask for {} °C at the nozzle and {} °C on the plate; printer \"{printer}\" may hold {} and {}",
                entry.nozzle_celsius, entry.bed_celsius, limits.nozzle_celsius_max, limits.bed_celsius_max
            )
        })
    }

    /// Whether there is any setting for a printer.
    #[must_use]
    pub fn knows_printer(&self, printer: &str) -> bool {
        self.exposure.iter().any(|entry| entry.printer == printer)
            || self.extrusion.iter().any(|entry| entry.printer == printer)
    }

    /// What can't be in these numbers.
    #[must_use]
    pub fn check(&self) -> Flaws {
        let mut flaws = Flaws::default();
        if let Some(density) = &self.density_g_per_cm3 {
            flaws.range("density_g_per_cm3.value", density.value, 0.5, 3.0);
        }
        if let Some(width) = &self.feature_mm_min {
            flaws.range("feature_mm_min.value", width.value, 0.01, 5.0);
        }
        if let Some(price) = &self.price_per_litre {
            check_price("price_per_litre", price, &mut flaws);
        }
        flaws.range("shrink_percent.value", self.shrink_percent.value, 0.0, 10.0);
        check_layer("preferred_layer_um.value", self.preferred_layer_um.value, &mut flaws);
        check_settings_fit_the_kind(self, &mut flaws);
        for (i, entry) in self.exposure.iter().enumerate() {
            check_exposure(&format!("exposure.{i}"), entry, &mut flaws);
            let same =
                |other: &ExposureEntry| other.printer == entry.printer && other.layer_um == entry.layer_um;
            if self.exposure.iter().take(i).any(same) {
                let text = format!("a second exposure for {} at {} µm", entry.printer, entry.layer_um.0);
                flaws.add(format!("exposure.{i}.printer"), text);
            }
        }
        for (i, entry) in self.extrusion.iter().enumerate() {
            check_extrusion(&format!("extrusion.{i}"), entry, &mut flaws);
        }
        flaws
    }
}

fn check_settings_fit_the_kind(material: &MaterialProfile, flaws: &mut Flaws) {
    match material.kind {
        MaterialKind::Resin if !material.extrusion.is_empty() => {
            flaws.add("extrusion", "a resin has no extrusion; write [[exposure]]");
        }
        MaterialKind::Wax if !material.exposure.is_empty() => {
            flaws.add("exposure", "a wax has no exposure; write [[extrusion]]");
        }
        MaterialKind::Resin | MaterialKind::Wax => {}
    }
}

/// 500 µm is far above any pattern printer; it catches a height written in nanometres or as 50000.
fn check_layer(path: &str, layer: Microns, flaws: &mut Flaws) {
    flaws.range(path, f64::from(layer.0), 1.0, 500.0);
}

/// A hundred thousand for a litre catches a price of a barrel or of another currency's smallest coin.
pub(crate) fn check_price(path: &str, price: &Price, flaws: &mut Flaws) {
    flaws.range(format!("{path}.value"), price.value, 0.0, 100_000.0);
    if price.currency.len() > 7 {
        flaws.add(format!("{path}.currency"), "print files have room for 7 bytes; write a code like EUR");
    }
}

pub(crate) fn check_exposure(path: &str, entry: &ExposureEntry, flaws: &mut Flaws) {
    check_layer(&format!("{path}.layer_um"), entry.layer_um, flaws);
    // 0.1 s is below any published exposure; 300 s is the highest first-layer time in Prusa's printer profiles.
    flaws.range(format!("{path}.exposure_s"), entry.exposure_s, 0.1, 300.0);
    flaws.range(format!("{path}.bottom_exposure_s"), entry.bottom_exposure_s, 0.1, 300.0);
    if entry.bottom_exposure_s < entry.exposure_s && entry.exposure_s <= 300.0 {
        flaws.add(
            format!("{path}.bottom_exposure_s"),
            "a bottom layer gets less light than a normal one; it won't stick",
        );
    }
    flaws.range(format!("{path}.bottom_layers"), f64::from(entry.bottom_layers), 0.0, 100.0);
    flaws.range(format!("{path}.transition_layers"), f64::from(entry.transition_layers), 0.0, 100.0);
    if let Some(correction) = &entry.correction {
        check_correction(&format!("{path}.correction"), correction, flaws);
    }
}

fn check_extrusion(path: &str, entry: &ExtrusionEntry, flaws: &mut Flaws) {
    let (low, high) = (f64::from(entry.layer_um_min.0), f64::from(entry.layer_um_max.0));
    flaws.ordered(&format!("{path}.layer_um_min"), low, high, 1.0, 500.0);
    flaws.range(format!("{path}.nozzle_celsius"), entry.nozzle_celsius, 40.0, 300.0);
    flaws.range(format!("{path}.bed_celsius"), entry.bed_celsius, 0.0, 120.0);
    flaws.range(format!("{path}.print_mm_per_s"), entry.print_mm_per_s, 0.5, 1_000.0);
}
