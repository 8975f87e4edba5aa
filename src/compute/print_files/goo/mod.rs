//! `.goo` files (Elegoo, version "V3.0", specification V1.2): header, layers, tail.
//!
//! Everything is big-endian except for one machine ([`order::ByteOrder`]). The values of each layer repeat
//! those of the header, with the transition written out; "advance mode" stays off unless layers differ in more
//! than that, because some machines freeze when it is on.

mod header;
mod layer;
mod order;
mod read;
mod runs;
#[cfg(test)]
mod tests;

use std::io::{Seek, SeekFrom, Write};

use super::civil::Civil;
use super::fields::single;
use super::tally::{Encoded, Tally};
use super::told::field;
use super::{Format, Job, LayerMotion, Move, Separation, WriteError, Written};
use crate::preview::Picture;
use crate::slice::{Control, LayerSource, stream};
use header::{BIG_PX, HEADER_LEN, Header, SMALL_PX, rgb565};
use layer::LayerHead;
use order::ByteOrder;

pub(super) use read::{GooFile, is_goo};

/// Small picture, big picture.
pub(super) const PREVIEW_SIZES: [(u32, u32); 2] = [(SMALL_PX, SMALL_PX), (BIG_PX, BIG_PX)];

/// Last bytes of a file.
const TAIL: [u8; 11] = [0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x44, 0x4C, 0x50, 0x00];

/// Writes a file. The header carries sums over all layers, so it is written twice: as a place, then filled in.
pub(super) fn write<W: Write + Seek + Send>(
    job: &Job,
    source: &dyn LayerSource,
    previews: &[Picture],
    mut out: W,
    control: Control<'_>,
) -> Result<Written, WriteError> {
    let order = ByteOrder::of_machine(&job.machine.name);
    let (bottom, normal) = motions(job)?;
    let mut header = header_of(job, source, previews, &bottom, &normal)?;
    let start = out.stream_position()?;
    out.write_all(&header.encode(order))?;
    let mut tally = Tally::default();
    let encode = |layer: &crate::slice::Layer| Encoded::of(layer, runs::encode(&layer.runs));
    stream(source, control, encode, |encoded| {
        let motion = if encoded.index < job.exposure.bottom_layers { &bottom } else { &normal };
        let head = LayerHead::of(job, motion, encoded.index);
        out.write_all(&layer::record(&head, &encoded.bytes, order)?)?;
        tally.add(job, &encoded);
        Ok(())
    })
    .map_err(WriteError::from)?;
    out.write_all(&TAIL)?;
    let end = out.stream_position()?;
    fill_in(&mut header, job, &tally);
    out.seek(SeekFrom::Start(start))?;
    out.write_all(&header.encode(order))?;
    out.seek(SeekFrom::Start(end))?;
    out.flush()?;
    Ok(tally.finish(end - start, Vec::new()))
}

fn motions(job: &Job) -> Result<(LayerMotion, LayerMotion), WriteError> {
    match job.separation {
        Separation::Lift { bottom, normal } => Ok((bottom, normal)),
        Separation::Tilt { .. } => Err(WriteError::Missing {
            format: Format::Goo,
            field: field::SEPARATION,
            hint: "add them to the printer profile, or write the format of the printer that tilts",
        }),
        Separation::Untold => Err(WriteError::Missing {
            format: Format::Goo,
            field: field::SEPARATION,
            hint: "give --printer and --material, whose profiles have them",
        }),
    }
}

fn header_of(
    job: &Job,
    source: &dyn LayerSource,
    previews: &[Picture],
    bottom: &LayerMotion,
    normal: &LayerMotion,
) -> Result<Header, WriteError> {
    let range = |field| WriteError::Range { format: Format::Goo, field };
    let display = &job.display;
    let at = Civil::from_unix(job.origin.written_at_s);
    let [plate_x, plate_y] = display.plate_mm();
    let picture = |side| previews.iter().find(|picture| picture.width_px == side);
    Ok(Header {
        version: header::VERSION.to_owned(),
        software: job.origin.software.clone(),
        software_version: job.origin.version.clone(),
        file_time: format!("{} {}", at.date(), at.time()),
        machine: job.machine.name.clone(),
        machine_kind: job.machine.kind.clone(),
        resin: job.resin.name.clone(),
        anti_aliasing: job.anti_aliasing,
        grey_level: 0,
        blur_level: 0,
        small: rgb565(picture(SMALL_PX), SMALL_PX),
        big: rgb565(picture(BIG_PX), BIG_PX),
        layers: source.layer_count(),
        width_px: u16::try_from(display.width_px).map_err(|_| range("width"))?,
        height_px: u16::try_from(display.height_px).map_err(|_| range("height"))?,
        mirror_x: u8::from(display.mirror_x),
        mirror_y: u8::from(display.mirror_y),
        platform_mm: [plate_x, plate_y, job.machine.build_mm[2]].map(single),
        layer_mm: single(job.heights.nominal().to_millimeters().0),
        exposure_s: single(job.exposure.normal_s),
        delay_mode: 1,
        turn_off_s: 0.0,
        bottom_waits_s: waits(bottom),
        waits_s: waits(normal),
        bottom_exposure_s: single(job.exposure.bottom_s),
        bottom_layers: job.exposure.bottom_layers,
        bottom_lift: stage(&bottom.lift),
        lift: stage(&normal.lift),
        bottom_retract: stage(&bottom.retract),
        retract: stage(&normal.retract),
        bottom_lift_second: stage(&bottom.lift_second),
        lift_second: stage(&normal.lift_second),
        bottom_retract_second: stage(&bottom.retract_second),
        retract_second: stage(&normal.retract_second),
        bottom_pwm: u16::from(job.light.bottom_pwm),
        pwm: u16::from(job.light.pwm),
        advance_mode: u8::from(job.layers_differ()),
        print_s: 0,
        volume_mm3: 0.0,
        weight_g: 0.0,
        price: 0.0,
        currency: job.resin.currency.clone(),
        content_offset: HEADER_LEN,
        grey_range: 1,
        transition_layers: u16::try_from(job.exposure.transition_layers)
            .map_err(|_| range("transition layers"))?,
    })
}

fn fill_in(header: &mut Header, job: &Job, tally: &Tally) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of times; saturates")]
    let whole_s = tally.print_s().round() as u32;
    header.print_s = whole_s;
    header.volume_mm3 = single(tally.volume_mm3());
    header.weight_g = single(job.resin.density_g_per_ml.unwrap_or(0.0) * tally.volume_ml());
    header.price = single(job.resin.price_per_ml.unwrap_or(0.0) * tally.volume_ml());
}

fn waits(motion: &LayerMotion) -> [f32; 3] {
    [motion.waits.before_lift_s, motion.waits.after_lift_s, motion.waits.after_retract_s].map(single)
}

fn stage(stage: &Move) -> [f32; 2] {
    [single(stage.mm), single(stage.mm_per_min)]
}
