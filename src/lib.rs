//! sprue: the manufacturing controller of a bespoke jewellery workshop.

pub mod api;
pub mod app;
pub mod casting;
pub mod cli;
pub mod clock;
pub mod config;
pub mod devices;
pub mod finding;
pub mod ids;
pub mod panel;
pub mod planning;
pub mod services;
pub mod shop;
pub mod sim;
pub mod store;
pub mod telemetry;
pub mod units;
pub mod webhooks;
