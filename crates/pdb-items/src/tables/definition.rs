//! From checked requests to what is stored of a table.

use pdb_model::{
    AttributeDefinition, BillingMode, EpochMillis, IndexKind, KeyAttribute, KeySchema, Projection,
    ProvisionedThroughput, SecondaryIndex, ServerSideEncryption, TableClass, TableDefinition, WarmThroughput,
};

use super::input::{
    CreateTableInput, GlobalIndexInput, KeySchemaElement, KeyType, LocalIndexInput, ProjectionInput,
    ProjectionType, SseSpecification, TableClassInput, Tag, ThroughputInput, WarmThroughputInput,
};
use super::manager::TableManager;
use super::rules::{least_warm, refused};
use super::vector_rules::vector_index;
use crate::ItemsError;

impl TableManager {
    /// Returns what is stored of a table whose request was checked; its stream is opened later.
    pub(crate) fn definition(
        &self,
        input: &CreateTableInput,
        now: EpochMillis,
    ) -> Result<TableDefinition, ItemsError> {
        let billing_mode = input.billing_mode.unwrap_or(BillingMode::Provisioned);
        let mut attribute_definitions = input.attribute_definitions.clone();
        self.habits.order(&mut attribute_definitions);
        let key_schema = key_schema(&input.key_schema, &attribute_definitions)?;
        let mut indexes = Vec::new();
        for index in input.global_secondary_indexes.iter().flatten() {
            indexes.push(global_index(index, billing_mode, &attribute_definitions)?);
        }
        for index in input.local_secondary_indexes.iter().flatten() {
            indexes.push(local_index(index, &attribute_definitions)?);
        }
        let vector_indexes: Result<_, _> = input
            .vector_indexes
            .iter()
            .flatten()
            .map(|index| vector_index(index, &attribute_definitions))
            .collect();
        let vector_indexes = vector_indexes?;
        Ok(TableDefinition {
            attribute_definitions,
            indexes,
            vector_indexes,
            billing_mode,
            last_update_to_pay_per_request: (billing_mode == BillingMode::PayPerRequest).then_some(now),
            provisioned_throughput: provisioned(input.provisioned_throughput),
            on_demand_throughput: input.on_demand_throughput,
            warm_throughput: input
                .warm_throughput
                .map(|asked| warm(asked, billing_mode, input.provisioned_throughput)),
            table_class: input.table_class.map(|class| table_class(class, None)),
            server_side_encryption: self.encryption(input.sse_specification.as_ref()),
            deletion_protection: input.deletion_protection_enabled.unwrap_or(false),
            tags: input.tags.iter().flatten().cloned().filter_map(Tag::into_pair).collect(),
            ..TableDefinition::minimal(input.table_name.clone(), self.fresh_uuid(), now, key_schema)
        })
    }

    /// Returns the encryption a checked specification asks for; none is the default encryption.
    pub(crate) fn encryption(
        &self,
        specification: Option<&SseSpecification>,
    ) -> Option<ServerSideEncryption> {
        let specification = specification.filter(|asked| asked.asks_for_kms())?;
        let key = match &specification.kms_master_key_id {
            Some(arn) if arn.starts_with("arn:") => {
                return Some(ServerSideEncryption { kms_key_arn: arn.clone() });
            }
            Some(alias) if alias.starts_with("alias/") => alias.clone(),
            Some(id) => format!("key/{id}"),
            None => "alias/aws/dynamodb".to_owned(),
        };
        let (region, account) = (&self.account.region, &self.account.id);
        Some(ServerSideEncryption { kms_key_arn: format!("arn:aws:kms:{region}:{account}:{key}") })
    }
}

/// Returns the stored form of a checked global index.
pub(crate) fn global_index(
    index: &GlobalIndexInput,
    billing_mode: BillingMode,
    definitions: &[AttributeDefinition],
) -> Result<SecondaryIndex, ItemsError> {
    Ok(SecondaryIndex {
        name: index.index_name.clone(),
        kind: IndexKind::Global,
        key_schema: key_schema(&index.key_schema, definitions)?,
        projection: projection(&index.projection),
        provisioned_throughput: provisioned(index.provisioned_throughput),
        on_demand_throughput: index.on_demand_throughput,
        warm_throughput: index
            .warm_throughput
            .map(|asked| warm(asked, billing_mode, index.provisioned_throughput)),
    })
}

fn local_index(
    index: &LocalIndexInput,
    definitions: &[AttributeDefinition],
) -> Result<SecondaryIndex, ItemsError> {
    Ok(SecondaryIndex {
        name: index.index_name.clone(),
        kind: IndexKind::Local,
        key_schema: key_schema(&index.key_schema, definitions)?,
        projection: projection(&index.projection),
        provisioned_throughput: ProvisionedThroughput::default(),
        on_demand_throughput: None,
        warm_throughput: None,
    })
}

fn key_schema(
    elements: &[KeySchemaElement],
    definitions: &[AttributeDefinition],
) -> Result<KeySchema, ItemsError> {
    let mut schema = KeySchema { hash: Vec::new(), range: Vec::new() };
    for element in elements {
        let definition = definitions.iter().find(|definition| definition.name == element.attribute_name);
        let attribute: KeyAttribute = definition
            .cloned()
            .ok_or_else(|| refused("Invalid KeySchema: Some index key attribute have no definition"))?;
        match element.key_type {
            KeyType::Hash => schema.hash.push(attribute),
            KeyType::Range => schema.range.push(attribute),
        }
    }
    Ok(schema)
}

/// Returns the stored form of a checked projection.
pub(crate) fn projection(projection: &ProjectionInput) -> Projection {
    match projection.projection_type {
        Some(ProjectionType::KeysOnly) => Projection::KeysOnly,
        Some(ProjectionType::Include) => {
            let mut names = projection.non_key_attributes.clone().unwrap_or_default();
            names.sort();
            Projection::Include(names)
        }
        Some(ProjectionType::All) | None => Projection::All,
    }
}

/// Returns the stored form of units; none are zeros.
pub(crate) fn provisioned(units: Option<ThroughputInput>) -> ProvisionedThroughput {
    units.map_or_else(ProvisionedThroughput::default, |units| ProvisionedThroughput {
        read_units: units.read_capacity_units,
        write_units: units.write_capacity_units,
        ..ProvisionedThroughput::default()
    })
}

fn warm(
    asked: WarmThroughputInput,
    billing_mode: BillingMode,
    units: Option<ThroughputInput>,
) -> WarmThroughput {
    let (reads, writes) = least_warm(billing_mode, units);
    WarmThroughput {
        read_units: asked.read_units_per_second.unwrap_or(reads),
        write_units: asked.write_units_per_second.unwrap_or(writes),
    }
}

/// Returns the stored form of a table class.
pub(crate) fn table_class(class: TableClassInput, last_update: Option<EpochMillis>) -> TableClass {
    TableClass { infrequent_access: class == TableClassInput::StandardInfrequentAccess, last_update }
}
