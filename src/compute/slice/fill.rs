//! From the outline of a layer to its pixels, row by row.
//!
//! Coverage is reckoned in two ways. **Signed area** adds up, cell by cell, what each piece of outline opens or
//! closes to its right; it is exact as long as the winding is 0 or 1. Where solids overlap or a shell is
//! reversed, the sum leaves that range: that row and its neighbours are done by **lines**: the union
//! (winding not 0) on 16 evenly spaced lines through the row, each with exact ends.

use super::edges::Segment;
use super::intervals::usize_of;
use super::{Layer, RunList, Sampling, Settings};

/// Lines through a row where solids overlap.
const LINES: u32 = 16;

/// How far a sum of cells may leave 0..1 before it counts as overlap: `f32` sums of a row stay below 1e-4.
const WINDING_TOLERANCE: f32 = 1e-3;

/// Makes the pixels of one layer.
pub(super) fn fill(segments: &[Segment], settings: &Settings, index: u32) -> Layer {
    let display = &settings.display;
    let rows = Rows::sort(segments);
    let mut painter = Painter { width: display.width_px, out: RunList::new(), open_rows: 0 };
    painter.dark_rows(rows.first);
    match settings.sampling {
        Sampling::Centre => painter.centres(segments, &rows),
        Sampling::Coverage => painter.coverage(segments, &rows),
    }
    painter.dark_rows(display.height_px - rows.first - rows.count());
    painter.out.finish(index, display.pixel_mm2(), painter.open_rows)
}

/// Segments by the pixel rows that they touch.
struct Rows {
    first: u32,
    /// First entry of each row, and the end.
    starts: Vec<usize>,
    entries: Vec<u32>,
}

impl Rows {
    /// Counting sort. Each segment costs two steps to count, whatever its height.
    fn sort(segments: &[Segment]) -> Self {
        let spans = || segments.iter().map(row_span);
        let first = spans().map(|span| span.0).min().unwrap_or(0);
        let end = spans().map(|span| span.1).max().unwrap_or(0);
        let mut steps = vec![0_isize; usize_of(end - first) + 1];
        for (low, high) in spans() {
            steps[usize_of(low - first)] += 1;
            steps[usize_of(high - first)] -= 1;
        }
        let mut starts = Vec::with_capacity(steps.len());
        let (mut open, mut total) = (0_isize, 0_usize);
        for step in steps {
            starts.push(total);
            open += step;
            total += open.unsigned_abs();
        }
        let mut places = starts.clone();
        let mut entries = vec![0_u32; total];
        for (segment, (low, high)) in (0_u32..).zip(spans()) {
            for place in &mut places[usize_of(low - first)..usize_of(high - first)] {
                entries[*place] = segment;
                *place += 1;
            }
        }
        Self { first, starts, entries }
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most the rows of a display")]
    fn count(&self) -> u32 {
        (self.starts.len() - 1) as u32
    }

    fn of<'s>(&'s self, row: u32, segments: &'s [Segment]) -> impl Iterator<Item = &'s Segment> + Clone {
        let index = usize_of(row);
        self.entries[self.starts[index]..self.starts[index + 1]].iter().map(|&i| &segments[usize_of(i)])
    }
}

/// The rows `low..high` that a segment touches with some height.
fn row_span(segment: &Segment) -> (u32, u32) {
    let (low, high) = (segment.from[1].min(segment.to[1]), segment.from[1].max(segment.to[1]));
    (whole(low.floor()), whole(high.ceil()))
}

/// What the outline does within one pixel of a row.
#[derive(Clone, Copy)]
struct Cell {
    x: u32,
    /// Height that opens for all pixels to the right.
    cover: f32,
    /// Area that opens within the pixel.
    area: f32,
}

/// A crossing of a line: column, and +1 where solid opens, -1 where it closes.
type Crossing = (f64, i32);

struct Painter {
    width: u32,
    out: RunList,
    open_rows: u32,
}

/// The cells of one row by column, and whether they hold overlap.
#[derive(Default)]
struct RowCells {
    cells: Vec<Cell>,
    overlap: bool,
}

impl Painter {
    fn dark_rows(&mut self, rows: u32) {
        // Pixels of a display fit 28 bits.
        self.out.push(0, rows.saturating_mul(self.width));
    }

    fn centres(&mut self, segments: &[Segment], rows: &Rows) {
        let mut crossings = Vec::new();
        for row in 0..rows.count() {
            let y = f64::from(rows.first + row) + 0.5;
            cross(rows.of(row, segments), y, &mut crossings);
            let mut cursor = 0;
            let closed = unite(&crossings, |from, to| {
                let (from, to) = (whole((from - 0.5).ceil()), whole((to - 0.5).ceil()));
                if to > from {
                    self.out.push(0, from - cursor);
                    self.out.push(255, to - from);
                    cursor = to;
                }
            });
            self.out.push(0, self.width - cursor);
            self.open_rows += u32::from(!closed);
        }
    }

    /// Works one row ahead: an overlap also touches the row before and the row after it.
    fn coverage(&mut self, segments: &[Segment], rows: &Rows) {
        let (mut current, mut next) = (RowCells::default(), RowCells::default());
        let mut crossings = Vec::new();
        let mut overlap_before = false;
        if rows.count() > 0 {
            signed_area(rows.of(0, segments), rows.first, &mut current);
        }
        for row in 0..rows.count() {
            next.clear();
            if row + 1 < rows.count() {
                signed_area(rows.of(row + 1, segments), rows.first + row + 1, &mut next);
            }
            let overlap_here = current.overlap;
            if overlap_before || overlap_here || next.overlap {
                let touched = rows.of(row, segments);
                let closed = by_lines(touched, rows.first + row, &mut crossings, &mut current);
                self.open_rows += u32::from(!closed);
            }
            self.emit(&current.cells);
            overlap_before = overlap_here;
            std::mem::swap(&mut current, &mut next);
        }
    }

    fn emit(&mut self, cells: &[Cell]) {
        let mut cursor = 0;
        let mut cover = 0.0_f32;
        let mut index = 0;
        while let Some(&Cell { x, .. }) = cells.get(index) {
            if x >= self.width {
                break;
            }
            self.out.push(grey(cover), x - cursor);
            let mut area = cover;
            while let Some(cell) = cells.get(index).filter(|cell| cell.x == x) {
                area += cell.area;
                cover += cell.cover;
                index += 1;
            }
            self.out.push(grey(area), 1);
            cursor = x + 1;
        }
        // What is left open at the end is rounding: rows that don't close went through `by_lines`.
        self.out.push(0, self.width - cursor);
    }
}

impl RowCells {
    fn clear(&mut self) {
        self.cells.clear();
        self.overlap = false;
    }

    /// Sorts by column and looks for sums outside 0..1; an open end counts too.
    fn settle(&mut self) {
        self.cells.sort_unstable_by_key(|cell| cell.x);
        let off = |sum: f32| !(-WINDING_TOLERANCE..=1.0 + WINDING_TOLERANCE).contains(&sum);
        let mut cover = 0.0_f32;
        let mut overlap = false;
        for cells in self.cells.chunk_by(|a, b| a.x == b.x) {
            let area: f32 = cells.iter().map(|cell| cell.area).sum();
            overlap |= off(cover + area);
            cover += cells.iter().map(|cell| cell.cover).sum::<f32>();
            overlap |= off(cover);
        }
        self.overlap = overlap || cover.abs() > WINDING_TOLERANCE;
    }

    /// Adds a piece of outline inside one row: between two columns, opening `height` to its right.
    fn add(&mut self, from: f64, to: f64, height: f64) {
        let (left, right) = (from.min(to), from.max(to));
        let (first, last) = (whole(left.floor()), whole(right.floor()));
        if first == last {
            self.add_cell(first, (left + right) * 0.5, height);
            return;
        }
        let per_px = height / (right - left);
        let mut start = left;
        for x in first..last {
            let end = f64::from(x + 1);
            self.add_cell(x, (start + end) * 0.5, per_px * (end - start));
            start = end;
        }
        if right > start {
            self.add_cell(last, (start + right) * 0.5, per_px * (right - start));
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a share of a pixel; f32 is a thousandth of a grey level"
    )]
    fn add_cell(&mut self, x: u32, middle: f64, height: f64) {
        let area = height * (f64::from(x) + 1.0 - middle);
        self.cells.push(Cell { x, cover: height as f32, area: area as f32 });
    }
}

/// Cells of a row from the outline, by signed area.
fn signed_area<'s>(segments: impl Iterator<Item = &'s Segment>, row: u32, cells: &mut RowCells) {
    let (top, bottom) = (f64::from(row), f64::from(row) + 1.0);
    for segment in segments {
        let (low, high, opens) = downwards(segment);
        let (y0, y1) = (low[1].max(top), high[1].min(bottom));
        let (x0, x1) = (column_at(low, high, y0), column_at(low, high, y1));
        cells.add(x0, x1, (y1 - y0) * f64::from(opens));
    }
    cells.settle();
}

/// Cells of a row from the union on evenly spaced lines; whether every line closed.
fn by_lines<'s>(
    segments: impl Iterator<Item = &'s Segment> + Clone,
    row: u32,
    crossings: &mut Vec<Crossing>,
    cells: &mut RowCells,
) -> bool {
    cells.clear();
    let share = 1.0 / f64::from(LINES);
    let mut all_closed = true;
    for line in 0..LINES {
        let y = f64::from(row) + (f64::from(line) + 0.5) * share;
        cross(segments.clone(), y, crossings);
        all_closed &= unite(crossings, |from, to| {
            cells.add(from, from, share);
            cells.add(to, to, -share);
        });
    }
    cells.cells.sort_unstable_by_key(|cell| cell.x);
    all_closed
}

/// Where the outline crosses a line, by column. Half-open: an end on the line belongs to the part below.
fn cross<'s>(segments: impl Iterator<Item = &'s Segment>, y: f64, crossings: &mut Vec<Crossing>) {
    crossings.clear();
    for segment in segments {
        let (low, high, opens) = downwards(segment);
        if low[1] <= y && y < high[1] {
            crossings.push((column_at(low, high, y), opens));
        }
    }
    // Openings before closings, so that solids that touch are not parted.
    crossings.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
}

/// Calls `span` for each stretch with a winding that is not 0; whether the line closed.
fn unite(crossings: &[Crossing], mut span: impl FnMut(f64, f64)) -> bool {
    let mut winding = 0;
    let mut from = 0.0;
    for &(x, opens) in crossings {
        let before = winding;
        winding += opens;
        if before == 0 {
            from = x;
        } else if winding == 0 {
            span(from, x);
        }
    }
    winding == 0
}

/// Upper end, lower end (in the picture), and +1 if the segment runs down, else -1.
fn downwards(segment: &Segment) -> ([f64; 2], [f64; 2], i32) {
    if segment.from[1] < segment.to[1] {
        (segment.from, segment.to, 1)
    } else {
        (segment.to, segment.from, -1)
    }
}

/// Column of a segment at a row coordinate; never beyond its ends.
fn column_at(low: [f64; 2], high: [f64; 2], y: f64) -> f64 {
    if y <= low[1] {
        return low[0];
    }
    if y >= high[1] {
        return high[0];
    }
    let x = low[0] + (high[0] - low[0]) * ((y - low[1]) / (high[1] - low[1]));
    x.clamp(low[0].min(high[0]), low[0].max(high[0]))
}

/// Coverage to grey, rounded to nearest: cutting off would cost 150 ppm of volume.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0.5 to 255.5 after the clamp")]
fn grey(cover: f32) -> u8 {
    (cover.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

/// A whole, not negative coordinate of the display as an index.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the display before")]
fn whole(coordinate: f64) -> u32 {
    coordinate as u32
}
