//! The surface of a sprue: rings of points from the middle of the foot to the middle of the end.

use std::f64::consts::{FRAC_PI_2, TAU};

use nalgebra::{Point3, Vector2, Vector3};

use super::{FeedRule, Spot};
use crate::mesh::{Mesh, cast};

/// Points of a ring.
const AROUND: usize = 32;
/// Steps of the fillet's arc.
const FILLET_STEPS: usize = 12;
/// Rings of the foot, so that it follows the shank: chords stay within 0.005 mm.
const FOOT_STEPS: usize = 6;

/// Everything that gives the surface.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) spot: Spot,
    /// Of the finger hole.
    pub(super) axis: Vector3<f64>,
    pub(super) direction: Vector3<f64>,
    pub(super) diameter: f64,
    /// The foot lies on this radius around the finger hole.
    pub(super) foot_radius: f64,
    pub(super) rule: FeedRule,
}

impl Shape {
    /// A closed surface that faces outward.
    pub(super) fn mesh(&self) -> Mesh {
        let mut mesh = Mesh { vertices: vec![self.foot(0.0, 0.0)], triangles: Vec::new() };
        for step in 1..=FOOT_STEPS {
            ring(&mut mesh, |angle| self.foot(step as f64 / FOOT_STEPS as f64, angle));
        }
        for step in 0..=FILLET_STEPS {
            let turn = FRAC_PI_2 * step as f64 / FILLET_STEPS as f64;
            let (height, spread) = (self.fillet() * (1.0 - turn.cos()), 1.0 - turn.sin());
            ring(&mut mesh, |angle| self.at(height, self.section(1.0, spread, angle)));
        }
        let upright = self.direction.dot(&self.spot.out);
        let (bar_end, end) =
            ((self.rule.length_mm - self.rule.flare_mm) * upright, self.rule.length_mm * upright);
        ring(&mut mesh, |angle| self.at(bar_end, self.section(1.0, 0.0, angle)));
        ring(&mut mesh, |angle| self.at(end, self.section(self.rule.flare_part, 0.0, angle)));
        mesh.vertices.push(self.at(end, Vector2::zeros()));
        stitch(&mut mesh);
        mesh
    }

    fn fillet(&self) -> f64 {
        self.rule.fillet_part * self.diameter
    }

    /// A point of the foot, `part` of the way from its middle to its rim.
    fn foot(&self, part: f64, angle: f64) -> Point3<f32> {
        let across = self.section(1.0, 1.0, angle) * part;
        self.place(across, circle(self.foot_radius, across.x), 0.0)
    }

    /// A point so high above the shank; low ones follow its curve.
    fn at(&self, height: f64, across: Vector2<f64>) -> Point3<f32> {
        let outer = self.spot.outer;
        let fall = outer - circle(outer, across.x);
        let level = (height / self.fillet()).min(1.0);
        self.place(across, outer + height - fall * (1.0 - level), height)
    }

    /// A point of the bar's outline times `part`, spread by the fillet from 0 (bar) to 1 (shank). Along the
    /// finger the fillet is no wider than the shank.
    fn section(&self, part: f64, spread: f64, angle: f64) -> Vector2<f64> {
        let radius = self.diameter / 2.0;
        let beside = (self.spot.half_width - radius).clamp(0.0, self.fillet());
        let (sin, cos) = angle.sin_cos();
        let around = Vector2::new(
            (radius * part + spread * self.fillet()) * cos,
            (radius * part + spread * beside) * sin,
        );
        // A bar that leans is cut aslant by the shank: wider where it leans to.
        let lean = Vector2::new(self.direction.dot(&self.tangent()), self.direction.dot(&self.axis));
        let Some(lean) = lean.try_normalize(1e-9) else { return around };
        let wider = 1.0 / self.direction.dot(&self.spot.out) - 1.0;
        around + lean * (lean.dot(&around) * wider * (1.0 - spread))
    }

    fn tangent(&self) -> Vector3<f64> {
        self.axis.cross(&self.spot.out)
    }

    /// The point of space, moved aside as far as the bar leans at that height.
    fn place(&self, across: Vector2<f64>, radius: f64, height: f64) -> Point3<f32> {
        let out = self.spot.out;
        let aside = (self.direction / self.direction.dot(&out) - out) * height;
        let place =
            self.spot.center + self.tangent() * across.x + self.axis * across.y + out * radius + aside;
        place.map(cast::single)
    }
}

/// How far out a circle is at some way aside of its top.
fn circle(radius: f64, aside: f64) -> f64 {
    (radius * radius - aside * aside).max(0.0).sqrt()
}

fn ring(mesh: &mut Mesh, point: impl Fn(f64) -> Point3<f32>) {
    mesh.vertices.extend((0..AROUND).map(|step| point(TAU * step as f64 / AROUND as f64)));
}

/// Joins the first point, the rings and the last point.
fn stitch(mesh: &mut Mesh) {
    let rings = (mesh.vertices.len() - 2) / AROUND;
    let index = |ring: usize, step: usize| cast::vertex(1 + ring * AROUND + step % AROUND);
    let last = cast::vertex(mesh.vertices.len() - 1);
    for step in 0..AROUND {
        mesh.triangles.push([0, index(0, step + 1), index(0, step)]);
        for ring in 0..rings - 1 {
            let (a, b) = (index(ring, step), index(ring, step + 1));
            let (c, d) = (index(ring + 1, step + 1), index(ring + 1, step));
            mesh.triangles.extend([[a, b, c], [a, c, d]]);
        }
        mesh.triangles.push([last, index(rings - 1, step), index(rings - 1, step + 1)]);
    }
}
