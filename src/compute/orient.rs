//! How a part should stand on the plate of a resin printer: a few good answers, each with its reasons.
//!
//! ```text
//! candidates -> area of faces -> 24 apart -> coarse layers -> 3 different -> real supports -> best first
//! candidates.rs    faces.rs                  grid.rs, layers.rs              the caller's evaluator
//! ```
//!
//! The cost of an answer is a sum of named terms ([`Score`]), so that a technician sees why one is better.
//! The turn about the vertical is left to nesting. The answer does not depend on the number of threads.
//!
//! Never here: supports themselves (an evaluator makes them), zones of a design beyond the plain ones of a ring,
//! moving the part to its place.

mod candidates;
mod faces;
mod grid;
mod hull;
mod layers;
mod score;
#[cfg(test)]
mod tests;
mod zones;

use std::sync::atomic::{AtomicBool, Ordering};

use nalgebra::{Point3, UnitQuaternion, Vector3};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::mesh::{Mesh, RingMeasure, cast};
use crate::preview::{self, Picture};
use crate::slice::Part;
pub use faces::overhang_mm2;
use faces::{Faces, Samples};
use layers::Analysis;
pub use score::{Score, Term, Weights};
pub(crate) use zones::head_direction;
pub use zones::{ZoneClass, ZoneMap};

/// This many candidates are cut into coarse layers.
const SHORT_LIST: usize = 24;
/// They are at least this far from each other.
const APART_DEGREES: f64 = 8.0;
/// This many are shown to the technician, and get real supports.
const FINALISTS: usize = 3;
/// Costs that differ by less are a tie; the lower part wins.
const TIE_SHARE: f64 = 0.03;

/// What depends on the material, the printer and the shop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What each term of the cost counts.
    pub weights: Weights,
    /// Faces steeper than this against the horizontal carry themselves, degrees: above 0, below 90.
    pub self_support_degrees: f64,
    /// A layer of this area peels without trouble, mm².
    pub peel_mm2: f64,
    /// Contact of one support tip, mm.
    pub tip_diameter_mm: f64,
    /// Area of overhang that one tip holds, mm².
    pub mm2_per_tip: f64,
    /// Diameter of the pillars below the tips, mm.
    pub pillar_diameter_mm: f64,
    /// How far the part will be raised above the plate, mm.
    pub lift_mm: f64,
}

/// What supports for one way to stand would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupportCost {
    /// Islands and weak islands that had to be held, in print layers; the coarse count stays if absent.
    pub islands: Option<[u32; 2]>,
    /// Contact area on each class of [`ZoneMap::classes`], mm²; missing ones are 0.
    pub contact_mm2: Vec<f64>,
    /// Places that need a contact and may not have one, or that no support reaches.
    pub refused: u32,
    /// Volume of the supports, mm³.
    pub volume_mm3: f64,
}

/// Makes supports for a part that stands on z = 0 and tells what they are; its faces are those of the design,
/// in the same order. An error is a sentence for the technician; such an answer comes after all others.
pub type SupportEvaluator<'a> = dyn Fn(&Mesh) -> Result<SupportCost, String> + Sync + 'a;

/// One way to stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Orientation {
    /// Turns the design to how it is printed.
    pub rotation: UnitQuaternion<f64>,
    /// Its cost, with reasons.
    pub score: Score,
    /// Whether the cost is that of real supports.
    pub has_real_supports: bool,
}

impl Orientation {
    /// The direction of the design that points away from the plate.
    #[must_use]
    pub fn up(&self) -> Vector3<f64> {
        self.rotation.inverse() * Vector3::z()
    }
}

/// The answers.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Different ways to stand, best first; never empty.
    pub orientations: Vec<Orientation>,
    /// What the technician should know: supports that could not be made, contacts that a protected place needs.
    pub findings: Vec<Finding>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrientError {
    /// No surface.
    #[error("the mesh has no surface to orient; read and check the design again")]
    FindSurface,
    /// The zones are those of another mesh.
    #[error("{faces} faces have {zones} zones; measure the zones of this mesh again")]
    MatchZones {
        /// Faces of the mesh.
        faces: usize,
        /// Zones given.
        zones: usize,
    },
    /// A number of the settings makes no sense.
    #[error("{what} is out of range; correct the material profile")]
    UseSetting {
        /// Which one.
        what: &'static str,
    },
    /// The caller asked to stop.
    #[error("stopped")]
    Cancelled,
}

/// Looks for the best ways to stand.
///
/// `mesh` is the scaled pattern in its own frame, mm, shells facing outward. A `ring` is tried in tilts and rolls
/// about its finger hole, anything else in evenly spread directions, on the flats of its hull and along its
/// main axes. Without `supports` the cost holds an estimate of them.
///
/// # Errors
/// An [`OrientError`]: nothing to orient, settings or zones that do not fit, or `cancel` was set.
pub fn orient(
    mesh: &Mesh,
    ring: Option<&RingMeasure>,
    zones: &ZoneMap,
    settings: &Settings,
    supports: Option<&SupportEvaluator<'_>>,
    cancel: &AtomicBool,
) -> Result<Choice, OrientError> {
    validate(mesh, zones, settings)?;
    let faces = Faces::of(mesh, zones);
    let extremes = hull::extreme_points(mesh);
    let rotations = match ring {
        Some(ring) => candidates::of_ring(ring, head_direction(mesh, ring)),
        None => candidates::of_any(mesh, &extremes),
    };
    if !faces.has_area() {
        return Err(OrientError::FindSurface);
    }
    let listed = short_list(&rotations, &faces.samples(), &extremes);
    let analyses = analyse(mesh, &listed, &faces, zones, settings, cancel)?;
    let finalists = finalists(analyses, zones, settings);
    conclude(mesh, finalists, zones, settings, supports, cancel)
}

/// The design turned to how it is printed: its box is centred on x = y = 0 and stands on z = 0.
#[must_use]
pub fn apply(mesh: &Mesh, orientation: &Orientation) -> Mesh {
    turned(mesh, &orientation.rotation)
}

/// What the technician looks at: the design as it will be printed, from the front, right and above.
#[must_use]
pub fn picture(mesh: &Mesh, orientation: &Orientation, width_px: u32, height_px: u32) -> Picture {
    let mesh = apply(mesh, orientation);
    preview::draw(&[Part { name: "candidate", mesh: &mesh, offset_mm: [0.0; 3] }], width_px, height_px)
}

fn validate(mesh: &Mesh, zones: &ZoneMap, settings: &Settings) -> Result<(), OrientError> {
    let (faces, count) = (mesh.triangles.len(), zones.of_face.len());
    if faces == 0 {
        return Err(OrientError::FindSurface);
    }
    let is_known = |class: &u8| usize::from(*class) < zones.classes.len();
    if faces != count || !zones.of_face.iter().all(is_known) {
        return Err(OrientError::MatchZones { faces, zones: count });
    }
    let angle = settings.self_support_degrees;
    if !(1.0..90.0).contains(&angle) {
        return Err(OrientError::UseSetting { what: "the angle that carries itself" });
    }
    let lengths = [
        ("the area that peels well", settings.peel_mm2),
        ("the diameter of support tips", settings.tip_diameter_mm),
        ("the area for each support tip", settings.mm2_per_tip),
        ("the diameter of support pillars", settings.pillar_diameter_mm),
    ];
    let wrong = lengths.iter().find(|(_, value)| !(value.is_finite() && *value > 0.0));
    if let Some(&(what, _)) = wrong {
        return Err(OrientError::UseSetting { what });
    }
    if !(settings.lift_mm.is_finite() && settings.lift_mm >= 0.0) {
        return Err(OrientError::UseSetting { what: "the height that parts are raised by" });
    }
    Ok(())
}

/// The best candidates by their faces alone, each far enough from all better ones.
fn short_list(
    rotations: &[UnitQuaternion<f64>],
    samples: &Samples,
    extremes: &[Point3<f64>],
) -> Vec<UnitQuaternion<f64>> {
    let costs: Vec<f64> = rotations
        .par_iter()
        .map(|rotation| samples.cost(&(rotation.inverse() * Vector3::z()), extremes))
        .collect();
    let mut order: Vec<usize> = (0..rotations.len()).collect();
    order.sort_by(|&a, &b| costs[a].total_cmp(&costs[b]).then(a.cmp(&b)));
    let near = APART_DEGREES.to_radians().cos();
    let mut listed: Vec<(Vector3<f64>, usize)> = Vec::new();
    for index in order {
        let up = rotations[index].inverse() * Vector3::z();
        if listed.len() < SHORT_LIST && listed.iter().all(|(other, _)| other.dot(&up) < near) {
            listed.push((up, index));
        }
    }
    listed.into_iter().map(|(_, index)| rotations[index]).collect()
}

/// Cuts the listed candidates into coarse layers.
fn analyse(
    mesh: &Mesh,
    listed: &[UnitQuaternion<f64>],
    faces: &Faces,
    zones: &ZoneMap,
    settings: &Settings,
    cancel: &AtomicBool,
) -> Result<Vec<Analysis>, OrientError> {
    listed
        .par_iter()
        .map(|&rotation| {
            if cancel.load(Ordering::Relaxed) {
                return Err(OrientError::Cancelled);
            }
            Ok(layers::analyse(mesh, rotation, faces, zones, settings))
        })
        .collect()
}

/// The best candidates that differ: those of a symmetric part that print the same layers count once.
fn finalists(analyses: Vec<Analysis>, zones: &ZoneMap, settings: &Settings) -> Vec<(Analysis, Score)> {
    let mut scored: Vec<(Analysis, Score)> = analyses
        .into_iter()
        .map(|analysis| {
            let score = Score::of(&analysis.amounts, zones, settings);
            (analysis, score)
        })
        .collect();
    scored.sort_by(|a, b| a.1.total.total_cmp(&b.1.total));
    lower_first(&mut scored, |(analysis, score)| (score.total, analysis.amounts.height_mm));
    let mut kept: Vec<(Analysis, Score)> = Vec::new();
    for candidate in scored {
        if kept.len() < FINALISTS && !kept.iter().any(|(other, _)| other.prints_like(&candidate.0)) {
            kept.push(candidate);
        }
    }
    kept
}

/// Gives the finalists real supports and sorts them by their final cost.
fn conclude(
    mesh: &Mesh,
    finalists: Vec<(Analysis, Score)>,
    zones: &ZoneMap,
    settings: &Settings,
    supports: Option<&SupportEvaluator<'_>>,
    cancel: &AtomicBool,
) -> Result<Choice, OrientError> {
    let mut findings = Vec::new();
    let mut answers: Vec<(bool, f64, Orientation)> = Vec::new();
    for (number, (mut analysis, mut score)) in (1..).zip(finalists) {
        if cancel.load(Ordering::Relaxed) {
            return Err(OrientError::Cancelled);
        }
        let made = supports.map(|evaluate| evaluate(&turned(mesh, &analysis.rotation)));
        let has_real_supports = matches!(made, Some(Ok(_)));
        match &made {
            Some(Ok(cost)) => {
                analysis.amounts.take(cost);
                score = Score::of(&analysis.amounts, zones, settings);
            }
            Some(Err(reason)) => {
                let text =
                    format!("no supports could be made for this way to stand: {reason}; choose another one");
                findings.push(Finding::warning("ORIENT_NO_SUPPORTS", format!("candidate {number}"), text));
            }
            None => {}
        }
        let orientation = Orientation { rotation: analysis.rotation, score, has_real_supports };
        answers.push((matches!(made, Some(Err(_))), analysis.amounts.height_mm, orientation));
    }
    answers.sort_by(|a, b| (a.0.cmp(&b.0)).then(a.2.score.total.total_cmp(&b.2.score.total)));
    let failed = answers.partition_point(|(has_failed, _, _)| !has_failed);
    lower_first(&mut answers[..failed], |(_, height, answer)| (answer.score.total, *height));
    let orientations: Vec<Orientation> = answers.into_iter().map(|(_, _, orientation)| orientation).collect();
    findings.extend(orientations.first().and_then(forbidden_finding));
    Ok(Choice { orientations, findings })
}

/// Among sorted answers, the lowest part of those that tie with the first comes first.
fn lower_first<T>(sorted: &mut [T], cost_and_height: impl Fn(&T) -> (f64, f64)) {
    let Some(best) = sorted.first().map(|answer| cost_and_height(answer).0) else { return };
    let tied = sorted.partition_point(|answer| cost_and_height(answer).0 <= best + TIE_SHARE * best.abs());
    sorted[..tied].sort_by(|a, b| cost_and_height(a).1.total_cmp(&cost_and_height(b).1));
}

fn forbidden_finding(best: &Orientation) -> Option<Finding> {
    let refused = best.score.terms.iter().find(|term| term.name == score::FORBIDDEN)?;
    (refused.amount > 0.0).then(|| {
        let text = format!(
            "even the best way to stand needs {} contacts on a protected place or out of reach; mark a place where a support may touch, or split the design",
            refused.amount
        );
        Finding::warning("ORIENT_FORBIDDEN_CONTACT", "mesh", text)
    })
}

/// Turned, centred on x = y = 0 and put on z = 0; rounded to single precision once.
fn turned(mesh: &Mesh, rotation: &UnitQuaternion<f64>) -> Mesh {
    let turn = rotation.to_rotation_matrix();
    let places: Vec<Point3<f64>> = mesh.vertices.iter().map(|vertex| turn * vertex.cast::<f64>()).collect();
    let used = mesh.triangles.iter().flatten().map(|&index| places[index as usize]);
    let Some(bounds) = crate::mesh::Bounds::around(used) else { return mesh.clone() };
    let center = bounds.center();
    let foot = Vector3::new(center.x, center.y, bounds.min.z);
    let vertices = places.iter().map(|place| (place - foot).map(cast::single)).collect();
    Mesh { vertices, triangles: mesh.triangles.clone() }
}
