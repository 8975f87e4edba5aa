//! The XML model: objects with faces or components, and the items to build.

use std::collections::BTreeMap;
use std::io::BufRead;

use nalgebra::{Matrix3, Vector3};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use super::super::{LengthUnit, Limits, ReadError, within};
use super::{Placement, broken};

const CORE: &[u8] = b"http://schemas.microsoft.com/3dmanufacturing/core/2015/02";
/// Extensions that change colours only.
const HARMLESS: [&str; 2] = [
    "http://schemas.microsoft.com/3dmanufacturing/material/2015/02",
    "http://schemas.microsoft.com/3dmanufacturing/material/2015/07",
];
/// How deep elements may be nested; the core specification needs 6.
const DEPTH_MAX: usize = 64;

/// What a model part says.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) unit: LengthUnit,
    pub(super) objects: BTreeMap<u32, Object>,
    pub(super) build: Vec<Component>,
}

/// A shape that can be placed. Components refer to objects that were read before, so there are no circles.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub(super) vertices: Vec<Vector3<f64>>,
    pub(super) triangles: Vec<[u32; 3]>,
    pub(super) components: Vec<Component>,
    /// Faces with those of all components; saturates.
    pub(super) faces: u64,
}

/// An object in its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Component {
    pub(super) object: u32,
    pub(super) placement: Placement,
}

/// Reads the model part `part`.
pub(super) fn read(part: &str, xml: &mut dyn BufRead, limits: &Limits) -> Result<Model, ReadError> {
    let mut reader = NsReader::from_reader(xml);
    let mut state = State::new(part, limits);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let (namespace, event) = reader
            .read_resolved_event_into(&mut buffer)
            .map_err(|error| broken(part, format!("it is not XML ({error})")))?;
        let is_core = namespace == ResolveResult::Bound(Namespace(CORE));
        match event {
            Event::Start(element) => {
                state.open(is_core, &element)?;
                state.depth += 1;
                within("the depth of XML elements", state.depth as u64, DEPTH_MAX as u64)?;
            }
            Event::Empty(element) => {
                state.open(is_core, &element)?;
                state.close(is_core, element.local_name().as_ref())?;
            }
            Event::End(element) => {
                state.depth = state.depth.saturating_sub(1);
                state.close(is_core, element.local_name().as_ref())?;
            }
            Event::Text(text) => {
                if state.depth == 0 && !text.iter().all(u8::is_ascii_whitespace) && *text != *b"\xef\xbb\xbf"
                {
                    return Err(broken(part, "there is text outside of the model"));
                }
            }
            Event::DocType(_) => return Err(broken(part, "a document type definition is not allowed")),
            Event::Eof => return state.finish(),
            Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::GeneralRef(_) => {}
        }
    }
}

struct State<'part> {
    part: &'part str,
    limits: &'part Limits,
    depth: usize,
    unit: Option<LengthUnit>,
    objects: BTreeMap<u32, Object>,
    object: Option<(u32, Object)>,
    build: Option<Vec<Component>>,
    triangles: u64,
    vertices: u64,
}

impl<'part> State<'part> {
    fn new(part: &'part str, limits: &'part Limits) -> Self {
        Self {
            part,
            limits,
            depth: 0,
            unit: None,
            objects: BTreeMap::new(),
            object: None,
            build: None,
            triangles: 0,
            vertices: 0,
        }
    }

    fn open(&mut self, is_core: bool, element: &BytesStart<'_>) -> Result<(), ReadError> {
        let name = element.local_name();
        if self.depth == 0 {
            return if is_core && name.as_ref() == b"model" {
                self.open_model(element)
            } else {
                Err(self.broken("the root element is not a 3MF model"))
            };
        }
        if !is_core {
            return Ok(());
        }
        match name.as_ref() {
            b"object" => self.open_object(element),
            b"vertex" => self.vertex(element),
            b"triangle" => self.triangle(element),
            b"component" => {
                let component = self.component(element)?;
                match &mut self.object {
                    Some((_, object)) => object.components.push(component),
                    None => return Err(self.broken("a component stands outside of an object")),
                }
                Ok(())
            }
            b"build" if self.build.is_some() => Err(self.broken("there are two build elements")),
            b"build" => {
                self.build = Some(Vec::new());
                Ok(())
            }
            b"item" => {
                let item = self.component(element)?;
                match &mut self.build {
                    Some(build) => build.push(item),
                    None => return Err(self.broken("an item stands outside of the build element")),
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn close(&mut self, is_core: bool, name: &[u8]) -> Result<(), ReadError> {
        if !(is_core && name == b"object") {
            return Ok(());
        }
        let Some((id, mut object)) = self.object.take() else { return Ok(()) };
        let own = u64::try_from(object.triangles.len()).unwrap_or(u64::MAX);
        object.faces = object.components.iter().fold(own, |sum, component| {
            sum.saturating_add(self.objects.get(&component.object).map_or(0, |object| object.faces))
        });
        if self.objects.insert(id, object).is_some() {
            return Err(self.broken(format!("two objects have the id {id}")));
        }
        Ok(())
    }

    fn finish(self) -> Result<Model, ReadError> {
        let part = self.part;
        if self.depth > 0 {
            return Err(broken(part, "the XML ends early, so the file is cut off"));
        }
        let unit = self.unit.ok_or_else(|| broken(part, "there is no model element"))?;
        let build = self.build.ok_or_else(|| broken(part, "there is no build element"))?;
        if build.is_empty() {
            return Err(broken(part, "the build element names nothing to build"));
        }
        Ok(Model { unit, objects: self.objects, build })
    }

    fn open_model(&mut self, element: &BytesStart<'_>) -> Result<(), ReadError> {
        if self.unit.is_some() {
            return Err(self.broken("there is more than one model"));
        }
        self.unit = Some(match self.text(element, b"unit")?.as_deref() {
            None | Some("millimeter") => LengthUnit::Millimeter,
            Some("micron") => LengthUnit::Micron,
            Some("centimeter") => LengthUnit::Centimeter,
            Some("inch") => LengthUnit::Inch,
            Some("foot") => LengthUnit::Foot,
            Some("meter") => LengthUnit::Meter,
            Some(other) => {
                let shown: String = other.chars().take(20).collect();
                return Err(self.broken(format!("\"{shown}\" is not a unit of 3MF")));
            }
        });
        let required = self.text(element, b"requiredextensions")?.unwrap_or_default();
        for prefix in required.split_ascii_whitespace() {
            let address = self.text(element, format!("xmlns:{prefix}").as_bytes())?;
            if !address.is_some_and(|address| HARMLESS.contains(&address.as_str())) {
                return Err(ReadError::UnderstandExtension { prefix: prefix.chars().take(40).collect() });
            }
        }
        Ok(())
    }

    fn open_object(&mut self, element: &BytesStart<'_>) -> Result<(), ReadError> {
        if self.object.is_some() {
            return Err(self.broken("an object stands inside another"));
        }
        let id = self.id(element, b"id")?;
        self.object = Some((id, Object::default()));
        Ok(())
    }

    fn vertex(&mut self, element: &BytesStart<'_>) -> Result<(), ReadError> {
        self.vertices += 1;
        let limit = self.limits.triangles_max.saturating_mul(3);
        within("the number of vertices", self.vertices, limit.try_into().unwrap_or(u64::MAX))?;
        let mut corner = [None; 3];
        for attribute in element.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| self.broken("an attribute of a vertex can't be read"))?;
            let axis = match attribute.key.as_ref() {
                b"x" => 0,
                b"y" => 1,
                b"z" => 2,
                _ => continue,
            };
            corner[axis] =
                std::str::from_utf8(&attribute.value).ok().and_then(|text| text.trim().parse().ok());
        }
        let [Some(x), Some(y), Some(z)] = corner else {
            return Err(self.broken("a vertex has not three numbers x, y and z"));
        };
        match &mut self.object {
            Some((_, object)) => object.vertices.push(Vector3::new(x, y, z)),
            None => return Err(self.broken("a vertex stands outside of an object")),
        }
        Ok(())
    }

    fn triangle(&mut self, element: &BytesStart<'_>) -> Result<(), ReadError> {
        self.triangles += 1;
        let limit = self.limits.triangles_max;
        within("the number of triangles", self.triangles, limit.try_into().unwrap_or(u64::MAX))?;
        let mut corners = [None::<u32>; 3];
        for attribute in element.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| self.broken("an attribute of a triangle can't be read"))?;
            let corner = match attribute.key.as_ref() {
                b"v1" => 0,
                b"v2" => 1,
                b"v3" => 2,
                _ => continue,
            };
            corners[corner] =
                std::str::from_utf8(&attribute.value).ok().and_then(|text| text.trim().parse().ok());
        }
        let [Some(a), Some(b), Some(c)] = corners else {
            return Err(self.broken("a triangle has not three vertex numbers v1, v2 and v3"));
        };
        let Some((id, object)) = &mut self.object else {
            return Err(self.broken("a triangle stands outside of an object"));
        };
        let count = object.vertices.len();
        if let Some(wrong) = [a, b, c].into_iter().find(|&index| index as usize >= count) {
            let place = format!("object {id}, triangle {}", object.triangles.len() + 1);
            return Err(ReadError::FollowIndex { place, index: i64::from(wrong), count });
        }
        object.triangles.push([a, b, c]);
        Ok(())
    }

    fn component(&self, element: &BytesStart<'_>) -> Result<Component, ReadError> {
        let object = self.id(element, b"objectid")?;
        if !self.objects.contains_key(&object) {
            return Err(self.broken(format!("object {object} is used before or without being defined")));
        }
        let placement = match self.text(element, b"transform")? {
            None => Placement::HERE,
            Some(text) => self.placement(&text)?,
        };
        Ok(Component { object, placement })
    }

    /// Twelve numbers, row by row of the matrix that row vectors are multiplied with.
    fn placement(&self, text: &str) -> Result<Placement, ReadError> {
        let numbers: Vec<f64> = text.split_ascii_whitespace().map_while(|word| word.parse().ok()).collect();
        let is_whole = text.split_ascii_whitespace().count() == numbers.len();
        match numbers.as_slice() {
            &[a, b, c, d, e, f, g, h, i, x, y, z] if is_whole && numbers.iter().all(|n| n.is_finite()) => {
                Ok(Placement {
                    matrix: Matrix3::new(a, d, g, b, e, h, c, f, i),
                    offset: Vector3::new(x, y, z),
                })
            }
            _ => Err(self.broken("a transform is not twelve numbers")),
        }
    }

    fn id(&self, element: &BytesStart<'_>, name: &[u8]) -> Result<u32, ReadError> {
        let text = self.text(element, name)?;
        text.and_then(|text| text.trim().parse().ok())
            .ok_or_else(|| self.broken(format!("an element has no number {}", String::from_utf8_lossy(name))))
    }

    fn text(&self, element: &BytesStart<'_>, name: &[u8]) -> Result<Option<String>, ReadError> {
        let attribute =
            element.try_get_attribute(name).map_err(|_| self.broken("an attribute can't be read"))?;
        Ok(attribute.map(|attribute| String::from_utf8_lossy(&attribute.value).into_owned()))
    }

    fn broken(&self, reason: impl Into<String>) -> ReadError {
        broken(self.part, reason)
    }
}
