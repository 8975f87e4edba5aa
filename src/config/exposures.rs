//! Reads what the shop says of its materials: `[[exposure]]` with its corrections, and `[[price]]`.

use super::place::Report;
use super::section::{At, Section};
use super::workshop::MaterialPrice;
use crate::shop::profile::correction::{BloomBorder, Correction, ElephantFoot, GreyPoint, HeightEntry, Rest};
use crate::shop::profile::material::{ExposureEntry, Price, check_exposure, check_price};
use crate::shop::profile::{ExposureOverride, Flaws, Tag};
use crate::units::Microns;

/// `[[exposure]]` with the places of its references.
pub(super) struct ExposureAsWritten {
    pub(super) value: ExposureOverride,
    pub(super) printer_at: usize,
    pub(super) material_at: usize,
}

pub(super) fn exposure(mut section: Section<'_>, report: &mut Report<'_>) -> Option<ExposureAsWritten> {
    let printer = section.needed_text("printer", report);
    let material = section.needed_text("material", report);
    let layer = section.needed_whole("layer_um", (1, 500), report);
    let exposure_s = section.needed_number("exposure_s", report);
    let bottom_exposure_s = section.needed_number("bottom_exposure_s", report);
    let bottom_layers = section.needed_whole("bottom_layers", (0, 100), report);
    let transition_layers = section.needed_whole("transition_layers", (0, 100), report);
    let correction_at = section.place_of("correction");
    let correction = section.table("correction", report).map(|table| correction(table, report));
    let by = section.needed_text("by", report);
    let source = section.needed_text("source", report);
    let places = [
        ("exposure_s", section.place_of("exposure_s")),
        ("bottom_exposure_s", section.place_of("bottom_exposure_s")),
    ];
    section.finish(report);
    let (printer, material) = (printer?, material?);
    let value = ExposureOverride {
        printer: printer.value.clone(),
        material: material.value.clone(),
        layer_um: Microns(i32::try_from(layer?.value).ok()?),
        exposure_s: exposure_s?.value,
        bottom_exposure_s: bottom_exposure_s?.value,
        bottom_layers: u32::try_from(bottom_layers?.value).ok()?,
        transition_layers: u32::try_from(transition_layers?.value).ok()?,
        correction,
        // Without these the file is refused anyway; the numbers are checked all the same.
        by: by.map_or(String::new(), |by| by.value),
        source: source.map_or(String::new(), |source| source.value),
    };
    for flaw in flaws_of(&value).0 {
        let of_correction = flaw.path.starts_with("correction.");
        let elsewhere = if of_correction { correction_at } else { printer.at };
        let at = places.iter().find(|(key, _)| *key == flaw.path).map_or(elsewhere, |(_, at)| *at);
        report.add(at, format!("{}: {}", flaw.path, flaw.text));
    }
    Some(ExposureAsWritten { value, printer_at: printer.at, material_at: material.at })
}

/// `[exposure.correction]`: keys as in a material's profile.
fn correction(mut section: Section<'_>, report: &mut Report<'_>) -> Correction {
    let um = |section: &mut Section<'_>, key, report: &mut Report<'_>| {
        section.whole(key, (-1_000, 1_000), report).map(|at| microns(at.value))
    };
    let xy = um(&mut section, "xy_um", report);
    let thinnest = um(&mut section, "thinnest_um", report);
    let foot = section.table("elephant_foot", report).and_then(|table| elephant_foot(table, report));
    let bloom = section.table("bloom", report).and_then(|table| bloom(table, report));
    let light_off_s = section.number("light_off_s", report).map(|at| at.value);
    let rest = section.table("rest", report).and_then(|table| rest(table, report));
    let grey = section.tables("grey", report);
    let grey = grey.into_iter().filter_map(|table| grey_point(table, report)).collect();
    let range = section.tables("range", report);
    let range = range.into_iter().filter_map(|table| height_entry(table, report)).collect();
    let source = section.needed_text("source", report).map_or(String::new(), |source| source.value);
    section.finish(report);
    Correction { xy, elephant_foot: foot, thinnest, grey, bloom, light_off_s, rest, range, source }
}

fn elephant_foot(mut section: Section<'_>, report: &mut Report<'_>) -> Option<ElephantFoot> {
    let inward = section.needed_whole("inward_um", (0, 1_000), report);
    let layers = section.needed_whole("layers", (1, 200), report);
    section.finish(report);
    Some(ElephantFoot { inward_um: microns(inward?.value), layers: u32::try_from(layers?.value).ok()? })
}

fn bloom(mut section: Section<'_>, report: &mut Report<'_>) -> Option<BloomBorder> {
    let margin = section.needed_whole("margin_um", (1, 1_000), report);
    let grey = section.needed_whole("grey", (0, 255), report);
    section.finish(report);
    Some(BloomBorder { margin_um: microns(margin?.value), grey: u8::try_from(grey?.value).ok()? })
}

fn rest(mut section: Section<'_>, report: &mut Report<'_>) -> Option<Rest> {
    let before_lift = section.needed_number("before_lift_s", report);
    let after_lift = section.needed_number("after_lift_s", report);
    let after_retract = section.needed_number("after_retract_s", report);
    section.finish(report);
    Some(Rest {
        before_lift_s: before_lift?.value,
        after_lift_s: after_lift?.value,
        after_retract_s: after_retract?.value,
    })
}

fn grey_point(mut section: Section<'_>, report: &mut Report<'_>) -> Option<GreyPoint> {
    let coverage = section.needed_whole("coverage", (1, 255), report);
    let value = section.needed_whole("value", (0, 255), report);
    section.finish(report);
    let byte = |at: At<i64>| u8::try_from(at.value).ok();
    Some(GreyPoint { coverage: byte(coverage?)?, value: byte(value?)? })
}

fn height_entry(mut section: Section<'_>, report: &mut Report<'_>) -> Option<HeightEntry> {
    let from = section.needed_whole("from_um", (0, 2_000_000), report);
    let exposure_s = section.needed_number("exposure_s", report);
    let layer = section.whole("layer_um", (1, 500), report);
    section.finish(report);
    Some(HeightEntry {
        from_um: microns(from?.value),
        exposure_s: exposure_s?.value,
        layer_um: layer.map(|layer| microns(layer.value)),
    })
}

/// A number that was held against a range before.
fn microns(value: i64) -> Microns {
    Microns(i32::try_from(value).unwrap_or(i32::MAX))
}

pub(super) fn price(mut section: Section<'_>, report: &mut Report<'_>) -> Option<At<MaterialPrice>> {
    let material = section.needed_text("material", report);
    let value = section.needed_number("per_litre", report);
    let currency = section.needed_text("currency", report);
    let source = section.needed_text("source", report);
    section.finish(report);
    let (material, value) = (material?, value?);
    let price = Price { value: value.value, currency: currency?.value, source: source?.value };
    let mut flaws = Flaws::default();
    check_price("price", &price, &mut flaws);
    flaws.0.into_iter().for_each(|flaw| report.add(value.at, format!("{}: {}", flaw.path, flaw.text)));
    Some(At { at: material.at, value: MaterialPrice { material: material.value, per_litre: price } })
}

/// The same limits as for an entry of a profile.
fn flaws_of(own: &ExposureOverride) -> Flaws {
    let entry = ExposureEntry {
        printer: own.printer.clone(),
        layer_um: own.layer_um,
        exposure_s: own.exposure_s,
        bottom_exposure_s: own.bottom_exposure_s,
        bottom_layers: own.bottom_layers,
        transition_layers: own.transition_layers,
        correction: own.correction.clone(),
        tag: Tag::T,
        source: own.source.clone(),
    };
    let mut flaws = Flaws::default();
    check_exposure("", &entry, &mut flaws);
    for flaw in &mut flaws.0 {
        flaw.path = flaw.path.trim_start_matches('.').to_owned();
    }
    flaws
}
