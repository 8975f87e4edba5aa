//! Reads profiles: the shop's own directories first, then the built-in ones. The first file of a stem wins.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use sprue_compute::print_files::Format;
use toml::de::{DeTable, DeValue};

use super::builtin;
use super::place::{Problem, Report, unreadable};
use crate::shop::profile::material::MaterialKind;
use crate::shop::profile::{Flaws, MaterialProfile, PrinterProfile, ProfileKind, Profiles};

/// A profile is a page of text; more than this is not one.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Only the profiles that come with the program.
///
/// # Errors
/// Never in a released program: a test reads every one of them.
pub fn built_in() -> Result<Profiles, Vec<Problem>> {
    load(&[])
}

/// The profiles of some directories, and the built-in ones of all stems that these don't have.
/// A directory that isn't there holds nothing.
///
/// # Errors
/// Every problem of every file.
pub fn load(directories: &[PathBuf]) -> Result<Profiles, Vec<Problem>> {
    let mut profiles = Profiles::default();
    let mut problems = Vec::new();
    for kind in ProfileKind::ALL {
        let mut files = Vec::new();
        for directory in directories {
            files.extend(files_in(&directory.join(kind.folder()), &mut problems));
        }
        let built_in = builtin::FILES.iter().filter(|file| file.kind == *kind);
        files.extend(built_in.map(|file| File {
            name: format!("built-in:{}/{}.toml", kind.folder(), file.stem),
            stem: file.stem.to_owned(),
            text: file.text.to_owned(),
            meets_its_printers: directories.is_empty(),
        }));
        for file in &files {
            problems.extend(add(*kind, file, &mut profiles));
        }
    }
    if problems.is_empty() { Ok(profiles) } else { Err(problems) }
}

struct File {
    name: String,
    stem: String,
    text: String,
    /// Whether its settings must fit the printers. A built-in one is right for the built-in printers; the shop may
    /// have changed those, and couldn't mend it.
    meets_its_printers: bool,
}

fn files_in(folder: &Path, problems: &mut Vec<Problem>) -> Vec<File> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match read_bounded(&path) {
            Ok(text) => files.push(File { name, stem, text, meets_its_printers: true }),
            Err(error) => problems.push(unreadable(name, &error)),
        }
    }
    files
}

/// Reads a small text file.
pub(super) fn read_bounded(path: &Path) -> std::io::Result<String> {
    use std::io::Read;

    let mut text = String::new();
    let length = fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if u64::try_from(length).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(std::io::Error::other("larger than 1 MiB"));
    }
    Ok(text)
}

fn add(kind: ProfileKind, file: &File, profiles: &mut Profiles) -> Vec<Problem> {
    let mut report = Report::new(file.name.clone(), &file.text);
    match kind {
        ProfileKind::Printer => insert(file, &mut profiles.printers, check_printer, &mut report),
        ProfileKind::Resin => add_material(MaterialKind::Resin, file, profiles, &mut report),
        ProfileKind::Wax => add_material(MaterialKind::Wax, file, profiles, &mut report),
        ProfileKind::Alloy => insert(file, &mut profiles.alloys, |alloy| alloy.check(), &mut report),
        ProfileKind::Routing => insert(file, &mut profiles.routings, |routing| routing.check(), &mut report),
        ProfileKind::Burnout => insert(file, &mut profiles.burnouts, |program| program.check(), &mut report),
        ProfileKind::Kiln => insert(file, &mut profiles.kilns, |kiln| kiln.check(), &mut report),
    }
    report.problems
}

fn check_printer(printer: &PrinterProfile) -> Flaws {
    let mut flaws = printer.check();
    if let Some(resin) = printer.resin()
        && Format::by_name(&resin.format).is_none()
    {
        let known = Format::ALL.map(Format::name).join(", ");
        let text = format!("no format is called \"{}\"; known are {known}", resin.format);
        flaws.add("kind.resin.format", text);
    }
    flaws
}

fn add_material(kind: MaterialKind, file: &File, profiles: &mut Profiles, report: &mut Report<'_>) {
    let printers = &profiles.printers;
    let check = |material: &MaterialProfile| {
        let mut flaws = material.check();
        if material.kind != kind {
            flaws.add("kind", "this kind belongs into another folder: resins/ or waxes/");
        }
        if file.meets_its_printers {
            check_printers(material, printers, &mut flaws);
        }
        flaws
    };
    insert(file, &mut profiles.materials, check, report);
}

/// Settings must name a printer that is known, and lie in what it can do.
fn check_printers(
    material: &MaterialProfile,
    printers: &BTreeMap<String, PrinterProfile>,
    flaws: &mut Flaws,
) {
    let known = || printers.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    for (i, entry) in material.exposure.iter().enumerate() {
        let path = format!("exposure.{i}.printer");
        match printers.get(&entry.printer) {
            None => {
                flaws.add(path, format!("no printer profile \"{}\"; known are: {}", entry.printer, known()))
            }
            Some(printer) if printer.resin().is_none() => flaws.add(path, "this printer doesn't print resin"),
            Some(printer) => {
                let (min, max) = (printer.build.layer_um_min, printer.build.layer_um_max);
                let layer = f64::from(entry.layer_um.0);
                flaws.range(format!("exposure.{i}.layer_um"), layer, f64::from(min), f64::from(max));
            }
        }
    }
    for (i, entry) in material.extrusion.iter().enumerate() {
        let path = format!("extrusion.{i}.printer");
        match printers.get(&entry.printer).map(PrinterProfile::wax) {
            None => {
                flaws.add(path, format!("no printer profile \"{}\"; known are: {}", entry.printer, known()))
            }
            Some(None) => flaws.add(path, "this printer doesn't print wax"),
            Some(Some(wax)) => {
                if let Some(text) = material.too_hot_for(&entry.printer, wax) {
                    flaws.add(path, text);
                }
            }
        }
    }
}

fn insert<T: DeserializeOwned>(
    file: &File,
    profiles: &mut BTreeMap<String, T>,
    check: impl Fn(&T) -> Flaws,
    report: &mut Report<'_>,
) {
    let profile: T = match toml::from_str(&file.text) {
        Ok(profile) => profile,
        Err(error) => return report.add_toml(&error),
    };
    for flaw in check(&profile).0 {
        report.add(place_of(&file.text, &flaw.path), format!("{}: {}", flaw.path, flaw.text));
    }
    profiles.entry(file.stem.clone()).or_insert(profile);
}

/// The byte where the value at a path of keys starts; the deepest key on the way, if the path ends early.
fn place_of(text: &str, path: &str) -> usize {
    let Ok(root) = DeTable::parse(text) else { return 0 };
    let mut at = 0;
    let mut value = DeValue::Table(root.into_inner());
    for key in path.split('.') {
        let next = match value {
            DeValue::Table(table) => table.into_iter().find(|(name, _)| name.get_ref().as_ref() == key),
            DeValue::Array(_)
            | DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {
                let index = key.parse::<usize>().ok();
                let item = index.and_then(|i| value.as_array()?.get(i).cloned());
                let Some(item) = item else { return at };
                at = item.span().start;
                value = item.into_inner();
                continue;
            }
        };
        let Some((_, found)) = next else { return at };
        at = found.span().start;
        value = found.into_inner();
    }
    at
}
