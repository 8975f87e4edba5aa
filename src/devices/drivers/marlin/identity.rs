//! What a printer says of itself in its answer to `M115`: which machine it is, and what it can do.

/// Of a name, so much is kept.
const NAME_CHARS: usize = 64;

/// What the firmware says it can do.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Abilities {
    /// It sends temperatures by itself (`M155`).
    pub(super) reports_temperatures: bool,
    /// It sees `M108` and `M112` while a command runs. Some say so and don't: the effect is always asked for.
    pub(super) parses_emergencies: bool,
}

impl Abilities {
    /// Takes one `Cap:` line.
    pub(super) fn note(&mut self, name: &str, has: bool) {
        match name {
            "AUTOREPORT_TEMP" => self.reports_temperatures = has,
            "EMERGENCY_PARSER" => self.parses_emergencies = has,
            _ => {}
        }
    }
}

/// The name by which a machine is known again: its `UUID`, or else its `MACHINE_TYPE`, or else its
/// `FIRMWARE_NAME`. Versions are left out, so that new firmware doesn't make another machine.
#[must_use]
pub fn machine_of(answer: &str) -> String {
    let name = field(answer, "UUID:")
        .filter(|uuid| uuid.chars().any(|c| c.is_ascii_hexdigit() && c != '0'))
        .or_else(|| field(answer, "MACHINE_TYPE:"))
        .or_else(|| field(answer, "FIRMWARE_NAME:"))
        .unwrap_or_default();
    name.chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect()
}

/// A value may hold blanks and ends where the next `KEY:` begins.
fn field<'a>(answer: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = answer.split_once(key)?;
    let is_key = |word: &str| {
        word.split_once(':').is_some_and(|(name, _)| {
            name.len() > 2 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        })
    };
    let mut end = 0;
    for word in rest.split_inclusive(' ') {
        if is_key(word) {
            break;
        }
        end += word.len();
    }
    rest.get(..end).map(str::trim).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_known_by_its_uuid_or_type_and_not_by_its_version() {
        let answer = "FIRMWARE_NAME:Marlin 2.0.8 (Nov 1 2020) SOURCE_CODE_URL:github.com/x PROTOCOL_VERSION:1.0 \
                      MACHINE_TYPE:Ender 3 Pro EXTRUDER_COUNT:1 UUID:cede2a2f-41a2-4748-9b12-c55c62f367ff";
        assert_eq!(machine_of(answer), "cede2a2f-41a2-4748-9b12-c55c62f367ff");
        let anonymous =
            answer.replace("cede2a2f-41a2-4748-9b12-c55c62f367ff", "00000000-0000-0000-0000-000000000000");
        assert_eq!(machine_of(&anonymous), "Ender 3 Pro");
        assert_eq!(machine_of("FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v0.13"), "Klipper");
        assert_eq!(machine_of("FIRMWARE_NAME:"), "");
    }
}
