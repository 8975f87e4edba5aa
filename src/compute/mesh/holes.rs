//! Fills the holes that a repair may fill: small ones, and larger ones that are flat.
//!
//! A hole is a loop of open edges. Its area is that of the smallest surface of triangles that spans it without
//! new corners, which is found exactly for loops of up to [`EXACT_EDGES_MAX`] edges (Barequet and Sharir 1995).

use nalgebra::{Point3, Vector3};

use super::edges::EdgeTable;
use super::pairing::{NONE, Pairing, after};
use super::topology::Topology;
use super::{Mesh, cast, shells, triangle_area};

/// A hole of at most so many edges and so much area, mm2, is filled without asking.
const SMALL_EDGES: usize = 64;
const SMALL_MM2: f64 = 1.0;
/// A hole up to this, mm2, is filled and shown.
const MEDIUM_MM2: f64 = 4.0;
/// A flat hole up to this, mm2, is filled and shown.
const FLAT_MM2: f64 = 25.0;
/// What flat means, mm.
const FLAT_MM: f64 = 0.02;
/// A hole that is not flat may be filled up to the same area if this part of the volume at most depends on how:
/// the bound that repairs have to keep.
const DOUBT_PART: f64 = 0.01;
/// What has a larger hole for its own surface is no body but a sheet.
const SURFACE_PART: f64 = 1.0 / 3.0;
/// Sheets up to this, mm2, and this part of the whole surface are scraps.
const SCRAP_MM2: f64 = 1.0;
const SCRAP_PART: f64 = 0.05;
/// All fills of a design together, mm2, and the fills that are not small.
const FILLED_MM2_MAX: f64 = 25.0;
const MEDIUM_MAX: usize = 1;
/// Two holes of at least this, mm2 (a wire of 0.2 mm), that end a tube across are the ends of something missing.
const END_MM2: f64 = 0.03;
const ENDS_MAX: usize = 1;
/// Cosine between the faces around such an end and its fill, at most.
const ACROSS: f64 = 0.5;
/// A loose sheet is as large as its own outline, about.
const SHEET_PART: f64 = 0.9;
/// Ends above this, mm2, or this part of their body, are ends of the body itself, not of a line engraved on it.
const BODY_END_MM2: f64 = 1.0;
const BODY_END_PART: f64 = 1.0 / 400.0;
/// A tangle has so many holes for each that looks like an end, or this part of its surface has no inside.
const TANGLE_HOLES: usize = 10;
const ONE_SIDED_PART: f64 = 0.01;
/// Two outlines whose middles are no farther apart, mm, and whose areas differ by no larger part are a seam.
const SEAM_MM: f64 = 0.02;
const SEAM_PART: f64 = 0.01;
/// Loops up to this are spanned exactly; the work grows with the third power.
const EXACT_EDGES_MAX: usize = 160;
/// Longer loops are cut ear by ear up to this; the work grows with the square.
const EDGES_MAX: usize = 2000;
/// Steps of both in one design: about a second.
const WORK_MAX: usize = 200_000_000;

/// How a hole is dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HoleKind {
    /// Filled; a report is enough.
    Small,
    /// Filled; a person looks.
    Shown,
    /// Not filled: too large to guess what belongs there.
    Large,
}

/// A hole of a mesh.
#[derive(Debug, Clone)]
pub(crate) struct Hole {
    /// What happens to it.
    pub(crate) kind: HoleKind,
    /// Edges around it.
    pub(crate) edges: usize,
    /// Area of its fill, mm2; nothing if it was not worked out.
    pub(crate) area_mm2: Option<f64>,
    /// What it lets through, seen from where that is most, mm2: known for every loop.
    open_mm2: f64,
    /// The surface around it runs through it, as at the cut end of a wire.
    is_end: bool,
    /// Area of the shell it is in, mm2.
    shell_mm2: f64,
    /// Its middle.
    pub(crate) place: Point3<f64>,
    /// The shell it is in.
    shell: u32,
    /// The faces that fill it.
    fill: Vec<[u32; 3]>,
}

/// Finds the holes of a mesh whose vertices are split by fans, largest kind last, otherwise in order.
pub(crate) fn find(mesh: &Mesh, topology: &Topology, pairing: &Pairing) -> Vec<Hole> {
    if pairing.open_halves == 0 {
        return Vec::new();
    }
    let table = EdgeTable::of(mesh);
    let shells = Shells::of(mesh, topology);
    let mut work = 0;
    let judged = loops(mesh, pairing).into_iter().map(|around| {
        let rim = shells.around(around.corners[0]);
        judge(mesh, &table, &around, &rim, &mut work)
    });
    let mut holes: Vec<Hole> = judged.collect();
    holes.sort_by_key(|hole| hole.kind);
    holes
}

/// Whether so much of the surface is missing that nobody may guess what belonged there: then the holes must not be
/// filled, and no new surface be made.
///
/// That is a hole that is large, more than one of medium size, or the two ends of a missing piece, however thin.
/// Loose faces count as part of the surface, not as its end; two ends that lie on each other are a seam. What
/// looks like a small end in a tangle of cracks is none.
pub(crate) fn is_gaping(mesh: &Mesh, topology: &Topology, holes: &[Hole]) -> bool {
    let rims: Vec<&Hole> = holes.iter().filter(|hole| !hole.is_sheet()).collect();
    let wide = rims.iter().copied().filter(|hole| hole.widest_mm2() > MEDIUM_MM2);
    let (medium, has_large) = apart(wide)
        .iter()
        .fold((0, false), |(count, has_large), hole| (count + 1, has_large || hole.kind == HoleKind::Large));
    let ends = apart(rims.iter().copied().filter(|hole| hole.is_end && hole.open_mm2 >= END_MM2));
    let is_of_body =
        |hole: &&&Hole| hole.open_mm2 > BODY_END_MM2 || hole.open_mm2 > BODY_END_PART * hole.shell_mm2;
    let of_body = ends.iter().filter(is_of_body).count();
    let is_tangle =
        holes.len() > TANGLE_HOLES * ends.len() || one_sided_part(mesh, topology) > ONE_SIDED_PART;
    has_large || medium > MEDIUM_MAX || of_body > ENDS_MAX || (ends.len() > ENDS_MAX && !is_tangle)
}

impl Hole {
    fn is_sheet(&self) -> bool {
        self.open_mm2 >= SHEET_PART * self.shell_mm2
    }

    fn widest_mm2(&self) -> f64 {
        self.area_mm2.unwrap_or(0.0).max(self.open_mm2)
    }
}

/// The holes that don't lie on another one of the same size.
fn apart<'holes>(holes: impl Iterator<Item = &'holes Hole>) -> Vec<&'holes Hole> {
    let mut sorted: Vec<&Hole> = holes.collect();
    sorted.sort_by(|a, b| a.open_mm2.total_cmp(&b.open_mm2));
    let is_seam = |one: &Hole, other: &Hole| {
        other.open_mm2 - one.open_mm2 <= SEAM_PART * other.open_mm2
            && (one.place - other.place).norm() <= SEAM_MM
    };
    let mut left = Vec::new();
    let mut at = 0;
    while at < sorted.len() {
        let is_pair = sorted.get(at + 1).is_some_and(|next| is_seam(sorted[at], next));
        if !is_pair {
            left.push(sorted[at]);
        }
        at += if is_pair { 2 } else { 1 };
    }
    left
}

/// Which part of the surface has no inside.
fn one_sided_part(mesh: &Mesh, topology: &Topology) -> f64 {
    let shells = shells::measure_apart(mesh, topology);
    let all: f64 = shells.iter().map(|shell| shell.area_mm2).sum();
    let one_sided = topology.shells.iter().zip(&shells).filter(|(edges, _)| !edges.orientable);
    one_sided.map(|(_, shell)| shell.area_mm2).sum::<f64>() / all.max(f64::MIN_POSITIVE)
}

/// Whether every hole may be filled: none is large, no two are ends, and together they are not much.
pub(crate) fn are_fillable(holes: &[Hole]) -> bool {
    let ends = holes.iter().filter(|hole| hole.is_end && hole.open_mm2 >= END_MM2).count();
    let filled: f64 = holes.iter().filter_map(|hole| hole.area_mm2).sum();
    ends <= ENDS_MAX && filled <= FILLED_MM2_MAX && holes.iter().all(|hole| hole.kind != HoleKind::Large)
}

/// Adds the faces of the holes that are not large; returns how many holes those were.
pub(crate) fn fill(mesh: &mut Mesh, holes: &[Hole]) -> usize {
    let filled = holes.iter().filter(|hole| hole.kind != HoleKind::Large);
    filled.map(|hole| mesh.triangles.extend_from_slice(&hole.fill)).count()
}

/// The faces of sheets that enclose nothing and are small beside the rest, ascending.
pub(crate) fn scraps(mesh: &Mesh, topology: &Topology, holes: &[Hole]) -> Vec<usize> {
    let shells = Shells::of(mesh, topology);
    let all: f64 = shells.area_mm2.iter().sum();
    let mut is_scrap = vec![false; shells.area_mm2.len()];
    for hole in holes {
        let area = shells.area_mm2[hole.shell as usize];
        is_scrap[hole.shell as usize] |= area <= SCRAP_MM2
            && area <= SCRAP_PART * all
            && hole.area_mm2.is_some_and(|own| own > SURFACE_PART * area);
    }
    let scraps: f64 =
        shells.area_mm2.iter().zip(&is_scrap).filter(|(_, scrap)| **scrap).map(|(area, _)| area).sum();
    if scraps > SCRAP_PART * all {
        return Vec::new();
    }
    let faces = topology.shell_of.iter().enumerate();
    faces.filter(|(_, shell)| is_scrap[**shell as usize]).map(|(face, _)| face).collect()
}

/// What is around a hole.
struct Rim {
    shell: u32,
    area_mm2: f64,
    volume_mm3: f64,
}

/// Sums over the shells of an open mesh.
struct Shells {
    of_vertex: Vec<u32>,
    area_mm2: Vec<f64>,
    volume_mm3: Vec<f64>,
}

impl Shells {
    fn of(mesh: &Mesh, topology: &Topology) -> Self {
        let mut of_vertex = vec![0; mesh.vertices.len()];
        for (corners, &shell) in mesh.triangles.iter().zip(&topology.shell_of) {
            corners.iter().for_each(|&corner| of_vertex[corner as usize] = shell);
        }
        let shells = shells::measure_apart(mesh, topology);
        Self {
            of_vertex,
            area_mm2: shells.iter().map(|shell| shell.area_mm2).collect(),
            volume_mm3: shells.iter().map(|shell| shell.volume_mm3.abs()).collect(),
        }
    }

    fn around(&self, vertex: u32) -> Rim {
        let shell = self.of_vertex[vertex as usize];
        let (area_mm2, volume_mm3) = (self.area_mm2[shell as usize], self.volume_mm3[shell as usize]);
        Rim { shell, area_mm2, volume_mm3 }
    }
}

/// A loop of open edges in the sense in which its fill runs along it.
struct Loop {
    corners: Vec<u32>,
    /// The face of the edge from each corner to the next.
    faces: Vec<u32>,
}

fn loops(mesh: &Mesh, pairing: &Pairing) -> Vec<Loop> {
    let vertex = |half: usize| mesh.triangles[half / 3][half % 3];
    // From the end of an open half-edge back to its start: the sense of the fill.
    let mut next = vec![NONE; mesh.vertices.len()];
    let mut face_after = vec![0; mesh.vertices.len()];
    let mut starts = Vec::new();
    for half in 0..mesh.triangles.len() * 3 {
        if pairing.twin(cast::vertex(half)) == NONE {
            next[vertex(after(half)) as usize] = vertex(half);
            face_after[vertex(after(half)) as usize] = cast::vertex(half / 3);
            starts.push(vertex(after(half)));
        }
    }
    let mut loops = Vec::new();
    for start in starts {
        let mut corners = Vec::new();
        let mut at = start;
        while next[at as usize] != NONE {
            corners.push(at);
            at = std::mem::replace(&mut next[at as usize], NONE);
        }
        if !corners.is_empty() {
            let faces = corners.iter().map(|&corner| face_after[corner as usize]).collect();
            loops.push(Loop { corners, faces });
        }
    }
    loops
}

fn judge(mesh: &Mesh, table: &EdgeTable, around: &Loop, rim: &Rim, work: &mut usize) -> Hole {
    let Loop { corners, faces } = around;
    let points: Vec<Point3<f64>> =
        corners.iter().map(|&index| mesh.vertices[index as usize].cast()).collect();
    let place = Point3::from(
        points.iter().map(|point| point.coords).sum::<Vector3<f64>>() / points.len().max(1) as f64,
    );
    let flux = flux(&points);
    let normal = flux.try_normalize(0.0).unwrap_or_else(Vector3::z);
    let mut hole = Hole {
        kind: HoleKind::Large,
        edges: corners.len(),
        area_mm2: None,
        open_mm2: flux.norm(),
        is_end: is_end(mesh, &points, faces, normal),
        shell_mm2: rim.area_mm2,
        place,
        shell: rim.shell,
        fill: Vec::new(),
    };
    let count = corners.len();
    *work = work.saturating_add(if count <= EXACT_EDGES_MAX { count.pow(3) / 6 } else { count.pow(2) });
    if !(3..=EDGES_MAX).contains(&count) || *work > WORK_MAX {
        return hole;
    }
    let flat_mm = points.iter().map(|point| (point - place).dot(&normal).abs()).fold(0.0, f64::max);
    let parts = if count <= EXACT_EDGES_MAX {
        let is_taken = |a: usize, b: usize| table.has(corners[a], corners[b]);
        span(&points, &is_taken)
    } else if flat_mm <= FLAT_MM {
        cut_ears(&points, normal)
    } else {
        return hole;
    };
    let Some(parts) = parts else { return hole };
    let area = parts.iter().map(|part| triangle_area(part.map(|at| points[at]))).sum();
    hole.area_mm2 = Some(area);
    hole.fill = parts.iter().map(|part| part.map(|at| corners[at])).collect();
    let doubt_mm3 = area * flat_mm / 2.0;
    let is_clear = flat_mm <= FLAT_MM || doubt_mm3 <= DOUBT_PART * rim.volume_mm3;
    hole.kind = if area > SURFACE_PART * rim.area_mm2 {
        HoleKind::Large
    } else if count <= SMALL_EDGES && area <= SMALL_MM2 {
        HoleKind::Small
    } else if area <= MEDIUM_MM2 || (area <= FLAT_MM2 && is_clear) {
        HoleKind::Shown
    } else {
        HoleKind::Large
    };
    hole
}

/// The mean normal of a loop times the area that is seen against it: the same for every surface that spans it.
fn flux(points: &[Point3<f64>]) -> Vector3<f64> {
    let middle = points[0];
    let corners = points.iter().zip(points.iter().cycle().skip(1));
    corners.map(|(a, b)| (a - middle).cross(&(b - middle))).sum::<Vector3<f64>>() / 2.0
}

/// Whether most of the faces around a loop stand across its fill. The gap of a single face tells nothing.
fn is_end(mesh: &Mesh, points: &[Point3<f64>], faces: &[u32], normal: Vector3<f64>) -> bool {
    let (mut across, mut all) = (0.0, 0.0);
    for ((from, to), &face) in points.iter().zip(points.iter().cycle().skip(1)).zip(faces) {
        let [a, b, c] = mesh.corners(face as usize);
        let length = (to - from).norm();
        let Some(own) = (b - a).cross(&(c - a)).try_normalize(0.0) else { continue };
        all += length;
        across += if own.dot(&normal).abs() < ACROSS { length } else { 0.0 };
    }
    points.len() > 3 && across > all / 2.0
}

/// The triangles of the smallest surface over a loop; nothing if every one needs an edge that is taken.
fn span(points: &[Point3<f64>], is_taken: &impl Fn(usize, usize) -> bool) -> Option<Vec<[usize; 3]>> {
    let count = points.len();
    let mut cost = vec![0.0_f64; count * count];
    let mut apex = vec![0_usize; count * count];
    for gap in 2..count {
        for low in 0..count - gap {
            let high = low + gap;
            let (best, at) = cheapest(points, &cost, low, high);
            let is_rim = low == 0 && high == count - 1;
            cost[low * count + high] = if !is_rim && is_taken(low, high) { f64::INFINITY } else { best };
            apex[low * count + high] = at;
        }
    }
    cost[count - 1].is_finite().then(|| {
        let mut parts = Vec::with_capacity(count - 2);
        let mut open = vec![(0, count - 1)];
        while let Some((low, high)) = open.pop() {
            if high - low >= 2 {
                let at = apex[low * count + high];
                parts.push([low, at, high]);
                open.extend([(low, at), (at, high)]);
            }
        }
        parts
    })
}

fn cheapest(points: &[Point3<f64>], cost: &[f64], low: usize, high: usize) -> (f64, usize) {
    /// Prefers compact triangles among surfaces of the same area.
    const COMPACT: f64 = 1.0e-6;
    let count = points.len();
    let base = (points[high] - points[low]).norm_squared();
    (low + 1..high)
        .map(|at| {
            let sides =
                base + (points[at] - points[low]).norm_squared() + (points[high] - points[at]).norm_squared();
            let own = triangle_area([points[low], points[at], points[high]]) + COMPACT * sides;
            (cost[low * count + at] + cost[at * count + high] + own, at)
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap_or((f64::INFINITY, low + 1))
}

/// Cuts a long flat loop ear by ear; nothing if it crosses itself.
fn cut_ears(points: &[Point3<f64>], normal: Vector3<f64>) -> Option<Vec<[usize; 3]>> {
    let turn = |[a, b, c]: [usize; 3]| (points[b] - points[a]).cross(&(points[c] - points[a])).dot(&normal);
    let mut open: Vec<usize> = (0..points.len()).collect();
    let mut parts = Vec::with_capacity(points.len() - 2);
    let mut at = 0;
    let mut tried = 0;
    while open.len() > 3 {
        let count = open.len();
        if tried >= count {
            return None;
        }
        let ear = [open[at % count], open[(at + 1) % count], open[(at + 2) % count]];
        let [a, b, c] = ear;
        let is_hit = |&&other: &&usize| {
            !ear.contains(&other)
                && turn([a, b, other]) >= 0.0
                && turn([b, c, other]) >= 0.0
                && turn([c, a, other]) >= 0.0
        };
        if turn(ear) > 0.0 && open.iter().find(is_hit).is_none() {
            parts.push(ear);
            open.remove((at + 1) % count);
            tried = 0;
        } else {
            tried += 1;
        }
        at = (at + 1) % open.len();
    }
    parts.push([open[0], open[1], open[2]]);
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::check::tests::cube;

    /// A cube without the two triangles of its lowest quad.
    fn open_cube(side: f32) -> Mesh {
        let mut mesh = cube(Point3::new(0.0, 0.0, 0.0), side);
        mesh.triangles.drain(0..2);
        mesh
    }

    #[test]
    fn a_hole_is_judged_by_its_area_and_its_fill_closes_the_body() {
        for (side, kind) in [
            (0.9_f32, HoleKind::Small),
            (1.9, HoleKind::Shown),
            (4.9, HoleKind::Shown),
            (5.1, HoleKind::Large),
        ] {
            let mut mesh = open_cube(side);
            let holes = find(&mesh, &Topology::of(&mesh), &Pairing::of(&mesh));
            assert_eq!(holes.len(), 1);
            assert_eq!((holes[0].kind, holes[0].edges), (kind, 4), "{side}");
            let area = f64::from(side).powi(2);
            assert!((holes[0].area_mm2.unwrap() - area).abs() < 1e-5);

            let filled = fill(&mut mesh, &holes);

            assert_eq!(filled == 1, kind != HoleKind::Large);
            assert_eq!(Topology::of(&mesh).is_clean(), kind != HoleKind::Large);
            if filled == 1 {
                assert!((mesh.signed_volume() - f64::from(side).powi(3)).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn a_concave_loop_is_spanned_within_its_outline() {
        // An L of area 3.
        let outline = [[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [1.0, 1.0], [1.0, 2.0], [0.0, 2.0]];
        let points: Vec<Point3<f64>> = outline.iter().map(|[x, y]| Point3::new(*x, *y, 5.0)).collect();
        let area = |parts: &[[usize; 3]]| -> f64 {
            parts.iter().map(|part| triangle_area(part.map(|at| points[at]))).sum()
        };

        let exact = span(&points, &|_, _| false).unwrap();
        let cut = cut_ears(&points, flux(&points).normalize()).unwrap();

        assert_eq!((exact.len(), cut.len()), (4, 4));
        assert!((area(&exact) - 3.0).abs() < 1e-12 && (area(&cut) - 3.0).abs() < 1e-12);
    }
}
