//! Simulated people: they clear plates, start what the plan has next, record values when it is done, and look at
//! the machine when nobody knows what became of a print.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
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
    pieces: Vec<Value>,
    records: Vec<Record>,
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
                let recorded = recorded(task);
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

/// What a person would write down; plausible for a ring, and nothing reads it as measured.
fn recorded(task: &Task) -> Map<String, Value> {
    let pieces = task.pieces.len().max(1);
    let value = |record: &Record| match record.unit.as_str() {
        "g" => json!(4.2 * f64::from(u32::try_from(pieces).unwrap_or(1))),
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
