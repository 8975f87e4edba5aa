//! The connected bodies of a mesh: their measures, which lies in which, and which way they face.

use nalgebra::{Point3, Vector3};

use super::bvh::Bvh;
use super::report::{Repair, ShellKind};
use super::topology::Topology;
use super::{Bounds, Mesh, cast, tetrahedron, triangle_area};

/// Up to this many shells it is worked out which lies in which. A chain has a few dozen.
pub const NESTED_SHELLS_MAX: usize = 2000;

/// Up to so many times one box may lie in another: 200 stones in their band are 200, 300 boxes each in all
/// larger ones 45,000. Each takes up to a millisecond.
const NESTED_PAIRS_MAX: usize = 50_000;

/// One connected body of surface.
#[derive(Debug, Clone, PartialEq)]
pub struct Shell {
    /// Faces.
    pub triangles: usize,
    /// Enclosed volume, mm3; negative if the faces look inward.
    pub volume_mm3: f64,
    /// Surface, mm2.
    pub area_mm2: f64,
    /// The box around it.
    pub bounds: Bounds,
    /// Whether every edge joins exactly two faces in opposite directions.
    pub watertight: bool,
    /// What it is.
    pub kind: ShellKind,
    /// The outermost closed shell around it, if there is one: an index into the list of shells.
    pub outermost: Option<usize>,
}

/// Turns faces so that every closed shell looks outward, and cavities look into their void.
///
/// Faces that disagree with their neighbours are turned; then a shell that lies in no other is turned if its
/// volume is negative, together with everything inside it. A shell inside another keeps its sense against the
/// outer one: a reversed shell is the wall of a cavity. Open shells are only made to agree with themselves.
///
/// Returns what was changed; nothing for a mesh that faces the right way.
pub fn orient_shells(mesh: &mut Mesh) -> Vec<Repair> {
    let topology = Topology::of(mesh);
    orient(mesh, &topology)
}

pub(crate) fn orient(mesh: &mut Mesh, topology: &Topology) -> Vec<Repair> {
    let mut repairs: Vec<Repair> = agree(mesh, topology).into_iter().collect();
    let shells = measure(mesh, topology);
    let inverted: Vec<bool> = shells.iter().map(|shell| is_inverted(&shells, shell)).collect();
    let count = inverted.iter().filter(|&&inverted| inverted).count();
    if count > 0 {
        turn(mesh, |face| inverted[topology.shell_of[face] as usize]);
        let text = format!("bodies that were inside out were turned: {count}");
        let first = inverted.iter().position(|&inverted| inverted).map_or(0, |index| index);
        repairs.push(Repair::note("SHELL_INVERTED", count, text).at(at(shells[first].bounds.center())));
    }
    repairs
}

/// Turns the faces that disagree with the larger part of their shell.
pub(crate) fn agree(mesh: &mut Mesh, topology: &Topology) -> Option<Repair> {
    let turned = minority(topology);
    let first = turned.iter().position(|&turned| turned)?;
    let odd = turned.iter().filter(|&&turned| turned).count();
    turn(mesh, |face| turned[face]);
    let text = format!("faces that looked the wrong way were turned: {odd}");
    Some(Repair::note("WINDING_MIXED", odd, text).at(at(mesh.corners(first)[0])))
}

/// Measures the shells of a mesh and finds which lies in which.
pub(crate) fn measure(mesh: &Mesh, topology: &Topology) -> Vec<Shell> {
    let mut shells = measure_apart(mesh, topology);
    let closed = shells.iter().filter(|shell| shell.kind != ShellKind::Open).count();
    if (2..=NESTED_SHELLS_MAX).contains(&closed) {
        nest(mesh, topology, &mut shells);
    }
    for shell in &mut shells {
        if shell.kind != ShellKind::Open && shell.outermost.is_some() && shell.volume_mm3 < 0.0 {
            shell.kind = ShellKind::Cavity;
        }
    }
    shells
}

fn is_inverted(shells: &[Shell], shell: &Shell) -> bool {
    let outer = shell.outermost.map_or(shell, |index| &shells[index]);
    shell.kind != ShellKind::Open && shells.len() <= NESTED_SHELLS_MAX && outer.volume_mm3 < 0.0
}

/// Whether it could be worked out which shell lies in which.
pub(crate) fn is_nesting_known(shells: &[Shell]) -> bool {
    let pairs = |index: usize| could_contain(shells, index).len();
    shells.len() <= NESTED_SHELLS_MAX && (0..shells.len()).map(pairs).sum::<usize>() <= NESTED_PAIRS_MAX
}

/// The faces to turn so that each shell agrees with the larger part of itself.
fn minority(topology: &Topology) -> Vec<bool> {
    if !topology.turned.contains(&true) {
        return Vec::new();
    }
    let mut balance = vec![0_i64; topology.shells.len()];
    for (face, &shell) in topology.shell_of.iter().enumerate() {
        balance[shell as usize] += if topology.turned[face] { 1 } else { -1 };
    }
    let turn = |(&turned, &shell): (&bool, &u32)| {
        let majority_is_turned = balance[shell as usize] > 0;
        topology.shells[shell as usize].orientable && turned != majority_is_turned
    };
    topology.turned.iter().zip(&topology.shell_of).map(turn).collect()
}

fn turn(mesh: &mut Mesh, is_wrong: impl Fn(usize) -> bool) {
    for (face, triangle) in mesh.triangles.iter_mut().enumerate() {
        if is_wrong(face) {
            triangle.swap(1, 2);
        }
    }
}

/// Measures the shells of a mesh, without asking which lies in which.
pub(crate) fn measure_apart(mesh: &Mesh, topology: &Topology) -> Vec<Shell> {
    let Some(all) = Bounds::around(mesh.vertices.iter().map(|vertex| vertex.cast())) else {
        return Vec::new();
    };
    let origin = all.center();
    let start = |edges: &super::topology::ShellEdges| {
        let corner = mesh.corners(edges.first_face as usize)[0];
        let is_closed = edges.closed && edges.orientable;
        Shell {
            triangles: 0,
            volume_mm3: 0.0,
            area_mm2: 0.0,
            bounds: Bounds { min: corner, max: corner },
            watertight: is_closed && edges.manifold,
            kind: if is_closed { ShellKind::Solid } else { ShellKind::Open },
            outermost: None,
        }
    };
    let mut shells: Vec<Shell> = topology.shells.iter().map(start).collect();
    for (face, &shell) in topology.shell_of.iter().enumerate() {
        let corners = mesh.corners(face);
        let shell = &mut shells[shell as usize];
        shell.triangles += 1;
        shell.volume_mm3 += tetrahedron(origin, corners);
        shell.area_mm2 += triangle_area(corners);
        shell.bounds = corners.into_iter().fold(shell.bounds, Bounds::with);
    }
    shells
}

/// Fills in `outermost`, unless that would take too long. Rays meet only shells whose box holds another one: most
/// bodies stand apart.
fn nest(mesh: &Mesh, topology: &Topology, shells: &mut [Shell]) {
    let candidates: Vec<Vec<usize>> = (0..shells.len()).map(|index| could_contain(shells, index)).collect();
    let mut is_candidate = vec![false; shells.len()];
    candidates.iter().flatten().for_each(|&outer| is_candidate[outer] = true);
    if !is_candidate.contains(&true) || candidates.iter().map(Vec::len).sum::<usize>() > NESTED_PAIRS_MAX {
        return;
    }
    let faces: Vec<u32> = (0..cast::vertex(topology.shell_of.len()))
        .filter(|&face| is_candidate[topology.shell_of[face as usize] as usize])
        .collect();
    let bvh = Bvh::over_faces(mesh, &faces);
    let probes = probes(mesh, topology, shells, &candidates);
    let containers: Vec<Vec<usize>> = candidates
        .into_iter()
        .zip(probes)
        .map(|(candidates, probes)| {
            probes.iter().fold(candidates, |left, &probe| match left.as_slice() {
                [] => left,
                some => around(&bvh, topology, probe, some),
            })
        })
        .collect();
    for (index, around) in containers.iter().enumerate() {
        shells[index].outermost = around.iter().copied().find(|&outer| containers[outer].is_empty());
    }
}

/// Points of each shell that has candidates: its farthest ones along the axes, and corners and middles of some
/// faces; of all faces of a small shell.
///
/// A body that overlaps another one may have most of its corners inside; only one that has all of them inside
/// is nested, and if it is reversed, the wall of a cavity.
fn probes(
    mesh: &Mesh,
    topology: &Topology,
    shells: &[Shell],
    candidates: &[Vec<usize>],
) -> Vec<Vec<Point3<f64>>> {
    // Sampled faces; a bar across a hole has its corners inside, but not the middles of its faces.
    const SPREAD: usize = 24;
    let mut probes: Vec<Vec<Point3<f64>>> = vec![Vec::new(); shells.len()];
    let mut seen = vec![0_usize; shells.len()];
    for (face, &shell) in topology.shell_of.iter().enumerate() {
        let shell = shell as usize;
        if candidates[shell].is_empty() {
            continue;
        }
        let Bounds { min, max } = shells[shell].bounds;
        let is_farthest = |corner: &Point3<f64>, has: &[Point3<f64>]| {
            (0..3).any(|axis| {
                let ends = [min[axis], max[axis]].map(f64::to_bits);
                let at = |point: &Point3<f64>| point[axis].to_bits();
                ends.contains(&at(corner)) && !has.iter().any(|known| at(known) == at(corner))
            })
        };
        for corner in mesh.corners(face) {
            if is_farthest(&corner, &probes[shell]) {
                probes[shell].push(corner);
            }
        }
        if seen[shell].is_multiple_of(shells[shell].triangles / SPREAD + 1) {
            let corners = mesh.corners(face);
            let middle = corners.iter().map(|corner| corner.coords).sum::<Vector3<f64>>() / 3.0;
            probes[shell].extend(corners);
            probes[shell].push(middle.into());
        }
        seen[shell] += 1;
    }
    probes
}

/// The closed shells whose box holds that of a closed shell.
fn could_contain(shells: &[Shell], index: usize) -> Vec<usize> {
    let shell = &shells[index];
    if shell.kind == ShellKind::Open {
        return Vec::new();
    }
    let holds = |other: &usize| {
        *other != index
            && shells[*other].kind != ShellKind::Open
            && shells[*other].bounds.contains(&shell.bounds)
    };
    (0..shells.len()).filter(holds).collect()
}

/// Which of the candidate shells a point lies in: an odd number of crossings in two of three directions.
fn around(bvh: &Bvh<'_>, topology: &Topology, point: Point3<f64>, candidates: &[usize]) -> Vec<usize> {
    let mut votes = vec![0_u8; candidates.len()];
    for direction in [
        Vector3::new(0.577_215_66, 0.414_213_56, 0.698_970_00),
        Vector3::new(-0.618_033_99, 0.732_050_81, -0.314_159_27),
        Vector3::new(0.271_828_18, -0.645_751_31, -0.886_226_93),
    ] {
        let mut is_odd = vec![false; candidates.len()];
        bvh.for_each_hit(point, direction, |hit| {
            let shell = topology.shell_of[hit.face as usize] as usize;
            if let Ok(at) = candidates.binary_search(&shell) {
                is_odd[at] = !is_odd[at];
            }
        });
        for (votes, is_odd) in votes.iter_mut().zip(is_odd) {
            *votes += u8::from(is_odd);
        }
    }
    candidates.iter().zip(votes).filter(|(_, votes)| *votes >= 2).map(|(&shell, _)| shell).collect()
}

/// Whether a shell is convex: every one of its corners lies on or behind the plane of every face, within
/// `tolerance_mm`. Costs faces times corners, so ask it of small shells only.
pub(crate) fn is_convex(mesh: &Mesh, faces: &[usize], tolerance_mm: f64) -> bool {
    faces.iter().all(|&face| {
        let [a, b, c] = mesh.corners(face);
        let Some(normal) = (b - a).cross(&(c - a)).try_normalize(0.0) else { return true };
        faces
            .iter()
            .flat_map(|&other| mesh.corners(other))
            .all(|point| normal.dot(&(point - a)) <= tolerance_mm)
    })
}

/// How many planes a set of faces lies in: normals that differ by less than half a degree count once.
pub(crate) fn plane_count(mesh: &Mesh, faces: &[usize]) -> usize {
    let mut normals: Vec<Vector3<f64>> = Vec::new();
    for &face in faces {
        let [a, b, c] = mesh.corners(face);
        if let Some(normal) = (b - a).cross(&(c - a)).try_normalize(0.0) {
            let is_known = normals.iter().any(|known| known.dot(&normal) > 0.999_961_9);
            if !is_known {
                normals.push(normal);
            }
        }
    }
    normals.len()
}

/// The faces of each shell of at most `faces_max` faces; empty for larger ones.
pub(crate) fn faces_of_small(topology: &Topology, shells: &[Shell], faces_max: usize) -> Vec<Vec<usize>> {
    let mut faces: Vec<Vec<usize>> = vec![Vec::new(); shells.len()];
    for (face, &shell) in topology.shell_of.iter().enumerate() {
        if shells[shell as usize].triangles <= faces_max {
            faces[shell as usize].push(face);
        }
    }
    faces
}

/// A corner of a shell as a place for a person.
pub(crate) fn place(mesh: &Mesh, index: u32) -> String {
    at(mesh.vertices[index as usize].cast())
}

/// A point as a place for a person.
pub(crate) fn at(point: Point3<f64>) -> String {
    format!("x {:.2} y {:.2} z {:.2} mm", point.x, point.y, point.z)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::{cube, inside_out, merged};

    #[test]
    fn an_inverted_body_is_turned_and_a_cavity_stays_inward() {
        let hollow = merged(&[
            cube(Point3::new(0.0, 0.0, 0.0), 4.0),
            inside_out(cube(Point3::new(1.0, 1.0, 1.0), 2.0)),
        ]);

        let mut sound = hollow.clone();
        let mut reversed = inside_out(hollow.clone());

        assert_eq!(orient_shells(&mut sound), []);
        assert_eq!(sound, hollow);
        assert_eq!(orient_shells(&mut reversed)[0].code, "SHELL_INVERTED");
        assert!((reversed.signed_volume() - 56.0).abs() < 1e-9);
    }

    /// The box of the small body lies in that of the large one, and so does its first corner.
    #[test]
    fn an_inverted_body_that_overlaps_another_one_is_turned_and_no_cavity() {
        let mut wedge = cube(Point3::new(0.0, 0.0, 0.0), 4.0);
        // The upper face shrinks to an edge at x 0: a wedge with a slope from (4, 0) to (0, 4).
        wedge.vertices.iter_mut().filter(|corner| corner.z > 2.0).for_each(|corner| corner.x = 0.0);
        let mut prong = cube(Point3::new(1.0, 1.0, 1.0), 2.0);
        assert!(prong.vertices[0].x + prong.vertices[0].z < 4.0);
        prong = inside_out(prong);
        let mut both = merged(&[wedge, prong]);

        let repairs = orient_shells(&mut both);

        assert_eq!((repairs.len(), repairs[0].code.as_str()), (1, "SHELL_INVERTED"));
        assert!((both.signed_volume() - (32.0 + 8.0)).abs() < 1e-6, "{}", both.signed_volume());
    }

    #[test]
    fn single_faces_that_look_the_wrong_way_are_turned() {
        let sound = cube(Point3::new(0.0, 0.0, 0.0), 2.0);
        let mut mixed = sound.clone();
        mixed.triangles[3].swap(1, 2);
        mixed.triangles[7].swap(1, 2);

        let repairs = orient_shells(&mut mixed);

        assert_eq!(repairs[0].count, 2);
        assert!((mixed.signed_volume() - 8.0).abs() < 1e-9);
    }
}
