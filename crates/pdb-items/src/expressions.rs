//! The expressions of one request: parsed once, before its transaction.

use std::collections::BTreeMap;

use pdb_expr::{
    ConditionExpression, ExprError, KeyConditionExpression, Parameter, Path, Placeholders,
    ProjectionExpression, SearchCondition, UpdateExpression,
};
use pdb_model::{AttributeValue, TableDefinition};

use crate::ItemsError;

/// Parses the expressions of a request, in the order in which AWS does: update, condition, key condition, filter,
/// projection.
pub(crate) struct Expressions {
    placeholders: Placeholders,
}

impl Expressions {
    /// Takes the request's names and values.
    pub(crate) fn new(names: BTreeMap<String, String>, values: BTreeMap<String, AttributeValue>) -> Self {
        Self { placeholders: Placeholders::new(names, values) }
    }

    pub(crate) fn update(&self, text: Option<&str>) -> Result<Option<UpdateExpression>, ItemsError> {
        parse(text, Parameter::Update, |text| UpdateExpression::parse(text, &self.placeholders))
    }

    pub(crate) fn condition(&self, text: Option<&str>) -> Result<Option<ConditionExpression>, ItemsError> {
        parse(text, Parameter::Condition, |text| ConditionExpression::parse(text, &self.placeholders))
    }

    /// Parses a key condition, which [`key_condition_of`] interprets once the other expressions have been parsed.
    pub(crate) fn key_condition(
        &self,
        text: Option<&str>,
    ) -> Result<Option<ConditionExpression>, ItemsError> {
        parse(text, Parameter::KeyCondition, |text| ConditionExpression::parse(text, &self.placeholders))
    }

    pub(crate) fn filter(&self, text: Option<&str>) -> Result<Option<ConditionExpression>, ItemsError> {
        parse(text, Parameter::Filter, |text| ConditionExpression::parse(text, &self.placeholders))
    }

    pub(crate) fn projection(&self, text: Option<&str>) -> Result<Option<ProjectionExpression>, ItemsError> {
        parse(text, Parameter::Projection, |text| ProjectionExpression::parse(text, &self.placeholders))
    }

    /// Parses the condition of a search.
    pub(crate) fn search(&self, text: Option<&str>) -> Result<Option<SearchCondition>, ItemsError> {
        parse(text, Parameter::SearchCondition, |text| {
            SearchCondition::from_condition(&ConditionExpression::parse(text, &self.placeholders)?)
        })
    }

    /// Checks that the expressions use all names and values.
    pub(crate) fn finish(self) -> Result<(), ItemsError> {
        self.placeholders.check_all_used().map_err(|unused| ItemsError::Validation(unused.to_string()))
    }
}

/// Returns what a key condition says of keys.
pub(crate) fn key_condition_of(
    condition: &ConditionExpression,
) -> Result<KeyConditionExpression, ItemsError> {
    KeyConditionExpression::from_condition(condition)
        .map_err(|error| ItemsError::Validation(error.message(Parameter::KeyCondition)))
}

fn parse<T>(
    text: Option<&str>,
    parameter: Parameter,
    parse: impl FnOnce(&str) -> Result<T, ExprError>,
) -> Result<Option<T>, ItemsError> {
    text.map(parse).transpose().map_err(|error| ItemsError::Validation(error.message(parameter)))
}

/// Checks that no path leads into a key attribute of the table or of one of its indexes.
pub(crate) fn check_no_path_into_key<'a>(
    table: &TableDefinition,
    paths: impl IntoIterator<Item = &'a Path>,
) -> Result<(), ItemsError> {
    for path in paths.into_iter().filter(|path| path.is_nested()) {
        let attribute = &*path.attribute;
        let kind = if table.key_schema.contains(attribute) {
            "Key"
        } else if table.indexes.iter().any(|index| index.key_schema.contains(attribute)) {
            "IndexKey"
        } else {
            continue;
        };
        return Err(ItemsError::Validation(format!(
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: {kind}: {attribute}"
        )));
    }
    Ok(())
}
