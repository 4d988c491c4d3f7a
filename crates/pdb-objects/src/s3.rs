//! Buckets of S3, or of a service that is compatible with it.

mod failure;
mod key;
mod reader;
mod runtime;
mod settings;
mod tag;
mod transport;
mod upload;
mod writer;

use std::fmt;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use object_store::aws::{AmazonS3, AmazonS3Builder, AwsCredential};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path as Location;
use object_store::{BackoffConfig, ObjectStoreExt, RetryConfig, StaticCredentialProvider};

use crate::{Object, ObjectError, ObjectStore, ObjectWriter, names};
use failure::Missing;
use reader::Reader;
use runtime::Runtime;
pub use settings::{S3Credentials, S3Settings, S3SettingsError, S3Timeouts};
use transport::Transport;
use writer::Writer;

/// Objects in S3, or in a service that is compatible with it.
///
/// Requests name a bucket in the path of their URL, and are signed. An attempt that fails for a reason that may pass is repeated for some
/// time, and every wait ends: see [`S3Timeouts`]. Keys are taken as they are, `a//b` or `a/` included, except those that an HTTP client would
/// change on the way: with `.` or `..` between the `/`.
///
/// A reader continues where a connection broke, unless the object was replaced since, which is an error. A writer uploads an object of
/// more than 8 MiB in parts, of which S3 takes 10,000: up to 78 GiB. Dropping the writer aborts the upload; a process that is killed leaves
/// an upload that is not finished, for a lifecycle rule of the bucket to remove.
///
/// The first call starts one thread, and two more while names are looked up. All calls block; they can be made on any thread.
///
/// ```no_run
/// use pdb_objects::{ObjectStore, S3Credentials, S3Objects, S3Settings};
///
/// let credentials = S3Credentials::new("test", "secret");
/// let settings = S3Settings::new("eu-central-1", credentials).endpoint("http://127.0.0.1:5000");
/// let objects = S3Objects::new(settings)?;
/// objects.put("exports", "2026/a.json", b"{}")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct S3Objects {
    shared: Arc<Shared>,
}

/// What the clones of a store, its readers and its writers share.
struct Shared {
    endpoint: String,
    region: String,
    timeouts: S3Timeouts,
    credential: Arc<AwsCredential>,
    client: reqwest::Client,
    runtime: Runtime,
}

/// An object, or a bucket with an empty key, as object_store sees it.
#[derive(Clone)]
struct Target {
    shared: Arc<Shared>,
    store: Arc<AmazonS3>,
    location: Location,
    bucket: String,
    key: String,
}

impl S3Objects {
    /// Returns the store with these settings. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// If the address of the service or the file of authorities cannot be used.
    pub fn new(settings: S3Settings) -> Result<Self, S3SettingsError> {
        let endpoint = settings.checked_endpoint()?;
        let client = settings.client(&endpoint)?;
        let S3Settings { region, credentials, timeouts, .. } = settings;
        let credential = Arc::new(credentials.into());
        let endpoint = endpoint.as_str().trim_end_matches('/').to_owned();
        let runtime = Runtime::default();
        Ok(Self { shared: Arc::new(Shared { endpoint, region, timeouts, credential, client, runtime }) })
    }

    /// Returns the address of the service.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.shared.endpoint
    }

    /// Returns an object, whose key is not checked, or a bucket.
    fn target(&self, bucket: &str, key: &str) -> Result<Target, ObjectError> {
        if !names::is_bucket(bucket) {
            return Err(ObjectError::NoSuchBucket { bucket: bucket.to_owned() });
        }
        let shared = self.shared.clone();
        let failed = |error| failure::of(bucket, key, error, Missing::Bucket);
        let location = Location::parse(key::token(key)).map_err(|error| failed(error.into()))?;
        let limits = shared.timeouts;
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: limits.attempt.min(std::time::Duration::from_millis(100)),
                max_backoff: limits.retries.min(std::time::Duration::from_secs(5)),
                base: 2.0,
            },
            max_retries: usize::MAX,
            retry_timeout: limits.retries,
        };
        let AwsCredential { key_id, secret_key, token } = &*shared.credential;
        let (key_id, secret_key, token) = (key_id.clone(), secret_key.clone(), token.clone());
        let builder = AmazonS3Builder::new()
            .with_endpoint(&shared.endpoint)
            .with_allow_http(true)
            .with_region(&shared.region)
            .with_bucket_name(bucket)
            .with_credentials(Arc::new(StaticCredentialProvider::new(AwsCredential {
                key_id,
                secret_key,
                token,
            })))
            // A request of its own for each deletion is what all services understand.
            .with_disable_bulk_delete(true)
            .with_retry(retry)
            .with_http_connector(Transport::new(&shared, bucket));
        let store = Arc::new(builder.build().map_err(failed)?);
        Ok(Target { shared, store, location, bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// Returns an object.
    fn object(&self, bucket: &str, key: &str) -> Result<Target, ObjectError> {
        let target = self.target(bucket, key)?;
        key::check(key)
            .map_err(|reason| target.failed(io::Error::new(io::ErrorKind::InvalidFilename, reason)))?;
        Ok(target)
    }
}

impl Target {
    /// Carries out a request on the thread of the store, and waits for it.
    fn wait<T: Send + 'static>(
        &self,
        missing: Missing,
        request: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Result<T, ObjectError> {
        let outcome = self.shared.runtime.wait(request).map_err(|error| self.failed(error))?;
        outcome.map_err(|error| self.failure(error, missing))
    }

    fn failure(&self, error: object_store::Error, missing: Missing) -> ObjectError {
        failure::of(&self.bucket, &self.key, error, missing)
    }

    fn failed(&self, reason: io::Error) -> ObjectError {
        ObjectError::from_io(&self.bucket, &self.key, reason)
    }
}

impl fmt::Debug for S3Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { endpoint, region, .. } = &*self.shared;
        f.debug_struct("S3Objects")
            .field("endpoint", endpoint)
            .field("region", region)
            .finish_non_exhaustive()
    }
}

impl ObjectStore for S3Objects {
    fn list(
        &self,
        bucket: &str,
        prefix: &str,
        each: &mut dyn FnMut(Object) -> ControlFlow<()>,
    ) -> Result<(), ObjectError> {
        let target = Target { key: prefix.to_owned(), ..self.target(bucket, "")? };
        let mut page_token: Option<String> = None;
        loop {
            let (store, asked) = (target.store.clone(), (!prefix.is_empty()).then(|| prefix.to_owned()));
            let options = PaginatedListOptions { page_token: page_token.clone(), ..Default::default() };
            let page = target.wait(Missing::Bucket, async move {
                store.list_paginated(asked.as_deref(), options).await
            })?;
            for found in page.result.objects {
                let key = key::of_token(found.location.as_ref())
                    .ok_or_else(|| target.failed(io::Error::other("the list has a key that is not UTF-8")))?;
                if each(Object { key, size: found.size }).is_break() {
                    return Ok(());
                }
            }
            match page.page_token {
                None => return Ok(()),
                next if next == page_token => {
                    return Err(
                        target.failed(io::Error::other("the service lists the same page again and again"))
                    );
                }
                next => page_token = next,
            }
        }
    }

    fn open(&self, bucket: &str, key: &str) -> Result<Box<dyn Read + Send>, ObjectError> {
        Ok(Box::new(Reader::open(self.object(bucket, key)?)?))
    }

    fn create(&self, bucket: &str, key: &str) -> Result<Box<dyn ObjectWriter>, ObjectError> {
        Ok(Box::new(Writer::new(self.object(bucket, key)?)))
    }

    fn delete(&self, bucket: &str, key: &str) -> Result<(), ObjectError> {
        let target = self.object(bucket, key)?;
        // object_store does not repeat a deletion whose answer is lost. It may be: the second one finds nothing, which is as good.
        let mut attempts = 3;
        loop {
            let (store, location) = (target.store.clone(), target.location.clone());
            attempts -= 1;
            match target.wait(Missing::Key, async move { store.delete(&location).await }) {
                Err(ObjectError::NoSuchKey { .. }) => return Ok(()),
                Err(ObjectError::Failed { .. }) if attempts > 0 => {}
                outcome => return outcome,
            }
        }
    }
}
