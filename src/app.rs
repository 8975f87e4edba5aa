//! Plugs everything together: the only place that constructs things. Start order, the reconcilers' loops,
//! shutdown order.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sprue_compute::print_files::Format;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{self, ApiState};
use crate::clock::Clock;
use crate::config;
use crate::devices::fleet::{self, Fleet, StationSettings};
use crate::devices::port::{Dtr, LineSettings, PortAddress};
use crate::devices::session::Fact;
use crate::ids::{IdSource, WebhookId};
use crate::panel::{self, PanelState};
use crate::services::run::Runner;
use crate::services::{self, Shop, Wake, notify, plan, prepare};
use crate::shop::workshop::{Station, Workshop};
use crate::store::keys::{self, KeyRing};
use crate::store::signing::{self, Signer};
use crate::store::{self, Store};
use crate::webhooks::{SecretOf, Sender};

/// Bits per second of a line that doesn't name any: what the boards of the known drivers use (`devices.md` 3.1).
const USUAL_BAUD: u32 = 115_200;
/// How often a simulated printer is asked; a print that takes hours there is over in seconds.
const SIMULATED_POLL_MS: i64 = 50;
/// How long open connections may take to end at shutdown.
const GRACE: Duration = Duration::from_secs(3);

/// A running daemon.
pub struct App {
    /// The use cases.
    pub shop: Shop,
    /// The API keys.
    pub keys: KeyRing,
    /// Where it listens.
    pub address: SocketAddr,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    _lock: File,
}

/// Why the daemon can't start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory can't be made.
    #[error("can't create the data directory {}; check `data_dir`", path.display())]
    MakeDataDir {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another daemon uses the data directory.
    #[error("another sprue uses {}; stop it first, or choose another data_dir", path.display())]
    DataDirInUse {
        /// Its path.
        path: PathBuf,
    },
    /// The address can't be listened on.
    #[error("can't listen on {address}; check `listen`, or stop what uses the port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The record can't be opened.
    #[error("the record can't be opened")]
    OpenStore(#[from] store::Error),
    /// The keys can't be read.
    #[error("the keys can't be used")]
    OpenKeys(#[from] keys::Error),
    /// The workshop's signing key can't be used.
    #[error(transparent)]
    OpenSigner(#[from] signing::Error),
    /// What the record holds can't be taken up.
    #[error("the record can't be taken up")]
    TakeUp(#[from] services::Error),
    /// Devices and lines don't fit together.
    #[error("the devices can't be started")]
    StartFleet(#[from] fleet::Error),
    /// The webhook sender can't be made.
    #[error("the webhook sender can't be made")]
    MakeSender(#[from] reqwest::Error),
}

impl App {
    /// Starts everything; the daemon serves when this returns. Needs a tokio runtime.
    ///
    /// # Errors
    /// Whatever is wrong, before anything is sent to a device.
    pub async fn start(file: config::Workshop, clock: Clock, ids: IdSource) -> Result<Self, Error> {
        // TLS for webhooks; a second call (in tests) changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let lock = lock_data_dir(&file.data_dir)?;
        let store = Store::open(&file.data_dir, clock.clone(), ids)?;
        let keys = KeyRing::open(&file.data_dir)?;
        let signer = Signer::open(&file.data_dir)?;
        let plan = plan::Current::load(&store).await?;
        let listener = TcpListener::bind(file.listen).await;
        let listener = listener.map_err(|source| Error::Listen { address: file.listen, source })?;
        let address =
            listener.local_addr().map_err(|source| Error::Listen { address: file.listen, source })?;

        let ticks = {
            let clock = clock.clone();
            Arc::new(move || clock.tick())
        };
        let (fleet, facts) = Fleet::start(&lines_of(&file), &devices_of(&file), ticks)?;
        let shop = Shop {
            store,
            clock,
            profiles: Arc::new(file.profiles.clone()),
            workshop: Arc::new(workshop_of(&file)),
            fleet: Arc::new(fleet),
            wake: Arc::new(Wake::default()),
            plan: Arc::new(plan),
            signer: Arc::new(signer),
            compute: Arc::new(Semaphore::new(1)),
        };
        let secret_of = adopt_webhooks(&shop, &file, &keys).await?;
        let sender = Sender::new(shop.clone(), secret_of)?;

        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        let app = Self { shop, keys, address, shutdown, tasks, _lock: lock };
        app.spawn_reconcilers(sender, facts);
        app.spawn_http(listener, file.panel.open_on_loopback && address.ip().is_loopback());
        tracing::info!(workshop = file.name, %address, "sprue is up");
        Ok(app)
    }

    /// Stops taking requests, then stops the reconcilers, then closes the lines. Prints that devices store go on.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.shop.fleet.shutdown().await;
        tracing::info!("sprue is down");
    }

    fn spawn_reconcilers(&self, sender: Sender, facts: mpsc::Receiver<(String, Fact)>) {
        let runner = Arc::new(Runner::default());
        self.tasks.spawn(prepare_loop(self.shop.clone(), self.shutdown.clone()));
        self.tasks.spawn(plan_loop(self.shop.clone(), self.shutdown.clone()));
        self.tasks.spawn(run_loop(self.shop.clone(), runner.clone(), self.shutdown.clone()));
        self.tasks.spawn(fact_loop(self.shop.clone(), runner, facts, self.shutdown.clone()));
        self.tasks.spawn(sender.run(self.shutdown.clone()));
    }

    fn spawn_http(&self, listener: TcpListener, panel_open: bool) {
        let (shop, keys, shutdown) = (self.shop.clone(), self.keys.clone(), self.shutdown.clone());
        let page = panel::router(PanelState::new(shop.clone(), keys.clone(), panel_open, shutdown.clone()));
        let router = api::router(ApiState::new(shop, keys, shutdown)).merge(page);
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            let told = shutdown.clone();
            let serve = axum::serve(listener, router).with_graceful_shutdown(told.cancelled_owned());
            let give_up = async {
                shutdown.cancelled().await;
                tokio::time::sleep(GRACE).await;
            };
            tokio::select! {
                biased;
                served = serve => if let Err(failure) = served {
                    tracing::error!(error = %failure, "the HTTP server ended");
                },
                () = give_up => {}
            }
        });
    }
}

async fn prepare_loop(shop: Shop, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        match prepare::reconcile(&shop).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(failure) => complain("prepare", &failure),
        }
        pause(&shop.wake.prepare, Duration::from_secs(2), &shutdown).await;
    }
}

async fn plan_loop(shop: Shop, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let began = shop.clock.tick();
        if let Err(failure) = plan::reconcile(&shop).await {
            complain("plan", &failure);
        }
        // Planning takes at most a third of the time: intake and devices come first.
        let took = shop.clock.tick().since(began);
        let rest = (took * 2).max(Duration::from_millis(20));
        if shutdown.run_until_cancelled(tokio::time::sleep(rest)).await.is_none() {
            return;
        }
        pause(&shop.wake.plan, Duration::from_secs(5), &shutdown).await;
    }
}

async fn run_loop(shop: Shop, runner: Arc<Runner>, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(failure) = runner.reconcile(&shop).await {
            complain("run", &failure);
        }
        pause(&shop.wake.run, shop.clock.real_wait(RUN_EVERY).clamp(RUN_LEAST, RUN_MOST), &shutdown).await;
    }
}

/// How often printers are looked at without being woken: a print begins within a minute of its planned start.
const RUN_EVERY: crate::units::Span = crate::units::Span::seconds(60);
const RUN_LEAST: Duration = Duration::from_millis(50);
const RUN_MOST: Duration = Duration::from_secs(5);

async fn fact_loop(
    shop: Shop,
    runner: Arc<Runner>,
    mut facts: mpsc::Receiver<(String, Fact)>,
    shutdown: CancellationToken,
) {
    while let Some(Some((station, fact))) = shutdown.run_until_cancelled(facts.recv()).await {
        if let Err(failure) = runner.observe(&shop, &station, fact).await {
            complain("run", &failure);
        }
    }
}

async fn pause(wake: &Notify, at_most: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        biased;
        () = shutdown.cancelled() => {}
        () = wake.notified() => {}
        () = tokio::time::sleep(at_most) => {}
    }
}

fn complain(reconciler: &str, failure: &services::Error) {
    tracing::error!(
        reconciler,
        error = failure as &dyn std::error::Error,
        "a reconciler failed and will try again"
    );
}

fn lock_data_dir(path: &Path) -> Result<File, Error> {
    let failed = |source| Error::MakeDataDir { path: path.to_owned(), source };
    std::fs::create_dir_all(path).map_err(failed)?;
    let lock = File::create(path.join("lock")).map_err(failed)?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| Error::DataDirInUse { path: path.to_owned() })?;
    Ok(lock)
}

fn workshop_of(file: &config::Workshop) -> Workshop {
    Workshop {
        name: file.name.clone(),
        zone: file.time_zone.clone(),
        routing: file.routing.clone(),
        stations: file.stations.clone(),
        people: file.people.clone(),
        exposures: file.exposure.clone(),
        prices: file.prices.clone(),
        limits: file.limits,
    }
}

fn lines_of(file: &config::Workshop) -> Vec<LineSettings> {
    let address = |port: &str, baud: Option<u32>| match port.strip_prefix("tcp://") {
        Some(address) => PortAddress::Tcp { address: address.to_owned() },
        None => PortAddress::Tty { path: port.to_owned(), baud: baud.unwrap_or(USUAL_BAUD), dtr: Dtr::Leave },
    };
    let line = |line: &config::workshop::Line| LineSettings {
        name: line.name.clone(),
        port: address(&line.port, line.baud),
    };
    file.lines.iter().map(line).collect()
}

/// The stations with a device that a driver here can talk to.
fn devices_of(file: &config::Workshop) -> Vec<StationSettings> {
    let device = |station: &Station| {
        let line = station.line.clone()?;
        if crate::devices::drivers::find(&station.driver).is_err() {
            let (station, driver) = (&station.name, &station.driver);
            tracing::warn!(station.name = %station, driver, "no driver talks to it yet; people confirm its work");
            return None;
        }
        Some(StationSettings {
            name: station.name.clone(),
            line,
            driver: station.driver.clone(),
            settings: driver_settings(file, station),
        })
    };
    file.stations.iter().filter_map(device).collect()
}

fn driver_settings(file: &config::Workshop, station: &Station) -> toml::Table {
    let mut settings = toml::Table::new();
    if station.driver == "chitu" {
        let profile = station.profile.as_deref().and_then(|stem| file.profiles.printer(stem).ok());
        let extension = profile.and_then(|profile| Format::by_name(profile.format()));
        let extension = extension.map_or("goo", Format::extension);
        settings.insert("extension".to_owned(), extension.into());
    }
    if file.simulation.is_some() {
        settings.insert("poll_ms".to_owned(), SIMULATED_POLL_MS.into());
    }
    settings
}

/// Brings the endpoints of the shop file into the record; their secrets stay in memory, those of the others in
/// the `keys` directory.
async fn adopt_webhooks(shop: &Shop, file: &config::Workshop, keys: &KeyRing) -> Result<SecretOf, Error> {
    let wanted = file.webhooks.iter().map(|webhook| (webhook.url.clone(), webhook.events.clone()));
    let known = notify::adopt_config(shop, wanted.collect()).await?;
    let mut secrets: BTreeMap<WebhookId, Vec<u8>> = BTreeMap::new();
    for webhook in known.iter().filter(|webhook| webhook.from_config) {
        let of_file = file.webhooks.iter().find(|own| own.url == webhook.url && own.events == webhook.events);
        if let Some(own) = of_file {
            secrets.insert(webhook.id.clone(), own.secret.0.clone());
        }
    }
    let keys = keys.clone();
    Ok(Arc::new(move |webhook: &notify::Webhook| {
        if let Some(secret) = secrets.get(&webhook.id) {
            return Some(secret.clone());
        }
        keys.webhook_secret(&webhook.id).unwrap_or_else(|failure| {
            tracing::error!(error = &failure as &dyn std::error::Error, "a webhook secret can't be read");
            None
        })
    }))
}
