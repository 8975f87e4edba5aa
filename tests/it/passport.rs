//! The record of a piece: whole or with what it lacks, unchanged or refused, and the same from both ends.

use serde_json::{Value, json};
use sprue::services::passport::verify;

use super::floor::Floor;

/// Everything done and weighed; the answer for the first piece.
async fn finished() -> (Floor, Value) {
    let floor = Floor::with_two_pieces().await;
    floor.receive("G-1", "au750-yellow", 100.0).await;
    floor.done(&floor.cast, json!({"metal_lot": "G-1", "metal_charge_g": 16.8})).await;
    floor.done(&floor.divest, json!({"tree_metal_mass_g": 16.8})).await;
    floor.done(&floor.cut, json!({"tree_scrap_g": 8.4})).await;
    for [finish, qc] in &floor.bench {
        floor.done(finish, json!({"issue_mass_g": 4.2, "return_mass_g": 3.8})).await;
        floor.done(qc, json!({"final_mass_g": 3.8})).await;
    }
    let passport = passport(&floor).await;
    (floor, passport)
}

async fn passport(floor: &Floor) -> Value {
    let answer = floor.service.get(&format!("/api/v1/pieces/{}/passport", floor.pieces[0]), &floor.key).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passport_says_who_did_what_with_what_when() {
    let (floor, passport) = finished().await;

    assert_eq!(passport["schema"], "sprue/passport/1");
    assert_eq!(passport["identity"]["piece_id"], floor.pieces[0].as_str());
    assert_eq!(passport["identity"]["approval"]["by"], "designer@house");
    let steps = passport["attempts"][0]["steps"].as_array().unwrap();
    let stages: Vec<&str> = steps.iter().map(|step| step["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["cast", "divest", "cut", "finish", "qc"]);
    assert_eq!((&steps[0]["by"], &steps[0]["station"]), (&json!(["ann"]), &json!("bench")));
    assert_eq!(
        (&steps[0]["pieces_together"], &steps[0]["recorded"]["metal_charge_g"]),
        (&json!(2), &json!(16.8))
    );
    assert!(steps[0]["started_at"].as_str().unwrap() <= steps[0]["ended_at"].as_str().unwrap());
    assert_eq!(passport["lots"][0]["lot"]["label"], "G-1");
    let to: Vec<&str> = passport["metal"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["to"]["place"].as_str().unwrap())
        .collect();
    assert_eq!(to, ["melt", "tree_scrap", "piece", "dust", "delivered"]);
    // The plate of this floor was never sliced.
    assert_eq!(passport["missing"], json!(["plate ABCDE: the printer's file"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_piece_has_a_passport_that_lists_what_it_lacks() {
    let floor = Floor::with_two_pieces().await;
    floor.done(&floor.cast, json!({"metal_lot": "G-9", "metal_charge_g": 16.8})).await;

    let passport = passport(&floor).await;

    let missing: Vec<&str> =
        passport["missing"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(
        missing,
        [
            "the piece is in_production, not finished",
            "plate ABCDE: the printer's file",
            "divest: it is planned",
            "cut: it is planned",
            "finish: it is planned",
            "qc: it is planned",
            "cast: lot \"G-9\" was never received",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passport_holds_up_without_the_workshop_until_anything_is_changed() {
    let (floor, passport) = finished().await;
    let key = floor.service.shop.signer.public_key();
    let code = |document: &Value, key: Option<&str>| verify(&document.to_string(), key).unwrap_err().code;

    let verified = verify(&passport.to_string(), Some(&key)).unwrap();
    assert_eq!((verified.piece.as_str(), verified.key_is_known), (floor.pieces[0].as_str(), true));
    // Order of members and white space carry no meaning.
    let pretty = serde_json::to_string_pretty(&passport).unwrap();
    assert!(!verify(&pretty, None).unwrap().key_is_known);

    let mut lighter = passport.clone();
    lighter["metal"][0]["mass"] = json!(16_801);
    assert_eq!(code(&lighter, Some(&key)), "CHANGED");
    let mut unsigned = passport.clone();
    unsigned.as_object_mut().unwrap().remove("signature");
    assert_eq!(code(&unsigned, None), "NOT_SIGNED");
    let mut another = passport.clone();
    another["schema"] = json!("sprue/passport/2");
    assert_eq!(code(&another, None), "NOT_A_PASSPORT");
    assert_eq!(code(&passport, Some("AAAA")), "OTHER_KEY");
    assert_eq!(verify("{", None).unwrap_err().code, "NOT_JSON");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_into_a_piece_leads_back_to_every_piece_it_went_into() {
    let (floor, passport) = finished().await;
    let both: Vec<&str> = floor.pieces.iter().map(|piece| piece.as_str()).collect();
    let trace = async |query: String| {
        let answer = floor.service.get(&format!("/api/v1/trace?{query}"), &floor.key).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let items = answer.json["items"].as_array().unwrap().clone();
        items.iter().map(|piece| piece["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    let design = passport["identity"]["design_sha256"].as_str().unwrap();
    let plate = passport["attempts"][0]["plate_id"].as_str().unwrap();
    for query in [
        "lot=G-1".to_owned(),
        format!("tree={}", floor.tree),
        format!("design={design}"),
        format!("plate={plate}"),
        "plate=ABCDE".to_owned(),
        format!("operation={}", floor.cast),
        "station=bench".to_owned(),
    ] {
        assert_eq!(trace(query.clone()).await, both, "{query}");
    }
    assert_eq!(trace(format!("operation={}", floor.bench[1][0])).await, both[1..]);
    assert!(trace("lot=G-2".to_owned()).await.is_empty());
    for wrong in ["", "lot=G-1&station=bench"] {
        assert_eq!(floor.service.get(&format!("/api/v1/trace?{wrong}"), &floor.key).await.status, 400);
    }
    floor.service.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_lot_of_the_right_material_is_put_on_a_printer() {
    let floor = Floor::with_two_pieces().await;
    floor.receive("G-1", "au750-yellow", 100.0).await;
    let post =
        async |path: &str, body: Value| floor.service.call("POST", path, &floor.key, Some(&body)).await;
    for (label, material) in [("R-1", "bluecast-x-one"), ("R-2", "formlabs-castable-wax")] {
        let lot = json!({"label": label, "kind": "resin", "material": material});
        assert_eq!(post("/api/v1/lots", lot).await.status, 201);
    }
    let load = async |label: &str| post("/api/v1/stations/resin-1/load", json!({"lot": label})).await;

    assert_eq!(load("R-1").await.json["material_lot"], "R-1");
    for (label, says) in
        [("R-9", "receive it first"), ("R-2", "set up for bluecast-x-one"), ("G-1", "is metal")]
    {
        let refused = load(label).await;
        assert!(refused.status == 409 && refused.text.contains(says), "{}", refused.text);
    }
    assert_eq!(floor.service.get("/api/v1/stations/resin-1", &floor.key).await.json["material_lot"], "R-1");
    floor.service.verify();
}
