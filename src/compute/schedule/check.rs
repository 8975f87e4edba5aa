//! Whether a problem makes sense at all. What passes here can't make the planner fail.

use super::{Calendar, Choice, Interval, Pin, Problem, Station, StationState, Task};

/// The largest time that is accepted, about 35 million years: sums of a few of them stay far from overflow.
const TIME_MAX: i64 = 1 << 50;

/// A problem that contradicts itself: a mistake of the caller, not of the shop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A time or duration is negative where it must not be, or absurdly large.
    #[error("{place} has a time out of range")]
    Time {
        /// Such as `tasks[3].choices[0]`.
        place: String,
    },
    /// An index points at nothing.
    #[error("{place} names {what} {index}, of which there are only {count}")]
    Index {
        /// Such as `tasks[3].choices[0]`.
        place: String,
        /// What is indexed.
        what: &'static str,
        /// The index.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// Intervals are empty, unsorted or overlap.
    #[error("the intervals of {place} must be sorted, not empty and apart")]
    Intervals {
        /// Such as `people[1].calendar`.
        place: String,
    },
    /// Something else about a station or a choice is impossible.
    #[error("{place}: {reason}")]
    Contradiction {
        /// Such as `stations[2]`.
        place: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// Tasks wait for each other in a circle.
    #[error("task {task} has to be over before it can start: its predecessors lead back to it")]
    Circle {
        /// One task of the circle.
        task: usize,
    },
}

/// Where in the problem: a list, the index in it and the field, written out only when something is wrong.
#[derive(Clone, Copy)]
struct Place(&'static str, usize, &'static str);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}]{}", self.0, self.1, self.2)
    }
}

/// Checks indices, ranges and calendars. Circles of predecessors are [`super::chains`]'s to find.
pub(super) fn check(problem: &Problem) -> Result<(), Error> {
    if problem.now < -TIME_MAX || problem.horizon < problem.now || problem.horizon > TIME_MAX {
        return Err(Error::Time { place: "now or horizon".to_owned() });
    }
    for (index, station) in problem.stations.iter().enumerate() {
        check_station(index, station)?;
    }
    for (index, person) in problem.people.iter().enumerate() {
        let place = Place("people", index, ".calendar");
        check_calendar(place, &person.calendar)?;
        if !person.skills.is_sorted() {
            return Err(contradiction(Place("people", index, ".skills"), "skills must be sorted"));
        }
    }
    problem.tasks.iter().enumerate().try_for_each(|(index, task)| check_task(problem, index, task))
}

fn check_station(index: usize, station: &Station) -> Result<(), Error> {
    check_calendar(Place("stations", index, ".calendar"), &station.calendar)?;
    check_intervals(Place("stations", index, ".closures"), &station.closures)?;
    let place = Place("stations", index, "");
    if station.capacity == 0 || station.capacity > 1024 {
        return Err(contradiction(place, "capacity must be 1 to 1024"));
    }
    if let StationState::Free { from } = station.state {
        check_time(place, from, -TIME_MAX)?;
    }
    match &station.change {
        Some(_) if station.capacity > 1 => {
            Err(contradiction(place, "a station with several places can't change its material"))
        }
        Some(change) => check_time(place, change.duration_s, 1),
        None => Ok(()),
    }
}

fn check_calendar(place: Place, calendar: &Calendar) -> Result<(), Error> {
    match calendar {
        Calendar::Always => Ok(()),
        Calendar::Open(intervals) => check_intervals(place, intervals),
    }
}

fn check_intervals(place: Place, intervals: &[Interval]) -> Result<(), Error> {
    let apart = intervals.windows(2).all(|pair| matches!(pair, [a, b] if a.end <= b.start));
    let sound = intervals.iter().all(|i| -TIME_MAX <= i.start && i.start < i.end && i.end <= TIME_MAX);
    if apart && sound { Ok(()) } else { Err(Error::Intervals { place: place.to_string() }) }
}

fn check_task(problem: &Problem, index: usize, task: &Task) -> Result<(), Error> {
    let place = Place("tasks", index, "");
    check_time(place, task.release, -TIME_MAX)?;
    check_time(place, task.due.unwrap_or(0), -TIME_MAX)?;
    for choice in &task.choices {
        let place = Place("tasks", index, ".choices");
        check_index(place, "station", choice.station, problem.stations.len())?;
        for duration in [choice.attended_start_s, choice.attended_end_s, choice.end_wait_max_s] {
            check_time(place, duration, 0)?;
        }
        check_time(place, choice.elapsed_s, 1.max(choice.attended_start_s + choice.attended_end_s))?;
    }
    let twice =
        |(at, choice): (usize, &Choice)| task.choices[..at].iter().any(|c| c.station == choice.station);
    if task.choices.len() > problem.stations.len() || task.choices.iter().enumerate().any(twice) {
        return Err(contradiction(place, "a station may be chosen in one way only"));
    }
    for link in &task.predecessors {
        let place = Place("tasks", index, ".predecessors");
        check_index(place, "task", link.task, problem.tasks.len())?;
        check_time(place, link.min_s, 0)?;
        check_time(place, link.max_s.unwrap_or(link.min_s), link.min_s)?;
    }
    task.pin.as_ref().map_or(Ok(()), |pin| check_pin(problem, Place("tasks", index, ".pin"), pin))
}

fn check_pin(problem: &Problem, place: Place, pin: &Pin) -> Result<(), Error> {
    check_index(place, "station", pin.station, problem.stations.len())?;
    check_time(place, pin.start, -TIME_MAX)?;
    check_time(place, pin.end, pin.start)?;
    if let Some(setup) = &pin.setup {
        check_time(place, setup.start, -TIME_MAX)?;
        check_time(place, setup.end, setup.start)?;
        check_time(place, pin.start, setup.end)?;
    }
    let people = [pin.start_person, pin.end_person, pin.setup.map(|setup| setup.person)];
    let count = problem.people.len();
    people.into_iter().flatten().try_for_each(|person| check_index(place, "person", person, count))
}

fn check_index(place: Place, what: &'static str, index: usize, count: usize) -> Result<(), Error> {
    if index < count { Ok(()) } else { Err(Error::Index { place: place.to_string(), what, index, count }) }
}

fn check_time(place: Place, seconds: i64, at_least: i64) -> Result<(), Error> {
    if (at_least..=TIME_MAX).contains(&seconds) {
        Ok(())
    } else {
        Err(Error::Time { place: place.to_string() })
    }
}

fn contradiction(place: Place, reason: &'static str) -> Error {
    Error::Contradiction { place: place.to_string(), reason }
}
