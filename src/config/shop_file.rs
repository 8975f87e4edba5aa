//! Puts the tables of the shop file together and checks what one says of another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::de::DeTable;

use super::drivers::{self, driver_names};
use super::exposures::{self, ExposureAsWritten};
use super::place::{Problem, Report, unreadable};
use super::profiles;
use super::read::{self, PersonAsWritten, StationAsWritten};
use super::section::{At, Section};
use super::workshop::{Limits, Line, MaterialPrice, Panel, Person, Station, Workshop};
use crate::shop::profile::material::MaterialKind;
use crate::shop::profile::{ExposureOverride, Profiles};
use crate::shop::workshop::is_print;

/// Reads a shop file. Paths in it are relative to its folder.
///
/// # Errors
/// Every problem of the file, of its profiles and of its secret files, sorted by place.
pub fn load(path: &Path) -> Result<Workshop, Vec<Problem>> {
    let name = path.display().to_string();
    let text = profiles::read_bounded(path).map_err(|error| vec![unreadable(name.clone(), &error)])?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut report = Report::new(name, &text);
    let (root, errors) = DeTable::parse_recoverable(&text);
    for error in &errors {
        report.add_toml(error);
    }
    // A file with broken syntax has lost tables; what else seems to be wrong would only confuse.
    let workshop = if errors.is_empty() { read_all(root.get_ref(), folder, &mut report) } else { None };
    let mut problems = report.problems;
    problems.sort_by_key(|problem| (problem.file.clone(), problem.line, problem.column));
    match workshop {
        Some(workshop) if problems.is_empty() => Ok(workshop),
        Some(_) | None => Err(problems),
    }
}

fn read_all<'a>(root: &'a DeTable<'a>, folder: &Path, report: &mut Report<'_>) -> Option<Workshop> {
    let mut file = Section::new(root, 0, "the file");
    let head = file.table("workshop", report);
    if head.is_none() {
        report.add(0, "the file needs the table [workshop]");
    }
    let head = head.map(|section| read::head(section, folder, report));
    let directories = head.as_ref().map(|head| head.profiles.clone()).unwrap_or_default();
    let profiles = match profiles::load(&directories) {
        Ok(profiles) => profiles,
        Err(problems) => {
            report.problems.extend(problems);
            profiles::built_in().unwrap_or_default()
        }
    };

    let lines: Vec<At<Line>> =
        file.tables("line", report).into_iter().filter_map(|section| read::line(section, report)).collect();
    let written: Vec<StationAsWritten> = file
        .tables("station", report)
        .into_iter()
        .filter_map(|section| read::station(section, report))
        .collect();
    let people: Vec<PersonAsWritten> = file
        .tables("person", report)
        .into_iter()
        .filter_map(|section| read::person(section, report))
        .collect();
    let webhooks = file.tables("webhook", report);
    let webhooks =
        webhooks.into_iter().filter_map(|section| read::webhook(section, folder, report)).collect();
    let exposure: Vec<ExposureAsWritten> = file
        .tables("exposure", report)
        .into_iter()
        .filter_map(|section| exposures::exposure(section, report))
        .collect();
    let prices: Vec<At<MaterialPrice>> = file
        .tables("price", report)
        .into_iter()
        .filter_map(|section| exposures::price(section, report))
        .collect();
    let simulation = file.table("simulation", report).map(|section| read::simulation(section, report));
    let limits = file.table("limits", report).map_or(Limits::USUAL, |section| read::limits(section, report));
    let panel = file.table("panel", report).map_or(Panel::default(), |section| read::panel(section, report));
    file.finish(report);

    let overrides: Vec<ExposureOverride> = exposure.iter().map(|entry| entry.value.clone()).collect();
    check_lines(&lines, report);
    check_exposures(&exposure, &profiles, report);
    check_prices(&prices, &profiles, report);
    check_stations(&written, &lines, &profiles, &overrides, report);
    let known = known_abilities(&profiles);
    check_abilities(&written, &people, &known, report);
    let head = head?;
    if let Some(routing) = &head.routing
        && let Err(unknown) = profiles.routing(&routing.value)
    {
        report.add(routing.at, unknown.to_string());
    }
    Some(Workshop {
        name: head.name?,
        time_zone: head.time_zone?,
        listen: head.listen?,
        data_dir: head.data_dir,
        routing: head.routing?.value,
        stations: stations(written, &known),
        profiles,
        lines: lines.into_iter().map(|line| line.value).collect(),
        people: check_people(people, report),
        webhooks,
        exposure: overrides,
        prices: prices.into_iter().map(|price| price.value).collect(),
        simulation: simulation.flatten(),
        limits,
        panel,
    })
}

fn check_lines(lines: &[At<Line>], report: &mut Report<'_>) {
    let mut names = BTreeSet::new();
    let mut ports = BTreeMap::new();
    for line in lines {
        if !names.insert(&line.value.name) {
            report.add(line.at, format!("a second line named \"{}\"", line.value.name));
        }
        if let Some(other) = ports.insert(&line.value.port, &line.value.name) {
            report.add(line.at, format!("the port {} is that of line \"{other}\" already", line.value.port));
        }
    }
}

fn check_exposures(entries: &[ExposureAsWritten], profiles: &Profiles, report: &mut Report<'_>) {
    for entry in entries {
        match profiles.printer(&entry.value.printer) {
            Err(unknown) => report.add(entry.printer_at, unknown.to_string()),
            Ok(printer) if printer.resin().is_none() => {
                report.add(
                    entry.printer_at,
                    format!("printer \"{}\" doesn't print resin", entry.value.printer),
                );
            }
            Ok(printer) => {
                let (min, max) = (printer.build.layer_um_min, printer.build.layer_um_max);
                if !(min..=max).contains(&entry.value.layer_um.0) {
                    let text = format!(
                        "this printer makes layers of {min} to {max} µm, not {}",
                        entry.value.layer_um.0
                    );
                    report.add(entry.printer_at, text);
                }
            }
        }
        match profiles.material(&entry.value.material) {
            Err(unknown) => report.add(entry.material_at, unknown.to_string()),
            Ok(material) if material.kind != MaterialKind::Resin => {
                report.add(entry.material_at, format!("material \"{}\" is no resin", entry.value.material));
            }
            Ok(_) => {}
        }
    }
}

fn check_prices(prices: &[At<MaterialPrice>], profiles: &Profiles, report: &mut Report<'_>) {
    for (place, price) in prices.iter().enumerate() {
        let material = &price.value.material;
        if let Err(unknown) = profiles.material(material) {
            report.add(price.at, unknown.to_string());
        }
        if prices.iter().take(place).any(|other| other.value.material == *material) {
            report.add(price.at, format!("a second price of \"{material}\""));
        }
    }
}

fn check_stations(
    stations: &[StationAsWritten],
    lines: &[At<Line>],
    profiles: &Profiles,
    overrides: &[ExposureOverride],
    report: &mut Report<'_>,
) {
    let mut names = BTreeSet::new();
    let mut seats: BTreeMap<(&str, Option<i64>), &str> = BTreeMap::new();
    for station in stations {
        if !names.insert(&station.name.value) {
            report.add(station.name.at, format!("a second station named \"{}\"", station.name.value));
        }
        check_driver(station, profiles, report);
        check_material(station, profiles, overrides, report);
        let Some(line) = &station.line else { continue };
        if !lines.iter().any(|known| known.value.name == line.value) {
            report.add(line.at, unknown_line(&line.value, lines));
        }
        let unit = station.unit.as_ref().map(|unit| unit.value);
        if let Some(other) = seats.insert((&line.value, unit), &station.name.value) {
            let seat = unit.map_or("without a unit".to_owned(), |unit| format!("as unit {unit}"));
            let at = station.unit.as_ref().map_or(line.at, |unit| unit.at);
            report.add(at, format!("station \"{other}\" is on line \"{}\" {seat} already", line.value));
        }
    }
}

fn unknown_line(name: &str, lines: &[At<Line>]) -> String {
    let known: Vec<&str> = lines.iter().map(|line| line.value.name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!("there is no [[line]] named \"{name}\"; known are: {known}")
}

/// What the driver needs is there, and what it doesn't take is not.
fn check_driver(station: &StationAsWritten, profiles: &Profiles, report: &mut Report<'_>) {
    let driver = &station.driver;
    let Some(rule) = drivers::rule(&driver.value) else {
        let text =
            format!("there is no driver \"{}\"; known are: {}", driver.value, driver_names().join(", "));
        return report.add(driver.at, text);
    };
    match (&station.profile, rule.profile) {
        (Some(stem), _) => {
            if let Some(text) = drivers::profile_mismatch(rule, &stem.value, profiles) {
                report.add(stem.at, text);
            }
        }
        (None, Some(kind)) => {
            let text = format!("driver \"{}\" needs a \"profile\", a file of {}/", rule.name, kind.folder());
            report.add(station.at, text);
        }
        (None, None) => {}
    }
    match (&station.line, rule.needs_line) {
        (None, true) => report.add(station.at, format!("driver \"{}\" needs a \"line\"", rule.name)),
        (Some(line), false) => {
            report.add(line.at, format!("driver \"{}\" takes no line; leave it out", rule.name))
        }
        (None, false) | (Some(_), true) => {}
    }
    if rule.needs_unit && station.unit.is_none() {
        report.add(station.at, format!("driver \"{}\" needs a \"unit\", its number on the line", rule.name));
    }
}

/// The loaded material exists, fits the printer, and its settings for this printer are known.
fn check_material(
    station: &StationAsWritten,
    profiles: &Profiles,
    overrides: &[ExposureOverride],
    report: &mut Report<'_>,
) {
    let Some(loaded) = &station.material else { return };
    let printer = station.profile.as_ref().and_then(|stem| Some((stem, profiles.printer(&stem.value).ok()?)));
    let material = match profiles.material(&loaded.value) {
        Ok(material) => material,
        Err(unknown) => return report.add(loaded.at, unknown.to_string()),
    };
    let Some((stem, printer)) = printer else {
        if drivers::rule(&station.driver.value).is_some_and(|rule| rule.abilities.is_empty()) {
            report.add(
                loaded.at,
                format!("driver \"{}\" prints nothing; leave the material out", station.driver.value),
            );
        }
        return;
    };
    let fits = match material.kind {
        MaterialKind::Resin => printer.resin().is_some(),
        MaterialKind::Wax => printer.wax().is_some(),
    };
    if let Some(wax) = printer.wax()
        && let Some(text) = material.too_hot_for(&stem.value, wax)
    {
        report.add(loaded.at, text);
    }
    let is_own = |own: &ExposureOverride| own.printer == stem.value && own.material == loaded.value;
    if !fits {
        let text = format!("printer \"{}\" can't print material \"{}\"", stem.value, loaded.value);
        report.add(loaded.at, text);
    } else if !material.knows_printer(&stem.value) && !overrides.iter().any(is_own) {
        let text = format!(
            "no settings are known for material \"{}\" on printer \"{}\"; load another or write a tested [[exposure]]",
            loaded.value, stem.value
        );
        report.add(loaded.at, text);
    }
}

fn known_abilities(profiles: &Profiles) -> BTreeSet<String> {
    let steps = profiles.routings.values().flat_map(|routing| &routing.operation);
    steps.map(|step| step.ability.clone()).collect()
}

fn check_abilities(
    stations: &[StationAsWritten],
    people: &[PersonAsWritten],
    known: &BTreeSet<String>,
    report: &mut Report<'_>,
) {
    let abilities = stations.iter().filter_map(|station| station.abilities.as_ref());
    let skills = people.iter().filter_map(|person| person.skills.as_ref());
    for ability in abilities.chain(skills).flatten() {
        if !known.contains(&ability.value) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let text =
                format!("no routing has a step for \"{}\"; known are: {}", ability.value, known.join(", "));
            report.add(ability.at, text);
        }
    }
}

/// Gives every station its abilities. A manual one without a list can do what no device can.
fn stations(written: Vec<StationAsWritten>, known: &BTreeSet<String>) -> Vec<Station> {
    let own = |station: &StationAsWritten| -> Vec<String> {
        let rule = drivers::rule(&station.driver.value);
        match &station.abilities {
            Some(list) => list.iter().map(|ability| ability.value.clone()).collect(),
            None => {
                rule.map_or(Vec::new(), |rule| rule.abilities.iter().map(|&name| name.to_owned()).collect())
            }
        }
    };
    let devices: BTreeSet<String> =
        written.iter().filter(|station| station.driver.value != "manual").flat_map(own).collect();
    // Prints are a printer's, whether one is there or not.
    let rest: Vec<String> =
        known.difference(&devices).filter(|ability| !is_print(ability)).cloned().collect();
    let resolve = |station: StationAsWritten| {
        let takes_the_rest = station.driver.value == "manual" && station.abilities.is_none();
        let abilities = if takes_the_rest { rest.clone() } else { own(&station) };
        let station_driver = station.driver.value;
        Station {
            name: station.name.value,
            driver: station_driver.clone(),
            profile: station.profile.map(|stem| stem.value),
            line: station.line.map(|line| line.value),
            unit: station.unit.and_then(|unit| u8::try_from(unit.value).ok()),
            material: station.material.map(|stem| stem.value),
            capacity: capacity_of(&station_driver, station.capacity.as_ref()),
            abilities,
        }
    };
    written.into_iter().map(resolve).collect()
}

/// What isn't said: a device takes one operation at a time; by hand, people are the limit, not the place.
fn capacity_of(driver: &str, written: Option<&At<i64>>) -> u32 {
    let unsaid = if driver == "manual" { BY_HAND } else { 1 };
    written.and_then(|capacity| u32::try_from(capacity.value).ok()).unwrap_or(unsaid)
}

/// More than any workshop has going on at one bench.
const BY_HAND: u32 = 100;

fn check_people(people: Vec<PersonAsWritten>, report: &mut Report<'_>) -> Vec<Person> {
    let mut names = BTreeSet::new();
    for person in &people {
        if !names.insert(&person.name.value) {
            report.add(person.name.at, format!("a second person named \"{}\"", person.name.value));
        }
    }
    let texts = |list: Vec<At<String>>| list.into_iter().map(|text| text.value).collect();
    people
        .into_iter()
        .map(|person| Person {
            name: person.name.value,
            shifts: person.shifts,
            skills: person.skills.map(texts),
        })
        .collect()
}
