//! `.ctb` files of ChiTuBox and its boards, versions 2 to 5 with plain settings, and `.cbddlp` and `.photon`
//! files, which are the same but for the coding of layers.
//!
//! Little-endian, except for lengths of runs. Header, pictures, print parameters, slicer block, blocks of
//! version 4 and 5, layer table, layers. Layers are written plain (key 0) and read with any key. Files whose
//! settings are encrypted are refused.

mod cipher;
mod head;
mod header;
mod held;
mod layer;
mod picture;
mod read;
mod runs;
#[cfg(test)]
mod tests;
mod told;

use std::io::{Seek, SeekFrom, Write};

use serde::Serialize;

use super::fields::{ByteOrder, FieldWriter, single};
use super::levels::{Levels, Rounding};
use super::tally::{Encoded, Tally};
use super::{Format, Job, LayerMotion, WriteError, Written, bit_planes, lifts};
use crate::preview::Picture;
use crate::slice::{Control, Layer, LayerSource, stream};
use head::Head;
use layer::{ENTRY_LEN, Entry, RECORD_LEN, Record};

pub(super) use read::{CtbFile, is_ctb};

/// Large picture, small picture.
pub(super) const PREVIEW_SIZES: [(u32, u32); 2] = [(400, 300), (200, 125)];

/// A version of `.ctb`: what a board reads is said by the printer's profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CtbVersion {
    /// One-stage lifts, for all layers alike.
    V2,
    /// Lifts for each layer.
    V3,
    /// Lifts and ways back in two stages, three rests.
    V4,
    /// The resin by name.
    V5,
}

impl CtbVersion {
    /// Name on the command line and in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            CtbVersion::V2 => "ctb-v2",
            CtbVersion::V3 => "ctb-v3",
            CtbVersion::V4 => "ctb-v4",
            CtbVersion::V5 => "ctb-v5",
        }
    }

    /// The number in the file.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            CtbVersion::V2 => 2,
            CtbVersion::V3 => 3,
            CtbVersion::V4 => 4,
            CtbVersion::V5 => 5,
        }
    }
}

/// What sets the files of this folder apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flavour {
    version: CtbVersion,
    /// Layers are stacks of one-bit planes, not seven-bit grey.
    in_planes: bool,
}

impl Flavour {
    /// How many planes a layer has: 1, 2, 4 or 8, the most that the job's anti-aliasing asks for.
    fn planes(self, job: &Job) -> u16 {
        match job.anti_aliasing {
            _ if !self.in_planes => 1,
            0 | 1 => 1,
            2 | 3 => 2,
            4..=7 => 4,
            _ => 8,
        }
    }

    fn levels(self, planes: u32) -> Levels {
        if self.in_planes {
            Levels::new(|value| bit_planes::value_of(bit_planes::count_of(value, planes), planes))
        } else {
            Levels::new(runs::nearest)
        }
    }

    /// The planes of a layer, highest threshold first: boards that know no grey show the first one.
    fn encode(self, layer: &Layer, planes: u32) -> Vec<Vec<u8>> {
        if self.in_planes {
            (1..=planes).rev().map(|count| bit_planes::encode(&layer.runs, count, planes)).collect()
        } else {
            vec![runs::encode(&layer.runs)]
        }
    }
}

/// The job that a reader will see, for the tests of all formats.
#[cfg(test)]
pub(super) fn held(job: &Job, format: Format) -> Job {
    let (version, in_planes) =
        if let Format::Ctb(version) = format { (version, false) } else { (CtbVersion::V2, true) };
    held::hold(job, Flavour { version, in_planes }, format).map(|(held, _)| held).expect("a job with lifts")
}

/// An encoded layer.
struct Packed {
    encoded: Encoded,
    planes: Vec<Vec<u8>>,
    rounding: Rounding,
}

/// Writes a file of `format`, which is `.ctb` of a version, or (with `version` `None`) `.cbddlp` or `.photon`.
///
/// Header and table carry what is known only at the end, so both are written as a place first, then filled in.
pub(super) fn write<W: Write + Seek + Send>(
    format: Format,
    version: Option<CtbVersion>,
    job: &Job,
    source: &dyn LayerSource,
    previews: &[Picture],
    mut out: W,
    control: Control<'_>,
) -> Result<Written, WriteError> {
    let flavour = Flavour { version: version.unwrap_or(CtbVersion::V2), in_planes: version.is_none() };
    let (job, mut findings) = held::hold(job, flavour, format)?;
    let planes = u32::from(flavour.planes(&job));
    let levels = flavour.levels(planes);
    let mut head = Head::new(&job, flavour, format, source.layer_count(), previews)?;
    let mut table = Table::new(format, &job, flavour, source.layer_count(), planes, head.table_at())?;
    let start = out.stream_position()?;
    out.write_all(&head.encode())?;
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), table.bytes()), &mut out)?;
    let mut tally = Tally::default();
    let mut rounding = Rounding::default();
    let pixel_mm2 = job.display.pixel_mm2();
    let encode = |layer: &Layer| {
        let (shown, rounding) = levels.round(layer, pixel_mm2);
        Packed { encoded: Encoded::of(&shown, Vec::new()), planes: flavour.encode(&shown, planes), rounding }
    };
    stream(source, control, encode, |packed| {
        table.write_layer(&job, &packed, &mut out)?;
        tally.add(&job, &packed.encoded);
        rounding.add(packed.rounding);
        Ok(())
    })
    .map_err(WriteError::from)?;
    let end = out.stream_position()?;
    head.fill_in(&job, &tally);
    out.seek(SeekFrom::Start(start))?;
    out.write_all(&head.encode())?;
    out.write_all(&table.encode())?;
    out.seek(SeekFrom::Start(end))?;
    out.flush()?;
    findings.extend(levels.finding(format, rounding));
    Ok(tally.finish(end - start, findings))
}

/// The layer table while layers are written.
struct Table {
    format: Format,
    flavour: Flavour,
    motions: [LayerMotion; 2],
    layers: u32,
    /// All layers of the first plane, then all of the next.
    entries: Vec<Entry>,
    /// Where the next byte comes to lie.
    at: u64,
}

impl Table {
    fn new(
        format: Format,
        job: &Job,
        flavour: Flavour,
        layers: u32,
        planes: u32,
        table_at: u32,
    ) -> Result<Self, WriteError> {
        let range = || WriteError::Range { format, field: "number of layers" };
        let (bottom, normal) = lifts::motions(job, format)?;
        let count =
            layers.checked_mul(planes).and_then(|count| usize::try_from(count).ok()).ok_or_else(range)?;
        let entries = vec![Entry::default(); count];
        let mut table = Self { format, flavour, motions: [bottom, normal], layers, entries, at: 0 };
        table.at = u64::from(table_at) + table.bytes();
        Ok(table)
    }

    fn bytes(&self) -> u64 {
        self.entries.len() as u64 * u64::from(ENTRY_LEN)
    }

    fn write_layer<W: Write>(&mut self, job: &Job, packed: &Packed, out: &mut W) -> Result<(), WriteError> {
        let index = packed.encoded.index;
        let [bottom, normal] = &self.motions;
        let motion = if index < job.exposure.bottom_layers { *bottom } else { *normal };
        let record = Record::of(job, &motion, index, self.flavour.version);
        let with_record = self.flavour.version >= CtbVersion::V3;
        for (plane, bytes) in (0..).zip(&packed.planes) {
            let range = || WriteError::Range { format: self.format, field: "file size" };
            let entry = Entry {
                z_mm: single(job.heights.top(index).to_millimeters().0),
                exposure_s: single(job.exposure_s(index)),
                light_off_s: single(light_off_s(&motion, self.flavour.version)),
                at: self.at + if with_record { u64::from(RECORD_LEN) } else { 0 },
                length: u32::try_from(bytes.len()).map_err(|_| range())?,
                size: if with_record { RECORD_LEN } else { ENTRY_LEN },
            };
            if self.flavour.in_planes && entry.at > u64::from(u32::MAX) {
                return Err(range());
            }
            if with_record {
                let mut fields = FieldWriter::new(ByteOrder::Little);
                record.encode(&entry, &mut fields);
                out.write_all(&fields.finish())?;
            }
            out.write_all(bytes)?;
            self.at = entry.at + u64::from(entry.length);
            let place = usize::try_from(u64::from(plane * self.layers) + u64::from(index));
            if let Some(slot) = place.ok().and_then(|place| self.entries.get_mut(place)) {
                *slot = entry;
            }
        }
        Ok(())
    }

    fn encode(&self) -> Vec<u8> {
        let mut fields = FieldWriter::new(ByteOrder::Little);
        self.entries.iter().for_each(|entry| entry.encode(&mut fields));
        fields.finish()
    }
}

/// Time without light between two layers, s. Boards count moves into it, so a rest must come on top of them;
/// 0 leaves the time to the moves. Version 4 has rests of their own instead.
fn light_off_s(motion: &LayerMotion, version: CtbVersion) -> f64 {
    if version >= CtbVersion::V4 || lifts::rest_s(motion) <= 0.0 { 0.0 } else { motion.seconds() }
}
