use proptest::prelude::*;

use super::*;

fn plate(width: i32, depth: i32) -> PlateSize {
    PlateSize { width: Microns(width), depth: Microns(depth) }
}

fn piece(width: i32, depth: i32) -> Footprint {
    Footprint { width: Microns(width), depth: Microns(depth), may_turn: true }
}

fn box_of(placement: &Placement, footprints: &[Footprint]) -> [i64; 4] {
    let Footprint { width, depth, .. } = footprints[placement.index];
    let (width, depth) = if placement.is_turned { (depth, width) } else { (width, depth) };
    let (x, y) = (i64::from(placement.x.0), i64::from(placement.y.0));
    [x, y, x + i64::from(width.0), y + i64::from(depth.0)]
}

#[test]
fn a_piece_that_only_fits_turned_is_turned() {
    let placements = place(&[piece(30_000, 10_000)], plate(12_000, 32_000), Microns(1000));

    assert_eq!(
        placements.placed,
        [Placement { index: 0, x: Microns(1000), y: Microns(1000), is_turned: true }]
    );
}

#[test]
fn a_piece_that_may_not_be_turned_is_left_over() {
    let fixed = Footprint { may_turn: false, ..piece(30_000, 10_000) };

    assert_eq!(place(&[fixed], plate(12_000, 32_000), Microns(1000)).left_over, [0]);
}

#[test]
fn a_plate_of_squares_is_filled_completely() {
    let pieces = vec![piece(10_000, 10_000); 28];

    let placements = place(&pieces, plate(78_000, 45_000), Microns(1000));

    assert_eq!(placements.placed.len(), 28);
}

#[test]
fn what_does_not_fit_goes_to_the_next_plate_and_what_never_fits_is_returned() {
    let pieces = [piece(10_000, 10_000), piece(10_000, 10_000), piece(90_000, 10_000)];

    let (plates, never) = place_all(&pieces, plate(12_000, 12_000), Microns(1000));

    assert_eq!(plates.len(), 2);
    assert_eq!(never, [2]);
}

#[test]
fn real_ring_boxes_cover_two_thirds_of_a_plate() {
    // Ten kinds of ring and pendant, six of each, mm; boxes of real footprints.
    let kinds =
        [[22, 8], [24, 10], [21, 21], [26, 14], [19, 7], [12, 9], [17, 16], [30, 16], [9, 9], [23, 12]];
    let pieces: Vec<Footprint> =
        kinds.iter().cycle().take(60).map(|[width, depth]| piece(width * 1000, depth * 1000)).collect();

    let placements = place(&pieces, plate(153_360, 77_760), Microns(800));

    let covered: i64 = placements.placed.iter().map(|placement| area(&pieces[placement.index])).sum();
    let part = covered as f64 / (153_360.0 * 77_760.0);
    assert!(part > 0.67, "{part}");
}

#[test]
fn the_footprint_of_a_mesh_is_its_box_rounded_up() {
    let mut mesh = crate::mesh::check::tests::cube(nalgebra::Point3::new(1.0, 2.0, 3.0), 2.0);
    crate::mesh::transform::scale(&mut mesh, nalgebra::Vector3::new(1.0, 1.000_2, 1.0));

    let footprint = Footprint::of(&mesh, false).unwrap();

    assert_eq!((footprint.width, footprint.depth), (Microns(2000), Microns(2001)));
    assert_eq!(Footprint::of(&Mesh::default(), false), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_never_overlap_and_never_pass_the_margin(
        sizes in prop::collection::vec((1..40_000_i32, 1..40_000_i32, any::<bool>()), 0..40),
        width in 1..160_000_i32,
        depth in 1..90_000_i32,
        margin in 0..3000_i32,
    ) {
        let footprints: Vec<Footprint> = sizes
            .iter()
            .map(|&(width, depth, may_turn)| Footprint { may_turn, ..piece(width, depth) })
            .collect();

        let placements = place(&footprints, plate(width, depth), Microns(margin));

        let gap = i64::from(margin);
        let boxes: Vec<_> = placements.placed.iter().map(|placed| box_of(placed, &footprints)).collect();
        for (at, a) in boxes.iter().enumerate() {
            prop_assert!(a[0] >= gap && a[1] >= gap);
            prop_assert!(a[2] + gap <= i64::from(width) && a[3] + gap <= i64::from(depth));
            for b in &boxes[at + 1..] {
                let is_apart = a[2] + gap <= b[0] || b[2] + gap <= a[0] || a[3] + gap <= b[1] || b[3] + gap <= a[1];
                prop_assert!(is_apart, "{a:?} {b:?}");
            }
        }
        for placed in &placements.placed {
            prop_assert!(!placed.is_turned || footprints[placed.index].may_turn);
        }
        let mut all: Vec<usize> = placements.placed.iter().map(|placed| placed.index).collect();
        all.extend(&placements.left_over);
        all.sort_unstable();
        prop_assert_eq!(all, (0..footprints.len()).collect::<Vec<_>>());
        prop_assert_eq!(&placements, &place(&footprints, plate(width, depth), Microns(margin)));
    }
}
