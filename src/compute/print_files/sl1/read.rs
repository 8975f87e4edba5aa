//! Reads `.sl1` files of any program.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::{ini, png};
use crate::preview::Picture;
use crate::print_files::civil::Civil;
use crate::print_files::told::{field, uniform};
use crate::print_files::{
    Exposure, Facts, Format, Job, LayerFacts, Light, Limits, Machine, Origin, PrintFile, ReadError, Resin,
    Separation, Sl1Names, Told,
};
use crate::slice::{Display, Layer, LayerError, LayerSource, Orientation};

/// Settings of other programs are a few hundred lines.
const SETTINGS_BYTES_MAX: u64 = 1 << 20;

/// Entries besides the layers: settings, thumbnails, and what newer programs add.
const OTHER_ENTRIES_MAX: usize = 64;

/// A thumbnail is far below a megapixel.
const PREVIEW_BYTES_MAX: u64 = 1 << 23;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// An opened file: settings read, layers found, the first picture's size checked.
pub(in crate::print_files) struct Sl1File<'a> {
    archive: Archive<'a>,
    facts: Facts,
    told: Told,
    display: Display,
    /// Place in the archive of each layer.
    entries: Vec<usize>,
    entry_bytes_max: u64,
}

/// Whether the first bytes are those of a zip file.
pub(in crate::print_files) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

impl<'a> Sl1File<'a> {
    pub(in crate::print_files) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, ReadError> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(error.to_string()))?;
        let entries_max = usize::try_from(limits.layers_max).unwrap_or(usize::MAX);
        if archive.len() > entries_max.saturating_add(OTHER_ENTRIES_MAX) {
            return Err(ReadError::OverLimit { format: Format::Sl1, what: "the number of entries" });
        }
        let config = text_entry(&mut archive, "config.ini")?;
        let config = Settings { file: "config.ini", values: ini::parse(&config) };
        let settings = text_entry(&mut archive, "prusaslicer.ini")?;
        let settings = Settings { file: "prusaslicer.ini", values: ini::parse(&settings) };
        let entries = layer_entries(&archive, config.text("jobDir")?, &config)?;
        if entries.len() > entries_max {
            return Err(ReadError::OverLimit { format: Format::Sl1, what: "the number of layers" });
        }
        let size = first_size(&mut archive, &entries, limits)?;
        let display = display_of(&settings, size)?;
        let facts = facts_of(&config, &display, entries.len())?;
        let told = told(&config, &settings, &facts, display);
        Ok(Self { archive, facts, told, display, entries, entry_bytes_max: limits.entry_bytes_max })
    }
}

impl PrintFile for Sl1File<'_> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn job(&self) -> Told {
        self.told.clone()
    }

    fn previews(&self) -> Vec<Picture> {
        let mut archive = self.archive.clone();
        let names = archive.file_names().enumerate();
        let places = names.filter(|(_, name)| name.starts_with("thumbnail/") && name.ends_with(".png"));
        let places: Vec<usize> = places.map(|(place, _)| place).collect();
        let bytes = |place| read_entry(&mut archive, place, self.entry_bytes_max.min(PREVIEW_BYTES_MAX)).ok();
        places.into_iter().filter_map(bytes).filter_map(|bytes| png::decode_colour(&bytes)).collect()
    }
}

impl LayerSource for Sl1File<'_> {
    fn display(&self) -> Display {
        self.display
    }

    fn layer_count(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let found = usize::try_from(index).ok().and_then(|place| self.entries.get(place));
        let &entry = found.ok_or(LayerError::OutOfRange { index, count: self.layer_count() })?;
        let bytes = read_entry(&mut self.archive.clone(), entry, self.entry_bytes_max);
        let runs = bytes.and_then(|bytes| png::decode(&bytes, self.facts.resolution_px));
        let runs = runs.map_err(|reason| LayerError::Decode { index, reason })?;
        Ok(runs.finish(index, self.display.pixel_mm2(), 0))
    }
}

fn damaged(reason: impl Into<String>) -> ReadError {
    ReadError::Damaged { format: Format::Sl1, reason: reason.into() }
}

/// Unpacks an entry; one that grows over the limit is refused, whatever size it states.
fn read_entry(archive: &mut Archive<'_>, entry: usize, bytes_max: u64) -> Result<Vec<u8>, String> {
    let packed = archive.by_index(entry).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    packed.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= bytes_max) {
        Ok(bytes)
    } else {
        Err("an entry is larger than the limit".to_owned())
    }
}

fn text_entry(archive: &mut Archive<'_>, name: &str) -> Result<String, ReadError> {
    let entry = archive.index_for_name(name).ok_or_else(|| damaged(format!("it holds no {name}")))?;
    let bytes = read_entry(archive, entry, SETTINGS_BYTES_MAX).map_err(damaged)?;
    String::from_utf8(bytes).map_err(|_| damaged(format!("{name} is not text")))
}

/// Places of `<job>NNNNN.png` in order; as many as the settings say.
fn layer_entries(archive: &Archive<'_>, job: &str, config: &Settings<'_>) -> Result<Vec<usize>, ReadError> {
    let number_of = |name: &str| {
        let digits = name.strip_prefix(job)?.strip_suffix(".png")?;
        digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<u32>().ok())?
    };
    let mut found = BTreeMap::new();
    for (place, name) in archive.file_names().enumerate() {
        if let Some(number) = number_of(name) {
            found.insert(number, place);
        }
    }
    let said = config.number("numFast")? + config.number("numSlow")?;
    let in_order = found.keys().copied().eq(0..u32::try_from(found.len()).unwrap_or(u32::MAX));
    if found.is_empty() || !in_order || (said - f64_of(found.len())).abs() > 0.5 {
        return Err(damaged(format!("{} layers in a row are in the file, {said} are stated", found.len())));
    }
    Ok(found.into_values().collect())
}

fn first_size(archive: &mut Archive<'_>, entries: &[usize], limits: &Limits) -> Result<[u32; 2], ReadError> {
    let first = entries.first().copied().unwrap_or(0);
    let mut head = Vec::new();
    let packed = archive.by_index(first).map_err(|error| damaged(error.to_string()))?;
    packed.take(64).read_to_end(&mut head).map_err(|error| damaged(error.to_string()))?;
    let size = png::size_of(&head).ok_or_else(|| damaged("the first layer is not a PNG picture"))?;
    let pixels = u64::from(size[0]) * u64::from(size[1]);
    if pixels == 0 {
        return Err(damaged("the first layer has no pixels"));
    }
    if pixels > limits.pixels_max {
        return Err(ReadError::OverLimit { format: Format::Sl1, what: "the resolution" });
    }
    Ok(size)
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
    Ok(Facts {
        format: Format::Sl1,
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
