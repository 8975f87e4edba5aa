//! Reads the tables of the shop file, one function for each.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::place::Report;
use super::profiles::read_bounded;
use super::section::{At, Section};
use super::workshop::{Limits, Line, Panel, Secret, Simulation, Webhook};
use crate::shop::profile::routing::is_slug;
use crate::shop::shift::Shift;
use crate::shop::webhook::parse_secret;
use crate::units::Timestamp;

/// `[workshop]` as written.
pub(super) struct Head {
    pub(super) name: Option<String>,
    pub(super) time_zone: Option<TimeZone>,
    pub(super) listen: Option<SocketAddr>,
    pub(super) data_dir: PathBuf,
    pub(super) profiles: Vec<PathBuf>,
    pub(super) routing: Option<At<String>>,
}

pub(super) fn head(mut section: Section<'_>, folder: &Path, report: &mut Report<'_>) -> Head {
    let name = section.needed_text("name", report).map(|name| name.value);
    let time_zone = section.needed_text("time_zone", report).and_then(|zone| time_zone(&zone, report));
    let listen = match section.text("listen", report) {
        Some(address) => socket(&address, report),
        None => Some(SocketAddr::from(([127, 0, 0, 1], 7373))),
    };
    let data_dir = section.text("data_dir", report).map_or("./data".to_owned(), |path| path.value);
    let directories = section.texts("profiles", report).unwrap_or_default();
    let routing = section.needed_text("routing", report);
    section.finish(report);
    Head {
        name,
        time_zone,
        listen,
        data_dir: folder.join(data_dir),
        profiles: directories.iter().map(|directory| folder.join(&directory.value)).collect(),
        routing,
    }
}

fn time_zone(zone: &At<String>, report: &mut Report<'_>) -> Option<TimeZone> {
    TimeZone::get(&zone.value)
        .map_err(|_| {
            let text =
                format!("\"{}\" is not a time zone; write an IANA name like Europe/Berlin", zone.value);
            report.add(zone.at, text);
        })
        .ok()
}

fn socket(address: &At<String>, report: &mut Report<'_>) -> Option<SocketAddr> {
    address
        .value
        .parse()
        .map_err(|_| {
            let text = format!("\"{}\" is not an address; write one like 127.0.0.1:7373", address.value);
            report.add(address.at, text);
        })
        .ok()
}

pub(super) fn line(mut section: Section<'_>, report: &mut Report<'_>) -> Option<At<Line>> {
    let at = section.at;
    let name = slug("name", &mut section, report);
    let port = section.needed_text("port", report);
    let baud = section.whole("baud", (300, 4_000_000), report);
    let is_tcp = port.as_ref().is_some_and(|port| port.value.starts_with("tcp://"));
    if let Some(port) = &port
        && is_tcp
        && !is_host_and_port(&port.value["tcp://".len()..])
    {
        let text = format!("\"{}\" names no host and port; write tcp://host:4001", port.value);
        report.add(port.at, text);
    }
    section.finish(report);
    let baud = baud.and_then(|baud| u32::try_from(baud.value).ok());
    Some(At { value: Line { name: name?.value, port: port?.value, baud }, at })
}

fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

/// `[[station]]` as written; what it means needs the other tables.
pub(super) struct StationAsWritten {
    pub(super) at: usize,
    pub(super) name: At<String>,
    pub(super) driver: At<String>,
    pub(super) profile: Option<At<String>>,
    pub(super) line: Option<At<String>>,
    pub(super) unit: Option<At<i64>>,
    pub(super) material: Option<At<String>>,
    pub(super) abilities: Option<Vec<At<String>>>,
    pub(super) capacity: Option<At<i64>>,
}

pub(super) fn station(mut section: Section<'_>, report: &mut Report<'_>) -> Option<StationAsWritten> {
    let at = section.at;
    let name = slug("name", &mut section, report);
    let driver = section.needed_text("driver", report);
    let profile = section.text("profile", report);
    let line = section.text("line", report);
    // Modbus over serial line 1.02, section 2.2: units 1 to 247; Eurotherm takes up to 254.
    let unit = section.whole("unit", (1, 254), report);
    let material = section.text("material", report);
    let abilities = section.texts("abilities", report);
    let capacity = section.whole("capacity", (1, 1000), report);
    section.finish(report);
    let (name, driver) = (name?, driver?);
    Some(StationAsWritten { at, name, driver, profile, line, unit, material, abilities, capacity })
}

/// `[[person]]` as written, shifts read.
pub(super) struct PersonAsWritten {
    pub(super) name: At<String>,
    pub(super) shifts: Vec<Shift>,
    pub(super) skills: Option<Vec<At<String>>>,
}

pub(super) fn person(mut section: Section<'_>, report: &mut Report<'_>) -> Option<PersonAsWritten> {
    let at = section.at;
    let name = section.needed_text("name", report);
    let texts = section.texts("shifts", report);
    if texts.is_none() && section.place_of("shifts") == at {
        report.add(at, "[[person]] needs the key \"shifts\", for example [\"mon-fri 08:00-16:30\"]");
    }
    let mut shifts = Vec::new();
    for text in texts.unwrap_or_default() {
        match Shift::parse(&text.value) {
            Ok(shift) => shifts.push(shift),
            Err(error) => report.add(text.at, error.to_string()),
        }
    }
    let skills = section.texts("skills", report);
    section.finish(report);
    Some(PersonAsWritten { name: name?, shifts, skills })
}

pub(super) fn webhook(mut section: Section<'_>, folder: &Path, report: &mut Report<'_>) -> Option<Webhook> {
    let url = section.needed_text("url", report);
    let url = url.filter(|url| is_web_address(url, report));
    let secret_file = section.needed_text("secret_file", report);
    let secret = secret_file.and_then(|file| secret(&file, folder, report));
    let events = section.texts("events", report);
    for event in events.iter().flatten() {
        if !is_event_pattern(&event.value) {
            let text = format!("\"{}\" matches no event; write one like order.* or *", event.value);
            report.add(event.at, text);
        }
    }
    section.finish(report);
    let events = events.map_or(vec!["*".to_owned()], |events| events.into_iter().map(|e| e.value).collect());
    Some(Webhook { url: url?.value, secret: secret?, events })
}

fn is_web_address(url: &At<String>, report: &mut Report<'_>) -> bool {
    let parsed = reqwest::Url::parse(&url.value).ok();
    let fits = parsed.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !fits {
        report.add(url.at, format!("\"{}\" is not a web address; write http://… or https://…", url.value));
    }
    fits
}

/// Reads a signing key as Standard Webhooks writes it: `whsec_` and base64 of 24 to 64 bytes.
fn secret(file: &At<String>, folder: &Path, report: &mut Report<'_>) -> Option<Secret> {
    let path = folder.join(&file.value);
    let text = match read_bounded(&path) {
        Ok(text) => text,
        Err(error) => {
            report.add(file.at, format!("the secret file {} can't be read ({error})", path.display()));
            return None;
        }
    };
    let key = parse_secret(&text);
    if key.is_none() {
        // The text of the file must not get into a message.
        let text = format!("{} holds no key; it must be whsec_ and base64 of 24 to 64 bytes", path.display());
        report.add(file.at, text);
    }
    key.map(Secret)
}

fn is_event_pattern(pattern: &str) -> bool {
    let words: Vec<&str> = pattern.split('.').collect();
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    words.iter().enumerate().all(|(i, word)| is_word(word) || (*word == "*" && i + 1 == words.len()))
}

pub(super) fn simulation(mut section: Section<'_>, report: &mut Report<'_>) -> Option<Simulation> {
    let speed = section.needed_whole("speed", (1, 1_000_000), report);
    let started_at = section.time("started_at", report).and_then(|at| timestamp(&at, report));
    let started_real = section.time("started_real", report).and_then(|at| timestamp(&at, report));
    section.finish(report);
    let speed = u32::try_from(speed?.value).ok()?;
    Some(Simulation { speed, started_at: started_at?, started_real: started_real? })
}

fn timestamp(text: &At<String>, report: &mut Report<'_>) -> Option<Timestamp> {
    Timestamp::parse(&text.value).map_err(|error| report.add(text.at, error)).ok()
}

pub(super) fn limits(mut section: Section<'_>, report: &mut Report<'_>) -> Limits {
    let mut bytes = |key, usual: u64, report: &mut Report<'_>| {
        let value = section.whole(key, (0, i64::MAX), report);
        value.and_then(|value| u64::try_from(value.value).ok()).unwrap_or(usual)
    };
    let limits = Limits {
        design_max_bytes: bytes("design_max_bytes", Limits::USUAL.design_max_bytes, report),
        order_max_bytes: bytes("order_max_bytes", Limits::USUAL.order_max_bytes, report),
        disk_reserve_bytes: bytes("disk_reserve_bytes", Limits::USUAL.disk_reserve_bytes, report),
    };
    section.finish(report);
    limits
}

pub(super) fn panel(mut section: Section<'_>, report: &mut Report<'_>) -> Panel {
    let open_on_loopback = section.flag("open_on_loopback", report).unwrap_or(false);
    section.finish(report);
    Panel { open_on_loopback }
}

/// A name that stands in addresses and logs.
fn slug(key: &'static str, section: &mut Section<'_>, report: &mut Report<'_>) -> Option<At<String>> {
    let name = section.needed_text(key, report)?;
    if is_slug(&name.value) {
        return Some(name);
    }
    report.add(name.at, format!("\"{}\" is not a name; use a-z, 0-9 and -, a letter first", name.value));
    None
}
