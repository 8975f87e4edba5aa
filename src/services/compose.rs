//! Arranges checked pieces on plates and makes the operations that carry them.
//!
//! A plate that has not begun is taken apart and arranged anew when more pieces for it come in: plates themselves
//! never change. Cutting a plate into layers waits until its print is near (`services::run`).

mod outlines;
mod room;

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{OperationId, PieceId, PlateId, TreeId};
use crate::services::slicing::{self, PrintSettings};
use crate::services::{Error, Shop};
use crate::shop::design::{PartFacts, Sha256Hex};
use crate::shop::event::Event;
use crate::shop::operation::{Batch, Change, OnFailure, Operation, OperationState, PrintOn, RecordSpec};
use crate::shop::piece::{Piece, PieceState};
use crate::shop::plate::{Placement, Plate, PlateState};
use crate::shop::profile::routing::{self, BatchUnit, Elapsed, OperationTemplate, Window, WindowFrom};
use crate::shop::profile::{Profiles, RoutingProfile};
use crate::shop::workshop::is_print;
use crate::store::{Rows, Tx};
use crate::units::{Microns, Span, Timestamp};
use room::{Room, Urgency};

/// Pieces that are arranged at once; the rest waits for the next round. Bounds the work of a flood of orders.
const PIECES_AT_ONCE: u32 = 400;

/// Open operations beyond which no further plate is made: a few weeks of a busy workshop. What waits shows why.
const OPEN_OPERATIONS_MAX: usize = 10_000;

/// Why a piece has no plate yet, by piece.
pub type Waiting = BTreeMap<PieceId, String>;

/// Puts every checked piece on a plate that can take it. Returns why the others wait.
///
/// # Errors
/// `Store`.
pub async fn reconcile(shop: &Shop) -> Result<Waiting, Error> {
    let table = shop.clone();
    let picture = shop.store.read(move |rows| Picture::read(&table, rows)).await?;
    if picture.pieces.is_empty() {
        return Ok(Waiting::new());
    }
    // Laying a full plate takes a moment of a processor; others must not wait for it.
    let table = shop.clone();
    let arranged = tokio::task::spawn_blocking(move || arrange(&table, picture)).await;
    let (drafts, waiting) = arranged.map_err(|_| Error::Compute { what: "nesting" })?;
    for draft in drafts {
        let profiles = shop.profiles.clone();
        shop.store.transact("sprue", move |tx| draft.record(tx, &profiles)).await?;
        shop.wake.plan.notify_one();
    }
    Ok(waiting)
}

/// What the shop looks like to whoever arranges plates.
struct Picture {
    pieces: Vec<Piece>,
    parts: BTreeMap<Sha256Hex, PartFacts>,
    /// What their orders ask for.
    urgency: Urgency,
    /// Plates whose print has not begun, with their pieces.
    open: Vec<(Plate, Vec<Piece>)>,
    /// How long printers of each profile are busy, as planned.
    backlog: BTreeMap<String, Span>,
    full: bool,
}

impl Picture {
    fn read(shop: &Shop, rows: &Rows<'_>) -> Result<Self, Error> {
        let mut pieces = rows.pieces_in("checked", PIECES_AT_ONCE)?;
        pieces.retain(|piece| piece.hold.is_none());
        let operations = if pieces.is_empty() { Vec::new() } else { rows.open_operations()? };
        // Composed, but not in a plan yet.
        let on_a_plate: BTreeSet<PieceId> = operations.iter().flat_map(|op| op.pieces.clone()).collect();
        pieces.retain(|piece| !on_a_plate.contains(&piece.id));
        let mut open = Vec::new();
        let mut backlog: BTreeMap<String, Span> = BTreeMap::new();
        for print in operations.iter().filter(|operation| is_print(&operation.ability)) {
            let Some(on) = &print.print_on else { continue };
            backlog.entry(on.printer.clone()).or_default().0 += print.elapsed.0;
            if matches!(print.state, OperationState::Planned) && print.attempt == 1 {
                let plate = rows.plate(&print.plate)?;
                let on_it = super::tasks::pieces_of(rows, print)?;
                open.extend(plate.map(|plate| (plate, on_it)));
            }
        }
        let (mut parts, mut urgency) = (BTreeMap::new(), Urgency::new());
        for piece in pieces.iter().chain(open.iter().flat_map(|(_, pieces)| pieces)) {
            if let Some(design) = rows.design(&piece.design)? {
                parts.insert(piece.design.clone(), design.part);
            }
            if let Some(order) = rows.order(&piece.order)? {
                urgency.insert(order.id, (order.priority, order.due));
            }
        }
        for (_, printer, _) in shop.workshop.printers() {
            backlog.entry(printer.to_owned()).or_default();
        }
        Ok(Self { pieces, parts, urgency, open, backlog, full: operations.len() > OPEN_OPERATIONS_MAX })
    }
}

/// A plate that is about to be recorded.
struct Draft {
    plate: DraftPlate,
    /// The plate that it replaces.
    replaces: Option<PlateId>,
    pieces: Vec<Piece>,
}

struct DraftPlate {
    printer: String,
    material: String,
    routing: String,
    layer: Microns,
    placements: Vec<Placement>,
    print_estimate: Span,
}

/// A printer profile with the material that is loaded on some station of the shop.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    printer: String,
    material: String,
}

fn arrange(shop: &Shop, picture: Picture) -> (Vec<Draft>, Waiting) {
    let (mut drafts, mut waiting) = (Vec::new(), Waiting::new());
    if picture.full {
        let reason = "more work is planned than fits into the next weeks; it is arranged when some is done";
        waiting.extend(picture.pieces.into_iter().map(|piece| (piece.id, reason.to_owned())));
        return (drafts, waiting);
    }
    let mut open = picture.open;
    let mut backlog = picture.backlog;
    for (routing, pieces) in by_routing(picture.pieces) {
        let target = match choose_target(shop, &routing, &backlog) {
            Ok(target) => target,
            Err(reason) => {
                waiting.extend(pieces.into_iter().map(|piece| (piece.id, reason.clone())));
                continue;
            }
        };
        let mut crew = Crew {
            shop,
            parts: &picture.parts,
            urgency: &picture.urgency,
            target: &target,
            routing: &routing,
        };
        let (made, left) = crew.fill(pieces, &mut open);
        for draft in &made {
            backlog.entry(target.printer.clone()).or_default().0 += draft.plate.print_estimate.0;
        }
        drafts.extend(made);
        waiting.extend(left);
    }
    (drafts, waiting)
}

fn by_routing(pieces: Vec<Piece>) -> BTreeMap<String, Vec<Piece>> {
    let mut groups: BTreeMap<String, Vec<Piece>> = BTreeMap::new();
    for piece in pieces {
        groups.entry(piece.routing.clone()).or_default().push(piece);
    }
    groups
}

/// The printer profile and material with the least work waiting per station.
fn choose_target(shop: &Shop, routing: &str, backlog: &BTreeMap<String, Span>) -> Result<Target, String> {
    let profile = shop.profiles.routing(routing).map_err(|unknown| unknown.to_string())?;
    let print = profile.operation.iter().find(|step| is_print(&step.ability));
    let print = print.ok_or_else(|| format!("routing {routing} has no print step"))?;
    let mut stations: BTreeMap<Target, u64> = BTreeMap::new();
    let mut refusals = Vec::new();
    for (station, printer, material) in shop.workshop.printers() {
        if !station.can(&print.ability) {
            continue;
        }
        match slicing::settings_for(shop, printer, material, None) {
            Ok(_) => {
                let target = Target { printer: printer.to_owned(), material: material.to_owned() };
                *stations.entry(target).or_default() += 1;
            }
            Err(finding) => refusals.push(format!("{}: {}", station.name, finding.text)),
        }
    }
    let load = |target: &Target, count: u64| backlog.get(&target.printer).map_or(0, |span| span.0) / count;
    let best =
        stations.into_iter().min_by_key(|(target, count)| load(target, *count)).map(|(target, _)| target);
    best.ok_or_else(|| match refusals.is_empty() {
        true => format!("no station does {}; add a printer to the shop file, or load one", print.ability),
        false => refusals.join("; "),
    })
}

struct Crew<'a> {
    shop: &'a Shop,
    parts: &'a BTreeMap<Sha256Hex, PartFacts>,
    urgency: &'a Urgency,
    target: &'a Target,
    routing: &'a str,
}

impl Crew<'_> {
    /// Fills plates: first one that waits for the same printer, material and routing, then new ones.
    fn fill(&mut self, mut pieces: Vec<Piece>, open: &mut Vec<(Plate, Vec<Piece>)>) -> (Vec<Draft>, Waiting) {
        let (mut drafts, mut waiting) = (Vec::new(), Waiting::new());
        let settings = slicing::settings_for(self.shop, &self.target.printer, &self.target.material, None);
        let Ok(settings) = settings else { return (drafts, waiting) };
        let mut replaces = None;
        if let Some(position) = open.iter().position(|(plate, _)| self.matches(plate)) {
            let (plate, on_it) = open.remove(position);
            pieces = on_it.into_iter().chain(pieces).collect();
            replaces = Some(plate);
        }
        let room = Room::new(self.shop, &settings, self.parts, self.urgency, &pieces);
        let is_on = |piece: &Piece| {
            let on = |plate: &Plate| plate.placements.iter().any(|spot| spot.piece == piece.id);
            replaces.as_ref().is_some_and(on)
        };
        let (mut pieces, too_large): (Vec<Piece>, Vec<Piece>) =
            pieces.into_iter().partition(|piece| is_on(piece) || room.fits(piece));
        waiting.extend(too_large.iter().map(|piece| (piece.id.clone(), self.too_large(piece, &settings))));
        room.sort(&mut pieces);
        while !pieces.is_empty() {
            let before = replaces.take();
            let on_it: Vec<Placement> = before.as_ref().map_or_else(Vec::new, |plate: &Plate| {
                let is_open = |spot: &&Placement| pieces.iter().any(|piece| piece.id == spot.piece);
                plate.placements.iter().filter(is_open).cloned().collect()
            });
            let (placed, left) = room.lay(&pieces, &on_it);
            if placed.is_empty() {
                waiting.extend(
                    left.into_iter().map(|piece| (piece.id.clone(), self.too_large(&piece, &settings))),
                );
                break;
            }
            let on: BTreeSet<&PieceId> = placed.iter().map(|spot| &spot.piece).collect();
            // Nothing new fits on the plate that waits: it stays as it is.
            let unchanged = before.as_ref().is_some_and(|plate| {
                plate.placements.len() == on.len()
                    && plate.placements.iter().all(|spot| on.contains(&spot.piece))
            });
            if !unchanged {
                let kept = pieces.iter().filter(|piece| on.contains(&piece.id)).cloned().collect();
                drafts.push(self.draft(&settings, placed, kept, before.map(|plate| plate.id)));
            }
            pieces = left;
        }
        (drafts, waiting)
    }

    fn matches(&self, plate: &Plate) -> bool {
        let composed = matches!(plate.state, PlateState::Composed | PlateState::Sliced(_));
        composed
            && plate.printer == self.target.printer
            && plate.material == self.target.material
            && plate.routing == self.routing
    }

    fn too_large(&self, piece: &Piece, settings: &PrintSettings) -> String {
        let [x, y, z] = self.parts.get(&piece.design).map_or([0.0; 3], PartFacts::size_mm);
        let [width, depth, height] = settings.printer.build.size_mm;
        format!(
            "it is {x:.1} x {y:.1} x {z:.1} mm, too large for {} ({width:.1} x {depth:.1} x {height:.1} mm)",
            settings.printer.name
        )
    }

    fn draft(
        &self,
        settings: &PrintSettings,
        placements: Vec<Placement>,
        pieces: Vec<Piece>,
        replaces: Option<PlateId>,
    ) -> Draft {
        let height = placements.iter().zip(&pieces).map(|(spot, _)| {
            self.parts.get(&spot.design).map_or(0.0, |part| part.size_mm()[2] * spot.scale[2])
        });
        let volume = placements.iter().map(|spot| {
            let factor: f64 = spot.scale.iter().product();
            self.parts.get(&spot.design).map_or(0.0, |part| part.volume_mm3 * factor)
        });
        let print_estimate = settings.estimate(height.fold(0.0, f64::max), volume.sum());
        let plate = DraftPlate {
            printer: self.target.printer.clone(),
            material: self.target.material.clone(),
            routing: self.routing.to_owned(),
            layer: settings.layer,
            placements,
            print_estimate,
        };
        Draft { plate, replaces, pieces }
    }
}

impl Draft {
    fn record(self, tx: &mut Tx<'_>, profiles: &Profiles) -> Result<(), Error> {
        // The picture may be old: whatever was held, cancelled or begun meanwhile calls for another arrangement.
        let free = |piece: &Piece| piece.hold.is_none() && matches!(piece.state, PieceState::Checked);
        let replaced = self.replaces.is_some();
        for piece in &self.pieces {
            let now = tx.piece(&piece.id)?;
            let waits = now.as_ref().is_some_and(|now| {
                free(now) || (replaced && now.is_open() && now.state != PieceState::InProduction)
            });
            if !waits {
                return Ok(());
            }
        }
        if let Some(old) = &self.replaces
            && !dissolve(tx, old)?
        {
            return Ok(());
        }
        let at = tx.at();
        let id = PlateId::next(tx.ids(), at);
        let routing = profiles.routing(&self.plate.routing);
        let routing = routing.map_err(|unknown| Error::conflict(unknown.to_string()))?;
        let plate = self.plate.into_plate(id, at);
        let operations = Route { plate: &plate, routing, pieces: &self.pieces, profiles }.operations(tx);
        tx.record(&Event::PlateComposed { plate, operations }).map_err(Error::from)
    }
}

/// Takes a plate apart, unless its print has begun.
fn dissolve(tx: &mut Tx<'_>, plate: &PlateId) -> Result<bool, Error> {
    let operations = tx.operations_of_plate(plate)?;
    if operations
        .iter()
        .any(|op| !matches!(op.state, OperationState::Planned | OperationState::Abandoned { .. }))
    {
        return Ok(false);
    }
    let reason = "more pieces go on the plate".to_owned();
    for operation in operations.iter().filter(|operation| operation.state.is_open()) {
        let change = Change::Abandon { reason: reason.clone() };
        tx.record(&Event::OperationChanged { operation: operation.id.clone(), change })?;
    }
    tx.record(&Event::PlateDissolved { plate: plate.clone(), reason })?;
    Ok(true)
}

impl DraftPlate {
    fn into_plate(self, id: PlateId, at: Timestamp) -> Plate {
        Plate {
            label: label_of(&id),
            id,
            printer: self.printer,
            material: self.material,
            routing: self.routing,
            layer: self.layer,
            placements: self.placements,
            composed_at: at,
            print_estimate: self.print_estimate,
            state: PlateState::Composed,
        }
    }
}

/// Five characters that can't be taken for each other, from the random end of the id.
fn label_of(id: &PlateId) -> String {
    const LETTERS: &[u8; 30] = b"ABCDEFGHJKMNPQRSTVWXYZ23456789";
    let tail = id.as_str().get(id.as_str().len() - 12..).unwrap_or_default();
    let mut number = u64::from_str_radix(tail, 16).unwrap_or_default();
    let mut label = String::new();
    for _ in 0..5 {
        let letter = usize::try_from(number % 30).unwrap_or_default();
        label.push(char::from(LETTERS[letter]));
        number /= 30;
    }
    label
}

/// The way of one plate's pieces through their routing.
struct Route<'a> {
    plate: &'a Plate,
    routing: &'a RoutingProfile,
    pieces: &'a [Piece],
    profiles: &'a Profiles,
}

impl Route<'_> {
    fn operations(&self, tx: &mut Tx<'_>) -> Vec<Operation> {
        let mut operations: Vec<Operation> = Vec::new();
        let mut trees: BTreeMap<&str, TreeId> = BTreeMap::new();
        for piece in self.pieces {
            let at = tx.at();
            trees.entry(&piece.alloy).or_insert_with(|| TreeId::next(tx.ids(), at));
        }
        let mut before: Vec<Operation> = Vec::new();
        for (step, template) in (0_u32..).zip(&self.routing.operation) {
            let mut now = Vec::new();
            for (batch, pieces) in self.batches(template.batch, &trees) {
                now.push(self.operation(tx, step, template, batch, &pieces, &before));
            }
            operations.append(&mut before);
            before = now;
        }
        operations.append(&mut before);
        operations
    }

    fn batches(&self, unit: BatchUnit, trees: &BTreeMap<&str, TreeId>) -> Vec<(Batch, Vec<&Piece>)> {
        match unit {
            BatchUnit::Plate => vec![(Batch::Plate(self.plate.id.clone()), self.pieces.iter().collect())],
            // One alloy, one tree: alloys are never mixed.
            BatchUnit::Tree => trees
                .iter()
                .map(|(alloy, tree)| {
                    let pieces = self.pieces.iter().filter(|piece| piece.alloy == *alloy).collect();
                    (Batch::Tree(tree.clone()), pieces)
                })
                .collect(),
            BatchUnit::Piece => {
                self.pieces.iter().map(|piece| (Batch::Piece(piece.id.clone()), vec![piece])).collect()
            }
        }
    }

    fn operation(
        &self,
        tx: &mut Tx<'_>,
        step: u32,
        template: &OperationTemplate,
        batch: Batch,
        pieces: &[&Piece],
        before: &[Operation],
    ) -> Operation {
        let at = tx.at();
        let shares = |operation: &&Operation| pieces.iter().any(|piece| operation.pieces.contains(&piece.id));
        let (min_wait, max_wait) = self.window(template, pieces);
        let print = is_print(&template.ability);
        Operation {
            id: OperationId::next(tx.ids(), at),
            plate: self.plate.id.clone(),
            batch,
            pieces: pieces.iter().map(|piece| piece.id.clone()).collect(),
            stage: template.stage.clone(),
            step,
            title: template.title.clone(),
            ability: template.ability.clone(),
            print_on: print.then(|| PrintOn {
                printer: self.plate.printer.clone(),
                material: self.plate.material.clone(),
                label: self.plate.label.clone(),
            }),
            after: before.iter().filter(shares).map(|operation| operation.id.clone()).collect(),
            min_wait,
            max_wait,
            attended: minutes(template.attended_minutes.value),
            elapsed: match &template.elapsed {
                Elapsed::Minutes(elapsed) => minutes(elapsed.value),
                Elapsed::From(routing::ElapsedFrom::PrintFile) => self.plate.print_estimate,
            },
            unattended: template.unattended,
            records: template.records.iter().map(record_spec).collect(),
            on_failure: match template.on_failure {
                routing::OnFailure::Retry => OnFailure::Retry,
                routing::OnFailure::Remake => OnFailure::Remake,
            },
            attempt: 1,
            state: OperationState::Planned,
            recorded: BTreeMap::new(),
            window_exceeded: None,
        }
    }

    fn window(&self, template: &OperationTemplate, pieces: &[&Piece]) -> (Span, Option<Span>) {
        match &template.window {
            None => (Span(0), None),
            Some(Window::Minutes(window)) => (minutes(window.min.unwrap_or(0.0)), window.max.map(minutes)),
            Some(Window::From(WindowFrom::AlloyQuench)) => {
                let alloy = pieces.first().and_then(|piece| self.profiles.alloy(&piece.alloy).ok());
                let quench =
                    alloy.and_then(|alloy| alloy.quench_minutes.as_ref()).filter(|q| !q.tag.is_draft());
                quench.map_or((Span(0), None), |quench| (minutes(quench.min), Some(minutes(quench.max))))
            }
        }
    }
}

fn record_spec(record: &routing::Record) -> RecordSpec {
    RecordSpec { name: record.name.clone(), unit: record.unit.word().to_owned() }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "profiles hold 0 to 20160 minutes"
)]
fn minutes(minutes: f64) -> Span {
    Span((minutes * 60_000.0).round() as u64)
}

#[expect(clippy::cast_possible_truncation, reason = "designs and plates are below two metres")]
fn microns_up(mm: f64) -> Microns {
    Microns((mm * 1000.0).ceil() as i32)
}
