//! Which part of a ring a face belongs to: where supports may touch, and what the print should favour.

use nalgebra::{Point3, Vector3};
use serde::{Deserialize, Serialize};

use super::ThinKind;
use crate::mesh::{Mesh, MeshReport, RingMeasure};

/// What a face is for. Source: `geometry.md` section 5.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// The wall of the finger hole.
    Finger,
    /// Around the head: what everybody looks at.
    Head,
    /// The outside of the shank opposite the head.
    ShankBottom,
    /// Everything else.
    Side,
    /// Where a stone sits: nothing may touch it.
    Seat,
    /// An engraving: nothing may touch it.
    Engraved,
    /// A thin part that holds a stone.
    Prong,
}

impl Zone {
    /// Whether a contact may lie here.
    #[must_use]
    pub fn may_touch(self) -> bool {
        match self {
            Zone::Seat | Zone::Engraved => false,
            Zone::Finger | Zone::Head | Zone::ShankBottom | Zone::Side | Zone::Prong => true,
        }
    }

    /// Whether a pillar may stand here: marks of a foot are deeper than those of a tip.
    #[must_use]
    pub fn may_stand(self) -> bool {
        match self {
            Zone::Finger | Zone::ShankBottom => true,
            Zone::Head | Zone::Side | Zone::Seat | Zone::Engraved | Zone::Prong => false,
        }
    }
}

/// What a contact on each zone costs, relative to each other; nothing where a contact is forbidden.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneWeights {
    /// On the wall of the finger hole.
    pub finger: f64,
    /// On the head.
    pub head: f64,
    /// On the shank opposite the head.
    pub shank_bottom: f64,
    /// Anywhere else.
    pub side: f64,
    /// On a prong.
    pub prong: f64,
}

impl ZoneWeights {
    /// Source: `geometry.md` section 5.6; an assumption there, to be set by the workshop.
    pub const PAPER: Self = Self { finger: 1.0, head: 4.0, shank_bottom: 0.3, side: 1.5, prong: 4.0 };

    /// The weight of a zone; nothing if no contact is allowed there.
    #[must_use]
    pub fn of(&self, zone: Zone) -> Option<f64> {
        match zone {
            Zone::Finger => Some(self.finger),
            Zone::Head => Some(self.head),
            Zone::ShankBottom => Some(self.shank_bottom),
            Zone::Side => Some(self.side),
            Zone::Prong => Some(self.prong),
            Zone::Seat | Zone::Engraved => None,
        }
    }
}

/// What is known of a design beside its surface. The default knows nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// Boxes around stones that are or were in the file, as lowest and highest corner, mm.
    pub stones_mm: Vec<[[f64; 3]; 2]>,
    /// Boxes around prongs, as lowest and highest corner, mm.
    pub prongs_mm: Vec<[[f64; 3]; 2]>,
}

impl Known {
    /// The stones and the thin prongs of a checked design.
    #[must_use]
    pub fn of(report: &MeshReport) -> Self {
        let prongs = report.thin_places.iter().filter(|place| place.kind == ThinKind::Prong);
        Self {
            stones_mm: report.stones.iter().map(|stone| stone.bounds_mm).collect(),
            prongs_mm: prongs.map(|place| place.bounds_mm).collect(),
        }
    }
}

/// The faces within this of the wall of the finger hole belong to it, mm.
const FINGER_MM: f64 = 0.15;
/// The head reaches this far to both sides of its direction, degrees.
const HEAD_DEGREES: f64 = 35.0;
/// And the bottom of the shank, degrees.
const BOTTOM_DEGREES: f64 = 30.0;
/// The metal around a stone is its seat within this, mm.
const SEAT_MM: f64 = 0.3;

/// The zone of every face, in the order of the faces.
///
/// A design without a finger hole is all [`Zone::Side`], but for its seats and prongs.
#[must_use]
pub fn zones(mesh: &Mesh, ring: Option<&RingMeasure>, known: &Known) -> Vec<Zone> {
    let frame = ring.map(|ring| Frame::of(mesh, ring));
    (0..mesh.triangles.len())
        .map(|face| {
            let [a, b, c] = mesh.corners(face);
            let middle = Point3::from((a.coords + b.coords + c.coords) / 3.0);
            if known.stones_mm.iter().any(|bounds| holds(bounds, middle, SEAT_MM)) {
                return Zone::Seat;
            }
            if known.prongs_mm.iter().any(|bounds| holds(bounds, middle, 0.0)) {
                return Zone::Prong;
            }
            frame.as_ref().map_or(Zone::Side, |frame| frame.zone(middle))
        })
        .collect()
}

fn holds([low, high]: &[[f64; 3]; 2], point: Point3<f64>, gap: f64) -> bool {
    (0..3).all(|axis| low[axis] - gap <= point[axis] && point[axis] <= high[axis] + gap)
}

/// The finger hole and where the head is.
struct Frame {
    center: Point3<f64>,
    axis: Vector3<f64>,
    /// Towards the head, across the axis.
    head: Vector3<f64>,
    radius: f64,
}

impl Frame {
    fn of(mesh: &Mesh, ring: &RingMeasure) -> Self {
        let axis = Vector3::from(ring.axis);
        let center = Point3::from(ring.center_mm);
        let across = |point: Point3<f64>| {
            let from = point - center;
            from - axis * from.dot(&axis)
        };
        let all = || mesh.vertices.iter().map(|vertex| across(vertex.cast()));
        let farthest = all().map(|from| from.norm()).fold(0.0, f64::max);
        // The mean of what is farthest: prongs stand around the direction of the head.
        let head = all().filter(|from| from.norm() >= 0.9 * farthest).reduce(|sum, from| sum + from);
        let head = head.and_then(|head| head.try_normalize(0.0)).unwrap_or_else(Vector3::z);
        Self { center, axis, head, radius: ring.inner_diameter_mm / 2.0 }
    }

    fn zone(&self, point: Point3<f64>) -> Zone {
        let from = point - self.center;
        let across = from - self.axis * from.dot(&self.axis);
        let distance = across.norm();
        let toward_head = across.dot(&self.head);
        if distance <= self.radius + FINGER_MM {
            Zone::Finger
        } else if toward_head >= distance * HEAD_DEGREES.to_radians().cos() {
            Zone::Head
        } else if -toward_head >= distance * BOTTOM_DEGREES.to_radians().cos() {
            Zone::ShankBottom
        } else {
            Zone::Side
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rings::RingDesign;

    #[test]
    fn a_solitaire_has_its_head_up_its_bottom_down_and_its_finger_inside() {
        let mesh = RingDesign::solitaire(17.3, 6, 6.5).generate().unwrap();
        let ring = RingMeasure {
            inner_diameter_mm: 17.3,
            center_mm: [0.0; 3],
            axis: [0.0, 0.0, 1.0],
            wall_diameter_mm: None,
            hole_length_mm: None,
        };
        let stone = [[-3.25, 11.0, -3.25], [3.25, 14.0, 3.25]];
        let known = Known { stones_mm: vec![stone], prongs_mm: Vec::new() };

        let found = zones(&mesh, Some(&ring), &known);

        let middle = |face: usize| {
            let [a, b, c] = mesh.corners(face);
            (a.coords + b.coords + c.coords) / 3.0
        };
        for (face, zone) in found.iter().enumerate() {
            let at = middle(face);
            match zone {
                Zone::Finger => assert!(at.xy().norm() <= 8.65 + FINGER_MM),
                Zone::Head => assert!(at.y > 5.0),
                Zone::ShankBottom => assert!(at.y < -6.0),
                Zone::Seat => assert!(at.y > 10.0 && at.x.abs() < 4.0),
                Zone::Side => assert!(at.xy().norm() > 8.65),
                Zone::Engraved | Zone::Prong => panic!("nobody said so"),
            }
        }
        for zone in [Zone::Finger, Zone::Head, Zone::ShankBottom, Zone::Side, Zone::Seat] {
            assert!(found.contains(&zone), "{zone:?}");
        }
        assert_eq!(ZoneWeights::PAPER.of(Zone::Seat), None);
        assert!(zones(&mesh, None, &Known::default()).iter().all(|zone| *zone == Zone::Side));
    }
}
