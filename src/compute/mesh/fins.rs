//! Faces that enclose nothing: fins that stand out of a surface, and sheets that divide a body.

use super::edges::EdgeTable;
use super::topology::Topology;
use super::{Mesh, triangle_area};

/// What is known of a patch: faces that are joined through edges of exactly two faces.
#[derive(Debug, Clone, Copy, Default)]
struct Patch {
    /// It ends somewhere in the open.
    has_rim: bool,
    /// It is one too many at some edge.
    is_odd: bool,
    /// At some crowded edge it is needed.
    is_needed: bool,
    area_mm2: f64,
}

/// The faces to drop, ascending: all patches that are one too many along every edge they share and end in the
/// open; without such, the smallest patch that is one too many and divides a body. Nothing if there is none.
pub(crate) fn find(mesh: &Mesh, topology: &Topology) -> Option<Vec<usize>> {
    if topology.nonmanifold_edges == 0 {
        return None;
    }
    let patches = judge(mesh, topology);
    let is_extra = |patch: &Patch| patch.is_odd && !patch.is_needed;
    let is_fin: Vec<bool> = patches.iter().map(|patch| is_extra(patch) && patch.has_rim).collect();
    if is_fin.contains(&true) {
        return Some(faces_of(topology, |patch| is_fin[patch]));
    }
    let sheets = patches.iter().enumerate().filter(|(_, patch)| is_extra(patch));
    let smallest = sheets.min_by(|a, b| a.1.area_mm2.total_cmp(&b.1.area_mm2))?.0;
    Some(faces_of(topology, |patch| patch == smallest))
}

fn faces_of(topology: &Topology, is_wanted: impl Fn(usize) -> bool) -> Vec<usize> {
    let faces = topology.shell_of.iter().enumerate();
    faces.filter(|(_, patch)| is_wanted(**patch as usize)).map(|(face, _)| face).collect()
}

fn judge(mesh: &Mesh, topology: &Topology) -> Vec<Patch> {
    let mut patches = vec![Patch::default(); topology.shells.len()];
    for (face, &patch) in topology.shell_of.iter().enumerate() {
        patches[patch as usize].area_mm2 += triangle_area(mesh.corners(face));
    }
    let mut own: Vec<u32> = Vec::new();
    EdgeTable::of(mesh).for_each(mesh, |_, uses| match uses {
        [only] => patches[topology.shell_of[only.face()] as usize].has_rim = true,
        [_, _] => {}
        _ => {
            own.clear();
            own.extend(uses.iter().map(|one| topology.shell_of[one.face()]));
            own.sort_unstable();
            for of_patch in own.chunk_by(|a, b| a == b) {
                let patch = &mut patches[of_patch[0] as usize];
                let is_extra = of_patch.len() % 2 == 1 && uses.len() % 2 == 1;
                patch.is_odd |= is_extra;
                patch.is_needed |= !is_extra;
            }
        }
    });
    patches
}
