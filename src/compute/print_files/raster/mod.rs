//! `.raster.zip`: 1-bit stacks for wax jetting, one for the build wax and one for the support wax.
//!
//! A head lays a drop or none, so each layer is one black-and-white PNG for each material: `build/NNNNN.png` and
//! `support/NNNNN.png`, counted from 1, white where wax goes. No jetting machine's own format is public; their
//! print servers import numbered 1-bit pictures for each material, and a layer is where both say so.
//! `manifest.json` names the pictures of each layer with its height and holds the job. Where both materials want a
//! pixel, the build wax has it. Grey pixels are cut at half coverage.

mod read;
#[cfg(test)]
mod tests;

use std::io::{Seek, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use super::container::Packer;
use super::manifest::{self, LayerEntry, Manifest};
use super::tally::{Encoded, Tally};
use super::{Format, Job, WriteError, Written, png};
use crate::finding::Finding;
use crate::preview::Picture;
use crate::slice::{Control, Display, Layer, LayerError, LayerSource, RunList, stream};

pub(super) use read::{RasterFile, is_raster};

/// Sizes of the pictures of the plate, px.
pub(super) const PREVIEW_SIZES: [(u32, u32); 1] = [(400, 400)];

/// What the manifest calls itself.
pub(super) const SCHEMA: &str = "sprue/raster-stack/1";

/// Half coverage and more is wax.
const HALF: u8 = 128;

/// Writes build and support stacks. `support` shows the same display; it may end earlier than the build.
///
/// The digests of the outcome are those of the build stack; [`super::check_support_read_back`] holds the support
/// stack against its source.
pub(super) fn write<W: Write + Seek + Send>(
    job: &Job,
    build: &dyn LayerSource,
    support: Option<&dyn LayerSource>,
    previews: &[Picture],
    out: W,
    control: Control<'_>,
) -> Result<Written, WriteError> {
    let other_size = |support: &dyn LayerSource| {
        let (one, other) = (build.display(), support.display());
        (one.width_px, one.height_px) != (other.width_px, other.height_px)
    };
    if support.is_some_and(other_size) {
        return Err(WriteError::Range { format: Format::Raster, field: "size of the support mask" });
    }
    let mut packer = Packer::new(Format::Raster, build.layer_count(), out)?;
    let mut tally = Tally::default();
    let mut layers = Vec::new();
    let has_grey = AtomicBool::new(false);
    let [width, height] = [job.display.width_px, job.display.height_px];
    let encode = |layer: &Layer| {
        if layer.runs.iter().any(|run| run.value != 0 && run.value != u8::MAX) {
            has_grey.store(true, Ordering::Relaxed);
        }
        let wax = cut(layer, &job.display);
        let picture = png::encode_mask(&wax.runs, width, height);
        let support = support.filter(|support| layer.index < support.layer_count()).map(|support| {
            let mask = support_mask(support, &wax, &job.display)?;
            Ok(png::encode_mask(&mask.runs, width, height))
        });
        (Encoded::of(&wax, picture), support.transpose())
    };
    stream(build, control, encode, |(encoded, support): (Encoded, Result<_, LayerError>)| {
        let number = u64::from(encoded.index) + 1;
        let file = format!("build/{number:05}.png");
        packer.add(&file, &encoded.bytes)?;
        let support_file = match support? {
            Some(picture) => {
                let name = format!("support/{number:05}.png");
                packer.add(&name, &picture)?;
                Some(name)
            }
            None => None,
        };
        layers.push(LayerEntry::of(job, encoded.index, file, support_file));
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
    Ok(tally.finish(bytes, not_held(has_grey.into_inner())))
}

/// Drop or none.
pub(super) fn cut(layer: &Layer, display: &Display) -> Layer {
    let mut list = RunList::new();
    for run in &layer.runs {
        list.push(if run.value >= HALF { u8::MAX } else { 0 }, run.length);
    }
    list.finish(layer.index, display.pixel_mm2(), layer.open_rows)
}

/// What of the support is not wax of the build already.
pub(super) fn support_mask(
    support: &dyn LayerSource,
    wax: &Layer,
    display: &Display,
) -> Result<Layer, LayerError> {
    let mask = cut(&support.layer(wax.index)?, display);
    let mut list = RunList::new();
    let (mut ours, mut theirs) = (wax.runs.iter(), mask.runs.iter());
    let (mut wax_left, mut mask_left) = (0_u32, 0_u32);
    let (mut is_wax, mut is_mask) = (false, false);
    loop {
        if wax_left == 0 {
            let Some(run) = ours.next() else { break };
            (wax_left, is_wax) = (run.length, run.value > 0);
        }
        if mask_left == 0 {
            let Some(run) = theirs.next() else { break };
            (mask_left, is_mask) = (run.length, run.value > 0);
        }
        let taken = wax_left.min(mask_left);
        list.push(if is_mask && !is_wax { u8::MAX } else { 0 }, taken);
        wax_left -= taken;
        mask_left -= taken;
    }
    Ok(list.finish(wax.index, display.pixel_mm2(), mask.open_rows))
}

fn not_held(has_grey: bool) -> Vec<Finding> {
    if !has_grey {
        return Vec::new();
    }
    let text = "grey pixels were cut at half coverage; slice without anti-aliasing for exact outlines";
    vec![Finding::warning("RASTER_NOT_HELD", "grey levels", text)]
}
