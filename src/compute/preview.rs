//! A small picture of the plate for the screens of printers and people.

use nalgebra::Vector3;

use crate::slice::{Part, usize_of};

/// Dark ground, so that the part stands out on the displays of printers.
const BACKGROUND: [u8; 3] = [22, 24, 29];
/// Colour of a face turned to the light.
const BODY: [f64; 3] = [232.0, 201.0, 140.0];
/// Light that every face gets, so that shadows are not black.
const AMBIENT: f64 = 0.25;
/// Free border, as a share of the smaller side.
const MARGIN: f64 = 0.06;

/// An opaque picture, row-major from the top left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
    /// Red, green, blue of each pixel.
    pub rgb: Vec<[u8; 3]>,
}

/// Draws the parts as seen from the front, right and above, lit from the viewer's left shoulder.
///
/// The parts fill the picture but for a margin. No surface gives the background alone.
#[must_use]
pub fn draw(parts: &[Part<'_>], width_px: u32, height_px: u32) -> Picture {
    let pixels = usize_of(width_px) * usize_of(height_px);
    let mut canvas =
        Canvas { width_px, height_px, rgb: vec![BACKGROUND; pixels], nearest: vec![f64::INFINITY; pixels] };
    let camera = Camera::standard();
    if let Some(view) = View::fit(parts, &camera, width_px, height_px) {
        for part in parts {
            for corners in &part.mesh.triangles {
                canvas.triangle(&corners.map(|corner| placed(part, corner)), &camera, &view);
            }
        }
    }
    Picture { width_px, height_px, rgb: canvas.rgb }
}

fn placed(part: &Part<'_>, corner: u32) -> Vector3<f64> {
    part.mesh.vertices[usize_of(corner)].coords.cast::<f64>() + Vector3::from(part.offset_mm)
}

/// Directions of the picture in the plate frame.
struct Camera {
    right: Vector3<f64>,
    up: Vector3<f64>,
    forward: Vector3<f64>,
    to_light: Vector3<f64>,
}

impl Camera {
    fn standard() -> Self {
        let forward = Vector3::new(-1.0, 1.0, -0.8).normalize();
        let right = forward.cross(&Vector3::z()).normalize();
        let up = right.cross(&forward);
        Self { right, up, forward, to_light: (up * 0.9 - right * 0.5 - forward).normalize() }
    }

    /// To the right, up, away.
    fn look(&self, point: &Vector3<f64>) -> [f64; 3] {
        [self.right.dot(point), self.up.dot(point), self.forward.dot(point)]
    }
}

/// The way from camera directions to pixels.
struct View {
    px_per_mm: f64,
    centre: [f64; 2],
    middle_px: [f64; 2],
}

impl View {
    fn fit(parts: &[Part<'_>], camera: &Camera, width_px: u32, height_px: u32) -> Option<Self> {
        let mut low = [f64::INFINITY; 2];
        let mut high = [f64::NEG_INFINITY; 2];
        for part in parts {
            for &corner in part.mesh.triangles.iter().flatten() {
                let [x, y, _] = camera.look(&placed(part, corner));
                low = [low[0].min(x), low[1].min(y)];
                high = [high[0].max(x), high[1].max(y)];
            }
        }
        let [width, height] = [f64::from(width_px), f64::from(height_px)];
        let border = width.min(height) * MARGIN * 2.0;
        let size = [high[0] - low[0], high[1] - low[1]];
        let px_per_mm = ((width - border) / size[0].max(1e-6)).min((height - border) / size[1].max(1e-6));
        size[0].is_finite().then_some(Self {
            px_per_mm,
            centre: [f64::midpoint(low[0], high[0]), f64::midpoint(low[1], high[1])],
            middle_px: [width / 2.0, height / 2.0],
        })
    }

    /// Column, row, distance.
    fn pixel(&self, [x, y, away]: [f64; 3]) -> [f64; 3] {
        [
            self.middle_px[0] + (x - self.centre[0]) * self.px_per_mm,
            self.middle_px[1] - (y - self.centre[1]) * self.px_per_mm,
            away,
        ]
    }
}

struct Canvas {
    width_px: u32,
    height_px: u32,
    rgb: Vec<[u8; 3]>,
    nearest: Vec<f64>,
}

impl Canvas {
    /// Paints the pixels whose centre lies in the triangle and that nothing nearer covers.
    fn triangle(&mut self, corners: &[Vector3<f64>; 3], camera: &Camera, view: &View) {
        let [a, b, c] = corners.each_ref().map(|corner| view.pixel(camera.look(corner)));
        let doubled = side(&a, &b, c[0], c[1]);
        let normal = (corners[1] - corners[0]).cross(&(corners[2] - corners[0]));
        let length = normal.norm();
        if doubled == 0.0 || length == 0.0 || !doubled.is_finite() {
            return;
        }
        let colour = shade(normal.dot(&camera.to_light) / length);
        let rows = span(a[1].min(b[1]).min(c[1]), a[1].max(b[1]).max(c[1]), self.height_px);
        for row in rows {
            for column in span(a[0].min(b[0]).min(c[0]), a[0].max(b[0]).max(c[0]), self.width_px) {
                let (x, y) = (f64::from(column) + 0.5, f64::from(row) + 0.5);
                let weights =
                    [side(&b, &c, x, y), side(&c, &a, x, y), side(&a, &b, x, y)].map(|w| w / doubled);
                if weights.iter().all(|&weight| weight >= 0.0) {
                    let away = weights[0] * a[2] + weights[1] * b[2] + weights[2] * c[2];
                    self.paint(column, row, away, colour);
                }
            }
        }
    }

    fn paint(&mut self, column: u32, row: u32, away: f64, colour: [u8; 3]) {
        let place = usize_of(row) * usize_of(self.width_px) + usize_of(column);
        if away < self.nearest[place] {
            self.nearest[place] = away;
            self.rgb[place] = colour;
        }
    }
}

/// Twice the signed area between an edge and a point.
fn side(from: &[f64; 3], to: &[f64; 3], x: f64, y: f64) -> f64 {
    (to[0] - from[0]) * (y - from[1]) - (to[1] - from[1]) * (x - from[0])
}

/// Pixels whose centre may lie between two coordinates.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
fn span(low: f64, high: f64, end: u32) -> std::ops::Range<u32> {
    let clamped = |value: f64| value.clamp(0.0, f64::from(end)) as u32;
    clamped((low - 0.5).ceil())..clamped((high + 0.5).ceil())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 232")]
fn shade(towards_light: f64) -> [u8; 3] {
    let light = AMBIENT + (1.0 - AMBIENT) * towards_light.max(0.0);
    BODY.map(|part| (part * light) as u8)
}

#[cfg(test)]
mod tests {
    use super::{BACKGROUND, draw};
    use crate::slice::Part;
    use crate::slice::tests::solids;

    #[test]
    fn the_picture_shows_the_part_inside_a_margin() {
        let cube = solids::cuboid([0.0, 0.0, 0.0], [4.0, 4.0, 4.0]);
        let parts = [Part { name: "cube", mesh: &cube, offset_mm: [10.0, 10.0, 0.0] }];

        let picture = draw(&parts, 116, 116);

        let lit = picture.rgb.iter().filter(|colour| **colour != BACKGROUND).count();
        let shades: std::collections::BTreeSet<_> = picture.rgb.iter().collect();
        assert!(lit > 116 * 116 / 3, "{lit} pixels show the cube");
        assert_eq!(shades.len(), 4, "three faces and the background");
        assert!(picture.rgb[..116 * 3].iter().all(|colour| *colour == BACKGROUND));
    }

    #[test]
    fn nothing_gives_the_background() {
        assert!(draw(&[], 8, 8).rgb.iter().all(|colour| *colour == BACKGROUND));
    }
}
