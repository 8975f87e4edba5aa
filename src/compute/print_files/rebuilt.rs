//! Heights and exposures of a job, found again in the layers of a file.

use super::{Exposure, ExposureRange, LayerFacts};
use crate::slice::{HeightRange, Heights};
use crate::units::Microns;

/// Heights whose tops are those of the layers, and whether they are so exactly: jobs count whole micrometres.
/// Layers that don't go up in whole micrometres give layers of `nominal_um` all the way.
pub(super) fn heights(nominal_um: f64, layers: &[LayerFacts]) -> (Heights, bool) {
    let nominal = whole_um(nominal_um).filter(|nominal| nominal.0 > 0);
    let first = layers.first().and_then(|layer| whole_um(layer.z_um)).filter(|first| first.0 > 0);
    let base = nominal.or(first).unwrap_or(Microns(1));
    let found = ranges(base, layers).and_then(|ranges| Heights::with_ranges(base, &ranges).ok());
    let exact = found.is_some() && (nominal.is_some() || layers.is_empty());
    (found.unwrap_or_else(|| Heights::uniform(base)), exact)
}

/// A range for each change of thickness; `None` if a layer does not lie above the one before.
fn ranges(base: Microns, layers: &[LayerFacts]) -> Option<Vec<HeightRange>> {
    let (mut bottom, mut thickness) = (Microns(0), base);
    let mut ranges = Vec::new();
    for layer in layers {
        let top = whole_um(layer.z_um)?;
        let layer = Microns(top.0.checked_sub(bottom.0).filter(|&thick| thick > 0)?);
        if layer != thickness {
            ranges.push(HeightRange { from: bottom, layer });
            thickness = layer;
        }
        bottom = top;
    }
    Some(ranges)
}

/// A number of micrometres that is whole but for what single precision loses.
#[expect(clippy::cast_possible_truncation, reason = "looked at before")]
fn whole_um(um: f64) -> Option<Microns> {
    let whole = um.round();
    let fits = (um - whole).abs() < 0.05 && whole.abs() < f64::from(i32::MAX);
    fits.then(|| Microns(whole as i32))
}

/// The stated exposures with what single layers differ in, and whether that says all: layers that fade and
/// differ from the stated fading are not said.
pub(super) fn exposure(stated: Exposure, heights: &Heights, layers: &[LayerFacts]) -> (Exposure, bool) {
    let fading = stated.bottom_layers.saturating_add(stated.transition_layers);
    let mut found = stated;
    let mut last_s = found.normal_s;
    for (index, layer) in (0_u32..).zip(layers) {
        if index >= fading && !same(layer.exposure_s, last_s) {
            found.ranges.push(ExposureRange { from: heights.bottom(index), exposure_s: layer.exposure_s });
            last_s = layer.exposure_s;
        }
    }
    let exact = (0_u32..).zip(layers).all(|(index, layer)| same(layer.exposure_s, of_layer_s(&found, heights, index)));
    (found, exact)
}

/// As [`super::Job::exposure_s`].
fn of_layer_s(exposure: &Exposure, heights: &Heights, index: u32) -> f64 {
    if index < exposure.bottom_layers {
        return exposure.bottom_s;
    }
    let normal_s = exposure.normal_at_s(heights.bottom(index));
    let step = f64::from(index - exposure.bottom_layers) + 1.0;
    let steps = f64::from(exposure.transition_layers) + 1.0;
    if step >= steps { normal_s } else { exposure.bottom_s + (normal_s - exposure.bottom_s) * step / steps }
}

/// Within what single precision loses.
fn same(one_s: f64, other_s: f64) -> bool {
    (one_s - other_s).abs() <= 1e-5 * one_s.abs().max(1.0)
}
