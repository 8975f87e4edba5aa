//! The one integration binary.

mod profiles;
