//! A whole casting workshop planned at once: plates, baths, trees, flasks, kiln runs, pours and hands.
//!
//! Where [`super::plan`] places operations on batches that somebody else formed, here forming the batches is the
//! decision: which pieces share a plate, a flask and a kiln run, and what waits on purpose. Times are whole minutes.
//!
//! ```text
//! release -> print -> wash -> cure -> support -> tree -> invest -> burnout -> cast -> clean -> finish -> qc
//!            plate    resin   resin   hands      flask   flask     kiln run   flask   flask    hands    hands
//!                         <= max                           set min..max  hold max   cool min..max
//! ```
//!
//! A plan is a pure function of (instance, what is fixed, seed, budget). [`verify()`] shares only the types of
//! this file with the search.
//!
//! Never here: a clock, random numbers from outside, files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod back;
mod casting;
mod compile;
mod front;
mod genome;
mod lines;
mod moves;
mod picture;
mod promise;
mod resume;
mod search;
mod start;
mod steps;
#[cfg(test)]
mod tests;
mod verify;
mod why;

pub use compile::Error;
pub use picture::chart;
pub use promise::{Promise, PullForward, delays, promise, pull_forward, with};
pub use resume::{Keep, Running};
pub use search::{Budget, Search};
pub use verify::{Rule, Score, Violation, score, verify};
pub use why::{Cause, Explained, Late, Step};

/// Everything there is to plan, with names. `sched/README.md` of the published instances states each rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// `jwl-1`.
    pub format: String,
    /// For people.
    pub name: String,
    /// Nothing ends later. Minutes.
    pub horizon: i64,
    /// When somebody is in the shop; machines that run unattended start only then. Half-open.
    pub staffed: Vec<[i64; 2]>,
    /// Hands.
    pub workers: Vec<Worker>,
    /// Plates are printed here.
    pub printers: Vec<Printer>,
    /// Resin parts are washed here, in batches.
    pub washers: Vec<Bath>,
    /// And cured here.
    pub curers: Vec<Bath>,
    /// Flasks are burnt out here, several at once.
    pub kilns: Vec<Bath>,
    /// Flasks are poured here, one at a time.
    pub casters: Vec<Caster>,
    /// How long the baths take, by resin.
    pub resins: BTreeMap<String, Resin>,
    /// Burnout programs.
    pub programs: BTreeMap<String, Program>,
    /// Windows and lengths that hold for everything.
    pub rules: Rules,
    /// What a plan costs.
    pub objective: Weights,
    /// Who waits for what.
    pub orders: Vec<Order>,
    /// What is made.
    pub pieces: Vec<Piece>,
}

/// Somebody who does one thing at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// Name.
    pub id: String,
    /// Shifts; a task never crosses from one into another.
    pub windows: Vec<[i64; 2]>,
    /// Names of stages.
    pub skills: Vec<String>,
}

/// A printer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printer {
    /// Name.
    pub id: String,
    /// Plate area, mm2.
    pub area: i64,
    /// Pieces on a plate.
    pub max_pieces: usize,
    /// mm.
    pub max_height: i64,
    /// Minutes whatever the height.
    pub base: i64,
    /// Tenths of a minute for a millimetre of the tallest piece.
    pub min_per_mm_x10: i64,
    /// Between two prints.
    pub turnaround: i64,
    /// The resin in it at 0.
    pub loaded: String,
    /// Minutes more where the resin differs.
    pub resin_change: i64,
    /// When it can't be used. Half-open.
    pub down: Vec<[i64; 2]>,
}

/// A machine that takes several things at once: pieces (washer, curer) or flasks (kiln).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bath {
    /// Name.
    pub id: String,
    /// Things at once.
    pub capacity: usize,
    /// When it can't be used. Half-open.
    pub down: Vec<[i64; 2]>,
}

/// A casting machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caster {
    /// Name.
    pub id: String,
    /// What it can pour.
    pub alloys: Vec<String>,
    /// The crucible in it at 0.
    pub loaded: String,
    /// Minutes for another crucible.
    pub alloy_change: i64,
    /// When it can't be used. Half-open.
    pub down: Vec<[i64; 2]>,
}

/// Minutes in the baths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resin {
    /// Minutes.
    pub wash: i64,
    /// Minutes.
    pub cure: i64,
}

/// A burnout program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Minutes.
    pub duration: i64,
    /// How long a flask may stay at casting temperature after it.
    pub hold_max: i64,
}

/// What holds for every piece and flask. Minutes, pieces, tenths of a gram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the published format, explained there")]
pub struct Rules {
    pub wash_to_cure_max: i64,
    pub set_min: i64,
    pub set_max: i64,
    pub cool_min: i64,
    pub cool_max: i64,
    pub tree_max_pieces: usize,
    pub tree_max_mass: i64,
    pub tree_base: i64,
    pub tree_per_piece: i64,
    pub invest: i64,
    pub cast: i64,
    pub clean: i64,
}

/// What each minute late (times the order's weight), kiln run, change, plate and minute of makespan costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the published format, explained there")]
pub struct Weights {
    pub tardiness: i64,
    pub kiln_run: i64,
    pub resin_change: i64,
    pub alloy_change: i64,
    pub print_run: i64,
    pub makespan: i64,
}

/// An order is done when its last piece leaves quality control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Name.
    pub id: String,
    /// Nothing of it is printed earlier.
    pub release: i64,
    /// When somebody expects it.
    pub due: i64,
    /// How much a minute late counts.
    pub weight: i64,
    /// Names of its pieces.
    pub pieces: Vec<String>,
}

/// A piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Name.
    pub id: String,
    /// Its order's name.
    pub order: String,
    /// What it is printed in.
    pub resin: String,
    /// What it is cast in.
    pub alloy: String,
    /// How its flask is burnt out.
    pub program: String,
    /// On the plate, mm2.
    pub area: i64,
    /// mm.
    pub height: i64,
    /// Tenths of a gram.
    pub mass: i64,
    /// Minutes to take supports off.
    pub support: i64,
    /// Minutes.
    pub finish: i64,
    /// Minutes.
    pub qc: i64,
}

/// What is done when, where and by whom: the published solution format.
#[must_use]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// By start.
    pub tasks: Vec<Task>,
    /// Pieces that found no place before the horizon, if any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unplaced: Vec<String>,
}

/// One batch in one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The stage.
    pub kind: Kind,
    /// The first minute.
    pub start: i64,
    /// The first minute after.
    pub end: i64,
    /// Printer, washer, curer, kiln or caster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// Whose hands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// Of a plate, a bath or a tree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<String>,
    /// Of support, finish and quality control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece: Option<String>,
    /// Of a kiln run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flasks: Vec<String>,
    /// Of tree, invest, cast and clean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flask: Option<String>,
}

/// A stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Print,
    Wash,
    Cure,
    Support,
    Tree,
    Invest,
    Burnout,
    Cast,
    Clean,
    Finish,
    Qc,
}

impl Kind {
    /// Every stage, in the order of the routing.
    pub const ALL: [Kind; 11] = [
        Kind::Print,
        Kind::Wash,
        Kind::Cure,
        Kind::Support,
        Kind::Tree,
        Kind::Invest,
        Kind::Burnout,
        Kind::Cast,
        Kind::Clean,
        Kind::Finish,
        Kind::Qc,
    ];

    /// As the format writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Print => "print",
            Kind::Wash => "wash",
            Kind::Cure => "cure",
            Kind::Support => "support",
            Kind::Tree => "tree",
            Kind::Invest => "invest",
            Kind::Burnout => "burnout",
            Kind::Cast => "cast",
            Kind::Clean => "clean",
            Kind::Finish => "finish",
            Kind::Qc => "qc",
        }
    }
}
