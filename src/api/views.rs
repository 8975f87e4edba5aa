//! The shapes that are sent: orders, pieces, tasks, stations. Names and units as in the public contract.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::finding::Finding;
use crate::services::query::StationView;
use crate::services::tasks::Task;
use crate::shop::design::Design;
use crate::shop::operation::Operation;
use crate::shop::order::Order;
use crate::shop::piece::{Piece, RingSize, Stone};
use crate::shop::plate::{Plate, PlateState};
use crate::shop::workshop::is_print;
use crate::units::Timestamp;

/// One thing that a check noticed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub(super) struct FindingView {
    /// `error`, `warning` or `note`.
    severity: String,
    /// Stable code.
    code: String,
    /// What is wrong, and what to do.
    text: String,
    /// Where: a JSON pointer, or a place in the design.
    place: String,
}

impl FindingView {
    fn of(finding: &Finding) -> Self {
        Self {
            severity: finding.severity.word().to_owned(),
            code: finding.code.clone(),
            text: finding.text.clone(),
            place: finding.place.clone(),
        }
    }
}

/// A stored design.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Design)]
pub(super) struct DesignView {
    /// Of its bytes, lower-case hex.
    sha256: String,
    /// Its size.
    bytes: u64,
    /// `model/stl`, `model/3mf` or `model/obj`, as recognised from the bytes.
    media_type: String,
    /// Faces.
    triangles: u64,
    /// Whether every edge has two faces.
    watertight: bool,
    /// Connected surfaces.
    shells: u32,
    /// Enclosed volume.
    volume_mm3: f64,
    /// Lowest and highest corner.
    bounds_mm: [[f64; 3]; 2],
    /// If it is a ring.
    ring_inner_diameter_mm: Option<f64>,
    /// What the check noticed.
    #[schema(value_type = Vec<FindingView>)]
    findings: Vec<Finding>,
}

impl DesignView {
    pub(super) fn of(design: Design) -> Self {
        let part = design.part;
        Self {
            sha256: design.sha256.to_string(),
            bytes: design.bytes,
            media_type: design.media_type,
            triangles: part.triangles,
            watertight: part.watertight,
            shells: part.shells,
            volume_mm3: part.volume_mm3,
            bounds_mm: part.bounds_mm,
            ring_inner_diameter_mm: part.ring_inner_diameter.map(|diameter| diameter.0),
            findings: part.findings,
        }
    }
}

/// An order as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(super) struct OrderView {
    /// Our id.
    #[schema(example = "ord_0193a5c0d1e27a3b8c4d5e6f70819203")]
    id: String,
    /// The order system's own number.
    external_ref: String,
    /// `accepted`, `held`, `completed` or `cancelled`.
    state: String,
    /// When the customer wants it.
    #[schema(value_type = String, format = DateTime)]
    due: Timestamp,
    /// `normal` or `rush`.
    priority: String,
    /// When the plan finishes it.
    #[schema(value_type = Option<String>, format = DateTime)]
    promised: Option<Timestamp>,
    /// Whether that is after `due`.
    late: bool,
    /// When it was accepted.
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// Why a person holds it.
    hold: Option<String>,
    /// Its pieces, in the order of the request.
    pieces: Vec<PieceLine>,
    /// What the check noticed at its pieces.
    #[schema(value_type = Vec<FindingView>)]
    findings: Vec<Finding>,
}

/// A piece in its order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PieceLine {
    /// Our id.
    id: String,
    /// The order system's own number.
    external_ref: String,
    /// `received`, `checked`, `held`, `planned`, `in_production`, `finished`, `cancelled` or `refused`.
    state: String,
    /// The operation it is in, or was in last.
    stage: Option<String>,
    /// One for the first making.
    attempt: u32,
    /// Why it is held, refused, cancelled or made again.
    reason: Option<String>,
}

impl OrderView {
    pub(super) fn of(order: &Order, pieces: &[Piece]) -> Self {
        let mut findings: Vec<Finding> = Vec::new();
        // Copies of one line have the same findings.
        for finding in pieces.iter().flat_map(|piece| &piece.findings) {
            if !findings.contains(finding) {
                findings.push(finding.clone());
            }
        }
        Self {
            id: order.id.to_string(),
            external_ref: order.external_ref.clone(),
            state: order.state_word().to_owned(),
            due: order.due,
            priority: word(&order.priority),
            promised: order.promised,
            late: order.late,
            received_at: order.received_at,
            hold: order.hold.clone(),
            pieces: pieces.iter().map(PieceLine::of).collect(),
            findings,
        }
    }

    /// What `POST /orders` answers, also to repeats.
    pub(super) fn json(order: &Order, pieces: &[Piece]) -> String {
        serde_json::to_string(&Self::of(order, pieces)).unwrap_or_default()
    }
}

impl PieceLine {
    fn of(piece: &Piece) -> Self {
        Self {
            id: piece.id.to_string(),
            external_ref: piece.external_ref.clone(),
            state: piece.state_word().to_owned(),
            stage: piece.stage.clone(),
            attempt: piece.attempt,
            reason: reason(piece),
        }
    }
}

/// One physical item.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Piece)]
pub(super) struct PieceView {
    #[serde(flatten)]
    line: PieceLine,
    /// Its order.
    order_id: String,
    /// What to make.
    design_sha256: String,
    /// Stem of the alloy's profile.
    alloy: String,
    /// Stem of the routing's profile.
    routing: String,
    /// The ordered size of a ring.
    #[schema(value_type = Option<super::order_body::RingSizeBody>)]
    ring_size: Option<RingSize>,
    /// What to engrave; a display doesn't see it.
    engraving: Option<String>,
    /// Stones to set.
    #[schema(value_type = Vec<super::order_body::StoneBody>)]
    stones: Vec<Stone>,
    /// Who has scaled the design already.
    scaled_by: Option<String>,
    /// Why it is on no plate yet.
    waiting_for: Option<String>,
    /// What the check noticed about it as ordered.
    #[schema(value_type = Vec<FindingView>)]
    findings: Vec<Finding>,
}

impl PieceView {
    pub(super) fn of(piece: Piece, waiting_for: Option<String>, sees_customers: bool) -> Self {
        Self {
            line: PieceLine::of(&piece),
            order_id: piece.order.to_string(),
            design_sha256: piece.design.to_string(),
            alloy: piece.alloy,
            routing: piece.routing,
            ring_size: piece.ring_size,
            engraving: piece.engraving.filter(|_| sees_customers),
            stones: piece.stones,
            scaled_by: piece.scaled_by,
            waiting_for,
            findings: piece.findings,
        }
    }
}

fn reason(piece: &Piece) -> Option<String> {
    piece.hold.clone().or_else(|| piece.reason.clone())
}

/// One step of the work, as a task of people.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Task)]
pub(super) struct TaskView {
    #[serde(flatten)]
    operation: OperationView,
    /// Whether it can be started now.
    ready: bool,
    /// Where the plan has it, or where it is.
    station: Option<String>,
    /// When the plan begins it.
    #[schema(value_type = Option<String>, format = DateTime)]
    planned_start: Option<Timestamp>,
    /// What is asked of the person, if it isn't plain work.
    question: Option<String>,
}

/// One step of the work.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Operation)]
pub(super) struct OperationView {
    /// Our id; also the id of the task.
    id: String,
    /// What a person reads.
    title: String,
    /// Name of the step in its routing.
    stage: String,
    /// `planned`, `starting`, `running`, `held`, `unknown`, `done`, `failed` or `abandoned`.
    state: String,
    /// What a station must be able to do.
    ability: String,
    /// Whether people do it; otherwise its printer does.
    by_hand: bool,
    /// Since when it runs, or ran.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    /// How long it takes from start to finish, waiting included.
    elapsed_s: u64,
    /// How long somebody is needed for it.
    attended_s: u64,
    /// For a print: the name of its file on the printer.
    print_job: Option<String>,
    /// One for the first try.
    attempt: u32,
    /// What goes through it.
    pieces: Vec<String>,
    /// What is recorded when it is done.
    records: Vec<RecordView>,
    /// What was recorded.
    #[schema(value_type = Object)]
    recorded: Value,
}

/// A plate that a piece lay on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Plate)]
pub(super) struct PlateView {
    /// Our id.
    id: String,
    /// Five characters, on the label and in the file's name on the printer.
    label: String,
    /// `composed`, `sliced` or `dissolved`.
    state: String,
    /// Stem of the printer's profile.
    printer: String,
    /// Stem of the material's profile.
    material: String,
    /// Layer height.
    layer_um: i32,
    /// Factors along x, y and z that this piece was scaled by.
    scale: Option<[f64; 3]>,
    /// Which shrinkages they make up for, with their sources, or who had scaled it already.
    scale_origin: Option<String>,
    /// The printer's file, once it exists.
    file: Option<PrintFileView>,
}

/// The printer's file of a plate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PrintFile)]
pub(super) struct PrintFileView {
    /// Of its bytes, lower-case hex.
    sha256: String,
    /// Its size.
    bytes: u64,
    /// `goo`, `sl1`, `gcode`.
    format: String,
    /// Layers.
    layers: u32,
    /// How long the print takes by the profile's motion.
    print_s: u64,
    /// Resin or wax.
    volume_ml: f64,
    /// Of the resin or wax; null if its density is not known.
    weight_g: Option<f64>,
    /// Of the resin or wax; null if the shop gave no price.
    cost: Option<CostView>,
    /// What a person should look at before the print.
    findings: Vec<FindingView>,
}

/// Money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cost)]
pub(super) struct CostView {
    /// How much.
    amount: f64,
    /// Sign or code of the currency.
    currency: String,
}

impl PlateView {
    /// A plate from the side of one of its pieces.
    pub(super) fn of(plate: &Plate, piece: &str) -> Self {
        let own = plate.placements.iter().find(|placement| placement.piece.as_str() == piece);
        let file = match &plate.state {
            PlateState::Sliced(file) => Some(PrintFileView {
                sha256: file.sha256.to_string(),
                bytes: file.bytes,
                format: file.format.clone(),
                layers: file.layers,
                print_s: file.print_time.0 / 1000,
                volume_ml: file.volume_ml,
                weight_g: file.weight_g,
                cost: file
                    .cost
                    .as_ref()
                    .map(|cost| CostView { amount: cost.amount, currency: cost.currency.clone() }),
                findings: file.findings.iter().map(FindingView::of).collect(),
            }),
            PlateState::Composed | PlateState::Dissolved { .. } => None,
        };
        Self {
            id: plate.id.to_string(),
            label: plate.label.clone(),
            state: plate.state.word().to_owned(),
            printer: plate.printer.clone(),
            material: plate.material.clone(),
            layer_um: plate.layer.0,
            scale: own.map(|placement| placement.scale),
            scale_origin: own.map(|placement| placement.scale_origin.clone()),
            file,
        }
    }
}

/// One value that a person records.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Record)]
pub(super) struct RecordView {
    /// Key in `recorded`.
    name: String,
    /// Its unit; `text` for words.
    unit: String,
}

impl OperationView {
    pub(super) fn of(operation: Operation) -> Self {
        let record = |(name, unit)| RecordView { name, unit };
        let print_job = operation.print_job();
        Self {
            id: operation.id.to_string(),
            title: operation.title,
            stage: operation.stage,
            state: operation.state.word().to_owned(),
            by_hand: !is_print(&operation.ability),
            started_at: operation.state.since(),
            elapsed_s: operation.elapsed.0 / 1000,
            attended_s: operation.attended.0 / 1000,
            print_job,
            ability: operation.ability,
            attempt: operation.attempt,
            pieces: operation.pieces.iter().map(ToString::to_string).collect(),
            records: operation.records.into_iter().map(|spec| record((spec.name, spec.unit))).collect(),
            recorded: operation.recorded.into_iter().collect(),
        }
    }
}

impl TaskView {
    pub(super) fn of(task: Task) -> Self {
        Self {
            operation: OperationView::of(task.operation),
            ready: task.ready,
            station: task.station,
            planned_start: task.planned_start,
            question: task.question,
        }
    }
}

/// A station with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Station)]
pub(super) struct StationBody {
    /// Its name in the shop file.
    name: String,
    /// The driver that talks to it; `manual` where people do the work.
    driver: String,
    /// Stem of its profile.
    profile: Option<String>,
    /// Stem of the material that is loaded.
    material: Option<String>,
    /// Label of the lot that was put on it.
    material_lot: Option<String>,
    /// What it can do.
    abilities: Vec<String>,
    /// `ready`, `busy`, `held`, `paused`, `needs_clearing`, `connecting`, `offline`, `faulted` or `unclear`.
    state: String,
    /// Why, and what to do, if there is something to do.
    reason: Option<String>,
    /// Who said that its plate is clear.
    clear: Option<ClearView>,
    /// What stands on it.
    operations: Vec<OperationView>,
    /// How far that is, in thousandths.
    progress_permille: Option<u16>,
    /// What the plan has next on it.
    next: Option<NextView>,
    /// What its device said last; null where people do the work.
    device: Option<DeviceView>,
}

/// A person's word that a plate is clear.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClearView {
    /// Name of the key.
    by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// What the plan has next on a station.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NextView {
    /// The operation.
    operation: String,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
}

/// What a device said last.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceView {
    /// `link`: `connecting`, `online` with `identity`, `offline` or `faulted` with `reason`.
    #[schema(value_type = Object)]
    link: Value,
    /// `activity`: `unknown`, `idle`, `loading`, `loaded`, `printing` or `unclear`, with its figures.
    #[schema(value_type = Object)]
    activity: Value,
    /// Its sensors.
    temperatures: Vec<TemperatureView>,
    /// Its latest complaint.
    fault: Option<String>,
}

/// One temperature reading.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TemperatureView {
    /// The device's own name of the sensor.
    sensor: String,
    /// What it reads.
    actual_celsius: f32,
    /// What it holds.
    target_celsius: Option<f32>,
}

impl StationBody {
    pub(super) fn of(view: StationView) -> Self {
        let (state, reason) = (view.state_word().to_owned(), view.reason());
        let progress_permille = view.progress_permille();
        Self {
            name: view.station.name,
            driver: view.station.driver,
            profile: view.station.profile,
            material: view.station.material,
            material_lot: view.record.material_lot,
            abilities: view.station.abilities,
            state,
            reason,
            clear: view.record.clear.map(|clear| ClearView { by: clear.by, at: clear.at }),
            operations: view.operations.into_iter().map(OperationView::of).collect(),
            progress_permille,
            next: view.next.map(|step| NextView {
                operation: step.operation.to_string(),
                start: step.start,
                end: step.end,
            }),
            device: view.device.map(|device| DeviceView {
                link: serde_json::to_value(&device.link).unwrap_or_default(),
                activity: serde_json::to_value(&device.activity).unwrap_or_default(),
                temperatures: device
                    .temperatures
                    .into_iter()
                    .map(|reading| TemperatureView {
                        sensor: reading.sensor,
                        actual_celsius: reading.actual.0,
                        target_celsius: reading.target.map(|target| target.0),
                    })
                    .collect(),
                fault: device.fault.map(|fault| fault.text),
            }),
        }
    }
}

/// The word that an enum is written as.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
