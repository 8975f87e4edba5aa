//! Modbus RTU: frames of at most 256 bytes with a CRC, for the daemon (`master`) and for boards (`server`).
//!
//! RTU has neither a length nor a transaction number. So the master decides from its own request what the
//! answer must look like, and the server finds requests by their length rule and CRC, not by silence: the
//! 3.5-character gap of the textbook does not survive USB adapters.
//!
//! Sources: Modbus Application Protocol V1.1b3 (functions, limits, exceptions), Modbus over Serial Line
//! V1.02 (frame, CRC, addresses).

mod crc;
pub mod master;
pub mod server;

pub use crc::crc16;

use core::fmt;

/// Longest frame: address, 253 bytes of PDU, CRC. Source: Serial Line V1.02, section 2.5.1.
pub const FRAME_BYTES_MAX: usize = 256;
/// Most registers of one read. Source: Application Protocol V1.1b3, section 6.3.
pub const READ_COUNT_MAX: u16 = 125;
/// Most registers of one write with function 16. Source: section 6.12.
pub const WRITE_COUNT_MAX: u16 = 123;
/// Most registers written by function 23. Source: section 6.17.
pub const READ_WRITE_COUNT_MAX: u16 = 121;

/// The address of one device on a line, 1 to 254.
///
/// The standard reserves 248 and above; controllers exist that use them (Eurotherm 2000 series: 1 to 254).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit(u8);

impl Unit {
    /// `None` for 0 (broadcast: nobody answers) and 255.
    #[must_use]
    pub const fn new(address: u8) -> Option<Self> {
        if address == 0 || address == 255 { None } else { Some(Self(address)) }
    }

    /// The byte on the wire.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// The functions that both ends speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// 3: read holding registers.
    ReadHolding,
    /// 4: read input registers.
    ReadInput,
    /// 5: write one coil.
    WriteCoil,
    /// 6: write one register.
    WriteRegister,
    /// 16: write registers in a row.
    WriteRegisters,
    /// 23: write registers, then read registers, in one exchange.
    ReadWrite,
}

impl Function {
    /// The function of a code, if it is one of ours.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            3 => Some(Self::ReadHolding),
            4 => Some(Self::ReadInput),
            5 => Some(Self::WriteCoil),
            6 => Some(Self::WriteRegister),
            16 => Some(Self::WriteRegisters),
            23 => Some(Self::ReadWrite),
            _ => None,
        }
    }

    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::ReadHolding => 3,
            Self::ReadInput => 4,
            Self::WriteCoil => 5,
            Self::WriteRegister => 6,
            Self::WriteRegisters => 16,
            Self::ReadWrite => 23,
        }
    }
}

/// Why a device refused a request it understood. Source: Application Protocol V1.1b3, section 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exception {
    /// 1: the device has no such function.
    IllegalFunction,
    /// 2: it has no such register.
    IllegalAddress,
    /// 3: the value or the count is out of range.
    IllegalValue,
    /// 4: it failed while carrying the request out.
    DeviceFailure,
    /// 6: it is busy; ask later.
    DeviceBusy,
    /// Any other code, as sent.
    Other(u8),
}

impl Exception {
    /// The exception of a code; codes without a name are kept.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::IllegalFunction,
            2 => Self::IllegalAddress,
            3 => Self::IllegalValue,
            4 => Self::DeviceFailure,
            6 => Self::DeviceBusy,
            other => Self::Other(other),
        }
    }

    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::IllegalFunction => 1,
            Self::IllegalAddress => 2,
            Self::IllegalValue => 3,
            Self::DeviceFailure => 4,
            Self::DeviceBusy => 6,
            Self::Other(code) => code,
        }
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IllegalFunction => f.write_str("the device does not know this function (exception 1)"),
            Self::IllegalAddress => f.write_str("the device has no such register (exception 2)"),
            Self::IllegalValue => f.write_str("the device refuses this value (exception 3)"),
            Self::DeviceFailure => f.write_str("the device failed while carrying it out (exception 4)"),
            Self::DeviceBusy => f.write_str("the device is busy (exception 6)"),
            Self::Other(code) => write!(f, "the device refuses with exception {code}"),
        }
    }
}

/// Registers as they lie on the wire: 16 bits each, high byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    /// How many registers.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len() / 2
    }

    /// No register at all.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The register at `index`, counted from the first one of this answer.
    #[must_use]
    pub fn get(self, index: usize) -> Option<u16> {
        self.iter().nth(index)
    }

    /// All registers in order.
    pub fn iter(self) -> impl Iterator<Item = u16> + 'a {
        self.0.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
    }
}

/// One frame with its CRC, ready for the line.
#[derive(Clone, Copy)]
pub struct Frame {
    bytes: [u8; FRAME_BYTES_MAX],
    len: usize,
}

impl Frame {
    /// The bytes to send.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    const fn start(unit: u8, function: u8) -> Self {
        let mut bytes = [0; FRAME_BYTES_MAX];
        bytes[0] = unit;
        bytes[1] = function;
        Self { bytes, len: 2 }
    }

    /// Adds one byte. The count limits above keep every frame within `FRAME_BYTES_MAX`.
    fn byte(mut self, byte: u8) -> Self {
        self.bytes[self.len] = byte;
        self.len += 1;
        self
    }

    fn word(self, word: u16) -> Self {
        let [high, low] = word.to_be_bytes();
        self.byte(high).byte(low)
    }

    fn words(self, words: &[u16]) -> Self {
        words.iter().fold(self, |frame, word| frame.word(*word))
    }

    /// Closes the frame. The CRC alone goes low byte first.
    fn end(self) -> Self {
        let [low, high] = crc16(self.as_bytes()).to_le_bytes();
        self.byte(low).byte(high)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x?}", self.as_bytes())
    }
}

/// The length in bytes of `count` registers, for counts within the limits above.
fn byte_count(count: u16) -> u8 {
    u8::try_from(count * 2).unwrap_or(u8::MAX)
}

fn crc_holds(frame: &[u8]) -> bool {
    match frame.split_last_chunk::<2>() {
        Some((message, crc)) => crc16(message) == u16::from_le_bytes(*crc),
        None => false,
    }
}

#[cfg(test)]
mod tests;
