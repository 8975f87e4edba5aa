//! What a print file tells, as a [`Job`] for another format, and what it keeps silent about.

use super::{Exposure, ExposureRange, Job, LayerFacts};
use crate::slice::{HeightRange, Heights};
use crate::units::Microns;

/// Fields that some format can't tell, by the names that people read.
pub(super) mod field {
    pub(in crate::print_files) const MACHINE: &str = "machine name";
    pub(in crate::print_files) const KIND: &str = "machine kind";
    pub(in crate::print_files) const BUILD_HEIGHT: &str = "build height";
    pub(in crate::print_files) const SEPARATION: &str = "lift and retract moves";
    pub(in crate::print_files) const LAYER_MOTION: &str = "moves of single layers";
    pub(in crate::print_files) const LIGHT_OFF: &str = "light-off time";
    pub(in crate::print_files) const PAUSES: &str = "pauses";
    pub(in crate::print_files) const LIGHT: &str = "lamp power";
    pub(in crate::print_files) const ANTI_ALIASING: &str = "anti-aliasing level";
    pub(in crate::print_files) const HEIGHTS: &str = "heights of single layers";
    pub(in crate::print_files) const EXPOSURES: &str = "exposures of single layers";
    pub(in crate::print_files) const RESIN: &str = "resin name";
    pub(in crate::print_files) const DENSITY: &str = "resin density";
    pub(in crate::print_files) const PRICE: &str = "resin price";
    pub(in crate::print_files) const CURRENCY: &str = "currency";
    pub(in crate::print_files) const SOFTWARE: &str = "writing program";
    pub(in crate::print_files) const WRITTEN_AT: &str = "time of writing";
    pub(in crate::print_files) const SL1_NAMES: &str = "profile names of .sl1 printers";
}

/// All that a file says, ready for another format.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What the file says. A field of `untold` holds nothing that may be printed with: it is empty, zero or, for
    /// the lamp, the printer's full power.
    pub job: Job,
    /// Fields that the file is silent about, by name, each once.
    pub untold: Vec<&'static str>,
}

impl Told {
    /// The job with `heights` and the exposures of single layers made to agree with what the layers say;
    /// what whole micrometres and ranges can't express is untold.
    pub(super) fn of(mut job: Job, mut untold: Vec<&'static str>, layers: &[LayerFacts]) -> Self {
        match heights_of(&job.heights, layers) {
            Some(heights) => job.heights = heights,
            None => untold.push(field::HEIGHTS),
        }
        job.exposure.ranges = ranges_of(&job.exposure, &job.heights, layers);
        let agrees = |(index, layer): (u32, &LayerFacts)| same(job.exposure_s(index), layer.exposure_s);
        if !(0_u32..).zip(layers).all(agrees) {
            untold.push(field::EXPOSURES);
        }
        Self { job, untold }
    }
}

/// Files keep seconds in single precision or with a few digits.
fn same(one_s: f64, other_s: f64) -> bool {
    (one_s - other_s).abs() <= 1e-3_f64.max(one_s.abs() * 1e-6)
}

/// Whole micrometres; `None` beyond the numbers that heights can have.
#[must_use]
pub(super) fn microns(um: f64) -> Option<Microns> {
    let rounded = um.round();
    #[expect(clippy::cast_possible_truncation, reason = "held against the range of i32")]
    let whole = (rounded.abs() < f64::from(i32::MAX)).then_some(rounded as i32);
    whole.map(Microns)
}

/// Layers of one thickness as a file states it; a thickness that is none makes [`Heights::valid`] false.
#[must_use]
pub(super) fn uniform(layer_um: f64) -> Heights {
    Heights::uniform(microns(layer_um).unwrap_or(Microns(0)))
}

/// Heights that put every layer where it says; `None` if a layer does not lie on the one below by whole
/// micrometres.
fn heights_of(nominal: &Heights, layers: &[LayerFacts]) -> Option<Heights> {
    let mut ranges: Vec<HeightRange> = Vec::new();
    let (mut from, mut thickness) = (Microns(0), nominal.nominal());
    for layer in layers {
        let top = microns(layer.z_um).filter(|top| (f64::from(top.0) - layer.z_um).abs() < 0.1)?;
        let own = Microns(top.0.checked_sub(from.0)?);
        if own.0 <= 0 {
            return None;
        }
        if own != thickness {
            ranges.push(HeightRange { from, layer: own });
            thickness = own;
        }
        from = top;
    }
    Heights::with_ranges(nominal.nominal(), &ranges).ok()
}

/// Where the exposure of layers above the transition changes.
fn ranges_of(exposure: &Exposure, heights: &Heights, layers: &[LayerFacts]) -> Vec<ExposureRange> {
    let mut ranges = Vec::new();
    let mut current_s = exposure.normal_s;
    let first = exposure.bottom_layers.saturating_add(exposure.transition_layers);
    for (index, layer) in (0_u32..).zip(layers).filter(|(index, _)| *index >= first) {
        if !same(current_s, layer.exposure_s) {
            current_s = layer.exposure_s;
            ranges.push(ExposureRange { from: heights.bottom(index), exposure_s: current_s });
        }
    }
    ranges
}
