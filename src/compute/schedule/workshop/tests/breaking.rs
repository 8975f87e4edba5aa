//! Plans that are wrong in one place, and the verifier that has to see each.

use super::*;

/// A plan with something in every stage.
fn sound() -> (Instance, Plan) {
    let instance = wild(11);
    let plan = planned(&instance, 64);
    assert_eq!(verify(&instance, &plan), []);
    (instance, plan)
}

fn rules(instance: &Instance, plan: &Plan) -> Vec<Rule> {
    verify(instance, plan).into_iter().map(|violation| violation.rule).collect()
}

fn of(plan: &Plan, kind: Kind) -> usize {
    plan.tasks.iter().position(|task| task.kind == kind).unwrap()
}

#[test]
fn a_task_that_is_missing_doubled_or_a_minute_too_long_is_seen_in_every_stage() {
    let (instance, plan) = sound();
    for index in 0..plan.tasks.len() {
        let what = format!("{:?}", plan.tasks[index]);
        let mut missing = plan.clone();
        missing.tasks.remove(index);
        assert_ne!(rules(&instance, &missing), [], "missing {what}");

        let mut doubled = plan.clone();
        doubled.tasks.push(plan.tasks[index].clone());
        assert_ne!(rules(&instance, &doubled), [], "doubled {what}");

        let mut long = plan.clone();
        long.tasks[index].end += 1;
        assert_ne!(rules(&instance, &long), [], "too long {what}");
    }
}

#[test]
fn a_task_before_what_it_needs_is_seen() {
    let (instance, plan) = sound();
    for kind in [Kind::Wash, Kind::Cure, Kind::Support, Kind::Tree, Kind::Invest, Kind::Finish, Kind::Qc] {
        let mut early = plan.clone();
        let task = &mut early.tasks[of(&plan, kind)];
        let length = task.end - task.start;
        // The first minute of the first shift, before anything can be there.
        (task.start, task.end) = (360, 360 + length);
        assert_ne!(rules(&instance, &early), [], "{kind:?}");
    }
}

#[test]
fn windows_that_are_missed_are_seen() {
    let (instance, plan) = sound();
    for kind in [Kind::Cure, Kind::Burnout, Kind::Cast, Kind::Clean] {
        let mut late = plan.clone();
        let task = &mut late.tasks[of(&plan, kind)];
        let length = task.end - task.start;
        task.start += 3 * 7 * DAY - length;
        task.end = task.start + length;
        assert_ne!(rules(&instance, &late), [], "{kind:?}");
    }
}

#[test]
fn strangers_and_the_unable_are_seen() {
    let (mut instance, plan) = sound();
    let mut stranger = plan.clone();
    stranger.tasks[of(&plan, Kind::Support)].worker = Some("nobody".to_owned());
    assert!(rules(&instance, &stranger).contains(&Rule::Ability));

    let mut elsewhere = plan.clone();
    elsewhere.tasks[of(&plan, Kind::Wash)].machine = Some(instance.kilns[0].id.clone());
    assert!(rules(&instance, &elsewhere).contains(&Rule::Ability));

    let worker = plan.tasks[of(&plan, Kind::Finish)].worker.clone();
    instance
        .workers
        .iter_mut()
        .filter(|one| Some(&one.id) == worker.as_ref())
        .for_each(|one| one.skills.clear());
    assert!(rules(&instance, &plan).contains(&Rule::Ability));
}

#[test]
fn closures_absences_and_empty_shops_are_seen() {
    let (instance, plan) = sound();
    let print = &plan.tasks[of(&plan, Kind::Print)];
    let mut down = instance.clone();
    let printer =
        down.printers.iter_mut().find(|printer| Some(&printer.id) == print.machine.as_ref()).unwrap();
    printer.down = vec![[print.end - 1, print.end]];
    assert!(rules(&down, &plan).contains(&Rule::Down));

    let mut empty = instance.clone();
    empty.staffed.retain(|window| !(window[0] <= print.start && print.start < window[1]));
    assert!(rules(&empty, &plan).contains(&Rule::Staffed));

    let finish = &plan.tasks[of(&plan, Kind::Finish)];
    let mut away = instance.clone();
    let worker = away.workers.iter_mut().find(|one| Some(&one.id) == finish.worker.as_ref()).unwrap();
    worker.windows.retain(|window| !(window[0] <= finish.start && finish.end <= window[1]));
    assert!(rules(&away, &plan).contains(&Rule::Shift));
}

#[test]
fn batches_that_are_too_full_or_mixed_are_seen() {
    let (instance, plan) = sound();
    let mut small = instance.clone();
    small.rules.tree_max_mass = 1;
    assert!(rules(&small, &plan).contains(&Rule::Batch));

    let mut narrow = instance.clone();
    narrow.printers.iter_mut().for_each(|printer| printer.area = 1);
    assert!(rules(&narrow, &plan).contains(&Rule::Batch));

    let mut tiny = instance.clone();
    tiny.kilns.iter_mut().for_each(|kiln| kiln.capacity = 0);
    assert!(rules(&tiny, &plan).contains(&Rule::Batch));

    let mut mixed = instance.clone();
    let tree = plan.tasks.iter().find(|task| task.kind == Kind::Tree && task.pieces.len() > 1).unwrap();
    let piece = mixed.pieces.iter_mut().find(|piece| piece.id == tree.pieces[1]).unwrap();
    piece.alloy = "tin".to_owned();
    assert!(rules(&mixed, &plan).contains(&Rule::Batch));
}

#[test]
fn changes_without_time_are_seen() {
    let (instance, plan) = sound();
    let print = &plan.tasks[of(&plan, Kind::Print)];
    let mut slow = instance.clone();
    let printer =
        slow.printers.iter_mut().find(|printer| Some(&printer.id) == print.machine.as_ref()).unwrap();
    printer.loaded = "other".to_owned();
    printer.resin_change = print.start + 1;
    assert!(rules(&slow, &plan).contains(&Rule::Change));
}
