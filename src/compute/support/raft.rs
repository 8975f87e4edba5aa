//! What the pillars stand on: a foot for each, and below them a raft of chamfered discs and bars with a label.
//!
//! The raft has no holes that resin can't leave: gaps that its lower side would close on all sides are filled.
//! Its edge is cut back at 45 degrees towards the plate, so that a scraper gets below.

use nalgebra::{Point2, Point3, Vector2};

use super::solids::Pieces;
use super::{BaseParams, Params, RaftParams, label};

/// Cells in which enclosed gaps are looked for, mm.
const CELL_MM: f64 = 0.2;

/// A foot reaches this deep into the raft, mm.
const OVERLAP_MM: f64 = 0.05;

/// Draws feet and raft below these points of the plate.
pub(super) fn draw(pieces: &mut Pieces, feet: &[Point3<f64>], params: &Params, text: &str) {
    let base = &params.base;
    let top_mm = base.raft.as_ref().map_or(0.0, |raft| raft.thickness_mm);
    for foot in feet {
        let low = Point3::new(foot.x, foot.y, (top_mm - OVERLAP_MM).max(0.0));
        let high = Point3::new(foot.x, foot.y, top_mm + base.foot_height_mm);
        pieces.cone(low, base.foot_mm / 2.0, high, params.pillar_mm / 2.0);
    }
    if let Some(raft) = &base.raft {
        draw_raft(pieces, feet, base, raft, text);
    }
}

fn draw_raft(pieces: &mut Pieces, feet: &[Point3<f64>], base: &BaseParams, raft: &RaftParams, text: &str) {
    let mut discs: Vec<Point2<f64>> = feet.iter().map(Point3::xy).collect();
    if discs.is_empty() {
        return;
    }
    let radius = base.foot_mm / 2.0 + raft.margin_mm;
    let sheet = Sheet { radius, thickness_mm: raft.thickness_mm, bar_mm: raft.bar_mm };
    let plate = label::Plate::for_text(text, raft);
    if let Some(plate) = &plate {
        let corner = plate.place(&discs, radius);
        plate.draw(pieces, corner, raft);
        discs.push(plate.joint(corner));
    }
    for disc in &discs {
        let [low, high] = [0.0, raft.thickness_mm].map(|z| Point3::new(disc.x, disc.y, z));
        pieces.cone(low, sheet.low_radius(), high, radius);
    }
    let bars = tree(&discs);
    for &[from, to] in &bars {
        sheet.bar(pieces, from, to);
    }
    sheet.fill_gaps(pieces, &discs, &bars);
}

/// The shape of a raft.
struct Sheet {
    radius: f64,
    thickness_mm: f64,
    bar_mm: f64,
}

impl Sheet {
    /// Radius of a disc at the plate.
    fn low_radius(&self) -> f64 {
        (self.radius - self.thickness_mm).max(self.radius / 2.0)
    }

    /// A bar with chamfered sides between two discs.
    fn bar(&self, pieces: &mut Pieces, from: Point2<f64>, to: Point2<f64>) {
        let along = to - from;
        if along.norm() < 1e-6 {
            return;
        }
        let side = Vector2::new(-along.y, along.x).normalize();
        let floor = |z: f64, half: f64| {
            [from - side * half, to - side * half, to + side * half, from + side * half]
                .map(|corner| Point3::new(corner.x, corner.y, z))
        };
        let half = self.bar_mm / 2.0;
        pieces.prism(&floor(0.0, half), &floor(self.thickness_mm, half + self.thickness_mm));
    }

    /// Fills gaps that discs and bars enclose at the plate.
    fn fill_gaps(&self, pieces: &mut Pieces, discs: &[Point2<f64>], bars: &[[Point2<f64>; 2]]) {
        let low = discs.iter().fold(discs[0], |low, disc| low.inf(disc)) - Vector2::repeat(self.radius + 1.0);
        let high =
            discs.iter().fold(discs[0], |high, disc| high.sup(disc)) + Vector2::repeat(self.radius + 1.0);
        let size = (high - low) / CELL_MM;
        let [width, height] = [whole(size.x) + 1, whole(size.y) + 1];
        let middle =
            |column: usize, row: usize| low + Vector2::new(float(column) + 0.5, float(row) + 0.5) * CELL_MM;
        let mut solid = super::bits::Bits::empty(width, height);
        let mut paint = |from: Point2<f64>, to: Point2<f64>, reach: f64| {
            let (least, most) = (from.inf(&to) - low, from.sup(&to) - low);
            let range = |least: f64, most: f64| {
                whole(((least - reach) / CELL_MM).max(0.0))..whole((most + reach) / CELL_MM) + 1
            };
            for row in range(least.y, most.y) {
                for column in range(least.x, most.x) {
                    // Half a cell more: what is closed but for a hair is closed.
                    if away(&middle(column, row), &from, &to) <= reach + CELL_MM / 2.0 {
                        solid.set([column, row]);
                    }
                }
            }
        };
        discs.iter().for_each(|&disc| paint(disc, disc, self.low_radius()));
        bars.iter().for_each(|&[from, to]| paint(from, to, self.bar_mm / 2.0));
        let mut open = super::bits::Bits::empty(width, height);
        (0..height).for_each(|row| (0..width).for_each(|column| open.set([column, row])));
        open.without(&solid);
        let mut border = super::bits::Bits::empty(width, height);
        border.set([0, 0]);
        let outside = border.filled(&open);
        open.without(&outside);
        for row in 0..height {
            let mut column = 0;
            while column < width {
                let end = (column..width).find(|&end| !open.get([end, row])).unwrap_or(width);
                if end > column {
                    let corner =
                        |column: usize, row: usize| low + Vector2::new(float(column), float(row)) * CELL_MM;
                    // A cell more on each side, to overlap with what is there.
                    let (least, most) = (corner(column, row), corner(end, row + 1));
                    let more = CELL_MM;
                    pieces.block(
                        Point3::new(least.x - more, least.y - more, 0.0),
                        Point3::new(most.x + more, most.y + more, self.thickness_mm),
                    );
                }
                column = end + 1;
            }
        }
    }
}

/// The shortest bars that join all discs (Prim's tree).
fn tree(discs: &[Point2<f64>]) -> Vec<[Point2<f64>; 2]> {
    let mut joined = 0;
    let mut left: Vec<(f64, usize, usize)> =
        (1..discs.len()).map(|disc| ((discs[disc] - discs[0]).norm(), disc, 0)).collect();
    let mut bars = Vec::new();
    while let Some(next) = (0..left.len()).min_by(|&a, &b| left[a].0.total_cmp(&left[b].0)) {
        let (_, disc, to) = left.swap_remove(next);
        bars.push([discs[disc], discs[to]]);
        for (away, other, nearest) in &mut left {
            let distance = (discs[*other] - discs[disc]).norm();
            if distance < *away {
                (*away, *nearest) = (distance, disc);
            }
        }
        joined += 1;
    }
    debug_assert_eq!(joined + 1, discs.len());
    bars
}

/// Distance of a point to a line between two points.
fn away(point: &Point2<f64>, from: &Point2<f64>, to: &Point2<f64>) -> f64 {
    let along = to - from;
    let squared = along.norm_squared();
    let at = if squared > 0.0 { ((point - from).dot(&along) / squared).clamp(0.0, 1.0) } else { 0.0 };
    (point - (from + along * at)).norm()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; a plate is small")]
fn whole(value: f64) -> usize {
    value as usize
}

#[expect(clippy::cast_precision_loss, reason = "cells of a plate")]
fn float(value: usize) -> f64 {
    value as f64
}
