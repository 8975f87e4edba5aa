//! What things are and what may happen to them: pure data, state machines, events.
//!
//! Never here: I/O, async, a clock, randomness, SQL, HTTP. A state change is a pure function of (state, event).

pub mod design;
pub mod event;
pub mod lot;
pub mod metal;
pub mod notice;
pub mod operation;
pub mod order;
pub mod passport;
pub mod piece;
pub mod plan;
pub mod plate;
pub mod profile;
pub mod shift;
pub mod station;
pub mod webhook;
pub mod workshop;
