use pdb_model::{AttributeValue, IndexKind, KeyAttribute, Projection};

use super::*;

fn attribute(name: &str, scalar_type: ScalarType) -> KeyAttribute {
    KeyAttribute { name: name.to_owned(), scalar_type }
}

fn schema() -> KeySchema {
    KeySchema::simple(attribute("p", ScalarType::S), Some(attribute("s", ScalarType::B)))
}

#[track_caller]
fn check_parameter(key: Item, expected: &str) {
    assert_eq!(key_of_parameter(&schema(), &key).unwrap_err().into_text(), expected);
}

#[track_caller]
fn check_item(item: Item, expected: &str) {
    assert_eq!(key_of_item(&schema(), &item).unwrap_err().into_text(), expected);
}

fn bytes(length: usize) -> AttributeValue {
    AttributeValue::B(vec![7; length])
}

#[test]
fn a_key_parameter_has_exactly_the_key() {
    check_parameter(Item::new().with("p", "a"), KEY_MISMATCH);
    check_parameter(Item::new().with("p", "a").with("t", bytes(1)), KEY_MISMATCH);
    check_parameter(Item::new().with("p", "a").with("s", "b"), KEY_MISMATCH);
    check_parameter(Item::new().with("p", "").with("s", bytes(1)).with("x", 1), KEY_MISMATCH);
    check_parameter(
        Item::new().with("p", "").with("s", bytes(1)),
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
         string value. Key: p",
    );
    check_parameter(
        Item::new().with("p", "a").with("s", bytes(0)),
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
         binary value. Key: s",
    );
    check_parameter(
        Item::new().with("p", "a".repeat(2049)).with("s", bytes(1)),
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
    );
    check_parameter(
        Item::new().with("p", "a".repeat(2048)).with("s", bytes(1025)),
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of \
         1024 bytes",
    );
    assert!(
        key_of_parameter(&schema(), &Item::new().with("p", "a".repeat(2048)).with("s", bytes(1024))).is_ok()
    );
}

#[test]
fn an_item_names_what_is_wrong_with_its_key() {
    check_item(
        Item::new().with("p", "a"),
        "One or more parameter values were invalid: Missing the key s in the item",
    );
    check_item(
        Item::new().with("p", 1),
        "One or more parameter values were invalid: Type mismatch for key p expected: S actual: N",
    );
}

#[test]
fn an_index_key_must_fit_if_it_is_there() {
    let mut table =
        TableDefinition::minimal("music".parse().unwrap(), "id".into(), pdb_model::EpochMillis(0), schema());
    for name in ["zzz", "aaa"] {
        table.indexes.push(SecondaryIndex {
            name: name.parse().unwrap(),
            kind: IndexKind::Global,
            key_schema: KeySchema::simple(attribute("g", ScalarType::S), Some(attribute("h", ScalarType::N))),
            projection: Projection::All,
            provisioned_throughput: Default::default(),
            on_demand_throughput: None,
            warm_throughput: None,
        });
    }
    let text = |item: Item| check_index_keys(&table, &item).unwrap_err().into_text();
    assert_eq!(check_index_keys(&table, &Item::new().with("x", 1)), Ok(()));
    assert_eq!(
        text(Item::new().with("g", AttributeValue::Null)),
        "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: NULL IndexName: aaa"
    );
    assert_eq!(
        text(Item::new().with("h", "x")),
        "One or more parameter values were invalid: Type mismatch for Index Key h Expected: N Actual: S IndexName: aaa"
    );
    assert_eq!(
        text(Item::new().with("g", "")),
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The \
         AttributeValue for a key attribute cannot contain an empty string value. IndexName: aaa, IndexKey: g"
    );
    assert_eq!(
        check_assigned_index_key(&table, "g", &"".into()).unwrap_err().into_text(),
        "One or more parameter values are not valid. The update expression attempted to update a secondary index key to \
         a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value."
    );
    assert_eq!(
        check_updated_index_keys(&table, |_| true, &Item::new().with("g", 1)).unwrap_err().into_text(),
        "The update expression attempted to update the secondary index key to unsupported type"
    );
}
