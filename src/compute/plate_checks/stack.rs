//! What has been built up to a layer, as bodies of metal-to-be and pockets of resin.
//!
//! ```text
//!   lit area, nothing below it     -> island  -> joins what stands on the plate | never joins
//!   dark area, light all round it,
//!   nothing dark below it          -> pocket  -> opens at a layer (cup) | is covered (trap) | last layer (cup)
//! ```
//!
//! Only bodies that reach the newest layer are kept, so memory does not grow with the number of layers.

use super::areas::OUTSIDE;
use super::frame::{Frame, part_at, round_micron};
use super::links::{Cut, Links, Look, Settled, each_segment, look};
use super::{Base, Closed, Island, IslandKind, IslandRule, LISTED_MAX, Opening, Pocket, Rules, Scene};
use crate::slice::{Display, usize_of};

/// A rule that looks further than this looks at another part.
const REACH_PX_MAX: u32 = 16;

/// Lays layer on layer.
pub(super) struct Stack<'a> {
    rules: &'a Rules,
    scene: &'a Scene,
    frame: Frame,
    pixel_mm2: f64,
    /// Layers laid so far.
    layers: u32,
    below: Cut,
    /// The body of each area of the topmost layer.
    body_of: Vec<u32>,
    bodies: Vec<Body>,
    pub(super) islands: Vec<Island>,
    pub(super) free_islands: u64,
    pub(super) weak_islands: u64,
    pub(super) pockets: Vec<Pocket>,
    pub(super) cups: u64,
    pub(super) traps: u64,
}

/// What reaches the topmost layer.
enum Body {
    /// Dark that is open.
    Outside,
    Lit(Lit),
    Closed(ClosedBody),
}

struct Lit {
    /// Whether it stands on the plate.
    is_held: bool,
    /// Whether none of it was an island large enough to note.
    is_fresh: bool,
    /// Listed islands that it holds, not joined to the plate yet.
    islands: Vec<usize>,
}

/// Dark that nothing leads out of so far.
#[derive(Clone)]
struct ClosedBody {
    first: u32,
    /// A pixel of its first layer, once that was looked at.
    lowest: Option<[u32; 2]>,
    /// Pixels times millimetres of height.
    volume: f64,
    px_max: u64,
    /// Pixels of the topmost layer.
    px_now: u64,
}

impl<'a> Stack<'a> {
    pub(super) fn new(rules: &'a Rules, scene: &'a Scene, display: &Display) -> Self {
        Self {
            rules,
            scene,
            frame: Frame::of(display, scene.origin_mm),
            pixel_mm2: display.pixel_mm2(),
            layers: 0,
            below: Cut::default(),
            body_of: vec![OUTSIDE],
            bodies: vec![Body::Outside],
            islands: Vec::new(),
            free_islands: 0,
            weak_islands: 0,
            pockets: Vec::new(),
            cups: 0,
            traps: 0,
        }
    }

    /// Lays the next layer on.
    pub(super) fn lay(&mut self, cut: Cut) {
        let layer = self.layers;
        let mut links = match (layer, self.rules.base) {
            (0, Base::OnPlate) => Links::none(self.bodies.len(), &cut),
            // Below a raised part it is dark and open.
            (0, Base::Raised) | (1.., _) => {
                Links::between(&self.below, &self.body_of, self.bodies.len(), &cut)
            }
        };
        self.reach(&cut, &mut links);
        let overlap_px = std::mem::take(&mut links.overlap_px);
        let settled = links.settle();
        let bodies = self.carry_over(&cut, &settled);
        (self.below, self.body_of, self.bodies) = (cut, settled.body_of, bodies);
        self.layers += 1;
        self.note_islands(layer, &overlap_px);
        self.note_pockets();
    }

    /// Ends the plate: what is still closed opens when the last layer leaves the film.
    pub(super) fn finish(&mut self) {
        let last = std::mem::replace(&mut self.bodies, vec![Body::Outside]);
        let closed = (0..).zip(&last).filter_map(|(index, body)| match body {
            Body::Closed(closed) => Some((index, closed.clone(), Opening::AfterPrint)),
            Body::Outside | Body::Lit(_) => None,
        });
        let closed: Vec<_> = closed.collect();
        self.note_closed(closed);
    }

    /// Lit areas over nothing that touch something within the reach of the rule are joined to it.
    fn reach(&self, cut: &Cut, links: &mut Links) {
        let reach = self.rules.islands.reach_px.min(REACH_PX_MAX);
        let hangs = |area: u32, overlap_px: &[u64]| overlap_px[usize_of(area)] == 0;
        let areas = (0..).zip(&cut.areas.areas);
        let any = areas.skip(1).any(|(index, area)| area.is_lit && hangs(index, &links.overlap_px));
        if reach == 0 || !any {
            return;
        }
        let mut touched = Vec::new();
        each_segment(cut, |area, row, from, to| {
            if cut.areas.areas[usize_of(area)].is_lit && hangs(area, &links.overlap_px) {
                for near in row.saturating_sub(reach)..=row.saturating_add(reach) {
                    self.touching(near, from.saturating_sub(reach), to.saturating_add(reach), |body| {
                        if touched.last() != Some(&(body, area)) {
                            touched.push((body, area));
                        }
                    });
                }
            }
        });
        for (body, area) in touched {
            links.unite(body, area);
        }
    }

    /// Calls `touch` with the body of each lit segment of the layer below in some columns of a row.
    fn touching(&self, row: u32, from: u32, to: u32, mut touch: impl FnMut(u32)) {
        let (edges, span) = (self.below.section.row(row), self.below.section.span(row));
        let first = edges.partition_point(|&edge| edge <= from);
        for segment in first..edges.len() {
            if segment > 0 && edges[segment - 1] >= to {
                return;
            }
            if segment % 2 == 1 {
                touch(self.body_of[usize_of(self.below.areas.of_segment(&span, segment))]);
            }
        }
    }

    /// The bodies of the new layer, with what the old ones bring along.
    fn carry_over(&mut self, cut: &Cut, settled: &Settled) -> Vec<Body> {
        let mut bodies = self.new_bodies(cut, settled);
        let old = std::mem::take(&mut self.bodies);
        let mut left = Vec::new();
        for ((index, body), became) in (0..).zip(old).zip(&settled.became) {
            let heir = became.map(|number| &mut bodies[usize_of(number)]);
            match (body, heir) {
                (Body::Outside, _) | (Body::Lit(_), None) => {}
                (Body::Lit(lit), Some(Body::Lit(heir))) => heir.absorb(lit),
                (Body::Closed(closed), Some(Body::Closed(heir))) => heir.absorb(&closed),
                (Body::Closed(closed), None) => left.push((index, closed, Opening::Never)),
                (Body::Closed(closed), Some(Body::Outside)) => {
                    left.push((index, closed, Opening::AtLayer(self.layers)));
                }
                // Lit and dark never meet.
                (Body::Lit(_), Some(Body::Outside | Body::Closed(_)))
                | (Body::Closed(_), Some(Body::Lit(_))) => {}
            }
        }
        self.note_closed(left);
        let thickness = self.scene.thickness_mm(self.layers);
        for body in &mut bodies {
            match body {
                Body::Outside => {}
                Body::Closed(closed) => closed.grow(thickness),
                Body::Lit(lit) if lit.is_held => {
                    for index in lit.islands.drain(..) {
                        self.islands[index].joins_layer = Some(self.layers);
                    }
                }
                Body::Lit(_) => {}
            }
        }
        bodies
    }

    fn new_bodies(&self, cut: &Cut, settled: &Settled) -> Vec<Body> {
        let is_held = self.layers == 0 && self.rules.base == Base::OnPlate;
        let mut bodies: Vec<Body> = (0..settled.count).map(|_| Body::Outside).collect();
        for (area, &number) in cut.areas.areas.iter().zip(&settled.body_of).skip(1) {
            let body = &mut bodies[usize_of(number)];
            if number == OUTSIDE {
                continue;
            }
            if area.is_lit {
                *body = Body::Lit(Lit { is_held, is_fresh: !is_held, islands: Vec::new() });
                continue;
            }
            match body {
                Body::Closed(closed) => closed.px_now += area.px,
                Body::Outside | Body::Lit(_) => *body = Body::Closed(ClosedBody::new(self.layers, area.px)),
            }
        }
        bodies
    }

    /// Lists the islands of the topmost layer.
    fn note_islands(&mut self, layer: u32, overlap_px: &[u64]) {
        let mut found = Vec::new();
        let mut slots = vec![None; self.body_of.len()];
        for (place, area) in self.below.areas.areas.iter().enumerate().skip(1) {
            let Body::Lit(lit) = &self.bodies[usize_of(self.body_of[place])] else { continue };
            let new_on_plate = layer == 0 && self.rules.base == Base::OnPlate;
            let kind = kind_of(&self.rules.islands, lit, area.px, overlap_px[place]);
            let Some(kind) = kind.filter(|_| !new_on_plate) else { continue };
            match kind {
                IslandKind::Free => self.free_islands += 1,
                IslandKind::Weak => self.weak_islands += 1,
            }
            if self.islands.len() + found.len() < LISTED_MAX {
                slots[place] = Some(found.len());
                found.push((place, kind));
            }
        }
        let looks = look(&self.below, found.len(), |area| slots[usize_of(area)]);
        for ((place, kind), look) in found.into_iter().zip(looks) {
            let px = self.below.areas.areas[place].px;
            let mut island = self.island(layer, kind, [px, overlap_px[place]], &look);
            match &mut self.bodies[usize_of(self.body_of[place])] {
                Body::Lit(lit) if lit.is_held => island.joins_layer = Some(layer),
                Body::Lit(lit) => {
                    lit.is_fresh = false;
                    lit.islands.push(self.islands.len());
                }
                Body::Outside | Body::Closed(_) => {}
            }
            self.islands.push(island);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "pixels of one display")]
    fn island(&self, layer: u32, kind: IslandKind, [px, overlap_px]: [u64; 2], look: &Look) -> Island {
        let at_mm = self.frame.pixel_mm(look.spot);
        let z_mm = round_micron(self.scene.top_mm(layer));
        Island {
            layer,
            z_mm,
            kind,
            at_mm,
            centroid_mm: self.frame.plate_mm(look.centroid()),
            px,
            area_mm2: px as f64 * self.pixel_mm2,
            overlap_px,
            joins_layer: None,
            part: part_at(self.scene, at_mm, z_mm),
        }
    }

    /// Remembers where the pockets that begin in the topmost layer are lowest.
    fn note_pockets(&mut self) {
        let mut slots = vec![None; self.bodies.len()];
        let mut count = 0;
        for (slot, body) in slots.iter_mut().zip(&self.bodies) {
            if matches!(body, Body::Closed(closed) if closed.lowest.is_none()) {
                *slot = Some(count);
                count += 1;
            }
        }
        let looks = look(&self.below, count, |area| slots[usize_of(self.body_of[usize_of(area)])]);
        for (slot, body) in slots.iter().zip(&mut self.bodies) {
            if let (Some(slot), Body::Closed(closed)) = (slot, body) {
                closed.lowest = Some(looks[*slot].spot);
            }
        }
    }

    /// Lists pockets that ended with the layer below: its bodies by number.
    fn note_closed(&mut self, ended: Vec<(u32, ClosedBody, Opening)>) {
        let last = self.layers.saturating_sub(1);
        let mut found = Vec::new();
        let mut slots = vec![None; self.body_of.len()];
        for (body, closed, opening) in ended {
            if !self.is_told(&closed, opening, last) {
                continue;
            }
            match opening.closed() {
                Closed::WhilePrinting => self.cups += 1,
                Closed::ForEver => self.traps += 1,
            }
            if self.pockets.len() + found.len() < LISTED_MAX {
                if let Some(slot) = slots.get_mut(usize_of(body)) {
                    *slot = Some(found.len());
                }
                found.push((closed, opening));
            }
        }
        let looks = look(&self.below, found.len(), |area| {
            slots.get(usize_of(self.body_of[usize_of(area)])).copied().flatten()
        });
        for ((closed, opening), look) in found.into_iter().zip(looks) {
            let pocket = self.pocket(&closed, opening, last, look.spot);
            self.pockets.push(pocket);
        }
    }

    fn is_told(&self, closed: &ClosedBody, opening: Opening, last: u32) -> bool {
        let rule = &self.rules.pockets;
        let height_mm = self.scene.top_mm(last) - self.scene.bottom_mm(closed.first);
        match opening.closed() {
            Closed::ForEver => closed.volume * self.pixel_mm2 >= rule.trap_mm3_min,
            Closed::WhilePrinting => {
                // Heights are whole micrometres: half a nanometre is rounding.
                self.mm2(closed.px_max) >= rule.cup_mm2_min && height_mm >= rule.cup_mm_min - 5e-7
            }
        }
    }

    fn pocket(&self, closed: &ClosedBody, opening: Opening, last: u32, highest: [u32; 2]) -> Pocket {
        let at = |spot: [u32; 2], z_mm: f64| {
            let [x, y] = self.frame.pixel_mm(spot);
            [x, y, round_micron(z_mm)]
        };
        let highest_mm = at(highest, self.scene.top_mm(last));
        let lowest_mm = at(closed.lowest.unwrap_or(highest), self.scene.bottom_mm(closed.first));
        Pocket {
            closed: opening.closed(),
            opening,
            first_layer: closed.first,
            last_layer: last,
            volume_ml: closed.volume * self.pixel_mm2 / 1000.0,
            area_mm2_max: self.mm2(closed.px_max),
            lowest_mm,
            highest_mm,
            is_on_plate: closed.first == 0,
            part: part_at(self.scene, [highest_mm[0], highest_mm[1]], highest_mm[2]),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "pixels of one display")]
    fn mm2(&self, px: u64) -> f64 {
        px as f64 * self.pixel_mm2
    }
}

/// Whether an area of a body is an island.
fn kind_of(rule: &IslandRule, lit: &Lit, px: u64, overlap_px: u64) -> Option<IslandKind> {
    if lit.is_fresh {
        return (px >= rule.px_min).then_some(IslandKind::Free);
    }
    let weak = rule.weak?;
    #[expect(clippy::cast_precision_loss, reason = "pixels of one display")]
    let too_little = (overlap_px as f64) < (weak.overlap_px as f64).max(weak.overlap_share * px as f64);
    (px >= weak.px_min && too_little).then_some(IslandKind::Weak)
}

impl Lit {
    fn absorb(&mut self, lower: Lit) {
        self.is_held |= lower.is_held;
        self.is_fresh &= lower.is_fresh && !lower.is_held;
        self.islands.extend(lower.islands);
    }
}

impl ClosedBody {
    fn new(first: u32, px_now: u64) -> Self {
        Self { first, lowest: None, volume: 0.0, px_max: 0, px_now }
    }

    fn absorb(&mut self, lower: &ClosedBody) {
        if lower.first < self.first {
            (self.first, self.lowest) = (lower.first, lower.lowest);
        }
        self.volume += lower.volume;
        self.px_max = self.px_max.max(lower.px_max);
    }

    /// Takes the topmost layer in.
    #[expect(clippy::cast_precision_loss, reason = "pixels of one display")]
    fn grow(&mut self, thickness_mm: f64) {
        self.volume += self.px_now as f64 * thickness_mm;
        self.px_max = self.px_max.max(self.px_now);
    }
}
