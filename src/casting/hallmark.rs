//! Whether a piece needs a hallmark before it is sold in the United Kingdom.

use crate::shop::profile::alloy::Metal;
use crate::units::Milligrams;

/// From this mass of the alloy on a piece must be marked (AnchorCert, and the notes of the UK Assay Offices). One
/// leaflet says "over", the training text "less than is exempt"; the limit itself is taken as not exempt.
#[must_use]
pub fn from_mass(metal: Metal) -> Milligrams {
    match metal {
        Metal::Gold | Metal::Palladium => Milligrams(1_000),
        Metal::Silver => Milligrams(7_780),
        Metal::Platinum => Milligrams(500),
    }
}

/// Whether a piece of this mass must be hallmarked. A lighter one must still be as fine as it is called.
#[must_use]
pub fn is_due(metal: Metal, mass: Milligrams) -> bool {
    mass >= from_mass(metal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_not_exempt() {
        // V13
        for (metal, exempt, marked) in [
            (Metal::Gold, 990, 1_000),
            (Metal::Silver, 7_770, 7_780),
            (Metal::Platinum, 499, 500),
            (Metal::Palladium, 999, 1_000),
        ] {
            assert!(!is_due(metal, Milligrams(exempt)));
            assert!(is_due(metal, Milligrams(marked)));
        }
    }
}
