//! The metal books: what is held where, what moved, and what a person books or weighs.

#![expect(unused_qualifications, reason = "what the description of query parameters expands to")]

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::access::Caller;
use super::body::{self, Members, Report};
use super::{ApiState, Problem};
use crate::finding::Finding;
use crate::ids::{LotId, PieceId, TreeId};
use crate::services::metal::{self, Holding, Wish};
use crate::shop::metal::{Account, Balance, Custody, MetalEntry, MetalKind};
use crate::units::{Milligrams, Timestamp};

/// Whose metal it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CustodyView {
    /// `house`, `recycled`, `chain` or `customer`.
    #[schema(example = "house")]
    class: &'static str,
    /// Of a chain of custody, or the order system's number of a customer's order.
    name: Option<String>,
}

impl CustodyView {
    pub(super) fn of(custody: &Custody) -> Self {
        let (class, name) = match custody {
            Custody::House => ("house", None),
            Custody::Recycled => ("recycled", None),
            Custody::Chain(name) => ("chain", Some(name)),
            Custody::Customer(name) => ("customer", Some(name)),
        };
        Self { class, name: name.cloned() }
    }
}

/// Where metal is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlaceView {
    /// `outside`, `lot`, `melt`, `tree_scrap`, `piece`, `dust`, `delivered`, `lost` or `unexplained`.
    #[schema(example = "lot")]
    place: &'static str,
    /// The id of lot, tree or piece; the station of dust; the reason of a loss; the place of a hole.
    name: Option<String>,
}

impl PlaceView {
    fn of(account: &Account) -> Self {
        let (place, name) = match account {
            Account::Outside => ("outside", None),
            Account::Lot(id) => ("lot", Some(id.to_string())),
            Account::Melt(id) => ("melt", Some(id.to_string())),
            Account::TreeScrap(id) => ("tree_scrap", Some(id.to_string())),
            Account::Piece(id) => ("piece", Some(id.to_string())),
            Account::Dust(station) => ("dust", Some(station.clone())),
            Account::Delivered(id) => ("delivered", Some(id.to_string())),
            Account::Lost(reason) => ("lost", Some(reason.clone())),
            Account::Unexplained(place) => ("unexplained", Some(place.clone())),
        };
        Self { place, name }
    }
}

/// What one place holds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BalanceView {
    /// Where.
    at: PlaceView,
    /// How much, in whole milligrams; below zero outside, and where more lies than the books knew.
    milligrams: i64,
}

/// All metal of one kind: one alloy, one owner.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HoldingView {
    /// Stem of the alloy's profile.
    alloy: String,
    /// Whose.
    custody: CustodyView,
    /// All that came in, in whole milligrams.
    milligrams: i64,
    /// Fine metal of it, in micrograms: nothing is rounded.
    fine_micrograms: i64,
    /// Where it is.
    places: Vec<BalanceView>,
}

/// The books as of now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MetalView {
    /// For each kind.
    holdings: Vec<HoldingView>,
    /// What is missing or too much, and where; empty if the books balance with every scale.
    #[schema(value_type = Vec<Object>)]
    findings: Vec<Finding>,
}

/// What is held where, and where books and scales differ.
#[utoipa::path(get, path = "/api/v1/metal", tag = "metal", responses(
    (status = 200, description = "The books as of now", body = MetalView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem)))]
pub(super) async fn read(State(state): State<ApiState>) -> Result<Json<MetalView>, Problem> {
    let statement = metal::statement(&state.shop).await?;
    let holdings = statement.holdings.into_iter().map(holding).collect();
    Ok(Json(MetalView { holdings, findings: statement.findings }))
}

fn holding(holding: Holding) -> HoldingView {
    let balance =
        |balance: &Balance| BalanceView { at: PlaceView::of(&balance.account), milligrams: balance.mass.0 };
    HoldingView {
        custody: CustodyView::of(&holding.kind.custody),
        alloy: holding.kind.alloy,
        milligrams: holding.mass.0,
        fine_micrograms: holding.fine_micrograms,
        places: holding.places.iter().map(balance).collect(),
    }
}

/// One line of the books.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MetalEntryView {
    /// Our id.
    id: String,
    /// When it was recorded.
    #[schema(value_type = String)]
    at: Timestamp,
    /// Who weighed it.
    by: String,
    /// Stem of the alloy's profile.
    alloy: String,
    /// Whose.
    custody: CustodyView,
    /// From where.
    from: PlaceView,
    /// To where.
    to: PlaceView,
    /// How much.
    milligrams: i64,
    /// The task whose values booked it.
    operation_id: Option<String>,
    /// Why, in a person's words.
    note: Option<String>,
}

impl MetalEntryView {
    fn of(entry: MetalEntry) -> Self {
        let MetalEntry { id, at, by, movement } = entry;
        Self {
            id: id.to_string(),
            at,
            by,
            custody: CustodyView::of(&movement.kind.custody),
            alloy: movement.kind.alloy,
            from: PlaceView::of(&movement.from),
            to: PlaceView::of(&movement.to),
            milligrams: movement.mass.0,
            operation_id: movement.operation.map(|id| id.to_string()),
            note: movement.note,
        }
    }
}

/// Which page of a list, newest first.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// `next` of the page before.
    pub(super) before: Option<String>,
    /// Rows in a page, 200 at most.
    pub(super) limit: Option<u32>,
}

/// A page of the books.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MetalEntryPage {
    /// The newest first.
    items: Vec<MetalEntryView>,
    /// What to send as `before` for the next page; null on the last.
    next: Option<String>,
}

/// What moved, the newest first.
#[utoipa::path(get, path = "/api/v1/metal/entries", tag = "metal", params(PageQuery), responses(
    (status = 200, description = "A page of the books", body = MetalEntryPage),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem)))]
pub(super) async fn entries(
    State(state): State<ApiState>,
    query: Result<Query<PageQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<MetalEntryPage>, Problem> {
    let Query(wanted) = query.map_err(|failure| Problem::bad_request("QUERY", failure.body_text()))?;
    let (entries, next) =
        metal::entries(&state.shop, wanted.before, wanted.limit.unwrap_or(PAGE_DEFAULT)).await?;
    Ok(Json(MetalEntryPage { items: entries.into_iter().map(MetalEntryView::of).collect(), next }))
}

/// Rows in a page, if nobody says how many.
pub(super) const PAGE_DEFAULT: u32 = 50;

/// A movement to book.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MoveBody {
    /// Stem of the alloy's profile.
    #[schema(example = "au750-yellow")]
    alloy: String,
    /// Whose; the house's own if it is missing.
    custody: Option<CustodyView>,
    /// From where.
    from: PlaceView,
    /// To where.
    to: PlaceView,
    /// How much.
    #[schema(example = 0.3)]
    mass_g: f64,
    /// Why.
    note: Option<String>,
}

/// Books a movement that no task booked: metal that was spilled, returned, sent to the refiner.
#[utoipa::path(post, path = "/api/v1/metal/moves", tag = "metal", request_body = MoveBody, responses(
    (status = 201, description = "Booked", body = MetalEntryView),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 409, description = "CONFLICT: there is not so much at that place", body = Problem),
    (status = 422, description = "INVALID", body = Problem)))]
pub(super) async fn book(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<MetalEntryView>), Problem> {
    let value = body::small(&headers, body).await?;
    let mut report = Report::default();
    let Some(members) = Members::of_body(&value) else { return Err(Problem::internal()) };
    let kind = metal_kind(&members, &mut report);
    let from = place(&members, "from", &mut report);
    let to = place(&members, "to", &mut report);
    let mass = grams(&members, "mass_g", &mut report);
    let note = members.text_if_any("note", &mut report);
    report.done()?;
    let (Some(from), Some(to), Some(mass)) = (from, to, mass) else { return Err(Problem::internal()) };
    let entry =
        metal::move_by_hand(&state.shop, &principal.name, Wish { kind, from, to, mass, note }).await?;
    Ok((StatusCode::CREATED, Json(MetalEntryView::of(entry))))
}

/// What a scale shows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CountBody {
    /// Stem of the alloy's profile.
    #[schema(example = "au750-yellow")]
    alloy: String,
    /// Whose; the house's own if it is missing.
    custody: Option<CustodyView>,
    /// Where it was weighed.
    at: PlaceView,
    /// All that is there.
    #[schema(example = 46.0)]
    mass_g: f64,
}

/// Whether a count agrees with the books.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Counted {
    /// The line that brings the books to the scale; null if they agree.
    booked: Option<MetalEntryView>,
}

/// A person weighed what is at a place; a difference stays in the books as unexplained until a move explains it.
#[utoipa::path(post, path = "/api/v1/metal/counts", tag = "metal", request_body = CountBody, responses(
    (status = 200, description = "Counted", body = Counted),
    (status = 401, description = "UNAUTHORIZED", body = Problem),
    (status = 403, description = "FORBIDDEN", body = Problem),
    (status = 409, description = "CONFLICT", body = Problem),
    (status = 422, description = "INVALID", body = Problem)))]
pub(super) async fn count(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Counted>, Problem> {
    let value = body::small(&headers, body).await?;
    let mut report = Report::default();
    let Some(members) = Members::of_body(&value) else { return Err(Problem::internal()) };
    let kind = metal_kind(&members, &mut report);
    let account = place(&members, "at", &mut report);
    let mass = grams(&members, "mass_g", &mut report);
    report.done()?;
    let (Some(account), Some(mass)) = (account, mass) else { return Err(Problem::internal()) };
    let booked = metal::count(&state.shop, &principal.name, kind, account, mass).await?;
    Ok(Json(Counted { booked: booked.map(MetalEntryView::of) }))
}

/// Reads `alloy` and `custody`.
pub(super) fn metal_kind(members: &Members<'_>, report: &mut Report) -> MetalKind {
    let alloy = members.text("alloy", report);
    let custody = members.get("custody").and_then(|value| {
        let of = Members::of(value, members.place("custody"), report)?;
        let class = of.text("class", report);
        let named = |report: &mut Report| of.text("name", report);
        match class.as_str() {
            "house" => Some(Custody::House),
            "recycled" => Some(Custody::Recycled),
            "chain" => Some(Custody::Chain(named(report))),
            "customer" => Some(Custody::Customer(named(report))),
            _ => {
                report.wrong_type(of.place("class"), "house, recycled, chain or customer");
                None
            }
        }
    });
    MetalKind { alloy, custody: custody.unwrap_or(Custody::House) }
}

/// A mass in grams that can be one.
pub(super) fn grams(members: &Members<'_>, name: &str, report: &mut Report) -> Option<Milligrams> {
    /// A tonne: more is a slip of the keyboard.
    const GRAMS_MAX: f64 = 1e6;
    let grams = members.number(name, report)?;
    if !(0.0..=GRAMS_MAX).contains(&grams) {
        report.wrong_type(members.place(name), "a mass in grams from 0 to 1000000");
        return None;
    }
    Some(Milligrams::rounded(grams * 1000.0))
}

fn place(members: &Members<'_>, name: &str, report: &mut Report) -> Option<Account> {
    let Some(value) = members.get(name) else {
        report.wrong_type(members.place(name), "an object with `place` and `name`");
        return None;
    };
    let of = Members::of(value, members.place(name), report)?;
    let place = of.text("place", report);
    if place == "outside" {
        return Some(Account::Outside);
    }
    let name = of.text("name", report);
    let account = match place.as_str() {
        "lot" => LotId::parse(&name).map(Account::Lot),
        "melt" => TreeId::parse(&name).map(Account::Melt),
        "tree_scrap" => TreeId::parse(&name).map(Account::TreeScrap),
        "piece" => PieceId::parse(&name).map(Account::Piece),
        "delivered" => PieceId::parse(&name).map(Account::Delivered),
        "dust" => Some(Account::Dust(name)),
        "lost" => Some(Account::Lost(name)),
        "unexplained" => Some(Account::Unexplained(name)),
        _ => {
            let places = "outside, lot, melt, tree_scrap, piece, dust, delivered, lost or unexplained";
            report.wrong_type(of.place("place"), places);
            return None;
        }
    };
    if account.is_none() {
        report.wrong_type(of.place("name"), "the id of such a place, as other answers show it");
    }
    account
}
