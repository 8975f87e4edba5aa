//! Reads `.goo` files of any program.

use super::TAIL;
use super::header::{BIG_PX, HEADER_LEN, Header, MAGIC, SMALL_PX, Stage, picture_of};
use super::layer::{HEAD_LEN, LayerHead, picture};
use super::order::ByteOrder;
use super::runs;
use crate::preview::Picture;
use crate::print_files::civil::Civil;
use crate::print_files::fields::{meant, per_ml, pitch_mm, thousandfold};
use crate::print_files::told::{field, uniform};
use crate::print_files::{
    Exposure, Facts, Format, Job, LayerFacts, LayerMotion, Light, Limits, Machine, Move, Origin, PrintFile,
    ReadError, Resin, Separation, Told, Waits,
};
use crate::slice::{Display, Layer, LayerError, LayerSource, Orientation};

/// An opened file: the header was checked and the layers were found.
pub(in crate::print_files) struct GooFile<'a> {
    header: Header,
    facts: Facts,
    /// What single layers say that the header does not, by field.
    own: Vec<&'static str>,
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
        let Found { layers, pictures, own } = find_layers(bytes, &header, order)?;
        let facts = facts_of(&header, &display, layers)?;
        Ok(Self { header, facts, own, display, pictures })
    }
}

impl PrintFile for GooFile<'_> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn job(&self) -> Told {
        let header = &self.header;
        let (job, at) = job_of(header, &self.facts, self.display);
        let mut untold = vec![field::SL1_NAMES];
        untold.extend(&self.own);
        let silent = [
            (field::LIGHT_OFF, header.delay_mode == 0 && header.turn_off_s > 0.0),
            (field::DENSITY, job.resin.density_g_per_ml.is_none()),
            (field::PRICE, job.resin.price_per_ml.is_none()),
            (field::WRITTEN_AT, at.is_none()),
        ];
        untold.extend(silent.iter().filter(|(_, silent)| *silent).map(|(field, _)| field));
        Told::of(job, untold, &self.facts.layers)
    }

    fn previews(&self) -> Vec<Picture> {
        vec![picture_of(&self.header.small, SMALL_PX), picture_of(&self.header.big, BIG_PX)]
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
        pitch_mm(mm, pixels).map_err(damaged)
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

struct Found<'a> {
    layers: Vec<LayerFacts>,
    pictures: Vec<&'a [u8]>,
    own: Vec<&'static str>,
}

/// Walks over the layer records; they must end exactly at the tail, and that at the end of the file.
fn find_layers<'a>(bytes: &'a [u8], header: &Header, order: ByteOrder) -> Result<Found<'a>, ReadError> {
    let start = usize::try_from(header.content_offset).ok().filter(|_| header.content_offset >= HEADER_LEN);
    let mut rest = start
        .and_then(|start| bytes.get(start..))
        .ok_or_else(|| damaged("the layers begin outside the file"))?;
    let (mut layers, mut pictures) = (Vec::new(), Vec::new());
    let (mut has_own_moves, mut has_pauses) = (false, false);
    for index in 0..header.layers {
        let (head, picture, tail) = next_record(rest, order)
            .ok_or_else(|| damaged(format!("it ends inside layer {index} of {}", header.layers)))?;
        layers.push(LayerFacts {
            z_um: thousandfold(finite(head.z_mm, "a layer height")?),
            exposure_s: finite(head.exposure_s, "an exposure time")?,
        });
        has_own_moves |= !moves_as_stated(header, &head, index < header.bottom_layers);
        has_pauses |= head.pause != 0;
        pictures.push(picture);
        rest = tail;
    }
    if rest != TAIL {
        return Err(damaged("its last bytes are not the tail"));
    }
    let own = [(field::LAYER_MOTION, has_own_moves), (field::PAUSES, has_pauses)];
    let own = own.into_iter().filter(|(_, own)| *own).map(|(field, _)| field).collect();
    Ok(Found { layers, pictures, own })
}

/// Whether a layer moves as the header says.
fn moves_as_stated(header: &Header, head: &LayerHead, bottom: bool) -> bool {
    let (stages, waits_s, pwm) = if bottom {
        (bottom_stages(header), header.bottom_waits_s, header.bottom_pwm)
    } else {
        (stages(header), header.waits_s, header.pwm)
    };
    let moves = stages.iter().flatten().chain(&waits_s);
    let own = head.stages.iter().flatten().chain(&head.waits_s);
    pwm == head.pwm && moves.zip(own).all(|(stated, own)| stated.to_bits() == own.to_bits())
}

/// Lift, second lift, retract, second retract.
fn bottom_stages(header: &Header) -> [Stage; 4] {
    [header.bottom_lift, header.bottom_lift_second, header.bottom_retract, header.bottom_retract_second]
}

fn stages(header: &Header) -> [Stage; 4] {
    [header.lift, header.lift_second, header.retract, header.retract_second]
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

/// The job, and the time of writing if the header has one.
fn job_of(header: &Header, facts: &Facts, display: Display) -> (Job, Option<i64>) {
    let (date, time) = header.file_time.split_once(' ').unwrap_or_default();
    let at = Civil::parse_unix(date, time);
    let [x, y] = display.plate_mm();
    let pwm = |word: u16| u8::try_from(word).unwrap_or(u8::MAX);
    let job = Job {
        machine: Machine {
            name: header.machine.clone(),
            kind: header.machine_kind.clone(),
            build_mm: [x, y, number(header.platform_mm[2])],
        },
        display,
        heights: uniform(facts.layer_um),
        exposure: Exposure {
            normal_s: number(header.exposure_s),
            bottom_s: number(header.bottom_exposure_s),
            bottom_layers: header.bottom_layers,
            transition_layers: u32::from(header.transition_layers),
            ranges: Vec::new(),
        },
        separation: Separation::Lift {
            bottom: motion(bottom_stages(header), header.bottom_waits_s),
            normal: motion(stages(header), header.waits_s),
        },
        light: Light { bottom_pwm: pwm(header.bottom_pwm), pwm: pwm(header.pwm) },
        anti_aliasing: header.anti_aliasing,
        resin: Resin {
            name: header.resin.clone(),
            density_g_per_ml: per_ml(header.weight_g, facts.volume_ml),
            price_per_ml: per_ml(header.price, facts.volume_ml),
            currency: header.currency.clone(),
        },
        origin: Origin {
            software: header.software.clone(),
            version: header.software_version.clone(),
            written_at_s: at.unwrap_or(0),
        },
        sl1: None,
    };
    (job, at)
}

fn motion(stages: [Stage; 4], waits_s: [f32; 3]) -> LayerMotion {
    let [lift, lift_second, retract, retract_second] =
        stages.map(|[mm, mm_per_min]| Move { mm: number(mm), mm_per_min: number(mm_per_min) });
    let [before_lift_s, after_lift_s, after_retract_s] = waits_s.map(number);
    let waits = Waits { before_lift_s, after_lift_s, after_retract_s };
    LayerMotion { lift, lift_second, retract, retract_second, waits }
}

/// As [`finite`], for numbers that stop no reader.
fn number(value: f32) -> f64 {
    finite(value, "").unwrap_or(0.0)
}

fn finite(value: f32, what: &str) -> Result<f64, ReadError> {
    meant(value).ok_or_else(|| damaged(format!("{what} is not a number")))
}
