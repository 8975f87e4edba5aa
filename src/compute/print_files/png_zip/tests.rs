use crate::print_files::tests::{container_of, entry, job, picture_by_library, pixels_of, written};
use crate::print_files::{Format, Limits, ReadError, Separation, open};

#[test]
fn the_manifest_names_each_picture() {
    let (bytes, outcome) = written(Format::Zip, &job());

    let manifest: serde_json::Value = serde_json::from_slice(&entry(&bytes, "manifest.json")).unwrap();

    assert_eq!(manifest["schema"], "sprue/png-stack/1");
    assert_eq!([&manifest["width_px"], &manifest["height_px"], &manifest["layer_um"]], [60, 40, 50]);
    assert_eq!(manifest["layers"][3]["file"], "00004.png");
    assert_eq!(manifest["layers"][3]["z_um"], 200.0);
    assert_eq!(manifest["layers"][3]["exposure_s"], 14.5);
    assert_eq!(manifest["volume_ml"], outcome.volume_ml);
}

const RUN: &str = ";fileName:ring\n;machineType:Phrozen\n;estimatedPrintTime:336\n;volume:0.5\n;resin:Castable\n\
    ;weight:0.6\n;price:0\n;layerHeight:0.05\n;resolutionX:4\n;resolutionY:2\n;machineX:0.2\n;machineY:0.1\n\
    ;machineZ:10\n;projectType:LCD_mirror\n;normalExposureTime:2\n;bottomLayerExposureTime:30\n\
    ;bottomLayerCount:1\n;totalLayer:3\n;antiAliasLevel:1\n\n;START_GCODE_BEGIN\nG21\nG90\nM106 S0\nG28 Z0\n\n\
    ;LAYER_START:0\nM6054 \"1.png\"\nG0 Z5.05 F100\nG0 Z0.05 F200\nG4 P1000\nM106 S200\nG4 P30000\nM106 S0\n\
    ;LAYER_START:1\nM6054 \"2.png\"\nG0 Z5.05 F100\nG0 Z0.1 F200\nG4 P1000\nM106 S255\nG4 P2000\nM106 S0\n\
    ;LAYER_START:2\nM6054 \"3.png\"\nG0 Z5.1 F100\nG0 Z0.15 F200\nG4 P1000\nM106 S255\nG4 P2000\nM106 S0\n\
    G1 Z10 F25\nM18\n";

#[test]
fn a_stack_with_run_gcode_is_read() {
    let pixels = [0, 7, 255, 0, 255, 255, 0, 1];
    let picture = picture_by_library(::png::ColorType::Grayscale, [4, 2], &pixels);
    let layers = ["1.png", "2.png", "3.png"].map(|name| (name, &picture[..]));

    let bytes = container_of(&[&[("run.gcode", RUN.as_bytes())][..], &layers[..]].concat());
    let file = open(&bytes, &Limits::GENEROUS).unwrap();

    assert_eq!((file.facts().format, file.facts().version.as_str()), (Format::Zip, "run.gcode"));
    assert_eq!((file.facts().pixel_um, file.facts().machine.as_str()), ([50.0; 2], "Phrozen"));
    let said: Vec<(f64, f64)> = file.facts().layers.iter().map(|one| (one.z_um, one.exposure_s)).collect();
    assert_eq!(said, [(50.0, 30.0), (100.0, 2.0), (150.0, 2.0)]);
    let told = file.job();
    let Separation::Lift { normal, .. } = told.job.separation else { panic!("it lifts") };
    assert_eq!((normal.lift.mm, normal.lift.mm_per_min, normal.retract.mm), (5.0, 100.0, 5.0));
    assert_eq!((told.job.light.bottom_pwm, told.job.light.pwm), (200, 255));
    assert_eq!(told.job.resin.density_g_per_ml, Some(1.2));
    assert_eq!(pixels_of(&file.layer(0).unwrap().runs), pixels);
}

#[test]
fn plain_numbered_pictures_are_read_and_say_so() {
    let picture = picture_by_library(::png::ColorType::Grayscale, [4, 2], &[0, 0, 255, 0, 0, 0, 0, 1]);
    let bytes = container_of(&[("slice0000.png", &picture), ("slice0001.png", &picture)]);

    let file = open(&bytes, &Limits::GENEROUS).unwrap();

    assert_eq!((file.facts().version.as_str(), file.layer_count()), ("plain", 2));
    assert_eq!(file.layer(1).unwrap().lit_px, 2);
    assert!(!file.job().job.heights.valid(), "no layer height is known");
}

#[test]
fn a_zip_without_layers_is_refused() {
    for entries in [&[("readme.txt", &b"nothing"[..])][..], &[("run.gcode", b"G28"), ("1.png", b"x")], &[]] {
        let bytes = container_of(entries);
        assert!(open(&bytes, &Limits::GENEROUS).is_err(), "{entries:?}");
        assert!(!matches!(open(&bytes, &Limits::GENEROUS), Err(ReadError::OverLimit { .. })));
    }
}
