//! Pages about the server, for supervisors, load balancers and scripts that wait for it. They need neither the control
//! API nor its token.
//!
//! They change nothing, and do not show what is in the database. A web page can request them, but cannot read the
//! answer.

use std::sync::Arc;
use std::time::Duration;

use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use pretender::Pretender;
use pretender::tables::ListTablesInput;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

use super::answer::Answer;
use crate::blocking::blocking;
use crate::regions::Regions;
use crate::{ServerOptions, control};

/// Timeout for the database to answer a read.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// A page about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatusPage {
    /// Whether the process is alive.
    Health,
    /// Whether the database answers.
    Ready,
    /// Name, version and settings.
    Version,
}

impl StatusPage {
    /// Returns the page that a request asks for, if any.
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        if parts.method != Method::GET && parts.method != Method::HEAD {
            return None;
        }
        match parts.uri.path().strip_prefix(control::PATH)? {
            "health" => Some(Self::Health),
            "ready" => Some(Self::Ready),
            "version" => Some(Self::Version),
            _ => None,
        }
    }
}

/// Answers requests for these pages.
#[derive(Debug)]
pub(super) struct Status {
    pretender: Pretender,
    /// Only one request at a time reads the database, so that a hanging database cannot occupy one thread after
    /// another.
    turn: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
    version: Value,
}

impl Status {
    pub(super) fn new(regions: &Regions, options: &ServerOptions, stopping: watch::Receiver<bool>) -> Self {
        let version = json!({
            "name": "pretender",
            "version": env!("CARGO_PKG_VERSION"),
            "targets": ["DynamoDB_20120810", "DynamoDBStreams_20120810"],
            "region": regions.home_region(),
            "separate_regions": regions.are_separate(),
            "control": options.control.is_some(),
            "databases": options.databases.is_some(),
            "control_token": options.control_token.is_some(),
            "credentials": options.credentials.is_some(),
        });
        let pretender = regions.home().without_faults();
        Self { pretender, turn: Arc::new(Semaphore::new(1)), stopping, version }
    }

    pub(super) async fn answer(&self, page: StatusPage) -> Answer {
        match page {
            StatusPage::Health => Answer::json(StatusCode::OK, &json!({ "status": "alive" })),
            StatusPage::Version => Answer::json(StatusCode::OK, &self.version),
            StatusPage::Ready => match self.check().await {
                Ok(()) => Answer::json(StatusCode::OK, &json!({ "status": "ready" })),
                Err(reason) => {
                    tracing::debug!(reason, "not ready");
                    let answer = json!({ "status": "not ready", "error": reason });
                    Answer::json(StatusCode::SERVICE_UNAVAILABLE, &answer)
                }
            },
        }
    }

    /// Checks that the database answers. Otherwise, returns why it is not ready.
    async fn check(&self) -> Result<(), String> {
        if *self.stopping.borrow() {
            return Err("the server is stopping".to_owned());
        }
        let read = async {
            // The semaphore is never closed.
            let turn = self.turn.clone().acquire_owned().await.ok();
            let pretender = self.pretender.clone();
            blocking(move || {
                let read = pretender.list_tables(&ListTablesInput { limit: Some(1), ..Default::default() });
                drop(turn);
                read
            })
            .await
        };
        match tokio::time::timeout(READY_TIMEOUT, read).await {
            Ok(Some(Ok(_))) => Ok(()),
            Ok(Some(Err(error))) => Err(format!("cannot read the database: {error}")),
            Ok(None) => Err("the server is stopping".to_owned()),
            Err(_) => Err(format!("the database has not answered within {} s", READY_TIMEOUT.as_secs())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(status: &Status) -> StatusCode {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(status.answer(StatusPage::Ready)).status
    }

    #[test]
    fn a_server_is_ready_while_its_database_answers_and_it_does_not_stop() {
        let pretender = Pretender::in_memory().unwrap();
        let regions: Regions = pretender.clone().into();
        let stop = watch::Sender::new(false);
        let status = Status::new(&regions, &ServerOptions::default(), stop.subscribe());
        assert_eq!(ready(&status), StatusCode::OK);
        stop.send_replace(true);
        assert_eq!(ready(&status), StatusCode::SERVICE_UNAVAILABLE);
        stop.send_replace(false);
        assert_eq!(ready(&status), StatusCode::OK);
        pretender.close();
        assert_eq!(ready(&status), StatusCode::SERVICE_UNAVAILABLE);
    }
}
