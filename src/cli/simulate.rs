//! `sprue simulate`: one simulated device on a pseudo-terminal.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Failure, print, runtime, serve};
use crate::clock::Clock;
use crate::sim::devices::{Faults, Kind, Options, Speed, run_device};
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// marlin or chitu.
    #[arg(value_parser = kind)]
    device: Kind,
    /// A symbolic link to the pseudo-terminal.
    #[arg(long)]
    link: Option<PathBuf>,
    /// How many times faster than the world the machine works.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    speed: u32,
    /// Repeats the same faults.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// What goes wrong: NAME=CHANCE or NAME-at=COUNT, separated by commas.
    #[arg(long, default_value = "", value_parser = faults)]
    fault: Faults,
    /// An append-only file of what the machine did.
    #[arg(long)]
    record: Option<PathBuf>,
    /// A folder for the files that a resin printer received.
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn kind(name: &str) -> Result<Kind, String> {
    Kind::parse(name).map_err(|unknown| unknown.to_string())
}

fn faults(spec: &str) -> Result<Faults, String> {
    Faults::parse(spec)
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    telemetry::init();
    let Arguments { device, link, speed, seed, fault, record, keep } = arguments;
    let options = Options { link, seed, faults: fault, record, keep };
    let clock = Clock::real();
    let speed: Speed = Arc::new(move || speed);
    let stop = CancellationToken::new();
    runtime()?.block_on(async {
        let told = stop.clone();
        tokio::spawn(async move {
            let _ = serve::until_told_to_stop().await;
            told.cancel();
        });
        let mut ready = |path: &std::path::Path| print(&format!("ready {}", path.display()));
        run_device(device, &options, speed, &move || clock.tick(), &stop, &mut ready).await?;
        Ok(())
    })
}
