//! Whole files, written out by hand from the description.

use super::{V4, opened, run, tiny};
use crate::finding::Severity;
use crate::print_files::tests::Field::{Bytes, Float, Word, Zeros};
use crate::print_files::tests::{listed, written_as_drawn};
use crate::print_files::{Format, LayerMotion, Move, Separation, Waits};

/// Golden bytes of version 4, written out by hand from the description, block by block.
#[test]
fn a_tiny_file_of_version_4_is_this() {
    let (job, drawn) = tiny();
    let (bytes, outcome) = written_as_drawn(V4, &job, &drawn);

    // 112 header, 60 parameters, 76 + 3 slicer, 320 notice, 464 version 4, 72 table, records and layers.
    let (params, slicer, name, notice, version4, table) = (112, 172, 248, 251, 571, 1035);
    let first = table + 72 + 84;
    let second = first + 4 + 84;
    // 5 pixels of 0.125 mm2 and one of 129/255 of that, 0.05 mm high, in ml.
    let volume_ml = (5.0 + 129.0 / 255.0) * 0.125 * 0.05 / 1000.0;
    assert!((outcome.volume_ml - volume_ml).abs() < 1e-12);
    // Exposures 32.5 and 2.5; bottom 24 s of moves and 11.25 s of rests, the other 24 s and 26.25 s.
    let print_s = 121;
    let entry = |z: f32, exposure: f32, at: u32, length: u32| {
        [Float(z), Float(exposure), Float(0.0), Word(at), Word(length), Word(0), Word(84), Word(0), Word(0)]
    };
    let mut expected = listed(&[
        Word(0x12FD_0106),
        Word(4),
        Float(2.0),
        Float(0.5),
        Float(12.5),
        Zeros(8),
        Float(0.1),
        Float(0.05),
        Float(2.5),
        Float(32.5),
        Float(0.0),
        Word(1),
        Word(4),
        Word(2),
        Word(0),
        Word(table),
        Word(2),
        Word(0),
        Word(print_s),
        Word(1),
        Word(params),
        Word(60),
        Word(1),
        Bytes(&[202, 0, 201, 0]),
        Word(0),
        Word(slicer),
        Word(76),
    ]);
    #[expect(clippy::cast_possible_truncation, reason = "stored so")]
    let volume = Float(volume_ml as f32);
    expected.extend(listed(&[
        Float(9.0),
        Float(40.0),
        Float(19.0),
        Float(90.0),
        Float(105.0),
        volume,
        Float(0.0),
        Float(0.0),
        Float(0.0),
        Float(0.0),
        Word(1),
        Zeros(16),
    ]));
    expected.extend(listed(&[
        Float(5.0),
        Float(50.0),
        Float(10.0),
        Float(100.0),
        Float(8.5),
        Float(85.0),
        Float(8.75),
        Word(name),
        Word(3),
        Bytes(&[15, 0, 0, 0]),
        Word(1_709_251_199 / 60),
        Word(8),
        Word(0x0109_0000),
        Float(9.25),
        Float(8.75),
        Word(0),
        Word(version4),
        Zeros(8),
        Bytes(b"M 9"),
    ]));
    expected.extend(listed(&[Bytes(b"Written by sprue 1.2.3.")]));
    expected.resize(usize::try_from(version4).unwrap(), b' ');
    expected.extend(listed(&[
        Float(55.0),
        Float(35.0),
        Word(0),
        Float(4.0),
        Word(0),
        Float(4.0),
        Float(9.25),
        Float(8.75),
        Float(8.25),
        Float(3.5),
        Word(0),
        Word(0),
        Word(5),
        Word(1),
        Zeros(16),
        Word(notice),
        Word(320),
        Word(0),
        Zeros(380),
    ]));
    assert_eq!(expected.len(), usize::try_from(table).unwrap());
    expected.extend(listed(&entry(0.05, 32.5, first, 4)));
    expected.extend(listed(&entry(0.1, 2.5, second, 3)));
    expected.extend(listed(&entry(0.05, 32.5, first, 4)));
    expected.extend(listed(&[
        Word(88),
        Float(9.0),
        Float(40.0),
        Float(5.0),
        Float(50.0),
        Float(55.0),
        Float(3.5),
        Float(35.0),
        Float(3.25),
        Float(3.75),
        Float(4.25),
        Float(201.0),
        Bytes(&[0x80, 3, 0xFF, 5]),
    ]));
    expected.extend(listed(&entry(0.1, 2.5, second, 3)));
    expected.extend(listed(&[
        Word(87),
        Float(19.0),
        Float(90.0),
        Float(10.0),
        Float(100.0),
        Float(105.0),
        Float(8.5),
        Float(85.0),
        Float(8.25),
        Float(8.75),
        Float(9.25),
        Float(202.0),
        Bytes(&[0x80, 7, 0x40]),
    ]));
    assert_eq!(bytes, expected);
}

/// Golden bytes of a `.cbddlp` file with two levels of grey: one stage, planes, a table for each plane.
#[test]
fn a_tiny_cbddlp_file_is_this() {
    let (mut job, drawn) = tiny();
    job.anti_aliasing = 2;
    let motion = LayerMotion {
        lift: Move { mm: 6.0, mm_per_min: 60.0 },
        lift_second: Move { mm: 0.0, mm_per_min: 0.0 },
        retract: Move { mm: 6.0, mm_per_min: 120.0 },
        retract_second: Move { mm: 0.0, mm_per_min: 0.0 },
        waits: Waits { before_lift_s: 0.0, after_lift_s: 0.0, after_retract_s: 1.5 },
    };
    job.separation = Separation::Lift { bottom: motion, normal: motion };
    let (bytes, outcome) = written_as_drawn(Format::Cbddlp, &job, &drawn);

    let table = 112 + 60 + 76 + 3;
    let data = table + 4 * 36;
    // Two levels: 129 is shown as 127.
    let volume_ml = (5.0 + 127.0 / 255.0) * 0.125 * 0.05 / 1000.0;
    // Without light for 9 s of moves and the rest of 1.5 s.
    let dark = 10.5;
    let mut expected = listed(&[
        Word(0x12FD_0019),
        Word(2),
        Float(2.0),
        Float(0.5),
        Float(12.5),
        Zeros(8),
        Float(0.1),
        Float(0.05),
        Float(2.5),
        Float(32.5),
        Float(dark),
        Word(1),
        Word(4),
        Word(2),
        Word(0),
        Word(table),
        Word(2),
        Word(0),
        Word(56),
        Word(1),
        Word(112),
        Word(60),
        Word(2),
        Bytes(&[202, 0, 201, 0]),
        Word(0),
        Word(172),
        Word(76),
    ]);
    #[expect(clippy::cast_possible_truncation, reason = "stored so")]
    let volume = Float(volume_ml as f32);
    expected.extend(listed(&[
        Float(6.0),
        Float(60.0),
        Float(6.0),
        Float(60.0),
        Float(120.0),
        volume,
        Float(0.0),
        Float(0.0),
        Float(dark),
        Float(dark),
        Word(1),
        Zeros(12),
        Word(0x1234),
        Zeros(28),
        Word(248),
        Word(3),
        Bytes(&[15, 0, 0, 0]),
        Word(1_709_251_199 / 60),
        Word(2),
        Word(0x0106_0300),
        Zeros(24),
        Bytes(b"M 9"),
    ]));
    let entry = |z: f32, exposure: f32, at: u32, length: u32| {
        listed(&[Float(z), Float(exposure), Float(dark), Word(at), Word(length), Word(0), Word(36), Zeros(8)])
    };
    // Layers lie with all their planes, the table goes plane by plane; the highest threshold is first.
    expected.extend(entry(0.05, 32.5, data, 2));
    expected.extend(entry(0.1, 2.5, data + 4, 1));
    expected.extend(entry(0.05, 32.5, data + 2, 2));
    expected.extend(entry(0.1, 2.5, data + 5, 2));
    expected.extend([0x03, 0x85, 0x03, 0x85, 0x08, 0x07, 0x81]);
    assert_eq!(bytes, expected);
    assert_eq!(opened(&bytes).layer(1).unwrap().runs, [run(0, 7), run(127, 1)]);
    let rounded = outcome.findings.iter().find(|finding| finding.code == "GREY_ROUNDED").unwrap();
    assert_eq!(rounded.severity, Severity::Warning);
    assert!(
        rounded.text.contains("3 grey levels; 1 pixels") && rounded.text.contains("by 2 of 255"),
        "{rounded}"
    );
}
