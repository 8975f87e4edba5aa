//! The plan in force: made anew whenever something changed that it depends on, verified by other code than made
//! it, stored whole, and only then followed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use crate::devices::status::Link;
use crate::ids::{OperationId, OrderId, PieceId, PlanId};
use crate::planning::{self, Inputs, StationNow};
use crate::services::compose::{self, Waiting};
use crate::services::{Error, Shop};
use crate::shop::design::Sha256Hex;
use crate::shop::event::Event;
use crate::shop::operation::Operation;
use crate::shop::order::Order;
use crate::shop::piece::{Piece, PieceState};
use crate::shop::plan::{Plan, PlanRecord, PlannedOrder, Step};
use crate::store::{Rows, Store, Tx};
use crate::units::Timestamp;

/// The plan in force, in memory, with an index.
#[derive(Debug, Default)]
pub struct Current {
    adopted: Mutex<Option<Arc<Adopted>>>,
    waiting: Mutex<Arc<Waiting>>,
}

/// A plan with an index by operation.
#[derive(Debug)]
pub struct Adopted {
    /// The plan.
    pub plan: Plan,
    by_operation: BTreeMap<OperationId, usize>,
}

impl Adopted {
    fn new(plan: Plan) -> Self {
        let by_operation =
            plan.steps.iter().enumerate().map(|(i, step)| (step.operation.clone(), i)).collect();
        Self { plan, by_operation }
    }

    /// Where and when an operation is planned.
    #[must_use]
    pub fn step(&self, operation: &OperationId) -> Option<&Step> {
        self.by_operation.get(operation).and_then(|index| self.plan.steps.get(*index))
    }
}

impl Current {
    /// Takes up the stored plan after a start. One whose file is gone is made anew.
    ///
    /// # Errors
    /// `Store`.
    pub async fn load(store: &Store) -> Result<Self, Error> {
        let current = Self::default();
        let record = store.read(|rows| rows.current_plan().map_err(Error::from)).await?;
        match record.map(|record| read_plan(store, &record.blob)) {
            Some(Ok(plan)) => current.adopt(plan),
            Some(Err(failure)) => {
                tracing::warn!(
                    error = &failure as &dyn std::error::Error,
                    "the stored plan is gone; it is made anew"
                );
            }
            None => {}
        }
        Ok(current)
    }

    /// The plan in force.
    #[must_use]
    pub fn get(&self) -> Option<Arc<Adopted>> {
        self.adopted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why pieces have no plate yet.
    #[must_use]
    pub fn waiting(&self) -> Arc<Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn adopt(&self, plan: Plan) {
        *self.adopted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(Adopted::new(plan)));
    }

    fn wait(&self, waiting: Waiting) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(waiting);
    }
}

/// Reads a stored plan.
///
/// # Errors
/// `Store`.
pub fn read_plan(store: &Store, blob: &Sha256Hex) -> Result<Plan, Error> {
    let bytes = store.blobs().read(blob)?;
    let damaged = |source| Error::Store(crate::store::Error::ReadRow { table: "plans", source });
    serde_json::from_slice(&bytes).map_err(damaged)
}

/// Composes plates from what waits, then plans everything that is open. Returns whether a new plan is in force.
///
/// # Errors
/// `Store`.
pub async fn reconcile(shop: &Shop) -> Result<bool, Error> {
    let waiting = compose::reconcile(shop).await?;
    shop.plan.wait(waiting);
    let picture = shop.store.read(Picture::read).await?;
    let stations = station_states(shop, &picture);
    let (at, workshop) = (shop.clock.at(), shop.workshop.clone());
    let think = move || {
        let Picture { operations, done, orders, pieces, .. } = &picture;
        let inputs =
            Inputs { now: at, workshop: &workshop, stations: &stations, operations, done, orders, pieces };
        let draft = planning::make(&inputs);
        (draft, picture)
    };
    let thought = tokio::task::spawn_blocking(think).await;
    let (draft, picture) = thought.map_err(|_| Error::Compute { what: "planning" })?;
    if !draft.violations.is_empty() {
        // The planner is wrong, not the shop: the plan in force stays.
        tracing::error!(violations = ?draft.violations, "the verifier refused a plan");
        return Err(Error::Compute { what: "planning" });
    }
    if shop.plan.get().is_some_and(|current| same_course(&current.plan, &draft)) {
        return Ok(false);
    }
    adopt(shop, draft, picture).await?;
    Ok(true)
}

/// What the shop looks like to the planner.
struct Picture {
    operations: Vec<Operation>,
    /// Operations that are over but start the wait of an open one.
    done: Vec<Operation>,
    orders: Vec<Order>,
    pieces: BTreeMap<PieceId, Piece>,
    stations: BTreeMap<String, crate::shop::station::StationRecord>,
}

impl Picture {
    fn read(rows: &Rows<'_>) -> Result<Self, Error> {
        let operations = rows.open_operations()?;
        let mut orders: BTreeMap<OrderId, Order> = BTreeMap::new();
        let mut pieces: BTreeMap<PieceId, Piece> = BTreeMap::new();
        let mut done = BTreeMap::new();
        let mut stations = BTreeMap::new();
        for operation in &operations {
            for id in &operation.pieces {
                if !pieces.contains_key(id) {
                    pieces.extend(rows.piece(id)?.map(|piece| (id.clone(), piece)));
                }
            }
            for id in &operation.after {
                if done.contains_key(id) || operations.binary_search_by(|op| op.id.cmp(id)).is_ok() {
                    continue;
                }
                done.extend(rows.operation(id)?.map(|before| (id.clone(), before)));
            }
        }
        for piece in pieces.values() {
            if !orders.contains_key(&piece.order) {
                orders.extend(rows.order(&piece.order)?.map(|order| (order.id.clone(), order)));
            }
        }
        for station in rows.stations()? {
            stations.insert(station.name.clone(), station);
        }
        let (done, orders) = (done.into_values().collect(), orders.into_values().collect());
        Ok(Self { operations, done, orders, pieces, stations })
    }
}

/// Which stations can take work now, and why the others can't.
fn station_states(shop: &Shop, picture: &Picture) -> Vec<StationNow> {
    let state = |station: &crate::shop::workshop::Station| {
        let paused = picture.stations.get(&station.name).and_then(|record| record.paused.clone());
        if let Some(reason) = paused {
            return StationNow::Out { reason: format!("{} is paused: {reason}", station.name) };
        }
        match shop.fleet.status(&station.name).map(|status| status.link) {
            Some(Link::Online { .. }) => StationNow::Usable,
            Some(Link::Offline { reason } | Link::Faulted { reason }) => {
                StationNow::Out { reason: format!("{} is offline: {reason}", station.name) }
            }
            Some(Link::Connecting) => {
                StationNow::Out { reason: format!("{} has not answered yet", station.name) }
            }
            // No driver talks to it: people confirm what it does.
            None => StationNow::Usable,
        }
    };
    shop.workshop.stations.iter().map(state).collect()
}

/// Whether following either plan would do the same things at the same times.
fn same_course(current: &Plan, draft: &planning::Draft) -> bool {
    let course = |step: &Step| (step.operation.clone(), step.station.clone(), step.start);
    current.steps.len() == draft.steps.len()
        && current.unplaced == draft.unplaced
        && current.steps.iter().map(course).eq(draft.steps.iter().map(course))
}

async fn adopt(shop: &Shop, draft: planning::Draft, picture: Picture) -> Result<(), Error> {
    let at = shop.clock.at();
    let id = new_id(shop, at).await?;
    let inputs = Sha256Hex::from_digest(&Sha256::digest(draft.problem.as_bytes()));
    let plan = Plan {
        schema: "sprue/plan/1".to_owned(),
        id: id.clone(),
        made_at: at,
        inputs: inputs.clone(),
        steps: draft.steps,
        unplaced: draft.unplaced,
        orders: draft.orders,
    };
    let blobs = shop.store.blobs().clone();
    let bytes = serde_json::to_vec(&plan)
        .map_err(|source| crate::store::Error::WriteRow { table: "plans", source })?;
    let put = tokio::task::spawn_blocking(move || blobs.put(&bytes)).await;
    let blob = put.map_err(|_| Error::Compute { what: "storing the plan" })??;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let record = PlanRecord {
        id,
        made_at: at,
        blob,
        inputs,
        steps: count(plan.steps.len()),
        unplaced: count(plan.unplaced.len()),
        late: count(plan.orders.iter().filter(|order| order.late).count()),
    };
    let zone = shop.workshop.zone.clone();
    let promised = plan.orders.clone();
    let unplaced: Vec<OperationId> = plan.unplaced.iter().map(|entry| entry.operation.clone()).collect();
    shop.store
        .transact("planner", move |tx| {
            tx.record(&Event::PlanAdopted { plan: record })?;
            tell_pieces(tx, &picture, &unplaced)?;
            promised.iter().try_for_each(|order| promise(tx, order, &zone))
        })
        .await?;
    shop.plan.adopt(plan);
    shop.wake.run.notify_one();
    shop.wake.deliver.notify_one();
    Ok(())
}

async fn new_id(shop: &Shop, at: Timestamp) -> Result<PlanId, Error> {
    shop.store.transact("planner", move |tx| Ok::<_, Error>(PlanId::next(tx.ids(), at))).await
}

/// Pieces that have a place in a plan for the first time.
fn tell_pieces(tx: &mut Tx<'_>, picture: &Picture, unplaced: &[OperationId]) -> Result<(), Error> {
    for piece in picture.pieces.values().filter(|piece| piece.state == PieceState::Checked) {
        let mut own = picture.operations.iter().filter(|operation| operation.pieces.contains(&piece.id));
        let placed = own.all(|operation| !unplaced.contains(&operation.id));
        let still = tx.piece(&piece.id)?.is_some_and(|now| now.state == PieceState::Checked);
        if placed && still {
            tx.record(&Event::PiecePlanned { piece: piece.id.clone() })?;
        }
    }
    Ok(())
}

/// An order hears of its date when it first has one, when it falls on another day, and when it becomes late or
/// is late no longer.
fn promise(tx: &mut Tx<'_>, planned: &PlannedOrder, zone: &jiff::tz::TimeZone) -> Result<(), Error> {
    let Some(order) = open_order(tx, &planned.order)? else { return Ok(()) };
    let day = |at: Timestamp| at.in_zone(zone).date();
    let news = match order.promised {
        None => true,
        Some(before) => day(before) != day(planned.finished) || order.late != planned.late,
    };
    if news {
        let (promised, late) = (planned.finished, planned.late);
        tx.record(&Event::OrderPromised { order: order.id, promised, late })?;
    }
    Ok(())
}

fn open_order(tx: &Tx<'_>, id: &OrderId) -> Result<Option<Order>, Error> {
    let order = tx.order(id)?;
    Ok(order.filter(|order| order.state == crate::shop::order::OrderState::Accepted))
}
