//! Fields of binary print files one after the other, in either byte order.

/// Byte order of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::print_files) enum ByteOrder {
    Big,
    Little,
}

/// Appends fields.
pub(in crate::print_files) struct FieldWriter {
    order: ByteOrder,
    out: Vec<u8>,
}

impl FieldWriter {
    pub(in crate::print_files) fn new(order: ByteOrder) -> Self {
        Self { order, out: Vec::new() }
    }

    pub(in crate::print_files) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Text of fixed length, padded with zeros and always ended by one, cut between characters. A field of
    /// four bytes is the version, which fills it.
    pub(in crate::print_files) fn text(&mut self, text: &str, length: usize) {
        let room = if length == 4 { 4 } else { length - 1 };
        let kept = &text[..text.floor_char_boundary(room)];
        self.out.extend_from_slice(kept.as_bytes());
        self.out.resize(self.out.len() + length - kept.len(), 0);
    }

    pub(in crate::print_files) fn u16(&mut self, value: u16) {
        match self.order {
            ByteOrder::Big => self.bytes(&value.to_be_bytes()),
            ByteOrder::Little => self.bytes(&value.to_le_bytes()),
        }
    }

    pub(in crate::print_files) fn u32(&mut self, value: u32) {
        match self.order {
            ByteOrder::Big => self.bytes(&value.to_be_bytes()),
            ByteOrder::Little => self.bytes(&value.to_le_bytes()),
        }
    }

    pub(in crate::print_files) fn f32s(&mut self, values: &[f32]) {
        values.iter().for_each(|value| self.u32(value.to_bits()));
    }

    pub(in crate::print_files) fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// Takes fields from the front; `None` where the bytes end.
pub(in crate::print_files) struct FieldReader<'a> {
    rest: &'a [u8],
    order: ByteOrder,
}

impl<'a> FieldReader<'a> {
    pub(in crate::print_files) fn at(bytes: &'a [u8], offset: usize, order: ByteOrder) -> Self {
        Self { rest: bytes.get(offset..).unwrap_or(&[]), order }
    }

    pub(in crate::print_files) fn skip(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// Text up to the first zero; bytes that are not UTF-8 are shown as replacement characters.
    pub(in crate::print_files) fn text(&mut self, length: usize) -> Option<String> {
        let field = self.skip(length)?;
        let text = field.split(|&byte| byte == 0).next().unwrap_or(&[]);
        Some(String::from_utf8_lossy(text).into_owned())
    }

    pub(in crate::print_files) fn u8(&mut self) -> Option<u8> {
        self.skip(1)?.first().copied()
    }

    pub(in crate::print_files) fn u16(&mut self) -> Option<u16> {
        let field = self.skip(2)?.try_into().ok()?;
        Some(match self.order {
            ByteOrder::Big => u16::from_be_bytes(field),
            ByteOrder::Little => u16::from_le_bytes(field),
        })
    }

    pub(in crate::print_files) fn u32(&mut self) -> Option<u32> {
        let field = self.skip(4)?.try_into().ok()?;
        Some(match self.order {
            ByteOrder::Big => u32::from_be_bytes(field),
            ByteOrder::Little => u32::from_le_bytes(field),
        })
    }

    pub(in crate::print_files) fn f32(&mut self) -> Option<f32> {
        self.u32().map(f32::from_bits)
    }

    pub(in crate::print_files) fn f32s<const N: usize>(&mut self) -> Option<[f32; N]> {
        let mut values = [0.0; N];
        for value in &mut values {
            *value = self.f32()?;
        }
        Some(values)
    }
}

/// The nearest single-precision number, as formats store them; what is not finite is stored as 0.
#[expect(clippy::cast_possible_truncation, reason = "nearest f32; process numbers are small")]
pub(in crate::print_files) fn single(value: f64) -> f32 {
    let value = value as f32;
    if value.is_finite() { value } else { 0.0 }
}

/// A single-precision number as the decimal that was meant: 0.05, not 0.05000000074505806. `None` if it is none.
pub(in crate::print_files) fn meant(value: f32) -> Option<f64> {
    value.to_string().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Millimetres to micrometres, to a thousandth: single precision has no more.
pub(in crate::print_files) fn thousandfold(mm: f64) -> f64 {
    (mm * 1e6).round() / 1e3
}

/// Masks that are made have pixels of 14 to 50 µm; beyond these bounds a number is garbage.
const PITCH_MM: std::ops::RangeInclusive<f64> = 1e-4..=10.0;

/// Distance of pixels when `pixels` of them are `mm` wide.
///
/// # Errors
/// If no mask has such pixels.
pub(in crate::print_files) fn pitch_mm(mm: f64, pixels: u32) -> Result<f64, String> {
    let pitch_mm = mm / f64::from(pixels);
    let made = PITCH_MM.contains(&pitch_mm);
    if made { Ok(pitch_mm) } else { Err(format!("pixels of {pitch_mm} mm do not exist")) }
}

/// A sum over the file as a share of each millilitre; sums that are 0 say nothing.
pub(in crate::print_files) fn per_ml(sum: f32, volume_ml: f64) -> Option<f64> {
    let share = meant(sum).unwrap_or(0.0) / volume_ml;
    // Single precision: four digits are meant.
    (share.is_finite() && share > 0.0).then(|| (share * 1e4).round() / 1e4)
}
