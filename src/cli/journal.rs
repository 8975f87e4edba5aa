//! `sprue journal verify`: folds the journal from zero and compares it with the tables.

use super::data_dir::DataDir;
use super::{Failure, print_json, say};
use crate::store::fold;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Prove that the tables are what the recorded events say. Works while the daemon runs; changes nothing.
    Verify {
        #[command(flatten)]
        data: DataDir,
        /// Print one JSON document.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Action::Verify { data, json } = &arguments.action;
    let report = fold::verify(&data.find()?)?;
    if *json {
        print_json(&report)?;
    }
    if report.differences.is_empty() {
        say(&format!("{} events folded; the tables agree", report.events));
        return Ok(());
    }
    Err(Failure::RefusedLines(report.differences))
}
