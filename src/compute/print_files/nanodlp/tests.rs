use serde_json::Value;

use crate::print_files::tests::{
    container_of, entry, job, picture_by_library, pixels_of, samples_by_library, written,
};
use crate::print_files::{Format, Limits, ReadError, open};

fn json(bytes: &[u8], name: &str) -> Value {
    serde_json::from_slice(&entry(bytes, name)).unwrap()
}

#[test]
fn the_texts_say_what_the_printer_has_to_know() {
    let (bytes, outcome) = written(Format::NanoDlp, &job());

    let [profile, options, plate] =
        ["profile.json", "options.json", "plate.json"].map(|name| json(&bytes, name));

    assert_eq!(json(&bytes, "slicer.json"), options);
    for (key, value) in [("CureTime", 2.5), ("SupportCureTime", 32.5), ("Depth", 50.0), ("WaitHeight", 19.0)]
    {
        assert_eq!(profile[key].as_f64(), Some(value), "{key}");
    }
    assert_eq!((&profile["SupportLayerNumber"], &profile["TransitionalLayer"]), (&1.into(), &4.into()));
    assert_eq!([&options["PWidth"], &options["PHeight"], &options["ImageMirror"]], [60, 40, 1]);
    assert_eq!((options["XPixelSize"].as_f64(), options["YRes"].as_f64()), (Some(0.05), Some(40.0)));
    assert_eq!(plate["LayersCount"], 10);
    let areas: f64 = json(&bytes, "info.json")
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["TotalSolidArea"].as_f64().unwrap())
        .sum();
    assert!((areas * 0.05 / 1000.0 - outcome.volume_ml).abs() < 1e-9);
}

#[test]
fn the_box_of_a_layer_is_that_of_its_lit_pixels() {
    let (bytes, _) = written(Format::NanoDlp, &job());
    let (pixels, _, _) = samples_by_library(&entry(&bytes, "5.png"));
    let lit = || pixels.iter().enumerate().filter(|(_, value)| **value > 0).map(|(place, _)| place);

    let info = &json(&bytes, "info.json")[4];

    let expected = [
        lit().map(|place| place % 60).min(),
        lit().map(|place| place % 60).max(),
        lit().map(|place| place / 60).min(),
        lit().map(|place| place / 60).max(),
    ];
    let stated =
        ["MinX", "MaxX", "MinY", "MaxY"].map(|key| info[key].as_u64().map(|n| usize::try_from(n).unwrap()));
    assert_eq!(stated, expected);
}

#[test]
fn packed_pictures_hold_three_pixels_in_red_green_and_blue() {
    for width in [60, 59, 58] {
        let mut packed = job();
        packed.display.width_px = width;
        packed.display.pitch_mm[0] = 3.0 / f64::from(width);
        let (bytes, _) = written(Format::NanoDlpRgb, &packed);
        let (plain, _) = written(Format::Zip, &packed);

        let (samples, colour, _) = samples_by_library(&entry(&bytes, "5.png"));
        let (pixels, _, _) = samples_by_library(&entry(&plain, "00005.png"));

        assert_eq!(colour, ::png::ColorType::Rgb);
        let row = usize::try_from(width.div_ceil(3) * 3).unwrap();
        let width = usize::try_from(width).unwrap();
        for (samples, pixels) in samples.chunks(row).zip(pixels.chunks(width)) {
            assert_eq!(&samples[..width], pixels);
            assert!(samples[width..].iter().all(|padding| *padding == 0));
        }
        let read = open(&bytes, &Limits::GENEROUS).unwrap();
        assert_eq!(read.facts().format, Format::NanoDlpRgb);
        assert_eq!(pixels_of(&read.layer(4).unwrap().runs), pixels);
    }
}

/// As the document has it: counted from 0, no slicer.json, hardly any key.
#[test]
fn a_plate_of_another_program_is_read() {
    let picture = picture_by_library(::png::ColorType::Grayscale, [4, 2], &[0, 9, 255, 0, 255, 255, 0, 1]);
    let texts: [(&str, &[u8]); 3] = [
        ("plate.json", br#"{"XRes":47.25,"YRes":47.25,"PrintTime":600}"#),
        ("profile.json", br#"{"CureTime":8,"Depth":50.0,"SupportLayerNumber":1,"SupportCureTime":40}"#),
        ("options.json", br#"{"PWidth":4,"PHeight":2}"#),
    ];
    let layers = [("0.png", &picture[..]), ("1.png", &picture[..])];

    let bytes = container_of(&[&texts[..], &layers[..]].concat());
    let file = open(&bytes, &Limits::GENEROUS).unwrap();

    assert_eq!((file.facts().format, file.layer_count()), (Format::NanoDlp, 2));
    assert_eq!(
        (file.facts().pixel_um, file.facts().layer_um, file.facts().print_s),
        ([47.25; 2], 50.0, 600.0)
    );
    assert_eq!(file.facts().layers.iter().map(|one| one.exposure_s).collect::<Vec<_>>(), [40.0, 8.0]);
    assert_eq!(pixels_of(&file.layer(1).unwrap().runs), [0, 9, 255, 0, 255, 255, 0, 1]);
}

#[test]
fn pictures_of_another_width_than_stated_are_refused() {
    let picture = picture_by_library(::png::ColorType::Grayscale, [4, 2], &[0; 8]);
    let bytes = container_of(&[
        ("plate.json", b"{}"),
        ("profile.json", br#"{"CureTime":8,"Depth":50}"#),
        ("slicer.json", br#"{"PWidth":12,"XPixelSize":0.05,"YPixelSize":0.05}"#),
        ("1.png", &picture),
    ]);

    let Err(ReadError::Damaged { reason, .. }) = open(&bytes, &Limits::GENEROUS) else {
        panic!("it was read")
    };

    assert_eq!(reason, "12 columns are stated, pictures have 4");
}
