//! A job as `.ctb` and `.cbddlp` files can hold it.

use super::{CtbVersion, Flavour};
use crate::finding::Finding;
use crate::print_files::lifts::{self, NONE};
use crate::print_files::{Format, Job, LayerMotion, Separation, Waits, WriteError};

/// The job that a reader of the file will see, and what it lost on the way.
pub(super) fn hold(job: &Job, flavour: Flavour, format: Format) -> Result<(Job, Vec<Finding>), WriteError> {
    let (bottom, normal) = lifts::motions(job, format)?;
    let mut held_bottom = hold_motion(&bottom, flavour.version);
    let held_normal = hold_motion(&normal, flavour.version);
    if flavour.version < CtbVersion::V3 {
        held_bottom.retract.mm_per_min = held_normal.retract.mm_per_min;
    }
    let mut held = job.clone();
    held.separation = Separation::Lift { bottom: held_bottom, normal: held_normal };
    held.anti_aliasing = if flavour.in_planes { flavour.planes(job) } else { job.anti_aliasing };
    held.sl1 = None;
    let mut findings = Vec::new();
    for (asked, held) in [(&bottom, &held_bottom), (&normal, &held_normal)] {
        motion_findings(asked, held, &mut findings);
    }
    if flavour.version < CtbVersion::V5 && !job.resin.name.is_empty() {
        findings.push(Finding::note(
            CODE,
            "resin.name",
            "the name of the resin is not stored; nothing to do",
        ));
    }
    findings.dedup();
    Ok((held, findings))
}

const CODE: &str = "CTB_NOT_HELD";

fn hold_motion(asked: &LayerMotion, version: CtbVersion) -> LayerMotion {
    let way_mm = lifts::way_mm(asked);
    if version >= CtbVersion::V4 {
        let mut held = *asked;
        held.retract_second.mm = asked.retract_second.mm.min(way_mm);
        held.retract.mm = way_mm - held.retract_second.mm;
        return held;
    }
    let after_retract_s = lifts::rest_s(asked);
    LayerMotion {
        lift: lifts::one_stage(asked.lift, asked.lift_second, way_mm),
        lift_second: NONE,
        retract: lifts::one_stage(asked.retract, asked.retract_second, way_mm),
        retract_second: NONE,
        waits: Waits { before_lift_s: 0.0, after_lift_s: 0.0, after_retract_s },
    }
}

fn motion_findings(asked: &LayerMotion, held: &LayerMotion, findings: &mut Vec<Finding>) {
    let mut warn = |field: &str, text: &str| {
        let finding = Finding::warning(CODE, field, text);
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    };
    if !lifts::same(&asked.lift_second, &held.lift_second) {
        warn(
            "lift_second",
            "lifts have one stage: the whole way goes at the slower speed; version 4 holds both",
        );
    }
    let back = [asked.retract, asked.retract_second];
    if !lifts::same(&back[0], &held.retract) || !lifts::same(&back[1], &held.retract_second) {
        warn(
            "retract",
            "the way back is as long as the lift, and has the stages and speeds that the version holds",
        );
    }
    let waits = [
        (asked.waits.before_lift_s, held.waits.before_lift_s),
        (asked.waits.after_lift_s, held.waits.after_lift_s),
        (asked.waits.after_retract_s, held.waits.after_retract_s),
    ];
    if waits.iter().any(|&(asked_s, held_s)| !lifts::same_rest(asked_s, held_s)) {
        warn("waits", "rests are kept as one time without light, after the way back; version 4 holds each");
    }
}
