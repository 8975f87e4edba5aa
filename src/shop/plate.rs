//! A build plate: parts arranged for one print.

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::ids::{PieceId, PlateId};
use crate::shop::design::Sha256Hex;
use crate::units::{Microns, Span, Timestamp};

/// Parts arranged for one print. Never changed: another arrangement is another plate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plate {
    /// Our id.
    pub id: PlateId,
    /// Five characters without look-alikes, for the label and the file on the printer.
    pub label: String,
    /// Stem of the printer's profile; any station with it can print the plate.
    pub printer: String,
    /// Stem of the resin's or wax's profile.
    pub material: String,
    /// Stem of the routing that all its pieces share.
    pub routing: String,
    /// Layer height.
    pub layer: Microns,
    /// Where each piece lies.
    pub placements: Vec<Placement>,
    /// When it was composed.
    pub composed_at: Timestamp,
    /// How long the print should take.
    pub print_estimate: Span,
    /// How it stands.
    pub state: PlateState,
}

/// One piece on a plate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// The piece.
    pub piece: PieceId,
    /// Its design.
    pub design: Sha256Hex,
    /// Linear factors along x, y and z of the printer.
    pub scale: [f64; 3],
    /// Which shrinkages they make up for, with their sources, or who has scaled already.
    pub scale_origin: String,
    /// Turned about z by so many thousandths of a degree, counter-clockwise seen from above.
    #[serde(alias = "quarter_turn", deserialize_with = "turn")]
    pub turn_mdeg: i32,
    /// Lowest corner of its footprint from the plate's corner.
    pub x: Microns,
    /// Lowest corner of its footprint from the plate's corner.
    pub y: Microns,
}

/// Plates of the first version only say whether it is a quarter turn.
fn turn<'de, D: serde::Deserializer<'de>>(from: D) -> Result<i32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Turn {
        Quarter(bool),
        Millidegrees(i32),
    }
    Ok(match Turn::deserialize(from)? {
        Turn::Quarter(is_turned) => i32::from(is_turned) * 90_000,
        Turn::Millidegrees(turn) => turn,
    })
}

/// How a plate stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PlateState {
    /// Arranged; not sliced.
    Composed,
    /// The printer's file exists and was read back.
    Sliced(SlicedFile),
    /// Taken apart before it was printed; its pieces went elsewhere.
    Dissolved {
        /// Why.
        reason: String,
    },
}

impl PlateState {
    /// The word that is stored and shown.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            PlateState::Composed => "composed",
            PlateState::Sliced(_) => "sliced",
            PlateState::Dissolved { .. } => "dissolved",
        }
    }
}

/// The printer's file of a plate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlicedFile {
    /// The blob.
    pub sha256: Sha256Hex,
    /// Its size.
    pub bytes: u64,
    /// `goo`, `sl1`, `gcode`.
    pub format: String,
    /// Layers.
    pub layers: u32,
    /// How long the print takes by the profile's motion.
    pub print_time: Span,
    /// Resin or wax, ml.
    pub volume_ml: f64,
    /// Its weight, g; absent if nobody published the material's density.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<f64>,
    /// What it costs; absent if the shop gave no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// What a person should look at before the print.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// Money.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// How much.
    pub amount: f64,
    /// Of what: a sign or a code.
    pub currency: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placements_of_the_first_version_are_read() {
        let old = r#"{"piece":"pce_00000000-0000-7000-8000-000000000000","design":"00","scale":[1,1,1],
            "scale_origin":"none","quarter_turn":true,"x":1,"y":2}"#;
        let old: serde_json::Value = serde_json::from_str(old).unwrap();
        let mut new = old.clone();
        new["turn_mdeg"] = 15_000.into();
        new.as_object_mut().unwrap().remove("quarter_turn");

        let turn = |value: serde_json::Value| serde_json::from_value::<Placement>(value).unwrap().turn_mdeg;
        assert_eq!((turn(old), turn(new)), (90_000, 15_000));
    }
}
