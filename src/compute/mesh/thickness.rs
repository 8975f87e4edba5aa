//! How thin the thinnest wall is, by rays: a fast estimate with a place, not a proof.

use nalgebra::Point3;

use super::bvh::Bvh;
use super::{Mesh, triangle_area};

/// The thinnest wall that was met.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wall {
    pub(crate) thickness_mm: f64,
    /// In the middle of the wall.
    pub(crate) place: Point3<f64>,
}

/// Two faces are a wall if their outsides look apart within 26 degrees; what meets at an edge is none.
const OPPOSITE: f64 = -0.9;
/// Distances below this, mm, are faces that lie on each other.
const TOUCHING_MM: f64 = 1.0e-4;
/// A wall counts if this much of the surface, mm2 and as part of the whole, is as thin: the last hundredths of
/// a tip or a knife edge are no wall.
const PATCH_MM2: f64 = 0.25;
const PATCH_PART: f64 = 0.001;

/// Measures straight inward at `samples` places that are spread evenly over the area. What is known to be no wall
/// because it is below `thinner_mm`, like the flanks of an edge, does not count.
pub(crate) fn thinnest(mesh: &Mesh, samples: usize, thinner_mm: f64) -> Option<Wall> {
    let area = mesh.area();
    if samples == 0 || area <= 0.0 {
        return None;
    }
    let bvh = Bvh::over(mesh);
    let step = area / samples as f64;
    let mut walls: Vec<(f64, Wall)> = Vec::new();
    let mut waiting = 0.0;
    for face in 0..mesh.triangles.len() {
        waiting += triangle_area(mesh.corners(face));
        // One place for each face: a face larger than a step is flat, its wall changes little.
        if waiting >= step {
            let wall = wall_at(mesh, &bvh, face).filter(|wall| wall.thickness_mm >= thinner_mm);
            walls.extend(wall.map(|wall| (waiting, wall)));
            waiting = 0.0;
        }
    }
    walls.sort_by(|a, b| a.1.thickness_mm.total_cmp(&b.1.thickness_mm));
    let patch = PATCH_MM2.min(PATCH_PART * area);
    let mut thinner = 0.0;
    walls
        .into_iter()
        .find(|(area, _)| {
            thinner += area;
            thinner >= patch
        })
        .map(|(_, wall)| wall)
}

fn wall_at(mesh: &Mesh, bvh: &Bvh<'_>, face: usize) -> Option<Wall> {
    let normal_of = |face: usize| {
        let [a, b, c] = mesh.corners(face);
        (b - a).cross(&(c - a)).try_normalize(0.0)
    };
    let normal = normal_of(face)?;
    let [a, b, c] = mesh.corners(face);
    let middle = Point3::from((a.coords + b.coords + c.coords) / 3.0);
    let hit = bvh.first_hit(middle, -normal, |hit| hit.face as usize != face && hit.at > TOUCHING_MM)?;
    let is_wall = normal_of(hit.face as usize)?.dot(&normal) <= OPPOSITE;
    is_wall.then(|| Wall { thickness_mm: hit.at, place: middle - normal * (hit.at / 2.0) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::{cube, inside_out, merged};

    #[test]
    fn the_wall_of_a_hollow_cube_is_found_where_it_is_thinnest() {
        let hollow = merged(&[
            cube(Point3::new(0.0, 0.0, 0.0), 10.0),
            inside_out(cube(Point3::new(0.6, 2.0, 2.0), 5.0)),
        ]);

        let wall = thinnest(&hollow, 1000, 0.0).unwrap();

        assert!((wall.thickness_mm - 0.6).abs() < 1e-6);
        assert!(wall.place.x < 0.6);
    }
}
