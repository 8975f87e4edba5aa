//! Connected groups of suspect cubes, and what they hang on.

use nalgebra::Point3;

use super::voxels::Voxels;
use crate::mesh::Bounds;

/// Groups of fewer cubes are noise of the grid.
const CUBES_MIN: usize = 8;

/// Suspect places and which cube belongs to which.
#[derive(Debug)]
pub(super) struct Components {
    pub(super) places: Vec<Component>,
    /// Runs of suspect cubes with their place; sorted by row and first cube.
    runs: Vec<Run>,
    starts: Vec<usize>,
}

/// One connected group.
#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) volume_mm3: f64,
    pub(super) bounds: Bounds,
    /// How many separate places of the rest it hangs on.
    pub(super) necks: usize,
    /// One of its cubes.
    pub(super) cube: [usize; 3],
}

impl Component {
    pub(super) fn longest_mm(&self) -> f64 {
        self.bounds.size().max()
    }
}

#[derive(Debug, Clone, Copy)]
struct Run {
    row: usize,
    first: usize,
    end: usize,
    /// Index of the place, or none for noise.
    place: Option<usize>,
}

impl Components {
    /// The place that a cube belongs to.
    pub(super) fn place_at(&self, voxels: &Voxels, [x, y, z]: [usize; 3]) -> Option<usize> {
        let row = y + z * voxels.size[1];
        let runs = &self.runs[self.starts[row]..self.starts[row + 1]];
        runs.iter().find(|run| run.first <= x && x < run.end)?.place
    }
}

/// Groups suspect cubes that touch by a face, an edge or a corner.
pub(super) fn of(voxels: &Voxels, is_suspect: impl Fn(usize) -> bool) -> Components {
    let (mut runs, starts) = runs_of(voxels, &is_suspect);
    let groups = group(voxels, &runs, &starts);
    let mut cubes = vec![0; runs.len()];
    for (run, &group) in runs.iter().zip(&groups) {
        cubes[group] += run.end - run.first;
    }
    let mut places: Vec<Component> = Vec::new();
    let mut place_of: Vec<Option<usize>> = vec![None; runs.len()];
    let cube_mm3 = voxels.edge_mm.powi(3);
    for (run, &group) in runs.iter_mut().zip(&groups) {
        if cubes[group] < CUBES_MIN {
            continue;
        }
        let around = around(voxels, run);
        let index = *place_of[group].get_or_insert_with(|| {
            let cube = [run.first, run.row % voxels.size[1], run.row / voxels.size[1]];
            places.push(Component { volume_mm3: 0.0, bounds: around, necks: 0, cube });
            places.len() - 1
        });
        run.place = Some(index);
        places[index].volume_mm3 += cube_mm3 * (run.end - run.first) as f64;
        places[index].bounds = places[index].bounds.with(around.min).with(around.max);
    }
    let mut found = Components { places, runs, starts };
    count_necks(voxels, &mut found, is_suspect);
    found
}

fn around(voxels: &Voxels, run: &Run) -> Bounds {
    let (y, z) = (run.row % voxels.size[1], run.row / voxels.size[1]);
    let half = nalgebra::Vector3::repeat(voxels.edge_mm / 2.0);
    let low: Point3<f64> = voxels.center([run.first, y, z]) - half;
    Bounds { min: low, max: voxels.center([run.end - 1, y, z]) + half }
}

/// The inside cubes that are wanted, as runs, and where each row of them starts.
fn runs_of(voxels: &Voxels, is_wanted: impl Fn(usize) -> bool) -> (Vec<Run>, Vec<usize>) {
    let (mut runs, mut starts): (Vec<Run>, _) = (Vec::new(), Vec::with_capacity(voxels.rows() + 1));
    for row in 0..voxels.rows() {
        starts.push(runs.len());
        let start = runs.len();
        for &[first, end] in voxels.row(row) {
            for x in (first..end).filter(|x| is_wanted(row * voxels.size[0] + x)) {
                match runs[start..].last_mut() {
                    Some(run) if run.end == x => run.end += 1,
                    Some(_) | None => runs.push(Run { row, first: x, end: x + 1, place: None }),
                }
            }
        }
    }
    starts.push(runs.len());
    (runs, starts)
}

/// For each run the index of the first run of its group.
fn group(voxels: &Voxels, runs: &[Run], starts: &[usize]) -> Vec<usize> {
    let ny = voxels.size[1];
    let mut parent: Vec<usize> = (0..runs.len()).collect();
    for (index, run) in runs.iter().enumerate() {
        let (y, z) = (run.row % ny, run.row / ny);
        let before = [(-1, 0), (-1, -1), (0, -1), (1, -1)];
        for (dy, dz) in before {
            let Some(row) = neighbour(voxels, y, z, dy, dz) else { continue };
            for (other, near) in (starts[row]..).zip(&runs[starts[row]..starts[row + 1]]) {
                if near.first <= run.end && run.first <= near.end {
                    join(&mut parent, index, other);
                }
            }
        }
        let is_next = starts[run.row] < index && runs[index - 1].end == run.first;
        if is_next {
            join(&mut parent, index, index - 1);
        }
    }
    (0..runs.len()).map(|index| root(&mut parent, index)).collect()
}

fn neighbour(voxels: &Voxels, y: usize, z: usize, dy: isize, dz: isize) -> Option<usize> {
    let (y, z) = (y.checked_add_signed(dy)?, z.checked_add_signed(dz)?);
    (y < voxels.size[1] && z < voxels.size[2]).then(|| y + z * voxels.size[1])
}

fn join(parent: &mut [usize], one: usize, two: usize) {
    let (one, two) = (root(parent, one), root(parent, two));
    parent[one.max(two)] = one.min(two);
}

fn root(parent: &mut [usize], mut index: usize) -> usize {
    while parent[index] != index {
        parent[index] = parent[parent[index]];
        index = parent[index];
    }
    index
}

/// Counts for each place the connected groups of sound cubes that touch it.
fn count_necks(voxels: &Voxels, found: &mut Components, is_suspect: impl Fn(usize) -> bool) {
    let (width, ny) = (voxels.size[0], voxels.size[1]);
    let mut touched: Vec<Vec<usize>> = vec![Vec::new(); found.places.len()];
    for run in &found.runs {
        let Some(place) = run.place else { continue };
        let (y, z) = (run.row % ny, run.row / ny);
        for (dy, dz) in (-1..=1).flat_map(|dy| (-1..=1).map(move |dz| (dy, dz))) {
            let Some(row) = neighbour(voxels, y, z, dy, dz) else { continue };
            let reach = (run.first.saturating_sub(1), run.end + 1);
            for &[first, end] in voxels.row(row) {
                let cubes = first.max(reach.0)..end.min(reach.1);
                touched[place].extend(cubes.map(|x| row * width + x).filter(|&cube| !is_suspect(cube)));
            }
        }
    }
    for (place, mut cubes) in found.places.iter_mut().zip(touched) {
        cubes.sort_unstable();
        cubes.dedup();
        place.necks = count_groups(voxels, &cubes);
    }
}

/// How many groups sorted cubes form that lie within two of each other.
fn count_groups(voxels: &Voxels, cubes: &[usize]) -> usize {
    let (width, ny) = (voxels.size[0], voxels.size[1]);
    let mut parent: Vec<usize> = (0..cubes.len()).collect();
    for (index, &cube) in cubes.iter().enumerate() {
        let (x, row) = (cube % width, cube / width);
        let (y, z) = (row % ny, row / ny);
        for (dy, dz) in (-2..=2).flat_map(|dy| (-2..=0).map(move |dz| (dy, dz))) {
            let Some(row) = neighbour(voxels, y, z, dy, dz) else { continue };
            let from = row * width + x.saturating_sub(2);
            let start = cubes.partition_point(|&other| other < from);
            let near = cubes[start..].iter().take_while(|&&other| other <= row * width + x + 2);
            for other in start..start + near.count() {
                join(&mut parent, index, other);
            }
        }
    }
    (0..cubes.len()).filter(|&index| root(&mut parent, index) == index).count()
}
