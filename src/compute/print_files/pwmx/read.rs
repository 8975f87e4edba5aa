//! Reads Anycubic files of any program.

use super::sections::{
    Extra, Header, Intro, LayerEntry, MAGIC, Machine, Preview, Software, decode_extra, decode_table,
};
use super::{AnycubicEnding, AnycubicVersion, runs, told};
use crate::preview::Picture;
use crate::print_files::bit_planes::{self, PLANES_MAX};
use crate::print_files::fields::{ByteOrder, FieldReader, meant, pitch_mm, thousandfold};
use crate::print_files::{Facts, Format, LayerFacts, Limits, PrintFile, ReadError, Told};
use crate::slice::{Display, Layer, LayerError, LayerSource, Orientation, RunList};

/// Versions that are known; 518 adds blocks that are not needed.
const VERSIONS: [u32; 5] = [1, 515, 516, 517, 518];
/// Largest picture of the plate that is unpacked, px.
const PICTURE_PX_MAX: u64 = 1 << 22;

/// An opened file: every block was read and every layer lies inside the file.
pub(in crate::print_files) struct AnycubicFile<'a> {
    bytes: &'a [u8],
    pub(super) blocks: Blocks,
    pub(super) entries: Vec<LayerEntry>,
    in_planes: bool,
    display: Display,
    facts: Facts,
}

/// What a file says outside of its layers.
pub(super) struct Blocks {
    format: Format,
    pub(super) intro: Intro,
    pub(super) header: Header,
    pub(super) extra: Option<Extra>,
    pub(super) machine: Option<Machine>,
    pub(super) software: Option<Software>,
}

/// Whether the first bytes are those of a file of this family.
pub(in crate::print_files) fn is_anycubic(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

impl<'a> AnycubicFile<'a> {
    pub(in crate::print_files) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, ReadError> {
        let mut blocks = Blocks::read(bytes)?;
        let format = blocks.format;
        let display = blocks.display()?;
        if display.pixels() > limits.pixels_max {
            return Err(ReadError::OverLimit { format, what: "the resolution" });
        }
        let entries = blocks.entries(bytes, display.pixels(), limits)?;
        let in_planes = blocks.in_planes(bytes, &entries, &display);
        if in_planes {
            blocks.format = blocks.format_with(AnycubicEnding::Pws);
        }
        let facts = blocks.facts(&display, &entries)?;
        Ok(Self { bytes, blocks, entries, in_planes, display, facts })
    }
}

impl PrintFile for AnycubicFile<'_> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn job(&self) -> Told {
        told::told(self)
    }

    fn previews(&self) -> Vec<Picture> {
        picture(self.bytes, self.blocks.intro.preview_at).into_iter().collect()
    }
}

impl LayerSource for AnycubicFile<'_> {
    fn display(&self) -> Display {
        self.display
    }

    fn layer_count(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let found = usize::try_from(index).ok().and_then(|place| self.entries.get(place));
        let stored = found.and_then(|entry| slice_of(self.bytes, entry.at, entry.length));
        let stored = stored.ok_or(LayerError::OutOfRange { index, count: self.layer_count() })?;
        let pixels = self.display.pixels();
        let runs = if self.in_planes {
            decode_planes(stored, self.blocks.header.anti_aliasing, pixels)
        } else {
            runs::decode(stored, pixels)
        };
        let runs = runs.map_err(|reason| LayerError::Decode { index, reason })?;
        Ok(runs.finish(index, self.display.pixel_mm2(), 0))
    }
}

fn decode_planes(stored: &[u8], planes: u32, pixels: u64) -> Result<RunList, String> {
    if !(1..=PLANES_MAX).contains(&planes) {
        return Err(format!("layers of {planes} planes do not exist"));
    }
    bit_planes::decode(&bit_planes::split(stored, planes, pixels)?, pixels)
}

impl Blocks {
    fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let unknown = Format::Anycubic(AnycubicEnding::Pwmx, AnycubicVersion::V1);
        let damaged = |reason: &str| ReadError::Damaged { format: unknown, reason: reason.to_owned() };
        let intro = Intro::decode(bytes).ok_or_else(|| damaged("it ends inside the first block"))?;
        if !VERSIONS.contains(&intro.version) {
            return Err(damaged(&format!("version {} is not known", intro.version)));
        }
        let header = offset(intro.header_at).and_then(|at| Header::decode(bytes, at));
        let header = header.ok_or_else(|| damaged("the header is not where it should be"))?;
        let optional = |at: u32, since: u32| (intro.version >= since).then_some(at).and_then(offset);
        let extra = optional(intro.extra_at, 516).map(|at| decode_extra(bytes, at).ok_or(at)).transpose();
        let machine =
            optional(intro.machine_at, 516).map(|at| Machine::decode(bytes, at).ok_or(at)).transpose();
        let software =
            optional(intro.software_at, 517).map(|at| Software::decode(bytes, at).ok_or(at)).transpose();
        let absent = |at: usize| damaged(&format!("the block at byte {at} is not there"));
        let mut blocks = Self {
            format: unknown,
            header,
            extra: extra.map_err(absent)?,
            machine: machine.map_err(absent)?,
            software: software.map_err(absent)?,
            intro,
        };
        blocks.format = blocks.format_with(AnycubicEnding::Pwmx);
        Ok(blocks)
    }

    /// The ending is not in the file: `.pwmx` stands for the family.
    fn format_with(&self, ending: AnycubicEnding) -> Format {
        let version = match self.intro.version {
            ..515 => AnycubicVersion::V1,
            515 => AnycubicVersion::V515,
            516 => AnycubicVersion::V516,
            517.. => AnycubicVersion::V517,
        };
        Format::Anycubic(ending, version)
    }

    fn damaged(&self, reason: impl Into<String>) -> ReadError {
        ReadError::Damaged { format: self.format, reason: reason.into() }
    }

    fn finite(&self, value: f32, what: &str) -> Result<f64, ReadError> {
        meant(value).ok_or_else(|| self.damaged(format!("{what} is not a number")))
    }

    fn display(&self) -> Result<Display, ReadError> {
        let [width_px, height_px] = self.header.resolution_px;
        if width_px == 0 || height_px == 0 {
            return Err(self.damaged("the resolution is 0"));
        }
        let sides = [width_px, height_px];
        let square_mm = self.finite(self.header.pixel_um, "the pixel size")? / 1000.0;
        let sized = self
            .machine
            .as_ref()
            .map(|machine| machine.display_mm)
            .filter(|sizes| sizes.iter().all(|&mm| mm > 0.0));
        let pitch = |side: usize| {
            let mm = match sized {
                Some(sizes) => self.finite(sizes[side], "the display size")?,
                None => square_mm * f64::from(sides[side]),
            };
            pitch_mm(mm, sides[side]).map_err(|reason| self.damaged(reason))
        };
        Ok(Display {
            width_px,
            height_px,
            pitch_mm: [pitch(0)?, pitch(1)?],
            orientation: Orientation::Landscape,
            // All printers of the family show the picture from below.
            mirror_x: true,
            mirror_y: false,
        })
    }

    /// The layer table, with every layer inside the file and behind the first block.
    fn entries(&self, bytes: &[u8], pixels: u64, limits: &Limits) -> Result<Vec<LayerEntry>, ReadError> {
        let table = offset(self.intro.layers_at).and_then(|at| decode_table(bytes, at, limits.layers_max));
        let entries = match table {
            None => return Err(self.damaged("the layer table is not where it should be")),
            Some(Err(_)) => {
                return Err(ReadError::OverLimit { format: self.format, what: "the number of layers" });
            }
            Some(Ok(entries)) => entries,
        };
        let outside =
            |entry: &LayerEntry| entry.at < FIRST_LEN || slice_of(bytes, entry.at, entry.length).is_none();
        if let Some(index) = entries.iter().position(outside) {
            return Err(self.damaged(format!("layer {index} lies outside the file")));
        }
        let length_max = pixels.saturating_mul(u64::from(PLANES_MAX));
        match entries.iter().position(|entry| u64::from(entry.length) > length_max) {
            Some(index) => {
                Err(self.damaged(format!("layer {index} is longer than any picture of the display")))
            }
            None => Ok(entries),
        }
    }

    /// Whether layers are in one-bit planes. Version 516 says it; older files are told apart by which coding gives
    /// the first layer the right number of pixels.
    fn in_planes(&self, bytes: &[u8], entries: &[LayerEntry], display: &Display) -> bool {
        if let Some(machine) = &self.machine {
            return machine.coding.to_ascii_lowercase().starts_with("pws");
        }
        let first = entries.first().and_then(|entry| slice_of(bytes, entry.at, entry.length));
        let pixels = display.pixels();
        first.is_some_and(|first| {
            runs::decode(first, pixels).is_err()
                && decode_planes(first, self.header.anti_aliasing, pixels).is_ok()
        })
    }

    fn facts(&self, display: &Display, entries: &[LayerEntry]) -> Result<Facts, ReadError> {
        let mut z_um = 0.0;
        let layers = entries.iter().map(|entry| {
            z_um += thousandfold(self.finite(entry.layer_mm, "a layer height")?);
            Ok(LayerFacts { z_um, exposure_s: self.finite(entry.exposure_s, "an exposure time")? })
        });
        let layers = layers.collect::<Result<_, ReadError>>()?;
        let software =
            self.software.as_ref().map(|software| format!("{} {}", software.name, software.version));
        Ok(Facts {
            format: self.format,
            version: self.intro.version.to_string(),
            resolution_px: self.header.resolution_px,
            pixel_um: display.pitch_mm.map(thousandfold),
            layer_um: thousandfold(self.finite(self.header.layer_mm, "the layer height")?),
            machine: self.machine.as_ref().map_or(String::new(), |machine| machine.name.clone()),
            resin: String::new(),
            software: software.unwrap_or_default().trim().to_owned(),
            volume_ml: self.finite(self.header.volume_ml, "the volume")?,
            print_s: f64::from(self.header.print_s),
            layers,
        })
    }
}

/// Bytes of the shortest first block.
const FIRST_LEN: u32 = 48;

/// 0 stands for a block that is not there.
fn offset(at: u32) -> Option<usize> {
    usize::try_from(at).ok().filter(|&at| at > 0)
}

fn slice_of(bytes: &[u8], at: u32, length: u32) -> Option<&[u8]> {
    let start = usize::try_from(at).ok()?;
    bytes.get(start..start.checked_add(usize::try_from(length).ok()?)?)
}

fn picture(bytes: &[u8], at: u32) -> Option<Picture> {
    let at = offset(at)?;
    let Preview { size_px: [width_px, height_px] } = Preview::decode(bytes, at)?;
    let pixels = u64::from(width_px) * u64::from(height_px);
    let length = u32::try_from(pixels * 2).ok().filter(|_| pixels <= PICTURE_PX_MAX)?;
    let words = slice_of(bytes, u32::try_from(at).ok()?.checked_add(Preview::HEAD_LEN)?, length)?;
    let mut words = FieldReader::at(words, 0, ByteOrder::Little);
    let rgb = (0..pixels).map(|_| words.u16().map(colour_of)).collect::<Option<_>>()?;
    Some(Picture { width_px, height_px, rgb })
}

/// The low bits of a colour repeat its high ones, so that white is white.
fn colour_of(word: u16) -> [u8; 3] {
    let wide = |part: u16, bits: u32| {
        let [_, byte] = (part << (8 - bits) | part >> (2 * bits - 8)).to_be_bytes();
        byte
    };
    [wide(word >> 11, 5), wide(word >> 5 & 0x3F, 6), wide(word & 0x1F, 5)]
}
