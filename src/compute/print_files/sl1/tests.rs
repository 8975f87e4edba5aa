use std::io::{Cursor, Read, Write};

use proptest::prelude::*;

use crate::print_files::png::{self, Packing};
use crate::print_files::tests::{display, job, tried, try_all, written};
use crate::print_files::{ExposureRange, Format, Limits, ReadError, Separation, WriteError, open};
use crate::slice::{HeightRange, Heights, Orientation, RunList};
use crate::units::Microns;

fn entry(bytes: &[u8], name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut content = Vec::new();
    archive.by_name(name).unwrap().read_to_end(&mut content).unwrap();
    content
}

fn text(bytes: &[u8], name: &str) -> String {
    String::from_utf8(entry(bytes, name)).unwrap()
}

#[test]
fn the_settings_are_the_golden_text() {
    let (bytes, outcome) = written(Format::Sl1, &job());
    let volume = format!("{:.6}", outcome.volume_ml);
    let seconds = format!("{:.6}", outcome.print_s);

    let config = text(&bytes, "config.ini").replace(&volume, "VOLUME").replace(&seconds, "SECONDS");

    assert_eq!(config, include_str!("testdata/config.ini"));
    assert_eq!(text(&bytes, "prusaslicer.ini"), include_str!("testdata/prusaslicer.ini"));
}

#[test]
fn layers_and_thumbnails_have_the_names_and_sizes_that_readers_expect() {
    let (bytes, _) = written(Format::Sl1, &job());
    let names: Vec<String> =
        zip::ZipArchive::new(Cursor::new(&bytes[..])).unwrap().file_names().map(str::to_owned).collect();

    let layers = (0..10).map(|index| format!("ring{index:05}.png"));
    let others =
        ["thumbnail/thumbnail400x400.png", "thumbnail/thumbnail800x480.png", "config.ini", "prusaslicer.ini"];
    assert!(names.iter().cloned().eq(layers.chain(others.map(str::to_owned))), "{names:?}");
    assert_eq!(png::head_of(&entry(&bytes, "ring00003.png")).unwrap().size, [60, 40]);
    assert_eq!(png::head_of(&entry(&bytes, "thumbnail/thumbnail800x480.png")).unwrap().size, [800, 480]);
}

#[test]
#[expect(clippy::float_cmp, reason = "rounded to a thousandth of a micrometre")]
fn a_portrait_display_is_described_before_its_quarter_turn() {
    let mut turned = job();
    turned.display.orientation = Orientation::Portrait;
    turned.display.pitch_mm = [0.06, 0.08];
    let (bytes, _) = written(Format::Sl1, &turned);

    let settings = text(&bytes, "prusaslicer.ini");
    let read = open(&bytes, &Limits::GENEROUS).unwrap();

    for line in [
        "display_orientation = portrait",
        "display_pixels_x = 40",
        "display_pixels_y = 60",
        "display_width = 3.2",
        "display_height = 3.6",
    ] {
        assert!(settings.contains(line), "{line}\n{settings}");
    }
    assert_eq!(read.facts().resolution_px, [60, 40]);
    assert_eq!(read.facts().pixel_um, [60.0, 80.0]);
}

#[test]
fn a_tilting_printer_gets_slow_and_fast_layers() {
    let mut tilting = job();
    tilting.separation = Separation::Tilt { fast_s: 5.0, slow_s: 8.0, slow_from_fill: 0.3 };
    let (bytes, outcome) = written(Format::Sl1, &tilting);

    let config = text(&bytes, "config.ini");

    // 4 pi R sqrt(r^2 - (z - r)^2) over 3.0 x 1.6 mm is above 0.3 for the four middle layers.
    assert!(config.contains("numFast = 6\n") && config.contains("numSlow = 4\n"), "{config}");
    let exposures = 32.5 + 26.5 + 20.5 + 14.5 + 8.5 + 5.0 * 2.5;
    assert!((outcome.print_s - exposures - 6.0 * 5.0 - 4.0 * 8.0).abs() < 1e-9);
    assert!(outcome.findings.is_empty());
}

#[test]
fn a_picture_is_what_an_independent_decoder_reads() {
    let mut list = RunList::new();
    for (value, length) in [(0, 61), (9, 1), (255, 120), (8, 2), (0, 600), (77, 60), (255, 1556)] {
        list.push(value, length);
    }
    let layer = list.clone().finish(0, 1.0, 0);
    let bytes = crate::print_files::png_of(&layer, &display());

    let mut reader = ::png::Decoder::new(Cursor::new(&bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();

    let expected: Vec<u8> = list
        .runs()
        .iter()
        .flat_map(|run| std::iter::repeat_n(run.value, usize::try_from(run.length).unwrap()))
        .collect();
    assert_eq!(pixels, expected);
}

proptest! {
    #[test]
    fn any_picture_reads_back(width in 1_u32..90, height in 1_u32..40, seeds in prop::collection::vec((any::<u8>(), 1_u32..400), 1..60)) {
        let mut list = RunList::new();
        let pixels = width * height;
        let mut left = pixels;
        for (value, length) in seeds.into_iter().chain([(0, pixels)]) {
            // Dark and full are what layers are made of.
            let value = match value % 3 { 0 => 0, 1 => 255, _ => value };
            list.push(value, length.min(left));
            left -= length.min(left);
        }
        let bytes = png::encode(list.runs(), width, height);
        let read = png::decode(&bytes, [width, height], Packing::Plain).unwrap();
        prop_assert_eq!(read.runs(), list.runs());
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let mut small = job();
    small.heights = Heights::uniform(Microns(250));
    let (bytes, _) = written(Format::Sl1, &small);
    assert!(try_all(&bytes));
    for cut in 0..bytes.len() {
        assert!(!try_all(&bytes[..cut]), "cut at {cut}");
    }
}

#[test]
fn hostile_containers_are_refused() {
    let (bytes, _) = written(Format::Sl1, &job());
    // Every field of the directory and of the local headers, by its place in the file.
    let records = bytes.windows(4).enumerate().filter(|(_, four)| four.starts_with(b"PK"));
    let length = u32::try_from(bytes.len()).unwrap();
    for (record, _) in records {
        for field in 1..12 {
            let at = record + 2 + field * 2;
            for value in [0, 1, length, u32::MAX] {
                let mut damaged = bytes.clone();
                if at + 4 <= damaged.len() {
                    damaged[at..at + 4].copy_from_slice(&value.to_le_bytes());
                    try_all(&damaged);
                }
            }
        }
    }
}

/// Rebuilds a file with one entry exchanged or left out.
fn with_entry(bytes: &[u8], changed: &str, content: Option<&[u8]>) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut old = archive.by_index(index).unwrap();
        let name = old.name().to_owned();
        let mut own = Vec::new();
        old.read_to_end(&mut own).unwrap();
        let chosen = if name == changed { content } else { Some(&own[..]) };
        if let Some(chosen) = chosen {
            out.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            out.write_all(chosen).unwrap();
        }
    }
    out.finish().unwrap().into_inner()
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let (bytes, _) = written(Format::Sl1, &job());
    let refusal = |name: &str, content: Option<&[u8]>| match open(
        &with_entry(&bytes, name, content),
        &Limits::GENEROUS,
    ) {
        Err(ReadError::Damaged { reason, .. }) => reason,
        Err(other) => other.to_string(),
        Ok(file) => (0..file.layer_count()).find_map(|i| file.layer(i).err()).unwrap().to_string(),
    };
    let config = text(&bytes, "config.ini");

    assert_eq!(refusal("config.ini", None), "it holds no config.ini");
    assert_eq!(refusal("ring00003.png", None), "9 layers in a row are in the file, 10 are stated");
    assert!(
        refusal("config.ini", Some(config.replace("expTime = 2.5", "expTime = NaN").as_bytes()))
            .contains("expTime in config.ini is not a number")
    );
    assert!(refusal("ring00000.png", Some(b"not a picture")).contains("not a PNG"));
    assert!(refusal("ring00004.png", Some(b"not a picture")).starts_with("layer 4 can't be read"));
    let other_size = png::encode(&[crate::slice::Run { value: 0, length: 4 }], 2, 2);
    assert!(refusal("ring00004.png", Some(&other_size)).contains("not 60 x 40"));
}

#[test]
fn an_entry_that_unpacks_to_more_than_the_limit_is_refused() {
    let (bytes, _) = written(Format::Sl1, &job());
    let bomb = with_entry(&bytes, "ring00004.png", Some(&vec![0; 1 << 20]));
    let limits = Limits { entry_bytes_max: 1 << 16, ..Limits::GENEROUS };

    let file = open(&bomb, &limits).unwrap();

    assert!(file.layer(3).is_ok());
    assert!(file.layer(4).unwrap_err().to_string().contains("larger than the limit"));
}

#[test]
fn layers_that_differ_are_refused_because_the_printer_would_not_know() {
    let mut ranged = job();
    ranged.exposure.ranges = vec![ExposureRange { from: Microns(300), exposure_s: 4.0 }];
    let mut thinner = job();
    let range = HeightRange { from: Microns(200), layer: Microns(25) };
    thinner.heights = Heights::with_ranges(Microns(50), &[range]).unwrap();

    for job in [ranged, thinner] {
        let refused = tried(Format::Sl1, &job).unwrap_err();
        assert!(matches!(refused, WriteError::Missing { format: Format::Sl1, .. }), "{refused}");
    }
}
