//! When an order that isn't placed yet would be done: a question about a copy, which changes nothing.

use serde::{Deserialize, Serialize};

use super::{Error, Instance, Keep, Kind, Order, Piece, Plan, Running, Search, score, verify};

/// An answer to somebody who asks for a date. Minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// When it is done if everything else stays as it is planned.
    pub finished: i64,
    /// When it is done if one of its pieces has to be made again from the print on.
    pub with_remake: i64,
    /// The chance in a thousand that nothing has to be made again.
    pub confidence_permille: i64,
    /// When it is done if it goes before everything that isn't frozen.
    pub soonest: i64,
    /// Orders that would then be later than planned, with the minutes.
    pub delays: Vec<(String, i64)>,
    /// What the whole plan costs more with the order in its quiet place.
    pub cost: i64,
}

/// Answers for an order with its pieces, whose names must be new.
///
/// `yield_permille` is how many pieces in a thousand come through all stages at the first try.
///
/// # Errors
/// If the instance contradicts itself, or the order has no place before the horizon.
pub fn promise(
    instance: &Instance,
    running: &Running<'_>,
    order: &Order,
    pieces: &[Piece],
    yield_permille: i64,
) -> Result<Promise, Error> {
    let asked = with(instance, order, pieces);
    let quiet = Search::resume(&asked, running)?.plan();
    let finished = end_of(&quiet, order)?;
    let again = remake(order, pieces, finished);
    let twice = with(&asked, &again.0, &again.1);
    let later = Running { plan: &quiet, ..*running };
    let with_remake = end_of(&Search::resume(&twice, &later)?.plan(), &again.0)?.max(finished);
    let mut rushed = Search::take_over(&asked, running, Keep::Frozen)?;
    rushed.hurry(instance.orders.len());
    let loud = rushed.plan();
    let soonest = end_of(&loud, order).unwrap_or(finished);
    let (soonest, delays) = if soonest < finished {
        (soonest, delays(instance, running.plan, &loud))
    } else {
        (finished, Vec::new())
    };
    let cost = score(&asked, &quiet).objective - score(instance, running.plan).objective;
    let tries = pieces.iter().fold(1_000, |chance, _| chance * yield_permille.clamp(0, 1_000) / 1_000);
    Ok(Promise { finished, with_remake, confidence_permille: tries, soonest, delays, cost })
}

/// A copy of an instance with one order more.
#[must_use]
pub fn with(instance: &Instance, order: &Order, pieces: &[Piece]) -> Instance {
    let mut more = instance.clone();
    more.orders.push(order.clone());
    more.pieces.extend(pieces.iter().cloned());
    more
}

/// The slowest piece once more, released when the first try is over.
fn remake(order: &Order, pieces: &[Piece], from: i64) -> (Order, Vec<Piece>) {
    let slowest = pieces.iter().max_by_key(|piece| (piece.height, piece.finish));
    let id = format!("{} again", order.id);
    let copy =
        |piece: &Piece| Piece { id: format!("{} again", piece.id), order: id.clone(), ..piece.clone() };
    let again: Vec<Piece> = slowest.map(copy).into_iter().collect();
    let names = again.iter().map(|piece| piece.id.clone()).collect();
    (Order { id, release: from, pieces: names, ..order.clone() }, again)
}

fn end_of(plan: &Plan, order: &Order) -> Result<i64, Error> {
    let end = |piece: &String| {
        let checked = |task: &&super::Task| task.kind == Kind::Qc && task.piece.as_ref() == Some(piece);
        plan.tasks.iter().find(checked).map(|task| task.end)
    };
    let ends: Option<Vec<i64>> = order.pieces.iter().map(end).collect();
    let last = ends.and_then(|ends| ends.into_iter().max());
    last.ok_or_else(|| Error::Running(format!("order {} finds no place before the horizon", order.id)))
}

/// Orders that are later in one plan than in another, the worst first.
#[must_use]
pub fn delays(instance: &Instance, before: &Plan, after: &Plan) -> Vec<(String, i64)> {
    let late = |order: &Order| {
        let (old, new) = (end_of(before, order).ok()?, end_of(after, order).ok()?);
        (new > old && new > order.due).then(|| (order.id.clone(), new - old.max(order.due)))
    };
    let mut found: Vec<(String, i64)> = instance.orders.iter().filter_map(late).collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found
}

/// What it would take to have an order sooner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullForward {
    /// When the order is done as planned.
    pub planned: i64,
    /// When it is done if it goes before everything that isn't frozen.
    pub soonest: i64,
    /// What the plan then costs more; negative if it is better all the same.
    pub cost: i64,
    /// Orders that are late or later because of it, with the minutes.
    pub delays: Vec<(String, i64)>,
}

/// What it would cost to pull an order forward, on a copy.
///
/// # Errors
/// If the instance contradicts itself, the order is unknown, or the changed plan can't be carried out.
pub fn pull_forward(instance: &Instance, running: &Running<'_>, order: &str) -> Result<PullForward, Error> {
    let position = instance.orders.iter().position(|one| one.id == order);
    let position = position.ok_or_else(|| Error::Running(format!("order {order} is not in the instance")))?;
    let planned = end_of(running.plan, &instance.orders[position])?;
    let mut search = Search::take_over(instance, running, Keep::Frozen)?;
    search.hurry(position);
    let sooner = search.plan();
    if !verify(instance, &sooner).is_empty() {
        return Err(Error::Running("pulling it forward gives no plan that can be carried out".to_owned()));
    }
    let soonest = end_of(&sooner, &instance.orders[position])?;
    let cost = score(instance, &sooner).objective - score(instance, running.plan).objective;
    Ok(PullForward { planned, soonest, cost, delays: delays(instance, running.plan, &sooner) })
}
