mod golden;

use std::sync::atomic::AtomicBool;

use proptest::prelude::*;

use super::header::Header;
use super::runs::{decode, encode, nearest};
use super::{CtbVersion, cipher, picture};
use crate::finding::Severity;
use crate::print_files::fields::{ByteOrder, FieldWriter};
use crate::print_files::tests::{Drawn, assail, job, job_for, try_all, written, written_as_drawn};
use crate::print_files::told::field;
use crate::print_files::{
    Format, Job, Light, Limits, Machine, PrintFile, ReadError, Resin, Separation, WriteError, open,
};
use crate::slice::tests::unwatched;
use crate::slice::{Run, RunList};

const V4: Format = Format::Ctb(CtbVersion::V4);

fn run(value: u8, length: u32) -> Run {
    Run { value, length }
}

fn decoded(bytes: &[u8], pixels: u64) -> Vec<Run> {
    decode(bytes, pixels).expect("a layer").runs().to_vec()
}

fn opened(bytes: &[u8]) -> Box<dyn PrintFile + '_> {
    open(bytes, &Limits::GENEROUS).expect("a file")
}

#[test]
fn the_vectors_of_the_description_decode_and_are_written() {
    for (bytes, runs) in [
        (&[0x7F_u8][..], &[run(255, 1)][..]),
        (&[0xFF, 0x2A], &[run(255, 42)]),
        (&[0xFF, 0xEF, 0xFF, 0xFF, 0xFF], &[run(255, 0x0FFF_FFFF)]),
        (&[0x80, 0x7F, 0x01], &[run(0, 127), run(3, 1)]),
        (&[0xC0, 0x80, 0x80, 0x7F], &[run(129, 128), run(255, 1)]),
        (&[0x80, 0xBF, 0xFF], &[run(0, 0x3FFF)]),
        (&[0x80, 0xC0, 0x40, 0x00], &[run(0, 0x4000)]),
        (&[0x80, 0xDF, 0xFF, 0xFF], &[run(0, 0x1F_FFFF)]),
        (&[0x80, 0xE0, 0x20, 0x00, 0x00], &[run(0, 0x20_0000)]),
    ] {
        assert_eq!(encode(runs), bytes);
        assert_eq!(decoded(bytes, runs.iter().map(|run| u64::from(run.length)).sum()), runs);
    }
    let beyond = encode(&[run(0, 0x1000_0000)]);
    assert_eq!(decoded(&beyond, 0x1000_0000), [run(0, 0x1000_0000)]);
    // Lengths of one and of nothing, which no writer makes.
    assert_eq!(decoded(&[0xFF, 0x01, 0x80, 0x00], 1), [run(255, 1)]);
}

#[test]
fn a_layer_with_missing_or_surplus_pixels_is_an_error() {
    for (bytes, pixels) in [
        (&[0x7F_u8][..], 2),
        (&[0xFF, 0x2A], 41),
        (&[0xFF], 1),
        (&[0xFF, 0x80], 128),
        (&[0xFF, 0xE0, 0x00, 0x00], 5),
        (&[0xFF, 0xF0, 0x00, 0x00, 0x05], 5),
        (&[], 1),
    ] {
        assert!(decode(bytes, pixels).is_err(), "{bytes:02x?}");
    }
}

#[test]
fn every_grey_comes_back_as_the_nearest_of_128() {
    let held: Vec<u8> = (0..=255).filter(|&value| nearest(value) == value).collect();
    assert_eq!(held.len(), 128);
    for value in 0..=255 {
        let best = held.iter().map(|&level| level.abs_diff(value)).min();
        assert_eq!(Some(nearest(value).abs_diff(value)), best, "{value}");
    }
}

proptest! {
    #[test]
    fn any_runs_come_back_at_the_nearest_grey(
        parts in prop::collection::vec(
            (any::<u8>(), prop_oneof![1..3_u32, 126..130_u32, 16_380..16_390_u32, 2_097_150..2_097_155_u32]), 1..200)
    ) {
        let (mut given, mut rounded) = (RunList::new(), RunList::new());
        for &(value, length) in &parts {
            given.push(value, length);
            rounded.push(nearest(value), length);
        }
        prop_assert_eq!(decoded(&encode(given.runs()), given.pixels()), rounded.runs());
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(list) = decode(&bytes, 5000) {
            prop_assert_eq!(list.pixels(), 5000);
        }
    }
}

#[test]
fn the_mask_is_the_one_of_other_programs() {
    let mut bytes = [0; 9];
    cipher::mask(&mut bytes, 0xDCBE_9950, 20);

    // First word and step are in uv3dp's test of its key stream.
    let (first, step) = (0xA2BB_7353_u32, 0x4D6C_45E3);
    assert_eq!(bytes[..4], first.to_le_bytes());
    assert_eq!(bytes[4..8], first.wrapping_add(step).to_le_bytes());
    assert_eq!(bytes[8], first.wrapping_add(step).wrapping_add(step).to_le_bytes()[0]);
    cipher::mask(&mut bytes, 0xDCBE_9950, 20);
    assert_eq!(bytes, [0; 9]);
}

#[test]
fn masked_layers_are_read() {
    let format = Format::Ctb(CtbVersion::V3);
    let (plain, _) = written(format, &job_for(format));
    let mut masked = plain.clone();
    masked[0x64..0x68].copy_from_slice(&0xDCBE_9950_u32.to_le_bytes());
    let word = |at: usize| u32::from_le_bytes(plain[at..at + 4].try_into().unwrap());
    let table = usize::try_from(word(0x40)).unwrap();
    for layer in 0..10 {
        let entry = table + usize::try_from(layer).unwrap() * 36;
        let [at, length] = [entry + 12, entry + 16].map(|at| usize::try_from(word(at)).unwrap());
        cipher::mask(&mut masked[at..at + length], 0xDCBE_9950, layer);
    }

    let (ours, theirs) = (opened(&plain), opened(&masked));

    for layer in 0..10 {
        assert_eq!(ours.layer(layer), theirs.layer(layer));
    }
    let mut other = masked.clone();
    other[0x64] ^= 1;
    assert!(opened(&other).layer(9).is_err(), "another key gives no picture");
}

#[test]
fn pictures_are_coded_as_described() {
    let white = [255; 3];
    assert_eq!(picture::encode(&[white]), 0xFFDF_u16.to_le_bytes());
    assert_eq!(picture::encode(&[white; 43]), [0xFF, 0xFF, 0x2A, 0x30]);
    assert_eq!(picture::encode(&[[255, 0, 0]; 2]), [0x00, 0xF8, 0x00, 0xF8]);
    assert_eq!(picture::encode(&[[0, 255, 8]]), [0xC1, 0x07]);
    let read = picture::decode(&[0xFF, 0xFF, 0x00, 0x30, 0xC1, 0x07], 2, 1).unwrap();
    assert_eq!(read.rgb, [[255; 3], [0, 255, 8]]);
    for (bytes, pixels) in
        [(&[0xFF, 0xFF][..], 1), (&[0xDF, 0xFF], 2), (&[0xDF, 0xFF, 0x00], 1), (&[0xFF, 0xFF, 0x01, 0x30], 1)]
    {
        assert!(picture::decode(bytes, pixels, 1).is_none(), "{bytes:02x?}");
    }
}

#[test]
fn every_header_field_stands_at_the_offset_of_the_description() {
    let header = Header {
        magic: 0x12FD_0086,
        version: 3,
        bed_mm: [1.5, 2.5, 3.5],
        height_mm: 4.5,
        layer_mm: 5.5,
        exposure_s: 6.5,
        bottom_exposure_s: 7.5,
        light_off_s: 8.5,
        bottom_layers: 101,
        resolution_px: [102, 103],
        large_at: 104,
        table_at: 105,
        layers: 106,
        small_at: 107,
        print_s: 108,
        projector: 1,
        params: [109, 60],
        planes: 110,
        pwm: 111,
        bottom_pwm: 112,
        key: 113,
        slicer: [114, 76],
    };
    let mut out = FieldWriter::new(ByteOrder::Little);
    header.encode(&mut out);
    let bytes = out.finish();

    assert_eq!(bytes.len(), 112);
    for (at, value) in [
        (0x00, 0x12FD_0086),
        (0x04, 3),
        (0x14, 0),
        (0x18, 0),
        (0x30, 101),
        (0x34, 102),
        (0x38, 103),
        (0x3C, 104),
        (0x40, 105),
        (0x44, 106),
        (0x48, 107),
        (0x4C, 108),
        (0x50, 1),
        (0x54, 109),
        (0x58, 60),
        (0x5C, 110),
        (0x60, 112 << 16 | 111),
        (0x64, 113),
        (0x68, 114),
        (0x6C, 76),
    ] {
        assert_eq!(bytes[at..at + 4], u32::to_le_bytes(value), "offset {at:#x}");
    }
    for (at, value) in [
        (0x08, 1.5),
        (0x0C, 2.5),
        (0x10, 3.5),
        (0x1C, 4.5),
        (0x20, 5.5),
        (0x24, 6.5),
        (0x28, 7.5),
        (0x2C, 8.5),
    ] {
        assert_eq!(bytes[at..at + 4], f32::to_le_bytes(value), "offset {at:#x}");
    }
    assert_eq!(Header::decode(&bytes), Some(header));
}

/// Two layers of four by two pixels, and a job for them.
fn tiny() -> (Job, Drawn) {
    let mut job = job();
    job.display.width_px = 4;
    job.display.height_px = 2;
    job.display.pitch_mm = [0.5, 0.25];
    job.machine = Machine { name: "M 9".to_owned(), kind: String::new(), build_mm: [2.0, 0.5, 12.5] };
    job.exposure.transition_layers = 0;
    job.resin =
        Resin { name: String::new(), density_g_per_ml: None, price_per_ml: None, currency: String::new() };
    let layers = vec![vec![run(0, 3), run(255, 5)], vec![run(0, 7), run(129, 1)]];
    let drawn = Drawn { display: job.display, layers };
    (job, drawn)
}

#[test]
fn what_a_version_can_not_hold_is_said_by_field() {
    let said = |format| -> Vec<String> {
        let (_, outcome) = written(format, &job());
        let warnings = outcome.findings.into_iter().filter(|finding| finding.code == "CTB_NOT_HELD");
        warnings
            .filter(|finding| finding.severity == Severity::Warning)
            .map(|finding| finding.place)
            .collect()
    };

    assert_eq!(said(Format::Ctb(CtbVersion::V2)), ["lift_second", "retract", "waits"]);
    assert_eq!(said(Format::Ctb(CtbVersion::V3)), ["lift_second", "retract", "waits"]);
    assert_eq!(said(Format::Photon), ["lift_second", "retract", "waits"]);
    assert!(said(V4).is_empty() && said(Format::Ctb(CtbVersion::V5)).is_empty());
}

#[test]
fn grey_of_seven_bits_is_a_note_and_no_grey_is_silent() {
    let (_, outcome) = written(V4, &job());
    let codes: Vec<_> =
        outcome.findings.iter().map(|finding| (finding.code.as_str(), finding.severity)).collect();
    assert!(codes.contains(&("GREY_ROUNDED", Severity::Note)), "{codes:?}");
    let (job, drawn) = tiny();
    let black_and_white = Drawn { layers: vec![vec![run(0, 3), run(255, 5)]], ..drawn };
    assert!(
        written_as_drawn(Format::Cbddlp, &job, &black_and_white)
            .1
            .findings
            .iter()
            .all(|one| one.code != "GREY_ROUNDED")
    );
}

#[test]
fn an_encrypted_file_is_refused_with_a_way_out() {
    let (mut bytes, _) = written(V4, &job());
    bytes[..4].copy_from_slice(&0x12FD_0107_u32.to_le_bytes());

    for file in [&bytes[..], &bytes[..4]] {
        let Err(refused) = open(file, &Limits::GENEROUS) else { panic!("it was read") };
        assert!(matches!(refused, ReadError::Encrypted { .. }));
        let text = refused.to_string();
        assert!(text.contains("encrypted") && text.contains("save it in its slicer as"), "{text}");
    }
}

#[test]
fn version_1_ends_before_motion_and_lamp() {
    let format = Format::Photon;
    let (mut bytes, _) = written(format, &job_for(format));
    bytes[4] = 1;
    // One plane: the table of version 1 has no others. What follows the projector type means nothing.
    bytes[0x54..0x70].fill(0xEE);

    let file = opened(&bytes);

    assert_eq!(file.layer_count(), 10);
    assert!(
        (0..10).all(|index| file.layer(index).unwrap().runs.iter().all(|run| [0, 255].contains(&run.value)))
    );
    let told = file.job();
    assert_eq!(told.job.separation, Separation::Untold);
    assert!([field::SEPARATION, field::LIGHT, field::MACHINE].iter().all(|name| told.untold.contains(name)));
}

#[test]
fn moves_of_single_layers_are_read_from_their_records() {
    let (bytes, _) = written(V4, &job());
    let expected = job().separation;
    assert_eq!(opened(&bytes).job().job.separation, expected);
    // Another lift in one layer, which no other format could repeat.
    let at =
        usize::try_from(u32::from_le_bytes(bytes[0x40..0x44].try_into().unwrap())).unwrap() + 5 * 36 + 12;
    let layer = usize::try_from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap();
    let mut own = bytes;
    own[layer - 44..layer - 40].copy_from_slice(&77_f32.to_le_bytes());
    let told = opened(&own).job();
    assert!(told.untold.contains(&field::LAYER_MOTION), "{:?}", told.untold);
    assert_eq!(told.job.light, Light { bottom_pwm: 201, pwm: 202 });
}

#[test]
fn a_job_without_lifts_is_not_written() {
    let (job, drawn) = tiny();
    let cancel = AtomicBool::new(false);
    for separation in [Separation::Untold, Separation::Tilt { fast_s: 5.0, slow_s: 8.0, slow_from_fill: 0.5 }]
    {
        let job = Job { separation, ..job.clone() };
        let mut out = std::io::Cursor::new(Vec::new());
        let refused = crate::print_files::write(V4, &job, &drawn, &[], &mut out, unwatched(&cancel));
        assert!(matches!(refused, Err(WriteError::Missing { format: V4, field: field::SEPARATION, .. })));
        assert!(out.into_inner().is_empty());
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for format in [Format::Ctb(CtbVersion::V2), Format::Ctb(CtbVersion::V5), Format::Cbddlp] {
        let (bytes, _) = written(format, &job());
        assert!(try_all(&bytes));
        for cut in 0..bytes.len() {
            assert!(!try_all(&bytes[..cut]), "{format:?} cut at {cut}");
        }
    }
}

#[test]
fn hostile_counts_offsets_and_sizes_never_panic() {
    let (job, drawn) = tiny();
    for format in [Format::Ctb(CtbVersion::V3), Format::Ctb(CtbVersion::V5), Format::Cbddlp] {
        let (bytes, _) = written_as_drawn(format, &job, &drawn);
        assail(&bytes, bytes.len());
        // Counts and offsets that point past the end are refused, not read somewhere else.
        for at in [0x40, 0x44, 0x54, 0x68] {
            let mut damaged = bytes.clone();
            damaged[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
            assert!(!try_all(&damaged), "{format:?} offset {at:#x}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn flipped_bytes_are_noticed_or_harmless(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..8), version in 0..3_usize
    ) {
        let format = [Format::Ctb(CtbVersion::V2), Format::Ctb(CtbVersion::V5), Format::Cbddlp][version];
        let (job, drawn) = tiny();
        let (mut bytes, _) = written_as_drawn(format, &job, &drawn);
        for (at, flip) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        try_all(&bytes);
        if let Ok(file) = open(&bytes, &Limits { pixels_max: 1 << 16, layers_max: 100, entry_bytes_max: 1 << 20 }) {
            file.job();
            file.previews();
        }
    }
}
