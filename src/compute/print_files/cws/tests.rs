use crate::print_files::tests::{container_of, entry, job, picture_by_library, pixels_of, written};
use crate::print_files::{Format, Limits, Separation, open};
use crate::slice::Heights;
use crate::units::Microns;

#[test]
fn the_moves_of_a_layer_are_the_golden_text() {
    let (bytes, _) = written(Format::Cws, &job());

    let code = String::from_utf8(entry(&bytes, "ring.gcode")).unwrap();

    let second = code.split("\n\n").nth(2).unwrap();
    // Relative: 19 mm up, 18.95 down; rests before the lift, at the top and before the next cure.
    assert_eq!(
        second,
        ";<Slice> 1\nM106 S202\n;<Delay> 26500\nM106 S0\n;<Slice> Blank\n;<Delay> 8250\nG1 Z9 F90\n\
         G1 Z10 F100\n;<Delay> 8750\nG1 Z-10.5 F105\nG1 Z-8.45 F85\n;<Delay> 9250"
    );
    assert!(code.contains("\n;Number of Slices = 10\n"), "{code}");
    assert!(code.contains("\n;(Layer Thickness         = 0.05 mm )\n"), "{code}");
    assert!(code.ends_with("M18 ;Disable Motors\nM106 S0\nG1 Z12\n;<Completed>\n"), "{code}");
}

#[test]
fn the_platform_ends_each_layer_where_the_next_one_is() {
    let mut thick = job();
    thick.heights = Heights::uniform(Microns(100));
    let (bytes, _) = written(Format::Cws, &thick);
    let code = String::from_utf8(entry(&bytes, "ring.gcode")).unwrap();

    let mut z_mm = 0.0;
    let mut lit = Vec::new();
    for line in code.lines().take_while(|line| !line.starts_with("M18")) {
        if let Some(way) = line.strip_prefix("G1 Z") {
            z_mm += way.split(' ').next().unwrap().parse::<f64>().unwrap();
        }
        if line == "M106 S201" || line == "M106 S202" {
            lit.push((z_mm * 1000.0).round());
        }
    }

    assert_eq!(lit, [0.0, 100.0, 200.0, 300.0, 400.0]);
}

const OTHER: &str = "; other program\n;(****Build and Slicing Parameters****)\n;(Pix per mm X            = 0.047 )\n\
    ;(Pix per mm Y            = 0.050 )\n;(X Resolution            = 6 )\n;(Y Resolution            = 2 )\n\
    ;(Layer Thickness         = 0.050 mm )\n;(Layer Time              = 5500 ms )\n\
    ;(Bottom Layers Time      = 35000 ms )\n;(Number of Bottom Layers = 1 )\n;(Flip X                  = True )\n\
    ;(Number of Slices        = 3 )\n(****Machine Configuration ******)\n;(Platform X Size         = 115.20mm )\n\
    G28\nG21 ;Set units to be mm\nG91 ;Relative Positioning\nM17 ;Enable motors\n<Slice> Blank\nM106 S0\n\
    \n;<Slice> 0\nM106 S255\n;<Delay> 35000\nM106 S0\n;<Slice> Blank\nG1 Z5.000 F90\nG1 Z-4.950 F150\n\
    ;<Delay> 8000\n\n;<Slice> 1\nM106 S255\n;<Delay> 5500\nM106 S0\n;<Slice> Blank\nG1 Z5.000 F90\n\
    G1 Z-4.950 F150\n;<Delay> 8000\n\n;<Slice> 2\nM106 S255\n;<Delay> 5500\nM106 S0\n;<Slice> Blank\n\
    G1 Z5.000 F90\n\nM18 ;Disable Motors\nM106 S0\nG1 Z80\n;<Completed>\n";

/// Three mask pixels in the blue, green and red of one; and with RGBA pictures of full width.
#[test]
fn files_of_other_programs_are_read() {
    let pixels = [1, 2, 3, 0, 0, 255, 0, 0, 0, 4, 5, 6];
    let packed: Vec<u8> = pixels.chunks(3).flat_map(|three| [three[2], three[1], three[0]]).collect();
    let spread: Vec<u8> = pixels.iter().flat_map(|&value| [value, value, value, 255]).collect();
    for picture in [
        picture_by_library(::png::ColorType::Rgb, [2, 2], &packed),
        picture_by_library(::png::ColorType::Rgba, [6, 2], &spread),
        picture_by_library(::png::ColorType::Grayscale, [6, 2], &pixels),
    ] {
        let bytes = container_of(&[
            ("plate.gcode", OTHER.as_bytes()),
            ("plate0000.png", &picture),
            ("plate0001.png", &picture),
            ("plate0002.png", &picture),
        ]);

        let file = open(&bytes, &Limits::GENEROUS).unwrap();

        assert_eq!((file.facts().format, file.facts().resolution_px), (Format::Cws, [6, 2]));
        assert_eq!((file.facts().pixel_um, file.facts().layer_um), ([47.0, 50.0], 50.0));
        let said: Vec<(f64, f64)> =
            file.facts().layers.iter().map(|one| (one.z_um, one.exposure_s)).collect();
        assert_eq!(said, [(50.0, 35.0), (100.0, 5.5), (150.0, 5.5)]);
        assert_eq!(pixels_of(&file.layer(2).unwrap().runs), pixels);
        let Separation::Lift { normal, .. } = file.job().job.separation else { panic!("it lifts") };
        let rest_s = normal.waits.after_retract_s;
        assert_eq!(
            (normal.lift.mm, normal.retract.mm, normal.retract.mm_per_min, rest_s),
            (5.0, 5.0, 150.0, 8.0)
        );
    }
}
