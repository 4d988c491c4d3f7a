use pdb_model::ScalarType;

use super::*;

fn attribute(name: &str, scalar_type: ScalarType) -> KeyAttribute {
    KeyAttribute { name: name.to_owned(), scalar_type }
}

fn simple() -> KeySchema {
    KeySchema::simple(attribute("p", ScalarType::S), Some(attribute("s", ScalarType::N)))
}

fn multiple() -> KeySchema {
    KeySchema {
        hash: vec![attribute("h1", ScalarType::S), attribute("h2", ScalarType::S)],
        range: vec![attribute("r1", ScalarType::N), attribute("r2", ScalarType::N)],
    }
}

fn on(attribute: &str, test: KeyTest) -> KeyPredicate {
    KeyPredicate { attribute: attribute.to_owned(), test }
}

fn equal(attribute: &str, value: impl Into<AttributeValue>) -> KeyPredicate {
    on(attribute, KeyTest::Equal(value.into()))
}

#[track_caller]
fn check_error(schema: &KeySchema, predicates: &[KeyPredicate], expected: &str) {
    assert_eq!(slice_of(schema, predicates, |_| Ok(())).unwrap_err().to_string(), expected);
}

#[test]
fn refuses_what_is_no_key_condition() {
    let table = simple();
    check_error(
        &table,
        &[equal("p", "a"), equal("s", 1), equal("x", 1)],
        "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
    );
    check_error(&table, &[equal("s", 1)], "Query condition missed key schema element: p");
    check_error(&table, &[equal("p", "a"), equal("x", 1)], "Query condition missed key schema element: s");
    check_error(&table, &[on("p", KeyTest::Less("a".into()))], "Query key condition not supported");
    check_error(
        &table,
        &[equal("p", 1)],
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    );
    check_error(
        &table,
        &[equal("p", "a"), on("s", KeyTest::NotIndexable)],
        "Attempted conditional constraint is not an indexable operation",
    );
    check_error(
        &table,
        &[equal("p", "")],
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
         string value. Key: p",
    );
}

#[test]
fn several_attributes_are_constrained_from_left_to_right() {
    let index = multiple();
    let hash = [equal("h2", "b"), equal("h1", "a")];
    let with = |more: &[KeyPredicate]| [&hash[..], more].concat();
    let slice =
        slice_of(&index, &with(&[on("r2", KeyTest::Less(2.into())), equal("r1", 1)]), |_| Ok(())).unwrap();
    assert_eq!(slice.hash, [KeyValue::S("a".into()), KeyValue::S("b".into())]);
    assert_eq!(slice.equal, [KeyValue::N(1.into())]);
    assert_eq!(slice.test, Some(RangeTest::Less(KeyValue::N(2.into()))));
    check_error(
        &index,
        &hash[..1],
        "Query key condition not supported: all HASH key attributes must have equality conditions",
    );
    let text = "Query key condition not supported: RANGE key attributes before the last condition must have equality conditions";
    check_error(&index, &with(&[equal("r2", 1)]), text);
    check_error(&index, &with(&[on("r1", KeyTest::Less(1.into())), equal("r2", 1)]), text);
}
