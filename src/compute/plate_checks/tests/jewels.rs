//! Real jewels, held against the floods.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::AtomicBool;

use super::voxels::Voxels;
use super::{STRICT, checked, of_mesh};
use crate::mesh::{self, CheckSettings, Mesh, transform};
use crate::mesh_files::{self, Limits};
use crate::plate_checks::areas::Sets;
use crate::plate_checks::{Base, Closed, IslandKind, PlateReport, Rules, Scene, Watch};
use crate::slice::tests::{settings, unwatched};
use crate::slice::{Display, Heights, LayerSource, Part, Plate, Sampling, Settings, stream};
use crate::units::Microns;

const TOPOLOGY: CheckSettings =
    CheckSettings { pieces_expected: 1, inner_diameter_mm: None, wall_samples: 0, wall_mm_min: None };

/// A jewel of the shared folder, standing on z = 0 around the origin; none if it is not on this machine.
fn jewel(name: &str) -> Option<Mesh> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("SPRUE_SHARED").map_or(beside, PathBuf::from).join("meshes").join(name);
    let unpacker = match path.extension()?.to_str()? {
        "gz" => "gzip",
        "xz" => "xz",
        _ => "cat",
    };
    let mut command = Command::new(unpacker);
    if unpacker != "cat" {
        command.arg("-dc");
    }
    let output = command.arg(&path).output().ok().filter(|output| output.status.success());
    let Some(output) = output else {
        println!("skipped: {} can't be had", path.display());
        return None;
    };
    let read = mesh_files::read(&output.stdout, None, &Limits::DESIGN).expect("a mesh");
    let mut mesh = mesh::check(read, &TOPOLOGY).mesh;
    transform::lay_flat(&mut mesh);
    let middle = mesh.bounds()?.center();
    transform::translate(&mut mesh, nalgebra::Vector3::new(-middle.x, -middle.y, 0.0));
    Some(mesh)
}

/// A display of 36 mm with coarse pixels, so that a flood of all voxels takes a second.
fn coarse() -> Settings {
    let display =
        Display { width_px: 240, height_px: 240, pitch_mm: [0.15; 2], ..settings(Sampling::Centre).display };
    Settings { display, heights: Heights::uniform(Microns(150)), ..settings(Sampling::Coverage) }
}

const RINGS: [&str; 4] = [
    "ring_solitaire_6prong_us7.stl.gz",
    "real_bartmassey_ring_prong.stl.gz",
    "real_flower_ring_30mm.stl.gz",
    "ring_eternity_28stone.stl.xz",
];

#[test]
fn the_islands_and_hollows_of_rings_are_those_of_a_flood() {
    for name in RINGS.into_iter().chain(["pendant_heart_closed_void.stl"]) {
        let Some(mesh) = jewel(name) else { continue };
        let parts = [Part { name, mesh: &mesh, offset_mm: [18.0, 18.0, 0.0] }];
        let plate = Plate::prepare(&parts, coarse()).expect("the ring fits");
        let voxels = Voxels::of(&plate);
        for base in [Base::OnPlate, Base::Raised] {
            let scene = Scene::of(&coarse().heights, plate.layer_count());
            let report = checked(&plate, &scene, &Rules { base, ..STRICT });

            let expected = voxels.islands(0, base == Base::Raised);
            let found: Vec<_> = report.islands.iter().map(|island| (island.layer, island.px)).collect();
            let expected: Vec<_> = expected.iter().map(|(layer, area)| (*layer, area.len() as u64)).collect();
            println!("{name} {base:?}: {} islands, {} pockets", found.len(), report.pockets.len());
            let sorted = |mut list: Vec<(u32, u64)>| {
                list.sort_unstable();
                list
            };
            assert_eq!(sorted(found), sorted(expected), "{name}");
            if base == Base::OnPlate {
                let traps = report.pockets.iter().filter(|pocket| pocket.closed == Closed::ForEver);
                let volume_mm3: f64 = traps.map(|pocket| pocket.volume_ml * 1000.0).sum();
                let flooded_mm3 = voxels.trapped() as f64 * 0.15_f64.powi(3);
                assert!((volume_mm3 - flooded_mm3).abs() < 1e-6, "{name}: {volume_mm3} {flooded_mm3}");
            }
        }
    }
}

#[test]
fn the_closed_heart_traps_the_resin_of_its_void() {
    let Some(mesh) = jewel("pendant_heart_closed_void.stl") else { return };
    let report = of_mesh(&mesh, &Rules::GEOMETRY);

    let traps: Vec<_> = report.pockets.iter().filter(|pocket| pocket.closed == Closed::ForEver).collect();
    let [trap] = traps[..] else { panic!("{:?}", report.pockets) };
    let void_ml = void_mm3(&mesh) / 1000.0;
    assert!((trap.volume_ml - void_ml).abs() < 0.005 * void_ml, "{} {void_ml}", trap.volume_ml);
    assert!(!trap.is_on_plate);
}

/// What the inner shell of a mesh of two shells encloses, by its signed volume.
fn void_mm3(mesh: &Mesh) -> f64 {
    let mut shells = Sets::with(mesh.vertices.len());
    for &[a, b, c] in &mesh.triangles {
        shells.unite(a, b);
        shells.unite(b, c);
    }
    let (shell_of, count) = shells.names();
    let mut volumes = vec![0.0; count];
    for triangle in &mesh.triangles {
        let [a, b, c] = triangle.map(|corner| mesh.vertices[corner as usize].coords.cast::<f64>());
        volumes[shell_of[triangle[0] as usize] as usize] += a.dot(&b.cross(&c)) / 6.0;
    }
    assert_eq!(count, 2);
    -volumes.into_iter().fold(0.0, f64::min)
}

#[test]
fn an_upright_solitaire_has_islands_at_its_head_or_foot() {
    let Some(mesh) = jewel(RINGS[0]) else { return };
    let report = of_mesh(&mesh, &Rules { base: Base::Raised, ..Rules::GEOMETRY });

    assert!(report.counts.free_islands >= 1, "{:?}", report.counts);
    assert!(report.islands.iter().any(|island| island.layer == 0 && island.kind == IslandKind::Free));
    assert_eq!(report.counts.traps, 0);
}

#[test]
fn the_report_is_the_same_on_any_number_of_threads_and_through_a_writer() {
    let Some(mesh) = jewel(RINGS[3]) else { return };
    let parts = [Part { name: "ring", mesh: &mesh, offset_mm: [60.0, 34.0, 0.0] }];
    let plate = Plate::prepare(&parts, settings(Sampling::Coverage)).expect("the ring fits");
    let scene = Scene::of(&plate.settings().heights, plate.layer_count());
    let rules = Rules { thin_mm: Some(0.4), peel_mm2: Some(30.0), ..STRICT };
    let on = |threads: usize| -> PlateReport {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| checked(&plate, &scene, &rules))
    };

    let one = on(1);
    assert!(one.counts.free_islands > 0 && one.area_curve.len() == plate.layer_count() as usize);
    assert_eq!(one, on(4));
    assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&on(3)).unwrap());
    // Somebody who asks for layers from the top, twice, and leaves some out.
    let watch = Watch::new(&plate, &scene, &rules);
    for index in (0..plate.layer_count()).rev().filter(|index| index % 3 > 0) {
        assert_eq!(watch.layer(index), plate.layer(index));
        watch.layer(index).unwrap();
    }
    assert_eq!(watch.finish().unwrap(), one);
    let watch = Watch::new(&plate, &scene, &rules);
    let cancel = AtomicBool::new(false);
    stream(&watch, unwatched(&cancel), |_| (), |()| Ok::<(), ()>(())).unwrap();
    assert_eq!(watch.finish().unwrap(), one);
}
