//! The farthest points of a mesh, and the flats of the hull around them.

use nalgebra::{Point3, Vector3};

use crate::mesh::Mesh;

/// Faces of the hull that are turned by less than this are one flat: cosine of 1 degree.
const SAME_FLAT: f64 = 0.999_847_7;

/// 162 even directions: an icosahedron with each edge halved twice. Mirroring an axis maps them on themselves.
pub(super) fn sphere_directions() -> Vec<Vector3<f64>> {
    let golden = f64::midpoint(1.0, 5.0_f64.sqrt());
    let mut corners: Vec<Vector3<f64>> = Vec::new();
    for (one, two) in [(1.0, golden), (1.0, -golden), (-1.0, golden), (-1.0, -golden)] {
        corners.extend([
            Vector3::new(0.0, one, two),
            Vector3::new(one, two, 0.0),
            Vector3::new(two, 0.0, one),
        ]);
    }
    let mut directions: Vec<Vector3<f64>> = corners.iter().map(nalgebra::Matrix::normalize).collect();
    // The angle between neighbours is at most 63.5, then 36.0 degrees; between others it is at least 72.
    for neighbours_degrees in [64.0_f64, 37.0] {
        let near = neighbours_degrees.to_radians().cos();
        let count = directions.len();
        for a in 0..count {
            for b in 0..a {
                if directions[a].dot(&directions[b]) > near {
                    directions.push((directions[a] + directions[b]).normalize());
                }
            }
        }
    }
    directions
}

/// The farthest point in each of the 162 directions, each once, in order of the vertices.
pub(super) fn extreme_points(mesh: &Mesh) -> Vec<Point3<f64>> {
    let mut best: Vec<(f64, u32)> = vec![(f64::NEG_INFINITY, 0); 162];
    let directions = sphere_directions();
    let mut is_used = vec![false; mesh.vertices.len()];
    mesh.triangles.iter().flatten().for_each(|&index| is_used[index as usize] = true);
    for ((index, vertex), _) in (0_u32..).zip(&mesh.vertices).zip(is_used).filter(|(_, is_used)| *is_used) {
        let place = vertex.coords.cast::<f64>();
        for (best, direction) in best.iter_mut().zip(&directions) {
            let far = direction.dot(&place);
            if far > best.0 {
                *best = (far, index);
            }
        }
    }
    let mut found: Vec<u32> = best.into_iter().map(|(_, index)| index).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|index| mesh.vertices[index as usize].cast()).collect()
}

/// Outward directions of the flats of the hull around some points that are larger than `share` of its area;
/// none if the points lie in a plane.
pub(super) fn flats(points: &[Point3<f64>], share: f64) -> Vec<Vector3<f64>> {
    let faces = hull(points);
    let mut flats: Vec<(Vector3<f64>, f64)> = Vec::new();
    for [a, b, c] in faces {
        let twice = (points[b] - points[a]).cross(&(points[c] - points[a]));
        let Some(normal) = twice.try_normalize(1e-12) else { continue };
        match flats.iter_mut().find(|(known, _)| known.dot(&normal) > SAME_FLAT) {
            Some((_, area)) => *area += twice.norm(),
            None => flats.push((normal, twice.norm())),
        }
    }
    let total: f64 = flats.iter().map(|(_, area)| area).sum();
    flats.into_iter().filter(|(_, area)| *area > share * total).map(|(normal, _)| normal).collect()
}

/// Faces of the convex hull by adding one point after the other; cost: points times faces.
fn hull(points: &[Point3<f64>]) -> Vec<[usize; 3]> {
    let Some(first) = first_tetrahedron(points) else { return Vec::new() };
    let size = points.iter().map(|point| (point - points[0]).norm()).fold(0.0, f64::max);
    let tolerance = 1e-9 * size;
    let mut faces = first.to_vec();
    for (index, point) in points.iter().enumerate() {
        let sees = |face: &[usize; 3]| height(points, face, point) > tolerance;
        let (seen, kept): (Vec<[usize; 3]>, Vec<[usize; 3]>) = faces.into_iter().partition(sees);
        faces = kept;
        // An edge of one seen face alone is on the rim.
        let edges = |face: &[usize; 3]| [(face[0], face[1]), (face[1], face[2]), (face[2], face[0])];
        let mut all: Vec<(usize, usize)> = seen.iter().flat_map(edges).collect();
        all.sort_unstable();
        let rim = all.iter().filter(|(a, b)| all.binary_search(&(*b, *a)).is_err());
        faces.extend(rim.map(|&(a, b)| [a, b, index]));
    }
    faces
}

/// Four points that span a volume, as faces that look outward.
fn first_tetrahedron(points: &[Point3<f64>]) -> Option<[[usize; 3]; 4]> {
    let farthest = |measure: &dyn Fn(&Point3<f64>) -> f64| {
        let values = points.iter().map(measure).enumerate();
        values.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, value)| *value > 1e-6)
    };
    let a = 0;
    let (b, _) = farthest(&|point| (point - points[a]).norm())?;
    let along = points[b] - points[a];
    let (c, _) = farthest(&|point| along.cross(&(point - points[a])).norm() / along.norm())?;
    let normal = along.cross(&(points[c] - points[a])).normalize();
    let (d, _) = farthest(&|point| normal.dot(&(point - points[a])).abs())?;
    let [b, c] = if normal.dot(&(points[d] - points[a])) > 0.0 { [c, b] } else { [b, c] };
    Some([[a, b, c], [a, d, b], [b, d, c], [c, d, a]])
}

/// How far a point lies outside of a face.
fn height(points: &[Point3<f64>], &[a, b, c]: &[usize; 3], point: &Point3<f64>) -> f64 {
    let normal = (points[b] - points[a]).cross(&(points[c] - points[a]));
    let length = normal.norm();
    if length > 0.0 { normal.dot(&(point - points[a])) / length } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::cube;

    #[test]
    fn directions_are_even_and_map_on_themselves_when_an_axis_is_mirrored() {
        let directions = sphere_directions();

        assert_eq!(directions.len(), 162);
        for one in &directions {
            let others = directions.iter().map(|other| one.dot(other)).filter(|dot| *dot < 0.999_999);
            let nearest = others.fold(-1.0, f64::max).acos().to_degrees();
            assert!((14.0..21.0).contains(&nearest), "{nearest}");
            let mirrored = Vector3::new(-one.x, one.y, one.z);
            assert!(directions.iter().any(|other| (other - mirrored).norm() < 1e-9));
        }
    }

    #[test]
    fn a_cube_has_six_flats() {
        let points = extreme_points(&cube(Point3::new(1.0, 2.0, 3.0), 2.0));

        let flats = flats(&points, 0.02);

        assert_eq!((points.len(), flats.len()), (8, 6));
        for flat in flats {
            assert!((flat.abs().max() - 1.0).abs() < 1e-9, "{flat}");
        }
    }
}
