//! A job with another number in every field, a plate to print, and what all formats promise.

use std::io::{Cursor, Read, Write};
use std::sync::atomic::AtomicBool;

use super::told::field;
use super::*;
use crate::slice::tests::{solids, unwatched};
use crate::slice::{HeightRange, Heights, Orientation, Part, Plate, Sampling, Settings};
use crate::units::Microns;

/// A small display: damaged files are tried byte by byte.
pub(crate) fn display() -> Display {
    Display {
        width_px: 60,
        height_px: 40,
        pitch_mm: [0.05, 0.04],
        orientation: Orientation::Landscape,
        mirror_x: true,
        mirror_y: false,
    }
}

pub(crate) fn job() -> Job {
    let stage = |mm: f64| Move { mm, mm_per_min: mm * 10.0 };
    let motion = |base: f64| LayerMotion {
        lift: stage(base + 1.0),
        lift_second: stage(base + 2.0),
        retract: stage(base + 2.5),
        retract_second: stage(base + 0.5),
        waits: Waits { before_lift_s: base + 0.25, after_lift_s: base + 0.75, after_retract_s: base + 1.25 },
    };
    Job {
        machine: Machine {
            name: "Machine 9".to_owned(),
            kind: "MSLA".to_owned(),
            build_mm: [3.0, 1.6, 12.5],
        },
        display: display(),
        heights: Heights::uniform(Microns(50)),
        exposure: Exposure {
            normal_s: 2.5,
            bottom_s: 32.5,
            bottom_layers: 1,
            transition_layers: 4,
            ranges: Vec::new(),
        },
        separation: Separation::Lift { bottom: motion(3.0), normal: motion(8.0) },
        light: Light { bottom_pwm: 201, pwm: 202 },
        anti_aliasing: 8,
        resin: Resin {
            name: "Castable".to_owned(),
            density_g_per_ml: Some(1.5),
            price_per_ml: Some(0.25),
            currency: "EUR".to_owned(),
        },
        origin: Origin {
            software: "sprue".to_owned(),
            version: "1.2.3".to_owned(),
            written_at_s: 1_709_251_199,
        },
        sl1: Some(Sl1Names {
            job: "ring".to_owned(),
            printer_model: "SL1S".to_owned(),
            printer_variant: "default".to_owned(),
            printer_profile: "SL1S SPEED".to_owned(),
            print_profile: "0.05 Normal".to_owned(),
            user_profile: 1,
        }),
    }
}

/// The job as far as a format can hold it: some know square pixels only, some have no second stage of a lift.
pub(crate) fn job_for(format: Format) -> Job {
    let mut job = job();
    if let Format::Anycubic(_, AnycubicVersion::V1 | AnycubicVersion::V515) = format {
        job.display.pitch_mm = [0.05; 2];
        job.machine.build_mm[1] = 2.0;
    }
    match format {
        Format::Goo
        | Format::Sl1
        | Format::Sl1s
        | Format::NanoDlp
        | Format::NanoDlpRgb
        | Format::Cws
        | Format::Zip
        | Format::Raster => job,
        Format::Ctb(_) | Format::Cbddlp | Format::Photon => ctb::held(&job, format),
        Format::Anycubic(ending, version) => pwmx::held(&job, ending, version),
    }
}

/// Writes a small ring band standing on the plate and gives file and outcome.
pub(crate) fn written(format: Format, job: &Job) -> (Vec<u8>, Written) {
    tried(format, job).expect("a file")
}

/// As `written`, where the job may be refused.
pub(crate) fn tried(format: Format, job: &Job) -> Result<(Vec<u8>, Written), WriteError> {
    let mesh = solids::moved(&solids::torus(0.5, 0.25, 40, 16), [1.5, 0.8, 0.0]);
    let parts = [Part { name: "ring", mesh: &mesh, offset_mm: [0.0; 3] }];
    let settings = Settings {
        display: job.display,
        height_max_mm: 12.5,
        heights: job.heights.clone(),
        sampling: Sampling::Coverage,
    };
    let Ok(plate) = Plate::prepare(&parts, settings) else { panic!("the ring fits") };
    let previews: Vec<_> =
        format.preview_sizes().iter().map(|&(w, h)| crate::preview::draw(&parts, w, h)).collect();
    let cancel = AtomicBool::new(false);
    let mut out = Cursor::new(Vec::new());
    let outcome = write(format, job, &plate, &previews, &mut out, unwatched(&cancel))?;
    Ok((out.into_inner(), outcome))
}

#[test]
fn a_written_file_shows_what_was_sliced() {
    for format in Format::ALL {
        let (bytes, outcome) = written(format, &job_for(format));
        let cancel = AtomicBool::new(false);

        let compared = check_read_back(&bytes, &outcome.digests, &Limits::GENEROUS, unwatched(&cancel));

        assert_eq!(compared, Ok(()), "{format:?}");
        assert_eq!(outcome.layers, 10);
        assert_eq!(outcome.bytes, u64::try_from(bytes.len()).unwrap());
    }
}

#[test]
fn read_back_names_the_layer_that_differs() {
    let (bytes, mut outcome) = written(Format::Goo, &job());
    let cancel = AtomicBool::new(false);
    outcome.digests[7] ^= 1;

    let compared = check_read_back(&bytes, &outcome.digests, &Limits::GENEROUS, unwatched(&cancel));

    let expected = Difference::Picture { index: 7 };
    assert_eq!(compared, Err(ReadBackError::Decode(StreamError::Deliver(expected))));
}

#[test]
fn an_inspection_says_what_was_asked_for() {
    for format in Format::ALL {
        let (bytes, outcome) = written(format, &job_for(format));
        let cancel = AtomicBool::new(false);
        let file = open(&bytes, &Limits::GENEROUS).unwrap();

        let inspection = inspect(file.as_ref(), unwatched(&cancel)).unwrap();

        let Facts { resolution_px, pixel_um, layer_um, volume_ml, print_s, .. } = inspection.facts;
        let pitch_um = job_for(format).display.pitch_mm.map(|mm| mm * 1000.0);
        assert_eq!((resolution_px, pixel_um, layer_um), ([60, 40], pitch_um, 50.0), "{format:?}");
        assert!((volume_ml - outcome.volume_ml).abs() < 1e-6, "{format:?}");
        assert!((print_s - outcome.print_s).abs() < 0.51, "{format:?}");
        let sum_mm3: f64 = inspection.layers.iter().map(|layer| layer.area_mm2 * 0.05).sum();
        assert!((sum_mm3 / 1000.0 - outcome.volume_ml).abs() < 1e-9);
        let exposures: Vec<f64> = inspection.layers.iter().map(|layer| layer.exposure_s).collect();
        assert_eq!(exposures[..7], [32.5, 26.5, 20.5, 14.5, 8.5, 2.5, 2.5]);
        let heights: Vec<f64> = inspection.layers.iter().map(|layer| layer.z_um).collect();
        assert_eq!(heights[..3], [50.0, 100.0, 150.0]);
    }
}

#[test]
fn a_file_tells_all_of_its_job_or_names_what_it_does_not() {
    for format in Format::ALL {
        let (bytes, _) = written(format, &job_for(format));
        let Told { job: told, untold } = open(&bytes, &Limits::GENEROUS).unwrap().job();

        let mut expected = job_for(format);
        let silent = |name: &str| untold.contains(&name);
        if silent(field::BUILD_HEIGHT) {
            expected.machine.build_mm[2] = 0.0;
        }
        let sizes = |told: &Job| told.machine.build_mm.map(|mm| format!("{mm:.4}"));
        assert_eq!(sizes(&told), sizes(&expected), "{format:?}");
        expected.machine.build_mm = told.machine.build_mm;
        if silent(field::MACHINE) {
            expected.machine.name = told.machine.name.clone();
        }
        if silent(field::KIND) {
            expected.machine.kind = String::new();
        }
        if silent(field::SEPARATION) {
            expected.separation = Separation::Untold;
        }
        if silent(field::LIGHT) {
            expected.light = Light { bottom_pwm: 255, pwm: 255 };
        }
        if silent(field::ANTI_ALIASING) {
            expected.anti_aliasing = 1;
        }
        if silent(field::DENSITY) {
            expected.resin.density_g_per_ml = None;
        }
        if silent(field::PRICE) {
            (expected.resin.price_per_ml, expected.resin.currency) = (None, String::new());
        }
        if silent(field::CURRENCY) {
            expected.resin.currency = String::new();
        }
        if silent(field::RESIN) {
            expected.resin.name = String::new();
        }
        if silent(field::SOFTWARE) {
            (expected.origin.software, expected.origin.version) = (String::new(), String::new());
        }
        if silent(field::WRITTEN_AT) {
            expected.origin.written_at_s = 0;
        } else if format.preview_sizes() == ctb::PREVIEW_SIZES {
            expected.origin.written_at_s -= 59; // whole minutes
        }
        if silent(field::SL1_NAMES) {
            expected.sl1 = None;
        }
        if format.extension().starts_with("sl1") {
            // These printers are known by their model.
            expected.machine.name = expected.sl1.as_ref().unwrap().printer_model.clone();
        }
        assert_eq!(told, expected, "{format:?}: silent about {untold:?}");
    }
}

#[test]
fn what_each_format_is_silent_about_is_known() {
    let silent = |format: Format| {
        let (bytes, _) = written(format, &job());
        open(&bytes, &Limits::GENEROUS).unwrap().job().untold.len()
    };

    let counts: Vec<(Format, usize)> =
        Format::ALL.into_iter().map(|format| (format, silent(format))).collect();
    let (anycubic, others): (Vec<_>, Vec<_>) =
        counts.into_iter().partition(|(format, _)| matches!(format, Format::Anycubic(..)));

    for (format, count) in anycubic {
        let version = if let Format::Anycubic(_, version) = format { version } else { AnycubicVersion::V1 };
        let expected = match version {
            AnycubicVersion::V1 | AnycubicVersion::V515 => 8,
            AnycubicVersion::V516 => 6,
            AnycubicVersion::V517 => 5,
        };
        assert_eq!(count, expected, "{format:?}");
    }
    assert_eq!(
        others,
        [
            (Format::Goo, 1),
            (Format::Sl1, 6),
            (Format::Sl1s, 6),
            (Format::NanoDlp, 9),
            (Format::NanoDlpRgb, 9),
            (Format::Cws, 3),
            (Format::Zip, 0),
            (Format::Raster, 0),
            (Format::Ctb(CtbVersion::V2), 5),
            (Format::Ctb(CtbVersion::V3), 5),
            (Format::Ctb(CtbVersion::V4), 5),
            (Format::Ctb(CtbVersion::V5), 4),
            (Format::Cbddlp, 5),
            (Format::Photon, 5),
        ]
    );
}

#[test]
fn a_file_name_asks_for_a_format() {
    for (name, format) in [
        ("ring.goo", Some(Format::Goo)),
        ("RING.SL1", Some(Format::Sl1)),
        ("a.sl1s", Some(Format::Sl1s)),
        ("a.b.nanodlp", Some(Format::NanoDlp)),
        ("a.zip", Some(Format::Zip)),
        ("a.raster.zip", Some(Format::Raster)),
        ("a.ctb", Some(Format::Ctb(CtbVersion::V2))),
        ("a.pwmo", Some(Format::Anycubic(AnycubicEnding::Pwmo, AnycubicVersion::V1))),
        ("a.pm5", Some(Format::Anycubic(AnycubicEnding::Pm5, AnycubicVersion::V517))),
        ("sl1", None),
        ("a.stl", None),
    ] {
        assert_eq!(Format::of_file_name(name), format, "{name}");
    }
}

#[test]
fn a_file_of_any_format_cut_anywhere_is_refused() {
    let mut small = job();
    small.heights = Heights::uniform(Microns(250));
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Goo) {
        let (bytes, _) = written(format, &small);
        assert!(try_all(&bytes), "{format:?}");
        for cut in (0..bytes.len()).step_by(7).chain(bytes.len() - 30..bytes.len()) {
            assert!(!try_all(&bytes[..cut]), "{format:?}: cut at {cut}");
        }
    }
}

#[test]
fn previews_come_back() {
    for format in Format::ALL {
        let (bytes, _) = written(format, &job_for(format));

        let pictures = open(&bytes, &Limits::GENEROUS).unwrap().previews();

        let sizes: Vec<(u32, u32)> = pictures.iter().map(|one| (one.width_px, one.height_px)).collect();
        assert_eq!(sizes, format.preview_sizes(), "{format:?}");
        for picture in pictures {
            let sum = |[red, green, blue]: &[u8; 3]| u32::from(*red) + u32::from(*green) + u32::from(*blue);
            let bright = picture.rgb.iter().filter(|colour| sum(colour) > 300).count();
            assert!(bright * 20 > picture.rgb.len(), "{format:?}: the ring is bright");
            assert!(sum(&picture.rgb[0]) < 120, "{format:?}: the corner is dark");
        }
    }
}

#[test]
fn layers_of_several_thicknesses_and_their_exposures_come_back() {
    let mut stepped = job();
    let range = |from: i32, layer: i32| HeightRange { from: Microns(from), layer: Microns(layer) };
    stepped.heights = Heights::with_ranges(Microns(50), &[range(300, 25), range(400, 40)]).unwrap();
    stepped.exposure.ranges = vec![
        ExposureRange { from: Microns(300), exposure_s: 1.5 },
        ExposureRange { from: Microns(400), exposure_s: 2.25 },
    ];

    // The others say in what they write that they hold one height for all layers.
    let holds = |format: &Format| {
        matches!(
            format,
            Format::Goo | Format::Ctb(_) | Format::Cbddlp | Format::Photon | Format::Anycubic(..)
        )
    };
    for format in Format::ALL.into_iter().filter(holds) {
        let stepped =
            Job { heights: stepped.heights.clone(), exposure: stepped.exposure.clone(), ..job_for(format) };
        let (bytes, _) = written(format, &stepped);

        let told = open(&bytes, &Limits::GENEROUS).unwrap().job();

        assert_eq!(told.job.heights, stepped.heights, "{format:?}");
        assert_eq!(told.job.exposure, stepped.exposure, "{format:?}");
        let own = [field::HEIGHTS, field::EXPOSURES, field::LAYER_MOTION];
        assert!(own.iter().all(|name| !told.untold.contains(name)), "{format:?}: {:?}", told.untold);
    }
}

#[test]
fn the_json_of_an_inspection_has_the_agreed_keys() {
    let (bytes, _) = written(Format::Goo, &job());
    let cancel = AtomicBool::new(false);
    let file = open(&bytes, &Limits::GENEROUS).unwrap();

    let json = serde_json::to_value(inspect(file.as_ref(), unwatched(&cancel)).unwrap()).unwrap();

    for key in ["format", "version", "resolution_px", "pixel_um", "layers", "volume_ml", "print_s"] {
        assert!(json.get(key).is_some(), "{key}");
    }
    let layer = &json["layers"][3];
    for key in ["index", "z_um", "exposure_s", "lit_px", "area_mm2"] {
        assert!(layer.get(key).is_some(), "{key}");
    }
    assert_eq!(json["format"], "goo");
    assert_eq!(layer["index"], 3);
}

#[test]
fn print_time_is_exposure_moves_and_rests() {
    let (_, outcome) = written(Format::Goo, &job());

    // Each stage takes 6 s (way / (way x 10 per minute)), four stages; rests 3 x base + 2.25.
    let exposures = 32.5 + 26.5 + 20.5 + 14.5 + 8.5 + 5.0 * 2.5;
    let moves = 10.0 * 24.0 + (9.0 + 2.25) + 9.0 * (24.0 + 2.25);
    assert!((outcome.print_s - exposures - moves).abs() < 1e-9, "{}", outcome.print_s);
}

#[test]
fn the_same_job_gives_the_same_bytes_on_any_number_of_threads() {
    for format in Format::ALL {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| written(format, &job_for(format)).0)
        };
        assert_eq!(on(1), on(5), "{format:?}");
    }
}

#[test]
fn a_file_of_another_format_or_over_the_limits_is_refused() {
    assert!(matches!(open(b"solid ring", &Limits::GENEROUS), Err(ReadError::UnknownFormat)));
    assert!(matches!(open(b"", &Limits::GENEROUS), Err(ReadError::UnknownFormat)));
    assert_eq!(Format::Goo.name(), serde_json::to_value(Format::Goo).unwrap());
    assert!(Format::ALL.iter().all(|format| serde_json::to_value(format).unwrap() == format.name()));
    for format in Format::ALL {
        let (bytes, _) = written(format, &job_for(format));
        let few_pixels = Limits { pixels_max: 2399, ..Limits::GENEROUS };
        let few_layers = Limits { layers_max: 9, ..Limits::GENEROUS };
        assert!(open(&bytes, &Limits { pixels_max: 2400, layers_max: 10, ..Limits::GENEROUS }).is_ok());
        assert!(matches!(open(&bytes, &few_pixels), Err(ReadError::OverLimit { .. })), "{format:?}");
        assert!(matches!(open(&bytes, &few_layers), Err(ReadError::OverLimit { .. })), "{format:?}");
    }
}

/// One entry of a container, unpacked by the library.
pub(crate) fn entry(bytes: &[u8], name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut content = Vec::new();
    archive.by_name(name).unwrap().read_to_end(&mut content).unwrap();
    content
}

/// A container of these entries.
pub(crate) fn container_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        out.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(content).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// A picture by the library: colour type, columns, rows, samples.
pub(crate) fn picture_by_library(colour: ::png::ColorType, size: [u32; 2], samples: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut out, size[0], size[1]);
    encoder.set_color(colour);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(samples).unwrap();
    out
}

/// Samples of a picture, its colour type and depth, by the library.
pub(crate) fn samples_by_library(bytes: &[u8]) -> (Vec<u8>, ::png::ColorType, ::png::BitDepth) {
    let mut reader = ::png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut samples).unwrap();
    (samples, reader.info().color_type, reader.info().bit_depth)
}

/// Pixels one by one.
pub(crate) fn pixels_of(runs: &[crate::slice::Run]) -> Vec<u8> {
    let spread =
        |run: &crate::slice::Run| std::iter::repeat_n(run.value, usize::try_from(run.length).unwrap());
    runs.iter().flat_map(spread).collect()
}

/// Opens a damaged file and decodes what it offers; the point is that this ends without a panic.
pub(crate) fn try_all(bytes: &[u8]) -> bool {
    let limits = Limits { pixels_max: 1 << 16, layers_max: 100, entry_bytes_max: 1 << 20 };
    let Ok(file) = open(bytes, &limits) else { return false };
    (0..file.layer_count()).all(|index| {
        file.layer(index).is_ok_and(|layer| {
            let pixels: u64 = layer.runs.iter().map(|run| u64::from(run.length)).sum();
            assert_eq!(pixels, file.display().pixels());
            true
        })
    })
}

/// Layers given as runs, for files small enough to be written out by hand.
#[derive(Clone)]
pub(crate) struct Drawn {
    pub(crate) display: Display,
    pub(crate) layers: Vec<Vec<crate::slice::Run>>,
}

impl LayerSource for Drawn {
    fn display(&self) -> Display {
        self.display
    }

    fn layer_count(&self) -> u32 {
        u32::try_from(self.layers.len()).unwrap()
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let count = self.layer_count();
        let place = usize::try_from(index).ok();
        let layer =
            place.and_then(|place| self.layers.get(place)).ok_or(LayerError::OutOfRange { index, count })?;
        let mut runs = crate::slice::RunList::new();
        layer.iter().for_each(|run| runs.push(run.value, run.length));
        Ok(runs.finish(index, self.display.pixel_mm2(), 0))
    }
}

/// Writes drawn layers without pictures of the plate.
pub(crate) fn written_as_drawn(format: Format, job: &Job, drawn: &Drawn) -> (Vec<u8>, Written) {
    let cancel = AtomicBool::new(false);
    let mut out = Cursor::new(Vec::new());
    let outcome = write(format, job, drawn, &[], &mut out, unwatched(&cancel)).expect("a file");
    (out.into_inner(), outcome)
}

/// A part of a file, as a specification lists it.
pub(crate) enum Field {
    Word(u32),
    Float(f32),
    Bytes(&'static [u8]),
    Zeros(usize),
}

/// The little-endian bytes of a list of fields.
pub(crate) fn listed(fields: &[Field]) -> Vec<u8> {
    let bytes = |field: &Field| match field {
        Field::Word(word) => word.to_le_bytes().to_vec(),
        Field::Float(value) => value.to_le_bytes().to_vec(),
        Field::Bytes(bytes) => bytes.to_vec(),
        Field::Zeros(count) => vec![0; *count],
    };
    fields.iter().flat_map(bytes).collect()
}

/// Every word of the first `head` bytes set to what hurts a reader that trusts: none may panic.
pub(crate) fn assail(bytes: &[u8], head: usize) {
    let length = u32::try_from(bytes.len()).unwrap();
    for at in 0..head.min(bytes.len() - 4) {
        for value in [0, 1, length - 1, length, length + 1, 0x7FC0_0000, 0x8000_0000, u32::MAX] {
            let mut damaged = bytes.to_vec();
            damaged[at..at + 4].copy_from_slice(&value.to_le_bytes());
            try_all(&damaged);
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]
    #[test]
    fn any_layers_in_any_format_come_back_as_the_writer_said(
        seed in proptest::collection::vec((proptest::prelude::any::<u8>(), 1..400_u32), 1..40),
        layers in 1..5_u32,
    ) {
        let drawn = drawn(&seed, layers);
        for format in Format::ALL {
            let job = job_for(format);
            let (bytes, outcome) = written_as_drawn(format, &job, &Drawn { display: job.display, ..drawn.clone() });
            let cancel = AtomicBool::new(false);
            let compared = check_read_back(&bytes, &outcome.digests, &Limits::GENEROUS, unwatched(&cancel));
            proptest::prop_assert_eq!(compared, Ok(()), "{:?}", format);
            // Nothing is rounded without a word.
            let given: Vec<u64> = (0..layers).map(|index| drawn.layer(index).unwrap().digest()).collect();
            let said = outcome.findings.iter().any(|finding| finding.code == "GREY_ROUNDED");
            // One bit is no grey at all; that is said in another way.
            proptest::prop_assert!(format.is_one_bit() || (given != outcome.digests) == said, "{:?}", format);
        }
    }
}

/// Layers of the small display, filled with the runs again and again.
fn drawn(runs: &[(u8, u32)], layers: u32) -> Drawn {
    let pixels = u32::try_from(display().pixels()).unwrap();
    let layer = |shift: u32| {
        let mut left = pixels;
        let mut layer = Vec::new();
        for &(value, length) in runs.iter().cycle() {
            let length = length.min(left);
            layer.push(crate::slice::Run { value: value.wrapping_add(shift.to_le_bytes()[0]), length });
            left -= length;
            if left == 0 {
                return layer;
            }
        }
        layer
    };
    Drawn { display: display(), layers: (0..layers).map(layer).collect() }
}
