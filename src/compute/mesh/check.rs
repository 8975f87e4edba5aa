//! Looks at a design before anybody spends material on it.

use nalgebra::Point3;

use super::columns::{self, Overlap};
use super::intersect::Crossings;
use super::report::{MeshReport, Repair, RingMeasure, ShellKind, ShellReport};
use super::shells::{self, Shell, at};
use super::topology::Topology;
use super::walls::{self, Walls};
use super::{Bounds, Mesh, bore, debris, intersect, repair};
use crate::finding::{Finding, any_error};
use crate::measure::stones::{self, Stone};
use crate::mesh_files::ReadMesh;

/// What the check should know and do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckSettings {
    /// How many separate pieces the order says the design has; 2 for a pair of earrings.
    pub pieces_expected: usize,
    /// The ordered inner diameter of a ring, mm, if one is ordered.
    pub inner_diameter_mm: Option<f64>,
    /// At how many places the wall is measured; 0 leaves it out. 20,000 find a prong of 0.5 mm. Nothing is
    /// measured on open or overlapping surfaces.
    pub wall_samples: usize,
    /// What is thinner than these limits of the alloy or resin is reported.
    pub wall_mm_min: Option<ThinLimits>,
}

/// How thin metal may be, mm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThinLimits {
    /// Walls.
    pub wall_mm: f64,
    /// Prongs.
    pub prong_mm: f64,
    /// Wires.
    pub wire_mm: f64,
}

/// A checked design.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The mesh with the repairs of the report, otherwise vertex for vertex as it was read.
    pub mesh: Mesh,
    /// What was found.
    pub report: MeshReport,
}

/// Overlap below this part of the volume is noise of crossing faces, not a body counted twice.
const OVERLAP_PART: f64 = 1.0e-5;
/// So many pairs of faces that cross, or crossings so shallow, mm, are nothing to look at.
const CROSSINGS_SLIGHT: usize = 20;
const CROSSING_MM_SLIGHT: f64 = 0.02;
/// The ordered ring size is met within this, mm; a quarter US size is 0.2 mm.
const RING_PASS_MM: f64 = 0.05;
/// Above this, mm, the ring is another size.
const RING_WARN_MM: f64 = 0.15;

/// What lessens the free hole by more than this, mm, enters it (`geometry.md` section 5.2).
const ENTERS_MM: f64 = 0.05;
/// Wider bands are worn tighter (`geometry.md` section 5.2), mm.
const WIDE_BAND_MM: f64 = 6.0;

/// From here on the step between single-precision numbers is above 2 µm.
const COARSE_MM: f64 = 32_768.0;

/// Measures a design, makes the safe repairs and says what is wrong with the rest.
///
/// A mesh that is closed, faces outward and has nothing to repair comes back unchanged. Repairs drop
/// degenerate and duplicate faces, close cracks of at most 5 µm and holes that leave no doubt, take touching
/// bodies apart, turn faces and remove debris; a tangle that can't be joined is made new. All are listed. What
/// stays open is an error; overlapping bodies count once; several pieces, a suspect unit and thin walls are
/// warnings.
#[must_use]
pub fn check(read: ReadMesh, settings: &CheckSettings) -> Checked {
    let ReadMesh { mut mesh, declared_unit, findings, .. } = read;
    let (topology, repairs) = mend(&mut mesh);
    let hole = bore::measure(&mesh);
    let hole_mm = hole.as_ref().map(|hole| hole.inner_diameter_mm);
    let mut report = measure(&mesh, &topology, repairs, hole, settings);
    report.findings.splice(0..0, findings);
    if declared_unit.is_none() {
        report.findings.extend(unit_finding(&report, hole_mm, settings));
    }
    Checked { mesh, report }
}

/// The part of [`check`] that slicing needs: the safe repairs, every shell turned outward, and what is wrong with the
/// surface. Nothing is measured; sections unite what overlaps.
#[must_use]
pub fn check_surface(read: ReadMesh) -> (Mesh, Vec<Finding>) {
    let ReadMesh { mut mesh, mut findings, .. } = read;
    let (topology, repairs) = mend(&mut mesh);
    let shells = shells::measure(&mesh, &topology);
    findings.extend(repairs.iter().map(repair_finding));
    findings.extend(surface_findings(&mesh, &topology, &shells));
    (mesh, findings)
}

/// Makes the safe repairs and turns every shell outward.
fn mend(mesh: &mut Mesh) -> (Topology, Vec<Repair>) {
    let (topology, mut repairs) = repair::repair(mesh);
    repairs.extend(shells::orient(mesh, &topology));
    let mut topology = if repairs.is_empty() { topology } else { Topology::of(mesh) };
    if let Some(repair) = debris::drop(mesh, &topology) {
        repairs.push(repair);
        topology = Topology::of(mesh);
    }
    (topology, repairs)
}

fn measure(
    mesh: &Mesh,
    topology: &Topology,
    repairs: Vec<Repair>,
    hole: Option<RingMeasure>,
    settings: &CheckSettings,
) -> MeshReport {
    let shells = shells::measure(mesh, topology);
    let is_closed = !shells.is_empty() && shells.iter().all(|shell| shell.kind != ShellKind::Open);
    // A surface that was made new between samples can't cross itself.
    let is_new = repairs.iter().any(|repair| repair.code == "REMESHED");
    let crossings = if is_closed && !is_new { intersect::crossings(mesh) } else { Crossings::default() };
    let needs_overlap = is_closed && (shells.len() > 1 || !crossings.pairs.is_empty());
    let overlap = if needs_overlap { columns::overlap(mesh, &topology.shell_of, shells.len()) } else { None };
    let signed_volume_mm3: f64 = shells.iter().map(|shell| shell.volume_mm3).sum();
    let excess = overlap.as_ref().map_or(0.0, |overlap| overlap.excess_mm3);
    let is_counted_twice = excess.abs() > OVERLAP_PART * signed_volume_mm3.abs();
    // Inside an overlap there are surfaces that are no walls.
    let has_walls = is_closed && !is_counted_twice;
    let walls = if has_walls { walls::measure(mesh, settings) } else { Walls::default() };
    let mut findings: Vec<Finding> = repairs.iter().map(repair_finding).collect();
    findings.extend(surface_findings(mesh, topology, &shells));
    findings.extend(overlap_findings(topology, &crossings, overlap.as_ref(), signed_volume_mm3));
    if needs_overlap && overlap.is_none() {
        let text = "bodies overlap or lie among each other in too many places to find their common volume; unite them in the CAD program and send the design again";
        findings.push(Finding::error("SHELL_OVERLAP", "mesh", text));
    }
    findings.extend(piece_findings(&shells, overlap.as_ref(), settings));
    let stones = stones::find(mesh, topology, &shells);
    findings.extend(stones.iter().map(stone_finding));
    let ring = hole.filter(|ring| bore::is_finger(ring.inner_diameter_mm));
    findings.extend(size_findings(ring.as_ref(), settings));
    findings.extend(walls.findings);
    MeshReport {
        triangles: mesh.triangles.len(),
        watertight: !shells.is_empty() && shells.iter().all(|shell| shell.watertight),
        shells: shells.len(),
        volume_mm3: if is_counted_twice { signed_volume_mm3 - excess } else { signed_volume_mm3 },
        signed_volume_mm3,
        area_mm2: shells.iter().map(|shell| shell.area_mm2).sum(),
        bounds_mm: mesh.bounds().map_or([[0.0; 3]; 2], corners),
        thinnest_wall_mm: walls.thinnest.as_ref().map(|wall| wall.thickness_mm),
        thinnest_wall_at_mm: walls.thinnest.as_ref().map(|wall| wall.place.coords.into()),
        ring,
        metal_g: None,
        metal_band_g: None,
        stones,
        thin_places: walls.places,
        center_of_mass_mm: if is_closed { center_of_mass(mesh) } else { None },
        boundary_edges: topology.boundary_edges,
        nonmanifold_edges: topology.nonmanifold_edges,
        bodies: shells.iter().take(MeshReport::BODIES_MAX).map(shell_report).collect(),
        repairs,
        findings,
    }
}

fn corners(bounds: Bounds) -> [[f64; 3]; 2] {
    [bounds.min.coords.into(), bounds.max.coords.into()]
}

fn shell_report(shell: &Shell) -> ShellReport {
    ShellReport {
        triangles: shell.triangles,
        volume_mm3: shell.volume_mm3,
        area_mm2: shell.area_mm2,
        bounds_mm: corners(shell.bounds),
        kind: shell.kind,
    }
}

fn repair_finding(repair: &Repair) -> Finding {
    let text = if repair.moved_mm_max > 0.0 {
        format!("{}; no corner moved more than {:.1} µm", repair.text, repair.moved_mm_max * 1000.0)
    } else {
        format!("{}; no corner moved", repair.text)
    };
    Finding { severity: repair.severity, code: repair.code.clone(), text, place: repair.place.clone() }
}

fn surface_findings(mesh: &Mesh, topology: &Topology, shells: &[Shell]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some([index, _]) = topology.boundary_at {
        let text = format!(
            "the surface is open along {} edges, so it encloses no metal; close it in the CAD program and send it again",
            topology.boundary_edges
        );
        findings.push(Finding::error("OPEN_SURFACE", shells::place(mesh, index), text));
    }
    if topology.shells.iter().any(|shell| !shell.orientable) {
        let text = "a surface has no inside (it comes back turned over); rebuild it in the CAD program";
        findings.push(Finding::error("WINDING_MIXED", "mesh", text));
    }
    let unbalanced = shells.iter().filter(|shell| shell.kind == ShellKind::Open).count();
    if unbalanced > 0 && findings.is_empty() {
        let text = format!(
            "{unbalanced} bodies do not separate inside from outside; unite them in the CAD program and send the design again"
        );
        findings.push(Finding::error("OPEN_SURFACE", "mesh", text));
    }
    if let Some([index, _]) = topology.nonmanifold_at {
        let text = format!(
            "{} edges join more than two faces, as where bodies touch only along a line; look whether they should be one body there",
            topology.nonmanifold_edges
        );
        findings.push(Finding::warning("EDGE_NONMANIFOLD", shells::place(mesh, index), text));
    }
    if let Some(shell) = shells.iter().find(|shell| shell.kind == ShellKind::Cavity) {
        let count = shells.iter().filter(|shell| shell.kind == ShellKind::Cavity).count();
        let text = format!("bodies have voids inside, which stay as they are: {count}");
        findings.push(Finding::note("SHELL_CAVITY", at(shell.bounds.center()), text));
        let text = "a void has no way out: resin or investment stays inside; open it with a drain hole or confirm it";
        findings.push(Finding::warning("TRAPPED_VOID", at(shell.bounds.center()), text));
    }
    if mesh.triangles.is_empty() {
        let text = "nothing is left of the design but faces without area; export it again";
        findings.push(Finding::error("FILE_EMPTY", "mesh", text));
    }
    if let Some(far) =
        mesh.bounds().map(|bounds| bounds.max.sup(&-bounds.min).coords.max()).filter(|far| *far > COARSE_MM)
    {
        let text = format!(
            "the design lies {far:.0} mm from the origin, where single precision steps by more than 2 µm; move it to the origin before exporting"
        );
        findings.push(Finding::warning("COORD_RANGE", "mesh", text));
    }
    if !shells::is_nesting_known(shells) && !any_error(&findings) {
        let text = format!(
            "{} separate bodies are too many to see which lies in which; unite them in the CAD program",
            shells.len()
        );
        findings.push(Finding::error("TOO_MANY_SHELLS", "mesh", text));
    }
    findings
}

/// What crosses or lies in another. The slicer and the volume take every place once, so nothing is changed.
fn overlap_findings(
    topology: &Topology,
    crossings: &Crossings,
    overlap: Option<&Overlap>,
    signed_volume_mm3: f64,
) -> Vec<Finding> {
    let shell = |face: u32| topology.shell_of[face as usize];
    let own = crossings.pairs.iter().filter(|[one, two]| shell(*one) == shell(*two)).count();
    let between = crossings.pairs.len() - own;
    let excess = overlap.map_or(0.0, |overlap| overlap.excess_mm3);
    let is_counted_twice = excess.abs() > OVERLAP_PART * signed_volume_mm3.abs();
    let deepest = overlap.and_then(|overlap| overlap.place).filter(|_| is_counted_twice);
    let place = deepest.or(crossings.place).map_or_else(|| "mesh".to_owned(), at);
    let volumes = if is_counted_twice {
        format!("; {excess:.2} mm3 count once, not twice (plain sum {signed_volume_mm3:.2} mm3)")
    } else {
        String::new()
    };
    let count = |pairs: usize| if crossings.stopped { format!("{pairs} or more") } else { pairs.to_string() };
    let mut findings = Vec::new();
    if between > 0 || (is_counted_twice && own == 0) {
        let text = format!(
            "bodies overlap, {} pairs of faces cross{volumes}; they are taken as one body, unite them in the CAD program if that is not wanted",
            count(between)
        );
        findings.push(Finding::note("SHELL_OVERLAP", place.clone(), text));
    }
    if own > 0 {
        let text = format!(
            "the surface crosses itself: {} pairs of faces along {:.1} mm, at least {:.0} µm deep{volumes}; correct it in the CAD program if that is not wanted",
            count(own),
            crossings.length_mm,
            crossings.depth_mm * 1000.0
        );
        let is_slight = own <= CROSSINGS_SLIGHT || crossings.depth_mm < CROSSING_MM_SLIGHT;
        let is_slight = is_slight && !crossings.stopped;
        findings.push(if is_slight {
            Finding::note("SELF_INTERSECTION", place, text)
        } else {
            Finding::warning("SELF_INTERSECTION", place, text)
        });
    }
    findings
}

fn piece_findings(shells: &[Shell], overlap: Option<&Overlap>, settings: &CheckSettings) -> Option<Finding> {
    let overlap = overlap?;
    let mut pieces: Vec<u32> = (0..shells.len())
        .filter(|&index| shells[index].kind == ShellKind::Solid)
        .map(|index| overlap.piece_of[index])
        .collect();
    pieces.sort_unstable();
    pieces.dedup();
    (pieces.len() > settings.pieces_expected.max(1)).then(|| {
        let text = format!(
            "the design is {} separate pieces, the order says {}; order them as such, or join them in the CAD program",
            pieces.len(),
            settings.pieces_expected.max(1)
        );
        let place = shells.get(pieces[1] as usize).map_or_else(String::new, |shell| at(shell.bounds.center()));
        Finding::warning("MULTIPLE_PIECES", place, text)
    })
}

fn stone_finding(stone: &Stone) -> Finding {
    let text = format!(
        "a convex body of {:.2} mm outline and {:.2} mm depth ({:.2} mm3, {:.2} ct as a diamond) looks like a stone left in its setting; delete it from the design or confirm that it is metal; weight and price stay open until then",
        stone.outline_mm, stone.depth_mm, stone.volume_mm3, stone.diamond_carat
    );
    Finding::warning("LOOSE_STONE", at(Point3::from(stone.center_mm)), text)
}

/// The ordered size against the hole, and what else is worth knowing of a hole.
fn size_findings(ring: Option<&RingMeasure>, settings: &CheckSettings) -> Vec<Finding> {
    let ordered_mm = settings.inner_diameter_mm;
    let Some(ring) = ring else {
        let text =
            "a ring size is ordered, but the design has no finger hole; check the design and the order";
        return ordered_mm
            .map(|_| Finding::error("NO_FINGER_HOLE", "finger hole", text))
            .into_iter()
            .collect();
    };
    let mut findings = Vec::new();
    let measured_mm = ring.inner_diameter_mm;
    if let Some(ordered_mm) = ordered_mm {
        let off = (measured_mm - ordered_mm).abs();
        let text = format!(
            "the finger hole measures {measured_mm:.2} mm, {ordered_mm:.2} mm is ordered; correct the size in the order or the design"
        );
        if off > RING_WARN_MM {
            findings.push(Finding::error("RING_SIZE", "finger hole", text));
        } else if off > RING_PASS_MM {
            findings.push(Finding::warning("RING_SIZE", "finger hole", text));
        }
        if let Some(wall) = ring.wall_diameter_mm.filter(|wall| wall - measured_mm > ENTERS_MM) {
            let text = format!(
                "most of the wall of the finger hole measures {wall:.2} mm, {measured_mm:.2} mm are free; it is rounded inside, or something enters it: look for a prong, a burr or raised text"
            );
            findings.push(Finding::note("HOLE_NARROWED", "finger hole", text));
        }
        if let Some(length) = ring.hole_length_mm.filter(|length| *length > WIDE_BAND_MM) {
            let text = format!(
                "the band is {length:.1} mm wide, and wide bands feel smaller; look whether the ordered size allows for that"
            );
            findings.push(Finding::note("WIDE_BAND", "finger hole", text));
        }
    }
    findings
}

/// The middle of the mass of a closed surface; what lies in two bodies counts twice.
fn center_of_mass(mesh: &Mesh) -> Option<[f64; 3]> {
    let origin = mesh.bounds()?.center();
    let (mut volume, mut moment) = (0.0, nalgebra::Vector3::zeros());
    for face in 0..mesh.triangles.len() {
        let [a, b, c] = mesh.corners(face);
        let part = super::tetrahedron(origin, [a, b, c]);
        volume += part;
        moment += part * ((a - origin) + (b - origin) + (c - origin)) / 4.0;
    }
    (volume != 0.0).then(|| (origin + moment / volume).coords.into())
}

/// Factors between the units that designers use and millimetres: cm, inch, m, and mm read as cm.
const UNIT_FACTORS: [(f64, &str); 4] =
    [(10.0, "centimetres"), (25.4, "inches"), (1000.0, "metres"), (0.1, "tenths of a millimetre")];

fn unit_finding(report: &MeshReport, hole_mm: Option<f64>, settings: &CheckSettings) -> Option<Finding> {
    let is_plausible = |factor: f64| match (hole_mm, settings.inner_diameter_mm) {
        (Some(hole), Some(ordered)) => (hole * factor - ordered).abs() <= 1.0,
        (Some(hole), None) => bore::is_finger(hole * factor),
        (None, _) => is_jewellery(report, factor),
    };
    if is_plausible(1.0) || is_jewellery(report, 1.0) {
        return None;
    }
    let likely: Vec<String> = UNIT_FACTORS
        .iter()
        .filter(|(factor, _)| is_plausible(*factor))
        .map(|(factor, name)| format!("{name} (x {factor})"))
        .collect();
    let [low, high] = report.bounds_mm;
    let size = [0, 1, 2].map(|axis| format!("{:.3}", high[axis] - low[axis])).join(" x ");
    let guess = if likely.is_empty() { "none of the usual units".to_owned() } else { likely.join(" or ") };
    let text = format!(
        "read as millimetres the design is {size} mm, which is no jewellery; it looks like {guess}; export it in millimetres or say the unit"
    );
    Some(Finding::warning("UNIT_SUSPECT", "file", text))
}

/// Whether a design without a finger hole would be of a size that people wear.
fn is_jewellery(report: &MeshReport, factor: f64) -> bool {
    let [low, high] = report.bounds_mm;
    let longest = (0..3).map(|axis| high[axis] - low[axis]).fold(0.0, f64::max) * factor;
    let volume = report.volume_mm3.abs() * factor.powi(3);
    (3.0..=120.0).contains(&longest) && (2.0..=20_000.0).contains(&volume)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::finding::Severity;
    use crate::mesh_files::{LengthUnit, MeshFormat};
    use crate::rings::{BandProfile, RingDesign};

    pub(crate) fn cube(corner: Point3<f32>, side: f32) -> Mesh {
        let bit = |index: u8, at: u8| f32::from(index >> at & 1) * side;
        let vertices = (0..8_u8)
            .map(|index| corner + nalgebra::Vector3::new(bit(index, 0), bit(index, 1), bit(index, 2)))
            .collect();
        let quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
        let triangles = quads.iter().flat_map(|&[a, b, c, d]| [[a, b, c], [a, c, d]]).collect();
        Mesh { vertices, triangles }
    }

    pub(crate) fn merged(meshes: &[Mesh]) -> Mesh {
        let mut all = Mesh::default();
        for mesh in meshes {
            let offset = u32::try_from(all.vertices.len()).unwrap();
            all.vertices.extend(&mesh.vertices);
            all.triangles.extend(mesh.triangles.iter().map(|face| face.map(|index| index + offset)));
        }
        all
    }

    pub(crate) fn inside_out(mut mesh: Mesh) -> Mesh {
        mesh.triangles.iter_mut().for_each(|face| face.swap(1, 2));
        mesh
    }

    const SETTINGS: CheckSettings =
        CheckSettings { pieces_expected: 1, inner_diameter_mm: None, wall_samples: 1000, wall_mm_min: None };

    fn read(mesh: Mesh, declared_unit: Option<LengthUnit>) -> ReadMesh {
        ReadMesh { mesh, format: MeshFormat::Stl, declared_unit, findings: Vec::new() }
    }

    fn codes(report: &MeshReport) -> Vec<&str> {
        report.findings.iter().map(|finding| finding.code.as_str()).collect()
    }

    #[test]
    fn a_sound_design_comes_back_vertex_for_vertex() {
        let mesh = cube(Point3::new(3.0, 2.0, 1.0), 8.0);

        let checked = check(read(mesh.clone(), None), &SETTINGS);

        assert_eq!(checked.mesh, mesh);
        assert_eq!(checked.report.findings, []);
        assert_eq!(checked.report.bounds_mm, [[3.0, 2.0, 1.0], [11.0, 10.0, 9.0]]);
        assert!((checked.report.volume_mm3 - 512.0).abs() < 1e-9);
        assert!((checked.report.area_mm2 - 384.0).abs() < 1e-9);
    }

    #[test]
    fn the_report_has_the_keys_of_the_command_line_and_reads_back() {
        let report = check(read(cube(Point3::new(0.0, 0.0, 0.0), 8.0), None), &SETTINGS).report;

        let json = serde_json::to_value(&report).unwrap();

        for key in [
            "triangles",
            "watertight",
            "shells",
            "volume_mm3",
            "area_mm2",
            "bounds_mm",
            "thinnest_wall_mm",
            "ring",
            "metal_g",
            "repairs",
            "findings",
        ] {
            assert!(json.get(key).is_some(), "{key}");
        }
        assert!(json["ring"].is_null());
        assert_eq!(serde_json::from_value::<MeshReport>(json).unwrap(), report);
    }

    #[test]
    fn two_pieces_are_in_order_if_the_order_says_two() {
        let pair = merged(&[cube(Point3::new(0.0, 0.0, 0.0), 5.0), cube(Point3::new(9.0, 0.0, 0.0), 5.0)]);
        let two = CheckSettings { pieces_expected: 2, ..SETTINGS };

        assert_eq!(codes(&check(read(pair.clone(), None), &SETTINGS).report), ["MULTIPLE_PIECES"]);
        assert_eq!(codes(&check(read(pair, None), &two).report), [""; 0]);
    }

    #[test]
    fn a_declared_unit_is_believed_and_a_missing_one_is_doubted() {
        let tiny = || cube(Point3::new(0.0, 0.0, 0.0), 0.8);

        assert_eq!(codes(&check(read(tiny(), Some(LengthUnit::Millimeter)), &SETTINGS).report), [""; 0]);
        assert_eq!(codes(&check(read(tiny(), None), &SETTINGS).report), ["UNIT_SUSPECT"]);
    }

    #[test]
    fn a_ring_of_another_size_than_ordered_is_refused_and_a_thin_wall_is_shown() {
        let band = RingDesign::band(17.3, 4.0, 0.7, BandProfile::Flat).generate().unwrap();
        let severity = |ordered: f64| {
            let settings = CheckSettings { inner_diameter_mm: Some(ordered), ..SETTINGS };
            let report = check(read(band.clone(), None), &settings).report;
            report.findings.first().map(|finding| (finding.code.clone(), finding.severity))
        };
        let thick = CheckSettings {
            wall_mm_min: Some(ThinLimits { wall_mm: 0.8, prong_mm: 0.6, wire_mm: 0.5 }),
            ..SETTINGS
        };

        assert_eq!(severity(17.32), None);
        assert_eq!(severity(17.4), Some(("RING_SIZE".to_owned(), Severity::Warning)));
        assert_eq!(severity(17.7), Some(("RING_SIZE".to_owned(), Severity::Error)));
        let report = check(read(band.clone(), None), &thick).report;
        assert!(
            !report.findings.is_empty() && codes(&report).iter().all(|code| *code == "THIN"),
            "{report:?}"
        );
    }
}
