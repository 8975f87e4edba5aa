//! A burnout program: how a kiln brings flasks up, burns the patterns out and comes down to the casting
//! temperature.

use serde::{Deserialize, Serialize};

use super::{Flaws, Tag, not_blank};

/// One burnout program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BurnoutProfile {
    /// What people call it.
    #[serde(deserialize_with = "not_blank")]
    pub name: String,
    /// The investment that it is for.
    pub investment: InvestmentKind,
    /// The flask that the source names, in its words; larger flasks need a longer program.
    #[serde(deserialize_with = "not_blank")]
    pub flask: String,
    /// How well this is known.
    pub tag: Tag,
    /// Where this comes from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
    /// The steps, first to last: `[[step]]`.
    pub step: Vec<BurnoutStep>,
}

/// What holds an investment together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvestmentKind {
    /// Plaster. Never above 788 °C.
    Gypsum,
    /// Phosphate or another binder for hot metals.
    Phosphate,
}

/// One step: go to a temperature, then stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BurnoutStep {
    /// How fast: °C per hour; absent means as fast as the kiln and the flasks follow.
    pub ramp_celsius_per_h: Option<f64>,
    /// Where to.
    pub target: BurnoutTarget,
    /// How long to stay: minutes.
    pub hold_minutes: f64,
}

/// Where a step goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BurnoutTarget {
    /// A fixed temperature, `target.celsius = 732`.
    Celsius(f64),
    /// What is read from elsewhere, `target.from = "casting"`.
    From(BurnoutTargetFrom),
}

/// Where the temperature of a step is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BurnoutTargetFrom {
    /// The flask temperature at which the tree is cast.
    Casting,
}

impl BurnoutProfile {
    /// The sum of all holds in minutes; ramps come on top where the source gives none.
    #[must_use]
    pub fn hold_minutes(&self) -> f64 {
        self.step.iter().map(|step| step.hold_minutes).sum()
    }

    /// What can't be in this program.
    #[must_use]
    pub fn check(&self) -> Flaws {
        // Stuller's burnout checklist: a plaster-bonded flask is never taken above 788 °C (1450 °F).
        let ceiling = match self.investment {
            InvestmentKind::Gypsum => 788.0,
            InvestmentKind::Phosphate => 1_200.0,
        };
        let mut flaws = Flaws::default();
        if self.step.is_empty() {
            flaws.add("step", "a program without a step; write at least one [[step]]");
        }
        for (i, step) in self.step.iter().enumerate() {
            if let BurnoutTarget::Celsius(celsius) = step.target {
                flaws.range(format!("step.{i}.target.celsius"), celsius, 20.0, ceiling);
            }
            if let Some(ramp) = step.ramp_celsius_per_h {
                flaws.range(format!("step.{i}.ramp_celsius_per_h"), ramp, 1.0, 2_000.0);
            }
            flaws.range(format!("step.{i}.hold_minutes"), step.hold_minutes, 0.0, 72.0 * 60.0);
        }
        flaws
    }
}
