//! Predicates from operands, with the checks that need no item. Expressions and PartiQL share them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use pdb_model::AttributeValue;

use super::{AttributeType, ConditionExpression, Operand};
use crate::path::compare;
use crate::syntax::{Comparator, Function};
use crate::{ExprError, Path};

/// What messages call the type of a second operand of `attribute_type` that is a path.
const ANY_TYPE: &str = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}";

/// Compares two operands.
pub(crate) fn comparison(
    comparator: Comparator,
    left: Operand,
    right: Operand,
) -> Result<ConditionExpression, ExprError> {
    check_different(comparator.symbol(), &left, &right)?;
    if comparator.is_ordering() {
        check_ordered(comparator.symbol(), &left)?;
        check_ordered(comparator.symbol(), &right)?;
    }
    Ok(ConditionExpression::Compare(comparator, left, right))
}

/// Compares an operand with bounds.
pub(crate) fn between(
    operand: Operand,
    lower: Operand,
    upper: Operand,
) -> Result<ConditionExpression, ExprError> {
    for operand in [&operand, &lower, &upper] {
        check_ordered("BETWEEN", operand)?;
    }
    if let (Some(low), Some(high)) = (lower.constant(), upper.constant()) {
        check_bounds(low, high)?;
    }
    Ok(ConditionExpression::Between { operand, lower, upper })
}

/// Makes a function that is a condition.
pub(crate) fn predicate(
    function: Function,
    operands: Vec<Operand>,
) -> Result<ConditionExpression, ExprError> {
    check_count(function, operands.len())?;
    if let [left, right] = operands.as_slice() {
        check_different(function.name(), left, right)?;
    }
    let mut operands = operands.into_iter();
    let mut next = || operands.next().expect("the operands were counted");
    let first = next();
    match function {
        Function::AttributeExists => {
            Ok(ConditionExpression::AttributeExists(required_path(function, first)?))
        }
        Function::AttributeNotExists => {
            Ok(ConditionExpression::AttributeNotExists(required_path(function, first)?))
        }
        Function::AttributeType => Ok(ConditionExpression::AttributeType(first, named_type(&next())?)),
        Function::BeginsWith => {
            let second = next();
            check_prefix(&first)?;
            check_prefix(&second)?;
            Ok(ConditionExpression::BeginsWith(first, second))
        }
        Function::Contains => Ok(ConditionExpression::Contains(first, next())),
        Function::Size | Function::IfNotExists | Function::ListAppend => {
            Err(ExprError::FunctionMisuse(function.name()))
        }
    }
}

/// Measures an operand.
pub(crate) fn size(mut operands: Vec<Operand>) -> Result<Operand, ExprError> {
    check_count(Function::Size, operands.len())?;
    let operand = operands.remove(0);
    let is_measurable = match &operand {
        Operand::Path(_) => true,
        Operand::Size(_) => false,
        Operand::Value(value) => {
            !matches!(**value, AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::Null)
        }
    };
    if is_measurable { Ok(Operand::Size(Box::new(operand))) } else { Err(type_error("size", &operand)) }
}

pub(crate) fn check_count(function: Function, count: usize) -> Result<(), ExprError> {
    if count == function.arity() {
        Ok(())
    } else {
        Err(ExprError::OperandCount { operator: function.name(), count })
    }
}

/// Refuses the same path twice.
fn check_different(operator: &'static str, left: &Operand, right: &Operand) -> Result<(), ExprError> {
    match (left, right) {
        (Operand::Path(left), Operand::Path(right)) if left == right => {
            Err(ExprError::SameOperands { operator, path: left.bracketed() })
        }
        _ => Ok(()),
    }
}

/// Refuses a constant that has no order.
fn check_ordered(operator: &'static str, operand: &Operand) -> Result<(), ExprError> {
    match operand.constant() {
        None | Some(AttributeValue::S(_) | AttributeValue::N(_) | AttributeValue::B(_)) => Ok(()),
        Some(_) => Err(type_error(operator, operand)),
    }
}

/// Refuses an operand that is known to be neither text nor bytes.
fn check_prefix(operand: &Operand) -> Result<(), ExprError> {
    match operand {
        Operand::Path(_) => Ok(()),
        Operand::Value(value) if matches!(**value, AttributeValue::S(_) | AttributeValue::B(_)) => Ok(()),
        Operand::Value(_) | Operand::Size(_) => Err(type_error("begins_with", operand)),
    }
}

/// Refuses constant bounds that enclose no value.
fn check_bounds(lower: &AttributeValue, upper: &AttributeValue) -> Result<(), ExprError> {
    match compare(lower, upper) {
        Some(order) if order.is_le() => Ok(()),
        Some(_) => Err(ExprError::BetweenOrder { lower: constant_text(lower), upper: constant_text(upper) }),
        None => Err(ExprError::BetweenTypes { lower: constant_text(lower), upper: constant_text(upper) }),
    }
}

fn required_path(function: Function, operand: Operand) -> Result<Path, ExprError> {
    match operand {
        Operand::Path(path) => Ok(path),
        Operand::Value(_) | Operand::Size(_) => Err(ExprError::PathRequired(function.name())),
    }
}

fn named_type(operand: &Operand) -> Result<AttributeType, ExprError> {
    match operand {
        Operand::Value(value) => match &**value {
            AttributeValue::S(name) => {
                AttributeType::named(name).ok_or_else(|| ExprError::InvalidTypeName(name.clone()))
            }
            _ => Err(type_error("attribute_type", operand)),
        },
        Operand::Path(_) => Err(ExprError::OperandType { operator: "attribute_type", operand: ANY_TYPE }),
        Operand::Size(_) => Err(type_error("attribute_type", operand)),
    }
}

/// Returns the error for an operand of a type that the operator does not take.
fn type_error(operator: &'static str, operand: &Operand) -> ExprError {
    let operand = match operand {
        Operand::Path(_) => ANY_TYPE,
        Operand::Value(value) => value.type_name(),
        Operand::Size(_) => "N",
    };
    ExprError::OperandType { operator, operand }
}

/// Returns a scalar as messages print it: `{N:1}`.
fn constant_text(value: &AttributeValue) -> String {
    let text = match value {
        AttributeValue::S(text) => text.clone(),
        AttributeValue::N(number) => number.to_string(),
        AttributeValue::B(bytes) => BASE64.encode(bytes),
        other => other.type_name().to_owned(),
    };
    format!("{{{}:{text}}}", value.type_name())
}
