//! What can go wrong when a sliced plate is printed, found on its layers as runs, without a bitmap.
//!
//! ```text
//! layer's runs -> edges of rows -> connected areas  ->  what they stand on  ->  islands, cups, traps
//!  (any core)     section.rs       areas.rs             links.rs (in order)     stack.rs
//!                               -> opening residue  ->  chains of thin areas
//!                                  thin.rs              slender.rs
//! ```
//!
//! Decisions are made on a binary mask (grey would give false islands), areas are 4-connected: pixels that touch
//! at a corner hold nothing and seal nothing. Printers build hanging: layer 0 is at the plate, the newest layer
//! at the film of the vat.
//!
//! Memory: the edges of two layers, of those that wait for their turn, and what reaches the topmost layer.
//! Lists in a report end at [`LISTED_MAX`]; counts go on. The report does not depend on the number of threads.
//!
//! Sources: sizes of islands and of cups are those that UVtools warns at by default (island: fewer than 10
//! supported pixels or a quarter of its area; cup: from 0.5 mm high).

mod areas;
mod findings;
mod frame;
mod links;
mod section;
mod slender;
mod stack;
#[cfg(test)]
mod tests;
mod thin;
mod watch;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::slice::{Control, Heights, LayerError, LayerSource, StreamError, stream, usize_of};
pub use watch::Watch;

/// A list of a report holds at most this many entries: a technician looks at a dozen, a picture at a few
/// hundred.
pub const LISTED_MAX: usize = 1000;

/// What counts as a fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The lowest pixel value that cures for certain.
    pub threshold: u8,
    /// What layer 0 lies on.
    pub base: Base,
    /// Islands.
    pub islands: IslandRule,
    /// Cups and traps.
    pub pockets: PocketRule,
    /// Features in which no square of this side has room are thin, mm: all that are narrower are found; ones
    /// that run diagonally are told up to 1.41 times this width. Not checked if absent.
    pub thin_mm: Option<f64>,
    /// Area that the printer can peel off the film, mm². Not checked if absent.
    pub peel_mm2: Option<f64>,
    /// By how much the area may grow from one layer to the next, mm². Not checked if absent.
    pub jump_mm2: Option<f64>,
}

impl Rules {
    /// Geometry alone, for parts that stand on the plate: no limit of a printer or of a resin is set.
    ///
    /// A pixel counts from half coverage on: the same mask as by pixel centres.
    pub const GEOMETRY: Rules = Rules {
        threshold: 128,
        base: Base::OnPlate,
        islands: IslandRule::UVTOOLS,
        pockets: PocketRule::UVTOOLS,
        thin_mm: None,
        peel_mm2: None,
        jump_mm2: None,
    };
}

/// What layer 0 lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// The build plate: it holds layer 0 and seals what layer 0 encloses.
    OnPlate,
    /// Nothing: a part that will be raised on supports; its layer 0 needs support like any island.
    Raised,
}

/// What is an island.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IslandRule {
    /// Pixels this near (in both directions) to a lit one of the layer below are held by it; 0: only right above.
    pub reach_px: u32,
    /// A smaller area is not told (it is as soon as what grows on it is as large).
    pub px_min: u64,
    /// Areas that hang on too little; not looked for if absent.
    pub weak: Option<WeakRule>,
}

impl IslandRule {
    /// One pixel aside still holds; what stands on fewer than 10 pixels or a quarter of itself is weak, from 5
    /// pixels on. Source: defaults of UVtools' island detection.
    pub const UVTOOLS: IslandRule = IslandRule {
        reach_px: 1,
        px_min: 1,
        weak: Some(WeakRule { overlap_px: 10, overlap_share: 0.25, px_min: 5 }),
    };

    /// Every area with nothing below it, down to one pixel.
    pub const STRICT: IslandRule = IslandRule { reach_px: 0, px_min: 1, weak: None };
}

/// When an area hangs on too little.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeakRule {
    /// Fewer pixels than these stand on the layer below ...
    pub overlap_px: u64,
    /// ... or a smaller share of the area.
    pub overlap_share: f64,
    /// Smaller areas are not told.
    pub px_min: u64,
}

/// Which pockets of resin are told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PocketRule {
    /// Smallest area of a cup, mm².
    pub cup_mm2_min: f64,
    /// Smallest height of a cup, mm.
    pub cup_mm_min: f64,
    /// Smallest volume of a trap, mm³.
    pub trap_mm3_min: f64,
}

impl PocketRule {
    /// Cups from 1 mm² and 0.5 mm high (a smaller one pulls with less than 0.1 N at full vacuum); traps from the
    /// volume of such a cup. Source of the height: UVtools' default for suction cups.
    pub const UVTOOLS: PocketRule = PocketRule { cup_mm2_min: 1.0, cup_mm_min: 0.5, trap_mm3_min: 0.5 };

    /// Every pocket, down to one pixel.
    pub const STRICT: PocketRule = PocketRule { cup_mm2_min: 0.0, cup_mm_min: 0.0, trap_mm3_min: 0.0 };
}

/// How the layers lie in the shop's world.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scene {
    /// Upper side of each layer above the plate, mm; rising.
    pub tops_mm: Vec<f64>,
    /// Where places are counted from, in the plate frame of the slicer, mm.
    pub origin_mm: [f64; 2],
    /// Parts with their boxes, to name the one with a fault.
    pub parts: Vec<PartBox>,
}

impl Scene {
    /// A scene of this many layers, counted from the corner of the display, without parts.
    #[must_use]
    pub fn of(heights: &Heights, layers: u32) -> Self {
        let tops_mm = (0..layers).map(|index| heights.top(index).to_millimeters().0).collect();
        Self { tops_mm, ..Self::default() }
    }

    /// Upper side of a layer; of the last known one beyond the end.
    fn top_mm(&self, layer: u32) -> f64 {
        self.tops_mm.get(usize_of(layer)).or(self.tops_mm.last()).copied().unwrap_or(0.0)
    }

    fn bottom_mm(&self, layer: u32) -> f64 {
        layer.checked_sub(1).map_or(0.0, |below| self.top_mm(below))
    }

    /// Never negative: a foreign file may say anything.
    fn thickness_mm(&self, layer: u32) -> f64 {
        (self.top_mm(layer) - self.bottom_mm(layer)).max(0.0)
    }
}

/// The box of a part, in the frame of the report, mm.
#[derive(Debug, Clone, PartialEq)]
pub struct PartBox {
    /// Its name.
    pub name: String,
    /// Lowest corner.
    pub low_mm: [f64; 3],
    /// Highest corner.
    pub high_mm: [f64; 3],
}

/// What was found on a plate. Lengths in mm, in the frame of [`Scene::origin_mm`].
#[must_use]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlateReport {
    /// For people: grouped, a dozen of each kind at most.
    pub findings: Vec<Finding>,
    /// Each layer's area.
    pub area_curve: Vec<LayerArea>,
    /// Islands by layer, [`LISTED_MAX`] at most.
    pub islands: Vec<Island>,
    /// Cups and traps in the order in which they end, [`LISTED_MAX`] at most.
    pub pockets: Vec<Pocket>,
    /// Thin features in the order in which they end, [`LISTED_MAX`] at most.
    pub thin: Vec<ThinFeature>,
    /// How many there are of each, listed or not.
    pub counts: Counts,
}

/// How many faults of each kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Islands that stand on nothing.
    pub free_islands: u64,
    /// Areas that hang on too little.
    pub weak_islands: u64,
    /// Pockets that are closed while printing.
    pub cups: u64,
    /// Pockets that are closed for ever.
    pub traps: u64,
    /// Thin features.
    pub thin: u64,
}

/// The area of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LayerArea {
    /// Lit area with grey weighed as coverage, mm².
    pub area_mm2: f64,
    /// Connected areas that cure.
    pub areas: u32,
}

/// How an island stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IslandKind {
    /// On nothing.
    Free,
    /// On too little.
    Weak,
}

/// An area that begins without enough below it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Island {
    /// Where it begins.
    pub layer: u32,
    /// Upper side of that layer.
    pub z_mm: f64,
    /// How it stands.
    pub kind: IslandKind,
    /// Its pixel that is nearest to the centroid.
    pub at_mm: [f64; 2],
    /// Its centre of area, which may be dark.
    pub centroid_mm: [f64; 2],
    /// Its size in that layer.
    pub px: u64,
    /// Its size in that layer.
    pub area_mm2: f64,
    /// How much of it stands on the layer below.
    pub overlap_px: u64,
    /// The first layer in which it hangs together with something that stands on the plate; none if it never does.
    pub joins_layer: Option<u32>,
    /// The part, if it is known.
    pub part: Option<String>,
}

/// How long a pocket stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// A cup: it sucks at the film while it is printed, and is open afterwards.
    WhilePrinting,
    /// A trap: resin stays in it.
    ForEver,
}

/// How a pocket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how", content = "layer")]
pub enum Opening {
    /// This layer has a way out.
    AtLayer(u32),
    /// It is open at the last layer.
    AfterPrint,
    /// Layers close it on every side.
    Never,
}

impl Opening {
    fn closed(self) -> Closed {
        match self {
            Opening::AtLayer(_) | Opening::AfterPrint => Closed::WhilePrinting,
            Opening::Never => Closed::ForEver,
        }
    }
}

/// Resin that light or the plate encloses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pocket {
    /// Cup or trap.
    pub closed: Closed,
    /// Where it opens: a vent must lie below this layer.
    pub opening: Opening,
    /// The layer with its bottom.
    pub first_layer: u32,
    /// The last layer in which it is closed.
    pub last_layer: u32,
    /// What it holds while it is closed.
    pub volume_ml: f64,
    /// Its greatest area in a layer: what sucks at the film.
    pub area_mm2_max: f64,
    /// A place for a vent in its first layer (the pixel nearest to the centre of area): x, y, z.
    pub lowest_mm: [f64; 3],
    /// A place for a vent in its last layer: x, y, z.
    pub highest_mm: [f64; 3],
    /// Whether the build plate closes one side of it: then it opens when the part is taken off.
    pub is_on_plate: bool,
    /// The part, if it is known.
    pub part: Option<String>,
}

/// A feature that is thinner than the limit over at least the limit's height.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThinFeature {
    /// Where it begins.
    pub first_layer: u32,
    /// Where it ends.
    pub last_layer: u32,
    /// A pixel of it in its first layer: x, y, z.
    pub at_mm: [f64; 3],
    /// Its greatest area in a layer.
    pub area_mm2_max: f64,
    /// The part, if it is known.
    pub part: Option<String>,
}

/// Checks all layers of a plate or of a file.
///
/// To check layers while they are written to a file, without making them twice, see [`Watch`].
///
/// # Errors
/// If a layer can't be had, or the caller asked to stop.
pub fn check(
    source: &dyn LayerSource,
    scene: &Scene,
    rules: &Rules,
    control: Control<'_>,
) -> Result<PlateReport, StreamError<LayerError>> {
    let watch = Watch::new(source, scene, rules);
    stream(&watch, control, |_| (), |()| Ok(()))?;
    watch.finish().map_err(StreamError::Layer)
}
