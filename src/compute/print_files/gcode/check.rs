//! Refuses jobs whose numbers make no sense, before anything is sliced.

use super::{LINE_MAX, WaxError, WaxJob};

/// Names the first number that is out of range, or the first line that can't be sent.
pub(super) fn check(job: &WaxJob) -> Result<(), WaxError> {
    let bad = positives(job).into_iter().find(|(_, value)| !value.is_finite() || *value <= 0.0);
    let bad =
        bad.or_else(|| not_negatives(job).into_iter().find(|(_, value)| !value.is_finite() || *value < 0.0));
    let bad = bad.or_else(|| crossed(job));
    if let Some((field, _)) = bad {
        return Err(WaxError::Range { field });
    }
    let plain = |line: &&String| line.len() > LINE_MAX || !line.bytes().all(|b| (b' '..=b'~').contains(&b));
    match job.start_script.iter().find(plain) {
        Some(line) => Err(WaxError::Script { line: line.clone() }),
        None => Ok(()),
    }
}

fn positives(job: &WaxJob) -> Vec<(&'static str, f64)> {
    let (rules, speeds, motion) = (&job.rules, &job.speeds, &job.motion);
    let mut all = vec![
        ("bed width", job.build_mm[0]),
        ("bed depth", job.build_mm[1]),
        ("extrusion width", rules.strand_mm),
        ("least extrusion width", rules.strand_mm_min),
        ("path tolerance", rules.tolerance_mm),
        ("filament diameter", job.filament_mm),
        ("first layer nozzle temperature", job.first_layer.nozzle_celsius),
        ("nozzle temperature", job.other_layers.nozzle_celsius),
        ("first layer speed", speeds.first_layer),
        ("outer wall speed", speeds.outer_wall),
        ("inner wall speed", speeds.inner_wall),
        ("thin wall speed", speeds.thin),
        ("solid speed", speeds.solid),
        ("infill speed", speeds.infill),
        ("support speed", speeds.support),
        ("travel speed", speeds.travel),
        ("lift speed", speeds.lift),
        ("greatest flow", speeds.mm3_per_s_max),
        ("slowest speed", speeds.slowest),
        ("retract speed", motion.retract_mm_per_s),
        ("print acceleration", motion.press_mm_per_s2),
        ("travel acceleration", motion.travel_mm_per_s2),
        ("retract acceleration", motion.retract_mm_per_s2),
        ("jerk", motion.jerk_mm_per_s),
    ];
    if let Some(support) = &rules.support {
        all.extend([
            ("support angle", support.degrees_max),
            ("support spacing", support.spacing_mm),
            ("support column", support.column_mm),
        ]);
    }
    all
}

fn not_negatives(job: &WaxJob) -> Vec<(&'static str, f64)> {
    let rules = &job.rules;
    let mut all = vec![
        ("infill", rules.filling.percent),
        ("retract length", job.motion.retract_mm),
        ("retract distance", rules.hop_mm),
        ("end lift", job.end_lift_mm),
        ("bed temperature", job.other_layers.bed_celsius.unwrap_or(0.0)),
        ("first layer bed temperature", job.first_layer.bed_celsius.unwrap_or(0.0)),
        ("least layer time", job.speeds.layer_s_min),
        ("brim", rules.brim_mm),
        ("skirt distance", rules.skirt_gap_mm),
    ];
    if let Some(support) = &rules.support {
        all.extend([
            ("support gap", support.gap_mm),
            ("support side gap", support.side_gap_mm),
            ("support interface gap", support.interface_gap_mm),
        ]);
    }
    all
}

/// Numbers that contradict another, or that would ask for more than any machine does.
fn crossed(job: &WaxJob) -> Option<(&'static str, f64)> {
    let rules = &job.rules;
    let angle = rules.support.map_or(45.0, |support| support.degrees_max);
    let faults = [
        ("infill", rules.filling.percent, rules.filling.percent > 100.0),
        ("infill direction", rules.filling.degrees, !rules.filling.degrees.is_finite()),
        ("least extrusion width", rules.strand_mm_min, rules.strand_mm_min > rules.strand_mm),
        ("extrusion width", rules.strand_mm, rules.strand_mm < 0.01),
        ("support angle", angle, angle >= 90.0),
        ("walls", f64::from(rules.walls), rules.walls == 0 || rules.walls > 100),
        ("skirt loops", f64::from(rules.skirt_loops), rules.skirt_loops > 100),
        ("brim", rules.brim_mm, rules.brim_mm > 100.0),
        ("bed width", job.build_mm[0], job.build_mm[0] > 2_000.0),
        ("bed depth", job.build_mm[1], job.build_mm[1] > 2_000.0),
    ];
    faults.into_iter().find(|(_, _, is_fault)| *is_fault).map(|(field, value, _)| (field, value))
}
