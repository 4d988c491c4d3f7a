//! Answers with their headers.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, CONNECTION, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, ORIGIN, REFERRER_POLICY, SERVER, VARY,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};

use super::answer_body::{AnswerBody, FileBody};
use super::console::EventsBody;
use super::encoding::Encoding;
use super::guard::Refused;
use super::origin::Cors;
use crate::backup::BackupFile;
use crate::control;

/// The complete HTTP response.
pub(crate) type HttpResponse = Response<AnswerBody>;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-crc32");
/// Headers of answers that pages may read, besides those they may always read. SDKs in browsers use them.
const EXPOSED: HeaderValue =
    HeaderValue::from_static("x-amzn-requestid,x-amzn-errortype,x-amzn-errormessage,x-amz-crc32,date");

/// The headers of everything that the console shows.
const PROTECTION: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, pdb_console::Context::CONTENT_SECURITY_POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The answer of DynamoDB Local to `GET /`.
const UNSIGNED_ROOT: &[u8] = br#"{"__type":"com.amazonaws.dynamodb.v20120810#MissingAuthenticationToken","message":"Request must contain either a valid (registered) AWS access key ID or X.509 certificate."}"#;

/// The content types of the APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    AmazonJson,
    Json,
}

impl MediaType {
    /// Returns the media type of a request, if it is one of the APIs'. Parameters such as `charset` are ignored.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let given = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = given.split(';').next()?.trim();
        if essence.eq_ignore_ascii_case(Self::AmazonJson.as_str()) {
            Some(Self::AmazonJson)
        } else if essence.eq_ignore_ascii_case(Self::Json.as_str()) {
            Some(Self::Json)
        } else {
            None
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::AmazonJson => "application/x-amz-json-1.0",
            Self::Json => "application/json",
        }
    }
}

/// An answer, before the common headers are added.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// Sent instead of the body.
    stream: Option<StreamedBody>,
}

/// A body that is not in memory as a whole.
#[derive(Debug)]
enum StreamedBody {
    File(BackupFile),
    Events(EventsBody),
}

impl Answer {
    /// Creates an answer without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new(), stream: None }
    }

    /// Creates the answer of an operation.
    pub(crate) fn of(response: pdb_wire::Response, media_type: MediaType) -> Self {
        Self::with_body(response.status, response.body.into(), media_type)
    }

    /// Creates an answer with this status and body.
    pub(crate) fn with_body(status: u16, body: Bytes, media_type: MediaType) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { body, ..Self::empty(status) }.with(CONTENT_TYPE, HeaderValue::from_static(media_type.as_str()))
    }

    /// Creates the answer to a request that got no memory in time. SDKs retry it.
    pub(crate) fn overloaded() -> Self {
        Self::empty(StatusCode::SERVICE_UNAVAILABLE).closing()
    }

    /// Creates the answer of a command.
    pub(crate) fn json(status: StatusCode, answer: &serde_json::Value) -> Self {
        Self { body: answer.to_string().into(), ..Self::empty(status) }
            .with(CONTENT_TYPE, HeaderValue::from_static(MediaType::Json.as_str()))
    }

    /// Creates an answer of plain text.
    pub(super) fn text(status: StatusCode, text: &str) -> Self {
        Self { body: text.to_owned().into(), ..Self::empty(status) }
            .with(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))
    }

    /// Creates an answer with metrics, in the text format of Prometheus.
    pub(super) fn metrics(text: String) -> Self {
        let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        Self { body: text.into(), ..Self::empty(StatusCode::OK) }.with(CONTENT_TYPE, content_type)
    }

    /// Creates an answer of the console, with the headers that protect its pages.
    pub(super) fn console(answer: pdb_console::Answer) -> Self {
        use pdb_console::Answer as Console;
        let of_type = |content_type| {
            Self::empty(StatusCode::OK).with(CONTENT_TYPE, HeaderValue::from_static(content_type))
        };
        let answer = match answer {
            Console::Page { status, html } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Self { status, body: html.into(), ..of_type("text/html; charset=utf-8") }
            }
            Console::Asset { content_type, bytes } => {
                Self { body: Bytes::from_static(bytes), ..of_type(content_type) }
            }
            Console::Download { file_name, content_type, bytes } => {
                let name = file_name.replace(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c), "_");
                let answer = Self { body: bytes.into(), ..of_type(content_type) };
                match HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
                    Ok(disposition) => answer.with(CONTENT_DISPOSITION, disposition),
                    Err(_) => answer,
                }
            }
            Console::SeeOther(location) => match HeaderValue::from_str(&location) {
                Ok(location) => Self::empty(StatusCode::SEE_OTHER).with(LOCATION, location),
                Err(_) => return Self::internal_error(),
            },
            _ => return Self::internal_error(),
        };
        answer.protected()
    }

    /// Creates an answer of the console that sends events as they happen.
    pub(super) fn events(events: EventsBody) -> Self {
        let answer = Self { stream: Some(StreamedBody::Events(events)), ..Self::empty(StatusCode::OK) };
        answer.with(CONTENT_TYPE, HeaderValue::from_static("text/event-stream")).protected()
    }

    /// Adds the headers that protect what the console shows.
    fn protected(self) -> Self {
        PROTECTION
            .into_iter()
            .fold(self, |answer, (name, value)| answer.with(name, HeaderValue::from_static(value)))
    }

    /// Creates an answer that sends a file.
    pub(super) fn file(file: BackupFile, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        let answer = Self { stream: Some(StreamedBody::File(file)), ..Self::empty(StatusCode::OK) };
        headers.into_iter().fold(answer, |answer, (name, value)| answer.with(name, value))
    }

    /// Creates the answer to a refused request, in the form that its sender can read.
    pub(super) fn refused(parts: &Parts, refused: &Refused) -> Self {
        let Refused { status, text } = refused;
        let answer = if control::is_below(parts.uri.path()) {
            Self::json(*status, &control::error(text))
        } else if let (&Method::POST, Some(media_type)) = (&parts.method, MediaType::of(&parts.headers)) {
            // SDKs show the message of an exception.
            Self { status: *status, ..Self::of(pdb_wire::Response::access_denied(text), media_type) }
        } else {
            Self { body: format!("{text}\n").into(), ..Self::empty(*status) }
                .with(CONTENT_TYPE, HeaderValue::from_static("text/plain"))
        };
        if *status == StatusCode::UNAUTHORIZED {
            return answer.with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer
    }

    /// Creates the answer to a request whose body does not match its `Content-Encoding`. AWS answers with status 500,
    /// too.
    pub(super) fn not_encoded(parts: &Parts, text: &str) -> Self {
        if control::is_below(parts.uri.path()) {
            return Self::json(StatusCode::UNSUPPORTED_MEDIA_TYPE, &control::error(text));
        }
        let media_type = MediaType::of(&parts.headers).unwrap_or(MediaType::AmazonJson);
        Self::of(pdb_wire::Response::internal_failure(text), media_type)
    }

    /// Creates the answer after a panic, which is a bug.
    pub(crate) fn internal_error() -> Self {
        Self::of(pdb_wire::Response::internal_error(), MediaType::AmazonJson)
    }

    /// Creates the answer to a request that is not an API call.
    pub(crate) fn unknown_operation_page() -> Self {
        Self {
            body: Bytes::from_static(b"<UnknownOperationException/>\n"),
            ..Self::empty(StatusCode::NOT_FOUND)
        }
    }

    /// Creates the answer to `GET /`, which load balancers and scripts poll: AWS's, or that of DynamoDB Local, which
    /// treats it as a call without a signature.
    pub(crate) fn root(status: u16, region: &str) -> Self {
        if status >= 400 {
            return Self::with_body(status, Bytes::from_static(UNSIGNED_ROOT), MediaType::AmazonJson);
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        let body = format!("healthy: dynamodb.{region}.amazonaws.com ");
        Self { body: body.into(), ..Self::empty(status) }
            .with(CONTENT_TYPE, HeaderValue::from_static("text/plain"))
    }

    /// Creates the answer to a preflight request that is granted.
    pub(crate) fn preflight(request: &HeaderMap) -> Self {
        let mut answer =
            Self::empty(StatusCode::OK).with(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("172800"));
        for (asked, allowed) in [
            (ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_ALLOW_HEADERS),
            (ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_ALLOW_METHODS),
        ] {
            if let Some(value) = request.get(asked) {
                answer = answer.with(allowed, value.clone());
            }
        }
        answer
    }

    /// Returns the length of the body.
    pub(crate) fn bytes(&self) -> usize {
        self.body.len()
    }

    /// Returns the body.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Marks the body as compressed.
    pub(crate) fn encoded(self, encoding: Option<Encoding>) -> Self {
        match encoding.map(Encoding::header) {
            Some((name, value)) => self.with(name, value),
            None => self,
        }
    }

    /// Closes the connection after this answer.
    pub(crate) fn closing(self) -> Self {
        self.with(CONNECTION, HeaderValue::from_static("close"))
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Adds the headers that every answer has.
    pub(crate) fn finish(self, request_id: &str, cors: Cors) -> HttpResponse {
        let Self { status, mut headers, body, stream } = self;
        headers.insert(SERVER, HeaderValue::from_static("Server"));
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(REQUEST_ID, id);
        }
        if stream.is_none() {
            headers.insert(CHECKSUM, HeaderValue::from(pdb_wire::checksum(&body)));
        }
        let allowed = match cors {
            Cors::NotAsked => None,
            Cors::Any => Some(HeaderValue::from_static("*")),
            Cors::Origin(origin) => {
                // A cache must not give this page's answer to a page of another origin.
                headers.insert(VARY, HeaderValue::from_name(ORIGIN));
                Some(origin)
            }
        };
        if let Some(allowed) = allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
        let body = match stream {
            Some(StreamedBody::File(file)) => AnswerBody::File(FileBody::new(file)),
            Some(StreamedBody::Events(events)) => AnswerBody::Events(events),
            None => AnswerBody::Whole(Full::new(body)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}
