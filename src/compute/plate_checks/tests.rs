//! Against brute force on voxels, and on parts with known faults.

mod jewels;
mod known;
mod random;
mod voxels;

use std::sync::atomic::AtomicBool;

use super::{Base, IslandRule, PlateReport, PocketRule, Rules, Scene, check};
use crate::mesh::Mesh;
use crate::slice::tests::{centred, settings, unwatched};
use crate::slice::{LayerSource, Plate, Sampling, Settings};

/// Nothing is too small to be told.
const STRICT: Rules = Rules {
    threshold: 128,
    base: Base::OnPlate,
    islands: IslandRule::STRICT,
    pockets: PocketRule::STRICT,
    thin_mm: None,
    peel_mm2: None,
    jump_mm2: None,
};

fn checked(source: &dyn LayerSource, scene: &Scene, rules: &Rules) -> PlateReport {
    let cancel = AtomicBool::new(false);
    check(source, scene, rules, unwatched(&cancel)).expect("every layer can be had")
}

/// One mesh in the middle of a small display: 47.25 µm pixels, 50 µm layers.
fn of_mesh(mesh: &Mesh, rules: &Rules) -> PlateReport {
    of_mesh_with(mesh, rules, &settings(Sampling::Centre))
}

fn of_mesh_with(mesh: &Mesh, rules: &Rules, settings: &Settings) -> PlateReport {
    let parts = [centred(mesh)];
    let plate = Plate::prepare(&parts, settings.clone()).expect("the part fits");
    let scene = Scene::of(&settings.heights, plate.layer_count());
    checked(&plate, &scene, rules)
}

fn codes(report: &PlateReport) -> Vec<&str> {
    let mut codes: Vec<_> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    codes.dedup();
    codes
}
