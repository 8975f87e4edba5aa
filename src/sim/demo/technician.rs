//! Simulated people: they clear plates, start what the plan has next, record values when it is done, and look at
//! the machine when nobody knows what became of a print.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::units::Timestamp;

/// How often they look around.
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// Whoever is on shift.
pub(super) struct Technician {
    base: String,
    key: String,
    client: Client,
    clock: Clock,
    devices: PathBuf,
    /// How prints stood at the machines when these were switched on: what was under way then is lost.
    at_start: BTreeMap<String, Ending>,
}

/// What a machine's own record says of a print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Begun,
    Finished,
    Stopped,
}

#[derive(Debug, Deserialize)]
struct Page<T> {
    items: Vec<T>,
}

#[derive(Debug, Deserialize)]
struct Station {
    name: String,
    state: String,
    abilities: Vec<String>,
    material: Option<String>,
    material_lot: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Task {
    id: String,
    state: String,
    station: Option<String>,
    print_job: Option<String>,
    ready: bool,
    planned_start: Option<Timestamp>,
    started_at: Option<Timestamp>,
    elapsed_s: u64,
    by_hand: bool,
    pieces: Vec<String>,
    records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
struct Piece {
    alloy: String,
}

#[derive(Debug, Deserialize)]
struct Lot {
    label: String,
    alloy: Option<String>,
    closed: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Record {
    name: String,
    unit: String,
}

impl Technician {
    /// Must be made before the machines are switched on.
    pub(super) fn new(base: &str, key: &str, clock: Clock, devices: &Path, at_start: Endings) -> Self {
        let (base, key, devices) = (base.to_owned(), key.to_owned(), devices.to_owned());
        Self { base, key, client: Client::new(), clock, devices, at_start: at_start.0 }
    }

    pub(super) async fn work(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(failure) = self.look_around().await {
                tracing::debug!(error = %failure, "a simulated person was refused; the next look may help");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn look_around(&self) -> anyhow::Result<()> {
        let stations: Page<Station> = self.get("/stations").await?;
        for station in stations.items.iter().filter(|station| station.state == "needs_clearing") {
            self.post(&format!("/stations/{}/ready", station.name), &json!({})).await?;
        }
        for station in &stations.items {
            self.fill(station).await?;
        }
        let tasks: Page<Task> = self.get("/tasks").await?;
        for task in tasks.items.iter().filter(|task| task.state == "unknown") {
            self.look_at_machine(task).await?;
        }
        for task in tasks.items.iter().filter(|task| task.by_hand) {
            let now = self.clock.at();
            let due = task.planned_start.is_some_and(|start| start <= now);
            let over = task.started_at.is_some_and(|start| now.since(start).0 >= task.elapsed_s * 1000);
            if task.state == "planned" && task.ready && due {
                self.post(&format!("/tasks/{}/start", task.id), &json!({})).await?;
            } else if task.state == "running" && over {
                let mut recorded = recorded(task);
                if let Some(lot) = recorded.get_mut("metal_lot") {
                    *lot = self.metal_lot(task).await?.into();
                }
                if let Some(lot) = recorded.get_mut("powder_lot") {
                    let drum =
                        json!({ "label": "powder-1", "kind": "powder", "product": "gypsum investment" });
                    *lot = self.received(drum).await?.into();
                }
                self.post(&format!("/tasks/{}/complete", task.id), &json!({ "recorded": recorded })).await?;
            }
        }
        Ok(())
    }

    /// The machine's own record is what a person would see on its display and its plate.
    async fn look_at_machine(&self, task: &Task) -> anyhow::Result<()> {
        let (Some(station), Some(print)) = (&task.station, &task.print_job) else { return Ok(()) };
        let now = read_record(&self.devices.join(format!("{station}.jsonl")));
        match (now.get(print), self.at_start.get(print)) {
            (Some(Ending::Finished), _) => {
                self.post(&format!("/tasks/{}/complete", task.id), &json!({ "recorded": {} })).await
            }
            // It runs; the machine will say so.
            (Some(Ending::Begun), None) => Ok(()),
            _ => {
                let reason = json!({ "reason": "the plate is empty or spoilt" });
                self.post(&format!("/tasks/{}/fail", task.id), &reason).await
            }
        }
    }

    /// Puts a bottle or a spool on a printer that has none.
    async fn fill(&self, station: &Station) -> anyhow::Result<()> {
        let (Some(material), None) = (&station.material, &station.material_lot) else { return Ok(()) };
        let kind =
            if station.abilities.iter().any(|ability| ability == "print-wax") { "wax" } else { "resin" };
        let label = format!("{}-{material}-1", station.name);
        let label = self.received(json!({ "label": label, "kind": kind, "material": material })).await?;
        self.post(&format!("/stations/{}/load", station.name), &json!({ "lot": label })).await
    }

    /// Receives a lot unless it is there; its label.
    async fn received(&self, lot: Value) -> anyhow::Result<String> {
        let label = lot["label"].as_str().context("a lot without a label")?;
        let lots: Page<Lot> = self.get("/lots?limit=200").await?;
        if !lots.items.iter().any(|known| known.label == label) {
            self.post("/lots", &lot).await?;
        }
        Ok(label.to_owned())
    }

    /// The lot that metal is taken from: the open one of this alloy, or a new bag from the safe.
    async fn metal_lot(&self, task: &Task) -> anyhow::Result<String> {
        /// A bag that lasts for a day of rings.
        const BAG_G: u32 = 500;
        let piece: Piece =
            self.get(&format!("/pieces/{}", task.pieces.first().context("an empty tree")?)).await?;
        let lots: Page<Lot> = self.get("/lots?limit=200").await?;
        let of_alloy = || lots.items.iter().filter(|lot| lot.alloy.as_ref() == Some(&piece.alloy));
        if let Some(lot) = of_alloy().find(|lot| lot.closed.is_none()) {
            return Ok(lot.label.clone());
        }
        let label = format!("{}-{}", piece.alloy, of_alloy().count() + 1);
        let bag = json!({ "label": label, "kind": "metal", "alloy": piece.alloy, "mass_g": BAG_G, "supplier": "demo" });
        self.post("/lots", &bag).await?;
        Ok(label)
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, path: &str) -> anyhow::Result<T> {
        let response = self.send(Method::GET, path, None).await?;
        Ok(response.json().await?)
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        self.send(Method::POST, path, Some(body)).await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<reqwest::Response> {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        if !response.status().is_success() {
            bail!("{path}: {}", response.text().await?);
        }
        Ok(response)
    }
}

/// How the prints of all machines stand.
pub(super) struct Endings(BTreeMap<String, Ending>);

impl Endings {
    /// Reads the records of machines.
    pub(super) fn read(devices: &Path, names: &[&str]) -> Self {
        let records = names.iter().flat_map(|name| read_record(&devices.join(format!("{name}.jsonl"))));
        Self(records.collect())
    }
}

fn read_record(path: &Path) -> BTreeMap<String, Ending> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let entries = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut endings = BTreeMap::new();
    for entry in entries {
        let name = entry["name"].as_str().unwrap_or_default();
        let ending = match entry["event"].as_str() {
            Some("print_started") => Ending::Begun,
            Some("print_finished") => Ending::Finished,
            Some("print_stopped") => Ending::Stopped,
            _ => continue,
        };
        endings.insert(name.split('.').next().unwrap_or_default().to_owned(), ending);
    }
    endings
}

/// What a person would write down: plausible for rings, and what went in comes out again.
fn recorded(task: &Task) -> Map<String, Value> {
    let pieces = u32::try_from(task.pieces.len().max(1)).unwrap_or(1);
    let value = |record: &Record| match record.unit.as_str() {
        "g" => json!(grams(&record.name, f64::from(pieces))),
        "celsius" if record.name.contains("flask") => json!(540),
        "celsius" if record.name.contains("water") => json!(22),
        "celsius" => json!(980),
        "minutes" => json!(task.elapsed_s / 60),
        "mm" => json!(17.3),
        "ml" => json!(120),
        "count" => json!(pieces),
        _ => json!("simulated"),
    };
    task.records.iter().map(|record| (record.name.clone(), value(record))).collect()
}

/// Masses of a tree of rings that weigh 4.2 g raw and 3.8 g finished, with sprues and a button of as much again.
fn grams(name: &str, pieces: f64) -> f64 {
    match name {
        "metal_charge_g" | "tree_metal_mass_g" => 2.0 * 4.2 * pieces,
        "tree_scrap_g" | "issue_mass_g" => 4.2 * pieces,
        "return_mass_g" | "final_mass_g" => 3.8 * pieces,
        _ => 0.4 * pieces,
    }
}
