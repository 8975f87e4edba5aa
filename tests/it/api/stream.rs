//! The event stream: replay by number, live, as pages, and for whoever may hear it.

use std::time::Duration;

use super::*;

/// Reads a stream until so many events are complete; `(id, event, data)` of each.
async fn listen(response: &mut reqwest::Response, count: usize) -> Vec<(i64, String, Value)> {
    let mut text = String::new();
    while text.matches("\n\n").count() < count {
        let chunk = tokio::time::timeout(Duration::from_secs(10), response.chunk()).await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
    }
    let field = |block: &str, name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or("").to_owned()
    };
    let event = |block: &str| {
        let data = serde_json::from_str(&field(block, "data")).unwrap();
        (field(block, "id").parse().unwrap(), field(block, "event"), data)
    };
    text.split("\n\n").filter(|block| block.contains("id: ")).map(event).collect()
}

async fn open(service: &Service, key: &As, path: &str, last: Option<&str>) -> reqwest::Response {
    let mut request = service.client.get(format!("{}{path}", service.base)).bearer_auth(&key.0);
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_comes_back_misses_nothing_and_hears_nothing_twice() {
    let service = Service::start().await;
    let (house, rival) = (service.key(Role::OrderSystem, "house"), service.key(Role::OrderSystem, "rival"));
    let manager = service.key(Role::Manager, "chief");
    let (hash, _) = service.put_design(&house, band_stl()).await;
    for number in 1..=3 {
        service.post_order(&house, &format!("k{number}"), &order(&format!("SO-{number}"), &hash)).await;
    }
    service.post_order(&rival, "k", &json!({"external_ref": "bad"})).await;

    let mut first = open(&service, &manager, "/api/v1/events", None).await;
    assert_eq!(first.headers()["content-type"], "text/event-stream");
    assert_eq!(
        (&first.headers()["cache-control"], &first.headers()["x-accel-buffering"]),
        (&"no-store".parse().unwrap(), &"no".parse().unwrap())
    );
    let heard = listen(&mut first, 4).await;
    drop(first);
    assert_eq!(heard.iter().map(|event| event.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(
        (heard[0].1.as_str(), &heard[0].2["data"]["external_ref"]),
        ("order.accepted", &json!("SO-1"))
    );
    assert_eq!(heard[3].1, "order.refused");

    let mut again = open(&service, &manager, "/api/v1/events?after=0", Some("2")).await;
    assert_eq!(listen(&mut again, 2).await.iter().map(|event| event.0).collect::<Vec<_>>(), [3, 4]);
    service.post_order(&house, "k9", &order("SO-9", &hash)).await;
    let live = listen(&mut again, 1).await;
    assert_eq!((live[0].0, &live[0].2["data"]["external_ref"]), (5, &json!("SO-9")));

    let page = async |key: &As, path: &str| {
        let request = service.client.get(format!("{}{path}", service.base)).bearer_auth(&key.0);
        Answer::of(request.header("accept", "application/json").send().await.unwrap()).await.json
    };
    let own = page(&house, "/api/v1/events?after=1&limit=2").await;
    assert_eq!((own["items"].as_array().unwrap().len(), &own["next"]), (2, &json!(3)));
    let theirs = page(&rival, "/api/v1/events").await;
    assert_eq!(theirs["items"].as_array().unwrap().len(), 1, "{theirs}");
    assert_eq!((&theirs["items"][0]["type"], &theirs["next"]), (&json!("order.refused"), &json!(5)));
    let mut own = open(&service, &house, "/api/v1/events?after=3", None).await;
    assert_eq!(listen(&mut own, 1).await[0].0, 5);
    let mut beyond = open(&service, &manager, "/api/v1/events", Some("999")).await;
    assert_eq!(listen(&mut beyond, 1).await[0].1, "reset");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_hears_no_more() {
    let service = Service::start().await;
    let (house, board) = (service.key(Role::OrderSystem, "house"), service.key(Role::Display, "board"));
    let (hash, _) = service.put_design(&house, band_stl()).await;
    service.post_order(&house, "k1", &order("SO-1", &hash)).await;
    let mut stream = open(&service, &board, "/api/v1/events", None).await;
    assert_eq!(listen(&mut stream, 1).await.len(), 1);

    service.keys.revoke("board", sprue::clock::Clock::system_time()).unwrap();
    service.post_order(&house, "k2", &order("SO-2", &hash)).await;

    let rest = tokio::time::timeout(Duration::from_secs(10), stream.text()).await.unwrap().unwrap();
    assert_eq!(rest, "");
}
