//! The page on the wall: what it shows, to whom, and that nothing it shows can act.

use super::*;

const EVIL: &str = "<script>alert(1)</script>\"'&";

async fn page(service: &Service, path: &str, cookie: Option<&str>) -> Answer {
    let mut request = service.client.get(format!("{}{path}", service.base));
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_wrote_stays_text() {
    let service = Service::start_with(Limits::USUAL, true).await;
    let (house, technician) =
        (service.key(Role::OrderSystem, "house"), service.key(Role::Technician, "tech"));
    let (hash, _) = service.put_design(&house, band_stl()).await;
    let placed = service.post_order(&house, "k", &order(EVIL, &hash)).await;
    assert_eq!(placed.status, 201, "{}", placed.text);
    let because = json!({"reason": EVIL});
    service.call("POST", "/api/v1/stations/resin-1/pause", &technician, Some(&because)).await;
    let hold = format!("/api/v1/orders/{}/hold", placed.json["id"].as_str().unwrap());
    assert_eq!(
        service.call("POST", &hold, &service.key(Role::Manager, "chief"), Some(&because)).await.status,
        200
    );

    let shown = page(&service, "/", None).await;

    assert_eq!(shown.status, 200);
    let escaped = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;";
    assert!(shown.text.matches(escaped).count() >= 5, "{}", shown.text);
    assert!(!shown.text.contains("<script>") && shown.text.contains("Atelier &lt;b&gt;Test"));
    assert_eq!(shown.text.matches("<script ").count(), 1);
    assert!(shown.header("content-security-policy").starts_with("default-src 'none'; script-src 'self';"));
    for name in ["resin-1", "bench", "paused", "held"] {
        assert!(shown.text.contains(name), "{name}");
    }
    for asset in ["/assets/page.css", "/assets/page.js", "/assets/icon.svg"] {
        let asset = page(&service, asset, None).await;
        assert!(asset.status == 200 && asset.text.len() > 100);
        assert_eq!(asset.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_stream_brings_what_changed() {
    let service = Service::start_with(Limits::USUAL, true).await;
    let house = service.key(Role::OrderSystem, "house");
    let (hash, _) = service.put_design(&house, band_stl()).await;
    let mut live = service.client.get(format!("{}/panel/live", service.base)).send().await.unwrap();
    let mut heard = String::new();
    let mut hears = async |what: &str| {
        while !heard.contains(what) {
            let chunk = tokio::time::timeout(std::time::Duration::from_secs(5), live.chunk()).await.unwrap();
            heard.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
        }
    };

    hears("no orders yet").await;
    service.post_order(&house, "k", &order("SO-77", &hash)).await;
    hears("SO-77-1").await;

    // Nothing changes: a sign of life all the same, and short.
    hears("data: {}\n\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_needs_a_key_once() {
    let service = Service::start().await;
    let board = service.key(Role::Display, "board");
    let house = service.key(Role::OrderSystem, "house");

    let refused = page(&service, "/", None).await;
    assert!(refused.status == 401 && refused.text.contains("sprue key create --role display --name board"));
    assert_eq!(page(&service, "/panel/live", None).await.status, 401);
    assert_eq!(page(&service, &format!("/?key={}", house.0), None).await.status, 401);
    assert_eq!(page(&service, "/?key=spk_x", None).await.status, 401);
    let admitted = page(&service, &format!("/?key={}", board.0), None).await;
    assert_eq!((admitted.status, admitted.header("location")), (303, "/"));
    let cookie = admitted.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(page(&service, "/", Some(cookie)).await.status, 200);
    // The cookie opens the page alone.
    assert_eq!(page(&service, "/api/v1/orders", Some(cookie)).await.status, 401);
    service.keys.revoke("board", sprue::clock::Clock::system_time()).unwrap();
    assert_eq!(page(&service, "/", Some(cookie)).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_is_closed_to_names_of_the_web() {
    let service = Service::start_with(Limits::USUAL, true).await;
    let get = async |host: &str| {
        let request = service.client.get(&service.base).header("host", host);
        request.send().await.unwrap().status().as_u16()
    };

    assert_eq!(get("localhost:7373").await, 200);
    assert_eq!(get("127.0.0.1").await, 200);
    assert_eq!(get("[::1]:7373").await, 200);
    assert_eq!(get("evil.example").await, 401);
}
