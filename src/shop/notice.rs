//! What the outside hears: the public form of events, for webhooks and the event stream.
//!
//! Notices are numbered on their own (`seq`), so that a receiver sees every number of its stream once and in
//! order. They hold no customer data.

use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, PieceId};
use crate::shop::order::Order;
use crate::shop::piece::Piece;
use crate::units::Timestamp;

/// Every event type that can be subscribed to.
pub const EVENT_TYPES: &[&str] = &[
    "order.accepted",
    "order.refused",
    "order.held",
    "order.released",
    "order.promised",
    "order.late",
    "order.completed",
    "order.cancelled",
    "piece.checked",
    "piece.held",
    "piece.refused",
    "piece.planned",
    "piece.operation_started",
    "piece.operation_finished",
    "piece.operation_failed",
    "piece.operation_unclear",
    "piece.remake",
    "piece.cancelled",
    "piece.finished",
];

/// One public event before it has its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// One of `EVENT_TYPES`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What it is about.
    pub data: NoticeData,
}

/// The `data` of a notice; `seq` is set when it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeData {
    /// Its place in the public stream.
    pub seq: i64,
    /// The order; absent where an order was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The order system's number of the order.
    pub external_ref: String,
    /// The piece, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece_id: Option<PieceId>,
    /// The order system's number of the piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub piece_external_ref: Option<String>,
    /// The state of the piece, or of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The stage of the piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Which making of the piece.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The date that the plan gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promised: Option<Timestamp>,
}

impl Notice {
    /// A notice about an order.
    #[must_use]
    pub fn of_order(event_type: &str, at: Timestamp, order: &Order, reason: Option<&str>) -> Self {
        let data = NoticeData {
            order_id: Some(order.id.clone()),
            state: Some(order.state_word().to_owned()),
            reason: reason.map(str::to_owned),
            promised: order.promised,
            ..NoticeData::about(&order.external_ref)
        };
        Self { event_type: event_type.to_owned(), timestamp: at, data }
    }

    /// A notice about a piece of an order.
    #[must_use]
    pub fn of_piece(
        event_type: &str,
        at: Timestamp,
        order: &Order,
        piece: &Piece,
        reason: Option<&str>,
    ) -> Self {
        let data = NoticeData {
            order_id: Some(order.id.clone()),
            piece_id: Some(piece.id.clone()),
            piece_external_ref: Some(piece.external_ref.clone()),
            state: Some(piece.state_word().to_owned()),
            stage: piece.stage.clone(),
            attempt: Some(piece.attempt),
            reason: reason.map(str::to_owned),
            ..NoticeData::about(&order.external_ref)
        };
        Self { event_type: event_type.to_owned(), timestamp: at, data }
    }

    /// A notice about an order that was refused and has no id.
    #[must_use]
    pub fn of_refusal(at: Timestamp, external_ref: &str, reason: String) -> Self {
        let data = NoticeData { reason: Some(reason), ..NoticeData::about(external_ref) };
        Self { event_type: "order.refused".to_owned(), timestamp: at, data }
    }
}

impl NoticeData {
    fn about(external_ref: &str) -> Self {
        Self {
            seq: 0,
            order_id: None,
            external_ref: external_ref.to_owned(),
            piece_id: None,
            piece_external_ref: None,
            state: None,
            stage: None,
            attempt: None,
            reason: None,
            promised: None,
        }
    }
}
