//! The serial ports of this machine, with names that stay the same when plugs are moved or pulled.
//!
//! `/dev/serial/by-id` names the device and is right where its chip has a serial number. Many chips (CH340,
//! PL2303) have none: all of them share one such name and the last one plugged in has it. There the name of the
//! USB socket (`/dev/serial/by-path`) is the stable one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Ports with these names are real; the rest of `/sys/class/tty` are terminals.
const NAMES: &[&str] = &["ttyUSB", "ttyACM", "ttyAMA", "ttyXRUSB", "rfcomm"];

/// How far above a tty its USB device lies at most.
const PARENTS_MAX: usize = 6;

/// One serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPort {
    /// What the kernel calls it now: `/dev/ttyUSB0`.
    pub path: String,
    /// Its link in `/dev/serial/by-id`.
    pub by_id: Option<String>,
    /// Its link in `/dev/serial/by-path`.
    pub by_path: Option<String>,
    /// `vendor:product` and the names that the chip gives, if it is on USB.
    pub usb: Option<Usb>,
}

/// What a USB chip says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usb {
    /// `vendor:product` in hexadecimal.
    pub ids: String,
    /// Manufacturer and product.
    pub name: String,
    /// Its serial number, if it has one.
    pub serial: Option<String>,
}

impl FoundPort {
    /// The name to write into the shop file.
    #[must_use]
    pub fn stable(&self) -> &str {
        let has_serial = self.usb.as_ref().is_some_and(|usb| usb.serial.is_some());
        let by_id = self.by_id.as_deref().filter(|_| has_serial);
        by_id.or(self.by_path.as_deref()).unwrap_or(&self.path)
    }
}

/// The ports below a root directory, `/` but for tests; sorted by what the kernel calls them.
///
/// # Errors
/// If `sys/class/tty` can't be read.
pub fn list(root: &Path) -> io::Result<Vec<FoundPort>> {
    let (by_id, by_path) = (links(root, "dev/serial/by-id"), links(root, "dev/serial/by-path"));
    let mut ports = Vec::new();
    for entry in fs::read_dir(root.join("sys/class/tty"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if NAMES.iter().any(|known| name.starts_with(known)) {
            ports.push(FoundPort {
                by_id: by_id.get(&name).cloned(),
                by_path: by_path.get(&name).cloned(),
                usb: usb_of(&entry.path().join("device")),
                path: format!("/dev/{name}"),
            });
        }
    }
    ports.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(ports)
}

/// Links of a folder, by what they point to. Of several the first by name.
fn links(root: &Path, folder: &str) -> BTreeMap<String, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    for entry in fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
        let target = fs::read_link(entry.path()).ok();
        let target = target.as_deref().and_then(Path::file_name);
        if let Some(target) = target {
            let link = format!("/{folder}/{}", entry.file_name().to_string_lossy());
            found.push((target.to_string_lossy().into_owned(), link));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().collect()
}

/// The USB device lies some folders above the tty.
fn usb_of(device: &Path) -> Option<Usb> {
    let mut folder: PathBuf = fs::canonicalize(device).ok()?;
    for _ in 0..PARENTS_MAX {
        if let Some(vendor) = attribute(&folder, "idVendor") {
            let product = attribute(&folder, "idProduct").unwrap_or_default();
            let names = ["manufacturer", "product"].into_iter().filter_map(|name| attribute(&folder, name));
            return Some(Usb {
                ids: format!("{vendor}:{product}"),
                name: names.collect::<Vec<_>>().join(" "),
                serial: attribute(&folder, "serial"),
            });
        }
        folder = folder.parent()?.to_owned();
    }
    None
}

/// A line of text in sysfs; what a device says of itself is cleaned of control characters.
fn attribute(folder: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join(name)).ok()?;
    let text: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A board with a serial number, and two with chips that have none, as udev shows them.
    fn machine() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for folder in ["dev/serial/by-id", "dev/serial/by-path", "sys/class/tty/tty0"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        let boards =
            [("ttyACM0", "1d50", Some("2600AB")), ("ttyUSB0", "1a86", None), ("ttyUSB1", "1a86", None)];
        for (name, vendor, serial) in boards {
            let usb = format!("sys/devices/usb/{name}");
            fs::create_dir_all(at(&format!("{usb}/1.0/tty"))).unwrap();
            fs::write(at(&format!("{usb}/idVendor")), format!("{vendor}\n")).unwrap();
            fs::write(at(&format!("{usb}/idProduct")), "7523\n").unwrap();
            fs::write(at(&format!("{usb}/product")), "USB\u{7} Serial\n").unwrap();
            if let Some(serial) = serial {
                fs::write(at(&format!("{usb}/serial")), serial).unwrap();
            }
            fs::create_dir_all(at(&format!("sys/class/tty/{name}"))).unwrap();
            symlink(at(&format!("{usb}/1.0/tty")), at(&format!("sys/class/tty/{name}/device"))).unwrap();
            symlink(format!("../../{name}"), at(&format!("dev/serial/by-path/pci-{name}"))).unwrap();
        }
        symlink("../../ttyACM0", at("dev/serial/by-id/usb-Board_2600AB-if00")).unwrap();
        symlink("../../ttyUSB1", at("dev/serial/by-id/usb-1a86_USB_Serial-if00-port0")).unwrap();
        root
    }

    #[test]
    fn a_chip_with_a_serial_number_is_named_by_it_and_one_without_by_its_socket() {
        let root = machine();
        let ports = list(root.path()).unwrap();

        let stable: Vec<&str> = ports.iter().map(FoundPort::stable).collect();
        assert_eq!(
            stable,
            [
                "/dev/serial/by-id/usb-Board_2600AB-if00",
                "/dev/serial/by-path/pci-ttyUSB0",
                "/dev/serial/by-path/pci-ttyUSB1"
            ]
        );
        let usb = ports[1].usb.as_ref().unwrap();
        assert_eq!((usb.ids.as_str(), usb.name.as_str(), &usb.serial), ("1a86:7523", "USB Serial", &None));
    }
}
