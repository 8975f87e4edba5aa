//! How many patterns to print so that one good casting is likely enough.

/// A share between 0 and 1, both left out: a yield, a risk.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// A share; nothing for 0, 1, and what lies outside.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        (value > 0.0 && value < 1.0).then_some(Self(value))
    }
}

/// More spares than this are no plan but a process that is out of hand; somebody must look at it.
const PATTERNS_MAX: u32 = 10;

/// Patterns to print for one piece: `ceil(ln(risk) / ln(1 - y1 * y2))`, at least 1.
///
/// `risk` is what the shop accepts of having none left: the price of a late piece decides it. Nothing is returned
/// where even ten would not do.
#[must_use]
pub fn patterns_for_one(print_yield: Share, cast_yield: Share, risk: Share) -> Option<u32> {
    let one_fails = 1.0 - print_yield.0 * cast_yield.0;
    (1..=PATTERNS_MAX).find(|&patterns| {
        one_fails.powi(i32::try_from(patterns).unwrap_or(i32::MAX)) <= risk.0 * (1.0 + 1e-9)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(value: f64) -> Share {
        Share::new(value).unwrap()
    }

    #[test]
    fn a_sound_process_needs_no_spare_and_a_shaky_one_two() {
        assert_eq!(patterns_for_one(share(0.97), share(0.98), share(0.05)), Some(1));
        assert_eq!(patterns_for_one(share(0.90), share(0.90), share(0.05)), Some(2));
        assert_eq!(patterns_for_one(share(0.70), share(0.80), share(0.05)), Some(4));
    }

    #[test]
    fn the_number_is_that_of_the_formula() {
        for (print, cast, risk) in [(0.9, 0.8, 0.01), (0.6, 0.9, 0.1), (0.95, 0.95, 0.001)] {
            let formula = (f64::ln(risk) / f64::ln(1.0 - print * cast)).ceil();
            assert_eq!(
                patterns_for_one(share(print), share(cast), share(risk)).map(f64::from),
                Some(formula)
            );
        }
    }

    #[test]
    fn a_process_that_hardly_works_is_not_planned_around() {
        assert_eq!(patterns_for_one(share(0.2), share(0.5), share(0.01)), None);
        assert!(Share::new(0.0).is_none() && Share::new(1.0).is_none() && Share::new(f64::NAN).is_none());
    }
}
