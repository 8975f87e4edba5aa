use proptest::prelude::*;

use super::outline::{contours, segments};
use super::region::Region;
use super::{Foot, Moved, Offsets, Open, moved};
use crate::slice::edges::Segment;
use crate::units::Microns;

/// A display of 20 µm pixels, wider than high pixels to catch a mixed up axis.
const PITCH_MM: [f64; 2] = [0.02, 0.025];

/// The outline of polygons in mm (counterclockwise is solid) as a section would come.
fn outline(polygons: &[&[[f64; 2]]]) -> Vec<Segment> {
    let px = |[x, y]: [f64; 2]| [x / PITCH_MM[0], y / PITCH_MM[1]];
    let mut segments = Vec::new();
    for polygon in polygons {
        for (place, &from) in polygon.iter().enumerate() {
            let (from, to) = (px(from), px(polygon[(place + 1) % polygon.len()]));
            if from[1].to_bits() != to[1].to_bits() {
                segments.push(Segment { from: to, to: from });
            }
        }
    }
    segments
}

fn rectangle(x: f64, y: f64, width: f64, height: f64) -> [[f64; 2]; 4] {
    [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
}

fn area_mm2(segments: &[Segment]) -> f64 {
    let doubled: f64 =
        contours(segments, PITCH_MM).map(|contours| Region::union(&contours).doubled_area()).unwrap() as f64;
    doubled / 2.0 / 1e12
}

fn grow(polygons: &[&[[f64; 2]]], um: i32) -> Moved {
    moved(&outline(polygons), PITCH_MM, i64::from(um) * 1000, Microns(0)).unwrap()
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance
}

#[test]
fn a_section_survives_the_way_to_contours_and_back() {
    let ring = [rectangle(1.0, 1.0, 4.0, 3.0), rectangle(2.0, 2.0, 1.0, 1.0)];
    let hole: Vec<[f64; 2]> = ring[1].iter().rev().copied().collect();

    let lines = outline(&[&ring[0], &hole]);

    assert_eq!(lines.len(), 4, "edges along rows are missing, as in a section");
    assert!(close(area_mm2(&lines), 11.0, 1e-9));
    let again = segments(Region::union(&contours(&lines, PITCH_MM).unwrap()).contours(), PITCH_MM);
    assert!(close(area_mm2(&again), 11.0, 1e-9));
}

#[test]
fn an_outline_with_a_hole_in_it_is_refused() {
    let mut lines = outline(&[&[[1.0, 1.0], [3.0, 1.0], [2.0, 3.0]]]);
    lines.pop();

    assert_eq!(contours(&lines, PITCH_MM), Err(Open));
}

#[test]
fn overlapping_parts_grow_and_shrink_as_one() {
    let (a, b) = (rectangle(1.0, 1.0, 3.0, 1.0), rectangle(2.0, 1.0, 3.0, 1.0));

    let alone = area_mm2(&grow(&[&rectangle(1.0, 1.0, 4.0, 1.0)], -100).segments);
    let together = area_mm2(&grow(&[&a, &b], -100).segments);

    assert!(close(alone, 3.8 * 0.8, 1e-6), "{alone}");
    assert!(close(together, alone, 1e-6), "{together}");
}

#[test]
fn a_hole_narrows_when_the_section_grows_and_widens_when_it_shrinks() {
    let (body, hole) = (rectangle(1.0, 1.0, 5.0, 5.0), rectangle(2.0, 2.0, 2.0, 2.0));
    let hole: Vec<[f64; 2]> = hole.iter().rev().copied().collect();
    let quarter = std::f64::consts::PI * 0.01;

    // Chords of arcs stay within 0.4 µm: up to 2.5e-4 mm² round a circle of 0.1 mm.
    let grown = area_mm2(&grow(&[&body, &hole], 100).segments);
    let shrunk = area_mm2(&grow(&[&body, &hole], -100).segments);

    assert!(close(grown, 25.0 + 2.0 + quarter - 1.8 * 1.8, 3e-4), "{grown}");
    assert!(close(shrunk, 4.8 * 4.8 - (4.0 + 0.8 + quarter), 3e-4), "{shrunk}");
}

#[test]
fn a_wire_that_would_vanish_keeps_its_size_and_is_told_of() {
    let (body, wire) = (rectangle(1.0, 1.0, 5.0, 5.0), rectangle(6.05, 1.0, 0.08, 5.0));

    let moved = grow(&[&body, &wire], -50);

    assert_eq!(moved.thin.len(), 1);
    assert!(!moved.thin[0].gap);
    assert!(close(moved.thin[0].at_px[0] * PITCH_MM[0], 6.09, 0.01), "{:?}", moved.thin);
    assert!(close(moved.thin[0].at_px[1] * PITCH_MM[1], 3.5, 0.01));
    assert!(close(area_mm2(&moved.segments), 4.9 * 4.9 + 0.4, 1e-4));
}

#[test]
fn a_wire_that_hangs_on_a_body_stays_joined_to_it() {
    let body =
        [[1.0, 1.0], [3.0, 1.0], [3.0, 1.96], [5.0, 1.96], [5.0, 2.04], [3.0, 2.04], [3.0, 3.0], [1.0, 3.0]];

    let moved = grow(&[&body], -50);

    let region = Region::union(&contours(&moved.segments, PITCH_MM).unwrap());
    assert_eq!(region.bodies().count(), 1, "one piece");
    assert_eq!(moved.thin.len(), 1);
    let area = area_mm2(&moved.segments);
    assert!(close(area, 1.9 * 1.9 + 2.05 * 0.08, 0.01), "{area}");
}

#[test]
fn an_engraved_line_that_would_close_stays_open_and_is_told_of() {
    let (body, line) = (rectangle(1.0, 1.0, 5.0, 5.0), rectangle(2.0, 3.0, 3.0, 0.06));
    let line: Vec<[f64; 2]> = line.iter().rev().copied().collect();

    let moved = grow(&[&body, &line], 50);

    assert_eq!(moved.thin.len(), 1);
    assert!(moved.thin[0].gap);
    let outer = 25.0 + 20.0 * 0.05 + std::f64::consts::PI * 0.0025;
    assert!(close(area_mm2(&moved.segments), outer - 0.18, 1e-4));
}

#[test]
fn a_wall_thinner_than_the_limit_keeps_its_size_before_it_vanishes() {
    let wall = outline(&[&rectangle(1.0, 1.0, 0.15, 5.0)]);
    let area = |thinnest| area_mm2(&moved(&wall, PITCH_MM, -50_000, Microns(thinnest)).unwrap().segments);

    assert!(close(area(40), 0.05 * 4.9, 1e-6), "50 µm are left, which is enough");
    assert!(close(area(60), 0.15 * 5.0, 1e-6), "50 µm would be left, which is not");
}

#[test]
fn corners_are_no_thin_features() {
    for corner in [[6.0, 1.0], [4.0, 1.0], [4.0, 3.0]] {
        let triangle = [[1.0, 1.0], corner, [3.0, 5.0]];
        assert_eq!(grow(&[&triangle], -50).thin, [], "{corner:?}");
    }
}

#[test]
fn the_foot_falls_in_even_steps_and_adds_to_the_compensation() {
    let offsets = Offsets {
        xy: Microns(-10),
        foot: Some(Foot { inward: Microns(40), layers: 4 }),
        thinnest: Microns(0),
    };

    let moves: Vec<i64> = (0..6).map(|index| offsets.of_layer_nm(index)).collect();

    assert_eq!(moves, [-50_000, -40_000, -30_000, -20_000, -10_000, -10_000]);
    assert_eq!(Offsets::NONE.of_layer_nm(0), 0);
}

/// A convex polygon: points on an ellipse.
fn convex() -> impl Strategy<Value = Vec<[f64; 2]>> {
    let angles = prop::collection::btree_set(0_u32..3600, 3..24);
    (angles, 0.5..4.0_f64, 0.5..4.0_f64).prop_map(|(angles, a, b)| {
        let at = |tenth: u32| (f64::from(tenth) / 10.0).to_radians();
        angles.into_iter().map(|tenth| [5.0 + a * at(tenth).cos(), 5.0 + b * at(tenth).sin()]).collect()
    })
}

proptest! {
    /// Steiner's formula: A + L d + pi d².
    #[test]
    fn a_convex_section_grows_by_its_outline(polygon in convex(), um in 5..300_i32) {
        let d = f64::from(um) / 1000.0;
        let sides = || (0..polygon.len()).map(|i| (polygon[i], polygon[(i + 1) % polygon.len()]));
        let area: f64 = sides().map(|(a, b)| (a[0] * b[1] - b[0] * a[1]) / 2.0).sum();
        let length: f64 = sides().map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).sum();

        let grown = grow(&[&polygon], um);

        let expected = area + length * d + std::f64::consts::PI * d * d;
        // Chords stay within a fiftieth of a pixel (0.4 µm) of their arcs, points within a nanometre.
        let tolerance = std::f64::consts::TAU * d * 0.4e-3 + length * 3e-6;
        prop_assert!((area_mm2(&grown.segments) - expected).abs() <= tolerance, "{expected}");
        prop_assert_eq!(grown.thin.len(), 0);
    }

    #[test]
    fn shrinking_undoes_growing(polygon in convex(), um in 5..300_i32) {
        let before = area_mm2(&outline(&[&polygon]));

        let grown = grow(&[&polygon], um);
        let back = moved(&grown.segments, PITCH_MM, -i64::from(um) * 1000, Microns(0)).unwrap();

        // The chords of the arcs come back as up to 0.4 µm along the whole outline.
        prop_assert!((area_mm2(&back.segments) - before).abs() <= 26.0 * 0.5e-3, "{before}");
    }

    /// Every point of a dense grid against its distance to the outline, on piles of boxes.
    #[test]
    fn any_pile_of_boxes_moves_by_the_distance_everywhere(
        boxes in prop::collection::vec((0..30_u8, 0..30_u8, 8..20_u8, 8..20_u8), 1..5),
        um in prop::sample::select(vec![-150, -60, 60, 150]),
    ) {
        let mm = |tenth: u8| f64::from(tenth) / 10.0;
        let polygons: Vec<_> =
            boxes.iter().map(|&(x, y, w, h)| rectangle(1.0 + mm(x), 1.0 + mm(y), mm(w), mm(h))).collect();
        let borrowed: Vec<&[[f64; 2]]> = polygons.iter().map(|polygon| &polygon[..]).collect();
        let region = Region::union(&contours(&outline(&borrowed), PITCH_MM).unwrap());
        let moved = grow(&borrowed, um);
        let result = contours(&moved.segments, PITCH_MM).unwrap();
        prop_assume!(moved.thin.is_empty());
        let before: Vec<_> = region.contours().cloned().collect();
        let d = f64::from(um) * 1000.0;
        for step in 0..900_u32 {
            let at = [f64::from(step % 30) * 217_331.0 + 313_000.0, f64::from(step / 30) * 219_113.0 + 327_000.0];
            let depth = signed_depth(&before, at);
            // Positive inside: the result holds what is deeper than minus the growth.
            if (depth + d).abs() > 1000.0 {
                prop_assert_eq!(signed_depth(&result, at) > 0.0, depth > -d, "{:?} depth {}", at, depth);
            }
        }
    }
}

/// Distance to the outline, nm: above zero inside, below zero outside.
fn signed_depth(contours: &[Vec<super::outline::Point>], at: [f64; 2]) -> f64 {
    let mut nearest = f64::INFINITY;
    let mut winding = 0;
    for contour in contours {
        for (a, b) in contour.iter().zip(contour.iter().cycle().skip(1)) {
            let (a, b) = ([f64::from(a.x), f64::from(a.y)], [f64::from(b.x), f64::from(b.y)]);
            let (ab, ap) = ([b[0] - a[0], b[1] - a[1]], [at[0] - a[0], at[1] - a[1]]);
            let share = ((ab[0] * ap[0] + ab[1] * ap[1]) / (ab[0] * ab[0] + ab[1] * ab[1])).clamp(0.0, 1.0);
            nearest = nearest.min((ap[0] - share * ab[0]).hypot(ap[1] - share * ab[1]));
            let side = ab[0] * ap[1] - ab[1] * ap[0];
            if a[1] <= at[1] && b[1] > at[1] && side > 0.0 {
                winding += 1;
            } else if b[1] <= at[1] && a[1] > at[1] && side < 0.0 {
                winding -= 1;
            }
        }
    }
    if winding == 0 { -nearest } else { nearest }
}
