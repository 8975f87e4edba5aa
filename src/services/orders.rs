//! Holding, releasing and calling off orders; and the ends that follow when pieces end.

use crate::ids::{OrderId, PieceId};
use crate::services::{Error, Shop};
use crate::shop::event::Event;
use crate::shop::operation::{Change, Operation, OperationState};
use crate::shop::order::{Order, OrderState};
use crate::shop::piece::{Piece, PieceState};
use crate::store::Tx;

/// Holds an order: what runs goes on, nothing new is started for it.
///
/// # Errors
/// `NotFound`, `Conflict` if it is not open.
pub async fn hold(shop: &Shop, actor: &str, id: OrderId, reason: String) -> Result<Order, Error> {
    change(shop, actor, id, move |tx, order| {
        if order.hold.is_some() {
            return Err(Error::conflict("the order is held already"));
        }
        tx.record(&Event::OrderHeld { order: order.id.clone(), reason })?;
        Ok(())
    })
    .await
}

/// Lets a held order go on.
///
/// # Errors
/// `NotFound`, `Conflict` if it is not held.
pub async fn release(shop: &Shop, actor: &str, id: OrderId, reason: String) -> Result<Order, Error> {
    change(shop, actor, id, move |tx, order| {
        let piece_held = tx.pieces_of(&order.id)?.iter().any(|piece| piece.hold.is_some());
        if order.hold.is_none() && !piece_held {
            return Err(Error::conflict("the order is not held"));
        }
        tx.record(&Event::OrderReleased { order: order.id.clone(), reason })?;
        Ok(())
    })
    .await
}

/// Calls an order off. What runs on a device goes on to its end; nothing new is started.
///
/// # Errors
/// `NotFound`, `Conflict` if it is not open.
pub async fn cancel(shop: &Shop, actor: &str, id: OrderId, reason: String) -> Result<Order, Error> {
    change(shop, actor, id, move |tx, order| {
        let pieces: Vec<PieceId> = open_pieces(tx, order)?.into_iter().map(|piece| piece.id).collect();
        tx.record(&Event::OrderCancelled { order: order.id.clone(), reason: reason.clone() })?;
        drop_from_operations(tx, &pieces, &reason)
    })
    .await
}

async fn change(
    shop: &Shop,
    actor: &str,
    id: OrderId,
    decide: impl FnOnce(&mut Tx<'_>, &Order) -> Result<(), Error> + Send + 'static,
) -> Result<Order, Error> {
    let order = shop.store.transact(actor, move |tx| {
        let order = tx.order(&id)?.ok_or_else(|| Error::not_found(format!("order {id}")))?;
        if order.state != OrderState::Accepted {
            return Err(Error::conflict(format!("the order is {}", order.state_word())));
        }
        decide(tx, &order)?;
        tx.order(&id)?.ok_or_else(|| Error::not_found(format!("order {id}")))
    });
    let order = order.await?;
    shop.wake.all();
    Ok(order)
}

fn open_pieces(tx: &Tx<'_>, order: &Order) -> Result<Vec<Piece>, Error> {
    let mut pieces = tx.pieces_of(&order.id)?;
    pieces.retain(Piece::is_open);
    Ok(pieces)
}

/// Takes pieces out of everything that has not begun; operations that are left empty are abandoned.
pub(super) fn drop_from_operations(tx: &mut Tx<'_>, pieces: &[PieceId], reason: &str) -> Result<(), Error> {
    let mut operations: Vec<Operation> = Vec::new();
    for piece in pieces {
        for operation in tx.operations_of(piece)? {
            let waits = matches!(operation.state, OperationState::Planned | OperationState::Failed { .. });
            if waits && !operations.iter().any(|known| known.id == operation.id) {
                operations.push(operation);
            }
        }
    }
    for operation in operations {
        let leaving: Vec<PieceId> =
            operation.pieces.iter().filter(|piece| pieces.contains(piece)).cloned().collect();
        if leaving.is_empty() {
            continue;
        }
        let change = if leaving.len() == operation.pieces.len() {
            Change::Abandon { reason: reason.to_owned() }
        } else {
            Change::DropPieces { pieces: leaving }
        };
        tx.record(&Event::OperationChanged { operation: operation.id.clone(), change })?;
    }
    Ok(())
}

/// After operations ended: pieces that went through everything are finished, and orders with them.
pub(super) fn finish_what_is_complete(tx: &mut Tx<'_>, pieces: &[PieceId]) -> Result<(), Error> {
    for id in pieces {
        let Some(piece) = tx.piece(id)?.filter(Piece::is_open) else { continue };
        let left = tx
            .operations_of(id)?
            .into_iter()
            .any(|operation| operation.state.is_open() && operation.pieces.contains(id));
        if left || piece.state != PieceState::InProduction {
            continue;
        }
        tx.record(&Event::PieceFinished { piece: id.clone() })?;
        complete_order(tx, &piece.order)?;
    }
    Ok(())
}

fn complete_order(tx: &mut Tx<'_>, id: &OrderId) -> Result<(), Error> {
    let pieces = tx.pieces_of(id)?;
    let finished = pieces.iter().any(|piece| matches!(piece.state, PieceState::Finished { .. }));
    if finished && !pieces.iter().any(Piece::is_open) {
        tx.record(&Event::OrderCompleted { order: id.clone() })?;
    }
    Ok(())
}
