//! Reads stacks of PNG layers: our own, those of ChiTuBox, and plain numbered pictures.

use crate::print_files::container::{Container, number_of};
use crate::print_files::manifest::{self, Manifest};
use crate::print_files::png::Packing;
use crate::print_files::png_stack::PngStack;
use crate::print_files::steps::Steps;
use crate::print_files::told::{field, uniform};
use crate::print_files::{
    Exposure, Facts, Format, Job, LayerFacts, Light, Limits, Machine, Origin, ReadError, Resin, Separation,
    Told,
};
use crate::slice::{Display, Orientation};

/// A hundred thousand layers of ten lines each.
const GCODE_BYTES_MAX: u64 = 1 << 25;

/// What a plain stack is silent about, besides what all of these are.
const SIZES: &str = "sizes of pixels and layers";

pub(in crate::print_files) fn open<'a>(
    container: Container<'a>,
    limits: &Limits,
) -> Result<PngStack<'a>, ReadError> {
    let container = container.of(Format::Zip);
    if container.place_of(manifest::ENTRY).is_some() {
        return own(container, limits);
    }
    let found = container.numbered(|name| {
        let digits = name.strip_suffix(".png")?.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        number_of(digits)
    })?;
    let first = u32::from(!found.contains_key(&0));
    let code = container.place_of("run.gcode");
    let steps = code.map(|place| {
        let text = container.read(place, GCODE_BYTES_MAX).map_err(|reason| container.damaged(reason))?;
        Ok(Steps::parse(&String::from_utf8_lossy(&text), found.len()))
    });
    let steps = steps.transpose()?;
    let stated = steps.as_ref().and_then(|steps| steps.number("totalLayer"));
    let entries = container.row_of_layers(found, first, stated)?;
    let size = container.head_of(entries.first().copied().unwrap_or(0))?.size;
    let (facts, told) = match steps {
        Some(steps) => chitubox(&container, &steps, size, entries.len())?,
        None => plain(size, entries.len()),
    };
    Ok(PngStack {
        container,
        facts,
        display: told.job.display,
        told,
        entries,
        packing: Packing::Plain,
        is_preview,
    })
}

fn own<'a>(container: Container<'a>, limits: &Limits) -> Result<PngStack<'a>, ReadError> {
    let manifest = Manifest::read(&container)?;
    if manifest.schema != super::SCHEMA {
        return Err(container.damaged(format!("its manifest is a {:?}", manifest.schema)));
    }
    let display = manifest.display();
    if display.pixels() > limits.pixels_max {
        return Err(ReadError::OverLimit { format: Format::Zip, what: "the resolution" });
    }
    let layers_max = usize::try_from(limits.layers_max).unwrap_or(usize::MAX);
    if manifest.layers.len() > layers_max {
        return Err(ReadError::OverLimit { format: Format::Zip, what: "the number of layers" });
    }
    let place = |file: &String| {
        container.place_of(file).ok_or_else(|| container.damaged(format!("it holds no {file}")))
    };
    let entries = manifest.layers.iter().map(|layer| place(&layer.file)).collect::<Result<Vec<_>, _>>()?;
    let facts = manifest.facts(Format::Zip);
    let told = manifest.told(&facts);
    Ok(PngStack { container, facts, told, display, entries, packing: Packing::Plain, is_preview })
}

fn is_preview(name: &str) -> bool {
    name.starts_with("preview")
}

/// The settings and steps of `run.gcode`.
fn chitubox(
    container: &Container<'_>,
    steps: &Steps,
    size: [u32; 2],
    count: usize,
) -> Result<(Facts, Told), ReadError> {
    let needed = |key: &str| {
        let stated = steps.number(key).filter(|number| *number > 0.0 && *number < 1e6);
        stated.ok_or_else(|| container.damaged(format!("run.gcode says nothing about {key}")))
    };
    if steps.layers.len() != count {
        return Err(container.damaged(format!("run.gcode lights {} of {count} layers", steps.layers.len())));
    }
    let pitch_mm = [needed("machineX")? / f64::from(size[0]), needed("machineY")? / f64::from(size[1])];
    let mirror = steps.text("projectType").is_some_and(|kind| kind.contains("mirror"));
    let display = Display {
        width_px: size[0],
        height_px: size[1],
        pitch_mm,
        orientation: Orientation::Landscape,
        mirror_x: mirror,
        mirror_y: false,
    };
    let whole = |key: &str| steps.text(key).and_then(|text| text.parse::<u32>().ok());
    let bottom_layers = whole("bottomLayerCount").or_else(|| whole("bottomLayCount")).unwrap_or(0);
    let layer_mm = needed("layerHeight")?;
    let normal_s = needed("normalExposureTime")?;
    let bottom_s = steps.number("bottomLayerExposureTime").filter(|s| *s > 0.0).unwrap_or(normal_s);
    let text = |key: &str| steps.text(key).unwrap_or_default().to_owned();
    let moves = steps.motions(bottom_layers);
    let volume_ml = steps.number("volume").unwrap_or(0.0);
    let per_ml =
        |key: &str| steps.number(key).map(|sum| sum / volume_ml).filter(|n| n.is_finite() && *n > 0.0);
    let (bottom_pwm, pwm) = steps.lamp(bottom_layers).unwrap_or((u8::MAX, u8::MAX));
    let mut job = silent_job(display);
    job.machine.name = text("machineType");
    job.machine.build_mm[2] = steps.number("machineZ").unwrap_or(0.0);
    job.heights = uniform(layer_mm * 1000.0);
    job.exposure = Exposure { normal_s, bottom_s, bottom_layers, transition_layers: 0, ranges: Vec::new() };
    job.separation =
        moves.map_or(Separation::Untold, |(bottom, normal, _)| Separation::Lift { bottom, normal });
    job.light = Light { bottom_pwm, pwm };
    job.anti_aliasing = whole("antiAliasLevel").and_then(|level| u16::try_from(level).ok()).unwrap_or(1);
    job.resin = Resin {
        name: text("resin"),
        density_g_per_ml: per_ml("weight"),
        price_per_ml: per_ml("price"),
        currency: text("currency"),
    };
    let rounded = |mm: f64| (mm * 1e6).round() / 1e3;
    let heights = steps.heights_mm(layer_mm);
    let facts = Facts {
        format: Format::Zip,
        version: "run.gcode".to_owned(),
        resolution_px: size,
        pixel_um: pitch_mm.map(rounded),
        layer_um: rounded(layer_mm),
        machine: job.machine.name.clone(),
        resin: job.resin.name.clone(),
        software: "ChiTuBox".to_owned(),
        volume_ml,
        print_s: steps.number("estimatedPrintTime").unwrap_or(0.0),
        layers: heights
            .iter()
            .zip(&steps.layers)
            .map(|(z_mm, step)| LayerFacts { z_um: rounded(*z_mm), exposure_s: step.exposure_s })
            .collect(),
    };
    let silent = [
        (field::MACHINE, job.machine.name.is_empty()),
        (field::KIND, true),
        (field::SEPARATION, moves.is_none()),
        (field::LAYER_MOTION, moves.is_some_and(|(_, _, has_own)| has_own)),
        (field::RESIN, job.resin.name.is_empty()),
        (field::DENSITY, job.resin.density_g_per_ml.is_none()),
        (field::PRICE, job.resin.price_per_ml.is_none()),
        (field::WRITTEN_AT, true),
        (field::SL1_NAMES, true),
    ];
    let untold = silent.iter().filter(|(_, silent)| *silent).map(|(field, _)| *field).collect();
    let told = Told::of(job, untold, &facts.layers);
    Ok((facts, told))
}

/// Pictures alone: sizes are 0 until a printer is named.
fn plain(size: [u32; 2], count: usize) -> (Facts, Told) {
    let display = Display {
        width_px: size[0],
        height_px: size[1],
        pitch_mm: [0.0; 2],
        orientation: Orientation::Landscape,
        mirror_x: false,
        mirror_y: false,
    };
    let facts = Facts {
        format: Format::Zip,
        version: "plain".to_owned(),
        resolution_px: size,
        pixel_um: [0.0; 2],
        layer_um: 0.0,
        machine: String::new(),
        resin: String::new(),
        software: String::new(),
        volume_ml: 0.0,
        print_s: 0.0,
        layers: vec![LayerFacts { z_um: 0.0, exposure_s: 0.0 }; count],
    };
    let untold = vec![
        SIZES,
        field::MACHINE,
        field::KIND,
        field::BUILD_HEIGHT,
        field::EXPOSURES,
        field::SEPARATION,
        field::LIGHT,
        field::ANTI_ALIASING,
        field::RESIN,
        field::DENSITY,
        field::PRICE,
        field::WRITTEN_AT,
        field::SL1_NAMES,
    ];
    (facts, Told { job: silent_job(display), untold })
}

/// Nothing but a display.
fn silent_job(display: Display) -> Job {
    let [x, y] = display.plate_mm();
    Job {
        machine: Machine { name: String::new(), kind: String::new(), build_mm: [x, y, 0.0] },
        display,
        heights: uniform(0.0),
        exposure: Exposure {
            normal_s: 0.0,
            bottom_s: 0.0,
            bottom_layers: 0,
            transition_layers: 0,
            ranges: Vec::new(),
        },
        separation: Separation::Untold,
        light: Light { bottom_pwm: u8::MAX, pwm: u8::MAX },
        anti_aliasing: 1,
        resin: Resin {
            name: String::new(),
            density_g_per_ml: None,
            price_per_ml: None,
            currency: String::new(),
        },
        origin: Origin { software: String::new(), version: String::new(), written_at_s: 0 },
        sl1: None,
    }
}
