//! What comes in from order systems: designs by hash, and orders that name them.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use ed25519_dalek::{Signature, VerifyingKey};
use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use sprue_compute::mesh::{self, CheckSettings, MeshReport};
use sprue_compute::mesh_files::{self, Limits as FileLimits};
use sprue_compute::ring_size;

use crate::finding::{Finding, any_error};
use crate::ids::{OrderId, PieceId};
use crate::services::{Error, Shop};
use crate::shop::design::{Design, PartFacts, Sha256Hex};
use crate::shop::event::Event;
use crate::shop::order::{Approval, Order, OrderState, Priority};
use crate::shop::piece::{Piece, PieceState, RingSize, Stone};
use crate::shop::profile::Profiles;
use crate::store::blobs::NewBlob;
use crate::store::{Answer, OrderFilter, Rows, Tx};
use crate::units::{Millimeters, Timestamp};

/// Copies of one design in one order; more is a slip of the keyboard in a bespoke workshop.
const QUANTITY_MAX: u32 = 1000;
/// Pieces in one order.
const PIECES_MAX: usize = 1000;
/// Characters in a text of an order: long enough for an engraving, short enough for a slip of paper.
const TEXT_MAX: usize = 500;

/// What is measured of every design as it comes in; what the order says of it is compared later.
const INTAKE_CHECK: CheckSettings = CheckSettings {
    pieces_expected: 1,
    inner_diameter_mm: None,
    wall_samples: WALL_SAMPLES,
    wall_mm_min: None,
};
/// Places at which the wall is measured: finds a band or bezel that is too thin, in a fraction of a second.
const WALL_SAMPLES: usize = 2_000;

/// Whether a design was new.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// Its bytes are stored now.
    New(Design),
    /// They were known.
    Known(Design),
}

/// Takes in the bytes of a design: streamed to disk, hashed, read, checked, and only then kept.
///
/// # Errors
/// `Invalid` if the bytes don't have this hash or can't be read; `TooLarge`; `NoSpace`; `UploadBroken`. Nothing
/// is stored then.
pub async fn put_design<S, E>(
    shop: &Shop,
    actor: &str,
    sha256: Sha256Hex,
    declared_bytes: Option<u64>,
    body: S,
) -> Result<Stored, Error>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let wanted = sha256.clone();
    if let Some(known) = shop.store.read(move |rows| rows.design(&wanted).map_err(Error::from)).await? {
        return Ok(Stored::Known(known));
    }
    check_design_size(shop, declared_bytes.unwrap_or(0))?;
    shop.check_space()?;
    let blob = receive(shop, body).await?;
    let arrived = blob.hash();
    if arrived != sha256 {
        let text = format!("the bytes have SHA-256 {arrived}; send the bytes that were approved");
        return Err(Error::Invalid(vec![Finding::error("HASH_MISMATCH", "/", text)]));
    }
    keep_design(shop, actor, blob).await
}

fn check_design_size(shop: &Shop, bytes: u64) -> Result<(), Error> {
    let limit_bytes = shop.workshop.limits.design_max_bytes;
    if bytes > limit_bytes {
        return Err(Error::TooLarge { what: "the design", limit_bytes });
    }
    Ok(())
}

async fn receive<S, E>(shop: &Shop, mut body: S) -> Result<NewBlob, Error>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let mut blob = shop.store.blobs().create()?;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| Error::UploadBroken)?;
        check_design_size(shop, blob.bytes().saturating_add(chunk.len() as u64))?;
        blob.write(&chunk)?;
    }
    Ok(blob)
}

async fn keep_design(shop: &Shop, actor: &str, blob: NewBlob) -> Result<Stored, Error> {
    let (sha256, bytes) = (blob.hash(), blob.bytes());
    let (media_type, report) = check_file(shop, blob.path().to_owned()).await?;
    let store_blob = move || blob.keep();
    tokio::task::spawn_blocking(store_blob).await.map_err(|_| Error::Compute { what: "storing" })??;
    let by = actor.to_owned();
    shop.store
        .transact(actor, move |tx| {
            if let Some(known) = tx.design(&sha256)? {
                return Ok(Stored::Known(known));
            }
            let part = facts(report);
            let design = Design { sha256, media_type, bytes, by, stored_at: tx.at(), part };
            tx.record(&Event::DesignStored { design: design.clone() })?;
            Ok(Stored::New(design))
        })
        .await
}

/// Reads and checks an uploaded file, one at a time: a mesh may take a few hundred megabytes.
async fn check_file(shop: &Shop, path: PathBuf) -> Result<(String, MeshReport), Error> {
    let _permit = shop.compute.acquire().await.map_err(|_| Error::Compute { what: "checking" })?;
    let check = move || -> Result<(String, MeshReport), Error> {
        let bytes = std::fs::read(&path)
            .map_err(|source| crate::store::Error::ReadBlob { path: path.clone(), source })?;
        let read = mesh_files::read(&bytes, None, &FileLimits::DESIGN)
            .map_err(|refusal| Error::Invalid(vec![refusal.finding()]))?;
        let media_type = format!("model/{}", read.format.name());
        Ok((media_type, mesh::check(read, &INTAKE_CHECK).report))
    };
    tokio::task::spawn_blocking(check).await.map_err(|_| Error::Compute { what: "checking" })?
}

fn facts(report: MeshReport) -> PartFacts {
    PartFacts {
        triangles: report.triangles as u64,
        watertight: report.watertight,
        shells: u32::try_from(report.shells).unwrap_or(u32::MAX),
        volume_mm3: report.volume_mm3,
        bounds_mm: report.bounds_mm,
        ring_inner_diameter: report.ring.map(|ring| Millimeters(ring.inner_diameter_mm)),
        findings: report.findings,
    }
}

/// An order as the order system sends it.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRequest {
    /// Its own number.
    pub external_ref: String,
    /// When the customer wants it.
    pub due: Timestamp,
    /// How it competes.
    pub priority: Priority,
    /// What to make.
    pub pieces: Vec<PieceRequest>,
    /// Who approved what.
    pub approval: ApprovalRequest,
    /// What of it could not be read; an order with such a finding is refused, with everything else that is wrong.
    pub unreadable: Vec<Finding>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct PieceRequest {
    /// The order system's own number.
    pub external_ref: String,
    /// What to make, as sent.
    pub design_sha256: String,
    /// How many.
    pub quantity: u32,
    /// Stem of the alloy's profile.
    pub alloy: String,
    /// Stem of the routing's profile; the workshop's own if it isn't named.
    pub routing: Option<String>,
    /// The ordered ring size.
    pub ring_size: Option<RingSize>,
    /// What to engrave.
    pub engraving: Option<String>,
    /// Stones to set.
    pub stones: Vec<Stone>,
    /// Who has scaled the design already.
    pub scaled_by: Option<String>,
}

/// The approval as sent.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalRequest {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// When, exactly as written: the signature covers the text.
    pub at_text: String,
    /// The approved hashes, as sent.
    pub design_sha256: Vec<String>,
    /// Ed25519, base64.
    pub signature: Option<String>,
}

/// Who sends an order, and what is known of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Name of the API key.
    pub name: String,
    /// Ed25519 public key; if there is one, every approval must be signed with it.
    pub approval_key: Option<[u8; 32]>,
}

/// What makes a repeated request answer what the first answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// Method and path.
    pub route: &'static str,
    /// The `Idempotency-Key`.
    pub key: String,
    /// SHA-256 of the body.
    pub body_sha256: [u8; 32],
}

/// Accepts an order whole, or refuses it with everything that is wrong with it.
///
/// `render` makes the answer that is kept for repeats. A repeat with the same key and body gets that answer, also
/// one that comes with a new key but names the same external reference and body.
///
/// # Errors
/// `Invalid` with every finding; `KeyReused`; `Conflict` if the external reference is taken by another order;
/// `NoSpace`.
pub async fn accept_order(
    shop: &Shop,
    sender: Sender,
    request: OrderRequest,
    repeat: Repeat,
    render: fn(&Order, &[Piece]) -> String,
) -> Result<Answer, Error> {
    shop.check_space()?;
    let (profiles, routing) = (shop.profiles.clone(), shop.workshop.routing.clone());
    let actor = sender.name.clone();
    let accepted = shop.store.transact(&actor, move |tx| {
        let intake = Intake { profiles: &profiles, default_routing: &routing, sender: &sender, request };
        intake.accept(tx, &repeat, render)
    });
    match accepted.await? {
        Decision::Accepted(answer) => {
            shop.wake.prepare.notify_one();
            shop.wake.deliver.notify_one();
            Ok(answer)
        }
        Decision::Repeated(answer) => Ok(answer),
        Decision::Refused(findings) => {
            shop.wake.deliver.notify_one();
            Err(Error::Invalid(findings))
        }
    }
}

/// How a request for an order ended; a refusal is recorded too, so it is no error of the transaction.
enum Decision {
    Accepted(Answer),
    Repeated(Answer),
    Refused(Vec<Finding>),
}

struct Intake<'a> {
    profiles: &'a Profiles,
    default_routing: &'a str,
    sender: &'a Sender,
    request: OrderRequest,
}

impl Intake<'_> {
    fn accept(
        self,
        tx: &mut Tx<'_>,
        repeat: &Repeat,
        render: fn(&Order, &[Piece]) -> String,
    ) -> Result<Decision, Error> {
        if let Some(known) = tx.answer(&self.sender.name, repeat.route, &repeat.key)? {
            if known.body_sha256 != repeat.body_sha256 {
                return Err(Error::KeyReused);
            }
            return Ok(Decision::Repeated(known));
        }
        if let Some(answer) = self.same_reference(tx, repeat, render)? {
            return Ok(Decision::Repeated(answer));
        }
        let findings = self.with_unreadable(self.check(tx)?);
        if any_error(&findings) {
            let (source, external_ref) = (self.sender.name.clone(), self.request.external_ref.clone());
            tx.record(&Event::OrderRefused { source, external_ref, findings: findings.clone() })?;
            return Ok(Decision::Refused(findings));
        }
        let (order, pieces) = self.make(tx, repeat, &findings);
        let response = render(&order, &pieces);
        tx.record(&Event::OrderAccepted { order, pieces })?;
        let answer = Answer { body_sha256: repeat.body_sha256, status: 201, response };
        tx.keep_answer(&self.sender.name, repeat.route, &repeat.key, &answer)?;
        Ok(Decision::Accepted(answer))
    }

    /// An order system that lost our answer and forgot its key must not get the ring twice.
    fn same_reference(
        &self,
        tx: &Tx<'_>,
        repeat: &Repeat,
        render: fn(&Order, &[Piece]) -> String,
    ) -> Result<Option<Answer>, Error> {
        let filter =
            OrderFilter { external_ref: Some(self.request.external_ref.clone()), ..OrderFilter::default() };
        let mut known = tx.orders(&filter, 200)?;
        known.retain(|order| order.source == self.sender.name && order.state != OrderState::Cancelled);
        let Some(order) = known.pop() else { return Ok(None) };
        if order.request_sha256 != Sha256Hex::from_digest(&repeat.body_sha256) {
            return Err(Error::conflict(format!(
                "{} is already order {} with other content; cancel it first, or send a new external_ref",
                order.external_ref, order.id
            )));
        }
        let response = render(&order, &tx.pieces_of(&order.id)?);
        Ok(Some(Answer { body_sha256: repeat.body_sha256, status: 201, response }))
    }

    /// What could not be read comes first; what stands in its place was never sent, and nothing is said of it.
    fn with_unreadable(&self, checked: Vec<Finding>) -> Vec<Finding> {
        let unreadable = &self.request.unreadable;
        let is_below = |place: &str, above: &str| {
            place.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let was_sent = |finding: &Finding| {
            !unreadable.iter().any(|unread| {
                is_below(&finding.place, &unread.place) || is_below(&unread.place, &finding.place)
            })
        };
        unreadable.iter().cloned().chain(checked.into_iter().filter(was_sent)).collect()
    }

    fn check(&self, rows: &Tx<'_>) -> Result<Vec<Finding>, Error> {
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
        if let Err(unknown) = self.profiles.alloy(&piece.alloy) {
            findings.push(Finding::error("ALLOY_UNKNOWN", place("alloy"), unknown.to_string()));
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

    fn routing_of<'p>(&'p self, piece: &'p PieceRequest) -> &'p str {
        piece.routing.as_deref().unwrap_or(self.default_routing)
    }

    fn make(&self, tx: &mut Tx<'_>, repeat: &Repeat, findings: &[Finding]) -> (Order, Vec<Piece>) {
        let at = tx.at();
        let id = OrderId::next(tx.ids(), at);
        let mut pieces = Vec::new();
        for (index, line) in self.request.pieces.iter().enumerate() {
            let of_line = format!("/pieces/{index}/");
            let own: Vec<Finding> =
                findings.iter().filter(|finding| finding.place.starts_with(&of_line)).cloned().collect();
            for copy in 1..=line.quantity {
                pieces.push(self.make_piece(PieceId::next(tx.ids(), at), &id, line, copy, own.clone()));
            }
        }
        let request = &self.request;
        let order = Order {
            id,
            source: self.sender.name.clone(),
            external_ref: request.external_ref.clone(),
            request_sha256: Sha256Hex::from_digest(&repeat.body_sha256),
            due: request.due,
            priority: request.priority,
            approval: Approval {
                by: request.approval.by.clone(),
                at: request.approval.at,
                design_sha256: request
                    .approval
                    .design_sha256
                    .iter()
                    .filter_map(|h| Sha256Hex::parse(h))
                    .collect(),
                signature: request.approval.signature.clone(),
            },
            pieces: pieces.iter().map(|piece| piece.id.clone()).collect(),
            received_at: at,
            state: OrderState::Accepted,
            hold: None,
            promised: None,
            late: false,
        };
        (order, pieces)
    }

    fn make_piece(
        &self,
        id: PieceId,
        order: &OrderId,
        line: &PieceRequest,
        copy: u32,
        findings: Vec<Finding>,
    ) -> Piece {
        let external_ref = if line.quantity == 1 {
            line.external_ref.clone()
        } else {
            format!("{}-{copy}", line.external_ref)
        };
        // An order with a hash that can't be read was refused before.
        let design =
            Sha256Hex::parse(&line.design_sha256).unwrap_or_else(|| Sha256Hex::from_digest(&[0; 32]));
        Piece {
            id,
            order: order.clone(),
            external_ref,
            design,
            alloy: line.alloy.clone(),
            routing: self.routing_of(line).to_owned(),
            ring_size: line.ring_size.clone(),
            engraving: line.engraving.clone(),
            stones: line.stones.clone(),
            scaled_by: line.scaled_by.clone(),
            state: PieceState::Received,
            hold: None,
            stage: None,
            attempt: 1,
            reason: None,
            findings,
        }
    }
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

/// SHA-256 of a request's body.
#[must_use]
pub fn body_digest(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}
