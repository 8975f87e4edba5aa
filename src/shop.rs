//! The nouns of the workshop: pure data and state machines. Never I/O, clocks, randomness or SQL.

pub mod profile;
