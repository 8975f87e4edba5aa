//! The outline of one layer as directed pieces in the plate frame: for those who follow it with a nozzle.

use super::Plate;
use super::watch::{Stopped, Watch};

impl Plate<'_> {
    /// Every piece of the outline of a layer: start and end, mm, solid to its left as seen from above.
    ///
    /// Two triangles that share an edge agree on the point where it is cut to the last bit, so pieces that meet
    /// can be joined by comparing. Overlapping solids are not united. Nothing of a layer that was stopped.
    pub(crate) fn outline(&self, layer: u32) -> Vec<[[f64; 2]; 2]> {
        let plane_mm = self.settings.heights.plane_mm(layer);
        let watch = &mut Watch::over(self.cancel);
        let groups = self.groups.iter().filter(|group| layer < group.layers());
        let pieces: Result<Vec<_>, Stopped> =
            groups.map(|group| group.outline(layer, plane_mm, watch)).collect();
        pieces.unwrap_or_default().concat()
    }
}
