//! Makes a closed solid of a tangled surface: the way out when its faces can't be joined.
//!
//! Space is sampled on a grid. Whether a sample is metal is asked along the three grid lines through it: the
//! signed crossings with the surface must cancel out, else the line met a gap and has no vote. Where the
//! votes are split the winding number decides. A surface is then laid between the samples (dual contouring:
//! Ju, Losasso, Schaefer and Warren 2002); its corners come from the exact crossings and the planes of the
//! faces there, so flats stay flat and edges stay sharp.

mod contour;
mod lines;

use std::collections::BTreeSet;

use nalgebra::Point3;

use self::lines::Lines;
use super::topology::Topology;
use super::winding::Winding;
use super::{Bounds, Mesh, cast, shells};

/// Distances of the samples that are tried, mm: up to a pixel of a mask printer.
const CELLS_MM: [f64; 2] = [0.06, 0.04];
/// How far the winding number is followed from a gap, in samples.
const DOUBT_ROUNDS: usize = 3;
/// Bodies and voids below this are left out, mm3.
const SPECK_MM3: f64 = 0.01;
/// Samples, so that memory stays below 200 MB; larger designs get larger cells.
const SAMPLES_MAX: f64 = 40.0e6;
/// With cells above this, mm, walls would be lost.
const CELL_MM_MAX: f64 = 0.12;
/// A look at every fourth line tells soup that encloses nothing before much is spent on it.
const GLANCE_CELLS: f64 = 4.0;
/// A gap that shows a larger patch, mm2, in any direction is a hole that nobody may guess.
const GAP_MM2_MAX: f64 = 4.0;
/// Part of the lines that may meet a gap.
const DOUBT_PART_MAX: f64 = 0.1;
/// Surface, mm2 and as part of the whole, that may be laid where there was no face; an engraved band full of cracks
/// needs 5.7 mm2, 0.9 %.
const INVENTED_MM2_MAX: f64 = 8.0;
const INVENTED_PART_MAX: f64 = 0.012;
/// Samples that are decided by the winding number; each takes about 10 µs.
const WINDINGS_MAX: usize = 150_000;

/// A surface that was made new.
#[derive(Debug)]
pub(crate) struct Solid {
    /// Closed; every edge joins two faces.
    pub(crate) mesh: Mesh,
    /// Distance of the samples, mm.
    pub(crate) cell_mm: f64,
    /// 999 of 1000 new corners lie within this of the old faces, mm.
    pub(crate) off_mm: f64,
    /// Volume of the samples that are metal, mm3.
    pub(crate) sampled_mm3: f64,
    /// Bodies and voids that were too small to keep.
    pub(crate) specks: usize,
}

/// Makes a solid of a mesh; nothing if its gaps are too large to know what is metal, or if 1 of 1000 corners
/// would lie farther than `off_mm_max` from the old faces.
pub(crate) fn remesh(mesh: &Mesh, off_mm_max: f64) -> Option<Solid> {
    for cell_mm in CELLS_MM {
        let solid = sampled(mesh, cell_mm)?;
        if solid.off_mm <= off_mm_max {
            return Some(solid);
        }
    }
    None
}

fn sampled(mesh: &Mesh, cell_mm: f64) -> Option<Solid> {
    let grid = Grid::over(mesh, cell_mm).filter(|grid| grid.cell <= CELL_MM_MAX)?;
    let glance = Grid::over(mesh, GLANCE_CELLS * grid.cell)?;
    lines(mesh, &glance)?;
    let lines = lines(mesh, &grid)?;
    let (metal, invented) = decide(mesh, &grid, &lines)?;
    let invented_mm2 = invented as f64 * grid.cell.powi(2);
    if invented_mm2 > INVENTED_MM2_MAX || invented_mm2 > INVENTED_PART_MAX * mesh.area() {
        return None;
    }
    let count = metal.iter().filter(|&&is_metal| is_metal).count();
    let (mut new, off_mm) = contour::contour(mesh, &grid, &lines, &metal);
    let specks = drop_specks(&mut new);
    let sampled_mm3 = count as f64 * grid.cell.powi(3);
    (!new.triangles.is_empty()).then_some(Solid {
        mesh: new,
        cell_mm: grid.cell,
        off_mm,
        sampled_mm3,
        specks,
    })
}

/// The grid lines along all axes; nothing if they meet too many gaps or that takes too long.
fn lines(mesh: &Mesh, grid: &Grid) -> Option<[Lines; 3]> {
    if (0..3).map(|axis| lines::work(mesh, grid, axis)).sum::<f64>() > lines::WORK_MAX {
        return None;
    }
    let trusted = |axis: usize| Some(Lines::of(mesh, grid, axis)).filter(|lines| lines.is_trusted(grid.cell));
    Some([trusted(0)?, trusted(1)?, trusted(2)?])
}

/// Where the samples are.
#[derive(Debug, Clone, Copy)]
struct Grid {
    origin: Point3<f64>,
    cell: f64,
    /// Samples along each axis.
    counts: [usize; 3],
}

impl Grid {
    /// A grid with free samples all around the mesh, off the round coordinates that designs are made of.
    fn over(mesh: &Mesh, cell_mm: f64) -> Option<Self> {
        /// Parts of a cell from the lowest corner to the sample below it.
        const SHIFTS: [f64; 3] = [1.381_966, 1.732_051, 1.585_786];
        let Bounds { min, max } = mesh.bounds()?;
        let size = max - min;
        let mut cell = cell_mm;
        let counts = |cell: f64| [0, 1, 2].map(|axis| cast::index(size[axis] / cell) + 5);
        while counts(cell).iter().map(|&count| count as f64).product::<f64>() > SAMPLES_MAX {
            cell *= 1.1;
        }
        let origin = Point3::from([0, 1, 2].map(|axis| min[axis] - SHIFTS[axis] * cell));
        Some(Self { origin, cell, counts: counts(cell) })
    }

    fn index(&self, [x, y, z]: [usize; 3]) -> usize {
        (z * self.counts[1] + y) * self.counts[0] + x
    }

    fn place(&self, at: [usize; 3]) -> Point3<f64> {
        Point3::from([0, 1, 2].map(|axis| self.origin[axis] + at[axis] as f64 * self.cell))
    }
}

/// For each sample whether it is metal, and how many neighbours are parted by no face; nothing if too many
/// samples are in doubt.
fn decide(mesh: &Mesh, grid: &Grid, lines: &[Lines; 3]) -> Option<(Vec<bool>, usize)> {
    let mut votes = vec![0_u8; grid.counts.iter().product()];
    for of_axis in lines {
        of_axis.vote(grid, &mut votes);
    }
    let mut open = Vec::new();
    let mut metal = Vec::with_capacity(votes.len());
    for z in 0..grid.counts[2] {
        for y in 0..grid.counts[1] {
            let along_x = lines[0].is_doubted([0, y, z]);
            for x in 0..grid.counts[0] {
                let at = [x, y, z];
                let doubted =
                    u8::from(along_x) + u8::from(lines[1].is_doubted(at)) + u8::from(lines[2].is_doubted(at));
                let (yes, voters) = (votes[metal.len()], 3 - doubted);
                if voters == 0 || 2 * yes == voters {
                    open.push(at);
                }
                metal.push(2 * yes > voters);
            }
        }
    }
    let mut open = ask_neighbours(grid, lines, &mut metal, open);
    open.extend(unparted(grid, lines, &metal));
    let winding = Winding::over(mesh);
    let mut asked: BTreeSet<[usize; 3]> = BTreeSet::new();
    for _ in 0..DOUBT_ROUNDS {
        open.retain(|&at| asked.insert(at));
        if asked.len() > WINDINGS_MAX {
            return None;
        }
        if open.is_empty() {
            break;
        }
        for &at in &open {
            metal[grid.index(at)] = winding.at(grid.place(at)) > 0.5;
        }
        open = unparted(grid, lines, &metal);
    }
    let invented = unparted(grid, lines, &metal).len() / 2;
    Some((metal, invented))
}

/// Neighbouring samples of which one is metal although no face parts them.
fn unparted(grid: &Grid, lines: &[Lines; 3], metal: &[bool]) -> Vec<[usize; 3]> {
    let mut found = Vec::new();
    let steps = [1, grid.counts[0], grid.counts[0] * grid.counts[1]];
    let mut index = 0;
    for z in 0..grid.counts[2] {
        for y in 0..grid.counts[1] {
            for x in 0..grid.counts[0] {
                for axis in 0..3 {
                    let at = [x, y, z];
                    let is_last = at[axis] + 1 == grid.counts[axis];
                    if !is_last
                        && metal[index] != metal[index + steps[axis]]
                        && lines[axis].between(at).is_none()
                    {
                        let mut next = at;
                        next[axis] += 1;
                        found.extend([at, next]);
                    }
                }
                index += 1;
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Gives samples in doubt what most of their neighbours are that no face parts from them; returns those
/// without such a neighbour, or with as many of either kind.
fn ask_neighbours(
    grid: &Grid,
    lines: &[Lines; 3],
    metal: &mut [bool],
    mut open: Vec<[usize; 3]>,
) -> Vec<[usize; 3]> {
    /// Doubt is a few samples deep.
    const ROUNDS: usize = 16;
    let mut is_open = vec![false; metal.len()];
    open.iter().for_each(|&at| is_open[grid.index(at)] = true);
    for _ in 0..ROUNDS {
        let answers: Vec<i32> = open.iter().map(|&at| poll(grid, lines, metal, &is_open, at)).collect();
        for (&at, &answer) in open.iter().zip(&answers) {
            metal[grid.index(at)] = answer > 0;
            is_open[grid.index(at)] = answer == 0;
        }
        let before = open.len();
        open.retain(|&at| is_open[grid.index(at)]);
        if open.is_empty() || open.len() == before {
            break;
        }
    }
    open
}

/// Neighbours of a sample that are metal less those that are not, of those that no face parts from it.
fn poll(grid: &Grid, lines: &[Lines; 3], metal: &[bool], is_open: &[bool], at: [usize; 3]) -> i32 {
    let mut sum = 0;
    for axis in 0..3 {
        let (mut below, mut above) = (at, at);
        above[axis] += 1;
        if below[axis] > 0 {
            below[axis] -= 1;
            sum += answer(grid, &lines[axis], metal, is_open, below, below);
        }
        if above[axis] < grid.counts[axis] {
            sum += answer(grid, &lines[axis], metal, is_open, at, above);
        }
    }
    sum
}

fn answer(
    grid: &Grid,
    lines: &Lines,
    metal: &[bool],
    is_open: &[bool],
    low: [usize; 3],
    other: [usize; 3],
) -> i32 {
    let index = grid.index(other);
    match (is_open[index] || lines.between(low).is_some(), metal[index]) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => -1,
    }
}

/// Leaves out bodies and voids too small to print or to drain; returns how many those were.
fn drop_specks(mesh: &mut Mesh) -> usize {
    let topology = Topology::of(mesh);
    let shells = shells::measure_apart(mesh, &topology);
    let is_speck: Vec<bool> = shells.iter().map(|shell| shell.volume_mm3.abs() < SPECK_MM3).collect();
    let mut face = 0;
    mesh.triangles.retain(|_| {
        face += 1;
        !is_speck[topology.shell_of[face - 1] as usize]
    });
    is_speck.iter().filter(|&&is_speck| is_speck).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::{cube, merged};
    use crate::mesh::topology::Topology;
    use crate::rings::{BandProfile, RingDesign};

    #[test]
    fn a_cube_becomes_the_same_cube_with_sharp_edges() {
        let mesh = cube(Point3::new(0.1, 0.2, 0.3), 3.0);

        let solid = remesh(&mesh, 0.02).unwrap();

        let topology = Topology::of(&solid.mesh);
        assert!(
            topology.is_clean(),
            "{} open {} crowded {} mixed of {}",
            topology.boundary_edges,
            topology.nonmanifold_edges,
            topology.mixed_edges,
            solid.mesh.triangles.len()
        );
        assert!((solid.mesh.signed_volume() - 27.0).abs() < 0.002, "{}", solid.mesh.signed_volume());
        assert!(solid.off_mm < 1.0e-3, "{}", solid.off_mm);
    }

    #[test]
    fn a_soup_of_overlapping_bodies_with_cracks_becomes_their_union() {
        let mut soup = merged(&[
            RingDesign::band(17.3, 4.0, 1.8, BandProfile::Flat).generate().unwrap(),
            cube(Point3::new(-1.5, 9.0, -1.5), 3.0),
        ]);
        let alone = RingDesign::band(17.3, 4.0, 1.8, BandProfile::Flat).generate().unwrap().signed_volume();
        // Every face on its own, every twentieth gone.
        let corners: Vec<_> = soup.triangles.iter().flatten().map(|&at| soup.vertices[at as usize]).collect();
        soup.vertices = corners;
        let faces = cast::vertex(soup.triangles.len());
        soup.triangles = (0..faces)
            .filter(|face| face % 97 != 0)
            .map(|face| [3 * face, 3 * face + 1, 3 * face + 2])
            .collect();

        let solid = remesh(&soup, 0.02).unwrap();

        let topology = Topology::of(&solid.mesh);
        assert!(topology.is_clean(), "{:?}", topology.bad_edges());
        let volume = solid.mesh.signed_volume();
        assert!(volume > alone + 8.0 && volume < alone + 27.0, "{volume} {alone}");
        assert!((solid.sampled_mm3 / volume - 1.0).abs() < 0.005);
        assert!(solid.off_mm < 0.02, "{}", solid.off_mm);
    }

    #[test]
    fn half_a_surface_is_no_solid() {
        let mut band = RingDesign::band(17.3, 4.0, 1.8, BandProfile::Flat).generate().unwrap();
        let half = band.triangles.len() / 2;
        band.triangles.truncate(half);

        assert!(remesh(&band, 0.02).is_none());
    }
}
