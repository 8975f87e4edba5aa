//! `.nanodlp` plates (NanoDLP): a zip of JSON texts and one PNG for each layer.
//!
//! Layers are counted from 1 here; readers of others take 0 too. For panels whose sub-pixels are mask pixels the
//! pictures are packed: three neighbouring pixels in the red, green and blue of one. Lift speeds are templates of
//! the printer's own profile and not written.
//!
//! Source: nanodlp/docs, `manual/format.md`; names of keys as other programs write them.

mod read;
#[cfg(test)]
mod tests;

use std::io::{Seek, Write};

use serde_json::{Value, json};

use super::container::Packer;
use super::tally::{Encoded, Tally};
use super::{Format, Job, Separation, WriteError, Written, png};
use crate::finding::Finding;
use crate::preview::Picture;
use crate::slice::{Control, Display, Layer, LayerSource, stream};

pub(super) use read::{is_nanodlp, open};

/// The picture of the plate list.
pub(super) const PREVIEW_SIZES: [(u32, u32); 1] = [(200, 100)];

/// Writes a plate, packed or with one grey pixel for each of the mask.
pub(super) fn write<W: Write + Seek + Send>(
    format: Format,
    job: &Job,
    source: &dyn LayerSource,
    previews: &[Picture],
    out: W,
    control: Control<'_>,
) -> Result<Written, WriteError> {
    if !job.heights.is_uniform() {
        return Err(WriteError::NotHeld {
            format,
            field: "layers of several thicknesses",
            hint: "slice with one layer height, or write another format",
        });
    }
    let mut packer = Packer::new(format, source.layer_count(), out)?;
    let (width, height) = (job.display.width_px, job.display.height_px);
    let encode = |layer: &Layer| {
        let bytes = if format == Format::NanoDlpRgb {
            png::encode_packed(&layer.runs, width, height)
        } else {
            png::encode(&layer.runs, width, height)
        };
        (Encoded::of(layer, bytes), Extent::of(layer, &job.display))
    };
    let mut tally = Tally::default();
    let mut layers = Vec::new();
    stream(source, control, encode, |(encoded, extent)| {
        packer.add(&format!("{}.png", u64::from(encoded.index) + 1), &encoded.bytes)?;
        layers.push(extent.to_json());
        tally.add(job, &encoded);
        Ok(())
    })
    .map_err(WriteError::from)?;
    for picture in previews {
        packer.add("3d.png", &png::encode_colour(picture)?)?;
    }
    let slicer = slicer(format, job, source.layer_count());
    let texts = [
        ("meta.json", meta(job)),
        ("plate.json", plate(job, &tally, source.layer_count())),
        ("profile.json", profile(job)),
        ("info.json", Value::Array(layers)),
        // The one is read by printers, the other by programs.
        ("options.json", slicer.clone()),
        ("slicer.json", slicer),
    ];
    for (name, text) in texts {
        packer.add(name, text.to_string().as_bytes())?;
    }
    let bytes = packer.finish()?;
    Ok(tally.finish(bytes, not_held(job)))
}

/// What of a picture is lit.
struct Extent {
    area_mm2: f64,
    /// Columns and rows, first and last.
    box_px: Option<[u32; 4]>,
}

impl Extent {
    fn of(layer: &Layer, display: &Display) -> Self {
        let mut box_px: Option<[u32; 4]> = None;
        let mut at = 0_u32;
        for run in &layer.runs {
            let (begin, end) = (at, at + run.length);
            at = end;
            if run.value == 0 {
                continue;
            }
            let [first_row, last_row] = [begin / display.width_px, (end - 1) / display.width_px];
            let [from, to] = if first_row == last_row {
                [begin % display.width_px, (end - 1) % display.width_px]
            } else {
                [0, display.width_px - 1]
            };
            let [x0, x1, y0, y1] = box_px.unwrap_or([from, to, first_row, last_row]);
            box_px = Some([x0.min(from), x1.max(to), y0.min(first_row), y1.max(last_row)]);
        }
        Self { area_mm2: layer.area_mm2, box_px }
    }

    /// Areas of single islands are not told apart here: all are in the sum.
    fn to_json(&self) -> Value {
        let [min_x, max_x, min_y, max_y] = self.box_px.unwrap_or_default();
        json!({
            "TotalSolidArea": self.area_mm2, "LargestArea": self.area_mm2, "SmallestArea": self.area_mm2,
            "MinX": min_x, "MinY": min_y, "MaxX": max_x, "MaxY": max_y,
            "AreaCount": u8::from(self.box_px.is_some()),
        })
    }
}

fn meta(job: &Job) -> Value {
    json!({
        "FormatVersion": 1, "Distro": "generic", "Program": job.origin.software, "Version": job.origin.version,
        "OS": "", "Arch": "", "Profile": false,
    })
}

fn plate(job: &Job, tally: &Tally, layers: u32) -> Value {
    let [x, y] = job.display.plate_mm();
    let top_mm = job.heights.bottom(layers).to_millimeters().0;
    json!({
        "PlateID": 1, "ProfileID": 1, "CreatedDate": job.origin.written_at_s, "Path": "plate",
        "Updated": job.origin.written_at_s, "PrintTime": tally.print_s().round(), "PrintEst": tally.print_s().round(),
        "XRes": job.display.pitch_mm[0] * 1000.0, "YRes": job.display.pitch_mm[1] * 1000.0,
        "ZRes": f64::from(job.heights.nominal().0), "TotalSolidArea": tally.volume_mm3(), "LayersCount": layers,
        "Processed": true, "XMin": -x / 2.0, "XMax": x / 2.0, "YMin": -y / 2.0, "YMax": y / 2.0, "ZMin": 0.0,
        "ZMax": top_mm,
    })
}

fn slicer(format: Format, job: &Job, layers: u32) -> Value {
    let display = &job.display;
    let [x, y] =
        [0, 1].map(|side| f64::from([display.width_px, display.height_px][side]) * display.pitch_mm[side]);
    let layer_um = job.heights.nominal().0;
    json!({
        "Type": "stl", "PWidth": display.width_px, "PHeight": display.height_px, "SupportDepth": layer_um,
        "SupportLayerNumber": job.exposure.bottom_layers, "Thickness": layer_um,
        "XOffset": display.width_px / 2, "YOffset": display.height_px / 2,
        "XPixelSize": display.pitch_mm[0], "YPixelSize": display.pitch_mm[1],
        "XRes": display.pitch_mm[0] * 1000.0, "YRes": display.pitch_mm[1] * 1000.0,
        "Boundary": {
            "XMin": -x / 2.0, "XMax": x / 2.0, "YMin": -y / 2.0, "YMax": y / 2.0, "ZMin": 0.0,
            "ZMax": job.heights.bottom(layers).to_millimeters().0,
        },
        "FillColor": "#ffffff", "BlankColor": "#000000",
        "FillColorRGB": { "R": 255, "G": 255, "B": 255, "A": 255 },
        "BlankColorRGB": { "R": 0, "G": 0, "B": 0, "A": 255 },
        "IgnoreMask": 1, "ImageMirror": u8::from(display.mirror_x) + 2 * u8::from(display.mirror_y),
        "DisplayController": u8::from(format == Format::NanoDlpRgb), "LayerCount": layers, "ExportType": 1,
    })
}

fn profile(job: &Job) -> Value {
    let layer_um = job.heights.nominal().0;
    let mut profile = json!({
        "ProfileID": 1, "Title": job.resin.name, "Depth": layer_um, "SupportDepth": layer_um,
        "TransitionalLayer": job.exposure.transition_layers, "CureTime": job.exposure.normal_s,
        "SupportCureTime": job.exposure.bottom_s, "SupportLayerNumber": job.exposure.bottom_layers,
        "CustomValues": { "UvPwmValue": job.light.pwm.to_string() },
    });
    if let Separation::Lift { bottom, normal } = &job.separation {
        profile["WaitHeight"] = json!(normal.lift.mm + normal.lift_second.mm);
        profile["SupportWaitHeight"] = json!(bottom.lift.mm + bottom.lift_second.mm);
        profile["WaitBeforePrint"] = json!(normal.waits.after_retract_s);
        profile["SupportWaitBeforePrint"] = json!(bottom.waits.after_retract_s);
        profile["WaitAfterPrint"] = json!(normal.waits.before_lift_s);
        profile["SupportWaitAfterPrint"] = json!(bottom.waits.before_lift_s);
        profile["TopWait"] = json!(normal.waits.after_lift_s);
        profile["SupportTopWait"] = json!(bottom.waits.after_lift_s);
    }
    profile
}

/// What the job says and the format has no place for.
fn not_held(job: &Job) -> Vec<Finding> {
    let warn = |field: &str, text: &str| Finding::warning("NANODLP_NOT_HELD", field, text);
    let mut findings = Vec::new();
    if matches!(job.separation, Separation::Lift { .. }) {
        findings.push(warn(
            "lift and retract moves",
            "speeds are not stored; the printer moves by its own profile",
        ));
    }
    if job.light.bottom_pwm != job.light.pwm {
        findings.push(warn("lamp power", "bottom layers get the power of the others"));
    }
    if !job.exposure.ranges.is_empty() {
        let text = "other exposures from some height on are not stored; all layers get the normal one";
        findings.push(warn("exposure ranges", text));
    }
    findings
}
