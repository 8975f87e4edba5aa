//! From profiles to what the slicer and the writers of print files take.

use sprue_compute::print_files;
use sprue_compute::slice::{Bloom, Display, Foot, Grey, Offsets, Orientation, Shaping};

use crate::finding::Finding;
use crate::shop::profile::correction::{Correction, Rest};
use crate::shop::profile::printer::{self, Lift, Motion, ResinPrinter};
use crate::units::Microns;

/// The profile counts pixels as the plate is seen; a portrait picture has its quarter turn behind it.
pub(super) fn display(resin: &ResinPrinter) -> Display {
    let display = &resin.display;
    let (seen_px, seen_mm) =
        ([display.width_px, display.height_px], [display.pixel_x_um / 1000.0, display.pixel_y_um / 1000.0]);
    let (orientation, [columns, rows]) = match display.orientation {
        printer::Orientation::Landscape => (Orientation::Landscape, [0, 1]),
        printer::Orientation::Portrait => (Orientation::Portrait, [1, 0]),
    };
    Display {
        width_px: seen_px[columns],
        height_px: seen_px[rows],
        pitch_mm: [seen_mm[columns], seen_mm[rows]],
        orientation,
        mirror_x: display.mirror_x,
        mirror_y: display.mirror_y,
    }
}

pub(super) fn separation(motion: &Motion, correction: Option<&Correction>) -> print_files::Separation {
    match motion {
        Motion::Lift(lift) => print_files::Separation::Lift {
            bottom: layer_motion(&lift.bottom, correction),
            normal: layer_motion(&lift.normal, correction),
        },
        Motion::Tilt(tilt) => print_files::Separation::Tilt {
            fast_s: tilt.fast_s,
            slow_s: tilt.slow_s,
            slow_from_fill: tilt.area_fill_percent / 100.0,
        },
    }
}

/// The printer's moves with the rests of the material; the last rest is drawn out to the time without light.
fn layer_motion(lift: &Lift, correction: Option<&Correction>) -> print_files::LayerMotion {
    let step = |mm, mm_per_min| print_files::Move { mm, mm_per_min };
    let mut motion = print_files::LayerMotion {
        lift: step(lift.lift_mm, lift.lift_mm_per_min),
        lift_second: step(lift.lift2_mm, lift.lift2_mm_per_min),
        retract: step(lift.retract_mm, lift.retract_mm_per_min),
        retract_second: step(lift.retract2_mm, lift.retract2_mm_per_min),
        waits: print_files::Waits {
            before_lift_s: lift.wait_before_lift_s,
            after_lift_s: lift.wait_after_lift_s,
            after_retract_s: lift.wait_after_retract_s,
        },
    };
    let Some(correction) = correction else { return motion };
    if let Some(Rest { before_lift_s, after_lift_s, after_retract_s }) = correction.rest {
        motion.waits = print_files::Waits { before_lift_s, after_lift_s, after_retract_s };
    }
    if let Some(light_off_s) = correction.light_off_s {
        motion.waits.after_retract_s += (light_off_s - motion.seconds()).max(0.0);
    }
    motion
}

pub(super) fn exposure_ranges(correction: Option<&Correction>) -> Vec<print_files::ExposureRange> {
    let ranges = correction.map_or(&[][..], |correction| &correction.range);
    ranges
        .iter()
        .map(|range| print_files::ExposureRange { from: range.from_um, exposure_s: range.exposure_s })
        .collect()
}

/// What is done to sections and greys, as the slicer takes it.
pub(super) fn shaping_of(correction: Option<&Correction>) -> Result<Shaping, Finding> {
    let Some(correction) = correction else { return Ok(Shaping::NONE) };
    let points: Vec<(u8, u8)> = correction.grey.iter().map(|point| (point.coverage, point.value)).collect();
    let grey = if points.is_empty() { None } else { Some(Grey::through(&points)) };
    let grey =
        grey.transpose().map_err(|failure| Finding::error("GREY_CURVE", "settings", failure.to_string()))?;
    let foot = correction.elephant_foot;
    Ok(Shaping {
        offsets: Offsets {
            xy: correction.xy.unwrap_or(Microns(0)),
            foot: foot.map(|foot| Foot { inward: foot.inward_um, layers: foot.layers }),
            thinnest: correction.thinnest.unwrap_or(Microns(0)),
        },
        bloom: correction.bloom.map(|bloom| Bloom { margin: bloom.margin_um, grey: bloom.grey }),
        grey,
    })
}

/// What was measured for a material and this printer's files have no place for.
pub(super) fn not_held(
    printer: &str,
    resin: &ResinPrinter,
    correction: Option<&Correction>,
) -> Option<Finding> {
    let rests =
        correction.filter(|correction| correction.rest.is_some() || correction.light_off_s.is_some())?;
    match resin.motion {
        Motion::Lift(_) => None,
        Motion::Tilt(_) => {
            let text = format!(
                "{printer} tilts its vat at its own pace; the rests of the material ({}) are not held, set them on \
                 the printer",
                rests.source
            );
            Some(Finding::warning("RESTS_NOT_HELD", "settings", text))
        }
    }
}

pub(super) fn light(motion: &Motion) -> print_files::Light {
    match motion {
        Motion::Lift(lift) => {
            print_files::Light { bottom_pwm: lift.bottom.light_pwm, pwm: lift.normal.light_pwm }
        }
        // A tilting printer sets its lamp itself; its file has no field for it.
        Motion::Tilt(_) => print_files::Light { bottom_pwm: u8::MAX, pwm: u8::MAX },
    }
}
