//! Sends the requests of object_store, with what it cannot do itself: keys of any form, and waits that end.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use object_store::ClientOptions;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService,
};

use super::{Shared, key};

/// More than any answer that is not an object has: a list of 1,000 keys, all of them long and escaped.
const LONGEST_ANSWER: usize = 16 << 20;

/// Bytes of a body for which a request has one second more.
const SLOWEST_PER_SECOND: usize = 64 << 10;

/// The client for one bucket.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    client: reqwest::Client,
    credential: Arc<AwsCredential>,
    region: String,
    /// The path of the bucket in URLs.
    base: String,
    attempt: Duration,
}

impl Transport {
    pub(super) fn new(shared: &Shared, bucket: &str) -> Self {
        let path =
            shared.endpoint.parse::<Uri>().map(|endpoint| endpoint.path().trim_end_matches('/').to_owned());
        Self {
            client: shared.client.clone(),
            credential: shared.credential.clone(),
            region: shared.region.clone(),
            base: format!("{}/{bucket}", path.unwrap_or_default()),
            attempt: shared.timeouts.attempt,
        }
    }

    /// Puts the key in the place of its digits.
    fn restore_key(&self, request: &mut HttpRequest) -> Result<(), HttpError> {
        let refused =
            || broken(HttpErrorKind::Unknown, io::Error::other("the request is for no object of the bucket"));
        let uri = request.uri();
        let token = uri.path().strip_prefix(&self.base).ok_or_else(refused)?.trim_start_matches('/');
        let mut path = self.base.clone();
        if !token.is_empty() {
            path.push('/');
            key::append_to_path(&mut path, &key::of_token(token).ok_or_else(refused)?);
        }
        if let Some(query) = uri.query() {
            path.push('?');
            path.push_str(query);
        }
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(path.parse().map_err(|_| refused())?);
        *request.uri_mut() = Uri::from_parts(parts).map_err(|_| refused())?;
        Ok(())
    }

    /// Signs the request again, for its new path.
    fn sign(&self, request: &mut HttpRequest) -> Result<(), HttpError> {
        // The first signature has the digest of the body.
        let digest = request.headers().get("x-amz-content-sha256").and_then(|digest| digest.to_str().ok());
        let digest: Option<Vec<u8>> = digest.and_then(|digest| {
            let pairs =
                (0..digest.len()).step_by(2).map(|at| u8::from_str_radix(digest.get(at..at + 2)?, 16).ok());
            pairs.collect()
        });
        let signer = AwsAuthorizer::new(&self.credential, "s3", &self.region);
        let signed = signer.try_authorize(request, digest.as_deref());
        signed.map_err(|error| broken(HttpErrorKind::Unknown, io::Error::other(error)))
    }

    /// Sends a request, and takes the whole answer unless it is an object.
    async fn exchange(&self, request: HttpRequest, kind: Kind) -> Result<HttpResponse, HttpError> {
        let (head, body) = HttpService::call(&self.client, request).await?.into_parts();
        if kind == Kind::Object && head.status.is_success() {
            return Ok(HttpResponse::from_parts(head, body));
        }
        // An answer that breaks off is one that did not come, and so object_store asks again.
        let body =
            Limited::new(http_body_util::StreamBody::new(frames(body)), LONGEST_ANSWER).collect().await;
        let body = body.map_err(|error| {
            let is_too_long = error.is::<LengthLimitError>();
            let kind = if is_too_long { HttpErrorKind::Decode } else { HttpErrorKind::Interrupted };
            broken(kind, io::Error::other(error))
        })?;
        let mut body = body.to_bytes();
        if kind == Kind::List && head.status.is_success() {
            let list = std::str::from_utf8(&body);
            let list = list.map_err(|error| broken(HttpErrorKind::Decode, io::Error::other(error)))?;
            body = Bytes::from(key::tokens_for_keys(list));
        }
        let body = HttpResponseBody::new(Full::new(body).map_err(|never| match never {}));
        Ok(HttpResponse::from_parts(head, body))
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The content of an object.
    Object,
    /// Objects of the bucket.
    List,
    Other,
}

impl Kind {
    fn of(request: &HttpRequest) -> Self {
        let query = request.uri().query();
        match query {
            None if request.method() == Method::GET => Self::Object,
            Some(query) if query.split('&').any(|part| part == "list-type=2") => Self::List,
            _ => Self::Other,
        }
    }
}

#[async_trait]
impl HttpService for Transport {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let kind = Kind::of(&request);
        self.restore_key(&mut request)?;
        self.sign(&mut request)?;
        let more = Duration::from_secs((request.body().content_length() / SLOWEST_PER_SECOND) as u64);
        in_time(self.attempt + more, self.exchange(request, kind)).await
    }
}

impl HttpConnector for Transport {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

/// Waits for an answer until the time is over.
pub(super) async fn in_time<T>(
    time: Duration,
    answer: impl Future<Output = Result<T, HttpError>>,
) -> Result<T, HttpError> {
    tokio::time::timeout(time, answer).await.unwrap_or_else(|_| {
        let reason = format!("the service did not answer within {time:?}");
        Err(broken(HttpErrorKind::Timeout, io::Error::new(io::ErrorKind::TimedOut, reason)))
    })
}

fn frames(
    body: HttpResponseBody,
) -> impl futures_util::Stream<Item = Result<http_body::Frame<Bytes>, HttpError>> {
    use futures_util::TryStreamExt;
    body.bytes_stream().map_ok(http_body::Frame::data)
}

fn broken(kind: HttpErrorKind, reason: io::Error) -> HttpError {
    HttpError::new(kind, reason)
}
