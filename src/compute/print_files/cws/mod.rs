//! `.cws` files (Creation Workshop): a zip of G-code, one PNG for each layer, and settings.
//!
//! Written is the dialect of NovaMaker printers: `<job>.gcode` with the settings as comments and every move and
//! exposure of every layer, `slice.conf` with the same settings, pictures `<job>NNNN.png` counted from 0, 8-bit
//! grey. Read are also mono panels with three mask pixels in the blue, green and red of one, and the dialect with
//! `manifest.xml` and RGBA pictures.
//!
//! Source: settings and commands as other programs write and read them.

mod read;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::io::{Seek, Write};

use super::container::Packer;
use super::tally::{Encoded, Tally};
use super::told::field;
use super::{Format, Job, LayerMotion, Separation, WriteError, Written, png};
use crate::finding::Finding;
use crate::preview::Picture;
use crate::slice::{Control, Layer, LayerSource, stream};

pub(super) use read::{is_cws, open};

/// Sizes of the thumbnails, px.
pub(super) const PREVIEW_SIZES: [(u32, u32); 2] = [(400, 400), (800, 480)];

/// Writes a file.
pub(super) fn write<W: Write + Seek + Send>(
    job: &Job,
    source: &dyn LayerSource,
    previews: &[Picture],
    out: W,
    control: Control<'_>,
) -> Result<Written, WriteError> {
    let (bottom, normal) = motions(job)?;
    let layers = source.layer_count();
    let mut packer = Packer::new(Format::Cws, layers, out)?;
    let mut tally = Tally::default();
    let encode = |layer: &Layer| {
        Encoded::of(layer, png::encode(&layer.runs, job.display.width_px, job.display.height_px))
    };
    let stem = stem(job);
    stream(source, control, encode, |encoded| {
        packer.add(&format!("{stem}{:04}.png", encoded.index), &encoded.bytes)?;
        tally.add(job, &encoded);
        Ok(())
    })
    .map_err(WriteError::from)?;
    for picture in previews {
        let name = format!("thumbnail/thumbnail{}x{}.png", picture.width_px, picture.height_px);
        packer.add(&name, &png::encode_colour(picture)?)?;
    }
    let settings = settings(job, &bottom, &normal, layers, &tally);
    packer.add(&format!("{stem}.gcode"), gcode(job, &settings, &bottom, &normal, layers).as_bytes())?;
    packer.add("slice.conf", conf(&settings).as_bytes())?;
    let bytes = packer.finish()?;
    Ok(tally.finish(bytes, not_held(job)))
}

fn motions(job: &Job) -> Result<(LayerMotion, LayerMotion), WriteError> {
    let missing =
        |hint: &'static str| WriteError::Missing { format: Format::Cws, field: field::SEPARATION, hint };
    match job.separation {
        Separation::Lift { bottom, normal } => Ok((bottom, normal)),
        Separation::Tilt { .. } => {
            Err(missing("add them to the printer profile, or write the format of the printer that tilts"))
        }
        Separation::Untold => Err(missing("give --printer and --material, whose profiles have them")),
    }
}

/// Name of the pictures: the number follows it, so it must not end with a digit.
fn stem(job: &Job) -> String {
    let name = job.sl1.as_ref().map_or("plate", |names| names.job.as_str());
    let plain: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect();
    let ends_well = plain.chars().next_back().is_some_and(|last| !last.is_ascii_digit());
    if ends_well { plain } else { format!("{plain}_") }
}

type Settings = Vec<(&'static str, String)>;

/// Names as the programs of these printers know them; the last ones are our own.
fn settings(job: &Job, bottom: &LayerMotion, normal: &LayerMotion, layers: u32, tally: &Tally) -> Settings {
    let display = &job.display;
    let ms = |seconds: f64| format!("{:.0} ms", seconds * 1000.0);
    let truth = |is: bool| (if is { "True" } else { "False" }).to_owned();
    let layer_mm = job.heights.nominal().to_millimeters().0;
    let [x, y, z] = job.machine.build_mm;
    vec![
        ("Pix per mm X", (1.0 / display.pitch_mm[0]).to_string()),
        ("Pix per mm Y", (1.0 / display.pitch_mm[1]).to_string()),
        ("X Resolution", display.width_px.to_string()),
        ("Y Resolution", display.height_px.to_string()),
        ("Layer Thickness", format!("{layer_mm} mm")),
        ("Layer Time", ms(job.exposure.normal_s)),
        ("Render Outlines", truth(false)),
        ("Outline Width Inset", "0".to_owned()),
        ("Outline Width Outset", "0".to_owned()),
        ("Bottom Layers Time", ms(job.exposure.bottom_s)),
        ("Number of Bottom Layers", job.exposure.bottom_layers.to_string()),
        ("Blanking Layer Time", ms(normal.waits.after_lift_s)),
        ("Build Direction", "Bottom_Up".to_owned()),
        ("Lift Distance", format!("{} mm", whole_mm(normal.lift.mm + normal.lift_second.mm))),
        ("Slide/Tilt Value", "0".to_owned()),
        ("Use Mainlift GCode Tab", truth(false)),
        ("Anti Aliasing", truth(job.anti_aliasing > 1)),
        ("Anti Aliasing Value", job.anti_aliasing.to_string()),
        ("Z Lift Feed Rate", format!("{} mm/min", normal.lift.mm_per_min)),
        ("Z Bottom Lift Feed Rate", format!("{} mm/min", bottom.lift.mm_per_min)),
        ("Z Lift Retract Rate", format!("{} mm/min", normal.retract.mm_per_min)),
        ("Flip X", truth(display.mirror_x)),
        ("Flip Y", truth(display.mirror_y)),
        ("Platform X Size", format!("{x}mm")),
        ("Platform Y Size", format!("{y}mm")),
        ("Platform Z Size", format!("{z}mm")),
        ("Machine Type", job.machine.kind.clone()),
        ("Machine Name", job.machine.name.clone()),
        ("Resin Name", job.resin.name.clone()),
        ("Number of Transition Layers", job.exposure.transition_layers.to_string()),
        ("Volume", format!("{:.6} ml", tally.volume_ml())),
        ("Print Time", format!("{:.3} s", tally.print_s())),
        ("Written", job.origin.written_at_s.to_string()),
        ("Software", job.origin.software.clone()),
        ("Software Version", job.origin.version.clone()),
        ("Number of Slices", layers.to_string()),
    ]
}

/// Other programs read this one as a whole number; the moves say it exactly.
fn whole_mm(mm: f64) -> String {
    format!("{:.0}", mm.ceil())
}

/// A value never begins another line or ends the parenthesis.
fn one_line(value: &str) -> String {
    value.replace(['\r', '\n', '(', ')', ';'], " ")
}

fn conf(settings: &Settings) -> String {
    let mut text = "# Settings of the print; times, ways and speeds with their units.\n".to_owned();
    for (key, value) in settings {
        let _ = writeln!(text, "{key} = {}", one_line(value));
    }
    text
}

fn gcode(job: &Job, settings: &Settings, bottom: &LayerMotion, normal: &LayerMotion, layers: u32) -> String {
    let mut text = ";(****Build and Slicing Parameters****)\n".to_owned();
    for (key, value) in settings {
        // Readers look for the count without a parenthesis.
        let _ = match *key {
            "Number of Slices" => writeln!(text, ";{key} = {value}"),
            key => writeln!(text, ";({key:<24}= {} )", one_line(value)),
        };
    }
    text.push_str("G28\nG21 ;Set units to be mm\nG91 ;Relative Positioning\nM17 ;Enable motors\n;<Slice> Blank\nM106 S0\n\n");
    for index in 0..layers {
        let is_bottom = index < job.exposure.bottom_layers;
        let (motion, pwm) = if is_bottom { (bottom, job.light.bottom_pwm) } else { (normal, job.light.pwm) };
        let exposure_ms = job.exposure_s(index) * 1000.0;
        let _ = writeln!(
            text,
            ";<Slice> {index}\nM106 S{pwm}\n;<Delay> {exposure_ms:.0}\nM106 S0\n;<Slice> Blank"
        );
        let next_mm = job.heights.thickness(index.saturating_add(1)).to_millimeters().0;
        moves(&mut text, motion, next_mm);
    }
    let [_, _, z] = job.machine.build_mm;
    let left_mm = (z - job.heights.top(layers.saturating_sub(1)).to_millimeters().0).max(0.0);
    let _ = write!(text, "M18 ;Disable Motors\nM106 S0\nG1 Z{}\n;<Completed>\n", plain(left_mm));
    text
}

/// Up in two stages, and down to where the next layer is.
fn moves(text: &mut String, motion: &LayerMotion, next_mm: f64) {
    let waits = &motion.waits;
    delay(text, waits.before_lift_s);
    let up_mm = motion.lift.mm + motion.lift_second.mm;
    go(text, motion.lift.mm, motion.lift.mm_per_min);
    go(text, motion.lift_second.mm, motion.lift_second.mm_per_min);
    delay(text, waits.after_lift_s);
    // The last stage ends one layer higher than it began.
    if motion.retract_second.mm > next_mm {
        go(text, motion.retract_second.mm - up_mm, motion.retract.mm_per_min);
        go(text, next_mm - motion.retract_second.mm, motion.retract_second.mm_per_min);
    } else {
        go(text, next_mm - up_mm, motion.retract.mm_per_min);
    }
    delay(text, waits.after_retract_s);
    text.push('\n');
}

fn go(text: &mut String, mm: f64, mm_per_min: f64) {
    if mm.abs() > 1e-6 {
        let _ = writeln!(text, "G1 Z{} F{}", plain(mm), plain(mm_per_min));
    }
}

fn delay(text: &mut String, seconds: f64) {
    if seconds > 0.0 {
        let _ = writeln!(text, ";<Delay> {:.0}", seconds * 1000.0);
    }
}

/// To a tenth of a micrometre, without needless digits.
fn plain(number: f64) -> String {
    ((number * 1e4).round() / 1e4).to_string()
}

/// What the job says and the format has no place for.
fn not_held(job: &Job) -> Vec<Finding> {
    let uneven = |seconds: f64| ((seconds * 1000.0).round() - seconds * 1000.0).abs() > 1e-6;
    if uneven(job.exposure.normal_s) || uneven(job.exposure.bottom_s) {
        let text = "times are stored as whole milliseconds";
        return vec![Finding::warning("CWS_NOT_HELD", "exposure", text)];
    }
    Vec::new()
}
