//! Reading: what people and systems ask about the shop.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::devices::status::{Activity, Link, StationStatus};
use crate::ids::{OperationId, OrderId, PieceId};
use crate::services::tasks::{blocker, pieces_of};
use crate::services::{Error, Shop};
use crate::shop::notice::Notice;
use crate::shop::operation::{Operation, OperationState};
use crate::shop::order::Order;
use crate::shop::piece::Piece;
use crate::shop::plan::{Cause, Plan, Step};
use crate::shop::plate::Plate;
use crate::shop::station::StationRecord;
use crate::shop::workshop::{Station, is_print};
use crate::store::Rows;
pub use crate::store::{DeliveryRow, OrderFilter};
use crate::units::Timestamp;

/// Rows in one page of a list.
pub const PAGE_MAX: u32 = 200;

/// A page of orders with their pieces, and where the next begins.
///
/// # Errors
/// `Store`.
pub async fn orders(
    shop: &Shop,
    filter: OrderFilter,
    limit: u32,
) -> Result<(Vec<(Order, Vec<Piece>)>, Option<String>), Error> {
    let limit = limit.clamp(1, PAGE_MAX);
    shop.store
        .read(move |rows| {
            let mut found = rows.orders(&filter, limit + 1)?;
            let more = found.len() > limit as usize;
            found.truncate(limit as usize);
            let next = if more { found.last().map(|order| order.id.to_string()) } else { None };
            let mut page = Vec::new();
            for order in found {
                let pieces = rows.pieces_of(&order.id)?;
                page.push((order, pieces));
            }
            Ok((page, next))
        })
        .await
}

/// An order with its pieces.
///
/// # Errors
/// `NotFound`.
pub async fn order(shop: &Shop, id: OrderId) -> Result<(Order, Vec<Piece>), Error> {
    shop.store
        .read(move |rows| {
            let order = rows.order(&id)?.ok_or_else(|| Error::not_found(format!("order {id}")))?;
            let pieces = rows.pieces_of(&id)?;
            Ok((order, pieces))
        })
        .await
}

/// A piece, with why it has no plate yet, if so.
///
/// # Errors
/// `NotFound`.
pub async fn piece(shop: &Shop, id: PieceId) -> Result<(Piece, Option<String>), Error> {
    let waiting = shop.plan.waiting().get(&id).cloned();
    let piece =
        shop.store.read(move |rows| rows.piece(&id)?.ok_or_else(|| Error::not_found(format!("piece {id}"))));
    Ok((piece.await?, waiting))
}

/// Everything that happened to a piece, and everything that is to happen.
#[derive(Debug, Clone, Serialize)]
pub struct Timeline {
    /// What the outside heard, oldest first.
    pub notices: Vec<Notice>,
    /// Its operations of all attempts, in the order of the routing.
    pub operations: Vec<Operation>,
    /// The plates it lay on, oldest first.
    pub plates: Vec<Plate>,
}

/// A piece's timeline.
///
/// # Errors
/// `NotFound`.
pub async fn timeline(shop: &Shop, id: PieceId) -> Result<Timeline, Error> {
    shop.store
        .read(move |rows| {
            rows.piece(&id)?.ok_or_else(|| Error::not_found(format!("piece {id}")))?;
            let operations = rows.operations_of(&id)?;
            let of_piece: BTreeSet<_> = operations.iter().map(|operation| &operation.plate).collect();
            let mut plates = Vec::new();
            for plate in of_piece {
                plates.extend(rows.plate(plate)?);
            }
            Ok(Timeline { notices: rows.notices_of(&id)?, operations, plates })
        })
        .await
}

/// A station with everything that is known of it.
#[derive(Debug, Clone)]
pub struct StationView {
    /// As the shop file has it.
    pub station: Station,
    /// What people said.
    pub record: StationRecord,
    /// What its device said; `None` where people do the work.
    pub device: Option<StationStatus>,
    /// What stands on it.
    pub operations: Vec<Operation>,
    /// What the plan has next on it.
    pub next: Option<Step>,
}

impl StationView {
    /// The one word for its state.
    #[must_use]
    pub fn state_word(&self) -> &'static str {
        let unknown = |operation: &Operation| matches!(operation.state, OperationState::Unknown { .. });
        if self.operations.iter().any(unknown) {
            return "unclear";
        }
        match self.device.as_ref().map(|device| &device.link) {
            Some(Link::Offline { .. }) => return "offline",
            Some(Link::Faulted { .. }) => return "faulted",
            Some(Link::Connecting) => return "connecting",
            Some(Link::Online { .. }) | None => {}
        }
        if self.record.paused.is_some() {
            "paused"
        } else if self
            .operations
            .iter()
            .any(|operation| matches!(operation.state, OperationState::Held { .. }))
        {
            "held"
        } else if !self.operations.is_empty() {
            "busy"
        } else if self.station.prints() && self.record.clear.is_none() {
            "needs_clearing"
        } else {
            "ready"
        }
    }

    /// How far its running operation is, in thousandths, as its device said last.
    #[must_use]
    pub fn progress_permille(&self) -> Option<u16> {
        if let Some(Activity::Printing { done, total, .. }) = self.device.as_ref().map(|d| &d.activity)
            && *total > 0
        {
            return u16::try_from(done.saturating_mul(1000) / total).ok().map(|done| done.min(1000));
        }
        // Hands don't say how far they are.
        let mut prints = self.operations.iter().filter(|operation| is_print(&operation.ability));
        prints.find_map(|operation| match &operation.state {
            OperationState::Running { permille, .. } | OperationState::Held { permille, .. } => {
                Some(*permille)
            }
            OperationState::Planned
            | OperationState::Starting { .. }
            | OperationState::Unknown { .. }
            | OperationState::Done { .. }
            | OperationState::Failed { .. }
            | OperationState::Abandoned { .. } => None,
        })
    }

    /// Whether its device can be talked to; `None` where people do the work.
    #[must_use]
    pub fn is_online(&self) -> Option<bool> {
        self.device.as_ref().map(StationStatus::is_online)
    }

    /// Why it is in that state, and what to do, if there is something to do.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self.device.as_ref().map(|device| &device.link) {
            Some(Link::Offline { reason } | Link::Faulted { reason }) => return Some(reason.clone()),
            Some(Link::Connecting) => return Some("it has not answered yet".to_owned()),
            Some(Link::Online { .. }) | None => {}
        }
        if let Some(reason) = &self.record.paused {
            return Some(reason.clone());
        }
        for operation in &self.operations {
            match &operation.state {
                OperationState::Unknown { reason, .. } | OperationState::Held { reason, .. } => {
                    return Some(reason.clone());
                }
                OperationState::Planned
                | OperationState::Starting { .. }
                | OperationState::Running { .. }
                | OperationState::Done { .. }
                | OperationState::Failed { .. }
                | OperationState::Abandoned { .. } => {}
            }
        }
        let fault = self.device.as_ref().and_then(|device| device.fault.as_ref());
        match fault {
            Some(fault) => Some(fault.text.clone()),
            None if self.state_word() == "needs_clearing" => {
                Some("nobody has said that its plate is clear; clear it and report it ready".to_owned())
            }
            None => None,
        }
    }
}

/// All stations, in the order of the shop file.
///
/// # Errors
/// `Store`.
pub async fn stations(shop: &Shop) -> Result<Vec<StationView>, Error> {
    let (workshop, fleet, plan) = (shop.workshop.clone(), shop.fleet.clone(), shop.plan.get());
    shop.store
        .read(move |rows| {
            let operations = rows.open_operations()?;
            let view = |station: &Station| -> Result<StationView, Error> {
                let here: Vec<Operation> = operations
                    .iter()
                    .filter(|operation| operation.state.occupies() == Some(station.name.as_str()))
                    .cloned()
                    .collect();
                let planned = |step: &&Step| {
                    step.station == station.name
                        && !here.iter().any(|operation| operation.id == step.operation)
                };
                Ok(StationView {
                    station: station.clone(),
                    record: rows.station(&station.name)?,
                    device: fleet.status(&station.name),
                    next: plan.as_ref().and_then(|plan| plan.plan.steps.iter().find(planned).cloned()),
                    operations: here,
                })
            };
            workshop.stations.iter().map(view).collect()
        })
        .await
}

/// One station.
///
/// # Errors
/// `NotFound`.
pub async fn station(shop: &Shop, name: &str) -> Result<StationView, Error> {
    let found = stations(shop).await?.into_iter().find(|view| view.station.name == name);
    found.ok_or_else(|| Error::not_found(format!("station {name}")))
}

/// The plan in force.
///
/// # Errors
/// `NotFound` before the first one.
pub fn plan(shop: &Shop) -> Result<Plan, Error> {
    let adopted = shop.plan.get().ok_or_else(|| Error::not_found("plan yet; there is nothing to do"))?;
    Ok(adopted.plan.clone())
}

/// Why an operation is where it is.
#[derive(Debug, Clone, Serialize)]
pub struct Why {
    /// The operation.
    pub operation: OperationId,
    /// Its step.
    pub title: String,
    /// Where it is: a word of `OperationState::word`.
    pub state: String,
    /// Sentences, the nearest cause first.
    pub reasons: Vec<String>,
    /// Where and when the plan has it.
    pub planned: Option<Step>,
    /// The chain of causes in the plan, from this operation to what nothing holds up.
    pub chain: Vec<ChainLink>,
    /// Orders of its pieces that the plan finishes late.
    pub late_orders: Vec<LateOrder>,
}

/// One link of a chain of causes.
#[derive(Debug, Clone, Serialize)]
pub struct ChainLink {
    /// The operation.
    pub operation: OperationId,
    /// Its step.
    pub title: String,
    /// What fixed its start.
    pub cause: Cause,
    /// The same in a sentence.
    pub text: String,
}

/// An order that the plan finishes after its due date.
#[derive(Debug, Clone, Serialize)]
pub struct LateOrder {
    /// The order.
    pub order: OrderId,
    /// When it is due.
    pub due: Timestamp,
    /// When the plan finishes it.
    pub finished: Timestamp,
}

/// Why an operation waits, or is late.
///
/// # Errors
/// `NotFound`.
pub async fn why(shop: &Shop, id: OperationId) -> Result<Why, Error> {
    let (plan, stations) = (shop.plan.get(), stations(shop).await?);
    shop.store
        .read(move |rows| {
            let operation =
                rows.operation(&id)?.ok_or_else(|| Error::not_found(format!("operation {id}")))?;
            let adopted = plan.as_deref();
            let planned = adopted.and_then(|adopted| adopted.step(&id).cloned());
            let mut reasons = state_reasons(rows, &operation)?;
            if let Some(adopted) = adopted {
                let entry = adopted.plan.unplaced.iter().find(|entry| entry.operation == id);
                reasons.extend(entry.map(|entry| format!("it has no place in the plan: {}", entry.reason)));
            }
            let station =
                planned.as_ref().and_then(|step| stations.iter().find(|s| s.station.name == step.station));
            if let (OperationState::Planned, Some(view)) = (&operation.state, station) {
                reasons.extend(view.reason().map(|reason| format!("{}: {reason}", view.station.name)));
            }
            let chain = adopted.map(|adopted| chain(rows, adopted, &id)).transpose()?.unwrap_or_default();
            reasons.extend(chain.first().map(|link| link.text.clone()));
            let late_orders = late_orders(rows, adopted, &operation)?;
            let state = operation.state.word().to_owned();
            Ok(Why { operation: id, title: operation.title, state, reasons, planned, chain, late_orders })
        })
        .await
}

fn state_reasons(rows: &Rows<'_>, operation: &Operation) -> Result<Vec<String>, Error> {
    Ok(match &operation.state {
        OperationState::Planned => blocker(rows, operation)?.into_iter().collect(),
        OperationState::Starting { station, sent: false, .. } => {
            vec![format!("its file is brought to {station}")]
        }
        OperationState::Starting { station, .. } => {
            vec![format!("{station} was told to start and has not confirmed")]
        }
        OperationState::Running { station, since, permille } => {
            vec![format!("it runs on {station} since {since}, {} % done as last recorded", permille / 10)]
        }
        OperationState::Held { reason, .. } => vec![format!("it is paused: {reason}")],
        OperationState::Unknown { reason, .. } => vec![format!("nobody knows what became of it: {reason}")],
        OperationState::Done { at, .. } => vec![format!("it was done at {at}")],
        OperationState::Failed { cause, .. } => vec![format!("it failed: {cause}")],
        OperationState::Abandoned { reason } => vec![format!("it is not needed any more: {reason}")],
    })
}

fn chain(
    rows: &Rows<'_>,
    adopted: &crate::services::plan::Adopted,
    from: &OperationId,
) -> Result<Vec<ChainLink>, Error> {
    let mut chain: Vec<ChainLink> = Vec::new();
    let mut next = Some(from.clone());
    while let Some(id) = next.take() {
        let Some(step) = adopted.step(&id) else { break };
        // A window may point forward and back again: each operation is named once.
        if chain.iter().any(|link| link.operation == id) {
            break;
        }
        let title = rows.operation(&id)?.map_or_else(String::new, |operation| operation.title);
        let cause = step.cause.clone();
        let other = cause_operation(&cause);
        let other_title = match &other {
            Some(other) => rows.operation(other)?.map(|operation| operation.title),
            None => None,
        };
        let text = cause_text(step, &cause, other_title.as_deref().unwrap_or("another operation"));
        chain.push(ChainLink { operation: id, title, cause, text });
        next = other;
    }
    Ok(chain)
}

fn cause_operation(cause: &Cause) -> Option<OperationId> {
    match cause {
        Cause::After { operation }
        | Cause::StationBusy { operation }
        | Cause::PersonBusy { operation }
        | Cause::WindowOf { operation } => Some(operation.clone()),
        Cause::Now | Cause::Fixed | Cause::Closed | Cause::MaterialChange => None,
    }
}

fn cause_text(step: &Step, cause: &Cause, other: &str) -> String {
    let (start, station) = (step.start, &step.station);
    match cause {
        Cause::Now => format!("the plan begins it at {start}, as soon as it can"),
        Cause::Fixed => format!("it is under way or fixed at {start}"),
        Cause::After { .. } => {
            format!("the plan begins it at {start}, after \"{other}\" and the wait it asks for")
        }
        Cause::StationBusy { .. } => {
            format!("{station}, or whoever works there, is busy with \"{other}\" until {start}")
        }
        Cause::PersonBusy { .. } => format!("whoever can do it is busy with \"{other}\" until {start}"),
        Cause::Closed => format!("nobody is there, or the station is closed, until {start}"),
        Cause::WindowOf { .. } => {
            format!("it waits until {start}, so that \"{other}\" can follow within its longest wait")
        }
        Cause::MaterialChange => format!("{station} changes its material until {start}"),
    }
}

fn late_orders(
    rows: &Rows<'_>,
    adopted: Option<&crate::services::plan::Adopted>,
    operation: &Operation,
) -> Result<Vec<LateOrder>, Error> {
    let mut late: Vec<LateOrder> = Vec::new();
    for piece in pieces_of(rows, operation)? {
        let planned = adopted.and_then(|adopted| {
            adopted.plan.orders.iter().find(|planned| planned.order == piece.order && planned.late)
        });
        let (Some(planned), Some(order)) = (planned, rows.order(&piece.order)?) else { continue };
        if !late.iter().any(|known| known.order == order.id) {
            late.push(LateOrder { order: order.id, due: order.due, finished: planned.finished });
        }
    }
    Ok(late)
}

/// Numbers for `/metrics` and the panel.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Orders by state.
    pub orders: Vec<(String, i64)>,
    /// Pieces by state.
    pub pieces: Vec<(String, i64)>,
    /// Deliveries by state.
    pub deliveries: Vec<(String, i64)>,
    /// Lines in the journal.
    pub journal_lines: i64,
}

/// Counts everything.
///
/// # Errors
/// `Store`.
pub async fn counts(shop: &Shop) -> Result<Counts, Error> {
    shop.store
        .read(|rows| {
            Ok(Counts {
                orders: rows.count_orders()?,
                pieces: rows.count_pieces()?,
                deliveries: rows.count_deliveries()?,
                journal_lines: rows.last_seq()?,
            })
        })
        .await
}
