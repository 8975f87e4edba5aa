//! sprue: the manufacturing controller of a bespoke jewellery workshop.

pub mod clock;
pub mod devices;
pub mod ids;
pub mod sim;
pub mod units;
