//! The HTTP client: what the SDK calls instead of a network.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_async::future::timeout::Timeout;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use pretender::Pretender;

use crate::front::Front;

/// An HTTP client of the SDK that answers from a database in this process. Cheap to clone; all clones are of one database.
///
/// [`PretenderExt`](crate::PretenderExt) makes it.
///
/// - Requests need not be signed, and the time in a signature does not matter.
/// - A call waits only for the database, so connect timeouts never expire. Read timeouts are kept.
/// - Work that may take long runs on tokio's threads for blocking work. Outside a tokio runtime it runs on the caller's.
/// - A call whose future is dropped is carried out or not, as one whose connection breaks; it is never carried out in part.
#[derive(Clone, Debug)]
pub struct InProcessClient {
    front: Arc<Front>,
}

impl InProcessClient {
    pub(crate) fn new(pretender: Pretender) -> Self {
        Self { front: Arc::new(Front::new(pretender)) }
    }
}

impl HttpClient for InProcessClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            front: self.front.clone(),
            read_timeout: settings.read_timeout().zip(components.sleep_impl()),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new(env!("CARGO_PKG_NAME"), Some(env!("CARGO_PKG_VERSION").into())))
    }
}

/// The client, with the settings of one call.
#[derive(Debug)]
struct Connector {
    front: Arc<Front>,
    /// How long an answer may take, and what measures it.
    read_timeout: Option<(Duration, SharedAsyncSleep)>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let front = self.front.clone();
        let answer = async move { front.answer(request).await };
        match &self.read_timeout {
            None => HttpConnectorFuture::new(answer),
            Some((limit, sleep)) => {
                let (limit, sleep) = (*limit, sleep.sleep(*limit));
                HttpConnectorFuture::new(async move {
                    let in_time = Timeout::new(answer, sleep).await;
                    in_time.unwrap_or_else(|_| Err(ConnectorError::timeout(ReadTimedOut(limit).into())))
                })
            }
        }
    }
}

/// The answer took longer than the caller allows.
#[derive(Debug)]
struct ReadTimedOut(Duration);

impl std::fmt::Display for ReadTimedOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no answer within the read timeout of {:?}", self.0)
    }
}

impl std::error::Error for ReadTimedOut {}
