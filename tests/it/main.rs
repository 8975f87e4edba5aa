//! The one integration binary.
#![expect(clippy::unwrap_used, reason = "test helpers")]

mod api;
mod crash;
mod devices;
mod profiles;
mod support;
mod tidy;
