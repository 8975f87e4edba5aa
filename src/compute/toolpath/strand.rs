//! Single strands along the middle of features that are thinner than two strands.
//!
//! The middle is the chordal axis: the area is cut into Delaunay triangles between points along its outline, and
//! the middles of the inner edges, followed from triangle to triangle, are the line; the length of an edge is the
//! width there. Short spurs into corners are left out.
//! Source: L. Prasad, Morphological analysis of shapes, CNLS Newsletter 139 (1997).

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::IntOverlayOptions;
use i_overlay::core::solver::Solver;
use i_triangle::advanced::delaunay::IntDelaunay;
use i_triangle::int::triangulator::IntTriangulator;
use i_triangle::int::validation::Validation;

use super::plane::{Contour, Point, STEPS_PER_MM, distance_mm, shape_mm2, simplified, steps};

/// A spur shorter than this share of the width where it begins points into a corner: half a diagonal of a square
/// end is 0.71 of its side.
const SPUR_SHARE: f64 = 0.75;

/// A line along the middle of something thin.
#[derive(Debug, Clone)]
pub(super) struct Strand {
    pub(super) points: Vec<Point>,
    /// Width at each point, mm.
    pub(super) widths_mm: Vec<f64>,
    pub(super) is_closed: bool,
}

impl Strand {
    /// Area that the strand covers, mm².
    pub(super) fn mm2(&self) -> f64 {
        self.pieces().map(|(long_mm, width_mm)| long_mm * width_mm).sum()
    }

    /// Length and mean width of each piece, mm.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let count = self.points.len();
        let pieces = if self.is_closed { count } else { count.saturating_sub(1) };
        (0..pieces).map(move |i| {
            let next = (i + 1) % count;
            let width_mm = f64::midpoint(self.widths_mm[i], self.widths_mm[next]);
            (distance_mm(self.points[i], self.points[next]), width_mm)
        })
    }
}

/// The lines along the middle of a thin shape. There is always at least one.
pub(super) fn strands(shape: &[Contour], strand_mm: f64, tolerance_mm: f64) -> Vec<Strand> {
    let axis = Axis::of(shape, strand_mm / 2.0);
    let mut strands: Vec<Strand> = axis.lines().iter().map(|line| axis.strand(line, tolerance_mm)).collect();
    strands.retain(|strand| strand.points.len() > 1);
    if strands.is_empty() {
        strands.push(dot(shape, strand_mm));
    }
    strands
}

/// One short strand along the longest extent of a shape that has no line along its middle.
fn dot(shape: &[Contour], strand_mm: f64) -> Strand {
    let outer = shape.first().map(Vec::as_slice).unwrap_or_default();
    let first = outer.first().copied().unwrap_or(Point::new(0, 0));
    let farthest = |from: Point| {
        let away = |a: &&Point, b: &&Point| distance_mm(from, **a).total_cmp(&distance_mm(from, **b));
        outer.iter().max_by(away).copied().unwrap_or(from)
    };
    let from = farthest(first);
    let to = farthest(from);
    let (long_mm, area_mm2) = (distance_mm(from, to), shape_mm2(shape));
    // Both ends round: the strand covers half a width more than its line. Never shorter than a tenth of a strand.
    let width_mm = area_mm2 / long_mm.max(strand_mm / 10.0);
    let line_mm = (long_mm - width_mm).max(strand_mm / 10.0);
    let share = if long_mm > 0.0 { line_mm / long_mm / 2.0 } else { 0.0 };
    let middle = [f64::midpoint(from.x.into(), to.x.into()), f64::midpoint(from.y.into(), to.y.into())];
    let reach = if long_mm > 0.0 {
        [(f64::from(to.x) - f64::from(from.x)) * share, (f64::from(to.y) - f64::from(from.y)) * share]
    } else {
        [line_mm / 2.0 * STEPS_PER_MM, 0.0]
    };
    let end = |sign: f64| near([middle[0] + sign * reach[0], middle[1] + sign * reach[1]]);
    Strand { points: vec![end(-1.0), end(1.0)], widths_mm: vec![width_mm; 2], is_closed: false }
}

#[expect(clippy::cast_possible_truncation, reason = "between points of the grid")]
fn near(at: [f64; 2]) -> Point {
    Point::new(at[0].round() as i32, at[1].round() as i32)
}

/// The chordal axis as a graph.
struct Axis {
    nodes: Vec<Node>,
    /// Pairs of nodes.
    links: Vec<[usize; 2]>,
}

#[derive(Clone, Copy)]
struct Node {
    at: Point,
    width_mm: f64,
}

impl Axis {
    fn of(shape: &[Contour], step_mm: f64) -> Self {
        let dense: Vec<Contour> = shape.iter().map(|contour| dense(contour, step_mm)).collect();
        let mut mesh = IntDelaunay { triangles: Vec::new(), points: Vec::new() };
        // Points along straight edges are what makes the middle of them known: they must stay.
        let keep = Validation { fill_rule: FillRule::NonZero, options: IntOverlayOptions::keep_all_points() };
        let mut triangulator = IntTriangulator::<i32, u32>::new(dense.len(), keep, Solver::default());
        triangulator.delaunay_shape_into(&dense, &mut mesh);
        let mut edges: Vec<([usize; 2], usize)> = Vec::with_capacity(mesh.triangles.len() * 3);
        for (triangle, corners) in mesh.triangles.iter().enumerate() {
            let [a, b, c] = corners.vertices.map(|vertex| vertex.index);
            edges.extend([[a, b], [b, c], [c, a]].map(|[i, j]| ([i.min(j), i.max(j)], triangle)));
        }
        edges.sort_unstable();
        let mut axis = Self { nodes: Vec::new(), links: Vec::new() };
        let mut inner: Vec<Vec<usize>> = vec![Vec::new(); mesh.triangles.len()];
        for pair in edges.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            let [a, b] = pair[0].0.map(|index| mesh.points[index]);
            let middle = [f64::midpoint(a.x.into(), b.x.into()), f64::midpoint(a.y.into(), b.y.into())];
            inner[pair[0].1].push(axis.nodes.len());
            inner[pair[1].1].push(axis.nodes.len());
            axis.nodes.push(Node { at: near(middle), width_mm: distance_mm(a, b) });
        }
        for edges in inner {
            axis.link(&edges);
        }
        axis
    }

    /// A triangle with two inner edges leads from one to the other; one with three is a fork.
    fn link(&mut self, edges: &[usize]) {
        match *edges {
            [a, b] => self.links.push([a, b]),
            [a, b, c] => {
                let [p, q, r] = [a, b, c].map(|edge| self.nodes[edge]);
                let third = |p: i32, q: i32, r: i32| (f64::from(p) + f64::from(q) + f64::from(r)) / 3.0;
                let at = near([third(p.at.x, q.at.x, r.at.x), third(p.at.y, q.at.y, r.at.y)]);
                let fork = self.nodes.len();
                self.nodes.push(Node { at, width_mm: (p.width_mm + q.width_mm + r.width_mm) / 3.0 });
                self.links.extend([[a, fork], [b, fork], [c, fork]]);
            }
            _ => {}
        }
    }

    /// Chains of nodes from end or fork to end or fork, without spurs, and closed chains (first equals last).
    fn lines(&self) -> Vec<Vec<usize>> {
        let mut neighbours = self.neighbours();
        let chains = chains(&neighbours);
        let is_spur = |chain: &Vec<usize>| {
            let (first, last) = (chain[0], chain[chain.len() - 1]);
            let ends = [neighbours[first].len(), neighbours[last].len()];
            let fork = match ends {
                [1, 3] => last,
                [3, 1] => first,
                _ => return false,
            };
            let wide_mm = neighbours[fork].iter().map(|&at| self.nodes[at].width_mm).fold(0.0, f64::max);
            self.length_mm(chain) < SPUR_SHARE * wide_mm
        };
        let spurs: Vec<&Vec<usize>> = chains.iter().filter(|chain| is_spur(chain)).collect();
        // All three arms of a small star are spurs: then the shape has no line along its middle.
        let links: Vec<[usize; 2]> =
            spurs.iter().flat_map(|chain| chain.windows(2)).map(|p| [p[0], p[1]]).collect();
        for [a, b] in links {
            neighbours[a].retain(|&at| at != b);
            neighbours[b].retain(|&at| at != a);
        }
        self::chains(&neighbours)
    }

    fn neighbours(&self) -> Vec<Vec<usize>> {
        let mut neighbours = vec![Vec::new(); self.nodes.len()];
        for &[a, b] in &self.links {
            neighbours[a].push(b);
            neighbours[b].push(a);
        }
        neighbours
    }

    fn length_mm(&self, chain: &[usize]) -> f64 {
        chain.windows(2).map(|pair| distance_mm(self.nodes[pair[0]].at, self.nodes[pair[1]].at)).sum()
    }

    fn strand(&self, chain: &[usize], tolerance_mm: f64) -> Strand {
        let is_closed = chain.len() > 3 && chain.first() == chain.last();
        let chain = if is_closed { &chain[1..] } else { chain };
        let points: Vec<Point> = chain.iter().map(|&node| self.nodes[node].at).collect();
        let few = simplified(&points, is_closed, tolerance_mm);
        // Both lists run in the same order; the width of a point that stays is the mean of those it stands for.
        let mut widths_mm = Vec::with_capacity(few.len());
        let mut at = 0;
        for (i, point) in few.iter().enumerate() {
            let next = few.get(i + 1);
            let (mut sum, mut count) = (0.0, 0.0);
            while at < points.len() && (points[at] == *point || next != Some(&points[at])) {
                sum += self.nodes[chain[at]].width_mm;
                count += 1.0;
                at += 1;
            }
            widths_mm.push(if count > 0.0 { sum / count } else { self.nodes[chain[0]].width_mm });
        }
        Strand { points: few, widths_mm, is_closed }
    }
}

/// Follows a graph: every chain between nodes that are no inner points of a line, then the closed ones.
fn chains(neighbours: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut seen = vec![false; neighbours.len()];
    let mut chains = Vec::new();
    for start in (0..neighbours.len()).filter(|&at| !matches!(neighbours[at].len(), 0 | 2)) {
        seen[start] = true;
        for &next in &neighbours[start] {
            // From both ends the same chain is found; the one from the lower end stays.
            let chain = follow(neighbours, start, next);
            let (first, last) = (chain[0], chain[chain.len() - 1]);
            let mirrored = (chain[chain.len() - 1], chain[chain.len() - 2]);
            if (first, next) <= (last, mirrored.1) {
                chain.iter().for_each(|&at| seen[at] = true);
                chains.push(chain);
            } else {
                chain.iter().for_each(|&at| seen[at] = true);
            }
        }
    }
    for start in 0..neighbours.len() {
        if !seen[start] && neighbours[start].len() == 2 {
            let chain = follow(neighbours, start, neighbours[start][0]);
            chain.iter().for_each(|&at| seen[at] = true);
            chains.push(chain);
        }
    }
    chains
}

/// From `start` by `next` to the end of the chain, or back to the start.
fn follow(neighbours: &[Vec<usize>], start: usize, next: usize) -> Vec<usize> {
    let mut chain = vec![start, next];
    while let [.., before, at] = chain[..]
        && at != start
        && neighbours[at].len() == 2
    {
        let [a, b] = [neighbours[at][0], neighbours[at][1]];
        chain.push(if a == before { b } else { a });
    }
    chain
}

/// Points along a contour, none further than a step from the next.
fn dense(contour: &[Point], step_mm: f64) -> Contour {
    let step = f64::from(steps(step_mm).max(1));
    let mut points = Vec::with_capacity(contour.len() * 2);
    for (i, &from) in contour.iter().enumerate() {
        let to = contour[(i + 1) % contour.len()];
        let way = [f64::from(to.x) - f64::from(from.x), f64::from(to.y) - f64::from(from.y)];
        let count = (way[0].hypot(way[1]) / step).ceil().max(1.0);
        let mut part = 0.0;
        while part < count {
            let share = part / count;
            points.push(near([f64::from(from.x) + way[0] * share, f64::from(from.y) + way[1] * share]));
            part += 1.0;
        }
    }
    points
}
