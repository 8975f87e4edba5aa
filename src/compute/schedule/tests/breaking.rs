//! Plans that were tampered with: every kind of damage has to be named.

use super::*;

fn damaged(
    problem: &Problem,
    made: &Plan,
    task: usize,
    damage: impl FnOnce(&mut Placement),
) -> Vec<Violation> {
    let mut made = made.clone();
    let Outcome::Placed(placement) = &mut made.tasks[task] else { panic!("task {task} isn't placed") };
    damage(placement);
    verify(problem, &made)
}

fn shift(placement: &mut Placement, by: i64) {
    placement.start += by;
    placement.end += by;
}

/// A shop and its plan; most damage is tried on every task of it.
fn example() -> (Problem, Plan) {
    let problem = shop(40, 2, 11);
    let made = solved(&problem);
    assert_eq!(made.unplaced(), 0);
    (problem, made)
}

#[test]
fn a_task_before_its_predecessor_or_after_its_window_is_refused() {
    let (problem, made) = example();
    let mut windows = 0;

    for (task, link) in
        problem.tasks.iter().enumerate().flat_map(|(t, task)| task.predecessors.iter().map(move |l| (t, l)))
    {
        let gap = made.placement(task).unwrap().start - made.placement(link.task).unwrap().end;
        let early = damaged(&problem, &made, task, |at| shift(at, link.min_s - gap - 1));
        assert!(
            early.contains(&Violation::Predecessor { task, predecessor: link.task }),
            "{task}: {early:?}"
        );
        if let Some(max_s) = link.max_s {
            let late = damaged(&problem, &made, task, |at| shift(at, max_s - gap + 1));
            assert!(late.contains(&Violation::Window { task, predecessor: link.task }), "{task}: {late:?}");
            windows += 1;
        }
    }
    assert!(windows > 10);
}

#[test]
fn two_tasks_on_one_place_or_with_one_person_are_refused() {
    let (problem, made) = example();
    let (mut stations, mut people) = (0, 0);

    for task in 1..problem.tasks.len() {
        let at = made.placement(task).unwrap();
        let same_station = |other: &usize| made.placement(*other).unwrap().station == at.station;
        if problem.stations[at.station].capacity == 1
            && let Some(other) = (0..task).find(same_station)
        {
            let start = made.placement(other).unwrap().start;
            let found = damaged(&problem, &made, task, |at| shift(at, start - at.start));
            assert!(found.iter().any(|v| matches!(v, Violation::StationOverlap { .. })), "{task}: {found:?}");
            stations += 1;
        }
        let same_person = |other: &usize| made.placement(*other).unwrap().start_person == at.start_person;
        if let (Some(person), Some(other)) = (at.start_person, (0..task).find(same_person)) {
            let start = made.placement(other).unwrap().start;
            let found = damaged(&problem, &made, task, |at| shift(at, start - at.start));
            assert!(
                found.iter().any(|v| matches!(v, Violation::PersonOverlap { person: p, .. } if *p == person))
            );
            people += 1;
        }
    }
    assert!(stations > 3 && people > 50);
}

#[test]
fn a_task_on_another_station_or_with_another_person_is_refused() {
    let (problem, made) = example();

    for task in 0..problem.tasks.len() {
        let able: Vec<usize> = problem.tasks[task].choices.iter().map(|choice| choice.station).collect();
        let unable = (0..problem.stations.len()).find(|station| !able.contains(station)).unwrap();
        let found = damaged(&problem, &made, task, |at| at.station = unable);
        assert!(found.contains(&Violation::Ability { task }));

        let Some(skill) = problem.tasks[task].skill else { continue };
        let unfit = problem.people.iter().position(|person| !person.skills.contains(&skill)).unwrap();
        let found = damaged(&problem, &made, task, |at| at.start_person = Some(unfit));
        assert!(found.contains(&Violation::PersonUnfit { task, person: unfit }));

        let found = damaged(&problem, &made, task, |at| at.start_person = None);
        assert!(found.contains(&Violation::Attendance { task }));
    }
}

#[test]
fn a_task_at_night_or_on_a_weekend_is_refused() {
    let (problem, made) = example();

    for task in 0..problem.tasks.len() {
        let night = |at: &mut Placement| shift(at, (at.start / DAY) * DAY + 2 * HOUR - at.start);
        let found = damaged(&problem, &made, task, night);
        assert!(found.contains(&Violation::StationHours { task }));
        assert!(found.iter().any(|v| matches!(v, Violation::PersonUnfit { task: t, .. } if *t == task)));
    }
}

#[test]
fn another_duration_is_refused() {
    let (problem, made) = example();

    for task in 0..problem.tasks.len() {
        let wait = problem.tasks[task].choices[0].end_wait_max_s;
        let elapsed = problem.tasks[task].choices[0].elapsed_s;
        let shorter = damaged(&problem, &made, task, |at| at.end = at.start + elapsed - 1);
        let longer = damaged(&problem, &made, task, |at| at.end = at.start + elapsed + wait + 1);
        assert!(shorter.contains(&Violation::Duration { task }));
        assert!(longer.contains(&Violation::Duration { task }));
    }
}

#[test]
fn a_change_of_material_that_is_missing_short_or_late_is_refused() {
    let (problem, made) = example();
    let setup_of = |task: usize| made.placement(task).unwrap().setup;
    let changed: Vec<usize> = (0..problem.tasks.len()).filter(|&task| setup_of(task).is_some()).collect();
    assert!(!changed.is_empty());

    for task in changed {
        let setup = setup_of(task).unwrap();
        let short = Setup { start: setup.start + 1, ..setup };
        let late = Setup { start: setup.start + DAY, end: setup.end + DAY, ..setup };
        for wrong in [None, Some(short), Some(late)] {
            let found = damaged(&problem, &made, task, |at| at.setup = wrong);
            assert!(found.contains(&Violation::Material { task }), "{wrong:?}: {found:?}");
        }
    }
}

#[test]
fn a_pin_that_moved_or_was_lost_is_refused() {
    let (mut problem, made) = example();
    problem.tasks[0].pin = Some(pin(made.placement(0).unwrap()));

    let moved = damaged(&problem, &made, 0, |at| shift(at, 1));
    let mut lost = made.clone();
    lost.tasks[0] = Outcome::Unplaced(Unplaced::NoTime);

    assert!(moved.contains(&Violation::PinMoved { task: 0 }));
    assert!(verify(&problem, &lost).contains(&Violation::PinMoved { task: 0 }));
}

#[test]
fn a_tied_task_begun_without_its_successor_is_refused() {
    let (problem, mut made) = example();
    let tied = |task: &Task| task.predecessors.iter().any(|link| link.max_s.is_some());
    let task = problem.tasks.iter().position(tied).unwrap();

    made.tasks[task] = Outcome::Unplaced(Unplaced::NoTime);

    let predecessor = problem.tasks[task].predecessors[0].task;
    assert!(verify(&problem, &made).contains(&Violation::Window { task, predecessor }));
}

#[test]
fn a_plan_of_another_shape_or_score_is_refused() {
    let (problem, made) = example();
    let mut short = made.clone();
    let _ = short.tasks.pop();
    let praised = Plan { weighted_tardiness: made.weighted_tardiness - 1, ..made.clone() };

    assert_eq!(verify(&problem, &short), [Violation::Shape { task: problem.tasks.len() - 1 }]);
    assert_eq!(verify(&problem, &praised), [Violation::Score]);
    assert_eq!(damaged(&problem, &made, 3, |at| at.station = 99), [Violation::Shape { task: 3 }]);
    assert_eq!(damaged(&problem, &made, 3, |at| at.end_person = Some(99)), [Violation::Shape { task: 3 }]);
}

#[test]
fn absurd_times_are_refused_without_overflow() {
    let (problem, made) = example();

    for task in 0..problem.tasks.len() {
        for (start, end) in
            [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (i64::MIN, i64::MIN), (i64::MAX, i64::MAX)]
        {
            let found = damaged(&problem, &made, task, |at| (at.start, at.end) = (start, end));
            assert!(
                found.contains(&Violation::TimeLimits { task })
                    || found.contains(&Violation::Duration { task })
            );
        }
    }
}
