//! The one integration binary.

mod devices;
