//! The thinnest metal of a checked design, and what of it is below the limits.

use super::Mesh;
use super::check::{CheckSettings, ThinLimits};
use super::report::{MeshReport, ThinReport};
use super::shells::at;
use super::thickness::{self, Wall};
use crate::finding::Finding;
use crate::measure::{ThinKind, ThinPlace, thickness as search};

/// Thresholds that are searched besides the limits, mm: where limits of alloys lie (`geometry.md` section 5.4).
const SEARCHED_MM: [f64; 5] = [0.4, 0.5, 0.6, 0.7, 0.8];
/// So many places are findings of their own.
const FINDINGS_MAX: usize = 20;

/// What was found of walls.
#[derive(Debug, Default)]
pub(super) struct Walls {
    pub(super) thinnest: Option<Wall>,
    pub(super) places: Vec<ThinReport>,
    pub(super) findings: Vec<Finding>,
}

/// Searches a closed surface for thin places; if there is none, samples how thick its walls are.
pub(super) fn measure(mesh: &Mesh, settings: &CheckSettings) -> Walls {
    if settings.wall_samples == 0 {
        return Walls::default();
    }
    let mut thresholds = SEARCHED_MM.to_vec();
    if let Some(limits) = &settings.wall_mm_min {
        thresholds.extend([limits.wall_mm, limits.prong_mm, limits.wire_mm]);
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
    }
    let searched_mm = thresholds.last().copied().unwrap_or(0.0);
    let places = search(mesh, &thresholds).map_or_else(Vec::new, |found| found.places);
    let thinnest = places.iter().find(|place| place.kind != ThinKind::KnifeEdge);
    let thinnest = thinnest.map(|place| Wall { thickness_mm: place.thickness_mm, place: place.at });
    let thinnest = thinnest.or_else(|| thickness::thinnest(mesh, settings.wall_samples, searched_mm));
    let findings = settings.wall_mm_min.as_ref().map_or_else(Vec::new, |limits| findings(&places, limits));
    let places = places.iter().take(MeshReport::BODIES_MAX).map(report).collect();
    Walls { thinnest, places, findings }
}

fn report(place: &ThinPlace) -> ThinReport {
    ThinReport {
        kind: place.kind,
        thickness_mm: place.thickness_mm,
        at_mm: place.at.coords.into(),
        bounds_mm: [place.bounds.min.coords.into(), place.bounds.max.coords.into()],
        volume_mm3: place.volume_mm3,
    }
}

fn findings(places: &[ThinPlace], limits: &ThinLimits) -> Vec<Finding> {
    let below: Vec<(&ThinPlace, f64)> = places
        .iter()
        .map(|place| (place, limit(place.kind, limits)))
        .filter(|(place, limit)| place.thickness_mm < *limit)
        .collect();
    let mut findings: Vec<Finding> =
        below.iter().take(FINDINGS_MAX).map(|(place, limit)| finding(place, *limit)).collect();
    if below.len() > FINDINGS_MAX {
        let text = format!(
            "{} more places are below their limits; the report lists them",
            below.len() - FINDINGS_MAX
        );
        findings.push(Finding::warning("THIN", "mesh", text));
    }
    findings
}

fn limit(kind: ThinKind, limits: &ThinLimits) -> f64 {
    match kind {
        ThinKind::Prong => limits.prong_mm,
        ThinKind::Wire => limits.wire_mm,
        ThinKind::Wall | ThinKind::KnifeEdge => limits.wall_mm,
    }
}

fn finding(place: &ThinPlace, limit_mm: f64) -> Finding {
    if place.kind == ThinKind::KnifeEdge {
        let text = "the metal runs out to a sharp edge here, which does not fill when it is poured; round it, or confirm that it may be lost";
        return Finding::warning("KNIFE_EDGE", at(place.at), text);
    }
    let text = format!(
        "the {} is {:.2} mm thick here ({:.2} mm3 of metal), the limit is {limit_mm:.2} mm; thicken it, or confirm that it may be lost",
        place.kind.word(),
        place.thickness_mm,
        place.volume_mm3
    );
    Finding::warning("THIN", at(place.at), text)
}
