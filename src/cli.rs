//! The command line. Exit codes: 0 done; 1 the input or the shop refuses; 2 wrong usage; 3 something outside
//! failed. With `--json` one JSON document goes to standard output and nothing else; people read standard error.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde::Serialize;

use crate::finding::Finding;

mod check;
mod config;
mod convert;
mod data_dir;
mod demo;
mod inspect;
mod journal;
mod key;
mod serve;
mod simulate;
mod slice;
mod verify;

/// On-premise manufacturing controller for bespoke jewellery workshops.
#[derive(Debug, Parser)]
#[command(name = "sprue", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a whole workshop with simulated devices and people, on the real data path.
    Demo(demo::Arguments),
    /// Run the daemon.
    Serve(serve::Arguments),
    /// Check the shop file: every problem at once.
    Config(config::Arguments),
    /// Check a design: mesh report and jewellery findings.
    Check(check::Arguments),
    /// Slice designs into a printer's file.
    Slice(slice::Arguments),
    /// Read a printer's file, ours or foreign.
    Inspect(inspect::Arguments),
    /// Write a printer's file in another printer's format.
    Convert(convert::Arguments),
    /// Simulate one device on a pseudo-terminal.
    Simulate(simulate::Arguments),
    /// Create, list and revoke API keys.
    Key(key::Arguments),
    /// Look at the journal.
    Journal(journal::Arguments),
    /// Check a piece passport, without the workshop that wrote it.
    Verify(verify::Arguments),
}

/// Why a command did not do what was asked.
#[derive(Debug)]
enum Failure {
    /// The input or the shop refuses; each finding is printed on a line.
    Refused(Vec<Finding>),
    /// The input or the shop refuses; the lines are printed as they are.
    RefusedLines(Vec<String>),
    /// The arguments don't fit together.
    Usage(String),
    /// Something outside failed: disk, port, peer.
    Outside(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(failure: E) -> Self {
        Self::Outside(failure.into())
    }
}

/// Runs one command.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(failure) => {
            // Help and version are no failures; clap knows which stream they belong to.
            let _ = failure.print();
            return if failure.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let done = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Config(arguments) => config::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Slice(arguments) => slice::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Simulate(arguments) => simulate::run(arguments),
        Command::Key(arguments) => key::run(&arguments),
        Command::Journal(arguments) => journal::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(failure),
    }
}

fn report(failure: Failure) -> ExitCode {
    match failure {
        Failure::Refused(findings) => {
            findings.iter().for_each(|finding| say(&finding.to_string()));
            ExitCode::from(1)
        }
        Failure::RefusedLines(lines) => {
            lines.iter().for_each(|line| say(line));
            ExitCode::from(1)
        }
        Failure::Usage(text) => {
            say(&format!("error: {text}"));
            ExitCode::from(2)
        }
        Failure::Outside(failure) => {
            say(&format!("error: {failure:#}"));
            ExitCode::from(3)
        }
    }
}

/// A line for people.
fn say(line: &str) {
    // A closed terminal is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A line of the answer.
fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The answer as one JSON document.
fn print_json<T: Serialize>(answer: &T) -> Result<(), Failure> {
    print(&serde_json::to_string_pretty(answer)?);
    Ok(())
}

/// Reads a file that the user named.
fn read_file(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    use anyhow::Context;
    Ok(std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?)
}

/// A runtime for commands that talk.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
