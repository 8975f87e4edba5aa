//! Stones that were left in the file: the most expensive trap, since they would be weighed as metal.

use nalgebra::{Point3, Vector3};
use serde::{Deserialize, Serialize};

use crate::mesh::shells::{self, Shell};
use crate::mesh::topology::Topology;
use crate::mesh::{Bounds, Mesh, ShellKind};

/// A closed body that looks like a cut stone in its setting. Source: `geometry.md` section 5.3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stone {
    /// Which shell of the mesh.
    pub shell: usize,
    /// The middle of its box, mm.
    pub center_mm: [f64; 3],
    /// Lowest and highest corner of its box, mm.
    pub bounds_mm: [[f64; 3]; 2],
    /// Its largest diameter, mm.
    pub outline_mm: f64,
    /// Its smallest extent across a facet: about the depth of a cut stone, mm.
    pub depth_mm: f64,
    /// Its volume, mm3.
    pub volume_mm3: f64,
    /// What it would weigh as a diamond, carat.
    pub diamond_carat: f64,
}

/// Faces of a stone: below, it is no cut; above, nobody models a stone that way. A single cut has 17 facets, a
/// brilliant 57 or 58.
const FACES: std::ops::RangeInclusive<usize> = 12..=400;
const FACETS: std::ops::RangeInclusive<usize> = 8..=120;
const VOLUME_MM3: std::ops::RangeInclusive<f64> = 0.05..=6000.0;
const LONGEST_MM: std::ops::RangeInclusive<f64> = 0.8..=25.0;
/// The setting is within this of the stone, mm.
const GAP_MM: f64 = 0.3;
/// Dents up to this part of the longest side leave at least 98 % of the convex hull.
const DENT_PART: f64 = 0.002;
/// Density of diamond, g/cm3, and grams of a carat.
const DIAMOND_G_PER_CM3: f64 = 3.52;
const CARAT_G: f64 = 0.2;

/// The shells that look like stones: convex, faceted, small, and in or at a larger body.
pub(crate) fn find(mesh: &Mesh, topology: &Topology, all: &[Shell]) -> Vec<Stone> {
    if all.len() < 2 || all.len() > shells::NESTED_SHELLS_MAX {
        return Vec::new();
    }
    let small = shells::faces_of_small(topology, all, *FACES.end());
    let candidates = (0..all.len()).filter(|&index| is_cut(mesh, &all[index], &small[index]));
    let stones = candidates.filter(|&index| is_set(mesh, topology, all, index, &small[index]));
    stones.map(|index| describe(mesh, index, &all[index], &small[index])).collect()
}

fn is_cut(mesh: &Mesh, shell: &Shell, faces: &[usize]) -> bool {
    let longest = shell.bounds.size().max();
    shell.kind == ShellKind::Solid
        && FACES.contains(&faces.len())
        && VOLUME_MM3.contains(&shell.volume_mm3)
        && LONGEST_MM.contains(&longest)
        && FACETS.contains(&shells::plane_count(mesh, faces))
        && shells::is_convex(mesh, faces, DENT_PART * longest)
}

/// Whether a larger body that is no convex one surrounds the box of a convex one and comes near it.
fn is_set(mesh: &Mesh, topology: &Topology, all: &[Shell], index: usize, faces: &[usize]) -> bool {
    let wide = widened(&all[index].bounds, GAP_MM);
    let is_setting = |other: &usize| {
        let shell = &all[*other];
        *other != index
            && shell.kind == ShellKind::Solid
            && shell.triangles > all[index].triangles
            && widened(&shell.bounds, GAP_MM).contains(&all[index].bounds)
    };
    let settings: Vec<usize> = (0..all.len()).filter(is_setting).collect();
    let planes: Vec<(Vector3<f64>, f64)> =
        faces.iter().filter_map(|&face| plane(mesh.corners(face))).collect();
    !settings.is_empty()
        && (0..mesh.triangles.len()).any(|face| {
            let corners = mesh.corners(face);
            settings.binary_search(&(topology.shell_of[face] as usize)).is_ok()
                && overlaps(&wide, &corners)
                && reaches(&planes, corners)
        })
}

fn widened(bounds: &Bounds, gap_mm: f64) -> Bounds {
    Bounds { min: bounds.min.map(|low| low - gap_mm), max: bounds.max.map(|high| high + gap_mm) }
}

fn overlaps(bounds: &Bounds, corners: &[Point3<f64>; 3]) -> bool {
    (0..3).all(|axis| {
        corners.iter().any(|corner| corner[axis] >= bounds.min[axis])
            && corners.iter().any(|corner| corner[axis] <= bounds.max[axis])
    })
}

fn plane([a, b, c]: [Point3<f64>; 3]) -> Option<(Vector3<f64>, f64)> {
    let normal = (b - a).cross(&(c - a)).try_normalize(0.0)?;
    Some((normal, normal.dot(&a.coords)))
}

/// Whether some of a face lies within the gap of all planes of a convex body: what is left of it when it is cut
/// by each.
fn reaches(planes: &[(Vector3<f64>, f64)], corners: [Point3<f64>; 3]) -> bool {
    let mut left = corners.to_vec();
    for (normal, at) in planes {
        let above = |point: &Point3<f64>| normal.dot(&point.coords) - at - GAP_MM;
        let mut kept = Vec::with_capacity(left.len() + 1);
        for (index, from) in left.iter().enumerate() {
            let to = &left[(index + 1) % left.len()];
            let (one, two) = (above(from), above(to));
            if one <= 0.0 {
                kept.push(*from);
            }
            if (one <= 0.0) != (two <= 0.0) {
                kept.push(from + (to - from) * (one / (one - two)));
            }
        }
        left = kept;
    }
    !left.is_empty()
}

fn describe(mesh: &Mesh, index: usize, shell: &Shell, faces: &[usize]) -> Stone {
    let mut points: Vec<u32> = faces.iter().flat_map(|&face| mesh.triangles[face]).collect();
    points.sort_unstable();
    points.dedup();
    let points: Vec<Point3<f64>> = points.iter().map(|&point| mesh.vertices[point as usize].cast()).collect();
    let distances = points.iter().flat_map(|a| points.iter().map(move |b| (b - a).norm()));
    let depths = faces.iter().filter_map(|&face| plane(mesh.corners(face))).map(|(normal, at)| {
        let lowest = points.iter().map(|point| normal.dot(&point.coords)).fold(f64::INFINITY, f64::min);
        at - lowest
    });
    Stone {
        shell: index,
        center_mm: shell.bounds.center().coords.into(),
        bounds_mm: [shell.bounds.min.coords.into(), shell.bounds.max.coords.into()],
        outline_mm: distances.fold(0.0, f64::max),
        depth_mm: depths.fold(f64::INFINITY, f64::min),
        volume_mm3: shell.volume_mm3,
        diamond_carat: shell.volume_mm3 / 1000.0 * DIAMOND_G_PER_CM3 / CARAT_G,
    }
}

#[cfg(test)]
mod tests;
