//! Limits, and whether the daemon is well.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiState, Problem, openapi_json};
use crate::services::{Error, query};

/// How much is taken in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LimitsView {
    /// Largest design file.
    design_max_bytes: u64,
    /// Largest order body.
    order_max_bytes: u64,
    /// Below this much free disk nothing new is taken in.
    disk_reserve_bytes: u64,
    /// Rows in one page of a list.
    page_max: u32,
    /// Formats of designs.
    design_media_types: [&'static str; 3],
}

/// A word about the daemon.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
}

/// How much this workshop takes in.
#[utoipa::path(get, path = "/api/v1/limits", tag = "system", responses(
    (status = 200, description = "The limits", body = LimitsView),
    (status = 401, description = "UNAUTHORIZED", body = Problem)))]
pub(super) async fn limits(State(state): State<ApiState>) -> Json<LimitsView> {
    let limits = &state.shop.workshop.limits;
    Json(LimitsView {
        design_max_bytes: limits.design_max_bytes,
        order_max_bytes: limits.order_max_bytes,
        disk_reserve_bytes: limits.disk_reserve_bytes,
        page_max: query::PAGE_MAX,
        design_media_types: ["model/stl", "model/3mf", "model/obj"],
    })
}

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "system", security(()), responses(
    (status = 200, description = "It does", body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether orders can be taken in: the record answers and the disk has room.
#[utoipa::path(get, path = "/readyz", tag = "system", security(()), responses(
    (status = 200, description = "They can", body = Health),
    (status = 500, description = "INTERNAL: the record can't be read", body = Problem),
    (status = 507, description = "NO_SPACE: the disk reserve is reached", body = Problem)))]
pub(super) async fn readyz(State(state): State<ApiState>) -> Result<Json<Health>, Problem> {
    state.shop.store.read(|rows| rows.last_notice().map_err(Error::from)).await?;
    state.shop.check_space()?;
    Ok(Json(Health { status: "ok" }))
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "system", security(()), responses(
    (status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], openapi_json()).into_response()
}

/// This description, beside what it describes.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "system", security(()), responses(
    (status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn openapi_of_version() -> Response {
    openapi().await
}
