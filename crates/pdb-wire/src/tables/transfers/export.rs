//! `ExportTableToPointInTime`, `DescribeExport`, `ListExports`.

use pdb_model::{ApiError, ErrorCode, Item, TableArn};
use pretender::transfers::{
    ExportDescription, ExportFormat, ExportTableInput, ExportType, ExportViewType, FilterSpecification,
    IncrementalExportSpecification, ListExportsInput, SseAlgorithm,
};

use super::super::backups::moment;
use super::super::describe::write_timestamp;
use super::super::input;
use super::{bucket, check_arn, client_token, owned, owner, write_failure, write_text};
use crate::Wire;
use crate::constraint::{Constraints, at, wire_enum};
use crate::decode::decode_body;
use crate::items::placeholders::{self, Presence};
use crate::items::table;
use crate::json::JsonWriter;
use crate::layer::Texts;

wire_enum!(ExportFormat { "DYNAMODB_JSON" => ExportFormat::DynamoDbJson, "ION" => ExportFormat::Ion });
wire_enum!(ExportType {
    "FULL_EXPORT" => ExportType::Full,
    "INCREMENTAL_EXPORT" => ExportType::Incremental,
});
wire_enum!(ExportViewType {
    "NEW_IMAGE" => ExportViewType::NewImage,
    "NEW_AND_OLD_IMAGES" => ExportViewType::NewAndOldImages,
});

mod shapes {
    use crate::decode::{Entries, Text, shape};
    use crate::value::Value;

    shape! {
        /// What ExportTableToPointInTime takes.
        pub(crate) struct ExportTableToPointInTimeInput<'a> {
            table_arn: Text<'a> = "TableArn",
            export_time: f64 = "ExportTime",
            client_token: Text<'a> = "ClientToken",
            s3_bucket: Text<'a> = "S3Bucket",
            s3_bucket_owner: Text<'a> = "S3BucketOwner",
            s3_prefix: Text<'a> = "S3Prefix",
            s3_sse_algorithm: Text<'a> = "S3SseAlgorithm",
            s3_sse_kms_key_id: Text<'a> = "S3SseKmsKeyId",
            export_format: Text<'a> = "ExportFormat",
            export_type: Text<'a> = "ExportType",
            incremental: IncrementalExportSpecification<'a> = "IncrementalExportSpecification",
            filter: FilterSpecification<'a> = "FilterSpecification",
        }

        /// What an incremental export has.
        pub(crate) struct IncrementalExportSpecification<'a> {
            export_from_time: f64 = "ExportFromTime",
            export_to_time: f64 = "ExportToTime",
            export_view_type: Text<'a> = "ExportViewType",
        }

        /// What is wanted of the items.
        pub(crate) struct FilterSpecification<'a> {
            filter_expression: Text<'a> = "FilterExpression",
            projection_expression: Text<'a> = "ProjectionExpression",
            key_condition_expression: Text<'a> = "KeyConditionExpression",
            names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
            values: Entries<'a, Value> = "ExpressionAttributeValues",
        }

        /// What DescribeExport takes.
        pub(crate) struct DescribeExportInput<'a> {
            export_arn: Text<'a> = "ExportArn",
        }

        /// What ListExports takes.
        pub(crate) struct ListExportsInput<'a> {
            table_arn: Text<'a> = "TableArn",
            max_results: i32 = "MaxResults",
            next_token: Text<'a> = "NextToken",
        }
    }
}

/// Runs `ExportTableToPointInTime`.
pub(crate) fn export_table_to_point_in_time(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::ExportTableToPointInTimeInput<'_> = decode_body(body)?;
    let mut check = Constraints::new(Texts::CLASSIC);
    check.required(&at("TableArn"), given.table_arn.as_ref());
    check.text_length(&at("TableArn"), given.table_arn.as_ref(), 1..=1024);
    client_token(&mut check, given.client_token.as_ref());
    check.required(&at("S3Bucket"), given.s3_bucket.as_ref());
    bucket(&mut check, &at("S3Bucket"), given.s3_bucket.as_ref());
    owner(&mut check, &at("S3BucketOwner"), given.s3_bucket_owner.as_ref());
    check.text_length(&at("S3Prefix"), given.s3_prefix.as_ref(), 0..=1024);
    let s3_sse_algorithm =
        check.one_of::<SseAlgorithm>(&at("S3SseAlgorithm"), given.s3_sse_algorithm.as_ref());
    check.text_length(&at("S3SseKmsKeyId"), given.s3_sse_kms_key_id.as_ref(), 1..=2048);
    let export_format = check.one_of::<ExportFormat>(&at("ExportFormat"), given.export_format.as_ref());
    let export_type = check.one_of::<ExportType>(&at("ExportType"), given.export_type.as_ref());
    let incremental = given.incremental.map(|specification| IncrementalExportSpecification {
        export_from_time: specification.export_from_time.map(moment),
        export_to_time: specification.export_to_time.map(moment),
        export_view_type: check.one_of::<ExportViewType>(
            &at("IncrementalExportSpecification").member("ExportViewType"),
            specification.export_view_type.as_ref(),
        ),
    });
    check.finish()?;
    let arn: String = input::checked(given.table_arn, "TableArn")?.into();
    if table::is_elsewhere(&arn, wire.only_region()) && arn.parse::<TableArn>().is_ok() {
        let text = format!("Table not found: {arn}");
        return Err(ApiError::new(ErrorCode::TableNotFoundException, text));
    }
    let described = wire.pretender.export_table_to_point_in_time(ExportTableInput {
        table_arn: arn,
        export_time: given.export_time.map(moment),
        client_token: owned(given.client_token),
        s3_bucket: input::checked(given.s3_bucket, "S3Bucket")?.into(),
        s3_bucket_owner: owned(given.s3_bucket_owner),
        s3_prefix: owned(given.s3_prefix),
        s3_sse_algorithm,
        s3_sse_kms_key_id: owned(given.s3_sse_kms_key_id),
        export_format,
        export_type,
        incremental,
        filter: given.filter.map(filter).transpose()?,
    })?;
    Ok(answer(&described))
}

/// Reads a filter, with the checks of `Query`.
fn filter(given: shapes::FilterSpecification<'_>) -> Result<FilterSpecification, ApiError> {
    let texts = Texts::CLASSIC;
    let has_filter = given.filter_expression.is_some();
    let has_key_condition = given.key_condition_expression.is_some();
    Presence {
        legacy: &[],
        expressions: &[
            ("ProjectionExpression", given.projection_expression.is_some()),
            ("FilterExpression", has_filter),
            ("KeyConditionExpression", has_key_condition),
        ],
        with_values: &[("FilterExpression", has_filter), ("KeyConditionExpression", has_key_condition)],
        has_names: given.names.is_some(),
        has_values: given.values.is_some(),
    }
    .check(texts)?;
    let expression_attribute_names = placeholders::names(given.names, texts)?;
    Ok(FilterSpecification {
        expression_attribute_values: placeholders::values(given.values, texts)?,
        expression_attribute_names,
        key_condition_expression: placeholders::expression(given.key_condition_expression),
        filter_expression: placeholders::expression(given.filter_expression),
        projection_expression: placeholders::expression(given.projection_expression),
    })
}

/// Runs `DescribeExport`.
pub(crate) fn describe_export(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::DescribeExportInput<'_> = decode_body(body)?;
    check_arn("ExportArn", given.export_arn.as_ref())?;
    Ok(answer(&wire.pretender.describe_export(&given.export_arn.unwrap_or_default())?))
}

/// Runs `ListExports`.
pub(crate) fn list_exports(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::ListExportsInput<'_> = decode_body(body)?;
    let mut check = Constraints::new(Texts::CLASSIC);
    check.text_length(&at("TableArn"), given.table_arn.as_ref(), 1..=1024);
    check.range(&at("MaxResults"), given.max_results, 1..=25);
    check.finish()?;
    let listed = wire.pretender.list_exports(&ListExportsInput {
        table_arn: owned(given.table_arn),
        max_results: given.max_results.and_then(|most| u32::try_from(most).ok()),
        next_token: owned(given.next_token),
    })?;
    Ok(JsonWriter::object_of(|json| {
        json.name("ExportSummaries").list(&listed.export_summaries, |json, export| {
            json.object(|json| {
                json.name("ExportArn").text(&export.export_arn);
                json.name("ExportStatus").text(export.export_status.as_str());
                json.name("ExportType").text(export.export_type.as_str());
            });
        });
        write_text(json, "NextToken", listed.next_token.as_deref());
    }))
}

fn answer(export: &ExportDescription) -> Vec<u8> {
    JsonWriter::object_of(|json| {
        json.name("ExportDescription").object(|json| write_export(json, export));
    })
}

fn write_export(json: &mut JsonWriter, export: &ExportDescription) {
    let input = &export.input;
    json.name("ExportArn").text(&export.export_arn);
    json.name("ExportStatus").text(export.export_status.as_str());
    json.name("StartTime").timestamp(export.start_time.0);
    write_timestamp(json, "EndTime", export.end_time);
    write_text(json, "ExportManifest", export.export_manifest.as_deref());
    json.name("TableArn").text(&input.table_arn);
    json.name("TableId").text(&export.table_id);
    write_timestamp(json, "ExportTime", input.export_time);
    write_text(json, "ClientToken", input.client_token.as_deref());
    json.name("S3Bucket").text(&input.s3_bucket);
    write_text(json, "S3BucketOwner", input.s3_bucket_owner.as_deref());
    write_text(json, "S3Prefix", input.s3_prefix.as_deref());
    write_text(json, "S3SseAlgorithm", input.s3_sse_algorithm.map(SseAlgorithm::as_str));
    write_text(json, "S3SseKmsKeyId", input.s3_sse_kms_key_id.as_deref());
    write_failure(json, export.failure.as_ref());
    json.name("ExportFormat").text(input.export_format.unwrap_or_default().as_str());
    json.name("BilledSizeBytes").integer(export.billed_size_bytes);
    json.name("ItemCount").integer(export.item_count);
    json.name("ExportType").text(input.export_type().as_str());
    if let Some(specification) = &input.incremental {
        json.name("IncrementalExportSpecification").object(|json| {
            write_timestamp(json, "ExportFromTime", specification.export_from_time);
            write_timestamp(json, "ExportToTime", specification.export_to_time);
            let view = specification.export_view_type.unwrap_or_default();
            json.name("ExportViewType").text(view.as_str());
        });
    }
    if let Some(filter) = &input.filter {
        json.name("FilterSpecification").object(|json| write_filter(json, filter));
    }
}

fn write_filter(json: &mut JsonWriter, filter: &FilterSpecification) {
    write_text(json, "FilterExpression", filter.filter_expression.as_deref());
    write_text(json, "ProjectionExpression", filter.projection_expression.as_deref());
    write_text(json, "KeyConditionExpression", filter.key_condition_expression.as_deref());
    if !filter.expression_attribute_names.is_empty() {
        json.name("ExpressionAttributeNames").object(|json| {
            for (placeholder, name) in &filter.expression_attribute_names {
                json.key(placeholder).text(name);
            }
        });
    }
    if !filter.expression_attribute_values.is_empty() {
        let values: Item = filter.expression_attribute_values.clone().into_iter().collect();
        json.name("ExpressionAttributeValues").raw(&values.to_string());
    }
}
