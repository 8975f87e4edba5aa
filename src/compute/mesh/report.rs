//! What a check says about a mesh.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Severity, any_error};
use crate::measure::{Stone, ThinKind};

/// Everything that [`crate::mesh::check()`] found and measured. Lengths in mm, areas in mm2, volumes in mm3.
///
/// `sprue check --json` prints it with `file`, `sha256` and `format` added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeshReport {
    /// Faces after the repairs.
    pub triangles: usize,
    /// Whether every edge joins exactly two faces that run along it in opposite directions, within its shell.
    pub watertight: bool,
    /// Connected bodies of surface.
    pub shells: usize,
    /// Volume of the solid: what lies in two bodies counts once. Without meaning if the surface is open.
    pub volume_mm3: f64,
    /// The plain signed sum over all faces; above `volume_mm3` where bodies overlap.
    pub signed_volume_mm3: f64,
    /// Area of all faces, hidden ones included.
    pub area_mm2: f64,
    /// Lowest and highest corner of the box around the mesh.
    pub bounds_mm: [[f64; 3]; 2],
    /// Shortest way through the material at the sampled places; nothing if it was not measured.
    pub thinnest_wall_mm: Option<f64>,
    /// Where that was.
    pub thinnest_wall_at_mm: Option<[f64; 3]>,
    /// The finger hole, if the mesh is a ring.
    pub ring: Option<RingMeasure>,
    /// Grams of finished metal for each alloy; filled in by whoever knows the densities.
    pub metal_g: Option<BTreeMap<String, f64>>,
    /// The same with its band, in grams: lowest and highest; filled in together with `metal_g`.
    #[serde(default)]
    pub metal_band_g: Option<BTreeMap<String, [f64; 2]>>,
    /// Bodies that look like stones left in the file. While there are any, the weight is open.
    #[serde(default)]
    pub stones: Vec<Stone>,
    /// Places that are thinner than the thresholds that were searched, thinnest first; only the first
    /// [`MeshReport::BODIES_MAX`] are listed.
    #[serde(default)]
    pub thin_places: Vec<ThinReport>,
    /// The middle of the mass, mm; nothing for an open surface.
    #[serde(default)]
    pub center_of_mass_mm: Option<[f64; 3]>,
    /// Edges of only one face.
    pub boundary_edges: usize,
    /// Edges of more than two faces.
    pub nonmanifold_edges: usize,
    /// One entry for each shell, in the order of their first face; only the first
    /// [`MeshReport::BODIES_MAX`] are listed.
    pub bodies: Vec<ShellReport>,
    /// What was changed in the mesh.
    pub repairs: Vec<Repair>,
    /// What a person or a program should know.
    pub findings: Vec<Finding>,
}

impl MeshReport {
    /// How many shells are described one by one.
    pub const BODIES_MAX: usize = 100;

    /// Whether a finding stops the work.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        any_error(&self.findings)
    }
}

/// One connected thin place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThinReport {
    /// What it is.
    pub kind: ThinKind,
    /// Thickness where it is thinnest.
    pub thickness_mm: f64,
    /// Where that is, in the middle of the metal.
    pub at_mm: [f64; 3],
    /// Lowest and highest corner of the box around it.
    pub bounds_mm: [[f64; 3]; 2],
    /// Its metal.
    pub volume_mm3: f64,
}

/// One connected body of surface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShellReport {
    /// Faces.
    pub triangles: usize,
    /// Enclosed volume; negative for a cavity.
    pub volume_mm3: f64,
    /// Surface area.
    pub area_mm2: f64,
    /// Lowest and highest corner of the box around it.
    pub bounds_mm: [[f64; 3]; 2],
    /// What it is.
    pub kind: ShellKind,
}

/// What a shell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShellKind {
    /// The outside of a solid.
    Solid,
    /// The wall of a void inside a solid.
    Cavity,
    /// A surface with holes, or one that doesn't separate inside from outside.
    Open,
}

/// A change that was made to the mesh. No vertex moved unless `moved_mm_max` says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repair {
    /// Stable code.
    pub code: String,
    /// How many faces (or vertices, as `text` says) were changed.
    pub count: usize,
    /// How far the farthest vertex was moved.
    pub moved_mm_max: f64,
    /// What was done.
    pub text: String,
    /// A note, or a warning if a person must look at the outcome.
    #[serde(default = "note")]
    pub severity: Severity,
    /// Where, or where the first of them was.
    #[serde(default = "everywhere")]
    pub place: String,
}

fn note() -> Severity {
    Severity::Note
}

fn everywhere() -> String {
    "mesh".to_owned()
}

impl Repair {
    /// A change that moved nothing and that nobody needs to look at.
    #[must_use]
    pub fn note(code: &str, count: usize, text: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            count,
            moved_mm_max: 0.0,
            text: text.into(),
            severity: note(),
            place: everywhere(),
        }
    }

    /// The same, but a person should look.
    #[must_use]
    pub fn shown(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// The same, with its place.
    #[must_use]
    pub fn at(self, place: impl Into<String>) -> Self {
        Self { place: place.into(), ..self }
    }
}

/// The finger hole of a ring: the largest cylinder that goes through (the definition of ISO 8653).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RingMeasure {
    /// Diameter of that cylinder.
    pub inner_diameter_mm: f64,
    /// A point on its axis, at the middle of the ring.
    pub center_mm: [f64; 3],
    /// Direction of its axis, length 1.
    pub axis: [f64; 3],
    /// What most of the wall measures, if most of it agrees; above the inner diameter where something enters.
    #[serde(default)]
    pub wall_diameter_mm: Option<f64>,
    /// How long the hole is along the finger: the width of the band there.
    #[serde(default)]
    pub hole_length_mm: Option<f64>,
}
