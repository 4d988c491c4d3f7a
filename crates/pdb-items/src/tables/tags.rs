//! Tags: TagResource, UntagResource, ListTagsOfResource.
//!
//! Evidence: `validation.md` 10.16. Writes apply at once; AWS takes a second or three.

use std::collections::{BTreeMap, BTreeSet};

use pdb_model::TableDefinition;
use pdb_store::ReadTx;

use super::input::Tag;
use super::manager::{TableManager, find_table};
use super::resource::Resource;
use super::rules::refused;
use super::transition::check_created;
use crate::ItemsError;

/// Tags a resource may have.
const MAX_TAGS: usize = 50;
const MAX_KEY_CHARACTERS: usize = 128;
const MAX_VALUE_CHARACTERS: usize = 256;

impl TableManager {
    /// Adds tags to a table, or replaces their values.
    ///
    /// # Errors
    ///
    /// [`ItemsError::Validation`], [`ItemsError::AccessDenied`] for another account's table,
    /// [`ItemsError::ResourceNotFound`].
    pub fn tag_resource(&self, resource_arn: &str, tags: Vec<Tag>) -> Result<(), ItemsError> {
        let resource = self.tagged(resource_arn, "TagResource")?;
        if tags.is_empty() {
            return Err(refused("Atleast one Tag needs to be provided as Input."));
        }
        check_tags(&tags)?;
        self.change_tags(resource_arn, resource, move |known| {
            known.extend(tags.iter().cloned().filter_map(Tag::into_pair));
            check_count(known.len())
        })
    }

    /// Removes tags from a table; keys that are not there are ignored.
    ///
    /// # Errors
    ///
    /// As [`tag_resource`](Self::tag_resource).
    pub fn untag_resource(&self, resource_arn: &str, tag_keys: Vec<String>) -> Result<(), ItemsError> {
        let resource = self.tagged(resource_arn, "UntagResource")?;
        if tag_keys.is_empty() {
            return Err(refused("Atleast one Tag Key needs to be provided as Input."));
        }
        tag_keys.iter().try_for_each(|key| check_key(key))?;
        self.change_tags(resource_arn, resource, move |known| {
            known.retain(|key, _| !tag_keys.contains(key));
            Ok(())
        })
    }

    /// Lists the tags of a table, sorted by key, all at once.
    ///
    /// # Errors
    ///
    /// As [`tag_resource`](Self::tag_resource).
    pub fn list_tags_of_resource(&self, resource_arn: &str) -> Result<Vec<Tag>, ItemsError> {
        let resource = self.tagged(resource_arn, "ListTagsOfResource")?;
        self.read(|tx| {
            check_exists(tx, &resource, resource_arn)?;
            let table = find_table(tx, resource.table_name())?;
            let tags = table.as_ref().map(|table| tags_of(&table.definition, &resource));
            Ok(tags.into_iter().flatten().map(|(key, value)| Tag::new(key, value)).collect())
        })
    }

    fn tagged(&self, resource_arn: &str, operation: &str) -> Result<Resource, ItemsError> {
        if resource_arn.is_empty() {
            return Err(refused("Invalid TableArn"));
        }
        self.resource(resource_arn, operation)
    }

    fn change_tags(
        &self,
        resource_arn: &str,
        resource: Resource,
        change: impl Fn(&mut BTreeMap<String, String>) -> Result<(), ItemsError> + Send + 'static,
    ) -> Result<(), ItemsError> {
        let resource_arn = resource_arn.to_owned();
        self.write(move |manager, tx| {
            check_exists(tx, &resource, &resource_arn)?;
            let Some(table) = find_table(tx, resource.table_name())? else {
                return Err(not_found(&resource_arn));
            };
            check_created(&table.definition, manager.env.clock.now())?;
            let mut definition = (*table.definition).clone();
            change(match &resource {
                Resource::Table(_) => &mut definition.tags,
                Resource::Stream(stream) => definition.stream_tags.entry(stream.to_string()).or_default(),
            })?;
            if definition != *table.definition {
                tx.replace_definition(&definition)?;
            }
            Ok(())
        })
    }
}

fn tags_of(definition: &TableDefinition, resource: &Resource) -> BTreeMap<String, String> {
    match resource {
        Resource::Table(_) => definition.tags.clone(),
        Resource::Stream(stream) => {
            definition.stream_tags.get(&stream.to_string()).cloned().unwrap_or_default()
        }
    }
}

fn check_exists(tx: &mut ReadTx<'_>, resource: &Resource, resource_arn: &str) -> Result<(), ItemsError> {
    let exists = match resource {
        Resource::Table(name) => find_table(tx, name)?.is_some(),
        Resource::Stream(arn) => tx.stream(arn)?.is_some(),
    };
    if exists { Ok(()) } else { Err(not_found(resource_arn)) }
}

fn not_found(resource_arn: &str) -> ItemsError {
    ItemsError::ResourceNotFound(format!(
        "Requested resource not found: ResourceArn: {resource_arn} not found"
    ))
}

/// Checks tags by themselves: key, value, duplicates, number.
pub(crate) fn check_tags(tags: &[Tag]) -> Result<(), ItemsError> {
    for tag in tags {
        check_key(&tag.key)?;
        let value = tag.value.as_deref();
        if value
            .is_none_or(|value| value.chars().count() > MAX_VALUE_CHARACTERS || !has_tag_characters(value))
        {
            return Err(refused(format!(
                "The Tag Value provided is invalid, Value: {}",
                value.unwrap_or("null")
            )));
        }
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = tags.iter().find(|tag| !seen.insert(&tag.key)) {
        return Err(refused(format!(
            "Duplicate Tag Keys provided as input: Duplicate Tag Key found {}",
            twice.key
        )));
    }
    check_count(tags.len())
}

fn check_key(key: &str) -> Result<(), ItemsError> {
    if key.starts_with("aws:") {
        return Err(refused(format!("Tag Key cannot be prefixed with aws:, Key: {key}")));
    }
    if key.is_empty() || key.chars().count() > MAX_KEY_CHARACTERS || !has_tag_characters(key) {
        return Err(refused(format!("The Tag Key provided is invalid, Key: {key}")));
    }
    Ok(())
}

fn check_count(count: usize) -> Result<(), ItemsError> {
    if count > MAX_TAGS {
        return Err(refused("Number of Tags exceed the current limit for the provided ResourceArn"));
    }
    Ok(())
}

fn has_tag_characters(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "+-=._:/@".contains(c))
}
