//! More and larger pieces on a full plate.
//!
//! Guided local search (Voudouris and Tsang 1999; for overlap Egeblad, Nielsen and Odgaard 2007): a piece is added
//! or exchanged although there is no room, then whatever overlaps is moved to where the weighted depths of its
//! overlaps are least, and pairs that stay get more weight. If all overlaps go within a bounded work, and the proof
//! agrees, the plate has become better; otherwise it is as before and something else is tried.

use super::Effort;
use super::body::{Body, Pose};
use super::random::Random;
use super::table::{Layout, Table};

/// Places anywhere on the plate and near the piece that are tried for one move.
const SAMPLES: usize = 24;
const SAMPLES_NEAR: usize = 12;
/// The best of them are refined.
const REFINED: usize = 2;
/// Refining begins with this step and ends with that, mm.
const STEPS_MM: [f32; 2] = [1.5, 0.02];
/// Weights of the deepest pair and of a pair that hardly overlaps, and of one that doesn't, each round.
const WEIGHT_DEEPEST: f32 = 1.8;
const WEIGHT_LEAST: f32 = 1.15;
const WEIGHT_FREE: f32 = 0.95;
/// Rounds without a smaller sum of depths before an attempt is given up.
const PATIENCE: usize = 30;
/// Depths below this are none, mm.
const NOTHING_MM: f32 = 1e-4;
/// Exchanges that are drawn before the most promising is tried.
const DRAWS: usize = 6;

/// Tries additions and exchanges until the work is done.
pub(super) fn improve(table: &Table<'_>, first: Layout, effort: Effort) -> Layout {
    let mut best = first;
    let mut random = Random::new(effort.seed ^ 0x5eed);
    let mut work = Work { done: 0, most: effort.work };
    while !work.is_done() && !table.is_all(&best) {
        let Some(change) = draw(table, &best, &mut random) else { break };
        let mut tangle = Tangle::new(table, &best, &change, &mut random, &mut work);
        if !tangle.untie() {
            continue;
        }
        let layout = tangle.layout();
        if table.merit(&layout) > table.merit(&best)
            && table.proved(&layout).members.len() == layout.members.len()
        {
            best = layout;
        }
    }
    best
}

struct Work {
    done: u64,
    most: u64,
}

impl Work {
    fn is_done(&self) -> bool {
        self.done >= self.most
    }
}

/// What comes, and what goes for it.
#[derive(Debug, Clone)]
struct Change {
    comes: usize,
    goes: Option<usize>,
}

/// Of a few changes that would make the plate better, the one that asks for the least room.
fn draw(table: &Table<'_>, best: &Layout, random: &mut Random) -> Option<Change> {
    let is_in = |piece: &usize| best.members.iter().any(|(member, _)| member == piece);
    let out: Vec<usize> = table.movable.iter().copied().filter(|piece| !is_in(piece)).collect();
    let is_kept = |piece: usize| table.kept.iter().any(|(kept, _)| *kept == piece);
    let movable: Vec<usize> =
        best.members.iter().map(|(piece, _)| *piece).filter(|piece| !is_kept(*piece)).collect();
    if out.is_empty() {
        return None;
    }
    let merit = table.merit(best);
    let mut found: Option<(f64, Change)> = None;
    for _ in 0..DRAWS {
        let comes = out[random.below(out.len())];
        let goes = (random.part() < 0.6 && !movable.is_empty()).then(|| movable[random.below(movable.len())]);
        let gain = table.area_mm2(comes) - goes.map_or(0.0, |piece| table.area_mm2(piece));
        let change = Change { comes, goes };
        let is_better = table.merit(&changed(best, &change)) > merit;
        if is_better && found.as_ref().is_none_or(|(least, _)| gain < *least) {
            found = Some((gain, change));
        }
    }
    // Nothing better among the draws: the smallest that is missing.
    let smallest = || out.iter().copied().min_by(|a, b| table.area_mm2(*a).total_cmp(&table.area_mm2(*b)));
    found.map(|(_, change)| change).or_else(|| Some(Change { comes: smallest()?, goes: None }))
}

fn changed(layout: &Layout, change: &Change) -> Layout {
    let mut members = layout.members.clone();
    members.retain(|(piece, _)| Some(*piece) != change.goes);
    members.push((change.comes, Pose { x: 0.0, y: 0.0, degrees: 0 }));
    Layout { members }
}

struct Member<'a> {
    piece: Option<usize>,
    body: &'a Body,
    pose: Pose,
    is_fixed: bool,
}

/// A layout with overlaps.
struct Tangle<'a, 'b> {
    table: &'a Table<'a>,
    members: Vec<Member<'a>>,
    weights: Vec<f32>,
    depths: Vec<f32>,
    random: &'b mut Random,
    work: &'b mut Work,
}

impl<'a, 'b> Tangle<'a, 'b> {
    fn new(
        table: &'a Table<'a>,
        layout: &Layout,
        change: &Change,
        random: &'b mut Random,
        work: &'b mut Work,
    ) -> Self {
        let is_kept = |piece: usize| table.kept.iter().any(|(kept, _)| *kept == piece);
        let member = |(piece, pose): &(usize, Pose)| Member {
            piece: Some(*piece),
            body: table.body(*piece),
            pose: *pose,
            is_fixed: is_kept(*piece),
        };
        let stays = layout.members.iter().filter(|(piece, _)| Some(*piece) != change.goes);
        let mut members: Vec<Member<'a>> = stays.map(member).collect();
        let dead = table.dead.iter();
        members.extend(dead.map(|(body, pose)| Member { piece: None, body, pose: *pose, is_fixed: true }));
        let freed = change.goes.and_then(|goes| layout.members.iter().find(|(piece, _)| *piece == goes));
        let degrees = table.degrees[change.comes].first().copied().unwrap_or(0);
        let start = freed.map_or(Pose { x: table.low[0], y: table.low[1], degrees }, |(_, pose)| Pose {
            degrees,
            ..*pose
        });
        members.push(member(&(change.comes, start)));
        let count = members.len();
        let mut tangle = Self {
            table,
            members,
            weights: vec![1.0; count * count],
            depths: vec![0.0; count * count],
            random,
            work,
        };
        let last = count - 1;
        tangle.members[last].pose = tangle.clamped(last, start);
        for index in 0..count {
            tangle.measure(index);
        }
        tangle.relocate(last);
        tangle
    }

    fn layout(&self) -> Layout {
        let members = self.members.iter().filter_map(|member| Some((member.piece?, member.pose)));
        Layout { members: members.collect() }
    }

    /// Whether all overlaps could be moved apart.
    fn untie(&mut self) -> bool {
        let mut least = f32::INFINITY;
        let mut patience = PATIENCE;
        while patience > 0 && !self.work.is_done() {
            let mut tied = self.tied();
            let sum: f32 = self.depths.iter().sum();
            if tied.is_empty() {
                return true;
            }
            patience -= 1;
            if sum < least * 0.98 {
                least = sum;
                patience = PATIENCE;
            }
            self.random.shuffle(&mut tied);
            for index in tied {
                if self.is_tied(index) {
                    self.relocate(index);
                }
            }
            self.weigh();
        }
        self.tied().is_empty()
    }

    fn tied(&self) -> Vec<usize> {
        (0..self.members.len()).filter(|&index| self.is_tied(index)).collect()
    }

    fn is_tied(&self, index: usize) -> bool {
        let count = self.members.len();
        !self.members[index].is_fixed
            && self.depths[index * count..(index + 1) * count].iter().any(|depth| *depth > NOTHING_MM)
    }

    /// Deep pairs become heavier, pairs apart lighter.
    fn weigh(&mut self) {
        let deepest = self.depths.iter().copied().fold(0.0, f32::max).max(NOTHING_MM);
        for (weight, depth) in self.weights.iter_mut().zip(&self.depths) {
            *weight *= match *depth > NOTHING_MM {
                true => WEIGHT_LEAST + (WEIGHT_DEEPEST - WEIGHT_LEAST) * depth / deepest,
                false => WEIGHT_FREE,
            };
            *weight = weight.max(1.0);
        }
    }

    /// Moves a piece to the best place that is found, which may be where it is.
    fn relocate(&mut self, index: usize) {
        let start = self.members[index].pose;
        let now = self.cost(index, start, f32::INFINITY);
        let mut best = self.refined(index, (now, start));
        let mut found: Vec<(f32, Pose)> = Vec::new();
        for sample in 0..SAMPLES + SAMPLES_NEAR {
            let pose = self.sample(index, if sample < SAMPLES { None } else { Some(start) });
            let bound = if found.len() < REFINED { f32::INFINITY } else { found[REFINED - 1].0 };
            let cost = self.cost(index, pose, bound);
            if cost < bound {
                found.push((cost, pose));
                found.sort_by(|a, b| a.0.total_cmp(&b.0));
                found.truncate(REFINED);
            }
        }
        for candidate in found {
            let refined = self.refined(index, candidate);
            if refined.0 < best.0 {
                best = refined;
            }
        }
        if best.0 < now {
            self.members[index].pose = best.1;
            self.measure(index);
        }
    }

    /// A place anywhere, or around one.
    fn sample(&mut self, index: usize, near: Option<Pose>) -> Pose {
        let Some(piece) = self.members[index].piece else { return self.members[index].pose };
        let degrees = &self.table.degrees[piece];
        let turn = degrees[self.random.below(degrees.len())];
        let [low, high] = [self.table.low, self.table.high];
        let pose = match near {
            None => {
                let extent = self.members[index].body.extents[usize::from(turn)];
                let [low, high] = self.table.range(&extent).unwrap_or([low, high]);
                let [x, y] = [0, 1].map(|axis| self.random.between(low[axis], high[axis]));
                Pose { x, y, degrees: turn }
            }
            Some(near) => {
                let reach = self.members[index].body.radius * 0.7;
                let [x, y] = [0, 1].map(|_| self.random.between(-reach, reach));
                let degrees = if self.random.part() < 0.5 { near.degrees } else { turn };
                Pose { x: near.x + x, y: near.y + y, degrees }
            }
        };
        self.clamped(index, pose)
    }

    /// Steps in eight directions and to the next turns, halved when none helps.
    fn refined(&mut self, index: usize, mut best: (f32, Pose)) -> (f32, Pose) {
        let [mut step, end] = STEPS_MM;
        while step > end && best.0 > 0.0 {
            let mut is_better = false;
            for candidate in self.around(index, best.1, step) {
                let cost = self.cost(index, candidate, best.0);
                if cost < best.0 {
                    best = (cost, candidate);
                    is_better = true;
                }
            }
            if !is_better {
                step *= 0.4;
            }
        }
        best
    }

    fn around(&mut self, index: usize, pose: Pose, step: f32) -> Vec<Pose> {
        let angle = self.random.part() * std::f32::consts::TAU;
        let mut poses = Vec::with_capacity(6);
        for quarter in [0.0, 0.25, 0.5, 0.75] {
            let (sin, cos) = (angle + quarter * std::f32::consts::TAU).sin_cos();
            poses.push(self.clamped(index, Pose { x: pose.x + cos * step, y: pose.y + sin * step, ..pose }));
        }
        if let Some(piece) = self.members[index].piece {
            let degrees = &self.table.degrees[piece];
            let at = degrees.binary_search(&pose.degrees).unwrap_or(0);
            let count = degrees.len();
            if count > 1 {
                let next = [degrees[(at + 1) % count], degrees[(at + count - 1) % count]];
                poses.extend(next.map(|degrees| self.clamped(index, Pose { degrees, ..pose })));
            }
        }
        poses
    }

    fn clamped(&self, index: usize, pose: Pose) -> Pose {
        let extent = self.members[index].body.extents[usize::from(pose.degrees)];
        let Some([low, high]) = self.table.range(&extent) else { return self.members[index].pose };
        Pose { x: pose.x.clamp(low[0], high[0]), y: pose.y.clamp(low[1], high[1]), ..pose }
    }

    /// Weighted depths of a piece at a place; it stops where they reach `bound`.
    fn cost(&mut self, index: usize, pose: Pose, bound: f32) -> f32 {
        let count = self.members.len();
        let this = (self.members[index].body, pose);
        let weights = &self.weights[index * count..(index + 1) * count];
        let mut sum = 0.0;
        for (other, (member, weight)) in self.members.iter().zip(weights).enumerate() {
            if other == index {
                continue;
            }
            let depth = self.table.turns.depth(this, (member.body, member.pose), self.table.limit);
            if depth > 0.0 {
                self.work.done += 1;
                sum += depth * weight;
                if sum >= bound {
                    return sum;
                }
            }
        }
        self.work.done += 1;
        sum
    }

    fn measure(&mut self, index: usize) {
        let count = self.members.len();
        let this = (self.members[index].body, self.members[index].pose);
        for other in (0..count).filter(|other| *other != index) {
            let member = &self.members[other];
            let both_fixed = member.is_fixed && self.members[index].is_fixed;
            let depth = match both_fixed {
                true => 0.0,
                false => self.table.turns.depth(this, (member.body, member.pose), self.table.limit).max(0.0),
            };
            self.depths[index * count + other] = depth;
            self.depths[other * count + index] = depth;
        }
        self.work.done += count as u64 / 4;
    }
}
