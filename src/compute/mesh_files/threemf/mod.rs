//! 3MF core specification 1.3: a zip package, in it an XML model with a unit, objects and what to build.
//!
//! Materials, textures, slices and thumbnails are left out. Extensions that a file *requires* are refused,
//! except materials, which do not change the shape.

mod model;
mod package;

use nalgebra::{Matrix3, Vector3};

use self::model::{Component, Model};
use super::builder::MeshBuilder;
use super::{Limits, MeshFormat, ReadError, ReadMesh, within};
use crate::mesh::{Mesh, cast::single};

/// Reads a 3MF package: every item to build, in its place, in mm.
///
/// # Errors
/// A [`ReadError`] if the package or its XML breaks a rule that decides what is built, uses a DTD, requires an
/// extension, or passes a limit.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<ReadMesh, ReadError> {
    let model = package::with_model(bytes, limits, |part, xml| model::read(part, xml, limits))?;
    let mesh = build(&model, limits)?;
    Ok(ReadMesh { mesh, format: MeshFormat::ThreeMf, declared_unit: Some(model.unit), findings: Vec::new() })
}

/// Why the model is not as the specification says.
pub(super) fn broken(part: &str, reason: impl Into<String>) -> ReadError {
    ReadError::ReadPackage { part: part.to_owned(), reason: reason.into() }
}

/// Where an object goes: `p * matrix + offset` of the specification, written for column vectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placement {
    pub(super) matrix: Matrix3<f64>,
    pub(super) offset: Vector3<f64>,
}

impl Placement {
    pub(super) const HERE: Self = Self {
        matrix: Matrix3::new(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
        offset: Vector3::new(0.0, 0.0, 0.0),
    };

    /// First `self`, then `outer`.
    fn then(self, outer: Self) -> Self {
        Self { matrix: outer.matrix * self.matrix, offset: outer.matrix * self.offset + outer.offset }
    }
}

/// Puts every build item, with the components of its components, into one mesh.
fn build(model: &Model, limits: &Limits) -> Result<Mesh, ReadError> {
    let faces = model.build.iter().fold(0_u64, |sum, item| {
        sum.saturating_add(model.objects.get(&item.object).map_or(0, |object| object.faces))
    });
    within("the number of triangles", faces, limits.triangles_max.try_into().unwrap_or(u64::MAX))?;
    let mut builder = MeshBuilder::new(usize::try_from(faces).unwrap_or(0), limits);
    let scale = Placement { matrix: Matrix3::identity() * model.unit.millimeters(), ..Placement::HERE };
    let mut open: Vec<Component> = model.build.iter().rev().copied().collect();
    while let Some(Component { object, placement }) = open.pop() {
        let Some(object) = model.objects.get(&object).filter(|object| object.faces > 0) else { continue };
        let in_mm = placement.then(scale);
        let is_mirrored = placement.matrix.determinant() < 0.0;
        for &[a, b, c] in &object.triangles {
            let corners = if is_mirrored { [a, c, b] } else { [a, b, c] };
            builder.add(corners.map(|index| {
                let corner = object.vertices[index as usize];
                (in_mm.matrix * corner + in_mm.offset).map(single).into()
            }))?;
        }
        for component in object.components.iter().rev() {
            let placement = component.placement.then(placement);
            open.push(Component { object: component.object, placement });
        }
    }
    builder.finish()
}
