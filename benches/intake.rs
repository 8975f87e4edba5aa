//! Orders a second with durable acknowledgement: 32 clients on loopback, one small order each at a time.
//!
//! `cargo bench -p sprue --bench intake` prints orders a second and the tail of the answer times. Clients and
//! daemon share the machine.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures and prints")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sprue::app::App;
use sprue::clock::Clock;
use sprue::ids::IdSource;
use sprue::services::intake::body_digest;
use sprue::shop::design::Sha256Hex;
use sprue::store::keys::Role;
use sprue_compute::mesh_files::stl::write_stl;
use sprue_compute::rings::{BandProfile, RingDesign};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const CLIENTS: u32 = 32;
const ORDERS: u32 = 20_000;

fn main() -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let app = start(folder.path()).await?;
        let (_, key) = app.keys.create("bench", Role::OrderSystem, None, Clock::system_time())?;
        let sha256 = push_design(app.address, &key).await?;
        let (seconds, mut times) = push_orders(app.address, &key, &sha256).await?;
        times.sort_unstable();
        let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1000];
        println!(
            "intake: {:.0} orders/s; answer p50 {:?} p99 {:?} p99.9 {:?} max {:?}",
            f64::from(ORDERS) / seconds,
            at(500),
            at(990),
            at(999),
            at(1000)
        );
        app.stop().await;
        Ok(())
    })
}

async fn start(folder: &Path) -> anyhow::Result<App> {
    let path = folder.join("workshop.toml");
    // Stations and people as in a real shop, so that what comes in is prepared and planned meanwhile.
    let text = "[workshop]\nname = \"Bench\"\ntime_zone = \"UTC\"\nlisten = \"127.0.0.1:0\"\ndata_dir = \"./data\"\n\
                routing = \"direct-resin-cast\"\n[limits]\ndisk_reserve_bytes = 1\n\
                [[line]]\nname = \"l\"\nport = \"/dev/null-printer\"\n\
                [[station]]\nname = \"resin-1\"\ndriver = \"chitu\"\nprofile = \"elegoo-mars-4\"\nline = \"l\"\n\
                material = \"bluecast-x-one\"\n[[station]]\nname = \"bench\"\ndriver = \"manual\"\n\
                [[person]]\nname = \"A\"\nshifts = [\"mon-fri 08:00-16:30\"]\n";
    std::fs::write(&path, text)?;
    let file = sprue::config::load(&path).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    Ok(App::start(file, Clock::real(), IdSource::from_os()?).await?)
}

async fn push_design(address: SocketAddr, key: &str) -> anyhow::Result<String> {
    let mut stl = Vec::new();
    write_stl(&RingDesign::band(17.3, 3.0, 1.6, BandProfile::Flat).generate()?, &mut stl)?;
    let sha256 = Sha256Hex::from_digest(&body_digest(&stl)).to_string();
    let mut connection = BufReader::new(TcpStream::connect(address).await?);
    let head = request_head("PUT", &format!("/api/v1/designs/{sha256}"), key, "", stl.len());
    exchange(&mut connection, &head, &stl).await?;
    Ok(sha256)
}

async fn push_orders(address: SocketAddr, key: &str, sha256: &str) -> anyhow::Result<(f64, Vec<Duration>)> {
    let next = Arc::new(AtomicU32::new(0));
    let began = std::time::Instant::now();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let (next, key, sha256) = (next.clone(), key.to_owned(), sha256.to_owned());
        clients.push(tokio::spawn(async move {
            let mut connection = BufReader::new(TcpStream::connect(address).await?);
            connection.get_ref().set_nodelay(true)?;
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= ORDERS {
                    return anyhow::Ok(times);
                }
                let body = order(number, &sha256);
                let extra = format!("idempotency-key: \"bench-{number}\"\r\n");
                let head = request_head("POST", "/api/v1/orders", &key, &extra, body.len());
                let sent = std::time::Instant::now();
                exchange(&mut connection, &head, body.as_bytes()).await?;
                times.push(sent.elapsed());
            }
        }));
    }
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await??);
    }
    Ok((began.elapsed().as_secs_f64(), times))
}

fn order(number: u32, sha256: &str) -> String {
    format!(
        "{{\"external_ref\":\"SO-{number}\",\"due\":\"2099-12-18T17:00:00Z\",\"priority\":\"normal\",\"pieces\":[{{\
         \"external_ref\":\"SO-{number}-1\",\"design_sha256\":\"{sha256}\",\"quantity\":1,\"alloy\":\"au750-yellow\"}}],\
         \"approval\":{{\"by\":\"designer@house\",\"at\":\"2026-11-20T10:00:00Z\",\"design_sha256\":[\"{sha256}\"]}}}}"
    )
}

fn request_head(method: &str, path: &str, key: &str, extra: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         {extra}content-length: {length}\r\n\r\n"
    )
}

/// One request and its whole answer; anything but success ends the bench.
async fn exchange(connection: &mut BufReader<TcpStream>, head: &str, body: &[u8]) -> anyhow::Result<()> {
    let mut request = head.as_bytes().to_vec();
    request.extend_from_slice(body);
    connection.get_mut().write_all(&request).await?;
    let mut length = 0;
    let mut status = String::new();
    connection.read_line(&mut status).await?;
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut answer = vec![0; length];
    connection.read_exact(&mut answer).await?;
    anyhow::ensure!(status.contains(" 201 "), "{status} {}", String::from_utf8_lossy(&answer));
    Ok(())
}
