//! What order systems, people and tools rely on, over real HTTP against the whole service.

use serde_json::{Value, json};
use sprue::services::{plan, prepare};
use sprue::shop::workshop::Limits;
use sprue::store::keys::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{Answer, As, Service, band_stl, order, sha256_hex};

mod access;
mod board;
mod refusals;
mod stream;

#[tokio::test(flavor = "multi_thread")]
async fn a_design_and_its_order_are_taken_in_and_shown() {
    let service = Service::start().await;
    let house = service.key(Role::OrderSystem, "house");

    let (hash, stored) = service.put_design(&house, band_stl()).await;
    assert_eq!((stored.status, stored.json["watertight"].as_bool()), (201, Some(true)), "{}", stored.text);
    assert_eq!(service.put_design(&house, band_stl()).await.1.status, 200);
    let accepted = service.post_order(&house, "\"k-1\"", &order("SO-1", &hash)).await;

    assert_eq!(accepted.status, 201, "{}", accepted.text);
    let id = accepted.json["id"].as_str().unwrap();
    assert_eq!(accepted.header("location"), format!("/api/v1/orders/{id}"));
    let shown = service.get(&format!("/api/v1/orders/{id}"), &house).await;
    assert_eq!((shown.status, &shown.json), (200, &accepted.json));
    assert_eq!(shown.json["due"], "2099-12-18T17:00:00.000Z");
    let line = &shown.json["pieces"][0];
    assert_eq!((line["state"].as_str(), line["attempt"].as_u64()), (Some("received"), Some(1)));
    let piece = service.get(&format!("/api/v1/pieces/{}", line["id"].as_str().unwrap()), &house).await;
    assert_eq!(piece.json["ring_size"], json!({"system": "iso", "value": "54"}));
    assert_eq!(piece.json["order_id"], id);
    let timeline =
        service.get(&format!("/api/v1/pieces/{}/timeline", line["id"].as_str().unwrap()), &house).await;
    assert_eq!((timeline.status, timeline.json["operations"].as_array().unwrap().len()), (200, 0));
    service.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_parallel_repeats_are_one_order() {
    let service = std::sync::Arc::new(Service::start().await);
    let house = service.key(Role::OrderSystem, "house");
    let (hash, _) = service.put_design(&house, band_stl()).await;
    let body = order("SO-7", &hash);

    let mut repeats = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let (service, house, body) = (service.clone(), house.clone(), body.clone());
        repeats.spawn(async move { service.post_order(&house, "k-7", &body).await });
    }
    let answers: Vec<Answer> = repeats.join_all().await;

    let first = answers.iter().find(|answer| answer.status == 201).unwrap();
    for answer in &answers {
        match answer.status {
            201 => assert_eq!(answer.text, first.text),
            409 => {
                assert_eq!((answer.header("retry-after"), &answer.json["code"]), ("1", &json!("IN_PROGRESS")))
            }
            other => panic!("{other}: {}", answer.text),
        }
    }
    let later = service.post_order(&house, "k-7", &body).await;
    assert_eq!((later.status, &later.text), (201, &first.text));
    // The order system lost its key as well: the same order, not a second one.
    let other_key = service.post_order(&house, "k-8", &body).await;
    assert_eq!((other_key.status, &other_key.json["id"]), (201, &first.json["id"]));
    let mut changed = body.clone();
    changed["priority"] = json!("rush");
    let reused = service.post_order(&house, "k-7", &changed).await;
    assert_eq!((reused.status, &reused.json["code"]), (422, &json!("KEY_REUSED")));
    let taken = service.post_order(&house, "k-9", &changed).await;
    assert_eq!((taken.status, &taken.json["code"]), (409, &json!("CONFLICT")));
    let list = service.get("/api/v1/orders?external_ref=SO-7", &house).await;
    assert_eq!(list.json["items"].as_array().unwrap().len(), 1);
    service.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_read_page_by_page_and_filtered() {
    let service = Service::start().await;
    let house = service.key(Role::OrderSystem, "house");
    let (hash, _) = service.put_design(&house, band_stl()).await;
    for number in 0..5 {
        let mut body = order(&format!("SO {number}&"), &hash);
        body["due"] = json!(format!("2099-12-1{number}T00:00:00Z"));
        assert_eq!(service.post_order(&house, &format!("k{number}"), &body).await.status, 201);
    }

    let (mut seen, mut path) = (Vec::new(), "/api/v1/orders?limit=2&state=accepted".to_owned());
    loop {
        let page = service.get(&path, &house).await;
        for item in page.json["items"].as_array().unwrap() {
            seen.push(item["external_ref"].as_str().unwrap().to_owned());
        }
        let Some(next) = page.header("link").strip_prefix('<') else {
            assert_eq!(page.json["next"], Value::Null);
            break;
        };
        assert!(page.json["next"].is_string() && next.ends_with(">; rel=\"next\""), "{next}");
        path = next.split('>').next().unwrap().to_owned();
    }

    assert_eq!(seen, ["SO 0&", "SO 1&", "SO 2&", "SO 3&", "SO 4&"]);
    let soon = service.get("/api/v1/orders?due_before=2099-12-12T00:00:00Z", &house).await;
    assert_eq!(soon.json["items"].as_array().unwrap().len(), 2);
    let one = service.get("/api/v1/orders?external_ref=SO%203%26", &house).await;
    assert_eq!(one.json["items"].as_array().unwrap().len(), 1);
    assert_eq!(service.get("/api/v1/orders?limit=many", &house).await.status, 400);
    assert_eq!(service.get("/api/v1/orders?due_before=soon", &house).await.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_held_released_and_called_off() {
    let service = Service::start().await;
    let (house, manager) = (service.key(Role::OrderSystem, "house"), service.key(Role::Manager, "chief"));
    let (hash, _) = service.put_design(&house, band_stl()).await;
    let id = service.post_order(&house, "k", &order("SO-1", &hash)).await.json["id"].clone();
    let path = |action: &str| format!("/api/v1/orders/{}/{action}", id.as_str().unwrap());
    let because = json!({"reason": "the customer wants another stone"});

    let held = service.call("POST", &path("hold"), &manager, Some(&because)).await;
    assert_eq!((held.status, &held.json["state"]), (200, &json!("held")));
    assert_eq!(held.json["hold"], because["reason"]);
    assert_eq!(service.call("POST", &path("hold"), &manager, Some(&because)).await.status, 409);
    assert_eq!(service.get("/api/v1/orders?state=held", &house).await.json["items"][0]["id"], id);
    let released = service.call("POST", &path("release"), &manager, Some(&because)).await;
    assert_eq!((released.status, &released.json["state"]), (200, &json!("accepted")));
    let no_reason = service.call("POST", &path("cancel"), &house, None).await;
    assert_eq!((no_reason.status, no_reason.findings()), (422, vec!["MEMBER_MISSING /reason".to_owned()]));
    let cancelled = service.call("POST", &path("cancel"), &house, Some(&because)).await;
    assert_eq!((cancelled.status, &cancelled.json["state"]), (200, &json!("cancelled")));
    assert_eq!(cancelled.json["pieces"][0]["state"], "cancelled");
    assert_eq!(service.call("POST", &path("hold"), &manager, Some(&because)).await.status, 409);
    service.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planned_piece_has_tasks_a_plan_and_reasons() {
    let service = Service::start().await;
    let (house, technician) =
        (service.key(Role::OrderSystem, "house"), service.key(Role::Technician, "tech"));
    let (hash, _) = service.put_design(&house, band_stl()).await;
    assert_eq!(service.get("/api/v1/plan", &technician).await.status, 404);
    let placed = service.post_order(&house, "k", &order("SO-1", &hash)).await;
    let piece = placed.json["pieces"][0]["id"].as_str().unwrap().to_owned();

    while prepare::reconcile(&service.shop).await.unwrap() {}
    plan::reconcile(&service.shop).await.unwrap();

    let timeline = service.get(&format!("/api/v1/pieces/{piece}/timeline"), &house).await;
    let operations = timeline.json["operations"].as_array().unwrap();
    assert!(!operations.is_empty(), "{}", timeline.text);
    assert!(timeline.json["events"].as_array().unwrap().iter().any(|e| e["type"] == "piece.checked"));
    let plan = service.get("/api/v1/plan", &technician).await;
    assert_eq!((plan.status, &plan.json["schema"]), (200, &json!("sprue/plan/1")));
    let print = operations[0]["id"].as_str().unwrap();
    let why = service.get(&format!("/api/v1/operations/{print}/why"), &technician).await;
    assert_eq!(
        (why.status, why.json["reasons"].as_array().unwrap().is_empty()),
        (200, false),
        "{}",
        why.text
    );
    // A print is its printer's; a step that waits for it is nobody's yet.
    for operation in operations {
        let path = format!("/api/v1/tasks/{}/start", operation["id"].as_str().unwrap());
        assert_eq!(service.call("POST", &path, &technician, None).await.status, 409);
    }
    assert_eq!(service.get("/api/v1/tasks?station=bench", &technician).await.json["items"], json!([]));
    assert_eq!(service.get("/api/v1/operations/op_nothing/why", &technician).await.status, 404);
    service.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn stations_take_the_word_of_people() {
    let service = Service::start().await;
    let technician = service.key(Role::Technician, "tech");
    let admin = service.key(Role::Admin, "admin");

    let ready = service.call("POST", "/api/v1/stations/resin-1/ready", &technician, None).await;
    assert_eq!((ready.status, &ready.json["clear"]["by"]), (200, &json!("tech")), "{}", ready.text);
    let because = json!({"reason": "vat film"});
    let paused = service.call("POST", "/api/v1/stations/resin-1/pause", &technician, Some(&because)).await;
    assert_eq!((&paused.json["state"], &paused.json["reason"]), (&json!("paused"), &json!("vat film")));
    let resumed = service.call("POST", "/api/v1/stations/resin-1/resume", &technician, None).await;
    assert_ne!(resumed.json["state"], "paused");
    // Without a device there is nothing to stop.
    assert_eq!(service.call("POST", "/api/v1/stations/bench/stop", &technician, None).await.status, 409);
    assert_eq!(service.call("POST", "/api/v1/stations/none/ready", &technician, None).await.status, 404);
    let names = service.get("/api/v1/stations", &technician).await;
    let names: Vec<&Value> = names.json["items"].as_array().unwrap().iter().map(|s| &s["name"]).collect();
    assert_eq!(names, ["resin-1", "bench"]);
    let metrics = service.get("/metrics", &admin).await;
    assert!(metrics.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"));
    for line in [
        "sprue_http_requests_total{method=\"POST\",route=\"/api/v1/stations/{name}/stop\",status=\"409\"} 1",
        "sprue_journal_lines 3",
        "sprue_station_state{station=\"bench\",state=\"ready\"} 1",
        "# UNIT sprue_disk_free_bytes bytes",
    ] {
        assert!(metrics.text.contains(line), "{line}\n{}", metrics.text);
    }
    assert!(metrics.text.ends_with("# EOF\n"));
    service.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_shows_its_secret_once() {
    let service = Service::start().await;
    let (admin, house) = (service.key(Role::Admin, "admin"), service.key(Role::OrderSystem, "house"));
    let wrong = json!({"url": "ftp://x", "events": ["nothing.*"]});
    let refused = service.call("POST", "/api/v1/webhooks", &admin, Some(&wrong)).await;
    assert_eq!(refused.findings(), ["URL_INVALID /url", "EVENT_UNKNOWN /events/0"]);

    let wanted = json!({"url": "http://127.0.0.1:9/hook", "events": ["order.*"]});
    let made = service.call("POST", "/api/v1/webhooks", &admin, Some(&wanted)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let (id, secret) = (made.json["id"].as_str().unwrap(), made.json["secret"].as_str().unwrap());
    assert!(secret.starts_with("whsec_"));
    assert!(!service.get("/api/v1/webhooks", &admin).await.text.contains(secret));

    let (hash, _) = service.put_design(&house, band_stl()).await;
    assert_eq!(service.post_order(&house, "k", &order("SO-1", &hash)).await.status, 201);
    let deliveries = format!("/api/v1/webhooks/{id}/deliveries");
    let sent = service.get(&deliveries, &admin).await;
    assert_eq!(sent.json["items"][0]["state"], "pending");
    let because = json!({"reason": "moved"});
    let disable = format!("/api/v1/webhooks/{id}/disable");
    assert_eq!(service.call("POST", &disable, &admin, Some(&because)).await.status, 204);
    assert_eq!(service.get(&deliveries, &admin).await.json["items"][0]["state"], "failed");
    let delivery = sent.json["items"][0]["id"].as_str().unwrap();
    let replay = format!("/api/v1/deliveries/{delivery}/replay");
    assert_eq!(service.call("POST", &replay, &admin, None).await.status, 202);
    assert_eq!(service.get(&deliveries, &admin).await.json["items"][0]["state"], "pending");
    service.verify();
}
