//! Run coding of `.goo` layers.
//!
//! A chunk begins with a byte: bits 7-6 kind (00 dark, 01 grey with the value in the next byte, 10 difference
//! to the last value, 11 full), bits 5-4 length form (0 to 3 further bytes, the high part, most significant
//! first), bits 3-0 lowest bits of the length. In a difference bit 5 is the sign, bit 4 says that the length is
//! the next byte (else it is 1), bits 3-0 are the difference.
//!
//! Source: "Goo Format Spec V1.2", Elegoo, layer content; with the erratum that the example for white carries
//! one byte too many.

use crate::slice::{Run, RunList};

/// Longest run of one chunk: 28 bits.
const CHUNK_MAX: u32 = 0x0FFF_FFFF;

/// Encodes runs. Differences are used where they are shorter, never for the first chunk.
pub(super) fn encode(runs: &[Run]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(runs.len() * 2 + 8);
    let mut last = None;
    for run in runs {
        let mut left = run.length;
        while left > 0 {
            let length = left.min(CHUNK_MAX);
            encode_chunk(run.value, length, last, &mut bytes);
            last = Some(run.value);
            left -= length;
        }
    }
    bytes
}

fn encode_chunk(value: u8, length: u32, last: Option<u8>, bytes: &mut Vec<u8>) {
    match value {
        0x00 => encode_plain(0b00, None, length, bytes),
        0xFF => encode_plain(0b11, None, length, bytes),
        grey => match (last, u8::try_from(length)) {
            (Some(last), Ok(short)) if grey.abs_diff(last) <= 15 => {
                encode_difference(grey, last, short, bytes);
            }
            (Some(_) | None, Ok(_) | Err(_)) => encode_plain(0b01, Some(grey), length, bytes),
        },
    }
}

fn encode_difference(value: u8, last: u8, length: u8, bytes: &mut Vec<u8>) {
    let sign = u8::from(value < last) << 5;
    let head = 0b1000_0000 | sign | value.abs_diff(last);
    if length == 1 {
        bytes.push(head);
    } else {
        bytes.extend([head | 0b0001_0000, length]);
    }
}

fn encode_plain(kind: u8, value: Option<u8>, length: u32, bytes: &mut Vec<u8>) {
    let [high, middle, low, _] = (length << 4).to_be_bytes();
    let further: &[u8] = match length {
        0..=0xF => &[],
        0x10..=0xFFF => &[low],
        0x1000..=0xF_FFFF => &[middle, low],
        _ => &[high, middle, low],
    };
    // At most three bytes.
    let form = u8::try_from(further.len()).unwrap_or(3);
    let nibble = length.to_be_bytes()[3] & 0x0F;
    bytes.push(kind << 6 | form << 4 | nibble);
    bytes.extend(value);
    bytes.extend(further);
}

/// Decodes a layer of exactly `pixels` pixels.
///
/// # Errors
/// What is wrong with the bytes: they end inside a chunk, leave the grey range, or make another number of pixels.
pub(super) fn decode(bytes: &[u8], pixels: u64) -> Result<RunList, String> {
    let mut list = RunList::new();
    let mut rest = bytes;
    let mut last = 0_u8;
    while let Some((&head, tail)) = rest.split_first() {
        let (value, length, tail) =
            if head >> 6 == 0b10 { read_difference(head, tail, last) } else { read_plain(head, tail) }
                .ok_or_else(|| format!("bad chunk at byte {}", bytes.len() - rest.len()))?;
        if u64::from(length) > pixels - list.pixels() {
            return Err(format!("more than {pixels} pixels"));
        }
        list.push(value, length);
        last = value;
        rest = tail;
    }
    if list.pixels() != pixels {
        return Err(format!("{} pixels instead of {pixels}", list.pixels()));
    }
    Ok(list)
}

type Chunk<'a> = Option<(u8, u32, &'a [u8])>;

fn read_difference(head: u8, tail: &[u8], last: u8) -> Chunk<'_> {
    let size = head & 0x0F;
    let value = if head & 0b0010_0000 == 0 { last.checked_add(size)? } else { last.checked_sub(size)? };
    if head & 0b0001_0000 == 0 {
        return Some((value, 1, tail));
    }
    let (&length, tail) = tail.split_first()?;
    Some((value, u32::from(length), tail))
}

fn read_plain(head: u8, tail: &[u8]) -> Chunk<'_> {
    let (value, tail) = match head >> 6 {
        0b00 => (0x00, tail),
        0b11 => (0xFF, tail),
        _ => {
            let (&value, tail) = tail.split_first()?;
            (value, tail)
        }
    };
    let further = usize::from(head >> 4 & 0b11);
    let (high, tail) = tail.split_at_checked(further)?;
    let high = high.iter().fold(0_u32, |sum, &byte| sum << 8 | u32::from(byte));
    Some((value, high << 4 | u32::from(head & 0x0F), tail))
}
