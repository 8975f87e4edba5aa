//! A routing: the steps that a piece goes through, in order, and the waits between them.

use serde::{Deserialize, Serialize};

use super::{Flaws, Tag, Tagged, not_blank};

/// One routing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingProfile {
    /// What people call it.
    #[serde(deserialize_with = "not_blank")]
    pub name: String,
    /// The steps, first to last: `[[operation]]`.
    pub operation: Vec<OperationTemplate>,
}

/// One step of a routing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationTemplate {
    /// Short name, used once in a routing: `print`, `wash`.
    pub stage: String,
    /// What the panel calls it.
    #[serde(deserialize_with = "not_blank")]
    pub title: String,
    /// What a station must be able to do.
    pub ability: String,
    /// What goes through it together.
    pub batch: BatchUnit,
    /// Hands-on time at the start: minutes. A planning estimate, never a setpoint.
    pub attended_minutes: Tagged<f64>,
    /// From start to end.
    pub elapsed: Elapsed,
    /// Whether it may go on while nobody is in the shop.
    pub unattended: bool,
    /// How long after the step before this one may start; absent if it doesn't matter or nothing is published.
    pub window: Option<Window>,
    /// What a person must enter to complete it.
    #[serde(default)]
    pub records: Vec<Record>,
    /// What happens to the pieces when it fails.
    pub on_failure: OnFailure,
}

/// What goes through a step together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchUnit {
    /// One build plate.
    Plate,
    /// One tree, later one flask.
    Tree,
    /// One piece.
    Piece,
}

/// How long a step takes from start to end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Elapsed {
    /// A planning estimate: minutes, `elapsed.minutes = { … }`.
    Minutes(Tagged<f64>),
    /// Read from something, `elapsed.from = "print-file"`.
    From(ElapsedFrom),
}

/// Where the duration of a step is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ElapsedFrom {
    /// The print time of the sliced plate.
    PrintFile,
}

/// When a step may start, counted from the end of the step before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// The same for every piece, `window.minutes = { … }`.
    Minutes(WindowMinutes),
    /// Depends on something, `window.from = "alloy-quench"`.
    From(WindowFrom),
}

/// A window in minutes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowMinutes {
    /// Not earlier than this after the end of the step before; absent means at once.
    pub min: Option<f64>,
    /// Not later than this after the end of the step before; absent means any time.
    pub max: Option<f64>,
    /// How well this is known.
    pub tag: Tag,
    /// Where this comes from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

/// What a window depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowFrom {
    /// The alloy's `quench_minutes`; an alloy without them has no window.
    AlloyQuench,
}

/// A value that a person must enter to complete a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Name of the value, the unit last: `pattern_mass_g`.
    pub name: String,
    /// What it is measured in.
    pub unit: RecordUnit,
}

/// What a recorded value is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordUnit {
    /// Grams.
    G,
    /// Degrees Celsius.
    Celsius,
    /// Minutes.
    Minutes,
    /// Millimetres.
    Mm,
    /// Millilitres.
    Ml,
    /// How many.
    Count,
    /// Words: a lot, a name, a reason.
    Text,
}

impl RecordUnit {
    /// The unit as it is shown and sent.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            RecordUnit::G => "g",
            RecordUnit::Celsius => "celsius",
            RecordUnit::Minutes => "minutes",
            RecordUnit::Mm => "mm",
            RecordUnit::Ml => "ml",
            RecordUnit::Count => "count",
            RecordUnit::Text => "text",
        }
    }
}

/// What happens to the pieces when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The step is done again.
    Retry,
    /// The pattern is lost: the piece starts again at preparation.
    Remake,
}

impl RoutingProfile {
    /// What can't be in this routing.
    #[must_use]
    pub fn check(&self) -> Flaws {
        let mut flaws = Flaws::default();
        if self.operation.is_empty() {
            flaws.add("operation", "a routing without a step; write at least one [[operation]]");
        }
        for (i, step) in self.operation.iter().enumerate() {
            if self.operation.iter().take(i).any(|other| other.stage == step.stage) {
                flaws.add(format!("operation.{i}.stage"), format!("a second step named \"{}\"", step.stage));
            }
            check_step(&format!("operation.{i}"), step, &mut flaws);
        }
        if let Some(first) = self.operation.first()
            && first.window.is_some()
        {
            flaws.add("operation.0.window", "the first step has none before it; leave the window out");
        }
        flaws
    }
}

fn check_step(path: &str, step: &OperationTemplate, flaws: &mut Flaws) {
    for (key, word) in [("stage", &step.stage), ("ability", &step.ability)] {
        if !is_slug(word) {
            flaws.add(format!("{path}.{key}"), format!("\"{word}\" is not a name of a-z, 0-9 and -"));
        }
    }
    let attended = step.attended_minutes.value;
    flaws.range(format!("{path}.attended_minutes.value"), attended, 0.0, 24.0 * 60.0);
    if let Elapsed::Minutes(elapsed) = &step.elapsed {
        flaws.range(format!("{path}.elapsed.minutes.value"), elapsed.value, 0.0, 14.0 * 24.0 * 60.0);
        if attended > elapsed.value {
            flaws.add(format!("{path}.attended_minutes.value"), "more hands-on time than the step takes");
        }
    }
    if let Some(Window::Minutes(window)) = &step.window {
        check_window(&format!("{path}.window.minutes"), window, flaws);
    }
    for (i, record) in step.records.iter().enumerate() {
        if step.records.iter().take(i).any(|other| other.name == record.name) {
            flaws.add(
                format!("{path}.records.{i}.name"),
                format!("a second record named \"{}\"", record.name),
            );
        }
    }
}

fn check_window(path: &str, window: &WindowMinutes, flaws: &mut Flaws) {
    if window.tag.is_draft() {
        let text = format!(
            "a window with tag {} is a guess; leave it out or let the shop set it",
            window.tag.letter()
        );
        flaws.add(format!("{path}.tag"), text);
    }
    let (min, max) = (window.min.unwrap_or(0.0), window.max.unwrap_or(f64::from(u16::MAX)));
    flaws.ordered(path, min, max, 0.0, f64::from(u16::MAX));
}

/// Whether a word is made of `a-z`, `0-9` and `-` and starts with a letter.
#[must_use]
pub fn is_slug(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
