//! Rings whose cross section goes around the finger hole, changing slowly or not at all.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use nalgebra::Point3;

use super::{BandProfile, RingDesign};
use crate::mesh::{Mesh, cast};

/// A half-round band is this part of its thickness at the edges: sharper ones cut the finger.
const EDGE_PART: f64 = 0.4;
/// A comfort band's hole widens towards the edges by this part of the thickness.
const COMFORT_PART: f64 = 0.15;
/// A signet's shoulders run over this angle beside the face.
const SHOULDER_RADIANS: f64 = PI / 3.0;

/// A band with the same profile all around.
pub(super) fn band(design: &RingDesign, profile: BandProfile) -> Mesh {
    let (radius, thickness) = (design.inner_diameter_mm / 2.0, design.thickness_mm);
    let section = |_: f64| Section { radius, outer: radius + thickness, width: design.width_mm };
    let shape = |side: f64| {
        let arc = EDGE_PART + (1.0 - EDGE_PART) * (1.0 - side * side).max(0.0).sqrt();
        let comfort = COMFORT_PART * side * side;
        match profile {
            BandProfile::Flat => (0.0, 1.0),
            BandProfile::HalfRound => (0.0, arc),
            BandProfile::Comfort => (comfort, arc),
        }
    };
    sweep(design, design.width_mm, section, shape)
}

/// A shank that grows to a flat face towards +y.
pub(super) fn signet(design: &RingDesign, face_width: f64, face_length: f64, face_height: f64) -> Mesh {
    let radius = design.inner_diameter_mm / 2.0;
    let face_y = radius + face_height;
    let face_half = (face_length / 2.0 / face_y).atan();
    let section = |angle: f64| {
        let off = (angle - FRAC_PI_2).sin().atan2((angle - FRAC_PI_2).cos()).abs();
        let part = ((off - face_half) / SHOULDER_RADIANS).clamp(0.0, 1.0);
        let fade = part * part * (3.0 - 2.0 * part);
        let face = face_y / off.min(face_half).cos();
        let outer = face + (radius + design.thickness_mm - face) * fade;
        Section { radius, outer, width: face_width + (design.width_mm - face_width) * fade }
    };
    sweep(design, face_width, section, |_| (0.0, 1.0))
}

/// Where the metal lies at one angle.
struct Section {
    radius: f64,
    outer: f64,
    width: f64,
}

/// Sweeps a section around z. `shape` says for -1..1 across the width which parts of the way from the inner
/// to the outer radius are the inner and the outer surface.
fn sweep(
    design: &RingDesign,
    widest: f64,
    section: impl Fn(f64) -> Section,
    shape: impl Fn(f64) -> (f64, f64),
) -> Mesh {
    let outer = design.inner_diameter_mm / 2.0 + design.thickness_mm;
    // The chord of a hole with 128 flats stands in by 0.003 mm at 20 mm diameter.
    let around = cast::index((TAU * outer / design.resolution_mm).ceil()).max(128);
    let across = cast::index((widest / design.resolution_mm).ceil()).max(4);
    let through = cast::index((design.thickness_mm / design.resolution_mm).ceil()).max(2);
    let profile = profile(across, through);
    let mut mesh = Mesh::default();
    for step in 0..around {
        let angle = TAU * step as f64 / around as f64;
        let section = section(angle);
        for &(side, depth) in &profile {
            let (inner, outer) = shape(side);
            let part = inner + (outer - inner) * depth;
            let r = section.radius + (section.outer - section.radius) * part;
            let z = section.width / 2.0 * side;
            mesh.vertices.push(Point3::new(r * angle.cos(), r * angle.sin(), z).map(cast::single));
        }
    }
    let ring = profile.len();
    for step in 0..around {
        for at in 0..ring {
            let index = |step: usize, at: usize| cast::vertex(step % around * ring + at % ring);
            let (a, b) = (index(step, at), index(step + 1, at));
            let (c, d) = (index(step + 1, at + 1), index(step, at + 1));
            mesh.triangles.extend([[a, b, c], [a, c, d]]);
        }
    }
    mesh
}

/// The outline of a section, counter-clockwise in (radius, z): side -1..1 across, depth 0 inside to 1 outside.
fn profile(across: usize, through: usize) -> Vec<(f64, f64)> {
    let part = |step: usize, steps: usize| step as f64 / steps as f64;
    let mut outline = Vec::with_capacity(2 * (across + through));
    outline.extend((0..through).map(|step| (-1.0, part(step, through))));
    outline.extend((0..across).map(|step| (2.0 * part(step, across) - 1.0, 1.0)));
    outline.extend((0..through).map(|step| (1.0, 1.0 - part(step, through))));
    outline.extend((0..across).map(|step| (1.0 - 2.0 * part(step, across), 0.0)));
    outline
}
