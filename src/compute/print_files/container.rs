//! Zip files as containers of layers: written with fixed dates, read within limits.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek, Write};

use zip::ZipArchive;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::{Format, Limits, ReadError, WriteError, png};
use crate::preview::Picture;

/// Printers know no zip64: 65,535 entries at most, a few of which are not layers.
const LAYERS_MAX: u32 = 65_000;

/// Texts of settings, of all programs, are far smaller.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// A picture of the plate is far below a megapixel.
const PREVIEW_BYTES_MAX: u64 = 1 << 23;

/// Entries besides the layers: settings, thumbnails, and what newer programs add.
const OTHER_ENTRIES_MAX: usize = 64;

/// A container that is being written.
pub(super) struct Packer<W: Write + Seek> {
    zip: ZipWriter<W>,
    start: u64,
}

impl<W: Write + Seek> Packer<W> {
    /// Begins at the present place of `out`.
    ///
    /// # Errors
    /// If there are more layers than printers can find in a zip, or the output fails.
    pub(super) fn new(format: Format, layers: u32, mut out: W) -> Result<Self, WriteError> {
        if layers > LAYERS_MAX {
            return Err(WriteError::Range { format, field: "number of layers" });
        }
        let start = out.stream_position()?;
        Ok(Self { zip: ZipWriter::new(out), start })
    }

    /// Entries carry a fixed date, so that the same input gives the same bytes. Layers are packed once more: an
    /// empty one of a large display shrinks twentyfold.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), WriteError> {
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .compression_level(Some(1))
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644);
        self.zip.start_file(name, options)?;
        self.zip.write_all(bytes)?;
        Ok(())
    }

    /// Writes the directory; gives the length of the container.
    pub(super) fn finish(self) -> Result<u64, WriteError> {
        let mut out = self.zip.finish()?;
        let bytes = out.stream_position()? - self.start;
        out.flush()?;
        Ok(bytes)
    }
}

/// A container that is being read.
pub(super) struct Container<'a> {
    format: Format,
    archive: ZipArchive<Cursor<&'a [u8]>>,
    limits: Limits,
}

/// Whether the first bytes are those of a zip file.
pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// The number of a layer in its name: digits and nothing else.
pub(super) fn number_of(digits: &str) -> Option<u32> {
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

impl<'a> Container<'a> {
    /// Reads the directory. Which format it is follows from the names of the entries.
    pub(super) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, ReadError> {
        let format = Format::Zip;
        let damaged = |error: zip::result::ZipError| ReadError::Damaged { format, reason: error.to_string() };
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
        let entries_max = usize::try_from(limits.layers_max).unwrap_or(usize::MAX);
        // Some formats keep two pictures of a layer, or a text beside each.
        if archive.len() > entries_max.saturating_mul(2).saturating_add(OTHER_ENTRIES_MAX) {
            return Err(ReadError::OverLimit { format, what: "the number of entries" });
        }
        Ok(Self { format, archive, limits: *limits })
    }

    /// Says which format the container turned out to be.
    pub(super) fn of(self, format: Format) -> Self {
        Self { format, ..self }
    }

    pub(super) fn damaged(&self, reason: impl Into<String>) -> ReadError {
        ReadError::Damaged { format: self.format, reason: reason.into() }
    }

    /// Names of all entries, with their places.
    pub(super) fn names(&self) -> impl Iterator<Item = (usize, &str)> {
        self.archive.file_names().enumerate()
    }

    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        self.archive.index_for_name(name)
    }

    /// Unpacks an entry; one that grows over the limit is refused, whatever size it states.
    ///
    /// # Errors
    /// What is wrong.
    pub(super) fn read(&self, place: usize, bytes_max: u64) -> Result<Vec<u8>, String> {
        let bytes_max = bytes_max.min(self.limits.entry_bytes_max);
        let mut archive = self.archive.clone();
        let packed = archive.by_index(place).map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        packed
            .take(bytes_max.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length <= bytes_max) {
            Ok(bytes)
        } else {
            Err("an entry is larger than the limit".to_owned())
        }
    }

    /// The picture of a layer, still as PNG.
    pub(super) fn layer(&self, place: usize) -> Result<Vec<u8>, String> {
        self.read(place, self.limits.entry_bytes_max)
    }

    /// A text that has to be there.
    pub(super) fn text(&self, name: &str) -> Result<String, ReadError> {
        let place = self.place_of(name).ok_or_else(|| self.damaged(format!("it holds no {name}")))?;
        self.text_at(place, name)
    }

    /// A text by its place.
    pub(super) fn text_at(&self, place: usize, name: &str) -> Result<String, ReadError> {
        let bytes = self.read(place, TEXT_BYTES_MAX).map_err(|reason| self.damaged(reason))?;
        String::from_utf8(bytes).map_err(|_| self.damaged(format!("{name} is not text")))
    }

    /// Places of the layers by their number, lowest first; at most as many as the limits allow.
    pub(super) fn numbered(
        &self,
        number_of: impl Fn(&str) -> Option<u32>,
    ) -> Result<BTreeMap<u32, usize>, ReadError> {
        let numbers = self.names().filter_map(|(place, name)| Some((number_of(name)?, place)));
        let found: BTreeMap<u32, usize> = numbers.collect();
        let layers_max = usize::try_from(self.limits.layers_max).unwrap_or(usize::MAX);
        if found.len() > layers_max {
            return Err(ReadError::OverLimit { format: self.format, what: "the number of layers" });
        }
        Ok(found)
    }

    /// Layers whose numbers follow each other from `first` on; `stated` is how many there have to be, if known.
    pub(super) fn row_of_layers(
        &self,
        found: BTreeMap<u32, usize>,
        first: u32,
        stated: Option<f64>,
    ) -> Result<Vec<usize>, ReadError> {
        let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
        let in_order = found.keys().copied().eq(first..first.saturating_add(count));
        let as_stated = stated.is_none_or(|stated| (stated - f64::from(count)).abs() < 0.5);
        if found.is_empty() || !in_order || !as_stated {
            let stated = stated.map_or(String::new(), |stated| format!(", {stated} are stated"));
            return Err(self.damaged(format!("{count} layers in a row are in the file{stated}")));
        }
        Ok(found.into_values().collect())
    }

    /// Width and height of a layer's picture and whether it has colours; no larger than the limits.
    pub(super) fn head_of(&self, place: usize) -> Result<png::Head, ReadError> {
        let mut archive = self.archive.clone();
        let packed = archive.by_index(place).map_err(|error| self.damaged(error.to_string()))?;
        let mut start = Vec::new();
        packed.take(64).read_to_end(&mut start).map_err(|error| self.damaged(error.to_string()))?;
        let head =
            png::head_of(&start).ok_or_else(|| self.damaged("the first layer is not a PNG picture"))?;
        let pixels = u64::from(head.size[0]) * u64::from(head.size[1]);
        if pixels == 0 {
            return Err(self.damaged("the first layer has no pixels"));
        }
        if pixels > self.limits.pixels_max {
            return Err(ReadError::OverLimit { format: self.format, what: "the resolution" });
        }
        Ok(head)
    }

    /// Pictures of the plate: every PNG that `wanted` names and that can be read.
    pub(super) fn previews(&self, wanted: impl Fn(&str) -> bool) -> Vec<Picture> {
        let places: Vec<usize> =
            self.names().filter(|(_, name)| wanted(name)).map(|(place, _)| place).take(8).collect();
        let bytes = places.into_iter().filter_map(|place| self.read(place, PREVIEW_BYTES_MAX).ok());
        bytes.filter_map(|bytes| png::decode_colour(&bytes)).collect()
    }
}
