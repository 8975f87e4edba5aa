//! A kiln controller model: how it is spoken to.

use serde::{Deserialize, Serialize};

use super::{Flaws, Tag, not_blank};

/// One kiln controller model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KilnProfile {
    /// What people call it.
    #[serde(deserialize_with = "not_blank")]
    pub name: String,
    /// Whose registers it has.
    pub registers: KilnRegisters,
    /// Speeds that its line can have: baud.
    pub baud: Vec<u32>,
    /// Lowest unit number on a line.
    pub unit_min: u8,
    /// Highest unit number on a line.
    pub unit_max: u8,
    /// How well these are known.
    pub tag: Tag,
    /// Where these come from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

/// A register map that a driver knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KilnRegisters {
    /// Eurotherm 2000 series.
    #[serde(rename = "eurotherm-2000")]
    Eurotherm2000,
    /// Delta DTB, sold as Omega CN7500 too.
    DeltaDtb,
}

impl KilnProfile {
    /// What can't be in this profile.
    #[must_use]
    pub fn check(&self) -> Flaws {
        let mut flaws = Flaws::default();
        if self.baud.is_empty() {
            flaws.add("baud", "write at least one speed, for example [9600]");
        }
        // Modbus over serial line 1.02, section 2.2: units 1 to 247. Some controllers take up to 254.
        let units = (f64::from(self.unit_min), f64::from(self.unit_max));
        flaws.ordered("unit_min", units.0, units.1, 1.0, 254.0);
        flaws
    }
}
