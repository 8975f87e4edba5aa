//! The passport of a piece: how it was really made, complete or with what is missing, as a document that stands
//! alone.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::finding::Finding;
use crate::ids::{OperationId, OrderId, PieceId, PlateId};
use crate::shop::design::Sha256Hex;
use crate::shop::lot::Lot;
use crate::shop::metal::MetalEntry;
use crate::shop::operation::Batch;
use crate::shop::order::Approval;
use crate::shop::piece::{RingSize, Stone};
use crate::units::{Microns, Millimeters, Span, Timestamp};

/// What every passport calls itself; a changed meaning gets another number.
pub const SCHEMA: &str = "sprue/passport/1";

/// The as-built record of one piece.
#[derive(Debug, Clone, Serialize)]
pub struct Passport {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Whose record it is.
    pub workshop: String,
    /// When this copy was written.
    pub issued_at: Timestamp,
    /// Which piece, of which order, after which approval.
    pub identity: Identity,
    /// What was ordered, and what the design measures.
    pub geometry: Geometry,
    /// Stones of the order.
    pub stones: Vec<Stone>,
    /// Each time it was made, the last one last: a casting that failed is part of the story.
    pub attempts: Vec<Attempt>,
    /// The lots that went into it, by the labels that people recorded.
    pub lots: Vec<UsedLot>,
    /// How its metal moved.
    pub metal: Vec<MetalEntry>,
    /// What the checks noticed.
    pub findings: Vec<Finding>,
    /// What a whole record would also hold, and does not; empty for a complete one.
    pub missing: Vec<String>,
    /// Where in the journal this record ends.
    pub evidence: Evidence,
}

/// Which piece it is.
#[derive(Debug, Clone, Serialize)]
pub struct Identity {
    /// Our id.
    pub piece_id: PieceId,
    /// The order system's number of the piece.
    pub external_ref: String,
    /// Its order.
    pub order_id: OrderId,
    /// The order system's number of the order.
    pub order_external_ref: String,
    /// The design, by its bytes.
    pub design_sha256: Sha256Hex,
    /// Who approved it.
    pub approval: Approval,
    /// How it stands.
    pub state: String,
    /// When it was finished.
    pub finished_at: Option<Timestamp>,
    /// What was engraved.
    pub engraving: Option<String>,
}

/// What was ordered, and what the design measures.
#[derive(Debug, Clone, Serialize)]
pub struct Geometry {
    /// Stem of the alloy's profile.
    pub alloy: String,
    /// The ordered size.
    pub ring_size: Option<RingSize>,
    /// Measured on the design, before any scaling, mm.
    pub design_inner_diameter_mm: Option<Millimeters>,
    /// Of the design, before any scaling, mm³.
    pub design_volume_mm3: f64,
    /// Who had scaled it before it came; then it was not scaled here.
    pub scaled_by: Option<String>,
}

/// One making of the piece.
#[derive(Debug, Clone, Serialize)]
pub struct Attempt {
    /// The plate that it was printed on.
    pub plate_id: PlateId,
    /// The plate's label.
    pub plate_label: String,
    /// Stem of the printer's profile.
    pub printer: String,
    /// Stem of the material's profile.
    pub material: String,
    /// Layer height, µm.
    pub layer_um: Microns,
    /// Linear factors along x, y and z.
    pub scale: Option<[f64; 3]>,
    /// What they make up for, with sources.
    pub scale_origin: Option<String>,
    /// The printer's file, by its bytes.
    pub print_file_sha256: Option<Sha256Hex>,
    /// Its steps in the order of the routing.
    pub steps: Vec<StepRecord>,
}

/// One step of one making.
#[derive(Debug, Clone, Serialize)]
pub struct StepRecord {
    /// The operation.
    pub operation_id: OperationId,
    /// Name in the routing.
    pub stage: String,
    /// What people read.
    pub title: String,
    /// What moved together: a plate, a tree or flask, the piece.
    pub batch: Batch,
    /// Pieces that went through it together.
    pub pieces_together: usize,
    /// How it stands or ended.
    pub state: String,
    /// Where.
    pub station: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Everybody who recorded something of it, in order.
    pub by: Vec<String>,
    /// What was recorded, by name; units stand in the names.
    pub recorded: BTreeMap<String, serde_json::Value>,
    /// By how much its longest wait was exceeded when somebody began it all the same.
    pub window_exceeded: Option<Span>,
    /// Why it failed or was given up.
    pub reason: Option<String>,
}

/// A lot that went into the piece.
#[derive(Debug, Clone, Serialize)]
pub struct UsedLot {
    /// The label as it was recorded.
    pub label: String,
    /// The step that used it.
    pub stage: String,
    /// What is known of it; nothing if nobody received such a lot.
    pub lot: Option<Lot>,
}

/// Where in the journal the record ends: the hash covers every line up to there.
#[derive(Debug, Clone, Serialize)]
pub struct Evidence {
    /// The last line.
    pub journal_seq: i64,
    /// Its hash in the chain, hex.
    pub journal_chain: Sha256Hex,
}
