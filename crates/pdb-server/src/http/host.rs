//! Checking the host that a request is meant for.
//!
//! A web page can make a browser send requests to this server under a host name of the page's own: after the page is
//! loaded, its owner lets the name resolve to 127.0.0.1 (DNS rebinding), and the browser considers page and server as
//! one origin. The name in `Host` reveals such a request. Rebinding needs a name in the public DNS, so addresses, and
//! names that are not there, are safe.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use hyper::Version;
use hyper::header::HOST;
use hyper::http::request::Parts;

/// A host name without a port: `dynamodb.us-east-1.amazonaws.com`. Upper and lower case are the same.
///
/// # Examples
///
/// ```
/// use pdb_server::HostName;
///
/// assert_eq!("DB.example.com".parse::<HostName>()?.as_str(), "db.example.com");
/// assert!("db.example.com:8000".parse::<HostName>().is_err());
/// # Ok::<(), pdb_server::NotAHostName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostName(String);

/// The error for a text that is not a host name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a host name: expected a name without scheme and port, such as db.example.com")]
pub struct NotAHostName;

impl HostName {
    /// Returns the name in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = NotAHostName;

    fn from_str(text: &str) -> Result<Self, NotAHostName> {
        let is_name = !text.contains(':') && Host::parse(text).is_some();
        if is_name { Ok(Self(without_final_dot(text).to_ascii_lowercase())) } else { Err(NotAHostName) }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The host in a request or an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host<'a> {
    Name(&'a str),
    Address(IpAddr),
}

impl<'a> Host<'a> {
    /// Parses a name or an address, with or without a port.
    pub(super) fn parse(authority: &'a str) -> Option<Self> {
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(rest) = authority.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            if !rest.is_empty() && !rest.strip_prefix(':').is_some_and(is_port) {
                return None;
            }
            // A zone, as in `fe80::1%eth0`, has a meaning only for the client.
            let (address, _zone) = address.split_once('%').unwrap_or((address, ""));
            return Some(Self::Address(address.parse::<Ipv6Addr>().ok()?.into()));
        }
        let (name, port) = authority.split_once(':').unwrap_or((authority, ""));
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if name.is_empty() || !name.bytes().all(is_name) || !is_port(port) {
            return None;
        }
        Some(match name.parse::<Ipv4Addr>() {
            Ok(address) => Self::Address(address.into()),
            Err(_) => Self::Name(name),
        })
    }

    /// Returns whether this always means the client's own machine.
    pub(super) fn is_loopback(self) -> bool {
        match self {
            Self::Address(address) => address.is_loopback(),
            Self::Name(name) => is_localhost(name),
        }
    }

    /// Returns whether no attacker can make this mean another machine for a browser.
    fn is_safe(self) -> bool {
        match self {
            Self::Address(_) => true,
            Self::Name(name) => {
                // A name without a dot, not even at the end, is a name in the local network: a container, a machine.
                !name.contains('.') || is_localhost(name) || name.eq_ignore_ascii_case("host.docker.internal")
            }
        }
    }
}

/// Returns whether a name is `localhost` or a name below it. Such names are never looked up in DNS.
fn is_localhost(name: &str) -> bool {
    const LOCALHOST: &[u8] = b"localhost";
    let name = without_final_dot(name).as_bytes();
    match name.len().checked_sub(LOCALHOST.len()) {
        None => false,
        Some(0) => name.eq_ignore_ascii_case(LOCALHOST),
        Some(at) => name[at - 1] == b'.' && name[at..].eq_ignore_ascii_case(LOCALHOST),
    }
}

fn without_final_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Why the host of a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum UnfitHost {
    /// There is no `Host` header, which HTTP/1.1 requires.
    Missing,
    /// There are two hosts, or the host is malformed.
    Malformed,
    /// The name is not allowed.
    Unknown(String),
}

/// Checks that a request is meant for this server: the `Host` header, and the host in the target if there is one.
pub(super) fn check(parts: &Parts, allowed: &[HostName]) -> Result<(), UnfitHost> {
    let mut given = parts.headers.get_all(HOST).iter();
    match (given.next(), given.next()) {
        (Some(host), None) => check_one(host.to_str().unwrap_or_default(), allowed)?,
        (Some(_), Some(_)) => return Err(UnfitHost::Malformed),
        // HTTP/1.0 has no `Host` header, and no browser uses it.
        (None, _) if parts.version < Version::HTTP_11 => {}
        (None, _) => return Err(UnfitHost::Missing),
    }
    match parts.uri.authority() {
        Some(authority) => check_one(authority.as_str(), allowed),
        None => Ok(()),
    }
}

fn check_one(authority: &str, allowed: &[HostName]) -> Result<(), UnfitHost> {
    match Host::parse(authority) {
        None => Err(UnfitHost::Malformed),
        Some(host) if host.is_safe() => Ok(()),
        Some(Host::Name(name)) => {
            let name = without_final_dot(name);
            if allowed.iter().any(|allowed| allowed.0.eq_ignore_ascii_case(name)) {
                Ok(())
            } else {
                Err(UnfitHost::Unknown(name.to_ascii_lowercase()))
            }
        }
        Some(Host::Address(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn checked(version: Version, target: &str, hosts: &[&str], allowed: &[&str]) -> Result<(), UnfitHost> {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let allowed: Vec<HostName> = allowed.iter().map(|name| name.parse().unwrap()).collect();
        check(&request.body(()).unwrap().into_parts().0, &allowed)
    }

    fn host(host: &str) -> Result<(), UnfitHost> {
        checked(Version::HTTP_11, "/", &[host], &["db.example.com", "Other.Example.org."])
    }

    #[test]
    fn names_that_cannot_be_rebound_are_served() {
        for given in [
            "localhost",
            "LocalHost:8000",
            "localhost.",
            "orders.localhost:8000",
            "a.b.localhost.",
            "127.0.0.1",
            "127.0.0.1:8000",
            "127.8.8.8:8000",
            "0.0.0.0:8000",
            "192.168.1.5:8000",
            "203.0.113.7",
            "[::1]",
            "[::1]:8000",
            "[2001:db8::1]:8000",
            "[fe80::1%25eth0]:8000",
            "[::ffff:127.0.0.1]:8000",
            "host.docker.internal:8000",
            "HOST.docker.INTERNAL",
            "pretender",
            "pretender:8000",
            "my_service:8000",
            "localhost:",
            "db.example.com",
            "DB.example.com:8000",
            "db.example.com.:8000",
            "other.example.org",
        ] {
            assert_eq!(host(given), Ok(()), "{given}");
        }
    }

    #[test]
    fn public_names_must_be_allowed() {
        for (given, name) in [
            ("example.com", "example.com"),
            ("Evil.Example.com:8000", "evil.example.com"),
            ("127.0.0.1.evil.example", "127.0.0.1.evil.example"),
            ("127.0.0.1.nip.io:8000", "127.0.0.1.nip.io"),
            ("evillocalhost.com", "evillocalhost.com"),
            ("localhost.evil.com", "localhost.evil.com"),
            ("x.evillocalhost", "x.evillocalhost"),
            ("ai.", "ai"),
            ("127.1", "127.1"),
            ("127.0.0.01", "127.0.0.01"),
            ("a.db.example.com", "a.db.example.com"),
            ("evil-db.example.com", "evil-db.example.com"),
            ("x.host.docker.internal", "x.host.docker.internal"),
            ("dynamodb.us-east-1.amazonaws.com", "dynamodb.us-east-1.amazonaws.com"),
        ] {
            assert_eq!(host(given), Err(UnfitHost::Unknown(name.to_owned())), "{given}");
        }
    }

    #[test]
    fn invalid_hosts_are_malformed() {
        for given in [
            "",
            ":8000",
            "localhost:port",
            "localhost:80:80",
            "user@localhost",
            "local host",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[localhost]",
            "::1",
            "localhost/",
            "localhost,evil.com",
            "b\u{fc}ro",
        ] {
            assert_eq!(host(given), Err(UnfitHost::Malformed), "{given}");
        }
        assert_eq!(
            checked(Version::HTTP_11, "/", &["localhost", "localhost"], &[]),
            Err(UnfitHost::Malformed)
        );
    }

    #[test]
    fn only_http_1_0_may_omit_the_host() {
        assert_eq!(checked(Version::HTTP_11, "/", &[], &[]), Err(UnfitHost::Missing));
        assert_eq!(checked(Version::HTTP_10, "/", &[], &[]), Ok(()));
        let unknown = Err(UnfitHost::Unknown("evil.com".to_owned()));
        assert_eq!(checked(Version::HTTP_10, "/", &["evil.com"], &[]), unknown);
    }

    #[test]
    fn a_target_may_name_a_host_too() {
        for (target, given, fits) in [
            ("http://localhost:8000/", "localhost:8000", true),
            ("http://evil.com/", "localhost:8000", false),
            ("http://localhost:8000/", "evil.com", false),
            ("http://evil.com/_pretender/clock", "evil.com", false),
        ] {
            assert_eq!(checked(Version::HTTP_11, target, &[given], &[]).is_ok(), fits, "{target} {given}");
        }
        assert_eq!(checked(Version::HTTP_11, "http://a@localhost/", &["a"], &[]), Err(UnfitHost::Malformed));
        assert_eq!(checked(Version::HTTP_11, "http://localhost/", &[], &[]), Err(UnfitHost::Missing));
    }

    #[test]
    fn names_to_allow_have_no_port() {
        for bad in ["", "db.example.com:8000", "http://db.example.com", "[::1]", "a b", "*", "*.example.com"]
        {
            assert_eq!(bad.parse::<HostName>(), Err(NotAHostName), "{bad}");
        }
    }
}
