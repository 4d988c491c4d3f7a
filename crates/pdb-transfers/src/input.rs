//! Parameters that several operations take.

use serde::{Deserialize, Serialize};

/// Where the objects are that an operation reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct S3Source {
    /// The bucket.
    pub bucket: String,
    /// The account that owns the bucket. It is kept and shown, and not compared.
    pub bucket_owner: Option<String>,
    /// What the keys of the objects begin with.
    pub key_prefix: Option<String>,
}

impl S3Source {
    /// Returns all objects of a bucket.
    #[must_use]
    pub fn new(bucket: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), ..Self::default() }
    }

    /// Limits it to objects whose keys begin with `prefix`.
    #[must_use]
    pub fn with_prefix(self, prefix: impl Into<String>) -> Self {
        Self { key_prefix: Some(prefix.into()), ..self }
    }
}

/// The format of the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputFormat {
    /// One item in DynamoDB JSON on each line.
    DynamoDbJson,
    /// Amazon Ion.
    Ion,
    /// CSV; only for imports.
    Csv,
}

impl InputFormat {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DynamoDbJson => "DYNAMODB_JSON",
            Self::Ion => "ION",
            Self::Csv => "CSV",
        }
    }
}

/// How the objects are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InputCompression {
    /// Not at all.
    None,
    /// With gzip.
    Gzip,
    /// With Zstandard.
    Zstd,
}

impl InputCompression {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Gzip => "GZIP",
            Self::Zstd => "ZSTD",
        }
    }
}

/// How CSV is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvInput {
    /// The character between two cells; a comma if it is absent.
    pub delimiter: Option<String>,
    /// The names of the columns. Without them, the first line has them.
    pub header_list: Option<Vec<String>>,
}

/// How objects are encrypted. It is kept and shown; nothing is encrypted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SseAlgorithm {
    /// With a key of S3.
    Aes256,
    /// With a key of the key management service.
    Kms,
}

impl SseAlgorithm {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms => "KMS",
        }
    }
}

/// What a bulk operation reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputType {
    /// Records and objects that could not be processed.
    Error,
    /// Items whose condition did not hold.
    ConditionCheckFailure,
}

impl OutputType {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::ConditionCheckFailure => "CONDITION_CHECK_FAILURE",
        }
    }
}

/// Where a bulk operation writes its report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct S3Output {
    /// The bucket.
    pub bucket: String,
    /// The account that owns the bucket. It is kept and shown, and not compared.
    pub bucket_owner: Option<String>,
    /// What the keys of the objects begin with.
    pub key_prefix: Option<String>,
    /// How the objects are encrypted.
    pub sse_algorithm: Option<SseAlgorithm>,
    /// The key with which they are encrypted.
    pub sse_kms_key_id: Option<String>,
    /// What is reported.
    pub output_types: Vec<OutputType>,
}

/// How fast a bulk operation is on AWS. It is kept and shown; here there is one speed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PerformanceTier {
    /// The usual one.
    #[default]
    Standard,
    /// The faster one.
    Accelerated,
}

impl PerformanceTier {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::Accelerated => "ACCELERATED",
        }
    }
}
