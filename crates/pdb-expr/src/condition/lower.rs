//! From raw syntax to the tree: looks placeholders up and checks operands, predicate by predicate.

use std::sync::Arc;

use pdb_model::AttributeValue;

use super::{ConditionExpression, Operand, build};
use crate::syntax::{Comparator, Function, RawCall, RawCondition, RawElement, RawOperand, RawPath};
use crate::{ExprError, Path, PathElement, Placeholders};

/// The most operands of `IN`, the left one included.
const MAX_IN_OPERANDS: usize = 100;

/// Resolves the placeholders of raw syntax.
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
        build::comparison(comparator, left.finish()?, right.finish()?)
    }

    fn between(
        &self,
        [operand, lower, upper]: &[RawOperand<'_>; 3],
    ) -> Result<ConditionExpression, ExprError> {
        let looked = [self.operand(operand)?, self.operand(lower)?, self.operand(upper)?];
        looked.iter().try_for_each(Looked::check_counts)?;
        let [operand, lower, upper] = looked;
        build::between(operand.finish()?, lower.finish()?, upper.finish()?)
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
        build::check_count(function, operands.len())?;
        operands.iter().try_for_each(Looked::check_counts)?;
        build::predicate(function, operands.into_iter().map(Looked::finish).collect::<Result<_, _>>()?)
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
                build::check_count(Function::Size, arguments.len())?;
                arguments.iter().try_for_each(Self::check_counts)
            }
        }
    }

    fn finish(self) -> Result<Operand, ExprError> {
        match self {
            Self::Operand(operand) => Ok(operand),
            Self::Size(arguments) => {
                build::size(arguments.into_iter().map(Self::finish).collect::<Result<_, _>>()?)
            }
        }
    }
}
