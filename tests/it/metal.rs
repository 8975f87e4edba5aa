//! Gold is accounted for: from the bag to the finished piece, to the milligram, with every hole named.

use serde_json::{Value, json};

use super::floor::Floor;

#[tokio::test(flavor = "multi_thread")]
async fn gold_is_followed_from_the_bag_to_the_finished_pieces() {
    let floor = Floor::with_two_pieces().await;
    let lot = floor.receive("G-1", "au750-yellow", 100.0).await;

    floor.done(&floor.cast, json!({"metal_lot": "G-1", "metal_charge_g": 20.0})).await;
    assert_eq!(floor.at("lot", lot["id"].as_str().unwrap()).await, 80_000);
    floor.done(&floor.divest, json!({"tree_metal_mass_g": 20.0})).await;
    floor.done(&floor.cut, json!({"tree_scrap_g": 11.6})).await;
    for [finish, qc] in &floor.bench {
        floor.done(finish, json!({"issue_mass_g": 4.2, "return_mass_g": 3.805})).await;
        floor.done(qc, json!({"final_mass_g": 3.805})).await;
    }

    assert_eq!(floor.findings().await, []);
    let tree = floor.tree.as_str();
    assert_eq!((floor.at("melt", tree).await, floor.at("tree_scrap", tree).await), (0, 11_600));
    assert_eq!(floor.at("dust", "bench").await, 790);
    for piece in &floor.pieces {
        assert_eq!(floor.at("delivered", piece.as_str()).await, 3_805);
    }
    let books = floor.books().await;
    let holding = &books["holdings"][0];
    assert_eq!((&holding["milligrams"], &holding["fine_micrograms"]), (&json!(100_000), &json!(75_000_000)));
    let lines = floor.service.get("/api/v1/metal/entries?limit=3", &floor.key).await.json;
    assert_eq!(
        (lines["items"].as_array().unwrap().len(), lines["items"][0]["by"].as_str()),
        (3, Some("ann"))
    );
    let next = format!("/api/v1/metal/entries?before={}", lines["next"].as_str().unwrap());
    assert_eq!(floor.service.get(&next, &floor.key).await.json["items"].as_array().unwrap().len(), 6);
    floor.service.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_of_a_third_of_a_gram_is_found_where_it_happened_and_can_be_explained() {
    let floor = Floor::with_two_pieces().await;
    floor.receive("G-1", "au750-yellow", 100.0).await;
    floor.done(&floor.cast, json!({"metal_lot": "G-1", "metal_charge_g": 20.0})).await;

    floor.done(&floor.divest, json!({"tree_metal_mass_g": 19.7})).await;

    let place = format!("the melt of tree {}", floor.tree);
    let found = floor.findings().await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "METAL_MISSING");
    assert!(
        found[0].1.contains("0.30 g of au750-yellow are missing") && found[0].1.contains(&place),
        "{found:?}"
    );
    let explained = json!({
        "alloy": "au750-yellow", "mass_g": 0.3, "note": "beads in the crucible",
        "from": {"place": "unexplained", "name": place}, "to": {"place": "lost", "name": "crucible 3"},
    });
    let booked = floor.service.call("POST", "/api/v1/metal/moves", &floor.key, Some(&explained)).await;
    assert_eq!(booked.status, 201, "{}", booked.text);
    assert_eq!(floor.findings().await, []);
    assert_eq!(floor.at("lost", "crucible 3").await, 300);
    floor.service.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_tree_after_its_last_piece_is_missing() {
    let floor = Floor::with_two_pieces().await;
    floor.receive("G-1", "au750-yellow", 100.0).await;
    floor.done(&floor.cast, json!({"metal_lot": "G-1", "metal_charge_g": 20.0})).await;
    floor.done(&floor.divest, json!({"tree_metal_mass_g": 20.0})).await;
    floor.done(&floor.cut, json!({"tree_scrap_g": 11.0})).await;

    floor.done(&floor.bench[0][0], json!({"issue_mass_g": 4.2, "return_mass_g": 4.0})).await;
    assert_eq!(floor.findings().await, []);
    floor.done(&floor.bench[1][0], json!({"issue_mass_g": 4.2, "return_mass_g": 4.0})).await;

    assert!(floor.findings().await[0].1.starts_with("0.60 g of au750-yellow are missing at the melt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_cannot_be_is_refused_and_nothing_is_booked() {
    let floor = Floor::with_two_pieces().await;
    floor.receive("G-1", "au750-yellow", 10.0).await;
    floor.receive("S-1", "ag925", 100.0).await;
    let resin = json!({"label": "R-1", "kind": "resin", "material": "bluecast-x-one"});
    assert_eq!(floor.service.call("POST", "/api/v1/lots", &floor.key, Some(&resin)).await.status, 201);
    let old = json!({"label": "G-0", "kind": "metal", "alloy": "au750-yellow", "mass_g": 50, "expires_at": "2020-01-01T00:00:00Z"});
    assert_eq!(floor.service.call("POST", "/api/v1/lots", &floor.key, Some(&old)).await.status, 201);

    for (lot, code) in [
        ("S-1", "LOT_WRONG_ALLOY"),
        ("R-1", "LOT_NO_METAL"),
        ("G-1", "LOT_TOO_SMALL"),
        ("G-0", "LOT_REFUSED"),
    ] {
        let refused = floor.work(&floor.cast, json!({"metal_lot": lot, "metal_charge_g": 20.0})).await;
        assert_eq!((refused.status, refused.findings()), (422, vec![format!("{code} /recorded/metal_lot")]));
    }
    assert_eq!(floor.at("melt", floor.tree.as_str()).await, 0);

    // A lot that nobody received was cast all the same: it is booked, and stays a question.
    floor.done(&floor.cast, json!({"metal_lot": "G-9", "metal_charge_g": 20.0})).await;
    assert_eq!(floor.at("melt", floor.tree.as_str()).await, 20_000);
    let found = floor.findings().await;
    assert!(
        found[0].0 == "METAL_SURPLUS" && found[0].1.contains("lot \"G-9\", which is not in the books"),
        "{found:?}"
    );
    floor.service.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn lots_and_counts_say_what_is_wrong_with_them() {
    let floor = Floor::with_two_pieces().await;
    let lot = floor.receive("G-1", "au750-yellow", 100.0).await;
    let post =
        async |path: &str, body: Value| floor.service.call("POST", path, &floor.key, Some(&body)).await;

    let twice = post("/api/v1/lots", json!({"label": "G-1", "kind": "other", "product": "borax"})).await;
    assert!(twice.status == 409 && twice.text.contains("open already"), "{}", twice.text);
    let bad =
        post("/api/v1/lots", json!({"label": " ", "kind": "metal", "alloy": "unobtainium", "mass_g": -1}))
            .await;
    assert_eq!(
        (bad.status, bad.findings()),
        (422, vec!["TYPE_WRONG /label".into(), "TYPE_WRONG /mass_g".into()])
    );
    let unknown =
        post("/api/v1/lots", json!({"label": "x", "kind": "metal", "alloy": "unobtainium", "mass_g": 1}))
            .await;
    assert_eq!(unknown.findings(), ["ALLOY_UNKNOWN /content/alloy"]);
    let safe = json!({"place": "lot", "name": lot["id"]});
    let agrees =
        post("/api/v1/metal/counts", json!({"alloy": "au750-yellow", "at": safe, "mass_g": 100})).await;
    assert_eq!((agrees.status, &agrees.json["booked"]), (200, &Value::Null), "{}", agrees.text);
    let short =
        post("/api/v1/metal/counts", json!({"alloy": "au750-yellow", "at": safe, "mass_g": 99.5})).await;
    assert_eq!(short.json["booked"]["milligrams"], 500);
    let nowhere = post(
        "/api/v1/metal/counts",
        json!({"alloy": "au750-yellow", "at": {"place": "moon", "name": "x"}, "mass_g": 1}),
    )
    .await;
    assert_eq!(nowhere.findings(), ["TYPE_WRONG /at/place"]);
    let closed =
        post(&format!("/api/v1/lots/{}/close", lot["id"].as_str().unwrap()), json!({"reason": "used up"}))
            .await;
    assert_eq!((closed.status, closed.json["closed"].as_str()), (200, Some("used up")));
    let listed = floor.service.get("/api/v1/lots", &floor.key).await.json;
    assert_eq!(listed["items"][0]["label"], "G-1");
    floor.service.verify();
}
