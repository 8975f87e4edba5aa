//! Which face goes on behind each edge of a face, also where more than two faces meet.
//!
//! Where bodies touch along an edge, its faces are sorted around it and joined in pairs that enclose metal
//! between them, so that touching bodies come apart. Corners that are then held together by a vertex alone get
//! a vertex of their own in the same place.

use nalgebra::Vector3;

use super::edges::{EdgeTable, EdgeUse};
use super::stitch::Split;
use super::{Mesh, cast, stitch};

/// No partner.
pub(crate) const NONE: u32 = u32::MAX;

/// The partner of every half-edge (`3 * face + corner`) of a mesh whose faces agree in their sense.
#[derive(Debug)]
pub(crate) struct Pairing {
    twin: Vec<u32>,
    /// Edges of more than two faces.
    pub(crate) crowded_edges: usize,
    /// One of them, if there is one.
    pub(crate) crowded_at: Option<[u32; 2]>,
    /// Half-edges without a partner.
    pub(crate) open_halves: usize,
}

impl Pairing {
    /// Pairs the half-edges of a mesh.
    pub(crate) fn of(mesh: &Mesh) -> Self {
        let mut twin = vec![NONE; mesh.triangles.len() * 3];
        let (mut crowded_edges, mut crowded_at) = (0, None);
        EdgeTable::of(mesh).for_each(mesh, |edge, uses| match uses {
            [_] => {}
            [a, b] => join(&mut twin, a.half, b.half),
            _ => {
                crowded_edges += 1;
                crowded_at.get_or_insert(edge);
                pair_around(mesh, edge, uses, &mut twin);
            }
        });
        let open_halves = twin.iter().filter(|&&partner| partner == NONE).count();
        Self { twin, crowded_edges, crowded_at, open_halves }
    }

    /// The half-edge on the other side, or [`NONE`].
    pub(crate) fn twin(&self, half: u32) -> u32 {
        self.twin[half as usize]
    }

    /// Gives every fan of faces around a vertex a vertex of its own; the first keeps the old one. Returns how
    /// many vertices were added and one that was split.
    pub(crate) fn split_vertices(&self, mesh: &mut Mesh) -> (usize, Option<u32>) {
        let mut fans = self.fans(mesh);
        let mut fan_of_vertex = vec![NONE; mesh.vertices.len()];
        let mut vertex_of_fan = vec![NONE; fans.len()];
        let (mut added, mut at) = (0, None);
        for corner in 0..fans.len() {
            let fan = root(&mut fans, corner);
            let old = mesh.triangles[corner / 3][corner % 3];
            if vertex_of_fan[fan] == NONE {
                let is_first = fan_of_vertex[old as usize] == NONE;
                vertex_of_fan[fan] = if is_first {
                    fan_of_vertex[old as usize] = cast::vertex(fan);
                    old
                } else {
                    added += 1;
                    at.get_or_insert(old);
                    mesh.vertices.push(mesh.vertices[old as usize]);
                    cast::vertex(mesh.vertices.len() - 1)
                };
            }
            mesh.triangles[corner / 3][corner % 3] = vertex_of_fan[fan];
        }
        (added, at)
    }

    /// Gives pairs of faces whose edge still lies between the same two vertices as that of another pair a corner
    /// of their own in its middle, so that each edge has two faces. For a mesh with its vertices split; returns
    /// how many corners were added.
    pub(crate) fn split_edges(&self, mesh: &mut Mesh) -> usize {
        let mut splits: Vec<Split> = Vec::new();
        let mut middles = Vec::new();
        let first = mesh.vertices.len();
        EdgeTable::of(mesh).for_each(mesh, |[low, high], uses| {
            if uses.len() <= 2 {
                return;
            }
            let pairs = uses.iter().filter(|one| {
                let twin = self.twin(one.half);
                twin != NONE && twin > one.half
            });
            // The first pair keeps the edge.
            for one in pairs.skip(1) {
                let vertex = cast::vertex(first + middles.len());
                middles.push(nalgebra::center(&mesh.vertices[low as usize], &mesh.vertices[high as usize]));
                splits.extend([one.half, self.twin(one.half)].map(|half| Split { half, at: 0.5, vertex }));
            }
        });
        splits.sort_unstable_by_key(|split| split.half);
        mesh.vertices.extend(&middles);
        stitch::split(mesh, &splits);
        middles.len()
    }

    /// Joins the corners that share a vertex and an edge; a forest over corners.
    fn fans(&self, mesh: &Mesh) -> Vec<u32> {
        let mut parents: Vec<u32> = (0..cast::vertex(self.twin.len())).collect();
        let vertex = |corner: usize| mesh.triangles[corner / 3][corner % 3];
        for (half, &twin) in self.twin.iter().enumerate() {
            if twin == NONE || (twin as usize) < half {
                continue;
            }
            let (next, twin) = (after(half), twin as usize);
            let twin_next = after(twin);
            let ends = if vertex(half) == vertex(twin_next) {
                [(half, twin_next), (next, twin)]
            } else {
                [(half, twin), (next, twin_next)]
            };
            for (a, b) in ends {
                let (a, b) = (root(&mut parents, a), root(&mut parents, b));
                parents[a.max(b)] = cast::vertex(a.min(b));
            }
        }
        parents
    }
}

/// The half-edge that follows in the same face.
pub(crate) fn after(half: usize) -> usize {
    if half % 3 == 2 { half - 2 } else { half + 1 }
}

fn root(parents: &mut [u32], mut at: usize) -> usize {
    while parents[at] as usize != at {
        parents[at] = parents[parents[at] as usize];
        at = parents[at] as usize;
    }
    at
}

fn join(twin: &mut [u32], a: u32, b: u32) {
    twin[a as usize] = b;
    twin[b as usize] = a;
}

/// Sorts the faces around an edge and joins each that has metal behind it in turning sense with the next that
/// ends that metal. What finds no partner stays open.
fn pair_around(mesh: &Mesh, [low, high]: [u32; 2], uses: &[EdgeUse], twin: &mut [u32]) {
    let [from, to] = [low, high].map(|index| mesh.vertices[index as usize].cast::<f64>());
    let axis = (to - from).try_normalize(0.0).unwrap_or_else(Vector3::x);
    let side = Vector3::ith(axis.iamin(), 1.0).cross(&axis).normalize();
    let up = axis.cross(&side);
    let angle = |half: u32| {
        let apex = mesh.triangles[half as usize / 3][after(after(half as usize)) % 3];
        let out = mesh.vertices[apex as usize].cast::<f64>() - from;
        out.dot(&up).atan2(out.dot(&side))
    };
    let mut around: Vec<(f64, EdgeUse)> = uses.iter().map(|one| (angle(one.half), *one)).collect();
    // A face that runs along the edge has its metal behind it, one against it before it. Where two lie on
    // each other, metal ends before it begins.
    around.sort_unstable_by(|a, b| {
        a.0.total_cmp(&b.0).then(b.1.forward.cmp(&a.1.forward)).then(a.1.half.cmp(&b.1.half))
    });
    let mut begun: Vec<u32> = Vec::new();
    for round in 0..2 {
        for (_, one) in &around {
            if !one.forward && round == 0 {
                begun.push(one.half);
            } else if one.forward
                && twin[one.half as usize] == NONE
                && let Some(partner) = begun.pop()
            {
                join(twin, partner, one.half);
            }
        }
    }
}
