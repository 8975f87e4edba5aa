//! Floods of voxels: slow, and without a thought.

use crate::plate_checks::{Closed, Opening, Scene};
use crate::slice::{Display, Layer, LayerError, LayerSource, Orientation, RunList};

/// A plate as a block of voxels.
#[derive(Debug, Clone)]
pub(super) struct Voxels {
    pub(super) size: [usize; 3],
    /// By layer, row, column.
    pub(super) lit: Vec<bool>,
}

pub(super) const PITCH_MM: f64 = 0.1;
pub(super) const LAYER_MM: f64 = 0.05;

impl Voxels {
    /// Decodes every layer of a source.
    pub(super) fn of(source: &dyn LayerSource) -> Self {
        let display = source.display();
        let size = [display.width_px, display.height_px, source.layer_count()].map(|n| n as usize);
        let layers = (0..source.layer_count()).map(|index| source.layer(index).expect("a layer"));
        let pixels = layers.flat_map(|layer| {
            layer.runs.into_iter().flat_map(|run| std::iter::repeat_n(run.value >= 128, run.length as usize))
        });
        Self { size, lit: pixels.collect() }
    }

    /// Lines of `#` and `.`, layers parted by an empty line.
    pub(super) fn drawn(text: &str) -> Self {
        let layers: Vec<Vec<&str>> = text
            .split("\n\n")
            .map(|layer| layer.split_whitespace().collect::<Vec<_>>())
            .filter(|layer| !layer.is_empty())
            .collect();
        let size = [layers[0][0].len(), layers[0].len(), layers.len()];
        let lit = layers.iter().flatten().flat_map(|row| row.chars().map(|c| c == '#')).collect();
        Self { size, lit }
    }

    pub(super) fn scene(&self) -> Scene {
        let tops_mm = (1..=self.size[2]).map(|top| top as f64 * LAYER_MM).collect();
        Scene { tops_mm, ..Scene::default() }
    }

    fn index(&self, [x, y, z]: [usize; 3]) -> usize {
        (z * self.size[1] + y) * self.size[0] + x
    }

    fn at(&self, index: usize) -> [usize; 3] {
        let [width, height, _] = self.size;
        [index % width, index / width % height, index / (width * height)]
    }

    /// Neighbours by a side, in layers `from..=to`.
    fn neighbours(&self, index: usize, from: usize, to: usize) -> Vec<usize> {
        let at = self.at(index);
        let mut found = Vec::new();
        for axis in 0..3 {
            let (low, high) = if axis == 2 { (from, to) } else { (0, self.size[axis] - 1) };
            let mut next = at;
            if at[axis] > low {
                next[axis] = at[axis] - 1;
                found.push(self.index(next));
            }
            if at[axis] < high {
                next[axis] = at[axis] + 1;
                found.push(self.index(next));
            }
        }
        found
    }

    /// All voxels like the first one that hang together with it in layers `from..=to`, sorted. `seen` begins with
    /// layer `from`.
    fn flood(&self, start: usize, from: usize, to: usize, seen: &mut [bool]) -> Vec<usize> {
        let mut all = Vec::new();
        let mut next = vec![start];
        let offset = self.index([0, 0, from]);
        seen[start - offset] = true;
        while let Some(index) = next.pop() {
            all.push(index);
            for neighbour in self.neighbours(index, from, to) {
                if self.lit[neighbour] == self.lit[index] && !seen[neighbour - offset] {
                    seen[neighbour - offset] = true;
                    next.push(neighbour);
                }
            }
        }
        all.sort_unstable();
        all
    }

    fn bodies(&self, lit: bool, from: usize, to: usize) -> Vec<Vec<usize>> {
        let (offset, end) = (self.index([0, 0, from]), self.index([0, 0, to + 1]));
        let mut seen = vec![false; end - offset];
        let mut bodies = Vec::new();
        for start in offset..end {
            if self.lit[start] == lit && !seen[start - offset] {
                bodies.push(self.flood(start, from, to, &mut seen));
            }
        }
        bodies
    }

    fn is_open(&self, body: &[usize]) -> bool {
        let [width, height, _] = self.size;
        body.iter().any(|&index| {
            let [x, y, _] = self.at(index);
            x == 0 || y == 0 || x + 1 == width || y + 1 == height
        })
    }

    /// Layer, voxels and joining layer of each area without a lit voxel within `reach` below it, by first voxel.
    pub(super) fn islands(&self, reach: usize, raised: bool) -> Vec<(u32, Vec<usize>)> {
        let mut islands = Vec::new();
        for layer in usize::from(!raised)..self.size[2] {
            for area in self.bodies(true, layer, layer) {
                if !area.iter().any(|&index| self.is_held(index, reach)) {
                    islands.push((u32::try_from(layer).unwrap(), area));
                }
            }
        }
        islands
    }

    fn is_held(&self, index: usize, reach: usize) -> bool {
        let [x, y, z] = self.at(index);
        let Some(below) = z.checked_sub(1) else { return false };
        let columns = x.saturating_sub(reach)..=(x + reach).min(self.size[0] - 1);
        columns.into_iter().any(|x| {
            (y.saturating_sub(reach)..=(y + reach).min(self.size[1] - 1))
                .any(|y| self.lit[self.index([x, y, below])])
        })
    }

    /// The first layer up to which a voxel hangs together with the plate.
    pub(super) fn joins(&self, voxel: usize) -> Option<u32> {
        let first = self.at(voxel)[2];
        let floor = self.index([0, 0, 1]);
        let joined = (first..self.size[2]).find(|&layer| {
            let mut seen = vec![false; self.lit.len()];
            self.flood(voxel, 0, layer, &mut seen)[0] < floor
        });
        joined.map(|layer| u32::try_from(layer).unwrap())
    }

    /// First layer, last closed layer, how it opens, and voxels of each pocket.
    pub(super) fn pockets(&self) -> Vec<(u32, u32, Opening, usize)> {
        let top = self.size[2] - 1;
        let closed = |to: usize| -> Vec<Vec<usize>> {
            let mut bodies = self.bodies(false, 0, to);
            bodies.retain(|body| !self.is_open(body));
            bodies
        };
        let mut pockets = Vec::new();
        for layer in 0..=top {
            let after = if layer < top { closed(layer + 1) } else { Vec::new() };
            let here = closed(layer).into_iter();
            // Those that do not reach the layer ended before.
            for body in here.filter(|body| self.at(*body.last().unwrap())[2] == layer) {
                let next = after.iter().find(|next| next.binary_search(&body[0]).is_ok());
                let opening = match next {
                    Some(next) if next.len() == body.len() => Opening::Never,
                    Some(_) => continue,
                    None if layer == top => Opening::AfterPrint,
                    None => Opening::AtLayer(u32::try_from(layer + 1).unwrap()),
                };
                let first = self.at(body[0])[2];
                pockets.push((
                    u32::try_from(first).unwrap(),
                    u32::try_from(layer).unwrap(),
                    opening,
                    body.len(),
                ));
            }
        }
        pockets
    }

    /// Voxels that are never open, by one flood from outside through the whole block and out of its top.
    pub(super) fn trapped(&self) -> usize {
        let top = self.size[2] - 1;
        let bodies = self.bodies(false, 0, top).into_iter();
        let leaves = |body: &[usize]| self.is_open(body) || self.at(*body.last().unwrap())[2] == top;
        bodies.filter(|body| !leaves(body)).map(|body| body.len()).sum()
    }
}

impl LayerSource for Voxels {
    fn display(&self) -> Display {
        let [width_px, height_px, _] = self.size.map(|n| u32::try_from(n).unwrap());
        let orientation = Orientation::Landscape;
        let pitch_mm = [PITCH_MM; 2];
        // Rows run with y, columns with x: place and voxel agree.
        Display { width_px, height_px, pitch_mm, orientation, mirror_x: false, mirror_y: true }
    }

    fn layer_count(&self) -> u32 {
        u32::try_from(self.size[2]).unwrap()
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let pixels = self.size[0] * self.size[1];
        let mut runs = RunList::new();
        for &lit in self.lit.iter().skip(pixels * index as usize).take(pixels) {
            runs.push(if lit { 255 } else { 0 }, 1);
        }
        Ok(runs.finish(index, self.display().pixel_mm2(), 0))
    }
}

/// A way to sort what both sides found.
pub(super) fn pocket_key(closed: Closed, opening: Opening, first: u32, last: u32, voxels: usize) -> String {
    format!("{first} {last} {closed:?} {opening:?} {voxels}")
}
