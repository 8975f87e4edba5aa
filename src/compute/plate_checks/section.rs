//! One layer as the columns at which light and dark change, row by row.
//!
//! A row with the edges `e0 < e1 < .. < e(2n-1)` has `2n + 1` segments: segment 0 is the dark before `e0`,
//! segment `j` begins at `e(j-1)`; odd ones are lit. The first and the last segment are dark (of no length if the
//! light touches the border): the display is thought of with a dark border round it.

use std::ops::Range;

use crate::slice::{Layer, Run, usize_of};

/// A layer as edges.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Section {
    width: u32,
    first_row: u32,
    /// First edge of each row from `first_row`, and the end.
    starts: Vec<u32>,
    edges: Vec<u32>,
}

impl Section {
    /// The pixels of a layer that are at least `threshold`; runs past `height` rows are left out.
    pub(super) fn of(layer: &Layer, size: [u32; 2], threshold: u8) -> Self {
        let [width, height] = size;
        let mut builder = Builder::new(width);
        builder.section.edges.reserve(layer.runs.len());
        let end = u64::from(width) * u64::from(height);
        let (mut position, mut opened) = (0_u64, None);
        for &Run { value, length } in &layer.runs {
            match (value >= threshold && position < end, opened) {
                (true, None) => opened = Some(position),
                (false, Some(from)) => {
                    builder.lit(from, position);
                    opened = None;
                }
                (true, Some(_)) | (false, None) => {}
            }
            position = (position + u64::from(length)).min(end);
        }
        if let Some(from) = opened {
            builder.lit(from, position);
        }
        builder.finish()
    }

    /// Rows of which `add` appends the edges.
    pub(super) fn of_rows(width: u32, rows: Range<u32>, mut add: impl FnMut(u32, &mut Vec<u32>)) -> Self {
        let mut section = Self { width, first_row: rows.start, ..Self::default() };
        section.starts.reserve(rows.len() + 1);
        for row in rows {
            section.starts.push(section.end());
            add(row, &mut section.edges);
        }
        section.starts.push(section.end());
        section
    }

    pub(super) fn width(&self) -> u32 {
        self.width
    }

    /// Rows that are not in this range are dark.
    pub(super) fn rows(&self) -> Range<u32> {
        let count = u32::try_from(self.starts.len().saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_row..self.first_row.saturating_add(count)
    }

    /// Edges of a row; none if it is dark.
    pub(super) fn row(&self, row: u32) -> &[u32] {
        &self.edges[self.span(row)]
    }

    /// Where the edges of a row stand among all edges.
    pub(super) fn span(&self, row: u32) -> Range<usize> {
        let Some(index) = row.checked_sub(self.first_row).map(usize_of) else { return 0..0 };
        match (self.starts.get(index), self.starts.get(index + 1)) {
            (Some(&start), Some(&end)) => usize_of(start)..usize_of(end),
            (None, _) | (Some(_), None) => 0..0,
        }
    }

    /// How many edges there are.
    pub(super) fn edges(&self) -> usize {
        self.edges.len()
    }

    /// Whether light touches the border of a display of this height.
    pub(super) fn touches_border(&self, height: u32) -> bool {
        let ends = |row: &[u32]| row.first() == Some(&0) || row.last() == Some(&self.width);
        !self.row(0).is_empty()
            || !self.row(height.saturating_sub(1)).is_empty()
            || self.rows().any(|row| ends(self.row(row)))
    }

    fn end(&self) -> u32 {
        // Edges are at most one more than the pixels of a display (28 bits).
        u32::try_from(self.edges.len()).unwrap_or(u32::MAX)
    }
}

/// Splits stretches of light at the ends of rows.
struct Builder {
    section: Section,
    /// Where the current row begins and ends, in pixels from the top left.
    row_start: u64,
    row_end: u64,
}

impl Builder {
    fn new(width: u32) -> Self {
        Self { section: Section { width, ..Section::default() }, row_start: 0, row_end: 0 }
    }

    fn lit(&mut self, mut from: u64, to: u64) {
        while from < to {
            self.go_to(from);
            let end = to.min(self.row_end);
            for column in [from - self.row_start, end - self.row_start] {
                self.section.edges.push(u32::try_from(column).unwrap_or(u32::MAX));
            }
            from = end;
        }
    }

    /// Opens rows up to the one with this pixel.
    fn go_to(&mut self, pixel: u64) {
        let width = u64::from(self.section.width);
        if self.section.starts.is_empty() {
            let row = pixel / width;
            self.section.first_row = u32::try_from(row).unwrap_or(u32::MAX);
            (self.row_start, self.row_end) = (row * width, (row + 1) * width);
            self.section.starts.push(0);
        }
        while pixel >= self.row_end {
            self.section.starts.push(self.section.end());
            (self.row_start, self.row_end) = (self.row_end, self.row_end + width);
        }
    }

    fn finish(mut self) -> Section {
        if !self.section.starts.is_empty() {
            self.section.starts.push(self.section.end());
        }
        self.section
    }
}

/// Calls `pair` with the numbers of each two segments of two rows that are both lit or both dark and share
/// columns, and with how many they share; in order of columns.
#[inline]
pub(super) fn meet(upper: &[u32], lower: &[u32], width: u32, mut pair: impl FnMut(usize, usize, u32)) {
    let end_of = |row: &[u32], segment: usize| row.get(segment).copied().unwrap_or(width);
    let (mut i, mut j, mut from) = (0, 0, 0);
    loop {
        let (i_end, j_end) = (end_of(upper, i), end_of(lower, j));
        let end = i_end.min(j_end);
        if (i ^ j) & 1 == 0 && from < end {
            pair(i, j, end - from);
            // Outlines change little from row to row: mostly the next two segments meet as well.
            let next = i_end.max(j_end);
            if i < upper.len() && j < lower.len() && next < end_of(upper, i + 1).min(end_of(lower, j + 1)) {
                (i, j, from) = (i + 1, j + 1, next);
                continue;
            }
        }
        if i == upper.len() && j == lower.len() {
            return;
        }
        let (i_ends, j_ends) = (i_end == end && i < upper.len(), j_end == end && j < lower.len());
        i += usize::from(i_ends);
        j += usize::from(j_ends);
        from = end;
    }
}
