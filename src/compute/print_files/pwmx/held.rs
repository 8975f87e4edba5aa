//! A job as Anycubic files can hold it.

use super::{AnycubicVersion, Coding};
use crate::finding::Finding;
use crate::print_files::lifts::{self, NONE};
use crate::print_files::{Format, Job, LayerMotion, Light, Move, Separation, Waits, WriteError};

/// The job that a reader of the file will see, and what it lost on the way.
pub(super) fn hold(
    job: &Job,
    coding: Coding,
    version: AnycubicVersion,
    format: Format,
) -> Result<(Job, Vec<Finding>), WriteError> {
    let (bottom, normal) = lifts::motions(job, format)?;
    let held_normal = hold_motion(&normal, version);
    let mut held_bottom = hold_motion(&bottom, version);
    // One rest for all layers; before version 516 one speed down, too.
    held_bottom.waits = held_normal.waits;
    if version < AnycubicVersion::V516 {
        held_bottom.retract.mm_per_min = held_normal.retract.mm_per_min;
    }
    let mut held = job.clone();
    held.separation = Separation::Lift { bottom: held_bottom, normal: held_normal };
    held.light = Light { bottom_pwm: u8::MAX, pwm: u8::MAX };
    held.anti_aliasing = coding.anti_aliasing(job);
    held.sl1 = None;
    let mut findings = Vec::new();
    for (asked, held) in [(&bottom, &held_bottom), (&normal, &held_normal)] {
        motion_findings(asked, held, &mut findings);
    }
    other_findings(job, &held, version, &mut findings);
    Ok((held, findings))
}

const CODE: &str = "ANYCUBIC_NOT_HELD";

fn hold_motion(asked: &LayerMotion, version: AnycubicVersion) -> LayerMotion {
    let way_mm = lifts::way_mm(asked);
    let after_retract_s = lifts::rest_s(asked);
    let waits = Waits { before_lift_s: 0.0, after_lift_s: 0.0, after_retract_s };
    if version < AnycubicVersion::V516 || asked.lift_second.mm <= 0.0 {
        return LayerMotion {
            lift: lifts::one_stage(asked.lift, asked.lift_second, way_mm),
            lift_second: NONE,
            retract: lifts::one_stage(asked.retract, asked.retract_second, way_mm),
            retract_second: NONE,
            waits,
        };
    }
    // Down through the same two stages as up.
    let speed = |stage: &Move, other: &Move| if stage.mm > 0.0 { stage.mm_per_min } else { other.mm_per_min };
    let (first, second) = (&asked.retract, &asked.retract_second);
    LayerMotion {
        lift: asked.lift,
        lift_second: asked.lift_second,
        retract: Move { mm: asked.lift_second.mm, mm_per_min: speed(first, second) },
        retract_second: Move { mm: asked.lift.mm, mm_per_min: speed(second, first) },
        waits,
    }
}

fn motion_findings(asked: &LayerMotion, held: &LayerMotion, findings: &mut Vec<Finding>) {
    let mut warn = |field: &str, text: &str| push(findings, Finding::warning(CODE, field, text));
    if !lifts::same(&asked.lift_second, &held.lift_second) {
        warn(
            "lift_second",
            "lifts have one stage: the whole way goes at the slower speed; version 516 holds both",
        );
    }
    if !lifts::same(&asked.retract, &held.retract)
        || !lifts::same(&asked.retract_second, &held.retract_second)
    {
        warn("retract", "the way back has the stages of the lift, and the speeds that the version holds");
    }
    let waits = [
        (asked.waits.before_lift_s, held.waits.before_lift_s),
        (asked.waits.after_lift_s, held.waits.after_lift_s),
        (asked.waits.after_retract_s, held.waits.after_retract_s),
    ];
    if waits.iter().any(|&(asked_s, held_s)| !lifts::same_rest(asked_s, held_s)) {
        warn("waits", "rests are kept as one before each exposure, the same for all layers");
    }
}

fn other_findings(job: &Job, held: &Job, version: AnycubicVersion, findings: &mut Vec<Finding>) {
    if job.light != held.light {
        let text = "lamp power is not stored; set it on the printer";
        push(findings, Finding::warning(CODE, "light", text));
    }
    let [x, y] = job.display.pitch_mm;
    if version < AnycubicVersion::V516 && (x - y).abs() > 1e-6 {
        let text = "pixels are stored as squares, with the distance of columns; the printer knows its own";
        push(findings, Finding::note(CODE, "display.pitch_mm", text));
    }
    if !job.resin.name.is_empty() {
        let text = "the name of the resin is not stored; nothing to do";
        push(findings, Finding::note(CODE, "resin.name", text));
    }
}

fn push(findings: &mut Vec<Finding>, finding: Finding) {
    if !findings.contains(&finding) {
        findings.push(finding);
    }
}
