//! The input of ExportTableToPointInTime.

use std::collections::BTreeMap;

use pdb_items::{ItemFilter, ItemsError, ParsedItemFilter};
use pdb_model::{AttributeValue, EpochMillis, TableArn, TableName};
use serde::{Deserialize, Serialize};

use crate::error::TransferError;
use crate::input::SseAlgorithm;

/// The shortest and the longest time between the ends of an incremental export: 15 minutes, 24 hours.
const SHORTEST_MILLIS: i64 = 15 * 60 * 1000;
const LONGEST_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// The input of ExportTableToPointInTime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExportTableInput {
    /// The table, by its ARN.
    pub table_arn: String,
    /// The moment; the latest one if it is absent. Not for incremental exports.
    pub export_time: Option<EpochMillis>,
    /// A text that stands for this export for eight hours after it has ended, so that a repeated request begins no other.
    pub client_token: Option<String>,
    /// The bucket.
    pub s3_bucket: String,
    /// The account that owns the bucket. It is kept and shown, and not compared.
    pub s3_bucket_owner: Option<String>,
    /// What the keys of the objects begin with.
    pub s3_prefix: Option<String>,
    /// How the objects are encrypted.
    pub s3_sse_algorithm: Option<SseAlgorithm>,
    /// The key with which they are encrypted.
    pub s3_sse_kms_key_id: Option<String>,
    /// The format; DynamoDB JSON if it is absent.
    pub export_format: Option<ExportFormat>,
    /// What is exported; all items if it is absent.
    pub export_type: Option<ExportType>,
    /// What an incremental export has.
    pub incremental: Option<IncrementalExportSpecification>,
    /// Which of the items are wanted, and which parts of them.
    pub filter: Option<FilterSpecification>,
}

/// What is exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportType {
    /// All items, as they were at a moment.
    #[default]
    Full,
    /// What changed between two moments.
    Incremental,
}

impl ExportType {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "FULL_EXPORT",
            Self::Incremental => "INCREMENTAL_EXPORT",
        }
    }
}

/// The format of the objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportFormat {
    /// DynamoDB JSON.
    #[default]
    DynamoDbJson,
    /// Amazon Ion.
    Ion,
}

impl ExportFormat {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DynamoDbJson => "DYNAMODB_JSON",
            Self::Ion => "ION",
        }
    }
}

/// Which images an incremental export has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportViewType {
    /// Items before and after their changes.
    #[default]
    NewAndOldImages,
    /// Items after their changes.
    NewImage,
}

impl ExportViewType {
    /// Returns the API's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
            Self::NewImage => "NEW_IMAGE",
        }
    }
}

/// What an incremental export has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncrementalExportSpecification {
    /// Changes from this moment on. It is required.
    pub export_from_time: Option<EpochMillis>,
    /// Changes before this moment; the latest one if it is absent.
    pub export_to_time: Option<EpochMillis>,
    /// Which images.
    pub export_view_type: Option<ExportViewType>,
}

/// Which items an export has, and which parts of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FilterSpecification {
    /// Which partition is wanted, and which part of it.
    pub key_condition_expression: Option<String>,
    /// Which items are wanted. Of an incremental export, those changes are wanted of which one of the images fulfils it.
    pub filter_expression: Option<String>,
    /// Which parts of the items are wanted.
    pub projection_expression: Option<String>,
    /// Attribute names by placeholder.
    pub expression_attribute_names: BTreeMap<String, String>,
    /// Values by placeholder.
    #[serde(with = "values")]
    pub expression_attribute_values: BTreeMap<String, AttributeValue>,
}

impl FilterSpecification {
    /// Parses the expressions.
    pub(super) fn parse(self) -> Result<ParsedItemFilter, ItemsError> {
        let Self { key_condition_expression, filter_expression, projection_expression, .. } = self;
        let (names, values) = (self.expression_attribute_names, self.expression_attribute_values);
        ItemFilter {
            key_condition_expression,
            filter_expression,
            projection_expression,
            expression_attribute_names: names,
            expression_attribute_values: values,
        }
        .parse()
    }
}

impl ExportTableInput {
    /// Returns the input of a full export of a table to a bucket, as of the latest moment.
    #[must_use]
    pub fn new(table_arn: impl Into<String>, s3_bucket: impl Into<String>) -> Self {
        Self {
            table_arn: table_arn.into(),
            export_time: None,
            client_token: None,
            s3_bucket: s3_bucket.into(),
            s3_bucket_owner: None,
            s3_prefix: None,
            s3_sse_algorithm: None,
            s3_sse_kms_key_id: None,
            export_format: None,
            export_type: None,
            incremental: None,
            filter: None,
        }
    }

    /// Returns what is exported.
    #[must_use]
    pub fn export_type(&self) -> ExportType {
        self.export_type.unwrap_or_default()
    }

    /// Checks what needs no table; returns the table's name.
    pub(super) fn check(&self) -> Result<TableName, TransferError> {
        let request = |text: &str| TransferError::validation(format!("Invalid Request: {text}"));
        let Ok(TableArn { name, .. }) = self.table_arn.parse::<TableArn>() else {
            return Err(request("Invalid table ARN"));
        };
        match (self.export_type(), &self.incremental) {
            (ExportType::Full, Some(_)) => Err(request(
                "IncrementalExportSpecification can only be specified when ExportType is INCREMENTAL_EXPORT",
            )),
            (ExportType::Incremental, None) => Err(request(
                "IncrementalExportSpecification must be specified when ExportType is INCREMENTAL_EXPORT",
            )),
            (ExportType::Incremental, Some(_)) if self.export_time.is_some() => {
                Err(request("ExportTime cannot be specified when ExportType is INCREMENTAL_EXPORT"))
            }
            (ExportType::Incremental, Some(given)) if given.export_from_time.is_none() => {
                Err(request("ExportFromTime must be specified when ExportType is INCREMENTAL_EXPORT"))
            }
            _ if self.s3_sse_kms_key_id.is_some() && self.s3_sse_algorithm != Some(SseAlgorithm::Kms) => {
                Err(request("S3SseKmsKeyId can only be specified when S3SseAlgorithm is KMS"))
            }
            _ => Ok(name),
        }
    }

    /// Returns the input of an incremental export with its defaults, and the ends of its time.
    pub(super) fn resolved_times(
        &self,
        latest: EpochMillis,
    ) -> Result<(Self, [EpochMillis; 2]), TransferError> {
        let given = self.incremental.unwrap_or_default();
        let from = given.export_from_time.unwrap_or(latest);
        let to = given.export_to_time.unwrap_or(latest);
        let length = to.0.saturating_sub(from.0);
        let refused = |text: &str| Err(TransferError::validation(format!("Invalid Request: {text}")));
        if length <= 0 {
            return refused("ExportFromTime must be before ExportToTime");
        }
        if length < SHORTEST_MILLIS {
            return refused("The period between ExportFromTime and ExportToTime must be at least 15 minutes");
        }
        if length > LONGEST_MILLIS {
            return refused("The period between ExportFromTime and ExportToTime must be at most 24 hours");
        }
        let incremental = Some(IncrementalExportSpecification {
            export_from_time: Some(from),
            export_to_time: Some(to),
            export_view_type: Some(given.export_view_type.unwrap_or_default()),
        });
        Ok((Self { incremental, ..self.clone() }, [from, to]))
    }
}

/// Values as DynamoDB JSON.
mod values {
    use std::collections::BTreeMap;

    use pdb_model::{AttributeValue, Item};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        values: &BTreeMap<String, AttributeValue>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let item: Item = values.clone().into_iter().collect();
        item.to_string().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<String, AttributeValue>, D::Error> {
        let text = String::deserialize(deserializer)?;
        Item::from_json(&text).map(|item| item.0).map_err(serde::de::Error::custom)
    }
}
