//! Passports: the as-built record of a piece, signed by the workshop, and what ties pieces together.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Value, json};

use crate::finding::Finding;
use crate::ids::{OperationId, PieceId};
use crate::services::{Error, Shop};
use crate::shop::design::Sha256Hex;
use crate::shop::operation::{Operation, OperationState};
use crate::shop::passport::{Attempt, Evidence, Geometry, Identity, Passport, SCHEMA, StepRecord, UsedLot};
use crate::shop::piece::{Piece, PieceState};
use crate::shop::plate::{Plate, PlateState};
use crate::store::Rows;
use crate::store::signing::Signer;
use crate::units::Timestamp;

/// The passport of a piece as of now, sealed.
///
/// # Errors
/// `NotFound`.
pub async fn of_piece(shop: &Shop, id: PieceId) -> Result<Value, Error> {
    let (workshop, now) = (shop.workshop.name.clone(), shop.clock.at());
    let passport = shop.store.read(move |rows| build(rows, workshop, now, &id)).await?;
    let document =
        serde_json::to_value(&passport).map_err(|_| Error::Compute { what: "writing a passport" })?;
    seal(&shop.signer, document)
}

fn build(rows: &Rows<'_>, workshop: String, issued_at: Timestamp, id: &PieceId) -> Result<Passport, Error> {
    let missing = || Error::not_found(format!("piece {id}"));
    let piece = rows.piece(id)?.ok_or_else(missing)?;
    let order = rows.order(&piece.order)?.ok_or_else(missing)?;
    let design = rows.design(&piece.design)?.ok_or_else(missing)?;
    let operations = rows.operations_of(id)?;
    let attempts = attempts(rows, &piece, &operations)?;
    let lots = lots(rows, &operations)?;
    let mut metal = rows.metal_entries_of_piece(id)?;
    for operation in &operations {
        metal.extend(rows.metal_entries_of(&operation.id)?);
    }
    metal.sort_by(|a, b| a.id.cmp(&b.id));
    metal.dedup_by(|a, b| a.id == b.id);
    let (journal_seq, chain) = rows.journal_end()?;
    let mut passport = Passport {
        schema: SCHEMA,
        workshop,
        issued_at,
        identity: Identity {
            piece_id: piece.id.clone(),
            external_ref: piece.external_ref.clone(),
            order_id: order.id,
            order_external_ref: order.external_ref,
            design_sha256: piece.design.clone(),
            approval: order.approval,
            state: piece.state_word().to_owned(),
            finished_at: match piece.state {
                PieceState::Finished { at } => Some(at),
                PieceState::Received
                | PieceState::Checked
                | PieceState::Planned
                | PieceState::InProduction
                | PieceState::Cancelled
                | PieceState::Refused => None,
            },
            engraving: piece.engraving.clone(),
        },
        geometry: Geometry {
            alloy: piece.alloy.clone(),
            ring_size: piece.ring_size.clone(),
            design_inner_diameter_mm: design.part.ring_inner_diameter,
            design_volume_mm3: design.part.volume_mm3,
            scaled_by: piece.scaled_by.clone(),
        },
        stones: piece.stones.clone(),
        attempts,
        lots,
        metal,
        findings: piece.findings.clone(),
        missing: Vec::new(),
        evidence: Evidence { journal_seq, journal_chain: Sha256Hex::from_digest(&chain) },
    };
    passport.missing = what_is_missing(&passport, &piece, &operations);
    Ok(passport)
}

fn attempts(rows: &Rows<'_>, piece: &Piece, operations: &[Operation]) -> Result<Vec<Attempt>, Error> {
    let mut attempts: Vec<(Plate, Attempt)> = Vec::new();
    for operation in operations {
        let place = match attempts.iter().position(|(plate, _)| plate.id == operation.plate) {
            Some(place) => place,
            None => {
                let Some(plate) = rows.plate(&operation.plate)? else { continue };
                attempts.push((plate.clone(), attempt(piece, &plate)));
                attempts.len() - 1
            }
        };
        attempts[place].1.steps.push(step(rows, operation)?);
    }
    // A plate that was taken apart before it was printed made nothing.
    attempts.retain(|(plate, _)| !matches!(plate.state, PlateState::Dissolved { .. }));
    attempts.sort_by(|a, b| a.0.composed_at.cmp(&b.0.composed_at).then_with(|| a.0.id.cmp(&b.0.id)));
    Ok(attempts.into_iter().map(|(_, attempt)| attempt).collect())
}

fn attempt(piece: &Piece, plate: &Plate) -> Attempt {
    let own = plate.placements.iter().find(|placement| placement.piece == piece.id);
    let file = match &plate.state {
        PlateState::Sliced(file) => Some(file.sha256.clone()),
        PlateState::Composed | PlateState::Dissolved { .. } => None,
    };
    Attempt {
        plate_id: plate.id.clone(),
        plate_label: plate.label.clone(),
        printer: plate.printer.clone(),
        material: plate.material.clone(),
        layer_um: plate.layer,
        scale: own.map(|placement| placement.scale),
        scale_origin: own.map(|placement| placement.scale_origin.clone()),
        print_file_sha256: file,
        steps: Vec::new(),
    }
}

fn step(rows: &Rows<'_>, operation: &Operation) -> Result<StepRecord, Error> {
    let history = rows.history_of(&operation.id)?;
    let first = |kinds: &[&str]| history.iter().find(|line| kinds.contains(&line.kind.as_str()));
    let last = |kinds: &[&str]| history.iter().rev().find(|line| kinds.contains(&line.kind.as_str()));
    let mut by: Vec<String> = Vec::new();
    for line in &history {
        if !by.contains(&line.actor) {
            by.push(line.actor.clone());
        }
    }
    let (station, reason) = match &operation.state {
        OperationState::Done { station, .. } => (Some(station.clone()), None),
        OperationState::Failed { cause, .. } => (None, Some(cause.clone())),
        OperationState::Abandoned { reason } => (None, Some(reason.clone())),
        state @ (OperationState::Planned
        | OperationState::Starting { .. }
        | OperationState::Running { .. }
        | OperationState::Held { .. }
        | OperationState::Unknown { .. }) => (state.occupies().map(str::to_owned), None),
    };
    Ok(StepRecord {
        operation_id: operation.id.clone(),
        stage: operation.stage.clone(),
        title: operation.title.clone(),
        batch: operation.batch.clone(),
        pieces_together: operation.pieces.len(),
        state: operation.state.word().to_owned(),
        station,
        started_at: first(&["operation.begin", "operation.sent"]).map(|line| line.at),
        ended_at: last(&["operation.finish", "operation.fail", "operation.abandon"]).map(|line| line.at),
        by,
        recorded: operation.recorded.clone(),
        window_exceeded: operation.window_exceeded,
        reason,
    })
}

/// Names of recorded values that hold the label of a lot.
fn is_lot(name: &str) -> bool {
    name.ends_with("_lot")
}

fn lots(rows: &Rows<'_>, operations: &[Operation]) -> Result<Vec<UsedLot>, Error> {
    let mut used = Vec::new();
    for operation in operations {
        for (_, value) in operation.recorded.iter().filter(|(name, _)| is_lot(name)) {
            let Some(label) = value.as_str() else { continue };
            let lot = rows.lot_by_label(label)?;
            used.push(UsedLot { label: label.to_owned(), stage: operation.stage.clone(), lot });
        }
    }
    Ok(used)
}

/// What a whole record would also hold.
fn what_is_missing(passport: &Passport, piece: &Piece, operations: &[Operation]) -> Vec<String> {
    let mut missing = Vec::new();
    if passport.identity.finished_at.is_none() {
        missing.push(format!("the piece is {}, not finished", piece.state_word()));
    }
    let Some(last) = passport.attempts.last() else {
        missing.push("it was never on a plate".to_owned());
        return missing;
    };
    if last.print_file_sha256.is_none() {
        missing.push(format!("plate {}: the printer's file", last.plate_label));
    }
    for operation in operations.iter().filter(|operation| operation.plate == last.plate_id) {
        if !matches!(operation.state, OperationState::Done { .. }) {
            missing.push(format!("{}: it is {}", operation.stage, operation.state.word()));
            continue;
        }
        for spec in operation.records.iter().filter(|spec| !operation.recorded.contains_key(&spec.name)) {
            missing.push(format!("{}: {}", operation.stage, spec.name));
        }
        if operation.print_on.is_some() && !operation.recorded.contains_key(MATERIAL_LOT) {
            missing.push(format!("{}: {MATERIAL_LOT}, nobody said which lot was loaded", operation.stage));
        }
    }
    for used in passport.lots.iter().filter(|used| used.lot.is_none()) {
        missing.push(format!("{}: lot \"{}\" was never received", used.stage, used.label));
    }
    missing
}

/// What a print records by itself: the lot that was loaded on its station.
pub use crate::shop::station::MATERIAL_LOT;

/// Puts the workshop's signature under a document: Ed25519 over its RFC 8785 form without `signature`.
fn seal(signer: &Signer, mut document: Value) -> Result<Value, Error> {
    let failed = || Error::Compute { what: "signing a passport" };
    let bytes = serde_json_canonicalizer::to_vec(&document).map_err(|_| failed())?;
    let signature =
        json!({ "algorithm": "ed25519", "key": signer.public_key(), "value": signer.sign(&bytes) });
    document.as_object_mut().ok_or_else(failed)?.insert("signature".to_owned(), signature);
    Ok(document)
}

/// What a passport that holds up says in short.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// The piece.
    pub piece: String,
    /// The workshop by its own name.
    pub workshop: String,
    /// The key that signed it, base64.
    pub key: String,
    /// Whether somebody named this key as the workshop's.
    pub key_is_known: bool,
    /// What the record lacks, in its own words.
    pub missing: Vec<String>,
}

/// Checks a passport without the workshop: that nothing was changed since it was signed, and by whose key.
///
/// `known_key` is the workshop's key as its customer got it, base64; without it any workshop may have signed.
///
/// # Errors
/// The finding that says why it does not hold.
pub fn verify(text: &str, known_key: Option<&str>) -> Result<Verified, Finding> {
    let refused = |code: &str, text: &str| Finding::error(code, "passport", text);
    let mut document: Value = serde_json::from_str(text)
        .map_err(|failure| Finding::error("NOT_JSON", "passport", format!("this is no JSON: {failure}")))?;
    if document.get("schema").and_then(Value::as_str) != Some(SCHEMA) {
        return Err(refused(
            "NOT_A_PASSPORT",
            "this is no passport of this version; ask the workshop for a new copy",
        ));
    }
    let signature = document.as_object_mut().and_then(|members| members.remove("signature"));
    let member = |name: &str| signature.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let (Some(key), Some(value)) = (member("key"), member("value")) else {
        return Err(refused("NOT_SIGNED", "the passport is not signed; ask the workshop for the original"));
    };
    let bytes = serde_json_canonicalizer::to_vec(&document).map_err(|_| {
        refused("NOT_SIGNED", "the passport has no canonical form; ask the workshop for the original")
    })?;
    if !holds(&key, &value, &bytes) {
        return Err(refused(
            "CHANGED",
            "the passport was changed after it was signed; don't rely on any of it",
        ));
    }
    if known_key.is_some_and(|known| known.trim() != key) {
        return Err(refused(
            "OTHER_KEY",
            "the passport is whole, but another key signed it than the workshop's",
        ));
    }
    let text_at = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_owned();
    let lines = document.get("missing").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(Verified {
        piece: text_at("/identity/piece_id"),
        workshop: text_at("/workshop"),
        key,
        key_is_known: known_key.is_some(),
        missing: lines.iter().filter_map(|line| line.as_str().map(str::to_owned)).collect(),
    })
}

fn holds(key: &str, signature: &str, bytes: &[u8]) -> bool {
    let key = BASE64.decode(key).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
    let key = key.and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let signature = BASE64.decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
    key.zip(signature).is_some_and(|(key, signature)| key.verify_strict(bytes, &signature).is_ok())
}

/// What pieces may have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Common {
    /// A lot by its label, whatever it holds: metal, resin, powder.
    Lot(String),
    /// A design.
    Design(String),
    /// A tree, which is also a flask and a melt.
    Tree(String),
    /// A build plate, by id or label.
    Plate(String),
    /// One operation, such as a kiln load.
    Operation(OperationId),
    /// A station.
    Station(String),
}

/// The pieces that have something in common, by id; each attempt counts, also one that failed.
///
/// # Errors
/// `Store`.
pub async fn trace(shop: &Shop, common: Common) -> Result<Vec<Piece>, Error> {
    shop.store
        .read(move |rows| {
            let ids = match &common {
                Common::Lot(label) => rows.pieces_with_lot(label)?,
                Common::Design(hash) => rows.pieces_of_design(hash)?,
                Common::Tree(id) => rows.pieces_of_tree(id)?,
                Common::Plate(name) => rows.pieces_of_plate(name)?,
                Common::Operation(id) => rows.pieces_of_operation(id)?,
                Common::Station(name) => rows.pieces_at_station(name)?,
            };
            let mut pieces = Vec::new();
            for id in ids {
                pieces.extend(rows.piece(&id)?);
            }
            Ok(pieces)
        })
        .await
}
