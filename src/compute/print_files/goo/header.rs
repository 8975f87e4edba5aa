//! Header of a `.goo` file: 195,477 bytes, every field at a fixed offset.
//!
//! Source: "Goo Format Spec V1.2", Elegoo, header; the offsets were held against files of another program.

use super::order::{ByteOrder, FieldReader, FieldWriter};
use crate::preview::Picture;

/// Length of the header; the layers follow.
pub(super) const HEADER_LEN: u32 = 195_477;

/// First bytes of a file: the version, then eight fixed ones.
pub(super) const VERSION: &str = "V3.0";
pub(super) const MAGIC: [u8; 8] = [0x07, 0x00, 0x00, 0x00, 0x44, 0x4C, 0x50, 0x00];

/// Side of the small and of the big square picture, px.
pub(super) const SMALL_PX: u32 = 116;
pub(super) const BIG_PX: u32 = 290;

const LINE_END: [u8; 2] = [0x0D, 0x0A];

/// A way and a speed: mm, mm/min.
pub(super) type Stage = [f32; 2];

/// Every field, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub(super) version: String,
    pub(super) software: String,
    pub(super) software_version: String,
    pub(super) file_time: String,
    pub(super) machine: String,
    pub(super) machine_kind: String,
    pub(super) resin: String,
    pub(super) anti_aliasing: u16,
    pub(super) grey_level: u16,
    pub(super) blur_level: u16,
    /// RGB565 words.
    pub(super) small: Vec<u16>,
    pub(super) big: Vec<u16>,
    pub(super) layers: u32,
    pub(super) width_px: u16,
    pub(super) height_px: u16,
    pub(super) mirror_x: u8,
    pub(super) mirror_y: u8,
    pub(super) platform_mm: [f32; 3],
    pub(super) layer_mm: f32,
    pub(super) exposure_s: f32,
    /// 1: rests are written out; 0: one turn-off time.
    pub(super) delay_mode: u8,
    pub(super) turn_off_s: f32,
    /// Before lift, after lift, after retract.
    pub(super) bottom_waits_s: [f32; 3],
    pub(super) waits_s: [f32; 3],
    pub(super) bottom_exposure_s: f32,
    pub(super) bottom_layers: u32,
    pub(super) bottom_lift: Stage,
    pub(super) lift: Stage,
    pub(super) bottom_retract: Stage,
    pub(super) retract: Stage,
    pub(super) bottom_lift_second: Stage,
    pub(super) lift_second: Stage,
    pub(super) bottom_retract_second: Stage,
    pub(super) retract_second: Stage,
    pub(super) bottom_pwm: u16,
    pub(super) pwm: u16,
    /// 1: the values of each layer are used. Some machines freeze then, so only where a layer differs.
    pub(super) advance_mode: u8,
    pub(super) print_s: u32,
    pub(super) volume_mm3: f32,
    pub(super) weight_g: f32,
    pub(super) price: f32,
    pub(super) currency: String,
    pub(super) content_offset: u32,
    /// 1: pixel values are 0 to 255.
    pub(super) grey_range: u8,
    pub(super) transition_layers: u16,
}

impl Header {
    /// The bytes of the header.
    pub(super) fn encode(&self, order: ByteOrder) -> Vec<u8> {
        let mut out = FieldWriter::new(order);
        out.text(&self.version, 4);
        out.bytes(&MAGIC);
        out.text(&self.software, 32);
        out.text(&self.software_version, 24);
        out.text(&self.file_time, 24);
        out.text(&self.machine, 32);
        out.text(&self.machine_kind, 32);
        out.text(&self.resin, 32);
        [self.anti_aliasing, self.grey_level, self.blur_level].iter().for_each(|&level| out.u16(level));
        self.small.iter().for_each(|&word| out.u16(word));
        out.bytes(&LINE_END);
        self.big.iter().for_each(|&word| out.u16(word));
        out.bytes(&LINE_END);
        out.u32(self.layers);
        [self.width_px, self.height_px].iter().for_each(|&side| out.u16(side));
        out.bytes(&[self.mirror_x, self.mirror_y]);
        out.f32s(&self.platform_mm);
        out.f32s(&[self.layer_mm, self.exposure_s]);
        out.bytes(&[self.delay_mode]);
        out.f32s(&[self.turn_off_s]);
        out.f32s(&self.bottom_waits_s);
        out.f32s(&self.waits_s);
        out.f32s(&[self.bottom_exposure_s]);
        out.u32(self.bottom_layers);
        self.stages().iter().for_each(|stage| out.f32s(stage));
        [self.bottom_pwm, self.pwm].iter().for_each(|&pwm| out.u16(pwm));
        out.bytes(&[self.advance_mode]);
        out.u32(self.print_s);
        out.f32s(&[self.volume_mm3, self.weight_g, self.price]);
        out.text(&self.currency, 8);
        out.u32(self.content_offset);
        out.bytes(&[self.grey_range]);
        out.u16(self.transition_layers);
        out.finish()
    }

    fn stages(&self) -> [Stage; 8] {
        [
            self.bottom_lift,
            self.lift,
            self.bottom_retract,
            self.retract,
            self.bottom_lift_second,
            self.lift_second,
            self.bottom_retract_second,
            self.retract_second,
        ]
    }

    /// Reads a header. The byte order follows from the machine name.
    ///
    /// `None` if the bytes end too early.
    pub(super) fn decode(bytes: &[u8]) -> Option<(Header, ByteOrder)> {
        let order = ByteOrder::of_machine(&FieldReader::at(bytes, 92, ByteOrder::Big).text(32)?);
        let mut from = FieldReader::at(bytes, 0, order);
        let version = from.text(4)?;
        from.skip(MAGIC.len())?;
        let header = Header {
            version,
            software: from.text(32)?,
            software_version: from.text(24)?,
            file_time: from.text(24)?,
            machine: from.text(32)?,
            machine_kind: from.text(32)?,
            resin: from.text(32)?,
            anti_aliasing: from.u16()?,
            grey_level: from.u16()?,
            blur_level: from.u16()?,
            small: from.picture(SMALL_PX)?,
            big: from.picture(BIG_PX)?,
            layers: from.u32()?,
            width_px: from.u16()?,
            height_px: from.u16()?,
            mirror_x: from.u8()?,
            mirror_y: from.u8()?,
            platform_mm: from.f32s()?,
            layer_mm: from.f32()?,
            exposure_s: from.f32()?,
            delay_mode: from.u8()?,
            turn_off_s: from.f32()?,
            bottom_waits_s: from.f32s()?,
            waits_s: from.f32s()?,
            bottom_exposure_s: from.f32()?,
            bottom_layers: from.u32()?,
            bottom_lift: from.f32s()?,
            lift: from.f32s()?,
            bottom_retract: from.f32s()?,
            retract: from.f32s()?,
            bottom_lift_second: from.f32s()?,
            lift_second: from.f32s()?,
            bottom_retract_second: from.f32s()?,
            retract_second: from.f32s()?,
            bottom_pwm: from.u16()?,
            pwm: from.u16()?,
            advance_mode: from.u8()?,
            print_s: from.u32()?,
            volume_mm3: from.f32()?,
            weight_g: from.f32()?,
            price: from.f32()?,
            currency: from.text(8)?,
            content_offset: from.u32()?,
            grey_range: from.u8()?,
            transition_layers: from.u16()?,
        };
        Some((header, order))
    }
}

/// A picture as RGB565 words (red bits 15-11, green 10-5, blue 4-0); dark where it is too small.
pub(super) fn rgb565(picture: Option<&Picture>, side_px: u32) -> Vec<u16> {
    let count = usize::try_from(side_px * side_px).unwrap_or(0);
    let fitting = picture.filter(|picture| (picture.width_px, picture.height_px) == (side_px, side_px));
    let mut words: Vec<u16> = fitting.iter().flat_map(|picture| &picture.rgb).map(word_of).collect();
    words.resize(count, 0);
    words
}

fn word_of(&[red, green, blue]: &[u8; 3]) -> u16 {
    u16::from(red >> 3) << 11 | u16::from(green >> 2) << 5 | u16::from(blue >> 3)
}

/// The picture that the words show; the low bits of a colour repeat its high ones, so that white is white.
pub(super) fn picture_of(words: &[u16], side_px: u32) -> Picture {
    let wide = |part: u16, bits: u32| {
        let [_, byte] = ((part << (8 - bits)) | (part >> (2 * bits - 8))).to_be_bytes();
        byte
    };
    let colour = |&word: &u16| [wide(word >> 11, 5), wide(word >> 5 & 0x3F, 6), wide(word & 0x1F, 5)];
    Picture { width_px: side_px, height_px: side_px, rgb: words.iter().map(colour).collect() }
}
