//! A kiln run as one reservation: investing, burnout, pouring and cleaning are booked together or not at all,
//! because the waits between them can't be repaired later.

use super::Kind;
use super::compile::{Crucible, Shop};
use super::genome::Batches;
use super::lines::Line;
use super::steps::{Chain, FixedRun, Flask, Given, NOBODY, Rest, Sequence, Step, Steps};

/// How many minutes later a pour may be to save a change of crucible.
const CHANGE_WORTH: i64 = 90;
/// Minutes between two tries to begin a kiln run.
const STEP: i64 = 15;

/// Hands, kilns and casters, and who is where.
#[derive(Debug, Clone, Default)]
pub(super) struct Casting {
    pub(super) hands: Vec<Line>,
    pub(super) kilns: Vec<Line>,
    pub(super) casters: Vec<Sequence>,
    /// Flasks and when they were cleaned, in the order of booking.
    pub(super) cleaned: Vec<(usize, i64)>,
    /// By piece: whether it is still to be finished after cleaning.
    pub(super) goes_on: Vec<bool>,
    /// By piece: whether it still goes into a tree.
    pub(super) to_tree: Vec<bool>,
    /// By piece: whether it is still to be checked.
    pub(super) to_qc: Vec<bool>,
    booked: Vec<Pour>,
    invested: Vec<Investing>,
}

/// A booked pour with its cleaning.
#[derive(Debug, Clone, Copy)]
struct Pour {
    flask: usize,
    caster: usize,
    alloy: usize,
    hand: usize,
    start: i64,
    cleaner: usize,
    cleaning: i64,
}

/// What is asked for when a kiln run is booked.
struct Ask<'a> {
    flasks: &'a [Flask],
    /// Which alloy is poured first.
    twist: usize,
    now: i64,
    /// When a flask was invested, if that is fixed.
    invested: &'a dyn Fn(usize) -> Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Investing {
    flask: usize,
    /// [`NOBODY`] if it is fixed.
    hand: usize,
    start: i64,
}

impl Casting {
    pub(super) fn begin(&mut self, given: &Given) {
        self.hands.clone_from(&given.hands);
        self.kilns.clone_from(&given.kilns);
        self.casters.clone_from(&given.casters);
        self.cleaned.clear();
        self.goes_on.clear();
        self.goes_on.extend(given.rest.iter().map(|rest| *rest == Rest::AfterClean));
        self.to_tree.clear();
        self.to_tree.extend(given.spans.iter().map(|span| span.includes(Kind::Tree)));
        self.to_qc.clear();
        self.to_qc.extend(given.rest.iter().map(|rest| *rest != Rest::Kept));
    }

    /// Completes what is fixed by half: flasks that are invested, in a kiln, or poured.
    pub(super) fn finish_fixed(&mut self, shop: &Shop, given: &Given, steps: &mut Steps) {
        for run in &given.runs {
            self.finish_run(shop, given, run, steps);
        }
        for (index, fixed) in given.flasks.iter().enumerate() {
            if let Chain::Poured(end) = fixed.chain
                && let Some((cleaning, cleaner)) = self.cleaning(shop, end, given.now)
            {
                self.hands[cleaner].book(cleaning, cleaning + shop.rules.clean);
                self.clean(shop, index, cleaner, cleaning, steps);
            }
        }
        let invested = |index: &usize| matches!(given.flasks[*index].chain, Chain::Invested(_));
        let waiting: Vec<usize> = (0..given.flasks.len()).filter(invested).collect();
        let flasks: Vec<Flask> = given.flasks.iter().map(|fixed| fixed.flask.clone()).collect();
        for program in 0..shop.programs.len() {
            let of: Vec<usize> =
                waiting.iter().copied().filter(|&flask| flasks[flask].program == program).collect();
            for chunk in of.chunks(shop.kiln_capacity().max(1)) {
                let until = |flask: usize| match given.flasks[flask].chain {
                    Chain::Invested(end) => Some(end),
                    Chain::Treed | Chain::Burning | Chain::Poured(_) | Chain::Cleaned => None,
                };
                let ask = Ask { flasks: &flasks, twist: 0, now: given.now, invested: &until };
                self.place(shop, &ask, chunk, steps);
            }
        }
    }

    /// Pours what a kiln holds at `given.now`, within its hold.
    fn finish_run(&mut self, shop: &Shop, given: &Given, run: &FixedRun, steps: &mut Steps) {
        let Some(&first) = run.flasks.first() else { return };
        let program = &shop.programs[given.flasks[first].flask.program];
        let ready = run.start + program.duration;
        let burning = |flask: &usize| matches!(given.flasks[*flask].chain, Chain::Burning);
        let open: Vec<usize> = run.flasks.iter().copied().filter(burning).collect();
        let flasks: Vec<Flask> = given.flasks.iter().map(|fixed| fixed.flask.clone()).collect();
        self.booked.clear();
        let poured = open.is_empty()
            || self.pour_all(shop, &flasks, &open, 0, ready.max(given.now), ready + program.hold_max);
        if !poured {
            self.undo(shop);
        }
        let last = self.booked.iter().map(|pour| pour.start).max();
        let end = last.map_or(run.end, |last| last.max(run.end));
        let line = &mut self.kilns[run.kiln];
        line.cancel(run.start, run.end);
        let fits = line.is_free(run.start.max(given.now), end);
        line.book(run.start, if fits { end } else { run.end });
        if !fits {
            self.undo(shop);
        }
        let step = Step {
            kind: Kind::Burnout,
            start: run.start,
            end: if fits { end } else { run.end },
            machine: run.kiln,
            hand: NOBODY,
            item: NOBODY,
            members: (0, 0),
        };
        steps.batch(step, &run.flasks);
        self.write_pours(shop, steps);
    }

    /// Books a whole kiln run whose trees are ready now, or its halves if it can't go as one.
    pub(super) fn launch(
        &mut self,
        shop: &Shop,
        batches: &Batches,
        run: usize,
        twist: usize,
        now: i64,
        steps: &mut Steps,
    ) {
        let ask = Ask { flasks: &batches.flasks, twist, now, invested: &|_| None };
        self.place(shop, &ask, &batches.runs[run], steps);
    }

    fn place(&mut self, shop: &Shop, ask: &Ask<'_>, members: &[usize], steps: &mut Steps) {
        if members.is_empty() || self.place_as_one(shop, ask, members, steps) {
            return;
        }
        if members.len() > 1 {
            let (first, second) = members.split_at(members.len() / 2);
            self.place(shop, ask, first, steps);
            self.place(shop, ask, second, steps);
        }
    }

    fn place_as_one(&mut self, shop: &Shop, ask: &Ask<'_>, members: &[usize], steps: &mut Steps) -> bool {
        let &Ask { flasks, twist, now, invested } = ask;
        let rules = &shop.rules;
        let program = &shop.programs[flasks[members[0]].program];
        if !self.invest(shop, members, now, shop.horizon, invested) {
            return false;
        }
        let mut at = self.first_start(rules.invest, rules.set_min).max(now);
        while let Some(start) = shop.staffed.next(at).filter(|start| start + program.duration <= shop.horizon)
        {
            let ready = start + program.duration;
            let Some(pour) = first_pour(shop, ready) else { break };
            if pour > ready + program.hold_max {
                at = (pour - program.hold_max - program.duration).max(start + 1);
                continue;
            }
            let Some(kiln) = self.free_kiln(shop, members.len(), start, pour.max(ready)) else {
                at = self.kiln_wakes(shop, members.len(), start).max(start + 1);
                continue;
            };
            if self.last_start(rules.invest, rules.set_max) < start {
                let from = now.max(start - rules.set_max - rules.invest);
                self.cancel_investing(rules.invest);
                let latest = start - rules.set_min - rules.invest;
                if !self.invest(shop, members, from, shop.horizon, invested) {
                    break;
                }
                if self.invested.iter().any(|one| one.start > latest) {
                    at = self.first_start(rules.invest, rules.set_min).max(start + 1);
                    continue;
                }
                if self.last_start(rules.invest, rules.set_max) < start {
                    // Something fixed has waited too long.
                    break;
                }
            }
            self.booked.clear();
            if self.pour_all(shop, flasks, members, twist, ready, ready + program.hold_max) {
                let end = self.booked.iter().map(|pour| pour.start).max().unwrap_or(ready).max(ready);
                if self.kilns[kiln].is_free(start, end) {
                    self.kilns[kiln].book(start, end);
                    self.write_run(shop, kiln, start, end, members, steps);
                    return true;
                }
            }
            self.undo(shop);
            at = start + STEP;
        }
        self.cancel_investing(rules.invest);
        false
    }

    /// Books the earliest hands for investing; nothing stays booked if one flask finds none.
    fn invest(
        &mut self,
        shop: &Shop,
        members: &[usize],
        from: i64,
        latest: i64,
        invested: &dyn Fn(usize) -> Option<i64>,
    ) -> bool {
        let length = shop.rules.invest;
        self.invested.clear();
        for &flask in members {
            if let Some(end) = invested(flask) {
                self.invested.push(Investing { flask, hand: NOBODY, start: end - length });
                continue;
            }
            match self.first_hand(shop, Kind::Invest, from, length, latest) {
                Some((start, hand)) => {
                    self.hands[hand].book(start, start + length);
                    self.invested.push(Investing { flask, hand, start });
                }
                None => {
                    self.cancel_investing(length);
                    return false;
                }
            }
        }
        true
    }

    fn cancel_investing(&mut self, length: i64) {
        for one in self.invested.drain(..) {
            if one.hand != NOBODY {
                self.hands[one.hand].cancel(one.start, one.start + length);
            }
        }
    }

    fn first_start(&self, invest: i64, set_min: i64) -> i64 {
        self.invested.iter().map(|one| one.start).max().unwrap_or(0) + invest + set_min
    }

    fn last_start(&self, invest: i64, set_max: i64) -> i64 {
        self.invested.iter().map(|one| one.start).min().unwrap_or(0) + invest + set_max
    }

    /// Who with the skill is free first, and when; of several the one who just finished something.
    fn first_hand(
        &self,
        shop: &Shop,
        kind: Kind,
        from: i64,
        length: i64,
        latest: i64,
    ) -> Option<(i64, usize)> {
        let mut best: Option<(i64, bool, usize)> = None;
        for (index, hand) in shop.hands.iter().enumerate() {
            if !hand.can[kind as usize] {
                continue;
            }
            let latest = best.map_or(latest, |known| known.0.min(latest));
            let Some(at) = self.hands[index].earliest_within(&hand.windows, from, length, latest) else {
                continue;
            };
            let entry = (at, !self.hands[index].ends_at(at), index);
            if best.is_none_or(|known| entry < known) {
                best = Some(entry);
            }
        }
        best.map(|(at, _, hand)| (at, hand))
    }

    fn cleaning(&self, shop: &Shop, poured: i64, now: i64) -> Option<(i64, usize)> {
        let rules = &shop.rules;
        let from = (poured + rules.cool_min).max(now);
        self.first_hand(shop, Kind::Clean, from, rules.clean, poured + rules.cool_max)
    }

    fn free_kiln(&self, shop: &Shop, flasks: usize, start: i64, end: i64) -> Option<usize> {
        let fits =
            |kiln: &usize| shop.kilns[*kiln].capacity >= flasks && self.kilns[*kiln].is_free(start, end);
        shop.kilns_by_size.iter().copied().find(fits)
    }

    /// When the first kiln that is taken at `start` or soon after is free again.
    fn kiln_wakes(&self, shop: &Shop, flasks: usize, start: i64) -> i64 {
        let able = shop.kilns_by_size.iter().filter(|kiln| shop.kilns[**kiln].capacity >= flasks);
        let ends = able.filter_map(|&kiln| self.kilns[kiln].next(start).map(|booking| booking.1));
        ends.min().unwrap_or(shop.horizon)
    }

    /// Pours every flask between two times and cleans it after; alloy by alloy, those that are loaded first.
    fn pour_all(
        &mut self,
        shop: &Shop,
        flasks: &[Flask],
        members: &[usize],
        twist: usize,
        from: i64,
        latest: i64,
    ) -> bool {
        let mut order: Vec<(bool, usize, usize)> = Vec::with_capacity(members.len());
        for &flask in members {
            let alloy = flasks[flask].alloy;
            let loaded = (0..self.casters.len()).any(|caster| self.loaded_at(shop, caster, from) == alloy);
            order.push((!loaded, (alloy + twist) % shop.alloys.max(1), flask));
        }
        order.sort_unstable();
        for (_, _, flask) in order {
            let Some(pour) = self.pour(shop, flask, flasks[flask].alloy, from, latest) else {
                return false;
            };
            self.hands[pour.hand].book(pour.start, pour.start + shop.rules.cast);
            self.hands[pour.cleaner].book(pour.cleaning, pour.cleaning + shop.rules.clean);
            self.casters[pour.caster].insert(pour.start, pour.start + shop.rules.cast, pour.alloy);
            self.booked.push(pour);
        }
        true
    }

    fn loaded_at(&self, shop: &Shop, caster: usize, at: i64) -> usize {
        let runs = &self.casters[caster].runs;
        let before = runs.partition_point(|run| run.0 <= at).checked_sub(1);
        before.map_or(shop.casters[caster].loaded, |before| runs[before].2)
    }

    /// The best caster, hands and time for one flask.
    fn pour(&self, shop: &Shop, flask: usize, alloy: usize, from: i64, latest: i64) -> Option<Pour> {
        let mut best: Option<(i64, Pour)> = None;
        for (caster, crucible) in shop.casters.iter().enumerate() {
            if !crucible.takes[alloy] {
                continue;
            }
            let mut at = from;
            while let Some(start) = slot(crucible, &self.casters[caster], at, shop.rules.cast, alloy) {
                if start > latest {
                    break;
                }
                let Some((free, hand)) = self.first_hand(shop, Kind::Cast, start, shop.rules.cast, latest)
                else {
                    break;
                };
                if free > start {
                    at = free;
                    continue;
                }
                let end = start + shop.rules.cast;
                // Two hands may be the same one after the other, never at once: cleaning comes after.
                let Some((cleaning, cleaner)) = self.cleaning(shop, end, end) else {
                    at = start + 1;
                    continue;
                };
                let change = self.loaded_at(shop, caster, start) != alloy;
                let entry = start + if change { CHANGE_WORTH } else { 0 };
                let pour = Pour { flask, caster, alloy, hand, start, cleaner, cleaning };
                if best.is_none_or(|known| entry < known.0) {
                    best = Some((entry, pour));
                }
                break;
            }
        }
        best.map(|(_, pour)| pour)
    }

    /// Takes back what [`Casting::pour_all`] booked.
    fn undo(&mut self, shop: &Shop) {
        for pour in self.booked.drain(..) {
            self.hands[pour.hand].cancel(pour.start, pour.start + shop.rules.cast);
            self.hands[pour.cleaner].cancel(pour.cleaning, pour.cleaning + shop.rules.clean);
            self.casters[pour.caster].remove(pour.start, pour.start + shop.rules.cast, pour.alloy);
        }
    }

    fn write_run(
        &mut self,
        shop: &Shop,
        kiln: usize,
        start: i64,
        end: i64,
        members: &[usize],
        steps: &mut Steps,
    ) {
        for one in self.invested.drain(..).filter(|one| one.hand != NOBODY) {
            steps.single(Kind::Invest, one.start, one.start + shop.rules.invest, one.hand, one.flask);
        }
        let step = Step {
            kind: Kind::Burnout,
            start,
            end,
            machine: kiln,
            hand: NOBODY,
            item: NOBODY,
            members: (0, 0),
        };
        steps.batch(step, members);
        self.write_pours(shop, steps);
    }

    fn write_pours(&mut self, shop: &Shop, steps: &mut Steps) {
        for pour in std::mem::take(&mut self.booked) {
            let end = pour.start + shop.rules.cast;
            steps.single(Kind::Cast, pour.start, end, pour.hand, pour.flask);
            steps.on_machine(pour.caster);
            self.clean(shop, pour.flask, pour.cleaner, pour.cleaning, steps);
        }
    }

    fn clean(&mut self, shop: &Shop, flask: usize, cleaner: usize, start: i64, steps: &mut Steps) {
        let end = start + shop.rules.clean;
        steps.single(Kind::Clean, start, end, cleaner, flask);
        self.cleaned.push((flask, end));
    }
}

/// The first minute not before `ready` at which somebody may pour.
fn first_pour(shop: &Shop, ready: i64) -> Option<i64> {
    let able = shop.hands.iter().filter(|hand| hand.can[Kind::Cast as usize]);
    able.filter_map(|hand| hand.windows.next(ready)).min()
}

/// The first start on a caster with room for changes on both sides.
fn slot(crucible: &Crucible, line: &Sequence, from: i64, length: i64, alloy: usize) -> Option<i64> {
    let mut at = from;
    loop {
        let next = line.runs.partition_point(|run| run.0 <= at);
        let change = |other: usize| if other == alloy { 0 } else { crucible.change };
        let low = match next.checked_sub(1) {
            Some(before) => line.runs[before].1 + change(line.runs[before].2),
            None => change(crucible.loaded),
        };
        let start = at.max(low);
        if let Some(&(begins, ends, other)) = line.runs.get(next)
            && start + length + change(other) > begins
        {
            at = ends;
            continue;
        }
        match crucible.down.iter().find(|down| down.1 > start && down.0 < start + length) {
            Some(down) => at = down.1.max(start + 1),
            None => return Some(start),
        }
    }
}
