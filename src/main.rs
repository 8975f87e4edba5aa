//! The command line: arguments in, exit code out. What the commands do lies in `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sprue::cli::run(std::env::args_os())
}
