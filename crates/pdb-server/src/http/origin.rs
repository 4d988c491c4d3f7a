//! CORS: which web pages may call the APIs.

use std::fmt;
use std::str::FromStr;

use hyper::header::{HeaderMap, HeaderValue, ORIGIN};

use super::host::Host;

/// The origin of web pages that may call the APIs: `https://app.example.com`, `http://192.168.1.5:3000`, `null`, or `*`
/// for all.
///
/// Programs with a browser inside may send other schemes, such as `file://` or `app://.`.
///
/// # Examples
///
/// ```
/// use pdb_server::CorsOrigin;
///
/// // As browsers write it: in lower case, without the default port of the scheme.
/// assert_eq!("https://App.example.com:443".parse::<CorsOrigin>()?.as_str(), "https://app.example.com");
/// assert!("app.example.com".parse::<CorsOrigin>().is_err());
/// # Ok::<(), pdb_server::NotAnOrigin>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CorsOrigin(String);

/// The error for a text that is not an origin.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an origin: expected scheme, host and port, such as http://192.168.1.5:3000, or `null`, or `*` for all origins"
)]
pub struct NotAnOrigin;

impl CorsOrigin {
    /// Returns the origin in the form that browsers use.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_any(&self) -> bool {
        self.0 == "*"
    }
}

impl FromStr for CorsOrigin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        if text == "*" || text == "null" {
            return Ok(Self(text.to_owned()));
        }
        let text = text.to_ascii_lowercase();
        let (scheme, host) = text.split_once("://").ok_or(NotAnOrigin)?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let is_host = match scheme {
            "http" | "https" => Host::parse(host).is_some(),
            // An origin has no path, query or user.
            _ => host.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#@*".contains(&byte)),
        };
        if !is_scheme || !is_host {
            return Err(NotAnOrigin);
        }
        let own_port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return Ok(Self(text)),
        };
        let host = host.strip_suffix(own_port).unwrap_or(host);
        Ok(Self(format!("{scheme}://{host}")))
    }
}

impl fmt::Display for CorsOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a web page may do with the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cors {
    /// There is no sign that a page sent the request.
    NotAsked,
    /// Any page may read it.
    Any,
    /// Pages of the origin that sent the request may read it.
    Origin(HeaderValue),
}

/// Decides whether the page that sent a request, if any, may call the APIs. Pages of this machine and of allowed
/// origins may.
///
/// # Errors
///
/// The refused origin, in a printable form.
pub(super) fn decide(headers: &HeaderMap, allowed: &[CorsOrigin]) -> Result<Cors, String> {
    let mut given = headers.get_all(ORIGIN).iter();
    let Some(value) = given.next() else { return Ok(Cors::NotAsked) };
    if allowed.iter().any(CorsOrigin::is_any) {
        return Ok(Cors::Any);
    }
    let Ok(origin) = value.to_str() else { return Err("?".to_owned()) };
    let is_allowed =
        is_of_this_machine(origin) || allowed.iter().any(|allowed| allowed.0.eq_ignore_ascii_case(origin));
    // No browser sends two origins.
    if is_allowed && given.next().is_none() {
        Ok(Cors::Origin(value.clone()))
    } else {
        Err(origin.to_owned())
    }
}

/// Returns whether pages of this origin come from a program on this machine.
fn is_of_this_machine(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.and_then(Host::parse).is_some_and(Host::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(origins: &[&str], allowed: &[&str]) -> Result<Cors, String> {
        let mut headers = HeaderMap::new();
        for origin in origins {
            headers.append(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        let allowed: Vec<CorsOrigin> = allowed.iter().map(|origin| origin.parse().unwrap()).collect();
        decide(&headers, &allowed)
    }

    #[test]
    fn pages_of_this_machine_may_call() {
        for origin in [
            "http://localhost",
            "http://localhost:3000",
            "https://localhost:3000",
            "http://app.localhost:5173",
            "http://127.0.0.1:3000",
            "http://127.1.2.3",
            "https://[::1]:3000",
        ] {
            assert_eq!(
                decided(&[origin], &[]),
                Ok(Cors::Origin(HeaderValue::from_static(origin))),
                "{origin}"
            );
        }
        assert_eq!(decided(&[], &[]), Ok(Cors::NotAsked));
    }

    #[test]
    fn pages_from_elsewhere_may_not() {
        for origin in [
            "https://example.com",
            "http://localhost.example.com",
            "http://evillocalhost",
            "http://127.0.0.1.example.com",
            "http://192.168.1.5:3000",
            "http://[2001:db8::1]",
            "http://host.docker.internal:3000",
            "http://pretender:3000",
            "null",
            "",
            "file://",
            "ftp://localhost",
            "localhost",
            "http://localhost:3000 http://example.com",
            "http://user@localhost",
            "http://localhost/",
            "*",
        ] {
            assert_eq!(decided(&[origin], &["https://app.example.com"]), Err(origin.to_owned()), "{origin}");
        }
        assert!(decided(&["http://localhost", "https://example.com"], &[]).is_err());
        let mut headers = HeaderMap::new();
        headers.append(ORIGIN, HeaderValue::from_bytes(b"http://b\xfcro").unwrap());
        assert_eq!(decide(&headers, &[]), Err("?".to_owned()));
    }

    #[test]
    fn others_may_if_they_are_allowed() {
        for (origin, allowed) in [
            ("https://app.example.com", "https://app.example.com"),
            ("https://app.example.com", "https://App.Example.com:443"),
            ("http://192.168.1.5:3000", "http://192.168.1.5:3000"),
            ("null", "null"),
            ("file://", "file://"),
            ("app://.", "app://."),
            ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ] {
            let granted = Ok(Cors::Origin(HeaderValue::from_static(origin)));
            assert_eq!(decided(&[origin], &["https://other.example.com", allowed]), granted, "{origin}");
            assert_eq!(decided(&[origin], &["*"]), Ok(Cors::Any));
        }
        for (origin, allowed) in [
            ("https://app.example.com:8443", "https://app.example.com"),
            ("http://app.example.com", "https://app.example.com"),
            ("https://evil-app.example.com", "https://app.example.com"),
            ("https://app.example.com.evil", "https://app.example.com"),
        ] {
            assert!(decided(&[origin], &[allowed]).is_err(), "{origin}");
        }
        assert_eq!(decided(&[], &["*"]), Ok(Cors::NotAsked));
    }

    #[test]
    fn origins_to_allow_have_no_path() {
        for bad in [
            "",
            "example.com",
            "http://",
            "http://example.com/",
            "http://example.com/app",
            "http://*.example.com",
            "http://user@example.com",
            "https://example.com:port",
            "://example.com",
            "NULL",
            "app://a b",
        ] {
            assert_eq!(bad.parse::<CorsOrigin>(), Err(NotAnOrigin), "{bad}");
        }
    }
}
