//! What is refused, how it is said, and that nothing of it stays.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_with_an_order_is_said_at_once() {
    let service = Service::start().await;
    let house = service.key(Role::OrderSystem, "house");
    let (hash, _) = service.put_design(&house, band_stl()).await;
    let unknown = sha256_hex(b"never sent");
    let mut body = order("SO-1", &hash);
    body["due"] = json!("2001-01-01T00:00:00Z");
    body["surprise"] = json!("unknown members are left alone");
    body["pieces"][0]["alloy"] = json!("unobtainium");
    body["pieces"][0]["ring_size"]["value"] = json!("60");
    body["pieces"].as_array_mut().unwrap().push(json!({
        "external_ref": "SO-1-2", "design_sha256": unknown, "alloy": "ag925", "quantity": "two",
        "stones": [{"shape": "round", "count": 1}],
    }));

    let refused = service.post_order(&house, "k", &body).await;

    assert_eq!((refused.status, refused.header("content-type")), (422, "application/problem+json"));
    let found = refused.findings();
    for wanted in [
        "DUE_PAST /due",
        "ALLOY_UNKNOWN /pieces/0/alloy",
        "RING_SIZE_MISMATCH /pieces/0/ring_size",
        "DESIGN_UNKNOWN /pieces/1/design_sha256",
        "DESIGN_NOT_APPROVED /pieces/1/design_sha256",
        "TYPE_WRONG /pieces/1/quantity",
        "MEMBER_MISSING /pieces/1/stones/0/diameter_mm",
    ] {
        assert!(found.iter().any(|finding| finding == wanted), "{wanted} in {found:?}");
    }
    assert_eq!(found.len(), 7, "{found:?}");
    assert_eq!(service.get("/api/v1/orders", &house).await.json["items"], json!([]));
    let nothing = service.post_order(&house, "k2", &json!({})).await;
    for wanted in ["/external_ref", "/due", "/pieces", "/approval"] {
        let said = nothing.findings().iter().filter(|finding| finding.ends_with(wanted)).count();
        assert_eq!(said, 1, "{wanted} in {:?}", nothing.findings());
    }
    service.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_design_leaves_nothing_behind() {
    let service = Service::start().await;
    let house = service.key(Role::OrderSystem, "house");
    let stl = band_stl();
    let truncated = stl[..stl.len() / 2].to_vec();
    let mut lying = stl[..84 + 50].to_vec();
    lying[80..84].copy_from_slice(&u32::MAX.to_le_bytes());
    let bodies = [
        truncated,
        lying,
        b"no mesh at all".to_vec(),
        Vec::new(),
        b"PK\x03\x04 broken".to_vec(),
        vec![0; 100_000],
    ];

    for body in bodies {
        let (_, refused) = service.put_design(&house, body).await;
        assert_eq!((refused.status, refused.findings().len()), (422, 1), "{}", refused.text);
    }
    let url = format!("{}/api/v1/designs/{}", service.base, sha256_hex(b"other"));
    let other =
        Answer::of(service.client.put(url).bearer_auth(&house.0).body(stl.clone()).send().await.unwrap());
    let other = other.await;
    assert_eq!((other.status, other.findings()), (422, vec!["HASH_MISMATCH /".to_owned()]));
    let malformed = format!("{}/api/v1/designs/abc", service.base);
    let malformed =
        service.client.put(malformed).bearer_auth(&house.0).body(stl.clone()).send().await.unwrap();
    assert_eq!(malformed.status().as_u16(), 422);

    assert_eq!(service.blobs(), 0);
    assert_eq!(service.put_design(&house, stl).await.1.status, 201);
    service.verify();
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_refused_however_it_is_sent() {
    let limits = Limits { design_max_bytes: 50_000, order_max_bytes: 2_000, ..Limits::USUAL };
    let service = Service::start_with(limits, false).await;
    let house = service.key(Role::OrderSystem, "house");
    let hash = sha256_hex(b"whatever");
    let head =
        format!("PUT /api/v1/designs/{hash} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n", house.0);

    // Said, sent in chunks without saying, and said to be less than is sent.
    let declared = raw(&service, &format!("{head}Content-Length: 99999999999\r\n\r\n"), &[], false).await;
    assert!(declared.starts_with("HTTP/1.1 413"), "{declared}");
    let mut chunked = Vec::new();
    for _ in 0..60 {
        chunked.extend_from_slice(b"400\r\n");
        chunked.extend_from_slice(&[b'x'; 1024]);
        chunked.extend_from_slice(b"\r\n");
    }
    let chunked = raw(&service, &format!("{head}Transfer-Encoding: chunked\r\n\r\n"), &chunked, false).await;
    assert!(chunked.starts_with("HTTP/1.1 413"), "{chunked}");
    let broken = raw(&service, &format!("{head}Content-Length: 1000\r\n\r\n"), b"only this", true).await;
    assert!(broken.is_empty() || broken.starts_with("HTTP/1.1 400"), "{broken}");
    let mut body = order("SO-1", &hash);
    body["pieces"][0]["engraving"] = json!("x".repeat(3_000));
    let order = service.post_order(&house, "k", &body).await;

    assert_eq!((order.status, &order.json["code"]), (413, &json!("TOO_LARGE")));
    assert_eq!(service.blobs(), 0);
    assert_eq!(service.get("/api/v1/limits", &house).await.json["design_max_bytes"], 50_000);
}

/// Sends bytes as they are; the answer as text.
async fn raw(service: &Service, head: &str, body: &[u8], close: bool) -> String {
    let address = service.base.strip_prefix("http://").unwrap();
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    // The service may have answered and closed before all of it is sent.
    let _ = socket.write_all(body).await;
    if close {
        socket.shutdown().await.unwrap();
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&answer).contains("\r\n\r\n") {
        let read = tokio::time::timeout(std::time::Duration::from_secs(5), socket.read(&mut buffer));
        match read.await.unwrap() {
            Ok(0) | Err(_) => break,
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_takes_nothing_new_in() {
    let limits = Limits { disk_reserve_bytes: u64::MAX, ..Limits::USUAL };
    let service = Service::start_with(limits, false).await;
    let house = service.key(Role::OrderSystem, "house");

    let (hash, refused) = service.put_design(&house, band_stl()).await;
    let order = service.post_order(&house, "k", &order("SO-1", &hash)).await;

    assert_eq!((refused.status, &refused.json["code"]), (507, &json!("NO_SPACE")));
    assert_eq!(order.status, 507);
    assert_eq!(service.get("/readyz", &house).await.status, 507);
    assert_eq!(service.get("/healthz", &house).await.status, 200);
    assert_eq!(service.blobs(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_a_problem_document() {
    let service = Service::start().await;
    let house = service.key(Role::OrderSystem, "house");
    let send = async |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let url = format!("{}{path}", service.base);
        let mut request = service.client.request(method.parse().unwrap(), url).bearer_auth(&house.0);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = Answer::of(request.body(body.to_owned()).send().await.unwrap()).await;
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(answer.json["status"], answer.status);
        assert!(answer.json["type"].as_str().unwrap().starts_with("urn:sprue:problem:"));
        (answer.status, answer.json["code"].as_str().unwrap().to_owned(), answer.header("allow").to_owned())
    };
    let orders = "/api/v1/orders";
    let json_type = ("content-type", "application/json");
    let key = ("idempotency-key", "k");
    let deep = "[".repeat(100_000);

    let no_key = send("POST", orders, &[json_type], "{}").await;
    assert_eq!((no_key.0, no_key.1.as_str()), (400, "IDEMPOTENCY_KEY"));
    assert_eq!(send("POST", orders, &[json_type, key], "{").await.1, "JSON_UNREADABLE");
    assert_eq!(send("POST", orders, &[json_type, key], &deep).await.1, "JSON_UNREADABLE");
    assert_eq!(send("POST", orders, &[("content-type", "text/csv"), key], "{}").await.0, 415);
    assert_eq!(send("GET", "/api/v1/nothing", &[], "").await.0, 404);
    assert_eq!(send("GET", "/api/v1/orders/ord_1", &[], "").await.0, 404);
    let method = send("DELETE", orders, &[], "").await;
    assert_eq!((method.0, method.2.as_str()), (405, "POST, GET"));
}
