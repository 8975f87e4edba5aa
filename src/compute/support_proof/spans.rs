//! A layer as stretches of lit pixels, row by row.

use crate::slice::{Run, usize_of};

/// Lit stretches of each row: from a column to before another.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Spans {
    pub(super) rows: Vec<Vec<[u32; 2]>>,
}

impl Spans {
    pub(super) fn of_runs(runs: &[Run], [width, height]: [u32; 2]) -> Self {
        let mut rows = vec![Vec::new(); usize_of(height)];
        let (mut row, mut column) = (0_usize, 0_u32);
        for run in runs {
            let mut left = run.length;
            while left > 0 && row < rows.len() {
                let part = left.min(width - column);
                if run.value > 0 {
                    rows[row].push([column, column + part]);
                }
                column += part;
                left -= part;
                if column == width {
                    (row, column) = (row + 1, 0);
                }
            }
        }
        Self { rows }
    }

    pub(super) fn pixels(&self) -> u64 {
        self.rows.iter().flatten().map(|&[from, to]| u64::from(to - from)).sum()
    }

    /// Stretches that are lit in both: row, first column, end.
    pub(super) fn meet(&self, other: &Self, mut found: impl FnMut(u32, u32, u32)) {
        for (index, (own, other)) in (0_u32..).zip(self.rows.iter().zip(&other.rows)) {
            each_overlap(own, other, 0, |from, to| found(index, from, to));
        }
    }

    /// Stretches of `other` that lie within a distance of this: row, first column, end.
    pub(super) fn near(&self, other: &Self, reach_px: f64, mut found: impl FnMut(u32, u32, u32)) {
        let rows = floor(reach_px);
        for (index, own) in self.rows.iter().enumerate().filter(|(_, own)| !own.is_empty()) {
            let first = index.saturating_sub(usize_of(rows));
            for row in first..(index + usize_of(rows) + 1).min(other.rows.len()) {
                let aside = u32::try_from(row.abs_diff(index)).map_or(f64::INFINITY, f64::from);
                let reach = floor((reach_px * reach_px - aside * aside).max(0.0).sqrt());
                let row_number = u32::try_from(row).unwrap_or(u32::MAX);
                each_overlap(own, &other.rows[row], reach, |from, to| found(row_number, from, to));
            }
        }
    }
}

/// Stretches of `other` within `reach` columns of `own`.
fn each_overlap(own: &[[u32; 2]], other: &[[u32; 2]], reach: u32, mut found: impl FnMut(u32, u32)) {
    for &[from, to] in own {
        let (from, to) = (from.saturating_sub(reach), to + reach);
        let first = other.partition_point(|span| span[1] <= from);
        for span in other[first..].iter().take_while(|span| span[0] < to) {
            found(span[0].max(from), span[1].min(to));
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; saturates")]
fn floor(value: f64) -> u32 {
    value as u32
}
