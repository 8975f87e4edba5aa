//! What a screen on the wall shows: the orders that are being made and the last that ended.

use crate::services::{Error, Shop};
use crate::shop::order::Order;
use crate::shop::piece::Piece;

/// Open orders on a board; more don't fit on a screen.
const OPEN_MAX: u32 = 60;
/// Orders that ended, below them.
const ENDED_MAX: u32 = 12;

/// The orders of a board.
#[derive(Debug, Clone, Default)]
pub struct Board {
    /// Open ones by due date, then the last that ended.
    pub orders: Vec<(Order, Vec<Piece>)>,
    /// Open orders that didn't fit.
    pub more: usize,
}

/// Reads the board.
///
/// # Errors
/// `Store`.
pub async fn read(shop: &Shop) -> Result<Board, Error> {
    shop.store
        .read(|rows| {
            let counts = rows.count_orders()?;
            let is_open = |state: &str| state == "accepted" || state == "held";
            let open: i64 = counts.iter().filter(|(state, _)| is_open(state)).map(|(_, count)| count).sum();
            let mut orders = Vec::new();
            for order in rows.orders_by_due(OPEN_MAX)?.into_iter().chain(rows.orders_ended(ENDED_MAX)?) {
                let pieces = rows.pieces_of(&order.id)?;
                orders.push((order, pieces));
            }
            let more = usize::try_from(open).unwrap_or(0).saturating_sub(OPEN_MAX as usize);
            Ok(Board { orders, more })
        })
        .await
}
