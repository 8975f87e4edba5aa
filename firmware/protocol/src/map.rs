//! The registers of our own station board, version 1: one heater, one thermocouple, one safety contactor.
//!
//! ```text
//!  REPORT, read only            from 0x0000, 16 registers, read in one exchange
//!   0  1  magic "SPRU"           5  state            10  ceiling in force, 0.1 degC
//!   2     map version            6  fault code       11  heater output, 0.1 %
//!   3     firmware major.minor   7  fault number     12  lease left, ms
//!   4     nonce, as written      8  reading, 0.1 degC  13 14  uptime, s, high word first
//!                                9  setpoint, 0.1 degC   15  inputs: bit 0 door open
//!  COMMAND, write               from 0x0020: 0 nonce  1 lease, ms  2 mode  3 setpoint  4 ceiling
//!  ACKNOWLEDGE, write           at   0x0028: the fault number
//! ```
//!
//! RTU can't tell a late answer from the right one. Therefore every exchange is function 23: it writes a new
//! nonce and reads the report that repeats it. The same write renews the lease without which the heater is
//! off. Writing the nonce alone looks without commanding.
//!
//! The layout of a released version never changes (`tests/v1.rs` holds its bytes). A later version appends.

use core::fmt;

use crate::Celsius;
use crate::modbus::Unit;
use crate::modbus::Words;
use crate::modbus::master::{BadRequest, Request};

/// This version of the map.
pub const VERSION: u16 = 1;
/// First register of the report.
pub const REPORT_ADDRESS: u16 = 0x0000;
/// Registers of the report.
pub const REPORT_COUNT: u16 = 16;
/// First register of the command; it is written whole or not at all.
pub const COMMAND_ADDRESS: u16 = 0x0020;
/// Registers of the command.
pub const COMMAND_COUNT: u16 = 5;
/// The register that takes the number of the fault a person has acknowledged.
pub const ACKNOWLEDGE_ADDRESS: u16 = 0x0028;
/// Longest time one command keeps the heater on. Source: safety list of the station firmware, row 13.
pub const LEASE_MS_MAX: u16 = 5_000;

const MAGIC: [u16; 2] = [0x5350, 0x5255];
/// In place of a temperature: there is none.
const NO_TEMPERATURE: u16 = 0x8000;
const MODE_OFF: u16 = 0;
const MODE_HOLD: u16 = 1;

/// What the board is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Heater and contactor are off. A fresh command may start it.
    Off,
    /// A fresh command holds a setpoint; the contactor is closed.
    Holding,
    /// A fault was found. Off until a person acknowledges it and its cause is gone.
    Tripped(Fault),
}

/// Why a board tripped. Codes are appended, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 1: the thermocouple or its converter fails, or is silent.
    Sensor,
    /// 2: the reading reached the ceiling.
    Ceiling,
    /// 3: the reading rises faster than a kiln can.
    RisesTooFast,
    /// 4: full power brings no heat: element, fuse or relay.
    NoRise,
    /// 5: the reading falls under power: the thermocouple left the kiln.
    FallsUnderPower,
    /// 6: far above the setpoint.
    OverSetpoint,
    /// 7: it heats while the heater is commanded off: a welded relay.
    HeatsWhileOff,
    /// 8: an output could not be driven.
    Output,
    /// 9: the time of the board ran backwards.
    Clock,
}

impl Fault {
    /// Every fault, in the order of the codes.
    pub const ALL: [Self; 9] = [
        Self::Sensor,
        Self::Ceiling,
        Self::RisesTooFast,
        Self::NoRise,
        Self::FallsUnderPower,
        Self::OverSetpoint,
        Self::HeatsWhileOff,
        Self::Output,
        Self::Clock,
    ];

    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Sensor => 1,
            Self::Ceiling => 2,
            Self::RisesTooFast => 3,
            Self::NoRise => 4,
            Self::FallsUnderPower => 5,
            Self::OverSetpoint => 6,
            Self::HeatsWhileOff => 7,
            Self::Output => 8,
            Self::Clock => 9,
        }
    }

    /// The fault of a code.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.code() == code)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sensor => "the thermocouple gives no reading: check its plug and wiring",
            Self::Ceiling => {
                "the kiln reached its ceiling: keep the door shut, let it cool, then check the program"
            }
            Self::RisesTooFast => {
                "the reading rises faster than a kiln can: check the thermocouple for a loose contact"
            }
            Self::NoRise => "full power brings no heat: check the element, the fuse and the relay",
            Self::FallsUnderPower => {
                "the reading falls under power: check that the thermocouple is in the kiln"
            }
            Self::OverSetpoint => {
                "the kiln is far above its setpoint: switch the mains off and check the relay"
            }
            Self::HeatsWhileOff => {
                "the kiln heats while switched off: switch the mains off, the relay is welded"
            }
            Self::Output => "the board cannot drive its outputs: switch the mains off and replace the board",
            Self::Clock => "the clock of the board ran backwards: restart the board",
        })
    }
}

/// What the daemon wants of the heater.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Want {
    /// No heat.
    Off,
    /// Hold this temperature.
    Hold(Celsius),
}

/// One command. It is obeyed until its lease ends, and no longer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Command {
    /// Another number for each exchange.
    pub nonce: u16,
    /// How long it stays valid, 1 to `LEASE_MS_MAX`.
    pub lease_ms: u16,
    /// What is wanted.
    pub want: Want,
    /// A ceiling for this work. It can only lower the one built into the board.
    pub ceiling: Celsius,
}

impl Command {
    /// The registers of the command. `None` if a temperature can't be written in 0.1 degC.
    #[must_use]
    pub fn encode(&self) -> Option<[u16; COMMAND_COUNT as usize]> {
        let (mode, setpoint) = match self.want {
            Want::Off => (MODE_OFF, NO_TEMPERATURE),
            Want::Hold(setpoint) => (MODE_HOLD, encode_celsius(setpoint)?),
        };
        Some([self.nonce, self.lease_ms, mode, setpoint, encode_celsius(self.ceiling)?])
    }

    /// Reads a command. `None` if it is not whole or makes no sense; then nothing of it may be obeyed.
    #[must_use]
    pub fn decode(words: Words<'_>) -> Option<Self> {
        if words.len() != usize::from(COMMAND_COUNT) {
            return None;
        }
        let (nonce, lease_ms) = (words.get(0)?, words.get(1)?);
        let want = match (words.get(2)?, words.get(3)?) {
            (MODE_OFF, NO_TEMPERATURE) => Want::Off,
            (MODE_HOLD, setpoint) => Want::Hold(decode_celsius(setpoint)?),
            _ => return None,
        };
        let lease_holds = (1..=LEASE_MS_MAX).contains(&lease_ms);
        lease_holds.then_some(Self { nonce, lease_ms, want, ceiling: decode_celsius(words.get(4)?)? })
    }

    /// The exchange: this command is written, the report is read.
    ///
    /// # Errors
    /// `BadExchange::Temperature` if a temperature can't be written.
    pub fn exchange(&self, unit: Unit) -> Result<Request, BadExchange> {
        let words = self.encode().ok_or(BadExchange::Temperature)?;
        read_report_after(unit, &words)
    }
}

/// The exchange that only looks: the lease is not renewed.
///
/// # Errors
/// None in practice; the counts of the map are within the limits of the protocol.
pub fn look(unit: Unit, nonce: u16) -> Result<Request, BadExchange> {
    read_report_after(unit, &[nonce])
}

/// The write that acknowledges the fault with this number.
#[must_use]
pub fn acknowledge(unit: Unit, fault_number: u16) -> Request {
    Request::write_register(unit, ACKNOWLEDGE_ADDRESS, fault_number)
}

fn read_report_after(unit: Unit, words: &[u16]) -> Result<Request, BadExchange> {
    Request::read_write(unit, REPORT_ADDRESS, REPORT_COUNT, COMMAND_ADDRESS, words)
        .map_err(BadExchange::Request)
}

/// Why no exchange could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadExchange {
    /// A temperature is not a number or beyond what 0.1 degC steps in 16 bits hold.
    Temperature,
    /// The request breaks a limit of the protocol.
    Request(BadRequest),
}

impl fmt::Display for BadExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Temperature => f.write_str("a temperature is outside -3276.7 to 3276.7 degrees"),
            Self::Request(_) => f.write_str("the exchange does not fit into one request"),
        }
    }
}

impl core::error::Error for BadExchange {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Temperature => None,
            Self::Request(source) => Some(source),
        }
    }
}

/// All that a board says about itself, as of one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report {
    /// Version of the firmware: major, minor.
    pub firmware: (u8, u8),
    /// The nonce written last.
    pub nonce: u16,
    /// What it is doing.
    pub state: State,
    /// Counts faults since the start; the number to acknowledge. 0: none yet.
    pub fault_number: u16,
    /// The filtered reading; `None` if there is none to trust.
    pub reading: Option<Celsius>,
    /// The setpoint it holds.
    pub setpoint: Option<Celsius>,
    /// The ceiling in force.
    pub ceiling: Celsius,
    /// Share of heater power, 0 to 1000.
    pub output_permille: u16,
    /// How long the last command still holds.
    pub lease_ms: u16,
    /// The door switch is open.
    pub door_open: bool,
    /// Seconds since the start of the board; a smaller one than before is a restart.
    pub uptime_s: u32,
}

impl Report {
    /// The registers of the report. A temperature out of range is sent as none.
    #[must_use]
    pub fn encode(&self) -> [u16; REPORT_COUNT as usize] {
        let (state, fault) = match self.state {
            State::Off => (0, 0),
            State::Holding => (1, 0),
            State::Tripped(fault) => (2, fault.code()),
        };
        let [major, minor] = [self.firmware.0, self.firmware.1];
        let uptime = self.uptime_s.to_be_bytes();
        [
            MAGIC[0],
            MAGIC[1],
            VERSION,
            u16::from_be_bytes([major, minor]),
            self.nonce,
            state,
            fault,
            self.fault_number,
            encode_optional(self.reading),
            encode_optional(self.setpoint),
            encode_optional(Some(self.ceiling)),
            self.output_permille,
            self.lease_ms,
            u16::from_be_bytes([uptime[0], uptime[1]]),
            u16::from_be_bytes([uptime[2], uptime[3]]),
            u16::from(self.door_open),
        ]
    }

    /// Reads a report that answers the exchange with `nonce`.
    ///
    /// # Errors
    /// `BadReport`; nothing may then be concluded about the board.
    pub fn decode(words: Words<'_>, nonce: u16) -> Result<Self, BadReport> {
        let at = |index: usize| words.get(index).ok_or(BadReport::Length { got: words.len() });
        if words.len() != usize::from(REPORT_COUNT) {
            return Err(BadReport::Length { got: words.len() });
        }
        if [at(0)?, at(1)?] != MAGIC {
            return Err(BadReport::Magic);
        }
        if at(2)? != VERSION {
            return Err(BadReport::Version { got: at(2)? });
        }
        if at(4)? != nonce {
            return Err(BadReport::Stale { got: at(4)?, expected: nonce });
        }
        let [major, minor] = at(3)?.to_be_bytes();
        Ok(Self {
            firmware: (major, minor),
            nonce,
            state: decode_state(at(5)?, at(6)?)?,
            fault_number: at(7)?,
            reading: decode_celsius(at(8)?),
            setpoint: decode_celsius(at(9)?),
            ceiling: decode_celsius(at(10)?).ok_or(BadReport::Value { register: 10 })?,
            output_permille: Some(at(11)?)
                .filter(|output| *output <= 1000)
                .ok_or(BadReport::Value { register: 11 })?,
            lease_ms: at(12)?,
            door_open: decode_inputs(at(15)?)?,
            uptime_s: u32::from(at(13)?) << 16 | u32::from(at(14)?),
        })
    }
}

/// Why an answer is not a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadReport {
    /// Another number of registers.
    Length {
        /// How many came.
        got: usize,
    },
    /// This is no station board of ours.
    Magic,
    /// A board of another map version; it must not be commanded.
    Version {
        /// Its version.
        got: u16,
    },
    /// The answer to an earlier exchange.
    Stale {
        /// Its nonce.
        got: u16,
        /// The nonce of this exchange.
        expected: u16,
    },
    /// A register holds what version 1 does not know.
    Value {
        /// The register, counted from the first of the report.
        register: u8,
    },
}

impl fmt::Display for BadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { got } => write!(f, "a report of {got} registers, {REPORT_COUNT} were asked for"),
            Self::Magic => f.write_str("this is not a station board: check the unit number and the line"),
            Self::Version { got } => {
                write!(f, "the board speaks map version {got}, this program {VERSION}: update one")
            }
            Self::Stale { got, expected } => {
                write!(f, "a late answer to exchange {got}, {expected} was asked")
            }
            Self::Value { register } => write!(f, "register {register} of the report holds an unknown value"),
        }
    }
}

impl core::error::Error for BadReport {}

fn decode_state(state: u16, fault: u16) -> Result<State, BadReport> {
    match (state, fault) {
        (0, 0) => Ok(State::Off),
        (1, 0) => Ok(State::Holding),
        (2, code) => Fault::from_code(code).map(State::Tripped).ok_or(BadReport::Value { register: 6 }),
        _ => Err(BadReport::Value { register: 5 }),
    }
}

fn decode_inputs(inputs: u16) -> Result<bool, BadReport> {
    match inputs {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(BadReport::Value { register: 15 }),
    }
}

fn encode_optional(temperature: Option<Celsius>) -> u16 {
    temperature.and_then(encode_celsius).unwrap_or(NO_TEMPERATURE)
}

/// Tenths of a degree, rounded half away from zero. `None` if not a number or out of range.
fn encode_celsius(temperature: Celsius) -> Option<u16> {
    let tenths = temperature.0 * 10.0;
    if !(-32767.0..=32767.0).contains(&tenths) {
        return None;
    }
    let half = if tenths < 0.0 { -0.5 } else { 0.5 };
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked; the cast rounds toward zero")]
    let tenths = (tenths + half) as i16;
    Some(u16::from_be_bytes(tenths.to_be_bytes()))
}

fn decode_celsius(word: u16) -> Option<Celsius> {
    let tenths = i16::from_be_bytes(word.to_be_bytes());
    (word != NO_TEMPERATURE).then(|| Celsius(f32::from(tenths) / 10.0))
}
