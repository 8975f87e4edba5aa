//! The public events, live as server-sent events with replay, or page by page as JSON.
//!
//! A reader is never waited for: its stream reads the next page from the record when the socket takes more, so
//! that a slow one costs a page of memory and a fast one sees each event once.

#![expect(unused_qualifications, reason = "what the description of query parameters expands to")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa::{IntoParams, ToSchema};

use super::access::Caller;
use super::{ApiState, Problem};
use crate::ids::KeyId;
use crate::services::events::{self, PublicEvent};

/// Events in a page, and read ahead for a live stream.
const PAGE_MAX: u32 = 200;
/// How long a stream says nothing before it says that it lives; also how soon a revoked key ends it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// From where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Only events after this number; all of them if it is missing. `Last-Event-ID` wins over it.
    after: Option<i64>,
    /// Events in a JSON page, 1 to 200.
    limit: Option<u32>,
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventPageView {
    /// Oldest first, as webhooks send them.
    #[schema(value_type = Vec<Object>)]
    items: Vec<Value>,
    /// What to send as `after` for the next page.
    next: i64,
}

/// Public events: a live stream, or with `Accept: application/json` a page.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(EventsQuery, ("Last-Event-ID" = Option<i64>, Header, description = "Where a stream broke off")),
    responses(
    (status = 200, description = "The stream; `id` is the number, `event` the type. After `event: reset` the \
        numbers begin anew", content(
            (String = "text/event-stream"), (EventPageView = "application/json"))),
    (status = 400, description = "QUERY", body = Problem),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 503, description = "STREAMS: too many readers", body = Problem)))]
pub(super) async fn events(
    State(state): State<ApiState>,
    caller: Caller,
    query: Result<Query<EventsQuery>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(wanted) = query.map_err(|failure| Problem::bad_request("QUERY", failure.body_text()))?;
    let last_id = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let after: i64 = last_id.or(wanted.after).unwrap_or(0).max(0);
    let source = caller.sees_only().map(str::to_owned);
    if wants_json(&headers) {
        let limit = wanted.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let page = events::after(&state.shop, source, after, limit).await?;
        let items = page.events.iter().filter_map(|event| serde_json::from_str(&event.body).ok()).collect();
        let answer = Json(EventPageView { items, next: page.looked_to });
        return Ok(([(CACHE_CONTROL, "no-store")], answer).into_response());
    }
    let permit = state.streams.clone().try_acquire_owned().map_err(|_| {
        let detail = "too many readers of the event stream; close some";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "STREAMS", detail)
    })?;
    let live = Live {
        newest: events::watch(&state.shop),
        state,
        source,
        key: caller.0.key_id,
        after,
        waiting: VecDeque::new(),
        _permit: permit,
    };
    let sse = Sse::new(stream_of(live)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), "no");
    Ok(([(CACHE_CONTROL, "no-store"), unbuffered], sse).into_response())
}

fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    accept.contains("application/json") && !accept.contains("text/event-stream")
}

/// One reader.
struct Live {
    state: ApiState,
    source: Option<String>,
    key: KeyId,
    after: i64,
    waiting: VecDeque<PublicEvent>,
    newest: watch::Receiver<i64>,
    _permit: OwnedSemaphorePermit,
}

fn stream_of(live: Live) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(live, |mut live| async move { live.next().await.map(|event| (Ok(event), live)) })
}

impl Live {
    /// The next event; `None` ends the stream, and the reader comes back with its last number.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(written(&event));
            }
            // Seen before reading: a commit in between wakes the next round.
            self.newest.mark_unchanged();
            if !self.state.keys.is_active(&self.key) {
                return None;
            }
            let page =
                events::after(&self.state.shop, self.source.clone(), self.after, PAGE_MAX).await.ok()?;
            if self.after > page.newest {
                self.after = page.newest;
                return Some(Event::default().event("reset").id(self.after.to_string()).data("{}"));
            }
            self.after = page.looked_to;
            self.waiting = page.events.into();
            if self.waiting.is_empty() && !self.something_comes().await {
                return None;
            }
        }
    }

    async fn something_comes(&mut self) -> bool {
        tokio::select! {
            () = self.state.shutdown.cancelled() => false,
            changed = self.newest.changed() => changed.is_ok(),
            () = tokio::time::sleep(KEEP_ALIVE) => true,
        }
    }
}

fn written(event: &PublicEvent) -> Event {
    Event::default().id(event.seq.to_string()).event(&event.event_type).data(&event.body)
}
