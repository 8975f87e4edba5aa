//! One-bit run coding of `.cbddlp`, `.photon` and `.pws`: a byte is a run, grey is a stack of such pictures.
//!
//! Bit 7 of a byte says light, bits 6-0 how many pixels. A layer with grey is stored as several planes; how many
//! of them light a pixel is its grey level.
//!
//! Source: layout descriptions of catibo (`doc/cbddlp-ctb.adoc`, "layer data encoding") and of uv3dp (`cbddlp`).

use crate::slice::{Run, RunList};

/// Longest run of a byte. Seven bits could say 127; every known writer stops here.
const BYTE_MAX: u32 = 125;

/// Planes that a layer may have.
pub(super) const PLANES_MAX: u32 = 16;

/// The grey value of a pixel that `count` of `planes` planes light.
pub(super) fn value_of(count: u32, planes: u32) -> u8 {
    let value = (count * 256 / planes.max(1)).saturating_sub(1);
    u8::try_from(value).unwrap_or(u8::MAX)
}

/// How many of the planes light a pixel so that its value comes nearest; upwards if two are as near.
pub(super) fn count_of(value: u8, planes: u32) -> u32 {
    let miss = |count: &u32| value_of(*count, planes).abs_diff(value);
    (0..=planes).rev().min_by_key(miss).unwrap_or(0)
}

/// One plane: the pixels that at least `count` of `planes` planes light.
pub(super) fn encode(runs: &[Run], count: u32, planes: u32) -> Vec<u8> {
    let mut lit = RunList::new();
    for run in runs {
        lit.push(if count_of(run.value, planes) >= count { 0x80 } else { 0 }, run.length);
    }
    let mut bytes = Vec::with_capacity(lit.runs().len() * 2);
    for run in lit.runs() {
        let mut left = run.length;
        while left > 0 {
            let length = left.min(BYTE_MAX);
            // At most 125.
            bytes.push(run.value | length.to_be_bytes()[3]);
            left -= length;
        }
    }
    bytes
}

/// Adds planes of exactly `pixels` pixels up to a layer.
///
/// # Errors
/// If a plane has fewer or more pixels.
pub(super) fn decode(planes: &[&[u8]], pixels: u64) -> Result<RunList, String> {
    let count = u32::try_from(planes.len()).unwrap_or(u32::MAX);
    let mut planes: Vec<Plane<'_>> =
        planes.iter().map(|bytes| Plane { bytes, lit: false, left: 0 }).collect();
    let mut list = RunList::new();
    while list.pixels() < pixels {
        let mut shortest = u32::MAX;
        let mut lit = 0;
        for plane in &mut planes {
            plane.refill().ok_or_else(|| format!("{} pixels instead of {pixels}", list.pixels()))?;
            shortest = shortest.min(plane.left);
            lit += u32::from(plane.lit);
        }
        if u64::from(shortest) > pixels - list.pixels() {
            return Err(format!("more than {pixels} pixels"));
        }
        planes.iter_mut().for_each(|plane| plane.left -= shortest);
        list.push(value_of(lit, count), shortest);
    }
    let ended =
        planes.iter().all(|plane| plane.left == 0 && plane.bytes.iter().all(|&byte| byte & 0x7F == 0));
    if ended { Ok(list) } else { Err(format!("more than {pixels} pixels")) }
}

/// Cuts planes that stand one behind the other without a mark: each has `pixels` pixels.
///
/// # Errors
/// If the bytes end too early, or more follow.
pub(super) fn split(bytes: &[u8], planes: u32, pixels: u64) -> Result<Vec<&[u8]>, String> {
    let mut rest = bytes;
    let mut found = Vec::new();
    for number in 0..planes {
        let mut seen = 0;
        let length = rest.iter().position(|&byte| {
            seen += u64::from(byte & 0x7F);
            seen >= pixels
        });
        let end = length.ok_or_else(|| format!("it ends in plane {number} of {planes}"))? + 1;
        let (plane, tail) = rest.split_at(end);
        found.push(plane);
        rest = tail;
    }
    if rest.is_empty() { Ok(found) } else { Err(format!("more than {planes} planes")) }
}

/// A plane that is being read.
struct Plane<'a> {
    bytes: &'a [u8],
    lit: bool,
    /// Pixels of the run that is being read.
    left: u32,
}

impl Plane<'_> {
    /// Goes to the next run that has pixels; `None` at the end.
    fn refill(&mut self) -> Option<()> {
        while self.left == 0 {
            let (&byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            self.lit = byte & 0x80 != 0;
            self.left = u32::from(byte & 0x7F);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(value: u8, length: u32) -> Run {
        Run { value, length }
    }

    #[test]
    fn the_vectors_of_the_description_decode_and_are_written() {
        for (bytes, runs) in [
            (&[0x81_u8][..], &[run(255, 1)][..]),
            (&[0x8F], &[run(255, 15)]),
            (&[0x0F, 0x81], &[run(0, 15), run(255, 1)]),
            // 125 is the longest run that is written.
            (&[0x7D, 0x7D, 0x01, 0xFD, 0x81], &[run(0, 251), run(255, 126)]),
        ] {
            let pixels = runs.iter().map(|run| u64::from(run.length)).sum();
            assert_eq!(encode(runs, 1, 1), bytes);
            assert_eq!(decode(&[bytes], pixels).unwrap().runs(), runs);
        }
        // Longer runs, and runs without pixels, are read.
        assert_eq!(decode(&[&[0x00, 0x7F, 0x80]], 127).unwrap().runs(), [run(0, 127)]);
    }

    #[test]
    fn grey_is_how_many_planes_light_a_pixel() {
        assert_eq!([0, 1, 2, 3, 4].map(|count| value_of(count, 4)), [0, 63, 127, 191, 255]);
        assert_eq!([0, 31, 32, 95, 96, 223, 224, 255].map(|v| count_of(v, 4)), [0, 0, 1, 2, 2, 4, 4, 4]);
        assert_eq!([127, 128, 255].map(|value| count_of(value, 1)), [0, 1, 1]);
    }

    #[test]
    fn a_plane_with_missing_or_surplus_pixels_is_an_error() {
        for (planes, pixels) in [
            (&[&[0x05_u8][..]][..], 6),
            (&[&[0x05]], 4),
            (&[&[0x05, 0x01]], 5),
            (&[&[0x05], &[0x04]], 5),
            (&[&[0x05], &[0x06]], 5),
            (&[&[]], 1),
        ] {
            assert!(decode(planes, pixels).is_err(), "{planes:02x?}");
        }
        assert!(split(&[0x05, 0x85], 2, 5).is_ok());
        assert!(split(&[0x05, 0x85], 3, 5).is_err());
        assert!(split(&[0x05, 0x85, 0x00], 2, 5).is_err());
    }

    proptest! {
        #[test]
        fn any_runs_come_back_at_the_nearest_level(
            parts in prop::collection::vec((any::<u8>(), prop_oneof![1..130_u32, 200..5000_u32]), 1..100),
            planes in prop::sample::select(vec![1_u32, 2, 4, 8, 16]),
        ) {
            let mut given = RunList::new();
            let mut rounded = RunList::new();
            for &(value, length) in &parts {
                given.push(value, length);
                rounded.push(value_of(count_of(value, planes), planes), length);
            }
            let stored: Vec<Vec<u8>> = (1..=planes).map(|count| encode(given.runs(), count, planes)).collect();
            let joined = stored.concat();
            let split = split(&joined, planes, given.pixels()).unwrap();
            let read = decode(&split, given.pixels()).unwrap();
            prop_assert_eq!(read.runs(), rounded.runs());
        }

        #[test]
        fn any_bytes_decode_or_are_refused(
            bytes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..4)
        ) {
            let planes: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
            if let Ok(list) = decode(&planes, 500) {
                prop_assert_eq!(list.pixels(), 500);
            }
        }
    }
}
