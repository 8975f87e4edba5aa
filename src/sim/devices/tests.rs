//! Sessions against simulated devices, in virtual time.

mod chitu;
mod marlin;
mod pair;
