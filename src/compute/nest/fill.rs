//! The first answer: every piece as far left as it goes, on a bitmap of the plate.
//!
//! The bitmap only says where a piece certainly can't be; what it lets through is asked of the bodies. One bit is a
//! cell of half a millimetre, one word a piece of a column, so that 64 places are excluded at once.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Effort;
use super::body::{Body, Pose};
use super::random::Random;
use super::table::{Layout, Merit, Table};
use crate::mesh::cast;

/// Edge of a cell, mm; twice as large wherever a plate would have more than a thousand columns.
const CELL_MM: f32 = 0.5;
const COLUMNS_MAX: f32 = 1000.0;
/// This part of the work goes into filling again in other orders.
const FILL_SHARE: u64 = 20;
/// Places that the bitmap lets through and the bodies refuse, in one column.
const REFUSALS_MAX: usize = 12;
/// Columns that are looked at are cheaper than pairs that are compared.
const COLUMNS_PER_WORK: usize = 4;
/// Orders that stray from large to small before those near the best begin.
const STRAYING: u64 = 10;
/// Pieces that get another place in an order near the best.
const REDRAWN: usize = 4;
/// What one filling counts at least.
const WORK_LEAST: u64 = 200;
/// How much an order strays from large to small.
const STRAY: f32 = 0.5;
/// Steps by which a piece is pushed left and down into what the cells leave open, mm.
const PUSHES_MM: [f32; 4] = [0.25, 0.12, 0.06, 0.03];

/// The best filling of many orders: the large pieces first, the long pieces first, orders that stray from these, and
/// then orders near the best one.
pub(super) fn first(table: &Table<'_>, effort: Effort) -> Layout {
    let mut random = Random::new(effort.seed);
    let mut stencils = Stencils::default();
    let mut best: Option<(Merit, Layout, Vec<f64>)> = None;
    let mut work = 0;
    let mut turn = 0_u64;
    loop {
        let sizes = sizes(table, turn, best.as_ref().map(|(_, _, sizes)| &sizes[..]), &mut random);
        let layout = fill(table, &order(table, &sizes), &mut stencils, &mut work);
        let layout = table.proved(&layout);
        let merit = table.merit(&layout);
        if best.as_ref().is_none_or(|(known, ..)| merit >= *known) {
            best = Some((merit, layout, sizes));
        }
        let is_all = best.as_ref().is_some_and(|(_, best, _)| table.is_all(best));
        turn += 1;
        // A filling takes work even where nothing is compared.
        work += WORK_LEAST;
        if is_all || work >= effort.work / FILL_SHARE {
            return best.map(|(_, layout, _)| layout).unwrap_or_default();
        }
    }
}

/// By what pieces are ordered, largest first.
fn sizes(table: &Table<'_>, turn: u64, best: Option<&[f64]>, random: &mut Random) -> Vec<f64> {
    let area = |piece: &usize| table.area_mm2(*piece);
    let mut stray = |size: f64| size * f64::from(random.between(1.0 - STRAY, 1.0 + STRAY));
    match (turn, best) {
        (0, _) | (_, None) => table.movable.iter().map(area).collect(),
        (1, _) => table.movable.iter().map(|piece| f64::from(table.body(*piece).radius).powi(2)).collect(),
        (2..STRAYING, _) => table.movable.iter().map(|piece| stray(area(piece))).collect(),
        (_, Some(best)) => {
            let mut sizes = best.to_vec();
            for _ in 0..REDRAWN {
                let at = random.below(sizes.len());
                sizes[at] = area(&table.movable[at]) * f64::from(random.between(1.0 - STRAY, 1.0 + STRAY));
            }
            sizes
        }
    }
}

/// Urgent pieces first, then by size.
fn order(table: &Table<'_>, sizes: &[f64]) -> Vec<usize> {
    let key = |piece: usize| Reverse(table.pieces[piece].priority);
    let mut order: Vec<(usize, f64)> = table.movable.iter().copied().zip(sizes.iter().copied()).collect();
    order.sort_by(|a, b| key(a.0).cmp(&key(b.0)).then(b.1.total_cmp(&a.1)).then(a.0.cmp(&b.0)));
    order.into_iter().map(|(piece, _)| piece).collect()
}

fn fill(table: &Table<'_>, order: &[usize], stencils: &mut Stencils, work: &mut u64) -> Layout {
    let mut grid = Grid::new(table);
    let mut layout = Layout::default();
    for (body, pose) in &table.dead {
        grid.block(body, *pose, table.limit);
    }
    for &(piece, pose) in &table.kept {
        grid.block(table.body(piece), pose, table.limit);
        layout.members.push((piece, pose));
    }
    let mut resume = BTreeMap::new();
    for &piece in order {
        let found = grid.leftmost(table, piece, &layout, stencils, &mut resume, work);
        if let Some(pose) = found {
            grid.block(table.body(piece), pose, table.limit);
            layout.members.push((piece, pose));
        }
    }
    layout
}

/// Where a piece at one turn covers cells: for each column of its box first cell and count of each run.
#[derive(Debug)]
struct Stencil {
    columns: Vec<Vec<(usize, usize)>>,
}

/// Stencils by outline and turn.
type Stencils = BTreeMap<(usize, u16), Stencil>;

impl Stencil {
    fn new(body: &Body, degrees: u16, cell: f32) -> Self {
        let extent = body.extents[usize::from(degrees)];
        let (sin, cos) = super::outline::sin_cos(degrees);
        let (sin, cos) = (cast::single(sin), cast::single(cos));
        let count = |axis: usize| cells((extent.high[axis] - extent.low[axis]) / cell);
        let is_covered = |column: usize, row: usize| {
            let x = extent.low[0] + center(column, cell);
            let y = extent.low[1] + center(row, cell);
            body.distance(cos * x + sin * y, cos * y - sin * x) <= 0.0
        };
        let runs = |column: usize| {
            let mut runs: Vec<(usize, usize)> = Vec::new();
            for row in (0..count(1)).filter(|row| is_covered(column, *row)) {
                match runs.last_mut().filter(|(first, count)| first + count == row) {
                    Some((_, count)) => *count += 1,
                    None => runs.push((row, 1)),
                }
            }
            runs
        };
        Self { columns: (0..count(0)).map(runs).collect() }
    }
}

/// The plate without its border.
struct Grid {
    cell: f32,
    columns: usize,
    rows: usize,
    words: usize,
    low_corner: [f32; 2],
    /// Level k of a column: bit y says that one of the cells y to y + 2^k is blocked.
    levels: Vec<Vec<u64>>,
}

impl Grid {
    fn new(table: &Table<'_>) -> Self {
        let size = [0, 1].map(|axis| table.high[axis] - table.low[axis]);
        let cell = CELL_MM.max(size[0].max(size[1]) / COLUMNS_MAX);
        let [columns, rows] = size.map(|side| cells(side / cell) + 1);
        let words = rows / 64 + 1;
        let mut levels = 1;
        while 1 << levels <= rows {
            levels += 1;
        }
        let levels = vec![vec![0; columns * words]; levels];
        Self { cell, columns, rows, words, low_corner: table.low, levels }
    }

    /// Blocks cells whose middle is nearer to a body than the limit.
    fn block(&mut self, body: &Body, pose: Pose, limit: f32) {
        let (sin, cos) = super::outline::sin_cos(pose.degrees);
        let (sin, cos) = (cast::single(sin), cast::single(cos));
        let reach = body.radius + limit;
        let range = |at: f32, low: f32, count: usize| {
            let from = cast::index(f64::from((at - reach - low) / self.cell));
            from..count.min(cast::index(f64::from((at + reach - low) / self.cell)) + 1)
        };
        let low = self.low_corner;
        let (columns, rows) = (range(pose.x, low[0], self.columns), range(pose.y, low[1], self.rows));
        for column in columns.clone() {
            for row in rows.clone() {
                let x = low[0] + center(column, self.cell) - pose.x;
                let y = low[1] + center(row, self.cell) - pose.y;
                if body.distance(cos * x + sin * y, cos * y - sin * x) < limit {
                    self.levels[0][column * self.words + row / 64] |= 1 << (row % 64);
                }
            }
        }
        columns.for_each(|column| self.spread(column));
    }

    fn spread(&mut self, column: usize) {
        let words = column * self.words..(column + 1) * self.words;
        for level in 1..self.levels.len() {
            let (below, above) = self.levels.split_at_mut(level);
            let (from, to) = (&below[level - 1][words.clone()], &mut above[0][words.clone()]);
            for (word, target) in to.iter_mut().enumerate() {
                *target = from[word] | shifted(from, word, 1 << (level - 1));
            }
        }
    }

    /// The place whose right edge lies farthest left, of all turns.
    fn leftmost(
        &self,
        table: &Table<'_>,
        piece: usize,
        layout: &Layout,
        stencils: &mut Stencils,
        resume: &mut BTreeMap<(usize, u16), usize>,
        work: &mut u64,
    ) -> Option<Pose> {
        let body = table.body(piece);
        let mut best: Option<(f32, Pose)> = None;
        for &degrees in &table.degrees[piece] {
            let name = (table.pieces[piece].outline, degrees);
            let stencil = stencils.entry(name).or_insert_with(|| Stencil::new(body, degrees, self.cell));
            let extent = body.extents[usize::from(degrees)];
            let width = extent.high[0] - extent.low[0];
            let Some([low, high]) = table.range(&extent) else { continue };
            let from = resume.entry(name).or_default();
            let last = cells_within(high[0] - low[0], self.cell);
            let rows = cells_within(high[1] - low[1], self.cell) + 1;
            for column in *from..=last {
                let left = offset(column, self.cell);
                if best.is_some_and(|(right, _)| left + width >= right) {
                    break;
                }
                *work += u64::from(column % COLUMNS_PER_WORK == 0);
                let x = low[0] + left;
                let free = self.free_rows(stencil, column, rows);
                let mut poses = free.map(|row| Pose { x, y: low[1] + offset(row, self.cell), degrees });
                let fits = |pose: &Pose| {
                    *work += 1;
                    is_free(table, piece, *pose, layout)
                };
                if let Some(pose) = poses.by_ref().take(REFUSALS_MAX).find(fits) {
                    best = Some((left + width, pose));
                    break;
                }
                // What was excluded here stays so for all pieces of this outline: the plate only fills.
                if poses.next().is_none() {
                    *from += usize::from(*from == column);
                }
            }
        }
        best.map(|(_, pose)| pushed(table, piece, pose, layout))
    }

    fn free_rows<'a>(
        &'a self,
        stencil: &Stencil,
        column: usize,
        rows: usize,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let mut blocked = vec![0_u64; self.words];
        for (at, runs) in stencil.columns.iter().enumerate() {
            if column + at >= self.columns {
                break;
            }
            let words = (column + at) * self.words..(column + at + 1) * self.words;
            for &(first, count) in runs {
                let level = cast::index(f64::from(usize::BITS - 1 - count.leading_zeros()));
                let line = &self.levels[level.min(self.levels.len() - 1)][words.clone()];
                let again = first + count - (1 << level);
                for (word, target) in blocked.iter_mut().enumerate() {
                    *target |= shifted(line, word, first) | shifted(line, word, again);
                }
            }
        }
        (0..rows.min(self.words * 64)).filter(move |row| blocked[row / 64] >> (row % 64) & 1 == 0)
    }
}

/// The word of a line of bits after moving it down by `by`; beyond the end nothing is blocked.
fn shifted(line: &[u64], word: usize, by: usize) -> u64 {
    let at = word + by / 64;
    let low = line.get(at).copied().unwrap_or(0) >> (by % 64);
    match by % 64 {
        0 => low,
        bits => low | line.get(at + 1).copied().unwrap_or(0) << (64 - bits),
    }
}

fn is_free(table: &Table<'_>, piece: usize, pose: Pose, layout: &Layout) -> bool {
    let this = (table.body(piece), pose);
    let touches = |body: &Body, at: Pose| table.turns.depth(this, (body, at), table.limit) > 0.0;
    !table.dead.iter().any(|(body, at)| touches(body, *at))
        && !layout.members.iter().any(|(other, at)| touches(table.body(*other), *at))
}

/// Left and down as far as the neighbours let it.
fn pushed(table: &Table<'_>, piece: usize, mut pose: Pose, layout: &Layout) -> Pose {
    let extent = table.body(piece).extents[usize::from(pose.degrees)];
    let Some([low, _]) = table.range(&extent) else { return pose };
    for step in PUSHES_MM {
        for [x, y] in [[step, 0.0], [0.0, step]] {
            let next = Pose { x: (pose.x - x).max(low[0]), y: (pose.y - y).max(low[1]), ..pose };
            if is_free(table, piece, next, layout) {
                pose = next;
            }
        }
    }
    pose
}

fn cells(count: f32) -> usize {
    cast::index(f64::from(count.ceil()))
}

/// Whole cells in a length; a length that misses a cell by less than a micrometre has it.
fn cells_within(length: f32, cell: f32) -> usize {
    cast::index(f64::from((length / cell + 0.001).floor()))
}

fn offset(index: usize, cell: f32) -> f32 {
    cast::single(f64::from(cast::vertex(index))) * cell
}

fn center(index: usize, cell: f32) -> f32 {
    offset(index, cell) + cell / 2.0
}
