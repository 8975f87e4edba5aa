//! Unpacks deflate streams to runs of equal bytes.

use super::Adler;

/// Positions that a match may reach back (RFC 1951, 2).
const WINDOW: u64 = 32_768;

/// Runs kept for matches; more than can lie in a window are forgotten in one go.
const RUNS_KEPT: usize = 2 * 32_768;

/// Unpacks a zlib stream of at most `bytes_max` bytes; `push` gets each finished run in order.
///
/// `None` if the stream is damaged, unpacks to more, its sum is wrong, or `push` says so.
pub(in crate::print_files) fn inflate(
    stream: &[u8],
    bytes_max: u64,
    push: impl FnMut(u8, u64) -> Option<()>,
) -> Option<()> {
    let [method, flags, ..] = *stream else { return None };
    let no_dictionary = flags & 0x20 == 0;
    let sum_holds = (u32::from(method) * 256 + u32::from(flags)).is_multiple_of(31);
    if method & 0x0F != 8 || !no_dictionary || !sum_holds {
        return None;
    }
    let mut bits = Bits::new(stream.get(2..)?);
    let mut out = Out { runs: Vec::new(), first_kept: 0, end: 0, bytes_max, sum: Adler::new(), push };
    while !block(&mut bits, &mut out)? {}
    let stated = bits.last_four()?;
    (out.finish()? == stated).then_some(())
}

/// One block; whether it was the last.
fn block<P: FnMut(u8, u64) -> Option<()>>(bits: &mut Bits<'_>, out: &mut Out<P>) -> Option<bool> {
    let is_last = bits.take(1)? == 1;
    match bits.take(2)? {
        0 => stored(bits, out)?,
        1 => coded(bits, out, &fixed_lengths(), &[5; 30])?,
        2 => {
            let (literals, distances) = read_table(bits)?;
            coded(bits, out, &literals, &distances)?;
        }
        _ => return None,
    }
    Some(is_last)
}

fn stored<P: FnMut(u8, u64) -> Option<()>>(bits: &mut Bits<'_>, out: &mut Out<P>) -> Option<()> {
    bits.align();
    let length = bits.take(16)?;
    if bits.take(16)? != length ^ 0xFFFF {
        return None;
    }
    for _ in 0..length {
        out.literal(bits.take(8)?.to_le_bytes()[0])?;
    }
    Some(())
}

fn coded<P: FnMut(u8, u64) -> Option<()>>(
    bits: &mut Bits<'_>,
    out: &mut Out<P>,
    literals: &[u8],
    distances: &[u8],
) -> Option<()> {
    let literals = Table::new(literals)?;
    let distances = Table::new(distances)?;
    let zeros = ZeroMatch::of(&literals, &distances);
    loop {
        if let Some(zeros) = &zeros {
            let matches = bits.take_zeros(zeros.bits);
            if matches > 0 {
                out.copy(u64::from(zeros.length) * matches, 1)?;
            }
        }
        let symbol = literals.read(bits)?;
        match symbol {
            0..=255 => out.literal(symbol.to_le_bytes()[0])?,
            256 => return Some(()),
            _ => {
                let length = match_length(symbol, bits)?;
                let distance = match_distance(distances.read(bits)?, bits)?;
                out.copy(u64::from(length), u64::from(distance))?;
            }
        }
    }
}

/// A match at distance 1 whose whole code is zeros: of these dark areas consist.
struct ZeroMatch {
    bits: u32,
    length: u32,
}

impl ZeroMatch {
    fn of(literals: &Table, distances: &Table) -> Option<Self> {
        let (symbol, length_bits) = literals.of_zeros()?;
        let (distance, distance_bits) = distances.of_zeros()?;
        // Lengths without extra bits: 3 to 10 and 258.
        let length = match symbol {
            257..=264 => u32::from(symbol) - 254,
            285 => 258,
            _ => return None,
        };
        (distance == 0).then_some(Self { bits: length_bits + distance_bits, length })
    }
}

/// Length of a match (RFC 1951, 3.2.5).
fn match_length(symbol: u16, bits: &mut Bits<'_>) -> Option<u32> {
    let place = u32::from(symbol).checked_sub(257)?;
    match place {
        0..=7 => Some(3 + place),
        8..=27 => {
            let extra = place / 4 - 1;
            Some(3 + ((4 + place % 4) << extra) + bits.take(extra)?)
        }
        28 => Some(258),
        _ => None,
    }
}

fn match_distance(symbol: u16, bits: &mut Bits<'_>) -> Option<u32> {
    let symbol = u32::from(symbol);
    match symbol {
        0..=3 => Some(1 + symbol),
        4..=29 => {
            let extra = symbol / 2 - 1;
            Some(1 + ((2 + symbol % 2) << extra) + bits.take(extra)?)
        }
        _ => None,
    }
}

fn fixed_lengths() -> Vec<u8> {
    (0..288_u16)
        .map(|symbol| match symbol {
            0..=143 => 8,
            144..=255 => 9,
            256..=279 => 7,
            _ => 8,
        })
        .collect()
}

/// Lengths of the two codes of a block (RFC 1951, 3.2.7).
fn read_table(bits: &mut Bits<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let literal_count = usize::try_from(bits.take(5)? + 257).ok()?;
    let distance_count = usize::try_from(bits.take(5)? + 1).ok()?;
    let sent = usize::try_from(bits.take(4)? + 4).ok()?;
    let mut code = [0_u8; 19];
    for place in super::LENGTH_CODE_ORDER.iter().take(sent) {
        code[*place] = bits.take(3)?.to_le_bytes()[0];
    }
    let code = Table::new(&code)?;
    let mut lengths: Vec<u8> = Vec::with_capacity(literal_count + distance_count);
    while lengths.len() < literal_count + distance_count {
        let (value, times) = match code.read(bits)? {
            16 => (*lengths.last()?, bits.take(2)? + 3),
            17 => (0, bits.take(3)? + 3),
            18 => (0, bits.take(7)? + 11),
            length => (length.to_le_bytes()[0], 1),
        };
        lengths.extend(std::iter::repeat_n(value, usize::try_from(times).ok()?));
    }
    if lengths.len() != literal_count + distance_count || literal_count > 286 {
        return None;
    }
    let distances = lengths.split_off(literal_count);
    Some((lengths, distances))
}

/// Most bits of a code word.
const CODE_BITS: u32 = 15;

/// Finds the symbol of the next bits with one look.
struct Table {
    /// Symbol and length by the next bits; length 0 is no code.
    symbols: Vec<(u16, u8)>,
    bits: u32,
}

impl Table {
    /// `None` if the lengths are no code: more words than there is room for.
    fn new(lengths: &[u8]) -> Option<Self> {
        let bits = lengths.iter().copied().max().map_or(1, |longest| u32::from(longest).max(1));
        if bits > CODE_BITS {
            return None;
        }
        let room: u32 =
            lengths.iter().filter(|length| **length > 0).map(|length| 1 << (bits - u32::from(*length))).sum();
        if room > 1 << bits {
            return None;
        }
        let mut symbols = vec![(0_u16, 0_u8); 1 << bits];
        for (symbol, code) in (0_u16..).zip(super::codes(lengths)).filter(|(_, code)| code.length > 0) {
            let step = 1_usize << code.length;
            for place in symbols.iter_mut().skip(usize::from(code.bits)).step_by(step) {
                *place = (symbol, code.length);
            }
        }
        Some(Self { symbols, bits })
    }

    fn read(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let next = bits.peek(self.bits);
        let (symbol, length) = *self.symbols.get(usize::try_from(next).ok()?)?;
        if length == 0 {
            return None;
        }
        bits.skip(u32::from(length))?;
        Some(symbol)
    }

    /// The symbol whose code is all zeros, and its length.
    fn of_zeros(&self) -> Option<(u16, u32)> {
        let (symbol, length) = *self.symbols.first()?;
        (length > 0).then_some((symbol, u32::from(length)))
    }
}

/// Bits of a stream, lowest first.
struct Bits<'a> {
    rest: &'a [u8],
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest, held: 0, count: 0 }
    }

    fn fill(&mut self) {
        if let Some((word, _)) = self.rest.split_first_chunk::<8>() {
            self.held |= u64::from_le_bytes(*word) << self.count;
            let taken = (63 - self.count) / 8;
            self.rest = &self.rest[usize::from(taken.to_le_bytes()[0])..];
            self.count += taken * 8;
            // Bits above `count` are those of the next byte: the next fill sets them again, alike.
            return;
        }
        while self.count <= 55 {
            let Some((&byte, rest)) = self.rest.split_first() else { return };
            let clean = self.held & low_bits(self.count);
            self.held = clean | u64::from(byte) << self.count;
            self.count += 8;
            self.rest = rest;
        }
    }

    /// The next bits, zeros behind the end.
    fn peek(&mut self, bits: u32) -> u32 {
        if self.count < bits {
            self.fill();
        }
        let wanted = self.held & low_bits(bits.min(self.count));
        u32::try_from(wanted).unwrap_or(0)
    }

    fn skip(&mut self, bits: u32) -> Option<()> {
        self.count = self.count.checked_sub(bits)?;
        self.held >>= bits;
        Some(())
    }

    /// At most 16 bits.
    fn take(&mut self, bits: u32) -> Option<u32> {
        let value = self.peek(bits);
        self.skip(bits)?;
        Some(value)
    }

    fn align(&mut self) {
        let odd = self.count % 8;
        self.held >>= odd;
        self.count -= odd;
    }

    /// Takes as many groups of `bits` zeros as follow, and says how many.
    fn take_zeros(&mut self, bits: u32) -> u64 {
        self.peek(CODE_BITS);
        let held = self.held & low_bits(self.count);
        if held != 0 {
            let groups = held.trailing_zeros() / bits;
            self.held >>= groups * bits;
            self.count -= groups * bits;
            return u64::from(groups);
        }
        let words = self.rest.chunks_exact(8).take_while(|word| **word == [0; 8]).count() * 8;
        let bytes = words + self.rest[words..].iter().take_while(|byte| **byte == 0).count();
        let zeros = u64::from(self.count) + 8 * u64::try_from(bytes).unwrap_or(0);
        let groups = zeros / u64::from(bits);
        // What is left of the zeros is less than a group: it stays held.
        self.held = 0;
        self.count = u32::try_from(zeros % u64::from(bits)).unwrap_or(0);
        self.rest = &self.rest[bytes..];
        groups
    }

    /// The sum behind the last block; nothing may follow it.
    fn last_four(&mut self) -> Option<u32> {
        self.align();
        let held = usize::from((self.count / 8).to_le_bytes()[0]);
        let mut four = Vec::with_capacity(4);
        for _ in 0..held.min(4) {
            four.push(self.take(8)?.to_le_bytes()[0]);
        }
        let left = 4 - four.len();
        let (more, rest) = self.rest.split_at_checked(left)?;
        four.extend_from_slice(more);
        (rest.is_empty() && self.count == 0).then_some(())?;
        Some(u32::from_be_bytes(four.try_into().ok()?))
    }
}

fn low_bits(count: u32) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}

/// A run by the place behind its end.
struct Ending {
    end: u64,
    value: u8,
}

struct Out<P> {
    /// The last runs; all but the newest went to `push`.
    runs: Vec<Ending>,
    /// Where the first kept run begins.
    first_kept: u64,
    end: u64,
    bytes_max: u64,
    sum: Adler,
    push: P,
}

impl<P: FnMut(u8, u64) -> Option<()>> Out<P> {
    fn literal(&mut self, value: u8) -> Option<()> {
        self.extend(value, 1)
    }

    fn extend(&mut self, value: u8, length: u64) -> Option<()> {
        self.end = self.end.checked_add(length).filter(|end| *end <= self.bytes_max)?;
        match self.runs.last_mut() {
            Some(last) if last.value == value => last.end = self.end,
            Some(_) | None => {
                self.hand_over()?;
                self.runs.push(Ending { end: self.end, value });
            }
        }
        Some(())
    }

    /// Gives the newest run away; forgets what no match can reach.
    fn hand_over(&mut self) -> Option<()> {
        let [.., newest] = self.runs.as_slice() else { return Some(()) };
        let (value, end) = (newest.value, newest.end);
        let begin = self.begin(self.runs.len() - 1);
        self.sum.add(value, end - begin);
        (self.push)(value, end - begin)?;
        if self.runs.len() >= RUNS_KEPT {
            let reach = self.end.saturating_sub(WINDOW);
            let forgotten = self.runs.partition_point(|run| run.end <= reach).min(self.runs.len() - 1);
            if let Some(last) = forgotten.checked_sub(1) {
                self.first_kept = self.runs[last].end;
                self.runs.drain(..forgotten);
            }
        }
        Some(())
    }

    fn begin(&self, run: usize) -> u64 {
        run.checked_sub(1).map_or(self.first_kept, |before| self.runs[before].end)
    }

    /// Copies what lies `distance` back; it may reach into what it makes.
    fn copy(&mut self, length: u64, distance: u64) -> Option<()> {
        let newest = self.runs.last()?.value;
        if distance <= self.end - self.begin(self.runs.len() - 1) {
            return self.extend(newest, length);
        }
        let mut from = self.end.checked_sub(distance).filter(|from| *from >= self.first_kept)?;
        let mut left = length;
        while left > 0 {
            let run = self.runs.partition_point(|run| run.end <= from);
            let source = self.runs.get(run)?;
            let (taken, value) = (left.min(source.end - from), source.value);
            self.extend(value, taken)?;
            from += taken;
            left -= taken;
        }
        Some(())
    }

    /// Gives the last run away; the sum of all bytes.
    fn finish(mut self) -> Option<u32> {
        self.hand_over()?;
        Some(self.sum.value())
    }
}
