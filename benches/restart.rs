//! Restart on a journal of a million events: from start to ready.
//!
//! `cargo bench -p sprue --bench restart` builds the journal (a minute), then starts the daemon on it five times.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench measures and prints")]

use std::path::Path;

use sprue::app::App;
use sprue::clock::Clock;
use sprue::ids::{IdSource, OrderId};
use sprue::services;
use sprue::shop::design::Sha256Hex;
use sprue::shop::event::Event;
use sprue::shop::order::{Approval, Order, OrderState, Priority};
use sprue::store::Store;
use sprue::units::Timestamp;

const EVENTS: u32 = 1_000_000;
/// Events of one order here: accepted, promised, completed.
const OF_ORDER: u32 = 3;
const ORDERS_AT_ONCE: u32 = 1000;

fn main() -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let folder = tempfile::tempdir()?;
        build(&folder.path().join("data")).await?;
        for _ in 0..5 {
            let began = std::time::Instant::now();
            let app = start(folder.path()).await?;
            let ready = began.elapsed();
            let counts = services::query::counts(&app.shop).await?;
            println!("restart: ready after {ready:?} with {} journal lines", counts.journal_lines);
            app.stop().await;
        }
        Ok(())
    })
}

async fn build(data_dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(data_dir)?;
    let store = Store::open(data_dir, Clock::real(), IdSource::seeded(1))?;
    for first in (0..EVENTS / OF_ORDER).step_by(ORDERS_AT_ONCE as usize) {
        store
            .transact("bench", move |tx| {
                for number in first..first + ORDERS_AT_ONCE {
                    let at = tx.at();
                    let order = order(OrderId::next(tx.ids(), at), number, at);
                    let id = order.id.clone();
                    tx.record(&Event::OrderAccepted { order, pieces: Vec::new() })?;
                    tx.record(&Event::OrderPromised { order: id.clone(), promised: at, late: false })?;
                    tx.record(&Event::OrderCompleted { order: id })?;
                }
                Ok::<_, sprue::store::Error>(())
            })
            .await?;
    }
    Ok(())
}

fn order(id: OrderId, number: u32, at: Timestamp) -> Order {
    let hash = Sha256Hex::from_digest(&[7; 32]);
    Order {
        id,
        source: "bench".to_owned(),
        external_ref: format!("SO-{number}"),
        request_sha256: hash.clone(),
        due: at,
        priority: Priority::Normal,
        approval: Approval { by: "b".to_owned(), at, design_sha256: vec![hash], signature: None },
        pieces: Vec::new(),
        received_at: at,
        state: OrderState::Accepted,
        hold: None,
        promised: None,
        late: false,
    }
}

async fn start(folder: &Path) -> anyhow::Result<App> {
    let path = folder.join("workshop.toml");
    let text = "[workshop]\nname = \"Bench\"\ntime_zone = \"UTC\"\nlisten = \"127.0.0.1:0\"\ndata_dir = \"./data\"\n\
                routing = \"print-only\"\n[[station]]\nname = \"bench\"\ndriver = \"manual\"\n\
                [[person]]\nname = \"A\"\nshifts = [\"daily 00:00-24:00\"]\n";
    std::fs::write(&path, text)?;
    let file = sprue::config::load(&path).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    Ok(App::start(file, Clock::real(), IdSource::from_os()?).await?)
}
