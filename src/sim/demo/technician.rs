//! Simulated people: they clear plates, start what the plan has next, and record values when it is done.

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
    pub(super) fn new(base: &str, key: &str, clock: Clock) -> Self {
        Self { base: base.to_owned(), key: key.to_owned(), client: Client::new(), clock }
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
