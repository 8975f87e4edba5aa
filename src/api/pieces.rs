//! Pieces and what happened to them.

#![expect(unused_qualifications, reason = "what the description of query parameters expands to")]

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::access::Caller;
use super::orders::visible;
use super::views::{OperationView, PieceView, PlateView};
use super::{ApiState, Problem};
use crate::ids::{OperationId, PieceId};
use crate::services::passport::{self, Common};
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

/// The as-built record of a piece, complete or with what is missing, signed by the workshop (`sprue verify`).
#[utoipa::path(get, path = "/api/v1/pieces/{id}/passport", tag = "pieces", params(("id" = String, Path)),
    responses(
    (status = 200, description = "The passport", body = Object),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem)))]
pub(super) async fn passport(
    State(state): State<ApiState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (piece, _) = find(&state, &caller, &id).await?;
    Ok(Json(passport::of_piece(&state.shop, piece.id).await?))
}

/// What pieces are asked to have in common: exactly one of these.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TraceQuery {
    /// A lot by its label: metal, resin, powder.
    lot: Option<String>,
    /// A design by its SHA-256.
    design: Option<String>,
    /// A tree, which is also a flask and a melt.
    tree: Option<String>,
    /// A build plate, by id or label.
    plate: Option<String>,
    /// An operation, such as one kiln load.
    operation: Option<String>,
    /// A station.
    station: Option<String>,
}

/// The pieces that have it in common.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TraceView {
    /// Each with its state; attempts that failed count.
    items: Vec<PieceView>,
}

/// Which pieces came from that melt, resin bottle, powder lot, kiln load, design?
#[utoipa::path(get, path = "/api/v1/trace", tag = "pieces", params(TraceQuery), responses(
    (status = 200, description = "The pieces", body = TraceView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND: no such operation", body = Problem)))]
pub(super) async fn trace(
    State(state): State<ApiState>,
    caller: Caller,
    query: Result<Query<TraceQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<TraceView>, Problem> {
    let Query(asked) = query.map_err(|failure| Problem::bad_request("QUERY", failure.body_text()))?;
    let operation = asked.operation.map(|id| {
        OperationId::parse(&id)
            .map(Common::Operation)
            .ok_or_else(|| Error::not_found(format!("operation {id}")))
    });
    let common = [
        asked.lot.map(Common::Lot),
        asked.design.map(Common::Design),
        asked.tree.map(Common::Tree),
        asked.plate.map(Common::Plate),
        operation.transpose()?,
        asked.station.map(Common::Station),
    ];
    let [common] =
        <[Common; 1]>::try_from(common.into_iter().flatten().collect::<Vec<_>>()).map_err(|_| {
            Problem::bad_request(
                "QUERY",
                "name exactly one of lot, design, tree, plate, operation and station",
            )
        })?;
    let pieces = passport::trace(&state.shop, common).await?;
    let items = pieces.into_iter().map(|piece| PieceView::of(piece, None, caller.sees_customers())).collect();
    Ok(Json(TraceView { items }))
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
