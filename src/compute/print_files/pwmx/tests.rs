use proptest::prelude::*;

use super::runs::{checksum, decode, encode, nearest};
use super::{AnycubicEnding, AnycubicVersion};
use crate::finding::Severity;
use crate::print_files::tests::Field::{Bytes, Float, Word, Zeros};
use crate::print_files::tests::{Drawn, assail, job, job_for, listed, try_all, written, written_as_drawn};
use crate::print_files::told::field;
use crate::print_files::{
    Format, Job, LayerMotion, Limits, Machine, Move, PrintFile, Resin, Separation, Waits, open,
};
use crate::slice::{Run, RunList};

const PWMX_1: Format = Format::Anycubic(AnycubicEnding::Pwmx, AnycubicVersion::V1);
const PWMX_516: Format = Format::Anycubic(AnycubicEnding::Pwmx, AnycubicVersion::V516);
const PM5: Format = Format::Anycubic(AnycubicEnding::Pm5, AnycubicVersion::V517);
const PWS: Format = Format::Anycubic(AnycubicEnding::Pws, AnycubicVersion::V1);
const PW0: Format = Format::Anycubic(AnycubicEnding::Pw0, AnycubicVersion::V1);

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
        (&[0x0F_u8, 0xFF][..], &[run(0, 4095)][..]),
        (&[0x0F, 0xFF, 0x00, 0x01], &[run(0, 4096)]),
        (&[0xF0, 0x01], &[run(255, 1)]),
        (&[0x85], &[run(136, 5)]),
        (&[0x1F, 0x11, 0xE1], &[run(17, 16), run(238, 1)]),
    ] {
        assert_eq!(encode(runs), bytes);
        assert_eq!(decoded(bytes, runs.iter().map(|run| u64::from(run.length)).sum()), runs);
    }
}

#[test]
fn a_layer_with_missing_or_surplus_pixels_or_a_wrong_checksum_is_an_error() {
    let sum = 0x4B40_u16.to_be_bytes();
    assert_eq!(decoded(&[0x0F, 0xFF, 0xF0, 0x01, sum[0], sum[1]], 4096), [run(0, 4095), run(255, 1)]);
    for (bytes, pixels) in [
        (&[0x85_u8][..], 6),
        (&[0x85], 4),
        (&[0xF0], 1),
        (&[0x85, 0x85], 5),
        (&[0x0F, 0xFF, 0xF0, 0x01, sum[0], sum[1] ^ 1], 4096),
        (&[0x0F, 0xFF, 0xF0, 0x01, sum[0], sum[1], 0], 4096),
        (&[], 1),
    ] {
        assert!(decode(bytes, pixels).is_err(), "{bytes:02x?}");
    }
}

#[test]
fn the_checksum_is_the_one_of_other_programs() {
    // Computed with the table and the steps of uv3dp's `rle4.go`.
    for (bytes, sum) in
        [(&b""[..], 0), (b"\x01", 0x2D00), (b"\x0F\xFF\xF0\x01", 0x4B40), (b"123456789", 0x3740)]
    {
        assert_eq!(checksum(bytes), sum, "{bytes:02x?}");
    }
}

#[test]
fn every_grey_comes_back_as_the_nearest_of_16() {
    let held: Vec<u8> = (0..=255).filter(|&value| nearest(value) == value).collect();
    assert_eq!(held, (0..16).map(|step| step * 17).collect::<Vec<u8>>());
    for value in 0..=255 {
        let best = held.iter().map(|&level| level.abs_diff(value)).min();
        assert_eq!(Some(nearest(value).abs_diff(value)), best, "{value}");
    }
}

proptest! {
    #[test]
    fn any_runs_come_back_at_the_nearest_grey(
        parts in prop::collection::vec(
            (any::<u8>(), prop_oneof![1..3_u32, 14..17_u32, 4094..4098_u32, 1..100_000_u32]), 1..200)
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

/// Two layers of four by two pixels, and a job for them.
fn tiny() -> (Job, Drawn) {
    let mut job = job();
    job.display.width_px = 4;
    job.display.height_px = 2;
    job.display.pitch_mm = [0.5; 2];
    job.machine = Machine { name: "M 9".to_owned(), kind: String::new(), build_mm: [2.0, 1.0, 12.5] };
    job.exposure.transition_layers = 0;
    job.resin =
        Resin { name: String::new(), density_g_per_ml: None, price_per_ml: None, currency: "EUR".to_owned() };
    let layers = vec![vec![run(0, 3), run(255, 5)], vec![run(0, 6), run(130, 1), run(0, 1)]];
    let drawn = Drawn { display: job.display, layers };
    (job, drawn)
}

/// Volume of the two layers in ml: 130 is shown as 136.
fn tiny_ml() -> f64 {
    (5.0 + 136.0 / 255.0) * 0.25 * 0.05 / 1000.0
}

/// Golden bytes of version 517, written out by hand from the descriptions, block by block.
#[test]
fn a_tiny_file_of_version_517_is_this() {
    let (job, drawn) = tiny();
    let (bytes, outcome) = written_as_drawn(PM5, &job, &drawn);

    let header = 56;
    let greys = header + 16 + 92;
    let table = greys + 28;
    let extra = table + 20 + 64;
    let machine = extra + 72;
    let software = machine + 156;
    let model = software + 164;
    let first = model + 48;
    assert!((outcome.volume_ml - tiny_ml()).abs() < 1e-12);
    // Exposures 35 s; moves: bottom 4 at 40 and back at 35, 5 at 50 and back at 55, normal alike; rests 26.25 each.
    let bottom_s = 6.0 + 6.0 + 5.0 / 55.0 * 60.0 + 4.0 / 35.0 * 60.0;
    let normal_s = 6.0 + 6.0 + 10.0 / 105.0 * 60.0 + 9.0 / 85.0 * 60.0;
    let print_s = 35.0 + bottom_s + normal_s + 52.5;
    assert!((outcome.print_s - print_s).abs() < 1e-9);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "stored so")]
    let (volume, whole_s) = (tiny_ml() as f32, print_s.round() as u32);
    let mut expected = listed(&[
        Bytes(b"ANYCUBIC\0\0\0\0"),
        Word(517),
        Word(9),
        Word(header),
        Word(software),
        Word(0),
        Word(greys),
        Word(table),
        Word(extra),
        Word(machine),
        Word(first),
        Word(model),
    ]);
    expected.extend(listed(&[
        Bytes(b"HEADER\0\0\0\0\0\0"),
        Word(92),
        Float(500.0),
        Float(0.05),
        Float(2.5),
        Float(26.25),
        Float(32.5),
        Float(1.0),
        Float(19.0),
        Float(1.5),
        Float(1.75),
        Float(volume),
        Word(8),
        Word(4),
        Word(2),
        Float(0.0),
        Float(0.0),
        Bytes(b"EUR\0"),
        Word(0),
        Word(whole_s),
        Word(0),
        Word(0),
        Word(1),
        Zeros(8),
    ]));
    expected.extend(listed(&[
        Word(0),
        Word(16),
        Bytes(&[15, 31, 47, 63, 79, 95, 111, 127, 143, 159, 175, 191, 207, 223, 239, 255]),
        Word(0),
    ]));
    let second = first + 4;
    expected.extend(listed(&[
        Bytes(b"LAYERDEF\0\0\0\0"),
        Word(68),
        Word(2),
        Word(first),
        Word(4),
        Float(9.0),
        Float(40.0 / 60.0),
        Float(32.5),
        Float(0.05),
        Word(5),
        Word(0),
        Word(second),
        Word(5),
        Float(19.0),
        Float(1.5),
        Float(2.5),
        Float(0.05),
        Word(1),
        Word(0),
    ]));
    expected.extend(listed(&[
        Bytes(b"EXTRA\0\0\0\0\0\0\0"),
        Word(24),
        Word(2),
        Float(4.0),
        Float(40.0 / 60.0),
        Float(35.0 / 60.0),
        Float(5.0),
        Float(50.0 / 60.0),
        Float(55.0 / 60.0),
        Word(2),
        Float(9.0),
        Float(1.5),
        Float(85.0 / 60.0),
        Float(10.0),
        Float(100.0 / 60.0),
        Float(1.75),
    ]));
    expected.extend(listed(&[
        Bytes(b"MACHINE\0\0\0\0\0"),
        Word(156),
        Bytes(b"M 9"),
        Zeros(93),
        Bytes(b"pw0Img"),
        Zeros(10),
        Word(16),
        Word(7),
        Float(2.0),
        Float(1.0),
        Float(12.5),
        Word(517),
        Word(6_506_241),
    ]));
    expected.extend(listed(&[Bytes(b"sprue"), Zeros(27), Word(164), Bytes(b"1.2.3"), Zeros(27), Zeros(96)]));
    // Lit are columns 0 to 3 in both rows.
    expected.extend(listed(&[
        Bytes(b"MODEL\0\0\0\0\0\0\0"),
        Word(48),
        Float(-1.0),
        Float(-0.5),
        Float(0.0),
        Float(1.0),
        Float(0.5),
        Float(0.1),
        Zeros(8),
    ]));
    assert_eq!(expected.len(), usize::try_from(first).unwrap());
    expected.extend([0x00, 0x03, 0xF0, 0x05, 0x00, 0x06, 0x81, 0x00, 0x01]);
    assert_eq!(bytes, expected);
}

/// Golden bytes of a `.pws` file, version 1: planes, lifts in the layer table.
#[test]
fn a_tiny_pws_file_is_this() {
    let (mut job, drawn) = tiny();
    job.anti_aliasing = 2;
    let motion = |mm: f64| LayerMotion {
        lift: Move { mm, mm_per_min: 60.0 },
        lift_second: Move { mm: 0.0, mm_per_min: 0.0 },
        retract: Move { mm, mm_per_min: 120.0 },
        retract_second: Move { mm: 0.0, mm_per_min: 0.0 },
        waits: Waits { before_lift_s: 0.0, after_lift_s: 0.0, after_retract_s: 1.5 },
    };
    job.separation = Separation::Lift { bottom: motion(8.0), normal: motion(6.0) };
    let (bytes, outcome) = written_as_drawn(PWS, &job, &drawn);

    let table = 48 + 96;
    let first = table + 20 + 64;
    // Two levels: 130 is shown as 127.
    let volume_ml = (5.0 + 127.0 / 255.0) * 0.25 * 0.05 / 1000.0;
    #[expect(clippy::cast_possible_truncation, reason = "stored so")]
    let volume = Float(volume_ml as f32);
    let mut expected = listed(&[
        Bytes(b"ANYCUBIC\0\0\0\0"),
        Word(1),
        Word(4),
        Word(48),
        Word(0),
        Word(0),
        Word(0),
        Word(table),
        Word(0),
        Word(first),
        Bytes(b"HEADER\0\0\0\0\0\0"),
        Word(80),
        Float(500.0),
        Float(0.05),
        Float(2.5),
        Float(1.5),
        Float(32.5),
        Float(1.0),
        Float(6.0),
        Float(1.0),
        Float(2.0),
        volume,
        Word(2),
        Word(4),
        Word(2),
        Float(0.0),
        Float(0.0),
        Bytes(b"EUR\0"),
        Word(1),
        Word(59),
        Word(0),
        Word(0),
        Bytes(b"LAYERDEF\0\0\0\0"),
        Word(68),
        Word(2),
        Word(first),
        Word(4),
        Float(8.0),
        Float(1.0),
        Float(32.5),
        Float(0.05),
        Word(5),
        Word(0),
        Word(first + 4),
        Word(4),
        Float(6.0),
        Float(1.0),
        Float(2.5),
        Float(0.05),
        Word(1),
        Word(0),
    ]);
    // The lowest threshold first.
    expected.extend([0x03, 0x85, 0x03, 0x85, 0x06, 0x81, 0x01, 0x08]);
    assert_eq!(bytes, expected);
    let file = opened(&bytes);
    assert_eq!(file.facts().format, PWS, "planes are told apart from grey by the first layer");
    assert_eq!(file.layer(1).unwrap().runs, [run(0, 6), run(127, 1), run(0, 1)]);
    assert!(
        outcome.findings.iter().any(|one| one.code == "GREY_ROUNDED" && one.severity == Severity::Warning)
    );
}

#[test]
fn layers_of_the_photon_zero_end_with_a_checksum() {
    let (job, drawn) = tiny();
    let (plain, _) = written_as_drawn(PWMX_1, &job, &drawn);
    let (summed, _) = written_as_drawn(PW0, &job, &drawn);

    assert_eq!(summed.len(), plain.len() + 4);
    let sum = checksum(&[0x00, 0x06, 0x81, 0x00, 0x01]);
    assert!(summed.ends_with(&sum.to_be_bytes()));
    let mut damaged = summed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(opened(&damaged).layer(1).is_err());
    assert_eq!(opened(&summed).layer(1), opened(&plain).layer(1));
}

#[test]
fn what_a_version_can_not_hold_is_said_by_field() {
    let said = |format| -> Vec<String> {
        let mut findings = written(format, &job()).1.findings;
        findings
            .retain(|finding| finding.code == "ANYCUBIC_NOT_HELD" && finding.severity == Severity::Warning);
        findings.into_iter().map(|finding| finding.place).collect()
    };

    assert_eq!(said(PWMX_1), ["lift_second", "retract", "waits", "light"]);
    assert_eq!(said(PWMX_516), ["retract", "waits", "light"]);
    let same = Job { separation: job_for(PWMX_516).separation, light: job_for(PWMX_516).light, ..job() };
    let findings = written(PWMX_516, &same).1.findings;
    assert!(
        findings
            .iter()
            .all(|finding| finding.code != "ANYCUBIC_NOT_HELD" || finding.severity == Severity::Note)
    );
}

#[test]
fn an_ending_has_the_versions_of_its_printer() {
    assert_eq!(Format::named("pwmx").len(), 3);
    assert_eq!(Format::named("PWMX-516"), [PWMX_516]);
    assert_eq!(Format::named("pws"), [PWS]);
    assert_eq!(Format::named("pm5"), [PM5]);
    assert_eq!(Format::named("ctb").len(), 4);
    assert_eq!(Format::named("goo"), [Format::Goo]);
    assert!(Format::named("pm5-516").is_empty() && Format::named("").is_empty());
    for format in Format::ALL {
        assert_eq!(Format::named(format.name()).first(), Some(&format));
        assert!(Format::named(format.extension()).contains(&format));
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for format in [PWS, PW0, PWMX_1, PM5] {
        let (job, drawn) = tiny();
        let (bytes, _) = written_as_drawn(format, &job, &drawn);
        assert!(try_all(&bytes));
        for cut in 0..bytes.len() {
            assert!(!try_all(&bytes[..cut]), "{format:?} cut at {cut}");
        }
    }
}

#[test]
fn hostile_counts_offsets_and_sizes_never_panic() {
    let (job, drawn) = tiny();
    for format in [PWS, PW0, PWMX_516, PM5] {
        let (bytes, _) = written_as_drawn(format, &job, &drawn);
        assail(&bytes, bytes.len());
        // Header and layer table.
        for at in [20, 36] {
            for value in [0, 1, u32::try_from(bytes.len()).unwrap(), u32::MAX] {
                let mut damaged = bytes.clone();
                damaged[at..at + 4].copy_from_slice(&value.to_le_bytes());
                assert!(!try_all(&damaged), "{format:?} offset {at} value {value}");
            }
        }
    }
}

#[test]
fn a_version_that_is_not_known_is_refused_by_number() {
    let (mut bytes, _) = written(PM5, &job());
    bytes[12..16].copy_from_slice(&600_u32.to_le_bytes());

    let Err(refused) = open(&bytes, &Limits::GENEROUS) else { panic!("it was read") };

    assert!(refused.to_string().contains("version 600 is not known"), "{refused}");
}

#[test]
fn what_version_1_does_not_say_is_named() {
    let (bytes, _) = written(PWMX_1, &job_for(PWMX_1));

    let told = opened(&bytes).job();

    let silent = [field::MACHINE, field::BUILD_HEIGHT, field::LIGHT, field::RESIN, field::SOFTWARE];
    assert!(silent.iter().all(|name| told.untold.contains(name)), "{:?}", told.untold);
    assert!(!told.untold.contains(&field::SEPARATION));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn flipped_bytes_are_noticed_or_harmless(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..8), which in 0..4_usize
    ) {
        let (job, drawn) = tiny();
        let (mut bytes, _) = written_as_drawn([PWS, PW0, PWMX_516, PM5][which], &job, &drawn);
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
