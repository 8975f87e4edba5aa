//! The asking end of the line: a request, and the judgement whether bytes are the answer to *it*.

use core::fmt;

use super::{
    Exception, Frame, Function, READ_COUNT_MAX, READ_WRITE_COUNT_MAX, Unit, WRITE_COUNT_MAX, Words,
    byte_count, crc_holds,
};

/// After any bad or missing answer the master waits for this much silence before it asks again, so that a
/// late answer is thrown away and not taken for the next one.
///
/// Source: own measurement on an emulated UART, where 60 ms gave clean recovery at 19,200 baud.
pub const RECOVERY_SILENCE_MS: u64 = 60;

/// One request, and all that is needed to recognise its answer.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    frame: Frame,
    function: Function,
    answer: Answer,
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    /// This many registers.
    Registers(u16),
    /// The four bytes after the function code come back: address and value, or address and count.
    Echo,
}

/// A complete, valid answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply<'a> {
    /// What was read; exactly as many registers as were asked for.
    Registers(Words<'a>),
    /// The write was carried out.
    Written,
    /// The device understood and refused.
    Refused(Exception),
}

/// A request that no device may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRequest {
    /// No register, or more than the protocol carries in one frame.
    Count {
        /// What was asked.
        count: usize,
        /// What the function carries.
        max: u16,
    },
    /// The last register would lie beyond 65535.
    Address {
        /// The first register.
        address: u16,
        /// How many.
        count: u16,
    },
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { count, max } => {
                write!(f, "{count} registers in one request, 1 to {max} are possible")
            }
            Self::Address { address, count } => {
                write!(f, "{count} registers from {address} pass the last one, 65535")
            }
        }
    }
}

impl core::error::Error for BadRequest {}

/// Bytes that are not the answer to the request. All that is on the line is then worthless: drain it until
/// `RECOVERY_SILENCE_MS` of silence, then ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadReply {
    /// Another device answers, or noise.
    Unit {
        /// The first byte.
        got: u8,
    },
    /// The answer to something else.
    Function {
        /// The second byte.
        got: u8,
    },
    /// Another number of data bytes than the registers asked for.
    ByteCount {
        /// What the answer claims.
        got: u8,
        /// What was asked for.
        expected: u8,
    },
    /// A write confirmed another address, value or count.
    Echo,
    /// The check sum is wrong.
    Crc,
    /// More bytes than the answer has.
    Trailing {
        /// How many too many.
        bytes: usize,
    },
}

impl fmt::Display for BadReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit { got } => write!(f, "unit {got} answered in place of the one asked"),
            Self::Function { got } => write!(f, "the answer is for function {got}"),
            Self::ByteCount { got, expected } => {
                write!(f, "the answer has {got} data bytes, {expected} were asked for")
            }
            Self::Echo => f.write_str("the device confirmed another write than the one sent"),
            Self::Crc => f.write_str("the check sum of the answer is wrong"),
            Self::Trailing { bytes } => write!(f, "{bytes} bytes follow the answer"),
        }
    }
}

impl core::error::Error for BadReply {}

impl Request {
    /// Function 3.
    ///
    /// # Errors
    /// `BadRequest` if the count or the last address is out of range.
    pub fn read_holding(unit: Unit, address: u16, count: u16) -> Result<Self, BadRequest> {
        Self::read(unit, Function::ReadHolding, address, count)
    }

    /// Function 4.
    ///
    /// # Errors
    /// `BadRequest` if the count or the last address is out of range.
    pub fn read_input(unit: Unit, address: u16, count: u16) -> Result<Self, BadRequest> {
        Self::read(unit, Function::ReadInput, address, count)
    }

    /// Function 5, on.
    #[must_use]
    pub fn set_coil(unit: Unit, address: u16) -> Self {
        Self::write_one(unit, Function::WriteCoil, address, super::server::COIL_ON)
    }

    /// Function 5, off.
    #[must_use]
    pub fn clear_coil(unit: Unit, address: u16) -> Self {
        Self::write_one(unit, Function::WriteCoil, address, super::server::COIL_OFF)
    }

    /// Function 6.
    #[must_use]
    pub fn write_register(unit: Unit, address: u16, value: u16) -> Self {
        Self::write_one(unit, Function::WriteRegister, address, value)
    }

    /// Function 16.
    ///
    /// # Errors
    /// `BadRequest` if there is nothing to write, too much, or the last address is out of range.
    pub fn write_registers(unit: Unit, address: u16, values: &[u16]) -> Result<Self, BadRequest> {
        let count = checked_count(address, values.len(), WRITE_COUNT_MAX)?;
        let function = Function::WriteRegisters;
        let frame = Frame::start(unit.get(), function.code()).word(address).word(count);
        let frame = frame.byte(byte_count(count)).words(values).end();
        Ok(Self { frame, function, answer: Answer::Echo })
    }

    /// Function 23: writes `values` at `write_address`, then reads `read_count` registers from `read_address`.
    ///
    /// # Errors
    /// `BadRequest` if a count or a last address is out of range.
    pub fn read_write(
        unit: Unit,
        read_address: u16,
        read_count: u16,
        write_address: u16,
        values: &[u16],
    ) -> Result<Self, BadRequest> {
        let reads = checked_count(read_address, usize::from(read_count), READ_COUNT_MAX)?;
        let writes = checked_count(write_address, values.len(), READ_WRITE_COUNT_MAX)?;
        let function = Function::ReadWrite;
        let frame = Frame::start(unit.get(), function.code()).word(read_address).word(reads);
        let frame = frame.word(write_address).word(writes).byte(byte_count(writes)).words(values).end();
        Ok(Self { frame, function, answer: Answer::Registers(reads) })
    }

    /// The bytes to send.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.frame.as_bytes()
    }

    /// Judges all bytes received since the request was sent. `Ok(None)`: right so far, more must come.
    ///
    /// The length follows from the request alone, never from what the device claims.
    ///
    /// # Errors
    /// `BadReply` as soon as it is certain that these bytes are not the answer.
    pub fn match_reply<'a>(&self, received: &'a [u8]) -> Result<Option<Reply<'a>>, BadReply> {
        let Some(&unit) = received.first() else { return Ok(None) };
        if unit != self.as_bytes()[0] {
            return Err(BadReply::Unit { got: unit });
        }
        let Some(&function) = received.get(1) else { return Ok(None) };
        if function == self.function.code() | 0x80 {
            return Ok(whole(received, 5)?.map(|body| Reply::Refused(Exception::from_code(body[0]))));
        }
        if function != self.function.code() {
            return Err(BadReply::Function { got: function });
        }
        match self.answer {
            Answer::Registers(count) => match_registers(received, byte_count(count)),
            Answer::Echo => self.match_echo(received),
        }
    }

    fn match_echo<'a>(&self, received: &'a [u8]) -> Result<Option<Reply<'a>>, BadReply> {
        let Some(body) = whole(received, 8)? else { return Ok(None) };
        if *body != self.as_bytes()[2..6] {
            return Err(BadReply::Echo);
        }
        Ok(Some(Reply::Written))
    }

    fn read(unit: Unit, function: Function, address: u16, count: u16) -> Result<Self, BadRequest> {
        let count = checked_count(address, usize::from(count), READ_COUNT_MAX)?;
        let frame = Frame::start(unit.get(), function.code()).word(address).word(count).end();
        Ok(Self { frame, function, answer: Answer::Registers(count) })
    }

    fn write_one(unit: Unit, function: Function, address: u16, value: u16) -> Self {
        let frame = Frame::start(unit.get(), function.code()).word(address).word(value).end();
        Self { frame, function, answer: Answer::Echo }
    }
}

fn match_registers(received: &[u8], expected: u8) -> Result<Option<Reply<'_>>, BadReply> {
    let Some(&got) = received.get(2) else { return Ok(None) };
    if got != expected {
        return Err(BadReply::ByteCount { got, expected });
    }
    let body = whole(received, 5 + usize::from(expected))?;
    Ok(body.map(|body| Reply::Registers(Words(&body[1..]))))
}

/// What lies between function code and CRC, once all `len` bytes are there and the CRC holds.
fn whole(received: &[u8], len: usize) -> Result<Option<&[u8]>, BadReply> {
    let Some(frame) = received.get(..len) else { return Ok(None) };
    if !crc_holds(frame) {
        return Err(BadReply::Crc);
    }
    if received.len() > len {
        return Err(BadReply::Trailing { bytes: received.len() - len });
    }
    Ok(Some(&frame[2..len - 2]))
}

fn checked_count(address: u16, count: usize, max: u16) -> Result<u16, BadRequest> {
    let narrow = u16::try_from(count).ok().filter(|count| (1..=max).contains(count));
    let count = narrow.ok_or(BadRequest::Count { count, max })?;
    if address.checked_add(count - 1).is_none() {
        return Err(BadRequest::Address { address, count });
    }
    Ok(count)
}
