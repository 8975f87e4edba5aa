//! What pixels get instead of their coverage: measured corrections of a resin on a printer.
//!
//! Resin does not answer to light in proportion: below some grey nothing hardens, and light spreads sideways
//! under the surface. Both are measured per material and printer; without a measurement pixels keep their
//! coverage.

use super::{Layer, RunList};
use crate::units::Microns;

/// The value that is written for each coverage. Dark stays dark, and more coverage never gets less light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grey {
    written: [u8; 256],
}

/// Why a curve can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GreyError {
    /// The first point is not coverage 1, or the last one is not 255.
    #[error("a grey curve has to run from coverage 1 to coverage 255; add the point that is missing")]
    Ends,
    /// A point lies before or below the one before it.
    #[error("point {place} of the grey curve does not rise; sort the points, and never lower the light")]
    Falls {
        /// Which point, counted from 0.
        place: usize,
    },
}

impl Grey {
    /// Coverage as it is.
    #[must_use]
    pub fn identity() -> Self {
        let mut written = [0; 256];
        (0..=u8::MAX).zip(&mut written).for_each(|(coverage, written)| *written = coverage);
        Self { written }
    }

    /// Straight lines through points of coverage and written value, from coverage 1 to coverage 255.
    ///
    /// `[(1, 90), (255, 255)]` is a floor of 90.
    ///
    /// # Errors
    /// If a point is missing at an end, or the curve falls.
    pub fn through(points: &[(u8, u8)]) -> Result<Self, GreyError> {
        let ends = (points.first().map(|point| point.0), points.last().map(|point| point.0));
        if ends != (Some(1), Some(255)) {
            return Err(GreyError::Ends);
        }
        let mut written = [0; 256];
        for (place, pair) in points.windows(2).enumerate() {
            let (low, high) = (pair[0], pair[1]);
            if high.0 <= low.0 || high.1 < low.1 {
                return Err(GreyError::Falls { place: place + 1 });
            }
            for coverage in low.0..=high.0 {
                written[usize::from(coverage)] = between(low, high, coverage);
            }
        }
        Ok(Self { written })
    }

    /// Whether coverage stays as it is.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        *self == Self::identity()
    }

    /// What is written for a coverage.
    #[must_use]
    pub fn of(&self, coverage: u8) -> u8 {
        self.written[usize::from(coverage)]
    }

    /// The layer with other values; its area stays that of the section.
    pub(super) fn apply(&self, layer: &Layer) -> Layer {
        let mut out = RunList::new();
        layer.runs.iter().for_each(|run| out.push(self.of(run.value), run.length));
        with_area_of(layer, out)
    }
}

/// A border of weaker light along the outline, against light that spreads beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bloom {
    /// Width of the border, inwards from the outline.
    pub margin: Microns,
    /// Light in it, where full coverage would be 255.
    pub grey: u8,
}

impl Bloom {
    /// Lays the border over a layer; `inner` is the same layer without the border's width.
    pub(super) fn apply(&self, layer: &Layer, inner: &Layer) -> Layer {
        let mut out = RunList::new();
        let mut outer_runs = layer.runs.iter().copied();
        let mut inner_runs = inner.runs.iter().copied();
        let (mut outer, mut core) = (outer_runs.next(), inner_runs.next());
        while let (Some(a), Some(b)) = (outer.as_mut(), core.as_mut()) {
            let length = a.length.min(b.length);
            out.push(self.mixed(a.value, b.value), length);
            a.length -= length;
            b.length -= length;
            if a.length == 0 {
                outer = outer_runs.next();
            }
            if b.length == 0 {
                core = inner_runs.next();
            }
        }
        with_area_of(layer, out)
    }

    /// Full light for the inner coverage, weaker light for what the border covers.
    fn mixed(&self, outer: u8, inner: u8) -> u8 {
        let border = u32::from(outer.saturating_sub(inner));
        let light = u32::from(inner.min(outer)) + (border * u32::from(self.grey) + 127) / 255;
        u8::try_from(light).unwrap_or(u8::MAX)
    }
}

fn with_area_of(layer: &Layer, out: RunList) -> Layer {
    let mut shaped = out.finish(layer.index, 0.0, layer.open_rows);
    shaped.area_mm2 = layer.area_mm2;
    shaped
}

/// The straight line between two points, rounded to nearest.
fn between(low: (u8, u8), high: (u8, u8), coverage: u8) -> u8 {
    let [x0, y0, x1, y1, x] = [low.0, low.1, high.0, high.1, coverage].map(u32::from);
    let (run, rise) = (x1 - x0, y1 - y0);
    u8::try_from(y0 + (rise * (x - x0) * 2 + run) / (2 * run)).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Bloom, Grey, GreyError};
    use crate::slice::{Layer, Run, RunList};
    use crate::units::Microns;

    fn layer(runs: &[(u8, u32)]) -> Layer {
        let mut out = RunList::new();
        runs.iter().for_each(|&(value, length)| out.push(value, length));
        out.finish(7, 0.01, 0)
    }

    fn runs(layer: &Layer) -> Vec<(u8, u32)> {
        layer.runs.iter().map(|&Run { value, length }| (value, length)).collect()
    }

    #[test]
    fn a_floor_lifts_every_lit_pixel_and_leaves_the_dark_dark() {
        let floor = Grey::through(&[(1, 90), (255, 255)]).unwrap();

        assert_eq!([0, 1, 128, 255].map(|coverage| floor.of(coverage)), [0, 90, 173, 255]);
        assert!((1..255).all(|coverage| floor.of(coverage) <= floor.of(coverage + 1)));
    }

    #[test]
    fn a_straight_curve_changes_nothing() {
        assert!(Grey::through(&[(1, 1), (255, 255)]).unwrap().is_identity());
        assert!(!Grey::through(&[(1, 2), (255, 255)]).unwrap().is_identity());
    }

    #[test]
    fn curves_that_fall_or_end_early_are_refused() {
        assert_eq!(Grey::through(&[(1, 9), (254, 255)]), Err(GreyError::Ends));
        assert_eq!(Grey::through(&[]), Err(GreyError::Ends));
        assert_eq!(Grey::through(&[(1, 9), (50, 8), (255, 255)]), Err(GreyError::Falls { place: 1 }));
        assert_eq!(Grey::through(&[(1, 9), (1, 10), (255, 255)]), Err(GreyError::Falls { place: 1 }));
    }

    #[test]
    fn a_curve_changes_values_and_neither_pixels_nor_area() {
        let before = layer(&[(0, 10), (40, 1), (41, 1), (255, 8)]);

        let after = Grey::through(&[(1, 100), (41, 100), (255, 255)]).unwrap().apply(&before);

        assert_eq!(runs(&after), [(0, 10), (100, 2), (255, 8)]);
        assert_eq!((after.index, after.area_mm2.to_bits()), (7, before.area_mm2.to_bits()));
        assert_eq!((after.lit_px, after.light), (10, 200 + 8 * 255));
    }

    #[test]
    fn a_border_gets_weaker_light_and_the_inside_full_light() {
        let bloom = Bloom { margin: Microns(20), grey: 102 };
        let (section, inner) =
            (layer(&[(0, 2), (128, 1), (255, 6), (0, 1)]), layer(&[(0, 4), (128, 1), (255, 2), (0, 3)]));

        let shaped = bloom.apply(&section, &inner);

        assert_eq!(runs(&shaped), [(0, 2), (51, 1), (102, 1), (179, 1), (255, 2), (102, 2), (0, 1)]);
        assert_eq!(shaped.area_mm2.to_bits(), section.area_mm2.to_bits());
    }
}
