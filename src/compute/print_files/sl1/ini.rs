//! The two settings files of `.sl1`: lines `key = value`, sorted by key.

use std::collections::BTreeMap;

use super::Tilts;
use crate::print_files::civil::Civil;
use crate::print_files::tally::Tally;
use crate::print_files::{Job, Sl1Names};
use crate::slice::Orientation;

/// `config.ini`: what the printer reads.
pub(super) fn config(job: &Job, names: &Sl1Names, tally: &Tally, tilts: Tilts) -> String {
    let at = Civil::from_unix(job.origin.written_at_s);
    lines(&[
        ("action", "print".to_owned()),
        ("expTime", job.exposure.normal_s.to_string()),
        ("expTimeFirst", job.exposure.bottom_s.to_string()),
        ("expUserProfile", names.user_profile.to_string()),
        ("fileCreationTimestamp", format!("{} at {} UTC", at.date(), at.time())),
        ("hollow", "0".to_owned()),
        ("jobDir", names.job.clone()),
        ("layerHeight", job.heights.nominal().to_millimeters().0.to_string()),
        ("materialName", job.resin.name.clone()),
        ("numFade", faded(job).to_string()),
        ("numFast", tilts.fast.to_string()),
        ("numSlow", tilts.slow.to_string()),
        ("printProfile", names.print_profile.clone()),
        ("printTime", format!("{:.6}", tally.print_s())),
        ("printerModel", names.printer_model.clone()),
        ("printerProfile", names.printer_profile.clone()),
        ("printerVariant", names.printer_variant.clone()),
        ("prusaSlicerVersion", format!("{}-{}", job.origin.software, job.origin.version)),
        ("usedMaterial", format!("{:.6}", tally.volume_ml())),
    ])
}

/// Exposure falls from the first layer on: `first - i * (first - normal) / (numFade + 1)`.
fn faded(job: &Job) -> u32 {
    job.exposure.bottom_layers.saturating_sub(1).saturating_add(job.exposure.transition_layers)
}

/// `prusaslicer.ini`: what other programs read. The display is that of the panel before the quarter turn.
pub(super) fn settings(job: &Job, names: &Sl1Names) -> String {
    let display = &job.display;
    let picture = [display.width_px, display.height_px];
    let (turn, panel, pitch) = match display.orientation {
        Orientation::Landscape => ("landscape", picture, display.pitch_mm),
        Orientation::Portrait => {
            ("portrait", [picture[1], picture[0]], [display.pitch_mm[1], display.pitch_mm[0]])
        }
    };
    let side_mm = |side: usize| shortest(f64::from(panel[side]) * pitch[side]);
    lines(&[
        ("display_height", side_mm(1)),
        ("display_mirror_x", u8::from(display.mirror_x).to_string()),
        ("display_mirror_y", u8::from(display.mirror_y).to_string()),
        ("display_orientation", turn.to_owned()),
        ("display_pixels_x", panel[0].to_string()),
        ("display_pixels_y", panel[1].to_string()),
        ("display_width", side_mm(0)),
        ("exposure_time", job.exposure.normal_s.to_string()),
        ("faded_layers", faded(job).to_string()),
        ("initial_exposure_time", job.exposure.bottom_s.to_string()),
        ("layer_height", job.heights.nominal().to_millimeters().0.to_string()),
        ("max_print_height", job.machine.build_mm[2].to_string()),
        ("printer_model", names.printer_model.clone()),
        ("printer_settings_id", names.printer_profile.clone()),
        ("printer_technology", "SLA".to_owned()),
        ("printer_variant", names.printer_variant.clone()),
        ("sla_material_settings_id", job.resin.name.clone()),
        ("sla_print_settings_id", names.print_profile.clone()),
    ])
}

/// Millimetres to a nanometre, without the digits that come from binary fractions.
fn shortest(mm: f64) -> String {
    ((mm * 1e6).round() / 1e6).to_string()
}

/// A value never begins another line.
fn lines(pairs: &[(&str, String)]) -> String {
    let one_line = |value: &str| value.replace(['\r', '\n'], " ");
    pairs.iter().map(|(key, value)| format!("{key} = {}\n", one_line(value))).collect()
}

/// Reads `key = value` lines; others are passed over, as the files of other programs hold comments.
pub(super) fn parse(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()))
        .collect()
}
