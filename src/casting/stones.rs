//! What a stone weighs by its measures.

use crate::units::Millimeters;

/// A mass of stones in thousandths of a carat: whole, so that parcels balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MilliCarats(pub i64);

/// Round brilliant, thin to medium girdle: `ct = D² * depth * 0.0061` (`casting-domain.md` 6.2).
const ROUND_BRILLIANT: f64 = 0.0061;

/// Estimated weight of a round brilliant diamond.
#[must_use]
pub fn round_brilliant(diameter: Millimeters, depth: Millimeters) -> MilliCarats {
    milli_carats(diameter.0 * diameter.0 * depth.0 * ROUND_BRILLIANT)
}

/// The quick form for a diameter alone, at usual proportions: `ct = (D / 6.5)³`.
#[must_use]
pub fn round_brilliant_by_diameter(diameter: Millimeters) -> MilliCarats {
    milli_carats((diameter.0 / 6.5).powi(3))
}

fn milli_carats(carats: f64) -> MilliCarats {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and not-a-number becomes 0")]
    MilliCarats((carats * 1000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diamonds_weigh_what_the_trade_tables_say() {
        assert_eq!(round_brilliant(Millimeters(6.5), Millimeters(4.0)), MilliCarats(1_031)); // V12
        for (diameter, milli_carats) in [(1.0, 4), (1.5, 12), (2.0, 29), (2.5, 57), (4.0, 233), (6.5, 1_000)]
        {
            assert_eq!(round_brilliant_by_diameter(Millimeters(diameter)), MilliCarats(milli_carats));
        }
    }
}
