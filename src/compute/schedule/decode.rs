//! From an order of groups to a complete plan.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::chains::Groups;
use super::place::{Bounds, earliest};
use super::state::{Placed, Shop, State};
use super::{Cause, Outcome, Plan, Problem, Rule, Unplaced};

/// How often a group of tied tasks is moved later before it is given up. In the generated shops of 1,000 pieces
/// the longest took 27 tries.
const TRIES_MAX: usize = 200;

/// How good a plan is; less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Score {
    unplaced: usize,
    weighted_tardiness: i64,
    makespan: i64,
}

/// A complete plan while it is worked on.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    state: State,
    unplaced: Vec<Option<Unplaced>>,
    /// The groups in the order in which they were placed.
    pub(super) sequence: Vec<usize>,
    pub(super) score: Score,
}

/// Places one group after the other: of those whose predecessors are placed, the one with the smallest key.
///
/// `key` gets the group and when it could start.
pub(super) fn decode(
    shop: &Shop<'_>,
    start: &State,
    groups: &Groups,
    key: impl Fn(usize, i64) -> i64,
) -> Decoded {
    let mut decoder = Decoder {
        shop,
        state: start.clone(),
        unplaced: vec![None; shop.problem.tasks.len()],
        pinned_successors: pinned_successors(shop.problem),
    };
    let mut waits_for = groups.waits_for.clone();
    let mut sequence = Vec::with_capacity(waits_for.len());
    let mut ready = BinaryHeap::new();
    let entry = |decoder: &Decoder<'_>, group: usize| {
        Reverse((key(group, decoder.ready(&groups.members[group])), group))
    };
    ready.extend(
        (0..waits_for.len()).filter(|&group| waits_for[group] == 0).map(|group| entry(&decoder, group)),
    );
    while let Some(Reverse((_, group))) = ready.pop() {
        sequence.push(group);
        decoder.place_group(&groups.members[group]);
        for &follower in &groups.followers[group] {
            waits_for[follower] -= 1;
            if waits_for[follower] == 0 {
                ready.push(entry(&decoder, follower));
            }
        }
    }
    let score = score(shop.problem, &decoder.state);
    Decoded { state: decoder.state, unplaced: decoder.unplaced, sequence, score }
}

impl Decoded {
    /// Whether a task is late.
    pub(super) fn is_late(&self, problem: &Problem, task: usize) -> bool {
        let end = self.state.placed[task].as_ref().map(|placed| placed.placement.end);
        end.zip(problem.tasks[task].due).is_some_and(|(end, due)| end > due)
    }

    /// The plan as it is handed out.
    pub(super) fn into_plan(self, rule: Rule) -> Plan {
        let outcome = |(placed, unplaced): (Option<Placed>, Option<Unplaced>)| match placed {
            Some(placed) => Outcome::Placed(placed.placement),
            None => Outcome::Unplaced(unplaced.unwrap_or(Unplaced::NoTime)),
        };
        let tasks = self.state.placed.into_iter().zip(self.unplaced).map(outcome).collect();
        let Score { weighted_tardiness, makespan, .. } = self.score;
        Plan { tasks, weighted_tardiness, makespan, rule }
    }
}

fn score(problem: &Problem, state: &State) -> Score {
    let mut score = Score { unplaced: 0, weighted_tardiness: 0, makespan: problem.now };
    for (task, placed) in problem.tasks.iter().zip(&state.placed) {
        let Some(placed) = placed else {
            score.unplaced += 1;
            continue;
        };
        let end = placed.placement.end;
        let late = task.due.map_or(0, |due| (end - due).max(0));
        let cost = late.saturating_mul(i64::from(task.weight));
        score.weighted_tardiness = score.weighted_tardiness.saturating_add(cost);
        score.makespan = score.makespan.max(end);
    }
    score
}

/// What a pinned successor asks of a task's end.
#[derive(Debug, Clone, Copy)]
struct EndBounds {
    successor: usize,
    earliest: Option<i64>,
    latest: i64,
}

fn pinned_successors(problem: &Problem) -> BTreeMap<usize, Vec<EndBounds>> {
    let mut bounds: BTreeMap<usize, Vec<EndBounds>> = BTreeMap::new();
    for (successor, task) in problem.tasks.iter().enumerate() {
        let Some(pin) = &task.pin else { continue };
        for link in &task.predecessors {
            let earliest = link.max_s.map(|max_s| pin.start - max_s);
            let latest = pin.start - link.min_s;
            bounds.entry(link.task).or_default().push(EndBounds { successor, earliest, latest });
        }
    }
    bounds
}

struct Decoder<'a> {
    shop: &'a Shop<'a>,
    state: State,
    unplaced: Vec<Option<Unplaced>>,
    pinned_successors: BTreeMap<usize, Vec<EndBounds>>,
}

/// A task of a group that starts too late after a predecessor; which member has to be placed anew from.
struct Broken {
    from: usize,
}

/// What a group has learned from the tries so far.
#[derive(Default)]
struct Lessons {
    /// Per task, before which time it must not be over, and which successor says so.
    ends: BTreeMap<usize, (i64, usize)>,
    /// Per successor that made its predecessors wait, its start then and what kept it.
    kept_by: BTreeMap<usize, (i64, Cause)>,
    /// The window that was broken last: predecessor and successor.
    window: Option<(usize, usize)>,
}

impl Decoder<'_> {
    /// When all predecessors of a group are over and one of its tasks is released.
    fn ready(&self, members: &[usize]) -> i64 {
        let tasks = &self.shop.problem.tasks;
        let released = members.iter().map(|&task| tasks[task].release).min().unwrap_or(i64::MIN);
        let links = members.iter().flat_map(|&task| &tasks[task].predecessors);
        let ends = links.filter_map(|link| Some(self.state.placed[link.task].as_ref()?.placement.end));
        ends.fold(released.max(self.shop.problem.now), i64::max)
    }

    /// Places all tasks of a group, or none.
    fn place_group(&mut self, members: &[usize]) {
        let mut lessons = Lessons::default();
        let mut next = 0;
        for _ in 0..TRIES_MAX {
            match self.place_from(members, next, &mut lessons) {
                Ok(None) => return self.explain(members, &lessons),
                Ok(Some(broken)) => next = broken.from,
                // Moved later and later until no time was left: the window is to blame.
                Err((_, Unplaced::NoTime)) if lessons.window.is_some() => break,
                Err((task, reason)) => return self.give_up(members, task, reason),
            }
            members[next..].iter().for_each(|&task| self.state.give_back(task));
        }
        if let Some((task, successor)) = lessons.window {
            self.give_up(members, successor, Unplaced::Window { task });
        }
    }

    /// Places the members from the `next` one on, until one breaks a window.
    fn place_from(
        &mut self,
        members: &[usize],
        next: usize,
        lessons: &mut Lessons,
    ) -> Result<Option<Broken>, (usize, Unplaced)> {
        for &task in &members[next..] {
            let placed = self.place(task, lessons).map_err(|reason| (task, reason))?;
            let (start, cause) = (placed.placement.start, placed.placement.cause);
            self.state.take(task, placed);
            if let Some(broken) = self.broken(members, task, start, lessons)? {
                lessons.kept_by.insert(task, (start, cause));
                return Ok(Some(broken));
            }
        }
        Ok(None)
    }

    fn place(&self, task: usize, lessons: &Lessons) -> Result<Placed, Unplaced> {
        let pinned = self.pinned_successors.get(&task).map_or(&[][..], Vec::as_slice);
        let mut bounds = self.bounds(task)?;
        bounds.end = lessons.ends.get(&task).copied();
        for asked in pinned {
            if let Some(end) = asked.earliest.filter(|&end| bounds.end.is_none_or(|(other, _)| end > other)) {
                bounds.end = Some((end, asked.successor));
            }
        }
        let placed = earliest(self.shop, &self.state, task, bounds)?;
        match pinned.iter().find(|asked| placed.placement.end > asked.latest) {
            Some(asked) => Err(Unplaced::PinnedSuccessor { task: asked.successor }),
            None => Ok(placed),
        }
    }

    fn bounds(&self, task: usize) -> Result<Bounds, Unplaced> {
        let now = self.shop.problem.now;
        let release = self.shop.problem.tasks[task].release;
        let mut bounds = Bounds { start: now, cause: Cause::Now, end: None };
        if release > now {
            bounds = Bounds { start: release, cause: Cause::Released, end: None };
        }
        for link in &self.shop.problem.tasks[task].predecessors {
            let before = self.state.placed[link.task].as_ref();
            let end = before.ok_or(Unplaced::Predecessor { task: link.task })?.placement.end;
            if end + link.min_s > bounds.start {
                let cause = Cause::Predecessor { task: link.task };
                bounds = Bounds { start: end + link.min_s, cause, end: None };
            }
        }
        Ok(bounds)
    }

    /// Where to begin anew if `task` starts too late after predecessors: they have to end later.
    fn broken(
        &self,
        members: &[usize],
        task: usize,
        start: i64,
        lessons: &mut Lessons,
    ) -> Result<Option<Broken>, (usize, Unplaced)> {
        let mut from = None;
        for link in &self.shop.problem.tasks[task].predecessors {
            let (Some(max_s), Some(before)) = (link.max_s, &self.state.placed[link.task]) else { continue };
            if before.placement.end + max_s >= start {
                continue;
            }
            let member = members.iter().position(|&member| member == link.task);
            let member = member.ok_or((task, Unplaced::Window { task: link.task }))?;
            lessons.ends.insert(link.task, (start - max_s, task));
            lessons.window = Some((link.task, task));
            from = Some(from.map_or(member, |from: usize| from.min(member)));
        }
        Ok(from.map(|from| Broken { from }))
    }

    fn give_up(&mut self, members: &[usize], failed: usize, reason: Unplaced) {
        for &task in members {
            self.state.give_back(task);
            let own = if task == failed { reason } else { Unplaced::Companion { task: failed } };
            self.unplaced[task] = Some(own);
        }
    }

    /// A successor that made its predecessor wait now starts as soon as that one is over. What kept it in the
    /// first place says more, unless it was another member, which may have moved since.
    fn explain(&mut self, members: &[usize], lessons: &Lessons) {
        for &task in members {
            let Some(placed) = &self.state.placed[task] else { continue };
            let Cause::Predecessor { task: before } = placed.placement.cause else { continue };
            let waited = lessons.ends.get(&before).is_some_and(|&(_, successor)| successor == task);
            let kept =
                lessons.kept_by.get(&task).filter(|(start, _)| waited && *start == placed.placement.start);
            if let Some(&(_, cause)) = kept.filter(|(_, cause)| !names_any(*cause, members)) {
                self.state.explain(task, cause);
            }
        }
    }
}

fn names_any(cause: Cause, members: &[usize]) -> bool {
    match cause {
        Cause::Predecessor { task } | Cause::StationBusy { task } | Cause::SuccessorWindow { task } => {
            members.contains(&task)
        }
        // Which work keeps a person busy is looked up in the finished plan.
        Cause::PersonBusy { .. }
        | Cause::Now
        | Cause::Released
        | Cause::StationClosed { .. }
        | Cause::HoursClosed { .. }
        | Cause::PeopleAway { .. }
        | Cause::MaterialChange { .. }
        | Cause::Pinned => false,
    }
}
