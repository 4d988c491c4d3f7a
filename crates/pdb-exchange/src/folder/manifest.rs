//! The content of manifests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest, Md5};
use pdb_model::{EpochMillis, StreamLabel};
use serde::{Deserialize, Serialize};

use crate::format::Format;

/// The letters of the names of data files.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// `manifest-summary.json`: what was exported, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExportSummary {
    /// The version of the manifest's form.
    pub version: String,
    /// The ARN of the export.
    pub export_arn: String,
    /// When the export began.
    pub start_time: String,
    /// When it ended.
    pub end_time: String,
    /// The ARN of the table.
    pub table_arn: String,
    /// The id of the table.
    pub table_id: String,
    /// The moment whose items were exported. Incremental exports have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_time: Option<String>,
    /// The beginning of the time that an incremental export covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_from_time: Option<String>,
    /// The end of the time that an incremental export covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_to_time: Option<String>,
    /// The bucket.
    pub s3_bucket: Option<String>,
    /// What the keys of objects begin with.
    pub s3_prefix: Option<String>,
    /// How objects are encrypted.
    pub s3_sse_algorithm: Option<String>,
    /// The key with which they are encrypted.
    pub s3_sse_kms_key_id: Option<String>,
    /// The key of `manifest-files.json`.
    pub manifest_files_s3_key: String,
    /// The size of the table and its indexes.
    pub billed_size_bytes: u64,
    /// How many items were exported.
    pub item_count: u64,
    /// The format: `DYNAMODB_JSON` or `ION`.
    pub output_format: String,
    /// Which images an incremental export has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_view: Option<String>,
    /// `INCREMENTAL_EXPORT` or `FULL_EXPORT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_type: Option<String>,
}

impl ExportSummary {
    /// Returns the format of the data files.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        match self.output_format.as_str() {
            "DYNAMODB_JSON" => Some(Format::DynamoDbJson),
            "ION" => Some(Format::Ion),
            _ => None,
        }
    }

    /// Returns the name of the table that was exported, without the rest of its ARN.
    #[must_use]
    pub fn table_name(&self) -> Option<&str> {
        self.table_arn.split_once(":table/").map(|(_, name)| name)
    }

    /// Returns the text of the file.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a struct of texts and numbers serializes")
    }

    /// Prints a time like in a manifest: `2026-03-01T09:15:42.017Z`.
    #[must_use]
    pub fn time(moment: EpochMillis) -> String {
        format!("{}Z", StreamLabel::at(moment).as_str())
    }
}

/// An entry of `manifest-files.json`: a data file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestFile {
    /// How many items it has.
    pub item_count: u64,
    /// The MD5 of the file, in Base64.
    pub md5_checksum: String,
    /// S3's tag of the object.
    #[serde(default)]
    pub etag: String,
    /// The key of the object.
    pub data_file_s3_key: String,
}

/// Returns the text of `manifest-files.json`.
#[must_use]
pub fn manifest_files(files: &[ManifestFile]) -> String {
    let line = |file| serde_json::to_string(file).expect("a struct of texts and numbers serializes") + "\n";
    files.iter().map(line).collect()
}

/// Returns the content of the checksum file of a manifest: its MD5 in Base64.
#[must_use]
pub fn checksum(content: &[u8]) -> String {
    BASE64.encode(Md5::digest(content))
}

/// Returns S3's tag of an object that was uploaded in one part, given its MD5.
#[must_use]
pub fn s3_etag(md5: &[u8; 16]) -> String {
    let hex: String = Md5::digest(md5).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}-1")
}

/// Returns the id of an export that begins at `start`; `random` makes it unique.
#[must_use]
pub fn export_id(start: EpochMillis, random: u128) -> String {
    format!("{:014}-{:08x}", start.0.max(0), random & 0xffff_ffff)
}

/// Returns the name of the `number`th data file of an export, without its extension: 26 lower-case letters and digits.
#[must_use]
pub fn data_file_name(export_id: &str, number: u64) -> String {
    let digest: [u8; 16] = Md5::digest(format!("{export_id}/{number}")).into();
    let mut bits = u128::from_be_bytes(digest);
    let mut name = String::with_capacity(26);
    for _ in 0..26 {
        name.push(char::from(LETTERS[(bits & 31) as usize]));
        bits >>= 5;
    }
    name
}
