//! Reads `.nanodlp` plates of any program.

use serde_json::Value;

use crate::print_files::container::{Container, number_of};
use crate::print_files::png::{self, Packing};
use crate::print_files::png_stack::PngStack;
use crate::print_files::told::{field, uniform};
use crate::print_files::{
    Exposure, Facts, Format, Job, LayerFacts, Light, Limits, Machine, Origin, ReadError, Resin, Separation,
    Told,
};
use crate::slice::{Display, Orientation};

/// 100,000 layers with eight numbers each.
const LAYER_TEXT_BYTES_MAX: u64 = 1 << 24;

/// Whether the names in a container are those of a plate.
pub(in crate::print_files) fn is_nanodlp(container: &Container<'_>) -> bool {
    let has = |name: &str| container.place_of(name).is_some();
    has("plate.json") && has("profile.json") && (has("slicer.json") || has("options.json"))
}

pub(in crate::print_files) fn open<'a>(
    container: Container<'a>,
    limits: &Limits,
) -> Result<PngStack<'a>, ReadError> {
    let container = container.of(Format::NanoDlp);
    let found = container.numbered(|name| {
        let digits = name.strip_suffix(".png")?;
        number_of(digits)
    })?;
    // The document counts from 0, programs from 1.
    let first = u32::from(!found.contains_key(&0));
    let texts = Texts::read(&container)?;
    let stated = texts.plate.get("LayersCount").and_then(Value::as_f64).filter(|count| *count > 0.0);
    let entries = container.row_of_layers(found, first, stated)?;
    let head = container.head_of(entries.first().copied().unwrap_or(0))?;
    let (display, packing) = texts.display(&container, head)?;
    if display.pixels() > limits.pixels_max {
        return Err(ReadError::OverLimit { format: Format::NanoDlp, what: "the resolution" });
    }
    let (job, untold) = texts.job(&container, display)?;
    let format = if packing == Packing::Plain { Format::NanoDlp } else { Format::NanoDlpRgb };
    let facts = texts.facts(format, &job, entries.len());
    let told = Told::of(job, untold, &facts.layers);
    Ok(PngStack { container, facts, told, display, entries, packing, is_preview })
}

fn is_preview(name: &str) -> bool {
    name == "3d.png"
}

/// The JSON texts; keys that are missing count as zero or empty.
struct Texts {
    meta: Value,
    plate: Value,
    profile: Value,
    slicer: Value,
    info: Value,
}

impl Texts {
    fn read(container: &Container<'_>) -> Result<Self, ReadError> {
        let json = |name: &str| {
            let text = container.text(name)?;
            serde_json::from_str::<Value>(&text)
                .map_err(|error| container.damaged(format!("{name}: {error}")))
        };
        let optional = |name: &str| container.place_of(name).map_or(Ok(Value::Null), |_| json(name));
        let slicer = if container.place_of("slicer.json").is_some() { "slicer.json" } else { "options.json" };
        Ok(Self {
            meta: optional("meta.json")?,
            plate: json("plate.json")?,
            profile: json("profile.json")?,
            slicer: json(slicer)?,
            info: optional_large(container, "info.json")?,
        })
    }

    fn display(&self, container: &Container<'_>, head: png::Head) -> Result<(Display, Packing), ReadError> {
        let [columns, rows] = head.size;
        let stated = whole(&self.slicer, "PWidth").filter(|width| *width > 0);
        let is_packed = head.has_colours && stated.is_none_or(|width| width != columns);
        let width_px = match stated {
            Some(width) if is_packed && width.div_ceil(3) == columns => width,
            None if is_packed => columns.saturating_mul(3),
            Some(width) if width == columns => width,
            None => columns,
            Some(width) => {
                return Err(container.damaged(format!("{width} columns are stated, pictures have {columns}")));
            }
        };
        let um = |key: &str| number(&self.slicer, key).or_else(|| number(&self.plate, key));
        let pitch = |size: &str, res: &str| {
            let mm = number(&self.slicer, size).filter(|mm| *mm > 0.0).or_else(|| Some(um(res)? / 1000.0));
            let known = mm.filter(|mm| (1e-4..=10.0).contains(mm));
            known.ok_or_else(|| container.damaged(format!("neither {size} nor {res} is the size of a pixel")))
        };
        let mirror = whole(&self.slicer, "ImageMirror").unwrap_or(0);
        let display = Display {
            width_px,
            height_px: rows,
            pitch_mm: [pitch("XPixelSize", "XRes")?, pitch("YPixelSize", "YRes")?],
            orientation: Orientation::Landscape,
            mirror_x: mirror & 1 != 0,
            mirror_y: mirror & 2 != 0,
        };
        Ok((display, if is_packed { Packing::Rgb } else { Packing::Plain }))
    }

    fn job(
        &self,
        container: &Container<'_>,
        display: Display,
    ) -> Result<(Job, Vec<&'static str>), ReadError> {
        let needed = |key: &str| {
            let stated = number(&self.profile, key).filter(|value| *value >= 0.0);
            stated.ok_or_else(|| container.damaged(format!("profile.json says nothing about {key}")))
        };
        let layer_um = number(&self.slicer, "Thickness").filter(|um| *um > 0.0);
        let at = whole64(&self.plate, "CreatedDate");
        let [x, y] = display.plate_mm();
        let normal_s = needed("CureTime")?;
        let job = Job {
            machine: Machine { name: String::new(), kind: String::new(), build_mm: [x, y, 0.0] },
            display,
            heights: uniform(layer_um.map_or_else(|| needed("Depth"), Ok)?),
            exposure: Exposure {
                normal_s,
                bottom_s: number(&self.profile, "SupportCureTime").filter(|s| *s > 0.0).unwrap_or(normal_s),
                bottom_layers: whole(&self.profile, "SupportLayerNumber").unwrap_or(0),
                transition_layers: whole(&self.profile, "TransitionalLayer").unwrap_or(0),
                ranges: Vec::new(),
            },
            separation: Separation::Untold,
            light: Light { bottom_pwm: u8::MAX, pwm: u8::MAX },
            anti_aliasing: 1,
            resin: Resin {
                name: text(&self.profile, "Title"),
                density_g_per_ml: None,
                price_per_ml: None,
                currency: String::new(),
            },
            origin: Origin {
                software: text(&self.meta, "Program"),
                version: text(&self.meta, "Version"),
                written_at_s: at.unwrap_or(0),
            },
            sl1: None,
        };
        let mut untold = vec![
            field::MACHINE,
            field::KIND,
            field::BUILD_HEIGHT,
            field::SEPARATION,
            field::LIGHT,
            field::ANTI_ALIASING,
            field::DENSITY,
            field::PRICE,
            field::SL1_NAMES,
        ];
        if job.resin.name.is_empty() {
            untold.push(field::RESIN);
        }
        if at.is_none() {
            untold.push(field::WRITTEN_AT);
        }
        Ok((job, untold))
    }

    fn facts(&self, format: Format, job: &Job, layers: usize) -> Facts {
        let layer_um = f64::from(job.heights.nominal().0);
        let areas = self.info.as_array().map(Vec::as_slice).unwrap_or_default().iter();
        let areas_mm2: f64 = areas.filter_map(|layer| number(layer, "TotalSolidArea")).sum();
        let time =
            number(&self.plate, "PrintTime").filter(|s| *s > 0.0).or_else(|| number(&self.plate, "PrintEst"));
        let count = u32::try_from(layers).unwrap_or(u32::MAX);
        let layer = |index: u32| LayerFacts {
            z_um: f64::from(job.heights.top(index).0),
            exposure_s: job.exposure_s(index),
        };
        Facts {
            format,
            version: whole(&self.meta, "FormatVersion").unwrap_or(1).to_string(),
            resolution_px: [job.display.width_px, job.display.height_px],
            pixel_um: job.display.pitch_mm.map(|mm| (mm * 1e6).round() / 1e3),
            layer_um,
            machine: text(&self.meta, "Distro"),
            resin: job.resin.name.clone(),
            software: format!("{} {}", job.origin.software, job.origin.version).trim().to_owned(),
            volume_ml: areas_mm2 * layer_um / 1e6,
            print_s: time.unwrap_or(0.0),
            layers: (0..count).map(layer).collect(),
        }
    }
}

/// A text with an object for each layer.
fn optional_large(container: &Container<'_>, name: &str) -> Result<Value, ReadError> {
    let Some(place) = container.place_of(name) else { return Ok(Value::Null) };
    let bytes = container.read(place, LAYER_TEXT_BYTES_MAX).map_err(|reason| container.damaged(reason))?;
    serde_json::from_slice(&bytes).map_err(|error| container.damaged(format!("{name}: {error}")))
}

fn number(text: &Value, key: &str) -> Option<f64> {
    text.get(key)?.as_f64().filter(|number| number.is_finite())
}

/// Whole numbers, which some programs write with a decimal point.
fn whole64(text: &Value, key: &str) -> Option<i64> {
    let value = text.get(key)?;
    #[expect(clippy::cast_possible_truncation, reason = "held against the range")]
    let rounded = || value.as_f64().filter(|number| number.abs() < 1e15).map(|number| number.round() as i64);
    value.as_i64().or_else(rounded)
}

fn whole(text: &Value, key: &str) -> Option<u32> {
    whole64(text, key).and_then(|number| u32::try_from(number).ok())
}

fn text(object: &Value, key: &str) -> String {
    object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}
