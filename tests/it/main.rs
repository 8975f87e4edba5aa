//! The one integration binary.
#![expect(clippy::unwrap_used, reason = "test helpers")]

mod api;
mod profiles;
mod support;
mod tidy;
