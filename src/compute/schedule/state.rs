//! Who and what is taken while a plan is made: pins and closures first, then task after task.

use super::timeline::{FreeTime, Place, Taken};
use super::{Cause, Interval, Pin, Placement, Problem, Setup, Task};

/// What doesn't change while plans are made.
#[derive(Debug)]
pub(super) struct Shop<'a> {
    pub(super) problem: &'a Problem,
    /// Per station, its hours.
    pub(super) hours: Vec<FreeTime>,
    /// Per person, the shifts.
    pub(super) shifts: Vec<FreeTime>,
    /// People with a skill, those with the fewest skills first: who can do more stays free for more.
    skilled: Vec<(Option<usize>, Vec<usize>)>,
}

/// Who and what is taken, and what has been decided.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) people: Vec<FreeTime>,
    pub(super) places: Vec<Vec<Place>>,
    pub(super) placed: Vec<Option<Placed>>,
}

/// A decided placement and which place of the station it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) placement: Placement,
    pub(super) place: usize,
    pub(super) taken: Taken,
    pub(super) attended_start_s: i64,
    pub(super) attended_end_s: i64,
}

impl<'a> Shop<'a> {
    pub(super) fn new(problem: &'a Problem) -> Self {
        let free = |calendar| FreeTime::new(calendar, problem.now, problem.horizon);
        let mut wanted: Vec<Option<usize>> = problem.tasks.iter().map(|task| task.skill).collect();
        wanted.extend(problem.stations.iter().filter_map(|station| Some(station.change.as_ref()?.skill)));
        wanted.sort_unstable();
        wanted.dedup();
        Self {
            problem,
            hours: problem.stations.iter().map(|station| free(&station.calendar)).collect(),
            shifts: problem.people.iter().map(|person| free(&person.calendar)).collect(),
            skilled: wanted.into_iter().map(|skill| (skill, people_with(problem, skill))).collect(),
        }
    }

    pub(super) fn skilled(&self, skill: Option<usize>) -> &[usize] {
        let found = self.skilled.binary_search_by_key(&skill, |(skill, _)| *skill);
        found.map_or(&[], |at| &self.skilled[at].1)
    }
}

fn people_with(problem: &Problem, skill: Option<usize>) -> Vec<usize> {
    let able = |person: &usize| {
        skill.is_none_or(|skill| problem.people[*person].skills.binary_search(&skill).is_ok())
    };
    let mut people: Vec<usize> = (0..problem.people.len()).filter(able).collect();
    people.sort_by_key(|&person| problem.people[person].skills.len());
    people
}

impl State {
    /// Only the pins and closures are there.
    pub(super) fn new(shop: &Shop<'_>) -> Self {
        let problem = shop.problem;
        let places = |index: usize| {
            let station = &problem.stations[index];
            vec![Place::new(station.loaded); usize::try_from(station.capacity).unwrap_or(1)]
        };
        let mut state = Self {
            people: shop.shifts.clone(),
            places: (0..problem.stations.len()).map(places).collect(),
            placed: vec![None; problem.tasks.len()],
        };
        state.pin(problem);
        state
    }

    fn pin(&mut self, problem: &Problem) {
        let mut facts: Vec<(usize, Taken)> = vec![];
        for (index, station) in problem.stations.iter().enumerate() {
            let closed = |closure: &Interval| Taken {
                start: closure.start,
                end: closure.end,
                task: None,
                material: None,
                changed: false,
            };
            facts.extend(station.closures.iter().map(|closure| (index, closed(closure))));
        }
        for (index, task) in problem.tasks.iter().enumerate() {
            if let Some(pin) = &task.pin {
                let placed = pinned(problem, task, index, pin);
                self.attend(&placed, FreeTime::take);
                facts.push((pin.station, placed.taken));
                self.placed[index] = Some(placed);
            }
        }
        facts.sort_by_key(|(_, taken)| (taken.start, taken.end, taken.task));
        for (station, taken) in facts {
            let places = &mut self.places[station];
            if taken.task.is_none() {
                places.iter_mut().for_each(|place| place.push(taken));
            } else if let Some(place) = emptiest(places, taken.start) {
                place.push(taken);
            }
        }
    }

    /// Takes the place and the people of a placement.
    pub(super) fn take(&mut self, index: usize, placed: Placed) {
        self.places[placed.placement.station][placed.place].insert(placed.taken);
        self.attend(&placed, FreeTime::take);
        self.placed[index] = Some(placed);
    }

    /// Undoes [`Self::take`].
    pub(super) fn give_back(&mut self, index: usize) {
        if let Some(placed) = self.placed[index].take() {
            self.places[placed.placement.station][placed.place].remove(placed.taken);
            self.attend(&placed, FreeTime::give_back);
        }
    }

    /// Replaces the cause of a placement by one that says more.
    pub(super) fn explain(&mut self, index: usize, cause: Cause) {
        if let Some(placed) = &mut self.placed[index] {
            placed.placement.cause = cause;
        }
    }

    fn attend(&mut self, placed: &Placed, mut change: impl FnMut(&mut FreeTime, i64, i64)) {
        let Placement { start, end, start_person, end_person, setup, .. } = placed.placement;
        if let Some(Setup { start, end, person }) = setup {
            change(&mut self.people[person], start, end);
        }
        if let Some(person) = start_person.filter(|_| placed.attended_start_s > 0) {
            change(&mut self.people[person], start, start + placed.attended_start_s);
        }
        if let Some(person) = end_person.filter(|_| placed.attended_end_s > 0) {
            change(&mut self.people[person], end - placed.attended_end_s, end);
        }
    }
}

/// The place that is free at `start`, or else the one that is free soonest.
fn emptiest(places: &mut [Place], start: i64) -> Option<&mut Place> {
    let free = places.iter().position(|place| place.last_end() <= start);
    let soonest = || (0..places.len()).min_by_key(|&index| places[index].last_end());
    let index = free.or_else(soonest)?;
    places.get_mut(index)
}

fn pinned(problem: &Problem, task: &Task, index: usize, pin: &Pin) -> Placed {
    let choice = task.choices.iter().find(|choice| choice.station == pin.station);
    // What has begun is in `Station::loaded` already.
    let material = task.material.filter(|_| pin.start >= problem.now);
    Placed {
        placement: Placement {
            station: pin.station,
            start: pin.start,
            end: pin.end,
            start_person: pin.start_person,
            end_person: pin.end_person,
            setup: pin.setup,
            cause: Cause::Pinned,
        },
        place: 0,
        taken: Taken {
            start: pin.setup.map_or(pin.start, |setup| setup.start),
            end: pin.end,
            task: Some(index),
            material,
            changed: pin.setup.is_some(),
        },
        attended_start_s: choice.map_or(0, |choice| choice.attended_start_s),
        attended_end_s: choice.map_or(0, |choice| choice.attended_end_s),
    }
}
