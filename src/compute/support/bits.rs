//! A layer as one bit for each pixel: growing, cutting and joining of areas work on 64 pixels at a time.

use crate::slice::{Run, usize_of};

/// Rows of pixels, 64 to a word, lowest bit first; bits beyond the width are 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits {
    width: usize,
    height: usize,
    /// Words in a row.
    stride: usize,
    words: Vec<u64>,
}

impl Bits {
    pub(super) fn empty(width: usize, height: usize) -> Self {
        let stride = width.div_ceil(64);
        Self { width, height, stride, words: vec![0; stride * height] }
    }

    /// The pixels of a layer that are lit.
    pub(super) fn of_runs(runs: &[Run], width: usize, height: usize) -> Self {
        let mut bits = Self::empty(width, height);
        let mut at = 0_usize;
        for run in runs {
            let end = at + usize_of(run.length);
            if run.value > 0 {
                bits.set_span(at, end);
            }
            at = end;
        }
        bits
    }

    /// Lights pixels counted row by row.
    fn set_span(&mut self, mut from: usize, to: usize) {
        while from < to && from < self.width * self.height {
            let (row, column) = (from / self.width, from % self.width);
            let end = self.width.min(column + to - from);
            for word in column / 64..end.div_ceil(64) {
                let low = column.saturating_sub(word * 64);
                let high = (end - word * 64).min(64);
                let mask = (u64::MAX >> (64 - (high - low))) << low;
                self.words[row * self.stride + word] |= mask;
            }
            from += end - column;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    pub(super) fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    pub(super) fn get(&self, [column, row]: [usize; 2]) -> bool {
        column < self.width
            && row < self.height
            && self.words[row * self.stride + column / 64] >> (column % 64) & 1 == 1
    }

    pub(super) fn set(&mut self, [column, row]: [usize; 2]) {
        if column < self.width && row < self.height {
            self.words[row * self.stride + column / 64] |= 1 << (column % 64);
        }
    }

    pub(super) fn and(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own &= other);
    }

    pub(super) fn or(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own |= other);
    }

    pub(super) fn without(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(own, other)| *own &= !other);
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(own, other)| own & other != 0)
    }

    /// Grows by a pixel, also across corners if `corners`; only within `within`.
    pub(super) fn grown(&self, within: &Self, corners: bool) -> Self {
        let mut out = Self::empty(self.width, self.height);
        let mut sides = vec![0_u64; self.words.len()];
        for row in 0..self.height {
            let span = row * self.stride..(row + 1) * self.stride;
            widen(&self.words[span.clone()], &mut sides[span]);
        }
        let vertical = if corners { &sides } else { &self.words };
        for row in 0..self.height {
            for word in 0..self.stride {
                let at = row * self.stride + word;
                let mut value = sides[at];
                if row > 0 {
                    value |= vertical[at - self.stride];
                }
                if row + 1 < self.height {
                    value |= vertical[at + self.stride];
                }
                out.words[at] = value & within.words[at];
            }
        }
        out
    }

    /// Pixels whose four neighbours are lit as well.
    pub(super) fn eroded(&self) -> Self {
        let mut out = Self::empty(self.width, self.height);
        for row in 1..self.height.saturating_sub(1) {
            for word in 0..self.stride {
                let at = row * self.stride + word;
                let before = if word > 0 { self.words[at - 1] >> 63 } else { 0 };
                let after = if word + 1 < self.stride { self.words[at + 1] << 63 } else { 0 };
                let own = self.words[at];
                let sides = (own << 1 | before) & (own >> 1 | after);
                out.words[at] = own & sides & self.words[at - self.stride] & self.words[at + self.stride];
            }
        }
        out
    }

    /// Grows by some pixels within an area: to its neighbours by turns across sides and across corners, which
    /// makes an octagon.
    pub(super) fn flooded(&self, within: &Self, steps: u32) -> Self {
        let mut grown = self.clone();
        grown.and(within);
        for step in 0..steps {
            let next = grown.grown(within, step % 2 == 1);
            if next == grown {
                break;
            }
            grown = next;
        }
        grown
    }

    /// Everything that hangs together with these pixels within an area, by sides; for floods of a few pixels.
    pub(super) fn spread(&self, within: &Self) -> Self {
        let mut spread = self.clone();
        loop {
            let next = spread.grown(within, false);
            if next == spread {
                return spread;
            }
            spread = next;
        }
    }

    /// Everything that hangs together with these pixels within an area, by sides; for a few pixels in large areas.
    pub(super) fn filled(&self, within: &Self) -> Self {
        let mut open: Vec<[usize; 2]> = self.pixels().filter(|&pixel| within.get(pixel)).collect();
        let mut out = Self::empty(self.width, self.height);
        open.iter().for_each(|&pixel| out.set(pixel));
        while let Some([column, row]) = open.pop() {
            let beside = [
                [column.wrapping_sub(1), row],
                [column + 1, row],
                [column, row.wrapping_sub(1)],
                [column, row + 1],
            ];
            for pixel in beside {
                if within.get(pixel) && !out.get(pixel) {
                    out.set(pixel);
                    open.push(pixel);
                }
            }
        }
        out
    }

    /// Lit pixels, row by row.
    pub(super) fn pixels(&self) -> impl Iterator<Item = [usize; 2]> + '_ {
        self.words.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(move |(at, &word)| {
            let (row, first) = (at / self.stride, at % self.stride * 64);
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| [first + bit, row])
        })
    }

    pub(super) fn first(&self) -> Option<[usize; 2]> {
        self.pixels().next()
    }
}

/// Each bit and its two neighbours of a row.
fn widen(row: &[u64], out: &mut [u64]) {
    for (at, &word) in row.iter().enumerate() {
        let before = at.checked_sub(1).map_or(0, |at| row[at] >> 63);
        let after = row.get(at + 1).map_or(0, |next| next << 63);
        out[at] = word | word << 1 | before | word >> 1 | after;
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;
    use crate::slice::Run;

    #[test]
    fn runs_and_bits_name_the_same_pixels() {
        let runs = [(0, 65), (255, 3), (0, 60), (255, 140), (0, 132)];
        let runs = runs.map(|(value, length)| Run { value, length });

        let bits = Bits::of_runs(&runs, 100, 4);

        let lit: Vec<usize> = bits.pixels().map(|[column, row]| row * 100 + column).collect();
        let expected: Vec<usize> = (65..68).chain(128..268).collect();
        assert_eq!(lit, expected);
        assert_eq!(bits.count(), 143);
    }

    #[test]
    fn growth_crosses_words_and_stays_within() {
        let mut bits = Bits::empty(130, 5);
        bits.set([64, 2]);
        let mut within = Bits::empty(130, 5);
        (60..70).for_each(|column| (0..3).for_each(|row| within.set([column, row])));

        let plus: Vec<_> = bits.grown(&within, false).pixels().collect();
        let square = bits.grown(&within, true);

        assert_eq!(plus, [[64, 1], [63, 2], [64, 2], [65, 2]]);
        assert_eq!(square.count(), 6, "the row below is not within");
    }

    #[test]
    fn areas_hang_together_by_sides_only() {
        let mut bits = Bits::empty(10, 10);
        [[1, 1], [2, 1], [3, 2], [3, 3]].into_iter().for_each(|pixel| bits.set(pixel));
        let mut seed = Bits::empty(10, 10);
        seed.set([1, 1]);

        assert_eq!(seed.filled(&bits).count(), 2);
        assert_eq!(seed.spread(&bits), seed.filled(&bits));
    }
}
