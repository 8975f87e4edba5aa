//! Wax by filament: G-code for Marlin firmware.
//!
//! The ways of the nozzle come from [`crate::toolpath`]; here they become text: temperatures, speeds, drawing back,
//! and the time that it all takes. What is pressed through the nozzle is the volume of the sections.
//!
//! Modes are said, never assumed: millimetres, absolute coordinates, absolute filament that starts from 0 in each
//! layer. Comments follow what other programs read: `;LAYER:`, `;TYPE:`, thumbnails, and the summary at the end.
//!
//! Never here: pressure advance, accelerations (the firmware's own hold). Numbers come from the profile.

mod check;
mod pen;
#[cfg(test)]
mod tests;
mod text;
mod thumbnail;
mod time;

use std::io::Write;

use crate::finding::Finding;
use crate::preview::Picture;
use crate::slice::{
    Control, Display, Heights, LayerSource, Orientation, Part, Plate, PrepareError, Sampling, Settings,
};
use crate::toolpath::{self, LayerPlan, Rules, StreamError, Walker};
use pen::Pen;

/// Marlin's command buffer (`MAX_CMD_SIZE`) holds 96 bytes with line number and checksum.
pub const LINE_MAX: usize = 79;

/// Size of the picture in the file, px: one that PrusaSlicer's profiles for the Ender-3 S1 ask for too.
pub const PREVIEW_SIZE: (u32, u32) = (220, 124);

/// The mask is only there for its edges, the bed's; it has this many pixels along each side.
const BED_PIXELS: u32 = 1000;

/// Findings of one kind that are told one by one; the rest is counted.
const FINDINGS_MAX: usize = 20;

/// Everything that the file depends on, besides the parts. Every number comes from the profiles.
#[derive(Debug, Clone, PartialEq)]
pub struct WaxJob {
    /// Bed along x and y, and greatest height, mm.
    pub build_mm: [f64; 3],
    /// Where layers begin and end.
    pub heights: Heights,
    /// How areas become strands.
    pub rules: Rules,
    /// Filament diameter, mm.
    pub filament_mm: f64,
    /// Temperatures and fan of the first layer.
    pub first_layer: Climate,
    /// Temperatures and fan of all other layers.
    pub other_layers: Climate,
    /// Speeds.
    pub speeds: Speeds,
    /// What the machine can do.
    pub motion: Motion,
    /// End of the print: how far the nozzle goes up, mm.
    pub end_lift_mm: f64,
    /// Commands after heating, before the first layer: homing, priming.
    pub start_script: Vec<String>,
    /// Program and version, for the first line.
    pub software: String,
}

/// Heat and wind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Climate {
    /// Nozzle temperature, °C.
    pub nozzle_celsius: f64,
    /// Bed temperature, °C; `None` for a bed without heater.
    pub bed_celsius: Option<f64>,
    /// Part fan, 0 to 255.
    pub fan_pwm: u8,
}

/// Speeds in mm/s, and what slows them down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speeds {
    /// Every strand of the first layer.
    pub first_layer: f64,
    /// Walls that are seen.
    pub outer_wall: f64,
    /// Walls that aren't.
    pub inner_wall: f64,
    /// Single strands.
    pub thin: f64,
    /// Solid filling.
    pub solid: f64,
    /// Open filling.
    pub infill: f64,
    /// Supports, brim and skirt.
    pub support: f64,
    /// Moves without wax.
    pub travel: f64,
    /// Up and down.
    pub lift: f64,
    /// Most wax that the nozzle melts, mm³/s.
    pub mm3_per_s_max: f64,
    /// A layer takes at least this long, s, so that it sets before the next.
    pub layer_s_min: f64,
    /// No strand is slowed down below this for it, mm/s.
    pub slowest: f64,
}

/// How the machine speeds up, and how it draws back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Acceleration while a strand is laid, mm/s².
    pub press_mm_per_s2: f64,
    /// Acceleration of moves without wax, mm/s².
    pub travel_mm_per_s2: f64,
    /// Acceleration of the filament alone, mm/s².
    pub retract_mm_per_s2: f64,
    /// Change of speed that an axis makes at once, mm/s.
    pub jerk_mm_per_s: f64,
    /// Filament drawn back before a move without wax that leaves the piece, mm.
    pub retract_mm: f64,
    /// Speed of drawing back and priming, mm/s.
    pub retract_mm_per_s: f64,
}

/// What was written.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct WaxWritten {
    /// Layers in the file.
    pub layers: u32,
    /// Wax that is pressed out, with supports, brim and skirt, ml.
    pub volume_ml: f64,
    /// Wax of the parts alone, ml.
    pub part_ml: f64,
    /// Volume of all sections, ml.
    pub section_ml: f64,
    /// Filament, mm.
    pub filament_mm: f64,
    /// Time of all moves with their accelerations, s; heating is left out.
    pub print_s: f64,
    /// Length of the file.
    pub bytes: u64,
    /// What a person should look at, by place.
    pub findings: Vec<Finding>,
}

/// Why wax G-code can't be written.
#[derive(Debug, thiserror::Error)]
pub enum WaxError {
    /// The parts don't fit.
    #[error("the plate can't be sliced")]
    Prepare(#[from] PrepareError),
    /// A number of the job makes no sense.
    #[error("{field} is out of range; correct the printer profile")]
    Range {
        /// Which one.
        field: &'static str,
    },
    /// A line of the start script is too long or holds something else than text.
    #[error("the start script line \"{line}\" is longer than {LINE_MAX} bytes or not plain text; shorten it")]
    Script {
        /// The line.
        line: String,
    },
    /// The output can't be written.
    #[error("the print file can't be written; check the disk")]
    Output(#[from] std::io::Error),
    /// The caller asked to stop.
    #[error("stopped")]
    Cancelled,
}

/// Slices parts and writes their G-code as it is made. `previews` are pictures of the plate for the display of the
/// printer, see [`PREVIEW_SIZE`].
///
/// # Errors
/// If a part doesn't fit, a number makes no sense, or the output fails.
pub fn write<W: Write + Send>(
    job: &WaxJob,
    parts: &[Part<'_>],
    previews: &[Picture],
    out: W,
    control: Control<'_>,
) -> Result<WaxWritten, WaxError> {
    check::check(job)?;
    let plate = Plate::prepare(parts, settings(job))?;
    let mut walker = Walker::new(job.rules.seam, detour_mm(job));
    let mut pen = Pen::new(job, out);
    let mut findings = Vec::new();
    let mut section_mm3 = 0.0;
    pen.start(previews)?;
    let deliver = |mut plan: LayerPlan| -> Result<(), WaxError> {
        findings.append(&mut plan.findings);
        section_mm3 += plan.section_mm3;
        pen.layer(&plan, &walker.walk(&plan))
    };
    toolpath::stream(&plate, &job.rules, control, deliver).map_err(|error| match error {
        StreamError::Cancelled => WaxError::Cancelled,
        StreamError::Deliver(error) => error,
    })?;
    let written = pen.end(plate.layer_count())?;
    Ok(WaxWritten { section_ml: section_mm3 / 1000.0, findings: summed_up(findings), ..written })
}

/// The bed as a mask: nothing is drawn on it, but parts must lie within.
fn settings(job: &WaxJob) -> Settings {
    let [x, y, height_max_mm] = job.build_mm;
    let display = Display {
        width_px: BED_PIXELS,
        height_px: BED_PIXELS,
        pitch_mm: [x / f64::from(BED_PIXELS), y / f64::from(BED_PIXELS)],
        orientation: Orientation::Landscape,
        mirror_x: false,
        mirror_y: false,
    };
    Settings { display, height_max_mm, heights: job.heights.clone(), sampling: Sampling::Centre }
}

/// A way around may be as much longer as the nozzle would travel while the filament is drawn back and primed.
fn detour_mm(job: &WaxJob) -> f64 {
    2.0 * job.motion.retract_mm / job.motion.retract_mm_per_s * job.speeds.travel
}

/// The first findings of each code, and how many more there are.
fn summed_up(findings: Vec<Finding>) -> Vec<Finding> {
    let mut told: Vec<Finding> = Vec::new();
    let mut more: Vec<(String, usize)> = Vec::new();
    for finding in findings {
        if told.iter().filter(|other| other.code == finding.code).count() < FINDINGS_MAX {
            told.push(finding);
        } else if let Some((_, count)) = more.iter_mut().find(|(code, _)| *code == finding.code) {
            *count += 1;
        } else {
            more.push((finding.code, 1));
        }
    }
    let rest = |(code, count): (String, usize)| {
        Finding::warning(&code, "plate", format!("{count} more places like those above; look at them too"))
    };
    told.extend(more.into_iter().map(rest));
    told
}
