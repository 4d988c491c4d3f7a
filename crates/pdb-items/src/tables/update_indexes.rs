//! UpdateTable's changes of global indexes: create, with entries for the items that are there; delete; throughput.
//!
//! Evidence: `validation.md` 10.12, item 5; `dynamodb.md` 3.5.

use std::collections::BTreeSet;

use pdb_model::{
    AttributeDefinition, BillingMode, IndexKind, IndexName, ScalarType, SearchRole, SecondaryIndex,
    TableDefinition, VectorIndex, WarmThroughput,
};

use super::definition::global_index;
use super::describe::{Counts, Describer, elements, warm};
use super::description::{TableDescription, TableStatus};
use super::index_rules::{MAX_GLOBAL_INDEXES, check_global_extras};
use super::input::{GlobalIndexInput, GlobalIndexThroughputUpdate, KeySchemaElement, UpdateTableInput};
use super::key_rules::{check_defined, check_projected_total};
use super::rules::{Subject, check_on_demand, invalid, refused};
use super::update_throughput::{echoed, merged_caps, raise};
use super::vector_input::VectorIndexInput;
use super::vector_rules::{check_added_vector_index, vector_index};
use crate::{Habits, ItemsError};

/// Checked changes of global indexes.
#[derive(Default)]
pub(crate) struct IndexChanges {
    create: Option<SecondaryIndex>,
    delete: Option<IndexName>,
    updates: Vec<GlobalIndexThroughputUpdate>,
    create_vector: Option<VectorIndex>,
    delete_vector: Option<IndexName>,
    /// All definitions the table's keys need afterwards.
    definitions: Vec<AttributeDefinition>,
}

impl IndexChanges {
    /// Checks a request against the table.
    pub(crate) fn check(
        input: &UpdateTableInput,
        old: &TableDefinition,
        habits: Habits,
    ) -> Result<Self, ItemsError> {
        let mut changes = Self { definitions: old.attribute_definitions.clone(), ..Self::default() };
        for update in input.global_secondary_index_updates.iter().flatten() {
            if let Some(create) = &update.create {
                changes.check_create(create, input, old, habits)?;
            }
            if let Some(delete) = &update.delete {
                check_is_global(delete, old, "delete")?;
                changes.delete = Some(delete.clone());
            }
            if let Some(update) = &update.update {
                check_is_global(&update.index_name, old, "update")?;
                changes.updates.push(update.clone());
            }
        }
        for update in input.vector_index_updates.iter().flatten() {
            if let Some(create) = &update.create {
                changes.merge_definitions(input, habits);
                check_search_not_redefined(create, input, old)?;
                check_added_vector_index(create, input, old, &changes.definitions)?;
                changes.create_vector = Some(vector_index(create, &changes.definitions)?);
            }
            if let Some(delete) = &update.delete {
                if old.vector_index(delete.as_str()).is_none() {
                    return Err(absent_index(delete, old));
                }
                changes.delete_vector = Some(delete.clone());
            }
        }
        Ok(changes)
    }

    /// Adds the definitions of a request to those that are known.
    fn merge_definitions(&mut self, input: &UpdateTableInput, habits: Habits) {
        for definition in input.attribute_definitions.iter().flatten() {
            if !self.definitions.iter().any(|known| known.name == definition.name) {
                self.definitions.push(definition.clone());
            }
        }
        habits.order(&mut self.definitions);
    }

    fn check_create(
        &mut self,
        create: &GlobalIndexInput,
        input: &UpdateTableInput,
        old: &TableDefinition,
        habits: Habits,
    ) -> Result<(), ItemsError> {
        let name = &create.index_name;
        if old.any_index(name.as_str()).is_some() {
            return Err(refused("Attempting to create an index which already exists"));
        }
        self.merge_definitions(input, habits);
        check_no_vector_in_key(create, input, old)?;
        check_defined(&create.key_schema, &self.definitions)?;
        check_not_redefined(create, input.attribute_definitions.as_deref().unwrap_or_default(), old)?;
        let billing_mode = input.billing_mode.unwrap_or(old.billing_mode);
        match (billing_mode, create.provisioned_throughput) {
            (BillingMode::Provisioned, None) => {
                return Err(invalid(format!(
                    "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: {name}"
                )));
            }
            (BillingMode::PayPerRequest, Some(_)) => {
                return Err(invalid(format!(
                    "ProvisionedThroughput should not be specified for index: {name} when BillingMode is \
                     PAY_PER_REQUEST"
                )));
            }
            (BillingMode::Provisioned, Some(_)) | (BillingMode::PayPerRequest, None) => {}
        }
        check_global_extras(create, billing_mode)?;
        if old.indexes_of(IndexKind::Global).count() >= MAX_GLOBAL_INDEXES {
            return Err(ItemsError::LimitExceeded(format!(
                "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of \
                 {MAX_GLOBAL_INDEXES}"
            )));
        }
        let known =
            old.indexes.iter().map(|index| index.projection.non_key_attributes().len()).sum::<usize>();
        check_projected_total(known + create.projection.non_key_attributes.as_ref().map_or(0, Vec::len))?;
        self.create = Some(global_index(create, billing_mode, &self.definitions)?);
        Ok(())
    }

    /// Returns the index that is new, and to be filled.
    pub(crate) fn created(&self) -> Option<&IndexName> {
        let vector = self.create_vector.as_ref().map(|index| &index.name);
        self.create.as_ref().map(|index| &index.name).or(vector)
    }

    /// Changes the definition.
    pub(crate) fn apply(&self, definition: &mut TableDefinition) -> Result<(), ItemsError> {
        for update in &self.updates {
            apply_update(update, definition)?;
        }
        if let Some(create) = &self.create {
            let at = definition.indexes.iter().rposition(|index| index.kind == IndexKind::Global);
            definition.indexes.insert(at.map_or(0, |at| at + 1), create.clone());
        }
        if let Some(delete) = &self.delete {
            definition.indexes.retain(|index| index.name != *delete);
        }
        definition.vector_indexes.extend(self.create_vector.clone());
        if let Some(delete) = &self.delete_vector {
            definition.vector_indexes.retain(|index| index.name != *delete);
        }
        let has_changed = [&self.delete, &self.delete_vector].iter().any(|deleted| deleted.is_some());
        if has_changed || self.created().is_some() {
            let used = used_attributes(definition);
            definition.attribute_definitions = self
                .definitions
                .iter()
                .filter(|attribute| used.contains(attribute.name.as_str()))
                .cloned()
                .collect();
        }
        Ok(())
    }

    /// Marks in the answer the changes that AWS would still be working on.
    pub(crate) fn mark(
        &self,
        describer: &Describer<'_>,
        old: &TableDefinition,
        description: &mut TableDescription,
    ) {
        for index in &mut description.global_secondary_indexes {
            if self.create.as_ref().is_some_and(|create| create.name == index.index_name) {
                index.index_status = TableStatus::Creating;
                index.backfilling = Some(false);
                (index.item_count, index.index_size_bytes) = (0, 0);
            }
            if let Some(update) = self.updates.iter().find(|update| update.index_name == index.index_name) {
                index.index_status = TableStatus::Updating;
                index.on_demand_throughput = echoed(update.on_demand_throughput, index.on_demand_throughput);
            }
        }
        for described in &mut description.vector_indexes {
            if self.create_vector.as_ref().is_some_and(|create| create.name == described.index.name) {
                described.index_status = TableStatus::Creating;
                described.backfilling = Some(false);
                (described.item_count, described.index_size_bytes) = (0, 0);
            }
        }
        let before = describer.describe(old, &Counts::default());
        if let Some(delete) = &self.delete_vector
            && let Some(at) = before.vector_indexes.iter().position(|index| index.index.name == *delete)
        {
            let mut index = before.vector_indexes[at].clone();
            index.index_status = TableStatus::Deleting;
            description.vector_indexes.insert(at.min(description.vector_indexes.len()), index);
        }
        let Some(delete) = &self.delete else { return };
        let before = before.global_secondary_indexes;
        if let Some(at) = before.iter().position(|index| index.index_name == *delete) {
            let mut index = before[at].clone();
            index.index_status = TableStatus::Deleting;
            description
                .global_secondary_indexes
                .insert(at.min(description.global_secondary_indexes.len()), index);
        }
    }
}

/// Returns the attributes whose types must be known: those of keys, and those by which searches select.
pub(crate) fn used_attributes(definition: &TableDefinition) -> BTreeSet<String> {
    let keys = definition.indexes.iter().map(|index| &index.key_schema).chain([&definition.key_schema]);
    let searched = definition.vector_indexes.iter().flat_map(|index| &index.search_schema);
    keys.flat_map(|key| key.attributes())
        .chain(searched.map(|element| &element.attribute))
        .map(|attribute| attribute.name.clone())
        .collect()
}

/// Checks that a new index's key has no attribute that is a vector.
fn check_no_vector_in_key(
    create: &GlobalIndexInput,
    input: &UpdateTableInput,
    old: &TableDefinition,
) -> Result<(), ItemsError> {
    let vector = old.vector_indexes.iter().find(|index| {
        create.key_schema.iter().any(|element| element.attribute_name == index.vector_attribute)
    });
    let Some(vector) = vector else { return Ok(()) };
    let known = format!(
        "VectorIndexSchema:[VectorAttribute: key{{{}:L:{}}}]",
        vector.vector_attribute, vector.dimensions
    );
    let type_of = |name: &str| {
        let asked = input.attribute_definitions.iter().flatten().find(|asked| asked.name == name);
        asked.map(|asked| asked.scalar_type).or_else(|| old.attribute_type(name))
    };
    Err(redefined(&known, &printed(&create.key_schema, type_of)))
}

/// Checks that the attributes of a new index's search schema have the types that are known of them.
fn check_search_not_redefined(
    create: &VectorIndexInput,
    input: &UpdateTableInput,
    old: &TableDefinition,
) -> Result<(), ItemsError> {
    for element in create.schema() {
        let name = element.attribute_name.as_str();
        let asked = input.attribute_definitions.iter().flatten().find(|asked| asked.name == name);
        if let Some((asked, known)) = asked.zip(old.attribute_type(name))
            && asked.scalar_type != known
        {
            return Err(redefined(
                &existing_schema(old, name),
                &printed_search(name, asked.scalar_type, element.role),
            ));
        }
    }
    Ok(())
}

fn redefined(existing: &str, new: &str) -> ItemsError {
    invalid(format!(
        "Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. \
         Existing schema: {existing} New schema: {new}"
    ))
}

/// The refusal to change an index that is not there.
fn absent_index(name: &IndexName, table: &TableDefinition) -> ItemsError {
    ItemsError::ResourceNotFound(format!(
        "Requested resource not found: Index {name} for table {}",
        table.name
    ))
}

/// Checks that the attributes of a new index's key have the types they have in the keys that are there.
///
/// Definitions that the new key does not use are not checked: AWS ignores them, even if their type is another one.
fn check_not_redefined(
    create: &GlobalIndexInput,
    definitions: &[AttributeDefinition],
    old: &TableDefinition,
) -> Result<(), ItemsError> {
    let asked = |name: &str| definitions.iter().find(|definition| definition.name == name);
    let other = create.key_schema.iter().find(|element| {
        let name = element.attribute_name.as_str();
        asked(name).zip(old.attribute_type(name)).is_some_and(|(asked, known)| asked.scalar_type != known)
    });
    let Some(other) = other else { return Ok(()) };
    let known = |name: &str| old.attribute_type(name);
    let new = printed(&create.key_schema, |name| {
        asked(name).map(|asked| asked.scalar_type).or_else(|| known(name))
    });
    Err(redefined(&existing_schema(old, &other.attribute_name), &new))
}

/// The first schema of a table in which an attribute has its type, as AWS prints it.
fn existing_schema(table: &TableDefinition, name: &str) -> String {
    let keys = [&table.key_schema].into_iter().chain(table.indexes.iter().map(|index| &index.key_schema));
    let key = keys.into_iter().find(|schema| schema.contains(name));
    let searched = || table.vector_indexes.iter().find_map(|index| index.search_attribute(name));
    key.map(|schema| printed(&elements(schema), |name| table.attribute_type(name)))
        .or_else(|| searched().map(|of| printed_search(name, of.attribute.scalar_type, of.role)))
        .unwrap_or_default()
}

/// A key schema with its types, as AWS prints it.
fn printed(schema: &[KeySchemaElement], type_of: impl Fn(&str) -> Option<ScalarType>) -> String {
    let elements: Vec<String> = schema
        .iter()
        .map(|KeySchemaElement { attribute_name, key_type }| {
            let scalar_type = type_of(attribute_name).map_or("", ScalarType::name);
            format!("SchemaElement: key{{{attribute_name}:{scalar_type}:{}}}", key_type.as_str())
        })
        .collect();
    format!("Schema:[{}]", elements.join(", "))
}

/// An element of a search schema with its type.
fn printed_search(name: &str, scalar_type: ScalarType, role: SearchRole) -> String {
    format!("SearchSchema:[SearchSchemaElement: key{{{name}:{}:{}}}]", scalar_type.name(), role.as_str())
}

fn apply_update(
    update: &GlobalIndexThroughputUpdate,
    definition: &mut TableDefinition,
) -> Result<(), ItemsError> {
    let billing_mode = definition.billing_mode;
    let Some(index) = definition.indexes.iter_mut().find(|index| index.name == update.index_name) else {
        return Ok(());
    };
    let subject = Subject::Index(update.index_name.as_str());
    if let Some(caps) = update.on_demand_throughput {
        check_on_demand(caps, billing_mode, subject, true)?;
        index.on_demand_throughput = merged_caps(index.on_demand_throughput, caps);
    }
    if let Some(asked) = update.warm_throughput {
        let current = warm(index.warm_throughput, billing_mode, &index.provisioned_throughput);
        let raised: WarmThroughput =
            raise(asked, (current.read_units_per_second, current.write_units_per_second), subject)?;
        index.warm_throughput = Some(raised);
    }
    Ok(())
}

fn check_is_global(name: &IndexName, old: &TableDefinition, verb: &str) -> Result<(), ItemsError> {
    match old.index(name.as_str()).map(|index| index.kind) {
        Some(IndexKind::Global) => Ok(()),
        Some(IndexKind::Local) => {
            Err(refused(format!("Cannot {verb} an index that is not a GlobalSecondaryIndex: {name}")))
        }
        None => Err(absent_index(name, old)),
    }
}
