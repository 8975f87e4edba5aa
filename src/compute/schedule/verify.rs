//! Whether a plan keeps every promise. Shares nothing with the planner but the types; slow and plain.

use serde::{Deserialize, Serialize};

use super::{
    Calendar, Choice, Hours, Interval, Outcome, Pin, Placement, Plan, Problem, Station, StationState, Task,
};

/// A promise that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Violation {
    /// The plan is for another number of tasks, or names a station or a person that doesn't exist.
    Shape {
        /// The task that is wrong; the number of tasks if the plan is too short or too long.
        task: usize,
    },
    /// A pinned task isn't where its pin says.
    PinMoved {
        /// The task.
        task: usize,
    },
    /// The station isn't among the task's choices, is down, or isn't free for new tasks yet.
    Ability {
        /// The task.
        task: usize,
    },
    /// It takes less time than the choice says, or more than the choice allows.
    Duration {
        /// The task.
        task: usize,
    },
    /// It starts before `now` or its release, or ends after the horizon.
    TimeLimits {
        /// The task.
        task: usize,
    },
    /// It isn't in the open hours of its station as it has to be, or in a closure.
    StationHours {
        /// The task.
        task: usize,
    },
    /// More tasks than the station has places.
    StationOverlap {
        /// The station.
        station: usize,
        /// When.
        at: i64,
    },
    /// Nobody attends where somebody has to, or somebody where nobody has to.
    Attendance {
        /// The task.
        task: usize,
    },
    /// The person lacks the skill or isn't on shift.
    PersonUnfit {
        /// The task.
        task: usize,
        /// The person.
        person: usize,
    },
    /// Somebody does two things at once.
    PersonOverlap {
        /// The person.
        person: usize,
        /// When.
        at: i64,
    },
    /// It starts before a predecessor is over and the shortest wait has passed, or without it.
    Predecessor {
        /// The task.
        task: usize,
        /// The predecessor.
        predecessor: usize,
    },
    /// It starts after the longest wait; or the predecessor is placed though this task never follows.
    Window {
        /// The task.
        task: usize,
        /// The predecessor.
        predecessor: usize,
    },
    /// Its material isn't loaded, or the change before it is missing, needless or too short.
    Material {
        /// The task.
        task: usize,
    },
    /// The tardiness or the makespan is not what the tasks say.
    Score,
}

/// Everything that is wrong with a plan for a problem; nothing if it can be carried out.
#[must_use]
pub fn verify(problem: &Problem, plan: &Plan) -> Vec<Violation> {
    if plan.tasks.len() != problem.tasks.len() {
        return vec![Violation::Shape { task: plan.tasks.len() }];
    }
    let placed = placed(problem, plan);
    let misshapen: Vec<Violation> =
        placed.iter().filter(|one| !one.is_shaped(problem)).map(Job::shape).collect();
    if !misshapen.is_empty() {
        return misshapen;
    }
    let mut found = vec![];
    for (index, task) in problem.tasks.iter().enumerate() {
        let pin_lost = task.pin.is_some() && plan.placement(index).is_none();
        found.extend(pin_lost.then_some(Violation::PinMoved { task: index }));
        links(problem, plan, index, &mut found);
    }
    for job in &placed {
        match &job.task.pin {
            Some(pin) => {
                found.extend((!is_pinned(pin, job.at)).then_some(Violation::PinMoved { task: job.index }))
            }
            None => loose_job(problem, job, &mut found),
        }
    }
    for station in 0..problem.stations.len() {
        station_overlaps(problem, &placed, station, &mut found);
        materials(problem, &placed, station, &mut found);
    }
    person_overlaps(&placed, &mut found);
    found.extend((!is_scored(problem, &placed, plan)).then_some(Violation::Score));
    found
}

/// A placed task.
struct Job<'a> {
    index: usize,
    task: &'a Task,
    at: &'a Placement,
    choice: Option<&'a Choice>,
}

impl Job<'_> {
    fn is_shaped(&self, problem: &Problem) -> bool {
        let people = [self.at.start_person, self.at.end_person, self.at.setup.map(|setup| setup.person)];
        self.at.station < problem.stations.len()
            && people.iter().flatten().all(|&person| person < problem.people.len())
    }

    fn shape(&self) -> Violation {
        Violation::Shape { task: self.index }
    }

    fn is_pinned(&self) -> bool {
        self.task.pin.is_some()
    }

    /// The station is taken from the material change on.
    fn taken_from(&self) -> i64 {
        self.at.setup.map_or(self.at.start, |setup| setup.start.min(self.at.start))
    }

    fn attended_start(&self) -> Interval {
        let length = self.choice.map_or(0, |choice| choice.attended_start_s);
        Interval { start: self.at.start, end: self.at.start.saturating_add(length) }
    }

    fn attended_end(&self) -> Interval {
        let length = self.choice.map_or(0, |choice| choice.attended_end_s);
        Interval { start: self.at.end.saturating_sub(length), end: self.at.end }
    }

    /// Who is taken when.
    fn attendance(&self) -> impl Iterator<Item = (usize, Interval)> {
        let setup = self.at.setup.map(|s| (s.person, Interval { start: s.start, end: s.end }));
        let start = self.at.start_person.map(|person| (person, self.attended_start()));
        let end = self.at.end_person.map(|person| (person, self.attended_end()));
        [setup, start, end].into_iter().flatten()
    }
}

fn placed<'a>(problem: &'a Problem, plan: &'a Plan) -> Vec<Job<'a>> {
    let job = |(index, (task, outcome)): (usize, (&'a Task, &'a Outcome))| match outcome {
        Outcome::Placed(at) => {
            let choice = task.choices.iter().find(|choice| choice.station == at.station);
            Some(Job { index, task, at, choice })
        }
        Outcome::Unplaced(_) => None,
    };
    problem.tasks.iter().zip(&plan.tasks).enumerate().filter_map(job).collect()
}

fn is_pinned(pin: &Pin, at: &Placement) -> bool {
    let times = pin.station == at.station && pin.start == at.start && pin.end == at.end;
    times && pin.start_person == at.start_person && pin.end_person == at.end_person && pin.setup == at.setup
}

/// Predecessors: a pinned task isn't to blame; a loose predecessor of one is.
fn links(problem: &Problem, plan: &Plan, index: usize, found: &mut Vec<Violation>) {
    let task = &problem.tasks[index];
    for link in &task.predecessors {
        let before_is_pinned = problem.tasks.get(link.task).is_some_and(|before| before.pin.is_some());
        if task.pin.is_some() && (before_is_pinned || plan.placement(link.task).is_none()) {
            continue;
        }
        let early = Violation::Predecessor { task: index, predecessor: link.task };
        let late = Violation::Window { task: index, predecessor: link.task };
        match (plan.placement(link.task), plan.placement(index)) {
            (Some(before), Some(at)) if at.start.saturating_sub(before.end) < link.min_s => found.push(early),
            (Some(before), Some(at))
                if link.max_s.is_some_and(|max| at.start.saturating_sub(before.end) > max) =>
            {
                found.push(late);
            }
            (None, Some(_)) => found.push(early),
            (Some(_), None) if link.max_s.is_some() && !before_is_pinned => found.push(late),
            (Some(_) | None, Some(_) | None) => {}
        }
    }
}

/// What a task has to keep to by itself.
fn loose_job(problem: &Problem, job: &Job<'_>, found: &mut Vec<Violation>) {
    let task = job.index;
    let station = &problem.stations[job.at.station];
    let Some(choice) = job.choice else { return found.push(Violation::Ability { task }) };
    let is_free = match station.state {
        StationState::Free { from } => job.taken_from() >= from,
        StationState::Down => false,
    };
    if !is_free {
        found.push(Violation::Ability { task });
    }
    let wait = if choice.attended_end_s > 0 { choice.end_wait_max_s } else { 0 };
    let over = job.at.end.saturating_sub(job.at.start).saturating_sub(choice.elapsed_s);
    if over < 0 || over > wait {
        found.push(Violation::Duration { task });
    }
    if job.taken_from() < problem.now || job.at.start < job.task.release || job.at.end > problem.horizon {
        found.push(Violation::TimeLimits { task });
    }
    if !keeps_hours(station, job) {
        found.push(Violation::StationHours { task });
    }
    attendance(problem, job, choice, found);
}

fn keeps_hours(station: &Station, job: &Job<'_>) -> bool {
    let first = Interval { start: job.at.start, end: job.at.start.saturating_add(1) };
    let whole = Interval { start: job.at.start, end: job.at.end };
    let asked = match job.task.hours {
        Hours::Open => whole,
        Hours::Across => first,
    };
    let mut open = vec![asked, job.attended_start(), job.attended_end()];
    open.extend(job.at.setup.map(|setup| Interval { start: setup.start, end: setup.end }));
    let taken = Interval { start: job.taken_from(), end: job.at.end };
    let closed =
        station.closures.iter().any(|closure| closure.start < taken.end && taken.start < closure.end);
    !closed && open.into_iter().all(|part| is_open(&station.calendar, part))
}

/// Whether every second of a part is open; an empty part always is.
fn is_open(calendar: &Calendar, part: Interval) -> bool {
    let Calendar::Open(intervals) = calendar else { return true };
    let mut reached = part.start;
    for interval in intervals {
        if interval.start <= reached && reached < interval.end {
            reached = interval.end;
        }
    }
    reached >= part.end
}

fn attendance(problem: &Problem, job: &Job<'_>, choice: &Choice, found: &mut Vec<Violation>) {
    let task = job.index;
    let start_is_right = job.at.start_person.is_some() == (choice.attended_start_s > 0);
    let end_is_right = job.at.end_person.is_some() == (choice.attended_end_s > 0);
    if !start_is_right || !end_is_right {
        found.push(Violation::Attendance { task });
    }
    let change_skill = problem.stations[job.at.station].change.as_ref().and_then(|change| change.skill);
    let change = job.at.setup.map(|setup| (setup.person, change_skill));
    let attends = [job.at.start_person, job.at.end_person].into_iter().flatten();
    for (person, skill) in attends.map(|person| (person, job.task.skill)).chain(change) {
        if skill.is_some_and(|skill| !problem.people[person].skills.contains(&skill)) {
            found.push(Violation::PersonUnfit { task, person });
        }
    }
    for (person, part) in job.attendance() {
        if !is_open(&problem.people[person].calendar, part) {
            found.push(Violation::PersonUnfit { task, person });
        }
    }
}

/// Pins may crowd a station among themselves; nothing else may join them then.
fn station_overlaps(problem: &Problem, placed: &[Job<'_>], station: usize, found: &mut Vec<Violation>) {
    let capacity = usize::try_from(problem.stations[station].capacity).unwrap_or(usize::MAX);
    let mut here: Vec<&Job<'_>> = placed.iter().filter(|job| job.at.station == station).collect();
    here.sort_by_key(|job| job.taken_from());
    let mut active: Vec<&Job<'_>> = vec![];
    for job in here {
        let at = job.taken_from();
        active.retain(|other| other.at.end > at);
        if job.at.end > at {
            active.push(job);
        }
        if active.len() > capacity && active.iter().any(|job| !job.is_pinned()) {
            found.push(Violation::StationOverlap { station, at });
        }
    }
}

fn person_overlaps(placed: &[Job<'_>], found: &mut Vec<Violation>) {
    let mut parts: Vec<(usize, i64, i64, bool)> = vec![];
    for job in placed {
        let busy = job.attendance().filter(|(_, part)| part.start < part.end);
        parts.extend(busy.map(|(person, part)| (person, part.start, part.end, job.is_pinned())));
    }
    parts.sort_unstable();
    for of_one in parts.chunk_by(|a, b| a.0 == b.0) {
        let (mut loose_until, mut pinned_until) = (i64::MIN, i64::MIN);
        for &(person, at, end, pinned) in of_one {
            if at < loose_until || (!pinned && at < pinned_until) {
                found.push(Violation::PersonOverlap { person, at });
            }
            let until = if pinned { &mut pinned_until } else { &mut loose_until };
            *until = end.max(*until);
        }
    }
}

/// Follows what is loaded from task to task.
fn materials(problem: &Problem, placed: &[Job<'_>], index: usize, found: &mut Vec<Violation>) {
    let station = &problem.stations[index];
    let mut here: Vec<&Job<'_>> = placed.iter().filter(|job| job.at.station == index).collect();
    here.sort_by_key(|job| (job.taken_from(), job.at.end, job.index));
    let mut loaded = station.loaded;
    for job in here {
        let begun = job.is_pinned() && job.at.start < problem.now;
        if !job.is_pinned() && !is_material_right(station, job, loaded) {
            found.push(Violation::Material { task: job.index });
        }
        if job.task.material.is_some() && !begun && station.capacity == 1 {
            loaded = job.task.material;
        }
    }
}

fn is_material_right(station: &Station, job: &Job<'_>, loaded: Option<usize>) -> bool {
    let changes = job.task.material.is_some() && job.task.material != loaded;
    match (&job.at.setup, &station.change) {
        (None, _) => !changes,
        (Some(setup), Some(change)) => {
            changes && setup.end.saturating_sub(setup.start) == change.duration_s && setup.end <= job.at.start
        }
        (Some(_), None) => false,
    }
}

fn is_scored(problem: &Problem, placed: &[Job<'_>], plan: &Plan) -> bool {
    let mut tardiness = 0_i64;
    for job in placed {
        let late = job.task.due.map_or(0, |due| job.at.end.saturating_sub(due).max(0));
        tardiness = tardiness.saturating_add(late.saturating_mul(i64::from(job.task.weight)));
    }
    let last = placed.iter().map(|job| job.at.end).max().unwrap_or(problem.now);
    tardiness == plan.weighted_tardiness && last.max(problem.now) == plan.makespan
}
