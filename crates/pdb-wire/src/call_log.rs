//! The log of calls: one line for each, written when the call has been answered.
//!
//! A front end asks [`CallLog::is_wanted`] first, so that calls which are not logged pay nothing for it.

mod agent;

use std::sync::Arc;
use std::time::Instant;

use pdb_model::{Operation, TableName};
use pretender::faults::RequestContext;
use serde::Deserialize;
use tracing::Level;

use crate::response::Response;

/// The most characters of the text of an error.
const MOST_TEXT: usize = 300;
/// The most bytes of a request or an answer that are shown whole.
const MOST_BODY: usize = 4 * 1024;
/// The most characters of an operation that does not exist.
const MOST_TARGET: usize = 100;
/// How many tables are named; transactions and batches may have a hundred.
const MOST_TABLES: usize = 4;

/// Notes on one call. They are written to the log when they are dropped, so a call whose client does not wait for the answer is logged, too.
///
/// They make an event with the target [`TARGET`](Self::TARGET) and the level `INFO`. A second event with the level `DEBUG` has the
/// beginning of the request and of the answer. Neither has headers, so the log holds no signatures and tokens.
///
/// # Examples
///
/// ```
/// use pdb_wire::{CallLog, Operation, Response};
///
/// let log = CallLog::is_wanted().then(|| CallLog::new("7F3K", Some("DynamoDB_20120810.ListTables"), Some("Boto3/1.40.1")));
/// // No subscriber is installed.
/// assert!(log.is_none());
/// ```
#[derive(Debug)]
pub struct CallLog {
    began: Instant,
    request_id: String,
    /// The name of the operation, or the target that names none.
    operation: String,
    client: Option<String>,
    /// The name of the database, on a server with several.
    database: Option<String>,
    /// Knows the tables, once the request is decoded. It is asked at the end, so that a call that fails on a bug or that its client
    /// leaves has them, too.
    context: Option<Arc<RequestContext>>,
    request_bytes: Option<usize>,
    answer_bytes: Option<usize>,
    status: Option<u16>,
    is_dropped: bool,
    error: Option<ErrorBody>,
    request: String,
    answer: String,
}

/// The members of an error that the log repeats.
#[derive(Debug, Deserialize)]
struct ErrorBody {
    #[serde(rename = "__type", default)]
    kind: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl CallLog {
    /// The target of the events.
    pub const TARGET: &'static str = "pretender::calls";

    /// Returns whether calls are logged.
    #[inline]
    #[must_use]
    pub fn is_wanted() -> bool {
        tracing::enabled!(target: "pretender::calls", Level::INFO)
    }

    /// Returns the client that a `User-Agent` names, in short: `Boto3/1.40`.
    #[must_use]
    pub fn client(user_agent: &str) -> Option<String> {
        agent::short(user_agent)
    }

    /// Begins the notes of a call that has just arrived, with the id that its answer will carry, its `X-Amz-Target` and its `User-Agent`.
    #[must_use]
    pub fn new(request_id: &str, target: Option<&str>, user_agent: Option<&str>) -> Self {
        let operation = target.and_then(Operation::from_target).map(|operation| operation.name().to_owned());
        Self {
            began: Instant::now(),
            request_id: request_id.to_owned(),
            operation: operation.unwrap_or_else(|| printable(&cut(target.unwrap_or("?"), MOST_TARGET))),
            client: user_agent.and_then(agent::short),
            database: None,
            context: None,
            request_bytes: None,
            answer_bytes: None,
            status: None,
            is_dropped: false,
            error: None,
            request: String::new(),
            answer: String::new(),
        }
    }

    /// Notes the name of the database that the request means, on a server with several.
    pub fn note_database(&mut self, name: &str) {
        self.database = Some(printable(&cut(name, MOST_TARGET)));
    }

    /// Notes the body of the request.
    pub fn note_request(&mut self, body: &[u8]) {
        self.request_bytes = Some(body.len());
        if is_in_full() {
            self.request = shown(body);
        }
    }

    /// Notes what learns the tables that the request names.
    pub(crate) fn note_context(&mut self, context: Arc<RequestContext>) {
        self.context = Some(context);
    }

    /// Notes the answer of an operation.
    pub fn note_response(&mut self, response: &Response) {
        self.note_answer(response.status, response.body.len());
        if response.status != 200 {
            self.error = serde_json::from_slice(&response.body).ok();
        }
        if is_in_full() {
            self.answer = shown(&response.body);
        }
    }

    /// Notes status and length of an answer that does not come from an operation. Has no effect if an operation has answered.
    pub fn note_status(&mut self, status: u16, bytes: usize) {
        if self.status.is_none() {
            self.note_answer(status, bytes);
        }
    }

    fn note_answer(&mut self, status: u16, bytes: usize) {
        (self.status, self.answer_bytes) = (Some(status), Some(bytes));
    }

    /// Notes that a fault drops the connection.
    pub fn note_drop(&mut self) {
        self.is_dropped = true;
    }
}

impl Drop for CallLog {
    fn drop(&mut self) {
        let outcome = match (self.is_dropped, self.status) {
            (true, _) => "dropped by a fault",
            (false, Some(_)) => "answered",
            (false, None) if std::thread::panicking() => "failed because of a bug",
            (false, None) => "left by the client",
        };
        // Hundredths of a millisecond are enough.
        let millis = (self.began.elapsed().as_secs_f64() * 100_000.0).round() / 100.0;
        let tables = self.context.as_ref().and_then(|context| listed(context.tables()));
        let error = self.error.as_ref();
        let kind = error.map(|error| error.kind.rsplit('#').next().unwrap_or_default()).map(printable);
        let text = error.map(|error| cut(&error.message, MOST_TEXT)).filter(|text| !text.is_empty());
        tracing::info!(
            target: "pretender::calls",
            operation = display(&self.operation),
            database = self.database.as_ref().map(display),
            table = tables.as_ref().map(display),
            status = self.status,
            error = kind.as_ref().map(display),
            text = text.as_deref(),
            ms = millis,
            request_bytes = self.request_bytes,
            answer_bytes = self.answer_bytes,
            client = self.client.as_ref().map(display),
            request_id = display(&self.request_id),
            "{outcome}"
        );
        if is_in_full() {
            tracing::debug!(
                target: "pretender::calls",
                request_id = display(&self.request_id),
                request = display(&self.request),
                answer = display(&self.answer),
                "in full"
            );
        }
    }
}

/// Whether requests and answers are logged.
fn is_in_full() -> bool {
    tracing::enabled!(target: "pretender::calls", Level::DEBUG)
}

/// The names of some tables, each once: `Orders,Customers,+3`.
fn listed(mut tables: Vec<TableName>) -> Option<String> {
    tables.sort();
    tables.dedup();
    let names = tables.iter().take(MOST_TABLES).map(|table| table.as_str().to_owned());
    let more = tables.len().checked_sub(MOST_TABLES).filter(|more| *more > 0).map(|more| format!("+{more}"));
    let listed: Vec<String> = names.chain(more).collect();
    (!listed.is_empty()).then(|| listed.join(","))
}

/// The beginning of a body on one line, and how much is left out.
fn shown(body: &[u8]) -> String {
    let beginning = &body[..body.len().min(MOST_BODY)];
    // Outside of texts, where JSON has none, a line break means nothing.
    let mut shown = String::from_utf8_lossy(beginning).replace(['\r', '\n'], " ");
    if body.len() > MOST_BODY {
        shown.push_str(&format!("... ({} bytes)", body.len()));
    }
    shown
}

/// The beginning of a text.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// A word that cannot be taken for two, or for another field of the line.
fn printable(word: &str) -> String {
    word.chars()
        .map(|character| if character.is_ascii_graphic() && character != '=' { character } else { '?' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_once_and_not_all() {
        let list = |names: &str| listed(names.split_whitespace().map(|name| name.parse().unwrap()).collect());
        assert_eq!(list(""), None);
        assert_eq!(list("Orders Orders"), Some("Orders".to_owned()));
        assert_eq!(list("Bbb Aaa Bbb"), Some("Aaa,Bbb".to_owned()));
        assert_eq!(list("Aaa Bbb Ccc Ddd Eee Fff"), Some("Aaa,Bbb,Ccc,Ddd,+2".to_owned()));
    }

    #[test]
    fn texts_and_bodies_are_cut() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü", 2), "äö...");
        assert_eq!(shown(b"{\n \"a\": 1\r\n}"), "{  \"a\": 1  }");
        let long = shown("ä".repeat(MOST_BODY).as_bytes());
        assert!(
            long.starts_with('ä') && long.ends_with("... (8192 bytes)") && long.len() < MOST_BODY + 40,
            "{long}"
        );
    }

    #[test]
    fn words_stay_words() {
        assert_eq!(printable("DynamoDB_20120810.Nothing"), "DynamoDB_20120810.Nothing");
        assert_eq!(printable("a b\n status=200 \u{1b}[2J"), "a?b??status?200??[2J");
    }
}
