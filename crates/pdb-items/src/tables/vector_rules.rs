//! Rules of requested vector indexes, with AWS's texts.
//!
//! Evidence: `vector-search.md` 3 to 5. Where AWS has a rule whose text nobody has seen, the text is ours.

use std::collections::BTreeSet;

use pdb_model::{
    AttributeDefinition, BillingMode, IndexName, KeyAttribute, SearchAttribute, SearchRole, TableDefinition,
    VectorIndex,
};

use super::definition::projection;
use super::input::UpdateTableInput;
use super::key_rules::check_projection;
use super::rules::{invalid, refused};
use super::vector_input::{VectorIndexInput, VectorIndexUpdate};
use crate::ItemsError;

/// Vector indexes a table may have.
const MAX_VECTOR_INDEXES: usize = 5;
/// Numbers a vector may have.
const MAX_DIMENSIONS: u64 = 4096;
/// Filters an index may have.
const MAX_FILTERS: usize = 18;
/// Attributes of an index that are in no key: the vector, the filters, and those that the projection names.
const MAX_NON_KEY_ATTRIBUTES: usize = 20;

/// Checks the vector indexes of a table that is being created, but for what [`check_vector_attributes`] checks.
pub(crate) fn check_vector_indexes<'a>(
    indexes: &[VectorIndexInput],
    other_names: impl Iterator<Item = &'a IndexName>,
    billing_mode: BillingMode,
    definitions: &[AttributeDefinition],
) -> Result<(), ItemsError> {
    check_on_demand(billing_mode)?;
    if indexes.is_empty() {
        return Err(invalid("List of VectorIndexes is empty"));
    }
    check_count(indexes.len())?;
    let mut names: BTreeSet<&IndexName> = other_names.collect();
    for (at, index) in indexes.iter().enumerate() {
        check_vector_index(index, definitions)?;
        let earlier = indexes[..at].iter().map(|other| (other.vector_attribute.as_str(), other.dimensions));
        check_dimensions(index, earlier)?;
        if !names.insert(&index.index_name) {
            return Err(invalid(format!("Duplicate index name: {}", index.index_name)));
        }
    }
    Ok(())
}

/// Checks that no vector is an attribute that has a definition. It is seen before a definition that no key uses.
pub(crate) fn check_vector_attributes(
    indexes: &[VectorIndexInput],
    definitions: &[AttributeDefinition],
) -> Result<(), ItemsError> {
    check_not_defined(indexes.iter().map(|index| index.vector_attribute.as_str()), definitions)
}

fn check_not_defined<'a>(
    mut vectors: impl Iterator<Item = &'a str>,
    definitions: &[AttributeDefinition],
) -> Result<(), ItemsError> {
    match vectors.find(|name| definitions.iter().any(|definition| definition.name == *name)) {
        Some(name) => Err(invalid(format!(
            "Conflicting attribute definition for '{name}'. An attribute cannot be defined in AttributeDefinitions when used as a \
             VectorAttribute."
        ))),
        None => Ok(()),
    }
}

/// Refuses vector indexes on a table that is not paid by request.
pub(crate) fn check_on_demand(billing_mode: BillingMode) -> Result<(), ItemsError> {
    match billing_mode {
        BillingMode::PayPerRequest => Ok(()),
        BillingMode::Provisioned => {
            Err(invalid("Vector indexes are only supported for PAY_PER_REQUEST tables"))
        }
    }
}

fn check_count(count: usize) -> Result<(), ItemsError> {
    if count > MAX_VECTOR_INDEXES {
        return Err(invalid(format!(
            "VectorIndex count exceeds the per-table limit of {MAX_VECTOR_INDEXES}"
        )));
    }
    Ok(())
}

/// Checks that an attribute has the same dimensions in all indexes.
fn check_dimensions<'a>(
    index: &VectorIndexInput,
    mut others: impl Iterator<Item = (&'a str, u64)>,
) -> Result<(), ItemsError> {
    let (name, dimensions) = (index.vector_attribute.as_str(), index.dimensions);
    if others.any(|(other, others_dimensions)| other == name && others_dimensions != dimensions) {
        return Err(invalid(format!(
            "Conflicting attribute definition for '{name}'. All VectorIndexes on the same vector attribute must use the same \
             dimensions."
        )));
    }
    Ok(())
}

/// Checks an index by itself.
fn check_vector_index(
    index: &VectorIndexInput,
    definitions: &[AttributeDefinition],
) -> Result<(), ItemsError> {
    if !(1..=MAX_DIMENSIONS).contains(&index.dimensions) {
        return Err(invalid(format!(
            "Number of dimensions must be between 1 and {MAX_DIMENSIONS} inclusive."
        )));
    }
    let schema = index.schema();
    let hashes = schema.iter().filter(|element| element.role == SearchRole::Hash).count();
    if hashes > 1 {
        return Err(invalid(format!(
            "Value '{hashes}' at 'SearchSchema' failed to satisfy constraint: Member must have HASH count less than or equal \
             to 1"
        )));
    }
    let mut names = BTreeSet::new();
    if !schema.iter().all(|element| names.insert(&element.attribute_name)) {
        return Err(invalid("SearchSchema contains a duplicate AttributeName"));
    }
    let is_defined = |name: &str| definitions.iter().any(|definition| definition.name == name);
    if !schema.iter().all(|element| is_defined(&element.attribute_name)) {
        return Err(undefined_element());
    }
    check_projection(&index.projection)?;
    check_budget(index)
}

fn undefined_element() -> ItemsError {
    invalid("One element in SearchSchema is not defined in attribute definitions")
}

fn check_budget(index: &VectorIndexInput) -> Result<(), ItemsError> {
    let filters = index.schema().iter().filter(|element| element.role == SearchRole::InlineFilter);
    let filters: BTreeSet<&str> = filters.map(|element| element.attribute_name.as_str()).collect();
    if filters.len() > MAX_FILTERS {
        return Err(invalid(format!(
            "INLINE_FILTER count of SearchSchema exceeds the per-index limit of {MAX_FILTERS}"
        )));
    }
    let named = index.projection.non_key_attributes.iter().flatten().map(String::as_str);
    let attributes: BTreeSet<&str> =
        filters.into_iter().chain(named).chain([index.vector_attribute.as_str()]).collect();
    if attributes.len() > MAX_NON_KEY_ATTRIBUTES {
        return Err(invalid(format!(
            "Number of projected attributes exceeds the per-index limit of {MAX_NON_KEY_ATTRIBUTES}"
        )));
    }
    Ok(())
}

/// Checks UpdateTable's changes of vector indexes by themselves, and returns how many indexes are created or deleted.
pub(crate) fn check_vector_updates(updates: &[VectorIndexUpdate]) -> Result<usize, ItemsError> {
    for update in updates {
        match (&update.create, &update.delete) {
            (None, None) => {
                return Err(invalid(
                    "One of VectorIndexUpdate.Create, VectorIndexUpdate.Delete must not be null",
                ));
            }
            (Some(_), Some(_)) => {
                return Err(invalid("Only one vector index action is allowed per VectorIndexUpdate object"));
            }
            (Some(create), None) => check_projection(&create.projection)?,
            (None, Some(_)) => {}
        }
    }
    Ok(updates.len())
}

/// Checks a vector index that is added to a table, whose attribute definitions will be these.
pub(crate) fn check_added_vector_index(
    create: &VectorIndexInput,
    input: &UpdateTableInput,
    old: &TableDefinition,
    definitions: &[AttributeDefinition],
) -> Result<(), ItemsError> {
    check_on_demand(input.billing_mode.unwrap_or(old.billing_mode))?;
    if old.any_index(create.index_name.as_str()).is_some() {
        return Err(refused("Attempting to create an index which already exists"));
    }
    let new_vector = create.vector_attribute.as_str();
    let known = old.vector_indexes.iter().map(|index| index.vector_attribute.as_str());
    check_not_defined(known.chain([new_vector]), definitions)?;
    check_vector_index(create, definitions)?;
    let others = &old.vector_indexes;
    check_dimensions(
        create,
        others.iter().map(|other| (other.vector_attribute.as_str(), other.dimensions.into())),
    )?;
    check_count(others.len() + 1)
}

/// Returns the stored form of a checked index.
pub(crate) fn vector_index(
    index: &VectorIndexInput,
    definitions: &[AttributeDefinition],
) -> Result<VectorIndex, ItemsError> {
    let mut search_schema = Vec::with_capacity(index.schema().len());
    for element in index.schema() {
        let definition = definitions.iter().find(|definition| definition.name == element.attribute_name);
        let definition = definition.ok_or_else(undefined_element)?;
        let attribute = KeyAttribute { name: definition.name.clone(), scalar_type: definition.scalar_type };
        search_schema.push(SearchAttribute { attribute, role: element.role });
    }
    Ok(VectorIndex {
        name: index.index_name.clone(),
        vector_attribute: index.vector_attribute.clone(),
        dimensions: u32::try_from(index.dimensions).unwrap_or(u32::MAX),
        distance_function: index.distance_function,
        search_schema,
        projection: projection(&index.projection),
    })
}
