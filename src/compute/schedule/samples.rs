//! Generated shops for tests and benches: whoever includes this file has the types of `schedule` in scope.

use super::*;

/// A small linear generator; the same numbers everywhere.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number from `low` to `high`, both possible.
    pub(crate) fn roll(&mut self, low: i64, high: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + i64::try_from(self.0 >> 33).unwrap() % (high - low + 1)
    }

    /// An index below `count`.
    pub(crate) fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.roll(0, i64::try_from(count).unwrap() - 1)).unwrap()
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: i64) -> bool {
        self.roll(1, times) == 1
    }
}

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3600;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Monday to Friday from hour to hour, for some weeks.
pub(crate) fn shifts(from: i64, to: i64, weeks: i64) -> Calendar {
    let days = (0..weeks * 7).filter(|day| day % 7 < 5);
    Calendar::Open(
        days.map(|d| Interval { start: d * DAY + from * HOUR, end: d * DAY + to * HOUR }).collect(),
    )
}

pub(crate) fn station(calendar: Calendar, capacity: u32) -> Station {
    let state = StationState::Free { from: 0 };
    Station { calendar, closures: vec![], capacity, loaded: None, change: None, state }
}

/// Anybody attends it throughout, in open hours, from the start of time.
pub(crate) fn bench_work(station: usize, length: i64) -> Task {
    Task {
        choices: vec![choice(station, length, length, 0)],
        skill: None,
        material: None,
        predecessors: vec![],
        release: 0,
        due: None,
        weight: 1,
        hours: Hours::Open,
        pin: None,
    }
}

pub(crate) fn choice(station: usize, elapsed_s: i64, attended_start_s: i64, attended_end_s: i64) -> Choice {
    Choice { station, elapsed_s, attended_start_s, attended_end_s, end_wait_max_s: 0 }
}

pub(crate) fn link(task: usize, min_s: i64, max_s: Option<i64>) -> Link {
    Link { task, min_s, max_s }
}

const PRINTERS: std::ops::Range<usize> = 0..6;
const WASHER: usize = 6;
const CURER: usize = 7;
const KILNS: std::ops::Range<usize> = 8..11;
const CASTER: usize = 11;
const BENCH: usize = 12;

/// A shop that casts `pieces` pieces with `bench_steps` steps by hand on each casting; about
/// `pieces * (1.8 + bench_steps)` tasks over six to ten weeks. Everything can be done in time to be placed.
pub(crate) fn shop(pieces: usize, bench_steps: usize, seed: u64) -> Problem {
    let weeks = 4 + i64::try_from(pieces * (2 + bench_steps) / 180).unwrap();
    let span = (weeks - 3).max(1) * 4 * DAY;
    let mut shop = Shop { dice: Dice(seed), tasks: vec![], pieces: vec![] };
    while shop.pieces.len() < pieces {
        let count = shop.dice.roll(6, 10).min(i64::try_from(pieces - shop.pieces.len()).unwrap());
        let released = i64::try_from(shop.pieces.len()).unwrap() * span / i64::try_from(pieces).unwrap();
        shop.plate(usize::try_from(count).unwrap(), released);
    }
    let cleaned = shop.kiln_loads();
    for (piece, cleaned) in cleaned {
        shop.finish(piece, cleaned, bench_steps);
    }
    Problem {
        now: 0,
        horizon: weeks * 7 * DAY,
        tasks: shop.tasks,
        stations: stations(weeks),
        people: people(weeks),
    }
}

fn stations(weeks: i64) -> Vec<Station> {
    let open = || shifts(6, 22, weeks);
    let printer = |index: usize| Station {
        loaded: Some(index % 3),
        change: Some(Change { duration_s: 20 * MINUTE, skill: Some(0) }),
        ..station(open(), 1)
    };
    let mut stations: Vec<Station> = PRINTERS.map(printer).collect();
    stations.extend([station(open(), 2), station(open(), 2)]);
    stations.extend(KILNS.map(|_| station(open(), 1)));
    stations.extend([station(open(), 2), station(open(), 16)]);
    stations
}

fn people(weeks: i64) -> Vec<Person> {
    let person =
        |from, to, skills: &[usize]| Person { calendar: shifts(from, to, weeks), skills: skills.to_vec() };
    vec![
        person(6, 14, &[0, 1, 2]),
        person(14, 22, &[0, 1, 2]),
        person(6, 14, &[1, 2, 3]),
        person(14, 22, &[1, 2, 3]),
        person(8, 17, &[1, 3]),
        person(8, 17, &[3]),
        person(8, 17, &[3]),
        person(8, 17, &[3]),
    ]
}

struct Shop {
    dice: Dice,
    tasks: Vec<Task>,
    /// Per piece, its pattern's last task and its due time.
    pieces: Vec<(usize, i64, u32)>,
}

impl Shop {
    fn push(&mut self, task: Task) -> usize {
        self.tasks.push(task);
        self.tasks.len() - 1
    }

    fn plate(&mut self, count: usize, release: i64) {
        let release = release + self.dice.roll(0, DAY);
        let lasts = self.dice.roll(3 * 60, 9 * 60) * MINUTE;
        let resin = self.dice.index(3);
        let overnight = Choice { end_wait_max_s: 3 * DAY, ..choice(0, lasts, 10 * MINUTE, 10 * MINUTE) };
        let print = self.push(Task {
            choices: PRINTERS.map(|station| Choice { station, ..overnight.clone() }).collect(),
            skill: Some(0),
            material: Some(resin),
            release,
            hours: Hours::Across,
            ..bench_work(0, 1)
        });
        let wash = self.push(Task {
            choices: vec![choice(WASHER, 15 * MINUTE, 5 * MINUTE, 0)],
            predecessors: vec![link(print, 0, Some(4 * HOUR))],
            ..bench_work(0, 1)
        });
        let cure = self.push(Task {
            choices: vec![choice(CURER, 30 * MINUTE, 5 * MINUTE, 0)],
            predecessors: vec![link(wash, 15 * MINUTE, Some(2 * HOUR))],
            ..bench_work(0, 1)
        });
        for _ in 0..count {
            let minutes = self.dice.roll(3, 10);
            let mut support = bench_work(BENCH, minutes * MINUTE);
            support.skill = Some(1);
            support.predecessors = vec![link(cure, 0, None)];
            let support = self.push(support);
            let due = release + self.dice.roll(6, 15) * DAY;
            let weight = if self.dice.once_in(10) { 8 } else { 1 };
            self.pieces.push((support, due, weight));
        }
    }

    /// Trees of ten pieces, loads of up to six flasks; per piece, the task that cleans its casting.
    fn kiln_loads(&mut self) -> Vec<(usize, usize)> {
        let pieces: Vec<usize> = (0..self.pieces.len()).collect();
        let mut cleaned = vec![];
        for load in pieces.chunks(60) {
            let invests: Vec<usize> = load.chunks(10).map(|tree| self.invest(tree)).collect();
            let burnout = self.push(Task {
                choices: KILNS.map(|station| choice(station, 11 * HOUR, 10 * MINUTE, 0)).collect(),
                predecessors: invests.iter().map(|&invest| link(invest, HOUR, Some(3 * HOUR))).collect(),
                hours: Hours::Across,
                skill: Some(2),
                ..bench_work(0, 1)
            });
            for tree in load.chunks(10) {
                let mut cast = bench_work(CASTER, 15 * MINUTE);
                cast.skill = Some(2);
                cast.predecessors = vec![link(burnout, 0, Some(3 * HOUR))];
                let cast = self.push(cast);
                let mut clean = bench_work(BENCH, 15 * MINUTE);
                clean.predecessors = vec![link(cast, 10 * MINUTE, Some(90 * MINUTE))];
                let clean = self.push(clean);
                cleaned.extend(tree.iter().map(|&piece| (piece, clean)));
            }
        }
        cleaned
    }

    fn invest(&mut self, tree: &[usize]) -> usize {
        let mut treeing = bench_work(BENCH, 30 * MINUTE);
        treeing.skill = Some(1);
        treeing.predecessors = tree.iter().map(|&piece| link(self.pieces[piece].0, 0, None)).collect();
        let treeing = self.push(treeing);
        let mut invest = bench_work(BENCH, 12 * MINUTE);
        invest.skill = Some(2);
        invest.predecessors = vec![link(treeing, 0, None)];
        self.push(invest)
    }

    fn finish(&mut self, piece: usize, cleaned: usize, bench_steps: usize) {
        let (_, due, weight) = self.pieces[piece];
        let mut before = cleaned;
        for step in 0..bench_steps {
            let minutes = self.dice.roll(5, 25);
            let mut task = bench_work(BENCH, minutes * MINUTE);
            task.skill = Some(3);
            task.weight = weight;
            task.predecessors = vec![link(before, 0, None)];
            task.due = (step + 1 == bench_steps).then_some(due);
            before = self.push(task);
        }
    }
}
