//! Which pixels of a layer are held by what is below, and which must get a contact.
//!
//! Held is what grows out of held pixels of the layer below, by no more than the resin holds by itself, and what
//! lies within the reach of a contact. An area without any held pixel is an island. Fractions of a pixel are
//! carried from layer to layer.

use std::convert::Infallible;

use nalgebra::Point3;

use super::bits::Bits;
use super::space::{Occupied, Space};
use super::surface::{Spot, Surface};
use super::{Cause, Contact, Params, SupportError, Zone};
use crate::mesh::Mesh;
use crate::slice::{
    Control, Display, Heights, Layer, LayerSource, Orientation, Part, Plate, Sampling, Settings, stream,
    usize_of,
};
use crate::units::Microns;

/// Dark pixels round the part.
const RIM_PX: f64 = 2.0;

/// An area that stands on this many pixels or fewer may be a roughness of the surface.
const ROUGH_PX: u64 = 4;

/// A contact keeps this far from the edge of its area if there is room, pixels.
const INSET_PX: u32 = 4;

/// More contacts than these are no support of a jewel; the rest of the part is left and told.
const WANTED_MAX: usize = 5_000;

/// What was seen while looking at all layers.
pub(super) struct Seen {
    /// Contacts to make, lowest layers first.
    pub(super) wanted: Vec<Contact>,
    /// Places that may not be touched or can't be.
    pub(super) left: Vec<Left>,
    /// Height and area of each layer: mm, mm².
    pub(super) areas: Vec<[f64; 2]>,
    pub(super) space: Space,
}

/// A place that should be held and is not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    pub(super) at: Point3<f64>,
    pub(super) cause: Cause,
    pub(super) why: Why,
}

/// Why a place is not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Its zone may not be touched.
    Forbidden,
    /// No pillar gets there.
    Unreachable,
    /// There are too many contacts.
    TooMany,
}

/// Looks at the part layer by layer.
pub(super) fn look(
    part: &Mesh,
    surface: &Surface<'_>,
    params: &Params,
    control: Control<'_>,
) -> Result<Seen, SupportError> {
    let window = Window::around(part, params);
    let offset_mm = [-window.low[0], -window.low[1], 0.0];
    let parts = [Part { name: "part", mesh: part, offset_mm }];
    let plate = Plate::prepare(&parts, window.settings(params))?;
    let mut sweep = Sweep::new(&window, surface, params, usize_of(plate.layer_count()));
    let bits = |layer: &Layer| Bits::of_runs(&layer.runs, window.size[0], window.size[1]);
    stream(&plate, control, bits, |bits| -> Result<(), Infallible> {
        sweep.add(&bits);
        Ok(())
    })?;
    let space = sweep.occupied.measure();
    Ok(Seen { wanted: sweep.wanted, left: sweep.left, areas: sweep.areas, space })
}

/// The pixels that the part covers. Its corner lies on the grid of the plate.
struct Window {
    low: [f64; 2],
    size: [usize; 2],
    top_mm: f64,
}

impl Window {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates; checked by the slicer"
    )]
    fn around(part: &Mesh, params: &Params) -> Self {
        let Some(bounds) = part.bounds() else { return Self { low: [0.0; 2], size: [1; 2], top_mm: 1.0 } };
        let px = params.pixel_mm;
        let low = [0, 1].map(|axis| ((bounds.min[axis] / px).floor() - RIM_PX) * px);
        let size = [0, 1].map(|axis| (((bounds.max[axis] - low[axis]) / px).ceil() + RIM_PX) as usize);
        Self { low, size, top_mm: bounds.max.z }
    }

    fn settings(&self, params: &Params) -> Settings {
        let [width_px, height_px] = self.size.map(|px| u32::try_from(px).unwrap_or(u32::MAX));
        let display = Display {
            width_px,
            height_px,
            pitch_mm: [params.pixel_mm; 2],
            orientation: Orientation::Landscape,
            mirror_x: false,
            // Rows run like plate y.
            mirror_y: true,
        };
        let heights = Heights::uniform(Microns(params.layer_um));
        Settings { display, height_max_mm: self.top_mm + 1.0, heights, sampling: Sampling::Centre }
    }
}

/// The layers so far.
struct Sweep<'a> {
    low: [f64; 2],
    size: [usize; 2],
    surface: &'a Surface<'a>,
    params: &'a Params,
    below: Bits,
    held: Bits,
    index: usize,
    /// Growth that is left over from the layers below, pixels.
    carry: f64,
    /// Steps of growth so far: every second one goes across corners.
    steps: u32,
    lowest_mm: f64,
    occupied: Occupied,
    areas: Vec<[f64; 2]>,
    wanted: Vec<Contact>,
    left: Vec<Left>,
}

impl<'a> Sweep<'a> {
    fn new(window: &Window, surface: &'a Surface<'a>, params: &'a Params, layers: usize) -> Self {
        let [width, height] = window.size;
        Self {
            low: window.low,
            size: window.size,
            surface,
            params,
            below: Bits::empty(width, height),
            held: Bits::empty(width, height),
            index: 0,
            carry: 0.0,
            steps: 0,
            lowest_mm: f64::INFINITY,
            occupied: Occupied::new(window.low, window.size, layers, params.pixel_mm, params.layer_mm()),
            areas: Vec::new(),
            wanted: Vec::new(),
            left: Vec::new(),
        }
    }

    fn add(&mut self, bits: &Bits) {
        let px = self.params.pixel_mm;
        self.occupied.add(self.index, bits);
        self.areas.push([self.plane_mm(), float(bits.count()) * px * px]);
        let mut held = self.grown(bits);
        // A part that stands on the plate is held by it.
        if self.index == 0 {
            held = bits.clone();
        }
        let mut loose = bits.clone();
        loose.without(&held.flooded(bits, self.pixels(self.params.overhang_mm)));
        if self.index > 0 {
            // What is held may touch an island at a corner; that holds nothing.
            let mut over = self.below.clone();
            over.and(bits);
            let mut islands = bits.clone();
            islands.without(&over.spread(bits));
            loose.or(&islands);
        }
        if !loose.is_empty() {
            self.lowest_mm = self.lowest_mm.min(self.plane_mm());
            while let Some(pixel) = loose.first() {
                let mut seed = Bits::empty(self.size[0], self.size[1]);
                seed.set(pixel);
                let area = seed.filled(bits);
                loose.without(&area);
                self.hold(&area, &mut held, bits);
            }
        }
        self.held = held;
        self.below = bits.clone();
        self.index += 1;
    }

    /// What grows out of what is held below.
    fn grown(&mut self, bits: &Bits) -> Bits {
        self.carry += self.params.growth_mm() / self.params.pixel_mm;
        let mut held = self.held.clone();
        while self.carry >= 1.0 {
            self.carry -= 1.0;
            self.steps += 1;
            held = held.grown(bits, self.steps.is_multiple_of(2));
        }
        held.and(bits);
        held
    }

    /// Gives an area the contacts that it needs.
    fn hold(&mut self, area: &Bits, held: &mut Bits, bits: &Bits) {
        let is_island = !self.below.meets(area);
        let mut own = held.clone();
        own.and(area);
        if is_island {
            own = Bits::empty(self.size[0], self.size[1]);
        }
        let is_free = own.is_empty();
        let is_beside = || self.below.grown(bits, true).meets(area);
        if is_free && area.count() <= ROUGH_PX && (!is_island || is_beside()) {
            return;
        }
        let mut cause = if is_island { Cause::Island } else { Cause::Overhang };
        let hang = self.pixels(self.params.overhang_mm);
        let mut aim = is_free.then(|| middle(area));
        loop {
            let aimed = match aim.take() {
                Some(pixel) => Some(pixel),
                None => farthest(&own, area, hang),
            };
            let Some(pixel) = aimed else { break };
            self.place(pixel, area, &mut own, cause);
            cause = Cause::Overhang;
        }
        held.or(&own);
    }

    /// Puts a contact at a pixel or as near to it as may be; the pixel counts as held, as does what the contact
    /// reaches.
    fn place(&mut self, pixel: [usize; 2], area: &Bits, own: &mut Bits, cause: Cause) {
        let at = self.point(pixel);
        let mut seed = Bits::empty(self.size[0], self.size[1]);
        let reach = match self.spot_near(pixel, area) {
            _ if self.wanted.len() >= WANTED_MAX => {
                self.left.push(Left { at, cause, why: Why::TooMany });
                self.params.tip_mm
            }
            Some((pixel, spot)) => {
                seed.set(pixel);
                let diameter_mm = self.diameter_mm(&spot);
                let Spot { point, normal, zone } = spot;
                self.wanted.push(Contact { point, normal, diameter_mm, zone, cause });
                diameter_mm
            }
            None => {
                self.left.push(Left { at, cause, why: Why::Forbidden });
                self.params.tip_mm
            }
        };
        seed.set(pixel);
        own.or(&seed.flooded(area, self.pixels(self.params.reach_mm(reach))));
    }

    /// The surface below a pixel, or below one near it in the same area, where it may be touched.
    fn spot_near(&self, pixel: [usize; 2], area: &Bits) -> Option<([usize; 2], Spot)> {
        let inner = inset(pixel, area);
        let spot = |pixel: [usize; 2]| {
            let at = self.point(pixel);
            let spot = self.surface.below([at.x, at.y], at.z)?;
            // The surface of a thin sheet may lie far below the pixel's middle: then it is another place.
            spot.zone.may_touch().then_some((pixel, spot))
        };
        if let Some(found) = spot(inner).or_else(|| spot(pixel)) {
            return Some(found);
        }
        let away =
            |other: &[usize; 2]| other[0].abs_diff(pixel[0]).pow(2) + other[1].abs_diff(pixel[1]).pow(2);
        let reach = usize_of(self.pixels(self.params.reach_mm(self.params.tip_mm)));
        let mut others: Vec<[usize; 2]> =
            area.pixels().filter(|other| away(other) <= reach * reach).collect();
        others.sort_by_key(|other| (away(other), *other));
        others.into_iter().find_map(spot)
    }

    fn diameter_mm(&self, spot: &Spot) -> f64 {
        let is_low = spot.point.z <= self.lowest_mm + self.params.heavy_height_mm;
        match spot.zone {
            Zone::Prong => self.params.tip_fine_mm,
            Zone::ShankBottom => self.params.tip_heavy_mm,
            Zone::Finger | Zone::Head | Zone::Side | Zone::Seat | Zone::Engraved if is_low => {
                self.params.tip_heavy_mm
            }
            Zone::Finger | Zone::Head | Zone::Side | Zone::Seat | Zone::Engraved => self.params.tip_mm,
        }
    }

    fn point(&self, [column, row]: [usize; 2]) -> Point3<f64> {
        let px = self.params.pixel_mm;
        let along = |axis: usize, index: usize| self.low[axis] + (float_of(index) + 0.5) * px;
        Point3::new(along(0, column), along(1, row), self.plane_mm())
    }

    fn plane_mm(&self) -> f64 {
        (float_of(self.index) + 0.5) * self.params.layer_mm()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred at most")]
    fn pixels(&self, mm: f64) -> u32 {
        (mm / self.params.pixel_mm).round().max(1.0) as u32
    }
}

/// The pixel nearest to the centre of an area, among those furthest inside.
fn middle(area: &Bits) -> [usize; 2] {
    let (mut sum, mut count) = ([0.0; 2], 0.0);
    for [column, row] in area.pixels() {
        sum = [sum[0] + float_of(column), sum[1] + float_of(row)];
        count += 1.0;
    }
    let centre = sum.map(|sum| sum / f64::max(count, 1.0));
    let core = core(area, u32::MAX);
    let away = |pixel: &[usize; 2]| {
        (float_of(pixel[0]) - centre[0]).powi(2) + (float_of(pixel[1]) - centre[1]).powi(2)
    };
    let nearest = core.pixels().min_by(|a, b| away(a).total_cmp(&away(b)));
    nearest.unwrap_or_default()
}

/// What is left of an area after at most so many erosions, before nothing is.
fn core(area: &Bits, most: u32) -> Bits {
    let mut core = area.clone();
    for _ in 0..most {
        let next = core.eroded();
        if next.is_empty() {
            break;
        }
        core = next;
    }
    core
}

/// The pixel of an area that is furthest from what is held, if that is further than `hang`.
fn farthest(own: &Bits, area: &Bits, hang: u32) -> Option<[usize; 2]> {
    let mut reached = own.clone();
    let mut last = None;
    for step in 0_u32.. {
        let mut front = area.clone();
        front.without(&reached);
        let next = reached.grown(area, step % 2 == 1);
        let Some(pixel) = front.first() else { break };
        if step >= hang {
            last = Some(pixel);
        }
        if next == reached {
            break;
        }
        reached = next;
    }
    last
}

/// A pixel near this one that is further from the edge.
fn inset(pixel: [usize; 2], area: &Bits) -> [usize; 2] {
    let near = |side: usize| {
        let inset = usize_of(INSET_PX);
        pixel[side].saturating_sub(inset)..=pixel[side] + inset
    };
    let (mut best, mut depth) = (pixel, 0);
    for row in near(1) {
        for column in near(0) {
            let other = [column, row];
            let deep = deep(other, area);
            let away = |at: [usize; 2]| at[0].abs_diff(pixel[0]) + at[1].abs_diff(pixel[1]);
            if area.get(other) && (deep > depth || (deep == depth && away(other) < away(best))) {
                (best, depth) = (other, deep);
            }
        }
    }
    best
}

/// How many pixels it is to the edge in the four directions, up to the inset.
fn deep([column, row]: [usize; 2], area: &Bits) -> u32 {
    let inside = |away: usize| {
        let sides = [
            [column.wrapping_sub(away), row],
            [column + away, row],
            [column, row.wrapping_sub(away)],
            [column, row + away],
        ];
        sides.into_iter().all(|pixel| area.get(pixel))
    };
    (0..INSET_PX).take_while(|&away| inside(usize_of(away))).map(|away| away + 1).last().unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "pixels of a plate, far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "pixels of a plate, far below 2^53")]
fn float_of(index: usize) -> f64 {
    index as f64
}
