//! The cost of a way to stand, term by term, with the words that explain it.

use serde::{Deserialize, Serialize};

use super::layers::Amounts;
use super::{Settings, ZoneMap};

/// The name of the term of contacts that may not be.
pub(super) const FORBIDDEN: &str = "refused contacts";

/// What one unit of each amount costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Each island that begins on nothing.
    pub island: f64,
    /// Each area that hangs on too little.
    pub weak_island: f64,
    /// Each mm² of overhang, times the weight of its zone.
    pub overhang: f64,
    /// Each mm² of contact, times the weight of its zone.
    pub contact: f64,
    /// Each contact on a protected place or out of reach.
    pub forbidden: f64,
    /// The square of the part by which the largest layer is above what peels without trouble.
    pub peel: f64,
    /// Each cup that sucks at the film.
    pub cup: f64,
    /// Each mm of height.
    pub height: f64,
    /// Each mm³ of supports.
    pub support: f64,
}

impl Weights {
    /// Assumptions that no shop has calibrated yet: an island is 20 mm of height, a cup 3 islands, and nothing
    /// is worth a contact on a seat.
    pub const ASSUMED: Weights = Weights {
        island: 3.0,
        weak_island: 0.5,
        overhang: 0.6,
        contact: 2.0,
        forbidden: 1000.0,
        peel: 4.0,
        cup: 10.0,
        height: 0.15,
        support: 0.02,
    };
}

/// One part of the cost: `cost = weight x amount`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// What is counted, lower case.
    pub name: String,
    /// How much there is of it, in `unit`.
    pub amount: f64,
    /// The unit of `amount`; empty for counts.
    pub unit: String,
    /// What one unit costs.
    pub weight: f64,
    /// What it adds to the total.
    pub cost: f64,
    /// Why it costs, for a technician.
    pub text: String,
}

/// The cost of a way to stand; lower is better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The sum of the costs of all terms.
    pub total: f64,
    /// Every term, those of cost 0 too, always in the same order.
    pub terms: Vec<Term>,
}

impl Score {
    pub(super) fn of(amounts: &Amounts, zones: &ZoneMap, settings: &Settings) -> Self {
        let weights = &settings.weights;
        let mut terms = vec![
            count(
                "islands",
                amounts.islands,
                weights.island,
                "begin on nothing; each needs a support of its own",
            ),
            count(
                "weak islands",
                amounts.weak_islands,
                weights.weak_island,
                "hang on too little and may tear off",
            ),
        ];
        for (class, (overhang, contact)) in
            zones.classes.iter().zip(amounts.overhang_mm2.iter().zip(&amounts.contact_mm2))
        {
            let text = format!("{overhang:.1} mm² on {} do not carry themselves", class.name);
            let name = format!("overhang on {}", class.name);
            terms.push(term(name, *overhang, "mm²", weights.overhang * class.weight, text));
            let text = format!("supports touch {contact:.2} mm² of {}, to be cleaned by hand", class.name);
            let name = format!("contact on {}", class.name);
            terms.push(term(name, *contact, "mm²", weights.contact * class.weight, text));
        }
        let refused = "would be needed on a protected place or can't be reached";
        terms.push(count(FORBIDDEN, amounts.forbidden, weights.forbidden, refused));
        terms.push(peel(amounts.layer_mm2_max, settings));
        terms.push(count(
            "cups",
            amounts.cups,
            weights.cup,
            "suck at the film while printing and need a vent",
        ));
        let text = format!("{:.1} mm high; layers take the time", amounts.height_mm);
        terms.push(term("height".to_owned(), amounts.height_mm, "mm", weights.height, text));
        let text = format!("{:.0} mm³ of supports", amounts.support_mm3);
        terms.push(term("supports".to_owned(), amounts.support_mm3, "mm³", weights.support, text));
        Self { total: terms.iter().map(|term| term.cost).sum(), terms }
    }

    /// The terms that cost most, as one sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut costly: Vec<&Term> = self.terms.iter().filter(|term| term.cost > 0.0).collect();
        costly.sort_by(|a, b| b.cost.total_cmp(&a.cost));
        let parts: Vec<String> =
            costly.iter().take(4).map(|term| format!("{} ({:.1})", term.text, term.cost)).collect();
        format!("cost {:.1}: {}", self.total, parts.join("; "))
    }
}

fn peel(largest_mm2: f64, settings: &Settings) -> Term {
    let beyond = (largest_mm2 / settings.peel_mm2 - 1.0).max(0.0);
    let text = format!(
        "the largest layer is {largest_mm2:.0} mm², {:.0} mm² peel without trouble",
        settings.peel_mm2
    );
    let amount = beyond * beyond;
    term("largest layer".to_owned(), amount, "excess share squared", settings.weights.peel, text)
}

fn count(name: &str, amount: u32, weight: f64, text: &str) -> Term {
    term(name.to_owned(), f64::from(amount), "", weight, format!("{amount} {name} {text}"))
}

fn term(name: String, amount: f64, unit: &str, weight: f64, text: String) -> Term {
    Term { name, amount, unit: unit.to_owned(), weight, cost: weight * amount, text }
}
