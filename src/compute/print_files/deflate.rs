//! Deflate of byte runs: what a general packer finds out byte by byte is known here beforehand.
//!
//! A run becomes one literal and matches of up to 258 bytes at distance 1. Each stream gets its own code table,
//! so 258 dark pixels cost two bits; the checksum of a run has a closed form. The work grows with the number of
//! runs, not of pixels.
//!
//! Source: RFC 1950 (checksum), RFC 1951 (sections 3.2.2, 3.2.5, 3.2.7).

mod huffman;
pub(super) mod inflate;

use huffman::{Code, code_lengths, codes};

/// Equal bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ByteRun {
    pub(super) value: u8,
    pub(super) length: u32,
}

const END_OF_BLOCK: usize = 256;
const SYMBOLS: usize = 286;
const MATCH_MAX: u32 = 258;
const MATCH_MIN: u32 = 3;

/// Order in which the lengths of the length codes are sent (RFC 1951, 3.2.7).
const LENGTH_CODE_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// A zlib stream that unpacks to the runs.
pub(super) fn zlib(runs: &[ByteRun]) -> Vec<u8> {
    let mut bits = BitWriter::new(vec![0x78, 0x01]);
    block(runs, &mut bits);
    let mut out = bits.finish();
    out.extend(adler32(runs).to_be_bytes());
    out
}

/// One final block with its own code table.
fn block(runs: &[ByteRun], bits: &mut BitWriter) {
    let mut counts = [0_u32; SYMBOLS];
    for run in runs {
        count(run, &mut counts);
    }
    counts[END_OF_BLOCK] = 1;
    let lengths = code_lengths(&counts, 15);
    let table = codes(&lengths);
    bits.put(0b1, 1);
    bits.put(0b10, 2);
    send_table(&lengths, bits);
    for run in runs {
        send(run, &table, bits);
    }
    bits.put_code(table[END_OF_BLOCK]);
}

/// A run as literals, full matches, and the length of a last match or 0.
fn split(run: &ByteRun) -> (u32, u32, u32) {
    let after_first = run.length - 1;
    let (full, rest) = (after_first / MATCH_MAX, after_first % MATCH_MAX);
    if rest < MATCH_MIN { (1 + rest, full, 0) } else { (1, full, rest) }
}

fn count(run: &ByteRun, counts: &mut [u32; SYMBOLS]) {
    let (literals, full, last) = split(run);
    counts[usize::from(run.value)] += literals;
    counts[SYMBOLS - 1] += full;
    if last > 0 {
        counts[length_symbol(last).symbol] += 1;
    }
}

fn send(run: &ByteRun, table: &[Code], bits: &mut BitWriter) {
    let (literals, full, last) = split(run);
    for _ in 0..literals {
        bits.put_code(table[usize::from(run.value)]);
    }
    if full > 0 {
        bits.repeat(with_distance(table[SYMBOLS - 1]), full);
    }
    if last > 0 {
        let symbol = length_symbol(last);
        bits.put_code(table[symbol.symbol]);
        bits.put(symbol.extra, symbol.extra_bits);
        bits.put_code(DISTANCE_1);
    }
}

/// The only distance code: one bit, 0.
const DISTANCE_1: Code = Code { bits: 0, length: 1 };

fn with_distance(code: Code) -> Code {
    Code { bits: code.bits, length: code.length + DISTANCE_1.length }
}

struct LengthSymbol {
    symbol: usize,
    extra: u32,
    extra_bits: u8,
}

/// Symbol of a match length below 258 (RFC 1951, 3.2.5): eight single lengths, then four symbols to each
/// power of two.
fn length_symbol(length: u32) -> LengthSymbol {
    let offset = length - MATCH_MIN;
    if offset < 8 {
        return LengthSymbol { symbol: 257 + index(offset), extra: 0, extra_bits: 0 };
    }
    let extra_bits = offset.ilog2() - 2;
    let symbol = 257 + index(4 * extra_bits + (offset >> extra_bits));
    let extra = offset & ((1 << extra_bits) - 1);
    // At most 5 for lengths below 258.
    LengthSymbol { symbol, extra, extra_bits: u8::try_from(extra_bits).unwrap_or(5) }
}

fn index(value: u32) -> usize {
    crate::slice::usize_of(value)
}

/// The code table: lengths of the literal and length codes, one distance code of one bit, all coded themselves.
fn send_table(lengths: &[u8], bits: &mut BitWriter) {
    let mut all = lengths.to_vec();
    all.push(DISTANCE_1.length);
    let sent = squeeze(&all);
    let mut counts = [0_u32; 19];
    for item in &sent {
        counts[usize::from(item.symbol)] += 1;
    }
    let code_lengths = code_lengths(&counts, 7);
    let table = codes(&code_lengths);
    bits.put(29, 5); // 257 + 29 = 286 literal and length codes
    bits.put(0, 5); // 1 distance code
    bits.put(15, 4); // 4 + 15 = 19 lengths of length codes
    for place in LENGTH_CODE_ORDER {
        bits.put(u32::from(code_lengths[place]), 3);
    }
    for item in sent {
        bits.put_code(table[usize::from(item.symbol)]);
        bits.put(item.extra, item.extra_bits);
    }
}

struct TableItem {
    symbol: u8,
    extra: u32,
    extra_bits: u8,
}

/// Code lengths with runs of zeros written short (symbols 17 and 18).
fn squeeze(lengths: &[u8]) -> Vec<TableItem> {
    let mut items = Vec::new();
    for group in lengths.chunk_by(|a, b| a == b) {
        let mut left = group.len();
        while group[0] == 0 && left >= 3 {
            let taken = left.min(138);
            let extra = u32::try_from(taken).unwrap_or(138);
            items.push(if taken <= 10 {
                TableItem { symbol: 17, extra: extra - 3, extra_bits: 3 }
            } else {
                TableItem { symbol: 18, extra: extra - 11, extra_bits: 7 }
            });
            left -= taken;
        }
        items.extend((0..left).map(|_| TableItem { symbol: group[0], extra: 0, extra_bits: 0 }));
    }
    items
}

/// Collects bits, lowest first.
struct BitWriter {
    out: Vec<u8>,
    held: u64,
    count: u8,
}

impl BitWriter {
    fn new(out: Vec<u8>) -> Self {
        Self { out, held: 0, count: 0 }
    }

    /// Up to 48 bits.
    fn put_wide(&mut self, bits: u64, length: u8) {
        self.held |= bits << self.count;
        self.count += length;
        let whole = self.count / 8;
        self.out.extend_from_slice(&self.held.to_le_bytes()[..usize::from(whole)]);
        self.held = if whole == 8 { 0 } else { self.held >> (8 * whole) };
        self.count -= 8 * whole;
    }

    fn put(&mut self, bits: u32, length: u8) {
        self.put_wide(u64::from(bits), length);
    }

    fn put_code(&mut self, code: Code) {
        self.put(u32::from(code.bits), code.length);
    }

    /// The same code many times, as many at once as fit.
    fn repeat(&mut self, code: Code, mut times: u32) {
        let at_once = 48 / u32::from(code.length);
        let wide = (0..at_once).fold(0_u64, |wide, _| wide << code.length | u64::from(code.bits));
        let wide_length = u8::try_from(at_once).unwrap_or(1) * code.length;
        while times >= at_once {
            self.put_wide(wide, wide_length);
            times -= at_once;
        }
        for _ in 0..times {
            self.put_code(code);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.out.push(self.held.to_le_bytes()[0]);
        }
        self.out
    }
}

/// Adler-32 of runs: `n` bytes `v` add `n*v` to the first sum and `n*a + v*n*(n+1)/2` to the second.
struct Adler {
    a: u64,
    b: u64,
}

impl Adler {
    const MODULUS: u64 = 65_521;

    fn new() -> Self {
        Self { a: 1, b: 0 }
    }

    fn add(&mut self, value: u8, length: u64) {
        debug_assert!(length < 1 << 31, "a run of a picture");
        let value = u64::from(value);
        // Below 2^61.
        let triangle = (length * (length + 1) / 2) % Self::MODULUS;
        let length = length % Self::MODULUS;
        self.b = (self.b + length * self.a + value * triangle) % Self::MODULUS;
        self.a = (self.a + length * value) % Self::MODULUS;
    }

    fn value(&self) -> u32 {
        // Both sums are below 2^16.
        u32::try_from(self.b << 16 | self.a).unwrap_or(0)
    }
}

fn adler32(runs: &[ByteRun]) -> u32 {
    let mut sum = Adler::new();
    runs.iter().for_each(|run| sum.add(run.value, u64::from(run.length)));
    sum.value()
}

#[cfg(test)]
mod tests;
