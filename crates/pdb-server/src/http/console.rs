//! The console: pages under `/_pretender/console/`, made by `pdb-console`.
//!
//! | rule | against |
//! |---|---|
//! | only from this machine, unless `--console anywhere` | curious neighbours |
//! | the server's token, once, if it has one; then a cookie that scripts cannot read | those who must not command |
//! | `Sec-Fetch-Site` and `Origin` name no other site, except for a link to a page | pages that load the console, or send forms to it |
//! | a form carries a token that only the console's pages have | the same, also with cookies of another port |
//! | a strict Content-Security-Policy, and everything escaped | contents of items |

mod session;
mod tails;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use pdb_console::{CommandError, Commands, Context, Parameters, Request};
use pdb_trigger::TriggerMonitor;
use serde_json::Value;
use tokio::sync::watch;

use super::HttpService;
use super::answer::Answer;
use super::guard::{FETCH_SITE, Refused};
use crate::blocking::blocking;
use crate::control::{Control, RegionInQuery};
use crate::{ConsoleAccess, ServerOptions};
use session::Session;
pub(crate) use tails::EventsBody;
use tails::Tails;

/// The path of the console, without the slash behind it.
const PATH: &str = "/_pretender/console";
/// The page that asks for the server's token.
const SIGN_IN: &str = "sign-in";
/// What a browser has received last of the events of a page.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Pages that read much, or go on for ever. A link of another site does not lead to them.
const COSTLY: [&str; 2] = ["export", "events"];
/// The content type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// Decides who may open the console, and what its pages may send.
#[derive(Debug)]
pub(super) struct Console {
    access: ConsoleAccess,
    session: Session,
    tails: Tails,
    /// Where the data of the server's own database is, for people.
    location: String,
    /// The triggers of this process, on the server's own database.
    triggers: Vec<TriggerMonitor>,
}

/// Returns the page of the console that a path means: `None` if it means something else, and `Some(None)` if the slash behind
/// the console is missing, on which relative addresses depend.
fn page_of(path: &str) -> Option<Option<&str>> {
    match path.strip_prefix(PATH)? {
        "" => Some(None),
        rest => rest.strip_prefix('/').map(Some),
    }
}

/// Returns whether a request is for the console.
pub(super) fn is_asked_for(parts: &Parts) -> bool {
    page_of(parts.uri.path()).is_some()
}

impl Console {
    /// `endpoint` is the address at which clients reach the server; `stopping` becomes true when it must stop.
    pub(super) fn new(
        options: &ServerOptions,
        endpoint: &str,
        file: Option<&Path>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let port = endpoint.rsplit(':').next().unwrap_or_default();
        let name = file.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        Self {
            access: options.console,
            session: Session::new(options.control_token.clone(), port, options.is_https()),
            tails: Tails::new(stopping),
            location: name.unwrap_or_default(),
            triggers: options.triggers.clone(),
        }
    }

    /// Decides, based only on its head, whether a request for the console is answered.
    pub(super) fn admit(&self, parts: &Parts, peer: SocketAddr) -> Result<(), Refused> {
        if self.access == ConsoleAccess::Off {
            return Err(Refused::new(StatusCode::NOT_FOUND, "this server was started without its console"));
        }
        if !self.access.admits(peer, &parts.headers) {
            let text = "the console is shown to browsers on the server's machine; start the server with \
                        `--console anywhere` to show it to all that reach it";
            return Err(Refused::new(StatusCode::FORBIDDEN, text));
        }
        check_site(parts)
    }

    /// Returns the triggers of a database; named databases have none.
    pub(super) fn triggers(&self, name: Option<&str>) -> &[TriggerMonitor] {
        if name.is_none() { &self.triggers } else { &[] }
    }

    fn is_signed_in(&self, parts: &Parts) -> bool {
        self.session.is_signed_in(&parts.headers)
    }
}

/// Refuses what another site sends. It may have a link to a page, which changes nothing and cannot be shown in a frame.
fn check_site(parts: &Parts) -> Result<(), Refused> {
    let site = parts.headers.get(FETCH_SITE).map(|site| site.as_bytes());
    let is_own = site.is_none_or(|site| site == b"same-origin" || site == b"none");
    let is_link = parts.method == Method::GET
        && page_of(parts.uri.path()).flatten().is_none_or(|page| !COSTLY.contains(&page))
        && parts.headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate")
        && parts.headers.get("sec-fetch-dest").is_some_and(|dest| dest == "document");
    if (is_own || is_link) && is_own_origin(&parts.headers) {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::FORBIDDEN,
        "another site has sent this request; the console answers only its own pages",
    ))
}

/// Returns whether `Origin`, if there is one, is this server as the request names it.
fn is_own_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = headers.get(HOST).map(|host| host.as_bytes());
    let origin = origin.as_bytes();
    let origin = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
    origin.is_some() && origin == host
}

impl HttpService {
    /// Answers with a page of the console.
    pub(super) async fn show(
        &self,
        name: Option<&str>,
        parts: &Parts,
        body: Incoming,
        peer: SocketAddr,
    ) -> Answer {
        let Some(page) = page_of(parts.uri.path()).flatten() else {
            return see_other("console/");
        };
        let is_post = match parts.method {
            Method::GET | Method::HEAD => false,
            Method::POST => true,
            _ => return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "the console answers GET and POST\n"),
        };
        if let Some(asset) = pdb_console::asset(page) {
            return Answer::console(asset);
        }
        let is_sign_in = page == SIGN_IN && is_post;
        if !is_sign_in && !self.console.is_signed_in(parts) {
            return Answer::console(pdb_console::sign_in(false, self.console.session.form_token()));
        }
        let (body, _permit) = match self.read(parts, body, None).await {
            Ok(body) => body,
            Err(answer) => return answer,
        };
        if is_post && let Some(refusal) = self.check_form(parts, &body) {
            return refusal;
        }
        if is_sign_in {
            return self.console.session.sign_in(&Parameters::of(&body));
        }
        let database = match self.database_for_console(name) {
            Ok(database) => database,
            Err(text) => return Answer::text(StatusCode::NOT_FOUND, &format!("{text}\n")),
        };
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let region = Parameters::of(query.as_bytes()).find("region").map(str::to_owned);
        let (pretender, _) = match database.region_in_query(parts) {
            Ok(found) => found,
            Err(text) => return Answer::text(StatusCode::NOT_FOUND, &format!("{text}\n")),
        };
        let wire = database.regions().wire(pretender, database.wire().endpoint());
        let commands = database.control().map(|control| ConsoleCommands {
            control: control.clone(),
            region: RegionInQuery::of(parts.uri.query()),
        });
        if is_post {
            tracing::info!(target: "pretender::commands", %peer, page, database = database.name(), "console");
        }
        let last_event_id =
            parts.headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let (page, name) = (page.to_owned(), database.name().map(str::to_owned));
        let (form_token, location) =
            (self.console.session.form_token().to_owned(), self.console.location.clone());
        let triggers = self.console.triggers(name.as_deref()).to_vec();
        let answered = blocking(move || {
            let mut context = Context::new(wire)
                .with_form_token(&form_token)
                .with_region(region.as_deref())
                .with_name(name.as_deref(), &location)
                .with_triggers(&triggers);
            if let Some(commands) = &commands {
                context = context.with_commands(commands);
            }
            let request =
                if is_post { Request::post(&page, &query, &body) } else { Request::get(&page, &query) };
            context.answer(&request.with_last_event_id(last_event_id.as_deref()))
        });
        match answered.await {
            Some(pdb_console::Answer::Events(tail)) => match self.console.tails.start(*tail) {
                Ok(events) => Answer::events(events),
                Err(reason) => Answer::text(StatusCode::SERVICE_UNAVAILABLE, &format!("{reason}\n")),
            },
            Some(answer) => Answer::console(answer),
            None => Answer::text(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n"),
        }
    }

    /// Checks that one of the console's own pages has sent a form. Otherwise, returns the answer.
    fn check_form(&self, parts: &Parts, body: &[u8]) -> Option<Answer> {
        let media_type =
            parts.headers.get(CONTENT_TYPE).and_then(|given| given.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(FORM) {
            let text = format!("a form of the console has the content type {FORM}\n");
            return Some(Answer::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, &text));
        }
        if !self.console.session.is_own_form(&Parameters::of(body)) {
            let text = "this form does not come from a page that this server has shown since it was started; load the page again, \
                        and repeat what you did\n";
            return Some(Answer::text(StatusCode::FORBIDDEN, text));
        }
        None
    }
}

fn see_other(location: &str) -> Answer {
    Answer::console(pdb_console::Answer::SeeOther(location.to_owned()))
}

/// The commands of the control API, as the console calls them.
struct ConsoleCommands {
    control: Arc<Control>,
    region: RegionInQuery,
}

impl Commands for ConsoleCommands {
    fn execute(&self, command: &str, body: Option<&Value>) -> Result<Value, CommandError> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        // A page shows one region, so it resets one.
        let region =
            if command == "reset" { self.region.clone().or_home(&self.control) } else { self.region.clone() };
        let (status, answer) = self.control.execute(&method, command, &region, &body);
        if status == StatusCode::OK {
            return Ok(answer);
        }
        let text = answer.get("error").and_then(Value::as_str).unwrap_or("the command failed");
        Err(CommandError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_pages() {
        assert_eq!(page_of("/_pretender/console"), Some(None));
        assert_eq!(page_of("/_pretender/console/"), Some(Some("")));
        assert_eq!(page_of("/_pretender/console/table"), Some(Some("table")));
        assert_eq!(page_of("/_pretender/consoles"), None);
        assert_eq!(page_of("/_pretender/clock"), None);
    }

    #[test]
    fn other_sites_have_links_and_nothing_else() {
        let admitted = |method: Method, headers: &[(&str, &str)]| {
            let mut request = hyper::Request::builder().method(method).uri("/_pretender/console/");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            check_site(&request.body(()).unwrap().into_parts().0).is_ok()
        };
        let host = ("host", "localhost:8000");
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert!(admitted(Method::GET, &[host]));
        assert!(admitted(Method::GET, &[host, ("sec-fetch-site", "none")]));
        assert!(admitted(
            Method::POST,
            &[host, ("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8000")]
        ));
        assert!(admitted(Method::GET, &[&[host][..], &link[..]].concat()));
        for (method, headers) in [
            (Method::POST, [&[host][..], &link[..]].concat()),
            (Method::GET, vec![host, ("sec-fetch-site", "cross-site")]),
            (Method::GET, vec![host, ("sec-fetch-site", "same-site")]),
            (
                Method::GET,
                vec![
                    host,
                    ("sec-fetch-site", "cross-site"),
                    ("sec-fetch-mode", "navigate"),
                    ("sec-fetch-dest", "iframe"),
                ],
            ),
            (Method::POST, vec![host, ("origin", "http://localhost:3000")]),
            (Method::POST, vec![host, ("origin", "http://attacker.example")]),
            (Method::POST, vec![host, ("origin", "null")]),
        ] {
            assert!(!admitted(method, &headers), "{headers:?}");
        }
    }
}
