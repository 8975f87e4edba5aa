//! What coarse layers say about a way to stand.

use nalgebra::{UnitQuaternion, Vector3};

use super::faces::Faces;
use super::grid::Grid;
use super::{Settings, SupportCost, ZoneMap};
use crate::mesh::Mesh;
use crate::plate_checks::{
    Base, IslandKind, IslandRule, PlateReport, PocketRule, Rules, Scene, Watch, WeakRule,
};
use crate::slice::LayerSource;

/// On cells of 0.1 mm: one cell aside still holds; 3 cells or a quarter of the area are enough to stand on (10
/// pixels of 50 um, UVtools' default); a lone cell is no weak island.
const ISLANDS: IslandRule = IslandRule {
    reach_px: 1,
    px_min: 1,
    weak: Some(WeakRule { overlap_px: 3, overlap_share: 0.25, px_min: 2 }),
};
/// Layers of two ways to stand are the same if their areas differ by less than this part. The second answer of a
/// symmetric part would teach nothing.
const SAME_LAYERS: f64 = 0.04;

/// One candidate, cut.
pub(super) struct Analysis {
    pub(super) rotation: UnitQuaternion<f64>,
    pub(super) amounts: Amounts,
    /// Area of each layer, mm².
    curve: Vec<f64>,
}

/// How much there is of everything that costs.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Amounts {
    pub(super) islands: u32,
    pub(super) weak_islands: u32,
    /// For each zone class, mm².
    pub(super) overhang_mm2: Vec<f64>,
    /// For each zone class, mm².
    pub(super) contact_mm2: Vec<f64>,
    pub(super) forbidden: u32,
    pub(super) cups: u32,
    pub(super) layer_mm2_max: f64,
    pub(super) height_mm: f64,
    pub(super) support_mm3: f64,
}

impl Analysis {
    /// Whether two candidates print the same layers, but for a turn or a mirror.
    pub(super) fn prints_like(&self, other: &Self) -> bool {
        let (long, short) = if self.curve.len() > other.curve.len() { (self, other) } else { (other, self) };
        let rest = std::iter::repeat(&0.0);
        let pairs = long.curve.iter().zip(short.curve.iter().chain(rest));
        let (off, all) = pairs.fold((0.0, 0.0), |(off, all), (a, b)| (off + (a - b).abs(), all + a.max(*b)));
        off <= SAME_LAYERS * all
    }
}

impl Amounts {
    /// Real supports in place of the estimate.
    pub(super) fn take(&mut self, real: &SupportCost) {
        if let Some([islands, weak_islands]) = real.islands {
            (self.islands, self.weak_islands) = (islands, weak_islands);
        }
        let contact = |zone: usize| real.contact_mm2.get(zone).copied().unwrap_or(0.0);
        self.contact_mm2 = (0..self.contact_mm2.len()).map(contact).collect();
        self.forbidden = real.refused;
        self.support_mm3 = real.volume_mm3;
    }
}

/// Cuts a candidate and counts.
pub(super) fn analyse(
    mesh: &Mesh,
    rotation: UnitQuaternion<f64>,
    faces: &Faces,
    zones: &ZoneMap,
    settings: &Settings,
) -> Analysis {
    let up = rotation.inverse() * Vector3::z();
    let overhang = faces.overhang(&up, settings.self_support_degrees);
    let mut amounts = Amounts {
        overhang_mm2: overhang.iter().map(|zone| zone.mm2).collect(),
        contact_mm2: vec![0.0; overhang.len()],
        ..Amounts::default()
    };
    let mut estimate = Estimate { settings, zones, tips: vec![0.0; overhang.len()], tip_heights_mm: 0.0 };
    let foot =
        mesh.vertices.iter().map(|vertex| vertex.coords.cast::<f64>().dot(&up)).fold(f64::INFINITY, f64::min);
    for (zone, hanging) in overhang.iter().enumerate() {
        estimate.overhang(zone, hanging.mm2, hanging.moment_mm3 - foot * hanging.mm2);
    }
    let grid = Grid::of(mesh, &rotation, &zones.of_face);
    let report = grid.as_ref().and_then(report);
    let curve = if let (Some(grid), Some(report)) = (&grid, &report) {
        amounts.count(grid, report, &mut estimate);
        report.area_curve.iter().map(|layer| layer.area_mm2).collect()
    } else {
        Vec::new()
    };
    estimate.settle(&mut amounts);
    Analysis { rotation, amounts, curve }
}

fn report(grid: &Grid) -> Option<PlateReport> {
    let rules =
        Rules { base: Base::Raised, islands: ISLANDS, pockets: PocketRule::UVTOOLS, ..Rules::GEOMETRY };
    let tops_mm = (1..=grid.layer_count()).map(|layer| f64::from(layer) * grid.cell_mm).collect();
    let scene = Scene { tops_mm, ..Scene::default() };
    Watch::new(grid, &scene, &rules).finish().ok()
}

impl Amounts {
    fn count(&mut self, grid: &Grid, report: &PlateReport, estimate: &mut Estimate<'_>) {
        self.islands = u32::try_from(report.counts.free_islands).unwrap_or(u32::MAX);
        self.weak_islands = u32::try_from(report.counts.weak_islands).unwrap_or(u32::MAX);
        self.cups = u32::try_from(report.counts.cups).unwrap_or(u32::MAX);
        self.layer_mm2_max = report.area_curve.iter().map(|layer| layer.area_mm2).fold(0.0, f64::max);
        self.height_mm = f64::from(grid.layer_count()) * grid.cell_mm;
        for island in &report.islands {
            let [column, row] = island.at_mm.map(|place| cell(place, grid.cell_mm));
            let Some(ends) = grid.zones_at(island.layer, column, row) else { continue };
            match island.kind {
                // A wide island is overhang already, a small one needs a tip of its own.
                IslandKind::Free | IslandKind::Weak => estimate.island(ends, island.z_mm),
            }
        }
    }
}

fn cell(place_mm: f64, cell_mm: f64) -> u32 {
    crate::mesh::cast::vertex(crate::mesh::cast::index(place_mm / cell_mm))
}

/// Guesses the supports before there are any.
struct Estimate<'a> {
    settings: &'a Settings,
    zones: &'a ZoneMap,
    /// For each zone class.
    tips: Vec<f64>,
    /// Sum of the heights of all tips above the part's lowest point.
    tip_heights_mm: f64,
}

impl Estimate<'_> {
    fn overhang(&mut self, zone: usize, mm2: f64, moment_mm3: f64) {
        self.tips[zone] += mm2 / self.settings.mm2_per_tip;
        self.tip_heights_mm += moment_mm3 / self.settings.mm2_per_tip;
    }

    /// A tip holds an island at the end where it costs less.
    fn island(&mut self, ends: [u8; 2], z_mm: f64) {
        let cost = |zone: &u8| {
            let class = self.zones.class(*zone);
            (class.is_forbidden, class.weight)
        };
        let [one, two] = ends;
        let zone = if cost(&two) < cost(&one) { two } else { one };
        self.tips[usize::from(zone)] += 1.0;
        self.tip_heights_mm += z_mm;
    }

    fn settle(&self, amounts: &mut Amounts) {
        let circle = |diameter_mm: f64| std::f64::consts::PI * diameter_mm * diameter_mm / 4.0;
        let tip_mm2 = circle(self.settings.tip_diameter_mm);
        for (zone, tips) in self.tips.iter().enumerate() {
            amounts.contact_mm2[zone] = tips * tip_mm2;
            if self.zones.classes[zone].is_forbidden {
                // Less than the share of one tip can do without it.
                amounts.forbidden += crate::mesh::cast::vertex(crate::mesh::cast::index(*tips));
            }
        }
        let lifted = self.tip_heights_mm + self.tips.iter().sum::<f64>() * self.settings.lift_mm;
        amounts.support_mm3 = lifted.max(0.0) * circle(self.settings.pillar_diameter_mm);
    }
}
