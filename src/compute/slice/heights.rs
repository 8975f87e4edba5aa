//! Where the layers of a plate lie: one thickness, or another one from some height on.
//!
//! A plate is a pile of stretches. Within one, all layers are equally thick; heights are whole micrometres, so
//! bottoms, tops and planes are exact numbers and never sums of rounded ones.

use crate::units::Microns;

/// Share of a layer that is rounding, not metal: a part that is higher by less gets no layer for it.
const SLIVER: f64 = 1e-4;

/// From this height on, layers of another thickness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeightRange {
    /// Height above the plate. The change takes place at the first border of two layers that is not below it.
    pub from: Microns,
    /// Thickness of the layers above.
    pub layer: Microns,
}

/// Why layer heights make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeightsError {
    /// A thickness of zero or less.
    #[error("layers of {} µm can't be printed; give a layer height above zero", layer.0)]
    Thickness {
        /// The thickness.
        layer: Microns,
    },
    /// A range starts below the plate.
    #[error("a range of layers starts at {} µm; it has to start above the plate", from.0)]
    Below {
        /// Its start.
        from: Microns,
    },
    /// Ranges out of order, or two with the same start.
    #[error("the range of layers from {} µm does not start above the one before; sort them by height", from.0)]
    Order {
        /// The start of the second one.
        from: Microns,
    },
}

/// Layers of equal thickness, one on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    /// Its first layer.
    first: u32,
    /// Bottom of that layer, µm.
    bottom: i64,
    /// Thickness of each layer, µm.
    layer: i64,
}

impl Stretch {
    fn bottom_of(&self, index: u32) -> i64 {
        self.bottom + i64::from(index - self.first) * self.layer
    }

    #[expect(clippy::cast_precision_loss, reason = "micrometres of a plate are far below 2^53")]
    fn plane_mm(&self, index: u32) -> f64 {
        (2 * self.bottom_of(index) + self.layer) as f64 / 2000.0
    }
}

/// Bottoms, tops and planes of all layers. Layers have no end: how many a plate needs is [`Heights::count`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heights {
    nominal: Microns,
    /// At least one; the first starts at the plate with layer 0.
    stretches: Vec<Stretch>,
}

impl Heights {
    /// Layers of one thickness. One of zero or less makes [`Heights::valid`] false.
    #[must_use]
    pub fn uniform(layer: Microns) -> Self {
        let stretch = Stretch { first: 0, bottom: 0, layer: i64::from(layer.0) };
        Self { nominal: layer, stretches: vec![stretch] }
    }

    /// Layers of `base`, and of other thicknesses from the heights of `ranges` on.
    ///
    /// # Errors
    /// If a thickness is not above zero, or `ranges` don't rise from the plate on.
    pub fn with_ranges(base: Microns, ranges: &[HeightRange]) -> Result<Self, HeightsError> {
        positive(base)?;
        let mut heights = Self::uniform(base);
        let mut last = None;
        for range in ranges {
            positive(range.layer)?;
            if range.from.0 < 0 {
                return Err(HeightsError::Below { from: range.from });
            }
            if last.is_some_and(|last: Microns| range.from <= last) {
                return Err(HeightsError::Order { from: range.from });
            }
            last = Some(range.from);
            heights.change(*range);
        }
        Ok(heights)
    }

    /// Thickness that files state for the whole print.
    #[must_use]
    pub fn nominal(&self) -> Microns {
        self.nominal
    }

    /// Whether every layer has a thickness above zero.
    #[must_use]
    pub fn valid(&self) -> bool {
        self.stretches.iter().all(|stretch| stretch.layer > 0)
    }

    /// Whether all layers have the nominal thickness.
    #[must_use]
    pub fn is_uniform(&self) -> bool {
        self.stretches.iter().all(|stretch| stretch.layer == i64::from(self.nominal.0))
    }

    /// Each thickness with the height above the plate where it begins, lowest first.
    pub fn ranges(&self) -> impl Iterator<Item = HeightRange> + '_ {
        self.stretches
            .iter()
            .map(|stretch| HeightRange { from: microns(stretch.bottom), layer: microns(stretch.layer) })
    }

    /// Lower side of a layer.
    #[must_use]
    pub fn bottom(&self, index: u32) -> Microns {
        microns(self.stretch(index).bottom_of(index))
    }

    /// Upper side of a layer: where the platform stands while it is exposed.
    #[must_use]
    pub fn top(&self, index: u32) -> Microns {
        let stretch = self.stretch(index);
        microns(stretch.bottom_of(index) + stretch.layer)
    }

    /// Thickness of a layer.
    #[must_use]
    pub fn thickness(&self, index: u32) -> Microns {
        microns(self.stretch(index).layer)
    }

    /// Height of the section that a layer shows, the middle of it, mm.
    #[must_use]
    pub fn plane_mm(&self, index: u32) -> f64 {
        self.stretch(index).plane_mm(index)
    }

    /// How many layers a part of this height needs: each layer that it enters by more than a ten-thousandth
    /// of the layer's thickness (`ceil(H / h - 1e-4)` where all are equally thick).
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "micrometres of a plate are far below 2^53; a float saturates at the ends of u64"
    )]
    pub fn count(&self, top_mm: f64) -> u64 {
        let mut count = 0_u64;
        for (place, stretch) in self.stretches.iter().enumerate() {
            let above_mm = top_mm - stretch.bottom as f64 / 1000.0;
            let layers = (above_mm / (stretch.layer as f64 / 1000.0) - SLIVER).ceil().max(0.0) as u64;
            let room = self.stretches.get(place + 1).map(|next| u64::from(next.first - stretch.first));
            count = count.saturating_add(room.map_or(layers, |room| layers.min(room)));
        }
        count
    }

    /// The first layer whose plane is at `z_mm` or above; `u32::MAX` if there is none.
    #[must_use]
    pub fn first_plane_at_or_above(&self, z_mm: f64) -> u32 {
        let stretch = match self.stretches.as_slice() {
            [only] => only,
            all => &all[all.partition_point(|one| one.plane_mm(one.first) < z_mm).saturating_sub(1)],
        };
        #[expect(clippy::cast_precision_loss, reason = "micrometres of a plate are far below 2^53")]
        let guess = ((z_mm * 1000.0 - stretch.bottom as f64) / stretch.layer as f64 - 0.5).ceil();
        let room = f64::from(u32::MAX - stretch.first);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=room")]
        let mut index = stretch.first + guess.clamp(0.0, room) as u32;
        while index > stretch.first && stretch.plane_mm(index - 1) >= z_mm {
            index -= 1;
        }
        while index < u32::MAX && stretch.plane_mm(index) < z_mm {
            index += 1;
        }
        index
    }

    fn change(&mut self, range: HeightRange) {
        let Some(last) = self.stretches.last().copied() else { return };
        let from = i64::from(range.from.0);
        let layers = u32::try_from(rounded_up((from - last.bottom).max(0), last.layer)).unwrap_or(u32::MAX);
        let first = last.first.saturating_add(layers);
        let next = Stretch { first, bottom: last.bottom_of(first), layer: i64::from(range.layer.0) };
        if layers == 0 {
            self.stretches.pop();
        }
        self.stretches.push(next);
    }

    fn stretch(&self, index: u32) -> &Stretch {
        &self.stretches[self.stretches.partition_point(|one| one.first <= index).saturating_sub(1)]
    }
}

/// Division that rounds up, of a number that is not negative.
fn rounded_up(number: i64, divisor: i64) -> i64 {
    (number + divisor - 1) / divisor
}

fn positive(layer: Microns) -> Result<(), HeightsError> {
    if layer.0 > 0 { Ok(()) } else { Err(HeightsError::Thickness { layer }) }
}

fn microns(value: i64) -> Microns {
    Microns(i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX }))
}

#[cfg(test)]
mod tests {
    use super::{HeightRange, Heights, HeightsError};
    use crate::units::Microns;

    fn range(from: i32, layer: i32) -> HeightRange {
        HeightRange { from: Microns(from), layer: Microns(layer) }
    }

    fn mixed() -> Heights {
        Heights::with_ranges(Microns(100), &[range(450, 50), range(600, 25)]).unwrap()
    }

    #[test]
    fn a_range_begins_at_the_first_border_of_layers_that_is_not_below_its_start() {
        let heights = mixed();

        let bottoms: Vec<i32> = (0..9).map(|index| heights.bottom(index).0).collect();

        assert_eq!(bottoms, [0, 100, 200, 300, 400, 500, 550, 600, 625]);
        assert_eq!(heights.thickness(4), Microns(100));
        assert_eq!(heights.thickness(5), Microns(50));
        assert_eq!(heights.nominal(), Microns(100));
        assert!(!heights.is_uniform());
    }

    #[test]
    fn layers_lie_on_each_other_without_gaps_and_show_their_middle() {
        for heights in [mixed(), Heights::uniform(Microns(47))] {
            for index in 0..200 {
                assert_eq!(heights.top(index), heights.bottom(index + 1));
                let middle = f64::from(heights.bottom(index).0 + heights.top(index).0) / 2000.0;
                assert!((heights.plane_mm(index) - middle).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn a_layer_is_counted_if_the_part_enters_it_by_more_than_a_sliver() {
        let heights = mixed();

        for index in 0..50 {
            let bottom_mm = f64::from(heights.bottom(index).0) / 1000.0;
            assert_eq!(heights.count(bottom_mm), u64::from(index), "only touched");
            assert_eq!(heights.count(bottom_mm + 1e-6), u64::from(index), "a sliver");
            assert_eq!(heights.count(bottom_mm + 1e-3), u64::from(index) + 1, "entered");
        }
        assert_eq!(Heights::uniform(Microns(50)).count(10.0), 200);
    }

    #[test]
    fn the_first_plane_above_a_height_is_found_at_every_height() {
        for heights in [mixed(), Heights::uniform(Microns(50))] {
            for micron in -100..2_000 {
                let z_mm = f64::from(micron) / 1000.0;
                let expected = (0..200).find(|&index| heights.plane_mm(index) >= z_mm).unwrap();
                assert_eq!(heights.first_plane_at_or_above(z_mm), expected, "{z_mm} mm");
            }
            for index in 0..60 {
                assert_eq!(heights.first_plane_at_or_above(heights.plane_mm(index)), index);
            }
        }
        assert_eq!(mixed().first_plane_at_or_above(f64::INFINITY), u32::MAX);
    }

    #[test]
    fn a_range_from_the_plate_on_replaces_the_base() {
        let heights = Heights::with_ranges(Microns(50), &[range(0, 25)]).unwrap();

        assert_eq!(heights.top(1), Microns(50));
        assert_eq!(heights.ranges().collect::<Vec<_>>(), [range(0, 25)]);
    }

    #[test]
    fn ranges_that_make_no_sense_are_refused() {
        let refused = |ranges: &[HeightRange]| Heights::with_ranges(Microns(50), ranges).unwrap_err();

        assert_eq!(refused(&[range(100, 0)]), HeightsError::Thickness { layer: Microns(0) });
        assert_eq!(refused(&[range(-1, 50)]), HeightsError::Below { from: Microns(-1) });
        assert_eq!(refused(&[range(100, 50), range(100, 25)]), HeightsError::Order { from: Microns(100) });
    }
}
