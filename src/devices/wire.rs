//! Codecs without state of a conversation: bytes in, frames out, with bounded buffers.

pub mod gcode;
pub mod lines;
pub mod transfer;
