//! Files of Anycubic's printers: `.pwmx`, `.pwmo`, `.pws` and their family, versions 1, 515, 516 and 517.
//!
//! Little-endian blocks, found by offsets in the first one: header, picture, grey levels, layer table, lifts in two
//! stages, machine, program, model, layers. All files of a version are the same but for the coding of layers:
//! `.pws` has one-bit planes, all others four bits of grey. Speeds are in mm/s.

mod bounds;
mod ending;
mod held;
mod read;
mod runs;
mod sections;
#[cfg(test)]
mod tests;
mod told;

use std::io::{Seek, SeekFrom, Write};

use super::fields::{ByteOrder, FieldWriter, single};
use super::levels::{Levels, Rounding};
use super::tally::{Encoded, Tally};
use super::{Format, Job, LayerMotion, Move, WriteError, Written, bit_planes, lifts};
use crate::preview::Picture;
use crate::slice::{Control, Layer, LayerSource, stream};
use bounds::Bounds;
use sections::{
    EXTRA_LEN, Extra, GREYS_LEN, Header, Intro, LAYER_LEN, LayerEntry, Lift, MACHINE_LEN, MODEL_LEN, Machine,
    Preview, SOFTWARE_LEN, Software, TABLE_HEAD_LEN, encode_extra, encode_greys, encode_model,
    encode_table_head,
};

pub use ending::{AnycubicEnding, AnycubicVersion};
pub(super) use read::{AnycubicFile, is_anycubic};

/// The one picture.
pub(super) const PREVIEW_SIZES: [(u32, u32); 1] = [(224, 168)];

/// How layers are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// One-bit planes.
    Planes,
    /// Four bits of grey.
    FourBits,
    /// Four bits of grey with a checksum behind each layer.
    FourBitsSummed,
}

impl Coding {
    fn of(ending: AnycubicEnding) -> Self {
        match ending {
            AnycubicEnding::Pws => Coding::Planes,
            AnycubicEnding::Pw0 => Coding::FourBitsSummed,
            AnycubicEnding::Pwx
            | AnycubicEnding::Dlp
            | AnycubicEnding::Dl2p
            | AnycubicEnding::Pwmx
            | AnycubicEnding::Pmx2
            | AnycubicEnding::Pwmb
            | AnycubicEnding::Px6s
            | AnycubicEnding::Pwmo
            | AnycubicEnding::Pm3n
            | AnycubicEnding::Pwms
            | AnycubicEnding::Pwma
            | AnycubicEnding::Pmsq
            | AnycubicEnding::Pm3
            | AnycubicEnding::Pm3m
            | AnycubicEnding::Pm3r
            | AnycubicEnding::Pm5 => Coding::FourBits,
        }
    }

    /// What the machine block calls it.
    fn name(self) -> &'static str {
        match self {
            Coding::Planes => "pwsImg",
            Coding::FourBits | Coding::FourBitsSummed => "pw0Img",
        }
    }

    /// The level that is stated: the number of planes, or at most the 16 levels that there are.
    fn anti_aliasing(self, job: &Job) -> u16 {
        match (self, job.anti_aliasing) {
            (Coding::FourBits | Coding::FourBitsSummed, level) => level.clamp(1, 16),
            (Coding::Planes, 0 | 1) => 1,
            (Coding::Planes, 2 | 3) => 2,
            (Coding::Planes, 4..=7) => 4,
            (Coding::Planes, _) => 8,
        }
    }

    fn levels(self, planes: u32) -> Levels {
        match self {
            Coding::Planes => {
                Levels::new(|value| bit_planes::value_of(bit_planes::count_of(value, planes), planes))
            }
            Coding::FourBits | Coding::FourBitsSummed => Levels::new(runs::nearest),
        }
    }

    fn encode(self, layer: &Layer, planes: u32) -> Vec<u8> {
        let mut bytes = match self {
            Coding::Planes => {
                let planes = (1..=planes).map(|count| bit_planes::encode(&layer.runs, count, planes));
                return planes.collect::<Vec<_>>().concat();
            }
            Coding::FourBits | Coding::FourBitsSummed => runs::encode(&layer.runs),
        };
        if self == Coding::FourBitsSummed {
            bytes.extend(runs::checksum(&bytes).to_be_bytes());
        }
        bytes
    }
}

/// The job that a reader will see, for the tests of all formats.
#[cfg(test)]
pub(super) fn held(job: &Job, ending: AnycubicEnding, version: AnycubicVersion) -> Job {
    let held = held::hold(job, Coding::of(ending), version, Format::Anycubic(ending, version));
    held.map(|(held, _)| held).expect("a job with lifts")
}

/// An encoded layer.
struct Packed {
    encoded: Encoded,
    lit_px: u64,
    bounds: Bounds,
    rounding: Rounding,
}

/// What is known of all layers at the end.
struct Sums {
    tally: Tally,
    bounds: Bounds,
    rounding: Rounding,
    entries: Vec<LayerEntry>,
}

/// Writes a file. The blocks before the layers carry what is known only at the end, so they are written as a
/// place first, then filled in.
pub(super) fn write<W: Write + Seek + Send>(
    ending: AnycubicEnding,
    version: AnycubicVersion,
    job: &Job,
    source: &dyn LayerSource,
    previews: &[Picture],
    mut out: W,
    control: Control<'_>,
) -> Result<Written, WriteError> {
    let format = Format::Anycubic(ending, version);
    let coding = Coding::of(ending);
    let (job, mut findings) = held::hold(job, coding, version, format)?;
    let mut head = Head::new(&job, ending, version, source.layer_count(), previews)?;
    let levels = coding.levels(u32::from(job.anti_aliasing));
    let start = out.stream_position()?;
    let mut sums = Sums {
        tally: Tally::default(),
        bounds: Bounds::NONE,
        rounding: Rounding::default(),
        entries: Vec::new(),
    };
    let pictures_at = u64::from(head.intro.pictures_at);
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), pictures_at), &mut out)?;
    let pixel_mm2 = job.display.pixel_mm2();
    let encode = |layer: &Layer| {
        let (shown, rounding) = levels.round(layer, pixel_mm2);
        let bytes = coding.encode(&shown, u32::from(job.anti_aliasing));
        let encoded = Encoded::of(&shown, bytes);
        Packed { encoded, lit_px: shown.lit_px, bounds: Bounds::of(&shown, &job.display), rounding }
    };
    let mut at = head.intro.pictures_at;
    stream(source, control, encode, |packed| {
        let entry = head.entry(&job, &packed, at, format)?;
        at = entry.at.checked_add(entry.length).ok_or(WriteError::Range { format, field: "file size" })?;
        out.write_all(&packed.encoded.bytes)?;
        sums.add(&job, packed, entry);
        Ok(())
    })
    .map_err(WriteError::from)?;
    let end = out.stream_position()?;
    head.fill_in(&job, &sums.tally);
    out.seek(SeekFrom::Start(start))?;
    out.write_all(&head.encode(&sums, &job))?;
    out.seek(SeekFrom::Start(end))?;
    out.flush()?;
    findings.extend(levels.finding(format, sums.rounding));
    Ok(sums.tally.finish(end - start, findings))
}

impl Sums {
    fn add(&mut self, job: &Job, packed: Packed, entry: LayerEntry) {
        self.tally.add(job, &packed.encoded);
        self.bounds.add(&packed.bounds);
        self.rounding.add(packed.rounding);
        self.entries.push(entry);
    }
}

/// Everything before the layers.
struct Head {
    version: AnycubicVersion,
    intro: Intro,
    header: Header,
    preview: Option<Vec<u16>>,
    extra: Extra,
    machine: Machine,
    software: Software,
    layers: u32,
    motions: [LayerMotion; 2],
}

impl Head {
    fn new(
        job: &Job,
        ending: AnycubicEnding,
        version: AnycubicVersion,
        layers: u32,
        previews: &[Picture],
    ) -> Result<Self, WriteError> {
        let format = Format::Anycubic(ending, version);
        let (bottom, normal) = lifts::motions(job, format)?;
        let [(width, height)] = PREVIEW_SIZES;
        let fitting = previews.iter().find(|one| (one.width_px, one.height_px) == (width, height));
        let mut head = Self {
            version,
            intro: Intro { version: version.number(), ..Intro::default() },
            header: header_of(job, version, &bottom, &normal),
            preview: fitting.map(|picture| picture.rgb.iter().map(word_of).collect()),
            extra: [lift_of(&bottom), lift_of(&normal)],
            machine: machine_of(job, ending, version),
            software: Software { name: job.origin.software.clone(), version: job.origin.version.clone() },
            layers,
            motions: [bottom, normal],
        };
        head.lay_out().ok_or(WriteError::Range { format, field: "number of layers" })?;
        Ok(head)
    }

    /// Gives the blocks their places; `None` if the layer table is beyond 4 GiB.
    fn lay_out(&mut self) -> Option<()> {
        let mut at = Intro::length(self.version);
        let mut place = |there: bool, length: u32| {
            let here = at;
            at = if there { at.checked_add(length)? } else { at };
            Some(if there { here } else { 0 })
        };
        let [(width, height)] = PREVIEW_SIZES;
        let preview = Preview { size_px: [width, height] };
        let table = self.layers.checked_mul(LAYER_LEN)?.checked_add(TABLE_HEAD_LEN)?;
        let (since_516, since_517) =
            (self.version >= AnycubicVersion::V516, self.version >= AnycubicVersion::V517);
        self.intro.header_at = place(true, Header::length(self.version))?;
        self.intro.preview_at = place(self.preview.is_some(), preview.length())?;
        self.intro.greys_at = place(self.version >= AnycubicVersion::V515, GREYS_LEN)?;
        self.intro.layers_at = place(true, table)?;
        self.intro.extra_at = place(since_516, EXTRA_LEN)?;
        self.intro.machine_at = place(since_516, MACHINE_LEN)?;
        self.intro.software_at = place(since_517, SOFTWARE_LEN)?;
        self.intro.model_at = place(since_517, MODEL_LEN)?;
        self.intro.pictures_at = at;
        if self.version == AnycubicVersion::V515 {
            // Known files of this version point to the layers here.
            self.intro.extra_at = at;
        }
        self.intro.blocks = match self.version {
            AnycubicVersion::V1 => 4,
            AnycubicVersion::V515 => 5,
            AnycubicVersion::V516 => 8,
            AnycubicVersion::V517 => 9,
        };
        Some(())
    }

    /// The entry of a layer whose bytes come to lie at `at`.
    fn entry(&self, job: &Job, packed: &Packed, at: u32, format: Format) -> Result<LayerEntry, WriteError> {
        let range = |_| WriteError::Range { format, field: "file size" };
        let index = packed.encoded.index;
        let [bottom, normal] = &self.motions;
        let motion = if index < job.exposure.bottom_layers { bottom } else { normal };
        Ok(LayerEntry {
            at,
            length: u32::try_from(packed.encoded.bytes.len()).map_err(range)?,
            lift: [single(lifts::way_mm(motion)), per_second(motion.lift)],
            exposure_s: single(job.exposure_s(index)),
            layer_mm: single(job.heights.thickness(index).to_millimeters().0),
            lit_px: u32::try_from(packed.lit_px).map_err(range)?,
        })
    }

    /// Sets what is known when all layers are written.
    fn fill_in(&mut self, job: &Job, tally: &Tally) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a sum of times; saturates"
        )]
        let whole_s = tally.print_s().round() as u32;
        self.header.print_s = whole_s;
        self.header.volume_ml = single(tally.volume_ml());
        self.header.weight_g = single(job.resin.density_g_per_ml.unwrap_or(0.0) * tally.volume_ml());
        self.header.price = single(job.resin.price_per_ml.unwrap_or(0.0) * tally.volume_ml());
    }

    /// The bytes up to the layers.
    fn encode(&self, sums: &Sums, job: &Job) -> Vec<u8> {
        let mut out = FieldWriter::new(ByteOrder::Little);
        self.intro.encode(&mut out);
        self.header.encode(self.version, &mut out);
        if let Some(words) = &self.preview {
            let [(width, height)] = PREVIEW_SIZES;
            Preview { size_px: [width, height] }.encode(&mut out);
            words.iter().for_each(|&word| out.u16(word));
        }
        if self.version >= AnycubicVersion::V515 {
            encode_greys(&mut out);
        }
        encode_table_head(self.layers, &mut out);
        sums.entries.iter().for_each(|entry| entry.encode(&mut out));
        if self.version >= AnycubicVersion::V516 {
            encode_extra(&self.extra, &mut out);
            self.machine.encode(&mut out);
        }
        if self.version >= AnycubicVersion::V517 {
            self.software.encode(&mut out);
            let [[x0, y0], [x1, y1]] = sums.bounds.corners_mm(&job.display);
            let top = self.layers.checked_sub(1).map_or(0.0, |last| job.heights.top(last).to_millimeters().0);
            encode_model([x0, y0, 0.0, x1, y1, top].map(single), &mut out);
        }
        out.finish()
    }
}

fn header_of(job: &Job, version: AnycubicVersion, bottom: &LayerMotion, normal: &LayerMotion) -> Header {
    let own_values = !job.heights.is_uniform() || !job.exposure.ranges.is_empty();
    // Until version 515 the lift of bottom layers stands in the layer table alone.
    let own_lifts = version < AnycubicVersion::V516 && bottom.lift != normal.lift;
    let two_stages = bottom.lift_second.mm > 0.0 || normal.lift_second.mm > 0.0 || bottom != normal;
    let currency = &job.resin.currency;
    Header {
        pixel_um: single(job.display.pitch_mm[0] * 1000.0),
        layer_mm: single(job.heights.nominal().to_millimeters().0),
        exposure_s: single(job.exposure.normal_s),
        rest_s: single(normal.waits.after_retract_s),
        bottom_exposure_s: single(job.exposure.bottom_s),
        bottom_layers: single(f64::from(job.exposure.bottom_layers)),
        lift: [single(lifts::way_mm(normal)), per_second(normal.lift)],
        retract_mm_per_s: per_second(normal.retract),
        anti_aliasing: u32::from(job.anti_aliasing),
        resolution_px: [job.display.width_px, job.display.height_px],
        currency: currency[..currency.floor_char_boundary(4)].to_owned(),
        layers_differ: u32::from(own_values || own_lifts),
        transition_layers: job.exposure.transition_layers,
        two_stages: u32::from(version >= AnycubicVersion::V516 && two_stages),
        ..Header::default()
    }
}

fn machine_of(job: &Job, ending: AnycubicEnding, version: AnycubicVersion) -> Machine {
    let display = &job.display;
    Machine {
        name: job.machine.name.clone(),
        coding: Coding::of(ending).name().to_owned(),
        properties: if version >= AnycubicVersion::V517 { 7 } else { 1 },
        display_mm: [
            single(f64::from(display.width_px) * display.pitch_mm[0]),
            single(f64::from(display.height_px) * display.pitch_mm[1]),
        ],
        height_mm: single(job.machine.build_mm[2]),
        newest_version: ending.newest_version().number(),
    }
}

/// Down goes through the upper stage first.
fn lift_of(motion: &LayerMotion) -> Lift {
    let stage = |up: Move, down: Move| [single(up.mm), per_second(up), per_second(down)];
    if motion.lift_second.mm > 0.0 {
        let lower = stage(motion.lift, motion.retract_second);
        Lift { lower, upper: stage(motion.lift_second, motion.retract) }
    } else {
        let lower = stage(motion.lift, motion.retract);
        let [_, up, down] = lower;
        Lift { lower, upper: [0.0, up, down] }
    }
}

fn per_second(stage: Move) -> f32 {
    single(stage.mm_per_min / 60.0)
}

/// Red in bits 15-11, green in 10-5, blue in 4-0.
fn word_of(&[red, green, blue]: &[u8; 3]) -> u16 {
    u16::from(red >> 3) << 11 | u16::from(green >> 2) << 5 | u16::from(blue >> 3)
}
