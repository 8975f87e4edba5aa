//! G-code over a serial line with line numbers and checksums, and the replies of Marlin-like firmware.
//!
//! Sources: Marlin `queue.cpp` (number first, then checksum; XOR of all bytes before `*`), and the reply forms
//! of Marlin, Repetier, Prusa and ChiTu firmware as recorded from real boards.

use sprue_station_protocol::Celsius;

use crate::devices::session::Temperature;

mod card;

/// The longest line a stock Marlin takes, with number and checksum (`MAX_CMD_SIZE` 96, with its end mark).
pub const COMMAND_BYTES_MAX: usize = 95;

/// Readings outside this range are garbled digits, not temperatures of a printer.
const CREDIBLE_CELSIUS: std::ops::RangeInclusive<f32> = -60.0..=600.0;

/// Names of sensors that a temperature line may have.
const TEMPERATURES_MAX: usize = 16;

/// What firmware says.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// A command was taken (and, for most, done).
    Ok {
        /// The number it confirms, if the firmware says it.
        line: Option<u32>,
        /// Free places in its line buffer, if the firmware says it.
        free: Option<u32>,
        /// Temperatures that came with it.
        temperatures: Vec<Temperature>,
    },
    /// It wants this line next.
    Resend(i64),
    /// It works on a long command.
    Busy,
    /// It waits for a person at the printer.
    PausedForUser,
    /// It has nothing to do (Repetier).
    Wait,
    /// It has just been switched on or reset.
    Start,
    /// It has stopped for good; only a power cycle helps.
    Fatal(String),
    /// It complains; a resend or an ok may follow.
    Error(String),
    /// Temperatures by themselves.
    Temperatures(Vec<Temperature>),
    /// The answer to `M114`.
    Position(String),
    /// The answer to `M115`.
    Firmware(String),
    /// One line of what it can do: `Cap:EMERGENCY_PARSER:1`.
    Capability {
        /// Its name.
        name: String,
        /// Whether it can.
        has: bool,
    },
    /// It moves on without pushing material, since the nozzle is too cold.
    ColdExtrusion,
    /// What its card says.
    Card(Card),
    /// A button at the printer, or something it wants the host to do.
    Action(String),
    /// A few characters that are no reply: most likely a mangled `ok`.
    Mangled,
    /// Anything else.
    Other,
}

/// What firmware says of its card and the files on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Card {
    /// `Writing to file: NAME`: lines are stored from now on.
    Writing,
    /// `Done saving file.`
    Saved,
    /// The file can't be opened.
    OpenFailed,
    /// No card, or it broke.
    Failed(String),
    /// The list of files begins.
    ListBegins,
    /// A file of the list, with its size.
    File {
        /// Its name, in capitals.
        name: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The list is complete.
    ListEnds,
    /// `File opened: NAME Size: N`.
    Opened {
        /// Its name, in capitals.
        name: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// `SD printing byte A/B`.
    Printing {
        /// Bytes read.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// `Not SD printing`, also while paused.
    Idle,
    /// `Current file: NAME`; none if no file is open.
    Current(Option<String>),
    /// `Done printing file`.
    Done,
}

/// A line as it goes over the wire: `N<number> <text>*<checksum>`.
#[must_use]
pub fn encode(number: u32, text: &str) -> Vec<u8> {
    let mut line = format!("N{number} {text}").into_bytes();
    let checksum = line.iter().fold(0, |sum, byte| sum ^ byte);
    line.extend(format!("*{checksum}\n").into_bytes());
    line
}

/// Reads one line of a reply.
#[must_use]
pub fn parse(line: &str) -> Reply {
    if let Some(rest) = line.strip_prefix("ok").filter(|rest| rest.is_empty() || rest.starts_with(' ')) {
        return Reply::Ok {
            line: confirmed_line(rest),
            free: free_lines(rest),
            temperatures: temperatures(rest),
        };
    }
    let resend = ["Resend:", "resend:", "rs "].into_iter().find_map(|word| line.strip_prefix(word));
    if let Some(rest) = resend {
        let number = rest.trim().trim_start_matches('N');
        return number.parse().map_or(Reply::Mangled, Reply::Resend);
    }
    if line.contains("busy: paused for") {
        return Reply::PausedForUser;
    }
    if line.contains("busy:") {
        return Reply::Busy;
    }
    if line == "start" {
        return Reply::Start;
    }
    if line == "wait" {
        return Reply::Wait;
    }
    parse_text(line)
}

fn parse_text(line: &str) -> Reply {
    if let Some(action) = line.strip_prefix("//action:") {
        return Reply::Action(action.trim().to_owned());
    }
    if line.contains("FIRMWARE_NAME:") {
        return Reply::Firmware(line.to_owned());
    }
    if let Some((name, value)) = line.strip_prefix("Cap:").and_then(|cap| cap.rsplit_once(':')) {
        return Reply::Capability { name: name.to_owned(), has: value.trim() == "1" };
    }
    if line.contains("Unknown command:") {
        return Reply::Other;
    }
    if line.to_ascii_lowercase().contains("cold extrusion prevented") {
        return Reply::ColdExtrusion;
    }
    if let Some(card) = card::parse(line.strip_prefix("echo:").unwrap_or(line)) {
        return Reply::Card(card);
    }
    if line.starts_with("echo:") {
        return Reply::Other;
    }
    if is_fatal(line) {
        return Reply::Fatal(line.to_owned());
    }
    if let Some(text) = line.strip_prefix("Error:") {
        return Reply::Error(text.trim().to_owned());
    }
    if line.starts_with("X:") && line.contains("Y:") && line.contains("Z:") {
        return Reply::Position(line.to_owned());
    }
    let temperatures = temperatures(line);
    if !temperatures.is_empty() {
        return Reply::Temperatures(temperatures);
    }
    if line.chars().count() <= 8 { Reply::Mangled } else { Reply::Other }
}

/// Texts after which Marlin has killed itself, or shouts that it will. Some come over two lines.
fn is_fatal(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    let marks = [
        "kill() called",
        "printer halted",
        "mintemp triggered",
        "maxtemp triggered",
        "thermal runaway",
        "heating failed",
        "heater_id",
        "temp runaway",
        "thermal malfunction",
    ];
    // RepRapFirmware: "Error: Heater 1 fault: temperature excursion exceeded 15.0".
    let is_heater_fault = lower
        .strip_prefix("error:")
        .is_some_and(|text| text.trim_start().starts_with("heater") && text.contains("fault"));
    is_heater_fault
        || lower.starts_with("!!")
        || lower.starts_with("fatal:")
        || marks.iter().any(|mark| lower.contains(mark))
}

/// `ok N3 P14 B31`, `ok 9`, `ok // N27`.
fn confirmed_line(rest: &str) -> Option<u32> {
    rest.split_whitespace().find_map(|word| {
        let digits = word.strip_prefix('N').unwrap_or(word);
        digits.parse().ok()
    })
}

/// The `B` of `ok N3 P14 B31`; only behind a `P`, since a temperature is called `B` too.
fn free_lines(rest: &str) -> Option<u32> {
    let mut words = rest.split_whitespace().skip_while(|word| !word.starts_with('P'));
    words.next()?.strip_prefix('P')?.parse::<u32>().ok()?;
    words.next()?.strip_prefix('B')?.parse().ok()
}

/// `T:19.37 /0.00 B:19.37 /0.00 @:0`, `T0:20.1/0.0`, `B:1/2`; what isn't credible is left out.
fn temperatures(text: &str) -> Vec<Temperature> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let Some((name, value)) = word.split_once(':') else { continue };
        if !is_sensor(name) || found.len() == TEMPERATURES_MAX {
            continue;
        }
        let (actual, target) = match value.split_once('/') {
            Some((actual, target)) => (actual, Some(target)),
            None => (value, words.get(index + 1).and_then(|next| next.strip_prefix('/'))),
        };
        if let Some(actual) = celsius(actual) {
            found.push(Temperature { sensor: name.to_owned(), actual, target: target.and_then(celsius) });
        }
    }
    found
}

fn is_sensor(name: &str) -> bool {
    let mut letters = name.chars();
    matches!(letters.next(), Some('T' | 'B' | 'C')) && letters.all(|c| c.is_ascii_digit()) && name.len() <= 3
}

fn celsius(text: &str) -> Option<Celsius> {
    let value: f32 = text.parse().ok()?;
    CREDIBLE_CELSIUS.contains(&value).then_some(Celsius(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_carry_number_and_checksum_like_the_recorded_hello() {
        assert_eq!(encode(0, "M110 N0"), b"N0 M110 N0*125\n");
    }

    #[test]
    fn recorded_replies_are_understood() {
        let ok = |line| Reply::Ok { line, free: None, temperatures: Vec::new() };
        let ok_with_room = |line| Reply::Ok { line, free: Some(31), temperatures: Vec::new() };
        assert_eq!(parse("ok"), ok(None));
        assert_eq!(parse("ok N3 P14 B31"), ok_with_room(Some(3)));
        assert_eq!(parse("ok P15 B31"), ok_with_room(None));
        assert_eq!(parse("resend: 6"), Reply::Resend(6));
        assert_eq!(
            parse("Cap:EMERGENCY_PARSER:1"),
            Reply::Capability { name: "EMERGENCY_PARSER".into(), has: true }
        );
        assert_eq!(parse("echo: cold extrusion prevented"), Reply::ColdExtrusion);
        assert!(matches!(
            parse("Error: Heater 1 fault: temperature excursion exceeded 15.0"),
            Reply::Fatal(_)
        ));
        assert_eq!(parse("ok 9"), ok(Some(9)));
        assert_eq!(parse("ok // N27"), ok(Some(27)));
        assert_eq!(parse("Resend: 6"), Reply::Resend(6));
        assert_eq!(parse("Resend:-1"), Reply::Resend(-1));
        assert_eq!(parse("rs N12"), Reply::Resend(12));
        assert_eq!(parse("echo:busy: processing"), Reply::Busy);
        assert_eq!(parse("echo:busy: paused for user"), Reply::PausedForUser);
        assert_eq!(parse("k"), Reply::Mangled);
        assert_eq!(parse("okT"), Reply::Mangled);
        assert_eq!(parse("echo:Unknown command: \"kill() called\""), Reply::Other);
        assert!(matches!(parse("Error:Printer halted. kill() called!"), Reply::Fatal(_)));
        assert!(matches!(parse(": Extruder switched off. MINTEMP triggered !"), Reply::Fatal(_)));
        assert!(matches!(parse("Error:checksum mismatch, Last Line: 5"), Reply::Error(_)));
        assert!(matches!(parse("X:78.01 Y:51.34 Z:5.00 E:0.00 Count X:6241"), Reply::Position(_)));
    }

    #[test]
    fn temperatures_are_read_in_all_their_forms_and_nonsense_is_left_out() {
        let Reply::Ok { temperatures, .. } = parse("ok T:19.37 /0.00 B:60/55.5 T0:nan T1:9999 @:0 B@:0")
        else {
            panic!("not an ok")
        };
        assert_eq!(
            temperatures,
            [
                Temperature { sensor: "T".into(), actual: Celsius(19.37), target: Some(Celsius(0.0)) },
                Temperature { sensor: "B".into(), actual: Celsius(60.0), target: Some(Celsius(55.5)) },
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }
    }
}
