//! Straight ways through the metal of suspect places.

use nalgebra::{Point3, Vector3};

use super::components::Components;
use super::voxels::{Voxels, meet};
use crate::mesh::bvh::Bvh;
use crate::mesh::{Bounds, Mesh, cast, triangle_area};

/// Two faces are a wall if their outsides look apart within 26 degrees; what meets at an edge is none.
const OPPOSITE: f64 = -0.9;
/// Distances below this, mm, are faces that lie on each other.
const TOUCHING_MM: f64 = 1.0e-4;
/// Samples are about so far apart, mm.
const SPACING_MM: f64 = 0.12;
/// A face is cut into at most so many parts along each side.
const PARTS_MAX: usize = 256;

/// A straight way through metal, perpendicular to the face that it starts on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chord {
    pub(super) length_mm: f64,
    pub(super) middle: Point3<f64>,
    /// The surface that it stands for.
    pub(super) area_mm2: f64,
    /// A suspect cube just below that surface.
    pub(super) cube: [usize; 3],
}

/// The chords of the surface of all suspect places that end on an opposite face.
pub(super) fn chords(mesh: &Mesh, voxels: &Voxels, found: &Components, longest_mm: f64) -> Vec<Chord> {
    let mut chords = Vec::new();
    if found.places.is_empty() {
        return chords;
    }
    let faces = near(mesh, found, 2.0 * longest_mm);
    let bvh = Bvh::over_faces(mesh, &faces);
    let mut waiting = 0.0;
    for &face in &faces {
        let corners = mesh.corners(face as usize);
        let Some(normal) = normal_of(corners) else { continue };
        let parts = parts(corners);
        let area = triangle_area(corners) / (parts * parts) as f64;
        for place in spots(corners, parts) {
            waiting += area;
            if waiting < SPACING_MM * SPACING_MM / 2.0 {
                continue;
            }
            let area_mm2 = std::mem::take(&mut waiting);
            // A cube below the surface: the one at the surface may have its centre outside.
            let inside = [0.75, 1.5].map(|cubes| voxels.cube_at(place - normal * (cubes * voxels.edge_mm)));
            let is_suspect = |cube: &[usize; 3]| found.place_at(voxels, *cube).is_some();
            let Some(cube) = inside.into_iter().find(is_suspect) else { continue };
            if let Some((length_mm, middle)) = chord(mesh, &bvh, face, place, normal) {
                chords.push(Chord { length_mm, middle, area_mm2, cube });
            }
        }
    }
    chords
}

/// The faces within a distance of a suspect place.
fn near(mesh: &Mesh, found: &Components, gap_mm: f64) -> Vec<u32> {
    let gap = Vector3::repeat(gap_mm);
    let wide: Vec<Bounds> = found
        .places
        .iter()
        .map(|place| Bounds { min: place.bounds.min - gap, max: place.bounds.max + gap })
        .collect();
    let is_near = |&face: &u32| {
        let [a, b, c] = mesh.corners(face as usize);
        let bounds = Bounds { min: a, max: a }.with(b).with(c);
        wide.iter().any(|place| meet(place, &bounds))
    };
    (0..cast::vertex(mesh.triangles.len())).filter(is_near).collect()
}

fn normal_of([a, b, c]: [Point3<f64>; 3]) -> Option<Vector3<f64>> {
    (b - a).cross(&(c - a)).try_normalize(0.0)
}

fn parts([a, b, c]: [Point3<f64>; 3]) -> usize {
    let longest = (b - a).norm().max((c - b).norm()).max((a - c).norm());
    cast::index((longest / SPACING_MM).ceil()).clamp(1, PARTS_MAX)
}

/// The middles of the equal parts of a face.
fn spots([a, b, c]: [Point3<f64>; 3], parts: usize) -> impl Iterator<Item = Point3<f64>> {
    let step = 1.0 / parts as f64;
    (0..parts).flat_map(move |i| {
        let upright = (0..parts - i).map(move |j| (i as f64 + 1.0 / 3.0, j as f64 + 1.0 / 3.0));
        let turned =
            (0..parts - 1 - i.min(parts - 1)).map(move |j| (i as f64 + 2.0 / 3.0, j as f64 + 2.0 / 3.0));
        upright.chain(turned).map(move |(u, v)| a + (b - a) * (u * step) + (c - a) * (v * step))
    })
}

/// The way straight inward to an opposite face, and its middle.
fn chord(
    mesh: &Mesh,
    bvh: &Bvh<'_>,
    face: u32,
    place: Point3<f64>,
    normal: Vector3<f64>,
) -> Option<(f64, Point3<f64>)> {
    let hit = bvh.first_hit(place, -normal, |hit| hit.face != face && hit.at > TOUCHING_MM)?;
    let opposite = normal_of(mesh.corners(hit.face as usize))?;
    (opposite.dot(&normal) <= OPPOSITE).then(|| (hit.at, place - normal * (hit.at / 2.0)))
}
