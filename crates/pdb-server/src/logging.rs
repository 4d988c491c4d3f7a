//! Logging: to standard error, and the calls also to a file.

mod access;

use std::path::Path;
use std::str::FromStr;

use clap::ValueEnum;
use pdb_wire::CallLog;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{self, LevelFilter, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, registry};

use crate::terminal::VisibleLines;
use crate::traces::{self, BoxedLayer};
use access::AccessLog;

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// What to log on standard error.
#[derive(Clone, Debug)]
pub(crate) struct LogFilter(Targets);

/// The error for a text that does not say what to log.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotALogFilter {
    #[error(
        "`{0}` is not a level: there are error, warn, info, debug, trace and off; for one part of the program write \
         `pdb_store=debug`"
    )]
    Level(String),
    #[error("`{0}` is not a part of the program: expected a text such as `info,pdb_store=debug`")]
    Target(String),
}

impl FromStr for LogFilter {
    type Err = NotALogFilter;

    /// Parses a level, or levels of parts of the program, separated by commas. A single word must be a level: the
    /// filter library would take an unknown word for a part of the program, and log nothing.
    fn from_str(text: &str) -> Result<Self, NotALogFilter> {
        let mut targets = Targets::new();
        for directive in text.split(',').map(str::trim) {
            let (target, level) = match directive.split_once('=') {
                None => (None, directive),
                Some((target, level)) => (Some(target), level),
            };
            // The library takes an empty text for `error`.
            let known = Some(level).filter(|level| !level.is_empty()).and_then(|level| level.parse().ok());
            let level: LevelFilter = known.ok_or_else(|| NotALogFilter::Level(level.to_owned()))?;
            targets = match target {
                None => targets.with_default(level),
                Some(target) if is_target(target) => targets.with_target(target, level),
                Some(target) => return Err(NotALogFilter::Target(target.to_owned())),
            };
        }
        Ok(Self(targets))
    }
}

/// Returns whether a text may be the name of a crate, or of a module in one.
fn is_target(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "_:".contains(character))
}

/// Starts logging to standard error, with a filter. If there is an `access_log`, all calls are also logged to that
/// file. Spans are for the layer of `traces` only, if there is one: no line shows them.
///
/// # Errors
///
/// A message for people, if the file cannot be written.
pub(crate) fn start(
    filter: &LogFilter,
    format: LogFormat,
    access_log: Option<&Path>,
    traces: Option<BoxedLayer>,
) -> Result<(), String> {
    let filter = filter.0.clone().with_target(traces::TARGET, LevelFilter::OFF);
    let mut layers = vec![lines(format, || VisibleLines(std::io::stderr())).with_filter(filter).boxed()];
    if let Some(path) = access_log {
        let file = AccessLog::open(path)?;
        // A dynamic filter is evaluated for each event. For any other filter, the library caches the last answer, even
        // if that came from a check whether requests are logged in full, which is not followed by an event.
        let calls = filter::dynamic_filter_fn(|metadata, _: &Context<'_, Registry>| is_call(metadata));
        let calls = calls.with_max_level_hint(LevelFilter::INFO);
        layers.push(lines(format, move || VisibleLines(file.clone())).with_filter(calls).boxed());
    }
    layers.extend(traces);
    registry().with(layers).try_init().map_err(|error| error.to_string())
}

/// Returns whether an event reports a call, without its request and its answer.
fn is_call(metadata: &Metadata<'_>) -> bool {
    metadata.target() == CallLog::TARGET && *metadata.level() <= Level::INFO
}

fn lines(
    format: LogFormat,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> Box<dyn Layer<Registry> + Send + Sync> {
    // The library reports lines that cannot be written with `eprintln!`, which panics if standard error is closed.
    let lines = fmt::layer().with_writer(writer).log_internal_errors(false);
    match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().boxed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_levels_of_all_or_of_parts() {
        for text in
            ["warn", "INFO", "off", "info,hyper=warn", "pdb_store::statement=trace, error", "pretender=info"]
        {
            assert!(text.parse::<LogFilter>().is_ok(), "{text}");
        }
        let refusal = |text: &str| text.parse::<LogFilter>().unwrap_err();
        for text in ["inof", "", "pdb_store", "all"] {
            assert_eq!(refusal(text), NotALogFilter::Level(text.to_owned()));
        }
        assert_eq!(refusal("info,hyper=loud"), NotALogFilter::Level("loud".to_owned()));
        assert_eq!(refusal("info,"), NotALogFilter::Level(String::new()));
        assert_eq!(refusal("=info"), NotALogFilter::Target(String::new()));
        assert_eq!(refusal("a b=info"), NotALogFilter::Target("a b".to_owned()));
    }
}
