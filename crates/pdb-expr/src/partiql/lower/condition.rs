//! Converting `WHERE` to a condition.

use pdb_model::AttributeValue;

use super::path;
use crate::condition::build;
use crate::partiql::error::PartiqlError;
use crate::partiql::literal::{Values, operation_name};
use crate::partiql::syntax::{RawExpr, RawKind};
use crate::syntax::Function;
use crate::{AttributeType, Comparator, ConditionExpression, ExprError, Operand};

impl Values<'_> {
    pub(super) fn optional_condition(
        &self,
        expression: Option<&RawExpr>,
    ) -> Result<Option<ConditionExpression>, PartiqlError> {
        expression.map(|expression| self.condition(expression)).transpose()
    }

    fn condition(&self, expression: &RawExpr) -> Result<ConditionExpression, PartiqlError> {
        match &expression.kind {
            RawKind::And(parts) => Ok(ConditionExpression::And(self.conditions(parts)?)),
            RawKind::Or(parts) => Ok(ConditionExpression::Or(self.conditions(parts)?)),
            RawKind::Not(inner) => Ok(not(self.condition(inner)?)),
            RawKind::Binary(operator, operands) => match comparator(operator) {
                Some(comparator) => self.comparison(comparator, operands),
                None => Err(PartiqlError::UnsupportedOperation(operation_name(&expression.kind))),
            },
            RawKind::Between(operands) => {
                let [operand, lower, upper] = &**operands;
                Ok(build::between(self.operand(operand)?, self.operand(lower)?, self.operand(upper)?)?)
            }
            RawKind::In(operands) => {
                let [operand, list] = &**operands;
                Ok(ConditionExpression::In { operand: self.operand(operand)?, list: self.list(list)? })
            }
            RawKind::Is(operand, type_name) => self.is_type(operand, type_name),
            RawKind::Call(name, arguments) => match self.function(expression, name)? {
                function if function.is_condition() => {
                    Ok(build::predicate(function, self.operands(arguments)?)?)
                }
                function => Err(ExprError::FunctionMisuse(function.name()).into()),
            },
            kind => Err(PartiqlError::UnsupportedOperation(operation_name(kind))),
        }
    }

    fn conditions(&self, parts: &[RawExpr]) -> Result<Vec<ConditionExpression>, PartiqlError> {
        parts.iter().map(|part| self.condition(part)).collect()
    }

    fn comparison(
        &self,
        comparator: Comparator,
        operands: &[RawExpr; 2],
    ) -> Result<ConditionExpression, PartiqlError> {
        for (subject, other) in [(&operands[0], &operands[1]), (&operands[1], &operands[0])] {
            if comparator.is_ordering() {
                break;
            }
            // `attribute_exists(a) = true`, and the other three ways to say so.
            if let (true, RawKind::Bool(expected)) = (self.is_predicate(subject), &other.kind) {
                let condition = self.condition(subject)?;
                let is_wanted = *expected == (comparator == Comparator::Equal);
                return Ok(if is_wanted { condition } else { not(condition) });
            }
            if let (RawKind::Path(root, steps), RawKind::Missing) = (&subject.kind, &other.kind) {
                let path = path(root, steps)?;
                return Ok(match comparator {
                    Comparator::Equal => ConditionExpression::AttributeNotExists(path),
                    _ => ConditionExpression::AttributeExists(path),
                });
            }
        }
        let [left, right] = operands;
        Ok(build::comparison(comparator, self.operand(left)?, self.operand(right)?)?)
    }

    fn is_predicate(&self, expression: &RawExpr) -> bool {
        matches!(&expression.kind, RawKind::Call(name, _) if Function::named(name).is_some_and(Function::is_condition))
    }

    /// Returns the function of a call, which an expression may know too. Those that only `SET` knows are none here.
    pub(super) fn function(&self, call: &RawExpr, name: &str) -> Result<Function, PartiqlError> {
        Function::named(name).ok_or_else(|| PartiqlError::UnrecognizedFunction {
            name: name.to_owned(),
            position: self.position(call.span),
        })
    }

    fn operands(&self, expressions: &[RawExpr]) -> Result<Vec<Operand>, PartiqlError> {
        expressions.iter().map(|expression| self.operand(expression)).collect()
    }

    fn operand(&self, expression: &RawExpr) -> Result<Operand, PartiqlError> {
        match &expression.kind {
            RawKind::Path(root, steps) => Ok(Operand::Path(path(root, steps)?)),
            RawKind::Call(name, arguments) => match self.function(expression, name)? {
                Function::Size => Ok(build::size(self.operands(arguments)?)?),
                function => Err(ExprError::FunctionMisuse(function.name()).into()),
            },
            RawKind::Text(_)
            | RawKind::Number(_)
            | RawKind::Bool(_)
            | RawKind::Null
            | RawKind::Parameter(_)
            | RawKind::List(_)
            | RawKind::Tuple(_)
            | RawKind::Bag(_) => Ok(Operand::value(self.value(expression)?)),
            kind => Err(PartiqlError::UnsupportedOperation(operation_name(kind))),
        }
    }

    /// Returns the operands after `IN`: the elements of a list, or of a parameter that is one.
    fn list(&self, expression: &RawExpr) -> Result<Vec<Operand>, PartiqlError> {
        match &expression.kind {
            RawKind::List(elements) | RawKind::Bag(elements) => self.operands(elements),
            RawKind::Parameter(_) => Ok(match self.value(expression)? {
                AttributeValue::L(elements) => elements.into_iter().map(Operand::value).collect(),
                value => vec![Operand::value(value)],
            }),
            _ => Ok(vec![self.operand(expression)?]),
        }
    }

    fn is_type(&self, expression: &RawExpr, type_name: &str) -> Result<ConditionExpression, PartiqlError> {
        let operand = self.operand(expression)?;
        let types: &[AttributeType] = match type_name {
            "MISSING" => {
                return match operand {
                    Operand::Path(path) => Ok(ConditionExpression::AttributeNotExists(path)),
                    Operand::Value(_) | Operand::Size(_) => Err(PartiqlError::UnsupportedOperation("IsType")),
                };
            }
            "NULL" => &[AttributeType::Null],
            "BOOL" | "BOOLEAN" => &[AttributeType::Bool],
            "STRING" | "VARCHAR" | "CHAR" | "CHARACTER" => &[AttributeType::S],
            "BINARY" | "BLOB" | "CLOB" => &[AttributeType::B],
            "LIST" => &[AttributeType::L],
            "STRUCT" | "TUPLE" => &[AttributeType::M],
            "BAG" => &[AttributeType::Ss, AttributeType::Ns, AttributeType::Bs],
            "BIGINT" | "DEC" | "DECIMAL" | "FLOAT" | "INT" | "INT2" | "INT4" | "INT8" | "INTEGER"
            | "INTEGER4" | "NUMBER" | "NUMERIC" | "REAL" | "SMALLINT" => &[AttributeType::N],
            _ => return Err(PartiqlError::UnsupportedOperation("IsType")),
        };
        let tests = types.iter().map(|one| ConditionExpression::AttributeType(operand.clone(), *one));
        ConditionExpression::any(tests).ok_or(PartiqlError::UnsupportedOperation("IsType"))
    }
}

fn not(condition: ConditionExpression) -> ConditionExpression {
    ConditionExpression::Not(Box::new(condition))
}

fn comparator(operator: &str) -> Option<Comparator> {
    match operator {
        "=" => Some(Comparator::Equal),
        "<>" => Some(Comparator::NotEqual),
        "<" => Some(Comparator::Less),
        "<=" => Some(Comparator::LessOrEqual),
        ">" => Some(Comparator::Greater),
        ">=" => Some(Comparator::GreaterOrEqual),
        _ => None,
    }
}
