//! Facts about single steps of the planning.

use super::plane::{Region, contains, grown, mm, outline_mm, point, region_mm2, shape_mm2};
use super::strand::strands;
use super::{fill, travel};

fn rectangle(low: [f64; 2], high: [f64; 2]) -> Region {
    let corners = [low, [high[0], low[1]], high, [low[0], high[1]]];
    vec![vec![corners.iter().map(|corner| point(*corner)).collect()]]
}

/// A ring of two circles in pieces; the inner one is a hole.
fn ring(radius_mm: f64, hole_mm: f64) -> Region {
    let circle = |radius: f64, sense: f64| {
        let at = |i: i32| {
            let angle = sense * f64::from(i) * std::f64::consts::TAU / 180.0;
            point([10.0 + radius * angle.cos(), 10.0 + radius * angle.sin()])
        };
        (0..180).map(at).collect()
    };
    vec![vec![circle(radius_mm, 1.0), circle(hole_mm, -1.0)]]
}

#[test]
fn growing_keeps_corners_and_shrinking_takes_it_back() {
    let square = rectangle([1.0, 1.0], [4.0, 3.0]);

    let wide = grown(&square, 0.5);

    assert!((region_mm2(&wide) - 4.0 * 3.0).abs() < 1e-6);
    assert!((region_mm2(&grown(&wide, -0.5)) - 6.0).abs() < 1e-6);
    assert!(grown(&square, -1.001).is_empty());
}

#[test]
fn a_shrunk_ring_stays_as_far_inside_as_it_was_shrunk() {
    for by_mm in [0.1, 0.21, 0.4] {
        let core = grown(&ring(6.0, 5.0), -by_mm);

        for corner in core.iter().flatten().flatten() {
            let [x, y] = mm(*corner);
            let radius = (x - 10.0).hypot(y - 10.0);
            // The circles are polygons: their sides lie 0.9 um inside of the corners.
            assert!((5.0 + by_mm - 0.002..6.0 - by_mm + 0.002).contains(&radius), "{radius}");
        }
    }
}

#[test]
fn a_bar_has_one_strand_along_its_middle_with_its_width() {
    let bar = rectangle([2.0, 5.0], [8.0, 5.3]);

    let lines = strands(&bar[0], 0.2, 0.005);

    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert!(!line.is_closed && line.points.iter().all(|at| (mm(*at)[1] - 5.15).abs() < 0.02), "{line:?}");
    let along: Vec<f64> = line.points.iter().map(|at| mm(*at)[0]).collect();
    let (low, high) = along.iter().fold((99.0_f64, 0.0_f64), |(low, high), x| (low.min(*x), high.max(*x)));
    assert!(low < 2.3 && high > 7.7, "{low} {high}");
    // An inner edge of a triangle is a little longer than the bar is wide.
    assert!((1.0..1.1).contains(&(line.mm2() / (high - low) / 0.3)), "{line:?}");
}

#[test]
fn a_thin_ring_has_one_closed_strand() {
    let thin = ring(5.0, 4.7);

    let lines = strands(&thin[0], 0.2, 0.005);

    assert_eq!(lines.len(), 1);
    assert!(lines[0].is_closed);
    for at in &lines[0].points {
        let [x, y] = mm(*at);
        assert!(((x - 10.0).hypot(y - 10.0) - 4.85).abs() < 0.02);
    }
}

#[test]
fn a_dot_is_a_short_strand_inside_it() {
    let dot = rectangle([1.0, 1.0], [1.1, 1.1]);

    let lines = strands(&dot[0], 0.2, 0.005);

    assert_eq!(lines.len(), 1);
    assert!((lines[0].mm2() - 0.01).abs() < 0.01);
    assert!(lines[0].points.iter().all(|at| contains(&dot[0], *at)), "{lines:?}");
}

#[test]
fn rows_fill_a_shape_with_a_hole() {
    let ring = ring(6.0, 3.0);

    let lines = fill::lines(&ring[0], 0.2, 45.0);

    let long_mm: f64 =
        lines.iter().flat_map(|line| line.windows(2)).map(|w| super::plane::distance_mm(w[0], w[1])).sum();
    let joints_mm = outline_mm(&ring[0]);
    let area_mm2 = shape_mm2(&ring[0]);
    assert!(long_mm * 0.2 > area_mm2 * 0.99 && (long_mm - joints_mm) * 0.2 < area_mm2 * 1.01, "{long_mm}");
    for at in lines.iter().flatten() {
        let [x, y] = mm(*at);
        let radius = (x - 10.0).hypot(y - 10.0);
        assert!((2.99..6.01).contains(&radius), "{radius}");
    }
}

#[test]
fn a_way_round_a_hole_stays_on_the_ring() {
    let ring = ring(6.0, 3.0);
    let (from, to) = (point([5.5, 10.0]), point([14.5, 10.3]));

    let round = travel::route(from, to, &ring[0], 20.0).unwrap();

    assert!(round.len() > 20 && round.last() == Some(&to));
    assert!(travel::route(from, to, &ring[0], 0.1).is_none(), "too long a way");
    assert_eq!(travel::route(from, point([5.0, 10.5]), &ring[0], 0.1), Some(vec![point([5.0, 10.5])]));
    assert!(travel::route(point([10.0, 10.0]), to, &ring[0], 99.0).is_none(), "it begins in the hole");
}
