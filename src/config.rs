//! Reads the shop file and the profiles. All problems at once, each with file, line and column.

pub mod builtin;
mod drivers;
mod exposures;
mod place;
pub mod profiles;
mod read;
mod section;
mod shop_file;
pub mod workshop;

pub use drivers::driver_names;
pub use place::Problem;
pub use shop_file::load;
pub use workshop::Workshop;
