//! Runs prints on devices: record, then act; act from the plan only; never print twice by itself.
//!
//! ```text
//!  Start recorded -> Load sent -> device holds the file -> Sent recorded -> Start sent -> Run, Finish, Fail
//!       '-- crash here: nothing has begun, queued again        '-- crash here: the device is asked, or a person
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::devices::drivers;
use crate::devices::session::{Command, Doing, Fact, JobName};
use crate::devices::status::Link;
use crate::finding::Finding;
use crate::ids::OperationId;
use crate::services::orders::finish_what_is_complete;
use crate::services::tasks::{blocker, changed, fail_whole, record_change};
use crate::services::{Error, Shop, slicing};
use crate::shop::event::Event;
use crate::shop::operation::{Change, Operation, OperationState};
use crate::shop::plate::{Plate, PlateState, SlicedFile};
use crate::shop::station::StationRecord;
use crate::shop::workshop::{Station, is_print};
use crate::store::{Rows, Tx};
use crate::units::Tick;

/// After a file could not be brought to a device, the station rests this long: a full card stays full.
const REST_AFTER_FAILED_LOAD: Duration = Duration::from_secs(15);
/// From this far on, a print that is found idle counts as finished (`devices.md` 3.1: 99 % seen before).
const NEARLY_DONE_PERMILLE: u16 = 990;
/// Progress is recorded in steps of a tenth, and once when it is nearly done.
const PROGRESS_STEP_PERMILLE: u16 = 100;

/// What this run of the daemon knows of its prints, beyond the record. Lost in a crash, by design: then the device
/// is asked.
#[derive(Debug, Default)]
pub struct Runner {
    active: Mutex<BTreeMap<String, Active>>,
}

#[derive(Debug, Clone)]
struct Active {
    operation: OperationId,
    job: JobName,
    rest_until: Option<Tick>,
}

impl Runner {
    /// Looks at every printer: begins what the plan has next, queues again what a crash left before anything was
    /// sent, and asks devices about prints that this run of the daemon did not start itself.
    ///
    /// # Errors
    /// `Store`.
    pub async fn reconcile(&self, shop: &Shop) -> Result<(), Error> {
        let picture = shop.store.read(Picture::read).await?;
        for station in shop.workshop.stations.iter().filter(|station| station.prints()) {
            match picture.occupying(&station.name) {
                Some(operation) => self.look_after(shop, station, operation).await?,
                None => self.begin_next(shop, station, &picture).await?,
            }
        }
        Ok(())
    }

    /// Takes what a device said.
    ///
    /// # Errors
    /// `Store`.
    pub async fn observe(&self, shop: &Shop, station: &str, fact: Fact) -> Result<(), Error> {
        match fact {
            Fact::Online { .. } | Fact::Offline { .. } => {
                shop.wake.plan.notify_one();
                shop.wake.run.notify_one();
                Ok(())
            }
            Fact::Report(doing) => self.settle(shop, station, doing).await,
            Fact::Loaded { job } => self.loaded(shop, station, &job).await,
            Fact::LoadFailed { job, reason } => self.load_failed(shop, station, &job, reason).await,
            Fact::Started { job } => self.change(shop, station, &job, Change::Run).await,
            Fact::Progress { job, done, total } => self.progress(shop, station, &job, done, total).await,
            Fact::Paused { job, reason } => self.change(shop, station, &job, Change::Hold { reason }).await,
            Fact::Resumed { job } => self.change(shop, station, &job, Change::Resume).await,
            Fact::Finished { job } => self.finished(shop, station, &job).await,
            Fact::Stopped { job, reason } => self.stopped(shop, station, &job, reason).await,
            Fact::Unclear { job, reason } => {
                self.change(shop, station, &job, Change::LoseSight { reason }).await
            }
            Fact::Fault { code, text } => {
                tracing::warn!(station.name = station, code, "{text}");
                Ok(())
            }
            Fact::Refused { command, reason } => {
                tracing::warn!(station.name = station, command, reason, "the device can't do this");
                Ok(())
            }
            Fact::LoadProgress { .. } | Fact::Temperatures(_) => Ok(()),
        }
    }

    /// An operation stands on the station: is it one that this run of the daemon knows about?
    async fn look_after(&self, shop: &Shop, station: &Station, operation: &Operation) -> Result<(), Error> {
        if self.active(&station.name).is_some_and(|active| active.operation == operation.id) {
            return Ok(());
        }
        if let OperationState::Starting { sent: false, .. } = operation.state {
            let reason = "sprue was restarted before the start command was sent".to_owned();
            let id = operation.id.clone();
            shop.store.transact("sprue", move |tx| apply(tx, &id, Change::Requeue { reason })).await?;
            shop.wake.all();
            return Ok(());
        }
        let job = job_of(operation);
        self.set_active(&station.name, operation.id.clone(), job);
        if is_online(shop, &station.name) {
            send(shop, &station.name, Command::Query);
        }
        Ok(())
    }

    async fn begin_next(&self, shop: &Shop, station: &Station, picture: &Picture) -> Result<(), Error> {
        let Some((operation, plate)) = picture.next_for(shop, station) else { return Ok(()) };
        // The file is made while the plate is still being cleared.
        let Some(file) = self.sliced(shop, operation, plate).await? else { return Ok(()) };
        let record = picture.stations.get(&station.name);
        let cleared = record.is_some_and(|record| record.clear.is_some() && record.paused.is_none());
        let due = shop
            .plan
            .get()
            .is_some_and(|plan| plan.step(&operation.id).is_some_and(|step| step.start <= shop.clock.at()));
        if !cleared || !due || !is_online(shop, &station.name) || self.rests(shop, &station.name) {
            return Ok(());
        }
        let bytes: Arc<[u8]> = {
            let (blobs, hash) = (shop.store.blobs().clone(), file.sha256.clone());
            let read = tokio::task::spawn_blocking(move || blobs.read(&hash)).await;
            read.map_err(|_| Error::Compute { what: "reading" })??.into()
        };
        let job = job_of(operation);
        let (id, name) = (operation.id.clone(), station.name.clone());
        let recorded = shop.store.transact("sprue", move |tx| start(tx, &id, &name)).await?;
        if recorded {
            self.set_active(&station.name, operation.id.clone(), job.clone());
            send(shop, &station.name, Command::Load { job, file: bytes });
        }
        Ok(())
    }

    /// The file of a plate; makes it if need be, also where somebody has deleted it. `None` if it can't be made: then its pieces are held.
    async fn sliced(
        &self,
        shop: &Shop,
        operation: &Operation,
        plate: &Plate,
    ) -> Result<Option<SlicedFile>, Error> {
        if let PlateState::Sliced(file) = &plate.state
            && shop.store.blobs().has(&file.sha256)
        {
            return Ok(Some(file.clone()));
        }
        match make_file(shop, plate).await? {
            Ok(file) => {
                let (id, kept) = (plate.id.clone(), file.clone());
                let event = Event::PlateSliced { plate: id, file: kept };
                shop.store.transact("sprue", move |tx| tx.record(&event).map_err(Error::from)).await?;
                Ok(Some(file))
            }
            Err(finding) => {
                let pieces = operation.pieces.clone();
                shop.store.transact("sprue", move |tx| hold(tx, &pieces, &finding)).await?;
                shop.wake.all();
                Ok(None)
            }
        }
    }

    async fn loaded(&self, shop: &Shop, station: &str, job: &JobName) -> Result<(), Error> {
        let Some(active) = self.active(station).filter(|active| active.job == *job) else { return Ok(()) };
        let id = active.operation.clone();
        let recorded = shop.store.transact("sprue", move |tx| send_off(tx, &id)).await?;
        if let Some(expected) = recorded {
            let expected = shop.clock.real_wait(expected);
            send(shop, station, Command::Start { job: job.clone(), expected });
        }
        Ok(())
    }

    async fn load_failed(
        &self,
        shop: &Shop,
        station: &str,
        job: &JobName,
        reason: String,
    ) -> Result<(), Error> {
        let until = shop.clock.tick().after(REST_AFTER_FAILED_LOAD);
        tracing::warn!(station.name = station, reason, "the file could not be brought to the device");
        self.change(shop, station, job, Change::Requeue { reason }).await?;
        self.lock().entry(station.to_owned()).and_modify(|active| active.rest_until = Some(until));
        Ok(())
    }

    async fn progress(
        &self,
        shop: &Shop,
        station: &str,
        job: &JobName,
        done: u64,
        total: u64,
    ) -> Result<(), Error> {
        let share = done.saturating_mul(1000).checked_div(total).unwrap_or(0).min(1000);
        let permille = u16::try_from(share).unwrap_or(1000);
        let Some(active) = self.active(station).filter(|active| active.job == *job) else { return Ok(()) };
        let id = active.operation;
        shop.store
            .transact("sprue", move |tx| {
                let Some(operation) = tx.operation(&id)? else { return Ok(()) };
                let OperationState::Running { permille: known, .. } = operation.state else { return Ok(()) };
                let step = permille >= known.saturating_add(PROGRESS_STEP_PERMILLE);
                let nearly = permille >= NEARLY_DONE_PERMILLE && known < NEARLY_DONE_PERMILLE;
                if step || nearly {
                    tx.record(&changed(&operation, Change::Progress { permille }))?;
                }
                Ok::<_, Error>(())
            })
            .await
    }

    async fn finished(&self, shop: &Shop, station: &str, job: &JobName) -> Result<(), Error> {
        let Some(active) = self.take(station, job) else { return Ok(()) };
        shop.store
            .transact("sprue", move |tx| {
                apply(tx, &active.operation, Change::Finish { recorded: BTreeMap::new() })?;
                let pieces = tx.operation(&active.operation)?.map(|operation| operation.pieces);
                finish_what_is_complete(tx, &pieces.unwrap_or_default())
            })
            .await?;
        shop.wake.all();
        Ok(())
    }

    async fn stopped(&self, shop: &Shop, station: &str, job: &JobName, reason: String) -> Result<(), Error> {
        let Some(active) = self.take(station, job) else { return Ok(()) };
        shop.store
            .transact("sprue", move |tx| {
                let operation = tx.operation(&active.operation)?.filter(|op| op.state.occupies().is_some());
                let Some(operation) = operation else { return Ok(()) };
                fail_whole(tx, &operation, &reason)
            })
            .await?;
        shop.wake.all();
        Ok(())
    }

    /// What a device was found doing, against what the record says it should.
    async fn settle(&self, shop: &Shop, station: &str, doing: Doing) -> Result<(), Error> {
        let Some(active) = self.active(station) else {
            shop.wake.run.notify_one();
            return Ok(());
        };
        let (name, job) = (station.to_owned(), active.job.clone());
        let seen = Seen { stores_prints: stores_prints(shop, station), doing };
        let settled =
            shop.store.transact("sprue", move |tx| settle(tx, &name, &active.operation, &job, &seen));
        if settled.await? {
            shop.wake.all();
        }
        Ok(())
    }

    async fn change(&self, shop: &Shop, station: &str, job: &JobName, change: Change) -> Result<(), Error> {
        let Some(active) = self.active(station).filter(|active| active.job == *job) else { return Ok(()) };
        shop.store.transact("sprue", move |tx| apply(tx, &active.operation, change)).await?;
        shop.wake.all();
        Ok(())
    }

    fn rests(&self, shop: &Shop, station: &str) -> bool {
        let until = self.active(station).and_then(|active| active.rest_until);
        until.is_some_and(|until| shop.clock.tick() < until)
    }

    fn active(&self, station: &str) -> Option<Active> {
        self.lock().get(station).cloned()
    }

    fn set_active(&self, station: &str, operation: OperationId, job: JobName) {
        self.lock().insert(station.to_owned(), Active { operation, job, rest_until: None });
    }

    fn take(&self, station: &str, job: &JobName) -> Option<Active> {
        let mut active = self.lock();
        let ours = active.get(station).is_some_and(|active| active.job == *job);
        if ours { active.remove(station) } else { None }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Active>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the shop looks like to whoever runs printers.
struct Picture {
    prints: Vec<(Operation, Plate, Option<String>)>,
    stations: BTreeMap<String, StationRecord>,
}

impl Picture {
    fn read(rows: &Rows<'_>) -> Result<Self, Error> {
        let mut prints = Vec::new();
        for operation in rows.open_operations()?.into_iter().filter(|op| is_print(&op.ability)) {
            let Some(plate) = rows.plate(&operation.plate)? else { continue };
            let blocker = blocker(rows, &operation)?;
            prints.push((operation, plate, blocker));
        }
        let stations = rows.stations()?.into_iter().map(|station| (station.name.clone(), station)).collect();
        Ok(Self { prints, stations })
    }

    fn occupying(&self, station: &str) -> Option<&Operation> {
        self.prints.iter().map(|(operation, ..)| operation).find(|op| op.state.occupies() == Some(station))
    }

    /// What the plan has next on a station, if its inputs are present.
    fn next_for(&self, shop: &Shop, station: &Station) -> Option<(&Operation, &Plate)> {
        let plan = shop.plan.get()?;
        let free = |entry: &&(Operation, Plate, Option<String>)| {
            matches!(entry.0.state, OperationState::Planned) && entry.2.is_none() && station.fits(&entry.0)
        };
        let planned = self.prints.iter().filter(free).filter_map(|(operation, plate, _)| {
            let step = plan.step(&operation.id).filter(|step| step.station == station.name)?;
            Some((step.start, operation, plate))
        });
        planned.min_by_key(|(start, ..)| *start).map(|(_, operation, plate)| (operation, plate))
    }
}

async fn make_file(shop: &Shop, plate: &Plate) -> Result<Result<SlicedFile, Finding>, Error> {
    let settings = match slicing::settings_for(shop, &plate.printer, &plate.material, Some(plate.layer)) {
        Ok(settings) => settings,
        Err(finding) => return Ok(Err(finding)),
    };
    let _permit = shop.compute.acquire().await.map_err(|_| Error::Compute { what: "slicing" })?;
    let (blobs, plate, at) = (shop.store.blobs().clone(), plate.clone(), shop.clock.at());
    let slice = move || slicing::slice_plate(&blobs, &settings, &plate, at);
    // A panic in the slicer is a bug that must cost this plate only.
    Ok(tokio::task::spawn_blocking(slice).await.unwrap_or_else(|_| {
        Err(Finding::error(
            "PLATE_NOT_SLICED",
            "plate",
            "the slicer failed on it; report this with the design",
        ))
    }))
}

/// Records the intent, unless the world has changed since the picture was taken.
fn start(tx: &mut Tx<'_>, id: &OperationId, station: &str) -> Result<bool, Error> {
    let Some(operation) = tx.operation(id)? else { return Ok(false) };
    let waits = matches!(operation.state, OperationState::Planned) && blocker(tx, &operation)?.is_none();
    let record = tx.station(station)?;
    if !waits || record.clear.is_none() || record.paused.is_some() {
        return Ok(false);
    }
    tx.record(&changed(&operation, Change::Start { station: station.to_owned() }))?;
    Ok(true)
}

/// Records that the start command is about to leave; gives the expected time of the print.
fn send_off(tx: &mut Tx<'_>, id: &OperationId) -> Result<Option<crate::units::Span>, Error> {
    let Some(operation) = tx.operation(id)? else { return Ok(None) };
    if !matches!(operation.state, OperationState::Starting { sent: false, .. }) {
        return Ok(None);
    }
    tx.record(&changed(&operation, Change::Sent))?;
    let plate = tx.plate(&operation.plate)?;
    let sliced = plate.and_then(|plate| match plate.state {
        PlateState::Sliced(file) => Some(file.print_time),
        PlateState::Composed | PlateState::Dissolved { .. } => None,
    });
    Ok(Some(sliced.unwrap_or(operation.elapsed)))
}

/// Applies what a device said, if the operation is where the device thinks it is; late or doubled facts change
/// nothing.
fn apply(tx: &mut Tx<'_>, id: &OperationId, change: Change) -> Result<(), Error> {
    let Some(operation) = tx.operation(id)? else { return Ok(()) };
    match record_change(tx, &operation, change) {
        Err(Error::Conflict { reason }) => {
            tracing::debug!(op.id = %id, reason, "a fact came at the wrong moment");
            Ok(())
        }
        other => other,
    }
}

/// What a device was found doing, and whether its being idle says anything about a print's end: a device that
/// stores prints goes on without us, a stream breaks off.
struct Seen {
    stores_prints: bool,
    doing: Doing,
}

fn stores_prints(shop: &Shop, station: &str) -> bool {
    let driver = shop.workshop.station(station).and_then(|station| drivers::find(&station.driver).ok());
    driver.is_some_and(|driver| driver.capabilities.names_its_print)
}

fn settle(
    tx: &mut Tx<'_>,
    station: &str,
    id: &OperationId,
    ours: &JobName,
    seen: &Seen,
) -> Result<bool, Error> {
    let Some(operation) = tx.operation(id)?.filter(|op| op.state.occupies() == Some(station)) else {
        return Ok(false);
    };
    let Some(change) = settlement(station, &operation.state, ours, seen) else { return Ok(false) };
    let finish = matches!(change, Change::Finish { .. });
    apply(tx, id, change)?;
    if finish {
        finish_what_is_complete(tx, &operation.pieces)?;
    }
    Ok(true)
}

/// What follows from a device's report for an operation that should be on it.
fn settlement(station: &str, state: &OperationState, ours: &JobName, seen: &Seen) -> Option<Change> {
    let permille = match state {
        // Loading is this run's own business; nothing was started.
        OperationState::Starting { sent: false, .. } => return None,
        OperationState::Starting { .. } => 0,
        OperationState::Running { permille, .. }
        | OperationState::Held { permille, .. }
        | OperationState::Unknown { permille, .. } => *permille,
        OperationState::Planned
        | OperationState::Done { .. }
        | OperationState::Failed { .. }
        | OperationState::Abandoned { .. } => return None,
    };
    let is_unknown = matches!(state, OperationState::Unknown { .. });
    let lose = |reason: String| (!is_unknown).then_some(Change::LoseSight { reason });
    match &seen.doing {
        Doing::Printing { job: Some(job), paused } if job == ours => match (state, paused) {
            (OperationState::Running { .. }, true) => {
                Some(Change::Hold { reason: format!("{station} is paused") })
            }
            (OperationState::Held { .. }, false) => Some(Change::Resume),
            (OperationState::Running { .. }, false) | (OperationState::Held { .. }, true) => None,
            _ => Some(Change::Run),
        },
        Doing::Printing { job: Some(job), .. } => lose(format!("{station} prints {} instead", job.0)),
        Doing::Printing { job: None, .. } => lose(format!("{station} prints something that it can't name")),
        Doing::Idle { .. } if seen.stores_prints && permille >= NEARLY_DONE_PERMILLE => {
            Some(Change::Finish { recorded: BTreeMap::new() })
        }
        Doing::Idle { .. } => lose(format!(
            "{station} is idle, and the print was last seen at {} %; it may have finished, stopped or never begun",
            permille / 10
        )),
        Doing::Unclear { reason } => lose(reason.clone()),
    }
}

fn hold(tx: &mut Tx<'_>, pieces: &[crate::ids::PieceId], finding: &Finding) -> Result<(), Error> {
    for piece in pieces {
        let (reason, findings) = (finding.text.clone(), vec![finding.clone()]);
        tx.record(&Event::PieceHeld { piece: piece.clone(), reason, findings })?;
    }
    Ok(())
}

fn job_of(operation: &Operation) -> JobName {
    JobName(operation.print_job().unwrap_or_default())
}

fn is_online(shop: &Shop, station: &str) -> bool {
    shop.fleet.status(station).is_some_and(|status| matches!(status.link, Link::Online { .. }))
}

fn send(shop: &Shop, station: &str, command: Command) {
    if let Err(failure) = shop.fleet.send(station, command) {
        // The record stands; the reconciler comes back to it.
        tracing::warn!(station.name = station, error = %failure, "a command was not taken");
    }
}
