//! Names become indices, and what contradicts itself is refused.

use std::collections::BTreeMap;

use super::lines::Windows;
use super::{Bath, Instance, Kind, Program, Resin, Rules, Weights};

/// Times and sizes beyond this are nonsense, and sums of them must not overflow.
const LIMIT: i64 = 1 << 40;
/// More pieces than any workshop has open at once.
const PIECES_MAX: usize = 200_000;

/// Why an instance is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is of another format.
    #[error("the format is {0:?}; only jwl-1 is known")]
    Format(String),
    /// A name that nothing has.
    #[error("{what} {name:?} of {of} is not in the instance")]
    Unknown {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
        /// Who names it.
        of: String,
    },
    /// A name that two have.
    #[error("{what} {name:?} is there twice; names must differ")]
    Twice {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A number that can't be.
    #[error("{what} of {of} is out of range; give a number from 0 to 2^40")]
    Range {
        /// Which number.
        what: &'static str,
        /// Whose.
        of: String,
    },
    /// Intervals that aren't sorted, empty ones or overlapping ones.
    #[error("the intervals of {of} must be sorted, not empty and apart from each other")]
    Intervals {
        /// Whose.
        of: String,
    },
    /// Too many pieces.
    #[error("more than {PIECES_MAX} pieces; plan a part of them")]
    TooMany,
    /// What is fixed doesn't fit the instance.
    #[error("the running plan can't be taken over: {0}")]
    Running(String),
}

/// A hand.
#[derive(Debug, Clone)]
pub(super) struct Hand {
    pub(super) windows: Windows,
    /// By [`Kind`] as a number.
    pub(super) can: [bool; Kind::ALL.len()],
}

#[derive(Debug, Clone)]
pub(super) struct Press {
    pub(super) area: i64,
    pub(super) max_pieces: usize,
    pub(super) max_height: i64,
    pub(super) base: i64,
    pub(super) per_mm_x10: i64,
    pub(super) turnaround: i64,
    pub(super) loaded: usize,
    pub(super) change: i64,
    pub(super) down: Vec<(i64, i64)>,
}

impl Press {
    /// How long a plate takes.
    pub(super) fn duration(&self, tallest: i64) -> i64 {
        self.base + (tallest * self.per_mm_x10 + 9) / 10
    }
}

#[derive(Debug, Clone)]
pub(super) struct Vat {
    pub(super) capacity: usize,
    pub(super) down: Vec<(i64, i64)>,
}

#[derive(Debug, Clone)]
pub(super) struct Crucible {
    /// By alloy.
    pub(super) takes: Vec<bool>,
    pub(super) loaded: usize,
    pub(super) change: i64,
    pub(super) down: Vec<(i64, i64)>,
}

#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) release: i64,
    pub(super) due: i64,
    pub(super) weight: i64,
    pub(super) pieces: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) order: usize,
    pub(super) resin: usize,
    pub(super) alloy: usize,
    pub(super) program: usize,
    pub(super) area: i64,
    pub(super) height: i64,
    pub(super) mass: i64,
    pub(super) support: i64,
    pub(super) finish: i64,
    pub(super) qc: i64,
    /// Whether any printer, flask and caster can take it.
    pub(super) can_be_made: bool,
}

/// The instance in indices.
#[derive(Debug, Clone)]
pub(super) struct Shop {
    pub(super) horizon: i64,
    pub(super) staffed: Windows,
    pub(super) hands: Vec<Hand>,
    pub(super) presses: Vec<Press>,
    pub(super) washers: Vec<Vat>,
    pub(super) curers: Vec<Vat>,
    pub(super) kilns: Vec<Vat>,
    /// Kilns by capacity, smallest first.
    pub(super) kilns_by_size: Vec<usize>,
    pub(super) casters: Vec<Crucible>,
    pub(super) resins: Vec<Resin>,
    pub(super) programs: Vec<Program>,
    pub(super) alloys: usize,
    pub(super) rules: Rules,
    pub(super) weights: Weights,
    pub(super) orders: Vec<Job>,
    pub(super) pieces: Vec<Part>,
}

impl Shop {
    /// Flasks in the largest kiln.
    pub(super) fn kiln_capacity(&self) -> usize {
        self.kilns.iter().map(|kiln| kiln.capacity).max().unwrap_or(0)
    }

    /// How long it takes to build a tree.
    pub(super) fn tree(&self, pieces: usize) -> i64 {
        self.rules.tree_base + self.rules.tree_per_piece * i64::try_from(pieces).unwrap_or(i64::MAX >> 24)
    }
}

/// An index over names.
pub(super) struct Names<'a>(BTreeMap<&'a str, usize>);

impl<'a> Names<'a> {
    pub(super) fn of(what: &'static str, names: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        let mut index = BTreeMap::new();
        for (position, name) in names.enumerate() {
            if index.insert(name, position).is_some() {
                return Err(Error::Twice { what, name: name.to_owned() });
            }
        }
        Ok(Self(index))
    }

    pub(super) fn find(&self, what: &'static str, name: &str, of: &str) -> Result<usize, Error> {
        let unknown = || Error::Unknown { what, name: name.to_owned(), of: of.to_owned() };
        self.0.get(name).copied().ok_or_else(unknown)
    }

    fn get(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }
}

/// Checks an instance and numbers everything.
pub(super) fn compile(instance: &Instance) -> Result<Shop, Error> {
    if instance.format != "jwl-1" {
        return Err(Error::Format(instance.format.clone()));
    }
    if instance.pieces.len() > PIECES_MAX {
        return Err(Error::TooMany);
    }
    machines_differ(instance)?;
    check_rules(instance)?;
    let resins = Names::of("resin", instance.resins.keys().map(String::as_str))?;
    let programs = Names::of("program", instance.programs.keys().map(String::as_str))?;
    let alloys = alloy_names(instance);
    let presses = presses(instance, &resins)?;
    let casters = casters(instance, &alloys)?;
    let (orders, mut pieces) = work(instance, &resins, &programs, &alloys)?;
    for piece in &mut pieces {
        let press = |press: &Press| {
            press.area >= piece.area && press.max_height >= piece.height && press.max_pieces > 0
        };
        let caster = |caster: &Crucible| caster.takes[piece.alloy];
        let tree = piece.mass <= instance.rules.tree_max_mass && instance.rules.tree_max_pieces > 0;
        piece.can_be_made = presses.iter().any(press) && casters.iter().any(caster) && tree;
    }
    let kilns = vats(&instance.kilns)?;
    let mut kilns_by_size: Vec<usize> = (0..kilns.len()).collect();
    kilns_by_size.sort_by_key(|&kiln| kilns[kiln].capacity);
    Ok(Shop {
        horizon: whole("horizon", "the instance", instance.horizon)?,
        staffed: Windows::of("staffed", &instance.staffed, instance.horizon)?.merged(),
        hands: hands(instance)?,
        presses,
        washers: vats(&instance.washers)?,
        curers: vats(&instance.curers)?,
        kilns,
        kilns_by_size,
        casters,
        resins: instance.resins.values().cloned().collect(),
        programs: instance.programs.values().cloned().collect(),
        alloys: alloys.0.len(),
        rules: instance.rules.clone(),
        weights: instance.objective.clone(),
        orders,
        pieces,
    })
}

fn whole(what: &'static str, of: &str, number: i64) -> Result<i64, Error> {
    if (0..=LIMIT).contains(&number) { Ok(number) } else { Err(Error::Range { what, of: of.to_owned() }) }
}

fn machines_differ(instance: &Instance) -> Result<(), Error> {
    let baths = instance.washers.iter().chain(&instance.curers).chain(&instance.kilns);
    let names = baths.map(|bath| bath.id.as_str());
    let names = names.chain(instance.printers.iter().map(|printer| printer.id.as_str()));
    Names::of("machine", names.chain(instance.casters.iter().map(|caster| caster.id.as_str())))?;
    Names::of("worker", instance.workers.iter().map(|worker| worker.id.as_str()))?;
    Ok(())
}

fn check_rules(instance: &Instance) -> Result<(), Error> {
    let r = &instance.rules;
    let lengths = [r.wash_to_cure_max, r.set_min, r.set_max, r.cool_min, r.cool_max, r.tree_max_mass];
    let times = [r.tree_base, r.tree_per_piece, r.invest, r.cast, r.clean];
    let w = &instance.objective;
    let prices = [w.tardiness, w.kiln_run, w.resin_change, w.alloy_change, w.print_run, w.makespan];
    for number in lengths.into_iter().chain(times).chain(prices) {
        whole("a number", "the rules or the objective", number)?;
    }
    for (name, program) in &instance.programs {
        whole("duration", name, program.duration)?;
        whole("hold_max", name, program.hold_max)?;
    }
    for (name, resin) in &instance.resins {
        whole("wash", name, resin.wash)?;
        whole("cure", name, resin.cure)?;
    }
    Ok(())
}

fn alloy_names(instance: &Instance) -> Names<'_> {
    let mut names: Vec<&str> = instance.pieces.iter().map(|piece| piece.alloy.as_str()).collect();
    for caster in &instance.casters {
        names.push(&caster.loaded);
        names.extend(caster.alloys.iter().map(String::as_str));
    }
    names.sort_unstable();
    names.dedup();
    Names(names.into_iter().enumerate().map(|(index, name)| (name, index)).collect())
}

fn hands(instance: &Instance) -> Result<Vec<Hand>, Error> {
    let hand = |worker: &super::Worker| {
        let mut can = [false; Kind::ALL.len()];
        for (kind, able) in Kind::ALL.into_iter().zip(&mut can) {
            *able = worker.skills.iter().any(|skill| skill == kind.name());
        }
        Ok(Hand { windows: Windows::of(&worker.id, &worker.windows, instance.horizon)?, can })
    };
    instance.workers.iter().map(hand).collect()
}

fn presses(instance: &Instance, resins: &Names<'_>) -> Result<Vec<Press>, Error> {
    let press = |printer: &super::Printer| {
        let of = printer.id.as_str();
        Ok(Press {
            area: whole("area", of, printer.area)?,
            max_pieces: printer.max_pieces,
            max_height: whole("max_height", of, printer.max_height)?,
            base: whole("base", of, printer.base)?,
            per_mm_x10: whole("min_per_mm_x10", of, printer.min_per_mm_x10).and_then(|speed| {
                let of = of.to_owned();
                if speed < 1 << 20 { Ok(speed) } else { Err(Error::Range { what: "min_per_mm_x10", of }) }
            })?,
            turnaround: whole("turnaround", of, printer.turnaround)?,
            // A resin that no piece is of still counts as another one.
            loaded: resins.get(&printer.loaded).unwrap_or(usize::MAX),
            change: whole("resin_change", of, printer.resin_change)?,
            down: down(of, &printer.down)?,
        })
    };
    instance.printers.iter().map(press).collect()
}

fn casters(instance: &Instance, alloys: &Names<'_>) -> Result<Vec<Crucible>, Error> {
    let crucible = |caster: &super::Caster| {
        let takes = alloys.0.keys().map(|name| caster.alloys.iter().any(|alloy| alloy == name)).collect();
        Ok(Crucible {
            takes,
            loaded: alloys.find("alloy", &caster.loaded, &caster.id)?,
            change: whole("alloy_change", &caster.id, caster.alloy_change)?,
            down: down(&caster.id, &caster.down)?,
        })
    };
    instance.casters.iter().map(crucible).collect()
}

fn vats(baths: &[Bath]) -> Result<Vec<Vat>, Error> {
    baths.iter().map(|bath| Ok(Vat { capacity: bath.capacity, down: down(&bath.id, &bath.down)? })).collect()
}

/// Closures may overlap; together they are one.
fn down(of: &str, intervals: &[[i64; 2]]) -> Result<Vec<(i64, i64)>, Error> {
    let mut sorted: Vec<(i64, i64)> = intervals.iter().map(|[start, end]| (*start, *end)).collect();
    sorted.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (start, end) in sorted {
        if start > end || start.abs() > LIMIT || end.abs() > LIMIT {
            return Err(Error::Intervals { of: of.to_owned() });
        }
        match merged.last_mut() {
            Some(last) if last.1 >= start => last.1 = last.1.max(end),
            Some(_) | None => merged.push((start, end)),
        }
    }
    Ok(merged)
}

fn work(
    instance: &Instance,
    resins: &Names<'_>,
    programs: &Names<'_>,
    alloys: &Names<'_>,
) -> Result<(Vec<Job>, Vec<Part>), Error> {
    let orders = Names::of("order", instance.orders.iter().map(|order| order.id.as_str()))?;
    let pieces = Names::of("piece", instance.pieces.iter().map(|piece| piece.id.as_str()))?;
    let part = |piece: &super::Piece| {
        let of = piece.id.as_str();
        let height = whole("height", of, piece.height)?;
        Ok(Part {
            order: orders.find("order", &piece.order, of)?,
            resin: resins.find("resin", &piece.resin, of)?,
            alloy: alloys.find("alloy", &piece.alloy, of)?,
            program: programs.find("program", &piece.program, of)?,
            area: whole("area", of, piece.area)?,
            height: if height < 1 << 20 {
                height
            } else {
                return Err(Error::Range { what: "height", of: of.to_owned() });
            },
            mass: whole("mass", of, piece.mass)?,
            support: whole("support", of, piece.support)?,
            finish: whole("finish", of, piece.finish)?,
            qc: whole("qc", of, piece.qc)?,
            can_be_made: false,
        })
    };
    let parts: Vec<Part> = instance.pieces.iter().map(part).collect::<Result<_, _>>()?;
    let job = |order: &super::Order| {
        let of = order.id.as_str();
        let own = order.pieces.iter().map(|name| pieces.find("piece", name, of));
        Ok(Job {
            release: whole("release", of, order.release)?,
            due: whole("due", of, order.due)?,
            weight: whole("weight", of, order.weight)?,
            pieces: own.collect::<Result<_, _>>()?,
        })
    };
    let jobs: Vec<Job> = instance.orders.iter().map(job).collect::<Result<_, _>>()?;
    for (index, part) in parts.iter().enumerate() {
        if !jobs[part.order].pieces.contains(&index) {
            let name = instance.pieces[index].id.clone();
            return Err(Error::Unknown { what: "piece", name, of: instance.orders[part.order].id.clone() });
        }
    }
    let listed: usize = jobs.iter().map(|job| job.pieces.len()).sum();
    if listed != parts.len() {
        return Err(Error::Twice { what: "piece", name: "in the lists of two orders".to_owned() });
    }
    Ok((jobs, parts))
}
