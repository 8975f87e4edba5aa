//! A casting floor with two pieces of 18k gold that are ready to be cast on one tree.

use serde_json::{Value, json};
use sprue::ids::{OperationId, PieceId, PlateId, TreeId};
use sprue::shop::event::Event;
use sprue::shop::operation::{Batch, OnFailure, Operation, OperationState, RecordSpec};
use sprue::shop::plate::{Plate, PlateState};
use sprue::store::keys::Role;
use sprue::units::{Microns, Span};

use super::support::{Answer, As, Service, band_stl, order};

/// A shop with two pieces of 18k gold that are ready to be cast on one tree.
pub(crate) struct Floor {
    pub(crate) service: Service,
    pub(crate) key: As,
    pub(crate) pieces: Vec<PieceId>,
    pub(crate) cast: OperationId,
    pub(crate) divest: OperationId,
    pub(crate) cut: OperationId,
    /// For each piece: finish, qc.
    pub(crate) bench: Vec<[OperationId; 2]>,
    pub(crate) tree: TreeId,
}

impl Floor {
    pub(crate) async fn with_two_pieces() -> Self {
        let service = Service::start().await;
        let house = service.key(Role::OrderSystem, "house");
        let (hash, _) = service.put_design(&house, band_stl()).await;
        let mut body = order("SO-1", &hash);
        body["pieces"][0]["quantity"] = json!(2);
        let accepted = service.post_order(&house, "k", &body).await;
        assert_eq!(accepted.status, 201, "{}", accepted.text);
        let pieces: Vec<PieceId> = accepted.json["pieces"]
            .as_array()
            .unwrap()
            .iter()
            .map(|piece| PieceId::parse(piece["id"].as_str().unwrap()).unwrap())
            .collect();
        let of = pieces.clone();
        let (tree, operations) = service
            .shop
            .store
            .transact("test", move |tx| {
                let at = tx.at();
                let (plate, tree) = (PlateId::next(tx.ids(), at), TreeId::next(tx.ids(), at));
                let mut operations: Vec<Operation> = Vec::new();
                let mut step =
                    |stage: &str, batch: Batch, pieces: &[PieceId], records: &[&str], ids: &mut _| {
                        let record = |name: &&str| RecordSpec {
                            name: (*name).to_owned(),
                            unit: if name.ends_with("_g") { "g" } else { "text" }.to_owned(),
                        };
                        operations.push(Operation {
                            id: OperationId::next(ids, at),
                            plate: plate.clone(),
                            batch,
                            pieces: pieces.to_vec(),
                            stage: stage.to_owned(),
                            step: 1,
                            title: stage.to_owned(),
                            ability: stage.to_owned(),
                            print_on: None,
                            after: vec![],
                            min_wait: Span(0),
                            max_wait: None,
                            attended: Span(0),
                            elapsed: Span(0),
                            unattended: false,
                            records: records.iter().map(record).collect(),
                            on_failure: OnFailure::Remake,
                            attempt: 1,
                            state: OperationState::Planned,
                            recorded: Default::default(),
                            window_exceeded: None,
                        });
                    };
                let on_tree = || Batch::Tree(tree.clone());
                step("cast", on_tree(), &of, &["metal_lot", "metal_charge_g"], tx.ids());
                step("divest", on_tree(), &of, &["tree_metal_mass_g"], tx.ids());
                step("cut", on_tree(), &of, &["tree_scrap_g"], tx.ids());
                for piece in &of {
                    let one = std::slice::from_ref(piece);
                    step(
                        "finish",
                        Batch::Piece(piece.clone()),
                        one,
                        &["issue_mass_g", "return_mass_g"],
                        tx.ids(),
                    );
                    step("qc", Batch::Piece(piece.clone()), one, &["final_mass_g"], tx.ids());
                }
                let plate = Plate {
                    id: plate.clone(),
                    label: "ABCDE".into(),
                    printer: "elegoo-mars-4".into(),
                    material: "bluecast-x-one".into(),
                    routing: "direct-resin-cast".into(),
                    layer: Microns(50),
                    placements: vec![],
                    composed_at: at,
                    print_estimate: Span(0),
                    state: PlateState::Composed,
                };
                tx.record(&Event::PlateComposed { plate, operations: operations.clone() })?;
                Ok::<_, sprue::services::Error>((tree, operations))
            })
            .await
            .unwrap();
        let id = |index: usize| operations[index].id.clone();
        let key = service.key(Role::Technician, "ann");
        let bench = vec![[id(3), id(4)], [id(5), id(6)]];
        Self { service, key, pieces, cast: id(0), divest: id(1), cut: id(2), bench, tree }
    }

    pub(crate) async fn receive(&self, label: &str, alloy: &str, grams: f64) -> Value {
        let lot = json!({"label": label, "kind": "metal", "alloy": alloy, "mass_g": grams});
        let answer = self.service.call("POST", "/api/v1/lots", &self.key, Some(&lot)).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json
    }

    /// Starts a task and completes it with these values; the answer to the completion.
    pub(crate) async fn work(&self, task: &OperationId, recorded: Value) -> Answer {
        let start = self.service.call("POST", &format!("/api/v1/tasks/{task}/start"), &self.key, None).await;
        assert!([200, 409].contains(&start.status), "{}", start.text);
        let body = json!({ "recorded": recorded });
        self.service.call("POST", &format!("/api/v1/tasks/{task}/complete"), &self.key, Some(&body)).await
    }

    pub(crate) async fn done(&self, task: &OperationId, recorded: Value) {
        let answer = self.work(task, recorded).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    pub(crate) async fn books(&self) -> Value {
        let answer = self.service.get("/api/v1/metal", &self.key).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json
    }

    /// Milligrams at a place; 0 if the books don't name it.
    pub(crate) async fn at(&self, place: &str, name: &str) -> i64 {
        let books = self.books().await;
        let places = books["holdings"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|holding| holding["places"].as_array().unwrap());
        places
            .filter(|balance| balance["at"] == json!({"place": place, "name": name}))
            .map(|balance| balance["milligrams"].as_i64().unwrap())
            .sum()
    }

    pub(crate) async fn findings(&self) -> Vec<(String, String)> {
        let word = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
        let books = self.books().await;
        books["findings"].as_array().unwrap().iter().map(|f| (word(f, "code"), word(f, "text"))).collect()
    }
}
