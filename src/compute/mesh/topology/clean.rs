//! The quick way for the usual mesh: each edge joins two faces that run along it in opposite directions.
//!
//! Half-edges that run from the lower vertex to the higher are put into buckets by their lower vertex; each of
//! the others must find exactly one partner there. The first one that doesn't ends the attempt.

use super::{ShellEdges, Topology};
use crate::mesh::{Mesh, cast};

/// A vertex with more edges than this makes searching its bucket slow: the thorough way sorts.
const BUCKET_MAX: usize = 64;

/// Marks an entry whose partner was found. Faces are far fewer.
const TAKEN: u32 = 1 << 31;

/// A half-edge that runs upwards: its higher vertex, and its face.
type Entry = (u32, u32);

/// The connections of a mesh of which every edge is in order; nothing for any other mesh.
pub(super) fn of(mesh: &Mesh) -> Option<Topology> {
    let (starts, mut entries) = buckets(mesh)?;
    let mut parents: Vec<u32> = (0..cast::vertex(mesh.triangles.len())).collect();
    for (face, triangle) in (0_u32..).zip(&mesh.triangles) {
        for [from, to] in half_edges(*triangle) {
            if from > to {
                let (start, end) = (starts[to as usize] as usize, starts[to as usize + 1] as usize);
                let other = partner(&mut entries[start..end], from)?;
                join(&mut parents, face, other);
            }
        }
    }
    Some(numbered(parents))
}

fn half_edges([a, b, c]: [u32; 3]) -> [[u32; 2]; 3] {
    [[a, b], [b, c], [c, a]]
}

/// The first entry of each vertex, and the entries. Nothing if as many don't run up as down.
fn buckets(mesh: &Mesh) -> Option<(Vec<u32>, Vec<Entry>)> {
    let mut starts = vec![0_u32; mesh.vertices.len() + 2];
    for [from, to] in mesh.triangles.iter().copied().flat_map(half_edges) {
        starts[from as usize + 2] += u32::from(from < to);
    }
    for at in 2..starts.len() {
        starts[at] += starts[at - 1];
    }
    let count = starts.last().copied().unwrap_or(0) as usize;
    if count * 2 != mesh.triangles.len() * 3 {
        return None;
    }
    let mut entries = vec![(0_u32, 0_u32); count];
    for (face, triangle) in (0_u32..).zip(&mesh.triangles) {
        for [from, to] in half_edges(*triangle) {
            if from < to {
                let next = &mut starts[from as usize + 1];
                entries[*next as usize] = (to, face);
                *next += 1;
            }
        }
    }
    Some((starts, entries))
}

/// The face of the only entry with this higher vertex, which is marked as taken.
fn partner(bucket: &mut [Entry], high: u32) -> Option<u32> {
    if bucket.len() > BUCKET_MAX {
        return None;
    }
    let mut found = None;
    for entry in bucket.iter_mut().filter(|entry| entry.0 == high) {
        if found.is_some() || entry.1 & TAKEN != 0 {
            return None;
        }
        found = Some(entry.1);
        entry.1 |= TAKEN;
    }
    found
}

/// Puts two faces into one shell. A parent is never above its child.
fn join(parents: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b) as usize] = a.min(b);
}

fn root(parents: &mut [u32], face: u32) -> u32 {
    let mut at = face;
    loop {
        let parent = parents[at as usize];
        if parent == at {
            return at;
        }
        let above = parents[parent as usize];
        parents[at as usize] = above;
        at = above;
    }
}

/// Numbers shells by their first face, which is their representative.
fn numbered(parents: Vec<u32>) -> Topology {
    let mut topology = Topology::empty();
    let mut shell_of = parents;
    for face in 0..cast::vertex(shell_of.len()) {
        let parent = shell_of[face as usize];
        shell_of[face as usize] = if parent == face {
            let sound = ShellEdges { closed: true, manifold: true, orientable: true, first_face: face };
            topology.shells.push(sound);
            cast::vertex(topology.shells.len() - 1)
        } else {
            // A parent is lower: it has its number already.
            shell_of[parent as usize]
        };
    }
    topology.turned = vec![false; shell_of.len()];
    topology.shell_of = shell_of;
    topology
}
