//! Layers as PNG pictures: written straight from runs, read into runs.

mod unfold;

use std::io::Cursor;

use super::deflate::{ByteRun, zlib};
use crate::preview::Picture;
use crate::slice::{Run, RunList};

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A];

/// Colour types (PNG specification, 11.2.2).
const GREY: u8 = 0;
const TRUECOLOUR: u8 = 2;

/// How the pixels of a mask lie in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// One pixel of the picture for each of the mask.
    Plain,
    /// Three pixels of the mask in the red, green and blue of one, left to right.
    Rgb,
    /// Three pixels of the mask in the blue, green and red of one, left to right.
    Bgr,
}

/// 8 bit, grey, no interlace; every row unfiltered.
pub(super) fn encode(runs: &[Run], width_px: u32, height_px: u32) -> Vec<u8> {
    finish([width_px, height_px], [8, GREY], &[], &rows(runs, width_px, 0))
}

/// Three pixels of the mask in each truecolour pixel: red, green, blue from left to right. The last ones of a row
/// are dark if the width is not a multiple of three.
pub(super) fn encode_packed(runs: &[Run], width_px: u32, height_px: u32) -> Vec<u8> {
    let packed_px = width_px.div_ceil(3);
    // Pixels are three times as wide as high: aspect 3:1, no unit (11.3.5.3).
    let aspect = [0, 0, 0, 1, 0, 0, 0, 3, 0];
    let bytes = rows(runs, width_px, packed_px * 3 - width_px);
    finish([packed_px, height_px], [8, TRUECOLOUR], &[(*b"pHYs", &aspect)], &bytes)
}

/// 1 bit, grey: white where `runs` are above 0.
pub(super) fn encode_mask(runs: &[Run], width_px: u32, height_px: u32) -> Vec<u8> {
    finish([width_px, height_px], [1, GREY], &[], &bit_rows(runs, width_px))
}

fn finish(
    size: [u32; 2],
    depth_and_colour: [u8; 2],
    more: &[([u8; 4], &[u8])],
    bytes: &[ByteRun],
) -> Vec<u8> {
    let packed = zlib(bytes);
    let mut out = Vec::with_capacity(packed.len() + 96);
    out.extend(SIGNATURE);
    let mut head = Vec::with_capacity(13);
    head.extend(size[0].to_be_bytes());
    head.extend(size[1].to_be_bytes());
    head.extend(depth_and_colour);
    head.extend([0, 0, 0]);
    chunk(*b"IHDR", &head, &mut out);
    more.iter().for_each(|(kind, body)| chunk(*kind, body, &mut out));
    chunk(*b"IDAT", &packed, &mut out);
    chunk(*b"IEND", &[], &mut out);
    out
}

fn chunk(kind: [u8; 4], body: &[u8], out: &mut Vec<u8>) {
    // A layer packs to a fraction of its pixels, which fit 28 bits.
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    out.extend(length.to_be_bytes());
    let start = out.len();
    out.extend(kind);
    out.extend_from_slice(body);
    let mut sum = flate2::Crc::new();
    sum.update(&out[start..]);
    out.extend(sum.sum().to_be_bytes());
}

/// Joins equal neighbours.
#[derive(Default)]
struct ByteRuns(Vec<ByteRun>);

impl ByteRuns {
    fn push(&mut self, value: u8, length: u32) {
        match self.0.last_mut() {
            Some(last) if last.value == value => last.length += length,
            Some(_) | None if length > 0 => self.0.push(ByteRun { value, length }),
            Some(_) | None => {}
        }
    }
}

/// One byte for each pixel, `padding` dark ones at the end of a row. Each row begins with a byte for its filter: 0,
/// which joins dark runs across row ends.
fn rows(runs: &[Run], width_px: u32, padding: u32) -> Vec<ByteRun> {
    let mut bytes = ByteRuns(Vec::with_capacity(runs.len() * 2));
    let mut column = 0;
    for run in runs {
        let mut left = run.length;
        if run.value == 0 {
            let row_starts = (column + left).div_ceil(width_px) - column.div_ceil(width_px);
            let row_ends = (column + left) / width_px;
            bytes.push(0, left + row_starts + row_ends * padding);
            column = (column + left) % width_px;
            continue;
        }
        while left > 0 {
            if column == 0 {
                bytes.push(0, 1);
            }
            let taken = left.min(width_px - column);
            bytes.push(run.value, taken);
            left -= taken;
            column = (column + taken) % width_px;
            if column == 0 {
                bytes.push(0, padding);
            }
        }
    }
    bytes.0
}

/// Eight pixels in each byte, first pixel highest; a row ends with its byte and begins with filter 0.
fn bit_rows(runs: &[Run], width_px: u32) -> Vec<ByteRun> {
    let mut bytes = ByteRuns::default();
    let (mut column, mut held, mut count) = (0_u32, 0_u8, 0_u32);
    for run in runs {
        let fill = if run.value > 0 { 0xFF_u8 } else { 0 };
        let mut left = run.length;
        while left > 0 {
            if column == 0 {
                bytes.push(0, 1);
            }
            let in_row = left.min(width_px - column);
            let step = if count == 0 && in_row >= 8 {
                bytes.push(fill, in_row / 8);
                in_row / 8 * 8
            } else {
                let taken = in_row.min(8 - count);
                let places = (0xFF_u32 >> count) & !(0xFF_u32 >> (count + taken));
                held |= fill & u8::try_from(places).unwrap_or(0);
                count += taken;
                taken
            };
            left -= step;
            column += step;
            if count == 8 || (column == width_px && count > 0) {
                bytes.push(held, 1);
                (held, count) = (0, 0);
            }
            column %= width_px;
        }
    }
    bytes.0
}

/// A picture with three colours and full opacity, for previews.
pub(super) fn encode_colour(picture: &Picture) -> Result<Vec<u8>, std::io::Error> {
    let mut out = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut out, picture.width_px, picture.height_px);
    encoder.set_compression(::png::Compression::High);
    encoder.set_filter(::png::Filter::NoFilter);
    encoder.set_color(::png::ColorType::Rgba);
    encoder.set_depth(::png::BitDepth::Eight);
    // 16 steps of each colour do for a thumbnail; few values without filters pack to less than half.
    let step = |value: u8| value & 0xF0 | value >> 4;
    let bytes: Vec<u8> = picture
        .rgb
        .iter()
        .flat_map(|&[red, green, blue]| [step(red), step(green), step(blue), 255])
        .collect();
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&bytes));
    written.map_err(std::io::Error::other)?;
    Ok(out)
}

/// Pictures of the plate are small; a larger one is not unpacked.
const COLOUR_PIXELS_MAX: u64 = 1 << 22;

/// A picture in colours, for previews; transparency is dropped.
///
/// `None` if it can't be read or is far larger than previews are.
pub(super) fn decode_colour(bytes: &[u8]) -> Option<Picture> {
    let limits = ::png::Limits { bytes: 64 << 20 };
    let mut decoder = ::png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(::png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().ok()?;
    let (width_px, height_px) = (reader.info().width, reader.info().height);
    if u64::from(width_px) * u64::from(height_px) > COLOUR_PIXELS_MAX {
        return None;
    }
    let mut samples = vec![0; reader.output_buffer_size()?];
    let frame = reader.next_frame(&mut samples).ok()?;
    let channels = frame.color_type.samples();
    let rgb = samples.get(..frame.buffer_size())?.chunks_exact(channels).map(|pixel| match *pixel {
        [red, green, blue, ..] => [red, green, blue],
        [grey, ..] => [grey; 3],
        [] => [0; 3],
    });
    Some(Picture { width_px, height_px, rgb: rgb.collect() })
}

/// What the first bytes of a picture say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Columns and rows of the picture.
    pub(super) size: [u32; 2],
    /// Whether it has three colours or a palette.
    pub(super) has_colours: bool,
}

/// Reads the first bytes of a picture.
pub(super) fn head_of(bytes: &[u8]) -> Option<Head> {
    let rest = bytes.strip_prefix(&SIGNATURE)?.get(4..)?.strip_prefix(b"IHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(rest.get(at..at + 4)?.try_into().ok()?));
    Some(Head { size: [number(0)?, number(4)?], has_colours: rest.get(9)? & TRUECOLOUR != 0 })
}

/// Reads a picture of exactly this size, in pixels of the mask.
///
/// # Errors
/// What is wrong: another size, interlaced, damaged.
pub(super) fn decode(bytes: &[u8], size: [u32; 2], packing: Packing) -> Result<RunList, String> {
    if let Some(list) = unfold::unfold(bytes, size, packing) {
        return Ok(list);
    }
    // One row, its filter and the window of the unpacker fit in this many times over.
    let limits = ::png::Limits { bytes: 64 << 20 };
    let mut decoder = ::png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(::png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    let columns = if packing == Packing::Plain { size[0] } else { size[0].div_ceil(3) };
    if [reader.info().width, reader.info().height] != [columns, size[1]] {
        return Err(format!("the picture is not {columns} x {} pixels", size[1]));
    }
    if reader.info().interlaced {
        return Err("interlaced pictures can't be read".to_owned());
    }
    let channels = reader.output_color_type().0.samples();
    if packing != Packing::Plain && channels != 3 {
        return Err("the picture has no three colours".to_owned());
    }
    let width = usize::try_from(size[0]).unwrap_or(usize::MAX);
    let mut list = RunList::new();
    let mut row = Vec::new();
    while let Some(next) = reader.next_row().map_err(|error| error.to_string())? {
        match (packing, channels) {
            (Packing::Plain, 1) | (Packing::Rgb, _) => push_row(&next.data()[..width], &mut list),
            (Packing::Plain, _) => {
                row.clear();
                row.extend(next.data().chunks_exact(channels).map(light_of));
                push_row(&row, &mut list);
            }
            (Packing::Bgr, _) => {
                row.clear();
                row.extend(next.data().chunks_exact(3).flat_map(|pixel| pixel.iter().rev()));
                push_row(&row[..width], &mut list);
            }
        }
    }
    let pixels = u64::from(size[0]) * u64::from(size[1]);
    if list.pixels() == pixels { Ok(list) } else { Err("rows are missing".to_owned()) }
}

/// Light of a pixel with colours: the brightest one; opacity says nothing.
fn light_of(pixel: &[u8]) -> u8 {
    let colours = if pixel.len() >= 3 { 3 } else { 1 };
    pixel[..colours].iter().copied().max().unwrap_or(0)
}

/// Splits a row into runs; long runs are compared 64 pixels at a time.
fn push_row(mut row: &[u8], list: &mut RunList) {
    while let Some(&value) = row.first() {
        let equal = |pixel: &u8| *pixel == value;
        let blocks =
            row.chunks_exact(64).take_while(|block| block.iter().fold(true, |all, p| all & equal(p)));
        let whole = blocks.count() * 64;
        let length = whole + row[whole..].iter().take_while(|pixel| equal(pixel)).count();
        list.push(value, u32::try_from(length).unwrap_or(u32::MAX));
        row = &row[length..];
    }
}
