//! `sprue config check`: every problem of a shop file at once, as `file:line:column: text`.

use std::path::PathBuf;

use super::{Failure, say, serve};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Check a shop file.
    Check {
        /// The shop file.
        file: PathBuf,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Action::Check { file } = &arguments.action;
    let workshop = serve::load(file)?;
    let (stations, people) = (workshop.stations.len(), workshop.people.len());
    say(&format!("{}: no problems; {stations} stations, {people} people", file.display()));
    Ok(())
}
