//! What an Anycubic file tells of its job.

use super::read::AnycubicFile;
use super::sections::Lift;
use crate::print_files::fields::{meant, per_ml};
use crate::print_files::lifts::{NONE, tidy};
use crate::print_files::told::{Told, field, uniform};
use crate::print_files::{
    Exposure, Job, LayerMotion, Light, Machine, Move, Origin, PrintFile, Resin, Separation, Waits,
};
use crate::slice::LayerSource;

/// The job of a file.
pub(super) fn told(file: &AnycubicFile<'_>) -> Told {
    let blocks = &file.blocks;
    let header = &blocks.header;
    let facts = file.facts();
    let [x, y] = file.display().plate_mm();
    let z = blocks.machine.as_ref().map_or(0.0, |machine| number(machine.height_mm));
    let (software, version) = match &blocks.software {
        Some(software) => (software.name.clone(), software.version.clone()),
        None => (String::new(), String::new()),
    };
    let job = Job {
        machine: Machine { name: facts.machine.clone(), kind: String::new(), build_mm: [x, y, z] },
        display: file.display(),
        heights: uniform(facts.layer_um),
        exposure: Exposure {
            normal_s: number(header.exposure_s),
            bottom_s: number(header.bottom_exposure_s),
            bottom_layers: bottom_layers(file),
            transition_layers: header.transition_layers,
            ranges: Vec::new(),
        },
        separation: separation(file),
        light: Light { bottom_pwm: u8::MAX, pwm: u8::MAX },
        anti_aliasing: u16::try_from(header.anti_aliasing).unwrap_or(1).max(1),
        resin: Resin {
            name: String::new(),
            density_g_per_ml: per_ml(header.weight_g, facts.volume_ml),
            price_per_ml: per_ml(header.price, facts.volume_ml),
            currency: header.currency.clone(),
        },
        origin: Origin { software, version, written_at_s: 0 },
        sl1: None,
    };
    let mut untold = vec![field::KIND, field::LIGHT, field::RESIN, field::WRITTEN_AT, field::SL1_NAMES];
    let silent = [
        (field::MACHINE, facts.machine.is_empty()),
        (field::BUILD_HEIGHT, z <= 0.0),
        (field::LAYER_MOTION, own_motion(file)),
        (field::DENSITY, job.resin.density_g_per_ml.is_none()),
        (field::PRICE, job.resin.price_per_ml.is_none()),
        (field::SOFTWARE, blocks.software.is_none()),
    ];
    untold.extend(silent.iter().filter(|(_, silent)| *silent).map(|(field, _)| field));
    Told::of(job, untold, &facts.layers)
}

/// The number is stored with a fraction.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u32")]
fn bottom_layers(file: &AnycubicFile<'_>) -> u32 {
    number(file.blocks.header.bottom_layers).clamp(0.0, f64::from(u32::MAX)).round() as u32
}

fn separation(file: &AnycubicFile<'_>) -> Separation {
    let header = &file.blocks.header;
    if let Some([bottom, normal]) = file.blocks.extra.filter(|_| header.two_stages == 1) {
        let rest_s = number(header.rest_s);
        return Separation::Lift { bottom: two_stages(&bottom, rest_s), normal: two_stages(&normal, rest_s) };
    }
    let normal = one_stage(file, header.lift);
    let first = file.entries.first().filter(|_| header.layers_differ == 1 && bottom_layers(file) > 0);
    Separation::Lift { bottom: first.map_or(normal, |entry| one_stage(file, entry.lift)), normal }
}

/// Whether a layer lifts neither as the bottom nor as all others; boards look only if the header says so.
fn own_motion(file: &AnycubicFile<'_>) -> bool {
    let header = &file.blocks.header;
    if header.layers_differ != 1 || header.two_stages == 1 {
        return false;
    }
    let bottom_layers = bottom_layers(file);
    let first = file.entries.first().map(|entry| entry.lift);
    (0_u32..).zip(&file.entries).any(|(index, entry)| {
        let expected = if index < bottom_layers { first } else { Some(header.lift) };
        expected.is_some_and(|lift| lift.map(f32::to_bits) != entry.lift.map(f32::to_bits))
    })
}

fn one_stage(file: &AnycubicFile<'_>, [way, up]: [f32; 2]) -> LayerMotion {
    let header = &file.blocks.header;
    LayerMotion {
        lift: stage(way, up),
        lift_second: NONE,
        retract: stage(way, header.retract_mm_per_s),
        retract_second: NONE,
        waits: rest(number(header.rest_s)),
    }
}

/// Down goes through the upper stage first.
fn two_stages(lift: &Lift, rest_s: f64) -> LayerMotion {
    let [lower_mm, lower_up, lower_down] = lift.lower;
    let [upper_mm, upper_up, upper_down] = lift.upper;
    let waits = rest(rest_s);
    let (lower, below) = (stage(lower_mm, lower_up), stage(lower_mm, lower_down));
    if upper_mm > 0.0 {
        let (upper, above) = (stage(upper_mm, upper_up), stage(upper_mm, upper_down));
        LayerMotion { lift: lower, lift_second: upper, retract: above, retract_second: below, waits }
    } else {
        LayerMotion { lift: lower, lift_second: NONE, retract: below, retract_second: NONE, waits }
    }
}

fn rest(after_retract_s: f64) -> Waits {
    Waits { before_lift_s: 0.0, after_lift_s: 0.0, after_retract_s }
}

/// From mm/s.
fn stage(mm: f32, mm_per_s: f32) -> Move {
    Move { mm: number(mm), mm_per_min: tidy(number(mm_per_s) * 60.0) }
}

/// Numbers that stop no reader.
fn number(value: f32) -> f64 {
    meant(value).unwrap_or(0.0)
}
