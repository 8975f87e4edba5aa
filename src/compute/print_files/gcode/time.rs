//! How long moves take on a machine that speeds up and brakes evenly.
//!
//! As Marlin plans them: each straight move is a trapezoid of speed; at a corner an axis may change its speed at once
//! by the jerk; no move may end faster than the next ones can brake from. Between moves of the nozzle and moves of
//! the filament alone the machine stands.

use super::Motion;

/// One move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Move {
    /// The nozzle goes straight.
    Line {
        /// Direction, of length 1.
        along: [f64; 2],
        /// Length, mm.
        mm: f64,
        /// Wanted speed, mm/s.
        mm_per_s: f64,
        /// Whether wax comes.
        is_press: bool,
    },
    /// The machine does something else first, s.
    Stop(f64),
}

/// Time of laying, and of everything else, s.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Seconds {
    pub(super) press: f64,
    pub(super) other: f64,
}

/// Time of a move from stand to stand, s.
pub(super) fn alone_s(mm: f64, mm_per_s: f64, mm_per_s2: f64) -> f64 {
    stretch_s(mm, 0.0, mm_per_s, 0.0, mm_per_s2)
}

/// Time of moves that begin and end at a stand.
pub(super) fn seconds(moves: &[Move], motion: &Motion) -> Seconds {
    let mut total = Seconds::default();
    for run in moves.split_inclusive(|one| matches!(one, Move::Stop(_))) {
        add_run(run, motion, &mut total);
    }
    total
}

/// Moves without a stop between them, and perhaps the stop after them.
fn add_run(run: &[Move], motion: &Motion, total: &mut Seconds) {
    // Speed at the start of each line, and 0 after the last.
    let mut starts = vec![0.0_f64; run.len() + 1];
    for i in 1..run.len() {
        starts[i] = corner_mm_per_s(&run[i - 1], &run[i], motion);
    }
    let reach = |from: f64, one: &Move| match *one {
        Move::Line { mm, is_press, .. } => (from * from + 2.0 * rate(motion, is_press) * mm).sqrt(),
        Move::Stop(_) => 0.0,
    };
    for i in (0..run.len()).rev() {
        starts[i] = starts[i].min(reach(starts[i + 1], &run[i]));
    }
    for i in 0..run.len() {
        starts[i + 1] = starts[i + 1].min(reach(starts[i], &run[i]));
    }
    for (i, one) in run.iter().enumerate() {
        match *one {
            Move::Line { mm, mm_per_s, is_press, .. } => {
                let time = stretch_s(mm, starts[i], mm_per_s, starts[i + 1], rate(motion, is_press));
                *(if is_press { &mut total.press } else { &mut total.other }) += time;
            }
            Move::Stop(time) => total.other += time,
        }
    }
}

fn rate(motion: &Motion, is_press: bool) -> f64 {
    if is_press { motion.press_mm_per_s2 } else { motion.travel_mm_per_s2 }
}

/// The speed at which the corner between two moves may be taken.
fn corner_mm_per_s(before: &Move, after: &Move, motion: &Motion) -> f64 {
    match (*before, *after) {
        (Move::Line { along: a, mm_per_s: first, .. }, Move::Line { along: b, mm_per_s: second, .. }) => {
            let change = (b[0] - a[0]).abs().max((b[1] - a[1]).abs());
            let limit = if change > 0.0 { motion.jerk_mm_per_s / change } else { f64::INFINITY };
            first.min(second).min(limit)
        }
        (Move::Stop(_), _) | (_, Move::Stop(_)) => 0.0,
    }
}

/// Time of a straight move with given speeds at its ends.
fn stretch_s(mm: f64, start: f64, wanted: f64, end: f64, rate: f64) -> f64 {
    let top = wanted.min(((start * start + end * end) / 2.0 + rate * mm).sqrt()).max(start).max(end);
    if top <= 0.0 {
        return 0.0;
    }
    let ramps_mm = (2.0 * top * top - start * start - end * end) / (2.0 * rate);
    (2.0 * top - start - end) / rate + (mm - ramps_mm).max(0.0) / top
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOTION: Motion = Motion {
        press_mm_per_s2: 500.0,
        travel_mm_per_s2: 1000.0,
        retract_mm_per_s2: 1000.0,
        jerk_mm_per_s: 8.0,
        retract_mm: 5.0,
        retract_mm_per_s: 60.0,
    };

    fn line(along: [f64; 2], mm: f64) -> Move {
        Move::Line { along, mm, mm_per_s: 50.0, is_press: true }
    }

    #[test]
    fn a_long_move_is_a_trapezoid() {
        // 0.1 s up over 2.5 mm, 95 mm at 50 mm/s, 0.1 s down.
        let time = seconds(&[line([1.0, 0.0], 100.0)], &MOTION);

        assert!((time.press - (0.2 + 95.0 / 50.0)).abs() < 1e-9 && time.other == 0.0, "{time:?}");
    }

    #[test]
    fn a_short_move_never_reaches_its_speed() {
        // 2 mm: up over 1 mm and down again, 2 * sqrt(2 * 1 / 500).
        assert!((alone_s(2.0, 50.0, 500.0) - 2.0 * (2.0_f64 / 500.0).sqrt()).abs() < 1e-9);
    }

    #[test]
    fn a_straight_line_in_pieces_takes_as_long_as_whole() {
        let pieces = vec![line([0.6, 0.8], 0.5); 200];

        let time = seconds(&pieces, &MOTION).press;

        assert!((time - seconds(&[line([0.6, 0.8], 100.0)], &MOTION).press).abs() < 1e-6);
    }

    #[test]
    fn a_corner_and_a_stop_cost_time() {
        let straight = seconds(&[line([1.0, 0.0], 20.0), line([1.0, 0.0], 20.0)], &MOTION).press;
        let corner = seconds(&[line([1.0, 0.0], 20.0), line([0.0, 1.0], 20.0)], &MOTION).press;
        let stop = seconds(&[line([1.0, 0.0], 20.0), Move::Stop(0.0), line([0.0, 1.0], 20.0)], &MOTION).press;

        assert!(straight < corner && corner < stop, "{straight} {corner} {stop}");
        // At a right angle both axes change by the whole speed, so the corner is taken at 8 mm/s: each of the two
        // ramps is 8 mm/s shorter, and the way of that, 0.064 mm, is made at 50 mm/s.
        let saved = 2.0 * (8.0 / 500.0 - 0.064 / 50.0);
        assert!((stop - corner - saved).abs() < 1e-9, "{} {saved}", stop - corner);
    }
}
