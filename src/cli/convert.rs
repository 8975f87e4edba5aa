//! `sprue convert`: a printer's file in another printer's format, layer by layer, read back before it has its name.

use std::fs::File;
use std::io::{BufWriter, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, anyhow};
use serde::Serialize;
use sprue_compute::preview::Picture;
use sprue_compute::print_files::{self, Format, Job, Limits, PrintFile, Told, WriteError, Written};
use sprue_compute::slice::{Control, Display, Layer, LayerError, LayerSource};

use super::{Failure, print, print_json, read_file, say};
use crate::clock::Clock;
use crate::config::profiles;
use crate::finding::Finding;
use crate::services::slicing::{self, PrintSettings};
use crate::services::with_causes;
use crate::units::Microns;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A printer's file, ours or foreign.
    #[arg(value_name = "IN")]
    source: PathBuf,
    /// The file to write; its extension picks the format.
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// The format, where the extension does not tell: goo, sl1, nanodlp-rgb, raster, …
    #[arg(long, value_name = "FORMAT")]
    to_format: Option<String>,
    /// Stem of the profile of the printer that will print it: its moves and the material's exposures replace those
    /// of the file.
    #[arg(long, requires = "material")]
    printer: Option<String>,
    /// Stem of the material's profile.
    #[arg(long, requires = "printer")]
    material: Option<String>,
    /// Layer height in µm, for files that do not say it.
    #[arg(long)]
    layer_um: Option<i32>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer {
    format: Format,
    layers: u32,
    resolution_px: [u32; 2],
    volume_ml: f64,
    print_s: f64,
    out_bytes: u64,
    findings: Vec<Finding>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let format = target(arguments)?;
    let bytes = read_file(&arguments.source)?;
    let place = arguments.source.display().to_string();
    let file = print_files::open(&bytes, &Limits::GENEROUS)
        .map_err(|failure| refused("FILE_DAMAGED", &place, failure.to_string()))?;
    let (job, mut findings) = job(arguments, file.as_ref(), format)?;
    let written = write_whole(&arguments.output, format, &job, file.as_ref())?;
    findings.extend(written.findings.clone());
    findings.extend(lost_support(format, file.as_ref()));
    findings.iter().for_each(|finding| say(&finding.to_string()));
    let answer = Answer {
        format,
        layers: written.layers,
        resolution_px: [job.display.width_px, job.display.height_px],
        volume_ml: written.volume_ml,
        print_s: written.print_s,
        out_bytes: written.bytes,
        findings,
    };
    if arguments.json {
        return print_json(&answer);
    }
    print(&format!(
        "{}: {}, {} layers, {:.2} ml",
        arguments.output.display(),
        format.name(),
        answer.layers,
        answer.volume_ml
    ));
    Ok(())
}

fn refused(code: &str, place: &str, text: impl Into<String>) -> Failure {
    Failure::Refused(vec![Finding::error(code, place, text)])
}

fn target(arguments: &Arguments) -> Result<Format, Failure> {
    let known = || Format::ALL.map(Format::name).join(", ");
    if let Some(name) = &arguments.to_format {
        let named = Format::ALL.into_iter().find(|format| format.name() == name);
        return named
            .ok_or_else(|| Failure::Usage(format!("there is no format \"{name}\"; known are {}", known())));
    }
    let name = arguments.output.file_name().map(|name| name.to_string_lossy().into_owned());
    let format = name.as_deref().and_then(Format::of_file_name);
    format.ok_or_else(|| {
        let text = format!("the extension is that of no format; use one of {}, or --to-format", known());
        refused("FORMAT_UNKNOWN", &arguments.output.display().to_string(), text)
    })
}

/// What the new file will say, and what is not known or not kept.
fn job(arguments: &Arguments, file: &dyn PrintFile, format: Format) -> Result<(Job, Vec<Finding>), Failure> {
    let Told { job: mut told, untold } = file.job();
    if let Some(layer) = arguments.layer_um.filter(|_| !told.heights.valid()) {
        told.heights = sprue_compute::slice::Heights::uniform(Microns(layer));
    }
    let place = arguments.source.display().to_string();
    if !told.heights.valid() {
        return Err(refused(
            "LAYER_HEIGHT",
            &place,
            "the file does not say its layer height; give --layer-um",
        ));
    }
    let (Some(printer), Some(material)) = (&arguments.printer, &arguments.material) else {
        if told.display.pixel_mm2() <= 0.0 {
            let text = "the file does not say the size of its pixels; give --printer and --material";
            return Err(refused("PIXEL_SIZE", &place, text));
        }
        let silent = |field: &&'static str| {
            let text = format!(
                "{field}: .{} files do not say it; check it before the print",
                file.facts().format.extension()
            );
            Finding::warning("NOT_TOLD", field.to_string(), text)
        };
        return Ok((told, untold.iter().map(silent).collect()));
    };
    let profiles = profiles::built_in().map_err(|problems| anyhow!("built-in profiles: {problems:?}"))?;
    let layer = told.heights.nominal();
    let settings = slicing::resolve(&profiles, &[], printer, material, Some(layer))
        .map_err(|finding| Failure::Refused(vec![finding]))?;
    let profiled = profiled(arguments, &settings, &told)?;
    same_display(&place, &told.display, &profiled.display)?;
    let text = format!(
        "moves are those of {printer}, exposures those of {material} at {} µm; those of the .{} file are not used",
        layer.0,
        file.facts().format.extension()
    );
    let note = Finding::note("PROCESS_REPLACED", format.name(), text);
    Ok((profiled, vec![note]))
}

/// The job of the profiles with the heights of the file.
fn profiled(arguments: &Arguments, settings: &PrintSettings, told: &Job) -> Result<Job, Failure> {
    let stem =
        arguments.output.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let plain =
        stem.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect::<String>();
    let job = settings.resin_job(Clock::real().at(), &plain);
    let mut job = job.ok_or_else(|| {
        refused(
            "PRINTER_KIND",
            &settings.printer.name,
            "it takes no pictures; choose a printer with a light mask",
        )
    })?;
    job.heights = told.heights.clone();
    Ok(job)
}

/// Pictures fit one display only: they are never scaled or turned.
fn same_display(place: &str, file: &Display, printer: &Display) -> Result<(), Failure> {
    if (file.width_px, file.height_px) != (printer.width_px, printer.height_px) {
        let text = format!(
            "its pictures have {} x {} pixels, the printer's display {} x {}; slice the design for this printer",
            file.width_px, file.height_px, printer.width_px, printer.height_px
        );
        return Err(refused("RESOLUTION_DIFFERS", place, text));
    }
    let is_silent = file.pixel_mm2() <= 0.0;
    let differs = |side: usize| (file.pitch_mm[side] / printer.pitch_mm[side] - 1.0).abs() > PITCH_TOLERANCE;
    if !is_silent && (differs(0) || differs(1)) {
        let [x, y] = file.pitch_mm.map(|mm| mm * 1000.0);
        let [own_x, own_y] = printer.pitch_mm.map(|mm| mm * 1000.0);
        let text = format!(
            "its pixels are {x:.2} x {y:.2} µm, the printer's {own_x:.2} x {own_y:.2}: parts would have another \
             size; slice the design for this printer"
        );
        return Err(refused("PIXEL_SIZE", place, text));
    }
    if !is_silent && (file.mirror_x, file.mirror_y) != (printer.mirror_x, printer.mirror_y) {
        let text =
            "its pictures are mirrored otherwise than the printer's; slice the design for this printer";
        return Err(refused("MIRROR_DIFFERS", place, text));
    }
    Ok(())
}

/// A thousandth: 20 µm on a ring of 20 mm, less than any ring size. Files round their displays to 10 µm.
const PITCH_TOLERANCE: f64 = 1e-3;

/// The second material, for formats that have one.
struct SupportOf<'f>(&'f dyn PrintFile);

impl LayerSource for SupportOf<'_> {
    fn display(&self) -> Display {
        self.0.display()
    }

    fn layer_count(&self) -> u32 {
        self.0.layer_count()
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let missing = LayerError::OutOfRange { index, count: 0 };
        self.0.support_layer(index).unwrap_or(Err(missing))
    }
}

fn lost_support(format: Format, file: &dyn PrintFile) -> Option<Finding> {
    let is_lost = format != Format::Raster && file.support_layer(0).is_some();
    let text = "the support wax is left out; this format has one material";
    is_lost.then(|| Finding::warning("NOT_HELD", "support mask", text))
}

/// Under another name until it is read back: a file that is there is whole.
fn write_whole(path: &Path, format: Format, job: &Job, file: &dyn PrintFile) -> Result<Written, Failure> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".unfinished");
    let unfinished = path.with_file_name(name);
    let written = write(&unfinished, format, job, file).and_then(|written| {
        std::fs::rename(&unfinished, path).with_context(|| format!("can't write {}", path.display()))?;
        Ok(written)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

fn write(path: &Path, format: Format, job: &Job, file: &dyn PrintFile) -> Result<Written, Failure> {
    let outside = || format!("can't write {}", path.display());
    let never = AtomicBool::new(false);
    let bar = std::io::stderr().is_terminal();
    let progress = |done: u32, total: u32| {
        if bar && (done.is_multiple_of(16) || done == total) {
            super::slice::eprint_progress(done, total);
        }
    };
    let control = Control { cancel: &never, progress: &progress };
    let known = file.previews();
    let previews: Vec<Picture> =
        format.preview_sizes().iter().filter_map(|&(width, height)| fitted(&known, width, height)).collect();
    let out = BufWriter::new(File::create(path).with_context(outside)?);
    let support = SupportOf(file);
    let written = if format == Format::Raster {
        let support = file.support_layer(0).is_some().then_some(&support as &dyn LayerSource);
        print_files::write_raster(job, file, support, &previews, out, control)
    } else {
        print_files::write(format, job, file, &previews, out, control)
    };
    let written = written.map_err(|failure| failed(format, failure))?;
    File::open(path).and_then(|file| file.sync_all()).with_context(outside)?;
    let bytes = std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    let control = Control { cancel: &never, progress: &|_, _| {} };
    print_files::check_read_back(&bytes, &written.digests, &Limits::GENEROUS, control)
        .map_err(|failure| refused("NOT_AS_WRITTEN", format.name(), with_causes(&failure)))?;
    check_support(&bytes, format, file)?;
    Ok(written)
}

/// Disk errors are outside, all others are the input's.
fn failed(format: Format, failure: WriteError) -> Failure {
    match failure {
        WriteError::Output(_) | WriteError::Pack(_) | WriteError::Cancelled => {
            Failure::Outside(anyhow!(with_causes(&failure)))
        }
        WriteError::Missing { .. }
        | WriteError::NotHeld { .. }
        | WriteError::Range { .. }
        | WriteError::Layer(_) => refused("NOT_CONVERTED", format.name(), with_causes(&failure)),
    }
}

/// The support mask of the new file is that of the old one.
fn check_support(bytes: &[u8], format: Format, file: &dyn PrintFile) -> Result<(), Failure> {
    if format != Format::Raster || file.support_layer(0).is_none() {
        return Ok(());
    }
    let differs = |index: u32| {
        refused("NOT_AS_WRITTEN", format.name(), format!("the support of layer {index} differs"))
    };
    let written = print_files::open(bytes, &Limits::GENEROUS).map_err(|_| differs(0))?;
    for index in 0..file.layer_count() {
        let digest = |file: &dyn PrintFile| Some(file.support_layer(index)?.ok()?.digest());
        if digest(file) != digest(written.as_ref()) {
            return Err(differs(index));
        }
    }
    Ok(())
}

/// The largest picture there is, as large as it fits into the middle of one of this size.
fn fitted(known: &[Picture], width_px: u32, height_px: u32) -> Option<Picture> {
    let pixels = |picture: &&Picture| u64::from(picture.width_px) * u64::from(picture.height_px);
    let from = known.iter().filter(|picture| pixels(picture) > 0).max_by_key(pixels)?;
    let (from_x, from_y) = (u64::from(from.width_px), u64::from(from.height_px));
    let (x, y) = (u64::from(width_px), u64::from(height_px));
    // The scale as a fraction: x / from_x or y / from_y, whichever is smaller.
    let (up, down) = if x * from_y <= y * from_x { (x, from_x) } else { (y, from_y) };
    let ground = from.rgb.first().copied().unwrap_or_default();
    let source = |place: u64, size: u64, from_size: u64| {
        let used = from_size * up / down;
        let inside = place.checked_sub((size - used.min(size)) / 2)?;
        Some(inside * down / up).filter(|at| *at < from_size)
    };
    let pixel = |row: u64, column: u64| {
        let at = source(row, y, from_y)? * from_x + source(column, x, from_x)?;
        from.rgb.get(usize::try_from(at).ok()?).copied()
    };
    let rgb = (0..y).flat_map(|row| (0..x).map(move |column| (row, column)));
    let rgb = rgb.map(|(row, column)| pixel(row, column).unwrap_or(ground)).collect();
    Some(Picture { width_px, height_px, rgb })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_keeps_its_shape_and_stands_in_the_middle() {
        let white = Picture { width_px: 4, height_px: 2, rgb: vec![[255; 3]; 8] };
        let mut framed = white.clone();
        framed.rgb[0] = [9; 3];

        let picture = fitted(&[framed], 8, 8).unwrap();

        let white_rows: Vec<usize> = (0..8).filter(|row| picture.rgb[row * 8 + 7] == [255; 3]).collect();
        assert_eq!(white_rows, [2, 3, 4, 5], "4 x 2 becomes 8 x 4");
        assert_eq!((picture.rgb.len(), picture.rgb[0]), (64, [9; 3]), "the ground is that of the corner");
        assert_eq!(fitted(&[], 8, 8), None);
        assert_eq!(fitted(&[white.clone()], 4, 2), Some(white));
    }

    #[test]
    fn pictures_of_another_display_are_refused() {
        let display = |width_px: u32, pitch_um: f64, mirror_x: bool| Display {
            width_px,
            height_px: 40,
            pitch_mm: [pitch_um / 1000.0; 2],
            orientation: sprue_compute::slice::Orientation::Landscape,
            mirror_x,
            mirror_y: false,
        };
        let printer = display(60, 50.0, true);
        let code = |file: Display| match same_display("file", &file, &printer) {
            Ok(()) => String::new(),
            Err(Failure::Refused(findings)) => findings[0].code.clone(),
            Err(other) => panic!("{other:?}"),
        };

        assert_eq!(code(display(60, 50.02, true)), "");
        assert_eq!(code(display(61, 50.0, true)), "RESOLUTION_DIFFERS");
        assert_eq!(code(display(60, 50.2, true)), "PIXEL_SIZE");
        assert_eq!(code(display(60, 50.0, false)), "MIRROR_DIFFERS");
        assert_eq!(code(display(60, 0.0, false)), "", "a plain stack says neither");
    }
}
