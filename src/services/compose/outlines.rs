//! What designs cover of a plate, remembered by their content.
//!
//! A silhouette follows from a file's bytes and never changes, so that forgetting it costs time and nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sprue_compute::nest::Outline;

use crate::services::slicing;
use crate::shop::design::{PartFacts, Sha256Hex};
use crate::store::Blobs;

/// Silhouettes that are remembered; a few kilobytes each.
const KEPT_MAX: usize = 1000;

static KEPT: Mutex<BTreeMap<Sha256Hex, Option<Arc<Outline>>>> = Mutex::new(BTreeMap::new());

/// The silhouette of a design, scaled; its box if the file can't be read, nothing if it covers no area.
pub(super) fn scaled(
    blobs: &Blobs,
    design: &Sha256Hex,
    part: Option<&PartFacts>,
    factors: [f64; 3],
) -> Option<Outline> {
    let [width, depth, _] = part.map_or([0.0; 3], PartFacts::size_mm);
    let outline = of_design(blobs, design).map(|outline| (*outline).clone());
    outline.or_else(|| Outline::rectangle(width, depth))?.scaled([factors[0], factors[1]])
}

fn of_design(blobs: &Blobs, design: &Sha256Hex) -> Option<Arc<Outline>> {
    if let Some(known) = KEPT.lock().unwrap_or_else(PoisonError::into_inner).get(design) {
        return known.clone();
    }
    let outline = slicing::outline_of(blobs, design).map(Arc::new);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= KEPT_MAX {
        kept.pop_first();
    }
    kept.insert(design.clone(), outline.clone());
    outline
}
