//! Orders: taken in, listed, held, released, called off.

#![expect(unused_qualifications, reason = "what the description of query parameters expands to")]

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_TYPE, LINK, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Caller;
use super::body::{self, Members, Report};
use super::idempotency::{self, InFlight};
use super::order_body::{self, OrderBody};
use super::views::OrderView;
use super::{ApiState, Problem};
use crate::finding::Finding;
use crate::ids::OrderId;
use crate::services::intake::{self, Repeat, Sender};
use crate::services::query::{self, OrderFilter, PAGE_MAX};
use crate::services::{Error, orders};
use crate::shop::order::Order;
use crate::units::Timestamp;

/// Rows in a page if the caller names no number.
const PAGE_USUAL: u32 = 50;

/// Sends an order.
///
/// It is accepted whole or refused with every finding. A repeat with the same `Idempotency-Key` and body answers
/// the same.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders",
    params(("Idempotency-Key" = String, Header, description = "A fresh UUID for each new order")),
    request_body = OrderBody,
    responses(
        (status = 201, description = "Accepted", body = OrderView),
        (status = 400, description = "IDEMPOTENCY_KEY or JSON_UNREADABLE", body = Problem),
        (status = 401, description = "UNAUTHORIZED", body = Problem),
        (status = 403, description = "FORBIDDEN", body = Problem),
        (status = 409, description = "IN_PROGRESS, or CONFLICT: the number is another order's", body = Problem),
        (status = 413, description = "TOO_LARGE", body = Problem),
        (status = 415, description = "MEDIA_TYPE", body = Problem),
        (status = 422, description = "INVALID with all findings, or KEY_REUSED", body = Problem),
        (status = 507, description = "NO_SPACE: the disk reserve is reached", body = Problem)))]
pub(super) async fn create(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = idempotency::key(&headers)?;
    let _in_flight = InFlight::enter(&state.in_flight, &principal.name, &key)?;
    let bytes = body::collect(&headers, body, state.shop.workshop.limits.order_max_bytes).await?;
    let request = order_body::read(&body::parse(&headers, &bytes)?);
    let body_sha256 = intake::body_digest(&bytes);
    let repeat = Repeat { route: "POST /api/v1/orders", key, body_sha256 };
    let sender = Sender { name: principal.name, approval_key: principal.approval_key };
    let answer = intake::accept_order(&state.shop, sender, request, repeat, OrderView::json).await?;
    Ok(created(answer.status, answer.response))
}

fn created(status: u16, response: String) -> Response {
    #[derive(Deserialize)]
    struct Id {
        id: String,
    }
    let location = serde_json::from_str::<Id>(&response).ok();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::CREATED);
    let mut answer = (status, [(CONTENT_TYPE, "application/json")], response).into_response();
    let location = location.and_then(|Id { id }| HeaderValue::try_from(format!("/api/v1/orders/{id}")).ok());
    if let Some(location) = location {
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}

/// Which orders are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OrdersQuery {
    /// `accepted`, `held`, `completed` or `cancelled`.
    state: Option<String>,
    /// Due before this time, RFC 3339.
    due_before: Option<String>,
    /// The order system's number.
    external_ref: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Rows in the page, 1 to 200; 50 if it is missing.
    limit: Option<u32>,
}

/// A page of orders, by arrival.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrderPage {
    items: Vec<OrderView>,
    /// What to send as `after` for the next page; null on the last.
    next: Option<String>,
}

/// Lists orders by arrival, page by page.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(OrdersQuery), responses(
    (status = 200, description = "A page; `Link: rel=\"next\"` leads to the next", body = OrderPage),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 422, description = "INVALID", body = Problem)))]
pub(super) async fn list(
    State(state): State<ApiState>,
    caller: Caller,
    query: Result<Query<OrdersQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = query.map_err(|failure| Problem::bad_request("QUERY", failure.body_text()))?;
    let filter = OrderFilter {
        state: wanted.state.clone(),
        due_before: wanted.due_before.as_deref().map(read_time).transpose()?,
        external_ref: wanted.external_ref.clone(),
        source: caller.sees_only().map(str::to_owned),
        after: wanted.after.clone(),
    };
    let limit = wanted.limit.unwrap_or(PAGE_USUAL).clamp(1, PAGE_MAX);
    let (orders, next) = query::orders(&state.shop, filter, limit).await?;
    let items = orders.iter().map(|(order, pieces)| OrderView::of(order, pieces)).collect();
    let link = next.as_deref().and_then(|next| link(&wanted, limit, next));
    let mut response = Json(OrderPage { items, next }).into_response();
    if let Some(link) = link {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

fn read_time(text: &str) -> Result<Timestamp, Problem> {
    Timestamp::parse(text)
        .map_err(|advice| Problem::invalid(vec![Finding::error("TIME_MALFORMED", "?due_before", advice)]))
}

fn link(wanted: &OrdersQuery, limit: u32, next: &str) -> Option<HeaderValue> {
    let mut address = format!("</api/v1/orders?limit={limit}&after={}", percent(next));
    let filters = [
        ("state", &wanted.state),
        ("due_before", &wanted.due_before),
        ("external_ref", &wanted.external_ref),
    ];
    for (name, value) in filters {
        if let Some(value) = value {
            address.push_str(&format!("&{name}={}", percent(value)));
        }
    }
    HeaderValue::try_from(format!("{address}>; rel=\"next\"")).ok()
}

/// Everything but the unreserved characters of RFC 3986 as `%XX`.
fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// One order with its pieces.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = String, Path)), responses(
    (status = 200, description = "The order", body = OrderView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem)))]
pub(super) async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<OrderView>, Problem> {
    answer(&state, &visible(&state, &caller, &id).await?.id).await
}

/// Why a person asks for something.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReasonBody {
    /// A sentence for whoever reads it later.
    #[schema(example = "the customer wants another stone")]
    reason: String,
}

/// Calls an order off. What runs on a device goes on to its end; nothing new is started.
#[utoipa::path(post, path = "/api/v1/orders/{id}/cancel", tag = "orders", params(("id" = String, Path)),
    request_body = ReasonBody, responses(
    (status = 200, description = "Cancelled", body = OrderView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem),
    (status = 409, description = "CONFLICT: it is not open", body = Problem),
    (status = 422, description = "INVALID: no reason", body = Problem)))]
pub(super) async fn cancel(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<OrderView>, Problem> {
    let (id, reason) = (visible(&state, &caller, &id).await?.id, reason(&headers, body).await?);
    let order = orders::cancel(&state.shop, &caller.0.name, id, reason).await?;
    answer(&state, &order.id).await
}

/// Holds an order: what runs goes on, nothing new is started for it.
#[utoipa::path(post, path = "/api/v1/orders/{id}/hold", tag = "orders", params(("id" = String, Path)),
    request_body = ReasonBody, responses(
    (status = 200, description = "Held", body = OrderView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem),
    (status = 409, description = "CONFLICT: it is held, or not open", body = Problem),
    (status = 422, description = "INVALID: no reason", body = Problem)))]
pub(super) async fn hold(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<OrderView>, Problem> {
    let (id, reason) = (visible(&state, &caller, &id).await?.id, reason(&headers, body).await?);
    let order = orders::hold(&state.shop, &caller.0.name, id, reason).await?;
    answer(&state, &order.id).await
}

/// Lets a held order, or one with held pieces, go on.
#[utoipa::path(post, path = "/api/v1/orders/{id}/release", tag = "orders", params(("id" = String, Path)),
    request_body = ReasonBody, responses(
    (status = 200, description = "Released", body = OrderView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem),
    (status = 409, description = "CONFLICT: it is not held", body = Problem),
    (status = 422, description = "INVALID: no reason", body = Problem)))]
pub(super) async fn release(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<OrderView>, Problem> {
    let (id, reason) = (visible(&state, &caller, &id).await?.id, reason(&headers, body).await?);
    let order = orders::release(&state.shop, &caller.0.name, id, reason).await?;
    answer(&state, &order.id).await
}

/// The order, if the caller may know of it.
pub(super) async fn visible(state: &ApiState, caller: &Caller, id: &str) -> Result<Order, Problem> {
    let missing = || Error::not_found(format!("order {id}"));
    let (order, _) = query::order(&state.shop, OrderId::parse(id).ok_or_else(missing)?).await?;
    let may_see = caller.sees_only().is_none_or(|name| order.source == name);
    if may_see { Ok(order) } else { Err(missing().into()) }
}

async fn answer(state: &ApiState, id: &OrderId) -> Result<Json<OrderView>, Problem> {
    let (order, pieces) = query::order(&state.shop, id.clone()).await?;
    Ok(Json(OrderView::of(&order, &pieces)))
}

/// The `reason` of a small body; it must say something.
pub(super) async fn reason(headers: &HeaderMap, body: Body) -> Result<String, Problem> {
    let value = body::small(headers, body).await?;
    let mut report = Report::default();
    let text =
        Members::of_body(&value).map(|members| members.text("reason", &mut report)).unwrap_or_default();
    check_reason(&text, &mut report);
    report.done()?;
    Ok(text)
}

/// Characters in a reason: a few sentences.
const REASON_CHARS_MAX: usize = 1000;

pub(super) fn check_reason(text: &str, report: &mut Report) {
    let short = text.chars().count() <= REASON_CHARS_MAX;
    if report.0.is_empty() && (text.trim().is_empty() || !short) {
        let text = format!("say why, in 1 to {REASON_CHARS_MAX} characters");
        report.0.push(Finding::error("REASON", "/reason", text));
    }
}
