//! Lots: what comes in with a number, and when nothing is taken from it any more.

use crate::finding::Finding;
use crate::ids::LotId;
use crate::services::metal::{self, fineness};
use crate::services::query::PAGE_MAX;
use crate::services::{Error, Shop};
use crate::shop::event::Event;
use crate::shop::lot::{Lot, LotContent};
use crate::shop::metal::{Account, Movement};
use crate::units::{Milligrams, Timestamp};

/// What came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The number on the bag, bottle or drum.
    pub label: String,
    /// What it is.
    pub content: LotContent,
    /// Who supplied it.
    pub supplier: Option<String>,
    /// Not to be used after.
    pub expires_at: Option<Timestamp>,
    /// For metal: what the scale shows.
    pub mass: Option<Milligrams>,
}

/// A lot came in. Metal is weighed, and stands in the books from now on.
///
/// # Errors
/// `Invalid` if something about it can't be; `Conflict` if an open lot has this label.
pub async fn receive(shop: &Shop, actor: &str, delivery: Delivery) -> Result<Lot, Error> {
    let findings = check(shop, &delivery);
    if !findings.is_empty() {
        return Err(Error::Invalid(findings));
    }
    let fineness = match &delivery.content {
        LotContent::Metal { metal, .. } => Some(fineness(shop, &metal.alloy)?),
        LotContent::Resin { .. }
        | LotContent::Wax { .. }
        | LotContent::Powder { .. }
        | LotContent::Other { .. } => None,
    };
    let by = actor.to_owned();
    shop.store
        .transact(actor, move |tx| {
            if let Some(other) = tx.open_lot(&delivery.label)? {
                let text = format!(
                    "lot {} is open already ({}); close it, or write another number",
                    other.label, other.id
                );
                return Err(Error::conflict(text));
            }
            let at = tx.at();
            let lot = Lot {
                id: LotId::next(tx.ids(), at),
                label: delivery.label,
                content: delivery.content,
                supplier: delivery.supplier,
                received_at: at,
                expires_at: delivery.expires_at,
                closed: None,
            };
            tx.record(&Event::LotReceived { lot: lot.clone() })?;
            if let (LotContent::Metal { metal, .. }, Some(fineness), Some(mass)) =
                (&lot.content, fineness, delivery.mass)
            {
                let movement = Movement {
                    kind: metal.clone(),
                    fineness,
                    from: Account::Outside,
                    to: Account::Lot(lot.id.clone()),
                    mass,
                    operation: None,
                    note: Some(format!("lot {} received", lot.label)),
                };
                metal::book(tx, &by, movement)?;
            }
            Ok(lot)
        })
        .await
}

/// Nothing is taken from a lot any more.
///
/// # Errors
/// `NotFound`; `Conflict` if it is closed already.
pub async fn close(shop: &Shop, actor: &str, id: LotId, reason: String) -> Result<Lot, Error> {
    shop.store
        .transact(actor, move |tx| {
            let missing = || Error::not_found(format!("lot {id}"));
            let lot = tx.lot(&id)?.ok_or_else(missing)?;
            if let Some(reason) = lot.closed {
                return Err(Error::conflict(format!("lot {} is closed already: {reason}", lot.label)));
            }
            tx.record(&Event::LotClosed { lot: id.clone(), reason })?;
            tx.lot(&id)?.ok_or_else(missing)
        })
        .await
}

/// Lots, the newest first, and where the next page begins.
///
/// # Errors
/// `Store`.
pub async fn list(
    shop: &Shop,
    before: Option<String>,
    limit: u32,
) -> Result<(Vec<Lot>, Option<String>), Error> {
    let limit = limit.clamp(1, PAGE_MAX);
    let mut lots =
        shop.store.read(move |rows| Ok::<_, Error>(rows.lots(before.as_deref(), limit + 1)?)).await?;
    let more = lots.len() > limit as usize;
    lots.truncate(limit as usize);
    let next = lots.last().filter(|_| more).map(|lot| lot.id.to_string());
    Ok((lots, next))
}

fn check(shop: &Shop, delivery: &Delivery) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut wrong = |code: &str, place: &str, text: String| findings.push(Finding::error(code, place, text));
    match &delivery.content {
        LotContent::Metal { metal, .. } => {
            if let Err(unknown) = shop.profiles.alloy(&metal.alloy) {
                wrong("ALLOY_UNKNOWN", "/content/alloy", unknown.to_string());
            }
            if delivery.mass.is_none_or(|mass| mass.0 <= 0) {
                wrong("MASS_MISSING", "/mass_g", "weigh the metal and write its mass in grams".to_owned());
            }
        }
        LotContent::Resin { material } | LotContent::Wax { material } => {
            if let Err(unknown) = shop.profiles.material(material) {
                wrong("MATERIAL_UNKNOWN", "/content/material", unknown.to_string());
            }
        }
        LotContent::Powder { .. } | LotContent::Other { .. } => {}
    }
    findings
}
