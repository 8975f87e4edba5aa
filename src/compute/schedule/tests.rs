//! What a shop relies on, small enough to reckon by hand; then everything against the verifier.

use proptest::prelude::*;

use super::samples::*;
use super::*;

mod breaking;
mod facts;

const RULES: Budget = Budget { decodes: 4 };

fn solved(problem: &Problem) -> Plan {
    let made = plan(problem, 1, RULES).unwrap();
    assert_eq!(verify(problem, &made), []);
    made
}

#[test]
fn a_shop_of_200_pieces_is_planned_whole() {
    let problem = shop(200, 2, 3);

    let made = solved(&problem);

    assert_eq!(made.unplaced(), 0);
}

#[test]
fn the_best_rule_is_no_worse_than_any_other_and_search_no_worse_than_the_rules() {
    let problem = shop(100, 2, 5);

    let first = plan(&problem, 1, Budget { decodes: 1 }).unwrap();
    let rules = solved(&problem);
    let searched = plan(&problem, 1, Budget { decodes: 60 }).unwrap();

    assert!(first.weighted_tardiness >= rules.weighted_tardiness);
    assert!(rules.weighted_tardiness > searched.weighted_tardiness, "60 decodes found nothing better");
    assert_eq!(verify(&problem, &searched), []);
}

#[test]
fn the_plan_is_the_same_on_one_thread_and_on_four() {
    let problem = shop(60, 3, 9);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| plan(&problem, 7, Budget { decodes: 12 }).unwrap())
    };

    let alone = on(1);

    assert_eq!(alone, on(4));
    assert_eq!(alone, on(1));
}

/// Guards the tests below against problems in which nothing is possible.
#[test]
fn most_tasks_of_wild_problems_find_a_place() {
    let (mut tasks, mut placed, mut changes, mut windows) = (0, 0, 0, 0);
    for seed in 0..500 {
        let problem = wild(seed * 7919);
        let made = solved(&problem);
        tasks += problem.tasks.len();
        placed += problem.tasks.len() - made.unplaced();
        for (task, at) in
            problem.tasks.iter().enumerate().filter_map(|(t, task)| Some((task, made.placement(t)?)))
        {
            changes += usize::from(at.setup.is_some() && task.pin.is_none());
            windows += task.predecessors.iter().filter(|link| link.max_s.is_some()).count();
        }
    }

    println!("{placed} of {tasks} tasks placed, {changes} material changes, {windows} windows kept");
    assert!(placed * 2 > tasks && changes > 100 && windows > 300);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_of_a_wild_problem_keeps_every_promise(seed in any::<u64>()) {
        let problem = wild(seed);
        let made = plan(&problem, seed, Budget { decodes: 6 }).unwrap();
        prop_assert_eq!(verify(&problem, &made), vec![]);
        for task in 0..problem.tasks.len() {
            prop_assert!(cause_is_true(&problem, &made, task), "task {}: {:?}", task, made.tasks[task]);
            let steps = chain(&made, task);
            prop_assert!(!steps.is_empty() && steps[0].task == task);
        }
    }

    #[test]
    fn a_plan_made_of_pins_never_moves(seed in any::<u64>()) {
        let mut problem = wild(seed);
        let made = plan(&problem, seed, RULES).unwrap();
        let mut dice = Dice(seed);
        for (task, outcome) in problem.tasks.iter_mut().zip(&made.tasks) {
            if let Outcome::Placed(at) = outcome && dice.once_in(2) {
                task.pin = Some(pin(at));
            }
        }
        problem.now += 2 * HOUR;

        let again = plan(&problem, seed, RULES).unwrap();

        prop_assert_eq!(verify(&problem, &again), vec![]);
        for (index, task) in problem.tasks.iter().enumerate() {
            if let Some(fixed) = &task.pin {
                prop_assert_eq!(fixed, &pin(again.placement(index).unwrap()));
            }
        }
    }

    #[test]
    fn a_task_that_is_released_later_never_starts_before(seed in any::<u64>()) {
        let mut problem = wild(seed);
        let made = plan(&problem, seed, RULES).unwrap();
        let loose = |task: &usize| problem.tasks[*task].pin.is_none() && made.placement(*task).is_some();
        let Some(task) = (0..problem.tasks.len()).find(loose) else { return Ok(()) };
        let release = made.placement(task).unwrap().start + 1;
        problem.tasks[task].release = release;

        let again = plan(&problem, seed, RULES).unwrap();

        let early = verify(&problem, &made).contains(&Violation::TimeLimits { task });
        prop_assert!(early);
        prop_assert_eq!(verify(&problem, &again), vec![]);
        prop_assert!(again.placement(task).is_none_or(|at| at.start >= release));
    }
}

fn pin(at: &Placement) -> Pin {
    let Placement { station, start, end, start_person, end_person, setup, .. } = *at;
    Pin { station, start, end, start_person, end_person, setup }
}

/// Whether what a cause says is so.
fn cause_is_true(problem: &Problem, made: &Plan, index: usize) -> bool {
    let Some(at) = made.placement(index) else { return true };
    let task = &problem.tasks[index];
    let waits_for = |other: usize| task.predecessors.iter().any(|link| link.task == other);
    match at.cause {
        Cause::Now => at.start == problem.now,
        Cause::Released => at.start == task.release,
        Cause::Predecessor { task } => waits_for(task) && made.placement(task).unwrap().end <= at.start,
        Cause::StationBusy { task } => made.placement(task).unwrap().station == at.station,
        Cause::StationClosed { until } | Cause::MaterialChange { until } => until == at.start,
        Cause::SuccessorWindow { task } => {
            problem.tasks[task].predecessors.iter().any(|link| link.task == index && link.max_s.is_some())
        }
        Cause::PersonBusy { person, task } => {
            person < problem.people.len() && task.is_none_or(|task| made.placement(task).is_some())
        }
        Cause::HoursClosed { .. } | Cause::PeopleAway { .. } => true,
        Cause::Pinned => task.pin.is_some(),
    }
}

/// A small problem without sense: anything that the checks let pass, much of it impossible.
fn wild(seed: u64) -> Problem {
    let mut dice = Dice(seed);
    let stations = (0..dice.roll(1, 4)).map(|_| wild_station(&mut dice)).collect();
    let people = (0..dice.roll(0, 6)).map(|_| wild_person(&mut dice)).collect();
    let mut problem =
        Problem { now: dice.roll(0, 4) * HOUR, horizon: 14 * DAY, tasks: vec![], stations, people };
    for _ in 0..dice.roll(1, 24) {
        let task = wild_task(&mut dice, &problem);
        problem.tasks.push(task);
    }
    problem
}

fn wild_station(dice: &mut Dice) -> Station {
    let calendar = if dice.once_in(3) { Calendar::Always } else { wild_calendar(dice) };
    let capacity = if dice.once_in(4) { 3 } else { 1 };
    let change = Change { duration_s: dice.roll(1, 90) * MINUTE, skill: dice.once_in(2).then_some(0) };
    Station {
        closures: if dice.once_in(3) { wild_intervals(dice, 3) } else { vec![] },
        loaded: (!dice.once_in(3)).then(|| dice.index(2)),
        change: (capacity == 1 && !dice.once_in(4)).then_some(change),
        state: match dice.roll(1, 20) {
            1 => StationState::Down,
            _ => StationState::Free { from: dice.roll(-5, 10) * HOUR },
        },
        ..station(calendar, u32::try_from(capacity).unwrap())
    }
}

fn wild_person(dice: &mut Dice) -> Person {
    let skills = (0..3).filter(|_| !dice.once_in(3)).collect();
    Person { calendar: wild_calendar(dice), skills }
}

fn wild_calendar(dice: &mut Dice) -> Calendar {
    if dice.once_in(3) { Calendar::Open(wild_intervals(dice, 30)) } else { shifts(8, dice.roll(10, 20), 2) }
}

/// Some of them touch.
fn wild_intervals(dice: &mut Dice, count: i64) -> Vec<Interval> {
    let mut intervals: Vec<Interval> = vec![];
    for _ in 0..count {
        let start = intervals.last().map_or(0, |last| last.end) + dice.roll(0, 8) * HOUR;
        intervals.push(Interval { start, end: start + dice.roll(1, 9) * HOUR });
    }
    intervals
}

fn wild_task(dice: &mut Dice, problem: &Problem) -> Task {
    let before = problem.tasks.len();
    let mut predecessors = vec![];
    for _ in 0..dice.roll(-2, 2).min(i64::try_from(before).unwrap()) {
        let min_s = dice.roll(0, 3) * HOUR;
        let max_s = dice.once_in(2).then(|| min_s + dice.roll(0, 6) * HOUR);
        predecessors.push(link(dice.index(before), min_s, max_s));
    }
    let choices = (0..problem.stations.len()).filter(|_| !dice.once_in(5)).collect::<Vec<_>>();
    let choices = choices.into_iter().map(|station| wild_choice(dice, station)).collect();
    Task {
        choices,
        skill: dice.once_in(2).then(|| dice.index(3)),
        material: dice.once_in(3).then(|| dice.index(2)),
        predecessors,
        release: dice.roll(-5, 30) * HOUR,
        due: dice.once_in(2).then(|| dice.roll(0, 100) * HOUR),
        weight: u32::try_from(dice.roll(1, 9)).unwrap(),
        hours: if dice.once_in(2) { Hours::Open } else { Hours::Across },
        pin: dice.once_in(8).then(|| wild_pin(dice, problem)),
    }
}

fn wild_choice(dice: &mut Dice, station: usize) -> Choice {
    let elapsed_s = if dice.once_in(2) { dice.roll(1, 300) * MINUTE } else { dice.roll(1, 300 * MINUTE) };
    let attended_start_s = if dice.once_in(3) { elapsed_s } else { dice.roll(0, elapsed_s / 4) };
    let attended_end_s = if dice.once_in(2) { 0 } else { dice.roll(0, elapsed_s - attended_start_s) };
    let end_wait_max_s = if dice.once_in(2) { 0 } else { dice.roll(0, 20) * HOUR };
    Choice { station, elapsed_s, attended_start_s, attended_end_s, end_wait_max_s }
}

fn wild_pin(dice: &mut Dice, problem: &Problem) -> Pin {
    let start = dice.roll(-10, 60) * HOUR + dice.roll(0, 1);
    let person = (!problem.people.is_empty() && dice.once_in(2)).then(|| dice.index(problem.people.len()));
    let setup =
        person.filter(|_| dice.once_in(2)).map(|person| Setup { start: start - HOUR, end: start, person });
    let end = start + dice.roll(0, 10) * HOUR;
    Pin {
        station: dice.index(problem.stations.len()),
        start,
        end,
        start_person: person,
        end_person: None,
        setup,
    }
}
