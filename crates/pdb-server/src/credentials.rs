//! The access keys of `--credentials`, and checking that a request is signed with one of them.

mod entry;
mod ini;
mod json;

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pdb_model::{ApiError, ErrorCode};
use pretender::access::Access;
use pretender::time::EpochMillis;
use subtle::ConstantTimeEq;

use crate::signature::{Claim, Mismatch, SignedRequest, ValidRegion};
use entry::Entry;

/// The maximum size of a file: some thousand keys.
const MAX_BYTES: u64 = 1024 * 1024;

/// The access keys that a server accepts. Without it, a server accepts any.
///
/// `Debug` shows no secrets.
///
/// # Examples
///
/// ```
/// use pdb_server::Credentials;
///
/// let text = r#"{"keys": [{"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "wJalr", "readOnly": true}]}"#;
/// let credentials = Credentials::parse(text)?;
/// assert_eq!(credentials.len(), 1);
/// assert!(!format!("{credentials:?}").contains("wJalr"));
/// assert_eq!(
///     Credentials::parse(r#"{"keys": [{"accessKeyId": "AKIDEXAMPLE"}]}"#).unwrap_err().to_string(),
///     "line 1: missing field `secretAccessKey`"
/// );
/// # Ok::<(), pdb_server::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct Credentials {
    keys: Arc<HashMap<String, Arc<AccessKey>>>,
    /// The ID of the first key of the file.
    first: String,
}

/// One access key.
#[derive(Debug)]
pub(crate) struct AccessKey {
    id: String,
    secret: Secret,
    /// Only of temporary credentials.
    session_token: Option<Secret>,
    expiration: Option<EpochMillis>,
    access: Arc<Access>,
}

/// A text that is not shown.
#[derive(Clone)]
struct Secret(String);

/// The error for a file with access keys. No message contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("cannot read the credentials in `{}`: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason, for people.
        reason: String,
    },
    /// The file has an error.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        error: Box<CredentialsError>,
    },
    /// A line has an error.
    #[error("line {line}: {reason}")]
    Line {
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong, for people.
        reason: String,
    },
    /// There is no key.
    #[error("there are no keys in it")]
    Empty,
}

impl CredentialsError {
    fn line(line: usize, reason: impl Into<String>) -> Self {
        Self::Line { line, reason: reason.into() }
    }
}

/// What a request that was refused for its credentials is answered.
#[derive(Debug)]
pub(crate) enum Refusal {
    Plain(ApiError),
    /// The signature is wrong.
    Mismatch(Box<Mismatch>),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Plain(error)
    }
}

impl Refusal {
    /// Returns the error for the client.
    pub(crate) fn answer(&self) -> &ApiError {
        match self {
            Self::Plain(error) => error,
            Self::Mismatch(mismatch) => &mismatch.answer,
        }
    }

    /// Returns the error for the log, which must not contain what a client has signed.
    pub(crate) fn for_log(&self) -> &ApiError {
        match self {
            Self::Plain(error) => error,
            Self::Mismatch(mismatch) => &mismatch.for_log,
        }
    }
}

/// The sender of a request whose signature is right, if its time is, too.
#[derive(Debug)]
pub(crate) struct Caller<'r> {
    claim: Claim<'r>,
    key: Arc<AccessKey>,
}

impl Caller<'_> {
    /// Returns the region that the request is signed for.
    pub(crate) fn region(&self) -> &str {
        self.claim.region()
    }

    /// Returns what the caller may do.
    pub(crate) fn access(&self) -> &Arc<Access> {
        &self.key.access
    }

    /// Checks the times of the signature and of the key.
    ///
    /// # Errors
    ///
    /// AWS's exception for a signature that is too old or too new, and for a session token that has expired.
    pub(crate) fn check_time(&self, now: EpochMillis) -> Result<(), ApiError> {
        self.claim.check_time(now)?;
        if self.key.expiration.is_some_and(|expiration| expiration <= now) {
            let text = "The security token included in the request is expired";
            return Err(ApiError::new(ErrorCode::ExpiredTokenException, text));
        }
        Ok(())
    }
}

impl Credentials {
    /// Reads a file: JSON, or sections as in `~/.aws/credentials`.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::Read`] and [`CredentialsError::File`].
    pub fn read(path: &Path) -> Result<Self, CredentialsError> {
        let unread = |reason: String| CredentialsError::Read { path: path.to_owned(), reason };
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(|error| unread(error.to_string()))?;
        file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| unread(error.to_string()))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(unread("it is larger than 1 MiB".to_owned()));
        }
        Self::parse(&text)
            .map_err(|error| CredentialsError::File { path: path.to_owned(), error: Box::new(error) })
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::Line`] and [`CredentialsError::Empty`].
    pub fn parse(text: &str) -> Result<Self, CredentialsError> {
        let entries =
            if text.trim_start().starts_with('{') { json::entries(text)? } else { ini::entries(text)? };
        Self::new(entries)
    }

    fn new(entries: Vec<Entry>) -> Result<Self, CredentialsError> {
        let first =
            entries.first().map(|entry| entry.access_key_id.clone()).ok_or(CredentialsError::Empty)?;
        let mut keys = HashMap::new();
        for entry in entries {
            let line = entry.line;
            let key = entry.check().map_err(|reason| CredentialsError::line(line, reason))?;
            let id = key.id.clone();
            if keys.insert(id.clone(), Arc::new(key)).is_some() {
                return Err(CredentialsError::line(line, format!("the key `{id}` is there twice")));
            }
        }
        Ok(Self { keys: Arc::new(keys), first })
    }

    /// Returns the number of keys, which is at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always a key")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns ID, secret and session token of the first key in the file: for programs that are started to call the server.
    #[must_use]
    pub fn first(&self) -> (&str, &str, Option<&str>) {
        let key = &self.keys[&self.first];
        (&key.id, &key.secret.0, key.session_token.as_ref().map(|token| token.0.as_str()))
    }

    /// Checks that a request is signed with one of the keys. Its time is to be checked afterwards, when it is known which clock matters.
    ///
    /// # Errors
    ///
    /// AWS's exception for each way in which a signature can be wrong.
    pub(crate) fn authenticate<'r>(
        &self,
        request: &SignedRequest<'r>,
        region: ValidRegion<'_>,
    ) -> Result<Caller<'r>, Refusal> {
        let claim = Claim::of(request)?;
        claim.check_scope(region)?;
        let key = self.keys.get(claim.key_id()).filter(|key| key.has_token(claim.session_token()));
        let Some(key) = key else {
            let text = "The security token included in the request is invalid.";
            return Err(ApiError::new(ErrorCode::UnrecognizedClientException, text).into());
        };
        claim.verify(request, key.secret.0.as_bytes()).map_err(Refusal::Mismatch)?;
        Ok(Caller { claim, key: key.clone() })
    }
}

impl AccessKey {
    /// Returns whether a request has the key's session token, or none if the key has none.
    fn has_token(&self, given: Option<&str>) -> bool {
        match (&self.session_token, given) {
            (None, None) => true,
            (Some(token), Some(given)) => token.0.as_bytes().ct_eq(given.as_bytes()).into(),
            _ => false,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Returns whether other users of the machine can read a file.
#[must_use]
pub fn is_readable_by_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

#[cfg(test)]
mod tests;
