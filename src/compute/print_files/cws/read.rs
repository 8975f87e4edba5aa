//! Reads `.cws` files of any program.

use crate::print_files::container::{Container, number_of};
use crate::print_files::png::{self, Packing};
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

/// Whether the names in a container are those of a `.cws` file.
pub(in crate::print_files) fn is_cws(container: &Container<'_>) -> bool {
    container.names().any(|(_, name)| name.ends_with(".gcode") && name != "run.gcode")
}

pub(in crate::print_files) fn open<'a>(
    container: Container<'a>,
    limits: &Limits,
) -> Result<PngStack<'a>, ReadError> {
    let container = container.of(Format::Cws);
    let code = container.names().find(|(_, name)| name.ends_with(".gcode"));
    let (place, name) = code.ok_or_else(|| container.damaged("it holds no G-code"))?;
    let stem = name.trim_end_matches(".gcode").to_owned();
    let found = container.numbered(|name| {
        let digits = name.strip_prefix(stem.as_str())?.strip_suffix(".png")?;
        number_of(digits)
    })?;
    let text = container.read(place, GCODE_BYTES_MAX).map_err(|reason| container.damaged(reason))?;
    let steps = Steps::parse(&String::from_utf8_lossy(&text), found.len());
    let entries = container.row_of_layers(found, 0, steps.number("Number of Slices"))?;
    if steps.layers.len() != entries.len() {
        let (lit, there) = (steps.layers.len(), entries.len());
        return Err(container.damaged(format!("the G-code lights {lit} of {there} layers")));
    }
    let head = container.head_of(entries.first().copied().unwrap_or(0))?;
    let (display, packing) = display_of(&container, &steps, head)?;
    if display.pixels() > limits.pixels_max {
        return Err(ReadError::OverLimit { format: Format::Cws, what: "the resolution" });
    }
    let (job, untold) = job_of(&container, &steps, display)?;
    let facts = facts_of(&steps, &job);
    let told = Told::of(job, untold, &facts.layers);
    Ok(PngStack { container, facts, told, display, entries, packing, is_preview })
}

fn is_preview(name: &str) -> bool {
    name.starts_with("thumbnail/")
}

/// Mono panels show three mask pixels in one of the picture.
fn display_of(
    container: &Container<'_>,
    steps: &Steps,
    head: png::Head,
) -> Result<(Display, Packing), ReadError> {
    let [columns, rows] = head.size;
    let stated = |key: &str| steps.number(key).filter(|number| *number >= 1.0);
    let width_px = match stated("X Resolution") {
        Some(width) if (width - f64::from(columns)).abs() < 0.5 => columns,
        Some(width) if head.has_colours && ((width / 3.0).ceil() - f64::from(columns)).abs() < 0.5 => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "three times a u32's third"
            )]
            let width = width as u32;
            width
        }
        Some(width) => {
            return Err(container.damaged(format!("{width} columns are stated, pictures have {columns}")));
        }
        None => columns,
    };
    let pitch = |key: &str| {
        // One program writes the millimetres of a pixel in its place; no mask has pixels of a millimetre.
        let per_mm = steps.number(key).map(|number| if number < 1.0 { 1.0 / number } else { number });
        let mm = per_mm.map(|number| 1.0 / number).filter(|mm| (1e-4..=10.0).contains(mm));
        mm.ok_or_else(|| container.damaged(format!("\"{key}\" is not the size of a pixel")))
    };
    let flag = |key: &str| steps.text(key).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let display = Display {
        width_px,
        height_px: rows,
        // The reciprocal of a decimal: a picometre is rounding.
        pitch_mm: [pitch("Pix per mm X")?, pitch("Pix per mm Y")?].map(|mm| (mm * 1e9).round() / 1e9),
        orientation: Orientation::Landscape,
        mirror_x: flag("Flip X"),
        mirror_y: flag("Flip Y"),
    };
    Ok((display, if width_px == columns { Packing::Plain } else { Packing::Bgr }))
}

fn job_of(
    container: &Container<'_>,
    steps: &Steps,
    display: Display,
) -> Result<(Job, Vec<&'static str>), ReadError> {
    let needed = |key: &str| {
        let stated = steps.number(key).filter(|number| *number >= 0.0);
        stated.ok_or_else(|| container.damaged(format!("its G-code says nothing about \"{key}\"")))
    };
    let whole = |key: &str| steps.text(key).and_then(|text| text.parse::<u32>().ok());
    let text = |key: &str| steps.text(key).unwrap_or_default().to_owned();
    let bottom_layers = whole("Number of Bottom Layers").unwrap_or(0);
    let moves = steps.motions(bottom_layers);
    let lamp = steps.lamp(bottom_layers);
    let at = steps.text("Written").and_then(|text| text.parse().ok());
    let build_height = steps.number("Platform Z Size");
    let [x, y] = display.plate_mm();
    let normal_s = needed("Layer Time")? / 1000.0;
    let job = Job {
        machine: Machine {
            name: text("Machine Name"),
            kind: text("Machine Type"),
            build_mm: [x, y, build_height.unwrap_or(0.0)],
        },
        display,
        heights: uniform(needed("Layer Thickness")? * 1000.0),
        exposure: Exposure {
            normal_s,
            bottom_s: steps.number("Bottom Layers Time").map_or(normal_s, |ms| ms / 1000.0),
            bottom_layers,
            transition_layers: whole("Number of Transition Layers").unwrap_or(0),
            ranges: Vec::new(),
        },
        separation: moves
            .map_or(Separation::Untold, |(bottom, normal, _)| Separation::Lift { bottom, normal }),
        light: lamp.map_or(Light { bottom_pwm: u8::MAX, pwm: u8::MAX }, |(bottom_pwm, pwm)| Light {
            bottom_pwm,
            pwm,
        }),
        anti_aliasing: whole("Anti Aliasing Value").and_then(|level| u16::try_from(level).ok()).unwrap_or(1),
        resin: Resin {
            name: text("Resin Name"),
            density_g_per_ml: None,
            price_per_ml: None,
            currency: String::new(),
        },
        origin: Origin {
            software: text("Software"),
            version: text("Software Version"),
            written_at_s: at.unwrap_or(0),
        },
        sl1: None,
    };
    let silent = [
        (field::MACHINE, job.machine.name.is_empty()),
        (field::KIND, job.machine.kind.is_empty()),
        (field::BUILD_HEIGHT, build_height.is_none()),
        (field::SEPARATION, moves.is_none()),
        (field::LAYER_MOTION, moves.is_some_and(|(_, _, has_own)| has_own)),
        (field::LIGHT, lamp.is_none()),
        (field::RESIN, job.resin.name.is_empty()),
        (field::DENSITY, true),
        (field::PRICE, true),
        (field::WRITTEN_AT, at.is_none()),
        (field::SL1_NAMES, true),
    ];
    let untold = silent.iter().filter(|(_, silent)| *silent).map(|(field, _)| *field).collect();
    Ok((job, untold))
}

fn facts_of(steps: &Steps, job: &Job) -> Facts {
    let layer_mm = job.heights.nominal().to_millimeters().0;
    let rounded = |mm: f64| (mm * 1e6).round() / 1e3;
    let heights = steps.heights_mm(layer_mm);
    let layers = heights.iter().zip(&steps.layers);
    Facts {
        format: Format::Cws,
        version: "1".to_owned(),
        resolution_px: [job.display.width_px, job.display.height_px],
        pixel_um: job.display.pitch_mm.map(rounded),
        layer_um: rounded(layer_mm),
        machine: job.machine.name.clone(),
        resin: job.resin.name.clone(),
        software: format!("{} {}", job.origin.software, job.origin.version).trim().to_owned(),
        volume_ml: steps.number("Volume").unwrap_or(0.0),
        print_s: steps.number("Print Time").unwrap_or(0.0),
        layers: layers
            .map(|(z_mm, step)| LayerFacts { z_um: rounded(*z_mm), exposure_s: step.exposure_s })
            .collect(),
    }
}
