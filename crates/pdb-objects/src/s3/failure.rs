//! What an error of object_store means.

use std::error::Error;
use std::io;

use super::key::unescaped;
use crate::ObjectError;

/// What is missing if the service says no more than that something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The bucket.
    Bucket,
    /// The object.
    Key,
}

/// Returns the error for an object.
pub(super) fn of(bucket: &str, key: &str, error: object_store::Error, missing: Missing) -> ObjectError {
    let (bucket, key) = (bucket.to_owned(), key.to_owned());
    let answer = Answer::in_error(&error);
    match (answer.as_ref().map(|answer| answer.code.as_str()), Kind::of(&error)) {
        (Some("NoSuchBucket"), _) => ObjectError::NoSuchBucket { bucket },
        (Some("NoSuchKey"), _) => ObjectError::NoSuchKey { bucket, key },
        (None, Kind::NotFound) if missing == Missing::Bucket => ObjectError::NoSuchBucket { bucket },
        (None, Kind::NotFound) => ObjectError::NoSuchKey { bucket, key },
        (_, Kind::Denied) => {
            let reason =
                answer.map_or_else(|| "the service does not say why".to_owned(), |answer| answer.shown());
            ObjectError::Denied { bucket, key, reason }
        }
        (_, Kind::Precondition) => ObjectError::Failed {
            bucket,
            key,
            source: io::Error::other("the object was replaced while it was read"),
        },
        (Some(_), _) => {
            let reason = answer.map(|answer| answer.shown()).unwrap_or_default();
            ObjectError::Failed { bucket, key, source: io::Error::other(reason) }
        }
        (None, _) => ObjectError::Failed { bucket, key, source: innermost(&error) },
    }
}

/// What a status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    NotFound,
    Denied,
    Precondition,
    Other,
}

impl Kind {
    fn of(error: &object_store::Error) -> Self {
        use object_store::Error as E;
        match error {
            E::NotFound { .. } => Self::NotFound,
            E::PermissionDenied { .. } | E::Unauthenticated { .. } => Self::Denied,
            E::Precondition { .. } => Self::Precondition,
            // The status of an answer to a list is in the text only.
            error => {
                let text = error.to_string();
                let status = text.split_once("status code: ").map_or("", |(_, status)| status);
                match status.get(..3) {
                    Some("404") => Self::NotFound,
                    Some("401" | "403") => Self::Denied,
                    _ => Self::Other,
                }
            }
        }
    }
}

/// Returns whether the service does not know an upload in parts, which it does not after it was finished.
pub(super) fn is_unknown_upload(error: &object_store::Error) -> bool {
    Answer::in_error(error).is_some_and(|answer| answer.code == "NoSuchUpload")
}

/// What the body of an answer says.
struct Answer {
    code: String,
    message: String,
}

impl Answer {
    fn in_error(error: &object_store::Error) -> Option<Self> {
        let text = error.to_string();
        let part = |name: &str| {
            let (_, from) = text.split_once(&format!("<{name}>"))?;
            let (part, _) = from.split_once(&format!("</{name}>"))?;
            Some(unescaped(part).into_owned())
        };
        Some(Self { code: part("Code")?, message: part("Message").unwrap_or_default() })
    }

    fn shown(&self) -> String {
        let Self { code, message } = self;
        if message.is_empty() { code.clone() } else { format!("{code}: {message}") }
    }
}

/// Returns the cause of an error that says what happened, without what is around it: attempts, times, the URL.
fn innermost(error: &object_store::Error) -> io::Error {
    let mut innermost: &(dyn Error + 'static) = error;
    let mut kind = io::ErrorKind::Other;
    loop {
        if let Some(io) = innermost.downcast_ref::<io::Error>() {
            kind = io.kind();
            // An error that was wrapped is not the source of its wrapper, but a part of it.
            if let Some(wrapped) = io.get_ref() {
                innermost = wrapped;
                if let Some(source) = innermost.source() {
                    innermost = source;
                    continue;
                }
                break;
            }
        }
        match innermost.source() {
            Some(source) => innermost = source,
            None => break,
        }
    }
    io::Error::new(kind, innermost.to_string())
}
