//! From a condition to conditions on keys.

use std::sync::Arc;

use pdb_model::AttributeValue;

use super::{AttributeCondition, KeyComparison};
use crate::syntax::Comparator;
use crate::{ConditionExpression, ExprError, Operand};

type Comparison = KeyComparison<Arc<AttributeValue>>;

pub(super) fn conditions(condition: &ConditionExpression) -> Result<Vec<AttributeCondition>, ExprError> {
    check_operators(condition)?;
    let mut parts = Vec::with_capacity(2);
    flatten(condition, &mut parts)?;
    let mut conditions: Vec<AttributeCondition> = Vec::with_capacity(parts.len());
    for part in parts {
        let condition = convert(part)?;
        if conditions.iter().any(|other| other.attribute == condition.attribute) {
            return Err(ExprError::KeyRepeated);
        }
        conditions.push(condition);
    }
    Ok(conditions)
}

/// Refuses operators and functions that a key condition cannot have, at any place.
fn check_operators(condition: &ConditionExpression) -> Result<(), ExprError> {
    let operands: &[&Operand] = match condition {
        ConditionExpression::And(parts) => return parts.iter().try_for_each(check_operators),
        ConditionExpression::Or(_) => return Err(ExprError::KeyOperator("OR")),
        ConditionExpression::Not(_) => return Err(ExprError::KeyOperator("NOT")),
        ConditionExpression::In { .. } => return Err(ExprError::KeyOperator("IN")),
        ConditionExpression::Compare(Comparator::NotEqual, ..) => return Err(ExprError::KeyOperator("<>")),
        ConditionExpression::AttributeExists(_) => return Err(ExprError::KeyOperator("attribute_exists")),
        ConditionExpression::AttributeNotExists(_) => {
            return Err(ExprError::KeyOperator("attribute_not_exists"));
        }
        ConditionExpression::AttributeType(..) => return Err(ExprError::KeyOperator("attribute_type")),
        ConditionExpression::Contains(..) => return Err(ExprError::KeyOperator("contains")),
        ConditionExpression::Compare(_, left, right) | ConditionExpression::BeginsWith(left, right) => {
            &[left, right]
        }
        ConditionExpression::Between { operand, lower, upper } => &[operand, lower, upper],
    };
    if operands.iter().any(|operand| matches!(operand, Operand::Size(_))) {
        return Err(ExprError::KeyOperator("size"));
    }
    Ok(())
}

/// Lists the operands of `AND`. Only the first of several may be an `AND` itself: that is how `a AND b AND c` groups.
fn flatten<'a>(
    condition: &'a ConditionExpression,
    parts: &mut Vec<&'a ConditionExpression>,
) -> Result<(), ExprError> {
    let ConditionExpression::And(joined) = condition else {
        parts.push(condition);
        return Ok(());
    };
    for (position, part) in joined.iter().enumerate() {
        if position > 0 && matches!(part, ConditionExpression::And(_)) {
            return Err(ExprError::KeyNested);
        }
        flatten(part, parts)?;
    }
    Ok(())
}

fn convert(condition: &ConditionExpression) -> Result<AttributeCondition, ExprError> {
    match condition {
        ConditionExpression::Compare(comparator, left, right) => {
            let attribute = only_attribute(&[left, right])?;
            let (comparator, value) = match (left, right) {
                (Operand::Value(value), _) => (comparator.mirrored(), value),
                (_, Operand::Value(value)) => (*comparator, value),
                _ => return Err(ExprError::KeyNested),
            };
            let comparison = compared(comparator, Arc::clone(value))?;
            Ok(AttributeCondition { attribute, comparison })
        }
        ConditionExpression::Between { operand, lower, upper } => {
            check_first("BETWEEN", operand)?;
            let attribute = only_attribute(&[operand, lower, upper])?;
            let (Operand::Value(lower), Operand::Value(upper)) = (lower, upper) else {
                return Err(ExprError::KeyNested);
            };
            let comparison = Comparison::Between(Arc::clone(lower), Arc::clone(upper));
            Ok(AttributeCondition { attribute, comparison })
        }
        ConditionExpression::BeginsWith(operand, prefix) => {
            check_first("begins_with", operand)?;
            let attribute = only_attribute(&[operand, prefix])?;
            let Operand::Value(prefix) = prefix else { return Err(ExprError::KeyNested) };
            Ok(AttributeCondition { attribute, comparison: Comparison::BeginsWith(Arc::clone(prefix)) })
        }
        _ => Err(ExprError::KeyNested),
    }
}

fn check_first(operator: &'static str, operand: &Operand) -> Result<(), ExprError> {
    if matches!(operand, Operand::Path(_)) { Ok(()) } else { Err(ExprError::KeyNotFirst(operator)) }
}

/// Returns the one attribute among the operands.
fn only_attribute(operands: &[&Operand]) -> Result<String, ExprError> {
    let mut paths = operands.iter().filter_map(|operand| operand.path());
    let path = paths.next().ok_or(ExprError::KeyNoAttribute)?;
    if paths.next().is_some() {
        return Err(ExprError::KeyTwoAttributes);
    }
    if path.is_nested() {
        return Err(ExprError::KeyNestedAttribute);
    }
    Ok(path.attribute.to_string())
}

fn compared(comparator: Comparator, value: Arc<AttributeValue>) -> Result<Comparison, ExprError> {
    match comparator {
        Comparator::Equal => Ok(Comparison::Equal(value)),
        Comparator::NotEqual => Err(ExprError::KeyOperator("<>")),
        Comparator::Less => Ok(Comparison::Less(value)),
        Comparator::LessOrEqual => Ok(Comparison::LessOrEqual(value)),
        Comparator::Greater => Ok(Comparison::Greater(value)),
        Comparator::GreaterOrEqual => Ok(Comparison::GreaterOrEqual(value)),
    }
}
