//! Endpoints that hear of events, and what was sent to them.

#![expect(unused_qualifications, reason = "what the description of query parameters expands to")]

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Caller;
use super::body::{self, Members, Report};
use super::orders::reason;
use super::{ApiState, Problem};
use crate::ids::{DeliveryId, WebhookId};
use crate::services::query::DeliveryRow;
use crate::services::{Error, notify};
use crate::shop::webhook::Webhook;
use crate::units::Timestamp;

/// Deliveries in a page.
const PAGE_MAX: u32 = 200;

/// An endpoint to register.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookBody {
    /// Where to post to.
    #[schema(example = "http://orders.local:9000/hook")]
    url: String,
    /// Event types: exact, or with a trailing `*`.
    #[schema(example = json!(["order.*", "piece.finished"]))]
    events: Vec<String>,
}

/// An endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookView {
    /// Our id.
    id: String,
    /// Where to post to.
    url: String,
    /// Event types it hears.
    events: Vec<String>,
    /// Whether it stands in the shop file.
    from_config: bool,
    /// Why nothing is sent to it any more.
    disabled: Option<String>,
    /// What messages are signed with (Standard Webhooks); shown once, when it is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl WebhookView {
    fn of(webhook: Webhook, secret: Option<String>) -> Self {
        let Webhook { id, url, events, from_config, disabled } = webhook;
        Self { id: id.to_string(), url, events, from_config, disabled, secret }
    }
}

/// Registers an endpoint; the answer shows its secret this once.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", request_body = WebhookBody, responses(
    (status = 201, description = "Registered", body = WebhookView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 422, description = "INVALID", body = Problem)))]
pub(super) async fn create(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<WebhookView>), Problem> {
    let value = body::small(&headers, body).await?;
    let mut report = Report::default();
    let Some(members) = Members::of_body(&value) else { return Err(Problem::internal()) };
    let (url, events) = (members.text("url", &mut report), members.texts("events", &mut report));
    report.done()?;
    let keys = state.keys.clone();
    let (webhook, secret) = notify::register(&state.shop, keys, &principal.name, url, events).await?;
    Ok((StatusCode::CREATED, Json(WebhookView::of(webhook, Some(secret)))))
}

/// The endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookList {
    /// Disabled ones included.
    items: Vec<WebhookView>,
}

/// All endpoints.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks", responses(
    (status = 200, description = "The endpoints", body = WebhookList),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem)))]
pub(super) async fn list(State(state): State<ApiState>) -> Result<Json<WebhookList>, Problem> {
    let webhooks = notify::list(&state.shop).await?;
    Ok(Json(WebhookList { items: webhooks.into_iter().map(|w| WebhookView::of(w, None)).collect() }))
}

/// From where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveriesQuery {
    /// Only deliveries of events after this number.
    after: Option<i64>,
    /// Rows, 1 to 200.
    limit: Option<u32>,
}

/// One delivery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(super) struct DeliveryView {
    /// Sent as `webhook-id` with every try.
    id: String,
    /// Number of the event.
    seq: i64,
    /// `pending`, `delivered` or `failed`.
    state: String,
    /// Tries so far.
    attempts: u32,
    /// When the next try is due, or the last was made; real time.
    #[schema(value_type = String, format = DateTime)]
    next_at: Timestamp,
    /// HTTP status of the last try.
    last_status: Option<u16>,
    /// First bytes of the last answer, or what went wrong.
    last_text: Option<String>,
}

/// A page of deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeliveryPage {
    /// Oldest first.
    items: Vec<DeliveryView>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<i64>,
}

/// What was sent to an endpoint, and what came of it.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries", tag = "webhooks",
    params(("id" = String, Path), DeliveriesQuery), responses(
    (status = 200, description = "A page", body = DeliveryPage),
    (status = 400, description = "QUERY", body = Problem),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem)))]
pub(super) async fn deliveries(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    query: Result<Query<DeliveriesQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<DeliveryPage>, Problem> {
    let Query(wanted) = query.map_err(|failure| Problem::bad_request("QUERY", failure.body_text()))?;
    let limit = wanted.limit.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let rows = notify::deliveries(&state.shop, webhook_id(&id)?, wanted.after.unwrap_or(0), limit).await?;
    let next = if rows.len() < limit as usize { None } else { rows.last().map(|row| row.seq) };
    Ok(Json(DeliveryPage { items: rows.into_iter().map(delivery).collect(), next }))
}

fn delivery(row: DeliveryRow) -> DeliveryView {
    let DeliveryRow { id, seq, state, attempts, next_at, last_status, last_text } = row;
    DeliveryView { id, seq, state, attempts, next_at, last_status, last_text }
}

/// Stops sending to an endpoint; what is pending is given up and can be replayed.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/disable", tag = "webhooks", params(("id" = String, Path)),
    request_body = super::orders::ReasonBody, responses(
    (status = 204, description = "Disabled"),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem),
    (status = 422, description = "INVALID: no reason", body = Problem)))]
pub(super) async fn disable(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let (id, reason) = (webhook_id(&id)?, reason(&headers, body).await?);
    notify::disable(&state.shop, &principal.name, id, reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a delivery again, whatever became of it.
#[utoipa::path(post, path = "/api/v1/deliveries/{id}/replay", tag = "webhooks", params(("id" = String, Path)),
    responses(
    (status = 202, description = "It is sent as soon as the ones before it are"),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem)))]
pub(super) async fn replay(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let delivery = DeliveryId::parse(&id).ok_or_else(|| Error::not_found(format!("delivery {id}")))?;
    notify::replay(&state.shop, &principal.name, delivery).await?;
    Ok(StatusCode::ACCEPTED)
}

fn webhook_id(text: &str) -> Result<WebhookId, Error> {
    WebhookId::parse(text).ok_or_else(|| Error::not_found(format!("webhook {text}")))
}
