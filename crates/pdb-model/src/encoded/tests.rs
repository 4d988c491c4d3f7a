use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::*;

fn any_value() -> impl Strategy<Value = AttributeValue> {
    let number = "-?[0-9]{1,20}(\\.[0-9]{1,10})?".prop_map(|t| t.parse::<crate::Number>().unwrap());
    let leaf = prop_oneof![
        any::<String>().prop_map(AttributeValue::S),
        number.clone().prop_map(AttributeValue::N),
        vec(any::<u8>(), 0..20).prop_map(AttributeValue::B),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null),
        btree_set(any::<String>(), 1..4).prop_map(|set| AttributeValue::Ss(set.into())),
        btree_set(number, 1..4).prop_map(|set| AttributeValue::Ns(set.into())),
        btree_set(vec(any::<u8>(), 0..5), 1..4).prop_map(|set| AttributeValue::Bs(set.into())),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            btree_map(any::<String>(), inner, 0..4).prop_map(|map| AttributeValue::M(map.into())),
        ]
    })
}

proptest! {
    #[test]
    fn encoding_and_decoding_are_inverse(attributes in btree_map(any::<String>(), any_value(), 0..5)) {
        let item = Item(attributes);
        let encoded = EncodedItem::from(&item);
        prop_assert_eq!(encoded.decode().unwrap(), item);
        prop_assert!(serde_json::from_str::<serde_json::Value>(encoded.json()).is_ok());
    }
}

proptest! {
    #[test]
    fn a_string_of_any_length_is_read_back(
        text in "[ -~\u{0}-\u{1f}\u{e9}\u{20ac}\u{1f600}]{0,100}",
        plain in "[a-z]{0,100}",
    ) {
        for text in [text.clone(), format!("{plain}{text}{plain}")] {
            let mut json = String::new();
            write_json_string(&mut json, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}

#[test]
fn only_what_json_does_not_allow_is_escaped() {
    // At every place of a part of 32 bytes, and behind it.
    for at in 0..70 {
        let (before, after) = ("x".repeat(at), "\u{7f}\u{e9}/".repeat(20));
        for (character, escaped) in [
            ("\"", r#"\""#),
            ("\\", r"\\"),
            ("\n", r"\n"),
            ("\r", r"\r"),
            ("\t", r"\t"),
            ("\u{1f}", r"\u001f"),
        ] {
            let mut json = String::new();
            write_json_string(&mut json, &format!("{before}{character}{after}"));
            assert_eq!(json, format!("\"{before}{escaped}{after}\""));
        }
    }
}

#[test]
fn spelling_does_not_matter() {
    let a = Item::from_json(
        r#"{"b":{"N":"1.0"},"a":{"SS":["y","x"]},"m":{"M":{"z":{"NULL":true},"y":{"BOOL":false}}}}"#,
    );
    let b = Item::from_json(
        r#" {"m":{"M":{"y":{"BOOL":false},"z":{"NULL":true}}}, "a":{"SS":["x","y"]},"b":{"N":"1"}}"#,
    );
    let (a, b) = (EncodedItem::from(&a.unwrap()), EncodedItem::from(&b.unwrap()));
    assert_eq!(a, b);
    assert_eq!(
        a.json(),
        r#"{"a":{"SS":["x","y"]},"b":{"N":"1"},"m":{"M":{"y":{"BOOL":false},"z":{"NULL":true}}}}"#
    );
}

#[test]
fn what_is_no_item_is_refused() {
    for json in [
        "",
        "[]",
        "{",
        r#"{"a":1}"#,
        r#"{"a":{}}"#,
        r#"{"a":{"X":"y"}}"#,
        r#"{"a":{"N":"x"}}"#,
        r#"{"a":{"S":"x","N":"1"}}"#,
        r#"{"a":{"B":"*"}}"#,
        r#"{"a":{"N":1}}"#,
    ] {
        assert!(Item::from_json(json).is_err(), "{json}");
    }
}

#[test]
fn an_attribute_is_left_out_of_the_text() {
    let item = Item::from([
        ("a\"b", 1.into()),
        ("é", "x".into()),
        ("v", AttributeValue::L(vec![1.into(), 2.into()])),
    ]);
    let encoded = EncodedItem::from(&item);
    for name in ["a\"b", "é", "v", "absent"] {
        let rest: Item = item
            .iter()
            .filter(|(other, _)| *other != name)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        assert_eq!(encoded.json_without(name).as_deref(), Ok(EncodedItem::from(&rest).json()), "{name}");
    }
    assert!(EncodedItem::from_stored("[".to_owned(), 1).json_without("a").is_err());
}
