use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::mesh::{CheckSettings, MeshReport, check};
use crate::rings::{BandProfile, RingDesign};

const SETTINGS: CheckSettings =
    CheckSettings { pieces_expected: 1, inner_diameter_mm: None, wall_samples: 20_000, wall_mm_min: None };

/// The folder of measured meshes, if it is on this machine.
fn meshes() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("SPRUE_SHARED").map_or(beside, PathBuf::from);
    let folder = shared.join("meshes");
    if folder.is_dir() {
        Some(folder)
    } else {
        println!("skipped: no folder of shared meshes; set SPRUE_SHARED");
        None
    }
}

/// A file of that folder, unpacked; nothing if the folder or the unpacker is missing.
fn load(name: &str) -> Option<Vec<u8>> {
    let path = meshes()?.join(name);
    let unpacker = match path.extension()?.to_str()? {
        "gz" => "gzip",
        "xz" => "xz",
        _ => return Some(std::fs::read(path).unwrap()),
    };
    let output = Command::new(unpacker).arg("-dc").arg(path).output();
    match output {
        Ok(output) if output.status.success() => Some(output.stdout),
        Ok(_) | Err(_) => {
            println!("skipped {name}: {unpacker} does not work here");
            None
        }
    }
}

fn report(name: &str) -> Option<MeshReport> {
    let bytes = load(name)?;
    let read = read(&bytes, None, &Limits::DESIGN).unwrap_or_else(|error| panic!("{name}: {error}"));
    Some(check(read, &SETTINGS).report)
}

fn codes(report: &MeshReport) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// Facts of independent tools: name, volume and its relative tolerance, shells, and the codes expected.
#[test]
fn closed_designs_measure_as_independent_tools_say() {
    let facts: &[(&str, f64, f64, usize, &[&str])] = &[
        ("ring_solitaire_6prong_us7.stl.gz", 222.6258, 1e-6, 1, &[]),
        ("ring_eternity_28stone.stl.xz", 206.9315, 1e-6, 1, &[]),
        ("ring_filigree_wire0.55.stl.xz", 140.7201, 1e-6, 1, &[]),
        ("pendant_heart_closed_void.stl", 423.2122, 1e-6, 2, &["SHELL_CAVITY", "TRAPPED_VOID"]),
        ("earring_stud_post0.8.stl", 61.2381, 1e-6, 1, &[]),
        ("bad_overlapping_shells_8.stl", 268.1858, 1e-3, 8, &["SHELL_OVERLAP"]),
        ("bad_stone_left_in_setting.stl.gz", 271.59, 1e-3, 2, &["SHELL_OVERLAP", "LOOSE_STONE"]),
        ("bad_charm_inverted_all.stl", 315.1083, 1e-6, 1, &["SHELL_INVERTED"]),
        ("bad_charm_flipped_10pct.stl", 315.1083, 1e-6, 1, &["WINDING_MIXED"]),
        ("bad_charm_unwelded_0.2um.stl", 315.1083, 2e-3, 1, &["EDGE_CRACK", "EDGE_CRACK"]),
        ("bad_charm_duplicate_tris.stl", 315.1083, 1e-6, 1, &["TRI_DUPLICATE"]),
        ("bad_charm_hole_1tri.stl", 315.1083, 1e-6, 1, &["EDGE_OPEN"]),
        ("bad_charm_hole_14tri.stl", 315.1083, 1e-2, 1, &["EDGE_OPEN"]),
        ("bad_t_junction_box.stl", 64.0, 1e-9, 1, &["EDGE_CRACK"]),
        ("assimp_sphere_with_hole.stl", 13.5816, 1e-3, 1, &["VERTEX_NONMANIFOLD", "EDGE_OPEN"]),
        ("bad_charm_unit_metre.stl", 3.151e-7, 1e-3, 1, &["UNIT_SUSPECT"]),
        (
            "trimesh_multibody.stl",
            0.0074,
            1e-2,
            2,
            &["FILE_MULTI_SOLID", "WINDING_MIXED", "SHELL_INVERTED", "MULTIPLE_PIECES", "UNIT_SUSPECT"],
        ),
        ("bad_charm_zero_area.stl", 315.1083, 1e-6, 1, &["TRI_DEGENERATE", "TRI_DEGENERATE"]),
        ("bad_charm_solid_header_binary.stl", 315.1083, 1e-6, 1, &["FILE_SOLID_HEADER"]),
        ("bad_charm_trailing_bytes.stl", 315.1083, 1e-6, 1, &["FILE_TRAILING"]),
        ("bad_charm_comma_decimal.stl.gz", 315.108, 1e-5, 1, &["FILE_DECIMAL_COMMA"]),
        ("good_charm_ascii_crlf.stl.gz", 315.1083, 1e-6, 1, &[]),
        ("bad_charm_unit_inch.stl", 0.019229, 1e-4, 1, &["UNIT_SUSPECT"]),
        ("bad_charm_unit_cm.stl", 0.3151, 2e-4, 1, &["UNIT_SUSPECT"]),
        ("bad_charm_far_from_origin.stl", 315.1083, 5e-4, 1, &[]),
        ("good_charm.3mf", 315.1083, 1e-6, 1, &[]),
        ("good_charm_unit_inch.3mf", 315.1083, 1e-6, 1, &[]),
        ("good_charm_components_x2.3mf", 630.2167, 1e-6, 2, &["MULTIPLE_PIECES"]),
        ("good_band.obj", 273.7180, 1e-6, 1, &[]),
        ("good_quads_crlf.obj", 144.0, 1e-9, 1, &[]),
        ("bad_shared_edge_two_boxes.stl", 128.0, 1e-9, 2, &["EDGE_NONMANIFOLD", "MULTIPLE_PIECES"]),
        ("good_earring_pair_two_pieces.stl", 122.4762, 1e-6, 2, &["MULTIPLE_PIECES"]),
        ("bad_self_intersecting_figure8.stl.gz", 56.05, 5e-3, 1, &["SELF_INTERSECTION"]),
        ("real_bartmassey_ring_prong.stl.gz", 181.915, 1e-4, 1, &["WINDING_MIXED"]),
        ("real_flower_ring_30mm.stl.gz", 1182.3006, 1e-6, 1, &[]),
        ("real_embossed_band_us9_126k.stl.xz", 452.6096, 1e-6, 1, &["EDGE_CRACK"]),
        ("assimp_utf16be_box.obj", 1.0, 1e-9, 1, &["UNIT_SUSPECT"]),
        ("trimesh_busted.stl", 526.4489, 1e-6, 1, &[]),
        ("trimesh_negative_indices.obj", 8.0, 1e-9, 1, &["UNIT_SUSPECT"]),
        ("trimesh_two_objects.stl", 2.0, 1e-6, 2, &["FILE_MULTI_SOLID", "MULTIPLE_PIECES"]),
        ("3mfc_dodeca_chain_loop.3mf", 32583.8787, 1e-6, 40, &["MULTIPLE_PIECES"]),
        ("3mfc_torus.3mf", 776.8308, 1e-6, 1, &[]),
        ("3mfc_heartgears.3mf", 120179.2975, 1e-6, 1, &["TRI_DEGENERATE", "SELF_INTERSECTION"]),
        ("3mfc_MUSTPASS_Chapter2.2_PartNaming.3mf", 16387.064, 1e-6, 1, &[]),
        ("3mfc_MUSTPASS_Chapter3.2b_UnitsMeasurementMM.3mf", 1000.0, 1e-9, 1, &[]),
        ("3mfc_MUSTPASS_Chapter3.2c_MultipleItemsTransform.3mf", 14000.0028, 1e-6, 2, &["MULTIPLE_PIECES"]),
        ("3mfc_MUSTPASS_Chapter4.2_Components.3mf", 14000.0028, 1e-6, 2, &["MULTIPLE_PIECES"]),
    ];
    for &(name, volume, tolerance, shells, expected) in facts {
        let Some(report) = report(name) else { continue };
        let off = (report.volume_mm3 / volume - 1.0).abs();
        assert!(off <= tolerance, "{name}: {} mm3, {volume} expected", report.volume_mm3);
        assert_eq!(report.shells, shells, "{name}");
        assert_eq!(codes(&report), expected, "{name}: {:#?}", report.findings);
        assert!(report.watertight && report.boundary_edges == 0 && !report.is_refused(), "{name}");
    }
}

/// 20,000 open edges of a boolean operation, some of them of surfaces that lie in each other.
#[test]
fn an_engraved_band_full_of_cracks_becomes_one_closed_solid() {
    let Some(report) = report("real_engraved_band_us7_open_cracks.stl.xz") else { return };
    assert!(
        report.watertight && report.boundary_edges == 0 && !report.is_refused(),
        "{:#?}",
        report.findings
    );
    assert_eq!(report.shells, 1);
    assert!((report.volume_mm3 / 329.0 - 1.0).abs() <= 0.015, "{}", report.volume_mm3);
    assert!(codes(&report).contains(&"EDGE_CRACK"), "{:#?}", report.findings);
}

#[test]
fn open_surfaces_are_errors_with_the_number_of_open_edges() {
    for (name, open) in [
        ("bad_charm_half_missing.stl", 68),
        ("assimp_concave_polygon.obj", 64),
        ("assimp_two_solids_ascii.stl", 6),
        ("assimp_empty_solid_ascii.stl", 3),
        ("trimesh_soup.stl", 300),
    ] {
        let Some(report) = report(name) else { continue };
        assert_eq!(report.boundary_edges, open, "{name}");
        assert!(codes(&report).contains(&"OPEN_SURFACE") && report.is_refused(), "{name}");
        assert!(!report.watertight, "{name}");
    }
}

#[test]
fn files_that_are_no_sound_design_are_refused_with_their_cause() {
    for (name, code) in [
        ("bad_charm_nan.stl", "COORD_NONFINITE"),
        ("bad_charm_inf.stl", "COORD_NONFINITE"),
        ("bad_charm_truncated.stl", "FILE_TRUNCATED"),
        ("bad_charm_count_huge.stl", "FILE_TRUNCATED"),
        ("empty_binary.stl", "FILE_EMPTY"),
        ("assimp_malformed.obj", "FILE_INDEX"),
        ("3mfc_MUSTFAIL_Chapter2.1.1a_PartsRelationships_NonExist3DModelPart.3mf", "FILE_PACKAGE"),
        ("3mfc_MUSTFAIL_Chapter2.3.2b_DataTypeDefinitionInXMLMarkup.3mf", "FILE_PACKAGE"),
        ("3mfc_MUSTFAIL_Chapter3.4.3.1a_NotMatchingObjectIdInBuildItem.3mf", "FILE_PACKAGE"),
        ("3mfc_MUSTFAIL_Chapter3.4b_MissingBuildElement.3mf", "FILE_PACKAGE"),
        ("3mfc_MUSTFAIL_Chapter3.4a_MoreThanOneModel.3mf", "FILE_PACKAGE"),
    ] {
        let Some(bytes) = load(name) else { continue };
        let error = read(&bytes, None, &Limits::DESIGN).unwrap_err();
        assert_eq!(error.code(), code, "{name}: {error}");
    }
}

#[test]
fn real_finger_holes_measure_as_known() {
    for (name, diameter, tolerance) in [
        ("ring_solitaire_6prong_us7.stl.gz", 17.300, 0.02),
        ("ring_eternity_28stone.stl.xz", 16.500, 0.02),
        ("ring_filigree_wire0.55.stl.xz", 17.300, 0.02),
        ("bad_stone_left_in_setting.stl.gz", 17.300, 0.02),
        // 72 flats stand in by 0.016 mm.
        ("good_band.obj", 17.300, 0.02),
        ("real_bartmassey_ring_prong.stl.gz", 20.72, 0.05),
        ("real_flower_ring_30mm.stl.gz", 24.990, 0.05),
        ("real_embossed_band_us9_126k.stl.xz", 19.000, 0.05),
        ("real_engraved_band_us7_open_cracks.stl.xz", 17.300, 0.05),
    ] {
        let Some(report) = report(name) else { continue };
        let measured = report.ring.unwrap_or_else(|| panic!("{name}: no finger hole")).inner_diameter_mm;
        assert!((measured - diameter).abs() <= tolerance, "{name}: {measured}");
    }
}

#[test]
fn walls_are_as_thin_as_they_were_made() {
    for (name, low, high) in [
        ("ring_filigree_wire0.55.stl.xz", 0.5, 0.56),
        ("ring_solitaire_6prong_us7.stl.gz", 0.25, 0.56),
        ("earring_stud_post0.8.stl", 0.5, 0.81),
        ("good_quads_crlf.obj", 2.9, 3.1),
    ] {
        let Some(report) = report(name) else { continue };
        let wall = report.thinnest_wall_mm.unwrap();
        assert!((low..high).contains(&wall), "{name}: {wall}");
    }
}

#[test]
fn a_written_stl_reads_back_as_the_same_mesh() {
    let mesh = RingDesign::band(17.3, 4.0, 1.8, BandProfile::HalfRound).generate().unwrap();
    let mut bytes = Vec::new();
    stl::write_stl(&mesh, &mut bytes).unwrap();

    let again = read(&bytes, None, &Limits::DESIGN).unwrap();

    let corners = |mesh: &Mesh| -> Vec<_> {
        mesh.triangles.iter().map(|face| face.map(|index| mesh.vertices[index as usize])).collect()
    };
    assert_eq!(corners(&again.mesh), corners(&mesh));
    assert_eq!(again.mesh.vertices.len(), mesh.vertices.len());
    let mut library = std::io::Cursor::new(&bytes);
    assert_eq!(stl_io::read_stl(&mut library).unwrap().faces.len(), mesh.triangles.len());
}

const TETRAHEDRON: &str = "SOLID\n\
    FACET NORMAL nan nan nan\n OUTER LOOP\n VERTEX 0 0 0\n VERTEX 0 9 0\n VERTEX 9 0 0\n ENDLOOP\n ENDFACET\n\
    facet normal 0 0 0\n outer loop\n vertex 0 0 0\n vertex 9 0 0\n vertex 0 0 9\n endloop\n endfacet\n\
    endsolid\n\nsolid again solid facet\n\
    facet normal 0 0 0\n outer loop\n vertex 0 0 0\n vertex 0 0 9\n vertex -0.0 9 0\n endloop\n endfacet\n\
    facet normal 0 0 0\n outer loop\n vertex 9 0 0\n vertex 0 9 0\n vertex 0 0 9.0e0\n endloop\n endfacet\n\
    endsolid again\n";

#[test]
fn text_stl_is_read_in_every_spelling() {
    let spellings = [
        TETRAHEDRON.to_owned(),
        TETRAHEDRON.replace('\n', "\r\n"),
        TETRAHEDRON.replace('\n', "\r"),
        format!("\u{feff}{TETRAHEDRON}"),
        format!("\n\n  {TETRAHEDRON}"),
        TETRAHEDRON.replace(' ', "\t"),
    ];
    for text in spellings {
        let read = read(text.as_bytes(), None, &Limits::DESIGN).unwrap();

        assert_eq!((read.mesh.triangles.len(), read.mesh.vertices.len()), (4, 4), "{text:?}");
        assert!((read.mesh.signed_volume() - 121.5).abs() < 1e-9);
        assert_eq!(read.findings[0].code, "FILE_MULTI_SOLID");
    }
}

#[test]
fn text_that_is_cut_off_or_ambiguous_is_refused() {
    for (text, code) in [
        (TETRAHEDRON[..TETRAHEDRON.len() - 40].to_owned(), "FILE_SYNTAX"),
        (TETRAHEDRON.replace("vertex 9 0 0", "vertex 9,5 0 0"), "FILE_DECIMAL_COMMA"),
        (TETRAHEDRON.replace("vertex 9 0 0", "vertex 9,5,0,0"), "FILE_DECIMAL_COMMA"),
        (TETRAHEDRON.replace("vertex 9 0 0", "vertex 9 0"), "FILE_SYNTAX"),
        (TETRAHEDRON.replace("vertex 9 0 0", "vertex 9 0 1e99"), "COORD_NONFINITE"),
        (TETRAHEDRON.replace("vertex 9 0 0", "vertex 9 0 x"), "FILE_SYNTAX"),
        ("solid empty\nendsolid\n".to_owned(), "FILE_EMPTY"),
        ("hello world, this is no mesh at all".to_owned(), "FILE_NOT_MESH"),
    ] {
        let error = read(text.as_bytes(), None, &Limits::DESIGN).unwrap_err();
        assert_eq!(error.code(), code, "{text}");
    }
}

#[test]
fn limits_stop_every_format() {
    let tight = Limits { triangles_max: 3, ..Limits::DESIGN };
    let obj = "v 0 0 0\nv 9 0 0\nv 0 9 0\nv 0 0 9\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n";
    for bytes in [TETRAHEDRON.as_bytes(), obj.as_bytes(), &package(MODEL, "3D/3dmodel.model")] {
        assert!(read(bytes, None, &Limits::DESIGN).is_ok());
        assert_eq!(read(bytes, None, &tight).unwrap_err().code(), "FILE_TOO_LARGE");
    }
    let small = Limits { file_bytes_max: 10, ..Limits::DESIGN };
    assert_eq!(read(obj.as_bytes(), None, &small).unwrap_err().code(), "FILE_TOO_LARGE");
}

const MODEL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<model unit="millimeter" xmlns="http://schemas.microsoft.com/3dmanufacturing/core/2015/02"><resources>
<object id="1"><mesh><vertices><vertex x="0" y="0" z="0"/><vertex x="9" y="0" z="0"/><vertex x="0" y="9" z="0"/>
<vertex x="0" y="0" z="9"/></vertices><triangles><triangle v1="0" v2="2" v3="1"/><triangle v1="0" v2="1" v3="3"/>
<triangle v1="0" v2="3" v3="2"/><triangle v1="1" v2="2" v3="3"/></triangles></mesh></object>
</resources><build><item objectid="1"/></build></model>"#;

fn package(model: &str, name: &str) -> Vec<u8> {
    let relationships = format!(
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship
        Target="/{name}" Id="r" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>"#
    );
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (part, text) in [("_rels/.rels", relationships.as_str()), ("3D/3dmodel.model", model)] {
        zip.start_file(part, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_package_with_a_trap_is_refused() {
    let bomb = MODEL.replace("<build>", &format!("{}<build>", " ".repeat(5_000_000)));
    let doubled: String = (2..70)
        .map(|id| {
            let below = id - 1;
            format!(r#"<object id="{id}"><components><component objectid="{below}"/><component objectid="{below}"/></components></object>"#)
        })
        .collect();
    let explosion = MODEL
        .replace("</resources>", &format!("{doubled}</resources>"))
        .replace(r#"<item objectid="1""#, r#"<item objectid="69""#);
    let circle = MODEL.replace(
        "</resources>",
        r#"<object id="2"><components><component objectid="2"/></components></object></resources>"#,
    );
    let far = MODEL.replace(r#"v3="1""#, r#"v3="4""#);
    let required = MODEL.replace("<model ", r#"<model requiredextensions="b" xmlns:b="urn:beams" "#);
    for (model, code) in [
        (bomb.as_str(), "FILE_TOO_LARGE"),
        (explosion.as_str(), "FILE_TOO_LARGE"),
        (circle.as_str(), "FILE_PACKAGE"),
        (far.as_str(), "FILE_INDEX"),
        (required.as_str(), "FILE_EXTENSION_REQUIRED"),
        (&MODEL[..MODEL.len() - 30], "FILE_PACKAGE"),
        (&MODEL.replace("millimeter", "parsec"), "FILE_PACKAGE"),
    ] {
        let error = read(&package(model, "3D/3dmodel.model"), None, &Limits::DESIGN).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    let missing = read(&package(MODEL, "3D/other.model"), None, &Limits::DESIGN).unwrap_err();
    assert_eq!(missing.code(), "FILE_PACKAGE");
}

#[test]
fn a_mirrored_item_stays_outside_out() {
    let mirrored = MODEL
        .replace(r#"objectid="1""#, r#"objectid="1" transform="-1 0 0 0 2 0 0 0 1 5 6 7""#)
        .replace("millimeter", "centimeter");

    let read = read(&package(&mirrored, "3D/3dmodel.model"), None, &Limits::DESIGN).unwrap();

    assert!((read.mesh.signed_volume() / 243_000.0 - 1.0).abs() < 1e-9);
    let low = read.mesh.bounds().unwrap().min;
    assert!((low - nalgebra::Point3::new(-40.0, 60.0, 70.0)).norm() < 1e-4, "{low}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000), format in 0..4_usize) {
        let format = [None, Some(MeshFormat::Stl), Some(MeshFormat::ThreeMf), Some(MeshFormat::Obj)][format];
        let _ = read(&bytes, format, &Limits::DESIGN);
    }

    #[test]
    fn damaged_files_never_panic_and_what_is_read_can_be_checked(
        which in 0..5_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut binary = Vec::new();
        let tetrahedron = read(TETRAHEDRON.as_bytes(), None, &Limits::DESIGN).unwrap().mesh;
        stl::write_stl(&tetrahedron, &mut binary).unwrap();
        let obj = b"# box\nv 0 0 0\nv 9 0 0\nv 9 9 0\nv 0 9 0\nv 4 4 9\nf 1/1/1 4//2 3/3 2\nf 1 2 5\nf -4 -3 -1\nf 3 4 5\nf 4 1 5\n";
        let valid = [binary, TETRAHEDRON.into(), obj.to_vec(), package(MODEL, "3D/3dmodel.model"), MODEL.into()];
        let is_model = which == 4;
        let mut bytes = valid[which].clone();
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if is_model {
            bytes = package(&String::from_utf8_lossy(&bytes), "3D/3dmodel.model");
        }

        if let Ok(read) = read(&bytes, None, &Limits::DESIGN) {
            let vertices = read.mesh.vertices.len();
            prop_assert!(read.mesh.triangles.iter().flatten().all(|&index| (index as usize) < vertices));
            let report = check(read, &CheckSettings { wall_samples: 50, ..SETTINGS }).report;
            prop_assert!(report.volume_mm3.is_finite() || report.bounds_mm.iter().flatten().any(|x| x.abs() > 1e30));
        }
    }
}

/// Processor seconds of this process (Linux; 100 ticks a second).
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let ticks: f64 =
        stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2).flat_map(str::parse::<f64>).sum();
    Some(ticks / 100.0)
}

#[test]
#[ignore = "speed; run it alone"]
fn half_a_million_faces_are_read_welded_and_found_closed_in_a_third_of_a_second() {
    let mut design = RingDesign::band(17.3, 4.0, 1.8, BandProfile::HalfRound);
    design.resolution_mm = 0.0556;
    let mut bytes = Vec::new();
    stl::write_stl(&design.generate().unwrap(), &mut bytes).unwrap();
    let Some(start) = cpu_seconds() else { return };

    let mut mesh = read(&bytes, None, &Limits::DESIGN).unwrap().mesh;
    let repairs = crate::mesh::shells::orient_shells(&mut mesh);

    let spent = cpu_seconds().unwrap() - start;
    println!("{} faces: {spent:.2} CPU s", mesh.triangles.len());
    assert_eq!(repairs, []);
    assert!(spent < 0.33, "{spent}");
}
