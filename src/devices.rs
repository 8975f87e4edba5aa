//! Talking to machines over serial lines.
//!
//! A *driver* knows one device family; its *session* is one live conversation, a value without I/O. A *pump*
//! moves bytes between a session and a *port*, and the *fleet* knows which station sits on which line.
//!
//! ```text
//!   services --Command--> Fleet --> Pump --> Session (driver) --> wire codec
//!   services <---Fact---- Fleet <-- Pump <-- Session            <-- bytes from Port
//! ```
//!
//! Nothing here decides what is to be done, and nothing here knows orders, plates or the journal.

pub mod drivers;
pub mod fleet;
pub mod port;
pub mod pump;
pub mod session;
pub mod status;
pub mod wire;

pub use fleet::{Fleet, StationSettings};
pub use port::{LineSettings, PortAddress};
pub use session::{Command, Doing, Fact, JobName, Session};
pub use status::{Activity, Link, StationStatus};
