//! Reads `.sl1` and `.sl1s` files of any program.

use std::collections::BTreeMap;

use super::ini;
use crate::print_files::civil::Civil;
use crate::print_files::container::{Container, number_of};
use crate::print_files::png::Packing;
use crate::print_files::png_stack::PngStack;
use crate::print_files::told::{field, uniform};
use crate::print_files::{
    Exposure, Facts, Format, Job, LayerFacts, Light, Limits, Machine, Origin, ReadError, Resin, Separation,
    Sl1Names, Told,
};
use crate::slice::{Display, Orientation};

/// Whether the names in a container are those of an `.sl1` file.
pub(in crate::print_files) fn is_sl1(container: &Container<'_>) -> bool {
    container.place_of("config.ini").is_some() || container.place_of("prusaslicer.ini").is_some()
}

pub(in crate::print_files) fn open<'a>(
    container: Container<'a>,
    _: &Limits,
) -> Result<PngStack<'a>, ReadError> {
    let container = container.of(Format::Sl1);
    let config = container.text("config.ini")?;
    let config = Settings { file: "config.ini", values: ini::parse(&config) };
    let settings = container.text("prusaslicer.ini")?;
    let settings = Settings { file: "prusaslicer.ini", values: ini::parse(&settings) };
    let job = config.text("jobDir")?;
    let found = container.numbered(|name| {
        let digits = name.strip_prefix(job)?.strip_suffix(".png")?;
        number_of(digits)
    })?;
    let stated = config.number("numFast")? + config.number("numSlow")?;
    let entries = container.row_of_layers(found, 0, Some(stated))?;
    let head = container.head_of(entries.first().copied().unwrap_or(0))?;
    let display = display_of(&settings, head.size)?;
    let facts = facts_of(&config, &display, entries.len())?;
    let told = told(&config, &settings, &facts, display);
    Ok(PngStack { container, facts, told, display, entries, packing: Packing::Plain, is_preview })
}

fn is_preview(name: &str) -> bool {
    name.starts_with("thumbnail/")
}

fn damaged(reason: impl Into<String>) -> ReadError {
    ReadError::Damaged { format: Format::Sl1, reason: reason.into() }
}

fn display_of(settings: &Settings<'_>, size: [u32; 2]) -> Result<Display, ReadError> {
    let portrait = settings.text("display_orientation")? == "portrait";
    let panel_mm = [settings.number("display_width")?, settings.number("display_height")?];
    let picture_mm = if portrait { [panel_mm[1], panel_mm[0]] } else { panel_mm };
    if picture_mm.iter().any(|side| *side <= 0.0) {
        return Err(damaged("the display has no size"));
    }
    Ok(Display {
        width_px: size[0],
        height_px: size[1],
        pitch_mm: [picture_mm[0] / f64::from(size[0]), picture_mm[1] / f64::from(size[1])],
        orientation: if portrait { Orientation::Portrait } else { Orientation::Landscape },
        mirror_x: settings.flag("display_mirror_x"),
        mirror_y: settings.flag("display_mirror_y"),
    })
}

fn facts_of(config: &Settings<'_>, display: &Display, layers: usize) -> Result<Facts, ReadError> {
    let layer_um = config.number("layerHeight")? * 1000.0;
    let (normal, first) = (config.number("expTime")?, config.number("expTimeFirst")?);
    let fade = config.values.get("numFade").and_then(|text| text.parse().ok()).unwrap_or(0.0_f64);
    let rounded = |um: f64| (um * 1e3).round() / 1e3;
    let layer = |index: usize| {
        let faded = first - f64_of(index) * (first - normal) / (fade.max(0.0) + 1.0);
        LayerFacts { z_um: rounded((f64_of(index) + 1.0) * layer_um), exposure_s: faded.max(normal) }
    };
    let text = |key: &str| config.values.get(key).copied().unwrap_or_default().to_owned();
    // The first model reads `.sl1`, all later ones `.sl1s`.
    let is_first = config.values.get("printerModel").is_none_or(|model| *model == "SL1");
    Ok(Facts {
        format: if is_first { Format::Sl1 } else { Format::Sl1s },
        version: "1".to_owned(),
        resolution_px: [display.width_px, display.height_px],
        pixel_um: display.pitch_mm.map(|mm| rounded(mm * 1000.0)),
        layer_um: rounded(layer_um),
        machine: text("printerModel"),
        resin: text("materialName"),
        software: text("prusaSlicerVersion"),
        volume_ml: config.number("usedMaterial")?,
        print_s: config.number("printTime")?,
        layers: (0..layers).map(layer).collect(),
    })
}

/// The printer moves and lights by its own settings: these files say neither.
fn told(config: &Settings<'_>, settings: &Settings<'_>, facts: &Facts, display: Display) -> Told {
    let stamp = config.values.get("fileCreationTimestamp").and_then(|text| text.strip_suffix(" UTC"));
    let at = stamp.and_then(|text| text.split_once(" at ")).and_then(|(d, t)| Civil::parse_unix(d, t));
    let build_height = settings.number("max_print_height").ok();
    let [x, y] = display.plate_mm();
    let first_s = facts.layers.first().map_or(0.0, |layer| layer.exposure_s);
    let (software, version) = facts.software.split_once('-').unwrap_or((&facts.software, ""));
    let job = Job {
        machine: Machine {
            name: facts.machine.clone(),
            kind: String::new(),
            build_mm: [x, y, build_height.unwrap_or(0.0)],
        },
        display,
        heights: uniform(facts.layer_um),
        exposure: Exposure {
            normal_s: config.number("expTime").unwrap_or(first_s),
            bottom_s: config.number("expTimeFirst").unwrap_or(first_s),
            bottom_layers: 1,
            transition_layers: config.values.get("numFade").and_then(|text| text.parse().ok()).unwrap_or(0),
            ranges: Vec::new(),
        },
        separation: Separation::Untold,
        light: Light { bottom_pwm: u8::MAX, pwm: u8::MAX },
        anti_aliasing: 1,
        resin: Resin {
            name: facts.resin.clone(),
            density_g_per_ml: None,
            price_per_ml: None,
            currency: String::new(),
        },
        origin: Origin {
            software: software.to_owned(),
            version: version.to_owned(),
            written_at_s: at.unwrap_or(0),
        },
        sl1: names(config),
    };
    let mut untold = vec![
        field::KIND,
        field::SEPARATION,
        field::LIGHT,
        field::ANTI_ALIASING,
        field::DENSITY,
        field::PRICE,
    ];
    let silent = [
        (field::BUILD_HEIGHT, build_height.is_none()),
        (field::WRITTEN_AT, at.is_none()),
        (field::SL1_NAMES, job.sl1.is_none()),
    ];
    untold.extend(silent.iter().filter(|(_, silent)| *silent).map(|(field, _)| field));
    Told::of(job, untold, &facts.layers)
}

fn names(config: &Settings<'_>) -> Option<Sl1Names> {
    let text = |key: &str| config.text(key).ok().map(str::to_owned);
    Some(Sl1Names {
        job: text("jobDir")?,
        printer_model: text("printerModel")?,
        printer_variant: text("printerVariant")?,
        printer_profile: text("printerProfile")?,
        print_profile: text("printProfile")?,
        user_profile: config.text("expUserProfile").ok()?.parse().ok()?,
    })
}

/// The values of one settings file.
struct Settings<'a> {
    file: &'static str,
    values: BTreeMap<&'a str, &'a str>,
}

impl<'a> Settings<'a> {
    fn text(&self, key: &str) -> Result<&'a str, ReadError> {
        let found = self.values.get(key).copied();
        found.ok_or_else(|| damaged(format!("{} says nothing about {key}", self.file)))
    }

    fn number(&self, key: &str) -> Result<f64, ReadError> {
        let number = self.text(key)?.parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| damaged(format!("{key} in {} is not a number", self.file)))
    }

    fn flag(&self, key: &str) -> bool {
        self.values.get(key) == Some(&"1")
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of layers are small")]
fn f64_of(count: usize) -> f64 {
    count as f64
}
