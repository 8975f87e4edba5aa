//! Where the surface of a mesh crosses itself, by exact predicates.
//!
//! A tree of boxes is walked against itself; the faces of boxes that overlap are tested with Shewchuk's
//! adaptive orientation test, so rounding neither invents a crossing nor loses one. Faces that only touch (in a
//! corner, along an edge, flat on each other) do not cross.

use nalgebra::{Point3, Vector3};
use robust::{Coord3D, orient3d};

use super::{Mesh, cast};

/// Faces in a leaf.
const LEAF_FACES: usize = 4;
/// Pairs of boxes and of faces that are looked at; a sound design needs 30 to 100 for each face.
const VISITS_PER_FACE: usize = 1_000;
const VISITS_MIN: usize = 5_000_000;
const VISITS_MAX: usize = 300_000_000;
/// Pairs of faces that are counted; far above what a report can use.
const PAIRS_MAX: usize = 200_000;

/// What was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Crossings {
    /// Pairs of faces that cross, each as lower and higher face, ascending; not all if `stopped`.
    pub(crate) pairs: Vec<[u32; 2]>,
    /// Length of the curve of intersection, mm.
    pub(crate) length_mm: f64,
    /// How far a face reaches through another at most, mm; never more than the size of a face.
    pub(crate) depth_mm: f64,
    /// The middle of the pair that reaches deepest.
    pub(crate) place: Option<Point3<f64>>,
    /// The search was given up: the surface crosses itself almost everywhere.
    pub(crate) stopped: bool,
}

/// Finds all crossings of faces.
pub(crate) fn crossings(mesh: &Mesh) -> Crossings {
    let Some(tree) = Tree::over(mesh) else { return Crossings::default() };
    let mut found = Crossings::default();
    tree.walk(mesh, &mut found);
    found.pairs.sort_unstable();
    found
}

/// Whether two faces cross or touch.
pub(crate) fn meet(one: [Point3<f64>; 3], two: [Point3<f64>; 3]) -> bool {
    let touches = |one: [Point3<f64>; 3], two: [Point3<f64>; 3]| {
        (0..3).any(|at| {
            let (p, q) = (two[at], two[(at + 1) % 3]);
            let (over, under) = (side(one, p), side(one, q));
            over * under <= 0.0 && (over != 0.0 || under != 0.0) && passes(one, p, q)
        })
    };
    touches(one, two) || touches(two, one)
}

#[derive(Debug, Clone, Copy)]
struct Box3 {
    low: [f32; 3],
    high: [f32; 3],
}

impl Box3 {
    const EMPTY: Self = Self { low: [f32::INFINITY; 3], high: [f32::NEG_INFINITY; 3] };

    fn with(self, other: Self) -> Self {
        Self {
            low: [0, 1, 2].map(|axis| self.low[axis].min(other.low[axis])),
            high: [0, 1, 2].map(|axis| self.high[axis].max(other.high[axis])),
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        (self.low[0] <= other.high[0])
            & (other.low[0] <= self.high[0])
            & (self.low[1] <= other.high[1])
            & (other.low[1] <= self.high[1])
            & (self.low[2] <= other.high[2])
            & (other.low[2] <= self.high[2])
    }

    fn around(corners: [Point3<f32>; 3]) -> Self {
        corners.into_iter().fold(Self::EMPTY, |all, corner| {
            all.with(Self { low: corner.coords.into(), high: corner.coords.into() })
        })
    }

    fn size(&self) -> f32 {
        (self.high[0] - self.low[0]) + (self.high[1] - self.low[1]) + (self.high[2] - self.low[2])
    }
}

/// A complete binary tree over faces in the order of a space-filling curve. Node 1 is the root; node `n` has
/// the children `2n` and `2n + 1`; the leaves are the second half.
struct Tree {
    nodes: Vec<Box3>,
    faces: Vec<u32>,
    boxes: Vec<Box3>,
    leaves: usize,
}

impl Tree {
    fn over(mesh: &Mesh) -> Option<Self> {
        let faces = in_order(mesh)?;
        let boxes: Vec<Box3> = faces
            .iter()
            .map(|&face| {
                Box3::around(mesh.triangles[face as usize].map(|index| mesh.vertices[index as usize]))
            })
            .collect();
        let leaves = faces.len().div_ceil(LEAF_FACES).next_power_of_two();
        let mut nodes = vec![Box3::EMPTY; leaves * 2];
        for (leaf, part) in boxes.chunks(LEAF_FACES).enumerate() {
            nodes[leaves + leaf] = part.iter().fold(Box3::EMPTY, |all, one| all.with(*one));
        }
        for node in (1..leaves).rev() {
            nodes[node] = nodes[2 * node].with(nodes[2 * node + 1]);
        }
        Some(Self { nodes, faces, boxes, leaves })
    }

    fn walk(&self, mesh: &Mesh, found: &mut Crossings) {
        let visits_max = (self.faces.len().saturating_mul(VISITS_PER_FACE)).clamp(VISITS_MIN, VISITS_MAX);
        let mut visits = 0;
        let mut open = vec![(1_usize, 1_usize)];
        while let Some((a, b)) = open.pop() {
            visits += 1;
            if visits > visits_max || found.pairs.len() > PAIRS_MAX {
                found.stopped = true;
                return;
            }
            if a != b && !self.nodes[a].overlaps(&self.nodes[b]) {
                continue;
            }
            match (a >= self.leaves, b >= self.leaves) {
                (true, true) => {
                    visits += LEAF_FACES * LEAF_FACES;
                    self.test(mesh, a - self.leaves, b - self.leaves, found);
                }
                _ if a == b => open.extend([(2 * a, 2 * a), (2 * a + 1, 2 * a + 1), (2 * a, 2 * a + 1)]),
                (is_leaf, false) if is_leaf || self.nodes[b].size() > self.nodes[a].size() => {
                    open.extend([(a, 2 * b), (a, 2 * b + 1)]);
                }
                (_, _) => open.extend([(2 * a, b), (2 * a + 1, b)]),
            }
        }
    }

    fn test(&self, mesh: &Mesh, a: usize, b: usize, found: &mut Crossings) {
        let range = |leaf: usize| LEAF_FACES * leaf..self.faces.len().min(LEAF_FACES * (leaf + 1));
        for one in range(a) {
            let others = range(b).start.max(if a == b { one + 1 } else { 0 })..range(b).end;
            for two in others {
                if self.boxes[one].overlaps(&self.boxes[two]) {
                    found.add(mesh, self.faces[one], self.faces[two]);
                }
            }
        }
    }
}

/// The faces along a space-filling curve (Morton) through their first corners' boxes.
fn in_order(mesh: &Mesh) -> Option<Vec<u32>> {
    /// Steps along an axis.
    const STEPS: f32 = 1023.0;
    let all = mesh
        .triangles
        .iter()
        .flatten()
        .map(|&index| mesh.vertices[index as usize].coords.into())
        .fold(Box3::EMPTY, |all, corner: [f32; 3]| all.with(Box3 { low: corner, high: corner }));
    if mesh.triangles.is_empty() {
        return None;
    }
    let scale = [0, 1, 2].map(|axis| STEPS / (all.high[axis] - all.low[axis]).max(f32::MIN_POSITIVE));
    let mut keyed: Vec<u64> = mesh
        .triangles
        .iter()
        .enumerate()
        .map(|(face, corners)| {
            let corners = corners.map(|index| mesh.vertices[index as usize]);
            let step = |axis: usize| {
                let middle = (corners[0][axis] + corners[1][axis] + corners[2][axis]) / 3.0;
                cast::index(f64::from((middle - all.low[axis]) * scale[axis])).min(1023) as u64
            };
            (spread(step(0)) << 34 | spread(step(1)) << 33 | spread(step(2)) << 32) | face as u64
        })
        .collect();
    keyed.sort_unstable();
    Some(keyed.into_iter().map(|key| u32::try_from(key & 0xffff_ffff).unwrap_or(0)).collect())
}

/// Puts two zeros between the ten lowest bits.
fn spread(bits: u64) -> u64 {
    let bits = (bits | bits << 16) & 0x0300_00ff;
    let bits = (bits | bits << 8) & 0x0300_f00f;
    let bits = (bits | bits << 4) & 0x030c_30c3;
    (bits | bits << 2) & 0x0924_9249
}

impl Crossings {
    fn add(&mut self, mesh: &Mesh, one: u32, two: u32) {
        let (a, b) = (mesh.triangles[one as usize], mesh.triangles[two as usize]);
        let shared = a.iter().filter(|index| b.contains(index)).count();
        if shared >= 2 {
            return;
        }
        let (first, second) = (mesh.corners(one as usize), mesh.corners(two as usize));
        let Some(cut) = crossing(first, second) else { return };
        self.pairs.push([one.min(two), one.max(two)]);
        self.length_mm += cut.length;
        if cut.depth > self.depth_mm || self.place.is_none() {
            self.depth_mm = cut.depth.max(self.depth_mm);
            self.place = Some(cut.middle);
        }
    }
}

struct Cut {
    length: f64,
    depth: f64,
    middle: Point3<f64>,
}

/// On which side of a face a point lies: positive behind it, negative before it, zero in its plane. Exact.
fn side([a, b, c]: [Point3<f64>; 3], point: Point3<f64>) -> f64 {
    let coord = |point: Point3<f64>| Coord3D { x: point.x, y: point.y, z: point.z };
    orient3d(coord(a), coord(b), coord(c), coord(point))
}

/// Whether the line through two points passes a face, its rim included.
fn passes([a, b, c]: [Point3<f64>; 3], p: Point3<f64>, q: Point3<f64>) -> bool {
    let turn = |from, to| side([p, q, from], to);
    let first = turn(a, b);
    let second = turn(b, c);
    if first * second < 0.0 {
        return false;
    }
    let third = turn(c, a);
    first * third >= 0.0 && second * third >= 0.0 && (first != 0.0 || second != 0.0 || third != 0.0)
}

/// The crossing of two faces, if an edge of one really goes through the other.
fn crossing(one: [Point3<f64>; 3], two: [Point3<f64>; 3]) -> Option<Cut> {
    let of_two = two.map(|corner| side(one, corner));
    let through = |sides: [f64; 3]| sides.iter().any(|at| *at > 0.0) && sides.iter().any(|at| *at < 0.0);
    if !through(of_two) {
        return None;
    }
    let of_one = one.map(|corner| side(two, corner));
    if !through(of_one) {
        return None;
    }
    let mut ends: Vec<Point3<f64>> = Vec::new();
    for (face, other, sides) in [(one, two, of_two), (two, one, of_one)] {
        for at in 0..3 {
            let (p, q) = (other[at], other[(at + 1) % 3]);
            let (from, to) = (sides[at], sides[(at + 1) % 3]);
            if from * to < 0.0 && passes(face, p, q) {
                ends.push(p + (q - p) * (from / (from - to)));
            }
        }
    }
    let (first, last) = (*ends.first()?, *ends.last()?);
    let depth = reach(one, of_two).min(reach(two, of_one));
    Some(Cut { length: (last - first).norm(), depth, middle: nalgebra::center(&first, &last) })
}

/// How far the shorter end reaches through a face, from six times the volumes over its plane.
fn reach([a, b, c]: [Point3<f64>; 3], sides: [f64; 3]) -> f64 {
    let doubled: Vector3<f64> = (b - a).cross(&(c - a));
    let (low, high) = sides.iter().fold((0.0_f64, 0.0_f64), |(low, high), &at| (low.min(at), high.max(at)));
    let area = doubled.norm();
    if area > 0.0 { high.min(-low) / area } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::{cube, merged};
    use crate::rings::RingDesign;

    #[test]
    fn bodies_that_cross_are_found_with_curve_and_depth() {
        let mesh = merged(&[cube(Point3::new(0.0, 0.0, 0.0), 2.0), cube(Point3::new(1.5, 1.2, 1.3), 2.0)]);

        let found = crossings(&mesh);

        // The common box of 0.5 x 0.8 x 0.7: its edges that lie on both surfaces, two of each length.
        assert!((found.length_mm - 2.0 * (0.5 + 0.8 + 0.7)).abs() < 1e-5, "{}", found.length_mm);
        assert!(found.depth_mm > 0.3 && found.depth_mm < 0.81, "{}", found.depth_mm);
        assert!(!found.stopped);
        let apart = |pair: &[u32; 2]| pair[0] < 12 && pair[1] >= 12;
        assert!(found.pairs.iter().all(apart) && found.pairs.len() >= 6);
    }

    #[test]
    fn bodies_that_touch_and_bodies_that_are_sound_do_not_cross() {
        let stacked = merged(&[cube(Point3::new(0.0, 0.0, 0.0), 2.0), cube(Point3::new(0.3, 0.4, 2.0), 1.0)]);
        let kissing = merged(&[cube(Point3::new(0.0, 0.0, 0.0), 2.0), cube(Point3::new(2.0, 2.0, 2.0), 2.0)]);
        let solitaire = RingDesign::solitaire(17.3, 6, 6.5).generate().unwrap();

        for mesh in [stacked, kissing, solitaire] {
            assert_eq!(crossings(&mesh), Crossings::default());
        }
    }

    #[test]
    fn every_pair_that_a_plain_search_finds_is_found() {
        let mut mesh = RingDesign::signet(17.3).generate().unwrap();
        mesh.triangles.truncate(3000);
        for (index, vertex) in mesh.vertices.iter_mut().enumerate() {
            let step = cast::single((index * 7919 % 101) as f64 / 400.0);
            *vertex += Vector3::new(step, -step, step * 0.5);
        }
        let mut plain = Crossings::default();
        for one in 0..3000_u32 {
            for two in one + 1..3000 {
                plain.add(&mesh, one, two);
            }
        }
        plain.pairs.sort_unstable();

        let found = crossings(&mesh);

        assert!(found.pairs.len() > 30, "{}", found.pairs.len());
        assert_eq!(found.pairs, plain.pairs);
        assert!((found.length_mm - plain.length_mm).abs() < 1e-6);
    }
}
