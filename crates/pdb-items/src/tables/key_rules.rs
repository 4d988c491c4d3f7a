//! Rules of key schemas, attribute definitions and projections, with AWS's texts.
//!
//! Evidence: `validation.md` 10.11, items 4 to 6.

use std::collections::BTreeSet;

use pdb_model::AttributeDefinition;

use super::input::{KeySchemaElement, KeyType, ProjectionInput, ProjectionType};
use super::rules::{invalid, refused};
use crate::ItemsError;

/// Attributes of each part a global index's key may have.
pub(crate) const MAX_KEY_ATTRIBUTES_A_PART: usize = 4;
/// Attributes all projections of a table may name together.
pub(crate) const MAX_NON_KEY_ATTRIBUTES_A_TABLE: usize = 100;

/// Checks the attribute definitions and the table's own key, not yet whether all definitions are used.
pub(crate) fn check_table_key(
    key_schema: &[KeySchemaElement],
    definitions: &[AttributeDefinition],
) -> Result<(), ItemsError> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = definitions.iter().find(|definition| !seen.insert(&definition.name)) {
        return Err(refused(format!("Attribute Name is duplicated: {}", twice.name)));
    }
    if key_schema.len() > definitions.len() {
        return Err(refused("Invalid KeySchema: Some index key attribute have no definition"));
    }
    check_defined(key_schema, definitions)?;
    check_pair(key_schema)
}

/// Checks that every attribute of a key is defined.
pub(crate) fn check_defined(
    key_schema: &[KeySchemaElement],
    definitions: &[AttributeDefinition],
) -> Result<(), ItemsError> {
    let is_defined = |name: &str| definitions.iter().any(|definition| definition.name == name);
    if key_schema.iter().all(|element| is_defined(&element.attribute_name)) {
        return Ok(());
    }
    Err(invalid(format!(
        "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
        names(key_schema),
        join(definitions.iter().map(|definition| definition.name.as_str())),
    )))
}

/// Checks the shape of a key of one or two attributes, as tables and local indexes have it.
pub(crate) fn check_pair(key_schema: &[KeySchemaElement]) -> Result<(), ItemsError> {
    if key_schema.len() > 2 {
        return Err(refused(format!(
            "1 validation error detected: Value '[{}]' at 'keySchema' failed to satisfy constraint: Member must have \
             length less than or equal to 2",
            names(key_schema)
        )));
    }
    if repeats_an_attribute(key_schema) {
        return Err(refused(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ));
    }
    check_leading_hash(key_schema)?;
    if key_schema.get(1).is_some_and(|second| second.key_type != KeyType::Range) {
        return Err(refused("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"));
    }
    Ok(())
}

/// Whether a key names an attribute twice.
pub(crate) fn repeats_an_attribute(key_schema: &[KeySchemaElement]) -> bool {
    let distinct: BTreeSet<_> = key_schema.iter().map(|element| &element.attribute_name).collect();
    distinct.len() < key_schema.len()
}

/// Whether a global index's key has one attribute of each part, so that the rules of tables are its rules.
fn is_pair(key_schema: &[KeySchemaElement]) -> bool {
    matches!(key_schema, [first, second] if first.key_type != second.key_type)
}

/// Checks the shape of a global index's key, which may have several attributes of each part.
pub(crate) fn check_global_key(key_schema: &[KeySchemaElement]) -> Result<(), ItemsError> {
    if is_pair(key_schema) {
        return check_pair(key_schema);
    }
    check_leading_hash(key_schema)?;
    let hashes = key_schema.iter().take_while(|element| element.key_type == KeyType::Hash).count();
    if key_schema[hashes..].iter().any(|element| element.key_type == KeyType::Hash) {
        return Err(invalid("All HASH key attributes must precede RANGE key attributes in the KeySchema"));
    }
    for (count, part) in [(hashes, "HASH"), (key_schema.len() - hashes, "RANGE")] {
        if count > MAX_KEY_ATTRIBUTES_A_PART {
            return Err(invalid(format!(
                "The KeySchema exceeds the maximum allowed number of {part} key attributes"
            )));
        }
    }
    if repeats_an_attribute(key_schema) {
        return Err(refused("The KeySchema contains multiple key attributes with the same name"));
    }
    Ok(())
}

fn check_leading_hash(key_schema: &[KeySchemaElement]) -> Result<(), ItemsError> {
    match key_schema.first() {
        Some(first) if first.key_type == KeyType::Hash => Ok(()),
        Some(_) | None => {
            Err(refused("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"))
        }
    }
}

/// Checks that every definition is used by the table's key or an index.
pub(crate) fn check_all_used(
    used: &BTreeSet<&str>,
    has_indexes: bool,
    definitions: &[AttributeDefinition],
) -> Result<(), ItemsError> {
    if definitions.iter().all(|definition| used.contains(definition.name.as_str())) {
        return Ok(());
    }
    if !has_indexes {
        return Err(invalid(
            "Number of attributes in KeySchema does not exactly match number of attributes defined in \
             AttributeDefinitions",
        ));
    }
    let defined: BTreeSet<&str> = definitions.iter().map(|definition| definition.name.as_str()).collect();
    Err(invalid(format!(
        "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
        join(defined),
        join(used.iter().copied()),
    )))
}

/// Checks a projection.
pub(crate) fn check_projection(projection: &ProjectionInput) -> Result<(), ItemsError> {
    let Some(projection_type) = projection.projection_type else {
        return Err(invalid("Unknown ProjectionType: null"));
    };
    match (projection_type, &projection.non_key_attributes) {
        (ProjectionType::All, Some(_)) => {
            return Err(invalid("ProjectionType is ALL, but NonKeyAttributes is specified"));
        }
        (ProjectionType::KeysOnly, Some(_)) => {
            return Err(invalid("ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified"));
        }
        (ProjectionType::Include, None) => {
            return Err(invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified"));
        }
        (ProjectionType::All | ProjectionType::KeysOnly, None) => return Ok(()),
        (ProjectionType::Include, Some(names)) => {
            let mut seen = BTreeSet::new();
            if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
                return Err(invalid(format!("Duplicate element in NonKeyAttributes: {twice}")));
            }
        }
    }
    Ok(())
}

/// Checks how many attributes all projections of a table name together.
pub(crate) fn check_projected_total(total: usize) -> Result<(), ItemsError> {
    if total > MAX_NON_KEY_ATTRIBUTES_A_TABLE {
        return Err(invalid(format!(
            "Number of NonKeyAttributes over all indexes exceeds per-table limit of {MAX_NON_KEY_ATTRIBUTES_A_TABLE}"
        )));
    }
    Ok(())
}

fn names(key_schema: &[KeySchemaElement]) -> String {
    join(key_schema.iter().map(|element| element.attribute_name.as_str()))
}

pub(crate) fn join<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}
