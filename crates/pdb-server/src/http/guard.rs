//! Who may send a request: the rules against web pages that a developer visits, and against clients without the token.
//!
//! A browser sends requests to any server that its machine can reach, on behalf of any page. They can be told from the
//! requests of a program only by what the browser says about them: `Host`, `Origin`, `Sec-Fetch-Site`, and a content
//! type that needs the server's consent first. `docs/security.md` explains the purpose of each rule.

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, ORIGIN, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::answer::MediaType;
use super::host::{self, HostName, UnfitHost};
use super::origin::{self, Cors, CorsOrigin};
use crate::{ControlToken, ServerOptions};

pub(super) const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const TOKEN: HeaderName = HeaderName::from_static("x-pretender-token");

/// Decides which requests are processed.
#[derive(Debug)]
pub(super) struct Guard {
    hosts: Vec<HostName>,
    origins: Vec<CorsOrigin>,
    token: Option<ControlToken>,
    /// Whether backups are refused: other machines can reach the server, and its user has neither enabled the control
    /// API nor set a token.
    keeps_backups: bool,
    /// Whether everything below `/_pretender/` is refused, except for the status pages: it would show what calls may not see, and the
    /// server has no token to tell who may see it.
    is_locked: bool,
}

/// Why a request is refused, for people.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) text: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }
}

impl Guard {
    pub(super) fn new(options: &ServerOptions) -> Self {
        Self {
            hosts: options.allowed_hosts.clone(),
            origins: options.cors_origins.clone(),
            token: options.control_token.clone(),
            keeps_backups: !options.host.is_loopback()
                && options.control.is_none()
                && options.control_token.is_none(),
            is_locked: options.credentials.is_some() && options.control_token.is_none(),
        }
    }

    /// Checks that there is a way to tell who may use what is below `/_pretender/`, on a server that checks signatures.
    pub(super) fn check_lock(&self) -> Result<(), Refused> {
        if !self.is_locked {
            return Ok(());
        }
        let text = "this server accepts only known access keys (`--credentials`), so it answers here only if it has a token, too: \
                    start it with PRETENDER_CONTROL_TOKEN";
        Err(Refused::new(StatusCode::FORBIDDEN, text))
    }

    /// Checks that a request is meant for this server.
    pub(super) fn check_host(&self, parts: &Parts) -> Result<(), Refused> {
        host::check(parts, &self.hosts).map_err(|unfit| match unfit {
            UnfitHost::Missing => Refused::new(
                StatusCode::BAD_REQUEST,
                "the request has no `Host` header, which HTTP/1.1 requires",
            ),
            UnfitHost::Malformed => Refused::new(
                StatusCode::BAD_REQUEST,
                "the request does not name one host, in its `Host` header and its target, with or without a port",
            ),
            UnfitHost::Unknown(name) => Refused::new(
                StatusCode::FORBIDDEN,
                format!(
                    "`{name}` is not a name of this server: use localhost or an IP address, or start the server with \
                     `--allow-host {name}`"
                ),
            ),
        })
    }

    /// Checks that an API call comes from a program, or from a page that may call. Returns what the page may do.
    pub(super) fn check_call(&self, parts: &Parts) -> Result<Cors, Refused> {
        origin::decide(&parts.headers, &self.origins).map_err(|origin| {
            let text = format!(
                "web pages from `{origin}` may not call this server: start it with `--cors {origin}` to allow them"
            );
            Refused::new(StatusCode::FORBIDDEN, text)
        })
    }

    /// Checks that a command comes from a program, which knows the token if there is one.
    pub(super) fn check_command(&self, parts: &Parts) -> Result<(), Refused> {
        check_sender(&parts.headers)?;
        self.check_lock()?;
        // Forms cannot send this content type, and `fetch` sends it only after a preflight, which is never granted
        // here.
        if parts.method == Method::POST && MediaType::of(&parts.headers) != Some(MediaType::Json) {
            return Err(Refused::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "a command needs `Content-Type: application/json`: use `curl --json '{}'` or `pretender ctl`",
            ));
        }
        self.check_token(&parts.headers)
    }

    /// Checks that the user of the server has agreed that any client may get the complete contents of the database
    /// files.
    pub(super) fn check_backup(&self) -> Result<(), Refused> {
        if !self.keeps_backups {
            return Ok(());
        }
        let text = "a server that other machines reach gives no backup unless it is started with `--control` or a token \
                    (PRETENDER_CONTROL_TOKEN); `pretender backup --db FILE` makes one without the server";
        Err(Refused::new(StatusCode::FORBIDDEN, text))
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let Some(token) = &self.token else { return Ok(()) };
        let mut given = headers
            .get_all(AUTHORIZATION)
            .iter()
            .filter_map(|value| bearer(value.as_bytes()))
            .chain(headers.get_all(TOKEN).iter().map(|value| value.as_bytes()))
            .peekable();
        if given.peek().is_none() {
            return Err(Refused::new(
                StatusCode::UNAUTHORIZED,
                "this server's commands need its token: set PRETENDER_CONTROL_TOKEN for `pretender ctl`, or send the header \
                 `Authorization: Bearer TOKEN`",
            ));
        }
        if given.any(|given| token.is(given)) {
            return Ok(());
        }
        Err(Refused::new(StatusCode::UNAUTHORIZED, "the token is not the one this server was started with"))
    }
}

/// Returns whether a browser sends a request. All browsers begin `User-Agent` in this way, and a page cannot change that in a
/// request that needs no consent.
pub(super) fn is_from_browser(headers: &HeaderMap) -> bool {
    headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
}

/// Refuses commands from web pages of any origin. The server's own pages send forms to the console, and no commands.
fn check_sender(headers: &HeaderMap) -> Result<(), Refused> {
    if headers.contains_key(ORIGIN) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "commands are not taken from web pages, and this request has an `Origin` header: use `pretender ctl` or curl",
        ));
    }
    // Even without `Origin`, a page can open an address, or load it as an image. `none` means that the user typed the
    // address.
    let is_direct = |site: &[u8]| site == b"none" || site == b"same-origin";
    if headers.get_all(FETCH_SITE).iter().all(|site| is_direct(site.as_bytes())) {
        return Ok(());
    }
    Err(Refused::new(
        StatusCode::FORBIDDEN,
        "commands are not taken from web pages, and this request says that another site has sent it (`Sec-Fetch-Site`): \
         use `pretender ctl` or curl",
    ))
}

/// Returns the token in `Authorization: Bearer TOKEN`.
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests;
