//! `Select`, projections and filters: what of the items a query or a scan returns.
//!
//! Evidence: `dynamodb.md` 6.3 and 6.4; `validation.md` 10.7, items 3 and 13 to 16.

use pdb_expr::{ConditionExpression, ProjectionExpression};
use pdb_model::{AnyIndex, IndexKind, Projection, SecondaryIndex, TableDefinition};

use crate::ItemsError;
use crate::options::Select;
use crate::page::PageContent;
use crate::start_key::Position;

/// Which parameter a projection came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProjectionParameter {
    Expression,
    AttributesToGet,
}

impl ProjectionParameter {
    /// Returns the parameter that a request has, if it has one.
    pub(crate) fn of(projection_expression: Option<&str>, attributes_to_get: &[String]) -> Option<Self> {
        if projection_expression.is_some() {
            Some(Self::Expression)
        } else if attributes_to_get.is_empty() {
            None
        } else {
            Some(Self::AttributesToGet)
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Expression => "ProjectionExpression",
            Self::AttributesToGet => "AttributesToGet",
        }
    }
}

/// Checks which of `Select`, projection and index go together; the text has no envelope.
pub(crate) fn check_select(
    select: Option<Select>,
    projection: Option<ProjectionParameter>,
    has_index: bool,
) -> Result<(), String> {
    match (select, projection) {
        (Some(Select::SpecificAttributes), None) => {
            Err("Must specify the AttributesToGet or ProjectionExpression \
                                                         when choosing to get SPECIFIC_ATTRIBUTES"
                .to_owned())
        }
        (Some(Select::Count), Some(parameter)) => {
            Err(format!("Cannot specify the {} when choosing to get only the Count", parameter.name()))
        }
        (Some(select @ (Select::AllAttributes | Select::AllProjectedAttributes)), Some(parameter)) => {
            Err(format!("Cannot specify the {} when choosing to get {}", parameter.name(), select.as_str()))
        }
        (Some(Select::AllProjectedAttributes), None) if !has_index => {
            Err("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName".to_owned())
        }
        _ => Ok(()),
    }
}

/// Finds the index that a request names.
pub(crate) fn index_of<'a>(
    table: &'a TableDefinition,
    name: Option<&str>,
    consistent_read: bool,
    kind: ReadKind,
) -> Result<Option<&'a SecondaryIndex>, ItemsError> {
    let Some(name) = name else { return Ok(None) };
    let index = table.any_index(name).ok_or_else(|| no_index(name))?;
    let is_local = matches!(index, AnyIndex::Secondary(index) if index.kind == IndexKind::Local);
    if consistent_read && !is_local {
        return Err(ItemsError::validation("Consistent reads are not supported on global secondary indexes"));
    }
    match index {
        AnyIndex::Secondary(index) => Ok(Some(index)),
        AnyIndex::Vector(_) => Err(ItemsError::validation(kind.not_supported())),
    }
}

/// The refusal of an index that the table does not have.
pub(crate) fn no_index(name: &str) -> ItemsError {
    ItemsError::Validation(format!("The table does not have the specified index: {name}"))
}

/// An operation that reads a table or an index in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadKind {
    Query,
    Scan,
}

impl ReadKind {
    /// The text with which the operation refuses a vector index. AWS ends one with a full stop.
    pub(crate) fn not_supported(self) -> &'static str {
        match self {
            Self::Query => "Query operation not supported on this index type.",
            Self::Scan => "Scan operation not supported on this index type",
        }
    }
}

/// Checks that a global index has the requested attributes.
pub(crate) fn check_projected(
    position: Position<'_>,
    select: Option<Select>,
    projection: Option<&ProjectionExpression>,
) -> Result<(), ItemsError> {
    let Some(index) = position.index.filter(|index| index.kind == IndexKind::Global) else { return Ok(()) };
    check_all_attributes(position, select)?;
    let missing: Vec<&str> = projection
        .into_iter()
        .flat_map(ProjectionExpression::attribute_names)
        .filter(|attribute| !index.projects(&position.table.key_schema, attribute))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ItemsError::Validation(format!(
        "One or more parameter values were invalid: Global secondary index {} does not project [{}]",
        index.name,
        missing.join(", ")
    )))
}

/// Checks that a global index projects whole items, if these are requested.
pub(crate) fn check_all_attributes(position: Position<'_>, select: Option<Select>) -> Result<(), ItemsError> {
    match position.index {
        Some(index)
            if index.kind == IndexKind::Global
                && select == Some(Select::AllAttributes)
                && index.projection != Projection::All =>
        {
            Err(ItemsError::Validation(format!(
                "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global \
                 secondary index {} because its projection type is not ALL",
                index.name
            )))
        }
        _ => Ok(()),
    }
}

/// Returns whether a local index lacks requested attributes.
pub(crate) fn needs_fetch(
    position: Position<'_>,
    select: Option<Select>,
    projection: Option<&ProjectionExpression>,
    filter: Option<&ConditionExpression>,
) -> bool {
    let Some(index) = position.index.filter(|index| index.kind == IndexKind::Local) else { return false };
    let lacks = |attribute: &str| !index.projects(&position.table.key_schema, attribute);
    (select == Some(Select::AllAttributes) && index.projection != Projection::All)
        || projection.is_some_and(|projection| projection.attribute_names().any(lacks))
        || filter.is_some_and(|filter| filter.paths().iter().any(|path| lacks(&path.attribute)))
}

/// Returns what a page shows.
pub(crate) fn content(select: Option<Select>, projection: Option<&ProjectionExpression>) -> PageContent<'_> {
    match select {
        Some(Select::Count) => PageContent::Count,
        Some(Select::AllAttributes | Select::AllProjectedAttributes | Select::SpecificAttributes) | None => {
            PageContent::Items(projection)
        }
    }
}

/// Returns what a page shows of items that may have been fetched for an index.
pub(crate) fn content_of_fetched<'a>(
    content: PageContent<'a>,
    select: Option<Select>,
    fetch: bool,
) -> PageContent<'a> {
    match content {
        PageContent::Items(None) if fetch && select != Some(Select::AllAttributes) => PageContent::Entries,
        content => content,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(select: Select, projection: Option<ProjectionParameter>, has_index: bool, expected: &str) {
        assert_eq!(check_select(Some(select), projection, has_index).unwrap_err(), expected);
    }

    #[test]
    fn select_and_projection_exclude_each_other() {
        let expression = Some(ProjectionParameter::Expression);
        check(
            Select::SpecificAttributes,
            None,
            false,
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
        );
        check(
            Select::AllAttributes,
            expression,
            false,
            "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
        );
        check(
            Select::Count,
            Some(ProjectionParameter::AttributesToGet),
            false,
            "Cannot specify the AttributesToGet when choosing to get only the Count",
        );
        check(
            Select::AllProjectedAttributes,
            expression,
            false,
            "Cannot specify the ProjectionExpression when choosing to get ALL_PROJECTED_ATTRIBUTES",
        );
        check(
            Select::AllProjectedAttributes,
            None,
            false,
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        );
        assert_eq!(check_select(Some(Select::AllProjectedAttributes), None, true), Ok(()));
        assert_eq!(check_select(None, expression, false), Ok(()));
    }
}
