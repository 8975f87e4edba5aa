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
    let left = combine_rows(&cut.section, &opened, without);
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
    let rows = thin.section.rows().map(|row| {
        let (edges, span) = (thin.section.row(row), thin.section.span(row));
        let lit = (1..).step_by(2).zip(edges.chunks_exact(2));
        let kept = lit.filter(|(segment, _)| stays[usize_of(thin.areas.of_segment(&span, *segment))]);
        kept.flat_map(|(_, ends)| ends.iter().copied()).collect()
    });
    Section::from_rows(thin.section.width(), thin.section.rows().start, rows)
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
    let narrowed = map_rows(section, |row| {
        let spans = row.chunks_exact(2).filter(|ends| ends[1] - ends[0] >= across);
        spans.flat_map(|ends| [ends[0], ends[1] + 1 - across]).collect()
    });
    let squares = window(&narrowed, down, Window::Down);
    let widened = map_rows(&squares, |row| {
        let mut wide = Vec::with_capacity(row.len());
        for ends in row.chunks_exact(2) {
            push_span(&mut wide, ends[0], ends[1] + across - 1);
        }
        wide
    });
    window(&widened, down, Window::Up)
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
fn window(section: &Section, count: u32, way: Window) -> Section {
    let mut combined = section.clone();
    let mut have = 1;
    while have < count {
        let step = have.min(count - have);
        combined = match way {
            Window::Down => shifted(&combined, combined.rows(), i64::from(step), both),
            Window::Up => {
                let rows = combined.rows();
                shifted(&combined, rows.start..rows.end.saturating_add(step), -i64::from(step), either)
            }
        };
        have += step;
    }
    combined
}

/// Each row of a range combined with the one `step` further on.
fn shifted(
    section: &Section,
    rows: std::ops::Range<u32>,
    step: i64,
    op: fn(&[u32], &[u32]) -> Vec<u32>,
) -> Section {
    let other = |row: u32| u32::try_from(i64::from(row) + step).map_or(&[][..], |row| section.row(row));
    let start = rows.start;
    Section::from_rows(section.width(), start, rows.map(|row| op(section.row(row), other(row))))
}

fn map_rows(section: &Section, op: impl Fn(&[u32]) -> Vec<u32>) -> Section {
    let rows = section.rows();
    Section::from_rows(section.width(), rows.start, rows.map(|row| op(section.row(row))))
}

fn combine_rows(a: &Section, b: &Section, op: fn(&[u32], &[u32]) -> Vec<u32>) -> Section {
    let rows = a.rows();
    Section::from_rows(a.width(), rows.start, rows.map(|row| op(a.row(row), b.row(row))))
}

/// Adds a span that begins at or after the last one, joining them if they touch.
fn push_span(spans: &mut Vec<u32>, from: u32, to: u32) {
    match spans.last_mut() {
        Some(last) if *last >= from => *last = to.max(*last),
        Some(_) | None => spans.extend([from, to]),
    }
}

fn both(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (mut i, mut j) = (0, 0);
    let mut spans = Vec::with_capacity(a.len().min(b.len()));
    while i < a.len() && j < b.len() {
        let (from, to) = (a[i].max(b[j]), a[i + 1].min(b[j + 1]));
        if from < to {
            spans.extend([from, to]);
        }
        if a[i + 1] <= b[j + 1] { i += 2 } else { j += 2 }
    }
    spans
}

fn either(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (mut i, mut j) = (0, 0);
    let mut spans = Vec::with_capacity(a.len() + b.len());
    while i < a.len() || j < b.len() {
        let next = if j >= b.len() || (i < a.len() && a[i] <= b[j]) { (a, &mut i) } else { (b, &mut j) };
        let (row, at) = next;
        push_span(&mut spans, row[*at], row[*at + 1]);
        *at += 2;
    }
    spans
}

fn without(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut spans = Vec::new();
    let mut j = 0;
    for ends in a.chunks_exact(2) {
        let mut from = ends[0];
        while j < b.len() && b[j + 1] <= from {
            j += 2;
        }
        let mut k = j;
        while k < b.len() && b[k] < ends[1] {
            if b[k] > from {
                spans.extend([from, b[k]]);
            }
            from = from.max(b[k + 1]);
            k += 2;
        }
        if from < ends[1] {
            spans.extend([from, ends[1]]);
        }
    }
    spans
}
