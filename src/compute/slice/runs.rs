//! Layers as runs of equal pixels.

/// Equal neighbouring pixels, row-major; runs cross row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// 0 dark to 255 full light.
    pub value: u8,
    /// How many pixels; never 0.
    pub length: u32,
}

/// One layer of a plate.
///
/// Invariant: the lengths of `runs` add up to exactly width x height, and neighbours differ in value.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Counted from 0, lowest first.
    pub index: u32,
    /// Pixels from the top left, row by row.
    pub runs: Vec<Run>,
    /// Pixels above 0.
    pub lit_px: u64,
    /// Sum of all pixel values.
    pub light: u64,
    /// Lit area with grey weighed as coverage, mm².
    pub area_mm2: f64,
    /// Rows in which the outline did not close: above 0 the mesh is open there.
    pub open_rows: u32,
}

impl Layer {
    /// A number that two layers share only if they show the same picture (FNV-1a, 64 bit).
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for run in &self.runs {
            let word = u64::from(run.value) << 32 | u64::from(run.length);
            hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
            hash ^= hash >> 29;
        }
        hash
    }
}

/// Collects runs in order, merging equal neighbours.
#[derive(Debug, Clone, Default)]
pub struct RunList {
    runs: Vec<Run>,
    pixels: u64,
    lit_px: u64,
    light: u64,
}

impl RunList {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds pixels of one value; a length of 0 adds nothing.
    #[inline]
    pub fn push(&mut self, value: u8, length: u32) {
        if length == 0 {
            return;
        }
        self.pixels += u64::from(length);
        if value != 0 {
            self.lit_px += u64::from(length);
            self.light += u64::from(length) * u64::from(value);
        }
        match self.runs.last_mut() {
            Some(last) if last.value == value => last.length = last.length.saturating_add(length),
            Some(_) | None => self.runs.push(Run { value, length }),
        }
    }

    /// Pixels so far.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        self.pixels
    }

    /// The runs so far.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Ends the layer.
    #[must_use]
    pub fn finish(self, index: u32, pixel_mm2: f64, open_rows: u32) -> Layer {
        #[expect(clippy::cast_precision_loss, reason = "below 2^28 * 255, exact in f64")]
        let area_mm2 = self.light as f64 / 255.0 * pixel_mm2;
        Layer { index, runs: self.runs, lit_px: self.lit_px, light: self.light, area_mm2, open_rows }
    }
}
