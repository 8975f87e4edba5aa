//! Which triangles cross which layer.
//!
//! Each vertex gets its level: the number of planes below it. A triangle crosses the planes from its lowest
//! level up to its highest. Most triangles of a jewel are lower than a few layers: they are listed with each
//! layer that they cross. The few tall ones (straight walls of coarse models) would make those lists long; they
//! stand in one list that every layer looks through, so that memory stays within [`TALL_LAYERS`] entries for
//! each triangle.

use super::watch::{Stopped, Watch};
use super::{Heights, Part};

/// A triangle over more layers than this is tall.
const TALL_LAYERS: u32 = 32;

/// Planes on which a plate is cut: one in the middle of each layer, or several evenly spaced ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planes<'a> {
    pub(super) heights: &'a Heights,
    pub(super) layers: u32,
    /// How many planes a layer has, at least 1.
    pub(super) each: u32,
}

impl Planes<'_> {
    /// Height of plane `part` of a layer, mm.
    pub(super) fn height_mm(self, layer: u32, part: u32) -> f64 {
        if self.each == 1 {
            return self.heights.plane_mm(layer);
        }
        let (bottom, thickness) = (self.heights.bottom(layer), self.heights.thickness(layer));
        let share = (f64::from(part) + 0.5) / f64::from(self.each);
        (f64::from(bottom.0) + f64::from(thickness.0) * share) / 1000.0
    }

    /// All of them, lowest first, mm.
    fn all_mm(self) -> Vec<f64> {
        (0..self.layers)
            .flat_map(|layer| (0..self.each).map(move |part| self.height_mm(layer, part)))
            .collect()
    }
}

/// Finds how many planes lie below a height.
struct Levels {
    planes_mm: Vec<f64>,
    per_mm: f64,
}

impl Levels {
    fn of(planes: Planes<'_>) -> Self {
        let planes_mm = planes.all_mm();
        let per_mm = match planes_mm[..] {
            [first, .., last] => index_of(planes_mm.len() - 1) / (last - first),
            [] | [_] => 0.0,
        };
        Self { planes_mm, per_mm }
    }

    #[inline]
    fn below(&self, z_mm: f64) -> u32 {
        let planes = &self.planes_mm;
        // Where it is if the planes are evenly spaced, as they mostly are.
        let first = planes.first().copied().unwrap_or(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
        let guess = (((z_mm - first) * self.per_mm) as usize + 1).min(planes.len());
        let is_right = |level: usize| {
            level.checked_sub(1).is_none_or(|last| planes[last] < z_mm)
                && planes.get(level).is_none_or(|&next| z_mm <= next)
        };
        let level = if is_right(guess) { guess } else { planes.partition_point(|&plane| plane < z_mm) };
        u32::try_from(level).unwrap_or(u32::MAX)
    }
}

#[expect(clippy::cast_precision_loss, reason = "the layers of a plate, far below 2^52")]
fn index_of(count: usize) -> f64 {
    count as f64
}

/// Triangles by layer. A triangle is named by its place in the parts' lists put one after the other.
#[derive(Debug)]
pub(super) struct Intervals {
    /// First triangle of each part, and the end.
    part_starts: Vec<u32>,
    /// First entry of each layer, and the end.
    starts: Vec<usize>,
    entries: Vec<u32>,
    tall: Vec<u32>,
}

impl Intervals {
    /// Sorts the triangles of all parts by layer (counting sort: order of the parts is kept).
    pub(super) fn build(
        parts: &[Part<'_>],
        planes: Planes<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Self, Stopped> {
        let levels = levels(parts, planes, watch)?;
        let mut counts = vec![0_usize; usize_of(planes.layers) + 1];
        let mut tall = Vec::new();
        each_interval(parts, &levels, planes.each, watch, |triangle, low, high| {
            if high - low > TALL_LAYERS {
                tall.push(triangle);
            } else {
                counts[usize_of(low)..usize_of(high)].iter_mut().for_each(|count| *count += 1);
            }
        })?;
        let mut total = 0;
        for count in &mut counts {
            (*count, total) = (total, total + *count);
        }
        let starts = counts.clone();
        let mut entries = vec![0_u32; total];
        each_interval(parts, &levels, planes.each, watch, |triangle, low, high| {
            if high - low <= TALL_LAYERS {
                for place in &mut counts[usize_of(low)..usize_of(high)] {
                    entries[*place] = triangle;
                    *place += 1;
                }
            }
        })?;
        Ok(Self { part_starts: part_starts(parts), starts, entries, tall })
    }

    /// Calls `visit` with part and triangle for each triangle that may cross the layer.
    pub(super) fn visit(
        &self,
        layer: u32,
        mut visit: impl FnMut(usize, usize) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        let index = usize_of(layer);
        for list in [&self.tall[..], &self.entries[self.starts[index]..self.starts[index + 1]]] {
            let mut part = 0;
            for &triangle in list {
                while triangle >= self.part_starts[part + 1] {
                    part += 1;
                }
                visit(part, usize_of(triangle - self.part_starts[part]))?;
            }
        }
        Ok(())
    }

    /// How many triangles a layer looks at.
    pub(super) fn count(&self, layer: u32) -> usize {
        let index = usize_of(layer);
        self.tall.len() + self.starts[index + 1] - self.starts[index]
    }
}

fn part_starts(parts: &[Part<'_>]) -> Vec<u32> {
    let mut starts = vec![0_u32];
    let mut end = 0_u32;
    for part in parts {
        end = end.saturating_add(u32::try_from(part.mesh.triangles.len()).unwrap_or(u32::MAX));
        starts.push(end);
    }
    starts
}

/// The levels of the vertices of each part.
fn levels(parts: &[Part<'_>], planes: Planes<'_>, watch: &mut Watch<'_>) -> Result<Vec<Vec<u32>>, Stopped> {
    let levels = Levels::of(planes);
    let level_of = |part: &Part<'_>, z: f32| levels.below(f64::from(z) + part.offset_mm[2]);
    let of_part = |part: &Part<'_>| {
        part.mesh.vertices.iter().map(|vertex| watch.step().map(|()| level_of(part, vertex.z))).collect()
    };
    parts.iter().map(of_part).collect()
}

/// Calls `visit` with each triangle that crosses a plane, and its layers `low..high`.
fn each_interval(
    parts: &[Part<'_>],
    levels: &[Vec<u32>],
    each: u32,
    watch: &mut Watch<'_>,
    mut visit: impl FnMut(u32, u32, u32),
) -> Result<(), Stopped> {
    let mut triangle = 0_u32;
    for (part, levels) in parts.iter().zip(levels) {
        for corners in &part.mesh.triangles {
            let [a, b, c] = corners.map(|corner| levels[usize_of(corner)]);
            let (low, high) = (a.min(b).min(c), a.max(b).max(c));
            watch.step()?;
            if low < high {
                if each == 1 {
                    visit(triangle, low, high);
                } else {
                    visit(triangle, low / each, (high - 1) / each + 1);
                }
            }
            triangle = triangle.saturating_add(1);
        }
    }
    Ok(())
}

/// Widens an index; `u32` fits `usize` on every target that the daemon runs on.
pub(crate) const fn usize_of(index: u32) -> usize {
    index as usize
}
