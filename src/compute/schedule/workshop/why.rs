//! Why a task is where it is: what binds its start, and the chain back to a release, a shift or a decision.
//!
//! Reads only the instance and the plan, so that every step of a chain can be checked: the start of a task is
//! never before the moment its binding cause allows, and equal to it unless somebody waits on purpose.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Instance, Kind, Plan, Task};

/// What binds the start of a task.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The order's release.
    Released {
        /// The order.
        order: String,
    },
    /// A stage before it of a piece or flask in it, and the wait that has to follow.
    Stage {
        /// That task, by its place in the plan.
        task: usize,
    },
    /// The machine was taken, or had to be changed over after that task.
    Machine {
        /// That task.
        task: usize,
    },
    /// The hands were busy with that task.
    Hands {
        /// That task.
        task: usize,
    },
    /// Nobody was there before, or the machine was down.
    Closed {
        /// When it opened.
        until: i64,
    },
    /// It could have started sooner and waits for company: a fuller plate, flask or kiln, or a later stage
    /// whose longest wait would be broken.
    Chosen {
        /// The minutes.
        waits: i64,
    },
}

/// One step of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The task, by its place in the plan.
    pub task: usize,
    /// What binds it.
    pub cause: Cause,
    /// The first minute that the cause allows.
    pub allows: i64,
}

/// An order that is late, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// The order.
    pub order: String,
    /// Minutes.
    pub by: i64,
    /// From its last task back to a root.
    pub chain: Vec<Step>,
}

/// A plan with the indices that questions need.
#[derive(Debug)]
pub struct Explained<'a> {
    instance: &'a Instance,
    plan: &'a Plan,
    /// By piece or flask name and stage.
    stages: BTreeMap<(&'a str, Kind), usize>,
    /// By machine or worker: tasks by start.
    lines: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Explained<'a> {
    /// Indexes a plan.
    #[must_use]
    pub fn new(instance: &'a Instance, plan: &'a Plan) -> Self {
        let mut stages = BTreeMap::new();
        let mut lines: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, task) in plan.tasks.iter().enumerate() {
            let names = task.pieces.iter().chain(&task.piece).chain(&task.flasks).chain(&task.flask);
            stages.extend(names.map(|name| ((name.as_str(), task.kind), index)));
            for name in task.machine.iter().chain(&task.worker) {
                lines.entry(name).or_default().push(index);
            }
        }
        for line in lines.values_mut() {
            line.sort_by_key(|&task| (plan.tasks[task].start, plan.tasks[task].end));
        }
        Self { instance, plan, stages, lines }
    }

    /// What binds a task, or `None` if there is no such task.
    #[must_use]
    pub fn cause(&self, index: usize) -> Option<Step> {
        let task = self.plan.tasks.get(index)?;
        let mut bounds: Vec<(i64, Cause)> = Vec::new();
        self.releases(task, &mut bounds);
        self.stages(task, &mut bounds);
        self.machine(index, task, &mut bounds);
        self.hands(index, task, &mut bounds);
        let (allows, cause) = bounds.into_iter().max().unwrap_or((0, Cause::Closed { until: 0 }));
        let opens = self.opens(task, allows);
        let (allows, cause) =
            if opens > allows { (opens, Cause::Closed { until: opens }) } else { (allows, cause) };
        let waits = task.start - allows;
        let cause = if waits > 0 { Cause::Chosen { waits } } else { cause };
        Some(Step { task: index, cause, allows })
    }

    /// From a task back to a release, an opening or a decision. No task appears twice.
    #[must_use]
    pub fn chain(&self, task: usize) -> Vec<Step> {
        let mut seen = BTreeSet::new();
        let mut chain = Vec::new();
        let mut next = Some(task);
        while let Some(step) = next.filter(|task| seen.insert(*task)).and_then(|task| self.cause(task)) {
            next = match step.cause {
                Cause::Stage { task } | Cause::Machine { task } | Cause::Hands { task } => Some(task),
                Cause::Released { .. } | Cause::Closed { .. } | Cause::Chosen { .. } => None,
            };
            chain.push(step);
        }
        chain
    }

    /// Every late order with its chain, the latest first.
    #[must_use]
    pub fn late(&self) -> Vec<Late> {
        let mut late: Vec<Late> = Vec::new();
        for order in &self.instance.orders {
            let checks = order.pieces.iter().filter_map(|piece| self.stages.get(&(piece.as_str(), Kind::Qc)));
            let Some(&last) = checks.max_by_key(|&&task| self.plan.tasks[task].end) else { continue };
            let by = self.plan.tasks[last].end - order.due;
            if by > 0 {
                late.push(Late { order: order.id.clone(), by, chain: self.chain(last) });
            }
        }
        late.sort_by_key(|late| std::cmp::Reverse(late.by));
        late
    }

    fn releases(&self, task: &Task, bounds: &mut Vec<(i64, Cause)>) {
        if task.kind != Kind::Print {
            return;
        }
        for order in &self.instance.orders {
            if order.pieces.iter().any(|piece| task.pieces.contains(piece)) {
                bounds.push((order.release, Cause::Released { order: order.id.clone() }));
            }
        }
    }

    fn stages(&self, task: &Task, bounds: &mut Vec<(i64, Cause)>) {
        let rules = &self.instance.rules;
        let (before, wait) = match task.kind {
            Kind::Print => return,
            Kind::Wash => (Kind::Print, 0),
            Kind::Cure => (Kind::Wash, 0),
            Kind::Support => (Kind::Cure, 0),
            Kind::Tree => (Kind::Support, 0),
            Kind::Invest => (Kind::Tree, 0),
            Kind::Burnout => (Kind::Invest, rules.set_min),
            Kind::Cast => (Kind::Burnout, 0),
            Kind::Clean => (Kind::Cast, rules.cool_min),
            Kind::Finish => (Kind::Clean, 0),
            Kind::Qc => (Kind::Finish, 0),
        };
        let flask_of = |piece: &String| {
            let tree = self.stages.get(&(piece.as_str(), Kind::Tree))?;
            self.plan.tasks[*tree].flask.as_ref()
        };
        let flask = task.piece.as_ref().filter(|_| task.kind == Kind::Finish).and_then(flask_of);
        let pieces = task.pieces.iter().chain(&task.piece);
        for name in pieces.chain(&task.flasks).chain(&task.flask).chain(flask) {
            let Some(&found) = self.stages.get(&(name.as_str(), before)) else { continue };
            let earlier = &self.plan.tasks[found];
            let end = if before == Kind::Burnout { self.burnt(earlier) } else { earlier.end };
            bounds.push((end + wait, Cause::Stage { task: found }));
        }
    }

    /// When a kiln run's program is over; the kiln itself may be held longer.
    fn burnt(&self, run: &Task) -> i64 {
        let tree = run.flasks.first().and_then(|flask| self.stages.get(&(flask.as_str(), Kind::Tree)));
        let piece = tree.and_then(|&tree| self.plan.tasks[tree].pieces.first());
        let piece = piece.and_then(|name| self.instance.pieces.iter().find(|piece| piece.id == *name));
        let program = piece.and_then(|piece| self.instance.programs.get(&piece.program));
        run.start + program.map_or(0, |program| program.duration)
    }

    fn machine(&self, index: usize, task: &Task, bounds: &mut Vec<(i64, Cause)>) {
        let Some(name) = &task.machine else { return };
        let Some(before) = self.before(name, index) else { return };
        let change = match task.kind {
            Kind::Print => self.print_change(name, &self.plan.tasks[before], task),
            Kind::Cast => self.cast_change(name, &self.plan.tasks[before], task),
            Kind::Wash | Kind::Cure | Kind::Support | Kind::Tree | Kind::Invest | Kind::Burnout => 0,
            Kind::Clean | Kind::Finish | Kind::Qc => 0,
        };
        bounds.push((self.plan.tasks[before].end + change, Cause::Machine { task: before }));
    }

    fn hands(&self, index: usize, task: &Task, bounds: &mut Vec<(i64, Cause)>) {
        let Some(name) = &task.worker else { return };
        let Some(before) = self.before(name, index) else { return };
        bounds.push((self.plan.tasks[before].end, Cause::Hands { task: before }));
    }

    /// What the machine or worker does just before.
    fn before(&self, name: &str, index: usize) -> Option<usize> {
        let line = self.lines.get(name)?;
        let own = line.iter().position(|&task| task == index)?;
        own.checked_sub(1).map(|before| line[before])
    }

    fn print_change(&self, name: &str, before: &Task, task: &Task) -> i64 {
        let Some(printer) = self.instance.printers.iter().find(|printer| printer.id == name) else {
            return 0;
        };
        let resin = |task: &Task| {
            let first = task.pieces.first();
            self.instance.pieces.iter().find(|piece| Some(&piece.id) == first).map(|piece| &piece.resin)
        };
        printer.turnaround + if resin(before) == resin(task) { 0 } else { printer.resin_change }
    }

    fn cast_change(&self, name: &str, before: &Task, task: &Task) -> i64 {
        let Some(caster) = self.instance.casters.iter().find(|caster| caster.id == name) else { return 0 };
        let alloy = |task: &Task| {
            let flask = task.flask.as_deref()?;
            let tree = self.stages.get(&(flask, Kind::Tree))?;
            let first = self.plan.tasks[*tree].pieces.first();
            self.instance.pieces.iter().find(|piece| Some(&piece.id) == first).map(|piece| &piece.alloy)
        };
        if alloy(before) == alloy(task) { 0 } else { caster.alloy_change }
    }

    /// The first minute from `from` on at which the task's people are there and its machine is up.
    fn opens(&self, task: &Task, from: i64) -> i64 {
        let length = task.end - task.start;
        let worker =
            task.worker.as_ref().and_then(|name| self.instance.workers.iter().find(|w| w.id == *name));
        let (windows, asked) = match worker {
            Some(worker) => (&worker.windows, length),
            None => (&self.instance.staffed, 1),
        };
        let fits = |window: &&[i64; 2]| window[0].max(from) + asked <= window[1];
        let opened = windows.iter().find(fits).map_or(from, |window| window[0].max(from));
        let down = task.machine.as_deref().map_or(&[][..], |name| self.down(name));
        let hit = down.iter().find(|interval| interval[0] < opened + length && opened < interval[1]);
        hit.map_or(opened, |interval| interval[1].min(task.start).max(opened))
    }

    fn down(&self, name: &str) -> &[[i64; 2]] {
        let i = self.instance;
        let baths = i.washers.iter().chain(&i.curers).chain(&i.kilns).map(|bath| (&bath.id, &bath.down));
        let printers = i.printers.iter().map(|printer| (&printer.id, &printer.down));
        let casters = i.casters.iter().map(|caster| (&caster.id, &caster.down));
        baths.chain(printers).chain(casters).find(|(id, _)| *id == name).map_or(&[], |(_, down)| down)
    }
}
