//! The metal that a tree needs: reckoned from the meshes, and checked against the weighed tree.

use crate::finding::Finding;
use crate::units::{CubicMillimeters, Density, Milligrams};

/// Two ways to the same number may differ by this much before somebody looks (`casting-domain.md` 2.2: warn above 5 %).
const DISAGREE_PERCENT: f64 = 5.0;
/// Above this share of pieces in the charge the feeding is weak (Stuller: button and tree at least as heavy as the
/// pieces, so half; `casting-domain.md` 5.1 warns above 60 %).
const YIELD_PERCENT_MAX: f64 = 60.0;
/// Below this share most of the metal only makes sprues (`casting-domain.md` 5.1).
const YIELD_PERCENT_MIN: f64 = 25.0;

/// Volumes of a tree, as it will be in metal before it shrinks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreeVolume {
    /// Of all patterns: nominal volume times the cube of the scale.
    pub pieces: CubicMillimeters,
    /// Of sprues and trunk.
    pub feeders: CubicMillimeters,
}

/// What goes into the crucible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Metal that becomes pieces.
    pub pieces: Milligrams,
    /// Metal that becomes sprues and trunk.
    pub feeders: Milligrams,
    /// Metal that stays in the button.
    pub button: Milligrams,
}

impl Charge {
    /// The charge of a tree, from its volumes.
    #[must_use]
    pub fn from_volume(tree: TreeVolume, alloy: Density, button: Milligrams) -> Self {
        Self { pieces: alloy.mass(tree.pieces), feeders: alloy.mass(tree.feeders), button }
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> Milligrams {
        Milligrams(self.pieces.0 + self.feeders.0 + self.button.0)
    }

    /// Share of the charge that becomes pieces, percent; nothing for an empty charge.
    #[must_use]
    pub fn yield_percent(&self) -> Option<f64> {
        self.pieces.percent_of(self.total())
    }

    /// What a caster should look at before melting: yield, crucible, and the weighed tree if there is one.
    #[must_use]
    pub fn check(&self, crucible: Option<Milligrams>, weighed: Option<Milligrams>) -> Vec<Finding> {
        let place = "charge";
        let mut findings = Vec::new();
        if let Some(limit) = crucible.filter(|limit| self.total() > *limit) {
            let text = format!(
                "the charge of {} is more than the crucible holds, {limit}; take pieces off the tree or use a larger \
                 crucible",
                self.total()
            );
            findings.push(Finding::error("CRUCIBLE_TOO_SMALL", place, text));
        }
        match self.yield_percent() {
            Some(share) if share > YIELD_PERCENT_MAX => {
                let text = format!(
                    "{share:.0} % of the charge are pieces; above {YIELD_PERCENT_MAX} % the feeding is weak: thicken \
                     sprues or add to the button"
                );
                findings.push(Finding::warning("FEEDING_WEAK", place, text));
            }
            Some(share) if share < YIELD_PERCENT_MIN => {
                let text = format!(
                    "only {share:.0} % of the charge are pieces; below {YIELD_PERCENT_MIN} % put more pieces on the tree"
                );
                findings.push(Finding::warning("FEEDING_WASTEFUL", place, text));
            }
            Some(_) | None => {}
        }
        findings.extend(weighed.and_then(|weighed| self.disagreement(weighed)));
        findings
    }

    /// Whether the metal that the weighed tree asks for differs from the reckoned one.
    fn disagreement(&self, weighed: Milligrams) -> Option<Finding> {
        let reckoned = Milligrams(self.pieces.0 + self.feeders.0);
        let off = Milligrams(weighed.0 - reckoned.0).percent_of(reckoned)?;
        (off.abs() > DISAGREE_PERCENT).then(|| {
            let text = format!(
                "the weighed tree asks for {weighed} of metal, the meshes for {reckoned} ({off:+.1} %); weigh again, \
                 and check pieces, base mass and the pattern's density"
            );
            Finding::warning("CHARGE_DISAGREES", "charge", text)
        })
    }
}

/// The metal that fills the space of a weighed pattern: equal volumes.
///
/// `base` is the rubber base that was weighed with the tree.
#[must_use]
pub fn metal_of_pattern(
    weighed: Milligrams,
    base: Milligrams,
    pattern: Density,
    alloy: Density,
) -> Milligrams {
    let volume = pattern.volume(Milligrams((weighed.0 - base.0).max(0)));
    alloy.mass(volume)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;

    const STERLING: Density = Density(10.36);

    #[test]
    fn a_weighed_pattern_gives_the_metal_of_the_trade_tables() {
        // V7, V8: factors of tables that take wax as 1 g/cm3. V9: resin at 1.10 needs less, not more.
        for (pattern, alloy, grams) in
            [(1.0, 13.5, 74.25), (1.0, 10.5, 57.75), (1.0, 15.2, 83.6), (1.10, 10.36, 51.8)]
        {
            let metal = metal_of_pattern(Milligrams(5_500), Milligrams(0), Density(pattern), Density(alloy));
            assert!((metal.grams() - grams).abs() < 0.01, "{metal} against {grams}");
        }
    }

    #[test]
    fn the_base_is_no_pattern() {
        let metal = metal_of_pattern(Milligrams(45_500), Milligrams(40_000), Density(1.10), STERLING);
        assert!((metal.grams() - 51.8).abs() < 0.01);
        assert_eq!(metal_of_pattern(Milligrams(1), Milligrams(2), Density(1.1), STERLING), Milligrams(0));
    }

    fn charge(pieces: f64, feeders: f64, button: i64) -> Charge {
        let volume = TreeVolume { pieces: CubicMillimeters(pieces), feeders: CubicMillimeters(feeders) };
        Charge::from_volume(volume, STERLING, Milligrams(button))
    }

    #[test]
    fn a_charge_over_the_crucible_is_an_error_and_odd_yields_are_warnings() {
        let good = charge(2_000.0, 1_500.0, 10_000);
        assert_eq!(good.total(), Milligrams(20_720 + 15_540 + 10_000));
        assert!(good.check(Some(Milligrams(80_000)), Some(Milligrams(36_300))).is_empty());
        let codes = |charge: Charge, crucible| {
            charge
                .check(Some(Milligrams(crucible)), None)
                .iter()
                .map(|f| (f.code.clone(), f.severity))
                .collect::<Vec<_>>()
        };
        assert_eq!(codes(good, 40_000), [("CRUCIBLE_TOO_SMALL".into(), Severity::Error)]);
        assert_eq!(
            codes(charge(4_000.0, 500.0, 5_000), 80_000),
            [("FEEDING_WEAK".into(), Severity::Warning)]
        );
        assert_eq!(
            codes(charge(500.0, 3_000.0, 5_000), 80_000),
            [("FEEDING_WASTEFUL".into(), Severity::Warning)]
        );
    }

    #[test]
    fn scale_and_meshes_that_differ_by_more_than_five_percent_are_named() {
        let charge = charge(2_000.0, 1_500.0, 10_000);
        let off = |weighed| charge.check(None, Some(Milligrams(weighed))).len();
        assert_eq!((off(36_260), off(38_000), off(38_100), off(34_400)), (0, 0, 1, 1));
    }
}
