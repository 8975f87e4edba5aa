//! The zip package around a 3MF model: finds the model part by its relationship and unpacks it under limits.

use std::io::{BufReader, Cursor, Read};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use zip::ZipArchive;

use super::super::{Limits, ReadError, within};
use super::broken;

const RELATIONSHIPS: &str = "_rels/.rels";
const MODEL_TYPE: &[u8] = b"http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel";
/// A relationship part of a package has a few lines.
const RELATIONSHIPS_BYTES_MAX: u64 = 1 << 20;

type Package<'bytes> = ZipArchive<Cursor<&'bytes [u8]>>;

/// Opens a package and hands its model part, by name and as a stream of XML, to `read`.
pub(super) fn with_model<T>(
    bytes: &[u8],
    limits: &Limits,
    read: impl FnOnce(&str, &mut dyn std::io::BufRead) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let not_zip = |error| ReadError::Recognise { expected: "3MF", reason: format!("{error}") };
    let mut package = ZipArchive::new(Cursor::new(bytes)).map_err(not_zip)?;
    let parts = u64::try_from(package.len()).unwrap_or(u64::MAX);
    within("the number of package parts", parts, limits.package_parts_max.try_into().unwrap_or(u64::MAX))?;
    let target = {
        let bytes_max = RELATIONSHIPS_BYTES_MAX.min(limits.unpacked_bytes_max);
        let mut part = open(&mut package, RELATIONSHIPS, bytes_max, limits)?;
        model_target(&mut part)?
    };
    let mut part = open(&mut package, &target, limits.unpacked_bytes_max, limits)?;
    read(&target, &mut part)
}

/// A part that is unpacked while it is read, and cut off one byte above what it declares.
fn open<'package, 'bytes>(
    package: &'package mut Package<'bytes>,
    name: &str,
    bytes_max: u64,
    limits: &Limits,
) -> Result<impl std::io::BufRead + use<'package, 'bytes>, ReadError> {
    // Names of parts are compared without case (Open Packaging Conventions, section 6.2.2.3).
    let index = (0..package.len())
        .find(|&index| package.name_for_index(index).is_some_and(|known| known.eq_ignore_ascii_case(name)))
        .ok_or_else(|| broken(name, "the package has no such part"))?;
    let part =
        package.by_index(index).map_err(|error| broken(name, format!("it can't be unpacked ({error})")))?;
    if part.encrypted() {
        return Err(broken(name, "it is encrypted"));
    }
    let (size, packed) = (part.size(), part.compressed_size().max(1));
    within("the unpacked size", size, bytes_max)?;
    within("the compression ratio", size / packed, limits.compression_ratio_max)?;
    Ok(BufReader::new(part.take(size)))
}

/// The one model that the package relationships name.
fn model_target(xml: &mut impl std::io::BufRead) -> Result<String, ReadError> {
    let mut reader = Reader::from_reader(xml);
    let mut buffer = Vec::new();
    let mut targets = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        match event.map_err(|error| broken(RELATIONSHIPS, format!("it is not XML ({error})")))? {
            Event::Start(element) | Event::Empty(element) => {
                if element.local_name().as_ref() == b"Relationship" {
                    targets.extend(target(&element)?);
                }
            }
            Event::DocType(_) => {
                return Err(broken(RELATIONSHIPS, "a document type definition is not allowed"));
            }
            Event::Eof => break,
            Event::End(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::GeneralRef(_) => {}
        }
    }
    match targets.as_slice() {
        [target] => Ok(target.trim_start_matches('/').to_owned()),
        [] => Err(broken(RELATIONSHIPS, "no relationship names a 3D model")),
        _ => Err(broken(RELATIONSHIPS, "more than one relationship names a 3D model")),
    }
}

fn target(element: &BytesStart<'_>) -> Result<Option<String>, ReadError> {
    let (mut is_model, mut target) = (false, None);
    for attribute in element.attributes() {
        let wrong = |_| broken(RELATIONSHIPS, "an attribute can't be read");
        let attribute = attribute.map_err(wrong)?;
        match attribute.key.local_name().as_ref() {
            b"Type" => is_model = attribute.value.as_ref() == MODEL_TYPE,
            b"Target" => {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                target =
                    Some(value.map_err(|_| broken(RELATIONSHIPS, "a target can't be read"))?.into_owned());
            }
            _ => {}
        }
    }
    match (is_model, target) {
        (false, _) => Ok(None),
        (true, Some(target)) => Ok(Some(target)),
        (true, None) => Err(broken(RELATIONSHIPS, "the relationship of the 3D model has no target")),
    }
}
