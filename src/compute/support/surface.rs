//! Where the surface of the part lies below a place of a layer, and what it is there.

use nalgebra::{Point3, Unit, Vector3};

use super::Zone;
use crate::mesh::Mesh;
use crate::slice::usize_of;

/// Cells of the table along each side.
const CELLS: usize = 96;

/// A face over more cells than this is looked at for every place, so that the table stays small.
const WIDE_CELLS: usize = 64;

/// A face steeper than this is no place for a tip; cosine against straight down.
const FACES_DOWN: f64 = 0.5;

/// A pass this near below a pixel is what its light comes from, mm: two thick layers.
const NEAR_MM: f64 = 0.2;

/// Vertical lines are moved by this, so that they don't run along an edge of a tidy model; mm.
const OFF_EDGE_MM: [f64; 2] = [1.3e-6, 2.1e-6];

/// A place on the surface.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) point: Point3<f64>,
    pub(super) normal: Unit<Vector3<f64>>,
    pub(super) zone: Zone,
}

/// The faces of the part by where they lie on the plate.
pub(super) struct Surface<'a> {
    part: &'a Mesh,
    zones: Option<&'a [Zone]>,
    low: [f64; 2],
    cell_mm: [f64; 2],
    starts: Vec<u32>,
    faces: Vec<u32>,
    wide: Vec<u32>,
}

/// Where a vertical line passes through the surface.
struct Pass {
    z: f64,
    face: usize,
    /// Whether it enters the solid on the way up.
    enters: bool,
}

impl Pass {
    fn step(&self) -> i32 {
        if self.enters { 1 } else { -1 }
    }
}

impl<'a> Surface<'a> {
    pub(super) fn of(part: &'a Mesh, zones: Option<&'a [Zone]>) -> Self {
        let bounds = part.bounds();
        let low = bounds.map_or([0.0; 2], |bounds| [bounds.min.x, bounds.min.y]);
        let size = bounds.map_or([1.0; 2], |bounds| [bounds.size().x, bounds.size().y]);
        let cell_mm = size.map(|size| (size / 96.0).max(1e-3));
        let mut table =
            Self { part, zones, low, cell_mm, starts: Vec::new(), faces: Vec::new(), wide: Vec::new() };
        table.fill();
        table
    }

    /// Counting sort of the faces into cells.
    fn fill(&mut self) {
        let mut counts = vec![0_u32; CELLS * CELLS + 1];
        for face in 0..self.part.triangles.len() {
            let (columns, rows) = self.span(face);
            if columns.len() * rows.len() > WIDE_CELLS {
                self.wide.push(number(face));
            } else {
                rows.for_each(|row| columns.clone().for_each(|column| counts[row * CELLS + column] += 1));
            }
        }
        let mut total = 0;
        for count in &mut counts {
            (*count, total) = (total, total + *count);
        }
        self.starts = counts.clone();
        self.faces = vec![0; usize_of(total)];
        for face in 0..self.part.triangles.len() {
            let (columns, rows) = self.span(face);
            if columns.len() * rows.len() <= WIDE_CELLS {
                for row in rows {
                    for column in columns.clone() {
                        let place = &mut counts[row * CELLS + column];
                        self.faces[usize_of(*place)] = number(face);
                        *place += 1;
                    }
                }
            }
        }
    }

    fn span(&self, face: usize) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let corners = self.part.corners(face);
        let range = |axis: usize| {
            let all = corners.map(|corner| corner[axis]);
            let least = all[0].min(all[1]).min(all[2]);
            let most = all[0].max(all[1]).max(all[2]);
            self.cell(axis, least)..self.cell(axis, most) + 1
        };
        (range(0), range(1))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, then clamped")]
    fn cell(&self, axis: usize, at: f64) -> usize {
        (((at - self.low[axis]) / self.cell_mm[axis]).max(0.0) as usize).min(CELLS - 1)
    }

    /// Where a vertical line from `z` down leaves the solid that is at `z`: the underside of what is printed there.
    pub(super) fn below(&self, [x, y]: [f64; 2], z: f64) -> Option<Spot> {
        let mut passes = self.passes([x + OFF_EDGE_MM[0], y + OFF_EDGE_MM[1]]);
        passes.retain(|pass| pass.z <= z);
        let mut winding = 0_i32;
        let mut entry = None;
        for pass in &passes {
            if winding == 0 {
                entry = Some(pass);
            }
            winding += pass.step();
        }
        // Where bodies don't close, the nearest pass is the best guess.
        let nearest = passes.last().filter(|pass| z - pass.z <= NEAR_MM);
        let pass = entry.filter(|_| winding != 0).or(nearest)?;
        let spot = self.spot(pass.face, Point3::new(x, y, pass.z));
        // A shell that is turned inside out is as solid as any other.
        Some(if spot.normal.z > 0.0 { Spot { normal: -spot.normal, ..spot } } else { spot })
    }

    /// The first upper side below `z`: where something that falls would come to lie.
    pub(super) fn floor(&self, [x, y]: [f64; 2], z: f64) -> Option<Spot> {
        let passes = self.passes([x + OFF_EDGE_MM[0], y + OFF_EDGE_MM[1]]);
        let below = passes.iter().filter(|pass| pass.z < z);
        let top = below.clone().next_back()?;
        let winding: i32 = below.map(Pass::step).sum();
        let spot = self.spot(top.face, Point3::new(x, y, top.z));
        let spot = if spot.normal.z < 0.0 { Spot { normal: -spot.normal, ..spot } } else { spot };
        (winding == 0).then_some(spot)
    }

    /// Every pass of a vertical line, lowest first.
    fn passes(&self, [x, y]: [f64; 2]) -> Vec<Pass> {
        let cell = self.cell(1, y) * CELLS + self.cell(0, x);
        let near = &self.faces[usize_of(self.starts[cell])..usize_of(self.starts[cell + 1])];
        let mut passes: Vec<Pass> =
            near.iter().chain(&self.wide).filter_map(|&face| self.pass(usize_of(face), x, y)).collect();
        passes.sort_by(|a, b| a.z.total_cmp(&b.z).then(b.enters.cmp(&a.enters)).then(a.face.cmp(&b.face)));
        passes
    }

    fn pass(&self, face: usize, x: f64, y: f64) -> Option<Pass> {
        let [a, b, c] = self.part.corners(face);
        let side = |p: &Point3<f64>, q: &Point3<f64>| (q.x - p.x) * (y - p.y) - (q.y - p.y) * (x - p.x);
        let (u, v, w) = (side(&b, &c), side(&c, &a), side(&a, &b));
        let sum = u + v + w;
        let is_inside = (u >= 0.0 && v >= 0.0 && w >= 0.0) || (u <= 0.0 && v <= 0.0 && w <= 0.0);
        // Seen from above, an upper side runs counter-clockwise.
        (is_inside && sum != 0.0).then(|| Pass {
            z: (u * a.z + v * b.z + w * c.z) / sum,
            face,
            enters: sum < 0.0,
        })
    }

    fn spot(&self, face: usize, point: Point3<f64>) -> Spot {
        let [a, b, c] = self.part.corners(face);
        let normal = Unit::try_new((b - a).cross(&(c - a)), 0.0).unwrap_or_else(|| -Vector3::z_axis());
        Spot { point, normal, zone: self.zone(face) }
    }

    fn zone(&self, face: usize) -> Zone {
        self.zones.and_then(|zones| zones.get(face)).copied().unwrap_or(Zone::Side)
    }

    /// The middle of each face that looks down and may be touched.
    pub(super) fn undersides(&self) -> Vec<Spot> {
        (0..self.part.triangles.len())
            .filter(|&face| self.zone(face).may_touch())
            .filter_map(|face| {
                let [a, b, c] = self.part.corners(face);
                let normal = Unit::try_new((b - a).cross(&(c - a)), 1e-12)?;
                let middle = Point3::from((a.coords + b.coords + c.coords) / 3.0);
                (normal.z < -FACES_DOWN).then(|| Spot { point: middle, normal, zone: self.zone(face) })
            })
            .collect()
    }
}

/// A mesh has at most 2^32 faces: its corners are numbered with 32 bits.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
