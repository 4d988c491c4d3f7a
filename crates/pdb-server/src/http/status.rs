//! What the server tells of itself to anybody who asks, also without the control interface and its token: for supervisors, load
//! balancers and scripts that wait for it.
//!
//! Nothing of it changes anything, or tells what is in the database. A web page may ask, and cannot read the answer.

use std::sync::Arc;
use std::time::Duration;

use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use pretender::Pretender;
use pretender::tables::ListTablesInput;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

use super::answer::Answer;
use super::blocking;
use crate::regions::Regions;
use crate::{ServerOptions, control};

/// How long the database may take to answer a read.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// A question about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatusPage {
    /// Is it alive?
    Health,
    /// Does the database answer?
    Ready,
    /// What is it?
    Version,
}

impl StatusPage {
    /// Finds the question that a request asks, if it is one.
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

/// Answers questions about the server.
#[derive(Debug)]
pub(super) struct Status {
    pretender: Pretender,
    /// One question is put to the database at a time: a database that hangs must not take thread after thread.
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
            "control_token": options.control_token.is_some(),
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

    /// Looks whether the database answers; says why it is not ready otherwise.
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
            Ok(Some(Err(error))) => Err(format!("the database cannot be read: {error}")),
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
