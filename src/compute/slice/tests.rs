//! Sections of solids whose areas are known, and the rules that are fixed in writing.

mod areas;
mod corners;
mod edits;
mod piles;
mod rules;
pub(crate) mod solids;

use std::sync::atomic::AtomicBool;

use super::{Control, Display, Heights, Layer, LayerSource, Orientation, Part, Plate, Sampling, Settings};
use crate::mesh::Mesh;
use crate::units::Microns;

/// Lets a test run to its end.
pub(crate) fn unwatched(cancel: &AtomicBool) -> Control<'_> {
    Control { cancel, progress: &|_, _| {} }
}

/// The display of the first Prusa resin printers, 47.25 µm.
pub(crate) fn settings(sampling: Sampling) -> Settings {
    Settings {
        display: Display {
            width_px: 2560,
            height_px: 1440,
            pitch_mm: [0.04725, 0.04725],
            orientation: Orientation::Landscape,
            mirror_x: false,
            mirror_y: false,
        },
        height_max_mm: 150.0,
        heights: Heights::uniform(Microns(50)),
        sampling,
    }
}

/// A part in the middle of the display.
pub(crate) fn centred(mesh: &Mesh) -> Part<'_> {
    Part { name: "part", mesh, offset_mm: [60.0, 34.0, 0.0] }
}

/// All layers of one part in the middle of the display.
fn layers_of(mesh: &Mesh, settings: Settings) -> Vec<Layer> {
    let parts = [centred(mesh)];
    let plate = Plate::prepare(&parts, settings).expect("the part fits");
    (0..plate.layer_count()).map(|index| plate.layer(index).expect("a layer")).collect()
}

/// Area of a section by Green's formula: exact for closed solids that do not overlap, mm².
fn section_area_mm2(mesh: &Mesh, z_offset_mm: f64, plane_mm: f64) -> f64 {
    let mut doubled = 0.0;
    for triangle in &mesh.triangles {
        let corners = triangle.map(|corner| &mesh.vertices[super::usize_of(corner)]);
        if let Some((from, to)) = super::edges::section(corners, &[0.0, 0.0, z_offset_mm], plane_mm) {
            doubled += from[0] * to[1] - to[0] * from[1];
        }
    }
    doubled / 2.0
}

/// The value of each pixel.
pub(crate) fn pixels(layer: &Layer) -> Vec<u8> {
    layer.runs.iter().flat_map(|run| std::iter::repeat_n(run.value, super::usize_of(run.length))).collect()
}
