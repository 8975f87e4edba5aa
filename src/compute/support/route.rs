//! How a contact gets down to the plate: head, pillar, branch, or a foot on the part as the last resort.
//!
//! The highest contact goes first. Tried in turn: a head with a pillar straight down; a branch to a pillar that
//! stands; a way round the part, downwards all the way; a foot on the part where that may be.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use nalgebra::{Point3, Unit, Vector3};

use super::brace::{self, Brace};
use super::held::{Left, Why};
use super::solids::Pieces;
use super::space::Space;
use super::surface::{Spot, Surface};
use super::{Cause, Contact, Params, Supports, raft};
use crate::finding::Finding;

/// Directions in which a head may lean.
const AZIMUTHS: u32 = 16;

/// Angles of a head as shares of the greatest one.
const TILTS: [f64; 3] = [1.0 / 3.0, 2.0 / 3.0, 1.0];

/// Lengths of a head as shares of the cone's; short ones fit into narrow places.
const LENGTHS: [f64; 3] = [1.0, 1.8, 0.6];

/// So far down a cone the distance to the surface says nothing yet: cells are too coarse, mm.
const BLIND_MM: f64 = 0.55;

/// A branch reaches this far to a pillar, mm.
const BRANCH_MM: f64 = 8.0;

/// Lattice on which ways round the part are looked for, mm.
const STEP_MM: f64 = 0.5;

/// So many places are looked at for one way.
const LOOKED_AT_MAX: usize = 12_000;

/// A pillar on the part is at least this long, mm; a shorter one can't be cut off.
const FOOT_LENGTH_MM: f64 = 1.0;

/// The face under a foot looks up at least this much (cosine).
const FOOT_FACES_UP: f64 = 0.6;

/// One support from its contact to where it ends.
#[derive(Debug, Clone)]
pub(super) struct Leg {
    pub(super) contact: Contact,
    /// Away from the part.
    axis: Unit<Vector3<f64>>,
    pub(super) radius: f64,
    /// From the end of the head down.
    pub(super) nodes: Vec<Point3<f64>>,
    pub(super) end: End,
}

/// Where a support ends.
#[derive(Debug, Clone)]
pub(super) enum End {
    Plate,
    /// In another support.
    Joint,
    /// On the part.
    Part(Contact),
}

/// What gets where.
pub(super) struct Routed {
    pub(super) legs: Vec<Leg>,
    left: Vec<Left>,
}

/// Leads every contact down.
pub(super) fn route(wanted: &[Contact], surface: &Surface<'_>, space: &Space, params: &Params) -> Routed {
    let mut order: Vec<&Contact> = wanted.iter().collect();
    order.sort_by(|a, b| b.point.z.total_cmp(&a.point.z));
    let router = Router { surface, space, params };
    let mut routed = Routed { legs: Vec::new(), left: Vec::new() };
    for contact in order {
        match router.leg(contact, &routed.legs) {
            Some(leg) => routed.legs.push(leg),
            None => {
                let left = Left { at: contact.point, cause: contact.cause, why: Why::Unreachable };
                routed.left.push(left);
            }
        }
    }
    routed
}

/// Where a foot may stand on the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FootRule {
    /// Where its mark is easily polished, and long enough to be cut off.
    Sound,
    /// Wherever the part may be touched at all: an island that is not held spoils the print.
    Any,
}

/// A head that fits.
#[derive(Debug, Clone, Copy)]
struct Head {
    axis: Unit<Vector3<f64>>,
    end: Point3<f64>,
}

struct Router<'a> {
    surface: &'a Surface<'a>,
    space: &'a Space,
    params: &'a Params,
}

impl Router<'_> {
    /// The first way that works: with a normal pillar, with a thin one, and for islands on the part at any cost.
    fn leg(&self, contact: &Contact, legs: &[Leg]) -> Option<Leg> {
        let fine = self.params.pillar_fine_mm / 2.0;
        let radius = self.radius(contact.point.z);
        let normal = self.leg_of(contact, legs, radius, FootRule::Sound);
        let thin = normal.or_else(|| self.leg_of(contact, legs, fine, FootRule::Sound));
        match contact.cause {
            Cause::Island => {
                let at_any_cost = thin.or_else(|| self.leg_of(contact, legs, fine, FootRule::Any));
                at_any_cost.or_else(|| self.strut(contact))
            }
            Cause::Overhang | Cause::Strength | Cause::Foot => thin,
        }
    }

    fn leg_of(&self, contact: &Contact, legs: &[Leg], radius: f64, rule: FootRule) -> Option<Leg> {
        let mut heads = Vec::new();
        for head in self.heads(contact) {
            if head.end.z > radius && self.fits(contact, &head, radius) {
                if self.space.drops(&head.end, self.needed(radius)) {
                    return Some(self.finish(contact, head, radius, vec![head.end], End::Plate));
                }
                heads.push(head);
            }
        }
        let branch = heads.iter().find_map(|head| Some((*head, self.branch(head, legs, radius)?)));
        if let Some((head, joint)) = branch {
            return Some(self.finish(contact, head, radius, vec![head.end, joint], End::Joint));
        }
        if let Some((head, nodes)) = self.way_round(&heads, radius) {
            return Some(self.finish(contact, head, radius, nodes, End::Plate));
        }
        let foot = heads.iter().find_map(|head| Some((*head, self.foot(head, radius, rule)?)));
        foot.map(|(head, (bottom, foot))| {
            self.finish(contact, head, radius, vec![head.end, bottom], End::Part(foot))
        })
    }

    /// A double cone down to the part: for gaps that no pillar fits into.
    fn strut(&self, contact: &Contact) -> Option<Leg> {
        let Point3 { coords } = contact.point;
        let spot = self.surface.floor([coords.x, coords.y], coords.z - self.params.penetration_mm)?;
        let gap_mm = coords.z - spot.point.z;
        let middle = nalgebra::center(&contact.point, &spot.point);
        let radius = (contact.diameter_mm / 2.0 + gap_mm / 8.0).min(self.params.pillar_fine_mm / 2.0);
        let is_short = gap_mm <= 2.0 * radius * self.params.slenderness_max;
        let is_clear = gap_mm < 2.0 * BLIND_MM || self.space.clear_mm(&middle) >= radius;
        let foot = self.standing_on(&spot);
        (spot.zone.may_touch() && is_short && is_clear).then(|| Leg {
            contact: *contact,
            axis: -Vector3::z_axis(),
            radius,
            nodes: vec![middle],
            end: End::Part(foot),
        })
    }

    fn standing_on(&self, spot: &Spot) -> Contact {
        Contact {
            point: spot.point,
            normal: spot.normal,
            diameter_mm: self.params.tip_mm,
            zone: spot.zone,
            cause: Cause::Foot,
        }
    }

    /// Distance of a pillar's axis to the part.
    fn needed(&self, radius: f64) -> f64 {
        let share = (2.0 * radius / self.params.pillar_mm).clamp(0.75, 1.0);
        radius + self.params.clearance_mm * share
    }

    fn radius(&self, z_mm: f64) -> f64 {
        let is_long = z_mm > self.params.long_mm;
        if is_long { self.params.pillar_long_mm / 2.0 } else { self.params.pillar_mm / 2.0 }
    }

    fn finish(
        &self,
        contact: &Contact,
        head: Head,
        radius: f64,
        mut nodes: Vec<Point3<f64>>,
        end: End,
    ) -> Leg {
        if let (End::Plate, Some(last)) = (&end, nodes.last().copied()) {
            nodes.push(on_plate(&last));
        }
        Leg { contact: *contact, axis: head.axis, radius, nodes, end }
    }

    /// Heads in the order in which they are liked: along the normal, straight down, leaning.
    fn heads(&self, contact: &Contact) -> Vec<Head> {
        let most = self.params.tilt_degrees_max.to_radians();
        let mut axes = vec![turned_down(contact.normal, most), -Vector3::z_axis()];
        for tilt in TILTS {
            for step in 0..AZIMUTHS {
                let turn = std::f64::consts::TAU * f64::from(step) / f64::from(AZIMUTHS);
                let (sin, cos) = (most * tilt).sin_cos();
                axes.push(Unit::new_normalize(Vector3::new(sin * turn.cos(), sin * turn.sin(), -cos)));
            }
        }
        let head = |axis: Unit<Vector3<f64>>, length: f64| {
            let end = contact.point + axis.into_inner() * (self.params.cone_mm * length);
            Head { axis, end }
        };
        LENGTHS.iter().flat_map(|&length| axes.iter().map(move |&axis| head(axis, length))).collect()
    }

    /// Whether a cone stays away from the part, but for its contact.
    fn fits(&self, contact: &Contact, head: &Head, radius: f64) -> bool {
        let length = (head.end - contact.point).norm();
        let mut at = BLIND_MM.min(length);
        loop {
            let point = contact.point + head.axis.into_inner() * at;
            let own = contact.diameter_mm / 2.0 + (radius - contact.diameter_mm / 2.0) * at / length;
            let distance = self.params.clearance_mm * (at / self.params.near_mm).min(1.0);
            if self.space.clear_mm(&point) < own + distance / 2.0 {
                return false;
            }
            if at >= length {
                return true;
            }
            at = (at + STEP_MM / 4.0).min(length);
        }
    }

    /// The nearest pillar that a branch gets to.
    fn branch(&self, head: &Head, legs: &[Leg], radius: f64) -> Option<Point3<f64>> {
        let slope = 1.0 / self.params.tilt_degrees_max.to_radians().tan().max(0.1);
        let needed = self.needed(radius);
        let mut joints: Vec<(f64, Point3<f64>)> = Vec::new();
        for leg in legs.iter().filter(|leg| matches!(leg.end, End::Plate)) {
            let [.., top, foot] = leg.nodes[..] else { continue };
            let away = (top.xy() - head.end.xy()).norm();
            let joint = Point3::new(foot.x, foot.y, (head.end.z - away * slope).min(top.z));
            let is_above_base = joint.z > self.params.base.foot_height_mm + self.raft_mm() + radius;
            if away <= BRANCH_MM && away > 1e-6 && is_above_base {
                joints.push(((joint - head.end).norm(), joint));
            }
        }
        joints.sort_by(|a, b| a.0.total_cmp(&b.0));
        joints.into_iter().map(|(_, joint)| joint).find(|joint| self.space.is_clear(&head.end, joint, needed))
    }

    fn raft_mm(&self) -> f64 {
        self.params.base.raft.as_ref().map_or(0.0, |raft| raft.thickness_mm)
    }

    /// The cheapest way down from any of the heads to where a pillar can drop. Ways only go down, at most as flat
    /// as a head.
    fn way_round(&self, heads: &[Head], radius: f64) -> Option<(Head, Vec<Point3<f64>>)> {
        let needed = self.needed(radius);
        let mut open = BinaryHeap::new();
        let mut known: BTreeMap<Place, (u32, Option<Place>)> = BTreeMap::new();
        let mut starts: BTreeMap<Place, Head> = BTreeMap::new();
        for head in heads {
            let place = Place::near(&head.end);
            let point = place.point();
            if point.z < head.end.z && self.space.is_clear(&head.end, &point, needed) {
                starts.entry(place).or_insert(*head);
                known.entry(place).or_insert((0, None));
                open.push(Reverse((0_u32, place)));
            }
        }
        let mut looked_at = 0;
        while let Some(Reverse((cost, place))) = open.pop() {
            if known.get(&place).is_none_or(|entry| entry.0 < cost) {
                continue;
            }
            let point = place.point();
            if self.space.drops(&point, needed) {
                return self.walked_back(place, &known, &starts, needed);
            }
            looked_at += 1;
            if looked_at > LOOKED_AT_MAX {
                return None;
            }
            for (next, price) in place.below() {
                let to = next.point();
                let total = cost + price;
                let is_better = known.get(&next).is_none_or(|entry| total < entry.0);
                if to.z > radius && is_better && self.space.is_clear(&point, &to, needed) {
                    known.insert(next, (total, Some(place)));
                    open.push(Reverse((total, next)));
                }
            }
        }
        None
    }

    /// The nodes of a way, without those that a straight line can leave out.
    fn walked_back(
        &self,
        end: Place,
        known: &BTreeMap<Place, (u32, Option<Place>)>,
        starts: &BTreeMap<Place, Head>,
        needed: f64,
    ) -> Option<(Head, Vec<Point3<f64>>)> {
        let mut way = vec![end];
        while let Some(before) = way.last().and_then(|place| known.get(place)?.1) {
            way.push(before);
        }
        way.reverse();
        let head = *starts.get(way.first()?)?;
        let points: Vec<Point3<f64>> =
            std::iter::once(head.end).chain(way.iter().map(Place::point)).collect();
        let mut nodes = vec![head.end];
        let mut at = 0;
        while at + 1 < points.len() {
            let straight = |to: &usize| {
                let way = points[*to] - points[at];
                let is_steep = way.xy().norm() <= -way.z * (1.0 + 1e-9);
                *to == at + 1 || (is_steep && self.space.is_clear(&points[at], &points[*to], needed))
            };
            at = (at + 1..points.len()).rev().find(straight)?;
            nodes.push(points[at]);
        }
        Some((head, nodes))
    }

    /// A pillar that stands on the part, where that may be: its lower end and the contact below.
    fn foot(&self, head: &Head, radius: f64, rule: FootRule) -> Option<(Point3<f64>, Contact)> {
        let spot = self.surface.floor([head.end.x, head.end.y], head.end.z)?;
        let (share, least_mm) = match rule {
            FootRule::Sound => (1.0, FOOT_LENGTH_MM),
            FootRule::Any => (0.5, 0.0),
        };
        let bottom = spot.point + Vector3::z() * (self.params.cone_mm * share);
        let may_stand = rule == FootRule::Any || (spot.zone.may_stand() && spot.normal.z >= FOOT_FACES_UP);
        let is_sound = spot.zone.may_touch()
            && may_stand
            && head.end.z - bottom.z >= least_mm
            && self.space.is_clear(&head.end, &bottom, radius + self.params.clearance_mm / 2.0);
        is_sound.then(|| (bottom, self.standing_on(&spot)))
    }
}

fn on_plate(point: &Point3<f64>) -> Point3<f64> {
    Point3::new(point.x, point.y, 0.0)
}

/// A normal turned so far down as a head may lean; straight down if it looks up.
fn turned_down(normal: Unit<Vector3<f64>>, most: f64) -> Unit<Vector3<f64>> {
    let side = Vector3::new(normal.x, normal.y, 0.0);
    let down = -normal.z;
    if down <= 0.0 || side.norm() < 1e-9 {
        return -Vector3::z_axis();
    }
    let angle = side.norm().atan2(down).min(most);
    Unit::new_normalize(side.normalize() * angle.sin() - Vector3::z() * angle.cos())
}

/// A place of the lattice, highest first in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place([i32; 3]);

impl Place {
    #[expect(clippy::cast_possible_truncation, reason = "plates are a few thousand steps wide; saturates")]
    fn near(point: &Point3<f64>) -> Self {
        let [x, y] = [point.x, point.y].map(|at| (at / STEP_MM).round() as i32);
        Self([x, y, (point.z / STEP_MM - 0.5).floor() as i32])
    }

    fn point(&self) -> Point3<f64> {
        let [x, y, z] = self.0.map(f64::from);
        Point3::new(x, y, z) * STEP_MM
    }

    /// Places that a way may go on to, with what it costs in hundredths of a step.
    fn below(self) -> impl Iterator<Item = (Self, u32)> {
        let [x, y, z] = self.0;
        let moves = [
            ([0, 0, -1], 100),
            ([1, 0, -1], 141),
            ([-1, 0, -1], 141),
            ([0, 1, -1], 141),
            ([0, -1, -1], 141),
            ([1, 1, -2], 245),
            ([1, -1, -2], 245),
            ([-1, 1, -2], 245),
            ([-1, -1, -2], 245),
        ];
        moves.into_iter().map(move |([dx, dy, dz], cost)| (Self([x + dx, y + dy, z + dz]), cost))
    }
}

/// Everything that will be printed below the part.
pub(super) struct Built {
    pieces: Pieces,
    routed: Routed,
    braces: Vec<Brace>,
}

/// Makes the pieces.
pub(super) fn build(routed: Routed, space: &Space, params: &Params, label: &str) -> Built {
    let mut pieces = Pieces::default();
    for leg in &routed.legs {
        leg.draw(&mut pieces, params);
    }
    let braces = brace::braces(&routed.legs, space, params);
    for brace in &braces {
        pieces.cone(brace.from, brace.radius, brace.to, brace.radius);
        if brace.stands {
            pieces.ball(brace.to, brace.radius);
            pieces.cone(brace.to, brace.radius, on_plate(&brace.to), brace.radius);
        }
    }
    let feet = routed.legs.iter().filter(|leg| matches!(leg.end, End::Plate));
    let mut feet: Vec<Point3<f64>> = feet.filter_map(|leg| leg.nodes.last().copied()).collect();
    feet.extend(braces.iter().filter(|brace| brace.stands).map(|brace| on_plate(&brace.to)));
    raft::draw(&mut pieces, &feet, params, label);
    Built { pieces, routed, braces }
}

impl Leg {
    fn draw(&self, pieces: &mut Pieces, params: &Params) {
        let Some(&head) = self.nodes.first() else { return };
        let into = self.contact.point - self.axis.into_inner() * params.penetration_mm;
        pieces.cone(into, self.contact.diameter_mm / 2.0, head, self.radius);
        for pair in self.nodes.windows(2) {
            pieces.ball(pair[0], self.radius);
            pieces.cone(pair[0], self.radius, pair[1], self.radius);
        }
        if let (End::Part(foot), Some(&bottom)) = (&self.end, self.nodes.last()) {
            pieces.ball(bottom, self.radius);
            let into = foot.point - Vector3::z() * params.penetration_mm;
            pieces.cone(bottom, self.radius, into, foot.diameter_mm / 2.0);
        }
    }
}

impl Built {
    pub(super) fn finish(self, mut left: Vec<Left>, params: &Params) -> Supports {
        left.extend(self.routed.left);
        let tips = self.routed.legs.iter().map(|leg| leg.contact);
        let feet = self.routed.legs.iter().filter_map(|leg| match leg.end {
            End::Part(foot) => Some(foot),
            End::Plate | End::Joint => None,
        });
        let contacts: Vec<Contact> = tips.chain(feet).collect();
        let count = |cause: Cause| contacts.iter().filter(|contact| contact.cause == cause).count();
        let pillars = self.routed.legs.iter().filter(|leg| matches!(leg.end, End::Plate)).count();
        let sections = contacts.iter().map(|contact| contact.diameter_mm.powi(2));
        let stats = super::Stats {
            tips: number(contacts.len() - count(Cause::Foot)),
            feet_on_part: number(count(Cause::Foot)),
            pillars: number(pillars),
            braces: number(self.braces.len()),
            contact_mm2: sections.sum::<f64>() * std::f64::consts::PI / 4.0,
            islands: number(count(Cause::Island)),
            left: number(left.len()),
        };
        let findings = left.iter().map(finding).collect();
        let raft_top_mm = params.base.raft.as_ref().map_or(0.0, |raft| raft.thickness_mm);
        Supports { mesh: self.pieces.mesh, contacts, raft_top_mm, stats, findings }
    }
}

fn finding(left: &Left) -> Finding {
    let place = format!("{:.2}, {:.2}, {:.2} mm", left.at.x, left.at.y, left.at.z);
    let why = match left.why {
        Why::Forbidden => "it lies in a zone that may not be touched; turn the part or change the zone",
        Why::Unreachable => "no support gets there; turn the part",
        Why::TooMany => "the part needs too many supports; turn it or check its surface",
    };
    match left.cause {
        Cause::Island => Finding::error("SUPPORT_ISLAND", place, format!("an island is not held: {why}")),
        Cause::Overhang | Cause::Foot => {
            Finding::warning("SUPPORT_OVERHANG", place, format!("an overhang is not held: {why}"))
        }
        Cause::Strength => {
            Finding::note("SUPPORT_STRENGTH", place, format!("a support less than wished for: {why}"))
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
