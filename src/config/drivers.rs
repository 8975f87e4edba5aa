//! What a station of each driver must have in the shop file.

use crate::shop::profile::{PrinterProfile, ProfileKind, Profiles};

/// What the shop file must say of a station with this driver.
pub(super) struct DriverRule {
    pub(super) name: &'static str,
    /// Whether it sits on a line.
    pub(super) needs_line: bool,
    /// Whether it has a number on its line.
    pub(super) needs_unit: bool,
    /// What its profile describes, if it has one.
    pub(super) profile: Option<ProfileKind>,
    /// What it can do if the file doesn't say.
    pub(super) abilities: &'static [&'static str],
}

pub(super) const DRIVERS: &[DriverRule] = &[
    DriverRule {
        name: "chitu",
        needs_line: true,
        needs_unit: false,
        profile: Some(ProfileKind::Printer),
        abilities: &["print-resin"],
    },
    DriverRule { name: "manual", needs_line: false, needs_unit: false, profile: None, abilities: &[] },
    DriverRule {
        name: "marlin",
        needs_line: true,
        needs_unit: false,
        profile: Some(ProfileKind::Printer),
        abilities: &["print-wax"],
    },
    DriverRule {
        name: "mask",
        needs_line: true,
        needs_unit: false,
        profile: Some(ProfileKind::Printer),
        abilities: &["print-resin"],
    },
    DriverRule {
        name: "modbus-kiln",
        needs_line: true,
        needs_unit: true,
        profile: Some(ProfileKind::Kiln),
        abilities: &["burnout"],
    },
    DriverRule { name: "sprue-station", needs_line: true, needs_unit: false, profile: None, abilities: &[] },
];

/// Names of all drivers, sorted.
#[must_use]
pub fn driver_names() -> Vec<&'static str> {
    DRIVERS.iter().map(|rule| rule.name).collect()
}

pub(super) fn rule(name: &str) -> Option<&'static DriverRule> {
    DRIVERS.iter().find(|rule| rule.name == name)
}

/// What is wrong with a profile for a driver, in words for the person who wrote the file.
pub(super) fn profile_mismatch(rule: &DriverRule, stem: &str, profiles: &Profiles) -> Option<String> {
    match rule.profile {
        Some(ProfileKind::Printer) => match profiles.printer(stem) {
            Ok(printer) => printer_mismatch(rule.name, stem, printer),
            Err(unknown) => Some(unknown.to_string()),
        },
        Some(ProfileKind::Kiln) => profiles.kiln(stem).err().map(|unknown| unknown.to_string()),
        Some(
            ProfileKind::Resin
            | ProfileKind::Wax
            | ProfileKind::Alloy
            | ProfileKind::Routing
            | ProfileKind::Burnout,
        )
        | None => Some(format!("a station with driver \"{}\" takes no profile; leave it out", rule.name)),
    }
}

fn printer_mismatch(driver: &str, stem: &str, printer: &PrinterProfile) -> Option<String> {
    let (fits, wanted) = match driver {
        "marlin" => (printer.wax().is_some(), "a printer that takes G-code"),
        "chitu" => {
            let format = printer.resin().map_or("", |resin| &resin.format);
            let fits = format == "goo" || format.starts_with("ctb");
            (fits, "a resin printer with .goo or .ctb files")
        }
        _ => (printer.resin().is_some(), "a resin printer"),
    };
    let text = format!(
        "driver \"{driver}\" wants {wanted}, but profile \"{stem}\" is one with {} files",
        printer.format()
    );
    (!fits).then_some(text)
}
