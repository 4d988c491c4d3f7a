//! From raw syntax to statements.

mod condition;
mod update;

use std::sync::Arc;

use pdb_model::{AttributeValue, Item};

use super::error::PartiqlError;
use super::literal::{Values, check_literals};
use super::syntax::{RawExpr, RawKind, RawOperation, RawSelect, RawSource, RawStatement, RawStep};
use super::{
    Delete, Insert, OrderBy, ProjectedPath, Returning, Select, Source, Statement, StatementKind, Update,
};
use crate::path::check_depth;
use crate::{ExprError, Path, PathElement};

/// Converts a statement with `question_marks` parameters in it.
pub(super) fn statement(
    text: &str,
    raw: &RawStatement,
    question_marks: usize,
    parameters: &[AttributeValue],
) -> Result<Statement, PartiqlError> {
    expressions(raw).into_iter().try_for_each(check_literals)?;
    if question_marks != parameters.len() {
        return Err(PartiqlError::ParameterCount);
    }
    let values = Values { text, parameters };
    Ok(match raw {
        RawStatement::Select(raw) => Statement::Select(select(values, raw)?),
        RawStatement::Exists(raw) => Statement::Exists(select(values, raw)?),
        RawStatement::Insert { source: raw_source, value } => {
            let item = Arc::new(item(values, value)?);
            Statement::Insert(Insert { source: source(raw_source)?, item })
        }
        RawStatement::Update { source: raw_source, operations, condition, returning } => {
            let update = values.update(operations)?;
            let condition = values.optional_condition(condition.as_ref())?;
            Statement::Update(Update {
                source: source(raw_source)?,
                update,
                condition,
                returning: *returning,
            })
        }
        RawStatement::Delete { source: raw_source, condition, returning } => {
            let condition = values.optional_condition(condition.as_ref())?;
            if let Some(returning) = returning.filter(|returning| *returning != Returning::AllOld) {
                return Err(PartiqlError::DeleteReturning(returning.clause()));
            }
            Statement::Delete(Delete { source: source(raw_source)?, condition, returning: *returning })
        }
        RawStatement::Expression(RawExpr { kind: RawKind::Is(..), .. }) => {
            return Err(PartiqlError::UnsupportedOperation("IsType"));
        }
        RawStatement::Expression(_) => return Err(PartiqlError::Malformed("Expected data manipulation")),
    })
}

/// Returns the table or index of a statement, or `None` for an expression.
pub(super) fn source_of(raw: &RawStatement) -> Option<Source> {
    match raw {
        RawStatement::Select(raw) | RawStatement::Exists(raw) => source(&raw.source).ok(),
        RawStatement::Insert { source: raw, .. }
        | RawStatement::Update { source: raw, .. }
        | RawStatement::Delete { source: raw, .. } => source(raw).ok(),
        RawStatement::Expression(_) => None,
    }
}

/// Returns what a statement does, or `None` for an expression.
pub(super) fn kind_of(raw: &RawStatement) -> Option<StatementKind> {
    match raw {
        RawStatement::Select(_) | RawStatement::Exists(_) => Some(StatementKind::Select),
        RawStatement::Insert { .. } => Some(StatementKind::Insert),
        RawStatement::Update { .. } => Some(StatementKind::Update),
        RawStatement::Delete { .. } => Some(StatementKind::Delete),
        RawStatement::Expression(_) => None,
    }
}

/// Returns the expressions of a statement that may have literals, in the order of the text. The item of an `INSERT` is
/// taken apart: each attribute is a root.
fn expressions(raw: &RawStatement) -> Vec<&RawExpr> {
    let mut expressions = Vec::new();
    match raw {
        RawStatement::Select(select) | RawStatement::Exists(select) => {
            expressions.extend(select.list.iter().flatten());
            expressions.extend(&select.condition);
        }
        RawStatement::Insert { value: RawExpr { kind: RawKind::Tuple(entries), .. }, .. } => {
            expressions.extend(entries.iter().map(|(_, value)| value));
        }
        RawStatement::Insert { value, .. } => expressions.push(value),
        RawStatement::Update { operations, condition, .. } => {
            expressions.extend(operations.iter().map(|operation| match operation {
                RawOperation::Set(_, value) => value,
                RawOperation::Remove(target) => target,
            }));
            expressions.extend(condition);
        }
        RawStatement::Delete { condition, .. } => expressions.extend(condition),
        RawStatement::Expression(_) => {}
    }
    expressions
}

fn source(components: &RawSource) -> Result<Source, PartiqlError> {
    if components.len() > 2 {
        return Err(PartiqlError::TooManyPathComponents);
    }
    if components.iter().any(String::is_empty) {
        return Err(PartiqlError::EmptyPathComponent);
    }
    let mut components = components.iter().cloned();
    Ok(Source { table: components.next().unwrap_or_default(), index: components.next() })
}

fn select(values: Values<'_>, raw: &RawSelect) -> Result<Select, PartiqlError> {
    let projected = |expression: &RawExpr| match &expression.kind {
        RawKind::Path(root, steps) => {
            let path = path(root, steps)?;
            Ok(ProjectedPath { name: result_name(&path), path })
        }
        _ => Err(PartiqlError::UnexpectedPathComponent(values.position(expression.span))),
    };
    let mut counting = None;
    let projection = match &raw.list {
        None => None,
        Some(list) => {
            let mut paths = Vec::with_capacity(list.len());
            for expression in list {
                match projected(expression) {
                    Ok(path) => paths.push(path),
                    Err(error) if is_count(expression) && raw.source.len() == 2 => {
                        counting.get_or_insert(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            Some(paths)
        }
    };
    let condition = values.optional_condition(raw.condition.as_ref())?;
    let order_by = raw
        .order_by
        .iter()
        .map(|(key, is_descending)| {
            let path = projected(key)?.path;
            Ok(OrderBy { path, is_descending: *is_descending })
        })
        .collect::<Result<_, PartiqlError>>()?;
    Ok(Select { source: source(&raw.source)?, projection, condition, order_by, counting })
}

/// Whether an expression is `COUNT(*)`.
fn is_count(expression: &RawExpr) -> bool {
    match &expression.kind {
        RawKind::Call(name, arguments) => {
            name == "count" && matches!(arguments.as_slice(), [RawExpr { kind: RawKind::Star, .. }])
        }
        _ => false,
    }
}

/// Returns the name of the attribute that a path becomes: its last component, an index with what it is an index of.
fn result_name(path: &Path) -> String {
    let is_name = |element: &PathElement| matches!(element, PathElement::Name(_));
    let last_name = path.elements.iter().rposition(is_name);
    let mut name = match last_name.map(|position| &path.elements[position]) {
        Some(PathElement::Name(name)) => String::from(&**name),
        _ => String::from(&*path.attribute),
    };
    for element in &path.elements[last_name.map_or(0, |position| position + 1)..] {
        if let PathElement::Index(index) = element {
            name.push_str(&format!("[{index}]"));
        }
    }
    name
}

fn path(root: &str, steps: &[RawStep]) -> Result<Path, PartiqlError> {
    let is_nameless = |step: &RawStep| matches!(step, RawStep::Name(name) if name.is_empty());
    if root.is_empty() || steps.iter().any(is_nameless) {
        return Err(PartiqlError::EmptyName);
    }
    let elements = steps.iter().map(|step| match step {
        RawStep::Name(name) => Ok(PathElement::Name(name.as_str().into())),
        RawStep::Index(digits) => {
            digits.parse().map(PathElement::Index).map_err(|_| ExprError::ListIndex(digits.clone()))
        }
    });
    let elements = elements.collect::<Result<Vec<_>, _>>()?;
    check_depth(elements.len())?;
    Ok(Path { attribute: root.into(), elements })
}

/// Returns the item of an `INSERT`.
fn item(values: Values<'_>, expression: &RawExpr) -> Result<Item, PartiqlError> {
    if let RawKind::Tuple(entries) = &expression.kind {
        return Ok(values.entries(entries)?.into_iter().collect());
    }
    match values.value(expression)? {
        AttributeValue::M(map) => Ok(Item(map.into())),
        _ => Err(PartiqlError::Malformed("Unexpected term")),
    }
}
