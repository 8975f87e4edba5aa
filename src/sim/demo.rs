//! The whole workshop, simulated: real daemon, real data path, devices on pseudo-terminals, people and an order
//! system that use the HTTP interface like everybody else.
//!
//! Shop time runs fast while there is work and at its natural pace while there is none, so that an order with a
//! real due date can be pushed into a demonstration that has been open all day.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock::Clock;
use crate::config;
use crate::ids::IdSource;
use crate::services::{Shop, query};
use crate::sim::devices::{Kind, Options, Speed, run_device};
use crate::store::keys::Role;
use crate::store::{OrderFilter, Rows};
use crate::units::Timestamp;

mod orders;
mod receiver;
mod shop_file;
mod technician;

/// How long `--once` waits at most; a demonstration that takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often the demonstration looks whether there is work.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What to show.
#[derive(Debug, Clone)]
pub struct Demo {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How many times faster than the world, while there is work.
    pub speed: u32,
    /// Where the data goes.
    pub data_dir: PathBuf,
    /// Orders to push at the start.
    pub orders: u32,
}

/// What a demonstration made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Orders that were pushed.
    pub orders: u64,
    /// Their pieces.
    pub pieces: u64,
    /// Pieces that are finished.
    pub finished: u64,
    /// Webhook deliveries that the receiver has accepted.
    pub webhooks_delivered: u64,
    /// Orders that the plan finished after their due date.
    pub late: u64,
    /// Real seconds.
    pub seconds: f64,
}

/// A running demonstration.
pub struct Running {
    /// The daemon.
    pub app: App,
    /// The keys that were made for it, as `(role, text)`.
    pub keys: Vec<(Role, String)>,
    speed: u32,
    stop: CancellationToken,
    began: crate::units::Tick,
    pushed: Vec<String>,
    receiver: receiver::Receiver,
    /// Deliveries that had failed before this start, to an address that is gone.
    failed_before: i64,
}

/// Starts the workshop and pushes the first orders.
///
/// # Errors
/// Whatever keeps it from starting, in words.
pub async fn start(demo: &Demo) -> anyhow::Result<Running> {
    let stop = CancellationToken::new();
    std::fs::create_dir_all(&demo.data_dir)?;
    let receiver = receiver::Receiver::start(&demo.data_dir, &stop).await?;
    let clock = Clock::starting(shop_time(&demo.data_dir), demo.speed);
    let began = clock.tick();
    let path = shop_file::write(demo, &receiver, clock.at())?;
    let file = config::load(&path)
        .map_err(|problems| anyhow::anyhow!("the demonstration's own shop file: {problems:?}"))?;
    let devices = shop_file::devices_dir(&demo.data_dir)?;
    let at_start = technician::Endings::read(&devices, &shop_file::DEVICES.map(|(name, _)| name));
    start_devices(&devices, &clock, &stop)?;
    let app = App::start(file, clock.clone(), IdSource::from_os()?).await?;
    let keys = make_keys(&app)?;
    let of = |role: Role| keys.iter().find(|(known, _)| *known == role).map(|(_, key)| key.clone());
    let base = format!("http://{}/api/v1", app.address);
    let key = of(Role::Technician).unwrap_or_default();
    let technician = technician::Technician::new(&base, &key, clock.clone(), &devices, at_start);
    tokio::spawn(technician.work(stop.clone()));
    let system = orders::OrderSystem::new(&base, &of(Role::OrderSystem).unwrap_or_default());
    let failed_before = deliveries(&app.shop, "failed").await?;
    let mut pushed = Vec::new();
    for number in 0..demo.orders {
        pushed.push(system.push(number, clock.at()).await?);
    }
    Ok(Running { app, keys, speed: demo.speed, stop, began, pushed, receiver, failed_before })
}

impl Running {
    /// Waits until every pushed order is completed and every webhook delivered.
    ///
    /// # Errors
    /// If that doesn't happen within ten minutes; the text says what is missing.
    pub async fn finish(&self) -> anyhow::Result<Summary> {
        loop {
            let (summary, missing) = self.look().await?;
            if missing.is_empty() {
                return Ok(summary);
            }
            if self.app.shop.clock.tick().since(self.began) > PATIENCE {
                anyhow::bail!("not finished after {} s: {}", summary.seconds, missing.join("; "));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Lets time run fast while there is work, until told to stop.
    pub async fn pace(&self, told: impl Future<Output = ()>) {
        let shop = self.app.shop.clone();
        let speed = self.speed;
        let pace = async move {
            loop {
                let open = shop.store.read(|rows: &Rows<'_>| rows.open_orders()).await;
                let busy = open.is_ok_and(|orders| orders.iter().any(|order| order.hold.is_none()));
                let wanted = if busy { speed } else { 1 };
                if shop.clock.speed() != wanted {
                    shop.clock.set_speed(wanted);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! {
            () = pace => {}
            () = told => {}
        }
    }

    /// Ends the workshop.
    pub async fn stop(self) {
        self.stop.cancel();
        self.app.stop().await;
    }

    async fn look(&self) -> anyhow::Result<(Summary, Vec<String>)> {
        let mut missing = Vec::new();
        let (mut pieces_seen, mut finished, mut late) = (0, 0, 0);
        for external_ref in &self.pushed {
            let filter = OrderFilter { external_ref: Some(external_ref.clone()), ..OrderFilter::default() };
            let (page, _) = query::orders(&self.app.shop, filter, 1).await?;
            let Some((order, pieces)) = page.into_iter().next() else {
                missing.push(format!("order {external_ref} is not there"));
                continue;
            };
            let done = pieces.iter().filter(|piece| piece.state_word() == "finished").count() as u64;
            pieces_seen += pieces.len() as u64;
            finished += done;
            late += u64::from(order.late);
            if order.state_word() != "completed" {
                let states: Vec<_> = pieces.iter().map(|piece| piece.state_word()).collect();
                missing.push(format!(
                    "order {external_ref} is {} ({})",
                    order.state_word(),
                    states.join(", ")
                ));
            }
        }
        let pending = deliveries(&self.app.shop, "pending").await?;
        let failed = deliveries(&self.app.shop, "failed").await? - self.failed_before;
        if pending + failed > 0 {
            missing.push(format!("{pending} webhooks are pending, {failed} failed"));
        }
        let summary = Summary {
            orders: self.pushed.len() as u64,
            pieces: pieces_seen,
            finished,
            webhooks_delivered: self.receiver.accepted(),
            late,
            seconds: self.app.shop.clock.tick().since(self.began).as_secs_f64(),
        };
        Ok((summary, missing))
    }
}

/// How many deliveries are in a state.
async fn deliveries(shop: &Shop, state: &str) -> anyhow::Result<i64> {
    let counts = query::counts(shop).await?.deliveries;
    Ok(counts.iter().find(|(known, _)| known == state).map_or(0, |(_, count)| *count))
}

/// Where shop time goes on: after the last thing that was recorded, and never before the real time.
fn shop_time(data_dir: &Path) -> Timestamp {
    let last = crate::store::last_recorded(data_dir).unwrap_or(None);
    last.map_or_else(Clock::system_time, |last| last.max(Clock::system_time()))
}

/// Every start makes keys of its own; those of the last start are revoked.
fn make_keys(app: &App) -> anyhow::Result<Vec<(Role, String)>> {
    let now = Clock::system_time();
    let roles = [Role::OrderSystem, Role::Technician, Role::Display];
    let mut keys = Vec::new();
    for role in roles {
        let name = format!("demo {}", role.word());
        // There is none at the first start.
        let _ = app.keys.revoke(&name, now);
        let (_, text) = app.keys.create(&name, role, None, now)?;
        keys.push((role, text));
    }
    Ok(keys)
}

fn start_devices(folder: &Path, clock: &Clock, stop: &CancellationToken) -> anyhow::Result<()> {
    for (name, kind) in shop_file::DEVICES {
        let kind = Kind::parse(kind)?;
        let keep = folder.join(format!("{name}-files"));
        std::fs::create_dir_all(&keep)?;
        let options = Options {
            link: Some(folder.join(name)),
            record: Some(folder.join(format!("{name}.jsonl"))),
            keep: Some(keep),
            ..Options::default()
        };
        let (clock, stop) = (clock.clone(), stop.clone());
        tokio::spawn(async move {
            let pace = clock.clone();
            let speed: Speed = Arc::new(move || pace.speed());
            let served = run_device(kind, &options, speed, &move || clock.tick(), &stop, &mut |_| {}).await;
            if let Err(failure) = served {
                tracing::error!(error = &failure as &dyn std::error::Error, "a simulated device ended");
            }
        });
    }
    Ok(())
}
