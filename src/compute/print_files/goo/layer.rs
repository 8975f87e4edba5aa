//! Layer records of `.goo` files: 66 bytes of values, the size, the picture with its checksum.

use super::order::{ByteOrder, FieldReader, FieldWriter};
use super::{stage, waits};
use crate::print_files::fields::single;
use crate::print_files::{Format, Job, LayerMotion, WriteError};

/// Bytes before the picture: values, line end, size.
pub(super) const HEAD_LEN: usize = 70;

/// A picture begins with this byte.
const PICTURE_MAGIC: u8 = 0x55;

/// The values of one layer, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LayerHead {
    pub(super) pause: u16,
    pub(super) pause_z_mm: f32,
    pub(super) z_mm: f32,
    pub(super) exposure_s: f32,
    pub(super) off_s: f32,
    pub(super) waits_s: [f32; 3],
    /// Lift, second lift, retract, second retract.
    pub(super) stages: [[f32; 2]; 4],
    pub(super) pwm: u16,
}

impl LayerHead {
    pub(super) fn of(job: &Job, motion: &LayerMotion, index: u32) -> Self {
        let bottom = index < job.exposure.bottom_layers;
        let z_mm = job.heights.top(index).to_millimeters().0;
        Self {
            pause: 0,
            pause_z_mm: 0.0,
            z_mm: single(z_mm),
            exposure_s: single(job.exposure_s(index)),
            off_s: 0.0,
            waits_s: waits(motion),
            stages: [motion.lift, motion.lift_second, motion.retract, motion.retract_second]
                .map(|part| stage(&part)),
            pwm: u16::from(if bottom { job.light.bottom_pwm } else { job.light.pwm }),
        }
    }

    pub(super) fn decode(bytes: &[u8], order: ByteOrder) -> Option<(LayerHead, u32)> {
        let mut from = FieldReader::at(bytes, 0, order);
        let head = LayerHead {
            pause: from.u16()?,
            pause_z_mm: from.f32()?,
            z_mm: from.f32()?,
            exposure_s: from.f32()?,
            off_s: from.f32()?,
            waits_s: from.f32s()?,
            stages: [from.f32s()?, from.f32s()?, from.f32s()?, from.f32s()?],
            pwm: from.u16()?,
        };
        from.skip(2)?;
        Some((head, from.u32()?))
    }
}

/// The record of a layer.
pub(super) fn record(head: &LayerHead, runs: &[u8], order: ByteOrder) -> Result<Vec<u8>, WriteError> {
    let size = u32::try_from(runs.len() + 2)
        .map_err(|_| WriteError::Range { format: Format::Goo, field: "layer size" })?;
    let mut out = FieldWriter::new(order);
    out.u16(head.pause);
    out.f32s(&[head.pause_z_mm, head.z_mm, head.exposure_s, head.off_s]);
    out.f32s(&head.waits_s);
    head.stages.iter().for_each(|stage| out.f32s(stage));
    out.u16(head.pwm);
    out.bytes(b"\r\n");
    out.u32(size);
    out.bytes(&[PICTURE_MAGIC]);
    out.bytes(runs);
    out.bytes(&[checksum(runs)]);
    out.bytes(b"\r\n");
    Ok(out.finish())
}

/// The run data of a picture, after its first byte and its checksum were looked at.
pub(super) fn picture(bytes: &[u8]) -> Result<&[u8], String> {
    match bytes {
        [PICTURE_MAGIC, runs @ .., sum] if *sum == checksum(runs) => Ok(runs),
        [PICTURE_MAGIC, _, ..] => Err("the checksum is wrong".to_owned()),
        _ => Err("the picture does not begin with 0x55".to_owned()),
    }
}

/// Sum of the run data modulo 256, bitwise inverted.
fn checksum(runs: &[u8]) -> u8 {
    !runs.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte))
}
