//! A stream that loses, flips, doubles and delays bytes and cuts the line, from a seed: a bad cable.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::Port;

/// What a bad line does. Chances are per byte, in each direction.
#[derive(Debug, Clone, Default)]
pub struct FaultSettings {
    /// Repeats the same faults for the same bytes.
    pub seed: u64,
    /// Chance that a byte is lost.
    pub drop: f64,
    /// Chance that one bit of a byte is flipped.
    pub flip: f64,
    /// Chance that a byte comes twice.
    pub duplicate: f64,
    /// Chance that the line holds everything back for `delay_for`.
    pub delay: f64,
    /// See `delay`.
    pub delay_for: Duration,
    /// The line is cut after this many bytes, both directions counted together; again after each opening.
    pub cut_after: Option<u64>,
    /// Counts openings, so that each has other faults.
    pub openings: Arc<AtomicU64>,
}

impl FaultSettings {
    /// The settings of the next opening of the line.
    #[must_use]
    pub fn next_opening(&self) -> Self {
        let opening = self.openings.fetch_add(1, Ordering::Relaxed);
        Self { seed: self.seed.wrapping_add(opening.wrapping_mul(0x9e37_79b9)), ..self.clone() }
    }
}

/// A port behind a bad cable.
pub struct FaultyStream {
    inner: Port,
    faults: FaultSettings,
    random: Random,
    bytes: u64,
    /// Bytes that were garbled and wait for the far end to take them.
    writing: Vec<u8>,
    held_back: Option<Pin<Box<Sleep>>>,
}

impl FaultyStream {
    /// Wraps an open port.
    #[must_use]
    pub fn new(inner: Port, faults: FaultSettings) -> Self {
        let random = Random(faults.seed);
        Self { inner, faults, random, bytes: 0, writing: Vec::new(), held_back: None }
    }

    fn is_cut(&self) -> bool {
        self.faults.cut_after.is_some_and(|limit| self.bytes >= limit)
    }

    fn garble(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let mut garbled = Vec::with_capacity(bytes.len() + 4);
        for &byte in bytes {
            if self.random.chance(self.faults.drop) {
                continue;
            }
            let flipped = self.random.chance(self.faults.flip);
            let byte = if flipped { byte ^ (1 << (self.random.next() % 8)) } else { byte };
            garbled.push(byte);
            if self.random.chance(self.faults.duplicate) {
                garbled.push(byte);
            }
        }
        garbled
    }

    fn poll_hold(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.held_back.is_none() && self.random.chance(self.faults.delay) {
            self.held_back = Some(Box::pin(tokio::time::sleep(self.faults.delay_for)));
        }
        if let Some(sleep) = &mut self.held_back {
            ready!(sleep.as_mut().poll(cx));
            self.held_back = None;
        }
        Poll::Ready(())
    }

    fn poll_push(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.writing.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.writing))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.writing.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for FaultyStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.is_cut() {
                return Poll::Ready(Ok(()));
            }
            ready!(this.poll_hold(cx));
            // Half of the room at most, so that doubled bytes fit.
            let mut chunk = vec![0; (buf.remaining() / 2).clamp(1, 1024)];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            let garbled = this.garble(chunk.filled());
            if !garbled.is_empty() {
                buf.put_slice(&garbled[..garbled.len().min(buf.remaining())]);
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for FaultyStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        ready!(this.poll_push(cx))?;
        let taken = bytes.len().min(1024);
        this.writing = this.garble(&bytes[..taken]);
        // What the far end doesn't take now goes out with the next write or flush.
        match this.poll_push(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_push(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

/// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    #[expect(clippy::cast_precision_loss, reason = "53 bits of chance are plenty")]
    fn chance(&mut self, chance: f64) -> bool {
        chance > 0.0 && ((self.next() >> 11) as f64) < chance * 9_007_199_254_740_992.0
    }
}
