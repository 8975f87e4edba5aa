//! What stays of a running plan, as bookings, and from where the rest goes on.

use std::collections::BTreeMap;

use super::{Moved, Old, OldFlask, OldTask, Running};
use crate::schedule::workshop::Kind;
use crate::schedule::workshop::compile::Shop;
use crate::schedule::workshop::front::NEVER;
use crate::schedule::workshop::steps::{Chain, FixedFlask, FixedRun, Flask, Given, NOBODY, Rest, Span, Step};

/// Everything that stays, as bookings; and from where the rest goes on.
pub(super) fn given(shop: &Shop, old: &Old, moved: &Moved, running: &Running<'_>) -> Given {
    let mut given = Given::nothing(shop);
    given.now = running.now;
    for piece in 0..shop.pieces.len() {
        given.spans[piece] = span(old, moved, piece, running.now);
        given.rest[piece] = rest(old, moved, piece);
        if given.rest[piece] == Rest::Kept {
            let end = old.task(piece, Kind::Qc).map_or(NEVER, |task| task.end);
            let order = shop.pieces[piece].order;
            given.done[order] = given.done[order].max(end);
        }
    }
    keep_flasks(shop, old, moved, &mut given);
    for task in &old.tasks {
        keep_task(shop, old, moved, task, &mut given);
    }
    given
}

fn span(old: &Old, moved: &Moved, piece: usize, now: i64) -> Span {
    let from = moved.early[piece];
    let before = match from {
        Kind::Wash => Some(Kind::Print),
        Kind::Cure => Some(Kind::Wash),
        Kind::Support => Some(Kind::Cure),
        Kind::Tree => Some(Kind::Support),
        Kind::Print | Kind::Invest | Kind::Burnout | Kind::Cast | Kind::Clean | Kind::Finish | Kind::Qc => {
            None
        }
    };
    let ready = before.and_then(|kind| old.task(piece, kind)).map_or(now, |task| task.end);
    Span { from, to: if moved.leaves[piece] { None } else { Some(Kind::Tree) }, ready }
}

fn rest(old: &Old, moved: &Moved, piece: usize) -> Rest {
    let flask = old.flask_of[piece];
    if moved.finish[piece] {
        let kept = !moved.leaves[piece] && moved.chain.get(flask) == Some(&Kind::Finish);
        let clean = old.flasks.get(flask).and_then(|flask| old.tasks.get(flask.clean));
        return match clean.filter(|_| kept) {
            Some(clean) => Rest::Finish(clean.end),
            None => Rest::AfterClean,
        };
    }
    match old.task(piece, Kind::Finish).filter(|_| moved.qc[piece]) {
        Some(finish) => Rest::Qc(finish.end),
        None => Rest::Kept,
    }
}

fn keep_flasks(shop: &Shop, old: &Old, moved: &Moved, given: &mut Given) {
    let mut runs: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, place) in old.flasks.iter().enumerate() {
        let pieces: Vec<usize> = place.pieces.iter().copied().filter(|&piece| !moved.leaves[piece]).collect();
        let Some(&first) = pieces.first() else { continue };
        let end = |task: usize| old.tasks.get(task).map_or(given.now, |task| task.end);
        let run = old.tasks.get(place.burnout);
        let chain = match moved.chain[index] {
            Kind::Invest => Chain::Treed,
            Kind::Burnout => Chain::Invested(end(place.invest)),
            Kind::Cast => Chain::Burning,
            Kind::Clean => Chain::Poured(end(place.cast)),
            Kind::Print | Kind::Wash | Kind::Cure | Kind::Support | Kind::Tree | Kind::Finish | Kind::Qc => {
                Chain::Cleaned
            }
        };
        let fixed = given.flasks.len();
        if run.is_some() && matches!(chain, Chain::Burning | Chain::Poured(_) | Chain::Cleaned) {
            runs.entry(place.burnout).or_default().push(fixed);
        }
        let mass = pieces.iter().map(|&piece| shop.pieces[piece].mass).sum();
        let (alloy, program) = (shop.pieces[first].alloy, shop.pieces[first].program);
        // One piece less makes a tree sooner ready.
        let treed = old.tasks.get(place.tree).map_or(given.now, |tree| tree.start + shop.tree(pieces.len()));
        given.names.push(place.name.clone());
        given.flasks.push(FixedFlask { flask: Flask { pieces, alloy, program, mass }, treed, chain });
        given.numbers.push(index);
    }
    for (task, mut flasks) in runs {
        let run = &old.tasks[task];
        flasks.sort_by_key(|&flask| run.members.iter().position(|&other| other == given.numbers[flask]));
        let program = &shop.programs[given.flasks[flasks[0]].flask.program];
        let pours = flasks.iter().filter(|&&flask| given.flasks[flask].chain != Chain::Burning);
        let pours = pours.filter_map(|&flask| old.tasks.get(old.flasks[given.numbers[flask]].cast));
        let last = pours.map(|task| task.start).max().unwrap_or(0);
        let end = last.max(run.start + program.duration);
        given.kilns[run.machine].book(run.start, end);
        given.runs.push(FixedRun { kiln: run.machine, start: run.start, flasks, end });
    }
}

fn keep_task(shop: &Shop, old: &Old, moved: &Moved, task: &OldTask, given: &mut Given) {
    let OldTask { kind, start, end, machine, hand, .. } = *task;
    let step = |item: usize, end: i64| Step { kind, start, end, machine, hand, item, members: (0, 0) };
    match kind {
        Kind::Print | Kind::Wash | Kind::Cure => {
            let stays = |piece: &usize| moved.early[*piece] > kind;
            let members: Vec<usize> = task.members.iter().copied().filter(stays).collect();
            let Some(&first) = members.first() else { return };
            match kind {
                Kind::Print => given.presses[machine].insert(start, end, shop.pieces[first].resin),
                Kind::Wash => given.washers[machine].book(start, end),
                Kind::Cure | Kind::Support | Kind::Tree | Kind::Invest | Kind::Burnout => {
                    given.curers[machine].book(start, end);
                }
                Kind::Cast | Kind::Clean | Kind::Finish | Kind::Qc => {}
            }
            given.steps.batch(step(NOBODY, end), &members);
        }
        Kind::Support => {
            let Some(&piece) = task.members.first() else { return };
            if moved.early[piece] > kind {
                given.hands[hand].book(start, end);
                given.steps.single(kind, start, end, hand, piece);
            }
        }
        Kind::Finish | Kind::Qc => {
            let Some(&piece) = task.members.first() else { return };
            let goes = moved.finish[piece] || (kind == Kind::Qc && moved.qc[piece]);
            if !goes {
                given.hands[hand].book(start, end);
                given.steps.single(kind, start, end, hand, piece);
            }
        }
        Kind::Tree => {
            let Some(&first) = task.members.first() else { return };
            let Some(fixed) = given.numbers.iter().position(|&flask| flask == old.flask_of[first]) else {
                return;
            };
            let end = given.flasks[fixed].treed;
            let members = given.flasks[fixed].flask.pieces.clone();
            given.hands[hand].book(start, end);
            given.steps.batch(step(fixed, end), &members);
        }
        Kind::Burnout => {}
        Kind::Invest | Kind::Cast | Kind::Clean => {
            let position = |place: &OldFlask| match kind {
                Kind::Invest => place.invest,
                Kind::Cast => place.cast,
                Kind::Clean | Kind::Print | Kind::Wash | Kind::Cure | Kind::Support | Kind::Tree => {
                    place.clean
                }
                Kind::Burnout | Kind::Finish | Kind::Qc => NOBODY,
            };
            let is_own = |&(_, flask): &(usize, &usize)| {
                let own = old.tasks.get(position(&old.flasks[*flask]));
                own.is_some_and(|own| own.start == start && own.hand == hand)
            };
            let found = given.numbers.iter().enumerate().find(is_own);
            let Some((fixed, _)) = found.filter(|(_, flask)| moved.chain[**flask] > kind) else { return };
            given.hands[hand].book(start, end);
            given.steps.single(kind, start, end, hand, fixed);
            if kind == Kind::Cast {
                given.casters[machine].insert(start, end, given.flasks[fixed].flask.alloy);
                given.steps.on_machine(machine);
            }
        }
    }
}
