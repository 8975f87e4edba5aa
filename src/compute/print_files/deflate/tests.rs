use std::io::Read;

use proptest::prelude::*;

use super::inflate::inflate;
use super::{ByteRun, zlib};

fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(packed).read_to_end(&mut bytes).expect("a zlib stream");
    bytes
}

fn spread(runs: &[ByteRun]) -> Vec<u8> {
    runs.iter().flat_map(|run| std::iter::repeat_n(run.value, usize::try_from(run.length).unwrap())).collect()
}

#[test]
fn every_match_length_unpacks() {
    for length in (1..=600).chain([1000, 65_521, 65_522, 1_000_000]) {
        let runs = [ByteRun { value: 7, length }, ByteRun { value: 200, length: 1 }];
        assert_eq!(unpack(&zlib(&runs)), spread(&runs), "length {length}");
    }
}

#[test]
fn skewed_counts_stay_within_fifteen_bits() {
    // Counts like Fibonacci numbers make the deepest trees.
    let (mut a, mut b) = (1_u32, 1_u32);
    let mut runs = Vec::new();
    for value in 0..24_u8 {
        for turn in 0..a {
            runs.push(ByteRun { value: if turn % 2 == 0 { value } else { 255 }, length: 1 });
        }
        (a, b) = (b, a + b);
    }
    assert_eq!(unpack(&zlib(&runs)), spread(&runs));
}

#[test]
fn an_empty_large_layer_costs_two_bits_for_258_pixels() {
    let packed = zlib(&[ByteRun { value: 0, length: 11_521 * 5120 }]);

    assert!(packed.len() < 57_300, "{} bytes", packed.len());
}

fn unpack_to_runs(packed: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    inflate(packed, u64::try_from(bytes_max).unwrap(), |value, length| {
        bytes.extend(std::iter::repeat_n(value, usize::try_from(length).unwrap()));
        Some(())
    })?;
    Some(bytes)
}

fn pack_by_library(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(level));
    std::io::Write::write_all(&mut packer, bytes).unwrap();
    packer.finish().unwrap()
}

/// Text, noise, long runs and repeats from far back: every kind of block and match.
fn mixture(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    let mut bytes: Vec<u8> = Vec::new();
    while bytes.len() < length {
        let times = usize::try_from(next() % 700).unwrap() + 1;
        match next() % 4 {
            0 => bytes.extend(std::iter::repeat_n(next().to_le_bytes()[0], times * 20)),
            1 => bytes.extend((0..times).map(|_| next().to_le_bytes()[0])),
            2 => bytes.extend((0..times).map(|place| if place % 3 == 0 { 0 } else { 255 })),
            _ => {
                let back = usize::try_from(next()).unwrap() % (bytes.len() + 1);
                let from = bytes.len() - back.min(32_768);
                bytes.extend_from_within(from..(from + times).min(bytes.len()));
            }
        }
    }
    bytes
}

#[test]
fn streams_of_the_library_unpack_to_runs() {
    for level in 0..=9 {
        for (seed, length) in [(1, 0), (2, 1), (3, 100), (4, 70_000), (5, 400_000)] {
            let bytes = mixture(seed + level * 10, length);
            let packed = pack_by_library(&bytes, level);
            assert_eq!(unpack_to_runs(&packed, bytes.len()).as_ref(), Some(&bytes), "{level} {length}");
            if let Some(less) = bytes.len().checked_sub(1) {
                assert_eq!(unpack_to_runs(&packed, less), None, "one byte too many");
            }
        }
    }
}

#[test]
fn a_stream_with_a_flipped_bit_or_cut_is_never_taken_for_another() {
    let bytes = mixture(7, 3000);
    let packed = pack_by_library(&bytes, 6);
    for bit in 0..packed.len() * 8 {
        let mut flipped = packed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let read = unpack_to_runs(&flipped, 10 * bytes.len());
        // Bits that fill up the last byte of the codes say nothing.
        assert!(read.is_none_or(|read| read == bytes), "bit {bit}");
    }
    for cut in 0..packed.len() {
        assert_eq!(unpack_to_runs(&packed[..cut], bytes.len()), None, "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_unpacked_as_by_the_library_or_refused(
        body in prop::collection::vec(any::<u8>(), 0..300)
    ) {
        let mut stream = vec![0x78, 0x01];
        stream.extend(body);
        let ours = unpack_to_runs(&stream, 1 << 16);
        let mut theirs = Vec::new();
        let library = flate2::read::ZlibDecoder::new(&stream[..]).take(1 << 17).read_to_end(&mut theirs);
        if let Some(ours) = ours {
            prop_assert!(library.is_ok());
            prop_assert_eq!(ours, theirs);
        }
    }


    #[test]
    fn any_runs_unpack_to_themselves(
        runs in prop::collection::vec((any::<u8>(), prop_oneof![1..5_u32, 250..270_u32, 1..3000_u32]), 1..200)
    ) {
        let runs: Vec<ByteRun> = runs.into_iter().map(|(value, length)| ByteRun { value, length }).collect();
        let packed = zlib(&runs);
        prop_assert_eq!(unpack(&packed), spread(&runs));
        prop_assert_eq!(unpack_to_runs(&packed, spread(&runs).len()), Some(spread(&runs)));
    }
}
