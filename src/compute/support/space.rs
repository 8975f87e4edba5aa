//! How far it is to the part, from anywhere between it and the plate.

use nalgebra::Point3;
use rayon::prelude::*;

use super::bits::Bits;

/// Cells are about as large as this, mm: finer than the distance that supports keep.
const CELL_MM: f64 = 0.15;

/// Distances are known up to this many cells.
const KNOWN_CELLS: usize = 9;

/// Room around the part in which supports may run, mm.
const ROOM_MM: f64 = 6.0;

/// A larger part gets larger cells: memory stays below 100 MB.
const CELLS_MAX: usize = 12_000_000;

/// The part in cells, while its layers are added.
pub(super) struct Occupied {
    low: [f64; 2],
    /// Pixels and layers of a cell.
    pixels: usize,
    layers: usize,
    cell_mm: [f64; 3],
    room: usize,
    size: [usize; 3],
    taken: Vec<bool>,
}

impl Occupied {
    /// A window of `size` pixels with its corner at `low`, and layers.
    pub(super) fn new(low: [f64; 2], size: [usize; 2], layers: usize, pixel_mm: f64, layer_mm: f64) -> Self {
        let mut wish = CELL_MM;
        loop {
            let pixels = whole((wish / pixel_mm).round()).max(1);
            let tall = whole((wish / layer_mm).round()).max(1);
            let cell_mm = [float(pixels) * pixel_mm, float(pixels) * pixel_mm, float(tall) * layer_mm];
            let room = whole((ROOM_MM / cell_mm[0]).ceil());
            let across = |px: usize| px.div_ceil(pixels) + 2 * room;
            let grid = [across(size[0]), across(size[1]), layers.div_ceil(tall) + 1];
            let cells = grid[0].saturating_mul(grid[1]).saturating_mul(grid[2]);
            if cells <= CELLS_MAX {
                let low = [0, 1].map(|axis| low[axis] - float(room) * cell_mm[axis]);
                return Self {
                    low,
                    pixels,
                    layers: tall,
                    cell_mm,
                    room,
                    size: grid,
                    taken: vec![false; cells],
                };
            }
            wish *= 1.3;
        }
    }

    pub(super) fn add(&mut self, layer: usize, bits: &Bits) {
        let floor = layer / self.layers * self.size[0] * self.size[1];
        for [column, row] in bits.pixels() {
            let cell = (row / self.pixels + self.room) * self.size[0] + column / self.pixels + self.room;
            if let Some(taken) = self.taken.get_mut(floor + cell) {
                *taken = true;
            }
        }
    }

    /// Distances by one pass along each axis.
    pub(super) fn measure(self) -> Space {
        let [width, depth, _] = self.size;
        let far = float32(self.cell_mm[0].min(self.cell_mm[2]) * float(KNOWN_CELLS));
        let mut field: Vec<f32> = vec![0.0; self.taken.len()];
        let step = float32(self.cell_mm[0]);
        field.par_chunks_mut(width).zip(self.taken.par_chunks(width)).for_each(|(out, taken)| {
            sweep(taken, out, step, far);
        });
        field.par_chunks_mut(width * depth).for_each(|floor| {
            let rows = floor.to_vec();
            lower(floor, &rows, width, depth, float32(self.cell_mm[1]), far);
        });
        let below = field.clone();
        let floor = width * depth;
        let (levels, tall) = (self.size[2], float32(self.cell_mm[2]));
        field.par_chunks_mut(floor).enumerate().for_each(|(level, out)| {
            for (other, squared) in near(level, levels, tall) {
                lower_row(out, &below[other * floor..(other + 1) * floor], squared);
            }
            out.iter_mut().for_each(|value| *value = value.sqrt());
        });
        Space { low: self.low, cell_mm: self.cell_mm, size: self.size, field, far: f64::from(far) }
    }
}

/// Squared distance to the nearest taken cell of a row.
fn sweep(taken: &[bool], out: &mut [f32], step: f32, far: f32) {
    let mut last = far;
    for (out, &taken) in out.iter_mut().zip(taken) {
        last = if taken { 0.0 } else { (last + step).min(far) };
        *out = last;
    }
    let mut last = far;
    for (out, &taken) in out.iter_mut().zip(taken).rev() {
        last = if taken { 0.0 } else { (last + step).min(far) };
        *out = out.min(last) * out.min(last);
    }
}

/// Lets each row of a floor be near to the rows beside it.
fn lower(floor: &mut [f32], rows: &[f32], width: usize, depth: usize, step: f32, far: f32) {
    let empty: Vec<bool> =
        rows.chunks(width).map(|row| row.iter().all(|&value| value >= far * far)).collect();
    for (row, out) in floor.chunks_mut(width).enumerate() {
        for (other, squared) in near(row, depth, step) {
            if !empty[other] {
                lower_row(out, &rows[other * width..(other + 1) * width], squared);
            }
        }
    }
}

fn lower_row(out: &mut [f32], from: &[f32], squared: f32) {
    out.iter_mut().zip(from).for_each(|(out, from)| *out = out.min(from + squared));
}

/// Indices within reach, with their squared distances.
fn near(index: usize, count: usize, step: f32) -> impl Iterator<Item = (usize, f32)> {
    let range = index.saturating_sub(KNOWN_CELLS)..(index + KNOWN_CELLS + 1).min(count);
    range.filter(move |&other| other != index).map(move |other| {
        let away = float32(float(other.abs_diff(index))) * step;
        (other, away * away)
    })
}

/// Distances to the part.
pub(super) struct Space {
    low: [f64; 2],
    cell_mm: [f64; 3],
    size: [usize; 3],
    field: Vec<f32>,
    far: f64,
}

impl Space {
    /// Distance to the part, mm: about half a cell too small, never more than that too large; what is far is told
    /// as about 1.3 mm.
    pub(super) fn clear_mm(&self, point: &Point3<f64>) -> f64 {
        let at = [
            (point.x - self.low[0]) / self.cell_mm[0] - 0.5,
            (point.y - self.low[1]) / self.cell_mm[1] - 0.5,
            (point.z / self.cell_mm[2] - 0.5).max(0.0),
        ];
        let mut base = [0_usize; 3];
        let mut part = [0.0; 3];
        for axis in 0..3 {
            let floor = at[axis].floor();
            if floor < 0.0 || whole(floor) + 1 >= self.size[axis] {
                return self.far;
            }
            base[axis] = whole(floor);
            part[axis] = at[axis] - floor;
        }
        let mut sum = 0.0;
        for corner in 0..8_usize {
            let bit = [corner & 1, corner >> 1 & 1, corner >> 2 & 1];
            let weight: f64 =
                (0..3).map(|axis| if bit[axis] == 1 { part[axis] } else { 1.0 - part[axis] }).product();
            let index =
                ((base[2] + bit[2]) * self.size[1] + base[1] + bit[1]) * self.size[0] + base[0] + bit[0];
            sum += weight * f64::from(self.field[index]);
        }
        sum - self.cell_mm[0] / 2.0
    }

    /// Whether a line keeps this distance all the way.
    pub(super) fn is_clear(&self, from: &Point3<f64>, to: &Point3<f64>, needed_mm: f64) -> bool {
        let way = to - from;
        let length = way.norm();
        let mut at = 0.0;
        loop {
            let clear = self.clear_mm(&(from + way * (at / length.max(1e-9)).min(1.0)));
            if clear < needed_mm {
                return false;
            }
            if at >= length {
                return true;
            }
            // Nothing can be nearer than what is left over, so the next step may be as long.
            at = (at + (clear - needed_mm).max(self.cell_mm[0] / 2.0)).min(length);
        }
    }

    /// Whether a pillar can stand below a point.
    pub(super) fn drops(&self, point: &Point3<f64>, needed_mm: f64) -> bool {
        self.is_clear(point, &Point3::new(point.x, point.y, 0.0), needed_mm)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; saturates")]
fn whole(value: f64) -> usize {
    value as usize
}

#[expect(clippy::cast_precision_loss, reason = "counts of cells")]
fn float(value: usize) -> f64 {
    value as f64
}

#[expect(clippy::cast_possible_truncation, reason = "millimetres")]
fn float32(value: f64) -> f32 {
    value as f32
}
