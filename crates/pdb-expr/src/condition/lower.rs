//! From raw syntax to the tree: looks placeholders up and checks operands, predicate by predicate.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use pdb_model::AttributeValue;

use super::{AttributeType, ConditionExpression, Operand};
use crate::path::compare;
use crate::syntax::{Comparator, Function, RawCall, RawCondition, RawElement, RawOperand, RawPath};
use crate::{ExprError, Path, PathElement, Placeholders};

/// The most operands of `IN`, the left one included.
const MAX_IN_OPERANDS: usize = 100;
/// What messages call the type of a second operand of `attribute_type` that is a path.
const ANY_TYPE: &str = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}";

/// Looks up what raw syntax refers to.
pub(crate) struct Lowering<'a> {
    placeholders: &'a Placeholders,
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(placeholders: &'a Placeholders) -> Self {
        Self { placeholders }
    }

    pub(crate) fn path(&self, raw: &RawPath<'_>) -> Result<Path, ExprError> {
        let elements = raw.elements.iter().map(|element| match element {
            RawElement::Name(name) => self.placeholders.name(name).map(PathElement::Name),
            RawElement::Index(index) => Ok(PathElement::Index(*index)),
        });
        Ok(Path {
            attribute: self.placeholders.name(raw.attribute)?,
            elements: elements.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn value(&self, raw: &str) -> Result<Arc<AttributeValue>, ExprError> {
        self.placeholders.value(raw)
    }

    pub(crate) fn condition(&self, raw: &RawCondition<'_>) -> Result<ConditionExpression, ExprError> {
        match raw {
            RawCondition::And(parts) => Ok(ConditionExpression::And(self.conditions(parts)?)),
            RawCondition::Or(parts) => Ok(ConditionExpression::Or(self.conditions(parts)?)),
            RawCondition::Not(inner) => Ok(ConditionExpression::Not(Box::new(self.condition(inner)?))),
            RawCondition::Compare(comparator, operands) => self.comparison(*comparator, operands),
            RawCondition::Between(operands) => self.between(operands),
            RawCondition::In(operand, list) => self.membership(operand, list),
            RawCondition::Call(call) => self.predicate(call),
        }
    }

    fn conditions(&self, parts: &[RawCondition<'_>]) -> Result<Vec<ConditionExpression>, ExprError> {
        parts.iter().map(|part| self.condition(part)).collect()
    }

    /// Looks an operand up; its functions are not checked yet.
    fn operand(&self, raw: &RawOperand<'_>) -> Result<Looked, ExprError> {
        Ok(match raw {
            RawOperand::Path(path) => Looked::Operand(Operand::Path(self.path(path)?)),
            RawOperand::Value(value) => Looked::Operand(Operand::Value(self.value(value)?)),
            RawOperand::Call(call) => Looked::Size(self.operands(&call.arguments)?),
        })
    }

    fn operands(&self, raw: &[RawOperand<'_>]) -> Result<Vec<Looked>, ExprError> {
        raw.iter().map(|operand| self.operand(operand)).collect()
    }

    fn comparison(
        &self,
        comparator: Comparator,
        [left, right]: &[RawOperand<'_>; 2],
    ) -> Result<ConditionExpression, ExprError> {
        let (left, right) = (self.operand(left)?, self.operand(right)?);
        left.check_counts()?;
        right.check_counts()?;
        check_different(comparator.symbol(), &left, &right)?;
        let (left, right) = (left.finish()?, right.finish()?);
        if comparator.is_ordering() {
            check_ordered(comparator.symbol(), &left)?;
            check_ordered(comparator.symbol(), &right)?;
        }
        Ok(ConditionExpression::Compare(comparator, left, right))
    }

    fn between(
        &self,
        [operand, lower, upper]: &[RawOperand<'_>; 3],
    ) -> Result<ConditionExpression, ExprError> {
        let looked = [self.operand(operand)?, self.operand(lower)?, self.operand(upper)?];
        looked.iter().try_for_each(Looked::check_counts)?;
        let [operand, lower, upper] = looked;
        let (operand, lower, upper) = (operand.finish()?, lower.finish()?, upper.finish()?);
        for operand in [&operand, &lower, &upper] {
            check_ordered("BETWEEN", operand)?;
        }
        if let (Some(low), Some(high)) = (lower.constant(), upper.constant()) {
            check_bounds(low, high)?;
        }
        Ok(ConditionExpression::Between { operand, lower, upper })
    }

    fn membership(
        &self,
        operand: &RawOperand<'_>,
        list: &[RawOperand<'_>],
    ) -> Result<ConditionExpression, ExprError> {
        let (operand, list) = (self.operand(operand)?, self.operands(list)?);
        let count = list.len() + 1;
        if count > MAX_IN_OPERANDS {
            return Err(ExprError::OperandCount { operator: "IN", count });
        }
        operand.check_counts()?;
        list.iter().try_for_each(Looked::check_counts)?;
        let operand = operand.finish()?;
        let list = list.into_iter().map(Looked::finish).collect::<Result<_, _>>()?;
        Ok(ConditionExpression::In { operand, list })
    }

    fn predicate(&self, call: &RawCall<'_>) -> Result<ConditionExpression, ExprError> {
        // The parser has refused unknown functions and those that are no condition.
        let function = Function::named(call.name)
            .filter(|function| function.is_condition())
            .ok_or_else(|| ExprError::InvalidFunction(call.name.to_owned()))?;
        let operands = self.operands(&call.arguments)?;
        check_count(function, operands.len())?;
        operands.iter().try_for_each(Looked::check_counts)?;
        if let [left, right] = operands.as_slice() {
            check_different(function.name(), left, right)?;
        }
        let mut operands =
            operands.into_iter().map(Looked::finish).collect::<Result<Vec<_>, _>>()?.into_iter();
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
}

/// An operand whose names and values are known; `size` keeps its arguments until they are counted.
enum Looked {
    Operand(Operand),
    Size(Vec<Looked>),
}

impl Looked {
    fn check_counts(&self) -> Result<(), ExprError> {
        match self {
            Self::Operand(_) => Ok(()),
            Self::Size(arguments) => {
                check_count(Function::Size, arguments.len())?;
                arguments.iter().try_for_each(Self::check_counts)
            }
        }
    }

    fn finish(self) -> Result<Operand, ExprError> {
        match self {
            Self::Operand(operand) => Ok(operand),
            Self::Size(mut arguments) => {
                let argument = arguments.pop().expect("a function has an argument").finish()?;
                let measurable = match &argument {
                    Operand::Path(_) => true,
                    Operand::Size(_) => false,
                    Operand::Value(value) => !matches!(
                        **value,
                        AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::Null
                    ),
                };
                if !measurable {
                    return Err(type_error("size", &argument));
                }
                Ok(Operand::Size(Box::new(argument)))
            }
        }
    }
}

fn check_count(function: Function, count: usize) -> Result<(), ExprError> {
    if count == function.arity() {
        Ok(())
    } else {
        Err(ExprError::OperandCount { operator: function.name(), count })
    }
}

fn check_different(operator: &'static str, left: &Looked, right: &Looked) -> Result<(), ExprError> {
    match (left, right) {
        (Looked::Operand(Operand::Path(left)), Looked::Operand(Operand::Path(right))) if left == right => {
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

/// Refuses constant bounds that enclose nothing.
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
