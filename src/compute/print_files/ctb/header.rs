//! The fixed blocks of `.ctb` and `.cbddlp` files: header, print parameters, slicer block, version 4 block.
//!
//! Every block is found by an offset in another one, so that any order is legal.
//!
//! Source: catibo, `doc/cbddlp-ctb.adoc`; versions 3 to 5 from the file formats of uv3dp (`ctb`) and UVtools
//! (`ChituboxFile`).

use crate::print_files::fields::{ByteOrder, FieldReader, FieldWriter};

/// First four bytes of a file: they decide the coding of the layers.
pub(super) const MAGIC_CBDDLP: u32 = 0x12FD_0019;
pub(super) const MAGIC_CTB: u32 = 0x12FD_0086;
/// Versions 4 and 5.
pub(super) const MAGIC_CTB4: u32 = 0x12FD_0106;
/// Version 4 for one machine of UniFormation; the blocks are the same.
pub(super) const MAGIC_CTB4_GKTWO: u32 = 0xFF22_0810;
/// Settings and layers are encrypted: another layout.
pub(super) const MAGIC_ENCRYPTED: u32 = 0x12FD_0107;

pub(super) const HEADER_LEN: u32 = 112;
pub(super) const PARAMS_LEN: u32 = 60;
pub(super) const SLICER_LEN: u32 = 76;
pub(super) const VERSION4_LEN: u32 = 464;
pub(super) const RESIN_LEN: u32 = 40;
pub(super) const PICTURE_LEN: u32 = 32;

/// A way and a speed: mm, mm/min.
pub(super) type Stage = [f32; 2];

/// Where a block or a text lies: offset, length.
pub(super) type Place = [u32; 2];

/// The block at offset 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Header {
    pub(super) magic: u32,
    pub(super) version: u32,
    pub(super) bed_mm: [f32; 3],
    pub(super) height_mm: f32,
    pub(super) layer_mm: f32,
    pub(super) exposure_s: f32,
    pub(super) bottom_exposure_s: f32,
    pub(super) light_off_s: f32,
    pub(super) bottom_layers: u32,
    pub(super) resolution_px: [u32; 2],
    pub(super) large_at: u32,
    pub(super) table_at: u32,
    pub(super) layers: u32,
    pub(super) small_at: u32,
    pub(super) print_s: u32,
    /// 1: the pictures are mirrored left to right.
    pub(super) projector: u32,
    pub(super) params: Place,
    /// How many planes a layer has; 1 for `.ctb`.
    pub(super) planes: u32,
    pub(super) pwm: u16,
    pub(super) bottom_pwm: u16,
    /// 0: the layers are plain.
    pub(super) key: u32,
    pub(super) slicer: Place,
}

impl Header {
    pub(super) fn encode(&self, out: &mut FieldWriter) {
        [self.magic, self.version].iter().for_each(|&word| out.u32(word));
        out.f32s(&self.bed_mm);
        out.bytes(&[0; 8]);
        out.f32s(&[self.height_mm, self.layer_mm]);
        out.f32s(&[self.exposure_s, self.bottom_exposure_s, self.light_off_s]);
        out.u32(self.bottom_layers);
        self.resolution_px.iter().for_each(|&side| out.u32(side));
        [self.large_at, self.table_at, self.layers, self.small_at].iter().for_each(|&word| out.u32(word));
        [self.print_s, self.projector].iter().for_each(|&word| out.u32(word));
        self.params.iter().for_each(|&word| out.u32(word));
        out.u32(self.planes);
        [self.pwm, self.bottom_pwm].iter().for_each(|&pwm| out.u16(pwm));
        out.u32(self.key);
        self.slicer.iter().for_each(|&word| out.u32(word));
    }

    /// `None` if the bytes end too early.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = FieldReader::at(bytes, 0, ByteOrder::Little);
        let [magic, version] = [from.u32()?, from.u32()?];
        let bed_mm = from.f32s()?;
        from.skip(8)?;
        Some(Self {
            magic,
            version,
            bed_mm,
            height_mm: from.f32()?,
            layer_mm: from.f32()?,
            exposure_s: from.f32()?,
            bottom_exposure_s: from.f32()?,
            light_off_s: from.f32()?,
            bottom_layers: from.u32()?,
            resolution_px: [from.u32()?, from.u32()?],
            large_at: from.u32()?,
            table_at: from.u32()?,
            layers: from.u32()?,
            small_at: from.u32()?,
            print_s: from.u32()?,
            projector: from.u32()?,
            params: [from.u32()?, from.u32()?],
            planes: from.u32()?,
            pwm: from.u16()?,
            bottom_pwm: from.u16()?,
            key: from.u32()?,
            slicer: [from.u32()?, from.u32()?],
        })
    }
}

/// Print parameters, from version 2 on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Params {
    /// Whole way; speed of the first stage.
    pub(super) bottom_lift: Stage,
    pub(super) lift: Stage,
    pub(super) retract_mm_per_min: f32,
    pub(super) volume_ml: f32,
    pub(super) weight_g: f32,
    pub(super) cost: f32,
    pub(super) bottom_light_off_s: f32,
    pub(super) light_off_s: f32,
    pub(super) bottom_layers: u32,
    /// Means nothing; version 2 writers leave 0x1234.
    pub(super) mark: u32,
}

impl Params {
    pub(super) fn encode(&self, out: &mut FieldWriter) {
        out.f32s(&self.bottom_lift);
        out.f32s(&self.lift);
        out.f32s(&[self.retract_mm_per_min, self.volume_ml, self.weight_g, self.cost]);
        out.f32s(&[self.bottom_light_off_s, self.light_off_s]);
        out.u32(self.bottom_layers);
        out.bytes(&[0; 12]);
        out.u32(self.mark);
    }

    pub(super) fn decode(bytes: &[u8], at: usize) -> Option<Self> {
        let mut from = FieldReader::at(bytes, at, ByteOrder::Little);
        let params = Self {
            bottom_lift: from.f32s()?,
            lift: from.f32s()?,
            retract_mm_per_min: from.f32()?,
            volume_ml: from.f32()?,
            weight_g: from.f32()?,
            cost: from.f32()?,
            bottom_light_off_s: from.f32()?,
            light_off_s: from.f32()?,
            bottom_layers: from.u32()?,
            mark: 0,
        };
        from.skip(12)?;
        Some(Self { mark: from.u32()?, ..params })
    }
}

/// The block of the program that wrote the file. Stages and rests mean something from version 4 on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Slicer {
    pub(super) bottom_lift_second: Stage,
    pub(super) lift_second: Stage,
    pub(super) retract_second: Stage,
    pub(super) after_lift_s: f32,
    pub(super) machine: Place,
    /// 15 with anti-aliasing, 7 without.
    pub(super) grey_flag: u8,
    /// Version times 16 if layers differ from the header, else 0.
    pub(super) layer_settings: u8,
    /// Minutes since 1970 UTC.
    pub(super) written_min: u32,
    pub(super) anti_aliasing: u32,
    /// Version of the program, two digits a byte.
    pub(super) software: u32,
    pub(super) after_retract_s: f32,
    pub(super) transition_layers: u32,
    pub(super) version4_at: u32,
}

impl Slicer {
    pub(super) fn encode(&self, out: &mut FieldWriter) {
        out.f32s(&self.bottom_lift_second);
        out.f32s(&self.lift_second);
        out.f32s(&self.retract_second);
        out.f32s(&[self.after_lift_s]);
        self.machine.iter().for_each(|&word| out.u32(word));
        out.bytes(&[self.grey_flag, 0, 0, self.layer_settings]);
        [self.written_min, self.anti_aliasing, self.software].iter().for_each(|&word| out.u32(word));
        out.f32s(&[self.after_retract_s, self.after_lift_s]);
        [self.transition_layers, self.version4_at, 0, 0].iter().for_each(|&word| out.u32(word));
    }

    pub(super) fn decode(bytes: &[u8], at: usize) -> Option<Self> {
        let mut from = FieldReader::at(bytes, at, ByteOrder::Little);
        let [bottom_lift_second, lift_second, retract_second] = [from.f32s()?, from.f32s()?, from.f32s()?];
        let after_lift_s = from.f32()?;
        let machine = [from.u32()?, from.u32()?];
        let grey_flag = from.u8()?;
        from.skip(2)?;
        let layer_settings = from.u8()?;
        let [written_min, anti_aliasing, software] = [from.u32()?, from.u32()?, from.u32()?];
        let [after_retract_s, _] = from.f32s()?;
        let [transition_layers, version4_at] = [from.u32()?, from.u32()?];
        from.skip(8)?;
        Some(Self {
            bottom_lift_second,
            lift_second,
            retract_second,
            after_lift_s,
            machine,
            grey_flag,
            layer_settings,
            written_min,
            anti_aliasing,
            software,
            after_retract_s,
            transition_layers,
            version4_at,
        })
    }
}

/// What version 4 added.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Version4 {
    /// First and second stage.
    pub(super) bottom_retract_mm_per_min: [f32; 2],
    pub(super) after_retract_s: f32,
    pub(super) after_lift_s: f32,
    pub(super) before_lift_s: f32,
    pub(super) bottom_retract_second_mm: f32,
    pub(super) last_layer: u32,
    pub(super) notice: Place,
    /// Version 5; else 0.
    pub(super) resin_at: u32,
}

impl Version4 {
    pub(super) fn encode(&self, out: &mut FieldWriter) {
        out.f32s(&self.bottom_retract_mm_per_min);
        // Meaning unknown; every known file has them.
        out.f32s(&[0.0, 4.0, 0.0, 4.0]);
        out.f32s(&[self.after_retract_s, self.after_lift_s, self.before_lift_s]);
        out.f32s(&[self.bottom_retract_second_mm]);
        // Unknown, unknown, unknown and always 5.
        [0, 0, 5, self.last_layer].iter().for_each(|&word| out.u32(word));
        out.bytes(&[0; 16]);
        self.notice.iter().for_each(|&word| out.u32(word));
        out.u32(self.resin_at);
        out.bytes(&[0; 380]);
    }

    pub(super) fn decode(bytes: &[u8], at: usize) -> Option<Self> {
        let mut from = FieldReader::at(bytes, at, ByteOrder::Little);
        let bottom_retract_mm_per_min = from.f32s()?;
        from.skip(16)?;
        let [after_retract_s, after_lift_s, before_lift_s, bottom_retract_second_mm] = from.f32s()?;
        from.skip(12)?;
        let last_layer = from.u32()?;
        from.skip(16)?;
        let block = Self {
            bottom_retract_mm_per_min,
            after_retract_s,
            after_lift_s,
            before_lift_s,
            bottom_retract_second_mm,
            last_layer,
            notice: [from.u32()?, from.u32()?],
            resin_at: from.u32()?,
        };
        from.skip(380)?;
        Some(block)
    }
}

/// What version 5 added: the resin. The texts follow the block, ended by zeros.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ResinBlock {
    /// Blue, green, red, opacity.
    pub(super) colour: [u8; 4],
    pub(super) machine: Place,
    pub(super) kind: Place,
    pub(super) name: Place,
    pub(super) density_g_per_ml: f32,
}

impl ResinBlock {
    pub(super) fn encode(&self, out: &mut FieldWriter) {
        let [machine_at, machine_len] = self.machine;
        let [kind_at, kind_len] = self.kind;
        let [name_at, name_len] = self.name;
        out.u32(0);
        out.bytes(&self.colour);
        [machine_at, kind_len, kind_at, name_len, name_at, machine_len]
            .iter()
            .for_each(|&word| out.u32(word));
        out.f32s(&[self.density_g_per_ml]);
        out.u32(0);
    }

    pub(super) fn decode(bytes: &[u8], at: usize) -> Option<Self> {
        let mut from = FieldReader::at(bytes, at, ByteOrder::Little);
        from.skip(4)?;
        let colour = [from.u8()?, from.u8()?, from.u8()?, from.u8()?];
        let machine_at = from.u32()?;
        let [kind_len, kind_at, name_len, name_at] = [from.u32()?, from.u32()?, from.u32()?, from.u32()?];
        let machine_len = from.u32()?;
        Some(Self {
            colour,
            machine: [machine_at, machine_len],
            kind: [kind_at, kind_len],
            name: [name_at, name_len],
            density_g_per_ml: from.f32()?,
        })
    }
}

/// Where a picture of the plate lies.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct PictureBlock {
    pub(super) size_px: [u32; 2],
    pub(super) words: Place,
}

impl PictureBlock {
    pub(super) fn encode(&self, out: &mut FieldWriter) {
        self.size_px.iter().chain(&self.words).for_each(|&word| out.u32(word));
        out.bytes(&[0; 16]);
    }

    pub(super) fn decode(bytes: &[u8], at: usize) -> Option<Self> {
        let mut from = FieldReader::at(bytes, at, ByteOrder::Little);
        Some(Self { size_px: [from.u32()?, from.u32()?], words: [from.u32()?, from.u32()?] })
    }
}
