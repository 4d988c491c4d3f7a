//! What CreateTable checks before it looks whether the table exists, in AWS's order.
//!
//! Evidence: `validation.md` 10.11.

use pdb_model::BillingMode;

use super::index_rules::{check_global_indexes, check_local_indexes, check_projections_together};
use super::input::CreateTableInput;
use super::key_rules::{check_all_used, check_global_key, check_pair, check_table_key, repeats_an_attribute};
use super::rules::{
    Subject, check_created_stream, check_encryption, check_on_demand, check_units, check_warm, invalid,
};
use super::tags::check_tags;
use super::vector_input::VectorIndexInput;
use super::vector_rules::{check_vector_attributes, check_vector_indexes};
use crate::ItemsError;

/// Checks all that can be checked without the store.
pub(crate) fn check(input: &CreateTableInput) -> Result<(), ItemsError> {
    check_throughput(input)?;
    check_table_key(&input.key_schema, &input.attribute_definitions)?;
    // An attribute that comes twice in a key is seen before a definition that no key uses; all else of an index after it.
    let local = input.local_secondary_indexes.iter().flatten().map(|index| &index.key_schema);
    local.filter(|key| repeats_an_attribute(key)).try_for_each(|key| check_pair(key))?;
    let global = input.global_secondary_indexes.iter().flatten().map(|index| &index.key_schema);
    global.filter(|key| repeats_an_attribute(key)).try_for_each(|key| check_global_key(key))?;
    let vectors = input.vector_indexes.as_deref();
    check_vector_attributes(vectors.unwrap_or_default(), &input.attribute_definitions)?;
    check_definitions_used(input)?;
    let local = input.local_secondary_indexes.as_deref();
    let global = input.global_secondary_indexes.as_deref();
    if let Some(local) = local {
        check_local_indexes(local, &input.key_schema, &input.attribute_definitions)?;
    }
    if let Some(global) = global {
        let billing_mode = input.billing_mode.unwrap_or(BillingMode::Provisioned);
        check_global_indexes(global, local.unwrap_or_default(), billing_mode, &input.attribute_definitions)?;
    }
    if let Some(vectors) = vectors {
        let local = local.iter().copied().flatten().map(|index| &index.index_name);
        let global = global.iter().copied().flatten().map(|index| &index.index_name);
        let billing_mode = input.billing_mode.unwrap_or(BillingMode::Provisioned);
        check_vector_indexes(vectors, local.chain(global), billing_mode, &input.attribute_definitions)?;
    }
    check_projections_together(local.unwrap_or_default(), global.unwrap_or_default())?;
    if let Some(stream) = input.stream_specification {
        check_created_stream(stream)?;
    }
    if let Some(encryption) = &input.sse_specification {
        check_encryption(encryption)?;
    }
    if let Some(tags) = &input.tags {
        check_tags(tags)?;
    }
    if input.global_table_source_arn.is_some() {
        return Err(invalid("GlobalTableSourceArn is not supported: there are no global tables here"));
    }
    Ok(())
}

fn check_throughput(input: &CreateTableInput) -> Result<(), ItemsError> {
    let billing_mode = input.billing_mode.unwrap_or(BillingMode::Provisioned);
    match (billing_mode, input.provisioned_throughput) {
        (BillingMode::Provisioned, None) => {
            return Err(invalid(
                "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
            ));
        }
        (BillingMode::PayPerRequest, Some(_)) => {
            return Err(invalid(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
            ));
        }
        (BillingMode::Provisioned, Some(units)) => check_units(units, Subject::Table)?,
        (BillingMode::PayPerRequest, None) => {}
    }
    if let Some(caps) = input.on_demand_throughput {
        check_on_demand(caps, billing_mode, Subject::Table, false)?;
    }
    if let Some(warm) = input.warm_throughput {
        check_warm(warm, billing_mode, input.provisioned_throughput, Subject::Table)?;
    }
    Ok(())
}

fn check_definitions_used(input: &CreateTableInput) -> Result<(), ItemsError> {
    let local = input.local_secondary_indexes.iter().flatten().map(|index| index.key_schema.as_slice());
    let global = input.global_secondary_indexes.iter().flatten().map(|index| index.key_schema.as_slice());
    let keys = local.chain(global).chain([input.key_schema.as_slice()]).flatten();
    let keys = keys.map(|element| element.attribute_name.as_str());
    let searched = input.vector_indexes.iter().flatten().flat_map(VectorIndexInput::schema);
    let used = keys.chain(searched.map(|element| element.attribute_name.as_str())).collect();
    let has_indexes = input.local_secondary_indexes.is_some()
        || input.global_secondary_indexes.is_some()
        || input.vector_indexes.is_some();
    check_all_used(&used, has_indexes, &input.attribute_definitions)
}
