//! A plan of a workshop as a chart.

use std::collections::{BTreeMap, BTreeSet};

use super::{Instance, Kind, Plan, Task};
use crate::schedule::gantt::{Bar, Chart, Lane};

/// Lanes for every machine and person, with what late orders depend on marked.
#[must_use]
pub fn chart(instance: &Instance, plan: &Plan) -> Chart {
    let late = late_pieces(instance, plan);
    let members = flask_members(plan);
    let windows = |intervals: &[[i64; 2]]| intervals.iter().map(|&[start, end]| (start, end)).collect();
    let mut lanes: Vec<Lane> = Vec::new();
    let mut add = |name: &str, open: Vec<(i64, i64)>, down: Vec<(i64, i64)>| {
        lanes.push(Lane { name: name.to_owned(), open, down, bars: Vec::new() });
    };
    instance.printers.iter().for_each(|m| add(&m.id, Vec::new(), windows(&m.down)));
    let baths = instance.washers.iter().chain(&instance.curers).chain(&instance.kilns);
    baths.for_each(|m| add(&m.id, Vec::new(), windows(&m.down)));
    instance.casters.iter().for_each(|m| add(&m.id, Vec::new(), windows(&m.down)));
    instance.workers.iter().for_each(|w| add(&w.id, windows(&w.windows), Vec::new()));
    for task in &plan.tasks {
        for name in task.machine.iter().chain(&task.worker) {
            if let Some(lane) = lanes.iter_mut().find(|lane| lane.name == *name) {
                lane.bars.push(bar(instance, task, &late, &members));
            }
        }
    }
    Chart {
        title: format!("{}: {} tasks", instance.name, plan.tasks.len()),
        lanes,
        tick: 1_440,
        tick_name: "day ".to_owned(),
    }
}

fn bar(instance: &Instance, task: &Task, late: &BTreeSet<&str>, members: &BTreeMap<&str, &[String]>) -> Bar {
    let flasks = task.flasks.iter().chain(&task.flask);
    let inside = flasks.filter_map(|flask| members.get(flask.as_str())).flat_map(|pieces| pieces.iter());
    let pieces: Vec<&str> = task.pieces.iter().chain(&task.piece).chain(inside).map(String::as_str).collect();
    let what = match (&task.piece, &task.flask) {
        (Some(name), _) | (None, Some(name)) => name.clone(),
        (None, None) if task.flasks.is_empty() => format!("{} pieces", task.pieces.len()),
        (None, None) => task.flasks.join(" "),
    };
    let window = match task.kind {
        Kind::Wash => instance.rules.wash_to_cure_max,
        Kind::Invest => instance.rules.set_max,
        Kind::Cast => instance.rules.cool_max,
        Kind::Print | Kind::Cure | Kind::Support | Kind::Tree | Kind::Burnout => 0,
        Kind::Clean | Kind::Finish | Kind::Qc => 0,
    };
    Bar {
        start: task.start,
        end: task.end,
        text: what.clone(),
        tip: format!(
            "{} {what}, minute {} to {}: {}",
            task.kind.name(),
            task.start,
            task.end,
            pieces.join(" ")
        ),
        colour: task.kind as usize,
        is_late: pieces.iter().any(|piece| late.contains(piece)),
        window,
    }
}

fn late_pieces<'a>(instance: &'a Instance, plan: &Plan) -> BTreeSet<&'a str> {
    let done = |piece: &str| {
        let is_last = |task: &&Task| task.kind == Kind::Qc && task.piece.as_deref() == Some(piece);
        plan.tasks.iter().find(is_last).map(|task| task.end)
    };
    let ends: BTreeMap<&str, Option<i64>> =
        instance.pieces.iter().map(|piece| (piece.id.as_str(), done(&piece.id))).collect();
    let is_late = |order: &&super::Order| {
        order
            .pieces
            .iter()
            .any(|p| ends.get(p.as_str()).is_none_or(|end| end.is_none_or(|end| end > order.due)))
    };
    instance.orders.iter().filter(is_late).flat_map(|order| order.pieces.iter().map(String::as_str)).collect()
}

fn flask_members(plan: &Plan) -> BTreeMap<&str, &[String]> {
    let trees = plan.tasks.iter().filter(|task| task.kind == Kind::Tree);
    trees.filter_map(|task| Some((task.flask.as_deref()?, task.pieces.as_slice()))).collect()
}
