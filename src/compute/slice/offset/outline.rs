//! From loose segments in pixels to closed contours in nanometres, and back.
//!
//! In pixels rows count downwards and solid lies to the right of a segment; contours run with solid to the left
//! of them in the same axes, so segments are turned round on the way in and out.

use std::collections::BTreeMap;

use i_overlay::i_float::int::point::IntPoint;

use super::super::edges::Segment;
use super::Open;

/// A point of a contour, nm.
pub(super) type Point = IntPoint<i32>;

/// The calculating grid reaches this far: 2^30 nm, a good metre.
const REACH_NM: f64 = 1_073_000_000.0;

/// Links along rows for each segment, at most: as many as solids lie in each other. More is a broken mesh.
const ROW_LINKS_MAX: i64 = 64;

/// Chains segments to closed contours.
///
/// Segments without height are missing from a section; two ends in one row are joined along the row, which has
/// only one solution. Anything else that is open is refused.
pub(super) fn contours(segments: &[Segment], pitch_mm: [f64; 2]) -> Result<Vec<Vec<Point>>, Open> {
    let mut links: Vec<(Key, Key)> = segments
        .iter()
        .map(|segment| (key(segment.to, pitch_mm), key(segment.from, pitch_mm)))
        .filter(|(from, to)| from != to)
        .collect();
    close_rows(&mut links)?;
    links.sort_unstable();
    Ok(chained(&links))
}

/// The outline of contours as segments; those without height are left out.
pub(super) fn segments<'c>(
    contours: impl Iterator<Item = &'c Vec<Point>>,
    pitch_mm: [f64; 2],
) -> Vec<Segment> {
    let mut segments = Vec::new();
    for contour in contours {
        let following = contour.iter().cycle().skip(1);
        for (from, to) in contour.iter().zip(following).filter(|(from, to)| from.y != to.y) {
            segments.push(Segment { from: pixel_of(to, pitch_mm), to: pixel_of(from, pitch_mm) });
        }
    }
    segments
}

/// A place in nm as pixels of the picture.
pub(super) fn pixel([x, y]: [f64; 2], pitch_mm: [f64; 2]) -> [f64; 2] {
    [x / (pitch_mm[0] * 1e6), y / (pitch_mm[1] * 1e6)]
}

fn pixel_of(point: &Point, pitch_mm: [f64; 2]) -> [f64; 2] {
    pixel([f64::from(point.x), f64::from(point.y)], pitch_mm).map(|coordinate| coordinate.max(0.0))
}

/// Row, then column, nm: points of a row are neighbours in this order.
type Key = (i32, i32);

fn key(pixel: [f64; 2], pitch_mm: [f64; 2]) -> Key {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 2^30")]
    let nm = |side: usize| (pixel[side] * pitch_mm[side] * 1e6).round().clamp(-REACH_NM, REACH_NM) as i32;
    (nm(1), nm(0))
}

/// Adds the links along rows that make as many leave each point as arrive.
fn close_rows(links: &mut Vec<(Key, Key)>) -> Result<(), Open> {
    let mut surplus: BTreeMap<Key, i64> = BTreeMap::new();
    for (from, to) in links.iter() {
        *surplus.entry(*from).or_default() += 1;
        *surplus.entry(*to).or_default() -= 1;
    }
    let open: Vec<(Key, i64)> = surplus.into_iter().filter(|(_, surplus)| *surplus != 0).collect();
    let mut room = i64::try_from(links.len()).unwrap_or(i64::MAX).saturating_mul(ROW_LINKS_MAX);
    let mut sum = 0;
    for (place, (here, surplus)) in open.iter().enumerate() {
        sum += surplus;
        if sum == 0 {
            continue;
        }
        let next = open.get(place + 1).map(|next| next.0).filter(|next| next.0 == here.0).ok_or(Open)?;
        room -= sum.abs();
        if room < 0 {
            return Err(Open);
        }
        let link = if sum < 0 { (*here, next) } else { (next, *here) };
        links.extend((0..sum.abs()).map(|_| link));
    }
    Ok(())
}

/// Follows sorted links until each walk is back where it began. As many leave a point as arrive, so none ends.
fn chained(links: &[(Key, Key)]) -> Vec<Vec<Point>> {
    let mut used = vec![false; links.len()];
    // Where to look for the next free link of a point: its first one remembers it.
    let mut next_free: Vec<usize> = (0..links.len()).collect();
    let mut contours = Vec::new();
    for start in 0..links.len() {
        if used[start] {
            continue;
        }
        let mut contour = Vec::new();
        let mut link = start;
        loop {
            used[link] = true;
            let (from, to) = links[link];
            contour.push(Point::new(from.1, from.0));
            if to == links[start].0 {
                break;
            }
            let first = links.partition_point(|(from, _)| *from < to);
            let Some(cursor) = next_free.get_mut(first) else { break };
            while used.get(*cursor).copied().unwrap_or(false) {
                *cursor += 1;
            }
            link = *cursor;
            if links.get(link).is_none_or(|(from, _)| *from != to) {
                break;
            }
        }
        contours.push(contour);
    }
    contours
}
