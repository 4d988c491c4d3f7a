//! What the tests of this crate share.

use pdb_model::{AttributeValue, Item};
use proptest::prelude::*;

use crate::{Path, PathElement, Placeholders};

/// Reads an item from DynamoDB JSON.
pub(crate) fn item(json: &str) -> Item {
    Item::from_json(json).unwrap()
}

/// Reads placeholders written as `#n=name :v={"S":"x"}`, with spaces between them and none in them.
pub(crate) fn placeholders(text: &str) -> Placeholders {
    let entries = || text.split_whitespace().map(|entry| entry.split_once('=').unwrap());
    Placeholders::new(
        entries()
            .filter(|(key, _)| key.starts_with('#'))
            .map(|(key, name)| (key.to_owned(), name.to_owned())),
        entries()
            .filter(|(key, _)| key.starts_with(':'))
            .map(|(key, json)| (key.to_owned(), AttributeValue::from_json(json).unwrap())),
    )
}

/// Names: short, so that paths meet; some need a placeholder.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-c]",
        1 => Just("size".to_owned()),
        1 => Just("x.y".to_owned()),
        1 => Just("é #".to_owned()),
        1 => Just("_1".to_owned()),
    ]
}

fn any_element() -> impl Strategy<Value = PathElement> {
    prop_oneof![
        any_name().prop_map(|name| PathElement::Name(name.into())),
        (0u32..4).prop_map(PathElement::Index)
    ]
}

/// Paths of up to four components.
pub(crate) fn any_path() -> impl Strategy<Value = Path> {
    (any_name(), prop::collection::vec(any_element(), 0..4))
        .prop_map(|(attribute, elements)| Path { attribute: attribute.into(), elements })
}

/// Values of all types, two levels deep.
pub(crate) fn any_value() -> impl Strategy<Value = AttributeValue> {
    let scalar = prop_oneof![
        "[a-c]{0,3}".prop_map(AttributeValue::S),
        (-3i64..4).prop_map(AttributeValue::from),
        prop::collection::vec(0u8..3, 0..3).prop_map(AttributeValue::B),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null),
        prop::collection::btree_set("[a-c]{0,2}", 1..3).prop_map(|set| AttributeValue::Ss(set.into())),
        prop::collection::btree_set((-2i64..3).prop_map(pdb_model::Number::from), 1..3)
            .prop_map(|set| AttributeValue::Ns(set.into())),
        prop::collection::btree_set(prop::collection::vec(0u8..2, 0..2), 1..3)
            .prop_map(|set| AttributeValue::Bs(set.into())),
    ];
    scalar.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            prop::collection::btree_map(any_name(), inner, 0..4)
                .prop_map(|map| AttributeValue::M(map.into())),
        ]
    })
}

/// Items whose attributes [`any_path`] often meets.
pub(crate) fn any_item() -> impl Strategy<Value = Item> {
    prop::collection::btree_map(any_name(), any_value(), 0..5).prop_map(Item)
}

/// Texts that look like expressions more or less.
pub(crate) fn any_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => prop::sample::select(vec![
            "a", "b", "#n", "#x.y", ":v", ":w", ":", "#", "size", "SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT",
            "BETWEEN", "IN", "attribute_exists(", "begins_with(", "contains(", "attribute_type(", "size(",
            "if_not_exists(", "list_append(", "f(", "(", ")", "((", "))", "[", "]", "[0]", "[99999999999]", ".", ",", "=",
            "<>", "<", "<=", ">", ">=", "+", "-", "1", "_", "é", "\"", "\n",
        ]).prop_map(str::to_owned),
        1 => ".{0,3}",
    ];
    (prop::collection::vec(word, 0..30), prop::sample::select(vec!["", " "]))
        .prop_map(|(words, separator)| words.join(separator))
}
