//! Run coding of `.pwmx` layers: four bits of grey.
//!
//! Bits 7-4 of a chunk are the grey. Dark (0) and full (15) have 12 bits of length, the high four in the same byte,
//! the low eight in the next; other greys have four bits. Files for some printers end a layer with a checksum.
//!
//! Source: file formats of PrusaSlicer (`AnycubicSLA.cpp`) and uv3dp (`pws`, with the checksum).

use crate::slice::{Run, RunList};

/// Grey steps: 16 levels from 0 to 255.
const STEP: u8 = 17;

/// The grey value that comes back for one that is written: the nearest. Other programs cut the low bits off.
pub(super) fn nearest(value: u8) -> u8 {
    stored(value) * STEP
}

fn stored(value: u8) -> u8 {
    // No overflow: 255 gives 15 all the same.
    value.saturating_add(STEP / 2) / STEP
}

fn length_max(stored: u8) -> u32 {
    if stored == 0 || stored == 15 { 0xFFF } else { 0xF }
}

/// Encodes runs.
pub(super) fn encode(runs: &[Run]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(runs.len() * 2 + 8);
    for run in runs {
        let grey = stored(run.value);
        let mut left = run.length;
        while left > 0 {
            let length = left.min(length_max(grey));
            let [_, _, high, low] = length.to_be_bytes();
            if length_max(grey) > 0xF {
                bytes.extend([grey << 4 | high, low]);
            } else {
                bytes.push(grey << 4 | low);
            }
            left -= length;
        }
    }
    bytes
}

/// Decodes a layer of exactly `pixels` pixels, with or without a checksum behind it.
///
/// # Errors
/// What is wrong with the bytes: they end inside a chunk, make another number of pixels, or their checksum is wrong.
pub(super) fn decode(bytes: &[u8], pixels: u64) -> Result<RunList, String> {
    let mut list = RunList::new();
    let mut rest = bytes;
    while list.pixels() < pixels {
        let (grey, length, tail) =
            read_chunk(rest).ok_or_else(|| format!("{} pixels instead of {pixels}", list.pixels()))?;
        if u64::from(length) > pixels - list.pixels() {
            return Err(format!("more than {pixels} pixels"));
        }
        list.push(grey * STEP, length);
        rest = tail;
    }
    let (runs, _) = bytes.split_at(bytes.len() - rest.len());
    match *rest {
        [] => Ok(list),
        [high, low] if u16::from_be_bytes([high, low]) == checksum(runs) => Ok(list),
        [_, _] => Err("the checksum is wrong".to_owned()),
        _ => Err(format!("more than {pixels} pixels")),
    }
}

fn read_chunk(bytes: &[u8]) -> Option<(u8, u32, &[u8])> {
    let (&head, rest) = bytes.split_first()?;
    let grey = head >> 4;
    let length = u32::from(head & 0xF);
    if length_max(grey) == 0xF {
        return Some((grey, length, rest));
    }
    let (&low, rest) = rest.split_first()?;
    Some((grey, length << 8 | u32::from(low), rest))
}

/// CRC-16 with the reversed polynomial 0x8005, run over bytes that went through its table once before: the
/// maker's own way.
///
/// Source: uv3dp, `pws/rle4.go`.
pub(super) fn checksum(bytes: &[u8]) -> u16 {
    let crc = bytes.iter().fold(0_u16, |crc, &byte| {
        let [high, _] = crc.to_be_bytes();
        let [_, index] = (u16::from(high) ^ entry(byte)).to_be_bytes();
        crc << 8 ^ entry(index)
    });
    let [high, low] = crc.to_be_bytes();
    (entry(low) << 8).wrapping_add(entry(high))
}

/// Entry of the table of CRC-16-ANSI.
fn entry(byte: u8) -> u16 {
    (0..8).fold(u16::from(byte), |crc, _| if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xA001 })
}
