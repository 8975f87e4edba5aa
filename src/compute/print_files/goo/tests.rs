use proptest::prelude::*;

use super::TAIL;
use super::header::{HEADER_LEN, Header, rgb565};
use super::layer::{HEAD_LEN, LayerHead};
use super::order::ByteOrder;
use super::runs::{decode, encode};
use crate::preview::Picture;
use crate::print_files::tests::{job, try_all, written};
use crate::print_files::{ExposureRange, Format, Job, Separation, WriteError};
use crate::slice::{HeightRange, Heights, Run, RunList};
use crate::units::Microns;

fn run(value: u8, length: u32) -> Run {
    Run { value, length }
}

fn decoded(bytes: &[u8], pixels: u64) -> Vec<Run> {
    decode(bytes, pixels).expect("a layer").runs().to_vec()
}

#[test]
fn the_vectors_of_the_specification_decode() {
    assert_eq!(decoded(&[0x3F, 0x55, 0x56, 0x57], 0x555_657F), [run(0, 0x555_657F)]);
    assert_eq!(decoded(&[0x75, 0xAA, 0xBB, 0xCC, 0x15], 0xBBC_C155), [run(0xAA, 0xBBC_C155)]);
    assert_eq!(decoded(&[0x05], 5), [run(0, 5)]);
    let grey = [0x41, 0x80];
    let after_grey = |chunk: &[u8], pixels: u64| decoded(&[&grey, chunk].concat(), pixels + 1);
    assert_eq!(after_grey(&[0x81], 1), [run(0x80, 1), run(0x81, 1)]);
    assert_eq!(after_grey(&[0x92, 0xFF], 255), [run(0x80, 1), run(0x82, 255)]);
    assert_eq!(after_grey(&[0xA1], 1), [run(0x80, 1), run(0x7F, 1)]);
    assert_eq!(after_grey(&[0xB2, 0xEE], 238), [run(0x80, 1), run(0x7E, 238)]);
    // Chunks without pixels are accepted.
    assert_eq!(decoded(&[0x00, 0x00, 0x05], 5), [run(0, 5)]);
}

#[test]
fn the_vectors_of_the_specification_are_what_the_encoder_writes() {
    assert_eq!(encode(&[run(0, 0x555_657F)]), [0x3F, 0x55, 0x56, 0x57]);
    assert_eq!(encode(&[run(0xAA, 0xBBC_C155)]), [0x75, 0xAA, 0xBB, 0xCC, 0x15]);
    assert_eq!(encode(&[run(0xFF, 0xBBA_AFF1)]), [0xF1, 0xBB, 0xAA, 0xFF]);
    assert_eq!(encode(&[run(0x80, 1), run(0x82, 255)]), [0x41, 0x80, 0x92, 0xFF]);
    assert_eq!(encode(&[run(0x80, 1), run(0x7E, 238)]), [0x41, 0x80, 0xB2, 0xEE]);
    assert_eq!(encode(&[run(0x80, 1), run(0x7F, 1)]), [0x41, 0x80, 0xA1]);
}

#[test]
fn every_length_form_has_its_limits() {
    for (length, bytes) in
        [(15, 1), (16, 2), (4095, 2), (4096, 3), (0xF_FFFF, 3), (0x10_0000, 4), (0xFFF_FFFF, 4)]
    {
        for value in [0x00, 0xFF] {
            let packed = encode(&[run(value, length)]);
            assert_eq!(packed.len(), bytes, "length {length}");
            assert_eq!(decoded(&packed, u64::from(length)), [run(value, length)]);
        }
    }
    let beyond = encode(&[run(255, 0x1000_0000)]);
    assert_eq!(decoded(&beyond, 0x1000_0000), [run(255, 0x1000_0000)]);
}

#[test]
fn a_layer_with_missing_or_surplus_pixels_or_impossible_grey_is_an_error() {
    for (bytes, pixels) in [
        (&[0x05][..], 6),
        (&[0x05], 4),
        (&[0x81], 2),
        (&[0xA1], 1),             // 0 - 1
        (&[0xC1, 0x81], 2),       // 255 + 1
        (&[0x41], 1),             // value missing
        (&[0x41, 0x80, 0x92], 2), // length missing
        (&[0x3F, 0x55, 0x56], 0x555_657F),
    ] {
        assert!(decode(bytes, pixels).is_err(), "{bytes:02x?}");
    }
}

proptest! {
    #[test]
    fn any_runs_decode_to_themselves(
        parts in prop::collection::vec(
            (any::<u8>(), prop_oneof![1..20_u32, 250..260_u32, 4090..4100_u32, 1..3_000_000_u32]), 1..300)
    ) {
        let mut list = RunList::new();
        parts.iter().for_each(|&(value, length)| list.push(value, length));
        let packed = encode(list.runs());
        prop_assert_eq!(decoded(&packed, list.pixels()), list.runs());
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(list) = decode(&bytes, 5000) {
            prop_assert_eq!(list.pixels(), 5000);
        }
    }
}

/// Reads fields at the offsets of the specification, knowing nothing of the writer.
struct Plain<'a>(&'a [u8]);

impl Plain<'_> {
    fn bytes(&self, at: usize, length: usize) -> &[u8] {
        &self.0[at..at + length]
    }

    fn u16(&self, at: usize) -> u16 {
        u16::from_be_bytes(self.bytes(at, 2).try_into().unwrap())
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.bytes(at, 4).try_into().unwrap())
    }

    fn f32(&self, at: usize) -> f32 {
        f32::from_bits(self.u32(at))
    }
}

/// Another value in every field.
fn header() -> Header {
    let text = |text: &str| text.to_owned();
    Header {
        version: text("V3.0"),
        software: text("software"),
        software_version: text("software version"),
        file_time: text("2024-02-29 23:59:59"),
        machine: text("machine"),
        machine_kind: text("machine kind"),
        resin: text("resin"),
        anti_aliasing: 1001,
        grey_level: 1002,
        blur_level: 1003,
        small: (0..116 * 116).map(|i| 20_000 + i).collect(),
        big: (0..290 * 290_u32).map(|i| u16::try_from(i % 60_000).unwrap()).collect(),
        layers: 2001,
        width_px: 1004,
        height_px: 1005,
        mirror_x: 11,
        mirror_y: 12,
        platform_mm: [3001.5, 3002.5, 3003.5],
        layer_mm: 3004.5,
        exposure_s: 3005.5,
        delay_mode: 13,
        turn_off_s: 3006.5,
        bottom_waits_s: [3007.5, 3008.5, 3009.5],
        waits_s: [3010.5, 3011.5, 3012.5],
        bottom_exposure_s: 3013.5,
        bottom_layers: 2002,
        bottom_lift: [3014.5, 3015.5],
        lift: [3016.5, 3017.5],
        bottom_retract: [3018.5, 3019.5],
        retract: [3020.5, 3021.5],
        bottom_lift_second: [3022.5, 3023.5],
        lift_second: [3024.5, 3025.5],
        bottom_retract_second: [3026.5, 3027.5],
        retract_second: [3028.5, 3029.5],
        bottom_pwm: 1006,
        pwm: 1007,
        advance_mode: 14,
        print_s: 2003,
        volume_mm3: 3030.5,
        weight_g: 3031.5,
        price: 3032.5,
        currency: text("EUR"),
        content_offset: 2004,
        grey_range: 15,
        transition_layers: 1008,
    }
}

#[test]
fn every_header_field_stands_at_the_offset_of_the_specification() {
    let bytes = header().encode(ByteOrder::Big);
    let plain = Plain(&bytes);

    assert_eq!(bytes.len(), 195_477);
    assert_eq!(plain.bytes(0, 12), b"V3.0\x07\x00\x00\x00DLP\x00");
    for (at, length, text) in [
        (12, 32, "software"),
        (44, 24, "software version"),
        (68, 24, "2024-02-29 23:59:59"),
        (92, 32, "machine"),
        (124, 32, "machine kind"),
        (156, 32, "resin"),
        (195_462, 8, "EUR"),
    ] {
        let mut padded = text.as_bytes().to_vec();
        padded.resize(length, 0);
        assert_eq!(plain.bytes(at, length), padded, "{text}");
    }
    for (at, value) in [
        (188, 1001),
        (190, 1002),
        (192, 1003),
        (194, 20_000),
        (27_104, 20_000 + 116 * 116 - 1),
        (27_106, 0x0D0A),
        (27_108, 0),
        (195_306, 24_099),
        (195_308, 0x0D0A),
        (195_314, 1004),
        (195_316, 1005),
        (195_441, 1006),
        (195_443, 1007),
        (195_475, 1008),
    ] {
        assert_eq!(plain.u16(at), value, "offset {at}");
    }
    for (at, value) in [(195_318, 11), (195_319, 12), (195_340, 13), (195_445, 14), (195_474, 15)] {
        assert_eq!(bytes[at], value, "offset {at}");
    }
    for (at, value) in [(195_310, 2001), (195_373, 2002), (195_446, 2003), (195_470, 2004)] {
        assert_eq!(plain.u32(at), value, "offset {at}");
    }
    let floats = [
        195_320, 195_324, 195_328, 195_332, 195_336, 195_341, 195_345, 195_349, 195_353, 195_357, 195_361,
        195_365, 195_369, 195_377, 195_381, 195_385, 195_389, 195_393, 195_397, 195_401, 195_405, 195_409,
        195_413, 195_417, 195_421, 195_425, 195_429, 195_433, 195_437, 195_450, 195_454, 195_458,
    ];
    for (number, at) in (3001_u16..).zip(floats) {
        assert_eq!(plain.f32(at).to_bits(), (f32::from(number) + 0.5).to_bits(), "offset {at}");
    }
    assert_eq!(Header::decode(&bytes), Some((header(), ByteOrder::Big)));
}

#[test]
fn the_one_little_endian_machine_is_written_and_read_in_its_order() {
    let header = Header { machine: "ELEGOO Jupiter 2".to_owned(), ..header() };

    let bytes = header.encode(ByteOrder::of_machine(&header.machine));

    assert_eq!(bytes[195_310..195_314], 2001_u32.to_le_bytes());
    assert_eq!(Header::decode(&bytes), Some((header, ByteOrder::Little)));
    let mut little = job();
    little.machine.name = "ELEGOO Jupiter 2".to_owned();
    assert!(try_all(&written(Format::Goo, &little).0));
}

#[test]
#[expect(clippy::float_cmp, reason = "stored numbers come back to the bit")]
fn the_job_arrives_in_header_and_layers() {
    let (bytes, outcome) = written(Format::Goo, &job());
    let plain = Plain(&bytes);
    let first = usize::try_from(HEADER_LEN).unwrap();

    assert_eq!(plain.bytes(68, 19), b"2024-02-29 23:59:59");
    assert_eq!((plain.u32(195_310), plain.u16(195_314), plain.u16(195_316)), (10, 60, 40));
    assert_eq!((bytes[195_318], bytes[195_319]), (1, 0), "mirrors");
    assert_eq!([plain.f32(195_320), plain.f32(195_324), plain.f32(195_328)], [3.0, 1.6, 12.5]);
    assert_eq!([plain.f32(195_336), plain.f32(195_369)], [2.5, 32.5], "exposures");
    // 115 s of exposure, 487.5 s of moves and rests.
    assert_eq!(plain.u32(195_446), 603, "print time");
    assert!((f64::from(plain.f32(195_450)) - outcome.volume_ml * 1000.0).abs() < 1e-6);
    assert!((f64::from(plain.f32(195_454)) - outcome.volume_ml * 1.5).abs() < 1e-9, "weight");
    assert!((f64::from(plain.f32(195_458)) - outcome.volume_ml * 0.25).abs() < 1e-9, "price");
    // First layer: height, exposure, rests, lift, second lift, retract, second retract, lamp.
    assert_eq!([plain.f32(first + 6), plain.f32(first + 10)], [0.05, 32.5]);
    assert_eq!([18, 22, 26].map(|at| plain.f32(first + at)), [3.25, 3.75, 4.25]);
    assert_eq!([30, 34].map(|at| plain.f32(first + at)), [4.0, 40.0]);
    assert_eq!([38, 42].map(|at| plain.f32(first + at)), [5.0, 50.0]);
    assert_eq!([46, 50].map(|at| plain.f32(first + at)), [5.5, 55.0]);
    assert_eq!([54, 58].map(|at| plain.f32(first + at)), [3.5, 35.0]);
    assert_eq!(plain.u16(first + 62), 201);
    let second = first + 72 + usize::try_from(plain.u32(first + 66)).unwrap();
    assert_eq!([plain.f32(second + 6), plain.f32(second + 10)], [0.1, 26.5]);
    assert_eq!(plain.f32(second + 30), 9.0, "normal lift");
    assert_eq!(plain.u16(second + 62), 202);
    assert_eq!(bytes[bytes.len() - 11..], [0, 0, 0, 7, 0, 0, 0, 0x44, 0x4C, 0x50, 0]);
}

#[test]
fn the_pictures_show_the_part() {
    let (bytes, _) = written(Format::Goo, &job());
    let (header, _) = Header::decode(&bytes).unwrap();

    for words in [header.small, header.big] {
        let shades: std::collections::BTreeSet<_> = words.iter().collect();
        assert!(shades.len() > 8, "{} shades", shades.len());
    }
    let red = Picture { width_px: 1, height_px: 1, rgb: vec![[255, 0, 8]] };
    assert_eq!(rgb565(Some(&red), 1), [0xF801]);
}

#[test]
fn a_tilting_printer_is_not_written() {
    let mut tilting = job();
    tilting.separation = Separation::Tilt { fast_s: 5.0, slow_s: 8.0, slow_from_fill: 0.5 };
    let mut out = std::io::Cursor::new(Vec::new());
    let cancel = std::sync::atomic::AtomicBool::new(false);
    let (bytes, _) = written(Format::Goo, &job());
    let file = crate::print_files::open(&bytes, &crate::print_files::Limits::GENEROUS).unwrap();

    let refused =
        super::write(&tilting, file.as_ref(), &[], &mut out, crate::slice::tests::unwatched(&cancel));

    assert!(matches!(refused, Err(WriteError::Missing { field: "lift and retract moves", .. })));
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let (bytes, _) = written(Format::Goo, &job());
    let first = usize::try_from(HEADER_LEN).unwrap();
    assert!(try_all(&bytes));
    // The pictures are one long field; try their ends.
    let cuts = (0..200).chain(27_090..27_120).chain(first - 200..bytes.len());
    for cut in cuts {
        assert!(!try_all(&bytes[..cut]), "cut at {cut}");
    }
    assert!(!try_all(&[&bytes[..], &[0]].concat()), "one byte too many");
}

#[test]
fn hostile_counts_offsets_and_sizes_are_refused_or_read() {
    let (bytes, _) = written(Format::Goo, &job());
    let first = usize::try_from(HEADER_LEN).unwrap();
    let length = u32::try_from(bytes.len()).unwrap();
    for at in [195_310, 195_470, first + 66, 195_314, 195_320, 195_332, first + 6, first + 10] {
        for value in [0, 1, length, u32::MAX, 0x7FC0_0000] {
            let mut damaged = bytes.clone();
            damaged[at..at + 4].copy_from_slice(&value.to_be_bytes());
            // Heights, exposures and sides that are 0 or odd can be read; nothing else can.
            let readable = at == 195_332 || at == first + 6 || at == first + 10;
            let read = try_all(&damaged);
            assert!(!read || readable, "offset {at} value {value}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_flipped_byte_in_the_layers_is_noticed_or_harmless(at in 0_usize..2000, flip in 1_u8..) {
        let (mut bytes, _) = written(Format::Goo, &job());
        let first = usize::try_from(HEADER_LEN).unwrap();
        let at = first + at % (bytes.len() - first);
        bytes[at] ^= flip;
        try_all(&bytes);
    }
}

/// Bytes of every layer's 70 values, as the printer finds them.
fn heads(bytes: &[u8]) -> Vec<LayerHead> {
    let mut at = usize::try_from(HEADER_LEN).unwrap();
    let mut heads = Vec::new();
    while bytes.len() - at > TAIL.len() {
        let (head, size) = LayerHead::decode(&bytes[at..], ByteOrder::Big).unwrap();
        heads.push(head);
        at += HEAD_LEN + usize::try_from(size).unwrap() + 2;
    }
    heads
}

#[test]
fn the_estimate_is_what_the_values_of_the_layers_add_up_to() {
    let mut job = job();
    job.exposure.ranges = vec![ExposureRange { from: Microns(250), exposure_s: 3.25 }];
    let (bytes, outcome) = written(Format::Goo, &job);

    let stage_s = |[mm, mm_per_min]: [f32; 2]| f64::from(mm) / f64::from(mm_per_min) * 60.0;
    let layer_s = |head: &LayerHead| {
        let rests: f64 = head.waits_s.iter().map(|&wait| f64::from(wait)).sum();
        f64::from(head.exposure_s) + rests + head.stages.iter().map(|&stage| stage_s(stage)).sum::<f64>()
    };
    let sum: f64 = heads(&bytes).iter().map(layer_s).sum();

    assert!((outcome.print_s - sum).abs() < 1e-3, "{} against {sum}", outcome.print_s);
    let (header, _) = Header::decode(&bytes).unwrap();
    assert!((f64::from(header.print_s) - sum).abs() <= 0.5 + 1e-3);
    let ml = outcome.volume_ml;
    assert!(
        (f64::from(header.weight_g) - 1.5 * ml).abs() < 1e-6
            && (f64::from(header.price) - 0.25 * ml).abs() < 1e-6
    );
}

#[test]
fn the_values_of_layers_hold_only_where_they_differ_from_the_header() {
    let advance = |job: &Job| Header::decode(&written(Format::Goo, job).0).unwrap().0.advance_mode;
    let mut ranged = job();
    ranged.exposure.ranges = vec![ExposureRange { from: Microns(300), exposure_s: 4.0 }];
    let mut thinner = job();
    let range = HeightRange { from: Microns(200), layer: Microns(25) };
    thinner.heights = Heights::with_ranges(Microns(50), &[range]).unwrap();

    assert_eq!([job(), ranged.clone(), thinner.clone()].map(|job| advance(&job)), [0, 1, 1]);
    let exposures: Vec<f32> =
        heads(&written(Format::Goo, &ranged).0).iter().map(|head| head.exposure_s).collect();
    assert_eq!(exposures[5..7], [2.5, 4.0]);
    let z: Vec<f32> = heads(&written(Format::Goo, &thinner).0).iter().map(|head| head.z_mm).collect();
    assert_eq!(z[..6], [0.05, 0.1, 0.15, 0.2, 0.225, 0.25]);
    assert_eq!(z.len(), 4 + 12);
}

/// The reader and writer of another slicer, by another author, as a second opinion.
mod other_program {
    use goo::serde::DynamicSerializer;

    use super::*;
    use crate::print_files::{Limits, open};

    #[test]
    fn it_reads_every_layer_of_ours_as_it_was_sliced() {
        let (bytes, _) = written(Format::Goo, &job());
        let ours = open(&bytes, &Limits::GENEROUS).unwrap();

        let file = goo::GooFile::deserialize(&bytes).unwrap();

        assert_eq!(file.header.layer_count, 10);
        assert_eq!((file.header.x_resolution, file.header.y_resolution), (60, 40));
        assert_eq!(file.header.printing_time, 603);
        for (index, layer) in (0..).zip(&file.layers) {
            let mut list = RunList::new();
            for run in goo::LayerDecoder::new(&layer.data) {
                list.push(run.value, u32::try_from(run.length).unwrap());
            }
            assert_eq!(list.runs(), ours.layer(index).unwrap().runs, "layer {index}");
            assert_eq!(layer.checksum, goo::LayerDecoder::new(&layer.data).checksum());
            assert_eq!(layer.layer_exposure_time.to_bits(), single(index).to_bits());
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the format is single precision")]
    fn single(index: u32) -> f32 {
        job().exposure_s(index) as f32
    }

    #[test]
    fn we_read_every_layer_of_its_file() {
        let (bytes, _) = written(Format::Goo, &job());
        let ours = open(&bytes, &Limits::GENEROUS).unwrap();
        let mut file = goo::GooFile::deserialize(&bytes).unwrap();
        for (index, layer) in (0..).zip(&mut file.layers) {
            let mut encoder = goo::LayerEncoder::new();
            for run in &ours.layer(index).unwrap().runs {
                encoder.add_run(u64::from(run.length), run.value);
            }
            (layer.data, layer.checksum) = encoder.finish();
        }
        let mut out = DynamicSerializer::new();
        file.serialize(&mut out);
        let foreign = out.into_inner();

        let read = open(&foreign, &Limits::GENEROUS).unwrap();

        assert_eq!(read.facts(), ours.facts());
        for index in 0..10 {
            assert_eq!(read.layer(index), ours.layer(index), "layer {index}");
        }
    }
}
