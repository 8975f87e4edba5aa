//! Supports: what hangs in the air is carried down to the plate, or to a face of the part that is below.
//!
//! From the top down, each layer hands the area that must be held to the layer below it, less what the part takes
//! up there with a free side; the topmost layers lie closer. An island (a piece of a layer that touches nothing of
//! the layer below) gets a column that can stand, however small it is. Between support and part stays a gap, so that
//! the support breaks away.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use super::plane::{
    Contour, Region, Shape, bounds, grown, region_mm2, shape_mm2, shared, touches, united, without,
};
use super::section::Section;
use super::{Kind, Rules, Support, Way, fill, noticed, place_mm, plane, sections, strand};
use crate::finding::Finding;
use crate::slice::{LayerSource, Plate, usize_of};

/// Layers whose sections are held at once, for each core.
const LAYERS_PER_CORE: u32 = 16;

/// Where supports are laid.
#[derive(Debug, Default)]
pub(super) struct Supports {
    layers: BTreeMap<u32, Held>,
}

/// The supports of one layer.
#[derive(Debug, Default)]
struct Held {
    /// Widely spaced strands.
    body: Region,
    /// Close strands, directly below the part.
    interface: Region,
}

/// What a layer asks of those below it.
struct Overhang {
    /// All that must be held, already as wide as a column must be.
    contact: Region,
    /// Pieces that touch nothing of the layer below.
    islands: Region,
}

/// Finds what must be held, from the top down. `None` if the caller asked to stop.
pub(super) fn plan(
    plate: &Plate<'_>,
    rules: &Rules,
    cancel: &AtomicBool,
) -> Option<(Supports, Vec<Finding>)> {
    let Some(support) = rules.support else { return Some((Supports::default(), Vec::new())) };
    let mut sweep = Sweep::new(plate, rules, support);
    let batch = u32::try_from(rayon::current_num_threads()).unwrap_or(1).saturating_mul(LAYERS_PER_CORE);
    let mut high = plate.layer_count();
    while high > 0 {
        let low = high.saturating_sub(batch);
        let first = low.saturating_sub(sweep.gap_layers.max(1));
        let cut = sections(plate, rules, first..high, cancel)?;
        let overhang = |index: u32| {
            let at = usize_of(index - first);
            let under = at.checked_sub(1).map(|under| &cut[under]);
            overhang(plate, rules, support, index, &cut[at], under)
        };
        let overhangs: Vec<Overhang> = (low..high).into_par_iter().map(overhang).collect();
        for (index, overhang) in (low..high).zip(overhangs).rev() {
            sweep.step(index, &cut[..=usize_of(index - first)], overhang);
        }
        high = low;
    }
    Some((sweep.supports, sweep.findings))
}

/// The pieces of a layer that touch nothing of the layer below.
pub(super) fn islands(section: &Section, under: &Section) -> Region {
    section.region.iter().filter(|shape| !touches(shape, &under.region)).cloned().collect()
}

/// A finding about a piece that nothing holds.
pub(super) fn unheld(plate: &Plate<'_>, index: u32, island: &Shape) -> Finding {
    let z_mm = plate.settings().heights.bottom(index).to_millimeters().0;
    let text = format!(
        "a piece of {:.3} mm² begins here in the air and nothing holds it; turn the part or let supports be laid",
        shape_mm2(island)
    );
    noticed("WAX_ISLAND", index, place_mm(&vec![island.clone()], z_mm), text)
}

fn overhang(
    plate: &Plate<'_>,
    rules: &Rules,
    support: Support,
    index: u32,
    section: &Section,
    under: Option<&Section>,
) -> Overhang {
    let Some(under) = under else { return Overhang { contact: Region::new(), islands: Region::new() } };
    let thick_mm = plate.settings().heights.thickness(index).to_millimeters().0;
    let reach_mm = thick_mm * support.degrees_max.to_radians().tan();
    let islands = islands(section, under);
    let mut hanging = without(&section.region, &grown(&under.region, reach_mm));
    // A speck beside the layer below is held by the strand that it is part of.
    let speck_mm2 = rules.strand_mm_min * rules.strand_mm_min / 4.0;
    hanging.retain(|shape| shape_mm2(shape) >= speck_mm2);
    let mut contact = grown(&hanging, rules.strand_mm);
    for island in &islands {
        contact = united(&contact, &column(island, support.column_mm));
    }
    Overhang { contact, islands }
}

/// An area around an island that is as wide as a column must be.
fn column(island: &Shape, column_mm: f64) -> Region {
    let Some((low, high)) = bounds(island) else { return Region::new() };
    let ([left, front], [right, back]) = (plane::mm(low), plane::mm(high));
    let missing_mm = column_mm - (right - left).min(back - front);
    grown(std::slice::from_ref(island), (missing_mm / 2.0).max(0.0))
}

/// The way down.
struct Sweep<'a> {
    plate: &'a Plate<'a>,
    support: Support,
    gap_layers: u32,
    /// What must be held, seen from the layer that comes next.
    carried: Region,
    /// Contacts of the layers above, the nearest last: their layer, area and islands.
    waiting: VecDeque<(u32, Overhang)>,
    /// Contacts that were reached, for the interface: the layer where their supports begin, and their area.
    reached: VecDeque<(u32, Region)>,
    supports: Supports,
    findings: Vec<Finding>,
}

impl<'a> Sweep<'a> {
    fn new(plate: &'a Plate<'a>, _rules: &Rules, support: Support) -> Self {
        let thick_mm = plate.settings().heights.nominal().to_millimeters().0;
        // The nearest whole number of layers, at least one: with none the support would melt to the part.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few layers; saturates"
        )]
        let gap_layers = (support.gap_mm / thick_mm).round().max(1.0) as u32;
        Self {
            plate,
            support,
            gap_layers,
            carried: Region::new(),
            waiting: VecDeque::new(),
            reached: VecDeque::new(),
            supports: Supports::default(),
            findings: Vec::new(),
        }
    }

    /// One layer down. `cut` ends with the section of this layer.
    fn step(&mut self, index: u32, cut: &[Section], overhang: Overhang) {
        let Some((here, below)) = cut.split_last() else { return };
        let due = |layer: u32| layer.saturating_sub(1 + self.gap_layers) >= index;
        let split = self.waiting.iter().take_while(|(layer, _)| due(*layer)).count();
        let arrived: Vec<(u32, Overhang)> = self.waiting.drain(..split).collect();
        for (_, contact) in &arrived {
            self.carried = united(&self.carried, &contact.contact);
            self.reached.push_back((index, contact.contact.clone()));
        }
        self.reached.retain(|(from, _)| *from < index + self.support.interface_layers);
        if !overhang.contact.is_empty() {
            self.waiting.push_back((index, overhang));
        }
        if self.carried.is_empty() {
            return;
        }
        self.carried = without(&self.carried, &grown(&here.region, self.support.side_gap_mm));
        let mut laid = self.carried.clone();
        for section in below.iter().rev().take(usize_of(self.gap_layers)) {
            laid = without(&laid, &section.region);
        }
        for (layer, contact) in &arrived {
            self.notice_unheld(*layer, contact, &laid, here);
        }
        self.keep(index, laid);
    }

    /// An island that has neither a support nor the part itself close below it.
    fn notice_unheld(&mut self, layer: u32, contact: &Overhang, laid: &Region, here: &Section) {
        for island in &contact.islands {
            if !touches(island, laid) && !touches(island, &here.region) {
                self.findings.push(unheld(self.plate, layer, island));
            }
        }
    }

    fn keep(&mut self, index: u32, laid: Region) {
        if laid.is_empty() {
            return;
        }
        let close = self.reached.iter().fold(Region::new(), |all, (_, contact)| united(&all, contact));
        let interface = shared(&laid, &close);
        let body = without(&laid, &interface);
        self.supports.layers.insert(index, Held { body, interface });
    }
}

impl Supports {
    /// What stands on the plate.
    pub(super) fn first_layer(&self) -> Region {
        let held = self.layers.get(&0);
        held.map(|held| united(&held.body, &held.interface)).unwrap_or_default()
    }

    /// The strands of a layer. The flow of a way is its width (mm) until the thickness is known.
    pub(super) fn ways(&self, index: u32, rules: &Rules) -> Vec<Way> {
        let (Some(held), Some(support)) = (self.layers.get(&index), rules.support) else { return Vec::new() };
        let mut ways = Vec::new();
        strands_of(&held.body, support.spacing_mm, 0.0, rules, &mut ways);
        strands_of(&held.interface, rules.strand_mm + support.interface_gap_mm, 90.0, rules, &mut ways);
        ways
    }
}

/// An outline and lines within: alone they would topple. What is too narrow for that is one strand.
fn strands_of(region: &Region, spacing_mm: f64, degrees: f64, rules: &Rules, ways: &mut Vec<Way>) {
    let strand_mm = rules.strand_mm;
    let way = |points: Vec<plane::Point>, is_closed: bool| Way {
        kind: Kind::Support,
        points,
        is_closed,
        flow: vec![strand_mm],
    };
    let is_line = |points: &Vec<plane::Point>| points.len() > 1;
    for shape in region {
        let rings = grown(std::slice::from_ref(shape), -strand_mm / 2.0);
        if rings.is_empty() {
            if region_mm2(std::slice::from_ref(shape)) >= rules.strand_mm_min * rules.strand_mm_min {
                let lines = strand::strands(shape, strand_mm, rules.tolerance_mm);
                ways.extend(lines.into_iter().map(|line| {
                    let flow = line.pieces().map(|(_, width_mm)| width_mm.min(strand_mm)).collect();
                    Way { flow, ..way(line.points, line.is_closed) }
                }));
            }
            continue;
        }
        let inner = grown(&rings, -strand_mm / 2.0);
        let outline = |contour: &Contour| plane::simplified(contour, true, rules.tolerance_mm);
        ways.extend(rings.iter().flatten().map(outline).filter(is_line).map(|points| way(points, true)));
        let lines = inner.iter().flat_map(|shape| fill::lines(shape, spacing_mm, degrees));
        ways.extend(lines.filter(is_line).map(|points| way(points, false)));
    }
}
