//! The export: spans are collected in batches, and sent by a thread of their own.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::client::Client;
use super::collector::Collector;
use super::{BoxedLayer, TARGET};

/// The name of the service, unless a variable gives another one.
const SERVICE: &str = "pretender";
/// The most links of a commit: one for each job of the largest group but the first.
const MAX_LINKS: u32 = 256;
/// How long the end of the server waits for the last batch.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// Collects spans, and sends them.
#[derive(Debug)]
pub(super) struct Export(SdkTracerProvider);

impl Export {
    /// Begins to collect spans for a collector, which need not be there.
    pub(super) fn start(collector: &Collector) -> Result<Self, String> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new(collector.clone()))
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(collector.url())
            // A batch that is tried again holds up the others, and the end of the server.
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .map_err(|error| format!("traces cannot be sent: {error}"))?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource())
            .with_max_links_per_span(MAX_LINKS)
            .with_batch_exporter(exporter)
            .build();
        Ok(Self(provider))
    }

    /// Returns what collects the spans.
    pub(super) fn layer(&self) -> BoxedLayer {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(SERVICE))
            .with_context_activation(false)
            .with_location(false)
            .with_target(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO))
            .boxed()
    }

    /// Sends what has been collected.
    pub(super) fn stop(self) {
        // Any other failure has been reported when it happened.
        if let Err(OTelSdkError::Timeout(_)) = self.0.shutdown_with_timeout(STOP_TIMEOUT) {
            tracing::warn!(target: "pretender::server", "the last traces are lost: the collector does not answer");
        }
    }
}

/// Returns what sends the spans: this program, with the name and the attributes that OpenTelemetry's variables give it.
fn resource() -> Resource {
    let name = Key::from_static_str("service.name");
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let given = Resource::builder().build().get(&name);
    // The default of the library, for a program that has no name.
    let has_name = given.is_some_and(|given| !given.as_str().starts_with("unknown_service"));
    let resource = Resource::builder().with_attribute(version);
    if has_name { resource.build() } else { resource.with_service_name(SERVICE).build() }
}
