//! Many plans, and the best of them.

use rayon::prelude::*;

use super::chains::{self, Groups};
use super::decode::{Decoded, decode};
use super::random::Random;
use super::rules::{self, Rule};
use super::state::{Shop, State};
use super::{Budget, Cause, Outcome, Plan, Problem};

/// Tries the rules, then varies the best plan, always with the same result for the same arguments.
///
/// `order` is [`chains::topological`]'s.
pub(super) fn best(problem: &Problem, order: &[usize], seed: u64, budget: Budget) -> Plan {
    let groups = chains::groups(problem, order);
    let shop = Shop::new(problem);
    let start = State::new(&shop);
    let (rule, mut best) = best_rule(&shop, &start, &groups, order, budget);
    let mut random = Random(seed);
    let spare = usize::try_from(budget.decodes).unwrap_or(usize::MAX).saturating_sub(Rule::ALL.len());
    for _ in 0..spare {
        let keys = varied(problem, &groups, &best, &mut random);
        let other = decode(&shop, &start, &groups, |group, _| keys[group]);
        if other.score <= best.score {
            best = other;
        }
    }
    let mut plan = best.into_plan(rule);
    name_busy_people(problem, &mut plan);
    plan
}

fn best_rule(
    shop: &Shop<'_>,
    start: &State,
    groups: &Groups,
    order: &[usize],
    budget: Budget,
) -> (Rule, Decoded) {
    let outlooks = rules::outlooks(shop.problem, order, groups);
    let total: i64 = outlooks.iter().map(rules::remaining).fold(0, i64::saturating_add);
    let average_s = total / i64::try_from(outlooks.len().max(1)).unwrap_or(i64::MAX);
    let by_rule = |rule: Rule| {
        (rule, decode(shop, start, groups, |group, ready| rule.key(&outlooks[group], ready, average_s)))
    };
    let rules = Rule::ALL.len().min(usize::try_from(budget.decodes).unwrap_or(usize::MAX)).max(1);
    let made: Vec<_> = Rule::ALL[..rules].par_iter().map(|&rule| by_rule(rule)).collect();
    let better = |best: (Rule, Decoded), other: (Rule, Decoded)| {
        if other.1.score < best.1.score { other } else { best }
    };
    made.into_iter().reduce(better).unwrap_or_else(|| by_rule(Rule::Edd))
}

/// The order of the best plan with something moved forward: all that a late task needs, or any one group.
fn varied(problem: &Problem, groups: &Groups, best: &Decoded, random: &mut Random) -> Vec<i64> {
    let mut keys = vec![0; groups.members.len()];
    for (position, &group) in best.sequence.iter().enumerate() {
        keys[group] = as_key(position);
    }
    let late: Vec<usize> = (0..problem.tasks.len()).filter(|&task| best.is_late(problem, task)).collect();
    let moved = if !late.is_empty() && random.below(4) > 0 {
        let needed = needed_for(problem, late[random.below(late.len())]);
        let needs =
            |group: &usize| groups.members[*group].iter().any(|task| needed.binary_search(task).is_ok());
        (0..groups.members.len()).filter(needs).collect()
    } else {
        vec![random.below(groups.members.len())]
    };
    let forward = as_key(random.below(groups.members.len()) + 1);
    for group in moved {
        if let Some(key) = keys.get_mut(group) {
            *key -= forward;
        }
    }
    keys
}

fn as_key(position: usize) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// The task and all that comes before it, sorted.
fn needed_for(problem: &Problem, task: usize) -> Vec<usize> {
    let mut seen = vec![false; problem.tasks.len()];
    let mut stack = vec![task];
    while let Some(task) = stack.pop() {
        if !std::mem::replace(&mut seen[task], true) {
            stack.extend(problem.tasks[task].predecessors.iter().map(|link| link.task));
        }
    }
    (0..seen.len()).filter(|&task| seen[task]).collect()
}

/// Says what a person does just before the task that waits for that person.
fn name_busy_people(problem: &Problem, plan: &mut Plan) {
    let mut ends: Vec<(usize, i64, usize)> = vec![];
    for (index, outcome) in plan.tasks.iter().enumerate() {
        let Outcome::Placed(placement) = outcome else { continue };
        let choice = problem.tasks[index].choices.iter().find(|choice| choice.station == placement.station);
        let attended = choice.map_or(0, |choice| choice.attended_start_s);
        ends.extend(placement.setup.map(|setup| (setup.person, setup.end, index)));
        ends.extend(placement.start_person.map(|person| (person, placement.start + attended, index)));
        ends.extend(placement.end_person.map(|person| (person, placement.end, index)));
    }
    ends.sort_unstable();
    for (index, outcome) in plan.tasks.iter_mut().enumerate() {
        let Outcome::Placed(placement) = outcome else { continue };
        let Cause::PersonBusy { person, .. } = placement.cause else { continue };
        let before = ends.partition_point(|end| *end < (person, placement.start + 1, 0));
        let last = before.checked_sub(1).map(|last| ends[last]);
        let task = last.filter(|end| end.0 == person && end.2 != index).map(|end| end.2);
        placement.cause = Cause::PersonBusy { person, task };
    }
}
