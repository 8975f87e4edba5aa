//! A tree of boxes around faces, for rays.

use nalgebra::{Point3, Vector3};

use super::{Bounds, Mesh, cast};

/// Faces in a leaf; small enough that a leaf costs about as much as the box above it.
const LEAF_FACES: usize = 4;

/// A binary tree over the faces of a mesh, split at the middle of the face centres.
#[derive(Debug)]
pub(crate) struct Bvh<'mesh> {
    mesh: &'mesh Mesh,
    faces: Vec<u32>,
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    bounds: Bounds,
    /// Faces of a leaf, or nothing.
    first: u32,
    count: u32,
    /// The second child of an inner node; the first follows the node itself.
    second: u32,
}

/// Where a ray meets a face.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) face: u32,
    /// Distance in lengths of the direction.
    pub(crate) at: f64,
}

impl<'mesh> Bvh<'mesh> {
    /// Builds the tree over all faces.
    pub(crate) fn over(mesh: &'mesh Mesh) -> Self {
        Self::over_faces(mesh, &(0..cast::vertex(mesh.triangles.len())).collect::<Vec<_>>())
    }

    /// Builds the tree over some faces; rays meet no other ones.
    pub(crate) fn over_faces(mesh: &'mesh Mesh, faces: &[u32]) -> Self {
        let boxes: Vec<Bounds> = faces
            .iter()
            .map(|&face| {
                let [a, b, c] = mesh.corners(face as usize);
                Bounds { min: a, max: a }.with(b).with(c)
            })
            .collect();
        let mut order: Vec<u32> = (0..cast::vertex(boxes.len())).collect();
        let mut nodes = Vec::with_capacity(boxes.len() / 2 + 1);
        build(&boxes, &mut order, &mut nodes);
        Self { mesh, faces: order.iter().map(|&place| faces[place as usize]).collect(), nodes }
    }

    /// Visits every face that the ray meets, in no useful order.
    pub(crate) fn for_each_hit(
        &self,
        origin: Point3<f64>,
        direction: Vector3<f64>,
        mut visit: impl FnMut(Hit),
    ) {
        self.walk(origin, direction, |hit| {
            visit(hit);
            f64::INFINITY
        });
    }

    /// The nearest face that the ray meets and that `is_wanted`; the lower face if two are equally near.
    pub(crate) fn first_hit(
        &self,
        origin: Point3<f64>,
        direction: Vector3<f64>,
        is_wanted: impl Fn(Hit) -> bool,
    ) -> Option<Hit> {
        let mut best: Option<Hit> = None;
        self.walk(origin, direction, |hit| {
            let is_better = best.is_none_or(|old| (hit.at, hit.face) < (old.at, old.face));
            if is_better && is_wanted(hit) {
                best = Some(hit);
            }
            best.map_or(f64::INFINITY, |hit| hit.at)
        });
        best
    }

    /// Visits faces on the ray; `visit` answers how far the walk still has to look.
    fn walk(&self, origin: Point3<f64>, direction: Vector3<f64>, mut visit: impl FnMut(Hit) -> f64) {
        let inverse = direction.map(|component| 1.0 / component);
        let mut reach = f64::INFINITY;
        let mut open = vec![0_u32];
        while let Some(index) = open.pop() {
            let Some(node) = self.nodes.get(index as usize) else { continue };
            if !node.bounds.is_met_by(origin, inverse, reach) {
                continue;
            }
            if node.count == 0 {
                open.push(node.second);
                open.push(index + 1);
                continue;
            }
            for &face in &self.faces[node.first as usize..(node.first + node.count) as usize] {
                if let Some(at) = meet(origin, direction, self.mesh.corners(face as usize)) {
                    reach = visit(Hit { face, at });
                }
            }
        }
    }
}

impl Bounds {
    fn is_met_by(&self, origin: Point3<f64>, inverse: Vector3<f64>, reach: f64) -> bool {
        let (mut near, mut far) = (0.0_f64, reach);
        for axis in 0..3 {
            let one = (self.min[axis] - origin[axis]) * inverse[axis];
            let two = (self.max[axis] - origin[axis]) * inverse[axis];
            // A NaN (a ray inside a slab's plane) loses against the other operand and decides nothing.
            near = near.max(one.min(two));
            far = far.min(one.max(two));
        }
        near <= far
    }
}

/// Builds the tree depth first without recursion: a hostile mesh must not overflow the stack.
fn build(boxes: &[Bounds], faces: &mut [u32], nodes: &mut Vec<Node>) {
    struct Task {
        start: usize,
        end: usize,
        parent: Option<usize>,
    }
    let mut tasks = vec![Task { start: 0, end: faces.len(), parent: None }];
    while let Some(Task { start, end, parent }) = tasks.pop() {
        if start == end {
            continue;
        }
        if let Some(parent) = parent {
            nodes[parent].second = cast::vertex(nodes.len());
        }
        let part = &mut faces[start..end];
        let bounds = part[1..].iter().fold(boxes[part[0] as usize], |bounds, &face| {
            bounds.with(boxes[face as usize].min).with(boxes[face as usize].max)
        });
        let is_leaf = part.len() <= LEAF_FACES;
        let node = nodes.len();
        let (first, count) = if is_leaf { (cast::vertex(start), cast::vertex(part.len())) } else { (0, 0) };
        nodes.push(Node { bounds, first, count, second: 0 });
        if !is_leaf {
            let middle = start + split(boxes, part);
            tasks.push(Task { start: middle, end, parent: Some(node) });
            tasks.push(Task { start, end: middle, parent: None });
        }
    }
}

/// Parts faces at the middle of their centres along the longest side; by count if that parts nothing.
fn split(boxes: &[Bounds], part: &mut [u32]) -> usize {
    let center = |face: &u32| boxes[*face as usize].center();
    let Some(centers) = Bounds::around(part.iter().map(center)) else { return 0 };
    let axis = centers.size().imax();
    let middle = centers.center()[axis];
    let mut lower = 0;
    for at in 0..part.len() {
        if center(&part[at])[axis] < middle {
            part.swap(lower, at);
            lower += 1;
        }
    }
    if lower == 0 || lower == part.len() { part.len() / 2 } else { lower }
}

/// The distance along a ray to a triangle, either side (Moeller and Trumbore 1997).
fn meet(origin: Point3<f64>, direction: Vector3<f64>, [a, b, c]: [Point3<f64>; 3]) -> Option<f64> {
    let (ab, ac) = (b - a, c - a);
    let across = direction.cross(&ac);
    let determinant = ab.dot(&across);
    if determinant == 0.0 {
        return None;
    }
    let from_a = origin - a;
    let u = from_a.dot(&across) / determinant;
    let up = from_a.cross(&ab);
    let v = direction.dot(&up) / determinant;
    let at = ac.dot(&up) / determinant;
    (u >= 0.0 && v >= 0.0 && u + v <= 1.0 && at > 0.0).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::cube;

    #[test]
    fn a_ray_from_inside_meets_a_cube_once_and_from_outside_twice() {
        let mesh = cube(Point3::new(0.0, 0.0, 0.0), 2.0);
        let bvh = Bvh::over(&mesh);
        let direction = Vector3::new(0.31, 0.17, 0.93);
        let count = |origin| {
            let mut hits = 0;
            bvh.for_each_hit(origin, direction, |_| hits += 1);
            hits
        };

        assert_eq!(count(Point3::new(1.0, 1.1, 0.9)), 1);
        assert_eq!(count(Point3::new(0.5, 0.6, -1.0)), 2);
        assert_eq!(count(Point3::new(0.5, 0.6, 3.0)), 0);
    }

    #[test]
    fn the_first_hit_is_the_nearest() {
        let mesh = cube(Point3::new(0.0, 0.0, 0.0), 2.0);
        let bvh = Bvh::over(&mesh);

        let hit = bvh.first_hit(Point3::new(0.7, 0.6, -1.0), Vector3::z(), |_| true).unwrap();

        assert!((hit.at - 1.0).abs() < 1e-12);
    }
}
