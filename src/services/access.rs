//! Who may speak to this workshop, as the front sees it.

pub use crate::store::keys::{Key, KeyRing, Principal, Role};
