//! The address of a collector.

use std::fmt;
use std::str::FromStr;

use ureq::http::Uri;

/// What OTLP appends to the address of a collector for traces.
const PATH: &str = "/v1/traces";
/// The protocol that we speak, by its name in OpenTelemetry's variables.
const PROTOCOL: &str = "http/protobuf";

/// A collector that takes traces by OTLP over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collector {
    /// Where it takes traces.
    url: String,
    is_local: bool,
}

/// The error for a text that is not the address of a collector.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotACollector {
    #[error("not the URL of a collector: expected one such as http://127.0.0.1:4318")]
    NoUrl,
    #[cfg(not(feature = "https"))]
    #[error("this program is built without TLS, so it needs a URL that begins with http://")]
    NoTls,
}

impl Collector {
    /// Returns the collector that OpenTelemetry's variables name, if there is one.
    ///
    /// # Errors
    ///
    /// A message for people, if a variable is not valid.
    pub(super) fn of_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let of_traces = |traces: &'static str, all: &'static str| {
            variable(traces).map(|value| (traces, value)).or_else(|| Some((all, variable(all)?)))
        };
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let endpoint = of_traces("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT");
        let Some((name, text)) = endpoint else { return Ok(None) };
        let protocol = of_traces("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL");
        if let Some((name, protocol)) = protocol.filter(|(_, protocol)| protocol != PROTOCOL) {
            return Err(format!(
                "{name} is `{protocol}`, but traces can only be sent by {PROTOCOL}: name the collector with --otlp"
            ));
        }
        // Only the address for all signals is one that a path is appended to.
        let parsed =
            if name == "OTEL_EXPORTER_OTLP_ENDPOINT" { text.parse() } else { Self::new(text.clone()) };
        parsed.map(Some).map_err(|error| format!("{name}: `{text}` is {error}"))
    }

    /// Returns the collector that takes traces at exactly this URL.
    fn new(url: String) -> Result<Self, NotACollector> {
        let uri: Uri = url.parse().map_err(|_| NotACollector::NoUrl)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(NotACollector::NoUrl)?;
        match uri.scheme_str() {
            Some("http") => {}
            #[cfg(feature = "https")]
            Some("https") => {}
            #[cfg(not(feature = "https"))]
            Some("https") => return Err(NotACollector::NoTls),
            _ => return Err(NotACollector::NoUrl),
        }
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        let is_local = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        Ok(Self { is_local, url })
    }

    /// Returns the URL that takes traces.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns whether it is on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.is_local
    }
}

impl FromStr for Collector {
    type Err = NotACollector;

    /// Reads the address of a collector, or where it takes traces.
    fn from_str(text: &str) -> Result<Self, NotACollector> {
        let address = text.trim_end_matches('/');
        Self::new(if address.ends_with(PATH) { address.to_owned() } else { format!("{address}{PATH}") })
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A password before an `@` is nobody's business.
        let (scheme, rest) = self.url.split_once("://").unwrap_or_default();
        write!(f, "{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, rest)| rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_the_path_of_traces() {
        for (text, url) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://collector/", "http://collector/v1/traces"),
            ("http://[::1]:4318/otlp/", "http://[::1]:4318/otlp/v1/traces"),
            ("http://collector:4318/v1/traces", "http://collector:4318/v1/traces"),
        ] {
            assert_eq!(text.parse::<Collector>().unwrap().url(), url);
        }
        for text in
            ["", "collector", "localhost:4318", "ftp://collector", "http://", "http:///x", "http://a b"]
        {
            assert_eq!(text.parse::<Collector>(), Err(NotACollector::NoUrl), "{text}");
        }
        let secret: Collector = "http://me:secret@collector".parse().unwrap();
        assert_eq!(secret.to_string(), "http://collector/v1/traces");
    }

    #[test]
    fn the_variables_of_opentelemetry_name_a_collector() {
        let found = |variables: &[(&str, &str)]| {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            Collector::of_environment(&variable).map(|found| found.map(|collector| collector.url))
        };
        let url = |text: &str| Ok(Some(text.to_owned()));
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all:4318");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4318/at");
        assert_eq!(found(&[]), Ok(None));
        assert_eq!(found(&[all]), url("http://all:4318/v1/traces"));
        assert_eq!(found(&[all, traces]), url("http://traces:4318/at"));
        assert_eq!(found(&[all, ("OTEL_SDK_DISABLED", "true")]), Ok(None));
        let protocol = |name| found(&[all, ("OTEL_EXPORTER_OTLP_PROTOCOL", name)]);
        assert_eq!(protocol("http/protobuf"), url("http://all:4318/v1/traces"));
        assert!(protocol("grpc").unwrap_err().starts_with("OTEL_EXPORTER_OTLP_PROTOCOL is `grpc`"));
        let error = found(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "all:4318")]).unwrap_err();
        assert!(error.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT: `all:4318` is not the URL"), "{error}");
    }
}
