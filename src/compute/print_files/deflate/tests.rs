use std::io::Read;

use proptest::prelude::*;

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

proptest! {
    #[test]
    fn any_runs_unpack_to_themselves(
        runs in prop::collection::vec((any::<u8>(), prop_oneof![1..5_u32, 250..270_u32, 1..3000_u32]), 1..200)
    ) {
        let runs: Vec<ByteRun> = runs.into_iter().map(|(value, length)| ByteRun { value, length }).collect();
        prop_assert_eq!(unpack(&zlib(&runs)), spread(&runs));
    }
}
