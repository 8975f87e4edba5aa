//! How often a surface goes around a point: 1 inside a solid, 0 outside, something between near a hole.
//!
//! Solid angles are summed over a tree; a far branch counts as one dipole (Barill, Dickson, Schmidt, Levin and
//! Jacobson 2018). Works on open and tangled surfaces.

use nalgebra::{Point3, Vector3};

use super::{Bounds, Mesh, cast, triangle_area};

/// A branch is far from so many of its own radii on. At 2.5 the error stays below 0.08.
const FAR: f64 = 2.5;
const LEAF_FACES: usize = 8;

/// The tree of dipoles of a mesh.
pub(crate) struct Winding<'mesh> {
    mesh: &'mesh Mesh,
    faces: Vec<u32>,
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    center: Point3<f64>,
    /// Sum of the normals times area, mm2.
    dipole: Vector3<f64>,
    radius: f64,
    start: u32,
    end: u32,
    /// The second child; the first follows the node itself. Zero for a leaf.
    second: u32,
}

impl<'mesh> Winding<'mesh> {
    /// Builds the tree.
    pub(crate) fn over(mesh: &'mesh Mesh) -> Self {
        let centers: Vec<Point3<f64>> = (0..mesh.triangles.len())
            .map(|face| {
                let [a, b, c] = mesh.corners(face);
                Point3::from((a.coords + b.coords + c.coords) / 3.0)
            })
            .collect();
        let mut winding = Self { mesh, faces: (0..cast::vertex(centers.len())).collect(), nodes: Vec::new() };
        let mut open = vec![(0, centers.len(), None)];
        while let Some((start, end, parent)) = open.pop() {
            if let Some(parent) = parent {
                winding.nodes[parent as usize].second = cast::vertex(winding.nodes.len());
            }
            let node = cast::vertex(winding.nodes.len());
            winding.nodes.push(winding.node(&centers, start, end));
            if end - start > LEAF_FACES {
                let middle = start + halve(&centers, &mut winding.faces[start..end]);
                open.push((middle, end, Some(node)));
                open.push((start, middle, None));
            }
        }
        winding
    }

    /// The winding number at a point.
    pub(crate) fn at(&self, point: Point3<f64>) -> f64 {
        let mut solid_angle = 0.0;
        let mut open = vec![0_u32];
        while let Some(index) = open.pop() {
            let node = &self.nodes[index as usize];
            let way = node.center - point;
            let distance = way.norm();
            if distance > FAR * node.radius {
                solid_angle += node.dipole.dot(&way) / distance.powi(3);
            } else if node.second == 0 {
                let faces = &self.faces[node.start as usize..node.end as usize];
                solid_angle +=
                    faces.iter().map(|&face| angle(point, self.mesh.corners(face as usize))).sum::<f64>();
            } else {
                open.extend([node.second, index + 1]);
            }
        }
        solid_angle / (4.0 * std::f64::consts::PI)
    }

    fn node(&self, centers: &[Point3<f64>], start: usize, end: usize) -> Node {
        let faces = &self.faces[start..end];
        let (mut dipole, mut weighted, mut area) = (Vector3::zeros(), Vector3::zeros(), 0.0);
        for &face in faces {
            let corners = self.mesh.corners(face as usize);
            let [a, b, c] = corners;
            let own = triangle_area(corners);
            dipole += (b - a).cross(&(c - a)) / 2.0;
            weighted += centers[face as usize].coords * own;
            area += own;
        }
        let center = if area > 0.0 {
            Point3::from(weighted / area)
        } else {
            faces.first().map_or_else(Point3::origin, |&face| centers[face as usize])
        };
        let corners = faces.iter().flat_map(|&face| self.mesh.corners(face as usize));
        let radius = corners.map(|corner| (corner - center).norm_squared()).fold(0.0, f64::max).sqrt();
        Node { center, dipole, radius, start: cast::vertex(start), end: cast::vertex(end), second: 0 }
    }
}

/// Parts faces by count along the longest side of their centres.
fn halve(centers: &[Point3<f64>], faces: &mut [u32]) -> usize {
    let axis =
        Bounds::around(faces.iter().map(|&face| centers[face as usize])).map_or(0, |all| all.size().imax());
    let middle = faces.len() / 2;
    faces.select_nth_unstable_by(middle, |&a, &b| {
        centers[a as usize][axis].total_cmp(&centers[b as usize][axis]).then(a.cmp(&b))
    });
    middle
}

/// The signed solid angle of a triangle (van Oosterom and Strackee 1983).
fn angle(point: Point3<f64>, corners: [Point3<f64>; 3]) -> f64 {
    let [a, b, c] = corners.map(|corner| corner - point);
    let (la, lb, lc) = (a.norm(), b.norm(), c.norm());
    let over = a.dot(&b.cross(&c));
    let under = la * lb * lc + a.dot(&b) * lc + b.dot(&c) * la + c.dot(&a) * lb;
    2.0 * over.atan2(under)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::{cube, merged};
    use crate::rings::RingDesign;

    #[test]
    fn overlapping_bodies_count_twice_and_a_missing_face_half_at_its_place() {
        let mut mesh =
            merged(&[cube(Point3::new(0.0, 0.0, 0.0), 2.0), cube(Point3::new(1.0, 1.0, 1.0), 2.0)]);
        let at = |mesh: &Mesh, x: f64| Winding::over(mesh).at(Point3::new(x, x * 0.99, x * 1.01));
        assert!((at(&mesh, 0.5) - 1.0).abs() < 1e-9);
        assert!((at(&mesh, 1.5) - 2.0).abs() < 1e-9);
        assert!(at(&mesh, 3.5).abs() < 0.08);

        mesh.triangles.drain(..2);
        let under = Winding::over(&mesh).at(Point3::new(1.0, 1.0, 0.0));
        assert!((under - 0.5).abs() < 1e-6, "{under}");
    }

    #[test]
    fn the_tree_agrees_with_the_plain_sum() {
        let mesh = RingDesign::solitaire(17.3, 6, 6.5).generate().unwrap();
        let tree = Winding::over(&mesh);
        for step in 0..40 {
            let part = f64::from(step) / 40.0 - 0.5;
            let point = Point3::new(22.0 * part, 25.0 * (part * 7.0).sin() / 2.0, 5.0 * part);
            let plain: f64 = (0..mesh.triangles.len()).map(|face| angle(point, mesh.corners(face))).sum();
            let plain = plain / (4.0 * std::f64::consts::PI);
            assert!((tree.at(point) - plain).abs() < 0.08, "{point}: {} {plain}", tree.at(point));
        }
    }
}
