//! Logs: on standard error, quiet unless asked.

use clap::ValueEnum;
use tracing_subscriber::{
    Layer, filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt,
};

use crate::terminal::VisibleLines;

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging.
///
/// # Errors
///
/// A text if `level` is neither a level nor a list of directives.
pub(crate) fn start(level: &str, format: LogFormat) -> Result<(), String> {
    let filter: Targets = level.parse().map_err(|error| format!("log level `{level}`: {error}"))?;
    let lines = fmt::layer().with_writer(|| VisibleLines(std::io::stderr()));
    let lines = match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    registry().with(lines.with_filter(filter)).try_init().map_err(|error| error.to_string())
}
