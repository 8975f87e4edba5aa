//! Holds a plan against the rules of the workshop. Other code than the search; it shares only the types of
//! [`super`], works on names and knows nothing of genomes, spans or lines.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Instance, Kind, Order, Piece, Plan, Task};

/// What is wrong with a plan, in words for the record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[error("{rule}: {what} at minute {at}")]
pub struct Violation {
    /// Which rule is broken.
    pub rule: Rule,
    /// The task, piece, flask or machine.
    pub what: String,
    /// When.
    pub at: i64,
}

/// A rule that a plan can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Start, end and horizon.
    #[error("a task leaves the horizon or ends before it starts")]
    Horizon,
    /// A machine or worker that isn't there, isn't able, or is missing.
    #[error("a task is on something or somebody that can't do it")]
    Ability,
    /// Nobody is in the shop.
    #[error("a machine starts while nobody is in the shop")]
    Staffed,
    /// Outside the shift.
    #[error("somebody works outside the shift")]
    Shift,
    /// In a closure.
    #[error("a machine is used while it is down")]
    Down,
    /// Two things at once.
    #[error("something or somebody does two things at once")]
    Overlap,
    /// Every piece goes through every stage once, every flask too.
    #[error("a stage is missing, doubled or of something unknown")]
    Routing,
    /// Wrong length.
    #[error("a task has a wrong length")]
    Length,
    /// Too much or too different for one batch.
    #[error("a batch is too large or mixes what must not be mixed")]
    Batch,
    /// A stage before it isn't over, or a wait is too short or too long.
    #[error("a wait is too short or too long")]
    Wait,
    /// No time for a change or turnaround.
    #[error("there is no time for a change before a task")]
    Change,
}

/// What a plan comes to, and out of what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// The weighted sum of everything below; smaller is better.
    pub objective: i64,
    /// Sum over orders of weight times minutes late.
    pub weighted_tardiness: i64,
    /// Orders that are late.
    pub late_orders: usize,
    /// The last minute.
    pub makespan: i64,
    /// Burnouts.
    pub kiln_runs: i64,
    /// Changes of resin, the first ones included.
    pub resin_changes: i64,
    /// Changes of crucible, the first ones included.
    pub alloy_changes: i64,
    /// Plates.
    pub plates: i64,
}

/// Everything that is wrong with a plan; nothing if it can be carried out.
///
/// Pieces that the plan itself calls unplaced may stop at any stage; everything else has to be complete.
#[must_use]
pub fn verify(instance: &Instance, plan: &Plan) -> Vec<Violation> {
    let mut check = Check { instance, found: Vec::new() };
    let tasks: Vec<&Task> = plan.tasks.iter().filter(|task| check.task(task)).collect();
    check.overlaps(&tasks);
    let Some(index) = check.routing(plan, &tasks) else { return check.found };
    check.plates(&tasks, &index);
    check.baths(&tasks, &index);
    check.pieces(&index);
    check.flasks(&index);
    check.kilns(&tasks, &index);
    check.casters(&tasks, &index);
    check.found
}

/// What a plan costs, by the objective of the instance. Orders without an end count as late by the horizon.
#[must_use]
pub fn score(instance: &Instance, plan: &Plan) -> Score {
    let pieces: BTreeMap<&str, &Piece> = instance.pieces.iter().map(|p| (p.id.as_str(), p)).collect();
    let mut ends: BTreeMap<&str, i64> = BTreeMap::new();
    for task in plan.tasks.iter().filter(|task| task.kind == Kind::Qc) {
        ends.extend(task.piece.as_deref().map(|piece| (piece, task.end)));
    }
    let done = |order: &Order| {
        let end = |piece: &String| ends.get(piece.as_str()).copied().unwrap_or(order.due + instance.horizon);
        order.pieces.iter().map(end).max().unwrap_or(0)
    };
    let late: Vec<i64> = instance.orders.iter().map(|order| (done(order) - order.due).max(0)).collect();
    let count = |kind: Kind| plan.tasks.iter().map(|task| i64::from(task.kind == kind)).sum::<i64>();
    let resin =
        |task: &Task| task.pieces.first().and_then(|p| pieces.get(p.as_str())).map(|p| p.resin.clone());
    let printers = instance.printers.iter().map(|printer| (printer.id.as_str(), printer.loaded.clone()));
    let alloys = flask_alloys(&pieces, plan);
    let alloy = |task: &Task| task.flask.as_deref().and_then(|flask| alloys.get(flask).cloned());
    let casters = instance.casters.iter().map(|caster| (caster.id.as_str(), caster.loaded.clone()));
    let mut score = Score {
        objective: 0,
        weighted_tardiness: instance.orders.iter().zip(&late).map(|(order, late)| order.weight * late).sum(),
        late_orders: late.iter().filter(|late| **late > 0).count(),
        makespan: plan.tasks.iter().map(|task| task.end).max().unwrap_or(0),
        kiln_runs: count(Kind::Burnout),
        resin_changes: printers.map(|machine| changes(plan, Kind::Print, machine, &resin)).sum(),
        alloy_changes: casters.map(|machine| changes(plan, Kind::Cast, machine, &alloy)).sum(),
        plates: count(Kind::Print),
    };
    let w = &instance.objective;
    score.objective = w.tardiness * score.weighted_tardiness
        + w.kiln_run * score.kiln_runs
        + w.resin_change * score.resin_changes
        + w.alloy_change * score.alloy_changes
        + w.print_run * score.plates
        + w.makespan * score.makespan;
    score
}

fn flask_alloys(pieces: &BTreeMap<&str, &Piece>, plan: &Plan) -> BTreeMap<String, String> {
    let mut alloys = BTreeMap::new();
    for task in plan.tasks.iter().filter(|task| task.kind == Kind::Tree) {
        let first = task.pieces.first().and_then(|piece| pieces.get(piece.as_str()));
        if let (Some(flask), Some(piece)) = (&task.flask, first) {
            alloys.insert(flask.clone(), piece.alloy.clone());
        }
    }
    alloys
}

fn changes(
    plan: &Plan,
    kind: Kind,
    (machine, loaded): (&str, String),
    what: &dyn Fn(&Task) -> Option<String>,
) -> i64 {
    let here = |task: &&Task| task.kind == kind && task.machine.as_deref() == Some(machine);
    let mut tasks: Vec<&Task> = plan.tasks.iter().filter(here).collect();
    tasks.sort_by_key(|task| (task.start, task.end));
    let mut before = Some(loaded);
    let mut changes = 0;
    for task in tasks {
        let now = what(task);
        changes += i64::from(now != before);
        before = now;
    }
    changes
}

/// Who did what, found by name.
struct Index<'a> {
    pieces: BTreeMap<&'a str, &'a Piece>,
    /// (piece, stage) for the stages of pieces.
    of_piece: BTreeMap<(&'a str, Kind), &'a Task>,
    /// (flask, stage) for the stages of flasks.
    of_flask: BTreeMap<(&'a str, Kind), &'a Task>,
}

impl<'a> Index<'a> {
    fn alloy(&self, flask: &str) -> Option<&'a Piece> {
        let tree = self.of_flask.get(&(flask, Kind::Tree))?;
        self.pieces.get(tree.pieces.first()?.as_str()).copied()
    }
}

struct Check<'a> {
    instance: &'a Instance,
    found: Vec<Violation>,
}

impl<'a> Check<'a> {
    fn need(&mut self, is_kept: bool, rule: Rule, what: &str, at: i64) {
        if !is_kept && self.found.len() < 200 {
            self.found.push(Violation { rule, what: what.to_owned(), at });
        }
    }

    /// What a task has to keep to by itself; whether the rest makes sense to look at.
    fn task(&mut self, task: &Task) -> bool {
        let before = self.found.len();
        let what = format!(
            "{} {}",
            task.kind.name(),
            task.machine.as_deref().or(task.worker.as_deref()).unwrap_or("")
        );
        let (start, end) = (task.start, task.end);
        self.need(0 <= start && start <= end && end <= self.instance.horizon, Rule::Horizon, &what, start);
        let (on_machine, by_hand) = match task.kind {
            Kind::Print | Kind::Wash | Kind::Cure | Kind::Burnout => (true, false),
            Kind::Cast => (true, true),
            Kind::Support | Kind::Tree | Kind::Invest | Kind::Clean | Kind::Finish | Kind::Qc => {
                (false, true)
            }
        };
        self.need(task.machine.is_some() == on_machine, Rule::Ability, &what, start);
        self.need(task.worker.is_some() == by_hand, Rule::Ability, &what, start);
        if let Some(machine) = &task.machine {
            match self.closures(task.kind, machine) {
                Some(down) => {
                    let is_up = down.iter().all(|[from, to]| end <= *from || start >= *to);
                    self.need(is_up, Rule::Down, &what, start);
                }
                None => self.need(false, Rule::Ability, &what, start),
            }
        }
        if on_machine && !by_hand {
            let is_staffed = self.instance.staffed.iter().any(|[from, to]| *from <= start && start < *to);
            self.need(is_staffed, Rule::Staffed, &what, start);
        }
        if let Some(name) = &task.worker {
            match self.instance.workers.iter().find(|worker| worker.id == *name) {
                Some(worker) => {
                    let is_able = worker.skills.iter().any(|skill| skill == task.kind.name());
                    self.need(is_able, Rule::Ability, &what, start);
                    let is_there = worker.windows.iter().any(|[from, to]| *from <= start && end <= *to);
                    self.need(is_there, Rule::Shift, &what, start);
                }
                None => self.need(false, Rule::Ability, &what, start),
            }
        }
        self.found.len() == before
    }

    fn closures(&self, kind: Kind, machine: &str) -> Option<&'a [[i64; 2]]> {
        let bath = |baths: &'a [super::Bath]| {
            baths.iter().find(|bath| bath.id == machine).map(|bath| bath.down.as_slice())
        };
        match kind {
            Kind::Print => self.instance.printers.iter().find(|p| p.id == machine).map(|p| p.down.as_slice()),
            Kind::Wash => bath(&self.instance.washers),
            Kind::Cure => bath(&self.instance.curers),
            Kind::Burnout => bath(&self.instance.kilns),
            Kind::Cast => self.instance.casters.iter().find(|c| c.id == machine).map(|c| c.down.as_slice()),
            Kind::Support | Kind::Tree | Kind::Invest | Kind::Clean | Kind::Finish | Kind::Qc => None,
        }
    }

    fn overlaps(&mut self, tasks: &[&Task]) {
        let mut busy: BTreeMap<(bool, &str), Vec<(i64, i64)>> = BTreeMap::new();
        for task in tasks {
            if let Some(machine) = &task.machine {
                busy.entry((true, machine)).or_default().push((task.start, task.end));
            }
            if let Some(worker) = &task.worker {
                busy.entry((false, worker)).or_default().push((task.start, task.end));
            }
        }
        for ((_, name), mut parts) in busy {
            parts.sort_unstable();
            for pair in parts.windows(2) {
                self.need(pair[0].1 <= pair[1].0, Rule::Overlap, name, pair[1].0);
            }
        }
    }

    /// Every piece and flask goes through everything once.
    fn routing<'b>(&mut self, plan: &'b Plan, tasks: &[&'b Task]) -> Option<Index<'b>>
    where
        'a: 'b,
    {
        let before = self.found.len();
        let mut index = Index {
            pieces: self.instance.pieces.iter().map(|piece| (piece.id.as_str(), piece)).collect(),
            of_piece: BTreeMap::new(),
            of_flask: BTreeMap::new(),
        };
        for &task in tasks {
            let members: &[String] = match task.kind {
                Kind::Print | Kind::Wash | Kind::Cure | Kind::Tree => &task.pieces,
                Kind::Support | Kind::Finish | Kind::Qc => task.piece.as_slice(),
                Kind::Burnout | Kind::Invest | Kind::Cast | Kind::Clean => &[],
            };
            for piece in members {
                let is_new = index.of_piece.insert((piece, task.kind), task).is_none();
                self.need(
                    is_new && index.pieces.contains_key(piece.as_str()),
                    Rule::Routing,
                    piece,
                    task.start,
                );
            }
            let flasks: &[String] = match task.kind {
                Kind::Burnout => &task.flasks,
                Kind::Tree | Kind::Invest | Kind::Cast | Kind::Clean => task.flask.as_slice(),
                Kind::Print | Kind::Wash | Kind::Cure | Kind::Support | Kind::Finish | Kind::Qc => &[],
            };
            for flask in flasks {
                let is_new = index.of_flask.insert((flask, task.kind), task).is_none();
                self.need(is_new, Rule::Routing, flask, task.start);
            }
            self.need(!members.is_empty() || !flasks.is_empty(), Rule::Routing, task.kind.name(), task.start);
        }
        self.completeness(plan, &index);
        (self.found.len() == before).then_some(index)
    }

    fn completeness(&mut self, plan: &Plan, index: &Index<'_>) {
        let stages = [Kind::Print, Kind::Wash, Kind::Cure, Kind::Support, Kind::Tree, Kind::Finish, Kind::Qc];
        for piece in &self.instance.pieces {
            let is_excused = plan.unplaced.contains(&piece.id);
            let through = stages.map(|kind| index.of_piece.contains_key(&(piece.id.as_str(), kind)));
            // What is done is a beginning of the routing without holes.
            let is_beginning = through.windows(2).all(|pair| pair[0] || !pair[1]);
            let is_complete = through.iter().all(|done| *done);
            self.need(is_complete || (is_excused && is_beginning), Rule::Routing, &piece.id, 0);
        }
        let stages = [Kind::Tree, Kind::Invest, Kind::Burnout, Kind::Cast, Kind::Clean];
        for (flask, kind) in index.of_flask.keys() {
            let has = |kind: &Kind| index.of_flask.contains_key(&(*flask, *kind));
            self.need(has(&Kind::Tree), Rule::Routing, flask, 0);
            if *kind == Kind::Tree {
                let tree = index.of_flask.get(&(*flask, Kind::Tree));
                let excused = tree.is_some_and(|t| t.pieces.iter().all(|p| plan.unplaced.contains(p)));
                let through = stages.map(|kind| has(&kind));
                let is_beginning = through.windows(2).all(|pair| pair[0] || !pair[1]);
                self.need(
                    through.iter().all(|done| *done) || (excused && is_beginning),
                    Rule::Routing,
                    flask,
                    0,
                );
            }
        }
    }

    fn plates(&mut self, tasks: &[&Task], index: &Index<'_>) {
        for printer in &self.instance.printers {
            let here = |task: &&&Task| task.kind == Kind::Print && task.machine.as_ref() == Some(&printer.id);
            let mut plates: Vec<&Task> = tasks.iter().filter(here).copied().collect();
            plates.sort_by_key(|task| (task.start, task.end));
            let mut before: Option<i64> = None;
            let mut loaded = printer.loaded.as_str();
            for plate in plates {
                let pieces: Vec<&Piece> =
                    plate.pieces.iter().filter_map(|name| index.pieces.get(name.as_str()).copied()).collect();
                let Some(first) = pieces.first() else { continue };
                let at = plate.start;
                let tallest = pieces.iter().map(|piece| piece.height).max().unwrap_or(0);
                let is_one_resin = pieces.iter().all(|piece| piece.resin == first.resin);
                let fits = pieces.iter().map(|piece| piece.area).sum::<i64>() <= printer.area
                    && pieces.len() <= printer.max_pieces
                    && tallest <= printer.max_height;
                self.need(is_one_resin && fits, Rule::Batch, &printer.id, at);
                let tenths = tallest * printer.min_per_mm_x10;
                let length = printer.base + tenths / 10 + i64::from(tenths % 10 > 0);
                self.need(plate.end - at == length, Rule::Length, &printer.id, at);
                for piece in &pieces {
                    let order = self.instance.orders.iter().find(|order| order.id == piece.order);
                    let is_released = order.is_some_and(|order| order.release <= at);
                    self.need(is_released, Rule::Wait, &piece.id, at);
                }
                let change = if first.resin == loaded { 0 } else { printer.resin_change };
                let turnaround = if before.is_some() { printer.turnaround } else { 0 };
                self.need(at >= before.unwrap_or(0) + turnaround + change, Rule::Change, &printer.id, at);
                before = Some(plate.end);
                loaded = &first.resin;
            }
        }
    }

    fn baths(&mut self, tasks: &[&Task], index: &Index<'_>) {
        for task in tasks {
            let baths = match task.kind {
                Kind::Wash => &self.instance.washers,
                Kind::Cure => &self.instance.curers,
                Kind::Print | Kind::Support | Kind::Tree | Kind::Invest | Kind::Burnout | Kind::Cast => {
                    continue;
                }
                Kind::Clean | Kind::Finish | Kind::Qc => continue,
            };
            let resins: Vec<&str> = task
                .pieces
                .iter()
                .filter_map(|name| index.pieces.get(name.as_str()).map(|piece| piece.resin.as_str()))
                .collect();
            let Some(&first) = resins.first() else { continue };
            let name = task.machine.as_deref().unwrap_or("");
            let capacity = baths.iter().find(|bath| bath.id == name).map_or(0, |bath| bath.capacity);
            let fits = resins.len() <= capacity && resins.iter().all(|resin| *resin == first);
            self.need(fits, Rule::Batch, name, task.start);
            let times = self.instance.resins.get(first);
            let length = times.map(|times| if task.kind == Kind::Wash { times.wash } else { times.cure });
            self.need(length == Some(task.end - task.start), Rule::Length, name, task.start);
        }
    }

    fn pieces(&mut self, index: &Index<'_>) {
        let order = [Kind::Print, Kind::Wash, Kind::Cure, Kind::Support, Kind::Tree];
        for piece in &self.instance.pieces {
            let task = |kind: Kind| index.of_piece.get(&(piece.id.as_str(), kind)).copied();
            for pair in order.windows(2) {
                if let (Some(before), Some(after)) = (task(pair[0]), task(pair[1])) {
                    let wait = after.start - before.end;
                    let longest =
                        if pair[1] == Kind::Cure { self.instance.rules.wash_to_cure_max } else { i64::MAX };
                    self.need((0..=longest).contains(&wait), Rule::Wait, &piece.id, after.start);
                }
            }
            let cleaned = task(Kind::Tree)
                .and_then(|tree| tree.flask.as_deref())
                .and_then(|flask| index.of_flask.get(&(flask, Kind::Clean)));
            if let Some(finish) = task(Kind::Finish) {
                let is_clean = cleaned.is_some_and(|clean| clean.end <= finish.start);
                self.need(is_clean, Rule::Wait, &piece.id, finish.start);
                if let Some(qc) = task(Kind::Qc) {
                    self.need(finish.end <= qc.start, Rule::Wait, &piece.id, qc.start);
                }
            }
            for (kind, length) in
                [(Kind::Support, piece.support), (Kind::Finish, piece.finish), (Kind::Qc, piece.qc)]
            {
                if let Some(task) = task(kind) {
                    self.need(task.end - task.start == length, Rule::Length, &piece.id, task.start);
                }
            }
        }
    }

    fn flasks(&mut self, index: &Index<'_>) {
        let rules = &self.instance.rules;
        for ((flask, kind), tree) in &index.of_flask {
            if *kind != Kind::Tree {
                continue;
            }
            let members: Vec<&Piece> =
                tree.pieces.iter().filter_map(|name| index.pieces.get(name.as_str()).copied()).collect();
            let Some(first) = members.first() else { continue };
            let is_alike =
                members.iter().all(|piece| piece.alloy == first.alloy && piece.program == first.program);
            let mass: i64 = members.iter().map(|piece| piece.mass).sum();
            let fits = members.len() <= rules.tree_max_pieces && mass <= rules.tree_max_mass;
            self.need(is_alike && fits, Rule::Batch, flask, tree.start);
            let count = i64::try_from(members.len()).unwrap_or(0);
            let length = rules.tree_base + rules.tree_per_piece * count;
            self.need(tree.end - tree.start == length, Rule::Length, flask, tree.start);
            let task = |kind: Kind| index.of_flask.get(&(*flask, kind)).copied();
            for (kind, length) in
                [(Kind::Invest, rules.invest), (Kind::Cast, rules.cast), (Kind::Clean, rules.clean)]
            {
                let is_right = task(kind).is_none_or(|task| task.end - task.start == length);
                self.need(is_right, Rule::Length, flask, tree.start);
            }
            let Some(program) = self.instance.programs.get(&first.program) else { continue };
            let mut wait = |from: Option<i64>, to: Option<&Task>, least: i64, most: i64| {
                if let (Some(from), Some(to)) = (from, to) {
                    let wait = to.start - from;
                    self.need((least..=most).contains(&wait), Rule::Wait, flask, to.start);
                }
            };
            let end = |kind: Kind| task(kind).map(|task| task.end);
            wait(Some(tree.end), task(Kind::Invest), 0, i64::MAX);
            wait(end(Kind::Invest), task(Kind::Burnout), rules.set_min, rules.set_max);
            let burnt = task(Kind::Burnout).map(|run| run.start + program.duration);
            wait(burnt, task(Kind::Cast), 0, program.hold_max);
            wait(end(Kind::Cast), task(Kind::Clean), rules.cool_min, rules.cool_max);
        }
    }

    fn kilns(&mut self, tasks: &[&Task], index: &Index<'_>) {
        for run in tasks.iter().filter(|task| task.kind == Kind::Burnout) {
            let name = run.machine.as_deref().unwrap_or("");
            let capacity = self.instance.kilns.iter().find(|kiln| kiln.id == name).map_or(0, |k| k.capacity);
            let programs: Vec<&str> = run
                .flasks
                .iter()
                .filter_map(|f| index.alloy(f))
                .map(|piece| piece.program.as_str())
                .collect();
            let Some(&first) = programs.first() else { continue };
            let fits = run.flasks.len() <= capacity && programs.iter().all(|program| *program == first);
            self.need(fits, Rule::Batch, name, run.start);
            let duration = self.instance.programs.get(first).map_or(0, |program| program.duration);
            let pours =
                run.flasks.iter().filter_map(|flask| index.of_flask.get(&(flask.as_str(), Kind::Cast)));
            let last = pours.map(|task| task.start).max().unwrap_or(0);
            self.need(run.end == last.max(run.start + duration), Rule::Length, name, run.start);
        }
    }

    fn casters(&mut self, tasks: &[&Task], index: &Index<'_>) {
        for caster in &self.instance.casters {
            let here = |task: &&&Task| task.kind == Kind::Cast && task.machine.as_ref() == Some(&caster.id);
            let mut pours: Vec<&Task> = tasks.iter().filter(here).copied().collect();
            pours.sort_by_key(|task| (task.start, task.end));
            let mut before = 0;
            let mut loaded = caster.loaded.as_str();
            for pour in pours {
                let piece = pour.flask.as_deref().and_then(|flask| index.alloy(flask));
                let Some(piece) = piece else { continue };
                self.need(caster.alloys.contains(&piece.alloy), Rule::Ability, &caster.id, pour.start);
                let change = if piece.alloy == loaded { 0 } else { caster.alloy_change };
                self.need(pour.start >= before + change, Rule::Change, &caster.id, pour.start);
                before = pour.end;
                loaded = &piece.alloy;
            }
        }
    }
}
