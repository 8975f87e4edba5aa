//! What people do: tasks that are started, completed with their values, or given up.

#![expect(unused_qualifications, reason = "what the description of query parameters expands to")]

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::access::Caller;
use super::body::{self, Members, Report};
use super::orders::check_reason;
use super::views::{OperationView, TaskView};
use super::{ApiState, Problem};
use crate::finding::Finding;
use crate::ids::{OperationId, PieceId};
use crate::services::Error;
use crate::services::tasks::{self, Recorded};

/// Which tasks are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TasksQuery {
    /// Only those of this station.
    station: Option<String>,
}

/// The tasks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TaskList {
    /// In the order of the plan.
    items: Vec<TaskView>,
}

/// Tasks that are ready, running, or need a person's word, in the order of the plan.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "tasks", params(TasksQuery), responses(
    (status = 200, description = "The tasks", body = TaskList),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem)))]
pub(super) async fn list(
    State(state): State<ApiState>,
    query: Result<Query<TasksQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<TaskList>, Problem> {
    let Query(wanted) = query.map_err(|failure| Problem::bad_request("QUERY", failure.body_text()))?;
    let tasks = tasks::list(&state.shop, wanted.station).await?;
    Ok(Json(TaskList { items: tasks.into_iter().map(TaskView::of).collect() }))
}

/// Where a task is done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StartBody {
    /// A station that can; the plan's if it is missing.
    #[schema(example = "bench")]
    station: Option<String>,
}

/// Starts a task, or a failed one again.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/start", tag = "tasks", params(("id" = String, Path)),
    request_body = StartBody, responses(
    (status = 200, description = "Running", body = OperationView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem),
    (status = 409, description = "CONFLICT: not ready, or a device's", body = Problem)))]
pub(super) async fn start(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<OperationView>, Problem> {
    let value = body::small(&headers, body).await?;
    let mut report = Report::default();
    let station = Members::of_body(&value).and_then(|members| members.text_if_any("station", &mut report));
    report.done()?;
    let operation = tasks::start(&state.shop, &principal.name, task_id(&id)?, station).await?;
    Ok(Json(OperationView::of(operation)))
}

/// What was recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CompleteBody {
    /// One value for each of the task's `records`, by name.
    #[schema(value_type = Object, example = json!({"pattern_mass_g": 3.41}))]
    recorded: Value,
}

/// Completes a task with the recorded values; or says that a print which was lost sight of was finished.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/complete", tag = "tasks", params(("id" = String, Path)),
    request_body = CompleteBody, responses(
    (status = 200, description = "Done", body = OperationView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem),
    (status = 409, description = "CONFLICT: it is not running", body = Problem),
    (status = 422, description = "INVALID: a value is missing or no number", body = Problem)))]
pub(super) async fn complete(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<OperationView>, Problem> {
    let value = body::small(&headers, body).await?;
    let mut report = Report::default();
    let recorded = recorded(&value, &mut report);
    report.done()?;
    let operation = tasks::complete(&state.shop, &principal.name, task_id(&id)?, recorded).await?;
    Ok(Json(OperationView::of(operation)))
}

/// Values in one record, and characters in each: a person's notes, not a file.
const RECORDS_MAX: usize = 64;
const RECORD_CHARS_MAX: usize = 2000;

fn recorded(body: &Value, report: &mut Report) -> Recorded {
    let mut recorded = Recorded::new();
    let Some(value) = body.get("recorded").filter(|value| !value.is_null()) else { return recorded };
    let Some(map) = value.as_object() else {
        report.wrong_type("/recorded".to_owned(), "an object");
        return recorded;
    };
    if map.len() > RECORDS_MAX {
        let text = format!("record at most {RECORDS_MAX} values");
        report.0.push(Finding::error("RECORDS_TOO_MANY", "/recorded", text));
        return recorded;
    }
    for (name, value) in map {
        let fits = match value {
            Value::Number(_) | Value::Bool(_) => true,
            Value::String(text) => text.chars().count() <= RECORD_CHARS_MAX,
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        if fits {
            recorded.insert(name.clone(), value.clone());
        } else {
            report.wrong_type(format!("/recorded/{name}"), "a number, true or false, or a short text");
        }
    }
    recorded
}

/// Why a task is given up.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FailBody {
    /// What happened.
    #[schema(example = "the flask cracked")]
    reason: String,
    /// Only these pieces are lost; all of them if it is missing.
    pieces: Option<Vec<String>>,
}

/// Gives a task up, for all its pieces or for some.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/fail", tag = "tasks", params(("id" = String, Path)),
    request_body = FailBody, responses(
    (status = 200, description = "Given up", body = OperationView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem),
    (status = 409, description = "CONFLICT: it is not running", body = Problem),
    (status = 422, description = "INVALID", body = Problem)))]
pub(super) async fn fail(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<OperationView>, Problem> {
    let value = body::small(&headers, body).await?;
    let mut report = Report::default();
    let Some(members) = Members::of_body(&value) else { return Err(Problem::internal()) };
    let reason = members.text("reason", &mut report);
    check_reason(&reason, &mut report);
    let pieces = members.get("pieces").is_some().then(|| members.texts("pieces", &mut report));
    let pieces = pieces.map(|pieces| piece_ids(&pieces, &mut report));
    report.done()?;
    let operation = tasks::fail(&state.shop, &principal.name, task_id(&id)?, reason, pieces).await?;
    Ok(Json(OperationView::of(operation)))
}

fn piece_ids(texts: &[String], report: &mut Report) -> Vec<PieceId> {
    let mut ids = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match PieceId::parse(text) {
            Some(id) => ids.push(id),
            None => report.wrong_type(format!("/pieces/{index}"), "the id of a piece"),
        }
    }
    ids
}

fn task_id(text: &str) -> Result<OperationId, Error> {
    OperationId::parse(text).ok_or_else(|| Error::not_found(format!("task {text}")))
}
