//! Plates and baths: from release to cured. Nobody's hands are needed, so this part is decided first.

use super::Kind;
use super::compile::{Press, Shop, Vat};
use super::lines::Line;
use super::steps::{Given, NOBODY, Sequence, Step, Steps};

/// What the search decides about the front.
pub(super) struct Wishes<'a> {
    /// The smaller, the sooner; by piece.
    pub(super) keys: &'a [i64],
    /// A plate is not begun for a piece before this; by piece.
    pub(super) hold: &'a [i64],
    /// Minutes that another plate's end may come later to save a resin change.
    pub(super) reluctance: i64,
    /// Minutes that a plate may last longer for a piece that only fills it up.
    pub(super) extension: i64,
}

/// Never.
pub(super) const NEVER: i64 = i64::MAX / 4;

/// What comes out of the front.
#[derive(Debug, Clone, Default)]
pub(super) struct Front {
    /// When each piece is cured; [`NEVER`] if it found no place or has no need.
    pub(super) cured: Vec<i64>,
    pub(super) presses: Vec<Sequence>,
    pub(super) steps: Steps,
    printed: Vec<(i64, usize)>,
}

impl Front {
    /// Decides every plate and bath.
    pub(super) fn decode(&mut self, shop: &Shop, given: &Given, wishes: &Wishes<'_>) {
        self.cured.clear();
        self.cured.resize(shop.pieces.len(), NEVER);
        self.presses.clone_from(&given.presses);
        self.steps.clear();
        self.printed.clear();
        for (piece, span) in given.spans.iter().enumerate() {
            if span.from == Kind::Wash && span.includes(Kind::Wash) {
                self.printed.push((span.ready.max(given.now), piece));
            }
        }
        self.print(shop, given, wishes);
        let mut curers = given.curers.clone();
        self.cure_washed(shop, given, &mut curers);
        self.bathe(shop, given, wishes, curers);
    }

    fn print(&mut self, shop: &Shop, given: &Given, wishes: &Wishes<'_>) {
        let mut arrivals: Vec<(i64, usize)> = Vec::new();
        for (piece, span) in given.spans.iter().enumerate() {
            if span.from == Kind::Print && span.includes(Kind::Print) && shop.pieces[piece].can_be_made {
                let release = shop.orders[shop.pieces[piece].order].release.max(given.now);
                arrivals.push((release, piece));
            }
        }
        arrivals.sort_unstable();
        let mut arrivals = arrivals.into_iter().peekable();
        let mut waiting: Vec<(i64, usize)> = Vec::new();
        let mut blocked = vec![false; shop.resins.len()];
        let mut at = given.now;
        while let Some(now) = shop.staffed.next(at) {
            while let Some((_, piece)) = arrivals.next_if(|arrival| arrival.0 <= now) {
                let entry = (wishes.keys[piece], piece);
                waiting.insert(waiting.partition_point(|other| *other < entry), entry);
            }
            blocked.fill(false);
            let wake = self.start_plates(shop, given, wishes, now, &mut waiting, &mut blocked);
            let next = arrivals.peek().map_or(NEVER, |arrival| arrival.0).min(wake);
            if next >= NEVER {
                break;
            }
            at = next.max(now + 1);
        }
    }

    /// Starts every plate that should start now; returns when to look again.
    fn start_plates(
        &mut self,
        shop: &Shop,
        given: &Given,
        wishes: &Wishes<'_>,
        now: i64,
        waiting: &mut Vec<(i64, usize)>,
        blocked: &mut [bool],
    ) -> i64 {
        let mut wake = NEVER;
        let mut position = 0;
        while position < waiting.len() {
            let piece = waiting[position].1;
            let resin = shop.pieces[piece].resin;
            if blocked[resin] {
                position += 1;
                continue;
            }
            if wishes.hold[piece] > now {
                wake = wake.min(wishes.hold[piece]);
                position += 1;
                continue;
            }
            match self.best_press(shop, wishes, piece, now) {
                Some((start, press)) if start == now => {
                    self.start_plate(shop, given, wishes, (press, now), position, waiting);
                    // Held pieces before this position may have gone with the plate.
                    position = 0;
                }
                Some((start, _)) => {
                    wake = wake.min(start);
                    blocked[resin] = true;
                }
                None => {
                    waiting.remove(position);
                }
            }
        }
        wake
    }

    fn best_press(&self, shop: &Shop, wishes: &Wishes<'_>, piece: usize, now: i64) -> Option<(i64, usize)> {
        let part = &shop.pieces[piece];
        let mut best: Option<(i64, i64, usize)> = None;
        for (index, press) in shop.presses.iter().enumerate() {
            if !takes(press, part.area, part.height) {
                continue;
            }
            let duration = press.duration(part.height);
            let Some(start) = earliest(shop, press, &self.presses[index], now, duration, part.resin) else {
                continue;
            };
            let runs = &self.presses[index].runs;
            let before = runs.partition_point(|run| run.0 <= start).checked_sub(1);
            let loaded = before.map_or(press.loaded, |before| runs[before].2);
            let price = if loaded == part.resin { 0 } else { wishes.reluctance };
            let entry = (start + duration + price, start, index);
            if best.is_none_or(|known| entry < known) {
                best = Some(entry);
            }
        }
        best.map(|(_, start, press)| (start, press))
    }

    /// Takes the piece at `position` and whatever fits beside it.
    fn start_plate(
        &mut self,
        shop: &Shop,
        given: &Given,
        wishes: &Wishes<'_>,
        (index, now): (usize, i64),
        position: usize,
        waiting: &mut Vec<(i64, usize)>,
    ) {
        let press = &shop.presses[index];
        let first = waiting[position].1;
        let resin = shop.pieces[first].resin;
        let mut plate = vec![first];
        let (mut area, mut tallest) = (shop.pieces[first].area, shop.pieces[first].height);
        let longest = press.duration(tallest) + wishes.extension;
        waiting.remove(position);
        waiting.retain(|&(_, piece)| {
            let part = &shop.pieces[piece];
            let fits = part.resin == resin
                && plate.len() < press.max_pieces
                && area + part.area <= press.area
                && part.height <= press.max_height;
            let higher = part.height > tallest;
            let in_time = !higher || {
                let duration = press.duration(part.height);
                duration <= longest
                    && earliest(shop, press, &self.presses[index], now, duration, resin) == Some(now)
            };
            if fits && in_time {
                plate.push(piece);
                area += part.area;
                tallest = tallest.max(part.height);
            }
            !(fits && in_time)
        });
        let end = now + press.duration(tallest);
        self.presses[index].insert(now, end, resin);
        let step = Step {
            kind: Kind::Print,
            start: now,
            end,
            machine: index,
            hand: NOBODY,
            item: NOBODY,
            members: (0, 0),
        };
        self.steps.batch(step, &plate);
        for piece in plate {
            if given.spans[piece].includes(Kind::Wash) {
                self.printed.push((end, piece));
            }
        }
    }

    /// Cures what was washed before now, within its wait: batches that lost their curer.
    fn cure_washed(&mut self, shop: &Shop, given: &Given, curers: &mut [Line]) {
        let is_washed = |(piece, span): (usize, &super::steps::Span)| {
            (span.from == Kind::Cure).then(|| (span.ready, shop.pieces[piece].resin, piece))
        };
        let mut washed: Vec<(i64, usize, usize)> =
            given.spans.iter().enumerate().filter_map(is_washed).collect();
        washed.sort_unstable();
        for batch in washed.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let (ready, resin, _) = batch[0];
            let cure = shop.resins[resin].cure;
            let latest = ready + shop.rules.wash_to_cure_max;
            let mut rest: Vec<usize> = batch.iter().map(|entry| entry.2).collect();
            while let Some((start, curer)) = curing(shop, curers, ready.max(given.now), cure) {
                if start > latest || rest.is_empty() {
                    break;
                }
                let some: Vec<usize> = rest.drain(..rest.len().min(shop.curers[curer].capacity)).collect();
                curers[curer].book(start, start + cure);
                let step = Step {
                    kind: Kind::Cure,
                    start,
                    end: start + cure,
                    machine: curer,
                    hand: NOBODY,
                    item: NOBODY,
                    members: (0, 0),
                };
                self.steps.batch(step, &some);
                some.into_iter().for_each(|piece| self.cured[piece] = start + cure);
            }
        }
    }

    /// Washes and cures what is printed, as soon as somebody is there and both baths are free in time.
    fn bathe(&mut self, shop: &Shop, given: &Given, wishes: &Wishes<'_>, mut curers: Vec<Line>) {
        let mut washers = given.washers.clone();
        self.printed.sort_unstable();
        let mut arrivals = std::mem::take(&mut self.printed).into_iter().peekable();
        let mut waiting: Vec<(i64, usize)> = Vec::new();
        let mut at = given.now;
        loop {
            if waiting.is_empty() {
                let Some(arrival) = arrivals.peek() else { break };
                at = at.max(arrival.0);
            }
            let Some(now) = shop.staffed.next(at) else { break };
            while let Some((_, piece)) = arrivals.next_if(|arrival| arrival.0 <= now) {
                let entry = (wishes.keys[piece], piece);
                waiting.insert(waiting.partition_point(|other| *other < entry), entry);
            }
            while self.bathe_one(shop, now, &mut waiting, &mut washers, &mut curers) {}
            let later = if waiting.is_empty() { NEVER } else { now + RETRY };
            at = arrivals.peek().map_or(NEVER, |arrival| arrival.0).min(later).max(now + 1);
            if at >= NEVER {
                break;
            }
        }
    }

    fn bathe_one(
        &mut self,
        shop: &Shop,
        now: i64,
        waiting: &mut Vec<(i64, usize)>,
        washers: &mut [Line],
        curers: &mut [Line],
    ) -> bool {
        let mut tried = vec![false; shop.resins.len()];
        for position in 0..waiting.len() {
            let resin = shop.pieces[waiting[position].1].resin;
            if std::mem::replace(&mut tried[resin], true) {
                continue;
            }
            let (wash, cure) = (shop.resins[resin].wash, shop.resins[resin].cure);
            let free = |index: &usize| {
                shop.washers[*index].capacity > 0
                    && now + wash <= shop.horizon
                    && washers[*index].is_free(now, now + wash)
            };
            let Some(washer) = (0..washers.len()).find(free) else { continue };
            let Some((start, curer)) = curing(shop, curers, now + wash, cure) else { continue };
            let capacity = shop.washers[washer].capacity.min(shop.curers[curer].capacity);
            let mut batch = Vec::new();
            waiting.retain(|&(_, piece)| {
                let joins = batch.len() < capacity && shop.pieces[piece].resin == resin;
                if joins {
                    batch.push(piece);
                }
                !joins
            });
            washers[washer].book(now, now + wash);
            curers[curer].book(start, start + cure);
            let step = |kind, start, end, machine| Step {
                kind,
                start,
                end,
                machine,
                hand: NOBODY,
                item: NOBODY,
                members: (0, 0),
            };
            self.steps.batch(step(Kind::Wash, now, now + wash, washer), &batch);
            self.steps.batch(step(Kind::Cure, start, start + cure, curer), &batch);
            for piece in batch {
                self.cured[piece] = start + cure;
            }
            return true;
        }
        false
    }
}

/// Minutes until a batch that found no bath is tried again.
const RETRY: i64 = 5;

fn takes(press: &Press, area: i64, height: i64) -> bool {
    press.area >= area && press.max_height >= height && press.max_pieces > 0
}

/// The first start with somebody there, room between the neighbours and time for changes.
fn earliest(
    shop: &Shop,
    press: &Press,
    line: &Sequence,
    from: i64,
    duration: i64,
    resin: usize,
) -> Option<i64> {
    let mut at = from;
    loop {
        let next = line.runs.partition_point(|run| run.0 <= at);
        let change = |other: usize| if other == resin { 0 } else { press.change };
        let low = match next.checked_sub(1) {
            Some(before) => line.runs[before].1 + press.turnaround + change(line.runs[before].2),
            None => change(press.loaded),
        };
        let start = shop.staffed.next(at.max(low))?;
        let end = start + duration;
        if end > shop.horizon {
            return None;
        }
        if let Some(&(begins, ends, other)) = line.runs.get(next)
            && end + press.turnaround + change(other) > begins
        {
            at = ends;
            continue;
        }
        match press.down.iter().find(|down| down.1 > start && down.0 < end) {
            Some(down) => at = down.1.max(start + 1),
            None => return Some(start),
        }
    }
}

/// Where and when to cure what is washed then.
fn curing(shop: &Shop, curers: &[Line], washed: i64, cure: i64) -> Option<(i64, usize)> {
    let latest = (washed + shop.rules.wash_to_cure_max).min(shop.horizon - cure);
    let start = |index: usize| {
        let vat: &Vat = shop.curers.get(index)?;
        if vat.capacity == 0 {
            return None;
        }
        let mut at = washed;
        loop {
            at = shop.staffed.next(at).filter(|at| *at <= latest)?;
            let free = curers[index].earliest(at, cure, latest)?;
            if free == at {
                return Some(at);
            }
            at = free;
        }
    };
    (0..curers.len()).filter_map(|index| start(index).map(|at| (at, index))).min()
}
