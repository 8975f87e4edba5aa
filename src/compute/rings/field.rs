//! A solitaire as a distance field, and its surface by marching tetrahedra.
//!
//! Each cube of the grid is cut into six tetrahedra around its main diagonal; neighbours cut their common face
//! the same way, so the surface has no cracks and no edge with more than two faces.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use nalgebra::{Point3, Vector2, Vector3};

use super::RingDesign;
use crate::mesh::{Mesh, cast};

/// Radius that rounds the edges of the shank, mm.
const ROUNDING_MM: f64 = 0.35;
/// Prongs are this thick, as part of the stone, and within the bounds, mm.
const PRONG_PART: f64 = 0.17;
const PRONG_MM: (f64, f64) = (0.9, 1.5);
/// Pavilion depth of a round brilliant as part of its diameter (about 43 % with 40.75 degrees), crown 16 %.
const PAVILION_PART: f64 = 0.43;
const CROWN_PART: f64 = 0.16;
/// Crossings are kept this part of an edge away from its ends, so that no face gets too small for STL. On the
/// default grid that moves the surface by at most 0.003 mm.
const END_PART: f64 = 0.005;

/// A shank with a head of prongs.
pub(super) fn solitaire(design: &RingDesign, prongs: u8, stone_diameter: f64) -> Mesh {
    let solitaire = Solitaire::new(design, prongs, stone_diameter);
    let reach = solitaire.reach();
    surface(reach.0, reach.1, design.resolution_mm, |point| solitaire.distance(point))
}

struct Solitaire {
    radius: f64,
    half_thickness: f64,
    half_width: f64,
    stone_radius: f64,
    /// Height of the girdle over the centre of the hole.
    girdle_y: f64,
    prong_radius: f64,
    /// Foot, knee at the girdle, and tip of each prong.
    prongs: Vec<[Point3<f64>; 3]>,
}

impl Solitaire {
    fn new(design: &RingDesign, count: u8, stone_diameter: f64) -> Self {
        let (radius, stone_radius) = (design.inner_diameter_mm / 2.0, stone_diameter / 2.0);
        let prong_radius = (PRONG_PART * stone_diameter).clamp(PRONG_MM.0, PRONG_MM.1) / 2.0;
        // The culet stays clear of the finger.
        let girdle_y = radius + design.thickness_mm * 0.6 + PAVILION_PART * stone_diameter;
        let prong = |step: u8| {
            let (sin, cos) = (TAU * (f64::from(step) + 0.5) / f64::from(count)).sin_cos();
            let at = |r: f64, y: f64| Point3::new(r * cos, y, r * sin);
            // The seat takes a little less than half of the prong.
            let out = stone_radius + 0.25 * prong_radius;
            let tip_y = girdle_y + CROWN_PART * stone_diameter + 0.2;
            [at(0.35 * stone_radius, radius + design.thickness_mm * 0.5), at(out, girdle_y), at(out, tip_y)]
        };
        Self {
            radius,
            half_thickness: design.thickness_mm / 2.0,
            half_width: design.width_mm / 2.0,
            stone_radius,
            girdle_y,
            prong_radius,
            prongs: (0..count).map(prong).collect(),
        }
    }

    /// The box around the ring, with a little air.
    fn reach(&self) -> (Point3<f64>, Point3<f64>) {
        let outer = self.radius + 2.0 * self.half_thickness + 0.3;
        let head = self.stone_radius + 1.5 * self.prong_radius + 0.3;
        let side = self.half_width.max(head) + 0.3;
        let top = self.girdle_y + 2.0 * CROWN_PART * self.stone_radius + self.prong_radius + 0.6;
        (Point3::new(-outer.max(head), -outer, -side), Point3::new(outer.max(head), top, side))
    }

    /// Negative inside the metal.
    fn distance(&self, point: Point3<f64>) -> f64 {
        let prong = |&[foot, knee, tip]: &[Point3<f64>; 3]| {
            let radius = self.prong_radius;
            capsule(point, foot, knee, radius).min(capsule(point, knee, tip, radius))
        };
        let head = self.prongs.iter().map(prong).fold(self.gallery(point), f64::min);
        let set = head.max(-self.stone(point));
        let around = (point.x * point.x + point.y * point.y).sqrt();
        self.shank(around, point.z).min(set).max(self.radius - around)
    }

    fn shank(&self, around: f64, z: f64) -> f64 {
        let rounding = ROUNDING_MM.min(self.half_thickness * 0.8).min(self.half_width * 0.8);
        let from = Vector2::new(around - self.radius - self.half_thickness, z).abs();
        let beyond = from - Vector2::new(self.half_thickness - rounding, self.half_width - rounding);
        beyond.sup(&Vector2::zeros()).norm() + beyond.max().min(0.0) - rounding
    }

    /// A wire ring that joins the prongs halfway up, and a foot that joins them to the shank.
    fn gallery(&self, point: Point3<f64>) -> f64 {
        let [foot, knee, _] = self.prongs[0];
        let middle = nalgebra::center(&foot, &knee);
        let wire_radius = 0.8 * self.prong_radius;
        let from_axis = (point.x * point.x + point.z * point.z).sqrt();
        let ring = (middle.x * middle.x + middle.z * middle.z).sqrt();
        let wire = Vector2::new(from_axis - ring, point.y - middle.y).norm() - wire_radius;
        let base =
            (point - Point3::new(0.0, foot.y, 0.0)).norm() - (0.35 * self.stone_radius + self.prong_radius);
        wire.min(base)
    }

    /// A round stone: a cone below the girdle, another above it.
    fn stone(&self, point: Point3<f64>) -> f64 {
        let from_axis = (point.x * point.x + point.z * point.z).sqrt();
        let (over, r) = (point.y - self.girdle_y, self.stone_radius);
        let cone = |height: f64, over: f64| {
            // A cone from (r, 0) to (0, height): distance to its side, in the half plane of the axis.
            let normal = Vector2::new(height, r).normalize();
            Vector2::new(from_axis - r, over).dot(&normal)
        };
        cone(2.0 * PAVILION_PART * r, -over).max(cone(4.0 * CROWN_PART * r, over))
    }
}

fn capsule(point: Point3<f64>, a: Point3<f64>, b: Point3<f64>, radius: f64) -> f64 {
    let along = b - a;
    let part = ((point - a).dot(&along) / along.norm_squared()).clamp(0.0, 1.0);
    (point - a - along * part).norm() - radius
}

/// The corners of the six tetrahedra of a cube: from the lowest corner to the highest along three edges.
const TETRAHEDRA: [[usize; 4]; 6] =
    [[0, 1, 3, 7], [0, 1, 5, 7], [0, 2, 3, 7], [0, 2, 6, 7], [0, 4, 5, 7], [0, 4, 6, 7]];

/// The surface where `distance` is zero, facing the positive side.
fn surface(low: Point3<f64>, high: Point3<f64>, step: f64, distance: impl Fn(Point3<f64>) -> f64) -> Mesh {
    let size = (high - low).map(|length| cast::index((length / step).ceil()) + 1);
    let grid = Grid { low, step, size };
    let values: Vec<f64> = (0..size.x * size.y * size.z).map(|index| distance(grid.point(index))).collect();
    let mut marched = Marched { grid, values, known: BTreeMap::new(), mesh: Mesh::default() };
    for z in 0..size.z - 1 {
        for y in 0..size.y - 1 {
            for x in 0..size.x - 1 {
                marched.cube(Vector3::new(x, y, z));
            }
        }
    }
    marched.mesh
}

struct Grid {
    low: Point3<f64>,
    step: f64,
    size: Vector3<usize>,
}

impl Grid {
    fn index(&self, at: Vector3<usize>) -> usize {
        (at.z * self.size.y + at.y) * self.size.x + at.x
    }

    fn point(&self, index: usize) -> Point3<f64> {
        let (x, rest) = (index % self.size.x, index / self.size.x);
        let (y, z) = (rest % self.size.y, rest / self.size.y);
        self.low + Vector3::new(x as f64, y as f64, z as f64) * self.step
    }
}

struct Marched {
    grid: Grid,
    values: Vec<f64>,
    /// The vertex on each grid edge that the surface crosses.
    known: BTreeMap<(usize, usize), u32>,
    mesh: Mesh,
}

impl Marched {
    fn cube(&mut self, at: Vector3<usize>) {
        let corners: [usize; 8] = std::array::from_fn(|corner| {
            self.grid.index(at + Vector3::new(corner & 1, corner >> 1 & 1, corner >> 2))
        });
        let inside = corners.iter().filter(|&&corner| self.is_inside(corner)).count();
        if inside == 0 || inside == 8 {
            return;
        }
        for tetrahedron in TETRAHEDRA {
            self.tetrahedron(tetrahedron.map(|corner| corners[corner]));
        }
    }

    fn is_inside(&self, corner: usize) -> bool {
        self.values[corner] < 0.0
    }

    fn tetrahedron(&mut self, corners: [usize; 4]) {
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            corners.into_iter().partition(|&corner| self.is_inside(corner));
        match (inside.as_slice(), outside.as_slice()) {
            (&[a], &[b, c, d]) | (&[b, c, d], &[a]) => {
                let face = [self.crossing(a, b), self.crossing(a, c), self.crossing(a, d)];
                self.face(face, inside[0], outside[0]);
            }
            (&[a, b], &[c, d]) => {
                let quad =
                    [self.crossing(a, c), self.crossing(a, d), self.crossing(b, d), self.crossing(b, c)];
                self.face([quad[0], quad[1], quad[2]], a, c);
                self.face([quad[0], quad[2], quad[3]], a, c);
            }
            _ => {}
        }
    }

    /// Adds a face that looks from the inner grid corner to the outer one.
    fn face(&mut self, [a, b, c]: [u32; 3], inside: usize, outside: usize) {
        let [p, q, r] = [a, b, c].map(|index| self.mesh.vertices[index as usize].cast::<f64>());
        let outward = self.grid.point(outside) - self.grid.point(inside);
        let looks_out = (q - p).cross(&(r - p)).dot(&outward) > 0.0;
        self.mesh.triangles.push(if looks_out { [a, b, c] } else { [a, c, b] });
    }

    fn crossing(&mut self, a: usize, b: usize) -> u32 {
        let (a, b) = (a.min(b), a.max(b));
        if let Some(&known) = self.known.get(&(a, b)) {
            return known;
        }
        let part = (self.values[a] / (self.values[a] - self.values[b])).clamp(END_PART, 1.0 - END_PART);
        let (from, to) = (self.grid.point(a), self.grid.point(b));
        let index = cast::vertex(self.mesh.vertices.len());
        self.mesh.vertices.push((from + (to - from) * part).map(cast::single));
        self.known.insert((a, b), index);
        index
    }
}
