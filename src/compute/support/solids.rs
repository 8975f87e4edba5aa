//! The convex pieces that supports are made of. Each is closed and turned outward; they overlap and are united
//! when they are sliced.

use nalgebra::{Point3, Unit, Vector3};

use crate::mesh::Mesh;

/// Sides of a round piece. The circle is inscribed, so no side is thinner than asked for.
const SIDES: u32 = 12;

/// Rings of a ball between its poles.
const BALL_RINGS: u32 = 5;

/// A mesh that grows piece by piece.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub(super) mesh: Mesh,
}

impl Pieces {
    /// A cone cut off at both ends; radii are those of the inscribed circles.
    pub(super) fn cone(&mut self, from: Point3<f64>, from_radius: f64, to: Point3<f64>, to_radius: f64) {
        let Some(axis) = Unit::try_new(to - from, 1e-9) else { return };
        let [u, v] = across(axis);
        let ring = |centre: Point3<f64>, radius: f64| -> Vec<Point3<f64>> {
            let corner = radius / (std::f64::consts::PI / f64::from(SIDES)).cos();
            (0..SIDES)
                .map(|side| {
                    let angle = std::f64::consts::TAU * f64::from(side) / f64::from(SIDES);
                    centre + (u * angle.cos() + v * angle.sin()) * corner
                })
                .collect()
        };
        self.prism(&ring(from, from_radius), &ring(to, to_radius));
    }

    /// A ball, at least as large as asked for along its equator.
    pub(super) fn ball(&mut self, centre: Point3<f64>, radius: f64) {
        let first = self.next();
        let angle = |index: u32, of: u32| std::f64::consts::PI * f64::from(index) / f64::from(of);
        let corner = radius / angle(1, SIDES).cos();
        self.add(centre - Vector3::z() * radius);
        for ring in 1..=BALL_RINGS {
            let down = angle(ring, BALL_RINGS + 1);
            for side in 0..SIDES {
                let turn = angle(2 * side, SIDES);
                let out = Vector3::new(turn.cos(), turn.sin(), 0.0) * (down.sin() * corner);
                self.add(centre + out - Vector3::z() * (down.cos() * radius));
            }
        }
        self.add(centre + Vector3::z() * radius);
        let at = |ring: u32, side: u32| first + 1 + (ring - 1) * SIDES + side % SIDES;
        let top = first + 1 + BALL_RINGS * SIDES;
        for side in 0..SIDES {
            self.mesh.triangles.push([first, at(1, side + 1), at(1, side)]);
            self.mesh.triangles.push([top, at(BALL_RINGS, side), at(BALL_RINGS, side + 1)]);
            for ring in 1..BALL_RINGS {
                let [a, b] = [at(ring, side), at(ring, side + 1)];
                let [c, d] = [at(ring + 1, side), at(ring + 1, side + 1)];
                self.mesh.triangles.extend([[a, b, d], [a, d, c]]);
            }
        }
    }

    /// An upright block between two corners.
    pub(super) fn block(&mut self, low: Point3<f64>, high: Point3<f64>) {
        let floor = |z: f64| {
            [(low.x, low.y), (high.x, low.y), (high.x, high.y), (low.x, high.y)]
                .map(|(x, y)| Point3::new(x, y, z))
        };
        self.prism(&floor(low.z), &floor(high.z));
    }

    /// The hull of two faces of equally many corners that run counter-clockwise, seen from the second one.
    pub(super) fn prism(&mut self, from: &[Point3<f64>], to: &[Point3<f64>]) {
        let first = self.next();
        let count = u32::try_from(from.len()).unwrap_or(0);
        from.iter().chain(to).for_each(|&corner| self.add(corner));
        for side in 0..count {
            let next = (side + 1) % count;
            let [a, b, c, d] = [side, next, count + side, count + next].map(|corner| first + corner);
            self.mesh.triangles.extend([[a, b, d], [a, d, c]]);
        }
        for side in 1..count.saturating_sub(1) {
            self.mesh.triangles.push([first, first + side + 1, first + side]);
            self.mesh.triangles.push([first + count, first + count + side, first + count + side + 1]);
        }
    }

    fn next(&self) -> u32 {
        u32::try_from(self.mesh.vertices.len()).unwrap_or(u32::MAX)
    }

    #[expect(clippy::cast_possible_truncation, reason = "millimetres of a plate")]
    fn add(&mut self, point: Point3<f64>) {
        self.mesh.vertices.push(Point3::new(point.x as f32, point.y as f32, point.z as f32));
    }
}

/// Two directions at right angles to a direction and to each other, right-handed.
fn across(axis: Unit<Vector3<f64>>) -> [Vector3<f64>; 2] {
    let helper = if axis.z.abs() > 0.9 { Vector3::x() } else { Vector3::z() };
    let u = axis.cross(&helper).normalize();
    [u, axis.cross(&u)]
}

#[cfg(test)]
mod tests {
    use nalgebra::Point3;

    use super::Pieces;

    type Draw = fn(&mut Pieces, Point3<f64>, Point3<f64>);

    #[test]
    fn every_piece_is_closed_and_turned_outward() {
        let [low, high] = [Point3::new(1.0, 2.0, 3.0), Point3::new(2.0, 2.5, 7.0)];
        let make: [Draw; 3] = [
            |pieces, low, high| pieces.cone(low, 0.2, high, 0.5),
            |pieces, low, _| pieces.ball(low, 0.5),
            |pieces, low, high| pieces.block(low, high),
        ];
        for piece in make {
            let mut pieces = Pieces::default();
            piece(&mut pieces, low, high);
            let mut edges: Vec<[u32; 2]> = Vec::new();
            for [a, b, c] in &pieces.mesh.triangles {
                edges.extend([[*a, *b], [*b, *c], [*c, *a]]);
            }
            assert!(pieces.mesh.signed_volume() > 0.1);
            assert!(edges.iter().all(|&[a, b]| edges.contains(&[b, a])), "each edge has its partner");
        }
    }

    #[test]
    fn a_cone_is_nowhere_thinner_than_asked_for() {
        let mut pieces = Pieces::default();
        pieces.cone(Point3::origin(), 0.5, Point3::new(0.0, 0.0, 2.0), 0.5);

        let least = std::f64::consts::PI * 0.25 * 2.0;
        let volume = pieces.mesh.signed_volume();

        assert!(volume > least && volume < least * 1.03, "{volume} against {least}");
    }
}
