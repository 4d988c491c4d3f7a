//! Why a job failed, as its description says it.

use pdb_objects::ObjectError;

/// Why a job failed: the `FailureCode` and the `FailureMessage` of its description.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Failure {
    /// The code.
    pub code: String,
    /// The message.
    pub message: String,
}

impl Failure {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }

    /// The failure of an access to an object. AWS shows the errors of S3 in this form.
    pub(crate) fn of_object(error: &ObjectError) -> Self {
        let s3 = |code: &str, text: &str, status: u16, s3_code: &str| {
            let details = format!(
                "(Service: Amazon S3; Status Code: {status}; Error Code: {s3_code}; Request ID: null; S3 Extended Request ID: null; Proxy: null)"
            );
            Self::new(code, format!("{text} {details}"))
        };
        match error {
            ObjectError::NoSuchBucket { .. } => {
                s3("S3NoSuchBucket", "The specified bucket does not exist", 404, "NoSuchBucket")
            }
            ObjectError::NoSuchKey { .. } => {
                s3("S3NoSuchKey", "The specified key does not exist.", 404, "NoSuchKey")
            }
            ObjectError::Denied { .. } => s3("S3AccessDenied", "Access Denied", 403, "AccessDenied"),
            ObjectError::Failed { .. } => Self::new("S3InternalError", error.to_string()),
        }
    }
}
