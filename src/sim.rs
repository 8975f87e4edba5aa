//! Pretends to be the workshop: devices, people, an order system and its webhook receiver, for tests,
//! demonstrations and training.

pub mod demo;
pub mod devices;
