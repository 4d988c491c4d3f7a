//! The formats of validation.md, section 4.

use super::*;
use pretender::MessageLayer;

use crate::layer::Family;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Word {
    Index,
    Total,
}

wire_enum!(Word { "INDEXES" => Word::Index, "TOTAL" => Word::Total });

#[track_caller]
fn check(texts: Texts, checks: impl FnOnce(&mut Constraints), expected: &str) {
    let mut constraints = Constraints::new(texts);
    checks(&mut constraints);
    assert_eq!(constraints.finish().unwrap_err().message, expected);
}

fn modern() -> Texts {
    Texts::of(MessageLayer::Modern2026, Family::Read)
}

#[test]
fn one_error_is_singular() {
    check(
        Texts::CLASSIC,
        |check| check.required::<()>(&at("StreamArn"), None),
        "1 validation error detected: Value null at 'streamArn' failed to satisfy constraint: Member must not be null",
    );
    check(
        Texts::CLASSIC,
        |check| check.text_length(&at("StreamArn"), Some(&"abc".into()), 37..=1024),
        "1 validation error detected: Value 'abc' at 'streamArn' failed to satisfy constraint: Member must have length \
         greater than or equal to 37",
    );
    check(
        Texts::CLASSIC,
        |check| check.range(&at("Limit"), Some(0), 1..=i32::MAX),
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater \
         than or equal to 1",
    );
    check(
        Texts::CLASSIC,
        |check| check.list_length(&at("TransactItems"), Some(&Vec::<bool>::new()), 1..=100),
        "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length \
         greater than or equal to 1",
    );
}

#[test]
fn several_errors_are_joined_in_order() {
    check(
        Texts::CLASSIC,
        |check| {
            let bad = Text::from("no");
            assert_eq!(check.one_of::<Word>(&at("ReturnConsumedCapacity"), Some(&bad)), None);
            assert_eq!(
                check.one_of::<Word>(&at("ReturnConsumedCapacity"), Some(&"TOTAL".into())),
                Some(Word::Total)
            );
            check.table_name(&at("TableName"), None);
        },
        "2 validation errors detected: Value 'no' at 'returnConsumedCapacity' failed to satisfy constraint: Member must \
         satisfy enum value set: [INDEXES, TOTAL]; Value null at 'tableName' failed to satisfy constraint: Member must not be null",
    );
}

#[test]
fn no_more_than_ten_are_reported() {
    let mut constraints = Constraints::new(Texts::CLASSIC);
    let list = at("KeySchema");
    for index in 0..12 {
        constraints.required::<()>(&list.element(index).member("KeyType"), None);
    }
    let message = constraints.finish().unwrap_err().message;
    assert!(message.starts_with(
        "10 validation errors detected: Value null at 'keySchema.1.member.keyType' failed to satisfy constraint: Member must \
         not be null; "
    ));
    assert_eq!(message.matches("Value null").count(), 10);
}

/// The table names of section 4.2.
#[test]
fn a_bad_table_name_is_reported_alone() {
    let long = "a".repeat(256);
    for (name, constraint) in [
        ("", "Member must have length greater than or equal to 1"),
        (long.as_str(), "Member must have length less than or equal to 255"),
        ("bad table!@#", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
    ] {
        check(
            Texts::CLASSIC,
            |check| {
                check.table_name(&at("TableName"), Some(&name.into()));
                check.one_of::<Word>(&at("ReturnValues"), Some(&"INVALID".into()));
            },
            &format!(
                "1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: {constraint}"
            ),
        );
    }
}

/// With something required missing, everything is reported, and on both layers in the old format.
#[test]
fn a_missing_member_brings_all_errors_back() {
    for texts in [Texts::CLASSIC, modern()] {
        check(
            texts,
            |check| {
                check.one_of::<Word>(&at("ReturnConsumedCapacity"), Some(&"INVALID".into()));
                check.table_name(&at("TableName"), Some(&"".into()));
                check.required::<()>(&at("Key"), None);
            },
            "3 validation errors detected: Value 'INVALID' at 'returnConsumedCapacity' failed to satisfy constraint: Member \
             must satisfy enum value set: [INDEXES, TOTAL]; Value '' at 'tableName' failed to satisfy constraint: Member must have \
             length greater than or equal to 1; Value null at 'key' failed to satisfy constraint: Member must not be null",
        );
    }
}

#[test]
fn the_new_format_has_no_value_and_one_error() {
    check(
        modern(),
        |check| {
            check.range(&at("Limit"), Some(0), 1..=i32::MAX);
            check.one_of::<Word>(&at("Select"), Some(&"INVALID".into()));
        },
        "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or \
         equal to 1",
    );
    check(
        modern(),
        |check| {
            let items = at("RequestItems");
            let table = items.key("orders");
            check.length(&table.member("Keys"), 101, 1..=100, String::new);
        },
        "1 validation error detected: Value at 'RequestItems.orders.member.Keys' failed to satisfy constraint: Member must \
         have length less than or equal to 100",
    );
}

#[test]
fn paths_name_elements_and_keys() {
    let items = at("RequestItems");
    let table = items.key("Tbl");
    let element = table.element(0);
    let put = element.member("PutRequest");
    assert_eq!(put.member("Item").to_string(), "requestItems.Tbl.member.1.member.putRequest.item");
    assert_eq!(table.member("Keys").to_string(), "requestItems.Tbl.member.keys");
}

#[test]
fn lengths_are_counted_in_utf16() {
    let mut constraints = Constraints::new(Texts::CLASSIC);
    constraints.text_length(&at("ClientRequestToken"), Some(&"😀é".into()), 1..=3);
    assert!(constraints.finish().is_ok());
}
