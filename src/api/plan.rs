//! The plan in force, and why an operation is where it is.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use super::{ApiState, Problem};
use crate::ids::OperationId;
use crate::services::{Error, query};

/// The plan in force: who does what, when.
#[utoipa::path(get, path = "/api/v1/plan", tag = "plan", responses(
    (status = 200, description = "The plan, `sprue/plan/1`", body = Object),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND: there is nothing to plan yet", body = Problem)))]
pub(super) async fn read(State(state): State<ApiState>) -> Result<Json<Value>, Problem> {
    as_json(&query::plan(&state.shop)?)
}

/// Why an operation waits, or is late: sentences, and the chain of causes in the plan.
#[utoipa::path(get, path = "/api/v1/operations/{id}/why", tag = "plan", params(("id" = String, Path)), responses(
    (status = 200, description = "The reasons", body = Object),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem)))]
pub(super) async fn why(
    State(state): State<ApiState>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let operation = OperationId::parse(&id).ok_or_else(|| Error::not_found(format!("operation {id}")))?;
    as_json(&query::why(&state.shop, operation).await?)
}

fn as_json(value: &impl serde::Serialize) -> Result<Json<Value>, Problem> {
    serde_json::to_value(value).map(Json).map_err(|_| Problem::internal())
}
