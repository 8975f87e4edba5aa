//! Orders: accepted whole, or refused with everything that is wrong with them.

use crate::finding::{Finding, any_error};
use crate::ids::{OrderId, PieceId};
use crate::services::{Error, Shop};
use crate::shop::design::Sha256Hex;
use crate::shop::event::Event;
use crate::shop::order::{Approval, Order, OrderState, Priority};
use crate::shop::piece::{Piece, PieceState, RingSize, Stone};
use crate::shop::profile::Profiles;
use crate::store::{Answer, OrderFilter, Tx};
use crate::units::Timestamp;

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

/// A request on its way in.
pub(super) struct Intake<'a> {
    pub(super) profiles: &'a Profiles,
    pub(super) default_routing: &'a str,
    pub(super) sender: &'a Sender,
    pub(super) request: OrderRequest,
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

    pub(super) fn routing_of<'p>(&'p self, piece: &'p PieceRequest) -> &'p str {
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
