//! The repairs of the surface itself, in their order. Each is listed; what is not safe is left for a finding.

use super::holes::HoleKind;
use super::pairing::Pairing;
use super::report::Repair;
use super::shells::at;
use super::topology::{ShellEdges, Topology};
use super::weld::weld_near;
use super::{Mesh, fins, holes, shells, solid, stitch, triangle_area};

/// Reaches of the ladder of near welds, mm. Exporters that write each face on its own leave cracks of one unit
/// in the last place; above 5 µm a weld starts to eat detail.
const WELD_LADDER_MM: [f64; 3] = [0.001, 0.002, 0.005];

/// Reaches of the ladder of stitches, mm, after the rounding of single precision itself. A corner within 2 µm
/// of an open edge lies on it for every purpose of casting.
const STITCH_LADDER_MM: [f64; 3] = [0.000_05, 0.000_5, 0.002];

/// A face flatter than this, mm, has no area worth keeping: a hundredth of the finest printer step.
const FLAT_MM: f64 = 1.0e-4;

/// Faces back to back of more area than this, mm2, may have been meant as a wall.
const BACK_TO_BACK_MM2: f64 = 0.1;

/// A new surface may be off the old faces by this at most, mm, and its volume off that of the samples by this
/// part.
const OFF_MM_MAX: f64 = 0.02;
const SAMPLED_PART_MAX: f64 = 0.005;

/// Rounds of dropping faces that divide or stand out; each looks at the whole mesh.
const FINS_MAX: usize = 16;

/// Repairs a mesh that is not clean; returns its connections afterwards and what was done.
///
/// A step that leaves more bad edges than before is taken back. Inverted shells stay for
/// [`super::shells::orient_shells`], crossings stay as they are.
pub(crate) fn repair(mesh: &mut Mesh) -> (Topology, Vec<Repair>) {
    let collapsed = drop_faces(mesh, is_collapsed);
    let topology = Topology::of(mesh);
    let mut state = State { mesh, topology, repairs: Vec::new(), is_gaping: false };
    state.note("TRI_DEGENERATE", collapsed, "faces that join two equal corners were dropped");
    if !state.topology.is_clean() || has_pairs(&state.topology) {
        state.drop_duplicates();
        for reach_mm in [state.rounding_mm()].into_iter().chain(WELD_LADDER_MM) {
            state.weld_cracks(reach_mm);
        }
        state.stitch_cracks();
        if !state.topology.is_clean() {
            state.try_to(drop_flat);
            state.stitch_cracks();
        }
        state.drop_duplicates();
    }
    if !state.topology.is_clean() {
        state.drop_fins();

        state.agree();
        state.part();
        state.fill_holes();
        state.agree();
        state.remesh();
    }
    (state.topology, state.repairs)
}

/// A mesh on its way.
struct State<'mesh> {
    mesh: &'mesh mut Mesh,
    topology: Topology,
    repairs: Vec<Repair>,
    /// So much of the surface is missing that it must stay open.
    is_gaping: bool,
}

impl State<'_> {
    fn note(&mut self, code: &str, count: usize, what: &str) {
        if count > 0 {
            self.repairs.push(Repair::note(code, count, format!("{what}: {count}")));
        }
    }

    /// Keeps what a step makes of the mesh if it has no more bad edges afterwards.
    fn try_to(&mut self, step: impl Fn(&mut Mesh) -> Option<Repair>) {
        let mut changed = self.mesh.clone();
        let Some(repair) = step(&mut changed) else { return };
        let after = Topology::of(&changed);
        if after.bad_edges() <= self.topology.bad_edges() {
            *self.mesh = changed;
            self.topology = after;
            self.repairs.push(repair);
        }
    }

    fn drop_duplicates(&mut self) {
        self.try_to(|mesh| {
            let Dropped { count, back_to_back_mm2, place } = drop_duplicates(mesh);
            let text = format!("faces that lay on another face with the same corners were dropped: {count}");
            let repair = Repair::note("TRI_DUPLICATE", count, text).at(place?);
            Some(if back_to_back_mm2 > BACK_TO_BACK_MM2 { repair.shown() } else { repair })
        });
    }

    /// Closes cracks no wider than `reach_mm`, if that leaves fewer of them and joins nothing else.
    fn weld_cracks(&mut self, reach_mm: f64) {
        let lengths = &self.topology.boundary_lengths;
        let Some(&median) = lengths.get(lengths.len() / 2) else { return };
        if reach_mm > 0.2 * median {
            return;
        }
        let place = self.topology.boundary_at.map(|[index, _]| shells::place(self.mesh, index));
        let mut welded = weld_near(self.mesh, &self.topology.boundary_vertices, reach_mm);
        drop_faces(&mut welded.mesh, is_collapsed);
        let after = Topology::of(&welded.mesh);
        let is_better = after.boundary_edges < self.topology.boundary_edges
            && after.nonmanifold_edges <= self.topology.nonmanifold_edges;
        if is_better {
            let closed = self.topology.boundary_edges - after.boundary_edges;
            let text = format!(
                "corners along cracks were joined with their neighbours: {}, which closed {closed} open edges",
                welded.merged
            );
            let repair = Repair::note("EDGE_CRACK", welded.merged, text).at(place.unwrap_or_default());
            self.repairs.push(Repair { moved_mm_max: welded.moved_mm_max, ..repair });
            *self.mesh = welded.mesh;
            self.topology = after;
        }
    }

    /// Puts corners into the open edges that they lie on, from the nearest to the farthest.
    fn stitch_cracks(&mut self) {
        for reach_mm in [self.rounding_mm()].into_iter().chain(STITCH_LADDER_MM) {
            let Some([index, _]) = self.topology.boundary_at else { return };
            let place = shells::place(self.mesh, index);
            let mut changed = self.mesh.clone();
            let count = stitch::stitch(&mut changed, reach_mm);
            if count == 0 {
                continue;
            }
            drop_duplicates(&mut changed);
            let after = Topology::of(&changed);
            if after.boundary_edges < self.topology.boundary_edges {
                let text = format!(
                    "corners were put into the open edges they lie on: {count}; {} of {} open edges are left",
                    after.boundary_edges, self.topology.boundary_edges
                );
                self.repairs.push(Repair::note("EDGE_CRACK", count, text).at(place));
                *self.mesh = changed;
                self.topology = after;
            }
        }
    }

    /// How far single precision rounds the corners of this mesh, twice for safety, mm.
    fn rounding_mm(&self) -> f64 {
        let far = self.mesh.bounds().map_or(0.0, |bounds| bounds.max.sup(&-bounds.min).coords.max());
        4.0 * f64::from(f32::EPSILON) * far
    }

    fn drop_fins(&mut self) {
        for _ in 0..FINS_MAX {
            let before = self.topology.bad_edges();
            let Some(dropped) = fins::find(self.mesh, &self.topology) else { return };
            let place = at(self.mesh.corners(dropped[0])[0]);
            let text = format!(
                "faces that stood out of the surface or divided a body without enclosing metal were dropped: {}; look whether something is missing there",
                dropped.len()
            );
            let mut changed = self.mesh.clone();
            drop_faces(&mut changed, |_, face| dropped.binary_search(&face).is_ok());
            let after = Topology::of(&changed);
            if changed.triangles.is_empty() || after.bad_edges() >= before {
                return;
            }
            *self.mesh = changed;
            self.topology = after;
            self.repairs.push(Repair::note("EDGE_NONMANIFOLD", dropped.len(), text).at(place).shown());
        }
    }

    fn agree(&mut self) {
        if let Some(repair) = shells::agree(self.mesh, &self.topology) {
            self.topology = Topology::of(self.mesh);
            self.repairs.push(repair);
        }
    }

    /// Takes bodies apart that touch along an edge or in a corner.
    fn part(&mut self) {
        let pairing = Pairing::of(self.mesh);
        let edge = pairing.crowded_at.map(|[index, _]| shells::place(self.mesh, index));
        let (added, corner) = pairing.split_vertices(self.mesh);
        let cut = pairing.split_edges(self.mesh);
        if added + cut == 0 {
            return;
        }
        self.topology = Topology::of(self.mesh);
        if let Some(place) = edge {
            let text = format!(
                "edges where more than two faces meet were taken apart, so that touching bodies are bodies of their own: {}; look whether they should be one body there",
                pairing.crowded_edges
            );
            let repair = Repair::note("EDGE_NONMANIFOLD", pairing.crowded_edges, text);
            self.repairs.push(repair.at(place).shown());
        } else if let Some(index) = corner {
            let text = format!("corners where parts of the surface only touch were taken apart: {added}");
            let repair = Repair::note("VERTEX_NONMANIFOLD", added, text);
            self.repairs.push(repair.at(shells::place(self.mesh, index)));
        }
    }

    fn fill_holes(&mut self) {
        let mut holes = holes::find(self.mesh, &self.topology, &Pairing::of(self.mesh));
        let scraps = holes::scraps(self.mesh, &self.topology, &holes);
        if let Some(&first) = scraps.first() {
            let place = at(self.mesh.corners(first)[0]);
            let text = format!(
                "loose faces that belong to no body were dropped: {}; look whether something is missing there",
                scraps.len()
            );
            self.repairs.push(Repair::note("SHELL_DEBRIS", scraps.len(), text).at(place).shown());
            drop_faces(self.mesh, |_, face| scraps.binary_search(&face).is_ok());
            self.topology = Topology::of(self.mesh);
            holes = holes::find(self.mesh, &self.topology, &Pairing::of(self.mesh));
        }
        self.is_gaping = holes::is_gaping(self.mesh, &self.topology, &holes);
        if self.is_gaping || !holes::are_fillable(&holes) {
            return;
        }
        holes::fill(self.mesh, &holes);
        for kind in [HoleKind::Small, HoleKind::Shown] {
            let of_kind: Vec<_> = holes.iter().filter(|hole| hole.kind == kind).collect();
            let Some(largest) =
                of_kind.iter().max_by(|a, b| a.area_mm2.unwrap_or(0.0).total_cmp(&b.area_mm2.unwrap_or(0.0)))
            else {
                continue;
            };
            let advice =
                if kind == HoleKind::Shown { "; look whether the surface is right there" } else { "" };
            let text = format!(
                "holes in the surface were filled: {}, the largest with {} edges and {:.2} mm2{advice}",
                of_kind.len(),
                largest.edges,
                largest.area_mm2.unwrap_or(0.0)
            );
            let repair = Repair::note("EDGE_OPEN", of_kind.len(), text).at(at(largest.place));
            self.repairs.push(if kind == HoleKind::Shown { repair.shown() } else { repair });
        }
        if !holes.is_empty() {
            self.topology = Topology::of(self.mesh);
        }
    }
}

/// Makes a new surface where the old one can't be closed, if its gaps leave no doubt about what is metal.
impl State<'_> {
    fn remesh(&mut self) {
        let is_sound = |shell: &ShellEdges| shell.closed && shell.manifold && shell.orientable;
        if self.is_gaping || self.topology.shells.iter().all(is_sound) {
            return;
        }
        let Some(solid) = solid::remesh(self.mesh, OFF_MM_MAX) else { return };
        let is_faithful = (solid.sampled_mm3 / solid.mesh.signed_volume() - 1.0).abs() <= SAMPLED_PART_MAX;
        let topology = Topology::of(&solid.mesh);
        if !is_faithful || !topology.shells.iter().all(is_sound) {
            return;
        }
        let text = format!(
            "the surface could not be joined and was made new from {} faces: closed, sampled every {:.3} mm, 999 of 1000 places within {:.1} µm of the old faces, {} specks left out; look at it before printing",
            self.mesh.triangles.len(),
            solid.cell_mm,
            solid.off_mm * 1000.0,
            solid.specks
        );
        let place = self.topology.boundary_at.or(self.topology.nonmanifold_at);
        let place = place.map_or_else(|| "mesh".to_owned(), |[index, _]| shells::place(self.mesh, index));
        let repair = Repair::note("REMESHED", solid.mesh.triangles.len(), text).at(place).shown();
        self.repairs.push(Repair { moved_mm_max: solid.off_mm, ..repair });
        *self.mesh = solid.mesh;
        self.topology = topology;
    }
}

fn drop_flat(mesh: &mut Mesh) -> Option<Repair> {
    let first = (0..mesh.triangles.len()).find(|&face| is_flat(mesh, face))?;
    let place = at(mesh.corners(first)[0]);
    let dropped = drop_faces(mesh, is_flat);
    let text = format!("faces without area were dropped: {dropped}");
    Some(Repair::note("TRI_DEGENERATE", dropped, text).at(place))
}

fn drop_faces(mesh: &mut Mesh, is_bad: impl Fn(&Mesh, usize) -> bool) -> usize {
    let bad: Vec<usize> = (0..mesh.triangles.len()).filter(|&face| is_bad(mesh, face)).collect();
    let mut face = 0;
    let mut next = bad.iter().peekable();
    if !bad.is_empty() {
        mesh.triangles.retain(|_| {
            let is_dropped = next.next_if_eq(&&face).is_some();
            face += 1;
            !is_dropped
        });
    }
    bad.len()
}

fn is_collapsed(mesh: &Mesh, face: usize) -> bool {
    let [a, b, c] = mesh.triangles[face];
    a == b || b == c || c == a
}

fn is_flat(mesh: &Mesh, face: usize) -> bool {
    let corners = mesh.corners(face);
    let [a, b, c] = corners;
    let longest = (b - a).norm().max((c - b).norm()).max((a - c).norm());
    2.0 * triangle_area(corners) <= FLAT_MM * longest
}

/// Whether a clean mesh has two faces back to back: a shell of two faces encloses nothing.
fn has_pairs(topology: &Topology) -> bool {
    let mut faces = vec![0_usize; topology.shells.len()];
    topology.shell_of.iter().for_each(|&shell| faces[shell as usize] += 1);
    faces.contains(&2)
}

/// What became of faces with the same corners.
struct Dropped {
    count: usize,
    /// Area of faces that lay back to back, each pair once.
    back_to_back_mm2: f64,
    place: Option<String>,
}

/// Of faces with the same corners one of the more frequent sense stays; opposite ones cancel out.
fn drop_duplicates(mesh: &mut Mesh) -> Dropped {
    let mut keyed: Vec<([u32; 3], bool, usize)> = mesh
        .triangles
        .iter()
        .enumerate()
        .map(|(face, &corners)| {
            let mut sorted = corners;
            sorted.sort_unstable();
            (sorted, is_even(corners), face)
        })
        .collect();
    keyed.sort_unstable();
    let mut dropped = Vec::new();
    let mut back_to_back_mm2 = 0.0;
    for group in keyed.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
        let even = group.iter().filter(|(_, is_even, _)| *is_even).count();
        let stays = group.iter().position(|(_, is_even, _)| *is_even == (2 * even > group.len()));
        let stays = stays.filter(|_| 2 * even != group.len());
        let goes = group.iter().enumerate().filter(|(position, _)| Some(*position) != stays);
        dropped.extend(goes.map(|(_, (_, _, face))| *face));
        back_to_back_mm2 += even.min(group.len() - even) as f64 * triangle_area(mesh.corners(group[0].2));
    }
    dropped.sort_unstable();
    let place = dropped.first().map(|&face| at(mesh.corners(face)[0]));
    let count = drop_faces(mesh, |_, face| dropped.binary_search(&face).is_ok());
    Dropped { count, back_to_back_mm2, place }
}

/// Whether the corners are an even permutation of their sorted order.
fn is_even([a, b, c]: [u32; 3]) -> bool {
    [[a, b, c], [b, c, a], [c, a, b]].iter().any(|turned| turned.is_sorted())
}

#[cfg(test)]
mod tests {
    use nalgebra::Point3;

    use super::*;
    use crate::finding::Severity;
    use crate::mesh::check::tests::cube;

    #[test]
    fn a_clean_mesh_is_not_touched() {
        let mut mesh = cube(Point3::new(0.0, 0.0, 0.0), 2.0);

        let (_, repairs) = repair(&mut mesh);

        assert_eq!(repairs, []);
        assert_eq!(mesh, cube(Point3::new(0.0, 0.0, 0.0), 2.0));
    }

    #[test]
    fn duplicate_collapsed_and_back_to_back_faces_go() {
        let sound = cube(Point3::new(0.0, 0.0, 0.0), 2.0);
        let mut mesh = sound.clone();
        let [a, b, c] = mesh.triangles[0];
        mesh.triangles.extend([[b, c, a], [a, a, b], [1, 4, 6], [6, 4, 1]]);

        let (topology, repairs) = repair(&mut mesh);

        assert!(topology.is_clean());
        assert_eq!(mesh.triangles.len(), sound.triangles.len());
        assert!((mesh.signed_volume() - 8.0).abs() < 1e-9);
        assert_eq!(repairs.iter().map(|repair| repair.count).sum::<usize>(), 4);
    }

    #[test]
    fn a_crack_of_a_micron_is_closed_and_one_of_twenty_is_shown() {
        let cracked = |gap: f32| {
            let mut mesh = cube(Point3::new(0.0, 0.0, 0.0), 2.0);
            let [a, b, c] = mesh.triangles[0];
            for old in [a, b, c] {
                let vertex = mesh.vertices[old as usize];
                mesh.vertices.push(vertex + nalgebra::Vector3::new(gap, 0.0, 0.0));
            }
            mesh.triangles[0] = [8, 9, 10];
            let (topology, repairs) = repair(&mut mesh);
            assert!(topology.is_clean());
            assert!((mesh.signed_volume() - 8.0).abs() < 0.01);
            repairs.iter().any(|repair| repair.severity == Severity::Warning)
        };

        assert!(!cracked(0.001));
        assert!(cracked(0.02));
    }
}
