//! What people do: operations that a person starts, completes or gives up, and the word of a person about a
//! print that the daemon lost sight of.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::finding::Finding;
use crate::ids::{OperationId, PieceId};
use crate::services::metal;
use crate::services::orders::{drop_from_operations, finish_what_is_complete};
use crate::services::{Error, Shop};
use crate::shop::event::Event;
use crate::shop::operation::{Change, OnFailure, Operation, OperationState};
use crate::shop::piece::Piece;
use crate::shop::workshop::is_print;
use crate::store::{Rows, Tx};
use crate::units::{Span, Timestamp};

/// A task as a person sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Task {
    /// The operation behind it.
    pub operation: Operation,
    /// Where the plan has it, or where it is.
    pub station: Option<String>,
    /// When the plan begins it.
    pub planned_start: Option<Timestamp>,
    /// Whether it can be started now.
    pub ready: bool,
    /// What is asked of the person, if it isn't plain work.
    pub question: Option<String>,
}

/// A value that somebody recorded, by its key.
pub type Recorded = BTreeMap<String, serde_json::Value>;

/// The tasks that are ready, running, or need a person's word; in the order of the plan.
///
/// # Errors
/// `Store`.
pub async fn list(shop: &Shop, station: Option<String>) -> Result<Vec<Task>, Error> {
    let plan = shop.plan.get();
    shop.store
        .read(move |rows| {
            let mut tasks = Vec::new();
            for operation in rows.open_operations()? {
                let question = question(&operation);
                let by_hand = !is_print(&operation.ability);
                let waits = matches!(operation.state, OperationState::Planned);
                let ready = by_hand && waits && blocker(rows, &operation)?.is_none();
                if !(ready || question.is_some() || (by_hand && !waits)) {
                    continue;
                }
                let step = plan.as_ref().and_then(|plan| plan.step(&operation.id));
                let place = operation.state.occupies().map(str::to_owned);
                let place = place.or_else(|| step.map(|step| step.station.clone()));
                if station.is_some() && station != place {
                    continue;
                }
                let planned_start = step.map(|step| step.start);
                tasks.push(Task { station: place, planned_start, ready, question, operation });
            }
            tasks.sort_by_key(|task| {
                (task.planned_start.unwrap_or(Timestamp(i64::MAX)), task.operation.id.clone())
            });
            Ok(tasks)
        })
        .await
}

/// Why an operation can't begin yet; `None` if its inputs are present and nobody holds a piece of it.
///
/// # Errors
/// `Store`.
pub fn blocker(rows: &Rows<'_>, operation: &Operation) -> Result<Option<String>, Error> {
    for before in &operation.after {
        let Some(before) = rows.operation(before)? else { continue };
        // An operation that was abandoned has lost its pieces to another plate; it doesn't hold up the rest.
        if before.state.is_open() {
            return Ok(Some(format!("{} is {}", before.title, before.state.word())));
        }
    }
    for id in &operation.pieces {
        if let Some(piece) = rows.piece(id)?
            && let Some(reason) = piece.hold
        {
            return Ok(Some(format!("piece {} is held: {reason}", piece.external_ref)));
        }
    }
    Ok(None)
}

/// A person starts a task.
///
/// # Errors
/// `NotFound`; `Conflict` if it isn't ready or is a device's.
pub async fn start(
    shop: &Shop,
    actor: &str,
    id: OperationId,
    station: Option<String>,
) -> Result<Operation, Error> {
    let planned = shop.plan.get().and_then(|plan| plan.step(&id).map(|step| step.station.clone()));
    let workshop = shop.workshop.clone();
    act(shop, actor, id, move |tx, operation| {
        if matches!(operation.state, OperationState::Failed { .. }) {
            tx.record(&changed(operation, Change::Retry))?;
            return Ok(());
        }
        if is_print(&operation.ability) {
            return Err(Error::conflict("a print is started by its printer; clear the plate with `ready`"));
        }
        if let Some(reason) = blocker(tx, operation)? {
            return Err(Error::conflict(format!("not yet: {reason}")));
        }
        let can =
            |name: &String| workshop.station(name).is_some_and(|station| station.can(&operation.ability));
        let any = || workshop.stations.iter().find(|s| s.can(&operation.ability)).map(|s| s.name.clone());
        let station = station.or(planned.filter(|name| can(name))).or_else(any);
        let station = station.filter(can).ok_or_else(|| {
            Error::conflict(format!("no such station does {}; name one that does", operation.ability))
        })?;
        let window_exceeded = window_exceeded(tx, operation)?;
        record_change(tx, operation, Change::Begin { station, window_exceeded })
    })
    .await
}

/// A person completes a task, or says that a print which the daemon lost sight of was finished.
///
/// # Errors
/// `NotFound`; `Conflict` if it isn't running; `Invalid` if a value is missing or isn't a number.
pub async fn complete(
    shop: &Shop,
    actor: &str,
    id: OperationId,
    recorded: Recorded,
) -> Result<Operation, Error> {
    let (profiles, by) = (shop.profiles.clone(), actor.to_owned());
    act(shop, actor, id, move |tx, operation| {
        if matches!(operation.state, OperationState::Planned) {
            return Err(Error::conflict("it has not been started"));
        }
        let findings = check_records(operation, &recorded);
        if !findings.is_empty() {
            return Err(Error::Invalid(findings));
        }
        metal::of_task(tx, &profiles, &by, operation, &recorded)?;
        record_change(tx, operation, Change::Finish { recorded })?;
        finish_what_is_complete(tx, &operation.pieces)
    })
    .await
}

/// A person gives a task up, for all its pieces or for some.
///
/// A failure that destroys patterns sends the pieces back to print; others are tried again.
///
/// # Errors
/// `NotFound`; `Conflict` if it isn't running.
pub async fn fail(
    shop: &Shop,
    actor: &str,
    id: OperationId,
    reason: String,
    pieces: Option<Vec<PieceId>>,
) -> Result<Operation, Error> {
    act(shop, actor, id, move |tx, operation| {
        if let Some(pieces) = pieces {
            let lost: Vec<PieceId> =
                operation.pieces.iter().filter(|p| pieces.contains(p)).cloned().collect();
            if lost.is_empty() {
                return Err(Error::conflict("none of these pieces is in this operation"));
            }
            if lost.len() < operation.pieces.len() {
                return remake_some(tx, operation, &lost, &reason);
            }
        }
        fail_whole(tx, operation, &reason)
    })
    .await
}

/// Ends an operation badly and says what happens to its pieces. Also used for what a device reports.
pub(super) fn fail_whole(tx: &mut Tx<'_>, operation: &Operation, reason: &str) -> Result<(), Error> {
    record_change(tx, operation, Change::Fail { cause: reason.to_owned() })?;
    match operation.on_failure {
        OnFailure::Retry if operation.attempt < ATTEMPTS_MAX => {
            tx.record(&changed(operation, Change::Retry))?;
            Ok(())
        }
        OnFailure::Retry => hold_pieces(tx, operation, reason),
        OnFailure::Remake => {
            let pieces = operation.pieces.clone();
            remake(tx, &pieces, reason)
        }
    }
}

/// After this many tries of one operation a person has to look: the cause is not chance.
const ATTEMPTS_MAX: u32 = 3;

fn hold_pieces(tx: &mut Tx<'_>, operation: &Operation, reason: &str) -> Result<(), Error> {
    let reason = format!("{} failed {} times: {reason}", operation.title, operation.attempt);
    for piece in operation.pieces.clone() {
        let findings = vec![Finding::error("OPERATION_FAILED", operation.id.to_string(), reason.clone())];
        tx.record(&Event::PieceHeld { piece, reason: reason.clone(), findings })?;
    }
    Ok(())
}

/// Some pieces of a running operation are lost; the others go on.
fn remake_some(tx: &mut Tx<'_>, operation: &Operation, lost: &[PieceId], reason: &str) -> Result<(), Error> {
    tx.record(&changed(operation, Change::DropPieces { pieces: lost.to_vec() }))?;
    remake(tx, lost, reason)
}

fn remake(tx: &mut Tx<'_>, pieces: &[PieceId], reason: &str) -> Result<(), Error> {
    drop_from_operations(tx, pieces, reason)?;
    for id in pieces {
        if tx.piece(id)?.is_some_and(|piece| piece.is_open()) {
            tx.record(&Event::PieceRemade { piece: id.clone(), reason: reason.to_owned() })?;
        }
    }
    Ok(())
}

async fn act(
    shop: &Shop,
    actor: &str,
    id: OperationId,
    decide: impl FnOnce(&mut Tx<'_>, &Operation) -> Result<(), Error> + Send + 'static,
) -> Result<Operation, Error> {
    let operation = shop.store.transact(actor, move |tx| {
        let missing = || Error::not_found(format!("task {id}"));
        let operation = tx.operation(&id)?.ok_or_else(missing)?;
        if !operation.state.is_open() {
            return Err(Error::conflict(format!("it is {} already", operation.state.word())));
        }
        decide(tx, &operation)?;
        tx.operation(&id)?.ok_or_else(missing)
    });
    let operation = operation.await?;
    shop.wake.all();
    Ok(operation)
}

/// Records a change that a person or a device may ask for at the wrong moment: refused, not a bug.
pub(super) fn record_change(tx: &mut Tx<'_>, operation: &Operation, change: Change) -> Result<(), Error> {
    if let Err(refusal) = operation.clone().apply(&change, tx.at()) {
        return Err(Error::conflict(refusal.to_string()));
    }
    tx.record(&changed(operation, change)).map_err(Error::from)
}

pub(super) fn changed(operation: &Operation, change: Change) -> Event {
    Event::OperationChanged { operation: operation.id.clone(), change }
}

fn question(operation: &Operation) -> Option<String> {
    match &operation.state {
        OperationState::Unknown { station, reason, .. } => Some(format!(
            "Look at {station}: {reason}. `complete` if it finished, `fail` if it didn't; it is not printed again \
             before you say so."
        )),
        OperationState::Failed { cause, .. } => {
            Some(format!("{} failed: {cause}. `start` to try again.", operation.title))
        }
        OperationState::Planned
        | OperationState::Starting { .. }
        | OperationState::Running { .. }
        | OperationState::Held { .. }
        | OperationState::Done { .. }
        | OperationState::Abandoned { .. } => None,
    }
}

/// By how much the longest wait since the operations before it is over; a person decides to go on.
fn window_exceeded(tx: &Tx<'_>, operation: &Operation) -> Result<Option<Span>, Error> {
    let Some(max_wait) = operation.max_wait else { return Ok(None) };
    let mut waited = Span(0);
    for before in &operation.after {
        if let Some(OperationState::Done { at, .. }) = tx.operation(before)?.map(|before| before.state) {
            waited = waited.max(tx.at().since(at));
        }
    }
    Ok((waited > max_wait).then(|| Span(waited.0 - max_wait.0)))
}

fn check_records(operation: &Operation, recorded: &Recorded) -> Vec<Finding> {
    // A person's word about a lost print is about the print, not about values.
    if is_print(&operation.ability) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for spec in &operation.records {
        let place = format!("/recorded/{}", spec.name);
        match recorded.get(&spec.name) {
            None => {
                let text = format!("record {} in {}", spec.name, spec.unit);
                findings.push(Finding::error("RECORD_MISSING", place, text));
            }
            Some(value) if spec.unit != "text" && !value.as_f64().is_some_and(f64::is_finite) => {
                let text = format!("{} must be a number in {}", spec.name, spec.unit);
                findings.push(Finding::error("RECORD_NOT_A_NUMBER", place, text));
            }
            Some(_) => {}
        }
    }
    findings
}

/// The pieces of an operation, for showing.
///
/// # Errors
/// `Store`.
pub fn pieces_of(rows: &Rows<'_>, operation: &Operation) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    for id in &operation.pieces {
        pieces.extend(rows.piece(id)?);
    }
    Ok(pieces)
}
