//! `sprue slice`: designs into one printer's file, without a shop.

mod process;

use std::fs::File;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, anyhow};
use nalgebra::Vector3;
use serde::Serialize;
use sprue_compute::mesh::{self, Mesh, transform};
use sprue_compute::mesh_files::{self, Limits, MeshFormat};
use sprue_compute::nest;
use sprue_compute::print_files::Format;
use sprue_compute::slice::{Control, Sampling};

use super::{Failure, print, print_json, read_file, say};
use crate::clock::Clock;
use crate::config::{self, profiles};
use crate::finding::{Finding, any_error};
use crate::services::slicing::{self, PrintFile, PrintSettings, Process};
use crate::shop::plate::Cost;
use crate::shop::profile::{ExposureOverride, Profiles};
use crate::shop::workshop::MaterialPrice;
use crate::units::Microns;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// STL, 3MF or OBJ.
    #[arg(required = true)]
    designs: Vec<PathBuf>,
    /// Stem of the printer's profile.
    #[arg(long)]
    printer: String,
    /// Stem of the resin's or wax's profile.
    #[arg(long)]
    material: String,
    /// Stem of the alloy's profile; then metal shrinkage is made up for too.
    #[arg(long)]
    alloy: Option<String>,
    /// Layer height in µm; without it the one that the material prefers.
    #[arg(long)]
    layer_um: Option<i32>,
    /// The mesh exactly as it lies in the file, centred on the plate; no scaling.
    #[arg(long)]
    as_is: bool,
    /// Supports.
    #[arg(long, value_enum, default_value_t = Supports::None)]
    supports: Supports,
    /// Grey levels at edges: 1 for none, more for exact coverage.
    #[arg(long, default_value_t = 8)]
    aa: u16,
    /// A shop file: its profiles, exposures and prices hold.
    #[arg(long)]
    config: Option<PathBuf>,
    #[command(flatten)]
    process: process::ProcessArguments,
    /// The printer's file; its extension picks the format. Without it: beside the first design.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Supports {
    Auto,
    None,
}

#[derive(Serialize)]
struct Answer {
    layers: u32,
    layer_um: i32,
    pixel_um: [f64; 2],
    resolution_px: [u32; 2],
    volume_ml: f64,
    print_s: f64,
    load_s: f64,
    slice_s: f64,
    encode_s: f64,
    out_bytes: u64,
    /// Null if nobody published the material's density.
    weight_g: Option<f64>,
    /// Null if there is no price.
    cost: Option<Cost>,
    findings: Vec<Finding>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.supports == Supports::Auto {
        let text = "supports can't be made yet; add them in the CAD program and use --supports none";
        return Err(Failure::Refused(vec![Finding::error("SUPPORTS_UNAVAILABLE", "--supports", text)]));
    }
    let clock = Clock::real();
    let settings = settings(arguments)?;
    let output = output_path(arguments, &settings);
    let meshes = load(arguments, &settings)?;
    let loaded_s = clock.tick().0;
    let never = AtomicBool::new(false);
    let bar = std::io::stderr().is_terminal();
    let progress = |done: u32, total: u32| {
        if bar && (done.is_multiple_of(16) || done == total) {
            eprint_progress(done, total);
        }
    };
    let control = Control { cancel: &never, progress: &progress };
    let mut sliced_s = loaded_s;
    let file = write_whole(&output, |out| {
        let file = settings.slice(meshes, &stem_of(&output), clock.at(), out, control);
        sliced_s = clock.tick().0;
        file.map_err(|finding| match finding.code.as_str() {
            slicing::OUTPUT_FAILED => {
                Failure::Outside(anyhow!("can't write {}: {}", output.display(), finding.text))
            }
            _ => Failure::Refused(vec![finding]),
        })
    })?;
    let answer = answer(&settings, &file, [loaded_s, sliced_s, clock.tick().0]);
    answer.findings.iter().for_each(|finding| say(&finding.to_string()));
    if arguments.json {
        return print_json(&answer);
    }
    let weight = answer.weight_g.map_or(String::new(), |grams| format!(", {grams:.2} g"));
    let cost = answer.cost.map_or(String::new(), |cost| format!(", {:.2} {}", cost.amount, cost.currency));
    print(&format!(
        "{}: {} layers, {:.2} ml{weight}{cost}, {:.0} min",
        output.display(),
        answer.layers,
        answer.volume_ml,
        answer.print_s / 60.0
    ));
    Ok(())
}

/// Profiles, and what the shop knows better.
struct Known {
    profiles: Profiles,
    exposures: Vec<ExposureOverride>,
    prices: Vec<MaterialPrice>,
}

fn known(shop_file: Option<&Path>) -> Result<Known, Failure> {
    let Some(path) = shop_file else {
        let profiles = profiles::built_in().map_err(|problems| anyhow!("built-in profiles: {problems:?}"))?;
        return Ok(Known { profiles, exposures: Vec::new(), prices: Vec::new() });
    };
    let shop = config::load(path)
        .map_err(|problems| Failure::RefusedLines(problems.iter().map(ToString::to_string).collect()))?;
    Ok(Known { profiles: shop.profiles, exposures: shop.exposure, prices: shop.prices })
}

pub(super) fn eprint_progress(done: u32, total: u32) {
    use std::io::Write;
    let end = if done == total { "\n" } else { "" };
    let _ = write!(std::io::stderr(), "\rlayer {done} of {total}{end}");
}

fn settings(arguments: &Arguments) -> Result<PrintSettings, Failure> {
    let Known { profiles, exposures, prices } = known(arguments.config.as_deref())?;
    let layer = arguments.layer_um.map(Microns);
    let stems = (arguments.printer.as_str(), arguments.material.as_str());
    let mut settings = slicing::resolve(&profiles, &exposures, stems.0, stems.1, layer)
        .map_err(|finding| Failure::Refused(vec![finding]))?;
    settings.price = slicing::price_of(&prices, stems.1).or(settings.price);
    process::apply(&arguments.process, stems, &exposures, &mut settings)?;
    settings.sampling = if arguments.aa > 1 { Sampling::Coverage } else { Sampling::Centre };
    if arguments.as_is {
        settings.part_alone();
    }
    if let Some(stem) = &arguments.alloy {
        let alloy = profiles.alloy(stem).map_err(|unknown| {
            Failure::Refused(vec![Finding::error("ALLOY_UNKNOWN", "--alloy", unknown.to_string())])
        })?;
        settings.metal_shrink = Some(alloy.shrink_percent.clone());
    }
    choose_format(&mut settings, arguments.output.as_deref())?;
    Ok(settings)
}

/// The extension picks the format, as far as the printer's kind can have it.
fn choose_format(settings: &mut PrintSettings, output: Option<&Path>) -> Result<(), Failure> {
    let Some(output) = output else { return Ok(()) };
    let name = output.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let extension = output.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match &settings.picture_format {
        Some(own) => {
            let known = || Format::ALL.map(Format::extension).join(", ");
            let asked = Format::of_file_name(name).ok_or_else(|| wrong_format(extension, &known()))?;
            // The printer's own version and packing of a format stay.
            if asked.extension() != own.extension() {
                settings.picture_format = Some(asked);
            }
        }
        None if extension == "gcode" => {}
        None => return Err(wrong_format(extension, "gcode")),
    }
    Ok(())
}

fn wrong_format(extension: &str, known: &str) -> Failure {
    let text = format!("\".{extension}\" can't be written for this printer; name the file .{known}");
    Failure::Refused(vec![Finding::error("FORMAT_UNKNOWN", "--output", text)])
}

fn output_path(arguments: &Arguments, settings: &PrintSettings) -> PathBuf {
    let beside = || arguments.designs.first().cloned().unwrap_or_default();
    let extension = settings.picture_format.map_or("gcode", Format::extension);
    arguments.output.clone().unwrap_or_else(|| beside().with_extension(extension))
}

fn stem_of(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    stem.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect()
}

fn load(arguments: &Arguments, settings: &PrintSettings) -> Result<Vec<(String, Mesh)>, Failure> {
    let mut meshes = Vec::new();
    for path in &arguments.designs {
        let bytes = read_file(path)?;
        let format = path.extension().and_then(|e| e.to_str()).and_then(MeshFormat::of_extension);
        let read = mesh_files::read(&bytes, format, &Limits::DESIGN)
            .map_err(|refusal| Failure::Refused(vec![refusal.finding()]))?;
        let (mesh, findings) = mesh::check_surface(read);
        if any_error(&findings) {
            return Err(Failure::Refused(findings));
        }
        findings.iter().for_each(|finding| say(&format!("{}: {finding}", path.display())));
        meshes.push((path.display().to_string(), mesh));
    }
    if arguments.as_is {
        centre(&mut meshes, settings)
    } else {
        arrange(&mut meshes, settings)?
    }
    Ok(meshes)
}

/// x and y centred on the plate, lowest point on the platform, all parts moved as one.
fn centre(meshes: &mut [(String, Mesh)], settings: &PrintSettings) {
    let [x, y, _] = settings.printer.build.size_mm;
    let bounds = meshes.iter().filter_map(|(_, mesh)| mesh.bounds());
    let corners = bounds.flat_map(|bounds| [bounds.min, bounds.max]);
    let Some(all) = mesh::Bounds::around(corners) else { return };
    let middle = all.center();
    let offset = Vector3::new(x / 2.0 - middle.x, y / 2.0 - middle.y, -all.min.z);
    for (_, mesh) in meshes {
        transform::translate(mesh, offset);
    }
}

/// About a second; only a plate on which not everything finds room at once takes it.
const NEST_EFFORT: nest::Effort = nest::Effort { work: 2_000_000, seed: 1 };

fn arrange(meshes: &mut [(String, Mesh)], settings: &PrintSettings) -> Result<(), Failure> {
    let (factors, origin) = settings.scale(None);
    say(&format!("scaled by {:.5}: {origin}", factors[0]));
    for (_, mesh) in meshes.iter_mut() {
        transform::scale(mesh, Vector3::from(factors));
        transform::lay_flat(mesh);
    }
    let mut outlines = Vec::new();
    let mut pieces = Vec::new();
    for (_, mesh) in meshes.iter() {
        // A part that covers nothing has no outline and is left over.
        let outline = nest::Outline::of(mesh).map_or(usize::MAX, |outline| {
            outlines.push(outline);
            outlines.len() - 1
        });
        let turns = nest::Turns::FINE;
        pieces.push(nest::Piece { outline, turns, height: Microns(0), priority: 0, order: 0 });
    }
    let placed = nest::place(&outlines, &pieces, &settings.plate(), NEST_EFFORT);
    if let Some(left) = placed.left_over.first() {
        let text = "it doesn't fit on the plate; slice fewer designs at once, or choose a larger printer";
        return Err(Failure::Refused(vec![Finding::error("PLATE_FULL", meshes[*left].0.clone(), text)]));
    }
    for spot in placed.placed {
        slicing::put(&mut meshes[spot.index].1, i32::from(spot.degrees) * 1000, spot.x, spot.y);
    }
    Ok(())
}

/// Under another name first: a file that is there is whole.
/// Under another name until it is complete and on the disk: a file that is there is whole.
fn write_whole<T>(path: &Path, fill: impl FnOnce(&mut File) -> Result<T, Failure>) -> Result<T, Failure> {
    let unfinished = path.with_extension("unfinished");
    let written = File::options().read(true).write(true).create(true).truncate(true).open(&unfinished);
    let written = written.with_context(|| format!("can't write {}", path.display()));
    let filled = written.map_err(Failure::from).and_then(|mut file| {
        let filled = fill(&mut file)?;
        let named = file.sync_all().and_then(|()| std::fs::rename(&unfinished, path));
        named.with_context(|| format!("can't write {}", path.display()))?;
        Ok(filled)
    });
    if filled.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    filled
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of one run")]
fn answer(settings: &PrintSettings, file: &PrintFile, [loaded, sliced, written]: [u64; 3]) -> Answer {
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let (pixel_um, resolution_px) = match &settings.process {
        Process::Resin(resin, _) => {
            let display = &resin.display;
            ([display.pixel_x_um, display.pixel_y_um], [display.width_px, display.height_px])
        }
        Process::Wax(wax, _) => ([wax.extrusion_width_mm * 1000.0; 2], [0, 0]),
    };
    Answer {
        layers: file.layers,
        layer_um: settings.layer.0,
        pixel_um,
        resolution_px,
        volume_ml: file.volume_ml,
        print_s: seconds(file.print_time.0),
        load_s: seconds(loaded),
        // Layers are encoded as they are made; what remains is reading back and writing.
        slice_s: seconds(sliced - loaded),
        encode_s: seconds(written - sliced),
        out_bytes: file.bytes,
        weight_g: file.weight_g,
        cost: file.cost.clone(),
        findings: file.findings.clone(),
    }
}
