//! Rules of requested secondary indexes, with AWS's texts.
//!
//! Evidence: `validation.md` 10.11, items 5 and 6.

use std::collections::BTreeSet;

use pdb_model::{AttributeDefinition, BillingMode};

use super::input::{GlobalIndexInput, KeySchemaElement, KeyType, LocalIndexInput};
use super::key_rules::{
    check_defined, check_global_key, check_pair, check_projected_total, check_projection,
};
use super::rules::{Subject, check_on_demand, check_units, check_warm, invalid};
use crate::ItemsError;

/// Local indexes a table may have.
const MAX_LOCAL_INDEXES: usize = 5;
/// Global indexes a table may have.
pub(crate) const MAX_GLOBAL_INDEXES: usize = 20;

/// Checks the local indexes of a table that is being created.
pub(crate) fn check_local_indexes(
    indexes: &[LocalIndexInput],
    table_key: &[KeySchemaElement],
    definitions: &[AttributeDefinition],
) -> Result<(), ItemsError> {
    if indexes.is_empty() {
        return Err(invalid("List of LocalSecondaryIndexes is empty"));
    }
    if table_key.len() < 2 {
        return Err(invalid(
            "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
        ));
    }
    let mut names = BTreeSet::new();
    for index in indexes {
        check_defined(&index.key_schema, definitions)?;
        check_pair(&index.key_schema)?;
        check_local_key(index, table_key)?;
        check_projection(&index.projection)?;
        if !names.insert(&index.index_name) {
            return Err(invalid(format!("Duplicate index name: {}", index.index_name)));
        }
    }
    if indexes.len() > MAX_LOCAL_INDEXES {
        return Err(invalid(format!(
            "Number of LocalSecondaryIndexes exceeds per-table limit of {MAX_LOCAL_INDEXES}"
        )));
    }
    Ok(())
}

fn check_local_key(index: &LocalIndexInput, table_key: &[KeySchemaElement]) -> Result<(), ItemsError> {
    let (name, key) = (&index.index_name, &index.key_schema);
    if !key.iter().any(|element| element.key_type == KeyType::Range) {
        return Err(invalid(format!("Index KeySchema does not have a range key for index: {name}")));
    }
    let (own, tables) = (&key[0].attribute_name, &table_key[0].attribute_name);
    if own != tables {
        return Err(invalid(format!(
            "Index KeySchema does not have the same leading hash key as table KeySchema for index: {name}. index hash \
             key: {own}, table hash key: {tables}"
        )));
    }
    Ok(())
}

/// Checks the global indexes of a table that is being created.
pub(crate) fn check_global_indexes(
    indexes: &[GlobalIndexInput],
    local_indexes: &[LocalIndexInput],
    billing_mode: BillingMode,
    definitions: &[AttributeDefinition],
) -> Result<(), ItemsError> {
    if indexes.is_empty() {
        return Err(invalid("List of GlobalSecondaryIndexes is empty"));
    }
    let mut names: BTreeSet<_> = local_indexes.iter().map(|index| &index.index_name).collect();
    for index in indexes {
        check_global_throughput(index, billing_mode)?;
        check_defined(&index.key_schema, definitions)?;
        check_global_key(&index.key_schema)?;
        check_projection(&index.projection)?;
        if !names.insert(&index.index_name) {
            return Err(invalid(format!("Duplicate index name: {}", index.index_name)));
        }
    }
    if indexes.len() > MAX_GLOBAL_INDEXES {
        return Err(invalid(format!(
            "GlobalSecondaryIndex count exceeds the per-table limit of {MAX_GLOBAL_INDEXES}"
        )));
    }
    Ok(())
}

/// Checks the throughput of a global index that is created with its table.
fn check_global_throughput(index: &GlobalIndexInput, billing_mode: BillingMode) -> Result<(), ItemsError> {
    let name = index.index_name.as_ref();
    match (billing_mode, index.provisioned_throughput) {
        (BillingMode::PayPerRequest, Some(_)) => {
            return Err(invalid(format!(
                "ProvisionedThroughput should not be specified for index: {name} when BillingMode is PAY_PER_REQUEST"
            )));
        }
        (BillingMode::Provisioned, None) => {
            return Err(invalid(format!("ProvisionedThroughput is not specified for index: {name}")));
        }
        (BillingMode::PayPerRequest, None) | (BillingMode::Provisioned, Some(_)) => {}
    }
    check_global_extras(index, billing_mode)
}

/// Checks the sizes of a new global index's throughput.
pub(crate) fn check_global_extras(
    index: &GlobalIndexInput,
    billing_mode: BillingMode,
) -> Result<(), ItemsError> {
    let subject = Subject::Index(index.index_name.as_ref());
    if let Some(units) = index.provisioned_throughput {
        check_units(units, subject)?;
    }
    if let Some(caps) = index.on_demand_throughput {
        check_on_demand(caps, billing_mode, subject, false)?;
    }
    if let Some(warm) = index.warm_throughput {
        check_warm(warm, billing_mode, index.provisioned_throughput, subject)?;
    }
    Ok(())
}

/// Checks how many attributes the projections name together.
pub(crate) fn check_projections_together(
    local_indexes: &[LocalIndexInput],
    global_indexes: &[GlobalIndexInput],
) -> Result<(), ItemsError> {
    let local = local_indexes.iter().map(|index| &index.projection);
    let global = global_indexes.iter().map(|index| &index.projection);
    check_projected_total(
        local
            .chain(global)
            .map(|projection| projection.non_key_attributes.as_ref().map_or(0, Vec::len))
            .sum(),
    )
}
