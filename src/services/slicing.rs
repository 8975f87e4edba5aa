//! From a composed plate to the printer's file: settings resolved with their origin, parts read, scaled and
//! placed, sliced, written, and read back before anybody relies on it.

mod faults;
mod from_profile;
mod wax;

use std::io::{BufWriter, Read, Seek, Write};
use std::sync::atomic::AtomicBool;

use nalgebra::Vector3;
use sprue_compute::mesh::{self, Mesh, transform};
use sprue_compute::mesh_files::{self, Limits as FileLimits};
use sprue_compute::nest;
use sprue_compute::plate_checks::{PlateReport, Watch};
use sprue_compute::preview;
use sprue_compute::print_files::{self, Format, Job, WriteError};
use sprue_compute::slice::{self, Control, HeightRange, Heights, LayerSource, Part, Sampling, Shaping};

use crate::finding::Finding;
use crate::services::{Error, Shop, with_causes};
use crate::shop::design::Sha256Hex;
use crate::shop::piece::Piece;
use crate::shop::plate::{Cost, Placement, Plate, SlicedFile};
use crate::shop::profile::material::{ExtrusionEntry, Price};
use crate::shop::profile::printer::{Motion, PrinterKind, ResinPrinter, WaxPrinter};
use crate::shop::profile::{
    ExposureOverride, MaterialProfile, PrinterProfile, Profiles, ResolvedExposure, Tagged, resolve_exposure,
};
use crate::shop::workshop::MaterialPrice;
use crate::store::Blobs;
use crate::units::{Microns, Span, Timestamp};
use from_profile::{display, exposure_ranges, light, not_held, separation, shaping_of};

/// Everything that a print on one printer model in one material at one layer height depends on.
#[derive(Debug, Clone)]
pub struct PrintSettings {
    /// The printer.
    pub printer: PrinterProfile,
    /// Its material.
    pub material: MaterialProfile,
    /// Layer height.
    pub layer: Microns,
    /// Where layers lie: of that height, or of others in some ranges.
    pub heights: Heights,
    /// How the material is hardened or laid.
    pub process: Process,
    /// What is written for a printer that takes pictures; the printer's own, unless somebody asks for another.
    pub picture_format: Option<Format>,
    /// Steps of grey, or pixel centres only.
    pub sampling: Sampling,
    /// Shrinkage of the metal, if it is the same for all parts of the print.
    pub metal_shrink: Option<Tagged<f64>>,
    /// What a litre of the material costs.
    pub price: Option<Price>,
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
    /// Its length.
    pub bytes: u64,
    /// `goo`, `sl1`, `gcode`.
    pub format: &'static str,
    /// Layers.
    pub layers: u32,
    /// By the profile's motion.
    pub print_time: Span,
    /// Resin or wax, ml.
    pub volume_ml: f64,
    /// Its weight, g, if the material's density is known.
    pub weight_g: Option<f64>,
    /// What it costs, if there is a price.
    pub cost: Option<Cost>,
    /// What the checks of its layers measured; none for wax, which has no pictures.
    pub report: Option<PlateReport>,
    /// What a person should look at, of the checks and of everything else.
    pub findings: Vec<Finding>,
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
    let mut settings = resolve(&shop.profiles, &shop.workshop.exposures, printer, material, layer)?;
    settings.price = price_of(&shop.workshop.prices, material).or(settings.price);
    Ok(settings)
}

/// What the shop pays for a litre of a material.
#[must_use]
pub fn price_of(prices: &[MaterialPrice], material: &str) -> Option<Price> {
    prices.iter().find(|price| price.material == material).map(|price| price.per_litre.clone())
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
    check_layer(printer_profile, layer)?;
    let mut picture_format = None;
    let process = match &printer_profile.kind {
        PrinterKind::Resin(resin) => {
            picture_format = Some(format_of(resin)?);
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
    let heights = heights_of(printer_profile, layer, &process)?;
    Ok(PrintSettings {
        printer: printer_profile.clone(),
        material: profile.clone(),
        layer,
        heights,
        process,
        picture_format,
        sampling: Sampling::Coverage,
        metal_shrink: None,
        price: profile.price_per_litre.clone(),
    })
}

/// The format that a profile names.
fn format_of(resin: &ResinPrinter) -> Result<Format, Finding> {
    Format::by_name(&resin.format).ok_or_else(|| {
        let known = Format::ALL.map(Format::name).join(", ");
        let text = format!(
            "no format is called \"{}\"; correct the printer's profile to one of {known}",
            resin.format
        );
        Finding::error("FORMAT_UNKNOWN", "settings", text)
    })
}

fn check_layer(printer: &PrinterProfile, layer: Microns) -> Result<(), Finding> {
    let build = &printer.build;
    if (build.layer_um_min..=build.layer_um_max).contains(&layer.0) {
        return Ok(());
    }
    let text = format!(
        "{} prints layers of {} to {} µm, not {}; choose another layer height",
        printer.name, build.layer_um_min, build.layer_um_max, layer.0
    );
    Err(Finding::error("LAYER_HEIGHT", "settings", text))
}

/// Layers of one height, and of those that were measured together with the exposure.
fn heights_of(printer: &PrinterProfile, layer: Microns, process: &Process) -> Result<Heights, Finding> {
    let entries = match process {
        Process::Resin(_, exposure) => exposure.correction.as_ref().map_or(&[][..], |found| &found.range),
        Process::Wax(..) => &[],
    };
    let ranges =
        entries.iter().filter_map(|entry| Some(HeightRange { from: entry.from_um, layer: entry.layer_um? }));
    ranged(printer, layer, &ranges.collect::<Vec<_>>())
}

fn ranged(printer: &PrinterProfile, layer: Microns, ranges: &[HeightRange]) -> Result<Heights, Finding> {
    ranges.iter().try_for_each(|range| check_layer(printer, range.layer))?;
    Heights::with_ranges(layer, ranges)
        .map_err(|failure| Finding::error("LAYER_HEIGHT", "settings", failure.to_string()))
}

/// The factors that a piece is scaled by on these settings, and where they come from. Never twice.
#[must_use]
pub fn scale_of(shop: &Shop, settings: &PrintSettings, piece: &Piece) -> ([f64; 3], String) {
    let metal_shrink = shop.profiles.alloy(&piece.alloy).ok().map(|alloy| alloy.shrink_percent.clone());
    PrintSettings { metal_shrink, ..settings.clone() }.scale(piece.scaled_by.as_deref())
}

/// Puts a part that lies flat into its place on the plate.
pub fn put(mesh: &mut Mesh, turn_mdeg: i32, x: Microns, y: Microns) {
    if turn_mdeg != 0 {
        transform::rotate_z(mesh, (f64::from(turn_mdeg) / 1000.0).to_radians());
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
    pub fn plate(&self) -> nest::Plate {
        let [x, y, _] = self.printer.build.size_mm;
        nest::Plate {
            width: microns(x),
            depth: microns(y),
            border: self.margin(),
            gap: self.margin(),
            dead_zones: Vec::new(),
        }
    }

    /// Distance of parts from each other and from the edge.
    #[must_use]
    pub fn margin(&self) -> Microns {
        microns(self.printer.build.margin_mm.value)
    }

    /// Lays layers of other heights from some heights on, each with the exposure that is known for its height.
    ///
    /// # Errors
    /// A finding if the printer can't print such a layer or no exposure is known for it.
    pub fn set_layer_ranges(
        &mut self,
        (stem, material): (&str, &str),
        exposures: &[ExposureOverride],
        ranges: &[HeightRange],
    ) -> Result<(), Finding> {
        self.heights = ranged(&self.printer, self.layer, ranges)?;
        let Process::Resin(_, exposure) = &mut self.process else { return Ok(()) };
        for range in ranges {
            let of_range = resolve_exposure(stem, (material, &self.material), range.layer, exposures)
                .map_err(|failure| Finding::error(failure.code(), "settings", failure.to_string()))?;
            exposure.add_range(range.from, of_range.exposure_s, Some(range.layer));
        }
        Ok(())
    }

    /// How long parts of this height and volume should take, before they are sliced.
    #[must_use]
    pub fn estimate(&self, height_mm: f64, volume_mm3: f64) -> Span {
        let layer_mm = self.layer.to_millimeters().0;
        let layers = u32::try_from(self.heights.count(height_mm))
            .unwrap_or(slice::LAYERS_MAX)
            .clamp(1, slice::LAYERS_MAX);
        match &self.process {
            Process::Resin(resin, exposure) => {
                let job = self.job(resin, exposure, Timestamp(0), "");
                let fill = volume_mm3 / (height_mm.max(layer_mm) * self.plate_area_mm2(resin));
                span_of((0..layers).map(|index| job.layer_s(index, fill)).sum())
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
            heights: self.heights.clone(),
            exposure: print_files::Exposure {
                normal_s: exposure.exposure_s,
                bottom_s: exposure.bottom_exposure_s,
                bottom_layers: exposure.bottom_layers,
                transition_layers: exposure.transition_layers,
                ranges: exposure_ranges(exposure.correction.as_deref()),
            },
            separation: separation(&resin.motion, exposure.correction.as_deref()),
            light: light(&resin.motion),
            anti_aliasing: match self.sampling {
                Sampling::Coverage | Sampling::Supersampled { .. } => 8,
                Sampling::Centre => 1,
            },
            resin: print_files::Resin {
                name: self.material.name.clone(),
                density_g_per_ml: self.material.density_g_per_cm3.as_ref().map(|density| density.value),
                price_per_ml: self.price.as_ref().map(|price| price.value / 1000.0),
                currency: self.price.as_ref().map_or(String::new(), |price| price.currency.clone()),
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

    /// What a file of pictures says on these settings; `None` for printers that take none.
    #[must_use]
    pub fn resin_job(&self, at: Timestamp, name: &str) -> Option<Job> {
        match &self.process {
            Process::Resin(resin, exposure) => Some(self.job(resin, exposure, at, name)),
            Process::Wax(..) => None,
        }
    }

    /// Slices parts that are placed in the build area (millimetres from its corner, lowest point on 0), writes the
    /// printer's file as layers are made, and reads it back once the meshes are gone.
    ///
    /// # Errors
    /// A finding that says what is wrong and what to do.
    pub fn slice(
        &self,
        meshes: Vec<(String, Mesh)>,
        name: &str,
        at: Timestamp,
        out: &mut (impl Read + Write + Seek + Send),
        control: Control<'_>,
    ) -> Result<PrintFile, Finding> {
        let [x, y] = self.build_corner_mm();
        let parts: Vec<Part<'_>> =
            meshes.iter().map(|(name, mesh)| Part { name, mesh, offset_mm: [x, y, 0.0] }).collect();
        match &self.process {
            Process::Resin(resin, exposure) => {
                let job = self.job(resin, exposure, at, name);
                let shaping = shaping_of(exposure.correction.as_deref())?;
                let (mut file, digests) = self.write_resin(resin, &job, &parts, shaping, out, control)?;
                file.findings.extend(not_held(&self.printer.name, resin, exposure.correction.as_deref()));
                drop(parts);
                drop(meshes);
                read_back(out, &digests, control)?;
                Ok(file)
            }
            Process::Wax(wax, entry) => self.write_wax(wax, entry, &parts, out, control),
        }
    }

    fn write_resin(
        &self,
        resin: &ResinPrinter,
        job: &Job,
        parts: &[Part<'_>],
        shaping: Shaping,
        out: &mut (impl Write + Seek + Send),
        control: Control<'_>,
    ) -> Result<(PrintFile, Vec<u64>), Finding> {
        let failed = |text: String| Finding::error("PLATE_NOT_SLICED", "plate", text);
        let format =
            self.picture_format.ok_or_else(|| failed("this printer takes no pictures".to_owned()))?;
        let settings = slice::Settings {
            display: job.display,
            height_max_mm: self.printer.build.size_mm[2],
            heights: job.heights.clone(),
            sampling: self.sampling,
        };
        let plate = slice::Plate::prepare_shaped(parts, settings, shaping, Some(control.cancel))
            .map_err(|failure| failed(failure.to_string()))?;
        let scene = faults::scene(parts, &job.heights, plate.layer_count(), self.build_corner_mm());
        let rules = faults::rules(self, resin);
        let watch = Watch::new(&plate, &scene, &rules);
        let previews: Vec<_> = format
            .preview_sizes()
            .iter()
            .map(|(width, height)| preview::draw(parts, *width, *height))
            .collect();
        let mut buffered = BufWriter::with_capacity(BUFFER, out);
        let written = print_files::write(format, job, &watch, &previews, &mut buffered, control)
            .map_err(|failure| self.not_written(format, resin, &failure))?;
        buffered.flush().map_err(|failure| self.not_written(format, resin, &failure.into()))?;
        let report = watch.finish().map_err(|failure| failed(with_causes(&failure)))?;
        let findings = [plate.findings(), report.findings.clone(), written.findings].concat();
        let file = PrintFile {
            bytes: written.bytes,
            format: format.extension(),
            layers: written.layers,
            print_time: span_of(written.print_s),
            volume_ml: written.volume_ml,
            weight_g: self.weight_g(written.volume_ml),
            cost: self.cost(written.volume_ml),
            report: Some(report),
            findings,
        };
        Ok((file, written.digests))
    }

    fn not_written(&self, format: Format, resin: &ResinPrinter, failure: &WriteError) -> Finding {
        match (failure, &resin.motion) {
            (WriteError::Missing { .. }, Motion::Tilt(_)) => {
                let text = format!(
                    "{} tilts its vat and has no lift moves, which .{} files need; name the file .sl1, or choose a \
                     printer that lifts",
                    self.printer.name,
                    format.extension()
                );
                Finding::error("FORMAT_MISMATCH", "--output", text)
            }
            (WriteError::Output(_) | WriteError::Pack(_), _) => {
                Finding::error(OUTPUT_FAILED, "output", with_causes(failure))
            }
            _ => Finding::error("PLATE_NOT_SLICED", "plate", with_causes(failure)),
        }
    }

    fn weight_g(&self, volume_ml: f64) -> Option<f64> {
        self.material.density_g_per_cm3.as_ref().map(|density| density.value * volume_ml)
    }

    fn cost(&self, volume_ml: f64) -> Option<Cost> {
        let price = self.price.as_ref()?;
        Some(Cost { amount: price.value * volume_ml / 1000.0, currency: price.currency.clone() })
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
    let mut blob = blobs.create().map_err(|failure| failed(with_causes(&failure)))?;
    let file = blob.fill(|out| settings.slice(meshes, &plate.label, at, out, control));
    let file = file.map_err(|failure| failed(with_causes(&failure)))??;
    let sha256 = blob.keep().map_err(|failure| failed(with_causes(&failure)))?;
    Ok(SlicedFile {
        sha256,
        bytes: file.bytes,
        format: file.format.to_owned(),
        layers: file.layers,
        print_time: file.print_time,
        volume_ml: file.volume_ml,
        weight_g: file.weight_g,
        cost: file.cost,
        findings: file.findings,
    })
}

/// Code of the finding that the file, not the plate, is at fault: a full disk.
pub const OUTPUT_FAILED: &str = "OUTPUT_FAILED";

/// Bytes that are handed to the file at once.
const BUFFER: usize = 1 << 20;

/// Holds the written file against what was sliced.
fn read_back(out: &mut (impl Read + Seek), digests: &[u64], control: Control<'_>) -> Result<(), Finding> {
    let failed = |text: String| Finding::error("PLATE_NOT_SLICED", "plate", text);
    let mut bytes = Vec::new();
    let read = out.rewind().and_then(|()| out.read_to_end(&mut bytes));
    read.map_err(|failure| failed(format!("the written file can't be read again: {failure}")))?;
    print_files::check_read_back(&bytes, digests, &print_files::Limits::GENEROUS, control)
        .map_err(|failure| failed(with_causes(&failure)))
}

fn placed_mesh(blobs: &Blobs, placement: &Placement) -> Result<Mesh, Error> {
    let mut mesh = read_design(blobs, &placement.design)?;
    transform::scale(&mut mesh, Vector3::from(placement.scale));
    transform::lay_flat(&mut mesh);
    put(&mut mesh, placement.turn_mdeg, placement.x, placement.y);
    Ok(mesh)
}

/// What a design covers of the plate, unscaled; nothing if its file can't be read any more.
pub(super) fn outline_of(blobs: &Blobs, design: &Sha256Hex) -> Option<nest::Outline> {
    let bytes = blobs.read(design).ok()?;
    let read = mesh_files::read(&bytes, None, &FileLimits::DESIGN).ok()?;
    nest::Outline::of(&read.mesh)
}

/// A design as it is built: read, safe repairs made, every shell turned outward.
fn read_design(blobs: &Blobs, design: &Sha256Hex) -> Result<Mesh, Error> {
    let bytes = blobs.read(design)?;
    let read = mesh_files::read(&bytes, None, &FileLimits::DESIGN)
        .map_err(|refusal| Error::Invalid(vec![refusal.finding()]))?;
    Ok(mesh::check_surface(read).0)
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
