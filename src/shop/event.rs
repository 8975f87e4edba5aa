//! What happened in the shop: the contract of the journal.
//!
//! Past tense, complete (folding the journal from zero gives the tables) and versioned by addition: a stored
//! event is read for ever, so fields are only added, with a default.

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::ids::{LotId, OperationId, OrderId, PieceId, PlateId, WebhookId};
use crate::shop::design::Design;
use crate::shop::lot::Lot;
use crate::shop::metal::MetalEntry;
use crate::shop::operation::{Change, Operation};
use crate::shop::order::Order;
use crate::shop::piece::Piece;
use crate::shop::plan::PlanRecord;
use crate::shop::plate::{Plate, SlicedFile};
use crate::shop::webhook::Webhook;
use crate::units::Timestamp;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "field names repeat the glossary; the variants say what happened")]
pub enum Event {
    /// A design's bytes are stored and checked.
    DesignStored { design: Design },
    /// An order came in and was accepted whole.
    OrderAccepted { order: Order, pieces: Vec<Piece> },
    /// An order came in and was refused; nothing of it is kept but this.
    OrderRefused { source: String, external_ref: String, findings: Vec<Finding> },
    /// A person holds an order.
    OrderHeld { order: OrderId, reason: String },
    /// A person lets it go on.
    OrderReleased { order: OrderId, reason: String },
    /// An order was called off.
    OrderCancelled { order: OrderId, reason: String },
    /// A plan gives it a date, or another one.
    OrderPromised { order: OrderId, promised: Timestamp, late: bool },
    /// Every piece is finished.
    OrderCompleted { order: OrderId },
    /// A piece can be made as ordered.
    PieceChecked { piece: PieceId, findings: Vec<Finding> },
    /// A piece needs a person's decision before it goes on.
    PieceHeld { piece: PieceId, reason: String, findings: Vec<Finding> },
    /// A piece can't be made as ordered.
    PieceRefused { piece: PieceId, reason: String, findings: Vec<Finding> },
    /// A piece is on a plate and in a plan for the first time in this attempt.
    PiecePlanned { piece: PieceId },
    /// A piece goes back to print.
    PieceRemade { piece: PieceId, reason: String },
    /// A piece went through its whole routing.
    PieceFinished { piece: PieceId },
    /// Pieces were arranged on a plate; these operations carry them.
    PlateComposed { plate: Plate, operations: Vec<Operation> },
    /// A plate was taken apart before its print began.
    PlateDissolved { plate: PlateId, reason: String },
    /// The printer's file exists and was read back.
    PlateSliced { plate: PlateId, file: SlicedFile },
    /// A plan is in force.
    PlanAdopted { plan: PlanRecord },
    /// An operation went on.
    OperationChanged { operation: OperationId, change: Change },
    /// A person says that a station's plate is clear.
    StationCleared { station: String },
    /// A person put a lot of its material on a station.
    StationLoaded { station: String, lot: String },
    /// A person takes a station out of service.
    StationPaused { station: String, reason: String },
    /// A person puts it back.
    StationResumed { station: String },
    /// A lot came in.
    LotReceived { lot: Lot },
    /// Nothing is taken from a lot any more.
    LotClosed { lot: LotId, reason: String },
    /// Metal moved in the books.
    MetalMoved { entry: MetalEntry },
    /// An endpoint was registered, or changed in the shop file.
    WebhookAdded { webhook: Webhook },
    /// Nothing is sent to an endpoint any more.
    WebhookDisabled { webhook: WebhookId, reason: String },
}

impl Event {
    /// The word in the journal's `kind` column.
    #[must_use]
    pub fn kind(&self) -> String {
        let fixed = match self {
            Event::OperationChanged { change, .. } => return format!("operation.{}", change.word()),
            Event::DesignStored { .. } => "design.stored",
            Event::OrderAccepted { .. } => "order.accepted",
            Event::OrderRefused { .. } => "order.refused",
            Event::OrderHeld { .. } => "order.held",
            Event::OrderReleased { .. } => "order.released",
            Event::OrderCancelled { .. } => "order.cancelled",
            Event::OrderPromised { .. } => "order.promised",
            Event::OrderCompleted { .. } => "order.completed",
            Event::PieceChecked { .. } => "piece.checked",
            Event::PieceHeld { .. } => "piece.held",
            Event::PieceRefused { .. } => "piece.refused",
            Event::PiecePlanned { .. } => "piece.planned",
            Event::PieceRemade { .. } => "piece.remade",
            Event::PieceFinished { .. } => "piece.finished",
            Event::PlateComposed { .. } => "plate.composed",
            Event::PlateDissolved { .. } => "plate.dissolved",
            Event::PlateSliced { .. } => "plate.sliced",
            Event::PlanAdopted { .. } => "plan.adopted",
            Event::StationCleared { .. } => "station.cleared",
            Event::StationLoaded { .. } => "station.loaded",
            Event::StationPaused { .. } => "station.paused",
            Event::StationResumed { .. } => "station.resumed",
            Event::LotReceived { .. } => "lot.received",
            Event::LotClosed { .. } => "lot.closed",
            Event::MetalMoved { .. } => "metal.moved",
            Event::WebhookAdded { .. } => "webhook.added",
            Event::WebhookDisabled { .. } => "webhook.disabled",
        };
        fixed.to_owned()
    }

    /// The id in the journal's `subject` column.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Event::DesignStored { design } => design.sha256.as_str(),
            Event::OrderAccepted { order, .. } => order.id.as_str(),
            Event::OrderRefused { external_ref, .. } => external_ref,
            Event::OrderHeld { order, .. }
            | Event::OrderReleased { order, .. }
            | Event::OrderCancelled { order, .. }
            | Event::OrderPromised { order, .. }
            | Event::OrderCompleted { order } => order.as_str(),
            Event::PieceChecked { piece, .. }
            | Event::PieceHeld { piece, .. }
            | Event::PieceRefused { piece, .. }
            | Event::PiecePlanned { piece }
            | Event::PieceRemade { piece, .. }
            | Event::PieceFinished { piece } => piece.as_str(),
            Event::PlateComposed { plate, .. } => plate.id.as_str(),
            Event::PlateDissolved { plate, .. } | Event::PlateSliced { plate, .. } => plate.as_str(),
            Event::PlanAdopted { plan } => plan.id.as_str(),
            Event::OperationChanged { operation, .. } => operation.as_str(),
            Event::StationCleared { station }
            | Event::StationLoaded { station, .. }
            | Event::StationPaused { station, .. }
            | Event::StationResumed { station } => station,
            Event::LotReceived { lot } => lot.id.as_str(),
            Event::LotClosed { lot, .. } => lot.as_str(),
            Event::MetalMoved { entry } => entry.id.as_str(),
            Event::WebhookAdded { webhook } => webhook.id.as_str(),
            Event::WebhookDisabled { webhook, .. } => webhook.as_str(),
        }
    }
}
