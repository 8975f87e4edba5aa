//! Random numbers that are the same everywhere.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
#[derive(Debug, Clone)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`, or 0 if there is none. The bias is far below anything that matters here.
    pub(super) fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % count).unwrap_or(0)
    }

    /// Whether something happens that happens once in `times`.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// A number from `-size` to `size`.
    pub(super) fn around(&mut self, size: i64) -> i64 {
        let width = u64::try_from(size.max(0)).unwrap_or(0) * 2 + 1;
        i64::try_from(self.next() % width).unwrap_or(0) - size
    }

    /// 1024 times the negative binary logarithm of a number between 0 and 1: how many temperatures worse a
    /// change may be. Whole numbers, since logarithms of floating point differ between machines.
    pub(super) fn courage(&mut self) -> i64 {
        let x = (self.next() >> 32) | 1;
        let power = x.ilog2();
        let fraction = ((x - (1 << power)) << 10) >> power;
        (32 - i64::from(power)) * 1024 - i64::try_from(fraction).unwrap_or(0)
    }
}
