//! Conversions between numbers whose ranges the callers know.

/// The nearest single-precision number.
#[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest f32 is what is wanted")]
pub(crate) fn single(value: f64) -> f32 {
    value as f32
}

/// The whole part of a number as an index: 0 below zero and for NaN, the largest index above the range.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what is wanted"
)]
pub(crate) fn index(value: f64) -> usize {
    value as usize
}

/// The whole number below a value; saturates.
#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what is wanted")]
pub(crate) fn floor(value: f64) -> i64 {
    value.floor() as i64
}

/// A count of vertices or faces as the index type of meshes. Readers bound both far below.
#[expect(clippy::cast_possible_truncation, reason = "readers bound counts to 3 * 20 million")]
pub(crate) fn vertex(count: usize) -> u32 {
    debug_assert!(count <= u32::MAX as usize, "more vertices than an index can name");
    count as u32
}
