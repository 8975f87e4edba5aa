//! Looks at received pieces as ordered: what can be made goes on, what needs a decision is held.

use crate::finding::{Finding, Severity};
use crate::services::{Error, Shop};
use crate::shop::event::Event;
use crate::shop::piece::{Piece, PieceState};
use crate::store::Tx;

/// Pieces in one transaction, so that intake is never kept waiting.
const BATCH: u32 = 50;

/// Findings of the mesh check that only a person can decide on (`geometry.md`: "asked", not "repaired").
const NEEDS_A_DECISION: &[&str] = &["UNIT_SUSPECT", "MULTIPLE_PIECES", "LOOSE_STONE", "TRAPPED_VOID"];

/// Checks what was received; returns whether there is more.
///
/// # Errors
/// `Store`.
pub async fn reconcile(shop: &Shop) -> Result<bool, Error> {
    let waiting = shop.store.read(|rows| rows.pieces_in("received", BATCH).map_err(Error::from)).await?;
    if waiting.is_empty() {
        return Ok(false);
    }
    let more = waiting.len() == BATCH as usize;
    shop.store.transact("sprue", move |tx| waiting.iter().try_for_each(|piece| check(tx, piece))).await?;
    shop.wake.plan.notify_one();
    shop.wake.deliver.notify_one();
    Ok(more)
}

fn check(tx: &mut Tx<'_>, piece: &Piece) -> Result<(), Error> {
    // Between reading and writing somebody may have held or cancelled it.
    let Some(piece) = tx.piece(&piece.id)? else { return Ok(()) };
    if piece.state != PieceState::Received || piece.hold.is_some() {
        return Ok(());
    }
    let findings = piece.findings.clone();
    let event = match decision_needed(&findings) {
        Some(reason) => Event::PieceHeld { piece: piece.id, reason, findings },
        None => Event::PieceChecked { piece: piece.id, findings },
    };
    tx.record(&event).map_err(Error::from)
}

fn decision_needed(findings: &[Finding]) -> Option<String> {
    let asked: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.severity != Severity::Note)
        .filter(|finding| NEEDS_A_DECISION.contains(&finding.code.as_str()))
        .map(|finding| finding.text.as_str())
        .collect();
    (!asked.is_empty()).then(|| asked.join("; "))
}
