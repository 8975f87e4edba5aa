//! Solids with known sections, outward faces.

use std::f64::consts::TAU;

use nalgebra::Point3;

use crate::mesh::Mesh;

/// A box between two corners, mm.
pub(crate) fn cuboid(low: [f64; 3], high: [f64; 3]) -> Mesh {
    let corner = |i: usize| {
        let pick = |axis: usize| if i >> axis & 1 == 1 { high[axis] } else { low[axis] };
        [pick(0), pick(1), pick(2)]
    };
    let quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
    let triangles = quads.iter().flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]).collect();
    Mesh { vertices: (0..8).map(|i| point(corner(i))).collect(), triangles }
}

/// Turned about z: `profile` gives (radius, z) from the bottom to the top, both ends on the axis.
pub(crate) fn turned(profile: &[[f64; 2]], steps: u32) -> Mesh {
    let mut vertices = Vec::new();
    for &[radius, z] in profile {
        for step in 0..steps {
            let angle = TAU * f64::from(step) / f64::from(steps);
            vertices.push(point([radius * angle.cos(), radius * angle.sin(), z]));
        }
    }
    let mut triangles = Vec::new();
    let rows = u32::try_from(profile.len()).unwrap();
    for row in 0..rows - 1 {
        for step in 0..steps {
            let next = (step + 1) % steps;
            let [a, b] = [row * steps + step, row * steps + next];
            triangles.extend([[a, b, b + steps], [a, b + steps, a + steps]]);
        }
    }
    triangles.retain(|&[a, b, c]| {
        let [a, b, c] = [a, b, c].map(|i| vertices[usize::try_from(i).unwrap()]);
        a != b && b != c && c != a
    });
    Mesh { vertices, triangles }
}

pub(crate) fn cylinder(radius: f64, height: f64, steps: u32) -> Mesh {
    turned(&[[0.0, 0.0], [radius, 0.0], [radius, height], [0.0, height]], steps)
}

pub(crate) fn cone(radius: f64, height: f64, steps: u32) -> Mesh {
    turned(&[[0.0, 0.0], [radius, 0.0], [0.0, height]], steps)
}

/// Stands on z = 0.
pub(crate) fn sphere(radius: f64, steps: u32) -> Mesh {
    let profile: Vec<[f64; 2]> = (0..=steps / 2)
        .map(|i| {
            let angle = TAU / 2.0 * f64::from(i) / f64::from(steps / 2);
            let rim = if i == 0 || i == steps / 2 { 0.0 } else { angle.sin() };
            [radius * rim, radius - radius * angle.cos()]
        })
        .collect();
    turned(&profile, steps)
}

/// A ring lying on z = 0.
pub(crate) fn torus(major: f64, minor: f64, steps: u32, minor_steps: u32) -> Mesh {
    let mut vertices = Vec::new();
    for i in 0..steps {
        let around = TAU * f64::from(i) / f64::from(steps);
        for j in 0..minor_steps {
            let turn = TAU * f64::from(j) / f64::from(minor_steps);
            let radius = major + minor * turn.cos();
            vertices.push(point([radius * around.cos(), radius * around.sin(), minor + minor * turn.sin()]));
        }
    }
    let mut triangles = Vec::new();
    for i in 0..steps {
        for j in 0..minor_steps {
            let at = |i: u32, j: u32| i % steps * minor_steps + j % minor_steps;
            let [a, b, c, d] = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
            triangles.extend([[a, b, c], [a, c, d]]);
        }
    }
    Mesh { vertices, triangles }
}

/// Two meshes in one, as designers leave them.
pub(crate) fn joined(a: &Mesh, b: &Mesh) -> Mesh {
    let shift = u32::try_from(a.vertices.len()).unwrap();
    let moved = b.triangles.iter().map(|triangle| triangle.map(|corner| corner + shift));
    Mesh {
        vertices: a.vertices.iter().chain(&b.vertices).copied().collect(),
        triangles: a.triangles.iter().copied().chain(moved).collect(),
    }
}

/// The same surface inside out.
pub(crate) fn reversed(mesh: &Mesh) -> Mesh {
    let triangles = mesh.triangles.iter().map(|&[a, b, c]| [a, c, b]).collect();
    Mesh { vertices: mesh.vertices.clone(), triangles }
}

/// The same surface elsewhere.
pub(crate) fn moved(mesh: &Mesh, by: [f64; 3]) -> Mesh {
    let shift =
        |p: &Point3<f32>| point([f64::from(p.x) + by[0], f64::from(p.y) + by[1], f64::from(p.z) + by[2]]);
    Mesh { vertices: mesh.vertices.iter().map(shift).collect(), triangles: mesh.triangles.clone() }
}

#[expect(clippy::cast_possible_truncation, reason = "meshes are single precision")]
fn point([x, y, z]: [f64; 3]) -> Point3<f32> {
    Point3::new(x as f32, y as f32, z as f32)
}
