//! Crumbs that modelling left around a design.

use nalgebra::Point3;

use super::report::{Repair, ShellKind};
use super::shells::{self, Shell, at};
use super::topology::Topology;
use super::{Bounds, Mesh, intersect};

/// A closed body below this, mm3, or with a box of a shorter diagonal, mm, can't be cast.
const CRUMB_MM3: f64 = 0.01;
const CRUMB_MM: f64 = 0.3;
/// More bodies than this that small are no crumbs but the design, or an attack.
const CRUMBS_MAX: usize = 2000;
/// Pairs of boxes that are compared to see whether crumbs touch the design.
const TESTS_MAX: usize = 200_000_000;

/// Removes the outer bodies that are too small to cast and touch nothing else, unless there is nothing else.
pub(crate) fn drop(mesh: &mut Mesh, topology: &Topology) -> Option<Repair> {
    if topology.shells.len() < 2 {
        return None;
    }
    let shells = shells::measure(mesh, topology);
    let mut is_crumb: Vec<bool> = shells.iter().map(is_small).collect();
    let crumbs = is_crumb.iter().filter(|&&crumb| crumb).count();
    let has_body = shells.iter().any(|shell| shell.kind == ShellKind::Solid && !is_small(shell));
    if crumbs == 0 || crumbs > CRUMBS_MAX || !has_body {
        return None;
    }
    keep_touching(mesh, topology, &shells, &mut is_crumb)?;
    let places: Vec<String> = (0..shells.len())
        .filter(|&shell| is_crumb[shell])
        .map(|shell| at(shells[shell].bounds.center()))
        .collect();
    let first = places.first()?.clone();
    let mut face = 0;
    mesh.triangles.retain(|_| {
        face += 1;
        !is_crumb[topology.shell_of[face - 1] as usize]
    });
    let more = if places.len() > LISTED_MAX { " and more" } else { "" };
    let text = format!(
        "bodies too small to cast that touch nothing were removed: {}, at {}{more}",
        places.len(),
        places[..places.len().min(LISTED_MAX)].join(", ")
    );
    Some(Repair::note("SHELL_DEBRIS", places.len(), text).at(first))
}

/// How many crumbs are listed with their place.
const LISTED_MAX: usize = 10;

fn is_small(shell: &Shell) -> bool {
    shell.kind == ShellKind::Solid
        && shell.outermost.is_none()
        && (shell.volume_mm3.abs() < CRUMB_MM3 || shell.bounds.size().norm() < CRUMB_MM)
}

/// Takes crumbs off the list that meet a face of another body; nothing if that can't be found out in time.
fn keep_touching(mesh: &Mesh, topology: &Topology, shells: &[Shell], is_crumb: &mut [bool]) -> Option<()> {
    let crumbs: Vec<usize> = (0..shells.len()).filter(|&shell| is_crumb[shell]).collect();
    if crumbs.len().saturating_mul(mesh.triangles.len()) > TESTS_MAX {
        return None;
    }
    let mut faces: Vec<Vec<[Point3<f64>; 3]>> = vec![Vec::new(); shells.len()];
    for (face, &shell) in topology.shell_of.iter().enumerate().filter(|(_, shell)| is_crumb[**shell as usize])
    {
        faces[shell as usize].push(mesh.corners(face));
    }
    for (face, &shell) in topology.shell_of.iter().enumerate() {
        let corners = mesh.corners(face);
        let Some(own) = Bounds::around(corners) else { continue };
        for &crumb in crumbs.iter().filter(|&&crumb| crumb != shell as usize) {
            let near = is_crumb[crumb] && overlap(&own, &shells[crumb].bounds);
            if near && faces[crumb].iter().any(|&part| intersect::meet(part, corners)) {
                is_crumb[crumb] = false;
            }
        }
    }
    Some(())
}

fn overlap(one: &Bounds, two: &Bounds) -> bool {
    (0..3).all(|axis| one.min[axis] <= two.max[axis] && two.min[axis] <= one.max[axis])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::{cube, inside_out, merged};

    #[test]
    fn crumbs_beside_the_design_go_and_those_on_it_in_it_and_voids_stay() {
        let body = cube(Point3::new(0.0, 0.0, 0.0), 5.0);
        let beside = cube(Point3::new(6.0, 0.0, 0.0), 0.1);
        let on = cube(Point3::new(4.95, 1.0, 1.0), 0.1);
        let within = cube(Point3::new(2.0, 2.0, 2.0), 0.1);
        let void = inside_out(cube(Point3::new(3.0, 3.0, 3.0), 0.1));
        let mut mesh = merged(&[body.clone(), beside, on.clone(), within.clone(), void.clone()]);
        let topology = Topology::of(&mesh);

        let repair = drop(&mut mesh, &topology).unwrap();

        assert_eq!((repair.code.as_str(), repair.count), ("SHELL_DEBRIS", 1));
        assert_eq!(repair.place, "x 6.05 y 0.05 z 0.05 mm");
        assert_eq!(mesh.triangles.len(), 48);
        assert_eq!(mesh.bounds(), merged(&[body, on, within, void]).bounds());
    }

    #[test]
    fn a_design_in_metres_is_not_taken_for_crumbs() {
        let mut mesh =
            merged(&[cube(Point3::new(0.0, 0.0, 0.0), 0.02), cube(Point3::new(0.1, 0.0, 0.0), 0.01)]);
        let topology = Topology::of(&mesh);

        assert_eq!(drop(&mut mesh, &topology), None);
        assert_eq!(mesh.triangles.len(), 24);
    }
}
