//! A sprue on the shank of a ring: the bar through which metal flows in, made as part of the pattern.
//!
//! ```text
//!       head                    Seen across the finger hole. The foot follows the shank and its fillet spreads the
//!    .--(  )--.                 metal; the end is flared for the trunk of the tree. The sprue is a body of its own
//!   /          \                that reaches into the shank: sections unite the two, and nothing of the design is
//!   \          /                changed. It never enters the finger hole.
//!    `--.__.--'
//!       |  |    <- fillet, bar, flare
//!       /__\
//! ```
//!
//! Only on request. Its volume is metal to melt, never weight of the piece. Supports are no sprues.

mod solid;
#[cfg(test)]
mod tests;

use nalgebra::{Point3, Vector3};
use serde::{Deserialize, Serialize};

use crate::mesh::bvh::Bvh;
use crate::mesh::{Mesh, RingMeasure, cast};
use solid::Shape;

/// How thick and how long. Lengths in mm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedRule {
    /// Diameter of the bar as part of the largest ball that fits into the shank where it stands.
    pub diameter_part: f64,
    /// The bar is at least this thick.
    pub diameter_mm_min: f64,
    /// The bar is at most this thick.
    pub diameter_mm_max: f64,
    /// From the shank to the end.
    pub length_mm: f64,
    /// Diameter of the end as part of the bar's.
    pub flare_part: f64,
    /// Length of the flare.
    pub flare_mm: f64,
    /// Radius of the fillet at the shank as part of the bar's diameter.
    pub fillet_part: f64,
    /// How deep the foot reaches into the shank.
    pub overlap_mm: f64,
    /// The foot stays this far from the finger hole.
    pub hole_clearance_mm: f64,
}

impl FeedRule {
    /// Gold and silver. The bar's section is 1.2 times that of the ball: published rules say 0.7 to 1.5 times the
    /// local section. The lengths are assumptions, to be calibrated by the shop.
    pub const GOLD_AND_SILVER: FeedRule = FeedRule {
        diameter_part: 1.1,
        diameter_mm_min: 2.0,
        diameter_mm_max: 4.0,
        length_mm: 8.0,
        flare_part: 1.2,
        flare_mm: 1.5,
        fillet_part: 0.3,
        overlap_mm: 0.3,
        hole_clearance_mm: 0.2,
    };
}

/// Where on the shank.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedPlace {
    /// Opposite the head.
    Bottom,
    /// Where the shank is thickest, but not on the head or beside it: thick parts feed thin ones.
    Heaviest,
    /// So many degrees from the bottom about the axis of the finger hole; filigree gets several.
    FromBottom(f64),
}

/// A sprue.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// Its closed surface, in the frame of the design.
    pub mesh: Mesh,
    /// Where its axis leaves the shank, mm.
    pub root: Point3<f64>,
    /// From the root to the end, length 1.
    pub direction: Vector3<f64>,
    /// Diameter of the bar, mm.
    pub diameter_mm: f64,
    /// Diameter of the largest ball in the shank there, mm.
    pub shank_mm: f64,
    /// Metal that it adds to the melt, mm³: what lies outside of a shank that is round there.
    pub volume_mm3: f64,
}

/// Why there is no sprue.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FeedError {
    /// The rule makes no sense.
    #[error("the {what} of the sprue is out of range; correct the rule of the alloy")]
    UseRule {
        /// Which number.
        what: &'static str,
    },
    /// A ring that is the same all around, or a place without metal.
    #[error("no shank was found {degrees:.0} degrees from the bottom; choose another place for the sprue")]
    FindShank {
        /// The place that was asked for.
        degrees: f64,
    },
    /// No room between the finger hole and the outside.
    #[error(
        "the shank is {shank_mm:.2} mm thick where the sprue would stand, too thin to reach into; choose another place"
    )]
    Reach {
        /// Thickness along the sprue, mm.
        shank_mm: f64,
    },
    /// It would lie along the shank.
    #[error(
        "the sprue would lean by {degrees:.0} degrees, at most {LEAN_DEGREES_MAX:.0} can be made; stand the ring another way or choose another place"
    )]
    Lean {
        /// Between the sprue and the radius.
        degrees: f64,
    },
}

/// A sprue that leans further leaves a wedge with the shank that breaks the investment.
const LEAN_DEGREES_MAX: f64 = 45.0;
/// The heaviest place is looked for this far from the bottom on either side, in steps of so many degrees.
const HEAVIEST_DEGREES: i32 = 120;
const STEP_DEGREES: usize = 5;
/// Below this overlap a bar breaks off, mm. A guess.
const OVERLAP_MM_MIN: f64 = 0.1;

/// Makes a sprue for a ring.
///
/// `mesh` is the scaled pattern, closed, mm; `ring` its finger hole. The sprue points away from the hole, or along
/// `towards` if that is given: straight down in the printed orientation it is the main support as well.
///
/// # Errors
/// A [`FeedError`] that says what to choose instead.
pub fn feed(
    mesh: &Mesh,
    ring: &RingMeasure,
    rule: &FeedRule,
    place: FeedPlace,
    towards: Option<Vector3<f64>>,
) -> Result<Feed, FeedError> {
    validate(rule)?;
    let shank = Shank::of(mesh, ring);
    let spot = match place {
        FeedPlace::Bottom => shank.spot(0.0),
        FeedPlace::FromBottom(degrees) => shank.spot(degrees),
        FeedPlace::Heaviest => shank.heaviest(),
    }?;
    let free = ring.inner_diameter_mm / 2.0 + rule.hole_clearance_mm;
    let foot_radius = free.max(spot.outer - rule.overlap_mm);
    if spot.outer - foot_radius < OVERLAP_MM_MIN {
        return Err(FeedError::Reach { shank_mm: spot.outer - spot.inner });
    }
    let direction = towards.and_then(|towards| towards.try_normalize(0.0)).unwrap_or(spot.out);
    let lean = direction.dot(&spot.out).clamp(-1.0, 1.0).acos().to_degrees();
    if lean > LEAN_DEGREES_MAX {
        return Err(FeedError::Lean { degrees: lean });
    }
    let diameter = (rule.diameter_part * spot.ball).clamp(rule.diameter_mm_min, rule.diameter_mm_max);
    let shape = Shape { spot, axis: shank.axis, direction, diameter, foot_radius, rule: *rule };
    let outside = Shape { foot_radius: spot.outer, ..shape };
    Ok(Feed {
        mesh: shape.mesh(),
        root: spot.center + spot.out * spot.outer,
        direction,
        diameter_mm: diameter,
        shank_mm: spot.ball,
        volume_mm3: outside.mesh().signed_volume(),
    })
}

/// The pattern with its sprue as one mesh of overlapping bodies; sections unite them.
#[must_use]
pub fn with_feed(mesh: &Mesh, feed: &Feed) -> Mesh {
    let mut both = mesh.clone();
    let first = cast::vertex(both.vertices.len());
    both.vertices.extend_from_slice(&feed.mesh.vertices);
    both.triangles.extend(feed.mesh.triangles.iter().map(|face| face.map(|index| index + first)));
    both
}

fn validate(rule: &FeedRule) -> Result<(), FeedError> {
    let is_positive = |value: f64| value.is_finite() && value > 0.0;
    let numbers = [
        ("diameter", rule.diameter_part),
        ("least diameter", rule.diameter_mm_min),
        ("greatest diameter", rule.diameter_mm_max),
        ("length", rule.length_mm),
        ("diameter of the end", rule.flare_part),
        ("flare", rule.flare_mm),
        ("fillet", rule.fillet_part),
        ("overlap", rule.overlap_mm),
        ("clearance of the finger hole", rule.hole_clearance_mm),
    ];
    if let Some(&(what, _)) = numbers.iter().find(|(_, value)| !is_positive(*value)) {
        return Err(FeedError::UseRule { what });
    }
    if rule.diameter_mm_max < rule.diameter_mm_min {
        return Err(FeedError::UseRule { what: "greatest diameter" });
    }
    if rule.length_mm < rule.flare_mm + rule.fillet_part * rule.diameter_mm_max {
        return Err(FeedError::UseRule { what: "length" });
    }
    Ok(())
}

/// The metal around the finger hole.
struct Shank<'a> {
    rays: Bvh<'a>,
    center: Point3<f64>,
    axis: Vector3<f64>,
    /// Away from the head; any direction if there is none.
    bottom: Vector3<f64>,
    inner_mm: f64,
}

/// The metal at one place, along a radius.
#[derive(Debug, Clone, Copy)]
struct Spot {
    /// On the axis of the hole, across from the place.
    center: Point3<f64>,
    out: Vector3<f64>,
    /// Radii of the surfaces.
    inner: f64,
    outer: f64,
    /// Half of the width along the finger.
    half_width: f64,
    /// Diameter of the largest ball that was found in the section.
    ball: f64,
}

impl<'a> Shank<'a> {
    fn of(mesh: &'a Mesh, ring: &RingMeasure) -> Self {
        let axis = Vector3::from(ring.axis).normalize();
        let bottom = crate::orient::head_direction(mesh, ring)
            .map_or_else(|| axis.cross(&Vector3::ith(axis.iamin(), 1.0)).normalize(), |head| -head);
        let (center, inner_mm) = (Point3::from(ring.center_mm), ring.inner_diameter_mm / 2.0);
        Self { rays: Bvh::over(mesh), center, axis, bottom, inner_mm }
    }

    /// The thickest place that is not near the head.
    fn heaviest(&self) -> Result<Spot, FeedError> {
        let degrees = (-HEAVIEST_DEGREES..=HEAVIEST_DEGREES).step_by(STEP_DEGREES);
        let spots =
            degrees.filter_map(|degrees| self.spot(f64::from(degrees)).ok().map(|spot| (degrees, spot)));
        // Of equally thick ones, the lowest.
        let better = |a: &(i32, Spot), b: &(i32, Spot)| {
            (a.1.ball * 100.0).round().total_cmp(&(b.1.ball * 100.0).round()).then(b.0.abs().cmp(&a.0.abs()))
        };
        spots.max_by(better).map(|(_, spot)| spot).ok_or(FeedError::FindShank { degrees: 0.0 })
    }

    /// What is met at some degrees from the bottom. A shank of wires may be open at the middle: then beside it.
    fn spot(&self, degrees: f64) -> Result<Spot, FeedError> {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let out = self.bottom * cos + self.axis.cross(&self.bottom) * sin;
        let steps = [0.0, 0.3, -0.3, 0.6, -0.6, 0.9, -0.9, 1.2, -1.2];
        let mut spots = steps.iter().filter_map(|&aside| self.section(self.center + self.axis * aside, out));
        spots.next().ok_or(FeedError::FindShank { degrees })
    }

    fn section(&self, center: Point3<f64>, out: Vector3<f64>) -> Option<Spot> {
        let inner = self.rays.first_hit(center, out, |hit| hit.at > 0.9 * self.inner_mm)?.at;
        let outer = self.rays.first_hit(center, out, |hit| hit.at > inner + 0.05)?.at;
        let reach = |from: Point3<f64>, towards: Vector3<f64>| {
            self.rays.first_hit(from, towards, |_| true).map_or(0.0, |hit| hit.at)
        };
        let radius = |from: Point3<f64>| {
            let around = (0..24).map(|step| {
                let (sin, cos) = (f64::from(step) * 15.0_f64.to_radians()).sin_cos();
                reach(from, out * cos + self.axis * sin)
            });
            around.fold(f64::INFINITY, f64::min)
        };
        let depths = (1..10).map(|tenth| inner + (outer - inner) * f64::from(tenth) / 10.0);
        let ball = 2.0 * depths.map(|depth| radius(center + out * depth)).fold(0.0, f64::max);
        let middle = center + out * f64::midpoint(inner, outer);
        let half_width = reach(middle, self.axis).min(reach(middle, -self.axis));
        Some(Spot { center, out, inner, outer, half_width, ball })
    }
}
