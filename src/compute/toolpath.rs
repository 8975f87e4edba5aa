//! From placed meshes to the ways of a nozzle that lays strands of wax.
//!
//! ```text
//! outline pieces -> section -> walls, thin strands, filling -> plan of a layer
//!                  section.rs   walls.rs strand.rs fill.rs     layer.rs
//! overhangs from the top down -> supports of every layer        support.rs
//! ```
//!
//! The wax of an area is its area times the thickness of the layer, exactly: what is pressed out along a way
//! follows from the area that the way has to fill, so rounding and corners never add up.
//! A feature that is thinner than two strands becomes one strand of its own width along its middle.
//! What can't be laid is a finding with its place; nothing is left out in silence.
//!
//! Never here: text, time, retraction. No number of a process has a default.

mod fill;
mod layer;
mod order;
mod plane;
mod section;
mod strand;
mod support;
#[cfg(test)]
mod tests;
mod travel;
mod walls;

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::finding::Finding;
use crate::slice::{Control, LayerSource, Plate, usize_of};
pub use layer::LayerPlan;
pub use order::Walker;
use plane::{Point, Region};
use section::Section;
use support::Supports;

/// Layers that each core plans between two hand-overs.
const LAYERS_PER_CORE: usize = 8;

/// How areas become strands. Lengths in mm.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Width of a strand.
    pub strand_mm: f64,
    /// The narrowest strand that can be laid.
    pub strand_mm_min: f64,
    /// Walls along every outline.
    pub walls: u32,
    /// What fills the walls.
    pub filling: Filling,
    /// Where closed strands begin.
    pub seam: Seam,
    /// How far a way may be off the outline that it follows.
    pub tolerance_mm: f64,
    /// Ways without wax between supports that are shorter than this leave no trace.
    pub hop_mm: f64,
    /// What holds overhangs; `None` lays no supports, and islands become findings.
    pub support: Option<Support>,
    /// Strands around the first layer that hold it: how wide in all; 0 for none.
    pub brim_mm: f64,
    /// Strands at a distance around the first layer that fill the nozzle; 0 for none.
    pub skirt_loops: u32,
    /// Distance of the skirt.
    pub skirt_gap_mm: f64,
}

/// What fills the walls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Filling {
    /// Filled share of the inside, percent; 100 is solid.
    pub percent: f64,
    /// How the strands lie.
    pub pattern: Pattern,
    /// Direction of straight strands in even layers, degrees from x; odd layers lie across.
    pub degrees: f64,
    /// Solid layers under a surface that is seen from above.
    pub top_layers: u32,
    /// Solid layers above a surface that is seen from below.
    pub bottom_layers: u32,
}

/// How the strands of a filling lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Straight strands, to and fro.
    Rectilinear,
    /// Strands along the outline, further and further in.
    Concentric,
}

/// Where closed strands begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seam {
    /// Where the nozzle is nearest.
    Nearest,
    /// At the back of the plate.
    Rear,
    /// In the sharpest corner that the solid leaves free, else where the nozzle is nearest.
    Corner,
}

/// Breakaway supports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Support {
    /// Faces that lean further than this from upright need support, degrees.
    pub degrees_max: f64,
    /// Free height between support and part, mm.
    pub gap_mm: f64,
    /// Free distance between the sides of support and part, mm.
    pub side_gap_mm: f64,
    /// Distance of the strands of a support, mm.
    pub spacing_mm: f64,
    /// Closer layers directly below the part.
    pub interface_layers: u32,
    /// Free distance between strands of the closer layers, mm.
    pub interface_gap_mm: f64,
    /// A column is at least this wide, mm.
    pub column_mm: f64,
}

/// What a strand is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Around the plate's parts, to fill the nozzle.
    Skirt,
    /// Holds the first layer on the plate.
    Brim,
    /// Breaks away after the print.
    Support,
    /// A wall that isn't seen.
    InnerWall,
    /// The wall that is seen.
    OuterWall,
    /// A feature that is thinner than two strands.
    Thin,
    /// Inside, where nothing is above or below that is seen.
    Infill,
    /// Inside, solid.
    Solid,
}

impl Kind {
    /// Whether it is part of the piece: supports, brim and skirt are thrown away.
    #[must_use]
    pub fn is_part(self) -> bool {
        match self {
            Kind::Skirt | Kind::Brim | Kind::Support => false,
            Kind::InnerWall | Kind::OuterWall | Kind::Thin | Kind::Infill | Kind::Solid => true,
        }
    }
}

/// One strand.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    kind: Kind,
    /// At least two points.
    points: Vec<Point>,
    is_closed: bool,
    /// Cross-section, mm²: one for each piece, or one for all.
    flow: Vec<f64>,
}

/// A straight move of the nozzle, plate frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Without wax; `is_inside` if the whole way stays over the piece that is being laid.
    Travel {
        /// Where to, mm.
        to_mm: [f64; 2],
        /// Whether the way crosses no outer wall.
        is_inside: bool,
    },
    /// Lays wax.
    Press {
        /// Where to, mm.
        to_mm: [f64; 2],
        /// Wax, mm³.
        mm3: f64,
        /// What for.
        kind: Kind,
    },
}

/// Why ways can't be planned to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StreamError<E> {
    /// The caller asked to stop.
    #[error("stopped")]
    Cancelled,
    /// The receiver refused.
    #[error("{0}")]
    Deliver(E),
}

/// Plans every layer on any core and hands the plans over in order.
///
/// While one batch is handed over the next is planned. The result does not depend on the number of threads; memory
/// holds the supports of all layers and the plans of a few layers for each core. Findings that need more than
/// one layer (islands that nothing holds) come first, with the first plan.
///
/// # Errors
/// `Cancelled`, or the first error of `deliver`.
pub fn stream<E: Send>(
    plate: &Plate<'_>,
    rules: &Rules,
    control: Control<'_>,
    mut deliver: impl FnMut(LayerPlan) -> Result<(), E> + Send,
) -> Result<(), StreamError<E>> {
    let (supports, findings) = support::plan(plate, rules, control.cancel).ok_or(StreamError::Cancelled)?;
    let planner = Planner { plate, rules, supports, cancel: control.cancel };
    let count = plate.layer_count();
    let batch = u32::try_from(rayon::current_num_threads() * LAYERS_PER_CORE).unwrap_or(u32::MAX);
    let planned = |from: u32| planner.plan(from..from.saturating_add(batch).min(count));
    let mut ready = planned(0).ok_or(StreamError::Cancelled)?;
    if let Some(first) = ready.first_mut() {
        first.findings.splice(0..0, findings);
    }
    let mut done = 0;
    while !ready.is_empty() {
        let from = done + u32::try_from(ready.len()).unwrap_or(u32::MAX);
        let hand_over = || {
            ready.into_iter().try_for_each(|plan| {
                if control.cancel.load(Ordering::Relaxed) {
                    return Err(StreamError::Cancelled);
                }
                done += 1;
                deliver(plan).map_err(StreamError::Deliver)?;
                (control.progress)(done, count);
                Ok(())
            })
        };
        let (handed, next) = rayon::join(hand_over, || planned(from));
        handed?;
        ready = next.ok_or(StreamError::Cancelled)?;
    }
    Ok(())
}

/// Everything that the plan of a layer depends on.
struct Planner<'a> {
    plate: &'a Plate<'a>,
    rules: &'a Rules,
    supports: Supports,
    cancel: &'a AtomicBool,
}

impl Planner<'_> {
    /// Plans some layers; `None` if the caller asked to stop.
    fn plan(&self, layers: std::ops::Range<u32>) -> Option<Vec<LayerPlan>> {
        let filling = &self.rules.filling;
        let (below, above) =
            if filling.percent < 100.0 { (filling.bottom_layers, filling.top_layers) } else { (0, 0) };
        let first = layers.start.saturating_sub(below.max(1));
        let last = layers.end.saturating_add(above).min(self.plate.layer_count());
        let sections = sections(self.plate, self.rules, first..last, self.cancel)?;
        let plan = |index: u32| {
            if self.cancel.load(Ordering::Relaxed) {
                return None;
            }
            let at = usize_of(index - first);
            let around = Around {
                under: at.checked_sub(1).map(|under| &sections[under]),
                below: &sections[at - usize_of(below).min(at)..at],
                above: &sections
                    [(at + 1).min(sections.len())..(at + 1 + usize_of(above)).min(sections.len())],
                // A surface is seen where a neighbour is missing altogether: at the plate and at the top.
                is_bottom: index < below,
                is_top: index + above >= self.plate.layer_count(),
            };
            Some(layer::plan(self, index, &sections[at], &around))
        };
        layers.into_par_iter().map(plan).collect()
    }
}

/// The sections that decide what of a layer is seen from above or below.
struct Around<'a> {
    under: Option<&'a Section>,
    below: &'a [Section],
    above: &'a [Section],
    is_bottom: bool,
    is_top: bool,
}

/// Sections of some layers; `None` if the caller asked to stop.
fn sections(
    plate: &Plate<'_>,
    rules: &Rules,
    layers: std::ops::Range<u32>,
    cancel: &AtomicBool,
) -> Option<Vec<Section>> {
    let cut = |index: u32| {
        let is_wanted = !cancel.load(Ordering::Relaxed);
        is_wanted.then(|| section::section(plate, index, rules.tolerance_mm))
    };
    layers.into_par_iter().map(cut).collect()
}

/// A finding about a place on the plate.
fn noticed(code: &str, index: u32, at_mm: [f64; 3], text: String) -> Finding {
    let [x, y, z] = at_mm;
    Finding::warning(code, format!("layer {index}, x {x:.2} y {y:.2} z {z:.2} mm"), text)
}

/// Somewhere in a region, mm: the middle of its first contour's bounds.
fn place_mm(region: &Region, z_mm: f64) -> [f64; 3] {
    let middle = region.first().and_then(|shape| plane::bounds(shape)).map(|(low, high)| {
        let ([left, front], [right, back]) = (plane::mm(low), plane::mm(high));
        [f64::midpoint(left, right), f64::midpoint(front, back)]
    });
    let [x, y] = middle.unwrap_or([0.0, 0.0]);
    [x, y, z_mm]
}
