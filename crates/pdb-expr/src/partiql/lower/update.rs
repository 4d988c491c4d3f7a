//! `SET` and `REMOVE` become an update.

use std::sync::Arc;

use pdb_model::AttributeValue;

use super::path;
use crate::condition::build;
use crate::partiql::error::PartiqlError;
use crate::partiql::literal::{Values, operation_name};
use crate::partiql::syntax::{RawExpr, RawKind, RawOperation};
use crate::syntax::Function;
use crate::update::check_type;
use crate::{ExprError, Path, SetValue, UpdateAction, UpdateDialect, UpdateExpression, UpdateOperand};

/// Functions that are the whole value of an assignment.
const SET_FUNCTIONS: [&str; 2] = ["set_add", "set_delete"];

impl Values<'_> {
    pub(super) fn update(&self, operations: &[RawOperation]) -> Result<UpdateExpression, PartiqlError> {
        let actions = operations
            .iter()
            .map(|operation| match operation {
                RawOperation::Set(target, value) => self.set(self.target(target)?, value),
                RawOperation::Remove(target) => Ok(UpdateAction::Remove(self.target(target)?)),
            })
            .collect::<Result<_, _>>()?;
        Ok(UpdateExpression::new(actions, UpdateDialect::Expression)?)
    }

    fn target(&self, expression: &RawExpr) -> Result<Path, PartiqlError> {
        match &expression.kind {
            RawKind::Path(root, steps) => Ok(path(root, steps)?),
            _ => Err(PartiqlError::UnexpectedPathComponent(self.position(expression.span))),
        }
    }

    fn set(&self, target: Path, value: &RawExpr) -> Result<UpdateAction, PartiqlError> {
        let value = match &value.kind {
            RawKind::Call(name, arguments) if name == "set_add" => {
                let set = self.set_argument("SET_ADD", &target, value, arguments)?;
                return Ok(UpdateAction::Add(target, set));
            }
            RawKind::Call(name, arguments) if name == "set_delete" => {
                let set = self.set_argument("SET_DELETE", &target, value, arguments)?;
                return Ok(UpdateAction::Delete(target, set));
            }
            RawKind::Missing => return Ok(UpdateAction::Remove(target)),
            RawKind::Binary("+", operands) => {
                let (left, right) = self.numbers("+", operands)?;
                SetValue::Plus(left, right)
            }
            RawKind::Binary("-", operands) => {
                let (left, right) = self.numbers("-", operands)?;
                SetValue::Minus(left, right)
            }
            _ => SetValue::Operand(self.update_operand(value)?),
        };
        Ok(UpdateAction::Set(target, value))
    }

    /// Returns the set that `set_add` or `set_delete` takes.
    fn set_argument(
        &self,
        function: &'static str,
        target: &Path,
        call: &RawExpr,
        arguments: &[RawExpr],
    ) -> Result<Arc<AttributeValue>, PartiqlError> {
        let position = self.position(call.span);
        let [first, second] = arguments else {
            return Err(PartiqlError::SetArgumentCount { function, position });
        };
        let is_target = match &first.kind {
            RawKind::Path(root, steps) => path(root, steps)? == *target,
            _ => false,
        };
        if !is_target {
            return Err(PartiqlError::SetTarget { function, position });
        }
        let not_a_set = PartiqlError::SetArgument { function, position: self.position(first.span) };
        if !matches!(second.kind, RawKind::Bag(_) | RawKind::Parameter(_)) {
            return Err(not_a_set);
        }
        match self.value(second)? {
            set @ (AttributeValue::Ss(_) | AttributeValue::Ns(_) | AttributeValue::Bs(_)) => {
                Ok(Arc::new(set))
            }
            _ => Err(not_a_set),
        }
    }

    fn numbers(
        &self,
        sign: &'static str,
        [left, right]: &[RawExpr; 2],
    ) -> Result<(UpdateOperand, UpdateOperand), PartiqlError> {
        let (left, right) = (self.update_operand(left)?, self.update_operand(right)?);
        check_type(sign, "N", &left)?;
        check_type(sign, "N", &right)?;
        Ok((left, right))
    }

    fn update_operand(&self, expression: &RawExpr) -> Result<UpdateOperand, PartiqlError> {
        match &expression.kind {
            RawKind::Path(root, steps) => Ok(UpdateOperand::Path(path(root, steps)?)),
            RawKind::Call(name, arguments) => self.update_function(expression, name, arguments),
            RawKind::Text(_)
            | RawKind::Number(_)
            | RawKind::Bool(_)
            | RawKind::Null
            | RawKind::Parameter(_)
            | RawKind::List(_)
            | RawKind::Tuple(_)
            | RawKind::Bag(_) => Ok(UpdateOperand::value(self.value(expression)?)),
            kind => Err(PartiqlError::UnsupportedOperation(operation_name(kind))),
        }
    }

    fn update_function(
        &self,
        call: &RawExpr,
        name: &str,
        arguments: &[RawExpr],
    ) -> Result<UpdateOperand, PartiqlError> {
        if let Some(function) = SET_FUNCTIONS.into_iter().find(|function| *function == name) {
            return Err(ExprError::FunctionMisuse(function).into());
        }
        let function = self.function(call, name)?;
        if !matches!(function, Function::IfNotExists | Function::ListAppend) {
            return Err(ExprError::FunctionMisuse(function.name()).into());
        }
        build::check_count(function, arguments.len())?;
        let [first, second] = arguments else {
            return Err(ExprError::OperandCount { operator: function.name(), count: arguments.len() }.into());
        };
        if function == Function::IfNotExists {
            let RawKind::Path(root, steps) = &first.kind else {
                return Err(ExprError::PathRequired(function.name()).into());
            };
            return Ok(UpdateOperand::IfNotExists(
                path(root, steps)?,
                Box::new(self.update_operand(second)?),
            ));
        }
        let (first, second) = (self.update_operand(first)?, self.update_operand(second)?);
        check_type(function.name(), "L", &first)?;
        check_type(function.name(), "L", &second)?;
        Ok(UpdateOperand::ListAppend(Box::new(first), Box::new(second)))
    }
}
