//! Which areas of a layer stand on which areas of the layer below.

use super::areas::{Areas, OUTSIDE, Sets};
use super::section::{Section, meet};
use crate::slice::usize_of;

/// A layer with its areas.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub(super) section: Section,
    pub(super) areas: Areas,
}

impl Cut {
    pub(super) fn of(section: Section) -> Self {
        let areas = Areas::of(&section);
        Self { section, areas }
    }
}

/// What meets between two layers.
pub(super) struct Links {
    /// Members: bodies of the layer below, then areas of the layer above.
    pub(super) sets: Sets,
    bodies: usize,
    /// For each area of the layer above, how many of its pixels stand on pixels of the same kind.
    pub(super) overlap_px: Vec<u64>,
}

impl Links {
    /// Nothing but the outside goes on.
    pub(super) fn none(bodies: usize, above: &Cut) -> Self {
        let count = above.areas.areas.len();
        let mut links = Self { sets: Sets::with(bodies + count), bodies, overlap_px: vec![0; count] };
        links.unite(OUTSIDE, OUTSIDE);
        links
    }

    /// `body_of` names the body of each area below; body 0 is the outside, as area 0 is.
    pub(super) fn between(below: &Cut, body_of: &[u32], bodies: usize, above: &Cut) -> Self {
        let count = above.areas.areas.len();
        let mut links = Self::none(bodies, above);
        // Most pairs repeat from row to row.
        let mut last = vec![u32::MAX; count];
        let (low, high) = (below.section.rows(), above.section.rows());
        for row in low.start.min(high.start)..low.end.max(high.end) {
            let (low_span, high_span) = (below.section.span(row), above.section.span(row));
            let (low_row, high_row) = (below.section.row(row), above.section.row(row));
            meet(low_row, high_row, above.section.width(), |i, j, px| {
                let from = below.areas.of_segment(&low_span, i);
                let to = above.areas.of_segment(&high_span, j);
                let place = usize_of(to);
                links.overlap_px[place] += u64::from(px);
                if last[place] != from {
                    last[place] = from;
                    links.unite(body_of.get(usize_of(from)).copied().unwrap_or(OUTSIDE), to);
                }
            });
        }
        links
    }

    /// Makes a body of the layer below and an area of the layer above one.
    pub(super) fn unite(&mut self, body: u32, area: u32) {
        // Bodies and areas are at most the edges of two layers.
        let offset = u32::try_from(self.bodies).unwrap_or(u32::MAX);
        self.sets.unite(body, offset.saturating_add(area));
    }

    /// Numbers the bodies that reach the layer above: 0 stays the outside.
    pub(super) fn settle(self) -> Settled {
        let (names, count) = self.sets.names();
        let (old, areas) = names.split_at(self.bodies);
        let mut new = vec![None; count];
        new[0] = Some(OUTSIDE);
        let mut reached = 1_u32;
        for &set in areas {
            let slot = &mut new[usize_of(set)];
            if slot.is_none() {
                *slot = Some(reached);
                reached += 1;
            }
        }
        Settled {
            body_of: areas.iter().map(|&set| new[usize_of(set)].unwrap_or(OUTSIDE)).collect(),
            became: old.iter().map(|&set| new[usize_of(set)]).collect(),
            count: usize_of(reached),
        }
    }
}

/// Bodies after a layer was laid on.
pub(super) struct Settled {
    /// The body of each area of the new layer.
    pub(super) body_of: Vec<u32>,
    /// What each body of the layer below is now; none if it does not reach the new layer.
    pub(super) became: Vec<Option<u32>>,
    /// How many bodies there are now, the outside included.
    pub(super) count: usize,
}

/// Where an area lies within its layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Its pixel that is nearest to its centre of area: column and row.
    pub(super) spot: [u32; 2],
    /// How far that is, px².
    distance: f64,
    px: u64,
    /// Sums of twice the pixel centres.
    doubled: [u64; 2],
}

impl Look {
    const NOTHING: Look = Look { spot: [0, 0], distance: f64::INFINITY, px: 0, doubled: [0, 0] };

    fn weigh(&mut self, row: u32, from: u32, to: u32) {
        let length = u64::from(to - from);
        self.px += length;
        // The sum of 2x + 1 over from..to.
        self.doubled[0] += u64::from(to) * u64::from(to) - u64::from(from) * u64::from(from);
        self.doubled[1] += length * (2 * u64::from(row) + 1);
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the segment")]
    fn near(&mut self, row: u32, from: u32, to: u32) {
        let [across, down] = self.centroid();
        let column = across.clamp(f64::from(from), f64::from(to - 1)) as u32;
        let off = [f64::from(column) + 0.5 - across, f64::from(row) + 0.5 - down];
        let distance = off[0] * off[0] + off[1] * off[1];
        if distance < self.distance {
            (self.spot, self.distance) = ([column, row], distance);
        }
    }

    /// Centre of area in pixels from the top left corner.
    #[expect(clippy::cast_precision_loss, reason = "sums over one display stay below 2^53")]
    pub(super) fn centroid(&self) -> [f64; 2] {
        self.doubled.map(|sum| sum as f64 / (2 * self.px.max(1)) as f64)
    }
}

/// Calls `segment` with area, row, start and end of each segment that light encloses or that is lit.
pub(super) fn each_segment(cut: &Cut, mut segment: impl FnMut(u32, u32, u32, u32)) {
    for row in cut.section.rows() {
        let (edges, span) = (cut.section.row(row), cut.section.span(row));
        for (number, ends) in (1..).zip(edges.windows(2)) {
            segment(cut.areas.of_segment(&span, number), row, ends[0], ends[1]);
        }
    }
}

/// Looks at the areas that `slot_of` gives a place among `count` looks.
pub(super) fn look(cut: &Cut, count: usize, slot_of: impl Fn(u32) -> Option<usize>) -> Vec<Look> {
    let mut looks = vec![Look::NOTHING; count];
    if count > 0 {
        for step in [Look::weigh, Look::near] {
            each_segment(cut, |area, row, from, to| {
                if let Some(slot) = slot_of(area) {
                    step(&mut looks[slot], row, from, to);
                }
            });
        }
    }
    looks
}
