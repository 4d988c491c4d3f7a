//! The export of traces: `--otlp`.
//!
//! The spans are made by `tracing`, whether the program is built to export them or not (target `pretender::traces`).

#[cfg(feature = "otlp")]
mod client;
#[cfg(feature = "otlp")]
mod collector;
#[cfg(feature = "otlp")]
mod export;

use std::ffi::OsString;

use clap::Args;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::Registry;

/// The target of the spans.
pub(crate) const TARGET: &str = "pretender::traces";

const NOT_BUILT: &str = "this program is built without the export of traces";

/// The settings of the export.
#[derive(Args, Debug)]
pub(crate) struct TraceSettings {
    /// Send traces to this OpenTelemetry collector, by OTLP over HTTP, such as http://127.0.0.1:4318
    ///
    /// Without this option: from OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT. OpenTelemetry's
    /// other variables have their effect, too, such as OTEL_SERVICE_NAME and OTEL_TRACES_SAMPLER.
    #[cfg(feature = "otlp")]
    #[arg(long, env = "PRETENDER_OTLP", value_name = "URL", help_heading = "Logging")]
    otlp: Option<collector::Collector>,
}

/// The export of traces, unless it is off.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    #[cfg(feature = "otlp")]
    export: Option<export::Export>,
    /// Why traces are not exported, although a variable asks for it. It may be meant for another program.
    problem: Option<String>,
}

/// A part of the subscriber.
pub(crate) type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Returns an error message if `pretender serve` is asked to export traces and cannot.
pub(crate) fn advice(mut arguments: impl Iterator<Item = OsString>) -> Option<String> {
    if cfg!(feature = "otlp") || arguments.next()? != "serve" {
        return None;
    }
    let is_otlp =
        |argument: OsString| argument == "--otlp" || argument.to_string_lossy().starts_with("--otlp=");
    let advice = || {
        format!(
            "{NOT_BUILT}. In a checkout, this builds one that has it:\n\n  cargo install --locked --path crates/pdb-server --features otlp"
        )
    };
    arguments.any(is_otlp).then(advice)
}

impl TraceSettings {
    /// Begins the export, if there is a collector.
    ///
    /// # Errors
    ///
    /// A message for people, if traces cannot be exported in the way that a variable of OpenTelemetry wants.
    #[cfg(feature = "otlp")]
    pub(crate) fn start(&self) -> Result<Traces, String> {
        if let Some(collector) = &self.otlp {
            return Ok(Traces { export: Some(export::Export::start(collector)?), problem: None });
        }
        let collector = collector::Collector::of_environment(&variable);
        let export = collector.and_then(|found| found.as_ref().map(export::Export::start).transpose());
        Ok(match export {
            Ok(export) => Traces { export, problem: None },
            Err(problem) => Traces { export: None, problem: Some(problem) },
        })
    }

    /// Begins no export.
    #[cfg(not(feature = "otlp"))]
    pub(crate) fn start(&self) -> Result<Traces, String> {
        Ok(Traces { problem: variable("PRETENDER_OTLP").map(|_| NOT_BUILT.to_owned()) })
    }
}

impl Traces {
    /// Returns what collects the spans.
    pub(crate) fn layer(&self) -> Option<BoxedLayer> {
        #[cfg(feature = "otlp")]
        return self.export.as_ref().map(export::Export::layer);
        #[cfg(not(feature = "otlp"))]
        None
    }

    /// Logs why there is no export, if there should be one.
    pub(crate) fn report_problem(&self) {
        if let Some(problem) = &self.problem {
            tracing::warn!(target: "pretender::server", problem, "no traces are sent");
        }
    }

    /// Sends what has been collected, and ends the export.
    pub(crate) fn stop(self) {
        #[cfg(feature = "otlp")]
        if let Some(export) = self.export {
            export.stop();
        }
    }
}

/// Returns the value of an environment variable, if it is set and not empty.
#[expect(clippy::disallowed_methods, reason = "OpenTelemetry's variables are settings of many programs")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_without_the_export_says_how_to_get_one() {
        let advised = |line: &str| advice(line.split_whitespace().map(OsString::from)).is_some();
        for line in ["serve --otlp http://localhost:4318", "serve -c --otlp=http://localhost:4318"] {
            assert_eq!(advised(line), !cfg!(feature = "otlp"), "{line}");
        }
        for line in ["", "serve", "serve --otlps", "run -- serve --otlp http://localhost:4318"] {
            assert!(!advised(line), "{line}");
        }
    }
}
