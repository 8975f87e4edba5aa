//! What the daemon and the station boards say to each other. No `std`; a released byte layout never changes.
//!
//! `modbus` is the wire: frames, both ends of the line. `map` is the meaning: the registers of our own
//! station board. Nothing here knows time, ports or pins.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod map;
pub mod modbus;

/// A temperature in degrees Celsius: a reading or a setpoint.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Celsius(pub f32);
