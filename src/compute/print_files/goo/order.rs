//! What `.goo` files add to plain fields: the byte order of a machine, and square pictures.

use super::header::BIG_PX;
pub(super) use crate::print_files::fields::{ByteOrder, FieldReader, FieldWriter};

impl ByteOrder {
    /// The specification says big-endian; the files of one machine are little-endian.
    ///
    /// Source: file formats of UVtools, `GooFile`, machine name "ELEGOO Jupiter 2".
    pub(super) fn of_machine(name: &str) -> Self {
        if name.trim().eq_ignore_ascii_case("ELEGOO Jupiter 2") { Self::Little } else { Self::Big }
    }
}

impl FieldReader<'_> {
    /// A square picture and the line end behind it.
    pub(super) fn picture(&mut self, side_px: u32) -> Option<Vec<u16>> {
        debug_assert!(side_px <= BIG_PX, "pictures of the format are small");
        let words = (0..side_px * side_px).map(|_| self.u16()).collect::<Option<Vec<_>>>()?;
        self.skip(2)?;
        Some(words)
    }
}
