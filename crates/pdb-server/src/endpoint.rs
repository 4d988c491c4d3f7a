//! The address of a server, and the HTTP client that calls it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use pdb_server::ControlToken;
use ureq::http::Uri;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The address of a server: `http://127.0.0.1:8000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Without a slash at the end.
    url: String,
    /// With the port, if it is not the usual one of the scheme.
    authority: String,
    path: String,
    is_local: bool,
}

/// Why a text is no endpoint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum NotAnEndpoint {
    #[error("not the address of a server; try http://127.0.0.1:8000")]
    NoUrl,
    #[error("this build speaks plain HTTP only; build it with the feature `https`")]
    #[cfg(not(feature = "https"))]
    NoTls,
}

impl Endpoint {
    /// Returns the Streams API of AWS in a region.
    pub(crate) fn aws(region: &str) -> Result<Self, NotAnEndpoint> {
        format!("https://streams.dynamodb.{region}.amazonaws.com").parse()
    }

    /// Returns the host, with the port if it is not the usual one of the scheme: what goes into `Host`.
    pub(crate) fn host(&self) -> &str {
        &self.authority
    }

    /// Returns the path, which is `/` unless the address has one.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the region that the name of one of AWS's own hosts holds.
    pub(crate) fn region(&self) -> Option<&str> {
        let name = self.authority.strip_prefix("streams.").unwrap_or(&self.authority);
        let (region, domain) = name.strip_prefix("dynamodb.")?.split_once('.')?;
        domain.starts_with("amazonaws.com").then_some(region)
    }

    /// Returns a client for this server; calls may take as long as `timeout`, if there is one.
    pub(crate) fn agent(&self, timeout: Option<Duration>) -> ureq::Agent {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(timeout);
        if self.is_local {
            // Whoever has to use a proxy cannot reach this machine through it.
            config = config.proxy(None);
        }
        config.build().into()
    }
}

/// Adds the token of the control interface to a request, if there is one.
pub(crate) fn with_token<Body>(
    request: ureq::RequestBuilder<Body>,
    token: Option<&ControlToken>,
) -> ureq::RequestBuilder<Body> {
    match token {
        Some(token) => request.header("Authorization", format!("Bearer {}", token.secret())),
        None => request,
    }
}

impl FromStr for Endpoint {
    type Err = NotAnEndpoint;

    fn from_str(text: &str) -> Result<Self, NotAnEndpoint> {
        let url = text.trim_end_matches('/');
        let uri: Uri = url.parse().map_err(|_| NotAnEndpoint::NoUrl)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(NotAnEndpoint::NoUrl);
        };
        let usual_port = match scheme {
            "http" => 80,
            #[cfg(feature = "https")]
            "https" => 443,
            #[cfg(not(feature = "https"))]
            "https" => return Err(NotAnEndpoint::NoTls),
            _ => return Err(NotAnEndpoint::NoUrl),
        };
        if authority.host().is_empty() || uri.query().is_some() {
            return Err(NotAnEndpoint::NoUrl);
        }
        let host = authority.host();
        let authority = match authority.port_u16() {
            Some(port) if port != usual_port => format!("{host}:{port}"),
            _ => host.to_owned(),
        };
        let is_local = host == "localhost" || host.starts_with("127.") || host == "[::1]";
        let path = uri.path().to_owned();
        Ok(Self { url: url.to_owned(), authority, path, is_local })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_urls() {
        for (text, shown, host) in [
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "127.0.0.1:8000"),
            ("http://localhost:8000/", "http://localhost:8000", "localhost:8000"),
            ("http://db:80", "http://db:80", "db"),
            ("http://[::1]:8000", "http://[::1]:8000", "[::1]:8000"),
            ("http://db/prefix/", "http://db/prefix", "db"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.to_string().as_str(), endpoint.host()), (shown, host));
        }
        assert_eq!("http://db/prefix/".parse::<Endpoint>().unwrap().path(), "/prefix");
        assert_eq!("http://db/".parse::<Endpoint>().unwrap().path(), "/");
        for bad in ["", "127.0.0.1:8000", "db", "ftp://db", "http://", "http://db?x=y", "http://d b"] {
            assert_eq!(bad.parse::<Endpoint>(), Err(NotAnEndpoint::NoUrl), "{bad}");
        }
        #[cfg(not(feature = "https"))]
        assert_eq!("https://db".parse::<Endpoint>(), Err(NotAnEndpoint::NoTls));
        #[cfg(feature = "https")]
        assert_eq!("https://db:443".parse::<Endpoint>().unwrap().host(), "db");
    }

    #[test]
    fn hosts_of_aws_tell_their_region() {
        for (text, region) in [
            ("http://streams.dynamodb.eu-west-1.amazonaws.com", Some("eu-west-1")),
            ("http://dynamodb.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("http://dynamodb.local:8000", None),
            ("http://localhost:8000", None),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().region(), region);
        }
        #[cfg(feature = "https")]
        assert_eq!(Endpoint::aws("eu-west-1").unwrap().region(), Some("eu-west-1"));
    }
}
