//! A printer model: what its display or nozzle can do, how it moves, and what its files look like.
//!
//! Exposure and temperatures are not here: they belong to a printer model, a material and a layer height
//! together, and stand in the material's profile.

use serde::{Deserialize, Serialize};

use super::{Flaws, Tag, Tagged, not_blank};

/// One printer model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrinterProfile {
    /// What people call it.
    #[serde(deserialize_with = "not_blank")]
    pub name: String,
    /// The name that its files carry; firmware may refuse a file with another one.
    #[serde(deserialize_with = "not_blank")]
    pub machine_name: String,
    /// The volume that can be printed.
    pub build: BuildVolume,
    /// How it makes a layer.
    pub kind: PrinterKind,
}

/// The volume that can be printed, and the layer heights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildVolume {
    /// Width (x), depth (y), height (z) in mm.
    pub size_mm: [f64; 3],
    /// Lowest layer height in µm.
    pub layer_um_min: i32,
    /// Highest layer height in µm.
    pub layer_um_max: i32,
    /// How well these are known.
    pub tag: Tag,
    /// Where these come from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
    /// What stays free of parts at each edge of the plate, in mm.
    pub margin_mm: Tagged<f64>,
}

/// How a printer makes a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrinterKind {
    /// A light mask over a vat of resin. In the file: `[kind.resin]`.
    Resin(ResinPrinter),
    /// A nozzle that lays strands, driven by G-code. In the file: `[kind.wax-gcode]`.
    WaxGcode(WaxPrinter),
}

/// A masked resin printer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResinPrinter {
    /// What its files are: `goo`, `sl1`, `ctb-v4`, `pwmx-516` and the like; a board reads one version of one format.
    #[serde(deserialize_with = "not_blank")]
    pub format: String,
    /// The mask.
    pub display: Display,
    /// How a layer is parted from the vat.
    pub motion: Motion,
    /// Largest area of a layer that it can peel off the film, mm². Without it no layer is held against one.
    pub peel_mm2_max: Option<Tagged<f64>>,
}

/// The mask of a resin printer. Pixels are counted as the plate is seen: `width_px` along x.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Display {
    /// Pixels along x.
    pub width_px: u32,
    /// Pixels along y.
    pub height_px: u32,
    /// Pitch along x in µm; not always whole.
    pub pixel_x_um: f64,
    /// Pitch along y in µm.
    pub pixel_y_um: f64,
    /// How the image lies in the file.
    pub orientation: Orientation,
    /// Whether the file holds the image mirrored left to right.
    pub mirror_x: bool,
    /// Whether the file holds the image mirrored top to bottom.
    pub mirror_y: bool,
    /// How well these are known.
    pub tag: Tag,
    /// Where these come from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

/// How the image lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// Rows of the file run along x.
    Landscape,
    /// Rows of the file run along y: the image is turned by a quarter.
    Portrait,
}

/// How a layer is parted from the vat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Motion {
    /// The plate goes up and comes back. In the file: `[kind.resin.motion.lift]`.
    Lift(LiftMotion),
    /// The vat tilts; the printer's firmware has the speeds. In the file: `[kind.resin.motion.tilt]`.
    Tilt(TiltMotion),
}

/// Lifts of the bottom layers and of all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiftMotion {
    /// Of the bottom layers.
    pub bottom: Lift,
    /// Of all other layers.
    pub normal: Lift,
}

/// One lift in up to two stages, the way back, the rests, and the light.
///
/// Rests are named by what they come before or after: "before lift" is the rest after the cure, "after retract"
/// the rest before the next cure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    /// First stage of the lift: mm.
    pub lift_mm: f64,
    /// First stage of the lift: mm/min.
    pub lift_mm_per_min: f64,
    /// Second stage of the lift: mm; 0 if there is none.
    pub lift2_mm: f64,
    /// Second stage of the lift: mm/min.
    pub lift2_mm_per_min: f64,
    /// First stage of the way back: mm.
    pub retract_mm: f64,
    /// First stage of the way back: mm/min.
    pub retract_mm_per_min: f64,
    /// Second stage of the way back: mm; 0 if there is none.
    pub retract2_mm: f64,
    /// Second stage of the way back: mm/min.
    pub retract2_mm_per_min: f64,
    /// Rest after the cure: s.
    pub wait_before_lift_s: f64,
    /// Rest at the top: s.
    pub wait_after_lift_s: f64,
    /// Rest before the next cure: s.
    pub wait_after_retract_s: f64,
    /// Light, 0 to 255.
    pub light_pwm: u8,
    /// How well these are known.
    pub tag: Tag,
    /// Where these come from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

/// Times of a tilting vat, for the estimate of the print time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TiltMotion {
    /// One fast tilt: s.
    pub fast_s: f64,
    /// One slow tilt: s.
    pub slow_s: f64,
    /// Lit share of the display in percent above which the slow tilt is used.
    pub area_fill_percent: f64,
    /// How well these are known.
    pub tag: Tag,
    /// Where these come from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

/// A strand printer for wax-like filament.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaxPrinter {
    /// Bore of the nozzle: mm.
    pub nozzle_mm: f64,
    /// Width of one strand: mm.
    pub extrusion_width_mm: f64,
    /// Diameter of the filament: mm.
    pub filament_mm: f64,
    /// Speed while a strand is laid: mm/s.
    pub print_mm_per_s: f64,
    /// Speed while a strand of the first layer is laid: mm/s.
    pub first_layer_mm_per_s: f64,
    /// Speed between strands: mm/s.
    pub travel_mm_per_s: f64,
    /// How far the filament is pulled back between strands: mm.
    pub retract_mm: f64,
    /// How fast the filament is pulled back: mm/s.
    pub retract_mm_per_s: f64,
    /// Moves without wax of at least this length are made with the filament drawn back: mm.
    pub retract_from_mm: f64,
    /// How far the nozzle goes up when the print is done: mm.
    pub end_lift_mm: f64,
    /// Part fan while printing, 0 to 255.
    pub fan_pwm: u8,
    /// G-code after heating, before the first layer: homing, priming.
    pub start_script: Vec<String>,
    /// The hottest nozzle that the machine may hold: °C.
    pub nozzle_celsius_max: f64,
    /// The hottest plate that the machine may hold: °C.
    pub bed_celsius_max: f64,
    /// How well these are known.
    pub tag: Tag,
    /// Where these come from.
    #[serde(deserialize_with = "not_blank")]
    pub source: String,
}

impl PrinterProfile {
    /// The resin printer in it, if it is one.
    #[must_use]
    pub fn resin(&self) -> Option<&ResinPrinter> {
        match &self.kind {
            PrinterKind::Resin(resin) => Some(resin),
            PrinterKind::WaxGcode(_) => None,
        }
    }

    /// The wax printer in it, if it is one.
    #[must_use]
    pub fn wax(&self) -> Option<&WaxPrinter> {
        match &self.kind {
            PrinterKind::WaxGcode(wax) => Some(wax),
            PrinterKind::Resin(_) => None,
        }
    }

    /// The name of the format of its files.
    #[must_use]
    pub fn format(&self) -> &str {
        match &self.kind {
            PrinterKind::Resin(resin) => &resin.format,
            PrinterKind::WaxGcode(_) => "gcode",
        }
    }

    /// What can't be in these numbers.
    #[must_use]
    pub fn check(&self) -> Flaws {
        let mut flaws = Flaws::default();
        check_build(&self.build, &mut flaws);
        match &self.kind {
            PrinterKind::Resin(resin) => check_resin(resin, &self.build, &mut flaws),
            PrinterKind::WaxGcode(wax) => check_wax(wax, &mut flaws),
        }
        flaws
    }
}

// The limits below are of what any desk-top machine can be, not of a process: they catch a slipped decimal point
// or a wrong unit.

fn check_build(build: &BuildVolume, flaws: &mut Flaws) {
    for size in build.size_mm {
        flaws.range("build.size_mm", size, 10.0, 2_000.0);
    }
    let layers = (f64::from(build.layer_um_min), f64::from(build.layer_um_max));
    flaws.ordered("build.layer_um_min", layers.0, layers.1, 1.0, 1_000.0);
    let half = build.size_mm[0].min(build.size_mm[1]) / 2.0;
    flaws.range("build.margin_mm.value", build.margin_mm.value, 0.0, half.max(0.0));
}

fn check_resin(resin: &ResinPrinter, build: &BuildVolume, flaws: &mut Flaws) {
    let display = &resin.display;
    let sides = [
        ("width_px", "pixel_x_um", display.width_px, display.pixel_x_um, build.size_mm[0]),
        ("height_px", "pixel_y_um", display.height_px, display.pixel_y_um, build.size_mm[1]),
    ];
    for (count_key, pitch_key, count, pitch, size) in sides {
        flaws.range(format!("kind.resin.display.{count_key}"), f64::from(count), 16.0, 32_768.0);
        flaws.range(format!("kind.resin.display.{pitch_key}"), pitch, 1.0, 500.0);
        let shown = f64::from(count) * pitch / 1000.0;
        if size > shown + 0.01 {
            let text = format!(
                "{count} pixels of {pitch} µm show {shown:.2} mm, less than the build size {size} mm"
            );
            flaws.add(format!("kind.resin.display.{count_key}"), text);
        }
    }
    if let Some(area) = &resin.peel_mm2_max {
        flaws.range("kind.resin.peel_mm2_max.value", area.value, 1.0, 100_000.0);
    }
    match &resin.motion {
        Motion::Lift(lift) => {
            check_lift("kind.resin.motion.lift.bottom", &lift.bottom, flaws);
            check_lift("kind.resin.motion.lift.normal", &lift.normal, flaws);
        }
        Motion::Tilt(tilt) => {
            flaws.range("kind.resin.motion.tilt.fast_s", tilt.fast_s, 0.1, 120.0);
            flaws.range("kind.resin.motion.tilt.slow_s", tilt.slow_s, 0.1, 120.0);
            flaws.range("kind.resin.motion.tilt.area_fill_percent", tilt.area_fill_percent, 0.0, 100.0);
        }
    }
}

fn check_lift(path: &str, lift: &Lift, flaws: &mut Flaws) {
    let moves = [
        ("lift", lift.lift_mm, lift.lift_mm_per_min),
        ("lift2", lift.lift2_mm, lift.lift2_mm_per_min),
        ("retract", lift.retract_mm, lift.retract_mm_per_min),
        ("retract2", lift.retract2_mm, lift.retract2_mm_per_min),
    ];
    for (name, way, speed) in moves {
        flaws.range(format!("{path}.{name}_mm"), way, 0.0, 50.0);
        // A stage that isn't used may have no speed.
        let slowest = if way > 0.0 { 1.0 } else { 0.0 };
        flaws.range(format!("{path}.{name}_mm_per_min"), speed, slowest, 3_000.0);
    }
    let (up, down) = (lift.lift_mm + lift.lift2_mm, lift.retract_mm + lift.retract2_mm);
    if (up - down).abs() > 1e-6 {
        let text =
            format!("the way back ({down} mm) differs from the way up ({up} mm); the plate would wander");
        flaws.add(format!("{path}.retract_mm"), text);
    }
    let waits = [
        ("wait_before_lift_s", lift.wait_before_lift_s),
        ("wait_after_lift_s", lift.wait_after_lift_s),
        ("wait_after_retract_s", lift.wait_after_retract_s),
    ];
    for (name, wait) in waits {
        flaws.range(format!("{path}.{name}"), wait, 0.0, 120.0);
    }
}

fn check_wax(wax: &WaxPrinter, flaws: &mut Flaws) {
    let numbers = [
        ("nozzle_mm", wax.nozzle_mm, 0.05, 2.0),
        ("extrusion_width_mm", wax.extrusion_width_mm, 0.05, 4.0),
        ("filament_mm", wax.filament_mm, 1.0, 4.0),
        ("print_mm_per_s", wax.print_mm_per_s, 0.5, 1_000.0),
        ("first_layer_mm_per_s", wax.first_layer_mm_per_s, 0.5, 1_000.0),
        ("travel_mm_per_s", wax.travel_mm_per_s, 0.5, 2_000.0),
        ("retract_mm", wax.retract_mm, 0.0, 20.0),
        ("retract_mm_per_s", wax.retract_mm_per_s, 0.5, 500.0),
        ("retract_from_mm", wax.retract_from_mm, 0.0, 100.0),
        ("end_lift_mm", wax.end_lift_mm, 0.0, 100.0),
        ("nozzle_celsius_max", wax.nozzle_celsius_max, 50.0, 500.0),
        ("bed_celsius_max", wax.bed_celsius_max, 0.0, 200.0),
    ];
    for (key, value, min, max) in numbers {
        flaws.range(format!("kind.wax-gcode.{key}"), value, min, max);
    }
}
