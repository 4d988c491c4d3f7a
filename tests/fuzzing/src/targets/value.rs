//! Values and items: their JSON, typed and plain, and the bytes of their keys.

use std::cmp::Ordering;

use pdb_model::{AttributeValue, EncodedItem, Item, KeyValue, MAX_NESTING, PrimaryKey};

use crate::{Source, values};

pub(crate) fn run(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input)
        && text.trim_start().starts_with('{')
    {
        if let Ok(item) = Item::from_json(text) {
            check(&item);
        }
        for item in [Item::from_plain_json(text), Item::from_any_json(text)].into_iter().flatten() {
            assert!(item.depth() <= MAX_NESTING, "plain JSON became an item {} levels deep", item.depth());
            check(&item);
        }
        let _: Result<AttributeValue, _> = AttributeValue::from_json(text);
        return;
    }
    let mut source = Source::new(input);
    let item = values::item(&mut source);
    check(&item);
    check_keys(&key(&mut source), &key(&mut source));
}

/// What is stored and sent of an item is the item.
fn check(item: &Item) {
    let encoded = EncodedItem::from(item);
    assert_eq!(encoded.json(), item.to_string());
    assert_eq!(encoded.size_bytes(), item.size_bytes());
    let decoded = encoded.decode().unwrap();
    assert_eq!(&decoded, item, "{}", encoded.json());
    assert_eq!(EncodedItem::from(&decoded).json(), encoded.json(), "the text is canonical");
    if let Some(name) = item.keys().next() {
        let (mut only, mut others) = (item.clone(), item.clone());
        only.0.retain(|other, _| other == name);
        others.0.remove(name);
        assert_eq!(encoded.decode_attributes(|other| other == name).unwrap(), only);
        assert_eq!(encoded.json_without(name).unwrap(), others.to_string());
    }
    for (_, value) in item.iter() {
        let mut json = String::new();
        value.write_json(&mut json);
        assert_eq!(&AttributeValue::from_json(&json).unwrap(), value);
    }
    if item.depth() <= MAX_NESTING {
        let plain = item.to_plain_json();
        let read = Item::from_plain_json(&plain).unwrap();
        assert_eq!(read.to_plain_json(), plain, "plain JSON is stable");
    }
}

fn key(source: &mut Source<'_>) -> KeyValue {
    match source.below(3) {
        0 => KeyValue::S(source.text(6)),
        1 => KeyValue::N(values::number(source)),
        _ => KeyValue::B(source.bytes(6)),
    }
}

/// The bytes of keys have the order of the values, and no key is the beginning of another.
fn check_keys(first: &KeyValue, second: &KeyValue) {
    let key = |value: &KeyValue| {
        PrimaryKey { hash: vec![KeyValue::S(String::from("p"))], range: vec![value.clone()] }.encode()
    };
    let (first_key, second_key) = (key(first), key(second));
    let expected = match (first, second) {
        (KeyValue::S(a), KeyValue::S(b)) => a.as_bytes().cmp(b.as_bytes()),
        (KeyValue::B(a), KeyValue::B(b)) => a.cmp(b),
        (KeyValue::N(a), KeyValue::N(b)) => a.cmp(b),
        _ => return,
    };
    assert_eq!(first_key.cmp(&second_key), expected, "{first:?} and {second:?}");
    if expected != Ordering::Equal {
        assert!(
            !first_key.as_bytes().starts_with(second_key.as_bytes()),
            "{second:?} is the beginning of {first:?}"
        );
    }
}
