//! Numbers in, numbers out: geometry, slicing, printer files and scheduling kernels.
//!
//! Invariant: the same input and seed give the same bytes, on any number of threads.
//! Ugly input gives a report or a clear error, never a panic.
//! Never here: async, files, clock, SQL, nouns of the shop. Bytes come as slices or `io::Read`, and leave
//! through `io::Write`.

pub mod feed;
pub mod finding;
pub mod measure;
pub mod mesh;
pub mod mesh_files;
pub mod nest;
pub mod orient;
pub mod plate_checks;
pub mod preview;
pub mod print_files;
pub mod ring_size;
pub mod rings;
pub mod schedule;
pub mod slice;
pub mod support;
pub mod support_proof;
pub mod toolpath;
pub mod units;
