//! Cuts polygons into triangles.

use nalgebra::{Point2, Point3, Vector3};

/// The triangles of a polygon as indices of its corners; a concave one is cut ear by ear.
///
/// A polygon that crosses itself still gives `corners - 2` triangles with all its edges.
pub(super) fn cut(corners: &[Point3<f32>]) -> Vec<[usize; 3]> {
    if corners.len() == 3 {
        return vec![[0, 1, 2]];
    }
    let flat = flatten(corners);
    let mut open: Vec<usize> = (0..corners.len()).collect();
    let mut triangles = Vec::with_capacity(corners.len() - 2);
    while open.len() > 3 {
        let ear = (0..open.len()).find(|&at| is_ear(&flat, &open, at)).unwrap_or(0);
        triangles.push(around(&open, ear));
        open.remove(ear);
    }
    triangles.push([open[0], open[1], open[2]]);
    triangles
}

/// The polygon seen along its mean normal (Newell), on the coordinate plane that it is nearest to.
fn flatten(corners: &[Point3<f32>]) -> Vec<Point2<f64>> {
    let mut normal = Vector3::zeros();
    for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
        let (a, b) = (a.cast::<f64>(), b.cast::<f64>());
        let (drop, sum) = (a - b, a.coords + b.coords);
        normal += Vector3::new(drop.y * sum.z, drop.z * sum.x, drop.x * sum.y);
    }
    let (away, is_up) = (normal.iamax(), normal[normal.iamax()] >= 0.0);
    let (u, v) = [(1, 2), (2, 0), (0, 1)][away];
    corners
        .iter()
        .map(|corner| corner.cast::<f64>())
        .map(
            |corner| {
                if is_up { Point2::new(corner[u], corner[v]) } else { Point2::new(corner[v], corner[u]) }
            },
        )
        .collect()
}

fn around(open: &[usize], at: usize) -> [usize; 3] {
    let count = open.len();
    [open[(at + count - 1) % count], open[at], open[(at + 1) % count]]
}

fn is_ear(flat: &[Point2<f64>], open: &[usize], at: usize) -> bool {
    let corners = around(open, at);
    let [a, b, c] = corners.map(|index| flat[index]);
    let holds =
        |point: Point2<f64>| turn(a, b, point) >= 0.0 && turn(b, c, point) >= 0.0 && turn(c, a, point) >= 0.0;
    turn(a, b, c) > 0.0
        && open.iter().filter(|index| !corners.contains(index)).all(|&index| {
            let point = flat[index];
            !holds(point) || point == a || point == b || point == c
        })
}

fn turn(a: Point2<f64>, b: Point2<f64>, c: Point2<f64>) -> f64 {
    (b - a).perp(&(c - a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_is_cut_inside_its_outline() {
        let arrow = [[0.0, 0.0], [4.0, 0.0], [1.0, 1.0], [0.0, 4.0]];
        for corners in [
            arrow.map(|[x, y]| Point3::new(x, y, 1.0)),
            arrow.map(|[x, y]| Point3::new(y, x, 1.0)),
            arrow.map(|[x, y]| Point3::new(2.0, x, y)),
        ] {
            let area: f32 = cut(&corners)
                .iter()
                .map(|face| face.map(|index| corners[index]))
                .map(|[a, b, c]| (b - a).cross(&(c - a)).norm() / 2.0)
                .sum();

            assert!((area - 4.0).abs() < 1e-5, "{area}");
        }
    }
}
