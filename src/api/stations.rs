//! Stations, and what people ask of them.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::access::Caller;
use super::body::{self, Members, Report};
use super::views::StationBody;
use super::{ApiState, Problem};
use crate::services::{query, stations};

/// The stations.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StationList {
    /// In the order of the shop file.
    items: Vec<StationBody>,
}

/// All stations with everything that is known of them.
#[utoipa::path(get, path = "/api/v1/stations", tag = "stations", responses(
    (status = 200, description = "The stations", body = StationList),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem)))]
pub(super) async fn list(State(state): State<ApiState>) -> Result<Json<StationList>, Problem> {
    let stations = query::stations(&state.shop).await?;
    Ok(Json(StationList { items: stations.into_iter().map(StationBody::of).collect() }))
}

/// One station.
#[utoipa::path(get, path = "/api/v1/stations/{name}", tag = "stations", params(("name" = String, Path)),
    responses(
    (status = 200, description = "The station", body = StationBody),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem)))]
pub(super) async fn read(
    State(state): State<ApiState>,
    Path(name): Path<String>,
) -> Result<Json<StationBody>, Problem> {
    answer(&state, &name).await
}

/// Says that the plate is clear: the next print may start.
#[utoipa::path(post, path = "/api/v1/stations/{name}/ready", tag = "stations", params(("name" = String, Path)),
    responses(
    (status = 200, description = "The station", body = StationBody),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem),
    (status = 409, description = "CONFLICT: a print is on it", body = Problem)))]
pub(super) async fn ready(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(name): Path<String>,
) -> Result<Json<StationBody>, Problem> {
    stations::ready(&state.shop, &principal.name, &name).await?;
    answer(&state, &name).await
}

/// What is put on a station.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LoadBody {
    /// Label of a lot that was received.
    #[schema(example = "R-2026-31")]
    lot: String,
}

/// A person put a lot of its material on a station; every print from now on records it.
#[utoipa::path(post, path = "/api/v1/stations/{name}/load", tag = "stations", params(("name" = String, Path)),
    request_body = LoadBody, responses(
    (status = 200, description = "The station", body = StationBody),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem),
    (status = 409, description = "CONFLICT: no such lot, or not for this station", body = Problem)))]
pub(super) async fn load(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<StationBody>, Problem> {
    let value = body::small(&headers, body).await?;
    let mut report = Report::default();
    let lot = Members::of_body(&value).map(|members| members.text("lot", &mut report)).unwrap_or_default();
    report.done()?;
    stations::load(&state.shop, &principal.name, &name, lot.trim().to_owned()).await?;
    answer(&state, &name).await
}

/// Why a station is paused.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PauseBody {
    /// A sentence for whoever reads it later; may be missing.
    #[schema(example = "vat film is being changed")]
    reason: Option<String>,
}

/// Pauses a station: nothing new is started, and a running print is paused.
#[utoipa::path(post, path = "/api/v1/stations/{name}/pause", tag = "stations", params(("name" = String, Path)),
    request_body = PauseBody, responses(
    (status = 200, description = "The station", body = StationBody),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem)))]
pub(super) async fn pause(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<StationBody>, Problem> {
    let value = body::small(&headers, body).await?;
    let mut report = Report::default();
    let reason = Members::of_body(&value).and_then(|members| members.text_if_any("reason", &mut report));
    report.done()?;
    let reason = reason.unwrap_or_else(|| format!("paused by {}", principal.name));
    stations::pause(&state.shop, &principal.name, &name, reason).await?;
    answer(&state, &name).await
}

/// Puts a station back to work; a paused print goes on.
#[utoipa::path(post, path = "/api/v1/stations/{name}/resume", tag = "stations", params(("name" = String, Path)),
    responses(
    (status = 200, description = "The station", body = StationBody),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem)))]
pub(super) async fn resume(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(name): Path<String>,
) -> Result<Json<StationBody>, Problem> {
    stations::resume(&state.shop, &principal.name, &name).await?;
    answer(&state, &name).await
}

/// Ends the running print; the device stays usable.
#[utoipa::path(post, path = "/api/v1/stations/{name}/cancel", tag = "stations", params(("name" = String, Path)),
    responses(
    (status = 200, description = "The device was told", body = StationBody),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem),
    (status = 409, description = "CONFLICT: it has no device, or takes no command now", body = Problem)))]
pub(super) async fn cancel(
    State(state): State<ApiState>,
    Path(name): Path<String>,
) -> Result<Json<StationBody>, Problem> {
    stations::cancel(&state.shop, &name).await?;
    answer(&state, &name).await
}

/// Emergency stop: ahead of all that waits; nothing new is started until somebody resumes the station.
#[utoipa::path(post, path = "/api/v1/stations/{name}/stop", tag = "stations", params(("name" = String, Path)),
    responses(
    (status = 200, description = "The device was told", body = StationBody),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem),
    (status = 409, description = "CONFLICT: it has no device, or takes no command now", body = Problem)))]
pub(super) async fn stop(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(name): Path<String>,
) -> Result<Json<StationBody>, Problem> {
    stations::stop(&state.shop, &principal.name, &name).await?;
    answer(&state, &name).await
}

async fn answer(state: &ApiState, name: &str) -> Result<Json<StationBody>, Problem> {
    Ok(Json(StationBody::of(query::station(&state.shop, name).await?)))
}
