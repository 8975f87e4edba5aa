//! Areas and volumes against formulas and against the section integral.

use std::f64::consts::PI;
use std::io::Read;
use std::path::PathBuf;

use super::super::{Heights, Layer, Sampling};
use super::{layers_of, section_area_mm2, settings, solids};
use crate::mesh::Mesh;
use crate::units::Microns;

/// Relative errors of all layers over 0.5 mm², ppm, sorted by size; and of the volume.
fn errors_ppm(mesh: &Mesh, layers: &[Layer]) -> (Vec<f64>, f64) {
    let (mut errors, mut volume, mut exact_volume) = (Vec::new(), 0.0, 0.0);
    for layer in layers {
        let exact = section_area_mm2(mesh, 0.0, Heights::uniform(Microns(50)).plane_mm(layer.index));
        volume += layer.area_mm2;
        exact_volume += exact;
        if exact > 0.5 {
            errors.push(((layer.area_mm2 - exact) / exact * 1e6).abs());
        }
    }
    errors.sort_by(f64::total_cmp);
    (errors, (volume - exact_volume) / exact_volume * 1e6)
}

fn share(errors: &[f64], percent: usize) -> f64 {
    errors[(errors.len() - 1) * percent / 100]
}

#[test]
fn sections_of_round_solids_are_within_half_a_percent_of_their_formulas() {
    let z = |layer: &Layer| Heights::uniform(Microns(50)).plane_mm(layer.index);
    let disc = |radius: f64| PI * radius * radius;
    type Formula<'a> = Box<dyn Fn(&Layer) -> f64 + 'a>;
    let cases: [(&str, Mesh, Formula<'_>); 4] = [
        ("cylinder", solids::cylinder(5.0, 4.0, 720), Box::new(|_| disc(5.0))),
        ("cone", solids::cone(5.0, 8.0, 720), Box::new(|l| disc(5.0 * (1.0 - z(l) / 8.0)))),
        ("sphere", solids::sphere(4.0, 720), Box::new(|l| PI * z(l) * (8.0 - z(l)))),
        (
            "torus",
            solids::torus(9.0, 1.5, 720, 360),
            Box::new(|l| 4.0 * PI * 9.0 * (z(l) * (3.0 - z(l))).max(0.0).sqrt()),
        ),
    ];
    for (name, mesh, area) in cases {
        for layer in layers_of(&mesh, settings(Sampling::Coverage)) {
            let exact = area(&layer);
            if exact > 0.5 {
                let error = (layer.area_mm2 - exact) / exact;
                assert!(error.abs() < 0.005, "{name} layer {}: {error}", layer.index);
            }
        }
    }
}

#[test]
fn coverage_is_within_parts_per_million_of_the_section_integral() {
    for (name, mesh) in [
        ("torus", solids::torus(9.0, 1.5, 300, 96)),
        ("sphere", solids::sphere(5.0, 200)),
        ("cone", solids::cone(5.0, 8.0, 200)),
    ] {
        let (errors, volume) = errors_ppm(&mesh, &layers_of(&mesh, settings(Sampling::Coverage)));
        let (median, p99, worst) = (share(&errors, 50), share(&errors, 99), share(&errors, 100));
        println!("{name}: median {median:.1} p99 {p99:.1} worst {worst:.1} volume {volume:.2} ppm");

        assert!(median <= 25.0 && p99 <= 300.0 && worst <= 1000.0, "{name}: {median} {p99} {worst} ppm");
        assert!(volume.abs() <= 20.0, "{name}: volume {volume} ppm");
    }
}

#[test]
fn centre_sampling_has_no_bias() {
    let mesh = solids::torus(9.0, 1.5, 300, 96);

    let (errors, volume) = errors_ppm(&mesh, &layers_of(&mesh, settings(Sampling::Centre)));

    assert!(volume.abs() < 1000.0, "volume {volume} ppm");
    assert!(share(&errors, 99) < 20_000.0, "p99 {} ppm", share(&errors, 99));
}

/// Meshes that are closed, oriented and free of overlap, so that the section integral is the truth; with
/// bounds for the median layer and for the volume, ppm.
///
/// Long walls parallel to the pixels (the flower ring's flanks) round all their pixels the same way: half of
/// 1/255 of a pixel along 25 mm is 40 ppm of its section.
const SHARED: [(&str, f64, f64); 5] = [
    ("ring_solitaire_6prong_us7.stl.gz", 25.0, 20.0),
    ("real_flower_ring_30mm.stl.gz", 40.0, 40.0),
    ("earring_stud_post0.8.stl", 25.0, 20.0),
    ("good_earring_pair_two_pieces.stl", 25.0, 20.0),
    ("pendant_heart_closed_void.stl", 25.0, 20.0),
];

#[test]
fn real_jewels_are_within_parts_per_million_of_the_section_integral() {
    let Some(folder) = shared_meshes() else { return };
    for (name, median_max, volume_max) in SHARED {
        let mesh = read(&folder.join(name));
        let (errors, volume) = errors_ppm(&mesh, &layers_of(&mesh, settings(Sampling::Coverage)));
        let (median, p99, worst) = (share(&errors, 50), share(&errors, 99), share(&errors, 100));
        println!("{name}: median {median:.1} p99 {p99:.1} worst {worst:.1} volume {volume:.2} ppm");

        assert!(
            median <= median_max && p99 <= 300.0 && worst <= 1000.0,
            "{name}: {median} {p99} {worst} ppm"
        );
        assert!(volume.abs() <= volume_max, "{name}: volume {volume} ppm");
    }
}

fn shared_meshes() -> Option<PathBuf> {
    let root = std::env::var_os("SPRUE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = root.join("meshes");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no meshes at {}", folder.display());
    None
}

/// A binary STL in the middle of its bounds, standing on z = 0. No welding: the slicer needs none.
fn read(path: &std::path::Path) -> Mesh {
    let packed = std::fs::read(path).expect("a mesh");
    let mut bytes = Vec::new();
    if path.extension().is_some_and(|ending| ending == "gz") {
        flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut bytes).expect("a packed mesh");
    } else {
        bytes = packed;
    }
    let stl = stl_io::read_stl(&mut std::io::Cursor::new(bytes)).expect("a mesh");
    let vertices: Vec<_> =
        stl.vertices.iter().map(|v| nalgebra::Point3::new(v.0[0], v.0[1], v.0[2])).collect();
    let triangles = stl.faces.iter().map(|f| f.vertices.map(|i| u32::try_from(i).unwrap())).collect();
    let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
    for vertex in &vertices {
        for axis in 0..3 {
            low[axis] = low[axis].min(f64::from(vertex[axis]));
            high[axis] = high[axis].max(f64::from(vertex[axis]));
        }
    }
    let middle = |axis: usize| -f64::midpoint(low[axis], high[axis]);
    solids::moved(&Mesh { vertices, triangles }, [middle(0), middle(1), -low[2]])
}
