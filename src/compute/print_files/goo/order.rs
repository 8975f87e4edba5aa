//! Fields of `.goo` files one after the other, in either byte order.

use super::header::BIG_PX;

/// Byte order of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Big,
    Little,
}

impl ByteOrder {
    /// The specification says big-endian; the files of one machine are little-endian.
    ///
    /// Source: file formats of UVtools, `GooFile`, machine name "ELEGOO Jupiter 2".
    pub(super) fn of_machine(name: &str) -> Self {
        if name.trim().eq_ignore_ascii_case("ELEGOO Jupiter 2") { Self::Little } else { Self::Big }
    }
}

/// Appends fields.
pub(super) struct FieldWriter {
    order: ByteOrder,
    out: Vec<u8>,
}

impl FieldWriter {
    pub(super) fn new(order: ByteOrder) -> Self {
        Self { order, out: Vec::new() }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Text of fixed length, padded with zeros and always ended by one, cut between characters. A field of
    /// four bytes is the version, which fills it.
    pub(super) fn text(&mut self, text: &str, length: usize) {
        let room = if length == 4 { 4 } else { length - 1 };
        let kept = &text[..text.floor_char_boundary(room)];
        self.out.extend_from_slice(kept.as_bytes());
        self.out.resize(self.out.len() + length - kept.len(), 0);
    }

    pub(super) fn u16(&mut self, value: u16) {
        match self.order {
            ByteOrder::Big => self.bytes(&value.to_be_bytes()),
            ByteOrder::Little => self.bytes(&value.to_le_bytes()),
        }
    }

    pub(super) fn u32(&mut self, value: u32) {
        match self.order {
            ByteOrder::Big => self.bytes(&value.to_be_bytes()),
            ByteOrder::Little => self.bytes(&value.to_le_bytes()),
        }
    }

    pub(super) fn f32s(&mut self, values: &[f32]) {
        values.iter().for_each(|value| self.u32(value.to_bits()));
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// Takes fields from the front; `None` where the bytes end.
pub(super) struct FieldReader<'a> {
    rest: &'a [u8],
    order: ByteOrder,
}

impl<'a> FieldReader<'a> {
    pub(super) fn at(bytes: &'a [u8], offset: usize, order: ByteOrder) -> Self {
        Self { rest: bytes.get(offset..).unwrap_or(&[]), order }
    }

    pub(super) fn skip(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// Text up to the first zero; bytes that are not UTF-8 are shown as replacement characters.
    pub(super) fn text(&mut self, length: usize) -> Option<String> {
        let field = self.skip(length)?;
        let text = field.split(|&byte| byte == 0).next().unwrap_or(&[]);
        Some(String::from_utf8_lossy(text).into_owned())
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.skip(1)?.first().copied()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        let field = self.skip(2)?.try_into().ok()?;
        Some(match self.order {
            ByteOrder::Big => u16::from_be_bytes(field),
            ByteOrder::Little => u16::from_le_bytes(field),
        })
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let field = self.skip(4)?.try_into().ok()?;
        Some(match self.order {
            ByteOrder::Big => u32::from_be_bytes(field),
            ByteOrder::Little => u32::from_le_bytes(field),
        })
    }

    pub(super) fn f32(&mut self) -> Option<f32> {
        self.u32().map(f32::from_bits)
    }

    pub(super) fn f32s<const N: usize>(&mut self) -> Option<[f32; N]> {
        let mut values = [0.0; N];
        for value in &mut values {
            *value = self.f32()?;
        }
        Some(values)
    }

    /// A square picture and the line end behind it.
    pub(super) fn picture(&mut self, side_px: u32) -> Option<Vec<u16>> {
        debug_assert!(side_px <= BIG_PX, "pictures of the format are small");
        let words = (0..side_px * side_px).map(|_| self.u16()).collect::<Option<Vec<_>>>()?;
        self.skip(2)?;
        Some(words)
    }
}
