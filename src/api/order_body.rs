//! The body of `POST /orders`: read leniently where that is harmless, and with every mistake at its place.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::body::{Members, Report};
use crate::finding::Finding;
use crate::services::intake::{ApprovalRequest, OrderRequest, PieceRequest};
use crate::shop::order::Priority;
use crate::shop::piece::{RingSize, Stone};
use crate::units::{Millimeters, Timestamp};

/// An order as it is sent.
#[derive(Serialize, ToSchema)]
#[schema(as = OrderRequest)]
pub(super) struct OrderBody {
    /// The order system's own number.
    #[schema(example = "SO-10421")]
    external_ref: String,
    /// When the customer wants it, RFC 3339.
    #[schema(example = "2026-12-18T17:00:00Z", format = DateTime)]
    due: String,
    /// `normal` (the default) or `rush`.
    #[schema(example = "normal")]
    priority: Option<String>,
    /// What to make.
    pieces: Vec<PieceBody>,
    /// Who approved which design bytes.
    approval: ApprovalBody,
}

/// One line of an order.
#[derive(Serialize, ToSchema)]
#[schema(as = PieceRequest)]
pub(super) struct PieceBody {
    /// The order system's own number.
    #[schema(example = "SO-10421-1")]
    external_ref: String,
    /// SHA-256 of the design's bytes, which were sent before.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    design_sha256: String,
    /// Copies; 1 if it is missing.
    #[schema(example = 1)]
    quantity: Option<u32>,
    /// Stem of the alloy's profile.
    #[schema(example = "au750-yellow")]
    alloy: String,
    /// Stem of the routing's profile; the workshop's own if it is missing.
    #[schema(example = "direct-resin-cast")]
    routing: Option<String>,
    /// The ordered size of a ring.
    ring_size: Option<RingSizeBody>,
    /// What to engrave.
    engraving: Option<String>,
    /// Stones to set.
    stones: Option<Vec<StoneBody>>,
    /// Who has scaled the design for shrinkage already.
    scaled_by: Option<String>,
}

/// A ring size as the customer named it.
#[derive(Serialize, ToSchema)]
#[schema(as = RingSize)]
pub(super) struct RingSizeBody {
    /// `iso`, `us`, `uk`, `eu`, `ch`, `jp` or `diameter`.
    #[schema(example = "iso")]
    system: String,
    /// The size in that system, as a text or a number.
    #[schema(example = "54", value_type = Object)]
    value: String,
}

/// Stones of one kind.
#[derive(Serialize, ToSchema)]
#[schema(as = Stone)]
pub(super) struct StoneBody {
    /// The cut.
    #[schema(example = "round")]
    shape: String,
    /// Diameter or longest side.
    #[schema(example = 2.0)]
    diameter_mm: f64,
    /// How many.
    #[schema(example = 12)]
    count: u32,
    /// Whether they are cast in place; not, if it is missing.
    cast_in_place: Option<bool>,
}

/// Who approved what.
#[derive(Serialize, ToSchema)]
#[schema(as = Approval)]
pub(super) struct ApprovalBody {
    /// Who.
    #[schema(example = "designer@house")]
    by: String,
    /// When, RFC 3339.
    #[schema(example = "2026-11-20T10:00:00Z", format = DateTime)]
    at: String,
    /// Every design of the order.
    design_sha256: Vec<String>,
    /// Ed25519 over the RFC 8785 form of the other three members, base64.
    signature: Option<String>,
}

/// Reads the body. What can't be read stands in `unreadable`, and intake says the rest with it.
pub(super) fn read(value: &Value) -> OrderRequest {
    let mut report = Report::default();
    let mut request = OrderRequest {
        external_ref: String::new(),
        due: Timestamp(i64::MAX),
        priority: Priority::Normal,
        pieces: Vec::new(),
        approval: no_approval(),
        unreadable: Vec::new(),
    };
    if let Some(order) = Members::of_body(value) {
        request.external_ref = order.text("external_ref", &mut report);
        if let Some((due, _)) = order.time("due", &mut report) {
            request.due = due;
        }
        request.priority = priority(&order, &mut report);
        for (index, piece) in order.list_required("pieces", &mut report).iter().enumerate() {
            request.pieces.push(read_piece(piece, format!("/pieces/{index}"), &mut report));
        }
        request.approval = approval(&order, &mut report);
    }
    request.unreadable = report.0;
    request
}

fn priority(order: &Members<'_>, report: &mut Report) -> Priority {
    match order.text_if_any("priority", report).as_deref() {
        None | Some("normal") => Priority::Normal,
        Some("rush") => Priority::Rush,
        Some(other) => {
            let text = format!("\"{other}\" is no priority; write normal or rush");
            report.0.push(Finding::error("PRIORITY_UNKNOWN", order.place("priority"), text));
            Priority::Normal
        }
    }
}

fn read_piece(value: &Value, pointer: String, report: &mut Report) -> PieceRequest {
    let Some(piece) = Members::of(value, pointer, report) else { return no_piece() };
    let mut stones = Vec::new();
    for (index, stone) in piece.list("stones", report).iter().enumerate() {
        stones.extend(read_stone(stone, format!("{}/{index}", piece.place("stones")), report));
    }
    PieceRequest {
        external_ref: piece.text("external_ref", report),
        design_sha256: piece.text("design_sha256", report),
        quantity: if piece.get("quantity").is_some() {
            piece.whole("quantity", report).unwrap_or(0)
        } else {
            1
        },
        alloy: piece.text("alloy", report),
        routing: piece.text_if_any("routing", report),
        ring_size: piece.get("ring_size").and_then(|size| {
            let size = Members::of(size, piece.place("ring_size"), report)?;
            Some(RingSize {
                system: size.text("system", report),
                value: size.text_or_number("value", report),
            })
        }),
        engraving: piece.text_if_any("engraving", report),
        stones,
        scaled_by: piece.text_if_any("scaled_by", report),
    }
}

fn read_stone(value: &Value, pointer: String, report: &mut Report) -> Option<Stone> {
    let stone = Members::of(value, pointer, report)?;
    if stone.get("count").is_none() {
        report.wrong_type(stone.place("count"), "a whole number from 0 up");
    }
    let shape = stone.text("shape", report);
    let diameter = stone.number("diameter_mm", report);
    let count = stone.whole("count", report);
    let cast_in_place = stone.flag("cast_in_place", report);
    Some(Stone { shape, diameter: Millimeters(diameter?), count: count?, cast_in_place })
}

fn approval(order: &Members<'_>, report: &mut Report) -> ApprovalRequest {
    let Some(value) = order.get("approval") else {
        let text = "nobody approved this order; add who approved which designs";
        report.0.push(Finding::error("APPROVAL_MISSING", "/approval", text));
        return no_approval();
    };
    let Some(approval) = Members::of(value, "/approval".to_owned(), report) else { return no_approval() };
    let (at, at_text) = approval.time("at", report).unwrap_or((Timestamp(0), String::new()));
    ApprovalRequest {
        by: approval.text("by", report),
        at,
        at_text,
        design_sha256: approval.texts("design_sha256", report),
        signature: approval.text_if_any("signature", report),
    }
}

fn no_approval() -> ApprovalRequest {
    ApprovalRequest {
        by: String::new(),
        at: Timestamp(0),
        at_text: String::new(),
        design_sha256: Vec::new(),
        signature: None,
    }
}

fn no_piece() -> PieceRequest {
    PieceRequest {
        external_ref: String::new(),
        design_sha256: String::new(),
        quantity: 1,
        alloy: String::new(),
        routing: None,
        ring_size: None,
        engraving: None,
        stones: Vec::new(),
        scaled_by: None,
    }
}
