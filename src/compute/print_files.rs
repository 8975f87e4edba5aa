//! Files that printers read: one folder for each format, one narrow waist for all.
//!
//! A writer takes a [`Job`] (everything that a file says besides pictures) and layers from any
//! [`LayerSource`]; a reader gives [`Facts`] and is a [`LayerSource`] itself. Files of others are hostile: every
//! offset, length and count is held against the file and the [`Limits`] before memory is spent.
//! No process number has a default here: what a format needs is a field of [`Job`].

mod bit_planes;
mod civil;
mod container;
mod ctb;
mod cws;
mod deflate;
mod fields;
pub mod gcode;
mod goo;
mod job;
mod levels;
mod lifts;
mod manifest;
mod nanodlp;
mod png;
mod png_stack;
mod png_zip;
mod pwmx;
mod raster;
mod read_back;
mod sl1;
mod steps;
mod tally;
mod told;

use std::io::{Seek, Write};

use serde::Serialize;

pub use ctb::CtbVersion;
pub use job::{
    Exposure, ExposureRange, Job, LayerMotion, Light, Machine, Move, Origin, Resin, Separation, Sl1Names,
    Waits,
};
pub use pwmx::{AnycubicEnding, AnycubicVersion};
pub use read_back::{Difference, ReadBackError, check_read_back};
pub use told::Told;

use crate::finding::Finding;
use crate::preview::Picture;
use crate::slice::{Control, Display, Layer, LayerError, LayerSource, StreamError};

/// A format of picture layers. Wax G-code is apart: see [`gcode`].
///
/// Where boards read different versions under one ending, the version is part of the format: the printer's
/// profile says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Elegoo `.goo`, "V3.0".
    Goo,
    /// Prusa `.sl1`.
    Sl1,
    /// Prusa `.sl1s`: the same container, for the models after the first.
    Sl1s,
    /// `.nanodlp`, one grey pixel for each of the mask.
    NanoDlp,
    /// `.nanodlp`, three mask pixels in one of a picture.
    NanoDlpRgb,
    /// Creation Workshop `.cws`.
    Cws,
    /// PNG stack `.zip`.
    Zip,
    /// 1-bit stacks for wax jetting, `.raster.zip`.
    Raster,
    /// ChiTuBox `.ctb`, settings not encrypted.
    Ctb(CtbVersion),
    /// ChiTuBox `.cbddlp`, version 2: grey in one-bit planes.
    Cbddlp,
    /// The same under its oldest name.
    Photon,
    /// Anycubic `.pwmx` and its family.
    Anycubic(AnycubicEnding, AnycubicVersion),
}

impl Format {
    /// Every format: the versions of `.ctb`, every ending of Anycubic in its newest version, and `.pwmx` in all.
    pub const ALL: [Format; 34] = [
        Format::Goo,
        Format::Sl1,
        Format::Sl1s,
        Format::NanoDlp,
        Format::NanoDlpRgb,
        Format::Cws,
        Format::Zip,
        Format::Raster,
        Format::Ctb(CtbVersion::V2),
        Format::Ctb(CtbVersion::V3),
        Format::Ctb(CtbVersion::V4),
        Format::Ctb(CtbVersion::V5),
        Format::Cbddlp,
        Format::Photon,
        AnycubicEnding::Pws.newest(),
        AnycubicEnding::Pw0.newest(),
        AnycubicEnding::Pwx.newest(),
        AnycubicEnding::Dlp.newest(),
        AnycubicEnding::Dl2p.newest(),
        Format::Anycubic(AnycubicEnding::Pwmx, AnycubicVersion::V1),
        Format::Anycubic(AnycubicEnding::Pwmx, AnycubicVersion::V515),
        AnycubicEnding::Pwmx.newest(),
        AnycubicEnding::Pmx2.newest(),
        AnycubicEnding::Pwmb.newest(),
        AnycubicEnding::Px6s.newest(),
        AnycubicEnding::Pwmo.newest(),
        AnycubicEnding::Pm3n.newest(),
        AnycubicEnding::Pwms.newest(),
        AnycubicEnding::Pwma.newest(),
        AnycubicEnding::Pmsq.newest(),
        AnycubicEnding::Pm3.newest(),
        AnycubicEnding::Pm3m.newest(),
        AnycubicEnding::Pm3r.newest(),
        AnycubicEnding::Pm5.newest(),
    ];

    /// Ending of file names, without the dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Format::Goo => "goo",
            Format::Sl1 => "sl1",
            Format::Sl1s => "sl1s",
            Format::NanoDlp | Format::NanoDlpRgb => "nanodlp",
            Format::Cws => "cws",
            Format::Zip => "zip",
            Format::Raster => "raster.zip",
            Format::Ctb(_) => "ctb",
            Format::Cbddlp => "cbddlp",
            Format::Photon => "photon",
            Format::Anycubic(ending, _) => ending.extension(),
        }
    }

    /// Name on the command line and in reports; unlike the extension it tells all formats apart: `goo`, `ctb-v4`,
    /// `pwmx-516`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Format::NanoDlpRgb => "nanodlp-rgb",
            Format::Raster => "raster",
            Format::Ctb(version) => version.name(),
            Format::Anycubic(ending, version) => ending.name(version),
            Format::Goo
            | Format::Sl1
            | Format::Sl1s
            | Format::NanoDlp
            | Format::Cws
            | Format::Zip
            | Format::Cbddlp
            | Format::Photon => self.extension(),
        }
    }

    /// The formats that a name of [`Format::name`] or an ending (without the dot, any case) may mean, oldest
    /// version first. An ending of several versions gives them all: the caller asks which.
    #[must_use]
    pub fn named(name: &str) -> Vec<Format> {
        let others = Self::ALL.into_iter().filter(|format| !matches!(format, Format::Anycubic(..)));
        let anycubic = AnycubicEnding::ALL.into_iter().flat_map(|ending| {
            ending.versions().iter().map(move |&version| Format::Anycubic(ending, version))
        });
        let means = |format: &Format| {
            format.name().eq_ignore_ascii_case(name) || format.extension().eq_ignore_ascii_case(name)
        };
        others.chain(anycubic).filter(means).collect()
    }

    /// The format with exactly this name ([`Format::name`]).
    #[must_use]
    pub fn by_name(name: &str) -> Option<Format> {
        Format::named(name).into_iter().find(|format| format.name() == name)
    }

    /// The format that a file name asks for: the longest extension that fits, the plainest format of those that
    /// share one, the oldest of versions, which most boards read. [`Format::named`] gives them all.
    #[must_use]
    pub fn of_file_name(name: &str) -> Option<Format> {
        let name = name.to_ascii_lowercase();
        let fits =
            |format: &Format| name.strip_suffix(format.extension()).is_some_and(|stem| stem.ends_with('.'));
        let fitting = Format::ALL.into_iter().filter(fits);
        let longest = fitting
            .reduce(|best, next| if next.extension().len() > best.extension().len() { next } else { best })?;
        Format::named(longest.extension()).first().copied()
    }

    /// Whether pixels are black or white and nothing between.
    #[must_use]
    pub fn is_one_bit(self) -> bool {
        self == Format::Raster
    }

    /// Sizes of the pictures of the plate that the format wants, px; in the order of [`write()`]'s argument.
    #[must_use]
    pub fn preview_sizes(self) -> &'static [(u32, u32)] {
        match self {
            Format::Goo => &goo::PREVIEW_SIZES,
            Format::Sl1 | Format::Sl1s => &sl1::PREVIEW_SIZES,
            Format::NanoDlp | Format::NanoDlpRgb => &nanodlp::PREVIEW_SIZES,
            Format::Cws => &cws::PREVIEW_SIZES,
            Format::Zip => &png_zip::PREVIEW_SIZES,
            Format::Raster => &raster::PREVIEW_SIZES,
            Format::Ctb(_) | Format::Cbddlp | Format::Photon => &ctb::PREVIEW_SIZES,
            Format::Anycubic(..) => &pwmx::PREVIEW_SIZES,
        }
    }
}

/// As its name.
impl Serialize for Format {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What was written.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Layers in the file.
    pub layers: u32,
    /// [`Layer::digest`] of each layer, to hold the file against.
    pub digests: Vec<u64>,
    /// Resin that the layers take, ml.
    pub volume_ml: f64,
    /// Time that the print takes: exposures, moves, waits; s.
    pub print_s: f64,
    /// Length of the file.
    pub bytes: u64,
    /// Rows, over all layers, in which an outline did not close.
    pub open_rows: u64,
    /// What the format can't hold, by field.
    pub findings: Vec<Finding>,
}

/// Why a file can't be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The format lacks something that it needs.
    #[error("{format:?} needs {field}; {hint}")]
    Missing {
        /// The format.
        format: Format,
        /// Which field of the job.
        field: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// The format has no place for something without which the print would be another one.
    #[error("{format:?} can't hold {field}; {hint}")]
    NotHeld {
        /// The format.
        format: Format,
        /// Which field of the job.
        field: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// A number doesn't fit the format.
    #[error("{field} is out of the range of {format:?}; correct the profile")]
    Range {
        /// The format.
        format: Format,
        /// Which field of the job.
        field: &'static str,
    },
    /// A layer can't be had.
    #[error("layer can't be made")]
    Layer(#[from] LayerError),
    /// The output can't be written.
    #[error("the print file can't be written; check the disk")]
    Output(#[from] std::io::Error),
    /// Packing into the container failed.
    #[error("the print file can't be packed")]
    Pack(#[from] zip::result::ZipError),
    /// The caller asked to stop.
    #[error("stopped")]
    Cancelled,
}

impl From<StreamError<WriteError>> for WriteError {
    fn from(error: StreamError<WriteError>) -> Self {
        match error {
            StreamError::Cancelled => WriteError::Cancelled,
            StreamError::Layer(error) => WriteError::Layer(error),
            StreamError::Deliver(error) => error,
        }
    }
}

/// Writes one print file.
///
/// `previews` are pictures of the plate in the sizes of [`Format::preview_sizes`]. Memory stays bounded: layers
/// are made a few for each core and written at once. Same input, same bytes, any number of threads.
///
/// # Errors
/// If the job lacks something that the format needs, a layer can't be had, or the output fails.
pub fn write<W: Write + Seek + Send>(
    format: Format,
    job: &Job,
    source: &dyn LayerSource,
    previews: &[Picture],
    out: W,
    control: Control<'_>,
) -> Result<Written, WriteError> {
    match format {
        Format::Goo => goo::write(job, source, previews, out, control),
        Format::Sl1 | Format::Sl1s => sl1::write(format, job, source, previews, out, control),
        Format::NanoDlp | Format::NanoDlpRgb => nanodlp::write(format, job, source, previews, out, control),
        Format::Cws => cws::write(job, source, previews, out, control),
        Format::Zip => png_zip::write(job, source, previews, out, control),
        Format::Raster => raster::write(job, source, None, previews, out, control),
        Format::Ctb(version) => ctb::write(format, Some(version), job, source, previews, out, control),
        Format::Cbddlp | Format::Photon => ctb::write(format, None, job, source, previews, out, control),
        Format::Anycubic(ending, version) => {
            pwmx::write(ending, version, job, source, previews, out, control)
        }
    }
}

/// Writes 1-bit stacks of build and support wax ([`Format::Raster`]).
///
/// `support` shows the same display as `build`; where both want a pixel, the build wax has it.
///
/// # Errors
/// As [`write()`]; also if the two masks differ in size.
pub fn write_raster<W: Write + Seek + Send>(
    job: &Job,
    build: &dyn LayerSource,
    support: Option<&dyn LayerSource>,
    previews: &[Picture],
    out: W,
    control: Control<'_>,
) -> Result<Written, WriteError> {
    raster::write(job, build, support, previews, out, control)
}

/// What a reader may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of a layer.
    pub pixels_max: u64,
    /// Layers of a file.
    pub layers_max: u32,
    /// Unpacked bytes of one entry of a container.
    pub entry_bytes_max: u64,
}

impl Limits {
    /// Whatever can be written here: masks up to [`crate::slice::PIXELS_MAX`] (the largest that is sold has a
    /// third of it), and pictures that did not compress at all.
    pub const GENEROUS: Limits = Limits {
        pixels_max: crate::slice::PIXELS_MAX,
        layers_max: crate::slice::LAYERS_MAX,
        entry_bytes_max: crate::slice::PIXELS_MAX,
    };
}

/// What a file says about itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// Which format.
    pub format: Format,
    /// Version of the format.
    pub version: String,
    /// Columns and rows.
    pub resolution_px: [u32; 2],
    /// Distance of columns and rows, µm.
    pub pixel_um: [f64; 2],
    /// Layer height, µm.
    pub layer_um: f64,
    /// Machine name.
    pub machine: String,
    /// Resin name.
    pub resin: String,
    /// Program that wrote the file, with its version.
    pub software: String,
    /// Resin, ml, as stated in the file.
    pub volume_ml: f64,
    /// Print time, s, as stated in the file.
    pub print_s: f64,
    /// For each layer: height of the platform (µm) and exposure (s).
    #[serde(skip)]
    pub layers: Vec<LayerFacts>,
}

/// What a file says about one layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerFacts {
    /// Platform height while the layer cures, µm.
    pub z_um: f64,
    /// Exposure, s.
    pub exposure_s: f64,
}

/// `sprue inspect --json`: facts with every layer decoded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// What the file says about itself.
    #[serde(flatten)]
    pub facts: Facts,
    /// Each layer, decoded.
    pub layers: Vec<InspectedLayer>,
}

/// One decoded layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct InspectedLayer {
    /// Counted from 0.
    pub index: u32,
    /// Platform height while the layer cures, µm.
    pub z_um: f64,
    /// Exposure, s.
    pub exposure_s: f64,
    /// Pixels above 0.
    pub lit_px: u64,
    /// Lit area with grey weighed as coverage, mm².
    pub area_mm2: f64,
}

/// Why a file can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The first bytes belong to no known format.
    #[error(
        "this is no print file that can be read here; known are .goo, .ctb, .cbddlp, .photon, the .pwmx family, \
         .sl1, .sl1s, .nanodlp, .cws and .zip"
    )]
    UnknownFormat,
    /// The file ends too early or says something impossible.
    #[error("the {} file is damaged: {reason}; make it again", format.extension())]
    Damaged {
        /// The format.
        format: Format,
        /// What is wrong, and where.
        reason: String,
    },
    /// The settings are encrypted for boards of one maker.
    #[error(
        "the .{} file is encrypted and can't be read here; save it in its slicer as an older .{} (version 2 to 4), \
         .cbddlp or .goo, or slice the design here",
        format.extension(), format.extension()
    )]
    Encrypted {
        /// The format.
        format: Format,
    },
    /// The file wants more than the limits allow.
    #[error("the {} file is refused: {what} is over the limit", format.extension())]
    OverLimit {
        /// The format.
        format: Format,
        /// What is too large.
        what: &'static str,
    },
}

/// A print file that was opened: its facts were read and held against the file.
pub trait PrintFile: LayerSource + Send {
    /// What the file says about itself.
    fn facts(&self) -> &Facts;

    /// All that the file says besides its pictures, for another format; what it can't say is named.
    fn job(&self) -> Told;

    /// Pictures of the plate, as far as they can be read; an unreadable one stops no conversion.
    fn previews(&self) -> Vec<Picture>;

    /// A layer of the second material's mask; `None` if the file has but one material.
    fn support_layer(&self, index: u32) -> Option<Result<Layer, LayerError>> {
        let _ = index;
        None
    }
}

/// Opens a print file, ours or foreign, by its first bytes.
///
/// # Errors
/// If the format is unknown, the file damaged or larger than the limits.
pub fn open<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Box<dyn PrintFile + 'a>, ReadError> {
    if goo::is_goo(bytes) {
        Ok(Box::new(goo::GooFile::open(bytes, limits)?))
    } else if ctb::is_ctb(bytes) {
        Ok(Box::new(ctb::CtbFile::open(bytes, limits)?))
    } else if pwmx::is_anycubic(bytes) {
        Ok(Box::new(pwmx::AnycubicFile::open(bytes, limits)?))
    } else if container::is_zip(bytes) {
        open_container(bytes, limits)
    } else {
        Err(ReadError::UnknownFormat)
    }
}

/// Containers are told apart by the names in them.
fn open_container<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Box<dyn PrintFile + 'a>, ReadError> {
    let container = container::Container::open(bytes, limits)?;
    if sl1::is_sl1(&container) {
        Ok(Box::new(sl1::open(container, limits)?))
    } else if nanodlp::is_nanodlp(&container) {
        Ok(Box::new(nanodlp::open(container, limits)?))
    } else if cws::is_cws(&container) {
        Ok(Box::new(cws::open(container, limits)?))
    } else if raster::is_raster(&container) {
        Ok(Box::new(raster::RasterFile::open(container, limits)?))
    } else {
        Ok(Box::new(png_zip::open(container, limits)?))
    }
}

/// Decodes every layer of an opened file.
///
/// # Errors
/// If a layer is damaged, or the caller asked to stop.
pub fn inspect(file: &dyn PrintFile, control: Control<'_>) -> Result<Inspection, StreamError<LayerError>> {
    let facts = file.facts().clone();
    let mut layers = Vec::with_capacity(facts.layers.len());
    let seen = |layer: &Layer| (layer.index, layer.lit_px, layer.area_mm2);
    crate::slice::stream(file, control, seen, |(index, lit_px, area_mm2)| {
        let said = facts.layers.get(layers.len());
        let said = said.ok_or(LayerError::OutOfRange { index, count: file.layer_count() })?;
        let LayerFacts { z_um, exposure_s } = *said;
        layers.push(InspectedLayer { index, z_um, exposure_s, lit_px, area_mm2 });
        Ok(())
    })?;
    Ok(Inspection { facts, layers })
}

/// One layer as an 8-bit grey PNG.
#[must_use]
pub fn png_of(layer: &Layer, display: &Display) -> Vec<u8> {
    png::encode(&layer.runs, display.width_px, display.height_px)
}

#[cfg(test)]
mod tests;
