//! How the firmware of a simulated printer was built.

/// The options that a host can notice.
#[derive(Debug, Clone)]
pub struct Firmware {
    /// `ADVANCED_OK`: each `ok` says its line and the free places.
    pub advanced_ok: bool,
    /// `BUFSIZE`: lines that wait to be executed.
    pub command_lines: usize,
    /// `RX_BUFFER_SIZE`; what comes while it is full is lost.
    pub receive_bytes: usize,
    /// `EMERGENCY_PARSER`.
    pub emergency_parser: EmergencyParser,
    /// `AUTO_REPORT_TEMPERATURES`.
    pub reports_temperatures: bool,
    /// `MACHINE_NAME`.
    pub machine: String,
}

/// Whether `M108` and `M112` are seen while a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmergencyParser {
    /// They are.
    Works,
    /// The firmware says so and does not.
    IsClaimed,
    /// It doesn't say so.
    Lacks,
}

impl Default for Firmware {
    /// Stock firmware of an 8 bit board with the emergency parser, which is what hosts hope for.
    fn default() -> Self {
        Self {
            advanced_ok: false,
            command_lines: 4,
            receive_bytes: 128,
            emergency_parser: EmergencyParser::Works,
            reports_temperatures: false,
            machine: "Simulated".into(),
        }
    }
}

impl Firmware {
    /// The firmware whose answers were recorded: `ADVANCED_OK`, `BUFSIZE` 32.
    #[must_use]
    pub fn advanced() -> Self {
        Self {
            advanced_ok: true,
            command_lines: 32,
            receive_bytes: 1024,
            reports_temperatures: true,
            ..Self::default()
        }
    }

    pub(super) fn capabilities(&self) -> Vec<String> {
        let parses = self.emergency_parser != EmergencyParser::Lacks;
        let of = |name: &str, has: bool| format!("Cap:{name}:{}", u8::from(has));
        vec![
            of("EEPROM", false),
            of("AUTOREPORT_TEMP", self.reports_temperatures),
            of("EMERGENCY_PARSER", parses),
            of("SDCARD", true),
        ]
    }
}
