//! From a composed plate to the printer's file: settings resolved with their origin, parts read, scaled and
//! placed, sliced, written, and read back before anybody relies on it.

use std::io::Cursor;
use std::sync::atomic::AtomicBool;

use nalgebra::Vector3;
use sprue_compute::mesh::{self, CheckSettings, Mesh, transform};
use sprue_compute::mesh_files::{self, Limits as FileLimits};
use sprue_compute::nest::PlateSize;
use sprue_compute::preview;
use sprue_compute::print_files::gcode::{self, Climate, Speeds, WaxJob};
use sprue_compute::print_files::{self, Format, Job};
use sprue_compute::slice::{self, Control, Display, Orientation, Part, Sampling};
use sprue_compute::toolpath::{Filling, Pattern, Rules, Seam, Support};

use crate::finding::Finding;
use crate::services::{Error, Shop, with_causes};
use crate::shop::design::Sha256Hex;
use crate::shop::piece::Piece;
use crate::shop::plate::{Placement, Plate, SlicedFile};
use crate::shop::profile::material::ExtrusionEntry;
use crate::shop::profile::printer::{
    self, InfillPattern, Lift, Motion, PrinterKind, ResinFormat, ResinPrinter, SeamPlace, WaxPrinter,
};
use crate::shop::profile::{
    ExposureOverride, MaterialProfile, PrinterProfile, Profiles, ResolvedExposure, Tagged, resolve_exposure,
};
use crate::store::Blobs;
use crate::units::{Microns, Span, Timestamp};

/// Repairs and turns shells outward, as the check at intake did; measures nothing again.
const TOPOLOGY: CheckSettings =
    CheckSettings { pieces_expected: 1, inner_diameter_mm: None, wall_samples: 0, wall_mm_min: None };

/// Everything that a print on one printer model in one material at one layer height depends on.
#[derive(Debug, Clone)]
pub struct PrintSettings {
    /// The printer.
    pub printer: PrinterProfile,
    /// Its material.
    pub material: MaterialProfile,
    /// Layer height.
    pub layer: Microns,
    /// How the material is hardened or laid.
    pub process: Process,
    /// Steps of grey, or pixel centres only.
    pub sampling: Sampling,
    /// Shrinkage of the metal, if it is the same for all parts of the print.
    pub metal_shrink: Option<Tagged<f64>>,
}

/// The numbers of a process, with where they come from.
#[derive(Debug, Clone)]
pub enum Process {
    /// Cured by light.
    Resin(Box<ResinPrinter>, ResolvedExposure),
    /// Laid as a strand.
    Wax(Box<WaxPrinter>, ExtrusionEntry),
}

/// A written print file.
#[derive(Debug)]
pub struct PrintFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// `goo`, `sl1`, `gcode`.
    pub format: &'static str,
    /// Layers.
    pub layers: u32,
    /// By the profile's motion.
    pub print_time: Span,
    /// Resin or wax, ml.
    pub volume_ml: f64,
}

/// Resolves the settings of a print; a missing number is a finding that names it, never a default.
///
/// # Errors
/// The finding.
pub fn settings_for(
    shop: &Shop,
    printer: &str,
    material: &str,
    layer: Option<Microns>,
) -> Result<PrintSettings, Finding> {
    resolve(&shop.profiles, &shop.workshop.exposures, printer, material, layer)
}

/// As `settings_for`, without a shop: for the command line.
///
/// # Errors
/// The finding.
pub fn resolve(
    profiles: &Profiles,
    exposures: &[ExposureOverride],
    printer: &str,
    material: &str,
    layer: Option<Microns>,
) -> Result<PrintSettings, Finding> {
    let unknown = |code: &str, text: String| Finding::error(code, "settings", text);
    let printer_profile =
        profiles.printer(printer).map_err(|failure| unknown("PRINTER_UNKNOWN", failure.to_string()))?;
    let profile =
        profiles.material(material).map_err(|failure| unknown("MATERIAL_UNKNOWN", failure.to_string()))?;
    let layer = layer.unwrap_or(profile.preferred_layer_um.value);
    let build = &printer_profile.build;
    if !(build.layer_um_min..=build.layer_um_max).contains(&layer.0) {
        let text = format!(
            "{} prints layers of {} to {} µm, not {}; choose another layer height",
            printer_profile.name, build.layer_um_min, build.layer_um_max, layer.0
        );
        return Err(unknown("LAYER_HEIGHT", text));
    }
    let process = match &printer_profile.kind {
        PrinterKind::Resin(resin) => {
            let exposure = resolve_exposure(printer, (material, profile), layer, exposures)
                .map_err(|failure| unknown(failure.code(), failure.to_string()))?;
            Process::Resin(Box::new(resin.clone()), exposure)
        }
        PrinterKind::WaxGcode(wax) => {
            let entry = profile.extrusion_for(printer, layer).filter(|entry| !entry.tag.is_draft());
            let entry = entry.ok_or_else(|| {
                let text = format!(
                    "no temperatures are known for {material} on {printer} at {} µm; add an [[extrusion]] entry to \
                     a copy of the material's profile",
                    layer.0
                );
                unknown("EXTRUSION_MISSING", text)
            })?;
            Process::Wax(Box::new(wax.clone()), entry.clone())
        }
    };
    let (printer, material) = (printer_profile.clone(), profile.clone());
    Ok(PrintSettings { printer, material, layer, process, sampling: Sampling::Coverage, metal_shrink: None })
}

/// The factors that a piece is scaled by on these settings, and where they come from. Never twice.
#[must_use]
pub fn scale_of(shop: &Shop, settings: &PrintSettings, piece: &Piece) -> ([f64; 3], String) {
    let metal_shrink = shop.profiles.alloy(&piece.alloy).ok().map(|alloy| alloy.shrink_percent.clone());
    PrintSettings { metal_shrink, ..settings.clone() }.scale(piece.scaled_by.as_deref())
}

/// Puts a part that lies flat into its place on the plate.
pub fn put(mesh: &mut Mesh, quarter_turn: bool, x: Microns, y: Microns) {
    if quarter_turn {
        transform::rotate_z(mesh, std::f64::consts::FRAC_PI_2);
    }
    let low = mesh.bounds().map_or_else(nalgebra::Point3::origin, |bounds| bounds.min);
    let corner = Vector3::new(x.to_millimeters().0, y.to_millimeters().0, 0.0);
    transform::translate(mesh, corner - Vector3::new(low.x, low.y, 0.0));
}

impl PrintSettings {
    /// Linear factors for pattern and metal shrinkage, `1 / ((1 - p)(1 - m))` (`casting-domain.md` section 7), and
    /// where they come from.
    #[must_use]
    pub fn scale(&self, scaled_by: Option<&str>) -> ([f64; 3], String) {
        if let Some(by) = scaled_by {
            return ([1.0; 3], format!("scaled by {by} before it came; not scaled again"));
        }
        let pattern = &self.material.shrink_percent;
        let metal = self.metal_shrink.as_ref();
        let metal_percent = metal.map_or(0.0, |metal| metal.value);
        let factor = transform::shrink_factor(pattern.value / 100.0, metal_percent / 100.0).unwrap_or(1.0);
        let origin = format!(
            "pattern {} % ({}), metal {metal_percent} % ({})",
            pattern.value,
            pattern.source,
            metal.map_or("no alloy", |metal| metal.source.as_str())
        );
        ([factor; 3], origin)
    }

    /// Leaves out everything that is broken off or thrown away: supports, brim and skirt of a wax printer.
    pub fn part_alone(&mut self) {
        if let Process::Wax(wax, _) = &mut self.process {
            wax.support = None;
            wax.strands.brim_mm = 0.0;
            wax.strands.skirt_loops = 0;
        }
    }

    /// Where parts may lie.
    #[must_use]
    pub fn plate_size(&self) -> PlateSize {
        let [x, y, _] = self.printer.build.size_mm;
        PlateSize { width: microns(x), depth: microns(y) }
    }

    /// Distance of parts from each other and from the edge.
    #[must_use]
    pub fn margin(&self) -> Microns {
        microns(self.printer.build.margin_mm.value)
    }

    /// How long parts of this height and volume should take, before they are sliced.
    #[must_use]
    pub fn estimate(&self, height_mm: f64, volume_mm3: f64) -> Span {
        let layer_mm = self.layer.to_millimeters().0;
        let layers = (height_mm / layer_mm).ceil().max(1.0);
        match &self.process {
            Process::Resin(resin, exposure) => {
                let job = self.job(resin, exposure, Timestamp(0), "");
                let fill = volume_mm3 / (height_mm.max(layer_mm) * self.plate_area_mm2(resin));
                span_of((0..layers_u32(layers)).map(|index| job.layer_s(index, fill)).sum())
            }
            Process::Wax(wax, entry) => {
                let strand_mm2 = wax.extrusion_width_mm * layer_mm;
                // As much again for moves without wax: an estimate that the sliced file replaces.
                span_of(2.0 * volume_mm3 / strand_mm2 / entry.print_mm_per_s.min(wax.print_mm_per_s))
            }
        }
    }

    fn plate_area_mm2(&self, resin: &ResinPrinter) -> f64 {
        let display = &resin.display;
        f64::from(display.width_px) * display.pixel_x_um * f64::from(display.height_px) * display.pixel_y_um
            / 1e6
    }

    /// Where the centre of the build area lies in the plate frame of the slicer, mm.
    fn build_corner_mm(&self) -> [f64; 2] {
        let [x, y, _] = self.printer.build.size_mm;
        match &self.process {
            Process::Resin(resin, _) => {
                let [width, depth] = display(resin).plate_mm();
                [(width - x) / 2.0, (depth - y) / 2.0]
            }
            Process::Wax(..) => [0.0, 0.0],
        }
    }

    /// What the printer's file says besides its pictures.
    fn job(&self, resin: &ResinPrinter, exposure: &ResolvedExposure, at: Timestamp, name: &str) -> Job {
        Job {
            machine: print_files::Machine {
                name: self.printer.machine_name.clone(),
                kind: "DLP".to_owned(),
                build_mm: self.printer.build.size_mm,
            },
            display: display(resin),
            heights: slice::Heights::uniform(self.layer),
            exposure: print_files::Exposure {
                normal_s: exposure.exposure_s,
                bottom_s: exposure.bottom_exposure_s,
                bottom_layers: exposure.bottom_layers,
                transition_layers: exposure.transition_layers,
                ranges: Vec::new(),
            },
            separation: separation(&resin.motion),
            light: light(&resin.motion),
            anti_aliasing: match self.sampling {
                Sampling::Coverage => 8,
                Sampling::Centre => 1,
            },
            resin: print_files::Resin {
                name: self.material.name.clone(),
                density_g_per_ml: self.material.density_g_per_cm3.as_ref().map(|density| density.value),
                price_per_ml: None,
                currency: String::new(),
            },
            origin: print_files::Origin {
                software: "sprue".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                written_at_s: at.0.div_euclid(1000),
            },
            sl1: Some(print_files::Sl1Names {
                job: if name.is_empty() { "plate".to_owned() } else { name.to_ascii_lowercase() },
                printer_model: self.printer.machine_name.clone(),
                printer_variant: "default".to_owned(),
                printer_profile: self.printer.name.clone(),
                print_profile: format!("{} µm", self.layer.0),
                user_profile: 0,
            }),
        }
    }

    /// Slices parts that are placed in the build area (millimetres from its corner, lowest point on 0), writes the
    /// printer's file and reads it back.
    ///
    /// # Errors
    /// A finding that says what is wrong and what to do.
    pub fn slice(
        &self,
        meshes: &[(String, Mesh)],
        name: &str,
        at: Timestamp,
        control: Control<'_>,
    ) -> Result<PrintFile, Finding> {
        let [x, y] = self.build_corner_mm();
        let parts: Vec<Part<'_>> =
            meshes.iter().map(|(name, mesh)| Part { name, mesh, offset_mm: [x, y, 0.0] }).collect();
        match &self.process {
            Process::Resin(resin, exposure) => {
                let job = self.job(resin, exposure, at, name);
                self.write_resin(resin.format, &job, &parts, control)
            }
            Process::Wax(wax, entry) => self.write_wax(wax, entry, &parts, control),
        }
    }

    fn write_resin(
        &self,
        format: ResinFormat,
        job: &Job,
        parts: &[Part<'_>],
        control: Control<'_>,
    ) -> Result<PrintFile, Finding> {
        let failed = |text: String| Finding::error("PLATE_NOT_SLICED", "plate", text);
        let format = match format {
            ResinFormat::Goo => Format::Goo,
            ResinFormat::Sl1 => Format::Sl1,
            ResinFormat::Ctb => {
                return Err(failed("`.ctb` files can't be written; choose another printer".into()));
            }
        };
        let settings = slice::Settings {
            display: job.display,
            height_max_mm: self.printer.build.size_mm[2],
            heights: job.heights.clone(),
            sampling: self.sampling,
        };
        let plate = slice::Plate::prepare(parts, settings).map_err(|failure| failed(failure.to_string()))?;
        let previews: Vec<_> = format
            .preview_sizes()
            .iter()
            .map(|(width, height)| preview::draw(parts, *width, *height))
            .collect();
        let mut bytes = Cursor::new(Vec::new());
        let written = print_files::write(format, job, &plate, &previews, &mut bytes, control)
            .map_err(|failure| failed(with_causes(&failure)))?;
        let bytes = bytes.into_inner();
        print_files::check_read_back(&bytes, &written.digests, &print_files::Limits::GENEROUS, control)
            .map_err(|failure| failed(with_causes(&failure)))?;
        Ok(PrintFile {
            bytes,
            format: format.extension(),
            layers: written.layers,
            print_time: span_of(written.print_s),
            volume_ml: written.volume_ml,
        })
    }

    fn wax_job(&self, wax: &WaxPrinter, entry: &ExtrusionEntry) -> WaxJob {
        let bed = |celsius: f64| (celsius > 0.0).then_some(celsius);
        let slowed = |mm_per_s: f64| mm_per_s.min(entry.print_mm_per_s);
        let motion = &wax.motion;
        WaxJob {
            build_mm: self.printer.build.size_mm,
            heights: slice::Heights::uniform(self.layer),
            rules: strand_rules(wax),
            filament_mm: wax.filament_mm,
            first_layer: Climate {
                nozzle_celsius: entry.first_layer_nozzle_celsius,
                bed_celsius: bed(entry.first_layer_bed_celsius),
                fan_pwm: entry.first_layer_fan_pwm,
            },
            other_layers: Climate {
                nozzle_celsius: entry.nozzle_celsius,
                bed_celsius: bed(entry.bed_celsius),
                fan_pwm: wax.fan_pwm,
            },
            speeds: Speeds {
                first_layer: slowed(wax.first_layer_mm_per_s),
                outer_wall: slowed(motion.outer_wall_mm_per_s),
                inner_wall: slowed(wax.print_mm_per_s),
                thin: slowed(motion.thin_mm_per_s),
                solid: slowed(motion.solid_mm_per_s),
                infill: slowed(motion.infill_mm_per_s),
                support: slowed(motion.support_mm_per_s),
                travel: wax.travel_mm_per_s,
                lift: motion.lift_mm_per_s,
                mm3_per_s_max: entry.flow_mm3_per_s_max,
                layer_s_min: entry.layer_s_min,
                slowest: entry.slowest_mm_per_s,
            },
            motion: gcode::Motion {
                press_mm_per_s2: motion.print_mm_per_s2,
                travel_mm_per_s2: motion.travel_mm_per_s2,
                retract_mm_per_s2: motion.retract_mm_per_s2,
                jerk_mm_per_s: motion.jerk_mm_per_s,
                retract_mm: wax.retract_mm,
                retract_mm_per_s: wax.retract_mm_per_s,
            },
            end_lift_mm: wax.end_lift_mm,
            start_script: wax.start_script.clone(),
            software: concat!("sprue ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    fn write_wax(
        &self,
        wax: &WaxPrinter,
        entry: &ExtrusionEntry,
        parts: &[Part<'_>],
        control: Control<'_>,
    ) -> Result<PrintFile, Finding> {
        let job = self.wax_job(wax, entry);
        let (width, height) = gcode::PREVIEW_SIZE;
        let previews = [preview::draw(parts, width, height)];
        let mut bytes = Vec::new();
        let written = gcode::write(&job, parts, &previews, &mut bytes, control)
            .map_err(|failure| Finding::error("PLATE_NOT_SLICED", "plate", with_causes(&failure)))?;
        Ok(PrintFile {
            bytes,
            format: "gcode",
            layers: written.layers,
            print_time: span_of(written.print_s),
            volume_ml: written.volume_ml,
        })
    }
}

/// How a wax printer lays strands, from its profile.
fn strand_rules(wax: &WaxPrinter) -> Rules {
    let strands = &wax.strands;
    let support = wax.support.as_ref().map(|support| Support {
        degrees_max: support.degrees_max,
        gap_mm: support.gap_mm,
        side_gap_mm: support.side_gap_mm,
        spacing_mm: support.spacing_mm,
        interface_layers: support.interface_layers,
        interface_gap_mm: support.interface_gap_mm,
        column_mm: support.column_mm,
    });
    Rules {
        strand_mm: wax.extrusion_width_mm,
        strand_mm_min: strands.width_mm_min,
        walls: strands.walls,
        filling: Filling {
            percent: strands.infill_percent,
            pattern: match strands.infill_pattern {
                InfillPattern::Rectilinear => Pattern::Rectilinear,
                InfillPattern::Concentric => Pattern::Concentric,
            },
            degrees: strands.infill_degrees,
            top_layers: strands.top_layers,
            bottom_layers: strands.bottom_layers,
        },
        seam: match strands.seam {
            SeamPlace::Nearest => Seam::Nearest,
            SeamPlace::Rear => Seam::Rear,
            SeamPlace::Corner => Seam::Corner,
        },
        tolerance_mm: strands.tolerance_mm,
        hop_mm: wax.retract_from_mm,
        support,
        brim_mm: strands.brim_mm,
        skirt_loops: strands.skirt_loops,
        skirt_gap_mm: strands.skirt_gap_mm,
    }
}

/// Slices a plate of the shop and keeps the file. Blocking; uses every core.
///
/// # Errors
/// A finding that says what is wrong and what to do.
pub fn slice_plate(
    blobs: &Blobs,
    settings: &PrintSettings,
    plate: &Plate,
    at: Timestamp,
) -> Result<SlicedFile, Finding> {
    let failed = |text: String| Finding::error("PLATE_NOT_SLICED", plate.id.to_string(), text);
    let mut meshes = Vec::new();
    for placement in &plate.placements {
        let mesh = placed_mesh(blobs, placement).map_err(|failure| failed(with_causes(&failure)))?;
        meshes.push((placement.piece.to_string(), mesh));
    }
    let never = AtomicBool::new(false);
    let control = Control { cancel: &never, progress: &|_, _| {} };
    let file = settings.slice(&meshes, &plate.label, at, control)?;
    let sha256 = blobs.put(&file.bytes).map_err(|failure| failed(with_causes(&failure)))?;
    Ok(SlicedFile {
        sha256,
        bytes: file.bytes.len() as u64,
        format: file.format.to_owned(),
        layers: file.layers,
        print_time: file.print_time,
        volume_ml: file.volume_ml,
    })
}

fn placed_mesh(blobs: &Blobs, placement: &Placement) -> Result<Mesh, Error> {
    let mut mesh = read_design(blobs, &placement.design)?;
    transform::scale(&mut mesh, Vector3::from(placement.scale));
    transform::lay_flat(&mut mesh);
    put(&mut mesh, placement.quarter_turn, placement.x, placement.y);
    Ok(mesh)
}

/// A design as it is built: read, safe repairs made, every shell turned outward.
fn read_design(blobs: &Blobs, design: &Sha256Hex) -> Result<Mesh, Error> {
    let bytes = blobs.read(design)?;
    let read = mesh_files::read(&bytes, None, &FileLimits::DESIGN)
        .map_err(|refusal| Error::Invalid(vec![refusal.finding()]))?;
    Ok(mesh::check(read, &TOPOLOGY).mesh)
}

fn display(resin: &ResinPrinter) -> Display {
    let display = &resin.display;
    Display {
        width_px: display.width_px,
        height_px: display.height_px,
        pitch_mm: [display.pixel_x_um / 1000.0, display.pixel_y_um / 1000.0],
        orientation: match display.orientation {
            printer::Orientation::Landscape => Orientation::Landscape,
            printer::Orientation::Portrait => Orientation::Portrait,
        },
        mirror_x: display.mirror_x,
        mirror_y: display.mirror_y,
    }
}

fn separation(motion: &Motion) -> print_files::Separation {
    match motion {
        Motion::Lift(lift) => print_files::Separation::Lift {
            bottom: layer_motion(&lift.bottom),
            normal: layer_motion(&lift.normal),
        },
        Motion::Tilt(tilt) => print_files::Separation::Tilt {
            fast_s: tilt.fast_s,
            slow_s: tilt.slow_s,
            slow_from_fill: tilt.area_fill_percent / 100.0,
        },
    }
}

fn layer_motion(lift: &Lift) -> print_files::LayerMotion {
    let step = |mm, mm_per_min| print_files::Move { mm, mm_per_min };
    print_files::LayerMotion {
        lift: step(lift.lift_mm, lift.lift_mm_per_min),
        lift_second: step(lift.lift2_mm, lift.lift2_mm_per_min),
        retract: step(lift.retract_mm, lift.retract_mm_per_min),
        retract_second: step(lift.retract2_mm, lift.retract2_mm_per_min),
        waits: print_files::Waits {
            before_lift_s: lift.wait_before_lift_s,
            after_lift_s: lift.wait_after_lift_s,
            after_retract_s: lift.wait_after_retract_s,
        },
    }
}

fn light(motion: &Motion) -> print_files::Light {
    match motion {
        Motion::Lift(lift) => {
            print_files::Light { bottom_pwm: lift.bottom.light_pwm, pwm: lift.normal.light_pwm }
        }
        // A tilting printer sets its lamp itself; its file has no field for it.
        Motion::Tilt(_) => print_files::Light { bottom_pwm: u8::MAX, pwm: u8::MAX },
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds of one print, not negative"
)]
fn span_of(seconds: f64) -> Span {
    Span((seconds * 1000.0).round() as u64)
}

#[expect(clippy::cast_possible_truncation, reason = "plates are below two metres")]
fn microns(mm: f64) -> Microns {
    Microns((mm * 1000.0).round() as i32)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1; saturates")]
fn layers_u32(layers: f64) -> u32 {
    layers as u32
}
