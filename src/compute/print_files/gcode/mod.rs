//! Wax by filament: G-code for Marlin firmware.
//!
//! Each layer is the same section as everywhere, sampled at the middle of each line of wax: the rows of its mask
//! are one extrusion width apart, and every run becomes one straight line. Layers alternate between lines along
//! x and along y; rows are walked to and fro. What is pressed through the nozzle is length x width x layer
//! height, so the wax of a print is the volume of its sections.
//!
//! Never here: walls, supports, pressure advance. Temperatures, speeds and scripts come from the profile.

mod moves;
#[cfg(test)]
mod tests;

use std::io::Write;

use crate::slice::{
    Control, Display, Heights, Layer, LayerError, LayerSource, Orientation, Part, Plate, PrepareError,
    Sampling, Settings, StreamError, stream,
};
use crate::units::Microns;
use moves::Pen;

/// Ends of lines are placed on this grid; a tenth of what such printers resolve.
const END_GRID_MM: f64 = 0.01;

/// Marlin's command buffer (`MAX_CMD_SIZE`) holds 96 bytes with line number and checksum.
pub const LINE_MAX: usize = 79;

/// Everything that the file depends on, besides the parts. Every number comes from the profile.
#[derive(Debug, Clone, PartialEq)]
pub struct WaxJob {
    /// Bed along x and y, and greatest height, mm.
    pub build_mm: [f64; 3],
    /// Layer height.
    pub layer_height: Microns,
    /// Width of a line of wax, mm.
    pub extrusion_width_mm: f64,
    /// Filament diameter, mm.
    pub filament_mm: f64,
    /// Nozzle temperature, °C.
    pub nozzle_celsius: f64,
    /// Bed temperature, °C; `None` for a bed without heater.
    pub bed_celsius: Option<f64>,
    /// Part fan, 0 to 255.
    pub fan_pwm: u8,
    /// Speed of lines, mm/s.
    pub print_mm_per_s: f64,
    /// Speed of lines of the first layer, mm/s.
    pub first_layer_mm_per_s: f64,
    /// Speed of moves without wax, mm/s.
    pub travel_mm_per_s: f64,
    /// Filament drawn back before a move without wax, mm.
    pub retract_mm: f64,
    /// Speed of drawing back and priming, mm/s.
    pub retract_mm_per_s: f64,
    /// Moves without wax that are at least this long are made with the filament drawn back, mm.
    pub retract_from_mm: f64,
    /// How far the nozzle goes up at the end, mm.
    pub end_lift_mm: f64,
    /// Commands after heating, before the first layer: homing, priming.
    pub start_script: Vec<String>,
    /// Program and version, for the first line.
    pub software: String,
}

/// What was written.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WaxWritten {
    /// Layers in the file.
    pub layers: u32,
    /// Wax that is pressed out, ml.
    pub volume_ml: f64,
    /// Filament, mm.
    pub filament_mm: f64,
    /// Time of moves at their speeds, s; heating and acceleration are left out.
    pub print_s: f64,
    /// Length of the file.
    pub bytes: u64,
    /// Rows in which an outline did not close.
    pub open_rows: u64,
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
    /// A layer can't be had.
    #[error("layer can't be made")]
    Layer(#[source] LayerError),
    /// The output can't be written.
    #[error("the print file can't be written; check the disk")]
    Output(#[from] std::io::Error),
    /// The caller asked to stop.
    #[error("stopped")]
    Cancelled,
}

/// A line of wax, plate frame, mm.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    from: [f64; 2],
    to: [f64; 2],
}

/// Slices parts and writes their G-code.
///
/// # Errors
/// If a part doesn't fit, a number makes no sense, or the output fails.
pub fn write<W: Write + Send>(
    job: &WaxJob,
    parts: &[Part<'_>],
    out: W,
    control: Control<'_>,
) -> Result<WaxWritten, WaxError> {
    check(job)?;
    let source = Alternating {
        along_x: Plate::prepare(parts, settings(job, Orientation::Landscape))?,
        along_y: Plate::prepare(parts, settings(job, Orientation::Portrait))?,
    };
    let mut pen = Pen::new(job, out);
    pen.start()?;
    let mut open_rows = 0;
    let lines = |layer: &Layer| (layer.index, lines_of(layer, &source), layer.open_rows);
    stream(&source, control, lines, |(index, lines, open)| -> Result<(), WaxError> {
        open_rows += u64::from(open);
        pen.layer(index, &lines)
    })
    .map_err(|error| match error {
        StreamError::Cancelled => WaxError::Cancelled,
        StreamError::Layer(error) => WaxError::Layer(error),
        StreamError::Deliver(error) => error,
    })?;
    pen.end(source.layer_count(), open_rows)
}

fn check(job: &WaxJob) -> Result<(), WaxError> {
    let positives = [
        ("bed width", job.build_mm[0]),
        ("bed depth", job.build_mm[1]),
        ("extrusion width", job.extrusion_width_mm),
        ("filament diameter", job.filament_mm),
        ("nozzle temperature", job.nozzle_celsius),
        ("print speed", job.print_mm_per_s),
        ("first layer speed", job.first_layer_mm_per_s),
        ("travel speed", job.travel_mm_per_s),
        ("retract speed", job.retract_mm_per_s),
    ];
    let not_negatives = [
        ("retract length", job.retract_mm),
        ("retract distance", job.retract_from_mm),
        ("end lift", job.end_lift_mm),
        ("bed temperature", job.bed_celsius.unwrap_or(0.0)),
    ];
    let bad = positives.iter().find(|(_, value)| !value.is_finite() || *value <= 0.0);
    let bad = bad.or_else(|| not_negatives.iter().find(|(_, value)| !value.is_finite() || *value < 0.0));
    if let Some((field, _)) = bad {
        return Err(WaxError::Range { field });
    }
    let plain = |line: &&String| line.len() > LINE_MAX || !line.bytes().all(|b| (b' '..=b'~').contains(&b));
    match job.start_script.iter().find(plain) {
        Some(line) => Err(WaxError::Script { line: line.clone() }),
        None => Ok(()),
    }
}

/// A mask whose rows are lines of wax. Its field ends with the last whole line.
fn settings(job: &WaxJob, orientation: Orientation) -> Settings {
    let [x, y, height_max_mm] = job.build_mm;
    let (along, across) = match orientation {
        Orientation::Landscape => (x, y),
        Orientation::Portrait => (y, x),
    };
    let pitch_mm = [END_GRID_MM, job.extrusion_width_mm];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive; saturates, then refused"
    )]
    let count = |length: f64, pitch: f64| (length / pitch + 1e-9).floor() as u32;
    let display = Display {
        width_px: count(along, pitch_mm[0]),
        height_px: count(across, pitch_mm[1]),
        pitch_mm,
        orientation,
        mirror_x: false,
        mirror_y: false,
    };
    Settings {
        display,
        height_max_mm,
        heights: Heights::uniform(job.layer_height),
        sampling: Sampling::Centre,
    }
}

/// Even layers along x, odd layers along y.
struct Alternating<'a> {
    along_x: Plate<'a>,
    along_y: Plate<'a>,
}

impl Alternating<'_> {
    fn plate(&self, index: u32) -> &Plate<'_> {
        if index.is_multiple_of(2) { &self.along_x } else { &self.along_y }
    }
}

impl LayerSource for Alternating<'_> {
    fn display(&self) -> Display {
        self.along_x.display()
    }

    fn layer_count(&self) -> u32 {
        self.along_x.layer_count()
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        self.plate(index).layer(index)
    }
}

/// The lit runs of a layer as lines, each row in the other direction than the one before.
fn lines_of(layer: &Layer, source: &Alternating<'_>) -> Vec<Line> {
    let display = source.plate(layer.index).display();
    let mut lines: Vec<Line> = Vec::new();
    let (mut row_start, mut last_row, mut backwards) = (0, None, true);
    let mut pixel = 0_u64;
    for run in &layer.runs {
        let (mut left, value) = (u64::from(run.length), run.value);
        while left > 0 && value != 0 {
            let width = u64::from(display.width_px);
            let (row, column) = (pixel / width, pixel % width);
            let taken = left.min(width - column);
            if last_row != Some(row) {
                turn(&mut lines[row_start..], backwards);
                (row_start, last_row, backwards) = (lines.len(), Some(row), !backwards);
            }
            lines.push(line(&display, row, column, column + taken));
            pixel += taken;
            left -= taken;
        }
        pixel += left;
    }
    turn(&mut lines[row_start..], backwards);
    lines
}

/// Walks the lines of a row from the other end.
fn turn(row: &mut [Line], backwards: bool) {
    if backwards {
        row.reverse();
        row.iter_mut().for_each(|line| std::mem::swap(&mut line.from, &mut line.to));
    }
}

/// A stretch of a row in the plate frame: rows count from the far side, see [`Orientation`].
#[expect(clippy::cast_precision_loss, reason = "pixels of a display fit 28 bits")]
fn line(display: &Display, row: u64, from: u64, to: u64) -> Line {
    let across = (f64::from(display.height_px) - row as f64 - 0.5) * display.pitch_mm[1];
    let along = |column: u64| column as f64 * display.pitch_mm[0];
    match display.orientation {
        Orientation::Landscape => Line { from: [along(from), across], to: [along(to), across] },
        Orientation::Portrait => {
            let mirrored = |column: u64| along(u64::from(display.width_px) - column);
            Line { from: [across, mirrored(from)], to: [across, mirrored(to)] }
        }
    }
}
