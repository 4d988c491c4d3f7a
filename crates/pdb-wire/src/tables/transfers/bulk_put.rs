//! `StartBulkPutItems`, `DescribeBulkOperation`, `ListBulkOperations`, `CancelBulkOperation`.

use std::collections::BTreeMap;

use pdb_model::ApiError;
use pretender::transfers::{
    BulkOperationDescription, InputCompression, InputFormat, ListBulkOperationsInput, OutputType,
    PerformanceTier, S3Output, S3Source, SseAlgorithm, StartBulkPutItemsInput,
};

use super::super::describe::write_timestamp;
use super::super::input;
use super::{
    bucket, check_arn, client_token, next_token, owned, owner, write_failure, write_source, write_text,
};
use crate::Wire;
use crate::constraint::{Constraints, Path, at, wire_enum};
use crate::decode::decode_body;
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use crate::decode::{Text, shape};

    shape! {
        /// What StartBulkPutItems takes.
        pub(crate) struct StartBulkPutItemsInput<'a> {
            source: InputS3Configuration<'a> = "InputS3Configuration",
            output: OutputS3Configuration<'a> = "OutputS3Configuration",
            table_name: Text<'a> = "TableName",
            client_token: Text<'a> = "ClientToken",
            max_write_request_units: i64 = "MaxWriteRequestUnits",
            performance_tier: Text<'a> = "PerformanceTier",
        }

        /// The objects of a bulk operation.
        pub(crate) struct InputS3Configuration<'a> {
            bucket_owner: Text<'a> = "S3BucketOwner",
            bucket: Text<'a> = "S3Bucket",
            key_prefix: Text<'a> = "S3KeyPrefix",
            format: Text<'a> = "InputFormat",
            compression: Text<'a> = "InputCompressionType",
        }

        /// Where the report of a bulk operation goes.
        pub(crate) struct OutputS3Configuration<'a> {
            bucket_owner: Text<'a> = "S3BucketOwner",
            bucket: Text<'a> = "S3Bucket",
            key_prefix: Text<'a> = "S3KeyPrefix",
            sse_algorithm: Text<'a> = "S3SseAlgorithm",
            sse_kms_key_id: Text<'a> = "S3SseKmsKeyId",
            output_type: Vec<Text<'a>> = "OutputType",
        }

        /// What DescribeBulkOperation takes.
        pub(crate) struct DescribeBulkOperationInput<'a> {
            bulk_operation_arn: Text<'a> = "BulkOperationArn",
        }

        /// What CancelBulkOperation takes.
        pub(crate) struct CancelBulkOperationInput<'a> {
            bulk_operation_arn: Text<'a> = "BulkOperationArn",
        }

        /// What ListBulkOperations takes.
        pub(crate) struct ListBulkOperationsInput<'a> {
            max_results: i32 = "MaxResults",
            next_token: Text<'a> = "NextToken",
        }
    }
}

/// The formats of bulk operations, which are fewer than those of imports.
#[derive(Clone, Copy)]
struct BulkFormat(InputFormat);

wire_enum!(BulkFormat {
    "DYNAMODB_JSON" => BulkFormat(InputFormat::DynamoDbJson),
    "ION" => BulkFormat(InputFormat::Ion),
});

/// Runs `StartBulkPutItems`.
pub(crate) fn start_bulk_put_items(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::StartBulkPutItemsInput<'_> = decode_body(body)?;
    let mut check = Constraints::new(Texts::CLASSIC);
    check.required(&at("TableName"), given.table_name.as_ref());
    let at_source = at("InputS3Configuration");
    check.required(&at_source, given.source.as_ref());
    let source = given.source.unwrap_or_default();
    let (format, compression) = check_source(&mut check, &at_source, &source);
    let at_output = at("OutputS3Configuration");
    check.required(&at_output, given.output.as_ref());
    let output = given.output.unwrap_or_default();
    let (sse_algorithm, output_types) = check_output(&mut check, &at_output, &output);
    client_token(&mut check, given.client_token.as_ref());
    check.range(&at("MaxWriteRequestUnits"), given.max_write_request_units, 1024..=i64::MAX);
    let performance_tier =
        check.one_of::<PerformanceTier>(&at("PerformanceTier"), given.performance_tier.as_ref());
    check.finish()?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;
    let described = wire.pretender.start_bulk_put_items(StartBulkPutItemsInput {
        table_name,
        client_token: owned(given.client_token),
        source: S3Source {
            bucket: input::checked(source.bucket, "S3Bucket")?.into(),
            bucket_owner: owned(source.bucket_owner),
            key_prefix: owned(source.key_prefix),
        },
        input_format: input::checked(format, "InputFormat")?.0,
        input_compression_type: compression,
        output: S3Output {
            bucket: input::checked(output.bucket, "S3Bucket")?.into(),
            bucket_owner: owned(output.bucket_owner),
            key_prefix: owned(output.key_prefix),
            sse_algorithm,
            sse_kms_key_id: owned(output.sse_kms_key_id),
            output_types,
        },
        max_write_request_units: given.max_write_request_units.and_then(|units| u64::try_from(units).ok()),
        performance_tier,
    })?;
    Ok(answer(&described))
}

fn check_source(
    check: &mut Constraints,
    path: &Path<'_>,
    source: &shapes::InputS3Configuration<'_>,
) -> (Option<BulkFormat>, Option<InputCompression>) {
    owner(check, &path.member("S3BucketOwner"), source.bucket_owner.as_ref());
    check.required(&path.member("S3Bucket"), source.bucket.as_ref());
    bucket(check, &path.member("S3Bucket"), source.bucket.as_ref());
    check.text_length(&path.member("S3KeyPrefix"), source.key_prefix.as_ref(), 0..=1024);
    let at_format = path.member("InputFormat");
    check.required(&at_format, source.format.as_ref());
    let format = check.one_of::<BulkFormat>(&at_format, source.format.as_ref());
    let at_compression = path.member("InputCompressionType");
    (format, check.one_of::<InputCompression>(&at_compression, source.compression.as_ref()))
}

fn check_output(
    check: &mut Constraints,
    path: &Path<'_>,
    output: &shapes::OutputS3Configuration<'_>,
) -> (Option<SseAlgorithm>, Vec<OutputType>) {
    owner(check, &path.member("S3BucketOwner"), output.bucket_owner.as_ref());
    check.required(&path.member("S3Bucket"), output.bucket.as_ref());
    bucket(check, &path.member("S3Bucket"), output.bucket.as_ref());
    check.text_length(&path.member("S3KeyPrefix"), output.key_prefix.as_ref(), 0..=1024);
    let at_sse = path.member("S3SseAlgorithm");
    let sse_algorithm = check.one_of::<SseAlgorithm>(&at_sse, output.sse_algorithm.as_ref());
    check.text_length(&path.member("S3SseKmsKeyId"), output.sse_kms_key_id.as_ref(), 1..=2048);
    let at_types = path.member("OutputType");
    check.required(&at_types, output.output_type.as_ref());
    check.list_length(&at_types, output.output_type.as_ref(), 1..=2);
    let mut output_types = Vec::new();
    for (n, word) in output.output_type.iter().flatten().enumerate() {
        let output_type = check.one_of::<OutputType>(&at_types.element(n), Some(word));
        output_types.extend(output_type.filter(|one| !output_types.contains(one)));
    }
    (sse_algorithm, output_types)
}

/// Runs `DescribeBulkOperation`.
pub(crate) fn describe_bulk_operation(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::DescribeBulkOperationInput<'_> = decode_body(body)?;
    check_arn("BulkOperationArn", given.bulk_operation_arn.as_ref())?;
    let arn = given.bulk_operation_arn.unwrap_or_default();
    Ok(answer(&wire.pretender.describe_bulk_operation(&arn)?))
}

/// Runs `CancelBulkOperation`.
pub(crate) fn cancel_bulk_operation(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::CancelBulkOperationInput<'_> = decode_body(body)?;
    check_arn("BulkOperationArn", given.bulk_operation_arn.as_ref())?;
    let arn = given.bulk_operation_arn.unwrap_or_default();
    let status = wire.pretender.cancel_bulk_operation(&arn)?;
    Ok(JsonWriter::object_of(|json| {
        json.name("BulkOperationArn").text(&arn);
        json.name("BulkOperationStatus").text(status.as_str());
    }))
}

/// Runs `ListBulkOperations`.
pub(crate) fn list_bulk_operations(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::ListBulkOperationsInput<'_> = decode_body(body)?;
    let mut check = Constraints::new(Texts::CLASSIC);
    check.range(&at("MaxResults"), given.max_results, 1..=25);
    next_token(&mut check, given.next_token.as_ref(), 0);
    check.finish()?;
    let listed = wire.pretender.list_bulk_operations(&ListBulkOperationsInput {
        max_results: given.max_results.and_then(|most| u32::try_from(most).ok()),
        next_token: owned(given.next_token),
    })?;
    Ok(JsonWriter::object_of(|json| {
        json.name("BulkOperationsSummaryList").list(&listed.bulk_operations, |json, operation| {
            json.object(|json| {
                json.name("BulkOperationArn").text(&operation.bulk_operation_arn);
                json.name("BulkOperationStatus").text(operation.bulk_operation_status.as_str());
                json.name("StartTime").timestamp(operation.start_time.0);
                write_timestamp(json, "EndTime", operation.end_time);
            });
        });
        write_text(json, "NextToken", listed.next_token.as_deref());
    }))
}

fn answer(operation: &BulkOperationDescription) -> Vec<u8> {
    JsonWriter::object_of(|json| {
        json.name("BulkOperationDescription").object(|json| write_operation(json, operation));
    })
}

fn write_operation(json: &mut JsonWriter, operation: &BulkOperationDescription) {
    let input = &operation.input;
    let table_name = input.table_name.as_str();
    json.name("BulkOperationArn").text(&operation.bulk_operation_arn);
    json.name("BulkOperationStatus").text(operation.bulk_operation_status.as_str());
    json.name("TableDetails").list([()], |json, ()| {
        json.object(|json| {
            json.name("TableName").text(table_name);
            json.name("TableId").text(&operation.table_id);
        });
    });
    write_text(json, "ClientToken", input.client_token.as_deref());
    json.name("InputS3Configuration").object(|json| {
        write_source(json, &input.source);
        json.name("InputFormat").text(input.input_format.as_str());
        let compression = input.input_compression_type.unwrap_or(InputCompression::None);
        json.name("InputCompressionType").text(compression.as_str());
    });
    json.name("OutputS3Configuration").object(|json| write_output(json, &input.output));
    json.name("StartTime").timestamp(operation.start_time.0);
    write_timestamp(json, "EndTime", operation.end_time);
    json.name("ProcessedItemCount").integer(operation.processed_item_count);
    json.name("ProcessedInputBytes").integer(operation.processed_input_bytes);
    if let Some(bytes) = operation.total_input_bytes {
        json.name("TotalInputBytes").integer(bytes);
    }
    write_usage(json, operation);
    json.name("FailedItemCount").integer(operation.failed_item_count);
    write_failure(json, operation.failure.as_ref());
    if let Some(units) = input.max_write_request_units {
        json.name("MaxWriteRequestUnits").integer(units);
    }
    json.name("PerformanceTier").text(input.performance_tier.unwrap_or_default().as_str());
}

fn write_output(json: &mut JsonWriter, output: &S3Output) {
    write_text(json, "S3BucketOwner", output.bucket_owner.as_deref());
    json.name("S3Bucket").text(&output.bucket);
    write_text(json, "S3KeyPrefix", output.key_prefix.as_deref());
    write_text(json, "S3SseAlgorithm", output.sse_algorithm.map(SseAlgorithm::as_str));
    write_text(json, "S3SseKmsKeyId", output.sse_kms_key_id.as_deref());
    json.name("OutputType").list(&output.output_types, |json, one| json.text(one.as_str()));
}

/// The usage of an operation has bytes by table, local and global index, and vector index.
fn write_usage(json: &mut JsonWriter, operation: &BulkOperationDescription) {
    let usage = &operation.usage;
    let total: u64 = usage.table + usage.local.values().chain(usage.global.values()).sum::<u64>();
    json.name("BulkOperationUsage").list([()], |json, ()| {
        json.object(|json| {
            json.name("TableName").text(operation.input.table_name.as_str());
            json.name("BulkPutBytes").integer(total);
            json.name("Table").object(|json| json.name("BulkPutBytes").integer(usage.table));
            for (name, indexes) in
                [("LocalSecondaryIndexes", &usage.local), ("GlobalSecondaryIndexes", &usage.global)]
            {
                write_by_index(json, name, "BulkPutBytes", indexes);
            }
            write_by_index(json, "VectorIndexes", "BulkPutVectorBytes", &usage.vectors);
        });
    });
}

fn write_by_index(
    json: &mut JsonWriter,
    name: &'static str,
    member: &'static str,
    indexes: &BTreeMap<String, u64>,
) {
    if indexes.is_empty() {
        return;
    }
    json.name(name).object(|json| {
        for (index, bytes) in indexes {
            json.key(index).object(|json| json.name(member).integer(*bytes));
        }
    });
}
