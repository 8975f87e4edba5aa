//! The real binary, killed with -9 at random points under a load of orders and prints, on simulated machines
//! that keep their own record. Afterwards: nothing acknowledged is lost, no piece was printed twice, and every
//! webhook arrived at least once and in order per order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value, json};
use sprue::clock::Clock;
use sprue_compute::mesh_files::stl::write_stl;
use sprue_compute::rings::{BandProfile, RingDesign};

/// How often the daemon is killed.
const KILLS: u32 = 50;
/// Orders that are pushed while it is.
const ORDERS: u32 = 16;
/// How long everything may take after the last kill; far above what is needed.
const PATIENCE: Duration = Duration::from_secs(240);
const SPRUE: &str = env!("CARGO_BIN_EXE_sprue");

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_printed_twice_when_the_daemon_is_killed_at_random_points() {
    // The HTTP client wants to know whose TLS; a second call in another test changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let seed = Clock::system_time().0.unsigned_abs();
    println!("seed {seed}");
    let shop = Shop::new(seed).await;
    let stop = Arc::new(AtomicBool::new(false));
    let people = tokio::spawn(shop.people().work(stop.clone()));
    let orders = tokio::spawn(shop.order_system().push_all());
    let mut dice = Dice(seed);
    let mut daemon = shop.serve();
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(dice.between(40, 1100))).await;
        daemon.kill();
        daemon = shop.serve();
    }
    let acknowledged = orders.await.unwrap();
    shop.wait_until_done(&acknowledged).await;
    stop.store(true, Ordering::Relaxed);
    people.await.unwrap();

    shop.everything_acknowledged_was_made(&acknowledged).await;
    shop.no_piece_was_printed_twice(&acknowledged).await;
    shop.every_webhook_arrived_in_order().await;
    daemon.kill();
    shop.the_journal_gives_the_tables();
}

/// A workshop on disk: shop file, machines that outlive the daemon, a webhook receiver.
struct Shop {
    folder: tempfile::TempDir,
    base: String,
    keys: BTreeMap<&'static str, String>,
    inbox: Arc<Inbox>,
    _machines: Vec<Process>,
}

const MACHINES: [(&str, &str); 3] = [("resin-1", "chitu"), ("resin-2", "chitu"), ("wax-1", "marlin")];

impl Shop {
    async fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inbox = Arc::new(Inbox::default());
        let receiver = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook = receiver.local_addr().unwrap();
        let router = Router::new().route("/hook", post(receive)).with_state(inbox.clone());
        tokio::spawn(async move { axum::serve(receiver, router).await.unwrap() });
        let port = free_port();
        write_shop(folder.path(), port, &format!("http://{hook}/hook"));
        let machines =
            MACHINES.iter().zip(0..).map(|((name, kind), n)| machine(folder.path(), name, kind, seed + n));
        let machines = machines.collect();
        let mut keys = BTreeMap::new();
        for role in ["order-system", "technician", "manager"] {
            keys.insert(role, create_key(folder.path(), role));
        }
        let base = format!("http://127.0.0.1:{port}");
        Self { folder, base, keys, inbox, _machines: machines }
    }

    fn serve(&self) -> Process {
        let log =
            fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        Process::start(
            Command::new(SPRUE)
                .arg("serve")
                .arg("--config")
                .arg(self.folder.path().join("workshop.toml"))
                .stderr(log),
        )
    }

    fn client(&self, role: &'static str) -> Client {
        Client { base: self.base.clone(), key: self.keys[role].clone(), http: reqwest::Client::new() }
    }

    fn people(&self) -> People {
        People {
            technician: self.client("technician"),
            manager: self.client("manager"),
            records: MACHINES.map(|(name, _)| (name.to_owned(), self.record_path(name))).into(),
        }
    }

    fn order_system(&self) -> OrderSystem {
        OrderSystem { client: self.client("order-system") }
    }

    fn record_path(&self, machine: &str) -> PathBuf {
        self.folder.path().join(format!("{machine}.jsonl"))
    }

    async fn wait_until_done(&self, acknowledged: &[String]) {
        let client = self.client("manager");
        let clock = Clock::real();
        loop {
            let mut left = Vec::new();
            for id in acknowledged {
                let order = client.get(&format!("/api/v1/orders/{id}")).await.unwrap_or_default();
                if order["state"] != "completed" {
                    left.push(order);
                }
            }
            if left.is_empty() && !self.webhooks_are_pending(&client).await {
                return;
            }
            if clock.tick().since(sprue::units::Tick(0)) > PATIENCE {
                let tasks = client.get("/api/v1/tasks").await;
                let stations = client.get("/api/v1/stations").await;
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                let tail: String = log.lines().rev().take(40).collect::<Vec<_>>().join("\n");
                panic!("still open: {left:#?}\n{tasks:#?}\n{stations:#?}\n{tail}");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn webhooks_are_pending(&self, client: &Client) -> bool {
        let metrics = client.text("/metrics").await.unwrap_or_default();
        let count = |line: &str| line.rsplit(' ').next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(1.0);
        let pending =
            metrics.lines().find(|line| line.contains("deliveries") && line.contains("\"pending\""));
        pending.is_some_and(|line| count(line) > 0.0)
    }

    async fn everything_acknowledged_was_made(&self, acknowledged: &[String]) {
        let client = self.client("manager");
        assert_eq!(acknowledged.len(), ORDERS as usize);
        assert_eq!(
            acknowledged.iter().collect::<BTreeSet<_>>().len(),
            ORDERS as usize,
            "an order was made twice"
        );
        for id in acknowledged {
            let order = client.get(&format!("/api/v1/orders/{id}")).await.unwrap();
            let pieces = order["pieces"].as_array().unwrap();
            assert!(pieces.iter().all(|piece| piece["state"] == "finished"), "{order:#}");
        }
    }

    /// The machines' own word: of each plate exactly one print came to its end, and none was started again
    /// under the same name.
    async fn no_piece_was_printed_twice(&self, acknowledged: &[String]) {
        let client = self.client("manager");
        let mut started: BTreeMap<String, u32> = BTreeMap::new();
        let mut finished: BTreeMap<String, u32> = BTreeMap::new();
        for (name, kind) in MACHINES {
            for entry in record(&self.record_path(name)) {
                let print = entry["name"].as_str().unwrap_or_default().split('.').next().unwrap_or_default();
                match entry["event"].as_str().unwrap() {
                    "print_started" => *started.entry(print.to_owned()).or_default() += 1,
                    "print_finished" => *finished.entry(print.to_owned()).or_default() += 1,
                    _ => assert!(kind == "marlin" || entry["name"].is_string()),
                }
            }
        }
        assert!(started.values().all(|count| *count == 1), "a print was started twice: {started:?}");
        let mut prints_of_pieces: BTreeMap<String, u32> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for id in acknowledged {
            let order = client.get(&format!("/api/v1/orders/{id}")).await.unwrap();
            for piece in order["pieces"].as_array().unwrap() {
                let id = piece["id"].as_str().unwrap();
                let timeline = client.get(&format!("/api/v1/pieces/{id}/timeline")).await.unwrap();
                for operation in timeline["operations"].as_array().unwrap() {
                    if operation["ability"] != "print-resin" || operation["state"] == "abandoned" {
                        continue;
                    }
                    let label =
                        operation["print_job"].as_str().unwrap().rsplit_once('-').unwrap().0.to_owned();
                    let ended = finished.iter().filter(|(name, _)| name.starts_with(&format!("{label}-")));
                    *prints_of_pieces.entry(id.to_owned()).or_default() += ended.map(|(_, n)| n).sum::<u32>();
                    seen.insert(label);
                }
            }
        }
        assert!(!prints_of_pieces.is_empty());
        assert!(prints_of_pieces.values().all(|count| *count == 1), "{prints_of_pieces:?}");
        let labels: BTreeSet<String> = finished
            .keys()
            .filter_map(|name| name.rsplit_once('-').map(|(label, _)| label.to_owned()))
            .collect();
        assert!(labels.is_subset(&seen), "prints that belong to no order: {labels:?} {seen:?}");
    }

    async fn every_webhook_arrived_in_order(&self) {
        let client = self.client("manager");
        let mut after = 0;
        let mut expected: BTreeMap<i64, String> = BTreeMap::new();
        loop {
            let page = client.get(&format!("/api/v1/events?after={after}")).await.unwrap();
            let items = page["items"].as_array().unwrap().clone();
            let Some(last) = items.last() else { break };
            after = last["data"]["seq"].as_i64().unwrap();
            for event in items {
                let order = event["data"]["order_id"].as_str().unwrap_or_default().to_owned();
                expected.insert(event["data"]["seq"].as_i64().unwrap(), order);
            }
        }
        let inbox = self.inbox.heard.lock().unwrap().clone();
        let arrived: BTreeSet<i64> = inbox.iter().map(|(_, seq)| *seq).collect();
        let missing: Vec<_> = expected.keys().filter(|seq| !arrived.contains(seq)).collect();
        assert!(missing.is_empty(), "never delivered: {missing:?}");
        let mut first_heard: BTreeMap<&str, i64> = BTreeMap::new();
        let mut known = BTreeSet::new();
        for (order, seq) in &inbox {
            // A repeat after a crash is allowed; what is new must come in order.
            if known.insert(*seq) {
                let last = first_heard.entry(order).or_default();
                assert!(*seq > *last, "order {order} heard {seq} after {last}");
                *last = *seq;
            }
        }
    }

    /// Otherwise this test would prove nothing.
    fn the_kills_hit_something(&self) {
        let journal = rusqlite::Connection::open(self.folder.path().join("data/journal.sqlite")).unwrap();
        let count = |kind: &str| -> u32 {
            let query = "SELECT count(*) FROM journal WHERE kind = ?";
            journal.query_row(query, [kind], |row| row.get(0)).unwrap()
        };
        let (requeued, lost) = (count("operation.requeue"), count("operation.lose_sight"));
        assert!(requeued + lost >= 3, "only {requeued} uploads broken off, {lost} prints lost sight of");
    }

    fn the_journal_gives_the_tables(&self) {
        let report = sprue::store::fold::verify(&self.folder.path().join("data")).unwrap();
        assert!(report.differences.is_empty(), "{report:?}");
        assert!(report.events > 200, "{report:?}");
        self.the_kills_hit_something();
    }
}

fn write_shop(folder: &Path, port: u16, hook: &str) {
    let built_in = |kind: &str, stem: &str| {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles").join(kind).join(format!("{stem}.toml"));
        fs::read_to_string(path).unwrap()
    };
    // A small display keeps files small, so that prints end between kills.
    let printer = built_in("printers", "elegoo-mars-4")
        .replace("width_px = 8520", "width_px = 768")
        .replace("height_px = 4320", "height_px = 390")
        .replace("pixel_x_um = 18.0", "pixel_x_um = 200.0")
        .replace("pixel_y_um = 18.0", "pixel_y_um = 200.0");
    let routing = built_in("routings", "print-only");
    let wax = routing.replace("\"print-resin\"", "\"print-wax\"");
    for (kind, stem, text) in [("printers", "coarse", &printer), ("routings", "wax-print-only", &wax)] {
        fs::create_dir_all(folder.join("profiles").join(kind)).unwrap();
        fs::write(folder.join("profiles").join(kind).join(format!("{stem}.toml")), text).unwrap();
    }
    fs::write(folder.join("webhook.secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let now = Clock::system_time();
    let mut text = format!(
        "[workshop]\nname = \"Crash test\"\ntime_zone = \"UTC\"\nlisten = \"127.0.0.1:{port}\"\n\
         data_dir = \"./data\"\nprofiles = [\"./profiles\"]\nrouting = \"print-only\"\n\n\
         [simulation]\nspeed = 3600\nstarted_at = \"{now}\"\nstarted_real = \"{now}\"\n\n\
         [limits]\ndisk_reserve_bytes = 1\n\n\
         [[exposure]]\nprinter = \"coarse\"\nmaterial = \"bluecast-x-one\"\nlayer_um = 50\nexposure_s = 7.0\n\
         bottom_exposure_s = 25.0\nbottom_layers = 3\ntransition_layers = 0\nby = \"test\"\nsource = \"test\"\n\n"
    );
    for (name, driver) in MACHINES {
        let (profile, material) =
            if driver == "marlin" { ("marlin-wax", "polycast") } else { ("coarse", "bluecast-x-one") };
        text += &format!(
            "[[line]]\nname = \"line-{name}\"\nport = {:?}\n\n[[station]]\nname = \"{name}\"\ndriver = \"{driver}\"\n\
             profile = \"{profile}\"\nmaterial = \"{material}\"\nline = \"line-{name}\"\n\n",
            folder.join(name)
        );
    }
    text += &format!(
        "[[station]]\nname = \"bench\"\ndriver = \"manual\"\n\n\
         [[person]]\nname = \"A\"\nshifts = [\"daily 00:00-24:00\"]\n\n\
         [[webhook]]\nurl = \"{hook}\"\nsecret_file = \"./webhook.secret\"\nevents = [\"*\"]\n"
    );
    fs::write(folder.join("workshop.toml"), text).unwrap();
}

fn machine(folder: &Path, name: &str, kind: &str, seed: u64) -> Process {
    let mut command = Command::new(SPRUE);
    command.args(["simulate", kind, "--speed", "3600", "--seed", &seed.to_string()]);
    command.arg("--link").arg(folder.join(name)).arg("--record").arg(folder.join(format!("{name}.jsonl")));
    Process::start(&mut command)
}

fn create_key(folder: &Path, role: &str) -> String {
    let made = Command::new(SPRUE)
        .args(["key", "create", "--role", role, "--name", role, "--config"])
        .arg(folder.join("workshop.toml"))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn record(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A process that is killed when it is dropped.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A small generator; the seed is printed.
struct Dice(u64);

impl Dice {
    fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (self.0 >> 33) % (high - low)
    }
}

#[derive(Default)]
struct Inbox {
    heard: Mutex<Vec<(String, i64)>>,
}

async fn receive(State(inbox): State<Arc<Inbox>>, body: Bytes) -> StatusCode {
    let event: Value = serde_json::from_slice(&body).unwrap();
    let order = event["data"]["order_id"].as_str().unwrap_or_default().to_owned();
    inbox.heard.lock().unwrap().push((order, event["data"]["seq"].as_i64().unwrap()));
    StatusCode::OK
}

/// Speaks to a daemon that may be dead at any moment.
struct Client {
    base: String,
    key: String,
    http: reqwest::Client,
}

impl Client {
    async fn get(&self, path: &str) -> Option<Value> {
        serde_json::from_str(&self.text(path).await?).ok()
    }

    async fn text(&self, path: &str) -> Option<String> {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.key);
        let request = request.header("accept", "application/json").timeout(Duration::from_secs(10));
        let response = request.send().await.ok()?;
        if response.status().is_success() { response.text().await.ok() } else { None }
    }

    async fn post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        let request = self.http.post(format!("{}{path}", self.base)).bearer_auth(&self.key).json(body);
        let response = request.timeout(Duration::from_secs(10)).send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.unwrap_or_default()))
    }
}

/// An order system that repeats itself until it is answered.
struct OrderSystem {
    client: Client,
}

impl OrderSystem {
    async fn push_all(self) -> Vec<String> {
        let mut acknowledged = Vec::new();
        for number in 0..ORDERS {
            let wax = number % 8 == 3;
            let ring = RingDesign {
                resolution_mm: 0.5,
                ..RingDesign::band(16.0 + f64::from(number % 4), 2.0, 1.5, BandProfile::Flat)
            };
            let mut stl = Vec::new();
            write_stl(&ring.generate().unwrap(), &mut stl).unwrap();
            let sha256 = self.push_design(&stl).await;
            acknowledged.push(self.push_order(number, &sha256, wax).await);
            tokio::time::sleep(Duration::from_millis(1500)).await;
        }
        acknowledged
    }

    async fn push_design(&self, stl: &[u8]) -> String {
        let sha256 = sprue::shop::design::Sha256Hex::from_digest(&sprue::services::intake::body_digest(stl))
            .to_string();
        loop {
            let url = format!("{}/api/v1/designs/{sha256}", self.client.base);
            let put = self.client.http.put(url).bearer_auth(&self.client.key).body(stl.to_vec()).send().await;
            if put.is_ok_and(|response| response.status().is_success()) {
                return sha256;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn push_order(&self, number: u32, sha256: &str, wax: bool) -> String {
        let order = json!({
            "external_ref": format!("SO-{number}"), "due": "2099-01-01T00:00:00Z",
            "pieces": [{ "external_ref": format!("SO-{number}-1"), "design_sha256": sha256, "alloy": "ag925",
                "quantity": 1 + number % 2, "routing": if wax { "wax-print-only" } else { "print-only" } }],
            "approval": { "by": "designer@house", "at": "2026-01-01T00:00:00Z", "design_sha256": [sha256] },
        });
        loop {
            let request = self.client.http.post(format!("{}/api/v1/orders", self.client.base));
            let request =
                request.bearer_auth(&self.client.key).header("idempotency-key", format!("key-{number}"));
            if let Ok(response) = request.json(&order).timeout(Duration::from_secs(10)).send().await {
                let status = response.status().as_u16();
                let body: Value = response.json().await.unwrap_or_default();
                assert!(status != 422, "{body:#}");
                if let (201, Some(id)) = (status, body["id"].as_str()) {
                    return id.to_owned();
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// People who clear plates, do their tasks, and look at a machine when the daemon asks what became of a print.
struct People {
    technician: Client,
    manager: Client,
    records: BTreeMap<String, PathBuf>,
}

impl People {
    async fn work(self, stop: Arc<AtomicBool>) {
        while !stop.load(Ordering::Relaxed) {
            if self.look_around().await.is_none() {
                // The daemon is dead at the moment.
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    async fn look_around(&self) -> Option<()> {
        let stations = self.technician.get("/api/v1/stations").await?;
        for station in stations["items"].as_array()?.iter().filter(|s| s["state"] == "needs_clearing") {
            let name = station["name"].as_str()?;
            self.technician.post(&format!("/api/v1/stations/{name}/ready"), &json!({})).await?;
        }
        let tasks = self.technician.get("/api/v1/tasks").await?;
        for task in tasks["items"].as_array()? {
            self.act(task).await?;
        }
        let held = self.manager.get("/api/v1/orders?limit=200").await?;
        for order in held["items"].as_array()? {
            let is_held = order["pieces"].as_array()?.iter().any(|piece| piece["state"] == "held");
            if is_held {
                let path = format!("/api/v1/orders/{}/release", order["id"].as_str()?);
                self.manager.post(&path, &json!({ "reason": "looked at" })).await?;
            }
        }
        Some(())
    }

    async fn act(&self, task: &Value) -> Option<()> {
        let path = |action: &str| format!("/api/v1/tasks/{}/{action}", task["id"].as_str().unwrap());
        let by_hand = task["by_hand"].as_bool()?;
        match task["state"].as_str()? {
            "planned" if by_hand && task["ready"] == true => {
                self.technician.post(&path("start"), &json!({})).await?;
            }
            "running" if by_hand => {
                let records = task["records"].as_array()?.iter();
                let value = |record: &Value| if record["unit"] == "text" { json!("x") } else { json!(1) };
                let recorded: serde_json::Map<String, Value> =
                    records.map(|r| (r["name"].as_str().unwrap().to_owned(), value(r))).collect();
                self.technician.post(&path("complete"), &json!({ "recorded": recorded })).await?;
            }
            "failed" => {
                self.technician.post(&path("start"), &json!({})).await?;
            }
            "unknown" => self.settle(task, &path("complete"), &path("fail")).await?,
            _ => {}
        }
        Some(())
    }

    /// What a person sees at the machine: its own display says whether the print came to its end.
    async fn settle(&self, task: &Value, complete: &str, fail: &str) -> Option<()> {
        let record = record(&self.records[task["station"].as_str()?]);
        let print = task["print_job"].as_str()?;
        let of_print = |entry: &&Value| {
            entry["name"].as_str().is_some_and(|name| name.starts_with(&format!("{print}.")))
        };
        let last = record.iter().filter(of_print).rfind(|entry| entry["event"] != "upload_completed");
        let last = last.map(|entry| entry["event"].as_str().unwrap().to_owned());
        match last.as_deref() {
            Some("print_started") => {} // It still runs; the person waits.
            Some("print_finished") => {
                self.technician.post(complete, &json!({ "recorded": {} })).await?;
            }
            _ => {
                self.technician.post(fail, &json!({ "reason": "the plate is empty or spoilt" })).await?;
            }
        }
        Some(())
    }
}
