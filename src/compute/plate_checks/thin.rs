//! Where no square of a given side has room: what an opening with that square takes away.
//!
//! Windows of rows are combined by doubling, so a square of `n` rows costs `2 log2(n)` passes over the edges.

use super::links::Cut;
use super::section::{Section, meet};
use crate::slice::{Display, usize_of};

/// An opening rounds corners off: of a rectangle that stands on its corner it leaves a quarter of the square.
/// A thin area that hangs on a thick one must be larger than this share of the square.
const CORNER_SHARE: f64 = 0.3;

/// Side of the square in pixels; none if one pixel is as wide, so that nothing can be thinner.
pub(super) fn square_px(limit_mm: f64, display: &Display) -> Option<[u32; 2]> {
    let side = |pitch: f64, most: u32| {
        let px = (limit_mm / pitch).round().clamp(0.0, f64::from(most));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the display")]
        let px = px as u32;
        px
    };
    let [across, down] =
        [side(display.pitch_mm[0], display.width_px), side(display.pitch_mm[1], display.height_px)];
    (across > 1 || down > 1).then_some([across.max(1), down.max(1)])
}

/// The thin areas of a layer: whole ones, and parts of thick ones that are more than a corner.
pub(super) fn residue(cut: &Cut, square: [u32; 2]) -> Section {
    let opened = opened(&cut.section, square);
    let left = Section::of_rows(opened.width(), cut.section.rows(), |row, out| {
        without(cut.section.row(row), opened.row(row), out);
    });
    let thin = Cut::of(left);
    let whole = is_whole(cut, &thin);
    let corner = CORNER_SHARE * f64::from(square[0]) * f64::from(square[1]);
    #[expect(clippy::cast_precision_loss, reason = "pixels of one display")]
    let stays: Vec<bool> = thin
        .areas
        .areas
        .iter()
        .zip(&whole)
        .map(|(area, whole)| area.is_lit && (*whole || area.px as f64 > corner))
        .collect();
    Section::of_rows(thin.section.width(), thin.section.rows(), |row, kept| {
        let span = thin.section.span(row);
        for (segment, ends) in (1..).step_by(2).zip(thin.section.row(row).chunks_exact(2)) {
            if stays[usize_of(thin.areas.of_segment(&span, segment))] {
                kept.extend_from_slice(ends);
            }
        }
    })
}

/// For each area of the residue whether it is an area of the layer by itself.
fn is_whole(cut: &Cut, thin: &Cut) -> Vec<bool> {
    let mut whole = vec![false; thin.areas.areas.len()];
    for row in thin.section.rows() {
        let (thin_span, span) = (thin.section.span(row), cut.section.span(row));
        meet(thin.section.row(row), cut.section.row(row), cut.section.width(), |i, j, _| {
            if i % 2 == 1 {
                let area = usize_of(thin.areas.of_segment(&thin_span, i));
                let all = usize_of(cut.areas.of_segment(&span, j));
                whole[area] = thin.areas.areas[area].px == cut.areas.areas[all].px;
            }
        });
    }
    whole
}

/// All pixels that some lit square covers.
fn opened(section: &Section, [across, down]: [u32; 2]) -> Section {
    let narrowed = Section::of_rows(section.width(), section.rows(), |row, out| {
        for ends in section.row(row).chunks_exact(2).filter(|ends| ends[1] - ends[0] >= across) {
            out.extend([ends[0], ends[1] + 1 - across]);
        }
    });
    let squares = window(narrowed, down, Window::Down);
    let widened = Section::of_rows(section.width(), squares.rows(), |row, out| {
        let begin = out.len();
        for ends in squares.row(row).chunks_exact(2) {
            push_span(out, begin, ends[0], ends[1] + across - 1);
        }
    });
    window(widened, down, Window::Up)
}

/// Which way a window of rows reaches from its row.
#[derive(Clone, Copy)]
enum Window {
    /// What all rows from this one down share.
    Down,
    /// What any row from this one up has.
    Up,
}

/// Combines each row with the `count - 1` rows after or before it.
fn window(section: Section, count: u32, way: Window) -> Section {
    let mut combined = section;
    let mut have = 1;
    while have < count {
        let step = have.min(count - have);
        let rows = combined.rows();
        combined = match way {
            Window::Down => Section::of_rows(combined.width(), rows, |row, out| {
                both(combined.row(row), combined.row(row.saturating_add(step)), out);
            }),
            Window::Up => {
                let longer = rows.start..rows.end.saturating_add(step);
                Section::of_rows(combined.width(), longer, |row, out| {
                    let before = row.checked_sub(step).map_or(&[][..], |row| combined.row(row));
                    either(combined.row(row), before, out);
                })
            }
        };
        have += step;
    }
    combined
}

/// Adds a span to the row that begins at `begin`; it starts at or after the last one there, and joins it if they
/// touch.
#[inline]
fn push_span(out: &mut Vec<u32>, begin: usize, from: u32, to: u32) {
    if out.len() > begin
        && let Some(last) = out.last_mut()
        && *last >= from
    {
        *last = to.max(*last);
        return;
    }
    out.extend([from, to]);
}

/// What two rows share.
fn both(a: &[u32], b: &[u32], out: &mut Vec<u32>) {
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        let (from, to) = (a[i].max(b[j]), a[i + 1].min(b[j + 1]));
        if from < to {
            out.extend([from, to]);
        }
        if a[i + 1] <= b[j + 1] { i += 2 } else { j += 2 }
    }
}

/// What either of two rows has.
fn either(a: &[u32], b: &[u32], out: &mut Vec<u32>) {
    let begin = out.len();
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if j >= b.len() || (i < a.len() && a[i] <= b[j]) {
            push_span(out, begin, a[i], a[i + 1]);
            i += 2;
        } else {
            push_span(out, begin, b[j], b[j + 1]);
            j += 2;
        }
    }
}

/// What the first row has and the second has not.
fn without(a: &[u32], b: &[u32], out: &mut Vec<u32>) {
    let mut j = 0;
    for ends in a.chunks_exact(2) {
        let mut from = ends[0];
        while j < b.len() && b[j + 1] <= from {
            j += 2;
        }
        let mut k = j;
        while k < b.len() && b[k] < ends[1] {
            if b[k] > from {
                out.extend([from, b[k]]);
            }
            from = from.max(b[k + 1]);
            k += 2;
        }
        if from < ends[1] {
            out.extend([from, ends[1]]);
        }
    }
}
