//! What a design weighs in metal, and how sure that is.

use serde::{Deserialize, Serialize};

use crate::mesh::MeshReport;

/// How much an alloy weighs: g/cm3, with the range of its sources.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Density {
    /// The lowest published.
    pub low: f64,
    /// The one that is calculated with.
    pub value: f64,
    /// The highest published.
    pub high: f64,
}

/// Metal of one piece, mm3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetalVolume {
    /// The least that it can be.
    pub low_mm3: f64,
    /// What was measured.
    pub mm3: f64,
    /// The most that it can be.
    pub high_mm3: f64,
}

/// Grams of metal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Weight {
    /// With the lowest density and volume.
    pub low_g: f64,
    /// What is expected; nothing while it is open whether stones of the file are metal.
    pub g: Option<f64>,
    /// With the highest density and volume.
    pub high_g: f64,
}

/// Rounding of corners to single precision, as part of the volume.
const EXACT_PART: f64 = 1.0e-5;
/// What lies in two bodies is counted by columns, which is right within this part (`geometry.md` section 12).
const OVERLAP_PART: f64 = 0.001;
/// A surface that was made new or filled is right within this part (`geometry.md` section 12).
const REMADE_PART: f64 = 0.015;

impl MetalVolume {
    /// The metal of a checked design, with the error of how it was measured; bodies that look like stones are
    /// in its upper bound, not in its lower one.
    #[must_use]
    pub fn of(report: &MeshReport) -> Self {
        let mm3 = report.volume_mm3.max(0.0);
        let is_remade = report
            .repairs
            .iter()
            .any(|repair| matches!(repair.code.as_str(), "REMESHED" | "EDGE_OPEN" | "HOLE_FILLED"));
        let is_exact = (report.volume_mm3 - report.signed_volume_mm3).abs() <= EXACT_PART * mm3;
        let part = if is_remade {
            REMADE_PART
        } else if is_exact {
            EXACT_PART
        } else {
            OVERLAP_PART
        };
        let stones: f64 = report.stones.iter().map(|stone| stone.volume_mm3).sum();
        Self { low_mm3: (mm3 * (1.0 - part) - stones).max(0.0), mm3, high_mm3: mm3 * (1.0 + part) }
    }
}

/// The weight of a checked design in an alloy, before finishing.
#[must_use]
pub fn weight(report: &MeshReport, density: Density) -> Weight {
    let volume = MetalVolume::of(report);
    let grams = |mm3: f64, g_per_cm3: f64| mm3 / 1000.0 * g_per_cm3;
    Weight {
        low_g: grams(volume.low_mm3, density.low),
        g: report.stones.is_empty().then(|| grams(volume.mm3, density.value)),
        high_g: grams(volume.high_mm3, density.high),
    }
}
