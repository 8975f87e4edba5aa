//! Parts with faults that are known.

use super::voxels::Voxels;
use super::{STRICT, checked, codes, of_mesh, of_mesh_with};
use crate::plate_checks::{
    Base, Closed, IslandKind, IslandRule, LISTED_MAX, Opening, PartBox, Rules, Scene, WeakRule,
};
use crate::slice::tests::settings;
use crate::slice::tests::solids::{cuboid, cylinder, joined, reversed, sphere};
use crate::slice::{Display, Orientation, Sampling};

/// A cup of 8 mm that stands on its mouth or on its foot; `hole` in its wall, from one height to another.
fn pot(foot: bool) -> crate::mesh::Mesh {
    let floor = if foot { [0.0, 1.0] } else { [4.0, 5.0] };
    let body = cuboid([-4.0, -4.0, 0.0], [4.0, 4.0, 5.0]);
    let inside = if foot { [floor[1], 5.0] } else { [0.0, floor[0]] };
    joined(&body, &reversed(&cuboid([-3.0, -3.0, inside[0]], [3.0, 3.0, inside[1]])))
}

#[test]
fn a_pot_on_its_foot_sucks_until_the_print_ends() {
    let report = of_mesh(&pot(true), &Rules::GEOMETRY);

    let [cup] = &report.pockets[..] else { panic!("{:?}", report.pockets) };
    assert_eq!((cup.closed, cup.opening), (Closed::WhilePrinting, Opening::AfterPrint));
    assert_eq!((cup.first_layer, cup.last_layer, cup.is_on_plate), (20, 99, false));
    assert!((cup.volume_ml - 0.144).abs() < 0.144 * 0.01, "{}", cup.volume_ml);
    assert!((cup.area_mm2_max - 36.0).abs() < 0.4, "{}", cup.area_mm2_max);
    assert_eq!((cup.lowest_mm[2], cup.highest_mm[2]), (1.0, 5.0));
    assert!(codes(&report).contains(&"SUCTION_CUP") && !codes(&report).contains(&"TRAPPED_RESIN"));
}

#[test]
fn a_pot_on_its_mouth_is_closed_until_it_is_taken_off_the_plate() {
    let report = of_mesh(&pot(false), &Rules::GEOMETRY);

    let [trap] = &report.pockets[..] else { panic!("{:?}", report.pockets) };
    assert_eq!((trap.closed, trap.opening), (Closed::ForEver, Opening::Never));
    assert_eq!((trap.first_layer, trap.last_layer, trap.is_on_plate), (0, 79, true));
    let told = report.findings.iter().find(|finding| finding.code == "TRAPPED_RESIN").unwrap();
    assert!(told.text.contains("taken off the plate"), "{}", told.text);
    let raised = of_mesh(&pot(false), &Rules { base: Base::Raised, ..Rules::GEOMETRY });
    assert_eq!(raised.pockets, [], "on supports its mouth is open");
}

#[test]
fn a_vent_at_the_bottom_of_a_pot_ends_the_cup_above_it() {
    // A channel of 1 mm through the wall, from 1.5 to 2.5 mm: the cup is below it.
    let vent = reversed(&cuboid([3.0, -0.5, 1.5], [4.0, 0.5, 2.5]));
    let report = of_mesh(&joined(&pot(true), &vent), &STRICT);

    let openings: Vec<_> = report.pockets.iter().map(|pocket| pocket.opening).collect();
    assert_eq!(openings, [Opening::AtLayer(30)]);
    let small = of_mesh(&joined(&pot(true), &vent), &Rules::GEOMETRY);
    assert_eq!(small.counts.cups, 1, "0.5 mm is high enough to be told");
    let low = reversed(&cuboid([3.0, -0.5, 1.0], [4.0, 0.5, 2.5]));
    let vented = of_mesh(&joined(&pot(true), &low), &STRICT);
    assert_eq!(vented.pockets, []);
}

#[test]
fn a_hollow_ball_traps_its_resin() {
    let hollow = joined(
        &sphere(5.0, 96),
        &reversed(&crate::slice::tests::solids::moved(&sphere(3.0, 96), [0.0, 0.0, 2.0])),
    );
    let report = of_mesh(&hollow, &Rules::GEOMETRY);

    let [trap] = &report.pockets[..] else { panic!("{:?}", report.pockets) };
    let volume_ml = std::f64::consts::TAU * 2.0 / 3.0 * 27.0 / 1000.0;
    assert_eq!((trap.closed, trap.is_on_plate), (Closed::ForEver, false));
    assert!((trap.volume_ml - volume_ml).abs() < 0.01 * volume_ml, "{} {volume_ml}", trap.volume_ml);
    assert!((trap.lowest_mm[2] - 2.0).abs() <= 0.1 && (trap.highest_mm[2] - 8.0).abs() <= 0.1, "{trap:?}");
    assert!((trap.lowest_mm[0] - 60.0).abs() < 0.5 && (trap.lowest_mm[1] - 34.0).abs() < 0.5, "{trap:?}");
}

#[test]
fn a_hook_begins_as_an_island_and_says_where_it_joins() {
    let post = cuboid([-5.0, -1.0, 0.0], [-2.0, 1.0, 10.0]);
    let arm = cuboid([-5.0, -1.0, 8.0], [5.0, 1.0, 10.0]);
    let tip = cuboid([4.0, -0.5, 6.0], [5.0, 0.5, 9.0]);
    let report = of_mesh(&joined(&joined(&post, &arm), &tip), &Rules::GEOMETRY);

    let free: Vec<_> = report.islands.iter().filter(|island| island.kind == IslandKind::Free).collect();
    let [island] = free[..] else { panic!("{:?}", report.islands) };
    assert_eq!((island.layer, island.z_mm, island.joins_layer), (120, 6.05, Some(160)));
    assert!((island.area_mm2 - 1.0).abs() < 0.05 && island.overlap_px == 0);
    assert!((island.centroid_mm[0] - 64.5).abs() < 0.03 && (island.centroid_mm[1] - 34.0).abs() < 0.03);
    let weak: Vec<_> = report.islands.iter().filter(|island| island.kind == IslandKind::Weak).collect();
    assert_eq!(weak.len(), 0, "the arm stands on a third of itself: {weak:?}");
}

#[test]
fn a_part_that_floats_never_joins() {
    let floating = cuboid([2.0, -1.0, 3.0], [4.0, 1.0, 4.0]);
    let report = of_mesh(&joined(&cuboid([-4.0, -1.0, 0.0], [0.0, 1.0, 5.0]), &floating), &Rules::GEOMETRY);

    assert_eq!(report.islands.len(), 1);
    assert_eq!(report.islands[0].joins_layer, None);
    let told = &report.findings[0];
    assert!(told.code == "ISLAND" && told.text.contains("never joins"), "{told}");
    assert_eq!(told.place, "layer 60 at 63.01, 34.00, 3.05 mm");
}

#[test]
fn a_slab_on_a_needle_is_weak() {
    let slab =
        joined(&cuboid([-0.1, -0.1, 0.0], [0.1, 0.1, 2.0]), &cuboid([-3.0, -3.0, 2.0], [3.0, 3.0, 3.0]));
    let report = of_mesh(&slab, &Rules::GEOMETRY);

    let [island] = &report.islands[..] else { panic!("{:?}", report.islands) };
    assert_eq!((island.kind, island.layer, island.joins_layer), (IslandKind::Weak, 40, Some(40)));
    assert!(island.overlap_px > 0);
}

#[test]
fn an_island_that_is_too_small_at_first_is_told_when_it_has_grown() {
    let block = Voxels::drawn(
        "#..... ...... ......\n\n\
         #..... ....#. ......\n\n\
         #..... ...##. ......\n\n\
         #..... ..###. ......",
    );
    let islands = IslandRule { px_min: 3, reach_px: 0, weak: None };
    let report = checked(&block, &block.scene(), &Rules { islands, ..STRICT });

    assert_eq!(report.counts.free_islands, 1);
    assert_eq!((report.islands[0].layer, report.islands[0].px), (3, 3));
    let weak = Some(WeakRule { overlap_px: 2, overlap_share: 0.0, px_min: 2 });
    let islands = IslandRule { px_min: 1, reach_px: 0, weak };
    let both = checked(&block, &block.scene(), &Rules { islands, ..STRICT });
    assert_eq!((both.counts.free_islands, both.counts.weak_islands), (1, 1));
}

#[test]
fn pixels_that_touch_at_a_corner_hold_nothing_and_seal_nothing() {
    let block = Voxels::drawn(
        "##... #.... ##### ##... #....\n\n\
         ##... #.#.. ###.. ##... #....",
    );
    let report = checked(&block, &block.scene(), &STRICT);
    assert_eq!(report.counts.free_islands, 0);

    let ring = Voxels::drawn("..... .##.. #..#. .##.. .....");
    let open = checked(&ring, &ring.scene(), &STRICT);
    assert_eq!(open.pockets.len(), 1, "dark that touches at corners only does not flow");
}

#[test]
fn places_are_those_of_the_plate_whichever_way_the_picture_lies() {
    let mesh = joined(&cuboid([-4.0, -2.0, 0.0], [4.0, 2.0, 1.0]), &cuboid([5.0, 3.0, 1.0], [6.0, 5.0, 2.0]));
    for orientation in [Orientation::Landscape, Orientation::Portrait] {
        for (mirror_x, mirror_y) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut settings = settings(Sampling::Centre);
            settings.display = Display { orientation, mirror_x, mirror_y, ..settings.display };
            if orientation == Orientation::Portrait {
                (settings.display.width_px, settings.display.height_px) = (1440, 2560);
            }
            let report = of_mesh_with(&mesh, &Rules::GEOMETRY, &settings);
            let [island] = &report.islands[..] else { panic!("{:?}", report.islands) };
            let off = [island.centroid_mm[0] - 65.5, island.centroid_mm[1] - 38.0];
            assert!(off.iter().all(|mm| mm.abs() < 0.03), "{orientation:?} {mirror_x} {mirror_y}: {off:?}");
        }
    }
}

#[test]
fn a_fault_names_its_part_and_counts_from_the_corner_of_the_build_area() {
    let mesh = joined(&cuboid([-4.0, -2.0, 0.0], [4.0, 2.0, 1.0]), &cuboid([5.0, 3.0, 1.0], [6.0, 5.0, 2.0]));
    let settings = settings(Sampling::Centre);
    let parts = [crate::slice::tests::centred(&mesh)];
    let plate = crate::slice::Plate::prepare(&parts, settings.clone()).unwrap();
    let mut scene = Scene::of(&settings.heights, 40);
    scene.origin_mm = [50.0, 30.0];
    let named = |name: &str, x: f64| PartBox {
        name: name.to_owned(),
        low_mm: [x, 0.0, 0.0],
        high_mm: [x + 12.0, 12.0, 2.0],
    };
    scene.parts = vec![named("ring", 5.0), named("stud", 30.0)];
    let report = checked(&plate, &scene, &Rules::GEOMETRY);

    let island = &report.islands[0];
    assert_eq!(island.part.as_deref(), Some("ring"));
    assert!((island.centroid_mm[0] - 15.5).abs() < 0.03 && (island.centroid_mm[1] - 8.0).abs() < 0.03);
    assert!(report.findings[0].place.starts_with("ring layer 20 at 15.5"), "{}", report.findings[0].place);
}

#[test]
fn a_wire_below_the_limit_is_thin_and_one_above_it_is_not() {
    let foot = cuboid([-4.0, -4.0, 0.0], [4.0, 4.0, 1.0]);
    let wire = |radius: f64| {
        let pin = crate::slice::tests::solids::moved(&cylinder(radius, 4.0, 48), [0.0, 0.0, 1.0]);
        of_mesh(&joined(&foot, &pin), &Rules { thin_mm: Some(0.5), ..Rules::GEOMETRY })
    };

    let thin = wire(0.2);
    let [feature] = &thin.thin[..] else { panic!("{:?}", thin.thin) };
    assert_eq!((feature.first_layer, feature.last_layer), (20, 99));
    assert!(codes(&thin).contains(&"THIN_FEATURE"));
    assert_eq!(wire(0.4).thin, []);
    let ball = of_mesh(&sphere(4.0, 96), &Rules { thin_mm: Some(0.5), ..Rules::GEOMETRY });
    assert_eq!(ball.thin, [], "the ends of a ball are small, not thin");
}

#[test]
fn a_fin_on_a_thick_wall_is_thin() {
    let wall = cuboid([-4.0, -4.0, 0.0], [0.0, 4.0, 4.0]);
    let fin = cuboid([-0.1, -0.1, 0.0], [3.0, 0.1, 4.0]);
    let report = of_mesh(&joined(&wall, &fin), &Rules { thin_mm: Some(0.4), ..Rules::GEOMETRY });

    let [feature] = &report.thin[..] else { panic!("{:?}", report.thin) };
    assert!((feature.area_mm2_max - 0.6).abs() < 0.12, "{feature:?}");
    assert!(feature.at_mm[0] > 60.0, "{feature:?}");
}

#[test]
fn limits_that_nobody_knows_are_not_held_against_and_that_is_said() {
    let mesh = cuboid([-4.0, -4.0, 0.0], [4.0, 4.0, 1.0]);
    assert_eq!(codes(&of_mesh(&mesh, &Rules::GEOMETRY)), ["PEEL_UNCHECKED", "THIN_UNCHECKED"]);

    let limits = Rules { peel_mm2: Some(60.0), thin_mm: Some(0.3), jump_mm2: Some(10.0), ..Rules::GEOMETRY };
    let report = of_mesh(&mesh, &limits);
    assert_eq!(codes(&report), ["PEEL_AREA"]);
    assert_eq!(report.findings[0].place, "layers 0 to 19");
    assert_eq!(codes(&of_mesh(&mesh, &Rules { peel_mm2: Some(70.0), ..limits.clone() })), Vec::<&str>::new());
    let table =
        joined(&cuboid([-4.0, -4.0, 0.0], [-2.0, 4.0, 1.0]), &cuboid([-4.0, -4.0, 1.0], [4.0, 4.0, 2.0]));
    let jump = of_mesh(&table, &Rules { peel_mm2: Some(70.0), ..limits });
    assert_eq!(codes(&jump), ["AREA_JUMP"]);
    assert_eq!(jump.findings[0].place, "layer 20");
}

#[test]
fn a_dark_layer_and_light_at_the_edge_are_told() {
    let block = Voxels::drawn("##... .....\n\n..... .....\n\n.#... .....");
    let report = checked(&block, &block.scene(), &STRICT);
    assert_eq!(
        codes(&report),
        ["ISLAND", "LAYER_DARK", "PLATE_EDGE_LIT", "PEEL_UNCHECKED", "THIN_UNCHECKED"]
    );
    let dark = Voxels::drawn("..\n\n..");
    assert_eq!(codes(&checked(&dark, &dark.scene(), &STRICT))[0], "PLATE_DARK");
}

#[test]
fn a_flood_of_faults_is_counted_and_not_listed() {
    let (width, layers) = (120, 3);
    let lit = (0..width * width * layers).map(|i| {
        let (x, y, z) = (i % width, i / width % width, i / (width * width));
        x % 2 == 1 && y % 2 == 1 && z == 1
    });
    let block = Voxels { size: [width, width, layers], lit: lit.collect() };
    let report = checked(&block, &block.scene(), &STRICT);

    assert_eq!(report.counts.free_islands, 3600);
    assert_eq!(report.islands.len(), LISTED_MAX);
    assert!(report.findings.len() < 20);
    assert!(report.findings.iter().any(|finding| finding.text.starts_with("3592 more islands")));
}
