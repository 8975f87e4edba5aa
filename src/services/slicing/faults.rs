//! How the layers of a plate lie in the shop, and what counts as a fault on this printer in this material.

use sprue_compute::plate_checks::{PartBox, Rules, Scene};
use sprue_compute::slice::{Heights, Part};

use super::PrintSettings;
use crate::shop::profile::printer::ResinPrinter;

/// Places are counted from the corner of the build area, as placements are; parts carry their names.
pub(super) fn scene(parts: &[Part<'_>], heights: &Heights, layers: u32, corner_mm: [f64; 2]) -> Scene {
    let boxes = parts.iter().filter_map(|part| {
        let bounds = part.mesh.bounds()?;
        let moved = |corner: [f64; 3]| {
            let shift =
                [part.offset_mm[0] - corner_mm[0], part.offset_mm[1] - corner_mm[1], part.offset_mm[2]];
            [corner[0] + shift[0], corner[1] + shift[1], corner[2] + shift[2]]
        };
        let (low_mm, high_mm) = (moved(bounds.min.into()), moved(bounds.max.into()));
        Some(PartBox { name: part.name.to_owned(), low_mm, high_mm })
    });
    Scene { origin_mm: corner_mm, parts: boxes.collect(), ..Scene::of(heights, layers) }
}

/// Limits that neither profile has are not held against, and the report says so.
pub(super) fn rules(settings: &PrintSettings, resin: &ResinPrinter) -> Rules {
    Rules {
        thin_mm: settings.material.feature_mm_min.as_ref().map(|limit| limit.value),
        peel_mm2: resin.peel_mm2_max.as_ref().map(|limit| limit.value),
        ..Rules::GEOMETRY
    }
}
