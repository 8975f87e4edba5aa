//! Lays a surface between the samples that are metal and those that are not.

use nalgebra::{Matrix3, Point3, Vector3};

use super::Grid;
use super::lines::Lines;
use crate::mesh::pairing::{NONE, Pairing};
use crate::mesh::{Mesh, cast};

/// How strongly a corner is drawn to the middle of its crossings, against the planes of the faces there.
const DRAW: f64 = 0.02;
/// A corner stays this far inside its cell, in cells, so that the surface can't fold over.
const MARGIN: f64 = 0.02;

/// The surface, and within which distance of the old faces 999 of 1000 corners lie, mm.
pub(super) fn contour(mesh: &Mesh, grid: &Grid, lines: &[Lines; 3], metal: &[bool]) -> (Mesh, f64) {
    let [nx, ny, nz] = grid.counts;
    let mut new = Mesh::default();
    let mut offs: Vec<f32> = Vec::new();
    // The corners of the cells of the layer below and of this one.
    let mut layers = [vec![NONE; nx * ny], vec![NONE; nx * ny]];
    for z in 0..nz - 1 {
        layers.swap(0, 1);
        layers[1].fill(NONE);
        for y in 0..ny - 1 {
            for x in 0..nx - 1 {
                if is_mixed(grid, metal, [x, y, z]) {
                    let (corner, off) = corner(mesh, grid, lines, metal, [x, y, z]);
                    layers[1][y * nx + x] = cast::vertex(new.vertices.len());
                    new.vertices.push(corner.map(cast::single));
                    offs.push(off);
                }
            }
        }
        quads(&mut new, grid, metal, &layers, z);
    }
    let pairing = Pairing::of(&new);
    pairing.split_vertices(&mut new);
    pairing.split_edges(&mut new);
    let part = offs.len().saturating_sub(1).min(offs.len() * 999 / 1000);
    let off = if offs.is_empty() { 0.0 } else { *offs.select_nth_unstable_by(part, f32::total_cmp).1 };
    (new, f64::from(off) * grid.cell)
}

fn is_mixed(grid: &Grid, metal: &[bool], at: [usize; 3]) -> bool {
    let first = grid.index(at);
    let (row, layer) = (grid.counts[0], grid.counts[0] * grid.counts[1]);
    let is_metal = metal[first];
    [1, row, row + 1, layer, layer + 1, layer + row, layer + row + 1]
        .iter()
        .any(|step| metal[first + step] != is_metal)
}

/// The corner of a cell: nearest to the planes of all faces that cross its edges.
fn corner(
    mesh: &Mesh,
    grid: &Grid,
    lines: &[Lines; 3],
    metal: &[bool],
    cell: [usize; 3],
) -> (Point3<f64>, f32) {
    let mut points: Vec<(Vector3<f64>, Option<Vector3<f64>>)> = Vec::with_capacity(12);
    for axis in 0..3 {
        for (du, dv) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let mut low = cell;
            low[(axis + 1) % 3] += du;
            low[(axis + 2) % 3] += dv;
            let mut high = low;
            high[axis] += 1;
            if metal[grid.index(low)] != metal[grid.index(high)] {
                points.push(on_edge(mesh, &lines[axis], axis, low));
            }
        }
    }
    let base = Vector3::from(cell.map(|at| at as f64));
    let middle = points.iter().map(|(point, _)| point).sum::<Vector3<f64>>() / points.len().max(1) as f64;
    let (mut matrix, mut wanted) = (Matrix3::identity() * DRAW, Vector3::zeros());
    for (point, normal) in &points {
        if let Some(normal) = normal {
            matrix += normal * normal.transpose();
            wanted += normal * normal.dot(&(point - middle));
        }
    }
    let step = matrix.try_inverse().map_or_else(Vector3::zeros, |inverse| inverse * wanted);
    let inside = (middle + step - base).map(|part| part.clamp(MARGIN, 1.0 - MARGIN)) + base;
    let off = points
        .iter()
        .filter_map(|(point, normal)| normal.map(|normal| normal.dot(&(inside - point)).abs()))
        .fold(0.0, f64::max);
    (grid.origin + inside * grid.cell, cast::single(off))
}

/// Where the surface crosses an edge of the grid, in cells, with the normal of the face there.
fn on_edge(mesh: &Mesh, lines: &Lines, axis: usize, low: [usize; 3]) -> (Vector3<f64>, Option<Vector3<f64>>) {
    let mut point = Vector3::from(low.map(|at| at as f64));
    match lines.between(low) {
        Some(crossing) => {
            point[axis] = f64::from(crossing.at);
            let [a, b, c] = mesh.corners(crossing.face as usize);
            (point, (b - a).cross(&(c - a)).try_normalize(0.0))
        }
        None => {
            point[axis] += 0.5;
            (point, None)
        }
    }
}

/// Lays two faces across every grid edge that starts in layer `z` and goes from metal to none or back.
fn quads(new: &mut Mesh, grid: &Grid, metal: &[bool], layers: &[Vec<u32>; 2], z: usize) {
    let [nx, ny, _] = grid.counts;
    let cell = |x: usize, y: usize, layer: usize| layers[layer][y * nx + x];
    for y in 0..ny - 1 {
        for x in 0..nx - 1 {
            let here = metal[grid.index([x, y, z])];
            if x > 0 && y > 0 && here != metal[grid.index([x, y, z + 1])] {
                let around = [cell(x - 1, y - 1, 1), cell(x, y - 1, 1), cell(x, y, 1), cell(x - 1, y, 1)];
                quad(new, around, here);
            }
            if z > 0 && y > 0 && here != metal[grid.index([x + 1, y, z])] {
                let around = [cell(x, y - 1, 0), cell(x, y, 0), cell(x, y, 1), cell(x, y - 1, 1)];
                quad(new, around, here);
            }
            if z > 0 && x > 0 && here != metal[grid.index([x, y + 1, z])] {
                let around = [cell(x - 1, y, 0), cell(x - 1, y, 1), cell(x, y, 1), cell(x, y, 0)];
                quad(new, around, here);
            }
        }
    }
}

/// Adds a quad, cut along its shorter diagonal; it runs counter-clockwise seen from the end of its grid edge.
fn quad(new: &mut Mesh, [a, b, c, d]: [u32; 4], faces_up: bool) {
    if [a, b, c, d].contains(&NONE) {
        return;
    }
    let length =
        |from: u32, to: u32| (new.vertices[to as usize] - new.vertices[from as usize]).norm_squared();
    let mut faces =
        if length(a, c) <= length(b, d) { [[a, b, c], [a, c, d]] } else { [[a, b, d], [b, c, d]] };
    if !faces_up {
        faces.iter_mut().for_each(|face| face.swap(1, 2));
    }
    new.triangles.extend(faces);
}
