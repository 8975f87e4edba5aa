//! What a `.ctb`, `.cbddlp` or `.photon` file tells of its job.

use super::header::{Params, Stage};
use super::layer::{Entry, Record};
use super::read::{Blocks, CtbFile};
use crate::print_files::fields::{meant, per_ml};
use crate::print_files::lifts::{NONE, tidy};
use crate::print_files::told::{Told, field, uniform};
use crate::print_files::{
    Exposure, Job, LayerMotion, Light, Machine, Move, Origin, PrintFile, Resin, Separation, Waits,
};
use crate::slice::LayerSource;

/// The job of a file.
pub(super) fn told(file: &CtbFile<'_>) -> Told {
    let Blocks { header, params, slicer, resin, machine, .. } = &file.blocks;
    let facts = file.facts();
    let per_ml = |sum: f32| per_ml(sum, facts.volume_ml);
    let pwm = |word: u16| u8::try_from(word).unwrap_or(u8::MAX);
    let [x, y] = file.display().plate_mm();
    let anti_aliasing = match slicer {
        _ if file.blocks.in_planes() => header.planes,
        Some(slicer) => slicer.anti_aliasing,
        None => 0,
    };
    let job = Job {
        machine: Machine {
            name: machine.clone(),
            kind: String::new(),
            build_mm: [x, y, number(header.bed_mm[2])],
        },
        display: file.display(),
        heights: uniform(facts.layer_um),
        exposure: Exposure {
            normal_s: number(header.exposure_s),
            bottom_s: number(header.bottom_exposure_s),
            bottom_layers: header.bottom_layers,
            transition_layers: slicer.as_ref().map_or(0, |slicer| slicer.transition_layers),
            ranges: Vec::new(),
        },
        separation: separation(file),
        light: Light { bottom_pwm: pwm(header.bottom_pwm), pwm: pwm(header.pwm) },
        anti_aliasing: u16::try_from(anti_aliasing).unwrap_or(1).max(1),
        resin: Resin {
            name: facts.resin.clone(),
            density_g_per_ml: params.as_ref().and_then(|params| per_ml(params.weight_g)),
            price_per_ml: params.as_ref().and_then(|params| per_ml(params.cost)),
            currency: String::new(),
        },
        origin: Origin {
            software: String::new(),
            version: String::new(),
            written_at_s: slicer.as_ref().map_or(0, |slicer| i64::from(slicer.written_min) * 60),
        },
        sl1: None,
    };
    let mut untold = vec![field::KIND, field::SOFTWARE, field::CURRENCY, field::SL1_NAMES];
    let silent = [
        (field::MACHINE, machine.is_empty()),
        (field::SEPARATION, job.separation == Separation::Untold),
        (field::LAYER_MOTION, own_motion(file)),
        // Version 1 ends before the lamp.
        (field::LIGHT, params.is_none()),
        (field::ANTI_ALIASING, anti_aliasing == 0),
        (field::RESIN, resin.is_none()),
        (field::DENSITY, job.resin.density_g_per_ml.is_none()),
        (field::PRICE, job.resin.price_per_ml.is_none()),
        (field::WRITTEN_AT, job.origin.written_at_s == 0),
    ];
    untold.extend(silent.iter().filter(|(_, silent)| *silent).map(|(field, _)| field));
    Told::of(job, untold, &facts.layers)
}

/// The moves of the first bottom layer and of the last layer, as single layers say them, else those of the
/// parameters.
fn separation(file: &CtbFile<'_>) -> Separation {
    let Blocks { header, params, .. } = &file.blocks;
    let Some(params) = params else { return Separation::Untold };
    let bottom_layers = usize::try_from(header.bottom_layers).unwrap_or(usize::MAX);
    let first = file.layer_entries().first();
    let last = file.layer_entries().get(bottom_layers..).and_then(<[Entry]>::last);
    let bottom = first.filter(|_| header.bottom_layers > 0).and_then(|entry| file.motion(entry));
    let normal = last.and_then(|entry| file.motion(entry));
    Separation::Lift {
        bottom: bottom.unwrap_or_else(|| stated(file, params, true)),
        normal: normal.unwrap_or_else(|| stated(file, params, false)),
    }
}

/// Whether a layer has moves that are neither those of the bottom nor those of all others.
fn own_motion(file: &CtbFile<'_>) -> bool {
    let Separation::Lift { bottom, normal } = separation(file) else { return false };
    (0_u32..).zip(file.layer_entries()).any(|(index, entry)| {
        let expected = if index < file.blocks.header.bottom_layers { bottom } else { normal };
        file.motion(entry).is_some_and(|own| own != expected)
    })
}

/// Moves of the header's blocks.
fn stated(file: &CtbFile<'_>, params: &Params, bottom: bool) -> LayerMotion {
    let Blocks { slicer, version4, .. } = &file.blocks;
    let (lift, light_off_s) = if bottom {
        (params.bottom_lift, params.bottom_light_off_s)
    } else {
        (params.lift, params.light_off_s)
    };
    let (Some(slicer), Some(version4)) = (slicer, version4) else {
        return one_stage(lift, params.retract_mm_per_min, light_off_s);
    };
    let [first_mm_per_min, second_mm_per_min] = version4.bottom_retract_mm_per_min;
    let [second_mm, normal_second_mm_per_min] = slicer.retract_second;
    let (lift_second, retract_mm_per_min, retract_second) = if bottom {
        (slicer.bottom_lift_second, first_mm_per_min, [version4.bottom_retract_second_mm, second_mm_per_min])
    } else {
        (slicer.lift_second, params.retract_mm_per_min, [second_mm, normal_second_mm_per_min])
    };
    let waits_s = [version4.before_lift_s, version4.after_lift_s, version4.after_retract_s];
    two_stages(&Record { lift, lift_second, retract_mm_per_min, retract_second, waits_s, pwm: 0.0 })
}

impl CtbFile<'_> {
    /// One entry for each layer.
    fn layer_entries(&self) -> &[Entry] {
        let layers = usize::try_from(self.blocks.header.layers).unwrap_or(usize::MAX);
        self.entries.get(..layers).unwrap_or(&self.entries)
    }

    /// The moves of a layer, if it has a record.
    fn motion(&self, entry: &Entry) -> Option<LayerMotion> {
        if !self.blocks.has_record(entry) {
            return None;
        }
        let record = Record::decode(self.bytes, usize::try_from(entry.at).ok()?)?;
        Some(if self.blocks.header.version >= 4 {
            two_stages(&record)
        } else {
            one_stage(record.lift, record.retract_mm_per_min, entry.light_off_s)
        })
    }
}

/// Up and down in one stage; what is dark for longer than the moves take is a rest.
fn one_stage([way, lift_mm_per_min]: Stage, retract_mm_per_min: f32, light_off_s: f32) -> LayerMotion {
    let stage = |mm_per_min: f32| Move { mm: number(way), mm_per_min: number(mm_per_min) };
    let (lift, retract) = (stage(lift_mm_per_min), stage(retract_mm_per_min));
    let rest_s = (number(light_off_s) - lift.seconds() - retract.seconds()).max(0.0);
    let waits = Waits { before_lift_s: 0.0, after_lift_s: 0.0, after_retract_s: tidy(rest_s) };
    LayerMotion { lift, lift_second: NONE, retract, retract_second: NONE, waits }
}

/// The first stages are what the second ones leave of the whole way.
fn two_stages(record: &Record) -> LayerMotion {
    let stage = |[mm, mm_per_min]: Stage| Move { mm: number(mm), mm_per_min: number(mm_per_min) };
    let way = stage(record.lift);
    let (lift_second, retract_second) = (stage(record.lift_second), stage(record.retract_second));
    let first = |second: &Move, mm_per_min| Move { mm: tidy((way.mm - second.mm).max(0.0)), mm_per_min };
    let [before_lift_s, after_lift_s, after_retract_s] = record.waits_s.map(number);
    LayerMotion {
        lift: first(&lift_second, way.mm_per_min),
        retract: first(&retract_second, number(record.retract_mm_per_min)),
        lift_second,
        retract_second,
        waits: Waits { before_lift_s, after_lift_s, after_retract_s },
    }
}

/// Numbers that stop no reader.
fn number(value: f32) -> f64 {
    meant(value).unwrap_or(0.0)
}
