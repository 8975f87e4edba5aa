//! `sprue serve`: the daemon.

use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, runtime};
use crate::app::App;
use crate::clock::Clock;
use crate::config;
use crate::ids::IdSource;
use crate::telemetry;
use crate::units::{Span, Timestamp};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shop file.
    #[arg(long, default_value = "workshop.toml")]
    config: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    telemetry::init();
    let file = load(&arguments.config)?;
    let clock = clock_of(&file);
    let ids = IdSource::from_os()?;
    runtime()?.block_on(async {
        let app = App::start(file, clock, ids).await?;
        until_told_to_stop().await?;
        app.stop().await;
        Ok(())
    })
}

/// Reads the shop file; every problem is a line of the refusal.
pub(super) fn load(path: &Path) -> Result<config::Workshop, Failure> {
    config::load(path)
        .map_err(|problems| Failure::RefusedLines(problems.iter().map(ToString::to_string).collect()))
}

/// Real time, or the time of a simulated workshop: it follows from the shop file alone, so that it goes on where
/// it was after a restart.
fn clock_of(file: &config::Workshop) -> Clock {
    let Some(simulation) = file.simulation else { return Clock::real() };
    let real = Clock::system_time().since(simulation.started_real);
    let at = simulation.started_at.after(Span(real.0.saturating_mul(u64::from(simulation.speed))));
    tracing::warn!(speed = simulation.speed, "time is SIMULATED in this workshop");
    Clock::starting(at.max(Timestamp(0)), simulation.speed)
}

pub(super) async fn until_told_to_stop() -> Result<(), Failure> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}
