//! Talking to machines over serial lines.

pub mod session;
