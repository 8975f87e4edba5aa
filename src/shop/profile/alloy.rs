//! An alloy that pieces are cast in: what it weighs, how much it shrinks, and how it is poured.

use serde::{Deserialize, Serialize};

use super::{Flaws, Tag, Tagged, TaggedRange, not_blank};

/// One alloy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlloyProfile {
    /// What people call it.
    #[serde(deserialize_with = "not_blank")]
    pub name: String,
    /// The metal that the fineness counts.
    pub metal: Metal,
    /// Parts of that metal in a thousand.
    pub fineness: u16,
    /// Mass per volume: g/cm³.
    pub density_g_per_cm3: Tagged<f64>,
    /// The range of the sources: g/cm³; absent if they agree.
    #[serde(default)]
    pub density_range_g_per_cm3: Option<TaggedRange<f64>>,
    /// Thinner walls are reported: mm; absent if the shop must say.
    #[serde(default)]
    pub wall_mm_min: Option<Tagged<f64>>,
    /// Thinner prongs are reported: mm.
    #[serde(default)]
    pub prong_mm_min: Option<Tagged<f64>>,
    /// Thinner wires are reported: mm.
    #[serde(default)]
    pub wire_mm_min: Option<Tagged<f64>>,
    /// Linear loss of the metal when it turns solid, percent: `m` of the scale `1 / ((1 - p)(1 - m))`.
    pub shrink_percent: Tagged<f64>,
    /// Where all of it is molten: °C; absent if the supplier must say.
    pub liquidus_celsius: Option<Tagged<f64>>,
    /// Metal at the pour: °C; absent if the supplier must say.
    pub pour_celsius: Option<TaggedRange<f64>>,
    /// Flask at the pour, one for each thickness of section; empty if nothing is published.
    #[serde(default)]
    pub flask: Vec<FlaskBand>,
    /// Minutes from pour to quench; absent if the shop must say.
    pub quench_minutes: Option<TaggedRange<f64>>,
    /// Highest share of used metal in a charge: percent.
    pub scrap_percent_max: Option<Tagged<f64>>,
    /// What the alloy forbids or demands.
    pub rules: AlloyRules,
}

/// The metal that a fineness counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metal {
    /// Silver.
    Silver,
    /// Gold.
    Gold,
    /// Platinum.
    Platinum,
    /// Palladium.
    Palladium,
}

/// The flask at the pour for one thickness of section.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlaskBand {
    /// The section that it is for, in the source's words.
    #[serde(deserialize_with = "not_blank")]
    pub section: String,
    /// Coolest flask: °C.
    pub celsius_min: f64,
    /// Hottest flask: °C.
    pub celsius_max: f64,
    /// How well this is known.
    pub tag: Tag,
    /// Where this comes from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

/// What an alloy forbids or demands. All are written out: silence is no answer here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlloyRules {
    /// Nickel: such pieces need a release test where they touch skin.
    pub contains_ni: bool,
    /// Poured too hot for plaster-bonded investment.
    pub refuses_gypsum: bool,
    /// Used metal must not be melted again.
    pub never_remelt: bool,
    /// Must be quenched fast, so stones can't be cast in place.
    pub needs_fast_quench: bool,
    /// Where these come from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

impl AlloyProfile {
    /// What can't be in these numbers.
    #[must_use]
    pub fn check(&self) -> Flaws {
        let mut flaws = Flaws::default();
        flaws.range("fineness", f64::from(self.fineness), 1.0, 1_000.0);
        flaws.range("density_g_per_cm3.value", self.density_g_per_cm3.value, 5.0, 23.0);
        if let Some(range) = &self.density_range_g_per_cm3 {
            flaws.ordered("density_range_g_per_cm3.min", range.min, range.max, 5.0, 23.0);
        }
        for (key, limit) in [
            ("wall_mm_min.value", &self.wall_mm_min),
            ("prong_mm_min.value", &self.prong_mm_min),
            ("wire_mm_min.value", &self.wire_mm_min),
        ] {
            if let Some(limit) = limit {
                flaws.range(key, limit.value, 0.1, 5.0);
            }
        }
        flaws.range("shrink_percent.value", self.shrink_percent.value, 0.0, 10.0);
        if let Some(liquidus) = &self.liquidus_celsius {
            flaws.range("liquidus_celsius.value", liquidus.value, 500.0, 2_200.0);
        }
        if let Some(pour) = &self.pour_celsius {
            flaws.ordered("pour_celsius.min", pour.min, pour.max, 500.0, 2_300.0);
        }
        for (i, band) in self.flask.iter().enumerate() {
            flaws.ordered(
                &format!("flask.{i}.celsius_min"),
                band.celsius_min,
                band.celsius_max,
                20.0,
                1_200.0,
            );
        }
        if let Some(quench) = &self.quench_minutes {
            flaws.ordered("quench_minutes.min", quench.min, quench.max, 0.0, 120.0);
        }
        if let Some(scrap) = &self.scrap_percent_max {
            flaws.range("scrap_percent_max.value", scrap.value, 0.0, 100.0);
        }
        flaws
    }
}
