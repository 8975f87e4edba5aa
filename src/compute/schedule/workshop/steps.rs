//! What a decoder writes down, and where it starts from.

use super::Kind;
use super::compile::Shop;
use super::lines::Line;

/// No machine, no hand.
pub(super) const NOBODY: usize = usize::MAX;

/// One task in indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) machine: usize,
    pub(super) hand: usize,
    /// A piece (support, finish, qc) or a flask (tree, invest, cast, clean).
    pub(super) item: usize,
    /// Members in the arena: pieces of a plate, a bath, a tree; flasks of a kiln run.
    pub(super) members: (usize, usize),
}

/// Steps with the members of their batches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) steps: Vec<Step>,
    arena: Vec<usize>,
}

impl Steps {
    pub(super) fn members(&self, step: &Step) -> &[usize] {
        &self.arena[step.members.0..step.members.1]
    }

    /// A batch on a machine, or a tree.
    pub(super) fn batch(&mut self, step: Step, members: &[usize]) {
        let from = self.arena.len();
        self.arena.extend_from_slice(members);
        self.steps.push(Step { members: (from, self.arena.len()), ..step });
    }

    /// One thing in somebody's hands, or in a caster.
    pub(super) fn single(&mut self, kind: Kind, start: i64, end: i64, hand: usize, item: usize) {
        self.steps.push(Step { kind, start, end, machine: NOBODY, hand, item, members: (0, 0) });
    }

    /// The last task is on a machine too.
    pub(super) fn on_machine(&mut self, machine: usize) {
        if let Some(step) = self.steps.last_mut() {
            step.machine = machine;
        }
    }

    pub(super) fn clear(&mut self) {
        self.steps.clear();
        self.arena.clear();
    }
}

/// A sequence with changeovers: prints of resins, pours of alloys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sequence {
    /// Start, end, resin or alloy; sorted.
    pub(super) runs: Vec<(i64, i64, usize)>,
}

impl Sequence {
    pub(super) fn insert(&mut self, start: i64, end: i64, what: usize) {
        let position = self.runs.partition_point(|run| *run <= (start, end, what));
        self.runs.insert(position, (start, end, what));
    }

    pub(super) fn remove(&mut self, start: i64, end: i64, what: usize) {
        if let Some(position) = self.runs.iter().rposition(|run| *run == (start, end, what)) {
            self.runs.remove(position);
        }
    }

    /// How often something else than before is loaded.
    pub(super) fn changes(&self, loaded: usize) -> i64 {
        let mut before = loaded;
        let mut changes = 0;
        for &(_, _, what) in &self.runs {
            changes += i64::from(what != before);
            before = what;
        }
        changes
    }
}

/// A flask, fixed or of the decoder's making.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Flask {
    pub(super) pieces: Vec<usize>,
    pub(super) alloy: usize,
    pub(super) program: usize,
    pub(super) mass: i64,
}

/// A flask whose tree is fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FixedFlask {
    pub(super) flask: Flask,
    /// When its tree is ready.
    pub(super) treed: i64,
    /// What is fixed of the rest.
    pub(super) chain: Chain,
}

/// How far a fixed flask's chain is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chain {
    /// Only the tree.
    Treed,
    /// Invested until then.
    Invested(i64),
    /// In a kiln that has begun; its run is one of the fixed ones.
    Burning,
    /// Poured until then.
    Poured(i64),
    /// Cleaned; nothing is left to do.
    Cleaned,
}

/// A fixed kiln run: it ends with its program or its last pour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FixedRun {
    pub(super) kiln: usize,
    pub(super) start: i64,
    /// Indices of fixed flasks.
    pub(super) flasks: Vec<usize>,
    /// Last fixed end, as booked.
    pub(super) end: i64,
}

/// What is left of a piece's way after its flask is cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Finish and quality control are fixed.
    Kept,
    /// Both, after a cleaning that isn't fixed.
    AfterClean,
    /// Both, from then on.
    Finish(i64),
    /// Quality control, from then on.
    Qc(i64),
}

/// What a piece has still to go through up to its tree: `from` to `to`, the latter not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Kind,
    /// `None`: into a tree of the search's making.
    pub(super) to: Option<Kind>,
    /// When it may go on.
    pub(super) ready: i64,
}

impl Span {
    /// Whether a stage is still to be decoded.
    pub(super) fn includes(&self, kind: Kind) -> bool {
        self.from <= kind && self.to.is_none_or(|to| kind < to)
    }
}

/// Everything that is decided before the decoder begins.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) now: i64,
    pub(super) presses: Vec<Sequence>,
    pub(super) washers: Vec<Line>,
    pub(super) curers: Vec<Line>,
    pub(super) kilns: Vec<Line>,
    pub(super) casters: Vec<Sequence>,
    pub(super) hands: Vec<Line>,
    pub(super) spans: Vec<Span>,
    pub(super) flasks: Vec<FixedFlask>,
    pub(super) runs: Vec<FixedRun>,
    /// Names of the fixed flasks.
    pub(super) names: Vec<String>,
    /// Numbers of the fixed flasks in the running plan.
    pub(super) numbers: Vec<usize>,
    /// By piece: what is left after cleaning.
    pub(super) rest: Vec<Rest>,
    /// The fixed tasks.
    pub(super) steps: Steps,
    /// When the fixed part of each order's pieces is through quality control.
    pub(super) done: Vec<i64>,
}

impl Given {
    /// Nothing is fixed, and it is midnight.
    pub(super) fn nothing(shop: &Shop) -> Self {
        let line =
            |vats: &[super::compile::Vat]| vats.iter().map(|vat| Line::with(vat.down.clone())).collect();
        Self {
            now: 0,
            presses: vec![Sequence::default(); shop.presses.len()],
            washers: line(&shop.washers),
            curers: line(&shop.curers),
            kilns: line(&shop.kilns),
            casters: vec![Sequence::default(); shop.casters.len()],
            hands: vec![Line::default(); shop.hands.len()],
            spans: vec![Span { from: Kind::Print, to: None, ready: 0 }; shop.pieces.len()],
            flasks: Vec::new(),
            runs: Vec::new(),
            names: Vec::new(),
            numbers: Vec::new(),
            rest: vec![Rest::AfterClean; shop.pieces.len()],
            steps: Steps::default(),
            done: vec![0; shop.orders.len()],
        }
    }
}
