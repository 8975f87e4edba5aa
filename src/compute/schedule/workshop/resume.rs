//! Takes a running plan over: what is over or frozen stays, what an event makes impossible gets a new place, and
//! everything else stays where it is.

use std::collections::BTreeMap;

use super::compile::{Error, Shop, compile};
use super::genome::{Genome, Run};
use super::search::Search;
use super::steps::NOBODY;
use super::{Instance, Kind, Plan, Task};
use keep::given;

mod keep;

/// A plan that people are following, and the moment at which it is taken up.
#[derive(Debug, Clone, Copy)]
pub struct Running<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What started before this is history. Minutes.
    pub now: i64,
    /// For so many minutes more, tasks stay unless a closure or an absence hits them.
    pub freeze: i64,
}

/// How much of a running plan stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Everything that still can be carried out: few changes, at once.
    AllPossible,
    /// History and the frozen part; the rest is planned anew.
    Frozen,
}

/// Passes until what has to move is known; each pass moves more.
const PASSES: usize = 16;
/// For how many minutes finishing may be put in another order to make room for what is urgent.
const LOOSE: [i64; 3] = [0, 2 * 1_440, 7 * 1_440];
/// At most one in so many piece-stages is moved to make room.
const LOOSE_SHARE: usize = 12;
/// What moving a piece in one stage costs: people have made up their minds about it.
const MOVE_PRICE: i64 = 20;

impl<'a> Search<'a> {
    /// Repairs a running plan for an instance that has changed since: machines down, people away, new orders.
    ///
    /// # Errors
    /// If the instance contradicts itself or the running plan names what isn't there.
    pub fn resume(instance: &'a Instance, running: &Running<'_>) -> Result<Self, Error> {
        Self::take_over(instance, running, Keep::AllPossible)
    }

    /// As [`Search::resume`], with a choice of how much stays.
    ///
    /// # Errors
    /// If the instance contradicts itself or the running plan names what isn't there.
    pub fn take_over(instance: &'a Instance, running: &Running<'_>, keep: Keep) -> Result<Self, Error> {
        let shop = compile(instance)?;
        let old = Old::read(instance, &shop, running)?;
        if keep == Keep::Frozen {
            return Ok(anew(instance, &shop, &old, running));
        }
        let mut best: Option<(i64, Self)> = None;
        for loose in LOOSE {
            let mut moved = Moved::by_event(&shop, &old, keep);
            if loose > 0 && !moved.loosen(&shop, &old, running, loose) {
                break;
            }
            let Some(search) = repaired(instance, &shop, &old, running, &mut moved) else { continue };
            let price = search.price() + moved.count() * MOVE_PRICE;
            let is_calm = search.lateness() == 0;
            if best.as_ref().is_none_or(|known| price < known.0) {
                best = Some((price, search));
            }
            if is_calm {
                break;
            }
        }
        Ok(best.map_or_else(|| anew(instance, &shop, &old, running), |best| best.1))
    }
}

/// Everything that isn't frozen is open, and the running plan is one of the starts.
fn anew<'a>(instance: &'a Instance, shop: &Shop, old: &Old, running: &Running<'_>) -> Search<'a> {
    let moved = Moved::by_event(shop, old, Keep::Frozen);
    let mut search = Search::begin(instance, shop.clone(), given(shop, old, &moved, running));
    search.settle();
    search.offer(warm(&search, shop, old));
    search
}

/// Moves more and more until everything that stays can stay.
fn repaired<'a>(
    instance: &'a Instance,
    shop: &Shop,
    old: &Old,
    running: &Running<'_>,
    moved: &mut Moved,
) -> Option<Search<'a>> {
    for _ in 0..PASSES {
        let mut search = Search::begin(instance, shop.clone(), given(shop, old, moved, running));
        search.offer(warm(&search, shop, old));
        if !moved.grow(&search) {
            return Some(search);
        }
    }
    None
}

/// The running plan as a genome: its kiln runs, and orders as urgent as they were done.
fn warm(search: &Search<'_>, shop: &Shop, old: &Old) -> Genome {
    let mut genome = search.genome().clone();
    for (order, job) in shop.orders.iter().enumerate() {
        let ends = job.pieces.iter().map(|&piece| old.task(piece, Kind::Qc).map(|task| task.end));
        let done = ends.collect::<Option<Vec<i64>>>().and_then(|ends| ends.into_iter().max());
        if let Some(done) = done {
            genome.rank[order] = done - job.due;
        }
    }
    let mut runs: BTreeMap<(usize, usize), Run> = BTreeMap::new();
    for (index, lot) in search.lots().iter().enumerate() {
        let flask = lot.pieces.first().and_then(|&piece| old.flasks.get(old.flask_of[piece]));
        let task = flask.map_or(NOBODY, |flask| flask.burnout);
        let alone = if task == NOBODY { index } else { NOBODY };
        let run = runs.entry((task, alone)).or_insert_with(|| Run {
            lots: Vec::new(),
            at: old.tasks.get(task).map_or(lot.release, |run| run.start),
            ..Run::alone(lot.program, index)
        });
        run.lots.push(index);
    }
    genome.runs = runs.into_values().collect();
    genome
}

/// The running plan in indices.
struct Old {
    tasks: Vec<OldTask>,
    /// By piece and stage up to the tree, and finish and qc: the task.
    of_piece: Vec<[usize; Kind::ALL.len()]>,
    flasks: Vec<OldFlask>,
    /// By piece: its flask, or [`NOBODY`].
    flask_of: Vec<usize>,
}

struct OldTask {
    kind: Kind,
    start: i64,
    end: i64,
    machine: usize,
    hand: usize,
    /// Pieces, or flasks of a kiln run.
    members: Vec<usize>,
    /// Over, or frozen and still possible.
    is_settled: bool,
}

struct OldFlask {
    name: String,
    pieces: Vec<usize>,
    tree: usize,
    invest: usize,
    burnout: usize,
    cast: usize,
    clean: usize,
}

impl Old {
    fn read(instance: &Instance, shop: &Shop, running: &Running<'_>) -> Result<Self, Error> {
        let pieces = index(instance.pieces.iter().map(|piece| piece.id.as_str()));
        let hands = index(instance.workers.iter().map(|worker| worker.id.as_str()));
        let printers = index(instance.printers.iter().map(|machine| machine.id.as_str()));
        let casters = index(instance.casters.iter().map(|machine| machine.id.as_str()));
        let baths = |baths: &'_ [super::Bath]| -> BTreeMap<String, usize> {
            baths.iter().enumerate().map(|(position, bath)| (bath.id.clone(), position)).collect()
        };
        let (washers, curers, kilns) =
            (baths(&instance.washers), baths(&instance.curers), baths(&instance.kilns));
        let find = |found: Option<&usize>, name: &str| {
            found.copied().ok_or_else(|| Error::Running(format!("{name} is not in the instance")))
        };
        let machine = |task: &Task| -> Result<usize, Error> {
            let Some(name) = &task.machine else { return Ok(NOBODY) };
            let found = match task.kind {
                Kind::Print => printers.get(name.as_str()),
                Kind::Wash => washers.get(name),
                Kind::Cure => curers.get(name),
                Kind::Burnout => kilns.get(name),
                Kind::Cast => casters.get(name.as_str()),
                Kind::Support | Kind::Tree | Kind::Invest | Kind::Clean | Kind::Finish | Kind::Qc => None,
            };
            find(found, name)
        };
        let mut old = Self {
            tasks: Vec::new(),
            of_piece: vec![[NOBODY; Kind::ALL.len()]; instance.pieces.len()],
            flasks: Vec::new(),
            flask_of: vec![NOBODY; instance.pieces.len()],
        };
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for task in running.plan.tasks.iter().filter(|task| task.kind == Kind::Tree) {
            let name = task.flask.as_deref().unwrap_or("");
            if names.insert(name, names.len()).is_some() {
                return Err(Error::Running(format!("flask {name} is built twice")));
            }
            let blank = OldFlask {
                name: name.to_owned(),
                pieces: Vec::new(),
                tree: NOBODY,
                invest: NOBODY,
                burnout: NOBODY,
                cast: NOBODY,
                clean: NOBODY,
            };
            old.flasks.push(blank);
        }
        for task in &running.plan.tasks {
            let position = old.tasks.len();
            let hand = match &task.worker {
                Some(name) => find(hands.get(name.as_str()), name)?,
                None => NOBODY,
            };
            let mut members = Vec::new();
            for name in task.pieces.iter().chain(&task.piece) {
                let piece = find(pieces.get(name.as_str()), name)?;
                old.of_piece[piece][task.kind as usize] = position;
                members.push(piece);
            }
            let named = task.flasks.iter().chain(&task.flask);
            for name in named {
                let flask = find(names.get(name.as_str()), name)?;
                let place = &mut old.flasks[flask];
                match task.kind {
                    Kind::Tree => {
                        place.tree = position;
                        place.pieces.clone_from(&members);
                        members.iter().for_each(|&piece| old.flask_of[piece] = flask);
                    }
                    Kind::Invest => place.invest = position,
                    Kind::Burnout => {
                        place.burnout = position;
                        members.push(flask);
                    }
                    Kind::Cast => place.cast = position,
                    Kind::Clean => place.clean = position,
                    Kind::Print | Kind::Wash | Kind::Cure | Kind::Support | Kind::Finish | Kind::Qc => {}
                }
            }
            let machine = machine(task)?;
            let mut task = OldTask {
                kind: task.kind,
                start: task.start,
                end: task.end,
                machine,
                hand,
                members,
                is_settled: task.start < running.now,
            };
            task.is_settled |= task.start < running.now + running.freeze && !is_hit(shop, &task);
            old.tasks.push(task);
        }
        Ok(old)
    }

    fn task(&self, piece: usize, kind: Kind) -> Option<&OldTask> {
        self.tasks.get(self.of_piece[piece][kind as usize])
    }
}

fn index<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    names.enumerate().map(|(position, name)| (name, position)).collect()
}

/// What loses its place. Each set only grows, so that the passes end.
struct Moved {
    /// By piece: from which stage on it is planned anew, up to the tree; [`Kind::Invest`] if it isn't.
    early: Vec<Kind>,
    /// By piece: it leaves its flask.
    leaves: Vec<bool>,
    /// By piece: finish (or only qc) is planned anew.
    finish: Vec<bool>,
    qc: Vec<bool>,
    /// By flask: the chain from this stage on is planned anew; [`Kind::Finish`] if it isn't.
    chain: Vec<Kind>,
}

impl Moved {
    fn by_event(shop: &Shop, old: &Old, keep: Keep) -> Self {
        let pieces = shop.pieces.len();
        let mut moved = Self {
            early: vec![Kind::Invest; pieces],
            leaves: vec![false; pieces],
            finish: vec![false; pieces],
            qc: vec![false; pieces],
            chain: vec![Kind::Finish; old.flasks.len()],
        };
        for (position, task) in old.tasks.iter().enumerate() {
            if !task.is_settled && (keep == Keep::Frozen || is_hit(shop, task)) {
                moved.release(old, position);
            }
        }
        // What has no task yet, or lost its flask, goes on from where it stands.
        for piece in 0..pieces {
            moved.complete(old, piece);
        }
        moved
    }

    /// Finishing and quality control of the next time may change their order; false if that were too much.
    fn loosen(&mut self, shop: &Shop, old: &Old, running: &Running<'_>, loose: i64) -> bool {
        let from = running.now + running.freeze;
        let open = old.tasks.iter().filter(|task| task.start >= running.now).count();
        let is_near = |task: &&OldTask| {
            matches!(task.kind, Kind::Finish | Kind::Qc) && (from..from + loose).contains(&task.start)
        };
        let near: Vec<&OldTask> = old.tasks.iter().filter(is_near).collect();
        if near.len() * LOOSE_SHARE > open.max(shop.pieces.len() * 4) {
            return false;
        }
        for task in near {
            let flags = if task.kind == Kind::Finish { &mut self.finish } else { &mut self.qc };
            task.members.iter().for_each(|&piece| flags[piece] = true);
        }
        true
    }

    /// How many piece-stages lose their place.
    fn count(&self) -> i64 {
        let early = self.early.iter().map(|from| (Kind::Invest as usize).saturating_sub(*from as usize));
        let late =
            self.finish.iter().zip(&self.qc).map(|(finish, qc)| if *finish { 2 } else { usize::from(*qc) });
        i64::try_from(early.sum::<usize>() + late.sum::<usize>()).unwrap_or(i64::MAX >> 20)
    }

    /// A task loses its place, with what can't stay without it.
    fn release(&mut self, old: &Old, position: usize) {
        let task = &old.tasks[position];
        match task.kind {
            Kind::Print | Kind::Wash => task.members.iter().for_each(|&piece| self.back_to(piece, task.kind)),
            Kind::Cure => {
                for &piece in &task.members {
                    let washed = old.task(piece, Kind::Wash).is_some_and(|wash| wash.is_settled);
                    self.back_to(piece, if washed { Kind::Cure } else { Kind::Wash });
                }
            }
            Kind::Support => task.members.iter().for_each(|&piece| self.back_to(piece, Kind::Support)),
            Kind::Tree => task.members.iter().for_each(|&piece| self.leave(piece)),
            Kind::Invest | Kind::Burnout | Kind::Cast | Kind::Clean => self.release_chain(old, position),
            Kind::Finish => task.members.iter().for_each(|&piece| self.finish[piece] = true),
            Kind::Qc => task.members.iter().for_each(|&piece| self.qc[piece] = true),
        }
    }

    fn back_to(&mut self, piece: usize, kind: Kind) {
        self.early[piece] = self.early[piece].min(kind);
    }

    fn leave(&mut self, piece: usize) {
        self.leaves[piece] = true;
        self.finish[piece] = true;
        self.back_to(piece, Kind::Tree);
    }

    /// A kiln run that hasn't begun moves as a whole; in one that has, a pour or a cleaning moves alone.
    fn release_chain(&mut self, old: &Old, position: usize) {
        for flask in 0..old.flasks.len() {
            let place = &old.flasks[flask];
            let own = [place.invest, place.burnout, place.cast, place.clean].contains(&position);
            if !own {
                continue;
            }
            let kind = old.tasks[position].kind;
            let begun = old.tasks.get(place.burnout).is_some_and(|run| run.is_settled);
            if begun {
                self.chain[flask] = self.chain[flask].min(kind);
                continue;
            }
            let together = old.tasks.get(place.burnout).map_or(&[][..], |run| &run.members);
            for &mate in together.iter().chain([&flask]) {
                let invested = old.tasks.get(old.flasks[mate].invest).is_some_and(|task| task.is_settled);
                let from = if invested { Kind::Burnout } else { Kind::Invest };
                self.chain[mate] = self.chain[mate].min(from);
            }
        }
    }

    /// Pieces that the running plan didn't bring to the end.
    fn complete(&mut self, old: &Old, piece: usize) {
        for kind in [Kind::Print, Kind::Wash, Kind::Cure, Kind::Support, Kind::Tree] {
            if old.task(piece, kind).is_none() {
                self.leave(piece);
                self.back_to(piece, kind);
                return;
            }
        }
        if old.task(piece, Kind::Finish).is_none() {
            self.finish[piece] = true;
        }
        if old.task(piece, Kind::Qc).is_none() {
            self.qc[piece] = true;
        }
        let flask = old.flask_of[piece];
        let Some(place) = old.flasks.get(flask) else { return };
        for (task, kind) in [
            (place.invest, Kind::Invest),
            (place.burnout, Kind::Burnout),
            (place.cast, Kind::Cast),
            (place.clean, Kind::Clean),
        ] {
            if task == NOBODY {
                self.chain[flask] = self.chain[flask].min(kind);
            }
        }
    }

    /// Finds what can't stay beside what got new places; true if there is something.
    fn grow(&mut self, search: &Search<'_>) -> bool {
        let mut grown = false;
        for (piece, times) in search.piece_times().into_iter().enumerate() {
            let at = |kind: Kind| times[kind as usize];
            let breaks = |before: Kind, after: Kind| match (at(before), at(after)) {
                (Some(before), Some(after)) => after.0 < before.1,
                (None, Some(_)) => true,
                (Some(_) | None, None) => false,
            };
            if !self.leaves[piece] && (breaks(Kind::Cure, Kind::Support) || breaks(Kind::Wash, Kind::Cure)) {
                self.back_to(piece, Kind::Support);
                grown = true;
            }
            if !self.leaves[piece] && breaks(Kind::Support, Kind::Tree) {
                self.leave(piece);
                grown = true;
            }
            if !self.finish[piece] && breaks(Kind::Clean, Kind::Finish) {
                self.finish[piece] = true;
                grown = true;
            }
            if !self.qc[piece] && !self.finish[piece] && breaks(Kind::Finish, Kind::Qc) {
                self.qc[piece] = true;
                grown = true;
            }
        }
        grown
    }
}

/// Whether a closure or an absence makes a task impossible.
fn is_hit(shop: &Shop, task: &OldTask) -> bool {
    let down: &[(i64, i64)] = match task.kind {
        Kind::Print => &shop.presses[task.machine].down,
        Kind::Wash => &shop.washers[task.machine].down,
        Kind::Cure => &shop.curers[task.machine].down,
        Kind::Burnout => &shop.kilns[task.machine].down,
        Kind::Cast => &shop.casters[task.machine].down,
        Kind::Support | Kind::Tree | Kind::Invest | Kind::Clean | Kind::Finish | Kind::Qc => &[],
    };
    let is_down = down.iter().any(|&(from, to)| from < task.end && task.start < to);
    let is_away = task.hand != NOBODY && {
        let window = shop.hands[task.hand].windows.from(task.start);
        window.is_none_or(|(opens, closes)| opens > task.start || closes < task.end)
    };
    is_down || is_away
}
