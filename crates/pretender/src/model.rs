//! Values of the API: items and their attributes, names of tables and indexes, key schemas, operations.
//!
//! # Examples
//!
//! ```
//! use pretender::model::{AttributeValue, Item, TableName};
//!
//! let orders = TableName::new("Orders")?;
//! let item = Item::new().with("id", "o1").with("total", 42).with("paid", true);
//! assert_eq!(item.get("total"), Some(&AttributeValue::from(42)));
//! // The form in which DynamoDB sends and stores it.
//! assert_eq!(item.to_string(), r#"{"id":{"S":"o1"},"paid":{"BOOL":true},"total":{"N":"42"}}"#);
//! assert!(TableName::new("a name with spaces").is_err());
//! # Ok::<(), pretender::model::ParseError>(())
//! ```

#[doc(inline)]
pub use pdb_model::item;
#[doc(inline)]
pub use pdb_model::{
    Account, AttributeValue, CountingIds, EncodedItem, Env, IdSource, IndexName, IntegerError, Item,
    KeyAttribute, KeySchema, MAX_ITEM_BYTES, MAX_NESTING, Number, NumberError, Operation, OperationClass,
    ParseError, PlainJsonError, RandomIds, ScalarType, TableArn, TableName, ValueMap, ValueSet,
};
#[cfg(feature = "serde_dynamo")]
#[doc(inline)]
pub use pdb_model::{SerializeError, from_attribute_value, from_item, to_attribute_value, to_item};
