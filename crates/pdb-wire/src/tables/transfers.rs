//! `ImportTable`, `ExportTableToPointInTime`, `StartBulkPutItems`, and what belongs to them.

pub(crate) mod bulk_put;
pub(crate) mod export;
pub(crate) mod import;

use pdb_model::ApiError;
use pretender::transfers::{
    Failure, InputCompression, InputFormat, OutputType, PerformanceTier, S3Source, SseAlgorithm,
};

use crate::constraint::{Constraints, Path, at, wire_enum};
use crate::decode::Text;
use crate::json::JsonWriter;
use crate::layer::Texts;

wire_enum!(InputFormat {
    "DYNAMODB_JSON" => InputFormat::DynamoDbJson,
    "ION" => InputFormat::Ion,
    "CSV" => InputFormat::Csv,
});
wire_enum!(InputCompression {
    "GZIP" => InputCompression::Gzip,
    "ZSTD" => InputCompression::Zstd,
    "NONE" => InputCompression::None,
});
wire_enum!(SseAlgorithm { "AES256" => SseAlgorithm::Aes256, "KMS" => SseAlgorithm::Kms });
wire_enum!(OutputType {
    "ERROR" => OutputType::Error,
    "CONDITION_CHECK_FAILURE" => OutputType::ConditionCheckFailure,
});
wire_enum!(PerformanceTier {
    "STANDARD" => PerformanceTier::Standard,
    "ACCELERATED" => PerformanceTier::Accelerated,
});

const BUCKET_PATTERN: &str = r"^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$";
const OWNER_PATTERN: &str = "[0-9]{12}";
const TOKEN_PATTERN: &str = r"^[^\$]+$";
const NEXT_TOKEN_PATTERN: &str = "([0-9a-f]{16})+";

/// Checks a text against a pattern of the model; `fits` decides.
fn pattern(
    check: &mut Constraints,
    path: &Path<'_>,
    value: Option<&Text<'_>>,
    pattern: &str,
    fits: impl FnOnce(&str) -> bool,
) {
    if let Some(value) = value
        && !fits(value)
    {
        check.fail(path, Some(value), &format!("Member must satisfy regular expression pattern: {pattern}"));
    }
}

/// Checks the name of a bucket.
fn bucket(check: &mut Constraints, path: &Path<'_>, given: Option<&Text<'_>>) {
    check.text_length(path, given, 0..=255);
    pattern(check, path, given, BUCKET_PATTERN, |name| {
        let is_end = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        name.len() >= 2
            && is_end(name.bytes().next())
            && is_end(name.bytes().last())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    });
}

/// Checks the account that owns a bucket.
fn owner(check: &mut Constraints, path: &Path<'_>, given: Option<&Text<'_>>) {
    pattern(check, path, given, OWNER_PATTERN, |id| {
        id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())
    });
}

/// Checks the token of a request.
fn client_token(check: &mut Constraints, given: Option<&Text<'_>>) {
    pattern(check, &at("ClientToken"), given, TOKEN_PATTERN, |token| {
        !token.is_empty() && !token.contains('$')
    });
}

/// Checks the token of a page.
fn next_token(check: &mut Constraints, given: Option<&Text<'_>>, shortest: usize) {
    check.text_length(&at("NextToken"), given, shortest..=1024);
    pattern(check, &at("NextToken"), given, NEXT_TOKEN_PATTERN, |token| {
        !token.is_empty()
            && token.len().is_multiple_of(16)
            && token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    });
}

/// Checks the ARN of a job.
fn check_arn(member: &str, arn: Option<&Text<'_>>) -> Result<(), ApiError> {
    let mut check = Constraints::new(Texts::CLASSIC);
    check.required(&at(member), arn);
    check.text_length(&at(member), arn, 37..=1024);
    check.finish()
}

fn owned(text: Option<Text<'_>>) -> Option<String> {
    text.map(Into::into)
}

fn write_source(json: &mut JsonWriter, source: &S3Source) {
    write_text(json, "S3BucketOwner", source.bucket_owner.as_deref());
    json.name("S3Bucket").text(&source.bucket);
    write_text(json, "S3KeyPrefix", source.key_prefix.as_deref());
}

fn write_text(json: &mut JsonWriter, name: &'static str, text: Option<&str>) {
    if let Some(text) = text {
        json.name(name).text(text);
    }
}

fn write_failure(json: &mut JsonWriter, failure: Option<&Failure>) {
    if let Some(Failure { code, message }) = failure {
        json.name("FailureCode").text(code);
        json.name("FailureMessage").text(message);
    }
}
