//! Logs: readable sentences with dotted fields, to standard error.

use tracing_subscriber::EnvFilter;

/// Sets logging up once; `SPRUE_LOG` chooses what is shown (`info` if it isn't set).
pub fn init() {
    let filter = EnvFilter::try_from_env("SPRUE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // A second call (in tests) changes nothing.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
