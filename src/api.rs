//! Speaks HTTP with order systems, tools and scripts. No rule of the workshop lives here.
//!
//! Every handler is registered with its OpenAPI description, so that `/openapi.json` is what is served; who may
//! use it stands in `access::TABLE` and nowhere else.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::services::Shop;
use crate::services::access::KeyRing;

pub mod access;
mod body;
mod designs;
mod document;
mod events;
mod idempotency;
mod lots;
mod metal;
mod metrics;
mod order_body;
mod orders;
mod pieces;
mod plan;
mod problem;
mod stations;
mod system;
mod tasks;
mod views;
mod webhooks;

pub use problem::Problem;

/// Readers of the event stream at once: enough for every screen and system of a workshop.
const STREAMS_MAX: usize = 256;

/// What the handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// The use cases' world.
    pub shop: Shop,
    /// Who may speak.
    pub keys: KeyRing,
    /// Ends the event streams when the daemon stops.
    pub shutdown: CancellationToken,
    in_flight: Arc<Mutex<BTreeSet<(String, String)>>>,
    streams: Arc<Semaphore>,
    requests: metrics::Requests,
}

impl ApiState {
    /// Ready to serve.
    #[must_use]
    pub fn new(shop: Shop, keys: KeyRing, shutdown: CancellationToken) -> Self {
        Self {
            shop,
            keys,
            shutdown,
            in_flight: Arc::default(),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            requests: metrics::Requests::default(),
        }
    }
}

/// Everything below `/api/v1`, and `/metrics`, `/healthz`, `/readyz`, `/openapi.json`.
pub fn router(state: ApiState) -> Router {
    document::routes()
        .0
        .fallback(unknown_address)
        .layer(middleware::from_fn_with_state(state.clone(), access::guard))
        .layer(middleware::from_fn(say_that_the_address_is_unreadable))
        .layer(middleware::from_fn(catch_panic))
        .layer(middleware::from_fn_with_state(state.clone(), count))
        .with_state(state)
}

/// The OpenAPI description of what `router` serves, as JSON.
#[must_use]
pub fn openapi_json() -> String {
    document::routes().1.to_pretty_json().unwrap_or_default()
}

async fn unknown_address() -> Problem {
    Problem::not_found("such address; GET /openapi.json lists them")
}

/// An address that is no text is refused before a handler is asked, and not in our words.
async fn say_that_the_address_is_unreadable(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    if response.status() == StatusCode::BAD_REQUEST && kind.starts_with("text/plain") {
        let detail =
            "the address can't be read; write everything but letters, digits, - . _ ~ as %XX in UTF-8";
        return Problem::bad_request("ADDRESS", detail).into_response();
    }
    response
}

/// A panic is a bug of ours: the caller hears so, the daemon goes on.
async fn catch_panic(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!(path, "a handler panicked");
            Problem::internal().into_response()
        }
    }
}

async fn count(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let seen = metrics::Seen::of(&request);
    let response = next.run(request).await;
    state.requests.count(seen, response.status());
    response
}
