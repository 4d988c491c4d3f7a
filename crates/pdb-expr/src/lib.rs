#![doc = include_str!("../README.md")]

mod condition;
mod error;
mod key_condition;
pub mod legacy;
mod lexer;
mod parser;
pub mod partiql;
mod path;
mod placeholders;
mod projection;
mod reserved;
mod search_condition;
mod syntax;
#[cfg(test)]
mod testing;
mod update;

pub use condition::{AttributeType, ConditionExpression, Operand, PrintedExpression, compares};
pub use error::{ExprError, Parameter};
pub use key_condition::{
    AttributeCondition, KeyComparison, KeyCondition, KeyConditionError, KeyConditionExpression,
};
pub use path::{MAX_PATH_DEPTH, Path, PathElement};
pub use placeholders::{Placeholders, UnusedPlaceholders};
pub use projection::ProjectionExpression;
pub use reserved::is_reserved;
pub use search_condition::SearchCondition;
pub use syntax::Comparator;
pub use update::{SetValue, UpdateAction, UpdateDialect, UpdateError, UpdateExpression, UpdateOperand};
