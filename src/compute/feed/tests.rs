//! Facts about sprues.

use nalgebra::Vector3;

use super::*;
use crate::mesh::{CheckSettings, bore, check};
use crate::mesh_files::{MeshFormat, ReadMesh};
use crate::rings::{RingDesign, RingStyle};

const RULE: FeedRule = FeedRule::GOLD_AND_SILVER;

fn rings() -> Vec<Mesh> {
    let solitaire = RingDesign { resolution_mm: 0.4, ..RingDesign::solitaire(17.3, 6, 6.5) };
    let style = RingStyle::Signet { face_width_mm: 10.0, face_length_mm: 12.0, face_height_mm: 4.0 };
    let thick = RingDesign { width_mm: 5.0, thickness_mm: 3.0, style, ..RingDesign::signet(20.0) };
    [solitaire, RingDesign::signet(18.0), thick].iter().map(|design| design.generate().unwrap()).collect()
}

fn made(mesh: &Mesh, place: FeedPlace, towards: Option<Vector3<f64>>) -> Result<Feed, FeedError> {
    feed(mesh, &bore::measure(mesh).unwrap(), &RULE, place, towards)
}

fn report(mesh: &Mesh) -> crate::mesh::MeshReport {
    let settings =
        CheckSettings { pieces_expected: 1, inner_diameter_mm: None, wall_samples: 0, wall_mm_min: None };
    let read =
        ReadMesh { mesh: mesh.clone(), format: MeshFormat::Stl, declared_unit: None, findings: vec![] };
    check(read, &settings).report
}

#[test]
fn a_sprue_stands_opposite_the_head_and_leaves_the_finger_hole_as_it_was() {
    for mesh in rings() {
        let before = bore::measure(&mesh).unwrap();

        let feed = made(&mesh, FeedPlace::Bottom, None).unwrap();
        let with = with_feed(&mesh, &feed);

        assert!(feed.direction.y < -0.999, "{}", feed.direction);
        let after = bore::measure(&with).unwrap();
        assert!((after.inner_diameter_mm - before.inner_diameter_mm).abs() < 0.01);
        assert_eq!(with.vertices[..mesh.vertices.len()], mesh.vertices);
        let reach = feed.mesh.bounds().unwrap().min.y;
        assert!((reach - (feed.root.y - RULE.length_mm)).abs() < 1e-3, "{reach}");
    }
}

#[test]
fn a_sprue_is_closed_reaches_into_the_shank_and_adds_the_volume_it_says() {
    for mesh in rings() {
        let feed = made(&mesh, FeedPlace::Bottom, None).unwrap();

        let alone = report(&feed.mesh);
        let both = report(&with_feed(&mesh, &feed));

        assert!(alone.watertight && alone.shells == 1, "{alone:?}");
        let added = both.volume_mm3 - report(&mesh).volume_mm3;
        assert!((added / feed.volume_mm3 - 1.0).abs() < 0.03, "{added} {}", feed.volume_mm3);
        let overlap = alone.volume_mm3 - added;
        assert!(overlap > 0.05 * feed.diameter_mm.powi(2), "{overlap}");
        assert!(both.watertight);
    }
}

#[test]
fn the_bar_is_as_thick_as_the_rule_says() {
    let [thin, _, thick] = <[Mesh; 3]>::try_from(rings()).unwrap();

    let thin = made(&thin, FeedPlace::Bottom, None).unwrap();
    let thick = made(&thick, FeedPlace::Bottom, None).unwrap();

    // Shanks of 2.4 x 1.8 mm, rounded, and 5 x 3 mm.
    assert!((thin.shank_mm - 1.8).abs() < 0.1, "{}", thin.shank_mm);
    assert!((thin.diameter_mm - 2.0).abs() < 0.1, "{}", thin.diameter_mm);
    assert!((thick.diameter_mm - 3.3).abs() < 0.1, "{}", thick.diameter_mm);
    let bar = |feed: &Feed| {
        let at_bar = |vertex: &&Point3<f32>| {
            let height = (vertex.cast::<f64>() - feed.root).dot(&feed.direction);
            (height - (RULE.length_mm - RULE.flare_mm)).abs() < 1e-3
        };
        let from_axis = |vertex: &Point3<f32>| {
            let from = vertex.cast::<f64>() - feed.root;
            (from - feed.direction * from.dot(&feed.direction)).norm()
        };
        feed.mesh.vertices.iter().filter(at_bar).map(from_axis).fold(0.0, f64::max)
    };
    assert!((2.0 * bar(&thick) - thick.diameter_mm).abs() < 1e-3);
}

#[test]
fn the_heaviest_place_is_the_shoulder_of_a_signet() {
    let mesh = RingDesign::signet(18.0).generate().unwrap();

    let bottom = made(&mesh, FeedPlace::Bottom, None).unwrap();
    let heavy = made(&mesh, FeedPlace::Heaviest, None).unwrap();

    assert!(heavy.shank_mm >= bottom.shank_mm);
    assert!(heavy.direction.y > bottom.direction.y + 0.5, "{}", heavy.direction);
    assert!(heavy.direction.y < 0.6, "not on the head: {}", heavy.direction);
}

#[test]
fn a_sprue_can_point_straight_down_in_print_but_not_along_the_shank() {
    let mesh = rings().remove(0);
    let lean = |degrees: f64| {
        let (sin, cos) = degrees.to_radians().sin_cos();
        made(&mesh, FeedPlace::Bottom, Some(Vector3::new(0.0, -cos, sin)))
    };

    let leaning = lean(35.0).unwrap();

    assert!(report(&leaning.mesh).watertight);
    let straight = lean(0.0).unwrap();
    assert!((leaning.volume_mm3 / straight.volume_mm3 - 1.0).abs() < 0.1);
    assert!(matches!(lean(50.0), Err(FeedError::Lean { .. })));
}

#[test]
fn what_can_not_be_made_is_refused() {
    let foil = RingDesign { thickness_mm: 0.6, ..RingDesign::signet(18.0) };
    let thin = RingDesign { resolution_mm: 0.2, ..foil }.generate().unwrap();
    let rule = FeedRule { hole_clearance_mm: 0.55, ..RULE };
    let ring = bore::measure(&thin).unwrap();

    let reach = feed(&thin, &ring, &rule, FeedPlace::Bottom, None);
    let short = feed(&thin, &ring, &FeedRule { length_mm: 1.0, ..RULE }, FeedPlace::Bottom, None);

    assert!(
        matches!(reach, Err(FeedError::Reach { shank_mm }) if (shank_mm - 0.6).abs() < 0.05),
        "{reach:?}"
    );
    assert_eq!(short, Err(FeedError::UseRule { what: "length" }));
    let empty = feed(&Mesh::default(), &ring, &RULE, FeedPlace::Bottom, None);
    assert!(matches!(empty, Err(FeedError::FindShank { .. })), "{empty:?}");
}
