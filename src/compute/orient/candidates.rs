//! The ways to stand that are tried.

use nalgebra::{Matrix3, Point3, Rotation3, SymmetricEigen, UnitQuaternion, Vector3};

use super::hull;
use crate::mesh::{Mesh, RingMeasure, triangle_area};

/// Tilts of the axis of a finger hole out of the horizontal, degrees. Guides for jewellery say 30 to 45.
const TILTS: [f64; 12] = [0.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, 40.0, 45.0, 50.0, 55.0, 60.0];
/// Steps of the head about the axis, degrees.
const ROLL_STEP: u32 = 15;
/// A flat of the hull counts from this part of its area on.
const FLAT_SHARE: f64 = 0.02;

/// Tilts times rolls in both senses, and flat on either side: 554. Any direction stands in for a missing head.
pub(super) fn of_ring(ring: &RingMeasure, head: Option<Vector3<f64>>) -> Vec<UnitQuaternion<f64>> {
    let axis = Vector3::from(ring.axis).normalize();
    let head = head.unwrap_or_else(|| axis.cross(&Vector3::ith(axis.iamin(), 1.0)).normalize());
    let own = Matrix3::from_columns(&[axis, head, axis.cross(&head)]);
    let upright =
        Matrix3::<f64>::from_columns(&[Vector3::x(), Vector3::z(), -Vector3::y()]) * own.transpose();
    let stand = |tilt: f64, roll: f64| {
        let turn = Rotation3::from_axis_angle(&Vector3::y_axis(), tilt.to_radians())
            * Rotation3::from_axis_angle(&Vector3::x_axis(), roll.to_radians());
        UnitQuaternion::from_matrix(&(turn.matrix() * upright))
    };
    let mut found = Vec::new();
    for tilt in TILTS {
        for roll in (0..360).step_by(ROLL_STEP as usize) {
            found.push(stand(tilt, f64::from(roll)));
            if tilt > 0.0 {
                found.push(stand(-tilt, f64::from(roll)));
            }
        }
    }
    found.extend([stand(90.0, 0.0), stand(-90.0, 0.0)]);
    found
}

/// 162 even directions in the frame of the main axes, both ways along these, and the flats of the hull.
pub(super) fn of_any(mesh: &Mesh, extremes: &[Point3<f64>]) -> Vec<UnitQuaternion<f64>> {
    let frame = main_axes(mesh);
    let mut downs: Vec<Vector3<f64>> = Vec::new();
    for axis in frame.column_iter() {
        downs.extend([axis.into_owned(), -axis.into_owned()]);
    }
    downs.extend(hull::flats(extremes, FLAT_SHARE));
    downs.extend(hull::sphere_directions().into_iter().map(|direction| frame * direction));
    downs.iter().map(standing_on).collect()
}

/// Turns a direction of the design to straight down.
fn standing_on(down: &Vector3<f64>) -> UnitQuaternion<f64> {
    let below = -Vector3::z();
    UnitQuaternion::rotation_between(down, &below)
        .unwrap_or_else(|| UnitQuaternion::from_axis_angle(&Vector3::x_axis(), std::f64::consts::PI))
}

/// Main axes of the surface as columns, longest first.
fn main_axes(mesh: &Mesh) -> Matrix3<f64> {
    let (mut places, mut mean, mut area) = (Matrix3::zeros(), Vector3::zeros(), 0.0);
    let center = mesh.bounds().map_or_else(Vector3::zeros, |bounds| bounds.center().coords);
    for face in 0..mesh.triangles.len() {
        let [a, b, c] = mesh.corners(face);
        let weight = triangle_area([a, b, c]);
        let middle = (a.coords + b.coords + c.coords) / 3.0 - center;
        places += weight * middle * middle.transpose();
        mean += weight * middle;
        area += weight;
    }
    let tensor = places / area - mean * mean.transpose() / (area * area);
    if !tensor.iter().all(|value: &f64| value.is_finite()) {
        return Matrix3::identity();
    }
    let eigen = SymmetricEigen::new(tensor);
    let mut order = [0, 1, 2];
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    Matrix3::from_columns(&order.map(|column| eigen.eigenvectors.column(column).into_owned()))
}
