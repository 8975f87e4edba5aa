//! Reads `.ctb`, `.cbddlp` and `.photon` files of any program.

use super::header::{
    HEADER_LEN, Header, MAGIC_CBDDLP, MAGIC_CTB, MAGIC_CTB4, MAGIC_CTB4_GKTWO, MAGIC_ENCRYPTED, Params,
    PictureBlock, Place, ResinBlock, Slicer, Version4,
};
use super::layer::{ENTRY_LEN, Entry, RECORD_LEN};
use super::{CtbVersion, cipher, picture, runs, told};
use crate::preview::Picture;
use crate::print_files::bit_planes::{self, PLANES_MAX};
use crate::print_files::fields::{ByteOrder, FieldReader, meant, pitch_mm, thousandfold};
use crate::print_files::{Facts, Format, LayerFacts, Limits, PrintFile, ReadError, Told};
use crate::slice::{Display, Layer, LayerError, LayerSource, Orientation, RunList};

/// Most bytes that a pixel can take, with room: more would be chunks without pixels, which only cost time.
const BYTES_PER_PIXEL: u64 = 5;
/// Longest text that is believed.
const TEXT_MAX: u32 = 4096;
/// Largest picture of the plate that is unpacked, px.
const PICTURE_PX_MAX: u64 = 1 << 22;

/// An opened file: every block was read and every layer lies inside the file.
pub(in crate::print_files) struct CtbFile<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) blocks: Blocks,
    /// All layers of the first plane, then all of the next.
    pub(super) entries: Vec<Entry>,
    pub(super) display: Display,
    facts: Facts,
}

/// What a file says outside of its layers.
pub(super) struct Blocks {
    pub(super) format: Format,
    pub(super) header: Header,
    pub(super) params: Option<Params>,
    pub(super) slicer: Option<Slicer>,
    pub(super) machine: String,
    pub(super) version4: Option<Version4>,
    /// With the name of the resin.
    pub(super) resin: Option<(ResinBlock, String)>,
}

/// Whether the first bytes are those of a file of this family, encrypted ones included.
pub(in crate::print_files) fn is_ctb(bytes: &[u8]) -> bool {
    let magic = FieldReader::at(bytes, 0, ByteOrder::Little).u32();
    let known = [MAGIC_CBDDLP, MAGIC_CTB, MAGIC_CTB4, MAGIC_CTB4_GKTWO, MAGIC_ENCRYPTED];
    magic.is_some_and(|magic| known.contains(&magic))
}

impl<'a> CtbFile<'a> {
    pub(in crate::print_files) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, ReadError> {
        let blocks = Blocks::read(bytes)?;
        let format = blocks.format;
        let display = blocks.display()?;
        if display.pixels() > limits.pixels_max {
            return Err(ReadError::OverLimit { format, what: "the resolution" });
        }
        if blocks.header.layers > limits.layers_max {
            return Err(ReadError::OverLimit { format, what: "the number of layers" });
        }
        let entries = blocks.entries(bytes, display.pixels())?;
        let facts = blocks.facts(&display, &entries)?;
        Ok(Self { bytes, blocks, entries, display, facts })
    }

    /// The planes of a layer as they lie in the file.
    fn stored(&self, index: u32) -> Option<Vec<&'a [u8]>> {
        let layers = usize::try_from(self.blocks.header.layers).ok()?;
        let first = usize::try_from(index).ok().filter(|&first| first < layers)?;
        let entries = self.entries.iter().skip(first).step_by(layers);
        entries.map(|entry| slice_of(self.bytes, entry.at, entry.length)).collect()
    }

    fn decode(&self, index: u32, planes: &[&[u8]]) -> Result<RunList, String> {
        let pixels = self.display.pixels();
        match planes {
            [bytes] if !self.blocks.in_planes() => match self.blocks.header.key {
                0 => runs::decode(bytes, pixels),
                key => {
                    let mut plain = bytes.to_vec();
                    cipher::mask(&mut plain, key, index);
                    runs::decode(&plain, pixels)
                }
            },
            planes => bit_planes::decode(planes, pixels),
        }
    }

    /// A picture of the plate, if the block at `at` describes one.
    fn picture(&self, at: u32) -> Option<Picture> {
        let block = PictureBlock::decode(self.bytes, usize::try_from(at).ok().filter(|&at| at > 0)?)?;
        let [width, height] = block.size_px;
        let [words_at, length] = block.words;
        if u64::from(width) * u64::from(height) > PICTURE_PX_MAX {
            return None;
        }
        picture::decode(slice_of(self.bytes, u64::from(words_at), length)?, width, height)
    }
}

impl PrintFile for CtbFile<'_> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn job(&self) -> Told {
        told::told(self)
    }

    /// Large, small; a picture that can't be read is left out.
    fn previews(&self) -> Vec<Picture> {
        [self.blocks.header.large_at, self.blocks.header.small_at]
            .into_iter()
            .filter_map(|at| self.picture(at))
            .collect()
    }
}

impl LayerSource for CtbFile<'_> {
    fn display(&self) -> Display {
        self.display
    }

    fn layer_count(&self) -> u32 {
        self.blocks.header.layers
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let count = self.layer_count();
        let planes = self.stored(index).ok_or(LayerError::OutOfRange { index, count })?;
        let runs = self.decode(index, &planes).map_err(|reason| LayerError::Decode { index, reason })?;
        Ok(runs.finish(index, self.display.pixel_mm2(), 0))
    }
}

impl Blocks {
    fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let header = Header::decode(bytes);
        let magic = FieldReader::at(bytes, 0, ByteOrder::Little).u32();
        let format = match (magic, &header) {
            (Some(MAGIC_ENCRYPTED), _) => {
                return Err(ReadError::Encrypted { format: Format::Ctb(CtbVersion::V5) });
            }
            (Some(MAGIC_CBDDLP), _) => Format::Cbddlp,
            (_, Some(Header { version: 0..=2, .. })) => Format::Ctb(CtbVersion::V2),
            (_, Some(Header { version: 3, .. })) => Format::Ctb(CtbVersion::V3),
            (_, Some(Header { version: 4, .. })) => Format::Ctb(CtbVersion::V4),
            (_, Some(_) | None) => Format::Ctb(CtbVersion::V5),
        };
        let damaged = |reason: &str| ReadError::Damaged { format, reason: reason.to_owned() };
        let header = header.ok_or_else(|| damaged("it ends inside the header"))?;
        if !(1..=5).contains(&header.version) {
            return Err(damaged(&format!("version {} does not exist", header.version)));
        }
        // Version 1 has nothing behind the projector type.
        let old = header.version < 2;
        let params = block(bytes, header.params[0], old, Params::decode).ok_or_else(|| damaged(PARAMS))?;
        let slicer = block(bytes, header.slicer[0], old, Slicer::decode).ok_or_else(|| damaged(SLICER))?;
        let machine = slicer.as_ref().map_or(Some(String::new()), |slicer| text(bytes, slicer.machine));
        let machine = machine.ok_or_else(|| damaged("the machine name lies outside the file"))?;
        let at = slicer.as_ref().map_or(0, |slicer| slicer.version4_at);
        let version4 =
            block(bytes, at, header.version < 4, Version4::decode).ok_or_else(|| damaged(VERSION4))?;
        let at = version4.as_ref().map_or(0, |version4| version4.resin_at);
        let resin = block(bytes, at, header.version < 5, ResinBlock::decode).ok_or_else(|| damaged(RESIN))?;
        let resin = match resin {
            None => None,
            Some(resin) => {
                let name = text(bytes, resin.name).ok_or_else(|| damaged(RESIN))?;
                Some((resin, name))
            }
        };
        Ok(Self { format, header, params, slicer, machine, version4, resin })
    }

    pub(super) fn in_planes(&self) -> bool {
        self.header.magic == MAGIC_CBDDLP
    }

    /// How many planes a layer has. The number means nothing in version 1 and in `.ctb` files.
    fn planes(&self) -> u32 {
        if self.in_planes() && self.header.version > 1 { self.header.planes.max(1) } else { 1 }
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
        let pitch = |side: usize, pixels: u32| {
            let mm = self.finite(self.header.bed_mm[side], "the platform size")?;
            pitch_mm(mm, pixels).map_err(|reason| self.damaged(reason))
        };
        Ok(Display {
            width_px,
            height_px,
            pitch_mm: [pitch(0, width_px)?, pitch(1, height_px)?],
            orientation: Orientation::Landscape,
            mirror_x: self.header.projector == 1,
            mirror_y: false,
        })
    }

    /// The layer table, with every layer inside the file and behind the header.
    fn entries(&self, bytes: &[u8], pixels: u64) -> Result<Vec<Entry>, ReadError> {
        let outside = || self.damaged("the layer table lies outside the file");
        let planes = self.planes();
        if planes > PLANES_MAX {
            return Err(self.damaged(format!("layers of {planes} planes do not exist")));
        }
        let count = u64::from(self.header.layers) * u64::from(planes);
        let length = u32::try_from(count * u64::from(ENTRY_LEN)).map_err(|_| outside())?;
        let table = slice_of(bytes, u64::from(self.header.table_at), length).ok_or_else(outside)?;
        let paged = !self.in_planes();
        let mut from = FieldReader::at(table, 0, ByteOrder::Little);
        let mut entries = Vec::new();
        for number in 0..count {
            let entry = Entry::decode(&mut from, paged).ok_or_else(outside)?;
            let layer = number % u64::from(self.header.layers.max(1));
            if entry.at < u64::from(HEADER_LEN) || slice_of(bytes, entry.at, entry.length).is_none() {
                return Err(self.damaged(format!("layer {layer} lies outside the file")));
            }
            if u64::from(entry.length) > pixels.saturating_mul(BYTES_PER_PIXEL) {
                return Err(self.damaged(format!("layer {layer} is longer than any picture of the display")));
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn facts(&self, display: &Display, entries: &[Entry]) -> Result<Facts, ReadError> {
        let volume_ml = self.params.as_ref().map_or(0.0, |params| params.volume_ml);
        let layers = usize::try_from(self.header.layers).unwrap_or(usize::MAX);
        let layers = entries.iter().take(layers).map(|entry| {
            Ok(LayerFacts {
                z_um: thousandfold(self.finite(entry.z_mm, "a layer height")?),
                exposure_s: self.finite(entry.exposure_s, "an exposure time")?,
            })
        });
        Ok(Facts {
            format: self.format,
            version: self.header.version.to_string(),
            resolution_px: self.header.resolution_px,
            pixel_um: display.pitch_mm.map(thousandfold),
            layer_um: thousandfold(self.finite(self.header.layer_mm, "the layer height")?),
            machine: self.machine.clone(),
            resin: self.resin.as_ref().map_or(String::new(), |(_, name)| name.clone()),
            software: self.slicer.as_ref().map_or(String::new(), |slicer| dotted(slicer.software)),
            volume_ml: self.finite(volume_ml, "the volume")?,
            print_s: f64::from(self.header.print_s),
            layers: layers.collect::<Result<_, ReadError>>()?,
        })
    }

    /// The record of the layer at an entry, if it has one.
    pub(super) fn has_record(&self, entry: &Entry) -> bool {
        let room = u64::from(HEADER_LEN) + u64::from(RECORD_LEN);
        self.header.version >= 3 && entry.size == RECORD_LEN && entry.at >= room
    }
}

const PARAMS: &str = "the print parameters lie outside the file";
const SLICER: &str = "the slicer block lies outside the file";
const VERSION4: &str = "the block of version 4 lies outside the file";
const RESIN: &str = "the resin lies outside the file";

/// A block at an offset: `Some(None)` if there is none, `None` if it lies outside the file.
fn block<T>(
    bytes: &[u8],
    at: u32,
    absent: bool,
    decode: impl Fn(&[u8], usize) -> Option<T>,
) -> Option<Option<T>> {
    if absent || at == 0 {
        return Some(None);
    }
    decode(bytes, usize::try_from(at).ok()?).map(Some)
}

fn text(bytes: &[u8], [at, length]: Place) -> Option<String> {
    if length == 0 {
        return Some(String::new());
    }
    let field = slice_of(bytes, u64::from(at), length).filter(|_| length <= TEXT_MAX)?;
    let text = field.split(|&byte| byte == 0).next().unwrap_or(&[]);
    Some(String::from_utf8_lossy(text).into_owned())
}

fn slice_of(bytes: &[u8], at: u64, length: u32) -> Option<&[u8]> {
    let start = usize::try_from(at).ok()?;
    bytes.get(start..start.checked_add(usize::try_from(length).ok()?)?)
}

/// `1.9.0` for 0x01090000: the program has no name here.
fn dotted(version: u32) -> String {
    let [major, minor, patch, _] = version.to_be_bytes();
    if version == 0 { String::new() } else { format!("{major}.{minor}.{patch}") }
}
