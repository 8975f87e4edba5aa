//! Thin areas that stand on each other, as features with a height: the last layers of a dome are small, too,
//! but not over a height.

use super::areas::OUTSIDE;
use super::frame::{Frame, part_at, round_micron};
use super::links::{Cut, Links, look};
use super::{LISTED_MAX, Scene, ThinFeature};
use crate::slice::{Display, usize_of};

/// Lays the thin areas of layer on layer.
pub(super) struct Slender<'a> {
    scene: &'a Scene,
    frame: Frame,
    pixel_mm2: f64,
    limit_mm: f64,
    layers: u32,
    below: Cut,
    body_of: Vec<u32>,
    chains: Vec<Chain>,
    found: Vec<ThinFeature>,
    count: u64,
}

#[derive(Clone, Default)]
struct Chain {
    first: u32,
    spot: Option<[u32; 2]>,
    px_max: u64,
    px_now: u64,
}

impl<'a> Slender<'a> {
    pub(super) fn new(scene: &'a Scene, display: &Display, limit_mm: f64) -> Self {
        Self {
            scene,
            frame: Frame::of(display, scene.origin_mm),
            pixel_mm2: display.pixel_mm2(),
            limit_mm,
            layers: 0,
            below: Cut::default(),
            body_of: vec![OUTSIDE],
            chains: vec![Chain::default()],
            found: Vec::new(),
            count: 0,
        }
    }

    /// Lays the thin areas of the next layer on.
    pub(super) fn lay(&mut self, cut: Cut) {
        let links = Links::between(&self.below, &self.body_of, self.chains.len(), &cut);
        let settled = links.settle();
        let mut chains = vec![Chain { first: self.layers, ..Chain::default() }; settled.count];
        for (area, &number) in cut.areas.areas.iter().zip(&settled.body_of) {
            if area.is_lit {
                chains[usize_of(number)].px_now += area.px;
            }
        }
        for (old, became) in std::mem::take(&mut self.chains).into_iter().zip(&settled.became).skip(1) {
            match became {
                Some(number) => chains[usize_of(*number)].absorb(&old),
                None => self.end(&old),
            }
        }
        (self.below, self.body_of, self.chains) = (cut, settled.body_of, chains);
        self.layers += 1;
        self.look_at_new();
    }

    /// The features, and how many there are in all.
    pub(super) fn finish(mut self) -> (Vec<ThinFeature>, u64) {
        for chain in std::mem::take(&mut self.chains).iter().skip(1) {
            self.end(chain);
        }
        (self.found, self.count)
    }

    fn look_at_new(&mut self) {
        let mut slots = vec![None; self.chains.len()];
        let mut count = 0;
        for (slot, chain) in slots.iter_mut().zip(&mut self.chains).skip(1) {
            chain.px_max = chain.px_max.max(chain.px_now);
            chain.px_now = 0;
            if chain.spot.is_none() {
                *slot = Some(count);
                count += 1;
            }
        }
        let looks = look(&self.below, count, |area| slots[usize_of(self.body_of[usize_of(area)])]);
        for (slot, chain) in slots.iter().zip(&mut self.chains) {
            if let Some(slot) = slot {
                chain.spot = Some(looks[*slot].spot);
            }
        }
    }

    /// Notes a chain that ended with the layer below. What light encloses in a thin ring is no chain.
    fn end(&mut self, chain: &Chain) {
        let last = self.layers.saturating_sub(1);
        let bottom_mm = self.scene.bottom_mm(chain.first);
        let height_mm = self.scene.top_mm(last) - bottom_mm;
        // Heights are whole micrometres: half a nanometre is rounding.
        if chain.px_max == 0 || height_mm < self.limit_mm - 5e-7 {
            return;
        }
        self.count += 1;
        if self.found.len() >= LISTED_MAX {
            return;
        }
        let [x, y] = self.frame.pixel_mm(chain.spot.unwrap_or_default());
        let z = round_micron(self.scene.top_mm(chain.first));
        #[expect(clippy::cast_precision_loss, reason = "pixels of one display")]
        let area_mm2_max = chain.px_max as f64 * self.pixel_mm2;
        let part = part_at(self.scene, [x, y], z);
        let at_mm = [x, y, z];
        self.found.push(ThinFeature {
            first_layer: chain.first,
            last_layer: last,
            at_mm,
            area_mm2_max,
            part,
        });
    }
}

impl Chain {
    fn absorb(&mut self, lower: &Chain) {
        if lower.first < self.first {
            (self.first, self.spot) = (lower.first, lower.spot);
        }
        self.px_max = self.px_max.max(lower.px_max);
    }
}
