//! The few safe repairs: what changes neither shape nor size. Everything else is a finding.

use super::report::Repair;
use super::topology::Topology;
use super::weld::weld_near;
use super::{Mesh, triangle_area};

/// Reaches of the ladder of near welds, mm. Exporters that write each face on its own leave cracks of one unit
/// in the last place; above 5 µm a weld starts to eat detail.
const WELD_LADDER_MM: [f64; 3] = [0.001, 0.002, 0.005];

/// A face flatter than this, mm, has no area worth keeping: a hundredth of the finest printer step.
const FLAT_MM: f64 = 1.0e-4;

/// Repairs a mesh that is not clean; returns its connections afterwards and what was done.
///
/// A step that leaves more bad edges than before is taken back.
pub(crate) fn repair(mesh: &mut Mesh) -> (Topology, Vec<Repair>) {
    let mut repairs = Vec::new();
    let collapsed = drop_faces(mesh, is_collapsed);
    note(&mut repairs, "TRI_DEGENERATE", collapsed, "faces that join two equal corners were dropped");
    let mut topology = Topology::of(mesh);
    if topology.is_clean() && !has_pairs(&topology) {
        return (topology, repairs);
    }
    attempt(
        mesh,
        &mut topology,
        |mesh| {
            let dropped = drop_duplicates(mesh);
            Repair {
                code: "TRI_DUPLICATE".to_owned(),
                count: dropped,
                moved_mm_max: 0.0,
                text: format!("faces that lay on another face with the same corners were dropped: {dropped}"),
            }
        },
        &mut repairs,
    );
    attempt(
        mesh,
        &mut topology,
        |mesh| {
            let dropped = drop_faces(mesh, is_flat);
            Repair {
                code: "TRI_DEGENERATE".to_owned(),
                count: dropped,
                moved_mm_max: 0.0,
                text: format!("faces without area were dropped: {dropped}"),
            }
        },
        &mut repairs,
    );
    for reach_mm in WELD_LADDER_MM {
        weld_cracks(mesh, &mut topology, reach_mm, &mut repairs);
    }
    (topology, repairs)
}

fn attempt(
    mesh: &mut Mesh,
    topology: &mut Topology,
    step: impl Fn(&mut Mesh) -> Repair,
    repairs: &mut Vec<Repair>,
) {
    let mut changed = mesh.clone();
    let repair = step(&mut changed);
    if repair.count == 0 {
        return;
    }
    let after = Topology::of(&changed);
    if after.bad_edges() <= topology.bad_edges() {
        *mesh = changed;
        *topology = after;
        repairs.push(repair);
    }
}

/// Closes cracks no wider than `reach_mm`, if that leaves fewer of them and joins nothing else.
fn weld_cracks(mesh: &mut Mesh, topology: &mut Topology, reach_mm: f64, repairs: &mut Vec<Repair>) {
    let Some(&median) = topology.boundary_lengths.get(topology.boundary_lengths.len() / 2) else { return };
    if reach_mm > 0.2 * median {
        return;
    }
    let mut welded = weld_near(mesh, &topology.boundary_vertices, reach_mm);
    drop_faces(&mut welded.mesh, is_collapsed);
    let after = Topology::of(&welded.mesh);
    let is_better = after.boundary_edges < topology.boundary_edges
        && after.nonmanifold_edges <= topology.nonmanifold_edges;
    if is_better {
        let closed = topology.boundary_edges - after.boundary_edges;
        *mesh = welded.mesh;
        *topology = after;
        repairs.push(Repair {
            code: "EDGE_CRACK".to_owned(),
            count: welded.merged,
            moved_mm_max: welded.moved_mm_max,
            text: format!(
                "corners along cracks were joined with their neighbours: {}, which closed {closed} open edges",
                welded.merged
            ),
        });
    }
}

fn note(repairs: &mut Vec<Repair>, code: &str, count: usize, what: &str) {
    if count > 0 {
        let text = format!("{what}: {count}");
        repairs.push(Repair { code: code.to_owned(), count, moved_mm_max: 0.0, text });
    }
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

/// Of faces with the same corners one of the more frequent sense stays; opposite ones cancel out.
fn drop_duplicates(mesh: &mut Mesh) -> usize {
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
    for group in keyed.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
        let even = group.iter().filter(|(_, is_even, _)| *is_even).count();
        let stays = group.iter().position(|(_, is_even, _)| *is_even == (2 * even > group.len()));
        let stays = stays.filter(|_| 2 * even != group.len());
        let goes = group.iter().enumerate().filter(|(position, _)| Some(*position) != stays);
        dropped.extend(goes.map(|(_, (_, _, face))| *face));
    }
    dropped.sort_unstable();
    drop_faces(mesh, |_, face| dropped.binary_search(&face).is_ok())
}

/// Whether the corners are an even permutation of their sorted order.
fn is_even([a, b, c]: [u32; 3]) -> bool {
    [[a, b, c], [b, c, a], [c, a, b]].iter().any(|turned| turned.is_sorted())
}

#[cfg(test)]
mod tests {
    use nalgebra::Point3;

    use super::*;
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
    fn a_crack_of_a_micron_is_closed_and_one_of_twenty_is_not() {
        let cracked = |gap: f32| {
            let mut mesh = cube(Point3::new(0.0, 0.0, 0.0), 2.0);
            let [a, b, c] = mesh.triangles[0];
            for old in [a, b, c] {
                let vertex = mesh.vertices[old as usize];
                mesh.vertices.push(vertex + nalgebra::Vector3::new(gap, 0.0, 0.0));
            }
            mesh.triangles[0] = [8, 9, 10];
            repair(&mut mesh).0.boundary_edges
        };

        assert_eq!(cracked(0.001), 0);
        assert_eq!(cracked(0.02), 6);
    }
}
