//! Requests that AWS's signer for Rust has signed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;

/// How a call is signed, and sent.
#[derive(Clone, Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) key: (&'a str, &'a str, Option<&'a str>),
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    /// Seconds since 1970; now, if there is no time.
    pub(crate) seconds: Option<u64>,
    /// For how many seconds it is valid, if it is presigned.
    pub(crate) expires: Option<u64>,
    pub(crate) path: &'a str,
    pub(crate) host: &'a str,
    /// Headers that are signed, too.
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

impl<'a> Signed<'a> {
    /// A call with a key, signed now.
    pub(crate) fn by(id: &'a str, secret: &'a str) -> Self {
        Self {
            key: (id, secret, None),
            region: "us-east-1",
            service: "dynamodb",
            seconds: None,
            expires: None,
            path: "/",
            host: "localhost",
            headers: &[],
        }
    }

    /// Returns the bytes of the request.
    pub(crate) fn call(&self, target: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
        let body = body.as_ref();
        let (id, secret, token) = self.key;
        let identity = Credentials::new(id, secret, token.map(str::to_owned), None, "test").into();
        let mut settings = SigningSettings::default();
        if let Some(expires) = self.expires {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(expires));
        }
        let time = self.seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        #[expect(clippy::disallowed_methods, reason = "a client asks the system")]
        let time = time.unwrap_or_else(SystemTime::now);
        let params = SigningParams::builder().identity(&identity).region(self.region).name(self.service);
        let params = params.time(time).settings(settings).build().unwrap().into();
        let mut headers = vec![
            ("Host", self.host),
            ("Content-Type", "application/x-amz-json-1.0"),
            ("X-Amz-Target", target),
        ];
        headers.extend(self.headers);
        let url = format!("http://{}{}", self.host, self.path);
        let request =
            SignableRequest::new("POST", &url, headers.iter().copied(), SignableBody::Bytes(body)).unwrap();
        let (instructions, _) = sign(request, &params).unwrap().into_parts();
        let (added, parameters) = instructions.into_parts();
        let mut line = format!("POST {}", self.path);
        for (number, (name, value)) in parameters.iter().enumerate() {
            let mark = if number == 0 { '?' } else { '&' };
            let value = value.replace('%', "%25").replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
            line.push_str(&format!("{mark}{name}={value}"));
        }
        let mut text = format!("{line} HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        for header in added {
            text.push_str(&format!("{}: {}\r\n", header.name(), header.value()));
        }
        [text.as_bytes(), b"\r\n", body].concat()
    }
}
