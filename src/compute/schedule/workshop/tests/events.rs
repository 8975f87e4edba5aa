//! Machines fail, people are away, rush orders come: the running plan is repaired, and what runs stays.

use super::*;

/// A random event at a random time that hits nothing that is already running.
fn event(instance: &Instance, plan: &Plan, random: &mut Random) -> (Instance, i64) {
    let last = plan.tasks.iter().map(|task| task.end).max().unwrap();
    let now = number(random, 1, last);
    let mut after = instance.clone();
    let runs = |name: &str| {
        let own =
            |task: &&Task| task.machine.as_deref() == Some(name) || task.worker.as_deref() == Some(name);
        plan.tasks.iter().filter(own).any(|task| task.start < now && now < task.end)
    };
    let length = number(random, 60, 2 * DAY);
    match random.below(6) {
        0 => {
            let index = random.below(after.printers.len());
            let printer = &mut after.printers[index];
            if !runs(&printer.id) {
                printer.down.push([now, now + length]);
            }
        }
        1 | 2 => {
            let groups = [&mut after.washers, &mut after.curers, &mut after.kilns];
            let group = groups.into_iter().nth(random.below(3)).unwrap();
            let index = random.below(group.len());
            if !runs(&group[index].id) {
                group[index].down.push([now, now + length]);
            }
        }
        3 => {
            let index = random.below(after.workers.len());
            let worker = &mut after.workers[index];
            if !runs(&worker.id) {
                let cut = |&[start, end]: &[i64; 2]| [[start, end.min(now)], [start.max(now + length), end]];
                let windows = worker.windows.iter().flat_map(cut);
                worker.windows = windows.filter(|window| window[0] < window[1]).collect();
            }
        }
        _ => {
            let (order, pieces) = rush(instance, now);
            after = with(instance, &order, &pieces);
        }
    }
    (after, now)
}

fn rush(instance: &Instance, now: i64) -> (Order, Vec<Piece>) {
    let piece = Piece { id: "rush".to_owned(), order: "rush".to_owned(), ..instance.pieces[0].clone() };
    let order = Order {
        id: "rush".to_owned(),
        release: now,
        due: now + 2 * DAY,
        weight: 10,
        pieces: vec![piece.id.clone()],
    };
    (order, vec![piece])
}

#[test]
fn whatever_happens_the_repaired_plan_can_be_carried_out_and_history_stays() {
    let mut whole = 0;
    for seed in 0..cases() {
        let instance = wild(seed);
        let plan = planned(&instance, 16);
        let mut random = Random(seed);
        let (after, now) = event(&instance, &plan, &mut random);
        let running = Running { plan: &plan, now, freeze: 0 };

        let repaired = Search::resume(&after, &running).unwrap().plan();

        assert_eq!(verify(&after, &repaired), [], "seed {seed}");
        for task in plan.tasks.iter().filter(|task| task.start < now) {
            let stays = repaired.tasks.iter().any(|other| {
                // A kiln is held until its last pour, which may have moved.
                let end = task.kind == Kind::Burnout || other.end == task.end;
                let same = (other.kind, other.start, &other.machine, &other.worker)
                    == (task.kind, task.start, &task.machine, &task.worker);
                same && end && other.pieces == task.pieces && other.flasks == task.flasks
            });
            assert!(stays, "seed {seed}: {task:?} was history at {now}");
        }
        whole += u64::from(repaired.unplaced.is_empty());
    }
    assert!(whole * 10 >= cases() * 9, "only {whole} of {} repairs place everything", cases());
}

#[test]
fn a_rush_order_that_comes_in_time_moves_nothing_else() {
    let mut found = 0;
    for seed in 0..20 {
        let instance = wild(seed);
        let plan = planned(&instance, 32);
        let now = 600;
        let (order, pieces) = rush(&instance, now);
        let after = with(&instance, &order, &pieces);

        let repaired = Search::resume(&after, &Running { plan: &plan, now, freeze: 0 }).unwrap().plan();

        assert_eq!(verify(&after, &repaired), [], "seed {seed}");
        // Only finishing makes room, and only for somebody who is late.
        let moves = |task: &&Task| !repaired.tasks.contains(task);
        let moved: Vec<Kind> = plan.tasks.iter().filter(moves).map(|task| task.kind).collect();
        let is_room = moved.iter().all(|kind| matches!(kind, Kind::Finish | Kind::Qc));
        assert!(is_room, "seed {seed}: {moved:?}");
        found += usize::from(repaired.unplaced.is_empty());
    }
    assert_eq!(found, 20);
}

#[test]
fn a_promise_is_kept_by_the_plan_that_takes_the_order_in() {
    let instance = wild(4);
    let plan = planned(&instance, 64);
    let running = Running { plan: &plan, now: 600, freeze: 60 };
    let (order, pieces) = rush(&instance, 600);

    let promised = promise(&instance, &running, &order, &pieces, 950).unwrap();

    let taken = with(&instance, &order, &pieces);
    let repaired = Search::resume(&taken, &running).unwrap().plan();
    let done =
        repaired.tasks.iter().find(|task| task.kind == Kind::Qc && task.piece.as_deref() == Some("rush"));
    assert_eq!(done.map(|task| task.end), Some(promised.finished));
    assert!(promised.soonest <= promised.finished && promised.finished <= promised.with_remake);
    assert_eq!(promised.confidence_permille, 950);
}

#[test]
fn pulling_an_order_forward_says_what_it_costs_the_others() {
    let mut sooner = 0;
    for seed in 0..20 {
        let instance = wild(seed);
        let plan = planned(&instance, 64);
        let running = Running { plan: &plan, now: 0, freeze: 0 };
        let last = instance.orders.last().unwrap();

        let answer = pull_forward(&instance, &running, &last.id).unwrap();

        sooner += usize::from(answer.soonest < answer.planned);
        assert!(answer.delays.iter().all(|(order, by)| *order != last.id || *by > 0));
    }
    assert!(sooner >= 5, "only {sooner} of 20 orders could be sooner");
}

#[test]
fn a_frozen_part_stays_while_the_rest_is_planned_anew() {
    for seed in 0..20 {
        let instance = wild(seed);
        let plan = planned(&instance, 16);
        let running = Running { plan: &plan, now: 700, freeze: 300 };

        let mut search = Search::take_over(&instance, &running, Keep::Frozen).unwrap();
        search.improve(Budget { decodes: 64, seed }, &mut |_| true);
        let again = search.plan();

        assert_eq!(verify(&instance, &again), [], "seed {seed}");
        let frozen = plan.tasks.iter().filter(|task| task.start < 1_000 && task.kind != Kind::Burnout);
        for task in frozen {
            assert!(again.tasks.contains(task), "seed {seed}: {task:?}");
        }
    }
}
