//! What must never be joined: alloy, stones, scrap, investment, and where a piece is worn.

use crate::finding::Finding;
use crate::shop::profile::AlloyProfile;
use crate::shop::profile::burnout::InvestmentKind;
use crate::units::Celsius;

/// From this pour on plaster is refused: it decomposes, and a maker asks for phosphate at 1175 °C
/// (`casting-domain.md` 2.3).
const GYPSUM_POUR_LIMIT: Celsius = Celsius(1_150.0);

/// What is asked for, as far as it is known yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Combination<'a> {
    /// The alloy.
    pub alloy: &'a AlloyProfile,
    /// Whether stones are cast in place.
    pub stones_in_place: bool,
    /// The investment, once it is chosen.
    pub investment: Option<InvestmentKind>,
    /// How hot the metal is poured, once it is known.
    pub pour: Option<Celsius>,
    /// Whether used metal goes into the charge.
    pub scrap: bool,
}

impl Combination<'_> {
    /// Everything that speaks against it. An error is never overridden by default; the person who may, signs for it.
    #[must_use]
    pub fn refusals(&self) -> Vec<Finding> {
        let rules = &self.alloy.rules;
        let name = &self.alloy.name;
        let mut findings = Vec::new();
        if self.stones_in_place && rules.needs_fast_quench {
            let text = format!(
                "{name} must be quenched fast, stones in place must cool in the mould; set the stones after casting or \
                 choose another alloy"
            );
            findings.push(Finding::error("STONES_AND_QUENCH", "stones", text));
        }
        if self.scrap && rules.never_remelt {
            let text = format!("{name} must never be melted again; charge fresh grain only");
            findings.push(Finding::error("NEVER_REMELT", "metal", text));
        }
        if self.investment == Some(InvestmentKind::Gypsum) && self.too_hot_for_gypsum() {
            let text = format!(
                "plaster-bonded investment decomposes at the pour of {name}; use a phosphate-bonded or platinum \
                 investment"
            );
            findings.push(Finding::error("GYPSUM_TOO_HOT", "investment", text));
        }
        findings
    }

    fn too_hot_for_gypsum(&self) -> bool {
        self.alloy.rules.refuses_gypsum || self.pour.is_some_and(|pour| pour.0 >= GYPSUM_POUR_LIMIT.0)
    }
}

/// Where a piece is sold and worn, as far as nickel is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wear {
    /// Shipped to the European Union.
    pub to_eu: bool,
    /// Goes through pierced skin: posts.
    pub through_skin: bool,
}

/// Holds a nickel alloy for the European Union until a release test is on record (REACH XVII, entry 27: 0.5 µg/cm²
/// a week on the skin, less than 0.2 through it).
#[must_use]
pub fn nickel_hold(alloy: &AlloyProfile, wear: Wear, test_reference: Option<&str>) -> Option<Finding> {
    if !alloy.rules.contains_ni || !wear.to_eu || test_reference.is_some_and(|text| !text.trim().is_empty()) {
        return None;
    }
    let limit = if wear.through_skin { "less than 0.2" } else { "at most 0.5" };
    let text = format!(
        "{} contains nickel and goes to the EU: record the reference of a release test ({limit} µg/cm² a week, EN 1811) \
         before it is released",
        alloy.name
    );
    Some(Finding::error("NICKEL_TEST_MISSING", "compliance", text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::profile::alloy::{AlloyRules, Metal};
    use crate::shop::profile::{Tag, Tagged};

    fn alloy(change: impl FnOnce(&mut AlloyRules)) -> AlloyProfile {
        let tagged = |value| Tagged { value, tag: Tag::H, source: "test".into() };
        let mut rules = AlloyRules {
            contains_ni: false,
            refuses_gypsum: false,
            never_remelt: false,
            needs_fast_quench: false,
            source: "test".into(),
        };
        change(&mut rules);
        AlloyProfile {
            name: "test alloy".into(),
            metal: Metal::Gold,
            fineness: 750,
            density_g_per_cm3: tagged(15.5),
            density_range_g_per_cm3: None,
            wall_mm_min: None,
            prong_mm_min: None,
            wire_mm_min: None,
            shrink_percent: tagged(1.25),
            liquidus_celsius: None,
            pour_celsius: None,
            flask: vec![],
            quench_minutes: None,
            scrap_percent_max: None,
            rules,
        }
    }

    fn codes(alloy: &AlloyProfile, change: impl FnOnce(&mut Combination<'_>)) -> Vec<String> {
        let mut asked =
            Combination { alloy, stones_in_place: false, investment: None, pour: None, scrap: false };
        change(&mut asked);
        asked.refusals().into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn palladium_is_never_remelted() {
        let palladium = alloy(|rules| rules.never_remelt = true);
        assert_eq!(codes(&palladium, |asked| asked.scrap = true), ["NEVER_REMELT"]); // V15
        assert!(codes(&palladium, |_| {}).is_empty());
    }

    #[test]
    fn rose_gold_with_stones_in_place_is_refused() {
        let rose = alloy(|rules| rules.needs_fast_quench = true);
        assert_eq!(codes(&rose, |asked| asked.stones_in_place = true), ["STONES_AND_QUENCH"]); // V16
        assert!(codes(&alloy(|_| {}), |asked| asked.stones_in_place = true).is_empty());
    }

    #[test]
    fn gypsum_is_refused_for_a_hot_pour_only() {
        let gold = alloy(|_| {});
        let gypsum_at = |celsius| {
            codes(&gold, |asked| {
                asked.investment = Some(InvestmentKind::Gypsum);
                asked.pour = Some(Celsius(celsius));
            })
        };
        assert_eq!((gypsum_at(1_149.9).len(), gypsum_at(1_150.0).len()), (0, 1));
        let platinum = alloy(|rules| rules.refuses_gypsum = true);
        assert_eq!(
            codes(&platinum, |asked| asked.investment = Some(InvestmentKind::Gypsum)),
            ["GYPSUM_TOO_HOT"]
        );
        assert!(codes(&platinum, |asked| asked.investment = Some(InvestmentKind::Phosphate)).is_empty());
    }

    #[test]
    fn a_nickel_post_for_the_eu_waits_for_its_release_test() {
        let nickel_white = alloy(|rules| rules.contains_ni = true);
        let post = Wear { to_eu: true, through_skin: true };
        let hold = nickel_hold(&nickel_white, post, None).unwrap(); // V17
        assert!(hold.text.contains("less than 0.2"), "{hold}");
        assert_eq!(nickel_hold(&nickel_white, post, Some("EN1811-2026-17")), None);
        assert!(nickel_hold(&nickel_white, post, Some("  ")).is_some());
        assert_eq!(nickel_hold(&nickel_white, Wear { to_eu: false, ..post }, None), None);
        assert_eq!(nickel_hold(&alloy(|_| {}), post, None), None);
    }
}
