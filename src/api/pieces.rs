//! Pieces and what happened to them.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::access::Caller;
use super::orders::visible;
use super::views::{OperationView, PieceView, PlateView};
use super::{ApiState, Problem};
use crate::ids::PieceId;
use crate::services::{Error, query};
use crate::shop::piece::Piece;

/// One piece.
#[utoipa::path(get, path = "/api/v1/pieces/{id}", tag = "pieces", params(("id" = String, Path)), responses(
    (status = 200, description = "The piece", body = PieceView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem)))]
pub(super) async fn read(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PieceView>, Problem> {
    let (piece, waiting_for) = find(&state, &caller, &id).await?;
    Ok(Json(PieceView::of(piece, waiting_for, caller.sees_customers())))
}

/// Everything that happened to a piece, and everything that is to happen.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TimelineView {
    /// Public events, oldest first, as webhooks send them.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Value>,
    /// Operations of all attempts.
    operations: Vec<OperationView>,
    /// The plates it lay on, oldest first.
    plates: Vec<PlateView>,
}

/// What happened to a piece, and what is to happen.
#[utoipa::path(get, path = "/api/v1/pieces/{id}/timeline", tag = "pieces", params(("id" = String, Path)),
    responses(
    (status = 200, description = "The timeline", body = TimelineView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem)))]
pub(super) async fn timeline(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<TimelineView>, Problem> {
    let (piece, _) = find(&state, &caller, &id).await?;
    let timeline = query::timeline(&state.shop, piece.id).await?;
    let plates = timeline.plates.iter().map(|plate| PlateView::of(plate, &id)).collect();
    let as_json = |notice| serde_json::to_value(notice).unwrap_or_default();
    Ok(Json(TimelineView {
        events: timeline.notices.iter().map(as_json).collect(),
        operations: timeline.operations.into_iter().map(OperationView::of).collect(),
        plates,
    }))
}

/// The piece, if the caller may know of it.
async fn find(state: &ApiState, caller: &Caller, id: &str) -> Result<(Piece, Option<String>), Problem> {
    let missing = || Error::not_found(format!("piece {id}"));
    let (piece, waiting_for) = query::piece(&state.shop, PieceId::parse(id).ok_or_else(missing)?).await?;
    match visible(state, caller, piece.order.as_str()).await {
        Ok(_) => Ok((piece, waiting_for)),
        Err(_) => Err(missing().into()),
    }
}
