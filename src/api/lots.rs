//! Lots of material: what came in with a number of its own.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::access::Caller;
use super::body::{self, Members, Report};
use super::metal::{CustodyView, PAGE_DEFAULT, PageQuery, grams, metal_kind};
use super::orders::reason;
use super::{ApiState, Problem};
use crate::ids::LotId;
use crate::services::Error;
use crate::services::lots::{self, Delivery};
use crate::shop::lot::{Lot, LotContent};
use crate::units::Timestamp;

/// A lot that came in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LotBody {
    /// The number on the bag, bottle or drum: what people write into a task.
    #[schema(example = "G-2026-118")]
    label: String,
    /// `metal`, `resin`, `wax`, `powder` or `other`.
    #[schema(example = "metal")]
    kind: String,
    /// Of metal: stem of the alloy's profile.
    alloy: Option<String>,
    /// Of metal: whose; the house's own if it is missing.
    custody: Option<CustodyView>,
    /// Of metal: 0 for fresh grain, one more for each melting.
    generation: Option<u8>,
    /// Of metal: what the scale shows.
    mass_g: Option<f64>,
    /// Of resin and wax: stem of its profile.
    material: Option<String>,
    /// Of powder and anything else: what stands on it.
    product: Option<String>,
    /// Who supplied it.
    supplier: Option<String>,
    /// Not to be used after.
    expires_at: Option<String>,
}

/// A lot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lot)]
pub(super) struct LotView {
    /// Our id.
    id: String,
    /// The number on the bag, bottle or drum.
    label: String,
    /// `metal`, `resin`, `wax`, `powder` or `other`.
    kind: &'static str,
    /// Of metal: stem of the alloy's profile.
    alloy: Option<String>,
    /// Of metal: whose.
    custody: Option<CustodyView>,
    /// Of metal: how often it was melted.
    generation: Option<u8>,
    /// Of resin and wax: stem of its profile.
    material: Option<String>,
    /// Of powder and anything else: what it is.
    product: Option<String>,
    /// Who supplied it.
    supplier: Option<String>,
    /// When it came.
    #[schema(value_type = String)]
    received_at: Timestamp,
    /// Not to be used after.
    #[schema(value_type = Option<String>)]
    expires_at: Option<Timestamp>,
    /// Why nothing is taken from it any more.
    closed: Option<String>,
}

impl LotView {
    fn of(lot: Lot) -> Self {
        let kind = lot.kind_word();
        let mut view = Self {
            id: lot.id.to_string(),
            label: lot.label,
            kind,
            alloy: None,
            custody: None,
            generation: None,
            material: None,
            product: None,
            supplier: lot.supplier,
            received_at: lot.received_at,
            expires_at: lot.expires_at,
            closed: lot.closed,
        };
        match lot.content {
            LotContent::Metal { metal, generation } => {
                view.custody = Some(CustodyView::of(&metal.custody));
                view.alloy = Some(metal.alloy);
                view.generation = Some(generation);
            }
            LotContent::Resin { material } | LotContent::Wax { material } => view.material = Some(material),
            LotContent::Powder { product } | LotContent::Other { product } => view.product = Some(product),
        }
        view
    }
}

/// A page of lots.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LotPage {
    /// The newest first.
    items: Vec<LotView>,
    /// What to send as `before` for the next page; null on the last.
    next: Option<String>,
}

/// Lots, the newest first.
#[utoipa::path(get, path = "/api/v1/lots", tag = "lots", params(PageQuery), responses(
    (status = 200, description = "A page", body = LotPage),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem)))]
pub(super) async fn list(
    State(state): State<ApiState>,
    query: Result<Query<PageQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<LotPage>, Problem> {
    let Query(wanted) = query.map_err(|failure| Problem::bad_request("QUERY", failure.body_text()))?;
    let (found, next) = lots::list(&state.shop, wanted.before, wanted.limit.unwrap_or(PAGE_DEFAULT)).await?;
    Ok(Json(LotPage { items: found.into_iter().map(LotView::of).collect(), next }))
}

/// A lot came in; metal is in the books from now on.
#[utoipa::path(post, path = "/api/v1/lots", tag = "lots", request_body = LotBody, responses(
    (status = 201, description = "Received", body = LotView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 409, description = "CONFLICT: an open lot has this label", body = Problem),
    (status = 422, description = "INVALID", body = Problem)))]
pub(super) async fn receive(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<LotView>), Problem> {
    let value = body::small(&headers, body).await?;
    let mut report = Report::default();
    let Some(members) = Members::of_body(&value) else { return Err(Problem::internal()) };
    let delivery = delivery(&members, &mut report);
    report.done()?;
    let delivery = delivery.ok_or_else(Problem::internal)?;
    let lot = lots::receive(&state.shop, &principal.name, delivery).await?;
    Ok((StatusCode::CREATED, Json(LotView::of(lot))))
}

fn delivery(members: &Members<'_>, report: &mut Report) -> Option<Delivery> {
    /// Characters on a label that a person still types.
    const LABEL_CHARS_MAX: usize = 64;
    let label = members.text("label", report).trim().to_owned();
    if label.is_empty() || label.chars().count() > LABEL_CHARS_MAX {
        report.wrong_type(members.place("label"), "the lot's number, 1 to 64 characters");
    }
    let content = content(members, report)?;
    let is_metal = matches!(content, LotContent::Metal { .. });
    let expires_at =
        members.get("expires_at").and_then(|_| members.time("expires_at", report)).map(|(at, _)| at);
    Some(Delivery {
        label,
        mass: if is_metal { grams(members, "mass_g", report) } else { None },
        content,
        supplier: members.text_if_any("supplier", report),
        expires_at,
    })
}

fn content(members: &Members<'_>, report: &mut Report) -> Option<LotContent> {
    let kind = members.text("kind", report);
    Some(match kind.as_str() {
        "metal" => {
            let generation = members.whole("generation", report).unwrap_or(0);
            LotContent::Metal {
                metal: metal_kind(members, report),
                generation: u8::try_from(generation).unwrap_or(u8::MAX),
            }
        }
        "resin" => LotContent::Resin { material: members.text("material", report) },
        "wax" => LotContent::Wax { material: members.text("material", report) },
        "powder" => LotContent::Powder { product: members.text("product", report) },
        "other" => LotContent::Other { product: members.text("product", report) },
        _ => {
            report.wrong_type(members.place("kind"), "metal, resin, wax, powder or other");
            return None;
        }
    })
}

/// Why a lot is closed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CloseBody {
    /// What happened.
    #[schema(example = "used up")]
    reason: String,
}

/// Nothing is taken from a lot any more.
#[utoipa::path(post, path = "/api/v1/lots/{id}/close", tag = "lots", params(("id" = String, Path)),
    request_body = CloseBody, responses(
    (status = 200, description = "Closed", body = LotView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 404, description = "NOT_FOUND", body = Problem),
    (status = 409, description = "CONFLICT: it is closed already", body = Problem),
    (status = 422, description = "INVALID", body = Problem)))]
pub(super) async fn close(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<LotView>, Problem> {
    let reason = reason(&headers, body).await?;
    let id = LotId::parse(&id).ok_or_else(|| Error::not_found(format!("lot {id}")))?;
    let lot = lots::close(&state.shop, &principal.name, id, reason).await?;
    Ok(Json(LotView::of(lot)))
}
