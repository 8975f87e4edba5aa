//! What a check noticed; the type lives with the computing code, every tier speaks of it.

pub use sprue_compute::finding::{Finding, Severity, any_error};
