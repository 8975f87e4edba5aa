//! Everything that a print file says besides its pictures.

use serde::{Deserialize, Serialize};

use crate::slice::{Display, Heights};
use crate::units::Microns;

/// One print, as any format can tell it.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The printer.
    pub machine: Machine,
    /// Its mask.
    pub display: Display,
    /// Where the layers lie.
    pub heights: Heights,
    /// Exposure times.
    pub exposure: Exposure,
    /// What happens between exposures.
    pub separation: Separation,
    /// Lamp power.
    pub light: Light,
    /// Anti-aliasing level that files state; 1 for none. Information for people: no board acts on it.
    pub anti_aliasing: u16,
    /// The resin.
    pub resin: Resin,
    /// Who wrote the file, and when.
    pub origin: Origin,
    /// Names that only `.sl1` files carry.
    pub sl1: Option<Sl1Names>,
}

/// The printer, by the names its firmware compares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Machine name; many boards refuse a file with another one.
    pub name: String,
    /// Printer type, e.g. `DLP` or the family.
    pub kind: String,
    /// Build volume x, y, z, mm.
    pub build_mm: [f64; 3],
}

/// Exposure times of the layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    /// Normal layers, s.
    pub normal_s: f64,
    /// Bottom layers, s.
    pub bottom_s: f64,
    /// How many layers get the bottom time.
    pub bottom_layers: u32,
    /// Over how many layers the time falls in even steps to the normal one.
    pub transition_layers: u32,
    /// Other times from some heights on, lowest first; empty if there are none.
    pub ranges: Vec<ExposureRange>,
}

/// From this height on, another exposure of normal layers: thinner layers, or a part that needs it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExposureRange {
    /// Holds for layers whose bottom is here or higher, up to the next range.
    pub from: Microns,
    /// Exposure, s.
    pub exposure_s: f64,
}

impl Exposure {
    /// Exposure of a normal layer whose bottom is at this height, s.
    #[must_use]
    pub fn normal_at_s(&self, bottom: Microns) -> f64 {
        let range = self.ranges.iter().rev().find(|range| range.from <= bottom);
        range.map_or(self.normal_s, |range| range.exposure_s)
    }
}

/// What happens between two exposures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separation {
    /// The platform lifts and comes back; the file carries the moves.
    Lift {
        /// Bottom layers.
        bottom: LayerMotion,
        /// All other layers.
        normal: LayerMotion,
    },
    /// The vat tilts; the moves are the printer's own and only their time is known.
    Tilt {
        /// Seconds for a layer with little area.
        fast_s: f64,
        /// Seconds for a layer with much area.
        slow_s: f64,
        /// From this share of the display on (0 to 1) a layer is slow.
        slow_from_fill: f64,
    },
    /// Not known: the job comes from a file that says nothing about motion. Times count exposures only.
    Untold,
}

/// One move of the platform.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// Way, mm; 0 for a stage that is not used.
    pub mm: f64,
    /// Speed, mm/min.
    pub mm_per_min: f64,
}

impl Move {
    /// How long it takes, s; acceleration is not known and left out.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        if self.mm > 0.0 && self.mm_per_min > 0.0 { self.mm / self.mm_per_min * 60.0 } else { 0.0 }
    }
}

/// The moves and rests of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LayerMotion {
    /// First, slow stage of the lift.
    pub lift: Move,
    /// Second stage.
    pub lift_second: Move,
    /// First stage of the way back.
    pub retract: Move,
    /// Second stage.
    pub retract_second: Move,
    /// Rests.
    pub waits: Waits,
}

impl LayerMotion {
    /// Moves and rests of one layer, s.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        let moves = [self.lift, self.lift_second, self.retract, self.retract_second];
        let waits = self.waits.before_lift_s + self.waits.after_lift_s + self.waits.after_retract_s;
        moves.iter().map(Move::seconds).sum::<f64>() + waits
    }
}

/// Rests of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Waits {
    /// After the cure, before the lift, s.
    pub before_lift_s: f64,
    /// At the top, s.
    pub after_lift_s: f64,
    /// Before the next cure, s.
    pub after_retract_s: f64,
}

/// Lamp power, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Light {
    /// Bottom layers.
    pub bottom_pwm: u8,
    /// All other layers.
    pub pwm: u8,
}

/// The resin, as files name and price it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resin {
    /// Name.
    pub name: String,
    /// g/ml, if known: without it files say 0 g.
    pub density_g_per_ml: Option<f64>,
    /// Price of 1 ml, if the shop wants it in files: without it files say 0.
    pub price_per_ml: Option<f64>,
    /// Currency sign, at most 7 bytes.
    pub currency: String,
}

/// Who wrote the file, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Program.
    pub software: String,
    /// Its version.
    pub version: String,
    /// Seconds since 1970 UTC; an argument, so that files are reproducible.
    pub written_at_s: i64,
}

/// Names that the firmware and host programs of `.sl1` printers compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sl1Names {
    /// `jobDir`: stem of the layer names; letters, digits, `-` and `_`.
    pub job: String,
    /// `printerModel`: `SL1`, `SL1S`, `M1`.
    pub printer_model: String,
    /// `printerVariant`.
    pub printer_variant: String,
    /// `printerProfile`.
    pub printer_profile: String,
    /// `printProfile`.
    pub print_profile: String,
    /// `expUserProfile`: 0 fast, 1 slow, 2 high viscosity.
    pub user_profile: u8,
}

impl Job {
    /// Exposure of a layer, s: bottom, then even steps down (or up), then normal at the layer's height.
    #[must_use]
    pub fn exposure_s(&self, index: u32) -> f64 {
        let exposure = &self.exposure;
        if index < exposure.bottom_layers {
            return exposure.bottom_s;
        }
        let normal_s = exposure.normal_at_s(self.heights.bottom(index));
        let step = f64::from(index - exposure.bottom_layers) + 1.0;
        let steps = f64::from(exposure.transition_layers) + 1.0;
        if step >= steps {
            return normal_s;
        }
        exposure.bottom_s + (normal_s - exposure.bottom_s) * step / steps
    }

    /// Whether layers differ in thickness or exposure in ways that bottom, transition and normal values can't tell.
    #[must_use]
    pub fn layers_differ(&self) -> bool {
        !self.heights.is_uniform() || !self.exposure.ranges.is_empty()
    }

    /// Time of one layer, s: exposure, moves, rests. `fill` is the lit share of the display.
    #[must_use]
    pub fn layer_s(&self, index: u32, fill: f64) -> f64 {
        let between = match &self.separation {
            Separation::Lift { bottom, .. } if index < self.exposure.bottom_layers => bottom.seconds(),
            Separation::Lift { normal, .. } => normal.seconds(),
            Separation::Tilt { fast_s, slow_s, slow_from_fill } => {
                if fill >= *slow_from_fill {
                    *slow_s
                } else {
                    *fast_s
                }
            }
            Separation::Untold => 0.0,
        };
        self.exposure_s(index) + between
    }
}
