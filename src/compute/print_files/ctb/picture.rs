//! Pictures of the plate in `.ctb` and `.cbddlp` files.
//!
//! 16-bit words, little-endian, row by row: red in bits 15-11, green in 10-6, blue in 4-0. Bit 5 says that the
//! next word is 0x3000 and how many copies follow the first pixel. Runs cross row ends.
//!
//! Source: catibo, `doc/cbddlp-ctb.adoc`, "preview image data encoding".

use crate::preview::Picture;

const RUN: u16 = 1 << 5;
const COPIES: u16 = 0x3000;
/// Longest run in use: one pixel and 0xFFE copies.
const RUN_MAX: u16 = 0xFFF;

/// Encodes pixels.
pub(super) fn encode(pixels: &[[u8; 3]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for run in pixels.chunk_by(|a, b| word_of(*a) == word_of(*b)) {
        let word = run.first().map_or(0, |&pixel| word_of(pixel));
        let mut left = run.len();
        while left > 0 {
            let length = u16::try_from(left).unwrap_or(RUN_MAX).min(RUN_MAX);
            push(word, length, &mut bytes);
            left -= usize::from(length);
        }
    }
    bytes
}

/// A run pays from three pixels on.
fn push(word: u16, length: u16, bytes: &mut Vec<u8>) {
    if length < 3 {
        (0..length).for_each(|_| bytes.extend(word.to_le_bytes()));
    } else {
        bytes.extend((word | RUN).to_le_bytes());
        bytes.extend((COPIES | (length - 1)).to_le_bytes());
    }
}

fn word_of([red, green, blue]: [u8; 3]) -> u16 {
    u16::from(red >> 3) << 11 | u16::from(green >> 3) << 6 | u16::from(blue >> 3)
}

/// Decodes a picture; `None` if the words don't make exactly its pixels.
pub(super) fn decode(bytes: &[u8], width_px: u32, height_px: u32) -> Option<Picture> {
    let pixels = usize::try_from(u64::from(width_px) * u64::from(height_px)).ok()?;
    let mut words = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let mut rgb = Vec::new();
    while let Some(word) = words.next() {
        let copies = if word & RUN == 0 { 0 } else { words.next()? & 0xFFF };
        let length = usize::from(copies) + 1;
        if length > pixels - rgb.len() {
            return None;
        }
        rgb.resize(rgb.len() + length, colour_of(word));
    }
    (rgb.len() == pixels && bytes.len().is_multiple_of(2)).then_some(Picture { width_px, height_px, rgb })
}

fn colour_of(word: u16) -> [u8; 3] {
    let five = |shift: u16| {
        // Five bits.
        let [_, bits] = (word >> shift & 0x1F).to_be_bytes();
        bits << 3 | bits >> 2
    };
    [five(11), five(6), five(0)]
}
