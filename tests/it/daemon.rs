//! The wired daemon on a shop file: what happens over restarts and changes of the file.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value, json};
use sprue::app::App;
use sprue::clock::Clock;
use sprue::ids::IdSource;
use sprue::services::intake::body_digest;
use sprue::services::query;
use sprue::shop::design::Sha256Hex;
use sprue::store::keys::Role;
use sprue_compute::mesh_files::stl::write_stl;
use sprue_compute::rings::{BandProfile, RingDesign};

/// Far above what is needed; the first retry of a webhook comes after five seconds.
const PATIENCE: u32 = 300;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pending_for_an_endpoint_survives_a_change_of_its_events_and_a_deleted_plan() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let app = start(folder.path(), port, "order.*").await;
    let design = push_order(&app).await;
    wait_for_plan(&app).await;
    app.stop().await;
    assert!(delete_all_but(&folder.path().join("data/blobs"), &design) > 0);

    let heard = listen(port).await;
    let app = start(folder.path(), port, "*").await;

    for _ in 0..PATIENCE {
        let types: Vec<String> =
            heard.lock().unwrap().iter().map(|event| event["type"].to_string()).collect();
        if types.iter().any(|event| event.contains("order.accepted")) {
            assert_eq!(types.iter().filter(|event| event.contains("order.accepted")).count(), 1);
            app.stop().await;
            assert!(sprue::store::fold::verify(&folder.path().join("data")).unwrap().differences.is_empty());
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("order.accepted was never delivered: {:?}", heard.lock().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(folder.path(), 9, "*").await;

    let file = sprue::config::load(&folder.path().join("workshop.toml")).unwrap();
    let second = App::start(file, Clock::real(), IdSource::seeded(1)).await;

    assert!(second.is_err_and(|refusal| refusal.to_string().contains("another sprue uses")));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_port_shows_the_station_offline_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(folder.path(), 9, "*").await;

    let mut view = query::station(&app.shop, "resin-1").await.unwrap();
    for _ in 0..PATIENCE {
        if view.state_word() == "offline" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        view = query::station(&app.shop, "resin-1").await.unwrap();
    }

    assert_eq!(view.state_word(), "offline");
    assert!(view.reason().unwrap().contains("plug the device in"), "{:?}", view.reason());
    app.stop().await;
}

async fn start(folder: &Path, port: u16, events: &str) -> App {
    std::fs::write(folder.join("hook.secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let text = format!(
        "[workshop]\nname = \"T\"\ntime_zone = \"UTC\"\nlisten = \"127.0.0.1:0\"\ndata_dir = \"./data\"\n\
         routing = \"print-only\"\n[limits]\ndisk_reserve_bytes = 1\n\
         [[line]]\nname = \"usb\"\nport = \"./no-such-port\"\n\
         [[station]]\nname = \"resin-1\"\ndriver = \"chitu\"\nprofile = \"elegoo-mars-4\"\nline = \"usb\"\n\
         material = \"bluecast-x-one\"\n[[station]]\nname = \"bench\"\ndriver = \"manual\"\n\
         [[person]]\nname = \"A\"\nshifts = [\"daily 00:00-24:00\"]\n\
         [[webhook]]\nurl = \"http://127.0.0.1:{port}/hook\"\nsecret_file = \"./hook.secret\"\nevents = [\"{events}\"]\n"
    );
    std::fs::write(folder.join("workshop.toml"), text).unwrap();
    let file = sprue::config::load(&folder.join("workshop.toml")).unwrap();
    App::start(file, Clock::real(), IdSource::from_os().unwrap()).await.unwrap()
}

/// Deletes what can be made again; says how many files that were.
fn delete_all_but(folder: &Path, design: &str) -> usize {
    let mut deleted = 0;
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            deleted += delete_all_but(&path, design);
        } else if !path.ends_with(design) {
            std::fs::remove_file(path).unwrap();
            deleted += 1;
        }
    }
    deleted
}

async fn push_order(app: &App) -> String {
    let (_, key) = app.keys.create("orders", Role::OrderSystem, None, Clock::system_time()).unwrap();
    let mut stl = Vec::new();
    write_stl(&RingDesign::band(17.3, 3.0, 1.6, BandProfile::Flat).generate().unwrap(), &mut stl).unwrap();
    let sha256 = Sha256Hex::from_digest(&body_digest(&stl));
    let (base, client) = (format!("http://{}/api/v1", app.address), reqwest::Client::new());
    let put =
        client.put(format!("{base}/designs/{sha256}")).bearer_auth(&key).body(stl).send().await.unwrap();
    assert_eq!(put.status(), 201);
    let order = json!({
        "external_ref": "SO-1", "due": "2099-01-01T00:00:00Z",
        "pieces": [{ "external_ref": "SO-1-1", "design_sha256": sha256, "alloy": "ag925" }],
        "approval": { "by": "d", "at": "2026-01-01T00:00:00Z", "design_sha256": [sha256] },
    });
    let post = client.post(format!("{base}/orders")).bearer_auth(&key).header("idempotency-key", "1");
    assert_eq!(post.json(&order).send().await.unwrap().status(), 201);
    sha256.to_string()
}

async fn wait_for_plan(app: &App) {
    for _ in 0..PATIENCE {
        if app.shop.plan.get().is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no plan");
}

type Heard = Arc<Mutex<Vec<Value>>>;

async fn listen(port: u16) -> Heard {
    let heard = Heard::default();
    let router = Router::new().route("/hook", post(hear)).with_state(heard.clone());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    heard
}

async fn hear(State(heard): State<Heard>, body: Bytes) -> StatusCode {
    heard.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    StatusCode::OK
}
