//! Sessions against simulated devices, in virtual time.

mod marlin;
mod pair;
