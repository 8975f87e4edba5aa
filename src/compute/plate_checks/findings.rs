//! What is told to people: one sentence for each fault while they are few, one for all the rest.

use super::{
    Closed, Counts, Island, IslandKind, LayerArea, Opening, PlateReport, Pocket, Rules, ThinFeature,
};
use crate::finding::Finding;

/// Faults of one kind that are told one by one: what a technician reads before looking at the picture.
const TOLD_MAX: usize = 8;

/// The findings of a report.
pub(super) fn of(
    report: &PlateReport,
    rules: &Rules,
    thin_checked: bool,
    border_layers: u32,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    islands(report, &mut findings);
    pockets(report, &mut findings);
    thin(&report.thin, report.counts.thin, &mut findings);
    empty_layers(&report.area_curve, &mut findings);
    if border_layers > 0 {
        let text = format!(
            "light touches the edge of the display in {border_layers} layers, so the part may be cut off; \
             move it inwards"
        );
        findings.push(Finding::warning("PLATE_EDGE_LIT", "plate", text));
    }
    peel(&report.area_curve, rules.peel_mm2, &mut findings);
    jumps(&report.area_curve, rules.jump_mm2, &mut findings);
    if rules.thin_mm.is_none() {
        let text =
            "thin features were not looked for: no smallest width is known for this printer and material";
        findings.push(Finding::note("THIN_UNCHECKED", "plate", text));
    } else if !thin_checked {
        let text = "thin features were not looked for: the smallest width is that of a pixel or less";
        findings.push(Finding::note("THIN_UNCHECKED", "plate", text));
    }
    findings
}

fn islands(report: &PlateReport, findings: &mut Vec<Finding>) {
    let Counts { free_islands, weak_islands, .. } = report.counts;
    let of_kind = |kind: IslandKind| report.islands.iter().filter(move |island| island.kind == kind);
    group(findings, "ISLAND", of_kind(IslandKind::Free), free_islands, "islands", |island: &Island| {
        let text = format!(
            "an island of {:.4} mm² ({} px) begins here on nothing and {}; put a support under it or turn the part",
            island.area_mm2,
            island.px,
            joins(island)
        );
        (place(island.layer, [island.at_mm[0], island.at_mm[1], island.z_mm], island.part.as_deref()), text)
    });
    group(findings, "ISLAND_WEAK", of_kind(IslandKind::Weak), weak_islands, "areas", |island: &Island| {
        let text = format!(
            "an area of {:.4} mm² hangs on {} of its {} px only and may tear off; put a support under it",
            island.area_mm2, island.overlap_px, island.px
        );
        (place(island.layer, [island.at_mm[0], island.at_mm[1], island.z_mm], island.part.as_deref()), text)
    });
}

fn joins(island: &Island) -> String {
    match island.joins_layer {
        Some(layer) => format!("joins the rest at layer {layer}"),
        None => "never joins the rest".to_owned(),
    }
}

fn pockets(report: &PlateReport, findings: &mut Vec<Finding>) {
    let of_kind = |closed: Closed| report.pockets.iter().filter(move |pocket| pocket.closed == closed);
    let at = |pocket: &Pocket| place(pocket.first_layer, pocket.lowest_mm, pocket.part.as_deref());
    let traps = of_kind(Closed::ForEver);
    group(findings, "TRAPPED_RESIN", traps, report.counts.traps, "closed hollows", |pocket: &Pocket| {
        let [x, y, z] = pocket.highest_mm;
        let way_out = if pocket.is_on_plate {
            "it opens only when the part is taken off the plate".to_owned()
        } else {
            format!("give it two drains, here and near {x:.2}, {y:.2}, {z:.2} mm")
        };
        let text = format!(
            "{:.4} ml of resin stay in a hollow, layers {} to {}; {way_out}",
            pocket.volume_ml, pocket.first_layer, pocket.last_layer
        );
        (at(pocket), text)
    });
    let cups = of_kind(Closed::WhilePrinting);
    group(findings, "SUCTION_CUP", cups, report.counts.cups, "cups", |pocket: &Pocket| {
        let end = match pocket.opening {
            Opening::AtLayer(layer) => format!("until layer {layer} opens it"),
            Opening::AfterPrint | Opening::Never => "until the print ends".to_owned(),
        };
        let text = format!(
            "a hollow of {:.4} ml and up to {:.2} mm² is a suction cup from layer {} {end}; turn the part or give \
             it a vent at its bottom",
            pocket.volume_ml, pocket.area_mm2_max, pocket.first_layer
        );
        (at(pocket), text)
    });
}

fn thin(features: &[ThinFeature], count: u64, findings: &mut Vec<Finding>) {
    group(findings, "THIN_FEATURE", features.iter(), count, "thin features", |feature: &ThinFeature| {
        let text = format!(
            "a feature is thinner than the printer and material can hold, layers {} to {}, up to {:.4} mm² in a \
             layer; make it wider",
            feature.first_layer, feature.last_layer, feature.area_mm2_max
        );
        (place(feature.first_layer, feature.at_mm, feature.part.as_deref()), text)
    });
}

/// Tells the first few, and counts the rest.
fn group<'r, T: 'r>(
    findings: &mut Vec<Finding>,
    code: &str,
    faults: impl Iterator<Item = &'r T>,
    count: u64,
    noun: &str,
    tell: impl Fn(&T) -> (String, String),
) {
    let before = findings.len();
    for fault in faults.take(TOLD_MAX) {
        let (place, text) = tell(fault);
        findings.push(Finding::warning(code, place, text));
    }
    let told = u64::try_from(findings.len() - before).unwrap_or(u64::MAX);
    if count > told {
        let text = format!("{} more {noun} like these; the report of the plate lists them", count - told);
        findings.push(Finding::warning(code, "plate", text));
    }
}

fn place(layer: u32, [x, y, z]: [f64; 3], part: Option<&str>) -> String {
    let part = part.map(|part| format!("{part} ")).unwrap_or_default();
    format!("{part}layer {layer} at {x:.2}, {y:.2}, {z:.2} mm")
}

/// A dark layer between lit ones parts the print in two.
fn empty_layers(curve: &[LayerArea], findings: &mut Vec<Finding>) {
    let lit = |layer: &LayerArea| layer.areas > 0;
    let (Some(first), Some(last)) = (curve.iter().position(lit), curve.iter().rposition(lit)) else {
        findings.push(Finding::warning(
            "PLATE_DARK",
            "plate",
            "no layer shows anything; slice the plate again",
        ));
        return;
    };
    let dark = (0..last).filter(|&index| index < first || !lit(&curve[index]));
    tell_ranges(findings, "LAYER_DARK", dark, |_, count| {
        format!(
            "{count} layers show nothing, and what is above them holds on nothing; lower the part or close the gap"
        )
    });
}

fn peel(curve: &[LayerArea], limit_mm2: Option<f64>, findings: &mut Vec<Finding>) {
    let Some(limit_mm2) = limit_mm2 else {
        let text = "the area that peels off was not held against a limit: none is known for this printer and material";
        findings.push(Finding::note("PEEL_UNCHECKED", "plate", text));
        return;
    };
    let over = (0..curve.len()).filter(|&index| curve[index].area_mm2 > limit_mm2);
    tell_ranges(findings, "PEEL_AREA", over, |from, count| {
        let areas = curve[from..from + count].iter().map(|layer| layer.area_mm2);
        let most = areas.fold(0.0, f64::max);
        format!(
            "{count} layers have up to {most:.1} mm² to peel off the film, the limit is {limit_mm2:.1} mm²; turn the \
             parts or put fewer on the plate"
        )
    });
}

fn jumps(curve: &[LayerArea], limit_mm2: Option<f64>, findings: &mut Vec<Finding>) {
    let Some(limit_mm2) = limit_mm2 else { return };
    let grows = |index: usize| curve[index].area_mm2 - curve[index - 1].area_mm2;
    let over = (1..curve.len()).filter(|&index| grows(index) > limit_mm2);
    tell_ranges(findings, "AREA_JUMP", over, |from, count| {
        let most = (from..from + count).map(grows).fold(0.0, f64::max);
        format!(
            "the area grows by up to {most:.1} mm² from one layer to the next, the limit is {limit_mm2:.1} mm²; turn the part"
        )
    });
}

/// One finding for each stretch of neighbouring layers, a dozen at most. `tell` gets the first and how many.
fn tell_ranges(
    findings: &mut Vec<Finding>,
    code: &str,
    layers: impl Iterator<Item = usize>,
    tell: impl Fn(usize, usize) -> String,
) {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for layer in layers {
        match ranges.last_mut() {
            Some((from, count)) if *from + *count == layer => *count += 1,
            Some(_) | None => ranges.push((layer, 1)),
        }
    }
    for &(from, count) in ranges.iter().take(TOLD_MAX) {
        let place = if count == 1 {
            format!("layer {from}")
        } else {
            format!("layers {from} to {}", from + count - 1)
        };
        findings.push(Finding::warning(code, place, tell(from, count)));
    }
    if ranges.len() > TOLD_MAX {
        let text = format!("{} more stretches of layers like these", ranges.len() - TOLD_MAX);
        findings.push(Finding::warning(code, "plate", text));
    }
}
