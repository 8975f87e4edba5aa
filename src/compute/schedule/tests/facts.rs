//! Small shops with one right answer.

use super::*;

fn person(from: i64, to: i64) -> Person {
    Person { calendar: shifts(from, to, 4), skills: vec![] }
}

/// Stations that are always open, and one person from 8 to 16.
fn small(stations: usize, tasks: Vec<Task>) -> Problem {
    let stations = vec![station(Calendar::Always, 1); stations];
    Problem { now: 0, horizon: 28 * DAY, tasks, stations, people: vec![person(8, 16)] }
}

/// Runs by itself.
fn machine_work(station: usize, length: i64) -> Task {
    Task { choices: vec![choice(station, length, 0, 0)], hours: Hours::Across, ..bench_work(station, length) }
}

fn after(mut task: Task, before: usize, min_s: i64, max_s: Option<i64>) -> Task {
    task.predecessors.push(link(before, min_s, max_s));
    task
}

fn times(made: &Plan, task: usize) -> (i64, i64) {
    let at = made.placement(task).unwrap();
    (at.start, at.end)
}

fn cause(made: &Plan, task: usize) -> Cause {
    made.placement(task).unwrap().cause
}

#[test]
fn a_chain_whose_windows_no_shift_can_keep_is_not_begun() {
    // Invest by hand, set for 1 to 2 h, burn out for 11 h, pour by hand within 2 h. A pour at 8 asks for a
    // burnout from 19 to 6, and that for an invest until 17 at the earliest: after the shift.
    let invest = bench_work(0, 10 * MINUTE);
    let burnout = after(machine_work(1, 11 * HOUR), 0, HOUR, Some(2 * HOUR));
    let pour = after(bench_work(2, 15 * MINUTE), 1, 0, Some(2 * HOUR));

    let made = solved(&small(3, vec![invest, burnout, pour]));

    assert_eq!(made.unplaced(), 3);
    let blamed: Vec<&Outcome> =
        made.tasks.iter().filter(|t| matches!(t, Outcome::Unplaced(Unplaced::Window { .. }))).collect();
    assert_eq!(blamed.len(), 1, "{made:?}");
}

#[test]
fn a_chain_with_windows_is_placed_as_late_as_its_last_task_asks() {
    let invest = bench_work(0, 10 * MINUTE);
    let burnout = after(machine_work(1, 11 * HOUR), 0, HOUR, Some(2 * HOUR));
    let pour = after(bench_work(2, 15 * MINUTE), 1, 0, Some(4 * HOUR));

    let made = solved(&small(3, vec![invest, burnout, pour]));

    // Pour on Tuesday at 8, burnout over at 4 at the earliest, so begun at 17 on Monday, invested by 15 at the
    // earliest.
    assert_eq!(times(&made, 2), (DAY + 8 * HOUR, DAY + 8 * HOUR + 15 * MINUTE));
    assert_eq!(times(&made, 1), (17 * HOUR, DAY + 4 * HOUR));
    assert_eq!(times(&made, 0), (15 * HOUR - 10 * MINUTE, 15 * HOUR));
    assert_eq!(cause(&made, 0), Cause::SuccessorWindow { task: 1 });
    assert_eq!(cause(&made, 1), Cause::SuccessorWindow { task: 2 });
    assert_eq!(cause(&made, 2), Cause::PeopleAway { until: DAY + 8 * HOUR });
    assert_eq!(chain(&made, 0).iter().map(|step| step.task).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn a_print_runs_through_the_night_and_its_plate_waits_for_the_morning() {
    let mut print = machine_work(0, 10 * HOUR);
    let attended = choice(0, 10 * HOUR, 15 * MINUTE, 15 * MINUTE);
    print.choices = vec![Choice { end_wait_max_s: DAY, ..attended.clone() }];
    print.release = 12 * HOUR;
    let mut at_once = print.clone();
    at_once.choices = vec![attended];

    let waits = solved(&small(1, vec![print]));
    let mut never = small(1, vec![at_once]);
    never.people = vec![person(8, 12)];

    assert_eq!(times(&waits, 0), (12 * HOUR, DAY + 8 * HOUR + 15 * MINUTE));
    assert_eq!(solved(&never).tasks[0], Outcome::Unplaced(Unplaced::NoTime));
}

#[test]
fn bench_work_never_crosses_the_end_of_the_day() {
    let mut problem =
        small(1, vec![bench_work(0, 5 * HOUR), bench_work(0, 5 * HOUR), bench_work(0, 9 * HOUR)]);
    problem.stations[0].calendar = shifts(6, 20, 4);

    let made = solved(&problem);

    assert_eq!(times(&made, 0).0, 8 * HOUR);
    assert_eq!(times(&made, 1).0, DAY + 8 * HOUR);
    assert_eq!(cause(&made, 1), Cause::PeopleAway { until: DAY + 8 * HOUR });
    assert_eq!(made.tasks[2], Outcome::Unplaced(Unplaced::NoTime));
}

#[test]
fn a_busy_person_is_named_with_the_work_that_comes_first() {
    let made = solved(&small(2, vec![bench_work(0, HOUR), bench_work(1, HOUR)]));

    assert_eq!(times(&made, 1).0, 9 * HOUR);
    assert_eq!(cause(&made, 1), Cause::PersonBusy { person: 0, task: Some(0) });
    let roots: Vec<_> = chain(&made, 1).iter().map(|step| step.reason).collect();
    assert_eq!(roots[1], Reason::Placed(Cause::PeopleAway { until: 8 * HOUR }));
}

#[test]
fn a_rush_order_goes_first() {
    let mut slow = machine_work(0, 10 * HOUR);
    slow.due = Some(10 * HOUR);
    let mut rush = machine_work(0, 10 * HOUR);
    (rush.due, rush.weight) = (Some(10 * HOUR), 8);

    let made = solved(&small(1, vec![slow, rush]));

    assert_eq!(times(&made, 1).0, 0);
    assert_eq!(made.weighted_tardiness, 10 * HOUR);
    assert_eq!(cause(&made, 0), Cause::StationBusy { task: 1 });
}

#[test]
fn another_material_is_loaded_by_a_person_first_and_no_more_often_than_needed() {
    let print = |material| Task { material: Some(material), ..machine_work(0, HOUR) };
    let mut problem = small(1, vec![print(7), print(7), print(5)]);
    problem.stations[0].loaded = Some(5);
    problem.stations[0].change = Some(Change { duration_s: 30 * MINUTE, skill: None });

    let made = solved(&problem);

    let setup = Setup { start: 8 * HOUR, end: 8 * HOUR + 30 * MINUTE, person: 0 };
    assert_eq!(made.placement(0).unwrap().setup, Some(setup));
    assert_eq!(cause(&made, 0), Cause::MaterialChange { until: setup.end });
    assert_eq!(times(&made, 1), (times(&made, 0).1, times(&made, 0).1 + HOUR));
    assert_eq!(made.placement(1).unwrap().setup, None);
    assert_eq!(times(&made, 2), (0, HOUR), "fits in before the change");
}

#[test]
fn a_kiln_with_places_takes_as_many_loads_and_no_more() {
    let mut problem = small(1, vec![machine_work(0, 4 * HOUR); 5]);
    problem.stations[0].capacity = 2;

    let made = solved(&problem);

    let mut starts: Vec<i64> = (0..5).map(|task| times(&made, task).0).collect();
    starts.sort_unstable();
    assert_eq!(starts, [0, 0, 4 * HOUR, 4 * HOUR, 8 * HOUR]);
}

#[test]
fn work_goes_around_what_is_running_and_around_maintenance() {
    let mut running = machine_work(0, 5 * HOUR);
    running.pin = Some(Pin {
        station: 0,
        start: -3 * HOUR,
        end: 2 * HOUR,
        start_person: None,
        end_person: None,
        setup: None,
    });
    let mut problem = small(1, vec![running, machine_work(0, HOUR), machine_work(0, 4 * HOUR)]);
    problem.stations[0].closures = vec![Interval { start: 4 * HOUR, end: 6 * HOUR }];

    let made = solved(&problem);

    assert_eq!(cause(&made, 0), Cause::Pinned);
    assert_eq!(times(&made, 1).0, 2 * HOUR);
    assert_eq!(cause(&made, 1), Cause::StationBusy { task: 0 });
    assert_eq!(times(&made, 2).0, 6 * HOUR);
    assert_eq!(cause(&made, 2), Cause::StationClosed { until: 6 * HOUR });
}

#[test]
fn a_window_that_a_running_task_leaves_behind_is_kept_or_named() {
    let mut burnout = machine_work(0, 10 * HOUR);
    let at = |end| Pin {
        station: 0,
        start: end - 10 * HOUR,
        end,
        start_person: None,
        end_person: None,
        setup: None,
    };
    burnout.pin = Some(at(7 * HOUR));
    let pour = after(bench_work(1, HOUR), 0, 0, Some(2 * HOUR));
    let mut problem = small(2, vec![burnout, pour.clone(), pour]);

    let made = solved(&problem);
    problem.tasks[0].pin = Some(at(HOUR));
    let missed = solved(&problem);

    assert_eq!((times(&made, 1).0, times(&made, 2).0), (8 * HOUR, 9 * HOUR));
    assert_eq!(missed.tasks[1], Outcome::Unplaced(Unplaced::Window { task: 0 }));
}

#[test]
fn a_promised_task_gets_its_predecessors_in_time_and_within_its_window() {
    let promised = |start, max_s| {
        let mut task = after(machine_work(1, HOUR), 0, 0, max_s);
        let end = start + HOUR;
        task.pin = Some(Pin { station: 1, start, end, start_person: None, end_person: None, setup: None });
        small(2, vec![bench_work(0, HOUR), task])
    };

    let just = solved(&promised(9 * HOUR, None));
    let early = solved(&promised(9 * HOUR - 1, None));
    let fresh = solved(&promised(DAY + 10 * HOUR, Some(HOUR)));

    assert_eq!(times(&just, 0), (8 * HOUR, 9 * HOUR));
    assert_eq!(early.tasks[0], Outcome::Unplaced(Unplaced::PinnedSuccessor { task: 1 }));
    assert_eq!(times(&fresh, 0), (DAY + 8 * HOUR, DAY + 9 * HOUR));
    assert_eq!(cause(&fresh, 0), Cause::SuccessorWindow { task: 1 });
}

#[test]
fn finished_work_waits_no_longer_than_it_may() {
    let waits = |end_wait_max_s| {
        let mut task = machine_work(0, 10 * HOUR);
        task.choices = vec![Choice { end_wait_max_s, ..choice(0, 10 * HOUR, 0, HOUR) }];
        task.release = 7 * HOUR;
        times(&solved(&small(1, vec![task])), 0)
    };

    assert_eq!(waits(16 * HOUR), (7 * HOUR, DAY + 9 * HOUR), "ready at 16, and somebody comes at 8");
    assert_eq!(waits(16 * HOUR - 1), (7 * HOUR + 1, DAY + 9 * HOUR));
}

#[test]
fn what_can_not_be_placed_says_why_and_the_rest_is_planned() {
    let mut nobody = bench_work(0, HOUR);
    nobody.skill = Some(3);
    let mut resin = machine_work(0, HOUR);
    resin.material = Some(4);
    let mut nowhere = machine_work(0, HOUR);
    nowhere.choices.clear();
    let broken = machine_work(1, HOUR);
    let follower = after(machine_work(0, HOUR), 3, 0, None);
    let mut problem = small(2, vec![nobody, resin, nowhere, broken, follower, machine_work(0, HOUR)]);
    problem.stations[1].state = StationState::Down;

    let made = solved(&problem);

    assert_eq!(made.tasks[0], Outcome::Unplaced(Unplaced::NoPerson { skill: Some(3) }));
    assert_eq!(made.tasks[1], Outcome::Unplaced(Unplaced::NoMaterial { material: 4 }));
    assert_eq!(made.tasks[2], Outcome::Unplaced(Unplaced::NoStation));
    assert_eq!(made.tasks[3], Outcome::Unplaced(Unplaced::NoStation));
    assert_eq!(made.tasks[4], Outcome::Unplaced(Unplaced::Predecessor { task: 3 }));
    assert_eq!(times(&made, 5), (0, HOUR));
}

#[test]
fn a_step_between_two_tied_steps_is_placed_with_them() {
    let wash = bench_work(0, HOUR);
    let dry = after(machine_work(1, HOUR), 0, 0, None);
    let mut cure = after(bench_work(2, HOUR), 0, 0, Some(3 * HOUR));
    cure.predecessors.push(link(1, 0, None));
    let mut busy = machine_work(1, 12 * HOUR);
    busy.pin =
        Some(Pin { station: 1, start: 0, end: 12 * HOUR, start_person: None, end_person: None, setup: None });

    let made = solved(&small(3, vec![wash, dry, cure, busy]));

    assert_eq!(times(&made, 1).0, 12 * HOUR, "the drying place is taken until noon");
    assert_eq!(times(&made, 2).0, 13 * HOUR);
    assert_eq!(times(&made, 0), (9 * HOUR, 10 * HOUR), "so the wash waits");
}

#[test]
fn a_problem_that_contradicts_itself_is_an_error() {
    let circle = vec![after(machine_work(0, 1), 1, 0, None), after(machine_work(0, 1), 0, 0, None)];
    let mut unsorted = small(1, vec![]);
    unsorted.people[0].calendar =
        Calendar::Open(vec![Interval { start: 5, end: 9 }, Interval { start: 8, end: 10 }]);

    let error = |problem: &Problem| plan(problem, 0, RULES).unwrap_err().to_string();

    assert_eq!(
        error(&small(1, circle)),
        "task 0 has to be over before it can start: its predecessors lead back to it"
    );
    assert_eq!(
        error(&small(1, vec![machine_work(3, 1)])),
        "tasks[0].choices names station 3, of which there are only 1"
    );
    assert_eq!(error(&unsorted), "the intervals of people[0].calendar must be sorted, not empty and apart");
}

#[test]
fn the_longest_times_that_are_let_in_do_no_harm() {
    let ages = 1 << 50;
    let mut tasks = vec![machine_work(0, ages)];
    for before in 0..5000 {
        let mut task = after(machine_work(0, ages), before, ages, (before % 2 == 1).then_some(ages));
        task.due = Some(-ages);
        task.weight = u32::MAX;
        tasks.push(task);
    }
    let mut problem = small(1, tasks);
    (problem.now, problem.horizon) = (-ages, ages);

    let made = solved(&problem);

    assert_eq!(times(&made, 0), (0, ages), "not before its release");
    assert_eq!(made.unplaced(), 5000);
}

#[test]
fn nothing_to_do_is_a_plan() {
    let made = solved(&small(0, vec![]));

    assert_eq!((made.tasks.len(), made.makespan), (0, 0));
}
