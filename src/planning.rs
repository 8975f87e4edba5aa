//! From operations, stations and calendars to a plan with reasons: translates the shop into the indices and
//! seconds of the planning kernel, and its answer back.
//!
//! Pure: the same inputs give the same plan. The verifier is other code than the planner.

use std::collections::BTreeMap;

use sprue_compute::schedule::{
    self, Budget, Choice, Hours, Link, Outcome, Pin, Problem, StationState, Task, Violation,
};

use crate::ids::{OperationId, PieceId};
use crate::planning::calendar::open_intervals;
use crate::shop::operation::{Operation, OperationState};
use crate::shop::order::{Order, Priority};
use crate::shop::piece::Piece;
use crate::shop::plan::{Cause, PlannedOrder, Step, Unplaced};
use crate::shop::shift::Shift;
use crate::shop::workshop::{Person, Station, Workshop, is_print};
use crate::units::{Span, Timestamp};

pub mod calendar;

/// How far ahead is planned. Longer than any burnout, holiday or queue of a workshop; what doesn't fit is said.
const HORIZON: Span = Span::minutes(90 * 24 * 60);
/// How long a finished print may stay on its printer until somebody comes: a long weekend.
const PLATE_WAITS_S: i64 = 5 * 24 * 3600;
/// How much longer something that should be over is taken to last.
const OVERDUE_S: i64 = 5 * 60;
/// A rush order counts eight times (as in the published instances of `scheduling.md` section 3).
const RUSH_WEIGHT: u32 = 8;
/// Complete plans that are tried: each rule once.
const BUDGET: Budget = Budget { decodes: 4 };

/// Whether a station can take work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StationNow {
    /// Now.
    Usable,
    /// Not, and nobody knows until when.
    Out {
        /// Why, and what to do.
        reason: String,
    },
}

/// Everything a plan depends on.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// When.
    pub now: Timestamp,
    /// Stations and people.
    pub workshop: &'a Workshop,
    /// For each station of the workshop.
    pub stations: &'a [StationNow],
    /// What is neither done nor abandoned, by id.
    pub operations: &'a [Operation],
    /// What is done but starts the wait of an open operation.
    pub done: &'a [Operation],
    /// Orders with open work.
    pub orders: &'a [Order],
    /// The pieces in those operations.
    pub pieces: &'a BTreeMap<PieceId, Piece>,
}

/// A plan before it has an id.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// One step for each operation with a place, by start.
    pub steps: Vec<Step>,
    /// Operations without a place.
    pub unplaced: Vec<Unplaced>,
    /// When each order is finished.
    pub orders: Vec<PlannedOrder>,
    /// What the verifier has against it; empty if it may be adopted.
    pub violations: Vec<Violation>,
    /// The problem as it was solved, for the record.
    pub problem: String,
}

/// Makes and verifies a plan.
pub fn make(inputs: &Inputs<'_>) -> Draft {
    let (translation, mut unplaced) = Translation::of(inputs);
    let plan = match schedule::plan(&translation.problem, 0, BUDGET) {
        Ok(plan) => plan,
        Err(failure) => return refused(&translation, &failure),
    };
    let violations = schedule::verify(&translation.problem, &plan);
    let mut steps = Vec::new();
    for (index, outcome) in plan.tasks.iter().enumerate() {
        let Some(operation) = translation.open_operation(index) else { continue };
        match outcome {
            Outcome::Placed(placement) => steps.push(translation.step(operation, placement)),
            Outcome::Unplaced(reason) => unplaced.push(Unplaced {
                operation: operation.id.clone(),
                reason: translation.why_unplaced(inputs, operation, reason),
            }),
        }
    }
    steps.sort_by(|a, b| (a.start, &a.operation).cmp(&(b.start, &b.operation)));
    let orders = finished_orders(inputs, &steps, &unplaced);
    let problem = serde_json::to_string(&translation.problem).unwrap_or_default();
    Draft { steps, unplaced, orders, violations, problem }
}

/// A problem that the kernel refuses is a bug of the translation; nothing is planned, and the record says why.
fn refused(translation: &Translation<'_>, failure: &schedule::Error) -> Draft {
    let reason = format!("the planner refuses the problem: {failure}");
    let unplaced = translation
        .operations
        .iter()
        .filter(|operation| operation.state.is_open())
        .map(|operation| Unplaced { operation: operation.id.clone(), reason: reason.clone() });
    Draft {
        steps: Vec::new(),
        unplaced: unplaced.collect(),
        orders: Vec::new(),
        violations: Vec::new(),
        problem: reason,
    }
}

/// The kernel's problem with the operations behind its indices.
struct Translation<'a> {
    problem: Problem,
    operations: Vec<&'a Operation>,
    stations: Vec<&'a Station>,
    people: Vec<&'a str>,
}

impl<'a> Translation<'a> {
    fn of(inputs: &Inputs<'a>) -> (Self, Vec<Unplaced>) {
        let (operations, unplaced) = plannable(inputs);
        let index: BTreeMap<&OperationId, usize> =
            operations.iter().enumerate().map(|(index, operation)| (&operation.id, index)).collect();
        let now = seconds_up(inputs.now);
        let horizon = now + seconds_of(HORIZON);
        let due = due_of(inputs, &operations);
        let skills = Skills::of(inputs.workshop);
        let tasks = operations.iter().enumerate().map(|(position, operation)| {
            task_of(inputs, operation, &index, &operations, due.get(&position).copied(), &skills)
        });
        let people = &inputs.workshop.people;
        let everybody: Vec<Shift> = people.iter().flat_map(|person| person.shifts.clone()).collect();
        let open = |shifts: &[Shift]| calendar_of(inputs, shifts, horizon);
        let stations = inputs.workshop.stations.iter().zip(inputs.stations).map(|(station, state)| {
            schedule::Station {
                // A printer may start at any hour; people work in theirs.
                calendar: if station.prints() { schedule::Calendar::Always } else { open(&everybody) },
                closures: Vec::new(),
                capacity: station.capacity,
                loaded: None,
                change: None,
                state: match state {
                    StationNow::Usable => StationState::Free { from: now },
                    StationNow::Out { .. } => StationState::Down,
                },
            }
        });
        let people = people.iter().map(|person| schedule::Person {
            calendar: open(&person.shifts),
            skills: skills.of_person(person),
        });
        let problem = Problem {
            now,
            horizon,
            tasks: tasks.collect(),
            stations: stations.collect(),
            people: people.collect(),
        };
        let translation = Self {
            problem,
            operations,
            stations: inputs.workshop.stations.iter().collect(),
            people: inputs.workshop.people.iter().map(|person| person.name.as_str()).collect(),
        };
        (translation, unplaced)
    }

    fn open_operation(&self, index: usize) -> Option<&'a Operation> {
        self.operations.get(index).copied().filter(|operation| operation.state.is_open())
    }

    fn step(&self, operation: &Operation, placement: &schedule::Placement) -> Step {
        let person = placement.start_person.or(placement.end_person);
        Step {
            operation: operation.id.clone(),
            station: self.stations.get(placement.station).map_or_else(String::new, |s| s.name.clone()),
            person: person.and_then(|index| self.people.get(index)).map(|name| (*name).to_owned()),
            start: timestamp(placement.start),
            end: timestamp(placement.end),
            cause: self.cause(placement.cause),
        }
    }

    fn cause(&self, cause: schedule::Cause) -> Cause {
        let id = |task: usize| self.operations.get(task).map(|operation| operation.id.clone());
        let named = |task: usize, make: fn(OperationId) -> Cause| id(task).map_or(Cause::Now, make);
        match cause {
            schedule::Cause::Now | schedule::Cause::Released => Cause::Now,
            schedule::Cause::Predecessor { task } => named(task, |operation| Cause::After { operation }),
            schedule::Cause::StationBusy { task } => {
                named(task, |operation| Cause::StationBusy { operation })
            }
            schedule::Cause::PersonBusy { task: Some(task), .. } => {
                named(task, |operation| Cause::PersonBusy { operation })
            }
            schedule::Cause::PersonBusy { task: None, .. }
            | schedule::Cause::StationClosed { .. }
            | schedule::Cause::HoursClosed { .. }
            | schedule::Cause::PeopleAway { .. } => Cause::Closed,
            schedule::Cause::SuccessorWindow { task } => {
                named(task, |operation| Cause::WindowOf { operation })
            }
            schedule::Cause::MaterialChange { .. } => Cause::MaterialChange,
            schedule::Cause::Pinned => Cause::Fixed,
        }
    }

    fn why_unplaced(
        &self,
        inputs: &Inputs<'_>,
        operation: &Operation,
        reason: &schedule::Unplaced,
    ) -> String {
        let able = inputs.workshop.stations.iter().zip(inputs.stations).filter(|(s, _)| s.fits(operation));
        let mut out = Vec::new();
        for (_, state) in able {
            match state {
                StationNow::Usable => return reason_text(reason, &self.operations),
                StationNow::Out { reason } => out.push(reason.clone()),
            }
        }
        if out.is_empty() {
            return match &operation.print_on {
                Some(on) => format!(
                    "no printer of the profile {} has {} loaded; load it, or hold and release the order to choose anew",
                    on.printer, on.material
                ),
                None => {
                    format!("no station does {}; add the ability to one in the shop file", operation.ability)
                }
            };
        }
        out.join("; ")
    }
}

/// Abilities as the kernel's skills: what a person can do, by the names of what stations can.
struct Skills<'a>(Vec<&'a str>);

impl<'a> Skills<'a> {
    fn of(workshop: &'a Workshop) -> Self {
        let mut names: Vec<&str> = workshop
            .stations
            .iter()
            .flat_map(|station| station.abilities.iter().map(String::as_str))
            .collect();
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    fn of_ability(&self, ability: &str) -> Option<usize> {
        self.0.iter().position(|name| *name == ability)
    }

    fn of_person(&self, person: &Person) -> Vec<usize> {
        let can =
            |name: &str| person.skills.as_ref().is_none_or(|skills| skills.iter().any(|skill| skill == name));
        self.0.iter().enumerate().filter(|(_, name)| can(name)).map(|(index, _)| index).collect()
    }
}

fn reason_text(reason: &schedule::Unplaced, operations: &[&Operation]) -> String {
    let title = |task: usize| operations.get(task).map_or("a step", |operation| operation.title.as_str());
    match reason {
        schedule::Unplaced::Predecessor { task } => format!("{} before it has no place", title(*task)),
        schedule::Unplaced::NoStation => "every station that could do it is out of order".to_owned(),
        schedule::Unplaced::NoMaterial { .. } => "no station has its material loaded; load it".to_owned(),
        schedule::Unplaced::NoPerson { .. } => {
            "nobody who can do it has a shift; add one to the shop file".to_owned()
        }
        schedule::Unplaced::NoTime => {
            "it doesn't fit before the end of the plan; add shifts or stations, or move other work".to_owned()
        }
        schedule::Unplaced::Window { task } => format!(
            "it can't begin within the longest wait after {}; add a shift so that both fit",
            title(*task)
        ),
        schedule::Unplaced::PinnedSuccessor { task } => {
            format!("{} after it is fixed too early", title(*task))
        }
        schedule::Unplaced::Companion { task } => {
            format!("{} must follow within its longest wait, and has no place", title(*task))
        }
    }
}

/// What the kernel can plan, and why the rest can't be.
fn plannable<'a>(inputs: &Inputs<'a>) -> (Vec<&'a Operation>, Vec<Unplaced>) {
    let mut blocked: BTreeMap<&OperationId, String> = BTreeMap::new();
    let mut planned: Vec<&Operation> = inputs.done.iter().filter(|operation| is_done(operation)).collect();
    let mut open: Vec<&Operation> = inputs.operations.iter().collect();
    open.sort_by_key(|operation| (operation.plate.clone(), operation.step));
    for operation in open {
        let blocker = operation.after.iter().find_map(|before| blocked.get(before));
        match why_blocked(inputs, operation).or_else(|| blocker.cloned()) {
            Some(reason) => {
                blocked.insert(&operation.id, reason);
            }
            None => planned.push(operation),
        }
    }
    let unplaced =
        blocked.into_iter().map(|(id, reason)| Unplaced { operation: id.clone(), reason }).collect();
    (planned, unplaced)
}

fn is_done(operation: &Operation) -> bool {
    matches!(operation.state, OperationState::Done { .. })
}

fn why_blocked(inputs: &Inputs<'_>, operation: &Operation) -> Option<String> {
    if let OperationState::Failed { cause, .. } = &operation.state {
        return Some(format!("{} failed: {cause}; start it again or give it up", operation.title));
    }
    if operation.state.occupies().is_some() {
        return None;
    }
    let held = |piece: &&PieceId| inputs.pieces.get(piece).is_some_and(|piece| piece.hold.is_some());
    let piece = operation.pieces.iter().find(held)?;
    let piece = inputs.pieces.get(piece)?;
    piece.hold.as_ref().map(|reason| format!("piece {} is held: {reason}", piece.external_ref))
}

/// The last operation of each piece carries its order's due date.
fn due_of(inputs: &Inputs<'_>, operations: &[&Operation]) -> BTreeMap<usize, (i64, u32)> {
    let mut last: BTreeMap<&PieceId, usize> = BTreeMap::new();
    for (index, operation) in operations.iter().enumerate() {
        for piece in &operation.pieces {
            let later = |known: &&mut usize| operations[**known].step < operation.step;
            match last.get_mut(piece) {
                Some(known) if later(&known) => *known = index,
                Some(_) => {}
                None => {
                    last.insert(piece, index);
                }
            }
        }
    }
    let orders: BTreeMap<_, _> = inputs.orders.iter().map(|order| (&order.id, order)).collect();
    let mut due: BTreeMap<usize, (i64, u32)> = BTreeMap::new();
    for (piece, index) in last {
        let order = inputs.pieces.get(piece).and_then(|piece| orders.get(&piece.order));
        let Some(order) = order else { continue };
        let weight = match order.priority {
            Priority::Normal => 1,
            Priority::Rush => RUSH_WEIGHT,
        };
        let entry = due.entry(index).or_insert((i64::MAX, 0));
        *entry = (entry.0.min(order.due.0.div_euclid(1000)), entry.1.max(weight));
    }
    due
}

fn task_of(
    inputs: &Inputs<'_>,
    operation: &Operation,
    index: &BTreeMap<&OperationId, usize>,
    operations: &[&Operation],
    due: Option<(i64, u32)>,
    skills: &Skills<'_>,
) -> Task {
    let now = seconds_up(inputs.now);
    let stations = inputs.workshop.stations.iter().enumerate();
    let choices = stations.filter(|(_, station)| station.fits(operation));
    let pin = pin_of(inputs, operation);
    let predecessors = if pin.is_some() { Vec::new() } else { links_of(operation, index, operations, now) };
    Task {
        choices: choices.map(|(station, _)| choice_of(station, operation)).collect(),
        skill: skills.of_ability(&operation.ability),
        material: None,
        predecessors,
        release: now,
        due: due.map(|(due, _)| due),
        weight: due.map_or(1, |(_, weight)| weight),
        hours: if operation.unattended { Hours::Across } else { Hours::Open },
        pin,
    }
}

fn choice_of(station: usize, operation: &Operation) -> Choice {
    let (elapsed, attended) = (seconds_of(operation.elapsed), seconds_of(operation.attended));
    if is_print(&operation.ability) {
        // The hands-on part of a print comes last: the plate is taken off and the printer made ready.
        return Choice {
            station,
            elapsed_s: elapsed + attended,
            attended_start_s: 0,
            attended_end_s: attended,
            end_wait_max_s: PLATE_WAITS_S,
        };
    }
    let elapsed_s = elapsed.max(attended);
    Choice { station, elapsed_s, attended_start_s: attended, attended_end_s: 0, end_wait_max_s: 0 }
}

/// What is under way, over, or lost sight of, stays where it is.
fn pin_of(inputs: &Inputs<'_>, operation: &Operation) -> Option<Pin> {
    let (station, since, end) = match &operation.state {
        OperationState::Starting { station, since, .. }
        | OperationState::Running { station, since, .. }
        | OperationState::Held { station, since, .. }
        | OperationState::Unknown { station, since, .. } => {
            let expected = since.after(operation.elapsed).0.div_euclid(1000);
            let overdue = seconds_up(inputs.now) + OVERDUE_S;
            (station, since, expected.max(overdue))
        }
        OperationState::Done { station, since, at } => (station, since, seconds_up(*at)),
        OperationState::Planned | OperationState::Failed { .. } | OperationState::Abandoned { .. } => {
            return None;
        }
    };
    let station = inputs.workshop.stations.iter().position(|known| known.name == *station)?;
    let start = since.0.div_euclid(1000).min(end - 1);
    Some(Pin { station, start, end, start_person: None, end_person: None, setup: None })
}

fn links_of(
    operation: &Operation,
    index: &BTreeMap<&OperationId, usize>,
    operations: &[&Operation],
    now: i64,
) -> Vec<Link> {
    let mut links = Vec::new();
    for before in &operation.after {
        let Some(&task) = index.get(before) else { continue };
        let max_s = operation.max_wait.map(seconds_of);
        // A wait that is over already can't be kept any more; a person decides when it begins.
        let past = match &operations[task].state {
            OperationState::Done { at, .. } => {
                max_s.is_some_and(|max| seconds_up(*at) + max < now + OVERDUE_S)
            }
            OperationState::Planned
            | OperationState::Starting { .. }
            | OperationState::Running { .. }
            | OperationState::Held { .. }
            | OperationState::Unknown { .. }
            | OperationState::Failed { .. }
            | OperationState::Abandoned { .. } => false,
        };
        links.push(Link { task, min_s: seconds_of(operation.min_wait), max_s: max_s.filter(|_| !past) });
    }
    links
}

fn calendar_of(inputs: &Inputs<'_>, shifts: &[Shift], horizon: i64) -> schedule::Calendar {
    // From yesterday, so that a shift that is on now is whole.
    let from = Timestamp(inputs.now.0 - seconds_of(Span::minutes(24 * 60)) * 1000);
    let open = open_intervals(shifts, &inputs.workshop.zone, from, timestamp(horizon));
    let intervals = open
        .into_iter()
        .map(|open| schedule::Interval { start: seconds_up(open.start), end: open.end.0.div_euclid(1000) });
    schedule::Calendar::Open(intervals.filter(|open| open.start < open.end).collect())
}

/// An order is finished with its last step; without a date if any piece has a step without a place.
fn finished_orders(inputs: &Inputs<'_>, steps: &[Step], unplaced: &[Unplaced]) -> Vec<PlannedOrder> {
    let by_id: BTreeMap<_, _> =
        inputs.operations.iter().map(|operation| (&operation.id, operation)).collect();
    let mut ends: BTreeMap<&PieceId, Timestamp> = BTreeMap::new();
    for step in steps {
        for piece in by_id.get(&step.operation).map_or(&[][..], |operation| operation.pieces.as_slice()) {
            let end = ends.entry(piece).or_insert(step.end);
            *end = (*end).max(step.end);
        }
    }
    let stuck: Vec<&PieceId> = unplaced
        .iter()
        .filter_map(|entry| by_id.get(&entry.operation))
        .flat_map(|operation| operation.pieces.iter())
        .collect();
    let mut orders = Vec::new();
    for order in inputs.orders {
        let open: Vec<&PieceId> =
            order.pieces.iter().filter(|piece| inputs.pieces.contains_key(*piece)).collect();
        let all =
            !open.is_empty() && open.iter().all(|piece| ends.contains_key(*piece) && !stuck.contains(piece));
        let finished = open.iter().filter_map(|piece| ends.get(*piece)).max();
        if let (true, Some(&finished)) = (all, finished) {
            orders.push(PlannedOrder { order: order.id.clone(), finished, late: finished > order.due });
        }
    }
    orders
}

fn seconds_up(at: Timestamp) -> i64 {
    at.0.div_euclid(1000) + i64::from(at.0.rem_euclid(1000) != 0)
}

fn seconds_of(span: Span) -> i64 {
    i64::try_from(span.0.div_ceil(1000)).unwrap_or(i64::MAX / 4)
}

fn timestamp(seconds: i64) -> Timestamp {
    Timestamp(seconds.saturating_mul(1000))
}
