//! The blocks of Anycubic files. Each but the software block begins with a name of 12 bytes and a length.
//!
//! Source: file formats of UVtools (`AnycubicFile`), PrusaSlicer (`AnycubicSLA.cpp`) and uv3dp (`pws`).

use super::AnycubicVersion;
use crate::print_files::fields::{ByteOrder, FieldReader, FieldWriter};

/// First bytes of a file.
pub(super) const MAGIC: &[u8; 12] = b"ANYCUBIC\0\0\0\0";
/// Name and length.
pub(super) const TAG_LEN: u32 = 16;
/// Bytes of an entry of the layer table.
pub(super) const LAYER_LEN: u32 = 32;

/// Where the blocks lie; 0 for those that a version does not have.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Intro {
    pub(super) version: u32,
    pub(super) blocks: u32,
    pub(super) header_at: u32,
    pub(super) software_at: u32,
    pub(super) preview_at: u32,
    pub(super) greys_at: u32,
    pub(super) layers_at: u32,
    pub(super) extra_at: u32,
    pub(super) machine_at: u32,
    pub(super) pictures_at: u32,
    pub(super) model_at: u32,
}

impl Intro {
    /// Length in the file.
    pub(super) fn length(version: AnycubicVersion) -> u32 {
        match version {
            AnycubicVersion::V1 | AnycubicVersion::V515 => 48,
            AnycubicVersion::V516 => 52,
            AnycubicVersion::V517 => 56,
        }
    }

    pub(super) fn encode(&self, out: &mut FieldWriter) {
        out.bytes(MAGIC);
        let first = [self.version, self.blocks, self.header_at, self.software_at, self.preview_at];
        first.iter().for_each(|&word| out.u32(word));
        [self.greys_at, self.layers_at, self.extra_at].iter().for_each(|&word| out.u32(word));
        if self.version >= 516 {
            out.u32(self.machine_at);
        }
        out.u32(self.pictures_at);
        if self.version >= 517 {
            out.u32(self.model_at);
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = FieldReader::at(bytes, MAGIC.len(), ByteOrder::Little);
        let version = from.u32()?;
        Some(Self {
            version,
            blocks: from.u32()?,
            header_at: from.u32()?,
            software_at: from.u32()?,
            preview_at: from.u32()?,
            greys_at: from.u32()?,
            layers_at: from.u32()?,
            extra_at: from.u32()?,
            machine_at: if version >= 516 { from.u32()? } else { 0 },
            pictures_at: from.u32()?,
            model_at: if version >= 517 { from.u32()? } else { 0 },
        })
    }
}

/// Begins a block.
pub(super) fn tag(name: &str, length: u32, out: &mut FieldWriter) {
    out.text(name, 12);
    out.u32(length);
}

/// The fields of a block, if it has the name.
fn tagged<'a>(bytes: &'a [u8], at: usize, name: &str) -> Option<(u32, FieldReader<'a>)> {
    let mut from = FieldReader::at(bytes, at, ByteOrder::Little);
    let found = from.text(12)?;
    let length = from.u32()?;
    (found == name).then_some((length, from))
}

/// Print parameters. Speeds are in mm/s here.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Header {
    pub(super) pixel_um: f32,
    pub(super) layer_mm: f32,
    pub(super) exposure_s: f32,
    pub(super) rest_s: f32,
    pub(super) bottom_exposure_s: f32,
    pub(super) bottom_layers: f32,
    /// Whole way, speed.
    pub(super) lift: [f32; 2],
    pub(super) retract_mm_per_s: f32,
    pub(super) volume_ml: f32,
    /// Number of planes where layers are in planes.
    pub(super) anti_aliasing: u32,
    pub(super) resolution_px: [u32; 2],
    pub(super) weight_g: f32,
    pub(super) price: f32,
    pub(super) currency: String,
    /// 1: boards follow the values of single layers.
    pub(super) layers_differ: u32,
    pub(super) print_s: u32,
    pub(super) transition_layers: u32,
    /// From version 516 on, 1: boards follow the lifts of the extra block.
    pub(super) two_stages: u32,
}

impl Header {
    fn payload(version: AnycubicVersion) -> u32 {
        match version {
            AnycubicVersion::V1 | AnycubicVersion::V515 => 80,
            AnycubicVersion::V516 => 84,
            AnycubicVersion::V517 => 92,
        }
    }

    pub(super) fn length(version: AnycubicVersion) -> u32 {
        TAG_LEN + Self::payload(version)
    }

    pub(super) fn encode(&self, version: AnycubicVersion, out: &mut FieldWriter) {
        tag("HEADER", Self::payload(version), out);
        out.f32s(&[self.pixel_um, self.layer_mm, self.exposure_s, self.rest_s]);
        out.f32s(&[self.bottom_exposure_s, self.bottom_layers]);
        out.f32s(&self.lift);
        out.f32s(&[self.retract_mm_per_s, self.volume_ml]);
        out.u32(self.anti_aliasing);
        self.resolution_px.iter().for_each(|&side| out.u32(side));
        out.f32s(&[self.weight_g, self.price]);
        out.text(&self.currency, 4);
        // The last word is the kind of transition: 0 is linear.
        [self.layers_differ, self.print_s, self.transition_layers, 0].iter().for_each(|&word| out.u32(word));
        if version >= AnycubicVersion::V516 {
            out.u32(self.two_stages);
        }
        if version >= AnycubicVersion::V517 {
            // Grey and blur of the pictures, which are as they are; kind of resin, not known.
            out.bytes(&[0; 8]);
        }
    }

    pub(super) fn decode(bytes: &[u8], at: usize) -> Option<Self> {
        let (length, mut from) = tagged(bytes, at, "HEADER")?;
        let header = Self {
            pixel_um: from.f32()?,
            layer_mm: from.f32()?,
            exposure_s: from.f32()?,
            rest_s: from.f32()?,
            bottom_exposure_s: from.f32()?,
            bottom_layers: from.f32()?,
            lift: from.f32s()?,
            retract_mm_per_s: from.f32()?,
            volume_ml: from.f32()?,
            anti_aliasing: from.u32()?,
            resolution_px: [from.u32()?, from.u32()?],
            weight_g: from.f32()?,
            price: from.f32()?,
            currency: from.text(4)?,
            layers_differ: from.u32()?,
            print_s: from.u32()?,
            transition_layers: from.u32()?,
            two_stages: 0,
        };
        from.skip(4)?;
        let two_stages = if length >= 84 { from.u32()? } else { 0 };
        Some(Self { two_stages, ..header })
    }
}

/// Head of the picture block; 565 words follow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Preview {
    pub(super) size_px: [u32; 2],
}

/// Resolution that every known writer states, dots an inch.
const PREVIEW_DPI: u32 = 42;

impl Preview {
    /// Bytes before the words.
    pub(super) const HEAD_LEN: u32 = TAG_LEN + 12;

    pub(super) fn length(self) -> u32 {
        let [width, height] = self.size_px;
        Self::HEAD_LEN + width * height * 2
    }

    pub(super) fn encode(self, out: &mut FieldWriter) {
        let [width, height] = self.size_px;
        // This length counts the name and itself.
        tag("PREVIEW", self.length(), out);
        [width, PREVIEW_DPI, height].iter().for_each(|&word| out.u32(word));
    }

    pub(super) fn decode(bytes: &[u8], at: usize) -> Option<Self> {
        let (_, mut from) = tagged(bytes, at, "PREVIEW")?;
        let [width, _, height] = [from.u32()?, from.u32()?, from.u32()?];
        Some(Self { size_px: [width, height] })
    }
}

/// The 16 grey levels of version 515 and later.
pub(super) const GREYS_LEN: u32 = 28;

pub(super) fn encode_greys(out: &mut FieldWriter) {
    [0, 16].iter().for_each(|&word| out.u32(word));
    out.bytes(&[15, 31, 47, 63, 79, 95, 111, 127, 143, 159, 175, 191, 207, 223, 239, 255]);
    out.u32(0);
}

/// Lifts in two stages, from version 516 on; mm and mm/s.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Lift {
    /// Way and speed up of the lower stage, speed down of the same stage.
    pub(super) lower: [f32; 3],
    /// The same of the upper stage.
    pub(super) upper: [f32; 3],
}

/// Bottom layers, all others.
pub(super) type Extra = [Lift; 2];

pub(super) const EXTRA_LEN: u32 = TAG_LEN + 56;

pub(super) fn encode_extra(extra: &Extra, out: &mut FieldWriter) {
    // Every known file states this length, which is not that of the block.
    tag("EXTRA", 24, out);
    for lift in extra {
        // Number of stages.
        out.u32(2);
        out.f32s(&lift.lower);
        out.f32s(&lift.upper);
    }
}

pub(super) fn decode_extra(bytes: &[u8], at: usize) -> Option<Extra> {
    let (_, mut from) = tagged(bytes, at, "EXTRA")?;
    let mut next = || {
        from.skip(4)?;
        Some(Lift { lower: from.f32s()?, upper: from.f32s()? })
    };
    Some([next()?, next()?])
}

/// The printer, from version 516 on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Machine {
    pub(super) name: String,
    /// Coding of the layers: `pw0Img` or `pwsImg`.
    pub(super) coding: String,
    /// 1, from version 517 on 7.
    pub(super) properties: u32,
    pub(super) display_mm: [f32; 2],
    pub(super) height_mm: f32,
    pub(super) newest_version: u32,
}

pub(super) const MACHINE_LEN: u32 = 156;

impl Machine {
    pub(super) fn encode(&self, out: &mut FieldWriter) {
        // This length counts the name and itself.
        tag("MACHINE", MACHINE_LEN, out);
        out.text(&self.name, 96);
        out.text(&self.coding, 16);
        // Most levels of anti-aliasing.
        [16, self.properties].iter().for_each(|&word| out.u32(word));
        out.f32s(&self.display_mm);
        out.f32s(&[self.height_mm]);
        // The last word is a colour of the screen, the same in every known file.
        [self.newest_version, 6_506_241].iter().for_each(|&word| out.u32(word));
    }

    pub(super) fn decode(bytes: &[u8], at: usize) -> Option<Self> {
        let (_, mut from) = tagged(bytes, at, "MACHINE")?;
        let (name, coding) = (from.text(96)?, from.text(16)?);
        from.skip(4)?;
        Some(Self {
            name,
            coding,
            properties: from.u32()?,
            display_mm: from.f32s()?,
            height_mm: from.f32()?,
            newest_version: from.u32()?,
        })
    }
}

/// The program that wrote the file, from version 517 on: name and version.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Software {
    pub(super) name: String,
    pub(super) version: String,
}

pub(super) const SOFTWARE_LEN: u32 = 164;

impl Software {
    pub(super) fn encode(&self, out: &mut FieldWriter) {
        out.text(&self.name, 32);
        out.u32(SOFTWARE_LEN);
        out.text(&self.version, 32);
        // Operating system and graphics library, which are nobody's business.
        out.bytes(&[0; 96]);
    }

    pub(super) fn decode(bytes: &[u8], at: usize) -> Option<Self> {
        let mut from = FieldReader::at(bytes, at, ByteOrder::Little);
        let name = from.text(32)?;
        from.skip(4)?;
        Some(Self { name, version: from.text(32)? })
    }
}

pub(super) const MODEL_LEN: u32 = 48;

/// The box around the lit pixels, from version 517 on: least x, y, z, greatest x, y, z, mm from the centre.
pub(super) fn encode_model(corners_mm: [f32; 6], out: &mut FieldWriter) {
    tag("MODEL", MODEL_LEN, out);
    out.f32s(&corners_mm);
    // Supports of the maker's program: none, at no density.
    out.bytes(&[0; 8]);
}

/// An entry of the layer table.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct LayerEntry {
    pub(super) at: u32,
    pub(super) length: u32,
    /// Whole way, mm; speed, mm/s.
    pub(super) lift: [f32; 2],
    pub(super) exposure_s: f32,
    pub(super) layer_mm: f32,
    pub(super) lit_px: u32,
}

impl LayerEntry {
    pub(super) fn encode(&self, out: &mut FieldWriter) {
        [self.at, self.length].iter().for_each(|&word| out.u32(word));
        out.f32s(&self.lift);
        out.f32s(&[self.exposure_s, self.layer_mm]);
        [self.lit_px, 0].iter().for_each(|&word| out.u32(word));
    }
}

/// Begins the layer table.
pub(super) fn encode_table_head(layers: u32, out: &mut FieldWriter) {
    tag("LAYERDEF", layers.saturating_mul(LAYER_LEN).saturating_add(4), out);
    out.u32(layers);
}

/// Name, length, number of layers.
pub(super) const TABLE_HEAD_LEN: u32 = TAG_LEN + 4;

/// The number of layers and their entries; `None` if the bytes end too early.
pub(super) fn decode_table(bytes: &[u8], at: usize, layers_max: u32) -> Option<Result<Vec<LayerEntry>, u32>> {
    let (_, mut from) = tagged(bytes, at, "LAYERDEF")?;
    let layers = from.u32()?;
    if layers > layers_max {
        return Some(Err(layers));
    }
    let mut entries = Vec::new();
    for _ in 0..layers {
        entries.push(LayerEntry {
            at: from.u32()?,
            length: from.u32()?,
            lift: from.f32s()?,
            exposure_s: from.f32()?,
            layer_mm: from.f32()?,
            lit_px: from.u32()?,
        });
        from.skip(4)?;
    }
    Some(Ok(entries))
}
