//! The layer table, and the record that version 3 and later put before each layer's bytes.
//!
//! Boards move and expose by these values, not by the header.
//!
//! Source: as of the header.

use super::CtbVersion;
use super::header::Stage;
use crate::print_files::fields::{ByteOrder, FieldReader, FieldWriter, single};
use crate::print_files::{Job, LayerMotion};

/// Bytes of an entry of the table.
pub(super) const ENTRY_LEN: u32 = 36;
/// Bytes of a record.
pub(super) const RECORD_LEN: u32 = 84;

/// An entry of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Entry {
    pub(super) z_mm: f32,
    pub(super) exposure_s: f32,
    pub(super) light_off_s: f32,
    /// Offset of the bytes; the file may be larger than 4 GiB.
    pub(super) at: u64,
    pub(super) length: u32,
    /// 36 alone, 84 with a record.
    pub(super) size: u32,
}

impl Entry {
    pub(super) fn encode(&self, out: &mut FieldWriter) {
        out.f32s(&[self.z_mm, self.exposure_s, self.light_off_s]);
        let [page, low] = words(self.at);
        [low, self.length, page, self.size, 0, 0].iter().for_each(|&word| out.u32(word));
    }

    pub(super) fn decode(from: &mut FieldReader<'_>, paged: bool) -> Option<Self> {
        let [z_mm, exposure_s, light_off_s] = from.f32s()?;
        let [low, length, page, size] = [from.u32()?, from.u32()?, from.u32()?, from.u32()?];
        from.skip(8)?;
        // Old files leave anything in what became the page.
        let page = if paged { page } else { 0 };
        let at = u64::from(page) << 32 | u64::from(low);
        Some(Self { z_mm, exposure_s, light_off_s, at, length, size })
    }
}

/// High and low half.
fn words(at: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = at.to_be_bytes();
    [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])]
}

/// What a record adds to the entry.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Record {
    /// Whole way; speed of the first stage.
    pub(super) lift: Stage,
    pub(super) lift_second: Stage,
    pub(super) retract_mm_per_min: f32,
    pub(super) retract_second: Stage,
    /// Before lift, after lift, after retract.
    pub(super) waits_s: [f32; 3],
    pub(super) pwm: f32,
}

impl Record {
    pub(super) fn of(job: &Job, motion: &LayerMotion, index: u32, version: CtbVersion) -> Self {
        let bottom = index < job.exposure.bottom_layers;
        let pwm = f32::from(if bottom { job.light.bottom_pwm } else { job.light.pwm });
        let plain = Self {
            lift: [single(motion.lift.mm + motion.lift_second.mm), single(motion.lift.mm_per_min)],
            retract_mm_per_min: single(motion.retract.mm_per_min),
            pwm,
            ..Self::default()
        };
        if version < CtbVersion::V4 {
            return plain;
        }
        let waits = [motion.waits.before_lift_s, motion.waits.after_lift_s, motion.waits.after_retract_s];
        Self {
            lift_second: [single(motion.lift_second.mm), single(motion.lift_second.mm_per_min)],
            retract_second: [single(motion.retract_second.mm), single(motion.retract_second.mm_per_min)],
            waits_s: waits.map(single),
            ..plain
        }
    }

    /// The record with its copy of the entry.
    pub(super) fn encode(&self, entry: &Entry, out: &mut FieldWriter) {
        entry.encode(out);
        out.u32(RECORD_LEN.saturating_add(entry.length));
        out.f32s(&self.lift);
        out.f32s(&self.lift_second);
        out.f32s(&[self.retract_mm_per_min]);
        out.f32s(&self.retract_second);
        out.f32s(&self.waits_s);
        out.f32s(&[self.pwm]);
    }

    /// The record that ends at `end`.
    pub(super) fn decode(bytes: &[u8], end: usize) -> Option<Self> {
        let start = end.checked_sub(usize::try_from(RECORD_LEN).ok()?)?;
        let mut from = FieldReader::at(bytes, start, ByteOrder::Little);
        from.skip(40)?;
        Some(Self {
            lift: from.f32s()?,
            lift_second: from.f32s()?,
            retract_mm_per_min: from.f32()?,
            retract_second: from.f32s()?,
            waits_s: from.f32s()?,
            pwm: from.f32()?,
        })
    }
}
