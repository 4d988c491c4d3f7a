//! Parameters of the API before it had expressions. DynamoDB still serves them.

pub use pdb_expr::legacy::{
    AttributeAction, AttributeValueUpdate, ComparisonOperator, Condition, ConditionalOperator,
    ExpectedAttributeValue,
};
