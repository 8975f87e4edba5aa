//! The one integration binary.
#![expect(clippy::unwrap_used, reason = "test helpers")]

mod api;
mod crash;
mod daemon;
mod devices;
mod floor;
mod metal;
mod passport;
mod plate_faults;
mod profiles;
mod slicing;
mod support;
mod tidy;
