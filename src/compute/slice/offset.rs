//! Compensation of the section: each layer's outline moved by a distance before it becomes pixels.
//!
//! ```text
//! segments -> closed contours -> union -> moved outline -> segments
//!             outline.rs         region.rs
//! ```
//!
//! The union is moved, not each part, so that overlapping parts grow and shrink as one. Growth is shrinkage of
//! everything around the section. What shrinkage would wipe out (a wire, and for growth an engraved line) keeps
//! its size and is told of, never lost silently. Coordinates are whole nanometres, so the result does not depend
//! on anything but the outline. A layer without a distance costs nothing.

mod outline;
mod region;
#[cfg(test)]
mod tests;

use super::edges::Segment;
use crate::units::Microns;
use region::Region;

/// A section is wiped out, and not merely blunted, where it reaches further from what stays than this multiple
/// of the distance. The tip of a corner reaches `1 / sin(angle / 2)`: corners below 29° count as thin.
const REACH: f64 = 4.0;

/// Arcs of round joins keep within this share of a pixel.
const ARC_SHARE_OF_PIXEL: f64 = 0.02;

/// By how much sections are moved. All numbers come from profiles; [`Offsets::NONE`] moves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    /// Growth of every section on each side; below zero it shrinks.
    pub xy: Microns,
    /// Shrinkage of the first layers on top of that.
    pub foot: Option<Foot>,
    /// Walls (or, for growth, gaps) that would end up thinner than this keep their size; 0 keeps only what
    /// would vanish.
    pub thinnest: Microns,
}

/// Compensation of the elephant foot: the light of bottom layers spreads, so they are drawn smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foot {
    /// Shrinkage of the first layer on each side.
    pub inward: Microns,
    /// Over this many layers it falls in even steps to nothing.
    pub layers: u32,
}

impl Offsets {
    /// Every section as it is.
    pub const NONE: Offsets = Offsets { xy: Microns(0), foot: None, thinnest: Microns(0) };

    /// Growth of a layer's section on each side, nm; below zero it shrinks.
    #[must_use]
    pub fn of_layer_nm(&self, index: u32) -> i64 {
        i64::from(self.xy.0) * 1000 - self.foot.map_or(0, |foot| foot.of_layer_nm(index))
    }

    /// The largest growth of any layer, mm: parts need this much room on the display.
    #[must_use]
    pub fn growth_mm(&self) -> f64 {
        let foot = self.foot.map_or(0, |foot| foot.inward.0.min(0));
        f64::from((self.xy.0 - foot).max(self.xy.0).max(0)) / 1000.0
    }
}

impl Foot {
    fn of_layer_nm(self, index: u32) -> i64 {
        let left = self.layers.saturating_sub(index);
        i64::from(self.inward.0) * 1000 * i64::from(left) / i64::from(self.layers.max(1))
    }
}

/// A place that would have been wiped out and keeps its size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Thin {
    /// In the picture, px.
    pub(super) at_px: [f64; 2],
    /// Whether it is a gap that would have closed.
    pub(super) gap: bool,
}

/// A moved section.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Moved {
    pub(super) segments: Vec<Segment>,
    pub(super) thin: Vec<Thin>,
}

/// The outline does not close: there is no section to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open;

/// Moves the union of a layer's outline outwards by `growth_nm`, or inwards if that is below zero.
pub(super) fn moved(
    segments: &[Segment],
    pitch_mm: [f64; 2],
    growth_nm: i64,
    thinnest: Microns,
) -> Result<Moved, Open> {
    let contours = outline::contours(segments, pitch_mm)?;
    let section = Region::union(&contours);
    let tolerance_nm = pitch_mm[0].min(pitch_mm[1]) * 1e6 * ARC_SHARE_OF_PIXEL;
    let by = Distance {
        nm: nm_f64(growth_nm.abs()),
        thinnest_nm: f64::from(thinnest.0.max(0)) * 1000.0,
        tolerance_nm,
    };
    let mut thin = Vec::new();
    let section =
        if growth_nm < 0 { shrunk(&section, by, &mut thin) } else { grown(&section, by, &mut thin) };
    let thin =
        thin.iter().map(|&at| Thin { at_px: outline::pixel(at, pitch_mm), gap: growth_nm > 0 }).collect();
    Ok(Moved { segments: outline::segments(section.contours(), pitch_mm), thin })
}

/// How far, and what is too thin for it.
#[derive(Debug, Clone, Copy)]
struct Distance {
    nm: f64,
    thinnest_nm: f64,
    tolerance_nm: f64,
}

/// The section drawn in on every side; each place that is too thin for it stays and is noted.
fn shrunk(section: &Region, by: Distance, thin: &mut Vec<[f64; 2]>) -> Region {
    let mut result = section.moved(-by.nm, by.tolerance_nm);
    let mut kept = Vec::new();
    for body in section.bodies() {
        // Looked at body by body: what stays of a neighbour must not vouch for a wire beside it.
        if let Some(places) = too_thin(&body, by) {
            thin.extend(places.bodies().map(|place| place.middle()));
            // Grown back to the body that was drawn in, or a gap of the distance would part them.
            let joined = places.moved(by.nm + 4.0 * by.tolerance_nm + 4.0, by.tolerance_nm);
            kept.push(joined.within(&body));
        }
    }
    if !kept.is_empty() {
        kept.push(result);
        result = Region::union_of(&kept);
    }
    result
}

/// The part of a body that has nothing left in it once its outline is moved in.
fn too_thin(body: &Region, by: Distance) -> Option<Region> {
    let reach = by.nm + by.thinnest_nm / 2.0;
    let core = body.moved(-reach, by.tolerance_nm);
    let far = body.without(&core.moved(reach * REACH, by.tolerance_nm));
    if far.is_empty() {
        return None;
    }
    // Arcs are cut short by the tolerance and points are rounded: without some play slivers would stay.
    let rest = body.without(&core.moved(reach + 2.0 * by.tolerance_nm + 2.0, by.tolerance_nm));
    let places = rest.within(&far.moved(reach * REACH, by.tolerance_nm));
    (!places.is_empty()).then_some(places)
}

/// The section let out on every side: what lies around it is drawn in.
fn grown(section: &Region, by: Distance, thin: &mut Vec<[f64; 2]>) -> Region {
    let reach = by.nm + by.thinnest_nm / 2.0;
    let Some(near) = section.frame(by.nm + 1.0) else { return Region::default() };
    let Some(wide) = section.frame(by.nm + 2.0 * REACH * reach + 1e6) else { return Region::default() };
    let around = shrunk(&wide.without(section), by, thin);
    near.without(&around)
}

#[expect(clippy::cast_precision_loss, reason = "nanometres of a compensation, far below 2^53")]
fn nm_f64(nm: i64) -> f64 {
    nm as f64
}
