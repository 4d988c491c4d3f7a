//! Where DynamoDB Local differs from AWS.

use std::collections::BTreeSet;

use pdb_model::{ApiError, AttributeDefinition, BillingMode};

use crate::tables::{CreateTableInput, GlobalIndexInput, UpdateTableInput};

const NO_TABLE: &str = "Cannot do operations on a non-existent table";
const TABLE_EXISTS: &str = "Cannot create preexisting table";
const CONDITION_FAILED: &str = "The conditional request failed.";

/// Habits of DynamoDB Local that AWS does not have, one by one: for suites that were written against it. Without any, the default,
/// everything is as on AWS.
///
/// # Examples
///
/// ```
/// use pdb_items::Habits;
///
/// let only_texts = Habits { table_texts: true, ..Habits::default() };
/// assert_ne!(only_texts, Habits::dynamodb_local());
/// ```
#[expect(clippy::struct_excessive_bools, reason = "each habit may be chosen by itself")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// A table that is not there is refused as `Cannot do operations on a non-existent table`, a second one of a name as
    /// `Cannot create preexisting table`.
    pub table_texts: bool,
    /// `The conditional request failed.` ends with a full stop.
    pub conditional_text: bool,
    /// `DeleteTable` describes the table as `DescribeTable` does, with its keys, indexes and stream.
    pub long_delete_answer: bool,
    /// `CreateTable` takes definitions of attributes that are in no key, and forgets them.
    pub unused_definitions: bool,
    /// Attribute definitions are listed in the order in which they were given, not by name.
    pub definitions_in_order: bool,
    /// A global index may be given provisioned throughput on a table on demand, where it has no effect.
    pub index_throughput: bool,
}

impl Habits {
    /// Returns all habits of DynamoDB Local.
    #[must_use]
    pub const fn dynamodb_local() -> Self {
        Self {
            table_texts: true,
            conditional_text: true,
            long_delete_answer: true,
            unused_definitions: true,
            definitions_in_order: true,
            index_throughput: true,
        }
    }

    /// Puts the texts of these habits in the place of AWS's.
    #[must_use]
    pub fn reword(&self, mut error: ApiError) -> ApiError {
        if let Some(text) = self.text(&error.message) {
            error.message = text.to_owned();
        }
        for message in error.cancellation_reasons.iter_mut().filter_map(|reason| reason.message.as_mut()) {
            if let Some(text) = self.text(message) {
                *message = text.to_owned();
            }
        }
        error
    }

    /// Returns what is said instead of one of AWS's texts, if these habits have another one.
    pub(crate) fn text(&self, of_aws: &str) -> Option<&'static str> {
        let is_missing = || {
            of_aws == "Requested resource not found"
                || of_aws.starts_with("Requested resource not found: Table: ")
        };
        if self.table_texts && is_missing() {
            Some(NO_TABLE)
        } else if self.table_texts && of_aws.starts_with("Table already exists: ") {
            Some(TABLE_EXISTS)
        } else if self.conditional_text && of_aws == "The conditional request failed" {
            Some(CONDITION_FAILED)
        } else {
            None
        }
    }

    /// Removes from a request to create a table what AWS would refuse and these habits accept.
    pub(crate) fn adapt_creation(&self, input: &mut CreateTableInput) {
        if self.unused_definitions {
            let local = input.local_secondary_indexes.iter().flatten().map(|index| &index.key_schema);
            let global = input.global_secondary_indexes.iter().flatten().map(|index| &index.key_schema);
            let keys = local.chain(global).chain([&input.key_schema]).flatten();
            let searched = input.vector_indexes.iter().flatten();
            let searched = searched.flat_map(|index| index.search_schema.iter().flatten());
            // The definition of a vector is used wrongly, but it is used.
            let vectors = input.vector_indexes.iter().flatten().map(|index| index.vector_attribute.as_str());
            let used: BTreeSet<&str> = keys
                .map(|element| element.attribute_name.as_str())
                .chain(searched.map(|element| element.attribute_name.as_str()))
                .chain(vectors)
                .collect();
            input.attribute_definitions.retain(|definition| used.contains(definition.name.as_str()));
        }
        if input.billing_mode == Some(BillingMode::PayPerRequest) {
            input.global_secondary_indexes.iter_mut().flatten().for_each(|index| self.adapt_index(index));
        }
    }

    /// Removes from a request to change an on-demand table what AWS would refuse and these habits accept.
    pub(crate) fn adapt_update(&self, input: &mut UpdateTableInput) {
        let updates = input.global_secondary_index_updates.iter_mut().flatten();
        updates.filter_map(|update| update.create.as_mut()).for_each(|index| self.adapt_index(index));
    }

    fn adapt_index(&self, index: &mut GlobalIndexInput) {
        if self.index_throughput {
            index.provisioned_throughput = None;
        }
    }

    /// Puts attribute definitions into the order in which they are listed.
    pub(crate) fn order(&self, definitions: &mut [AttributeDefinition]) {
        if !self.definitions_in_order {
            definitions.sort_by(|a, b| a.name.cmp(&b.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_belongs_to_one_habit() {
        let tables = Habits { table_texts: true, ..Habits::default() };
        let conditions = Habits { conditional_text: true, ..Habits::default() };
        for (text, of_tables, of_conditions) in [
            ("Requested resource not found", Some(NO_TABLE), None),
            ("Requested resource not found: Table: Orders not found", Some(NO_TABLE), None),
            ("Table already exists: Orders", Some(TABLE_EXISTS), None),
            ("The conditional request failed", None, Some(CONDITION_FAILED)),
            ("The conditional request failed.", None, None),
            ("Requested resource not found: Shard does not exist", None, None),
            ("Requested resource not found: Index i for table Orders", None, None),
            ("", None, None),
        ] {
            assert_eq!((tables.text(text), conditions.text(text)), (of_tables, of_conditions), "{text}");
            assert_eq!(Habits::default().text(text), None, "{text}");
        }
    }
}
