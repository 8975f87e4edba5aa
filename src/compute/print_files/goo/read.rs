//! Reads `.goo` files of any program.

use super::TAIL;
use super::header::{HEADER_LEN, Header, MAGIC};
use super::layer::{HEAD_LEN, LayerHead, picture};
use super::order::ByteOrder;
use super::runs;
use crate::print_files::{Facts, Format, LayerFacts, Limits, PrintFile, ReadError};
use crate::slice::{Display, Layer, LayerError, LayerSource, Orientation};

/// Masks that are made have pixels of 14 to 50 µm; beyond these bounds a number is garbage.
const PITCH_MM: std::ops::RangeInclusive<f64> = 1e-4..=10.0;

/// An opened file: the header was checked and the layers were found.
pub(in crate::print_files) struct GooFile<'a> {
    facts: Facts,
    display: Display,
    /// The picture of each layer: from 0x55 to the checksum.
    pictures: Vec<&'a [u8]>,
}

/// Whether the first bytes are those of a `.goo` file.
pub(in crate::print_files) fn is_goo(bytes: &[u8]) -> bool {
    bytes.get(4..12) == Some(&MAGIC[..])
}

impl<'a> GooFile<'a> {
    pub(in crate::print_files) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, ReadError> {
        let (header, order) = Header::decode(bytes).ok_or_else(|| damaged("it ends inside the header"))?;
        let display = display_of(&header)?;
        if display.pixels() > limits.pixels_max {
            return Err(ReadError::OverLimit { format: Format::Goo, what: "the resolution" });
        }
        if header.layers > limits.layers_max {
            return Err(ReadError::OverLimit { format: Format::Goo, what: "the number of layers" });
        }
        let (layers, pictures) = find_layers(bytes, &header, order)?;
        let facts = facts_of(&header, &display, layers)?;
        Ok(Self { facts, display, pictures })
    }
}

impl PrintFile for GooFile<'_> {
    fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl LayerSource for GooFile<'_> {
    fn display(&self) -> Display {
        self.display
    }

    fn layer_count(&self) -> u32 {
        u32::try_from(self.pictures.len()).unwrap_or(u32::MAX)
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let found = usize::try_from(index).ok().and_then(|place| self.pictures.get(place));
        let bytes = found.ok_or(LayerError::OutOfRange { index, count: self.layer_count() })?;
        let runs = picture(bytes).and_then(|runs| runs::decode(runs, self.display.pixels()));
        let runs = runs.map_err(|reason| LayerError::Decode { index, reason })?;
        Ok(runs.finish(index, self.display.pixel_mm2(), 0))
    }
}

fn damaged(reason: impl Into<String>) -> ReadError {
    ReadError::Damaged { format: Format::Goo, reason: reason.into() }
}

fn display_of(header: &Header) -> Result<Display, ReadError> {
    let (width_px, height_px) = (u32::from(header.width_px), u32::from(header.height_px));
    if width_px == 0 || height_px == 0 {
        return Err(damaged("the resolution is 0"));
    }
    let pitch = |side: usize, pixels: u32| {
        let mm = finite(header.platform_mm[side], "the platform size")?;
        let pitch_mm = mm / f64::from(pixels);
        let made = PITCH_MM.contains(&pitch_mm);
        if made { Ok(pitch_mm) } else { Err(damaged(format!("pixels of {pitch_mm} mm do not exist"))) }
    };
    Ok(Display {
        width_px,
        height_px,
        pitch_mm: [pitch(0, width_px)?, pitch(1, height_px)?],
        orientation: Orientation::Landscape,
        mirror_x: header.mirror_x == 1,
        mirror_y: header.mirror_y == 1,
    })
}

type Found<'a> = (Vec<LayerFacts>, Vec<&'a [u8]>);

/// Walks over the layer records; they must end exactly at the tail, and that at the end of the file.
fn find_layers<'a>(bytes: &'a [u8], header: &Header, order: ByteOrder) -> Result<Found<'a>, ReadError> {
    let start = usize::try_from(header.content_offset).ok().filter(|_| header.content_offset >= HEADER_LEN);
    let mut rest = start
        .and_then(|start| bytes.get(start..))
        .ok_or_else(|| damaged("the layers begin outside the file"))?;
    let (mut layers, mut pictures) = (Vec::new(), Vec::new());
    for index in 0..header.layers {
        let (head, picture, tail) = next_record(rest, order)
            .ok_or_else(|| damaged(format!("it ends inside layer {index} of {}", header.layers)))?;
        layers.push(LayerFacts {
            z_um: thousandfold(finite(head.z_mm, "a layer height")?),
            exposure_s: finite(head.exposure_s, "an exposure time")?,
        });
        pictures.push(picture);
        rest = tail;
    }
    if rest == TAIL { Ok((layers, pictures)) } else { Err(damaged("its last bytes are not the tail")) }
}

fn next_record(bytes: &[u8], order: ByteOrder) -> Option<(LayerHead, &[u8], &[u8])> {
    let (head, size) = LayerHead::decode(bytes, order)?;
    let (picture, rest) = bytes.get(HEAD_LEN..)?.split_at_checked(usize::try_from(size).ok()?)?;
    Some((head, picture, rest.strip_prefix(b"\r\n")?))
}

fn facts_of(header: &Header, display: &Display, layers: Vec<LayerFacts>) -> Result<Facts, ReadError> {
    Ok(Facts {
        format: Format::Goo,
        version: header.version.clone(),
        resolution_px: [display.width_px, display.height_px],
        pixel_um: display.pitch_mm.map(thousandfold),
        layer_um: thousandfold(finite(header.layer_mm, "the layer height")?),
        machine: header.machine.clone(),
        resin: header.resin.clone(),
        software: format!("{} {}", header.software, header.software_version).trim().to_owned(),
        volume_ml: finite(header.volume_mm3, "the volume")? / 1000.0,
        print_s: f64::from(header.print_s),
        layers,
    })
}

/// A single-precision number as the decimal that was meant: 0.05, not 0.05000000074505806.
fn finite(value: f32, what: &str) -> Result<f64, ReadError> {
    let meant = value.to_string().parse::<f64>().ok();
    meant.filter(|number| number.is_finite()).ok_or_else(|| damaged(format!("{what} is not a number")))
}

/// Millimetres to micrometres, to a thousandth: single precision has no more.
fn thousandfold(mm: f64) -> f64 {
    (mm * 1e6).round() / 1e3
}
