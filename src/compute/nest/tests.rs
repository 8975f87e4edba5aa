use std::f64::consts::TAU;

use super::random::Random;
use super::*;

fn plate(width: i32, depth: i32, margin: i32) -> Plate {
    Plate {
        width: Microns(width),
        depth: Microns(depth),
        border: Microns(margin),
        gap: Microns(margin),
        dead_zones: Vec::new(),
    }
}

fn piece(outline: usize, turns: Turns) -> Piece {
    Piece { outline, turns, height: Microns(20_000), priority: 0, order: 0 }
}

fn boxes(sides: &[[f64; 2]]) -> Vec<Outline> {
    sides.iter().map(|[width, depth]| Outline::rectangle(*width, *depth).unwrap()).collect()
}

const FIRST: Effort = Effort { work: 0, seed: 1 };

#[test]
fn a_piece_that_only_fits_turned_is_turned() {
    let placements =
        place(&boxes(&[[30.0, 10.0]]), &[piece(0, Turns::FINE)], &plate(12_000, 32_000, 1000), FIRST);

    assert_eq!(placements.placed.len(), 1);
    let Placement { x, y, degrees, .. } = placements.placed[0];
    assert_eq!((x, y, degrees % 180), (Microns(1000), Microns(1000), 90));
}

#[test]
fn a_piece_that_may_not_be_turned_is_left_over() {
    let fixed = piece(0, Turns::Fixed);

    assert_eq!(place(&boxes(&[[30.0, 10.0]]), &[fixed], &plate(12_000, 32_000, 1000), FIRST).left_over, [0]);
    assert!(!Outline::rectangle(30.0, 10.0).unwrap().fits(Turns::Fixed, &plate(12_000, 32_000, 1000)));
}

#[test]
fn what_does_not_fit_goes_to_the_next_plate_and_what_never_fits_is_returned() {
    let pieces = [piece(0, Turns::FINE), piece(0, Turns::FINE), piece(1, Turns::FINE)];

    let (plates, never) =
        place_all(&boxes(&[[10.0, 10.0], [90.0, 10.0]]), &pieces, &plate(12_000, 12_000, 1000), FIRST);

    assert_eq!(plates.len(), 2);
    assert_eq!(never, [2]);
}

#[test]
fn urgent_pieces_go_before_larger_ones() {
    let small = Piece { priority: 1, ..piece(1, Turns::FINE) };
    let pieces = [piece(0, Turns::FINE), small];

    let placements = place(&boxes(&[[10.0, 10.0], [4.0, 4.0]]), &pieces, &plate(12_000, 12_000, 1000), FIRST);

    assert_eq!(placements.left_over, [0]);
}

#[test]
fn survivors_stay_where_they_are_and_new_pieces_go_beside() {
    let outlines = boxes(&[[20.0, 8.0], [9.0, 9.0]]);
    let plate = plate(60_000, 30_000, 1000);
    let pieces: Vec<Piece> = (0..6).map(|index| piece(index % 2, Turns::FINE)).collect();
    let mut kept = place(&outlines, &pieces, &plate, FIRST).placed;
    kept.remove(1);

    let again = place_beside(&outlines, &pieces, &plate, &kept, Effort { work: 20_000, seed: 3 });

    assert_eq!(again.placed.len(), 6);
    assert!(kept.iter().all(|placement| again.placed.contains(placement)), "{kept:?} {again:?}");
    assert_eq!(faults(&outlines, &pieces, &plate, &again.placed), []);
}

#[test]
fn a_dead_zone_stays_free() {
    let outlines = boxes(&[[10.0, 10.0]]);
    let mut plate = plate(40_000, 20_000, 500);
    plate.dead_zones = vec![vec![[12.0, 0.0], [20.0, 0.0], [20.0, 20.0], [12.0, 20.0]]];
    let pieces = [piece(0, Turns::FINE); 4];

    let placements = place(&outlines, &pieces, &plate, Effort { work: 20_000, seed: 1 });

    assert!(placements.placed.len() >= 2);
    assert_eq!(faults(&outlines, &pieces, &plate, &placements.placed), []);
    let inside = Placement { index: 0, x: Microns(13_000), y: Microns(5000), degrees: 0 };
    assert_eq!(faults(&outlines, &pieces, &plate, &[inside]), [Fault::DeadZone { piece: 0 }]);
}

#[test]
fn the_proof_finds_what_is_wrong() {
    let outlines = boxes(&[[10.0, 10.0]]);
    let pieces = [piece(0, Turns::FINE); 2];
    let plate = plate(40_000, 20_000, 1000);
    let at = |index: usize, x: i32, y: i32| Placement { index, x: Microns(x), y: Microns(y), degrees: 0 };

    assert_eq!(faults(&outlines, &pieces, &plate, &[at(0, 1000, 1000), at(1, 12_000, 1000)]), []);
    assert_eq!(faults(&outlines, &pieces, &plate, &[at(0, 900, 1000)]), [Fault::Border { piece: 0 }]);
    let near = faults(&outlines, &pieces, &plate, &[at(0, 1000, 1000), at(1, 11_900, 1000)]);
    assert!(
        matches!(near[..], [Fault::Gap { distance_mm, .. }] if (distance_mm - 0.9).abs() < 1e-6),
        "{near:?}"
    );
    let over = faults(&outlines, &pieces, &plate, &[at(0, 1000, 1000), at(1, 6000, 6000)]);
    assert!(
        matches!(over[..], [Fault::Gap { shared_mm2, .. }] if (shared_mm2 - 25.0).abs() < 1e-3),
        "{over:?}"
    );
}

#[test]
fn the_outline_of_a_mesh_is_its_silhouette() {
    let ring =
        crate::rings::RingDesign::band(17.3, 5.0, 1.8, crate::rings::BandProfile::Flat).generate().unwrap();

    let outline = Outline::of(&ring).unwrap();

    let disc = std::f64::consts::PI * (17.3 / 2.0 + 1.8_f64).powi(2);
    assert!((outline.area_mm2() / disc - 1.0).abs() < 1e-3, "{} {disc}", outline.area_mm2());
    assert!(outline.simple().iter().map(Vec::len).sum::<usize>() <= 60);
    assert!(plane::missing_mm2(outline.exact(), outline.simple()) <= 0.0);
    let simple: f64 = outline.simple().iter().map(|line| plane::area_mm2(line)).sum();
    assert!(simple < outline.area_mm2() + TAU * 10.25 * 0.1, "{simple}");
    assert_eq!(Outline::of(&crate::mesh::Mesh::default()), None);
}

#[test]
fn the_same_seed_gives_the_same_plate() {
    let task = Random::new(7);
    let (outlines, pieces, plate) = random_task(task);
    let effort = Effort { work: 20_000, seed: 5 };

    assert_eq!(place(&outlines, &pieces, &plate, effort), place(&outlines, &pieces, &plate, effort));
}

/// `SPRUE_NEST_PLATES` asks for another number than the thousand.
#[test]
fn pieces_never_overlap_and_never_pass_the_border() {
    let count = std::env::var("SPRUE_NEST_PLATES").ok().and_then(|count| count.parse().ok()).unwrap_or(1000);
    for seed in 0..count {
        let (outlines, pieces, plate) = random_task(Random::new(seed));

        let placements = place(&outlines, &pieces, &plate, Effort { work: 3000, seed });

        assert_eq!(faults(&outlines, &pieces, &plate, &placements.placed), [], "plate {seed}");
        let mut all: Vec<usize> = placements.placed.iter().map(|placement| placement.index).collect();
        all.extend(&placements.left_over);
        all.sort_unstable();
        assert_eq!(all, (0..pieces.len()).collect::<Vec<_>>(), "plate {seed}");
    }
}

fn random_task(mut random: Random) -> (Vec<Outline>, Vec<Piece>, Plate) {
    let outlines: Vec<Outline> = (0..1 + random.below(4)).filter_map(|_| star(&mut random)).collect();
    let turns = [Turns::Fixed, Turns::Every(90), Turns::FINE];
    let count = 1 + random.below(14);
    let pieces = (0..count).map(|index| Piece {
        priority: u32::try_from(random.below(2)).unwrap(),
        ..piece(index % outlines.len(), turns[random.below(3)])
    });
    let pieces = pieces.collect();
    let mut length = |low: usize, more: usize| i32::try_from(low + random.below(more)).unwrap();
    let mut plate = plate(length(8000, 50_000), length(8000, 40_000), length(0, 2500));
    plate.gap = Microns(length(0, 2500));
    if length(0, 4) == 0 {
        let x = f64::from(length(0, 30));
        plate.dead_zones = vec![vec![[x, 3.0], [x + 5.0, 3.0], [x + 5.0, 7.0]]];
    }
    (outlines, pieces, plate)
}

/// Any simple polygon around a point, deep notches and needles included.
fn star(random: &mut Random) -> Option<Outline> {
    let corners = 3 + random.below(20);
    let size = random.between(1.0, 12.0);
    let corner = |index: usize| {
        let angle = TAU * index as f64 / corners as f64;
        let reach = f64::from(random.between(0.15 * size, size));
        [reach * angle.cos(), reach * angle.sin()]
    };
    Outline::around(&[(0..corners).map(corner).collect()])
}
