//! The HTTP client of the export.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};

use super::collector::Collector;

/// How long a batch may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of an answer that are read. A collector has not much to say.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;
/// How often the log says that traces are lost.
const REMINDER: Duration = Duration::from_secs(60);

/// Sends batches of spans. It blocks, which it may: the export has a thread of its own.
#[derive(Debug)]
pub(super) struct Client {
    agent: ureq::Agent,
    collector: Collector,
    /// When the log has last said that the collector does not take traces, unless it takes them again.
    reported: Mutex<Option<Instant>>,
}

impl Client {
    pub(super) fn new(collector: Collector) -> Self {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("pretender/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(TIMEOUT));
        if collector.is_local() {
            // A proxy cannot reach this machine's loopback address.
            config = config.proxy(None);
        }
        Self { agent: config.build().into(), collector, reported: Mutex::new(None) }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let (head, body) = request.into_parts();
        let response = self.agent.run(Request::from_parts(head, &body[..]))?;
        let (head, mut body) = response.into_parts();
        let body = body.with_config().limit(MAX_ANSWER_BYTES).read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }

    /// Tells people, but not each time, that the collector does not take traces, or takes them again.
    fn report(&self, sent: &Result<Response<Bytes>, ureq::Error>) {
        let problem = match sent {
            Ok(response) if response.status().is_success() => None,
            Ok(response) => Some(format!("it answered with status {}", response.status().as_u16())),
            Err(error) => Some(error.to_string()),
        };
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let collector = &self.collector;
        match problem {
            None if reported.take().is_some() => {
                tracing::warn!(target: "pretender::server", %collector, "traces are sent again");
            }
            Some(problem) if reported.is_none_or(|before| before.elapsed() >= REMINDER) => {
                *reported = Some(Instant::now());
                tracing::warn!(target: "pretender::server", %collector, problem, "traces are lost: they cannot be sent");
            }
            _ => {}
        }
    }
}

/// What the trait's method returns.
type Sent<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Client {
    fn send_bytes<'client, 'a>(&'client self, request: Request<Bytes>) -> Sent<'a>
    where
        'client: 'a,
        Self: 'a,
    {
        let sent = self.send(request);
        self.report(&sent);
        Box::pin(ready(sent.map_err(Into::into)))
    }
}
