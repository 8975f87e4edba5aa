//! Walls along the outline of an island, thin features as single strands, and what is left inside.

use super::plane::{Contour, Region, Shape, grown, outline_mm, shape_mm2, simplified, without};
use super::strand::{Strand, strands};
use super::{Kind, Rules, Way};

/// Remains that are narrower on average than this share of the narrowest strand are corners and rounding, not
/// features: their area goes to the strands beside them.
const SLIVER_SHARE: f64 = 0.25;

/// Gaps between walls are laid only if a strand fits at least by half; the rest goes to the strands beside them.
const GAP_SHARE: f64 = 0.5;

/// A strand may be pressed out this much thinner or thicker than its middle says, where a wall lies beside it that
/// can take the difference.
const SCALE: [f64; 2] = [0.5, 2.0];

/// An island in strands. The flow of a way is its width (mm) until the layer is known.
#[derive(Debug, Default)]
pub(super) struct Laid {
    /// Outermost first.
    pub(super) walls: Vec<Way>,
    /// Single strands.
    pub(super) thin: Vec<Way>,
    /// Area of the single strands, mm².
    pub(super) thin_mm2: f64,
    /// What remains to be filled.
    pub(super) inside: Region,
    /// Features thinner than the narrowest strand, with their mean width, mm.
    pub(super) too_thin: Vec<(Shape, f64)>,
}

/// Lays the walls of one island.
pub(super) fn lay(island: &[Contour], rules: &Rules) -> Laid {
    let mut laid = Laid { inside: vec![island.to_vec()], ..Laid::default() };
    for depth in 0..rules.walls {
        if laid.inside.is_empty() {
            break;
        }
        let kind = if depth == 0 { Kind::OuterWall } else { Kind::InnerWall };
        laid.ring(rules, kind, rules.strand_mm);
    }
    if rules.walls == 0 {
        laid.gaps(rules, rules.strand_mm / 2.0);
    }
    laid
}

/// Fills what is inside with rings, further and further in, until nothing is left.
pub(super) fn concentric(inside: Region, rules: &Rules, kind: Kind, spacing_mm: f64) -> Laid {
    let mut laid = Laid { inside, ..Laid::default() };
    while !laid.inside.is_empty() {
        laid.ring(rules, kind, spacing_mm);
    }
    laid
}

impl Laid {
    /// One strand along every outline of what is inside, and single strands where two don't fit side by side.
    fn ring(&mut self, rules: &Rules, kind: Kind, spacing_mm: f64) {
        let strand_mm = rules.strand_mm;
        let core = self.simple(grown(&self.inside, -spacing_mm), rules);
        let (centre, full) = (grown(&core, spacing_mm - strand_mm / 2.0), grown(&core, spacing_mm));
        let rest = without(&self.inside, &full);
        self.thin_parts(&rest, rules, kind, core.is_empty());
        for contour in centre.into_iter().flatten() {
            let points = simplified(&contour, true, rules.tolerance_mm);
            if points.len() > 2 {
                self.walls.push(Way { kind, points, is_closed: true, flow: vec![strand_mm] });
            }
        }
        self.inside = core;
    }

    /// Takes what is narrower than twice `half_mm` out of the inside and lays it as single strands.
    pub(super) fn gaps(&mut self, rules: &Rules, half_mm: f64) {
        let kernel = self.simple(grown(&self.inside, -half_mm), rules);
        let full = grown(&kernel, half_mm);
        let rest = without(&self.inside, &full);
        let kind = if self.walls.is_empty() { Kind::OuterWall } else { Kind::InnerWall };
        self.thin_parts(&rest, rules, kind, kernel.is_empty());
        self.inside = kernel;
    }

    /// Makes all single strands wider by a factor.
    pub(super) fn stretch_thin(&mut self, factor: f64) {
        self.thin.iter_mut().flat_map(|way| &mut way.flow).for_each(|flow| *flow *= factor);
        self.thin_mm2 *= factor;
    }

    fn simple(&self, mut region: Region, rules: &Rules) -> Region {
        // A tenth of what a way may be off: an offset of many steps must not add up.
        for contour in region.iter_mut().flatten() {
            *contour = simplified(contour, true, rules.tolerance_mm / 10.0);
        }
        region
    }

    fn thin_parts(&mut self, rest: &[Shape], rules: &Rules, kind: Kind, is_alone: bool) {
        let is_outer = kind == Kind::OuterWall;
        for part in rest {
            let (mm2, round_mm) = (shape_mm2(part), outline_mm(part));
            let wide_mm = if round_mm > 0.0 { 2.0 * mm2 / round_mm } else { 0.0 };
            let narrowest_mm = rules.strand_mm_min;
            let is_whole_island = is_outer && is_alone;
            let least = if is_outer { SLIVER_SHARE } else { GAP_SHARE } * narrowest_mm;
            let is_feature = wide_mm >= least && mm2 >= least * narrowest_mm;
            if !is_whole_island && !is_feature {
                continue;
            }
            if is_outer && wide_mm < narrowest_mm {
                self.too_thin.push((part.clone(), wide_mm));
            }
            self.thin_part(part, mm2, rules, is_whole_island);
        }
    }

    fn thin_part(&mut self, part: &[Contour], mm2: f64, rules: &Rules, is_whole_island: bool) {
        let mut lines = strands(part, rules.strand_mm, rules.tolerance_mm);
        // A line that is pointed at an end still gets wax there.
        let least_mm = SLIVER_SHARE * rules.strand_mm_min;
        for width_mm in lines.iter_mut().flat_map(|line| &mut line.widths_mm) {
            *width_mm = width_mm.max(least_mm);
        }
        let covered_mm2: f64 = lines.iter().map(Strand::mm2).sum();
        if covered_mm2 <= 0.0 {
            return;
        }
        let scale = mm2 / covered_mm2;
        let scale = if is_whole_island { scale } else { scale.clamp(SCALE[0], SCALE[1]) };
        for line in lines {
            let flow: Vec<f64> = line.pieces().map(|(_, width_mm)| width_mm * scale).collect();
            self.thin_mm2 += line.mm2() * scale;
            self.thin.push(Way { kind: Kind::Thin, points: line.points, is_closed: line.is_closed, flow });
        }
    }
}
