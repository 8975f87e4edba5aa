//! The outline of one layer as directed pieces in the plate frame: for those who follow it with a nozzle.

use super::edges::{placed, section};
use super::intervals::usize_of;
use super::{Part, Plate};

impl Plate<'_> {
    /// Every piece of the outline of a layer: start and end, mm, solid to its left as seen from above.
    ///
    /// Two triangles that share an edge agree on the point where it is cut to the last bit, so pieces that meet
    /// can be joined by comparing. Overlapping solids are not united.
    pub(crate) fn outline(&self, layer: u32) -> Vec<[[f64; 2]; 2]> {
        let plane = self.settings.heights.plane_mm(layer);
        let mut pieces = Vec::new();
        self.intervals.visit(layer, |part, triangle| {
            let Part { mesh, offset_mm, .. } = &self.parts[part];
            let corners =
                mesh.triangles[triangle].map(|corner| placed(&mesh.vertices[usize_of(corner)], offset_mm));
            if let Some((start, end)) = section(&corners, plane) {
                pieces.push([start, end]);
            }
        });
        pieces
    }
}
