//! The one integration binary.
#![expect(clippy::unwrap_used, reason = "test helpers")]

mod api;
mod crash;
mod daemon;
mod devices;
mod profiles;
mod slicing;
mod support;
mod tidy;
