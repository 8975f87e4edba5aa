//! Looks at layers while somebody else asks for them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::findings;
use super::links::Cut;
use super::section::Section;
use super::slender::Slender;
use super::stack::Stack;
use super::thin;
use super::{Counts, LayerArea, PlateReport, Rules, Scene};
use crate::slice::{Display, Layer, LayerError, LayerSource};

/// Layers of another source, each checked as it passes. Give it to a writer in place of the source, then ask
/// it for its report.
///
/// Layers may be asked for from any thread and in any order; those that come too early wait for their turn.
pub struct Watch<'a> {
    source: &'a dyn LayerSource,
    rules: &'a Rules,
    /// Smallest thick square, px; none if thin features are not looked for.
    thin_px: Option<[u32; 2]>,
    waiting: Mutex<Waiting>,
    progress: Mutex<Progress<'a>>,
}

/// Layers that were seen and not laid on yet.
#[derive(Default)]
struct Waiting {
    /// No layer below this one is taken again.
    next: u32,
    seen: BTreeMap<u32, Seen>,
}

/// What is known of a layer by itself.
struct Seen {
    curve: LayerArea,
    touches_border: bool,
    cut: Cut,
    thin: Option<Cut>,
}

/// What is known of the layers so far.
struct Progress<'a> {
    stack: Stack<'a>,
    slender: Option<Slender<'a>>,
    curve: Vec<LayerArea>,
    border_layers: u32,
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("rules", self.rules).finish_non_exhaustive()
    }
}

impl<'a> Watch<'a> {
    /// Watches a source.
    #[must_use]
    pub fn new(source: &'a dyn LayerSource, scene: &'a Scene, rules: &'a Rules) -> Self {
        let display = source.display();
        let thin_px = rules.thin_mm.and_then(|limit_mm| thin::square_px(limit_mm, &display));
        let progress = Progress {
            stack: Stack::new(rules, scene, &display),
            slender: thin_px.and(rules.thin_mm).map(|limit_mm| Slender::new(scene, &display, limit_mm)),
            curve: Vec::new(),
            border_layers: 0,
        };
        Self { source, rules, thin_px, waiting: Mutex::default(), progress: Mutex::new(progress) }
    }

    /// Takes the layers that nobody asked for, and reports.
    ///
    /// # Errors
    /// If a layer can't be had.
    pub fn finish(self) -> Result<PlateReport, LayerError> {
        let display = self.source.display();
        for index in 0..self.source.layer_count() {
            if self.is_new(index) {
                self.take(self.see(&self.source.layer(index)?, &display), index);
            }
            self.advance(&mut hold(&self.progress));
        }
        let mut progress = self.progress.into_inner().unwrap_or_else(PoisonError::into_inner);
        progress.stack.finish();
        let stack = progress.stack;
        let (thin, thin_count) = progress.slender.map(Slender::finish).unwrap_or_default();
        let mut report = PlateReport {
            findings: Vec::new(),
            area_curve: progress.curve,
            islands: stack.islands,
            pockets: stack.pockets,
            thin,
            counts: Counts {
                free_islands: stack.free_islands,
                weak_islands: stack.weak_islands,
                cups: stack.cups,
                traps: stack.traps,
                thin: thin_count,
            },
        };
        report.findings = findings::of(&report, self.rules, self.thin_px.is_some(), progress.border_layers);
        Ok(report)
    }

    fn is_new(&self, index: u32) -> bool {
        let waiting = hold(&self.waiting);
        index >= waiting.next && !waiting.seen.contains_key(&index)
    }

    fn see(&self, layer: &Layer, display: &Display) -> Seen {
        let section = Section::of(layer, [display.width_px, display.height_px], self.rules.threshold);
        let touches_border = section.touches_border(display.height_px);
        let cut = Cut::of(section);
        let areas = u32::try_from(cut.areas.lit_count()).unwrap_or(u32::MAX);
        let thin = self.thin_px.map(|square| Cut::of(thin::residue(&cut, square)));
        Seen { curve: LayerArea { area_mm2: layer.area_mm2, areas }, touches_border, cut, thin }
    }

    fn take(&self, seen: Seen, index: u32) {
        let mut waiting = hold(&self.waiting);
        if index >= waiting.next {
            waiting.seen.insert(index, seen);
        }
    }

    /// Lays on what has its turn.
    fn advance(&self, progress: &mut Progress<'a>) {
        loop {
            let next = {
                let mut waiting = hold(&self.waiting);
                let turn = waiting.next;
                let seen = waiting.seen.remove(&turn);
                waiting.next += u32::from(seen.is_some());
                seen
            };
            let Some(seen) = next else { return };
            progress.lay(seen);
        }
    }
}

impl Progress<'_> {
    fn lay(&mut self, seen: Seen) {
        self.curve.push(seen.curve);
        self.border_layers += u32::from(seen.touches_border);
        self.stack.lay(seen.cut);
        if let (Some(slender), Some(thin)) = (&mut self.slender, seen.thin) {
            slender.lay(thin);
        }
    }
}

impl LayerSource for Watch<'_> {
    fn display(&self) -> Display {
        self.source.display()
    }

    fn layer_count(&self) -> u32 {
        self.source.layer_count()
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let layer = self.source.layer(index)?;
        if self.is_new(index) {
            self.take(self.see(&layer, &self.source.display()), index);
        }
        // If another thread is at it, it or a later layer takes this one along.
        if let Ok(mut progress) = self.progress.try_lock() {
            self.advance(&mut progress);
        }
        Ok(layer)
    }
}

/// A panic elsewhere must not spread: what was laid on stays as it is.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
