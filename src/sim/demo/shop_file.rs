//! The shop file of the demonstration.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Demo;
use super::receiver::Receiver;
use crate::clock::Clock;
use crate::units::Timestamp;

/// The simulated devices: station and kind.
pub(super) const DEVICES: [(&str, &str); 3] =
    [("resin-1", "chitu"), ("resin-2", "chitu"), ("wax-1", "marlin")];

/// Where the links to the pseudo-terminals lie, and what the machines record.
pub(super) fn devices_dir(data_dir: &Path) -> anyhow::Result<PathBuf> {
    let folder = data_dir.join("devices");
    std::fs::create_dir_all(&folder)?;
    Ok(std::path::absolute(folder)?)
}

/// Writes the shop file into the data directory.
pub(super) fn write(demo: &Demo, receiver: &Receiver, at: Timestamp) -> anyhow::Result<PathBuf> {
    let devices = devices_dir(&demo.data_dir)?;
    let mut text = head(demo, at);
    for (name, driver) in DEVICES {
        let port = devices.join(name);
        let (profile, material) =
            if driver == "marlin" { ("marlin-wax", "polycast") } else { ("elegoo-mars-4", "bluecast-x-one") };
        text += &format!(
            "[[line]]\nname = \"usb-{name}\"\nport = {port:?}\n\n[[station]]\nname = \"{name}\"\ndriver = \"{driver}\"\n\
             profile = \"{profile}\"\nmaterial = \"{material}\"\nline = \"usb-{name}\"\n\n"
        );
    }
    text += HAND_WORK;
    text += &format!(
        "[[webhook]]\nurl = \"{}\"\nsecret_file = {:?}\nevents = [\"order.*\", \"piece.*\"]\n",
        receiver.url(),
        std::path::absolute(receiver.secret_file())?
    );
    let path = demo.data_dir.join("workshop.toml");
    std::fs::write(&path, text).with_context(|| format!("can't write {}", path.display()))?;
    Ok(path)
}

fn head(demo: &Demo, at: Timestamp) -> String {
    format!(
        "# Written anew at each start of `sprue demo`.\n[workshop]\nname = \"Demonstration atelier\"\n\
         time_zone = \"Europe/Berlin\"\nlisten = \"{}\"\ndata_dir = \".\"\nrouting = \"direct-resin-cast\"\n\n\
         [simulation]\nspeed = {}\nstarted_at = \"{at}\"\nstarted_real = \"{}\"\n\n\
         [panel]\nopen_on_loopback = true\n\n",
        demo.listen,
        demo.speed,
        Clock::system_time()
    )
}

/// Two people in two shifts, every day: the weeks before the holidays.
const HAND_WORK: &str = r#"[[station]]
name = "wash-1"
driver = "manual"
abilities = ["wash", "dry", "cure"]

[[station]]
name = "kiln-1"
driver = "manual"
abilities = ["burnout"]
capacity = 4

[[station]]
name = "casting-1"
driver = "manual"
abilities = ["invest", "set", "cast", "quench", "divest"]

[[station]]
name = "bench-1"
driver = "manual"

[[person]]
name = "Technician A"
shifts = ["daily 06:00-14:30"]

[[person]]
name = "Technician B"
shifts = ["daily 13:30-22:00"]

"#;
