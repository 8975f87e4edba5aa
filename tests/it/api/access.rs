//! Who may do what: every route with every role, against a table of its own.

use sprue::api::access::{Access, TABLE};

use super::*;

/// Who may, as the people of a workshop would say it; `-` is nobody without a key. Order: no key, order-system,
/// technician, manager, admin, display.
const EXPECTED: &[(&str, &str, &str)] = &[
    ("PUT", "/api/v1/designs/{sha256}", "-o--a-"),
    ("POST", "/api/v1/orders", "-o--a-"),
    ("GET", "/api/v1/orders", "-otmad"),
    ("GET", "/api/v1/orders/{id}", "-otmad"),
    ("POST", "/api/v1/orders/{id}/cancel", "-o-ma-"),
    ("POST", "/api/v1/orders/{id}/hold", "-o-ma-"),
    ("POST", "/api/v1/orders/{id}/release", "-o-ma-"),
    ("GET", "/api/v1/pieces/{id}", "-otmad"),
    ("GET", "/api/v1/pieces/{id}/passport", "-otma-"),
    ("GET", "/api/v1/pieces/{id}/timeline", "-otmad"),
    ("GET", "/api/v1/tasks", "--tma-"),
    ("POST", "/api/v1/tasks/{id}/start", "--tma-"),
    ("POST", "/api/v1/tasks/{id}/complete", "--tma-"),
    ("POST", "/api/v1/tasks/{id}/fail", "--tma-"),
    ("GET", "/api/v1/lots", "--tma-"),
    ("POST", "/api/v1/lots", "--tma-"),
    ("POST", "/api/v1/lots/{id}/close", "--tma-"),
    ("GET", "/api/v1/metal", "--tma-"),
    ("GET", "/api/v1/metal/entries", "--tma-"),
    ("POST", "/api/v1/metal/moves", "--tma-"),
    ("POST", "/api/v1/metal/counts", "--tma-"),
    ("GET", "/api/v1/trace", "--tma-"),
    ("GET", "/api/v1/stations", "--tmad"),
    ("GET", "/api/v1/stations/{name}", "--tmad"),
    ("POST", "/api/v1/stations/{name}/ready", "--tma-"),
    ("POST", "/api/v1/stations/{name}/load", "--tma-"),
    ("POST", "/api/v1/stations/{name}/pause", "--tma-"),
    ("POST", "/api/v1/stations/{name}/resume", "--tma-"),
    ("POST", "/api/v1/stations/{name}/cancel", "--tma-"),
    ("POST", "/api/v1/stations/{name}/stop", "--tma-"),
    ("GET", "/api/v1/plan", "--tma-"),
    ("GET", "/api/v1/operations/{id}/why", "--tma-"),
    ("GET", "/api/v1/events", "-otmad"),
    ("POST", "/api/v1/webhooks", "----a-"),
    ("GET", "/api/v1/webhooks", "----a-"),
    ("GET", "/api/v1/webhooks/{id}/deliveries", "----a-"),
    ("POST", "/api/v1/webhooks/{id}/disable", "----a-"),
    ("POST", "/api/v1/deliveries/{id}/replay", "----a-"),
    ("GET", "/api/v1/limits", "-otmad"),
    ("GET", "/metrics", "---mad"),
    ("GET", "/healthz", "notmad"),
    ("GET", "/readyz", "notmad"),
    ("GET", "/openapi.json", "notmad"),
    ("GET", "/api/v1/openapi.json", "notmad"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_exactly_its_roles_in() {
    let service = Service::start().await;
    let keys = Role::ALL.map(|role| service.key(role, role.word()));
    let document =
        Answer::of(service.client.get(format!("{}/openapi.json", service.base)).send().await.unwrap());
    let document = document.await.json;
    let mut served: Vec<(String, String)> = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            served.push((method.to_uppercase(), path.clone()));
        }
    }
    let mut expected: Vec<(String, String)> =
        EXPECTED.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    served.sort();
    expected.sort();
    assert_eq!(served, expected);
    assert_eq!(TABLE.len(), EXPECTED.len());
    assert_eq!(TABLE.iter().filter(|row| row.2 == Access::Open).count(), 4);

    for (method, path, allowed) in EXPECTED {
        let url = format!("{}{}", service.base, path.replace(['{', '}'], ""));
        for (index, letter) in allowed.chars().enumerate() {
            let mut request = service.client.request(method.parse().unwrap(), &url);
            request = request.header("accept", "application/json");
            if let Some(key) = index.checked_sub(1).and_then(|index| keys.get(index)) {
                request = request.bearer_auth(&key.0);
            }
            let status = request.send().await.unwrap().status().as_u16();
            let refused = if index == 0 { status == 401 } else { status == 403 };
            assert_eq!(refused, letter == '-', "{method} {path} {index}: {status}");
            assert_ne!(status, 500, "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_good_key_is_let_in_by_either_header() {
    let service = Service::start().await;
    let key = service.key(Role::Technician, "tech");
    let get = async |header: &str, value: String| {
        let request = service.client.get(format!("{}/api/v1/stations", service.base)).header(header, value);
        Answer::of(request.send().await.unwrap()).await
    };

    assert_eq!(get("authorization", format!("bearer {}", key.0)).await.status, 200);
    assert_eq!(get("x-api-key", key.0.clone()).await.status, 200);
    for value in ["Bearer", "Bearer spk_", "Basic dTpw", "Bearer ", &key.0] {
        let refused = get("authorization", value.to_owned()).await;
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer realm=\"sprue\""));
    }
    service.keys.revoke("tech", sprue::clock::Clock::system_time()).unwrap();
    assert_eq!(get("x-api-key", key.0.clone()).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_system_sees_its_own_and_a_display_no_engraving() {
    let service = Service::start().await;
    let (house, rival) = (service.key(Role::OrderSystem, "house"), service.key(Role::OrderSystem, "rival"));
    let display = service.key(Role::Display, "board");
    let (hash, _) = service.put_design(&house, band_stl()).await;
    let placed = service.post_order(&house, "k", &order("SO-1", &hash)).await;
    let order_path = format!("/api/v1/orders/{}", placed.json["id"].as_str().unwrap());
    let piece_path = format!("/api/v1/pieces/{}", placed.json["pieces"][0]["id"].as_str().unwrap());
    let because = json!({"reason": "mine now"});

    for path in [&order_path, &piece_path, &format!("{piece_path}/timeline")] {
        assert_eq!(service.get(path, &rival).await.status, 404, "{path}");
        assert_eq!(service.get(path, &display).await.status, 200, "{path}");
    }
    assert_eq!(
        service.call("POST", &format!("{order_path}/cancel"), &rival, Some(&because)).await.status,
        404
    );
    assert_eq!(service.get("/api/v1/orders", &rival).await.json["items"], json!([]));
    assert!(service.get(&piece_path, &house).await.text.contains("For ever"));
    assert!(!service.get(&piece_path, &display).await.text.contains("For ever"));
    // The same key text and reference of another order system are another order.
    let theirs = service.post_order(&rival, "k", &order("SO-1", &hash)).await;
    assert_eq!(theirs.status, 201);
    assert_ne!(theirs.json["id"], placed.json["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_names_its_version_and_gives_an_example_of_an_order() {
    let service = Service::start().await;
    let document = service.get("/openapi.json", &As(String::new())).await.json;

    assert_eq!(document["openapi"], "3.1.0");
    let order = &document["components"]["schemas"]["OrderRequest"]["properties"];
    assert_eq!(
        order["external_ref"]["example"].as_str().or(order["external_ref"]["examples"][0].as_str()),
        Some("SO-10421")
    );
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "{name} is not described");
    }
}
