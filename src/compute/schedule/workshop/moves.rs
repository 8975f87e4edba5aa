//! Changes to a genome: a lot goes to another run, runs are merged or split, something becomes more urgent.

use super::compile::Shop;
use super::genome::{Genome, Hold, Lot, Run};
use crate::schedule::random::Random;

/// What moves look at besides the genome.
pub(super) struct Scene<'a> {
    pub(super) shop: &'a Shop,
    pub(super) lots: &'a [Lot],
    /// By order: when it is done.
    pub(super) done: &'a [i64],
    /// Lots by order.
    pub(super) lots_of: &'a [Vec<usize>],
}

/// Changes something at random, mostly where it hurts.
pub(super) fn change(genome: &mut Genome, scene: &Scene<'_>, random: &mut Random) {
    loop {
        change_once(genome, scene, random);
        if !random.once_in(6) {
            break;
        }
    }
    genome.runs.retain(|run| !run.lots.is_empty());
}

fn change_once(genome: &mut Genome, scene: &Scene<'_>, random: &mut Random) {
    match random.below(100) {
        0..=34 => move_lot(genome, scene, random),
        35..=44 => merge(genome, random),
        45..=50 => split(genome, scene, random),
        51..=58 => swap(genome, scene, random),
        59..=78 => hurry(genome, scene, random),
        79..=84 => shift(genome, random),
        85..=91 => hold(genome, random),
        92..=95 => twist(genome, random),
        96..=97 => delay(genome, random),
        _ => turn_knob(genome, random),
    }
}

/// One of a few orders: the one that costs most.
fn sore_order(scene: &Scene<'_>, random: &mut Random) -> usize {
    let count = scene.shop.orders.len();
    let pain = |order: usize| {
        let job = &scene.shop.orders[order];
        (scene.done[order] - job.due).max(0).saturating_mul(job.weight)
    };
    let mut worst = random.below(count);
    for _ in 0..random.below(5) {
        let other = random.below(count);
        if pain(other) > pain(worst) {
            worst = other;
        }
    }
    worst
}

fn move_lot(genome: &mut Genome, scene: &Scene<'_>, random: &mut Random) {
    let order = sore_order(scene, random);
    let own = &scene.lots_of[order];
    if own.is_empty() {
        return;
    }
    let lot = own[random.below(own.len())];
    let Some(from) = genome.runs.iter().position(|run| run.lots.contains(&lot)) else { return };
    let target = if random.once_in(10) {
        None
    } else {
        neighbour(genome, genome.runs[from].program, genome.runs[from].at, Some(from), random)
    };
    genome.runs[from].lots.retain(|other| *other != lot);
    match target {
        Some(run) => genome.runs[run].lots.push(lot),
        None => {
            let program = genome.runs[from].program;
            let at = genome.runs[from].at;
            genome.runs.push(lone(program, vec![lot], at));
        }
    }
}

fn lone(program: usize, lots: Vec<usize>, at: i64) -> Run {
    Run { program, lots, shift: 0, hold: Hold::No, twist: 0, not_before: 0, at }
}

/// A run of the program near a time, the nearest most often.
fn neighbour(
    genome: &Genome,
    program: usize,
    at: i64,
    except: Option<usize>,
    random: &mut Random,
) -> Option<usize> {
    let able = |(index, run): &(usize, &Run)| {
        run.program == program && Some(*index) != except && !run.lots.is_empty()
    };
    let mut near: Vec<(i64, usize)> = Vec::with_capacity(32);
    near.extend(genome.runs.iter().enumerate().filter(able).map(|(index, run)| ((run.at - at).abs(), index)));
    if near.is_empty() {
        return None;
    }
    let mut place = 0;
    while place + 1 < near.len() && place < 6 && !random.once_in(2) {
        place += 1;
    }
    let (_, found, _) = near.select_nth_unstable(place);
    Some(found.1)
}

fn any_run(genome: &Genome, random: &mut Random) -> Option<usize> {
    let run = random.below(genome.runs.len());
    genome.runs.get(run).filter(|run| !run.lots.is_empty()).map(|_| run)
}

fn merge(genome: &mut Genome, random: &mut Random) {
    let Some(from) = any_run(genome, random) else { return };
    let run = &genome.runs[from];
    let Some(into) = neighbour(genome, run.program, run.at, Some(from), random) else { return };
    let lots = std::mem::take(&mut genome.runs[from].lots);
    genome.runs[into].lots.extend(lots);
}

fn split(genome: &mut Genome, scene: &Scene<'_>, random: &mut Random) {
    let Some(from) = any_run(genome, random) else { return };
    if genome.runs[from].lots.len() < 2 {
        return;
    }
    let mut lots = std::mem::take(&mut genome.runs[from].lots);
    match random.below(3) {
        0 => lots.sort_by_key(|&lot| (scene.lots[lot].release, lot)),
        1 => lots.sort_by_key(|&lot| (genome.lot_key(scene.shop, &scene.lots[lot]), lot)),
        _ => lots.sort_by_key(|&lot| (scene.lots[lot].alloy, lot)),
    }
    let place = 1 + random.below(lots.len() - 1);
    let rest = lots.split_off(place);
    genome.runs[from].lots = lots;
    let (program, at) = (genome.runs[from].program, genome.runs[from].at);
    genome.runs.push(lone(program, rest, at));
}

fn swap(genome: &mut Genome, scene: &Scene<'_>, random: &mut Random) {
    let Some(one) = any_run(genome, random) else { return };
    let run = &genome.runs[one];
    let Some(other) = neighbour(genome, run.program, run.at, Some(one), random) else { return };
    let a = random.below(genome.runs[one].lots.len());
    let lot = genome.runs[one].lots[a];
    // A lot of the same alloy changes no flask count.
    let same = |&place: &usize| scene.lots[genome.runs[other].lots[place]].alloy == scene.lots[lot].alloy;
    let alike: Vec<usize> = (0..genome.runs[other].lots.len()).filter(same).collect();
    let b = if alike.is_empty() {
        random.below(genome.runs[other].lots.len())
    } else {
        alike[random.below(alike.len())]
    };
    genome.runs[one].lots[a] = genome.runs[other].lots[b];
    genome.runs[other].lots[b] = lot;
}

fn hurry(genome: &mut Genome, scene: &Scene<'_>, random: &mut Random) {
    let order = sore_order(scene, random);
    let is_late = scene.done[order] > scene.shop.orders[order].due;
    let size = [60, 240, 960, 3_840][random.below(4)];
    let by = random.around(size);
    genome.rank[order] += if is_late && !random.once_in(4) { -by.abs() } else { by };
}

fn shift(genome: &mut Genome, random: &mut Random) {
    let Some(run) = any_run(genome, random) else { return };
    let size = [120, 720, 2_880][random.below(3)];
    genome.runs[run].shift += random.around(size);
}

fn hold(genome: &mut Genome, random: &mut Random) {
    let Some(run) = any_run(genome, random) else { return };
    genome.runs[run].hold = Hold::ALL[random.below(Hold::ALL.len())];
}

fn twist(genome: &mut Genome, random: &mut Random) {
    let Some(run) = any_run(genome, random) else { return };
    genome.runs[run].twist = random.below(16);
}

fn delay(genome: &mut Genome, random: &mut Random) {
    let Some(run) = any_run(genome, random) else { return };
    let at = genome.runs[run].at;
    let later = i64::try_from(random.below(960)).unwrap_or(0);
    genome.runs[run].not_before = if random.once_in(2) { 0 } else { at + later };
}

fn turn_knob(genome: &mut Genome, random: &mut Random) {
    let knobs = &mut genome.knobs;
    match random.below(3) {
        0 => knobs.reluctance = (knobs.reluctance + random.around(120)).clamp(0, 2_880),
        1 => knobs.extension = (knobs.extension + random.around(120)).clamp(0, 2_880),
        _ => knobs.upstream = (knobs.upstream + random.around(960)).clamp(-2_880, 14_400),
    }
}
