//! The plan of one layer: every strand with the wax that it takes.

use super::plane::{
    Region, Shape, contour_mm2, grown, length_mm, outline_mm, region_mm2, shape_mm2, shared, simplified,
    without,
};
use super::section::Section;
use super::support::{islands, unheld};
use super::walls::{Laid, concentric, lay};
use super::{Around, Kind, Pattern, Planner, Rules, Way, fill, noticed, place_mm, strand};
use crate::finding::Finding;

/// One layer, ready to be walked.
#[derive(Debug, Clone)]
pub struct LayerPlan {
    /// Counted from 0.
    pub index: u32,
    /// Height of the nozzle: upper side of the layer, mm.
    pub top_mm: f64,
    /// Thickness, mm.
    pub thick_mm: f64,
    /// Volume of the section, mm³.
    pub section_mm3: f64,
    /// What a person should know.
    pub findings: Vec<Finding>,
    /// Skirt and brim, supports, islands.
    pub(super) groups: Vec<Group>,
    /// The section.
    pub(super) outlines: Region,
    /// Ways between supports that are shorter than this need no drawing back, mm.
    pub(super) hop_mm: f64,
}

/// Strands that are laid together.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    /// Each list is laid completely before the next.
    pub(super) ranks: Vec<Vec<Way>>,
    /// Whether it is a piece of the part.
    pub(super) is_island: bool,
    /// Where the nozzle may travel without leaving the piece.
    pub(super) inside: Shape,
}

/// Plans a layer.
pub(super) fn plan(planner: &Planner<'_>, index: u32, section: &Section, around: &Around<'_>) -> LayerPlan {
    let rules = planner.rules;
    let heights = &planner.plate.settings().heights;
    let top_mm = heights.top(index).to_millimeters().0;
    let thick_mm = heights.thickness(index).to_millimeters().0;
    let mut findings = Vec::new();
    if section.open > 0 {
        let text = format!(
            "{} outlines of this layer don't close and were closed by a straight line; repair the mesh",
            section.open
        );
        findings.push(noticed("WAX_OPEN_OUTLINE", index, place_mm(&section.region, top_mm), text));
    }
    if let (None, Some(under)) = (rules.support, around.under) {
        findings.extend(islands(section, under).iter().map(|island| unheld(planner.plate, index, island)));
    }
    let mut groups: Vec<Group> = around_the_plate(planner, index, section, thick_mm).into_iter().collect();
    groups.extend(supports(planner, index, thick_mm));
    let shown_mm2 = region_mm2(&section.region);
    let exact = if shown_mm2 > 0.0 { section.area_mm2 / shown_mm2 } else { 1.0 };
    let seen = seen(around);
    for island in &section.region {
        let island_mm2 = shape_mm2(island) * exact;
        let mut laid = lay(island, rules);
        for (shape, wide_mm) in std::mem::take(&mut laid.too_thin) {
            let text = format!(
                "a feature {wide_mm:.2} mm wide is thinner than the narrowest strand, {:.2} mm, and may come out broken; \
                 make it thicker or print it in resin",
                rules.strand_mm_min
            );
            findings.push(noticed("WAX_THIN", index, place_mm(&vec![shape], top_mm), text));
        }
        let filled = filled(&mut laid, rules, index, seen.as_ref());
        laid.stretch_thin(exact);
        groups.push(pressed(laid, filled, island, island_mm2, thick_mm, rules));
    }
    LayerPlan {
        index,
        top_mm,
        thick_mm,
        section_mm3: section.area_mm2 * thick_mm,
        findings,
        groups,
        outlines: section.region.clone(),
        hop_mm: rules.hop_mm,
    }
}

/// What is covered above and below through all layers that count; `None` if the filling is solid everywhere.
fn seen(around: &Around<'_>) -> Option<Region> {
    let mut all = around.below.iter().chain(around.above);
    if around.is_bottom || around.is_top {
        return Some(Region::new());
    }
    let first = all.next()?.region.clone();
    Some(all.fold(first, |hidden, section| shared(&hidden, &section.region)))
}

/// The filling of an island: ways whose flow is a width (mm), and the area that they stand for, mm².
#[derive(Default)]
struct Filled {
    ways: Vec<Way>,
    mm2: f64,
}

/// Fills what the walls leave. `hidden` is the area that is neither seen from above nor from below.
fn filled(laid: &mut Laid, rules: &Rules, index: u32, hidden: Option<&Region>) -> Filled {
    if laid.inside.is_empty() {
        return Filled::default();
    }
    let share = rules.filling.percent / 100.0;
    let hidden = hidden.filter(|_| share < 1.0);
    match rules.filling.pattern {
        Pattern::Concentric => {
            let inside = std::mem::take(&mut laid.inside);
            let (open, solid) = split(&inside, hidden);
            let mut filled = Filled { ways: Vec::new(), mm2: 0.0 };
            filled.rings(laid, concentric(solid, rules, Kind::Solid, rules.strand_mm), 1.0);
            if share > 0.0 {
                filled.rings(laid, concentric(open, rules, Kind::Infill, rules.strand_mm / share), share);
            }
            filled
        }
        Pattern::Rectilinear => {
            if rules.walls > 0 {
                laid.gaps(rules, rules.strand_mm / 2.0);
            }
            let kernel = std::mem::take(&mut laid.inside);
            let full = grown(&kernel, rules.strand_mm / 2.0);
            let ((open, solid), (open_full, solid_full)) = (split(&kernel, hidden), split(&full, hidden));
            let mut filled = Filled::default();
            let across = if index.is_multiple_of(2) { 0.0 } else { 90.0 };
            let degrees = rules.filling.degrees + across;
            filled.rows(&solid, region_mm2(&solid_full), rules, degrees, Kind::Solid, 1.0);
            if share > 0.0 {
                filled.rows(&open, region_mm2(&open_full), rules, degrees, Kind::Infill, share);
            }
            filled
        }
    }
}

/// What is hidden and what is seen of a region; all is seen if nothing is known to be hidden.
fn split(region: &Region, hidden: Option<&Region>) -> (Region, Region) {
    match hidden {
        None => (Region::new(), region.clone()),
        Some(hidden) => (shared(region, hidden), without(region, hidden)),
    }
}

impl Filled {
    /// Straight strands; `mm2` is the area of all shapes with the half strand around them.
    fn rows(&mut self, shapes: &[Shape], mm2: f64, rules: &Rules, degrees: f64, kind: Kind, share: f64) {
        let half_mm = rules.strand_mm / 2.0;
        // The half strand around a shape: its outline times the half, and the corners.
        let weigh = |shape: &Shape| {
            let round: f64 = shape.iter().map(|contour| contour_mm2(contour).signum()).sum();
            (shape_mm2(shape)
                + outline_mm(shape) * half_mm
                + std::f64::consts::PI * half_mm * half_mm * round)
                .max(0.0)
        };
        let all: f64 = shapes.iter().map(weigh).sum();
        if all <= 0.0 {
            return;
        }
        self.mm2 += mm2;
        for shape in shapes {
            let shape_mm2 = mm2 * share * weigh(shape) / all;
            let mut lines = fill::lines(shape, rules.strand_mm / share, degrees);
            if lines.is_empty() && share >= 1.0 {
                let wide = grown(std::slice::from_ref(shape), half_mm);
                lines = wide
                    .iter()
                    .flat_map(|shape| strand::strands(shape, rules.strand_mm, rules.tolerance_mm))
                    .map(|mut strand| {
                        if strand.is_closed {
                            strand.points.extend(strand.points.first().copied());
                        }
                        strand.points
                    })
                    .collect();
            }
            let long_mm: f64 = lines.iter().map(|line| length_mm(line, false)).sum();
            if long_mm > 0.0 {
                let flow = shape_mm2 / long_mm;
                let way = |points| Way { kind, points, is_closed: false, flow: vec![flow] };
                self.ways.extend(lines.into_iter().map(way));
            }
        }
    }

    /// Rings, and the single strands between them.
    fn rings(&mut self, laid: &mut Laid, rings: Laid, share: f64) {
        let mm2: f64 = rings.walls.iter().map(|way| length_mm(&way.points, true) * way.flow[0]).sum();
        self.mm2 += mm2 / share;
        self.ways.extend(rings.walls);
        laid.thin.extend(rings.thin);
        laid.thin_mm2 += rings.thin_mm2;
    }
}

/// Turns widths into cross-sections such that the wax of the island is its area times the thickness.
fn pressed(
    mut laid: Laid,
    mut filled: Filled,
    island: &Shape,
    island_mm2: f64,
    thick_mm: f64,
    rules: &Rules,
) -> Group {
    let walls_mm2: f64 = laid.walls.iter().map(|way| length_mm(&way.points, true) * way.flow[0]).sum();
    let bulk_mm2 = walls_mm2 + filled.mm2;
    let factor = if bulk_mm2 > 0.0 { ((island_mm2 - laid.thin_mm2) / bulk_mm2).max(0.0) } else { 1.0 };
    for flow in laid.walls.iter_mut().chain(&mut filled.ways).flat_map(|way| &mut way.flow) {
        *flow *= factor * thick_mm;
    }
    for flow in laid.thin.iter_mut().flat_map(|way| &mut way.flow) {
        *flow *= thick_mm;
    }
    let (outer, inner): (Vec<Way>, Vec<Way>) =
        laid.walls.into_iter().partition(|way| way.kind == Kind::OuterWall);
    let inside: Shape =
        grown(std::slice::from_ref(island), -rules.strand_mm / 4.0).into_iter().flatten().collect();
    Group { ranks: vec![inner, outer, laid.thin, filled.ways], is_island: true, inside }
}

/// Brim and skirt of the first layer.
fn around_the_plate(planner: &Planner<'_>, index: u32, section: &Section, thick_mm: f64) -> Option<Group> {
    let rules = planner.rules;
    if index > 0 {
        return None;
    }
    let strand_mm = rules.strand_mm;
    let mut ground = section.region.clone();
    ground.extend(planner.supports.first_layer());
    let loops = |from: &Region, first_mm: f64, count: u32, kind: Kind| {
        let mut ways = Vec::new();
        for i in (0..count).rev() {
            let at = grown(from, first_mm + f64::from(i) * strand_mm);
            // Holes stay free: what lies in them could not be taken out.
            for outline in at.iter().filter_map(|shape| shape.first()) {
                let points = simplified(outline, true, rules.tolerance_mm);
                ways.push(Way { kind, points, is_closed: true, flow: vec![strand_mm * thick_mm] });
            }
        }
        ways
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a brim has few loops; saturates"
    )]
    let brims = (rules.brim_mm / strand_mm).round().max(0.0) as u32;
    let ground = grown(&ground, 0.0);
    let brim = loops(&ground, strand_mm / 2.0, brims, Kind::Brim);
    let reach_mm = f64::from(brims) * strand_mm + rules.skirt_gap_mm;
    let skirt = loops(&ground, reach_mm + strand_mm / 2.0, rules.skirt_loops, Kind::Skirt);
    Some(Group { ranks: vec![skirt, brim], is_island: false, inside: Shape::new() })
}

/// The supports of a layer.
fn supports(planner: &Planner<'_>, index: u32, thick_mm: f64) -> Option<Group> {
    let mut ways = planner.supports.ways(index, planner.rules);
    for flow in ways.iter_mut().flat_map(|way| &mut way.flow) {
        *flow *= thick_mm;
    }
    (!ways.is_empty()).then(|| Group { ranks: vec![ways], is_island: false, inside: Shape::new() })
}
