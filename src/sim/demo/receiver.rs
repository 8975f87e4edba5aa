//! The order system's end of the webhooks: checks every signature and the order per order, and counts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::shop::webhook::{format_secret, parse_secret};
use crate::webhooks::signature;

/// A receiver on loopback.
pub(super) struct Receiver {
    address: SocketAddr,
    secret_file: PathBuf,
    inbox: Arc<Inbox>,
}

struct Inbox {
    secret: Vec<u8>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    accepted: u64,
    last_of_order: BTreeMap<String, i64>,
}

impl Receiver {
    pub(super) async fn start(data_dir: &Path, stop: &CancellationToken) -> anyhow::Result<Self> {
        let secret_file = data_dir.join("webhook.secret");
        let secret = secret(&secret_file)?;
        let inbox = Arc::new(Inbox { secret, seen: Mutex::default() });
        let listener = bind(&data_dir.join("receiver.port")).await?;
        let address = listener.local_addr()?;
        let router = Router::new().route("/hook", post(receive)).with_state(inbox.clone());
        let stop = stop.clone();
        tokio::spawn(async move {
            let _ = stop.run_until_cancelled(axum::serve(listener, router).into_future()).await;
        });
        Ok(Self { address, secret_file, inbox })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(super) fn secret_file(&self) -> &Path {
        &self.secret_file
    }

    /// Deliveries that were accepted, repeats included.
    pub(super) fn accepted(&self) -> u64 {
        self.inbox.seen.lock().unwrap_or_else(PoisonError::into_inner).accepted
    }
}

/// The port of the last start if it is free: an order system keeps its address, and hears what it missed.
async fn bind(known: &Path) -> anyhow::Result<TcpListener> {
    let port: u16 =
        std::fs::read_to_string(known).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let listener = match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind("127.0.0.1:0").await?,
    };
    std::fs::write(known, listener.local_addr()?.port().to_string())?;
    Ok(listener)
}

fn secret(path: &Path) -> anyhow::Result<Vec<u8>> {
    if let Ok(text) = std::fs::read_to_string(path) {
        return parse_secret(&text).with_context(|| format!("{} holds no secret", path.display()));
    }
    let mut secret = vec![0_u8; 32];
    getrandom::fill(&mut secret).map_err(|failure| anyhow::anyhow!("no random numbers: {failure}"))?;
    std::fs::write(path, format_secret(&secret))?;
    Ok(secret)
}

async fn receive(State(inbox): State<Arc<Inbox>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let timestamp: i64 = header("webhook-timestamp").parse().unwrap_or_default();
    let expected = signature::sign(&inbox.secret, header("webhook-id"), timestamp, &body);
    if header("webhook-signature") != expected {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(notice) = serde_json::from_slice::<serde_json::Value>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let seq = notice["data"]["seq"].as_i64().unwrap_or_default();
    let order = notice["data"]["order_id"].as_str().unwrap_or_default().to_owned();
    let mut seen = inbox.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let last = seen.last_of_order.entry(order).or_insert(0);
    if seq < *last {
        tracing::error!(seq, last = *last, "a webhook came out of order");
        return StatusCode::CONFLICT;
    }
    *last = seq;
    seen.accepted += 1;
    StatusCode::NO_CONTENT
}
