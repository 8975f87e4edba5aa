//! `.zip` stacks of PNG layers: for programs that take pictures and for printers that take nothing else.
//!
//! Written are pictures `NNNNN.png` counted from 1, 8-bit grey, and `manifest.json`, which holds the whole job: a
//! stack converts to any other format without loss. Read are also zips with `run.gcode` (ChiTuBox) and plain
//! numbered pictures, which say nothing of sizes and times.

mod read;
#[cfg(test)]
mod tests;

use std::io::{Seek, Write};

use super::container::Packer;
use super::manifest::{self, LayerEntry, Manifest};
use super::tally::{Encoded, Tally};
use super::{Format, Job, WriteError, Written, png};
use crate::preview::Picture;
use crate::slice::{Control, Layer, LayerSource, stream};

pub(super) use read::open;

/// Sizes of the pictures of the plate, px.
pub(super) const PREVIEW_SIZES: [(u32, u32); 2] = [(400, 400), (800, 480)];

/// What the manifest calls itself.
pub(super) const SCHEMA: &str = "sprue/png-stack/1";

/// Writes a stack.
pub(super) fn write<W: Write + Seek + Send>(
    job: &Job,
    source: &dyn LayerSource,
    previews: &[Picture],
    out: W,
    control: Control<'_>,
) -> Result<Written, WriteError> {
    let mut packer = Packer::new(Format::Zip, source.layer_count(), out)?;
    let mut tally = Tally::default();
    let mut layers = Vec::new();
    let encode = |layer: &Layer| {
        Encoded::of(layer, png::encode(&layer.runs, job.display.width_px, job.display.height_px))
    };
    stream(source, control, encode, |encoded| {
        let name = format!("{:05}.png", u64::from(encoded.index) + 1);
        packer.add(&name, &encoded.bytes)?;
        layers.push(LayerEntry::of(job, encoded.index, name, None));
        tally.add(job, &encoded);
        Ok(())
    })
    .map_err(WriteError::from)?;
    for picture in previews {
        let name = format!("preview/{}x{}.png", picture.width_px, picture.height_px);
        packer.add(&name, &png::encode_colour(picture)?)?;
    }
    let manifest = Manifest::of(SCHEMA, job, layers, tally.volume_ml(), tally.print_s());
    packer.add(manifest::ENTRY, &manifest.to_bytes()?)?;
    let bytes = packer.finish()?;
    Ok(tally.finish(bytes, Vec::new()))
}
