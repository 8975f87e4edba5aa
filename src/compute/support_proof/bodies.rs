//! Which bodies of layers hang together, and which of them stand on nothing.

use super::spans::Spans;
use crate::slice::usize_of;

/// A pixel of each body that neither reaches the lowest layer nor has a foot: layer, row, column.
pub(super) fn floating(layers: &[Spans], is_foot: impl Fn(usize, u32, u32) -> bool) -> Vec<[u32; 3]> {
    let mut bodies = Bodies::default();
    let mut below: Vec<Vec<(usize, [u32; 2])>> = Vec::new();
    for (layer, spans) in layers.iter().enumerate() {
        let mut own: Vec<Vec<(usize, [u32; 2])>> = Vec::with_capacity(spans.rows.len());
        for (row, line) in (0_u32..).zip(&spans.rows) {
            let mut named = Vec::with_capacity(line.len());
            for &span in line {
                let stands = layer == 0 || is_foot(layer, row, span[0].midpoint(span[1]));
                named.push((bodies.add([number(layer), row, span[0]], stands), span));
            }
            if let Some(above) = own.last() {
                bodies.join(&named, above);
            }
            if let Some(below) = below.get(usize_of(row)) {
                bodies.join(&named, below);
            }
            own.push(named);
        }
        below = own;
    }
    bodies.standing_on_nothing()
}

#[derive(Default)]
struct Bodies {
    parents: Vec<usize>,
    places: Vec<[u32; 3]>,
    stands: Vec<bool>,
}

impl Bodies {
    fn add(&mut self, place: [u32; 3], stands: bool) -> usize {
        self.parents.push(self.parents.len());
        self.places.push(place);
        self.stands.push(stands);
        self.parents.len() - 1
    }

    fn root(&mut self, mut body: usize) -> usize {
        while self.parents[body] != body {
            self.parents[body] = self.parents[self.parents[body]];
            body = self.parents[body];
        }
        body
    }

    /// Joins spans of two rows that share columns.
    fn join(&mut self, one: &[(usize, [u32; 2])], other: &[(usize, [u32; 2])]) {
        let mut from = 0;
        for &(body, span) in one {
            while other.get(from).is_some_and(|(_, low)| low[1] <= span[0]) {
                from += 1;
            }
            for &(beside, _) in other[from..].iter().take_while(|(_, low)| low[0] < span[1]) {
                let (a, b) = (self.root(body), self.root(beside));
                self.parents[a.max(b)] = a.min(b);
            }
        }
    }

    fn standing_on_nothing(mut self) -> Vec<[u32; 3]> {
        for body in 0..self.parents.len() {
            let root = self.root(body);
            self.stands[root] |= self.stands[body];
        }
        (0..self.parents.len())
            .filter(|&body| self.parents[body] == body && !self.stands[body])
            .map(|body| self.places[body])
            .collect()
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
