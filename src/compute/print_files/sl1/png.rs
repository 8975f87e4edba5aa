//! Grey PNG pictures: written straight from runs, read row by row into runs.

use std::io::Cursor;

use super::super::deflate::{ByteRun, zlib};
use crate::preview::Picture;
use crate::slice::{Run, RunList};

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A];

/// 8 bit, grey, no interlace; every row unfiltered.
pub(in crate::print_files) fn encode(runs: &[Run], width_px: u32, height_px: u32) -> Vec<u8> {
    let packed = zlib(&with_filter_bytes(runs, width_px));
    let mut out = Vec::with_capacity(packed.len() + 64);
    out.extend(SIGNATURE);
    let mut head = Vec::with_capacity(13);
    head.extend(width_px.to_be_bytes());
    head.extend(height_px.to_be_bytes());
    head.extend([8, 0, 0, 0, 0]);
    chunk(*b"IHDR", &head, &mut out);
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

/// Each row begins with a byte for its filter: 0, which joins dark runs across row ends.
fn with_filter_bytes(runs: &[Run], width_px: u32) -> Vec<ByteRun> {
    let mut bytes: Vec<ByteRun> = Vec::with_capacity(runs.len() * 2);
    let mut push = |value: u8, length: u32| match bytes.last_mut() {
        Some(last) if last.value == value => last.length += length,
        Some(_) | None => bytes.push(ByteRun { value, length }),
    };
    let mut column = 0;
    for run in runs {
        let mut left = run.length;
        if run.value == 0 {
            let row_starts = (column + left).div_ceil(width_px) - column.div_ceil(width_px);
            push(0, left + row_starts);
            column = (column + left) % width_px;
            continue;
        }
        while left > 0 {
            if column == 0 {
                push(0, 1);
            }
            let taken = left.min(width_px - column);
            push(run.value, taken);
            left -= taken;
            column = (column + taken) % width_px;
        }
    }
    bytes
}

/// A picture with three colours and full opacity, for previews.
pub(super) fn encode_colour(rgb: &[[u8; 3]], width_px: u32, height_px: u32) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width_px, height_px);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let bytes: Vec<u8> = rgb.iter().flat_map(|&[red, green, blue]| [red, green, blue, 255]).collect();
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&bytes));
    written.map_err(|error| error.to_string())?;
    Ok(out)
}

/// Pictures of the plate are small; a larger one is not unpacked.
const COLOUR_PIXELS_MAX: u64 = 1 << 22;

/// A picture in colours, for previews; transparency is dropped.
///
/// `None` if it can't be read or is far larger than previews are.
pub(super) fn decode_colour(bytes: &[u8]) -> Option<Picture> {
    let limits = png::Limits { bytes: 64 << 20 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
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

/// Width and height of a picture, from its first bytes.
pub(super) fn size_of(bytes: &[u8]) -> Option<[u32; 2]> {
    let rest = bytes.strip_prefix(&SIGNATURE)?.get(4..)?.strip_prefix(b"IHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(rest.get(at..at + 4)?.try_into().ok()?));
    Some([number(0)?, number(4)?])
}

/// Reads a grey picture of exactly this size.
///
/// # Errors
/// What is wrong: another size, colours, interlaced, damaged.
pub(super) fn decode(bytes: &[u8], size: [u32; 2]) -> Result<RunList, String> {
    // One row, its filter and the window of the unpacker fit in this many times over.
    let limits = png::Limits { bytes: 64 << 20 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    if [reader.info().width, reader.info().height] != size {
        return Err(format!("the picture is not {} x {} pixels", size[0], size[1]));
    }
    if reader.info().interlaced {
        return Err("interlaced pictures can't be read".to_owned());
    }
    if reader.output_color_type() != (png::ColorType::Grayscale, png::BitDepth::Eight) {
        return Err("the picture is not grey with 8 bit".to_owned());
    }
    let mut list = RunList::new();
    while let Some(row) = reader.next_row().map_err(|error| error.to_string())? {
        push_row(row.data(), &mut list);
    }
    let pixels = u64::from(size[0]) * u64::from(size[1]);
    if list.pixels() == pixels { Ok(list) } else { Err("rows are missing".to_owned()) }
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
