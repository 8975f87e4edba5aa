//! What the daemon and the station boards say to each other. No `std`; a released byte layout never changes.
#![no_std]

/// A temperature in degrees Celsius: a reading or a setpoint.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Celsius(pub f32);
