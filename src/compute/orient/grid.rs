//! Coarse layers of a turned mesh, fast enough to make them for many candidates.
//!
//! The mesh is cut at the middle of each layer and of each row of cells. A vertex lies above a plane only if it
//! is higher than it, and edges are cut from their lower end, so rows of a closed mesh close without tolerances.
//! What lies in several bodies counts once.

use nalgebra::{Rotation3, UnitQuaternion};

use crate::mesh::{Bounds, Mesh, cast};
use crate::slice::{Display, Layer, LayerError, LayerSource, Orientation, RunList};

/// Side of a cell and height of a layer, mm, for parts of usual size.
const CELL_MM: f64 = 0.1;
/// A larger part gets larger cells: at most this many along its box, and this many on its surface.
const CELLS_MAX: f64 = 1000.0;
const SURFACE_CELLS_MAX: f64 = 4.0e6;

/// Where rows meet the surface, sorted by layer, row and column.
pub(super) struct Grid {
    /// Side of a cell, mm.
    pub(super) cell_mm: f64,
    columns: u32,
    rows: u32,
    layers: u32,
    crossings: Vec<Crossing>,
    /// The first crossing of each layer, and the end.
    starts: Vec<usize>,
}

/// Layer, row, column, zone and sense of a crossing, in this order, so that sorting numbers sorts places.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Crossing(u64);

impl Crossing {
    fn new(layer: u32, row: u32, column: u32, zone: u8, is_exit: bool) -> Self {
        let place = u64::from(layer) << 48 | u64::from(row) << 32 | u64::from(column) << 16;
        Self(place | u64::from(zone) << 8 | u64::from(is_exit))
    }

    fn layer_and_row(self) -> u64 {
        self.0 >> 32
    }

    fn column(self) -> u32 {
        u32::from(self.bits::<16>())
    }

    fn zone(self) -> u8 {
        self.0.to_le_bytes()[1]
    }

    fn turn(self) -> i32 {
        if self.0 & 1 == 1 { -1 } else { 1 }
    }

    fn bits<const SHIFT: u32>(self) -> u16 {
        let bytes = (self.0 >> SHIFT).to_le_bytes();
        u16::from_le_bytes([bytes[0], bytes[1]])
    }
}

impl Grid {
    /// Cuts a turned mesh; `zones` has one entry for each face. Nothing if no face is used.
    pub(super) fn of(mesh: &Mesh, rotation: &UnitQuaternion<f64>, zones: &[u8]) -> Option<Self> {
        let turn = rotation.to_rotation_matrix();
        let bounds = turned_bounds(mesh, &turn)?;
        let cell_mm = cell_mm(mesh, &bounds);
        // One free cell on each side, so that no layer touches the border.
        let origin = bounds.min.coords / cell_mm - nalgebra::Vector3::new(1.0, 1.0, 0.0);
        let points: Vec<[f64; 3]> = mesh
            .vertices
            .iter()
            .map(|vertex| ((turn * vertex.cast::<f64>()).coords / cell_mm - origin).into())
            .collect();
        let cells = |axis: usize, border: f64| {
            cast::vertex(cast::index((bounds.size()[axis] / cell_mm + border).ceil()).max(1))
        };
        let (columns, rows, layers) = (cells(0, 2.0), cells(1, 2.0), cells(2, 0.0));
        let mut crossings = Vec::new();
        for (face, &zone) in mesh.triangles.iter().zip(zones) {
            cut_face(face.map(|index| &points[index as usize]), zone, &mut crossings);
        }
        crossings.sort_unstable();
        let start = |layer: u32| {
            crossings.partition_point(|crossing| crossing.layer_and_row() >> 16 < u64::from(layer))
        };
        let starts = (0..=layers).map(start).collect();
        Some(Self { cell_mm, columns, rows, layers, crossings, starts })
    }

    /// The zones at both ends of the run that covers a cell; nothing if the cell is dark.
    pub(super) fn zones_at(&self, layer: u32, column: u32, row: u32) -> Option<[u8; 2]> {
        let mut found = None;
        self.each_run(self.row(layer, row), |from, to| {
            if (from.column()..to.column()).contains(&column) {
                found = Some([from.zone(), to.zone()]);
            }
        });
        found
    }

    fn row(&self, layer: u32, row: u32) -> &[Crossing] {
        let key = u64::from(layer) << 16 | u64::from(row);
        let first = self.crossings.partition_point(|crossing| crossing.layer_and_row() < key);
        let end = self.crossings.partition_point(|crossing| crossing.layer_and_row() <= key);
        &self.crossings[first..end]
    }

    /// Calls `run` with both ends of each run of a row; what does not end is left out.
    fn each_run(&self, row: &[Crossing], mut run: impl FnMut(Crossing, Crossing)) {
        let (mut winding, mut start) = (0, None);
        for &crossing in row {
            winding += crossing.turn();
            match start {
                None if winding != 0 => start = Some(crossing),
                Some(from) if winding == 0 => {
                    run(from, crossing);
                    start = None;
                }
                None | Some(_) => {}
            }
        }
    }
}

impl LayerSource for Grid {
    fn display(&self) -> Display {
        Display {
            width_px: self.columns,
            height_px: self.rows,
            pitch_mm: [self.cell_mm; 2],
            orientation: Orientation::Landscape,
            mirror_x: false,
            // Rows run along y.
            mirror_y: true,
        }
    }

    fn layer_count(&self) -> u32 {
        self.layers
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let Some(ends) = self.starts.get(index as usize..index as usize + 2) else {
            return Err(LayerError::OutOfRange { index, count: self.layers });
        };
        let mut list = RunList::new();
        let mut reached = 0_u32;
        for row in self.crossings[ends[0]..ends[1]].chunk_by(|a, b| a.layer_and_row() == b.layer_and_row()) {
            let start = u32::from(row[0].bits::<32>()) * self.columns;
            self.each_run(row, |from, to| {
                list.push(0, start + from.column() - reached);
                list.push(255, to.column() - from.column());
                reached = start + to.column();
            });
        }
        list.push(0, self.rows * self.columns - reached);
        Ok(list.finish(index, self.cell_mm * self.cell_mm, 0))
    }
}

fn turned_bounds(mesh: &Mesh, turn: &Rotation3<f64>) -> Option<Bounds> {
    Bounds::around(
        mesh.triangles.iter().flatten().map(|&index| turn * mesh.vertices[index as usize].cast::<f64>()),
    )
}

fn cell_mm(mesh: &Mesh, bounds: &Bounds) -> f64 {
    let along = bounds.size().max() / CELLS_MAX;
    let across = (mesh.area() / SURFACE_CELLS_MAX).sqrt();
    CELL_MM.max(along).max(across)
}

/// Adds where a face crosses the middles of rows.
fn cut_face(face: [&[f64; 3]; 3], zone: u8, crossings: &mut Vec<Crossing>) {
    let ([low, middle, high], is_even) = by_height(face);
    // The middle of layer k is at k + 0.5.
    for layer in middles(low[2], high[2]) {
        let plane = f64::from(layer) + 0.5;
        let long = at_height(low, high, plane);
        let short =
            if middle[2] > plane { at_height(low, middle, plane) } else { at_height(middle, high, plane) };
        // Seen from above, the face runs from `long` to `short` with the inside on its left if the corners lie
        // in the order of their heights, and back if not.
        let is_exit = (short[1] > long[1]) == is_even;
        let (from, to) = if long[1] < short[1] { (long, short) } else { (short, long) };
        for row in middles(from[1], to[1]) {
            let part = (f64::from(row) + 0.5 - from[1]) / (to[1] - from[1]);
            let column = cast::index((from[0] + (to[0] - from[0]) * part - 0.5).ceil());
            crossings.push(Crossing::new(layer, row, cast::vertex(column), zone, is_exit));
        }
    }
}

/// Corners from low to high, and whether that is the order of the face but for where it begins.
fn by_height([a, b, c]: [&[f64; 3]; 3]) -> ([&[f64; 3]; 3], bool) {
    let swap = |one: &[f64; 3], two: &[f64; 3]| two[2] < one[2];
    let (a, b, first) = if swap(a, b) { (b, a, true) } else { (a, b, false) };
    let (b, c, second) = if swap(b, c) { (c, b, true) } else { (b, c, false) };
    let (a, b, third) = if swap(a, b) { (b, a, true) } else { (a, b, false) };
    ([a, b, c], !(first ^ second ^ third))
}

/// The cells whose middle lies in `low..high`, half-open.
fn middles(low: f64, high: f64) -> std::ops::Range<u32> {
    cast::vertex(cast::index((low - 0.5).ceil()))..cast::vertex(cast::index((high - 0.5).ceil()))
}

/// Where an edge from `low` to `high` passes a height; an edge that two faces share gives both the same place.
fn at_height(low: &[f64; 3], high: &[f64; 3], height: f64) -> [f64; 2] {
    let part = (height - low[2]) / (high[2] - low[2]);
    [low[0] + (high[0] - low[0]) * part, low[1] + (high[1] - low[1]) * part]
}
