//! STL, binary and text.
//!
//! Binary faces are taken from their fixed places. The `stl_io` crate reads text; it takes several broken files
//! for good ones and some good ones for broken, so it is handed only text in its one strict spelling. Normals in
//! files are often wrong and are ignored; the winding of the corners counts.

mod text;

use std::io::{self, Read, Seek, Write};

use stl_io::{Normal, Triangle, Vertex};

use super::builder::MeshBuilder;
use super::{Limits, MeshFormat, ReadError, ReadMesh, within};
use crate::finding::Finding;
use crate::mesh::Mesh;
use crate::mesh::weld::BLOCK;

const HEADER_BYTES: usize = 80;
const COUNT_END: usize = 84;
const FACE_BYTES: usize = 50;

/// Reads an STL file of either kind.
///
/// # Errors
/// A [`ReadError`] if the file is cut off, empty, not STL, above a limit, or holds numbers that aren't finite.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<ReadMesh, ReadError> {
    if !has_announced_length(bytes) && text::looks_like(bytes) {
        text::read(bytes, limits)
    } else {
        read_binary(bytes, limits)
    }
}

/// Whether bytes are certainly STL: binary of exactly the announced length, or its text.
pub(crate) fn looks_like(bytes: &[u8]) -> bool {
    has_announced_length(bytes) || text::looks_like(bytes)
}

/// Writes a mesh as binary STL.
///
/// # Errors
/// What the writer answers, or `InvalidInput` for more faces than the format can count.
pub fn write_stl(mesh: &Mesh, mut out: impl Write) -> io::Result<()> {
    if u32::try_from(mesh.triangles.len()).is_err() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "STL can't hold 2^32 triangles or more"));
    }
    let faces = mesh.triangles.iter().map(|face| {
        let corners = face.map(|index| mesh.vertices[index as usize]);
        let normal = (corners[1] - corners[0]).cross(&(corners[2] - corners[0]));
        let normal = normal.try_normalize(0.0).unwrap_or_default();
        let vertices = corners.map(|corner| Vertex::new(corner.coords.into()));
        Triangle { normal: Normal::new(normal.into()), vertices }
    });
    stl_io::write_stl(&mut out, faces)
}

fn has_announced_length(bytes: &[u8]) -> bool {
    announced(bytes).is_some_and(|count| count > 0 && Some(bytes.len()) == length_of(count))
}

fn announced(bytes: &[u8]) -> Option<u32> {
    bytes.get(HEADER_BYTES..COUNT_END)?.try_into().ok().map(u32::from_le_bytes)
}

fn length_of(count: u32) -> Option<usize> {
    usize::try_from(count).ok()?.checked_mul(FACE_BYTES)?.checked_add(COUNT_END)
}

fn read_binary(bytes: &[u8], limits: &Limits) -> Result<ReadMesh, ReadError> {
    let not_stl = |reason: String| ReadError::Recognise { expected: "STL", reason };
    let Some(count) = announced(bytes) else {
        return Err(not_stl(format!("{} bytes are too few for a header", bytes.len())));
    };
    let present = (bytes.len() - COUNT_END) / FACE_BYTES;
    let whole = u64::try_from(present).unwrap_or(u64::MAX);
    if count == 0 {
        return Err(if present == 0 {
            ReadError::FindTriangles
        } else {
            not_stl(format!("the header announces no triangles, but {present} would fit into what follows"))
        });
    }
    if u64::from(count) > whole {
        return Err(ReadError::ReachEnd { announced: u64::from(count), present: whole });
    }
    within("the number of triangles", u64::from(count), limits.triangles_max.try_into().unwrap_or(u64::MAX))?;
    let end = length_of(count).unwrap_or(bytes.len());
    let mut builder = MeshBuilder::new(present.min(end / FACE_BYTES), limits);
    add_binary(&bytes[COUNT_END..end], &mut builder)?;
    let findings = notes(bytes, end);
    Ok(ReadMesh { mesh: builder.finish()?, format: MeshFormat::Stl, declared_unit: None, findings })
}

fn notes(bytes: &[u8], end: usize) -> Vec<Finding> {
    let mut notes = Vec::new();
    if bytes[..5].eq_ignore_ascii_case(b"solid") {
        let text = "a binary file with a header that looks like text; it was read as binary, nothing to do";
        notes.push(Finding::note("FILE_SOLID_HEADER", "byte 0", text));
    }
    if bytes.len() > end {
        let text = format!(
            "{} bytes follow the last announced triangle and were ignored; look whether the design is complete",
            bytes.len() - end
        );
        notes.push(Finding::note("FILE_TRAILING", format!("byte {end}"), text));
    }
    notes
}

/// Faces of 50 bytes: a normal, three corners, two bytes that mean nothing here.
fn add_binary(bytes: &[u8], builder: &mut MeshBuilder) -> Result<(), ReadError> {
    let (faces, _) = bytes.as_chunks::<FACE_BYTES>();
    let (blocks, rest) = faces.as_chunks::<{ BLOCK / 3 }>();
    let mut corners = [[0.0_f32; 3]; BLOCK];
    for block in blocks {
        for (face, corners) in block.iter().zip(corners.as_chunks_mut::<3>().0) {
            *corners = corners_of(face);
        }
        builder.add_block(&corners)?;
    }
    rest.iter().try_for_each(|face| builder.add(corners_of(face)))
}

#[inline]
fn corners_of(face: &[u8; FACE_BYTES]) -> [[f32; 3]; 3] {
    let (numbers, _) = face.as_chunks::<4>();
    let number = |at: usize| f32::from_le_bytes(numbers[at]);
    [3, 6, 9].map(|first| [number(first), number(first + 1), number(first + 2)])
}

/// Lets `stl_io` read everything that `source` holds.
fn add_all(source: &mut (impl Read + Seek), builder: &mut MeshBuilder) -> Result<(), ReadError> {
    let not_stl = |error: io::Error| ReadError::Recognise { expected: "STL", reason: error.to_string() };
    for triangle in stl_io::create_stl_reader(source).map_err(not_stl)? {
        builder.add(triangle.map_err(not_stl)?.vertices.map(|vertex| vertex.0))?;
    }
    Ok(())
}
