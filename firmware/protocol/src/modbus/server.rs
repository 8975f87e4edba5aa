//! The answering end of the line: finds requests for one unit in a stream that others share.
//!
//! A frame is taken by its length rule and CRC. Where neither fits, one byte is dropped and the search goes
//! on. Frames between others, in both directions, are recognised and skipped whole, so that their data is
//! never read as a request to us. After `IDLE_MS` of silence an unfinished frame is given up.

use super::{
    Exception, FRAME_BYTES_MAX, Frame, Function, READ_COUNT_MAX, READ_WRITE_COUNT_MAX, Unit, WRITE_COUNT_MAX,
    Words, byte_count, crc_holds,
};

/// Silence after which an unfinished frame is given up. Longer than the 3.5 characters of the standard (4 ms
/// at 9,600 baud), because USB adapters deliver in packets some milliseconds apart.
pub const IDLE_MS: u64 = 15;

/// A coil that is on. Source: Application Protocol V1.1b3, section 6.5.
pub const COIL_ON: u16 = 0xFF00;
/// A coil that is off.
pub const COIL_OFF: u16 = 0x0000;

/// What the master wants; counts are within the limits of the protocol, `address + count` may still be too far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask<'a> {
    /// Function 3 or 4.
    Read {
        /// First register.
        address: u16,
        /// How many, 1 to 125.
        count: u16,
    },
    /// Function 5.
    WriteCoil {
        /// The coil.
        address: u16,
        /// `true` is on.
        on: bool,
    },
    /// Function 6 or 16.
    Write {
        /// First register.
        address: u16,
        /// At least one.
        values: Words<'a>,
    },
    /// Function 23. The write comes first.
    ReadWrite {
        /// First register to read.
        address: u16,
        /// How many, 1 to 125.
        count: u16,
        /// First register to write.
        write_address: u16,
        /// At least one.
        values: Words<'a>,
    },
}

/// A request to this unit with a correct CRC, and the means to answer it.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    frame: Frame,
}

impl Asked {
    /// What is wanted.
    ///
    /// # Errors
    /// The exception to answer with, if the function is unknown or a count or value makes no sense.
    pub fn ask(&self) -> Result<Ask<'_>, Exception> {
        let function = Function::from_code(self.function()).ok_or(Exception::IllegalFunction)?;
        let body = self.body();
        match function {
            Function::ReadHolding | Function::ReadInput => {
                Ok(Ask::Read { address: word(body, 0)?, count: count(body, 2, READ_COUNT_MAX)? })
            }
            Function::WriteCoil => Ok(Ask::WriteCoil { address: word(body, 0)?, on: coil(word(body, 2)?)? }),
            Function::WriteRegister => Ok(Ask::Write {
                address: word(body, 0)?,
                values: Words(body.get(2..4).ok_or(Exception::IllegalValue)?),
            }),
            Function::WriteRegisters => {
                Ok(Ask::Write { address: word(body, 0)?, values: values(body, 2, WRITE_COUNT_MAX)? })
            }
            Function::ReadWrite => Ok(Ask::ReadWrite {
                address: word(body, 0)?,
                count: count(body, 2, READ_COUNT_MAX)?,
                write_address: word(body, 4)?,
                values: values(body, 6, READ_WRITE_COUNT_MAX)?,
            }),
        }
    }

    /// The answer to `Ask::Read` and `Ask::ReadWrite`. Another number of registers than asked for is a bug of
    /// the board and answered as a device failure: no master may read the wrong registers as the right ones.
    #[must_use]
    pub fn answer_registers(&self, registers: &[u16]) -> Frame {
        let asked = match self.ask() {
            Ok(Ask::Read { count, .. } | Ask::ReadWrite { count, .. }) => count,
            Ok(Ask::WriteCoil { .. } | Ask::Write { .. }) | Err(_) => 0,
        };
        if asked == 0 || usize::from(asked) != registers.len() {
            return self.answer_exception(Exception::DeviceFailure);
        }
        Frame::start(self.unit(), self.function()).byte(byte_count(asked)).words(registers).end()
    }

    /// The answer to `Ask::WriteCoil` and `Ask::Write`, after it was carried out whole.
    #[must_use]
    pub fn answer_written(&self) -> Frame {
        let start = Frame::start(self.unit(), self.function());
        self.body().iter().take(4).fold(start, |frame, byte| frame.byte(*byte)).end()
    }

    /// The refusal.
    #[must_use]
    pub fn answer_exception(&self, exception: Exception) -> Frame {
        Frame::start(self.unit(), self.function() | 0x80).byte(exception.code()).end()
    }

    fn unit(&self) -> u8 {
        self.frame.bytes[0]
    }

    fn function(&self) -> u8 {
        self.frame.bytes[1]
    }

    fn body(&self) -> &[u8] {
        &self.frame.bytes[2..self.frame.len - 2]
    }
}

/// Finds requests in received bytes. Holds at most one longest frame.
#[derive(Debug, Clone)]
pub struct Receiver {
    unit: Unit,
    buffer: [u8; FRAME_BYTES_MAX],
    len: usize,
    last_byte_ms: u64,
}

/// What the bytes at the head of the buffer are.
enum Head {
    /// A request to us of this length.
    Request(usize),
    /// A frame between others, or a byte of noise.
    Skip(usize),
    /// Not decided yet.
    More,
}

impl Receiver {
    /// A receiver that answers to `unit` alone. Broadcasts are not for us: nobody could see them refused.
    #[must_use]
    pub const fn new(unit: Unit) -> Self {
        Self { unit, buffer: [0; FRAME_BYTES_MAX], len: 0, last_byte_ms: 0 }
    }

    /// Takes one byte that arrived at `now_ms`. Call `next` afterwards until it gives `None`.
    pub fn push(&mut self, now_ms: u64, byte: u8) {
        if now_ms.saturating_sub(self.last_byte_ms) >= IDLE_MS {
            self.len = 0;
        }
        self.last_byte_ms = now_ms;
        if self.len == FRAME_BYTES_MAX {
            self.drop_front(1);
        }
        self.buffer[self.len] = byte;
        self.len += 1;
    }

    /// The next request, if one is complete. Also to be called when no byte came, at least every `IDLE_MS`.
    pub fn next(&mut self, now_ms: u64) -> Option<Asked> {
        let silent = now_ms.saturating_sub(self.last_byte_ms) >= IDLE_MS;
        while self.len > 0 {
            match self.head(silent) {
                Head::Request(len) => return Some(self.take(len)),
                Head::Skip(len) => self.drop_front(len),
                Head::More => return None,
            }
        }
        None
    }

    fn head(&self, silent: bool) -> Head {
        let bytes = &self.buffer[..self.len];
        let ours = bytes[0] == self.unit.get();
        let Some(&function) = bytes.get(1) else { return undecided(silent) };
        let request = judge(bytes, request_len(function, bytes));
        let reply = if ours { Fit::Never } else { judge(bytes, reply_len(function, bytes)) };
        match (request, reply) {
            (Fit::Whole(len), _) if ours => Head::Request(len),
            (Fit::Whole(len), _) | (_, Fit::Whole(len)) => Head::Skip(len),
            (Fit::Unknown, _) if silent && crc_holds(bytes) && self.len >= 4 => self.unknown_function(ours),
            (Fit::Unknown | Fit::Partial, _) | (_, Fit::Unknown | Fit::Partial) => undecided(silent),
            (Fit::Never, Fit::Never) => Head::Skip(1),
        }
    }

    /// A frame with a function whose length we do not know, bounded by silence. Ours is answered with a
    /// refusal.
    fn unknown_function(&self, ours: bool) -> Head {
        if ours { Head::Request(self.len) } else { Head::Skip(self.len) }
    }

    fn take(&mut self, len: usize) -> Asked {
        let mut bytes = [0; FRAME_BYTES_MAX];
        bytes[..len].copy_from_slice(&self.buffer[..len]);
        self.drop_front(len);
        Asked { frame: Frame { bytes, len } }
    }

    fn drop_front(&mut self, len: usize) {
        self.buffer.copy_within(len..self.len, 0);
        self.len -= len;
    }
}

/// How bytes fit a length rule.
enum Fit {
    /// A frame of this length, CRC correct.
    Whole(usize),
    /// Too few bytes to say.
    Partial,
    /// There is no rule for this function.
    Unknown,
    /// Too long, or the CRC is wrong.
    Never,
}

/// A length rule's answer.
enum Length {
    Bytes(usize),
    Partial,
    Unknown,
}

const fn undecided(silent: bool) -> Head {
    if silent { Head::Skip(1) } else { Head::More }
}

fn judge(bytes: &[u8], length: Length) -> Fit {
    let len = match length {
        Length::Bytes(len) => len,
        Length::Partial => return Fit::Partial,
        Length::Unknown => return Fit::Unknown,
    };
    if len > FRAME_BYTES_MAX {
        return Fit::Never;
    }
    match bytes.get(..len) {
        None => Fit::Partial,
        Some(frame) if crc_holds(frame) => Fit::Whole(len),
        Some(_) => Fit::Never,
    }
}

/// The length of a request. Functions 1, 2 and 15 are here because others on the line may be asked them.
fn request_len(function: u8, bytes: &[u8]) -> Length {
    match function {
        1..=6 => Length::Bytes(8),
        15 | 16 => counted(bytes, 6, 9),
        23 => counted(bytes, 10, 13),
        _ => Length::Unknown,
    }
}

/// The length of an answer.
fn reply_len(function: u8, bytes: &[u8]) -> Length {
    match function {
        1..=4 | 23 => counted(bytes, 2, 5),
        5 | 6 | 15 | 16 => Length::Bytes(8),
        0x80.. => Length::Bytes(5),
        _ => Length::Unknown,
    }
}

/// A frame of `fixed` bytes and as many more as the byte at `index` says.
fn counted(bytes: &[u8], index: usize, fixed: usize) -> Length {
    bytes.get(index).map_or(Length::Partial, |count| Length::Bytes(fixed + usize::from(*count)))
}

fn word(body: &[u8], at: usize) -> Result<u16, Exception> {
    match body.get(at..at + 2) {
        Some(pair) => Ok(u16::from_be_bytes([pair[0], pair[1]])),
        None => Err(Exception::IllegalValue),
    }
}

fn count(body: &[u8], at: usize, max: u16) -> Result<u16, Exception> {
    let count = word(body, at)?;
    if (1..=max).contains(&count) { Ok(count) } else { Err(Exception::IllegalValue) }
}

/// A count of registers, a count of bytes and the registers, from `at`.
fn values(body: &[u8], at: usize, max: u16) -> Result<Words<'_>, Exception> {
    let count = count(body, at, max)?;
    let bytes = body.get(at + 3..).unwrap_or_default();
    if body.get(at + 2) != Some(&byte_count(count)) || bytes.len() != usize::from(count) * 2 {
        return Err(Exception::IllegalValue);
    }
    Ok(Words(bytes))
}

fn coil(value: u16) -> Result<bool, Exception> {
    match value {
        COIL_ON => Ok(true),
        COIL_OFF => Ok(false),
        _ => Err(Exception::IllegalValue),
    }
}
