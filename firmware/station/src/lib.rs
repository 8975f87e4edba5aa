//! The control logic of a station board: one heater that is off unless a fresh command says otherwise.
//!
//! A board binary owns the pins, the thermocouple converter, the UART and the watchdog. It calls
//! `Station::tick` at least ten times a second and `serve` for every request, both with its monotonic time.
//! Nothing here waits, allocates, reads a clock or knows a chip.
#![no_std]

mod control;
mod guard;
mod serve;

pub use control::{BadLimits, Door, Limits, Refusal, Sample, Station};
pub use embedded_hal;
pub use serve::serve;
