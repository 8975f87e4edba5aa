//! Reads the shop file and the profiles. All problems at once, each with file, line and column.

pub mod builtin;
mod place;
pub mod profiles;
mod section;

pub use place::Problem;
