//! Run coding of `.ctb` layers: seven bits of grey.
//!
//! Byte 0: bits 6-0 grey, bit 7 says that a length follows (else it is one pixel). The length, most significant
//! byte first, has 7, 14, 21 or 28 bits; the leading bits of its first byte (0, 10, 110, 1110) say which.
//!
//! Source: catibo, `doc/cbddlp-ctb.adoc`, "ctb layer data encoding".

use crate::slice::{Run, RunList};

/// Longest run of one chunk: 28 bits.
const CHUNK_MAX: u32 = 0x0FFF_FFFF;

/// The grey value that is read for a stored one.
pub(super) fn value_of(stored: u8) -> u8 {
    if stored == 0 { 0 } else { stored << 1 | 1 }
}

/// The grey value that comes back for one that is written: the nearest, upwards if two are as near.
pub(super) fn nearest(value: u8) -> u8 {
    value_of(value >> 1)
}

/// Encodes runs.
pub(super) fn encode(runs: &[Run]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(runs.len() * 3 + 8);
    for run in runs {
        let mut left = run.length;
        while left > 0 {
            let length = left.min(CHUNK_MAX);
            encode_chunk(run.value >> 1, length, &mut bytes);
            left -= length;
        }
    }
    bytes
}

fn encode_chunk(stored: u8, length: u32, bytes: &mut Vec<u8>) {
    if length == 1 {
        bytes.push(stored);
        return;
    }
    bytes.push(stored | 0x80);
    let [first, second, third, fourth] = length.to_be_bytes();
    match length {
        0..=0x7F => bytes.push(fourth),
        0x80..=0x3FFF => bytes.extend([0x80 | third, fourth]),
        0x4000..=0x1F_FFFF => bytes.extend([0xC0 | second, third, fourth]),
        _ => bytes.extend([0xE0 | first, second, third, fourth]),
    }
}

/// Decodes a layer of exactly `pixels` pixels.
///
/// # Errors
/// What is wrong with the bytes: they end inside a chunk, or make another number of pixels.
pub(super) fn decode(bytes: &[u8], pixels: u64) -> Result<RunList, String> {
    let mut list = RunList::new();
    let mut rest = bytes;
    while let Some((&head, tail)) = rest.split_first() {
        let (length, tail) = if head & 0x80 == 0 { Some((1, tail)) } else { read_length(tail) }
            .ok_or_else(|| format!("bad chunk at byte {}", bytes.len() - rest.len()))?;
        if u64::from(length) > pixels - list.pixels() {
            return Err(format!("more than {pixels} pixels"));
        }
        list.push(value_of(head & 0x7F), length);
        rest = tail;
    }
    if list.pixels() != pixels {
        return Err(format!("{} pixels instead of {pixels}", list.pixels()));
    }
    Ok(list)
}

fn read_length(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let further = usize::try_from(first.leading_ones()).ok().filter(|&ones| ones <= 3)?;
    let (low, rest) = rest.split_at_checked(further)?;
    let high = u32::from(first & (0x7F >> further));
    Some((low.iter().fold(high, |sum, &byte| sum << 8 | u32::from(byte)), rest))
}
