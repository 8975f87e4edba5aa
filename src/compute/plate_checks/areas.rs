//! The connected areas of one layer: lit ones, and dark ones that light encloses. Neighbours share a side.

use super::section::{Section, meet};
use crate::slice::usize_of;

/// The dark round all parts.
pub(super) const OUTSIDE: u32 = 0;

/// No label yet.
const NONE: u32 = u32::MAX;

/// Connected areas of a layer. Area 0 is [`OUTSIDE`].
#[derive(Debug, Default)]
pub(super) struct Areas {
    /// The area of the segment that begins at each edge of the section.
    labels: Vec<u32>,
    /// What each area is.
    pub(super) areas: Vec<Area>,
}

/// One connected area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) is_lit: bool,
    /// How many pixels it has; 0 for the outside.
    pub(super) px: u64,
}

impl Areas {
    pub(super) fn of(section: &Section) -> Self {
        let mut sets = Sets::with(1);
        let mut labels = vec![NONE; section.edges()];
        let rows = section.rows();
        let mut above: (&[u32], std::ops::Range<usize>) = (&[], 0..0);
        for row in rows.clone() {
            let (edges, span) = (section.row(row), section.span(row));
            let (done, open) = labels.split_at_mut(span.start);
            let (upper, lower) = (&done[above.1.clone()], &mut open[..edges.len()]);
            join_rows(above.0, upper, edges, lower, section.width(), &mut sets);
            above = (edges, span);
        }
        // Below the last row it is dark.
        meet(above.0, &[], section.width(), |i, _, _| {
            sets.unite(label(&labels[above.1.clone()], i), OUTSIDE);
        });
        let (names, count) = sets.names();
        let mut areas = vec![Area { is_lit: false, px: 0 }; count];
        for row in rows {
            name_row(section.row(row), &mut labels[section.span(row)], &names, &mut areas);
        }
        areas[0] = Area { is_lit: false, px: 0 };
        Self { labels, areas }
    }

    /// The area of a segment of a row of the section.
    #[inline]
    pub(super) fn of_segment(&self, span: &std::ops::Range<usize>, segment: usize) -> u32 {
        label(&self.labels[span.clone()], segment)
    }

    /// How many lit areas there are.
    pub(super) fn lit_count(&self) -> usize {
        self.areas.iter().filter(|area| area.is_lit).count()
    }
}

/// The label of a segment: the dark before the first edge is outside.
#[inline]
fn label(labels: &[u32], segment: usize) -> u32 {
    match segment.checked_sub(1) {
        Some(edge) => labels.get(edge).copied().unwrap_or(OUTSIDE),
        None => OUTSIDE,
    }
}

/// Gives each segment of a row the label of what it touches in the row above, or a new one.
fn join_rows(
    above: &[u32],
    above_labels: &[u32],
    edges: &[u32],
    labels: &mut [u32],
    width: u32,
    sets: &mut Sets,
) {
    if let Some(last) = labels.last_mut() {
        *last = OUTSIDE;
    }
    meet(above, edges, width, |i, j, _| {
        let upper = label(above_labels, i);
        match j.checked_sub(1).and_then(|edge| labels.get_mut(edge)) {
            Some(own) if *own == NONE => *own = upper,
            Some(own) if *own != upper => sets.unite(*own, upper),
            None if upper != OUTSIDE => sets.unite(OUTSIDE, upper),
            Some(_) | None => {}
        }
    });
    for own in labels {
        if *own == NONE {
            *own = sets.add();
        }
    }
}

/// Turns labels into numbers of areas, and adds up the pixels.
fn name_row(edges: &[u32], labels: &mut [u32], names: &[u32], areas: &mut [Area]) {
    for (segment, own) in labels.iter_mut().enumerate() {
        *own = names[usize_of(*own)];
        if let Some(&end) = edges.get(segment + 1) {
            let area = &mut areas[usize_of(*own)];
            area.px += u64::from(end - edges[segment]);
            area.is_lit = segment % 2 == 0;
        }
    }
}

/// Sets that grow together (union-find). The smaller number names a set, so that 0 always names its own.
#[derive(Debug, Default)]
pub(super) struct Sets {
    parents: Vec<u32>,
}

impl Sets {
    /// Sets of one member each.
    pub(super) fn with(count: usize) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Self { parents: (0..count).collect() }
    }

    /// A new set.
    pub(super) fn add(&mut self) -> u32 {
        let new = u32::try_from(self.parents.len()).unwrap_or(u32::MAX);
        self.parents.push(new);
        new
    }

    /// The smallest member of the set.
    pub(super) fn find(&mut self, mut member: u32) -> u32 {
        loop {
            let parent = self.parents[usize_of(member)];
            if parent == member {
                return member;
            }
            let above = self.parents[usize_of(parent)];
            self.parents[usize_of(member)] = above;
            member = above;
        }
    }

    pub(super) fn unite(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.parents[usize_of(a.max(b))] = a.min(b);
    }

    /// For each member the number of its set, counted from 0 by smallest members; and how many sets there are.
    pub(super) fn names(mut self) -> (Vec<u32>, usize) {
        let mut count = 0_u32;
        for member in 0..self.parents.len() {
            // A smaller parent was named before.
            let parent = usize_of(self.parents[member]);
            self.parents[member] = if parent == member {
                count += 1;
                count - 1
            } else {
                self.parents[parent]
            };
        }
        (self.parents, usize_of(count))
    }
}
