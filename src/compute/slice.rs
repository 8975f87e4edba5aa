//! From placed meshes to layers of runs, without ever drawing a bitmap.
//!
//! ```text
//! parts that may touch -> triangles by height -> segments of a layer -> marks in pixel rows -> runs
//!      groups.rs             intervals.rs           edges.rs               fill.rs         runs.rs
//!                                 where a layer is compensated: offset.rs          grey.rs
//! ```
//!
//! Rules, fixed in writing: a layer shows the section at its middle; a vertex is above a plane only if
//! `z > plane` (half-open, so closed meshes give closed rows without tolerances); there are
//! `ceil(H / h - 1e-4)` layers; overlapping solids unite (non-zero winding in each row), so every shell must be
//! oriented before. An edge is always cut from its lower to its upper end, so two triangles that share it agree
//! to the last bit.
//!
//! Never here: mesh repair. A row that does not close is counted in [`Layer::open_rows`]; nothing is guessed.

mod cache;
mod edges;
mod fill;
mod grey;
mod groups;
mod heights;
mod intervals;
mod offset;
mod runs;
mod shaping;
mod stream;
#[cfg(test)]
pub(crate) mod tests;
mod watch;

use std::sync::atomic::AtomicBool;

pub use cache::{PlacedPart, PlateSlices, Updated};
pub use grey::{Bloom, Grey, GreyError};
pub use heights::{HeightRange, Heights, HeightsError};
pub(crate) use intervals::usize_of;
pub use offset::{Foot, Offsets};
pub use runs::{Layer, Run, RunList};
pub use shaping::Shaping;
pub use stream::{StreamError, stream};

use crate::finding::Finding;
use crate::mesh::Mesh;
use groups::{BoundsMm, Group, group, merge};
use shaping::{Noticed, Shaper};
use watch::{Stopped, Watch};

/// A part may stick out this far before it is refused: the rounding of placements in `f32` vertices.
const PLACEMENT_TOLERANCE_MM: f64 = 1e-3;

/// A display may have this many pixels at most: lengths of runs fit a `.goo` chunk (28 bits).
pub const PIXELS_MAX: u64 = 0x0FFF_FFFF;

/// A display may have this many columns at most: marks of a row keep 24 bits for the column.
const COLUMNS_MAX: u32 = (1 << 24) - 1;

/// A plate may have this many layers at most; a taller one has a wrong layer height.
pub const LAYERS_MAX: u32 = 100_000;

/// A mesh and where it stands: plate frame, origin at the front left corner of the display, z up, mm.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Name for errors: the technician must find it.
    pub name: &'a str,
    /// Surface; every shell oriented.
    pub mesh: &'a Mesh,
    /// Added to each vertex, mm.
    pub offset_mm: [f64; 3],
}

/// How the picture lies on the plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    /// Columns run along plate x, rows from plate y max down.
    Landscape,
    /// The picture is turned by a quarter: columns run along plate -y, rows along plate -x.
    Portrait,
}

/// The light mask of a printer. `width_px` and `height_px` are those of the written picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Display {
    /// Columns of the picture.
    pub width_px: u32,
    /// Rows of the picture.
    pub height_px: u32,
    /// Distance of columns and of rows, mm.
    pub pitch_mm: [f64; 2],
    /// How the picture lies on the plate.
    pub orientation: Orientation,
    /// Mirror the picture left to right.
    pub mirror_x: bool,
    /// Mirror the picture top to bottom.
    pub mirror_y: bool,
}

impl Display {
    /// Pixels of one layer.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        u64::from(self.width_px) * u64::from(self.height_px)
    }

    /// Area of one pixel, mm².
    #[must_use]
    pub fn pixel_mm2(&self) -> f64 {
        self.pitch_mm[0] * self.pitch_mm[1]
    }

    /// Size of the lit field in the plate frame, mm: along plate x, along plate y.
    #[must_use]
    pub fn plate_mm(&self) -> [f64; 2] {
        let columns = f64::from(self.width_px) * self.pitch_mm[0];
        let rows = f64::from(self.height_px) * self.pitch_mm[1];
        match self.orientation {
            Orientation::Landscape => [columns, rows],
            Orientation::Portrait => [rows, columns],
        }
    }

    /// Where a point of the picture (column, row in pixels) lies on the plate, mm.
    #[must_use]
    pub fn plate_point_mm(&self, [column, row]: [f64; 2]) -> [f64; 2] {
        let along = [column * self.pitch_mm[0], row * self.pitch_mm[1]];
        let far = [f64::from(self.width_px) * self.pitch_mm[0], f64::from(self.height_px) * self.pitch_mm[1]];
        let turn = |side: usize, mirrored: bool| if mirrored { far[side] - along[side] } else { along[side] };
        match self.orientation {
            Orientation::Landscape => [turn(0, self.mirror_x), turn(1, !self.mirror_y)],
            Orientation::Portrait => [turn(1, !self.mirror_y), turn(0, !self.mirror_x)],
        }
    }
}

/// How a pixel gets its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// 255 if the centre of the pixel is inside, else 0.
    Centre,
    /// Covered share of the pixel, 0 to 255, rounded to nearest.
    Coverage,
    /// The mean of the coverage at several heights of the layer, evenly spaced: slopes get softer steps.
    Supersampled {
        /// How many heights, at least 1; a layer costs as much as so many with `Coverage`.
        samples: u8,
    },
}

/// What the slicing of a plate depends on, besides the parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The light mask.
    pub display: Display,
    /// Greatest height of a part, mm.
    pub height_max_mm: f64,
    /// Where the layers lie.
    pub heights: Heights,
    /// How a pixel gets its value.
    pub sampling: Sampling,
}

/// Why a plate can't be sliced.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PrepareError {
    /// Nothing to slice.
    #[error("the plate holds no surface above the platform; put a part on it")]
    Empty,
    /// A number of the settings makes no sense.
    #[error("{what} is out of range; correct the printer profile")]
    Setting {
        /// Which one.
        what: &'static str,
    },
    /// A part leaves the lit field.
    #[error("part {part} reaches {over_mm:.3} mm over the {side} edge of the display; move it inwards")]
    OutsideDisplay {
        /// Name of the part.
        part: String,
        /// `left`, `right`, `front` or `back`.
        side: &'static str,
        /// How far, mm.
        over_mm: f64,
    },
    /// A part lies below the platform.
    #[error("part {part} reaches {below_mm:.3} mm below the platform; lift it")]
    BelowPlate {
        /// Name of the part.
        part: String,
        /// How far, mm.
        below_mm: f64,
    },
    /// A part is too high.
    #[error(
        "part {part} is {height_mm:.3} mm high, the printer builds {height_max_mm:.3} mm; turn it or choose another printer"
    )]
    TooHigh {
        /// Name of the part.
        part: String,
        /// Its highest point, mm.
        height_mm: f64,
        /// What the printer can build, mm.
        height_max_mm: f64,
    },
    /// More layers than any print has.
    #[error("{layers} layers are more than {LAYERS_MAX}; check the layer height")]
    TooManyLayers {
        /// How many it would take.
        layers: u64,
    },
    /// The caller asked to stop.
    #[error("stopped")]
    Cancelled,
    /// A coordinate is infinite or not a number.
    #[error("part {part} has a coordinate that is not a finite number; repair the mesh")]
    NotFinite {
        /// Name of the part.
        part: String,
    },
}

/// Why a layer can't be had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LayerError {
    /// There is no such layer.
    #[error("there is no layer {index}; the last one is {}", count.saturating_sub(1))]
    OutOfRange {
        /// Asked for.
        index: u32,
        /// How many there are.
        count: u32,
    },
    /// The caller asked to stop.
    #[error("stopped")]
    Cancelled,
    /// A stored layer can't be decoded.
    #[error("layer {index} can't be read: {reason}; the file is damaged, make it again")]
    Decode {
        /// Which one.
        index: u32,
        /// What is wrong with it.
        reason: String,
    },
}

/// Where layers come from: a plate that is being sliced, or a file that is being converted.
pub trait LayerSource: Sync {
    /// The mask that the layers are made for.
    fn display(&self) -> Display;
    /// How many layers there are.
    fn layer_count(&self) -> u32;
    /// One layer; the same one each time.
    ///
    /// # Errors
    /// If there is no such layer, or a stored one is damaged.
    fn layer(&self, index: u32) -> Result<Layer, LayerError>;
}

/// Lets long work be stopped and watched.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Set it to stop at the next layer.
    pub cancel: &'a AtomicBool,
    /// Called with layers done and layers in all, from any thread, in order.
    pub progress: &'a (dyn Fn(u32, u32) + Sync),
}

impl std::fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("cancel", self.cancel).finish_non_exhaustive()
    }
}

/// Parts that were looked through and can be cut at any layer.
#[derive(Debug)]
pub struct Plate<'a> {
    settings: Settings,
    shaping: Shaping,
    groups: Vec<Group<'a>>,
    layers: u32,
    cancel: Option<&'a AtomicBool>,
    noticed: Noticed,
}

impl<'a> Plate<'a> {
    /// Checks that the parts fit and sorts their triangles by height.
    ///
    /// # Errors
    /// Names the first part that does not fit the display or the build height.
    pub fn prepare(parts: &'a [Part<'a>], settings: Settings) -> Result<Self, PrepareError> {
        Self::prepare_shaped(parts, settings, Shaping::NONE, None)
    }

    /// The same; preparing and later each layer end within a millisecond once `cancel` is set.
    ///
    /// # Errors
    /// Those of [`Plate::prepare`], and [`PrepareError::Cancelled`].
    pub fn prepare_until(
        parts: &'a [Part<'a>],
        settings: Settings,
        cancel: &'a AtomicBool,
    ) -> Result<Self, PrepareError> {
        Self::prepare_shaped(parts, settings, Shaping::NONE, Some(cancel))
    }

    /// As [`Plate::prepare_until`], with sections and greys that differ from the geometry on purpose.
    ///
    /// # Errors
    /// Names the first part that does not fit the display, grown as it will be, or the build height.
    pub fn prepare_shaped(
        parts: &'a [Part<'a>],
        settings: Settings,
        shaping: Shaping,
        cancel: Option<&'a AtomicBool>,
    ) -> Result<Self, PrepareError> {
        let watch = &mut Watch::over(cancel);
        let growth_mm = shaping.offsets.growth_mm();
        let placed = places(parts, &settings, growth_mm, watch)?;
        let mut layers = 0;
        let mut groups = Vec::new();
        for members in group(&placed.bounds, settings.display.pitch_mm, growth_mm) {
            let tall = placed.layers_of(&members, &settings)?;
            layers = layers.max(tall);
            if tall == 0 {
                continue;
            }
            let parts = members.iter().map(|&member| parts[placed.parts[member]]).collect();
            groups.push(Group::of(parts, &settings, tall, watch)?);
        }
        if layers == 0 {
            return Err(PrepareError::Empty);
        }
        Ok(Self { settings, shaping, groups, layers, cancel, noticed: Noticed::default() })
    }

    /// What it was prepared with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What shaping the layers that were made so far had to leave out: thin places, open outlines.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.noticed.findings(&self.settings)
    }
}

impl LayerSource for Plate<'_> {
    fn display(&self) -> Display {
        self.settings.display
    }

    fn layer_count(&self) -> u32 {
        self.layers
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let count = self.layer_count();
        if index >= count {
            return Err(LayerError::OutOfRange { index, count });
        }
        let watch = &mut Watch::over(self.cancel);
        let mut layers = Vec::new();
        for (number, group) in self.groups.iter().enumerate().filter(|(_, group)| index < group.layers()) {
            let shaper = Shaper { shaping: &self.shaping, noticed: &self.noticed, group: number };
            layers.push(group.layer(&self.settings, shaper, index, watch)?);
        }
        let layer = match <[Layer; 1]>::try_from(layers) {
            Ok([only]) => only,
            Err(layers) => merge(&layers.iter().collect::<Vec<_>>(), index, &self.settings),
        };
        Ok(match &self.shaping.grey {
            Some(grey) => grey.apply(&layer),
            None => layer,
        })
    }
}

impl From<Stopped> for PrepareError {
    fn from(_: Stopped) -> Self {
        Self::Cancelled
    }
}

impl From<Stopped> for LayerError {
    fn from(_: Stopped) -> Self {
        Self::Cancelled
    }
}

/// The parts that have a surface, and where they stand.
struct Places {
    parts: Vec<usize>,
    bounds: Vec<BoundsMm>,
}

impl Places {
    fn layers_of(&self, members: &[usize], settings: &Settings) -> Result<u32, PrepareError> {
        let top_mm = members.iter().map(|&member| self.bounds[member].1[2]).fold(0.0, f64::max);
        layer_count(top_mm, &settings.heights)
    }
}

/// Checks the settings, and that every part fits.
fn places(
    parts: &[Part<'_>],
    settings: &Settings,
    growth_mm: f64,
    watch: &mut Watch<'_>,
) -> Result<Places, PrepareError> {
    check_settings(settings)?;
    let mut places = Places { parts: Vec::new(), bounds: Vec::new() };
    for (index, part) in parts.iter().enumerate() {
        if let Some(bounds) = bounds_mm(part, watch)? {
            check_place(part, &bounds, settings, growth_mm)?;
            places.parts.push(index);
            places.bounds.push(bounds);
        }
    }
    Ok(places)
}

fn check_settings(settings: &Settings) -> Result<(), PrepareError> {
    let display = &settings.display;
    let positive = |number: f64| number.is_finite() && number > 0.0;
    if display.pixels() == 0 || display.pixels() > PIXELS_MAX {
        return Err(PrepareError::Setting { what: "the resolution" });
    }
    if display.width_px > COLUMNS_MAX {
        return Err(PrepareError::Setting { what: "the width of the display" });
    }
    if !positive(display.pitch_mm[0]) || !positive(display.pitch_mm[1]) {
        return Err(PrepareError::Setting { what: "the pixel pitch" });
    }
    if !positive(settings.height_max_mm) {
        return Err(PrepareError::Setting { what: "the build height" });
    }
    if !settings.heights.valid() {
        return Err(PrepareError::Setting { what: "the layer height" });
    }
    Ok(())
}

/// Checks that a part fits.
fn check_place(
    part: &Part<'_>,
    (low, high): &BoundsMm,
    settings: &Settings,
    growth_mm: f64,
) -> Result<(), PrepareError> {
    let name = || part.name.to_owned();
    if low.iter().chain(high).any(|coordinate| !coordinate.is_finite()) {
        return Err(PrepareError::NotFinite { part: name() });
    }
    let field = settings.display.plate_mm();
    let overs =
        [("left", -low[0]), ("right", high[0] - field[0]), ("front", -low[1]), ("back", high[1] - field[1])];
    for (side, over_mm) in overs.map(|(side, over_mm)| (side, over_mm + growth_mm)) {
        if over_mm > PLACEMENT_TOLERANCE_MM {
            return Err(PrepareError::OutsideDisplay { part: name(), side, over_mm });
        }
    }
    if -low[2] > PLACEMENT_TOLERANCE_MM {
        return Err(PrepareError::BelowPlate { part: name(), below_mm: -low[2] });
    }
    if high[2] > settings.height_max_mm + PLACEMENT_TOLERANCE_MM {
        return Err(PrepareError::TooHigh {
            part: name(),
            height_mm: high[2],
            height_max_mm: settings.height_max_mm,
        });
    }
    Ok(())
}

/// Lowest and highest corner of a part in the plate frame; NaN if any coordinate is not finite.
fn bounds_mm(part: &Part<'_>, watch: &mut Watch<'_>) -> Result<Option<BoundsMm>, Stopped> {
    if part.mesh.triangles.is_empty() {
        return Ok(None);
    }
    let mut low = [f64::INFINITY; 3];
    let mut high = [f64::NEG_INFINITY; 3];
    for vertex in &part.mesh.vertices {
        watch.step()?;
        for axis in 0..3 {
            let value = f64::from(vertex[axis]) + part.offset_mm[axis];
            if !value.is_finite() {
                return Ok(Some(([f64::NAN; 3], [f64::NAN; 3])));
            }
            low[axis] = low[axis].min(value);
            high[axis] = high[axis].max(value);
        }
    }
    Ok(Some((low, high)))
}

fn layer_count(top_mm: f64, heights: &Heights) -> Result<u32, PrepareError> {
    let layers = heights.count(top_mm);
    match u32::try_from(layers) {
        Ok(count) if count <= LAYERS_MAX => Ok(count),
        Ok(_) | Err(_) => Err(PrepareError::TooManyLayers { layers }),
    }
}
