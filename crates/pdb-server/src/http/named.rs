//! Requests that name a database, and the commands for named databases.
//!
//! | request | body | does |
//! |---|---|---|
//! | `GET /_pretender/databases` | | lists the named databases that are open |
//! | `POST /_pretender/databases/drop` | `name` | closes a named database and forgets what is in it |

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::http::uri::PathAndQuery;
use hyper::{Method, StatusCode, Uri};
use pdb_model::{ApiError, ErrorCode};
use pretender::time::{Clock, EpochMillis, SystemClock};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, MediaType};
use super::{HttpService, guard};
use crate::NamedDatabases;
use crate::control;
use crate::database::Database;
use crate::databases::DatabaseError;

/// What precedes the name of a database in a path.
pub(super) const PREFIX: &str = "/db/";
/// The path of the commands, after that of all commands.
const COMMANDS: &str = "databases";

/// The path of a request could not be taken apart.
#[derive(Debug)]
pub(super) struct NoPath;

/// Takes the name of a database out of the path of a request: `/db/orders/_pretender/clock` becomes
/// `/_pretender/clock`, and `/db/orders` becomes `/`.
pub(super) fn take_name(parts: &mut Parts) -> Result<Option<String>, NoPath> {
    let Some(named) = parts.uri.path().strip_prefix(PREFIX) else { return Ok(None) };
    let (name, rest) = named.find('/').map_or((named, "/"), |at| named.split_at(at));
    let path = match parts.uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{rest}?{query}")),
        None => PathAndQuery::try_from(rest),
    };
    let name = name.to_owned();
    let mut uri = parts.uri.clone().into_parts();
    uri.path_and_query = Some(path.map_err(|_| NoPath)?);
    parts.uri = Uri::from_parts(uri).map_err(|_| NoPath)?;
    Ok(Some(name))
}

/// Returns whether a path belongs to the commands for named databases.
fn is_command(path: &str) -> bool {
    let command = path.strip_prefix(control::PATH).and_then(|command| command.strip_prefix(COMMANDS));
    command.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl HttpService {
    /// Returns the database with a name, or the server's own.
    pub(super) async fn database(&self, name: Option<&str>) -> Result<Arc<Database>, DatabaseError> {
        match (&self.databases, name) {
            (Some(databases), Some(name)) if name != NamedDatabases::OWN => {
                databases.get(name, &self.shared).await
            }
            _ => Ok(self.home.clone()),
        }
    }

    /// Returns the time of the database with a name. One that is not open yet begins with the true time.
    pub(super) fn time_of(&self, name: Option<&str>) -> EpochMillis {
        let now = |database: &Database| database.wire().pretender().env().clock.now();
        match (&self.databases, name) {
            (Some(databases), Some(name)) if name != NamedDatabases::OWN => {
                databases.find(name).map_or_else(|| SystemClock.now(), |database| now(&database))
            }
            _ => now(&self.home),
        }
    }

    /// Returns the database that a command applies to. It is opened if the command exists and cannot come from a web page: a
    /// page can make a browser send GET requests, whose answers it cannot read.
    pub(super) async fn database_for_command(
        &self,
        name: Option<&str>,
        parts: &Parts,
    ) -> Result<Arc<Database>, (StatusCode, String)> {
        let name = name.filter(|name| *name != NamedDatabases::OWN);
        let (Some(databases), Some(name)) = (&self.databases, name) else { return Ok(self.home.clone()) };
        if let Some(database) = databases.find(name) {
            return Ok(database);
        }
        let command = parts.uri.path().strip_prefix(control::PATH).unwrap_or_default();
        if !control::is_command(&parts.method, command) || guard::is_from_browser(&parts.headers) {
            return Err((StatusCode::NOT_FOUND, format!("no database `{name}` is open")));
        }
        databases.get(name, &self.shared).await.map_err(|error| (error.status(), error.to_string()))
    }

    /// Returns the database that the console shows. It does not open one: a link in another page must not do that.
    pub(super) fn database_for_console(&self, name: Option<&str>) -> Result<Arc<Database>, String> {
        let name = name.filter(|name| *name != NamedDatabases::OWN);
        let (Some(databases), Some(name)) = (&self.databases, name) else { return Ok(self.home.clone()) };
        databases.find(name).ok_or_else(|| format!("no database `{name}` is open"))
    }

    /// Returns the answer to a request that names a database, on a server that has only one.
    pub(super) fn has_no_databases(&self, parts: &Parts) -> Answer {
        let text =
            "This server has one database, and the path names another one: start it with `--databases`";
        if parts.uri.path().contains(control::PATH) {
            return Answer::json(StatusCode::NOT_FOUND, &control::error(text));
        }
        let error = ApiError::new(ErrorCode::UnknownOperationException, text);
        let media_type = MediaType::of(&parts.headers).unwrap_or(MediaType::Json);
        Answer::of(self.home.wire().refuse(b"{}", &error), media_type)
    }

    /// Returns whether a request is a command for named databases.
    pub(super) fn is_for_databases(&self, parts: &Parts) -> bool {
        self.databases.is_some() && is_command(parts.uri.path())
    }

    /// Executes a command for named databases.
    pub(super) async fn command_for_databases(
        &self,
        parts: &Parts,
        body: Incoming,
        peer: SocketAddr,
    ) -> Answer {
        let Some(databases) = self.databases.clone() else { return Answer::unknown_operation_page() };
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        self.execute(None, parts, body, peer, move |body| execute(&databases, &method, &path, body)).await
    }
}

/// The body of `databases/drop`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DropDatabase {
    name: String,
}

/// Executes a command for named databases. May block.
fn execute(databases: &NamedDatabases, method: &Method, path: &str, body: &[u8]) -> (StatusCode, Value) {
    let bad = |text: &str| (StatusCode::BAD_REQUEST, control::error(text));
    match (method, path.strip_prefix(control::PATH)) {
        (&Method::GET, Some("databases")) => {
            let listed = databases.list().into_iter();
            let listed = listed
                .map(|database| json!({ "name": database.name, "idle_seconds": database.idle.as_secs() }));
            (StatusCode::OK, json!({ "databases": listed.collect::<Value>() }))
        }
        (&Method::POST, Some("databases/drop")) => match serde_json::from_slice::<DropDatabase>(body) {
            Err(error) => bad(&format!("invalid body: {error}")),
            Ok(DropDatabase { name }) if name == NamedDatabases::OWN => bad(&format!(
                "`{name}` is the server's own database, which cannot be dropped: `reset` removes everything in it"
            )),
            Ok(DropDatabase { name }) => (StatusCode::OK, json!({ "dropped": databases.drop_one(&name) })),
        },
        _ => (
            StatusCode::NOT_FOUND,
            control::error(&format!(
                "there is no command {method} {path}; the commands for databases are GET databases and POST databases/drop"
            )),
        ),
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    #[test]
    fn a_path_can_name_a_database() {
        for (uri, name, rest) in [
            ("/db/orders", Some("orders"), "/"),
            ("/db/orders/", Some("orders"), "/"),
            ("/db/o.1-2_3/_pretender/clock", Some("o.1-2_3"), "/_pretender/clock"),
            ("/db/o/_pretender/trim?region=eu-west-1", Some("o"), "/_pretender/trim?region=eu-west-1"),
            ("/db/o?X-Amz-Algorithm=x", Some("o"), "/?X-Amz-Algorithm=x"),
            ("/db/a/db/b", Some("a"), "/db/b"),
            ("/db//", Some(""), "/"),
            ("/db/", Some(""), "/"),
            ("http://localhost:8000/db/o/", Some("o"), "http://localhost:8000/"),
            ("/db", None, "/db"),
            ("/", None, "/"),
            ("/_pretender/clock", None, "/_pretender/clock"),
            ("/dbs/o", None, "/dbs/o"),
        ] {
            let mut parts = Request::builder().uri(uri).body(()).unwrap().into_parts().0;
            assert_eq!(take_name(&mut parts).unwrap().as_deref(), name, "{uri}");
            assert_eq!(parts.uri.to_string(), rest, "{uri}");
        }
    }

    #[test]
    fn commands_for_databases_have_a_path_of_their_own() {
        for (path, expected) in [
            ("/_pretender/databases", true),
            ("/_pretender/databases/drop", true),
            ("/_pretender/databases/nothing", true),
            ("/_pretender/databasesx", false),
            ("/_pretender/clock", false),
            ("/databases", false),
        ] {
            assert_eq!(is_command(path), expected, "{path}");
        }
    }
}
