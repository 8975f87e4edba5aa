//! Sections straight from the triangles, with nothing of the slicer.

use crate::mesh::Mesh;
use crate::slice::usize_of;

/// A solid without overlaps, cut anywhere.
pub(super) struct Section {
    triangles: Vec<[[f64; 3]; 3]>,
}

impl Section {
    pub(super) fn of(mesh: &Mesh, offset_mm: [f64; 3]) -> Self {
        let corner = |index: u32| {
            let vertex = mesh.vertices[usize_of(index)];
            [0, 1, 2].map(|axis| f64::from(vertex[axis]) + offset_mm[axis])
        };
        Self { triangles: mesh.triangles.iter().map(|triangle| triangle.map(corner)).collect() }
    }

    /// Pieces of outline at a height, solid to the left.
    pub(super) fn outline(&self, z: f64) -> Vec<[[f64; 2]; 2]> {
        let mut pieces = Vec::new();
        for corners in &self.triangles {
            let (mut start, mut end) = (None, None);
            for i in 0..3 {
                let (a, b) = (corners[i], corners[(i + 1) % 3]);
                let cut = || {
                    let share = (z - a[2]) / (b[2] - a[2]);
                    [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]
                };
                if a[2] > z && b[2] <= z {
                    start = Some(cut());
                } else if a[2] <= z && b[2] > z {
                    end = Some(cut());
                }
            }
            pieces.extend(start.zip(end).map(|(start, end)| [start, end]));
        }
        pieces
    }

    /// Green's formula.
    pub(super) fn area_mm2(&self, z: f64) -> f64 {
        self.outline(z).iter().map(|[a, b]| a[0] * b[1] - b[0] * a[1]).sum::<f64>() / 2.0
    }
}

/// Distance of a point from the solid: 0 inside.
pub(super) fn outside_mm(outline: &[[[f64; 2]; 2]], at: [f64; 2]) -> f64 {
    let mut winding = 0;
    let mut nearest = f64::INFINITY;
    for [a, b] in outline {
        let way = [b[0] - a[0], b[1] - a[1]];
        let off = [at[0] - a[0], at[1] - a[1]];
        nearest = nearest.min(off_line_mm(*a, *b, at));
        let side = way[0] * off[1] - way[1] * off[0];
        if a[1] <= at[1] && b[1] > at[1] && side > 0.0 {
            winding += 1;
        } else if a[1] > at[1] && b[1] <= at[1] && side < 0.0 {
            winding -= 1;
        }
    }
    if winding == 0 { nearest } else { 0.0 }
}

/// Whether two pieces of line cross.
pub(super) fn cross([a, b]: [[f64; 2]; 2], [c, d]: [[f64; 2]; 2]) -> bool {
    let side =
        |p: [f64; 2], q: [f64; 2], r: [f64; 2]| (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
    (side(a, b, c) > 0.0) != (side(a, b, d) > 0.0) && (side(c, d, a) > 0.0) != (side(c, d, b) > 0.0)
}

/// Distance of a point from a piece of line.
pub(super) fn off_line_mm(from: [f64; 2], to: [f64; 2], at: [f64; 2]) -> f64 {
    let way = [to[0] - from[0], to[1] - from[1]];
    let off = [at[0] - from[0], at[1] - from[1]];
    let long2 = way[0] * way[0] + way[1] * way[1];
    let share = if long2 > 0.0 { ((off[0] * way[0] + off[1] * way[1]) / long2).clamp(0.0, 1.0) } else { 0.0 };
    (off[0] - share * way[0]).hypot(off[1] - share * way[1])
}
