//! In which order strands are laid, where closed ones begin, and how the nozzle gets from one to the next.

use super::layer::{Group, LayerPlan};
use super::plane::{Point, distance_mm, mm};
use super::{Seam, Step, Way, travel};

/// Rounds of improvement of the order of islands; each looks at all pairs.
const IMPROVE_ROUNDS: u32 = 4;

/// More islands than this stay in the order in which the nearest is always next: a round looks at 40,000 pairs.
const IMPROVE_MAX: usize = 200;

/// Corners that turn less than this are no place to hide a seam, degrees.
const SEAM_CORNER_DEGREES: f64 = 20.0;

/// Walks the plans of layers, one after the other. Remembers where the nozzle is.
#[derive(Debug)]
pub struct Walker {
    at: Option<Point>,
    seam: Seam,
    /// A way that stays over the piece may be this much longer than the straight one, mm.
    detour_mm: f64,
}

impl Walker {
    /// A walker that is nowhere yet.
    #[must_use]
    pub fn new(seam: Seam, detour_mm: f64) -> Self {
        Self { at: None, seam, detour_mm }
    }

    /// All moves of a layer.
    #[must_use]
    pub fn walk(&mut self, plan: &LayerPlan) -> Vec<Step> {
        let mut steps = Vec::new();
        let is_island = |group: &&Group| group.is_island;
        let (islands, others): (Vec<&Group>, Vec<&Group>) = plan.groups.iter().partition(is_island);
        for group in others {
            self.group(group, plan, &mut steps);
        }
        let start = self.at.unwrap_or(Point::new(0, 0));
        for group in in_order(start, islands) {
            self.group(group, plan, &mut steps);
        }
        steps
    }

    fn group(&mut self, group: &Group, plan: &LayerPlan, steps: &mut Vec<Step>) {
        let mut is_first = true;
        for rank in &group.ranks {
            let mut left: Vec<&Way> = rank.iter().collect();
            while let Some((number, start)) = self.next(&left) {
                let way = left.swap_remove(number);
                self.travel(way.points[start], if is_first { None } else { Some(group) }, plan, steps);
                self.press(way, start, steps);
                is_first = false;
            }
        }
    }

    /// The way that begins nearest, and the point where it begins.
    fn next(&self, left: &[&Way]) -> Option<(usize, usize)> {
        let at = self.at.unwrap_or(Point::new(0, 0));
        let away = |point: Point| {
            let [x, y] = [i64::from(point.x) - i64::from(at.x), i64::from(point.y) - i64::from(at.y)];
            x * x + y * y
        };
        let mut best: Option<(i64, usize, usize)> = None;
        for (number, way) in left.iter().enumerate() {
            let mut look = |start: usize| {
                let found = (away(way.points[start]), number, start);
                if best.is_none_or(|best| found.0 < best.0) {
                    best = Some(found);
                }
            };
            if way.is_closed {
                match self.fixed_seam(way) {
                    Some(start) => look(start),
                    None => (0..way.points.len()).for_each(look),
                }
            } else {
                look(0);
                look(way.points.len() - 1);
            }
        }
        best.map(|(_, number, start)| (number, start))
    }

    /// The point where a closed way must begin; `None` if any will do.
    fn fixed_seam(&self, way: &Way) -> Option<usize> {
        let points = &way.points;
        match self.seam {
            Seam::Nearest => None,
            Seam::Rear => (0..points.len()).max_by_key(|&i| (points[i].y, points[i].x)),
            Seam::Corner => {
                let turns = (0..points.len()).map(|i| (turn_degrees(points, i), i));
                let sharpest = turns.min_by(|a, b| a.0.total_cmp(&b.0))?;
                (sharpest.0 < -SEAM_CORNER_DEGREES).then_some(sharpest.1)
            }
        }
    }

    /// Moves to a point; inside the group's piece if there is one and it can be.
    fn travel(&mut self, to: Point, within: Option<&Group>, plan: &LayerPlan, steps: &mut Vec<Step>) {
        let from = self.at.replace(to);
        if from == Some(to) {
            return;
        }
        let Some(from) = from else {
            steps.push(Step::Travel { to_mm: mm(to), is_inside: false });
            return;
        };
        let Some(group) = within else {
            steps.push(Step::Travel { to_mm: mm(to), is_inside: false });
            return;
        };
        if group.is_island {
            let route = travel::route(from, to, &group.inside, self.detour_mm);
            let is_inside = route.is_some();
            let points = route.unwrap_or_else(|| vec![to]);
            steps.extend(points.into_iter().map(|point| Step::Travel { to_mm: mm(point), is_inside }));
        } else {
            // Between supports: short ways leave no trace unless they cross the piece.
            let is_near = distance_mm(from, to) < plan.hop_mm;
            let is_inside = is_near && !travel::crosses(from, to, plan.outlines.iter().flatten());
            steps.push(Step::Travel { to_mm: mm(to), is_inside });
        }
    }

    fn press(&mut self, way: &Way, start: usize, steps: &mut Vec<Step>) {
        let count = way.points.len();
        let pieces = if way.is_closed { count } else { count - 1 };
        let is_backwards = !way.is_closed && start > 0;
        let mut at = way.points[start];
        for i in 0..pieces {
            // The piece that begins at point k, and the point that it leads to.
            let (piece, next) = if is_backwards {
                (start - 1 - i, start - 1 - i)
            } else {
                ((start + i) % count, (start + i + 1) % count)
            };
            let flow = way.flow.get(piece).or(way.flow.first()).copied().unwrap_or(0.0);
            let to = way.points[next];
            let long_mm = distance_mm(at, to);
            if long_mm > 0.0 {
                steps.push(Step::Press { to_mm: mm(to), mm3: long_mm * flow, kind: way.kind });
            }
            at = to;
        }
        self.at = Some(at);
    }
}

/// Turn at a corner of a closed way with the solid to its left, degrees; below 0 where the solid is all around.
fn turn_degrees(points: &[Point], i: usize) -> f64 {
    let count = points.len();
    let way =
        |from: Point, to: Point| [f64::from(to.x) - f64::from(from.x), f64::from(to.y) - f64::from(from.y)];
    let [ax, ay] = way(points[(i + count - 1) % count], points[i]);
    let [bx, by] = way(points[i], points[(i + 1) % count]);
    (ax * by - ay * bx).atan2(ax * bx + ay * by).to_degrees()
}

/// Islands with the nearest next, then improved by turning stretches around (2-opt).
fn in_order(start: Point, islands: Vec<&Group>) -> Vec<&Group> {
    let place = |group: &Group| group.ranks.iter().flatten().next().map_or(start, |way| way.points[0]);
    let mut left: Vec<(Point, &Group)> = islands.into_iter().map(|group| (place(group), group)).collect();
    let mut order = Vec::with_capacity(left.len());
    let mut at = start;
    while !left.is_empty() {
        let near = |a: &usize, b: &usize| distance_mm(at, left[*a].0).total_cmp(&distance_mm(at, left[*b].0));
        let Some(next) = (0..left.len()).min_by(near) else { break };
        let one = left.remove(next);
        at = one.0;
        order.push(one);
    }
    if order.len() <= IMPROVE_MAX {
        improve(start, &mut order);
    }
    order.into_iter().map(|(_, group)| group).collect()
}

fn improve(start: Point, order: &mut [(Point, &Group)]) {
    for _ in 0..IMPROVE_ROUNDS {
        let mut is_better = false;
        for i in 0..order.len() {
            for j in i + 1..order.len() {
                let before = if i == 0 { start } else { order[i - 1].0 };
                let after = order.get(j + 1).map(|one| one.0);
                let link = |a: Point, b: Option<Point>| b.map_or(0.0, |b| distance_mm(a, b));
                let now = distance_mm(before, order[i].0) + link(order[j].0, after);
                let turned = distance_mm(before, order[j].0) + link(order[i].0, after);
                if turned + 1e-9 < now {
                    order[i..=j].reverse();
                    is_better = true;
                }
            }
        }
        if !is_better {
            return;
        }
    }
}
