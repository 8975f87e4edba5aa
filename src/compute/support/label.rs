//! A label in raised strokes on a small plate beside the raft.
//!
//! Letters are lines on a field 2 wide and 4 high: readable at 2.5 mm with the naked eye, printable as bars.

use nalgebra::{Point2, Point3, Vector2};

use super::RaftParams;
use super::solids::Pieces;

/// Width of a letter and its gap, in quarters of its height.
const ADVANCE: f64 = 3.0;

/// More letters than these are cut off: the plate would be longer than a ring is wide.
const LETTERS_MAX: usize = 16;

/// The strokes of each letter: points as digits column, row from the bottom left; lines parted by blanks.
const STROKES: [(char, &str); 39] = [
    ('0', "0004242000 0024"),
    ('1', "031424 1410 0020"),
    ('2', "04242202 0200 0020"),
    ('3', "0424 2420 2000 0222"),
    ('4', "040222 2420"),
    ('5', "2404022220 2000"),
    ('6', "2404002022 2202"),
    ('7', "042410"),
    ('8', "0004242000 0222"),
    ('9', "2202042420 2000"),
    ('A', "0003142320 0222"),
    ('B', "00041423122110 1000 0212"),
    ('C', "24040020"),
    ('D', "000414232110 1000"),
    ('E', "24040020 0212"),
    ('F', "240400 0212"),
    ('G', "240400202212"),
    ('H', "0400 2420 0222"),
    ('I', "0424 1410 0020"),
    ('J', "24201001"),
    ('K', "0400 2402 0220"),
    ('L', "040020"),
    ('M', "0004122420"),
    ('N', "00042024"),
    ('O', "0004242000"),
    ('P', "0004242202"),
    ('Q', "0004242000 1120"),
    ('R', "0004242202 0220"),
    ('S', "240402222000"),
    ('T', "0424 1410"),
    ('U', "04002024"),
    ('V', "041024"),
    ('W', "0400122024"),
    ('X', "0420 2400"),
    ('Y', "0412 2412 1210"),
    ('Z', "04240020"),
    ('-', "0222"),
    ('.', "1011"),
    ('/', "0024"),
];

/// The plate that a label stands on.
pub(super) struct Plate {
    letters: Vec<&'static str>,
    /// A quarter of a letter's height, mm.
    unit_mm: f64,
    size: Vector2<f64>,
}

impl Plate {
    /// Nothing for a text without a letter that can be drawn.
    pub(super) fn for_text(text: &str, raft: &RaftParams) -> Option<Self> {
        let drawn = |letter: char| {
            let wanted = letter.to_ascii_uppercase();
            let known = STROKES.iter().find(|(known, _)| *known == wanted);
            // What is not known, blanks too, leaves a gap.
            known.map_or("", |(_, strokes)| *strokes)
        };
        let letters: Vec<&str> = text.trim().chars().take(LETTERS_MAX).map(drawn).collect();
        if letters.iter().all(|strokes| strokes.is_empty()) {
            return None;
        }
        let unit_mm = raft.letter_mm / 4.0;
        let count = u32::try_from(letters.len()).unwrap_or(0);
        let edge = 2.0 * (raft.stroke_mm + raft.margin_mm / 2.0);
        let size = Vector2::new((f64::from(count) * ADVANCE - 1.0) * unit_mm + edge, raft.letter_mm + edge);
        Some(Self { letters, unit_mm, size })
    }

    /// Its lower left corner: in front of everything, in the middle.
    pub(super) fn place(&self, discs: &[Point2<f64>], radius: f64) -> Point2<f64> {
        let front = discs.iter().map(|disc| disc.y).fold(f64::INFINITY, f64::min);
        let left = discs.iter().map(|disc| disc.x).fold(f64::INFINITY, f64::min);
        let right = discs.iter().map(|disc| disc.x).fold(f64::NEG_INFINITY, f64::max);
        Point2::new((left + right - self.size.x) / 2.0, front - radius - self.size.y)
    }

    /// Where the raft is joined to it.
    pub(super) fn joint(&self, corner: Point2<f64>) -> Point2<f64> {
        corner + Vector2::new(self.size.x / 2.0, self.size.y)
    }

    pub(super) fn draw(&self, pieces: &mut Pieces, corner: Point2<f64>, raft: &RaftParams) {
        let far = corner + self.size;
        let cut = raft.thickness_mm.min(self.size.y / 4.0);
        let floor = |z: f64, inset: f64| {
            [
                (corner.x, corner.y, 1.0, 1.0),
                (far.x, corner.y, -1.0, 1.0),
                (far.x, far.y, -1.0, -1.0),
                (corner.x, far.y, 1.0, -1.0),
            ]
            .map(|(x, y, dx, dy)| Point3::new(x + dx * inset, y + dy * inset, z))
        };
        pieces.prism(&floor(0.0, cut), &floor(raft.thickness_mm, 0.0));
        let edge = raft.stroke_mm + raft.margin_mm / 2.0;
        let mut at = corner + Vector2::repeat(edge);
        for letter in &self.letters {
            for line in letter.split(' ') {
                self.line(pieces, at, line, raft);
            }
            at.x += ADVANCE * self.unit_mm;
        }
    }

    fn line(&self, pieces: &mut Pieces, at: Point2<f64>, line: &str, raft: &RaftParams) {
        let digits: Vec<f64> = line.chars().filter_map(|digit| digit.to_digit(10)).map(f64::from).collect();
        let points: Vec<Point2<f64>> =
            digits.chunks_exact(2).map(|pair| at + Vector2::new(pair[0], pair[1]) * self.unit_mm).collect();
        for pair in points.windows(2) {
            bar(pieces, pair[0], pair[1], raft);
        }
    }
}

/// A stroke from a little below the plate's upper side.
fn bar(pieces: &mut Pieces, from: Point2<f64>, to: Point2<f64>, raft: &RaftParams) {
    let half = raft.stroke_mm / 2.0;
    let along = (to - from).normalize() * half;
    let side = Vector2::new(-along.y, along.x);
    let floor = |z: f64| {
        [from - along - side, to + along - side, to + along + side, from - along + side]
            .map(|corner| Point3::new(corner.x, corner.y, z))
    };
    pieces.prism(&floor(raft.thickness_mm - 0.05), &floor(raft.thickness_mm + raft.relief_mm));
}
