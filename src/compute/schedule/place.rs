//! The earliest place for one task, given what is already taken.
//!
//! A start is pushed later by one constraint after another until none of them objects. Every push goes to the
//! earliest time that the objecting constraint alone allows, so that the first start to which nobody objects is
//! the earliest at all; the last push is the binding cause.

use super::state::{Placed, Shop, State};
use super::timeline::{FreeTime, Gap, Place, Taken};
use super::{Cause, Choice, Hours, Placement, Setup, StationState, Task, Unplaced};

/// From when a task may start and end, and what says so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) start: i64,
    pub(super) cause: Cause,
    /// Not over before this time, if a successor can't start early enough.
    pub(super) end: Option<(i64, usize)>,
}

/// What a search is about: one task at one place of one station.
struct Query<'a> {
    shop: &'a Shop<'a>,
    state: &'a State,
    task: &'a Task,
    index: usize,
    choice: &'a Choice,
    place: &'a Place,
    hours: &'a FreeTime,
    people: &'a [usize],
    bounds: Bounds,
}

/// Later, and why; `None` if there is no later time that could do.
type Push = Option<(i64, Cause)>;

/// The placement of a task that ends first; of equals the first station.
///
/// # Errors
/// Why there is none.
pub(super) fn earliest(
    shop: &Shop<'_>,
    state: &State,
    index: usize,
    bounds: Bounds,
) -> Result<Placed, Unplaced> {
    let task = &shop.problem.tasks[index];
    let mut best: Option<Placed> = None;
    let mut obstacle = Unplaced::NoStation;
    for choice in &task.choices {
        if let Err(reason) = able(shop, task, choice) {
            // Of several reasons the one that got furthest says most.
            obstacle = if obstacle == Unplaced::NoStation { reason } else { obstacle };
            continue;
        }
        obstacle = Unplaced::NoTime;
        for (place, _) in state.places[choice.station].iter().enumerate() {
            let query = Query::new(shop, state, index, choice, place, bounds);
            let ends_before = best.as_ref().map_or(i64::MAX, |best| best.placement.end);
            let (found, crowded) = query.search(place, ends_before);
            best = found.or(best);
            if !crowded {
                break;
            }
        }
    }
    best.ok_or(obstacle)
}

/// Whether a choice could do at some time.
fn able(shop: &Shop<'_>, task: &Task, choice: &Choice) -> Result<(), Unplaced> {
    let station = &shop.problem.stations[choice.station];
    if station.state == StationState::Down {
        return Err(Unplaced::NoStation);
    }
    let attended = choice.attended_start_s > 0 || choice.attended_end_s > 0;
    if attended && shop.skilled(task.skill).is_empty() {
        return Err(Unplaced::NoPerson { skill: task.skill });
    }
    let Some(material) = task.material.filter(|&material| station.loaded != Some(material)) else {
        return Ok(());
    };
    let change = station.change.as_ref().ok_or(Unplaced::NoMaterial { material })?;
    if shop.skilled(change.skill).is_empty() {
        return Err(Unplaced::NoPerson { skill: change.skill });
    }
    Ok(())
}

impl<'a> Query<'a> {
    fn new(
        shop: &'a Shop<'a>,
        state: &'a State,
        index: usize,
        choice: &'a Choice,
        place: usize,
        bounds: Bounds,
    ) -> Self {
        let task = &shop.problem.tasks[index];
        Self {
            shop,
            state,
            task,
            index,
            choice,
            place: &state.places[choice.station][place],
            hours: &shop.hours[choice.station],
            people: shop.skilled(task.skill),
            bounds,
        }
    }

    /// Pushes the start until nothing objects, as long as the task can end before `ends_before`.
    ///
    /// Also says whether the place itself ever objected: if not, the station's other places are no better.
    fn search(&self, place: usize, ends_before: i64) -> (Option<Placed>, bool) {
        let latest_end = self.shop.problem.horizon.min(ends_before.saturating_sub(1));
        let (mut start, mut cause) = self.lower_bound();
        let mut crowded = false;
        while start + self.choice.elapsed_s <= latest_end {
            match self.try_at(start, cause) {
                Ok(found) if found.placement.end > latest_end => break,
                Ok(found) => return (Some(Placed { place, ..found }), crowded),
                Err(Some(push)) => (start, cause) = push,
                Err(None) => break,
            }
            crowded |= matches!(cause, Cause::StationBusy { .. } | Cause::StationClosed { .. });
        }
        (None, crowded)
    }

    fn lower_bound(&self) -> (i64, Cause) {
        let mut bound = (self.bounds.start, self.bounds.cause);
        if let StationState::Free { from } = self.shop.problem.stations[self.choice.station].state
            && from > bound.0
        {
            bound = (from, Cause::StationClosed { until: from });
        }
        if let Some((end, successor)) = self.bounds.end {
            let wait = if self.choice.attended_end_s > 0 { self.choice.end_wait_max_s } else { 0 };
            let start = end - self.choice.elapsed_s - wait;
            if start > bound.0 {
                bound = (start, Cause::SuccessorWindow { task: successor });
            }
        }
        bound
    }

    /// The placement that starts exactly at `start`, or the next start that the first objector allows.
    fn try_at(&self, start: i64, cause: Cause) -> Result<Placed, Push> {
        self.in_hours(start)?;
        let gap = self.in_gap(start, start + self.choice.elapsed_s)?;
        let setup = self.loaded(start, gap)?;
        let start_person = self.attended_start(start)?;
        let (end, end_person) = self.attended_end(start)?;
        if self.task.hours == Hours::Open && self.hours.open_until(start).is_none_or(|until| end > until) {
            return Err(self.hours.open_until(start).and_then(|until| self.next_hours(until)));
        }
        self.before_next(gap, end)?;
        let station = self.choice.station;
        let placement = Placement { station, start, end, start_person, end_person, setup, cause };
        Ok(Placed {
            place: 0,
            taken: Taken {
                start: setup.map_or(start, |setup| setup.start),
                end,
                task: Some(self.index),
                material: self.task.material,
                changed: setup.is_some(),
            },
            attended_start_s: self.choice.attended_start_s,
            attended_end_s: self.choice.attended_end_s,
            placement,
        })
    }

    fn in_hours(&self, start: i64) -> Result<(), Push> {
        if self.hours.next_fit(start, self.open_length()) == Some(start) {
            return Ok(());
        }
        Err(self.next_hours(start))
    }

    fn next_hours(&self, from: i64) -> Push {
        let until = self.hours.next_fit(from, self.open_length())?;
        Some((until, Cause::HoursClosed { until }))
    }

    /// How much from the start on has to lie in open hours, whatever happens at the end.
    fn open_length(&self) -> i64 {
        match self.task.hours {
            Hours::Open => self.choice.elapsed_s,
            Hours::Across => self.choice.attended_start_s.max(1),
        }
    }

    fn in_gap(&self, start: i64, end: i64) -> Result<Gap, Push> {
        let gap = self.place.gap(start).map_err(|taken| Some(after(&taken)))?;
        self.before_next(gap, end)?;
        Ok(gap)
    }

    fn before_next(&self, gap: Gap, end: i64) -> Result<(), Push> {
        match self.place.after(gap) {
            Some(next) if next.start < end => Err(Some(after(next))),
            Some(_) | None => Ok(()),
        }
    }

    /// The material change that has to come before, if any, as late as people allow.
    fn loaded(&self, start: i64, gap: Gap) -> Result<Option<Setup>, Push> {
        let Some(material) = self.task.material else { return Ok(None) };
        if self.place.loaded(gap) == Some(material) {
            return Ok(None);
        }
        if !self.place.may_change(gap, material) {
            return Err(self.place.after(gap).map(after));
        }
        let station = &self.shop.problem.stations[self.choice.station];
        let change = station.change.as_ref().ok_or(None)?;
        let free_from = match station.state {
            StationState::Free { from } => from.max(self.shop.problem.now),
            StationState::Down => return Err(None),
        };
        let from = (start - change.duration_s).max(gap.start).max(free_from);
        let people = self.shop.skilled(change.skill);
        let (begin, person) = self.with_person(people, from, change.duration_s).ok_or(None)?;
        let end = begin + change.duration_s;
        if end > start {
            return Err(Some((end, Cause::MaterialChange { until: end })));
        }
        Ok(Some(Setup { start: begin, end, person }))
    }

    fn attended_start(&self, start: i64) -> Result<Option<usize>, Push> {
        let length = self.choice.attended_start_s;
        if length == 0 {
            return Ok(None);
        }
        let (at, person) = self.first_free(self.people, start, length).ok_or(None)?;
        if at > start { Err(Some((at, self.people_cause(at, person)))) } else { Ok(Some(person)) }
    }

    /// The end, and who attends it. The start is pushed if finished work would have to wait too long.
    fn attended_end(&self, start: i64) -> Result<(i64, Option<usize>), Push> {
        let finished = start + self.choice.elapsed_s - self.choice.attended_end_s;
        let length = self.choice.attended_end_s;
        if length == 0 {
            return Ok((finished, None));
        }
        let asked = self.bounds.end.map_or(finished, |(end, _)| finished.max(end - length));
        let (at, person) = self.with_person(self.people, asked, length).ok_or(None)?;
        let wait = self.choice.end_wait_max_s;
        if at - finished > wait {
            let cause = self.end_cause(asked, at, person);
            return Err(Some((at - wait - self.choice.elapsed_s + length, cause)));
        }
        Ok((at + length, Some(person)))
    }

    fn end_cause(&self, asked: i64, at: i64, person: usize) -> Cause {
        match self.hours.next_fit(asked, self.choice.attended_end_s) {
            Some(open) if open > asked => Cause::HoursClosed { until: open },
            Some(_) | None => self.people_cause(at, person),
        }
    }

    /// Who could attend `length` seconds first, in the station's hours, and from when.
    fn with_person(&self, people: &[usize], from: i64, length: i64) -> Option<(i64, usize)> {
        let mut from = from;
        loop {
            from = self.hours.next_fit(from, length)?;
            let (at, person) = self.first_free(people, from, length)?;
            if at == from {
                return Some((at, person));
            }
            from = at;
        }
    }

    fn first_free(&self, people: &[usize], from: i64, length: i64) -> Option<(i64, usize)> {
        let mut first: Option<(i64, usize)> = None;
        for &person in people {
            match self.state.people[person].next_fit(from, length) {
                Some(at) if at == from => return Some((at, person)),
                Some(at) if first.is_none_or(|(best, _)| at < best) => first = Some((at, person)),
                Some(_) | None => {}
            }
        }
        first
    }

    /// Busy, if somebody who is able to is on shift just before; otherwise away.
    fn people_cause(&self, at: i64, person: usize) -> Cause {
        let on_shift = |person: &usize| self.shop.shifts[*person].open_until(at - 1).is_some();
        if self.people.iter().any(on_shift) {
            Cause::PersonBusy { person, task: None }
        } else {
            Cause::PeopleAway { until: at }
        }
    }
}

fn after(taken: &Taken) -> (i64, Cause) {
    let cause = match taken.task {
        Some(task) => Cause::StationBusy { task },
        None => Cause::StationClosed { until: taken.end },
    };
    (taken.end, cause)
}
