//! The one integration binary.
#![expect(clippy::unwrap_used, reason = "test helpers")]

mod crash;
mod devices;
mod api;
mod profiles;
mod support;
mod tidy;
