//! Reads designs: STL, 3MF and OBJ.
//!
//! Files are hostile until proved otherwise: memory and time are bounded by [`Limits`] and by the length of
//! the file, nothing panics, and what can't be understood is refused with a sentence that says what to do.
//! What can be understood in only one way is accepted with a note. Faces are kept as they are, in file order;
//! vertices with the same coordinates become one.

mod builder;
pub mod obj;
pub mod stl;
pub mod threemf;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::mesh::Mesh;

/// The kinds of design file that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MeshFormat {
    /// Triangles without a unit, binary or text.
    Stl,
    /// A zip package with XML inside and a declared unit.
    #[serde(rename = "3mf")]
    ThreeMf,
    /// Text with shared vertices and polygons, without a unit.
    Obj,
}

impl MeshFormat {
    /// The name as in `format` of reports and as file extension.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            MeshFormat::Stl => "stl",
            MeshFormat::ThreeMf => "3mf",
            MeshFormat::Obj => "obj",
        }
    }

    /// The format that a file extension stands for, upper or lower case.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        [Self::Stl, Self::ThreeMf, Self::Obj]
            .into_iter()
            .find(|format| format.name().eq_ignore_ascii_case(extension))
    }

    /// The format that the bytes themselves speak of; STL has no mark, so it is what remains.
    #[must_use]
    pub fn sniff(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"PK\x03\x04") {
            MeshFormat::ThreeMf
        } else if !stl::looks_like(bytes) && obj::looks_like(bytes) {
            MeshFormat::Obj
        } else {
            MeshFormat::Stl
        }
    }
}

/// The unit that a file declares for its coordinates; the mesh is already converted to mm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LengthUnit {
    /// 0.001 mm.
    Micron,
    /// 1 mm.
    Millimeter,
    /// 10 mm.
    Centimeter,
    /// 25.4 mm.
    Inch,
    /// 304.8 mm.
    Foot,
    /// 1000 mm.
    Meter,
}

impl LengthUnit {
    /// How many millimetres one unit is.
    #[must_use]
    pub fn millimeters(self) -> f64 {
        match self {
            LengthUnit::Micron => 0.001,
            LengthUnit::Millimeter => 1.0,
            LengthUnit::Centimeter => 10.0,
            LengthUnit::Inch => 25.4,
            LengthUnit::Foot => 304.8,
            LengthUnit::Meter => 1000.0,
        }
    }
}

/// What a reader may use up. All bounds are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Faces, after polygons are cut and instances are repeated.
    pub triangles_max: usize,
    /// Bytes of the file itself.
    pub file_bytes_max: u64,
    /// Bytes of all package parts together when unpacked.
    pub unpacked_bytes_max: u64,
    /// Unpacked size of one package part against its packed size.
    pub compression_ratio_max: u64,
    /// Parts in a package.
    pub package_parts_max: usize,
}

impl Limits {
    /// Bounds for one jewellery design. The densest studio exports have 3 million faces (150 MB as STL);
    /// XML of a mesh packs 6 to 20 times, so a ratio above 200 is a trap.
    pub const DESIGN: Self = Self {
        triangles_max: 20_000_000,
        file_bytes_max: 1 << 30,
        unpacked_bytes_max: 1 << 30,
        compression_ratio_max: 200,
        package_parts_max: 1000,
    };
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadMesh {
    /// The faces of everything in the file, mm; vertices with equal coordinates are one.
    pub mesh: Mesh,
    /// How the file was read.
    pub format: MeshFormat,
    /// The unit that the file declares, if it does; without one, millimetres were taken.
    pub declared_unit: Option<LengthUnit>,
    /// Notes and warnings about the file; never an error.
    pub findings: Vec<Finding>,
}

/// Why a file is not read. The text says what to do; [`ReadError::code`] is stable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No face in the file.
    #[error("the file has no triangles; export the design again and look at it in a viewer before sending")]
    FindTriangles,
    /// The bytes are nothing that is read here.
    #[error("the file is not {expected}: {reason}; export the design as binary STL, 3MF or OBJ")]
    Recognise {
        /// What it was taken for.
        expected: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// The file ends early.
    #[error(
        "the file is cut off: it announces {announced} triangles but holds {present}; send it again, whole"
    )]
    ReachEnd {
        /// Triangles that the header announces.
        announced: u64,
        /// Whole triangles in the file.
        present: u64,
    },
    /// A bound of [`Limits`] was passed.
    #[error("the file is too large: {what} is above {limit}; export the design with a coarser tolerance")]
    StayWithin {
        /// What is too many or too large.
        what: String,
        /// The bound.
        limit: u64,
    },
    /// A coordinate that is no number.
    #[error(
        "triangle {triangle} has a coordinate that is not a finite number; repair the design in the CAD program"
    )]
    UseCoordinate {
        /// Triangle, counted from 1.
        triangle: u64,
    },
    /// A coordinate so far out that single precision can't hold jewellery detail there.
    #[error(
        "triangle {triangle} lies more than {limit_mm} mm from the origin; move the design to the origin and export it in millimetres"
    )]
    StayNear {
        /// Triangle, counted from 1.
        triangle: u64,
        /// The bound, mm.
        limit_mm: u32,
    },
    /// Numbers with a comma that can't be read safely.
    #[error(
        "line {line} writes numbers with a decimal comma in a way that is ambiguous; export again with a decimal point"
    )]
    ReadDecimalComma {
        /// Line, counted from 1.
        line: usize,
    },
    /// A line that doesn't follow the format.
    #[error("line {line}: {reason}; export the design again, or send it as binary STL")]
    ReadLine {
        /// Line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A face that names a vertex which does not exist.
    #[error("{place} names vertex {index}, but there are {count} vertices; export the design again")]
    FollowIndex {
        /// Which line, face or object.
        place: String,
        /// The index as written.
        index: i64,
        /// Vertices that exist at that place.
        count: usize,
    },
    /// A 3MF package whose parts do not fit together.
    #[error("{part}: {reason}; export the 3MF again, or send the design as binary STL")]
    ReadPackage {
        /// Part of the package.
        part: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A 3MF package that must not be read without understanding an extension.
    #[error("the 3MF requires the extension \"{prefix}\", which is not supported; export it as a plain mesh")]
    UnderstandExtension {
        /// Prefix or address of the extension.
        prefix: String,
    },
}

impl ReadError {
    /// Stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ReadError::FindTriangles => "FILE_EMPTY",
            ReadError::Recognise { .. } => "FILE_NOT_MESH",
            ReadError::ReachEnd { .. } => "FILE_TRUNCATED",
            ReadError::StayWithin { .. } => "FILE_TOO_LARGE",
            ReadError::UseCoordinate { .. } => "COORD_NONFINITE",
            ReadError::StayNear { .. } => "COORD_RANGE",
            ReadError::ReadDecimalComma { .. } => "FILE_DECIMAL_COMMA",
            ReadError::ReadLine { .. } => "FILE_SYNTAX",
            ReadError::FollowIndex { .. } => "FILE_INDEX",
            ReadError::ReadPackage { .. } => "FILE_PACKAGE",
            ReadError::UnderstandExtension { .. } => "FILE_EXTENSION_REQUIRED",
        }
    }

    /// The refusal as a finding, for reports and answers.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding::error(self.code(), self.place(), self.to_string())
    }

    fn place(&self) -> String {
        match self {
            ReadError::UseCoordinate { triangle } | ReadError::StayNear { triangle, .. } => {
                format!("triangle {triangle}")
            }
            ReadError::ReadDecimalComma { line } | ReadError::ReadLine { line, .. } => format!("line {line}"),
            ReadError::FollowIndex { place, .. } => place.clone(),
            ReadError::ReadPackage { part, .. } => part.clone(),
            ReadError::FindTriangles
            | ReadError::Recognise { .. }
            | ReadError::ReachEnd { .. }
            | ReadError::StayWithin { .. }
            | ReadError::UnderstandExtension { .. } => "file".to_owned(),
        }
    }
}

/// Reads a design.
///
/// `format` is what the sender says it is, if anything; without it the bytes decide.
///
/// # Errors
/// A [`ReadError`] if the file can't be read in exactly one way, or passes a limit.
pub fn read(bytes: &[u8], format: Option<MeshFormat>, limits: &Limits) -> Result<ReadMesh, ReadError> {
    within("the number of bytes", u64::try_from(bytes.len()).unwrap_or(u64::MAX), limits.file_bytes_max)?;
    let mut read = match format.unwrap_or_else(|| MeshFormat::sniff(bytes)) {
        MeshFormat::Stl => stl::read(bytes, limits),
        MeshFormat::ThreeMf => threemf::read(bytes, limits),
        MeshFormat::Obj => obj::read(bytes, limits),
    }?;
    let triangles = read.mesh.triangles.len();
    if triangles > TRIANGLES_USUAL {
        let text = format!(
            "{triangles} triangles are far more than a printer can show and make every step slow; export the design with a coarser tolerance"
        );
        read.findings.push(Finding::warning("FILE_TOO_LARGE", "file", text));
    }
    Ok(read)
}

/// More triangles than this are read, but a person should know. The densest studio exports have 3 million.
const TRIANGLES_USUAL: usize = 5_000_000;

/// Refuses an amount above its bound.
pub(crate) fn within(what: &str, amount: u64, limit: u64) -> Result<(), ReadError> {
    if amount > limit { Err(ReadError::StayWithin { what: what.to_owned(), limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
