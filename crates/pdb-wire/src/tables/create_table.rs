//! `CreateTable`.

use pdb_model::ApiError;
use pretender::tables::CreateTableInput;

use super::describe::write_table;
use super::input;
use super::vectors::vector_indexes;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::decode_body;
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use super::super::shapes::{
        AttributeDefinition, GlobalSecondaryIndex, KeySchemaElement, LocalSecondaryIndex, OnDemandThroughput,
        ProvisionedThroughput, SSESpecification, StreamSpecification, Tag, VectorIndex, WarmThroughput,
    };
    use crate::decode::{Text, shape};

    shape! {
        /// What CreateTable takes.
        pub(crate) struct CreateTableInput<'a> {
            attribute_definitions: Vec<AttributeDefinition<'a>> = "AttributeDefinitions",
            table_name: Text<'a> = "TableName",
            key_schema: Vec<KeySchemaElement<'a>> = "KeySchema",
            local_secondary_indexes: Vec<LocalSecondaryIndex<'a>> = "LocalSecondaryIndexes",
            global_secondary_indexes: Vec<GlobalSecondaryIndex<'a>> = "GlobalSecondaryIndexes",
            vector_indexes: Vec<VectorIndex<'a>> = "VectorIndexes",
            billing_mode: Text<'a> = "BillingMode",
            table_throughput_mode: Text<'a> = "TableThroughputMode",
            provisioned_throughput: ProvisionedThroughput = "ProvisionedThroughput",
            stream_specification: StreamSpecification<'a> = "StreamSpecification",
            sse_specification: SSESpecification<'a> = "SSESpecification",
            tags: Vec<Tag<'a>> = "Tags",
            table_class: Text<'a> = "TableClass",
            deletion_protection_enabled: bool = "DeletionProtectionEnabled",
            warm_throughput: WarmThroughput = "WarmThroughput",
            resource_policy: Text<'a> = "ResourcePolicy",
            on_demand_throughput: OnDemandThroughput = "OnDemandThroughput",
            global_table_source_arn: Text<'a> = "GlobalTableSourceArn",
        }
    }
}

/// Runs `CreateTable`.
pub(crate) fn create_table(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::CreateTableInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;

    let mut check = Constraints::new(Texts::CLASSIC);
    let (at_definitions, at_key) = (at("AttributeDefinitions"), at("KeySchema"));
    check.required(&at_definitions, given.attribute_definitions.as_ref());
    input::key_schema_length(&mut check, &at_key, given.key_schema.as_ref(), input::TABLE_KEY);
    let key_schema = input::key_schema(&mut check, &at_key, given.key_schema.as_ref());
    let attribute_definitions =
        input::attribute_definitions(&mut check, &at_definitions, given.attribute_definitions.as_ref());
    let provisioned_throughput =
        input::throughput(&mut check, &at("ProvisionedThroughput"), given.provisioned_throughput.as_ref());
    let billing_mode =
        input::throughput_mode(&mut check, given.billing_mode.as_ref(), given.table_throughput_mode.as_ref());
    let at_global = at("GlobalSecondaryIndexes");
    let global = input::global_indexes(&mut check, &at_global, given.global_secondary_indexes.as_ref());
    let at_local = at("LocalSecondaryIndexes");
    let local = input::local_indexes(&mut check, &at_local, given.local_secondary_indexes.as_ref());
    let vectors = vector_indexes(&mut check, &at("VectorIndexes"), given.vector_indexes.as_ref());
    let stream_specification = input::stream(&mut check, given.stream_specification.as_ref());
    let sse_specification =
        input::encryption(&mut check, "SSESpecification", given.sse_specification.as_ref());
    let warm_throughput = input::warm(&mut check, &at("WarmThroughput"), given.warm_throughput.as_ref());
    check.finish()?;
    let table_class = input::table_class(given.table_class.as_ref())?;

    let description = wire.pretender.create_table(CreateTableInput {
        table_name,
        attribute_definitions,
        key_schema,
        billing_mode,
        provisioned_throughput,
        local_secondary_indexes: local,
        global_secondary_indexes: global,
        vector_indexes: vectors,
        stream_specification,
        sse_specification,
        tags: given.tags.map(input::tags),
        table_class,
        deletion_protection_enabled: given.deletion_protection_enabled,
        warm_throughput,
        on_demand_throughput: input::on_demand(given.on_demand_throughput.as_ref()),
        resource_policy: given.resource_policy.map(Into::into),
        global_table_source_arn: given.global_table_source_arn.map(Into::into),
    })?;
    Ok(JsonWriter::object_of(|json| write_table(json.name("TableDescription"), &description)))
}
