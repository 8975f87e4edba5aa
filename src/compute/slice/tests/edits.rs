//! Plates that are changed part by part, against plates that are sliced as a whole.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;

use super::super::cache::{PlacedPart, PlateSlices, Updated};
use super::super::{Layer, LayerSource, Part, Plate, PrepareError, Sampling, Settings};
use super::{settings, solids};
use crate::mesh::Mesh;

fn part(name: &str, mesh: &Arc<Mesh>, x: f64, y: f64) -> PlacedPart {
    PlacedPart { name: name.to_owned(), mesh: Arc::clone(mesh), offset_mm: [x, y, 0.0] }
}

fn all_layers(source: &dyn LayerSource) -> Vec<Layer> {
    (0..source.layer_count()).map(|index| source.layer(index).expect("a layer")).collect()
}

fn fresh(parts: &[PlacedPart], settings: &Settings) -> Vec<Layer> {
    let parts: Vec<Part<'_>> = parts
        .iter()
        .map(|part| Part { name: &part.name, mesh: &part.mesh, offset_mm: part.offset_mm })
        .collect();
    all_layers(&Plate::prepare(&parts, settings.clone()).expect("the parts fit"))
}

fn update(slices: &mut PlateSlices, parts: &[PlacedPart]) -> Updated {
    slices.update(parts, &AtomicBool::new(false)).expect("the parts fit")
}

#[test]
fn a_part_that_moves_costs_its_own_layers_only() {
    let (low, high) = (Arc::new(solids::sphere(1.0, 24)), Arc::new(solids::cylinder(1.5, 4.0, 24)));
    let mut slices = PlateSlices::new(settings(Sampling::Coverage));
    let mut parts =
        vec![part("a", &low, 10.0, 10.0), part("b", &low, 20.0, 10.0), part("c", &high, 30.0, 10.0)];

    let made = |kept_groups, made_layers| Updated { kept_groups, made_layers };
    assert_eq!(update(&mut slices, &parts), made(0, 40 + 40 + 80));
    assert_eq!(update(&mut slices, &parts), made(3, 0));
    parts[1].offset_mm[1] += 0.7;
    assert_eq!(update(&mut slices, &parts), made(2, 40));
    parts.remove(2);
    assert_eq!(update(&mut slices, &parts), made(2, 0));
    assert_eq!(slices.layer_count(), 40);
    parts.push(part("d", &high, 20.5, 11.0));
    assert_eq!(update(&mut slices, &parts), made(1, 80), "two that overlap are one group");

    assert_eq!(all_layers(&slices), fresh(&parts, &settings(Sampling::Coverage)));
}

#[test]
fn a_refused_or_stopped_update_leaves_the_plate_as_it_was() {
    let ball = Arc::new(solids::sphere(1.0, 24));
    let mut slices = PlateSlices::new(settings(Sampling::Centre));
    let _ = update(&mut slices, &[part("a", &ball, 10.0, 10.0)]);
    let before = all_layers(&slices);

    let outside = slices.update(&[part("b", &ball, 0.0, 10.0)], &AtomicBool::new(false));
    let stopped = slices.update(&[part("b", &ball, 20.0, 10.0)], &AtomicBool::new(true));

    assert!(matches!(outside, Err(PrepareError::OutsideDisplay { part, .. }) if part == "b"));
    assert_eq!(stopped, Err(PrepareError::Cancelled));
    assert_eq!(all_layers(&slices), before);
}

#[test]
fn an_open_part_spoils_no_other_one() {
    let mut open = solids::cuboid([0.0; 3], [2.0, 2.0, 1.0]);
    open.triangles.remove(8);
    let (open, sound) = (Arc::new(open), Arc::new(solids::sphere(1.0, 24)));
    for sampling in [Sampling::Centre, Sampling::Coverage] {
        let alone = fresh(&[part("sound", &sound, 20.0, 10.0)], &settings(sampling));
        let both = [part("open", &open, 10.0, 9.0), part("sound", &sound, 20.0, 10.0)];
        let open_only = fresh(&both[..1], &settings(sampling));

        let together = fresh(&both, &settings(sampling));

        for (index, layer) in together.iter().enumerate() {
            let expected = alone[index].light + open_only.get(index).map_or(0, |layer| layer.light);
            assert_eq!(layer.light, expected, "layer {index}");
        }
        assert!(together[5].open_rows > 0);
    }
}

#[derive(Debug, Clone)]
enum Edit {
    Add(usize, f64, f64),
    Move(usize, f64, f64),
    Drop(usize),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let place = || (3.0..12.0_f64, 3.0..12.0_f64);
    let edit = prop_oneof![
        3 => (0..3_usize, place()).prop_map(|(kind, (x, y))| Edit::Add(kind, x, y)),
        3 => (any::<usize>(), place()).prop_map(|(which, (x, y))| Edit::Move(which, x, y)),
        1 => any::<usize>().prop_map(Edit::Drop),
    ];
    prop::collection::vec(edit, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Parts apart, touching, overlapping and one in the hole of another.
    #[test]
    fn an_edited_plate_is_the_plate_that_is_sliced_at_once(edits in edits(), is_grey in any::<bool>()) {
        let meshes = [solids::sphere(0.5, 16), solids::torus(1.6, 0.3, 24, 8), solids::cuboid([0.0; 3], [1.0, 0.7, 1.3])];
        let meshes = meshes.map(Arc::new);
        let settings = settings(if is_grey { Sampling::Coverage } else { Sampling::Centre });
        let mut slices = PlateSlices::new(settings.clone());
        let mut parts: Vec<PlacedPart> = Vec::new();
        for edit in edits {
            match edit {
                Edit::Add(kind, x, y) => parts.push(part("part", &meshes[kind], x, y)),
                Edit::Move(which, x, y) if !parts.is_empty() => {
                    let which = which % parts.len();
                    parts[which].offset_mm = [x, y, 0.0];
                }
                Edit::Drop(which) if !parts.is_empty() => {
                    parts.remove(which % parts.len());
                }
                Edit::Move(..) | Edit::Drop(..) => {}
            }
            let _ = update(&mut slices, &parts);
            if parts.is_empty() {
                prop_assert_eq!(slices.layer_count(), 0);
            } else {
                prop_assert!(all_layers(&slices) == fresh(&parts, &settings), "{} parts", parts.len());
            }
        }
    }
}
