//! The address of a server, and the HTTP client that calls it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ureq::http::Uri;

#[cfg(feature = "https")]
use super::authorities::Authorities;
use super::service::Service;

/// Timeout for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The default port of `pretender serve`.
const PORT: u16 = 8000;

/// The address of a server: `http://127.0.0.1:8000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Without a trailing slash.
    url: String,
    /// The host, with the port unless it is the default port of the scheme.
    authority: String,
    path: String,
    is_local: bool,
    /// The only authorities to trust, if there are any; otherwise, those that browsers trust.
    #[cfg(feature = "https")]
    authorities: Option<Authorities>,
}

/// Why a text is not an endpoint.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum NotAnEndpoint {
    #[error(
        "not the address of a server: expected a URL such as http://127.0.0.1:8000, a host and a port such as \
         127.0.0.1:8000, or localhost"
    )]
    NoUrl,
    #[error("this build speaks plain HTTP only; build it with the feature `https`")]
    #[cfg(not(feature = "https"))]
    NoTls,
}

impl Endpoint {
    /// Returns AWS's endpoint of a service in a region.
    pub(super) fn aws(service: Service, region: &str) -> Result<Self, NotAnEndpoint> {
        let prefix = match service {
            Service::DynamoDb => "",
            Service::Streams => "streams.",
        };
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{prefix}dynamodb.{region}.{domain}").parse()
    }

    /// Returns the endpoint of a service. On AWS, the two APIs have different hosts; an address of one means the other
    /// as well.
    pub(super) fn of_service(self, service: Service) -> Result<Self, NotAnEndpoint> {
        if self.region().is_none() {
            return Ok(self);
        }
        let (host, bare) = (&self.authority, self.authority.trim_start_matches("streams."));
        let right = match service {
            Service::DynamoDb => bare.to_owned(),
            Service::Streams => format!("streams.{bare}"),
        };
        self.url.replacen(host, &right, 1).parse()
    }

    /// Returns the value of the `Host` header: the host, with the port unless it is the default port of the scheme.
    pub(crate) fn host(&self) -> &str {
        &self.authority
    }

    /// Returns the path, which is `/` unless the address has a path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the region, if the host name is one of AWS's and contains it.
    pub(crate) fn region(&self) -> Option<&str> {
        region_in(&self.authority)
    }

    /// Returns whether the host is one of AWS's.
    pub(crate) fn is_aws(&self) -> bool {
        is_aws(&self.authority)
    }

    /// Returns whether the host is this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.is_local
    }

    /// Returns whether the scheme is plain HTTP.
    pub(super) fn is_plain(&self) -> bool {
        self.url.starts_with("http://")
    }

    /// Sets the only authorities to trust, if there are any.
    #[cfg(feature = "https")]
    pub(super) fn trusting(self, authorities: Option<Authorities>) -> Self {
        Self { authorities, ..self }
    }

    /// Returns an HTTP client for this server. Calls time out after `timeout`, if there is one.
    pub(crate) fn agent(&self, timeout: Option<Duration>) -> ureq::Agent {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("pretender/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(timeout);
        #[cfg(feature = "https")]
        if let Some(authorities) = &self.authorities {
            config = config.tls_config(authorities.config());
        }
        if self.is_local {
            // A proxy cannot reach this machine's loopback address.
            config = config.proxy(None);
        }
        config.build().into()
    }
}

/// Returns the region in one of AWS's host names: `eu-west-1` in `streams.dynamodb.eu-west-1.amazonaws.com`.
fn region_in(authority: &str) -> Option<&str> {
    let host = name_of(authority);
    let name = host.strip_prefix("streams.").unwrap_or(host);
    let name = name.strip_prefix("dynamodb.").or_else(|| name.strip_prefix("dynamodb-fips."))?;
    let (region, domain) = name.split_once('.')?;
    matches!(domain, "amazonaws.com" | "amazonaws.com.cn").then_some(region)
}

/// Returns a host name without its port, and without the final dot of an absolute name.
fn name_of(authority: &str) -> &str {
    authority.split(':').next().unwrap_or_default().trim_end_matches('.')
}

fn is_aws(authority: &str) -> bool {
    let host = name_of(authority);
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|domain| host.ends_with(domain))
}

/// Returns the IP address, if the host is one.
fn address_of(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

/// Adds the scheme to an address without one. A single word other than `localhost` is probably a mistake.
fn with_scheme(text: &str) -> Option<String> {
    let uri: Uri = format!("http://{text}").parse().ok()?;
    let (authority, path) = (uri.authority()?, uri.path().trim_end_matches('/'));
    let host = authority.host().to_ascii_lowercase();
    if is_aws(&host) {
        return Some(format!("https://{authority}{path}"));
    }
    match authority.port_u16() {
        Some(_) => Some(format!("http://{authority}{path}")),
        None if host == "localhost" || address_of(&host).is_some() => {
            Some(format!("http://{host}:{PORT}{path}"))
        }
        None => None,
    }
}

impl FromStr for Endpoint {
    type Err = NotAnEndpoint;

    fn from_str(text: &str) -> Result<Self, NotAnEndpoint> {
        let text = text.trim_end_matches('/');
        let url = if text.contains("://") { Some(text.to_owned()) } else { with_scheme(text) };
        let url = url.ok_or(NotAnEndpoint::NoUrl)?;
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
        // The text before an `@` is a secret, and error messages would show it.
        if authority.host().is_empty() || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(NotAnEndpoint::NoUrl);
        }
        // A port that is not a number, or too large, is not parsed as a port.
        if authority.port_u16().is_none() && authority.as_str() != authority.host() {
            return Err(NotAnEndpoint::NoUrl);
        }
        // Host names are the same in upper and lower case.
        let host = authority.host().to_ascii_lowercase();
        let url = format!(
            "{scheme}://{}{}",
            authority.as_str().to_ascii_lowercase(),
            uri.path().trim_end_matches('/')
        );
        let authority = match authority.port_u16() {
            Some(port) if port != usual_port => format!("{host}:{port}"),
            _ => host.clone(),
        };
        let is_local = host == "localhost"
            || address_of(&host).is_some_and(|address| {
                let address = address.to_canonical();
                address.is_loopback() || address.is_unspecified()
            });
        let path = uri.path().to_owned();
        Ok(Self {
            url,
            authority,
            path,
            is_local,
            #[cfg(feature = "https")]
            authorities: None,
        })
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
    fn endpoints_are_urls_or_hosts_with_ports() {
        for (text, shown, host) in [
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "127.0.0.1:8000"),
            ("http://localhost:8000/", "http://localhost:8000", "localhost:8000"),
            ("http://db:80", "http://db:80", "db"),
            ("http://[::1]:8000", "http://[::1]:8000", "[::1]:8000"),
            ("http://db/prefix/", "http://db/prefix", "db"),
            ("127.0.0.1:8001", "http://127.0.0.1:8001", "127.0.0.1:8001"),
            ("db:8000/", "http://db:8000", "db:8000"),
            ("db:8000/prefix", "http://db:8000/prefix", "db:8000"),
            ("localhost", "http://localhost:8000", "localhost:8000"),
            ("127.0.0.1", "http://127.0.0.1:8000", "127.0.0.1:8000"),
            ("[::1]", "http://[::1]:8000", "[::1]:8000"),
            ("[::1]:8001", "http://[::1]:8001", "[::1]:8001"),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.to_string().as_str(), endpoint.host()), (shown, host), "{text}");
        }
        assert_eq!("http://db/prefix/".parse::<Endpoint>().unwrap().path(), "/prefix");
        assert_eq!("http://db/".parse::<Endpoint>().unwrap().path(), "/");
        for bad in [
            "",
            "/",
            "db",
            "8000",
            ":8000",
            "ftp://db",
            "http://",
            "http://db?x=y",
            "http://d b",
            "d b:8000",
            "db:port",
            "db:99999",
            "http://db:99999",
            "http://user:secret@db",
            "::1",
        ] {
            assert_eq!(bad.parse::<Endpoint>(), Err(NotAnEndpoint::NoUrl), "{bad}");
        }
        #[cfg(not(feature = "https"))]
        assert_eq!("https://db".parse::<Endpoint>(), Err(NotAnEndpoint::NoTls));
        #[cfg(feature = "https")]
        assert_eq!("https://db:443".parse::<Endpoint>().unwrap().host(), "db");
    }

    #[test]
    fn this_machine_is_recognised_by_its_addresses() {
        for (text, is_local) in [
            ("localhost", true),
            ("LOCALHOST:8000", true),
            ("127.0.0.1", true),
            ("127.8.9.1:80", true),
            ("[::1]", true),
            ("0.0.0.0:8000", true),
            ("[::]:8000", true),
            ("127.example.com:8000", false),
            ("192.168.0.1:8000", false),
            ("localhost.example.com:8000", false),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().is_local(), is_local, "{text}");
        }
    }

    #[test]
    fn aws_host_names_contain_their_region() {
        for (text, region, is_aws) in [
            ("http://streams.dynamodb.eu-west-1.amazonaws.com", Some("eu-west-1"), true),
            ("http://dynamodb.cn-north-1.amazonaws.com.cn", Some("cn-north-1"), true),
            ("http://dynamodb-fips.us-east-2.amazonaws.com", Some("us-east-2"), true),
            ("http://x.ddb.us-east-2.amazonaws.com", None, true),
            ("http://Dynamodb.EU-west-1.AmazonAWS.com", Some("eu-west-1"), true),
            ("http://dynamodb.eu-west-1.amazonaws.com:8080", Some("eu-west-1"), true),
            ("http://dynamodb.eu-west-1.amazonaws.com.", Some("eu-west-1"), true),
            ("http://dynamodb.eu-west-1.amazonaws.com.evil", None, false),
            ("http://dynamodb.eu-west-1.amazonaws.community", None, false),
            ("http://amazonaws.com.example.org", None, false),
            ("http://dynamodb.local:8000", None, false),
            ("http://localhost:8000", None, false),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.region(), endpoint.is_aws()), (region, is_aws), "{text}");
        }
    }

    #[test]
    #[cfg(feature = "https")]
    fn each_service_of_aws_has_its_host() {
        for (service, region, url) in [
            (Service::DynamoDb, "eu-west-1", "https://dynamodb.eu-west-1.amazonaws.com"),
            (Service::Streams, "eu-west-1", "https://streams.dynamodb.eu-west-1.amazonaws.com"),
            (Service::DynamoDb, "cn-north-1", "https://dynamodb.cn-north-1.amazonaws.com.cn"),
        ] {
            let endpoint = Endpoint::aws(service, region).unwrap();
            assert_eq!((endpoint.to_string().as_str(), endpoint.region()), (url, Some(region)));
        }
        for (text, items, streams) in [
            (
                "dynamodb.eu-west-1.amazonaws.com",
                "https://dynamodb.eu-west-1.amazonaws.com",
                "https://streams.dynamodb.eu-west-1.amazonaws.com",
            ),
            (
                "http://streams.dynamodb.eu-west-1.amazonaws.com/",
                "http://dynamodb.eu-west-1.amazonaws.com",
                "http://streams.dynamodb.eu-west-1.amazonaws.com",
            ),
            ("localhost", "http://localhost:8000", "http://localhost:8000"),
        ] {
            let of = |service| text.parse::<Endpoint>().unwrap().of_service(service).unwrap().to_string();
            assert_eq!((&*of(Service::DynamoDb), &*of(Service::Streams)), (items, streams));
        }
    }
}
