//! `.sl1` and `.sl1s` files (Prusa): a zip with two settings files, one grey PNG for each layer, and thumbnails.
//!
//! Readers find entries by name. The settings come last here because they hold sums over all layers. PNG layers
//! are packed once more by the container: an empty layer of a large display shrinks twentyfold.
//!
//! Source: PrusaSlicer, `src/libslic3r/Format/SL1.cpp` (keys, names, rounding of fields), read for its facts.

mod ini;
mod read;
#[cfg(test)]
mod tests;

use std::io::{Seek, Write};

use super::container::Packer;
use super::tally::{Encoded, Tally};
use super::{Format, Job, Separation, Sl1Names, WriteError, Written, png};
use crate::finding::Finding;
use crate::preview::Picture;
use crate::slice::{Control, Layer, LayerSource, stream};

pub(super) use read::{is_sl1, open};

/// Sizes of the thumbnails, px.
pub(super) const PREVIEW_SIZES: [(u32, u32); 2] = [(400, 400), (800, 480)];

/// Layers by the way the vat tilts after them.
#[derive(Debug, Default, Clone, Copy)]
struct Tilts {
    fast: u32,
    slow: u32,
}

/// Writes a file; `format` says which of the two names it will have, the printer model is that of the job.
pub(super) fn write<W: Write + Seek + Send>(
    format: Format,
    job: &Job,
    source: &dyn LayerSource,
    previews: &[Picture],
    out: W,
    control: Control<'_>,
) -> Result<Written, WriteError> {
    let names = names_of(format, job)?;
    if !job.heights.is_uniform() {
        return Err(WriteError::NotHeld {
            format,
            field: "layers of several thicknesses",
            hint: "slice with one layer height, or write another format",
        });
    }
    // The printer moves by one layer height and one time whatever else a file says: it would print another part.
    if job.layers_differ() {
        return Err(WriteError::NotHeld {
            format,
            field: "layers that differ",
            hint: "leave out the ranges, or choose a printer whose files hold the values of each layer",
        });
    }
    let mut packer = Packer::new(format, source.layer_count(), out)?;
    let mut tally = Tally::default();
    let mut tilts = Tilts::default();
    let encode = |layer: &Layer| {
        let picture = png::encode(&layer.runs, job.display.width_px, job.display.height_px);
        Encoded::of(layer, picture)
    };
    stream(source, control, encode, |encoded| {
        packer.add(&format!("{}{:05}.png", names.job, encoded.index), &encoded.bytes)?;
        tally.add(job, &encoded);
        tilts.add(job, &encoded);
        Ok(())
    })
    .map_err(WriteError::from)?;
    for picture in previews {
        let name = format!("thumbnail/thumbnail{}x{}.png", picture.width_px, picture.height_px);
        packer.add(&name, &png::encode_colour(picture)?)?;
    }
    packer.add("config.ini", ini::config(job, names, &tally, tilts).as_bytes())?;
    packer.add("prusaslicer.ini", ini::settings(job, names).as_bytes())?;
    let bytes = packer.finish()?;
    Ok(tally.finish(bytes, not_held(job)))
}

fn names_of(format: Format, job: &Job) -> Result<&Sl1Names, WriteError> {
    let names = job.sl1.as_ref().ok_or(WriteError::Missing {
        format,
        field: "the names of printer and profiles",
        hint: "add the sl1 names to the printer profile",
    })?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if names.job.is_empty() || !names.job.chars().all(plain) {
        return Err(WriteError::Range { format, field: "the job name" });
    }
    Ok(names)
}

impl Tilts {
    fn add(&mut self, job: &Job, layer: &Encoded) {
        match job.separation {
            Separation::Tilt { slow_from_fill, .. } if layer.fill(&job.display) >= slow_from_fill => {
                self.slow += 1;
            }
            Separation::Tilt { .. } | Separation::Lift { .. } | Separation::Untold => self.fast += 1,
        }
    }
}

/// What the job says and the format has no place for.
fn not_held(job: &Job) -> Vec<Finding> {
    let warn = |field: &str, text: &str| Finding::warning("SL1_NOT_HELD", field, text);
    let mut findings = Vec::new();
    if matches!(job.separation, Separation::Lift { .. }) {
        findings.push(warn("separation", "lift moves are not stored; the printer moves by its own settings"));
    }
    if job.exposure.bottom_layers > 1 {
        let text =
            "only the first layer gets the full bottom time; the others fade from it, check the first print";
        findings.push(warn("bottom_layers", text));
    }
    if !job.exposure.ranges.is_empty() {
        let text = "other exposures from some height on are not stored; all layers get the normal one";
        findings.push(warn("exposure ranges", text));
    }
    findings
}
