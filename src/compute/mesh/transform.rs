//! Moves, turns and scales meshes; sums and products in double precision, rounded once.

use nalgebra::{Point3, Vector3};

use super::{Mesh, cast};

/// Scales about the origin by a factor for each axis. A mirroring factor turns the faces over, so that the
/// outside stays outside.
pub fn scale(mesh: &mut Mesh, factors: Vector3<f64>) {
    map(mesh, |vertex| Point3::from(vertex.coords.component_mul(&factors)));
    if factors.x * factors.y * factors.z < 0.0 {
        mesh.triangles.iter_mut().for_each(|face| face.swap(1, 2));
    }
}

/// Moves by `offset`, mm.
pub fn translate(mesh: &mut Mesh, offset: Vector3<f64>) {
    map(mesh, |vertex| vertex + offset);
}

/// Turns about the z axis, counter-clockwise seen from above.
pub fn rotate_z(mesh: &mut Mesh, radians: f64) {
    let (sin, cos) = radians.sin_cos();
    map(mesh, |vertex| {
        Point3::new(cos * vertex.x - sin * vertex.y, sin * vertex.x + cos * vertex.y, vertex.z)
    });
}

/// Turns about any axis through the origin; `axis` need not have length 1, but must not be zero.
pub fn rotate(mesh: &mut Mesh, axis: Vector3<f64>, radians: f64) {
    let turn = nalgebra::Rotation3::from_axis_angle(&nalgebra::Unit::new_normalize(axis), radians);
    map(mesh, |vertex| turn * vertex);
}

/// Moves the mesh along z so that its lowest point lies on z = 0.
pub fn lay_flat(mesh: &mut Mesh) {
    if let Some(bounds) = mesh.bounds() {
        translate(mesh, Vector3::new(0.0, 0.0, -bounds.min.z));
    }
}

/// The factor by which a pattern is made larger, so that the metal has the designed size:
/// `s = 1 / ((1 - p) (1 - m))` with the linear losses of the pattern `p` and of the metal `m`, as parts of one.
///
/// Nothing if a loss is not in 0..0.5; a real one is at most a few hundredths.
#[must_use]
pub fn shrink_factor(pattern_loss: f64, metal_loss: f64) -> Option<f64> {
    let is_loss = |loss: f64| (0.0..0.5).contains(&loss);
    (is_loss(pattern_loss) && is_loss(metal_loss)).then(|| 1.0 / ((1.0 - pattern_loss) * (1.0 - metal_loss)))
}

/// The bore to design, mm, for a wanted finished bore: finishing takes `finish_mm` off each side and widens
/// it, `s` (see [`shrink_factor`]) makes up for the losses.
#[must_use]
pub fn bore_to_design_mm(finished_mm: f64, finish_mm: f64, shrink_factor: f64) -> f64 {
    (finished_mm - 2.0 * finish_mm) * shrink_factor
}

fn map(mesh: &mut Mesh, image: impl Fn(Point3<f64>) -> Point3<f64>) {
    for vertex in &mut mesh.vertices {
        *vertex = image(vertex.cast()).map(cast::single);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::cube;

    #[test]
    fn a_pattern_grows_by_the_losses_of_resin_and_metal() {
        // Published to four decimals.
        assert!((shrink_factor(0.01, 0.0125).unwrap() - 1.0229).abs() < 5e-5);
        assert_eq!(shrink_factor(1.25, 0.0), None);
    }

    #[test]
    fn the_bore_is_designed_smaller_by_the_finish_and_larger_by_the_losses() {
        let factor = shrink_factor(0.01, 0.0125).unwrap();

        // Published with the factor rounded to four decimals.
        assert!((bore_to_design_mm(17.32, 0.09, factor) - 17.533).abs() < 1e-3);
    }

    #[test]
    fn mirroring_keeps_the_outside_outside() {
        let mut mesh = cube(Point3::new(1.0, 2.0, 3.0), 2.0);

        scale(&mut mesh, Vector3::new(-1.0, 2.0, 0.5));

        assert!((mesh.signed_volume() - 8.0).abs() < 1e-5);
    }

    #[test]
    fn a_turned_and_laid_mesh_stands_on_the_plate() {
        let mut mesh = cube(Point3::new(1.0, 0.0, 3.0), 2.0);

        rotate_z(&mut mesh, std::f64::consts::FRAC_PI_2);
        lay_flat(&mut mesh);

        let bounds = mesh.bounds().unwrap();
        assert!((bounds.min - Point3::new(-2.0, 1.0, 0.0)).norm() < 1e-6);
        assert!((bounds.size() - Vector3::new(2.0, 2.0, 2.0)).norm() < 1e-6);
    }
}
