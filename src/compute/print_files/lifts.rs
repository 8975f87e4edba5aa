//! Lifts and rests, brought to what a format can say.

use super::told::field;
use super::{Format, Job, LayerMotion, Move, Separation, WriteError};

/// Way that makes no difference, mm: what single precision loses.
const SAME_MM: f64 = 1e-4;

/// The motion of bottom layers and of all others.
///
/// # Errors
/// If the job has no lifts.
pub(super) fn motions(job: &Job, format: Format) -> Result<(LayerMotion, LayerMotion), WriteError> {
    match job.separation {
        Separation::Lift { bottom, normal } => Ok((bottom, normal)),
        Separation::Tilt { .. } => Err(WriteError::Missing {
            format,
            field: field::SEPARATION,
            hint: "add them to the printer profile, or write the format of the printer that tilts",
        }),
        Separation::Untold => Err(WriteError::Missing {
            format,
            field: field::SEPARATION,
            hint: "give --printer and --material, whose profiles have them",
        }),
    }
}

/// The whole way up, mm.
pub(super) fn way_mm(motion: &LayerMotion) -> f64 {
    motion.lift.mm + motion.lift_second.mm
}

/// Both stages as one: the whole way at the slower speed, which no part suffers from.
pub(super) fn one_stage(first: Move, second: Move, way_mm: f64) -> Move {
    let used = [first, second].into_iter().filter(|stage| stage.mm > 0.0);
    let slowest = used.map(|stage| stage.mm_per_min).fold(f64::INFINITY, f64::min);
    Move { mm: way_mm, mm_per_min: if slowest.is_finite() { slowest } else { first.mm_per_min } }
}

/// A stage that is not used.
pub(super) const NONE: Move = Move { mm: 0.0, mm_per_min: 0.0 };

/// Sum of the rests, s.
pub(super) fn rest_s(motion: &LayerMotion) -> f64 {
    motion.waits.before_lift_s + motion.waits.after_lift_s + motion.waits.after_retract_s
}

/// Whether two stages are the same move.
pub(super) fn same(one: &Move, other: &Move) -> bool {
    let both_unused = one.mm.abs() < SAME_MM && other.mm.abs() < SAME_MM;
    both_unused
        || ((one.mm - other.mm).abs() < SAME_MM && (one.mm_per_min - other.mm_per_min).abs() < SAME_MM)
}

/// Whether two rests are as long.
pub(super) fn same_rest(one_s: f64, other_s: f64) -> bool {
    (one_s - other_s).abs() < 1e-4
}

/// What single precision and subtractions leave behind, rounded away: to a thousandth of a millimetre or second.
pub(super) fn tidy(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
