//! Text STL as it is found in the field: any case, any line ends, several solids, decimal commas.

use std::io::Cursor;

use super::super::builder::MeshBuilder;
use super::super::{Limits, MeshFormat, ReadError, ReadMesh};
use super::add_all;
use crate::finding::Finding;

/// Text is handed on in pieces of this many faces, so that memory stays small.
const PIECE_FACES: usize = 4096;
/// A text file must speak of a face within this many bytes.
const PROBE_BYTES: usize = 4096;

/// Whether bytes start like a text STL: `solid`, and soon a `facet` or the end of the solid.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    let text = without_mark(bytes);
    let probe = text[..text.len().min(PROBE_BYTES)].to_ascii_lowercase();
    let mut words = probe.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.next() == Some(b"solid") && words.any(|word| word == b"facet" || word == b"endsolid")
}

/// Reads a text STL.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<ReadMesh, ReadError> {
    // A face takes at least 80 characters as text.
    let mut text = Text::new(MeshBuilder::new(bytes.len() / 80, limits));
    let mut number = 0;
    for line in without_mark(bytes).split(|&byte| byte == b'\n' || byte == b'\r') {
        number += 1;
        text.line(number, line)?;
    }
    text.finish(number)
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Where in the grammar the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Solid,
    Face { corners: usize },
}

struct Text {
    builder: MeshBuilder,
    place: Place,
    solids: usize,
    /// Faces in the one spelling that `stl_io` takes, not yet handed on.
    piece: String,
    faces: usize,
    has_comma: bool,
    has_point: bool,
}

impl Text {
    fn new(builder: MeshBuilder) -> Self {
        let mut text = Self {
            builder,
            place: Place::Outside,
            solids: 0,
            piece: String::new(),
            faces: 0,
            has_comma: false,
            has_point: false,
        };
        text.start_piece();
        text
    }

    fn line(&mut self, number: usize, line: &[u8]) -> Result<(), ReadError> {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let Some(first) = words.next() else { return Ok(()) };
        let wrong = |reason: &str| ReadError::ReadLine { line: number, reason: reason.to_owned() };
        match (first.to_ascii_lowercase().as_slice(), self.place) {
            (b"solid", Place::Outside) => {
                self.solids += 1;
                self.place = Place::Solid;
            }
            (b"endsolid", Place::Solid) => self.place = Place::Outside,
            (b"facet", Place::Solid) => {
                self.piece.push_str("facet normal 0 0 0\nouter loop\n");
                self.place = Place::Face { corners: 0 };
            }
            (b"outer" | b"endloop", Place::Face { .. }) => {}
            (b"vertex", Place::Face { corners: 3 }) => {
                return Err(wrong("a face has more than three corners"));
            }
            (b"vertex", Place::Face { corners }) => {
                self.vertex(number, &words.collect::<Vec<_>>())?;
                self.place = Place::Face { corners: corners + 1 };
            }
            (b"endfacet", Place::Face { corners: 3 }) => {
                self.piece.push_str("endloop\nendfacet\n");
                self.place = Place::Solid;
                self.faces += 1;
                if self.faces == PIECE_FACES {
                    self.hand_on()?;
                }
            }
            (b"endfacet", Place::Face { .. }) => return Err(wrong("a face has fewer than three corners")),
            (word, _) => {
                let word = String::from_utf8_lossy(&word[..word.len().min(20)]).into_owned();
                return Err(wrong(&format!("\"{word}\" is out of place in an STL file")));
            }
        }
        Ok(())
    }

    fn vertex(&mut self, line: usize, words: &[&[u8]]) -> Result<(), ReadError> {
        let [_, _, _] = words else {
            let has_comma = words.iter().any(|word| word.contains(&b','));
            return Err(if has_comma {
                ReadError::ReadDecimalComma { line }
            } else {
                ReadError::ReadLine { line, reason: "a corner needs three numbers".to_owned() }
            });
        };
        self.piece.push_str("vertex");
        for word in words {
            let number = self.number(line, word)?;
            self.piece.push(' ');
            self.piece.push_str(&number);
        }
        self.piece.push('\n');
        Ok(())
    }

    /// One coordinate with a decimal point. A comma stands for it only if no number of the file has a point.
    fn number(&mut self, line: usize, word: &[u8]) -> Result<String, ReadError> {
        let text = String::from_utf8_lossy(word);
        self.has_point |= text.contains('.');
        let commas = text.matches(',').count();
        self.has_comma |= commas > 0;
        if commas > 1 || (self.has_comma && self.has_point) {
            return Err(ReadError::ReadDecimalComma { line });
        }
        let text = text.replace(',', ".");
        match text.parse::<f32>() {
            Ok(number) if number.is_finite() => Ok(text),
            Ok(_) => {
                let triangle = u64::try_from(self.builder.len() + self.faces).unwrap_or(u64::MAX);
                Err(ReadError::UseCoordinate { triangle: triangle.saturating_add(1) })
            }
            Err(_) => {
                let shown: String = text.chars().take(20).collect();
                Err(ReadError::ReadLine { line, reason: format!("\"{shown}\" is not a number") })
            }
        }
    }

    fn start_piece(&mut self) {
        self.piece.clear();
        self.piece.push_str("solid piece\n");
        self.faces = 0;
    }

    fn hand_on(&mut self) -> Result<(), ReadError> {
        self.piece.push_str("endsolid\n");
        // `stl_io` ends at `endsolid` with an answer of "no more".
        add_all(&mut Cursor::new(self.piece.as_bytes()), &mut self.builder)?;
        self.start_piece();
        Ok(())
    }

    fn finish(mut self, last_line: usize) -> Result<ReadMesh, ReadError> {
        if self.place != Place::Outside {
            let reason = "the file ends before its last solid does, so it is cut off".to_owned();
            return Err(ReadError::ReadLine { line: last_line, reason });
        }
        self.hand_on()?;
        let mut findings = Vec::new();
        if self.solids > 1 {
            let text = format!("the file has {} solids; all were read as one design", self.solids);
            findings.push(Finding::note("FILE_MULTI_SOLID", "file", text));
        }
        if self.has_comma {
            let text = "numbers are written with a decimal comma; compare the size below with the design";
            findings.push(Finding::warning("FILE_DECIMAL_COMMA", "file", text));
        }
        Ok(ReadMesh { mesh: self.builder.finish()?, format: MeshFormat::Stl, declared_unit: None, findings })
    }
}
