//! Which data directory a command means.

use std::path::{Path, PathBuf};

use super::{Failure, say, serve};

/// Where the demonstration keeps its data if nothing else is said.
pub(super) const DEMO: &str = "sprue-demo";

#[derive(Debug, clap::Args)]
pub(super) struct DataDir {
    /// The data directory; without it that of the shop file, else ./data, else that of the demonstration.
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    /// The shop file that names the data directory.
    #[arg(long, global = true, default_value = "workshop.toml")]
    config: PathBuf,
}

impl DataDir {
    pub(super) fn find(&self) -> Result<PathBuf, Failure> {
        if let Some(data) = &self.data {
            return Ok(data.clone());
        }
        if self.config.is_file() {
            return Ok(serve::load(&self.config)?.data_dir);
        }
        for known in ["data", DEMO] {
            if Path::new(known).join("journal.sqlite").is_file() {
                say(&format!("using the data directory ./{known}"));
                return Ok(PathBuf::from(known));
            }
        }
        let text = "which workshop? name its data directory with --data, or its shop file with --config";
        Err(Failure::Usage(text.to_owned()))
    }
}
