//! Pretends to be the workshop, for tests, demonstrations and training.

pub mod devices;
