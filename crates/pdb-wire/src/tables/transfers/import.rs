//! `ImportTable`, `DescribeImport`, `ListImports`.

use pdb_model::{ApiError, BillingMode};
use pretender::tables::{GlobalIndexInput, ProjectionInput, SseSpecification, SseType, VectorIndexInput};
use pretender::transfers::{
    CsvInput, ImportDescription, ImportTableInput, InputCompression, InputFormat, ListImportsInput, S3Source,
    TableCreationParameters,
};

use super::super::describe::{write_key_schema, write_on_demand, write_timestamp};
use super::super::input;
use super::super::vectors::vector_indexes;
use super::{
    bucket, check_arn, client_token, next_token, owned, owner, write_failure, write_source, write_text,
};
use crate::Wire;
use crate::constraint::{Constraints, Path, WireEnum, at};
use crate::decode::decode_body;
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use super::super::super::shapes::{
        AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement, OnDemandThroughput,
        ProvisionedThroughput, SSESpecification, VectorIndex,
    };
    use crate::decode::{Text, shape};

    shape! {
        /// What ImportTable takes.
        pub(crate) struct ImportTableInput<'a> {
            client_token: Text<'a> = "ClientToken",
            source: S3BucketSource<'a> = "S3BucketSource",
            format: Text<'a> = "InputFormat",
            options: InputFormatOptions<'a> = "InputFormatOptions",
            compression: Text<'a> = "InputCompressionType",
            table: TableCreationParameters<'a> = "TableCreationParameters",
        }

        /// The objects of an import.
        pub(crate) struct S3BucketSource<'a> {
            bucket_owner: Text<'a> = "S3BucketOwner",
            bucket: Text<'a> = "S3Bucket",
            key_prefix: Text<'a> = "S3KeyPrefix",
        }

        /// Options of formats.
        pub(crate) struct InputFormatOptions<'a> {
            csv: CsvOptions<'a> = "Csv",
        }

        /// Options of CSV.
        pub(crate) struct CsvOptions<'a> {
            delimiter: Text<'a> = "Delimiter",
            header_list: Vec<Text<'a>> = "HeaderList",
        }

        /// The table of an import.
        pub(crate) struct TableCreationParameters<'a> {
            table_name: Text<'a> = "TableName",
            attribute_definitions: Vec<AttributeDefinition<'a>> = "AttributeDefinitions",
            key_schema: Vec<KeySchemaElement<'a>> = "KeySchema",
            billing_mode: Text<'a> = "BillingMode",
            provisioned_throughput: ProvisionedThroughput = "ProvisionedThroughput",
            on_demand_throughput: OnDemandThroughput = "OnDemandThroughput",
            sse_specification: SSESpecification<'a> = "SSESpecification",
            global_secondary_indexes: Vec<GlobalSecondaryIndex<'a>> = "GlobalSecondaryIndexes",
            vector_indexes: Vec<VectorIndex<'a>> = "VectorIndexes",
        }

        /// What DescribeImport takes.
        pub(crate) struct DescribeImportInput<'a> {
            import_arn: Text<'a> = "ImportArn",
        }

        /// What ListImports takes.
        pub(crate) struct ListImportsInput<'a> {
            table_arn: Text<'a> = "TableArn",
            page_size: i32 = "PageSize",
            next_token: Text<'a> = "NextToken",
        }
    }
}

/// Runs `ImportTable`.
pub(crate) fn import_table(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::ImportTableInput<'_> = decode_body(body)?;
    let mut check = Constraints::new(Texts::CLASSIC);
    let at_source = at("S3BucketSource");
    check.required(&at_source, given.source.as_ref());
    let source = given.source.unwrap_or_default();
    check_source(&mut check, &at_source, &source);
    check.required(&at("InputFormat"), given.format.as_ref());
    let input_format = check.one_of::<InputFormat>(&at("InputFormat"), given.format.as_ref());
    let compression =
        check.one_of::<InputCompression>(&at("InputCompressionType"), given.compression.as_ref());
    client_token(&mut check, given.client_token.as_ref());
    let csv = given.options.and_then(|options| options.csv);
    check_csv(&mut check, csv.as_ref());
    let at_table = at("TableCreationParameters");
    check.required(&at_table, given.table.as_ref());
    let table = table(&mut check, &at_table, given.table.as_ref());
    check.finish()?;
    let described = wire.pretender.import_table(ImportTableInput {
        client_token: owned(given.client_token),
        s3_bucket_source: S3Source {
            bucket: input::checked(source.bucket, "S3Bucket")?.into(),
            bucket_owner: owned(source.bucket_owner),
            key_prefix: owned(source.key_prefix),
        },
        input_format: input::checked(input_format, "InputFormat")?,
        csv: csv.map(|csv| CsvInput {
            delimiter: owned(csv.delimiter),
            header_list: csv.header_list.map(|names| names.into_iter().map(Into::into).collect()),
        }),
        input_compression_type: compression,
        table: input::checked(table, "TableCreationParameters")?,
    })?;
    Ok(answer(&described))
}

fn check_source(check: &mut Constraints, path: &Path<'_>, source: &shapes::S3BucketSource<'_>) {
    owner(check, &path.member("S3BucketOwner"), source.bucket_owner.as_ref());
    check.required(&path.member("S3Bucket"), source.bucket.as_ref());
    bucket(check, &path.member("S3Bucket"), source.bucket.as_ref());
    check.text_length(&path.member("S3KeyPrefix"), source.key_prefix.as_ref(), 0..=1024);
}

fn check_csv(check: &mut Constraints, csv: Option<&shapes::CsvOptions<'_>>) {
    let Some(csv) = csv else { return };
    let options = at("InputFormatOptions");
    let path = options.member("Csv");
    let at_delimiter = path.member("Delimiter");
    check.text_length(&at_delimiter, csv.delimiter.as_ref(), 1..=1);
    super::pattern(check, &at_delimiter, csv.delimiter.as_ref(), "[,;:|\\t ]", |delimiter| {
        delimiter.chars().all(|one| ",;:|\t ".contains(one)) && !delimiter.is_empty()
    });
    let at_header = path.member("HeaderList");
    check.list_length(&at_header, csv.header_list.as_ref(), 1..=255);
    for (n, name) in csv.header_list.iter().flatten().enumerate() {
        let path = at_header.element(n);
        check.text_length(&path, Some(name), 1..=65536);
        super::pattern(check, &path, Some(name), r"[\x20-\x21\x23-\x2B\x2D-\x7E]*", |name| {
            name.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x2b | 0x2d..=0x7e))
        });
    }
}

fn table(
    check: &mut Constraints,
    path: &Path<'_>,
    given: Option<&shapes::TableCreationParameters<'_>>,
) -> Option<TableCreationParameters> {
    let given = given?;
    let at_name = path.member("TableName");
    check.required(&at_name, given.table_name.as_ref());
    input::name_constraints(check, &at_name, given.table_name.as_ref());
    let at_definitions = path.member("AttributeDefinitions");
    check.required(&at_definitions, given.attribute_definitions.as_ref());
    let attribute_definitions =
        input::attribute_definitions(check, &at_definitions, given.attribute_definitions.as_ref());
    let at_key = path.member("KeySchema");
    input::key_schema_length(check, &at_key, given.key_schema.as_ref(), input::TABLE_KEY);
    let key_schema = input::key_schema(check, &at_key, given.key_schema.as_ref());
    let billing_mode = check.one_of::<BillingMode>(&path.member("BillingMode"), given.billing_mode.as_ref());
    let at_units = path.member("ProvisionedThroughput");
    let provisioned_throughput = input::throughput(check, &at_units, given.provisioned_throughput.as_ref());
    let at_global = path.member("GlobalSecondaryIndexes");
    let global = input::global_indexes(check, &at_global, given.global_secondary_indexes.as_ref());
    let vectors = vector_indexes(check, &path.member("VectorIndexes"), given.vector_indexes.as_ref());
    let sse = given.sse_specification.as_ref();
    let sse_type = sse.and_then(|sse| {
        check.one_of::<SseType>(&path.member("SSESpecification").member("SSEType"), sse.sse_type.as_ref())
    });
    Some(TableCreationParameters {
        table_name: pdb_model::TableName::new(given.table_name.as_deref()?).ok()?,
        attribute_definitions,
        key_schema,
        billing_mode,
        provisioned_throughput,
        on_demand_throughput: input::on_demand(given.on_demand_throughput.as_ref()),
        sse_specification: sse.map(|sse| SseSpecification {
            enabled: sse.enabled,
            sse_type,
            kms_master_key_id: sse.kms_master_key_id.as_ref().map(ToString::to_string),
        }),
        global_secondary_indexes: global,
        vector_indexes: vectors,
    })
}

/// Runs `DescribeImport`.
pub(crate) fn describe_import(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::DescribeImportInput<'_> = decode_body(body)?;
    check_arn("ImportArn", given.import_arn.as_ref())?;
    Ok(answer(&wire.pretender.describe_import(&given.import_arn.unwrap_or_default())?))
}

/// Runs `ListImports`.
pub(crate) fn list_imports(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::ListImportsInput<'_> = decode_body(body)?;
    let mut check = Constraints::new(Texts::CLASSIC);
    check.text_length(&at("TableArn"), given.table_arn.as_ref(), 1..=1024);
    check.range(&at("PageSize"), given.page_size, 1..=25);
    next_token(&mut check, given.next_token.as_ref(), 112);
    check.finish()?;
    let listed = wire.pretender.list_imports(&ListImportsInput {
        table_arn: owned(given.table_arn),
        page_size: given.page_size.and_then(|size| u32::try_from(size).ok()),
        next_token: owned(given.next_token),
    })?;
    Ok(JsonWriter::object_of(|json| {
        json.name("ImportSummaryList").list(&listed.import_summary_list, |json, import| {
            json.object(|json| {
                json.name("ImportArn").text(&import.import_arn);
                json.name("ImportStatus").text(import.import_status.as_str());
                json.name("TableArn").text(&import.table_arn);
                json.name("S3BucketSource").object(|json| write_source(json, &import.s3_bucket_source));
                json.name("CloudWatchLogGroupArn").text(&import.cloud_watch_log_group_arn);
                json.name("InputFormat").text(import.input_format.as_str());
                json.name("StartTime").timestamp(import.start_time.0);
                write_timestamp(json, "EndTime", import.end_time);
            });
        });
        write_text(json, "NextToken", listed.next_token.as_deref());
    }))
}

fn answer(import: &ImportDescription) -> Vec<u8> {
    JsonWriter::object_of(|json| {
        json.name("ImportTableDescription").object(|json| write_import(json, import));
    })
}

fn write_import(json: &mut JsonWriter, import: &ImportDescription) {
    let input = &import.input;
    json.name("ImportArn").text(&import.import_arn);
    json.name("ImportStatus").text(import.import_status.as_str());
    json.name("TableArn").text(&import.table_arn);
    json.name("TableId").text(&import.table_id);
    write_text(json, "ClientToken", input.client_token.as_deref());
    json.name("S3BucketSource").object(|json| write_source(json, &input.s3_bucket_source));
    json.name("ErrorCount").integer(import.error_count);
    json.name("CloudWatchLogGroupArn").text(&import.cloud_watch_log_group_arn);
    json.name("InputFormat").text(input.input_format.as_str());
    if let Some(csv) = &input.csv {
        json.name("InputFormatOptions").object(|json| {
            json.name("Csv").object(|json| {
                write_text(json, "Delimiter", csv.delimiter.as_deref());
                if let Some(header) = &csv.header_list {
                    json.name("HeaderList").list(header, |json, name| json.text(name));
                }
            });
        });
    }
    let compression = input.input_compression_type.unwrap_or(InputCompression::None);
    json.name("InputCompressionType").text(compression.as_str());
    json.name("TableCreationParameters").object(|json| write_parameters(json, &input.table));
    json.name("StartTime").timestamp(import.start_time.0);
    write_timestamp(json, "EndTime", import.end_time);
    json.name("ProcessedSizeBytes").integer(import.processed_size_bytes);
    json.name("ProcessedItemCount").integer(import.processed_item_count);
    json.name("ImportedItemCount").integer(import.imported_item_count);
    write_failure(json, import.failure.as_ref());
}

fn write_parameters(json: &mut JsonWriter, table: &TableCreationParameters) {
    json.name("TableName").text(table.table_name.as_str());
    json.name("AttributeDefinitions").list(&table.attribute_definitions, |json, definition| {
        json.object(|json| {
            json.name("AttributeName").text(&definition.name);
            json.name("AttributeType").text(word(definition.scalar_type));
        });
    });
    write_key_schema(json, &table.key_schema);
    if let Some(mode) = table.billing_mode {
        json.name("BillingMode").text(word(mode));
    }
    if let Some(units) = table.provisioned_throughput {
        json.name("ProvisionedThroughput").object(|json| {
            json.name("ReadCapacityUnits").integer(units.read_capacity_units);
            json.name("WriteCapacityUnits").integer(units.write_capacity_units);
        });
    }
    if let Some(caps) = &table.on_demand_throughput {
        write_on_demand(json, caps);
    }
    if let Some(sse) = &table.sse_specification {
        json.name("SSESpecification").object(|json| {
            if let Some(enabled) = sse.enabled {
                json.name("Enabled").boolean(enabled);
            }
            write_text(json, "SSEType", sse.sse_type.map(word));
            write_text(json, "KMSMasterKeyId", sse.kms_master_key_id.as_deref());
        });
    }
    if let Some(indexes) = &table.global_secondary_indexes {
        json.name("GlobalSecondaryIndexes").list(indexes, |json, index| {
            json.object(|json| write_global_index(json, index));
        });
    }
    if let Some(indexes) = &table.vector_indexes {
        json.name("VectorIndexes").list(indexes, |json, index| {
            json.object(|json| write_vector_index(json, index));
        });
    }
}

fn write_global_index(json: &mut JsonWriter, index: &GlobalIndexInput) {
    json.name("IndexName").text(index.index_name.as_str());
    write_key_schema(json, &index.key_schema);
    write_projection(json, &index.projection);
    if let Some(units) = index.provisioned_throughput {
        json.name("ProvisionedThroughput").object(|json| {
            json.name("ReadCapacityUnits").integer(units.read_capacity_units);
            json.name("WriteCapacityUnits").integer(units.write_capacity_units);
        });
    }
    if let Some(caps) = &index.on_demand_throughput {
        write_on_demand(json, caps);
    }
    if let Some(warm) = index.warm_throughput {
        json.name("WarmThroughput").object(|json| {
            if let Some(units) = warm.read_units_per_second {
                json.name("ReadUnitsPerSecond").integer(units);
            }
            if let Some(units) = warm.write_units_per_second {
                json.name("WriteUnitsPerSecond").integer(units);
            }
        });
    }
}

fn write_vector_index(json: &mut JsonWriter, index: &VectorIndexInput) {
    json.name("IndexName").text(index.index_name.as_str());
    json.name("VectorAttribute").object(|json| json.name("AttributeName").text(&index.vector_attribute));
    if let Some(schema) = &index.search_schema {
        json.name("SearchSchema").list(schema, |json, element| {
            json.object(|json| {
                json.name("AttributeName").text(&element.attribute_name);
                json.name("SearchSchemaElementType").text(word(element.role));
            });
        });
    }
    write_projection(json, &index.projection);
    json.name("Dimensions").integer(index.dimensions);
    json.name("DistanceFunction").text(word(index.distance_function));
}

fn write_projection(json: &mut JsonWriter, projection: &ProjectionInput) {
    json.name("Projection").object(|json| {
        write_text(json, "ProjectionType", projection.projection_type.map(word));
        if let Some(names) = &projection.non_key_attributes {
            json.name("NonKeyAttributes").list(names, |json, name| json.text(name));
        }
    });
}

/// The word of a value that a request has named.
fn word<E: WireEnum + PartialEq>(value: E) -> &'static str {
    E::WORDS.iter().find(|(_, meaning)| *meaning == value).map_or("", |(word, _)| word)
}
