//! sprue: the manufacturing controller of a bespoke jewellery workshop.

pub mod clock;
pub mod devices;
pub mod finding;
pub mod ids;
pub mod shop;
pub mod store;
pub mod units;
