//! `sprue demo`: the whole workshop, simulated.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::data_dir;
use super::{Failure, print, print_json, runtime, say, serve};
use crate::sim::demo::{self, Demo, Running, Summary};
use crate::store::keys::Role;
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:7373")]
    listen: SocketAddr,
    /// How many times faster than the world simulated time runs while there is work.
    #[arg(long, default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    speed: u32,
    /// Where the data goes.
    #[arg(long, default_value = data_dir::DEMO)]
    data: PathBuf,
    /// Orders to push at the start.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=1000))]
    orders: u32,
    /// Push the orders, wait until everything is finished and delivered, print a summary, end.
    #[arg(long)]
    once: bool,
    /// Print the summary as one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    telemetry::init();
    let demo = Demo {
        listen: arguments.listen,
        speed: arguments.speed,
        data_dir: arguments.data.clone(),
        orders: arguments.orders,
    };
    runtime()?.block_on(async {
        let running = demo::start(&demo).await?;
        greet(&running, arguments);
        if arguments.once {
            let summary = running.finish().await;
            running.stop().await;
            let summary = summary.map_err(|failure| Failure::RefusedLines(vec![failure.to_string()]))?;
            return show(&summary, arguments.json);
        }
        let told = async {
            let _ = serve::until_told_to_stop().await;
        };
        running.pace(told).await;
        running.stop().await;
        Ok(())
    })
}

fn greet(running: &Running, arguments: &Arguments) {
    let address = running.app.address;
    say(&format!("panel    http://{address}/"));
    let key = |role: Role| running.keys.iter().find(|(known, _)| *known == role).map(|(_, key)| key.as_str());
    say(&format!("API      http://{address}/api/v1   description: http://{address}/api/v1/openapi.json"));
    if let Some(key) = key(Role::OrderSystem) {
        say(&format!("push orders with this key (valid until the next start): {key}"));
    }
    let data = arguments.data.display();
    say(&format!("or make one: sprue key create --data {data} --role order-system --name me"));
}

fn show(summary: &Summary, json: bool) -> Result<(), Failure> {
    if json {
        return print_json(summary);
    }
    print(&format!(
        "orders {}  pieces {}  finished {}  webhooks_delivered {}  late {}  seconds {:.1}",
        summary.orders,
        summary.pieces,
        summary.finished,
        summary.webhooks_delivered,
        summary.late,
        summary.seconds
    ));
    Ok(())
}
