//! Flasks that are fired together: whether they may be, by which program, and in which order they are cast.

use std::cmp::Reverse;

use crate::finding::Finding;
use crate::shop::profile::BurnoutProfile;
use crate::shop::profile::burnout::InvestmentKind;
use crate::units::{Celsius, Span};

/// What a kiln has to know of one flask.
#[derive(Debug, Clone, PartialEq)]
pub struct FlaskToFire {
    /// What is scratched into it.
    pub label: String,
    /// Its investment.
    pub investment: InvestmentKind,
    /// What was printed in: patterns of one family burn out alike.
    pub pattern_family: String,
    /// Whether stones are in the patterns.
    pub stones_in_place: bool,
    /// The temperatures at which it may be cast; the shop's own, or the band of the alloy and section.
    pub cast_at: Band,
    /// The program that its size class asks for.
    pub program: String,
}

/// A band of temperatures, both ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// Coolest.
    pub min: Celsius,
    /// Hottest.
    pub max: Celsius,
}

impl Band {
    /// What two bands have in common.
    #[must_use]
    pub fn shared(self, other: Band) -> Option<Band> {
        let (min, max) = (self.min.0.max(other.min.0), self.max.0.min(other.max.0));
        (min <= max).then_some(Band { min: Celsius(min), max: Celsius(max) })
    }
}

/// Flasks of a load that leave the kiln at one setpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct CastingGroup {
    /// Where the kiln is set: the hottest temperature that all of them allow, so that it only ever steps down.
    pub setpoint: Celsius,
    /// How long it must be there before the first flask leaves.
    pub soak: Span,
    /// Their places in the load.
    pub flasks: Vec<usize>,
}

/// Why these flasks may not fire together: every reason, each with the flask that differs from the first.
#[must_use]
pub fn conflicts(load: &[FlaskToFire]) -> Vec<Finding> {
    let Some((first, others)) = load.split_first() else { return Vec::new() };
    let differs = |flask: &FlaskToFire, what: &str, code: &str| {
        let text = format!(
            "flask {} and flask {} differ in {what}; fire them in different loads",
            first.label, flask.label
        );
        Finding::error(code, flask.label.clone(), text)
    };
    let mut findings = Vec::new();
    for flask in others {
        if flask.investment != first.investment {
            findings.push(differs(flask, "their investment", "LOAD_INVESTMENT"));
        }
        if flask.pattern_family != first.pattern_family {
            findings.push(differs(flask, "what their patterns are made of", "LOAD_PATTERN"));
        }
        if flask.stones_in_place != first.stones_in_place {
            findings.push(differs(flask, "stones in place, which stand no high burnout,", "LOAD_STONES"));
        }
    }
    findings
}

/// The program for a load: the longest that any of its flasks asks for; smaller flasks stand a longer one.
#[must_use]
pub fn longest<'a>(programs: impl IntoIterator<Item = (&'a str, &'a BurnoutProfile)>) -> Option<&'a str> {
    programs
        .into_iter()
        .max_by(|a, b| a.1.hold_minutes().total_cmp(&b.1.hold_minutes()).then_with(|| b.0.cmp(a.0)))
        .map(|(stem, _)| stem)
}

/// Orders the flasks of a load for casting: hottest setpoint first, since a kiln that steps down needs one soak for
/// each step, and flasks whose bands meet share a step (Torry Hoover's method, `casting-domain.md` 1.2).
#[must_use]
pub fn casting_order(load: &[FlaskToFire], soak: Span) -> Vec<CastingGroup> {
    let mut hottest_first: Vec<usize> = (0..load.len()).collect();
    hottest_first.sort_by_key(|&place| (Reverse(tenths(load[place].cast_at.max)), place));
    let mut groups: Vec<(Band, Vec<usize>)> = Vec::new();
    for place in hottest_first {
        let band = load[place].cast_at;
        match groups.last_mut().and_then(|(shared, flasks)| Some((shared.shared(band)?, shared, flasks))) {
            Some((narrower, shared, flasks)) => {
                *shared = narrower;
                flasks.push(place);
            }
            None => groups.push((band, vec![place])),
        }
    }
    groups.into_iter().map(|(band, flasks)| CastingGroup { setpoint: band.max, soak, flasks }).collect()
}

/// A temperature that can be sorted; kilns are set to whole degrees.
fn tenths(celsius: Celsius) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates; no kiln is hotter than 3,000 °C")]
    let tenths = (celsius.0 * 10.0).round() as i32;
    tenths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::profile::Tag;
    use crate::shop::profile::burnout::{BurnoutStep, BurnoutTarget};

    fn flask(label: &str, min: f32, max: f32) -> FlaskToFire {
        FlaskToFire {
            label: label.into(),
            investment: InvestmentKind::Gypsum,
            pattern_family: "castable resin".into(),
            stones_in_place: false,
            cast_at: Band { min: Celsius(min), max: Celsius(max) },
            program: "amc-8".into(),
        }
    }

    #[test]
    fn disjoint_bands_share_a_load_but_are_cast_hot_first_with_a_soak_each() {
        // V18
        let load = [flask("A", 427.0, 538.0), flask("B", 593.0, 704.0)];
        assert!(conflicts(&load).is_empty());
        let order = casting_order(&load, Span::minutes(60));
        assert_eq!(order.len(), 2);
        assert_eq!((order[0].flasks.clone(), order[0].setpoint), (vec![1], Celsius(704.0)));
        assert_eq!(
            (order[1].flasks.clone(), order[1].setpoint, order[1].soak),
            (vec![0], Celsius(538.0), Span::minutes(60))
        );
    }

    #[test]
    fn bands_that_meet_share_one_setpoint_that_all_of_them_allow() {
        let load = [flask("A", 480.0, 560.0), flask("B", 500.0, 600.0), flask("C", 427.0, 490.0)];
        let order = casting_order(&load, Span::minutes(60));
        assert_eq!(order.iter().map(|group| group.flasks.clone()).collect::<Vec<_>>(), [vec![1, 0], vec![2]]);
        assert_eq!(order[0].setpoint, Celsius(560.0));
        for group in &order {
            for &place in &group.flasks {
                let band = load[place].cast_at;
                assert!((band.min.0..=band.max.0).contains(&group.setpoint.0));
            }
        }
    }

    #[test]
    fn the_kiln_only_ever_steps_down() {
        let bands = [(400.0, 450.0), (700.0, 720.0), (440.0, 690.0), (500.0, 510.0), (600.0, 705.0)];
        let load: Vec<_> = bands.iter().map(|(min, max)| flask("x", *min, *max)).collect();
        let order = casting_order(&load, Span::minutes(30));
        assert!(order.windows(2).all(|pair| pair[0].setpoint.0 > pair[1].setpoint.0), "{order:?}");
        assert_eq!(order.iter().map(|group| group.flasks.len()).sum::<usize>(), load.len());
    }

    #[test]
    fn a_load_names_every_flask_that_does_not_belong() {
        let mut load = [flask("A", 400.0, 500.0), flask("B", 400.0, 500.0), flask("C", 400.0, 500.0)];
        load[1].investment = InvestmentKind::Phosphate;
        load[2].stones_in_place = true;
        load[2].pattern_family = "wax".into();
        let found: Vec<_> =
            conflicts(&load).into_iter().map(|finding| (finding.place, finding.code)).collect();
        let expected = [("B", "LOAD_INVESTMENT"), ("C", "LOAD_PATTERN"), ("C", "LOAD_STONES")];
        assert_eq!(found, expected.map(|(place, code)| (place.to_owned(), code.to_owned())));
    }

    #[test]
    fn the_longest_program_of_a_load_is_taken() {
        let program = |minutes: &[f64]| BurnoutProfile {
            name: "p".into(),
            investment: InvestmentKind::Gypsum,
            flask: "any".into(),
            tag: Tag::M,
            source: "test".into(),
            step: minutes
                .iter()
                .map(|&hold_minutes| BurnoutStep {
                    ramp_celsius_per_h: None,
                    target: BurnoutTarget::Celsius(700.0),
                    hold_minutes,
                })
                .collect(),
        };
        let (short, long) = (program(&[120.0, 60.0, 120.0, 60.0]), program(&[120.0, 120.0, 180.0, 60.0]));
        assert!((long.hold_minutes() - 480.0).abs() < 1e-9); // V14
        assert_eq!(longest([("amc-6", &short), ("amc-8", &long)]), Some("amc-8"));
        assert_eq!(longest([]), None);
    }
}
