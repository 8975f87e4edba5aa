//! How parts of a material are held while they are printed: the `[supports]` of a resin's profile.
//!
//! Layer height and pixel are not here: they come from the job and the printer. There is no default: a resin
//! without this section gets no automatic supports.

use serde::{Deserialize, Serialize};

use super::{Flaws, Tagged};

/// Numbers from which supports are made. Lengths and diameters in mm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportProfile {
    /// Faces steeper than this hold themselves, degrees from the horizontal.
    pub self_support_degrees: Tagged<f64>,
    /// What may hang free, measured from the nearest place that is held.
    pub overhang_mm: Tagged<f64>,
    /// Strength of the green resin in tension, MPa.
    pub green_strength_mpa: Tagged<f64>,
    /// Pull of the film on a cured layer, kPa.
    pub peel_kpa: Tagged<f64>,
    /// Tips hold this many times the pull.
    pub safety: Tagged<f64>,
    /// Contact on claws.
    pub tip_fine_mm: Tagged<f64>,
    /// Contact elsewhere.
    pub tip_mm: Tagged<f64>,
    /// Contact near the lowest point.
    pub tip_heavy_mm: Tagged<f64>,
    /// Contacts this far above the lowest point are heavy.
    pub heavy_height_mm: Tagged<f64>,
    /// How deep a tip reaches into the part.
    pub penetration_mm: Tagged<f64>,
    /// Length of the cone between contact and pillar.
    pub cone_mm: Tagged<f64>,
    /// Diameter of a pillar.
    pub pillar_mm: Tagged<f64>,
    /// Diameter of a pillar in narrow places.
    pub pillar_fine_mm: Tagged<f64>,
    /// Diameter of a long pillar.
    pub pillar_long_mm: Tagged<f64>,
    /// From this length on a pillar is long.
    pub long_mm: Tagged<f64>,
    /// Flattest direction of tips and branches, degrees from straight down.
    pub tilt_degrees_max: Tagged<f64>,
    /// Distance that supports keep from the part.
    pub clearance_mm: Tagged<f64>,
    /// Within this distance of its contact a support may come nearer.
    pub near_mm: Tagged<f64>,
    /// Pillars this many times longer than wide are braced.
    pub slenderness_max: Tagged<f64>,
    /// Braces of a pillar lie this far apart in height.
    pub brace_step_mm: Tagged<f64>,
    /// Pillars at most this far apart are braced to each other.
    pub brace_reach_mm: Tagged<f64>,
    /// Diameter of a pillar's foot.
    pub foot_mm: Tagged<f64>,
    /// Height of a pillar's foot.
    pub foot_height_mm: Tagged<f64>,
    /// How far the lowest point of a part is raised above the plate.
    pub raise_mm: Tagged<f64>,
    /// By how much the area of a layer may exceed that of the one below, mm².
    pub jump_mm2_max: Tagged<f64>,
    /// The sheet below all feet; without it each foot stands on the plate.
    pub raft: Option<RaftProfile>,
}

/// The sheet below all feet. Lengths in mm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaftProfile {
    /// Thickness; its edge is cut back by as much.
    pub thickness_mm: Tagged<f64>,
    /// How far it reaches beyond the feet.
    pub margin_mm: Tagged<f64>,
    /// Width of the bars that join what stands apart.
    pub bar_mm: Tagged<f64>,
    /// Height of the letters of a label.
    pub letter_mm: Tagged<f64>,
    /// Width of their strokes.
    pub stroke_mm: Tagged<f64>,
    /// How far they stand out.
    pub relief_mm: Tagged<f64>,
}

impl SupportProfile {
    /// Notes what can't be in these numbers. The ranges are those that supports of jewels can be made with.
    pub(super) fn check(&self, flaws: &mut Flaws) {
        let ranges = [
            ("self_support_degrees", &self.self_support_degrees, 10.0, 80.0),
            ("overhang_mm", &self.overhang_mm, 0.05, 5.0),
            ("green_strength_mpa", &self.green_strength_mpa, 0.1, 200.0),
            ("peel_kpa", &self.peel_kpa, 0.1, 200.0),
            ("safety", &self.safety, 1.0, 100.0),
            ("tip_fine_mm", &self.tip_fine_mm, 0.05, 2.0),
            ("tip_mm", &self.tip_mm, 0.05, 2.0),
            ("tip_heavy_mm", &self.tip_heavy_mm, 0.05, 2.0),
            ("heavy_height_mm", &self.heavy_height_mm, 0.0, 20.0),
            ("penetration_mm", &self.penetration_mm, 0.01, 1.0),
            ("cone_mm", &self.cone_mm, 0.2, 10.0),
            ("pillar_mm", &self.pillar_mm, 0.2, 10.0),
            ("pillar_fine_mm", &self.pillar_fine_mm, 0.2, 10.0),
            ("pillar_long_mm", &self.pillar_long_mm, 0.2, 10.0),
            ("long_mm", &self.long_mm, 1.0, 500.0),
            ("tilt_degrees_max", &self.tilt_degrees_max, 0.0, 60.0),
            ("clearance_mm", &self.clearance_mm, 0.05, 5.0),
            ("near_mm", &self.near_mm, 0.1, 10.0),
            ("slenderness_max", &self.slenderness_max, 1.0, 100.0),
            ("brace_step_mm", &self.brace_step_mm, 1.0, 100.0),
            ("brace_reach_mm", &self.brace_reach_mm, 1.0, 100.0),
            ("foot_mm", &self.foot_mm, 0.2, 20.0),
            ("foot_height_mm", &self.foot_height_mm, 0.1, 10.0),
            ("raise_mm", &self.raise_mm, 0.5, 50.0),
            ("jump_mm2_max", &self.jump_mm2_max, 0.1, 10_000.0),
        ];
        for (name, number, min, max) in ranges {
            flaws.range(format!("supports.{name}.value"), number.value, min, max);
        }
        if let Some(raft) = &self.raft {
            raft.check(flaws);
        }
    }
}

impl RaftProfile {
    fn check(&self, flaws: &mut Flaws) {
        let ranges = [
            ("thickness_mm", &self.thickness_mm, 0.1, 5.0),
            ("margin_mm", &self.margin_mm, 0.0, 20.0),
            ("bar_mm", &self.bar_mm, 0.2, 20.0),
            ("letter_mm", &self.letter_mm, 0.5, 20.0),
            ("stroke_mm", &self.stroke_mm, 0.1, 5.0),
            ("relief_mm", &self.relief_mm, 0.05, 5.0),
        ];
        for (name, number, min, max) in ranges {
            flaws.range(format!("supports.raft.{name}.value"), number.value, min, max);
        }
    }
}
