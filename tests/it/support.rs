//! The whole HTTP service in this process: a data directory of its own, a free port, keys of every role.

use std::path::Path;
use std::sync::{Arc, Once};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sprue::api::{self, ApiState};
use sprue::clock::Clock;
use sprue::devices::fleet::Fleet;
use sprue::ids::IdSource;
use sprue::panel::{self, PanelState};
use sprue::services::{Shop, Wake, plan};
use sprue::shop::workshop::{Limits, Workshop};
use sprue::store::Store;
use sprue::store::keys::{KeyRing, Role};
use sprue::store::signing::Signer;
use sprue_compute::mesh_files::stl::write_stl;
use sprue_compute::rings::{BandProfile, RingDesign};
use tokio_util::sync::CancellationToken;

/// Inner diameter of ISO size 54: 54 mm around.
pub(crate) const ISO_54_MM: f64 = 17.188_733_853_924_7;

const SHOP_FILE: &str = r#"[workshop]
name = "Atelier <b>Test</b>"
time_zone = "Europe/Berlin"
routing = "print-only"

[[line]]
name = "usb-1"
port = "/dev/null"
baud = 115200

[[station]]
name = "resin-1"
driver = "chitu"
profile = "elegoo-mars-4"
line = "usb-1"
material = "bluecast-x-one"

[[station]]
name = "bench"
driver = "manual"

[[person]]
name = "Technician A"
shifts = ["daily 00:00-24:00"]
"#;

/// A running service. Dropping it stops it and removes its data.
pub(crate) struct Service {
    pub(crate) shop: Shop,
    pub(crate) keys: KeyRing,
    pub(crate) base: String,
    pub(crate) client: reqwest::Client,
    pub(crate) folder: tempfile::TempDir,
    stop: CancellationToken,
}

/// A key of one role.
#[derive(Clone)]
pub(crate) struct As(pub(crate) String);

impl Service {
    /// Starts one with usual limits.
    pub(crate) async fn start() -> Self {
        Self::start_with(Limits::USUAL, false).await
    }

    /// Starts one with these limits; `open` is whether the panel needs no key.
    pub(crate) async fn start_with(limits: Limits, open: bool) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let folder = tempfile::tempdir().unwrap();
        let shop = shop(folder.path(), limits).await;
        let keys = KeyRing::open(folder.path()).unwrap();
        let stop = CancellationToken::new();
        let router = api::router(ApiState::new(shop.clone(), keys.clone(), stop.clone()))
            .merge(panel::router(PanelState::new(shop.clone(), keys.clone(), open, stop.clone())));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let until = stop.clone().cancelled_owned();
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(until).await });
        let client =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
        Self { shop, keys, base, client: client.unwrap(), folder, stop }
    }

    /// A fresh key.
    pub(crate) fn key(&self, role: Role, name: &str) -> As {
        As(self.keys.create(name, role, None, Clock::system_time()).unwrap().1)
    }

    /// One request; the answer's status and body (null if it is no JSON).
    pub(crate) async fn call(&self, method: &str, path: &str, key: &As, body: Option<&Value>) -> Answer {
        let method = method.parse().unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&key.0);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// `GET`.
    pub(crate) async fn get(&self, path: &str, key: &As) -> Answer {
        self.call("GET", path, key, None).await
    }

    /// Sends a design, returns its hash and the answer.
    pub(crate) async fn put_design(&self, key: &As, bytes: Vec<u8>) -> (String, Answer) {
        let hash = sha256_hex(&bytes);
        let request = self.client.put(format!("{}/api/v1/designs/{hash}", self.base)).bearer_auth(&key.0);
        (hash, Answer::of(request.body(bytes).send().await.unwrap()).await)
    }

    /// Sends an order.
    pub(crate) async fn post_order(&self, key: &As, repeat: &str, order: &Value) -> Answer {
        let request = self.client.post(format!("{}/api/v1/orders", self.base)).bearer_auth(&key.0);
        let request = request.header("idempotency-key", repeat).header("content-type", "application/json");
        Answer::of(request.body(order.to_string()).send().await.unwrap()).await
    }

    /// Files below `blobs/`, unfinished ones included.
    pub(crate) fn blobs(&self) -> usize {
        fn count(folder: &Path) -> usize {
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
        }
        count(&self.folder.path().join("blobs"))
    }

    /// The fold of the journal gives the tables.
    pub(crate) fn verify(&self) {
        let report = sprue::store::fold::verify(self.folder.path()).unwrap();
        assert_eq!(report.differences, Vec::<String>::new());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    /// Reads it.
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Self { status, headers, json: serde_json::from_str(&text).unwrap_or(Value::Null), text }
    }

    /// A header.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `code place` of every finding.
    pub(crate) fn findings(&self) -> Vec<String> {
        let of = |finding: &Value| {
            format!("{} {}", finding["code"].as_str().unwrap(), finding["place"].as_str().unwrap())
        };
        self.json["findings"].as_array().map(|all| all.iter().map(of).collect()).unwrap_or_default()
    }
}

async fn shop(data_dir: &Path, limits: Limits) -> Shop {
    let path = data_dir.join("workshop.toml");
    std::fs::write(&path, SHOP_FILE).unwrap();
    let config = sprue::config::load(&path).unwrap_or_else(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    });
    let clock = Clock::real();
    let store = Store::open(data_dir, clock.clone(), IdSource::from_os().unwrap()).unwrap();
    let ticks = clock.clone();
    let (fleet, _facts) = Fleet::start(&[], &[], Arc::new(move || ticks.tick())).unwrap();
    let plan = Arc::new(plan::Current::load(&store).await.unwrap());
    Shop {
        store,
        clock,
        profiles: Arc::new(config.profiles),
        workshop: Arc::new(Workshop {
            name: config.name,
            zone: config.time_zone,
            routing: config.routing,
            stations: config.stations,
            people: config.people,
            exposures: config.exposure,
            prices: config.prices,
            limits,
        }),
        fleet: Arc::new(fleet),
        wake: Arc::new(Wake::default()),
        plan,
        signer: Arc::new(Signer::open(data_dir).unwrap()),
        compute: Arc::new(tokio::sync::Semaphore::new(1)),
    }
}

/// A watertight plain band as binary STL.
pub(crate) fn band_stl() -> Vec<u8> {
    let mesh = RingDesign { resolution_mm: 0.5, ..RingDesign::band(ISO_54_MM, 4.0, 1.8, BandProfile::Flat) };
    let mut bytes = Vec::new();
    write_stl(&mesh.generate().unwrap(), &mut bytes).unwrap();
    bytes
}

/// An order of one ring of size ISO 54.
pub(crate) fn order(external_ref: &str, design: &str) -> Value {
    json!({
        "external_ref": external_ref, "due": "2099-12-18T17:00:00Z", "priority": "normal",
        "pieces": [{
            "external_ref": format!("{external_ref}-1"), "design_sha256": design, "quantity": 1,
            "alloy": "au750-yellow", "ring_size": {"system": "iso", "value": 54}, "engraving": "For ever",
        }],
        "approval": {"by": "designer@house", "at": "2025-11-20T10:00:00Z", "design_sha256": [design]},
    })
}

/// SHA-256 as hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
