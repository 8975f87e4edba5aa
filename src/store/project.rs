//! What an event does to the tables, and what the outside hears of it. Used by the writer for the present and
//! by the fold for the proof: the same code, so they can only differ if something else wrote.

use super::{Error, Rows};
use crate::ids::{OperationId, OrderId, PieceId};
use crate::shop::event::Event;
use crate::shop::notice::Notice;
use crate::shop::operation::{Change, Operation};
use crate::shop::order::{Order, OrderState};
use crate::shop::piece::{Piece, PieceState};
use crate::shop::plate::PlateState;
use crate::shop::station::{Cleared, MATERIAL_LOT};
use crate::units::Timestamp;

/// Applies one event.
pub(super) fn apply(
    rows: &Rows<'_>,
    actor: &str,
    at: Timestamp,
    event: &Event,
) -> Result<Vec<Notice>, Error> {
    let stage = Stage { rows, at };
    match event {
        Event::DesignStored { design } => rows.put_design(design).map(|()| Vec::new()),
        Event::OrderAccepted { order, pieces } => stage.order_accepted(order, pieces),
        Event::OrderRefused { external_ref, findings, .. } => {
            let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
            Ok(vec![Notice::of_refusal(at, external_ref, codes.join(", "))])
        }
        Event::OrderHeld { order, reason } => stage.order_hold(order, Some(reason), "order.held", reason),
        Event::OrderReleased { order, reason } => stage.order_hold(order, None, "order.released", reason),
        Event::OrderCancelled { order, reason } => stage.order_cancelled(order, reason),
        Event::OrderPromised { order, promised, late } => stage.order_promised(order, *promised, *late),
        Event::OrderCompleted { order } => stage.order_completed(order),
        Event::PieceChecked { piece, findings } => stage.piece(piece, "piece.checked", None, |piece| {
            piece.state = PieceState::Checked;
            piece.findings.clone_from(findings);
        }),
        Event::PieceHeld { piece, reason, findings } => {
            stage.piece(piece, "piece.held", Some(reason), |piece| {
                piece.hold = Some(reason.clone());
                piece.findings.clone_from(findings);
            })
        }
        Event::PieceRefused { piece, reason, findings } => {
            stage.piece(piece, "piece.refused", Some(reason), |piece| {
                piece.state = PieceState::Refused;
                piece.reason = Some(reason.clone());
                piece.findings.clone_from(findings);
            })
        }
        Event::PiecePlanned { piece } => stage.piece(piece, "piece.planned", None, |piece| {
            piece.state = PieceState::Planned;
        }),
        Event::PieceRemade { piece, reason } => stage.piece(piece, "piece.remake", Some(reason), |piece| {
            piece.state = PieceState::Checked;
            piece.attempt += 1;
            piece.reason = Some(reason.clone());
        }),
        Event::PieceFinished { piece } => stage.piece(piece, "piece.finished", None, |piece| {
            piece.state = PieceState::Finished { at };
        }),
        Event::PlateComposed { plate, operations } => {
            rows.put_plate(plate)?;
            for operation in operations {
                rows.put_operation(operation)?;
                rows.link_pieces(operation)?;
            }
            Ok(Vec::new())
        }
        Event::PlateDissolved { plate, reason } => {
            let state = PlateState::Dissolved { reason: reason.clone() };
            stage.plate_state(plate, state)
        }
        Event::PlateSliced { plate, file } => stage.plate_state(plate, PlateState::Sliced(file.clone())),
        Event::PlanAdopted { plan } => rows.put_plan(plan).map(|()| Vec::new()),
        Event::OperationChanged { operation, change } => stage.operation_changed(operation, change),
        Event::StationCleared { station } => stage.station(station, |station| {
            station.clear = Some(Cleared { by: actor.to_owned(), at });
        }),
        Event::StationLoaded { station, lot } => {
            stage.station(station, |station| station.material_lot = Some(lot.clone()))
        }
        Event::StationPaused { station, reason } => {
            stage.station(station, |station| station.paused = Some(reason.clone()))
        }
        Event::StationResumed { station } => stage.station(station, |station| station.paused = None),
        Event::LotReceived { lot } => rows.put_lot(lot).map(|()| Vec::new()),
        Event::LotClosed { lot, reason } => {
            let mut row = rows.lot(lot)?.ok_or_else(|| dangling(lot.as_str()))?;
            row.closed = Some(reason.clone());
            rows.put_lot(&row).map(|()| Vec::new())
        }
        Event::MetalMoved { entry } => rows.book_metal(entry).map(|()| Vec::new()),
        Event::WebhookAdded { webhook } => rows.put_webhook(webhook).map(|()| Vec::new()),
        Event::WebhookDisabled { webhook, reason } => {
            let mut row = rows.webhook(webhook)?.ok_or_else(|| dangling(webhook.as_str()))?;
            row.disabled = Some(reason.clone());
            rows.put_webhook(&row).map(|()| Vec::new())
        }
    }
}

struct Stage<'a, 'c> {
    rows: &'a Rows<'c>,
    at: Timestamp,
}

impl Stage<'_, '_> {
    fn order_accepted(&self, order: &Order, pieces: &[Piece]) -> Result<Vec<Notice>, Error> {
        self.rows.put_order(order)?;
        for piece in pieces {
            self.rows.put_piece(piece)?;
        }
        Ok(vec![Notice::of_order("order.accepted", self.at, order, None)])
    }

    fn order_hold(
        &self,
        id: &OrderId,
        hold: Option<&String>,
        event_type: &str,
        reason: &str,
    ) -> Result<Vec<Notice>, Error> {
        let mut order = self.order(id)?;
        order.hold = hold.cloned();
        self.rows.put_order(&order)?;
        let mut notices = vec![Notice::of_order(event_type, self.at, &order, Some(reason))];
        for mut piece in self.rows.pieces_of(id)?.into_iter().filter(Piece::is_open) {
            // A piece that its check held was looked at by whoever releases it: it counts as checked.
            let decided = hold.is_none() && piece.hold.is_some() && piece.state == PieceState::Received;
            piece.hold = hold.cloned();
            if decided {
                piece.state = PieceState::Checked;
            }
            self.rows.put_piece(&piece)?;
            let event_type = if hold.is_some() { "piece.held" } else { "piece.checked" };
            if hold.is_some() || decided {
                notices.push(Notice::of_piece(event_type, self.at, &order, &piece, Some(reason)));
            }
        }
        Ok(notices)
    }

    fn order_cancelled(&self, id: &OrderId, reason: &str) -> Result<Vec<Notice>, Error> {
        let mut order = self.order(id)?;
        order.state = OrderState::Cancelled;
        self.rows.put_order(&order)?;
        let mut notices = Vec::new();
        for mut piece in self.rows.pieces_of(id)?.into_iter().filter(Piece::is_open) {
            piece.state = PieceState::Cancelled;
            piece.reason = Some(reason.to_owned());
            self.rows.put_piece(&piece)?;
            notices.push(Notice::of_piece("piece.cancelled", self.at, &order, &piece, Some(reason)));
        }
        notices.push(Notice::of_order("order.cancelled", self.at, &order, Some(reason)));
        Ok(notices)
    }

    fn order_promised(&self, id: &OrderId, promised: Timestamp, late: bool) -> Result<Vec<Notice>, Error> {
        let mut order = self.order(id)?;
        let newly_late = late && !order.late;
        order.promised = Some(promised);
        order.late = late;
        self.rows.put_order(&order)?;
        let mut notices = vec![Notice::of_order("order.promised", self.at, &order, None)];
        if newly_late {
            let reason = format!("the plan finishes it at {promised}, it is due at {}", order.due);
            notices.push(Notice::of_order("order.late", self.at, &order, Some(&reason)));
        }
        Ok(notices)
    }

    fn order_completed(&self, id: &OrderId) -> Result<Vec<Notice>, Error> {
        let mut order = self.order(id)?;
        order.state = OrderState::Completed;
        self.rows.put_order(&order)?;
        Ok(vec![Notice::of_order("order.completed", self.at, &order, None)])
    }

    fn piece(
        &self,
        id: &PieceId,
        event_type: &str,
        reason: Option<&str>,
        change: impl FnOnce(&mut Piece),
    ) -> Result<Vec<Notice>, Error> {
        let mut piece = self.rows.piece(id)?.ok_or_else(|| dangling(id.as_str()))?;
        change(&mut piece);
        self.rows.put_piece(&piece)?;
        let order = self.order(&piece.order)?;
        Ok(vec![Notice::of_piece(event_type, self.at, &order, &piece, reason)])
    }

    fn plate_state(&self, id: &crate::ids::PlateId, state: PlateState) -> Result<Vec<Notice>, Error> {
        let mut plate = self.rows.plate(id)?.ok_or_else(|| dangling(id.as_str()))?;
        plate.state = state;
        self.rows.put_plate(&plate)?;
        Ok(Vec::new())
    }

    fn operation_changed(&self, id: &OperationId, change: &Change) -> Result<Vec<Notice>, Error> {
        let before = self.rows.operation(id)?.ok_or_else(|| dangling(id.as_str()))?;
        let mut operation = before.apply(change, self.at)?;
        if let (Change::Sent, Some(station)) = (change, operation.state.occupies())
            && let Some(lot) = self.rows.station(station)?.material_lot
        {
            operation.recorded.insert(MATERIAL_LOT.to_owned(), lot.into());
        }
        self.rows.put_operation(&operation)?;
        if let Change::Finish { .. } = change {
            self.rows.link_lots(&operation)?;
        }
        if let (Change::Sent, Some(station)) = (change, operation.state.occupies()) {
            self.take_clear_plate(station)?;
        }
        self.tell_pieces(&operation, change)
    }

    /// A print leaves its plate full, so nobody's word that it was clear holds any longer.
    fn take_clear_plate(&self, station: &str) -> Result<(), Error> {
        self.station(station, |station| station.clear = None).map(drop)
    }

    fn tell_pieces(&self, operation: &Operation, change: &Change) -> Result<Vec<Notice>, Error> {
        let Some((event_type, reason)) = public_form(change) else {
            return Ok(Vec::new());
        };
        let mut notices = Vec::new();
        for id in &operation.pieces {
            let mut piece = self.rows.piece(id)?.ok_or_else(|| dangling(id.as_str()))?;
            if piece.is_open() {
                piece.state = PieceState::InProduction;
                piece.stage = Some(operation.stage.clone());
                self.rows.put_piece(&piece)?;
            }
            let order = self.order(&piece.order)?;
            notices.push(Notice::of_piece(event_type, self.at, &order, &piece, reason));
        }
        Ok(notices)
    }

    fn station(
        &self,
        name: &str,
        change: impl FnOnce(&mut crate::shop::station::StationRecord),
    ) -> Result<Vec<Notice>, Error> {
        let mut station = self.rows.station(name)?;
        change(&mut station);
        self.rows.put_station(&station)?;
        Ok(Vec::new())
    }

    fn order(&self, id: &OrderId) -> Result<Order, Error> {
        self.rows.order(id)?.ok_or_else(|| dangling(id.as_str()))
    }
}

/// Which changes of an operation the outside hears of, and why.
fn public_form(change: &Change) -> Option<(&'static str, Option<&str>)> {
    match change {
        Change::Begin { .. } | Change::Run => Some(("piece.operation_started", None)),
        Change::Finish { .. } => Some(("piece.operation_finished", None)),
        Change::Fail { cause } => Some(("piece.operation_failed", Some(cause))),
        Change::LoseSight { reason } => Some(("piece.operation_unclear", Some(reason))),
        Change::Start { .. }
        | Change::Sent
        | Change::Progress { .. }
        | Change::Hold { .. }
        | Change::Resume
        | Change::Requeue { .. }
        | Change::Retry
        | Change::Abandon { .. }
        | Change::DropPieces { .. } => None,
    }
}

fn dangling(subject: &str) -> Error {
    Error::Dangling { subject: subject.to_owned() }
}
