//! Pictures whose pixels need not be spread out: deflate streams are unpacked to runs.
//!
//! A match that copies from within one run lengthens it, whatever its length, so the work grows with the number
//! of codes, not of pixels; codes of zero bits, of which dark areas consist, are counted instead of read. Read this
//! way are pictures without filters, 8-bit grey or packed, as the writer here makes them; the rest is left to the
//! general decoder, damaged ones too, which says what is wrong.
//!
//! Source: RFC 1951, PNG specification 5 and 9.

use super::{Packing, SIGNATURE};
use crate::print_files::deflate::inflate::inflate;
use crate::slice::RunList;

/// The picture as runs, or `None` if it is of another kind or damaged.
pub(super) fn unfold(bytes: &[u8], size: [u32; 2], packing: Packing) -> Option<RunList> {
    let (columns, colour, row) = match packing {
        Packing::Plain => (size[0], super::GREY, size[0]),
        Packing::Rgb => (size[0].div_ceil(3), super::TRUECOLOUR, size[0].div_ceil(3) * 3),
        Packing::Bgr => return None,
    };
    let mut rest = bytes.strip_prefix(&SIGNATURE)?;
    let mut head = Vec::with_capacity(13);
    head.extend(columns.to_be_bytes());
    head.extend(size[1].to_be_bytes());
    head.extend([8, colour, 0, 0, 0]);
    let mut stream: Option<&[u8]> = None;
    let mut seen_head = false;
    loop {
        let (kind, body, after) = next_chunk(rest)?;
        match kind {
            b"IHDR" => seen_head = body == head,
            b"IDAT" if stream.is_none() => stream = Some(body),
            b"IDAT" => return None,
            b"IEND" => break,
            _ => {}
        }
        rest = after;
    }
    if !seen_head {
        return None;
    }
    let bytes_max = u64::from(size[1]) * (u64::from(row) + 1);
    let mut rows = Rows { width: size[0], row, rows_left: size[1], column: 0, list: RunList::new() };
    inflate(stream?, bytes_max, |value, length| rows.push(value, length))?;
    (rows.rows_left == 0 && rows.column == 0).then_some(rows.list)
}

type Chunk<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// Kind, body, and what follows; `None` if it is cut or its sum is wrong.
fn next_chunk(bytes: &[u8]) -> Option<Chunk<'_>> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
    let (summed, rest) = rest.split_at_checked(length.checked_add(4)?)?;
    let (sum, rest) = rest.split_at_checked(4)?;
    let mut own = flate2::Crc::new();
    own.update(summed);
    let (kind, body) = summed.split_at(4);
    (own.sum().to_be_bytes() == sum).then_some((kind, body, rest))
}

/// Takes filter bytes and padding out of the stream.
struct Rows {
    width: u32,
    /// Bytes of a row without its filter.
    row: u32,
    rows_left: u32,
    /// Place in the row: 0 is the filter.
    column: u32,
    list: RunList,
}

impl Rows {
    /// `None` if a row has a filter, or there are too many.
    fn push(&mut self, value: u8, mut length: u64) -> Option<()> {
        while length > 0 {
            if self.rows_left == 0 {
                return None;
            }
            if self.column == 0 {
                if value != 0 {
                    return None;
                }
                if let Some(whole) = self.dark_rows(value, length) {
                    length -= whole;
                    continue;
                }
                self.column = 1;
                length -= 1;
                continue;
            }
            let left = u64::from(self.row + 1 - self.column);
            let taken = u32::try_from(length.min(left)).ok()?;
            let lit = taken.min((self.width + 1).saturating_sub(self.column));
            self.list.push(value, lit);
            self.column += taken;
            length -= u64::from(taken);
            if self.column == self.row + 1 {
                self.column = 0;
                self.rows_left -= 1;
            }
        }
        Some(())
    }

    /// Whole rows of filter 0 and dark pixels at once; how many bytes they are.
    fn dark_rows(&mut self, value: u8, length: u64) -> Option<u64> {
        let rows = u32::try_from(length / u64::from(self.row + 1)).ok()?.min(self.rows_left);
        if value != 0 || rows == 0 {
            return None;
        }
        self.list.push(0, rows.checked_mul(self.width)?);
        self.rows_left -= rows;
        Some(u64::from(rows) * u64::from(self.row + 1))
    }
}
