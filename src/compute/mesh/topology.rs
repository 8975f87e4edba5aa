//! Which faces meet along which edges.
//!
//! Half-edges are put into buckets by their lower vertex (a counting sort) and sorted inside their bucket, so
//! that memory is 8 bytes a half-edge and the order never depends on hashing.

mod clean;

use super::{Mesh, cast};

/// The connections of a mesh without degenerate faces.
#[derive(Debug)]
pub(crate) struct Topology {
    /// Edges of one face.
    pub(crate) boundary_edges: usize,
    /// Edges of more than two faces of one shell, or of more than one shell.
    pub(crate) nonmanifold_edges: usize,
    /// Edges that two faces use in the same direction.
    pub(crate) mixed_edges: usize,
    /// Vertices at the ends of boundary edges, ascending.
    pub(crate) boundary_vertices: Vec<u32>,
    /// Lengths of the boundary edges in mm, ascending.
    pub(crate) boundary_lengths: Vec<f64>,
    /// A boundary edge, if there is one.
    pub(crate) boundary_at: Option<[u32; 2]>,
    /// An edge of more than two faces, if there is one.
    pub(crate) nonmanifold_at: Option<[u32; 2]>,
    /// For each face its shell; shells are numbered by their first face.
    pub(crate) shell_of: Vec<u32>,
    /// For each face whether it must be turned to agree with the first face of its shell.
    pub(crate) turned: Vec<bool>,
    /// What is known of each shell.
    pub(crate) shells: Vec<ShellEdges>,
}

/// The edges of one shell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShellEdges {
    /// Every edge is used as often in one direction as in the other, after turning.
    pub(crate) closed: bool,
    /// Every edge is used exactly twice within the shell.
    pub(crate) manifold: bool,
    /// No chain of faces comes back upside down.
    pub(crate) orientable: bool,
    /// Its first face.
    pub(crate) first_face: u32,
}

impl Topology {
    /// Finds the connections.
    pub(crate) fn of(mesh: &Mesh) -> Self {
        clean::of(mesh).unwrap_or_else(|| Self::of_any(mesh))
    }

    /// Whatever is wrong with the mesh.
    fn of_any(mesh: &Mesh) -> Self {
        let edges = Edges::of(mesh);
        let mut joined = Joined::new(mesh.triangles.len());
        let mut topology = Self::empty();
        edges.for_each(|edge, uses| match uses {
            [_] => topology.note_boundary(mesh, edge),
            [first, second] => {
                let turned = first.forward == second.forward;
                topology.mixed_edges += usize::from(turned);
                joined.join(first.face, second.face, turned);
            }
            _ => {
                topology.nonmanifold_edges += 1;
                topology.nonmanifold_at.get_or_insert(edge);
            }
        });
        topology.number_shells(&mut joined);
        edges.for_each(|_, uses| topology.judge_edge(uses));
        topology.boundary_vertices.sort_unstable();
        topology.boundary_vertices.dedup();
        topology.boundary_lengths.sort_unstable_by(f64::total_cmp);
        topology
    }

    /// Whether nothing is wrong with any edge.
    pub(crate) fn is_clean(&self) -> bool {
        self.bad_edges() == 0
    }

    /// Edges that are not simply two faces in opposite directions.
    pub(crate) fn bad_edges(&self) -> usize {
        self.boundary_edges + self.nonmanifold_edges + self.mixed_edges
    }

    fn empty() -> Self {
        Self {
            boundary_edges: 0,
            nonmanifold_edges: 0,
            mixed_edges: 0,
            boundary_vertices: Vec::new(),
            boundary_lengths: Vec::new(),
            boundary_at: None,
            nonmanifold_at: None,
            shell_of: Vec::new(),
            turned: Vec::new(),
            shells: Vec::new(),
        }
    }

    fn note_boundary(&mut self, mesh: &Mesh, edge: [u32; 2]) {
        let [a, b] = edge.map(|index| mesh.vertices[index as usize].cast::<f64>());
        self.boundary_edges += 1;
        self.boundary_at.get_or_insert(edge);
        self.boundary_vertices.extend(edge);
        self.boundary_lengths.push((b - a).norm());
    }

    fn number_shells(&mut self, joined: &mut Joined) {
        const UNKNOWN: u32 = u32::MAX;
        let faces = joined.parents.len();
        let mut number_of_root = vec![UNKNOWN; faces];
        let mut turned_of_root = vec![false; faces];
        self.shell_of = Vec::with_capacity(faces);
        self.turned = Vec::with_capacity(faces);
        for face in 0..cast::vertex(faces) {
            let (root, turned) = joined.find(face);
            let root = root as usize;
            if number_of_root[root] == UNKNOWN {
                number_of_root[root] = cast::vertex(self.shells.len());
                turned_of_root[root] = turned;
                let orientable = !joined.twisted[root];
                self.shells.push(ShellEdges { closed: true, manifold: true, orientable, first_face: face });
            }
            self.shell_of.push(number_of_root[root]);
            self.turned.push(turned != turned_of_root[root]);
        }
    }

    /// An edge may serve several shells (two bodies that touch along it); each is judged by its own faces.
    fn judge_edge(&mut self, uses: &[Use]) {
        let mut own: Vec<(u32, i64)> = uses
            .iter()
            .map(|one| {
                let forward = one.forward != self.turned[one.face as usize];
                (self.shell_of[one.face as usize], if forward { 1 } else { -1 })
            })
            .collect();
        own.sort_unstable();
        for group in own.chunk_by(|a, b| a.0 == b.0) {
            let known = &mut self.shells[group[0].0 as usize];
            known.closed &= group.iter().map(|(_, direction)| direction).sum::<i64>() == 0;
            known.manifold &= group.len() == 2;
        }
    }
}

/// One face along an edge.
#[derive(Debug, Clone, Copy)]
struct Use {
    face: u32,
    /// Whether the face runs from the lower vertex to the higher.
    forward: bool,
}

/// All half-edges, bucketed by their lower vertex. An entry is the higher vertex, the face and the direction.
struct Edges {
    starts: Vec<u32>,
    entries: Vec<u64>,
}

impl Edges {
    fn of(mesh: &Mesh) -> Self {
        let mut starts = vec![0_u32; mesh.vertices.len() + 2];
        for (low, _, _) in mesh.triangles.iter().flat_map(half_edges) {
            starts[low as usize + 2] += 1;
        }
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut entries = vec![0_u64; mesh.triangles.len() * 3];
        for (face, triangle) in mesh.triangles.iter().enumerate() {
            for (low, high, forward) in half_edges(triangle) {
                let next = &mut starts[low as usize + 1];
                entries[*next as usize] =
                    u64::from(high) << 32 | u64::from(cast::vertex(face)) << 1 | u64::from(forward);
                *next += 1;
            }
        }
        for bounds in starts.windows(2) {
            entries[bounds[0] as usize..bounds[1] as usize].sort_unstable();
        }
        Self { starts, entries }
    }

    fn for_each(&self, mut visit: impl FnMut([u32; 2], &[Use])) {
        let mut uses = Vec::new();
        for (low, bounds) in self.starts.windows(2).enumerate() {
            let bucket = &self.entries[bounds[0] as usize..bounds[1] as usize];
            for edge in bucket.chunk_by(|a, b| a >> 32 == b >> 32) {
                let (high, _) = unpack(edge[0]);
                uses.clear();
                uses.extend(edge.iter().map(|&entry| unpack(entry).1));
                visit([cast::vertex(low), high], &uses);
            }
        }
    }
}

fn unpack(entry: u64) -> (u32, Use) {
    let low = u32::try_from(entry & 0xffff_ffff).unwrap_or(0);
    (u32::try_from(entry >> 32).unwrap_or(0), Use { face: low >> 1, forward: low & 1 == 1 })
}

fn half_edges(triangle: &[u32; 3]) -> [(u32, u32, bool); 3] {
    let [a, b, c] = *triangle;
    [(a, b), (b, c), (c, a)].map(|(from, to)| (from.min(to), from.max(to), from < to))
}

/// Union-find over faces that also remembers whether a face is turned against its representative.
struct Joined {
    parents: Vec<u32>,
    turned: Vec<bool>,
    twisted: Vec<bool>,
}

impl Joined {
    fn new(faces: usize) -> Self {
        Self {
            parents: (0..cast::vertex(faces)).collect(),
            turned: vec![false; faces],
            twisted: vec![false; faces],
        }
    }

    /// The representative of a face, and whether the face is turned against it. Halves the path on the way.
    fn find(&mut self, face: u32) -> (u32, bool) {
        let (mut at, mut turned) = (face as usize, false);
        while self.parents[at] as usize != at {
            let parent = self.parents[at] as usize;
            self.turned[at] ^= self.turned[parent];
            self.parents[at] = self.parents[parent];
            turned ^= self.turned[at];
            at = self.parents[at] as usize;
        }
        (cast::vertex(at), turned)
    }

    /// Puts two faces into one shell; the lower representative stays.
    fn join(&mut self, a: u32, b: u32, turned: bool) {
        let ((a, a_turned), (b, b_turned)) = (self.find(a), self.find(b));
        let turned = turned ^ a_turned ^ b_turned;
        let (low, high) = (a.min(b) as usize, a.max(b) as usize);
        if low == high {
            self.twisted[low] |= turned;
        } else {
            self.parents[high] = cast::vertex(low);
            self.turned[high] = turned;
            self.twisted[low] |= self.twisted[high];
        }
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::Point3;

    use super::*;

    fn mesh(vertices: usize, triangles: &[[u32; 3]]) -> Mesh {
        let vertices = (0..vertices).map(|index| Point3::new(cast::single(index as f64), 0.0, 0.0)).collect();
        Mesh { vertices, triangles: triangles.to_vec() }
    }

    #[test]
    fn a_tetrahedron_is_one_closed_shell() {
        let topology = Topology::of(&mesh(4, &[[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]]));

        assert!(topology.is_clean());
        assert_eq!(topology.shells.len(), 1);
        assert!(topology.shells[0].closed && topology.shells[0].manifold && topology.shells[0].orientable);
    }

    /// The quick way must say what the thorough one says.
    #[test]
    fn clean_meshes_are_known_as_such_and_others_are_not() {
        let ring = crate::rings::RingDesign::signet(18.0).generate().expect("a ring");
        let mut two = ring.clone();
        let shift = cast::vertex(two.vertices.len());
        two.triangles.splice(7..7, ring.triangles.iter().map(|face| face.map(|corner| corner + shift)));
        two.vertices.extend(ring.vertices.iter().copied());
        for sound in [&ring, &two] {
            let (quick, thorough) = (clean::of(sound).expect("clean"), Topology::of_any(sound));
            assert_eq!(quick.shell_of, thorough.shell_of);
            assert_eq!(quick.turned, thorough.turned);
            assert_eq!(quick.shells.len(), thorough.shells.len());
            for (quick, thorough) in quick.shells.iter().zip(&thorough.shells) {
                assert_eq!(quick.first_face, thorough.first_face);
                assert!(thorough.closed && thorough.manifold && thorough.orientable);
            }
        }

        let broken: [fn(&mut Mesh); 5] = [
            |mesh| mesh.triangles.truncate(mesh.triangles.len() - 1),
            |mesh| mesh.triangles[5].swap(0, 1),
            |mesh| mesh.triangles.push(mesh.triangles[5]),
            |mesh| mesh.triangles.extend_from_within(..),
            |mesh| mesh.triangles.push([1, 1, 2]),
        ];
        for damage in broken {
            let mut mesh = ring.clone();
            damage(&mut mesh);
            assert!(clean::of(&mesh).is_none());
            assert!(Topology::of(&mesh).bad_edges() > 0 || mesh.triangles.contains(&[1, 1, 2]));
        }
    }

    #[test]
    fn a_turned_face_is_found_and_the_shell_closes_once_it_is_turned_back() {
        let topology = Topology::of(&mesh(4, &[[0, 2, 1], [0, 1, 3], [2, 1, 3], [2, 0, 3]]));

        assert_eq!(topology.mixed_edges, 3);
        assert_eq!(topology.turned, [false, false, true, false]);
        assert!(topology.shells[0].closed);
    }

    #[test]
    fn a_moebius_strip_is_not_orientable() {
        let strip = [[0, 1, 2], [1, 3, 2], [2, 3, 4], [3, 5, 4], [4, 5, 1], [5, 0, 1]];

        let topology = Topology::of(&mesh(6, &strip));

        assert!(!topology.shells[0].orientable);
        assert!(topology.boundary_edges > 0);
    }

    #[test]
    fn two_bodies_that_share_an_edge_are_two_closed_shells() {
        let first = [[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]];
        let second = [[0, 4, 1], [0, 1, 5], [1, 4, 5], [4, 0, 5]];

        let topology = Topology::of(&mesh(6, &[first, second].concat()));

        assert_eq!(topology.nonmanifold_edges, 1);
        assert_eq!(topology.shells.len(), 2);
        assert!(topology.shells.iter().all(|shell| shell.closed && shell.manifold));
    }
}
