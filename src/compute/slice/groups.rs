//! Parts of a plate that may touch, and the layers of each group.
//!
//! Parts whose boxes on the display keep apart can't influence each other's pixels: each group is filled on its
//! own and the runs are put together. So an open part spoils no other one, and a part that moves costs no other
//! one anything.

use super::edges;
use super::fill::Rule;
use super::intervals::{Intervals, Planes};
use super::shaping::{Shaper, Shown};
use super::watch::{Stopped, Watch};
use super::{Layer, Part, RunList, Sampling, Settings};

/// Boxes that are nearer than this, px, may share a pixel.
const NEAR_PX: f64 = 2.0;

/// Where a part stands: lowest and highest corner in the plate frame, mm.
pub(super) type BoundsMm = ([f64; 3], [f64; 3]);

/// Parts that are filled together.
#[derive(Debug)]
pub(super) struct Group<'a> {
    parts: Vec<Part<'a>>,
    layers: u32,
    intervals: Intervals,
}

/// Sorts parts into groups of places in `bounds`; groups are in the order of their first parts, and so are parts.
/// Outlines that will be moved out by `growth_mm` need that much more room on each side.
pub(super) fn group(bounds: &[BoundsMm], pitch_mm: [f64; 2], growth_mm: f64) -> Vec<Vec<usize>> {
    // The picture may be turned: the larger pitch keeps parts apart either way.
    let near_mm = NEAR_PX * pitch_mm[0].max(pitch_mm[1]) + 2.0 * growth_mm;
    let touch = |a: &BoundsMm, b: &BoundsMm| {
        (0..2).all(|axis| a.0[axis] <= b.1[axis] + near_mm && b.0[axis] <= a.1[axis] + near_mm)
    };
    let mut leader: Vec<usize> = (0..bounds.len()).collect();
    for one in 0..bounds.len() {
        for other in 0..one {
            if leader[other] != leader[one] && touch(&bounds[one], &bounds[other]) {
                let (low, high) = (leader[one].min(leader[other]), leader[one].max(leader[other]));
                leader.iter_mut().filter(|leader| **leader == high).for_each(|leader| *leader = low);
            }
        }
    }
    let members = |first: usize| (0..bounds.len()).filter(|&part| leader[part] == first).collect();
    (0..bounds.len()).filter(|&part| leader[part] == part).map(members).collect()
}

impl<'a> Group<'a> {
    /// Sorts the triangles of the parts, of which none needs more than `layers` layers.
    pub(super) fn of(
        parts: Vec<Part<'a>>,
        settings: &Settings,
        layers: u32,
        watch: &mut Watch<'_>,
    ) -> Result<Self, Stopped> {
        let intervals = Intervals::build(&parts, planes(settings, layers), watch)?;
        Ok(Self { parts, layers, intervals })
    }

    /// How many layers it has.
    pub(super) fn layers(&self) -> u32 {
        self.layers
    }

    /// One of its layers, as if it were alone on the plate.
    pub(super) fn layer(
        &self,
        settings: &Settings,
        shaper: Shaper<'_>,
        index: u32,
        watch: &mut Watch<'_>,
    ) -> Result<Layer, Stopped> {
        let planes = planes(settings, self.layers);
        let rule = match settings.sampling {
            Sampling::Centre => Rule::Centre,
            Sampling::Coverage | Sampling::Supersampled { .. } => Rule::Coverage,
        };
        let mut cut = |part: u32| {
            let plane_mm = planes.height_mm(index, part);
            let display = &settings.display;
            let segments = edges::cut(&self.parts, &self.intervals, display, index, plane_mm, watch)?;
            shaper.layer(segments, &Shown { display, rule, index, part }, watch)
        };
        if planes.each == 1 {
            return cut(0);
        }
        let layers = (0..planes.each).map(cut).collect::<Result<Vec<Layer>, Stopped>>()?;
        Ok(mean(&layers, settings))
    }
}

fn planes(settings: &Settings, layers: u32) -> Planes<'_> {
    let each = match settings.sampling {
        Sampling::Centre | Sampling::Coverage => 1,
        Sampling::Supersampled { samples } => u32::from(samples).max(1),
    };
    Planes { heights: &settings.heights, layers, each }
}

/// The layer of which each pixel is the mean of the layers', rounded to nearest.
fn mean(layers: &[Layer], settings: &Settings) -> Layer {
    let count = u32::try_from(layers.len()).unwrap_or(u32::MAX).max(1);
    let mut out = RunList::new();
    // For each layer its runs, and how much of the first one is left.
    let mut rests: Vec<(&[super::Run], u32)> = layers.iter().map(|layer| (&layer.runs[..], 0)).collect();
    loop {
        let (mut sum, mut length) = (0_u32, u32::MAX);
        for (runs, left) in &mut rests {
            if let (0, [first, ..]) = (*left, *runs) {
                *left = first.length;
            }
            sum += runs.first().map_or(0, |run| u32::from(run.value));
            length = length.min(*left);
        }
        if length == 0 || rests.is_empty() {
            break;
        }
        out.push(u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX), length);
        for (runs, left) in &mut rests {
            *left -= length;
            if *left == 0 {
                *runs = runs.get(1..).unwrap_or_default();
            }
        }
    }
    let index = layers.first().map_or(0, |layer| layer.index);
    let open_rows = layers.iter().map(|layer| layer.open_rows).max().unwrap_or(0);
    out.finish(index, settings.display.pixel_mm2(), open_rows)
}

/// Puts layers together that share no lit pixel; `parts` are in any order.
pub(super) fn merge(parts: &[&Layer], index: u32, settings: &Settings) -> Layer {
    let mut lit: Vec<(u32, u32, u8)> = Vec::with_capacity(parts.iter().map(|part| part.runs.len()).sum());
    for part in parts {
        let mut at = 0_u32;
        for run in &part.runs {
            if run.value != 0 {
                lit.push((at, run.length, run.value));
            }
            at = at.saturating_add(run.length);
        }
    }
    // A stable sort takes what is already in order as it is.
    lit.sort_by_key(|&(at, _, _)| at);
    let mut out = RunList::new();
    let mut cursor = 0;
    for (at, length, value) in lit {
        out.push(0, at.saturating_sub(cursor));
        out.push(value, length);
        cursor = at.saturating_add(length);
    }
    let pixels = u32::try_from(settings.display.pixels()).unwrap_or(u32::MAX);
    out.push(0, pixels.saturating_sub(cursor));
    let open_rows = parts.iter().map(|part| part.open_rows).sum();
    out.finish(index, settings.display.pixel_mm2(), open_rows)
}
