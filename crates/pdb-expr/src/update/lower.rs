//! From raw syntax to updates, with the checks that need no item.

use pdb_model::AttributeValue;

use super::{SetValue, UpdateAction, UpdateDialect, UpdateExpression, UpdateOperand};
use crate::condition::Lowering;
use crate::parser::Parser;
use crate::path::check_distinct;
use crate::syntax::{Function, RawAction, RawCall, RawOperand, RawSetValue, Section};
use crate::{ExprError, Placeholders};

impl UpdateExpression {
    /// Parses an update and checks all that can be checked without an item.
    ///
    /// # Errors
    ///
    /// The first fault in AWS's order: size, syntax, reserved words, functions, repeated sections, undefined names, undefined
    /// values, overlaps, conflicts, operands of `ADD` and `DELETE`, operands of functions.
    pub fn parse(text: &str, placeholders: &Placeholders) -> Result<Self, ExprError> {
        let mut parser = Parser::of_update(text)?;
        let (raw, repeated) = parser.update()?;
        parser.notes.check_update()?;
        if let Some(section) = repeated {
            return Err(ExprError::RepeatedSection(section.name()));
        }
        for name in &parser.notes.names {
            placeholders.name(name)?;
        }
        for value in &parser.notes.values {
            placeholders.value(value)?;
        }
        let lowering = Lowering::new(placeholders);
        let targets =
            raw.iter().map(|action| lowering.path(action.target())).collect::<Result<Vec<_>, _>>()?;
        check_distinct(&targets)?;
        for action in &raw {
            check_action_operand(&lowering, action)?;
        }
        let actions = raw
            .iter()
            .zip(targets)
            .map(|(action, target)| {
                Ok(match action {
                    RawAction::Set(_, value) => UpdateAction::Set(target, set_value(&lowering, value)?),
                    RawAction::Remove(_) => UpdateAction::Remove(target),
                    RawAction::Add(_, value) => UpdateAction::Add(target, lowering.value(value)?),
                    RawAction::Delete(_, value) => UpdateAction::Delete(target, lowering.value(value)?),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { actions, dialect: UpdateDialect::Expression })
    }
}

/// Refuses a constant that `ADD` or `DELETE` cannot work with.
fn check_action_operand(lowering: &Lowering<'_>, action: &RawAction<'_>) -> Result<(), ExprError> {
    let (section, value) = match action {
        RawAction::Add(_, value) => (Section::Add, lowering.value(value)?),
        RawAction::Delete(_, value) => (Section::Delete, lowering.value(value)?),
        RawAction::Set(..) | RawAction::Remove(_) => return Ok(()),
    };
    let operand = match &*value {
        AttributeValue::Ss(_) | AttributeValue::Ns(_) | AttributeValue::Bs(_) => return Ok(()),
        AttributeValue::N(_) if section == Section::Add => return Ok(()),
        AttributeValue::N(_) => "NUMBER",
        AttributeValue::S(_) => "STRING",
        AttributeValue::B(_) => "BINARY",
        AttributeValue::Null => "NULL",
        AttributeValue::Bool(_) => "BOOLEAN",
        AttributeValue::L(_) => "LIST",
        AttributeValue::M(_) => "MAP",
    };
    Err(ExprError::ActionOperandType { operator: section.name(), operand })
}

fn set_value(lowering: &Lowering<'_>, raw: &RawSetValue<'_>) -> Result<SetValue, ExprError> {
    let pair = |sign: &'static str, left: &RawOperand<'_>, right: &RawOperand<'_>| {
        let (left, right) = (operand(lowering, left)?, operand(lowering, right)?);
        check_type(sign, "N", &left)?;
        check_type(sign, "N", &right)?;
        Ok((left, right))
    };
    match raw {
        RawSetValue::Operand(value) => Ok(SetValue::Operand(operand(lowering, value)?)),
        RawSetValue::Plus(left, right) => {
            pair("+", left, right).map(|(left, right)| SetValue::Plus(left, right))
        }
        RawSetValue::Minus(left, right) => {
            pair("-", left, right).map(|(left, right)| SetValue::Minus(left, right))
        }
    }
}

fn operand(lowering: &Lowering<'_>, raw: &RawOperand<'_>) -> Result<UpdateOperand, ExprError> {
    match raw {
        RawOperand::Path(path) => lowering.path(path).map(UpdateOperand::Path),
        RawOperand::Value(value) => lowering.value(value).map(UpdateOperand::Value),
        RawOperand::Call(call) => function(lowering, call),
    }
}

fn function(lowering: &Lowering<'_>, call: &RawCall<'_>) -> Result<UpdateOperand, ExprError> {
    // The parser has refused all other functions.
    let function =
        Function::named(call.name).ok_or_else(|| ExprError::InvalidFunction(call.name.to_owned()))?;
    let [first, second] = call.arguments.as_slice() else {
        return Err(ExprError::OperandCount { operator: function.name(), count: call.arguments.len() });
    };
    match function {
        Function::IfNotExists => {
            let RawOperand::Path(path) = first else {
                return Err(ExprError::PathRequired(function.name()));
            };
            Ok(UpdateOperand::IfNotExists(lowering.path(path)?, Box::new(operand(lowering, second)?)))
        }
        Function::ListAppend => {
            let (first, second) = (operand(lowering, first)?, operand(lowering, second)?);
            check_type(function.name(), "L", &first)?;
            check_type(function.name(), "L", &second)?;
            Ok(UpdateOperand::ListAppend(Box::new(first), Box::new(second)))
        }
        _ => Err(ExprError::FunctionMisuse(function.name())),
    }
}

/// Refuses an operand whose type is known and not the expected one.
pub(crate) fn check_type(
    operator: &'static str,
    expected: &str,
    operand: &UpdateOperand,
) -> Result<(), ExprError> {
    let actual = match operand {
        UpdateOperand::Value(value) => value.type_name(),
        UpdateOperand::ListAppend(..) => "L",
        UpdateOperand::Path(_) | UpdateOperand::IfNotExists(..) => return Ok(()),
    };
    if actual == expected { Ok(()) } else { Err(ExprError::OperandType { operator, operand: actual }) }
}
