//! `POST /_pretender/backup`: the whole database as a file. It changes nothing, so on a loopback address it does not
//! need `--control`.
//!
//! A backup shows more than the APIs do: pages are copied as they are, and free pages contain deleted data until SQLite
//! reuses them. So a server that other machines can reach makes no backups unless it was started with `--control` or a
//! token.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use pretender::testing::ControlError;

use super::HttpService;
use super::answer::Answer;
use super::command_log::CommandLog;
use crate::backup::BackupFile;
use crate::blocking::blocking;
use crate::control;
use crate::database::Database;

/// The path of the request.
const PATH: &str = "/_pretender/backup";
const SHA256: HeaderName = HeaderName::from_static("x-pretender-sha256");
/// The other regions that this server has open, separated by commas.
const REGIONS: HeaderName = HeaderName::from_static("x-pretender-other-regions");
const FILE: HeaderValue = HeaderValue::from_static("application/vnd.sqlite3");

/// A client that waits for a backup. When it is dropped, because the client has left or the server stops, the backup is
/// aborted.
#[derive(Debug, Default)]
struct Wish(Arc<AtomicBool>);

impl Drop for Wish {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Returns whether a request asks for a backup.
pub(super) fn is_asked_for(parts: &Parts) -> bool {
    parts.method == Method::POST && parts.uri.path() == PATH
}

impl HttpService {
    /// Answers with a copy of a database.
    pub(super) async fn back_up(
        &self,
        database: &Database,
        parts: &Parts,
        body: Incoming,
        peer: SocketAddr,
    ) -> Answer {
        // The body must be read to its end: otherwise, hyper would close the connection after sending the head of the
        // answer.
        if let Err(answer) = self.read(parts, body, None).await {
            return answer;
        }
        let log = CommandLog::begin(parts, database.name(), "backup", b"", peer);
        let answer = self.try_back_up(database, parts).await;
        let (status, text) = match &answer {
            Ok(answer) => (answer.status, String::new()),
            Err((status, text)) => (*status, text.clone()),
        };
        let error = control::error(&text);
        if let Some(log) = log {
            let nothing = serde_json::Value::Null;
            log.tell(status, if status.is_success() { &nothing } else { &error });
        }
        answer.unwrap_or_else(|_| Answer::json(status, &error))
    }

    async fn try_back_up(&self, database: &Database, parts: &Parts) -> Result<Answer, (StatusCode, String)> {
        let bad = |text: &str| (StatusCode::BAD_REQUEST, text.to_owned());
        let (database, other_regions) = database.region_in_query(parts).map_err(|text| bad(&text))?;
        if database.is_remote() {
            return Err(bad(
                "the database is on a PostgreSQL server: back it up with `pg_dump`, or copy it into a file with `pretender copy`",
            ));
        }
        let turn = self.backups.turn().await.ok_or_else(|| {
            (
                StatusCode::CONFLICT,
                "another backup is being made or fetched: try again when it is done".to_owned(),
            )
        })?;
        let wish = Wish::default();
        let is_unwanted = wish.0.clone();
        let made = blocking(move || BackupFile::make(&database, turn, &is_unwanted)).await;
        drop(wish);
        let file = match made {
            Some(Ok(file)) => file,
            Some(Err(error @ (ControlError::NotPossible(_) | ControlError::NotFound(_)))) => {
                return Err(bad(&error.to_string()));
            }
            Some(Err(error)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "could not make a backup");
                return Err((
                    StatusCode::INTERNAL_SERVER_ERROR,
                    format!("could not make the backup: {error}"),
                ));
            }
            None => return Err((StatusCode::SERVICE_UNAVAILABLE, "the server is stopping".to_owned())),
        };
        let mut headers = vec![(CONTENT_TYPE, FILE)];
        headers.extend(HeaderValue::from_str(&file.sha256).ok().map(|value| (SHA256, value)));
        let others = HeaderValue::from_str(&other_regions.join(",")).ok();
        headers.extend(others.filter(|value| !value.is_empty()).map(|value| (REGIONS, value)));
        Ok(Answer::file(file, headers))
    }
}
