//! What may be wrong with an order: every finding, at once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use sprue_compute::ring_size;

use super::order::{ApprovalRequest, Intake, PieceRequest};
use crate::casting::combination::Combination;
use crate::finding::Finding;
use crate::services::Error;
use crate::shop::design::Sha256Hex;
use crate::shop::piece::{RingSize, Stone};
use crate::shop::profile::AlloyProfile;
use crate::store::{Rows, Tx};
use crate::units::{Millimeters, Timestamp};

/// Copies of one design in one order; more is a slip of the keyboard in a bespoke workshop.
const QUANTITY_MAX: u32 = 1000;
/// Pieces in one order.
const PIECES_MAX: usize = 1000;
/// Characters in a text of an order: long enough for an engraving, short enough for a slip of paper.
const TEXT_MAX: usize = 500;

impl Intake<'_> {
    /// Everything that is wrong with the request.
    pub(super) fn check(&self, rows: &Tx<'_>) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        let request = &self.request;
        check_text(&mut findings, "/external_ref", &request.external_ref, true);
        if request.due <= rows.at() {
            let text = format!("due {} lies in the past; ask the customer for a new date", request.due);
            findings.push(Finding::error("DUE_PAST", "/due", text));
        }
        if request.pieces.is_empty() {
            findings.push(Finding::error(
                "PIECES_EMPTY",
                "/pieces",
                "an order has at least one piece; add it",
            ));
        }
        let copies: u64 = request.pieces.iter().map(|piece| u64::from(piece.quantity)).sum();
        if request.pieces.len() > PIECES_MAX || copies > PIECES_MAX as u64 {
            let text = format!("an order has at most {PIECES_MAX} pieces; split it");
            findings.push(Finding::error("PIECES_TOO_MANY", "/pieces", text));
            return Ok(findings);
        }
        let approved = self.check_approval(rows.at(), &mut findings);
        for (index, piece) in request.pieces.iter().enumerate() {
            self.check_piece(rows, index, piece, &approved, &mut findings)?;
        }
        Ok(findings)
    }

    fn check_approval(&self, now: Timestamp, findings: &mut Vec<Finding>) -> Vec<Sha256Hex> {
        let approval = &self.request.approval;
        check_text(findings, "/approval/by", &approval.by, true);
        // A day: clocks of order systems are off by minutes, time zones by hours; more is a slip.
        if approval.at.0 > now.0 + 24 * 3_600_000 {
            let text = format!("the approval is dated {}, in the future; correct the date", approval.at);
            findings.push(Finding::error("APPROVAL_FUTURE", "/approval/at", text));
        }
        let mut approved = Vec::new();
        for (index, text) in approval.design_sha256.iter().enumerate() {
            match Sha256Hex::parse(text) {
                Some(hash) => approved.push(hash),
                None => {
                    let place = format!("/approval/design_sha256/{index}");
                    findings.push(not_a_hash(place));
                }
            }
        }
        findings.extend(self.check_signature());
        approved
    }

    fn check_signature(&self) -> Option<Finding> {
        let place = "/approval/signature";
        let fail = |code, text: &str| Some(Finding::error(code, place, text));
        match (&self.sender.approval_key, &self.request.approval.signature) {
            (None, None) => None,
            (None, Some(_)) => fail(
                "SIGNATURE_UNCHECKED",
                "the approval is signed, but this API key has no approval key to check it with; create a key with \
                 --approval-key",
            ),
            (Some(_), None) => {
                fail("SIGNATURE_MISSING", "this order system signs its approvals; sign this one")
            }
            (Some(key), Some(signature)) if signed(key, signature, &self.request.approval) => None,
            (Some(_), Some(_)) => fail(
                "SIGNATURE_WRONG",
                "the signature doesn't match the approval; sign the RFC 8785 form of by, at and design_sha256",
            ),
        }
    }

    fn check_piece(
        &self,
        rows: &Rows<'_>,
        index: usize,
        piece: &PieceRequest,
        approved: &[Sha256Hex],
        findings: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        let place = |member: &str| format!("/pieces/{index}/{member}");
        check_text(findings, &place("external_ref"), &piece.external_ref, true);
        check_text(findings, &place("engraving"), piece.engraving.as_deref().unwrap_or(""), false);
        check_text(findings, &place("scaled_by"), piece.scaled_by.as_deref().unwrap_or(""), false);
        if !(1..=QUANTITY_MAX).contains(&piece.quantity) {
            let text = format!("quantity is {}; write 1 to {QUANTITY_MAX}", piece.quantity);
            findings.push(Finding::error("QUANTITY_RANGE", place("quantity"), text));
        }
        match self.profiles.alloy(&piece.alloy) {
            Err(unknown) => {
                findings.push(Finding::error("ALLOY_UNKNOWN", place("alloy"), unknown.to_string()))
            }
            Ok(alloy) => findings.extend(
                ordered(alloy, &piece.stones)
                    .refusals()
                    .into_iter()
                    .map(|finding| Finding { place: place("alloy"), ..finding }),
            ),
        }
        if let Err(unknown) = self.profiles.routing(self.routing_of(piece)) {
            findings.push(Finding::error("ROUTING_UNKNOWN", place("routing"), unknown.to_string()));
        }
        if let Some(size) = &piece.ring_size
            && let Some(finding) = self.check_ring_size(rows, size, piece)?
        {
            findings.push(Finding { place: place("ring_size"), ..finding });
        }
        for (number, stone) in piece.stones.iter().enumerate() {
            check_stone(findings, &place(&format!("stones/{number}")), stone);
        }
        check_design(rows, &place("design_sha256"), piece, approved, findings)
    }

    /// A size that nobody makes, and a design that is another size than ordered.
    fn check_ring_size(
        &self,
        rows: &Rows<'_>,
        size: &RingSize,
        piece: &PieceRequest,
    ) -> Result<Option<Finding>, Error> {
        let ordered: Result<ring_size::RingSize, _> = format!("{}:{}", size.system, size.value).parse();
        let ordered = match ordered.and_then(|ordered| ordered.inner_diameter_mm()) {
            Ok(diameter) => diameter,
            Err(refusal) => return Ok(Some(Finding::error("RING_SIZE_UNKNOWN", "", refusal.to_string()))),
        };
        let design =
            Sha256Hex::parse(&piece.design_sha256).map(|hash| rows.design(&hash)).transpose()?.flatten();
        let Some(Millimeters(measured)) = design.and_then(|design| design.part.ring_inner_diameter) else {
            return Ok(None);
        };
        Ok(compare_ring(ordered, measured, piece.scaled_by.is_some()))
    }
}

/// What an order says of the casting; investment, pour and scrap are chosen later.
fn ordered<'a>(alloy: &'a AlloyProfile, stones: &[Stone]) -> Combination<'a> {
    let stones_in_place = stones.iter().any(|stone| stone.cast_in_place);
    Combination { alloy, stones_in_place, investment: None, pour: None, scrap: false }
}

fn check_design(
    rows: &Rows<'_>,
    place: &str,
    piece: &PieceRequest,
    approved: &[Sha256Hex],
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let Some(hash) = Sha256Hex::parse(&piece.design_sha256) else {
        findings.push(not_a_hash(place.to_owned()));
        return Ok(());
    };
    if !approved.contains(&hash) {
        let text = "the approval doesn't name this design; have exactly these bytes approved";
        findings.push(Finding::error("DESIGN_NOT_APPROVED", place, text));
    }
    match rows.design(&hash)? {
        None => {
            let text = "this design was never sent; PUT its bytes to /api/v1/designs first";
            findings.push(Finding::error("DESIGN_UNKNOWN", place, text));
        }
        Some(design) => findings.extend(
            design
                .part
                .findings
                .iter()
                .map(|finding| Finding { place: format!("{place} {}", finding.place), ..finding.clone() }),
        ),
    }
    Ok(())
}

/// Half a US size: beyond it the design is another ring, not the same one with an allowance (GIA benchmark:
/// half a US size is 0.4 mm inner diameter).
const OTHER_SIZE_MM: f64 = 0.4;
/// A delivered ring may be off by this much (`casting-domain.md` section 6.1, Gildform).
const SIZE_TOLERANCE_MM: f64 = 0.15;
/// What a design may have been enlarged by when somebody scaled it before: pattern and metal shrinkage together.
const SCALED_MAX: f64 = 1.06;

fn compare_ring(ordered: f64, measured: f64, scaled: bool) -> Option<Finding> {
    let largest = if scaled { ordered * SCALED_MAX } else { ordered };
    let off = (ordered - measured).max(measured - largest).max(0.0);
    let text = format!(
        "the design's inner diameter is {measured:.2} mm, the ordered size is {ordered:.2} mm; check the size, or \
         have the right design approved"
    );
    if off > OTHER_SIZE_MM {
        return Some(Finding::error("RING_SIZE_MISMATCH", "", text));
    }
    (off > SIZE_TOLERANCE_MM).then(|| Finding::warning("RING_SIZE_OFF", "", text))
}

fn check_stone(findings: &mut Vec<Finding>, place: &str, stone: &Stone) {
    check_text(findings, &format!("{place}/shape"), &stone.shape, true);
    // From the finest melee to the largest cut stones that are set in jewellery.
    if !(0.3..=60.0).contains(&stone.diameter.0) {
        let text = format!("a stone of {} mm can't be set; write the diameter in mm", stone.diameter.0);
        findings.push(Finding::error("STONE_SIZE", format!("{place}/diameter_mm"), text));
    }
    if stone.count == 0 {
        findings.push(Finding::error("STONE_COUNT", format!("{place}/count"), "write how many stones"));
    }
}

fn check_text(findings: &mut Vec<Finding>, place: &str, text: &str, required: bool) {
    if required && text.trim().is_empty() {
        findings.push(Finding::error("TEXT_EMPTY", place, "this must not be empty; fill it in"));
    }
    if text.chars().count() > TEXT_MAX || text.chars().any(char::is_control) {
        let advice = format!("write at most {TEXT_MAX} characters without control characters");
        findings.push(Finding::error("TEXT_INVALID", place, advice));
    }
}

fn not_a_hash(place: String) -> Finding {
    Finding::error("HASH_MALFORMED", place, "this is no SHA-256; write 64 hex digits")
}

/// Ed25519 over the RFC 8785 form of the approval without its signature.
fn signed(key: &[u8; 32], signature: &str, approval: &ApprovalRequest) -> bool {
    let statement = serde_json::json!({
        "by": approval.by, "at": approval.at_text, "design_sha256": approval.design_sha256,
    });
    let Ok(statement) = serde_json_canonicalizer::to_vec(&statement) else { return false };
    let Ok(key) = VerifyingKey::from_bytes(key) else { return false };
    let Some(signature) = BASE64.decode(signature).ok().and_then(|raw| Signature::from_slice(&raw).ok())
    else {
        return false;
    };
    key.verify_strict(&statement, &signature).is_ok()
}
