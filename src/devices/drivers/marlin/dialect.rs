//! What firmware families do otherwise than Marlin, as data.

use serde::de::{Deserialize, Deserializer, Error};

/// One family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// What the shop file calls it.
    pub name: &'static str,
    /// What it calls itself in its answer to `M115`.
    pub calls_itself: &'static str,
    /// It checks line numbers and checksums. Where it doesn't, a line is never sent twice, and only a line that
    /// loses nothing (a pty on the same machine) will do.
    pub checks_lines: bool,
    /// After an error (`!!`) it goes on with the next line, and answers `ok` to what it didn't do.
    pub goes_on_after_errors: bool,
}

/// Marlin and all that follow it: numbers, checksums, `Resend`.
const MARLIN: Dialect =
    Dialect { name: "marlin", calls_itself: "", checks_lines: true, goes_on_after_errors: false };

/// All families. Klipper was measured: `N` and `*` are taken and never checked, and `ok` is no proof.
/// RepRapFirmware's serial console follows its manual: numbers and checksums are checked, `resend:` is small.
const DIALECTS: &[Dialect] = &[
    Dialect { name: "klipper", calls_itself: "Klipper", checks_lines: false, goes_on_after_errors: true },
    MARLIN,
    Dialect {
        name: "reprapfirmware",
        calls_itself: "RepRapFirmware",
        checks_lines: true,
        goes_on_after_errors: false,
    },
];

impl Default for Dialect {
    fn default() -> Self {
        MARLIN
    }
}

impl Dialect {
    /// The family that a firmware belongs to by its answer to `M115`, where it differs from Marlin.
    pub(super) fn of_answer(answer: &str) -> Self {
        let (_, name) = answer.split_once("FIRMWARE_NAME:").unwrap_or_default();
        let name = name.trim_start();
        let of =
            |dialect: &&Dialect| !dialect.calls_itself.is_empty() && name.starts_with(dialect.calls_itself);
        DIALECTS.iter().find(of).copied().unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for Dialect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl TryFrom<String> for Dialect {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = || DIALECTS.iter().map(|dialect| dialect.name).collect::<Vec<_>>().join(", ");
        let found = DIALECTS.iter().find(|dialect| dialect.name == name).copied();
        found.ok_or_else(|| format!("there is no dialect \"{name}\": use one of {}", known()))
    }
}
