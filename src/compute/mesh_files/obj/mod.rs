//! Wavefront OBJ: corners and polygons. Everything else in such a file (materials, texture, curves) is left out.

mod polygon;

use std::borrow::Cow;

use nalgebra::Point3;

use super::builder::MeshBuilder;
use super::{Limits, MeshFormat, ReadError, ReadMesh, within};

/// Corners of one polygon that are accepted; CAD programs write up to a few dozen.
const CORNERS_MAX: usize = 256;
/// A text file must start an OBJ statement within this many bytes.
const PROBE_BYTES: usize = 4096;

/// Reads an OBJ file, UTF-8 or UTF-16 with its mark. Polygons are cut into triangles.
///
/// # Errors
/// A [`ReadError`] if a line has no meaning, a face names a vertex that doesn't exist, no face is there, or a
/// limit is passed.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<ReadMesh, ReadError> {
    let text = decode(bytes);
    // The shortest face line, "f 1 2 3" and its end, takes 8 bytes.
    let mut file = File { corners: Vec::new(), builder: MeshBuilder::new(bytes.len() / 80, limits) };
    let mut joined: Vec<u8> = Vec::new();
    for (number, line) in text.split(|&byte| byte == b'\n' || byte == b'\r').enumerate() {
        if let Some(start) = line.strip_suffix(b"\\") {
            joined.extend_from_slice(start);
            joined.push(b' ');
        } else if joined.is_empty() {
            file.line(number + 1, line, limits)?;
        } else {
            joined.extend_from_slice(line);
            file.line(number + 1, &joined, limits)?;
            joined.clear();
        }
    }
    let mesh = file.builder.finish()?;
    Ok(ReadMesh { mesh, format: MeshFormat::Obj, declared_unit: None, findings: Vec::new() })
}

/// Whether bytes start like an OBJ file: the first word that is no comment is one of its statements.
pub(crate) fn looks_like(bytes: &[u8]) -> bool {
    let text = decode(&bytes[..bytes.len().min(PROBE_BYTES)]);
    let first = text
        .split(|&byte| byte == b'\n' || byte == b'\r')
        .filter_map(|line| line.split(u8::is_ascii_whitespace).find(|word| !word.is_empty()))
        .find(|word| !word.starts_with(b"#"));
    let statements: [&[u8]; 10] = [b"v", b"vt", b"vn", b"f", b"o", b"g", b"s", b"mtllib", b"usemtl", b"l"];
    first.is_some_and(|word| statements.contains(&word))
}

/// The text as UTF-8; bytes that are no text stay as they are and fail later.
fn decode(bytes: &[u8]) -> Cow<'_, [u8]> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks::<2>().0.iter().map(|&pair| unit(pair));
        let text: String =
            char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        Cow::Owned(text.into_bytes())
    };
    match bytes {
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(rest),
        _ => Cow::Borrowed(bytes),
    }
}

struct File {
    corners: Vec<Point3<f32>>,
    builder: MeshBuilder,
}

impl File {
    fn line(&mut self, number: usize, line: &[u8], limits: &Limits) -> Result<(), ReadError> {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        match words.next() {
            Some(b"v") => {
                let limit = limits.triangles_max.saturating_mul(3);
                let count = u64::try_from(self.corners.len()).unwrap_or(u64::MAX).saturating_add(1);
                within("the number of vertices", count, limit.try_into().unwrap_or(u64::MAX))?;
                self.corners.push(corner(number, words)?);
                Ok(())
            }
            Some(b"f") => self.face(number, words),
            Some(word) if !word.iter().all(|byte| byte.is_ascii_graphic()) && word[0] != b'#' => {
                let reason = "it is not text".to_owned();
                Err(ReadError::ReadLine { line: number, reason })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn face<'word>(
        &mut self,
        line: usize,
        words: impl Iterator<Item = &'word [u8]>,
    ) -> Result<(), ReadError> {
        let mut corners = Vec::new();
        for word in words.take_while(|word| !word.starts_with(b"#")) {
            within("the number of corners of a face", corners.len() as u64 + 1, CORNERS_MAX as u64)?;
            corners.push(self.corner_at(line, word)?);
        }
        if corners.len() < 3 {
            let reason = format!("a face with {} corners", corners.len());
            return Err(ReadError::ReadLine { line, reason });
        }
        for triangle in polygon::cut(&corners) {
            self.builder.add(triangle.map(|index| corners[index].coords.into()))?;
        }
        Ok(())
    }

    /// The corner that a word like `7/2/5`, `7//5` or `-1` names.
    fn corner_at(&self, line: usize, word: &[u8]) -> Result<Point3<f32>, ReadError> {
        let first = word.split(|&byte| byte == b'/').next().unwrap_or_default();
        let count = self.corners.len();
        let index: i64 =
            std::str::from_utf8(first).ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
                ReadError::ReadLine {
                    line,
                    reason: "a face names something that is no vertex number".to_owned(),
                }
            })?;
        let from_start = if index < 0 {
            usize::try_from(index.unsigned_abs()).ok().and_then(|back| count.checked_sub(back))
        } else {
            usize::try_from(index).ok().and_then(|index| index.checked_sub(1))
        };
        let found = from_start.and_then(|index| self.corners.get(index));
        found.copied().ok_or_else(|| ReadError::FollowIndex { place: format!("line {line}"), index, count })
    }
}

fn corner<'word>(line: usize, words: impl Iterator<Item = &'word [u8]>) -> Result<Point3<f32>, ReadError> {
    let wrong = |reason: &str| ReadError::ReadLine { line, reason: reason.to_owned() };
    let mut numbers = [0.0_f32; 3];
    let mut count = 0;
    for (number, word) in numbers.iter_mut().zip(words) {
        if word.contains(&b',') {
            return Err(ReadError::ReadDecimalComma { line });
        }
        let text = std::str::from_utf8(word).map_err(|_| wrong("a coordinate is not text"))?;
        *number = text.parse().map_err(|_| wrong("a coordinate is not a number"))?;
        count += 1;
    }
    if count < 3 { Err(wrong("a vertex needs three coordinates")) } else { Ok(numbers.into()) }
}
