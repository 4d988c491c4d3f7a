//! Where a service is, and how it is used.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AwsCredential;
use reqwest::Url;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The keys that requests are signed with.
#[derive(Clone)]
pub struct S3Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl S3Credentials {
    /// Returns a pair of keys.
    #[must_use]
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        let (access_key_id, secret_access_key) = (access_key_id.into(), secret_access_key.into());
        Self { access_key_id, secret_access_key, session_token: None }
    }

    /// Adds the token that belongs to keys that are valid for some time only.
    #[must_use]
    pub fn session_token(mut self, token: impl Into<String>) -> Self {
        self.session_token = Some(token.into());
        self
    }

    /// Returns whether all parts can be sent in a header.
    fn are_sendable(&self) -> bool {
        let is_sendable = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let parts = [Some(&self.access_key_id), Some(&self.secret_access_key), self.session_token.as_ref()];
        parts.into_iter().flatten().all(|part| is_sendable(part))
    }
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl From<S3Credentials> for AwsCredential {
    fn from(credentials: S3Credentials) -> Self {
        let S3Credentials { access_key_id, secret_access_key, session_token } = credentials;
        Self { key_id: access_key_id, secret_key: secret_access_key, token: session_token }
    }
}

/// How long a store waits for its service.
#[derive(Clone, Copy, Debug)]
pub struct S3Timeouts {
    /// The longest wait for an answer to one attempt, and for more of an object that is being read; 20 seconds. A request with a body has
    /// one more second for every 64 KiB of it.
    pub attempt: Duration,
    /// How long a request is repeated; 30 seconds. The last attempt may begin then.
    pub retries: Duration,
}

impl Default for S3Timeouts {
    fn default() -> Self {
        Self { attempt: Duration::from_secs(20), retries: Duration::from_secs(30) }
    }
}

/// Where a service is, and how it is used.
#[derive(Clone, Debug)]
pub struct S3Settings {
    pub(super) region: String,
    pub(super) credentials: S3Credentials,
    pub(super) timeouts: S3Timeouts,
    endpoint: Option<String>,
    authorities: Vec<u8>,
}

impl S3Settings {
    /// Returns the settings for AWS's S3 in a region.
    #[must_use]
    pub fn new(region: impl Into<String>, credentials: S3Credentials) -> Self {
        let timeouts = S3Timeouts::default();
        Self { region: region.into(), credentials, timeouts, endpoint: None, authorities: Vec::new() }
    }

    /// Sets the address of another service, such as `http://127.0.0.1:9000`.
    #[must_use]
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// Trusts the authorities in a PEM file with this content, besides the usual ones.
    #[must_use]
    pub fn authorities(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities = pem.into();
        self
    }

    /// Sets how long to wait for the service.
    #[must_use]
    pub fn timeouts(mut self, timeouts: S3Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Returns the address of the service, if it and what goes with it can be used.
    pub(super) fn checked_endpoint(&self) -> Result<Url, S3SettingsError> {
        let is_region = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if self.region.is_empty() || !self.region.bytes().all(is_region) {
            return Err(S3SettingsError::Region { region: self.region.clone() });
        }
        if !self.credentials.are_sendable() {
            return Err(S3SettingsError::Credentials);
        }
        let text = self.endpoint.clone().unwrap_or_else(|| {
            let domain = if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            format!("https://s3.{}.{domain}", self.region)
        });
        let refused =
            |reason: &str| S3SettingsError::Endpoint { url: text.clone(), reason: reason.to_owned() };
        let url = Url::parse(&text).map_err(|error| refused(&error.to_string()))?;
        if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
            return Err(refused("expected an address such as http://127.0.0.1:9000"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("the keys do not belong in it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("an address has no `?` or `#`"));
        }
        Ok(url)
    }

    /// Returns the client of the service.
    pub(super) fn client(&self, endpoint: &Url) -> Result<reqwest::Client, S3SettingsError> {
        let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if !self.authorities.is_empty() {
            let bad = |reason: String| S3SettingsError::Authorities { reason };
            let mut count = 0;
            for certificate in CertificateDer::pem_slice_iter(&self.authorities) {
                let certificate = certificate.map_err(|error| bad(error.to_string()))?;
                roots.add(certificate).map_err(|error| bad(error.to_string()))?;
                count += 1;
            }
            if count == 0 {
                return Err(bad("it has no certificate".to_owned()));
            }
        }
        // Ours, not the one of the process: there may be none, or two.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| S3SettingsError::Client { reason: error.to_string() })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .connect_timeout(self.timeouts.attempt)
            .pool_idle_timeout(Duration::from_secs(10))
            // A signature is for one host.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("pretender/", env!("CARGO_PKG_VERSION")));
        // A proxy cannot reach a service on this machine.
        if endpoint.host_str().is_some_and(is_this_machine) {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| S3SettingsError::Client { reason: error.to_string() })
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// Why a store cannot be used with its settings.
#[derive(Debug, thiserror::Error)]
pub enum S3SettingsError {
    /// The address of the service is none.
    #[error("cannot use `{url}` as the address of an S3-compatible service: {reason}")]
    Endpoint {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The region has characters that no region has.
    #[error("`{region}` is not a region: expected a name such as us-east-1")]
    Region {
        /// The region.
        region: String,
    },
    /// A key is empty, or has characters that no key has.
    #[error(
        "the keys for S3 are not valid: they are empty, or have spaces or other characters that no key has"
    )]
    Credentials,
    /// The authorities cannot be read.
    #[error("cannot read the authorities to trust: {reason}")]
    Authorities {
        /// What is wrong with them.
        reason: String,
    },
    /// The HTTP client cannot be made.
    #[error("cannot make a client for S3: {reason}")]
    Client {
        /// The reason.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> S3Settings {
        S3Settings::new("eu-west-1", S3Credentials::new("id", "secret"))
    }

    #[test]
    fn without_an_address_it_is_that_of_aws() {
        assert_eq!(settings().checked_endpoint().unwrap().as_str(), "https://s3.eu-west-1.amazonaws.com/");
        let china = S3Settings::new("cn-north-1", S3Credentials::new("id", "secret"));
        assert_eq!(china.checked_endpoint().unwrap().as_str(), "https://s3.cn-north-1.amazonaws.com.cn/");
    }

    #[test]
    fn addresses_that_are_none_are_refused() {
        for url in [
            "",
            "localhost:9000",
            "ftp://h",
            "http://",
            "http://a:b@h",
            "http://h/?x",
            "http://h/#x",
            "file:///tmp",
        ] {
            let error = settings().endpoint(url).checked_endpoint();
            assert!(matches!(error, Err(S3SettingsError::Endpoint { .. })), "{url}");
        }
        assert!(settings().endpoint("https://h:1/s3/").checked_endpoint().is_ok());
    }

    #[test]
    fn settings_that_would_break_a_header_are_refused() {
        for (region, id, secret) in [
            ("", "a", "b"),
            ("a/b", "a", "b"),
            ("r", "", "b"),
            ("r", "a", ""),
            ("r", "a\n", "b"),
            ("r", "é", "b"),
        ] {
            let settings = S3Settings::new(region, S3Credentials::new(id, secret));
            assert!(settings.checked_endpoint().is_err(), "{region} {id} {secret}");
        }
        assert!(
            S3Settings::new("r", S3Credentials::new("a", "b").session_token("")).checked_endpoint().is_err()
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        let credentials = S3Credentials::new("id", "hush").session_token("quiet");
        let shown = format!("{credentials:?}");
        assert!(shown.contains("id") && !shown.contains("hush") && !shown.contains("quiet"), "{shown}");
    }

    #[test]
    fn authorities_must_be_certificates() {
        let endpoint = Url::parse("https://127.0.0.1").unwrap();
        assert!(settings().client(&endpoint).is_ok());
        let error = settings().authorities("no PEM").client(&endpoint);
        assert!(matches!(error, Err(S3SettingsError::Authorities { .. })), "{error:?}");
    }
}
