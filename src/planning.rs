//! Who does what, when. Pure: no clock, no I/O.

pub mod calendar;
